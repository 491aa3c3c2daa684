package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"aquaerp.fr/shared/message"
)

// Chronologie is what happened around an abonne, the newest first.
type Chronologie struct {
	Items         []message.Evenement `json:"items" doc:"At most the last 200 of each kind"`
	Indisponibles []string            `json:"indisponibles,omitempty" doc:"Kinds that could not be read now; ask again in a moment"`
}

// chronologie merges what five functions know of an abonne.
func (g *gateway) chronologie() {
	r := route{"GET", "/v1/abonnes/{id}/chronologie", "lireChronologie", "Read what happened around an abonne, the newest first", "abonnes", 0}
	huma.Register(g.api, r.operation(), func(ctx context.Context, in *ParID) (*Reply[Chronologie], error) {
		c := Chronologie{}
		add := func(events ...message.Evenement) { c.Items = append(c.Items, events...) }
		last := message.Page{Limite: 200}
		parts := gather{}
		part(&parts, ctx, g, "factures", message.Factures{AbonneID: in.ID, Page: last}, func(p message.PageFactures) {
			for _, f := range p.Items {
				if f.Numero != "" {
					add(emise(f))
				}
			}
		})
		part(&parts, ctx, g, "paiements", message.Compte{AbonneID: in.ID}, func(c message.CompteAbonne) {
			for _, p := range c.Paiements {
				add(recu(p))
			}
		})
		part(&parts, ctx, g, "interventions", message.Interventions{AbonneID: in.ID, Page: last}, func(p message.PageInterventions) {
			for _, i := range p.Items {
				add(demandee(i))
				if i.RealiseeA != nil {
					add(realisee(i))
				}
			}
		})
		part(&parts, ctx, g, "envois", message.Envois{AbonneID: in.ID, Page: last}, func(p message.PageEnvois) {
			for _, e := range p.Items {
				add(envoye(e))
			}
		})
		fiche, err := ask(ctx, g, message.FicheAbonne{ID: in.ID}, "")
		c.Indisponibles = parts.wait()
		if err != nil { // no such abonne, or not the caller's
			return nil, err
		}
		add(fiche.Journal...)
		slices.SortStableFunc(c.Items, func(a, b message.Evenement) int {
			return cmp.Or(b.Instant.Compare(a.Instant), cmp.Compare(a.Objet, b.Objet))
		})
		return &Reply[Chronologie]{c}, nil
	})
}

func emise(f message.Facture) message.Evenement {
	return message.Evenement{
		Instant: f.DateFacturation.Time(), Nature: "facture", Code: "EMISE", Objet: f.ID,
		Texte: fmt.Sprintf("Facture %s : %s à payer avant le %s.", f.Numero, message.Euros(f.TTCCentimes), f.Echeance.Francais()),
	}
}

func recu(p message.Paiement) message.Evenement {
	return message.Evenement{
		Instant: p.RecuLe.Time(), Nature: "paiement", Code: "RECU", Objet: p.ID,
		Texte: fmt.Sprintf("Paiement de %s (%s).", message.Euros(p.MontantCentimes), strings.ToLower(p.Mode)),
	}
}

func demandee(i message.Intervention) message.Evenement {
	return message.Evenement{
		Instant: i.CreeA, Nature: "intervention", Code: "DEMANDEE", Objet: i.ID,
		Texte: fmt.Sprintf("Intervention %s (%s) prévue le %s.", i.Numero, strings.ToLower(i.Nature), i.PrevueLe.Francais()),
	}
}

func realisee(i message.Intervention) message.Evenement {
	return message.Evenement{
		Instant: *i.RealiseeA, Nature: "intervention", Code: "REALISEE", Objet: i.ID, Par: i.NomTechnicien,
		Texte: fmt.Sprintf("Intervention %s réalisée.", i.Numero),
	}
}

func envoye(e message.Envoi) message.Evenement {
	v := message.Evenement{Instant: e.CreeA, Nature: "envoi", Code: e.Etat, Objet: e.ID, Texte: fmt.Sprintf("« %s » en préparation.", e.Objet)}
	switch {
	case e.EnvoyeA != nil:
		v.Instant, v.Texte = *e.EnvoyeA, fmt.Sprintf("« %s » envoyé.", e.Objet)
	case e.Etat == "FAILED":
		v.Texte = fmt.Sprintf("« %s » n'a pas pu être envoyé.", e.Objet)
	}
	return v
}
