package main

import (
	"context"
	_ "embed"
	"encoding/csv"
	"strconv"
	"strings"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// Rates of agences de l'eau as they were published, with where they were read
// and how sure that is. Rates on the volume withdrawn, or with the coefficient
// of one service in them, are not among them. A rate without coefficient is
// multiplied by the one that the agence gives each service.
//
//go:embed exemples/redevances.csv
var tauxCSV string

// tauxPublies lists the published rates by basin, in the order of the file.
func tauxPublies(context.Context, *function.Tx, message.TauxPublies) (l message.ListeTauxPublies, err error) {
	lines, err := csv.NewReader(strings.NewReader(tauxCSV)).ReadAll()
	if err != nil {
		return l, err
	}
	for _, f := range lines[1:] {
		t := message.TauxPublie{
			DefinirRedevance: message.DefinirRedevance{Bassin: f[0], Code: f[1], Libelle: libelles[f[1]], Service: f[2], Source: cut(f[8], 200)},
			Confiance:        f[9], Note: f[10], CoefficientDuService: f[6] == "",
		}
		for i, into := range map[int]*message.Date{3: &t.Du, 4: &t.Au} {
			if *into, err = message.ParseDate(f[i]); err != nil {
				return l, err
			}
		}
		for i, into := range map[int]*int64{5: &t.TauxM3UE, 6: &t.CoefficientPM, 7: &t.TVAPM} {
			if f[i] == "" {
				continue
			}
			if *into, err = strconv.ParseInt(f[i], 10, 64); err != nil {
				return l, err
			}
		}
		if n := len(l.Bassins); n == 0 || l.Bassins[n-1].Bassin != t.Bassin {
			l.Bassins = append(l.Bassins, message.TauxDeBassin{Bassin: t.Bassin})
		}
		last := &l.Bassins[len(l.Bassins)-1]
		last.Taux = append(last.Taux, t)
	}
	return l, nil
}

// importerTaux defines the published rates of a basin, all or none.
func importerTaux(ctx context.Context, tx *function.Tx, c message.ImporterTaux) (t message.TarifsEnVigueur, err error) {
	all, err := tauxPublies(ctx, tx, message.TauxPublies{})
	if err != nil {
		return t, err
	}
	for _, b := range all.Bassins {
		if b.Bassin != c.Bassin {
			continue
		}
		for _, p := range b.Taux {
			if !p.Au.After(c.Depuis) {
				continue
			}
			d := p.DefinirRedevance
			if p.CoefficientDuService {
				field := "coefficient_eau_pm"
				if d.CoefficientPM = c.CoefficientEauPM; d.Service == "assainissement" {
					field, d.CoefficientPM = "coefficient_assainissement_pm", c.CoefficientAssainissementPM
				}
				if d.CoefficientPM == 0 {
					return t, function.Invalid(field, "coefficient_requis",
						"« "+d.Libelle+" » se multiplie par un coefficient propre au service : prenez-le dans la notification de l'agence.",
						d.Libelle+" is multiplied by a coefficient of the service: take it from the notice of the agence.")
				}
			}
			r, err := definirRedevance(ctx, tx, d)
			if err != nil {
				return t, err
			}
			t.Redevances = append(t.Redevances, r)
		}
	}
	if len(t.Redevances) == 0 {
		return t, function.NotFound("taux_inconnus", "Aucun taux publié n'est connu pour ce bassin à partir de ce jour.", "No published rate of this basin is known from that day on.")
	}
	t.Regles, err = loadRegles(ctx, tx)
	return t, err
}
