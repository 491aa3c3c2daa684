package main

import (
	"cmp"
	"context"
	"embed"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"aquaerp.fr/functions/facture/tarif"
	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// Tariffs that French services have published, each a case of package tarif
// (one dwelling, 120 m3, a year) with its source and the bills it prints.
//
//go:embed exemples/*.json
var publies embed.FS

// publie is a published tariff, as its file has it.
type publie struct {
	tarif.Cas
	Service string `json:"service"`
	Bassin  string `json:"bassin"`
	Annee   int    `json:"annee"`
	Source  struct {
		Titre   string `json:"titre"`
		Editeur string `json:"editeur"`
		URL     string `json:"url"`
		Date    string `json:"date"`
	} `json:"source"`
	Facture120 *int64 `json:"facture_120_publiee_ttc_centimes"`
	Autres     map[string]struct {
		Publiee int64 `json:"publiee_ttc_centimes"`
	} `json:"autres_factures_publiees"`
	Raison string `json:"raison_de_l_ecart"`
}

// libelles are the words of levies, by their codes in the examples.
var libelles = map[string]string{
	"preservation":               "Préservation de la ressource en eau",
	"prelevement":                "Prélèvement sur la ressource en eau",
	"pollution-domestique":       "Lutte contre la pollution domestique",
	"modernisation-reseaux":      "Modernisation des réseaux de collecte",
	"consommation":               "Consommation d'eau potable",
	"performance-reseaux":        "Performance des réseaux d'eau potable",
	"performance-assainissement": "Performance des systèmes d'assainissement collectif",
}

// exemples lists the published tariffs, each with its bills computed here.
func exemples(_ context.Context, _ *function.Tx, _ message.Exemples) (l message.ListeExemples, err error) {
	files, err := publies.ReadDir("exemples")
	if err != nil {
		return l, err
	}
	for _, f := range files {
		raw, err := publies.ReadFile("exemples/" + f.Name())
		if err != nil {
			return l, err
		}
		var p publie
		if err := json.Unmarshal(raw, &p); err != nil {
			return l, err
		}
		e, err := p.exemple(strings.TrimSuffix(f.Name(), ".json"))
		if err != nil {
			return l, err
		}
		l.Exemples = append(l.Exemples, e)
	}
	slices.SortStableFunc(l.Exemples, func(a, b message.Exemple) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Annee, b.Annee))
	})
	return l, nil
}

func (p *publie) exemple(code string) (message.Exemple, error) {
	e := message.Exemple{
		Code: code, Service: p.Service, Bassin: p.Bassin, Annee: p.Annee, Titre: p.Source.Titre, Editeur: p.Source.Editeur,
		Adresse: p.Source.URL, PublieLe: p.Source.Date, Raison: p.Raison, Publiees: []message.FacturePubliee{},
	}
	decision := cut(p.Source.Editeur+", "+p.Source.Titre, 200)
	for _, g := range p.Grilles {
		d := message.DefinirGrille{Code: g.Code, Service: string(g.Service), Du: dateOf(g.Du), Au: dateOf(g.Au),
			PartFixeAnUE: g.PartFixeAn, TVAPM: g.TVAPm, Deliberation: decision}
		for k, t := range g.Tranches {
			d.Tranches = append(d.Tranches, message.Tranche{JusquaM3: t.JusquaM3, PrixM3UE: t.PrixM3})
			if k > 0 && t.PrixM3 < g.Tranches[k-1].PrixM3 {
				d.Degressivite = "Tarif dégressif tel que ce service l'a publié ; sa condition n'a pas été vérifiée."
			}
		}
		e.Grilles = append(e.Grilles, d)
	}
	for _, r := range p.Redevances {
		e.Redevances = append(e.Redevances, message.DefinirRedevance{Code: r.Code, Libelle: libelles[r.Code], Service: string(r.Service),
			Du: dateOf(r.Du), Au: dateOf(r.Au), TauxM3UE: r.TauxM3, CoefficientPM: r.CoefficientPm, TVAPM: r.TVAPm, Source: decision})
	}
	ttc, err := p.ttc(120)
	if err != nil {
		return e, err
	}
	e.TTCCentimes = ttc
	if p.Facture120 != nil {
		e.Publiees = append(e.Publiees, message.FacturePubliee{M3: 120, PublieeCentimes: *p.Facture120, CalculeeCentimes: ttc})
	}
	for text, other := range p.Autres {
		m3, err := strconv.Atoi(text)
		if err != nil {
			return e, err
		}
		ttc, err := p.ttc(int64(m3))
		if err != nil {
			return e, err
		}
		e.Publiees = append(e.Publiees, message.FacturePubliee{M3: m3, PublieeCentimes: other.Publiee, CalculeeCentimes: ttc})
	}
	slices.SortFunc(e.Publiees, func(a, b message.FacturePubliee) int { return cmp.Compare(b.M3, a.M3) })
	return e, nil
}

// ttc is the bill of a volume.
func (p *publie) ttc(m3 int64) (int64, error) {
	c := p.Cas
	c.Poses = slices.Clone(c.Poses)
	c.Poses[0].IndexFin = c.Poses[0].IndexDebut + m3
	r, err := tarif.Calculer(&c)
	return r.TTCCentimes, err
}

// importerExemple defines an example's tariffs and levies for a commune.
func importerExemple(ctx context.Context, tx *function.Tx, c message.ImporterExemple) (t message.TarifsEnVigueur, err error) {
	all, err := exemples(ctx, tx, message.Exemples{})
	if err != nil {
		return t, err
	}
	at := slices.IndexFunc(all.Exemples, func(e message.Exemple) bool { return e.Code == c.Code })
	if at < 0 {
		return t, function.NotFound("exemple_inconnu", "Cet exemple n'existe pas.", "There is no such example.")
	}
	bassins, err := loadBassins(ctx, tx)
	if err != nil {
		return t, err
	}
	for _, d := range all.Exemples[at].Grilles {
		d.Commune = c.Commune
		g, err := definirGrille(ctx, tx, d)
		if err != nil {
			return t, err
		}
		t.Grilles = append(t.Grilles, g)
	}
	for _, d := range all.Exemples[at].Redevances {
		d.Bassin = bassins[c.Commune]
		r, err := definirRedevance(ctx, tx, d)
		if err != nil {
			return t, err
		}
		t.Redevances = append(t.Redevances, r)
	}
	t.Regles, err = loadRegles(ctx, tx)
	return t, err
}

func dateOf(d tarif.Date) message.Date {
	return message.NewDate(1, 1, int(d))
}
