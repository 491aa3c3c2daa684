package main

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"

	"aquaerp.fr/functions/facture/tarif"
	"aquaerp.fr/shared/message"
)

// tolerance is how many days a reading may come after the end of the period
// that it closes: a round takes time.
const tolerance = 30

// dossier is everything that the bill of one contract rests on.
type dossier struct {
	contrat   contrat
	poses     []pose   // by du
	points    []point  // readings that count, by date
	anterieur *billing // the last bill, nil for the first
}

type contrat struct {
	id, numero     string
	logements      int
	assainissement bool
	habitation     bool
	place
}

type pose struct {
	id             string
	roues          int64
	litresParUnite int64
	du, au         tarif.Date // au 0: still there
	debut, fin     int64
}

// point is an index known on a day.
type point struct {
	pose    string
	date    tarif.Date
	index   int64
	estimee bool
}

// billing is what an earlier bill covered. When it rests on an estimate, its
// lines price everything since the last real reading: a bill that follows an
// estimate always prices again from there.
type billing struct {
	du, au  tarif.Date
	estimee bool
	lignes  []message.LigneFacture
}

var errSansReleve = errors.New("no reading closes the period")

// cas builds the case of a dossier for the billing period: from the point
// where the last bill ended (or, for the first, the one that opens the
// period) to the last reading of the period. Estimates billed before are
// priced again together with what the real reading shows, and come back as
// acomptes. estimee tells that the bill itself rests on an estimate.
func (d *dossier) cas(periode tarif.Periode) (c tarif.Cas, estimee bool, err error) {
	points := d.known()
	var from, billed tarif.Date
	var acomptes []tarif.Acompte
	switch before := d.anterieur; {
	case before == nil:
		from = opening(points, periode.Du)
		billed = from
	case before.estimee:
		from, billed, acomptes = before.du, before.au, before.acomptes()
	default:
		from, billed = before.au, before.au
	}
	end := slices.IndexFunc(points, func(p point) bool { return p.date > periode.Au+tolerance })
	if end < 0 {
		end = len(points)
	}
	points = points[:end]
	if from == 0 || len(points) == 0 || points[len(points)-1].date <= billed {
		return c, false, errSansReleve
	}
	last := points[len(points)-1]
	c = tarif.Cas{
		Periode:  tarif.Periode{Du: from, Au: last.date},
		PDL:      tarif.PDL{Logements: int64(d.contrat.logements), Assainissement: d.contrat.assainissement, Habitation: d.contrat.habitation},
		Poses:    d.between(points, from, last.date),
		Acomptes: acomptes,
	}
	if len(c.Poses) == 0 {
		return c, false, errSansReleve
	}
	if mean, ok := d.usual(c.Periode); ok && d.contrat.habitation {
		// The bill itself tells of the abnormal volume, in time (CGCT R2224-20-1).
		c.Fuite = &tarif.Fuite{VolumeMoyenLitres: mean, Informe: true}
	}
	return c, last.estimee, nil
}

// known are all points, the ends of poses included, by date. What was read at
// a change of meter goes before another reading of that day; a reading of a
// meter that was gone by then does not count.
func (d *dossier) known() (points []point) {
	gone := map[string]tarif.Date{}
	for _, p := range d.poses {
		points = append(points, point{pose: p.id, date: p.du, index: p.debut})
		if p.au != 0 {
			gone[p.id] = p.au
			points = append(points, point{pose: p.id, date: p.au, index: p.fin})
		}
	}
	for _, p := range d.points {
		if au, ok := gone[p.pose]; !ok || p.date <= au {
			points = append(points, p)
		}
	}
	slices.SortStableFunc(points, func(a, b point) int { return cmp.Compare(a.date, b.date) })
	return points
}

// opening is the day on which the first bill starts: the last point known
// around the start of the period, else the first point of all.
func opening(points []point, du tarif.Date) tarif.Date {
	var from tarif.Date
	for _, p := range points {
		if from != 0 && p.date > du+tolerance {
			break
		}
		from = p.date
	}
	return from
}

// between cuts the poses to [from, to) and gives them their readings.
func (d *dossier) between(points []point, from, to tarif.Date) []tarif.Pose {
	var out []tarif.Pose
	for _, p := range d.poses {
		cut := tarif.Pose{Roues: p.roues, LitresParUnite: p.litresParUnite}
		var inside []tarif.Releve
		for _, q := range points {
			if q.pose == p.id && q.date >= from && q.date <= to {
				inside = append(inside, tarif.Releve{Date: q.date, Index: q.index})
			}
		}
		// A day read twice counts once.
		inside = slices.CompactFunc(inside, func(a, b tarif.Releve) bool { return a.Date == b.Date })
		if len(inside) < 2 {
			continue
		}
		first, last := inside[0], inside[len(inside)-1]
		cut.Periode = tarif.Periode{Du: first.Date, Au: last.Date}
		cut.IndexDebut, cut.IndexFin = first.Index, last.Index
		cut.Releves = inside[1 : len(inside)-1]
		out = append(out, cut)
	}
	return out
}

// usual is the mean volume of the equivalent periods of the three previous
// years (CGCT L2224-12-4 III bis); ok is false when none is known.
func (d *dossier) usual(p tarif.Periode) (mean int64, ok bool) {
	points := d.known()
	var sum, years int64
	for back := tarif.Date(1); back <= 3; back++ {
		from, okFrom := nearest(points, p.Du-back*365)
		to, okTo := nearest(points, p.Au-back*365)
		if !okFrom || !okTo || from >= to {
			continue
		}
		sum += d.volume(points, from, to)
		years++
	}
	if years == 0 || sum == 0 {
		return 0, false
	}
	return sum / years, true
}

// equivalence is how far a reading may be from the same day of another year.
const equivalence = 45

func nearest(points []point, day tarif.Date) (best tarif.Date, ok bool) {
	for _, p := range points {
		if gap := abs(p.date - day); gap <= equivalence && (!ok || gap < abs(best-day)) {
			best, ok = p.date, true
		}
	}
	return best, ok
}

func abs(d tarif.Date) tarif.Date { return max(d, -d) }

// volume is what flowed between two days on which points are known.
func (d *dossier) volume(points []point, from, to tarif.Date) (litres int64) {
	for _, p := range d.between(points, from, to) {
		last := p.IndexDebut
		for _, r := range append(slices.Clone(p.Releves), tarif.Releve{Index: p.IndexFin}) {
			units := r.Index - last
			if units < 0 {
				units += pow10(p.Roues)
			}
			litres += units * p.LitresParUnite
			last = r.Index
		}
	}
	return litres
}

func pow10(n int64) int64 {
	p := int64(1)
	for range n {
		p *= 10
	}
	return p
}

// acomptes are the lines of a bill on an estimate, to be reversed; what that
// bill itself reversed is settled.
func (b *billing) acomptes() []tarif.Acompte {
	var out []tarif.Acompte
	for _, l := range b.lignes {
		if !strings.HasPrefix(l.Code, "acompte/") {
			out = append(out, tarif.Acompte{Rubrique: tarif.Rubrique(l.Rubrique), Code: l.Code, HTCentimes: l.HTCentimes, TVAPm: l.TVAPM})
		}
	}
	return out
}

// lignes are the lines of a priced bill with the words and unit prices that
// the reader sees.
func lignes(r tarif.Resultat, t message.TarifsEnVigueur, acomptes []message.LigneFacture) []message.LigneFacture {
	words := map[string]message.LigneFacture{}
	for _, g := range t.Grilles {
		service := "eau"
		if g.Service == string(tarif.Assainissement) {
			service = "assainissement"
		}
		words[g.Code+"/fixe"] = message.LigneFacture{Libelle: "Abonnement " + service, PrixUE: g.PartFixeAnUE}
		for k, tranche := range g.Tranches {
			libelle := "Consommation " + service
			if len(g.Tranches) > 1 {
				libelle += ", tranche " + strconv.Itoa(k+1)
			}
			words[g.Code+"/tranche-"+strconv.Itoa(k+1)] = message.LigneFacture{Libelle: libelle, PrixUE: tranche.PrixM3UE}
		}
	}
	for _, d := range t.Redevances {
		words["redevance/"+d.Code] = message.LigneFacture{Libelle: d.Libelle, PrixUE: d.TauxM3UE * d.CoefficientPM / 1000}
	}
	for _, l := range acomptes {
		words["acompte/"+l.Code] = message.LigneFacture{Libelle: "Reprise d'estimation : " + l.Libelle, PrixUE: l.PrixUE}
	}
	out := make([]message.LigneFacture, len(r.Lignes))
	for i, l := range r.Lignes {
		w := words[l.Code]
		out[i] = message.LigneFacture{
			Rubrique: string(l.Rubrique), Code: l.Code, Libelle: w.Libelle, PrixUE: w.PrixUE,
			Litres: l.Litres, Jours: int(l.Jours), HTCentimes: l.HTCentimes, TVAPM: l.TVAPm,
		}
	}
	return out
}
