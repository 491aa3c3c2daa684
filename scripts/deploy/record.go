package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"time"

	"aquaerp.fr/scripts/cluster"
	"aquaerp.fr/scripts/release"
)

// record writes into ConfigMap `release`, for each unit that was deployed,
// what it runs (release.Deployed) and, compressed, the objects as they were
// applied:
//
//	kubectl get configmap release -n aquaerp -o jsonpath='{.binaryData.facture\.json\.gz}' | base64 -d | gunzip | kubectl diff -f -
func (d *deployment) record(ctx context.Context) error {
	revision, err := commit(ctx)
	if err != nil {
		return err
	}
	known, err := release.Read(ctx)
	if err != nil {
		return err
	}
	for _, unit := range release.Units(d.objects) {
		if len(d.only) > 0 && !slices.Contains(d.only, unit) {
			continue // its settings were applied on the way
		}
		var objects []release.Object
		var images []string
		for _, o := range d.objects {
			if o.Unit == unit {
				objects = append(objects, o)
				images = append(images, o.Images()...)
			}
		}
		slices.Sort(images)
		text, err := json.Marshal(release.Deployed{Revision: revision, At: time.Now().UTC().Truncate(time.Second), Overlay: d.overlay, Images: slices.Compact(images)})
		if err != nil {
			return err
		}
		packed, err := pack(objects)
		if err != nil {
			return err
		}
		known.Data[unit], known.BinaryData[unit+".json.gz"] = string(text), packed
	}
	_, err = serverApply(ctx, cluster.Namespace, []release.Object{{Content: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"name": release.Record, "namespace": cluster.Namespace, "labels": map[string]string{
			"app.kubernetes.io/name": release.Record, "app.kubernetes.io/component": "job",
			"app.kubernetes.io/part-of": "aquaerp", "app.kubernetes.io/managed-by": manager}},
		"data": known.Data, "binaryData": known.BinaryData,
	}}})
	if err == nil {
		d.say("recorded: commit %s", revision)
	}
	return err
}

func pack(objects []release.Object) ([]byte, error) {
	text, err := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "List", "items": objects})
	if err != nil {
		return nil, err
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err = z.Write(text); err == nil {
		err = z.Close()
	}
	return packed.Bytes(), err
}

// commit is the checkout's; a changed file makes it a commit that nobody has.
func commit(ctx context.Context) (string, error) {
	git := func(args ...string) (string, error) {
		out, err := exec.CommandContext(ctx, "git", args...).Output()
		return strings.TrimSpace(string(out)), err
	}
	head, err := git("rev-parse", "HEAD")
	if err != nil {
		return "", fmt.Errorf("git: %w", err)
	}
	changes, err := git("status", "--porcelain")
	if changes != "" {
		head += release.Dirty
	}
	return head, err
}

// kinds are those that a deployment leaves behind when they go from the
// manifests.
const kinds = "services.serving.knative.dev,deployments,statefulsets,daemonsets,cronjobs,rabbitmqsources,pingsources," +
	"networkpolicies,poddisruptionbudgets,serviceaccounts,services,configmaps"

// orphans names what was deployed once and is in the manifests no more. It
// deletes nothing: `kubectl apply --prune` would take what a selective
// deployment left out, or a StatefulSet that was renamed, with its data.
func (d *deployment) orphans(ctx context.Context) error {
	type list struct{ Items []release.Object }
	here, err := cluster.Get[list](ctx, kinds, "--all-namespaces", "--selector=app.kubernetes.io/part-of=aquaerp")
	if err != nil {
		return err
	}
	revisions, err := cluster.Get[list](ctx, "revisions.serving.knative.dev")
	if err != nil {
		return err
	}
	inUse, err := json.Marshal(revisions.Items) // a revision to go back to needs its settings
	if err != nil {
		return err
	}
	wanted := map[string]bool{}
	for _, o := range d.all {
		wanted[o.Namespace+" "+o.Ref()] = true
	}
	gone := map[string][]string{}
	for _, o := range here.Items {
		owned := o.Content["metadata"].(map[string]any)["ownerReferences"] != nil
		kept := o.Kind == "ConfigMap" && (o.Name == release.Record || bytes.Contains(inUse, []byte(`"`+o.Name+`"`)))
		if !wanted[o.Namespace+" "+o.Ref()] && !owned && !kept {
			gone[o.Namespace] = append(gone[o.Namespace], o.String())
		}
	}
	for _, space := range slices.Sorted(maps.Keys(gone)) {
		d.say("no longer in the manifests; look, then: kubectl delete -n %s %s", space, strings.Join(gone[space], " "))
	}
	return nil
}
