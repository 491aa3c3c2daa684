// Command drill-event shows that a sleeping function is woken by its queue: a
// program outside the cluster publishes one event to RabbitMQ, and each
// function that is bound to it takes it once.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"aquaerp.fr/eventing/topology"
	"aquaerp.fr/scripts/cluster"
	"aquaerp.fr/shared/message"
)

const usage = `go run ./scripts/drill-event

Waits until every function sleeps, publishes from outside an event that tells
again of a contract taken over, as a former system does that sends twice, and
sees it taken by each function that listens. Needs a contract that was taken over.`

func main() { cluster.RunDrill("drill-event", usage, run) }

// source is who we say we are.
const source = "/exercices/systeme-precedent"

// asleep is how long the functions may take to sleep; see drill-scale.
const asleep = 4 * time.Minute

// taken is how long the functions may take to wake and commit.
const taken = time.Minute

func run(ctx context.Context, d *cluster.Drill) error {
	listeners, err := listening((message.ContratActive{}).Type())
	if err != nil {
		return err
	}
	id := uuid.NewString()
	event, err := again(ctx, id)
	if err != nil {
		return err
	}
	if _, err := cluster.UntilZero(ctx, asleep, cluster.Functions); err != nil {
		return err
	}
	d.Does("no function has a pod; publish %s to RabbitMQ from outside", (message.ContratActive{}).Type())
	if err := cluster.Publish(ctx, "relay", topology.Events, (message.ContratActive{}).Type(), id, event); err != nil {
		return err
	}
	seen := map[string]bool{}
	took, err := cluster.Until(ctx, taken, func(ctx context.Context) (bool, error) {
		pods, err := cluster.Pods(ctx, cluster.Functions)
		for _, p := range pods {
			seen[p.Service] = true
		}
		if err != nil {
			return false, err
		}
		n, err := claims(ctx, id)
		return n >= len(listeners), err
	})
	if err != nil {
		return fmt.Errorf("functions that took the event: %w", err)
	}
	n, err := claims(ctx, id)
	if err != nil {
		return err
	}
	d.Sum("an event published from outside woke %d functions (%s), which had taken it once each after %.1f s", len(seen), strings.Join(listeners, ", "), took.Seconds())
	d.Check(n == len(listeners) && len(seen) == n, "%d functions listen, %d took it, %d had pods", len(listeners), n, len(seen))
	return nil
}

// listening are the functions bound to a type.
func listening(key string) (functions []string, err error) {
	bindings, err := topology.Read()
	for _, f := range bindings.Functions() {
		if slices.Contains(bindings[f], key) {
			functions = append(functions, f)
		}
	}
	return functions, err
}

// again is the newest event that told of a contract taken over, from another
// source and with another id: to the functions it is news that they have heard.
func again(ctx context.Context, id string) ([]byte, error) {
	stored, err := cluster.SQL(ctx, "select event from eventing.outbox where routing_key = '"+(message.ContratActive{}).Type()+
		"' and event->'data'->>'reprise' = 'true' order by id desc limit 1")
	if err == nil && stored == "" {
		err = errors.New("no contract was taken over")
	}
	if err != nil {
		return nil, err
	}
	var event map[string]any
	if err := json.Unmarshal([]byte(stored), &event); err != nil {
		return nil, fmt.Errorf("stored event: %w", err)
	}
	event["id"], event["source"] = id, source
	return json.Marshal(event)
}

// claims counts the inbox rows of the event.
func claims(ctx context.Context, id string) (int, error) {
	out, err := cluster.SQL(ctx, "select count(*) from eventing.inbox where source = '"+source+"' and id = '"+id+"'")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(out)
}
