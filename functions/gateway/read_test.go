package main

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

// says is a handler that always answers the same.
func says[M message.Request[R], R any](right function.Right, reply R) function.Listen {
	return function.Answer(right, func(context.Context, *function.Tx, M) (R, error) { return reply, nil })
}

// fails is a handler whose database is away.
func fails[M message.Request[R], R any](right function.Right) function.Listen {
	return function.Answer(right, func(context.Context, *function.Tx, M) (r R, err error) { return r, errors.New("away") })
}

func TestTableau(t *testing.T) {
	t.Parallel()
	b := setup(t, relaxed)
	b.serve(t, "contrat", says[message.TableauContrats]("tableau:lire", message.ContratsEnChiffres{Abonnes: 500}))
	b.serve(t, "operation", says[message.TableauReleves]("tableau:lire", message.RelevesEnChiffres{Compteurs: 480}))
	b.serve(t, "facture", fails[message.TableauFactures]("tableau:lire"))
	b.serve(t, "intervention", function.Answer("interventions:lire", func(_ context.Context, _ *function.Tx, q message.Interventions) (message.PageInterventions, error) {
		if q.Etat != "OUVERTES" {
			return message.PageInterventions{}, errors.New("asked for orders that are over")
		}
		return message.PageInterventions{Total: 7, Items: make([]message.Intervention, q.Size())}, nil
	}))
	b.serve(t, "workflow", says[message.Plans]("processus:lire", message.PagePlans{EnCours: 3, Echecs: 1}))

	all := read[Tableau](t, b.as(t, functiontest.Staff()).get(t, "/v1/tableau"), http.StatusOK)
	if all.Contrats == nil || all.Contrats.Abonnes != 500 || all.Releves == nil || all.Releves.Volumes == nil ||
		all.Interventions == nil || all.Interventions.Ouvertes != 7 || all.Plans == nil || all.Plans.Echecs != 1 {
		t.Errorf("got %+v", all)
	}
	if all.Factures != nil || !slices.Equal(all.Indisponibles, []string{"factures"}) {
		t.Errorf("facture is away, but got %+v, %q", all.Factures, all.Indisponibles)
	}

	technician := read[map[string]any](t, b.as(t, functiontest.Technician(function.NewID())).get(t, "/v1/tableau"), http.StatusOK)
	if technician["plans"] != nil || technician["interventions"] == nil {
		t.Errorf("a technician sees %v", technician)
	}
}

func TestChronologie(t *testing.T) {
	t.Parallel()
	b := setup(t, relaxed)
	at := func(day int) time.Time { return time.Date(2026, 5, day, 8, 0, 0, 0, time.UTC) }
	done, sent := at(4), at(8)
	b.serve(t, "contrat", function.Answer("abonnes:lire,portail:lire", func(_ context.Context, tx *function.Tx, q message.FicheAbonne) (message.Fiche, error) {
		if !tx.Identity().Owns(q.ID) {
			return message.Fiche{}, function.NotFound("abonne_inconnu", "Cet abonné n'existe pas.", "There is no such subscriber.")
		}
		return message.Fiche{Journal: []message.Evenement{{Instant: at(5), Nature: "contrat", Code: "ACTIF"}, {Instant: at(1), Nature: "contrat", Code: "SOUSCRIT"}}}, nil
	}))
	b.serve(t, "facture",
		says[message.Factures]("factures:lire,portail:lire", message.PageFactures{Items: []message.Facture{
			{ID: "f1", Numero: "F2026-000001", TTCCentimes: 123456, DateFacturation: message.NewDate(2026, 5, 7), Echeance: message.NewDate(2026, 5, 31)},
			{ID: "f2", DateFacturation: message.NewDate(2026, 5, 9)}, // not issued
		}}),
		says[message.Compte]("paiements:lire,portail:lire", message.CompteAbonne{Paiements: []message.Paiement{
			{ID: "p1", Mode: "VIREMENT", MontantCentimes: 5000, RecuLe: message.NewDate(2026, 5, 20)},
		}}))
	b.serve(t, "intervention", says[message.Interventions]("interventions:lire", message.PageInterventions{Items: []message.Intervention{
		{ID: "i1", Numero: "I-26-1", CreeA: at(2), RealiseeA: &done, CreerIntervention: message.CreerIntervention{Nature: "OUVERTURE", PrevueLe: message.NewDate(2026, 5, 4)}},
	}}))
	b.serve(t, "mailer", says[message.Envois]("courrier:lire", message.PageEnvois{Items: []message.Envoi{
		{ID: "e1", Etat: "SENT", Objet: "Votre facture", CreeA: at(7), EnvoyeA: &sent},
		{ID: "e2", Etat: "FAILED", Objet: "Bienvenue", CreeA: at(6)},
	}}))

	id := function.NewID()
	codes := func(c *client) (out []string) {
		got := read[Chronologie](t, c.get(t, "/v1/abonnes/"+id+"/chronologie"), http.StatusOK)
		for _, e := range got.Items {
			out = append(out, e.Code)
		}
		return out
	}
	if got, want := codes(b.as(t, functiontest.Staff())), []string{"RECU", "SENT", "EMISE", "FAILED", "ACTIF", "REALISEE", "DEMANDEE", "SOUSCRIT"}; !slices.Equal(got, want) {
		t.Errorf("staff see %q, want %q", got, want)
	}
	if got, want := codes(b.as(t, functiontest.Subscriber(id))), []string{"RECU", "EMISE", "ACTIF", "SOUSCRIT"}; !slices.Equal(got, want) {
		t.Errorf("the abonne sees %q, want %q", got, want)
	}
	refused(t, b.as(t, functiontest.Subscriber(function.NewID())).get(t, "/v1/abonnes/"+id+"/chronologie"), http.StatusNotFound, "abonne_inconnu")
}

func TestPDF(t *testing.T) {
	t.Parallel()
	b := setup(t, relaxed)
	b.serve(t, "facture", says[message.DocumentFacture]("factures:lire", message.Document{Nom: "F2026-000001.pdf", Mime: "application/pdf", Contenu: []byte("%PDF-1.7 …")}))
	a := b.as(t, functiontest.Staff()).get(t, "/v1/factures/"+someID+"/pdf")
	if a.StatusCode != http.StatusOK || string(a.body) != "%PDF-1.7 …" {
		t.Fatalf("%s %s", a.Status, a.body)
	}
	for name, want := range map[string]string{
		"Content-Type": "application/pdf", "Content-Disposition": "inline; filename=F2026-000001.pdf",
		"X-Content-Type-Options": "nosniff", "Cache-Control": "private, max-age=86400, immutable",
	} {
		if got := a.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestListsAreNeverNull(t *testing.T) {
	t.Parallel()
	b := setup(t, relaxed)
	b.serve(t, "contrat", says[message.Contrats]("contrats:lire", message.PageContrats{}))
	if a := b.as(t, functiontest.Staff()).get(t, "/v1/contrats"); strings.TrimSpace(string(a.body)) != `{"items":[]}` {
		t.Errorf("got %s", a.body)
	}
}

func TestPublicPages(t *testing.T) {
	t.Parallel()
	b := setup(t, relaxed)
	for path, want := range map[string]string{
		"/docs": "text/html", "/docs.js": "text/javascript", "/docs.css": "text/css", "/openapi.json": "application/json",
	} {
		a := b.anonymous(t).get(t, path)
		if got := a.Header.Get("Content-Type"); a.StatusCode != http.StatusOK || !strings.HasPrefix(got, want) || len(a.body) == 0 {
			t.Errorf("%s: %s, %s, %d bytes", path, a.Status, got, len(a.body))
		}
		if strings.Contains(string(a.body), "://") {
			t.Errorf("%s loads something from elsewhere", path)
		}
		if policy := a.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: policy %q", path, policy)
		}
	}
}
