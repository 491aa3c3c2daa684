package localserver_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/localserver"
)

// orphan is the variable that turns the test binary into a parent which starts
// a server in the given directory, prints its pid and is killed.
const orphan = "LOCALSERVER_TEST_ORPHAN"

// missing is that parent's exit code on a machine without PostgreSQL.
const missing = 3

func TestMain(m *testing.M) {
	if dir := os.Getenv(orphan); dir != "" {
		s, err := localserver.StartPostgres(context.Background(), localserver.Postgres{Dir: dir})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			if errors.Is(err, localserver.ErrNotInstalled) {
				os.Exit(missing)
			}
			os.Exit(1)
		}
		fmt.Println(s.Pid())
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	os.Exit(m.Run())
}

// started fails the test on a failed start; a machine without the server skips
// it, except in CI.
func started(t *testing.T, s *localserver.Server, err error) *localserver.Server {
	t.Helper()
	if errors.Is(err, localserver.ErrNotInstalled) && os.Getenv("CI") == "" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func query[T any](t *testing.T, s *localserver.Server, sql string, args ...any) T {
	t.Helper()
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, s.URL(localserver.Superuser, "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	var v T
	if err := conn.QueryRow(ctx, sql, args...).Scan(&v); err != nil && !errors.Is(err, pgx.ErrNoRows) {
		t.Fatal(err)
	}
	return v
}

func TestPostgresKeepsDataOverKillAndStop(t *testing.T) {
	for _, fsync := range []bool{true, false} {
		t.Run(fmt.Sprintf("fsync=%v", fsync), func(t *testing.T) { keepsData(t, fsync) })
	}
}

func keepsData(t *testing.T, fsync bool) {
	parent := t.TempDir()
	if err := os.Chmod(parent, 0o700); err != nil { // as /root is, to the user that root's PostgreSQL runs as
		t.Fatal(err)
	}
	dir := filepath.Join(parent, "postgres")
	s, err := localserver.StartPostgres(t.Context(), localserver.Postgres{Dir: dir, Fsync: fsync})
	s = started(t, s, err)

	query[int](t, s, "create table kept (n int); ")
	for n, end := range []func() error{s.Kill, func() error { return s.Stop(t.Context()) }, func() error { return nil }} {
		query[int](t, s, "insert into kept values ($1) returning n", n)
		pid, port := s.Pid(), s.Port()
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if err := s.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s.Pid() == pid || s.Port() != port {
			t.Errorf("restart %d: pid %d became %d, port %d became %d", n, pid, s.Pid(), port, s.Port())
		}
	}
	if got := query[int](t, s, "select count(*)::int from kept"); got != 3 {
		t.Errorf("%d rows kept, want 3", got)
	}
	if got := query[string](t, s, "select current_setting('data_directory')"); got != filepath.Join(dir, "data") {
		t.Errorf("data directory is %s", got)
	}
	if got := query[bool](t, s, "select current_setting('fsync')::bool"); got != fsync {
		t.Errorf("fsync is %v", got)
	}

	if err := s.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	again, err := localserver.StartPostgres(t.Context(), localserver.Postgres{Dir: dir})
	again = started(t, again, err)
	if got := query[int](t, again, "select count(*)::int from kept"); got != 3 {
		t.Errorf("%d rows in a new server on the same directory, want 3", got)
	}
}

func TestPostgresRefusesStrangersAndRoot(t *testing.T) {
	s, err := localserver.StartPostgres(t.Context(), localserver.Postgres{Dir: t.TempDir()})
	s = started(t, s, err)

	u, err := url.Parse(s.URL(localserver.Superuser, "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(localserver.Superuser, s.Password("somebody else"))
	if conn, err := pgx.Connect(t.Context(), u.String()); err == nil {
		conn.Close(t.Context())
		t.Error("a wrong password was accepted")
	}
	if runtime.GOOS == "linux" {
		info, err := os.Stat(fmt.Sprintf("/proc/%d", s.Pid()))
		if err != nil {
			t.Fatal(err)
		}
		if info.Sys().(*syscall.Stat_t).Uid == 0 {
			t.Error("PostgreSQL runs as root")
		}
	}
	if got := query[string](t, s, "select current_setting('listen_addresses')||current_setting('unix_socket_directories')"); got != "127.0.0.1" {
		t.Errorf("listens on %s", got)
	}
}

func TestPostgresDiesWithItsParent(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("no parent-death signal on " + runtime.GOOS)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), orphan+"="+filepath.Join(t.TempDir(), "postgres"))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil && err.(*exec.ExitError).ExitCode() == missing && os.Getenv("CI") == "" {
		t.Skip("no PostgreSQL")
	}
	pid, errPid := strconv.Atoi(strings.TrimSpace(string(out)))
	if errPid != nil {
		t.Fatal(err, errPid)
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		// An orphan may stay a zombie where nobody reaps it.
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		if time.Now().After(deadline) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			t.Fatalf("PostgreSQL %d outlives its parent", pid)
		}
	}
}

func TestStartSaysWhyItFailed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s, err := localserver.StartPostgres(t.Context(), localserver.Postgres{Dir: t.TempDir(), Port: l.Addr().(*net.TCPAddr).Port})
	if errors.Is(err, localserver.ErrNotInstalled) {
		started(t, s, err)
	}
	if err == nil || !strings.Contains(err.Error(), "Address already in use") {
		t.Errorf("on a taken port: %v", err)
	}
}

func TestOneServerPerDirectory(t *testing.T) {
	dir := t.TempDir()
	s, err := localserver.StartPostgres(t.Context(), localserver.Postgres{Dir: dir})
	started(t, s, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := localserver.StartPostgres(ctx, localserver.Postgres{Dir: dir}); err == nil || !strings.Contains(err.Error(), "already running") {
		t.Errorf("a second server: %v", err)
	}
}

func TestRabbitMQRestartsAfterKillAndStop(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "rabbitmq")
	s, err := localserver.StartRabbitMQ(t.Context(), localserver.RabbitMQ{Dir: dir})
	s = started(t, s, err)
	for _, end := range []func() error{s.Kill, func() error { return s.Stop(t.Context()) }} {
		pid := s.Pid()
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if s.Pid() != 0 {
			t.Errorf("pid %d of a server that ended", s.Pid())
		}
		if err := s.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s.Pid() == pid {
			t.Errorf("pid %d again", pid)
		}
	}
}
