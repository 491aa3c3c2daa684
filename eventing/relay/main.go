// Command relay moves events from the outbox to RabbitMQ.
//
// Guarantees:
//
//   - At least once. A row is marked published only after the broker confirmed
//     it, so what is in flight when the relay, the broker or the database dies
//     is published again; consumers tell duplicates by source and id.
//   - Of several relays one is active; the others stand by, connected to both
//     servers, and one of them takes over within a second when the active
//     relay or its PostgreSQL session ends. A relay that is gone without a word
//     keeps its session, and so its lock, for 10 s, or 25 s in mid batch.
//   - Events first appear in the order of their ids, whoever is killed; a late
//     commit, or a retry of what no queue took, comes later.
//   - An event nobody listens to counts as published. A command by post or a
//     reply that no queue takes is kept, logged as an error and tried again
//     with growing delays.
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
