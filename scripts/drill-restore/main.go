// Command drill-restore loses the database's volume and gets the data back.
//
// It takes a base backup, writes rows one transaction at a time, and in the
// middle of that kills PostgreSQL and deletes its volume. It sees that no empty
// server comes up in its place, runs scripts/restore as a person would, and
// compares: every row whose commit was answered must be there, but for those of
// the last second, which is what streaming without waiting may cost; where
// commits wait for the stream (overlay metropole), but for none.
//
// The volume is really deleted, and everything written meanwhile is at stake as
// it would be then: for a cluster to rehearse on.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"aquaerp.fr/scripts/cluster"
)

const usage = `go run ./scripts/drill-restore -destroy

Deletes PostgreSQL's data volume under load and restores it: what is lost, and how long it takes.`

const (
	pod   = "postgres-0"
	claim = "data-postgres-0"

	// load is how long rows are written before and after the backup: enough for the archive to get a file.
	load = 5 * time.Second
	// settled is how long events under way may take to arrive.
	settled = 3 * time.Minute
	// pause between two rows. Each is a commit of its own.
	pause = 5 * time.Millisecond
	// promise is how much of the end may be lost where commits do not wait for the stream.
	promise = time.Second
)

func main() {
	destroy := flag.Bool("destroy", false, "yes, delete the data volume of this cluster")
	cluster.RunDrill("drill-restore", usage, func(ctx context.Context, d *cluster.Drill) error {
		if !*destroy {
			return errors.New("this deletes the database's volume; say -destroy where that may be done")
		}
		return drill(ctx, d)
	})
}

func drill(ctx context.Context, d *cluster.Drill) error {
	if _, err := cluster.SQL(ctx, "drop schema if exists drill cascade; create schema drill; create table drill.row (n bigint primary key, at timestamptz not null default clock_timestamp())"); err != nil {
		return err
	}
	if _, err := cluster.Settle(ctx, settled); err != nil {
		return err
	}
	before, err := rows(ctx)
	if err != nil {
		return err
	}
	waits, err := cluster.SQL(ctx, "show synchronous_standby_names")
	if err != nil {
		return err
	}
	d.Saw("%d rows in %d tables of the product", before.rows, before.tables)

	w := write(ctx)
	d.Does("write a row every %v, and take a base backup meanwhile", pause)
	name := "backup-drill-" + time.Now().UTC().Format("20060102t150405")
	if _, err := cluster.Kubectl(ctx, "create", "job", name, "--from=cronjob/backup"); err != nil {
		return err
	}
	if _, err := cluster.Kubectl(ctx, "wait", "job/"+name, "--for=condition=complete", "--timeout=180s"); err != nil {
		return err
	}
	out, err := cluster.Kubectl(ctx, "logs", "job/"+name)
	if err != nil {
		return err
	}
	for line := range strings.Lines(out) {
		d.Saw("%s", strings.TrimSpace(line))
	}
	if _, err := cluster.SQL(ctx, "select pg_switch_wal()"); err != nil {
		return err
	}
	if err := sleep(ctx, load); err != nil {
		return err
	}

	// Not a pod's deletion alone, whose graceful stop would send the archive what it has: the server's processes die
	// where they are, and its files are gone before anybody can look.
	d.Does("kill every process of the server, remove its files, delete %s and its volume %s", pod, claim)
	lost := time.Now()
	_, _ = cluster.Kubectl(ctx, "exec", pod, "--container", "postgres", "--", "sh", "-c", `kill -9 -1; rm -rf "$PGDATA"`) // dies with its container; the next line sees that it did
	answered, err := w.stop()
	if err != nil {
		return err
	}
	d.Saw("%d commits were answered", answered)
	if _, err := cluster.Kubectl(ctx, "delete", "pvc", claim, "--wait=false"); err != nil {
		return err
	}
	if _, err := cluster.Kubectl(ctx, "delete", "pod", pod, "--grace-period=0", "--force"); err != nil {
		return err
	}

	if err := refusesToStart(ctx); err != nil {
		d.Fail(err)
	} else {
		d.Saw("no empty server in its place: the guard holds it")
	}

	d.Does("go run ./scripts/restore")
	restore, err := program(ctx, "restore")
	if err != nil {
		return err
	}
	said, err := restore.CombinedOutput()
	for line := range strings.Lines(string(said)) {
		d.Saw("restore: %s", strings.TrimRight(line, "\n"))
	}
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	back := time.Since(lost)

	// The restore has had the last day's events published again.
	took, err := cluster.Settle(ctx, settled)
	if err != nil {
		return err
	}
	d.Saw("events are settled %.0f s later", took.Seconds())
	after, err := rows(ctx)
	if err != nil {
		return err
	}
	d.Check(after == before, "the product had %+v, now %+v", before, after)
	missing, span, err := compare(ctx, answered)
	if err != nil {
		return err
	}
	d.Sum("RPO: %d of %d answered commits are missing, the last %.3f s of them", missing, answered, span.Seconds())
	d.Sum("RTO: %.0f s from the loss to a server that answers", back.Seconds())
	if waits == "" {
		d.Check(span <= promise, "%d answered commits are missing, %v of them: more than %v", missing, span, promise)
	} else {
		d.Check(missing == 0, "%d commits are missing although they waited for %s", missing, waits)
	}
	_, err = cluster.SQL(ctx, "drop schema drill cascade")
	return err
}

// content is what the product keeps of contracts, bills and books, told by a
// sum over all rows that changes with any of them.
type content struct {
	tables, rows int
	sum          string
}

func rows(ctx context.Context) (c content, err error) {
	out, err := cluster.SQL(ctx, `select format('select count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) from %I.%I t', schemaname, tablename)
		from pg_tables where schemaname in ('contrat', 'facture') and tablename <> 'reply' order by schemaname, tablename \gexec`)
	if err != nil {
		return c, err
	}
	for line := range strings.Lines(out) {
		count, sum, _ := strings.Cut(strings.TrimSpace(line), "|")
		n, err := strconv.Atoi(count)
		if err != nil {
			return c, fmt.Errorf("a table's count: %w", err)
		}
		c.tables, c.rows, c.sum = c.tables+1, c.rows+n, c.sum+" "+sum
	}
	return c, nil
}

// writer commits rows until its server is gone.
type writer struct {
	done chan struct{}
	said string // what psql had from the server: the number of each row, once committed
}

func write(ctx context.Context) *writer {
	w := &writer{done: make(chan struct{})}
	in, feed := io.Pipe()
	go func() {
		defer close(w.done)
		defer in.Close()
		// Each line of psql's as soon as it has it: what is in a buffer when it dies was answered all the same.
		w.said, _ = cluster.KubectlWith(ctx, in, "exec", "--stdin", pod, "--container", "postgres", "--", "stdbuf", "-oL",
			"psql", "-U", "postgres", "-d", "aquaerp", "--no-psqlrc", "--tuples-only", "--no-align", "--quiet") // it ends with an error: its server does
	}()
	go func() {
		for n := 1; ; n++ {
			if _, err := fmt.Fprintf(feed, "insert into drill.row (n) values (%d) returning n;\n", n); err != nil {
				return
			}
			time.Sleep(pause)
		}
	}()
	return w
}

// stop waits for the server's end to arrive, and returns the last number that
// was answered.
func (w *writer) stop() (int, error) {
	select {
	case <-w.done:
	case <-time.After(time.Minute):
		return 0, errors.New("rows are still written a minute after the kill")
	}
	whole := strings.Split(w.said, "\n")
	whole = whole[:len(whole)-1] // after the last newline: nothing, or half a line
	if len(whole) == 0 {
		return 0, errors.New("no row was written")
	}
	return strconv.Atoi(whole[len(whole)-1])
}

// refusesToStart waits until the server's successor has met the guard.
func refusesToStart(ctx context.Context) error {
	for end := time.Now().Add(90 * time.Second); time.Now().Before(end); {
		said, err := cluster.Kubectl(ctx, "get", "pod", pod, "--ignore-not-found", "--output",
			`jsonpath={.status.containerStatuses[?(@.name=="postgres")]['state','lastState'].terminated.message}`)
		if err != nil {
			return err
		}
		if strings.Contains(said, "Restore") {
			return nil
		}
		if err := sleep(ctx, time.Second); err != nil {
			return err
		}
	}
	return errors.New("the guard did not stop a server on an empty volume")
}

// compare tells how many of the answered commits are gone, and how long it took
// to write so many.
func compare(ctx context.Context, answered int) (missing int, lost time.Duration, err error) {
	out, err := cluster.SQL(ctx, fmt.Sprintf("select count(*), max(n), extract(epoch from max(at) - min(at)) from drill.row where n <= %d", answered))
	if err != nil {
		return 0, 0, err
	}
	var (
		kept, last int
		seconds    float64
	)
	if _, err := fmt.Sscanf(strings.ReplaceAll(out, "|", " "), "%d %d %f", &kept, &last, &seconds); err != nil {
		return 0, 0, fmt.Errorf("rows that are back: %q: %w", out, err)
	}
	if kept != last {
		return 0, 0, fmt.Errorf("%d rows are back, numbered up to %d: some are missing in the middle", kept, last)
	}
	missing = answered - kept
	return missing, time.Duration(float64(missing) * seconds / float64(kept) * float64(time.Second)), nil
}

// program is one of ours: the one beside this, or what go makes of the checkout.
func program(ctx context.Context, name string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if path, err := exec.LookPath(filepath.Join(filepath.Dir(self), name)); err == nil {
		return exec.CommandContext(ctx, path), nil
	}
	return exec.CommandContext(ctx, "go", "run", "./scripts/"+name), nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
