package cluster

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"aquaerp.fr/eventing/topology"
	"aquaerp.fr/scripts/settle"
	"aquaerp.fr/shared/message"
)

// Pending counts what is under way between the functions.
func Pending(ctx context.Context) (p settle.Pending, err error) {
	functions, keys, err := settle.Deliveries()
	if err != nil {
		return p, err
	}
	// psql has no parameters of its own; a prepared statement has.
	out, err := SQL(ctx, fmt.Sprintf("prepare pending (text[], text[]) as %s;\nexecute pending (%s, %s);", settle.Query, array(functions), array(keys)))
	if err != nil {
		return p, err
	}
	_, err = fmt.Sscanf(strings.TrimSpace(strings.TrimPrefix(out, "PREPARE")), "%d|%d|%d|%d", &p.Unpublished, &p.Undelivered, &p.Parked, &p.Unsent)
	if err != nil {
		err = fmt.Errorf("pending: %w in %q", err, out)
	}
	return p, err
}

// Settle waits until nothing is under way between the functions, doing what an
// operator does who does not want to wait: dead letters are replayed now
// rather than in minutes, and mailer is told to look for mails whose sender
// died. It returns how long it took.
func Settle(ctx context.Context, patience time.Duration) (time.Duration, error) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	pushed := began
	err := settle.Wait(ctx, time.Second, func(ctx context.Context) (settle.Pending, error) {
		p, err := Pending(ctx)
		if err == nil && !p.Settled() && time.Since(pushed) > 15*time.Second {
			pushed = time.Now()
			err = push(ctx, p)
		}
		return p, err
	})
	return time.Since(began), err
}

// push hastens what waits for its time.
func push(ctx context.Context, p settle.Pending) error {
	if p.Parked > 0 {
		if _, err := Replay(ctx); err != nil {
			return err
		}
	}
	if p.Unsent > 0 {
		return Tick(ctx, "mailer")
	}
	return nil
}

// Replay has every dead letter that waits published again now, as `deadletter
// replay` does for a person, and tells how many they are.
func Replay(ctx context.Context) (int, error) {
	out, err := SQL(ctx, "select id from eventing.parking_lot where state = 'ATTENTE'")
	ids := strings.Fields(out)
	if err == nil && len(ids) > 0 {
		_, err = Kubectl(ctx, append([]string{"exec", "deployment/deadletter", "--", "/ko-app/deadletter", "replay"}, ids...)...)
	}
	return len(ids), err
}

// Tick does what a PingSource does, without waiting for its minute: it tells a
// function to look for work that is due. It comes by the function's queue.
func Tick(ctx context.Context, function string) error {
	id := uuid.NewString()
	event := fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"/scripts/cluster","type":%q,"datacontenttype":"application/json","data":{}}`, id, message.Tick{}.Type())
	return Publish(ctx, "deadletter", "", topology.Queue(function), id, []byte(event))
}

// Queue is what RabbitMQ says of one.
type Queue struct {
	Name      string
	Messages  int
	Consumers int
}

// Queues are those of the product.
func Queues(ctx context.Context) (queues []Queue, err error) {
	out, err := Kubectl(ctx, "exec", "rabbitmq-0", "--container", "rabbitmq", "--",
		"rabbitmqctl", "--quiet", "--no-table-headers", "list_queues", "--vhost", "aquaerp", "name", "messages", "consumers")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(out) {
		var q Queue
		if _, err := fmt.Sscan(line, &q.Name, &q.Messages, &q.Consumers); err != nil {
			return nil, fmt.Errorf("list_queues: %w in %q", err, line)
		}
		queues = append(queues, q)
	}
	return queues, nil
}
