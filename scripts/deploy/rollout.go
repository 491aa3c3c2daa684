package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"aquaerp.fr/scripts/cluster"
	"aquaerp.fr/scripts/release"
	"aquaerp.fr/scripts/traffic"
)

// rollOut applies what runs, moves the traffic, and undoes both when
// something fails or somebody interrupts.
func (d *deployment) rollOut(ctx context.Context) error {
	err := d.try(ctx)
	if err == nil {
		return nil
	}
	what, _, _ := strings.Cut(err.Error(), "\n")
	d.say("wrong: %s", what)
	calm, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	return errors.Join(err, d.undo(calm))
}

func (d *deployment) try(ctx context.Context) error {
	var services, sources, others []release.Object
	for _, o := range d.of(stageRollOut) {
		switch {
		case o.KnativeService():
			services = append(services, o)
		case o.Kind == "RabbitmqSource":
			sources = append(sources, o)
		default:
			others = append(others, o)
		}
	}
	fresh, err := d.applyServices(ctx, services)
	if err != nil {
		return err
	}
	if err := d.apply(ctx, others); err != nil {
		return err
	}
	if err := d.applySources(ctx, sources); err != nil {
		return err
	}
	d.say("applied %d objects that run: %d Services are new, %d have a new revision", len(services)+len(sources)+len(others), len(fresh), len(d.moved))
	if err := d.candidatesReady(ctx); err != nil {
		return err
	}
	if err := d.wait(ctx, slices.Concat(fresh, others, sources)); err != nil {
		return err
	}
	if d.canary > 0 && len(d.moved) > 0 {
		if err := d.route(ctx, d.canary); err != nil {
			return err
		}
		d.say("%d %% of the traffic goes to the new revisions of %s", d.canary, strings.Join(d.moved, ", "))
		if err := d.judge(ctx); err != nil {
			return err
		}
	}
	if err := d.route(ctx, 100); err != nil {
		return err
	}
	return d.smoke(ctx)
}

// applyServices applies Knative Services. One that is new takes its traffic
// as soon as it is ready, and is returned. Those that serve already keep their
// traffic where it is: a changed template makes a revision at 0 %.
func (d *deployment) applyServices(ctx context.Context, services []release.Object) (fresh []release.Object, err error) {
	var known []release.Object
	for _, o := range services {
		if len(d.before[o.Name].Routed()) == 0 {
			fresh = append(fresh, o)
		} else {
			known = append(known, o)
		}
	}
	if err := d.apply(ctx, fresh); err != nil || len(known) == 0 {
		return fresh, err
	}
	changed, err := d.changed(ctx, known)
	if err != nil {
		return nil, err
	}
	for i, o := range known {
		was := d.before[o.Name]
		routed := was.Routed()
		targets := was.Spec
		// A revision that is there but was undone, or never got ready, is a candidate again.
		if changed[o.Name] || routed[0].Revision != was.Created {
			d.moved = append(d.moved, o.Name)
			targets = traffic.Between(routed, 0)
		}
		// Named in the same request that makes the revision, or that would have all traffic as soon as it is ready.
		known[i].Content = maps.Clone(o.Content)
		spec := maps.Clone(o.Content["spec"].(map[string]any))
		spec["traffic"] = targets
		known[i].Content["spec"] = spec
	}
	return fresh, d.apply(ctx, known)
}

// changed asks the server which Services would get another template, with all
// that its webhooks fill in.
func (d *deployment) changed(ctx context.Context, services []release.Object) (map[string]bool, error) {
	out, err := serverApply(ctx, cluster.Namespace, services, "--dry-run=server", "--output=json")
	if err != nil {
		return nil, err
	}
	var list struct{ Items []traffic.Service }
	if len(services) == 1 { // kubectl prints no list of one
		list.Items = make([]traffic.Service, 1)
		err = json.Unmarshal([]byte(out), &list.Items[0])
	} else {
		err = json.Unmarshal([]byte(out), &list)
	}
	if err != nil {
		return nil, fmt.Errorf("kubectl apply --dry-run=server: %w", err)
	}
	changed := map[string]bool{}
	for _, s := range list.Items {
		changed[s.Name] = !bytes.Equal(compact(s.Template), compact(d.before[s.Name].Template))
	}
	return changed, nil
}

// compact is JSON with its keys in order and no space.
func compact(raw json.RawMessage) []byte {
	var value any
	_ = json.Unmarshal(raw, &value) // it was decoded before
	text, _ := json.Marshal(value)
	return text
}

// hopeless is how long a revision may be called broken before nobody waits
// for it any more: a container that fails to start is started again after 10
// and 20 seconds, and it may have lacked nothing but a server that was busy.
const hopeless = 45 * time.Second

// candidatesReady waits until the new revisions answer their probes.
func (d *deployment) candidatesReady(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, d.patience)
	defer cancel()
	broken := map[string]time.Time{}
	ready := map[string]bool{}
	for {
		now, err := traffic.Services(limited)
		if err != nil && limited.Err() == nil {
			return err
		}
		for _, name := range d.moved {
			s, was := now[name], d.before[name]
			o := release.Object{Kind: "Service", Namespace: cluster.Namespace, Name: name, Unit: s.Unit}
			isNew := s.Settled && (s.Created != was.Created || was.Created != was.Routed()[0].Revision)
			switch {
			case ready[name]:
			case limited.Err() != nil && ctx.Err() == nil:
				return d.explain(ctx, o, fmt.Sprintf("revision %s is not ready after %v: %s", s.Created, d.patience, s.Broken))
			case isNew && s.Ready == s.Created:
				d.say("revision %s is ready", s.Created)
				ready[name] = true
			case isNew && s.Broken != "":
				if broken[name].IsZero() {
					broken[name] = time.Now()
				}
				if time.Since(broken[name]) > hopeless {
					return d.explain(ctx, o, fmt.Sprintf("revision %s: %s", s.Created, s.Broken))
				}
			default:
				delete(broken, name)
			}
		}
		if len(ready) == len(d.moved) {
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

// route gives the new revisions their share, and returns when they have it.
func (d *deployment) route(ctx context.Context, percent int) error {
	if len(d.moved) == 0 {
		return nil
	}
	for _, name := range d.moved {
		targets := traffic.Latest
		if percent < 100 {
			targets = traffic.Between(d.before[name].Routed(), percent)
		}
		if err := traffic.Route(ctx, name, targets); err != nil {
			return err
		}
	}
	limited, cancel := context.WithTimeout(ctx, d.patience)
	defer cancel()
	if err := traffic.Arrive(limited, d.moved...); err != nil {
		return err
	}
	if percent == 100 {
		d.say("all traffic goes to the new revisions of %s", strings.Join(d.moved, ", "))
	}
	return nil
}

// undo gives traffic and programs back to what had them.
func (d *deployment) undo(ctx context.Context) error {
	var errs []error
	for _, name := range d.moved {
		routed := d.before[name].Routed()
		errs = append(errs, traffic.Route(ctx, name, routed))
		d.say("undo: all traffic of %s goes to %s, as before", name, routed[0].Revision)
	}
	if len(d.moved) > 0 {
		errs = append(errs, traffic.Arrive(ctx, d.moved...))
	}
	now, err := deployments(ctx)
	errs = append(errs, err)
	for name, revision := range d.ran {
		if now[name] > revision {
			_, err := cluster.Kubectl(ctx, "rollout", "undo", "deployment/"+name, fmt.Sprintf("--to-revision=%d", revision))
			errs = append(errs, err)
			d.say("undo: deployment/%s runs what it ran before", name)
		}
	}
	if len(d.before) == 0 {
		d.say("there was nothing before to go back to; what was applied stays, to be looked at")
	}
	return errors.Join(errs...)
}

// deployments are the revisions of the product's Deployments, without those
// that a controller made for something else.
func deployments(ctx context.Context) (map[string]int, error) {
	list, err := cluster.Get[struct {
		Items []struct {
			Metadata struct {
				Name            string
				Annotations     map[string]string
				OwnerReferences []struct{ Kind string }
			}
		}
	}](ctx, "deployments")
	revisions := map[string]int{}
	for _, d := range list.Items {
		if n, err := strconv.Atoi(d.Metadata.Annotations["deployment.kubernetes.io/revision"]); err == nil && len(d.Metadata.OwnerReferences) == 0 {
			revisions[d.Metadata.Name] = n
		}
	}
	return revisions, err
}
