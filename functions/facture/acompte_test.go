package main

import (
	"testing"

	"pgregory.net/rapid"

	"aquaerp.fr/functions/facture/tarif"
	"aquaerp.fr/shared/message"
)

// TestBilledMoneyTelescopes bills a contract over meters that roll over and
// are changed, on readings and on chains of estimates. In the end the bills,
// acomptes included, come to the centime to what the real readings cost; and,
// where the price of a m3 is one, to what the whole consumption costs at once,
// but for the rounding of each line.
func TestBilledMoneyTelescopes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		start, _ := tarif.ParseDate("2024-01-01")
		all := tarif.Periode{Du: start, Au: start + 4000}
		linear := rapid.Bool().Draw(t, "one price")
		tranches := []tarif.Tranche{{PrixM3: 1_234_567}}
		if !linear {
			tranches = []tarif.Tranche{{JusquaM3: new(int64(30)), PrixM3: 900_001}, {PrixM3: 2_345_678}}
		}
		grilles := []tarif.Grille{{Code: "e", Service: tarif.Eau, Periode: all, PartFixeAn: 37_123_456, Tranches: tranches, TVAPm: 55},
			{Code: "a", Service: tarif.Assainissement, Periode: all, Tranches: []tarif.Tranche{{PrixM3: 1_876_543}}, TVAPm: 100}}
		redevances := []tarif.Redevance{{Code: "r", Service: tarif.Eau, Periode: all, TauxM3: 333_333, CoefficientPm: 777, TVAPm: 55}}
		price := func(c tarif.Cas) tarif.Resultat {
			c.Grilles, c.Redevances, c.DateFacturation, c.Fuite = grilles, redevances, start, nil
			r, err := tarif.Calculer(&c)
			if err != nil {
				t.Fatalf("%v: %+v", err, c)
			}
			return r
		}
		index := rapid.Int64Range(0, 99_999).Draw(t, "first index")
		d := &dossier{contrat: contrat{logements: rapid.IntRange(1, 3).Draw(t, "dwellings"), assainissement: true}}
		d.poses = []pose{{id: "0", roues: 5, litresParUnite: 1000, du: start, debut: index}}
		var billed, real int64 // HT
		end, bills := start, int64(0)
		bill := func(jusqua tarif.Date) {
			c, estimee, err := d.jusqua(start-tolerance-1, jusqua)
			if err == errSansReleve {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			r := price(c)
			billed, bills = billed+r.HTCentimes, bills+1
			d.anterieur = &billing{du: c.Periode.Du, au: c.Periode.Au, estimee: estimee}
			for _, l := range r.Lignes {
				d.anterieur.lignes = append(d.anterieur.lignes, billedLine(l))
			}
			if !estimee {
				if c.Periode.Du != end {
					t.Fatalf("a bill starts on %v, the readings billed before end on %v", c.Periode.Du, end)
				}
				end = c.Periode.Au
				c.Acomptes = nil
				real += price(c).HTCentimes
			}
		}
		day := start
		for p := range rapid.IntRange(1, 8).Draw(t, "periods") {
			last := &d.poses[len(d.poses)-1]
			day += tarif.Date(rapid.IntRange(20, 200).Draw(t, "days"))
			switch rapid.IntRange(0, 3).Draw(t, "what happens") {
			case 0: // an estimate, maybe after another
				d.points = append(d.points, point{pose: last.id, date: day, index: (index + rapid.Int64Range(0, 300).Draw(t, "estimate")) % 100_000, estimee: true})
				bill(day)
				continue
			case 1: // another meter, whatever was estimated on the old one
				index = (index + rapid.Int64Range(0, 300).Draw(t, "volume")) % 100_000
				last.au, last.fin = day, index
				index = rapid.Int64Range(0, 99_999).Draw(t, "new index")
				d.poses = append(d.poses, pose{id: string(rune('1' + p)), roues: 5, litresParUnite: 1000, du: day, debut: index})
			default:
				index = (index + rapid.Int64Range(0, 300).Draw(t, "volume")) % 100_000
				d.points = append(d.points, point{pose: last.id, date: day, index: index})
			}
			bill(day)
		}
		day += 30
		last := &d.poses[len(d.poses)-1]
		last.au, last.fin = day, (index+10)%100_000
		bill(day)
		if billed != real {
			t.Errorf("billed %d HT, the readings cost %d", billed, real)
		}
		d.anterieur = nil
		once, _, err := d.jusqua(start-tolerance-1, day)
		if err != nil {
			t.Fatal(err)
		}
		// Four lines, each off by half a centime at most, on both sides.
		if whole := price(once).HTCentimes; linear && 2*max(billed-whole, whole-billed) > 4*(bills+1) {
			t.Errorf("billed %d HT in %d bills, the whole costs %d", billed, bills, whole)
		}
	})
}

func billedLine(l tarif.Ligne) message.LigneFacture {
	return message.LigneFacture{Rubrique: string(l.Rubrique), Code: l.Code, HTCentimes: l.HTCentimes, TVAPM: l.TVAPm}
}
