// Command bench is `make bench`: it holds the product against bare programs
// that do the same work on the same machine in the same minutes, and prints
// what the product costs as ratios.
//
//	cold     the first answer of a sleeping function / of an empty Go HTTP server
//	command  a command through gateway and function / the same rows in one pipelined transaction
//	event    outbox, relay, RabbitMQ, adapter, function / a raw consumer with the same effect
//	lot      a billing run, from the request to issued bills / COPY of the same bills
//	growth   a bill more in a run of a million / in a run of a tenth; only when named
//	pricing  package tarif and `facture simuler` / a plain loop of the arithmetic
//	pdf      a bill as Factur-X / its words in a core font
//
// Absolute times say more about the machine than about the product, so none is
// asserted. What is asserted, in every run of every arm, is the outcome: bills,
// rows and effects are counted, and a wrong count voids the suite and fails
// the program.
//
// Arms take turns (A B B A A B …); a figure is the median over the pairs of
// the ratio within each pair. Its range holds the true median with at least
// 95 %, however times are distributed. A target counts as met or missed when
// the whole range says so. The load of the machine during each suite is
// printed beside: what else runs on it widens the ranges.
//
// The product is the one of `make run`: manifests as they are, commits that
// wait for the disk, the real adapter of RabbitmqSource. It lives under
// .run/bench and is wiped at the end.
//
//	go run ./scripts/bench -only cold,command -pairs 15 -json bench.json
//	go run ./scripts/bench -only growth -pairs 1 -lot 1000000
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"aquaerp.fr/scripts/client"
	"aquaerp.fr/scripts/stack"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

// suite measures one thing; with servers it needs a running product.
type suite struct {
	name    string
	servers bool
	measure func(context.Context, *bench) error
}

var suites = []suite{
	{"cold", true, cold},
	{"command", true, command},
	{"event", true, event},
	{"lot", true, lot},
	{"growth", true, growth},
	{"pricing", false, pricing},
	{"pdf", false, pdf},
}

// The login of the only person at work.
const (
	login    = "banc@aquaerp.example"
	password = "eau-claire-2026"
)

// bench is what the suites share.
type bench struct {
	root, bin, dir string
	pairs          int
	contrats       int // of the larger billing run
	report         *report

	// With servers:
	product *stack.Stack
	admin   *client.Client // may do everything, and repeats nothing
	db      *pgxpool.Pool  // as superuser, to count and to prepare
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	pairs := flags.Int("pairs", 7, "pairs of runs for each figure; below 6 no target is judged")
	only := flags.String("only", "", "`suites` to run, separated by commas: cold, command, event, lot, growth, pricing, pdf")
	contrats := flags.Int("lot", 2000, "`contracts` of the larger billing run; 100000 takes a quarter of an hour, -only growth -pairs 1 with 1000000 too")
	file := flags.String("json", "", "`file` to write every number to")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	chosen, err := choose(*only)
	if err != nil {
		return err
	}
	if *contrats < 4 {
		return errors.New("-lot takes a number from 4")
	}
	if *pairs < 1 || flags.NArg() > 0 {
		return errors.New("-pairs takes a number from 1, and there are no other arguments")
	}
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		return errors.New("start it in the checkout: make bench")
	}
	// On the disk of the checkout: where /tmp is memory, a commit costs nothing.
	b := &bench{root: root, bin: filepath.Join(root, ".run/bench/bin"), dir: filepath.Join(root, ".run/bench/data"), pairs: *pairs, contrats: *contrats, report: newReport(root, *pairs)}
	if err := b.start(ctx, slices.ContainsFunc(chosen, func(s suite) bool { return s.servers })); err != nil {
		return errors.Join(err, b.stop())
	}
	var failed error
	for _, s := range chosen {
		if err := b.report.suite(s.name, func() error { return s.measure(ctx, b) }); err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s is void: %w", s.name, err))
		}
		if ctx.Err() != nil {
			break
		}
	}
	b.report.print(os.Stdout)
	if *file != "" {
		failed = errors.Join(failed, b.report.write(*file))
	}
	return errors.Join(failed, b.stop())
}

func choose(names string) (chosen []suite, err error) {
	if names == "" { // growth says something only of runs that take long
		return slices.DeleteFunc(slices.Clone(suites), func(s suite) bool { return s.name == "growth" }), nil
	}
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(suites, func(s suite) bool { return s.name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no suite %q", name)
		}
		chosen = append(chosen, suites[i])
	}
	return chosen, nil
}

// start builds everything and, with servers, runs the product.
func (b *bench) start(ctx context.Context, servers bool) error {
	if err := os.RemoveAll(b.dir); err != nil { // left by a run that was killed
		return err
	}
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return err
	}
	done := progress("building")
	if err := b.build(ctx, servers); err != nil {
		return err
	}
	done()
	if !servers {
		return nil
	}
	// Sixteen clients at once would open a connection for most requests.
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = 2 * clients
	var err error
	b.product, err = stack.Start(ctx, stack.Config{Root: b.root, Dir: b.dir, Bin: b.bin, Durable: true, Step: progress})
	if err != nil {
		return err
	}
	if err := b.product.FirstAdministrator(ctx, login, password); err != nil {
		return err
	}
	if b.admin, err = client.New(b.product.API, time.Minute).Login(ctx, login, password); err != nil {
		return err
	}
	b.db, err = pgxpool.New(ctx, b.product.URL(""))
	return err
}

// build compiles the product, the empty server and the benchmarks of package tarif.
func (b *bench) build(ctx context.Context, servers bool) error {
	if servers {
		if err := stack.Build(ctx, b.root, b.bin); err != nil {
			return err
		}
	}
	for _, args := range [][]string{
		{"build", "-o", b.bin + "/", "./scripts/bench/empty", "./functions/facture"},
		{"test", "-c", "-o", filepath.Join(b.bin, "tarif.test"), "./functions/facture/tarif"},
		{"test", "-c", "-o", filepath.Join(b.bin, "facture.test"), "./functions/facture"},
	} {
		cmd := exec.CommandContext(ctx, "go", args...)
		cmd.Dir = b.root
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, out)
		}
	}
	return nil
}

// stop ends the product and wipes its data.
func (b *bench) stop() error {
	if b.db != nil {
		b.db.Close()
	}
	if b.product != nil {
		b.product.Stop()
	}
	return os.RemoveAll(b.dir)
}

// progress shows what begins, and its time when it is done.
func progress(name string) (done func()) {
	begin := time.Now()
	fmt.Fprintf(os.Stderr, "  %-28s", name)
	return func() { fmt.Fprintf(os.Stderr, "%7.1f s\n", time.Since(begin).Seconds()) }
}
