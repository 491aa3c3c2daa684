package main

import (
	"bytes"
	"fmt"
	"image/png"
	"strings"

	"codeberg.org/go-pdf/fpdf"
	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"

	"aquaerp.fr/functions/facture/tarif"
	"aquaerp.fr/shared/message"
)

// The page, in millimetres.
const (
	left, right = 16.0, 194.0
	width       = right - left
)

// rubriques are the three parts of a bill, in their order (arrete of 10 July 1996).
var rubriques = []struct{ code, titre string }{
	{string(tarif.Distribution), "Distribution de l'eau"},
	{string(tarif.EauxUsees), "Collecte et traitement des eaux usées"},
	{string(tarif.OrganismesPublics), "Organismes publics"},
}

// page is a bill under the pen; text is turned into the encoding of PDF's
// core fonts, which need no embedding.
type page struct {
	*fpdf.Fpdf
	text func(string) string
}

// pdf draws a bill on one page, two when it has many lines.
func (s service) pdf(f imprimee) ([]byte, error) {
	p := page{Fpdf: fpdf.New("P", "mm", "A4", "")}
	p.text = p.UnicodeTranslatorFromDescriptor("")
	day := f.DateFacturation.Time()
	p.SetCreationDate(day)
	p.SetModificationDate(day)
	p.SetCatalogSort(true)
	p.SetTitle("Facture "+f.Numero, true)
	p.SetAuthor(s.Nom, true)
	p.SetLang("fr-FR")
	p.SetMargins(left, 14, 210-right)
	p.SetAutoPageBreak(true, 22)
	p.SetFooterFunc(func() { p.pied(s, f) })
	p.AddPage()
	p.entete(s, f)
	p.resume(s, f)
	p.consommation(f)
	p.detail(f)
	p.taxes(f)
	p.mentions(s, f)
	var out bytes.Buffer
	err := p.Output(&out)
	return out.Bytes(), err
}

func (p page) font(style string, size float64) { p.SetFont("Helvetica", style, size) }
func (p page) ink(grey bool) {
	if grey {
		p.SetTextColor(90, 100, 110)
		return
	}
	p.SetTextColor(20, 28, 36)
}
func (p page) blue() { p.SetTextColor(11, 83, 128) }

// latin spells what PDF's core fonts lack.
var latin = strings.NewReplacer("\u202f", " ", "\u00a0", " ", "−", "-")

// cell writes one line of text in a box, aligned L, C or R.
func (p page) cell(w, h float64, text, align string) {
	p.CellFormat(w, h, p.text(latin.Replace(text)), "", 0, align, false, 0, "")
}

func (p page) row(h float64, cells ...string) {
	widths := []float64{82, 32, 30, 34}
	for i, c := range cells {
		align := "R"
		if i == 0 {
			align = "L"
		}
		p.cell(widths[i], h, c, align)
	}
	p.Ln(h)
}

func (p page) entete(s service, f imprimee) {
	p.SetFillColor(11, 83, 128)
	p.Rect(0, 0, 210, 4, "F")
	p.blue()
	p.font("B", 15)
	p.cell(width, 7, s.Nom, "L")
	p.Ln(7)
	p.ink(true)
	p.font("", 8.5)
	p.cell(width, 4, s.Adresse, "L")
	p.Ln(4)
	p.cell(width, 4, joined(" - ", prefixed("Tél. ", s.Telephone), s.Email, prefixed("SIRET ", s.SIRET)), "L")
	p.Ln(4)
	if s.Urgence != "" {
		p.font("B", 8.5)
		p.cell(width, 4, "Urgence fuite, 24 h/24 : "+s.Urgence, "L")
	}
	// The window of an envelope.
	p.ink(false)
	p.font("", 10)
	p.SetXY(112, 46)
	for _, line := range []string{f.Nom, f.Adresse.Voie, f.Adresse.Complement, f.Adresse.CodePostal + " " + f.Adresse.Commune} {
		if line != "" {
			p.SetX(112)
			p.cell(82, 5, line, "L")
			p.Ln(5)
		}
	}
	p.SetXY(left, 46)
	for _, pair := range [][2]string{
		{"Référence client", f.Contrat}, {"Point de service", f.PDL}, {"Adresse desservie", f.Lieu},
		{"Période", f.Du.Francais() + " au " + f.Au.AddDays(-1).Francais()},
	} {
		p.ink(true)
		p.font("", 8)
		p.cell(28, 5, pair[0], "L")
		p.ink(false)
		p.font("", 8.5)
		p.cell(64, 5, pair[1], "L")
		p.Ln(5)
	}
}

func (p page) resume(s service, f imprimee) {
	p.SetY(74)
	p.SetFillColor(234, 243, 248)
	p.RoundedRect(left, 74, width, 30, 2, "1234", "F")
	p.SetXY(left+5, 77)
	p.blue()
	p.font("B", 12)
	p.cell(90, 6, "Facture "+f.Numero, "L")
	p.SetXY(left+5, 83.5)
	p.ink(true)
	p.font("", 9)
	p.cell(90, 5, "du "+f.DateFacturation.Francais(), "L")
	p.SetXY(left+5, 90)
	p.ink(false)
	p.font("", 9)
	p.MultiCell(88, 4.4, p.text(s.payer(f)), "", "L", false)
	p.SetXY(left+92, 77)
	p.ink(true)
	p.font("", 9)
	p.cell(56, 5, "Montant à payer", "R")
	p.SetXY(left+92, 82)
	p.blue()
	p.font("B", 22)
	p.cell(56, 11, message.Euros(f.TTCCentimes), "R")
	p.SetXY(left+92, 94)
	p.ink(false)
	p.font("B", 9)
	p.cell(56, 5, "avant le "+f.Echeance.Francais(), "R")
	if code := s.epc(f); code != "" {
		p.qr(code, right-27, 76, 25)
	}
	p.SetY(108)
}

// payer says how the bill is paid.
func (s service) payer(f imprimee) string {
	switch {
	case f.TTCCentimes <= 0:
		return "Aucune somme à payer : ce montant est porté à votre crédit."
	case f.ModePaiement == "PRELEVEMENT":
		return "Ce montant sera prélevé sur votre compte à l'échéance."
	case s.IBAN != "":
		return "Par virement : IBAN " + s.IBAN + ", référence " + f.Numero + ". Aussi par carte, chèque ou espèces."
	}
	return "Par virement, carte, chèque ou espèces, en rappelant le numéro de la facture."
}

// epc is the content of a SEPA transfer QR code (EPC069-12), which banking
// applications read; empty when there is nothing to transfer.
func (s service) epc(f imprimee) string {
	if s.IBAN == "" || f.TTCCentimes <= 0 || f.ModePaiement == "PRELEVEMENT" {
		return ""
	}
	return strings.Join([]string{"BCD", "002", "1", "SCT", s.BIC, s.Nom, strings.ReplaceAll(s.IBAN, " ", ""),
		fmt.Sprintf("EUR%d.%02d", f.TTCCentimes/100, f.TTCCentimes%100), "", "", f.Numero, ""}, "\n")
}

func (p page) qr(content string, x, y, size float64) {
	code, err := qr.Encode(content, qr.M, qr.Auto)
	if err == nil {
		code, err = barcode.Scale(code, 250, 250)
	}
	var image bytes.Buffer
	if err == nil {
		err = png.Encode(&image, code)
	}
	if err != nil {
		p.SetError(err)
		return
	}
	options := fpdf.ImageOptions{ImageType: "PNG"}
	p.RegisterImageOptionsReader("epc", options, &image)
	p.ImageOptions("epc", x, y, size, size, false, options, 0, "")
}

// titre opens a part of the page.
func (p page) titre(text string) {
	p.Ln(2)
	p.blue()
	p.font("B", 10.5)
	p.cell(width, 6, text, "L")
	p.Ln(6.5)
	p.ink(false)
}

// consommation shows each meter's indexes, and how they were obtained.
func (p page) consommation(f imprimee) {
	p.titre("Votre consommation : " + m3(f.VolumeLitres) + " m³ facturés")
	p.ink(true)
	p.font("", 8)
	for i, head := range []string{"Compteur", "Du", "Ancien index", "Au", "Nouvel index", "Relevé"} {
		p.cell(indexWidths[i], 4.5, head, align(i))
	}
	p.Ln(4.5)
	p.ink(false)
	p.font("", 9)
	for i, pose := range f.Cas.Poses {
		serie := ""
		if i < len(f.Series) {
			serie = f.Series[i]
		}
		comment := "lu"
		if f.Estimee && i == len(f.Cas.Poses)-1 {
			comment = "estimé"
		}
		for k, text := range []string{serie, day(pose.Du), fmt.Sprint(pose.IndexDebut), day(pose.Au), fmt.Sprint(pose.IndexFin), comment} {
			p.cell(indexWidths[k], 5, text, align(k))
		}
		p.Ln(5)
	}
	if f.Anormale {
		p.SetTextColor(150, 40, 20)
		p.font("B", 8.5)
		p.MultiCell(width, 4.2, p.text("Votre consommation est plus du double de l'habitude. Une fuite est possible après votre compteur : "+
			"faites vérifier l'installation. Avec l'attestation d'un plombier adressée dans le mois, votre facture est plafonnée (art. L2224-12-4 du CGCT)."), "", "L", false)
		p.ink(false)
	}
}

var indexWidths = []float64{40, 28, 28, 28, 28, 26}

func align(column int) string {
	if column == 0 {
		return "L"
	}
	return "R"
}

func day(d tarif.Date) string {
	s := d.String() // yyyy-mm-dd
	return s[8:] + "/" + s[5:7] + "/" + s[:4]
}

// detail lists the lines by rubrique.
func (p page) detail(f imprimee) {
	p.titre("Le détail de votre facture")
	p.ink(true)
	p.font("", 8)
	p.row(4.5, "", "Quantité", "Prix unitaire HT", "Montant HT")
	for _, r := range rubriques {
		var total int64
		some := false
		for _, l := range f.Lignes {
			if l.Rubrique == r.code {
				total += l.HTCentimes
				some = true
			}
		}
		if !some {
			continue
		}
		p.SetFillColor(234, 243, 248)
		p.Rect(left, p.GetY(), width, 5.6, "F")
		p.ink(false)
		p.font("B", 9)
		p.row(5.6, r.titre, "", "", message.Euros(total))
		p.font("", 9)
		for _, l := range f.Lignes {
			if l.Rubrique != r.code {
				continue
			}
			quantity, unit := "", ""
			switch {
			case l.Litres != 0:
				quantity, unit = m3(l.Litres)+" m³", prix(l.PrixUE)+" €/m³"
			case l.Jours != 0:
				quantity, unit = fmt.Sprintf("%d jours", l.Jours), prix(l.PrixUE)+" €/an"
			}
			p.row(4.8, "  "+l.Libelle, quantity, unit, message.Euros(l.HTCentimes))
		}
	}
}

func (p page) taxes(f imprimee) {
	p.Ln(1)
	p.SetDrawColor(190, 205, 215)
	p.Line(left, p.GetY(), right, p.GetY())
	p.Ln(1)
	p.font("", 9)
	p.row(4.8, "Total hors taxes", "", "", message.Euros(f.HTCentimes))
	for _, t := range f.TVA {
		p.row(4.8, "TVA "+taux(t.TauxPM)+" sur "+message.Euros(t.BaseCentimes), "", "", message.Euros(t.MontantCentimes))
	}
	p.font("B", 11)
	p.row(7, "Total TTC", "", "", message.Euros(f.TTCCentimes))
}

// mentions gives the price of a litre with and without subscription (arrete
// of 28 April 2016).
func (p page) mentions(s service, f imprimee) {
	p.Ln(2)
	p.ink(true)
	p.font("", 8)
	var variable int64
	for _, l := range f.Lignes {
		if l.Litres != 0 {
			variable += l.HTCentimes + l.HTCentimes*l.TVAPM/1000
		}
	}
	text := ""
	if f.VolumeLitres > 0 {
		text = fmt.Sprintf("Prix du litre TTC : %s € abonnement compris, %s € hors abonnement. ",
			litre(f.TTCCentimes, f.VolumeLitres), litre(variable, f.VolumeLitres))
	}
	text += "Les tarifs du service suivent les dates de consommation ; les redevances des organismes publics suivent la date de la facture. " +
		"Une question, une réclamation : " + joined(", ", s.Telephone, s.Email, s.Adresse) + ". Sans réponse satisfaisante : Médiation de l'eau, BP 40463, 75366 Paris Cedex 08."
	p.MultiCell(width, 3.8, p.text(text), "", "L", false)
}

// litre is a price per litre in euros with four decimals.
func litre(centimes, litres int64) string {
	tenThousandths := (centimes*100 + litres/2) / litres
	return fmt.Sprintf("%d,%04d", tenThousandths/10_000, tenThousandths%10_000)
}

func (p page) pied(s service, f imprimee) {
	p.SetY(-16)
	p.ink(true)
	p.font("", 7.5)
	p.cell(width/2, 4, s.Nom+" - facture "+f.Numero, "L")
	p.cell(width/2, 4, fmt.Sprintf("page %d", p.PageNo()), "R")
}

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

func joined(by string, parts ...string) string {
	var some []string
	for _, p := range parts {
		if p != "" {
			some = append(some, p)
		}
	}
	return strings.Join(some, by)
}
