package main

import (
	"context"
	"log/slog"
	"net"
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
	listens string // variable that says where to listen, or empty

	mu       sync.Mutex
	child    *process // nil between two runs
	address  string   // where it listens
	since    time.Time
	restarts int
	lastExit string
}

// run returns when ctx is done and the process has ended.
func (d *daemon) run(ctx context.Context) {
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		begin := time.Now()
		child, err := d.launch()
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
		sleep(ctx, pause)
		if ctx.Err() != nil {
			return
		}
		d.mu.Lock()
		d.restarts++
		d.mu.Unlock()
	}
}

// launch gives the process an address of its own where it would listen on a port that is the same for everyone: on one
// machine there may be two of them, and nobody outside is meant to reach either.
func (d *daemon) launch() (*process, error) {
	if d.listens == "" {
		return d.start()
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	d.address = net.JoinHostPort("127.0.0.1", port)
	d.mu.Unlock()
	return d.start(d.listens + "=" + d.address)
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
