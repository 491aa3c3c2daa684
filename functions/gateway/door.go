package main

import (
	"context"
	"crypto/rand"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

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
	return traced(guarded(g.identified(g.mux)))
}

// traced gives a request the trace of its caller, or a new one, so that its
// refusals can be quoted and its messages joined.
func traced(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		if !trace.SpanContextFromContext(ctx).IsValid() {
			var ids [24]byte
			_, _ = rand.Read(ids[:])
			ctx = trace.ContextWithSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
				TraceID: trace.TraceID(ids[:16]), SpanID: trace.SpanID(ids[16:]), TraceFlags: trace.FlagsSampled,
			}))
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

func traceID(ctx context.Context) string {
	if s := trace.SpanContextFromContext(ctx); s.HasTraceID() {
		return s.TraceID().String()
	}
	return ""
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
		bearer, sent := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if sent {
			identity, err := g.rt.VerifyToken(bearer)
			if err != nil {
				if !g.addresses.allow(address(r)) {
					write(w, r, tooMany)
					return
				}
				w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
				function.WriteProblem(r.Context(), w, err)
				return
			}
			c.token, c.identity = bearer, identity
		}
		switch {
		case sent && !g.users.allow(c.identity.ID), !sent && !g.addresses.allow(address(r)):
			write(w, r, tooMany)
			return
		case !sent && !public(r):
			w.Header().Set("WWW-Authenticate", "Bearer")
			write(w, r, refusal(http.StatusUnauthorized, "jeton_manquant", "Connectez-vous d'abord.", "Log in first."))
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, c)))
	})
}

var tooMany = refusal(http.StatusTooManyRequests, "trop_de_requetes",
	"Trop de requêtes ; attendez une seconde.", "Too many requests; wait a second.")

// public tells the paths that need no token: all but the API itself, and the
// routes that open a session.
func public(r *http.Request) bool {
	p := r.URL.Path
	return !strings.HasPrefix(p, "/v1/") || p == "/v1/sessions" || p == "/v1/sessions/rafraichir" || p == "/v1/invitations/acceptation"
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
