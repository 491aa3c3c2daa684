package main

import (
	"math/big"
	"strings"
	"testing"
	"time"

	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

// flat spells no-break spaces as spaces.
var flat = strings.NewReplacer("\u00a0", " ", "\u202f", " ")

func (b *bundle) explain(t *testing.T, id string) message.ExplicationFacture {
	t.Helper()
	e := functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.ExpliquerFacture{FactureID: id})
	adds(t, e.Explication)
	return e
}

// adds holds an explanation to its bill: exact amounts round to the lines, the
// lines and VAT add up to the total.
func adds(t *testing.T, e message.Explication) {
	t.Helper()
	rounds := func(exact string, centimes int64) {
		t.Helper()
		r, ok := new(big.Rat).SetString(exact)
		if !ok {
			t.Fatalf("%q is not a fraction", exact)
		}
		r.Sub(r, big.NewRat(centimes, 1))
		if r.Abs(r).Cmp(big.NewRat(1, 2)) > 0 {
			t.Errorf("%s is not %d centimes", exact, centimes)
		}
	}
	var ht, tva, rubriques int64
	for _, l := range e.Lignes {
		ht += l.HTCentimes
		if l.Regle != 0 {
			rounds(l.Exact, l.HTCentimes)
		}
	}
	for _, v := range e.TVA {
		tva += v.MontantCentimes
		if v.Exact != "" {
			rounds(v.Exact, v.MontantCentimes)
		}
	}
	for _, r := range e.Rubriques {
		rubriques += r.HTCentimes
	}
	if ht != e.HTCentimes || tva != e.TVACentimes || rubriques != ht || ht+tva != e.TTCCentimes {
		t.Errorf("lines %d, rubriques %d and VAT %d of a bill of %d + %d = %d", ht, rubriques, tva, e.HTCentimes, e.TVACentimes, e.TTCCentimes)
	}
}

// TestExplication explains a bill over a change of tariff, in slabs, with a
// reading in the middle, in words.
func TestExplication(t *testing.T) {
	t.Parallel()
	b := &bundle{Function: functiontest.Start(t, "facture", listens)}
	staff := functiontest.Staff()
	janvier, juillet, fin := message.NewDate(2026, time.January, 1), message.NewDate(2026, time.July, 1), message.NewDate(2027, time.January, 1)
	bound := int64(30)
	for _, g := range []message.DefinirGrille{
		{Code: "eau-a", Service: "eau", Du: janvier, Au: juillet, PartFixeAnUE: 15_000_000,
			Tranches: []message.Tranche{{JusquaM3: &bound, PrixM3UE: 1_200_000}, {PrixM3UE: 1_500_000}}, TVAPM: 55, Deliberation: "2025-12"},
		{Code: "eau-b", Service: "eau", Du: juillet, Au: fin, PartFixeAnUE: 15_000_000,
			Tranches: []message.Tranche{{JusquaM3: &bound, PrixM3UE: 1_300_000}, {PrixM3UE: 1_600_000}}, TVAPM: 55, Deliberation: "2026-06"},
		{Code: "eu", Service: "assainissement", Du: janvier, Au: fin, Tranches: []message.Tranche{{PrixM3UE: 2_000_000}}, TVAPM: 100, Deliberation: "2025-13"},
	} {
		functiontest.MustAsk(t, b.Function, staff, g)
	}
	functiontest.MustAsk(t, b.Function, staff, message.DefinirRedevance{Code: "reseaux", Libelle: "Performance des réseaux", Service: "eau",
		Du: janvier, Au: fin, TauxM3UE: 100_000, CoefficientPM: 200, TVAPM: 55, Source: "agence 2026-1"})
	c := contract(0)
	b.deliver(t, "contrat", c.ContratID, c)
	b.readAs(t, c, avril, 130, "AGENT")
	b.readAs(t, c, message.NewDate(2026, time.June, 1), 150, "ABONNE")
	b.readAs(t, c, octobre, 190, "TELERELEVE")
	f := b.bills(t, b.issue(t, lotOf(avril, octobre, emises)).ID)[0]
	e := b.explain(t, f.ID)
	if !e.Conforme || e.Numero != f.Numero || e.TTCCentimes != f.TTCCentimes {
		t.Fatalf("got %+v", e)
	}
	said := func(got message.Phrase, fr, en string) {
		t.Helper()
		if flat.Replace(got.FR) != fr {
			t.Errorf("\n got %s\nwant %s", flat.Replace(got.FR), fr)
		}
		if flat.Replace(got.EN) != en {
			t.Errorf("\n got %s\nwant %s", flat.Replace(got.EN), en)
		}
	}
	said(e.Resume[0], "Du 1er avril 2026 au 1er octobre 2026 (183 jours), cette facture compte 60 m³ d'eau.",
		"From 1 April 2026 to 1 October 2026 (183 days), this bill counts 60 m³ of water.")
	said(e.Troncons[0].Texte, "Du 1er avril 2026 au 1er juin 2026, 20 m³ ont été consommés : le compteur S00000 est passé de 130 (relevé par un agent) à 150 (transmis par l'abonné).",
		"From 1 April 2026 to 1 June 2026, 20 m³ flowed: meter S00000 went from 130 (read by an agent) to 150 (sent by the subscriber).")
	// 40 m3 over 122 days, 30 of them before 1 July: 9 836 and 30 163 litres, and one left to the larger remainder.
	if len(e.Troncons[0].Partages) != 0 || len(e.Troncons[1].Partages) != 1 {
		t.Fatalf("troncons %+v", e.Troncons)
	}
	said(e.Troncons[1].Partages[0], "Le tarif de l'eau change pendant ces jours ; les 40 m³ sont partagés selon les jours : 9,836 m³ pour 30 jours dès le 1er juin 2026 ; 30,164 m³ pour 92 jours dès le 1er juillet 2026.",
		"The tariff of water changes during these days; the 40 m³ are shared by days: 9.836 m³ for 30 days from 1 June 2026 on; 30.164 m³ for 92 days from 1 July 2026 on.")
	lines := map[string]message.LigneExpliquee{}
	for _, l := range e.Lignes {
		lines[l.Code] = l
	}
	said(lines["eau-a/fixe"].Texte, "Du 1er avril 2026 au 1er juillet 2026, l'abonnement pour l'eau coûte 15,00 € par logement et par an (décision : 2025-12).",
		"From 1 April 2026 to 1 July 2026, the subscription for water costs 15.00 € a year and dwelling (decision: 2025-12).")
	said(lines["eau-a/fixe"].Calcul, "15,00 € × 91 jours / 365 = 3,739726… €, arrondi à 3,74 €", "15.00 € × 91 days / 365 = 3.739726… €, rounded to 3.74 €")
	said(lines["eau-a/tranche-1"].Texte, "Du 1er avril 2026 au 1er juillet 2026, les 30 premiers m³ par logement et par an coûtent 1,20 € le m³ (décision : 2025-12) ; pour 91 jours, ce sont les 7,479 premiers m³.",
		"From 1 April 2026 to 1 July 2026, the first 30 m³ a year and dwelling cost 1.20 € a m³ (decision: 2025-12); for 91 days, these are the first 7.479 m³.")
	said(lines["eau-a/tranche-2"].Calcul, "22,357 m³ × 1,50 € = 33,5355 €, arrondi à 33,54 €", "22.357 m³ × 1.50 € = 33.5355 €, rounded to 33.54 €")
	said(lines["eu/tranche-1"].Texte, "Chaque m³ coûte 2,00 € pour l'assainissement (décision : 2025-13).", "Each m³ costs 2.00 € for sewerage (decision: 2025-13).")
	said(lines["redevance/reseaux"].Texte, "Cette redevance est reversée à un organisme public : 0,10 € par m³, au taux en vigueur à la date de facturation, le 15 octobre 2026 (agence 2026-1).",
		"This duty is passed on to a public body: 0.10 € per m³, at the rate in force on the date of billing, 15 October 2026 (agence 2026-1).")
	said(lines["redevance/reseaux"].Calcul, "60 m³ × 0,10 € × 0,2 = 1,20 €", "60 m³ × 0.10 € × 0.2 = 1.20 €")

	// What happens to tariffs and readings afterwards changes nothing.
	for _, sql := range []string{"delete from releve", "update redevance set libelle = 'autre', source = 'autre'", "update pose set serie = 'AUTRE'"} {
		if _, err := b.DB.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	if again := b.explain(t, f.ID); asJSON(again) != asJSON(e) {
		t.Errorf("the explanation changed\n got %+v\nwant %+v", again, e)
	}

	other := functiontest.Subscriber(contract(1).Abonne.ID)
	if _, err := functiontest.Ask(t, b.Function, other, message.ExpliquerFacture{FactureID: f.ID}); functiontest.Code(err) != "facture_inconnue" {
		t.Errorf("another subscriber: %v", err)
	}
	if mine := functiontest.MustAsk(t, b.Function, functiontest.Subscriber(f.AbonneID), message.ExpliquerFacture{FactureID: f.ID}); mine.Numero != f.Numero {
		t.Errorf("its own subscriber got %+v", mine)
	}
}
