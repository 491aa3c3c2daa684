package main

import (
	"cmp"
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// mouvementBancaire is money that a bank's statement shows as received.
type mouvementBancaire struct {
	id        string // the bank's own; a movement is taken once
	mode      string // a code of moyen
	montant   int64
	devise    string
	recuLe    message.Date
	reference string // all that the payer wrote, end-to-end id included
	nom       string // of the payer
}

var (
	numeroCite    = regexp.MustCompile(`\b(?:[A-Z0-9]{1,6}-)?F20[0-9]{2}-[0-9]{6,}\b`)
	contratCite   = regexp.MustCompile(`C-[A-Z]-[0-9A-Z]+-[0-9]{2}-[0-9]+`)
	bordereauCite = regexp.MustCompile(`REM-[0-9]{6}`)
)

// affecter books money that reached the bank and finds whose it is, by the
// rules that are active, in their order. What nobody is found for waits on
// account 471 until a person says; a remise that the bank confirms was booked
// when it was made. A movement that was taken before changes nothing. It
// tells whether the money found its owner.
func affecter(ctx context.Context, tx *function.Tx, r reglesLettrage, m mouvementBancaire) (trouve bool, err error) {
	switch {
	case m.devise != "EUR":
		return false, function.Refused("devise", "Le mouvement "+m.id+" n'est pas en euros.", "Movement "+m.id+" is not in euros.")
	case m.montant <= 0:
		return false, function.Refused("montant", "Le mouvement "+m.id+" n'est pas une recette.", "Movement "+m.id+" is not money received.")
	case m.recuLe.After(tx.Today()):
		return false, function.Refused("date_future", "Le mouvement "+m.id+" est daté du futur.", "Movement "+m.id+" is dated in the future.")
	}
	if found := bordereauCite.FindString(m.reference); found != "" {
		tag, err := tx.Exec(ctx, `insert into bordereau_credite (bordereau_id, mouvement, le)
			select id, $2, $3 from bordereau where 'REM-' || lpad(rang::text, 6, '0') = $1 and montant_centimes = $4 on conflict do nothing`, found, m.id, m.recuLe, m.montant)
		if err != nil || tag.RowsAffected() == 1 {
			return true, err
		}
	}
	id, err := inscrire(ctx, tx, m)
	if err == nil && id == "" {
		err = tx.QueryRow(ctx, "select not exists (select from attente where mouvement = $1)", m.id).Scan(&trouve)
	}
	if err != nil || id == "" {
		return trouve, err
	}
	abonne, facture, err := proprietaire(ctx, tx, r, m)
	if err != nil {
		return false, err
	}
	if abonne == "" {
		return false, attendre(ctx, tx, id, m)
	}
	_, err = encaisser(ctx, tx, recette{abonneID: abonne, factureID: facture, mode: m.mode, montant: m.montant, recuLe: m.recuLe,
		reference: m.reference, piece: m.id, banque: true, encaissementID: id})
	return true, err
}

// inscrire takes a movement; the id is empty when it was taken before.
func inscrire(ctx context.Context, tx *function.Tx, m mouvementBancaire) (id string, err error) {
	err = tx.QueryRow(ctx, `insert into encaissement (id, mouvement, mode, montant_centimes, recu_le, libelle, nom, cree_a)
		select $1, $2, $3, $4, $5, $6, $7, $8 where not exists (select from bordereau_credite where mouvement = $2) on conflict (mouvement) do nothing returning id`,
		function.NewID(), m.id, m.mode, m.montant, m.recuLe, m.reference, m.nom, tx.Now).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		err = nil
	}
	return id, err
}

// attendre books a movement that was taken on account 471, where it waits for
// a person to say whose it is.
func attendre(ctx context.Context, tx *function.Tx, id string, m mouvementBancaire) error {
	le, err := jourOuvert(ctx, tx, "principale", m.recuLe)
	if err != nil {
		return err
	}
	return ecrire(ctx, tx, ecriture{ID: id, Date: le, Piece: m.id, Libelle: "À identifier : " + m.nom,
		Mouvements: []mouvement{{"512", m.montant}, {"471", -m.montant}}})
}

// garder takes a movement that waits whatever the rules of affecter would say.
func garder(ctx context.Context, tx *function.Tx, m mouvementBancaire) (id string, err error) {
	if id, err = inscrire(ctx, tx, m); err == nil && id != "" {
		err = attendre(ctx, tx, id, m)
	}
	return id, err
}

// reglesLettrage are the rules that are active, in their order, with the open
// bills of the amounts that they are asked about: these are read once for many
// movements, since no index leads to them.
type reglesLettrage struct {
	codes    []string
	ouvertes map[int64][]message.Proposition
}

func reglesActives(ctx context.Context, tx *function.Tx, ms ...mouvementBancaire) (r reglesLettrage, err error) {
	rows, err := tx.Query(ctx, "select code from regle_lettrage where active order by rang")
	if err != nil {
		return r, err
	}
	if r.codes, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil || !slices.Contains(r.codes, "MONTANT_NOM") && !slices.Contains(r.codes, "MONTANT") {
		return r, err
	}
	montants := make([]int64, len(ms))
	for i, m := range ms {
		montants[i] = m.montant
	}
	r.ouvertes, err = ouvertesDe(ctx, tx, montants)
	return r, err
}

// deMontant is the only bill that a rule finds by the amount of a movement.
func (r reglesLettrage) deMontant(rule string, m mouvementBancaire) (f message.Proposition, ok bool) {
	var found []message.Proposition
	switch rule {
	case "MONTANT":
		found = r.ouvertes[m.montant]
	case "MONTANT_NOM":
		found = portant(r.ouvertes[m.montant], m.nom)
	}
	if len(found) != 1 {
		return f, false
	}
	return found[0], true
}

// proprietaire finds whose money it is: the first active rule that names
// exactly one abonne.
func proprietaire(ctx context.Context, tx *function.Tx, r reglesLettrage, m mouvementBancaire) (abonneID, factureID string, err error) {
	cites := strings.ToUpper(m.reference)
	for _, rule := range r.codes {
		var sql string
		var args []any
		switch rule {
		case "FACTURE":
			sql, args = "select abonne_id, id::text from facture where numero = any($1) and ttc_centimes > 0 order by etat not in ('EMISE', 'PARTIELLE'), echeance", []any{numeroCite.FindAllString(cites, 10)}
		case "CONTRAT":
			sql, args = "select abonne_id, '' from contrat where numero = any($1)", []any{contratCite.FindAllString(cites, 10)}
		case "MONTANT_NOM", "MONTANT":
			f, ok := r.deMontant(rule, m)
			if !ok {
				continue
			}
			// A movement that was booked since the bills were read may have paid it.
			sql, args = "select abonne_id, id::text from facture where id = $1 and etat in ('EMISE', 'PARTIELLE') and ttc_centimes - paye_centimes = $2", []any{f.FactureID, m.montant}
		}
		rows, err := tx.Query(ctx, sql, args...)
		if err != nil {
			return "", "", err
		}
		found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p message.Proposition, err error) {
			err = row.Scan(&p.AbonneID, &p.FactureID)
			return p, err
		})
		if err != nil {
			return "", "", err
		}
		if one(found) {
			return found[0].AbonneID, found[0].FactureID, nil
		}
	}
	return "", "", nil
}

// one tells that all that was found is one abonne's.
func one(found []message.Proposition) bool {
	for _, p := range found {
		if p.AbonneID != found[0].AbonneID {
			return false
		}
	}
	return len(found) > 0
}

// ouvertesDe are the open bills of exactly some amounts, the oldest 50 of each.
func ouvertesDe(ctx context.Context, tx *function.Tx, montants []int64) (map[int64][]message.Proposition, error) {
	if len(montants) == 0 {
		return nil, nil
	}
	rows, err := tx.Query(ctx, `select id, numero, abonne_id, nom, reste, 'MONTANT' from (
			select id, numero, abonne_id, nom, echeance, ttc_centimes - paye_centimes reste, row_number() over (partition by ttc_centimes - paye_centimes order by echeance, id) n
			from facture where etat in ('EMISE', 'PARTIELLE') and ttc_centimes - paye_centimes = any($1)) f
		where n <= 50 order by echeance, id`, montants)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[message.Proposition])
	of := map[int64][]message.Proposition{}
	for _, p := range found {
		of[p.ResteCentimes] = append(of[p.ResteCentimes], p)
	}
	return of, err
}

// portant keeps the bills whose abonne's name stands in the payer's, word by
// word, whatever the order and the accents.
func portant(all []message.Proposition, nom string) (out []message.Proposition) {
	words := map[string]bool{}
	for _, w := range motsDuNom(nom) {
		words[w] = true
	}
	for _, p := range all {
		own := motsDuNom(p.Nom)
		ok := len(own) > 0
		for _, w := range own {
			ok = ok && words[w]
		}
		if ok {
			p.Raison = "MONTANT_NOM"
			out = append(out, p)
		}
	}
	return out
}

var sansAccent = strings.NewReplacer("À", "A", "Â", "A", "Ä", "A", "Ç", "C", "É", "E", "È", "E", "Ê", "E", "Ë", "E", "Î", "I", "Ï", "I",
	"Ô", "O", "Ö", "O", "Ù", "U", "Û", "U", "Ü", "U", "Ÿ", "Y", "Œ", "OE", "Æ", "AE", "-", " ", "'", " ", "’", " ")

// motsDuNom are the words of a name, titles left out.
func motsDuNom(nom string) (out []string) {
	for _, w := range strings.Fields(sansAccent.Replace(strings.ToUpper(nom))) {
		switch w {
		case "M", "MR", "MME", "MLLE", "M.", "MONSIEUR", "MADAME", "OU", "ET":
		default:
			out = append(out, w)
		}
	}
	return out
}

// aRapprocher reads the money that no bill has been found for, and what the
// payment provider told in vain.
func aRapprocher(ctx context.Context, tx *function.Tx, _ message.ARapprocher) (r message.Rapprochement, err error) {
	rows, err := tx.Query(ctx, `select id, mode, montant_centimes, reste_centimes, recu_le, libelle, nom, null from attente order by recu_le, id limit 200`)
	if err != nil {
		return r, err
	}
	if r.Attentes, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.Attente]); err != nil {
		return r, err
	}
	montants := make([]int64, len(r.Attentes))
	for i, a := range r.Attentes {
		montants[i] = a.ResteCentimes
	}
	of, err := ouvertesDe(ctx, tx, montants)
	if err != nil {
		return r, err
	}
	for i := range r.Attentes {
		a := &r.Attentes[i]
		found := of[a.ResteCentimes]
		named := portant(found, a.Nom)
		if len(named) == 0 {
			named = found
		}
		a.Propositions = named[:min(5, len(named))]
	}
	rows, err = tx.Query(ctx, `select coalesce(c.paiement_id::text, ''), coalesce(c.avoir_id::text, ''), c.abonne_id, coalesce((select nom from contrat k where k.abonne_id = c.abonne_id order by numero desc limit 1), ''), c.date, c.reste_centimes,
			coalesce((select jsonb_agg(jsonb_build_object('facture_id', f.id, 'numero', f.numero, 'abonne_id', f.abonne_id, 'nom', f.nom, 'reste_centimes', f.ttc_centimes - f.paye_centimes) order by f.echeance)
				from facture f where f.abonne_id = c.abonne_id and f.etat in ('EMISE', 'PARTIELLE')), '[]')
		from credit c order by c.date, 1, 2 limit 200`)
	if err != nil {
		return r, err
	}
	if r.Avances, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.Avance]); err != nil {
		return r, err
	}
	rows, err = tx.Query(ctx, "select code, libelle, active from regle_lettrage order by rang")
	if err != nil {
		return r, err
	}
	if r.Regles, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.RegleLettrage]); err != nil {
		return r, err
	}
	r.Refusees, err = notificationsRefusees(ctx, tx, "true")
	return r, err
}

// reglerLettrage turns a rule on or off.
func reglerLettrage(ctx context.Context, tx *function.Tx, c message.ReglerLettrage) (r message.RegleLettrage, err error) {
	err = tx.QueryRow(ctx, "update regle_lettrage set active = $2 where code = $1 returning code, libelle, active", c.Code, c.Active).Scan(&r.Code, &r.Libelle, &r.Active)
	if errors.Is(err, pgx.ErrNoRows) {
		err = function.NotFound("regle_inconnue", "Cette règle n'existe plus.", "This rule is no more.")
	}
	return r, err
}

// affecterAttente gives money that waited to its owner, or a part of it.
func affecterAttente(ctx context.Context, tx *function.Tx, c message.AffecterAttente) (message.Paiement, error) {
	if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock(hashtextextended('encaissement ' || $1::text, 0))", c.AttenteID); err != nil {
		return message.Paiement{}, err
	}
	r := recette{banque: true, encaissementID: c.AttenteID, compte: "471", reference: c.Reference, abonneID: c.AbonneID}
	var reste int64
	err := tx.QueryRow(ctx, "select mode, reste_centimes, recu_le, mouvement from attente where id = $1", c.AttenteID).Scan(&r.mode, &reste, &r.recuLe, &r.piece)
	if errors.Is(err, pgx.ErrNoRows) {
		return message.Paiement{}, function.NotFound("attente_inconnue", "Cette somme n'attend pas, ou n'attend plus, son propriétaire.", "This money does not wait for its owner, or not any more.")
	}
	if err != nil {
		return message.Paiement{}, err
	}
	if r.montant = c.MontantCentimes; r.montant == 0 {
		r.montant = reste
	}
	if r.montant > reste {
		return message.Paiement{}, function.Invalid("montant_centimes", "montant_excessif", "Il reste "+message.Euros(reste)+" à affecter.", message.Euros(reste)+" are left.")
	}
	if err := designer(ctx, tx, &r); err != nil {
		return message.Paiement{}, err
	}
	p, err := encaisser(ctx, tx, r)
	if id, ok := strings.CutPrefix(r.piece, parOperation); ok && err == nil && r.montant == reste {
		err = noterOperation(ctx, tx, id, sort{"ENCAISSEE", "affectee", "Affectée par une personne.", p.AbonneID, p.ID})
	}
	return p, err
}

// desaffecterPaiement takes a payment from an abonne whose money it was not.
func desaffecterPaiement(ctx context.Context, tx *function.Tx, c message.DesaffecterPaiement) (message.Paiement, error) {
	p, err := lockPaiement(ctx, tx, c.PaiementID)
	if err != nil {
		return p, err
	}
	if p.Mode == "ESPECES" {
		return p, function.Refused("especes", "Des espèces ont un payeur connu : reprenez le paiement à la caisse.", "Cash has a payer who is known: take the payment back at the desk.")
	}
	// Money that was typed in by hand waits from now on like a bank's.
	if _, err := tx.Exec(ctx, `insert into encaissement (id, mouvement, mode, montant_centimes, recu_le, libelle, nom, cree_a)
		select $2, 'paiement ' || id, mode, montant_centimes, recu_le, reference, $3, $4 from paiement where id = $1 and encaissement_id is null`,
		p.ID, function.NewID(), c.Motif, tx.Now); err != nil {
		return p, err
	}
	if err := retirerPaiement(ctx, tx, p.ID, c.Motif, true); err != nil {
		return p, err
	}
	return loadPaiement(ctx, tx, p.ID)
}

// enregistrerEncaissement takes one movement of the bank on a person's word.
func enregistrerEncaissement(ctx context.Context, tx *function.Tx, c message.EnregistrerEncaissement) (e message.Encaissement, err error) {
	m := mouvementBancaire{id: c.Mouvement, mode: cmp.Or(c.Mode, "VIREMENT"), montant: c.MontantCentimes, devise: c.Devise, recuLe: c.RecuLe, reference: c.Libelle, nom: c.Nom}
	r, err := reglesActives(ctx, tx, m)
	if err != nil {
		return e, err
	}
	e.Identifie, err = affecter(ctx, tx, r, m)
	return e, err
}
