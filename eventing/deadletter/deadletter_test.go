package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	amqp "github.com/rabbitmq/amqp091-go"

	"aquaerp.fr/eventing/broker"
	"aquaerp.fr/eventing/daemon"
	"aquaerp.fr/eventing/eventingtest"
	"aquaerp.fr/eventing/topology"
	"aquaerp.fr/shared/localserver"
)

// asProgram is the variable that turns the test binary into the program.
const asProgram = "DEADLETTER_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	eventingtest.Main(m)
}

// bundle is a function's queue, a neighbour's queue bound to the same key, and
// the program over a database of its own: twice, as during a rollout.
type bundle struct {
	database string
	db       *pgx.Conn
	ch       *amqp.Channel
	queue    string
	mine     <-chan amqp.Delivery
	stop     func() // both, before the end of the test
}

const key = "test.dead"

func setup(t *testing.T, queue string, delays ...time.Duration) *bundle {
	t.Helper()
	b := &bundle{database: eventingtest.Database(t), ch: eventingtest.Channel(t), queue: queue}
	b.db = eventingtest.Connect(t, localserver.Superuser, b.database)
	for _, name := range []string{queue, queue + ".neighbour"} {
		eventingtest.Queue(t, b.ch, name, amqp.Table{
			"x-dead-letter-exchange": topology.Dead, "x-dead-letter-routing-key": name,
			"x-dead-letter-strategy": "at-least-once", amqp.QueueOverflowArg: amqp.QueueOverflowRejectPublish,
		}, key)
	}
	var err error
	if b.mine, err = b.ch.Consume(queue, "", false, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	b.start(t, delays)
	return b
}

func (b *bundle) start(t *testing.T, delays []time.Duration) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for range 2 {
		k := newKeeper(daemon.New("deadletter", daemon.Config{
			DatabaseURL: eventingtest.Postgres.URL("deadletter", b.database),
			AMQPURL:     eventingtest.AMQP(),
			LogLevel:    slog.LevelError,
		}), delays)
		running.Go(func() { k.run(ctx) })
	}
	b.stop = sync.OnceFunc(func() { cancel(); running.Wait() })
	t.Cleanup(b.stop)
}

// publish sends one message as the relay does.
func (b *bundle) publish(t *testing.T, contentType string, body []byte, id string) {
	t.Helper()
	conn, err := broker.Dial(t.Context(), eventingtest.AMQP(), t.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer broker.Close(conn)
	p, err := broker.NewPublisher(conn, topology.Events)
	if err != nil {
		t.Fatal(err)
	}
	m := broker.Message{Key: key, ID: id, ContentType: contentType, Body: body}
	err = p.Publish(t.Context(), m, func(o broker.Outcome) {
		if o != broker.Accepted {
			t.Errorf("outcome %d", o)
		}
	})
	if err == nil {
		err = p.Flush(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (b *bundle) event(t *testing.T) (id string, body []byte) {
	t.Helper()
	uid, body := eventingtest.Event(key, nil)
	b.publish(t, "application/cloudevents+json", body, uid.String())
	return uid.String(), body
}

// next is the next delivery of the queue.
func (b *bundle) next(t *testing.T) amqp.Delivery {
	t.Helper()
	select {
	case d, open := <-b.mine:
		if !open {
			t.Fatal("the channel closed")
		}
		return d
	case <-time.After(2 * time.Minute):
		t.Fatal("nothing came")
		panic("unreachable")
	}
}

// refuse answers as the adapter does to 422, and to 503 in the end.
func refuse(t *testing.T, d amqp.Delivery) {
	t.Helper()
	if err := d.Nack(false, false); err != nil {
		t.Fatal(err)
	}
}

// row is the parking lot's, without times.
type row struct {
	Queue, Source, EventID, Type, Reason, State string
	Died, Attempts                              int
	Waits                                       bool // for a person
}

func (b *bundle) rows(t *testing.T) []row {
	t.Helper()
	rows, err := b.db.Query(t.Context(), `select queue, source, event_id, type, reason, state, died, attempts, state = 'ATTENTE' and next_try is null
		from eventing.parking_lot order by id`)
	if err != nil {
		t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[row])
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (b *bundle) eventually(t *testing.T, want row) {
	t.Helper()
	var got []row
	defer func() {
		if t.Failed() {
			t.Logf("the parking lot is %+v", got)
		}
	}()
	eventingtest.Eventually(t, fmt.Sprintf("%+v", want), func() bool {
		got = b.rows(t)
		return len(got) == 1 && got[0] == want
	})
}

func (b *bundle) operate(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := operate(t.Context(), &out, eventingtest.Postgres.URL("deadletter", b.database), args)
	return out.String(), err
}

func (b *bundle) must(t *testing.T, args ...string) string {
	t.Helper()
	out, err := b.operate(t, args...)
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return out
}

// TestTransient: refused once, replayed by itself to the queue it died in and
// to no other, unchanged.
func TestTransient(t *testing.T) {
	b := setup(t, "test.transient", time.Millisecond)
	id, body := b.event(t)
	refuse(t, b.next(t))
	again := b.next(t)
	if again.MessageId != id || !bytes.Equal(again.Body, body) || again.ContentType != "application/cloudevents+json" || again.DeliveryMode != amqp.Persistent {
		t.Errorf("replayed %s %s as %s, mode %d; it was %s %s", again.MessageId, again.Body, again.ContentType, again.DeliveryMode, id, body)
	}
	if err := again.Ack(false); err != nil {
		t.Fatal(err)
	}
	b.eventually(t, row{Queue: b.queue, Source: "/functions/test", EventID: id, Type: key, Reason: "rejected", State: "REJOUE", Died: 1, Attempts: 1})
	if seen := eventingtest.Take(t, b.ch, b.queue+".neighbour", 1); seen[id] != 1 {
		t.Errorf("the neighbour saw %v", seen)
	}
}

// TestPoison: refused at every try it waits for a person, who replays it after
// a repair, or drops it.
func TestPoison(t *testing.T) {
	b := setup(t, "test.poison", time.Millisecond, 2*time.Millisecond)
	id, body := b.event(t)
	for range 3 { // once, and at each automatic try
		refuse(t, b.next(t))
	}
	poison := row{Queue: b.queue, Source: "/functions/test", EventID: id, Type: key, Reason: "rejected", State: "ATTENTE", Died: 3, Attempts: 2, Waits: true}
	b.eventually(t, poison)

	if out := b.must(t, "list", "-state", "ATTENTE", "-queue", b.queue); !strings.Contains(out, id) || !strings.Contains(out, "a person") {
		t.Errorf("list: %s", out)
	}
	if out := b.must(t, "list", "-state", "ABANDONNE"); strings.Contains(out, id) {
		t.Errorf("list of what was dropped: %s", out)
	}
	var shown struct {
		Content json.RawMessage `json:"content"`
		Deaths  []death         `json:"deaths"`
	}
	if err := json.Unmarshal([]byte(b.must(t, "show", "1")), &shown); err != nil {
		t.Fatal(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, shown.Content); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(compact.Bytes(), body) || len(shown.Deaths) != 1 || shown.Deaths[0].Queue != b.queue || shown.Deaths[0].Reason != "rejected" {
		t.Errorf("show: %+v", shown)
	}

	for _, args := range [][]string{{"replay"}, {"replay", "-all", "1"}, {"replay", "2"}, {"replay", "x"}, {"drop", "1"}, {"drop", "2", "-why", "w"}, {"show", "2"}, {"explode"}} {
		if out, err := b.operate(t, args...); err == nil {
			t.Errorf("%v: %s", args, out)
		}
	}
	b.eventually(t, poison)

	for _, args := range [][]string{{"replay", "1"}, {"replay", "-all"}, {"replay", "-queue", b.queue}} {
		b.must(t, args...)
		for range 2 { // the person's, and an automatic one after the second delay
			refuse(t, b.next(t))
		}
		eventingtest.Eventually(t, "it waits again", func() bool { r := b.rows(t); return len(r) == 1 && r[0].Waits })
	}
	if out := b.must(t, "replay", "-queue", "another"); out != "0 to replay\n" {
		t.Error(out)
	}

	b.must(t, "drop", "1", "-why", "the contract never existed")
	if got := b.rows(t)[0].State; got != "ABANDONNE" {
		t.Errorf("dropped, the state is %s", got)
	}
	if out := b.must(t, "replay", "-all"); out != "0 to replay\n" {
		t.Error(out)
	}
	// A copy that was still under way changes nothing.
	b.publish(t, "application/cloudevents+json", body, id)
	refuse(t, b.next(t))
	eventingtest.Eventually(t, "the copy is counted", func() bool { return b.rows(t)[0].Died > 9 })
	if got := b.rows(t)[0]; got.State != "ABANDONNE" {
		t.Errorf("after a copy died, it is %+v", got)
	}
}

// TestNoEvent: what no adapter can deliver waits for a person at once.
func TestNoEvent(t *testing.T) {
	for name, m := range map[string]struct{ contentType, body string }{
		"no JSON":    {"application/cloudevents+json", "\x00\xff"},
		"no id":      {"application/cloudevents+json", `{"specversion":"1.0","source":"/s","type":"t"}`},
		"plain JSON": {"application/json", `{"specversion":"1.0","source":"/s","type":"t","id":"1"}`},
		"nothing":    {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			b := setup(t, "test.noevent", time.Millisecond)
			b.publish(t, m.contentType, []byte(m.body), "m")
			refuse(t, b.next(t))
			eventingtest.Eventually(t, "it waits for a person", func() bool { r := b.rows(t); return len(r) == 1 && r[0].Waits })
			got := b.rows(t)[0]
			if got.Source != "" || len(got.EventID) != 64 || got.Queue != b.queue {
				t.Errorf("%+v", got)
			}
			b.must(t, "show", "1")
			b.must(t, "replay", "1")
			if d := b.next(t); string(d.Body) != m.body || d.ContentType != m.contentType {
				t.Errorf("replayed as %q %q", d.ContentType, d.Body)
			}
		})
	}
}

// TestNULInAttributes: PostgreSQL stores no NUL, and a message must not stop
// those behind it.
func TestNULInAttributes(t *testing.T) {
	b := setup(t, "test.nul", time.Hour)
	b.publish(t, "application/cloudevents+json", []byte(`{"specversion":"1.0","id":"a\u0000b","source":"/s\u0000","type":"t"}`), "m")
	refuse(t, b.next(t))
	b.eventually(t, row{Queue: b.queue, Source: "/s\uFFFD", EventID: "a\uFFFDb", Type: "t", Reason: "rejected", State: "ATTENTE", Died: 1})
}

// TestMissingQueue: a person sees what cannot be replayed.
func TestMissingQueue(t *testing.T) {
	b := setup(t, "test.missing", time.Hour)
	if _, err := b.db.Exec(t.Context(), `
		insert into eventing.parking_lot (queue, source, event_id, type, reason, deaths, content, content_type, next_try)
		values ('test.nowhere', '/s', 'e', 't', 'rejected', '[]', '{}', 'application/cloudevents+json', now())`); err != nil {
		t.Fatal(err)
	}
	b.eventually(t, row{Queue: "test.nowhere", Source: "/s", EventID: "e", Type: "t", Reason: "rejected", State: "ATTENTE", Died: 1, Attempts: 1, Waits: true})
}

// TestForgets what was replayed long ago, and nothing that waits or was dropped.
func TestForgets(t *testing.T) {
	db := eventingtest.Database(t)
	admin := eventingtest.Connect(t, localserver.Superuser, db)
	if _, err := admin.Exec(t.Context(), `
		insert into eventing.parking_lot (queue, source, event_id, type, reason, deaths, content, content_type, state, note, changed_at)
		select 'q', '/s', state || age, 't', 'rejected', '[]', '', '', state, 'why', now() - age * interval '1 day'
		from unnest(array['ATTENTE', 'REJOUE', 'ABANDONNE']) state, unnest(array[29, 31]) age`); err != nil {
		t.Fatal(err)
	}
	b := &bundle{database: db, db: admin}
	b.start(t, delays)
	eventingtest.Eventually(t, "one is forgotten", func() bool { return len(b.rows(t)) == 5 })
	for _, r := range b.rows(t) {
		if r.EventID == "REJOUE31" {
			t.Error("the old replayed one is still there")
		}
	}
}

// TestBadDays: the program, the database and the broker are killed while 300
// messages die; each is in the parking lot in the end.
func TestBadDays(t *testing.T) {
	const n = 300
	b := setup(t, "test.baddays", time.Hour)
	b.stop()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := func() *exec.Cmd {
		cmd := exec.Command(exe)
		cmd.Env = append(os.Environ(), asProgram+"=1", "LOG_LEVEL=ERROR",
			"DATABASE_URL="+eventingtest.Postgres.URL("deadletter", b.database), "AMQP_URL="+eventingtest.AMQP())
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
		return cmd
	}
	cmd := program()
	want := map[string]bool{}
	die := func() {
		for range n / 3 {
			id, _ := b.event(t)
			want[id] = true
			refuse(t, b.next(t))
		}
	}
	die()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	program()
	if err := eventingtest.Postgres.Kill(); err != nil {
		t.Fatal(err)
	}
	die()
	if err := eventingtest.Postgres.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	die()
	if err := eventingtest.RabbitMQ.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := eventingtest.RabbitMQ.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.db = eventingtest.Connect(t, localserver.Superuser, b.database)
	parked := map[string]bool{}
	// A refusal that the killed broker had not kept leaves the message in its queue.
	b.ch = eventingtest.Channel(t)
	if b.mine, err = b.ch.Consume(b.queue, "", false, false, false, false, nil); err != nil {
		t.Fatal(err)
	}
	eventingtest.Eventually(t, "every message is parked", func() bool {
		select {
		case d := <-b.mine:
			refuse(t, d)
		default:
		}
		for _, r := range b.rows(t) {
			parked[r.EventID] = true
		}
		return len(parked) == n
	})
	for id := range want {
		if !parked[id] {
			t.Errorf("%s is lost", id)
		}
	}
}
