// Command publish sends one message to the broker at AMQP_URL, as a program
// outside the product does: the body comes from standard input, and a
// structured CloudEvent is what the functions' sources understand.
//
//	publish [-exchange aquaerp.events] -key fr.aquaerp.contrat.active.v1 -id ID < event.json
//
// It ends with 0 once the broker has the message in every queue bound to the
// key, and says so; a key that no queue is bound to is an error.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"aquaerp.fr/eventing/broker"
	"aquaerp.fr/eventing/topology"
)

func main() {
	exchange := flag.String("exchange", topology.Events, `exchange; "" delivers to the queue named by the key`)
	m := broker.Message{}
	flag.StringVar(&m.Key, "key", "", "routing key, which is the event's type")
	flag.StringVar(&m.ID, "id", "", "MessageId, which is the event's id")
	flag.StringVar(&m.ContentType, "type", "application/cloudevents+json", "content type")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx, *exchange, m, os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "publish:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, exchange string, m broker.Message, body io.Reader) (err error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if m.Key == "" || m.ID == "" {
		return errors.New("-key and -id are needed")
	}
	if m.Body, err = io.ReadAll(body); err != nil {
		return err
	}
	conn, err := broker.Dial(ctx, os.Getenv("AMQP_URL"), "publish")
	if err != nil {
		return err
	}
	defer broker.Close(conn)
	publisher, err := broker.NewPublisher(conn, exchange)
	if err != nil {
		return err
	}
	outcome := broker.Refused
	if err := publisher.Publish(ctx, m, func(o broker.Outcome) { outcome = o }); err != nil {
		return err
	}
	if err := publisher.Flush(ctx); err != nil {
		return err
	}
	switch outcome {
	case broker.Unroutable:
		return fmt.Errorf("no queue is bound to %s", m.Key)
	case broker.Refused:
		return fmt.Errorf("a queue refuses %s", m.ID)
	}
	fmt.Printf("published %s to %s\n", m.ID, cmp.Or(exchange, "the queue")+" "+m.Key)
	return nil
}
