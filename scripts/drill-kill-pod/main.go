// Command drill-kill-pod shows that nothing which was acknowledged is lost or
// doubled when pods die: those of every function, the relay, the adapters and
// the dead letters, one after the other, while clients post commands.
package main

import (
	"context"
	"flag"
	"fmt"
	"time"

	"aquaerp.fr/scripts/cluster"
)

const usage = `go run ./scripts/drill-kill-pod [-rounds 2]

Kills (grace 0) all pods of each function, of the relay, of the adapters and of
the dead letters in turn while clients post commands, then counts what was
acknowledged. It writes subscriptions, contracts and payments of its own (PDLs
DRILL-...): not on an installation that bills.`

var rounds = flag.Int("rounds", 2, "times that everything dies")

func main() { cluster.RunDrill("drill-kill-pod", usage, run) }

func run(ctx context.Context, d *cluster.Drill) error {
	w, err := d.Writer(ctx)
	if err != nil {
		return err
	}
	victims := []struct{ name, selector string }{
		{"relay", cluster.Named("relay")},
		{"adapters", cluster.Adapters},
		{"deadletter", cluster.Named("deadletter")},
		{cluster.Gateway, cluster.Of(cluster.Gateway)},
	}
	for _, service := range cluster.Sleepers {
		victims = append(victims, struct{ name, selector string }{service, cluster.Of(service)})
	}
	for round := range *rounds {
		died := 0
		for _, v := range victims {
			before := w.Acknowledged()
			n, err := cluster.Kill(ctx, v.selector)
			if err != nil {
				return err
			}
			died += n
			d.Check(n > 0 || round > 0, "no pod of %s was there to kill", v.name)
			// Commands of every kind between two deaths: a death nobody notices proves nothing.
			if _, err := cluster.Until(ctx, time.Minute, func(context.Context) (bool, error) { return w.Acknowledged() >= before+between, nil }); err != nil {
				return fmt.Errorf("after the death of %s, %d commands in a minute: %w", v.name, w.Acknowledged()-before, err)
			}
		}
		d.Sum("round %d: %d pods died, %d commands acknowledged so far", round+1, died, w.Acknowledged())
	}
	return d.Count(ctx, w)
}

// between is how many commands are acknowledged between two deaths.
const between = 20
