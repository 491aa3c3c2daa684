package daemon

import (
	"context"
	"maps"
	"time"

	"github.com/jackc/pgx/v5"
	amqp "github.com/rabbitmq/amqp091-go"

	"aquaerp.fr/eventing/broker"
)

const (
	dialTimeout = 10 * time.Second
	stepTimeout = 30 * time.Second
	hangUpTime  = 2 * time.Second

	// PublishTimeout bounds the broker's part of a Step, and leaves time to
	// mark what it did confirm.
	PublishTimeout = 20 * time.Second
)

// Connect opens both ends of a loop; the returned function closes them. The
// settings are PostgreSQL's, for the session.
func (d *Daemon) Connect(ctx context.Context, settings map[string]string) (*pgx.Conn, *amqp.Connection, func(), error) {
	db, hangUp, err := DialPostgres(ctx, d.DatabaseURL, d.Name, settings)
	if err != nil {
		return nil, nil, nil, err
	}
	conn, err := broker.Dial(ctx, d.AMQPURL, d.Name)
	if err != nil {
		hangUp()
		return nil, nil, nil, err
	}
	return db, conn, func() { broker.Close(conn); hangUp() }, nil
}

// DialPostgres opens one connection that PostgreSQL shows under a name; the
// returned function closes it, without waiting for a server that is gone.
func DialPostgres(ctx context.Context, url, name string, settings map[string]string) (*pgx.Conn, func(), error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, nil, err
	}
	config.ConnectTimeout = dialTimeout
	config.RuntimeParams["application_name"] = name
	maps.Copy(config.RuntimeParams, settings)
	db, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, nil, err
	}
	return db, func() {
		ctx, cancel := context.WithTimeout(context.Background(), hangUpTime)
		defer cancel()
		_ = db.Close(ctx)
	}, nil
}

// Step runs a step of a loop that must end, but not because of a SIGTERM; when
// it takes too long everything begins again.
func Step(ctx context.Context, step func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), stepTimeout)
	defer cancel()
	return step(ctx)
}
