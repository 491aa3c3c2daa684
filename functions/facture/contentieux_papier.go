package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// imprimerContentieux draws a litigation for who pleads it: the debtor, what
// is owed and until when it can be claimed, all that was done, and the list
// of documents, by the numbers that they have beside it.
func (s service) imprimerContentieux(ctx context.Context, tx *function.Tx, q message.ImprimerContentieux) (d message.Document, err error) {
	c, err := loadContentieux(ctx, tx, q.ContentieuxID)
	if err != nil {
		return d, err
	}
	var adresse message.Adresse
	var contrat string
	err = tx.QueryRow(ctx, "select adresse, numero from contrat where abonne_id = $1 order by depuis desc limit 1", c.AbonneID).Scan(&adresse, &contrat)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return d, err
	}
	// Over the bills of one entity it is that entity's.
	var de identite
	err = tx.QueryRow(ctx, "select "+enJSON("$2")+` from entite e where e.code = (select min(f.entite) from dossier_relance d join facture f on f.id = d.facture_id
		where d.contentieux_id = $1 having min(f.entite) = max(f.entite))`, c.ID, tx.Now).Scan(&de)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return d, err
	}
	s = s.comme(de)
	p := papier("Dossier de contentieux "+c.Nom, s.Nom, tx.Today().Time())
	t := feuilles{page: p, s: s, pied: "Contentieux " + c.Nom}
	t.ouvrir()
	p.at(left, 34, width, 9, "Dossier de contentieux", "L", true, 19, deep)
	t.y = 46
	for _, fact := range [][2]string{
		{"Débiteur", c.Nom}, {"Adresse", joined(", ", lignesAdresse(adresse)...)}, {"Contrat", contrat},
		{"Ouvert le", c.OuvertLe.Francais()}, {"Motif", c.Motif}, {"Issue", joined(" : ", jourDit(c.ClosLe), c.Issue)},
		{"Reste dû", message.Euros(c.ResteCentimes)}, {"Prescription", jourDit(c.PrescriptionLe)}, {"État au", tx.Today().Francais()},
	} {
		if fact[1] != "" {
			t.ligne([]colonne{{0, 38, "L", fact[0], grey}, {38, width - 38, "L", fact[1], ink}})
		}
	}

	t.titre("Factures réclamées")
	t.ligne([]colonne{{0, 40, "L", "Facture", grey}, {40, 30, "L", "Datée du", grey}, {70, 30, "L", "Due le", grey}, {100, 38, "L", "Prescrite le", grey}, {138, 40, "R", "Reste dû", grey}})
	for _, f := range c.Dossiers {
		t.ligne([]colonne{{0, 40, "L", f.Numero, ink}, {40, 30, "L", f.DateFacturation.Francais(), ink}, {70, 30, "L", f.Echeance.Francais(), ink},
			{100, 38, "L", f.PrescriptionLe.Francais(), ink}, {138, 40, "R", message.Euros(f.ResteCentimes), ink}})
	}

	t.titre("Relances et décisions")
	for _, e := range c.Evenements {
		t.ligne([]colonne{{0, 24, "L", message.DateOf(e.Le).Francais(), grey}, {24, 34, "L", e.Numero, grey}, {58, width - 58, "L", joined(" : ", evenements[e.Code], e.Detail), ink}})
	}

	t.titre("Actes")
	piece := 0
	for _, a := range c.Actes {
		text := a.Libelle
		if a.Interrompt {
			text += " (interrompt la prescription)"
		}
		text += " : " + a.Detail
		if a.DocumentNom != "" {
			piece++
			text += fmt.Sprintf(" — pièce n° %d, %s", piece, a.DocumentNom)
		}
		t.ligne([]colonne{{0, 24, "L", a.Le.Francais(), grey}, {24, width - 24, "L", text, ink}})
	}
	if len(c.Actes) == 0 {
		t.ligne([]colonne{{0, width, "L", "Aucun acte.", grey}})
	}
	p.pied(s, t.pied)
	pdf, err := p.archive(nil)
	return message.Document{ID: c.ID, Nom: "contentieux-" + c.ID[len(c.ID)-6:] + ".pdf", Mime: "application/pdf", Contenu: pdf}, err
}

// jourDit is a day, or nothing when there is none.
func jourDit(d message.Date) string {
	if d.IsZero() {
		return ""
	}
	return d.Francais()
}

// evenements are the codes of a file's history as one says them.
var evenements = map[string]string{
	"OUVERT": "Facture en retard", "LETTRE": "Lettre", "LETTRE_PARTIE": "Lettre partie", "A_TRANSMETTRE": "Relances épuisées", "SUSPENDU": "Relances suspendues", "REPRIS": "Relances reprises",
	"CONTENTIEUX": "Passée au contentieux", "CONTENTIEUX_CLOS": "Contentieux clos", "MAJORE": "Part d'assainissement majorée", "PENALISE": "Pénalités de retard demandées",
	"NON_VALEUR_PROPOSEE": "Non-valeur proposée", "NON_VALEUR_REFUSEE": "Non-valeur refusée", "NON_VALEUR_ADMISE": "Admise en non-valeur", "CLOS": "Plus rien n'est dû", "ROUVERT": "Due à nouveau",
}

// feuilles writes lines of columns down pages, and goes on with the next one when one is full.
type feuilles struct {
	*page
	s    service
	pied string
	y    float64
}

// colonne is a text at an offset from the left margin, in a width.
type colonne struct {
	x, w  float64
	align string
	text  string
	c     colour
}

func (t *feuilles) ouvrir() {
	t.feuille(t.s)
	t.y = 36
}

// ligne writes columns beside each other; the last may take several rows.
func (t *feuilles) ligne(columns []colonne) {
	const size, h = 9.2, 5.0
	last := columns[len(columns)-1]
	rows := max(1, t.lines(last.w, last.text, false, size))
	if t.y+h*float64(min(rows, 8)) > bottom {
		t.page.pied(t.s, t.pied)
		t.ouvrir()
	}
	for _, c := range columns[:len(columns)-1] {
		t.at(left+c.x, t.y, c.w, h, c.text, c.align, false, size, c.c)
	}
	if rows == 1 {
		t.at(left+last.x, t.y, last.w, h, last.text, last.align, false, size, last.c)
		t.y += h + 0.8
		return
	}
	t.pen(false, size, last.c)
	for _, row := range t.SplitLines([]byte(latin(last.text)), last.w) {
		if t.y+h > bottom {
			t.page.pied(t.s, t.pied)
			t.ouvrir()
			t.pen(false, size, last.c)
		}
		t.SetXY(left+last.x, t.y)
		t.CellFormat(last.w, h, string(row), "", 0, last.align, false, 0, "")
		t.y += h
	}
	t.y += 0.8
}

// titre opens a part.
func (t *feuilles) titre(text string) {
	if t.y+24 > bottom {
		t.page.pied(t.s, t.pied)
		t.ouvrir()
	}
	t.y = t.section(left, t.y+5, width, text) + 1
}
