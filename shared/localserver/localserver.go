// Package localserver runs private PostgreSQL and RabbitMQ servers from the
// system's own packages: for the product on one machine, for tests, for chaos
// drills.
//
// A server lives in one directory and on loopback ports only. It shares
// nothing with an instance of the system: not its data, configuration, users,
// log, node name, Erlang port mapper or sockets. Every user's password is
// derived from a random secret kept in the directory, so that it survives a
// restart and is never the same on two machines.
//
// A server may be stopped, killed with SIGKILL and restarted on the same data
// and port as often as a test likes. It ends with the process that started
// it: on Linux even when that process is killed, elsewhere only through Stop.
//
// PostgreSQL refuses to be root. When we are, it runs as postgres (or nobody),
// and is given the search permission it lacks on the way to its directory.
package localserver

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

// ErrNotInstalled is wrapped by the error of a start for which no suitable
// server was found; the message says what to install.
var ErrNotInstalled = errors.New("localserver: not installed")

// Server is a running, stopped or killed server. Its methods may be called
// from several goroutines, but Stop, Kill and Restart act in turn.
type Server struct {
	dir    string
	port   int
	scheme string // of its URLs
	query  string // of its URLs
	secret []byte
	owner  owner

	launch func(ctx context.Context, lock *os.File) (main *process, helpers []*process, err error)
	ready  func(ctx context.Context) error
	stop   syscall.Signal // asks for a clean stop that does not wait for clients
	log    string         // path of the log quoted in errors

	mu      sync.Mutex
	main    *process
	helpers []*process // end after main
}

// Port is the server's port on 127.0.0.1; it does not change on a restart.
func (s *Server) Port() int { return s.port }

// Dir is the directory that holds everything of the server.
func (s *Server) Dir() string { return s.dir }

// Password is the password of a user of this server, the same for the life of
// its directory. Whoever creates the user gives it this password.
func (s *Server) Password(user string) string {
	mac := hmac.New(sha256.New, s.secret)
	mac.Write([]byte(user))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// URL is what a client connects to: database is the PostgreSQL database or the
// RabbitMQ virtual host.
func (s *Server) URL(user, database string) string {
	u := url.URL{
		Scheme:   s.scheme,
		User:     url.UserPassword(user, s.Password(user)),
		Host:     s.address(),
		Path:     "/" + database,
		RawQuery: s.query,
	}
	return u.String()
}

// Pid is the server's process, 0 when it is not running.
func (s *Server) Pid() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.main == nil || s.main.ended() {
		return 0
	}
	return s.main.pid
}

// Stop ends the server cleanly, without waiting for its clients, and kills it
// when ctx ends first. Stopping a stopped server does nothing.
func (s *Server) Stop(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end(ctx, s.stop)
}

// Kill ends the server with SIGKILL, as a power cut that spares the disk.
func (s *Server) Kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end(context.Background(), syscall.SIGKILL)
}

// Restart starts the server again on its data and port, and returns once it
// answers. It stops it first when it is running.
func (s *Server) Restart(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.end(ctx, s.stop); err != nil {
		return err
	}
	return s.start(ctx)
}

func (s *Server) address() string { return fmt.Sprintf("127.0.0.1:%d", s.port) }

// errEnded is a server that ended before it answered.
var errEnded = errors.New("ended while starting")

// start tries twice: a port that was free when it was chosen may be taken by
// the time the server listens there.
func (s *Server) start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	err := s.startOnce(ctx)
	if errors.Is(err, errEnded) {
		err = s.startOnce(ctx)
	}
	return err
}

func (s *Server) startOnce(ctx context.Context) error {
	lock, err := s.lock(ctx)
	if err != nil {
		return err
	}
	defer lock.Close() // the server has its own
	logged := fileSize(s.log)
	s.main, s.helpers, err = s.launch(ctx, lock)
	if err != nil {
		return errors.Join(err, s.end(ctx, syscall.SIGKILL))
	}
	for {
		if err = s.ready(ctx); err == nil {
			return nil
		}
		switch {
		case s.main.ended():
			err = fmt.Errorf("localserver: %s %w:\n%s", s.scheme, errEnded, tail(s.log, logged))
		case pause(ctx, 50*time.Millisecond) != nil:
			err = fmt.Errorf("localserver: %s does not answer on %s: %w\n%s", s.scheme, s.address(), err, tail(s.log, logged))
		default:
			continue
		}
		return errors.Join(err, s.end(context.WithoutCancel(ctx), syscall.SIGKILL))
	}
}

// settle is how long the last server of a directory may take to end: one whose
// parent was killed is still stopping, and PostgreSQL's backends notice a
// killed parent in their own time.
const settle = 30 * time.Second

// lock waits until no process of a server holds the directory. The lock is
// handed to the server, and is free when the last of its processes has ended,
// however it ended.
func (s *Server) lock(ctx context.Context) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(s.dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("localserver: %w", err)
	}
	for deadline := time.Now().Add(settle); ; {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return f, nil
		}
		if time.Now().After(deadline) || pause(ctx, 50*time.Millisecond) != nil {
			f.Close()
			return nil, fmt.Errorf("localserver: a server is already running in %s: %w", s.dir, err)
		}
	}
}

// end sends sig and waits; it falls back to SIGKILL when ctx ends.
func (s *Server) end(ctx context.Context, sig syscall.Signal) error {
	all := s.helpers
	if s.main != nil {
		all = append([]*process{s.main}, all...)
	}
	var errs error
	for _, p := range all {
		errs = errors.Join(errs, p.end(ctx, sig))
		sig = syscall.SIGKILL // a helper has nothing to save
	}
	s.main, s.helpers = nil, nil
	return errs
}

// process is a child of ours.
type process struct {
	pid  int
	done chan struct{} // closed once it has been waited for
}

// spawn starts a child in a process group of its own, so that Ctrl-C in a
// terminal reaches us alone and we choose the order in which things end.
//
// Linux sends the parent-death signal when the *thread* that started the child
// ends, so that a thread stays with the child for its whole life.
func (s *Server) spawn(cmd *exec.Cmd, onParentDeath syscall.Signal) (*process, error) {
	cmd.Dir = "/" // entered before the child holds the right to search s.dir
	cmd.SysProcAttr = s.owner.attributes(onParentDeath)
	p := &process{done: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		if err == nil {
			p.pid = cmd.Process.Pid
		}
		started <- err
		if err != nil {
			return
		}
		_ = cmd.Wait() // how a server ended is in its log
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("localserver: %w", err)
	}
	return p, nil
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

func (p *process) end(ctx context.Context, sig syscall.Signal) error {
	if p.ended() {
		return nil
	}
	if err := syscall.Kill(p.pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("localserver: kill %d: %w", p.pid, err)
	}
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
		_ = syscall.Kill(p.pid, syscall.SIGKILL)
		<-p.done
		return fmt.Errorf("localserver: process %d had to be killed: %w", p.pid, ctx.Err())
	}
}

// prepare makes the directory, gives it to the server's user and reads or
// writes the secret its passwords derive from.
func prepare(dir string, own owner) (abs string, secret []byte, err error) {
	if abs, err = filepath.Abs(dir); err != nil {
		return "", nil, fmt.Errorf("localserver: %w", err)
	}
	if err := os.MkdirAll(abs, 0o700); err != nil {
		return "", nil, fmt.Errorf("localserver: %w", err)
	}
	if err := own.give(abs); err != nil {
		return "", nil, err
	}
	path := filepath.Join(abs, "secret")
	secret, err = os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		secret = make([]byte, 32)
		_, _ = rand.Read(secret) // never fails
		err = os.WriteFile(path, secret, 0o600)
	}
	if err != nil {
		return "", nil, fmt.Errorf("localserver: %w", err)
	}
	return abs, secret, nil
}

// openLog opens a log of the server for appending, as its user must find it.
func (s *Server) openLog(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("localserver: %w", err)
	}
	if err := s.owner.give(path); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// freePort asks the system for a loopback port nobody listens on.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("localserver: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// portOr returns port, or a free one for 0.
func portOr(port int) (int, error) {
	if port != 0 {
		return port, nil
	}
	return freePort()
}

// find returns the last file that matches the first pattern with a match, or
// else the program in PATH, or "".
func find(program string, patterns ...string) string {
	for _, pattern := range patterns {
		found, _ := filepath.Glob(pattern) // the patterns are ours, and well formed
		if len(found) > 0 {
			return found[len(found)-1]
		}
	}
	path, _ := exec.LookPath(program)
	return path
}

func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// tail returns what was appended to a log after offset, its last lines only.
func tail(path string, offset int64) string {
	const most = 4096
	data, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	data = data[min(offset, int64(len(data))):]
	return strings.TrimSpace(string(data[max(0, len(data)-most):]))
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
