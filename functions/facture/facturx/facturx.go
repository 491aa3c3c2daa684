// Package facturx writes electronic invoices: the Cross Industry Invoice that
// EN 16931 defines, and the PDF/A-3 that carries it for people (Factur-X 1.07,
// profile EN 16931).
//
// It is pure: an invoice is a value, the same value gives the same bytes.
// Money is in centimes, unit prices in micro-euros, volumes in litres, VAT
// rates in per mille.
package facturx

import (
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The documents (UNTDID 1001).
const (
	Facture      = "380"
	Avoir        = "381" // its amounts are above zero: a credit
	Rectificatif = "384"
)

// The business processes of the French platforms (BT-23): what is invoiced.
const (
	Biens    = "B1"
	Services = "S1"
	Mixte    = "M1"
)

// Means of payment (UNTDID 4461).
const (
	Virement    = "58"
	Prelevement = "59"
)

// Document is an invoice or a credit note.
type Document struct {
	Numero    string
	Type      string // Facture, Avoir, Rectificatif
	Date      time.Time
	Processus string // Biens, Services, Mixte
	Notes     []Note

	Vendeur, Acheteur Partie
	Contrat           string    // number of the contract
	Livraison         *Adresse  // where the water goes
	Du, Au            time.Time // first and last day of the period; zero: none
	Corrige           *Reference

	Paiement Paiement
	Lignes   []Ligne
	TVA      []TVA
	// Total amounts; TTC is what is due.
	HTCentimes, TVACentimes, TTCCentimes int64
}

// Note is a text with its subject (UNTDID 4451).
type Note struct{ Sujet, Texte string }

// The subjects that an invoice between French companies must speak of.
const (
	NotePenalites = "PMD" // penalties for late payment
	NoteFrais     = "PMT" // lump sum for recovery
	NoteEscompte  = "AAB" // discount for early payment
)

// Partie is a seller or a buyer.
type Partie struct {
	Nom       string
	SIREN     string // of a company (BT-30, BT-47)
	SIRET     string // of its establishment (BT-29, BT-46)
	TVA       string // VAT identifier
	Adresse   Adresse
	Email     string
	Telephone string
}

// Adresse is a postal address in France.
type Adresse struct{ Voie, Complement, CodePostal, Commune string }

// Reference names an earlier invoice.
type Reference struct {
	Numero string
	Date   time.Time
}

// Paiement says how and when an invoice is paid.
type Paiement struct {
	Moyen      string // Virement, Prelevement
	IBAN, BIC  string
	Echeance   time.Time
	Conditions string
}

// Ligne is a line. Quantite of Unite at PrixUE for each Base of them gives
// HTCentimes.
type Ligne struct {
	Libelle    string
	Quantite   Quantite
	PrixUE     int64 // never below zero
	Base       int64 // the quantity that PrixUE is for; 0: one
	TauxPM     int64
	HTCentimes int64
}

// Quantite is a number of thousandths of a unit (UN/ECE recommendation 20).
type Quantite struct {
	Milliemes int64
	Unite     string
}

// Units.
const (
	M3    = "MTQ"
	Jour  = "DAY"
	Piece = "C62"
)

// TVA is the VAT of one rate. A rate of zero needs the reason of the exemption.
type TVA struct {
	TauxPM, BaseCentimes, MontantCentimes int64
	Exoneration                           string
}

// guideline names the profile EN 16931 of Factur-X.
const guideline = "urn:cen.eu:en16931:2017"

// XML is the document as a Cross Industry Invoice.
func XML(d Document) ([]byte, error) {
	body, err := xml.Marshal(d.cii())
	if err != nil {
		return nil, fmt.Errorf("invoice %s: %w", d.Numero, err)
	}
	return append([]byte(xml.Header), body...), nil
}

// cii is the document with a credit note's amounts turned: EN 16931 writes a
// credit above zero.
func (d Document) cii() invoice {
	sign := int64(1)
	if d.Type == Avoir {
		sign = -1
	}
	out := invoice{RSM: nsRSM, RAM: nsRAM, UDT: nsUDT, QDT: nsQDT}
	if d.Processus != "" {
		out.Context.Process = &id{ID: d.Processus}
	}
	out.Context.Guideline.ID = guideline
	out.Document = document{ID: d.Numero, Type: d.Type, Issued: date(d.Date)}
	for _, n := range d.Notes {
		out.Document.Notes = append(out.Document.Notes, note{Content: n.Texte, Subject: n.Sujet})
	}
	t := &out.Transaction
	for i, l := range d.Lignes {
		t.Lines = append(t.Lines, l.cii(i+1, sign))
	}
	t.Agreement.Seller, t.Agreement.Buyer = d.Vendeur.cii(), d.Acheteur.cii()
	if d.Contrat != "" {
		t.Agreement.Contract = &assigned{ID: d.Contrat}
	}
	if d.Livraison != nil {
		t.Delivery.ShipTo = &shipTo{Address: d.Livraison.cii()}
	}
	s := &t.Settlement
	s.Reference, s.Currency = d.Numero, "EUR"
	if d.Paiement.Moyen != "" {
		m := &means{Type: d.Paiement.Moyen}
		if iban := strings.ReplaceAll(d.Paiement.IBAN, " ", ""); iban != "" && d.Paiement.Moyen == Virement {
			m.Account = &account{IBAN: iban}
			if d.Paiement.BIC != "" {
				m.Bank = &bank{BIC: d.Paiement.BIC}
			}
		}
		s.Means = m
	}
	for _, v := range d.TVA {
		tax := headerTax{Amount: euros(sign * v.MontantCentimes), Type: "VAT", Base: euros(sign * v.BaseCentimes), Category: category(v.TauxPM), Rate: percent(v.TauxPM)}
		if v.TauxPM == 0 {
			tax.Reason = v.Exoneration
		}
		s.Taxes = append(s.Taxes, tax)
	}
	if !d.Du.IsZero() {
		s.Period = &period{Start: date(d.Du), End: date(d.Au)}
	}
	s.Terms = &terms{Description: d.Paiement.Conditions}
	if !d.Paiement.Echeance.IsZero() {
		due := date(d.Paiement.Echeance)
		s.Terms.Due = &due
	}
	s.Totals = totals{
		Lines: euros(sign * d.HTCentimes), Base: euros(sign * d.HTCentimes), Tax: inCurrency{"EUR", euros(sign * d.TVACentimes)},
		Total: euros(sign * d.TTCCentimes), Due: euros(sign * d.TTCCentimes),
	}
	if c := d.Corrige; c != nil {
		s.Corrects = &preceding{ID: c.Numero, Issued: formatted{dateString{"102", c.Date.Format("20060102")}}}
	}
	return out
}

func (p Partie) cii() party {
	out := party{Name: p.Nom, Address: p.Adresse.cii()}
	if p.SIRET != "" {
		out.Global = &schemed{"0009", p.SIRET}
	}
	if p.SIREN != "" {
		out.Legal = &legal{schemed{"0002", p.SIREN}}
		out.Electronic = &uri{schemed{"0225", p.SIREN}}
	} else if p.Email != "" {
		out.Electronic = &uri{schemed{"EM", p.Email}}
	}
	if p.Telephone != "" {
		out.Contact = &contact{Department: p.Nom, Telephone: &number{p.Telephone}}
		if p.Email != "" {
			out.Contact.Email = &plainURI{p.Email}
		}
	}
	if p.TVA != "" {
		out.Tax = &uriOrTax{schemed{"VA", p.TVA}}
	}
	return out
}

func (a Adresse) cii() address {
	return address{Postcode: a.CodePostal, One: a.Voie, Two: a.Complement, City: a.Commune, Country: "FR"}
}

func (l Ligne) cii(n int, sign int64) line {
	out := line{ID: id1{strconv.Itoa(n)}, Product: product{Name: l.Libelle}}
	out.Agreement.Price.Amount = micro(l.PrixUE)
	if l.Base > 1 {
		out.Agreement.Price.Basis = &measured{l.Quantite.Unite, strconv.FormatInt(l.Base, 10)}
	}
	out.Delivery.Quantity = measured{l.Quantite.Unite, thousandths(sign * l.Quantite.Milliemes)}
	out.Settlement.Tax = lineTax{Type: "VAT", Category: category(l.TauxPM), Rate: percent(l.TauxPM)}
	out.Settlement.Totals.Amount = euros(sign * l.HTCentimes)
	return out
}

// category of VAT: standard, or exempt.
func category(pm int64) string {
	if pm == 0 {
		return "E"
	}
	return "S"
}

func date(t time.Time) dateTime { return dateTime{dateString{"102", t.Format("20060102")}} }

func euros(centimes int64) string        { return decimal(centimes, 2, 2) }
func percent(pm int64) string            { return decimal(pm, 1, 0) }
func micro(ue int64) string              { return decimal(ue, 6, 2) }
func thousandths(milliemes int64) string { return decimal(milliemes, 3, 0) }

// decimal writes n units of 10^-digits with at least keep decimals.
func decimal(n int64, digits, keep int) string {
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	s := strconv.FormatInt(n, 10)
	if len(s) <= digits {
		s = strings.Repeat("0", digits-len(s)+1) + s
	}
	whole, rest := s[:len(s)-digits], s[len(s)-digits:]
	for len(rest) > keep && rest[len(rest)-1] == '0' {
		rest = rest[:len(rest)-1]
	}
	if rest == "" {
		return sign + whole
	}
	return sign + whole + "." + rest
}
