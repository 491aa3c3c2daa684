// Command affected tells which units of the product have to be deployed: those
// in which the checkout differs from what the cluster runs, or from a commit.
//
//	go run ./scripts/deploy -only "$(go run ./scripts/affected)"
//
// A unit is affected when
//
//   - a source file, an embedded file, or the module of a package that one of
//     its programs is built from changed (the import graph says which those
//     are): shared/message reaches every program that imports it, a migration
//     the Job migrate, the web application the frontend;
//   - one of its objects, as the overlay renders it, changed: a manifest
//     reaches its unit, a setting every unit that reads it.
//
// So tests, documents and tools affect nothing. It errs on one side only: an
// affected unit whose image turns out to be the same gets no new revision,
// while one that was missed would run old code.
//
// Units are printed to standard output, apart by commas, and the reasons to
// standard error. Nothing to deploy prints an empty line.
package main

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"

	"aquaerp.fr/scripts/release"
)

func main() {
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), "usage: affected [-overlay DIR] [-from COMMIT]\n\n"+
			"Prints the units to deploy from the checkout in the current folder: what the cluster of KUBECONFIG does not run.\n\n")
		flag.PrintDefaults()
	}
	overlay := flag.String("overlay", os.Getenv("AQUAERP_OVERLAY"), "`folder` of the overlay; default AQUAERP_OVERLAY, then the one that was deployed last")
	from := flag.String("from", "", "`commit` to compare with; default: for each unit the one it was deployed from")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	units, err := run(ctx, *overlay, *from)
	if err != nil {
		fmt.Fprintln(os.Stderr, "affected:", err)
		stop()
		os.Exit(1)
	}
	names := slices.Sorted(maps.Keys(units))
	for _, unit := range names {
		fmt.Fprintf(os.Stderr, "%-14s %s\n", unit, units[unit])
	}
	fmt.Println(strings.Join(names, ","))
}

func run(ctx context.Context, overlay, from string) (units, error) {
	var record release.Recorded
	var err error
	if from == "" || overlay == "" {
		if record, err = release.Read(ctx); err != nil {
			return nil, err
		}
		if overlay, err = record.Overlay(overlay); err != nil {
			return nil, err
		}
	}
	c, err := open(ctx, ".", overlay)
	if err != nil {
		return nil, err
	}
	if from != "" {
		return c.since(ctx, from)
	}
	deployed, err := record.Units()
	if err != nil {
		return nil, err
	}
	return c.against(ctx, deployed), nil
}

// against compares each unit with the commit that it was deployed from.
func (c *checkout) against(ctx context.Context, deployed map[string]release.Deployed) units {
	affected := units{}
	changes := map[string]units{} // since a commit
	for _, unit := range release.Units(c.objects) {
		d, was := deployed[unit]
		switch {
		case !was:
			affected.add(unit, "was never deployed")
			continue
		case d.Overlay != c.overlay:
			affected.add(unit, "was deployed from "+d.Overlay)
			continue
		case strings.HasSuffix(d.Revision, release.Dirty):
			affected.add(unit, "was deployed from changes that were not committed")
			continue
		}
		if changes[d.Revision] == nil {
			since, err := c.since(ctx, d.Revision)
			if err != nil { // a commit that was rebased away, a clone that is too shallow
				affected.add(unit, "cannot be compared with what was deployed: "+err.Error())
				continue
			}
			changes[d.Revision] = since
		}
		if why, is := changes[d.Revision][unit]; is {
			affected[unit] = why
		}
	}
	return affected
}
