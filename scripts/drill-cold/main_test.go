package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestManifests: the twins have the settings of the model, and the two kinds
// differ by their image only; otherwise their ratio would mean nothing.
func TestManifests(t *testing.T) {
	dir := t.TempDir()
	said, kubectl := filepath.Join(dir, "said"), filepath.Join(dir, "kubectl")
	model := `{"spec": {"template": {
		"metadata": {"name": "contrat-service-00002", "annotations": {"autoscaling.knative.dev/window": "30s", "autoscaling.knative.dev/max-scale": "3"},
		             "labels": {"app.kubernetes.io/name": "contrat"}},
		"spec": {"containerConcurrency": 10, "containers": [{"image": "registry.example/contrat@sha256:1", "resources": {"requests": {"cpu": "25m"}}}]}}}}`
	for file, content := range map[string]string{said: model, kubectl: fmt.Sprintf("#!/bin/sh\ncat %s\n", said)} {
		if err := os.WriteFile(file, []byte(content), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("KUBECTL", kubectl)
	const empty = "registry.example/empty@sha256:2"
	raw, err := manifests(t.Context(), empty)
	if err != nil {
		t.Fatal(err)
	}
	var list struct {
		Items []struct {
			Metadata struct{ Name string }
			Spec     struct{ Template object }
		}
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Items) != len(twins) {
		t.Fatalf("%d manifests of %d twins", len(list.Items), len(twins))
	}
	for i, item := range list.Items {
		template, err := json.Marshal(item.Spec.Template)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(string(template), empty); got != twins[i].empty {
			t.Errorf("%s runs %s", item.Metadata.Name, template)
		}
		var same object
		if err := json.Unmarshal([]byte(strings.Replace(string(template), empty, "registry.example/contrat@sha256:1", 1)), &same); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(same, list.Items[0].Spec.Template) {
			t.Errorf("%s has settings of its own: %s", item.Metadata.Name, template)
		}
		if strings.Contains(string(template), "contrat-service-00002") || !strings.Contains(string(template), `max-scale":"3"`) {
			t.Errorf("%s does not have the model's settings under a name of its own: %s", item.Metadata.Name, template)
		}
	}
}
