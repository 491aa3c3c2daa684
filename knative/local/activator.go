package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"strings"
)

// activator is the network of the platform: it takes requests to any Service by host name, also as an HTTP proxy, so
// that http://contrat-service.aquaerp.svc.cluster.local means here what it means in a cluster.
type activator map[string]*service // by host

// hosts are the names that a Service answers to inside a cluster.
func hosts(name, namespace string) []string {
	return []string{name, name + "." + namespace, name + "." + namespace + ".svc", name + "." + namespace + ".svc.cluster.local"}
}

func (a activator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if s := a[strings.ToLower(host)]; s != nil && r.Method != http.MethodConnect {
		s.ServeHTTP(w, r)
		return
	}
	http.Error(w, fmt.Sprintf("no Service here is named %q", host), http.StatusNotFound)
}

// ServeHTTP serves one request within the Service's timeout, streams included, as Knative does.
//
// Its own answers are 503 with Retry-After when there is no process to be had, 504 when the time is over, and 502 when
// the process died over the request: the adapter repeats all three.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), s.timeout)
	defer cancel()
	s.proxy.ServeHTTP(w, r.WithContext(ctx))
}

func (s *service) newProxy() http.Handler {
	return &httputil.ReverseProxy{
		Transport:     s,
		FlushInterval: -1, // events of a stream leave when they come
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host = "http", r.In.Host // RoundTrip puts the process's address
			r.Out.Host = r.In.Host
			r.Out.Header["X-Forwarded-For"] = r.In.Header["X-Forwarded-For"]
			r.SetXForwarded()
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			status := http.StatusBadGateway
			var lost *unavailable
			switch {
			case errors.Is(err, context.DeadlineExceeded):
				status = http.StatusGatewayTimeout
			case errors.As(err, &lost):
				status = http.StatusServiceUnavailable
				w.Header().Set("Retry-After", "1")
			}
			if r.Context().Err() != context.Canceled { // a caller that went away is no news
				slog.Warn("a request failed", "service", s.name, "status", status, "err", err)
			}
			http.Error(w, s.name+": "+err.Error(), status)
		},
		ErrorLog: slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug),
	}
}
