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
	batchSize      = 1000             // rows of one transaction: the more, the less often the broker waits for the database
	batchTimeout   = 30 * time.Second // after which everything begins again
	publishTimeout = 20 * time.Second // of the broker, which leaves time to mark what it did confirm
	poll           = time.Second      // for rows whose notification was missed, or whose time has come

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

type relay struct {
	*daemon.Daemon

	rows    *prometheus.CounterVec // by outcome
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
		pending: prometheus.NewGauge(prometheus.GaugeOpts{Name: "aquaerp_outbox_pending", Help: "Rows not yet published."}),
		oldest:  prometheus.NewGauge(prometheus.GaugeOpts{Name: "aquaerp_outbox_oldest_seconds", Help: "Age of the oldest row not yet published."}),
	}
	d.Metrics.MustRegister(r.rows, r.pending, r.oldest)
	return r
}

func (r *relay) run(ctx context.Context) { r.Keep(ctx, "outbox", r.pump) }

// pump publishes until something fails or ctx ends; a batch under way is
// finished first.
func (r *relay) pump(ctx context.Context, up func()) error {
	db, err := connect(ctx, r.DatabaseURL)
	if err != nil {
		return err
	}
	defer hangUp(db)
	conn, err := broker.Dial(ctx, r.AMQPURL, r.Name)
	if err != nil {
		return err
	}
	defer broker.Close(conn)
	publisher, err := broker.NewPublisher(conn, topology.Events)
	if err != nil {
		return err
	}
	if err := bounded(ctx, func(ctx context.Context) error {
		_, err := db.Exec(ctx, "listen outbox")
		return err
	}); err != nil {
		return err
	}
	up()
	for ctx.Err() == nil {
		var taken int
		if err := bounded(ctx, func(ctx context.Context) (err error) {
			if taken, err = r.batch(ctx, db, publisher); err != nil {
				return err
			}
			return r.housekeep(ctx, db)
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

// connect opens the one connection of a pump. A mark that is lost in a crash
// only publishes its event again, so no commit of ours waits for the disk.
func connect(ctx context.Context, url string) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	config.ConnectTimeout = 10 * time.Second
	config.RuntimeParams["synchronous_commit"] = "off"
	config.RuntimeParams["application_name"] = "relay"
	return pgx.ConnectConfig(ctx, config)
}

func hangUp(db *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_ = db.Close(ctx)
}

// bounded runs a step that must end, but not because of a SIGTERM.
func bounded(ctx context.Context, step func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), batchTimeout)
	defer cancel()
	return step(ctx)
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
		limit $1
		for update skip locked`, batchSize)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	publishing, cancel := context.WithTimeout(ctx, publishTimeout)
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

// housekeep measures and purges when it is time to, a little at a time so that
// no event waits for it.
func (r *relay) housekeep(ctx context.Context, db *pgx.Conn) error {
	now := time.Now()
	if now.Sub(r.measured) >= measureEvery {
		r.measured = now
		var pending, oldest float64
		err := db.QueryRow(ctx, `select count(*), coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)
			from eventing.outbox where published_at is null`).Scan(&pending, &oldest)
		if err != nil {
			return err
		}
		r.pending.Set(pending)
		r.oldest.Set(oldest)
	}
	if now.Sub(r.purged) < purgeEvery {
		return nil
	}
	var outbox, inbox int
	err := db.QueryRow(ctx, "select eventing.purge_outbox($1, $3), eventing.purge_inbox($2, $3)", keepOutbox, keepInbox, purgeSize).Scan(&outbox, &inbox)
	if err != nil {
		return fmt.Errorf("purge: %w", err)
	}
	if outbox < purgeSize && inbox < purgeSize {
		r.purged = now
	}
	return nil
}
