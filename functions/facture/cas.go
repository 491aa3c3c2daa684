package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"maps"
	"slices"

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
	points    []point  // readings that count, in any order
	anterieur *billing // the last bill, nil for the first
	annees    int64    // how many years its usual volume is the mean of
	multiple  int64    // of that mean, from which a volume is abnormal
	fuites    []fuite  // leaks that its readings showed
}

type contrat struct {
	id, numero     string
	logements      int
	assainissement bool
	habitation     bool
	place

	// What the bill says of whom it goes to.
	abonneID, nom, email, pdl, lieu, modePaiement string
	siren, siret, numeroTVA                       string // of an organisation
	adresse                                       json.RawMessage
	entite                                        string // who issues it
}

type pose struct {
	id, serie      string
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
	releve  string // its id; none at the ends of a pose
	source  string
}

// billing is what an earlier bill covered. When it rests on an estimate, its
// lines price everything since the last real reading: a bill that follows an
// estimate always prices again from there.
type billing struct {
	numero  string
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
	return d.jusqua(periode.Du, periode.Au+tolerance)
}

// jusqua is cas for a period that starts on du, with the readings of no later
// day than the given one.
func (d *dossier) jusqua(du, jusqua tarif.Date) (c tarif.Cas, estimee bool, err error) {
	points := d.known()
	var from, billed tarif.Date
	var acomptes []tarif.Acompte
	switch before := d.anterieur; {
	case before == nil:
		from = opening(points, du)
		billed = from
	case before.estimee:
		from, billed, acomptes = before.du, before.au, before.acomptes()
	default:
		from, billed = before.au, before.au
	}
	end := slices.IndexFunc(points, func(p point) bool { return p.date > jusqua })
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
	if d.contrat.habitation {
		c.Fuite = d.fuite(c.Periode)
	}
	return c, last.estimee, nil
}

// known are all points, the ends of poses included, by date. What was read at
// a change of meter goes before another reading of that day; a reading of a
// meter that was gone by then does not count, nor does an estimate that a
// later index of its meter reversed, whether or not operation has said so yet.
func (d *dossier) known() []point {
	points := make([]point, 0, 2*len(d.poses)+len(d.points))
	gone := map[string]tarif.Date{}
	for _, p := range d.poses {
		points = append(points, point{pose: p.id, date: p.du, index: p.debut, source: "POSE"})
		if p.au != 0 {
			gone[p.id] = p.au
			points = append(points, point{pose: p.id, date: p.au, index: p.fin, source: "DEPOSE"})
		}
	}
	read := maps.Clone(gone) // the last day on which each meter was read
	for _, p := range d.points {
		if !p.estimee {
			read[p.pose] = max(read[p.pose], p.date)
		}
	}
	for _, p := range d.points {
		if au, ok := gone[p.pose]; (!ok || p.date <= au) && (!p.estimee || p.date > read[p.pose]) {
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

// habitude are the volumes of the equivalent periods of the three previous
// years, the last first, as far as they are known.
func (d *dossier) habitude(p tarif.Periode) (known []consommation) {
	points := d.known()
	for back := tarif.Date(1); back <= tarif.Date(d.annees); back++ {
		from, okFrom := nearest(points, p.Du-back*365)
		to, okTo := nearest(points, p.Au-back*365)
		if okFrom && okTo && from < to {
			known = append(known, consommation{tarif.Periode{Du: from, Au: to}, d.volume(points, from, to)})
		}
	}
	return known
}

// fuite is what rule 8 asks about a bill of the given period: its usual
// volume, and whether a certificate caps it. The bill itself tells of an
// abnormal volume, in time (CGCT R2224-20-1). Nil when nothing is known.
func (d *dossier) fuite(p tarif.Periode) *tarif.Fuite {
	mean, ok := d.usual(p)
	f := tarif.Fuite{VolumeMoyenLitres: mean, Multiple: d.multiple, Informe: true}
	for _, l := range d.fuites {
		if l.Au <= p.Du || l.Au > p.Au {
			continue
		}
		f.Attestation = f.Attestation || l.attestee
		if !ok && l.Periode == p {
			f.VolumeMoyenLitres, ok = l.moyenne, true
		}
	}
	if !ok {
		return nil
	}
	return &f
}

// usual is the mean volume of the equivalent periods of the three previous
// years (CGCT L2224-12-4 III bis); ok is false when none is known.
func (d *dossier) usual(p tarif.Periode) (mean int64, ok bool) {
	known := d.habitude(p)
	var sum int64
	for _, c := range known {
		sum += c.Litres
	}
	if sum == 0 {
		return 0, false
	}
	return sum / int64(len(known)), true
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

// acomptes are the lines of a bill on an estimate, to be reversed.
func (b *billing) acomptes() []tarif.Acompte {
	var out []tarif.Acompte
	for _, l := range b.estimees() {
		out = append(out, tarif.Acompte{Rubrique: tarif.Rubrique(l.Rubrique), Code: l.Code, HTCentimes: l.HTCentimes, TVAPm: l.TVAPM})
	}
	return out
}
