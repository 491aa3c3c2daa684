// Command drill-persistence shows that PostgreSQL and RabbitMQ keep what they
// have: both die while clients post commands, and find everything on their
// volumes again.
package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"aquaerp.fr/scripts/cluster"
)

const usage = `go run ./scripts/drill-persistence

Kills postgres-0, then rabbitmq-0 (grace 0) while clients post commands, and
counts the users before and after, and what was acknowledged. It writes
subscriptions, contracts and payments of its own (PDLs DRILL-...): not on an
installation that bills.`

func main() { cluster.RunDrill("drill-persistence", usage, run) }

// back is how long a server may take to come back: the broker boots for half a
// minute on a small node.
const back = 3 * time.Minute

func run(ctx context.Context, d *cluster.Drill) error {
	before, err := users(ctx)
	if err != nil {
		return err
	}
	d.Saw("%d users", before)
	w, err := d.Writer(ctx)
	if err != nil {
		return err
	}
	for _, server := range []string{"postgres", "rabbitmq"} {
		if err := lose(ctx, d, w, server); err != nil {
			return err
		}
	}
	if err := d.Count(ctx, w); err != nil {
		return err
	}
	after, err := users(ctx)
	if err != nil {
		return err
	}
	d.Sum("%d users: those of before and the %d whose accounts the drill's subscriptions opened", after, w.Accounts())
	d.Check(after == before+w.Accounts(), "%d users, want %d", after, before+w.Accounts())
	return nil
}

// lose kills a server and waits until commands are acknowledged after it is back.
func lose(ctx context.Context, d *cluster.Drill, w *cluster.Writer, server string) error {
	pod := server + "-0"
	old, err := uid(ctx, pod)
	if err != nil {
		return err
	}
	acknowledged := w.Acknowledged()
	d.Does("kill %s after %d commands", pod, acknowledged)
	if err := cluster.KillStateful(ctx, pod); err != nil {
		return err
	}
	took, err := cluster.Until(ctx, back, func(ctx context.Context) (bool, error) {
		if now, err := uid(ctx, pod); err != nil || now == old {
			return false, err
		}
		pods, err := cluster.Pods(ctx, cluster.Named(server))
		return len(cluster.Serving(pods)) > 0, err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", pod, err)
	}
	meanwhile := w.Acknowledged() - acknowledged
	again, err := cluster.Until(ctx, back, func(context.Context) (bool, error) { return w.Acknowledged() > acknowledged+meanwhile+20, nil })
	if err != nil {
		return fmt.Errorf("commands after %s came back: %w", pod, err)
	}
	d.Sum("%s is ready after %.1f s, with %d commands acknowledged meanwhile; 20 more %.1f s later", pod, took.Seconds(), meanwhile, again.Seconds())
	return nil
}

func uid(ctx context.Context, pod string) (string, error) {
	return cluster.Kubectl(ctx, "get", "pod", pod, "--output", "jsonpath={.metadata.uid}")
}

// users asks as the operators' guide does.
func users(ctx context.Context) (n int, err error) {
	out, err := cluster.Kubectl(ctx, "exec", "-it", "postgres-0", "-n", cluster.Namespace, "--", "psql", "-U", "postgres", "-d", "aquaerp", "-c", "SELECT count(*) FROM users;")
	if err != nil {
		return 0, err
	}
	if _, err := fmt.Sscanf(strings.TrimSpace(out), "count \n-------\n%d", &n); err != nil {
		return 0, fmt.Errorf("psql answers %q", out)
	}
	return n, nil
}
