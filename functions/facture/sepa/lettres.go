package sepa

import (
	"fmt"
	"strings"
)

var unites = [...]string{"zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze", "douze", "treize",
	"quatorze", "quinze", "seize", "dix-sept", "dix-huit", "dix-neuf"}

var dizaines = [...]string{2: "vingt", "trente", "quarante", "cinquante", "soixante", "soixante", "quatre-vingt", "quatre-vingt"}

// EnLettres writes an amount that is not negative in French words, below a
// thousand billion euros: what a person compares before signing.
func EnLettres(centimes int64) string {
	euros, cents := centimes/100, centimes%100
	s := nombre(euros)
	switch {
	case euros >= 1_000_000 && euros%1_000_000 == 0:
		s += " d'euros"
	case euros > 1:
		s += " euros"
	default:
		s += " euro"
	}
	switch {
	case cents == 1:
		s += " et un centime"
	case cents > 1:
		s += " et " + nombre(cents) + " centimes"
	}
	return s
}

func nombre(n int64) string {
	if n == 0 {
		return unites[0]
	}
	var parts []string
	for _, scale := range []struct {
		of   int64
		name string
	}{{1_000_000_000, "milliard"}, {1_000_000, "million"}} {
		if k := n / scale.of; k > 0 {
			s := fmt.Sprintf("%s %s", centaines(k, true), scale.name)
			if k > 1 {
				s += "s"
			}
			parts = append(parts, s)
			n %= scale.of
		}
	}
	switch k := n / 1000; {
	case k == 1:
		parts = append(parts, "mille")
	case k > 1:
		parts = append(parts, centaines(k, false)+" mille")
	}
	if n %= 1000; n > 0 {
		parts = append(parts, centaines(n, true))
	}
	return strings.Join(parts, " ")
}

// centaines writes 1 to 999; at the end of a number cent and quatre-vingt take an s.
func centaines(n int64, pluriel bool) string {
	var parts []string
	c, rest := n/100, n%100
	switch {
	case c == 1:
		parts = append(parts, "cent")
	case c > 1 && rest == 0 && pluriel:
		parts = append(parts, unites[c]+" cents")
	case c > 1:
		parts = append(parts, unites[c]+" cent")
	}
	d, u := rest/10, rest%10
	switch {
	case rest == 0:
	case rest < 20:
		parts = append(parts, unites[rest])
	case d == 7 || d == 9:
		link := "-"
		if rest == 71 {
			link = " et "
		}
		parts = append(parts, dizaines[d]+link+unites[10+u])
	case u == 0 && d == 8 && pluriel:
		parts = append(parts, "quatre-vingts")
	case u == 0:
		parts = append(parts, dizaines[d])
	case u == 1 && d < 8:
		parts = append(parts, dizaines[d]+" et un")
	default:
		parts = append(parts, dizaines[d]+"-"+unites[u])
	}
	return strings.Join(parts, " ")
}
