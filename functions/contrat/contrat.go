package main

import (
	"fmt"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// The states of a contract.
const (
	aSigner        = "A_SIGNER"
	enRetractation = "EN_RETRACTATION" // signed; water stays closed until the period ends
	signe          = "SIGNE"           // signed; water may be opened
	actif          = "ACTIF"
	annule         = "ANNULE"
	resilie        = "RESILIE" // the pose of its meter is closed
)

// lettres stand for the natures in contract numbers, one each: those that
// share their first letter take a later one.
var lettres = map[string]string{
	"INDIVIDUEL": "I", "COLLECTIF": "C", "RESIDENTIEL": "R", "AGRICOLE": "A", "COMMERCIAL": "M", "INDUSTRIEL": "U",
}

// serieContrat is the series that numbers a contract registered on a day; the
// zone is the code INSEE of the PDL.
func serieContrat(nature, codeINSEE string, enregistre message.Date) string {
	return fmt.Sprintf("C-%s-%s-%02d", lettres[nature], codeINSEE, enregistre.Year()%100)
}

// numeroContrat is the nth number of a series.
func numeroContrat(serie string, n int64) string { return fmt.Sprintf("%s-%05d", serie, n) }

// numeroCompteur names a meter by its zone, diameter and serial number.
func numeroCompteur(codeINSEE string, c message.NouveauCompteur) string {
	return fmt.Sprintf("M-%s-%d-%s", codeINSEE, c.CalibreMM, c.Serie)
}

// capacite is the first number that a meter cannot show.
func capacite(roues int) int64 {
	n := int64(1)
	for range roues {
		n *= 10
	}
	return n
}

// signerContrat records a signature on c. At a distance the withdrawal period
// runs, and holds the opening back unless the abonne asked for water at once.
func signerContrat(c *message.Contrat, s message.Signer, today message.Date) (message.ContratSigne, error) {
	if c.Etat != aSigner {
		return message.ContratSigne{}, function.Conflict("deja_signe",
			"Ce contrat n'attend plus de signature : il est "+c.Etat+".", "This contract no longer waits for a signature: it is "+c.Etat+".")
	}
	c.SigneLe, c.Etat = today, signe
	pasAvant := today
	if s.ADistance {
		c.RetractationJusquAu = finRetractation(today)
		if !c.ExecutionImmediate {
			c.Etat = enRetractation
			pasAvant = c.RetractationJusquAu.AddDays(1)
		}
	}
	c.Version++
	return message.ContratSigne{
		ContratID: c.ID, Numero: c.Numero, AbonneID: c.Abonne.ID, Nom: nomComplet(c.Abonne), Telephone: c.Abonne.Telephone,
		PDLID: c.PDL.ID, PDL: c.PDL.Reference, Adresse: c.PDL.Adresse, Compteur: c.CompteurPrevu.Serie,
		DebutSouhaite: c.DebutSouhaite, PasAvant: pasAvant,
	}, nil
}

// retracterContrat withdraws from c. It tells whether a signature had started
// anything that must end.
func retracterContrat(c *message.Contrat, today message.Date) (commence bool, err error) {
	switch {
	case c.Etat == aSigner: // nothing binds anybody yet
	case c.Etat == annule:
		return false, function.Conflict("deja_annule", "Ce contrat est déjà annulé.", "This contract is already cancelled.")
	case c.Etat == actif:
		return false, function.Conflict("deja_actif",
			"L'eau est déjà ouverte : ce contrat se résilie, il ne se rétracte plus.",
			"Water is already open: this contract can be ended, no longer withdrawn from.")
	case c.RetractationJusquAu.IsZero():
		return false, function.Refused("pas_de_retractation",
			"Ce contrat n'a pas été signé à distance : il n'ouvre pas de délai de rétractation.",
			"This contract was not signed at a distance: there is no withdrawal period.")
	case today.After(c.RetractationJusquAu):
		return false, function.Refused("delai_de_retractation_passe",
			"Le délai de rétractation a pris fin le "+c.RetractationJusquAu.Francais()+".",
			"The withdrawal period ended on "+c.RetractationJusquAu.String()+".")
	}
	commence = c.Etat != aSigner
	c.Etat = annule
	c.Version++
	return commence, nil
}

// activerContrat opens the water: the meter foreseen stands at the PDL from
// the day and index reported. Reported again, the same opening changes
// nothing, and no pose is returned.
func activerContrat(c *message.Contrat, a message.Activer, today message.Date) (*message.Pose, error) {
	switch {
	case c.Etat == actif:
		if len(c.Poses) > 0 && c.ActifDepuis == a.Date && c.Poses[0].Du == a.Date && c.Poses[0].IndexDebut == a.Index {
			return nil, nil
		}
		return nil, function.Conflict("deja_actif",
			"Ce contrat est déjà actif depuis le "+c.ActifDepuis.Francais()+".", "This contract is already active since "+c.ActifDepuis.String()+".")
	case c.Etat != signe && c.Etat != enRetractation:
		return nil, function.Conflict("pas_signe",
			"Seul un contrat signé peut être activé ; celui-ci est "+c.Etat+".", "Only a signed contract can be activated; this one is "+c.Etat+".")
	case a.Date.After(today):
		return nil, dateFuture("date")
	case a.Date.Before(c.SigneLe):
		return nil, function.Invalid("date", "avant_signature",
			"L'eau ne peut pas être ouverte avant la signature, le "+c.SigneLe.Francais()+".",
			"Water cannot be opened before the signature, on "+c.SigneLe.String()+".")
	case c.Etat == enRetractation && !a.Date.After(c.RetractationJusquAu):
		return nil, function.Invalid("date", "delai_de_retractation",
			"L'eau reste fermée jusqu'à la fin du délai de rétractation, le "+c.RetractationJusquAu.Francais()+".",
			"Water stays closed until the withdrawal period ends, on "+c.RetractationJusquAu.String()+".")
	case a.Index >= capacite(c.CompteurPrevu.Roues):
		return nil, horsCadran("index", c.CompteurPrevu.Roues)
	}
	pose := message.Pose{ID: function.NewID(), Compteur: *c.CompteurPrevu, Du: a.Date, IndexDebut: a.Index}
	c.Etat, c.ActifDepuis, c.CompteurPrevu = actif, a.Date, nil
	c.Poses = []message.Pose{pose}
	c.Version++
	return &pose, nil
}

// changerPose closes the pose in place and opens that of another meter.
func changerPose(c *message.Contrat, cmd message.ChangerCompteur, nouveau message.Compteur, today message.Date) (deposee, posee message.Pose, err error) {
	refuse := func(err error) (message.Pose, message.Pose, error) { return message.Pose{}, message.Pose{}, err }
	if c.Etat != actif || len(c.Poses) == 0 {
		return refuse(function.Conflict("pas_actif",
			"Un compteur ne se change que sous un contrat actif ; celui-ci est "+c.Etat+".", "A meter is changed under an active contract only; this one is "+c.Etat+"."))
	}
	last := &c.Poses[len(c.Poses)-1]
	switch {
	case cmd.Date.After(today):
		return refuse(dateFuture("date"))
	case !cmd.Date.After(last.Du):
		return refuse(function.Invalid("date", "avant_pose",
			"Le compteur en place a été posé le "+last.Du.Francais()+" : le changement vient après.",
			"The meter in place was placed on "+last.Du.String()+": the change comes after."))
	case cmd.IndexPose >= capacite(nouveau.Roues):
		return refuse(horsCadran("index_pose", nouveau.Roues))
	}
	if err := indexFinal(last, "index_depose", cmd.IndexDepose); err != nil {
		return refuse(err)
	}
	last.Au, last.IndexFin = cmd.Date, &cmd.IndexDepose
	deposee = *last
	posee = message.Pose{ID: function.NewID(), Compteur: nouveau, Du: cmd.Date, IndexDebut: cmd.IndexPose}
	c.Poses = append(c.Poses, posee)
	c.Version++
	return deposee, posee, nil
}

// indexFinal holds the index with which a pose closes.
//
// An index below the one of the pose counts through zero; it is refused when
// that makes more than half of the dial, because a misread or an inverted
// pair of indexes is then the likelier story. What the consumption says of it
// is for operation to judge, which has the readings.
func indexFinal(p *message.Pose, champ string, index int64) error {
	cadran := capacite(p.Compteur.Roues)
	switch {
	case index >= cadran:
		return horsCadran(champ, p.Compteur.Roues)
	case index < p.IndexDebut && index-p.IndexDebut+cadran > cadran/2:
		return function.Invalid(champ, "index_recule",
			fmt.Sprintf("L'index recule : %d à la pose, %d à la fin, et un passage par zéro n'est pas vraisemblable.", p.IndexDebut, index),
			fmt.Sprintf("The index goes backwards: %d when placed, %d at the end, and passing through zero is not plausible.", p.IndexDebut, index))
	}
	return nil
}

// verifierDebut holds the start that an abonne wishes within a year of today.
func verifierDebut(debut, today message.Date) error {
	if n := debut.DaysSince(today); n < -365 || n > 365 {
		return function.Invalid("debut_souhaite", "hors_limites",
			"Le début souhaité doit être à moins d'un an d'aujourd'hui.", "The start must be within a year of today.")
	}
	return nil
}

func dateFuture(champ string) error {
	return function.Invalid(champ, "date_future", "Cette date est dans le futur.", "This date is in the future.")
}

func horsCadran(champ string, roues int) error {
	return function.Invalid(champ, "hors_cadran",
		fmt.Sprintf("Un compteur à %d roues n'affiche pas cet index.", roues), fmt.Sprintf("A meter of %d digits cannot show this index.", roues))
}

func nomComplet(a message.Abonne) string {
	if a.Prenom == "" {
		return a.Nom
	}
	return a.Prenom + " " + a.Nom
}
