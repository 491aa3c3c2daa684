// Command drill-scale shows that the product grows with its load and sleeps
// without it: a function goes beyond one pod and not beyond its max-scale, a
// door follows its processor time, all functions return to zero, and the first
// click on the sleeping platform is answered within two seconds.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"aquaerp.fr/scripts/client"
	"aquaerp.fr/scripts/cluster"
	"aquaerp.fr/shared/message"
)

const usage = `go run ./scripts/drill-scale [-load 60s]

Asks for the list of contracts from many clients at once, watches pods come,
stops, watches them go, and measures the first click after that. It only reads.`

var load = flag.Duration("load", time.Minute, "how long the load lasts")

// busy is the function under load.
const busy = "contrat-service"

// clients at once: four times what a pod of contrat takes at a time
// (containerConcurrency 10), so that the autoscaler wants more than its
// max-scale allows.
const clients = 40

// asleep is how long the functions may take to sleep: their windows are half a
// minute and the platform's grace as much; the ticks of every fifth minute may
// wake two of them meanwhile.
const asleep = 4 * time.Minute

// firstClick is what a person waits for without wondering.
const firstClick = 2 * time.Second

func main() { cluster.RunDrill("drill-scale", usage, run) }

func run(ctx context.Context, d *cluster.Drill) error {
	public, err := cluster.Public()
	if err != nil {
		return err
	}
	identifiant, motDePasse := cluster.User()
	user, err := client.New(cluster.API(), time.Minute).Over(public).Login(ctx, identifiant, motDePasse)
	if err != nil {
		return err
	}
	if err := grow(ctx, d, user); err != nil {
		return err
	}
	d.Does("wait until every function sleeps")
	took, err := cluster.UntilZero(ctx, asleep, cluster.Functions)
	if err != nil {
		return err
	}
	d.Sum("no pod of a function is left %.0f s after the last request", took.Seconds())
	return click(ctx, d, user, public)
}

// most is the largest number of pods or replicas that was seen.
type most struct{ pods, wanted int }

// grow loads the function and watches it, and the gateway before it.
func grow(ctx context.Context, d *cluster.Drill, user *client.Client) error {
	limit, err := maxScale(ctx, busy)
	if err != nil {
		return err
	}
	d.Does("%d clients ask %s for contracts during %v", clients, busy, *load)
	loaded, end := context.WithTimeout(ctx, *load)
	defer end()
	var asked, failed atomic.Int64
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for loaded.Err() == nil {
				if _, err := client.Get[message.PageContrats](loaded, user, "/v1/contrats"); err == nil {
					asked.Add(1)
				} else if loaded.Err() == nil {
					failed.Add(1)
				}
			}
		})
	}
	var function, door most
	var reaction time.Duration
	began := time.Now()
	for loaded.Err() == nil {
		pods, err := cluster.Pods(ctx, cluster.Of(busy))
		if err != nil {
			return err
		}
		if function.pods = max(function.pods, len(cluster.Serving(pods))); function.pods > 1 && reaction == 0 {
			reaction = time.Since(began)
		}
		gateway, metrics, err := hpa(ctx)
		if err != nil {
			return err
		}
		if metrics && gateway > door.wanted {
			door.wanted = gateway
			d.Saw("the autoscaler of the gateway wants %d pods after %.0f s", gateway, time.Since(began).Seconds())
		}
		time.Sleep(time.Second)
	}
	all.Wait()
	d.Sum("%s grew to %d pods, the second serving after %.0f s; its max-scale is %d; %d answers, %d failed", busy, function.pods, reaction.Seconds(), limit, asked.Load(), failed.Load())
	d.Check(function.pods > 1, "%s stayed at %d pods", busy, function.pods)
	d.Check(function.pods <= limit, "%s has %d pods, its max-scale is %d", busy, function.pods, limit)
	d.Check(failed.Load() == 0, "%d questions were not answered", failed.Load())
	switch {
	case door.wanted == 0:
		d.Sum("the cluster has no metrics for the gateway's autoscaler")
	default:
		d.Sum("the gateway's autoscaler asked for %d pods", door.wanted)
		d.Check(door.wanted > 2, "the autoscaler of the gateway wants %d pods under load", door.wanted)
	}
	return nil
}

func maxScale(ctx context.Context, service string) (int, error) {
	out, err := cluster.Kubectl(ctx, "get", "ksvc", service, "--output", `jsonpath={.spec.template.metadata.annotations.autoscaling\.knative\.dev/max-scale}`)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(out)
}

// hpa tells how many pods of the gateway its autoscaler wants, and whether it
// has metrics to know.
func hpa(ctx context.Context) (wanted int, metrics bool, err error) {
	type list struct {
		Items []struct {
			Metadata struct{ Labels map[string]string }
			Status   struct {
				DesiredReplicas int
				CurrentMetrics  []struct{ Type string }
			}
		}
	}
	found, err := cluster.Get[list](ctx, "horizontalpodautoscalers", "--selector", cluster.Of(cluster.Gateway))
	for _, i := range found.Items {
		if len(i.Status.CurrentMetrics) > 0 {
			wanted, metrics = max(wanted, i.Status.DesiredReplicas), true
		}
	}
	return wanted, metrics, err
}

// click asks as a browser does whose user comes back: one question, over a
// connection that is still to be made, then the dashboard, which needs most of
// the functions.
func click(ctx context.Context, d *cluster.Drill, user *client.Client, public *http.Client) error {
	public.CloseIdleConnections()
	began := time.Now()
	if _, err := client.Get[message.PageContrats](ctx, user, "/v1/contrats"); err != nil {
		return fmt.Errorf("first click: %w", err)
	}
	first := time.Since(began)
	d.Sum("first click on the sleeping platform, the list of contracts: %.2f s", first.Seconds())
	d.Check(first <= firstClick, "the first click took %v", first)

	began = time.Now()
	if _, err := user.Do(ctx, http.MethodGet, "/v1/tableau", nil, ""); err != nil {
		return errors.Join(errors.New("dashboard"), err)
	}
	d.Sum("the dashboard, which wakes three more functions: %.2f s", time.Since(began).Seconds())
	return nil
}
