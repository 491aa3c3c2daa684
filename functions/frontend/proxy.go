package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"time"

	"aquaerp.fr/shared/message"
)

// newProxy passes requests on to the gateway. Answers go back as they come:
// httputil flushes each part of an event stream at once.
func newProxy(gateway string) (http.Handler, error) {
	target, err := url.Parse(gateway)
	if err != nil || target.Host == "" {
		return nil, fmt.Errorf("configuration: GATEWAY_URL: %q is not an address", gateway)
	}
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			// An ingress in front of this function knows the browser's address
			// and whether it came by https; this function adds its own hop.
			r.Out.Header["X-Forwarded-For"] = r.In.Header["X-Forwarded-For"]
			r.SetXForwarded()
			for _, name := range []string{"X-Forwarded-Proto", "X-Forwarded-Host"} {
				if v := r.In.Header.Get(name); v != "" {
					r.Out.Header.Set(name, v)
				}
			}
		},
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment, // the way to other functions on one machine
			DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			MaxIdleConnsPerHost: 64,
			IdleConnTimeout:     90 * time.Second,
		},
		ErrorHandler: away,
	}, nil
}

// away answers for a gateway that did not, in the API's own terms.
func away(w http.ResponseWriter, r *http.Request, _ error) {
	if r.Context().Err() != nil {
		return // nobody listens any more
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Retry-After", "1")
	w.WriteHeader(http.StatusServiceUnavailable)
	_ = json.NewEncoder(w).Encode(message.Problem{
		TypeURI: "https://aquaerp.fr/problemes/indisponible", Title: http.StatusText(http.StatusServiceUnavailable),
		Status: http.StatusServiceUnavailable, Code: "indisponible",
		Detail:   "Le service ne peut pas répondre maintenant ; réessayez dans un instant.",
		DetailEN: "The service cannot answer now; try again in a moment.",
	})
}
