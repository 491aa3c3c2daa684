package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

// fausse is a platform as XP Z12-013 describes them (Flow Service 1.1.0): it
// takes a flow with 202 and checks it later, keeps no tracking id unique, and
// finds flows by it. It is down at first, and loses its own answer once.
type fausse struct {
	mu     sync.Mutex
	calls  map[string]int       // posts by tracking id
	flows  map[string]*fluxRecu // by id
	refuse map[string]string    // tracking id: 422, or Error by the checks
}

type fluxRecu struct {
	FlowID          string         `json:"flowId"`
	TrackingID      string         `json:"trackingId"`
	Acknowledgement map[string]any `json:"acknowledgement"`
	pdf             []byte
	questions       int
}

// laPlateforme is the one of all tests.
var laPlateforme = &fausse{calls: map[string]int{}, flows: map[string]*fluxRecu{}, refuse: map[string]string{}}

func (f *fausse) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	say := func(code int, answer any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_ = json.NewEncoder(w).Encode(answer)
	}
	wrong := func(code int, text string) { say(code, map[string]string{"errorCode": "WRONG", "errorMessage": text}) }
	if r.URL.Path == "/token" {
		if id, secret, _ := r.BasicAuth(); id != "regie" || secret != "secret" {
			say(http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
			return
		}
		say(http.StatusOK, map[string]any{"access_token": "jeton", "token_type": "Bearer", "expires_in": 3600})
		return
	}
	flow, isFlow := strings.CutPrefix(r.URL.Path, "/flow-service/v1/flows/")
	switch {
	case r.Header.Get("Authorization") != "Bearer jeton":
		wrong(http.StatusUnauthorized, "token")
	case r.Method == http.MethodPost && r.URL.Path == "/flow-service/v1/flows":
		f.post(w, r, say, wrong)
	case r.Method == http.MethodPost && flow == "search":
		var q struct {
			Limit int
			Where struct{ TrackingID string }
		}
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil || q.Where.TrackingID == "" || q.Limit > 100 {
			wrong(http.StatusBadRequest, "criteria")
			return
		}
		found := []*fluxRecu{}
		for _, x := range f.flows {
			if x.TrackingID == q.Where.TrackingID {
				found = append(found, x)
			}
		}
		say(http.StatusOK, map[string]any{"results": found})
	case r.Method == http.MethodGet && isFlow && f.flows[flow] != nil:
		x := f.flows[flow]
		if x.questions++; x.questions == 2 { // Pending at first
			x.Acknowledgement = map[string]any{"status": "Ok"}
			if why := f.refuse[x.TrackingID]; why != "" {
				x.Acknowledgement = map[string]any{"status": "Error", "details": []map[string]string{
					{"level": "Warning", "item": "BT-9", "reasonCode": "OtherTechnicalError", "reasonMessage": "sans importance"},
					{"level": "Error", "item": "BT-47", "reasonCode": "OtherTechnicalError", "reasonMessage": why}}}
			}
		}
		say(http.StatusOK, x)
	default:
		wrong(http.StatusNotFound, "no such flow")
	}
}

func (f *fausse) post(w http.ResponseWriter, r *http.Request, say func(int, any), wrong func(int, string)) {
	var info struct{ TrackingID, Name, Sha256, FlowSyntax, FlowProfile, ProcessingRule string }
	var pdf []byte
	parts, err := r.MultipartReader()
	if err != nil {
		wrong(http.StatusBadRequest, "not multipart")
		return
	}
	for {
		part, err := parts.NextPart()
		if err != nil {
			break
		}
		raw, _ := io.ReadAll(part)
		switch what := part.FormName() + " " + part.Header.Get("Content-Type"); what {
		case "flowInfo application/json":
			err = json.Unmarshal(raw, &info)
		case "file application/pdf":
			pdf = raw
		default:
			err = errors.New(what)
		}
		if err != nil {
			wrong(http.StatusBadRequest, err.Error())
			return
		}
	}
	f.calls[info.TrackingID]++
	switch {
	case len(info.TrackingID) > 36 || info.FlowSyntax != "Factur-X" || info.FlowProfile != "CIUS" || info.ProcessingRule != "B2B" || info.Name == "":
		wrong(http.StatusBadRequest, "flowInfo")
	case fmt.Sprintf("%x", sha256.Sum256(pdf)) != info.Sha256:
		wrong(http.StatusBadRequest, "ChecksumMismatch")
	case f.refuse[info.TrackingID] == "422":
		wrong(http.StatusUnprocessableEntity, "SIREN inconnu de l'annuaire")
	case f.calls[info.TrackingID] == 1:
		http.Error(w, "maintenance", http.StatusServiceUnavailable)
	default:
		x := &fluxRecu{FlowID: fmt.Sprintf("flux-%d", len(f.flows)+1), TrackingID: info.TrackingID, Acknowledgement: map[string]any{"status": "Pending"}, pdf: pdf}
		f.flows[x.FlowID] = x
		if f.calls[info.TrackingID] == 2 { // taken, and the answer is lost
			panic(http.ErrAbortHandler)
		}
		say(http.StatusAccepted, x)
	}
}

// ofDocument are the flows of a document.
func (f *fausse) ofDocument(id string) (out []*fluxRecu) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, x := range f.flows {
		if x.TrackingID == id {
			out = append(out, x)
		}
	}
	return out
}

func (f *fausse) refuses(id, why string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refuse[id] = why
}

// forgets has the next posts of a document go as the first ones did.
func (f *fausse) forgets(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.calls, id)
}

// tick has what is due spoken of, some times over.
func (b *bundle) depots(t *testing.T, times int) map[string]message.Depot {
	t.Helper()
	seen := 0
	for range times {
		b.deliver(t, "pings", "", message.Tick{})
		events := functiontest.Emitted[message.DepotAFaire](t, b.Function)
		for _, e := range events[seen:] {
			for range 2 { // as a broker may
				b.deliver(t, "facture", e.FactureID, e)
			}
		}
		seen = len(events)
		if _, err := b.DB.Exec(t.Context(), "update depot set relance_a = now() - interval '1 second' where etat in ('A_DEPOSER', 'TRANSMISE')"); err != nil {
			t.Fatal(err)
		}
	}
	out := map[string]message.Depot{}
	for _, d := range functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.Depots{}).Items {
		out[d.FactureID] = d
	}
	return out
}

func TestPlateforme(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	for i, siren := range []string{"552100554", "", "732829320", "356000000"} {
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
	// One number changed after the contract; older news come late.
	at := b.contrats[0].Abonne.ID
	b.deliver(t, "contrat", at, message.AbonneIdentifie{AbonneID: at, Version: 2, SIREN: "552100554", SIRET: "55210055400013", NumeroTVA: "FR86552100554"})
	b.deliver(t, "contrat", at, message.AbonneIdentifie{AbonneID: at, Version: 1, SIREN: "356000000"})
	staff := functiontest.Staff()
	bills := map[string]message.Facture{}
	for _, f := range b.bills(t, b.issue(t, lotOf(avril, octobre, emises)).ID) {
		bills[f.Nom] = f
	}
	taken, refused, rejected := bills["Dupont0"], bills["Dupont2"], bills["Dupont3"]
	laPlateforme.refuses(refused.ID, "422")
	laPlateforme.refuses(rejected.ID, "Le destinataire n'existe pas.")
	d := b.document(t, message.DocumentFacture{FactureID: taken.ID})
	shows(t, d.Contenu, "SIREN du client", "552100554", "FR86552100554", "pénalités")
	if broken := rules(t, "pdf", d.Contenu); len(broken) != 0 {
		t.Errorf("the invoice of a company breaks %v", broken)
	}

	// Ticks come as they like; whoever is due is asked for again: first the platform is down, then an answer is lost, then it checks.
	got := b.depots(t, 6)
	if d := got[taken.ID]; len(got) != 3 || d.Etat != "DEPOSEE" || d.Reference == "" || d.Motif != "" {
		t.Errorf("got %+v", got)
	}
	if flows := laPlateforme.ofDocument(taken.ID); len(flows) != 1 || !bytes.Equal(flows[0].pdf, d.Contenu) {
		t.Errorf("%d flows for one document, or other bytes than it", len(flows))
	}
	if d := got[refused.ID]; d.Etat != "REJETEE" || d.Essais != 1 || !strings.Contains(d.Motif, "annuaire") {
		t.Errorf("refused for good: %+v", d)
	}
	if d := got[rejected.ID]; d.Etat != "REJETEE" || !strings.HasSuffix(d.Motif, "Le destinataire n'existe pas.") {
		t.Errorf("rejected by its checks: %+v", d)
	}

	// What stood in the way is gone: a person has them sent again.
	for _, id := range []string{refused.ID, rejected.ID} {
		laPlateforme.refuses(id, "")
		if d := functiontest.MustAsk(t, b.Function, staff, message.RelancerDepot{FactureID: id}); d.Etat != "A_DEPOSER" || d.Motif != "" || d.Relance == nil || d.Relance.Motif == "" {
			t.Errorf("asked again: %+v", d)
		}
	}
	got = b.depots(t, 5)
	for _, id := range []string{refused.ID, rejected.ID} {
		if d := got[id]; d.Etat != "DEPOSEE" {
			t.Errorf("sent again: %+v", d)
		}
	}
	if n := len(laPlateforme.ofDocument(rejected.ID)); n != 2 {
		t.Errorf("%d flows of what was rejected once, want 2", n)
	}
	if _, err := functiontest.Ask(t, b.Function, staff, message.RelancerDepot{FactureID: taken.ID}); functiontest.Code(err) != "depot_passe" {
		t.Errorf("what is through is not sent twice: %v", err)
	}
	page := functiontest.MustAsk(t, b.Function, staff, message.Depots{Etat: "REJETEE"})
	if len(page.Items) != 0 || len(page.Etats) != 1 || page.Etats[0] != (message.DepotsParEtat{Etat: "DEPOSEE", Nombre: 3}) {
		t.Errorf("by state: %+v", page)
	}

	say := func(id, etat string, le time.Time) message.Depot {
		t.Helper()
		return functiontest.MustAsk(t, b.Function, staff, message.EnregistrerStatutDepot{StatutID: id, Reference: got[taken.ID].Reference, Etat: etat, Le: le})
	}
	on := time.Date(2026, time.October, 20, 8, 0, 0, 0, time.UTC)
	say("s2", "APPROUVEE", on.Add(time.Hour))
	say("s1", "RECUE", on) // late
	if d := say("s2", "APPROUVEE", on.Add(time.Hour)); d.Etat != "APPROUVEE" || len(d.Statuts) != 2 || d.Statuts[0].Etat != "APPROUVEE" {
		t.Errorf("after a status twice and one late: %+v", d)
	}
	if n := b.Count(t, "select count(*) from statut_depot"); n != 2 {
		t.Errorf("%d statuses kept, want 2", n)
	}
	if _, err := functiontest.Ask(t, b.Function, staff, message.EnregistrerStatutDepot{StatutID: "x", Reference: "autre", Etat: "RECUE", Le: on}); functiontest.Code(err) != "depot_inconnu" {
		t.Errorf("a status of nobody's document: %v", err)
	}

	// One that a status rejects after the checks is sent anew as well; its first flow is not the answer that was lost.
	first := say("s3", "REJETEE", on.Add(2*time.Hour)).Reference
	functiontest.MustAsk(t, b.Function, staff, message.RelancerDepot{FactureID: taken.ID})
	laPlateforme.forgets(taken.ID)
	if d := b.depots(t, 6)[taken.ID]; d.Etat != "DEPOSEE" || d.Reference == first || len(laPlateforme.ofDocument(taken.ID)) != 2 {
		t.Errorf("rejected as %s, then sent again: %+v", first, d)
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
