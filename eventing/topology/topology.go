// Package topology is the shape of RabbitMQ that events travel through:
//
//	relay ─▶ aquaerp.events (topic) ─▶ aquaerp.<function> (a quorum queue each) ─▶ RabbitmqSource
//	                                        │ refused, or delivered too often
//	                                        ▼
//	                   aquaerp.dead (fanout) ─▶ aquaerp.dead (quorum queue) ─▶ deadletter
//
// topology.yaml says what each function hears; Declare makes it so, and may
// run again at any time. It only adds: a binding taken out of the file stays
// in the broker until somebody unbinds it, which loses nothing, since a
// function refuses what it does not know and the refusal is parked. A queue
// whose arguments changed is refused by the broker and must be drained and
// deleted by a person.
package topology

import (
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"
	"sigs.k8s.io/yaml"
)

// Names in the broker.
const (
	Events    = "aquaerp.events" // exchange of everything the relay publishes
	Dead      = "aquaerp.dead"   // exchange of what no function took
	DeadQueue = "aquaerp.dead"
)

// Queue is the queue of a function.
func Queue(function string) string { return "aquaerp." + function }

//go:embed topology.yaml
var file []byte

// Bindings are the routing keys by consuming function.
type Bindings map[string][]string

// Read returns the bindings of topology.yaml.
func Read() (Bindings, error) {
	var config struct {
		APIVersion string            `json:"apiVersion"`
		Kind       string            `json:"kind"`
		Metadata   map[string]string `json:"metadata"`
		Data       map[string]string `json:"data"`
	}
	if err := yaml.UnmarshalStrict(file, &config); err != nil {
		return nil, fmt.Errorf("topology.yaml: %w", err)
	}
	bindings := Bindings{}
	for function, keys := range config.Data {
		bindings[function] = strings.Fields(keys)
		if !slices.IsSorted(bindings[function]) || len(slices.Compact(slices.Clone(bindings[function]))) != len(bindings[function]) {
			return nil, fmt.Errorf("topology.yaml: the keys of %s are not sorted and unique", function)
		}
	}
	return bindings, nil
}

// Functions are the consuming functions, sorted.
func (b Bindings) Functions() []string { return slices.Sorted(maps.Keys(b)) }

// queueArguments make a function's queue lose nothing: what is refused or
// delivered too often goes to the dead letters, and leaves only once it has
// arrived there. That strategy asks for the overflow that refuses.
func queueArguments(queue string) amqp.Table {
	return amqp.Table{
		amqp.QueueTypeArg:           amqp.QueueTypeQuorum,
		amqp.QueueOverflowArg:       amqp.QueueOverflowRejectPublish,
		"x-dead-letter-exchange":    Dead,
		"x-dead-letter-routing-key": queue,
		"x-dead-letter-strategy":    "at-least-once",
		// An adapter that dies takes up to 100 prefetched messages' count up with it, innocent ones too.
		"x-delivery-limit": int32(20),
	}
}

// deadArguments are those of the last queue, which has nowhere to send on to:
// RabbitMQ 4 drops what was delivered 20 times unless told otherwise, and
// RabbitMQ 3 does not know its -1 for "never".
var deadArguments = amqp.Table{
	amqp.QueueTypeArg:  amqp.QueueTypeQuorum,
	"x-delivery-limit": int32(1_000_000_000),
}

// Declare makes exchanges, queues and bindings that are missing.
func (b Bindings) Declare(conn *amqp.Connection) error {
	ch, err := conn.Channel()
	if err != nil {
		return fmt.Errorf("topology: %w", err)
	}
	defer ch.Close()

	exchange := func(name, kind string) error {
		return ch.ExchangeDeclare(name, kind, true, false, false, false, nil)
	}
	queue := func(name string, arguments amqp.Table) error {
		_, err := ch.QueueDeclare(name, true, false, false, false, arguments)
		return err
	}
	// The dead letters first: nothing may die before they exist.
	err = errors.Join(
		exchange(Dead, amqp.ExchangeFanout),
		queue(DeadQueue, deadArguments),
		ch.QueueBind(DeadQueue, "", Dead, false, nil),
		exchange(Events, amqp.ExchangeTopic),
	)
	if err != nil {
		return fmt.Errorf("topology: %w", err)
	}
	for _, function := range b.Functions() {
		name := Queue(function)
		if err := queue(name, queueArguments(name)); err != nil {
			return fmt.Errorf("topology: queue %s: %w", name, err)
		}
		for _, key := range b[function] {
			if err := ch.QueueBind(name, key, Events, false, nil); err != nil {
				return fmt.Errorf("topology: bind %s to %s: %w", name, key, err)
			}
		}
	}
	return nil
}
