package localserver

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Superuser is PostgreSQL's first user; its password is Password(Superuser).
const Superuser = "postgres"

// oldestPostgres is the first major version we run on.
const oldestPostgres = 15

// Postgres says how a private PostgreSQL runs.
type Postgres struct {
	Dir            string // made when missing; reused with its data otherwise
	Port           int    // 0: a free one
	Fsync          bool   // false only for data that may be lost when the machine stops; a kill of the server loses nothing either way
	MaxConnections int    // 0: 200
}

// StartPostgres starts a server, makes its data directory the first time, and
// returns once it answers. ctx bounds the start, not the life of the server.
func StartPostgres(ctx context.Context, c Postgres) (*Server, error) {
	bin, err := postgresBin(ctx)
	if err != nil {
		return nil, err
	}
	own, err := ownerFor(c.Dir, "postgres", "nobody")
	if err != nil {
		return nil, err
	}
	dir, secret, err := prepare(c.Dir, own)
	if err != nil {
		return nil, err
	}
	port, err := portOr(c.Port)
	if err != nil {
		return nil, err
	}
	s := &Server{
		dir: dir, port: port, scheme: "postgres", query: "sslmode=disable",
		secret: secret, owner: own,
		stop: syscall.SIGINT, // "fast": clients are disconnected
		log:  filepath.Join(dir, "postgres.log"),
	}
	s.ready = func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		conn, err := pgx.Connect(ctx, s.URL(Superuser, "postgres"))
		if err != nil {
			return err
		}
		return conn.Close(ctx)
	}
	s.launch = func(ctx context.Context, lock *os.File) (*process, []*process, error) {
		if err := s.initdb(ctx, bin); err != nil {
			return nil, nil, err
		}
		p, err := s.postgres(bin, c, lock)
		return p, nil, err
	}
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// initdb makes the data directory under another name first, so that one left
// half made by a kill is made again.
func (s *Server) initdb(ctx context.Context, bin string) error {
	if _, err := os.Stat(s.data()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	half := s.data() + ".half"
	if err := os.RemoveAll(half); err != nil {
		return fmt.Errorf("localserver: %w", err)
	}
	password := filepath.Join(s.dir, "pwfile")
	if err := os.WriteFile(password, []byte(s.Password(Superuser)+"\n"), 0o600); err != nil {
		return fmt.Errorf("localserver: %w", err)
	}
	defer os.Remove(password)
	if err := s.owner.give(password); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "--pgdata", half,
		"--username", Superuser, "--pwfile", password, "--auth", "scram-sha-256",
		"--encoding", "UTF8", "--locale", "C", "--data-checksums", "--no-sync", "--no-instructions")
	cmd.Dir = "/" // before the child holds the right to search s.dir
	// The death of this thread, not ours, would send the signal: none here.
	cmd.SysProcAttr = s.owner.attributes(0)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("localserver: initdb: %w\n%s", err, out)
	}
	if err := os.Rename(half, s.data()); err != nil {
		return fmt.Errorf("localserver: %w", err)
	}
	return nil
}

func (s *Server) postgres(bin string, c Postgres, lock *os.File) (*process, error) {
	log, err := s.openLog(s.log)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the child has its own
	connections := c.MaxConnections
	if connections == 0 {
		connections = 200
	}
	fsync := "off"
	if c.Fsync {
		fsync = "on"
	}
	cmd := exec.Command(filepath.Join(bin, "postgres"), "-D", s.data())
	for _, setting := range []string{
		"listen_addresses=127.0.0.1",
		"port=" + strconv.Itoa(s.port),
		"unix_socket_directories=",
		"max_connections=" + strconv.Itoa(connections),
		"fsync=" + fsync,
		"synchronous_commit=on", // what was committed survives a kill of the server even without fsync
		"full_page_writes=" + fsync,
		"shared_buffers=128MB",
		"max_wal_size=2GB",
		"jit=off", // compiling costs more than our longest query
		"timezone=UTC",
		"log_timezone=UTC",
		"log_line_prefix=%m [%p] %u@%d ",
		"logging_collector=off",
	} {
		cmd.Args = append(cmd.Args, "-c", setting)
	}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{lock}
	return s.spawn(cmd, s.stop)
}

var versionNumber = regexp.MustCompile(`\) (\d+)`)

// postgresBin is the directory of the newest suitable programs.
func postgresBin(ctx context.Context) (string, error) {
	var dirs []string
	if path, err := exec.LookPath("postgres"); err == nil {
		dirs = append(dirs, filepath.Dir(path))
	}
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin",
		"/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin",
	} {
		found, _ := filepath.Glob(pattern) // the patterns are ours, and well formed
		dirs = append(dirs, found...)
	}
	best, newest := "", 0
	for _, dir := range dirs {
		if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
			continue
		}
		out, err := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version").Output()
		if err != nil {
			continue
		}
		if m := versionNumber.FindStringSubmatch(strings.TrimSpace(string(out))); m != nil {
			if major, _ := strconv.Atoi(m[1]); major > newest {
				best, newest = dir, major
			}
		}
	}
	if newest < oldestPostgres {
		return "", fmt.Errorf("%w: PostgreSQL %d or newer: apt-get install postgresql, or brew install postgresql@17", ErrNotInstalled, oldestPostgres)
	}
	return best, nil
}
