package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "aquaerp.fr/"

// pkg is what `go list` says of a package.
type pkg struct {
	ImportPath   string
	Name         string
	Standard     bool
	Imports      []string
	Deps         []string
	TestImports  []string
	XTestImports []string
}

func (p pkg) path() string { return strings.TrimPrefix(p.ImportPath, module) }

// room is the top-level folder of a package of ours, or "" for a library.
func room(importPath string) string {
	p, ours := strings.CutPrefix(importPath, module)
	if !ours {
		return ""
	}
	top, _, _ := strings.Cut(p, "/")
	return top
}

// function is the function that a package belongs to, or "".
func function(importPath string) string {
	rest, ok := strings.CutPrefix(importPath, module+"functions/")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}

func list(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", "-json=ImportPath,Name,Standard,Imports,Deps,TestImports,XTestImports",
		module+"functions/...", module+"shared/...", module+"eventing/...", module+"knative/...", module+"scripts/...").Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %s", exit.Stderr)
		}
		t.Fatal(err)
	}
	var all []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// allowed names who may import a library besides tests, by path prefix, with
// the reason where the house's own rule does not say it.
var allowed = []struct {
	library string
	rooms   []string
	why     string
}{
	{"github.com/rabbitmq/amqp091-go", []string{"eventing", "scripts/bench"}, "the bench holds the product against a raw loop"},
	{"github.com/kelseyhightower/envconfig", []string{"shared/function", "eventing", "knative"}, ""},
	{"github.com/go-playground/validator/v10", []string{"shared/function"}, ""},
	{"github.com/cloudevents/sdk-go/v2", []string{"shared/function", "knative", "eventing"}, "a PingSource and a relay make events too"},
	{"knative.dev/", []string{"knative"}, ""},
	{"k8s.io/", []string{"knative"}, ""},
}

func TestImportRule(t *testing.T) {
	standard := map[string]bool{}
	all := list(t)
	for _, p := range all {
		standard[p.ImportPath] = p.Standard
	}
	for _, p := range all {
		if room(p.ImportPath) == "" {
			continue
		}
		own := function(p.ImportPath)
		if own != "" && !strings.Contains(strings.TrimPrefix(p.path(), "functions/"), "/") && p.Name != "main" {
			t.Errorf("%s is package %s: a function is a flat package main", p.path(), p.Name)
		}
		for _, i := range p.Imports {
			other := function(i)
			switch {
			case other != "" && other != own:
				t.Errorf("%s imports %s: only messages cross between functions", p.path(), i)
			case p.path() == "shared/message" && !standard[i]:
				t.Errorf("shared/message imports %s: it imports the standard library only", i)
			case room(p.ImportPath) == "shared" && slices.Contains([]string{"functions", "eventing", "knative", "scripts"}, room(i)):
				t.Errorf("%s imports %s: shared knows none of its users", p.path(), i)
			case own != "" && slices.Contains([]string{"eventing", "knative", "scripts"}, room(i)):
				t.Errorf("%s imports %s: a function knows messages and its tables", p.path(), i)
			}
			for _, a := range allowed {
				if strings.HasPrefix(i, a.library) && !slices.ContainsFunc(a.rooms, func(r string) bool { return strings.HasPrefix(p.path(), r) }) {
					t.Errorf("%s imports %s: only %s may", p.path(), i, strings.Join(a.rooms, ", "))
				}
			}
		}
		if own != "" && p.Name == "main" {
			for _, d := range p.Deps {
				if strings.HasPrefix(d, "knative.dev/") || strings.HasPrefix(d, "k8s.io/") || strings.HasPrefix(d, "github.com/rabbitmq/") {
					t.Errorf("the binary of %s links %s", p.path(), d)
				}
			}
		}
	}
}
