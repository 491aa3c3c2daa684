package main

import (
	"context"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// filtre is the condition of a list: $1 abonne, $2 reference.
const filtre = ` where ($1 = '' or abonne_id = nullif($1, '')::uuid) and ($2 = '' or reference = nullif($2, '')::uuid)`

// colonnesEnvoi are those of message.Envoi.
const colonnesEnvoi = `select id, modele, canal, etat, coalesce(abonne_id::text, ''), nom, objet, coalesce(reference::text, ''), cree_a, envoye_a, erreur, coalesce(segments, 0), coalesce(encodage, '') `

// envois lists messages, the newest first, and counts them by state whatever
// state is asked for. The cursor is the id of the last one shown. An abonne
// sees their own only.
func envois(ctx context.Context, tx *function.Tx, q message.Envois) (page message.PageEnvois, err error) {
	if q.AbonneID != "" && !tx.Identity().Owns(q.AbonneID) {
		return page, function.NotFound("abonne_inconnu", "Aucun courrier n'est connu sous cet identifiant.", "No mail is known under this id.")
	}
	if own := tx.Identity().AbonneID; own != "" {
		q.AbonneID = own
	}
	rows, err := tx.Query(ctx, colonnesEnvoi+`
		from envoi`+filtre+` and ($3 = '' or etat = $3) and ($4 = '' or id < nullif($4, '')::uuid)
		order by id desc limit $5`, q.AbonneID, q.Reference, q.Etat, q.Curseur, q.Size()+1)
	if err != nil {
		return page, err
	}
	page.Items, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.Envoi])
	if err != nil {
		return page, err
	}
	if n := q.Size(); len(page.Items) > n {
		page.Items, page.Suivant = page.Items[:n], page.Items[n-1].ID
	}
	rows, err = tx.Query(ctx, `select etat, count(*) from envoi`+filtre+` group by etat`, q.AbonneID, q.Reference)
	if err != nil {
		return page, err
	}
	page.Comptes = map[string]int{}
	var etat string
	var n int
	_, err = pgx.ForEachRow(rows, []any{&etat, &n}, func() error { page.Comptes[etat] = n; return nil })
	return page, err
}
