package main

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// contratActive keeps the contract and its meter, whose index is the first
// point of the curve. An old version is ignored.
func contratActive(ctx context.Context, tx *function.Tx, e message.ContratActive) error {
	nom := e.Abonne.Nom
	if e.Abonne.Prenom != "" {
		nom = e.Abonne.Prenom + " " + nom
	}
	adresse := e.PDL.Adresse.Voie + ", " + e.PDL.Adresse.CodePostal + " " + e.PDL.Adresse.Commune
	kept, err := tx.Exec(ctx, `
		insert into contrat (id, version, abonne_id, nom, pdl_id, pdl, adresse, logements) values ($1, $2, $3, $4, $5, $6, $7, $8)
		on conflict (id) do update set version = excluded.version, abonne_id = excluded.abonne_id, nom = excluded.nom,
			pdl_id = excluded.pdl_id, pdl = excluded.pdl, adresse = excluded.adresse, logements = excluded.logements
		where contrat.version < excluded.version`,
		e.ContratID, e.Version, e.Abonne.ID, nom, e.PDL.ID, e.PDL.Reference, adresse, e.PDL.Logements)
	if err != nil || kept.RowsAffected() == 0 {
		return err
	}
	return poser(ctx, tx, e.ContratID, e.Pose)
}

// poser keeps a meter in place and its first index.
func poser(ctx context.Context, tx *function.Tx, contratID string, p message.Pose) error {
	kept, err := tx.Exec(ctx, `
		insert into pose (id, contrat_id, compteur, calibre_mm, roues, litres_par_unite, du) values ($1, $2, $3, $4, $5, $6, $7)
		on conflict (id) do nothing`,
		p.ID, contratID, p.Compteur.Serie, p.Compteur.CalibreMM, p.Compteur.Roues, p.Compteur.LitresParUnite, p.Du)
	if err != nil || kept.RowsAffected() == 0 {
		return err
	}
	return ecrire(ctx, tx, []*nouveau{{
		verdict: verdict{point: point{ID: function.NewID(), Date: p.Du, Index: p.IndexDebut}, Etat: "VALIDEE"},
		pose:    &pose{ID: p.ID, ContratID: contratID}, source: "POSE",
	}})
}

// compteurChange closes the pose of one meter with its last index and opens
// that of the next.
func compteurChange(ctx context.Context, tx *function.Tx, e message.CompteurChange) error {
	neuf, err := clore(ctx, tx, e.ContratID, e.Version, e.Deposee)
	if err != nil || !neuf {
		return err
	}
	return poser(ctx, tx, e.ContratID, e.Posee)
}

// contratResilie closes the pose of the meter with the index of the day.
func contratResilie(ctx context.Context, tx *function.Tx, e message.ContratResilie) error {
	_, err := clore(ctx, tx, e.ContratID, e.Version, e.Pose)
	return err
}

// clore closes a pose of a contract with its last index, unless that is done.
// What comes before the event it follows from has to wait.
func clore(ctx context.Context, tx *function.Tx, contratID string, version int64, deposee message.Pose) (neuf bool, err error) {
	tooEarly := function.NotYet("contrat_pas_encore_connu", "Le contrat ou son compteur n'est pas encore connu.", "The contract or its meter is not known yet.")
	var connue int64
	var ref string
	err = tx.QueryRow(ctx, `select version, pdl from contrat where id = $1 for update`, contratID).Scan(&connue, &ref)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return false, tooEarly
	case err != nil || connue >= version:
		return false, err
	case deposee.IndexFin == nil || deposee.Au.IsZero():
		return false, function.Refused("depose_incomplete", "La dépose n'a pas d'index ou de date.", "The removal has no index or no date.")
	}
	dossiers, err := charger(ctx, tx, []string{ref})
	if err != nil {
		return false, err
	}
	d := dossiers[ref]
	p := d.pose(deposee.ID)
	if p == nil {
		return false, tooEarly
	}
	if err := fermer(ctx, tx, p, deposee.Au, *deposee.IndexFin); err != nil {
		return false, err
	}
	if _, err := tx.Exec(ctx, `update contrat set version = $2 where id = $1`, contratID, version); err != nil {
		return false, err
	}
	return true, nil
}

// fermer closes a pose. Facture hears of the closing index from contrat; it
// hears of the reading only when that reverses an estimate.
func fermer(ctx context.Context, tx *function.Tx, p *pose, au message.Date, index int64) error {
	if _, err := tx.Exec(ctx, `update pose set au = $2 where id = $1`, p.ID, au); err != nil {
		return err
	}
	if au == p.Du {
		return nil // in place for no day: nothing flowed
	}
	v, contredits := p.deposer(au, index)
	ids := make([]string, len(contredits))
	for i, c := range contredits {
		ids[i] = c.ID
	}
	if _, err := tx.Exec(ctx, `update releve set etat = 'REJETEE', decision = 'Postérieur à la dépose du compteur', decide_par = 'operation', decide_a = $2
		where id = any($1)`, ids, tx.Now); err != nil {
		return err
	}
	v.ID = function.NewID()
	n := []*nouveau{{verdict: v, pose: p, source: "DEPOSE"}}
	if err := ecrire(ctx, tx, n); err != nil {
		return err
	}
	if v.Remplace != "" {
		annoncer(tx, p.ContratID, "", n)
	}
	return nil
}
