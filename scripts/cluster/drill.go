package cluster

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// Drill prints what a drill does and what it sees, and at last PASS or FAIL.
type Drill struct {
	name   string
	began  time.Time
	faults []error
	sum    []string
	last   string // what was seen last, in want of a sum
}

// RunDrill is the main of a drill: -h prints its usage, Ctrl-C ends it, and the
// exit code is 1 when it failed.
func RunDrill(name, usage string, run func(context.Context, *Drill) error) {
	flag.Usage = func() {
		fmt.Fprintf(flag.CommandLine.Output(), "usage: %s\n\n%s\n", name, usage)
		flag.PrintDefaults()
	}
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	d := &Drill{name: name, began: time.Now()}
	if err := Reachable(ctx); err != nil {
		d.Fail(err)
	} else if err := run(ctx, d); err != nil {
		d.Fail(err)
	}
	if !d.end() {
		stop()
		os.Exit(1)
	}
}

// Does says what is done now.
func (d *Drill) Does(format string, args ...any) { d.line("does", format, args...) }

// Saw says what was observed: a figure, with its unit.
func (d *Drill) Saw(format string, args ...any) {
	d.last = fmt.Sprintf(format, args...)
	d.line("saw", "%s", d.last)
}

// Sum is Saw of what goes into a summary: it is printed again with the verdict.
func (d *Drill) Sum(format string, args ...any) {
	d.Saw(format, args...)
	d.sum = append(d.sum, d.last)
}

// Errorf is Fail with a sentence.
func (d *Drill) Errorf(format string, args ...any) { d.Fail(fmt.Errorf(format, args...)) }

// Fail records what should not be; the drill goes on.
func (d *Drill) Fail(err error) {
	d.faults = append(d.faults, err)
	d.line("wrong", "%v", err)
}

// Check fails with a sentence unless ok.
func (d *Drill) Check(ok bool, format string, args ...any) {
	if !ok {
		d.Errorf(format, args...)
	}
}

func (d *Drill) line(kind, format string, args ...any) {
	fmt.Printf("%6.1fs  %-5s  %s\n", time.Since(d.began).Seconds(), kind, fmt.Sprintf(format, args...))
}

func (d *Drill) end() bool {
	if len(d.sum) == 0 {
		d.sum = []string{d.last}
	}
	verdict := "PASS  " + strings.Join(d.sum, "; ")
	if len(d.faults) > 0 {
		verdict = "FAIL  " + strings.ReplaceAll(errors.Join(d.faults...).Error(), "\n", "; ")
	}
	fmt.Printf("%6.1fs  %s  %s\n", time.Since(d.began).Seconds(), d.name, verdict)
	return len(d.faults) == 0
}
