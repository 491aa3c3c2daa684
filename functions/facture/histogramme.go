package main

import (
	"fmt"

	"aquaerp.fr/shared/message"
)

// conso is a period of consumption that was billed.
type conso struct {
	Du, Au  message.Date
	Litres  int64
	Estimee bool
}

// parJour is litres a day, to the litre.
func (c conso) parJour() int64 {
	days := int64(c.Au.DaysSince(c.Du))
	return (c.Litres + days/2) / max(days, 1)
}

// barres is how many periods the chart shows at most: thirteen months, so that
// the same month a year ago is there.
const barres = 13

// enVigueur drops the periods that a later bill priced again, as one that
// follows an estimate does. Both are sorted by date of billing.
func enVigueur(all []conso) (out []conso) {
	for i, c := range all {
		again := false
		for _, later := range all[i+1:] {
			again = again || !later.Du.After(c.Du) && !later.Au.Before(c.Au)
		}
		if !again {
			out = append(out, c)
		}
	}
	return out[max(0, len(out)-barres):]
}

// unAnAvant finds the period that is about the last one, a year before: ended
// within a month and a half of it and of about its length.
func unAnAvant(all []conso) (at int, ok bool) {
	now := all[len(all)-1]
	for i, c := range all[:len(all)-1] {
		gap := now.Au.DaysSince(c.Au) - 365
		days, before := now.Au.DaysSince(now.Du), c.Au.DaysSince(c.Du)
		if gap >= -45 && gap <= 45 && 10*before >= 7*days && 10*before <= 13*days {
			return i, true
		}
	}
	return 0, false
}

// histogramme says how much water the bill is about, and draws it beside the
// periods before; it returns where it ends.
func histogramme(p *page, f imprimee, x, y, w float64) float64 {
	y = p.section(x, y, w, "Votre consommation")
	all := enVigueur(append(f.Avant, conso{f.Du, f.Au, f.VolumeLitres, f.Estimee}))
	now := all[len(all)-1]
	p.at(x, y+0.5, 44, 9, m3(f.VolumeLitres)+" m³", "L", true, 19, deep)
	p.at(x+w-44, y+1, 44, 4.5, fmt.Sprintf("%s litres par jour", message.Milliers(now.parJour())), "R", true, 8.8, ink)
	ago, compared := unAnAvant(all)
	if compared {
		p.at(x+w-44, y+5.4, 44, 4, comparer(now.parJour(), all[ago].parJour()), "R", false, 7.8, grey)
	}
	y += 13

	const h = 36.0
	var most int64 = 1
	for _, c := range all {
		most = max(most, c.Litres)
	}
	step := w / float64(max(len(all), 4))
	bar := min(step*0.62, 14)
	base := y + h
	for i, c := range all {
		height := (h - 5) * float64(c.Litres) / float64(most) // of a drawing
		at := x + step*float64(i) + (step-bar)/2
		shade, bold := light, false
		switch {
		case i == len(all)-1:
			shade, bold = deep, true
		case compared && i == ago:
			shade = mid
		}
		p.fill(shade)
		if height > 0.2 {
			p.Rect(at, base-height, bar, height, "F")
		}
		value := m3((c.Litres + 500) / 1000 * 1000)
		if c.Estimee {
			value += "*"
		}
		size, word := 7.6, ink
		if len(all) > 7 {
			size = 6.4
		}
		p.at(at-4, base-height-4.2, bar+8, 4, value, "C", bold, size, word)
		for k, label := range etiquette(c, len(all) > 7) {
			p.at(x+step*float64(i)-1, base+0.8+2.7*float64(k), step+2, 3, label, "C", bold, 6.1, grey)
		}
	}
	p.stroke(rule)
	p.SetLineWidth(0.3)
	p.Line(x, base, x+w, base)
	y = base + 7.4
	legend := "Volumes en m³"
	for _, c := range all {
		if c.Estimee {
			legend = "Volumes en m³ ; * sur un index estimé"
		}
	}
	p.at(x, y, w/2+10, 3.5, legend, "L", false, 6.6, grey)
	if compared {
		p.fill(mid)
		p.Rect(x+w-36, y+0.8, 2, 2, "F")
		p.at(x+w-33, y, 33, 3.5, "la même période, un an avant", "L", false, 6.6, grey)
	}
	return y + 4
}

// comparer words how a daily consumption is to that of a year ago.
func comparer(now, before int64) string {
	if before <= 0 {
		return ""
	}
	change := ((now-before)*200 + sign(now-before)*before) / (2 * before) // per cent, rounded
	switch {
	case change == 0:
		return "comme il y a un an"
	case change > 0:
		return fmt.Sprintf("+%d %% en un an (%s l/jour)", change, message.Milliers(before))
	}
	return fmt.Sprintf("−%d %% en un an (%s l/jour)", -change, message.Milliers(before))
}

func sign(n int64) int64 {
	if n < 0 {
		return -1
	}
	return 1
}

// etiquette names a period below its bar, in two lines.
func etiquette(c conso, narrow bool) []string {
	first, last := c.Du.Time(), c.Au.AddDays(-1).Time()
	if narrow || first.Month() == last.Month() && first.Year() == last.Year() {
		return []string{abrege(last.Month()), fmt.Sprint(last.Year())}
	}
	return []string{abrege(first.Month()) + " - " + abrege(last.Month()), fmt.Sprint(last.Year())}
}
