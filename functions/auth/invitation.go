package main

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// inviter opens an account on the portal for the abonne of a new contract.
// Nothing happens for a contract that was taken over, an abonne without e-mail
// or with an account, or an address that is somebody's already.
func (a *auth) inviter(ctx context.Context, tx *function.Tx, e message.ContratActive) error {
	if e.Reprise || e.Abonne.Email == "" {
		return nil
	}
	var known bool
	if err := tx.QueryRow(ctx, "select exists (select from utilisateur where abonne_id = $1)", e.Abonne.ID).Scan(&known); err != nil || known {
		return err
	}
	u := message.Utilisateur{
		ID: function.NewID(), Identifiant: normal(e.Abonne.Email), Nom: strings.TrimSpace(e.Abonne.Prenom + " " + e.Abonne.Nom),
		Role: "abonne", AbonneID: e.Abonne.ID, Etat: "INVITE",
	}
	added, err := insertUser(ctx, tx, u, "")
	if err != nil || !added {
		return err
	}
	token, end := newSecret(), tx.Now.Add(invitationLife)
	if _, err := tx.Exec(ctx, "insert into invitation (hash, utilisateur_id, cree_a, expire_a) values ($1, $2, $3, $4)",
		hashOf(token), u.ID, tx.Now, end); err != nil {
		return err
	}
	tx.Emit(u.ID, 0, message.InvitationEmise{
		UtilisateurID: u.ID, AbonneID: u.AbonneID, Nom: u.Nom, Email: u.Identifiant, ExpireA: end,
		// After the #, so that the token stays out of the logs of servers and proxies.
		Lien: strings.TrimSuffix(a.PortalURL, "/") + "/invitation#" + token,
	})
	return note(ctx, tx, "UTILISATEUR_INVITE", "", u.ID)
}

// accepter sets the password of an invited user and logs them in.
func (a *auth) accepter(ctx context.Context, tx *function.Tx, c message.AccepterInvitation) (message.Session, error) {
	var user string
	err := tx.QueryRow(ctx, `update invitation i set utilisee_a = $2 from utilisateur u
		where i.hash = $1 and i.utilisee_a is null and i.expire_a > $2 and u.id = i.utilisateur_id and u.etat = 'INVITE'
		returning u.id`, hashOf(c.Jeton), tx.Now).Scan(&user)
	if errors.Is(err, pgx.ErrNoRows) {
		return message.Session{}, function.Invalid("jeton", "invitation_invalide",
			"Cette invitation a déjà servi ou n'est plus valable.", "This invitation was used or is no longer valid.")
	}
	if err != nil {
		return message.Session{}, err
	}
	hash, err := a.hashing.hash(ctx, c.MotDePasse)
	if err != nil {
		return message.Session{}, err
	}
	if _, err := tx.Exec(ctx, "update utilisateur set etat = 'ACTIF', mot_de_passe = $2 where id = $1", user, hash); err != nil {
		return message.Session{}, err
	}
	if err := note(ctx, tx, "INVITATION_ACCEPTEE", user, user); err != nil {
		return message.Session{}, err
	}
	u, err := parID(ctx, tx, user)
	if err != nil {
		return message.Session{}, err
	}
	return a.open(ctx, tx, u)
}
