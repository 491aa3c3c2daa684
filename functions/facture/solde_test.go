package main

import (
	"testing"
	"time"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

// end tells facture that a contract ended.
func (b *bundle) end(t *testing.T, c message.ContratActive, day message.Date, index int64) {
	t.Helper()
	pose := c.Pose
	pose.Au, pose.IndexFin = day, &index
	e := message.ContratResilie{ContratID: c.ContratID, Numero: c.Numero, Version: c.Version + 1, AbonneID: c.Abonne.ID, PDLID: c.PDL.ID, DemandeeLe: day.AddDays(-2), Date: day,
		Pose: pose, Adresse: message.Adresse{Voie: "3 quai du Port", CodePostal: "17000", Commune: "La Rochelle"}}
	for range 2 {
		b.deliver(t, "contrat", c.ContratID, e)
	}
}

func (b *bundle) ended(t *testing.T) []message.Resiliation {
	t.Helper()
	return functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.Resiliations{}).Items
}

func TestFinalBill(t *testing.T) {
	t.Parallel()
	b := setup(t, 2)
	b.issue(t, lotOf(avril, octobre, emises))
	day := message.NewDate(2026, time.November, 10)
	c := b.contrats[0]
	b.end(t, c, day, 202)
	r := b.ended(t)
	if len(r) != 1 || r[0].Etat != "SOLDEE" || r[0].Limite != day.AddDays(13) || r[0].TTCCentimes == 0 {
		t.Fatalf("got %+v", r)
	}
	f := b.bill(t, r[0].FactureID)
	// 12 m3 over 40 days: 1,64 + 20,04 water; 1,64 + 22,32 sewerage; 4,08 redevance; VAT 1,42 + 2,40.
	if f.Nature != "SOLDE" || f.Du != octobre || f.Au != day || f.VolumeLitres != 12_000 || f.TTCCentimes != 5354 || f.Etat != "EMISE" || f.Estimee {
		t.Errorf("got %+v", f)
	}
	var voie string
	if err := b.DB.QueryRow(t.Context(), "select adresse ->> 'voie' from facture where id = $1", f.ID).Scan(&voie); err != nil || voie != "3 quai du Port" {
		t.Errorf("goes to %q: %v", voie, err)
	}
	lot := functiontest.MustAsk(t, b.Function, functiontest.Staff(), lotOf(octobre, day, message.DateOf(time.Now())))
	if lot.Contrats != 1 {
		t.Errorf("the next lot has %d contracts", lot.Contrats)
	}
	if again := functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.Solder{ContratID: c.ContratID}); again.FactureID != f.ID {
		t.Errorf("again: %+v", again)
	}
	b.sound(t)
	early := contract(5)
	early.Pose.Au, early.Pose.IndexFin = day, new(int64)
	if got := b.Deliver(t, functiontest.Event("contrat", early.ContratID, message.ContratResilie{ContratID: early.ContratID, Version: 4, DemandeeLe: day, Date: day, Pose: early.Pose, Adresse: c.Abonne.Adresse})); got != 503 {
		t.Errorf("an end before its contract: status %d", got)
	}
}

// The last bill takes the estimate back, and owes the abonne what was too much.
func TestFinalBillReversesTheEstimate(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	c := contract(0)
	juillet, day := message.NewDate(2026, time.July, 1), message.NewDate(2026, time.July, 20)
	b.deliver(t, "contrat", c.ContratID, c)
	b.read(t, c, avril, 130, false)
	b.read(t, c, juillet, 230, true)
	first := b.bills(t, b.issue(t, lotOf(avril, juillet, message.NewDate(2026, time.July, 10))).ID)[0]
	b.end(t, c, day, 140)
	r := b.ended(t)[0]
	f := b.bill(t, r.FactureID)
	if f.TTCCentimes >= 0 || f.Etat != "PAYEE" || f.Du != avril || f.VolumeLitres != 10_000 || b.owes(t, f) != first.TTCCentimes+f.TTCCentimes {
		t.Errorf("got %+v", f)
	}
	b.sound(t)
}

func TestFinalBillWaits(t *testing.T) {
	t.Parallel()
	b := setup(t, 2)
	staff := functiontest.Staff()
	lot := functiontest.MustAsk(t, b.Function, staff, lotOf(avril, octobre, emises))
	b.settle(t)
	day := message.NewDate(2026, time.October, 5)
	b.end(t, b.contrats[0], day, 195)
	if r := b.ended(t)[0]; r.Etat != "EN_ATTENTE" || r.Code != "lot_en_cours" || r.Facture != "" {
		t.Errorf("got %+v", r)
	}
	b.deliver(t, "pings", "", message.Tick{})
	if r := b.ended(t)[0]; r.Code != "lot_en_cours" {
		t.Errorf("the lot still runs: %+v", r)
	}
	functiontest.MustAsk(t, b.Function, second(), message.ControlerLot{LotID: lot.ID})
	functiontest.MustAsk(t, b.Function, staff, message.EmettreLot{LotID: lot.ID})
	b.settle(t)
	for range 3 { // the lot ended: time sets the last bill going, once
		b.deliver(t, "pings", "", message.Tick{})
	}
	again := functiontest.Emitted[message.ContratASolder](t, b.Function)
	if len(again) != 1 {
		t.Fatalf("tried again %d times", len(again))
	}
	for range 2 {
		b.deliver(t, "facture", again[0].ContratID, again[0])
	}
	if r := b.ended(t)[0]; r.Etat != "SOLDEE" {
		t.Errorf("got %+v", r)
	}
	// All was billed to the day on which this one ends.
	b.end(t, b.contrats[1], octobre, 190)
	if r := functiontest.MustAsk(t, b.Function, staff, message.Solder{ContratID: b.contrats[1].ContratID}); r.Etat != "SANS_OBJET" {
		t.Errorf("got %+v", r)
	}
	if n := b.Count(t, "select count(*) from facture where nature = 'SOLDE'"); n != 1 {
		t.Errorf("%d last bills", n)
	}
	for _, c := range []struct{ id, code string }{{function.NewID(), "pas_resilie"}} {
		if _, err := functiontest.Ask(t, b.Function, staff, message.Solder{ContratID: c.id}); functiontest.Code(err) != c.code {
			t.Errorf("got %v", err)
		}
	}
	b.sound(t)
}
