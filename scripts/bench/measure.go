package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
)

// arm does a piece of work once and returns what it measured. Its error says
// that the work failed or, as much a failure, that its outcome was wrong.
type arm func(context.Context) ([]float64, error)

// rounds runs arms in turns, forth and back (A B B A A B …), so that whatever
// drifts falls on all alike; each ran once before, to be warm. It returns what
// they measured, by arm and round.
func rounds(ctx context.Context, n int, arms ...arm) ([][][]float64, error) {
	measured := make([][][]float64, len(arms))
	for round := range n + 1 {
		for i := range arms {
			if round%2 == 1 {
				i = len(arms) - 1 - i
			}
			values, err := arms[i](ctx)
			if err != nil {
				return nil, err
			}
			if round > 0 {
				measured[i] = append(measured[i], values)
			}
		}
	}
	return measured, nil
}

// each reduces the values of every round to one.
func each(rounds [][]float64, reduce func([]float64) float64) (out []float64) {
	for _, values := range rounds {
		out = append(out, reduce(values))
	}
	return out
}

// only is the value of a round that has one.
func only(values []float64) float64 { return values[0] }

// quantile is the smallest value that a share q of all values does not pass.
func quantile(q float64) func([]float64) float64 {
	return func(values []float64) float64 {
		sorted := slices.Sorted(slices.Values(values))
		return sorted[max(0, int(math.Ceil(q*float64(len(sorted))))-1)]
	}
}

// median is the middle value, or the mean of the middle two.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// Figure is a comparison: what the product took or gave, what the bare
// program did beside it, and how they compare within each pair.
type Figure struct {
	Suite      string    `json:"suite"`
	Name       string    `json:"name"`
	Definition string    `json:"definition"`
	Unit       string    `json:"unit"`
	Product    []float64 `json:"product"`
	Bare       []float64 `json:"bare"`
	As         relation  `json:"as"`
	Pairs      []float64 `json:"pairs"` // product / bare, or product - bare
	Median     float64   `json:"median"`
	Low        float64   `json:"low"` // the true median is between Low and High with at least 95 %
	High       float64   `json:"high"`
	Target     *target   `json:"target,omitempty"`
	Verdict    string    `json:"verdict,omitempty"`
}

type relation string

const (
	ratio      relation = "ratio"
	difference relation = "difference"
)

// target is a limit on the median.
type target struct {
	Is    string  `json:"is"` // at most, at least
	Limit float64 `json:"limit"`
}

func atMost(limit float64) *target  { return &target{"at most", limit} }
func atLeast(limit float64) *target { return &target{"at least", limit} }

// judged is how many pairs it takes to judge: with fewer, even the smallest
// and the largest value do not hold the true median with 95 %.
const judged = 6

// interval are the two values, as far inside as may be, between which the true
// median lies with at least 95 % whatever the distribution: of n values the
// k-th from either end, where fewer than k heads in n throws of a coin have a
// chance of at most 2.5 %. Of few values it is the smallest and the largest.
func interval(values []float64) (low, high float64) {
	sorted := slices.Sorted(slices.Values(values))
	k, n := 0, len(sorted)
	chance := math.Pow(0.5, float64(n)) // of exactly k heads
	for sum := chance; sum <= 0.025; sum += chance {
		k++
		chance *= float64(n-k+1) / float64(k)
	}
	k = max(k, 1)
	return sorted[k-1], sorted[n-k]
}

// compare completes a figure whose sides are known.
func (f *Figure) compare() error {
	if len(f.Product) != len(f.Bare) || len(f.Product) == 0 {
		return fmt.Errorf("%s: %d values against %d", f.Name, len(f.Product), len(f.Bare))
	}
	for i, product := range f.Product {
		value := product - f.Bare[i]
		if f.As == ratio {
			value = product / f.Bare[i]
		}
		if math.IsNaN(value) || math.IsInf(value, 0) {
			return errors.New(f.Name + ": not a number")
		}
		f.Pairs = append(f.Pairs, value)
	}
	f.Median = median(f.Pairs)
	f.Low, f.High = interval(f.Pairs)
	if f.Target != nil {
		f.Verdict = f.Target.judge(f)
	}
	return nil
}

func (t *target) judge(f *Figure) string {
	worst, best, limit := f.High, f.Low, t.Limit
	if t.Is == "at least" {
		worst, best, limit = -f.Low, -f.High, -t.Limit
	}
	switch {
	case len(f.Pairs) < judged:
		return "too few pairs"
	case worst <= limit:
		return "met"
	case best > limit:
		return "missed"
	}
	return "unclear"
}
