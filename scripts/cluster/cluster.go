// Package cluster reaches a running AquaERP on Kubernetes, for the programs
// that operate it: deploy, rollback, the drills, the cluster test.
//
// It speaks to Kubernetes through kubectl, so that whatever it does an operator
// can repeat by hand, and to the product through its public hosts over TLS.
//
// Its settings are the environment:
//
//	KUBECONFIG        the cluster, as for kubectl
//	KUBECTL           the program, when it is not kubectl in PATH
//	KO                ko, when it is not in PATH
//	AQUAERP_DOMAIN    app.<domain> and api.<domain> are public (default aquaerp.localhost)
//	AQUAERP_HTTPS     host:port where their https is reached, when DNS does not say
//	AQUAERP_HTTP      the same for plain http
//	AQUAERP_CA        PEM file of the authority that signed their certificate, when it is a private one
//	AQUAERP_USER      who drills work as: somebody who may do everything (default: the demonstration's administrator)
//	AQUAERP_PASSWORD  their password
package cluster

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Namespace is the product's.
const Namespace = "aquaerp"

// Kubectl runs kubectl in the product's namespace and returns what it prints.
// The error holds what it complains of.
func Kubectl(ctx context.Context, args ...string) (string, error) {
	return KubectlWith(ctx, nil, args...)
}

// KubectlWith is Kubectl with a standard input; nil is none.
func KubectlWith(ctx context.Context, stdin io.Reader, args ...string) (string, error) {
	// Longer than anything kubectl is told to wait for, so that a cluster that went away ends it.
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	name := kubectl()
	cmd := exec.CommandContext(ctx, name[0], append(append(name[1:], "--namespace", Namespace), args...)...)
	cmd.Stdin = stdin
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(complaint.String()))
	}
	return out.String(), nil
}

// kubectl is the program and its first arguments.
func kubectl() []string { return strings.Fields(cmp.Or(os.Getenv("KUBECTL"), "kubectl")) }

// Get reads resources: kubectl get ARGS -o json.
func Get[T any](ctx context.Context, args ...string) (t T, err error) {
	out, err := Kubectl(ctx, append(append([]string{"get"}, args...), "--output", "json")...)
	if err == nil {
		err = json.Unmarshal([]byte(out), &t)
	}
	return t, err
}

// SQL runs a query as the superuser inside PostgreSQL's pod and returns its
// rows, a line each, columns apart by "|".
func SQL(ctx context.Context, query string) (string, error) {
	out, err := KubectlWith(ctx, strings.NewReader(query), "exec", "--stdin", "postgres-0", "--container", "postgres", "--",
		"psql", "-U", "postgres", "-d", "aquaerp", "--no-psqlrc", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1")
	return strings.TrimSpace(out), err
}

// ErrUnreachable says that no cluster answers.
var ErrUnreachable = errors.New("no cluster answers through KUBECONFIG")

// Reachable tells whether the cluster answers.
func Reachable(ctx context.Context) error {
	if _, err := Kubectl(ctx, "version", "--request-timeout=10s"); err != nil {
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return nil
}
