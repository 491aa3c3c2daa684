// Command local runs AquaERP on one machine from the same manifests that run it on Knative.
//
// Functions are processes that start for the first request to them and end when nobody asks for a while; programs of
// Deployments always run; every RabbitmqSource is served by the adapter that serves it in a cluster; PingSources tick.
// What it keeps of Knative: environment and secrets, readiness probe, containerConcurrency, max-scale, request
// timeouts, grace at the end, the inside host names, what is answered when there is no process. What it leaves out:
// resource limits, security contexts, volumes, traffic splitting, and CPU as a measure for scaling (services of the
// HPA class grow by concurrency like the others; of min-scale processes one is kept).
//
//	local -manifests knative/services,eventing -secrets .run/secrets.yaml -bin bin -logs .run/logs \
//	      -listen frontend=127.0.0.1:8080 -admin 127.0.0.1:8090
//
// It prints one line per address it serves once it does, and ends on SIGINT or SIGTERM: sources first, then functions,
// then Deployments. A second signal ends it at once, and on Linux its children with it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// config is what the command line says.
type config struct {
	manifests []string      // files and folders
	secrets   string        // file of Secrets and ConfigMaps, which replace those of the manifests; or empty
	bin       string        // folder of the programs
	logs      string        // folder of a log file per program; empty for the runtime's own stderr
	admin     string        // address to listen to
	activator string        // address to listen to
	listen    [][2]string   // Service name and an address of its own
	idle      time.Duration // replaces the windows of the manifests, and min-scale by zero; or 0
}

func main() {
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	c := config{}
	flags := flag.NewFlagSet("local", flag.ContinueOnError)
	manifests := flags.String("manifests", "knative/services,eventing", "`paths` of manifests, folders or files, separated by commas")
	flags.StringVar(&c.secrets, "secrets", "", "`file` of Secrets and ConfigMaps; they replace those of the manifests")
	flags.StringVar(&c.bin, "bin", "bin", "`folder` of the programs: ko://aquaerp.fr/functions/contrat is contrat in it")
	flags.StringVar(&c.logs, "logs", "", "`folder` for a log file per Service, Deployment and source; without it all is written to stderr")
	flags.StringVar(&c.admin, "admin", "127.0.0.1:0", "`address` of the page and the API about what runs")
	flags.StringVar(&c.activator, "activator", "127.0.0.1:0", "`address` of the proxy to all Services")
	flags.DurationVar(&c.idle, "idle", 0, "put every process to sleep after this time without a request, min-scale or not; 0: as the manifests say")
	flags.Func("listen", "`service=address`: a plain listener for one Service; may be repeated", func(value string) error {
		name, address, ok := strings.Cut(value, "=")
		if !ok {
			return errors.New("not service=address")
		}
		c.listen = append(c.listen, [2]string{name, address})
		return nil
	})
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%q is no flag", flags.Arg(0))
	}
	c.manifests = strings.Split(*manifests, ",")

	p, err := newPlatform(c)
	if err != nil {
		return err
	}
	for _, s := range p.servers {
		fmt.Printf("%s http://%s\n", s.name, s.listener.Addr())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal has its usual effect
	return p.run(ctx)
}
