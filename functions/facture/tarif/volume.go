package tarif

import (
	"iter"
	"slices"
)

// A volume that was measured may pass 64 bits (a product of inputs, rule 1) and still be billed, when rule 8 caps it. So
// volumes are uint128 until they are billed, and cannot overflow that: a troncon is below 10^9 x 2^63 litres.

// troncons yields each troncon of a pose with its volume in litres (rules 1 and 2).
func (p *Pose) troncons() iter.Seq2[Periode, uint128] {
	return func(yield func(Periode, uint128) bool) {
		du, index := p.Du, p.IndexDebut
		for i := range p.Releves {
			next := &p.Releves[i]
			if !yield(Periode{du, next.Date}, p.volume(index, next.Index)) {
				return
			}
			du, index = next.Date, next.Index
		}
		yield(Periode{du, p.Au}, p.volume(index, p.IndexFin))
	}
}

// volume returns the litres between two successive indexes (rule 1).
func (p *Pose) volume(a, b int64) uint128 {
	if b < a {
		b += p.rollover()
	}
	return u128(b - a).mul(p.LitresParUnite)
}

// measured returns the volume of all troncons, in litres.
func (c *Cas) measured() (sum uint128) {
	for i := range c.Poses {
		for _, volume := range c.Poses[i].troncons() {
			sum = sum.add(volume)
		}
	}
	return sum
}

// part is what one grille gets of a volume that several share.
type part struct {
	grille int     // its place among the grilles of the service
	weight uint128 // its claim on the volume
	volume uint128 // what it gets
	rest   uint128 // volume x weight mod the sum of the weights
	extra  bool    // it got one of the litres left
}

// share divides total by weight (rule 3): each part gets the floor, and the litres left go one each to the largest
// remainders, the earliest first when equal. It reorders parts, given the earliest first; sum, that of their weights, is
// not 0.
func share(parts []part, total, sum uint128) {
	left := total
	for i := range parts {
		p := &parts[i]
		p.volume, p.rest = mulDiv(total, p.weight, sum)
		left = left.sub(p.volume)
	}
	if left.isZero() {
		return
	}
	slices.SortStableFunc(parts, func(a, b part) int { return b.rest.cmp(a.rest) })
	for i := range parts[:left.lo] { // fewer than the parts that have a remainder
		parts[i].volume, parts[i].extra = parts[i].volume.add(u128(1)), true
	}
}

// split adds to volumes, one for each of grilles, the part of each troncon that lies inside (rules 3 and 4), and notes it in e
// unless that is nil. The grilles cover the period, the earliest first.
func (c *Cas) split(grilles []*Grille, volumes []uint128, e *Explication) {
	var buf [8]part
	troncon := -1
	for i := range c.Poses {
		for days, volume := range c.Poses[i].troncons() {
			troncon++
			first, _ := slices.BinarySearchFunc(grilles, days.Du, func(g *Grille, du Date) int { return int(g.Au - du - 1) })
			if days.Au <= grilles[first].Au {
				volumes[first] = volumes[first].add(volume)
				if e != nil {
					e.partager(c, grilles, troncon, []part{{grille: first, volume: volume}})
				}
				continue
			}
			parts := buf[:0]
			for k := first; k < len(grilles) && grilles[k].Du < days.Au; k++ {
				parts = append(parts, part{grille: k, weight: u128(days.days(grilles[k].Periode))})
			}
			share(parts, volume, u128(days.days(days)))
			for _, p := range parts {
				volumes[p.grille] = volumes[p.grille].add(p.volume)
			}
			if e != nil {
				e.partager(c, grilles, troncon, parts)
			}
		}
	}
}

// scale makes volumes, whose sum is measured, sum to billed in the same proportions (rule 8).
func scale(volumes []uint128, billed, measured uint128) {
	var buf [8]part
	parts := buf[:0]
	for k := range volumes {
		parts = append(parts, part{grille: k, weight: volumes[k]})
	}
	share(parts, billed, measured)
	for _, p := range parts {
		volumes[p.grille] = p.volume
	}
}

// billed returns the volumes of eau and of assainissement to bill, in litres, and whether the volume is abnormal (rule 8).
func (c *Cas) billed(measured uint128) (eau, assainissement uint128, anormale bool) {
	eau = measured
	if c.PDL.Assainissement {
		assainissement = measured
	}
	if c.Fuite == nil || !c.PDL.Habitation {
		return eau, assainissement, false
	}
	mean := u128(c.Fuite.VolumeMoyenLitres)
	bound := mean.mul(c.Fuite.multiple())
	if measured.cmp(bound) <= 0 {
		return eau, assainissement, false
	}
	if c.Fuite.Attestation || !c.Fuite.Informe {
		eau = bound
		if c.PDL.Assainissement {
			assainissement = mean
		}
	}
	return eau, assainissement, true
}

// multiple is the one of the case; one that names none is older than the name, of the time of the double.
func (f *Fuite) multiple() int64 {
	if f.Multiple == 0 {
		return 2
	}
	return f.Multiple
}
