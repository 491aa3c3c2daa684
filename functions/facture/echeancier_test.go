package main

import (
	"fmt"
	"slices"
	"sync"
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
	// A debit that the service has not made is not missed, unless it is no longer allowed.
	if !held(today.AddDays(9)) {
		t.Error("a plan is broken because the service has not debited")
	}
	b.unguarded(t, "update mandat set etat = 'CADUC'")
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
	// The bank returns the debit: the days of grace begin anew, then the plan is broken.
	functiontest.MustAsk(t, b.Function, staff, message.RejeterPaiement{PaiementID: p.ID, Motif: "AM04"})
	if held(today.AddDays(9)) {
		t.Error("a returned payment does not break the plan")
	}
	b.unguarded(t, "update echeance set date = date - 60 where rang = 1")
	if !held(today.AddDays(8)) || held(today.AddDays(9)) {
		t.Error("the days of grace do not begin with the return")
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
	for etat, abonne := range map[string]string{"SOLDE": f.AbonneID, "ANNULE": other.AbonneID, "EN_COURS": other.AbonneID} {
		if all := b.listed(t, etat); len(all) != 1 || all[0].Etat != etat || all[0].AbonneID != abonne {
			t.Errorf("plans that are %s: %+v", etat, all)
		}
	}
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
	first.VolumeAnnuelM3 = 1 // the bill knows better
	trial := first
	trial.Simulation = true
	if shown := functiontest.MustAsk(t, b.Function, staff, trial); len(shown.Echeances) != 10 || shown.ID != "" || b.Count(t, "select count(*) from echeancier") != 0 {
		t.Errorf("simulated: %+v", shown)
	}
	e := functiontest.MustAsk(t, b.Function, staff, first)
	// 266,20 of 183 days is 530,95 a year.
	if len(e.Echeances) != 10 || e.Echeances[0].MontantCentimes != 5_310 || e.MontantCentimes != 53_095 || !e.ParPrelevement {
		t.Errorf("got %+v", e)
	}
	if _, err := functiontest.Ask(t, b.Function, staff, first); functiontest.Code(err) != "deja_mensualise" {
		t.Errorf("twice: %v", err)
	}
	for _, part := range e.Echeances {
		functiontest.MustAsk(t, b.Function, staff, message.EnregistrerPaiement{Mode: "PRELEVEMENT", MontantCentimes: part.MontantCentimes, RecuLe: today, EcheancierID: e.ID})
	}
	if got := b.account(t, c.Abonne.ID).SoldeCentimes; got != -53_095 {
		t.Errorf("the balance is %d", got)
	}
	b.sound(t)
}

// Who has just moved in says what they will use: that costs what the tariffs
// say, until bills do.
func TestMonthlyYearOfANewcomer(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	b.unguarded(t, "update grille set periode = daterange(lower(periode), '2100-01-01'); update redevance set periode = daterange(lower(periode), '2100-01-01')") // whatever day the tests run on
	c, other := contract(0), contract(1)
	other.Abonne = c.Abonne
	b.deliver(t, "contrat", c.ContratID, c)
	b.mandate(t, c.Abonne.ID)
	staff := functiontest.Staff()
	ask := message.Mensualiser{AbonneID: c.Abonne.ID, Premiere: now(), Simulation: true}
	if _, err := functiontest.Ask(t, b.Function, staff, ask); functiontest.Code(err) != "sans_historique" {
		t.Errorf("without a volume: %v", err)
	}
	// 120 m3 in a year: (15 + 200,40 + 40,80) x 1,055 + (15 + 223,20) x 1,1.
	ask.VolumeAnnuelM3 = 120
	if shown := functiontest.MustAsk(t, b.Function, staff, ask); shown.MontantCentimes != 53_231 || len(shown.Echeances) != 10 || shown.ID != "" || b.Count(t, "select count(*) from echeancier") != 0 {
		t.Errorf("simulated: %+v", shown)
	}
	b.deliver(t, "contrat", other.ContratID, other)
	if _, err := functiontest.Ask(t, b.Function, staff, ask); functiontest.Code(err) != "plusieurs_contrats" {
		t.Errorf("one volume for two contracts: %v", err)
	}
	b.unguarded(t, fmt.Sprintf("update contrat set resilie_le = '%s' where id = '%s'", now(), other.ContratID))
	ask.Simulation = false
	if e := functiontest.MustAsk(t, b.Function, staff, ask); e.MontantCentimes != 53_231 || e.Motif != "Mensualisation sur 120 m³ par an" {
		t.Errorf("got %+v", e)
	}
	b.unguarded(t, "update echeance set date = date - 340; update echeancier set cree_le = cree_le - 340")
	b.read(t, c, avril, 130, false)
	b.read(t, c, octobre, 190, false)
	b.issue(t, lotOf(avril, octobre, now()))
	b.emitted(t)
	if all := b.plans(t, c); len(all) != 2 || !all[0].Reconduit || all[0].MontantCentimes != aYear(26_620, 183) {
		t.Errorf("after its first bill: %+v", all)
	}
}

// broken hands back the plans that are to be ended, as the queue does.
func (b *bundle) broken(t *testing.T) {
	t.Helper()
	for _, s := range b.Outbox(t) {
		if s.Key == (message.EcheancierARompre{}).Type() {
			if got := b.Deliver(t, s.Event); got != 204 {
				t.Fatalf("%s: status %d", s.Key, got)
			}
		}
	}
}

// listed are the plans of all abonnes in a state.
func (b *bundle) listed(t *testing.T, etat string) []message.EcheancierSuivi {
	t.Helper()
	return functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.EcheanciersSuivis{Etat: etat}).Items
}

// A part that stays away beyond the days of grace ends the plan, tells, and
// dunning goes on; nothing but a new plan holds it again.
func TestAMissedPartEndsThePlan(t *testing.T) {
	t.Parallel()
	b, bills := late(t, 1)
	f, staff := bills[0], functiontest.Staff()
	b.mandate(t, f.AbonneID)
	b.sleep(t, 45)
	ask := message.CreerEcheancier{AbonneID: f.AbonneID, Nombre: 3, Premiere: now(), Motif: "difficultés", ParPrelevement: true}
	e := functiontest.MustAsk(t, b.Function, staff, ask)
	if told := functiontest.Emitted[message.EcheancierAccorde](t, b.Function); len(told) != 1 || told[0].Email != "anne@exemple.fr" || len(told[0].Echeances) != 3 {
		t.Errorf("told of the plan: %+v", told)
	}
	b.unguarded(t, "update mandat set etat = 'CADUC'") // nothing can be debited any more
	state := func(days int) (message.Echeancier, []message.EcheancierRompu) {
		t.Helper()
		b.unguarded(t, fmt.Sprintf("update echeance set date = date - %d", days))
		for range 3 {
			b.wake(t)
			b.broken(t)
		}
		return functiontest.MustAsk(t, b.Function, staff, message.Echeanciers{AbonneID: f.AbonneID}).Items[0], functiontest.Emitted[message.EcheancierRompu](t, b.Function)
	}
	if got, told := state(8); got.Etat != "EN_COURS" || len(told) != 0 || len(b.letters(t)) != 0 {
		t.Errorf("on the last day of grace: %+v, told %+v", got, told)
	}
	got, told := state(1)
	if got.Etat != "ROMPU" || got.FinLe != now() || len(told) != 1 || b.Count(t, "select count(*) from prelevement_a_faire where etat <> 'ANNULE'") != 0 {
		t.Fatalf("after it: %+v, told %+v", got, told)
	}
	if r := told[0]; r.EcheancierID != e.ID || r.Manquee != now().AddDays(-9) || r.ManqueCentimes != 8_874 || r.TotalCentimes != 26_620 || r.Email == "" || r.Factures[0].Numero != f.Numero {
		t.Errorf("told %+v", r)
	}
	if n := len(b.letters(t)); n != 1 {
		t.Errorf("%d letters after the plan", n)
	}
	b.pay(t, "VIREMENT", 8_874, f.Numero)
	if got, told := state(0); got.Etat != "ROMPU" || len(told) != 1 {
		t.Errorf("paid too late: %+v, told %+v", got, told)
	}
	if all := b.listed(t, "ROMPU"); len(all) != 1 || all[0].ID != e.ID || all[0].Nom == "" || len(b.listed(t, "EN_COURS")) != 0 {
		t.Errorf("broken plans: %+v", all)
	}
	ask.ParPrelevement = false
	if e := functiontest.MustAsk(t, b.Function, staff, ask); e.Etat != "EN_COURS" || e.MontantCentimes != 26_620-8_874 {
		t.Errorf("a new plan: %+v", e)
	}
	if all := b.listed(t, "EN_COURS"); len(all) != 1 || all[0].AbonneID != f.AbonneID || len(b.listed(t, "ROMPU")) != 1 {
		t.Errorf("running plans: %+v", all)
	}
	// The missed part is paid before its plan is ended.
	b.unguarded(t, "update echeance set date = date - 9")
	b.wake(t)
	b.pay(t, "VIREMENT", 8_874, f.Numero)
	b.broken(t)
	if n := len(functiontest.Emitted[message.EcheancierARompre](t, b.Function)); n < 2 || len(b.listed(t, "EN_COURS")) != 1 {
		t.Errorf("asked %d times; a plan that is paid was ended", n)
	}
	b.balanced(t)
}

// monthly is an abonne who has paid the ten debits of a year, the first of
// them 340 days ago, and whose bill of the year is still to come.
func monthly(t *testing.T) (b *bundle, c message.ContratActive, e message.Echeancier) {
	t.Helper()
	b = setup(t, 0)
	c = contract(0)
	b.deliver(t, "contrat", c.ContratID, c)
	b.read(t, c, avril, 130, false)
	b.read(t, c, octobre, 190, false)
	f := b.bills(t, b.issue(t, lotOf(avril, octobre, now())).ID)[0]
	b.emitted(t)
	b.pay(t, "VIREMENT", f.ResteCentimes, f.Numero)
	b.mandate(t, c.Abonne.ID)
	e = functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.Mensualiser{AbonneID: c.Abonne.ID, Premiere: now()})
	for _, part := range e.Echeances {
		functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.EnregistrerPaiement{Mode: "PRELEVEMENT", MontantCentimes: part.MontantCentimes, RecuLe: now(), EcheancierID: e.ID})
	}
	b.unguarded(t, "update prelevement_a_faire set etat = 'ANNULE'; update echeance set date = date - 340; update echeancier set cree_le = cree_le - 340")
	return b, c, e
}

// aYear is what days that cost so much make in a year, to the nearest centime.
func aYear(centimes, days int64) int64 { return (2*365*centimes + days) / (2 * days) }

// annual issues the bill that settles the year, and hears of it.
func (b *bundle) annual(t *testing.T, c message.ContratActive) message.Facture {
	t.Helper()
	novembre := octobre.AddDays(40)
	b.read(t, c, novembre, 400, false)
	f := b.bills(t, b.issue(t, lotOf(octobre, novembre, now())).ID)[0]
	b.emitted(t)
	return b.bill(t, f.ID)
}

func (b *bundle) plans(t *testing.T, c message.ContratActive) []message.Echeancier {
	t.Helper()
	return functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.Echeanciers{AbonneID: c.Abonne.ID}).Items
}

func TestMonthlyYearIsSettledAndRenewed(t *testing.T) {
	t.Parallel()
	b, c, first := monthly(t)
	f := b.annual(t, c)
	b.emitted(t)
	owed := f.TTCCentimes - first.MontantCentimes
	if owed <= 0 || f.ResteCentimes != owed || b.Count(t, "select montant_centimes from prelevement_a_faire where facture_id = $1 and etat = 'A_FAIRE'", f.ID) != int(owed) {
		t.Errorf("of %d what the debits did not cover is %d; the bill asks for %d", f.TTCCentimes, owed, f.ResteCentimes)
	}
	all := b.plans(t, c)
	if len(all) != 2 || all[1].ID != first.ID || all[1].Etat != "SOLDE" || all[1].RegularisePar != f.Numero {
		t.Fatalf("got %+v", all)
	}
	if over, runs := b.listed(t, "SOLDE"), b.listed(t, "EN_COURS"); len(over) != 1 || over[0].ID != first.ID || len(runs) != 1 || runs[0].ID != all[0].ID {
		t.Errorf("listed as over %+v, as running %+v", over, runs)
	}
	next, premiere := all[0], memeJour(now().AddDays(-340), 12)
	if !next.Reconduit || next.Etat != "EN_COURS" || next.MontantCentimes != aYear(26_620+f.TTCCentimes, 183+40) || len(next.Echeances) != 10 || next.Echeances[0].Date != premiere {
		t.Errorf("the next year %+v, want it from %s", next, premiere)
	}
	if n := b.Count(t, "select count(*) from prelevement_a_faire where echeancier_id = $1 and etat = 'A_FAIRE'", next.ID); n != 10 {
		t.Errorf("%d debits of the next year", n)
	}
	told := functiontest.Emitted[message.EcheancierAccorde](t, b.Function)
	if len(told) != 2 || told[0].Reconduit || !told[1].Reconduit || told[1].ID != next.ID || told[1].Nom == "" {
		t.Errorf("told %+v", told)
	}
	b.sound(t)
}

// A year is a year of water, whatever days bills are issued on and whatever
// they cover, and of each contract by its own bills.
func TestMonthlyYearIsAYearOfWater(t *testing.T) {
	t.Parallel()
	b := setup(t, 2)
	staff, c := functiontest.Staff(), b.contrats[0]
	before := b.bills(t, b.issue(t, lotOf(avril, octobre, emises)).ID)
	f := b.annual(t, c)
	b.mandate(t, c.Abonne.ID)
	first, last := before[0].TTCCentimes, f.TTCCentimes
	year := func(days, daysBefore int) int64 {
		t.Helper()
		b.unguarded(t, fmt.Sprintf(`update facture set du = au - %d, periode = 'empty' where id = '%s';
			update facture f set du = x.du - %d, au = x.du, periode = 'empty' from facture x where x.id = '%[2]s' and f.date_facturation = '%[4]s'`, days, f.ID, daysBefore, emises))
		return functiontest.MustAsk(t, b.Function, staff, message.Mensualiser{AbonneID: c.Abonne.ID, Premiere: now(), Simulation: true}).MontantCentimes
	}
	for _, got := range [][2]int64{
		{year(365, 365), last},
		{year(366, 364), aYear(last, 366)},
		{year(364, 365), aYear(first+last, 364+365)}, // a reading came a day early
		{year(182, 183), first + last},
		{year(91, 92), aYear(first+last, 91+92)},
	} {
		if got[0] != got[1] {
			t.Errorf("a year of %d, want %d", got[0], got[1])
		}
	}
	taken := functiontest.MustAsk(t, b.Function, staff, message.EmettreAvoir{FactureID: f.ID, Motif: "geste", Lignes: []message.LigneAvoir{{Rubrique: "distribution", HTCentimes: 1_000, TVAPM: 55}}})
	if got := year(365, 365); got != last+taken.TTCCentimes || taken.TTCCentimes >= 0 {
		t.Errorf("a year of %d, want %d less %d", got, last, taken.TTCCentimes)
	}
	// Another contract of the same abonne, whose bill of this year is still to come.
	b.unguarded(t, fmt.Sprintf("update contrat set abonne_id = '%[1]s'; update facture set abonne_id = '%[1]s'", c.Abonne.ID))
	if got := year(365, 365); got != last+taken.TTCCentimes+before[1].TTCCentimes {
		t.Errorf("a year of both contracts of %d, want %d more", got, before[1].TTCCentimes)
	}
}

// Two contracts of one abonne are billed by two chunks that are heard at the
// same time: one of them settles the year, and it is renewed once.
func TestMonthlyYearIsSettledOnce(t *testing.T) {
	t.Parallel()
	b, c, _ := monthly(t)
	b.manual(t, c.ContratID, 100_000)
	b.emitted(t) // it takes the whole advance
	other := contract(1)
	other.Abonne = c.Abonne
	b.deliver(t, "contrat", other.ContratID, other)
	b.read(t, other, octobre, 130, false)
	b.read(t, other, octobre.AddDays(40), 190, false)
	b.read(t, c, octobre.AddDays(40), 400, false)
	bills := b.bills(t, b.issue(t, lotOf(octobre, octobre.AddDays(40), now())).ID)
	held, err := b.DB.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = held.Rollback(t.Context()) }()
	if _, err := held.Exec(t.Context(), "select from echeancier where fin_le is null for update"); err != nil {
		t.Fatal(err)
	}
	var both sync.WaitGroup
	for _, f := range bills {
		both.Go(func() {
			event := functiontest.Event("facture", f.ID, message.FacturesEmises{Factures: []message.FactureEmise{{FactureID: f.ID, AbonneID: f.AbonneID}}})
			if got := b.Deliver(t, event); got != 204 {
				t.Errorf("status %d", got)
			}
		})
	}
	for n := 0; n < 500 && b.Count(t, "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'") < len(bills); n++ {
		time.Sleep(10 * time.Millisecond)
	}
	if err := held.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	both.Wait()
	if all := b.plans(t, c); len(all) != 2 || all[0].Etat != "EN_COURS" || all[1].Etat != "SOLDE" {
		t.Errorf("got %+v", all)
	}
}

// Without a mandate the year is settled and none follows.
func TestMonthlyYearWithoutMandateIsNotRenewed(t *testing.T) {
	t.Parallel()
	b, c, _ := monthly(t)
	b.unguarded(t, "update mandat set etat = 'REVOQUE'")
	b.annual(t, c)
	if all := b.plans(t, c); len(all) != 1 || all[0].Etat != "SOLDE" {
		t.Errorf("got %+v", all)
	}
}

// A debit is announced in time: a bill that comes late moves the next year.
func TestMonthlyYearIsRenewedWithNotice(t *testing.T) {
	t.Parallel()
	b, c, _ := monthly(t)
	b.unguarded(t, "update echeance set date = date - 20") // a year ago in five days
	b.annual(t, c)
	want := memeJour(now().AddDays(-360), 13)
	if all := b.plans(t, c); len(all) != 2 || all[0].Echeances[0].Date != want {
		t.Errorf("got %+v, want the first debit on %s", all, want)
	}
}

// The last bill of all settles the year whenever it comes; nothing is debited after it.
func TestLastBillSettlesTheMonthlyYear(t *testing.T) {
	t.Parallel()
	b, c, e := monthly(t)
	b.unguarded(t, "update echeance set date = date + 340; update prelevement_a_faire set etat = 'A_FAIRE' where rang > 5")
	b.end(t, c, message.NewDate(2026, time.November, 10), 202)
	b.emitted(t)
	all := b.plans(t, c)
	if len(all) != 1 || all[0].ID != e.ID || all[0].Etat != "SOLDE" || all[0].RegularisePar == "" {
		t.Errorf("got %+v", all)
	}
	if n := b.Count(t, "select count(*) from prelevement_a_faire where echeancier_id = $1 and etat = 'A_FAIRE'", e.ID); n != 0 {
		t.Errorf("%d debits are left", n)
	}
}

// What the bank credits of a part is its plan's, and a part that the bank
// refused has its days of grace, whether it was credited before or not.
func TestDebitedPartsPayTheirPlan(t *testing.T) {
	t.Parallel()
	b, bills, _ := prelevables(t, 2, 2)
	staff := functiontest.Staff()
	b.pay(t, "VIREMENT", bills[0].ResteCentimes, bills[0].Numero)
	functiontest.MustAsk(t, b.Function, staff, message.Mensualiser{AbonneID: bills[0].AbonneID, Premiere: now()})
	spread := b.manual(t, bills[1].ContratID, 9_000) // its abonne owes an older bill, in no plan
	functiontest.MustAsk(t, b.Function, staff, message.CreerEcheancier{AbonneID: bills[1].AbonneID, Factures: []string{spread.ID}, Nombre: 2, Premiere: now(), Motif: "difficultés", ParPrelevement: true})
	r, parts := b.remettre(t), map[string][]message.Prelevement{}
	for _, d := range b.debits(t, r.ID) {
		if d.FactureID == "" {
			parts[d.AbonneID] = append(parts[d.AbonneID], d)
		}
	}
	month, debt := parts[bills[0].AbonneID], parts[bills[1].AbonneID]
	if len(month) != 2 || len(debt) != 2 {
		t.Fatalf("parts at the bank: %+v", parts)
	}
	credited := []operationXML{}
	for i, p := range []message.Prelevement{month[0], month[1], debt[0]} {
		credited = append(credited, operationXML{credit: true, centimes: p.MontantCentimes, ref: fmt.Sprint("R", i), bout: p.Reference})
	}
	b.importer(t, avis("A1", credited...))
	if b.bill(t, spread.ID).ResteCentimes != spread.TTCCentimes-debt[0].MontantCentimes || b.bill(t, bills[1].ID).Etat != "EMISE" {
		t.Error("a part paid another bill than its plan's")
	}
	states := func(days int) (out [2]string) {
		t.Helper()
		b.unguarded(t, fmt.Sprintf("update echeance set date = date - %[1]d; update rejet set le = le - %[1]d; update remise_ligne set rejete_le = rejete_le - %[1]d", days))
		b.wake(t)
		for i, f := range bills {
			out[i] = functiontest.MustAsk(t, b.Function, staff, message.Echeanciers{AbonneID: f.AbonneID}).Items[0].Etat
		}
		return out
	}
	if got := states(60); got != [2]string{"EN_COURS", "EN_COURS"} { // its last part is still at the bank
		t.Errorf("two parts of each later: %s", got)
	}
	returned := operationXML{centimes: month[1].MontantCentimes, ref: "R4", bout: month[1].Reference, motif: "AM04"}
	b.importer(t, avis("A2", returned))
	b.importer(t, statuts("S1", r.Reference, `<GrpSts>PART</GrpSts></OrgnlGrpInfAndSts><OrgnlPmtInfAndSts>
		<TxInfAndSts><OrgnlEndToEndId>`+debt[1].Reference+`</OrgnlEndToEndId><TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>AM04</Cd></Rsn></StsRsnInf></TxInfAndSts></OrgnlPmtInfAndSts>`))
	if got := states(8); got != [2]string{"EN_COURS", "EN_COURS"} {
		t.Errorf("on the last day of grace: %s", got)
	}
	if got := states(1); got != [2]string{"ROMPU", "ROMPU"} {
		t.Errorf("after it: %s", got)
	}
	b.sound(t)
}
