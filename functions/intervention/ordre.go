package main

import (
	"slices"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// marche are the states of an order on its way, in order; from the second on
// somebody has it. It ends as REALISEE, IMPOSSIBLE or ANNULEE.
var marche = []string{"PLANIFIEE", "AFFECTEE", "ACCEPTEE", "EN_ROUTE", "SUR_PLACE"}

// avecIndex are the natures whose report needs the index of the meter.
var avecIndex = []string{"OUVERTURE", "FERMETURE", "POSE", "CHANGEMENT", "RELEVE"}

// fermeture is the nature that shuts a valve; no other may.
const fermeture = "FERMETURE"

// horizon is how far from today an order may be planned, in days either way:
// beyond it the date is a mistake.
const horizon = 366

// technicien is the role that sees and does its own orders only.
const technicien = "technicien"

var (
	errInconnue  = function.NotFound("intervention_inconnue", "Cette intervention n'existe pas.", "There is no such order.")
	errTerminee  = function.Conflict("intervention_terminee", "Cette intervention est terminée.", "This order is over.")
	errResidence = function.Refused("residence_principale",
		"L'eau d'une résidence principale, ou d'un logement qui peut en être une, n'est jamais coupée (CASF L115-3).",
		"The water of a main residence, or of a dwelling that may be one, is never cut (CASF L115-3).")
	errLibre = function.Conflict("non_affectee", "Cette intervention n'est affectée à personne : prenez-la d'abord.", "Nobody has this order: take it first.")
)

// ordre is an order and the rules of its life. Each step tells whether it
// changed something; one that was taken before changes nothing.
type ordre struct{ message.Intervention }

func (o *ordre) enCours() bool { return slices.Contains(marche, o.Etat) }

// visible tells whether the order exists for somebody: a technician sees
// their own and those that nobody has, an abonne those of their file.
func (o *ordre) visible(id function.Identity) bool {
	if id.AbonneID != "" {
		return id.AbonneID == o.AbonneID
	}
	return id.Role != technicien || o.Technicien == "" || o.Technicien == id.ID
}

// affecter gives the order to somebody. A technician only takes what nobody has.
func (o *ordre) affecter(par function.Identity, c message.AffecterIntervention) (changed bool, err error) {
	switch {
	case o.Technicien == c.Technicien && o.enCours():
		return false, nil
	case !o.enCours():
		return false, errTerminee
	case par.Role == technicien && c.Technicien != par.ID:
		return false, function.Forbidden("pour_soi_seulement", "Vous pouvez prendre une intervention pour vous seulement.", "You can take an order for yourself only.")
	}
	o.Etat, o.Technicien, o.NomTechnicien = "AFFECTEE", c.Technicien, c.NomTechnicien
	return true, nil
}

// avancer moves the order on. Steps may be passed over, never taken back: a
// telephone without network sends what it can.
func (o *ordre) avancer(vers string) (changed bool, err error) {
	de, a := slices.Index(marche, o.Etat), slices.Index(marche, vers)
	switch {
	case o.Etat == vers:
		return false, nil
	case de < 0:
		return false, errTerminee
	case de == 0:
		return false, errLibre
	case a < de:
		return false, function.Conflict("deja_avancee", "Cette intervention est déjà plus loin (état "+o.Etat+").", "This order is further on already (state "+o.Etat+").")
	}
	o.Etat = vers
	return true, nil
}

// realiser closes the order with a report. It is taken from AFFECTEE on, for
// the steps between may still be on their way.
func (o *ordre) realiser(c message.CompteRendu, today message.Date) (changed bool, err error) {
	switch {
	case o.Etat == "REALISEE" && meme(*o.Compte, c):
		return false, nil
	case o.Etat == "REALISEE":
		return false, function.Conflict("deja_realisee", "Cette intervention a déjà un compte rendu, différent de celui-ci.", "This order already has a report, other than this one.")
	case !o.enCours():
		return false, errTerminee
	case o.Etat == "PLANIFIEE":
		return false, errLibre
	case c.Date.After(today):
		return false, function.Invalid("date", "date_future", "La date est dans le futur.", "The date is in the future.")
	case c.Date.Before(message.DateOf(o.CreeA)):
		return false, function.Invalid("date", "date_avant_creation", "La date est antérieure à la création de l'intervention.", "The date is before the order was made.")
	case c.Index == nil && slices.Contains(avecIndex, o.Nature):
		return false, function.Invalid("index", "index_requis", "L'index du compteur est obligatoire pour cette intervention.", "The index of the meter is required for this order.")
	}
	o.Etat, o.Compte = "REALISEE", &c
	return true, nil
}

// meme tells whether two reports say the same.
func meme(a, b message.CompteRendu) bool {
	same := a.Index == nil && b.Index == nil || a.Index != nil && b.Index != nil && *a.Index == *b.Index
	return same && a.Date == b.Date && a.Observations == b.Observations && a.Signataire == b.Signataire
}

// renoncer closes the order without result.
func (o *ordre) renoncer(motif string) (changed bool, err error) {
	switch {
	case o.Etat == "IMPOSSIBLE" && o.Motif == motif:
		return false, nil
	case !o.enCours():
		return false, errTerminee
	}
	o.Etat, o.Motif = "IMPOSSIBLE", motif
	return true, nil
}
