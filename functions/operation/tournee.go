package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// importer takes a reading round in: valid lines are imported, the others
// listed. All meters of the round are read at once and written at once.
func importer(ctx context.Context, tx *function.Tx, c message.ImporterReleves) (message.Tournee, error) {
	t := message.Tournee{ID: function.NewID(), Libelle: c.Libelle, ImporteeA: tx.Now, Politique: "LIGNES_VALIDES_IMPORTEES"}
	lignes, rejets, err := lireCSV(c.CSV, tx.Today())
	if err != nil {
		return t, err
	}
	t.Lignes = len(lignes) + len(rejets)
	pdls := make([]string, len(lignes))
	for i, l := range lignes {
		pdls[i] = l.pdl
	}
	slices.Sort(pdls)
	dossiers, err := charger(ctx, tx, slices.Compact(pdls))
	if err != nil {
		return t, err
	}
	// A file may hold several days of a meter: they are taken in order.
	slices.SortStableFunc(lignes, func(a, b ligne) int { return a.Date.DaysSince(b.Date) })
	nouveaux := make([]*nouveau, 0, len(lignes))
	for _, l := range lignes {
		n, err := l.decider(dossiers)
		if err != nil {
			rejets = append(rejets, rejet(l.numero, err))
			continue
		}
		n.tourneeID = &t.ID
		nouveaux = append(nouveaux, n)
		switch n.Etat {
		case "VALIDEE":
			t.Valides++
		case "ESTIMEE":
			t.Estimees++
		case "SUSPECTE":
			t.Suspectes++
		}
	}
	t.EnAttente = t.Suspectes
	slices.SortFunc(rejets, func(a, b message.LigneRejetee) int { return cmp.Compare(a.Ligne, b.Ligne) })
	t.Rejets = rejets
	if _, err := tx.Exec(ctx, `insert into tournee (id, libelle, importee_a, lignes, valides, estimees, suspectes, rejets) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
		t.ID, t.Libelle, t.ImporteeA, t.Lignes, t.Valides, t.Estimees, t.Suspectes, t.Rejets); err != nil {
		return t, err
	}
	if err := ecrire(ctx, tx, nouveaux); err != nil {
		return t, err
	}
	annoncer(tx, t.ID, t.ID, nouveaux)
	return t, nil
}

// ligne is a well-formed line of a round.
type ligne struct {
	numero        int
	pdl, compteur string
	lecture
}

// decider holds a line against the file of its PDL and notes the outcome there.
func (l ligne) decider(dossiers map[string]*dossier) (*nouveau, error) {
	d := dossiers[l.pdl]
	if d == nil {
		return nil, function.Invalid("pdl", "pdl_inconnu", "Aucun contrat actif n'est connu à ce PDL.", "No active contract is known at this PDL.")
	}
	p, err := d.poseDe(l.compteur, l.Date)
	if err != nil {
		return nil, err
	}
	v, err := d.recevoir(p, l.lecture)
	if err != nil {
		return nil, err
	}
	v.ID = function.NewID()
	p.noter(v)
	source := l.Source
	if v.Etat == "ESTIMEE" {
		source = "ESTIMATION"
	}
	return &nouveau{verdict: v, pose: p, source: source}, nil
}

// lireCSV splits a round into its well-formed lines and the others. A file
// without the right header or without a line is refused as a whole.
func lireCSV(content string, today message.Date) (lignes []ligne, rejets []message.LigneRejetee, err error) {
	rejets = []message.LigneRejetee{}
	numero, header := 0, false
	for text := range strings.Lines(strings.TrimPrefix(content, "\ufeff")) {
		numero++
		text = strings.TrimSpace(text)
		switch {
		case text == "":
		case !header:
			if text != message.ColonnesReleves {
				return nil, nil, function.Invalid("csv", "entete_invalide",
					"La première ligne doit être : "+message.ColonnesReleves, "The first line must be: "+message.ColonnesReleves)
			}
			header = true
		default:
			l, err := lireLigne(text, today)
			if err != nil {
				rejets = append(rejets, rejet(numero, err))
				continue
			}
			l.numero = numero
			lignes = append(lignes, l)
		}
	}
	if len(lignes)+len(rejets) == 0 {
		return nil, nil, function.Invalid("csv", "fichier_vide", "Le fichier ne contient aucun relevé.", "The file holds no reading.")
	}
	return lignes, rejets, nil
}

// lireLigne reads one line. Lines are read one by one, so that a stray quote
// never swallows the rest of the file.
func lireLigne(text string, today message.Date) (l ligne, err error) {
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.TrimLeadingSpace = ';', true
	f, err := r.Read()
	if err != nil || len(f) != 5 {
		return l, function.Invalid("", "colonnes", "Cinq colonnes séparées par des points-virgules sont attendues : "+message.ColonnesReleves,
			"Five columns separated by semicolons are expected: "+message.ColonnesReleves)
	}
	for i := range f {
		f[i] = strings.TrimSpace(f[i])
	}
	l.pdl, l.compteur, l.Source = f[0], f[1], f[4]
	for i, champ := range []string{"pdl", "compteur"} {
		if f[i] == "" || len(f[i]) > 40 || strings.ContainsFunc(f[i], unicode.IsControl) {
			return l, function.Invalid(champ, champ+"_invalide", "Une référence de 1 à 40 caractères est attendue.", "A reference of 1 to 40 characters is expected.")
		}
	}
	if l.Date, err = message.ParseDate(f[2]); err != nil {
		return l, function.Invalid("date", "date_invalide", "La date n'est pas un jour AAAA-MM-JJ du calendrier.", "The date is not a calendar day YYYY-MM-DD.")
	}
	if l.Date.After(today) {
		return l, function.Invalid("date", "date_future", "La date est dans le futur.", "The date is in the future.")
	}
	switch l.Source {
	case "ABSENCE":
		if f[3] != "" {
			return l, function.Invalid("index", "index_en_trop", "Une absence n'a pas d'index.", "An absence has no index.")
		}
		return l, nil
	case "AGENT", "ABONNE", "TELERELEVE":
	default:
		return l, function.Invalid("source", "source_inconnue", "Valeurs possibles : AGENT, ABONNE, TELERELEVE, ABSENCE.", "Possible values: AGENT, ABONNE, TELERELEVE, ABSENCE.")
	}
	index, err := strconv.ParseUint(f[3], 10, 31) // nine digits at most, see pose.Roues
	if err != nil {
		return l, function.Invalid("index", "index_invalide", "L'index est un nombre entier de 9 chiffres au plus, sans décimale.", "The index is a whole number of at most 9 digits, without decimals.")
	}
	l.Index = int64(index)
	return l, nil
}

// rejet is a refusal as a line of the answer.
func rejet(numero int, err error) message.LigneRejetee {
	var p *message.Problem
	if !errors.As(err, &p) {
		panic(fmt.Sprintf("line %d: %v is not a refusal", numero, err)) // the rules return nothing else
	}
	return message.LigneRejetee{Ligne: numero, Champ: p.Errors[0].Field, Code: p.Code, Detail: p.Detail, DetailEN: p.DetailEN}
}
