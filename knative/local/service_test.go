package main

import (
	"bufio"
	"context"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestFirstRequestStartsAProcess(t *testing.T) {
	t.Parallel()
	w := start(t, 0, manifest("contrat-service", "LOG_LEVEL=debug"))
	if state := w.state(); len(state.Instances) != 0 {
		t.Fatalf("a process runs before the first request: %+v", state)
	}
	first := w.told("http://contrat-service.aquaerp.svc.cluster.local/chemin?a=1", []byte("corps"))
	env := "\n" + strings.Join(first.Env, "\n") + "\n"
	for _, want := range []string{"K_SERVICE=contrat-service", "K_CONFIGURATION=contrat-service", "K_REVISION=contrat-service-00001",
		"GREETING=bonjour", "LOG_LEVEL=debug", "NO_PROXY=", "HTTP_PROXY=http://" + w.servers[0].listener.Addr().String()} {
		if !strings.Contains(env, "\n"+want+"\n") {
			t.Errorf("%s is not in its environment", want)
		}
	}
	if strings.Contains(env, "\nUSER=") || strings.Contains(env, "\nGOFLAGS=") {
		t.Error("it inherited the runtime's environment")
	}
	if first.Host != "contrat-service.aquaerp.svc.cluster.local" || first.Body != "corps" || first.Header.Get("X-Forwarded-For") == "" {
		t.Errorf("the request came as %+v", first)
	}
	if again := w.told("http://contrat-service", nil); again.PID != first.PID {
		t.Errorf("process %d answered, not %d", again.PID, first.PID)
	}
	state := w.state()
	if state.ColdStarts.Count != 1 || len(state.Instances) != 1 || state.Instances[0].PID != first.PID || state.Requests != 2 {
		t.Errorf("status says %+v", state)
	}
}

// One function calls another by the address it has in a cluster.
func TestFunctionsReachEachOther(t *testing.T) {
	t.Parallel()
	w := start(t, 0, manifest("contrat-service"), manifest("facture-service"))
	answer := w.told("http://contrat-service/call?url="+url.QueryEscape("http://facture-service.aquaerp.svc.cluster.local/x"), nil)
	if !strings.Contains(strings.Join(answer.Env, "\n"), "K_SERVICE=facture-service") {
		t.Errorf("another one answered: %v", answer.Env)
	}
	if status, content := w.ask("http://personne.aquaerp.svc.cluster.local/", nil); status != http.StatusNotFound || !strings.Contains(content, "personne") {
		t.Errorf("a Service that is not there answers %d %s", status, content)
	}
}

func TestScaleAndConcurrency(t *testing.T) {
	t.Parallel()
	w := start(t, 0, manifest("facture-service", "max-scale: 2", "containerConcurrency: 2", "GATE=$GATE"))
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if status, content := w.ask("http://facture-service/gate", []byte{}); status != http.StatusOK {
				t.Errorf("%d %s", status, content)
			}
		})
	}
	// Two processes with two requests each are all there may be: the other six wait.
	w.until("four inside, six waiting", func() bool { return w.gate.count() == 4 && w.state().Waiting == 6 })
	if n := len(w.state().Instances); n != 2 {
		t.Errorf("%d processes", n)
	}
	w.gate.open()
	all.Wait()
	if len(w.gate.most) > 2 {
		t.Errorf("more than 2 processes served: %v", w.gate.most)
	}
	for pid, most := range w.gate.most {
		if most != 2 {
			t.Errorf("process %s had %d requests at once", pid, most)
		}
	}
}

func TestNoLimitIsNoQueue(t *testing.T) {
	t.Parallel()
	w := start(t, 0, manifest("api-gateway", "max-scale: 3", "containerConcurrency: 0", "GATE=$GATE"))
	var all sync.WaitGroup
	for range 30 {
		all.Go(func() { w.ask("http://api-gateway/gate", []byte{}) })
	}
	w.until("thirty inside", func() bool { return w.gate.count() == 30 })
	if n := len(w.state().Instances); n != 1 {
		t.Errorf("%d processes for 30 requests", n)
	}
	w.gate.open()
	all.Wait()
}

func TestQueueIsBounded(t *testing.T) {
	t.Parallel()
	w := start(t, 0, manifest("mailer-service", "max-scale: 1", "containerConcurrency: 1", "GATE=$GATE"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var all sync.WaitGroup
	// Straight to the queue: a thousand connections would only test the machine.
	only, err := w.services[0].acquire(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for range queueLimit {
		all.Go(func() {
			if i, err := w.services[0].acquire(ctx); err == nil {
				w.services[0].release(i)
			}
		})
	}
	w.until("a full queue", func() bool { return w.state().Waiting == queueLimit })
	request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://mailer-service/", nil)
	response, err := w.client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusServiceUnavailable || response.Header.Get("Retry-After") == "" {
		t.Errorf("%s, Retry-After %q", response.Status, response.Header.Get("Retry-After"))
	}
	cancel()
	all.Wait()
	w.services[0].release(only)
	if waiting := w.state().Waiting; waiting != 0 {
		t.Errorf("%d still wait after they gave up", waiting)
	}
}

func TestIdleProcessesEnd(t *testing.T) {
	t.Parallel()
	w := start(t, 50*time.Millisecond, manifest("frontend", "min-scale: 2", "max-scale: 5", "GATE=$GATE"))
	first := w.told("http://frontend/", nil)
	w.until("sleep", func() bool { return len(w.state().Instances) == 0 && !alive(first.PID) })
	if second := w.told("http://frontend/", nil); second.PID == first.PID {
		t.Error("the same process answered after its end")
	}
	// A request under way keeps its process awake for as long as it takes.
	done := make(chan int)
	go func() {
		status, _ := w.ask("http://frontend/gate", []byte{})
		done <- status
	}()
	w.until("one inside", func() bool { return w.gate.count() == 1 })
	time.Sleep(200 * time.Millisecond)
	w.gate.open()
	if status := <-done; status != http.StatusOK {
		t.Errorf("%d", status)
	}
	if crashes := w.state().Crashes; crashes != 0 {
		t.Errorf("sleep is counted as %d crashes", crashes)
	}
}

// Without -idle, one process of a min-scale Service is up before the first request, and comes back.
func TestMinScaleIsKept(t *testing.T) {
	t.Parallel()
	w := start(t, 0, manifest("api-gateway", "min-scale: 2", "max-scale: 5"))
	ready := func() bool { return len(w.state().Instances) == 1 && w.state().Instances[0].PID != 0 }
	w.until("a process", ready)
	first := w.services[0].kill()
	w.until("another process", func() bool { return ready() && w.state().Instances[0].PID != first })
}

func TestKilledUnderARequest(t *testing.T) {
	t.Parallel()
	w := start(t, 0, manifest("facture-service", "GATE=$GATE"))
	answer := make(chan int)
	go func() {
		status, _ := w.ask("http://facture-service/gate", []byte("une fois"))
		answer <- status
	}()
	w.until("one inside", func() bool { return w.gate.count() == 1 })
	killed := w.services[0].kill()
	if status := <-answer; status != http.StatusBadGateway {
		t.Errorf("the caller got %d, not 502", status)
	}
	w.until("the crash in the status", func() bool { return w.state().Crashes == 1 })
	if next := w.told("http://facture-service/", []byte{}); next.PID == killed {
		t.Error("a dead process answered")
	}
	if n := len(w.gate.most); n != 1 {
		t.Errorf("%d processes saw the request: it was repeated", n)
	}
}

// A process that is gone without the runtime knowing refuses the connection; the request goes to a new one.
func TestRefusedConnectionIsTriedAgain(t *testing.T) {
	t.Parallel()
	w := start(t, 0, manifest("facture-service"))
	first := w.told("http://facture-service/", nil)
	s := w.services[0]
	s.mu.Lock()
	s.instances[0].transport.CloseIdleConnections()
	s.instances[0].address = "127.0.0.1:1"
	s.mu.Unlock()
	next := w.told("http://facture-service/", []byte("corps"))
	if next.PID == first.PID || next.Body != "corps" {
		t.Errorf("after %d came %+v", first.PID, next)
	}
	w.until("the end of the first", func() bool { return !alive(first.PID) })
}

func TestStartThatFails(t *testing.T) {
	t.Parallel()
	w := start(t, 0, manifest("auth-service", "FAIL_AT_START=1"))
	for range 2 { // the second within the pause after the first
		status, content := w.ask("http://auth-service/", []byte{})
		if status != http.StatusServiceUnavailable || !strings.Contains(content, "ended before it was ready: exit status 3") {
			t.Errorf("%d %s", status, content)
		}
	}
	log, err := os.ReadFile(filepath.Join(w.logs, "auth-service.log"))
	if err != nil || !strings.Contains(string(log), "this program does not start") {
		t.Errorf("its log: %s, %v", log, err)
	}
}

func TestRequestTimeout(t *testing.T) {
	t.Parallel()
	w := start(t, 0, manifest("contrat-service", "timeoutSeconds: 1", "GATE=$GATE"))
	if status, content := w.ask("http://contrat-service/gate", []byte{}); status != http.StatusGatewayTimeout {
		t.Errorf("%d %s", status, content)
	}
	w.until("the place is free again", func() bool { return w.state().Instances[0].InFlight == 0 })
}

func TestStreamIsNotHeldBack(t *testing.T) {
	t.Parallel()
	w := start(t, 0, manifest("api-gateway", "GATE=$GATE"))
	request, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://api-gateway/stream", nil)
	response, err := w.client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	lines := bufio.NewScanner(response.Body)
	for _, want := range []string{"data: 1", "", "data: 2"} {
		if !lines.Scan() || lines.Text() != want {
			t.Fatalf("%q came, not %q: %v", lines.Text(), want, lines.Err())
		}
		w.gate.open() // the second event is not sent before the first was read
	}
}

// Stopping lets a request under way end, and leaves no process.
func TestStop(t *testing.T) {
	t.Parallel()
	w := start(t, 0, manifest("contrat-service", "GATE=$GATE"))
	answer := make(chan int)
	go func() {
		status, _ := w.ask("http://contrat-service/gate", []byte{})
		answer <- status
	}()
	w.until("one inside", func() bool { return w.gate.count() == 1 })
	pid := w.state().Instances[0].PID
	stopped := make(chan struct{})
	go func() {
		w.stop()
		close(stopped)
	}()
	w.until("the doors are shut", func() bool {
		_, err := w.client().Get("http://contrat-service/")
		return err != nil
	})
	w.gate.open()
	if status := <-answer; status != http.StatusOK {
		t.Errorf("the request under way got %d", status)
	}
	<-stopped
	if alive(pid) {
		t.Error("its process is still there")
	}
}

func TestProcessThatDoesNotEndIsEnded(t *testing.T) {
	t.Parallel()
	w := start(t, 0, manifest("contrat-service", "timeoutSeconds: 1", "IGNORE_SIGTERM=1"))
	pid := w.told("http://contrat-service/", nil).PID
	w.stop()
	if alive(pid) {
		t.Error("it is still there")
	}
}
