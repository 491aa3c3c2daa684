package main

import (
	"testing"
	"time"

	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

// Published rates say where they were read, and are imported with the coefficients of the service.
func TestPublishedRates(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	staff := functiontest.Staff()
	l := functiontest.MustAsk(t, b.Function, staff, message.TauxPublies{})
	n := 0
	for _, basin := range l.Bassins {
		for _, r := range basin.Taux {
			n++
			if r.Libelle == "" || r.Source == "" || r.TauxM3UE <= 0 || !r.Du.Before(r.Au) || r.CoefficientDuService != (r.CoefficientPM == 0) || r.TVAPM != map[string]int64{"eau": 55, "assainissement": 100}[r.Service] {
				t.Errorf("%s: %+v", basin.Bassin, r)
			}
		}
	}
	if len(l.Bassins) != 5 || n != 17 {
		t.Errorf("%d basins, %d rates", len(l.Bassins), n)
	}
	depuis := message.NewDate(2025, time.January, 1)
	q := message.ImporterTaux{Bassin: "Rhin-Meuse", Depuis: depuis, CoefficientEauPM: 350}
	if _, err := functiontest.Ask(t, b.Function, staff, q); functiontest.Code(err) != "coefficient_requis" || fields(err) != "coefficient_assainissement_pm" {
		t.Errorf("without a coefficient: %v", err)
	}
	if n := b.Count(t, "select count(*) from redevance where bassin = 'Rhin-Meuse'"); n != 0 {
		t.Errorf("%d rates of a refused import", n)
	}
	q.CoefficientAssainissementPM = 300
	got := functiontest.MustAsk(t, b.Function, staff, q).Redevances
	want := map[string]int64{"performance-reseaux 2025-01-01": 200, "performance-reseaux 2026-01-01": 350, "performance-assainissement 2025-01-01": 300, "performance-assainissement 2026-01-01": 300}
	for _, r := range got {
		if want[r.Code+" "+r.Du.String()] != r.CoefficientPM || r.Bassin != "Rhin-Meuse" {
			t.Errorf("imported %+v", r)
		}
	}
	if len(got) != len(want) {
		t.Errorf("imported %d", len(got))
	}
	if _, err := functiontest.Ask(t, b.Function, staff, q); functiontest.Code(err) != "redevances_chevauchantes" {
		t.Errorf("twice: %v", err)
	}
	for _, none := range []message.ImporterTaux{{Bassin: "Atlantide", Depuis: depuis}, {Bassin: "Adour-Garonne", Depuis: depuis}} {
		if _, err := functiontest.Ask(t, b.Function, staff, none); functiontest.Code(err) != "taux_inconnus" {
			t.Errorf("%s: %v", none.Bassin, err)
		}
	}
}
