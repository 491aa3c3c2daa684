// Package settle tells whether anything is still under way between the
// functions, on one machine or on a cluster: an event not published, one not
// taken yet by a function that listens, a dead letter that waits, a mail not
// sent.
//
// It asks the database and nothing else: an event is delivered when its
// consumer's inbox holds it, which no queue can tell.
package settle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"aquaerp.fr/eventing/topology"
	"aquaerp.fr/shared/message"
)

// Pending is what is under way.
type Pending struct {
	Unpublished int // events in the outbox
	Undelivered int // published, and not taken yet by a function that listens
	Parked      int // dead letters that wait
	Unsent      int // mails not sent; a letter waits for the next print
}

// Settled tells that nothing is.
func (p Pending) Settled() bool { return p == Pending{} }

// Query returns the four numbers of Pending in a row. $1 and $2, text[], are
// what Deliveries returns.
const Query = `
	with bound as (select * from unnest($1::text[], $2::text[]) as b (consumer, key))
	select (select count(*) from eventing.outbox where published_at is null),
	       (select count(*) from eventing.outbox o join bound b on b.key = o.routing_key
	        where o.published_at is not null and not exists (
	          select from eventing.inbox i
	          where i.consumer = b.consumer and i.source = o.event->>'source' and i.id = o.id::text)),
	       (select count(*) from eventing.parking_lot where state = 'ATTENTE'),
	       (select count(*) from mailer.envoi where etat = 'ATTENTE_PIECE' or canal = 'EMAIL' and etat in ('QUEUED', 'SENDING'))`

// unclaimed are the events that functions take outside a transaction
// (function.Work), so that no inbox holds them.
var unclaimed = []string{message.EnvoiPret{}.Type(), message.EnvoiFait{}.Type(), message.DepotAFaire{}.Type()}

// Deliveries are the pairs of function and routing key under which the inbox
// must hold every event.
func Deliveries() (functions, keys []string, err error) {
	bindings, err := topology.Read()
	if err != nil {
		return nil, nil, err
	}
	for _, function := range bindings.Functions() {
		for _, key := range bindings[function] {
			if !slices.Contains(unclaimed, key) {
				functions, keys = append(functions, function), append(keys, key)
			}
		}
	}
	return functions, keys, nil
}

var errStuck = errors.New("somebody has to look")

// stuck is how long nothing may move before waiting for it makes no sense:
// longer than dead letters and ticks take before they try again.
const stuck = 7 * time.Minute

// Wait counts, with a pause between, and returns once nothing is under way, or
// an error when nothing moves any more. A count that fails is tried again.
func Wait(ctx context.Context, pause time.Duration, count func(context.Context) (Pending, error)) error {
	var last Pending
	var faults error
	for moved := time.Now(); ; {
		p, err := count(ctx)
		switch {
		case err == nil && p.Settled():
			return nil
		case err == nil && p != last:
			moved, last = time.Now(), p
		case err != nil:
			faults = err
		}
		if time.Since(moved) > stuck {
			return fmt.Errorf("nothing moves: %+v: %w", last, errors.Join(errStuck, faults))
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not settled: %+v: %w", last, errors.Join(ctx.Err(), faults))
		case <-time.After(pause):
		}
	}
}
