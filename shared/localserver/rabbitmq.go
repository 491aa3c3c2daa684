package localserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// The one user and the one virtual host of a private RabbitMQ.
const (
	RabbitUser  = "aquaerp"
	RabbitVhost = "aquaerp"
)

// RabbitMQ says how a private RabbitMQ runs.
type RabbitMQ struct {
	Dir  string // made when missing; reused with its queues otherwise
	Port int    // of AMQP 0-9-1; 0: a free one

	// Definitions, as RabbitMQ exports them, are loaded at every start; they
	// then stand in place of the one user and the one virtual host.
	Definitions string
}

// StartRabbitMQ starts a single broker without plugins, with the user
// RabbitUser on the virtual host RabbitVhost, and returns once it speaks AMQP.
// ctx bounds the start, not the life of the broker.
func StartRabbitMQ(ctx context.Context, c RabbitMQ) (*Server, error) {
	// Debian's program in PATH is a wrapper that insists on the system's instance.
	server := find("rabbitmq-server", "/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server",
		"/opt/homebrew/opt/rabbitmq/sbin/rabbitmq-server", "/usr/local/opt/rabbitmq/sbin/rabbitmq-server")
	epmd := find("epmd", "/usr/lib/erlang/bin/epmd",
		"/opt/homebrew/opt/erlang/lib/erlang/bin/epmd", "/opt/homebrew/opt/erlang/lib/erlang/erts-*/bin/epmd",
		"/usr/local/opt/erlang/lib/erlang/bin/epmd", "/usr/local/opt/erlang/lib/erlang/erts-*/bin/epmd")
	if server == "" || epmd == "" {
		return nil, fmt.Errorf("%w: RabbitMQ 3.10 or newer: apt-get install rabbitmq-server, or brew install rabbitmq", ErrNotInstalled)
	}
	dir, secret, err := prepare(c.Dir, owner{})
	if err != nil {
		return nil, err
	}
	port, err := portOr(c.Port)
	if err != nil {
		return nil, err
	}
	s := &Server{
		dir: dir, port: port, scheme: "amqp",
		secret: secret,
		stop:   syscall.SIGTERM,
		log:    filepath.Join(dir, "rabbitmq.log"),
	}
	s.ready = s.speaksAMQP
	s.launch = func(_ context.Context, lock *os.File) (*process, []*process, error) {
		return s.rabbitmq(server, epmd, c.Definitions, lock)
	}
	if err := s.start(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// rabbitmq starts the broker and its own Erlang port mapper, without which it
// would start, or register with, the machine's.
func (s *Server) rabbitmq(server, epmd, definitions string, lock *os.File) (*process, []*process, error) {
	env, err := s.rabbitFiles(definitions)
	if err != nil {
		return nil, nil, err
	}
	mapper, err := freePort()
	if err != nil {
		return nil, nil, err
	}
	distribution, err := freePort()
	if err != nil {
		return nil, nil, err
	}
	out, err := s.openLog(filepath.Join(s.dir, "console.log"))
	if err != nil {
		return nil, nil, err
	}
	defer out.Close() // the children have their own

	cmd := exec.Command(epmd, "-port", strconv.Itoa(mapper), "-address", "127.0.0.1")
	cmd.Stdout, cmd.Stderr = out, out
	helper, err := s.spawn(cmd, syscall.SIGKILL)
	if err != nil {
		return nil, nil, err
	}

	cmd = exec.Command(server)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.Env = append(os.Environ(), env...)
	cmd.Env = append(cmd.Env,
		"ERL_EPMD_PORT="+strconv.Itoa(mapper),
		"ERL_EPMD_ADDRESS=127.0.0.1",
		"RABBITMQ_DIST_PORT="+strconv.Itoa(distribution),
		"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1}",
	)
	cmd.ExtraFiles = []*os.File{lock}
	main, err := s.spawn(cmd, s.stop)
	return main, []*process{helper}, err
}

// rabbitFiles writes the configuration and returns the environment that keeps
// the start script away from the system's.
func (s *Server) rabbitFiles(definitions string) ([]string, error) {
	// The default user is made with an empty data directory only.
	conf := fmt.Sprintf(`listeners.tcp.1 = %s
default_vhost = %s
default_user = %s
default_pass = %s
default_user_tags.administrator = true
default_permissions.configure = .*
default_permissions.read = .*
default_permissions.write = .*
log.console = false
log.file.level = info
disk_free_limit.absolute = 64MB
`, s.address(), RabbitVhost, RabbitUser, s.Password(RabbitUser))

	path := func(name string) string { return filepath.Join(s.dir, name) }
	if definitions != "" {
		conf += "load_definitions = " + path("definitions.json") + "\n" // and no default user is made
	}
	for name, content := range map[string]string{
		"rabbitmq.conf":     conf,
		"definitions.json":  definitions,
		"rabbitmq-env.conf": "",
		"enabled_plugins":   "[].\n",
	} {
		if err := os.WriteFile(path(name), []byte(content), 0o600); err != nil {
			return nil, fmt.Errorf("localserver: %w", err)
		}
	}
	return []string{
		"HOME=" + s.dir, // of the Erlang cookie
		"detached=1",    // the script becomes the broker instead of waiting for it: its pid is ours
		"RABBITMQ_NODENAME=aquaerp@localhost",
		"RABBITMQ_CONF_ENV_FILE=" + path("rabbitmq-env.conf"),
		"RABBITMQ_CONFIG_FILE=" + path("rabbitmq.conf"),
		"RABBITMQ_ADVANCED_CONFIG_FILE=" + path("advanced.config"),
		"RABBITMQ_ENABLED_PLUGINS_FILE=" + path("enabled_plugins"),
		"RABBITMQ_MNESIA_BASE=" + path("data"),
		"RABBITMQ_MNESIA_DIR=" + path("data/node"),
		"RABBITMQ_FEATURE_FLAGS_FILE=" + path("data/feature_flags"),
		"RABBITMQ_GENERATED_CONFIG_DIR=" + path("data/config"),
		"RABBITMQ_PLUGINS_EXPAND_DIR=" + path("data/plugins"),
		"RABBITMQ_PID_FILE=" + path("data/pid"),
		"RABBITMQ_LOG_BASE=" + s.dir,
		"RABBITMQ_LOGS=" + s.log,
		"ERL_CRASH_DUMP=" + path("erl_crash.dump"),
		"RABBITMQ_UPGRADE_LOG=" + path("upgrade.log"),
	}, nil
}

// speaksAMQP sends a protocol header and expects connection.start: a method
// frame on channel 0. The broker listens only once its default user exists.
func (s *Server) speaksAMQP(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.address())
	if err != nil {
		return err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return err
	}
	if _, err := conn.Write([]byte("AMQP\x00\x00\x09\x01")); err != nil {
		return err
	}
	var frame [3]byte
	if _, err := io.ReadFull(conn, frame[:]); err != nil {
		return err
	}
	if !bytes.Equal(frame[:], []byte{1, 0, 0}) {
		return errors.New("not an AMQP 0-9-1 broker")
	}
	return nil
}
