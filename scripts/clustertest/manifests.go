package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"

	"aquaerp.fr/scripts/cluster"
	"aquaerp.fr/scripts/release"
)

// certManager is the module that holds the CRDs of the overlays' issuers and
// certificates. The cluster needs nothing else of it to judge them.
const certManager = "github.com/cert-manager/cert-manager"

// manifests has the API server judge every object of every overlay, while
// nothing of them is there: validation, admission by Knative's webhooks, Pod
// Security, and no field that it does not know.
func (t *test) manifests(ctx context.Context, out *output) (string, error) {
	if err := certManagerCRDs(ctx); err != nil {
		return "", err
	}
	overlays, err := filepath.Glob("knative/overlays/*/kustomization.yaml")
	if err != nil || len(overlays) == 0 {
		return "", fmt.Errorf("no overlays: %w", err)
	}
	var accepted []string
	for _, file := range overlays {
		overlay := filepath.Dir(file)
		objects, err := render(overlay)
		if err != nil {
			return "", err
		}
		if err := judge(ctx, objects); err != nil {
			return "", fmt.Errorf("%s: %w", overlay, err)
		}
		out.says("%s: %d objects accepted", overlay, len(objects))
		accepted = append(accepted, fmt.Sprintf("%s %d", filepath.Base(overlay), len(objects)))
	}
	return "objects accepted by the API server: " + strings.Join(accepted, ", "), nil
}

func certManagerCRDs(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, "go", "mod", "download", "-json", certManager).Output()
	if err != nil {
		return fmt.Errorf("go mod download %s: %w", certManager, err)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(out, &module); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(module.Dir, "deploy", "crds", "*.yaml"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("%s holds no CRDs: %w", module.Dir, err)
	}
	var list []release.Object
	for _, file := range files {
		crd, err := readCRD(file)
		if err != nil {
			return err
		}
		list = append(list, crd)
	}
	return apply(ctx, "", list)
}

// readCRD reads a CRD that is written for Helm: templates are in its comments
// and in the values of its labels, which are not needed.
func readCRD(file string) (crd release.Object, err error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return crd, err
	}
	if err := yaml.Unmarshal(content, &crd); err != nil {
		return crd, fmt.Errorf("%s: %w", file, err)
	}
	crd.Content["metadata"] = map[string]any{"name": crd.Name}
	return crd, nil
}

// render reads an overlay. Images that are still to be built get a digest that
// is none: no pod is made of them.
func render(overlay string) ([]release.Object, error) {
	objects, err := release.Render(filesys.MakeFsOnDisk(), overlay)
	if err != nil {
		return nil, err
	}
	for i, o := range objects {
		images := map[string]string{}
		for _, p := range o.Packages() {
			images[p] = "registry.example/" + filepath.Base(p) + "@sha256:" + strings.Repeat("0", 64)
		}
		if objects[i], err = o.WithImages(images); err != nil {
			return nil, err
		}
	}
	return objects, nil
}

// judge applies objects without effect: all but the namespaces, which the rest
// has to be in, and the accounts, as whom Knative tries the pods of a Service.
func judge(ctx context.Context, objects []release.Object) error {
	spaces := map[string][]release.Object{}
	for _, o := range objects {
		if o.Kind == "Namespace" || o.Kind == "ServiceAccount" {
			if err := apply(ctx, o.Namespace, []release.Object{o}); err != nil {
				return err
			}
		}
		spaces[o.Namespace] = append(spaces[o.Namespace], o)
	}
	for space, objects := range spaces {
		if err := apply(ctx, space, objects, "--dry-run=server"); err != nil {
			return err
		}
	}
	return nil
}

func apply(ctx context.Context, space string, objects []release.Object, args ...string) error {
	list, err := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "List", "items": objects})
	if err != nil {
		return err
	}
	args = append([]string{"apply", "--server-side", "--force-conflicts", "--validate=strict", "--filename=-"}, args...)
	if space != "" {
		args = append(args, "--namespace="+space)
	}
	_, err = cluster.KubectlWith(ctx, bytes.NewReader(list), args...)
	return err
}
