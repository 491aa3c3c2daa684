// Command relay moves events from the outbox to RabbitMQ.
//
// Guarantees:
//
//   - At least once. A row is marked published only after the broker confirmed
//     it, so what is in flight when the relay, the broker or the database dies
//     is published again; consumers tell duplicates by source and id.
//   - Rows go out in the order of their ids, as far as one relay alone can
//     promise: two relays, a retry or a late commit may reorder.
//   - An event nobody listens to counts as published. A command by post or a
//     reply that no queue takes is kept, logged as an error and tried again
//     with growing delays.
//   - Several relays may run at once: each takes rows that no other holds.
//   - A published row is kept for 7 days, and an inbox row for 30.
//
// It logs counts, ids and routing keys, never what an event says.
package main

import (
	"context"

	"aquaerp.fr/eventing/daemon"
)

func main() {
	daemon.Main("relay", func(ctx context.Context, d *daemon.Daemon) { newRelay(d).run(ctx) })
}
