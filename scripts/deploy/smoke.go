package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"aquaerp.fr/scripts/cluster"
)

// settling is how long the public hosts may take to answer as they should: an
// ingress hears of a route later than Knative calls it ready, a certificate is
// loaded by the proxy after it was issued, auth may have to wake.
const settling = time.Minute

// smoke tries the product as its users reach it.
func (d *deployment) smoke(ctx context.Context) error {
	public, err := cluster.Public()
	if err != nil {
		return err
	}
	defer public.CloseIdleConnections()
	for _, try := range []struct {
		what, proves string
		do           func() (*http.Request, error)
		status       int
		contentType  string
	}{
		{"GET " + cluster.App() + "/health", "the frontend, its route and its certificate",
			func() (*http.Request, error) { return http.NewRequest(http.MethodGet, cluster.App()+"/health", nil) }, http.StatusOK, ""},
		{"GET " + cluster.API() + "/health", "the gateway",
			func() (*http.Request, error) { return http.NewRequest(http.MethodGet, cluster.API()+"/health", nil) }, http.StatusOK, ""},
		{"a wrong login", "gateway, auth and PostgreSQL", wrongLogin, http.StatusUnauthorized, "application/problem+json"},
	} {
		limited, cancel := context.WithTimeout(ctx, settling)
		err := try1(limited, public, try.do, try.status, try.contentType)
		cancel()
		if err != nil {
			return fmt.Errorf("%s: %w", try.what, err)
		}
		d.say("%s answers %d: %s", try.what, try.status, try.proves)
	}
	return nil
}

// wrongLogin asks for a session of a user who does not exist: another one
// each time, because auth slows down an account that fails in a row.
func wrongLogin() (*http.Request, error) {
	r, err := http.NewRequest(http.MethodPost, cluster.API()+"/v1/sessions",
		strings.NewReader(`{"identifiant":"deploy-`+uuid.NewString()+`@aquaerp.example","mot_de_passe":"`+uuid.NewString()+`"}`))
	if err == nil {
		r.Header.Set("Content-Type", "application/json")
	}
	return r, err
}

// try1 sends a request until it is answered as it should, or ctx ends.
func try1(ctx context.Context, client *http.Client, request func() (*http.Request, error), status int, contentType string) error {
	for {
		err := once(ctx, client, request, status, contentType)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Second):
		}
	}
}

func once(ctx context.Context, client *http.Client, request func() (*http.Request, error), status int, contentType string) error {
	r, err := request()
	if err != nil {
		return err
	}
	res, err := client.Do(r.WithContext(ctx))
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(res.Body, 300)) // to be shown
	if res.StatusCode != status || !strings.HasPrefix(res.Header.Get("Content-Type"), contentType) {
		return errors.New(res.Status + ", " + res.Header.Get("Content-Type") + ": " + string(body))
	}
	return nil
}
