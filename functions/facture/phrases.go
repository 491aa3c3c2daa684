package main

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"aquaerp.fr/functions/facture/tarif"
	"aquaerp.fr/shared/message"
)

// langue is a language that figures and sentences are written in.
type langue bool

const (
	francais langue = false
	english  langue = true
)

// phrase writes a sentence in both languages.
func phrase(say func(langue) string) message.Phrase {
	return message.Phrase{FR: say(francais), EN: say(english)}
}

// pick is the text of the language.
func (l langue) pick(fr, en string) string {
	if l == english {
		return en
	}
	return fr
}

// decimal writes a figure, given with a comma, as the language does.
func (l langue) decimal(s string) string {
	if l == english {
		return strings.Replace(s, ",", ".", 1)
	}
	return s
}

func (l langue) euros(centimes int64) string { return l.decimal(message.Euros(centimes)) }
func (l langue) volume(litres int64) string  { return l.decimal(m3(litres)) } // in m3
func (l langue) m3(litres int64) string      { return l.volume(litres) + "\u00a0m³" }
func (l langue) taux(pm int64) string {
	return l.decimal(strings.Replace(taux(pm), " %", "\u00a0%", 1))
}

// prix writes micro-euros as a unit price.
func (l langue) prix(ue int64) string {
	whole, rest, _ := strings.Cut(prix(ue), ",")
	n, _ := strconv.ParseInt(whole, 10, 64)
	return l.decimal(message.Milliers(n)+","+rest) + "\u00a0€"
}

// coefficient writes per mille as a factor.
func (l langue) coefficient(pm int64) string {
	s := fmt.Sprintf("%d,%03d", pm/1000, pm%1000)
	return l.decimal(strings.TrimSuffix(strings.TrimRight(s, "0"), ","))
}

// exact writes centimes before rounding, n/d, as euros: with up to six
// decimals, and three dots when there would be more.
func (l langue) exact(fraction string) string {
	r, ok := new(big.Rat).SetString(fraction)
	if !ok {
		return fraction
	}
	sign := ""
	if r.Sign() < 0 {
		sign = "−"
		r.Abs(r)
	}
	r.Mul(r, big.NewRat(10_000, 1)) // micro-euros
	ue, rest := new(big.Int).QuoRem(r.Num(), r.Denom(), new(big.Int))
	if !ue.IsInt64() {
		return fraction
	}
	s := l.prix(ue.Int64())
	if rest.Sign() != 0 {
		s = strings.TrimSuffix(s, "\u00a0€") + "…\u00a0€"
	}
	return sign + s
}

// egal writes "= amount", and what it is rounded to when it is not whole centimes.
func (l langue) egal(fraction string, centimes int64) string {
	exact, rounded := l.exact(fraction), l.euros(centimes)
	if exact == rounded {
		return "= " + rounded
	}
	return "= " + exact + l.pick(", arrondi à ", ", rounded to ") + rounded
}

var mois = [...]string{"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"}

func (l langue) date(d tarif.Date) string {
	t, err := time.Parse(time.DateOnly, d.String())
	if err != nil {
		return d.String()
	}
	if l == english {
		return t.Format("2 January 2006")
	}
	day := strconv.Itoa(t.Day())
	if day == "1" {
		day = "1er"
	}
	return day + "\u00a0" + mois[t.Month()-1] + " " + strconv.Itoa(t.Year())
}

// jours writes a number of days.
func (l langue) jours(n int64) string {
	if n == 1 {
		return l.pick("1\u00a0jour", "1\u00a0day")
	}
	return message.Milliers(n) + l.pick("\u00a0jours", "\u00a0days")
}

// logements writes a factor of dwellings, nothing for one.
func (l langue) logements(n int64) string {
	if n == 1 {
		return ""
	}
	return " × " + message.Milliers(n) + l.pick("\u00a0logements", "\u00a0dwellings")
}

// fois words a multiple of a volume; a case that names none is of the time of the double.
func (l langue) fois(multiple int64) string {
	if multiple == 0 || multiple == 2 {
		return l.pick("le double", "twice")
	}
	return fmt.Sprintf(l.pick("%d fois ce volume", "%d times"), multiple)
}

// pour writes what slab bounds are computed for.
func (l langue) pour(jours, logements int64) string {
	s := l.pick("pour ", "for ") + l.jours(jours)
	if logements > 1 {
		s += l.pick(" et ", " and ") + message.Milliers(logements) + l.pick("\u00a0logements", "\u00a0dwellings")
	}
	return s
}

func (l langue) service(s tarif.Service) string {
	if s == tarif.Eau {
		return l.pick("l'eau", "water")
	}
	return l.pick("l'assainissement", "sewerage")
}

// provenances say how an index was obtained.
var provenances = map[string][2]string{
	"AGENT":      {"relevé par un agent", "read by an agent"},
	"ABONNE":     {"transmis par l'abonné", "sent by the subscriber"},
	"TELERELEVE": {"relevé à distance", "read remotely"},
	"ESTIMATION": {"estimé", "estimated"},
	"POSE":       {"relevé à la pose du compteur", "read as the meter was installed"},
	"DEPOSE":     {"relevé à la dépose du compteur", "read as the meter was removed"},
	"RELEVE":     {"relevé", "read"},
}

func (l langue) provenance(source string) string {
	p := provenances[source]
	return l.pick(p[0], p[1])
}

// index writes what a meter showed, and how that is known.
func (l langue) index(index int64, source string) string {
	return message.Milliers(index) + " (" + l.provenance(source) + ")"
}
