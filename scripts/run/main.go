// Command run is `make run`: the whole of AquaERP on this machine, with a
// demonstration village in it.
//
// It installs what is missing, builds what changed, starts a private
// PostgreSQL and RabbitMQ and the local runtime under .run, walks the village
// down the road the first time, then serves until Ctrl-C. Started again, it
// finds its data. Nothing of the system is touched; `make reset` forgets all.
//
// Ports are those below, or what AQUAERP_PORT_WEB, _API, _INBOX, _PAYMENT,
// _ADMIN, _POSTGRES and _RABBITMQ say; AQUAERP_DEMO is the number of households.
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"aquaerp.fr/scripts/client"
	"aquaerp.fr/scripts/commune/village"
	"aquaerp.fr/scripts/demo"
	"aquaerp.fr/scripts/setup"
	"aquaerp.fr/scripts/stack"
	"aquaerp.fr/shared/localserver"
	"aquaerp.fr/shared/message"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx)
	switch {
	case ctx.Err() != nil: // asked to end
	case err != nil:
		fmt.Fprintln(os.Stderr, "\nrun:", explain(err))
		stop()
		os.Exit(1)
	}
}

// settings are the environment.
type settings struct {
	ports  stack.Ports
	foyers int
}

func readSettings() (s settings, err error) {
	for _, v := range []struct {
		name  string
		value *int
		usual int
	}{
		{"AQUAERP_PORT_WEB", &s.ports.Web, 8080}, {"AQUAERP_PORT_API", &s.ports.API, 3000},
		{"AQUAERP_PORT_INBOX", &s.ports.Inbox, 8025}, {"AQUAERP_PORT_PAYMENT", &s.ports.Payment, 8030},
		{"AQUAERP_PORT_ADMIN", &s.ports.Admin, 8090},
		{"AQUAERP_PORT_POSTGRES", &s.ports.Postgres, 54320}, {"AQUAERP_PORT_RABBITMQ", &s.ports.RabbitMQ, 56720},
		{"AQUAERP_DEMO", &s.foyers, 500},
	} {
		*v.value = v.usual
		if text := os.Getenv(v.name); text != "" {
			if *v.value, err = strconv.Atoi(text); err != nil || *v.value < 1 || *v.value > 100_000 {
				return s, fmt.Errorf("%s=%s is not a number that makes sense", v.name, text)
			}
		}
	}
	return s, nil
}

// dir holds everything that a run leaves behind.
const dir = ".run"

func run(ctx context.Context) error {
	set, err := readSettings()
	if err != nil {
		return err
	}
	if _, err := os.Stat("go.mod"); err != nil {
		return errors.New("start it in the checkout: make run")
	}
	config := stack.Config{
		Root: ".", Dir: dir, Bin: filepath.Join(dir, "bin"), Ports: set.ports, Durable: true, Step: step,
		Idle:  45 * time.Second, // on a laptop the doors sleep too
		Build: func(ctx context.Context) error { return build(ctx, filepath.Join(dir, "bin")) },
	}
	s, err := stack.Start(ctx, config)
	if errors.Is(err, localserver.ErrNotInstalled) {
		fmt.Println(err)
		if err := setup.Install(ctx, os.Stdout, setup.PostgreSQL, setup.RabbitMQ); err != nil {
			return err
		}
		s, err = stack.Start(ctx, config)
	}
	if err != nil {
		return err
	}
	defer func() {
		defer step("stopping")()
		s.Stop()
	}()
	if err := demonstrate(ctx, s, set.foyers); err != nil {
		return fmt.Errorf("demonstration: %w", err)
	}
	present(s)
	select {
	case <-ctx.Done():
		return nil
	case <-s.Done():
		return fmt.Errorf("the runtime ended; its log is %s", filepath.Join(s.Logs, "local.log"))
	}
}

// build compiles the web application, then the programs: one embeds it.
func build(ctx context.Context, bin string) error {
	if err := stack.BuildWeb(ctx, "."); err != nil {
		return err
	}
	return stack.Build(ctx, ".", bin)
}

// demonstrate walks the road once for the life of the data.
func demonstrate(ctx context.Context, s *stack.Stack, foyers int) error {
	done := filepath.Join(dir, "demonstrated")
	if _, err := os.Stat(done); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := s.FirstAdministrator(ctx, demo.Email("administrateur"), demo.Password); err != nil {
		return err
	}
	d := &demo.Demo{Village: village.Village{Seed: 1, N: foyers}, Settled: s.Settle}
	today := message.DateOf(time.Now())
	var lot message.Lot
	for _, walk := range []struct {
		name string
		do   func() error
	}{
		{"logins", func() error { return d.Open(ctx, client.New(s.API, time.Minute)) }},
		{fmt.Sprintf("%s: %d households, %d reading rounds", village.Commune, foyers, len(village.Tournees)), func() error { return d.Histoire(ctx) }},
		{"bills of April to October 2026", func() (err error) {
			if lot, err = d.PreparerLot(ctx); err != nil {
				return err
			}
			if lot, err = d.EmettreLot(ctx, lot.ID); err != nil {
				return err
			}
			return s.Settle(ctx)
		}},
		{"payments", func() error { return d.Payer(ctx, lot.ID) }},
		{"a new subscription", func() error {
			c, err := d.Souscrire(ctx, demo.Nouvelle(today))
			if err != nil {
				return err
			}
			order, err := d.Intervention(ctx, c.Abonne.ID)
			if err != nil {
				return err
			}
			return d.Ouvrir(ctx, order.ID, today, 12)
		}},
		{"a subscriber's portal", func() error { _, err := d.Portail(ctx, "PDL-00002"); return err }},
	} {
		finished := step(walk.name)
		if err := walk.do(); err != nil {
			return fmt.Errorf("%s: %w", walk.name, err)
		}
		finished()
	}
	return os.WriteFile(done, nil, 0o644)
}

// step shows what begins, and its time when it is done.
func step(name string) func() {
	begin := time.Now()
	fmt.Printf("  %-62s", name)
	return func() { fmt.Printf("%7.1f s\n", time.Since(begin).Seconds()) }
}

// present says where everything is.
func present(s *stack.Stack) {
	fmt.Printf(`
  AquaERP      %s
  API          %s/docs
  Mail         %s
  Payments     %s
  Runtime      %s
  PostgreSQL   127.0.0.1:%d, user postgres, password %s
  Logs         %s/

  Log in with the password %s as
`, s.Web, s.API, s.Inbox, s.Payment, s.Admin, s.Postgres.Port(), s.Postgres.Password(localserver.Superuser), s.Logs, demo.Password)
	for _, role := range append(demo.Roles, "abonne") {
		fmt.Printf("    %-16s %s\n", role, demo.Email(role))
	}
	fmt.Println("\n  Ctrl-C stops everything; make reset forgets the data.")
}

// explain adds what to do to an error that the user can mend.
func explain(err error) string {
	if taken := (*stack.TakenError)(nil); errors.As(err, &taken) {
		return fmt.Sprintf("%v: another `make run`? Otherwise choose a free one: AQUAERP_PORT_%s=… make run", err, strings.ToUpper(taken.Name))
	}
	return err.Error()
}
