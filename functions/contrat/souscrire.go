package main

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

const insertAbonne = `insert into abonne (id, nature, nom, prenom, email, telephone, voie, complement, code_postal, commune, recherche, siren, siret, numero_tva)
	values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`

const insertPDL = `insert into pdl (id, reference, voie, complement, code_postal, commune, code_insee, secteur, logements, habitation, residence_principale, assainissement, recherche)
	values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`

const insertContrat = `insert into contrat (id, numero, nature, etat, version, abonne_id, pdl_id, compteur_prevu, debut_souhaite, execution_immediate, mode_paiement)
	values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`

// souscrire opens a contract A_SIGNER.
func souscrire(ctx context.Context, tx *function.Tx, cmd message.Souscrire) (c message.Contrat, err error) {
	if err := verifierDebut(cmd.DebutSouhaite, tx.Today()); err != nil {
		return c, err
	}
	abonne, err := abonneDe(ctx, tx, cmd)
	if err != nil {
		return c, err
	}
	pdl, err := pdlDe(ctx, tx, cmd)
	if err != nil {
		return c, err
	}
	compteur, err := trouverCompteur(ctx, tx, pdl.CodeINSEE, cmd.Compteur)
	if err != nil {
		return c, err
	}
	serie := serieContrat(cmd.Nature, pdl.CodeINSEE, tx.Today())
	n, err := reserver(ctx, tx, serie, 1)
	if err != nil {
		return c, err
	}
	c = message.Contrat{
		ID: function.NewID(), Numero: numeroContrat(serie, n), Nature: cmd.Nature, Etat: aSigner, Version: 1,
		DebutSouhaite: cmd.DebutSouhaite, ExecutionImmediate: cmd.ExecutionImmediate, ModePaiement: cmd.ModePaiement,
		Abonne: abonne, PDL: pdl, Poses: []message.Pose{}, CompteurPrevu: &compteur,
	}
	b := &pgx.Batch{}
	b.Queue(insertContrat, c.ID, c.Numero, c.Nature, c.Etat, c.Version, abonne.ID, pdl.ID, compteur.ID, c.DebutSouhaite, c.ExecutionImmediate, c.ModePaiement)
	noter(tx, b, c.ID, "SOUSCRIT", "Contrat "+c.Numero+" préparé pour "+nomComplet(abonne)+", "+pdl.Adresse.Voie+".")
	return c, tx.SendBatch(ctx, b).Close()
}

// abonneDe reads the abonne of a subscription, or makes it.
func abonneDe(ctx context.Context, tx *function.Tx, cmd message.Souscrire) (a message.Abonne, err error) {
	if cmd.AbonneID != "" {
		err := tx.QueryRow(ctx, `select `+colonnesAbonne+` from abonne a where a.id = $1`, cmd.AbonneID).Scan(champsAbonne(&a)...)
		if errors.Is(err, pgx.ErrNoRows) {
			return a, function.Invalid("abonne_id", "abonne_inconnu", "Cet abonné n'existe pas.", "There is no such abonne.")
		}
		return a, err
	}
	n := cmd.Abonne
	a = message.Abonne{ID: function.NewID(), Nature: n.Nature, Nom: strings.TrimSpace(n.Nom), Prenom: strings.TrimSpace(n.Prenom),
		Email: n.Email, Telephone: strings.TrimSpace(n.Telephone), Adresse: n.Adresse}
	if a.Nom == "" {
		return a, vide("abonne.nom")
	}
	numeros, err := identite{n.SIREN, n.SIRET, n.NumeroTVA}.verifier("abonne.", n.Nature)
	if err != nil {
		return a, err
	}
	a.SIREN, a.SIRET, a.NumeroTVA = numeros.siren, numeros.siret, numeros.tva
	_, err = tx.Exec(ctx, insertAbonne, a.ID, a.Nature, a.Nom, a.Prenom, a.Email, a.Telephone,
		a.Adresse.Voie, a.Adresse.Complement, a.Adresse.CodePostal, a.Adresse.Commune, rechercheAbonne(a), a.SIREN, a.SIRET, a.NumeroTVA)
	return a, err
}

// pdlDe reads the PDL of a subscription, or makes it; it has no living contract.
func pdlDe(ctx context.Context, tx *function.Tx, cmd message.Souscrire) (p message.PDL, err error) {
	if cmd.PDLID != "" {
		err := tx.QueryRow(ctx, `select `+colonnesPDL+` from pdl p where p.id = $1 for update`, cmd.PDLID).Scan(champsPDL(&p)...)
		if errors.Is(err, pgx.ErrNoRows) {
			return p, function.Invalid("pdl_id", "pdl_inconnu", "Ce point de service n'existe pas.", "There is no such point.")
		}
		if err != nil {
			return p, err
		}
		return p, sansContrat(ctx, tx, p.ID)
	}
	n := cmd.PDL
	p = message.PDL{ID: function.NewID(), Reference: strings.TrimSpace(n.Reference), Adresse: n.Adresse, CodeINSEE: n.CodeINSEE, Secteur: n.Secteur,
		Logements: n.Logements, Habitation: n.Habitation, ResidencePrincipale: n.ResidencePrincipale, Assainissement: n.Assainissement}
	switch {
	case p.Reference == "":
		return p, vide("pdl.reference")
	case !codeINSEE.MatchString(p.CodeINSEE):
		return p, function.Invalid("pdl.code_insee", "code_insee_invalide", "Un code INSEE a cinq caractères : 28162, 2A004.", "An INSEE code has five characters: 28162, 2A004.")
	}
	var pris bool
	if err := tx.QueryRow(ctx, `select exists (select from pdl where reference = $1)`, p.Reference).Scan(&pris); err != nil {
		return p, err
	}
	if pris {
		return p, function.Conflict("pdl_existant",
			"Le point "+p.Reference+" existe déjà : donnez son identifiant dans pdl_id.", "Point "+p.Reference+" exists: give its id in pdl_id.")
	}
	_, err = tx.Exec(ctx, insertPDL, p.ID, p.Reference, p.Adresse.Voie, p.Adresse.Complement, p.Adresse.CodePostal, p.Adresse.Commune,
		p.CodeINSEE, p.Secteur, p.Logements, p.Habitation, p.ResidencePrincipale, p.Assainissement, recherchePDL(p))
	return p, err
}

func sansContrat(ctx context.Context, tx *function.Tx, pdlID string) error {
	var numero string
	switch err := tx.QueryRow(ctx, `select numero from contrat where pdl_id = $1 and etat not in ('ANNULE', 'RESILIE')`, pdlID).Scan(&numero); {
	case errors.Is(err, pgx.ErrNoRows):
		return nil
	case err != nil:
		return err
	}
	return function.Conflict("pdl_sous_contrat", "Ce point est déjà sous le contrat "+numero+".", "This point is already under contract "+numero+".")
}

func rechercheAbonne(a message.Abonne) string { return replier(a.Nom, a.Prenom, a.Email, a.SIREN) }
func recherchePDL(p message.PDL) string {
	return replier(p.Reference, p.Adresse.Voie, p.Adresse.Commune)
}
