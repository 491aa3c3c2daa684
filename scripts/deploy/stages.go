package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"aquaerp.fr/scripts/cluster"
	"aquaerp.fr/scripts/release"
)

// manager owns, in Kubernetes' books, the fields that this program applies.
const manager = "aquaerp-deploy"

// stage is when an object is applied.
type stage int

const (
	stageNamespace  stage = iota
	stageFoundation       // nothing runs from it: accounts, settings, policies, disks, names
	stageServer           // PostgreSQL and RabbitMQ, which the Jobs need
	stageJob              // migrate and declare
	stageRollOut          // what runs our code, leads to it or watches it
)

func stageOf(o release.Object) stage {
	switch o.Kind {
	case "Namespace":
		return stageNamespace
	case "Job":
		return stageJob
	case "StatefulSet":
		if o.Unit == "postgres" || o.Unit == "rabbitmq" {
			return stageServer
		}
		return stageRollOut
	case "Deployment", "DaemonSet", "CronJob", "RabbitmqSource", "PingSource", "Certificate":
		return stageRollOut
	case "Service":
		if o.KnativeService() {
			return stageRollOut
		}
	}
	return stageFoundation
}

func (d *deployment) of(s stage) (objects []release.Object) {
	for _, o := range d.objects {
		if stageOf(o) == s {
			objects = append(objects, o)
		}
	}
	return objects
}

// apply applies objects on the server's side: fields that others own (a
// replica count of an autoscaler, a label of kn) stay theirs.
func (d *deployment) apply(ctx context.Context, objects []release.Object) error {
	for space, objects := range byNamespace(objects) {
		if _, err := serverApply(ctx, space, objects); err != nil {
			return err
		}
	}
	return nil
}

// serverApply applies objects of one namespace and returns what kubectl prints.
func serverApply(ctx context.Context, space string, objects []release.Object, args ...string) (string, error) {
	list, err := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "List", "items": objects})
	if err != nil {
		return "", err
	}
	args = append([]string{"apply", "--server-side", "--force-conflicts", "--field-manager=" + manager, "--filename=-"}, args...)
	if space != "" {
		args = append(args, "--namespace="+space)
	}
	return cluster.KubectlWith(ctx, bytes.NewReader(list), args...)
}

// jobs runs each Job to its end, migrate first: what declare makes room for
// must find its tables.
func (d *deployment) jobs(ctx context.Context) error {
	var first, then []release.Object
	for _, o := range d.of(stageJob) {
		if o.Unit == "migrate" {
			first = append(first, o)
		} else {
			then = append(then, o)
		}
	}
	for _, job := range append(first, then...) {
		// A Job cannot be changed, only run anew.
		if _, err := cluster.Kubectl(ctx, "delete", job.Ref(), "--ignore-not-found", "--cascade=foreground", "--wait"); err != nil {
			return err
		}
		if err := d.apply(ctx, []release.Object{job}); err != nil {
			return err
		}
		if err := d.wait(ctx, []release.Object{job}); err != nil {
			return fmt.Errorf("%w; nothing was rolled out", err)
		}
	}
	return nil
}

// applySources applies RabbitmqSources. Their spec cannot be changed: one that
// differs is deleted and made again; its queue keeps what comes in between.
func (d *deployment) applySources(ctx context.Context, sources []release.Object) error {
	var all errgroup.Group
	for _, o := range sources {
		all.Go(func() error {
			err := d.apply(ctx, []release.Object{o})
			if err == nil || !strings.Contains(err.Error(), "Immutable fields changed") {
				return err
			}
			d.say("%s changed: it is made anew", o)
			if _, err := cluster.Kubectl(ctx, "delete", o.Ref(), "--wait"); err != nil {
				return err
			}
			return d.apply(ctx, []release.Object{o})
		})
	}
	return all.Wait()
}

// wait returns once all objects are ready. When one is not in time, or says
// that it never will be, the error holds what Kubernetes and its logs tell.
func (d *deployment) wait(ctx context.Context, objects []release.Object) error {
	if len(objects) == 0 {
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, d.patience)
	defer cancel()
	pending, last := objects, map[string]string{} // why each was not ready when it was last read
	for {
		var late []release.Object
		for space, objects := range byNamespace(pending) {
			states, err := read(limited, space, objects)
			if err != nil && limited.Err() == nil {
				return err
			}
			for i, o := range objects {
				why, failed := last[o.Ref()], false
				if err == nil {
					why, failed = unready(states[i])
					last[o.Ref()] = why
				}
				switch {
				case failed:
					return d.explain(ctx, o, why)
				case why == "":
					d.say("%s is ready", o)
				case limited.Err() != nil && ctx.Err() == nil:
					return d.explain(ctx, o, fmt.Sprintf("not ready after %v: %s", d.patience, why))
				default:
					late = append(late, o)
				}
			}
		}
		if pending = late; len(pending) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-limited.Done():
		case <-time.After(time.Second):
		}
	}
}

// byNamespace sets objects apart: kubectl takes one namespace at a time.
func byNamespace(objects []release.Object) map[string][]release.Object {
	spaces := map[string][]release.Object{}
	for _, o := range objects {
		spaces[o.Namespace] = append(spaces[o.Namespace], o)
	}
	return spaces
}

// read reads objects of one namespace, in their order.
func read(ctx context.Context, space string, objects []release.Object) ([]json.RawMessage, error) {
	args := []string{"--namespace=" + space}
	for _, o := range objects {
		args = append(args, o.Ref())
	}
	if len(objects) == 1 { // kubectl makes no list of one
		state, err := cluster.Get[json.RawMessage](ctx, args...)
		return []json.RawMessage{state}, err
	}
	list, err := cluster.Get[struct{ Items []json.RawMessage }](ctx, args...)
	if err == nil && len(list.Items) != len(objects) {
		err = fmt.Errorf("%d of %d objects are there", len(list.Items), len(objects))
	}
	return list.Items, err
}

// unready tells why an object is not ready, and whether waiting is in vain.
func unready(raw json.RawMessage) (why string, failed bool) {
	var o struct {
		Kind     string
		Metadata struct{ Generation int }
		Spec     struct{ Replicas *int }
		Status   struct {
			ObservedGeneration                                          int
			Replicas, UpdatedReplicas, ReadyReplicas, AvailableReplicas int
			DesiredNumberScheduled, UpdatedNumberScheduled, NumberReady int
			CurrentRevision, UpdateRevision                             string
			Conditions                                                  []struct{ Type, Status, Reason, Message string }
		}
	}
	if err := json.Unmarshal(raw, &o); err != nil {
		return err.Error(), true
	}
	condition := func(name string) (is bool, message string) {
		for _, c := range o.Status.Conditions {
			if c.Type == name {
				return c.Status == "True", strings.TrimSpace(c.Reason + " " + c.Message)
			}
		}
		return false, "no condition " + name + " yet"
	}
	if o.Kind == "CronJob" {
		return "", false // it has nothing to get ready; like a Job it tells no generation
	}
	if o.Kind != "Job" && o.Status.ObservedGeneration < o.Metadata.Generation {
		return "its controller has not seen it yet", false
	}
	want := 1
	if o.Spec.Replicas != nil {
		want = *o.Spec.Replicas
	}
	s := o.Status
	switch o.Kind {
	case "Job":
		if is, message := condition("Failed"); is {
			return message, true
		}
		if is, _ := condition("Complete"); is {
			return "", false
		}
		return "it runs", false
	case "Deployment":
		if s.UpdatedReplicas < want || s.AvailableReplicas < want || s.Replicas > want {
			return fmt.Sprintf("%d of %d replicas are new, %d are available", s.UpdatedReplicas, want, s.AvailableReplicas), false
		}
		return "", false
	case "StatefulSet":
		if s.UpdatedReplicas < want || s.ReadyReplicas < want || s.CurrentRevision != s.UpdateRevision {
			return fmt.Sprintf("%d of %d replicas are new, %d are ready", s.UpdatedReplicas, want, s.ReadyReplicas), false
		}
		return "", false
	case "DaemonSet":
		if s.UpdatedNumberScheduled < s.DesiredNumberScheduled || s.NumberReady < s.DesiredNumberScheduled {
			return fmt.Sprintf("%d of %d pods are ready", s.NumberReady, s.DesiredNumberScheduled), false
		}
		return "", false
	}
	if is, message := condition("Ready"); !is {
		return message, false
	}
	return "", false
}

// explain adds the end of the logs of an object's pods to the reason why it
// is not ready.
func (d *deployment) explain(ctx context.Context, o release.Object, why string) error {
	logs, err := cluster.Kubectl(ctx, "logs", "--namespace="+o.Namespace, "--selector=app.kubernetes.io/name="+o.Unit,
		"--all-containers", "--prefix", "--tail=5", "--ignore-errors")
	if err != nil || strings.TrimSpace(logs) == "" {
		logs = "no logs; kubectl describe " + o.String() + " knows more"
	}
	return fmt.Errorf("%s: %s\n%s", o, why, strings.TrimSpace(logs))
}
