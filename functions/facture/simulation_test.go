package main

import (
	"testing"
	"time"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

// A simulation costs what the bill of the same days and volume costs, and
// leaves nothing behind.
func TestSimulation(t *testing.T) {
	t.Parallel()
	b := setup(t, 2)
	f := b.bills(t, b.issue(t, lotOf(avril, octobre, emises)).ID)[0]
	rows := "select (select count(*) from facture) + (select count(*) from ecriture) + (select count(*) from serie) + (select count(*) from eventing.outbox)"
	before := b.Count(t, rows)
	ask := message.SimulerFacture{ContratID: f.ContratID, VolumeLitres: f.VolumeLitres, Du: f.Du, Au: f.Au, Facturation: emises}
	s := functiontest.MustAsk(t, b.Function, functiontest.Staff(), ask)
	adds(t, s.Explication)
	// 266,20 over 183 days: 531,0 a year. 120 m3 in a year: (15 + 200,40 + 40,80) x 1,055 + (15 + 223,20) x 1,1.
	if s.TTCCentimes != f.TTCCentimes || s.Jours != 183 || s.MensuelCentimes != 4425 || s.M3Centimes != 444 || s.Reference != 53231 || s.ReferenceM3 != 444 {
		t.Errorf("got %+v, the bill was %d", s, f.TTCCentimes)
	}
	if after := b.Count(t, rows); after != before {
		t.Errorf("%d rows before, %d after", before, after)
	}
	free := functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.SimulerFacture{Assainissement: true, VolumeLitres: f.VolumeLitres, Du: f.Du, Au: f.Au, Facturation: emises})
	if free.TTCCentimes != s.TTCCentimes {
		t.Errorf("the same place, described, costs %d", free.TTCCentimes)
	}
	three := functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.SimulerFacture{Logements: 3, VolumeLitres: 0, Du: f.Du, Au: f.Au, Facturation: emises})
	if three.TTCCentimes != 2380 || three.M3Centimes != 0 || len(three.Lignes) != 1 { // 3 x 15 x 183 / 365 = 22,56, VAT 1,24
		t.Errorf("three dwellings without water: %+v", three)
	}

	me := functiontest.Subscriber(f.AbonneID)
	if got := functiontest.MustAsk(t, b.Function, me, ask); got.TTCCentimes != s.TTCCentimes {
		t.Errorf("its own subscriber: %d", got.TTCCentimes)
	}
	refused := func(who function.Identity, code string, change func(*message.SimulerFacture)) {
		t.Helper()
		q := ask
		change(&q)
		if _, err := functiontest.Ask(t, b.Function, who, q); functiontest.Code(err) != code {
			t.Errorf("got %v, want %s", err, code)
		}
	}
	other := functiontest.Subscriber(function.NewID())
	staff := functiontest.Staff()
	refused(other, "contrat_inconnu", func(*message.SimulerFacture) {})
	refused(other, "contrat_requis", func(q *message.SimulerFacture) { q.ContratID = "" })
	refused(staff, "contrat_inconnu", func(q *message.SimulerFacture) { q.ContratID = function.NewID() })
	refused(staff, "periode_vide", func(q *message.SimulerFacture) { q.Au = q.Du })
	refused(staff, "periode_longue", func(q *message.SimulerFacture) { q.Au = q.Du.AddDays(732) })
	refused(staff, "grille_manquante", func(q *message.SimulerFacture) { q.Au = message.NewDate(2027, time.February, 1) })
	refused(staff, "champs_invalides", func(q *message.SimulerFacture) { q.VolumeLitres = -1 })
}
