package main

import (
	"testing"
	"time"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

// readAs delivers a reading with its source.
func (b *bundle) readAs(t *testing.T, c message.ContratActive, day message.Date, index int64, source string) (id string) {
	t.Helper()
	id = function.NewID()
	b.deliver(t, "operation", "", message.RelevesValides{Releves: []message.ReleveValide{
		{ReleveID: id, ContratID: c.ContratID, PoseID: c.Pose.ID, Date: day, Index: index, Source: source, Estimee: source == "ESTIMATION"}}})
	return id
}

// A bill stores the meter, the readings, the deliberations and the source of
// each rate that it was priced from, and on each line its rule and its exact
// amount.
func TestWhatABillStores(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	c := contract(0)
	b.deliver(t, "contrat", c.ContratID, c)
	first := b.readAs(t, c, avril, 130, "AGENT")
	middle := b.readAs(t, c, message.NewDate(2026, time.July, 1), 150, "ABONNE")
	last := b.readAs(t, c, octobre, 190, "")
	id := b.bills(t, b.issue(t, lotOf(avril, octobre, emises)).ID)[0].ID

	var o origine
	if err := b.DB.QueryRow(t.Context(), "select origine from facture where id = $1", id).Scan(&o); err != nil {
		t.Fatal(err)
	}
	if len(o.Poses) != 1 || o.Poses[0].ID != c.Pose.ID || o.Poses[0].Serie != "S00000" {
		t.Fatalf("poses %+v", o.Poses)
	}
	for i, want := range []origineDePoint{{first, "AGENT"}, {middle, "ABONNE"}, {last, "RELEVE"}} {
		if got := o.Poses[0].Points[i]; got != want {
			t.Errorf("point %d is %+v, want %+v", i, got, want)
		}
	}
	if len(o.Grilles) != 2 || o.Grilles[0].ID == "" || o.Grilles[0].Deliberation != "2025-12" {
		t.Errorf("grilles %+v", o.Grilles)
	}
	if len(o.Redevances) != 1 || o.Redevances[0].Source != "agence" || o.Redevances[0].Libelle != "Consommation d'eau potable" {
		t.Errorf("redevances %+v", o.Redevances)
	}
	f := functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.FactureParID{ID: id})
	var got []string
	for _, l := range f.Lignes {
		got = append(got, l.Code+" "+string(rune('0'+l.Regle))+" "+l.Exact)
	}
	want := []string{"eau/fixe 5 2745000000/3650000", "eau/tranche-1 6 100200000000/10000000", "eu/fixe 5 2745000000/3650000",
		"eu/tranche-1 6 111600000000/10000000", "redevance/consommation 7 20400000000000/10000000000"}
	for i := range want {
		if i >= len(got) || got[i] != want[i] {
			t.Errorf("line %d: want %s in %v", i, want[i], got)
		}
	}
}
