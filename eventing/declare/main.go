// Command declare declares the topology of package topology in the broker at
// AMQP_URL, and ends. It may run again at any time.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"aquaerp.fr/eventing/broker"
	"aquaerp.fr/eventing/topology"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "declare:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	bindings, err := topology.Read()
	if err != nil {
		return err
	}
	conn, err := broker.Dial(ctx, os.Getenv("AMQP_URL"), "declare")
	if err != nil {
		return err
	}
	defer broker.Close(conn)
	// What waits for an answer gives up when the connection does.
	defer context.AfterFunc(ctx, func() { broker.Close(conn) })()
	if err := bindings.Declare(conn); err != nil {
		return err
	}
	fmt.Printf("declared %d queues\n", len(bindings)+1)
	return nil
}
