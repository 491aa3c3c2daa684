package main

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

// lateBy is a bill whose due date passed so many days ago.
func (b *bundle) lateBy(t *testing.T, c message.ContratActive, days int) message.Facture {
	t.Helper()
	f := b.manual(t, c.ContratID, 100_000)
	due := message.DateOf(time.Now()).AddDays(-days)
	b.alter(t, fmt.Sprintf("update facture set echeance = '%s', date_facturation = '%s' where id = '%s'", due, due.AddDays(-30), f.ID))
	return f
}

func TestPenalties(t *testing.T) {
	t.Parallel()
	b := setup(t, 2)
	staff, today := functiontest.Staff(), message.DateOf(time.Now())
	menage, autre := b.contrats[0], b.contrats[1]
	b.alter(t, fmt.Sprintf("update contrat set siren = '732829320', habitation = false where id = '%s'", autre.ContratID))
	// What was read in a secondary source says so.
	for _, r := range functiontest.MustAsk(t, b.Function, staff, message.ReglesRecouvrement{}).Penalites {
		if r.AVerifier != (r.Code == "TAUX") {
			t.Errorf("to be checked: %+v", r)
		}
	}
	// A rate of our own over all the days, so that the test says the same tomorrow.
	b.alter(t, "delete from taux_retard")
	functiontest.MustAsk(t, b.Function, staff, message.DefinirPenalite{Code: "TAUX", Du: today.AddDays(-1000), Valeur: 1000, Source: "essai"})
	rate := message.DefinirPenalite{Code: "TAUX", Du: today.AddDays(-10), Valeur: 1200, Source: "essai 2"}
	functiontest.MustAsk(t, b.Function, staff, rate)
	ask := func(f message.Facture, simulate bool) (message.Penalites, error) {
		return functiontest.Ask(t, b.Function, staff, message.AppliquerPenalites{FactureID: f.ID, Simulation: simulate})
	}
	refused := func(f message.Facture, code string) {
		t.Helper()
		if got, err := ask(f, false); functiontest.Code(err) != code {
			t.Errorf("%+v, %v, want %s", got, err, code)
		}
	}
	if _, err := functiontest.Ask(t, b.Function, staff, rate); functiontest.Code(err) != "regle_posterieure" {
		t.Errorf("the same rule twice: %v", err)
	}

	// 31 days late: 30 of them are over; 20 at 10 %, 10 at 12 %.
	f := b.lateBy(t, autre, 31)
	want := message.Penalites{ForfaitCentimes: 4000, Jours: 30}
	want.InteretsCentimes = (2*f.TTCCentimes*(20*1000+10*1200) + 3_650_000) / (2 * 3_650_000)
	seen, err := ask(f, true)
	if err != nil || seen.ForfaitCentimes != want.ForfaitCentimes || seen.InteretsCentimes != want.InteretsCentimes || seen.Jours != want.Jours || len(seen.Sources) != 3 || seen.PieceID != "" {
		t.Fatalf("foreseen %+v, %v, want %+v", seen, err, want)
	}
	if b.Count(t, "select count(*) from penalite") != 0 {
		t.Error("looking charges")
	}
	done, err := ask(f, false)
	if err != nil || done.TotalCentimes != seen.TotalCentimes {
		t.Fatalf("%+v, %v", done, err)
	}
	asked := functiontest.MustAsk(t, b.Function, staff, message.FactureParID{ID: done.PieceID})
	if asked.TTCCentimes != done.TotalCentimes || asked.TVACentimes != 0 || asked.Nature != "MANUELLE" ||
		b.Count(t, "select credit_centimes from mouvement where ecriture_id = $1 and compte = '7711'", done.PieceID) != int(done.TotalCentimes) {
		t.Errorf("the document %+v", asked)
	}
	// Days and fee are charged once, and a penalty bears none.
	refused(f, "pas_en_retard")
	b.alter(t, "update facture set echeance = echeance - 60 where id = '"+done.PieceID+"'")
	refused(asked, "penalite_de_penalite")

	// A household pays what the regulation says: nothing, until it says so.
	home := b.lateBy(t, menage, 11)
	refused(home, "aucune_regle")
	functiontest.MustAsk(t, b.Function, staff, message.DefinirPenalite{Code: "FORFAIT", Habitation: true, Du: today.AddDays(-5), Valeur: 500, Source: "règlement de service, article 12"})
	if got, err := ask(home, true); err != nil || got.TotalCentimes != 500 || got.InteretsCentimes != 0 {
		t.Errorf("household: %+v, %v", got, err)
	}
	// Never on what is contested, waits for an aid or is paid by a plan, nor for a household that is helped.
	held := functiontest.MustAsk(t, b.Function, staff, message.SuspendreRelances{AbonneID: menage.Abonne.ID, FactureID: home.ID, Motif: "CONTESTATION", Detail: "index", Jusqua: today.AddDays(30)})
	refused(home, "relances_suspendues")
	functiontest.MustAsk(t, b.Function, staff, message.ReprendreRelances{AbonneID: menage.Abonne.ID, FactureID: home.ID})
	functiontest.MustAsk(t, b.Function, staff, message.SuspendreRelances{AbonneID: menage.Abonne.ID, Motif: "FSL", Detail: "dossier", DeposeLe: today})
	refused(home, "relances_suspendues")
	functiontest.MustAsk(t, b.Function, staff, message.ReprendreRelances{AbonneID: menage.Abonne.ID})
	functiontest.MustAsk(t, b.Function, staff, message.EnregistrerAide{AbonneID: menage.Abonne.ID, Nature: "FSL", Du: today.AddDays(-3), Justificatif: "décision du 3"})
	refused(home, "abonne_aide")
	if held.ID == "" {
		t.Error("no hold")
	}
	// Days of a dispute bear no interest afterwards either.
	late := b.lateBy(t, autre, 21)
	b.alter(t, fmt.Sprintf("insert into suspension (id, abonne_id, facture_id, motif, detail, du, jusqua, levee_le, cree_a, cree_par) values (gen_random_uuid(), '%s', '%s', 'CONTESTATION', 'x', '%s', '%s', '%s', now(), '')",
		autre.Abonne.ID, late.ID, today.AddDays(-15), today.AddDays(10), today.AddDays(-5)))
	if got, err := ask(late, true); err != nil || got.Jours != 10 {
		t.Errorf("20 days of which 10 were contested: %+v, %v", got, err)
	}
	refused(b.manual(t, autre.ContratID, 1000), "pas_en_retard")
	// Interest is on what was owed on each day: half was paid midway, the rest today, and what an avoir took back never was owed.
	paid := b.lateBy(t, autre, 21)
	avoir := functiontest.MustAsk(t, b.Function, staff, message.EmettreAvoir{FactureID: paid.ID, Motif: "erreur", Lignes: []message.LigneAvoir{{Code: paid.Lignes[0].Code, HTCentimes: 10_000}}})
	owed := paid.TTCCentimes + avoir.TTCCentimes
	pay := func(centimes int64, on message.Date) {
		functiontest.MustAsk(t, b.Function, staff, message.EnregistrerPaiement{Mode: "VIREMENT", MontantCentimes: centimes, RecuLe: on, Reference: paid.Numero})
	}
	pay(40_000, today.AddDays(-10))
	pay(owed-40_000, today)
	if got, err := ask(paid, false); err != nil || got.ForfaitCentimes != 4000 || got.InteretsCentimes != quotient(10*1000*owed+10*1200*(owed-40_000), 3_650_000) || got.Jours != 20 {
		t.Errorf("paid late: %+v, %v", got, err)
	}
	refused(paid, "pas_en_retard")
	// No day is charged while the rate of one is to come: it would be lost.
	unset := b.lateBy(t, autre, 5)
	b.alter(t, "update taux_retard set periode = daterange(lower(periode), $1) where upper(periode) is null", today.AddDays(-2))
	refused(unset, "taux_absent")
	functiontest.MustAsk(t, b.Function, staff, message.DefinirPenalite{Code: "TAUX", Du: today.AddDays(-2), Valeur: 900, Source: "essai 3"})
	if got, err := ask(unset, false); err != nil || got.Jours != 4 || len(got.Sources) != 3 {
		t.Errorf("with all its rates: %+v, %v", got, err)
	}
	functiontest.MustAsk(t, b.Function, staff, message.EmettreAvoir{FactureID: late.ID, Motif: "erreur"})
	refused(late, "rien_du")
	if rules := functiontest.MustAsk(t, b.Function, staff, message.ReglesRecouvrement{}).Penalites; len(rules) != 5 || slices.ContainsFunc(rules, func(r message.ReglePenalite) bool { return r.AVerifier }) {
		t.Errorf("rules %+v", rules)
	}
	b.balanced(t)
}

// What is noted in a file has a name wherever it is read: in the message that
// carries it, from which the pages' types are made, and on paper.
func TestEventsOfAFileHaveNames(t *testing.T) {
	t.Parallel()
	code, _ := reflect.TypeFor[message.EvenementRelance]().FieldByName("Code")
	enum := strings.Split(code.Tag.Get("enum"), ",")
	slices.Sort(enum)
	if said := slices.Sorted(maps.Keys(evenements)); !slices.Equal(enum, said) || !slices.Contains(said, "PENALISE") {
		t.Errorf("the message knows %v, paper %v", enum, said)
	}
}
