package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aquaerp.fr/scripts/release"
	"aquaerp.fr/scripts/traffic"
)

// facture is the Service while its traffic is with a revision, and the image
// of its template another one's.
func facture(revision, image string) string {
	return fmt.Sprintf(`{"apiVersion":"serving.knative.dev/v1","kind":"Service",
"metadata":{"name":"facture-service","namespace":"aquaerp","generation":2,"labels":{"app.kubernetes.io/name":"facture"}},
"spec":{"template":{"spec":{"containers":[{"image":%q}]}},"traffic":[{"revisionName":%q,"percent":100}]},
"status":{"observedGeneration":2,"latestCreatedRevisionName":"facture-service-00002","latestReadyRevisionName":"facture-service-00002",
"traffic":[{"revisionName":%q,"percent":100}]}}`, image, revision, revision)
}

// kubectl answers for a cluster whose one Service is service; it returns how
// to read what was asked of it, a line each, and what was applied.
func kubectl(t *testing.T, service, dryRun string) (asked, applied func() string) {
	t.Helper()
	dir := t.TempDir()
	read := func(name string) func() string {
		return func() string {
			text, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
	}
	for name, text := range map[string]string{
		"services":    `{"items":[` + service + `]}`,
		"dry-run":     dryRun,
		"deployments": `{"items":[{"metadata":{"name":"relay","annotations":{"deployment.kubernetes.io/revision":"4"}}},{"metadata":{"name":"mailbox","annotations":{"deployment.kubernetes.io/revision":"1"}}}]}`,
		"kubectl": `#!/bin/sh
cd "$(dirname "$0")" && echo "$*" >> asked
case "$*" in
*"get services.serving"*) cat services ;;
*"get deployments"*) cat deployments ;;
*dry-run*) cat > /dev/null; cat dry-run ;;
*" apply "*) cat >> applied ;;
esac
`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("KUBECTL", filepath.Join(dir, "kubectl"))
	return read("asked"), read("applied")
}

func object(t *testing.T, text string) (o release.Object) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	return o
}

func before(t *testing.T, text string) map[string]traffic.Service {
	t.Helper()
	var s traffic.Service
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	return map[string]traffic.Service{s.Name: s}
}

// What failed goes back to the revision that had the traffic, by its name;
// programs that did not change are left alone.
func TestUndo(t *testing.T) {
	was := facture("facture-service-00001", "old")
	asked, _ := kubectl(t, was, "")
	d := &deployment{began: time.Now(), before: before(t, was), moved: []string{"facture-service"}, ran: map[string]int{"relay": 3, "mailbox": 1}}
	if err := d.undo(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`patch services.serving.knative.dev facture-service --type=merge --field-manager=aquaerp-deploy --patch {"spec":{"traffic":[{"revisionName":"facture-service-00001","latestRevision":false,"percent":100}]}}`,
		"rollout undo deployment/relay --to-revision=3",
	} {
		if !strings.Contains(asked(), want) {
			t.Errorf("not asked: %s\nasked:\n%s", want, asked())
		}
	}
	if strings.Contains(asked(), "mailbox") {
		t.Errorf("a program that did not change was undone:\n%s", asked())
	}
}

// The request that makes a revision says that it gets no traffic yet; a
// Service that would not change keeps the traffic that it has.
func TestCandidates(t *testing.T) {
	for _, test := range []struct {
		name, dryRun, traffic string
		moved                 int
	}{
		{"another image", facture("facture-service-00002", "new"),
			`[{"latestRevision":false,"percent":100,"revisionName":"facture-service-00002"},{"latestRevision":true,"percent":0,"tag":"candidate"}]`, 1},
		{"the same", facture("facture-service-00002", "old"), `[{"latestRevision":false,"percent":100,"revisionName":"facture-service-00002"}]`, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			was := facture("facture-service-00002", "old")
			_, applied := kubectl(t, was, test.dryRun)
			d := &deployment{began: time.Now(), before: before(t, was)}
			fresh, err := d.applyServices(t.Context(), []release.Object{object(t, test.dryRun)})
			if err != nil || len(fresh) != 0 || len(d.moved) != test.moved {
				t.Fatalf("new %v, moved %v, %v", fresh, d.moved, err)
			}
			var list struct {
				Items []struct {
					Spec struct{ Traffic json.RawMessage }
				}
			}
			if err := json.Unmarshal([]byte(applied()), &list); err != nil {
				t.Fatal(err)
			}
			if got := string(compact(list.Items[0].Spec.Traffic)); got != test.traffic {
				t.Errorf("traffic %s, want %s", got, test.traffic)
			}
		})
	}
}
