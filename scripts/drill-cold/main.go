// Command drill-cold measures how much of the time that a sleeping function
// takes to answer is the function's own: it wakes functions and as many copies
// of the smallest HTTP server in Go, on the same cluster, with the same
// resources and settings, in pairs, and compares the medians.
//
// All else in that time is the platform's: the activator that holds the
// request, the autoscaler, the scheduler, a sandbox and two containers.
package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"aquaerp.fr/scripts/cluster"
)

const usage = `go run ./scripts/drill-cold [-rounds 3]

Makes twins of contrat-service, two with its own program and two with the
smallest HTTP server in Go (scripts/bench/empty) in its place, lets them sleep,
and wakes them in turns; removes them afterwards. Needs ko (KO) and a registry.`

var rounds = flag.Int("rounds", 3, "times that all of them are woken; each gives two pairs")

// model is the Service whose settings all twins have.
const model = "contrat-service"

// most is how much longer a function may take than the smallest server.
const most = 1.10

func main() { cluster.RunDrill("drill-cold", usage, run) }

// twin is a Service that is woken.
type twin struct {
	name  string
	empty bool // the smallest server
}

// twins in the order in which they are woken, or backwards: whoever is woken
// while others still start waits longer, and this order is fair to both.
var twins = []twin{{"drill-cold-a", false}, {"drill-cold-b", true}, {"drill-cold-c", true}, {"drill-cold-d", false}}

// selector of all of them.
const selector = "aquaerp.fr/drill=cold"

func run(ctx context.Context, d *cluster.Drill) (err error) {
	image, err := build(ctx)
	if err != nil {
		return err
	}
	manifest, err := manifests(ctx, image)
	if err != nil {
		return err
	}
	d.Does("make twins of %s: two run its program, two the smallest server", model)
	defer func() {
		_, gone := cluster.Kubectl(context.WithoutCancel(ctx), "delete", "ksvc", "--selector", selector, "--wait=false", "--ignore-not-found")
		err = errors.Join(err, gone)
	}()
	if _, err := cluster.KubectlWith(ctx, bytes.NewReader(manifest), "apply", "--filename", "-"); err != nil {
		return err
	}
	if _, err := cluster.Kubectl(ctx, "wait", "ksvc", "--selector", selector, "--for=condition=Ready", "--timeout=90s"); err != nil {
		return err
	}
	public, err := cluster.Public()
	if err != nil {
		return err
	}
	var function, server []time.Duration
	for round := range *rounds {
		if _, err := cluster.UntilZero(ctx, 2*time.Minute, selector); err != nil {
			return err
		}
		order := slices.Clone(twins)
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for _, t := range order {
			took, err := wake(ctx, public, t)
			if err != nil {
				return err
			}
			if t.empty {
				server = append(server, took)
			} else {
				function = append(function, took)
			}
		}
	}
	slices.Sort(function)
	slices.Sort(server)
	ratio := float64(median(function)) / float64(median(server))
	d.Sum("first answer from zero, medians of %d: function %v, smallest server %v, ratio %.3f (goal at most %.2f)", len(function), ms(median(function)), ms(median(server)), ratio, most)
	d.Saw("function %v, smallest server %v", each(function), each(server))
	d.Check(ratio <= most, "the ratio is %.3f", ratio)
	return nil
}

// build pushes the smallest server and returns its image.
func build(ctx context.Context) (string, error) {
	ko := strings.Fields(cmp.Or(os.Getenv("KO"), "ko"))
	cmd := exec.CommandContext(ctx, ko[0], append(ko[1:], "build", "aquaerp.fr/scripts/bench/empty")...)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("ko build: %w: %s", err, complaint.String())
	}
	return strings.TrimSpace(string(out)), nil
}

// object is a piece of a manifest.
type object = map[string]any

// manifests are the twins of the model as it runs: its template, but for the
// name of the revision, the image, and the time before sleep, which is the
// shortest that Knative has.
func manifests(ctx context.Context, image string) ([]byte, error) {
	ksvc, err := cluster.Get[struct {
		Spec struct{ Template object }
	}](ctx, "ksvc", model)
	if err != nil {
		return nil, err
	}
	var all []any
	for _, t := range twins {
		template, err := clone(ksvc.Spec.Template)
		if err != nil {
			return nil, err
		}
		metadata, _ := template["metadata"].(object)
		delete(metadata, "name")
		annotations, _ := metadata["annotations"].(object)
		labels, _ := metadata["labels"].(object)
		spec, _ := template["spec"].(object)
		containers, _ := spec["containers"].([]any)
		if annotations == nil || labels == nil || len(containers) != 1 {
			return nil, fmt.Errorf("%s is not as it was when this drill was written", model)
		}
		annotations["autoscaling.knative.dev/window"] = "6s"
		annotations["autoscaling.knative.dev/scale-to-zero-pod-retention-period"] = "0s"
		labels["aquaerp.fr/drill"] = "cold"
		if container, _ := containers[0].(object); t.empty {
			container["image"] = image
		}
		all = append(all, object{
			"apiVersion": "serving.knative.dev/v1", "kind": "Service",
			"metadata": object{"name": t.name, "labels": object{"aquaerp.fr/drill": "cold"}},
			"spec":     object{"template": template},
		})
	}
	return json.Marshal(object{"apiVersion": "v1", "kind": "List", "items": all})
}

func clone(o object) (copied object, err error) {
	raw, err := json.Marshal(o)
	if err == nil {
		err = json.Unmarshal(raw, &copied)
	}
	return copied, err
}

// wake asks a sleeping twin how it is.
func wake(ctx context.Context, public *http.Client, t twin) (time.Duration, error) {
	public.CloseIdleConnections()
	url := fmt.Sprintf("https://%s.%s.%s/health", t.name, cluster.Namespace, cluster.Domain())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	began := time.Now()
	res, err := public.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %.200s", url, res.Status, body)
	}
	return time.Since(began), err
}

// median of sorted values: the middle one, or the mean of the middle two.
func median(sorted []time.Duration) time.Duration {
	return (sorted[(len(sorted)-1)/2] + sorted[len(sorted)/2]) / 2
}

func ms(d time.Duration) string { return fmt.Sprintf("%d ms", d.Milliseconds()) }

func each(all []time.Duration) string {
	var texts []string
	for _, d := range all {
		texts = append(texts, ms(d))
	}
	return strings.Join(texts, ", ")
}
