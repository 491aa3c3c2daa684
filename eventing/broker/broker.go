// Package broker is how eventing's programs speak to RabbitMQ.
//
// Every wait has an end: a connection that cannot be made, a write that the
// broker does not read and a peer that fell silent all become errors within
// seconds, and the caller begins again with a new connection.
package broker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
)

const (
	dialTimeout  = 10 * time.Second
	writeTimeout = 10 * time.Second // a broker in alarm stops reading
	heartbeat    = 5 * time.Second  // silence for three of them ends the connection
	closeTimeout = 2 * time.Second
)

// Dial connects to an amqp URL. name is what the broker's own tools show.
func Dial(ctx context.Context, url, name string) (*amqp.Connection, error) {
	properties := amqp.NewConnectionProperties()
	properties.SetClientConnectionName(name)
	conn, err := amqp.DialConfig(url, amqp.Config{
		Heartbeat:  heartbeat,
		Locale:     "en_US",
		Properties: properties,
		Dial: func(network, address string) (net.Conn, error) {
			dialer := net.Dialer{Timeout: dialTimeout}
			conn, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			// Of the handshake; the library lifts it once the connection is open.
			if err := conn.SetDeadline(time.Now().Add(dialTimeout)); err != nil {
				return nil, err
			}
			return writeDeadline{conn}, nil
		},
	})
	if err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	return conn, nil
}

// Close ends a connection without waiting for a broker that is gone.
func Close(conn *amqp.Connection) {
	_ = conn.CloseDeadline(time.Now().Add(closeTimeout)) // it is closed whatever this says
}

type writeDeadline struct{ net.Conn }

func (c writeDeadline) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// window is how many messages may await the broker's answer. Throughput stops
// growing around a hundred; what is in flight is sent again after a failure.
const window = 200

// Outcome is the broker's answer to a message.
type Outcome int

const (
	// Accepted by every queue it was routed to, and safe there.
	Accepted Outcome = iota
	// Unroutable: no queue is bound to its key.
	Unroutable
	// Refused by a queue that is full or in trouble.
	Refused
)

// Message is a message to publish. It is persistent.
type Message struct {
	Key         string // routing key
	ID          string // MessageId
	ContentType string
	Body        []byte
}

// Publisher publishes to one exchange in confirm mode, many messages at a
// time. It is for one goroutine, and useless after its first error.
type Publisher struct {
	ch       *amqp.Channel
	exchange string
	returns  chan amqp.Return
	flying   []flight
	returned map[string]bool // ids that came back before their confirmation
}

type flight struct {
	id      string
	confirm *amqp.DeferredConfirmation
	settle  func(Outcome)
}

// NewPublisher opens a channel for the exchange; "" delivers to the queue
// named by the key.
func NewPublisher(conn *amqp.Connection, exchange string) (*Publisher, error) {
	ch, err := conn.Channel()
	if err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	if err := ch.Confirm(false); err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	return &Publisher{
		ch:       ch,
		exchange: exchange,
		// Never full, as only what flies can come back: the library drops what it cannot hand over.
		returns:  ch.NotifyReturn(make(chan amqp.Return, 2*window)),
		returned: map[string]bool{},
	}, nil
}

// Publish sends a message, after waiting for room among those in flight. A
// later Publish or Flush calls settle once the broker has answered; it is not
// called when the connection fails first, and the message may then have been
// accepted or not.
func (p *Publisher) Publish(ctx context.Context, m Message, settle func(Outcome)) error {
	for len(p.flying) >= window {
		if err := p.land(ctx); err != nil {
			return err
		}
	}
	confirm, err := p.ch.PublishWithDeferredConfirm(p.exchange, m.Key, true, false, amqp.Publishing{
		DeliveryMode: amqp.Persistent,
		MessageId:    m.ID,
		ContentType:  m.ContentType,
		Body:         m.Body,
	})
	if err != nil {
		return fmt.Errorf("broker: %w", err)
	}
	p.flying = append(p.flying, flight{m.ID, confirm, settle})
	return nil
}

// Flush waits until everything in flight is settled.
func (p *Publisher) Flush(ctx context.Context) error {
	for len(p.flying) > 0 {
		if err := p.land(ctx); err != nil {
			return err
		}
	}
	return nil
}

// land settles the oldest message in flight.
func (p *Publisher) land(ctx context.Context) error {
	f := p.flying[0]
	select {
	case <-f.confirm.Done():
	case <-ctx.Done():
		return fmt.Errorf("broker: no confirmation: %w", ctx.Err())
	}
	// A message that comes back does so before it is confirmed, on the same
	// channel: what this one's fate was is already here.
	for drained := false; !drained; {
		select {
		case r, open := <-p.returns:
			if open {
				p.returned[r.MessageId] = true
			}
			drained = !open
		default:
			drained = true
		}
	}
	if !f.confirm.Acked() && p.ch.IsClosed() {
		return errors.New("broker: the channel closed before a confirmation")
	}
	p.flying = p.flying[1:]
	switch {
	case !f.confirm.Acked():
		f.settle(Refused)
	case p.returned[f.id]:
		delete(p.returned, f.id)
		f.settle(Unroutable)
	default:
		f.settle(Accepted)
	}
	return nil
}
