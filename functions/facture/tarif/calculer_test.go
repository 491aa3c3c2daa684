package tarif

import (
	"errors"
	"math"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func day(t testing.TB, s string) Date {
	t.Helper()
	d, err := ParseDate(s)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return d
}

// plain returns a case without errors, every kind of object in it: half a year, connected, two grilles of eau.
func plain(t testing.TB) *Cas {
	span := func(du, au string) Periode { return Periode{day(t, du), day(t, au)} }
	return &Cas{
		ID:              "plain",
		DateFacturation: day(t, "2025-07-10"),
		Periode:         span("2025-01-01", "2025-07-01"),
		PDL:             PDL{Logements: 1, Assainissement: true, Habitation: true},
		Poses: []Pose{{
			Periode: span("2025-02-01", "2025-07-01"), Roues: 5, LitresParUnite: 1000, IndexDebut: 99_990, IndexFin: 40,
			Releves: []Releve{{day(t, "2025-03-01"), 5}, {day(t, "2025-04-01"), 20}},
		}},
		Grilles: []Grille{
			{"e2", Eau, span("2025-04-15", "2026-01-01"), 40_000_000, []Tranche{{nil, 1_600_000}}, 55},
			{"e1", Eau, span("2024-01-01", "2025-04-15"), 40_000_000, []Tranche{{new(int64(15)), 1_200_000}, {nil, 1_500_000}}, 55},
			{"a", Assainissement, span("2025-01-01", "2026-01-01"), 0, []Tranche{{nil, 2_000_000}}, 100},
		},
		Redevances: []Redevance{{"c", Eau, span("2025-01-01", "2026-01-01"), 330_000, 1000, 55}},
		Fuite:      &Fuite{VolumeMoyenLitres: 20_000, Attestation: true, Informe: true},
		Acomptes:   []Acompte{{Distribution, "e1/tranche-1", 1200, 55}},
	}
}

// faults break the plain case in one way each, in the order in which their codes win.
var faults = []struct {
	code Code
	in   func(c *Cas)
}{
	{JSONInvalide, func(c *Cas) { c.Acomptes[0].Rubrique = "abonnement" }},
	{DateInvalide, func(c *Cas) { c.DateFacturation = 0 }},
	{PeriodeVide, func(c *Cas) { c.Redevances[0].Au = c.Redevances[0].Du }},
	{ValeurNegative, func(c *Cas) { c.Fuite.VolumeMoyenLitres = -1 }},
	{ValeurNegative, func(c *Cas) { c.Fuite.Multiple = -1 }},
	{IndexHorsCompteur, func(c *Cas) { c.Poses[0].IndexFin = 100_000 }},
	{PoseHorsPeriode, func(c *Cas) {
		c.Poses = append(c.Poses, Pose{Periode: Periode{c.Periode.Du - 1, c.Periode.Du + 1}, Roues: 1, LitresParUnite: 1})
	}},
	{PosesChevauchantes, func(c *Cas) {
		c.Poses = append(c.Poses, Pose{Periode: Periode{c.Periode.Du, c.Periode.Du + 32}, Roues: 1, LitresParUnite: 1})
	}},
	{RelevesDesordonnes, func(c *Cas) { c.Poses[0].Releves[1].Date = c.Poses[0].Releves[0].Date }},
	{GrillesChevauchantes, func(c *Cas) { c.Grilles = append(c.Grilles, c.Grilles[2]) }},
	{GrilleManquante, func(c *Cas) { c.Grilles[1].Au-- }},
	{TranchesDesordonnees, func(c *Cas) { c.Grilles[0].Tranches[0].JusquaM3 = new(int64(10)) }},
	{Depassement, func(c *Cas) { c.Acomptes[0].HTCentimes = math.MinInt64 }},
}

func TestFirstErrorWins(t *testing.T) {
	if _, err := Calculer(plain(t)); err != nil {
		t.Fatalf("plain case: %v", err)
	}
	for i, first := range faults {
		for _, second := range faults[i:] {
			c := plain(t)
			second.in(c)
			first.in(c)
			r, err := Calculer(c)
			if err != first.code || !reflect.DeepEqual(r, Resultat{}) {
				t.Fatalf("got %v; want %v before %v", err, first.code, second.code)
			}
			if !strings.Contains(err.Error(), sentences[first.code]) || sentences[first.code] == "" {
				t.Errorf("%s has no sentence: %v", first.code, err)
			}
		}
	}
}

// Each object given is checked, and each of its fields.
func TestEachFault(t *testing.T) {
	for code, list := range map[Code][]func(c *Cas){
		JSONInvalide: {
			func(c *Cas) { c.Grilles[2].Service = "gaz" },
			func(c *Cas) { c.Redevances[0].Service = "" },
		},
		DateInvalide: {
			func(c *Cas) { c.DateFacturation = lastDate + 1 },
			func(c *Cas) { c.Periode.Du = 0 },
			func(c *Cas) { c.Periode.Au = -1 },
			func(c *Cas) { c.Poses[0].Du = 0 },
			func(c *Cas) { c.Poses[0].Releves[1].Date = 0 },
			func(c *Cas) { c.Grilles[2].Au = lastDate + 1 },
			func(c *Cas) { c.Redevances[0].Du = 0 },
		},
		PeriodeVide: {
			func(c *Cas) { c.Periode.Au = c.Periode.Du },
			func(c *Cas) { c.Periode.Au = c.Periode.Du - 1 },
			func(c *Cas) { c.Grilles = append(c.Grilles, Grille{Service: Eau, Periode: Periode{1, 1}}) },
		},
		ValeurNegative: {
			func(c *Cas) { c.PDL.Logements = 0 },
			func(c *Cas) { c.Poses[0].Roues = 0 },
			func(c *Cas) { c.Poses[0].Roues = 10 },
			func(c *Cas) { c.Poses[0].LitresParUnite = 0 },
			func(c *Cas) { c.Poses[0].IndexDebut = -1 },
			func(c *Cas) { c.Poses[0].IndexFin = -1 },
			func(c *Cas) { c.Poses[0].Releves[0].Index = -1 },
			func(c *Cas) { c.Grilles[0].PartFixeAn = -1 },
			func(c *Cas) { c.Grilles[0].TVAPm = -1 },
			func(c *Cas) { c.Grilles[1].Tranches[1].PrixM3 = -1 },
			func(c *Cas) { c.Grilles[1].Tranches[1].JusquaM3 = new(int64(-1)) },
			func(c *Cas) { c.Redevances[0].TauxM3 = -1 },
			func(c *Cas) { c.Redevances[0].CoefficientPm = -1 },
			func(c *Cas) { c.Redevances[0].TVAPm = -1 },
			func(c *Cas) { c.Acomptes[0].TVAPm = -1 },
		},
		IndexHorsCompteur: {
			func(c *Cas) { c.Poses[0].IndexDebut = 100_000 },
			func(c *Cas) { c.Poses[0].Releves[1].Index = 100_000 },
		},
		PoseHorsPeriode: {
			func(c *Cas) { c.Poses[0].Au++ },
			func(c *Cas) {
				c.Poses = append(c.Poses, Pose{Periode: Periode{c.Periode.Du, c.Periode.Du}, Roues: 1, LitresParUnite: 1})
			},
		},
		RelevesDesordonnes: {
			func(c *Cas) { c.Poses[0].Releves[0].Date = c.Poses[0].Du },
			func(c *Cas) { c.Poses[0].Releves[1].Date = c.Poses[0].Au },
		},
		GrilleManquante: {
			func(c *Cas) { c.Grilles = c.Grilles[:2] },
			func(c *Cas) { c.Grilles[1].Du = c.Periode.Du + 1 },
		},
		TranchesDesordonnees: {
			func(c *Cas) { c.Grilles[1].Tranches[0].JusquaM3 = nil },
			func(c *Cas) { c.Grilles[1].Tranches[0].JusquaM3 = new(int64(0)) },
			func(c *Cas) { c.Grilles[2].Tranches = nil },
			func(c *Cas) {
				c.Grilles[2].Tranches = []Tranche{{new(int64(5)), 1}, {new(int64(5)), 1}, {nil, 1}}
			},
		},
		Depassement: {
			func(c *Cas) { c.Grilles[1].PartFixeAn = math.MaxInt64; c.PDL.Logements = math.MaxInt64 },
			func(c *Cas) { c.Redevances[0].TauxM3, c.Redevances[0].CoefficientPm = math.MaxInt64, math.MaxInt64 },
			func(c *Cas) { c.Acomptes[0].HTCentimes, c.Acomptes[0].TVAPm = math.MinInt64, 0 },
			func(c *Cas) { c.Acomptes[0].HTCentimes, c.Acomptes[0].TVAPm = math.MinInt64+1, 1000 },
			func(c *Cas) { c.Acomptes[0].HTCentimes, c.Acomptes[0].TVAPm = math.MinInt64+1, 1001 },
			func(c *Cas) { c.Acomptes[0].HTCentimes, c.Acomptes[0].TVAPm = math.MinInt64+1, 200 },
		},
	} {
		for i, fault := range list {
			c := plain(t)
			fault(c)
			if r, err := Calculer(c); err != code {
				t.Errorf("fault %d of %q: got %+v, %v", i, string(code), r, err)
			}
		}
	}
}

func TestGrilleErrors(t *testing.T) {
	for _, c := range []struct {
		code  Code
		fault func(g *Grille)
	}{
		{JSONInvalide, func(g *Grille) { g.Service = "gaz" }},
		{DateInvalide, func(g *Grille) { g.Au = lastDate + 1 }},
		{PeriodeVide, func(g *Grille) { g.Au = g.Du }},
		{ValeurNegative, func(g *Grille) { g.Tranches[0].JusquaM3 = new(int64(-15)) }},
		{TranchesDesordonnees, func(g *Grille) { g.Tranches = nil }},
		{Depassement, func(g *Grille) { g.Tranches[1].PrixM3 = math.MaxInt64 }},
		{Depassement, func(g *Grille) { g.Tranches[1].PrixM3 = math.MaxInt64 / 100 }},
	} {
		g := plain(t).Grilles[1]
		c.fault(&g)
		if got, err := Controler(&g, false, false); err != c.code || got != (Controle{}) {
			t.Errorf("%q: got %+v, %v", string(c.code), got, err)
		}
	}
}

func TestCalculerLeavesTheCase(t *testing.T) {
	c := plain(t)
	if _, err := Calculer(c); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(c, plain(t)) {
		t.Errorf("changed to %+v", c)
	}
}

// A measured volume past an int64 is still billed where rule 8 caps it, and refused where it does not.
func TestVolumePastInt64(t *testing.T) {
	c := plain(t)
	want, err := Calculer(c)
	if err != nil || !want.Anormale {
		t.Fatal(want, err)
	}
	c.Poses[0].LitresParUnite = math.MaxInt64
	got, err := Calculer(c)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\n got %+v\nwant %+v", err, got, want)
	}
	c.Fuite = nil
	if got, err := Calculer(c); err != Depassement {
		t.Errorf("got %+v, %v", got, err)
	}
}

// A total fits although the lines before the last do not add up within an int64, in whatever order they stand.
func TestSumsPastInt64(t *testing.T) {
	c := plain(t)
	without, err := Calculer(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, ht := range []int64{math.MaxInt64, math.MaxInt64, -math.MaxInt64, -math.MaxInt64} {
		c.Acomptes = append(c.Acomptes, Acompte{EauxUsees, "x", ht, 55})
	}
	got, err := Calculer(c)
	if err != nil || !reflect.DeepEqual(got.TVA, without.TVA) || got.TTCCentimes != without.TTCCentimes {
		t.Errorf("got %+v, %v; want the totals of %+v", got, err, without)
	}
}

func TestUint128(t *testing.T) {
	words := rapid.OneOf(rapid.Uint64(), rapid.SampledFrom([]uint64{0, 1, math.MaxInt64, math.MaxInt64 + 1, math.MaxUint64}))
	limit := new(big.Int).Lsh(big.NewInt(1), 128)
	check := func(t *rapid.T) {
		x := uint128{words.Draw(t, "x.hi"), words.Draw(t, "x.lo")}
		y := rapid.Int64Range(1, math.MaxInt64).Draw(t, "y")
		if rapid.Bool().Draw(t, "product near 2^128") {
			x = fromBig(new(big.Int).Quo(limit, big.NewInt(y+1)))
			x = x.add(u128(rapid.Int64().Draw(t, "step") & math.MaxInt64))
		}

		product := new(big.Int).Mul(x.big(), big.NewInt(y))
		if product.Cmp(limit) >= 0 {
			product.Sub(limit, big.NewInt(1))
		}
		if got := x.mul(y).big(); got.Cmp(product) != 0 {
			t.Fatalf("mul %v, want %v", got, product)
		}

		unit := uint64(2 * rapid.Int64Range(1, math.MaxInt64/2).Draw(t, "unit"))
		half := new(big.Int).Add(x.big(), new(big.Int).SetUint64(unit/2))
		rounded := half.Quo(half, new(big.Int).SetUint64(unit))
		if got, ok := x.round(unit); ok != rounded.IsUint64() || ok && got != rounded.Uint64() {
			t.Fatalf("round %d %t, want %v", got, ok, rounded)
		}

		z := x.add(uint128{words.Draw(t, "z.hi") >> 1, words.Draw(t, "z.lo")})
		if z.cmp(x) < 0 || z.isZero() {
			return // wrapped around
		}
		total := uint128{words.Draw(t, "total.hi"), words.Draw(t, "total.lo")}
		quo, rem := new(big.Int).QuoRem(new(big.Int).Mul(total.big(), x.big()), z.big(), new(big.Int))
		if q, r := mulDiv(total, x, z); q.big().Cmp(quo) != 0 || r.big().Cmp(rem) != 0 {
			t.Fatalf("mulDiv %v %v, want %v %v", q, r, quo, rem)
		}
		if got := z.sub(x).add(x); got != z {
			t.Fatalf("sub and add: %v, want %v", got, z)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		for range draws {
			check(t)
		}
	})
}

func TestDates(t *testing.T) {
	for d := Date(1); d <= lastDate; d++ {
		if got, err := ParseDate(d.String()); got != d || err != nil {
			t.Fatalf("%s: %d, want %d, %v", d, got, d, err)
		}
	}
	at := time.Date(2024, time.February, 29, 23, 30, 0, 0, time.FixedZone("", -3600))
	if got := DateOf(at).String(); got != "2024-02-29" {
		t.Errorf("DateOf(%v) = %s", at, got)
	}
	for _, s := range []string{
		"", "2023-02-29", "1900-02-29", "2023-04-31", "2023-13-01", "2023-00-10", "2023-01-00", "0000-01-01", "20230701", "2023-7-01",
		"2023-07-1", "2023/07/01", " 2023-07-01", "2023-07-01 ", "2023-07-01T00:00:00Z", "+023-07-01", "-023-07-01", "2023-0a-01",
		"2023-07-0\x00", "２023-07-1",
	} {
		var d Date
		if err := d.UnmarshalText([]byte(s)); !errors.Is(err, DateInvalide) || d.Valid() {
			t.Errorf("%q is %v, %v", s, d, err)
		}
	}
	if text, err := Date(0).MarshalText(); err != DateInvalide {
		t.Errorf("the zero Date is written %s, %v", text, err)
	}
}
