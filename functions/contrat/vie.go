package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

func signer(ctx context.Context, tx *function.Tx, cmd message.Signer) (message.Contrat, error) {
	c, err := verrouiller(ctx, tx, cmd.ContratID)
	if err != nil {
		return c, err
	}
	signed, err := signerContrat(&c, cmd, tx.Today())
	if err != nil {
		return c, err
	}
	texte := "Contrat signé par " + cmd.Signataire + "."
	if c.Etat == enRetractation {
		texte += " Rétractation possible jusqu'au " + c.RetractationJusquAu.Francais() + "."
	}
	b := &pgx.Batch{}
	enregistrer(tx, b, &c, cmd.Signataire, "SIGNE", texte)
	tx.Emit(c.ID, c.Version, signed)
	return c, tx.SendBatch(ctx, b).Close()
}

func retracter(ctx context.Context, tx *function.Tx, cmd message.Retracter) (message.Contrat, error) {
	c, err := verrouiller(ctx, tx, cmd.ContratID)
	if err != nil {
		return c, err
	}
	commence, err := retracterContrat(&c, tx.Today())
	if err != nil {
		return c, err
	}
	b := &pgx.Batch{}
	enregistrer(tx, b, &c, "", "ANNULE", "Contrat annulé avant l'ouverture de l'eau.")
	if commence {
		tx.Emit(c.ID, c.Version, message.ContratAnnule{ContratID: c.ID})
	}
	return c, tx.SendBatch(ctx, b).Close()
}

func activer(ctx context.Context, tx *function.Tx, cmd message.Activer) (message.Contrat, error) {
	c, err := verrouiller(ctx, tx, cmd.ContratID)
	if err != nil {
		return c, err
	}
	pose, err := activerContrat(&c, cmd, tx.Today())
	if err != nil || pose == nil {
		return c, err
	}
	if err := poserLibre(ctx, tx, c.PDL.ID, *pose); err != nil {
		return c, err
	}
	b := &pgx.Batch{}
	b.Queue(insertPose, pose.ID, c.PDL.ID, pose.Compteur.ID, pose.Du, pose.IndexDebut)
	enregistrer(tx, b, &c, "", "ACTIF", fmt.Sprintf("Eau ouverte le %s, compteur %s à l'index %d.", pose.Du.Francais(), pose.Compteur.Serie, pose.IndexDebut))
	tx.Emit(c.ID, c.Version, active(c, *pose))
	return c, tx.SendBatch(ctx, b).Close()
}

func active(c message.Contrat, pose message.Pose) message.ContratActive {
	return message.ContratActive{ContratID: c.ID, Numero: c.Numero, Version: c.Version, Nature: c.Nature, ModePaiement: c.ModePaiement, Depuis: c.ActifDepuis,
		Abonne: c.Abonne, PDL: c.PDL, Pose: pose}
}

const updatePose = `update pose set au = $2, index_fin = $3 where id = $1`

func changerCompteur(ctx context.Context, tx *function.Tx, cmd message.ChangerCompteur) (message.Contrat, error) {
	c, err := verrouiller(ctx, tx, cmd.ContratID)
	if err != nil {
		return c, err
	}
	nouveau, err := trouverCompteur(ctx, tx, c.PDL.CodeINSEE, cmd.Compteur)
	if err != nil {
		return c, err
	}
	deposee, posee, err := changerPose(&c, cmd, nouveau, tx.Today())
	if err != nil {
		return c, err
	}
	if _, err := tx.Exec(ctx, updatePose, deposee.ID, deposee.Au, deposee.IndexFin); err != nil {
		return c, err
	}
	if err := poserLibre(ctx, tx, c.PDL.ID, posee); err != nil {
		return c, err
	}
	b := &pgx.Batch{}
	b.Queue(insertPose, posee.ID, c.PDL.ID, posee.Compteur.ID, posee.Du, posee.IndexDebut)
	enregistrer(tx, b, &c, "", "COMPTEUR_CHANGE", fmt.Sprintf("Compteur %s déposé à l'index %d, compteur %s posé à l'index %d, le %s.",
		deposee.Compteur.Serie, cmd.IndexDepose, posee.Compteur.Serie, cmd.IndexPose, cmd.Date.Francais()))
	tx.Emit(c.ID, c.Version, message.CompteurChange{ContratID: c.ID, Version: c.Version, PDLID: c.PDL.ID, Deposee: deposee, Posee: posee})
	return c, tx.SendBatch(ctx, b).Close()
}
