package main

import (
	"fmt"
	"slices"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// point is an index known on a day.
type point struct {
	ID    string // of the reading
	Date  message.Date
	Index int64
}

// pose is a meter at a PDL over [Du, Au) with what is known of its counter.
type pose struct {
	ID, ContratID, Compteur string
	CalibreMM, Roues        int
	LitresParUnite          int64
	Du, Au                  message.Date // Au is zero while it is in place

	reels    []point // accepted readings by date; the first is the index of Du, that of Au the last
	suspects []point // that wait for a decision
	estimee  *point  // the estimate that no reading has reversed
}

// dossier is what is known of a PDL.
type dossier struct {
	Logements int
	poses     []*pose
}

// pose finds a meter by the id of its pose, or nil.
func (d *dossier) pose(id string) *pose {
	for _, p := range d.poses {
		if p.ID == id {
			return p
		}
	}
	return nil
}

// poseDe finds the meter that was in place on a day.
func (d *dossier) poseDe(compteur string, date message.Date) (*pose, error) {
	known := false
	for _, p := range d.poses {
		if p.Compteur != compteur {
			continue
		}
		known = true
		if !date.Before(p.Du) && (p.Au.IsZero() || date.Before(p.Au)) {
			return p, nil
		}
	}
	if !known {
		return nil, function.Invalid("compteur", "compteur_inconnu",
			"Ce compteur n'est pas celui de ce PDL.", "This meter is not the one of this PDL.")
	}
	return nil, function.Invalid("date", "hors_pose",
		"Ce compteur n'était pas en place ce jour-là.", "This meter was not in place on that day.")
}

// troncon is the volume of a contract between two readings.
type troncon struct {
	Du, Au message.Date
	Litres int64
}

// historique is the consumption of a contract, across its meters.
type historique []troncon

// historique returns what flowed under a contract until a day.
func (d *dossier) historique(contratID string, jusqua message.Date) (h historique) {
	for _, p := range d.poses {
		if p.ContratID != contratID {
			continue
		}
		for i := 1; i < len(p.reels); i++ {
			de, a := p.reels[i-1], p.reels[i]
			if a.Date.After(de.Date) && !a.Date.After(jusqua) {
				h = append(h, troncon{de.Date, a.Date, p.volume(de.Index, a.Index)})
			}
		}
	}
	return h
}

// sur is the volume over [du, au), shared by days, and the days covered.
func (h historique) sur(du, au message.Date) (litres int64, jours int) {
	for _, t := range h {
		debut, fin := t.Du, t.Au
		if debut.Before(du) {
			debut = du
		}
		if fin.After(au) {
			fin = au
		}
		if n := fin.DaysSince(debut); n > 0 {
			litres += t.Litres * int64(n) / int64(t.Au.DaysSince(t.Du))
			jours += n
		}
	}
	return litres, jours
}

// attendu is the volume to expect over [du, au): the mean of the equivalent
// periods of earlier years that readings cover, else of the whole history, by
// days. known is false when the history is too short.
func (h historique) attendu(du, au message.Date, annees int) (litres int64, known bool) {
	jours := au.DaysSince(du)
	var v int64
	var n int
	for k := 1; k <= annees; k++ {
		l, couverts := h.sur(du.AddDays(-k*annee), au.AddDays(-k*annee))
		if couverts*10 >= jours*couvertureMinimale {
			v, n = v+l, n+couverts
		}
	}
	if n == 0 {
		for _, t := range h {
			v, n = v+t.Litres, n+t.Au.DaysSince(t.Du)
		}
		if n < historiqueMinimal {
			return 0, false
		}
	}
	return v * int64(jours) / int64(n), true
}

// lecture is what somebody brings back from a meter; an ABSENCE has no index.
type lecture struct {
	Date   message.Date
	Index  int64
	Source string // AGENT, ABONNE, TELERELEVE or ABSENCE
}

// verdict is what becomes of a reading; a new reading has no ID yet.
type verdict struct {
	point
	Etat         string
	VolumeLitres int64 // since the accepted reading before
	Jours        int
	Motifs       []message.Motif
	Remplace     string      // estimate that it reverses
	Suivante     *correction // the accepted reading after it, whose volume shrinks
}

// correction is the new volume of a reading that has got a closer predecessor.
type correction struct {
	ID           string
	VolumeLitres int64
	Jours        int
}

// recevoir decides on a reading of a meter in place on its day. Readings come
// in order: one before an accepted reading or an estimate is refused; only
// the removal of the meter may be known already.
func (d *dossier) recevoir(p *pose, l lecture) (verdict, error) {
	a := point{Date: l.Date, Index: l.Index}
	if err := p.libre(l); err != nil {
		return verdict{}, err
	}
	avant, apres := p.autour(l.Date)
	depose := apres != nil && apres.Date == p.Au
	if apres != nil && !depose || p.estimee != nil && l.Date.Before(p.estimee.Date) {
		return verdict{}, function.Invalid("date", "date_anterieure",
			"Un relevé plus récent de ce compteur est déjà enregistré.", "A later reading of this meter is already known.")
	}
	if l.Source == "ABSENCE" {
		if depose {
			return verdict{}, function.Invalid("date", "compteur_depose",
				"Ce compteur a été déposé depuis : son index de dépose est connu, il n'y a rien à estimer.",
				"This meter was removed since: its closing index is known, there is nothing to estimate.")
		}
		return d.estimer(p, avant, a), nil
	}
	if l.Index >= p.capacite() {
		return verdict{}, function.Invalid("index", "index_trop_grand",
			fmt.Sprintf("Ce compteur n'affiche que %d chiffres.", p.Roues), fmt.Sprintf("This meter shows %d digits only.", p.Roues))
	}
	if depose && !p.entre(avant, a, *apres) {
		return verdict{}, function.Invalid("index", "index_depose",
			"L'index contredit celui qui a été relevé à la dépose du compteur.", "The index contradicts the one read when the meter was removed.")
	}
	attendu, known := d.historique(p.ContratID, avant.Date).attendu(avant.Date, a.Date, anneesComparees)
	if motifs := p.douter(avant, a, attendu, known); len(motifs) > 0 {
		return verdict{point: a, Etat: "SUSPECTE", VolumeLitres: p.volume(avant.Index, a.Index), Jours: a.Date.DaysSince(avant.Date), Motifs: motifs}, nil
	}
	return p.accepter("VALIDEE", avant, a, apres), nil
}

// confirmer takes a doubtful reading as read. What the meter cannot have done
// or what a later reading contradicts is refused: it would be billed.
func (p *pose) confirmer(suspect point) (verdict, error) {
	avant, apres := p.autour(suspect.Date)
	if !p.possible(avant, suspect) {
		return verdict{}, function.Refused("releve_impossible",
			"Le compteur n'a pas pu passer de l'index précédent à celui-ci : rejetez le relevé, le volume sera estimé.",
			"The meter cannot have gone from the index before to this one: reject the reading, the volume will be estimated.")
	}
	if apres != nil && !p.entre(avant, suspect, *apres) {
		return verdict{}, function.Refused("releve_contredit",
			fmt.Sprintf("Le relevé du %s (index %d) contredit cet index : rejetez-le.", apres.Date, apres.Index),
			fmt.Sprintf("The reading of %s (index %d) contradicts this index: reject it.", apres.Date, apres.Index))
	}
	return p.accepter("CONFIRMEE", avant, suspect, apres), nil
}

// rejeter estimates the volume in the place of a doubtful reading; ok is
// false when what came after it makes that needless.
func (d *dossier) rejeter(p *pose, suspect point) (v verdict, ok bool) {
	avant, apres := p.autour(suspect.Date)
	if apres != nil || p.estimee != nil && !p.estimee.Date.Before(suspect.Date) {
		return verdict{}, false
	}
	return d.estimer(p, avant, point{Date: suspect.Date}), true
}

// deposer closes the pose with the index read at the removal. Readings dated
// from that day on are contradicted by it and returned.
func (p *pose) deposer(date message.Date, index int64) (v verdict, contredits []point) {
	p.Au = date
	p.reels = slices.DeleteFunc(p.reels, func(q point) bool {
		late := !q.Date.Before(date) && q.Date != p.Du
		if late {
			contredits = append(contredits, q)
		}
		return late
	})
	p.suspects = slices.DeleteFunc(p.suspects, func(q point) bool {
		late := !q.Date.Before(date)
		if late {
			contredits = append(contredits, q)
		}
		return late
	})
	return p.accepter("VALIDEE", p.reels[len(p.reels)-1], point{Date: date, Index: index}, nil), contredits
}

// libre refuses a second reading on a day.
func (p *pose) libre(l lecture) error {
	same := func(q point) error {
		if l.Source != "ABSENCE" && q.Index == l.Index {
			return function.Invalid("date", "doublon", "Ce relevé est déjà enregistré ; il n'est pas compté deux fois.",
				"This reading is already known; it does not count twice.")
		}
		return function.Invalid("date", "deja_releve",
			fmt.Sprintf("Ce compteur a déjà un relevé ce jour-là, d'index %d.", q.Index),
			fmt.Sprintf("This meter already has a reading on that day, with index %d.", q.Index))
	}
	for _, known := range [][]point{p.reels, p.suspects} {
		if i := slices.IndexFunc(known, func(q point) bool { return q.Date == l.Date }); i >= 0 {
			return same(known[i])
		}
	}
	if l.Source == "ABSENCE" && p.estimee != nil && p.estimee.Date == l.Date {
		return function.Invalid("date", "doublon", "Cette absence est déjà enregistrée.", "This absence is already known.")
	}
	return nil
}

// autour finds the accepted readings before and after a day of the pose.
func (p *pose) autour(date message.Date) (avant point, apres *point) {
	for i, q := range p.reels {
		if q.Date.After(date) {
			return avant, &p.reels[i]
		}
		avant = q
	}
	return avant, nil
}

// entre tells whether b lies on the way from a to c, without another turn.
func (p *pose) entre(a, b, c point) bool {
	return p.volume(a.Index, b.Index)+p.volume(b.Index, c.Index) == p.volume(a.Index, c.Index)
}

// accepter is the verdict that a was read after avant and before apres.
func (p *pose) accepter(etat string, avant, a point, apres *point) verdict {
	v := verdict{point: a, Etat: etat, VolumeLitres: p.volume(avant.Index, a.Index), Jours: a.Date.DaysSince(avant.Date)}
	if p.estimee != nil {
		v.Remplace = p.estimee.ID
	}
	if apres != nil {
		v.Suivante = &correction{apres.ID, p.volume(a.Index, apres.Index), apres.Date.DaysSince(a.Date)}
	}
	return v
}

// estimer estimates the index of a: the volume of the previous equivalent
// period since avant, the last accepted reading, in whole units of the
// counter. It takes the place of an estimate made since.
func (d *dossier) estimer(p *pose, avant, a point) verdict {
	litres, known := d.historique(p.ContratID, avant.Date).attendu(avant.Date, a.Date, 1)
	if !known {
		litres = volumeReference * int64(d.Logements) * int64(a.Date.DaysSince(avant.Date)) / annee
	}
	unites := min(litres/p.LitresParUnite, p.capacite()-1)
	a.Index = (avant.Index + unites) % p.capacite()
	return p.accepter("ESTIMEE", avant, a, nil)
}

// noter adds the outcome to what is known of the meter.
func (p *pose) noter(v verdict) {
	switch v.Etat {
	case "SUSPECTE":
		p.suspects = append(p.suspects, v.point)
	case "ESTIMEE":
		p.estimee = &v.point
	default:
		p.estimee = nil
		i, _ := slices.BinarySearchFunc(p.reels, v.Date, func(q point, d message.Date) int { return q.Date.DaysSince(d) })
		p.reels = slices.Insert(p.reels, i, v.point)
	}
}

// oublier takes a decided reading out of the queue.
func (p *pose) oublier(id string) {
	p.suspects = slices.DeleteFunc(p.suspects, func(q point) bool { return q.ID == id })
}
