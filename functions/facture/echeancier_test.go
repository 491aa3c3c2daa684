package main

import (
	"slices"
	"testing"
	"time"

	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

func TestParts(t *testing.T) {
	t.Parallel()
	got := parts(10_003, 4, message.NewDate(2026, time.November, 30))
	var sum int64
	for _, p := range got {
		sum += p.MontantCentimes
	}
	if sum != 10_003 || got[0].MontantCentimes != 2_501 || got[3].MontantCentimes != 2_500 ||
		got[3].Date != message.NewDate(2027, time.February, 28) || got[2].Date != message.NewDate(2027, time.January, 30) {
		t.Errorf("got %+v", got)
	}
}

// mandate signs a mandate for an abonne.
func (b *bundle) mandate(t *testing.T, abonneID string) message.Mandat {
	t.Helper()
	staff := functiontest.Staff()
	functiontest.MustAsk(t, b.Function, staff, message.DefinirCreancier{Entite: "principale", Nom: "Régie", ICS: ics, IBAN: compteService, Format: "pain.008.001.02"})
	return functiontest.MustAsk(t, b.Function, staff, message.SignerMandat{AbonneID: abonneID, Titulaire: "Anne", IBAN: compteAbonne, SigneLe: now()})
}

func TestPlanOfPayment(t *testing.T) {
	t.Parallel()
	b, bills := billed(t, 2)
	f, staff := bills[0], functiontest.Staff()
	today := message.DateOf(time.Now())
	plan := message.CreerEcheancier{AbonneID: f.AbonneID, Nombre: 3, Premiere: today, Motif: "difficultés", ParPrelevement: true}
	for name, c := range map[string]struct {
		change func(*message.CreerEcheancier)
		code   string
	}{
		"one part": {func(c *message.CreerEcheancier) { c.Nombre = 1 }, "echeances_trop_peu"},
		"another sum": {func(c *message.CreerEcheancier) {
			c.Echeances = []message.Echeance{{Date: today, MontantCentimes: 26_620}, {Date: today.AddDays(9), MontantCentimes: 1}}
		}, "echeances_inexactes"},
		"out of order": {func(c *message.CreerEcheancier) {
			c.Echeances = []message.Echeance{{Date: today, MontantCentimes: 26_619}, {Date: today, MontantCentimes: 1}}
		}, "echeances_desordonnees"},
		"in the past":    {func(c *message.CreerEcheancier) { c.Premiere = today.AddDays(-1) }, "echeances_desordonnees"},
		"too long":       {func(c *message.CreerEcheancier) { c.Nombre = 60 }, "echeances_desordonnees"},
		"another's bill": {func(c *message.CreerEcheancier) { c.Factures = []string{bills[1].ID} }, "facture_pas_ouverte"},
		"a bill twice":   {func(c *message.CreerEcheancier) { c.Factures = []string{f.ID, f.ID} }, "facture_pas_ouverte"},
	} {
		request := plan
		c.change(&request)
		_, err := functiontest.Ask(t, b.Function, staff, request)
		if got := functiontest.Code(err); got != c.code {
			t.Errorf("%s: %q, want %q", name, got, c.code)
		}
	}
	if _, err := functiontest.Ask(t, b.Function, staff, plan); functiontest.Code(err) != "mandat_requis" {
		t.Errorf("debits without a mandate: %v", err)
	}
	b.mandate(t, f.AbonneID)
	trial := plan
	trial.Simulation = true
	shown := functiontest.MustAsk(t, b.Function, staff, trial)
	if n := b.Count(t, "select count(*) from echeancier"); n != 0 || shown.ID != "" || len(shown.Echeances) != 3 || shown.Factures[0] != f.Numero || shown.GraceJours != 8 {
		t.Errorf("simulated: %d plans, %+v", n, shown)
	}
	e := functiontest.MustAsk(t, b.Function, staff, plan)
	if !slices.Equal(e.Echeances, shown.Echeances) {
		t.Errorf("got %+v, was shown %+v", e.Echeances, shown.Echeances)
	}
	if e.Etat != "EN_COURS" || e.MontantCentimes != 26_620 || len(e.Echeances) != 3 || e.Echeances[0].MontantCentimes != 8_874 || e.Factures[0] != f.Numero {
		t.Errorf("got %+v", e)
	}
	if _, err := functiontest.Ask(t, b.Function, staff, plan); functiontest.Code(err) != "deja_en_echeancier" {
		t.Errorf("twice: %v", err)
	}
	held := func(le message.Date) bool {
		t.Helper()
		return b.Count(t, "select en_echeancier($1, $2)::int", f.ID, le.Time()) == 1
	}
	// 8 days of grace for the first part, then it is broken.
	if !held(today.AddDays(8)) || held(today.AddDays(9)) {
		t.Error("the days of grace are not those of the rule")
	}
	if n := b.Count(t, "select count(*) from prelevement_a_faire where etat = 'A_FAIRE' and echeancier_id = $1", e.ID); n != 3 {
		t.Errorf("%d debits", n)
	}
	p := functiontest.MustAsk(t, b.Function, staff, message.EnregistrerPaiement{Mode: "PRELEVEMENT", MontantCentimes: 8_874, RecuLe: today, EcheancierID: e.ID})
	if !held(today.AddDays(30)) || held(memeJour(today, 1).AddDays(9)) {
		t.Error("a paid part does not carry the plan to the next")
	}
	e = functiontest.MustAsk(t, b.Function, functiontest.Subscriber(f.AbonneID), message.Echeanciers{AbonneID: f.AbonneID}).Items[0]
	if e.PayeCentimes != 8_874 || e.Echeances[0].Etat != "PAYEE" || e.Echeances[1].Etat != "A_VENIR" {
		t.Errorf("got %+v", e)
	}
	// The bank returns the debit: the plan is broken at once, and whole again when it is paid.
	functiontest.MustAsk(t, b.Function, staff, message.RejeterPaiement{PaiementID: p.ID, Motif: "AM04"})
	if held(today.AddDays(9)) {
		t.Error("a returned payment does not break the plan")
	}
	b.pay(t, "VIREMENT", 26_620, f.Numero)
	if e = functiontest.MustAsk(t, b.Function, staff, message.Echeanciers{AbonneID: f.AbonneID}).Items[0]; e.Etat != "SOLDE" {
		t.Errorf("got %+v", e)
	}
	if n := b.Count(t, "select count(*) from prelevement_a_faire where etat = 'A_FAIRE'"); n != 0 {
		t.Errorf("%d debits are left of a plan that is paid", n)
	}
	if _, err := functiontest.Ask(t, b.Function, staff, message.ArreterEcheancier{EcheancierID: e.ID, Motif: "x"}); functiontest.Code(err) != "echeancier_fini" {
		t.Errorf("got %v", err)
	}
	other := plan
	other.AbonneID, other.ParPrelevement = bills[1].AbonneID, false
	e = functiontest.MustAsk(t, b.Function, staff, other)
	if e = functiontest.MustAsk(t, b.Function, staff, message.ArreterEcheancier{EcheancierID: e.ID, Motif: "à sa demande"}); e.Etat != "ANNULE" {
		t.Errorf("got %+v", e)
	}
	functiontest.MustAsk(t, b.Function, staff, other)
	b.sound(t)
}

func TestMonthlyPayment(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	c := contract(0)
	c.ModePaiement = "PRELEVEMENT"
	b.deliver(t, "contrat", c.ContratID, c)
	b.read(t, c, avril, 130, false)
	b.read(t, c, octobre, 190, false)
	staff, today := functiontest.Staff(), message.DateOf(time.Now())
	first := message.Mensualiser{AbonneID: c.Abonne.ID, Premiere: today}
	if _, err := functiontest.Ask(t, b.Function, staff, first); functiontest.Code(err) != "sans_historique" {
		t.Errorf("got %v", err)
	}
	f := b.bills(t, b.issue(t, lotOf(avril, octobre, today)).ID)[0]
	b.emitted(t)
	if n := b.Count(t, "select montant_centimes from prelevement_a_faire where facture_id = $1 and etat = 'A_FAIRE'", f.ID); n != 26_620 {
		t.Errorf("a debit of %d is proposed", n)
	}
	b.pay(t, "VIREMENT", 6_620, f.Numero)
	if n := b.Count(t, "select montant_centimes from prelevement_a_faire where facture_id = $1 and etat = 'A_FAIRE'", f.ID); n != 20_000 {
		t.Errorf("after a payment, a debit of %d is proposed", n)
	}
	b.pay(t, "VIREMENT", 20_000, f.Numero)
	if _, err := functiontest.Ask(t, b.Function, staff, first); functiontest.Code(err) != "mandat_requis" {
		t.Errorf("without a mandate: %v", err)
	}
	b.mandate(t, c.Abonne.ID)
	trial := first
	trial.Simulation = true
	if shown := functiontest.MustAsk(t, b.Function, staff, trial); len(shown.Echeances) != 10 || shown.ID != "" || b.Count(t, "select count(*) from echeancier") != 0 {
		t.Errorf("simulated: %+v", shown)
	}
	e := functiontest.MustAsk(t, b.Function, staff, first)
	if len(e.Echeances) != 10 || e.Echeances[0].MontantCentimes != 2_662 || e.MontantCentimes != 26_620 || !e.ParPrelevement {
		t.Errorf("got %+v", e)
	}
	if _, err := functiontest.Ask(t, b.Function, staff, first); functiontest.Code(err) != "deja_mensualise" {
		t.Errorf("twice: %v", err)
	}
	for range 10 {
		functiontest.MustAsk(t, b.Function, staff, message.EnregistrerPaiement{Mode: "PRELEVEMENT", MontantCentimes: 2_662, RecuLe: today, EcheancierID: e.ID})
	}
	if got := b.account(t, c.Abonne.ID).SoldeCentimes; got != -26_620 {
		t.Errorf("the balance is %d", got)
	}
	b.sound(t)
}
