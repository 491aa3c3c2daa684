package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/xuri/excelize/v2"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// maxLignes bounds a file: it travels in one message.
const maxLignes = 100_000

func tropGrand() error {
	return function.Refused("export_trop_grand",
		"Ce fichier dépasserait "+message.Milliers(maxLignes)+" lignes : demandez moins de jours, un compte ou un abonné.",
		"This file would pass 100,000 lines: ask for fewer days, one account or one subscriber.")
}

// feuille is a table to be written to a file. Its cells are texts, days, and
// centimes as int64; taux is a rate in per mille.
type feuille struct {
	nom      string
	colonnes []string
	lignes   [][]any
}

type tauxPM int64

// exporterComptabilite makes a file of the books.
func exporterComptabilite(ctx context.Context, tx *function.Tx, q message.ExporterComptabilite) (message.Document, error) {
	if q.Quoi == "FEC" {
		return fecEntier(ctx, tx, q)
	}
	t, err := tables[q.Quoi](ctx, tx, q)
	if err != nil {
		return message.Document{}, err
	}
	if !q.Du.IsZero() || !q.Au.IsZero() {
		t.nom += "-" + strings.Trim(q.Du.String()+"-"+q.Au.String(), "-")
	}
	if q.Format == "XLSX" {
		contenu, err := t.xlsx()
		return message.Document{ID: q.Quoi, Nom: t.nom + ".xlsx", Mime: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", Contenu: contenu}, err
	}
	return message.Document{ID: q.Quoi, Nom: t.nom + ".csv", Mime: "text/csv; charset=utf-8", Contenu: t.csv()}, nil
}

// tables read what a file holds.
var tables = map[string]func(context.Context, *function.Tx, message.ExporterComptabilite) (feuille, error){
	"BALANCE": func(ctx context.Context, tx *function.Tx, q message.ExporterComptabilite) (feuille, error) {
		b, err := balance(ctx, tx, message.Balance{Du: q.Du, Au: q.Au, Entite: q.Entite})
		t := feuille{nom: "balance", colonnes: []string{"Compte", "Libellé", "Ouverture", "Débit", "Crédit", "Solde"}}
		for _, c := range b.Comptes {
			t.lignes = append(t.lignes, []any{c.Compte, c.Libelle, c.OuvertureCentimes, c.DebitCentimes, c.CreditCentimes, c.SoldeCentimes})
		}
		return t, err
	},
	"JOURNAL": func(ctx context.Context, tx *function.Tx, q message.ExporterComptabilite) (feuille, error) {
		t := feuille{nom: "journal", colonnes: []string{"Journal", "Numéro", "Date", "Pièce", "Libellé", "Abonné", "Compte", "Libellé du compte", "Débit", "Crédit"}}
		return t, pages(&t, func(at message.Page) (string, error) {
			page, err := journal(ctx, tx, message.Journal{Journal: q.Journal, AbonneID: q.AbonneID, Entite: q.Entite, Du: q.Du, Au: q.Au, Page: at})
			for _, e := range page.Items {
				for _, m := range e.Mouvements {
					t.lignes = append(t.lignes, []any{e.Journal, rang(e.Numero), e.Date, e.Piece, e.Libelle, e.AbonneID, m.Compte, m.Libelle, m.DebitCentimes, m.CreditCentimes})
				}
			}
			return page.Suivant, err
		})
	},
	"GRAND_LIVRE": func(ctx context.Context, tx *function.Tx, q message.ExporterComptabilite) (feuille, error) {
		t := feuille{nom: "grand-livre-" + q.Compte, colonnes: []string{"Date", "Journal", "Numéro", "Pièce", "Libellé", "Abonné", "Débit", "Crédit", "Solde"}}
		return t, pages(&t, func(at message.Page) (string, error) {
			page, err := grandLivre(ctx, tx, message.GrandLivre{Compte: q.Compte, AbonneID: q.AbonneID, Entite: q.Entite, Du: q.Du, Au: q.Au, Page: at})
			for _, l := range page.Items {
				t.lignes = append(t.lignes, []any{l.Date, l.Journal, rang(l.Numero), l.Piece, l.Libelle, l.AbonneID, l.DebitCentimes, l.CreditCentimes, l.SoldeCentimes})
			}
			return page.Suivant, err
		})
	},
	"BALANCE_AGEE": func(ctx context.Context, tx *function.Tx, q message.ExporterComptabilite) (feuille, error) {
		q.Du, q.Au = message.Date{}, message.Date{}
		t := feuille{nom: "balance-agee-" + tx.Today().String(), colonnes: []string{"Abonné", "Nom", "Non échu", "1 à 30 jours", "31 à 60 jours", "61 à 90 jours", "Plus de 90 jours", "Avances", "Solde"}}
		return t, pages(&t, func(at message.Page) (string, error) {
			page, err := balanceAgee(ctx, tx, message.BalanceAgee{Entite: q.Entite, Page: at})
			for _, c := range page.Items {
				t.lignes = append(t.lignes, []any{c.AbonneID, c.Nom, c.NonEchuCentimes, c.J30Centimes, c.J60Centimes, c.J90Centimes, c.PlusCentimes, c.AvanceCentimes, c.SoldeCentimes})
			}
			return page.Suivant, err
		})
	},
	// A regie's bills as titles, what its comptable public takes in charge; the file of PES v2 is made of them.
	"ROLE": func(ctx context.Context, tx *function.Tx, q message.ExporterComptabilite) (feuille, error) {
		e, err := entiteComptable(ctx, tx, q.Entite)
		if err != nil {
			return feuille{}, err
		}
		rows, err := tx.Query(ctx, `select numero, nature, coalesce((select c.numero from facture c where c.id = facture.corrige_id), ''), date_facturation, echeance, abonne_id::text, nom,
				adresse ->> 'voie', adresse ->> 'code_postal', adresse ->> 'commune', pdl, ht_centimes, tva_centimes, ttc_centimes, mode_paiement
			from facture where numero is not null and entite = $1 and ($2::date is null or date_facturation >= $2) and ($3::date is null or date_facturation <= $3)
			order by serie, rang limit $4`, e.Entite, q.Du, q.Au, maxLignes+1)
		if err != nil {
			return feuille{}, err
		}
		t := feuille{nom: "role-" + e.Entite, colonnes: []string{"Numéro", "Nature", "Corrige", "Date", "Échéance", "Débiteur", "Nom", "Voie", "Code postal", "Commune", "Point de service", "HT", "TVA", "TTC", "Paiement"}}
		t.lignes, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) ([]any, error) {
			var text [10]string
			var date, echeance message.Date
			var ht, tva, ttc int64
			err := row.Scan(&text[0], &text[1], &text[2], &date, &echeance, &text[3], &text[4], &text[5], &text[6], &text[7], &text[8], &ht, &tva, &ttc, &text[9])
			return []any{text[0], text[1], text[2], date, echeance, text[3], text[4], text[5], text[6], text[7], text[8], ht, tva, ttc, text[9]}, err
		})
		if err == nil && len(t.lignes) > maxLignes {
			err = tropGrand()
		}
		return t, err
	},
	"TVA": func(ctx context.Context, tx *function.Tx, q message.ExporterComptabilite) (feuille, error) {
		e, err := declarationTVA(ctx, tx, message.DeclarationTVA{Entite: q.Entite, Du: q.Du, Au: q.Au})
		t := feuille{nom: "tva-" + strings.ToLower(e.Exigibilite), colonnes: []string{"Mois", "Taux", "Base HT", "TVA"}}
		for _, l := range e.Lignes {
			t.lignes = append(t.lignes, []any{l.Mois, tauxPM(l.TauxPM), l.BaseCentimes, l.TVACentimes})
		}
		return t, err
	},
}

// pages reads a list to its end, or to the bound of a file.
func pages(t *feuille, read func(message.Page) (next string, err error)) error {
	at := message.Page{Limite: 200}
	for {
		next, err := read(at)
		switch {
		case err != nil:
			return err
		case len(t.lignes) > maxLignes:
			return tropGrand()
		case next == "":
			return nil
		}
		at.Curseur = next
	}
}

// rang is a definitive number, or nothing.
func rang(n int64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

// csv writes the table as French spreadsheets read it: semicolons, decimal
// commas, UTF-8 with its mark.
func (t feuille) csv() []byte {
	var out bytes.Buffer
	out.WriteString("\uFEFF")
	line := func(cells []string) {
		for i, c := range cells {
			if i > 0 {
				out.WriteByte(';')
			}
			if strings.ContainsAny(c, ";\"\r\n") {
				c = `"` + strings.ReplaceAll(c, `"`, `""`) + `"`
			}
			out.WriteString(c)
		}
		out.WriteString("\r\n")
	}
	line(t.colonnes)
	cells := make([]string, len(t.colonnes))
	for _, l := range t.lignes {
		for i, v := range l {
			cells[i] = texteDe(v)
		}
		line(cells)
	}
	return out.Bytes()
}

func texteDe(v any) string {
	switch v := v.(type) {
	case int64:
		return decimal(v)
	case tauxPM:
		return taux(int64(v))
	case message.Date:
		return v.Francais()
	}
	return inerte(v.(string))
}

// inerte keeps a text from being read as a formula: a spreadsheet computes
// what begins with one of these signs.
func inerte(s string) string {
	if r, _ := utf8.DecodeRuneInString(s); strings.ContainsRune("=+-@\t\r\n＝＋－＠", r) && s != "" {
		return "'" + s
	}
	return s
}

// xlsx writes the table as a workbook of one sheet, whose amounts are numbers.
func (t feuille) xlsx() ([]byte, error) {
	f := excelize.NewFile()
	defer f.Close()
	euros, err := f.NewStyle(&excelize.Style{NumFmt: 4}) // #,##0.00
	if err != nil {
		return nil, err
	}
	head, err := f.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}})
	if err != nil {
		return nil, err
	}
	w, err := f.NewStreamWriter("Sheet1")
	if err != nil {
		return nil, err
	}
	if err := w.SetColWidth(1, len(t.colonnes), 18); err != nil {
		return nil, err
	}
	cells := make([]any, len(t.colonnes))
	for i, c := range t.colonnes {
		cells[i] = excelize.Cell{StyleID: head, Value: c}
	}
	if err := w.SetRow("A1", cells); err != nil {
		return nil, err
	}
	for n, l := range t.lignes {
		for i, v := range l {
			switch v := v.(type) {
			case int64: // the one place where an amount becomes a float: a cell has no other number, and it is never read back
				cells[i] = excelize.Cell{StyleID: euros, Value: float64(v) / 100}
			default:
				cells[i] = texteDe(v)
			}
		}
		if err := w.SetRow(fmt.Sprintf("A%d", n+2), cells); err != nil {
			return nil, err
		}
	}
	if err := w.Flush(); err != nil {
		return nil, err
	}
	buf, err := f.WriteToBuffer()
	if err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}
