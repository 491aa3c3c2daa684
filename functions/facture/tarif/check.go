package tarif

import (
	"cmp"
	"slices"
)

// checks hold the errors of a case in the order in which they win. Each may rely on those before it.
var checks = [...]struct {
	code   Code
	broken func(*Cas) bool
}{
	{JSONInvalide, hasUnknownName},
	{DateInvalide, hasBadDate},
	{PeriodeVide, hasEmptyPeriode},
	{ValeurNegative, hasNegative},
	{IndexHorsCompteur, hasIndexTooLarge},
	{PoseHorsPeriode, hasPoseOutside},
	{PosesChevauchantes, hasPosesOverlap},
	{RelevesDesordonnes, hasRelevesUnordered},
	{GrillesChevauchantes, hasGrillesOverlap},
	{GrilleManquante, lacksGrille},
	{TranchesDesordonnees, hasTranchesUnordered},
}

// check returns the first error of a case, or "".
func check(c *Cas) Code {
	for i := range checks {
		if checks[i].broken(c) {
			return checks[i].code
		}
	}
	return ""
}

// checkGrille returns the first error of a grille that stands alone, or "".
func checkGrille(g *Grille) Code {
	switch {
	case !g.Service.known():
		return JSONInvalide
	case g.badDates():
		return DateInvalide
	case g.empty():
		return PeriodeVide
	case g.negative():
		return ValeurNegative
	case g.unordered():
		return TranchesDesordonnees
	}
	return ""
}

func hasUnknownName(c *Cas) bool {
	for i := range c.Grilles {
		if !c.Grilles[i].Service.known() {
			return true
		}
	}
	for i := range c.Redevances {
		if !c.Redevances[i].Service.known() {
			return true
		}
	}
	for i := range c.Acomptes {
		if !c.Acomptes[i].Rubrique.known() {
			return true
		}
	}
	return false
}

func hasBadDate(c *Cas) bool {
	if !c.DateFacturation.Valid() || c.Periode.badDates() {
		return true
	}
	for i := range c.Poses {
		p := &c.Poses[i]
		if p.badDates() {
			return true
		}
		for j := range p.Releves {
			if !p.Releves[j].Date.Valid() {
				return true
			}
		}
	}
	for i := range c.Grilles {
		if c.Grilles[i].badDates() {
			return true
		}
	}
	for i := range c.Redevances {
		if c.Redevances[i].badDates() {
			return true
		}
	}
	return false
}

func hasEmptyPeriode(c *Cas) bool {
	if c.Periode.empty() {
		return true
	}
	for i := range c.Grilles {
		if c.Grilles[i].empty() {
			return true
		}
	}
	for i := range c.Redevances {
		if c.Redevances[i].empty() {
			return true
		}
	}
	return false
}

func hasNegative(c *Cas) bool {
	if c.PDL.Logements < 1 || c.Fuite != nil && min(c.Fuite.VolumeMoyenLitres, c.Fuite.Multiple) < 0 {
		return true
	}
	for i := range c.Poses {
		p := &c.Poses[i]
		if p.Roues < 1 || p.Roues > 9 || p.LitresParUnite < 1 || p.IndexDebut < 0 || p.IndexFin < 0 {
			return true
		}
		for j := range p.Releves {
			if p.Releves[j].Index < 0 {
				return true
			}
		}
	}
	for i := range c.Grilles {
		if c.Grilles[i].negative() {
			return true
		}
	}
	for i := range c.Redevances {
		if r := &c.Redevances[i]; r.TauxM3 < 0 || r.CoefficientPm < 0 || r.TVAPm < 0 {
			return true
		}
	}
	for i := range c.Acomptes {
		if c.Acomptes[i].TVAPm < 0 {
			return true
		}
	}
	return false
}

func hasIndexTooLarge(c *Cas) bool {
	for i := range c.Poses {
		p := &c.Poses[i]
		end := p.rollover()
		if p.IndexDebut >= end || p.IndexFin >= end {
			return true
		}
		for j := range p.Releves {
			if p.Releves[j].Index >= end {
				return true
			}
		}
	}
	return false
}

func hasPoseOutside(c *Cas) bool {
	for i := range c.Poses {
		if p := c.Poses[i].Periode; p.empty() || p.Du < c.Periode.Du || p.Au > c.Periode.Au {
			return true
		}
	}
	return false
}

func hasPosesOverlap(c *Cas) bool {
	var buf [8]Periode
	poses := buf[:0]
	for i := range c.Poses {
		poses = append(poses, c.Poses[i].Periode)
	}
	slices.SortFunc(poses, func(a, b Periode) int { return cmp.Compare(a.Du, b.Du) })
	for i := 1; i < len(poses); i++ {
		if poses[i].Du < poses[i-1].Au {
			return true
		}
	}
	return false
}

func hasRelevesUnordered(c *Cas) bool {
	for i := range c.Poses {
		p := &c.Poses[i]
		last := p.Du
		for j := range p.Releves {
			date := p.Releves[j].Date
			if date <= last || date >= p.Au {
				return true
			}
			last = date
		}
	}
	return false
}

func hasGrillesOverlap(c *Cas) bool {
	var buf [8]*Grille
	for _, service := range [...]Service{Eau, Assainissement} {
		grilles := c.grilles(service, buf[:0])
		for i := 1; i < len(grilles); i++ {
			if grilles[i].Du < grilles[i-1].Au {
				return true
			}
		}
	}
	return false
}

func lacksGrille(c *Cas) bool {
	return !c.covered(Eau) || c.PDL.Assainissement && !c.covered(Assainissement)
}

func hasTranchesUnordered(c *Cas) bool {
	for i := range c.Grilles {
		if c.Grilles[i].unordered() {
			return true
		}
	}
	return false
}

// covered tells whether each day of the period has a grille of the service, knowing that none overlap.
func (c *Cas) covered(service Service) bool {
	var days int64
	for i := range c.Grilles {
		if c.Grilles[i].Service == service {
			days += c.Grilles[i].days(c.Periode)
		}
	}
	return days == c.Periode.days(c.Periode)
}

// grilles appends the grilles of a service to buf, the earliest first.
func (c *Cas) grilles(service Service, buf []*Grille) []*Grille {
	for i := range c.Grilles {
		if c.Grilles[i].Service == service {
			buf = append(buf, &c.Grilles[i])
		}
	}
	slices.SortFunc(buf, byDu)
	return buf
}

func (s Service) known() bool { return s == Eau || s == Assainissement }

func (r Rubrique) known() bool { return r == Distribution || r == EauxUsees || r == OrganismesPublics }

func (p Periode) badDates() bool { return !p.Du.Valid() || !p.Au.Valid() }

func (p Periode) empty() bool { return p.Au <= p.Du }

// rollover returns 10^Roues, the number of values the meter can show.
func (p *Pose) rollover() int64 {
	n := int64(1)
	for range p.Roues {
		n *= 10
	}
	return n
}

func (g *Grille) negative() bool {
	for i := range g.Tranches {
		if t := &g.Tranches[i]; t.PrixM3 < 0 || t.JusquaM3 != nil && *t.JusquaM3 < 0 {
			return true
		}
	}
	return g.PartFixeAn < 0 || g.TVAPm < 0
}

func (g *Grille) unordered() bool {
	end := len(g.Tranches) - 1
	if end < 0 || g.Tranches[end].JusquaM3 != nil {
		return true
	}
	var last int64
	for i := range g.Tranches[:end] {
		bound := g.Tranches[i].JusquaM3
		if bound == nil || *bound <= last {
			return true
		}
		last = *bound
	}
	return false
}
