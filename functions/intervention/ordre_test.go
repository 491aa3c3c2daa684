package main

import (
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

func jour(s string) message.Date {
	d, err := message.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

func index(n int64) *int64 { return &n }

// code is that of a refusal, or "".
func code(err error) string {
	var p *message.Problem
	switch {
	case err == nil:
		return ""
	case errors.As(err, &p):
		return p.Code
	}
	return err.Error()
}

func TestReport(t *testing.T) {
	today, cree := jour("2026-10-12"), time.Date(2026, 10, 9, 22, 30, 0, 0, time.UTC) // the 10th in Paris
	tests := []struct {
		name, nature, etat string
		report             message.CompteRendu
		want               string
	}{
		{"with an index", "OUVERTURE", "SUR_PLACE", message.CompteRendu{Date: today, Index: index(12)}, ""},
		{"steps passed over", "OUVERTURE", "AFFECTEE", message.CompteRendu{Date: today, Index: index(0)}, ""},
		{"on the day it was made", "OUVERTURE", "AFFECTEE", message.CompteRendu{Date: jour("2026-10-10"), Index: index(12)}, ""},
		{"the day before", "OUVERTURE", "AFFECTEE", message.CompteRendu{Date: jour("2026-10-09"), Index: index(12)}, "date_avant_creation"},
		{"tomorrow", "OUVERTURE", "AFFECTEE", message.CompteRendu{Date: jour("2026-10-13"), Index: index(12)}, "date_future"},
		{"without an index", "OUVERTURE", "AFFECTEE", message.CompteRendu{Date: today}, "index_requis"},
		{"a leak needs none", "FUITE", "AFFECTEE", message.CompteRendu{Date: today}, ""},
		{"nobody has it", "FUITE", "PLANIFIEE", message.CompteRendu{Date: today}, "non_affectee"},
		{"given up", "FUITE", "IMPOSSIBLE", message.CompteRendu{Date: today}, "intervention_terminee"},
		{"cancelled", "FUITE", "ANNULEE", message.CompteRendu{Date: today}, "intervention_terminee"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			o := &ordre{message.Intervention{Etat: test.etat, CreeA: cree, CreerIntervention: message.CreerIntervention{Nature: test.nature}}}
			changed, err := o.realiser(test.report, today)
			if code(err) != test.want || changed != (err == nil) {
				t.Fatalf("%v, changed %v; want %q", err, changed, test.want)
			}
			if err != nil {
				return
			}
			if changed, err := o.realiser(test.report, today); changed || err != nil {
				t.Errorf("the same report again: changed %v, %v", changed, err)
			}
			test.report.Observations = "autre"
			if _, err := o.realiser(test.report, today); code(err) != "deja_realisee" {
				t.Errorf("another report: %v", err)
			}
		})
	}
}

// An order never goes back except to another technician, never leaves its
// end, and every step sent twice changes nothing the second time.
func TestLife(t *testing.T) {
	today := jour("2026-10-12")
	alice := function.Identity{ID: "alice", Role: technicien}
	chef := function.Identity{ID: "chef", Role: "superviseur"}
	over := []string{"REALISEE", "IMPOSSIBLE", "ANNULEE"}
	rapid.Check(t, func(t *rapid.T) {
		o := &ordre{message.Intervention{Etat: "PLANIFIEE", CreeA: today.Time(), CreerIntervention: message.CreerIntervention{Nature: "RELEVE"}}}
		take := func(name string, reassigns bool, step func() (bool, error)) {
			before := *o
			changed, err := step()
			switch {
			case err != nil && (changed || *o != before):
				t.Fatalf("%s was refused and changed the order", name)
			case changed && slices.Contains(over, before.Etat):
				t.Fatalf("%s changed an order that was over", name)
			case changed && !reassigns && slices.Contains(marche, o.Etat) && slices.Index(marche, o.Etat) <= slices.Index(marche, before.Etat):
				t.Fatalf("%s took it from %s to %s", name, before.Etat, o.Etat)
			case o.Etat != "PLANIFIEE" && o.Etat != "IMPOSSIBLE" && o.Technicien == "":
				t.Fatalf("%s: %s without a technician", name, o.Etat)
			}
			if again, err2 := step(); err == nil && (again || err2 != nil) {
				t.Fatalf("%s twice: changed %v, %v", name, again, err2)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"assign": func(t *rapid.T) {
				to := rapid.SampledFrom([]string{"alice", "bob"}).Draw(t, "to")
				take("assign", true, func() (bool, error) { return o.affecter(chef, message.AffecterIntervention{Technicien: to}) })
			},
			"take": func(*rapid.T) {
				take("take", true, func() (bool, error) { return o.affecter(alice, message.AffecterIntervention{Technicien: "alice"}) })
			},
			"advance": func(t *rapid.T) {
				to := rapid.SampledFrom(marche[2:]).Draw(t, "to")
				take("advance", false, func() (bool, error) { return o.avancer(to) })
			},
			"report": func(t *rapid.T) {
				report := message.CompteRendu{Date: today, Index: index(rapid.Int64Range(0, 2).Draw(t, "index"))}
				take("report", false, func() (bool, error) { return o.realiser(report, today) })
			},
			"give up": func(t *rapid.T) {
				why := rapid.SampledFrom([]string{"absent", "chien"}).Draw(t, "why")
				take("give up", false, func() (bool, error) { return o.renoncer(why) })
			},
		})
	})
}
