package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"aquaerp.fr/scripts/cluster"
)

// jobTemplate is the part of a CronJob that a Job is made of. What is inside
// a pod's specification is passed on as it is, but for the environment.
type jobTemplate struct {
	Metadata map[string]any `json:"metadata"`
	Spec     map[string]any `json:"spec"`
}

// runJob runs the restore with its settings, and prints what it says.
func runJob(ctx context.Context, settings map[string]string) error {
	cron, err := cluster.Get[struct {
		Spec struct {
			JobTemplate jobTemplate `json:"jobTemplate"`
		} `json:"spec"`
	}](ctx, "cronjob", template)
	if err != nil {
		return err
	}
	job := cron.Spec.JobTemplate
	if err := job.set(settings); err != nil {
		return fmt.Errorf("cronjob %s: %w", template, err)
	}
	name := template + "-" + time.Now().UTC().Format("20060102t150405")
	if err := create(ctx, map[string]any{
		"apiVersion": "batch/v1", "kind": "Job",
		"metadata": map[string]any{"name": name, "labels": job.Metadata["labels"]},
		"spec":     job.Spec,
	}); err != nil {
		return err
	}
	say("job %s", name)
	ended := finished(ctx, name)
	if ctx.Err() != nil {
		return fmt.Errorf("job %s goes on: %w", name, ended)
	}
	out, err := cluster.Kubectl(ctx, "logs", "job/"+name)
	if err != nil && ended == nil {
		ended = err
	}
	for line := range strings.Lines(out) {
		fmt.Print("  ", line)
	}
	// Its pod, ended or not, would keep the volume from ever being deleted.
	if _, err := cluster.Kubectl(ctx, "delete", "job", name); err != nil && ended == nil {
		ended = err
	}
	return ended
}

// set adds variables to the one container.
func (t jobTemplate) set(variables map[string]string) error {
	at := t.Spec
	for _, field := range []string{"template", "spec"} {
		next, ok := at[field].(map[string]any)
		if !ok {
			return errors.New("it has no pod")
		}
		at = next
	}
	containers, _ := at["containers"].([]any)
	if len(containers) != 1 {
		return fmt.Errorf("it has %d containers, not one", len(containers))
	}
	container, ok := containers[0].(map[string]any)
	if !ok {
		return errors.New("its container is not one")
	}
	env, _ := container["env"].([]any)
	for _, name := range slices.Sorted(maps.Keys(variables)) {
		env = append(env, map[string]any{"name": name, "value": variables[name]})
	}
	container["env"] = env
	return nil
}

// finished waits for a Job's end, however long that takes; ctx may end first.
func finished(ctx context.Context, name string) error {
	for {
		job, err := cluster.Get[struct {
			Status struct {
				Conditions []struct {
					Type    string `json:"type"`
					Status  string `json:"status"`
					Message string `json:"message"`
				} `json:"conditions"`
			} `json:"status"`
		}](ctx, "job", name)
		if err != nil {
			return err
		}
		for _, c := range job.Status.Conditions {
			switch {
			case c.Status != "True":
			case c.Type == "Complete":
				return nil
			case c.Type == "Failed":
				return fmt.Errorf("job %s failed: %s", name, c.Message)
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}
