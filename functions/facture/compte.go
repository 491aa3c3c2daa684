package main

import (
	"context"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// compte is what an abonne owes: the view compte_abonne, line by line.
func compte(ctx context.Context, tx *function.Tx, q message.Compte) (c message.CompteAbonne, err error) {
	if !tx.Identity().Owns(q.AbonneID) {
		return c, function.NotFound("abonne_inconnu", "Cet abonné n'existe pas.", "There is no such subscriber.")
	}
	c.AbonneID = q.AbonneID
	err = tx.QueryRow(ctx, `select (select coalesce(sum(montant_centimes), 0)::bigint from compte_abonne where abonne_id = $1),
			(select coalesce(sum(ttc_centimes - paye_centimes), 0)::bigint from facture where abonne_id = $1 and etat in ('EMISE', 'PARTIELLE') and echeance < $2)`,
		q.AbonneID, tx.Today()).Scan(&c.SoldeCentimes, &c.EchuCentimes)
	if err != nil {
		return c, err
	}
	rows, err := tx.Query(ctx, paiementColumns+"where p.abonne_id = $1 order by p.recu_le desc, p.id desc limit 50", q.AbonneID)
	if err != nil {
		return c, err
	}
	if c.Paiements, err = pgx.CollectRows(rows, scanPaiement); err != nil {
		return c, err
	}
	rows, err = tx.Query(ctx, `select date, nature, objet_id, piece, montant_centimes, (sum(montant_centimes) over (order by date, objet_id, montant_centimes desc))::bigint
		from compte_abonne where abonne_id = $1 order by date desc, objet_id desc, montant_centimes limit 100`, q.AbonneID)
	if err != nil {
		return c, err
	}
	c.Mouvements, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.MouvementCompte])
	return c, err
}
