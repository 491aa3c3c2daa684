// Command drill-network tries who reaches whom. It starts pods with nothing but
// a shell and the labels of a function, a program, an adapter, Prometheus, a
// stranger in our namespace and one outside, and has each of them knock at
// what the policies of knative/network open to it, and at what they do not.
//
// A port that nobody opens looks like one that nobody listens on. So each is
// also reached by somebody who may, or through the node, which always may.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"aquaerp.fr/scripts/cluster"
)

const usage = `Tries every flow that the NetworkPolicies open, and some that they close, from pods that it starts for this.

The pods are never ready, so that no Service sends them anything, and are gone at the end.`

var image = flag.String("image", "busybox:1.35", "`image` of the pods: it needs sh, nc, httpd and wget")

func main() { cluster.RunDrill("drill-network", usage, run) }

// outside is the namespace of those who have no business here.
const outside = "aquaerp-drill"

// A who is a pod that knocks.
type who struct {
	name, namespace string
	labels          map[string]string
}

// whos are everybody whom the policies tell apart.
func whos() []who {
	named := func(name, component string, more ...string) who {
		w := who{name, cluster.Namespace, map[string]string{"app.kubernetes.io/name": name, "app.kubernetes.io/component": component}}
		for _, service := range more {
			w.labels["serving.knative.dev/service"] = service
		}
		return w
	}
	return []who{
		named("gateway", "door", "api-gateway"),
		named("facture", "function", "facture-service"),
		named("mailer", "function", "mailer-service"),
		named("relay", "eventing"),
		named("declare", "job"),
		named("migrate", "job"),
		{"adapter", cluster.Namespace, map[string]string{"eventing.knative.dev/source": "rabbitmq-source-controller"}},
		named("stranger", "none"),
		{"prometheus", "monitoring", map[string]string{"app.kubernetes.io/name": "prometheus"}},
		{"outsider", outside, nil},
	}
}

// A door is what they knock at.
type door struct {
	name string
	host string
	port int
	url  bool // to be open is to answer GET /health, not only to take a connection

	open []string // to these
	shut []string // to these
	node string   // "pod/NAME": through the node it answers in HTTP, and to nobody else
}

func run(ctx context.Context, d *cluster.Drill) (err error) {
	d.Does("starting pods with a shell as everybody whom the policies tell apart")
	all := whos()
	defer func() {
		if cleaned := clean(all); cleaned != nil {
			err = errors.Join(err, cleaned)
		}
	}()
	addresses, err := start(ctx, all)
	if err != nil {
		return err
	}
	doors, err := find(ctx, addresses["outsider"])
	if err != nil {
		return err
	}
	d.Does("knocking")
	var saw outcome
	var wrong []string
	var failed error // to try, which is neither open nor shut
	// Policies follow a new pod within a second or so: what is not as it should be is tried again.
	_, err = cluster.Until(ctx, 30*time.Second, func(ctx context.Context) (bool, error) {
		saw, failed = knockAll(ctx, all, doors)
		wrong = saw.wrong(doors)
		return len(wrong) == 0, failed
	})
	if failed != nil || err != nil && !errors.Is(err, cluster.ErrNotYet) {
		return cmp.Or(failed, err)
	}
	for _, door := range doors {
		open, shut := "", ""
		for _, w := range all {
			switch now, tried := saw[[2]string{w.name, door.name}]; {
			case tried && now:
				open += " " + w.name
			case tried:
				shut += " " + w.name
			}
		}
		if door.node != "" {
			if err := through(ctx, door); err != nil {
				d.Fail(fmt.Errorf("%s does not answer through the node, so that being shut proves nothing: %w", door.name, err))
			}
			open += " the node"
		}
		d.Saw("%-38s open to%-36s shut to%s", fmt.Sprintf("%s :%d", door.name, door.port), open, shut)
	}
	for _, w := range wrong {
		d.Fail(errors.New(w))
	}
	d.Sum("%d doors tried by %d kinds of pod, %d times: open and shut as the policies say", len(doors), len(all), len(saw))
	return nil
}

// outcome tells which were open, of those tried: who, then what.
type outcome map[[2]string]bool

func (saw outcome) wrong(doors []door) (wrong []string) {
	for _, d := range doors {
		of := func(names []string, open bool) (those []string) {
			for _, name := range names {
				if saw[[2]string{name, d.name}] == open {
					those = append(those, name)
				}
			}
			return those
		}
		if shut := of(d.open, false); len(shut) > 0 {
			wrong = append(wrong, fmt.Sprintf("%s is shut to %s", d.name, strings.Join(shut, ", ")))
		}
		if open := of(d.shut, true); len(open) > 0 {
			wrong = append(wrong, fmt.Sprintf("%s is open to %s", d.name, strings.Join(open, ", ")))
		}
	}
	return wrong
}

// find says what is where, and to whom it is open.
func find(ctx context.Context, outsider string) ([]door, error) {
	ip := func(selector string) (address, pod string, err error) {
		type list struct {
			Items []struct {
				Metadata struct{ Name string }
				Status   struct {
					PodIP      string
					Conditions []struct{ Type, Status string }
				}
			}
		}
		pods, err := cluster.Get[list](ctx, "pods", "--selector", selector)
		for _, p := range pods.Items {
			for _, c := range p.Status.Conditions {
				if c.Type == "Ready" && c.Status == "True" {
					return p.Status.PodIP, "pod/" + p.Metadata.Name, nil
				}
			}
		}
		return "", "", errors.Join(err, fmt.Errorf("no pod of %s is ready", selector))
	}
	gateway, gatewayPod, err1 := ip(cluster.Of(cluster.Gateway))
	relay, _, err2 := ip(cluster.Named("relay"))
	letters, _, err3 := ip(cluster.Named("deadletter"))
	exporter, _, err4 := ip(cluster.Named("postgres-exporter"))
	broker, brokerPod, err5 := ip(cluster.Named("rabbitmq"))
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return nil, err
	}
	every := func(but ...string) (names []string) {
		for _, w := range whos() {
			if !slices.Contains(but, w.name) {
				names = append(names, w.name)
			}
		}
		return names
	}
	only := func(d door, open ...string) door {
		d.open, d.shut = open, every(open...)
		return d
	}
	doors := []door{
		// Whoever finds everything shut has a network all the same.
		{name: "names", host: "kube-dns.kube-system.svc.cluster.local", port: 53, open: every("prometheus")},
		only(door{name: "PostgreSQL", host: "postgres.aquaerp", port: 5432}, "facture", "mailer", "relay", "migrate"),
		only(door{name: "RabbitMQ", host: "rabbitmq.aquaerp", port: 5672}, "relay", "declare", "adapter"),
		only(door{name: "RabbitMQ's metrics", host: broker, port: 15692}, "prometheus"),
		only(door{name: "RabbitMQ's pages", host: broker, port: 15672, node: brokerPod}),
		only(door{name: "relay's metrics", host: relay, port: 9464}, "prometheus"),
		only(door{name: "deadletter's metrics", host: letters, port: 9465}, "prometheus"),
		only(door{name: "PostgreSQL's metrics", host: exporter, port: 9187}, "prometheus"),
		only(door{name: "gateway's metrics", host: gateway, port: 9464}, "prometheus"),
		only(door{name: "gateway's queue-proxy's metrics", host: gateway, port: 9091}, "prometheus"),
		only(door{name: "gateway's pod", host: gateway, port: 8012, node: gatewayPod}),
		only(door{name: "gateway's load, for autoscaler", host: gateway, port: 9090, node: gatewayPod}),
		only(door{name: "gateway behind its queue-proxy", host: gateway, port: 8080, node: gatewayPod}),
		// Through Traefik and the activator, from zero; whoever is in another namespace may ask Traefik too, and has no token.
		{name: "a function, by its name", host: "auth-service.aquaerp.svc.cluster.local", port: 80, url: true,
			open: []string{"gateway", "facture", "mailer", "adapter"}, shut: []string{"relay", "declare", "migrate", "stranger", "prometheus"}},
		// Prometheus asks Kubernetes where pods are; its policy is not ours.
		{name: "Kubernetes", host: "kubernetes.default.svc.cluster.local", port: 443,
			open: []string{"outsider"}, shut: every("outsider", "prometheus")},
		only(door{name: "the rest of the world", host: outsider, port: 8080}, "outsider"),
	}
	if _, err := cluster.Kubectl(ctx, "get", "service", "mailbox"); err != nil {
		return append(doors, only(door{name: "a mail server", host: outsider, port: 587}, "outsider", "mailer")), nil
	}
	return append(doors, // the overlay of tests keeps mails in
		only(door{name: "mailbox", host: "mailbox.aquaerp", port: 1025}, "mailer"),
		only(door{name: "a mail server", host: outsider, port: 587}, "outsider")), nil
}

// knockAll has all pods knock at the same time.
func knockAll(ctx context.Context, all []who, doors []door) (outcome, error) {
	parts := make([]outcome, len(all))
	group, ctx := errgroup.WithContext(ctx)
	for i, w := range all {
		group.Go(func() (err error) {
			parts[i], err = knock(ctx, w, doors)
			return err
		})
	}
	err := group.Wait()
	saw := outcome{}
	for _, part := range parts {
		maps.Copy(saw, part)
	}
	return saw, err
}

// knock has one pod try all doors that say something of it.
func knock(ctx context.Context, w who, doors []door) (outcome, error) {
	var script strings.Builder
	for n, d := range doors {
		if !slices.Contains(d.open, w.name) && !slices.Contains(d.shut, w.name) {
			continue
		}
		try := fmt.Sprintf("nc -w 3 %s %d -e /bin/true", d.host, d.port)
		if d.url && slices.Contains(d.open, w.name) {
			try = fmt.Sprintf("timeout 30 wget -q -O /dev/null http://%s/health", d.host)
		}
		fmt.Fprintf(&script, "(if %s; then echo %d open; else echo %d shut; fi) 2>/dev/null &\n", try, n, n)
	}
	script.WriteString("wait\n")
	out, err := cluster.KubectlWith(ctx, strings.NewReader(script.String()), "exec", "--namespace", w.namespace, "--stdin", pod(w), "--", "sh")
	if err != nil {
		return nil, err
	}
	saw := outcome{}
	for line := range strings.Lines(out) {
		var n int
		var state string
		if _, err := fmt.Sscan(line, &n, &state); err != nil || n >= len(doors) {
			return nil, fmt.Errorf("%s said %q", w.name, line)
		}
		saw[[2]string{w.name, doors[n].name}] = state == "open"
	}
	return saw, nil
}

// through asks by way of the node, as port-forward does.
func through(ctx context.Context, d door) error {
	address, stop, err := cluster.Forward(ctx, d.node, d.port)
	if err != nil {
		return err
	}
	defer stop()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/", nil)
	if err != nil {
		return err
	}
	response, err := (&http.Client{Timeout: 10 * time.Second}).Do(request)
	if err == nil {
		err = response.Body.Close()
	}
	return err
}
