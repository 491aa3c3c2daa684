package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// lignesMax bounds a file, so that the list of refused lines fits in an answer.
const lignesMax = 20_000

// repris is a line of the file that holds by itself.
type repris struct {
	ligne   int
	contrat message.Contrat // ACTIF, with one pose, without number
}

// The two headers: without the numbers of organisations, and with them.
var (
	colonnes           = strings.Split(message.ColonnesReprise, ";")
	colonnesEntreprise = strings.Split(message.ColonnesReprise+";"+message.ColonnesEntreprise, ";")
)

// lireReprise reads the CSV of a Reprendre: every line becomes a contract or
// a refusal. The error refuses the whole file.
func lireReprise(texte string, today message.Date) (valides []repris, rejets []message.LigneRejetee, err error) {
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(texte, "\ufeff")))
	r.Comma, r.FieldsPerRecord, r.ReuseRecord = ';', -1, true
	entete, err := r.Read()
	var noms []string
	switch {
	case err == nil && slices.Equal(entete, colonnes):
		noms = colonnes
	case err == nil && slices.Equal(entete, colonnesEntreprise):
		noms = colonnesEntreprise
	default:
		return nil, nil, function.Invalid("csv", "entete_invalide",
			"La première ligne doit être exactement : "+message.ColonnesReprise+" (suivi ou non de ;"+message.ColonnesEntreprise+")",
			"The first line must be exactly: "+message.ColonnesReprise+" (followed or not by ;"+message.ColonnesEntreprise+")")
	}
	pdls, series := map[string]int{}, map[string]int{} // first line of each
	for {
		champs, err := r.Read()
		if errors.Is(err, io.EOF) {
			return valides, rejets, nil
		}
		if len(valides)+len(rejets) == lignesMax {
			return nil, nil, function.Invalid("csv", "trop_de_lignes",
				fmt.Sprintf("Un fichier porte au plus %d lignes : partagez-le.", lignesMax), fmt.Sprintf("A file has at most %d lines: split it.", lignesMax))
		}
		var rejet *message.LigneRejetee
		var faute *csv.ParseError
		switch {
		case errors.As(err, &faute):
			rejet = &message.LigneRejetee{Ligne: faute.StartLine, Code: "guillemets",
				Detail: "Les guillemets de cette ligne ne se ferment pas.", DetailEN: "The quotes of this line do not close."}
		case err != nil:
			return nil, nil, err
		default:
			ligne, _ := r.FieldPos(0)
			l := lecteur{ligne: ligne, colonnes: noms, champs: champs}
			c := l.contrat(today)
			l.unique("pdl", pdls)
			l.unique("compteur", series)
			if rejet = l.rejet; rejet == nil {
				valides = append(valides, repris{ligne, c})
			}
		}
		if rejet != nil {
			rejets = append(rejets, *rejet)
		}
	}
}

// lecteur reads the columns of a line, and keeps the first fault.
type lecteur struct {
	ligne            int
	colonnes, champs []string
	rejet            *message.LigneRejetee
}

func (l *lecteur) refuser(champ, code, fr, en string) {
	if l.rejet == nil {
		l.rejet = &message.LigneRejetee{Ligne: l.ligne, Champ: champ, Code: code, Detail: fr, DetailEN: en}
	}
}

// contrat reads the whole line.
func (l *lecteur) contrat(today message.Date) (c message.Contrat) {
	if len(l.champs) != len(l.colonnes) {
		l.refuser("", "colonnes", fmt.Sprintf("%d colonnes au lieu de %d.", len(l.champs), len(l.colonnes)), fmt.Sprintf("%d columns instead of %d.", len(l.champs), len(l.colonnes)))
		return c
	}
	adresse := message.Adresse{Voie: l.texte("voie", 1, 120), CodePostal: l.motif("code_postal", codePostal), Commune: l.texte("commune", 1, 80)}
	c = message.Contrat{
		Nature: l.choix("nature_contrat", "INDIVIDUEL", "COLLECTIF", "RESIDENTIEL", "AGRICOLE", "COMMERCIAL", "INDUSTRIEL"), Etat: actif, Version: 1,
		ModePaiement: l.choix("mode_paiement", "VIREMENT", "PRELEVEMENT", "CHEQUE", "ESPECES", "CARTE"),
		Abonne: message.Abonne{
			Nature: l.choix("nature_abonne", "PERSONNE", "ORGANISATION"), Nom: l.texte("nom", 1, 120), Prenom: l.texte("prenom", 0, 120),
			Email: l.email("email"), Telephone: l.texte("telephone", 0, 20), Adresse: adresse,
		},
		PDL: message.PDL{
			Reference: l.texte("pdl", 1, 40), Adresse: adresse, CodeINSEE: l.motif("code_insee", codeINSEE), Secteur: l.texte("secteur", 0, 40),
			Logements: int(l.entier("logements", 1, 5000)), Habitation: l.ouiNon("habitation"),
			ResidencePrincipale: l.choix("residence_principale", "OUI", "NON", "INCONNU"), Assainissement: l.ouiNon("assainissement"),
		},
	}
	if len(l.colonnes) > len(colonnes) {
		l.identite(&c.Abonne)
	}
	m := message.Compteur{
		Serie: l.texte("compteur", 1, 40), CalibreMM: int(l.parmi("calibre_mm", 15, 20, 25, 30, 40, 50, 60, 65, 80, 100, 125, 150, 200)),
		Roues: int(l.entier("roues", 1, 9)), LitresParUnite: l.parmi("litres_par_unite", 1, 10, 100, 1000, 10000),
		Annee: int(l.entier("annee", 1950, int64(today.Year()))),
	}
	c.ActifDepuis = l.date("debut", today)
	c.DebutSouhaite = c.ActifDepuis
	c.Poses = []message.Pose{{Compteur: m, Du: c.ActifDepuis, IndexDebut: l.entier("index", 0, capacite(m.Roues)-1)}}
	return c
}

var (
	codeINSEE  = regexp.MustCompile(`^[0-9][0-9AB][0-9]{3}$`)
	codePostal = regexp.MustCompile(`^[0-9]{5}$`)
)

// texte reads a column of de to a characters. JSON turned what was not
// UTF-8 into U+FFFD on its way here.
func (l *lecteur) texte(champ string, de, a int) string {
	s := strings.TrimSpace(l.champs[slices.Index(l.colonnes, champ)])
	switch n := utf8.RuneCountInString(s); {
	case n < de:
		l.refuser(champ, "requis", "Cette colonne est obligatoire.", "This column is required.")
	case n > a:
		l.refuser(champ, "trop_long", fmt.Sprintf("Au plus %d caractères.", a), fmt.Sprintf("At most %d characters.", a))
	case strings.ContainsRune(s, utf8.RuneError) || strings.ContainsFunc(s, unicode.IsControl):
		l.refuser(champ, "encodage", "Le fichier doit être en UTF-8, sans caractère de commande.", "The file must be UTF-8, without control characters.")
	}
	return s
}

func (l *lecteur) motif(champ string, m *regexp.Regexp) string {
	s := l.texte(champ, 1, 40)
	if s != "" && !m.MatchString(s) {
		l.refuser(champ, "format", "« "+s+" » n'a pas la forme attendue.", "“"+s+"” has not the form that is expected.")
	}
	return s
}

func (l *lecteur) choix(champ string, valeurs ...string) string {
	s := strings.ToUpper(l.texte(champ, 1, 40))
	if s != "" && !slices.Contains(valeurs, s) {
		l.refuser(champ, "valeur_inconnue", "Valeurs possibles : "+strings.Join(valeurs, " ")+".", "Possible values: "+strings.Join(valeurs, " ")+".")
	}
	return s
}

func (l *lecteur) ouiNon(champ string) bool { return l.choix(champ, "OUI", "NON") == "OUI" }

func (l *lecteur) entier(champ string, de, a int64) int64 {
	n, err := strconv.ParseInt(l.texte(champ, 1, 20), 10, 64)
	if err != nil || n < de || n > a {
		l.refuser(champ, "nombre_invalide", fmt.Sprintf("Un nombre entier de %d à %d.", de, a), fmt.Sprintf("A whole number from %d to %d.", de, a))
		return de
	}
	return n
}

func (l *lecteur) parmi(champ string, valeurs ...int64) int64 {
	n := l.entier(champ, valeurs[0], valeurs[len(valeurs)-1])
	if !slices.Contains(valeurs, n) {
		l.refuser(champ, "valeur_inconnue", "Valeurs possibles : "+strings.Trim(fmt.Sprint(valeurs), "[]")+".", "Possible values: "+strings.Trim(fmt.Sprint(valeurs), "[]")+".")
	}
	return n
}

func (l *lecteur) email(champ string) string {
	s := l.texte(champ, 0, 254)
	if a, err := mail.ParseAddress(s); s != "" && (err != nil || a.Address != s) {
		l.refuser(champ, "email_invalide", "Ce n'est pas une adresse électronique.", "This is not an e-mail address.")
	}
	return s
}

// date reads a day between the oldest meter that we take and today.
func (l *lecteur) date(champ string, today message.Date) message.Date {
	d, err := message.ParseDate(l.texte(champ, 1, 10))
	if err != nil || d.Year() < 1950 || d.After(today) {
		l.refuser(champ, "date_invalide", "Un jour AAAA-MM-JJ, de 1950 à aujourd'hui.", "A day YYYY-MM-DD, from 1950 to today.")
	}
	return d
}

// identite reads the numbers of an organisation.
func (l *lecteur) identite(a *message.Abonne) {
	n, err := identite{l.texte("siren", 0, 20), l.texte("siret", 0, 25), l.texte("numero_tva", 0, 20)}.verifier("", a.Nature)
	var p *message.Problem
	if errors.As(err, &p) {
		l.refuser(p.Errors[0].Field, p.Code, p.Errors[0].Detail, p.Errors[0].DetailEN)
		return
	}
	a.SIREN, a.SIRET, a.NumeroTVA = n.siren, n.siret, n.tva
}

// unique refuses a value that an earlier line of the file has.
func (l *lecteur) unique(champ string, vus map[string]int) {
	if l.rejet != nil {
		return
	}
	s := strings.TrimSpace(l.champs[slices.Index(l.colonnes, champ)])
	if premiere, deja := vus[s]; deja {
		l.refuser(champ, "doublon_fichier", fmt.Sprintf("« %s » est déjà à la ligne %d.", s, premiere), fmt.Sprintf("“%s” is already on line %d.", s, premiere))
		return
	}
	vus[s] = l.ligne
}

// reprendre imports the valid lines, whatever their number, with a constant
// number of statements.
func reprendre(ctx context.Context, tx *function.Tx, cmd message.Reprendre) (message.Reprise, error) {
	lus, rejets, err := lireReprise(cmd.CSV, tx.Today())
	if err != nil {
		return message.Reprise{}, err
	}
	lignes := len(lus) + len(rejets)
	lus, connus, err := separerConnus(ctx, tx, lus)
	if err != nil {
		return message.Reprise{}, err
	}
	rejets = append(rejets, connus...)
	slices.SortFunc(rejets, func(a, b message.LigneRejetee) int { return a.Ligne - b.Ligne })
	if err := numeroter(ctx, tx, lus); err != nil {
		return message.Reprise{}, err
	}
	if err := inserer(ctx, tx, lus); err != nil {
		return message.Reprise{}, err
	}
	for i := range lus {
		c := &lus[i].contrat
		e := active(*c, c.Poses[0])
		e.Reprise = true
		tx.Emit(c.ID, c.Version, e)
	}
	return message.Reprise{Lignes: lignes, Creees: len(lus), Politique: "LIGNES_VALIDES_IMPORTEES", Rejets: append([]message.LigneRejetee{}, rejets...)}, nil
}

// separerConnus refuses the lines whose PDL or meter exists already. Imports
// wait for one another here, so that the second of two sees the first.
func separerConnus(ctx context.Context, tx *function.Tx, lus []repris) (neufs []repris, connus []message.LigneRejetee, err error) {
	references, series := make([]string, len(lus)), make([]string, len(lus))
	for i := range lus {
		references[i], series[i] = lus[i].contrat.PDL.Reference, lus[i].contrat.Poses[0].Compteur.Serie
	}
	var pdls, compteurs []string
	b := &pgx.Batch{}
	b.Queue(`select pg_advisory_xact_lock(hashtext('contrat.reprise'))`)
	b.Queue(`select coalesce(array_agg(reference), '{}') from pdl where reference = any($1)`, references).
		QueryRow(func(row pgx.Row) error { return row.Scan(&pdls) })
	b.Queue(`select coalesce(array_agg(serie), '{}') from compteur where serie = any($1)`, series).
		QueryRow(func(row pgx.Row) error { return row.Scan(&compteurs) })
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return nil, nil, err
	}
	pdlConnu, compteurConnu := ensemble(pdls), ensemble(compteurs)
	for _, r := range lus {
		l := lecteur{ligne: r.ligne}
		if s := r.contrat.PDL.Reference; pdlConnu[s] {
			l.refuser("pdl", "pdl_existant", "Le point « "+s+" » existe déjà.", "Point “"+s+"” exists already.")
		}
		if s := r.contrat.Poses[0].Compteur.Serie; compteurConnu[s] {
			l.refuser("compteur", "compteur_existant", "Le compteur « "+s+" » existe déjà.", "Meter “"+s+"” exists already.")
		}
		if l.rejet != nil {
			connus = append(connus, *l.rejet)
			continue
		}
		neufs = append(neufs, r)
	}
	return neufs, connus, nil
}

func ensemble(valeurs []string) map[string]bool {
	m := make(map[string]bool, len(valeurs))
	for _, v := range valeurs {
		m[v] = true
	}
	return m
}

// numeroter gives ids and numbers, in the order of the file. Series are taken
// in their own order, so that two transactions never wait for each other.
func numeroter(ctx context.Context, tx *function.Tx, lus []repris) error {
	parSerie := map[string][]*message.Contrat{}
	for i := range lus {
		c := &lus[i].contrat
		p := &c.Poses[0]
		c.ID, c.Abonne.ID, c.PDL.ID, p.ID, p.Compteur.ID = function.NewID(), function.NewID(), function.NewID(), function.NewID(), function.NewID()
		p.Compteur.Numero = numeroCompteur(c.PDL.CodeINSEE, message.NouveauCompteur{Serie: p.Compteur.Serie, CalibreMM: p.Compteur.CalibreMM})
		s := serieContrat(c.Nature, c.PDL.CodeINSEE, tx.Today())
		parSerie[s] = append(parSerie[s], c)
	}
	series := make([]string, 0, len(parSerie))
	for s := range parSerie {
		series = append(series, s)
	}
	slices.Sort(series)
	for _, s := range series {
		n, err := reserver(ctx, tx, s, int64(len(parSerie[s])))
		if err != nil {
			return err
		}
		for i, c := range parSerie[s] {
			c.Numero = numeroContrat(s, n+int64(i))
		}
	}
	return nil
}

// inserer copies the rows of all contracts, table by table.
func inserer(ctx context.Context, tx *function.Tx, lus []repris) error {
	par := auteur(tx.Identity())
	for _, t := range []struct {
		table, columns string
		row            func(*message.Contrat) []any
	}{
		{"abonne", "id nature nom prenom email telephone voie complement code_postal commune recherche siren siret numero_tva", func(c *message.Contrat) []any {
			a := &c.Abonne
			return []any{a.ID, a.Nature, a.Nom, a.Prenom, a.Email, a.Telephone, a.Adresse.Voie, a.Adresse.Complement, a.Adresse.CodePostal, a.Adresse.Commune, rechercheAbonne(*a), a.SIREN, a.SIRET, a.NumeroTVA}
		}},
		{"pdl", "id reference voie complement code_postal commune code_insee secteur logements habitation residence_principale assainissement recherche", func(c *message.Contrat) []any {
			p := &c.PDL
			return []any{p.ID, p.Reference, p.Adresse.Voie, p.Adresse.Complement, p.Adresse.CodePostal, p.Adresse.Commune, p.CodeINSEE, p.Secteur,
				p.Logements, p.Habitation, p.ResidencePrincipale, p.Assainissement, recherchePDL(*p)}
		}},
		{"compteur", "id numero serie calibre_mm roues litres_par_unite annee", func(c *message.Contrat) []any {
			m := &c.Poses[0].Compteur
			return []any{m.ID, m.Numero, m.Serie, m.CalibreMM, m.Roues, m.LitresParUnite, m.Annee}
		}},
		{"pose", "id pdl_id compteur_id du index_debut", func(c *message.Contrat) []any {
			p := &c.Poses[0]
			return []any{p.ID, c.PDL.ID, p.Compteur.ID, p.Du.Time(), p.IndexDebut}
		}},
		{"contrat", "id numero nature etat version abonne_id pdl_id debut_souhaite execution_immediate mode_paiement actif_depuis", func(c *message.Contrat) []any {
			return []any{c.ID, c.Numero, c.Nature, c.Etat, c.Version, c.Abonne.ID, c.PDL.ID, c.DebutSouhaite.Time(), false, c.ModePaiement, c.ActifDepuis.Time()}
		}},
		{"journal", "contrat_id instant code texte par_id par", func(c *message.Contrat) []any {
			return []any{c.ID, tx.Now, "REPRIS", "Contrat repris, actif depuis le " + c.ActifDepuis.Francais() + ".", tx.Identity().ID, par}
		}},
	} {
		rows := pgx.CopyFromSlice(len(lus), func(i int) ([]any, error) { return t.row(&lus[i].contrat), nil })
		if _, err := tx.CopyFrom(ctx, pgx.Identifier{t.table}, strings.Fields(t.columns), rows); err != nil {
			return err
		}
	}
	return nil
}
