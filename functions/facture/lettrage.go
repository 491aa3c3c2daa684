package main

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// lettre is an amount that a payment or an avoir gives to a bill; below zero
// it takes back what it gave.
type lettre struct {
	paiementID, avoirID string // one of them
	factureID           string
	montant             int64
	motif               string
	le                  message.Date // when the money came; today when zero
}

// verrouiller makes transactions that move the money of the same abonnes wait
// for each other. Each takes all its locks here, in one order.
func verrouiller(ctx context.Context, tx *function.Tx, abonnes ...string) error {
	slices.Sort(abonnes)
	b := &pgx.Batch{}
	for _, id := range slices.Compact(abonnes) {
		b.Queue("select pg_advisory_xact_lock(hashtextextended('abonne ' || $1::text, 0))", id)
	}
	return tx.SendBatch(ctx, b).Close()
}

// lettrer matches, brings the bills and their VAT up to date and tells of
// those that were paid or opened again. It answers with the bills after it. The caller holds
// the abonne's lock.
func lettrer(ctx context.Context, tx *function.Tx, ls ...lettre) ([]message.Lettrage, error) {
	after := []message.Lettrage{}
	b := &pgx.Batch{}
	for _, l := range ls {
		b.Queue("insert into lettrage (paiement_id, avoir_id, facture_id, montant_centimes, motif, cree_a) values (nullif($1, '')::uuid, nullif($2, '')::uuid, $3, $4, $5, $6)",
			l.paiementID, l.avoirID, l.factureID, l.montant, l.motif, tx.Now)
		b.Queue(`update facture set paye_centimes = paye_centimes + $2, etat = case
				when etat not in ('EMISE', 'PARTIELLE', 'PAYEE') then etat
				when paye_centimes + $2 = ttc_centimes then 'PAYEE'
				when paye_centimes + $2 = 0 then 'EMISE'
				else 'PARTIELLE' end
			where id = $1 returning numero, etat, abonne_id, ttc_centimes - paye_centimes`, l.factureID, l.montant).
			QueryRow(func(row pgx.Row) error {
				m := message.Lettrage{FactureID: l.factureID, MontantCentimes: l.montant}
				var abonne string
				var reste int64
				if err := row.Scan(&m.Numero, &m.Etat, &abonne, &reste); err != nil {
					return err
				}
				after = append(after, m)
				switch {
				case m.Etat == "PAYEE":
					tx.Emit(l.factureID, 0, message.FacturePayee{FactureID: l.factureID, Numero: m.Numero, AbonneID: abonne, PaiementID: l.paiementID})
				case l.montant < 0 && reste == -l.montant:
					tx.Emit(l.factureID, 0, message.FactureRouverte{FactureID: l.factureID, Numero: m.Numero, AbonneID: abonne, ResteCentimes: reste, Motif: l.motif})
				}
				return nil
			})
		// A debit that waits asks for what is left, no more.
		b.Queue(`update prelevement_a_faire p set etat = case when f.ttc_centimes > f.paye_centimes then p.etat else 'ANNULE' end,
				montant_centimes = case when f.ttc_centimes > f.paye_centimes then f.ttc_centimes - f.paye_centimes else p.montant_centimes end
			from facture f where f.id = $1 and p.facture_id = f.id and p.etat = 'A_FAIRE'`, l.factureID)
		b.Queue(`update prelevement_a_faire set etat = 'ANNULE' where etat = 'A_FAIRE' and echeancier_id in
			(select echeancier_id from echeancier_facture where facture_id = $1 and echeancier_etat(echeancier_id, $2) = 'SOLDE')`, l.factureID, tx.Today())
	}
	if err := tx.SendBatch(ctx, b).Close(); err != nil || len(ls) == 0 {
		return after, err
	}
	le, bills := ls[0].le, make([]string, len(ls))
	if le.IsZero() {
		le = tx.Today()
	}
	for i, l := range ls {
		bills[i] = l.factureID
	}
	return after, exiger(ctx, tx, le, bills...)
}

// delettrer takes back all that the selected rows of lettrage gave. where
// speaks of the table lettrage.
func delettrer(ctx context.Context, tx *function.Tx, motif, where string, args ...any) error {
	rows, err := tx.Query(ctx, `select coalesce(paiement_id::text, ''), coalesce(avoir_id::text, ''), facture_id, -sum(montant_centimes)::bigint
		from lettrage where `+where+` group by paiement_id, avoir_id, facture_id having sum(montant_centimes) <> 0 order by facture_id`, args...)
	if err != nil {
		return err
	}
	taken, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (lettre, error) {
		l := lettre{motif: motif}
		err := row.Scan(&l.paiementID, &l.avoirID, &l.factureID, &l.montant)
		return l, err
	})
	if err != nil {
		return err
	}
	_, err = lettrer(ctx, tx, taken...)
	return err
}

// ouverte is a bill that can be paid.
type ouverte struct {
	id    string
	reste int64
}

// ouvertes locks the open bills of an abonne in the order in which money pays
// them: first the one that the payer names, then the oldest debt (Code civil,
// article 1342-10).
func ouvertes(ctx context.Context, tx *function.Tx, abonneID, premiere string) ([]ouverte, error) {
	rows, err := tx.Query(ctx, `select id, ttc_centimes - paye_centimes from facture
		where abonne_id = $1 and etat in ('EMISE', 'PARTIELLE') and ttc_centimes > paye_centimes
		order by id = nullif($2, '')::uuid desc nulls last, echeance, date_facturation, rang for update`, abonneID, premiere)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (o ouverte, err error) {
		err = row.Scan(&o.id, &o.reste)
		return o, err
	})
}

// repartir spreads an amount over bills in order and returns what is left.
func repartir(bills []ouverte, montant int64, from lettre) (matched []lettre, reste int64) {
	for _, b := range bills {
		from.factureID, from.montant = b.id, min(b.reste, montant)
		if from.montant <= 0 {
			break
		}
		montant -= from.montant
		matched = append(matched, from)
	}
	return matched, montant
}
