package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"aquaerp.fr/functions/facture/tarif"
	"aquaerp.fr/shared/message"
)

// A bill on paper. The front says what matters first: how much, until when,
// how to pay, for which water. The back has every line, and the law's words.

// rubriques are the three parts of a bill, in their order (arrete of 10 July 1996).
var rubriques = []struct {
	code, titre, explication string
	colour                   colour
}{
	{string(tarif.Distribution), "Distribution de l'eau", "Prélever l'eau, la rendre potable, la contrôler et l'amener chez vous : l'abonnement couvre ce qui ne dépend pas de votre consommation (réseau, compteur, relève).", deep},
	{string(tarif.EauxUsees), "Collecte et traitement des eaux usées", "Recueillir l'eau que vous avez utilisée et la dépolluer avant de la rendre à la rivière.", mid},
	{string(tarif.OrganismesPublics), "Organismes publics", "Redevances que le service perçoit pour l'agence de l'eau, qui finance la protection de la ressource.", green},
}

// facture draws a bill or an avoir.
func (s service) facture(f imprimee) *page {
	s = s.de(f)
	p := papier(f.intitule()+" "+f.Numero, s.Nom, f.DateFacturation.Time())
	s.tirer(p, f)
	return p
}

// tirer draws a bill on pages of its own; there are always an even number of
// them, so that bills printed on both sides do not share a sheet.
func (s service) tirer(p *page, f imprimee) {
	p.avant = p.PageNo()
	s.recto(p, f)
	s.verso(p, f)
	if (p.PageNo()-p.avant)%2 != 0 {
		p.AddPage()
	}
}

// mesuree tells that the bill prices what meters showed.
func (f imprimee) mesuree() bool {
	return f.Nature != natureAvoir && f.Cas != nil && len(f.Cas.Poses) > 0
}

// duree is the period of a bill, empty for one that is about a day.
func (f imprimee) duree() string {
	if f.Au.DaysSince(f.Du) <= 1 {
		return ""
	}
	return f.Du.Francais() + " au " + f.Au.AddDays(-1).Francais()
}

// intitule is what the document is called.
func (f imprimee) intitule() string {
	switch {
	case f.Nature == natureAvoir:
		return "Avoir"
	case f.Nature == natureSolde:
		return "Facture de résiliation"
	case f.Corrige != nil:
		return "Facture rectificative"
	}
	return "Facture d'eau"
}

// objet says in a sentence what a document that is not an ordinary bill does.
func (f imprimee) objet() (titre, text string) {
	switch {
	case f.Nature == natureAvoir && f.Corrige.Total:
		titre, text = "Cet avoir annule la facture "+f.Corrige.Numero+" du "+f.Corrige.Date.Francais()+" en entier.", "Vous n'avez plus à la payer ; ce que vous auriez déjà payé est porté à votre crédit."
	case f.Nature == natureAvoir:
		titre, text = "Cet avoir corrige la facture "+f.Corrige.Numero+" du "+f.Corrige.Date.Francais()+".", "Son montant vient en déduction de ce que vous devez, ou est porté à votre crédit."
	case f.Corrige != nil:
		titre, text = "Cette facture remplace la facture "+f.Corrige.Numero+" du "+f.Corrige.Date.Francais()+".", "La facture remplacée est annulée par un avoir : seule celle-ci est à payer."
	case f.Nature == natureSolde:
		titre, text = "Cette facture solde votre contrat.", "Elle va jusqu'au relevé de fin de contrat, le "+f.Au.Francais()+". Aucune autre facture ne suivra pour ce point de livraison."
	case f.Nature == natureManuelle:
		titre = "Cette facture ne porte pas sur une consommation relevée."
	default:
		return "", ""
	}
	return titre, joined(" ", prefixed("Motif : ", ended(f.Motif)), text)
}

func ended(s string) string {
	if s == "" || strings.HasSuffix(s, ".") {
		return s
	}
	return s + "."
}

func (s service) recto(p *page, f imprimee) {
	p.feuille(s)
	defer p.pied(s, f.intitule()+" "+f.Numero)
	p.at(right-80, 11, 80, 7, f.intitule(), "R", true, 14, ink)
	p.at(right-80, 18.4, 80, 4, "n° "+f.Numero, "R", true, 9.5, ink)
	p.at(right-80, 22.8, 80, 4, "du "+enLettres(f.DateFacturation), "R", false, 8.5, grey)
	if f.Duplicata {
		p.stroke(amber)
		p.SetLineWidth(0.5)
		p.RoundedRect(right-34, 28.5, 34, 7, 1.5, "1234", "D")
		p.at(right-34, 28.5, 34, 7, "DUPLICATA", "C", true, 10, amber)
	}
	p.destinataire(f.Nom, f.Adresse)
	y := 46.0
	for _, pair := range [][2]string{
		{"Référence client", f.Contrat}, {"Point de livraison", f.PDL}, {"SIREN du client", f.SIREN}, {"TVA du client", f.NumeroTVA},
		{"Période", f.duree()}, {"Opération", f.operation()},
	} {
		if pair[1] == "" {
			continue
		}
		p.at(left, y, 29, 4.6, pair[0], "L", false, 8, grey)
		p.at(left+29, y, 62, 4.6, pair[1], "L", false, 8.3, ink)
		y += 4.9
	}
	p.at(left, y, 29, 4.6, "Adresse desservie", "L", false, 8, grey)
	p.para(left+29, y+0.2, 62, 4.2, f.Lieu, false, 8.3, ink)

	s.payer(p, f, 82)
	y = 135
	const half = 85.0
	bottomLeft, bottomRight := y, s.bref(p, f, right-half, y, half)
	if f.mesuree() {
		bottomLeft = histogramme(p, f, left, y, half)
		y = max(bottomLeft, bottomRight) + 5
		y = compteurs(p, f, y)
	} else {
		titre, text := f.objet()
		y = p.section(left, y, half, "Objet")
		y = p.para(left, y+1, half, 4.6, titre, true, 9.2, ink)
		y = max(p.para(left, y+1.5, half, 4.4, text, false, 9, ink), bottomRight) + 6
	}
	if titre, text := f.objet(); titre != "" && f.mesuree() {
		y = p.encadre(y, titre, text)
	}
	if f.Anormale {
		m := f.mention("fuite")
		y = p.encadre(y, "Votre consommation est plus du double de l'habitude : une fuite est possible après votre compteur.", m.Texte)
	}
	if f.Estimee {
		m := f.mention("estimation")
		y = p.encadre(y, "Cette facture repose sur un index estimé.", m.Texte)
	}
	s.contacts(p, max(y+2, bottom-24))
	p.at(left, bottom-1.5, width, 4, "Le détail de chaque ligne, les explications et vos droits sont au verso.", "L", false, 8, grey)
}

// contacts says whom to ask, where the page has room for it.
func (s service) contacts(p *page, y float64) {
	if y > bottom-22 {
		return
	}
	const gap, h = 5.0, 17.0
	w := (width - 2*gap) / 3
	for i, c := range [][2]string{
		{"Une question ?", joined("\n", s.Telephone, s.Email)},
		{"Une fuite, plus d'eau ?", joined("\n", s.Urgence, "jour et nuit, tous les jours")},
		{"Des difficultés à payer ?", "Appelez-nous avant l'échéance :\nun échelonnement est possible."},
	} {
		x := left + float64(i)*(w+gap)
		p.fill(tint)
		p.RoundedRect(x, y, w, h, 1.5, "1234", "F")
		p.at(x+4, y+2, w-8, 4.6, c[0], "L", true, 8.6, deep)
		p.para(x+4, y+7, w-8, 4, c[1], false, 8.2, ink)
	}
}

// payer is the part that says how much, until when and how.
func (s service) payer(p *page, f imprimee, y float64) {
	const h = 46.0
	p.fill(tint)
	p.RoundedRect(left, y, width, h, 2.5, "1234", "F")
	x := left + 7
	code := s.epc(f)
	label, amount := "Montant à payer", f.TTCCentimes
	switch {
	case f.TTCCentimes <= 0:
		label, amount = "En votre faveur", -f.TTCCentimes
	case f.ModePaiement == "PRELEVEMENT":
		label = "Montant prélevé"
	}
	p.at(x, y+6, 62, 5, label, "L", false, 9.5, grey)
	p.at(x, y+12.5, 66, 12, message.Euros(amount), "L", true, 27, deep)
	switch {
	case f.TTCCentimes <= 0:
		p.at(x, y+28, 62, 5, "Rien à payer", "L", true, 10.5, ink)
	case f.ModePaiement == "PRELEVEMENT":
		p.at(x, y+28, 62, 5, "le "+enLettres(f.Echeance), "L", true, 10.5, ink)
	default:
		p.at(x, y+28, 62, 5, "avant le "+enLettres(f.Echeance), "L", true, 10.5, ink)
	}
	p.stroke(rule)
	p.SetLineWidth(0.3)
	p.Line(left+68, y+6, left+68, y+h-6)

	x, y = left+73, y+5
	w := right - x - 6
	if code != "" {
		w -= 36
		p.fill(white)
		p.RoundedRect(right-38, y-1, 34, 34, 1.5, "1234", "F")
		p.code(code, right-36.2, y+0.8, 30.4)
		p.at(right-38, y+33.6, 34, 3, "à scanner avec votre banque", "C", false, 6.2, grey)
	}
	head := "Comment payer"
	if f.TTCCentimes <= 0 || f.ModePaiement == "PRELEVEMENT" {
		head = "Que faire ?"
	}
	p.at(x, y, w, 5, head, "L", true, 9.5, deep)
	y += 5.8
	for _, line := range s.moyens(f) {
		y = p.para(x, y, w, 3.9, line[0], true, 7.8, ink)
		y = p.para(x, y, w, 3.9, line[1], false, 7.8, ink) + 0.8
	}
	if link := s.lien(f); link != "" {
		p.LinkString(x, y-5, w, 4.5, link)
	}
}

// moyens are the ways to pay a bill, the first the easiest.
func (s service) moyens(f imprimee) (out [][2]string) {
	switch {
	case f.Nature == natureAvoir:
		return [][2]string{{"Vous n'avez rien à faire.", "Ce montant est déduit de ce que vous devez, ou remboursé sur votre demande."}}
	case f.TTCCentimes <= 0:
		return [][2]string{{"Vous n'avez rien à faire.", "Ce montant est porté à votre crédit : il viendra en déduction de votre prochaine facture, ou vous est remboursé sur votre demande."}}
	case f.ModePaiement == "PRELEVEMENT":
		return [][2]string{{"Vous n'avez rien à faire.", "Ce montant sera prélevé sur votre compte bancaire à la date indiquée, selon le mandat que vous avez signé."}}
	}
	if s.IBAN != "" {
		out = append(out, [2]string{"Par virement", joined("\n", "IBAN "+s.IBAN, prefixed("BIC ", s.BIC), "Référence "+f.Numero)})
	}
	out = append(out, [2]string{"Par chèque, carte ou espèces", "en rappelant le numéro de la facture."})
	if s.Paiement != "" {
		out = append(out, [2]string{"En ligne", s.Paiement})
	}
	return out
}

// lien is where this bill is paid.
func (s service) lien(f imprimee) string {
	if s.Paiement == "" || f.TTCCentimes <= 0 || f.ModePaiement == "PRELEVEMENT" {
		return ""
	}
	return strings.TrimSuffix(s.Paiement, "/") + "/factures/" + f.ID
}

// epc is the content of a SEPA transfer QR code (EPC069-12), which banking
// applications read; empty when there is nothing to transfer.
func (s service) epc(f imprimee) string {
	if s.IBAN == "" || f.TTCCentimes <= 0 || f.ModePaiement == "PRELEVEMENT" {
		return ""
	}
	return strings.Join([]string{"BCD", "002", "1", "SCT", s.BIC, cut(s.Nom, 70), strings.ReplaceAll(s.IBAN, " ", ""),
		fmt.Sprintf("EUR%d.%02d", f.TTCCentimes/100, f.TTCCentimes%100), "", "", f.Numero, ""}, "\n")
}

// cut is the first n characters of a text.
func cut(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}

// bref sums the bill up by rubrique, and returns where it ends.
func (s service) bref(p *page, f imprimee, x, y, w float64) float64 {
	head := "Ce que vous payez"
	if f.Nature == natureAvoir {
		head = "Ce que nous vous devons"
	}
	y = p.section(x, y, w, head)
	sums := f.parRubrique()
	var total int64
	for _, v := range sums {
		total += max(v, 0)
	}
	if total > 0 && f.Nature != natureAvoir {
		at := x
		for i, v := range sums {
			part := w * float64(max(v, 0)) / float64(total) // of a drawing, not of money
			p.fill(rubriques[i].colour)
			p.Rect(at, y+1, part, 4, "F")
			at += part
		}
		y += 7.5
	}
	for i, r := range rubriques {
		if !f.porte(r.code) {
			continue
		}
		p.fill(r.colour)
		p.Rect(x, y+1.4, 2.2, 2.2, "F")
		p.at(x+4.5, y, w-26, 5, r.titre, "L", false, 8.7, ink)
		p.at(x+w-22, y, 22, 5, message.Euros(sums[i]), "R", false, 9, ink)
		y += 5.6
	}
	p.stroke(rule)
	p.SetLineWidth(0.2)
	p.Line(x, y+0.8, x+w, y+0.8)
	y += 2
	p.at(x, y, w-30, 5, "Total hors taxes", "L", false, 8.5, grey)
	p.at(x+w-28, y, 28, 5, message.Euros(f.HTCentimes), "R", false, 8.8, ink)
	y += 5.2
	for _, t := range f.TVA {
		p.at(x, y, w-30, 5, "TVA "+taux(t.TauxPM)+" sur "+message.Euros(t.BaseCentimes), "L", false, 8.5, grey)
		p.at(x+w-28, y, 28, 5, message.Euros(t.MontantCentimes), "R", false, 8.8, ink)
		y += 5.2
	}
	p.fill(tint)
	p.RoundedRect(x-2, y+0.8, w+4, 8.4, 1.5, "1234", "F")
	p.at(x, y+2, w-36, 6, "Total toutes taxes comprises", "L", true, 9.5, deep)
	p.at(x+w-36, y+2, 36, 6, message.Euros(f.TTCCentimes), "R", true, 12, deep)
	y += 11.5
	if with, without, ok := f.prixDuLitre(); ok {
		p.at(x, y, w, 4, "Prix du litre d'eau, TTC", "L", true, 8, ink)
		p.at(x, y+4.2, w, 4, with+" € abonnement compris, "+without+" € hors abonnement", "L", false, 8, ink)
		y += 9
	}
	return y
}

// compteurs shows each meter's indexes and how they were obtained, and returns
// where it ends.
func compteurs(p *page, f imprimee, y float64) float64 {
	columns := []struct {
		head string
		w    float64
	}{{"Compteur", 38}, {"Ancien index", 46}, {"Nouvel index", 46}, {"Volume", 24}, {"Votre consommation", 24}}
	y = p.section(left, y, width, "Vos compteurs")
	x := left
	for i, c := range columns[:4] {
		p.at(x, y, c.w, 4, c.head, align(i), false, 7.5, grey)
		x += c.w
	}
	p.at(x, y, columns[4].w, 4, "Relevé", "R", false, 7.5, grey)
	y += 4.6
	for i, pose := range f.Cas.Poses {
		serie := ""
		if i < len(f.Series) {
			serie = f.Series[i]
		}
		last := i == len(f.Cas.Poses)-1
		how := "relevé"
		if f.Estimee && last {
			how = "estimé"
		} else if !last {
			how = "relevé, dépose"
		}
		x = left
		for k, text := range []string{serie, fmt.Sprintf("%d le %s", pose.IndexDebut, enChiffres(pose.Du)), fmt.Sprintf("%d le %s", pose.IndexFin, enChiffres(pose.Au)),
			m3(volumePose(pose)) + " m³", how} {
			p.at(x, y, columns[k].w, 5, text, align(k), false, 8.8, ink)
			x += columns[k].w
		}
		y += 5.2
	}
	return y + 3
}

// volumePose is what flowed through a meter, by its indexes.
func volumePose(p tarif.Pose) (litres int64) {
	before := p.IndexDebut
	for _, r := range append(slices.Clone(p.Releves), tarif.Releve{Index: p.IndexFin}) {
		units := r.Index - before
		if units < 0 {
			units += pow10(p.Roues)
		}
		litres += units * p.LitresParUnite
		before = r.Index
	}
	return litres
}

func align(column int) string {
	if column == 0 {
		return "L"
	}
	return "R"
}

// enChiffres is a day as dd/mm/yyyy.
func enChiffres(d tarif.Date) string {
	s := d.String() // yyyy-mm-dd
	return s[8:] + "/" + s[5:7] + "/" + s[:4]
}

// verso lists every line, explains, and ends with what the law has said.
func (s service) verso(p *page, f imprimee) {
	what := f.intitule() + " " + f.Numero
	start := func() float64 {
		p.AddPage()
		p.fill(deep)
		p.Rect(0, 0, 210, 3, "F")
		p.at(left, 9, 120, 5, what, "L", true, 9, deep)
		p.at(right-60, 9, 60, 5, "Référence client "+f.Contrat, "R", false, 8, grey)
		return 18
	}
	y := start()
	y = p.section(left, y, width, "Le détail de votre facture")
	widths := []float64{84, 28, 30, 14, 22}
	row := func(h float64, bold bool, size float64, c colour, cells ...string) {
		if y+h > bottom-4 {
			p.pied(s, what)
			y = start()
		}
		x := left
		for i, text := range cells {
			p.at(x, y, widths[i], h, text, align(i), bold, size, c)
			x += widths[i]
		}
		y += h
	}
	row(4.6, false, 7.5, grey, "", "Quantité", "Prix unitaire HT", "TVA", "Montant HT")
	sums := f.parRubrique()
	for i, r := range rubriques {
		if !f.porte(r.code) {
			continue
		}
		if y+12 > bottom-4 {
			p.pied(s, what)
			y = start()
		}
		p.fill(tint)
		p.Rect(left, y, width, 5.8, "F")
		p.fill(r.colour)
		p.Rect(left, y, 1.2, 5.8, "F")
		row(5.8, true, 8.8, ink, "   "+r.titre, "", "", "", message.Euros(sums[i]))
		y += 0.6
		for _, l := range f.Lignes {
			if l.Rubrique != r.code {
				continue
			}
			quantity, unit := "", ""
			switch {
			case l.Litres != 0:
				quantity, unit = m3(l.Litres)+" m³", prix(l.PrixUE)+" €/m³"
			case l.Jours != 0:
				quantity, unit = fmt.Sprintf("%d jours sur 365", l.Jours), prix(l.PrixUE)+" €/an"
			}
			row(4.9, false, 8.5, ink, "   "+l.Libelle, quantity, unit, taux(l.TVAPM), message.Euros(l.HTCentimes))
		}
		y += 1.2
	}
	p.stroke(rule)
	p.SetLineWidth(0.2)
	p.Line(left, y, right, y)
	y += 1
	row(5, false, 8.5, ink, "Total hors taxes", "", "", "", message.Euros(f.HTCentimes))
	for _, t := range f.TVA {
		row(5, false, 8.5, ink, "TVA "+taux(t.TauxPM)+" sur "+message.Euros(t.BaseCentimes), "", "", "", message.Euros(t.MontantCentimes))
	}
	row(6, true, 9.5, deep, "Total toutes taxes comprises", "", "", "", message.Euros(f.TTCCentimes))

	// What the words mean, and the law's own, in two columns.
	const gap = 8.0
	w := (width - gap) / 2
	var notes []mention
	for _, r := range rubriques {
		if f.porte(r.code) {
			notes = append(notes, mention{Titre: r.titre, Texte: r.explication})
		}
	}
	for _, m := range f.Mentions {
		if m.Place == "verso" {
			notes = append(notes, m)
		}
	}
	notes = append(notes, mention{Titre: "Une question, une réclamation", Texte: joined(", ", s.Telephone, s.Email, s.Adresse) + "."})
	y += 5
	if y+60 > bottom {
		p.pied(s, what)
		y = start()
	}
	y = p.section(left, y, width, "Comprendre, et connaître vos droits")
	height := func(m mention) float64 { return 4.4 + 3.5*float64(p.lines(w, m.Texte, false, 7.6)) + 2.4 }
	var whole float64
	for _, m := range notes {
		whole += height(m)
	}
	x, top, used := left, y, 0.0
	for _, m := range notes {
		h := height(m)
		switch {
		case x == left && (used+h/2 > whole/2 || y+h > bottom):
			x, y = left+w+gap, top
		case x > left && y+h > bottom:
			p.pied(s, what)
			x, y = left, start()
			top = y
		}
		p.at(x, y, w, 4.4, m.Titre, "L", true, 8, ink)
		p.para(x, y+4.4, w, 3.5, m.Texte, false, 7.6, grey)
		y += h
		used += h
	}
	p.pied(s, what)
}

// parRubrique is what each of the rubriques costs, without VAT.
func (f imprimee) parRubrique() (sums [3]int64) {
	for i, r := range rubriques {
		for _, l := range f.Lignes {
			if l.Rubrique == r.code {
				sums[i] += l.HTCentimes
			}
		}
	}
	return sums
}

func (f imprimee) porte(rubrique string) bool {
	return slices.ContainsFunc(f.Lignes, func(l message.LigneFacture) bool { return l.Rubrique == rubrique })
}

// operation is the category of what is invoiced (CGI annexe II, 242 nonies A,
// I 8° bis): water is a good, sewerage a service.
func (f imprimee) operation() string {
	goods, services := f.porte(string(tarif.Distribution)), f.porte(string(tarif.EauxUsees))
	switch {
	case goods && services:
		return "Livraison de biens et prestation de services"
	case services:
		return "Prestation de services"
	}
	return "Livraison de biens"
}

// prixDuLitre is the price of a litre, TTC, with and without the subscription
// (arrete of 28 April 2016), of what this bill prices: estimates that it takes
// back left aside.
func (f imprimee) prixDuLitre() (with, without string, ok bool) {
	if f.VolumeLitres <= 0 || f.Nature == natureAvoir {
		return "", "", false
	}
	var all, variable int64 // in thousandths of a centime
	for _, l := range f.Lignes {
		if strings.HasPrefix(l.Code, "acompte/") {
			continue
		}
		ttc := l.HTCentimes * (1000 + l.TVAPM)
		all += ttc
		if l.Litres != 0 {
			variable += ttc
		}
	}
	return litre(all, f.VolumeLitres), litre(variable, f.VolumeLitres), true
}

// litre is a price per litre in euros with four decimals, of thousandths of a
// centime for some litres.
func litre(milliemes, litres int64) string {
	n := (milliemes/10 + litres/2) / litres
	return fmt.Sprintf("%d,%04d", n/10_000, n%10_000)
}

func lignesAdresse(a message.Adresse) []string {
	var out []string
	for _, l := range []string{a.Voie, a.Complement, a.CodePostal + " " + a.Commune} {
		if l != "" {
			out = append(out, l)
		}
	}
	return out
}

// enLettres is a day as one says it: 1er octobre 2026.
func enLettres(d message.Date) string { return francais.date(tarif.DateOf(d.Time())) }

// abrege is a month in four letters at most.
func abrege(m time.Month) string {
	return [...]string{"janv.", "févr.", "mars", "avril", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."}[m-1]
}
