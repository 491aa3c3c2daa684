package cluster

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

// Domain is the part that the public hosts share.
func Domain() string { return cmp.Or(os.Getenv("AQUAERP_DOMAIN"), "aquaerp.localhost") }

// App and API are the two public addresses.
func App() string { return "https://app." + Domain() }
func API() string { return "https://api." + Domain() }

// Public is a client of the public hosts, from outside the cluster. It does
// not follow redirects.
func Public() (*http.Client, error) {
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if file := os.Getenv("AQUAERP_CA"); file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("AQUAERP_CA: %w", err)
		}
		if !roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("AQUAERP_CA: %s holds no certificate", file)
		}
	}
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	at := map[string]string{"443": os.Getenv("AQUAERP_HTTPS"), "80": os.Getenv("AQUAERP_HTTP")}
	return &http.Client{
		Timeout: 2 * time.Minute,
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				if _, port, err := net.SplitHostPort(address); err == nil {
					address = cmp.Or(at[port], address)
				}
				return dialer.DialContext(ctx, network, address)
			},
			TLSClientConfig:     &tls.Config{RootCAs: roots},
			ForceAttemptHTTP2:   true,
			MaxIdleConnsPerHost: 64,
			IdleConnTimeout:     30 * time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}
