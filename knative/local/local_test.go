package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"aquaerp.fr/knative"
)

// asRuntime is the variable that turns the test binary into the runtime, with the variable's lines as its arguments.
const asRuntime = "LOCAL_TEST_ARGS"

// bin is the folder of the test function.
var bin string

func TestMain(m *testing.M) {
	if args := os.Getenv(asRuntime); args != "" {
		if err := run(strings.Split(args, "\n")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(withFunction(m))
}

func withFunction(m *testing.M) int {
	var err error
	if bin, err = os.MkdirTemp("", "aquaerp-local-"); err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(bin) }()
	build := exec.Command("go", "build", "-o", bin, "./testdata/fonction")
	if out, err := build.CombinedOutput(); err != nil {
		panic(fmt.Sprintf("%v\n%s", err, out))
	}
	return m.Run()
}

// container is what Knative asks of one, or warns without.
const container = "readinessProbe: {httpGet: {path: /health}}\n        securityContext: {allowPrivilegeEscalation: false, runAsNonRoot: true," +
	" capabilities: {drop: [ALL]}, seccompProfile: {type: RuntimeDefault}}"

// manifest is a Service of the test function; settings are lines of its spec ("timeoutSeconds: 5"), of its
// annotations ("max-scale: 2") or of its environment ("NAME=value").
func manifest(name string, settings ...string) string {
	var annotations, spec, env strings.Builder
	for _, setting := range settings {
		if name, value, ok := strings.Cut(setting, "="); ok {
			fmt.Fprintf(&env, "        - {name: %s, value: %q}\n", name, value)
		} else if key, value, _ := strings.Cut(setting, ": "); strings.HasSuffix(key, "-scale") {
			fmt.Fprintf(&annotations, "        autoscaling.knative.dev/%s: %q\n", key, value)
		} else {
			fmt.Fprintf(&spec, "      %s\n", setting)
		}
	}
	return fmt.Sprintf(`---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: %s, namespace: aquaerp}
spec:
  template:
    metadata:
      annotations:
        example.com/of: a-test
%s    spec:
%s      containers:
      - image: ko://aquaerp.fr/functions/fonction
        `+container+`
        env:
        - {name: GREETING, value: bonjour}
%s`, name, annotations.String(), spec.String(), env.String())
}

// world is a running platform, and what the test sees of it.
type world struct {
	*platform
	t    testing.TB
	logs string
	stop func() // stops it and waits for the end
	gate *gate
}

func start(t testing.TB, idle time.Duration, manifests ...string) *world {
	t.Helper()
	w := &world{t: t, gate: newGate(t)}
	return startWith(t, config{manifests: []string{w.file(manifests...)}, bin: bin, idle: idle}, w)
}

func startWith(t testing.TB, c config, w *world) *world {
	t.Helper()
	c.logs, c.admin, c.activator = t.TempDir(), "127.0.0.1:0", "127.0.0.1:0"
	p, err := newPlatform(c)
	if err != nil {
		t.Fatal(err)
	}
	w.logs = c.logs
	w.platform = p
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.run(ctx) }()
	w.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(w.stop)
	t.Cleanup(w.gate.open)
	return w
}

// file writes manifests to a file; they learn there where the gate is.
func (w *world) file(manifests ...string) string {
	file := filepath.Join(w.t.TempDir(), "manifests.yaml")
	content := strings.ReplaceAll(strings.Join(manifests, "\n"), "$GATE", w.gate.URL)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return file
}

func (w *world) client() *http.Client {
	proxy, err := url.Parse("http://" + w.servers[0].listener.Addr().String())
	if err != nil {
		w.t.Fatal(err)
	}
	return &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(proxy), DisableKeepAlives: true}}
}

// ask sends a request to a function by its name in the platform; body nil is a GET.
func (w *world) ask(url string, body []byte) (int, string) {
	w.t.Helper()
	method := http.MethodGet
	if body != nil {
		method = http.MethodPost
	}
	request, err := http.NewRequestWithContext(w.t.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	response, err := w.client().Do(request)
	if err != nil {
		w.t.Error(err)
		return 0, ""
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		w.t.Error(err)
	}
	return response.StatusCode, string(content)
}

// told is what the test function tells about a request and itself.
type told struct {
	PID    int
	Env    []string
	Args   []string
	Host   string
	Header http.Header
	Body   string
}

func (w *world) told(url string, body []byte) told {
	w.t.Helper()
	status, content := w.ask(url, body)
	if status != http.StatusOK {
		w.t.Fatalf("%s: %d %s", url, status, content)
	}
	var answer told
	if err := json.Unmarshal([]byte(content), &answer); err != nil {
		w.t.Fatal(err)
	}
	return answer
}

// state is the only Service's part of GET /status.
func (w *world) state() serviceStatus { return w.status().Services[0] }

// until waits for something that must come sooner or later.
func (w *world) until(what string, condition func() bool) {
	w.t.Helper()
	for begin := time.Now(); !condition(); time.Sleep(2 * time.Millisecond) {
		if time.Since(begin) > 30*time.Second {
			state := []byte("of a runtime of its own")
			if w.platform != nil {
				state, _ = json.MarshalIndent(w.status(), "", "  ")
			}
			w.t.Fatalf("never came: %s; status %s", what, state)
		}
	}
}

// gate is where functions wait for the test. It counts who is inside, by process.
type gate struct {
	*httptest.Server
	open func() // for all, for ever

	mu     sync.Mutex
	inside map[string]int
	most   map[string]int
}

func newGate(t testing.TB) *gate {
	opened := make(chan struct{})
	g := &gate{open: sync.OnceFunc(func() { close(opened) }), inside: map[string]int{}, most: map[string]int{}}
	g.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		pid := r.FormValue("pid")
		g.mu.Lock()
		g.inside[pid]++
		g.most[pid] = max(g.most[pid], g.inside[pid])
		g.mu.Unlock()
		select {
		case <-opened:
		case <-r.Context().Done():
		}
		g.mu.Lock()
		g.inside[pid]--
		g.mu.Unlock()
	}))
	t.Cleanup(g.Close)
	return g
}

func (g *gate) count() (n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, inside := range g.inside {
		n += inside
	}
	return n
}

// alive does not count what has ended and was left to be reaped by whoever takes orphans in.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return syscall.Kill(pid, 0) == nil && (err != nil || !strings.Contains(string(stat), ") Z "))
}

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
	if next := w.told("http://facture-service/", []byte{}); next.PID == killed {
		t.Error("a dead process answered")
	}
	w.until("the crash in the status", func() bool { return w.state().Crashes == 1 })
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

const deployment = `---
apiVersion: apps/v1
kind: Deployment
metadata: {name: relay, namespace: aquaerp}
spec:
  selector: {matchLabels: {app: relay}}
  template:
    metadata: {labels: {app: relay}}
    spec:
      containers:
      - image: ko://aquaerp.fr/eventing/fonction
        name: relay
        args: [run, --now]
        ports: [{containerPort: 9464}]
        env: [{name: LISTEN, value: ":9464"}]
`

func TestDeploymentIsStartedAgain(t *testing.T) {
	t.Parallel()
	w := start(t, 0, deployment)
	relay := func() daemonStatus { return w.status().Deployments[0] }
	w.until("a process", func() bool { return relay().PID != 0 })
	first := relay().PID
	var answer told
	w.until("an answer at its address", func() bool {
		response, err := http.Get(relay().Address)
		if err != nil {
			return false
		}
		defer func() { _ = response.Body.Close() }()
		return json.NewDecoder(response.Body).Decode(&answer) == nil
	})
	if answer.PID != first || !slices.Equal(answer.Args, []string{"run", "--now"}) {
		t.Errorf("process %d answered, with arguments %q", answer.PID, answer.Args)
	}
	if status, content := post(t, w, "/kill?deployment=relay"); status != http.StatusOK || !strings.Contains(content, strconv.Itoa(first)) {
		t.Fatalf("%d %s", status, content)
	}
	w.until("another process", func() bool { return relay().PID != 0 && relay().PID != first })
	if now := relay(); now.Restarts != 1 || !strings.Contains(now.LastExit, "killed") {
		t.Errorf("status says %+v", now)
	}
	second := relay().PID
	w.stop()
	if alive(second) {
		t.Error("it outlives the runtime")
	}
}

func post(t *testing.T, w *world, path string) (int, string) {
	t.Helper()
	response, err := http.Post("http://"+w.servers[1].listener.Addr().String()+path, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(content)
}

func TestAdmin(t *testing.T) {
	t.Parallel()
	w := start(t, 0, manifest("contrat-service"), deployment)
	pid := w.told("http://contrat-service/", nil).PID
	response, err := http.Get("http://" + w.servers[1].listener.Addr().String() + "/")
	if err != nil {
		t.Fatal(err)
	}
	page, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil || !strings.Contains(string(page), "contrat-service") || !strings.Contains(string(page), fmt.Sprintf("%d: 0 in flight", pid)) || !strings.Contains(string(page), "</html>") {
		t.Errorf("the page is %s, %v", page, err)
	}
	for path, want := range map[string]int{
		"/kill?service=contrat-service": http.StatusOK,
		"/kill?service=personne":        http.StatusNotFound,
		"/kill?source=personne":         http.StatusNotFound,
		"/kill":                         http.StatusNotFound,
	} {
		if status, content := post(t, w, path); status != want {
			t.Errorf("%s: %d %s, not %d", path, status, content, want)
		}
	}
	w.until("the end of the process", func() bool { return len(w.state().Instances) == 0 })
	if status, _ := post(t, w, "/kill?service=contrat-service"); status != http.StatusConflict {
		t.Errorf("killing what sleeps is %d", status)
	}
}

func TestPing(t *testing.T) {
	t.Parallel()
	w := start(t, 0, manifest("workflow-service"), `---
apiVersion: sources.knative.dev/v1
kind: PingSource
metadata: {name: relances, namespace: aquaerp}
spec:
  schedule: "* * * * * *"
  contentType: application/json
  data: '{"tache": "relances"}'
  ceOverrides: {extensions: {tache: relances}}
  sink: {ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: workflow-service}}
`)
	w.until("two ticks", func() bool { return w.status().Pings[0].Sent >= 2 })
	log, err := os.ReadFile(filepath.Join(w.logs, "workflow-service.log"))
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(log), "\n")
	var event told
	if err := json.Unmarshal([]byte(line), &event); err != nil {
		t.Fatalf("%s: %v", log, err)
	}
	for name, want := range map[string]string{
		"Ce-Specversion": "1.0",
		"Ce-Type":        "dev.knative.sources.ping",
		"Ce-Source":      "/apis/v1/namespaces/aquaerp/pingsources/relances",
		"Ce-Tache":       "relances",
		"Content-Type":   "application/json",
	} {
		if got := event.Header.Get(name); got != want {
			t.Errorf("%s is %q, not %q", name, got, want)
		}
	}
	if event.Body != `{"tache": "relances"}` || event.Header.Get("Ce-Id") == "" || event.Header.Get("Ce-Time") == "" {
		t.Errorf("the event came as %+v", event)
	}
}

// Everything that a start needs and does not find is named before anything is started.
func TestMissing(t *testing.T) {
	t.Parallel()
	w := &world{t: t, gate: newGate(t)}
	references := `---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: contrat-service, namespace: aquaerp}
spec:
  template:
    spec:
      containers:
      - image: ko://aquaerp.fr/functions/fonction
        ` + container + `
        env:
        - {name: DATABASE_URL, valueFrom: {secretKeyRef: {name: postgres-contrat, key: url}}}
        - {name: TOKEN_KEYS, valueFrom: {secretKeyRef: {name: token-keys, key: public}}}
        - {name: PORTAL_URL, valueFrom: {configMapKeyRef: {name: aquaerp, key: portal-url, optional: true}}}
        envFrom:
        - configMapRef: {name: telemetry, optional: true}
        - secretRef: {name: smtp}
`
	secrets := w.file(`
apiVersion: v1
kind: Secret
metadata: {name: token-keys, namespace: aquaerp}
stringData: {public: "{}"}
---
apiVersion: v1
kind: Secret
metadata: {name: postgres-contrat, namespace: aquaerp}
stringData: {uri: postgres://}
`)
	elsewhere := strings.ReplaceAll(strings.ReplaceAll(references, "contrat-service", "autre"), "functions/fonction", "functions/autre")
	pages := `---
apiVersion: sources.knative.dev/v1alpha1
kind: RabbitmqSource
metadata: {name: contrat, namespace: aquaerp}
spec:
  rabbitmqClusterReference: {connectionSecret: {name: rabbitmq}}
  rabbitmqResourcesConfig: {predeclared: true, queueName: aquaerp.contrat, vhost: aquaerp}
  sink: {ref: {apiVersion: serving.knative.dev/v1, kind: Service, name: contrat-service}}
`
	_, err := newPlatform(config{manifests: []string{w.file(references, strings.ReplaceAll(elsewhere, "secretRef: {name: smtp}", "secretRef: {name: token-keys}"), pages)},
		secrets: secrets, bin: bin, admin: "127.0.0.1:0", activator: "127.0.0.1:0", listen: [][2]string{{"frontend", "127.0.0.1:0"}}})
	if err == nil {
		t.Fatal("it starts")
	}
	for _, want := range []string{
		"Service contrat-service: ",
		"Secret aquaerp/smtp is missing",
		"DATABASE_URL: Secret aquaerp/postgres-contrat has no key url",
		"RabbitmqSource contrat: Secret aquaerp/rabbitmq is missing",
		"listen frontend: no such Service",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "TOKEN_KEYS") || strings.Contains(err.Error(), "PORTAL_URL") || strings.Contains(err.Error(), "telemetry") {
		t.Errorf("more than what is missing is named in\n%v", err)
	}
}

// A file of secrets replaces what the manifests say, and gives what they refer to.
func TestSecrets(t *testing.T) {
	t.Parallel()
	w := &world{t: t, gate: newGate(t)}
	manifests := w.file(`
apiVersion: v1
kind: ConfigMap
metadata: {name: aquaerp, namespace: aquaerp}
data: {portal-url: "http://localhost:8080"}
`, strings.ReplaceAll(manifest("auth-service"), "        - {name: GREETING, value: bonjour}\n",
		`        - {name: DATABASE_URL, valueFrom: {secretKeyRef: {name: postgres-auth, key: url}}}
        - {name: PORTAL_URL, valueFrom: {configMapKeyRef: {name: aquaerp, key: portal-url}}}
        envFrom: [{configMapRef: {name: telemetry}}, {secretRef: {name: more}, prefix: MORE_}]
`))
	secrets := w.file(`
apiVersion: v1
kind: Secret
metadata: {name: postgres-auth, namespace: aquaerp}
stringData: {url: "postgres://auth@localhost/aquaerp"}
---
apiVersion: v1
kind: Secret
metadata: {name: more, namespace: aquaerp}
data: {KEY: dmFsZXVy}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: aquaerp, namespace: aquaerp}
data: {portal-url: "http://localhost:9999"}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: telemetry, namespace: aquaerp}
data: {OTEL_METRICS_EXPORTER: prometheus}
`)
	p, err := newPlatform(config{manifests: []string{manifests}, secrets: secrets, bin: bin, admin: "127.0.0.1:0", activator: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	got := "\n" + strings.Join(p.services[0].env, "\n") + "\n"
	for _, want := range []string{"DATABASE_URL=postgres://auth@localhost/aquaerp", "PORTAL_URL=http://localhost:9999", "OTEL_METRICS_EXPORTER=prometheus", "MORE_KEY=valeur"} {
		if !strings.Contains(got, "\n"+want+"\n") {
			t.Errorf("%s is not in %s", want, got)
		}
	}
	for _, s := range p.servers {
		_ = s.listener.Close()
	}
}

// Our own manifests run: every Service wakes for its first request, and an idle minute leaves none awake.
func TestOurServices(t *testing.T) {
	t.Parallel()
	const folder = "../services"
	m, err := knative.Load(folder)
	if err != nil {
		t.Fatal(err)
	}
	programs := t.TempDir()
	var secrets strings.Builder
	for _, s := range m.Services {
		container := s.Spec.Template.Spec.Containers[0]
		if err := os.Symlink(filepath.Join(bin, "fonction"), filepath.Join(programs, filepath.Base(container.Image))); err != nil {
			t.Fatal(err)
		}
		for _, variable := range container.Env {
			if from := variable.ValueFrom; from != nil && from.SecretKeyRef != nil {
				m.Secrets["aquaerp/"+from.SecretKeyRef.Name] = map[string]string{"url": "x", "public": "x", "private": "x"}
			}
		}
	}
	for name, values := range m.Secrets {
		content, _ := json.Marshal(values)
		fmt.Fprintf(&secrets, "---\napiVersion: v1\nkind: Secret\nmetadata: {name: %s, namespace: aquaerp}\nstringData: %s\n", strings.TrimPrefix(name, "aquaerp/"), content)
	}
	w := &world{t: t, gate: newGate(t)}
	w = startWith(t, config{manifests: []string{folder}, secrets: w.file(secrets.String()), bin: programs, idle: time.Second}, w)
	var pids []int
	for _, s := range m.Services {
		pids = append(pids, w.told("http://"+s.Name+".aquaerp.svc.cluster.local/", nil).PID)
	}
	w.until("sleep", func() bool { return !slices.ContainsFunc(pids, alive) })
	for _, s := range w.status().Services {
		if len(s.Instances) != 0 || s.Crashes != 0 || s.ColdStarts.Count == 0 {
			t.Errorf("status says %+v", s)
		}
	}
}

// What is killed cannot stop its children: the kernel does.
func TestKilledRuntime(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("other kernels have no parent-death signal")
	}
	w := &world{t: t, gate: newGate(t)}
	args := []string{"-manifests", w.file(manifest("frontend"), deployment), "-bin", bin, "-listen", "frontend=127.0.0.1:0"}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asRuntime+"="+strings.Join(args, "\n"))
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	addresses := map[string]string{}
	for lines := bufio.NewScanner(stdout); len(addresses) < 3 && lines.Scan(); {
		name, address, _ := strings.Cut(lines.Text(), " ")
		addresses[name] = address
	}
	var function told
	var state status
	for url, to := range map[string]any{addresses["frontend"]: &function, addresses["admin"] + "/status": &state} {
		response, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.NewDecoder(response.Body).Decode(to); err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
	}
	deployment := state.Deployments[0].PID
	if !alive(function.PID) || !alive(deployment) {
		t.Fatalf("processes %d and %d do not run", function.PID, deployment)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	w.until("the end of its children", func() bool { return !alive(function.PID) && !alive(deployment) })
}

// BenchmarkColdStart compares the first answer of a process that is started by hand with that of one that the activator
// starts for the request. Both are the same trivial HTTP server.
func BenchmarkColdStart(b *testing.B) {
	b.Run("bare", func(b *testing.B) {
		for b.Loop() {
			port, err := freePort()
			if err != nil {
				b.Fatal(err)
			}
			p := program{path: filepath.Join(bin, "fonction"), output: os.Stderr}
			child, err := p.start("PORT=" + port)
			if err != nil {
				b.Fatal(err)
			}
			for {
				response, err := http.Get("http://127.0.0.1:" + port + "/health")
				if err == nil {
					_ = response.Body.Close()
					break
				}
				time.Sleep(200 * time.Microsecond)
			}
			b.StopTimer()
			child.kill()
			<-child.done
			b.StartTimer()
		}
	})
	b.Run("activator", func(b *testing.B) {
		slog.SetDefault(slog.New(slog.DiscardHandler))
		w := start(b, 0, manifest("contrat-service"))
		for b.Loop() {
			if status, content := w.ask("http://contrat-service/health", nil); status != http.StatusOK {
				b.Fatalf("%d %s", status, content)
			}
			b.StopTimer()
			w.services[0].kill()
			w.until("its end", func() bool { return len(w.state().Instances) == 0 })
			b.StartTimer()
		}
	})
}

// BenchmarkRequest is what the activator adds to a request to a process that is awake.
func BenchmarkRequest(b *testing.B) {
	w := start(b, 0, manifest("contrat-service"))
	w.ask("http://contrat-service/health", nil)
	w.services[0].mu.Lock()
	direct := "http://" + w.services[0].instances[0].address
	w.services[0].mu.Unlock()
	proxied := w.client()
	proxied.Transport.(*http.Transport).DisableKeepAlives = false
	for name, target := range map[string]struct {
		*http.Client
		url string
	}{"direct": {http.DefaultClient, direct}, "activator": {proxied, "http://contrat-service"}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				response, err := target.Get(target.url + "/health")
				if err != nil {
					b.Fatal(err)
				}
				_ = response.Body.Close()
			}
		})
	}
}
