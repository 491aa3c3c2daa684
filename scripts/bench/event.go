package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	amqp "github.com/rabbitmq/amqp091-go"
	"golang.org/x/sync/errgroup"

	"aquaerp.fr/eventing/broker"
	"aquaerp.fr/shared/localserver"
	"aquaerp.fr/shared/message"
)

const (
	burst    = 1000 // events of a round
	workers  = 32   // of the raw consumer
	rawQueue = "bench.raw"
)

// event measures how fast events that wait in the outbox take effect: a
// reading each, which facture keeps. The raw program publishes the same bytes
// itself, and its workers write the same two rows in one pipelined
// transaction for each message, then acknowledge it.
func event(ctx context.Context, b *bench) error {
	e := &events{bench: b}
	config, err := pgxpool.ParseConfig(b.product.URL("facture"))
	if err != nil {
		return err
	}
	config.MaxConns = workers
	config.ConnConfig.RuntimeParams["search_path"] = "facture"
	if e.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return err
	}
	defer e.pool.Close()
	// Two connections: a broker that slows a publisher down reads nothing of
	// its connection, acknowledgements included.
	for _, conn := range []**amqp.Connection{&e.publishing, &e.consuming} {
		if *conn, err = broker.Dial(ctx, b.product.RabbitMQ.URL(localserver.RabbitUser, localserver.RabbitVhost), "bench"); err != nil {
			return err
		}
		defer broker.Close(*conn)
	}
	measured, err := rounds(ctx, b.pairs, e.product, e.raw)
	if err != nil {
		return err
	}
	b.report.note("every round had %d effects of %d publications", burst, burst)
	return b.report.add(Figure{Name: "outbox to effect", Unit: "/s", As: ratio, Target: atLeast(0.85),
		Definition: fmt.Sprintf("events a second from the outbox through relay, RabbitMQ, the RabbitmqSource adapter and the activator to facture / published and consumed by %d workers of a raw program, a commit each", workers),
		Product:    each(measured[0], only), Bare: each(measured[1], only)})
}

type events struct {
	*bench
	pool                  *pgxpool.Pool // as the function's role
	publishing, consuming *amqp.Connection
}

// publication is an event as the runtime writes it into the outbox.
type publication struct {
	id    string
	event []byte
}

// publications are readings of a contract that nobody else has.
func publications(contrat string) ([]publication, error) {
	all := make([]publication, burst)
	for i := range all {
		id := uuid.Must(uuid.NewV7()).String()
		content, err := json.Marshal(map[string]any{
			"specversion": "1.0", "id": id, "source": "/functions/operation", "type": message.RelevesValides{}.Type(),
			"time": time.Now().UTC(), "subject": contrat, "partitionkey": contrat, "correlationid": id, "causationid": id,
			"datacontenttype": "application/json",
			"data": message.RelevesValides{Releves: []message.ReleveValide{{
				ReleveID: uuid.NewString(), ContratID: contrat, PoseID: contrat, Date: message.NewDate(2026, 10, 1), Index: int64(i)}}},
		})
		if err != nil {
			return nil, err
		}
		all[i] = publication{id, content}
	}
	return all, nil
}

// product puts the events into the outbox in one commit and waits for all effects.
func (e *events) product(ctx context.Context) ([]float64, error) {
	contrat := uuid.NewString()
	all, err := publications(contrat)
	if err != nil {
		return nil, err
	}
	if err := e.bench.product.Settle(ctx); err != nil {
		return nil, err
	}
	tx, err := e.db.Begin(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // after the commit it does nothing
	_, err = tx.CopyFrom(ctx, pgx.Identifier{"eventing", "outbox"}, []string{"id", "routing_key", "event"}, pgx.CopyFromSlice(len(all), func(i int) ([]any, error) {
		return []any{all[i].id, message.RelevesValides{}.Type(), all[i].event}, nil
	}))
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	if err := tx.Commit(ctx); err != nil {
		return nil, err
	}
	for deadline := begin.Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		var effects int
		if err := e.db.QueryRow(ctx, "select count(*) from facture.releve where contrat_id = $1", contrat).Scan(&effects); err != nil {
			return nil, err
		}
		if effects >= burst {
			break
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("%d effects of %d publications in a minute", effects, burst)
		}
	}
	took := time.Since(begin)
	// A message that were delivered once more would be under way still.
	if err := e.bench.product.Settle(ctx); err != nil {
		return nil, err
	}
	return []float64{burst / took.Seconds()}, e.check(ctx, contrat, all)
}

// raw publishes the events to a queue of its own and consumes them meanwhile.
func (e *events) raw(ctx context.Context) ([]float64, error) {
	contrat := uuid.NewString()
	all, err := publications(contrat)
	if err != nil {
		return nil, err
	}
	if err := e.bench.product.Settle(ctx); err != nil {
		return nil, err
	}
	in, err := e.consuming.Channel()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	if _, err := in.QueueDeclare(rawQueue, true, false, false, false, amqp.Table{amqp.QueueTypeArg: amqp.QueueTypeQuorum}); err != nil {
		return nil, err
	}
	if err := in.Qos(100, 0, false); err != nil { // that of the adapter
		return nil, err
	}
	deliveries, err := in.Consume(rawQueue, "", false, false, false, false, nil)
	if err != nil {
		return nil, err
	}
	var left atomic.Int64
	left.Store(burst)
	done := make(chan struct{})
	g, working := errgroup.WithContext(ctx)
	begin := time.Now()
	g.Go(func() error { return e.publish(working, all) })
	for range workers {
		g.Go(func() error {
			for {
				select {
				case d, open := <-deliveries:
					if !open {
						return amqp.ErrClosed
					}
					if err := e.take(working, d); err != nil {
						return err
					}
					if left.Add(-1) == 0 {
						close(done)
					}
				case <-done:
					return nil
				case <-working.Done():
					return working.Err()
				}
			}
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	took := time.Since(begin)
	return []float64{burst / took.Seconds()}, e.check(ctx, contrat, all)
}

// publish sends everything to the raw queue, many messages at a time, and
// returns once the broker has it safe.
func (e *events) publish(ctx context.Context, all []publication) error {
	out, err := broker.NewPublisher(e.publishing, "")
	if err != nil {
		return err
	}
	accepted := 0
	for _, p := range all {
		m := broker.Message{Key: rawQueue, ID: p.id, ContentType: "application/cloudevents+json", Body: p.event}
		if err := out.Publish(ctx, m, func(o broker.Outcome) {
			if o == broker.Accepted {
				accepted++
			}
		}); err != nil {
			return err
		}
	}
	if err := out.Flush(ctx); err != nil {
		return err
	}
	if accepted < len(all) {
		return fmt.Errorf("the broker took %d of %d messages", accepted, len(all))
	}
	return nil
}

// take gives a message its effect, as facture does.
func (e *events) take(ctx context.Context, d amqp.Delivery) error {
	var event struct {
		ID, Source string
		Data       message.RelevesValides
	}
	if err := json.Unmarshal(d.Body, &event); err != nil {
		return err
	}
	b := &pgx.Batch{} // one transaction
	b.Queue("insert into eventing.inbox (source, id) values ($1, $2) on conflict do nothing", event.Source, event.ID)
	for _, r := range event.Data.Releves {
		b.Queue("insert into releve (id, contrat_id, pose_id, date, index, estimee) values ($1, $2, $3, $4, $5, $6) on conflict (id) do nothing",
			r.ReleveID, r.ContratID, r.PoseID, r.Date, r.Index, r.Estimee)
	}
	if err := e.pool.SendBatch(ctx, b).Close(); err != nil {
		return err
	}
	return d.Ack(false)
}

// check holds that each publication took effect once.
func (e *events) check(ctx context.Context, contrat string, all []publication) error {
	ids := make([]string, len(all))
	for i, p := range all {
		ids[i] = p.id
	}
	var effects, distinct, taken int
	err := e.db.QueryRow(ctx, `select count(*), count(distinct index),
		(select count(*) from eventing.inbox where consumer = 'facture' and id = any($2)) from facture.releve where contrat_id = $1`, contrat, ids).
		Scan(&effects, &distinct, &taken)
	if err == nil && (effects != burst || distinct != burst || taken != burst) {
		err = fmt.Errorf("%d publications had %d effects, %d different, %d in the inbox", burst, effects, distinct, taken)
	}
	return err
}
