package function

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Runtime is what a function gets besides its messages.
type Runtime struct {
	Name   string
	Log    *slog.Logger
	Client *Client // asks other functions directly; for the gateway

	// Draining ends when the function is asked to stop: streams that would go
	// on for long end themselves then.
	Draining context.Context

	config    Config
	keys      *keyring
	table     *table
	telemetry *telemetry
	listing   bool          // the process only lists what it listens to
	err       error         // the first fault of Configure
	pool      *pgxpool.Pool // nil without DATABASE_URL; connects when a message needs it
}

// Main runs a function with messages until SIGTERM, or prints what it listens
// to when its first argument is "listens".
func Main(name string, listens func(*Runtime) []Listen) {
	if len(os.Args) > 1 && os.Args[1] == "listens" {
		exit(name, list(name, listens))
	}
	exit(name, run(name, func(rt *Runtime) (http.Handler, error) { return rt.Handler(listens(rt)) }))
}

// Serve runs a function that is a plain HTTP handler, with the same
// configuration, health, telemetry and drain: the gateway and the frontend.
func Serve(name string, handler func(*Runtime) (http.Handler, error)) {
	exit(name, run(name, handler))
}

// exit is the one way out of a function.
func exit(name string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func list(name string, listens func(*Runtime) []Listen) error {
	rt := &Runtime{Name: name, Log: slog.New(slog.DiscardHandler), listing: true}
	t, err := newTable(name, listens(rt))
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(t.listens(name))
}

func run(name string, handler func(*Runtime) (http.Handler, error)) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	var c Config
	if err := readEnvironment(&c); err != nil {
		return err
	}
	rt, err := NewRuntime(ctx, name, c)
	if err != nil {
		return err
	}
	h, err := handler(rt)
	if err != nil {
		return err
	}
	if rt.err != nil {
		return rt.err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", rt.health)
	mux.Handle("/", h)
	listener, err := net.Listen("tcp", ":"+rt.config.Port)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	rt.telemetry.started.Record(ctx, time.Since(began).Seconds())
	go rt.telemetry.serve(rt.Log) // to the end of the drain, which is measured too
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	return rt.drain(server)
}

// drain lets what runs finish, then flushes and closes.
func (rt *Runtime) drain(server *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), rt.config.DrainTimeout)
	defer cancel()
	err := server.Shutdown(ctx)
	rt.Close(ctx)
	return err
}

// NewRuntime makes the runtime of a function; it connects to nothing.
func NewRuntime(ctx context.Context, name string, c Config) (*Runtime, error) {
	rt := &Runtime{Name: name, Draining: ctx, config: c}
	var level slog.Level
	if err := level.UnmarshalText([]byte(rt.config.LogLevel)); err != nil {
		return nil, fmt.Errorf("configuration: LOG_LEVEL: %w", err)
	}
	rt.Log = slog.New(traced{slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level})}).
		With("function", name, "revision", rt.config.Revision)
	var err error
	if rt.keys, err = newKeyring(rt.config.TokenKeys); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	if rt.config.DatabaseURL != "" {
		if rt.pool, err = rt.newPool(); err != nil {
			return nil, fmt.Errorf("configuration: %w", err)
		}
	}
	rt.Client = newClient(rt.config.FunctionURL, name)
	rt.telemetry, err = newTelemetry(ctx, name, rt.config.Revision)
	return rt, err
}

// Handler is the door for a table of messages.
func (rt *Runtime) Handler(listens []Listen) (http.Handler, error) {
	t, err := newTable(rt.Name, listens)
	if err != nil {
		return nil, err
	}
	rt.table = t
	mux := http.NewServeMux()
	mux.HandleFunc("POST /{$}", rt.receive)
	return mux, nil
}

// Close flushes telemetry and closes connections.
func (rt *Runtime) Close(ctx context.Context) {
	rt.telemetry.close(ctx)
	if rt.pool != nil {
		rt.pool.Close()
	}
}

// newPool is the function's small pool; making it connects to nothing.
func (rt *Runtime) newPool() (*pgxpool.Pool, error) {
	c, err := pgxpool.ParseConfig(rt.config.DatabaseURL)
	if err != nil {
		return nil, errors.New("DATABASE_URL is not a PostgreSQL URL") // its text may hold a password
	}
	c.MaxConns, c.MinConns, c.MaxConnIdleTime = rt.config.DatabaseMaxConns, 0, 30*time.Second
	c.HealthCheckPeriod = 10 * time.Second
	c.ConnConfig.ConnectTimeout = 5 * time.Second
	c.ConnConfig.DialFunc = patient(c.ConnConfig.DialFunc, 2*time.Second)
	params := c.ConnConfig.RuntimeParams
	params["search_path"] = rt.Name
	params["application_name"] = rt.Name
	params["timezone"] = "UTC"
	params["statement_timeout"] = fmt.Sprint(rt.config.StatementTimeout.Milliseconds())
	params["lock_timeout"] = "15000"
	params["idle_in_transaction_session_timeout"] = "60000"
	return pgxpool.NewWithConfig(context.Background(), c)
}

// patient dials again while the connection is refused, for a while. Nothing was
// sent yet, so that is safe, and it is the usual answer of two short moments: a
// pod that was woken is faster than the network policies that let it through
// (about a second on K3s), and a server that restarts listens a little later.
func patient(dial pgconn.DialFunc, while time.Duration) pgconn.DialFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		for end := time.Now().Add(while); ; {
			conn, err := dial(ctx, network, address)
			if err == nil || !errors.Is(err, syscall.ECONNREFUSED) || time.Now().After(end) {
				return conn, err
			}
			select {
			case <-time.After(50 * time.Millisecond):
			case <-ctx.Done():
				return nil, err
			}
		}
	}
}

// databaseState says what is known without connecting.
func (rt *Runtime) databaseState() string {
	switch {
	case rt.pool == nil:
		return "none"
	case rt.pool.Stat().TotalConns() == 0:
		return "idle"
	}
	return "connected"
}
