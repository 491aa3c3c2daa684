package main

import (
	"context"
	"fmt"
	"slices"
	"unicode"
	"unicode/utf8"

	"aquaerp.fr/functions/facture/tarif"
	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// expliquerFacture explains a bill from what is stored with it. An abonne
// sees their own, once issued.
func expliquerFacture(ctx context.Context, tx *function.Tx, q message.ExpliquerFacture) (message.ExplicationFacture, error) {
	f, err := loadFacture(ctx, tx, q.FactureID)
	if err == nil && !visible(tx, f) {
		err = factureInconnue()
	}
	if err != nil {
		return message.ExplicationFacture{}, err
	}
	s, err := loadStockee(ctx, tx, q.FactureID)
	if err != nil {
		return message.ExplicationFacture{}, err
	}
	out := message.ExplicationFacture{FactureID: f.ID, Numero: f.Numero, Nature: s.nature, Conforme: true}
	if s.cas == nil {
		out.Explication = constat(f, s.sansCas())
		return out, nil
	}
	t, ecarts, err := s.rejouer()
	if err != nil || len(ecarts) > 0 {
		out.Conforme = false
		out.Explication = constat(f, phrase(func(l langue) string {
			return l.pick("Le calcul refait à partir des données conservées ne redonne pas exactement cette facture : seules ses lignes sont montrées. Signalez-le au service.",
				"Computing again from what was stored does not give exactly this bill: only its lines are shown. Please tell the service.")
		}))
		return out, nil
	}
	out.Explication = explication(s.cas, s.sources(), t)
	return out, nil
}

// constat tells the lines of a bill, without a way to them.
func constat(f message.Facture, resume message.Phrase) message.Explication {
	e := message.Explication{
		Resume: []message.Phrase{resume}, Troncons: []message.TronconExplique{}, Volumes: []message.VolumeExplique{},
		Lignes: []message.LigneExpliquee{}, TVA: []message.TVAExpliquee{},
		HTCentimes: f.HTCentimes, TVACentimes: f.TVACentimes, TTCCentimes: f.TTCCentimes,
	}
	for _, l := range f.Lignes {
		e.Lignes = append(e.Lignes, message.LigneExpliquee{LigneFacture: l,
			Texte:  message.Phrase{FR: l.Libelle, EN: l.Libelle},
			Calcul: phrase(func(n langue) string { return n.euros(l.HTCentimes) })})
	}
	for _, v := range f.TVA {
		e.TVA = append(e.TVA, message.TVAExpliquee{TVAFacture: v, Calcul: phrase(func(l langue) string {
			return l.pick("TVA ", "VAT ") + l.taux(v.TauxPM) + l.pick(" sur ", " on ") + l.euros(v.BaseCentimes) + " = " + l.euros(v.MontantCentimes)
		})})
	}
	sommer(&e)
	return e
}

// sommer adds the lines up by rubrique and says the total.
func sommer(e *message.Explication) {
	e.Rubriques = []message.Rubrique{}
	for _, l := range e.Lignes {
		k := slices.IndexFunc(e.Rubriques, func(r message.Rubrique) bool { return r.Code == l.Rubrique })
		if k < 0 {
			k = len(e.Rubriques)
			e.Rubriques = append(e.Rubriques, message.Rubrique{Code: l.Rubrique})
		}
		e.Rubriques[k].HTCentimes += l.HTCentimes
	}
	e.Total = phrase(func(l langue) string {
		return l.euros(e.HTCentimes) + l.pick(" hors taxes + ", " before VAT + ") + l.euros(e.TVACentimes) + l.pick(" de TVA = ", " of VAT = ") + l.euros(e.TTCCentimes)
	})
}

// explication tells a priced case.
func explication(c *tarif.Cas, o *origine, t tarifee) message.Explication {
	x := explique{c, o, t}
	r := t.Resultat
	e := message.Explication{
		Resume: []message.Phrase{x.resume()}, Troncons: []message.TronconExplique{}, Volumes: []message.VolumeExplique{},
		Fuite: x.fuite(), Lignes: []message.LigneExpliquee{}, TVA: []message.TVAExpliquee{},
		HTCentimes: r.HTCentimes, TVACentimes: r.TVACentimes, TTCCentimes: r.TTCCentimes,
	}
	for i := range t.Troncons {
		e.Troncons = append(e.Troncons, x.troncon(i))
	}
	for _, v := range t.Volumes {
		days := both(c.Grilles[v.Grille].Periode, c.Periode)
		e.Volumes = append(e.Volumes, message.VolumeExplique{
			Service: string(v.Service), Grille: c.Grilles[v.Grille].Code, GrilleID: o.Grilles[v.Grille].ID, Deliberation: o.Grilles[v.Grille].Deliberation,
			Du: jourDe(days.Du), Au: jourDe(days.Au), Jours: int(v.Jours), MesureLitres: v.MesureLitres, FactureLitres: v.FactureLitres,
		})
	}
	for i := range t.lignes {
		e.Lignes = append(e.Lignes, x.ligne(i))
	}
	for i, v := range t.tva {
		exact := t.TVA[i].String()
		e.TVA = append(e.TVA, message.TVAExpliquee{TVAFacture: v, Exact: exact, Calcul: phrase(func(l langue) string {
			return l.pick("TVA ", "VAT ") + l.taux(v.TauxPM) + l.pick(" sur ", " on ") + l.euros(v.BaseCentimes) + " " + l.egal(exact, v.MontantCentimes)
		})})
	}
	sommer(&e)
	return e
}

// explique is a priced case under the pen.
type explique struct {
	c *tarif.Cas
	o *origine
	t tarifee
}

func jourDe(d tarif.Date) message.Date {
	day, err := message.ParseDate(d.String())
	if err != nil {
		panic(err) // a case that was priced has days only
	}
	return day
}

func (x explique) resume() message.Phrase {
	p, litres := x.c.Periode, x.t.Resultat.VolumeEauLitres
	return phrase(func(l langue) string {
		if l == english {
			return fmt.Sprintf("From %s to %s (%s), this bill counts %s of water.", l.date(p.Du), l.date(p.Au), l.jours(int64(p.Au-p.Du)), l.m3(litres))
		}
		return fmt.Sprintf("Du %s au %s (%s), cette facture compte %s d'eau.", l.date(p.Du), l.date(p.Au), l.jours(int64(p.Au-p.Du)), l.m3(litres))
	})
}

func (x explique) troncon(i int) message.TronconExplique {
	t := x.t.Troncons[i]
	p, from := x.c.Poses[t.Pose], x.o.Poses[t.Pose]
	point := func(day tarif.Date) origineDePoint {
		switch k := slices.IndexFunc(p.Releves, func(r tarif.Releve) bool { return r.Date == day }); {
		case k >= 0:
			return from.Points[k+1]
		case day == p.Du:
			return from.Points[0]
		}
		return from.Points[len(from.Points)-1]
	}
	first, last := point(t.Du), point(t.Au)
	out := message.TronconExplique{
		Compteur: from.Serie, Du: jourDe(t.Du), Au: jourDe(t.Au), IndexDebut: t.IndexDebut, IndexFin: t.IndexFin, Litres: t.Litres,
		SourceDebut: first.Source, SourceFin: last.Source, ReleveDebut: first.Releve, ReleveFin: last.Releve, Partages: []message.Phrase{},
	}
	out.Texte = phrase(func(l langue) string {
		through := ""
		if t.IndexFin < t.IndexDebut {
			through = l.pick(" en repassant par zéro", " through zero")
		}
		unit := ""
		if p.LitresParUnite != 1000 {
			unit = fmt.Sprintf(l.pick(", en unités de %s\u00a0litres", ", in units of %s\u00a0litres"), message.Milliers(p.LitresParUnite))
		}
		return fmt.Sprintf(l.pick("Du %s au %s, %s ont été consommés : le compteur %s est passé de %s à %s%s%s.",
			"From %s to %s, %s flowed: meter %s went from %s to %s%s%s."),
			l.date(t.Du), l.date(t.Au), l.m3(t.Litres), from.Serie, l.index(t.IndexDebut, first.Source), l.index(t.IndexFin, last.Source), through, unit)
	})
	for _, service := range []tarif.Service{tarif.Eau, tarif.Assainissement} {
		var parts []tarif.Part
		for _, part := range x.t.Parts {
			if part.Troncon == i && part.Service == service {
				parts = append(parts, part)
			}
		}
		if len(parts) > 1 {
			out.Partages = append(out.Partages, x.partage(t, service, parts))
		}
	}
	return out
}

// partage says how a change of tariff shares a volume by days.
func (x explique) partage(t tarif.Troncon, service tarif.Service, parts []tarif.Part) message.Phrase {
	return phrase(func(l langue) string {
		s := fmt.Sprintf(l.pick("Le tarif de %s change pendant ces jours ; les %s sont partagés selon les jours : ", "The tariff of %s changes during these days; the %s are shared by days: "),
			l.service(service), l.m3(t.Litres))
		for k, part := range parts {
			if k > 0 {
				s += l.pick(" ; ", "; ")
			}
			du := max(x.c.Grilles[part.Grille].Du, t.Du)
			s += fmt.Sprintf(l.pick("%s pour %s dès le %s", "%s for %s from %s on"), l.m3(part.Litres), l.jours(part.Jours), l.date(du))
		}
		return s + "."
	})
}

// fuite holds the volume against the usual one, nil when that is not known.
func (x explique) fuite() *message.FuiteExpliquee {
	if x.c.Fuite == nil || !x.c.PDL.Habitation {
		return nil
	}
	f := message.FuiteExpliquee{MoyenLitres: x.c.Fuite.VolumeMoyenLitres, Anormale: x.t.Resultat.Anormale, Plafonnee: x.t.Plafonnee, Annees: []message.Volumes{}}
	for _, t := range x.t.Troncons {
		f.MesureLitres += t.Litres
	}
	for _, v := range x.o.Habitude {
		f.Annees = append(f.Annees, message.Volumes{Du: jourDe(v.Du), Au: jourDe(v.Au), Litres: v.Litres})
	}
	r := x.t.Resultat
	f.Texte = phrase(func(l langue) string {
		s := fmt.Sprintf(l.pick("Aux mêmes périodes des années précédentes, %s étaient consommés en moyenne. ", "In the same periods of earlier years, %s flowed on average. "), l.m3(f.MoyenLitres))
		switch {
		case !f.Anormale:
			return s + fmt.Sprintf(l.pick("Les %s mesurés ne dépassent pas %s.", "The %s measured are not more than %s that."), l.m3(f.MesureLitres), l.fois(x.c.Fuite.Multiple))
		case !f.Plafonnee:
			return s + fmt.Sprintf(l.pick("Les %s mesurés dépassent %s : une fuite est possible. Avec l'attestation d'un plombier dans le mois, la facture est plafonnée (CGCT, art. L2224-12-4).",
				"The %s measured are more than %s that: there may be a leak. With a plumber's certificate within a month, the bill is capped (CGCT, art. L2224-12-4)."), l.m3(f.MesureLitres), l.fois(x.c.Fuite.Multiple))
		}
		s += fmt.Sprintf(l.pick("Les %s mesurés dépassent %s ; la facture est plafonnée à %s d'eau", "The %s measured are more than %s that; the bill is capped at %s of water"),
			l.m3(f.MesureLitres), l.fois(x.c.Fuite.Multiple), l.m3(r.VolumeEauLitres))
		if x.c.PDL.Assainissement {
			s += fmt.Sprintf(l.pick(" et %s d'assainissement", " and %s of sewerage"), l.m3(r.VolumeAssainissementLitres))
		}
		return s + l.pick(" (CGCT, art. L2224-12-4).", " (CGCT, art. L2224-12-4).")
	})
	return &f
}

// ligne tells one line.
func (x explique) ligne(i int) message.LigneExpliquee {
	out := message.LigneExpliquee{LigneFacture: x.t.lignes[i]}
	how := x.t.Calculs[i]
	switch how.Regle {
	case 5, 6:
		g := &x.c.Grilles[how.Source]
		days := both(g.Periode, x.c.Periode)
		out.Du, out.Au, out.Origine = jourDe(days.Du), jourDe(days.Au), x.o.Grilles[how.Source].Deliberation
		out.DeLitres, out.ALitres = how.De, how.A
		if how.Regle == 5 {
			out.Texte = phrase(func(l langue) string { return x.fixe(l, out, g, days) })
		} else {
			out.Texte = phrase(func(l langue) string { return x.tranche(l, out, g, how, days) })
		}
	case 7:
		out.Origine = x.o.Redevances[how.Source].Source
		out.Texte = phrase(func(l langue) string { return x.redevance(l, out, &x.c.Redevances[how.Source]) })
	case 9:
		out.Origine = x.o.Acomptes[how.Source].Facture
		out.Texte = phrase(func(l langue) string { return x.acompte(l, out, &x.o.Acomptes[how.Source]) })
	}
	out.Calcul = phrase(func(l langue) string { return x.formule(l, out, how) })
	return out
}

// pendant opens a sentence with the days of a line, when they are not all
// those of the bill.
func (x explique) pendant(l langue, days tarif.Periode, sentence string) string {
	if days != x.c.Periode {
		return fmt.Sprintf(l.pick("Du %s au %s, ", "From %s to %s, "), l.date(days.Du), l.date(days.Au)) + sentence
	}
	first, size := utf8.DecodeRuneInString(sentence)
	return string(unicode.ToUpper(first)) + sentence[size:]
}

// selon names who decided a price.
func selon(l langue, origine string) string {
	if origine == "" {
		return ""
	}
	return l.pick(" (décision : ", " (decision: ") + origine + ")"
}

func (x explique) fixe(l langue, line message.LigneExpliquee, g *tarif.Grille, days tarif.Periode) string {
	return x.pendant(l, days, fmt.Sprintf(l.pick("l'abonnement pour %s coûte %s par logement et par an%s.", "the subscription for %s costs %s a year and dwelling%s."),
		l.service(g.Service), l.prix(g.PartFixeAn), selon(l, line.Origine)))
}

func (x explique) tranche(l langue, line message.LigneExpliquee, g *tarif.Grille, how tarif.Calcul, days tarif.Periode) string {
	price, by := l.prix(g.Tranches[how.Tranche-1].PrixM3), selon(l, line.Origine)
	during := l.pour(int64(days.Au-days.Du), x.c.PDL.Logements)
	bound := func(k int) string { return l.volume(*g.Tranches[k-1].JusquaM3 * 1000) }
	var s string
	switch {
	case len(g.Tranches) == 1:
		s = fmt.Sprintf(l.pick("chaque m³ coûte %s pour %s%s.", "each m³ costs %s for %s%s."), price, l.service(g.Service), by)
	case how.Tranche == 1 && how.A != nil:
		s = fmt.Sprintf(l.pick("les %s premiers m³ par logement et par an coûtent %s le m³%s ; %s, ce sont les %s premiers m³.",
			"the first %s m³ a year and dwelling cost %s a m³%s; %s, these are the first %s m³."), bound(1), price, by, during, l.volume(*how.A))
	case how.A != nil:
		s = fmt.Sprintf(l.pick("de %s à %s m³ par logement et par an, le m³ coûte %s%s ; %s, cela va de %s à %s m³.",
			"from %s to %s m³ a year and dwelling, a m³ costs %s%s; %s, this is from %s to %s m³."), bound(how.Tranche-1), bound(how.Tranche), price, by, during, l.volume(how.De), l.volume(*how.A))
	default:
		s = fmt.Sprintf(l.pick("au-delà de %s m³ par logement et par an, le m³ coûte %s%s ; %s, c'est au-delà de %s m³.",
			"beyond %s m³ a year and dwelling, a m³ costs %s%s; %s, this is beyond %s m³."), bound(how.Tranche-1), price, by, during, l.volume(how.De))
	}
	return x.pendant(l, days, s)
}

func (x explique) redevance(l langue, line message.LigneExpliquee, r *tarif.Redevance) string {
	source := ""
	if line.Origine != "" {
		source = " (" + line.Origine + ")"
	}
	return fmt.Sprintf(l.pick("Cette redevance est reversée à un organisme public : %s par m³, au taux en vigueur à la date de facturation, le %s%s.",
		"This duty is passed on to a public body: %s per m³, at the rate in force on the date of billing, %s%s."),
		l.prix(r.TauxM3), l.date(x.c.DateFacturation), source)
}

func (x explique) acompte(l langue, line message.LigneExpliquee, a *origineDAcompte) string {
	verb := l.pick("déduit", "deducted")
	if line.HTCentimes > 0 {
		verb = l.pick("rajouté", "added back")
	}
	bill := a.Facture
	if bill == "" {
		bill = l.pick("précédente", "before")
	}
	return fmt.Sprintf(l.pick("La facture %s avait compté %s sur une estimation (%s) ; ce montant est %s, car ces jours sont ici comptés de nouveau.",
		"Bill %s had counted %s on an estimate (%s); this amount is %s, because these days are counted again here."),
		bill, l.euros(-line.HTCentimes), a.Libelle, verb)
}

// formule writes how the amount of a line is computed.
func (x explique) formule(l langue, line message.LigneExpliquee, how tarif.Calcul) string {
	egal := l.egal(line.Exact, line.HTCentimes)
	switch how.Regle {
	case 5:
		return l.prix(line.PrixUE) + l.logements(x.c.PDL.Logements) + " × " + l.jours(int64(line.Jours)) + " / 365 " + egal
	case 6:
		return l.m3(line.Litres) + " × " + l.prix(line.PrixUE) + " " + egal
	case 7:
		r := &x.c.Redevances[how.Source]
		factor := ""
		if r.CoefficientPm != 1000 {
			factor = " × " + l.coefficient(r.CoefficientPm)
		}
		return l.m3(line.Litres) + " × " + l.prix(r.TauxM3) + factor + " " + egal
	}
	return egal
}
