package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// resilierContrat ends c, and closes the pose of its meter.
func resilierContrat(c *message.Contrat, cmd message.Resilier, today message.Date) (message.Pose, error) {
	refuse := func(err error) (message.Pose, error) { return message.Pose{}, err }
	if c.Etat != actif || len(c.Poses) == 0 {
		return refuse(function.Conflict("pas_actif",
			"Seul un contrat actif se résilie ; celui-ci est "+c.Etat+".", "Only an active contract can be ended; this one is "+c.Etat+"."))
	}
	last := &c.Poses[len(c.Poses)-1]
	switch {
	case cmd.Date.After(today):
		return refuse(dateFuture("date"))
	case cmd.DemandeeLe.After(today):
		return refuse(dateFuture("demandee_le"))
	case !cmd.Date.After(last.Du) || !cmd.Date.After(c.ActifDepuis):
		return refuse(function.Invalid("date", "avant_pose",
			"Le compteur en place a été posé le "+last.Du.Francais()+" : la résiliation vient après.",
			"The meter in place was placed on "+last.Du.String()+": the end comes after."))
	}
	if err := indexFinal(last, "index", cmd.Index); err != nil {
		return refuse(err)
	}
	last.Au, last.IndexFin = cmd.Date, &cmd.Index
	c.Etat, c.ResilieLe, c.Abonne.Adresse = resilie, cmd.Date, cmd.Adresse
	c.Version++
	return *last, nil
}

func resilier(ctx context.Context, tx *function.Tx, cmd message.Resilier) (message.Contrat, error) {
	c, err := verrouiller(ctx, tx, cmd.ContratID)
	if err != nil {
		return c, err
	}
	pose, err := resilierContrat(&c, cmd, tx.Today())
	if err != nil {
		return c, err
	}
	b := &pgx.Batch{}
	b.Queue(updatePose, pose.ID, pose.Au, pose.IndexFin)
	a := cmd.Adresse
	b.Queue("update abonne set voie = $2, complement = $3, code_postal = $4, commune = $5 where id = $1", c.Abonne.ID, a.Voie, a.Complement, a.CodePostal, a.Commune)
	enregistrer(tx, b, &c, "", "RESILIE", fmt.Sprintf("Contrat résilié au %s, compteur %s à l'index %d.", cmd.Date.Francais(), pose.Compteur.Serie, cmd.Index))
	tx.Emit(c.ID, c.Version, message.ContratResilie{ContratID: c.ID, Numero: c.Numero, Version: c.Version, AbonneID: c.Abonne.ID, PDLID: c.PDL.ID,
		DemandeeLe: cmd.DemandeeLe, Date: cmd.Date, Pose: pose, Adresse: cmd.Adresse})
	return c, tx.SendBatch(ctx, b).Close()
}
