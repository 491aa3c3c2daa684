package main

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"sigs.k8s.io/kustomize/kyaml/filesys"

	"aquaerp.fr/scripts/release"
)

// units is why each unit is affected.
type units map[string]reasons

func (u units) add(unit, why string) {
	if !slices.Contains(u[unit], why) {
		u[unit] = append(u[unit], why)
	}
}

type reasons []string

// String names the first few.
func (r reasons) String() string {
	if len(r) > 3 {
		return fmt.Sprintf("%s and %d more", strings.Join(r[:3], ", "), len(r)-3)
	}
	return strings.Join(r, ", ")
}

// checkout is the tree that would be deployed.
type checkout struct {
	root, overlay string
	objects       []release.Object
	packages      map[string]pkg // all that our images are built from, by import path
}

// pkg is what `go list` says of a package.
type pkg struct {
	ImportPath    string
	Dir           string // within the checkout, with slashes; "" for a library
	Deps          []string
	EmbedPatterns []string
	Module        *struct{ Path string }
}

const module = "aquaerp.fr"

// open reads the manifests and the import graph of a checkout.
func open(ctx context.Context, root, overlay string) (*checkout, error) {
	root, err := filepath.Abs(root)
	if err == nil {
		root, err = filepath.EvalSymlinks(root) // as go list names folders
	}
	if err != nil {
		return nil, err
	}
	c := &checkout{root: root, overlay: path.Clean(overlay), packages: map[string]pkg{}}
	if c.objects, err = release.Render(filesys.MakeFsOnDisk(), filepath.Join(root, overlay)); err != nil {
		return nil, err
	}
	var programs []string
	for _, o := range c.objects {
		programs = append(programs, o.Packages()...)
	}
	slices.Sort(programs)
	// -e: the web application that the frontend embeds may not have been built.
	args := append([]string{"list", "-e", "-deps", "-json=ImportPath,Dir,Deps,EmbedPatterns,Module"}, slices.Compact(programs)...)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS=linux", "CGO_ENABLED=0") // as ko builds
	out, err := output(cmd)
	if err != nil {
		return nil, err
	}
	for list := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := list.Decode(&p); errors.Is(err, io.EOF) {
			return c, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		dir, err := filepath.Rel(root, p.Dir)
		if p.Module == nil || p.Module.Path != module || err != nil {
			dir = ""
		}
		p.Dir = filepath.ToSlash(dir)
		c.packages[p.ImportPath] = p
	}
}

// since tells which units differ from a commit.
func (c *checkout) since(ctx context.Context, commit string) (units, error) {
	changed, err := c.changedFiles(ctx, commit)
	if err != nil {
		return nil, err
	}
	before, err := c.tree(ctx, commit)
	if err != nil {
		return nil, err
	}
	affected := units{}
	c.byManifest(affected, before)
	if err := c.byCode(ctx, affected, changed, before); err != nil {
		return nil, err
	}
	return affected, nil
}

// changedFiles are those that differ from a commit, new ones included.
func (c *checkout) changedFiles(ctx context.Context, commit string) (files []string, err error) {
	for _, args := range [][]string{
		{"diff", "--name-only", "--no-renames", "-z", commit, "--"},
		{"ls-files", "--others", "--exclude-standard", "-z"},
	} {
		out, err := c.git(ctx, args...)
		if err != nil {
			return nil, err
		}
		files = append(files, strings.FieldsFunc(string(out), func(r rune) bool { return r == 0 })...)
	}
	return files, nil
}

// tree is the repository at a commit.
func (c *checkout) tree(ctx context.Context, commit string) (filesys.FileSystem, error) {
	out, err := c.git(ctx, "archive", "--format=tar", commit)
	if err != nil {
		return nil, err
	}
	files := filesys.MakeFsInMemory()
	for archive := tar.NewReader(bytes.NewReader(out)); ; {
		entry, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, fmt.Errorf("git archive: %w", err)
		}
		if entry.Typeflag != tar.TypeReg {
			continue
		}
		content, err := io.ReadAll(archive)
		if err == nil {
			err = files.WriteFile("/"+entry.Name, content)
		}
		if err != nil {
			return nil, fmt.Errorf("git archive: %w", err)
		}
	}
}

// byManifest compares what both trees render.
func (c *checkout) byManifest(affected units, before filesys.FileSystem) {
	was := map[string]release.Object{}
	old, err := release.Render(before, "/"+c.overlay)
	if err != nil { // there was no such overlay, or it was broken: all of it is new
		old = nil
	}
	for _, o := range old {
		was[o.Namespace+" "+o.Ref()] = o
	}
	for _, o := range c.objects {
		id := o.Namespace + " " + o.Ref()
		if !reflect.DeepEqual(was[id].Content, o.Content) {
			affected.add(o.Unit, o.String())
		}
		delete(was, id)
	}
	here := release.Units(c.objects)
	for _, o := range was {
		if slices.Contains(here, o.Unit) { // or nothing of it is left to deploy
			affected.add(o.Unit, o.String()+" is gone")
		}
	}
}

// byCode follows changed files and modules up the import graph.
func (c *checkout) byCode(ctx context.Context, affected units, changed []string, before filesys.FileSystem) error {
	modules, everything, err := c.changedModules(ctx, before)
	if err != nil {
		return err
	}
	if slices.Contains(changed, ".ko.yaml") {
		everything = ".ko.yaml"
	}
	because := map[string]string{} // a package changed
	for path, p := range c.packages {
		if p.Module != nil && modules[p.Module.Path] {
			because[path] = "module " + p.Module.Path
		}
		for _, file := range changed {
			if p.builtFrom(file) {
				because[path] = file
				break
			}
		}
	}
	for _, o := range c.objects {
		for _, program := range o.Packages() {
			if everything != "" {
				affected.add(o.Unit, everything)
			}
			for _, path := range append(c.packages[program].Deps, program) {
				if why := because[path]; why != "" {
					affected.add(o.Unit, why)
				}
			}
		}
	}
	return nil
}

// builtFrom tells whether a file is part of a package of ours, or was.
func (p pkg) builtFrom(file string) bool {
	if p.ImportPath == module+"/functions/frontend" && webSource(file) {
		return true // it embeds what is built from this
	}
	rest, inside := strings.CutPrefix(file, p.Dir+"/")
	if p.Dir == "" || !inside {
		return false
	}
	if !strings.Contains(rest, "/") && strings.HasSuffix(rest, ".go") && !strings.HasSuffix(rest, "_test.go") {
		return true // one that another system builds, too: its build tag may be what changed
	}
	for _, pattern := range p.EmbedPatterns {
		pattern = strings.TrimPrefix(pattern, "all:")
		for part := rest; part != "."; part = path.Dir(part) { // a folder stands for all below it
			if matched, _ := path.Match(pattern, part); matched { // go list has read the pattern
				return true
			}
		}
	}
	return false
}

// webSource tells what the web application is built from (stack.BuildWeb).
func webSource(file string) bool {
	const web = "functions/frontend/web/"
	return file == "functions/gateway/openapi.json" ||
		strings.HasPrefix(file, web) && !strings.HasPrefix(file, web+"e2e/") && !strings.Contains(path.Base(file), ".test.")
}

// changedModules are those whose version or replacement differs; a language
// version that differs is a reason to build everything anew. go.sum needs no
// look: it holds no choice, a wrong one fails the build.
func (c *checkout) changedModules(ctx context.Context, before filesys.FileSystem) (changed map[string]bool, everything string, err error) {
	old, err := before.ReadFile("/go.mod")
	if err != nil {
		return nil, "go.mod", nil
	}
	now, err := os.ReadFile(filepath.Join(c.root, "go.mod"))
	if err != nil || bytes.Equal(old, now) {
		return nil, "", err
	}
	was, err := c.modules(ctx, old)
	if err != nil {
		return nil, "", err
	}
	is, err := c.modules(ctx, now)
	if err != nil {
		return nil, "", err
	}
	changed = map[string]bool{}
	for name, version := range is {
		switch {
		case was[name] == version:
		case name == goVersion:
			everything = "go.mod: " + version
		default:
			changed[name] = true
		}
	}
	return changed, everything, nil
}

// goVersion stands among the modules for the language and the toolchain.
const goVersion = "go"

// modules is the version of each module that a go.mod names. It names all
// that our packages are built from, also indirectly (since Go 1.17).
func (c *checkout) modules(ctx context.Context, content []byte) (map[string]string, error) {
	file, err := os.CreateTemp("", "go-*.mod")
	if err != nil {
		return nil, err
	}
	defer os.Remove(file.Name())
	_, err = file.Write(content)
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	out, err := output(exec.CommandContext(ctx, "go", "mod", "edit", "-json", file.Name()))
	if err != nil {
		return nil, err
	}
	type version struct{ Path, Version string }
	var mod struct {
		Go, Toolchain string
		Require       []version
		Replace       []struct{ Old, New version }
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		return nil, fmt.Errorf("go mod edit: %w", err)
	}
	versions := map[string]string{goVersion: mod.Go + " " + mod.Toolchain}
	for _, r := range mod.Require {
		versions[r.Path] = r.Version
	}
	for _, r := range mod.Replace {
		versions[r.Old.Path] += " " + r.Old.Version + " => " + r.New.Path + " " + r.New.Version
	}
	return versions, nil
}

func (c *checkout) git(ctx context.Context, args ...string) ([]byte, error) {
	return output(exec.CommandContext(ctx, "git", append([]string{"-C", c.root}, args...)...))
}

// output runs a program; what it complains of is in the error.
func output(cmd *exec.Cmd) ([]byte, error) {
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args[:2], " "), err, bytes.TrimSpace(exit.Stderr))
	}
	return out, err
}
