package main

import (
	"fmt"

	"aquaerp.fr/shared/message"
)

// The figures of the rules. Each is a choice that a utility may revise; none
// is law.
const (
	// A reading is doubtful above three times what was expected, which a
	// change in the household explains no more (a leak that the law calls
	// abnormal starts at twice the mean: L2224-12-4 III bis CGCT), or below a
	// fifth of it, where a blocked meter starts to be likelier than an absence.
	foisTrop, foisPeu = 3, 5

	// Differences below this are not worth a visit, whatever their ratio.
	ecartMinimal = 10_000 // litres

	// A history shorter than a quarter tells nothing about a household.
	historiqueMinimal = 90 // days

	// How many earlier years are looked at, as in the leak rule (R2224-20-1 CGCT).
	anneesComparees = 3

	// Of a period of an earlier year, the part that readings must cover, in tenths.
	couvertureMinimale = 9

	// A counter that passed zero had reached the last tenth of its scale; and
	// one that goes half way round between two readings cannot be told from
	// one that was misread.
	dernierePartie, moitie = 10, 2

	// A dwelling without history: the 120 m3 a year of the bill by which the
	// law measures tariffs (arrete du 6 aout 2007).
	volumeReference = 120_000 // litres a year and dwelling

	annee = 365 // days, as in the pricing rules
)

// debitsPermanents are the permanent flow rates Q3 in litres an hour by
// nominal diameter in mm, the usual choice for cold-water meters within the
// series of EN ISO 4064-1 (OIML R 49-1), section 4.1.
var debitsPermanents = map[int]int64{
	15: 2_500, 20: 4_000, 25: 6_300, 30: 10_000, 40: 16_000, 50: 25_000, 60: 40_000, 65: 40_000,
	80: 63_000, 100: 100_000, 125: 160_000, 150: 250_000, 200: 400_000,
}

// debitMax is the volume that a meter of a diameter can pass in some days:
// the overload flow rate, Q4 = 1.25 Q3 (EN ISO 4064-1, section 4.1), without
// a pause. known is false for a diameter outside the table.
func debitMax(calibreMM, jours int) (litres int64, known bool) {
	q3, known := debitsPermanents[calibreMM]
	return q3 * 5 / 4 * 24 * int64(jours), known
}

// capacite is the number of units after which the counter shows zero again.
func (p pose) capacite() int64 {
	n := int64(1)
	for range p.Roues {
		n *= 10
	}
	return n
}

// volume is what flowed between two indexes, in litres, at most one turn of
// the counter: the rule by which facture prices, too.
func (p pose) volume(de, a int64) int64 {
	v := a - de
	if v < 0 {
		v += p.capacite()
	}
	return v * p.LitresParUnite
}

// possible tells whether the meter can have gone from one index to another.
func (p pose) possible(de, a point) bool {
	v := p.volume(de.Index, a.Index)
	most, known := debitMax(p.CalibreMM, a.Date.DaysSince(de.Date))
	if known && v > most {
		return false
	}
	return a.Index >= de.Index || v/p.LitresParUnite < p.capacite()/moitie
}

// douter lists the reasons to doubt that the meter went from de to a, of
// which attendu litres were expected; connu is false without history.
func (p pose) douter(de, a point, attendu int64, connu bool) (motifs []message.Motif) {
	doubt := func(code, fr, en string) {
		motifs = append(motifs, message.Motif{Code: code, Detail: fr, DetailEN: en})
	}
	v, jours := p.volume(de.Index, a.Index), a.Date.DaysSince(de.Date)
	rollover := de.Index >= p.capacite()-p.capacite()/dernierePartie && p.possible(de, a)
	if a.Index < de.Index && !rollover {
		doubt("INDEX_RECULE",
			fmt.Sprintf("L'index %d est inférieur au précédent (%d le %s), et le compteur n'a pas pu repasser par zéro.", a.Index, de.Index, de.Date.Francais()),
			fmt.Sprintf("Index %d is below the one before (%d on %s), and the meter cannot have passed through zero.", a.Index, de.Index, de.Date))
		return motifs
	}
	if most, known := debitMax(p.CalibreMM, jours); known && v > most {
		doubt("DEBIT_IMPOSSIBLE",
			fmt.Sprintf("%s en %d jours dépassent ce qu'un compteur DN%d peut laisser passer (%s).", m3(v), jours, p.CalibreMM, m3(most)),
			fmt.Sprintf("%s in %d days is more than a DN%d meter can pass (%s).", m3(v), jours, p.CalibreMM, m3(most)))
	}
	if connu && v > foisTrop*attendu && v-attendu > ecartMinimal {
		doubt("VOLUME_ELEVE",
			fmt.Sprintf("%s en %d jours, pour %s attendus d'après l'historique.", m3(v), jours, m3(attendu)),
			fmt.Sprintf("%s in %d days where the history lets expect %s.", m3(v), jours, m3(attendu)))
	}
	if connu && v*foisPeu < attendu && attendu-v > ecartMinimal {
		doubt("VOLUME_FAIBLE",
			fmt.Sprintf("%s seulement en %d jours, pour %s attendus d'après l'historique.", m3(v), jours, m3(attendu)),
			fmt.Sprintf("Only %s in %d days where the history lets expect %s.", m3(v), jours, m3(attendu)))
	}
	return motifs
}

// m3 writes litres as cubic metres.
func m3(litres int64) string {
	if litres%1000 == 0 {
		return fmt.Sprintf("%d m³", litres/1000)
	}
	return fmt.Sprintf("%d.%03d m³", litres/1000, litres%1000)
}
