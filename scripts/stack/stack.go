// Package stack runs the whole product on one machine: a private PostgreSQL
// and RabbitMQ, a mailbox that catches all mail, a payment provider that moves
// no money, and the local runtime with the manifests of a cluster. `make run`, the end-to-end tests, the chaos
// drill and the benchmarks all start it, and drive it from outside.
//
// A stack lives in one directory and on loopback ports only; several may run
// at once. Stopped and started again in the same directory, it finds its data.
package stack

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"sigs.k8s.io/yaml"

	"aquaerp.fr/shared/localserver"
)

// Config says how a stack runs.
type Config struct {
	Root    string        // the checkout, whose manifests are run
	Dir     string        // data, logs and secrets
	Bin     string        // of the programs that Build makes
	Ports   Ports         // 0: a free one
	Idle    time.Duration // replaces the manifests' windows before sleep, and min-scale by zero; or 0
	Durable bool          // whether data survives the machine's death, at the price of an fsync for every commit

	// Build makes what is in Bin, while the servers start; or nil, when it is there.
	Build func(context.Context) error
	// Step is told what begins, and what it returns is called when that is done; or nil.
	Step func(name string) (done func())
}

// Stack is a running product.
type Stack struct {
	Web, API, Inbox, Payment, Admin string // addresses, http://127.0.0.1:…
	Postgres, RabbitMQ              *localserver.Server
	Logs                            string // directory

	root, dir, bin              string
	activator                   string // proxy to all functions
	mailbox, prestataire, local *process

	smsToken, smsSecret string // between mailer and the mailbox, which carries text messages too
}

// database is the product's.
const database = "aquaerp"

// Start starts everything, and returns once it can be used. Whatever ctx does
// after that, the stack runs until Stop.
func Start(ctx context.Context, c Config) (*Stack, error) {
	s := &Stack{smsToken: rand.Text(), smsSecret: rand.Text()}
	var err error
	if s.root, err = filepath.Abs(c.Root); err != nil {
		return nil, fmt.Errorf("stack: %w", err)
	}
	if s.dir, err = filepath.Abs(c.Dir); err != nil {
		return nil, fmt.Errorf("stack: %w", err)
	}
	if s.bin, err = filepath.Abs(c.Bin); err != nil {
		return nil, fmt.Errorf("stack: %w", err)
	}
	s.Logs = filepath.Join(s.dir, "logs")
	if err := os.MkdirAll(s.Logs, 0o755); err != nil {
		return nil, fmt.Errorf("stack: %w", err)
	}
	if err := c.Ports.fill(); err != nil {
		return nil, err
	}
	for _, part := range []struct {
		name  string
		start func(context.Context, Config) error
	}{
		{"servers and programs", s.startServers},
		{"migrations and topology", s.prepare},
		{"mailbox, payment provider and runtime", s.startPrograms},
	} {
		done := func() {}
		if c.Step != nil {
			done = c.Step(part.name)
		}
		if err := part.start(ctx, c); err != nil {
			s.Stop()
			return nil, err
		}
		done()
	}
	return s, nil
}

// startServers starts PostgreSQL and RabbitMQ side by side, and builds what
// will use them.
func (s *Stack) startServers(ctx context.Context, c Config) error {
	all, building := errgroup.WithContext(ctx)
	all.Go(func() (err error) {
		s.Postgres, err = localserver.StartPostgres(ctx, localserver.Postgres{
			Dir: filepath.Join(s.dir, "postgres"), Port: c.Ports.Postgres, Fsync: c.Durable})
		return err
	})
	all.Go(func() (err error) {
		s.RabbitMQ, err = localserver.StartRabbitMQ(ctx, localserver.RabbitMQ{
			Dir: filepath.Join(s.dir, "rabbitmq"), Port: c.Ports.RabbitMQ})
		return err
	})
	if c.Build != nil {
		all.Go(func() error { return c.Build(building) })
	}
	return all.Wait()
}

// prepare brings both servers to what this build needs, and writes the secrets.
func (s *Stack) prepare(ctx context.Context, c Config) error {
	roles, err := exec.CommandContext(ctx, filepath.Join(s.bin, "migrate"), "roles").Output()
	if err != nil {
		return fmt.Errorf("stack: migrate roles: %w", err)
	}
	passwords := map[string]string{}
	for role := range strings.FieldsSeq(string(roles)) {
		passwords[role] = s.Postgres.Password(role)
	}
	if err := s.writeSecrets(ctx, c.Ports, passwords); err != nil {
		return err
	}
	var both errgroup.Group
	both.Go(func() error {
		file := filepath.Join(s.dir, "roles.json")
		content, err := json.Marshal(passwords)
		if err != nil {
			return fmt.Errorf("stack: %w", err)
		}
		if err := os.WriteFile(file, content, 0o600); err != nil {
			return fmt.Errorf("stack: %w", err)
		}
		return s.once(ctx, "migrate", "DATABASE_URL="+s.Postgres.URL(localserver.Superuser, database), "", "-passwords", file)
	})
	both.Go(func() error { return s.once(ctx, "declare", "AMQP_URL="+s.amqp(), "") })
	return both.Wait()
}

// once runs a program of ours to its end.
func (s *Stack) once(ctx context.Context, name, variable, stdin string, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, name), args...)
	cmd.Env = append(os.Environ(), variable)
	cmd.Stdin = strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("stack: %s: %w\n%s", name, err, out)
	}
	return nil
}

func (s *Stack) amqp() string { return s.RabbitMQ.URL(localserver.RabbitUser, localserver.RabbitVhost) }

// FirstAdministrator makes the user who makes the others; made before, it stays.
func (s *Stack) FirstAdministrator(ctx context.Context, email, password string) error {
	return s.once(ctx, "auth", "DATABASE_URL="+s.URL("auth"), password+"\n", "premier-administrateur", "-email", email)
}

// URL is the product's database for a role, or for the superuser when role is "".
func (s *Stack) URL(role string) string {
	if role == "" {
		role = localserver.Superuser
	}
	return s.Postgres.URL(role, database)
}

// resource is a Secret or ConfigMap of the file that stands for a cluster's own.
type resource struct {
	APIVersion string            `json:"apiVersion"`
	Kind       string            `json:"kind"`
	Metadata   map[string]string `json:"metadata"`
	Secret     map[string]string `json:"stringData,omitempty"`
	Config     map[string]string `json:"data,omitempty"`
}

// writeSecrets writes what the manifests refer to: the Secrets that a cluster
// has of its own, and the ConfigMaps that kustomize makes of knative/config.
func (s *Stack) writeSecrets(ctx context.Context, ports Ports, passwords map[string]string) error {
	keys, err := s.tokenKeys(ctx)
	if err != nil {
		return err
	}
	shared, err := s.paymentSecret()
	if err != nil {
		return err
	}
	service, err := s.settings("service.env")
	if err != nil {
		return err
	}
	aquaerp, err := s.settings("aquaerp.env")
	if err != nil {
		return err
	}
	aquaerp["portal-url"] = fmt.Sprintf("http://127.0.0.1:%d", ports.Web)
	secret := func(name string, values map[string]string) resource {
		return resource{APIVersion: "v1", Kind: "Secret", Metadata: map[string]string{"name": name, "namespace": "aquaerp"}, Secret: values}
	}
	all := []resource{
		secret("token-keys", keys),
		secret("smtp", map[string]string{"url": fmt.Sprintf("smtp://127.0.0.1:%d", ports.smtp)}),
		secret("paiement-en-ligne", map[string]string{"url": fmt.Sprintf("http://127.0.0.1:%d/payer", ports.Payment), "secrets": shared}),
		secret("sms", map[string]string{"url": fmt.Sprintf("http://127.0.0.1:%d/sms", ports.Inbox), "token": s.smsToken, "secrets": s.smsSecret, "sender": "EAU"}),
		{APIVersion: "v1", Kind: "ConfigMap", Metadata: map[string]string{"name": "aquaerp", "namespace": "aquaerp"}, Config: aquaerp},
		{APIVersion: "v1", Kind: "ConfigMap", Metadata: map[string]string{"name": "service", "namespace": "aquaerp"}, Config: service},
	}
	// Everybody is the same user of this RabbitMQ; in a cluster each has its own.
	rabbit := map[string]string{
		"uri": "http://127.0.0.1", "port": strconv.Itoa(ports.RabbitMQ),
		"username": localserver.RabbitUser, "password": s.RabbitMQ.Password(localserver.RabbitUser), "amqp": s.amqp(),
	}
	for role := range passwords {
		all = append(all, secret("postgres-"+role, map[string]string{"url": s.URL(role)}), secret("rabbitmq-"+role, rabbit))
	}
	var file []byte
	for _, r := range all {
		document, err := yaml.Marshal(r)
		if err != nil {
			return fmt.Errorf("stack: %w", err)
		}
		file = append(append(file, "---\n"...), document...)
	}
	if err := os.WriteFile(s.secrets(), file, 0o600); err != nil {
		return fmt.Errorf("stack: %w", err)
	}
	return nil
}

// settings reads a file of knative/config, as kustomize does: a key and its
// value on a line, taken as they are, and comments on lines of their own.
func (s *Stack) settings(file string) (map[string]string, error) {
	content, err := os.ReadFile(filepath.Join(s.root, "knative/config", file))
	if err != nil {
		return nil, fmt.Errorf("stack: %w", err)
	}
	values := map[string]string{}
	for line := range strings.Lines(string(content)) {
		line = strings.TrimRight(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		key, value, _ := strings.Cut(line, "=")
		values[key] = value
	}
	return values, nil
}

func (s *Stack) secrets() string { return filepath.Join(s.dir, "secrets.yaml") }

// tokenKeys are made once for a directory, so that sessions outlive a restart.
func (s *Stack) tokenKeys(ctx context.Context) (keys map[string]string, err error) {
	file := filepath.Join(s.dir, "token-keys.json")
	content, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		if content, err = exec.CommandContext(ctx, filepath.Join(s.bin, "auth"), "cles").Output(); err == nil {
			err = os.WriteFile(file, content, 0o600)
		}
	}
	if err == nil {
		err = json.Unmarshal(content, &keys)
	}
	if err != nil {
		return nil, fmt.Errorf("stack: token keys: %w", err)
	}
	return keys, nil
}

func (s *Stack) paymentSecretFile() string { return filepath.Join(s.dir, "paiement-secrets") }

// paymentSecret is what the service shares with its payment provider, made once for a directory.
func (s *Stack) paymentSecret() (string, error) {
	content, err := os.ReadFile(s.paymentSecretFile())
	if errors.Is(err, fs.ErrNotExist) {
		content = []byte(rand.Text())
		err = os.WriteFile(s.paymentSecretFile(), content, 0o600)
	}
	if err != nil {
		return "", fmt.Errorf("stack: %w", err)
	}
	return string(content), nil
}

// startPrograms starts the mailbox and the payment provider, then the runtime, and learns its addresses.
func (s *Stack) startPrograms(ctx context.Context, c Config) error {
	at := func(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
	var err error
	if s.mailbox, err = s.start(nil, []string{"SMS_TOKEN=" + s.smsToken, "SMS_SECRET=" + s.smsSecret}, "mailbox", "-smtp", at(c.Ports.smtp), "-http", at(c.Ports.Inbox),
		"-dir", filepath.Join(s.dir, "mails"), "-sms-callback", "http://"+at(c.Ports.API)+"/v1/sms/notifications"); err != nil {
		return err
	}
	s.Inbox = "http://" + at(c.Ports.Inbox)
	if s.prestataire, err = s.start(nil, nil, "prestataire", "-http", at(c.Ports.Payment), "-secrets", s.paymentSecretFile(),
		"-notifier", "http://"+at(c.Ports.API)+"/v1/paiements-en-ligne/notifications"); err != nil {
		return err
	}
	s.Payment = "http://" + at(c.Ports.Payment)

	read, write, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("stack: %w", err)
	}
	defer read.Close()
	args := []string{
		"-manifests", filepath.Join(s.root, "knative/services") + "," + filepath.Join(s.root, "eventing"),
		"-secrets", s.secrets(), "-bin", s.bin, "-logs", s.Logs, "-idle", c.Idle.String(),
		"-admin", at(c.Ports.Admin), "-listen", "frontend=" + at(c.Ports.Web), "-listen", "api-gateway=" + at(c.Ports.API),
	}
	s.local, err = s.start(write, nil, "local", args...)
	write.Close()
	if err != nil {
		return err
	}
	addresses := map[string]*string{"frontend": &s.Web, "api-gateway": &s.API, "admin": &s.Admin, "activator": &s.activator}
	for lines := bufio.NewScanner(read); len(addresses) > 0 && lines.Scan(); {
		name, address, _ := strings.Cut(lines.Text(), " ")
		if into := addresses[name]; into != nil {
			*into = address
			delete(addresses, name)
		}
	}
	if len(addresses) > 0 {
		return fmt.Errorf("stack: the runtime did not start:\n%s", s.tail("local"))
	}
	return nil
}

// Stop ends everything, in the order that loses nothing.
func (s *Stack) Stop() {
	if s.local != nil {
		s.local.stop(40 * time.Second)
	}
	for _, p := range []*process{s.mailbox, s.prestataire} {
		if p != nil {
			p.stop(5 * time.Second)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var both errgroup.Group
	for _, server := range []*localserver.Server{s.RabbitMQ, s.Postgres} {
		if server != nil {
			both.Go(func() error { return server.Stop(ctx) })
		}
	}
	_ = both.Wait() // a server that had to be killed recovers on its next start
}

// Done is closed when the runtime has ended, whoever ended it.
func (s *Stack) Done() <-chan struct{} { return s.local.done }
