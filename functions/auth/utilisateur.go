package main

import (
	"context"
	"encoding/base64"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// userColumns are read by scanUser, of utilisateur u.
const userColumns = `u.id, u.identifiant, u.nom, u.role, coalesce(u.abonne_id::text, ''), u.etat,
	(select coalesce(jsonb_object_agg(d.page, d.actions), '{}') from droit d where d.role = u.role)`

func scanUser(row pgx.Row, more ...any) (u message.Utilisateur, err error) {
	err = row.Scan(append([]any{&u.ID, &u.Identifiant, &u.Nom, &u.Role, &u.AbonneID, &u.Etat, &u.Droits}, more...)...)
	return u, err
}

// parIdentifiant reads a user and the hash of the password; an unknown one is
// the zero Utilisateur, because a login goes on as if there were one.
func parIdentifiant(ctx context.Context, db function.DB, identifiant string) (message.Utilisateur, string, error) {
	var stored string
	u, err := scanUser(db.QueryRow(ctx, "select "+userColumns+", coalesce(u.mot_de_passe, '') from utilisateur u where u.identifiant = $1", identifiant), &stored)
	if errors.Is(err, pgx.ErrNoRows) {
		return message.Utilisateur{}, "", nil
	}
	return u, stored, err
}

func parID(ctx context.Context, db function.DB, id string) (message.Utilisateur, error) {
	u, err := scanUser(db.QueryRow(ctx, "select "+userColumns+" from utilisateur u where u.id = $1", id))
	if errors.Is(err, pgx.ErrNoRows) {
		return u, function.NotFound("utilisateur_inconnu", "Cet utilisateur n'existe pas.", "There is no such user.")
	}
	return u, err
}

// moi reads the user of the token, as of now rather than of the token.
func (a *auth) moi(ctx context.Context, tx *function.Tx, _ message.Moi) (message.Utilisateur, error) {
	u, err := parID(ctx, tx, tx.Identity().ID)
	if err == nil && u.Etat != "ACTIF" {
		return message.Utilisateur{}, errLocked
	}
	return u, err
}

// lister lists users by name. Who only plans field work sees the technicians.
func (a *auth) lister(ctx context.Context, tx *function.Tx, q message.Utilisateurs) (page message.PageUtilisateurs, err error) {
	if !tx.Identity().Can("utilisateurs", "lire") {
		if q.Role != "" && q.Role != "technicien" {
			return page, function.Forbidden("droit_manquant", "Votre rôle ne montre que les techniciens.", "Your role shows technicians only.")
		}
		q.Role = "technicien"
	}
	nom, id, err := parseCursor(q.Curseur)
	if err != nil {
		return page, err
	}
	rows, err := tx.Query(ctx, "select "+userColumns+` from utilisateur u
		where ($1 = '' or u.role = $1) and ($2 = '' or (lower(u.nom), u.id) > ($2, nullif($3, '')::uuid))
		order by lower(u.nom), u.id limit $4`, q.Role, nom, id, q.Size()+1)
	if err != nil {
		return page, err
	}
	page.Items, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (message.Utilisateur, error) { return scanUser(row) })
	if len(page.Items) > q.Size() {
		page.Items = page.Items[:q.Size()]
		last := page.Items[q.Size()-1]
		page.Suivant = cursor(strings.ToLower(last.Nom), last.ID)
	}
	return page, err
}

func cursor(nom, id string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(id + nom))
}

func parseCursor(s string) (nom, id string, err error) {
	if s == "" {
		return "", "", nil
	}
	const uuid = 36
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(raw) <= uuid {
		return "", "", function.Invalid("curseur", "curseur_invalide", "Ce curseur ne vient pas d'une réponse précédente.", "This cursor is not from an answer before.")
	}
	return string(raw[uuid:]), string(raw[:uuid]), nil
}

// creer makes a user who can log in at once. Nobody can give rights that they
// do not have; the portal is everybody's to give.
func (a *auth) creer(ctx context.Context, tx *function.Tx, c message.CreerUtilisateur) (message.Utilisateur, error) {
	rights, err := rightsOf(ctx, tx, c.Role)
	if err != nil {
		return message.Utilisateur{}, err
	}
	for page, actions := range rights {
		beyond := strings.Trim(actions, tx.Identity().Droits[page]) // empty when every letter is the caller's too
		if page != "portail" && beyond != "" {
			return message.Utilisateur{}, function.Forbidden("role_superieur",
				"Vous ne pouvez pas donner un rôle qui a plus de droits que le vôtre.", "You cannot give a role with more rights than yours.")
		}
	}
	if (c.Role == "abonne") != (c.AbonneID != "") {
		return message.Utilisateur{}, function.Invalid("abonne_id", "abonne_id_incoherent",
			"Seul le rôle abonne est lié à un abonné.", "Only role abonne is bound to a subscriber.")
	}
	hash, err := a.hashing.hash(ctx, c.MotDePasse)
	if err != nil {
		return message.Utilisateur{}, err
	}
	u := message.Utilisateur{
		ID: function.NewID(), Identifiant: normal(c.Identifiant), Nom: c.Nom, Role: c.Role, AbonneID: c.AbonneID, Etat: "ACTIF", Droits: rights,
	}
	added, err := insertUser(ctx, tx, u, hash)
	if err != nil {
		return message.Utilisateur{}, err
	}
	if !added {
		return message.Utilisateur{}, errTaken
	}
	return u, note(ctx, tx, "UTILISATEUR_CREE", tx.Identity().ID, u.ID)
}

var errTaken = function.Conflict("identifiant_pris", "Cette adresse électronique a déjà un compte.", "This e-mail address has an account already.")

// rightsOf is the matrix of a role.
func rightsOf(ctx context.Context, db function.DB, role string) (rights map[string]string, err error) {
	err = db.QueryRow(ctx, `select (select coalesce(jsonb_object_agg(d.page, d.actions), '{}') from droit d where d.role = r.code)
		from role r where r.code = $1`, role).Scan(&rights)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, function.Invalid("role", "role_inconnu", "Ce rôle n'existe pas.", "There is no such role.")
	}
	return rights, err
}

// insertUser adds a user; added is false when the e-mail address is taken.
func insertUser(ctx context.Context, db function.DB, u message.Utilisateur, hash string) (added bool, err error) {
	tag, err := db.Exec(ctx, `insert into utilisateur (id, identifiant, nom, role, abonne_id, etat, mot_de_passe)
		values ($1, $2, $3, $4, nullif($5, '')::uuid, $6, nullif($7, '')) on conflict (identifiant) do nothing`,
		u.ID, u.Identifiant, u.Nom, u.Role, u.AbonneID, u.Etat, hash)
	return tag.RowsAffected() == 1, err
}
