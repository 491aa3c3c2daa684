package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"aquaerp.fr/scripts/cluster"
)

// result is what came of a step.
type result struct {
	name     string
	evidence string
	took     time.Duration
	err      error
}

// output is where a step tells what it does: on the screen and in its log.
type output struct {
	io.Writer
	began time.Time
}

func (o *output) says(format string, args ...any) {
	fmt.Fprintf(o, "%6.1fs  %s\n", time.Since(o.began).Seconds(), fmt.Sprintf(format, args...))
}

// Errorf tells what is wrong.
func (o *output) Errorf(format string, args ...any) { o.says("wrong  "+format, args...) }

// do runs a step within its budget.
func (t *test) do(ctx context.Context, s step) (r result) {
	fmt.Printf("\n== %s\n", s.name)
	r.name = s.name
	log, err := os.Create(filepath.Join(logs, strings.NewReplacer(" ", "-", ",", "").Replace(s.name)+".log"))
	if err != nil {
		r.err = err
		return r
	}
	defer log.Close()
	limited, cancel := context.WithTimeout(ctx, s.budget)
	defer cancel()
	out := &output{Writer: io.MultiWriter(os.Stdout, log), began: time.Now()}
	r.evidence, r.err = s.run(limited, out)
	r.took = time.Since(out.began)
	if r.err != nil && limited.Err() != nil && ctx.Err() == nil {
		r.err = fmt.Errorf("not within %v: %w", s.budget, r.err)
	}
	if r.err != nil {
		out.says("FAIL  %v", r.err)
	}
	return r
}

// programs of this checkout that are steps.
var programs = []string{
	"./scripts/deploy", "./scripts/drill-event", "./scripts/drill-scale", "./scripts/drill-cold", "./scripts/drill-replicas", "./scripts/drill-kill-pod",
	"./scripts/drill-persistence", "./scripts/drill-broker", "./scripts/drill-rollout", "./scripts/drill-restore", "./scripts/drill-network", "./scripts/monitoring-check",
}

func (t *test) build(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "go", append([]string{"build", "-o", t.bin + "/"}, programs...)...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("go build: %w", err)
	}
	return nil
}

// mailbox is the mail server of the test overlay.
const mailbox = "smtp://mailbox." + cluster.Namespace + ".svc.cluster.local:1025"

// program is a step that runs one of them. Its evidence is what it printed
// last, without the name and the verdict that drills put before it.
func (t *test) program(name string, args ...string) func(context.Context, *output) (string, error) {
	return func(ctx context.Context, out *output) (string, error) {
		cmd := exec.CommandContext(ctx, filepath.Join(t.bin, name), args...)
		cmd.Env = append([]string{"SMTP_URL=" + mailbox}, os.Environ()...) // the environment has the last word
		// A drill that is interrupted puts back what it took away.
		cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
		cmd.WaitDelay = 20 * time.Second
		var printed bytes.Buffer
		cmd.Stdout = io.MultiWriter(out, &printed)
		cmd.Stderr = cmd.Stdout
		err := cmd.Run()
		said := verdict(printed.String())
		if err != nil {
			return "", fmt.Errorf("%s: %w: %s", name, err, said)
		}
		return said, nil
	}
}

// verdict is the last line of a program without its time, name and PASS or FAIL.
func verdict(printed string) string {
	printed = strings.TrimSpace(printed)
	last := strings.TrimSpace(printed[strings.LastIndexByte(printed, '\n')+1:])
	for _, mark := range []string{"  PASS", "  FAIL"} {
		if _, after, found := strings.Cut(last, mark); found {
			return strings.TrimSpace(strings.TrimPrefix(after, ":"))
		}
	}
	return strings.TrimSpace(clock.ReplaceAllString(last, ""))
}

// clock is the time before a line.
var clock = regexp.MustCompile(`^[0-9.]+s `)

// table is Markdown, for the README.
func table(results []result, took time.Duration) string {
	var b strings.Builder
	b.WriteString("| step | evidence | seconds | |\n|---|---|---:|---|\n")
	for _, r := range results {
		evidence, verdict := r.evidence, "PASS"
		if r.err != nil {
			evidence, verdict = r.err.Error(), "FAIL"
		}
		fmt.Fprintf(&b, "| %s | %s | %.0f | %s |\n", r.name, strings.NewReplacer("\n", " ", "|", "\\|").Replace(evidence), r.took.Seconds(), verdict)
	}
	fmt.Fprintf(&b, "| all | | %.0f | |\n", took.Seconds())
	return b.String()
}
