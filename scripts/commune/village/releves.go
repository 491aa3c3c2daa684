package village

import "aquaerp.fr/shared/message"

// trouble is what goes wrong in a household, at most one thing.
type trouble int

const (
	rien trouble = iota
	fuite
	reculAncien
	recul
	dixFois
	passageParZero
	changement
)

// troubleOf is the table of the package comment.
func troubleOf(i int) trouble {
	switch n := i + 1; {
	case n%500 == 7:
		return fuite
	case n%500 == 31:
		return reculAncien
	case n%250 == 11:
		return recul
	case n%250 == 17:
		return dixFois
	case n%100 == 3:
		return passageParZero
	case n%50 == 21:
		return changement
	}
	return rien
}

// lire runs the meter from Debut to the last round and reads it at each.
func (d *des) lire(f *Foyer, i int, annuel int64) {
	t := troubleOf(i)
	volumes := d.volumes(f, annuel, t)
	dernier := len(Tournees) - 1
	echelle := puissance10(f.Compteur.Roues) * f.Compteur.LitresParUnite // litres at which the meter passes through zero

	litres := d.depart(f, annuel, echelle)
	if t == passageParZero {
		k := 1 + d.IntN(dernier)
		litres = echelle - somme(volumes[:k]) - volumes[k]/2
	}
	compteur := f.Compteur
	montre := func() int64 { return litres % echelle / compteur.LitresParUnite }
	f.Index = montre()

	change := -1
	if t == changement {
		change = 1 + d.IntN(dernier)
		if d.pourcent(50) {
			change = dernier
		}
	}
	source := d.source(f.Compteur.Annee)
	for k, jour := range Tournees {
		avant := montre()
		if k == change {
			litres = d.changer(f, i, &compteur, litres, volumes[k], Tournees[k-1], jour)
		} else {
			litres += volumes[k]
		}
		r := Releve{Compteur: compteur.Serie, Date: jour, Index: montre(), Source: source, Attendu: "VALIDEE"}
		switch {
		case t == recul && k == dernier, t == reculAncien && k == dernier-2:
			r.Index, r.Attendu, r.Motif = avant-3-d.Int64N(5), "SUSPECTE", "INDEX_RECULE"
		case t == dixFois && k == dernier:
			r.Index += 9 * volumes[k] / compteur.LitresParUnite
			r.Attendu, r.Motif = "SUSPECTE", "VOLUME_ELEVE"
		case t == fuite && k == dernier:
			r.Attendu, r.Motif = "SUSPECTE", "VOLUME_ELEVE"
		case t == rien && k != ouvrante && source == "AGENT" && d.IntN(30) == 0 && !absent(f.Releves):
			r.Index, r.Source, r.Attendu = 0, "ABSENCE", "ESTIMEE"
		case source == "AGENT" && d.pourcent(6):
			r.Source = "ABONNE"
		}
		f.Releves = append(f.Releves, r)
	}
}

// volumes are the litres of each period, Debut to the first round included.
func (d *des) volumes(f *Foyer, annuel int64, t trouble) []int64 {
	volumes := make([]int64, len(Tournees))
	du := f.Debut
	for k, au := range Tournees {
		saison := int64(108) // per cent: April to October
		if au.Time().Month() == 4 {
			saison = 92
		}
		jours := int64(au.DaysSince(du))
		volumes[k] = annuel * jours / 365 * saison / 100 * d.entre(90, 110) / 100
		du = au
	}
	if t == fuite {
		volumes[len(volumes)-1] *= 6
	}
	return volumes
}

// remplacants is where the numbers of new meters begin.
const remplacants = 500_000

// depart is what the meter has counted since it was made, with room for all
// periods, a leak or a misreading before it passes through zero.
func (d *des) depart(f *Foyer, annuel, echelle int64) int64 {
	compte := annuel * int64(f.Debut.Year()-f.Compteur.Annee)
	if reste := echelle - 10*annuel; compte > reste {
		compte = reste
	}
	return compte + d.entre(20_000, annuel/2+20_000)
}

// changer closes the meter in place and opens a new one on a day of the
// period; it returns the litres that the new one has counted at its end.
func (d *des) changer(f *Foyer, i int, compteur *message.NouveauCompteur, litres, volume int64, du, au message.Date) int64 {
	jours := au.DaysSince(du)
	jour := 30 + d.IntN(jours-60)
	avant := volume * int64(jour) / int64(jours)
	ancien := *compteur
	neuf := d.compteur(i+remplacants, 0, du.Year())
	neuf.CalibreMM, neuf.Roues, neuf.LitresParUnite = ancien.CalibreMM, 5, 1000
	pose := d.entre(0, 2)
	f.Changement = &Changement{PDL: f.PDL.Reference, Depose: ancien.Serie, Commande: Commande{
		Date:        du.AddDays(jour),
		IndexDepose: (litres + avant) / ancien.LitresParUnite,
		Compteur:    neuf,
		IndexPose:   pose,
	}}
	*compteur = neuf
	return pose*neuf.LitresParUnite + volume - avant
}

// source is how a meter is usually read; recent ones often by radio.
func (d *des) source(annee int) string {
	if annee >= 2018 && d.pourcent(60) {
		return "TELERELEVE"
	}
	return "AGENT"
}

// ouvrante is the round that opens the period billed first. Everybody is at
// home: an estimate there would reach back to a period that the former system
// billed, under tariffs that we do not have.
const ouvrante = 3

// absent tells whether nobody was at home on the last visit: two missed
// visits in a row would call for a letter, which is another story.
func absent(r []Releve) bool { return len(r) == 0 || r[len(r)-1].Source == "ABSENCE" }

func puissance10(n int) int64 {
	p := int64(1)
	for range n {
		p *= 10
	}
	return p
}

func somme(v []int64) (s int64) {
	for _, x := range v {
		s += x
	}
	return s
}
