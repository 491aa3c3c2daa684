package main

import (
	"time"

	"aquaerp.fr/shared/message"
)

// joursRetractation is the withdrawal period of a distance contract, in days
// (Code de la consommation, L221-18).
const joursRetractation = 14

// finRetractation is the last day of the withdrawal period of a contract
// signed at a distance: the day of signature does not count, and a period
// that ends on a Saturday, a Sunday or a public holiday runs to the next
// working day (Code de la consommation, L221-19).
func finRetractation(signature message.Date) message.Date {
	fin := signature.AddDays(joursRetractation)
	for !ouvrable(fin) {
		fin = fin.AddDays(1)
	}
	return fin
}

// ouvrable tells whether a day is neither a weekend's nor a public holiday of
// metropolitan France (Code du travail, L3133-1).
func ouvrable(d message.Date) bool {
	switch d.Time().Weekday() {
	case time.Saturday, time.Sunday:
		return false
	}
	switch d.String()[len("2006-"):] {
	case "01-01", "05-01", "05-08", "07-14", "08-15", "11-01", "11-11", "12-25":
		return false
	}
	switch d.DaysSince(paques(d.Year())) {
	case 1, 39, 50: // Easter Monday, Ascension, Whit Monday
		return false
	}
	return true
}

// paques is Easter Sunday of a Gregorian year (the anonymous algorithm,
// Nature, 20 April 1876).
func paques(annee int) message.Date {
	a, b, c := annee%19, annee/100, annee%100
	h := (19*a + b - b/4 - (b-(b+8)/25+1)/3 + 15) % 30
	l := (32 + 2*(b%4) + 2*(c/4) - h - c%4) % 7
	m := (a + 11*h + 22*l) / 451
	n := h + l - 7*m + 114
	return message.NewDate(annee, time.Month(n/31), n%31+1)
}
