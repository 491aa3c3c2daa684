package main

import (
	"context"
	"net/http"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"aquaerp.fr/shared/message"
)

// Tableau is the dashboard: figures of five functions in one answer. A part
// that the caller has no right to is absent.
type Tableau struct {
	Contrats      *message.ContratsEnChiffres `json:"contrats,omitempty"`
	Releves       *message.RelevesEnChiffres  `json:"releves,omitempty"`
	Factures      *message.FacturesEnChiffres `json:"factures,omitempty"`
	Interventions *InterventionsEnChiffres    `json:"interventions,omitempty"`
	Plans         *PlansEnChiffres            `json:"plans,omitempty"`
	Indisponibles []string                    `json:"indisponibles,omitempty" doc:"Parts that could not be read now; ask again in a moment"`
}

// InterventionsEnChiffres are the figures of intervention.
type InterventionsEnChiffres struct {
	Ouvertes int `json:"ouvertes" doc:"Orders that are not over"`
}

// PlansEnChiffres are the figures of workflow.
type PlansEnChiffres struct {
	EnCours int `json:"en_cours"`
	Echecs  int `json:"echecs" doc:"Plans that need a person"`
}

func (g *gateway) tableau() {
	r := route{"GET", "/v1/tableau", "lireTableau", "Read the figures of the dashboard", "tableau", 0}
	huma.Register(g.api, r.operation(), func(ctx context.Context, _ *Nothing) (*Reply[Tableau], error) {
		var t Tableau
		parts := gather{}
		part(&parts, ctx, g, "contrats", message.TableauContrats{}, func(c message.ContratsEnChiffres) { t.Contrats = &c })
		part(&parts, ctx, g, "releves", message.TableauReleves{}, func(c message.RelevesEnChiffres) { t.Releves = &c })
		part(&parts, ctx, g, "factures", message.TableauFactures{}, func(c message.FacturesEnChiffres) { t.Factures = &c })
		part(&parts, ctx, g, "interventions", message.Interventions{Etat: "OUVERTES", Page: message.Page{Limite: 1}},
			func(p message.PageInterventions) { t.Interventions = &InterventionsEnChiffres{p.Total} })
		part(&parts, ctx, g, "plans", message.Plans{Page: message.Page{Limite: 1}},
			func(p message.PagePlans) { t.Plans = &PlansEnChiffres{p.EnCours, p.Echecs} })
		t.Indisponibles = parts.wait()
		return &Reply[Tableau]{t}, nil
	})
}

// gather asks several functions at once.
type gather struct {
	running sync.WaitGroup
	mu      sync.Mutex
	missing []string
}

// part asks one of them and hands its reply to use, one reply at a time. A
// part that the caller has no right to is left out; one that cannot be read
// is named by wait.
func part[R any](parts *gather, ctx context.Context, g *gateway, name string, request message.Request[R], use func(R)) {
	parts.running.Go(func() {
		reply, err := ask(ctx, g, request, "")
		parts.mu.Lock()
		defer parts.mu.Unlock()
		switch {
		case err == nil:
			use(reply)
		case status(err) != http.StatusForbidden:
			parts.missing = append(parts.missing, name)
		}
	})
}

func (p *gather) wait() []string {
	p.running.Wait()
	return p.missing
}
