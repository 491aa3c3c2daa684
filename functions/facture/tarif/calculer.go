package tarif

import (
	"cmp"
	"math"
	"slices"
	"strconv"
)

const (
	ueParCentime  = 10_000
	joursParAn    = 365 // also in a leap year (rule 5)
	litresParM3   = 1_000
	parMille      = 1_000
	fixedPartUnit = joursParAn * ueParCentime             // of part_fixe_an x logements x days, to centimes
	slabUnit      = litresParM3 * ueParCentime            // of litres x prix_m3, to centimes
	redevanceUnit = litresParM3 * parMille * ueParCentime // of litres x taux_m3 x coefficient_pm, to centimes
)

// Calculer prices a case by rules 1 to 12. It neither changes nor keeps c. The error is a [Code]; then the result is zero.
func Calculer(c *Cas) (Resultat, error) {
	var r Resultat
	if code := calculer(c, &r, nil); code != "" {
		return Resultat{}, code
	}
	return r, nil
}

// calculer is [Calculer] into a result whose slices it may use again, and [Expliquer] when e is given. With a code, the
// result means nothing.
func calculer(c *Cas, r *Resultat, e *Explication) Code {
	if code := check(c); code != "" {
		return code
	}
	size := len(c.Redevances) + len(c.Acomptes)
	for i := range c.Grilles {
		size += 1 + len(c.Grilles[i].Tranches)
	}
	*r = Resultat{ID: c.ID, Lignes: slices.Grow(r.Lignes[:0], size), TVA: slices.Grow(r.TVA[:0], 2)}
	f := facture{c: c, r: r, e: e}
	f.fill()
	if f.overflow {
		return Depassement
	}
	return ""
}

// facture is a bill being filled.
type facture struct {
	c        *Cas
	r        *Resultat
	e        *Explication // notes the way, unless nil
	overflow bool         // something did not fit an int64
}

func (f *facture) fill() {
	c, r := f.c, f.r
	measured := c.measured()
	if f.e != nil {
		if f.fit(measured.toInt64()); f.overflow {
			return
		}
		f.e.mesurer(c)
	}
	eau, assainissement, anormale := c.billed(measured)
	r.Anormale = anormale
	r.VolumeEauLitres = f.fit(eau.toInt64())
	r.VolumeAssainissementLitres = f.fit(assainissement.toInt64())
	if f.overflow {
		return // from here on, billed volumes are int64
	}
	f.service(Eau, Distribution, measured, eau)
	if c.PDL.Assainissement {
		f.service(Assainissement, EauxUsees, measured, assainissement)
	}
	f.redevances()
	f.acomptes()
	f.totals()
}

// service adds the lines of the grilles of a service (rules 3 to 6).
func (f *facture) service(service Service, rubrique Rubrique, measured, billed uint128) {
	var grilleBuf [8]*Grille
	grilles := f.c.grilles(service, grilleBuf[:0])
	var volumeBuf [8]uint128
	volumes := append(volumeBuf[:0], make([]uint128, len(grilles))...)
	f.c.split(grilles, volumes, f.e)
	if billed != measured {
		scale(volumes, billed, measured)
	}
	if f.e != nil {
		f.e.Plafonnee = f.e.Plafonnee || billed != measured
		f.e.volumes(f.c, grilles, volumes)
	}
	for k, g := range grilles {
		days := g.days(f.c.Periode)
		if days == 0 {
			continue
		}
		f.fixedPart(g, rubrique, days)
		f.slabs(g, rubrique, days, int64(volumes[k].lo))
	}
}

// fixedPart adds the fixed part of a grille (rule 5).
func (f *facture) fixedPart(g *Grille, rubrique Rubrique, days int64) {
	amount := u128(g.PartFixeAn).mul(f.c.PDL.Logements).mul(days)
	if amount.isZero() {
		return
	}
	f.add(Ligne{
		Rubrique: rubrique, Code: g.Code + "/fixe", Jours: days,
		HTCentimes: f.centimes(amount, fixedPartUnit, false), TVAPm: g.TVAPm,
	})
	if f.e != nil {
		f.e.Calculs = append(f.e.Calculs, Calcul{Regle: 5, Source: f.c.place(g), Exact: fraction(amount, fixedPartUnit, false)})
	}
}

// slabs adds the slabs of a grille that some of its volume falls in (rule 6).
func (f *facture) slabs(g *Grille, rubrique Rubrique, days, volume int64) {
	var below int64
	for k := range g.Tranches {
		t := &g.Tranches[k]
		upTo := t.upTo(volume, f.c.PDL.Logements, days)
		if litres := upTo - below; litres != 0 {
			amount := u128(litres).mul(t.PrixM3)
			f.add(Ligne{
				Rubrique: rubrique, Code: g.Code + "/tranche-" + strconv.Itoa(k+1), Litres: litres,
				HTCentimes: f.centimes(amount, slabUnit, false), TVAPm: g.TVAPm,
			})
			if f.e != nil {
				f.e.tranche(f.c, g, k, days, fraction(amount, slabUnit, false))
			}
		}
		below = upTo
	}
}

// upTo returns how many of volume litres lie below the upper bound of a slab (rule 6).
func (t *Tranche) upTo(volume, logements, days int64) int64 {
	if bound, ok := t.bound(logements, days); ok {
		return min(bound, volume)
	}
	return volume
}

// bound returns the upper bound of a slab in litres (rule 6), or false when it has none that an int64 can hold.
func (t *Tranche) bound(logements, days int64) (int64, bool) {
	if t.JusquaM3 == nil {
		return 0, false
	}
	bound, ok := u128(*t.JusquaM3).mul(litresParM3).mul(logements).mul(days).div(joursParAn)
	return int64(bound), ok && bound <= math.MaxInt64
}

// redevances adds the redevances in force on the day of billing (rule 7).
func (f *facture) redevances() {
	day := Periode{f.c.DateFacturation, f.c.DateFacturation + 1}
	for i := range f.c.Redevances {
		r := &f.c.Redevances[i]
		volume := f.r.VolumeEauLitres
		if r.Service == Assainissement {
			volume = f.r.VolumeAssainissementLitres
		}
		amount := u128(volume).mul(r.TauxM3).mul(r.CoefficientPm)
		if amount.isZero() || r.days(day) == 0 {
			continue
		}
		f.add(Ligne{
			Rubrique: OrganismesPublics, Code: "redevance/" + r.Code, Litres: volume,
			HTCentimes: f.centimes(amount, redevanceUnit, false), TVAPm: r.TVAPm,
		})
		if f.e != nil {
			f.e.Calculs = append(f.e.Calculs, Calcul{Regle: 7, Source: i, Exact: fraction(amount, redevanceUnit, false)})
		}
	}
}

// acomptes takes back what was billed on estimates (rule 9).
func (f *facture) acomptes() {
	for i := range f.c.Acomptes {
		a := &f.c.Acomptes[i]
		if a.HTCentimes == math.MinInt64 { // has no opposite
			f.overflow = true
		}
		f.add(Ligne{Rubrique: a.Rubrique, Code: "acompte/" + a.Code, HTCentimes: -a.HTCentimes, TVAPm: a.TVAPm})
		if f.e != nil {
			f.e.Calculs = append(f.e.Calculs, Calcul{Regle: 9, Source: i, Exact: fraction(uint128{lo: magnitude(a.HTCentimes)}, 1, a.HTCentimes > 0)})
		}
	}
}

// totals adds up the lines by VAT rate, then the bill (rules 11 and 12).
func (f *facture) totals() {
	type amount struct{ rate, ht int64 }
	var buf [16]amount
	amounts := buf[:0]
	for i := range f.r.Lignes {
		amounts = append(amounts, amount{f.r.Lignes[i].TVAPm, f.r.Lignes[i].HTCentimes})
	}
	slices.SortFunc(amounts, func(a, b amount) int { return cmp.Compare(a.rate, b.rate) })
	var ht, vat uint128
	for len(amounts) > 0 {
		rate := amounts[0].rate
		var sum uint128
		for len(amounts) > 0 && amounts[0].rate == rate {
			sum = sum.addInt64(amounts[0].ht)
			amounts = amounts[1:]
		}
		base := f.fit(sum.toInt64())
		amount := uint128{lo: magnitude(base)}.mul(rate)
		montant := f.centimes(amount, parMille, base < 0)
		f.r.TVA = append(f.r.TVA, TVA{TauxPm: rate, BaseCentimes: base, MontantCentimes: montant})
		if f.e != nil {
			f.e.TVA = append(f.e.TVA, fraction(amount, parMille, base < 0))
		}
		ht, vat = ht.addInt64(base), vat.addInt64(montant)
	}
	f.r.HTCentimes = f.fit(ht.toInt64())
	f.r.TVACentimes = f.fit(vat.toInt64())
	f.r.TTCCentimes = f.fit(ht.add(vat).toInt64())
}

// add appends a line.
func (f *facture) add(l Ligne) { f.r.Lignes = append(f.r.Lignes, l) }

// centimes rounds amount / unit half away from zero (rule 10), negative when told so.
func (f *facture) centimes(amount uint128, unit uint64, negative bool) int64 {
	n, ok := amount.round(unit)
	if negative {
		n = -n
	}
	x := int64(n)
	if !ok || n != 0 && x < 0 != negative {
		f.overflow = true
	}
	return x
}

// fit passes on a number that fits, and notes one that does not.
func (f *facture) fit(x int64, ok bool) int64 {
	if !ok {
		f.overflow = true
	}
	return x
}

// magnitude returns |x|.
func magnitude(x int64) uint64 {
	if x < 0 {
		return -uint64(x)
	}
	return uint64(x)
}
