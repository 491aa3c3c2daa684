package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"aquaerp.fr/scripts/stack"
)

// frontend embeds the web application, which has to be built before it.
const frontend = "aquaerp.fr/functions/frontend"

// images builds and pushes the images of the chosen objects, and writes their
// digests into them.
func (d *deployment) images(ctx context.Context) error {
	var packages []string
	for _, o := range d.objects {
		packages = append(packages, o.Packages()...)
	}
	slices.Sort(packages)
	packages = slices.Compact(packages)
	if slices.Contains(packages, frontend) {
		if err := stack.BuildWeb(ctx, "."); err != nil {
			return err
		}
		d.say("the web application is built")
	}
	images, err := build(ctx, packages)
	if err != nil {
		return err
	}
	for i, o := range d.objects {
		if d.objects[i], err = o.WithImages(images); err != nil {
			return err
		}
	}
	d.say("%d images are built and pushed", len(images))
	return nil
}

// build has ko build and push the images of packages, and returns each by
// its digest.
func build(ctx context.Context, packages []string) (map[string]string, error) {
	images := map[string]string{}
	if len(packages) == 0 {
		return images, nil
	}
	// ko replaces references in any YAML, and keeps their order.
	var list bytes.Buffer
	for _, p := range packages {
		fmt.Fprintf(&list, "- ko://%s\n", p)
	}
	ko := strings.Fields(cmp.Or(os.Getenv("KO"), "ko"))
	args := append(ko[1:], "resolve", "--base-import-paths", "--image-label=org.opencontainers.image.vendor=AquaERP")
	if source := os.Getenv("AQUAERP_SOURCE"); source != "" {
		args = append(args, "--image-label=org.opencontainers.image.source="+source) // GitHub shows a package at its repository by this
	}
	cmd := exec.CommandContext(ctx, ko[0], append(args, "--filename=-")...)
	var out, log bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = &list, &out, &log
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s resolve: %w\n%s", strings.Join(ko, " "), err, tail(log.String(), 20))
	}
	var digests []string
	if err := yaml.Unmarshal(out.Bytes(), &digests); err != nil || len(digests) != len(packages) {
		return nil, fmt.Errorf("ko resolve answered %d images for %d packages: %v", len(digests), len(packages), err)
	}
	for i, p := range packages {
		if !strings.Contains(digests[i], "@sha256:") {
			return nil, fmt.Errorf("ko resolve: %s has no digest: %q", p, digests[i])
		}
		images[p] = digests[i]
	}
	return images, nil
}

// tail is the last n lines of a text.
func tail(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
