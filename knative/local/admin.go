package main

import (
	_ "embed"
	"encoding/json"
	"html/template"
	"log/slog"
	"net/http"
	"slices"
	"time"
)

//go:embed admin.html
var page string

// status is what runs, as GET /status shows it. Durations are in milliseconds.
type status struct {
	Addresses   map[string]string `json:"addresses"`
	Services    []serviceStatus   `json:"services"`
	Sources     []sourceStatus    `json:"sources"`
	Deployments []daemonStatus    `json:"deployments"`
	Pings       []pingStatus      `json:"pings"`
}

type serviceStatus struct {
	Name        string           `json:"name"`
	Concurrency int              `json:"container_concurrency"`
	MaxScale    int              `json:"max_scale"`
	IdleSeconds float64          `json:"idle_seconds"`
	Requests    int64            `json:"requests"`
	Waiting     int              `json:"waiting"`
	Instances   []instanceStatus `json:"instances"`
	ColdStarts  coldStarts       `json:"cold_starts"`
	Crashes     int              `json:"crashes"`
	LastError   string           `json:"last_error,omitempty"`
}

// coldStarts counts all starts; the times are those of the latest hundred.
type coldStarts struct {
	Count  int     `json:"count"`
	Last   float64 `json:"last_ms"`
	Median float64 `json:"median_ms"`
	Max    float64 `json:"max_ms"`
}

type instanceStatus struct {
	PID      int    `json:"pid,omitempty"`
	State    string `json:"state"` // starting, ready
	InFlight int    `json:"in_flight"`
}

type daemonStatus struct {
	Name     string    `json:"name"`
	Address  string    `json:"address,omitempty"`
	PID      int       `json:"pid,omitempty"` // 0 while it waits to be started again
	Since    time.Time `json:"since"`
	Restarts int       `json:"restarts"`
	LastExit string    `json:"last_exit,omitempty"`
}

type sourceStatus struct {
	daemonStatus
	Sink  string `json:"sink"`
	Queue queue  `json:"queue"`
}

type pingStatus struct {
	Name       string    `json:"name"`
	Schedule   string    `json:"schedule"`
	Sink       string    `json:"sink"`
	Next       time.Time `json:"next"`
	Sent       int       `json:"sent"`
	LastStatus string    `json:"last_status,omitempty"`
}

// admin shows what runs, and ends processes when asked to: POST /kill?service=contrat-service (or deployment=, or
// source=) is a kill -9 of one of them.
func (p *platform) admin() http.Handler {
	html := template.Must(template.New("").Parse(page))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if err := html.Execute(w, p.status()); err != nil {
			slog.Warn("admin page", "err", err)
		}
	})
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, p.status()) })
	mux.HandleFunc("POST /kill", func(w http.ResponseWriter, r *http.Request) {
		pid, found := p.kill(r.FormValue("service"), r.FormValue("deployment"), r.FormValue("source"))
		switch {
		case !found:
			http.Error(w, "no such service, deployment or source", http.StatusNotFound)
		case pid == 0:
			http.Error(w, "no process of it runs", http.StatusConflict)
		default:
			answer(w, http.StatusOK, map[string]int{"killed": pid})
		}
	})
	// A page of some web site that the same browser shows must not kill anything.
	return http.NewCrossOriginProtection().Handler(mux)
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(body); err != nil {
		slog.Warn("admin answer", "err", err)
	}
}

func (p *platform) kill(service, deployment, source string) (pid int, found bool) {
	for _, s := range p.services {
		if s.name == service {
			return s.kill(), true
		}
	}
	for _, d := range p.deployments {
		if d.name == deployment {
			return d.kill(), true
		}
	}
	for _, s := range p.sources {
		if s.resource == source {
			return s.kill(), true
		}
	}
	return 0, false
}

func (p *platform) status() status {
	all := status{
		Addresses: map[string]string{}, Services: []serviceStatus{}, Sources: []sourceStatus{}, Deployments: []daemonStatus{}, Pings: []pingStatus{},
	}
	for _, s := range p.servers {
		all.Addresses[s.name] = "http://" + s.listener.Addr().String()
	}
	for _, s := range p.services {
		all.Services = append(all.Services, s.status())
	}
	for _, s := range p.sources {
		all.Sources = append(all.Sources, s.status())
	}
	for _, d := range p.deployments {
		all.Deployments = append(all.Deployments, d.status())
	}
	for _, p := range p.pings {
		all.Pings = append(all.Pings, p.status())
	}
	return all
}

func (s *service) status() serviceStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := serviceStatus{
		Name: s.name, Concurrency: s.concurrency, MaxScale: s.maximum, IdleSeconds: s.idle.Seconds(), Requests: s.requests.Load(),
		Waiting: len(s.waiting), Instances: []instanceStatus{}, Crashes: s.crashes, LastError: s.lastError,
		ColdStarts: coldStarts{Count: s.started},
	}
	for _, i := range s.instances {
		if i.ready {
			now.Instances = append(now.Instances, instanceStatus{PID: i.pid(), State: "ready", InFlight: i.inFlight})
		} else {
			now.Instances = append(now.Instances, instanceStatus{State: "starting"})
		}
	}
	if n := len(s.coldStarts); n > 0 {
		ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
		now.ColdStarts.Last = ms(s.coldStarts[n-1])
		sorted := slices.Sorted(slices.Values(s.coldStarts))
		now.ColdStarts.Median, now.ColdStarts.Max = ms(sorted[n/2]), ms(sorted[n-1])
	}
	return now
}

func (d *daemon) status() daemonStatus {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := daemonStatus{Name: d.name, Since: d.since, Restarts: d.restarts, LastExit: d.lastExit}
	if d.address != "" {
		now.Address = "http://" + d.address
	}
	if d.child != nil {
		now.PID = d.child.pid()
	}
	return now
}

func (s *source) status() sourceStatus {
	now := sourceStatus{daemonStatus: s.daemon.status(), Sink: s.sink}
	now.Name = s.resource
	s.mu.Lock()
	defer s.mu.Unlock()
	now.Queue = s.queue
	return now
}

func (p *ping) status() pingStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	return pingStatus{Name: p.name, Schedule: p.spec, Sink: p.sink, Next: p.next, Sent: p.sent, LastStatus: p.lastStatus}
}
