// Command deadletter keeps what functions did not take, and tries again.
//
// Without arguments it runs until SIGTERM: what arrives in the queue of dead
// letters is written to the parking lot, and acknowledged only once that is
// committed; what is due is published again to the queue it died in, and
// nowhere else.
//
// The broker does not tell why a message died: the adapter rejects alike what
// a function could not take now (503), what it never will (422) and what it
// was carrying when it was stopped. So each message is replayed by itself a
// few times, with growing and jittered delays, which is enough for a restart
// or an outage of minutes and costs little for a poison; then it waits for a
// person, state ATTENTE without a next try. What is no CloudEvent at all waits
// for a person at once.
//
// Replaying is safe, however often: a function's inbox records what it has
// done, in the same transaction. It is at least once: a replay that was
// confirmed when we died is published again.
//
// For people, with DATABASE_URL of the role deadletter:
//
//	deadletter list [-state ATTENTE|REJOUE|ABANDONNE] [-queue Q] [-n 50]
//	deadletter show ID
//	deadletter replay ID... | -queue Q | -all
//	deadletter drop ID -why REASON
//
// replay only marks: the running program publishes within a second, and its
// automatic tries begin anew. -all and -queue take what waits for a person.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"aquaerp.fr/eventing/daemon"
)

func main() {
	if len(os.Args) == 1 {
		daemon.Main("deadletter", func(ctx context.Context, d *daemon.Daemon) { newKeeper(d, delays).run(ctx) })
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := operate(ctx, os.Stdout, os.Getenv("DATABASE_URL"), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "deadletter:", err)
		cancel()
		os.Exit(1)
	}
}

// delays before each automatic replay; jitter takes or adds up to a half.
var delays = []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute}
