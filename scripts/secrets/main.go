// Command secrets makes the Secrets that AquaERP needs on a cluster.
//
// It reads those that are there and adds what is missing: run again, it does
// nothing; run after a function was added, it makes the function's. Passwords
// are 192 random bits. It prints names, never values, unless asked for YAML.
//
// One password is one Secret; what repeats it (the list of roles for migrate,
// the users of RabbitMQ's definitions) is derived, and follows. So a password
// is replaced by deleting its Secret, running this program, and deploying:
// migrate gives PostgreSQL the new one; RabbitMQ reads its definitions when it
// starts. Only the superuser's lives in the server alone: change it there first.
//
// Whoever keeps Secrets in git, sealed, takes the YAML instead:
//
//	go run ./scripts/secrets -stdout -smtp smtps://… | sops --encrypt … > secrets.enc.yaml
//	sops --decrypt secrets.enc.yaml | go run ./scripts/secrets -stdout -have - | sops --encrypt … > new.enc.yaml
package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"aquaerp.fr/scripts/cluster"
)

const usage = `usage: secrets [-smtp URL] [-paiement URL] [-stdout [-have FILE]]

Makes the Secrets that are missing in the namespace ` + cluster.Namespace + `; names are printed, values never.
SMS_URL, SMS_TOKEN, SMS_SENDER and SMS_SECRETS of the environment name the provider of text messages, where there is one.`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "secrets:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	smtp := flag.String("smtp", "", "`URL` of the mail server: smtp://, starttls:// or smtps://user:password@host; also SMTP_URL, which other users of the machine do not see")
	paiement := flag.String("paiement", "", "`URL` of the payment provider's page, where there is one; also PAIEMENT_URL. The secrets shared with it are PAIEMENT_SECRETS, separated by commas: the first signs, all verify; without them one is made")
	stdout := flag.Bool("stdout", false, "write all Secrets to standard output as YAML, values included; no cluster is asked")
	have := flag.String("have", "", "with -stdout, YAML `file` of those that exist, - for standard input")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), usage)
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() > 0 || *have != "" && !*stdout {
		flag.Usage()
		return errors.New("arguments that mean nothing")
	}
	g := given{smtp: cmp.Or(*smtp, os.Getenv("SMTP_URL")), paiement: cmp.Or(*paiement, os.Getenv("PAIEMENT_URL")), secrets: os.Getenv("PAIEMENT_SECRETS"), sms: carrier()}
	if *stdout {
		known, err := readFile(*have)
		if err != nil {
			return err
		}
		all, err := generate(known, g)
		if err != nil {
			return err
		}
		_, err = os.Stdout.Write(manifest(all))
		return err
	}
	return apply(ctx, g)
}

// carrier is the provider of text messages, as the environment names it.
func carrier() map[string]string {
	return map[string]string{"url": os.Getenv("SMS_URL"), "token": os.Getenv("SMS_TOKEN"), "sender": os.Getenv("SMS_SENDER"), "secrets": os.Getenv("SMS_SECRETS")}
}

func readFile(name string) (values, error) {
	switch name {
	case "":
		return values{}, nil
	case "-":
		content, err := io.ReadAll(os.Stdin)
		if err != nil {
			return nil, err
		}
		return parse(content)
	}
	content, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return parse(content)
}

// apply makes the cluster's Secrets whole.
func apply(ctx context.Context, g given) error {
	out, err := cluster.Kubectl(ctx, "get", "secrets", "--output", "yaml")
	if err != nil {
		return err
	}
	known, err := parse([]byte(out))
	if err != nil {
		return err
	}
	all, err := generate(known, g)
	if err != nil {
		return err
	}
	missing := slices.DeleteFunc(slices.Clone(all), func(s secret) bool { return maps.Equal(s.values, known[s.name]) })
	if len(missing) == 0 {
		fmt.Printf("all %d Secrets are there\n", len(all))
		return nil
	}
	if _, err := cluster.Kubectl(ctx, "get", "namespace", cluster.Namespace, "--output", "name"); err != nil {
		if _, err := cluster.Kubectl(ctx, "create", "namespace", cluster.Namespace); err != nil {
			return err
		}
		fmt.Println("namespace", cluster.Namespace, "made")
	}
	// Server-side: the client's way would keep a second copy of every value in an annotation.
	if _, err := cluster.KubectlWith(ctx, bytes.NewReader(manifest(missing)), "apply", "--server-side", "--field-manager", manager, "--filename", "-"); err != nil {
		return err
	}
	for _, s := range missing {
		what := "made"
		if known[s.name] != nil {
			what = "completed"
		}
		fmt.Println(s.name, what+":", strings.Join(slices.Sorted(maps.Keys(s.values)), ", "))
	}
	return nil
}
