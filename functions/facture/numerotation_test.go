package main

import (
	"fmt"
	"slices"
	"testing"

	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

// Each entity has its own series, and a lot gives every bill a number of the
// entity of its commune.
func TestSeriesOfEntities(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	if _, err := b.DB.Exec(t.Context(), `insert into entite (code, nom, prefixe) values ('regie', 'Régie des eaux', 'REG');
		insert into commune (code_insee, nom, entite) values ('77224', 'Brissy', 'regie')`); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		c := contract(i)
		if i%2 == 1 {
			c.PDL.CodeINSEE = "77224"
		}
		b.deliver(t, "contrat", c.ContratID, c)
		b.read(t, c, avril, 130, false)
		b.read(t, c, octobre, 190, false)
	}
	lot := b.issue(t, lotOf(avril, octobre, emises))
	var got []string
	for _, f := range b.bills(t, lot.ID) {
		got = append(got, f.Contrat+" "+f.Numero)
	}
	slices.Sort(got)
	want := []string{
		"C-I-77223-26-00001 F2026-000001", "C-I-77223-26-00002 REG-F2026-000001", "C-I-77223-26-00003 F2026-000002",
		"C-I-77223-26-00004 REG-F2026-000002", "C-I-77223-26-00005 F2026-000003",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	b.sound(t)
	// The entity that has issued nothing later is free to date back; the other is not.
	_, err := functiontest.Ask(t, b.Function, functiontest.Staff(), lotOf(message.NewDate(2026, 1, 1), avril, emises.AddDays(-1)))
	if got := functiontest.Code(err); got != "date_recule" {
		t.Errorf("got %q", got)
	}
}
