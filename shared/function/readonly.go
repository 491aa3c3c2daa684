package function

import (
	"context"
	"errors"
	"os/signal"
	"syscall"

	"github.com/jackc/pgx/v5"
)

// ReadOnly runs what a person asks of a function on the command line, in one
// read-only transaction of the function's own role and configuration, however
// long it takes. The process ends with it: with status 1 and the error, if any.
func ReadOnly(name string, do func(ctx context.Context, tx pgx.Tx) error) {
	exit(name, readOnly(name, do))
}

func readOnly(name string, do func(ctx context.Context, tx pgx.Tx) error) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	rt := &Runtime{Name: name}
	if err := readEnvironment(&rt.config); err != nil {
		return err
	}
	if rt.config.DatabaseURL == "" {
		return errors.New("configuration: DATABASE_URL is missing")
	}
	rt.config.StatementTimeout = 0
	pool, err := rt.newPool()
	if err != nil {
		return err
	}
	defer pool.Close()
	return pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error { return do(ctx, tx) })
}
