// Package platform tests what a cluster is given before the product: the configuration of Knative, and the shell scripts that
// install and look after it.
package platform

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	network "knative.dev/networking/pkg/config"
	features "knative.dev/serving/pkg/apis/config"
	autoscaler "knative.dev/serving/pkg/autoscaler/config"
	"knative.dev/serving/pkg/gc"
	"sigs.k8s.io/yaml"
)

const root = "../.."

// scripts are the programs in POSIX shell.
func scripts(t *testing.T) []string {
	t.Helper()
	var found []string
	files, err := os.ReadDir(filepath.Join(root, "scripts"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if f.Type().IsRegular() && filepath.Ext(f.Name()) == "" {
			found = append(found, f.Name())
		}
	}
	for _, name := range []string{"install-platform", "k3s-agent", "k3s-server", "kubeconfig", "troubleshoot"} {
		if !slices.Contains(found, name) {
			t.Errorf("scripts/%s is missing", name)
		}
	}
	return found
}

func TestScriptsAreSound(t *testing.T) {
	t.Parallel()
	shellcheck, err := exec.LookPath("shellcheck")
	if err != nil {
		t.Log("shellcheck is not installed (Debian: apt-get install shellcheck)")
	}
	for _, name := range scripts(t) {
		path := filepath.Join(root, "scripts", name)
		if out, err := exec.Command("sh", "-n", path).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		if shellcheck != "" {
			if out, err := exec.Command(shellcheck, "--shell=sh", "-x", "-P", "SCRIPTDIR", path).CombinedOutput(); err != nil {
				t.Errorf("%s: %s", name, out)
			}
		}
		out, err := exec.Command(path, "-h").CombinedOutput()
		if err != nil || !strings.HasPrefix(string(out), name+": ") || !strings.Contains(string(out), "scripts/"+name) {
			t.Errorf("%s -h: %v: says %q, not what it does and how it is called", name, err, out)
		}
		if out, err := exec.Command(path, "-no-such-flag").CombinedOutput(); err == nil {
			t.Errorf("%s takes any argument: %s", name, out)
		}
	}
}

// TestKnativeTakesIt reads the configuration with Knative's own parsers.
func TestKnativeTakesIt(t *testing.T) {
	t.Parallel()
	read := func(name string) *corev1.ConfigMap {
		data, err := os.ReadFile(name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		var cm corev1.ConfigMap
		if err := yaml.UnmarshalStrict(data, &cm); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if cm.Name != name || cm.Namespace != "knative-serving" {
			t.Errorf("%s is %s/%s", name, cm.Namespace, cm.Name)
		}
		return &cm
	}

	f, err := features.NewFeaturesConfigFromConfigMap(read("config-features"))
	if err != nil || f.SecurePodDefaults != features.Enabled {
		t.Errorf("secure-pod-defaults: %v, %v", f.SecurePodDefaults, err)
	}
	a, err := autoscaler.NewConfigFromConfigMap(read("config-autoscaler"))
	if err != nil || a.MaxScale == 0 || a.MaxScaleLimit < a.MaxScale {
		t.Errorf("max-scale: %+v, %v", a, err)
	}
	g, err := gc.NewConfigFromConfigMapFunc(t.Context())(read("config-gc"))
	if err != nil || g.MinNonActiveRevisions < 2 {
		t.Errorf("too few revisions to go back to: %+v, %v", g, err)
	}

	n, err := network.NewConfigFromConfigMap(read("config-network"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ namespace, name, tag, host string }{
		{"aquaerp", "frontend", "", "app.eau.example"},
		{"aquaerp", "api-gateway", "", "api.eau.example"},
		{"aquaerp", "api-gateway", "candidate", "candidate-api-gateway.aquaerp.eau.example"},
		{"aquaerp", "facture-service", "", "facture-service.aquaerp.eau.example"},
		{"elsewhere", "frontend", "", "frontend.elsewhere.eau.example"},
	} {
		name := c.name
		if c.tag != "" {
			var b strings.Builder
			if err := n.GetTagTemplate().Execute(&b, network.TagTemplateValues{Name: c.name, Tag: c.tag}); err != nil {
				t.Fatal(err)
			}
			name = b.String()
		}
		var host strings.Builder
		values := network.DomainTemplateValues{Name: name, Namespace: c.namespace, Domain: "eau.example"}
		if err := n.GetDomainTemplate().Execute(&host, values); err != nil {
			t.Fatal(err)
		}
		if host.String() != c.host {
			t.Errorf("%s/%s, tag %q: %q, want %q", c.namespace, c.name, c.tag, host.String(), c.host)
		}
	}
	if n.DefaultExternalScheme != "https" {
		t.Errorf("the URL of a Service begins with %s", n.DefaultExternalScheme)
	}
}

// house is a copy of the scripts and what they read, so that they may write, with commands that only note how they were
// called. What curl "downloads" is the URL itself.
type house struct {
	t           *testing.T
	dir, called string
}

func newHouse(t *testing.T) house {
	t.Helper()
	h := house{t: t, dir: t.TempDir()}
	h.called = filepath.Join(h.dir, "called")
	for _, part := range []string{"scripts", "knative/platform"} {
		files, err := os.ReadDir(filepath.Join(root, part))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if f.Type().IsRegular() {
				data, err := os.ReadFile(filepath.Join(root, part, f.Name()))
				if err != nil {
					t.Fatal(err)
				}
				h.write(filepath.Join(part, f.Name()), string(data))
			}
		}
	}
	return h
}

func (h house) write(name, content string) {
	h.t.Helper()
	path := filepath.Join(h.dir, name)
	if err := cmp.Or(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), 0o755)); err != nil {
		h.t.Fatal(err)
	}
}

// command puts a shell script into PATH.
func (h house) command(name, script string) {
	h.write(filepath.Join("bin", name), "#!/bin/sh\necho \""+name+" $*\" >>"+h.called+"\n"+script)
}

func (h house) run(name string, args ...string) (string, error) {
	cmd := exec.Command(filepath.Join(h.dir, "scripts", name), args...)
	cmd.Env = append(os.Environ(), "PATH="+filepath.Join(h.dir, "bin")+":"+os.Getenv("PATH"), "HOME="+h.dir, "AQUAERP_CACHE="+filepath.Join(h.dir, "cache"))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (h house) calls(prefix string) []string {
	data, _ := os.ReadFile(h.called)
	var calls []string
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(line, prefix) {
			calls = append(calls, strings.TrimSpace(line))
		}
	}
	return calls
}

func sum(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}

// curl answers each URL with itself, and a list of checksums with those of the files beside it, one of them lied about.
func (h house) curl(lie string) {
	var list strings.Builder
	for _, at := range []struct {
		release string
		files   []string
	}{
		{"knative/serving/releases/download/knative-v1.23.0", []string{"serving-crds.yaml", "serving-core.yaml", "serving-hpa.yaml"}},
		{"knative/eventing/releases/download/knative-v1.23.0", []string{"eventing-crds.yaml", "eventing-core.yaml"}},
		{"knative-extensions/eventing-rabbitmq/releases/download/knative-v1.21.0", []string{"rabbitmq-source.yaml"}},
	} {
		for _, file := range at.files {
			content := "https://github.com/" + at.release + "/" + file
			if file == lie {
				content = "another"
			}
			fmt.Fprintf(&list, "%s  %s\n", sum(content), file)
		}
	}
	h.write("list", list.String())
	h.command("curl", `
for a; do case $a in https://*) url=$a ;; esac; done
out=/dev/stdout
while [ $# -gt 0 ]; do [ "$1" != --output ] || out=$2; shift; done
case $url in */checksums.txt) cat `+h.dir+`/list ;; *) printf %s "$url" ;; esac >"$out"
`)
}

// kubectl is a cluster of K3s.
func (h house) kubectl() {
	h.command("kubectl", `
case "$*" in
  version*) echo '{"serverVersion": {"major": "1", "minor": "36"}}' | tr , '\n' ;;
  *helmchartconfigs*) echo crd ;;
  "get daemonset"*) echo "- --experimental.knative=true" ;;
  *"--filename -") cat >>`+h.dir+`/stdin ;;
esac
`)
}

func TestUnknownChecksumIsRefusedThenPinned(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.curl("")
	h.kubectl()
	// The three definitions have checksums that were taken from the real files: here they are other files.
	h.write("knative/platform/versions.sha256", "")

	out, err := h.run("install-platform", "-domain", "eau.example")
	if err == nil || !strings.Contains(out, "no checksum is recorded for v1.21.2-cert-manager.yaml") {
		t.Fatalf("not refused: %v\n%s", err, out)
	}
	if applied := h.calls("kubectl apply"); len(applied) > 0 {
		t.Fatalf("applied all the same: %q", applied)
	}

	if out, err := h.run("install-platform", "-domain", "eau.example", "-record"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	pinned, err := os.ReadFile(filepath.Join(h.dir, "knative/platform/versions.sha256"))
	if err != nil {
		t.Fatal(err)
	}
	want := sum("https://github.com/knative/serving/releases/download/knative-v1.23.0/serving-core.yaml") + "  knative-v1.23.0-serving-core.yaml\n"
	if strings.Count(string(pinned), "\n") != 10 || !strings.Contains(string(pinned), want) {
		t.Errorf("recorded:\n%s", pinned)
	}
	domain, err := os.ReadFile(filepath.Join(h.dir, "stdin"))
	if err != nil || !strings.Contains(string(domain), `data: {"eau.example": ""}`) {
		t.Errorf("domain: %v\n%s", err, domain)
	}

	downloads := len(h.calls("curl"))
	if out, err := h.run("install-platform", "-domain", "eau.example"); err != nil {
		t.Fatalf("again: %v\n%s", err, out)
	}
	if again := len(h.calls("curl")); again != downloads {
		t.Errorf("%d downloads of what is there", again-downloads)
	}

	h.write("cache/knative-v1.23.0-eventing-core.yaml", "tampered")
	out, err = h.run("install-platform", "-domain", "eau.example")
	if err == nil || !strings.Contains(out, "Do not use it") {
		t.Errorf("a file that changed was taken: %v\n%s", err, out)
	}
}

func TestRecordChecksWhatIsPublished(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.curl("serving-core.yaml")
	h.kubectl()
	h.write("knative/platform/versions.sha256", "")
	out, err := h.run("install-platform", "-domain", "eau.example", "-record")
	if err == nil || !strings.Contains(out, "is not what was published") {
		t.Errorf("%v\n%s", err, out)
	}
	for _, call := range h.calls("kubectl apply") {
		if strings.Contains(call, "serving-core") {
			t.Errorf("applied: %s", call)
		}
	}
}

// A checksum of a version that is not installed any more would let its file pass for ever.
func TestRecordedChecksumsAreOfVersionsInUse(t *testing.T) {
	t.Parallel()
	versions, err := os.ReadFile("versions")
	if err != nil {
		t.Fatal(err)
	}
	pinned, err := os.ReadFile("versions.sha256")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(pinned)) {
		fields := strings.Fields(line)
		if len(fields) != 2 || len(fields[0]) != 64 {
			t.Errorf("not a checksum: %q", line)
			continue
		}
		version := fields[1]
		if !slices.ContainsFunc(strings.Split(string(versions), "\n"), func(l string) bool {
			_, v, ok := strings.Cut(l, "=")
			return ok && !strings.HasPrefix(l, "#") && strings.HasPrefix(version, v+"-")
		}) {
			t.Errorf("%s: of no version in use", version)
		}
	}
}

func TestOldKubernetesIsRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.command("kubectl", `echo '{"serverVersion": {"minor": "33"}}'`)
	out, err := h.run("install-platform", "-domain", "eau.example", "-config-only")
	if err == nil || !strings.Contains(out, "1.34 or newer") || len(h.calls("kubectl apply")) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
}

// A Traefik that is not K3s's gets the redirect, once, and only if it is Knative's ingress.
func TestTraefikOfAnotherCluster(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, args string
		patched    int
		refused    bool
	}{
		{"without redirect", "--providers.knative.publicentrypoints=web", 1, false},
		{"with redirect", "--providers.knative.publicentrypoints=web --entrypoints.web.http.redirections.entrypoint.to=:443", 0, false},
		{"not of Knative", "--providers.kubernetesingress=true", 0, true},
	} {
		h := newHouse(t)
		h.command("kubectl", `
case "$*" in
  version*) printf '"serverVersion": {\n"minor": "36"' ;;
  *"get deployment --all-namespaces"*) printf traefik ;;
  *"get deployment traefik"*) echo '`+c.args+`' ;;
esac
`)
		out, err := h.run("install-platform", "-domain", "eau.example", "-config-only")
		if (err != nil) != c.refused {
			t.Errorf("%s: %v\n%s", c.name, err, out)
		}
		if got := h.calls("kubectl patch deployment traefik"); len(got) != c.patched {
			t.Errorf("%s: %q", c.name, got)
		}
		if parts := h.calls("kubectl apply --server-side --force-conflicts --field-manager=aquaerp-parts"); len(parts) > 0 {
			t.Errorf("%s: installs %q", c.name, parts)
		}
	}
}

// written returns the files that a script with -n says it would write.
func written(out string) map[string]string {
	files, name := map[string]string{}, ""
	for line := range strings.Lines(out) {
		if rest, ok := strings.CutPrefix(line, "+ write "); ok {
			name, _, _ = strings.Cut(rest, " ")
		} else if text, ok := strings.CutPrefix(line, "    "); ok && name != "" {
			files[name] += text
		} else {
			name = ""
		}
	}
	return files
}

func TestServersAndAgents(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	config := func(name string, args ...string) (c struct {
		SANs       []string `json:"tls-san"`
		Encryption bool     `json:"secrets-encryption"`
		Defaults   bool     `json:"protect-kernel-defaults"`
		Mode       string   `json:"write-kubeconfig-mode"`
		Init       bool     `json:"cluster-init"`
		Server     string   `json:"server"`
		TokenFile  string   `json:"token-file"`
		Storage    string   `json:"default-local-storage-path"`
		Flannel    string   `json:"flannel-backend"`
		API        []string `json:"kube-apiserver-arg"`
		Manager    []string `json:"kube-controller-manager-arg"`
		Kubelet    []string `json:"kubelet-arg"`
	}) {
		t.Helper()
		out, err := h.run(name, append(args, "-n")...)
		if err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
		if !strings.Contains(out, "/v1.36.4%2Bk3s1/k3s") || !strings.Contains(out, "v1.36.4+k3s1-install.sh") {
			t.Errorf("%s installs another version:\n%s", name, out)
		}
		if err := yaml.UnmarshalStrict([]byte(written(out)["/etc/rancher/k3s/config.yaml"]), &c); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		if !c.Defaults || len(c.Kubelet) == 0 || written(out)["/etc/sysctl.d/90-kubelet.conf"] == "" {
			t.Errorf("%s: %+v", name, c)
		}
		if drop := written(out)["/var/lib/rancher/k3s/agent/etc/kubelet.conf.d/50-aquaerp.conf"]; !strings.Contains(drop, "\n  maxContainerRestartPeriod: 20s\n") {
			t.Errorf("%s leaves adapters waiting:\n%s", name, drop)
		}
		return c
	}
	first := config("k3s-server", "-address", "eau.example", "-etcd", "-storage", "/srv")
	if !first.Encryption || !first.Init || first.Mode != "0600" || first.Storage != "/srv" || first.Server != "" ||
		!slices.Equal(first.SANs, []string{"eau.example"}) || !slices.ContainsFunc(first.API, func(a string) bool { return strings.HasPrefix(a, "audit-log-path=") }) {
		t.Errorf("first server: %+v", first)
	}
	further := config("k3s-server", "-address", "eau.example", "-join", "https://10.0.0.1:6443", "-token-file", "token")
	if further.Init || further.Server != "https://10.0.0.1:6443" || further.TokenFile == "" || further.Flannel != first.Flannel || !further.Encryption {
		t.Errorf("further server: %+v", further)
	}
	if agent := config("k3s-agent", "-server", "https://10.0.0.1:6443", "-token-file", "token"); agent.Server != further.Server || agent.TokenFile == "" || agent.API != nil {
		t.Errorf("agent: %+v", agent)
	}
	for _, wrong := range [][]string{{"k3s-server"}, {"k3s-server", "-address", "a", "-etcd", "-join", "https://b:6443"}, {"k3s-agent", "-server", "b"}} {
		if out, err := h.run(wrong[0], append(wrong[1:], "-n")...); err == nil {
			t.Errorf("%q is accepted:\n%s", wrong, out)
		}
	}
	if len(h.calls("")) > 0 {
		t.Errorf("-n did: %q", h.calls(""))
	}
}

func TestKubeconfigIsForItsOwnerOnly(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.command("ssh", "cat <<'Y'\napiVersion: v1\nclusters:\n- cluster:\n    server: https://127.0.0.1:6443\n  name: default\ncurrent-context: default\nY\n")
	if out, err := h.run("kubeconfig", "root@eau.example"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	path := filepath.Join(h.dir, ".kube/aquaerp")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if s := string(data); !strings.Contains(s, "https://eau.example:6443") || strings.Contains(s, "127.0.0.1") || !strings.Contains(s, "current-context: aquaerp") {
		t.Errorf("%s", s)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}

	h.command("ssh", "exit 255")
	if out, err := h.run("kubeconfig", "root@eau.example"); err == nil {
		t.Errorf("no answer, and no error: %s", out)
	}
	if left, err := os.ReadFile(path); err != nil || string(left) != string(data) {
		t.Errorf("a failure touched the file: %v", err)
	}
}

// TestTroubleshoot is a bad day: every finding is told with its page, and what may not leave the house does not.
func TestTroubleshoot(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	const secret = "hunter2"
	h.command("kubectl", `
case "$*" in
  *"get configmap config-domain"*) echo 'eau.example ' ;;
  *"get nodes --output go-template"*) echo 'node a has DiskPressure: full' ;;
  *"get pods --output name"*) echo pod/contrat-1 ;;
  *"get pods --output go-template"*) echo 'pod facture-1: user-container ran out of memory at noon, 3 restarts' ;;
  *"get pods --all-namespaces --output go-template"*)
    printf 'aquaerp\tfacture-1\tno\t2026-01-01T00:00:00Z\tPending; no node takes it: 0/1 nodes are available: 1 Insufficient cpu.\n'
    printf 'aquaerp\tmailer-1\tno\t2026-01-01T00:00:00Z\tPending; user-container waits: ImagePullBackOff\n'
    printf 'aquaerp\tcontrat-1\tno\t2026-01-01T00:00:00Z\tRunning; user-container waits: CrashLoopBackOff\n'
    printf 'aquaerp\tpostgres-0\tno\t2026-01-01T00:00:00Z\tRunning\n'
    printf 'aquaerp\tauth-1\tno\tis being deleted 2026-01-01T00:00:00Z\tRunning\n'
    printf 'aquaerp\tauth-2\tyes\t2026-01-01T00:00:00Z\tRunning\n'
    printf 'aquaerp\tauth-3\tno\t9999-01-01T00:00:00Z\tPending; user-container waits: ContainerCreating\n'
    printf 'somebody\telse\tno\t2026-01-01T00:00:00Z\tPending\n' ;;
  *"get ksvc --output go-template"*) echo 'Service contrat-service is not ready: RevisionFailed' ;;
  *"get rabbitmqsource --output go-template={{range .items}}{{.spec"*) printf 'aquaerp.contrat\naquaerp.gone\n' ;;
  *list_queues*) printf 'aquaerp.contrat\t7\t7\t0\trunning\naquaerp.facture\t2000\t2000\t1\trunning\naquaerp.auth\t0\t0\t1\trunning\n' ;;
  *indicateur*) printf 'outbox_plus_ancien_secondes=300\nlettres_mortes_PERSONNE=2\nlettres_mortes_REJEU=9\nlot_plus_ancien_secondes=7200\ncourriels_FAILED=4\n' ;;
  *"df -P /backup"*) printf 'x\n/dev/a 1 1 1 97%% /backup\n' ;;
  *"get cronjobs --output go-template"*) printf 'backup 2026-01-01T00:00:00Z\nyoung never '; date -u +%FT%TZ ;;
  *"get ksvc api-gateway"*) ;;
  *logs*) echo 'amqp://contrat:`+secret+`@rabbitmq/ {"password":"`+secret+`","n":1} DATABASE_PASSWORD=`+secret+` Authorization: Bearer `+secret+` eyJhbGciOi.J9.`+secret+` zoe@courriel.example kept' ;;
esac
`)
	h.command("curl", `case "$*" in *api.*) printf 503 ;; *) printf 'curl: (60) SSL certificate problem\n000' ;; esac`)
	bundle := filepath.Join(h.dir, "bundle")
	out, err := h.run("troubleshoot", "-o", bundle)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("exit: %v", err)
	}
	for _, want := range []string{
		"node a has DiskPressure: full  [#disk]",
		"Insufficient cpu.  [#pod-pending]",
		"mailer-1 is not ready: Pending; user-container waits: ImagePullBackOff  [#image]",
		"contrat-1 is not ready: Running; user-container waits: CrashLoopBackOff; its last words: amqp://contrat:***@rabbitmq/",
		"postgres-0 is not ready: Running  [#postgresql-down]",
		"ran out of memory at noon, 3 restarts  [#out-of-memory]",
		"Service contrat-service is not ready: RevisionFailed  [#ksvc-not-ready]",
		"queue aquaerp.contrat has no consumer, and 7 messages  [#consumers]",
		"queue aquaerp.gone does not exist",
		"queue aquaerp.facture has 2000 messages waiting  [#queue-grows]",
		"waits for 300 s  [#outbox-age]",
		"2 dead letters wait for a person  [#dead-letters]",
		"under way for 7200 s  [#lot-stalled]",
		"4 mails were refused for good  [#mail]",
		"/backup, is 97 % full  [#disk]",
		"cronjob backup has not succeeded since 2026-01-01T00:00:00Z  [#backup-age]",
		"https://api.eau.example/health answers 503  [#5xx]",
		"SSL certificate problem",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("not found: %s", want)
		}
	}
	for _, harmless := range []string{"somebody", "auth-1", "auth-2", "auth-3", "aquaerp.auth", "young", "REJEU"} {
		if strings.Contains(out, harmless) {
			t.Errorf("found: %s", harmless)
		}
	}
	if strings.Contains(out, secret) {
		t.Error("tells a secret")
	}
	if t.Failed() {
		t.Log(out)
	}
	var logs int
	err = filepath.WalkDir(bundle, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if bytes.Contains(data, []byte(secret)) || bytes.Contains(data, []byte("zoe@")) {
			t.Errorf("%s: %s", path, data)
		}
		if bytes.Contains(data, []byte("kept")) {
			logs++
		}
		return err
	})
	if err != nil || logs == 0 {
		t.Errorf("%d logs, %v", logs, err)
	}
	for _, call := range h.calls("kubectl") {
		if strings.Contains(call, "secret") {
			t.Errorf("reads Secrets: %s", call)
		}
	}
}

// TestEveryFindingHasAPage holds troubleshoot, the alerts and the operators' book together.
func TestEveryFindingHasAPage(t *testing.T) {
	t.Parallel()
	book, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile(filepath.Join(root, "scripts/troubleshoot"))
	if err != nil {
		t.Fatal(err)
	}
	alerts, err := os.ReadFile("../monitoring/prometheus/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	pages := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(string(book), -1) {
		slug := regexp.MustCompile(`[^a-z0-9 -]`).ReplaceAllString(strings.ToLower(m[1]), "")
		pages[strings.ReplaceAll(slug, " ", "-")] = true
	}
	links := regexp.MustCompile(`\| finding ([a-z0-9-]+)`).FindAllStringSubmatch(string(script), -1)
	links = append(links, regexp.MustCompile(`\]\(#([a-z0-9-]+)\)`).FindAllStringSubmatch(string(book), -1)...)
	runbooks := regexp.MustCompile(`knative/README\.md#([^"'\s]*)`).FindAllStringSubmatch(string(alerts), -1)
	if n := strings.Count(string(alerts), "- alert:"); len(runbooks) != n {
		t.Errorf("%d runbooks of %d alerts", len(runbooks), n)
	}
	links = append(links, runbooks...)
	if len(links) < 20 {
		t.Errorf("only %d links", len(links))
	}
	for _, link := range links {
		if !pages[link[1]] {
			t.Errorf("no section for #%s", link[1])
		}
	}
}
