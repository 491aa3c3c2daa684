// Package setup installs the system's programs that AquaERP needs on a
// developer's machine and that are missing: with apt-get on Debian and Ubuntu
// (through sudo when we are not root), with brew on macOS. It says what it
// runs before it runs it, and where it cannot install, what to install.
package setup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// Package is what the package managers call a program.
type Package struct{ Apt, Brew string }

// What AquaERP may need.
var (
	PostgreSQL = Package{"postgresql", "postgresql@17"}
	RabbitMQ   = Package{"rabbitmq-server", "rabbitmq"}
	Chromium   = Package{"chromium", "--cask chromium"}
	Poppler    = Package{"poppler-utils", "poppler"} // pdftotext
	Libxml     = Package{"libxml2-utils", "libxml2"} // xmllint
	Qpdf       = Package{"qpdf", "qpdf"}
	Prometheus = Package{"prometheus", "prometheus"} // promtool
)

// Install installs packages; out gets what is run and what it says.
func Install(ctx context.Context, out io.Writer, packages ...Package) error {
	commands, err := commands(packages)
	if err != nil {
		return err
	}
	for _, args := range commands {
		fmt.Fprintln(out, "$", strings.Join(args, " "))
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, out, out // sudo may ask
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%s: %w", strings.Join(args, " "), err)
		}
	}
	return nil
}

func commands(packages []Package) ([][]string, error) {
	has := func(program string) bool { _, err := exec.LookPath(program); return err == nil }
	var apt, brew []string
	for _, p := range packages {
		apt = append(apt, p.Apt)
		brew = append(brew, p.Brew)
	}
	switch {
	case has("apt-get"):
		install := append([]string{"apt-get", "install", "-y", "--no-install-recommends"}, apt...)
		update := []string{"apt-get", "update", "-q"}
		if os.Getuid() == 0 {
			return [][]string{update, install}, nil
		}
		if has("sudo") {
			sudo := []string{"sudo", "--preserve-env=DEBIAN_FRONTEND"}
			return [][]string{append(sudo, update...), append(sudo[:2:2], install...)}, nil
		}
		return nil, errors.New("please install, as root: apt-get install " + strings.Join(apt, " "))
	case has("brew"):
		var all [][]string
		for _, p := range brew {
			all = append(all, append([]string{"brew", "install"}, strings.Fields(p)...))
		}
		return all, nil
	}
	return nil, errors.New("neither apt-get nor brew is here; please install: " + strings.Join(apt, ", "))
}

// Need installs a package unless one of the programs is in PATH, and returns
// the path of the first that is.
func Need(ctx context.Context, out io.Writer, p Package, programs ...string) (string, error) {
	find := func() string {
		for _, program := range programs {
			if path, err := exec.LookPath(program); err == nil {
				return path
			}
		}
		return ""
	}
	if path := find(); path != "" {
		return path, nil
	}
	if err := Install(ctx, out, p); err != nil {
		return "", err
	}
	if path := find(); path != "" {
		return path, nil
	}
	return "", fmt.Errorf("%s was installed, but none of %s is in PATH", p.Apt, strings.Join(programs, ", "))
}
