package main

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

const (
	firstPause = 500 * time.Millisecond
	// longestPause is far below the minutes of a cluster's back-off: nobody waits that long for a laptop.
	longestPause = 5 * time.Second
	// daemonGrace is Kubernetes' default terminationGracePeriodSeconds.
	daemonGrace = 30 * time.Second
)

// daemon is a program that always runs, the replica of a Deployment or the adapter of a source: it is started again,
// after a growing pause, whenever it ends.
type daemon struct {
	program

	mu       sync.Mutex
	child    *process // nil between two runs
	since    time.Time
	restarts int
	lastExit string
}

// run returns when ctx is done and the process has ended.
func (d *daemon) run(ctx context.Context) {
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		begin := time.Now()
		child, err := d.start()
		if err == nil {
			d.set(child, begin, "")
			select {
			case <-child.done:
				err = child.exit()
			case <-ctx.Done():
				child.stop(daemonGrace)
				d.set(nil, begin, "stopped")
				return
			}
		}
		d.set(nil, begin, err.Error())
		slog.Error("a program ended, it is started again", "name", d.name, "after", time.Since(begin).Round(time.Millisecond), "exit", err)
		if time.Since(begin) > 2*longestPause {
			pause = firstPause
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		d.mu.Lock()
		d.restarts++
		d.mu.Unlock()
	}
}

func (d *daemon) set(child *process, since time.Time, exit string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.child, d.since = child, since
	if exit != "" {
		d.lastExit = exit
	}
}

// kill ends the process without notice; it returns its id, or 0 when none runs.
func (d *daemon) kill() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.child == nil {
		return 0
	}
	d.child.kill()
	return d.child.pid()
}

// runAll runs daemons until ctx is done and all of them have ended.
func runAll(ctx context.Context, daemons []*daemon) {
	var all sync.WaitGroup
	for _, d := range daemons {
		all.Go(func() { d.run(ctx) })
	}
	all.Wait()
}
