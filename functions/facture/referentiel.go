package main

import (
	"context"
	"encoding/json"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// contratActive keeps a contract and its meter. An older version than the one
// known is passed over.
func contratActive(ctx context.Context, tx *function.Tx, e message.ContratActive) error {
	adresse, err := json.Marshal(e.Abonne.Adresse)
	if err != nil {
		return err
	}
	if err := garderClient(ctx, tx, message.AbonneIdentifie{AbonneID: e.Abonne.ID, Version: e.Abonne.Version,
		SIREN: e.Abonne.SIREN, SIRET: e.Abonne.SIRET, NumeroTVA: e.Abonne.NumeroTVA}); err != nil {
		return err
	}
	tag, err := tx.Exec(ctx, `insert into contrat
		(id, numero, version, abonne_id, nom, email, adresse, pdl, lieu, logements, assainissement, habitation, mode_paiement, depuis, code_insee, profil, secteur, siren, siret, numero_tva)
		select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, siren, siret, numero_tva from client where abonne_id = $4
		on conflict (id) do update set
			(numero, version, nom, email, adresse, pdl, lieu, logements, assainissement, habitation, mode_paiement, code_insee, profil, secteur) =
			(excluded.numero, excluded.version, excluded.nom, excluded.email, excluded.adresse, excluded.pdl, excluded.lieu,
			 excluded.logements, excluded.assainissement, excluded.habitation, excluded.mode_paiement,
			 excluded.code_insee, excluded.profil, excluded.secteur)
		where contrat.version < excluded.version`,
		e.ContratID, e.Numero, e.Version, e.Abonne.ID, nomComplet(e.Abonne), e.Abonne.Email, adresse,
		e.PDL.Reference, uneLigne(e.PDL.Adresse), e.PDL.Logements, e.PDL.Assainissement, e.PDL.Habitation, e.ModePaiement, e.Depuis,
		e.PDL.CodeINSEE, e.Nature, e.PDL.Secteur)
	if err != nil || tag.RowsAffected() == 0 {
		return err
	}
	return keepPose(ctx, tx, e.ContratID, e.Pose)
}

// abonneIdentifie keeps the numbers of an organisation for its bills to come.
func abonneIdentifie(ctx context.Context, tx *function.Tx, e message.AbonneIdentifie) error {
	return garderClient(ctx, tx, e)
}

// garderClient keeps the numbers of an abonne, in whatever order they are
// heard of, and writes them on all contracts of theirs.
func garderClient(ctx context.Context, tx *function.Tx, e message.AbonneIdentifie) error {
	tag, err := tx.Exec(ctx, `insert into client as c (abonne_id, version, siren, siret, numero_tva) values ($1, $2, $3, $4, $5)
		on conflict (abonne_id) do update set (version, siren, siret, numero_tva) = (excluded.version, excluded.siren, excluded.siret, excluded.numero_tva)
		where c.version < excluded.version`, e.AbonneID, e.Version, e.SIREN, e.SIRET, e.NumeroTVA)
	if err == nil && tag.RowsAffected() > 0 {
		_, err = tx.Exec(ctx, "update contrat set (siren, siret, numero_tva) = ($2, $3, $4) where abonne_id = $1", e.AbonneID, e.SIREN, e.SIRET, e.NumeroTVA)
	}
	return err
}

// compteurChange closes a pose and opens the next.
func compteurChange(ctx context.Context, tx *function.Tx, e message.CompteurChange) error {
	var version int64
	switch err := tx.QueryRow(ctx, "select version from contrat where id = $1 for update", e.ContratID).Scan(&version); {
	case err == pgx.ErrNoRows:
		return function.NotYet("contrat_inconnu", "Le contrat n'est pas encore connu.", "The contract is not known yet.")
	case err != nil:
		return err
	case version >= e.Version:
		return nil
	}
	if _, err := tx.Exec(ctx, "update contrat set version = $2 where id = $1", e.ContratID, e.Version); err != nil {
		return err
	}
	if err := keepPose(ctx, tx, e.ContratID, e.Deposee); err != nil {
		return err
	}
	return keepPose(ctx, tx, e.ContratID, e.Posee)
}

func keepPose(ctx context.Context, tx *function.Tx, contratID string, p message.Pose) error {
	_, err := tx.Exec(ctx, `insert into pose (id, contrat_id, serie, roues, litres_par_unite, du, au, index_debut, index_fin)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		on conflict (id) do update set au = excluded.au, index_fin = excluded.index_fin`,
		p.ID, contratID, p.Compteur.Serie, p.Compteur.Roues, p.Compteur.LitresParUnite, p.Du, p.Au, p.IndexDebut, p.IndexFin)
	return err
}

// relevesValides keeps readings that may be billed, and takes estimates that
// they reverse out of the account.
func relevesValides(ctx context.Context, tx *function.Tx, e message.RelevesValides) error {
	b := &pgx.Batch{}
	for _, r := range e.Releves {
		b.Queue(`insert into releve (id, contrat_id, pose_id, date, index, estimee, source) values ($1, $2, $3, $4, $5, $6, $7) on conflict (id) do nothing`,
			r.ReleveID, r.ContratID, r.PoseID, r.Date, r.Index, r.Estimee, r.Source)
		if r.Remplace != "" {
			b.Queue("insert into remplacement (releve_id) values ($1) on conflict do nothing", r.Remplace)
		}
	}
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return err
	}
	return detecterFuites(ctx, tx, e.Releves)
}

func nomComplet(a message.Abonne) string {
	if a.Prenom == "" {
		return a.Nom
	}
	return a.Prenom + " " + a.Nom
}

func uneLigne(a message.Adresse) string {
	return a.Voie + ", " + a.CodePostal + " " + a.Commune
}
