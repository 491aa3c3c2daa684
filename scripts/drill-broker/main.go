// Command drill-broker shows what happens while RabbitMQ is away: commands are
// taken all the same, their events wait in the outbox, and when the broker
// returns everything drains.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"time"

	"aquaerp.fr/scripts/cluster"
)

const usage = `go run ./scripts/drill-broker [-away 45s]

Scales RabbitMQ to zero under clients that post commands, brings it back, sees
the outbox drain, restarts the adapters that Kubernetes still holds back, and
counts what was acknowledged. It writes subscriptions, contracts and payments of
its own (PDLs DRILL-...): not on an installation that bills.`

var away = flag.Duration("away", 45*time.Second, "how long the broker stays away")

// back is how long the broker may take to come back.
const back = 3 * time.Minute

func main() { cluster.RunDrill("drill-broker", usage, run) }

func run(ctx context.Context, d *cluster.Drill) (err error) {
	nodes, err := cluster.Kubectl(ctx, "get", "statefulset", "rabbitmq", "--output", "jsonpath={.spec.replicas}")
	if err != nil {
		return err
	}
	w, err := d.Writer(ctx)
	if err != nil {
		return err
	}
	d.Does("scale RabbitMQ from %s to 0 for %v", nodes, *away)
	if err := scale(ctx, "0"); err != nil {
		return err
	}
	// Whatever happens, it is not left at zero.
	defer func() { err = errors.Join(err, scale(context.WithoutCancel(ctx), nodes)) }()
	if _, err := cluster.UntilZero(ctx, back, cluster.Named("rabbitmq")); err != nil {
		return err
	}
	if err := without(ctx, d, w); err != nil {
		return err
	}

	d.Does("scale RabbitMQ to %s", nodes)
	if err := scale(ctx, nodes); err != nil {
		return err
	}
	want, err := strconv.Atoi(nodes)
	if err != nil {
		return err
	}
	took, err := cluster.UntilServing(ctx, back, cluster.Named("rabbitmq"), want)
	if err != nil {
		return err
	}
	d.Saw("RabbitMQ is ready after %.1f s", took.Seconds())
	if err := drains(ctx, d); err != nil {
		return err
	}
	if err := adapters(ctx, d); err != nil {
		return err
	}
	return d.Count(ctx, w)
}

func scale(ctx context.Context, replicas string) error {
	_, err := cluster.Kubectl(ctx, "scale", "statefulset", "rabbitmq", "--replicas", replicas)
	return err
}

// without watches commands and outbox while the broker is away.
func without(ctx context.Context, d *cluster.Drill, w *cluster.Writer) error {
	before, acknowledged := w.Tally(), w.Acknowledged()
	first, err := outbox(ctx)
	if err != nil {
		return err
	}
	select {
	case <-time.After(*away):
	case <-ctx.Done():
		return ctx.Err()
	}
	last, err := outbox(ctx)
	if err != nil {
		return err
	}
	after := w.Tally()
	n := w.Acknowledged() - acknowledged
	d.Sum("%v without RabbitMQ: %d commands acknowledged, %d single answers were 5xx; the outbox grew from %d to %d events",
		*away, n, after.Errors5xx-before.Errors5xx, first, last)
	d.Check(n > 0 && len(after.Never) == 0, "%d commands were acknowledged, %d never", n, len(after.Never))
	d.Check(after.Errors5xx == before.Errors5xx, "%d answers were 5xx", after.Errors5xx-before.Errors5xx)
	d.Check(last > first, "the outbox has not grown")
	return nil
}

// outbox counts the events that wait for the relay.
func outbox(ctx context.Context) (int, error) {
	out, err := cluster.SQL(ctx, "select count(*) from eventing.outbox where published_at is null")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(out)
}

// drains waits until the relay has caught up with the clients.
func drains(ctx context.Context, d *cluster.Drill) error {
	took, err := cluster.Until(ctx, back, func(ctx context.Context) (bool, error) {
		n, err := outbox(ctx)
		return n < 10, err // those of the last moment: the clients go on
	})
	if err != nil {
		return fmt.Errorf("the outbox does not drain: %w", err)
	}
	d.Sum("the outbox drained %.1f s after that", took.Seconds())
	return nil
}

// patience with Kubernetes, which lets a container that fell wait longer after
// every fall: 10 s, 20 s, 40 s and so on to 5 minutes. An adapter falls six
// seconds after it lost its broker, so an outage of a minute costs another.
const patience = 20 * time.Second

// adapters waits for them, then restarts those that Kubernetes holds back.
func adapters(ctx context.Context, d *cluster.Drill) error {
	var held []string
	all, why := 0, ""
	took, err := cluster.Until(ctx, patience, func(ctx context.Context) (bool, error) {
		pods, err := cluster.Pods(ctx, cluster.Adapters)
		held, all = nil, len(pods)
		for _, p := range pods {
			if !p.Ready {
				held, why = append(held, p.Name), p.Waiting
			}
		}
		return len(held) == 0, err
	})
	switch {
	case err == nil:
		d.Sum("all %d adapters run again by themselves %.1f s later", all, took.Seconds())
		return nil
	case !errors.Is(err, cluster.ErrNotYet):
		return err
	}
	d.Sum("%d of %d adapters are held back by Kubernetes (%s) %v later", len(held), all, why, patience)
	d.Does("restart %s", strings.Join(held, " "))
	if _, err := cluster.Kubectl(ctx, append([]string{"delete", "pod", "--wait=false"}, held...)...); err != nil {
		return err
	}
	took, err = cluster.UntilServing(ctx, back, cluster.Adapters, all)
	if err == nil {
		d.Sum("all %d adapters run %.1f s after that", all, took.Seconds())
	}
	return err
}
