// Command restore puts PostgreSQL back from a base backup and the archive of
// its WAL: to the last commit that reached the backup volume, or to a moment.
//
//	go run ./scripts/restore                              everything there is
//	go run ./scripts/restore -to 2026-11-23T14:05:00Z     before somebody's mistake
//
// It stops the server, runs the Job that knative/postgres/restore.yaml holds
// (its script says what happens to the files), and starts the server again.
// The functions answer 503 meanwhile, and whoever posts commands asks again.
// Cut off or failed, it is run again: the server does not start before a
// restore has succeeded. The data that was replaced stays beside it.
//
// Events that were published since the moment restored to are not called back.
// A function that gets one about things it no longer knows refuses it, and it
// is parked: `deadletter list` shows what came of a restore to the past.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"aquaerp.fr/scripts/cluster"
)

const usage = `usage: restore [-list] [-to TIME] [-backup NAME] [-timeline N] [-discard]

Puts PostgreSQL's data back from backup and archive. The data that is there goes aside, on the same volume.`

// What knative/postgres calls things.
const (
	server   = "statefulset/postgres"
	pod      = "postgres-0"
	claim    = "data-postgres-0"
	template = "restore" // CronJob that holds the Job
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "restore:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	list := flag.Bool("list", false, "only say which backups there are")
	to := flag.String("to", "", "`time` to restore to, like 2026-11-23T14:05:00Z; default: the end of the archive")
	backup := flag.String("backup", "", "`name` of the backup to begin with; default: the newest that had ended by then")
	timeline := flag.Int("timeline", 0, "`number` of the history to follow, when an earlier restore went the wrong way; default: the latest")
	discard := flag.Bool("discard", false, "delete the data that is there first: for a volume without room for both")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), usage)
		flag.PrintDefaults()
	}
	flag.Parse()
	if *list {
		out, err := cluster.Kubectl(ctx, "exec", pod, "--container", "postgres", "--", "ls", "/backup/base")
		fmt.Print(out)
		return err
	}
	settings := map[string]string{"BACKUP": *backup}
	if *to != "" {
		moment, err := time.Parse(time.RFC3339, *to)
		if err != nil {
			return fmt.Errorf("-to: %w", err)
		}
		settings["TO"] = moment.UTC().Format(time.RFC3339Nano)
	}
	if *timeline > 0 {
		settings["TIMELINE"] = fmt.Sprint(*timeline)
	}
	if *discard {
		settings["DISCARD"] = "yes"
	}

	began := time.Now()
	say("stop the server")
	if err := scale(ctx, 0); err != nil {
		return err
	}
	if _, err := cluster.Kubectl(ctx, "wait", "pod/"+pod, "--for=delete", "--timeout=180s"); err != nil {
		return err
	}
	if err := ensureClaim(ctx); err != nil {
		return err
	}
	if err := runJob(ctx, settings); err != nil {
		return fmt.Errorf("%w\nThe server stays stopped until a restore succeeds; what was its data is on its volume, as pgdata or pgdata.before", err)
	}
	say("start the server")
	if err := scale(ctx, 1); err != nil {
		return err
	}
	if _, err := cluster.Kubectl(ctx, "rollout", "status", server, "--timeout=180s"); err != nil {
		return err
	}
	say("the server answers, %.0f s after the stop", time.Since(began).Seconds())
	return nil
}

func say(format string, args ...any) {
	fmt.Println(time.Now().UTC().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}

func scale(ctx context.Context, replicas int) error {
	_, err := cluster.Kubectl(ctx, "scale", server, fmt.Sprintf("--replicas=%d", replicas))
	return err
}

// ensureClaim makes the data volume when it is gone, as the StatefulSet would.
func ensureClaim(ctx context.Context) error {
	found, err := cluster.Kubectl(ctx, "get", "pvc", claim, "--ignore-not-found", "--output", "jsonpath={.metadata.name} {.metadata.deletionTimestamp}")
	switch {
	case err != nil:
		return err
	case found == claim+" ":
		return nil
	case found != "": // it is going
		if _, err := cluster.Kubectl(ctx, "wait", "pvc/"+claim, "--for=delete", "--timeout=120s"); err != nil {
			return err
		}
	}
	set, err := cluster.Get[struct {
		Spec struct {
			VolumeClaimTemplates []struct {
				Metadata struct {
					Name   string            `json:"name"`
					Labels map[string]string `json:"labels"`
				} `json:"metadata"`
				Spec json.RawMessage `json:"spec"`
			} `json:"volumeClaimTemplates"`
		} `json:"spec"`
	}](ctx, server)
	if err != nil {
		return err
	}
	if len(set.Spec.VolumeClaimTemplates) != 1 {
		return fmt.Errorf("%s has %d volume claims, not one", server, len(set.Spec.VolumeClaimTemplates))
	}
	t := set.Spec.VolumeClaimTemplates[0]
	say("make the volume %s, which is gone", claim)
	return create(ctx, map[string]any{
		"apiVersion": "v1", "kind": "PersistentVolumeClaim",
		"metadata": map[string]any{"name": claim, "labels": t.Metadata.Labels},
		"spec":     t.Spec,
	})
}

func create(ctx context.Context, object map[string]any) error {
	text, err := json.Marshal(object)
	if err != nil {
		return err
	}
	_, err = cluster.KubectlWith(ctx, strings.NewReader(string(text)), "create", "--filename", "-")
	return err
}
