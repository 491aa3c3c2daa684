package function

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"aquaerp.fr/shared/message"
)

// NewID is a new UUID of version 7: ids sort by the time they were made.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

// DB is what a handler may do with the database.
type DB interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
	CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, src pgx.CopyFromSource) (int64, error)
}

// Tx is the transaction of one message. The schema in force is the function's own.
type Tx struct {
	DB
	// Now is the instant of the message, the same wherever the handler looks.
	Now time.Time

	in       cloudevents.Event // the message, or the zero Event
	function string
	identity Identity
	trace    string
	out      []outgoing
}

type outgoing struct {
	key   string // routing key
	event cloudevents.Event
}

// Today is the day of Now in Europe/Paris.
func (tx *Tx) Today() message.Date { return message.DateOf(tx.Now) }

// SentOn is the day on which the message was sent; a queue may have held it since.
func (tx *Tx) SentOn() message.Date { return message.DateOf(tx.in.Time()) }

// Identity is on whose behalf the message is handled.
func (tx *Tx) Identity() Identity { return tx.identity }

// Emit puts an event about the aggregate subject into the outbox. version is
// the aggregate's own, so that consumers see gaps; 0 when it has none.
func (tx *Tx) Emit(subject string, version int64, payload message.Message) {
	e := tx.newEvent(payload.Type(), subject, payload)
	if version > 0 {
		e.SetExtension(extSequence, fmt.Sprint(version))
	}
	tx.out = append(tx.out, outgoing{e.Type(), e})
}

// Post puts a command or query for another function into the outbox. Its
// reply or refusal comes back to OnReply with the same subject and correlation.
func (tx *Tx) Post(subject, correlation string, payload message.Message) {
	e := tx.newEvent(payload.Type(), subject, payload)
	e.SetExtension(extReplyTo, tx.function)
	e.SetExtension(extCorrelation, correlation)
	tx.out = append(tx.out, outgoing{e.Type(), e})
}

// Try does a part of a message's work that may be refused on its own: the
// refusal is returned apart, what the part wrote and emitted is taken back,
// and the message goes on. A part that is to be tried again is no refusal.
func (tx *Tx) Try(ctx context.Context, part func() error) (refusal *message.Problem, err error) {
	if _, err := tx.Exec(ctx, "savepoint part"); err != nil {
		return nil, err
	}
	emitted := len(tx.out)
	err = part()
	switch {
	case err == nil:
		_, err = tx.Exec(ctx, "release savepoint part")
	case errors.As(err, &refusal) && refusal.Status != http.StatusServiceUnavailable:
		tx.out = tx.out[:emitted]
		_, err = tx.Exec(ctx, "rollback to savepoint part; release savepoint part")
	default:
		refusal = nil
	}
	return refusal, err
}

// reply puts the answer to a posted request into the outbox.
func (tx *Tx) reply(payloadType string, payload any) {
	e := tx.newEvent(payloadType, tx.in.Subject(), payload)
	e.SetExtension(extCorrelation, extension(tx.in, extCorrelation))
	tx.out = append(tx.out, outgoing{"reponse." + extension(tx.in, extReplyTo), e})
}

// The extensions that AquaERP sets on its events.
const (
	extCorrelation  = "correlationid"
	extCausation    = "causationid"
	extSequence     = "sequence"
	extPartitionKey = "partitionkey"
	extReplyTo      = "replyto"
	extTrace        = "traceparent"
	extAuthID       = "authid"
)

func (tx *Tx) newEvent(payloadType, subject string, payload any) cloudevents.Event {
	e := cloudevents.NewEvent()
	e.SetID(NewID())
	e.SetSource("/functions/" + tx.function)
	e.SetType(payloadType)
	e.SetTime(tx.Now)
	if subject != "" {
		e.SetSubject(subject)
		e.SetExtension(extPartitionKey, subject)
	}
	correlation := extension(tx.in, extCorrelation)
	if correlation == "" {
		correlation = tx.in.ID()
	}
	set := func(name, value string) {
		if value != "" {
			e.SetExtension(name, value)
		}
	}
	set(extCorrelation, correlation)
	set(extCausation, tx.in.ID())
	set(extTrace, tx.trace)
	set(extAuthID, tx.identity.ID)
	if err := e.SetData(cloudevents.ApplicationJSON, payload); err != nil {
		panic(err) // payloads are plain structs
	}
	return e
}

func extension(e cloudevents.Event, name string) string {
	s, _ := e.Extensions()[name].(string)
	return s
}

// claim is what identifies a message in the first round trip.
type claim struct {
	delivery bool   // inbox instead of stored reply
	request  bool   // a delivery that wants an answer: its refusal is stored too
	readOnly bool   // a query
	store    bool   // a direct command whose reply is stored
	hash     []byte // of the command's type and payload
}

func hashOf(e cloudevents.Event) []byte {
	h := sha256.New()
	_, _ = io.WriteString(h, e.Type()+"\n")
	_, _ = h.Write(e.Data())
	return h.Sum(nil)
}

// begin opens the transaction and claims the message in one round trip. It
// returns the stored reply when the command was answered before, and
// errDuplicate for a delivery that was handled before.
func begin(ctx context.Context, conn *pgxpool.Conn, e cloudevents.Event, c claim) (now time.Time, stored []byte, err error) {
	b := &pgx.Batch{}
	if c.readOnly {
		b.Queue("begin isolation level repeatable read read only")
	} else {
		b.Queue("begin")
	}
	b.Queue("select now()").QueryRow(func(row pgx.Row) error { return row.Scan(&now) })
	fresh := true
	switch {
	case c.delivery:
		b.Queue("insert into eventing.inbox (source, id) values ($1, $2) on conflict do nothing", e.Source(), e.ID()).
			Exec(func(tag pgconn.CommandTag) error { fresh = tag.RowsAffected() == 1; return nil })
		if c.request {
			b.Queue("savepoint work")
		}
	case c.store:
		b.Queue("insert into reply (source, id, type, body_hash) values ($1, $2, $3, $4) on conflict do nothing", e.Source(), e.ID(), e.Type(), c.hash).
			Exec(func(tag pgconn.CommandTag) error { fresh = tag.RowsAffected() == 1; return nil })
		b.Queue("select body_hash, reply from reply where source = $1 and id = $2", e.Source(), e.ID()).
			QueryRow(func(row pgx.Row) error {
				var hash []byte
				if err := row.Scan(&hash, &stored); err != nil {
					return err
				}
				if !fresh && string(hash) != string(c.hash) {
					return Refused("cle_reutilisee",
						"Cette clé d'idempotence a déjà servi à une autre demande ; prenez-en une nouvelle.",
						"This idempotency key was used for another request; take a new one.")
				}
				return nil
			})
	}
	if err := conn.SendBatch(ctx, b).Close(); err != nil {
		return now, nil, err
	}
	if !fresh && c.delivery {
		return now, nil, errDuplicate
	}
	return now, stored, nil
}

const insertOutbox = `insert into eventing.outbox (id, routing_key, event)
	select id, key, event::json from unnest($1::uuid[], $2::text[], $3::text[]) as o (id, key, event)`

// commit writes what goes out and the stored reply, and commits, in one round trip.
func (tx *Tx) commit(ctx context.Context, c claim, reply []byte) error {
	b := &pgx.Batch{}
	if len(tx.out) > 0 {
		ids, keys, events := make([]string, len(tx.out)), make([]string, len(tx.out)), make([]string, len(tx.out))
		for i, o := range tx.out {
			raw, err := json.Marshal(o.event)
			if err != nil {
				return fmt.Errorf("event %s: %w", o.event.Type(), err)
			}
			ids[i], keys[i], events[i] = o.event.ID(), o.key, string(raw)
		}
		b.Queue(insertOutbox, ids, keys, events)
	}
	if c.store {
		b.Queue("update reply set reply = $3 where source = $1 and id = $2", tx.in.Source(), tx.in.ID(), reply)
	}
	// A transaction that failed before answers "commit" by rolling back, without an error.
	b.Queue("commit").Exec(func(tag pgconn.CommandTag) error {
		if tag.String() != "COMMIT" {
			return errors.New("the transaction had failed and was rolled back")
		}
		return nil
	})
	return tx.SendBatch(ctx, b).Close()
}

func isConnectionError(err error) bool {
	var timeout net.Error
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.As(err, &timeout) || errors.As(err, new(*pgconn.ConnectError))
}
