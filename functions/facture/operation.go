package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/functions/facture/sepa"
	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// operation is a movement that is being booked.
type operation struct {
	id, statut, remise, lot, bout, rum, motif, nom, libelle string
	date                                                    message.Date
	credit, contre                                          bool
	centimes                                                int64
}

// sort is what becomes of a movement.
type sort struct {
	etat, code, detail   string
	abonneID, paiementID string
}

// traiterOperations books the movements of a chunk that were not booked yet,
// in order. One that cannot be is left with its reason; it never stops the others.
func traiterOperations(ctx context.Context, tx *function.Tx, e message.OperationsATraiter) error {
	var nature string
	err := tx.QueryRow(ctx, "select nature from fichier_bancaire where id = $1", e.FichierID).Scan(&nature)
	if err != nil {
		return err
	}
	rows, err := tx.Query(ctx, `select id, statut, remise, lot, bout, rum, motif, nom, libelle, date, credit, contre, montant_centimes from operation_bancaire
		where fichier_id = $1 and rang between $2 and $3 and etat = 'A_TRAITER' order by rang for update`, e.FichierID, e.Du, e.Au)
	if err != nil {
		return err
	}
	todo, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (o operation, err error) {
		err = row.Scan(&o.id, &o.statut, &o.remise, &o.lot, &o.bout, &o.rum, &o.motif, &o.nom, &o.libelle, &o.date, &o.credit, &o.contre, &o.centimes)
		return o, err
	})
	if err != nil {
		return err
	}
	r, err := verrouillerPayeurs(ctx, tx, todo)
	if err != nil {
		return err
	}
	for _, o := range todo {
		var s sort
		if nature == sepa.StatutRemise {
			s, err = traiterStatut(ctx, tx, o)
		} else {
			s, err = traiterMouvement(ctx, tx, r, o)
		}
		if err != nil {
			return fmt.Errorf("operation %s: %w", o.id, err)
		}
		if err := noterOperation(ctx, tx, o.id, s); err != nil {
			return err
		}
	}
	return nil
}

// verrouillerPayeurs locks the abonnes whose money the movements may be,
// before their debits, and reads the rules by which that is found.
func verrouillerPayeurs(ctx context.Context, tx *function.Tx, todo []operation) (r reglesLettrage, err error) {
	var bouts, factures, contrats, abonnes []string
	var ms []mouvementBancaire
	for _, o := range todo {
		bouts = append(bouts, o.bout)
		if !o.credit {
			continue
		}
		m := o.mouvement()
		ms = append(ms, m)
		cites := strings.ToUpper(m.reference)
		factures = append(factures, numeroCite.FindAllString(cites, -1)...)
		contrats = append(contrats, contratCite.FindAllString(cites, -1)...)
	}
	if r, err = reglesActives(ctx, tx, ms...); err != nil {
		return r, err
	}
	rows, err := tx.Query(ctx, `select abonne_id from remise_ligne where bout = any($1)
		union select abonne_id from facture where numero = any($2) union select abonne_id from contrat where numero = any($3)`, bouts, factures, contrats)
	if err != nil {
		return r, err
	}
	if abonnes, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		return r, err
	}
	for _, m := range ms {
		for _, rule := range r.codes {
			if f, ok := r.deMontant(rule, m); ok {
				abonnes = append(abonnes, f.AbonneID)
			}
		}
	}
	return r, verrouiller(ctx, tx, abonnes...)
}

func noterOperation(ctx context.Context, tx *function.Tx, id string, s sort) error {
	_, err := tx.Exec(ctx, "update operation_bancaire set etat = $2, code = $3, detail = $4, abonne_id = $5, paiement_id = $6 where id = $1",
		id, s.etat, s.code, s.detail, null(s.abonneID), null(s.paiementID))
	return err
}

// prelevee is a debit that was sent, its row locked.
type prelevee struct {
	id, etat, abonneID, nom, numero, rum, factureID, echeancierID, paiementID, mandatID, prelevementID, bout string
	centimes                                                                                                 int64
}

func verrouillerPrelevees(ctx context.Context, tx *function.Tx, where string, args ...any) ([]prelevee, error) {
	rows, err := tx.Query(ctx, `select l.id, l.etat, l.abonne_id, l.nom, l.numero, m.rum, coalesce(l.facture_id::text, ''), coalesce(d.echeancier_id::text, ''),
			coalesce(l.paiement_id::text, ''), l.mandat_id, l.prelevement_id, l.bout, l.montant_centimes
		from remise_ligne l join mandat m on m.id = l.mandat_id join prelevement_a_faire d on d.id = l.prelevement_id join remise on remise.id = l.remise_id
		where l.etat in ('TRANSMIS', 'REGLE', 'REJETE') and `+where+` order by l.abonne_id, l.id for update of l`, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (p prelevee, err error) {
		err = row.Scan(&p.id, &p.etat, &p.abonneID, &p.nom, &p.numero, &p.rum, &p.factureID, &p.echeancierID, &p.paiementID, &p.mandatID, &p.prelevementID, &p.bout, &p.centimes)
		return p, err
	})
}

// traiterMouvement books a movement of an account.
func traiterMouvement(ctx context.Context, tx *function.Tx, r reglesLettrage, o operation) (sort, error) {
	switch {
	case o.statut != "BOOK":
		return sort{etat: "IGNOREE", code: "en_attente", detail: "La banque n'a pas encore comptabilisé cette opération."}, nil
	case o.date.After(tx.Today()):
		return sort{etat: "REFUSEE", code: "date_future", detail: "Cette opération est datée du futur."}, nil
	case o.centimes == 0:
		return sort{etat: "IGNOREE", code: "montant_nul", detail: "Cette opération est de zéro euro."}, nil
	case o.credit && (o.motif != "" || o.contre):
		_, err := garder(ctx, tx, o.mouvement())
		return sort{etat: "A_AFFECTER", code: "retour", detail: "Un retour au crédit : la banque revient sur une opération au débit."}, err
	case !o.credit && o.bout == "" && o.motif == "":
		return sort{etat: "IGNOREE", code: "debit", detail: "Un débit sans rapport avec un prélèvement."}, nil
	case !o.credit:
		return traiterRetour(ctx, tx, o)
	}
	if o.bout != "" {
		ps, err := verrouillerPrelevees(ctx, tx, "l.bout = $1", o.bout)
		if err != nil {
			return sort{}, err
		}
		if len(ps) == 1 {
			return encaisserUn(ctx, tx, o, ps[0])
		}
	} else if o.lot != "" || o.remise != "" {
		s, err := encaisserLot(ctx, tx, o)
		if err != nil || s.etat != "" {
			return s, err
		}
	}
	return encaisserVirement(ctx, tx, r, o)
}

// encaisserUn records the payment of a debit that the bank credited by itself.
func encaisserUn(ctx context.Context, tx *function.Tx, o operation, p prelevee) (sort, error) {
	switch {
	case p.centimes != o.centimes:
		return sort{etat: "REFUSEE", code: "montant_different", detail: "Le prélèvement " + p.bout + " était de " + message.Euros(p.centimes) + ", la banque crédite " + message.Euros(o.centimes) + ".", abonneID: p.abonneID}, nil
	case p.etat == "REGLE":
		return sort{etat: "DOUBLON", code: "deja_encaisse", detail: "Le prélèvement " + p.bout + " est déjà encaissé.", abonneID: p.abonneID, paiementID: p.paiementID}, nil
	case p.etat == "REJETE":
		return crediterRejete(ctx, tx, o, p)
	}
	return regler(ctx, tx, p, o.date)
}

// crediterRejete books the credit of a debit that was rejected. It is money,
// unless the account shows that it was taken back, which changed no sum either.
func crediterRejete(ctx context.Context, tx *function.Tx, o operation, p prelevee) (sort, error) {
	var repris bool
	err := tx.QueryRow(ctx, "select $2 = '' and exists (select from operation_bancaire where bout = $1 and etat = 'REJET' and statut = 'BOOK')", p.bout, p.paiementID).Scan(&repris)
	switch {
	case err != nil:
		return sort{}, err
	case repris:
		return sort{etat: "IGNOREE", code: "repris", detail: "La banque crédite le prélèvement " + p.bout + " qu'elle avait déjà repris : les deux s'annulent.", abonneID: p.abonneID}, nil
	}
	_, err = garder(ctx, tx, o.mouvement())
	return sort{etat: "A_AFFECTER", code: "deja_rejete", detail: "Le prélèvement " + p.bout + " avait été rejeté, et la banque le crédite.", abonneID: p.abonneID}, err
}

// regler records the payment of a debit.
func regler(ctx context.Context, tx *function.Tx, p prelevee, recuLe message.Date) (sort, error) {
	s, err := recevoir(ctx, tx, recette{abonneID: p.abonneID, factureID: p.factureID, echeancierID: p.echeancierID, mode: "PRELEVEMENT", montant: p.centimes, recuLe: recuLe, banque: true, reference: p.numero, piece: p.bout})
	if err != nil || s.etat != "ENCAISSEE" {
		return s, err
	}
	b := &pgx.Batch{}
	b.Queue("update remise_ligne set etat = 'REGLE', paiement_id = $2 where id = $1", p.id, s.paiementID)
	b.Queue("update prelevement_a_faire set etat = 'ENCAISSE', paiement_id = $2 where id = $1", p.prelevementID, s.paiementID)
	return s, tx.SendBatch(ctx, b).Close()
}

// recevoir records money, or says why it was refused.
func recevoir(ctx context.Context, tx *function.Tx, r recette) (sort, error) {
	s := sort{etat: "ENCAISSEE", abonneID: r.abonneID}
	refus, err := tx.Try(ctx, func() error {
		p, err := encaisser(ctx, tx, r)
		s.paiementID = p.ID
		return err
	})
	if refus != nil {
		return sort{etat: "REFUSEE", code: refus.Code, detail: refus.Detail, abonneID: r.abonneID}, err
	}
	return s, err
}

// encaisserLot finds the debits that the bank credited in one sum and asks for
// their payments. It answers with no state when the movement is none of a remise.
func encaisserLot(ctx context.Context, tx *function.Tx, o operation) (sort, error) {
	where, args := sqlReference+" = $1", []any{o.remise}
	if o.lot != "" {
		i := strings.LastIndexByte(o.lot, '-')
		if i < 0 {
			return sort{}, nil
		}
		// A lot is named after its remise, its day and its sequence in order of both.
		where, args = sqlReference+` = $1 and (l.date, l.sequence) = (select date, sequence from (
				select date, sequence, row_number() over (order by date, sequence) n from (select distinct date, sequence from remise_ligne x where x.remise_id = remise.id) d) s
			where s.n::text = $2)`, []any{o.lot[:i], o.lot[i+1:]}
	}
	ps, err := verrouillerPrelevees(ctx, tx, where, args...)
	if err != nil || len(ps) == 0 {
		return sort{}, err
	}
	var tout, net int64
	var ids []string
	var regles int
	for _, p := range ps {
		tout += p.centimes
		if p.etat != "REJETE" {
			net += p.centimes
		}
		switch p.etat {
		case "TRANSMIS":
			ids = append(ids, p.id)
		case "REGLE":
			regles++
		}
	}
	switch {
	case o.centimes != net && o.centimes != tout:
		return sort{etat: "REFUSEE", code: "montant_different", detail: fmt.Sprintf("Les prélèvements de cette remise font %s, la banque crédite %s.", message.Euros(net), message.Euros(o.centimes))}, nil
	case len(ids) == 0 && regles > 0:
		return sort{etat: "DOUBLON", code: "deja_encaisse", detail: "Les prélèvements de cette remise sont déjà encaissés."}, nil
	}
	var remiseID string
	if err := tx.QueryRow(ctx, "select remise_id from remise_ligne where id = $1", ps[0].id).Scan(&remiseID); err != nil {
		return sort{}, err
	}
	for some := range slices.Chunk(ids, parTraitement) {
		tx.Emit(remiseID, 0, message.PrelevementsAEncaisser{RemiseID: remiseID, RecuLe: o.date, Prelevements: some})
	}
	return sort{etat: "ENCAISSEE", code: "remise", detail: fmt.Sprintf("%d prélèvement(s) d'une remise.", len(ids))}, nil
}

// encaisserPrelevements records the payments of debits that the bank credited together.
func encaisserPrelevements(ctx context.Context, tx *function.Tx, e message.PrelevementsAEncaisser) error {
	rows, err := tx.Query(ctx, "select abonne_id from remise_ligne where id = any($1)", e.Prelevements)
	if err != nil {
		return err
	}
	abonnes, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	if err := verrouiller(ctx, tx, abonnes...); err != nil {
		return err
	}
	ps, err := verrouillerPrelevees(ctx, tx, "l.id = any($1::uuid[]) and l.etat = 'TRANSMIS'", e.Prelevements)
	if err != nil {
		return err
	}
	for _, p := range ps {
		s, err := regler(ctx, tx, p, e.RecuLe)
		if err != nil {
			return err
		}
		if s.etat != "ENCAISSEE" { // it is parked with this reason, and can be replayed
			return function.Conflict(s.code, p.bout+" : "+s.detail, p.bout+": "+s.code)
		}
	}
	return nil
}

// encaisserVirement gives a transfer to the bill that the payer named; any
// other goes by the rules of affecter, or waits on account 471 for a person.
func encaisserVirement(ctx context.Context, tx *function.Tx, r reglesLettrage, o operation) (sort, error) {
	named := numeroCite.FindAllString(strings.ToUpper(o.bout+" "+o.libelle), -1)
	slices.Sort(named)
	named = slices.Compact(named)
	rows, err := tx.Query(ctx, "select id, abonne_id, numero from facture where numero = any($1) and ttc_centimes > 0 order by echeance, numero", named)
	if err != nil {
		return sort{}, err
	}
	type bill struct{ ID, AbonneID, Numero string }
	bills, err := pgx.CollectRows(rows, pgx.RowToStructByPos[bill])
	switch {
	case err != nil:
		return sort{}, err
	case len(bills) == 0:
		return chercher(ctx, tx, r, o, sort{etat: "A_AFFECTER", code: "a_affecter", detail: "Le payeur n'a pas donné de référence connue."})
	case slices.ContainsFunc(bills, func(b bill) bool { return b.AbonneID != bills[0].AbonneID }):
		return chercher(ctx, tx, r, o, sort{etat: "A_AFFECTER", code: "plusieurs_abonnes", detail: "Le payeur a nommé des factures de plusieurs abonnés."})
	}
	return recevoir(ctx, tx, recette{abonneID: bills[0].AbonneID, factureID: bills[0].ID, mode: "VIREMENT", montant: o.centimes, recuLe: o.date, banque: true, reference: bills[0].Numero})
}

// parOperation is what the mouvement of an encaissement starts with when a
// bank's file told of it; the id of the operation follows.
const parOperation = "operation "

func (o operation) mouvement() mouvementBancaire {
	return mouvementBancaire{id: parOperation + o.id, mode: "VIREMENT", montant: o.centimes, devise: "EUR", recuLe: o.date, reference: strings.TrimSpace(o.bout + " " + o.libelle), nom: o.nom}
}

// chercher finds the owner of a transfer by the rules of affecter; attente is
// what becomes of one that has none yet.
func chercher(ctx context.Context, tx *function.Tx, r reglesLettrage, o operation, attente sort) (sort, error) {
	var trouve bool
	refus, err := tx.Try(ctx, func() (err error) {
		trouve, err = affecter(ctx, tx, r, o.mouvement())
		return err
	})
	switch {
	case refus != nil:
		return sort{etat: "REFUSEE", code: refus.Code, detail: refus.Detail}, err
	case err != nil || !trouve:
		return attente, err
	}
	s := sort{etat: "ENCAISSEE"}
	err = tx.QueryRow(ctx, "select p.abonne_id, p.id from paiement p join encaissement e on e.id = p.encaissement_id where e.mouvement = $1", parOperation+o.id).Scan(&s.abonneID, &s.paiementID)
	if errors.Is(err, pgx.ErrNoRows) {
		s.detail, err = "La banque confirme une remise, comptée quand elle a été faite.", nil
	}
	return s, err
}

// traiterRetour books a debit that the bank took back after it had credited it, or instead.
func traiterRetour(ctx context.Context, tx *function.Tx, o operation) (sort, error) {
	if o.bout == "" {
		return sort{etat: "REFUSEE", code: "rejet_sans_reference", detail: "La banque rejette un prélèvement sans dire lequel."}, nil
	}
	ps, err := verrouillerPrelevees(ctx, tx, "l.bout = $1", o.bout)
	if err != nil {
		return sort{}, err
	}
	if len(ps) == 0 {
		return sort{etat: "REFUSEE", code: "prelevement_inconnu", detail: "Aucun prélèvement de ce service ne porte la référence " + o.bout + "."}, nil
	}
	p := ps[0]
	switch {
	case p.centimes != o.centimes:
		return sort{etat: "REFUSEE", code: "montant_different", detail: "Le prélèvement " + p.bout + " était de " + message.Euros(p.centimes) + ", le rejet est de " + message.Euros(o.centimes) + ".", abonneID: p.abonneID}, nil
	case o.rum != "" && o.rum != p.rum:
		return sort{etat: "REFUSEE", code: "autre_mandat", detail: "Le prélèvement " + p.bout + " n'est pas du mandat " + o.rum + ".", abonneID: p.abonneID}, nil
	case p.etat == "REJETE":
		return sort{etat: "DOUBLON", code: "deja_rejete", detail: "Le rejet du prélèvement " + p.bout + " est déjà connu.", abonneID: p.abonneID}, nil
	}
	return rejeter(ctx, tx, p, o.motif)
}

// traiterStatut books what a pain.002 says: of a debit, of a lot or of the whole remise.
func traiterStatut(ctx context.Context, tx *function.Tx, o operation) (sort, error) {
	if o.statut != "RJCT" {
		return sort{etat: "IGNOREE", code: "statut", detail: "La banque n'a rien rejeté (" + o.statut + ")."}, nil
	}
	if o.bout != "" {
		ps, err := verrouillerPrelevees(ctx, tx, sqlReference+" = $1 and l.bout = $2", o.remise, o.bout)
		switch {
		case err != nil:
			return sort{}, err
		case len(ps) == 0:
			return sort{etat: "REFUSEE", code: "prelevement_inconnu", detail: "Aucun prélèvement de cette remise ne porte la référence " + o.bout + "."}, nil
		case o.centimes != 0 && o.centimes != ps[0].centimes:
			return sort{etat: "REFUSEE", code: "montant_different", detail: "Le prélèvement " + o.bout + " était de " + message.Euros(ps[0].centimes) + ".", abonneID: ps[0].abonneID}, nil
		case ps[0].etat == "REJETE":
			return sort{etat: "DOUBLON", code: "deja_rejete", detail: "Le rejet du prélèvement " + o.bout + " est déjà connu.", abonneID: ps[0].abonneID}, nil
		}
		return rejeter(ctx, tx, ps[0], o.motif)
	}
	where, args := sqlReference+" = $1", []any{o.remise}
	if i := strings.LastIndexByte(o.lot, '-'); i >= 0 {
		where += ` and (l.date, l.sequence) = (select date, sequence from (
				select date, sequence, row_number() over (order by date, sequence) n from (select distinct date, sequence from remise_ligne x where x.remise_id = remise.id) d) s
			where s.n::text = $2)`
		args = append(args, o.lot[i+1:])
	}
	ps, err := verrouillerPrelevees(ctx, tx, where, args...)
	if err != nil {
		return sort{}, err
	}
	n := 0
	for _, p := range ps {
		if p.etat == "REJETE" {
			continue
		}
		if _, err := rejeter(ctx, tx, p, o.motif); err != nil {
			return sort{}, err
		}
		n++
	}
	if n == 0 {
		return sort{etat: "DOUBLON", code: "deja_rejete", detail: "Ces rejets sont déjà connus."}, nil
	}
	return sort{etat: "REJET", code: o.motif, detail: fmt.Sprintf("La banque a rejeté %d prélèvement(s) ensemble.", n)}, nil
}

// rejeter takes a debit back: its payment, when there was one, and its
// mandate, when the code says that it is worth nothing.
func rejeter(ctx context.Context, tx *function.Tx, p prelevee, code string) (sort, error) {
	libelle, action := "Motif inconnu", "RELANCER"
	err := tx.QueryRow(ctx, "select libelle, action from code_rejet where code = $1", code).Scan(&libelle, &action)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return sort{}, err
	}
	if p.etat == "REGLE" {
		if err := rejeterPaiement(ctx, tx, p.paiementID, strings.TrimSpace(code+" "+libelle)); err != nil {
			return sort{}, err
		}
	}
	b := &pgx.Batch{}
	b.Queue("update remise_ligne set etat = 'REJETE', code_rejet = $2, rejete_le = $3 where id = $1", p.id, code, tx.Today())
	b.Queue("update prelevement_a_faire set etat = 'REJETE' where id = $1", p.prelevementID)
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return sort{}, err
	}
	if action == "REVOQUER" {
		m, err := verrouillerMandat(ctx, tx, p.mandatID)
		if err != nil {
			return sort{}, err
		}
		if m.etat == "ACTIF" {
			if err := terminerMandat(ctx, tx, m, "REVOQUE", "Rejet de la banque : "+code+" "+libelle); err != nil {
				return sort{}, err
			}
		}
	}
	tx.Emit(p.id, 0, message.PrelevementRejete{PrelevementID: p.id, AbonneID: p.abonneID, FactureID: p.factureID, Numero: p.numero, MontantCentimes: p.centimes, Code: code, Libelle: libelle, Action: action})
	return sort{etat: "REJET", code: code, detail: libelle + ".", abonneID: p.abonneID, paiementID: p.paiementID}, nil
}

// affecterOperation gives a credit that waits to whom a person says. One that
// waited since before money was booked as it came is booked now.
func affecterOperation(ctx context.Context, tx *function.Tx, c message.AffecterOperation) (out message.OperationBancaire, err error) {
	o := operation{id: c.OperationID}
	var etat, attente string
	err = tx.QueryRow(ctx, `select o.etat, o.date, o.montant_centimes, o.bout, o.libelle, o.nom, coalesce(e.id::text, '')
		from operation_bancaire o left join encaissement e on e.mouvement = $2 || o.id where o.id = $1`, c.OperationID, parOperation).
		Scan(&etat, &o.date, &o.centimes, &o.bout, &o.libelle, &o.nom, &attente)
	if err == nil && etat == "A_AFFECTER" && attente == "" {
		attente, err = garder(ctx, tx, o.mouvement())
	}
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return out, function.NotFound("operation_inconnue", "Cette opération n'existe pas.", "There is no such movement.")
	case err != nil:
		return out, err
	case etat != "A_AFFECTER" || attente == "":
		return out, function.Conflict("operation_pas_a_affecter", "Cette opération n'attend pas d'être affectée.", "This movement does not wait for anybody.")
	}
	if _, err := affecterAttente(ctx, tx, message.AffecterAttente{AttenteID: attente, AbonneID: c.AbonneID, Reference: c.Reference}); err != nil {
		return out, err
	}
	all, err := selectOperations(ctx, tx, "id = $1", c.OperationID)
	if err != nil {
		return out, err
	}
	return all[0], nil
}
