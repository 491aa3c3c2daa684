package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
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
