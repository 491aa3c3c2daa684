package main

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aquaerp.fr/shared/function"
	ft "aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

func TestMain(m *testing.M) { ft.Main(m) }

const (
	contratID = "0190a000-0000-7000-8001-000000000001"
	abonneID  = "0190a000-0000-7000-8002-000000000001"
	pdlID     = "0190a000-0000-7000-8003-000000000001"
	planID    = "0190a000-0000-7000-8004-000000000001"
)

var (
	alice = ft.Technician("0190a000-0000-7000-8005-00000000000a")
	bob   = ft.Technician("0190a000-0000-7000-8005-00000000000b")
)

func setup(t *testing.T) *ft.Function {
	t.Helper()
	t.Parallel()
	return ft.Start(t, "intervention", listens)
}

func today() message.Date { return message.DateOf(time.Now()) }

var adresse = message.Adresse{Voie: "1 rue du Lavoir", CodePostal: "77999", Commune: "Brissy"}

// commande is an opening order.
func commande() message.CreerIntervention {
	return message.CreerIntervention{Nature: "OUVERTURE", PrevueLe: today().AddDays(3), ContratID: contratID, AbonneID: abonneID,
		PDLID: pdlID, PDL: "PDL-00001", Compteur: "S1", Adresse: adresse, Contact: "Anne Martin, 06 39 98 00 01", Consigne: "Portail vert"}
}

func affectee(t *testing.T, f *ft.Function, c message.CreerIntervention, to function.Identity) message.Intervention {
	t.Helper()
	o := ft.MustAsk(t, f, ft.Staff(), c)
	return ft.MustAsk(t, f, ft.Staff(), message.AffecterIntervention{InterventionID: o.ID, Technicien: to.ID, NomTechnicien: to.Nom})
}

func TestFromOrderToReport(t *testing.T) {
	f := setup(t)
	c := commande()
	o := ft.MustAsk(t, f, ft.Staff(), c)
	if want := fmt.Sprintf("I-%02d-00001", today().Year()%100); o.Numero != want || o.Etat != "PLANIFIEE" || o.Priorite != "NORMALE" || o.Version != 1 {
		t.Errorf("ordered: %+v", o)
	}
	o = ft.MustAsk(t, f, alice, message.AffecterIntervention{InterventionID: o.ID, Technicien: alice.ID, NomTechnicien: "Alice"})
	for _, etat := range []string{"ACCEPTEE", "EN_ROUTE", "SUR_PLACE"} {
		if o = ft.MustAsk(t, f, alice, message.AvancerIntervention{InterventionID: o.ID, Vers: etat}); o.Etat != etat {
			t.Errorf("state %s, want %s", o.Etat, etat)
		}
	}
	report := message.RealiserIntervention{InterventionID: o.ID, Date: today(), Index: index(42), Observations: "RAS", Signataire: "A. Martin"}
	if _, err := ft.Ask(t, f, alice, message.RealiserIntervention{InterventionID: o.ID, Date: today()}); ft.Code(err) != "index_requis" {
		t.Errorf("without an index: %v", err)
	}
	done := ft.MustAsk(t, f, alice, report)
	again := ft.MustAsk(t, f, alice, report) // the telephone sends it again, as another request
	if done.Etat != "REALISEE" || *done.Compte.Index != 42 || done.Version != 6 || again.Version != 6 || !again.RealiseeA.Equal(done.RealiseeA.Truncate(time.Microsecond)) {
		t.Errorf("done %+v, again %+v", done, again)
	}
	events := ft.Emitted[message.InterventionRealisee](t, f)
	if len(events) != 1 || events[0].InterventionID != o.ID || events[0].Nature != "OUVERTURE" || events[0].ContratID != contratID ||
		events[0].PDLID != pdlID || *events[0].CompteRendu.Index != 42 || events[0].CompteRendu.Date != today() {
		t.Errorf("told: %+v", events)
	}
	if read := ft.MustAsk(t, f, alice, message.InterventionParID{ID: o.ID}); read.Numero != o.Numero || read.Consigne != c.Consigne || read.Adresse != adresse || read.PrevueLe != c.PrevueLe {
		t.Errorf("read: %+v", read)
	}
}

// posted is an order by post, as workflow sends it.
func posted(t *testing.T, f *ft.Function, c message.CreerIntervention) int {
	t.Helper()
	e := ft.Event("workflow", c.Plan, c)
	e.SetExtension("replyto", "workflow")
	e.SetExtension("correlationid", c.Plan)
	return f.Deliver(t, e)
}

func TestAPlanHasOneOrderOfANature(t *testing.T) {
	f := setup(t)
	c := commande()
	c.Plan = planID
	for range 2 {
		if status := posted(t, f, c); status != http.StatusNoContent {
			t.Fatalf("status %d", status)
		}
	}
	direct := ft.MustAsk(t, f, ft.Staff(), c)
	var replies []string
	for _, sent := range f.Outbox(t) {
		var o message.Intervention
		if err := sent.Event.DataAs(&o); err != nil || sent.Key != "reponse.workflow" || sent.Event.Type() != message.ReplyType(c.Type()) {
			t.Fatalf("%+v, %v", sent, err)
		}
		replies = append(replies, o.ID)
	}
	if !slices.Equal(replies, []string{direct.ID, direct.ID}) || f.Count(t, "select count(*) from intervention") != 1 {
		t.Errorf("replies %v, direct %s", replies, direct.ID)
	}
	// What came to nothing may be ordered again.
	ft.MustAsk(t, f, ft.Staff(), message.DeclarerImpossible{InterventionID: direct.ID, Motif: "Personne sur place"})
	if told := ft.Emitted[message.InterventionImpossible](t, f); len(told) != 1 || told[0].Plan != planID || told[0].Motif != "Personne sur place" {
		t.Errorf("told: %+v", told)
	}
	if next := ft.MustAsk(t, f, ft.Staff(), c); next.ID == direct.ID || next.Etat != "PLANIFIEE" {
		t.Errorf("ordered again: %+v", next)
	}
}

// Many requests of one plan at once leave one order.
func TestConcurrentOrders(t *testing.T) {
	f := setup(t)
	c := commande()
	c.Plan = planID
	ids := make([]string, 8)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			o, err := ft.Ask(t, f, ft.Staff(), c)
			if err != nil {
				t.Error(err)
			}
			ids[i] = o.ID
		})
	}
	wg.Wait()
	if slices.Sort(ids); len(slices.Compact(ids)) != 1 || f.Count(t, "select count(*) from intervention") != 1 {
		t.Errorf("orders %v", ids)
	}
}

func TestWaterIsNotCutWhereSomebodyMayLive(t *testing.T) {
	f := setup(t)
	c := commande()
	c.Nature = "FERMETURE"
	ask := func(want string) {
		t.Helper()
		if _, err := ft.Ask(t, f, ft.Staff(), c); ft.Code(err) != want {
			t.Errorf("%v, want %q", err, want)
		}
	}
	tell := func(version int64, residence string) {
		t.Helper()
		e := message.ContratActive{ContratID: contratID, Version: version, Depuis: today(), Abonne: message.Abonne{ID: abonneID, Adresse: adresse},
			PDL: message.PDL{ID: pdlID, Reference: "PDL-00001", Adresse: adresse, ResidencePrincipale: residence}, Pose: message.Pose{Du: today()}}
		if status := f.Deliver(t, ft.Event("contrat", contratID, e)); status != http.StatusNoContent {
			t.Fatalf("status %d", status)
		}
	}
	ask("residence_principale") // nothing is known of the PDL
	tell(3, "INCONNU")
	ask("residence_principale")
	tell(4, "NON")
	ask("")
	tell(3, "NON")
	tell(5, "OUI")
	tell(4, "NON") // an old version
	ask("residence_principale")
}

func TestCancelledContract(t *testing.T) {
	f := setup(t)
	open := affectee(t, f, commande(), alice)
	other := commande()
	other.ContratID = "0190a000-0000-7000-8001-000000000002"
	kept := ft.MustAsk(t, f, ft.Staff(), other)
	if status := f.Deliver(t, ft.Event("contrat", contratID, message.ContratAnnule{ContratID: contratID})); status != http.StatusNoContent {
		t.Fatalf("status %d", status)
	}
	for id, want := range map[string]string{open.ID: "ANNULEE", kept.ID: "PLANIFIEE"} {
		if o := ft.MustAsk(t, f, ft.Staff(), message.InterventionParID{ID: id}); o.Etat != want {
			t.Errorf("state %s, want %s", o.Etat, want)
		}
	}
	// The order may arrive after the cancellation.
	if _, err := ft.Ask(t, f, ft.Staff(), commande()); ft.Code(err) != "contrat_annule" {
		t.Errorf("an order for a cancelled contract: %v", err)
	}
}

func TestScope(t *testing.T) {
	f := setup(t)
	c := commande()
	mine, foreign := affectee(t, f, c, alice), affectee(t, f, c, bob)
	c.AbonneID = "0190a000-0000-7000-8002-000000000002"
	free := ft.MustAsk(t, f, ft.Staff(), c)
	anne := ft.Subscriber(abonneID)

	seen := func(as function.Identity) (ids []string) {
		page := ft.MustAsk(t, f, as, message.Interventions{Etat: "OUVERTES"})
		if page.Total != len(page.Items) {
			t.Errorf("%s: total %d of %d", as.Role, page.Total, len(page.Items))
		}
		for _, o := range page.Items {
			ids = append(ids, o.ID)
		}
		return ids
	}
	for _, test := range []struct {
		as   function.Identity
		want []string
	}{{ft.Staff(), []string{mine.ID, foreign.ID, free.ID}}, {alice, []string{mine.ID, free.ID}}, {anne, []string{mine.ID, foreign.ID}}} {
		if got := seen(test.as); !slices.Equal(got, test.want) {
			t.Errorf("%s sees %v, want %v", test.as.Role, got, test.want)
		}
	}
	refused := func(err error, want string) {
		t.Helper()
		if ft.Code(err) != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	_, err := ft.Ask(t, f, alice, message.InterventionParID{ID: foreign.ID})
	refused(err, "intervention_inconnue")
	_, err = ft.Ask(t, f, alice, message.RealiserIntervention{InterventionID: foreign.ID, Date: today(), Index: index(1)})
	refused(err, "intervention_inconnue")
	_, err = ft.Ask(t, f, alice, message.AffecterIntervention{InterventionID: foreign.ID, Technicien: alice.ID, NomTechnicien: "Alice"})
	refused(err, "intervention_inconnue")
	_, err = ft.Ask(t, f, alice, message.AffecterIntervention{InterventionID: free.ID, Technicien: bob.ID, NomTechnicien: "Bob"})
	refused(err, "pour_soi_seulement")
	_, err = ft.Ask(t, f, alice, message.AvancerIntervention{InterventionID: free.ID, Vers: "EN_ROUTE"})
	refused(err, "non_affectee")
	_, err = ft.Ask(t, f, anne, message.InterventionParID{ID: free.ID})
	refused(err, "intervention_inconnue")
	_, err = ft.Ask(t, f, anne, message.Interventions{AbonneID: c.AbonneID})
	refused(err, "abonne_inconnu")
	_, err = ft.Ask(t, f, anne, message.DeclarerImpossible{InterventionID: mine.ID, Motif: "non"})
	refused(err, "droit_manquant")
	if o := ft.MustAsk(t, f, anne, message.InterventionParID{ID: mine.ID}); o.Consigne != "" || o.Technicien != "" || o.NomTechnicien == "" {
		t.Errorf("an abonne reads %+v", o)
	}
}

func TestListByDay(t *testing.T) {
	f := setup(t)
	var want []string
	for _, days := range []int{5, 1, 3, 1, 2} {
		c := commande()
		c.PrevueLe = today().AddDays(days)
		want = append(want, fmt.Sprint(c.PrevueLe, " ", ft.MustAsk(t, f, ft.Staff(), c).Numero))
	}
	slices.Sort(want)
	var got []string
	q := message.Interventions{Page: message.Page{Limite: 2}}
	for {
		page := ft.MustAsk(t, f, ft.Staff(), q)
		for _, o := range page.Items {
			got = append(got, fmt.Sprint(o.PrevueLe, " ", o.Numero))
		}
		if q.Curseur = page.Suivant; q.Curseur == "" {
			break
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("listed\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestPlannedTooFar(t *testing.T) {
	f := setup(t)
	for _, days := range []int{-400, 400} {
		c := commande()
		c.PrevueLe = today().AddDays(days)
		if _, err := ft.Ask(t, f, ft.Staff(), c); ft.Code(err) != "date_hors_limites" {
			t.Errorf("%d days ahead: %v", days, err)
		}
	}
}
