package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"aquaerp.fr/scripts/client"
	"aquaerp.fr/scripts/cluster"
	"aquaerp.fr/scripts/commune/village"
	"aquaerp.fr/scripts/demo"
	"aquaerp.fr/scripts/mailbox/inbox"
	"aquaerp.fr/scripts/road"
	"aquaerp.fr/shared/message"
)

// administrator makes the first user, inside a pod of auth that a request woke.
func (t *test) administrator(ctx context.Context, out *output) (string, error) {
	pod, err := cluster.FirstAdministrator(ctx, demo.Email("administrateur"), demo.Password)
	return demo.Email("administrateur") + " by a command inside " + pod, err
}

// foyers of the village: enough for each of its troubles (see package
// village), and for a lot of two parts.
const foyers = 60

// road walks the road of the first issue through the public hosts.
func (t *test) road(ctx context.Context, out *output) (string, error) {
	public, err := cluster.Public()
	if err != nil {
		return "", err
	}
	address, stop, err := cluster.Forward(ctx, "service/mailbox", 8025)
	if err != nil {
		return "", err
	}
	defer stop()
	r := &road.Road{
		Demo: &demo.Demo{Village: village.Village{Seed: 1, N: foyers}, Settled: func(ctx context.Context) error {
			_, err := cluster.Settle(ctx, 2*time.Minute)
			return err
		}},
		Nobody: client.New(cluster.API(), time.Minute).Over(public),
		Mails: func(ctx context.Context, about string) ([]inbox.Mail, error) {
			return mails(ctx, "http://"+address+"/api/mails?q="+url.QueryEscape(about))
		},
		Today: message.DateOf(time.Now()),
	}
	wrong := &faults{output: out}
	r.Judge = wrong
	for _, step := range []struct {
		name string
		walk func(context.Context) error
	}{
		{"application", func(ctx context.Context) error { return application(ctx, public) }},
		{"people", func(ctx context.Context) error { return r.Open(ctx, r.Nobody) }},
		{"login", r.Login},
		{"souscription", r.Souscription},
		{"releves", r.Releves},
		{"lot", r.Facturation},
		{"paiements", r.Paiements},
		{"portail", r.Portails},
	} {
		if err := step.walk(ctx); err != nil {
			return "", fmt.Errorf("%s: %w", step.name, err)
		}
		out.says("%s: done", step.name)
	}
	if wrong.n > 0 {
		return "", fmt.Errorf("%d things were wrong, the first: %s", wrong.n, wrong.first)
	}
	return fmt.Sprintf("%s: %d households, %d bills of %d.%02d EUR, F2026-000001 to %06d without a gap, paid and in balance, %s and its redirect from http",
		cluster.API(), foyers, r.Lot.Calculees, r.Lot.TTCCentimes/100, r.Lot.TTCCentimes%100, r.Lot.Calculees, cluster.App()), nil
}

// faults counts what the road finds wrong.
type faults struct {
	*output
	n     int
	first string
}

func (f *faults) Errorf(format string, args ...any) {
	if f.n++; f.n == 1 {
		f.first = fmt.Sprintf(format, args...)
	}
	f.output.Errorf(format, args...)
}

func mails(ctx context.Context, url string) (all []inbox.Mail, err error) {
	body, _, err := get(ctx, http.DefaultClient, url, http.StatusOK)
	if err == nil {
		err = json.Unmarshal(body, &all)
	}
	return all, err
}

// application sees the web application over TLS, the API behind it, and plain
// http sent to https.
func application(ctx context.Context, public *http.Client) error {
	page, _, err := get(ctx, public, cluster.App()+"/", http.StatusOK)
	if err != nil {
		return err
	}
	if !strings.Contains(string(page), "<html") {
		return fmt.Errorf("%s is no page: %.200s", cluster.App(), page)
	}
	if _, _, err := get(ctx, public, cluster.App()+"/api/v1/moi", http.StatusUnauthorized); err != nil {
		return err
	}
	for _, https := range []string{cluster.App(), cluster.API()} {
		plain := strings.Replace(https, "https:", "http:", 1) + "/health"
		res, err := ask(ctx, public, plain)
		if err != nil {
			return err
		}
		res.Body.Close()
		if to := res.Header.Get("Location"); res.StatusCode/100 != 3 || !strings.HasPrefix(to, "https://") {
			return fmt.Errorf("%s answers %s, Location %q", plain, res.Status, to)
		}
	}
	return nil
}

func get(ctx context.Context, c *http.Client, url string, want int) ([]byte, http.Header, error) {
	res, err := ask(ctx, c, url)
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != want {
		err = errors.New(url + " answers " + res.Status + ": " + string(body[:min(200, len(body))]))
	}
	return body, res.Header, err
}

func ask(ctx context.Context, c *http.Client, url string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	return c.Do(req)
}
