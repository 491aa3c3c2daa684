package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// workflow is what a file of .github/workflows says.
type workflow struct {
	On struct {
		Push struct{ Branches, Paths []string }
	}
	Permissions any
	Concurrency map[string]any
	Jobs        map[string]struct {
		Permissions any
		Strategy    struct {
			Matrix struct{ Include []map[string]string }
		}
		Steps []struct{ Uses, Run, If string }
	}
}

func workflows(t *testing.T) map[string]workflow {
	t.Helper()
	files, err := filepath.Glob("../../.github/workflows/*.yml")
	if err != nil || len(files) != 2 {
		t.Fatalf("workflows: %v, %v; want ci and selective-deploy", files, err)
	}
	all := map[string]workflow{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		// YAML 1.1 reads the key `on` as true.
		raw = regexp.MustCompile(`(?m)^on:`).ReplaceAll(raw, []byte(`"on":`))
		var w workflow
		if err := yaml.Unmarshal(raw, &w); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all[filepath.Base(file)] = w
	}
	return all
}

var (
	makes  = regexp.MustCompile(`\bmake ([a-z-]+)`)
	runs   = regexp.MustCompile(`\bgo run \./([\w/-]+)([^\n)|]*)`)
	flags  = regexp.MustCompile(`(?:^|\s)-+([a-z]+)`)
	action = regexp.MustCompile(`^[\w-]+/[\w-]+@v[1-9][0-9]*$`)
)

// TestWorkflows: what they call is there.
func TestWorkflows(t *testing.T) {
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	called := map[string]bool{}
	for file, w := range workflows(t) {
		if _, listed := w.Permissions.(map[string]any); !listed {
			t.Errorf("%s: permissions are %v, want a list of them", file, w.Permissions)
		}
		if w.Concurrency["group"] == nil {
			t.Errorf("%s has no concurrency group", file)
		}
		for name, job := range w.Jobs {
			if _, listed := job.Permissions.(map[string]any); job.Permissions != nil && !listed {
				t.Errorf("%s: permissions of %s are %v, want a list of them", file, name, job.Permissions)
			}
			var commands []string
			for _, include := range job.Strategy.Matrix.Include {
				commands = append(commands, include["run"])
			}
			for _, step := range job.Steps {
				commands = append(commands, step.Run)
				if step.Uses != "" && !action.MatchString(step.Uses) {
					t.Errorf("%s: %s is not pinned by its major version", file, step.Uses)
				}
				if strings.Contains(step.Run, "-only") && step.If != "steps.affected.outputs.units != ''" {
					t.Errorf("%s deploys everything when nothing is affected: if: %q", file, step.If)
				}
			}
			for _, command := range commands {
				for _, found := range makes.FindAllStringSubmatch(command, -1) {
					called["make "+found[1]] = true
					if !regexp.MustCompile(`(?m)^` + found[1] + `:`).Match(makefile) {
						t.Errorf("%s: the Makefile has no target %s", file, found[1])
					}
				}
				for _, found := range runs.FindAllStringSubmatch(command, -1) {
					called[found[1]] = true
					main, err := os.ReadFile(filepath.Join("../..", found[1], "main.go"))
					if err != nil {
						t.Errorf("%s: %v", file, err)
					}
					for _, flag := range flags.FindAllStringSubmatch(found[2], -1) {
						if !strings.Contains(string(main), `"`+flag[1]+`", `) {
							t.Errorf("%s: %s has no flag -%s", file, found[1], flag[1])
						}
					}
				}
			}
		}
	}
	for _, want := range []string{"make lint", "make test", "make build", "scripts/affected", "scripts/deploy"} {
		if !called[want] {
			t.Errorf("no workflow calls %s", want)
		}
	}
}

// TestPaths: a push that changes what a unit is made of starts a deployment.
func TestPaths(t *testing.T) {
	paths := workflows(t)["selective-deploy.yml"].On.Push.Paths
	covered := func(file string) bool {
		return slices.ContainsFunc(paths, func(p string) bool {
			folder, all := strings.CutSuffix(p, "**")
			return p == file || all && strings.HasPrefix(file, folder)
		})
	}
	c, err := open(t.Context(), "../..", village)
	if err != nil {
		t.Fatal(err)
	}
	files := []string{"go.mod", "go.sum", ".ko.yaml", village + "/kustomization.yaml", "eventing/kustomization.yaml"}
	for _, p := range c.packages {
		if p.Dir != "" {
			files = append(files, p.Dir+"/main.go")
		}
	}
	for _, file := range files {
		if !covered(file) {
			t.Errorf("a change of %s starts no deployment: paths are %v", file, paths)
		}
	}
	for _, file := range []string{"README.md", "scripts/deploy/main.go"} {
		if covered(file) {
			t.Errorf("a change of %s starts a deployment", file)
		}
	}
}
