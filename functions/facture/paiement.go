package main

import (
	"context"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// tresorerie is the account that a payment of a mode arrives on.
var tresorerie = map[string]string{
	"VIREMENT": "512", "PRELEVEMENT": "512", "CARTE": "512", "CHEQUE": "5112", "ESPECES": "530",
}

// ouverte is a bill that can be paid.
type ouverte struct {
	id, numero, abonneID string
	reste                int64
}

// enregistrerPaiement records money, matches it and books it.
func enregistrerPaiement(ctx context.Context, tx *function.Tx, c message.EnregistrerPaiement) (p message.Paiement, err error) {
	if c.RecuLe.After(tx.Today()) {
		return p, function.Invalid("recu_le", "date_future", "Un paiement ne peut pas être reçu dans le futur.", "A payment cannot be received in the future.")
	}
	bills, abonneID, err := openBills(ctx, tx, c)
	if err != nil {
		return p, err
	}
	p = message.Paiement{
		ID: function.NewID(), AbonneID: abonneID, Mode: c.Mode, MontantCentimes: c.MontantCentimes,
		RecuLe: c.RecuLe, Reference: c.Reference, Lettrages: []message.Lettrage{},
	}
	p.Lettrages, p.AvanceCentimes = lettrer(bills, c.MontantCentimes)
	return p, savePayment(ctx, tx, p)
}

// openBills locks the bills that a payment may pay, in the order in which it does.
func openBills(ctx context.Context, tx *function.Tx, c message.EnregistrerPaiement) (bills []ouverte, abonneID string, err error) {
	const columns = "select id, numero, abonne_id, ttc_centimes - paye_centimes from facture where "
	var rows pgx.Rows
	if c.Reference != "" {
		rows, err = tx.Query(ctx, columns+"numero = $1 and ttc_centimes > 0 for update", c.Reference)
	} else {
		rows, err = tx.Query(ctx, columns+"abonne_id = $1 and etat in ('EMISE', 'PARTIELLE') order by echeance, rang for update", c.AbonneID)
	}
	if err != nil {
		return nil, "", err
	}
	bills, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (o ouverte, err error) {
		err = row.Scan(&o.id, &o.numero, &o.abonneID, &o.reste)
		return o, err
	})
	switch {
	case err != nil:
		return nil, "", err
	case c.Reference != "" && len(bills) == 0:
		return nil, "", function.Invalid("reference", "facture_inconnue", "Aucune facture émise ne porte ce numéro.", "No issued bill has this number.")
	case c.Reference != "":
		if c.AbonneID != "" && c.AbonneID != bills[0].abonneID {
			return nil, "", function.Invalid("reference", "facture_d_un_autre", "Cette facture est celle d'un autre abonné.", "This bill is another subscriber's.")
		}
		return bills, bills[0].abonneID, nil
	}
	var known bool
	if err := tx.QueryRow(ctx, "select exists (select from contrat where abonne_id = $1)", c.AbonneID).Scan(&known); err != nil {
		return nil, "", err
	}
	if !known {
		return nil, "", function.Invalid("abonne_id", "abonne_inconnu", "Cet abonné n'a pas de contrat.", "This subscriber has no contract.")
	}
	return bills, c.AbonneID, nil
}

// lettrer spreads an amount over bills in order; what is left is an advance.
func lettrer(bills []ouverte, montant int64) (matched []message.Lettrage, avance int64) {
	matched = []message.Lettrage{}
	for _, b := range bills {
		part := min(b.reste, montant)
		if part <= 0 {
			continue
		}
		montant -= part
		etat := "PARTIELLE"
		if part == b.reste {
			etat = "PAYEE"
		}
		matched = append(matched, message.Lettrage{FactureID: b.id, Numero: b.numero, MontantCentimes: part, Etat: etat})
	}
	return matched, montant
}

func savePayment(ctx context.Context, tx *function.Tx, p message.Paiement) error {
	b := &pgx.Batch{}
	b.Queue(`insert into paiement (id, abonne_id, mode, montant_centimes, recu_le, reference, cree_a, cree_par) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
		p.ID, p.AbonneID, p.Mode, p.MontantCentimes, p.RecuLe, p.Reference, tx.Now, tx.Identity().ID)
	for _, l := range p.Lettrages {
		b.Queue("insert into lettrage (paiement_id, facture_id, montant_centimes) values ($1, $2, $3)", p.ID, l.FactureID, l.MontantCentimes)
		b.Queue("update facture set paye_centimes = paye_centimes + $2, etat = $3 where id = $1", l.FactureID, l.MontantCentimes, l.Etat)
		if l.Etat == "PAYEE" {
			tx.Emit(l.FactureID, 0, message.FacturePayee{FactureID: l.FactureID, Numero: l.Numero, AbonneID: p.AbonneID, PaiementID: p.ID})
		}
	}
	b.Queue("insert into ecriture (id, date, piece, libelle) values ($1, $2, $3, $4)", p.ID, p.RecuLe, p.Reference, "Paiement "+p.Mode)
	b.Queue("insert into mouvement (ecriture_id, compte, debit_centimes) values ($1, $2, $3)", p.ID, tresorerie[p.Mode], p.MontantCentimes)
	b.Queue("insert into mouvement (ecriture_id, compte, credit_centimes) values ($1, '411', $2)", p.ID, p.MontantCentimes)
	return tx.SendBatch(ctx, b).Close()
}

// compte is what an abonne owes: issued bills less payments.
func compte(ctx context.Context, tx *function.Tx, q message.Compte) (c message.CompteAbonne, err error) {
	if !tx.Identity().Owns(q.AbonneID) {
		return c, function.NotFound("abonne_inconnu", "Cet abonné n'existe pas.", "There is no such subscriber.")
	}
	c.AbonneID = q.AbonneID
	err = tx.QueryRow(ctx, `select
			(select coalesce(sum(ttc_centimes), 0)::bigint from facture where abonne_id = $1 and numero is not null)
			- (select coalesce(sum(montant_centimes), 0)::bigint from paiement where abonne_id = $1),
			(select coalesce(sum(ttc_centimes - paye_centimes), 0)::bigint from facture where abonne_id = $1 and etat in ('EMISE', 'PARTIELLE') and echeance < $2)`,
		q.AbonneID, tx.Today()).Scan(&c.SoldeCentimes, &c.EchuCentimes)
	if err != nil {
		return c, err
	}
	rows, err := tx.Query(ctx, `select p.id, p.mode, p.montant_centimes, p.recu_le, p.reference,
			coalesce((select jsonb_agg(jsonb_build_object('facture_id', f.id, 'numero', f.numero, 'montant_centimes', l.montant_centimes, 'etat', f.etat) order by f.rang)
				from lettrage l join facture f on f.id = l.facture_id where l.paiement_id = p.id), '[]')
		from paiement p where abonne_id = $1 order by recu_le desc, id desc limit 50`, q.AbonneID)
	if err != nil {
		return c, err
	}
	c.Paiements, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (message.Paiement, error) {
		p := message.Paiement{AbonneID: q.AbonneID}
		err := row.Scan(&p.ID, &p.Mode, &p.MontantCentimes, &p.RecuLe, &p.Reference, &p.Lettrages)
		p.AvanceCentimes = p.MontantCentimes
		for _, l := range p.Lettrages {
			p.AvanceCentimes -= l.MontantCentimes
		}
		return p, err
	})
	return c, err
}

// balance sums the journal by account.
func balance(ctx context.Context, tx *function.Tx, _ message.Balance) (b message.BalanceComptes, err error) {
	rows, err := tx.Query(ctx, `select numero, libelle, coalesce(sum(debit_centimes), 0)::bigint, coalesce(sum(credit_centimes), 0)::bigint
		from compte left join mouvement on mouvement.compte = numero group by 1, 2 order by 1`)
	if err != nil {
		return b, err
	}
	b.Comptes, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.SoldeCompte])
	for _, c := range b.Comptes {
		b.DebitCentimes += c.DebitCentimes
		b.CreditCentimes += c.CreditCentimes
	}
	return b, err
}
