package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"

	"aquaerp.fr/shared/function"
)

// caller is who sent a request.
type caller struct {
	token    string // as sent; empty for the public routes
	identity function.Identity
	https    bool
}

type callerKey struct{}

func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

// handler is the door: what every request passes before its route.
func (g *gateway) handler() http.Handler {
	g.docs()
	g.mux.HandleFunc("/", g.notFound)
	return g.rt.Measured(g.mux, g.recovered(guarded(g.identified(g.mux))))
}

// recovered answers 503 for a handler that panicked, and logs why.
func (g *gateway) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			switch v := recover(); v {
			case nil:
			case http.ErrAbortHandler:
				panic(v)
			default:
				g.rt.Log.ErrorContext(r.Context(), "panic", "path", r.URL.Path, "value", fmt.Sprint(v), "stack", string(debug.Stack()))
				write(w, r, unavailable)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// guarded sets the headers that keep a browser from doing with an answer what
// it is not meant for, and refuses requests that another site's page made:
// the cookie is SameSite=Strict already, this is the second lock.
func guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("Cache-Control", "no-store")
		h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
		if site := r.Header.Get("Sec-Fetch-Site"); site == "cross-site" && r.Method != http.MethodGet && r.Method != http.MethodHead {
			write(w, r, refusal(http.StatusForbidden, "autre_site", "Cette requête vient d'un autre site.", "This request comes from another site."))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// identified tells who calls, and slows them down: a user by name, the others
// by address. Without a valid token only the public paths are open.
func (g *gateway) identified(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := caller{https: r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https"}
		var invalid error
		known := false
		if token, sent := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); sent {
			if c.identity, invalid = g.rt.VerifyToken(token); invalid == nil {
				c.token, known = token, true
			}
		}
		from := address(r)
		switch {
		case known && !g.users.allow(c.identity.ID),
			!known && !g.addresses.allow(from),
			logsIn(r) && !g.logins.allow(from):
			write(w, r, tooMany)
		case invalid != nil && !public(r): // a session is renewed when the token has ended
			w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
			function.WriteProblem(r.Context(), w, invalid)
		case !known && !public(r):
			w.Header().Set("WWW-Authenticate", "Bearer")
			write(w, r, refusal(http.StatusUnauthorized, "jeton_manquant", "Connectez-vous d'abord.", "Log in first."))
		default:
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, c)))
		}
	})
}

var tooMany = refusal(http.StatusTooManyRequests, "trop_de_requetes",
	"Trop de requêtes ; attendez une seconde.", "Too many requests; wait a second.")

// public tells the paths that need no token: all but the API itself, the
// routes of sessions, and what the providers of payments and of text messages sign.
func public(r *http.Request) bool {
	return !strings.HasPrefix(r.URL.Path, "/v1/") || logsIn(r) || strings.HasPrefix(r.URL.Path, "/v1/sessions") || r.URL.Path == cheminNotifications || r.URL.Path == cheminSMS
}

// logsIn tells the requests that try a secret that a person chose or was sent.
func logsIn(r *http.Request) bool {
	return r.Method == http.MethodPost && (r.URL.Path == "/v1/sessions" || r.URL.Path == "/v1/invitations/acceptation")
}

// address is where a request comes from: the last address of X-Forwarded-For
// that is not private, because proxies append and the platform's own hops are
// private; a client cannot push an address of its own past it. On a laptop
// all callers are one.
func address(r *http.Request) string {
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		a, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err == nil && !a.IsPrivate() && !a.IsLoopback() && !a.IsLinkLocalUnicast() {
			if a.Is6() && !a.Is4In6() { // a subscriber has a whole /64
				p, _ := a.Prefix(64)
				return p.String()
			}
			return a.Unmap().String()
		}
	}
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	return host
}
