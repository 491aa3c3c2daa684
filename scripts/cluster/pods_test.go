package cluster

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// answer has kubectl print something, whatever it is asked.
func answer(t *testing.T, text string) {
	t.Helper()
	dir := t.TempDir()
	said, script := filepath.Join(dir, "said"), filepath.Join(dir, "kubectl")
	if err := os.WriteFile(said, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(script, fmt.Appendf(nil, "#!/bin/sh\ncat %s\n", said), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECTL", script)
}

func TestPods(t *testing.T) {
	answer(t, `{"items": [
		{"metadata": {"name": "contrat-1", "labels": {"serving.knative.dev/service": "contrat-service"}},
		 "spec": {"containers": [{"name": "user-container"}, {"name": "queue-proxy"}]},
		 "status": {"phase": "Running", "conditions": [{"type": "Initialized", "status": "True"}, {"type": "Ready", "status": "True"}],
		            "containerStatuses": [{"name": "queue-proxy", "restartCount": 7}, {"name": "user-container", "restartCount": 1, "state": {"running": {}}}]}},
		{"metadata": {"name": "leaving", "deletionTimestamp": "2026-11-23T09:00:00Z"},
		 "spec": {"containers": [{"name": "relay"}]}, "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}},
		{"metadata": {"name": "adapter"}, "spec": {"containers": [{"name": "receive-adapter"}]},
		 "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "False"}],
		            "containerStatuses": [{"name": "receive-adapter", "restartCount": 4, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}},
		{"metadata": {"name": "declare"}, "spec": {"containers": [{"name": "declare"}]}, "status": {"phase": "Succeeded"}}]}`)
	pods, err := Pods(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	want := []Pod{
		{Name: "contrat-1", Service: "contrat-service", Program: "user-container", Ready: true, Restarts: 1},
		{Name: "leaving", Program: "relay", Ready: true, Leaving: true},
		{Name: "adapter", Program: "receive-adapter", Restarts: 4, Waiting: "CrashLoopBackOff"},
	}
	if !slices.Equal(pods, want) {
		t.Errorf("%+v, want %+v", pods, want)
	}
	if serving := Serving(pods); len(serving) != 1 || serving[0].Name != "contrat-1" {
		t.Errorf("serving: %+v", serving)
	}
}

func TestQueues(t *testing.T) {
	answer(t, "aquaerp.auth\t3\t1\naquaerp.dead\t0\t2\n")
	queues, err := Queues(t.Context())
	if want := []Queue{{"aquaerp.auth", 3, 1}, {"aquaerp.dead", 0, 2}}; err != nil || !slices.Equal(queues, want) {
		t.Errorf("%+v, %v", queues, err)
	}
	answer(t, "Error: unable to perform an operation on node\n")
	if queues, err := Queues(t.Context()); err == nil {
		t.Errorf("an error was read as %+v", queues)
	}
}
