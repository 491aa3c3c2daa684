package main

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// A credit is used by itself: bills take it as soon as they are issued. What
// exceeds all bills waits for the next one, or is paid back when it is asked.

// surEmission lets new bills take the advances of their abonnes, then
// proposes the debits of what is left to those who pay so.
func surEmission(ctx context.Context, tx *function.Tx, e message.FacturesEmises) error {
	ids, abonnes := make([]string, len(e.Factures)), make([]string, len(e.Factures))
	for i, f := range e.Factures {
		ids[i], abonnes[i] = f.FactureID, f.AbonneID
	}
	// Those in credit and those who pay monthly, once and for all before anything of them is read.
	rows, err := tx.Query(ctx, `select abonne_id from credit where abonne_id = any($1::uuid[])
		union select abonne_id from echeancier where abonne_id = any($1::uuid[]) and nature = 'MENSUALISATION' and fin_le is null`, abonnes)
	if err != nil {
		return err
	}
	concernes, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	if err := verrouiller(ctx, tx, concernes...); err != nil {
		return err
	}
	for _, id := range concernes {
		if err := imputer(ctx, tx, id); err != nil {
			return err
		}
	}
	regularises, err := regulariser(ctx, tx, ids)
	if err != nil {
		return err
	}
	// Those whose monthly year is over owe what it did not cover, earlier bills included.
	// They are picked by key before anything else: of all that is open there is more with every lot.
	_, err = tx.Exec(ctx, `with visees as materialized (
			select id, abonne_id, etat, ttc_centimes - paye_centimes reste, echeance from facture where id = any($1::uuid[]) and mode_paiement = 'PRELEVEMENT'
			union select id, abonne_id, etat, ttc_centimes - paye_centimes, echeance from facture where abonne_id = any($4::uuid[]))
		insert into prelevement_a_faire (id, abonne_id, facture_id, montant_centimes, date, cree_a)
		select gen_random_uuid(), abonne_id, id, reste, greatest(echeance, $2), $3 from visees
		where etat in ('EMISE', 'PARTIELLE') and not en_echeancier(id, $2)
		on conflict do nothing`, ids, tx.Today(), tx.Now, regularises)
	return err
}

// imputer gives the credit of an abonne to their open bills, the oldest first.
func imputer(ctx context.Context, tx *function.Tx, abonneID string) error {
	bills, err := ouvertes(ctx, tx, abonneID, "")
	if err != nil || len(bills) == 0 {
		return err
	}
	_, err = puiser(ctx, tx, abonneID, bills)
	return err
}

// source is a payment or a negative bill that has not given all.
type source struct {
	lettre
	reste int64
}

func sources(ctx context.Context, tx *function.Tx, abonneID string) ([]source, error) {
	rows, err := tx.Query(ctx, `select coalesce(paiement_id::text, ''), coalesce(avoir_id::text, ''), reste_centimes from credit where abonne_id = $1 order by date, 1, 2`, abonneID)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (s source, err error) {
		err = row.Scan(&s.paiementID, &s.avoirID, &s.reste)
		return s, err
	})
}

// puiser gives the credit of an abonne to bills and returns what they still lack.
func puiser(ctx context.Context, tx *function.Tx, abonneID string, bills []ouverte) (manque int64, err error) {
	credits, err := sources(ctx, tx, abonneID)
	if err != nil {
		return 0, err
	}
	var all []lettre
	for _, s := range credits {
		matched, _ := repartir(bills, s.reste, s.lettre)
		all = append(all, matched...)
		for _, l := range matched { // in the order of bills
			bills[0].reste -= l.montant
			if bills[0].reste == 0 {
				bills = bills[1:]
			}
		}
	}
	for _, b := range bills {
		manque += b.reste
	}
	_, err = lettrer(ctx, tx, all...)
	return manque, err
}

// lettrerPaiement matches what a payment has left with a bill, on a person's word.
func lettrerPaiement(ctx context.Context, tx *function.Tx, c message.LettrerPaiement) (message.Paiement, error) {
	p, err := lockPaiement(ctx, tx, c.PaiementID)
	if err != nil {
		return p, err
	}
	var abonne string
	var reste int64
	err = tx.QueryRow(ctx, "select abonne_id, ttc_centimes - paye_centimes from facture where id = $1 and etat in ('EMISE', 'PARTIELLE') for update", c.FactureID).Scan(&abonne, &reste)
	switch {
	case errors.Is(err, pgx.ErrNoRows), err == nil && reste <= 0:
		return p, function.Conflict("facture_pas_ouverte", "Cette facture n'attend pas de paiement.", "This bill does not wait for a payment.")
	case err != nil:
		return p, err
	case abonne != p.AbonneID:
		return p, function.Invalid("facture_id", "facture_d_un_autre", "Cette facture est celle d'un autre abonné.", "This bill is another subscriber's.")
	}
	most := min(reste, p.AvanceCentimes)
	if c.MontantCentimes == 0 {
		c.MontantCentimes = most
	}
	if c.MontantCentimes > most || most <= 0 {
		return p, function.Invalid("montant_centimes", "montant_excessif", "Au plus "+message.Euros(max(most, 0))+" : ce que le paiement a encore, et ce que la facture attend.",
			"At most "+message.Euros(max(most, 0))+": what the payment has left, and what the bill lacks.")
	}
	if _, err := lettrer(ctx, tx, lettre{paiementID: p.ID, factureID: c.FactureID, montant: c.MontantCentimes, motif: c.Motif}); err != nil {
		return p, err
	}
	return loadPaiement(ctx, tx, p.ID)
}

// delettrerPaiement takes a payment off a bill.
func delettrerPaiement(ctx context.Context, tx *function.Tx, c message.DelettrerPaiement) (message.Paiement, error) {
	p, err := lockPaiement(ctx, tx, c.PaiementID)
	if err != nil {
		return p, err
	}
	if err := delettrer(ctx, tx, c.Motif, "paiement_id = $1 and facture_id = $2", p.ID, c.FactureID); err != nil {
		return p, err
	}
	return loadPaiement(ctx, tx, p.ID)
}

// lockPaiement reads a payment under its abonne's lock; one that was taken
// back is refused.
func lockPaiement(ctx context.Context, tx *function.Tx, id string) (message.Paiement, error) {
	p, err := loadPaiement(ctx, tx, id)
	if err != nil {
		return p, err
	}
	if err := verrouiller(ctx, tx, p.AbonneID); err != nil {
		return p, err
	}
	if p, err = loadPaiement(ctx, tx, id); err == nil && !p.RejeteLe.IsZero() {
		err = function.Conflict("paiement_rejete", "Ce paiement a été repris.", "This payment was taken back.")
	}
	return p, err
}

// demanderRemboursement sets aside what is to be paid back: never more than
// the abonne is really in credit of, open bills included.
func demanderRemboursement(ctx context.Context, tx *function.Tx, c message.DemanderRemboursement) (r message.Remboursement, err error) {
	if err := verrouiller(ctx, tx, c.AbonneID); err != nil {
		return r, err
	}
	if err := imputer(ctx, tx, c.AbonneID); err != nil {
		return r, err
	}
	credits, err := sources(ctx, tx, c.AbonneID)
	if err != nil {
		return r, err
	}
	var dispo, du int64
	for _, s := range credits {
		dispo += s.reste
	}
	err = tx.QueryRow(ctx, "select coalesce(sum(ttc_centimes - paye_centimes), 0)::bigint from facture where abonne_id = $1 and etat in ('EMISE', 'PARTIELLE')", c.AbonneID).Scan(&du)
	if err != nil {
		return r, err
	}
	if dispo -= du; c.MontantCentimes > dispo {
		return r, function.Invalid("montant_centimes", "credit_insuffisant", "Cet abonné est créditeur de "+message.Euros(max(dispo, 0))+" au plus.",
			"This subscriber is in credit of "+message.Euros(max(dispo, 0))+" at most.")
	}
	id := function.NewID()
	_, err = tx.Exec(ctx, `insert into remboursement (id, abonne_id, montant_centimes, motif, etat, demande_par, demande_nom, demande_a) values ($1, $2, $3, $4, 'DEMANDE', $5, $6, $7)`,
		id, c.AbonneID, c.MontantCentimes, c.Motif, tx.Identity().ID, tx.Identity().Nom, tx.Now)
	if err != nil {
		return r, err
	}
	b, reste := &pgx.Batch{}, c.MontantCentimes
	for _, s := range credits {
		part := min(s.reste, reste)
		if part > 0 {
			b.Queue("insert into lettrage (paiement_id, avoir_id, remboursement_id, montant_centimes, motif, cree_a) values (nullif($1, '')::uuid, nullif($2, '')::uuid, $3, $4, $5, $6)",
				s.paiementID, s.avoirID, id, part, c.Motif, tx.Now)
		}
		reste -= part
	}
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return r, err
	}
	return loadRemboursement(ctx, tx, id)
}

// deciderRemboursement approves or refuses; a refusal frees the credit.
func deciderRemboursement(ctx context.Context, tx *function.Tx, c message.DeciderRemboursement) (message.Remboursement, error) {
	r, err := lockRemboursement(ctx, tx, c.RemboursementID, "DEMANDE")
	if err != nil {
		return r, err
	}
	if r.DemandePar == tx.Identity().ID {
		return r, function.Forbidden("meme_personne", "Une autre personne que celle qui l'a demandé décide d'un remboursement.", "Somebody else than who asked decides on a refund.")
	}
	etat := "APPROUVE"
	if !c.Approuve {
		etat = "REFUSE"
	}
	if _, err := tx.Exec(ctx, "update remboursement set etat = $2, decide_par = $3, decide_nom = $4, decide_a = $5, refus = $6 where id = $1",
		r.ID, etat, tx.Identity().ID, tx.Identity().Nom, tx.Now, c.Motif); err != nil {
		return r, err
	}
	if !c.Approuve {
		if _, err := tx.Exec(ctx, rendre+"where remboursement_id = $1"+parSource, r.ID, c.Motif, tx.Now); err != nil {
			return r, err
		}
	}
	return loadRemboursement(ctx, tx, r.ID)
}

// rendre gives back what sources gave to refunds.
const (
	rendre = `insert into lettrage (paiement_id, avoir_id, remboursement_id, montant_centimes, motif, cree_a)
		select paiement_id, avoir_id, remboursement_id, -sum(montant_centimes), $2, $3 from lettrage `
	parSource = " group by paiement_id, avoir_id, remboursement_id having sum(montant_centimes) <> 0"
)

// reprendreRemboursements ends the refunds that a payment was to pay for; for
// those that were paid already its abonne owes again.
func reprendreRemboursements(ctx context.Context, tx *function.Tx, paiementID, motif string) error {
	b := &pgx.Batch{}
	b.Queue(`update remboursement set etat = 'REFUSE', decide_par = coalesce(decide_par, 'facture'), decide_a = coalesce(decide_a, $3), refus = $2
		where etat in ('DEMANDE', 'APPROUVE') and id in (select remboursement_id from lettrage where paiement_id = $1 group by 1 having sum(montant_centimes) <> 0)`, paiementID, motif, tx.Now)
	b.Queue(rendre+"where remboursement_id in (select r.id from remboursement r join lettrage l on l.remboursement_id = r.id where l.paiement_id = $1 and r.etat = 'REFUSE')"+parSource, paiementID, motif, tx.Now)
	b.Queue(rendre+"where paiement_id = $1 and remboursement_id is not null"+parSource, paiementID, motif, tx.Now)
	return tx.SendBatch(ctx, b).Close()
}

// payerRemboursement books an approved refund that left the bank.
func payerRemboursement(ctx context.Context, tx *function.Tx, c message.PayerRemboursement) (message.Remboursement, error) {
	if c.PayeLe.After(tx.Today()) {
		return message.Remboursement{}, function.Invalid("paye_le", "date_future", "Un remboursement ne peut pas être payé dans le futur.", "A refund cannot be paid in the future.")
	}
	r, err := lockRemboursement(ctx, tx, c.RemboursementID, "APPROUVE")
	if err != nil {
		return r, err
	}
	if _, err := tx.Exec(ctx, "update remboursement set etat = 'PAYE', paye_le = $2, piece = $3 where id = $1", r.ID, c.PayeLe, c.Piece); err != nil {
		return r, err
	}
	err = ecrire(ctx, tx, ecriture{ID: r.ID, Date: c.PayeLe, Piece: c.Piece, Libelle: "Remboursement : " + r.Motif, AbonneID: r.AbonneID,
		Mouvements: []mouvement{{"411", r.MontantCentimes}, {"512", -r.MontantCentimes}}})
	if err != nil {
		return r, err
	}
	return loadRemboursement(ctx, tx, r.ID)
}

const remboursementColumns = `select id, abonne_id, coalesce((select nom from contrat c where c.abonne_id = r.abonne_id order by numero desc limit 1), ''), montant_centimes, motif, etat,
	demande_par, demande_nom, (demande_a at time zone 'Europe/Paris')::date, coalesce(decide_par, ''), decide_nom, refus, paye_le, piece from remboursement r `

func loadRemboursement(ctx context.Context, tx *function.Tx, id string) (message.Remboursement, error) {
	rows, err := tx.Query(ctx, remboursementColumns+"where id = $1", id)
	if err != nil {
		return message.Remboursement{}, err
	}
	r, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[message.Remboursement])
	if errors.Is(err, pgx.ErrNoRows) {
		err = function.NotFound("remboursement_inconnu", "Ce remboursement n'existe pas.", "There is no such refund.")
	}
	return r, err
}

func lockRemboursement(ctx context.Context, tx *function.Tx, id, etat string) (message.Remboursement, error) {
	r, err := loadRemboursement(ctx, tx, id)
	if err != nil {
		return r, err
	}
	if err := verrouiller(ctx, tx, r.AbonneID); err != nil {
		return r, err
	}
	if r, err = loadRemboursement(ctx, tx, id); err == nil && r.Etat != etat {
		err = function.Conflict("remboursement_pas_"+etat, "Ce remboursement est "+r.Etat+", pas "+etat+".", "This refund is "+r.Etat+", not "+etat+".")
	}
	return r, err
}

// remboursements lists refunds, those that wait first.
func remboursements(ctx context.Context, tx *function.Tx, q message.Remboursements) (l message.ListeRemboursements, err error) {
	rows, err := tx.Query(ctx, remboursementColumns+`where ($1 = '' or abonne_id = nullif($1, '')::uuid) and ($2 = '' or etat = $2)
		order by etat not in ('DEMANDE', 'APPROUVE'), demande_a desc limit 200`, q.AbonneID, q.Etat)
	if err != nil {
		return l, err
	}
	l.Items, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.Remboursement])
	return l, err
}
