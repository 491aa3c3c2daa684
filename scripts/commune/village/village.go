// Package village makes up a French village and two and a half years of its
// water: who lives where, behind which meter, and what the meters showed when
// somebody came to read them.
//
// It is the input of the demonstration, of the end-to-end tests and of the
// benchmarks. A Village is a pure function of its seed and its size: the same
// two numbers give the same bytes on every machine, and household i of a seed
// is the same whatever the size. Households are made one at a time, so a
// village of 100 000 streams in constant memory.
//
// Everybody in it is fictitious: names are drawn at random, mail goes to a
// domain reserved by RFC 2606, telephone numbers come from the ranges that
// ARCEP keeps for fiction. The commune is fictitious too; its tariff is the
// real one of a real commune (see Tarifs).
//
// Trouble is part of the design and sits at fixed places, so that a test knows
// what to expect:
//
//	household  what happens
//	7 of 500   a leak in the last period, well above twice the usual volume
//	31 of 500  the index goes back in the round of October 2025
//	11 of 250  the index goes back in the last round
//	17 of 250  a volume ten times too large is read in the last round
//	3 of 100   the meter passes through zero in one of the periods
//	21 of 50   the meter is changed, in the last period or in an earlier one
//	others     nobody at home, one visit in 30 (not in April 2026, when the period billed first begins)
package village

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"

	"aquaerp.fr/shared/message"
)

// Village names one village of all possible ones.
type Village struct {
	Seed uint64
	N    int // households, 1..100 000
}

// The commune.
const (
	Commune    = "Brissy-sur-Loing"
	codePostal = "77999"
	codeINSEE  = "77999"
	domaine    = "courriel.example"
)

// Reprise is the day from which the new system knows the meters; a few
// households moved in later, before the first round.
var Reprise = message.NewDate(2024, 4, 1)

// Tournees are the days of the reading rounds, in order.
var Tournees = []message.Date{
	message.NewDate(2024, 10, 1), message.NewDate(2025, 4, 1), message.NewDate(2025, 10, 1),
	message.NewDate(2026, 4, 1), message.NewDate(2026, 10, 1),
}

// Foyer is a household, a shop, a farm or a block of flats: one subscriber
// with one point of delivery.
type Foyer struct {
	Abonne       message.NouvelAbonne
	PDL          message.NouveauPDL
	Compteur     message.NouveauCompteur // in place on Debut
	Nature       string                  // of the contract
	ModePaiement string
	Debut        message.Date // of the contract, as taken over
	Index        int64        // shown on Debut
	Releves      []Releve     // one for each of Tournees
	Changement   *Changement  // nil for most
}

// Releve is what came of a visit.
type Releve struct {
	Compteur string // serial number
	Date     message.Date
	Index    int64
	Source   string // AGENT, ABONNE, TELERELEVE, or ABSENCE without index
	Attendu  string // state that the reading is expected to get: VALIDEE, ESTIMEE or SUSPECTE
	Motif    string // expected with SUSPECTE
}

// Changement is a change of meter. The contract is known to the system that
// made it; PDL and Depose say which one is meant.
type Changement struct {
	PDL      string   `json:"pdl"`
	Depose   string   `json:"depose"` // serial number of the meter removed
	Commande Commande `json:"commande"`
}

// Commande is what POST /v1/contrats/{id}/changement-compteur takes: the
// command ChangerCompteur without the contract, which the path names.
type Commande struct {
	Date        message.Date            `json:"date"`
	IndexDepose int64                   `json:"index_depose"`
	Compteur    message.NouveauCompteur `json:"compteur"`
	IndexPose   int64                   `json:"index_pose"`
}

// Foyers are the households, in the order of their references.
func (v Village) Foyers() iter.Seq[Foyer] {
	return func(yield func(Foyer) bool) {
		for i := range v.N {
			if !yield(v.foyer(i)) {
				return
			}
		}
	}
}

// Changements are the changes of meter made in [du, au), by household.
func (v Village) Changements(du, au message.Date) iter.Seq[Changement] {
	return func(yield func(Changement) bool) {
		for f := range v.Foyers() {
			c := f.Changement
			if c == nil || c.Commande.Date.Before(du) || !c.Commande.Date.Before(au) {
				continue
			}
			if !yield(*c) {
				return
			}
		}
	}
}

// foyer draws household i. Every household has its own source of randomness.
func (v Village) foyer(i int) Foyer {
	d := &des{rand.New(rand.NewPCG(v.Seed, uint64(i)))}
	f := Foyer{Debut: Reprise}
	if d.pourcent(4) {
		f.Debut = Reprise.AddDays(1 + d.IntN(90))
	}
	annuel := d.usage(&f, i) // litres a year
	f.PDL.Reference = fmt.Sprintf("PDL-%05d", i+1)
	f.PDL.Adresse = adresse(i)
	f.PDL.CodeINSEE = codeINSEE
	f.PDL.Assainissement = !d.pourcent(12)
	f.Abonne.Adresse = f.PDL.Adresse
	f.Abonne.Telephone = fmt.Sprintf("06 39 98 %02d %02d", d.IntN(100), d.IntN(100))
	f.ModePaiement = parmi(d, modes)
	if d.pourcent(85) {
		f.Abonne.Email = courriel(f.Abonne, i)
	}
	f.Compteur = d.compteur(i, annuel, 2005+d.IntN(19))
	d.lire(&f, i, annuel)
	return f
}

// usage draws who lives there, and returns the litres of an ordinary year.
func (d *des) usage(f *Foyer, i int) int64 {
	f.PDL.Logements, f.PDL.Secteur, f.Nature = 1, parmi(d, secteurs), "INDIVIDUEL"
	f.Abonne.Nature, f.PDL.ResidencePrincipale = "ORGANISATION", "NON"
	switch trouble, sort := troubleOf(i), d.IntN(100); {
	case sort < 3 && trouble == rien: // flats
		f.Nature, f.PDL.Habitation, f.PDL.ResidencePrincipale = "COLLECTIF", true, "INCONNU"
		f.PDL.Logements = 3 + d.IntN(22)
		f.Abonne.Nom = "Copropriété " + parmi(d, residences)
		return int64(f.PDL.Logements) * d.entre(70_000, 95_000)
	case sort < 6 && trouble == rien:
		f.Nature, f.Abonne.Nom = "COMMERCIAL", parmi(d, commerces)+" "+parmi(d, noms)
		return d.entre(90_000, 900_000)
	case sort < 8 && trouble == rien:
		f.Nature, f.Abonne.Nom = "AGRICOLE", parmi(d, fermes)+" "+parmi(d, lieux)
		return d.entre(400_000, 2_500_000)
	}
	f.Abonne.Nature, f.Abonne.Nom, f.Abonne.Prenom = "PERSONNE", parmi(d, noms), parmi(d, prenoms)
	f.PDL.Habitation, f.PDL.ResidencePrincipale = true, "OUI"
	annuel := 34_000 + parmi(d, personnes)*d.entre(24_000, 36_000)
	switch sort := d.IntN(100); {
	case sort < 9: // second home
		f.PDL.ResidencePrincipale = "NON"
		annuel = annuel * 2 / 5
	case sort < 13:
		f.PDL.ResidencePrincipale = "INCONNU"
	}
	return annuel
}

// compteur draws meter i of the given year, large enough for the volume.
func (d *des) compteur(i int, annuel int64, annee int) message.NouveauCompteur {
	c := message.NouveauCompteur{CalibreMM: 15, Roues: 5, LitresParUnite: 1000, Annee: annee}
	switch {
	case annuel > 1_800_000:
		c.CalibreMM, c.Roues = 40, 6
	case annuel > 900_000:
		c.CalibreMM, c.Roues = 30, 6
	case annuel > 400_000:
		c.CalibreMM = 20
	case annee < 2010:
		c.Roues = 4
	case annee >= 2020 && d.pourcent(30): // shows a tenth of a cubic metre
		c.Roues, c.LitresParUnite = 6, 100
	}
	c.Serie = fmt.Sprintf("%s%02d%s%06d", parmi(d, fabricants), annee%100, lettre(c.CalibreMM), serie(i))
	return c
}

// serie spreads numbers below a million without meeting one twice.
func serie(i int) int { return (i + 1) * 48_271 % 999_983 }

func lettre(calibre int) string {
	return map[int]string{15: "A", 20: "B", 30: "D", 40: "E"}[calibre]
}

// adresse is where household i stands: 19 doors a street, then the next one.
func adresse(i int) message.Adresse {
	rue, porte := i/19, i%19
	voie := voies[rue%len(voies)]
	if quartier := rue / len(voies); quartier > 0 {
		voie += " " + fmt.Sprint(quartier+1)
	}
	return message.Adresse{Voie: fmt.Sprintf("%d %s", 1+2*porte, voie), CodePostal: codePostal, Commune: Commune}
}

func courriel(a message.NouvelAbonne, i int) string {
	local := a.Nom
	if a.Prenom != "" {
		local = a.Prenom + "." + a.Nom
	}
	return fmt.Sprintf("%s.%d@%s", sansAccents.Replace(strings.ToLower(local)), i+1, domaine)
}

var sansAccents = strings.NewReplacer("à", "a", "â", "a", "ç", "c", "é", "e", "è", "e", "ê", "e", "ë", "e", "î", "i", "ï", "i",
	"ô", "o", "û", "u", "ü", "u", "œ", "oe", " ", "-", "'", "")

// des are the dice of one household.
type des struct{ *rand.Rand }

func (d *des) pourcent(p int) bool     { return d.IntN(100) < p }
func (d *des) entre(a, b int64) int64  { return a + d.Int64N(b-a+1) }
func parmi[T any](d *des, choix []T) T { return choix[d.IntN(len(choix))] }
