// Command deploy brings an overlay of the manifests to the cluster, or a part
// of it, without an interruption.
//
//  1. The overlay is rendered, the web application built, and every image of
//     ours built, pushed and taken by digest (ko).
//  2. What nothing runs from yet is applied: namespaces, accounts, settings,
//     policies; then the Secrets that are missing; then the servers, until
//     they are ready.
//  3. The Job migrate expands the database, and the Job declare the queues.
//     If one fails its log is shown, and nothing was rolled out.
//  4. Services, programs, sources and schedules are applied. A Service that
//     serves already gets its new revision at 0 %, until that is ready; then,
//     with -canary, a share of the traffic until its answers are judged; then
//     all of it.
//  5. The public hosts are tried over TLS, with a login that must be refused:
//     so gateway, auth and PostgreSQL answer.
//  6. ConfigMap `release` is told what runs now, and from which commit.
//
// Whatever fails after 3, or an interrupt, undoes: the traffic of each Service
// goes back to the revisions that had it, and the programs to what they ran.
// Migrations stay: they only expand, and the code before them runs with them.
//
// An image is the same as long as its program is, so that a Service whose
// function did not change gets no new revision, and deploying twice does
// nothing the second time.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"sigs.k8s.io/kustomize/kyaml/filesys"

	"aquaerp.fr/scripts/cluster"
	"aquaerp.fr/scripts/release"
	"aquaerp.fr/scripts/traffic"
)

const usage = `usage: deploy [-overlay DIR] [-only UNIT,...] [-canary PERCENT] ...

Deploys an overlay from the checkout in the current folder: migrates, rolls out, tries, and undoes what fails.

Beside KUBECONFIG and the settings of scripts/cluster, it needs ko (KO, when it is not in PATH) and where images are
pushed (KO_DOCKER_REPO). SMTP_URL is the mail server, for the first time. With AQUAERP_USER and AQUAERP_PASSWORD of
somebody who may read, a canary is also asked what people ask.`

func main() {
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), usage+"\n\n")
		flag.PrintDefaults()
	}
	d := &deployment{began: time.Now()}
	flag.StringVar(&d.overlay, "overlay", os.Getenv("AQUAERP_OVERLAY"), "`folder` of the overlay; default AQUAERP_OVERLAY, then the one that was deployed last")
	only := flag.String("only", "", "`units` to deploy, by label app.kubernetes.io/name, apart by commas: facture,relay,migrate; default all. Settings always are")
	flag.IntVar(&d.canary, "canary", 0, "`percent` of the traffic that new revisions get while they are judged; 0: they are not")
	flag.DurationVar(&d.check, "check", time.Minute, "how `long` a canary is judged")
	flag.DurationVar(&d.patience, "timeout", 5*time.Minute, "how `long` a step may take to get ready")
	flag.Parse()
	if flag.NArg() > 0 || d.canary < 0 || d.canary > 99 {
		flag.Usage()
		os.Exit(2)
	}
	d.only = strings.FieldsFunc(*only, func(r rune) bool { return r == ',' || r == ' ' })
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := d.run(ctx); err != nil {
		d.say("FAILED: %v", err)
		stop()
		os.Exit(1)
	}
	d.say("deployed")
}

// deployment is one run of this program.
type deployment struct {
	overlay  string
	only     []string // units; none means all
	canary   int      // percent
	check    time.Duration
	patience time.Duration
	began    time.Time

	all     []release.Object // of the overlay
	objects []release.Object // that are deployed, with their images
	before  map[string]traffic.Service
	moved   []string       // Services that get a new revision
	ran     map[string]int // revision of each Deployment before
}

// say prints a line with the time since the start.
func (d *deployment) say(format string, args ...any) {
	fmt.Printf("%6.1fs  %s\n", time.Since(d.began).Seconds(), fmt.Sprintf(format, args...))
}

func (d *deployment) run(ctx context.Context) error {
	if _, err := os.Stat("go.mod"); err != nil {
		return errors.New("start it in the checkout: go run ./scripts/deploy")
	}
	if err := cluster.Reachable(ctx); err != nil {
		return err
	}
	record, err := release.Read(ctx)
	if err != nil {
		return err
	}
	if d.overlay, err = record.Overlay(d.overlay); err != nil {
		return err
	}
	if d.all, err = release.Render(filesys.MakeFsOnDisk(), d.overlay); err != nil {
		return err
	}
	if err := d.choose(); err != nil {
		return err
	}
	if err := d.images(ctx); err != nil {
		return err
	}
	if err := d.look(ctx); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{d.prepare, d.jobs, d.rollOut} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if err := d.record(ctx); err != nil {
		return err
	}
	return d.orphans(ctx)
}

// choose takes the objects of the units that were asked for.
func (d *deployment) choose() error {
	units := release.Units(d.all)
	for _, unit := range d.only {
		if !slices.Contains(units, unit) {
			return fmt.Errorf("%s has no unit %q; it has %s", d.overlay, unit, strings.Join(units, ", "))
		}
	}
	for _, o := range d.all {
		// A namespace has to be there, and a ConfigMap is what others refer to by the hash of its content:
		// one more disturbs nobody.
		if len(d.only) == 0 || slices.Contains(d.only, o.Unit) || o.Kind == "Namespace" || o.Kind == "ConfigMap" {
			d.objects = append(d.objects, o)
		}
	}
	return nil
}

// look remembers what serves now, and refuses to trample on a canary that
// somebody else is watching.
func (d *deployment) look(ctx context.Context) (err error) {
	if d.before, err = traffic.Services(ctx); err != nil {
		return err
	}
	for _, o := range d.objects {
		if routed := d.before[o.Name].Routed(); o.KnativeService() && len(routed) > 1 {
			return fmt.Errorf("a canary of %s is in flight (%v): promote it (%s) or end it (go run ./scripts/rollback %s)",
				o.Name, routed, traffic.Kn(o.Name, traffic.Latest), o.Unit)
		}
	}
	d.ran, err = deployments(ctx)
	return err
}

// prepare applies what the rest stands on, and waits for the servers.
func (d *deployment) prepare(ctx context.Context) error {
	if err := d.apply(ctx, d.of(stageNamespace)); err != nil {
		return err
	}
	if err := d.secrets(ctx); err != nil {
		return err
	}
	foundations := append(d.of(stageFoundation), d.of(stageServer)...)
	if err := d.apply(ctx, foundations); err != nil {
		return err
	}
	d.say("applied %d objects that the rest stands on", len(foundations))
	return d.wait(ctx, d.of(stageServer))
}

// secrets makes those that are missing.
func (d *deployment) secrets(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "go", "run", "./scripts/secrets")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("scripts/secrets: %w: %s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		d.say("secrets: %s", strings.TrimSpace(line))
	}
	return nil
}
