// Command migrate brings PostgreSQL to the state that this build of AquaERP
// needs: database, roles, schemas, rights and every migration, all of them
// compiled in. It may run at any time and as often as one likes; on a cluster
// it is a Job before a rollout.
//
//	DATABASE_URL=postgres://postgres:…@localhost/aquaerp migrate -passwords roles.json
//
// The URL is a superuser's. The file maps a role to its password, as JSON; a
// role that it does not name keeps the one it has. `migrate roles` lists the
// roles.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"aquaerp.fr/scripts/migrate/product"
	"aquaerp.fr/shared/migrate"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	file := flag.String("passwords", "", "JSON `file` of role to password")
	flag.Parse()
	if flag.Arg(0) == "roles" {
		roles, err := migrate.Roles(product.FS)
		for _, role := range roles {
			fmt.Println(role)
		}
		return err
	}
	url := os.Getenv("DATABASE_URL")
	if url == "" {
		return errors.New("migrate: DATABASE_URL is not set")
	}
	passwords := map[string]string{}
	if *file != "" {
		content, err := os.ReadFile(*file)
		if err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
		if err := json.Unmarshal(content, &passwords); err != nil {
			return fmt.Errorf("migrate: %s: %w", *file, err)
		}
	}
	if err := wait(ctx, url); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return migrate.Up(ctx, url, product.FS, migrate.Options{
		Password: func(role string) string { return passwords[role] },
		Log:      slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
}

// wait returns once the server takes connections, or after a minute. It may
// just be starting; and on a cluster, a new pod is let through to it a second
// or so after its own start, and refused before.
func wait(ctx context.Context, url string) error {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return err
	}
	config.Database = "postgres" // the other may not exist yet
	for end := time.Now().Add(time.Minute); ; {
		conn, err := pgx.ConnectConfig(ctx, config)
		if err == nil {
			return conn.Close(ctx)
		}
		var refused *pgconn.PgError // 57P03, cannot_connect_now, aside: by a server that runs, for a reason that stays
		if errors.As(err, &refused) && refused.Code != "57P03" || time.Now().After(end) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(500 * time.Millisecond):
		}
	}
}
