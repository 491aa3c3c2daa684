package tarif

import (
	"math/big"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// An explanation is the bill of Calculer, and what it tells adds up to that bill: troncons to parts, parts to volumes,
// volumes to slabs, exact amounts to centimes.
func TestExpliquer(t *testing.T) {
	lines, split, capped := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		for range draws {
			c := drawCas(t)
			want, wantErr := Calculer(c)
			e, err := Expliquer(c)
			if err != nil {
				if fits := sumOfTroncons(c).IsInt64(); err != Depassement || wantErr == nil && fits {
					t.Fatalf("explained %v, priced %v", err, wantErr)
				}
				continue
			}
			if wantErr != nil || !reflect.DeepEqual(e.Resultat, want) {
				t.Fatalf("%v\n got %+v\nwant %+v", wantErr, e.Resultat, want)
			}
			checkVolumes(t, c, &e)
			checkAmounts(t, c, &e)
			lines += len(e.Calculs)
			if len(e.Parts) > len(e.Troncons) {
				split++
			}
			if e.Plafonnee {
				capped++
			}
		}
	})
	t.Logf("%d lines explained, %d bills with a troncon in parts, %d capped", lines, split, capped)
	if lines == 0 || split == 0 || capped == 0 {
		t.Error("the draws leave out a kind of case")
	}
}

func sumOfTroncons(c *Cas) *big.Int {
	sum := new(big.Int)
	for _, p := range c.Poses {
		for _, troncon := range oracleTroncons(p) {
			sum.Add(sum, troncon.litres)
		}
	}
	return sum
}

func checkVolumes(t *rapid.T, c *Cas, e *Explication) {
	services := []Service{Eau}
	if c.PDL.Assainissement {
		services = append(services, Assainissement)
	}
	for i, troncon := range e.Troncons {
		for _, service := range services {
			var litres, jours int64
			for _, p := range e.Parts {
				if p.Troncon == i && p.Service == service {
					litres, jours = litres+p.Litres, jours+p.Jours
				}
			}
			if litres != troncon.Litres || jours != int64(troncon.Au-troncon.Du) {
				t.Fatalf("parts of troncon %d hold %d litres and %d days of %+v", i, litres, jours, troncon)
			}
		}
	}
	billed := map[Service]int64{}
	for _, v := range e.Volumes {
		var measured, slabs int64
		for _, p := range e.Parts {
			if p.Grille == v.Grille {
				measured += p.Litres
			}
		}
		for i, how := range e.Calculs {
			if how.Regle == 6 && how.Source == v.Grille {
				slabs += e.Resultat.Lignes[i].Litres
			}
		}
		if measured != v.MesureLitres || slabs != v.FactureLitres || !e.Plafonnee && v.MesureLitres != v.FactureLitres {
			t.Fatalf("grille %+v: parts of %d litres, slabs of %d", v, measured, slabs)
		}
		if v.Service != c.Grilles[v.Grille].Service {
			t.Fatalf("grille %d is not one of %s", v.Grille, v.Service)
		}
		billed[v.Service] += v.FactureLitres
	}
	if billed[Eau] != e.Resultat.VolumeEauLitres || billed[Assainissement] != e.Resultat.VolumeAssainissementLitres {
		t.Fatalf("grilles bill %v, the bill %+v", billed, e.Resultat)
	}
}

// checkAmounts holds each exact amount to the formula of its rule, written here once more, and to the centimes of its line.
func checkAmounts(t *rapid.T, c *Cas, e *Explication) {
	if len(e.Calculs) != len(e.Resultat.Lignes) || len(e.TVA) != len(e.Resultat.TVA) {
		t.Fatalf("%d lines explained of %d, %d rates of %d", len(e.Calculs), len(e.Resultat.Lignes), len(e.TVA), len(e.Resultat.TVA))
	}
	product := func(divisor int64, factors ...int64) *big.Rat {
		r := big.NewRat(1, divisor)
		for _, f := range factors {
			r.Mul(r, new(big.Rat).SetInt64(f))
		}
		return r
	}
	same := func(got Fraction, want *big.Rat, centimes int64) {
		exact, ok := new(big.Rat).SetString(got.String())
		if !ok || exact.Cmp(want) != 0 {
			t.Fatalf("exact amount %s, want %s", got, want)
		}
		o := oracleBill{fits: true}
		if rounded := o.int64(exact); rounded != centimes || !o.fits {
			t.Fatalf("%s is %d centimes, not %d", got, rounded, centimes)
		}
	}
	for i, how := range e.Calculs {
		l := e.Resultat.Lignes[i]
		switch how.Regle {
		case 5:
			g := c.Grilles[how.Source]
			same(how.Exact, product(365*10_000, g.PartFixeAn, c.PDL.Logements, l.Jours), l.HTCentimes)
		case 6:
			tranche := c.Grilles[how.Source].Tranches[how.Tranche-1]
			same(how.Exact, product(1000*10_000, l.Litres, tranche.PrixM3), l.HTCentimes)
			if how.A != nil && how.De+l.Litres > *how.A {
				t.Fatalf("%d litres from %d pass the bound %d", l.Litres, how.De, *how.A)
			}
		case 7:
			r := c.Redevances[how.Source]
			same(how.Exact, product(1000*1000*10_000, l.Litres, r.TauxM3, r.CoefficientPm), l.HTCentimes)
		case 9:
			same(how.Exact, product(1, -1, c.Acomptes[how.Source].HTCentimes), l.HTCentimes)
		default:
			t.Fatalf("line %+v follows rule %d", l, how.Regle)
		}
	}
	ttc := int64(0)
	for i, v := range e.Resultat.TVA {
		same(e.TVA[i], product(1000, v.BaseCentimes, v.TauxPm), v.MontantCentimes)
		ttc += v.BaseCentimes + v.MontantCentimes
	}
	if ttc != e.Resultat.TTCCentimes {
		t.Fatalf("bases and VAT come to %d, the bill to %d", ttc, e.Resultat.TTCCentimes)
	}
}

// The first bill of the corpus, by hand.
func TestExpliquerExample(t *testing.T) {
	e, err := Expliquer(corpusBills(t)[0])
	if err != nil {
		t.Fatal(err)
	}
	var exact []string
	for _, how := range e.Calculs {
		exact = append(exact, how.Exact.String())
	}
	want := "8688000000/3650000 17851200000/10000000 69186000000/10000000 122000000000/10000000 20130000000000/10000000000 -1200/1"
	if got := strings.Join(exact, " "); got != want {
		t.Errorf("exact amounts\n got %s\nwant %s", got, want)
	}
	if first := e.Troncons[0]; first.IndexDebut != 1200 || first.IndexFin != 1230 || first.Litres != 30_000 || len(e.Troncons) != 2 {
		t.Errorf("troncons %+v", e.Troncons)
	}
	if slab := e.Calculs[2]; slab.Regle != 6 || slab.Tranche != 2 || slab.De != 14_876 || slab.A != nil {
		t.Errorf("second slab %+v", slab)
	}
	if slab := e.Calculs[1]; slab.De != 0 || slab.A == nil || *slab.A != 14_876 {
		t.Errorf("first slab %+v", slab)
	}
}

func TestExpliquerPastInt64(t *testing.T) {
	c := plain(t)
	c.Poses[0].LitresParUnite = 1 << 62
	c.Fuite = &Fuite{VolumeMoyenLitres: 10, Attestation: true}
	if _, err := Calculer(c); err != nil {
		t.Fatal(err)
	}
	if e, err := Expliquer(c); err != Depassement {
		t.Errorf("got %+v, %v", e, err)
	}
}
