package main

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"aquaerp.fr/shared/message"
)

// SessionOuverte is a session as the browser sees it: the refresh token is in
// a cookie that scripts cannot read.
type SessionOuverte struct {
	AccessToken string              `json:"access_token" doc:"JWT, sent as Authorization: Bearer; keep it in memory only"`
	ExpireA     time.Time           `json:"expire_a" doc:"Instant at which the access token ends"`
	Utilisateur message.Utilisateur `json:"utilisateur"`
}

const refreshCookie = "aquaerp_refresh"

// cookieAge outlives any session: what ends it is auth's word, not the cookie's.
const cookieAge = 30 * 24 * time.Hour

type (
	// Ouverture is the answer of the routes that open or renew a session.
	Ouverture struct {
		SetCookie http.Cookie `header:"Set-Cookie"`
		Body      SessionOuverte
	}
	// Fermeture is the answer of the route that ends one.
	Fermeture struct {
		SetCookie http.Cookie `header:"Set-Cookie"`
	}
	// Identifiants open a session.
	Identifiants struct{ Body message.Connecter }
	// Acceptation sets a first password.
	Acceptation struct{ Body message.AccepterInvitation }
	// ParCookie needs the refresh token.
	ParCookie struct {
		Refresh string `cookie:"aquaerp_refresh" doc:"Set by POST /v1/sessions"`
	}
)

// sessions are the public routes. None needs an Idempotency-Key: opening a
// session twice opens two, and a refresh token is its own key.
func (g *gateway) sessions() {
	public := func(r route) huma.Operation {
		op := r.operation()
		op.Security = []map[string][]string{}
		return op
	}
	huma.Register(g.api, public(route{"POST", "/v1/sessions", "ouvrirSession", "Log in", "sessions", 0}),
		func(ctx context.Context, in *Identifiants) (*Ouverture, error) {
			return opened(ctx)(ask(ctx, g, in.Body, ""))
		})
	huma.Register(g.api, public(route{"POST", "/v1/sessions/rafraichir", "rafraichirSession", "Exchange the refresh cookie for a new session", "sessions", 0}),
		func(ctx context.Context, in *ParCookie) (*Ouverture, error) {
			if in.Refresh == "" {
				return nil, refusal(http.StatusUnauthorized, "session_absente", "Connectez-vous d'abord.", "Log in first.")
			}
			return opened(ctx)(ask(ctx, g, message.Rafraichir{RefreshToken: in.Refresh}, ""))
		})
	huma.Register(g.api, public(route{"DELETE", "/v1/sessions", "fermerSession", "Log out", "sessions", 0}),
		func(ctx context.Context, in *ParCookie) (*Fermeture, error) {
			if in.Refresh != "" {
				if _, err := ask(ctx, g, message.Deconnecter{RefreshToken: in.Refresh}, ""); err != nil {
					return nil, err
				}
			}
			return &Fermeture{cookie(ctx, "", -1)}, nil
		})
	huma.Register(g.api, public(route{"POST", "/v1/invitations/acceptation", "accepterInvitation", "Set the password of an invited user and log in", "sessions", 0}),
		func(ctx context.Context, in *Acceptation) (*Ouverture, error) {
			return opened(ctx)(ask(ctx, g, in.Body, ""))
		})
}

// opened parts a session into body and cookie.
func opened(ctx context.Context) func(message.Session, error) (*Ouverture, error) {
	return func(s message.Session, err error) (*Ouverture, error) {
		if err != nil {
			return nil, err
		}
		return &Ouverture{
			SetCookie: cookie(ctx, s.RefreshToken, int(cookieAge.Seconds())),
			Body:      SessionOuverte{s.AccessToken, s.ExpireA, s.Utilisateur},
		}, nil
	}
}

// cookie is Secure whenever the browser came by https.
func cookie(ctx context.Context, value string, age int) http.Cookie {
	return http.Cookie{
		Name: refreshCookie, Value: value, Path: "/", MaxAge: age,
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: callerOf(ctx).https,
	}
}
