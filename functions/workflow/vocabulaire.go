package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"aquaerp.fr/shared/message"
)

// donnees is what the steps of a plan have learnt, stored as JSON. Like a
// message it only grows: plans that run were written by older versions.
type donnees struct {
	Contrat        message.ContratSigne   `json:"contrat,omitzero"`
	Fuite          *message.FuiteDetectee `json:"fuite,omitempty"`
	InterventionID string                 `json:"intervention_id,omitempty"`
	CompteRendu    *message.CompteRendu   `json:"compte_rendu,omitempty"`
}

// parametres are what a definition sets on an action.
type parametres struct {
	Nature   string `json:"nature,omitempty"`
	Consigne string `json:"consigne,omitempty"`
}

// demande is what an action is built from.
type demande struct {
	plan  string
	today message.Date
	donnees
	parametres
}

// actionType is an action that definitions may name. Payloads are built by
// typed Go and not by templates in the definition: the compiler then holds
// the message, its reply and what is kept of it together, and a definition
// stays a graph that a person can read.
type actionType struct {
	build  func(demande) (message.Message, error)
	retenu func(d *donnees, reply json.RawMessage) (detail string, err error)
}

// poste makes an action of a command and what is kept of its reply.
func poste[C message.Request[R], R any](build func(demande) (C, error), retenir func(*donnees, R) (detail string)) actionType {
	return actionType{
		build: func(d demande) (message.Message, error) { return build(d) },
		retenu: func(d *donnees, raw json.RawMessage) (string, error) {
			var reply R
			if err := json.Unmarshal(raw, &reply); err != nil {
				return "", err
			}
			return retenir(d, reply), nil
		},
	}
}

var actions = map[string]actionType{
	"intervention.creer": poste(
		func(d demande) (message.CreerIntervention, error) {
			prevue := d.Contrat.DebutSouhaite
			for _, day := range []message.Date{d.Contrat.PasAvant, d.today} {
				if prevue.Before(day) {
					prevue = day
				}
			}
			return message.CreerIntervention{
				Nature: d.Nature, PrevueLe: prevue, ContratID: d.Contrat.ContratID, AbonneID: d.Contrat.AbonneID,
				PDLID: d.Contrat.PDLID, PDL: d.Contrat.PDL, Compteur: d.Contrat.Compteur, Adresse: d.Contrat.Adresse,
				Contact: contact(d.Contrat), Consigne: d.Consigne, Plan: d.plan,
			}, nil
		},
		func(d *donnees, r message.Intervention) string {
			d.InterventionID, d.CompteRendu = r.ID, nil
			return "Intervention " + r.Numero + "."
		}),
	"facture.classer-fuite": poste(
		func(d demande) (message.ClasserFuite, error) {
			return message.ClasserFuite{FuiteID: d.Fuite.FuiteID}, nil
		},
		func(_ *donnees, f message.Fuite) string {
			if f.Etat == "ATTESTEE" {
				return "Attestée entre-temps."
			}
			return "Classé : la facture reste due en entier."
		}),
	"contrat.activer": poste(
		func(d demande) (message.Activer, error) {
			if d.CompteRendu == nil || d.CompteRendu.Index == nil {
				return message.Activer{}, errors.New("le compte rendu n'a pas d'index")
			}
			return message.Activer{ContratID: d.Contrat.ContratID, Index: *d.CompteRendu.Index, Date: d.CompteRendu.Date, InterventionID: d.InterventionID}, nil
		},
		func(_ *donnees, c message.Contrat) string { return "Contrat " + c.Numero + " " + c.Etat + "." }),
}

// depart is what starts a plan: what it is about, and what its steps know first.
type depart struct {
	donnees
	sujet, abonneID, nom string
}

func departDeContrat(c message.ContratSigne) depart {
	return depart{donnees{Contrat: c}, c.ContratID, c.AbonneID, c.Numero + ", " + c.Nom}
}

func departDeFuite(f message.FuiteDetectee) depart {
	return depart{donnees{Fuite: &f}, f.FuiteID, f.AbonneID, f.Contrat + ", " + f.Nom}
}

// contact is who to call on the spot, within the 160 characters of its field.
func contact(c message.ContratSigne) string {
	nom := []rune(c.Nom)
	return strings.TrimSpace(string(nom[:min(len(nom), 120)]) + " " + c.Telephone)
}

// dates are those that an ATTENTE_DATE may wait for.
var dates = map[string]func(donnees) message.Date{
	"contrat.pas_avant": func(d donnees) message.Date { return d.Contrat.PasAvant },
	"fuite.apres_delai": func(d donnees) message.Date { return d.Fuite.Jusqua.AddDays(1) },
}

// evenementType is an event that an ATTENTE_EVENEMENT may wait for: the key
// that it waits for, and what is kept of it.
type evenementType struct {
	cle    func(donnees) string
	retenu func(d *donnees, contenu json.RawMessage) (detail string, err error)
}

func evenement[E message.Message](cle func(donnees) string, retenir func(*donnees, E) (detail string)) evenementType {
	return evenementType{cle, func(d *donnees, raw json.RawMessage) (string, error) {
		var e E
		if err := json.Unmarshal(raw, &e); err != nil {
			return "", err
		}
		return retenir(d, e), nil
	}}
}

const (
	interventionRealisee   = "intervention.realisee"
	interventionImpossible = "intervention.impossible"
)

var evenements = map[string]evenementType{
	interventionRealisee: evenement(
		func(d donnees) string { return d.InterventionID },
		func(d *donnees, e message.InterventionRealisee) string {
			d.CompteRendu = &e.CompteRendu
			if e.CompteRendu.Index == nil {
				return "Réalisée le " + e.CompteRendu.Date.Francais() + "."
			}
			return fmt.Sprintf("Réalisée le %s, index %d.", e.CompteRendu.Date.Francais(), *e.CompteRendu.Index)
		}),
	interventionImpossible: evenement(
		func(d donnees) string { return d.InterventionID },
		func(_ *donnees, e message.InterventionImpossible) string { return e.Motif }),
}
