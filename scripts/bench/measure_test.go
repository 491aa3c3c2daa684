package main

import (
	"context"
	"errors"
	"slices"
	"testing"
)

func TestRoundsTakeTurns(t *testing.T) {
	var order string
	letter := func(name string) arm {
		return func(context.Context) ([]float64, error) {
			order += name
			return []float64{float64(len(order))}, nil
		}
	}
	measured, err := rounds(t.Context(), 3, letter("a"), letter("b"), letter("c"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "abc" + "cba" + "abc" + "cba"; order != want {
		t.Errorf("the arms ran as %s, want %s", order, want)
	}
	if got, want := each(measured[0], only), []float64{6, 7, 12}; !slices.Equal(got, want) {
		t.Errorf("the first arm measured %v, want %v without the round that warms", got, want)
	}
}

func TestRoundsEndWithAWrongOutcome(t *testing.T) {
	wrong, ran := errors.New("one row too many"), 0
	_, err := rounds(t.Context(), 5, func(context.Context) ([]float64, error) { ran++; return nil, wrong })
	if !errors.Is(err, wrong) || ran != 1 {
		t.Errorf("%v after %d runs", err, ran)
	}
}

func TestQuantileAndMedian(t *testing.T) {
	values := []float64{5, 1, 4, 2, 3}
	for q, want := range map[float64]float64{0: 1, 0.2: 1, 0.21: 2, 0.99: 5, 1: 5} {
		if got := quantile(q)(values); got != want {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
	if got := median(values); got != 3 {
		t.Errorf("the median is %v", got)
	}
	if got := median(values[:4]); got != 3 {
		t.Errorf("the median of %v is %v", values[:4], got)
	}
}

func TestInterval(t *testing.T) {
	var values []float64
	// From the table of the sign test: the rank k for 95 %, both sides.
	for n, k := range []int{1: 1, 2: 1, 5: 1, 6: 1, 8: 1, 9: 2, 11: 2, 12: 3, 20: 6, 21: 6, 25: 8, 50: 18} {
		if values = append(values, float64(n)); k == 0 {
			continue
		}
		low, high := interval(values[1:])
		if wantLow, wantHigh := float64(k), float64(n-k+1); low != wantLow || high != wantHigh {
			t.Errorf("of 1 to %d: %v to %v, want %v to %v", n, low, high, wantLow, wantHigh)
		}
	}
}

func TestFigure(t *testing.T) {
	same := []float64{10, 10, 10, 10, 10, 10}
	for _, c := range []struct {
		product []float64
		as      relation
		target  *target
		median  float64
		verdict string
	}{
		{[]float64{5, 10, 15, 15, 15, 20}, ratio, atMost(2), 1.5, "met"},
		{[]float64{5, 10, 15, 15, 15, 21}, ratio, atMost(2), 1.5, "unclear"},
		{[]float64{21, 21, 22, 22, 23, 24}, ratio, atMost(2), 2.2, "missed"},
		{[]float64{21, 21, 22, 22, 23, 24}, ratio, atLeast(2), 2.2, "met"},
		{[]float64{19, 21, 22, 22, 23, 24}, ratio, atLeast(2), 2.2, "unclear"},
		{[]float64{5, 6, 7, 7, 8, 9}, ratio, atLeast(2), 0.7, "missed"},
		{[]float64{5, 6, 7, 7, 8, 9}, difference, atMost(-1), -3, "met"},
		{[]float64{10, 10, 10}, ratio, atMost(2), 1, "too few pairs"},
		{same, ratio, nil, 1, ""},
	} {
		f := Figure{Product: c.product, Bare: same[:len(c.product)], As: c.as, Target: c.target}
		if err := f.compare(); err != nil {
			t.Fatal(err)
		}
		if f.Median != c.median || f.Verdict != c.verdict {
			t.Errorf("%v against %v: %v %q, want %v %q", c.product, c.target, f.Median, f.Verdict, c.median, c.verdict)
		}
	}
	if err := (&Figure{Product: same, Bare: make([]float64, len(same)), As: ratio}).compare(); err == nil {
		t.Error("a division by nothing is a figure")
	}
	if err := (&Figure{Product: same, Bare: same[1:], As: ratio}).compare(); err == nil {
		t.Error("unpaired values are a figure")
	}
}
