// Command drill-replicas shows that the doors never close: gateway and
// frontend have two pods, one may go at any time, a drain takes one at a time,
// and both come back when both are gone.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"aquaerp.fr/scripts/cluster"
)

const usage = `go run ./scripts/drill-replicas

Deletes a pod of the gateway and one of the frontend while clients post commands
and load the web application, evicts one of each as a drain does and tries to
evict the other, then kills both pods of each. It writes subscriptions, contracts
and payments of its own (PDLs DRILL-...): not on an installation that bills.`

func main() { cluster.RunDrill("drill-replicas", usage, run) }

// back is how long a pod of a door may take to be replaced.
const back = 90 * time.Second

var doors = []string{cluster.Gateway, cluster.Frontend}

func run(ctx context.Context, d *cluster.Drill) error {
	for _, door := range doors {
		if _, err := cluster.UntilServing(ctx, back, cluster.Of(door), 2); err != nil {
			return err
		}
		d.Saw("%s has two pods that serve", door)
	}
	w, err := d.Writer(ctx)
	if err != nil {
		return err
	}
	r, err := read(ctx)
	if err != nil {
		return err
	}
	for _, door := range doors {
		if err := lose(ctx, d, door); err != nil {
			return err
		}
		if err := drain(ctx, d, door); err != nil {
			return err
		}
	}
	r.end()
	d.Saw("%d readers loaded %s %d times: %d answers were 5xx, %d tries had no answer, %d pages needed a second try, %d never came",
		readers, cluster.App(), r.pages, r.errors, r.nothing, r.again, r.never)
	d.Check(r.never == 0, "%d pages never came", r.never)
	if err := d.Count(ctx, w); err != nil {
		return err
	}
	return restart(ctx, d)
}

// lose deletes one pod as a rollout does.
func lose(ctx context.Context, d *cluster.Drill, door string) error {
	pods, err := cluster.Pods(ctx, cluster.Of(door))
	if err != nil {
		return err
	}
	if len(pods) == 0 {
		return fmt.Errorf("%s has no pod", door)
	}
	victim := pods[0].Name
	d.Does("delete %s", victim)
	if _, err := cluster.Kubectl(ctx, "delete", "pod", victim, "--wait=false"); err != nil {
		return err
	}
	took, err := replaced(ctx, door, pods[0].Name)
	if err == nil {
		d.Saw("two pods of %s serve after %.1f s", door, took.Seconds())
	}
	return err
}

// replaced waits until two pods of a door serve that are not the one that goes.
func replaced(ctx context.Context, door string, gone ...string) (time.Duration, error) {
	took, err := cluster.Until(ctx, back, func(ctx context.Context) (bool, error) {
		pods, err := cluster.Pods(ctx, cluster.Of(door))
		n := 0
		for _, p := range cluster.Serving(pods) {
			if !strings.Contains(strings.Join(gone, " "), p.Name) {
				n++
			}
		}
		return n >= 2, err
	})
	if err != nil {
		err = fmt.Errorf("two pods of %s: %w", door, err)
	}
	return took, err
}

// drain evicts one pod, and at once another, which the disruption budget refuses.
func drain(ctx context.Context, d *cluster.Drill, door string) error {
	if _, err := cluster.Until(ctx, back, func(ctx context.Context) (bool, error) { return allowed(ctx, door) }); err != nil {
		return fmt.Errorf("the budget of %s: %w", door, err)
	}
	pods, err := cluster.Pods(ctx, cluster.Of(door))
	if err != nil {
		return err
	}
	pods = cluster.Serving(pods)
	evicted, refused := []string{}, ""
	for _, p := range pods {
		err := evict(ctx, p.Name)
		switch {
		case err == nil:
			evicted = append(evicted, p.Name)
		case strings.Contains(err.Error(), "disruption budget"):
			refused = p.Name
		default:
			return err
		}
	}
	d.Sum("a drain of %s takes %s and is refused %s", door, strings.Join(evicted, ", "), refused)
	d.Check(len(evicted) == 1 && refused != "", "of %d pods of %s, %d could be evicted at once", len(pods), door, len(evicted))
	_, err = replaced(ctx, door, evicted...)
	return err
}

// allowed tells whether the budget of a door lets a pod go: not while the
// successor of the last one is still to come.
func allowed(ctx context.Context, door string) (bool, error) {
	type list struct {
		Items []struct {
			Spec struct {
				Selector struct{ MatchLabels map[string]string }
			}
			Status struct{ DisruptionsAllowed, CurrentHealthy, ExpectedPods int }
		}
	}
	budgets, err := cluster.Get[list](ctx, "poddisruptionbudgets")
	for _, b := range budgets.Items {
		if b.Spec.Selector.MatchLabels["serving.knative.dev/service"] == door {
			return b.Status.DisruptionsAllowed > 0 && b.Status.CurrentHealthy == b.Status.ExpectedPods, err
		}
	}
	return false, errors.Join(err, errors.New("there is none"))
}

func evict(ctx context.Context, pod string) error {
	eviction := fmt.Sprintf(`{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":%q,"namespace":%q}}`, pod, cluster.Namespace)
	_, err := cluster.KubectlWith(ctx, strings.NewReader(eviction), "create", "--raw",
		"/api/v1/namespaces/"+cluster.Namespace+"/pods/"+pod+"/eviction", "--filename", "-")
	return err
}

// restart kills all pods of both doors: nothing but Kubernetes brings them back.
func restart(ctx context.Context, d *cluster.Drill) error {
	for _, door := range doors {
		before, err := cluster.Pods(ctx, cluster.Of(door))
		if err != nil {
			return err
		}
		var names []string
		for _, p := range before {
			names = append(names, p.Name)
		}
		d.Does("kill all %d pods of %s", len(before), door)
		if _, err := cluster.Kill(ctx, cluster.Of(door)); err != nil {
			return err
		}
		took, err := replaced(ctx, door, names...)
		if err != nil {
			return err
		}
		d.Sum("two new pods of %s serve after %.1f s", door, took.Seconds())
	}
	return nil
}

// readers load the web application, as browsers do that repeat what fails.
const readers = 2

type reading struct {
	mu      sync.Mutex
	pages   int // that came
	errors  int // answers that were 5xx
	nothing int // tries without an answer
	again   int // pages that took more than one try
	never   int // pages that did not come

	stop context.CancelFunc
	all  sync.WaitGroup
}

func read(ctx context.Context) (*reading, error) {
	public, err := cluster.Public()
	if err != nil {
		return nil, err
	}
	public.Timeout = 10 * time.Second
	r := new(reading)
	open, stop := context.WithCancel(ctx)
	r.stop = stop
	for range readers {
		r.all.Go(func() {
			for open.Err() == nil {
				r.page(ctx, public)
				time.Sleep(100 * time.Millisecond)
			}
		})
	}
	return r, nil
}

// tries of a page before it never came.
const tries = 5

func (r *reading) page(ctx context.Context, public *http.Client) {
	for try := range tries {
		status, err := load(ctx, public)
		r.mu.Lock()
		if err != nil {
			r.nothing++
		} else if status >= 500 {
			r.errors++
		}
		ok := err == nil && status == http.StatusOK
		switch {
		case ok:
			r.pages++
		case try == 0:
			r.again++
		case try == tries-1:
			r.never++
		}
		r.mu.Unlock()
		if ok {
			return
		}
		time.Sleep(200 * time.Millisecond << try)
	}
}

func load(ctx context.Context, public *http.Client) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, cluster.App()+"/", nil)
	if err != nil {
		return 0, err
	}
	res, err := public.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode == http.StatusOK && !strings.Contains(string(body), "<html") {
		err = errors.New("no page")
	}
	return res.StatusCode, err
}

func (r *reading) end() {
	r.stop()
	r.all.Wait()
}
