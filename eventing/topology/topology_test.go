package topology_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"sigs.k8s.io/yaml"

	"aquaerp.fr/eventing/broker"
	"aquaerp.fr/eventing/eventingtest"
	"aquaerp.fr/eventing/topology"
	"aquaerp.fr/shared/message"
)

func TestMain(m *testing.M) { eventingtest.Main(m) }

func read(t *testing.T) topology.Bindings {
	t.Helper()
	b, err := topology.Read()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestDeclareAgain: Main has declared it once.
func TestDeclareAgain(t *testing.T) {
	conn, err := broker.Dial(t.Context(), eventingtest.AMQP(), t.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer broker.Close(conn)
	if err := read(t).Declare(conn); err != nil {
		t.Error(err)
	}
}

// TestRouting: an event reaches the queues that topology.yaml names and no
// other, and what a function refuses reaches the dead letters under its name.
func TestRouting(t *testing.T) {
	bindings, ch := read(t), eventingtest.Channel(t)
	queues := append(bindings.Functions(), "")
	key := "fr.aquaerp.contrat.active.v1"
	id, body := eventingtest.Event(key, nil)
	publish(t, key, id.String(), body)

	var heard, want []string
	for _, function := range queues {
		queue := topology.Queue(function)
		if function == "" {
			queue = topology.DeadQueue
		}
		d, ok, err := ch.Get(queue, false)
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			heard = append(heard, function)
			if err := d.Ack(false); err != nil {
				t.Fatal(err)
			}
		}
		if slices.Contains(bindings[function], key) {
			want = append(want, function)
		}
	}
	if !slices.Equal(heard, want) || len(want) == 0 {
		t.Errorf("%s reached %v, want %v", key, heard, want)
	}

	for _, function := range bindings.Functions() {
		id, body := eventingtest.Event(bindings[function][0], nil)
		conn, err := broker.Dial(t.Context(), eventingtest.AMQP(), t.Name())
		if err != nil {
			t.Fatal(err)
		}
		direct, err := broker.NewPublisher(conn, "")
		if err != nil {
			t.Fatal(err)
		}
		settle(t, direct, broker.Message{Key: topology.Queue(function), ID: id.String(), Body: body})
		broker.Close(conn)
		d := get(t, ch, topology.Queue(function))
		if err := d.Nack(false, false); err != nil {
			t.Fatal(err)
		}
		d = get(t, ch, topology.DeadQueue)
		if d.MessageId != id.String() || d.RoutingKey != topology.Queue(function) {
			t.Errorf("%s: dead letter %s under %s, want %s", function, d.MessageId, d.RoutingKey, id)
		}
		if err := d.Ack(false); err != nil {
			t.Fatal(err)
		}
	}
}

func publish(t *testing.T, key, id string, body []byte) {
	t.Helper()
	conn, err := broker.Dial(t.Context(), eventingtest.AMQP(), t.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer broker.Close(conn)
	p, err := broker.NewPublisher(conn, topology.Events)
	if err != nil {
		t.Fatal(err)
	}
	settle(t, p, broker.Message{Key: key, ID: id, Body: body})
}

func settle(t *testing.T, p *broker.Publisher, m broker.Message) {
	t.Helper()
	err := p.Publish(t.Context(), m, func(o broker.Outcome) {
		if o != broker.Accepted {
			t.Errorf("%s: outcome %d", m.Key, o)
		}
	})
	if err == nil {
		err = p.Flush(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, ch *amqp.Channel, queue string) (d amqp.Delivery) {
	t.Helper()
	eventingtest.Eventually(t, "a message in "+queue, func() bool {
		var ok bool
		var err error
		if d, ok, err = ch.Get(queue, false); err != nil {
			t.Fatal(err)
		}
		return ok
	})
	return d
}

// TestKeysAreMessages: every key is an event or a request of the catalogue, or
// asks for a function's replies.
func TestKeysAreMessages(t *testing.T) {
	known := map[string]bool{}
	for _, e := range message.Catalogue() {
		known[e.Payload.Type()] = true
	}
	for function, keys := range read(t) {
		for _, key := range keys {
			if !known[key] && key != "reponse."+function {
				t.Errorf("%s hears %s, which nobody says", function, key)
			}
		}
	}
}

// listens is what `<function> listens` prints, as far as it concerns us.
type listens struct {
	Events  []string `json:"events"`
	Post    []string `json:"post"`
	Replies bool     `json:"replies"`
}

// doors speak HTTP only, and list nothing.
var doors = []string{"gateway", "frontend"}

// TestBindingsAreWhatFunctionsListenTo asks the functions themselves.
func TestBindingsAreWhatFunctionsListenTo(t *testing.T) {
	mains, err := filepath.Glob("../../functions/*/main.go")
	if err != nil {
		t.Fatal(err)
	}
	bindings, bin := read(t), t.TempDir()
	tick := message.Tick{}.Type()
	functions := map[string]bool{}
	for _, main := range mains {
		function := filepath.Base(filepath.Dir(main))
		if slices.Contains(doors, function) {
			continue
		}
		functions[function] = true
		t.Run(function, func(t *testing.T) {
			l := ask(t, bin, function)
			want := append(slices.Clone(l.Events), l.Post...)
			want = slices.DeleteFunc(want, func(key string) bool { return key == tick })
			if l.Replies {
				want = append(want, "reponse."+function)
			}
			slices.Sort(want)
			if got := bindings[function]; !slices.Equal(got, want) {
				t.Errorf("topology.yaml binds\n\t%s\nand its table listens to\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
			}
			if hears, pinged := slices.Contains(l.Events, tick), slices.Contains(pings(t), message.Service(function)); hears != pinged {
				t.Errorf("listens to ticks: %v, has a PingSource: %v", hears, pinged)
			}
		})
	}
	for _, function := range bindings.Functions() {
		if !functions[function] {
			t.Errorf("%s has bindings, but there is no such function", function)
		}
	}
}

func ask(t *testing.T, bin, function string) (l listens) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	binary := filepath.Join(bin, function)
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", binary, "../../functions/"+function).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	out, err := exec.CommandContext(ctx, binary, "listens").Output()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(out, &l); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return l
}

// resource is the part of a manifest that is about queues and sinks.
type resource struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Spec struct {
		RabbitmqResourcesConfig struct {
			QueueName string `json:"queueName"`
		} `json:"rabbitmqResourcesConfig"`
		Sink struct {
			Ref struct {
				Name string `json:"name"`
			} `json:"ref"`
		} `json:"sink"`
	} `json:"spec"`
}

func resources(t *testing.T, dir string) (all []resource) {
	t.Helper()
	files, err := filepath.Glob("../" + dir + "/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var r resource
		if err := yaml.Unmarshal(content, &r); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, r)
	}
	return all
}

// pings are the Services that hear ticks.
func pings(t *testing.T) (sinks []string) {
	t.Helper()
	for _, r := range resources(t, "pings") {
		sinks = append(sinks, r.Spec.Sink.Ref.Name)
	}
	return sinks
}

// TestSources: each queue has one RabbitmqSource, which ends at its function.
func TestSources(t *testing.T) {
	var names []string
	for _, r := range resources(t, "sources") {
		if r.Kind != "RabbitmqSource" {
			continue // the account that their adapters run as
		}
		function := r.Metadata.Name
		names = append(names, function)
		if got := r.Spec.RabbitmqResourcesConfig.QueueName; got != topology.Queue(function) {
			t.Errorf("%s consumes %s", function, got)
		}
		if got := r.Spec.Sink.Ref.Name; got != message.Service(function) {
			t.Errorf("%s delivers to %s", function, got)
		}
	}
	if want := read(t).Functions(); !slices.Equal(names, want) {
		t.Errorf("sources of %v, queues of %v", names, want)
	}
}
