package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"sigs.k8s.io/yaml"

	"aquaerp.fr/shared/message"
)

// Program is something that the runtime keeps running, as /kill knows it.
type Program struct {
	Kind string // service, deployment, source
	Name string
	PIDs []int // of its processes now
}

// Programs are all functions, Deployments and sources.
func (s *Stack) Programs(ctx context.Context) ([]Program, error) {
	type daemon struct {
		Name string
		PID  int
	}
	var status struct {
		Services []struct {
			Name      string
			Instances []struct{ PID int }
		}
		Deployments, Sources []daemon
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Admin+"/status", nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("stack: %w", err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&status); err != nil {
		return nil, fmt.Errorf("stack: status: %w", err)
	}
	var all []Program
	add := func(kind, name string, pids ...int) {
		p := Program{Kind: kind, Name: name}
		for _, pid := range pids {
			if pid != 0 { // a process that is being started has none yet
				p.PIDs = append(p.PIDs, pid)
			}
		}
		all = append(all, p)
	}
	for _, service := range status.Services {
		var pids []int
		for _, i := range service.Instances {
			pids = append(pids, i.PID)
		}
		add("service", service.Name, pids...)
	}
	for _, d := range status.Deployments {
		add("deployment", d.Name, d.PID)
	}
	for _, d := range status.Sources {
		add("source", strings.TrimPrefix(d.Name, "source-"), d.PID)
	}
	return all, nil
}

// Kill ends a process of a program with SIGKILL; it reports whether one ran.
func (s *Stack) Kill(ctx context.Context, p Program) (bool, error) {
	form := url.Values{p.Kind: {p.Name}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Admin+"/kill?"+form.Encode(), nil)
	if err != nil {
		return false, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false, fmt.Errorf("stack: %w", err)
	}
	defer res.Body.Close()
	switch res.StatusCode {
	case http.StatusOK:
		return true, nil
	case http.StatusConflict: // it sleeps
		return false, nil
	}
	return false, fmt.Errorf("stack: kill %s %s: %s", p.Kind, p.Name, res.Status)
}

// Tick does what a PingSource does, without waiting for its minute: it tells a
// function to look for work that is due.
func (s *Stack) Tick(ctx context.Context, function string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost,
		"http://"+message.Service(function)+".aquaerp.svc.cluster.local/", strings.NewReader("{}"))
	if err != nil {
		return err
	}
	for name, value := range map[string]string{
		"Content-Type": "application/json", "Ce-Specversion": "1.0", "Ce-Id": uuid.NewString(), "Ce-Source": "/scripts/stack", "Ce-Type": message.Tick{}.Type(),
	} {
		req.Header.Set(name, value)
	}
	proxy, err := url.Parse(s.activator)
	if err != nil {
		return err
	}
	client := http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(proxy), DisableKeepAlives: true}}
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("stack: %w", err)
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		return fmt.Errorf("stack: tick of %s: %s", function, res.Status)
	}
	return nil
}

// Pending is what is still under way between the functions.
type Pending struct {
	Unpublished int // events in the outbox
	Undelivered int // published, and not taken yet by a function that listens
	Parked      int // dead letters that wait
	Unsent      int // mails not sent; a letter waits for the next print
}

// Settled tells that nothing is under way.
func (p Pending) Settled() bool { return p == Pending{} }

// deliveries are the pairs of function and routing key under which the inbox
// must hold every event. What mailer sends by itself claims no place there.
func (s *Stack) deliveries() (functions, keys []string, err error) {
	content, err := os.ReadFile(filepath.Join(s.root, "eventing/topology/topology.yaml"))
	if err != nil {
		return nil, nil, fmt.Errorf("stack: %w", err)
	}
	var topology resource
	if err := yaml.Unmarshal(content, &topology); err != nil {
		return nil, nil, fmt.Errorf("stack: topology: %w", err)
	}
	for function, bound := range topology.Config {
		for key := range strings.FieldsSeq(bound) {
			if key != "fr.aquaerp.mailer.envoi-pret.v1" {
				functions, keys = append(functions, function), append(keys, key)
			}
		}
	}
	return functions, keys, nil
}

// Pending counts what is under way now.
func (s *Stack) Pending(ctx context.Context) (p Pending, err error) {
	functions, keys, err := s.deliveries()
	if err != nil {
		return p, err
	}
	conn, err := pgx.Connect(ctx, s.URL(""))
	if err != nil {
		return p, fmt.Errorf("stack: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	err = conn.QueryRow(ctx, `
		with bound as (select * from unnest($1::text[], $2::text[]) as b (consumer, key))
		select (select count(*) from eventing.outbox where published_at is null),
		       (select count(*) from eventing.outbox o join bound b on b.key = o.routing_key
		        where o.published_at is not null and not exists (
		          select from eventing.inbox i
		          where i.consumer = b.consumer and i.source = o.event->>'source' and i.id = o.id::text)),
		       (select count(*) from eventing.parking_lot where state = 'ATTENTE'),
		       (select count(*) from mailer.envoi where etat = 'ATTENTE_PIECE' or canal = 'EMAIL' and etat in ('QUEUED', 'SENDING'))`,
		functions, keys).Scan(&p.Unpublished, &p.Undelivered, &p.Parked, &p.Unsent)
	if err != nil {
		return p, fmt.Errorf("stack: pending: %w", err)
	}
	return p, nil
}

var errStuck = errors.New("somebody has to look")

// stuck is how long nothing may move before waiting for it makes no sense:
// longer than dead letters and ticks take before they try again.
const stuck = 7 * time.Minute

// Settle returns once nothing is under way between the functions, or an error
// when nothing moves any more.
func (s *Stack) Settle(ctx context.Context) error {
	var last Pending
	var faults error
	for moved := time.Now(); ; {
		p, err := s.Pending(ctx)
		switch {
		case err == nil && p.Settled():
			return nil
		case err == nil && p != last:
			moved, last = time.Now(), p
		case err != nil:
			faults = err
		}
		if time.Since(moved) > stuck {
			return fmt.Errorf("stack: nothing moves: %+v: %w", last, errors.Join(errStuck, faults))
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("stack: not settled: %+v: %w", last, errors.Join(ctx.Err(), faults))
		case <-time.After(100 * time.Millisecond):
		}
	}
}
