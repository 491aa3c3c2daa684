package function

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/jackc/pgx/v5/pgxpool"

	"aquaerp.fr/shared/message"
)

// attempts of a transaction whose connection broke or that lost a conflict.
// Running it again is safe even when the fate of its commit is unknown: the
// claim of the message tells.
const attempts = 3

// transact handles a message in a transaction and returns the reply's payload.
func (rt *Runtime) transact(ctx context.Context, l *Listen, e cloudevents.Event, id Identity) (reply []byte, err error) {
	c := claim{
		delivery: id.System,
		request:  id.System && l.request,
		readOnly: !id.System && rt.table.queries[e.Type()],
	}
	c.store = !c.delivery && !c.readOnly && !l.ephemeral
	if c.store {
		c.hash = hashOf(e)
	}
	for attempt := 1; ; attempt++ {
		reply, err = rt.attempt(ctx, l, e, id, c)
		if attempt == attempts || !transient(err) {
			return reply, err
		}
		select {
		case <-time.After(time.Duration(attempt*attempt) * 50 * time.Millisecond):
		case <-ctx.Done():
			return nil, err
		}
	}
}

func (rt *Runtime) attempt(ctx context.Context, l *Listen, e cloudevents.Event, id Identity, c claim) (reply []byte, err error) {
	if rt.pool == nil {
		return nil, errors.New("DATABASE_URL is not set")
	}
	conn, err := rt.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release() // a connection still in a transaction is closed, not reused
	now, stored, err := begin(ctx, conn, e, c)
	if err != nil || stored != nil {
		rollback(conn)
		return stored, err
	}
	tx := &Tx{DB: conn, Now: now, in: e, function: rt.Name, identity: id, trace: traceparent(ctx)}
	payload, err := guard(func() (any, error) { return l.inTx(ctx, tx, e.Data()) })
	switch {
	case err != nil && c.request && problemOf(err).Status != http.StatusServiceUnavailable:
		// The asker is told by post, so the refusal is the outcome.
		if _, err := conn.Exec(ctx, "rollback to savepoint work"); err != nil {
			rollback(conn)
			return nil, err
		}
		rt.Log.InfoContext(ctx, "refused", "type", e.Type(), "id", e.ID(), "code", problemOf(err).Code)
		tx.out = nil
		tx.reply(message.RefusalType(e.Type()), problemOf(err))
	case errors.As(err, new(*kept)):
		tx.out = nil
		if err := tx.commit(ctx, claim{}, nil); err != nil {
			rollback(conn)
			return nil, err
		}
		return nil, err
	case err != nil:
		rollback(conn)
		return nil, err
	case c.request:
		tx.reply(message.ReplyType(e.Type()), payload)
	case l.request:
		if reply, err = json.Marshal(payload); err != nil {
			rollback(conn)
			return nil, fmt.Errorf("reply of %s: %w", e.Type(), err)
		}
	}
	if err := tx.commit(ctx, c, reply); err != nil {
		rollback(conn)
		return nil, err
	}
	return reply, nil
}

// rollback ends a failed transaction; the context of the message may be over,
// so it has its own deadline. A connection that cannot is closed on release.
func rollback(conn *pgxpool.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	_, _ = conn.Exec(ctx, "rollback")
}

// guard turns a panic of a handler into an error with its stack.
func guard[R any](handle func() (R, error)) (r R, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicked{v, debug.Stack()}
		}
	}()
	return handle()
}

// InTx runs a piece of a Work handler in a transaction of its own; what it
// emits goes out with its commit. do may run again when the connection broke.
func (rt *Runtime) InTx(ctx context.Context, do func(tx *Tx) error) error {
	in, _ := ctx.Value(inKey{}).(cloudevents.Event)
	l := &Listen{inTx: func(_ context.Context, tx *Tx, _ []byte) (any, error) { return nil, do(tx) }}
	for attempt := 1; ; attempt++ {
		_, err := rt.attempt(ctx, l, in, Identity{System: true, ID: extension(in, extAuthID)}, claim{})
		if attempt == attempts || !transient(err) {
			return err
		}
		time.Sleep(time.Duration(attempt*attempt) * 50 * time.Millisecond)
	}
}

type inKey struct{}

// deliver handles an event, a posted request or a reply.
func (rt *Runtime) deliver(ctx context.Context, e cloudevents.Event) error {
	l := rt.table.byType[e.Type()]
	if isReply(e.Type()) {
		l = rt.table.replies
	}
	switch {
	case l == nil:
		return Refused("type_inconnu", rt.Name+" n'écoute pas "+e.Type()+".", rt.Name+" does not listen to "+e.Type()+".")
	case l.request && !l.post:
		return Refused("pas_par_courrier", e.Type()+" ne s'envoie pas par la file.", e.Type()+" cannot be posted.")
	case l.work != nil:
		ctx = context.WithValue(ctx, inKey{}, e)
		_, err := guard(func() (struct{}, error) { return struct{}{}, l.work(ctx, rt, e.Data()) })
		return err
	}
	_, err := rt.transact(ctx, l, e, Identity{System: true, ID: extension(e, extAuthID)})
	return err
}

// answer handles a direct command or query.
func (rt *Runtime) answer(ctx context.Context, e cloudevents.Event, token string) ([]byte, error) {
	l := rt.table.byType[e.Type()]
	if l == nil || !l.request {
		return nil, NotFound("type_inconnu", rt.Name+" ne répond pas à "+e.Type()+".", rt.Name+" does not answer "+e.Type()+".")
	}
	var id Identity
	if l.right != Public {
		if token == "" {
			return nil, Unauthorized("jeton_manquant", "Connectez-vous d'abord.", "Log in first.")
		}
		var err error
		if id, err = rt.VerifyToken(token); err != nil {
			return nil, err
		}
		if !l.right.allows(id) {
			return nil, Forbidden("droit_manquant", "Votre rôle ne permet pas cette action.", "Your role does not allow this.")
		}
	}
	return rt.transact(ctx, l, e, id)
}

// report logs what went wrong, once, in one place.
func (rt *Runtime) report(ctx context.Context, e cloudevents.Event, err error) {
	var p *panicked
	switch {
	case err == nil, errors.Is(err, errDuplicate):
	case errors.As(err, &p):
		rt.Log.ErrorContext(ctx, "panic", "type", e.Type(), "id", e.ID(), "value", fmt.Sprint(p.value), "stack", string(p.stack))
	case expected(err):
		rt.Log.InfoContext(ctx, "refused", "type", e.Type(), "id", e.ID(), "code", problemOf(err).Code)
	default:
		rt.Log.ErrorContext(ctx, "failed", "type", e.Type(), "id", e.ID(), "error", err.Error())
	}
}
