// Package daemon is what the always-on programs of eventing share: their
// environment, log, metrics and health, a stop on SIGTERM, and loops that
// begin again whatever fails.
package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/kelseyhightower/envconfig"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Config is the environment of a daemon.
type Config struct {
	DatabaseURL string     `envconfig:"DATABASE_URL" required:"true"`
	AMQPURL     string     `envconfig:"AMQP_URL" required:"true"`
	HTTPAddress string     `envconfig:"HTTP_ADDRESS"` // of /health and /metrics; none when empty
	LogLevel    slog.Level `envconfig:"LOG_LEVEL"`
}

// Daemon is a running program.
type Daemon struct {
	Config
	Name    string
	Log     *slog.Logger // JSON on standard error
	Metrics *prometheus.Registry

	mu    sync.Mutex
	loops map[string]string // what each does
}

// New makes a daemon from a configuration, and starts nothing.
func New(name string, c Config) *Daemon {
	d := &Daemon{
		Config:  c,
		Name:    name,
		Log:     slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: c.LogLevel})).With("name", name),
		Metrics: prometheus.NewRegistry(),
		loops:   map[string]string{},
	}
	d.Metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return d
}

// Main reads the environment and runs a program until SIGTERM or Ctrl-C.
func Main(name string, run func(context.Context, *Daemon)) {
	var c Config
	if err := envconfig.Process("", &c); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	d := New(name, c)
	d.Log.Info("starts")
	var serving sync.WaitGroup
	serving.Go(func() { d.serve(ctx) })
	run(ctx, d)
	serving.Wait()
	d.Log.Info("stopped")
}

const (
	shortestPause = 100 * time.Millisecond
	longestPause  = 5 * time.Second
)

// down is what a loop does between two tries.
const down = "down"

// Keep runs work until ctx ends, and again, after a growing and jittered
// pause, each time it fails. work says what it does, in a word for people, once
// it has all that it needs; the daemon is healthy while no loop is down.
func (d *Daemon) Keep(ctx context.Context, loop string, work func(ctx context.Context, does func(string)) error) {
	d.set(loop, down)
	pause := shortestPause
	for ctx.Err() == nil {
		began := time.Now()
		err := work(ctx, func(what string) {
			d.set(loop, what)
			d.Log.Info(what, "loop", loop)
		})
		d.set(loop, down)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > 2*longestPause {
			pause = shortestPause
		}
		d.Log.Warn("begins again", "loop", loop, "pause", pause, "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(pause/2 + rand.N(pause)):
		}
		pause = min(2*pause, longestPause)
	}
}

func (d *Daemon) set(loop, what string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.loops[loop] = what
}

// serve answers /health and /metrics. A taken address is logged and no more:
// events matter more than their figures.
func (d *Daemon) serve(ctx context.Context) {
	if d.HTTPAddress == "" {
		return
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", d.health)
	mux.Handle("GET /metrics", promhttp.HandlerFor(d.Metrics, promhttp.HandlerOpts{}))
	server := &http.Server{Addr: d.HTTPAddress, Handler: mux, ReadTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second}
	closing := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer closing()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		d.Log.Error("no health or metrics", "address", d.HTTPAddress, "error", err)
	}
}

// health answers what each loop does: 200, or 503 when one is down.
func (d *Daemon) health(w http.ResponseWriter, _ *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	status := http.StatusOK
	for _, what := range d.loops {
		if what == down {
			status = http.StatusServiceUnavailable
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(struct {
		Name  string            `json:"name"`
		Loops map[string]string `json:"loops"`
	}{d.Name, d.loops})
}
