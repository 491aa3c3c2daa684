package cluster

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
)

// Secret reads a value of a Secret.
func Secret(ctx context.Context, name, key string) (string, error) {
	secret, err := Get[struct{ Data map[string]string }](ctx, "secret", name)
	if err != nil {
		return "", err
	}
	value, err := base64.StdEncoding.DecodeString(secret.Data[key])
	if err == nil && len(value) == 0 {
		err = errors.New("no such key")
	}
	if err != nil {
		return "", fmt.Errorf("secret %s, key %s: %w", name, key, err)
	}
	return string(value), nil
}

// Forward makes a port of a pod or Service of the product reachable as the
// address it returns, until stop.
func Forward(ctx context.Context, target string, port int) (address string, stop func(), err error) {
	return ForwardFrom(ctx, Namespace, target, port)
}

// ForwardFrom is Forward in another namespace.
func ForwardFrom(ctx context.Context, namespace, target string, port int) (address string, stop func(), err error) {
	ctx, cancel := context.WithCancel(ctx)
	name := kubectl()
	cmd := exec.CommandContext(ctx, name[0], append(name[1:], "--namespace", namespace, "port-forward", target, fmt.Sprintf(":%d", port))...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		cancel()
		return "", nil, fmt.Errorf("port-forward: %w", err)
	}
	stop = func() {
		cancel()
		_ = cmd.Wait() // it was told to end
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "Forwarding from 127.0.0.1:"); ok {
			local, _, _ := strings.Cut(rest, " ")
			go func() { // a line for each connection: it would stop at a full pipe
				for lines.Scan() {
				}
			}()
			return "127.0.0.1:" + local, stop, nil
		}
	}
	stop()
	return "", nil, fmt.Errorf("port-forward to %s did not start", target)
}

// Publish sends a structured CloudEvent to RabbitMQ from outside the cluster,
// with eventing/publish under the name of one of the broker's users: relay
// may publish to the exchange of events, deadletter to a queue by its name.
func Publish(ctx context.Context, user, exchange, key, id string, event []byte) error {
	inside, err := Secret(ctx, "rabbitmq-"+user, "amqp")
	if err != nil {
		return err
	}
	address, stop, err := Forward(ctx, "service/rabbitmq", 5672)
	if err != nil {
		return err
	}
	defer stop()
	broker, err := url.Parse(inside)
	if err != nil {
		return errors.New("the broker's URL cannot be read") // which holds a password
	}
	broker.Host = address
	cmd := exec.CommandContext(ctx, "go", "run", "aquaerp.fr/eventing/publish", "-exchange", exchange, "-key", key, "-id", id)
	cmd.Env = append(os.Environ(), "AMQP_URL="+broker.String())
	cmd.Stdin = strings.NewReader(string(event))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}
