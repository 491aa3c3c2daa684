// Command drill-rollout shows that a new revision and a migration reach the
// product while it is used, and that nobody is answered with an error.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"aquaerp.fr/scripts/cluster"
	"aquaerp.fr/scripts/release"
	"aquaerp.fr/scripts/traffic"
)

const usage = `go run ./scripts/drill-rollout [-half 20s]

Makes a revision of contrat and a migration that adds a column to its busiest
table, in a clone of this checkout, and deploys both with scripts/deploy: the
migration first, then the revision at 50 % of the traffic, then at 100 %. Then
it goes back with scripts/rollback, takes the column away, and deploys what is
committed here. Clients post commands all the while, and must see no 5xx.

It writes subscriptions, contracts and payments of its own (PDLs DRILL-...): not
on an installation that bills. It needs what scripts/deploy needs.`

var half = flag.Duration("half", 20*time.Second, "how long both revisions have half of the traffic")

func main() { cluster.RunDrill("drill-rollout", usage, run) }

const (
	function = "contrat"
	service  = "contrat-service"
	column   = "exercice"
)

func run(ctx context.Context, d *cluster.Drill) (err error) {
	record, err := release.Read(ctx)
	if err != nil {
		return err
	}
	overlay, err := record.Overlay("")
	if err != nil {
		return err
	}
	clone, err := scratch(ctx)
	defer os.RemoveAll(clone)
	if err != nil {
		return err
	}
	version, err := change(clone)
	if err != nil {
		return err
	}
	d.Does("make a revision of %s and its migration %d in a clone", function, version)

	before, err := traffic.Services(ctx)
	if err != nil {
		return err
	}
	w, err := d.Writer(ctx)
	if err != nil {
		return err
	}
	defer w.Stop()
	// Whatever happens, the product ends as it is committed.
	defer func() {
		err = errors.Join(err, restore(context.WithoutCancel(ctx), d, overlay, version))
		if err == nil {
			err = count(ctx, d, w)
		}
	}()

	began := time.Now()
	if err := program(ctx, d, clone, "deploy", "-overlay", overlay, "-only", function+",migrate", "-canary", "50", "-check", half.String()); err != nil {
		return err
	}
	added, err := columns(ctx)
	if err != nil {
		return err
	}
	d.Check(added == "1", "the migration has not added its column")
	after, err := traffic.Services(ctx)
	if err != nil {
		return err
	}
	d.Check(after[service].Created != before[service].Created, "there is no new revision")
	t := w.Tally()
	d.Sum("migrated and rolled out %s at 50, then 100 %% in %.0f s: %d of %d answers 5xx", after[service].Created, time.Since(began).Seconds(), t.Errors5xx, t.Answers)

	began = time.Now()
	if err := program(ctx, d, ".", "rollback", function); err != nil {
		return err
	}
	d.Sum("back at %s in %.0f s", before[service].Routed()[0].Revision, time.Since(began).Seconds())
	return nil
}

// count ends the clients and holds what they saw against the database.
func count(ctx context.Context, d *cluster.Drill, w *cluster.Writer) error {
	if err := d.Count(ctx, w); err != nil {
		return err
	}
	t := w.Tally()
	d.Check(t.Errors5xx == 0, "%d answers were 5xx", t.Errors5xx)
	d.Check(t.NoAnswer == 0, "%d requests had no answer", t.NoAnswer)
	return nil
}

// scratch clones what is committed here. The caller removes it.
func scratch(ctx context.Context) (dir string, err error) {
	if dir, err = os.MkdirTemp("", "aquaerp-rollout-"); err != nil {
		return "", err
	}
	if out, err := exec.CommandContext(ctx, "git", "clone", "--quiet", "--shared", ".", dir).CombinedOutput(); err != nil {
		return dir, fmt.Errorf("git clone: %w: %s", err, out)
	}
	return dir, nil
}

// change adds to a checkout a migration that only expands, as all do that are
// rolled out under traffic, and code that tells the new revision apart.
func change(dir string) (version int, err error) {
	migrations := filepath.Join(dir, "functions", function, "migrations")
	files, err := os.ReadDir(migrations)
	if err != nil {
		return 0, err
	}
	for _, f := range files {
		var n int
		if _, err := fmt.Sscanf(f.Name(), "%d_", &n); err == nil {
			version = max(version, n+1)
		}
	}
	err = os.WriteFile(filepath.Join(migrations, fmt.Sprintf("%05d_exercice.sql", version)),
		[]byte("-- +goose Up\nalter table contrat add column "+column+" text;\n\n-- +goose Down\n"+down+";\n"), 0o644)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "functions", function, "exercice.go"),
			[]byte("package main\n\nimport \"log/slog\"\n\nfunc init() { slog.Info(\"exercice\") }\n"), 0o644)
	}
	return version, err
}

const down = "alter table contrat drop column " + column

// columns counts the column of the drill's migration.
func columns(ctx context.Context) (string, error) {
	return cluster.SQL(ctx, "select count(*) from information_schema.columns where table_schema = '"+function+"' and table_name = 'contrat' and column_name = '"+column+"'")
}

// restore takes the migration back and deploys what is committed.
func restore(ctx context.Context, d *cluster.Drill, overlay string, version int) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	added, err := columns(ctx)
	if err != nil {
		return err
	}
	if added == "1" {
		// The same care as a migration takes: no lock is waited for while traffic queues behind it.
		_, err := cluster.Until(ctx, time.Minute, func(ctx context.Context) (bool, error) {
			_, err := cluster.SQL(ctx, "begin; set local lock_timeout = '2s'; set local search_path = "+function+"; "+down+
				fmt.Sprintf("; delete from goose_version where version_id = %d; commit;", version))
			if err != nil && strings.Contains(err.Error(), "lock timeout") {
				return false, nil
			}
			return err == nil, err
		})
		if err != nil {
			return err
		}
		d.Does("take the column away again")
	}
	return program(ctx, d, ".", "deploy", "-overlay", overlay, "-only", function+",migrate")
}

// program runs one of scripts in a checkout, and shows what it says.
func program(ctx context.Context, d *cluster.Drill, dir, name string, args ...string) error {
	d.Does("%s %s", name, strings.Join(args, " "))
	cmd := exec.CommandContext(ctx, "go", append([]string{"run", "./scripts/" + name}, args...)...)
	cmd.Dir = dir
	user, password := cluster.User()
	cmd.Env = append(os.Environ(), "AQUAERP_USER="+user, "AQUAERP_PASSWORD="+password)
	read, write := io.Pipe()
	cmd.Stdout, cmd.Stderr = write, write
	shown := make(chan struct{})
	go func() {
		defer close(shown)
		lines := bufio.NewScanner(read)
		for lines.Scan() {
			d.Saw("%s: %s", name, strings.TrimSpace(lines.Text()))
		}
		_, _ = io.Copy(io.Discard, read) // a line too long for the scanner
	}()
	err := cmd.Run()
	write.Close()
	<-shown
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
