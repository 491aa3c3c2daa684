package migrate_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"aquaerp.fr/shared/localserver"
	"aquaerp.fr/shared/migrate"
)

var server *localserver.Server // nil when PostgreSQL is not installed

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "migrate")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		server, err = localserver.StartPostgres(context.Background(), localserver.Postgres{Dir: dir})
		switch {
		case errors.Is(err, localserver.ErrNotInstalled) && os.Getenv("CI") == "":
			fmt.Fprintln(os.Stderr, "skipping:", err)
			return 0
		case err != nil:
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer server.Stop(context.Background())
		return m.Run()
	}())
}

var databases atomic.Int64

// database is the name of one nobody uses yet.
func database() string { return fmt.Sprintf("migrate_%d", databases.Add(1)) }

// tree is a product of two functions and the real schema eventing.
func tree(t *testing.T) fstest.MapFS {
	t.Helper()
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	read := func(path string) *fstest.MapFile {
		data, err := os.ReadFile("../../" + path)
		if err != nil {
			t.Fatal(err)
		}
		return &fstest.MapFile{Data: data}
	}
	return fstest.MapFS{
		"shared/function/reply.sql":                        read("shared/function/reply.sql"),
		"eventing/migrations/00001_eventing.sql":           read("eventing/migrations/00001_eventing.sql"),
		"functions/contrat/migrations/00001_contrat.sql":   file("-- +goose Up\ncreate table contrat (id bigint generated always as identity, pdl text);\n"),
		"functions/facture/migrations/00001_facture.sql":   file("-- +goose Up\ncreate table facture (id bigserial, numero text);\n"),
		"functions/gateway/main.go":                        file("package main"),
		"functions/facture/migrations/testdata/ignored.md": file("not SQL"),
	}
}

func connect(t *testing.T, user, database string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), server.URL(user, database))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return conn
}

func up(t *testing.T, database string, fsys fstest.MapFS) {
	t.Helper()
	err := migrate.Up(t.Context(), server.URL(localserver.Superuser, database), fsys, migrate.Options{Password: server.Password})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRoles(t *testing.T) {
	got, err := migrate.Roles(tree(t))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"contrat", "deadletter", "facture", "monitor", "relay"}; !slices.Equal(got, want) {
		t.Errorf("roles %v, want %v", got, want)
	}
}

func TestUpTwiceAndAtOnce(t *testing.T) {
	t.Parallel()
	db, fsys := database(), tree(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			err := migrate.Up(t.Context(), server.URL(localserver.Superuser, db), fsys, migrate.Options{Password: server.Password})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()

	fsys = maps.Clone(fsys)
	fsys["functions/contrat/migrations/00002_etat.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nalter table contrat add etat text;\n")}
	up(t, db, fsys)
	up(t, db, fsys)

	conn := connect(t, localserver.Superuser, db)
	for schema, want := range map[string]int{"eventing": 1, "contrat": 2, "facture": 1} {
		var applied int
		err := conn.QueryRow(t.Context(), "select count(*) from "+schema+".goose_version where version_id > 0 and is_applied").Scan(&applied)
		if err != nil {
			t.Fatal(err)
		}
		if applied != want {
			t.Errorf("%s: %d migrations applied, want %d", schema, applied, want)
		}
	}
}

func TestFailedMigrationLeavesNothingOfItself(t *testing.T) {
	t.Parallel()
	db, fsys := database(), tree(t)
	good := fsys["functions/facture/migrations/00001_facture.sql"]
	fsys["functions/facture/migrations/00001_facture.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\ncreate table facture (n int); select 1/0;\n")}
	if err := migrate.Up(t.Context(), server.URL(localserver.Superuser, db), fsys, migrate.Options{Password: server.Password}); err == nil {
		t.Fatal("a migration that divides by zero was applied")
	}
	fsys["functions/facture/migrations/00001_facture.sql"] = good
	up(t, db, fsys)
}

// TestRolesAreRefusedElsewhere tries every verb of every role on every table.
func TestRolesAreRefusedElsewhere(t *testing.T) {
	t.Parallel()
	db := database()
	up(t, db, tree(t))

	tables := map[string][]string{
		"contrat":  {"contrat", "reply", "goose_version"},
		"facture":  {"facture", "reply", "goose_version"},
		"eventing": {"outbox", "inbox", "parking_lot", "goose_version"},
	}
	verbs := []string{
		"select 1 from %s",
		"insert into %s default values",
		"delete from %s",
		"truncate %s",
		"drop table %s",
		"lock table %s in access exclusive mode",
	}
	// What is allowed, as "role verb-index table"; everything else must be refused.
	allowed := map[string]bool{}
	for _, f := range []string{"contrat", "facture"} {
		for verb := range 3 {
			for _, table := range []string{f, "reply"} {
				allowed[fmt.Sprintf("%s %d %s.%s", f, verb, f, table)] = true
			}
		}
		allowed[f+" 1 eventing.outbox"] = true // some columns: TestFunctionInEventing
		allowed[f+" 1 eventing.inbox"] = true
	}
	allowed["relay 0 eventing.outbox"] = true
	for verb := range 3 {
		allowed[fmt.Sprintf("deadletter %d eventing.parking_lot", verb)] = true
	}
	// The right to delete is a right to lock: PostgreSQL's own rule.
	for _, own := range []string{"contrat 5 contrat.contrat", "contrat 5 contrat.reply", "facture 5 facture.facture", "facture 5 facture.reply",
		"deadletter 5 eventing.parking_lot"} {
		allowed[own] = true
	}

	tried := 0
	for _, role := range []string{"contrat", "facture", "relay", "deadletter", "monitor"} {
		conn := connect(t, role, db)
		for schema, names := range tables {
			for _, name := range names {
				for verb, format := range verbs {
					table := schema + "." + name
					tried++
					err := inRollback(t.Context(), conn, fmt.Sprintf(format, table))
					refused := hasCode(err, "42501")
					if want := !allowed[fmt.Sprintf("%s %d %s", role, verb, table)]; refused != want {
						t.Errorf("%s: %s: refused=%v (%v), want %v", role, fmt.Sprintf(format, table), refused, err, want)
					}
				}
			}
		}
		for _, sql := range []string{
			"create table public.mine (n int)",
			"create schema mine",
			"create role mine",
			"create table eventing.mine (n int)",
			"set role postgres",
			"copy (select 1) to program 'true'",
		} {
			tried++
			if err := inRollback(t.Context(), conn, sql); !hasCode(err, "42501") {
				t.Errorf("%s: %s: %v, want a refusal", role, sql, err)
			}
		}
	}
	t.Logf("%d statements tried", tried)
}

// TestFunctionInEventing is all that a function may do there.
func TestFunctionInEventing(t *testing.T) {
	t.Parallel()
	db := database()
	up(t, db, tree(t))
	conn := connect(t, "contrat", db)
	ctx := t.Context()

	const claim = "insert into eventing.inbox (source, id) values ('/functions/facture', 'e1') on conflict do nothing"
	for n, want := range []int64{1, 0} {
		tag, err := conn.Exec(ctx, claim)
		if err != nil {
			t.Fatal(err)
		}
		if tag.RowsAffected() != want {
			t.Errorf("claim %d: %d rows, want %d", n, tag.RowsAffected(), want)
		}
	}
	if _, err := conn.Exec(ctx, "insert into eventing.outbox (id, routing_key, event) values ('0198c0de-0000-7000-8000-000000000001', 'k', '{}')"); err != nil {
		t.Error(err)
	}
	for _, sql := range []string{
		"insert into eventing.inbox (consumer, source, id) values ('facture', 's', 'i')",
		"insert into eventing.outbox (id, routing_key, event, published_at) values ('0198c0de-0000-7000-8000-000000000002', 'k', '{}', now())",
		"select eventing.purge_outbox('0', 1)",
		"select eventing.purge_inbox('0', 1)",
	} {
		if _, err := conn.Exec(ctx, sql); !hasCode(err, "42501") {
			t.Errorf("%s: %v, want a refusal", sql, err)
		}
	}
	var consumer string
	if err := connect(t, localserver.Superuser, db).QueryRow(ctx, "select consumer from eventing.inbox").Scan(&consumer); err != nil {
		t.Fatal(err)
	}
	if consumer != "contrat" {
		t.Errorf("the inbox row is %s's", consumer)
	}
}

// TestMonitor: it reads the server's statistics and what a schema shows in its
// view indicateur, changes nothing, and is refused what the view was made of.
func TestMonitor(t *testing.T) {
	t.Parallel()
	db, fsys := database(), tree(t)
	up(t, db, fsys) // the role first, the view in a later release
	fsys["functions/facture/migrations/00002_indicateur.sql"] = &fstest.MapFile{Data: []byte(
		"-- +goose Up\ncreate view indicateur as select 'factures' as nom, count(*)::float8 as valeur from facture;\n")}
	// A table of that name is data of its function.
	fsys["functions/contrat/migrations/00002_indicateur.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\ncreate table indicateur (n int);\n")}
	up(t, db, fsys)
	if _, err := connect(t, "facture", db).Exec(t.Context(), "insert into facture (numero) values ('F1'), ('F2')"); err != nil {
		t.Fatal(err)
	}
	conn := connect(t, "monitor", db)
	var bills float64
	if err := conn.QueryRow(t.Context(), "select valeur from facture.indicateur where nom = 'factures'").Scan(&bills); err != nil || bills != 2 {
		t.Errorf("the view shows %v bills, %v", bills, err)
	}
	// Another role's statement, which only pg_read_all_stats shows.
	var hidden int
	if err := conn.QueryRow(t.Context(), "select count(*) from pg_stat_activity where query = '<insufficient privilege>'").Scan(&hidden); err != nil || hidden > 0 {
		t.Errorf("%d statements are hidden, %v", hidden, err)
	}
	for _, sql := range []string{"select 1 from facture.facture", "select 1 from contrat.indicateur", "set role facture"} {
		if err := inRollback(t.Context(), conn, sql); !hasCode(err, "42501") {
			t.Errorf("%s: %v, want a refusal", sql, err)
		}
	}
}

// TestPurge keeps what may still be needed.
func TestPurge(t *testing.T) {
	t.Parallel()
	db := database()
	up(t, db, tree(t))
	admin, relay := connect(t, localserver.Superuser, db), connect(t, "relay", db)
	ctx := t.Context()
	if _, err := admin.Exec(ctx, `
		insert into eventing.outbox (id, routing_key, event, created_at, published_at)
		select gen_random_uuid(), k, '{}', now() - age, case when k <> 'waits' then now() end
		from (values ('old', interval '8 days'), ('old', '8 days'), ('old', '8 days'), ('waits', '8 days'), ('young', '6 days')) v(k, age);
		insert into eventing.inbox (source, id, received_at)
		values ('s', 'old', now() - interval '31 days'), ('s', 'parked', now() - interval '31 days'), ('s', 'young', now() - interval '29 days');
		insert into eventing.parking_lot (queue, source, event_id, type, reason, deaths, content, content_type)
		values ('q', 's', 'parked', 't', 'rejected', '[]', '', '')`); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		sql  string
		want int
	}{
		{"select purge_outbox('7 days', 2)", 2},
		{"select purge_outbox('7 days', 2)", 1},
		{"select purge_outbox('7 days', 2)", 0},
		{"select purge_inbox('30 days', 100)", 1},
		{"select purge_inbox('30 days', 100)", 0},
	} {
		var n int
		if err := relay.QueryRow(ctx, step.sql).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if n != step.want {
			t.Errorf("%s: %d rows, want %d", step.sql, n, step.want)
		}
	}
}

// Not parallel: roles belong to the server.
func TestNewPasswordReplacesTheOld(t *testing.T) {
	db, fsys := database(), tree(t)
	password := func(p string) migrate.Options {
		return migrate.Options{Password: func(string) string { return p }}
	}
	admin := server.URL(localserver.Superuser, db)
	for _, p := range []string{"first", "second", server.Password("relay")} {
		if err := migrate.Up(t.Context(), admin, fsys, password(p)); err != nil {
			t.Fatal(err)
		}
		config, err := pgx.ParseConfig(server.URL("relay", db))
		if err != nil {
			t.Fatal(err)
		}
		config.Password = p
		conn, err := pgx.ConnectConfig(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		conn.Close(t.Context())
		config.Password = "not " + p
		if conn, err := pgx.ConnectConfig(t.Context(), config); err == nil {
			conn.Close(t.Context())
			t.Error("another password was accepted")
		}
	}
}

// inRollback runs a statement and undoes it.
func inRollback(ctx context.Context, conn *pgx.Conn, sql string) error {
	tx, err := conn.Begin(ctx)
	if err != nil {
		return err
	}
	defer tx.Rollback(ctx)
	_, err = tx.Exec(ctx, sql)
	return err
}

func hasCode(err error, code string) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == code
}
