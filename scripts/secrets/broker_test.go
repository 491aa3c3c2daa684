package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"

	"aquaerp.fr/eventing/broker"
	"aquaerp.fr/eventing/topology"
	"aquaerp.fr/shared/localserver"
)

// TestBrokerRights tries what every user does, and what none may, on a
// RabbitMQ that has loaded the definitions.
func TestBrokerRights(t *testing.T) {
	t.Parallel()
	all := made(t, nil, mail)
	server, err := localserver.StartRabbitMQ(t.Context(), localserver.RabbitMQ{
		Dir: t.TempDir(), Definitions: all["rabbitmq-definitions"]["definitions.json"]})
	if errors.Is(err, localserver.ErrNotInstalled) && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop(context.Background()) })

	var loaded definitions
	if err := json.Unmarshal([]byte(all["rabbitmq-definitions"]["definitions.json"]), &loaded); err != nil {
		t.Fatal(err)
	}
	bindings, err := topology.Read()
	if err != nil {
		t.Fatal(err)
	}
	connect := func(user string) *amqp.Connection {
		t.Helper()
		password := all["rabbitmq-"+user]["password"]
		if password == "" {
			if password, err = passwordOr(all["rabbitmq-"+user]["amqp"]); err != nil {
				t.Fatal(err)
			}
		}
		conn, err := broker.Dial(t.Context(), fmt.Sprintf("amqp://%s:%s@127.0.0.1:%d/%s", user, password, server.Port(), vhost), user)
		if err != nil {
			t.Fatalf("%s: %v", user, err)
		}
		t.Cleanup(func() { broker.Close(conn) })
		return conn
	}
	if err := bindings.Declare(connect("declare")); err != nil {
		t.Fatal(err)
	}

	// What a user does: verb and object; everything else must be refused.
	allowed := map[string]bool{
		"relay publishes aquaerp.events": true,
		"deadletter publishes ":          true,
		"deadletter reads aquaerp.dead":  true,
	}
	for _, f := range bindings.Functions() {
		allowed[f+" reads aquaerp."+f] = true
	}
	tries := map[string]func(*amqp.Channel, string) error{
		"reads": func(ch *amqp.Channel, queue string) error {
			_, _, err := ch.Get(queue, false)
			return err
		},
		"publishes": func(ch *amqp.Channel, exchange string) error {
			if err := ch.Confirm(false); err != nil {
				return err
			}
			// Nobody hears this key; a refusal closes the channel instead of confirming.
			confirm, err := ch.PublishWithDeferredConfirm(exchange, "nobody", false, false, amqp.Publishing{})
			if err != nil {
				return err
			}
			if acked, err := confirm.WaitContext(t.Context()); err != nil || !acked {
				return errors.Join(err, errors.New("not confirmed"))
			}
			return nil
		},
		"deletes": func(ch *amqp.Channel, queue string) error {
			_, err := ch.QueueDelete(queue, false, false, false)
			return err
		},
		"declares": func(ch *amqp.Channel, queue string) error {
			_, err := ch.QueueDeclare(queue, true, false, false, false, nil)
			return err
		},
	}
	objects := map[string][]string{
		"reads":     {topology.DeadQueue},
		"publishes": {"", topology.Events, topology.Dead},
		"deletes":   {topology.DeadQueue},
		"declares":  {"aquaerp.mine"},
	}
	for _, f := range bindings.Functions() {
		objects["reads"] = append(objects["reads"], topology.Queue(f))
	}
	tried := 0
	for _, u := range loaded.Users {
		if u.Name == "declare" || u.Name == "operator" {
			continue
		}
		conn := connect(u.Name)
		for verb, names := range objects {
			for _, name := range names {
				ch, err := conn.Channel() // an error closes it
				if err != nil {
					t.Fatal(err)
				}
				closed := ch.NotifyClose(make(chan *amqp.Error, 1))
				tried++
				what := fmt.Sprintf("%s %s %s", u.Name, verb, name)
				err = tries[verb](ch, name)
				var refusal *amqp.Error
				refused := errors.As(err, &refusal) && refusal.Code == amqp.AccessRefused
				if err != nil && refusal == nil {
					reason := <-closed // of a publication, which has no answer of its own
					refused = reason != nil && reason.Code == amqp.AccessRefused
				}
				if want := !allowed[what]; refused != want {
					t.Errorf("%s: refused=%v (%v), want %v", what, refused, err, want)
				}
				_ = ch.Close()
			}
		}
		// What the source's adapter asks of its queue before it consumes: that it be there.
		if u.Name == "facture" {
			ch, err := conn.Channel()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := ch.QueueDeclarePassive(topology.Queue(u.Name), true, false, false, false, nil); err != nil {
				t.Errorf("%s may not look for its queue: %v", u.Name, err)
			}
			if _, err := ch.Consume(topology.Queue(u.Name), "", false, false, false, false, nil); err != nil {
				t.Errorf("%s may not consume: %v", u.Name, err)
			}
		}
	}
	if _, err := connect("operator").Channel(); err != nil {
		t.Error(err)
	}
	t.Logf("%d tried", tried)
}
