package main

import (
	"context"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// filtre is the condition of a list: $1 state, $2 abonne, $3 technician, $4
// the technician who asks, or ”.
const filtre = `
	where ($1 = '' or etat = $1 or $1 = 'OUVERTES' and etat not in ('REALISEE', 'IMPOSSIBLE', 'ANNULEE'))
		and ($2 = '' or abonne_id = nullif($2, '')::uuid)
		and ($3 = '' or technicien = nullif($3, '')::uuid)
		and ($4 = '' or technicien is null or technicien = nullif($4, '')::uuid)`

// lister lists orders by day and number, as far as the caller may see them.
// The cursor is the id of the last one shown.
func lister(ctx context.Context, tx *function.Tx, q message.Interventions) (page message.PageInterventions, err error) {
	id, asking := tx.Identity(), ""
	switch {
	case id.AbonneID != "" && q.AbonneID != "" && q.AbonneID != id.AbonneID:
		return page, function.NotFound("abonne_inconnu", "Aucune intervention n'est connue sous cet identifiant.", "No order is known under this id.")
	case id.AbonneID != "":
		q.AbonneID = id.AbonneID
	case id.Role == technicien:
		asking = id.ID
	}
	if err := tx.QueryRow(ctx, `select count(*) from intervention`+filtre, q.Etat, q.AbonneID, q.Technicien, asking).Scan(&page.Total); err != nil {
		return page, err
	}
	rows, err := tx.Query(ctx, selectOrdre+filtre+`
		and ($5 = '' or (prevue_le, id) > (select prevue_le, id from intervention where id = nullif($5, '')::uuid))
		order by prevue_le, id limit $6`, q.Etat, q.AbonneID, q.Technicien, asking, q.Curseur, q.Size()+1)
	if err != nil {
		return page, err
	}
	page.Items, err = pgx.CollectRows(rows, scanOrdre)
	if n := q.Size(); len(page.Items) > n {
		page.Items, page.Suivant = page.Items[:n], page.Items[n-1].ID
	}
	for i := range page.Items {
		page.Items[i] = pour(id, page.Items[i])
	}
	return page, err
}

// lire reads one order; one that the caller may not see does not exist.
func lire(ctx context.Context, tx *function.Tx, q message.InterventionParID) (message.Intervention, error) {
	o, err := un(ctx, tx, "id = $1", q.ID)
	if err == nil && !o.visible(tx.Identity()) {
		err = errInconnue
	}
	if err != nil {
		return message.Intervention{}, err
	}
	return pour(tx.Identity(), o.Intervention), nil
}

// pour leaves out what is said among staff when an abonne asks.
func pour(id function.Identity, o message.Intervention) message.Intervention {
	if id.AbonneID != "" {
		o.Consigne, o.Technicien = "", ""
	}
	return o
}
