package functiontest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/localserver"
	"aquaerp.fr/shared/migrate"
)

// password of every role in test databases; the server listens on loopback.
const password = "test"

// Main runs the tests of a package and ends the private server they may have
// started.
func Main(m *testing.M) {
	code := m.Run()
	if private != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		_ = private.Stop(ctx)
		_ = os.RemoveAll(private.Dir())
	}
	os.Exit(code)
}

var private *localserver.Server

// server is the URL of a superuser of the test server.
var server = sync.OnceValues(func() (string, error) {
	if u := os.Getenv("AQUAERP_TEST_POSTGRES"); u != "" {
		return u, nil
	}
	dir, err := os.MkdirTemp("", "aquaerp-test-*")
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if private, err = localserver.StartPostgres(ctx, localserver.Postgres{Dir: dir}); err != nil {
		return "", err
	}
	return private.URL(localserver.Superuser, "postgres"), nil
})

// Database is a database of one test.
type Database struct{ url string }

// as is the URL for a role.
func (d Database) as(role string) string { return withUser(d.url, role, password, "") }

// URL is the URL for a role's login, or for the superuser when role is empty.
func (d Database) URL(role string) string {
	if role == "" {
		return d.url
	}
	return d.as(role)
}

// Via is the same database behind another address, such as a proxy's.
func (d Database) Via(address string) Database {
	u, err := url.Parse(d.url)
	if err != nil {
		panic(err)
	}
	u.Host = address
	return Database{u.String()}
}

// Address is the host and port of the database's server.
func (d Database) Address() string {
	u, err := url.Parse(d.url)
	if err != nil {
		panic(err)
	}
	return u.Host
}

func (d Database) pool(t *testing.T, schema string) *pgxpool.Pool {
	t.Helper()
	c, err := pgxpool.ParseConfig(d.url)
	if err != nil {
		t.Fatal(err)
	}
	c.MaxConns = 4
	c.ConnConfig.RuntimeParams["search_path"] = schema
	p, err := pgxpool.NewWithConfig(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// NewDatabase clones the migrated template for a test and drops the clone at
// its end.
func NewDatabase(t *testing.T) Database {
	t.Helper()
	admin, err := server()
	if errors.Is(err, localserver.ErrNotInstalled) && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	source, err := template()
	if err != nil {
		t.Fatal(err)
	}
	name := "t_" + strings.ReplaceAll(function.NewID(), "-", "")
	run(t, admin, fmt.Sprintf("create database %s template %s", name, source))
	t.Cleanup(func() { run(t, admin, fmt.Sprintf("drop database %s with (force)", name)) })
	return Database{withUser(admin, "", "", name)}
}

func run(t *testing.T, url, sql string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// template is the name of a database with every migration applied, made once
// for each set of migrations and server.
var template = sync.OnceValues(func() (string, error) {
	admin, err := server()
	if err != nil {
		return "", err
	}
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	sum, err := digest(os.DirFS(root))
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, admin)
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	// Packages run at once and share the server's roles and templates.
	if _, err := conn.Exec(ctx, "select pg_advisory_lock(hashtext('aquaerp test template'))"); err != nil {
		return "", err
	}
	name, half := "template_"+sum, "half_"+sum
	var done bool
	if err := conn.QueryRow(ctx, "select exists (select from pg_database where datname = $1)", name).Scan(&done); err != nil || done {
		return name, err
	}
	for _, sql := range []string{"drop database if exists " + half + " with (force)", "create database " + half} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return "", err
		}
	}
	o := migrate.Options{Password: func(string) string { return password }}
	if err := migrate.Up(ctx, withUser(admin, "", "", half), os.DirFS(root), o); err != nil {
		return "", err
	}
	_, err = conn.Exec(ctx, "alter database "+half+" rename to "+name)
	return name, err
})

// digest names a set of migrations.
func digest(root fs.FS) (string, error) {
	h := sha256.New()
	for _, pattern := range []string{"functions/*/migrations/*.sql", "eventing/migrations/*.sql", "shared/migrate/*", "shared/function/*.sql"} {
		files, err := fs.Glob(root, pattern)
		if err != nil {
			return "", err
		}
		for _, name := range files {
			content, err := fs.ReadFile(root, name)
			if err != nil {
				return "", err
			}
			_, _ = io.WriteString(h, name+"\n")
			_, _ = h.Write(content)
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:6]), nil
}

func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("functiontest: no go.mod above the test")
		}
		dir = parent
	}
	return "", err
}
