package tarif

import (
	"cmp"
	"math"
	"math/big"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// number draws one of an everyday size, now and then of any size.
func number(t *rapid.T, label string, least, usual int64) int64 {
	if rapid.IntRange(0, 60).Draw(t, label+" size") == 0 {
		return rapid.Int64Range(least, math.MaxInt64).Draw(t, label)
	}
	return rapid.Int64Range(least, usual).Draw(t, label)
}

func between(t *rapid.T, label string, least, most Date) Date {
	return Date(rapid.Int32Range(int32(least), int32(most)).Draw(t, label))
}

// drawCas draws a case without errors, from the plain to the odd.
func drawCas(t *rapid.T) *Cas {
	start := between(t, "start", 738000, 740000)
	c := &Cas{
		ID:      rapid.String().Draw(t, "id"),
		Periode: Periode{start, start + between(t, "days", 1, 700)},
		PDL: PDL{
			Logements:      number(t, "logements", 1, 40),
			Assainissement: rapid.Bool().Draw(t, "assainissement"),
			Habitation:     rapid.Bool().Draw(t, "habitation"),
		},
	}
	c.DateFacturation = between(t, "date_facturation", start-100, start+800)
	drawPoses(t, c)
	drawGrilles(t, c, Eau, "eau")
	if c.PDL.Assainissement || rapid.Bool().Draw(t, "unused assainissement") {
		drawGrilles(t, c, Assainissement, "eu")
	}
	for range rapid.IntRange(0, 4).Draw(t, "redevances") {
		du := between(t, "redevance du", start-300, start+700)
		c.Redevances = append(c.Redevances, Redevance{
			Code: "r", Service: rapid.SampledFrom([]Service{Eau, Assainissement}).Draw(t, "redevance service"),
			Periode: Periode{du, du + between(t, "redevance days", 1, 600)},
			TauxM3:  number(t, "taux_m3", 0, 500_000), CoefficientPm: number(t, "coefficient_pm", 0, 1200), TVAPm: drawRate(t),
		})
	}
	if rapid.Bool().Draw(t, "fuite given") {
		c.Fuite = &Fuite{
			VolumeMoyenLitres: number(t, "volume_moyen_litres", 0, 80_000), Multiple: number(t, "multiple", 0, 5),
			Attestation: rapid.Bool().Draw(t, "attestation"), Informe: rapid.Bool().Draw(t, "informe"),
		}
	}
	for range rapid.IntRange(0, 3).Draw(t, "acomptes") {
		c.Acomptes = append(c.Acomptes, Acompte{
			Rubrique: rapid.SampledFrom([]Rubrique{Distribution, EauxUsees, OrganismesPublics}).Draw(t, "rubrique"),
			Code:     "a", HTCentimes: rapid.Int64Range(-20_000, 20_000).Draw(t, "ht_centimes"), TVAPm: drawRate(t),
		})
	}
	return c
}

func drawRate(t *rapid.T) int64 {
	return rapid.SampledFrom([]int64{0, 55, 100, 200, 333}).Draw(t, "tva_pm")
}

func drawPoses(t *rapid.T, c *Cas) {
	for day := c.Periode.Du; day < c.Periode.Au && rapid.IntRange(0, 5).Draw(t, "another pose") > 0; {
		p := Pose{Roues: rapid.Int64Range(1, 9).Draw(t, "roues"), LitresParUnite: number(t, "litres_par_unite", 1, 1000)}
		p.Du = between(t, "pose du", day, c.Periode.Au-1)
		p.Au = between(t, "pose au", p.Du+1, c.Periode.Au)
		index := rapid.Int64Range(0, p.rollover()-1)
		p.IndexDebut, p.IndexFin = index.Draw(t, "index_debut"), index.Draw(t, "index_fin")
		for last := p.Du; last+1 < p.Au && rapid.Bool().Draw(t, "another releve"); {
			last = between(t, "releve date", last+1, p.Au-1)
			p.Releves = append(p.Releves, Releve{last, index.Draw(t, "index")})
		}
		c.Poses = append(c.Poses, p)
		day = p.Au
	}
}

// drawGrilles covers the period, often in several pieces, sometimes with one more outside, in any order.
func drawGrilles(t *rapid.T, c *Cas, service Service, code string) {
	end := c.Periode.Au + between(t, "grilles end", 0, 100)
	for day := c.Periode.Du - between(t, "grilles start", 0, 100); day < end; {
		g := Grille{Code: code, Service: service, PartFixeAn: number(t, "part_fixe_an", 0, 90_000_000), TVAPm: drawRate(t)}
		g.Periode = Periode{day, end}
		if rapid.Bool().Draw(t, "another grille") {
			g.Au = between(t, "grille au", day+1, end)
		}
		day = g.Au
		var bound int64
		for range rapid.IntRange(0, 3).Draw(t, "bounded tranches") {
			if bound += number(t, "tranche", 1, 80); bound <= 0 {
				break // past the largest int64
			}
			g.Tranches = append(g.Tranches, Tranche{new(bound), number(t, "prix_m3", 0, 4_000_000)})
		}
		g.Tranches = append(g.Tranches, Tranche{nil, number(t, "last prix_m3", 0, 4_000_000)})
		c.Grilles = append(c.Grilles, g)
	}
	c.Grilles = rapid.Permutation(c.Grilles).Draw(t, "grilles order")
}

// draws is how many cases a check looks at, beside rapid's own number of checks.
const draws = 20

func TestOracle(t *testing.T) {
	priced, refused, shared, capped := 0, 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		for range draws {
			c := drawCas(t)
			want, fits := oracle(c)
			got, err := Calculer(c)
			if !fits {
				if err != Depassement {
					t.Fatalf("got %+v, %v; want %v", got, err, Depassement)
				}
				refused++
				continue
			}
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Fatalf("%v\n got %+v\nwant %+v", err, got, want)
			}
			priced++
			if len(c.Grilles) > 1 && len(c.Poses) > 0 {
				shared++
			}
			if got.Anormale {
				capped++
			}
		}
	})
	t.Logf("%d bills equal to the oracle's (%d over several grilles, %d abnormal), %d too large for both", priced, shared, capped, refused)
	if shared == 0 || capped == 0 || refused == 0 {
		t.Error("the draws leave out a kind of case")
	}
}

// A larger volume never costs less in one grille, whatever the prices: the invariant the regulator asks of a tariff.
func TestPriceNeverFalls(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for range draws {
			c := drawCas(t)
			c.Fuite = nil
			c.Grilles = slices.DeleteFunc(c.Grilles, func(g Grille) bool { return g.Service == Assainissement })[:1]
			c.Grilles[0].Periode = c.Periode
			c.PDL.Assainissement = false
			index := rapid.Int64Range(0, 999_999_999)
			small, large := index.Draw(t, "volume"), index.Draw(t, "another volume")
			if small > large {
				small, large = large, small
			}
			price := func(volume int64) *big.Int {
				c.Poses = []Pose{{Periode: c.Periode, Roues: 9, LitresParUnite: 1, IndexFin: volume}}
				r, err := Calculer(c)
				if err == Depassement {
					return nil // dearer than any
				}
				if err != nil {
					t.Fatal(err)
				}
				return big.NewInt(r.TTCCentimes)
			}
			before, after := price(small), price(large)
			if after != nil && (before == nil || before.Cmp(after) > 0) {
				t.Fatalf("%d litres cost %v centimes, %d litres %v", small, before, large, after)
			}
		}
	})
}

// Rules 3 and 8 lose no litre: what the grilles get is what was measured or, capped, what is billed.
func TestPartsSumToVolume(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for range draws {
			c := drawCas(t)
			r, err := Calculer(c)
			if err == Depassement {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			slabs := map[Rubrique]int64{}
			for _, l := range r.Lignes {
				if strings.Contains(l.Code, "/tranche-") {
					slabs[l.Rubrique] += l.Litres
				}
			}
			if slabs[Distribution] != r.VolumeEauLitres || slabs[EauxUsees] != r.VolumeAssainissementLitres {
				t.Fatalf("slabs hold %v litres of %d and %d", slabs, r.VolumeEauLitres, r.VolumeAssainissementLitres)
			}
			want := new(big.Int)
			for _, p := range c.Poses {
				for _, troncon := range oracleTroncons(p) {
					want.Add(want, troncon.litres)
				}
			}
			if !r.Anormale && want.Cmp(big.NewInt(r.VolumeEauLitres)) != 0 {
				t.Fatalf("%v litres measured, %d billed", want, r.VolumeEauLitres)
			}
		}
	})
}

func TestTotals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for range draws {
			r, err := Calculer(drawCas(t))
			if err != nil {
				continue
			}
			bases := map[int64]int64{}
			ttc := int64(0)
			for _, l := range r.Lignes {
				bases[l.TVAPm] += l.HTCentimes
				ttc += l.HTCentimes
			}
			for _, v := range r.TVA {
				if base, found := bases[v.TauxPm]; !found || base != v.BaseCentimes {
					t.Fatalf("base %d at %d, want %d", v.BaseCentimes, v.TauxPm, base)
				}
				ttc += v.MontantCentimes
			}
			sorted := slices.IsSortedFunc(r.TVA, func(a, b TVA) int { return cmp.Compare(a.TauxPm, b.TauxPm) })
			if len(bases) != len(r.TVA) || !sorted {
				t.Fatalf("rates %v of %v", r.TVA, bases)
			}
			if r.TTCCentimes != ttc || r.HTCentimes+r.TVACentimes != ttc {
				t.Fatalf("ttc %d, ht %d, tva %d, want %d", r.TTCCentimes, r.HTCentimes, r.TVACentimes, ttc)
			}
		}
	})
}
