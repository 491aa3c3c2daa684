package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	amqp "github.com/rabbitmq/amqp091-go"

	"aquaerp.fr/eventing/broker"
	"aquaerp.fr/eventing/daemon"
	"aquaerp.fr/eventing/eventingtest"
	"aquaerp.fr/eventing/topology"
	"aquaerp.fr/shared/localserver"
)

// asProgram is the variable that turns the test binary into the relay.
const asProgram = "RELAY_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	eventingtest.Main(m)
}

// start runs a relay in this process until the test ends.
func start(t testing.TB, database string) *relay {
	t.Helper()
	r := newRelay(daemon.New("relay", daemon.Config{
		DatabaseURL: eventingtest.Postgres.URL("relay", database),
		AMQPURL:     eventingtest.AMQP(),
		LogLevel:    slog.LevelError,
	}))
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { r.run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	return r
}

// process is a relay as a process of its own.
type process struct {
	*exec.Cmd
	health string // URL
}

func program(t *testing.T, database string) process {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), asProgram+"=1", "LOG_LEVEL=ERROR", "HTTP_ADDRESS="+address,
		"DATABASE_URL="+eventingtest.Postgres.URL("relay", database), "AMQP_URL="+eventingtest.AMQP())
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return process{cmd, "http://" + address + "/health"}
}

// does is what the relay's health says of it, or "" while it is not healthy.
func (p process) does() string {
	response, err := http.Get(p.health)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	var body struct{ Loops map[string]string }
	if json.NewDecoder(response.Body).Decode(&body) != nil || response.StatusCode != http.StatusOK {
		return ""
	}
	return body.Loops["outbox"]
}

// insert writes n events with one key in one transaction, as a function does.
func insert(ctx context.Context, url, key string, n int, extensions map[string]string) ([]uuid.UUID, error) {
	ids, keys, events := make([]uuid.UUID, n), make([]string, n), make([]string, n)
	for i := range n {
		id, content := eventingtest.Event(key, extensions)
		ids[i], keys[i], events[i] = id, key, string(content)
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, `insert into eventing.outbox (id, routing_key, event)
		select id, key, event::json from unnest($1::uuid[], $2::text[], $3::text[]) as o (id, key, event)`, ids, keys, events)
	return ids, err
}

func mustInsert(t testing.TB, database, key string, n int, extensions map[string]string) []uuid.UUID {
	t.Helper()
	ids, err := insert(t.Context(), eventingtest.Postgres.URL(eventingtest.Function, database), key, n, extensions)
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func count(t testing.TB, database, where string) int {
	t.Helper()
	conn := eventingtest.Connect(t, localserver.Superuser, database)
	defer conn.Close(t.Context())
	var n int
	if err := conn.QueryRow(t.Context(), "select count(*) from eventing.outbox where "+where).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// outcomes are what the relay counted.
func outcomes(t *testing.T, r *relay) map[string]float64 {
	t.Helper()
	return metric(t, r, "aquaerp_relay_rows_total")
}

// metric is a figure of the relay's own, by its label if it has one.
func metric(t *testing.T, r *relay, name string) map[string]float64 {
	t.Helper()
	families, err := r.Metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]float64{}
	for _, family := range families {
		if family.GetName() == name {
			for _, m := range family.GetMetric() {
				label := ""
				for _, l := range m.GetLabel() {
					label = l.GetValue()
				}
				by[label] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
			}
		}
	}
	return by
}

// TestSeveralRelays: in calm weather each row goes out once, and each relay
// knows whether it is the one.
func TestSeveralRelays(t *testing.T) {
	const n = 5000
	db, ch := eventingtest.Database(t), eventingtest.Channel(t)
	eventingtest.Queue(t, ch, "test.several", nil, "test.several")
	mustInsert(t, db, "test.several", n/2, nil)
	relays := []*relay{start(t, db), start(t, db), start(t, db)}
	mustInsert(t, db, "test.several", n/2, nil)
	for id, times := range eventingtest.Take(t, ch, "test.several", n) {
		if times != 1 {
			t.Errorf("%s came %d times", id, times)
		}
	}
	eventingtest.Eventually(t, "every row is marked", func() bool { return count(t, db, "published_at is null") == 0 })
	active := 0.0
	for _, r := range relays {
		active += metric(t, r, "aquaerp_relay_active")[""]
	}
	if active != 1 {
		t.Errorf("%v relays are active", active)
	}
}

// TestTakeover: while a function commits, the active relay is killed, or
// frozen, again and again. One that stands by takes over; nothing is lost, and
// events first appear in the order of their ids.
func TestTakeover(t *testing.T) {
	const key = "test.takeover"
	db, ch := eventingtest.Database(t), eventingtest.Channel(t)
	eventingtest.Queue(t, ch, key, nil, key)
	relays := []process{program(t, db), program(t, db), program(t, db)}

	writing, stopWriting := context.WithCancel(t.Context())
	defer stopWriting()
	var written []string
	writer := make(chan error, 1)
	go func() {
		for writing.Err() == nil {
			ids, err := insert(t.Context(), eventingtest.Postgres.URL(eventingtest.Function, db), key, 1+rand.IntN(50), nil)
			if err != nil {
				writer <- err
				return
			}
			for _, id := range ids {
				written = append(written, id.String())
			}
		}
		writer <- nil
	}()

	for _, fault := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGSTOP, syscall.SIGKILL} {
		active := -1
		eventingtest.Eventually(t, "one relay publishes and two stand by", func() bool {
			by := map[string]int{}
			for i, r := range relays {
				does := r.does()
				if by[does]++; does == "publishes" {
					active = i
				}
			}
			return by["publishes"] == 1 && by["stands by"] == 2
		})
		before := count(t, db, "published_at is not null")
		if err := relays[active].Process.Signal(fault); err != nil {
			t.Fatal(err)
		}
		relays[active] = program(t, db)
		eventingtest.Eventually(t, fmt.Sprintf("another publishes after %v", fault), func() bool {
			return count(t, db, "published_at is not null") > before+batchSize
		})
	}
	stopWriting()
	if err := <-writer; err != nil {
		t.Fatal(err)
	}

	deliveries, err := ch.Consume(key, "", true, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	seen, timeout := map[string]bool{}, time.After(2*time.Minute)
	var order []string
	for len(order) < len(written) {
		select {
		case d := <-deliveries:
			if !seen[d.MessageId] {
				seen[d.MessageId] = true
				order = append(order, d.MessageId)
			}
		case <-timeout:
			t.Fatalf("%d of %d events came", len(order), len(written))
		}
	}
	if !slices.Equal(order, written) {
		t.Error("the events did not come in the order they were written in")
	}
}

// TestOnTheWire: the message is what RabbitmqSource recognises, in the order of ids.
func TestOnTheWire(t *testing.T) {
	db, ch := eventingtest.Database(t), eventingtest.Channel(t)
	eventingtest.Queue(t, ch, "test.wire", nil, "test.wire")
	ids := mustInsert(t, db, "test.wire", 3, map[string]string{"partitionkey": "42"})
	deliveries, err := ch.Consume("test.wire", "", true, false, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	start(t, db)
	for n, id := range ids {
		d := <-deliveries
		if d.MessageId != id.String() || d.ContentType != "application/cloudevents+json" || d.DeliveryMode != amqp.Persistent || d.RoutingKey != "test.wire" {
			t.Errorf("message %d: id %s (want %s), %s, delivery mode %d, key %s", n, d.MessageId, id, d.ContentType, d.DeliveryMode, d.RoutingKey)
		}
		if stored := storedEvent(t, db, id); string(d.Body) != stored {
			t.Errorf("message %d: %s, in the outbox %s", n, d.Body, stored)
		}
	}
}

func storedEvent(t *testing.T, database string, id uuid.UUID) (event string) {
	t.Helper()
	conn := eventingtest.Connect(t, localserver.Superuser, database)
	if err := conn.QueryRow(t.Context(), "select event::text from eventing.outbox where id = $1", id).Scan(&event); err != nil {
		t.Fatal(err)
	}
	return event
}

// TestNobodyListens: an event is done with, a request or a reply is not.
func TestNobodyListens(t *testing.T) {
	db, ch := eventingtest.Database(t), eventingtest.Channel(t)
	mustInsert(t, db, "test.event", 250, nil) // more than may be in flight
	mustInsert(t, db, "test.request", 1, map[string]string{"replyto": "workflow"})
	mustInsert(t, db, "reponse.nobody", 1, nil)
	r := start(t, db)
	eventingtest.Eventually(t, "two messages are kept", func() bool {
		return count(t, db, "published_at is null and attempts = 1 and retry_at > created_at") == 2
	})
	if n := count(t, db, "published_at is null"); n != 2 {
		t.Errorf("%d rows wait, want the request and the reply", n)
	}
	for outcome, want := range map[string]float64{"unheard": 250, "kept": 2, "published": 0, "refused": 0} {
		if got := outcomes(t, r)[outcome]; got != want {
			t.Errorf("%v rows %s, want %v", got, outcome, want)
		}
	}

	eventingtest.Queue(t, ch, "test.late", nil, "test.request", "reponse.nobody")
	admin := eventingtest.Connect(t, localserver.Superuser, db)
	if _, err := admin.Exec(t.Context(), "update eventing.outbox set retry_at = now() where published_at is null"); err != nil {
		t.Fatal(err)
	}
	eventingtest.Take(t, ch, "test.late", 2)
	eventingtest.Eventually(t, "every row is marked", func() bool { return count(t, db, "published_at is null") == 0 })
}

// TestFullQueue: what a queue refuses waits in the outbox and is not lost.
func TestFullQueue(t *testing.T) {
	const n = 30
	db, ch := eventingtest.Database(t), eventingtest.Channel(t)
	eventingtest.Queue(t, ch, "test.full", amqp.Table{
		amqp.QueueTypeArg: amqp.QueueTypeClassic, amqp.QueueMaxLenArg: int32(2), amqp.QueueOverflowArg: amqp.QueueOverflowRejectPublish,
	}, "test.full")
	mustInsert(t, db, "test.full", n, nil)
	r := start(t, db)
	eventingtest.Eventually(t, "some are refused", func() bool { return outcomes(t, r)["refused"] > 0 })
	admin := eventingtest.Connect(t, localserver.Superuser, db)
	done := make(chan struct{})
	var hurry sync.WaitGroup
	hurry.Go(func() { // the delays grow to minutes
		for {
			select {
			case <-done:
				return
			case <-time.After(50 * time.Millisecond):
				if _, err := admin.Exec(context.Background(), "update eventing.outbox set retry_at = now() where published_at is null"); err != nil {
					t.Error(err)
					return
				}
			}
		}
	})
	eventingtest.Take(t, ch, "test.full", n)
	eventingtest.Eventually(t, "every row is marked", func() bool { return count(t, db, "published_at is null") == 0 })
	close(done)
	hurry.Wait()
}

// TestStopsOnSIGTERM with nothing half done.
func TestStopsOnSIGTERM(t *testing.T) {
	db, ch := eventingtest.Database(t), eventingtest.Channel(t)
	eventingtest.Queue(t, ch, "test.stop", nil, "test.stop")
	cmd := program(t, db)
	mustInsert(t, db, "test.stop", 3000, nil)
	eventingtest.Eventually(t, "it publishes", func() bool { return count(t, db, "published_at is not null") > 0 })
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	published := count(t, db, "published_at is not null")
	seen := eventingtest.Take(t, ch, "test.stop", published)
	if len(seen) != published {
		t.Errorf("%d rows are marked, %d were published", published, len(seen))
	}
}

// TestBadDays: relays, broker and database are killed and restarted while
// functions write; every committed row reaches the queue.
func TestBadDays(t *testing.T) {
	const key, faults = "test.baddays", 12
	db, ch := eventingtest.Database(t), eventingtest.Channel(t)
	eventingtest.Queue(t, ch, key, nil, key)

	relays := []process{program(t, db), program(t, db)}
	writing, stopWriting := context.WithCancel(t.Context())
	var writers sync.WaitGroup
	for range 2 {
		writers.Go(func() {
			for writing.Err() == nil {
				// What failed may have been committed: the table tells, at the end.
				_, _ = insert(context.WithoutCancel(writing), eventingtest.Postgres.URL(eventingtest.Function, db), key, 1+rand.IntN(20), nil)
				time.Sleep(5 * time.Millisecond)
			}
		})
	}

	did := map[string]int{}
	for n := range faults {
		time.Sleep(time.Duration(rand.IntN(400)) * time.Millisecond)
		var err error
		fault := []string{"relay killed", "relay killed", "PostgreSQL killed", "PostgreSQL restarted", "RabbitMQ killed", "RabbitMQ restarted"}[n%6]
		did[fault]++
		switch fault {
		case "relay killed":
			i := n % 2
			err = relays[i].Process.Kill()
			_ = relays[i].Wait()
			relays[i] = program(t, db)
		case "PostgreSQL killed":
			err = eventingtest.Postgres.Kill()
		case "RabbitMQ killed":
			err = eventingtest.RabbitMQ.Kill()
		}
		if err != nil {
			t.Fatal(err)
		}
		switch fault {
		case "PostgreSQL killed", "PostgreSQL restarted":
			err = eventingtest.Postgres.Restart(t.Context())
		case "RabbitMQ killed", "RabbitMQ restarted":
			err = eventingtest.RabbitMQ.Restart(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	stopWriting()
	writers.Wait()
	eventingtest.Eventually(t, "every row is marked", func() bool { return count(t, db, "published_at is null") == 0 })

	rows := count(t, db, "true")
	seen := eventingtest.Take(t, eventingtest.Channel(t), key, rows)
	times := 0
	for _, n := range seen {
		times += n
	}
	if rows == 0 || len(seen) != rows {
		t.Errorf("%d rows committed, %d events arrived", rows, len(seen))
	}
	admin := eventingtest.Connect(t, localserver.Superuser, db)
	lost := 0
	list, err := admin.Query(t.Context(), "select id from eventing.outbox")
	if err != nil {
		t.Fatal(err)
	}
	ids, err := pgx.CollectRows(list, pgx.RowTo[uuid.UUID])
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		if seen[id.String()] == 0 {
			lost++
		}
	}
	if lost > 0 {
		t.Errorf("%d events lost", lost)
	}
	t.Logf("%v: %d rows committed, %d lost, %d published twice or more", did, rows, lost, times-len(seen))
}

// BenchmarkRelay is the rate of events from the table to a queue; compare
// BenchmarkRaw, and read the ratio.
func BenchmarkRelay(b *testing.B) {
	db, ch := eventingtest.Database(b), eventingtest.Channel(b)
	eventingtest.Queue(b, ch, "bench.relay", nil, "bench.relay")
	mustInsert(b, db, "bench.relay", b.N, nil)
	b.ResetTimer()
	start(b, db)
	eventingtest.Eventually(b, "every row is marked", func() bool { return count(b, db, "published_at is null") == 0 })
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkRaw publishes the same messages from memory, as many in flight.
func BenchmarkRaw(b *testing.B) {
	ch := eventingtest.Channel(b)
	eventingtest.Queue(b, ch, "bench.raw", nil, "bench.raw")
	conn, err := broker.Dial(b.Context(), eventingtest.AMQP(), b.Name())
	if err != nil {
		b.Fatal(err)
	}
	defer broker.Close(conn)
	publisher, err := broker.NewPublisher(conn, topology.Events)
	if err != nil {
		b.Fatal(err)
	}
	id, body := eventingtest.Event("bench.raw", nil)
	b.ResetTimer()
	for range b.N {
		m := broker.Message{Key: "bench.raw", ID: id.String(), ContentType: "application/cloudevents+json", Body: body}
		if err := publisher.Publish(b.Context(), m, func(broker.Outcome) {}); err != nil {
			b.Fatal(err)
		}
	}
	if err := publisher.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkWake is the time from a function's commit to its event in a
// consumer's hands, when the relay was idle.
func BenchmarkWake(b *testing.B) {
	db, ch := eventingtest.Database(b), eventingtest.Channel(b)
	eventingtest.Queue(b, ch, "bench.wake", nil, "bench.wake")
	deliveries, err := ch.Consume("bench.wake", "", true, false, false, false, nil)
	if err != nil {
		b.Fatal(err)
	}
	start(b, db)
	function := eventingtest.Connect(b, eventingtest.Function, db)
	for b.Loop() {
		id, content := eventingtest.Event("bench.wake", nil)
		if _, err := function.Exec(b.Context(), "insert into eventing.outbox (id, routing_key, event) values ($1, $2, $3)", id, "bench.wake", string(content)); err != nil {
			b.Fatal(err)
		}
		<-deliveries
	}
}
