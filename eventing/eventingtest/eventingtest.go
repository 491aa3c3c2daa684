// Package eventingtest gives the tests of eventing one private PostgreSQL and
// one private RabbitMQ per test binary, which a test may kill and restart.
// Tests that use the broker share its queues, and so do not run in parallel.
package eventingtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	amqp "github.com/rabbitmq/amqp091-go"
	"golang.org/x/sync/errgroup"

	"aquaerp.fr/eventing/broker"
	"aquaerp.fr/eventing/topology"
	"aquaerp.fr/shared/localserver"
	"aquaerp.fr/shared/migrate"
)

// The servers of this test binary; they run while tests do.
var (
	Postgres *localserver.Server
	RabbitMQ *localserver.Server
)

// Function is the role of a function, as which tests write to the outbox.
const Function = "essai"

const template = "eventing_template"

// Main starts the servers, migrates a template database, declares the
// topology, and runs the tests of a package below eventing/. Without the
// servers the tests are skipped, except in CI.
func Main(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
		if errors.Is(err, localserver.ErrNotInstalled) && os.Getenv("CI") == "" {
			fmt.Fprintln(os.Stderr, "the tests are skipped")
			code = 0
		}
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "eventing")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	var group errgroup.Group
	group.Go(func() error {
		var err error
		if Postgres, err = localserver.StartPostgres(ctx, localserver.Postgres{Dir: filepath.Join(dir, "postgres")}); err != nil {
			return err
		}
		tree, err := tree(filepath.Join(dir, "tree"))
		if err != nil {
			return err
		}
		return migrate.Up(ctx, Postgres.URL(localserver.Superuser, template), tree, migrate.Options{Password: Postgres.Password})
	})
	group.Go(func() error {
		var err error
		RabbitMQ, err = localserver.StartRabbitMQ(ctx, localserver.RabbitMQ{Dir: filepath.Join(dir, "rabbitmq")})
		return err
	})
	err = group.Wait()
	for _, server := range []*localserver.Server{Postgres, RabbitMQ} {
		if server != nil {
			defer server.Stop(ctx)
		}
	}
	if err != nil {
		return 0, err
	}
	conn, err := broker.Dial(ctx, AMQP(), "test")
	if err != nil {
		return 0, err
	}
	bindings, err := topology.Read()
	if err == nil {
		err = bindings.Declare(conn)
	}
	broker.Close(conn)
	if err != nil {
		return 0, err
	}
	return m.Run(), nil
}

// tree is the product with one function, and without the product's own.
func tree(dir string) (fs.FS, error) {
	return os.DirFS(dir), errors.Join(
		os.MkdirAll(filepath.Join(dir, "functions", Function, "migrations"), 0o700),
		os.CopyFS(filepath.Join(dir, "eventing/migrations"), os.DirFS("../migrations")),
		os.CopyFS(filepath.Join(dir, "shared/function"), os.DirFS("../../shared/function")),
	)
}

// AMQP is the URL of the broker.
func AMQP() string { return RabbitMQ.URL(localserver.RabbitUser, localserver.RabbitVhost) }

var databases atomic.Int64

// Database is the name of a new, migrated database.
func Database(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("eventing_%d", databases.Add(1))
	conn := Connect(t, localserver.Superuser, "postgres")
	if _, err := conn.Exec(t.Context(), "create database "+name+" template "+template); err != nil {
		t.Fatal(err)
	}
	return name
}

// Connect logs in for the time of a test.
func Connect(t testing.TB, user, database string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), Postgres.URL(user, database))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// Channel opens a channel of a connection of its own.
func Channel(t testing.TB) *amqp.Channel {
	t.Helper()
	conn, err := broker.Dial(t.Context(), AMQP(), t.Name())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { broker.Close(conn) })
	ch, err := conn.Channel()
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

// Queue declares an empty quorum queue with more arguments, bound to keys of
// the events' exchange, for the time of a test.
func Queue(t testing.TB, ch *amqp.Channel, name string, arguments amqp.Table, keys ...string) {
	t.Helper()
	table := amqp.Table{amqp.QueueTypeArg: amqp.QueueTypeQuorum}
	for name, value := range arguments {
		table[name] = value
	}
	if _, err := ch.QueueDeclare(name, true, false, false, false, table); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// On a channel of its own: the broker may have been restarted since.
		conn, err := broker.Dial(context.Background(), AMQP(), "cleanup")
		if err != nil {
			t.Error(err)
			return
		}
		defer broker.Close(conn)
		ch, err := conn.Channel()
		if err == nil {
			_, err = ch.QueueDelete(name, false, false, false)
		}
		if err != nil {
			t.Error(err)
		}
	})
	for _, key := range keys {
		if err := ch.QueueBind(name, key, topology.Events, false, nil); err != nil {
			t.Fatal(err)
		}
	}
}

// Take consumes a queue until it has seen n different MessageIds, and returns
// how often it saw each; every message is acknowledged.
func Take(t testing.TB, ch *amqp.Channel, queue string, n int) map[string]int {
	t.Helper()
	seen := map[string]int{}
	deliveries, err := ch.Consume(queue, t.Name(), false, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	timeout := time.After(2 * time.Minute)
	for len(seen) < n {
		select {
		case d, open := <-deliveries:
			if !open {
				t.Fatal("the channel closed")
			}
			seen[d.MessageId]++
			if err := d.Ack(false); err != nil {
				t.Fatal(err)
			}
		case <-timeout:
			t.Fatalf("%s: %d of %d messages came", queue, len(seen), n)
		}
	}
	if err := ch.Cancel(t.Name(), false); err != nil {
		t.Fatal(err)
	}
	for d := range deliveries { // what was prefetched, until the cancel is known
		seen[d.MessageId]++
		if err := d.Ack(false); err != nil {
			t.Fatal(err)
		}
	}
	return seen
}

// Event is a structured CloudEvent with a new id.
func Event(messageType string, extensions map[string]string) (id uuid.UUID, content []byte) {
	id = uuid.Must(uuid.NewV7())
	event := map[string]any{
		"specversion": "1.0", "id": id.String(), "source": "/functions/test", "type": messageType,
		"datacontenttype": "application/json", "data": map[string]any{"n": 1},
	}
	for name, value := range extensions {
		event[name] = value
	}
	content, err := json.Marshal(event)
	if err != nil {
		panic(err) // strings and numbers only
	}
	return id, content
}

// Eventually fails the test unless ok holds within two minutes.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never: ", what)
		}
	}
}
