package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

const selectOrdre = `
	select id, numero, etat, version, coalesce(technicien::text, ''), nom_technicien, nature, priorite, prevue_le,
		coalesce(contrat_id::text, ''), coalesce(abonne_id::text, ''), pdl_id, pdl, compteur, adresse, contact, consigne, coalesce(plan::text, ''),
		cree_a, realisee_a, compte_rendu, motif
	from intervention`

func scanOrdre(row pgx.CollectableRow) (message.Intervention, error) {
	var o message.Intervention
	err := row.Scan(&o.ID, &o.Numero, &o.Etat, &o.Version, &o.Technicien, &o.NomTechnicien, &o.Nature, &o.Priorite, &o.PrevueLe,
		&o.ContratID, &o.AbonneID, &o.PDLID, &o.PDL, &o.Compteur, &o.Adresse, &o.Contact, &o.Consigne, &o.Plan,
		&o.CreeA, &o.RealiseeA, &o.Compte, &o.Motif)
	return o, err
}

// un reads the one order that a condition finds, or errInconnue.
func un(ctx context.Context, tx *function.Tx, where string, args ...any) (*ordre, error) {
	rows, err := tx.Query(ctx, selectOrdre+" where "+where, args...)
	if err != nil {
		return nil, err
	}
	o, err := pgx.CollectExactlyOneRow(rows, scanOrdre)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, errInconnue
	}
	return &ordre{o}, err
}

// verrouiller reads an order for a change by the caller, who must see it.
func verrouiller(ctx context.Context, tx *function.Tx, id string) (*ordre, error) {
	o, err := un(ctx, tx, "id = $1 for update", id)
	if err == nil && !o.visible(tx.Identity()) {
		return nil, errInconnue
	}
	return o, err
}

// numeroter takes the next number of the year.
func numeroter(ctx context.Context, tx *function.Tx) (string, error) {
	var n int64
	annee := tx.Today().Year()
	err := tx.QueryRow(ctx, `
		insert into numerotation values ($1, 1)
		on conflict (annee) do update set dernier = numerotation.dernier + 1 returning dernier`, annee).Scan(&n)
	return fmt.Sprintf("I-%02d-%05d", annee%100, n), err
}

// inserer writes a new order; fresh is false when its plan has one already.
func inserer(ctx context.Context, tx *function.Tx, o *ordre) (fresh bool, err error) {
	tag, err := tx.Exec(ctx, `
		insert into intervention (id, numero, etat, version, nature, priorite, prevue_le, contrat_id, abonne_id, pdl_id, pdl, compteur, adresse, contact, consigne, plan, cree_a)
		values ($1, $2, $3, $4, $5, $6, $7, nullif($8, '')::uuid, nullif($9, '')::uuid, $10, $11, $12, $13, $14, $15, nullif($16, '')::uuid, $17)
		on conflict (plan, nature) where etat not in ('IMPOSSIBLE', 'ANNULEE') do nothing`,
		o.ID, o.Numero, o.Etat, o.Version, o.Nature, o.Priorite, o.PrevueLe, o.ContratID, o.AbonneID, o.PDLID, o.PDL, o.Compteur, o.Adresse, o.Contact, o.Consigne, o.Plan, o.CreeA)
	return tag.RowsAffected() == 1, err
}

// enregistrer writes the next version of an order.
func enregistrer(ctx context.Context, tx *function.Tx, o *ordre) error {
	o.Version++
	_, err := tx.Exec(ctx, `
		update intervention set etat = $2, version = $3, technicien = nullif($4, '')::uuid, nom_technicien = $5, realisee_a = $6, compte_rendu = $7, motif = $8
		where id = $1`, o.ID, o.Etat, o.Version, o.Technicien, o.NomTechnicien, o.RealiseeA, o.Compte, o.Motif)
	return err
}
