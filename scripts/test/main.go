// Command test is `make test`: everything, honestly.
//
//  1. the web application: its unit tests, and its build, which the frontend embeds
//  2. every Go package, on one private PostgreSQL that all of them share
//  3. end to end: the whole product with a real RabbitMQ and the real adapter,
//     and the web application in a headless Chromium
//
// It installs what is missing, sets CI so that nothing is skipped for a
// missing server, goes on after a failure to report all of them, and says at
// the end where the time went.
package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"aquaerp.fr/scripts/setup"
	"aquaerp.fr/scripts/stack"
	"aquaerp.fr/shared/localserver"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "test:", err)
		stop()
		os.Exit(1)
	}
}

// endToEnd are the packages that start a product of their own; they run one
// after the other, when the others are done.
const endToEnd = "aquaerp.fr/scripts/e2e"

func run(ctx context.Context) error {
	r := &report{begin: time.Now()}
	defer r.print()
	var chromium string
	var server *localserver.Server
	err := r.stage("tools and servers", func() (err error) {
		if chromium, err = setup.Need(ctx, os.Stdout, setup.Chromium, "chromium", "chromium-browser", "google-chrome"); err != nil {
			return err
		}
		if _, err := setup.Need(ctx, os.Stdout, setup.Poppler, "pdftotext"); err != nil {
			return err
		}
		for program, from := range map[string]setup.Package{"qpdf": setup.Qpdf, "xmllint": setup.Libxml, "promtool": setup.Prometheus} {
			if _, err := setup.Need(ctx, os.Stdout, from, program); err != nil {
				return err
			}
		}
		server, err = postgres(ctx)
		return err
	})
	if err != nil {
		return err
	}
	defer os.RemoveAll(server.Dir())
	defer server.Stop(context.WithoutCancel(ctx))
	env := append(os.Environ(),
		"CI=true",
		"AQUAERP_TEST_POSTGRES="+server.URL(localserver.Superuser, "postgres"),
		"CHROMIUM="+chromium)

	if err := r.stage("web application", func() error { return stack.BuildWeb(ctx, ".") }); err != nil {
		return err // the frontend embeds it
	}
	packages, err := packages(ctx)
	if err != nil {
		return err
	}
	return errors.Join(
		r.stage("web unit tests", func() error { return command(ctx, env, "functions/frontend/web", os.Stdout, "npm", "test") }),
		r.stage("Go packages", func() error { return r.test(ctx, env, append([]string{"-p=3", "-timeout=10m"}, packages...)...) }),
		r.stage("end to end", func() error { return r.test(ctx, env, "-p=1", "-v", "-timeout=20m", endToEnd+"/...") }),
	)
}

// postgres starts a private server in a new directory; it installs the
// servers when they are missing.
func postgres(ctx context.Context) (*localserver.Server, error) {
	dir, err := os.MkdirTemp("", "aquaerp-test-")
	if err != nil {
		return nil, err
	}
	start := func() (*localserver.Server, error) {
		return localserver.StartPostgres(ctx, localserver.Postgres{Dir: filepath.Join(dir, "postgres")})
	}
	server, err := start()
	if errors.Is(err, localserver.ErrNotInstalled) {
		if err := setup.Install(ctx, os.Stdout, setup.PostgreSQL, setup.RabbitMQ); err != nil {
			return nil, err
		}
		server, err = start()
	}
	return server, err
}

// packages are all but the end-to-end ones.
func packages(ctx context.Context) (names []string, err error) {
	var out bytes.Buffer
	if err := command(ctx, nil, ".", &out, "go", "list", "./..."); err != nil {
		return nil, err
	}
	for name := range strings.FieldsSeq(out.String()) {
		if !strings.HasPrefix(name, endToEnd) {
			names = append(names, name)
		}
	}
	return names, nil
}

func command(ctx context.Context, env []string, dir string, out io.Writer, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, env, out, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", name, strings.Join(args[:min(2, len(args))], " "), err)
	}
	return nil
}

// report remembers what took time.
type report struct {
	begin  time.Time
	stages []spent
	tests  []spent // packages
}

type spent struct {
	name string
	took time.Duration
	err  error
}

func (r *report) stage(name string, do func() error) error {
	fmt.Printf("\n== %s\n", name)
	begin := time.Now()
	err := do()
	r.stages = append(r.stages, spent{name, time.Since(begin), err})
	return err
}

// test runs `go test` and notes the time of each package. Packages without
// tests are not shown.
func (r *report) test(ctx context.Context, env []string, args ...string) error {
	read, write := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for lines := bufio.NewScanner(read); lines.Scan(); {
			line := lines.Text()
			if strings.HasSuffix(line, "[no test files]") {
				continue
			}
			fmt.Println(line)
			if f := strings.Fields(line); len(f) >= 3 && (f[0] == "ok" || f[0] == "FAIL") {
				if took, err := time.ParseDuration(f[2]); err == nil {
					r.tests = append(r.tests, spent{name: f[1], took: took})
				}
			}
		}
		_, _ = io.Copy(os.Stdout, read) // a line too long for the scanner
	}()
	err := command(ctx, env, ".", write, "go", append([]string{"test", "-count=1"}, args...)...)
	write.Close()
	<-done
	return err
}

func (r *report) print() {
	fmt.Println("\n== where the time went")
	for _, s := range r.stages {
		verdict := "ok"
		if s.err != nil {
			verdict = "FAILED"
		}
		fmt.Printf("%8.1f s  %-20s %s\n", s.took.Seconds(), s.name, verdict)
	}
	slices.SortFunc(r.tests, func(a, b spent) int { return int(b.took - a.took) })
	for _, s := range r.tests[:min(8, len(r.tests))] {
		fmt.Printf("%8.1f s    %s\n", s.took.Seconds(), s.name)
	}
	fmt.Printf("%8.1f s  in all\n", time.Since(r.begin).Seconds())
}
