package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rabbitmq/amqp091-go"

	"aquaerp.fr/shared/localserver"
)

const sourceManifest = `---
apiVersion: sources.knative.dev/v1alpha1
kind: RabbitmqSource
metadata: {name: facture, namespace: aquaerp}
spec:
  rabbitmqClusterReference: {connectionSecret: {name: rabbitmq}}
  rabbitmqResourcesConfig: {predeclared: true, queueName: aquaerp.facture, vhost: aquaerp, parallelism: 4}
  delivery: {retry: 5, backoffPolicy: exponential, backoffDelay: PT0.1S}
  sink: {ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: facture-service}}
`

// adapterBuilt puts the adapter beside the test function, once for all tests.
var adapterBuilt = sync.OnceValues(func() ([]byte, error) {
	return exec.Command("go", "build", "-o", bin, "./adapter").CombinedOutput()
})

// rabbit is a private RabbitMQ with the queue of the source above and one for its dead letters.
type rabbit struct {
	t *testing.T
	*localserver.Server
}

func startRabbit(t *testing.T) *rabbit {
	t.Helper()
	server, err := localserver.StartRabbitMQ(t.Context(), localserver.RabbitMQ{Dir: filepath.Join(t.TempDir(), "rabbitmq")})
	if errors.Is(err, localserver.ErrNotInstalled) && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	b := &rabbit{t, server}
	b.with(func(channel *amqp091.Channel) {
		arguments := amqp091.Table{"x-queue-type": "quorum", "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "aquaerp.dead"}
		if _, err := channel.QueueDeclare("aquaerp.facture", true, false, false, false, arguments); err != nil {
			t.Fatal(err)
		}
		if _, err := channel.QueueDeclare("aquaerp.dead", true, false, false, false, nil); err != nil {
			t.Fatal(err)
		}
	})
	return b
}

func (b *rabbit) with(do func(*amqp091.Channel)) {
	b.t.Helper()
	connection, err := amqp091.Dial(b.URL(localserver.RabbitUser, localserver.RabbitVhost))
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	channel, err := connection.Channel()
	if err != nil {
		b.t.Fatal(err)
	}
	do(channel)
}

// publish sends events numbered from..to-1, and returns when the broker has them.
func (b *rabbit) publish(from, to int) {
	b.t.Helper()
	b.with(func(channel *amqp091.Channel) {
		if err := channel.Confirm(false); err != nil {
			b.t.Fatal(err)
		}
		for n := from; n < to; n++ {
			event := fmt.Sprintf(`{"specversion":"1.0","type":"fr.aquaerp.test.fait.v1","source":"/test","id":"%d","partitionkey":"p","datacontenttype":"application/json","data":{"n":%d}}`, n, n)
			confirmation, err := channel.PublishWithDeferredConfirm("", "aquaerp.facture", true, false,
				amqp091.Publishing{ContentType: "application/cloudevents+json", DeliveryMode: amqp091.Persistent, Body: []byte(event)})
			if err != nil {
				b.t.Fatal(err)
			}
			if ok, err := confirmation.WaitContext(b.t.Context()); err != nil || !ok {
				b.t.Fatalf("event %d was not taken: %v", n, err)
			}
		}
	})
}

// ready is the number of messages that wait in a queue.
func (b *rabbit) ready(queue string) (n int) {
	b.t.Helper()
	b.with(func(channel *amqp091.Channel) {
		q, err := channel.QueueDeclarePassive(queue, true, false, false, false, nil)
		if err != nil {
			b.t.Fatal(err)
		}
		n = q.Messages
	})
	return n
}

func (b *rabbit) secret() string {
	return fmt.Sprintf(`---
apiVersion: v1
kind: Secret
metadata: {name: rabbitmq, namespace: aquaerp}
stringData: {uri: "http://127.0.0.1", port: "%d", username: %s, password: %s}
`, b.Port(), localserver.RabbitUser, b.Password(localserver.RabbitUser))
}

// received are the events that the function logged, by id.
func (w *world) received() map[int]told {
	log, err := os.ReadFile(filepath.Join(w.logs, "facture-service.log"))
	if err != nil {
		w.t.Fatal(err)
	}
	events := map[int]told{}
	for line := range strings.Lines(string(log)) {
		var event told
		if json.Unmarshal([]byte(line), &event) != nil {
			continue // said something else, or half a line so far
		}
		id, err := strconv.Atoi(event.Header.Get("Ce-Id"))
		if err != nil {
			w.t.Fatal(err)
		}
		events[id] = event
	}
	return events
}

// The whole way of an event: queue, real adapter, activator, a function that sleeps; and the adapter, the function and
// the broker lost on the way.
func TestSource(t *testing.T) {
	t.Parallel()
	b := startRabbit(t)
	if out, err := adapterBuilt(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	w := start(t, 0, manifest("facture-service", "max-scale: 2"), sourceManifest, b.secret())
	w.until("an adapter", func() bool { return w.status().Sources[0].PID != 0 })
	if running := w.state().Instances; len(running) != 0 {
		t.Errorf("a function runs before there is an event: %+v", running)
	}

	b.publish(0, 50)
	w.until("fifty events", func() bool { return len(w.received()) == 50 })
	event := w.received()[7]
	if event.Body != `{"n":7}` || event.Header.Get("Ce-Type") != "fr.aquaerp.test.fait.v1" || event.Header.Get("Ce-Partitionkey") != "p" {
		t.Errorf("event 7 came as %+v", event)
	}

	w.until("a consumer of an empty queue", func() bool {
		queue := w.status().Sources[0].Queue
		return queue.Name == "aquaerp.facture" && queue.Consumers == 1 && queue.Messages == 0 && queue.Error == ""
	})

	if status, content := post(t, w, "/kill?source=facture"); status != 200 {
		t.Errorf("kill: %d %s", status, content)
	}
	b.publish(50, 100)
	w.services[0].kill()
	w.until("a hundred events", func() bool { return len(w.received()) == 100 })

	if err := b.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.until("an unknown queue", func() bool { return w.status().Sources[0].Queue.Error != "" })
	if err := b.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.publish(100, 150)
	w.until("a hundred and fifty events", func() bool { return len(w.received()) == 150 })
	w.stop()
	if dead := b.ready("aquaerp.dead"); dead != 0 {
		t.Errorf("%d good messages were dead-lettered", dead)
	}
}

// Stopping waits for the deliveries under way: none is rejected, and what was not begun stays in the queue.
func TestSourceStops(t *testing.T) {
	t.Parallel()
	b := startRabbit(t)
	if out, err := adapterBuilt(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	w := start(t, 0, manifest("facture-service", "GATE=$GATE"), sourceManifest, b.secret())
	b.publish(0, 50)
	w.until("four deliveries under way", func() bool { return w.gate.count() == 4 })
	stopped := make(chan struct{})
	go func() {
		w.stop()
		close(stopped)
	}()
	time.Sleep(100 * time.Millisecond) // the signal is on its way
	w.gate.open()
	<-stopped
	// The broker takes back what was not acknowledged once it notices that the connection ended.
	w.until("every event received, or left in the queue", func() bool { return len(w.received())+b.ready("aquaerp.facture") >= 50 })
	if received, dead := len(w.received()), b.ready("aquaerp.dead"); dead != 0 || received < 4 {
		t.Errorf("of 50 events, %d were received and %d dead-lettered", received, dead)
	}
}
