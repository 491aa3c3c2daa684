// Package e2e tests the whole product from outside, as `make run` runs it:
// real PostgreSQL and RabbitMQ, the real adapter of RabbitmqSource, every
// function as a process that the local runtime wakes and puts to sleep.
//
// Tests speak the REST API, read the mailbox and look at processes; where the
// API does not show what must hold (nothing lost, nothing twice), they ask the
// database.
package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/scripts/client"
	"aquaerp.fr/scripts/commune/village"
	"aquaerp.fr/scripts/demo"
	"aquaerp.fr/scripts/stack"
	"aquaerp.fr/shared/localserver"
	"aquaerp.fr/shared/message"
)

// root is the checkout, bin the folder of its programs.
var (
	root = filepath.Join("..", "..")
	bin  = filepath.Join(root, ".run", "test", "bin")
)

func TestMain(m *testing.M) {
	ctx := context.Background()
	if err := errors.Join(stack.BuildWeb(ctx, root), stack.Build(ctx, root, mustAbs(bin))); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func mustAbs(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		panic(err)
	}
	return abs
}

// today is the day on which the tests subscribe and open water.
var today = message.DateOf(time.Now())

// product is a running product with its people logged in.
type product struct {
	*stack.Stack
	*demo.Demo
}

// start starts a product that ends with the test. Its logs are shown when the
// test failed.
func start(t *testing.T, foyers int, idle time.Duration) product {
	t.Helper()
	ctx := t.Context()
	dir := t.TempDir()
	s, err := stack.Start(ctx, stack.Config{Root: root, Dir: dir, Bin: bin, Idle: idle})
	if errors.Is(err, localserver.ErrNotInstalled) && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Stop()
		if t.Failed() {
			showLogs(t, s.Logs)
		}
	})
	if err := s.FirstAdministrator(ctx, demo.Email("administrateur"), demo.Password); err != nil {
		t.Fatal(err)
	}
	d := &demo.Demo{Village: village.Village{Seed: 1, N: foyers}, Settled: s.Settle}
	if err := d.Open(ctx, client.New(s.API, time.Minute)); err != nil {
		t.Fatal(err)
	}
	return product{s, d}
}

// showLogs shows what the programs complained of, and keeps all that they said.
func showLogs(t *testing.T, logs string) {
	kept := filepath.Join(root, ".run", "test", "logs", t.Name())
	if err := errors.Join(os.RemoveAll(kept), os.CopyFS(kept, os.DirFS(logs))); err != nil {
		t.Log(err)
	}
	out, err := exec.Command("sh", "-c", `cd "$1" && grep -hE 'level":"(ERROR|WARN)|level=(ERROR|WARN)|panic' *.log | tail -n 40`, "sh", logs).CombinedOutput()
	if err == nil {
		t.Logf("errors and warnings, the end of them; all logs are in %s:\n%s", mustAbs(kept), out)
	}
}

// must fails the test on an error.
func must[R any](r R, err error) func(t *testing.T) R {
	return func(t *testing.T) R {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
}

// connect opens the product's database as its superuser.
func (p product) connect(t *testing.T) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), p.URL(""))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// problem is the refusal behind an error.
func problem(t *testing.T, err error) *message.Problem {
	t.Helper()
	var p *message.Problem
	if !errors.As(err, &p) {
		t.Fatalf("%v is not a problem", err)
	}
	return p
}
