package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"aquaerp.fr/knative"
)

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
	w.until("the end of the request", func() bool { return w.state().Instances[0].InFlight == 0 }) // its answer comes a little earlier
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
	// What a cluster would have besides: every Secret, and the ConfigMaps that kustomize makes.
	var secrets strings.Builder
	for _, s := range m.Services {
		container := s.Spec.Template.Spec.Containers[0]
		if err := os.Symlink(filepath.Join(bin, "fonction"), filepath.Join(programs, filepath.Base(container.Image))); err != nil {
			t.Fatal(err)
		}
		for _, variable := range container.Env {
			if from := variable.ValueFrom; from != nil && from.SecretKeyRef != nil {
				fmt.Fprintf(&secrets, "---\napiVersion: v1\nkind: Secret\nmetadata: {name: %s, namespace: aquaerp}\nstringData: {url: x, public: x, private: x}\n", from.SecretKeyRef.Name)
			}
		}
	}
	for _, name := range []string{"aquaerp", "service"} {
		fmt.Fprintf(&secrets, "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s, namespace: aquaerp}\ndata: {portal-url: x, mail-from: x}\n", name)
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
	read := func(url string, to any) {
		response, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		if err := json.NewDecoder(response.Body).Decode(to); err != nil {
			t.Fatal(err)
		}
	}
	read(addresses["frontend"], &function)
	w.until("a process of the Deployment", func() bool {
		read(addresses["admin"]+"/status", &state)
		return state.Deployments[0].PID != 0
	})
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
