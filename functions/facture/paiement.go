package main

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// recette is money that came in for an abonne.
type recette struct {
	abonneID  string
	factureID string // paid first; may be empty
	mode      string
	montant   int64
	recuLe    message.Date
	reference string // what the payer wrote
	piece     string // what identifies the payment outside; not twice for one abonne
	compte    string // that gives the money; the means' own when empty

	banque         bool   // a bank told of it, see jourOuvert
	enLigne        bool   // a provider holds it, whatever a person typed in by the same piece
	encaissementID string // the bank's movement that it is of
	echeancierID   string // the plan that it is for
}

// enregistrerPaiement records money received, matches it and books it.
func enregistrerPaiement(ctx context.Context, tx *function.Tx, c message.EnregistrerPaiement) (message.Paiement, error) {
	r := recette{abonneID: c.AbonneID, mode: c.Mode, montant: c.MontantCentimes, recuLe: c.RecuLe, reference: c.Reference, piece: c.Piece, echeancierID: c.EcheancierID}
	if err := designer(ctx, tx, &r); err != nil {
		return message.Paiement{}, err
	}
	return encaisser(ctx, tx, r)
}

// designer finds the abonne and the bill that the reference of money names.
func designer(ctx context.Context, tx *function.Tx, r *recette) error {
	if r.reference == "" {
		return nil
	}
	var abonne string
	err := tx.QueryRow(ctx, `select id::text, abonne_id from facture where numero = $1 and ttc_centimes > 0
		union all select '', abonne_id from contrat where numero = $1 limit 1`, r.reference).Scan(&r.factureID, &abonne)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return function.Invalid("reference", "facture_inconnue", "Aucune facture émise ni aucun contrat ne porte ce numéro.", "No issued bill and no contract has this number.")
	case err != nil:
		return err
	case r.abonneID != "" && r.abonneID != abonne:
		return function.Invalid("reference", "facture_d_un_autre", "Cette facture est celle d'un autre abonné.", "This bill is another subscriber's.")
	}
	r.abonneID = abonne
	return nil
}

// encaisser records money of an abonne: it pays their bills in the order of
// ouvertes, what is left is an advance, and it is booked. Money of two
// messages for one abonne is taken in turn, so no bill gets more than it asks.
func encaisser(ctx context.Context, tx *function.Tx, r recette) (p message.Paiement, err error) {
	if r.recuLe.After(tx.Today()) {
		return p, function.Invalid("recu_le", "date_future", "Un paiement ne peut pas être reçu dans le futur.", "A payment cannot be received in the future.")
	}
	if r.echeancierID != "" && r.factureID == "" {
		abonne, facture, err := factureDuPlan(ctx, tx, r.echeancierID)
		if err != nil {
			return p, err
		}
		if r.abonneID != "" && r.abonneID != abonne {
			return p, function.Invalid("echeancier_id", "echeancier_d_un_autre", "Cet échéancier est celui d'un autre abonné.", "This plan is another subscriber's.")
		}
		r.abonneID, r.factureID = abonne, facture
	}
	if err := verrouiller(ctx, tx, r.abonneID); err != nil {
		return p, err
	}
	session, err := auGuichet(ctx, tx, r.mode, r.montant, r.recuLe)
	if err != nil {
		return p, err
	}
	var known, twice bool
	var libelle, tresorerie, entite string
	err = tx.QueryRow(ctx, `select exists (select from contrat where abonne_id = $1) or exists (select from facture where abonne_id = $1),
			exists (select from paiement where abonne_id = $1 and mode = $2 and piece = $3 and $3 <> '' and not exists (select from rejet where paiement_id = id)),
			libelle, compte, coalesce((select entite from facture where id = nullif($4, '')::uuid),
				(select entite from contrat join commune using (code_insee) where abonne_id = $1 order by contrat.numero desc limit 1), 'principale')
		from moyen where code = $2`, r.abonneID, r.mode, r.piece, r.factureID).Scan(&known, &twice, &libelle, &tresorerie, &entite)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return p, function.Invalid("mode", "mode_inconnu", "Ce moyen de paiement n'est pas accepté.", "This means of payment is not accepted.")
	case err != nil:
		return p, err
	case !known:
		return p, function.Invalid("abonne_id", "abonne_inconnu", "Cet abonné n'a pas de contrat.", "This subscriber has no contract.")
	case twice && r.encaissementID == "" && !r.enLigne:
		return p, function.Conflict("paiement_deja_saisi", "Un paiement de cet abonné porte déjà la pièce "+r.piece+".", "A payment of this subscriber has the reference "+r.piece+" already.")
	}
	if r.compte != "" {
		tresorerie = r.compte
	}
	le := r.recuLe
	if r.banque {
		if le, err = jourOuvert(ctx, tx, entite, r.recuLe); err != nil {
			return p, err
		}
	}
	p = message.Paiement{ID: function.NewID(), AbonneID: r.abonneID, Mode: r.mode, MontantCentimes: r.montant, RecuLe: r.recuLe, Reference: r.reference, Piece: r.piece}
	_, err = tx.Exec(ctx, `insert into paiement (id, abonne_id, mode, montant_centimes, recu_le, reference, piece, cree_a, cree_par, session_id, encaissement_id, echeancier_id)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, nullif($10, '')::uuid, nullif($11, '')::uuid, nullif($12, '')::uuid)`,
		p.ID, p.AbonneID, p.Mode, p.MontantCentimes, p.RecuLe, p.Reference, p.Piece, tx.Now, tx.Identity().ID, session, r.encaissementID, r.echeancierID)
	if err != nil {
		return p, err
	}
	bills, err := ouvertes(ctx, tx, r.abonneID, r.factureID)
	if err != nil {
		return p, err
	}
	var matched []lettre
	matched, p.AvanceCentimes = repartir(bills, r.montant, lettre{paiementID: p.ID, le: le})
	if p.Lettrages, err = lettrer(ctx, tx, matched...); err != nil {
		return p, err
	}
	return p, ecrire(ctx, tx, ecriture{ID: p.ID, Entite: entite, Date: le, Piece: p.Reference, Libelle: "Paiement " + libelle, AbonneID: p.AbonneID,
		Mouvements: []mouvement{{tresorerie, p.MontantCentimes}, {"411", -p.MontantCentimes}}})
}

func paiementInconnu() error {
	return function.NotFound("paiement_inconnu", "Ce paiement n'existe pas.", "There is no such payment.")
}

// rejeterUnPaiement takes a payment back on a person's word. Cash of a session
// that is closed was counted: it is paid back as a refund.
func rejeterUnPaiement(ctx context.Context, tx *function.Tx, c message.RejeterPaiement) (message.Paiement, error) {
	var counted bool
	if err := tx.QueryRow(ctx, `select exists (select from paiement p join session_caisse s on s.id = p.session_id
		where p.id = $1 and p.mode = 'ESPECES' and s.fermee_a is not null)`, c.PaiementID).Scan(&counted); err != nil {
		return message.Paiement{}, err
	}
	if counted {
		return message.Paiement{}, function.Conflict("caisse_fermee", "La caisse qui a reçu ces espèces est fermée et comptée : demandez un remboursement.",
			"The cash desk that took this money is closed and counted: ask for a refund.")
	}
	if err := rejeterPaiement(ctx, tx, c.PaiementID, c.Motif); err != nil {
		return message.Paiement{}, err
	}
	return loadPaiement(ctx, tx, c.PaiementID)
}

// rejeterPaiement takes a payment back: a cheque without funds, a debit that
// the bank returned. The bills that it paid are open again, the money leaves
// the account that holds it, and its row stays. A payment that was taken back
// before is left as it is.
func rejeterPaiement(ctx context.Context, tx *function.Tx, paiementID, motif string) error {
	return retirerPaiement(ctx, tx, paiementID, motif, false)
}

// retirerPaiement takes a payment from its abonne: the money is gone, or it waits
// on account 471 for its owner.
func retirerPaiement(ctx context.Context, tx *function.Tx, paiementID, motif string, attend bool) error {
	var e message.PaiementRejete
	var tresorerie, libelle, entite string
	err := tx.QueryRow(ctx, `select p.abonne_id, p.mode, p.montant_centimes, p.reference, m.libelle, e.entite,
			case when exists (select from bordereau_paiement where paiement_id = p.id) then banque else compte end
		from paiement p join moyen m on m.code = p.mode join ecriture e on e.id = p.id where p.id = $1`, paiementID).
		Scan(&e.AbonneID, &e.Mode, &e.MontantCentimes, &e.Reference, &libelle, &entite, &tresorerie)
	if errors.Is(err, pgx.ErrNoRows) {
		return paiementInconnu()
	}
	if err != nil {
		return err
	}
	if attend {
		tresorerie, libelle = "471", libelle+", à identifier"
	}
	if err := verrouiller(ctx, tx, e.AbonneID); err != nil {
		return err
	}
	id := function.NewID()
	tag, err := tx.Exec(ctx, "insert into rejet (paiement_id, le, motif, cree_a, cree_par, en_attente, ecriture_id) values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing",
		paiementID, tx.Today(), motif, tx.Now, tx.Identity().ID, attend, id)
	if err != nil || tag.RowsAffected() == 0 {
		return err
	}
	if err := delettrer(ctx, tx, motif, "paiement_id = $1 and facture_id is not null", paiementID); err != nil {
		return err
	}
	if err := reprendreRemboursements(ctx, tx, paiementID, motif); err != nil {
		return err
	}
	e.PaiementID, e.Motif = paiementID, motif
	tx.Emit(paiementID, 0, e)
	return ecrire(ctx, tx, ecriture{ID: id, Entite: entite, Date: tx.Today(), Piece: e.Reference, Libelle: "Rejet " + libelle + " : " + motif, AbonneID: e.AbonneID,
		Mouvements: []mouvement{{"411", e.MontantCentimes}, {tresorerie, -e.MontantCentimes}}})
}

const paiementColumns = `select p.id, p.abonne_id, p.mode, p.montant_centimes, p.recu_le, p.reference, p.piece, r.le, coalesce(r.motif, ''),
		coalesce((select jsonb_agg(jsonb_build_object('facture_id', f.id, 'numero', f.numero, 'montant_centimes', l.montant, 'etat', f.etat) order by f.rang)
			from (select facture_id, sum(montant_centimes)::bigint montant from lettrage where paiement_id = p.id group by 1 having sum(montant_centimes) <> 0) l
			join facture f on f.id = l.facture_id), '[]'),
		(select coalesce(sum(montant_centimes), 0)::bigint from lettrage where paiement_id = p.id and remboursement_id is not null)
	from paiement p left join rejet r on r.paiement_id = p.id `

func scanPaiement(row pgx.CollectableRow) (p message.Paiement, err error) {
	err = row.Scan(&p.ID, &p.AbonneID, &p.Mode, &p.MontantCentimes, &p.RecuLe, &p.Reference, &p.Piece, &p.RejeteLe, &p.RejetMotif, &p.Lettrages, &p.RembourseCentimes)
	if p.RejeteLe.IsZero() {
		p.AvanceCentimes = p.MontantCentimes - p.RembourseCentimes
		for _, l := range p.Lettrages {
			p.AvanceCentimes -= l.MontantCentimes
		}
	}
	return p, err
}

func loadPaiement(ctx context.Context, tx *function.Tx, id string) (message.Paiement, error) {
	rows, err := tx.Query(ctx, paiementColumns+"where p.id = $1", id)
	if err != nil {
		return message.Paiement{}, err
	}
	p, err := pgx.CollectExactlyOneRow(rows, scanPaiement)
	if errors.Is(err, pgx.ErrNoRows) {
		err = paiementInconnu()
	}
	return p, err
}
