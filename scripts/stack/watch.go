package stack

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"aquaerp.fr/scripts/settle"
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

// Pending counts what is under way now.
func (s *Stack) Pending(ctx context.Context) (p settle.Pending, err error) {
	functions, keys, err := settle.Deliveries()
	if err != nil {
		return p, fmt.Errorf("stack: %w", err)
	}
	conn, err := pgx.Connect(ctx, s.URL(""))
	if err != nil {
		return p, fmt.Errorf("stack: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := conn.QueryRow(ctx, settle.Query, functions, keys).Scan(&p.Unpublished, &p.Undelivered, &p.Parked, &p.Unsent); err != nil {
		return p, fmt.Errorf("stack: pending: %w", err)
	}
	return p, nil
}

// Settle returns once nothing is under way between the functions, or an error
// when nothing moves any more.
func (s *Stack) Settle(ctx context.Context) error {
	if err := settle.Wait(ctx, 100*time.Millisecond, s.Pending); err != nil {
		return fmt.Errorf("stack: %w", err)
	}
	return nil
}
