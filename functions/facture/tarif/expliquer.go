package tarif

import (
	"cmp"
	"slices"
	"strconv"
)

// Explication is a priced bill with every figure that leads from the case to it. Things of the case are named by their place
// in it, from 0.
type Explication struct {
	Resultat  Resultat
	Troncons  []Troncon  // of all poses, in the order of the case and of dates
	Parts     []Part     // of the troncons, by service, in the order of troncons and dates
	Volumes   []Volume   // of the grilles that have a day of the period, in the order of the bill
	Plafonnee bool       // rule 8 capped the volumes
	Calculs   []Calcul   // one for each line of the result
	TVA       []Fraction // one for each rate of the result: centimes before rounding (rule 11)
}

// Troncon is what flowed between two index points of a pose (rules 1 and 2).
type Troncon struct {
	Pose int
	Periode
	IndexDebut, IndexFin int64 // IndexFin is below when the meter passed through zero
	Litres               int64
}

// Part is what one grille of a service gets of a troncon (rule 3).
type Part struct {
	Service         Service
	Troncon, Grille int
	Jours           int64 // of the troncon inside the grille
	Litres          int64
	Reste           bool // one of the litres is of those left by the division
}

// Volume is what one grille bills (rules 4 and 8).
type Volume struct {
	Service       Service
	Grille        int
	Jours         int64 // D of rule 4
	MesureLitres  int64 // V of rule 4
	FactureLitres int64 // the same unless rule 8 capped it
}

// Calcul is where a line of the bill comes from.
type Calcul struct {
	Regle   int      // 5 fixed part, 6 slab, 7 redevance, 9 acompte
	Source  int      // a grille (5 and 6), a redevance (7) or an acompte (9)
	Tranche int      // of rule 6, from 1
	De      int64    // litres below the slab (6)
	A       *int64   // litres up to its bound, nil when there is none (6)
	Exact   Fraction // HT in centimes before rounding (rule 10)
}

// Fraction is an exact number, not reduced: Num is the product of figures of the case, Den what its rule divides by.
type Fraction struct{ Num, Den string }

// String writes n/d, which [math/big.Rat] reads.
func (f Fraction) String() string { return f.Num + "/" + f.Den }

// Expliquer prices a case as [Calculer] does, in the same pass, and keeps what it goes through. It neither changes nor keeps
// c. The error is a [Code]; it is [Depassement] also for a volume measured that an int64 cannot hold, which Calculer bills
// when rule 8 caps it.
func Expliquer(c *Cas) (Explication, error) {
	var e Explication
	if code := calculer(c, &e.Resultat, &e); code != "" {
		return Explication{}, code
	}
	return e, nil
}

// mesurer notes the troncons, whose sum is an int64.
func (e *Explication) mesurer(c *Cas) {
	for i := range c.Poses {
		p := &c.Poses[i]
		index, next := p.IndexDebut, 0
		for days, volume := range p.troncons() {
			end := p.IndexFin
			if next < len(p.Releves) {
				end = p.Releves[next].Index
			}
			e.Troncons = append(e.Troncons, Troncon{i, days, index, end, int64(volume.lo)})
			index, next = end, next+1
		}
	}
}

// partager notes what the grilles of a service get of a troncon.
func (e *Explication) partager(c *Cas, grilles []*Grille, troncon int, parts []part) {
	at := len(e.Parts)
	for _, p := range parts {
		g := grilles[p.grille]
		e.Parts = append(e.Parts, Part{
			Service: g.Service, Troncon: troncon, Grille: c.place(g),
			Jours: g.days(e.Troncons[troncon].Periode), Litres: int64(p.volume.lo), Reste: p.extra,
		})
	}
	slices.SortFunc(e.Parts[at:], func(a, b Part) int { return cmp.Compare(c.Grilles[a.Grille].Du, c.Grilles[b.Grille].Du) })
}

// volumes notes what the grilles of a service bill.
func (e *Explication) volumes(c *Cas, grilles []*Grille, billed []uint128) {
	for k, g := range grilles {
		if days := g.days(c.Periode); days > 0 {
			v := Volume{Service: g.Service, Grille: c.place(g), Jours: days, FactureLitres: int64(billed[k].lo)}
			for _, p := range e.Parts {
				if p.Grille == v.Grille {
					v.MesureLitres += p.Litres
				}
			}
			e.Volumes = append(e.Volumes, v)
		}
	}
}

// tranche notes a line of slab k of a grille.
func (e *Explication) tranche(c *Cas, g *Grille, k int, days int64, exact Fraction) {
	line := Calcul{Regle: 6, Source: c.place(g), Tranche: k + 1, Exact: exact}
	if k > 0 {
		line.De, _ = g.Tranches[k-1].bound(c.PDL.Logements, days)
	}
	if bound, ok := g.Tranches[k].bound(c.PDL.Logements, days); ok {
		line.A = &bound
	}
	e.Calculs = append(e.Calculs, line)
}

// place returns where a grille of c stands in it.
func (c *Cas) place(g *Grille) int {
	return slices.IndexFunc(c.Grilles, func(other Grille) bool { return other.Service == g.Service && other.Du == g.Du })
}

// fraction is amount / unit.
func fraction(amount uint128, unit uint64, negative bool) Fraction {
	sign := ""
	if negative && !amount.isZero() {
		sign = "-"
	}
	return Fraction{sign + amount.String(), strconv.FormatUint(unit, 10)}
}
