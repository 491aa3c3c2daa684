package sepa

import (
	"time"

	"aquaerp.fr/shared/message"
)

// Ouvre tells the days on which TARGET settles: Monday to Friday but New
// Year's Day, Good Friday, Easter Monday, 1 May, 25 and 26 December (European
// Central Bank, long-term calendar of TARGET closing days, 14 December 2000).
func Ouvre(d message.Date) bool {
	t := d.Time()
	switch t.Weekday() {
	case time.Saturday, time.Sunday:
		return false
	}
	switch _, month, day := t.Date(); {
	case month == time.January && day == 1, month == time.May && day == 1, month == time.December && (day == 25 || day == 26):
		return false
	}
	p := paques(t.Year())
	return d != p.AddDays(-2) && d != p.AddDays(1)
}

// Suivant is the first day from d on which TARGET settles.
func Suivant(d message.Date) message.Date {
	for !Ouvre(d) {
		d = d.AddDays(1)
	}
	return d
}

// Apres is the n-th day of TARGET after d.
func Apres(d message.Date, n int) message.Date {
	for range n {
		d = Suivant(d.AddDays(1))
	}
	return d
}

// paques is Easter Sunday of the Gregorian calendar (Meeus, Astronomical
// Algorithms, chapter 8).
func paques(year int) message.Date {
	a, b, c := year%19, year/100, year%100
	d, e := b/4, b%4
	g := (8*b + 13) / 25
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 19*l) / 433
	month := (h + l - 7*m + 90) / 25
	day := (h + l - 7*m + 33*month + 19) % 32
	return message.NewDate(year, time.Month(month), day)
}
