package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// The states of plans and steps.
const (
	enCours = "EN_COURS"
	termine = "TERMINE" // plan
	echec   = "ECHEC"
	annule  = "ANNULE"  // plan
	aVenir  = "A_VENIR" // step
	faite   = "FAITE"   // step
)

// plan is a running process. Its methods decide; what they decide to send and
// to record gathers in envois and traces.
type plan struct {
	message.Plan // without its steps
	def          *definition
	donnees      donnees
	etapes       []etape // as the definition lists them
	signaux      []signal

	now    time.Time
	envois []envoi
	traces []trace
}

type etape struct {
	message.Etape
	echeance time.Time // when an ACTION without answer has failed
}

// signal is an event that came for the plan.
type signal struct {
	evenement, cle string
	contenu        json.RawMessage
}

// envoi is a command to post.
type envoi struct {
	correlation string
	commande    message.Message
}

type trace struct{ etape, code, texte string }

// nouveauPlan starts a definition.
func nouveauPlan(def *definition, d depart, now time.Time) *plan {
	p := &plan{def: def, donnees: d.donnees, now: now, Plan: message.Plan{
		ID: function.NewID(), Definition: def.Code, Version: def.Version, Titre: def.Titre + " " + d.nom,
		Sujet: d.sujet, AbonneID: d.abonneID, Etat: enCours, CreeA: now,
	}}
	for _, t := range def.Etapes {
		p.etapes = append(p.etapes, etape{Etape: message.Etape{Code: t.Code, Titre: t.Titre, Nature: t.Nature, Etat: aVenir}})
	}
	p.noter("", "DEMARRE", p.Titre)
	p.avancer()
	return p
}

func (p *plan) noter(etape, code, texte string) {
	p.traces = append(p.traces, trace{etape, code, texte})
}

func (p *plan) today() message.Date { return message.DateOf(p.now) }

// avancer enters every step whose time has come, until none is left, and
// settles the plan's state. Steps come after those they wait for, so one pass
// is enough.
func (p *plan) avancer() {
	if p.Etat == annule || p.Etat == termine {
		return
	}
	p.Etat = enCours
	if slices.ContainsFunc(p.etapes, func(e etape) bool { return e.Etat == echec }) {
		p.Etat = echec
	}
	for i := 0; i < len(p.etapes) && p.Etat == enCours; i++ {
		if p.etapes[i].Etat == aVenir && p.prete(i) {
			p.entrer(i)
		}
	}
}

// prete tells whether all the steps before a step are done.
func (p *plan) prete(i int) bool {
	return !slices.ContainsFunc(p.def.Etapes[i].Apres, func(code string) bool { return p.etapes[p.def.rang(code)].Etat != faite })
}

func (p *plan) entrer(i int) {
	e, t := &p.etapes[i], &p.def.Etapes[i]
	now := p.now
	e.Etat, e.EntreeA, e.SortieA, e.Detail = enCours, &now, nil, ""
	p.noter(e.Code, "ENTREE", e.Titre)
	switch t.Nature {
	case action:
		e.Essais++
		e.echeance = now.Add(time.Duration(t.Delai) * time.Minute)
		commande, err := actions[t.Action].build(demande{p.ID, p.today(), p.donnees, t.Parametres})
		if err != nil {
			p.echouer(i, "Impossible de préparer la demande : "+err.Error()+".")
			return
		}
		p.envois = append(p.envois, envoi{correlation(p.ID, e.Code, e.Essais), commande})
	case attenteDate:
		e.Jusqua = dates[t.Date](p.donnees)
		p.regarderDate(i)
	case attenteEvenement:
		p.regarderSignaux(i)
	case fin:
		p.reussir(i, "")
		p.Etat, p.TermineA = termine, &now
		p.noter("", "TERMINE", p.Titre)
	}
}

func (p *plan) reussir(i int, detail string) { p.sortir(i, faite, detail) }

// echouer fails a step, and the plan with it.
func (p *plan) echouer(i int, detail string) {
	p.sortir(i, echec, detail)
	p.Etat = echec
}

func (p *plan) sortir(i int, etat, detail string) {
	e := &p.etapes[i]
	now := p.now
	e.Etat, e.SortieA, e.Detail = etat, &now, detail
	p.noter(e.Code, etat, detail)
}

// regarderDate ends a wait whose day has come.
func (p *plan) regarderDate(i int) {
	if !p.today().Before(p.etapes[i].Jusqua) {
		p.reussir(i, "")
	}
}

// regarderSignaux ends a wait for which an event has come; the first that
// came counts.
func (p *plan) regarderSignaux(i int) {
	t := &p.def.Etapes[i]
	for _, s := range p.signaux {
		if s.evenement != t.Evenement && s.evenement != t.Echec || s.cle != evenements[s.evenement].cle(p.donnees) {
			continue
		}
		detail, err := evenements[s.evenement].retenu(&p.donnees, s.contenu)
		switch {
		case err != nil:
			p.echouer(i, "Événement illisible : "+err.Error()+".")
		case s.evenement == t.Echec:
			p.echouer(i, detail)
		default:
			p.reussir(i, detail)
		}
		return
	}
}

// signaler tells the plan of an event.
func (p *plan) signaler(s signal) {
	p.signaux = append(p.signaux, s)
	for i := range p.etapes {
		if p.etapes[i].Nature == attenteEvenement && p.etapes[i].Etat == enCours {
			p.regarderSignaux(i)
		}
	}
	p.avancer()
}

// repondre tells the plan of an answer to an attempt of an action. An answer
// that comes after its time still counts, unless the attempt was given up for
// another; a duplicate does not.
func (p *plan) repondre(code string, essai int, reply json.RawMessage, refus *message.Problem) {
	i := p.def.rang(code)
	if i < 0 || p.Etat == annule {
		return
	}
	e := &p.etapes[i]
	if e.Essais != essai || e.Etat != enCours && e.Etat != echec {
		return
	}
	if refus != nil {
		p.echouer(i, refus.Detail)
		return
	}
	detail, err := actions[p.def.Etapes[i].Action].retenu(&p.donnees, reply)
	if err != nil {
		p.echouer(i, "Réponse illisible : "+err.Error()+".")
		return
	}
	p.reussir(i, detail)
	p.avancer()
}

// reveiller looks for what the clock has brought.
func (p *plan) reveiller() {
	for i := range p.etapes {
		switch e := &p.etapes[i]; {
		case e.Etat != enCours:
		case e.Nature == attenteDate:
			p.regarderDate(i)
		case e.Nature == action && !p.now.Before(e.echeance):
			p.echouer(i, "Pas de réponse à temps.")
		}
	}
	p.avancer()
}

// relancer starts a failed plan again: each failed step, or the one that its
// definition names, with all that comes after.
func (p *plan) relancer() error {
	if p.Etat != echec {
		return function.Conflict("pas_en_echec",
			"Seul un processus en échec se relance ; celui-ci est "+p.Etat+".", "Only a failed process starts again; this one is "+p.Etat+".")
	}
	for i := range p.etapes {
		if p.etapes[i].Etat != echec {
			continue
		}
		debut := i
		if a := p.def.Etapes[i].ReprendA; a != "" {
			debut = p.def.rang(a)
		}
		p.noter(p.etapes[i].Code, "RELANCE", p.etapes[debut].Titre)
		for _, j := range p.def.depuis(debut) {
			e := &p.etapes[j]
			e.Etat, e.EntreeA, e.SortieA, e.Jusqua, e.Detail = aVenir, nil, nil, message.Date{}, ""
		}
	}
	p.avancer()
	return nil
}

// annuler ends a plan before its end.
func (p *plan) annuler(motif string) {
	if p.Etat == annule || p.Etat == termine {
		return
	}
	now := p.now
	p.Etat, p.TermineA = annule, &now
	p.noter("", "ANNULE", motif)
}

// correlation names an attempt of an action, for its answer to find it again.
func correlation(plan, etape string, essai int) string {
	return fmt.Sprintf("%s/%s/%d", plan, etape, essai)
}

func lireCorrelation(s string) (plan, etape string, essai int, ok bool) {
	parts := strings.Split(s, "/")
	if len(parts) != 3 {
		return "", "", 0, false
	}
	essai, err := strconv.Atoi(parts[2])
	return parts[0], parts[1], essai, err == nil
}
