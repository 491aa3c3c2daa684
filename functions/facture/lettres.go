package main

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// imprimerLettres draws letters one after the other, each on sheets of its
// own: bills and avoirs as always, others from their text.
func (s service) imprimerLettres(ctx context.Context, tx *function.Tx, q message.ImprimerLettres) (d message.Document, err error) {
	var ids []string
	for _, l := range q.Lettres {
		if l.FactureID != "" {
			ids = append(ids, l.FactureID)
		}
	}
	bills := map[string]imprimee{}
	if len(ids) > 0 {
		found, err := selectFactures(ctx, tx, "id = any($1::uuid[]) and numero is not null", ids)
		if err != nil {
			return d, err
		}
		drawn, err := imprimer(ctx, tx, found)
		if err != nil {
			return d, err
		}
		for _, f := range drawn {
			bills[f.ID] = f
		}
	}
	de, err := s.expediteurs(ctx, tx, q.Lettres)
	if err != nil {
		return d, err
	}
	p := papier(q.Titre, s.Nom, tx.Today().Time())
	for _, l := range q.Lettres {
		f, known := bills[l.FactureID]
		switch {
		case known:
			s.de(f).tirer(p, f)
		case l.FactureID != "":
			return d, factureInconnue()
		default:
			s.comme(de[l.Reference]).courrier(p, l)
		}
	}
	pdf, err := p.archive(nil)
	return message.Document{ID: "", Nom: strings.ReplaceAll(strings.ToLower(q.Titre), " ", "-") + ".pdf", Mime: "application/pdf", Contenu: pdf}, err
}

// expediteurs are the entities that letters come from, by what they tell of.
func (s service) expediteurs(ctx context.Context, tx *function.Tx, lettres []message.Lettre) (map[string]identite, error) {
	var refs []string
	for _, l := range lettres {
		if l.Reference != "" {
			refs = append(refs, l.Reference)
		}
	}
	rows, err := tx.Query(ctx, "select ref, "+enJSON("$2")+` from unnest($1::uuid[]) ref
		cross join lateral (select entite from relance r join dossier_relance d on d.id = r.dossier_id join facture f on f.id = d.facture_id where r.courrier = ref
			union all select r.entite from remise_ligne l join remise r on r.id = l.remise_id where l.id = ref
			union all select entite from echeancier_facture x join facture f on f.id = x.facture_id where x.echeancier_id = ref limit 1) o
		join entite e on e.code = o.entite`, refs, tx.Now)
	if err != nil {
		return nil, err
	}
	de := map[string]identite{}
	var ref string
	var i identite
	_, err = pgx.ForEachRow(rows, []any{&ref, &i}, func() error {
		de[ref], i = i, identite{}
		return nil
	})
	return de, err
}

// courrier draws a letter from its text, over as many pages as it takes and an
// even number of them, so that no two letters share a sheet.
func (s service) courrier(p *page, l message.Lettre) {
	p.avant = p.PageNo()
	p.feuille(s)
	p.destinataire(l.Nom, l.Adresse)
	p.at(112, 82, 82, 5, "Le "+enLettres(l.Date), "L", false, 9.5, grey)
	p.at(left, 98, width, 7, l.Objet, "L", true, 13, deep)
	p.fill(deep)
	p.Rect(left, 107, 18, 0.9, "F")
	y := 114.0
	const measure, line, size = width - 20, 5.4, 10.5
	for text := range strings.SplitSeq(strings.TrimSpace(l.Texte), "\n") {
		if text == "" {
			y += line / 2
			continue
		}
		p.pen(false, size, ink)
		for _, row := range p.SplitLines([]byte(latin(text)), measure) {
			if y+line > bottom {
				p.pied(s, l.Objet)
				p.feuille(s)
				y = 40
			}
			p.pen(false, size, ink) // heads and feet have theirs
			p.SetXY(left, y)
			p.CellFormat(measure, line, string(row), "", 0, "L", false, 0, "")
			y += line
		}
	}
	p.pied(s, l.Objet)
	if (p.PageNo()-p.avant)%2 != 0 {
		p.AddPage()
	}
}

// destinataire writes an address where the window of an envelope shows it
// (NF Z 11-001: on the right, 45 mm from the top).
func (p *page) destinataire(nom string, a message.Adresse) {
	y := 48.0
	for i, line := range append([]string{nom}, lignesAdresse(a)...) {
		p.at(112, y, 82, 5, line, "L", i == 0, 10, ink)
		y += 5
	}
}
