// Command rollback gives the traffic of Knative Services back to an earlier
// revision, with its code and its settings. It takes seconds: nothing is
// built, and the revision is there still.
//
// The database stays as it is: migrations only expand, so that the code before
// them runs with them. The next deployment takes the traffic forward again.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"aquaerp.fr/scripts/cluster"
	"aquaerp.fr/scripts/traffic"
)

const usage = `usage: rollback                      list the revisions of all functions
       rollback FUNCTION...          each goes back to the revision before the one that has the traffic
       rollback -to REVISION         the revision's function goes to it
       rollback -all                 every function that has an earlier revision goes back

The kn command that would do the same is printed before it is done; -n prints only.

`

func main() {
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), usage)
		flag.PrintDefaults()
	}
	to := flag.String("to", "", "`revision` to go to")
	all := flag.Bool("all", false, "all functions")
	only := flag.Bool("n", false, "print what would be done")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, flag.Args(), *to, *all, *only); err != nil {
		fmt.Fprintln(os.Stderr, "rollback:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, functions []string, to string, all, only bool) error {
	if (len(functions) > 0) && (to != "" || all) || to != "" && all {
		return errors.New("functions, -to or -all: one of them")
	}
	services, err := traffic.Services(ctx)
	if err != nil {
		return err
	}
	revisions, err := list(ctx)
	if err != nil {
		return err
	}
	if len(functions) == 0 && to == "" && !all {
		return show(services, revisions)
	}
	targets, err := choose(services, revisions, functions, to, all)
	if err != nil {
		return err
	}
	var moved []string
	for _, r := range targets {
		route := []traffic.Target{{Revision: r.Name, Percent: 100}}
		fmt.Println(traffic.Kn(r.Service, route))
		if only {
			continue
		}
		if err := traffic.Route(ctx, r.Service, route); err != nil {
			return err
		}
		moved = append(moved, r.Service)
	}
	if only {
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	if err := traffic.Arrive(limited, moved...); err != nil {
		return err
	}
	fmt.Println("done; the next deployment takes the traffic forward again")
	return nil
}

// revision is one of a Service's.
type revision struct {
	Name, Service string
	Created       time.Time
	Ready         bool
	Image         string
}

// list reads all revisions, the newest of each Service first.
func list(ctx context.Context) (map[string][]revision, error) {
	items, err := cluster.Get[struct {
		Items []struct {
			Metadata struct {
				Name              string
				Labels            map[string]string
				CreationTimestamp time.Time
			}
			Spec   struct{ Containers []struct{ Image string } }
			Status struct {
				Conditions []struct{ Type, Status string }
			}
		}
	}](ctx, "revisions.serving.knative.dev")
	revisions := map[string][]revision{}
	for _, i := range items.Items {
		r := revision{Name: i.Metadata.Name, Service: i.Metadata.Labels["serving.knative.dev/service"],
			Created: i.Metadata.CreationTimestamp, Image: i.Spec.Containers[0].Image}
		for _, c := range i.Status.Conditions {
			// A revision that sleeps is not Active; what it was made of stays Ready.
			r.Ready = r.Ready || c.Type == "Ready" && c.Status == "True"
		}
		revisions[r.Service] = append(revisions[r.Service], r)
	}
	for _, of := range revisions {
		slices.SortFunc(of, func(a, b revision) int { return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(b.Name, a.Name)) })
	}
	return revisions, err
}

// choose finds the revision that each Service goes to.
func choose(services map[string]traffic.Service, revisions map[string][]revision, functions []string, to string, all bool) (targets []revision, err error) {
	for _, name := range sorted(services) {
		s := services[name]
		asked := slices.Contains(functions, s.Unit) || slices.Contains(functions, s.Name)
		functions = slices.DeleteFunc(functions, func(f string) bool { return f == s.Unit || f == s.Name })
		if to != "" {
			for _, r := range revisions[name] {
				if r.Name == to {
					return []revision{r}, nil
				}
			}
			continue
		}
		if !asked && !all {
			continue
		}
		r, found := before(s, revisions[name])
		switch {
		case found:
			targets = append(targets, r)
		case asked:
			return nil, fmt.Errorf("%s has no earlier revision that was ready", name)
		}
	}
	switch {
	case to != "":
		return nil, fmt.Errorf("there is no revision %s; without arguments all are listed", to)
	case len(functions) > 0:
		return nil, fmt.Errorf("there is no function %s", strings.Join(functions, ", "))
	case len(targets) == 0:
		return nil, errors.New("no function has an earlier revision")
	}
	return targets, nil
}

// before is the revision to go back to: of a canary the one that it is
// measured against, otherwise the next older one that was ever ready.
func before(s traffic.Service, revisions []revision) (revision, bool) {
	routed := map[string]bool{}
	for _, t := range s.Routed() {
		routed[t.Revision] = true
	}
	passed := 0 // revisions with traffic that are newer
	for _, r := range revisions {
		switch {
		case routed[r.Name] && passed == 0:
			passed++
		case passed > 0 && r.Ready:
			return r, true
		}
	}
	return revision{}, false
}

func show(services map[string]traffic.Service, revisions map[string][]revision) error {
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "FUNCTION\tREVISION\tTRAFFIC\tREADY\tCREATED\tIMAGE")
	for _, name := range sorted(services) {
		share := map[string]string{}
		for _, t := range services[name].Status {
			share[t.Revision] += fmt.Sprintf("%d %% ", t.Percent)
			if t.Tag != "" {
				share[t.Revision] += t.Tag + " "
			}
		}
		for _, r := range revisions[name] {
			fmt.Fprintf(table, "%s\t%s\t%s\t%t\t%s\t%s\n", services[name].Unit, r.Name, cmp.Or(strings.TrimSpace(share[r.Name]), "-"),
				r.Ready, r.Created.Local().Format("02 Jan 15:04:05"), short(r.Image))
		}
	}
	return table.Flush()
}

// short is an image with the first digits of its digest.
func short(image string) string {
	name, digest, _ := strings.Cut(image, "@sha256:")
	return name[strings.LastIndex(name, "/")+1:] + "@" + digest[:min(12, len(digest))]
}

func sorted(services map[string]traffic.Service) []string {
	var names []string
	for name := range services {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
