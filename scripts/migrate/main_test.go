package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"aquaerp.fr/shared/localserver"
)

// A server that starts after us is waited for; one that refuses us is not.
func TestWait(t *testing.T) {
	t.Parallel()
	waited := make(chan error, 1)
	server, err := localserver.StartPostgres(t.Context(), localserver.Postgres{Dir: t.TempDir()})
	if errors.Is(err, localserver.ErrNotInstalled) && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	url := server.URL(localserver.Superuser, "none_yet")
	if err := server.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	go func() { waited <- wait(t.Context(), url) }()
	select {
	case err := <-waited:
		t.Fatalf("it did not wait: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	if err := server.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop(context.Background()) })
	if err := <-waited; err != nil {
		t.Error(err)
	}

	var refused *pgconn.PgError
	if err := wait(t.Context(), strings.Replace(url, server.Password(localserver.Superuser), "wrong", 1)); !errors.As(err, &refused) {
		t.Errorf("with another's password: %v", err)
	}
}
