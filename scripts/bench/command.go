package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"aquaerp.fr/eventing/broker"
	"aquaerp.fr/eventing/topology"
	"aquaerp.fr/scripts/client"
	"aquaerp.fr/shared/localserver"
	"aquaerp.fr/shared/message"
)

const (
	clients = 16
	alone   = 150 // commands of one client in a round
	crowd   = 640 // commands of sixteen clients in a round
)

// reason is what the technician reports.
const reason = "Portail fermé, personne sur place."

// command measures "this order could not be done": a row locked and changed,
// an event, a stored reply. The bare transaction leaves the same three rows
// in one round trip, without asking who it is for or whether it may.
//
// Workflow, which listens to the event, does not hear of it meanwhile: what
// an event costs is the next suite's. The relay publishes it for both.
//
// The clients are sixteen users, and one client alone sends in the name of
// each in turn: that way the gateway's limit of requests per user stays as
// it is.
func command(ctx context.Context, b *bench) error {
	c := &commands{bench: b}
	if err := c.prepare(ctx); err != nil {
		return err
	}
	defer c.pool.Close()
	hears, err := c.deafen(ctx)
	if err != nil {
		return err
	}
	measured, err := rounds(ctx, b.pairs, c.product(alone, 1), c.bare(alone, 1), c.product(crowd, clients), c.bare(crowd, clients))
	if err := errors.Join(err, hears()); err != nil {
		return err
	}
	product, bare := singles(measured[0]), singles(measured[1])
	figures := []Figure{
		{Name: "latency, median", Unit: "ms", As: ratio, Target: atMost(1.5),
			Definition: "one client: POST /v1/interventions/{id}/impossibilite through gateway, activator and function / one pipelined transaction with the same rows",
			Product:    each(product, median), Bare: each(bare, median)},
		{Name: "throughput, 16 clients", Unit: "/s", As: ratio, Target: atLeast(0.6),
			Definition: "sixteen clients at once: the same commands a second / the same transactions a second",
			Product:    each(measured[2], rate), Bare: each(measured[3], rate)},
	}
	// The hundredth worst of fewer than a thousand would be luck.
	if b.pairs*alone >= 1000 {
		p99 := quantile(0.99)
		figures = slices.Insert(figures, 1, Figure{Name: "latency, p99", Unit: "ms", As: ratio,
			Definition: "the same, 99th percentile of all rounds together",
			Product:    []float64{p99(slices.Concat(product...))}, Bare: []float64{p99(slices.Concat(bare...))}})
	}
	for _, f := range figures {
		if err := b.report.add(f); err != nil {
			return err
		}
	}
	return nil
}

// singles are the times of single commands, without that of the round.
func singles(rounds [][]float64) (out [][]float64) {
	for _, values := range rounds {
		out = append(out, values[:len(values)-1])
	}
	return out
}

// rate is per second of a round whose last value is how long it took.
func rate(values []float64) float64 { return float64(len(values)-1) * 1000 / values[len(values)-1] }

// commands sends the command and writes its rows.
type commands struct {
	*bench
	users []*client.Client
	pool  *pgxpool.Pool // as the function's role

	// Of a command that was sent: what the bare transaction copies.
	source, replyType string
	hash, reply       []byte
	event             map[string]any
}

// sent is one command: the order it is about and its Idempotency-Key.
type sent struct{ order, key string }

func (c *commands) prepare(ctx context.Context) error {
	api := client.New(c.bench.product.API, 0)
	for i := range clients {
		u := message.CreerUtilisateur{Identifiant: fmt.Sprintf("banc-%d@aquaerp.example", i), Nom: "Banc d'essai", Role: "superviseur", MotDePasse: password}
		if _, err := client.Post[message.Utilisateur](ctx, c.admin, "/v1/utilisateurs", u); err != nil {
			return err
		}
		user, err := api.Login(ctx, u.Identifiant, password)
		if err != nil {
			return err
		}
		c.users = append(c.users, user)
	}
	config, err := pgxpool.ParseConfig(c.bench.product.URL("intervention"))
	if err != nil {
		return err
	}
	config.MaxConns = clients
	config.ConnConfig.RuntimeParams["search_path"] = "intervention"
	if c.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return err
	}
	first, err := c.orders(ctx, 1)
	if err != nil {
		return err
	}
	if err := c.send(ctx, c.users[0], first[0]); err != nil {
		return err
	}
	var event []byte
	err = c.db.QueryRow(ctx, `select r.source, r.type, r.body_hash, r.reply, o.event
		from intervention.reply r, eventing.outbox o where r.id = $1 and o.event ->> 'subject' = $2`, first[0].key, first[0].order).
		Scan(&c.source, &c.replyType, &c.hash, &c.reply, &event)
	if err != nil {
		return fmt.Errorf("the rows of a command: %w", err)
	}
	return json.Unmarshal(event, &c.event)
}

// deafen unbinds the queue that takes the command's event. What it returns
// binds it again, and forgets the events that were not delivered: the product
// would never settle.
func (c *commands) deafen(ctx context.Context) (hears func() error, err error) {
	const queue = "aquaerp.workflow"
	key := message.InterventionImpossible{}.Type()
	conn, err := broker.Dial(ctx, c.bench.product.RabbitMQ.URL(localserver.RabbitUser, localserver.RabbitVhost), "bench")
	if err != nil {
		return nil, err
	}
	ch, err := conn.Channel()
	if err == nil {
		err = ch.QueueUnbind(queue, key, topology.Events, nil)
	}
	if err != nil {
		broker.Close(conn)
		return nil, err
	}
	return func() error {
		defer broker.Close(conn)
		err := c.published(ctx)
		if err == nil {
			_, err = c.db.Exec(ctx, "delete from eventing.outbox where routing_key = $1", key)
		}
		return errors.Join(err, ch.QueueBind(queue, key, topology.Events, false, nil))
	}, nil
}

// published returns once the relay has nothing left to do.
func (c *commands) published(ctx context.Context) error {
	for left := -1; left != 0; time.Sleep(5 * time.Millisecond) {
		if err := c.db.QueryRow(ctx, "select count(*) from eventing.outbox where published_at is null").Scan(&left); err != nil {
			return err
		}
	}
	return nil
}

// orders writes n orders of field work. They are input, not what is measured.
func (c *commands) orders(ctx context.Context, n int) ([]sent, error) {
	rows, err := c.db.Query(ctx, `
		insert into intervention.intervention (id, numero, etat, version, nature, priorite, prevue_le, pdl_id, pdl, compteur, adresse, contact, consigne, cree_a)
		select id, 'B-' || id, 'PLANIFIEE', 1, 'RELEVE', 'NORMALE', current_date, gen_random_uuid(), 'PDL-00001', 'D26A000001',
			'{"voie": "1 rue du Puits", "code_postal": "77999", "commune": "Brissy-sur-Loing"}', '', '', now()
		from (select gen_random_uuid() id from generate_series(1, $1)) as new returning id::text, gen_random_uuid()::text`, n)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (s sent, err error) {
		return s, row.Scan(&s.order, &s.key)
	})
}

func (c *commands) send(ctx context.Context, user *client.Client, s sent) error {
	o, err := client.PostOnce[message.Intervention](ctx, user, "/v1/interventions/"+s.order+"/impossibilite", map[string]string{"motif": reason}, s.key)
	if err == nil && (o.ID != s.order || o.Etat != "IMPOSSIBLE") {
		err = fmt.Errorf("the answer is %+v", o)
	}
	return err
}

// product sends n commands from some clients at once. Like bare, it returns
// the milliseconds of each and, last, of all.
func (c *commands) product(n, at int) arm {
	return func(ctx context.Context) ([]float64, error) {
		all, err := c.orders(ctx, n)
		if err != nil {
			return nil, err
		}
		return c.timed(ctx, all, at, func(ctx context.Context, i int) error { return c.send(ctx, c.users[i%clients], all[i]) })
	}
}

func (c *commands) bare(n, at int) arm {
	return func(ctx context.Context) ([]float64, error) {
		all, err := c.orders(ctx, n)
		if err != nil {
			return nil, err
		}
		ids, events := make([]string, n), make([][]byte, n)
		for i, s := range all { // before the clock runs
			ids[i] = uuid.Must(uuid.NewV7()).String()
			c.event["id"], c.event["subject"], c.event["partitionkey"] = ids[i], s.order, s.order
			c.event["data"].(map[string]any)["intervention_id"] = s.order
			if events[i], err = json.Marshal(c.event); err != nil {
				return nil, err
			}
		}
		return c.timed(ctx, all, at, func(ctx context.Context, i int) error {
			// Sent without a begin, the statements of a batch are one transaction.
			b := &pgx.Batch{}
			b.Queue("insert into reply (source, id, type, body_hash, reply) values ($1, $2, $3, $4, $5)", c.source, all[i].key, c.replyType, c.hash, c.reply)
			b.Queue("update intervention set etat = 'IMPOSSIBLE', version = version + 1, motif = $2 where id = $1", all[i].order, reason)
			b.Queue("insert into eventing.outbox (id, routing_key, event) values ($1, $2, $3)", ids[i], c.event["type"], events[i])
			return c.pool.SendBatch(ctx, b).Close()
		})
	}
}

// timed does every command once, from some goroutines at once, on a product
// that is otherwise at rest, and counts the rows they left.
func (c *commands) timed(ctx context.Context, all []sent, at int, do func(context.Context, int) error) ([]float64, error) {
	if err := c.published(ctx); err != nil {
		return nil, err
	}
	took := make([]float64, len(all)+1)
	var next atomic.Int64
	g, doing := errgroup.WithContext(ctx)
	begin := time.Now()
	for range at {
		g.Go(func() error {
			for i := int(next.Add(1)) - 1; i < len(all); i = int(next.Add(1)) - 1 {
				from := time.Now()
				if err := do(doing, i); err != nil {
					return err
				}
				took[i] = milliseconds(time.Since(from))
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	took[len(all)] = milliseconds(time.Since(begin))
	return took, c.check(ctx, all)
}

// check holds that each command left its three rows.
func (c *commands) check(ctx context.Context, all []sent) error {
	orders, keys := make([]string, len(all)), make([]string, len(all))
	for i, s := range all {
		orders[i], keys[i] = s.order, s.key
	}
	var states, replies, events int
	err := c.db.QueryRow(ctx, `select
		(select count(*) from intervention.intervention where id = any($1::uuid[]) and etat = 'IMPOSSIBLE' and version = 2),
		(select count(*) from intervention.reply where id = any($2) and reply is not null),
		(select count(*) from eventing.outbox where event ->> 'subject' = any($3::text[]))`, orders, keys, orders).Scan(&states, &replies, &events)
	if n := len(all); err == nil && (states != n || replies != n || events != n) {
		err = fmt.Errorf("%d commands left %d states, %d replies and %d events", n, states, replies, events)
	}
	return err
}
