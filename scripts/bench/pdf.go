package main

import (
	"context"
	"fmt"
)

// Bills drawn in a run, to see what memory does.
const (
	someBills = 200
	manyBills = 2000
)

// pdf measures what a bill costs as a document: its own fonts, chart, QR code,
// electronic invoice and archive, against the same words on plain pages of the
// same library in a font of the reader. Both by processor time.
func pdf(ctx context.Context, b *bench) error {
	const folder = "functions/facture"
	times := func(n int) string { return fmt.Sprintf("%dx", n) }
	measured, err := rounds(ctx, b.pairs, b.benchmarkOf(folder, "Plain", times(someBills)), b.benchmarkOf(folder, "FactureX", times(someBills)))
	if err != nil {
		return err
	}
	many, err := b.benchmarkOf(folder, "FactureX", times(manyBills))(ctx)
	if err != nil {
		return err
	}
	cost := func(runs [][]float64) []float64 { return each(runs, func(v []float64) float64 { return 1000 / v[0] }) }
	for _, f := range []Figure{
		{Name: "a Factur-X bill", Unit: "ms", As: ratio, Target: atMost(2), Product: cost(measured[1]), Bare: cost(measured[0]),
			Definition: "processor time of a bill of two pages with fonts, chart, QR code and EN 16931 invoice in a PDF/A-3 / the same words in a core font"},
		{Name: "bills drawn, peak memory", Unit: "MiB", As: ratio, Product: many[1:], Bare: []float64{quantile(1)(each(measured[1], func(v []float64) float64 { return v[1] }))},
			Definition: fmt.Sprintf("peak resident memory over %d bills / the largest over %d, of %d runs", manyBills, someBills, b.pairs)},
	} {
		if err := b.report.add(f); err != nil {
			return err
		}
	}
	return nil
}
