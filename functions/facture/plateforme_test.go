package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

// fausse is a platform as platforms are: it is down, it takes a document and
// loses its own answer, it takes none twice, and it refuses one for good.
type fausse struct {
	mu     sync.Mutex
	calls  map[string]int    // by tracking id
	flows  map[string]string // flow by tracking id
	refuse map[string]bool
}

// laPlateforme is the one of all tests.
var laPlateforme = &fausse{calls: map[string]int{}, flows: map[string]string{}, refuse: map[string]bool{}}

func (f *fausse) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var info struct{ TrackingID, Sha256, FlowSyntax string }
	file, _, err := r.FormFile("file")
	if err == nil {
		err = json.Unmarshal([]byte(r.FormValue("flowInfo")), &info)
	}
	if err != nil || r.Header.Get("Authorization") != "Bearer secret" || info.FlowSyntax != "Factur-X" {
		http.Error(w, `{"errorMessage":"unreadable"}`, http.StatusUnauthorized)
		return
	}
	pdf, _ := io.ReadAll(file)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls[info.TrackingID]++
	flow, known := f.flows[info.TrackingID]
	switch {
	case fmt.Sprintf("%x", sha256.Sum256(pdf)) != info.Sha256:
		http.Error(w, `{"errorMessage":"wrong hash"}`, http.StatusBadRequest)
	case f.refuse[info.TrackingID]:
		http.Error(w, `{"errorMessage":"SIREN inconnu de l'annuaire"}`, http.StatusUnprocessableEntity)
	case known:
		w.WriteHeader(http.StatusConflict)
		fmt.Fprintf(w, `{"flowId":%q}`, flow)
	case f.calls[info.TrackingID] == 1:
		http.Error(w, "maintenance", http.StatusServiceUnavailable)
	default: // taken, and the answer is lost
		f.flows[info.TrackingID] = "flow-" + info.TrackingID
		panic(http.ErrAbortHandler)
	}
}

func TestPlateforme(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	for i, siren := range []string{"552100554", "", "732829320"} {
		c := contract(i)
		c.Abonne.SIREN = siren
		if siren != "" {
			c.Abonne.Nature, c.Abonne.Prenom = "ORGANISATION", ""
		}
		b.contrats = append(b.contrats, c)
		b.deliver(t, "contrat", c.ContratID, c)
		b.read(t, c, avril, 130, false)
		b.read(t, c, octobre, 190, false)
	}
	staff := functiontest.Staff()
	bills := map[string]message.Facture{}
	for _, f := range b.bills(t, b.issue(t, lotOf(avril, octobre, emises)).ID) {
		bills[f.Nom] = f
	}
	taken, refused := bills["Dupont0"], bills["Dupont2"]
	laPlateforme.mu.Lock()
	laPlateforme.refuse[refused.ID] = true
	laPlateforme.mu.Unlock()
	d := b.document(t, message.DocumentFacture{FactureID: taken.ID})
	shows(t, d.Contenu, "SIREN du client", "552100554", "pénalités")
	if broken := rules(t, "pdf", d.Contenu); len(broken) != 0 {
		t.Errorf("the invoice of a company breaks %v", broken)
	}

	// Ticks come as they like; whoever is due is asked for again.
	for range 4 {
		b.deliver(t, "pings", "", message.Tick{})
		for _, e := range functiontest.Emitted[message.DepotAFaire](t, b.Function) {
			for range 2 {
				b.deliver(t, "facture", e.FactureID, e)
			}
		}
		if _, err := b.DB.Exec(t.Context(), "update depot set relance_a = now() - interval '1 second' where etat = 'A_DEPOSER'"); err != nil {
			t.Fatal(err)
		}
	}
	got := map[string]message.Depot{}
	for _, d := range functiontest.MustAsk(t, b.Function, staff, message.Depots{}).Items {
		got[d.FactureID] = d
	}
	if len(got) != 2 || got[taken.ID].Etat != "DEPOSEE" || got[taken.ID].Reference != "flow-"+taken.ID {
		t.Errorf("got %+v", got)
	}
	if d := got[refused.ID]; d.Etat != "REJETEE" || d.Essais != 1 || d.Motif == "" {
		t.Errorf("refused for good: %+v", d)
	}

	say := func(id, etat string, le time.Time) message.Depot {
		t.Helper()
		return functiontest.MustAsk(t, b.Function, staff, message.EnregistrerStatutDepot{StatutID: id, Reference: "flow-" + taken.ID, Etat: etat, Le: le})
	}
	at := time.Date(2026, time.October, 20, 8, 0, 0, 0, time.UTC)
	say("s2", "APPROUVEE", at.Add(time.Hour))
	say("s1", "RECUE", at) // late
	if d := say("s2", "APPROUVEE", at.Add(time.Hour)); d.Etat != "APPROUVEE" {
		t.Errorf("after a status twice and one late: %+v", d)
	}
	if n := b.Count(t, "select count(*) from statut_depot"); n != 2 {
		t.Errorf("%d statuses kept, want 2", n)
	}
	if _, err := functiontest.Ask(t, b.Function, staff, message.EnregistrerStatutDepot{StatutID: "x", Reference: "autre", Etat: "RECUE", Le: at}); functiontest.Code(err) != "depot_inconnu" {
		t.Errorf("a status of nobody's document: %v", err)
	}

	// Who is no company is declared, in sums.
	sums := functiontest.MustAsk(t, b.Function, staff, message.EReporting{Du: octobre, Au: octobre.AddDays(31)})
	if len(sums.Jours) != 2 || sums.Jours[0] != (message.JourEReporting{Jour: emises, TauxPM: 55, Documents: 1, BaseCentimes: 12_812, MontantCentimes: 705}) || sums.Obligatoire.IsZero() {
		t.Errorf("got %+v", sums)
	}
}

// TestObligation: nothing is deposited of what was issued before the date in
// the table, and all of it from then on.
func TestObligation(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	c := contract(0)
	c.Abonne.SIREN = "552100554"
	b.deliver(t, "contrat", c.ContratID, c)
	b.read(t, c, avril, 130, false)
	b.read(t, c, octobre, 190, false)
	b.issue(t, lotOf(avril, octobre, emises))
	for _, step := range []struct {
		du   message.Date
		want int
	}{{emises.AddDays(1), 0}, {emises, 1}} {
		if _, err := b.DB.Exec(t.Context(), "update obligation set du = $1 where code = 'EMISSION'", step.du); err != nil {
			t.Fatal(err)
		}
		b.deliver(t, "pings", "", message.Tick{})
		if n := b.Count(t, "select count(*) from depot"); n != step.want {
			t.Errorf("from %s on: %d documents to deposit, want %d", step.du, n, step.want)
		}
	}
}
