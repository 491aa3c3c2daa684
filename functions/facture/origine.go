package main

import (
	"slices"
	"strconv"
	"strings"

	"aquaerp.fr/functions/facture/tarif"
	"aquaerp.fr/shared/message"
)

// origine is what a case was made of. It is stored with the bill, beside the
// case: meters, readings and tariffs live on, and a bill must be provable
// without them.
type origine struct {
	Poses      []origineDePose      `json:"poses"`              // one for each of the case
	Grilles    []origineDeGrille    `json:"grilles"`            // likewise
	Redevances []origineDeRedevance `json:"redevances"`         // likewise
	Acomptes   []origineDAcompte    `json:"acomptes,omitempty"` // likewise
	Habitude   []consommation       `json:"habitude,omitempty"` // what the usual volume of rule 8 is the mean of
}

type origineDePose struct {
	ID     string           `json:"id"`
	Serie  string           `json:"serie"`
	Points []origineDePoint `json:"points"` // its first day in the case, each releve, its last
}

type origineDePoint struct {
	Releve string `json:"releve,omitempty"` // id; none when the index was noted as the meter came or went
	Source string `json:"source"`           // AGENT, ABONNE, TELERELEVE, ESTIMATION, POSE or DEPOSE; RELEVE when nobody told
}

type origineDeGrille struct {
	ID           string `json:"id"`
	Deliberation string `json:"deliberation"`
}

type origineDeRedevance struct {
	ID      string `json:"id"`
	Libelle string `json:"libelle"`
	Source  string `json:"source"`
}

type origineDAcompte struct {
	Facture string `json:"facture"` // number of the bill that it was on
	Libelle string `json:"libelle"`
	PrixUE  int64  `json:"prix_ue"`
}

// consommation is a volume that flowed over [Du, Au).
type consommation struct {
	tarif.Periode
	Litres int64 `json:"litres"`
}

// origine tells what a case of the dossier was made of. Rates come from the
// contract's basin, or from everywhere.
func (d *dossier) origine(c *tarif.Cas, t message.TarifsEnVigueur, bassin string) origine {
	o := origine{Poses: []origineDePose{}, Grilles: []origineDeGrille{}, Redevances: []origineDeRedevance{}}
	points := d.known()
	on := func(p pose, day tarif.Date) int {
		return slices.IndexFunc(points, func(q point) bool { return q.pose == p.id && q.date == day })
	}
	for _, cut := range c.Poses {
		days := []tarif.Date{cut.Du}
		for _, r := range cut.Releves {
			days = append(days, r.Date)
		}
		days = append(days, cut.Au)
		p := d.poses[slices.IndexFunc(d.poses, func(p pose) bool {
			return !slices.ContainsFunc(days, func(day tarif.Date) bool { return on(p, day) < 0 })
		})]
		from := origineDePose{ID: p.id, Serie: p.serie}
		for _, day := range days {
			q := points[on(p, day)]
			from.Points = append(from.Points, origineDePoint{q.releve, q.provenance()})
		}
		o.Poses = append(o.Poses, from)
	}
	o.tarifs(c, t, bassin)
	if len(c.Acomptes) > 0 {
		for _, l := range d.anterieur.estimees() {
			o.Acomptes = append(o.Acomptes, origineDAcompte{d.anterieur.numero, l.Libelle, l.PrixUE})
		}
	}
	if c.Fuite != nil {
		o.Habitude = d.habitude(c.Periode)
	}
	return o
}

// tarifs tells where the tariffs of a case came from.
func (o *origine) tarifs(c *tarif.Cas, t message.TarifsEnVigueur, bassin string) {
	for _, used := range c.Grilles {
		k := slices.IndexFunc(t.Grilles, func(g message.Grille) bool { return g.Code == used.Code })
		o.Grilles = append(o.Grilles, origineDeGrille{t.Grilles[k].ID, t.Grilles[k].Deliberation})
	}
	for _, used := range c.Redevances {
		in := func(bassin string) int {
			return slices.IndexFunc(t.Redevances, func(r message.Redevance) bool {
				return r.Bassin == bassin && redevanceTarif(r.DefinirRedevance) == used
			})
		}
		k := in(bassin)
		if k < 0 {
			k = in("")
		}
		o.Redevances = append(o.Redevances, origineDeRedevance{t.Redevances[k].ID, t.Redevances[k].Libelle, t.Redevances[k].Source})
	}
}

// provenance is how an index was obtained.
func (p point) provenance() string {
	switch {
	case p.estimee:
		return "ESTIMATION"
	case p.source == "":
		return "RELEVE"
	}
	return p.source
}

// tarifee is a bill as it was priced.
type tarifee struct {
	tarif.Explication
	lignes []message.LigneFacture
	tva    []message.TVAFacture
}

// tarifer prices a case. The bill follows from the case and its origin and
// nothing else; `facture rejouer` holds every issued bill to that.
func tarifer(c *tarif.Cas, o *origine) (tarifee, error) {
	e, err := tarif.Expliquer(c)
	if err != nil {
		return tarifee{}, err
	}
	f := tarifee{Explication: e, lignes: make([]message.LigneFacture, len(e.Calculs)), tva: make([]message.TVAFacture, len(e.TVA))}
	for i, l := range e.Resultat.Lignes {
		how := e.Calculs[i]
		libelle, prix := mots(c, o, how)
		f.lignes[i] = message.LigneFacture{
			Rubrique: string(l.Rubrique), Code: l.Code, Libelle: libelle, PrixUE: prix,
			Litres: l.Litres, Jours: int(l.Jours), HTCentimes: l.HTCentimes, TVAPM: l.TVAPm,
			Regle: how.Regle, Exact: how.Exact.String(),
		}
	}
	for i, v := range e.Resultat.TVA {
		f.tva[i] = message.TVAFacture{TauxPM: v.TauxPm, BaseCentimes: v.BaseCentimes, MontantCentimes: v.MontantCentimes}
	}
	return f, nil
}

// reprise opens the words of a line that takes an estimate back.
const reprise = "Reprise d'estimation : "

// mots are the words and the unit price of a line, as its reader sees them.
func mots(c *tarif.Cas, o *origine, how tarif.Calcul) (libelle string, prixUE int64) {
	switch how.Regle {
	case 5:
		g := &c.Grilles[how.Source]
		return "Abonnement " + string(g.Service), g.PartFixeAn
	case 6:
		g := &c.Grilles[how.Source]
		libelle := "Consommation " + string(g.Service)
		if len(g.Tranches) > 1 {
			libelle += ", tranche " + strconv.Itoa(how.Tranche)
		}
		return libelle, g.Tranches[how.Tranche-1].PrixM3
	case 7:
		r := &c.Redevances[how.Source]
		return o.Redevances[how.Source].Libelle, r.TauxM3 * r.CoefficientPm / 1000
	default:
		a := &o.Acomptes[how.Source]
		return reprise + a.Libelle, a.PrixUE
	}
}

// estimees are the lines of a bill on an estimate that the next bill takes
// back; what that bill itself took back is settled.
func (b *billing) estimees() (lines []message.LigneFacture) {
	for _, l := range b.lignes {
		if !strings.HasPrefix(l.Code, "acompte/") {
			lines = append(lines, l)
		}
	}
	return lines
}
