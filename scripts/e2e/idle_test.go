package e2e

import (
	"errors"
	"syscall"
	"testing"
	"time"

	"aquaerp.fr/scripts/client"
	"aquaerp.fr/shared/message"
)

// TestIdle sees every function fall asleep when nobody asks for anything, and
// the first click wake what it needs.
func TestIdle(t *testing.T) {
	p := start(t, 1, 2*time.Second)
	ctx := t.Context()
	must(client.Get[message.PageContrats](ctx, p.As("conseiller"), "/v1/contrats"))(t)
	awake := p.functions(t)
	if len(awake) < 2 {
		t.Fatalf("a click woke %d processes, want a gateway and a function", len(awake))
	}
	asleep := func() bool {
		for _, pid := range awake {
			if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
				return false
			}
		}
		return len(p.functions(t)) == 0
	}
	for deadline := time.Now().Add(time.Minute); !asleep(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("a minute later %d processes are awake", len(p.functions(t)))
		}
	}
	must(client.Get[message.PageContrats](ctx, p.As("conseiller"), "/v1/contrats"))(t)
	if len(p.functions(t)) < 2 {
		t.Error("the click was answered by nobody")
	}
}

// functions are the processes of all functions.
func (p product) functions(t *testing.T) (pids []int) {
	t.Helper()
	for _, program := range must(p.Programs(t.Context()))(t) {
		if program.Kind == "service" {
			pids = append(pids, program.PIDs...)
		}
	}
	return pids
}
