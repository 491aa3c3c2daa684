package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// connecter opens a session for who knows the password. What a failure leaves
// behind is kept although the answer is a refusal.
func (a *auth) connecter(ctx context.Context, tx *function.Tx, c message.Connecter) (message.Session, error) {
	account := normal(c.Identifiant)
	if err := slowed(ctx, tx, account); err != nil {
		return message.Session{}, err
	}
	u, stored, err := parIdentifiant(ctx, tx, account)
	if err != nil {
		return message.Session{}, err
	}
	right, err := a.hashing.verify(ctx, stored, c.MotDePasse)
	if err != nil {
		return message.Session{}, err
	}
	if !right {
		if err := failed(ctx, tx, account); err != nil {
			return message.Session{}, err
		}
		if err := note(ctx, tx, "CONNEXION_REFUSEE", "", u.ID); err != nil {
			return message.Session{}, err
		}
		return message.Session{}, function.Keep(function.Unauthorized("identifiants_refuses",
			"Adresse électronique ou mot de passe incorrect.", "Wrong e-mail address or password."))
	}
	if u.Etat == "VERROUILLE" {
		return message.Session{}, errLocked
	}
	if outdated(stored) {
		if stored, err = a.hashing.hash(ctx, c.MotDePasse); err != nil {
			return message.Session{}, err
		}
		if _, err := tx.Exec(ctx, "update utilisateur set mot_de_passe = $2 where id = $1", u.ID, stored); err != nil {
			return message.Session{}, err
		}
	}
	if _, err := tx.Exec(ctx, "delete from tentative where compte = $1", hashOf(account)); err != nil {
		return message.Session{}, err
	}
	if err := note(ctx, tx, "CONNEXION", u.ID, u.ID); err != nil {
		return message.Session{}, err
	}
	return a.open(ctx, tx, u)
}

var errLocked = function.Forbidden("compte_verrouille",
	"Ce compte est verrouillé ; adressez-vous à un administrateur.", "This account is locked; ask an administrator.")

// normal is an e-mail address as accounts are compared.
func normal(identifiant string) string { return strings.ToLower(strings.TrimSpace(identifiant)) }

// note appends to the audit journal; an empty id is nobody.
func note(ctx context.Context, tx *function.Tx, action, acteur, cible string) error {
	_, err := tx.Exec(ctx, "insert into journal (instant, action, acteur, cible) values ($1, $2, nullif($3, '')::uuid, nullif($4, '')::uuid)",
		tx.Now, action, acteur, cible)
	return err
}

// Failures in a row are free up to freeFailures; each further one doubles the
// wait, up to maxWait. A day without failure forgives them.
const (
	freeFailures = 5
	maxWait      = 15 * time.Minute
	forgiven     = 24 * time.Hour
)

// pause is the wait after so many failures in a row.
func pause(failures int) time.Duration {
	if failures < freeFailures {
		return 0
	}
	return min(time.Second<<min(failures-freeFailures, 30), maxWait)
}

// slowed refuses an account that has to wait. Attempts that run at the same
// moment all pass; there are no more of them than the function serves at once.
func slowed(ctx context.Context, tx *function.Tx, account string) error {
	var until time.Time
	err := tx.QueryRow(ctx, "select bloque_jusqu from tentative where compte = $1", hashOf(account)).Scan(&until)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil
	case err != nil:
		return err
	case until.After(tx.Now):
		wait := int(until.Sub(tx.Now).Seconds()) + 1
		return function.TooMany("trop_de_tentatives",
			fmt.Sprintf("Trop d'essais ; recommencez dans %d s.", wait), fmt.Sprintf("Too many attempts; try again in %d s.", wait))
	}
	return nil
}

// failed counts a failure.
func failed(ctx context.Context, tx *function.Tx, account string) error {
	var failures int
	err := tx.QueryRow(ctx, `insert into tentative as t (compte, echecs, derniere_a, bloque_jusqu) values ($1, 1, $2, $2)
		on conflict (compte) do update set derniere_a = $2,
			echecs = case when t.derniere_a < $3 then 1 else t.echecs + 1 end
		returning echecs`, hashOf(account), tx.Now, tx.Now.Add(-forgiven)).Scan(&failures)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, "update tentative set bloque_jusqu = $2 where compte = $1", hashOf(account), tx.Now.Add(pause(failures)))
	return err
}

// open starts a session.
func (a *auth) open(ctx context.Context, tx *function.Tx, u message.Utilisateur) (message.Session, error) {
	id := function.NewID()
	if _, err := tx.Exec(ctx, "insert into session (id, utilisateur_id, cree_a, expire_a) values ($1, $2, $3, $4)",
		id, u.ID, tx.Now, tx.Now.Add(sessionLife)); err != nil {
		return message.Session{}, err
	}
	token := newSecret()
	if err := insertToken(ctx, tx, id, token); err != nil {
		return message.Session{}, err
	}
	return a.pair(u, id, token, tx.Now)
}

func insertToken(ctx context.Context, tx *function.Tx, session, token string) error {
	_, err := tx.Exec(ctx, "insert into jeton (hash, session_id, cree_a, expire_a) values ($1, $2, $3, $4)",
		hashOf(token), session, tx.Now, tx.Now.Add(refreshLife))
	return err
}

func (a *auth) pair(u message.Utilisateur, session, refresh string, now time.Time) (message.Session, error) {
	access, end, err := a.Key.access(u, session, now)
	return message.Session{AccessToken: access, ExpireA: end, RefreshToken: refresh, Utilisateur: u}, err
}

// rafraichir replaces a refresh token by its successor. One that was used
// before is either sent again because the reply was lost, and gets the same
// successor, or was stolen, and ends the session for both holders.
func (a *auth) rafraichir(ctx context.Context, tx *function.Tx, c message.Rafraichir) (message.Session, error) {
	var session, user string
	var tokenEnd, sessionEnd time.Time
	var used, revoked *time.Time
	// The session's row is locked, so the tokens of a family take turns; the token's too, so that who waited
	// reads it again: a row that is only joined is seen as it was before the wait.
	err := tx.QueryRow(ctx, `select s.id, s.utilisateur_id, j.expire_a, s.expire_a, j.utilise_a, s.revoquee_a
		from jeton j join session s on s.id = j.session_id where j.hash = $1 for update of s, j`, hashOf(c.RefreshToken)).
		Scan(&session, &user, &tokenEnd, &sessionEnd, &used, &revoked)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return message.Session{}, errOver
	case err != nil:
		return message.Session{}, err
	case revoked != nil, !tx.Now.Before(sessionEnd), used == nil && !tx.Now.Before(tokenEnd):
		return message.Session{}, errOver
	}
	u, err := parID(ctx, tx, user)
	if err != nil {
		return message.Session{}, err
	}
	if u.Etat != "ACTIF" {
		return message.Session{}, errLocked
	}
	next := a.Key.successor(c.RefreshToken)
	if used == nil {
		if _, err := tx.Exec(ctx, "update jeton set utilise_a = $2 where hash = $1", hashOf(c.RefreshToken), tx.Now); err != nil {
			return message.Session{}, err
		}
		if err := insertToken(ctx, tx, session, next); err != nil {
			return message.Session{}, err
		}
		return a.pair(u, session, next, tx.Now)
	}
	var unused bool
	err = tx.QueryRow(ctx, "select exists (select from jeton where hash = $1 and utilise_a is null)", hashOf(next)).Scan(&unused)
	if err != nil {
		return message.Session{}, err
	}
	if unused && tx.Now.Sub(*used) <= lostReply {
		return a.pair(u, session, next, tx.Now)
	}
	if err := revoke(ctx, tx, session, "REUTILISATION"); err != nil {
		return message.Session{}, err
	}
	if err := note(ctx, tx, "JETON_REUTILISE", "", user); err != nil {
		return message.Session{}, err
	}
	return message.Session{}, function.Keep(errOver)
}

var errOver = function.Unauthorized("session_terminee", "Votre session est terminée ; connectez-vous de nouveau.", "Your session is over; log in again.")

func revoke(ctx context.Context, tx *function.Tx, session, reason string) error {
	_, err := tx.Exec(ctx, "update session set revoquee_a = $2, motif = $3 where id = $1 and revoquee_a is null", session, tx.Now, reason)
	return err
}

// deconnecter ends the session of a refresh token.
func (a *auth) deconnecter(ctx context.Context, tx *function.Tx, c message.Deconnecter) (message.Fait, error) {
	var session, user string
	err := tx.QueryRow(ctx, `select s.id, s.utilisateur_id from jeton j join session s on s.id = j.session_id
		where j.hash = $1 and s.revoquee_a is null for update of s`, hashOf(c.RefreshToken)).Scan(&session, &user)
	if errors.Is(err, pgx.ErrNoRows) {
		return message.Fait{}, nil
	}
	if err != nil {
		return message.Fait{}, err
	}
	if err := revoke(ctx, tx, session, "DECONNEXION"); err != nil {
		return message.Fait{}, err
	}
	return message.Fait{}, note(ctx, tx, "DECONNEXION", user, user)
}
