package main

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aquaerp.fr/scripts/release"
)

const village = "knative/overlays/village"

// history is a clone of this repository, for a test to go on with.
type history struct {
	*testing.T
	dir string
}

func clone(t *testing.T) *history {
	t.Helper()
	h := &history{t, t.TempDir()}
	h.git("clone", "--quiet", "--shared", "--config=user.name=test", "--config=user.email=test@aquaerp.example", "../..", h.dir)
	return h
}

func (h *history) git(args ...string) string {
	h.Helper()
	if args[0] != "clone" {
		args = append([]string{"-C", h.dir}, args...)
	}
	out, err := exec.Command("git", args...).CombinedOutput()
	if err != nil {
		h.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func (h *history) commit(what string) {
	h.Helper()
	h.git("add", "--all")
	h.git("commit", "--quiet", "--message", what)
}

func (h *history) write(file, content string) {
	h.Helper()
	file = filepath.Join(h.dir, file)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		h.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		h.Fatal(err)
	}
}

func (h *history) read(file string) string {
	h.Helper()
	content, err := os.ReadFile(filepath.Join(h.dir, file))
	if err != nil {
		h.Fatal(err)
	}
	return string(content)
}

// add ends files with a line.
func (h *history) add(line string, files ...string) {
	h.Helper()
	for _, file := range files {
		h.write(file, h.read(file)+line+"\n")
	}
}

// replace changes what a file says, which it must say once at least.
func (h *history) replace(file, old, new string) {
	h.Helper()
	was := h.read(file)
	if !strings.Contains(was, old) {
		h.Fatalf("%s has no %q", file, old)
	}
	h.write(file, strings.ReplaceAll(was, old, new))
}

// open is what the program sees.
func (h *history) open() *checkout {
	h.Helper()
	c, err := open(h.Context(), h.dir, village)
	if err != nil {
		h.Fatal(err)
	}
	return c
}

// since is what the program says of the clone.
func (h *history) since(commit string) units {
	h.Helper()
	affected, err := h.open().since(h.Context(), commit)
	if err != nil {
		h.Fatal(err)
	}
	return affected
}

func (h *history) expect(affected units, want ...string) {
	h.Helper()
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(affected)); !slices.Equal(got, want) {
		h.Errorf("affected: %v, want %v; because %v", got, want, affected)
	}
}

// functions are all that use shared/function; eventing's programs do not.
var functions = []string{"auth", "contrat", "facture", "frontend", "gateway", "intervention", "mailer", "operation", "workflow"}

// programs are all that are built from this module and deployed to a village.
var programs = append([]string{"deadletter", "declare", "migrate", "relay"}, functions...)

// TestHistory goes on with the history of this repository, a commit at a time.
func TestHistory(t *testing.T) {
	h := clone(t)
	const gomail = "github.com/wneessen/go-mail v"
	for _, step := range []struct {
		name string
		edit func()
		want []string
	}{
		{"one function", func() { h.add("// .", "functions/facture/lot.go") },
			[]string{"facture"}},
		{"a package inside one function", func() { h.add("// .", "functions/facture/tarif/tarif.go") },
			[]string{"facture"}},
		{"two functions", func() { h.add("// .", "functions/auth/session.go", "functions/mailer/envoi.go") },
			[]string{"auth", "mailer"}},
		{"the messages", func() { h.add("// .", "shared/message/facture.go") },
			functions},
		{"the runtime of functions", func() { h.add("// .", "shared/function/tx.go") },
			functions},
		{"what eventing shares", func() { h.add("// .", "eventing/daemon/daemon.go") },
			[]string{"deadletter", "relay"}},
		{"the queues", func() { h.add("# .", "eventing/topology/topology.yaml") }, // compiled in
			[]string{"deadletter", "declare", "relay"}},
		{"a migration of a function", func() { h.write("functions/facture/migrations/99999_essai.sql", "-- +goose Up\nselect 1;\n") },
			[]string{"migrate"}},
		{"the runtime's own table", func() { h.add("-- .", "shared/function/reply.sql") },
			[]string{"migrate"}},
		{"a mail", func() { h.write("functions/mailer/modeles/essai.html", "<p>") },
			[]string{"mailer"}},
		{"the web application", func() { h.add("// .", "functions/frontend/web/src/main.tsx") },
			[]string{"frontend"}},
		{"the API, whose client the web application holds", func() { h.add("", "functions/gateway/openapi.json") },
			[]string{"frontend", "gateway"}},
		{"a Service", func() { h.replace("knative/services/facture.yaml", `max-scale: "4"`, `max-scale: "3"`) },
			[]string{"facture"}},
		{"the comment of a manifest", func() { h.add("# .", "knative/services/facture.yaml", "eventing/sources/facture.yaml") },
			nil},
		{"a source", func() {
			h.replace("eventing/sources/facture.yaml", "app.kubernetes.io/component: eventing", "app.kubernetes.io/component: other")
		},
			[]string{"facture"}},
		{"a setting, and those that read it", func() { h.replace("knative/config/service.env", "SERVICE_BIC=BDFEFRPP", "SERVICE_BIC=BDFEFRPPXXX") },
			[]string{"facture", "settings"}},
		{"a new file", func() { h.write("functions/operation/essai.go", "package main\n") },
			[]string{"operation"}},
		{"it moves to another function", func() {
			h.git("mv", "functions/operation/essai.go", "functions/workflow/essai.go")
		}, []string{"operation", "workflow"}},
		{"it is deleted", func() { h.git("rm", "--quiet", "functions/workflow/essai.go") },
			[]string{"workflow"}},
		{"a file that another system builds, which its tag may change", func() {
			h.write("functions/contrat/essai.go", "//go:build windows\n\npackage main\n")
		}, []string{"contrat"}},
		{"tests, documents, tools, the platform", func() {
			h.add("// .", "functions/facture/cas_test.go", "shared/message/message_test.go", "scripts/deploy/main.go", "shared/functiontest/token.go",
				"knative/local/main.go", "functions/frontend/web/src/format.test.ts", "functions/frontend/web/e2e/harness.mjs")
			h.add(".", "README.md", "knative/README.md")
			h.add("# .", "Makefile", "knative/platform/config-gc.yaml")
			h.write("functions/facture/README.md", ".")
			h.write("functions/facture/testdata/essai.json", "{}")
		}, nil},
		{"how images are made", func() { h.add("# .", ".ko.yaml") }, programs},
		{"the comment of a module", func() { h.add("// .", "go.mod") }, nil},
		// Modules that this one would have to be found with are not at hand: an older state is asked about from the one that is.
		{"", func() { h.replace("go.mod", gomail, gomail+"0.0.1-before.") }, nil},
		{"a module", func() { h.replace("go.mod", gomail+"0.0.1-before.", gomail) },
			[]string{"mailer"}},
		{"", func() { h.add("toolchain go1.99.0", "go.mod") }, nil},
		{"the toolchain", func() { h.replace("go.mod", "toolchain go1.99.0\n", "") }, programs},
	} {
		step.edit()
		h.commit("test: " + step.name)
		if step.name == "" {
			continue
		}
		t.Run(step.name, func(t *testing.T) {
			h := &history{t, h.dir}
			h.expect(h.since("HEAD~1"), step.want...)
		})
	}
}

// TestNotCommitted: an operator who deploys from a checkout with changes
// deploys these, too.
func TestNotCommitted(t *testing.T) {
	h := clone(t)
	h.add("// .", "functions/auth/session.go")
	h.write("functions/mailer/essai.go", "package main\n")
	h.expect(h.since("HEAD"), "auth", "mailer")
}

// TestAgainstCluster: each unit is compared with its own commit, and one that
// cannot be compared is deployed.
func TestAgainstCluster(t *testing.T) {
	h := clone(t)
	before := h.git("rev-parse", "HEAD")
	h.add("// .", "functions/facture/lot.go", "functions/mailer/envoi.go")
	h.commit("test: two functions")
	now := h.git("rev-parse", "HEAD")

	c := h.open()
	deployed := map[string]release.Deployed{}
	for _, unit := range release.Units(c.objects) {
		deployed[unit] = release.Deployed{Revision: before, Overlay: village}
	}
	deployed["mailer"] = release.Deployed{Revision: now, Overlay: village}
	h.expect(c.against(t.Context(), deployed), "facture")

	delete(deployed, "auth")
	deployed["contrat"] = release.Deployed{Revision: now, Overlay: "knative/overlays/staging"}
	deployed["operation"] = release.Deployed{Revision: now + release.Dirty, Overlay: village}
	deployed["workflow"] = release.Deployed{Revision: strings.Repeat("0", 40), Overlay: village}
	h.expect(c.against(t.Context(), deployed), "auth", "contrat", "facture", "operation", "workflow")
}

// TestRealCommits asks of commits of this repository whose answer was worked
// out by reading them.
func TestRealCommits(t *testing.T) {
	h := clone(t)
	for commit, want := range map[string][]string{
		"a904720": functions,                                    // shared/function: a connection that is refused is tried again
		"3f68e72": {"deadletter", "relay"},                      // eventing/daemon and eventing/relay
		"677afae": {"backup", "migrate", "postgres", "restore"}, // scripts in a ConfigMap that these three mount; scripts/migrate
		"2ef0404": {"rabbitmq"},                                 // a probe in its manifest
		"d16b54d": nil,                                          // knative/README.md
		"5c3976b": nil,                                          // a drill
	} {
		if exec.Command("git", "-C", h.dir, "rev-parse", "--quiet", "--verify", commit+"~1^{commit}").Run() != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("commit %s is not in this clone: it is shallow, and continuous integration needs all of it (fetch-depth: 0)", commit)
			}
			t.Skipf("commit %s is not in this clone", commit)
		}
		h.git("checkout", "--quiet", "--force", "--detach", commit)
		t.Run(h.git("log", "-1", "--format=%h %s"), func(t *testing.T) {
			h := &history{t, h.dir}
			h.expect(h.since("HEAD~1"), want...)
		})
	}
}
