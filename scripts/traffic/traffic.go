// Package traffic reads and moves the traffic of the Knative Services between
// their revisions, for the programs that roll out and roll back.
package traffic

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"aquaerp.fr/scripts/cluster"
)

// Candidate is the tag of a revision that is being tried. It also gives the
// revision an address in the cluster: candidate-<service>.
const Candidate = "candidate"

// Target is a share of a Service's traffic, as in its spec: of the revision
// with that name, or of whichever is the latest ready one.
type Target struct {
	Revision string `json:"revisionName,omitempty"`
	Latest   bool   `json:"latestRevision"`
	Percent  int    `json:"percent"`
	Tag      string `json:"tag,omitempty"`
}

// Latest is all traffic for the latest ready revision: a Service at rest.
var Latest = []Target{{Latest: true, Percent: 100}}

// Service is what a Knative Service says of its revisions.
type Service struct {
	Name        string
	Unit        string // the function, by the label app.kubernetes.io/name
	Settled     bool   // Knative has seen the last change
	Created     string // latest revision
	Ready       string // latest revision that is ready
	Broken      string // why the latest revision is not ready and will not be by waiting, or ""
	Serving     bool   // all of Knative's conditions hold
	Spec        []Target
	Status      []Target // with names of revisions throughout
	Template    json.RawMessage
	Annotations map[string]string // of the template
}

// UnmarshalJSON reads a Service from Kubernetes' JSON of it.
func (s *Service) UnmarshalJSON(raw []byte) error {
	var k struct {
		Metadata struct {
			Name       string
			Generation int
			Labels     map[string]string
		}
		Spec struct {
			Traffic  []Target
			Template json.RawMessage
		}
		Status struct {
			ObservedGeneration        int
			LatestCreatedRevisionName string
			LatestReadyRevisionName   string
			Conditions                []struct{ Type, Status, Message string }
			Traffic                   []Target
		}
	}
	if err := json.Unmarshal(raw, &k); err != nil {
		return err
	}
	var template struct {
		Metadata struct{ Annotations map[string]string }
	}
	if err := json.Unmarshal(k.Spec.Template, &template); err != nil {
		return err
	}
	*s = Service{
		Name: k.Metadata.Name, Unit: k.Metadata.Labels["app.kubernetes.io/name"],
		Settled: k.Status.ObservedGeneration == k.Metadata.Generation,
		Created: k.Status.LatestCreatedRevisionName, Ready: k.Status.LatestReadyRevisionName,
		Spec: k.Spec.Traffic, Status: k.Status.Traffic,
		Template: k.Spec.Template, Annotations: template.Metadata.Annotations,
	}
	for _, c := range k.Status.Conditions {
		switch {
		case c.Type == "Ready":
			s.Serving = c.Status == "True"
		case c.Type == "ConfigurationsReady" && c.Status == "False":
			s.Broken = c.Message
		}
	}
	return nil
}

// Routed are the revisions that have traffic now, by name, each with its share.
func (s Service) Routed() []Target {
	share := map[string]int{}
	for _, t := range s.Status {
		share[t.Revision] += t.Percent
	}
	var routed []Target
	for _, name := range slices.Sorted(maps.Keys(share)) {
		if share[name] > 0 {
			routed = append(routed, Target{Revision: name, Percent: share[name]})
		}
	}
	return routed
}

// Services reads all Knative Services of the product.
func Services(ctx context.Context) (map[string]Service, error) {
	list, err := cluster.Get[struct{ Items []Service }](ctx, "services.serving.knative.dev")
	services := map[string]Service{}
	for _, s := range list.Items {
		services[s.Name] = s
	}
	return services, err
}

// Between is a share for the candidate, which is the latest revision, and the
// rest in their proportions for the revisions that have the traffic.
func Between(routed []Target, percent int) []Target {
	split, left := make([]Target, len(routed)), 100-percent
	for i, t := range routed {
		t.Percent = t.Percent * (100 - percent) / 100
		left -= t.Percent
		split[i] = t
	}
	split[0].Percent += left // what rounding left over
	return append(split, Target{Latest: true, Percent: percent, Tag: Candidate})
}

// Route gives a Service's traffic to targets.
func Route(ctx context.Context, service string, targets []Target) error {
	patch, err := json.Marshal(map[string]any{"spec": map[string]any{"traffic": targets}})
	if err != nil {
		return fmt.Errorf("traffic: %w", err)
	}
	_, err = cluster.Kubectl(ctx, "patch", "services.serving.knative.dev", service,
		"--type=merge", "--field-manager=aquaerp-deploy", "--patch", string(patch))
	return err
}

// Arrive waits until the ingress serves each Service as its spec says.
func Arrive(ctx context.Context, names ...string) error {
	for {
		services, err := Services(ctx)
		if err != nil {
			return err
		}
		late := ""
		for _, name := range names {
			if s := services[name]; !s.arrived() {
				late = name
			}
		}
		if late == "" {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("traffic: of %s does not arrive: %w", late, ctx.Err())
		case <-time.After(time.Second):
		}
	}
}

// arrived compares what is asked for with what is there. It does not ask for
// the condition Ready, which a broken latest revision without traffic takes away.
func (s Service) arrived() bool {
	want := map[Target]bool{}
	for _, t := range s.Spec {
		if t.Latest {
			t.Revision = s.Ready
		}
		want[Target{Revision: t.Revision, Percent: t.Percent, Tag: t.Tag}] = true
	}
	for _, t := range s.Status {
		delete(want, Target{Revision: t.Revision, Percent: t.Percent, Tag: t.Tag})
	}
	return s.Settled && len(want) == 0 && len(s.Spec) == len(s.Status)
}

// Kn is the command of Knative's client that routes a Service so.
func Kn(service string, targets []Target) string {
	command := []string{"kn service update", service, "--namespace", cluster.Namespace}
	for _, t := range targets {
		name := t.Revision
		if t.Latest {
			name = "@latest"
		}
		if t.Tag != "" {
			command = append(command, "--tag", name+"="+t.Tag)
		}
		command = append(command, "--traffic", fmt.Sprintf("%s=%d", name, t.Percent))
	}
	return strings.Join(command, " ")
}
