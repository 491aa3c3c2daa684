package main

import (
	"testing"

	"aquaerp.fr/shared/message"
)

func jour(t testing.TB, s string) message.Date {
	t.Helper()
	d, err := message.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestPaques(t *testing.T) {
	t.Parallel()
	for _, want := range []string{"1961-04-02", "2000-04-23", "2008-03-23", "2024-03-31", "2025-04-20", "2026-04-05", "2038-04-25"} {
		if got := paques(jour(t, want).Year()); got.String() != want {
			t.Errorf("Easter is on %s, want %s", got, want)
		}
	}
}

func TestFinRetractation(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ signature, fin, raison string }{
		{"2026-03-02", "2026-03-16", "a Monday"},
		{"2026-03-07", "2026-03-23", "Saturday the 21st runs to Monday"},
		{"2026-03-08", "2026-03-23", "Sunday the 22nd runs to Monday"},
		{"2026-03-23", "2026-04-07", "Easter Monday the 6th runs to Tuesday"},
		{"2026-04-30", "2026-05-15", "Ascension, 14 May 2026, runs to Friday"},
		{"2026-05-11", "2026-05-26", "Whit Monday the 25th runs to Tuesday"},
		{"2026-04-24", "2026-05-11", "8 May 2026 is a Friday: to Monday"},
		{"2025-12-11", "2025-12-26", "Christmas"},
		{"2025-12-18", "2026-01-02", "New Year"},
		{"2026-07-01", "2026-07-15", "the day after the 14th of July is a working day"},
	} {
		if got := finRetractation(jour(t, c.signature)); got.String() != c.fin {
			t.Errorf("signed %s: ends %s, want %s (%s)", c.signature, got, c.fin, c.raison)
		}
	}
}
