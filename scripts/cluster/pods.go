package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Selectors of pods.
const (
	// Adapters are the pods that carry events from the queues to the functions.
	Adapters = "eventing.knative.dev/source=rabbitmq-source-controller"
	// Functions are the pods of those Knative Services that sleep; the doors never do.
	Functions = "serving.knative.dev/service,serving.knative.dev/service notin (" + Gateway + "," + Frontend + ")"
)

// The doors, which stay awake.
const (
	Gateway  = "api-gateway"
	Frontend = "frontend"
)

// Sleepers are the Knative Services of the functions that sleep.
var Sleepers = []string{
	"auth-service", "contrat-service", "facture-service", "intervention-service", "mailer-service", "operation-service", "workflow-service",
}

// Of selects the pods of a Knative Service.
func Of(service string) string { return "serving.knative.dev/service=" + service }

// Named selects the pods of a program that is not a Knative Service.
func Named(name string) string { return "app.kubernetes.io/name=" + name }

// Pod is what a drill wants to know of one.
type Pod struct {
	Name     string
	Service  string // Knative Service, or ""
	Program  string // the container that is ours
	Ready    bool
	Leaving  bool // it was deleted and is not gone
	Restarts int
	Waiting  string // why its container does not run: CrashLoopBackOff
}

// Pods are those a selector finds which have not ended.
func Pods(ctx context.Context, selector string) ([]Pod, error) {
	type list struct {
		Items []struct {
			Metadata struct {
				Name, DeletionTimestamp string
				Labels                  map[string]string
			}
			Spec   struct{ Containers []struct{ Name string } }
			Status struct {
				Phase             string
				Conditions        []struct{ Type, Status string }
				ContainerStatuses []struct {
					Name         string
					RestartCount int
					State        struct{ Waiting struct{ Reason string } }
				}
			}
		}
	}
	found, err := Get[list](ctx, "pods", "--selector", selector)
	var pods []Pod
	for _, i := range found.Items {
		if i.Status.Phase == "Succeeded" || i.Status.Phase == "Failed" {
			continue
		}
		p := Pod{Name: i.Metadata.Name, Service: i.Metadata.Labels["serving.knative.dev/service"], Leaving: i.Metadata.DeletionTimestamp != ""}
		for _, c := range i.Spec.Containers {
			if c.Name != "queue-proxy" {
				p.Program = c.Name
			}
		}
		for _, c := range i.Status.Conditions {
			p.Ready = p.Ready || c.Type == "Ready" && c.Status == "True"
		}
		for _, c := range i.Status.ContainerStatuses {
			if c.Name == p.Program {
				p.Restarts, p.Waiting = c.RestartCount, c.State.Waiting.Reason
			}
		}
		pods = append(pods, p)
	}
	return pods, err
}

// Serving are the pods that can work.
func Serving(pods []Pod) (ready []Pod) {
	for _, p := range pods {
		if p.Ready && !p.Leaving {
			ready = append(ready, p)
		}
	}
	return ready
}

// Kill deletes the pods of a selector at once, with the grace that ends a
// container by SIGKILL as soon as Kubernetes will, and tells how many it was.
// It does not wait for them to go.
func Kill(ctx context.Context, selector string) (int, error) {
	return remove(ctx, "--selector", selector, "--force", "--ignore-not-found")
}

// KillStateful is Kill of a pod whose volume its successor needs. Without
// --force kubectl asks for a grace of one second, and the pod keeps its name
// until its processes are dead: two of them never share a volume.
func KillStateful(ctx context.Context, pod string) error {
	n, err := remove(ctx, pod)
	if err == nil && n != 1 {
		err = fmt.Errorf("%d pods %s", n, pod)
	}
	return err
}

func remove(ctx context.Context, which ...string) (int, error) {
	out, err := Kubectl(ctx, append([]string{"delete", "pod", "--grace-period=0", "--wait=false", "--output=name"}, which...)...)
	return len(strings.Fields(out)), err
}

// ErrNotYet is what Until gives up with.
var ErrNotYet = errors.New("not in time")

// Until asks twice a second until ok says so, and returns how long it took. An
// ok that fails is asked again: a cluster under drill may not answer.
func Until(ctx context.Context, patience time.Duration, ok func(context.Context) (bool, error)) (time.Duration, error) {
	began := time.Now()
	for {
		done, err := ok(ctx)
		took := time.Since(began)
		switch {
		case err == nil && done:
			return took, nil
		case took > patience:
			return took, errors.Join(ErrNotYet, err)
		}
		select {
		case <-time.After(500 * time.Millisecond):
		case <-ctx.Done():
			return took, errors.Join(ctx.Err(), err)
		}
	}
}

// UntilServing waits until so many pods of a selector can work.
func UntilServing(ctx context.Context, patience time.Duration, selector string, n int) (time.Duration, error) {
	took, err := Until(ctx, patience, func(ctx context.Context) (bool, error) {
		pods, err := Pods(ctx, selector)
		return len(Serving(pods)) >= n, err
	})
	if err != nil {
		err = fmt.Errorf("%d pods of %s: %w", n, selector, err)
	}
	return took, err
}

// UntilZero waits until no pod of a selector is left.
func UntilZero(ctx context.Context, patience time.Duration, selector string) (time.Duration, error) {
	var left []Pod
	took, err := Until(ctx, patience, func(ctx context.Context) (ok bool, err error) {
		left, err = Pods(ctx, selector)
		return len(left) == 0, err
	})
	if err != nil {
		err = fmt.Errorf("%s: %d pods left, first %+v: %w", selector, len(left), left[:min(1, len(left))], err)
	}
	return took, err
}
