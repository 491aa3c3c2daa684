// Package functiontest runs a function's table in a test as it runs in
// production: over HTTP, in its own role, on a real PostgreSQL whose database
// is cloned for the test from a migrated template.
//
// A test package calls Main from its TestMain. The server is the one that
// AQUAERP_TEST_POSTGRES names (URL of a superuser, so that many packages
// share one), or a private one that lives as long as the test binary. Where
// PostgreSQL is not installed tests are skipped, and fail when CI is set.
package functiontest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/jackc/pgx/v5/pgxpool"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// Function is a function under test.
type Function struct {
	DB     *pgxpool.Pool // as superuser, search_path is the function's schema
	Client *function.Client
	URL    string
	name   string
}

// Start clones a database and serves the function's table.
func Start(t *testing.T, name string, listens func(*function.Runtime) []function.Listen) *Function {
	t.Helper()
	return StartOn(t, NewDatabase(t), name, listens)
}

// StartOn serves the function's table on a database of the test, for tests
// with several functions.
func StartOn(t *testing.T, db Database, name string, listens func(*function.Runtime) []function.Listen) *Function {
	t.Helper()
	f := &Function{name: name, DB: db.pool(t, name)}
	server := httptest.NewUnstartedServer(nil)
	f.URL = "http://" + server.Listener.Addr().String()
	rt, err := function.NewRuntime(t.Context(), name, function.Config{
		Revision: "test", DatabaseURL: db.as(name), DatabaseMaxConns: 4,
		StatementTimeout: 30 * time.Second, RequestTimeout: 55 * time.Second,
		TokenKeys: publicKeys, FunctionURL: f.URL, LogLevel: "error",
	})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler, err = rt.Handler(listens(rt))
	if err != nil {
		t.Fatal(err)
	}
	server.Start()
	t.Cleanup(func() {
		server.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		rt.Close(ctx)
	})
	f.Client = rt.Client
	return f
}

// Ask sends a command or query as the identity and returns the reply, or the
// refusal as a *message.Problem.
func Ask[R any](t *testing.T, f *Function, as function.Identity, request message.Request[R]) (R, error) {
	t.Helper()
	return AskAgain(t, f, as, function.NewID(), request)
}

// AskAgain is Ask with a given idempotency key.
func AskAgain[R any](t *testing.T, f *Function, as function.Identity, key string, request message.Request[R]) (R, error) {
	t.Helper()
	return function.Ask(t.Context(), f.Client, request, function.Call{ID: key, By: as.ID, Token: Token(t, as)})
}

// MustAsk is Ask for requests that must not be refused.
func MustAsk[R any](t *testing.T, f *Function, as function.Identity, request message.Request[R]) R {
	t.Helper()
	r, err := Ask(t, f, as, request)
	if err != nil {
		t.Fatalf("%s: %v", request.Type(), err)
	}
	return r
}

// Event makes the event that a function would have emitted.
func Event(from, subject string, payload message.Message) cloudevents.Event {
	e := cloudevents.NewEvent()
	e.SetID(function.NewID())
	e.SetSource("/functions/" + from)
	e.SetType(payload.Type())
	e.SetSubject(subject)
	e.SetTime(time.Now())
	if err := e.SetData(cloudevents.ApplicationJSON, payload); err != nil {
		panic(err)
	}
	return e
}

// Deliver hands an event over as the adapter does and returns the status.
func (f *Function) Deliver(t *testing.T, e cloudevents.Event) int {
	t.Helper()
	raw, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return f.Post(t, raw)
}

// Post hands over the bytes of a structured event and returns the status.
func (f *Function) Post(t *testing.T, raw []byte) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.URL+"/", bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/cloudevents+json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode
}

// Sent is a row of the outbox.
type Sent struct {
	Key   string // routing key
	Event cloudevents.Event
}

// Outbox returns what the function has put into the outbox, in order.
func (f *Function) Outbox(t *testing.T) []Sent {
	t.Helper()
	rows, err := f.DB.Query(t.Context(), "select routing_key, event from eventing.outbox order by id")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out []Sent
	for rows.Next() {
		var s Sent
		var raw []byte
		if err := rows.Scan(&s.Key, &raw); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, &s.Event); err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// Emitted returns the payloads of a type in the outbox, in order.
func Emitted[E message.Message](t *testing.T, f *Function) []E {
	t.Helper()
	var zero E
	var out []E
	for _, s := range f.Outbox(t) {
		if s.Event.Type() != zero.Type() {
			continue
		}
		var e E
		if err := s.Event.DataAs(&e); err != nil {
			t.Fatal(err)
		}
		out = append(out, e)
	}
	return out
}

// Count runs a query that returns one number.
func (f *Function) Count(t *testing.T, sql string, args ...any) int {
	t.Helper()
	var n int
	if err := f.DB.QueryRow(t.Context(), sql, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return n
}

// Code is the stable code of a refusal, or "" when err is nil.
func Code(err error) string {
	switch p := err.(type) {
	case nil:
		return ""
	case *message.Problem:
		return p.Code
	}
	return fmt.Sprintf("not a refusal: %v", err)
}

func withUser(base, user, password, database string) string {
	u, err := url.Parse(base)
	if err != nil {
		panic(err)
	}
	if user != "" {
		u.User = url.UserPassword(user, password)
	}
	if database != "" {
		u.Path = "/" + database
	}
	return u.String()
}
