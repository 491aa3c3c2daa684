package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	amqp "github.com/rabbitmq/amqp091-go"

	"aquaerp.fr/eventing/broker"
	"aquaerp.fr/eventing/daemon"
	"aquaerp.fr/eventing/topology"
)

const (
	batchSize = 1000        // rows of one transaction: the more, the less often the broker waits for the database
	poll      = time.Second // for rows whose notification was missed, or whose time has come; and for the lock

	measureEvery = 15 * time.Second
	purgeEvery   = time.Minute
	purgeSize    = 1000
	keepOutbox   = 7 * 24 * time.Hour
	keepInbox    = 30 * 24 * time.Hour
)

// retryFirst and retryLast bound the delay before a row that no queue took is
// tried again; it doubles each time.
const (
	retryFirst = 5 * time.Second
	retryLast  = 10 * time.Minute
)

// lock is PostgreSQL's advisory lock of the relay that publishes, "relay" in ASCII.
const lock int64 = 0x72656c6179

// session is what PostgreSQL is told of a relay's connection. The lock is the
// session's: the server must not keep one whose relay is gone without a word,
// with its machine, its network or its processor.
var session = map[string]string{
	"idle_session_timeout":                "10s", // a living relay asks every second
	"idle_in_transaction_session_timeout": "25s", // more than the broker is given to confirm
	"tcp_user_timeout":                    "10s", // of what the server sends
	// A mark that is lost in a crash only publishes its event again, so no commit of ours waits for the disk.
	"synchronous_commit": "off",
}

type relay struct {
	*daemon.Daemon

	rows    *prometheus.CounterVec // by outcome
	active  prometheus.Gauge
	pending prometheus.Gauge
	oldest  prometheus.Gauge

	purged, measured time.Time
}

func newRelay(d *daemon.Daemon) *relay {
	r := &relay{
		Daemon: d,
		rows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "aquaerp_relay_rows_total",
			Help: "Outbox rows by outcome: published, unheard (an event no queue is bound to), kept (a request or reply no queue took), refused (by a full queue).",
		}, []string{"outcome"}),
		active:  prometheus.NewGauge(prometheus.GaugeOpts{Name: "aquaerp_relay_active", Help: "1 of the relay that publishes, 0 of one that stands by."}),
		pending: prometheus.NewGauge(prometheus.GaugeOpts{Name: "aquaerp_outbox_pending", Help: "Rows not yet published."}),
		oldest:  prometheus.NewGauge(prometheus.GaugeOpts{Name: "aquaerp_outbox_oldest_seconds", Help: "Age of the oldest row not yet published."}),
	}
	d.Metrics.MustRegister(r.rows, r.active, r.pending, r.oldest)
	return r
}

func (r *relay) run(ctx context.Context) { r.Keep(ctx, "outbox", r.pump) }

// pump stands by until no other relay is active, then publishes until
// something fails or ctx ends; a batch under way is finished first.
func (r *relay) pump(ctx context.Context, does func(string)) error {
	db, conn, hangUp, err := r.Connect(ctx, session)
	if err != nil {
		return err
	}
	defer hangUp() // which gives the lock back
	publisher, err := broker.NewPublisher(conn, topology.Events)
	if err != nil {
		return err
	}
	does("stands by")
	if err := r.standBy(ctx, db, conn); err != nil {
		return err
	}
	r.active.Set(1)
	defer r.active.Set(0)
	if err := daemon.Step(ctx, func(ctx context.Context) error {
		_, err := db.Exec(ctx, "listen outbox")
		return err
	}); err != nil {
		return err
	}
	does("publishes")
	for ctx.Err() == nil {
		var taken int
		if err := daemon.Step(ctx, func(ctx context.Context) (err error) {
			if taken, err = r.batch(ctx, db, publisher); err != nil {
				return err
			}
			if err := r.measure(ctx, db); err != nil {
				return err
			}
			return r.purge(ctx, db)
		}); err != nil {
			return err
		}
		if taken == batchSize {
			continue
		}
		if err := wait(ctx, db, conn); err != nil {
			return err
		}
	}
	return nil
}

// standBy returns nil once this relay holds the lock. It asks again and again:
// to wait inside PostgreSQL would hold a snapshot, and keep vacuum from what
// the other relay has marked.
func (r *relay) standBy(ctx context.Context, db *pgx.Conn, conn *amqp.Connection) error {
	for {
		var held bool
		if err := daemon.Step(ctx, func(ctx context.Context) error {
			if err := r.measure(ctx, db); err != nil {
				return err
			}
			return db.QueryRow(ctx, "select pg_try_advisory_lock($1)", lock).Scan(&held)
		}); err != nil || held {
			return err
		}
		if err := wait(ctx, db, conn); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// wait returns at the next notification, after a poll's time, or when ctx
// ends; it fails when either server is gone.
func wait(ctx context.Context, db *pgx.Conn, conn *amqp.Connection) error {
	waiting, cancel := context.WithTimeout(ctx, poll)
	defer cancel()
	_, err := db.WaitForNotification(waiting)
	switch {
	case conn.IsClosed():
		return amqp.ErrClosed
	case waiting.Err() != nil && !db.IsClosed():
		return nil
	default:
		return err
	}
}

// fates are the ids of a batch by what the broker said.
type fates struct {
	published   []uuid.UUID
	undelivered []uuid.UUID // to be tried again later
}

// batch publishes up to batchSize rows and marks those the broker answered
// for, even when it failed on the others.
func (r *relay) batch(ctx context.Context, db *pgx.Conn, publisher *broker.Publisher) (taken int, err error) {
	tx, err := db.Begin(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { _ = tx.Rollback(ctx) }() // after a commit it does nothing
	var f fates
	taken, failed := r.publish(ctx, tx, publisher, &f)
	marks := &pgx.Batch{}
	if len(f.published) > 0 {
		marks.Queue("update eventing.outbox set published_at = clock_timestamp(), retry_at = null where id = any($1)", f.published)
	}
	if len(f.undelivered) > 0 {
		marks.Queue(`update eventing.outbox set attempts = attempts + 1,
				retry_at = clock_timestamp() + (0.5 + random()) * least($2 * 2 ^ least(attempts, 20), $3) * interval '1 second'
			where id = any($1)`, f.undelivered, retryFirst.Seconds(), retryLast.Seconds())
	}
	if marks.Len() == 0 {
		return taken, failed
	}
	if err := tx.SendBatch(ctx, marks).Close(); err != nil {
		return taken, errors.Join(failed, err)
	}
	return taken, errors.Join(failed, tx.Commit(ctx))
}

// publish streams rows from the table to the broker, so that a batch of large
// events takes no more memory than what is in flight.
func (r *relay) publish(ctx context.Context, tx pgx.Tx, publisher *broker.Publisher, f *fates) (taken int, err error) {
	rows, err := tx.Query(ctx, `
		select id, routing_key, event::text
		from eventing.outbox
		where published_at is null and (retry_at is null or retry_at <= clock_timestamp())
		order by id
		limit $1`, batchSize)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	publishing, cancel := context.WithTimeout(ctx, daemon.PublishTimeout)
	defer cancel()
	for rows.Next() {
		var (
			id    uuid.UUID
			key   string
			event []byte
		)
		if err := rows.Scan(&id, &key, &event); err != nil {
			return taken, err
		}
		taken++
		m := broker.Message{Key: key, ID: id.String(), ContentType: "application/cloudevents+json", Body: event}
		if err := publisher.Publish(publishing, m, func(o broker.Outcome) { r.settle(f, id, key, event, o) }); err != nil {
			return taken, err
		}
	}
	if err := rows.Err(); err != nil {
		return taken, err
	}
	return taken, publisher.Flush(publishing)
}

// settle sorts a row by the broker's answer.
func (r *relay) settle(f *fates, id uuid.UUID, key string, event []byte, o broker.Outcome) {
	log := r.Log.With("id", id, "routing_key", key)
	outcome := "published"
	switch {
	case o == broker.Unroutable && expected(key, event):
		outcome = "kept"
		log.Error("no queue takes this message, it is kept and tried again")
	case o == broker.Unroutable:
		outcome = "unheard"
		log.Debug("nobody listens to this event")
	case o == broker.Refused:
		outcome = "refused"
		log.Warn("a queue refuses this message, it is tried again")
	}
	r.rows.WithLabelValues(outcome).Inc()
	if outcome == "kept" || outcome == "refused" {
		f.undelivered = append(f.undelivered, id)
	} else {
		f.published = append(f.published, id)
	}
}

// expected tells a reply and a request by post, which somebody must take, from
// an event, which may interest nobody.
func expected(key string, event []byte) bool {
	if strings.HasPrefix(key, "reponse.") {
		return true
	}
	var extensions struct {
		ReplyTo string `json:"replyto"`
	}
	// What is not JSON cannot be in a column of that type.
	return json.Unmarshal(event, &extensions) == nil && extensions.ReplyTo != ""
}

// measure looks at the table when it is time to; a relay that stands by does
// too, so that what it shows is as true as what the active one does.
func (r *relay) measure(ctx context.Context, db *pgx.Conn) error {
	if time.Since(r.measured) < measureEvery {
		return nil
	}
	var pending, oldest float64
	err := db.QueryRow(ctx, `select count(*), coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)
		from eventing.outbox where published_at is null`).Scan(&pending, &oldest)
	if err != nil {
		return fmt.Errorf("measure: %w", err)
	}
	r.pending.Set(pending)
	r.oldest.Set(oldest)
	r.measured = time.Now()
	return nil
}

// purge forgets old rows when it is time to, a little at a time so that no
// event waits for it.
func (r *relay) purge(ctx context.Context, db *pgx.Conn) error {
	if time.Since(r.purged) < purgeEvery {
		return nil
	}
	var outbox, inbox int
	err := db.QueryRow(ctx, "select eventing.purge_outbox($1, $3), eventing.purge_inbox($2, $3)", keepOutbox, keepInbox, purgeSize).Scan(&outbox, &inbox)
	if err != nil {
		return fmt.Errorf("purge: %w", err)
	}
	if outbox < purgeSize && inbox < purgeSize {
		r.purged = time.Now()
	}
	return nil
}
