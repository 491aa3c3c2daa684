// Package migrate brings a PostgreSQL server to the state the product needs:
// the database, a schema and a login role per function, the rights of each,
// and the migrations of every schema.
//
// It reads a tree laid out like the product's own:
//
//	functions/<function>/migrations/*.sql   schema and role <function>
//	eventing/migrations/*.sql               schema eventing
//	shared/function/reply.sql               the runtime's table, in every function's schema
//
// Guarantees:
//
//   - Up may run again at any time, and twice at once: a lock on the server
//     makes the second wait, and it then finds nothing to do.
//   - A function's role reads and writes rows in its own schema, may do in
//     schema eventing what the migrations grant to the group [Functions], and
//     is refused everything else; it owns nothing.
//   - A migration file is applied once, in one transaction unless the file
//     says otherwise, with its schema alone in the search path; it gives up
//     rather than queue behind a long transaction and stop the traffic that
//     queues behind it.
package migrate

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

// Functions is the group of all functions' roles: schema eventing grants to it.
const Functions = "functions"

// The roles of the programs that are not functions. The first two work in
// schema eventing; Monitor belongs to nobody who changes anything: it reads the
// server's statistics, and of every schema the view [Indicators] if there is one.
const (
	Relay      = "relay"
	Deadletter = "deadletter"
	Monitor    = "monitor"
)

// Indicators is the view by which a schema shows figures to [Monitor]. The
// owner of a view reads for whoever may read the view, so it shows what it
// says and opens none of the tables below it.
const Indicators = "indicateur"

const (
	eventing = "eventing"

	// versions is goose's table of what was applied, one in each schema.
	versions = "goose_version"

	// lockID is the advisory lock of a migrating server ("aqua" in ASCII).
	lockID = 0x61717561

	// lockTimeout bounds the wait of a migration for a table.
	lockTimeout = 2 * time.Second
)

// Options of Up.
type Options struct {
	// Password of a login role. Where it is nil or returns "", the role keeps
	// the password it has; a new role has none and cannot log in with one.
	Password func(role string) string

	// Log receives a line for each migration applied; nil discards them.
	Log *slog.Logger
}

// Roles are the login roles that Up makes for the tree, sorted.
func Roles(fsys fs.FS) ([]string, error) {
	functions, err := functions(fsys)
	if err != nil {
		return nil, err
	}
	roles := append(functions, Relay, Deadletter, Monitor)
	slices.Sort(roles)
	return roles, nil
}

// functions are those with migrations, sorted.
func functions(fsys fs.FS) ([]string, error) {
	dirs, err := fs.Glob(fsys, "functions/*/migrations")
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	names := make([]string, len(dirs))
	for i, dir := range dirs {
		names[i] = path.Base(path.Dir(dir))
	}
	return names, nil
}

// Up applies everything that is missing. adminURL names a superuser (or a role
// that may create roles and databases) and the product's database, which is
// made when it does not exist.
func Up(ctx context.Context, adminURL string, fsys fs.FS, o Options) error {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Password == nil {
		o.Password = func(string) string { return "" }
	}
	config, err := pgx.ParseConfig(adminURL)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	functions, err := functions(fsys)
	if err != nil {
		return err
	}
	reply, err := fs.ReadFile(fsys, "shared/function/reply.sql")
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}

	// Roles and databases belong to the server, and advisory locks to a database:
	// both are taken where every migration of the server meets.
	server := config.Copy()
	server.Database = "postgres"
	conn, err := pgx.ConnectConfig(ctx, server)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx)) // and so the lock
	if _, err := conn.Exec(ctx, "select pg_advisory_lock($1)", lockID); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if err := createRoles(ctx, conn, functions, o.Password); err != nil {
		return fmt.Errorf("migrate: roles: %w", err)
	}
	if err := createDatabase(ctx, conn, config.Database); err != nil {
		return fmt.Errorf("migrate: database %s: %w", config.Database, err)
	}
	for _, schema := range append([]string{eventing}, functions...) {
		dir := "functions/" + schema + "/migrations"
		if schema == eventing {
			dir = "eventing/migrations"
		}
		if err := upSchema(ctx, config, schema, dir, string(reply), fsys, o.Log); err != nil {
			return fmt.Errorf("migrate: schema %s: %w", schema, err)
		}
	}
	return nil
}

// quoted is an identifier as SQL.
func quoted(name string) string { return pgx.Identifier{name}.Sanitize() }

func createRoles(ctx context.Context, conn *pgx.Conn, functions []string, password func(string) string) error {
	create := func(role, attributes string) error {
		_, err := conn.Exec(ctx, "create role "+quoted(role)+" "+attributes)
		if code(err) == "42710" { // duplicate_object
			return nil
		}
		return err
	}
	if err := create(Functions, "nologin"); err != nil {
		return err
	}
	for _, role := range append([]string{Relay, Deadletter, Monitor}, functions...) {
		if err := create(role, "login"); err != nil {
			return err
		}
		var statements []string
		switch {
		case slices.Contains(functions, role):
			statements = append(statements,
				"grant "+Functions+" to "+quoted(role),
				"alter role "+quoted(role)+" set search_path = "+quoted(role))
		case role == Monitor:
			// Who looks must never be what hurts: few connections, short questions.
			statements = append(statements,
				"grant pg_monitor to "+Monitor,
				"alter role "+Monitor+" connection limit 5",
				"alter role "+Monitor+" set statement_timeout = '5s'")
		default:
			statements = append(statements, "alter role "+role+" set search_path = "+eventing)
		}
		if p := password(role); p != "" {
			// Never the password itself: statements end up in logs.
			statements = append(statements, "alter role "+quoted(role)+" password '"+scramVerifier(p)+"'")
		}
		if err := execAll(ctx, conn, statements); err != nil {
			return fmt.Errorf("%s: %w", role, err)
		}
	}
	return nil
}

func createDatabase(ctx context.Context, conn *pgx.Conn, database string) error {
	_, err := conn.Exec(ctx, "create database "+quoted(database)+" template template0 encoding 'UTF8'")
	if err != nil && code(err) != "42P04" { // duplicate_database
		return err
	}
	return execAll(ctx, conn, []string{
		"revoke all on database " + quoted(database) + " from public",
		"grant connect on database " + quoted(database) + " to " + Functions + ", " + Relay + ", " + Deadletter + ", " + Monitor,
	})
}

// upSchema makes a schema with its rights and applies what its directory adds.
func upSchema(ctx context.Context, config *pgx.ConnConfig, schema, dir, reply string, fsys fs.FS, log *slog.Logger) error {
	config = config.Copy()
	config.RuntimeParams["search_path"] = quoted(schema)
	config.RuntimeParams["lock_timeout"] = fmt.Sprint(lockTimeout.Milliseconds())
	db := stdlib.OpenDB(*config)
	defer db.Close()

	name := quoted(schema)
	statements := []string{
		"create schema if not exists " + name,
		"revoke all on schema public from public",
	}
	if schema == eventing {
		statements = append(statements, fmt.Sprintf("grant usage on schema %s to %s, %s, %s", name, Functions, Relay, Deadletter))
	} else {
		// Default privileges hold for what we, the owner, create from now on.
		statements = append(statements,
			fmt.Sprintf("grant usage on schema %[1]s to %[1]s", name),
			fmt.Sprintf("alter default privileges in schema %[1]s grant select, insert, update, delete on tables to %[1]s", name),
			fmt.Sprintf("alter default privileges in schema %[1]s grant usage on sequences to %[1]s", name),
			reply)
	}
	for _, s := range statements {
		if _, err := db.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	if err := goUp(ctx, db, schema, dir, fsys, log); err != nil {
		return err
	}
	// What only exists, or must not be seen, once the migrations have run.
	statements = []string{fmt.Sprintf(`do $$ begin
		if exists (select from pg_class where oid = to_regclass('%[1]s') and relkind = 'v') then
			grant usage on schema %[2]s to %[3]s;
			grant select on %[1]s to %[3]s;
		end if;
	end $$`, Indicators, name, Monitor)}
	if schema != eventing {
		statements = append(statements, fmt.Sprintf(`do $$ begin
			if to_regclass('%[1]s') is not null then revoke all on %[1]s from %[2]s; end if;
		end $$`, versions, name))
	}
	for _, s := range statements {
		if _, err := db.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

func goUp(ctx context.Context, db *sql.DB, schema, dir string, fsys fs.FS, log *slog.Logger) error {
	files, err := fs.Sub(fsys, dir)
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithTableName(versions), goose.WithDisableGlobalRegistry(true))
	if errors.Is(err, goose.ErrNoMigrations) {
		return nil
	}
	if err != nil {
		return err
	}
	results, err := provider.Up(ctx)
	for _, r := range results {
		log.InfoContext(ctx, "migrated", "schema", schema, "file", path.Base(r.Source.Path), "took", r.Duration)
	}
	return err
}

func execAll(ctx context.Context, conn *pgx.Conn, statements []string) error {
	for _, s := range statements {
		if _, err := conn.Exec(ctx, s); err != nil {
			verb, _, _ := strings.Cut(s, "'") // without a verifier
			return fmt.Errorf("%s: %w", verb, err)
		}
	}
	return nil
}

// code is the SQLSTATE of an error, or "".
func code(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}
