// Command declare declares the topology of package topology in the broker at
// AMQP_URL, and ends. It may run again at any time.
//
// It waits two minutes for a broker that is still starting. AMQP_NODES, when
// there are several nodes, are their host:ports: it waits for each of them too,
// because a queue's members are chosen among the nodes that are up when it is
// declared, and stay.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"aquaerp.fr/eventing/broker"
	"aquaerp.fr/eventing/topology"
)

const (
	patience = 2 * time.Minute
	pause    = time.Second
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx, os.Getenv("AMQP_URL"), strings.Fields(os.Getenv("AMQP_NODES"))); err != nil {
		fmt.Fprintln(os.Stderr, "declare:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, url string, nodes []string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	bindings, err := topology.Read()
	if err != nil {
		return err
	}
	for _, node := range nodes {
		// A node listens once it is a member of the cluster.
		if err := again(ctx, func() error {
			conn, err := new(net.Dialer).DialContext(ctx, "tcp", node)
			if err == nil {
				err = conn.Close()
			}
			return err
		}); err != nil {
			return err
		}
	}
	var conn *amqp.Connection
	if err := again(ctx, func() (err error) {
		conn, err = broker.Dial(ctx, url, "declare")
		return err
	}); err != nil {
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

// again does something until it succeeds, and says what it waits for; when ctx
// ends first, the error is the last one.
func again(ctx context.Context, do func() error) error {
	for tries := 0; ; tries++ {
		err := do()
		if err == nil {
			return nil
		}
		if tries == 0 {
			fmt.Fprintln(os.Stderr, "declare: waits:", err)
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}
