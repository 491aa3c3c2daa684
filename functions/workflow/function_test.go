package main

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

func TestMain(m *testing.M) { functiontest.Main(m) }

var staff = functiontest.Staff()

// bench is a running function and what a test does to it.
type bench struct {
	*testing.T
	f *functiontest.Function
}

func start(t *testing.T) bench {
	t.Parallel()
	return bench{t, functiontest.Start(t, "workflow", listens)}
}

func (b bench) today() (d message.Date) {
	b.Helper()
	if err := b.f.DB.QueryRow(b.Context(), "select (now() at time zone 'Europe/Paris')::date").Scan(&d); err != nil {
		b.Fatal(err)
	}
	return d
}

func (b bench) exec(sql string, args ...any) {
	b.Helper()
	if _, err := b.f.DB.Exec(b.Context(), sql, args...); err != nil {
		b.Fatal(err)
	}
}

// deliver hands an event over twice, as RabbitMQ may.
func (b bench) deliver(from, subject string, e message.Message) {
	b.Helper()
	event := functiontest.Event(from, subject, e)
	for range 2 {
		if status := b.f.Deliver(b.T, event); status != 204 {
			b.Errorf("%s answered %d", e.Type(), status)
		}
	}
}

// signe delivers a signature and returns the contract's id and its plan.
func (b bench) signe(pasAvant message.Date) (string, message.Plan) {
	b.Helper()
	e := message.ContratSigne{ContratID: function.NewID(), Numero: "C-I-28162-26-00001", AbonneID: function.NewID(), Nom: "Zoé Lefèvre", Telephone: "0612345678",
		PDLID: function.NewID(), PDL: "PDL-1", Adresse: message.Adresse{Voie: "1 rue du Puits", CodePostal: "28310", Commune: "Guercheville"}, Compteur: "SN1",
		DebutSouhaite: b.today(), PasAvant: pasAvant}
	b.deliver("contrat", e.ContratID, e)
	return e.ContratID, b.planDe(e.ContratID)
}

func (b bench) planDe(sujet string) message.Plan {
	b.Helper()
	for _, p := range functiontest.MustAsk(b.T, b.f, staff, message.Plans{}).Items {
		if p.Sujet == sujet {
			return p
		}
	}
	b.Fatalf("no plan about %s", sujet)
	return message.Plan{}
}

// sent is a command in the outbox.
type sent struct{ correlation, subject string }

// posted lists the commands of a type in the outbox.
func posted[C message.Request[R], R any](b bench) (cmds []C, from []sent) {
	b.Helper()
	cmds = functiontest.Emitted[C](b.T, b.f)
	var zero C
	for _, s := range b.f.Outbox(b.T) {
		if s.Event.Type() == zero.Type() {
			if s.Event.Extensions()["replyto"] != "workflow" {
				b.Errorf("%s is posted without a way back", zero.Type())
			}
			from = append(from, sent{s.Event.Extensions()["correlationid"].(string), s.Event.Subject()})
		}
	}
	return cmds, from
}

// answer delivers the reply to a posted command, or its refusal, and returns the status.
func (b bench) answer(to sent, request message.Message, payload any) int {
	b.Helper()
	e := functiontest.Event(message.Owner(request.Type()), to.subject, request)
	e.SetType(message.ReplyType(request.Type()))
	if _, refused := payload.(message.Problem); refused {
		e.SetType(message.RefusalType(request.Type()))
	}
	e.SetExtension("correlationid", to.correlation)
	if err := e.SetData("application/json", payload); err != nil {
		b.Fatal(err)
	}
	return b.f.Deliver(b.T, e)
}

func (b bench) mustAnswer(to sent, request message.Message, payload any) {
	b.Helper()
	if status := b.answer(to, request, payload); status != 204 {
		b.Errorf("answer to %s: %d", request.Type(), status)
	}
}

// ordered answers the nth order with an intervention and returns its id.
func (b bench) ordered(nth int) string {
	b.Helper()
	_, from := posted[message.CreerIntervention](b)
	if len(from) != nth {
		b.Fatalf("%d interventions ordered, want %d", len(from), nth)
	}
	id := function.NewID()
	b.mustAnswer(from[nth-1], message.CreerIntervention{}, message.Intervention{ID: id, Numero: "I-26-00001"})
	return id
}

func (b bench) done(plan, intervention string, index int64) {
	b.Helper()
	b.deliver("intervention", intervention, message.InterventionRealisee{InterventionID: intervention, Nature: "OUVERTURE", Plan: plan,
		CompteRendu: message.CompteRendu{Date: b.today(), Index: &index}})
}

func (b bench) wantEtapes(plan, etat, etapes string) message.Plan {
	b.Helper()
	p := functiontest.MustAsk(b.T, b.f, staff, message.PlanParID{ID: plan})
	got := make([]string, len(p.Etapes))
	for i, e := range p.Etapes {
		got[i] = e.Etat
	}
	if p.Etat != etat || strings.Join(got, " ") != etapes {
		b.Fatalf("plan %s, steps %s; want %s, %s", p.Etat, strings.Join(got, " "), etat, etapes)
	}
	return p
}

func TestSouscription(t *testing.T) {
	b := start(t)
	contrat, p := b.signe(b.today())
	if p.Definition != "souscription" || p.Version != 1 || p.Titre != "Souscription C-I-28162-26-00001, Zoé Lefèvre" || len(p.Etapes) != 5 {
		t.Fatalf("plan %+v", p)
	}
	b.wantEtapes(p.ID, "EN_COURS", "FAITE EN_COURS A_VENIR A_VENIR A_VENIR")
	orders, _ := posted[message.CreerIntervention](b)
	if o := orders[0]; o.Nature != "OUVERTURE" || o.Plan != p.ID || o.ContratID != contrat || o.Contact != "Zoé Lefèvre 0612345678" || o.PrevueLe != b.today() {
		t.Errorf("order %+v", o)
	}

	intervention := b.ordered(1)
	b.wantEtapes(p.ID, "EN_COURS", "FAITE FAITE EN_COURS A_VENIR A_VENIR")
	b.done("", function.NewID(), 1) // work that no plan ordered
	b.done(p.ID, function.NewID(), 1)
	b.wantEtapes(p.ID, "EN_COURS", "FAITE FAITE EN_COURS A_VENIR A_VENIR")
	b.done(p.ID, intervention, 1234)
	b.wantEtapes(p.ID, "EN_COURS", "FAITE FAITE FAITE EN_COURS A_VENIR")

	cmds, from := posted[message.Activer](b)
	if len(cmds) != 1 || cmds[0] != (message.Activer{ContratID: contrat, Index: 1234, Date: b.today(), InterventionID: intervention}) {
		t.Fatalf("activation %+v", cmds)
	}
	b.mustAnswer(from[0], message.Activer{}, message.Contrat{ID: contrat, Numero: "C-I-28162-26-00001", Etat: "ACTIF"})
	b.mustAnswer(from[0], message.Activer{}, message.Contrat{ID: contrat}) // another event with the same answer
	end := b.wantEtapes(p.ID, "TERMINE", "FAITE FAITE FAITE FAITE FAITE")
	if end.TermineA == nil || end.Etapes[3].Detail != "Contrat C-I-28162-26-00001 ACTIF." || end.Etapes[1].Detail != "Intervention I-26-00001." {
		t.Errorf("end %+v", end)
	}
	if e := functiontest.Emitted[message.PlanTermine](t, b.f); len(e) != 1 || e[0] != (message.PlanTermine{PlanID: p.ID, Definition: "souscription", Sujet: contrat}) {
		t.Errorf("PlanTermine %+v", e)
	}
	if n := len(end.Journal); n != 12 || end.Journal[0].Code != "TERMINE" || end.Journal[n-1].Code != "DEMARRE" {
		t.Errorf("%d lines of journal: %+v", n, end.Journal)
	}
	if _, err := functiontest.Ask(t, b.f, staff, message.RelancerPlan{PlanID: p.ID}); functiontest.Code(err) != "pas_en_echec" {
		t.Errorf("relance of a plan that ended: %v", err)
	}
}

// A contract signed by another event again starts nothing: its subject has a plan.
func TestUnPlanParContrat(t *testing.T) {
	b := start(t)
	contrat, _ := b.signe(b.today())
	b.deliver("contrat", contrat, message.ContratSigne{ContratID: contrat, PDLID: function.NewID(), PasAvant: b.today(),
		Adresse: message.Adresse{Voie: "x", CodePostal: "28310", Commune: "x"}})
	if n := b.f.Count(t, "select count(*) from plan"); n != 1 {
		t.Errorf("%d plans", n)
	}
	if cmds, _ := posted[message.CreerIntervention](b); len(cmds) != 1 {
		t.Errorf("%d orders", len(cmds))
	}
}

func TestAttenteDeDate(t *testing.T) {
	b := start(t)
	pasAvant := b.today().AddDays(15)
	_, p := b.signe(pasAvant)
	p = b.wantEtapes(p.ID, "EN_COURS", "EN_COURS A_VENIR A_VENIR A_VENIR A_VENIR")
	if p.Etapes[0].Jusqua != pasAvant {
		t.Errorf("waits for %s, want %s", p.Etapes[0].Jusqua, pasAvant)
	}
	tick := func() { b.deliver("pings", "", message.Tick{}) }
	tick()
	b.wantEtapes(p.ID, "EN_COURS", "EN_COURS A_VENIR A_VENIR A_VENIR A_VENIR")
	b.exec(`update etape set jusqua = jusqua - 15 where jusqua is not null`) // the days go by
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(tick)
	}
	wg.Wait()
	b.wantEtapes(p.ID, "EN_COURS", "FAITE EN_COURS A_VENIR A_VENIR A_VENIR")
	if cmds, _ := posted[message.CreerIntervention](b); len(cmds) != 1 {
		t.Errorf("%d orders", len(cmds))
	}
}

// The technician's report may overtake the answer to the order.
func TestEvenementAvantLAttente(t *testing.T) {
	b := start(t)
	_, p := b.signe(b.today())
	_, from := posted[message.CreerIntervention](b)
	id := function.NewID()
	b.done(p.ID, id, 7)
	b.wantEtapes(p.ID, "EN_COURS", "FAITE EN_COURS A_VENIR A_VENIR A_VENIR")
	b.mustAnswer(from[0], message.CreerIntervention{}, message.Intervention{ID: id, Numero: "I"})
	b.wantEtapes(p.ID, "EN_COURS", "FAITE FAITE FAITE EN_COURS A_VENIR")
	if cmds, _ := posted[message.Activer](b); len(cmds) != 1 || cmds[0].Index != 7 {
		t.Errorf("activation %+v", cmds)
	}
}

// The answer, the report and the clock at the same time: none is lost.
func TestEnMemeTemps(t *testing.T) {
	b := start(t)
	const plans = 12
	for range plans {
		b.signe(b.today())
	}
	orders, from := posted[message.CreerIntervention](b)
	var wg sync.WaitGroup
	for i, o := range orders {
		id := function.NewID()
		wg.Go(func() { b.done(o.Plan, id, int64(i)) })
		wg.Go(func() { b.deliver("pings", "", message.Tick{}) })
		wg.Go(func() { b.mustAnswer(from[i], message.CreerIntervention{}, message.Intervention{ID: id}) })
	}
	wg.Wait()
	if cmds, _ := posted[message.Activer](b); len(cmds) != plans {
		t.Errorf("%d of %d plans went on", len(cmds), plans)
	}
}

func TestEchecEtRelance(t *testing.T) {
	b := start(t)
	_, p := b.signe(b.today())
	relance := func() {
		t.Helper()
		functiontest.MustAsk(t, b.f, staff, message.RelancerPlan{PlanID: p.ID})
	}

	// The order is refused: the plan has failed, with the reason; started again, it orders again.
	_, from := posted[message.CreerIntervention](b)
	refus := message.Problem{Status: 422, Code: "non", Detail: "Pas de technicien.", DetailEN: "No technician."}
	b.mustAnswer(from[0], message.CreerIntervention{}, refus)
	failed := b.wantEtapes(p.ID, "ECHEC", "FAITE ECHEC A_VENIR A_VENIR A_VENIR")
	if failed.Etapes[1].Detail != refus.Detail || failed.Etapes[1].Essais != 1 {
		t.Errorf("failed step %+v", failed.Etapes[1])
	}
	if page := functiontest.MustAsk(t, b.f, staff, message.Plans{Etat: "ECHEC"}); len(page.Items) != 1 || page.Echecs != 1 || page.EnCours != 0 {
		t.Errorf("plans ECHEC: %+v", page)
	}
	relance()

	// No answer in time is a failure too; an answer to an attempt given up is not taken.
	b.exec("update etape set echeance = now() - interval '1 minute' where etat = 'EN_COURS'")
	b.deliver("pings", "", message.Tick{})
	b.wantEtapes(p.ID, "ECHEC", "FAITE ECHEC A_VENIR A_VENIR A_VENIR")
	relance()
	_, from = posted[message.CreerIntervention](b)
	b.mustAnswer(from[1], message.CreerIntervention{}, message.Intervention{ID: function.NewID()})
	b.wantEtapes(p.ID, "EN_COURS", "FAITE EN_COURS A_VENIR A_VENIR A_VENIR")

	// Nobody could open: started again, another intervention is ordered.
	id := b.ordered(3)
	b.deliver("intervention", id, message.InterventionImpossible{InterventionID: id, Plan: p.ID, Motif: "Chien."})
	failed = b.wantEtapes(p.ID, "ECHEC", "FAITE FAITE ECHEC A_VENIR A_VENIR")
	if failed.Etapes[2].Detail != "Chien." {
		t.Errorf("failed step %+v", failed.Etapes[2])
	}
	relance()
	id = b.ordered(4)
	b.done(p.ID, id, 5)

	// A late answer to the attempt that is waited for still counts.
	b.exec("update etape set echeance = now() - interval '1 minute' where etat = 'EN_COURS'")
	b.deliver("pings", "", message.Tick{})
	b.wantEtapes(p.ID, "ECHEC", "FAITE FAITE FAITE ECHEC A_VENIR")
	_, from = posted[message.Activer](b)
	b.mustAnswer(from[0], message.Activer{}, message.Contrat{Etat: "ACTIF"})
	end := b.wantEtapes(p.ID, "TERMINE", "FAITE FAITE FAITE FAITE FAITE")
	var par int
	for _, l := range end.Journal {
		if l.Code == "RELANCE" && l.Par == "Agent" {
			par++
		}
	}
	if par != 3 {
		t.Errorf("%d relances by name in the journal, want 3", par)
	}
}

func TestAnnulation(t *testing.T) {
	b := start(t)
	// The cancellation may overtake the signature.
	early := functiontest.Event("contrat", "", message.ContratAnnule{ContratID: function.NewID()})
	if status := b.f.Deliver(t, early); status != 503 {
		t.Errorf("cancelled before the signature: %d, want 503", status)
	}
	contrat, p := b.signe(b.today())
	_, from := posted[message.CreerIntervention](b)
	b.deliver("contrat", contrat, message.ContratAnnule{ContratID: contrat})
	b.mustAnswer(from[0], message.CreerIntervention{}, message.Intervention{ID: function.NewID()})
	b.deliver("pings", "", message.Tick{})
	if end := b.wantEtapes(p.ID, "ANNULE", "FAITE EN_COURS A_VENIR A_VENIR A_VENIR"); end.TermineA == nil {
		t.Error("cancelled without an instant")
	}
}

// A running plan keeps its version; the next one starts on the newest.
func TestVersions(t *testing.T) {
	b := start(t)
	_, old := b.signe(b.today().AddDays(3))
	b.exec(`insert into definition select code, 2, jsonb_set(contenu, '{titre}', '"Souscription bis"') from definition where code = 'souscription'`)
	_, recent := b.signe(b.today().AddDays(3))
	if p := b.wantEtapes(old.ID, "EN_COURS", "EN_COURS A_VENIR A_VENIR A_VENIR A_VENIR"); p.Version != 1 {
		t.Errorf("the old plan is on version %d", p.Version)
	}
	if recent.Version != 2 || !strings.HasPrefix(recent.Titre, "Souscription bis") {
		t.Errorf("the new plan: %+v", recent)
	}
}

func TestLectures(t *testing.T) {
	b := start(t)
	var want []string
	for range 3 {
		_, p := b.signe(b.today().AddDays(1))
		want = append([]string{p.ID}, want...)
	}
	var got []string
	q := message.Plans{Page: message.Page{Limite: 2}}
	for {
		page := functiontest.MustAsk(t, b.f, staff, q)
		for _, p := range page.Items {
			got = append(got, p.ID)
		}
		if page.EnCours != 3 {
			t.Errorf("%d running", page.EnCours)
		}
		if q.Curseur = page.Suivant; q.Curseur == "" {
			break
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("pages %v, want %v", got, want)
	}
	for code, err := range map[string]error{
		"plan_inconnu":     second(functiontest.Ask(t, b.f, staff, message.PlanParID{ID: function.NewID()})),
		"curseur_invalide": second(functiontest.Ask(t, b.f, staff, message.Plans{Page: message.Page{Curseur: "x"}})),
		"droit_manquant":   second(functiontest.Ask(t, b.f, functiontest.Technician(function.NewID()), message.RelancerPlan{PlanID: want[0]})),
	} {
		if functiontest.Code(err) != code {
			t.Errorf("%v, want %s", err, code)
		}
	}
	if status := b.answer(sent{correlation: "n'importe quoi"}, message.Activer{}, message.Contrat{}); status != 422 {
		t.Errorf("an answer to nothing: %d, want 422", status)
	}
}

func second[R any](_ R, err error) error { return err }

func (b bench) fuite(jusqua message.Date) (string, message.Plan) {
	b.Helper()
	e := message.FuiteDetectee{FuiteID: function.NewID(), ContratID: function.NewID(), Contrat: "C-I-28162-26-00001", AbonneID: function.NewID(), Nom: "Zoé Lefèvre",
		Du: jusqua.AddDays(-200), Au: jusqua.AddDays(-30), VolumeLitres: 200_000, MoyenneLitres: 60_000, PlafondLitres: 120_000, Jusqua: jusqua}
	b.deliver("facture", e.FuiteID, e)
	return e.FuiteID, b.planDe(e.FuiteID)
}

// The month of a certificate passes, and facture is asked to close the file; or it comes, and nobody asks.
func TestFuite(t *testing.T) {
	b := start(t)
	_, open := b.fuite(b.today())
	if open.Etat != enCours || open.Etapes[0].Etat != enCours || open.Etapes[0].Jusqua != b.today().AddDays(1) || open.Definition != "fuite" {
		t.Fatalf("got %+v", open)
	}
	fuite, over := b.fuite(b.today().AddDays(-1))
	cmds, from := posted[message.ClasserFuite](b)
	if len(cmds) != 1 || cmds[0].FuiteID != fuite || over.Etapes[0].Etat != faite || from[0].subject == "" {
		t.Errorf("posted %+v for %+v", cmds, over)
	}
	b.deliver("facture", open.Sujet, message.FuiteAttestee{FuiteID: open.Sujet})
	if got := b.planDe(open.Sujet); got.Etat != annule {
		t.Errorf("got %+v", got)
	}
}

// No process that a bill starts orders that a valve be shut.
func TestNoBillShutsAValve(t *testing.T) {
	f := start(t).f
	rows, err := f.DB.Query(t.Context(), "select code, version, contenu from definition")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	read := 0
	for ; rows.Next(); read++ {
		var code string
		var version int
		var contenu []byte
		if err := rows.Scan(&code, &version, &contenu); err != nil {
			t.Fatal(err)
		}
		d, err := lireDefinition(code, version, contenu)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range d.Etapes {
			if e.Action == "intervention.creer" && e.Parametres.Nature == "FERMETURE" && message.Owner(d.Declencheur) == "facture" {
				t.Errorf("%s v%d orders a closing in step %s", code, version, e.Code)
			}
		}
	}
	if err := rows.Err(); err != nil || read == 0 {
		t.Errorf("%d definitions, %v", read, err)
	}
}
