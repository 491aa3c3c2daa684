// Command mutants is `make mutants`: it puts a deliberate bug into a copy of
// the checkout, runs the test that must notice, and fails when one does not.
// A proof that no bug can break proves nothing.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

// mutant is a bug: what is replaced where, and the tests of functions/facture
// of which at least one must fail.
type mutant struct {
	name  string
	edits []edit
	tests string
}

type edit struct{ file, was, is string }

var mutants = []mutant{
	{"inbox off: a delivery is not remembered, nor a chunk that is done", []edit{
		{"shared/function/tx.go", "Exec(func(tag pgconn.CommandTag) error { fresh = tag.RowsAffected() == 1; return nil })\n\t\tif c.request", "Exec(func(tag pgconn.CommandTag) error { return nil })\n\t\tif c.request"},
		{"functions/facture/emission.go", "and t.emise_a is null and l.id", "and l.id"},
		{"functions/facture/calcul.go", "and t.calculee_a is null and l.id", "and l.id"},
	}, "TestLot$|TestLotUnderFire"},
	{"a chunk is issued by whoever asks, also a second time", []edit{
		{"functions/facture/emission.go", "and t.emise_a is null and l.id", "and l.id"},
	}, "TestLostChunksAreResumed|TestLotUnderFire"},
	{"a sequence instead of the series row: what failed leaves a hole", []edit{
		{"functions/facture/migrations/00010_serie.sql", "-- +goose Down", "create sequence compteur; grant usage on sequence compteur to facture;\n\n-- +goose Down"},
		{"functions/facture/numerotation.go", "return serie, base, err\n}\n\n// natureSerie", "for range n {\n\t\tif e := tx.QueryRow(ctx, \"select nextval('compteur') - $1\", n).Scan(&base); e != nil {\n\t\t\treturn \"\", 0, e\n\t\t}\n\t}\n\treturn serie, base, err\n}\n\n// natureSerie"},
	}, "TestNumbersComeBack"},
	{"success reported on failure: a lot is EMIS with its first chunk", []edit{
		{"functions/facture/emission.go", "etat = case when faites + 1 = tranches then 'EMIS' else etat end", "etat = 'EMIS'"},
	}, "TestLot$|TestLostChunksAreResumed"},
	{"success reported on failure: what PostgreSQL finds wrong is let through", []edit{
		{"functions/facture/calcul.go", "case faux != nil:", "case faux != nil && checked < 0:"},
	}, "TestWrongBillStopsItsChunk"},
	{"who prepares a lot approves it", []edit{
		{"functions/facture/lot.go", "case who.ID == lot.creePar && !seul:", "case who.ID == \"\" && !seul:"},
	}, "TestLot$"},
	{"a stopped lot keeps the chunk that was being priced", []edit{
		{"functions/facture/lot.go", `b.Queue("delete from facture where lot_id = $1", c.LotID)`, ""},
	}, "TestStoppedLotLeavesNothing"},
	{"dates go back", []edit{
		{"functions/facture/numerotation.go", "if date.Before(last) {", "if date.Before(last) && lock == \"never\" {"},
	}, "TestLotDates"},
	{"the chain skips the content of bills", []edit{
		{"functions/facture/sceau.go", "s.empreinte <> sha256(s.precedent || sha256(facture_canonique(f)))", "s.empreinte is null"},
	}, "TestAlteredBillIsNamed"},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	only := flag.String("only", "", "part of the name of the mutants to try")
	flag.Parse()
	survivors := 0
	for _, m := range mutants {
		if !strings.Contains(m.name, *only) {
			continue
		}
		caught, err := m.try(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		verdict := "caught by"
		if !caught {
			verdict = "SURVIVED"
			survivors++
		}
		fmt.Printf("%-75s %s %s\n", m.name, verdict, m.tests)
	}
	if survivors > 0 {
		return fmt.Errorf("%d survived", survivors)
	}
	return nil
}

// try reports whether a test fails in a copy with the bug. A copy that does
// not compile is an error: it proves nothing either.
func (m mutant) try(ctx context.Context) (caught bool, err error) {
	dir, err := os.MkdirTemp("", "mutant-")
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	// What git knows of, as it stands in the working tree.
	if out, err := exec.CommandContext(ctx, "sh", "-c", `git ls-files -z --cached --others --exclude-standard | xargs -0 sh -c 'for f; do test -e "$f" && echo "$f"; done' - | tar -cf - -T - | tar -xf - -C "$0"`, dir).CombinedOutput(); err != nil {
		return false, fmt.Errorf("copy: %w: %s", err, out)
	}
	for _, e := range m.edits {
		path := filepath.Join(dir, e.file)
		raw, err := os.ReadFile(path)
		if err != nil {
			return false, err
		}
		if strings.Count(string(raw), e.was) != 1 {
			return false, fmt.Errorf("%s has %d times %q, want once", e.file, strings.Count(string(raw), e.was), e.was)
		}
		if err := os.WriteFile(path, []byte(strings.Replace(string(raw), e.was, e.is, 1)), 0o644); err != nil {
			return false, err
		}
	}
	test := func(args ...string) (string, error) {
		cmd := exec.CommandContext(ctx, "go", append([]string{"test", "-count=1", "-timeout=5m"}, args...)...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := test("-run=^$", "./functions/facture"); err != nil {
		return false, fmt.Errorf("does not compile: %s", out)
	}
	out, err := test("-run="+m.tests, "./functions/facture")
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		return false, err
	}
	return strings.Contains(out, "--- FAIL"), nil
}
