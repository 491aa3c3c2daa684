package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"
	amqp "github.com/rabbitmq/amqp091-go"

	"aquaerp.fr/eventing/broker"
	"aquaerp.fr/eventing/daemon"
	"aquaerp.fr/eventing/topology"
)

const (
	batchSize    = 100
	poll         = time.Second
	measureEvery = 15 * time.Second
	keepReplayed = 30 * 24 * time.Hour // as long as the inbox remembers
)

// keeper parks and replays.
type keeper struct {
	*daemon.Daemon
	delays []time.Duration

	parked   *prometheus.CounterVec // by queue
	replayed *prometheus.CounterVec // by queue
	waiting  *prometheus.GaugeVec   // by whom it waits for

	kept time.Time // when the parking lot was last measured and purged
}

func newKeeper(d *daemon.Daemon, delays []time.Duration) *keeper {
	k := &keeper{
		Daemon:   d,
		delays:   delays,
		parked:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "aquaerp_deadletter_parked_total", Help: "Messages that died, by queue."}, []string{"queue"}),
		replayed: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "aquaerp_deadletter_replayed_total", Help: "Messages published again, by queue."}, []string{"queue"}),
		waiting:  prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "aquaerp_deadletter_waiting", Help: "Messages in the parking lot that wait, for a replay or for a person."}, []string{"for"}),
	}
	d.Metrics.MustRegister(k.parked, k.replayed, k.waiting)
	return k
}

func (k *keeper) run(ctx context.Context) {
	var loops sync.WaitGroup
	loops.Go(func() { k.Keep(ctx, "park", k.park) })
	loops.Go(func() { k.Keep(ctx, "replay", k.replay) })
	loops.Wait()
}

// park moves dead letters into the table until something fails or ctx ends.
func (k *keeper) park(ctx context.Context, does func(string)) error {
	db, conn, hangUp, err := k.Connect(ctx, nil)
	if err != nil {
		return err
	}
	defer hangUp()
	ch, err := conn.Channel()
	if err != nil {
		return err
	}
	if err := ch.Qos(batchSize, 0, false); err != nil {
		return err
	}
	deliveries, err := ch.Consume(topology.DeadQueue, k.Name, false, false, false, false, nil)
	if err != nil {
		return err
	}
	does("parks")
	for {
		batch, err := some(ctx, deliveries)
		if len(batch) == 0 {
			return err
		}
		if err := daemon.Step(ctx, func(ctx context.Context) error { return k.store(ctx, db, batch) }); err != nil {
			return err
		}
		if err := batch[len(batch)-1].Ack(true); err != nil {
			return err
		}
	}
}

// some waits for a delivery and returns it with those that are already here;
// none when ctx has ended or the channel is closed.
func some(ctx context.Context, deliveries <-chan amqp.Delivery) ([]amqp.Delivery, error) {
	var batch []amqp.Delivery
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case d, open := <-deliveries:
		if !open {
			return nil, amqp.ErrClosed
		}
		batch = append(batch, d)
	}
	for len(batch) < batchSize {
		select {
		case d, open := <-deliveries:
			if !open {
				return batch, nil
			}
			batch = append(batch, d)
		default:
			return batch, nil
		}
	}
	return batch, nil
}

// store writes dead letters in one transaction. One that was here before is
// the same row again: its past tries decide when the next one is, if any.
func (k *keeper) store(ctx context.Context, db *pgx.Conn, batch []amqp.Delivery) error {
	statements := &pgx.Batch{}
	letters := make([]letter, len(batch))
	for i, d := range batch {
		l := read(d)
		letters[i] = l
		var delays []time.Duration // none: past its end is null, which is a person
		if l.event {
			delays = k.delays
		}
		statements.Queue(`
			insert into eventing.parking_lot as p (queue, source, event_id, type, reason, deaths, content, content_type, next_try)
			values ($1, $2, $3, $4, $5, $6, $7, $8, clock_timestamp() + (0.5 + random()) * ($9::interval[])[1])
			on conflict (queue, source, event_id) do update set
				type = excluded.type, reason = excluded.reason, deaths = excluded.deaths,
				content = excluded.content, content_type = excluded.content_type,
				died = p.died + 1, changed_at = clock_timestamp(),
				state = case when p.state = 'ABANDONNE' then p.state else 'ATTENTE' end,
				next_try = case when p.state = 'ABANDONNE' then null
					else clock_timestamp() + (0.5 + random()) * ($9::interval[])[p.attempts + 1] end`,
			l.queue, l.source, l.id, l.messageType, l.reason, l.deaths, d.Body, l.contentType, delays)
	}
	if err := db.SendBatch(ctx, statements).Close(); err != nil {
		return err
	}
	for _, l := range letters {
		k.parked.WithLabelValues(l.queue).Inc()
		k.Log.Warn("parked", "queue", l.queue, "source", l.source, "id", l.id, "type", l.messageType, "reason", l.reason)
	}
	return nil
}

// replay publishes what is due until something fails or ctx ends.
func (k *keeper) replay(ctx context.Context, does func(string)) error {
	db, conn, hangUp, err := k.Connect(ctx, nil)
	if err != nil {
		return err
	}
	defer hangUp()
	publisher, err := broker.NewPublisher(conn, "")
	if err != nil {
		return err
	}
	does("replays")
	for {
		var due int
		if err := daemon.Step(ctx, func(ctx context.Context) (err error) {
			if due, err = k.publish(ctx, db, publisher); err != nil {
				return err
			}
			return k.housekeep(ctx, db)
		}); err != nil {
			return err
		}
		if due == batchSize && ctx.Err() == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(poll):
		}
		if conn.IsClosed() {
			return amqp.ErrClosed
		}
	}
}

// publish sends up to batchSize messages that are due to the queues they died
// in, and marks those the broker answered for.
func (k *keeper) publish(ctx context.Context, db *pgx.Conn, publisher *broker.Publisher) (due int, err error) {
	tx, err := db.Begin(ctx)
	if err != nil {
		return 0, err
	}
	defer func() { _ = tx.Rollback(ctx) }() // after a commit it does nothing
	rows, err := tx.Query(ctx, `
		select id, queue, event_id, content_type, content
		from eventing.parking_lot
		where next_try <= clock_timestamp()
		order by next_try
		limit $1
		for update skip locked`, batchSize)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	marks := &pgx.Batch{}
	failed := func() error {
		publishing, cancel := context.WithTimeout(ctx, daemon.PublishTimeout)
		defer cancel()
		for rows.Next() {
			var id int64
			var m broker.Message
			if err := rows.Scan(&id, &m.Key, &m.ID, &m.ContentType, &m.Body); err != nil {
				return err
			}
			due++
			if err := publisher.Publish(publishing, m, func(o broker.Outcome) { k.settle(marks, id, m.Key, o) }); err != nil {
				return err
			}
		}
		return errors.Join(rows.Err(), publisher.Flush(publishing))
	}()
	rows.Close()
	if marks.Len() == 0 {
		return due, failed
	}
	if err := tx.SendBatch(ctx, marks).Close(); err != nil {
		return due, errors.Join(failed, err)
	}
	return due, errors.Join(failed, tx.Commit(ctx))
}

// settle marks a message by the broker's answer. Where the queue does not
// exist or refuses, the try counts too: a person must see it in the end.
func (k *keeper) settle(marks *pgx.Batch, id int64, queue string, o broker.Outcome) {
	log := k.Log.With("parked", id, "queue", queue)
	if o == broker.Accepted {
		k.replayed.WithLabelValues(queue).Inc()
		log.Info("replayed")
		marks.Queue(`update eventing.parking_lot
			set state = 'REJOUE', attempts = attempts + 1, next_try = null, changed_at = clock_timestamp()
			where id = $1`, id)
		return
	}
	log.Error("the queue does not take it back", "missing", o == broker.Unroutable)
	marks.Queue(`update eventing.parking_lot
		set attempts = attempts + 1, next_try = clock_timestamp() + (0.5 + random()) * ($2::interval[])[attempts + 2], changed_at = clock_timestamp()
		where id = $1`, id, k.delays)
}

// housekeep measures who waits, and forgets what was replayed long ago.
func (k *keeper) housekeep(ctx context.Context, db *pgx.Conn) error {
	if time.Since(k.kept) < measureEvery {
		return nil
	}
	if _, err := db.Exec(ctx, `delete from eventing.parking_lot where id in (
			select id from eventing.parking_lot where state = 'REJOUE' and changed_at < now() - $1::interval limit 1000)`, keepReplayed); err != nil {
		return err
	}
	var replay, person float64
	err := db.QueryRow(ctx, `select count(*) filter (where next_try is not null), count(*) filter (where next_try is null)
		from eventing.parking_lot where state = 'ATTENTE'`).Scan(&replay, &person)
	if err != nil {
		return err
	}
	k.waiting.WithLabelValues("replay").Set(replay)
	k.waiting.WithLabelValues("person").Set(person)
	k.kept = time.Now()
	return nil
}
