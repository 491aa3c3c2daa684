package tarif

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
)

// oracle prices a valid case again, slowly and in another way: it walks day by day, keeps every number as a fraction and
// rounds at the very end. It answers false when a number of the result does not fit an int64.
func oracle(c *Cas) (Resultat, bool) {
	o := oracleBill{fits: true}
	r := Resultat{ID: c.ID, Lignes: []Ligne{}, TVA: []TVA{}}

	total := new(big.Int)
	for _, p := range c.Poses {
		for _, t := range oracleTroncons(p) {
			total.Add(total, t.litres)
		}
	}
	billed := map[Service]*big.Int{Eau: total}
	if c.PDL.Assainissement {
		billed[Assainissement] = total
	}
	if c.PDL.Habitation && c.Fuite != nil {
		mean := big.NewInt(c.Fuite.VolumeMoyenLitres)
		bound := new(big.Int).Mul(mean, big.NewInt(cmp.Or(c.Fuite.Multiple, 2)))
		if r.Anormale = total.Cmp(bound) > 0; r.Anormale && (c.Fuite.Attestation || !c.Fuite.Informe) {
			billed[Eau] = bound
			if c.PDL.Assainissement {
				billed[Assainissement] = mean
			}
		}
	}

	for _, side := range []struct {
		service  Service
		rubrique Rubrique
	}{{Eau, Distribution}, {Assainissement, EauxUsees}} {
		if billed[side.service] == nil {
			continue
		}
		for _, g := range oracleGrilles(c, side.service, total, billed[side.service]) {
			year := big.NewRat(g.days, 365)
			perYear := new(big.Rat).Mul(year, big.NewRat(c.PDL.Logements, 1))
			fixed := new(big.Rat).Mul(perYear, big.NewRat(g.PartFixeAn, 10_000))
			if fixed.Sign() != 0 {
				r.Lignes = append(r.Lignes, Ligne{side.rubrique, g.Code + "/fixe", 0, g.days, o.int64(fixed), g.TVAPm})
			}
			below := new(big.Int)
			for k, t := range g.Tranches {
				upTo := g.litres
				if t.JusquaM3 != nil {
					bound := new(big.Rat).Mul(perYear, big.NewRat(*t.JusquaM3, 1))
					bound.Mul(bound, big.NewRat(1000, 1))
					if floor := new(big.Int).Quo(bound.Num(), bound.Denom()); floor.Cmp(upTo) < 0 {
						upTo = floor
					}
				}
				litres := new(big.Int).Sub(upTo, below)
				below = upTo
				if litres.Sign() == 0 {
					continue
				}
				amount := new(big.Rat).Mul(new(big.Rat).SetInt(litres), big.NewRat(t.PrixM3, 1000*10_000))
				r.Lignes = append(r.Lignes, Ligne{side.rubrique, fmt.Sprintf("%s/tranche-%d", g.Code, k+1), o.whole(litres), 0, o.int64(amount), g.TVAPm})
			}
		}
	}

	for _, d := range c.Redevances {
		volume := billed[d.Service]
		if volume == nil || c.DateFacturation < d.Du || c.DateFacturation >= d.Au {
			continue
		}
		amount := new(big.Rat).Mul(new(big.Rat).SetInt(volume), big.NewRat(d.TauxM3, 1000*10_000))
		amount.Mul(amount, big.NewRat(d.CoefficientPm, 1000))
		if amount.Sign() != 0 {
			r.Lignes = append(r.Lignes, Ligne{OrganismesPublics, "redevance/" + d.Code, o.whole(volume), 0, o.int64(amount), d.TVAPm})
		}
	}
	for _, a := range c.Acomptes {
		ht := new(big.Int).Neg(big.NewInt(a.HTCentimes))
		r.Lignes = append(r.Lignes, Ligne{a.Rubrique, "acompte/" + a.Code, 0, 0, o.whole(ht), a.TVAPm})
	}

	r.VolumeEauLitres = o.whole(billed[Eau])
	if billed[Assainissement] != nil {
		r.VolumeAssainissementLitres = o.whole(billed[Assainissement])
	}
	bases := map[int64]*big.Int{}
	for _, l := range r.Lignes {
		if bases[l.TVAPm] == nil {
			bases[l.TVAPm] = new(big.Int)
		}
		bases[l.TVAPm].Add(bases[l.TVAPm], big.NewInt(l.HTCentimes))
	}
	ht, vat := new(big.Int), new(big.Int)
	for rate, base := range bases {
		t := TVA{rate, o.whole(base), o.int64(new(big.Rat).Mul(new(big.Rat).SetInt(base), big.NewRat(rate, 1000)))}
		r.TVA = append(r.TVA, t)
		ht.Add(ht, base)
		vat.Add(vat, big.NewInt(t.MontantCentimes))
	}
	slices.SortFunc(r.TVA, func(a, b TVA) int { return big.NewInt(a.TauxPm).Cmp(big.NewInt(b.TauxPm)) })
	r.HTCentimes, r.TVACentimes, r.TTCCentimes = o.whole(ht), o.whole(vat), o.whole(new(big.Int).Add(ht, vat))
	return r, o.fits
}

type oracleBill struct{ fits bool }

// int64 rounds half away from zero.
func (o *oracleBill) int64(x *big.Rat) int64 {
	n := new(big.Rat).Abs(x)
	n.Add(n, big.NewRat(1, 2))
	floor := new(big.Int).Quo(n.Num(), n.Denom())
	if x.Sign() < 0 {
		floor.Neg(floor)
	}
	return o.whole(floor)
}

func (o *oracleBill) whole(x *big.Int) int64 {
	o.fits = o.fits && x.IsInt64()
	return x.Int64()
}

type oracleTroncon struct {
	du, au Date
	litres *big.Int
}

func oracleTroncons(p Pose) (list []oracleTroncon) {
	points := append([]Releve{{p.Du, p.IndexDebut}}, p.Releves...)
	points = append(points, Releve{p.Au, p.IndexFin})
	wheel := new(big.Int).Exp(big.NewInt(10), big.NewInt(p.Roues), nil)
	for i := range points[1:] {
		units := big.NewInt(points[i+1].Index - points[i].Index)
		units.Mod(units, wheel) // Euclidean: a rollover adds one turn of the wheels
		list = append(list, oracleTroncon{points[i].Date, points[i+1].Date, units.Mul(units, big.NewInt(p.LitresParUnite))})
	}
	return list
}

type oracleGrille struct {
	Grille
	days   int64
	litres *big.Int
}

func oracleGrilles(c *Cas, service Service, total, billed *big.Int) (list []*oracleGrille) {
	for _, g := range c.Grilles {
		if g.Service == service {
			list = append(list, &oracleGrille{Grille: g, litres: new(big.Int)})
		}
	}
	slices.SortFunc(list, func(a, b *oracleGrille) int { return int(a.Du) - int(b.Du) })
	of := func(day Date) int {
		return slices.IndexFunc(list, func(g *oracleGrille) bool { return g.Du <= day && day < g.Au })
	}
	for day := c.Periode.Du; day < c.Periode.Au; day++ {
		list[of(day)].days++
	}
	for _, p := range c.Poses {
		for _, t := range oracleTroncons(p) {
			days := make([]*big.Int, len(list))
			for k := range days {
				days[k] = new(big.Int)
			}
			for day := t.du; day < t.au; day++ {
				k := of(day)
				days[k].Add(days[k], big.NewInt(1))
			}
			for k, litres := range oracleShare(t.litres, days) {
				list[k].litres.Add(list[k].litres, litres)
			}
		}
	}
	if billed.Cmp(total) != 0 {
		weights := make([]*big.Int, len(list))
		for k := range list {
			weights[k] = list[k].litres
		}
		for k, litres := range oracleShare(billed, weights) {
			list[k].litres = litres
		}
	}
	return list
}

// oracleShare is rule 3, giving away the litres left one by one.
func oracleShare(total *big.Int, weights []*big.Int) (shares []*big.Int) {
	sum, left := new(big.Int), new(big.Int).Set(total)
	for _, w := range weights {
		sum.Add(sum, w)
	}
	rests := make([]*big.Int, len(weights))
	for k, w := range weights {
		share, rest := new(big.Int).QuoRem(new(big.Int).Mul(total, w), sum, new(big.Int))
		shares, rests[k] = append(shares, share), rest
		left.Sub(left, share)
	}
	for ; left.Sign() > 0; left.Sub(left, big.NewInt(1)) {
		best := 0
		for k := range rests {
			if rests[k].Cmp(rests[best]) > 0 {
				best = k
			}
		}
		shares[best].Add(shares[best], big.NewInt(1))
		rests[best] = big.NewInt(-1)
	}
	return shares
}
