package tarif

import (
	"bytes"
	"io"
	"testing"
)

// corpusBills returns the cases of the corpus that have a price, decoded.
func corpusBills(tb testing.TB) (bills []*Cas) {
	for _, line := range corpusLines(tb, "factures.jsonl") {
		var d decoder
		if d.decode(line) == bill && check(&d.cas) == "" {
			bills = append(bills, &d.cas)
		}
	}
	return bills
}

// BenchmarkCalculer prices the valid bills of the corpus, decoded beforehand.
func BenchmarkCalculer(b *testing.B) {
	bills := corpusBills(b)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for _, c := range bills {
			if _, err := Calculer(c); err != nil {
				b.Fatal(err)
			}
		}
		n += len(bills)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "cases/s")
}

// BenchmarkExpliquer prices the same bills and keeps the way.
func BenchmarkExpliquer(b *testing.B) {
	bills := corpusBills(b)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for _, c := range bills {
			if _, err := Expliquer(c); err != nil {
				b.Fatal(err)
			}
		}
		n += len(bills)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "cases/s")
}

// BenchmarkReponse answers the lines of the corpus on one core: decoding, pricing, encoding.
func BenchmarkReponse(b *testing.B) {
	lines := corpusLines(b, "factures.jsonl")
	var a answerer
	var out []byte
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		for _, line := range lines {
			out = a.answer(out[:0], line)
		}
		n += len(lines)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "cases/s")
}

// BenchmarkSimuler streams the corpus again and again, on all cores.
func BenchmarkSimuler(b *testing.B) {
	const rounds = 100
	lines := corpusLines(b, "factures.jsonl")
	input := bytes.Repeat(append(bytes.Join(lines, []byte("\n")), '\n'), rounds)
	n := 0
	for b.Loop() {
		if err := Simuler(b.Context(), bytes.NewReader(input), io.Discard); err != nil {
			b.Fatal(err)
		}
		n += rounds * len(lines)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "cases/s")
}

// BenchmarkBoucleNue does the arithmetic of the first bill of the corpus and nothing else: no checks, no general case, no
// lines. The others are to be read as multiples of it.
func BenchmarkBoucleNue(b *testing.B) {
	c := corpusBills(b)[0]
	half := func(x, unit int64) int64 { return (x + unit/2) / unit }
	n := 0
	var sink int64
	for b.Loop() {
		const rounds = 100
		for range rounds {
			days := int64(c.Periode.Au - c.Periode.Du)
			volume := (c.Poses[0].IndexFin - c.Poses[0].IndexDebut) * c.Poses[0].LitresParUnite
			var rates [2]int64
			for i := range c.Grilles {
				g := &c.Grilles[i]
				rates[i] += half(g.PartFixeAn*c.PDL.Logements*days, fixedPartUnit)
				var below int64
				for j := range g.Tranches {
					upTo := volume
					if bound := g.Tranches[j].JusquaM3; bound != nil {
						upTo = min(upTo, *bound*litresParM3*c.PDL.Logements*days/joursParAn)
					}
					rates[i] += half((upTo-below)*g.Tranches[j].PrixM3, slabUnit)
					below = upTo
				}
			}
			for i := range c.Redevances {
				rates[0] += half(volume*c.Redevances[i].TauxM3*c.Redevances[i].CoefficientPm, redevanceUnit)
			}
			for i := range c.Acomptes {
				rates[0] -= c.Acomptes[i].HTCentimes
			}
			sink += rates[0] + half(rates[0]*c.Grilles[0].TVAPm, parMille) + rates[1] + half(rates[1]*c.Grilles[1].TVAPm, parMille)
		}
		n += rounds
	}
	if want := int64(25971); sink != want*int64(n) {
		b.Fatalf("the plain loop gives %d centimes, not %d", sink/int64(n), want)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "cases/s")
}
