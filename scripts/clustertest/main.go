// Command clustertest proves the product on a real cluster, from empty: it
// deploys everything, walks the road of a village through the public hosts
// over TLS, lets it sleep and wakes it, breaks it in every way that a drill
// knows, and prints a table of what was seen. `make cluster-test` runs it.
//
// It wants a cluster of its own. It stops where the namespace of the product
// exists, unless it is told what to do about that. Each step is an ordinary
// program or a few calls of scripts/cluster, so that whatever fails here can be
// repeated by hand; what each printed is kept in .run/cluster-test.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"aquaerp.fr/scripts/cluster"
)

const usage = `usage: clustertest [-reset | -keep] [-only REGEXP] [-overlay DIR]

Deploys an overlay to an empty cluster, walks the road, and runs all drills. It
needs what scripts/deploy and scripts/cluster need: KUBECONFIG, KO and the
registry, and how the public hosts are reached (AQUAERP_HTTPS, AQUAERP_CA).`

// whole is how long everything may take.
const whole = 20 * time.Minute

// logs is where the output of each step is kept.
const logs = ".run/cluster-test"

func main() {
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), usage)
		flag.PrintDefaults()
	}
	var t test
	flag.StringVar(&t.overlay, "overlay", cmp.Or(os.Getenv("AQUAERP_OVERLAY"), "knative/overlays/test"), "`folder` of the overlay that is deployed")
	flag.BoolVar(&t.reset, "reset", false, "delete what is deployed first, with all its data")
	flag.BoolVar(&t.keep, "keep", false, "drill what is deployed and was walked through before: no deployment and no road, unless -only names them")
	only := flag.String("only", "", "only the steps whose name matches this `regexp`")
	flag.Parse()
	var err error
	if t.only, err = regexp.Compile(*only); err != nil || flag.NArg() > 0 || t.keep && t.reset {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := t.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "clustertest:", err)
		stop()
		os.Exit(1)
	}
}

// test is a run of this program.
type test struct {
	overlay     string
	reset, keep bool
	only        *regexp.Regexp
	bin         string // folder of the programs
	results     []result
}

// step is one line of the table.
type step struct {
	name string
	// budget is how long it may take; the sum of all is more than the whole,
	// as not every step meets its worst day.
	budget time.Duration
	// vital steps are those without which the others mean nothing.
	vital bool
	// fresh steps are those of a product that was just deployed.
	fresh bool
	run   func(context.Context, *output) (evidence string, err error)
}

func (t *test) steps() []step {
	return []step{
		{"manifests", 3 * time.Minute, true, true, t.manifests},
		{"deploy", 6 * time.Minute, true, true, t.program("deploy", "-overlay", t.overlay)},
		{"first administrator", time.Minute, true, true, t.administrator},
		{"road", 4 * time.Minute, true, true, t.road},
		// The functions fall asleep while twins of one are measured.
		{"cold start", 5 * time.Minute, false, false, t.program("drill-cold")},
		{"event from outside", 5 * time.Minute, false, false, t.program("drill-event")},
		{"load, sleep, first click", 6 * time.Minute, false, false, t.program("drill-scale")},
		{"replicas", 4 * time.Minute, false, false, t.program("drill-replicas")},
		{"killed pods", 5 * time.Minute, false, false, t.program("drill-kill-pod", "-rounds", "1")},
		{"killed servers", 5 * time.Minute, false, false, t.program("drill-persistence")},
		{"broker away", 6 * time.Minute, false, false, t.program("drill-broker")},
		{"rollout", 5 * time.Minute, false, false, t.program("drill-rollout")},
		{"restore", 5 * time.Minute, false, false, t.program("drill-restore", "-destroy")},
		{"network", 3 * time.Minute, false, false, t.program("drill-network")},
		{"monitoring", 2 * time.Minute, false, false, t.program("monitoring-check")},
	}
}

func (t *test) run(ctx context.Context) error {
	if _, err := os.Stat("go.mod"); err != nil {
		return errors.New("start it in the checkout: go run ./scripts/clustertest")
	}
	if err := cluster.Reachable(ctx); err != nil {
		return err
	}
	if err := t.empty(ctx); err != nil {
		return err
	}
	if err := os.RemoveAll(logs); err != nil {
		return err
	}
	var err error
	if t.bin, err = filepath.Abs(filepath.Join(logs, "bin")); err != nil {
		return err
	}
	if err := os.MkdirAll(t.bin, 0o755); err != nil {
		return err
	}
	began := time.Now()
	if err := t.build(ctx); err != nil {
		return err
	}
	for _, s := range t.steps() {
		if s.fresh && t.keep && t.only.String() == "" || !t.only.MatchString(s.name) {
			continue
		}
		r := t.do(ctx, s)
		t.results = append(t.results, r)
		if ctx.Err() != nil || r.err != nil && s.vital {
			break
		}
	}
	took := time.Since(began)
	fmt.Print("\n", table(t.results, took))
	var failed []string
	for _, r := range t.results {
		if r.err != nil {
			failed = append(failed, r.name)
		}
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case len(failed) > 0:
		return errors.New("failed: " + strings.Join(failed, ", "))
	case took > whole:
		return fmt.Errorf("it took %v, more than %v", took.Round(time.Second), whole)
	}
	return nil
}

// namespaces that the product makes.
var namespaces = []string{cluster.Namespace, "monitoring"}

// empty makes sure that nothing of the product is there, unless it is to be kept.
func (t *test) empty(ctx context.Context) error {
	there, err := cluster.Kubectl(ctx, append([]string{"get", "namespace", "--ignore-not-found", "--output=name"}, namespaces...)...)
	switch {
	case err != nil:
		return err
	case t.keep && there == "":
		return errors.New("-keep: nothing is deployed")
	case t.keep || there == "":
		return nil
	case !t.reset:
		return fmt.Errorf("%s exists: -reset deletes it with all its data, -keep drills what is there", strings.Join(strings.Fields(there), ", "))
	}
	fmt.Println("delete", strings.Join(strings.Fields(there), ", "))
	// Sources first: their controller has to see them go while their Secrets are there.
	_, _ = cluster.Kubectl(ctx, "delete", "rabbitmqsources,pingsources", "--all", "--wait", "--timeout=60s") // the namespace goes anyhow
	// A pod of a door may take five minutes for its last answers.
	_, err = cluster.Kubectl(ctx, append([]string{"delete", "namespace", "--ignore-not-found", "--timeout=420s"}, namespaces...)...)
	return err
}
