package main

import (
	"context"
	"errors"
	"strings"
	"unicode"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"golang.org/x/text/unicode/norm"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

const (
	colonnesAbonne   = `a.id, a.nature, a.nom, a.prenom, a.siren, a.siret, a.numero_tva, a.version, a.email, a.telephone, a.voie, a.complement, a.code_postal, a.commune`
	colonnesPDL      = `p.id, p.reference, p.voie, p.complement, p.code_postal, p.commune, p.code_insee, p.secteur, p.logements, p.habitation, p.residence_principale, p.assainissement`
	colonnesCompteur = `m.id, m.numero, m.serie, m.calibre_mm, m.roues, m.litres_par_unite, m.annee`
)

func champsAbonne(a *message.Abonne) []any {
	return append([]any{&a.ID, &a.Nature, &a.Nom, &a.Prenom, &a.SIREN, &a.SIRET, &a.NumeroTVA, &a.Version, &a.Email, &a.Telephone}, champsAdresse(&a.Adresse)...)
}

func champsAdresse(a *message.Adresse) []any {
	return []any{&a.Voie, &a.Complement, &a.CodePostal, &a.Commune}
}

func champsPDL(p *message.PDL) []any {
	f := append([]any{&p.ID, &p.Reference}, champsAdresse(&p.Adresse)...)
	return append(f, &p.CodeINSEE, &p.Secteur, &p.Logements, &p.Habitation, &p.ResidencePrincipale, &p.Assainissement)
}

func champsCompteur(c *message.Compteur) []any {
	return []any{&c.ID, &c.Numero, &c.Serie, &c.CalibreMM, &c.Roues, &c.LitresParUnite, &c.Annee}
}

// selectContrats ends where the conditions begin. A contract without meter
// foreseen reads the zero Compteur.
const selectContrats = `select c.id, c.numero, c.nature, c.etat, c.version, c.debut_souhaite, c.signe_le, c.retractation_jusqu_au,
	c.execution_immediate, c.actif_depuis, c.resilie_le, c.mode_paiement, ` + colonnesAbonne + `, ` + colonnesPDL + `,
	coalesce(m.id::text, ''), coalesce(m.numero, ''), coalesce(m.serie, ''), coalesce(m.calibre_mm, 0), coalesce(m.roues, 0),
	coalesce(m.litres_par_unite, 0), coalesce(m.annee, 0)
	from contrat c join abonne a on a.id = c.abonne_id join pdl p on p.id = c.pdl_id left join compteur m on m.id = c.compteur_prevu
	where `

func scanContrat(row pgx.CollectableRow) (c message.Contrat, err error) {
	var prevu message.Compteur
	f := []any{&c.ID, &c.Numero, &c.Nature, &c.Etat, &c.Version, &c.DebutSouhaite, &c.SigneLe, &c.RetractationJusquAu,
		&c.ExecutionImmediate, &c.ActifDepuis, &c.ResilieLe, &c.ModePaiement}
	f = append(append(append(f, champsAbonne(&c.Abonne)...), champsPDL(&c.PDL)...), champsCompteur(&prevu)...)
	if err := row.Scan(f...); err != nil {
		return c, err
	}
	if prevu.ID != "" {
		c.CompteurPrevu = &prevu
	}
	return c, nil
}

const selectPoses = `select o.pdl_id, o.id, ` + colonnesCompteur + `, o.du, o.au, o.index_debut, o.index_fin
	from pose o join compteur m on m.id = o.compteur_id
	where o.pdl_id = any($1) order by o.du`

// lireContrats reads the contracts that the rest of selectContrats finds,
// with their poses: those of the PDL while the contract is active.
func lireContrats(ctx context.Context, tx *function.Tx, where string, args ...any) ([]message.Contrat, error) {
	rows, err := tx.Query(ctx, selectContrats+where, args...)
	if err != nil {
		return nil, err
	}
	contrats, err := pgx.CollectRows(rows, scanContrat)
	if err != nil || len(contrats) == 0 {
		return []message.Contrat{}, err
	}
	pdls := make([]string, len(contrats))
	for i := range contrats {
		pdls[i] = contrats[i].PDL.ID
	}
	poses := map[string][]message.Pose{}
	rows, err = tx.Query(ctx, selectPoses, pdls)
	if err != nil {
		return nil, err
	}
	var pdl string
	var p message.Pose
	f := append(append([]any{&pdl, &p.ID}, champsCompteur(&p.Compteur)...), &p.Du, &p.Au, &p.IndexDebut, &p.IndexFin)
	if _, err := pgx.ForEachRow(rows, f, func() error {
		poses[pdl] = append(poses[pdl], p)
		return nil
	}); err != nil {
		return nil, err
	}
	for i := range contrats {
		c := &contrats[i]
		c.Poses = []message.Pose{}
		for _, p := range poses[c.PDL.ID] {
			if !c.ActifDepuis.IsZero() && (p.Au.IsZero() || p.Au.After(c.ActifDepuis)) && (c.ResilieLe.IsZero() || p.Du.Before(c.ResilieLe)) {
				c.Poses = append(c.Poses, p)
			}
		}
	}
	return contrats, nil
}

// lireContrat reads one contract that the caller may see.
func lireContrat(ctx context.Context, tx *function.Tx, where string, id string) (message.Contrat, error) {
	contrats, err := lireContrats(ctx, tx, where, id)
	if err != nil {
		return message.Contrat{}, err
	}
	if len(contrats) == 0 || !tx.Identity().Owns(contrats[0].Abonne.ID) {
		return message.Contrat{}, function.NotFound("contrat_inconnu", "Ce contrat n'existe pas.", "There is no such contract.")
	}
	return contrats[0], nil
}

// verrouiller reads one contract to change it.
func verrouiller(ctx context.Context, tx *function.Tx, id string) (message.Contrat, error) {
	return lireContrat(ctx, tx, "c.id = $1 for update of c", id)
}

const updateContrat = `update contrat set etat = $2, version = $3, signe_le = $4, retractation_jusqu_au = $5, actif_depuis = $6, compteur_prevu = $7,
	signataire = coalesce(nullif($8, ''), signataire), resilie_le = $9 where id = $1`

// enregistrer queues the changed contract and the line of its journal.
func enregistrer(tx *function.Tx, b *pgx.Batch, c *message.Contrat, signataire, code, texte string) {
	var prevu *string
	if c.CompteurPrevu != nil {
		prevu = &c.CompteurPrevu.ID
	}
	b.Queue(updateContrat, c.ID, c.Etat, c.Version, c.SigneLe, c.RetractationJusquAu, c.ActifDepuis, prevu, signataire, c.ResilieLe)
	noter(tx, b, c.ID, code, texte)
}

const insertJournal = `insert into journal (contrat_id, instant, code, texte, par_id, par) values ($1, $2, $3, $4, $5, $6)`

func noter(tx *function.Tx, b *pgx.Batch, contratID, code, texte string) {
	b.Queue(insertJournal, contratID, tx.Now, code, texte, tx.Identity().ID, auteur(tx.Identity()))
}

// auteur is the name that a journal shows.
func auteur(id function.Identity) string {
	if id.System {
		return "AquaERP"
	}
	return id.Nom
}

const insertPose = `insert into pose (id, pdl_id, compteur_id, du, index_debut) values ($1, $2, $3, $4, $5)`

const selectChevauchement = `select p.reference, m.serie from pose o join pdl p on p.id = o.pdl_id join compteur m on m.id = o.compteur_id
	where (o.pdl_id = $1 or o.compteur_id = $2) and daterange(o.du, o.au) && daterange($3, null) limit 1`

// poserLibre refuses a pose that would overlap another one of the PDL or of
// the meter; the exclusion constraints refuse it too, without saying why.
func poserLibre(ctx context.Context, tx *function.Tx, pdlID string, p message.Pose) error {
	var pdl, serie string
	switch err := tx.QueryRow(ctx, selectChevauchement, pdlID, p.Compteur.ID, p.Du).Scan(&pdl, &serie); {
	case errors.Is(err, pgx.ErrNoRows):
		return nil
	case err != nil:
		return err
	}
	return function.Conflict("pose_en_conflit",
		"Le compteur "+serie+" est en place au point "+pdl+" à cette date.", "Meter "+serie+" is in place at point "+pdl+" on that day.")
}

const selectCompteur = `select ` + colonnesCompteur + `,
	coalesce((select p.reference from pose o join pdl p on p.id = o.pdl_id where o.compteur_id = m.id and o.au is null), ''),
	coalesce((select c.numero from contrat c where c.compteur_prevu = m.id and c.etat <> 'ANNULE'), '')
	from compteur m where m.serie = $1 for update of m`

const insertCompteur = `insert into compteur (id, numero, serie, calibre_mm, roues, litres_par_unite, annee) values ($1, $2, $3, $4, $5, $6, $7)`

// trouverCompteur finds the meter with this serial number again, or makes it.
// It must be free: neither in place nor foreseen anywhere.
func trouverCompteur(ctx context.Context, tx *function.Tx, codeINSEE string, n message.NouveauCompteur) (message.Compteur, error) {
	if n.Annee > tx.Today().Year() {
		return message.Compteur{}, function.Invalid("compteur.annee", "annee_future", "L'année de fabrication est dans le futur.", "The year of manufacture is in the future.")
	}
	n.Serie = strings.TrimSpace(n.Serie)
	if n.Serie == "" {
		return message.Compteur{}, vide("compteur.serie")
	}
	var m message.Compteur
	var pose, prevu string
	err := tx.QueryRow(ctx, selectCompteur, n.Serie).Scan(append(champsCompteur(&m), &pose, &prevu)...)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		m = message.Compteur{ID: function.NewID(), Numero: numeroCompteur(codeINSEE, n), Serie: n.Serie,
			CalibreMM: n.CalibreMM, Roues: n.Roues, LitresParUnite: n.LitresParUnite, Annee: n.Annee}
		_, err = tx.Exec(ctx, insertCompteur, m.ID, m.Numero, m.Serie, m.CalibreMM, m.Roues, m.LitresParUnite, m.Annee)
		return m, err
	case err != nil:
		return m, err
	case m.CalibreMM != n.CalibreMM || m.Roues != n.Roues || m.LitresParUnite != n.LitresParUnite || m.Annee != n.Annee:
		return m, function.Invalid("compteur.serie", "compteur_different",
			"Un compteur de ce numéro de série est connu avec d'autres caractéristiques.", "A meter of this serial number is known with other characteristics.")
	case pose != "":
		return m, function.Conflict("compteur_pose_ailleurs", "Ce compteur est en place au point "+pose+".", "This meter is in place at point "+pose+".")
	case prevu != "":
		return m, function.Conflict("compteur_prevu_ailleurs", "Ce compteur est prévu au contrat "+prevu+".", "This meter is foreseen by contract "+prevu+".")
	}
	return m, nil
}

const reserverNumeros = `insert into serie as s (cle, n) values ($1, $2) on conflict (cle) do update set n = s.n + excluded.n returning n - $2 + 1`

// reserver takes the next k numbers of a series and returns the first. The
// series stays locked until the transaction ends, so that a rollback leaves no gap.
func reserver(ctx context.Context, tx *function.Tx, serie string, k int64) (first int64, err error) {
	err = tx.QueryRow(ctx, reserverNumeros, serie, k).Scan(&first)
	return first, err
}

// replier is the form of a text in which searches compare: lower case,
// without accents, words parted by one space.
func replier(textes ...string) string {
	s := ligatures.Replace(strings.ToLower(strings.Join(textes, " ")))
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFD.String(s))
	return strings.Join(strings.Fields(s), " ")
}

var ligatures = strings.NewReplacer("œ", "oe", "æ", "ae", "’", "'")

// curseur checks the cursor of a page: the id of the last row of the page
// before, or empty.
func curseur(p message.Page) (*string, error) {
	if p.Curseur == "" {
		return nil, nil
	}
	if err := new(pgtype.UUID).Scan(p.Curseur); err != nil {
		return nil, function.Invalid("curseur", "curseur_invalide", "Ce curseur ne vient pas d'une page précédente.", "This cursor does not come from a page before.")
	}
	return &p.Curseur, nil
}

func vide(champ string) error {
	return function.Invalid(champ, "requis", "Ce champ est obligatoire.", "This field is required.")
}
