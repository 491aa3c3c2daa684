// Command prestataire is the payment provider of a demonstration: payers are
// sent to its page, which takes test cards and test telephones only, and it
// tells the service what became of it, as a real one does: signed, in its own
// time, and again until it is heard. No money moves.
//
//	prestataire -http 127.0.0.1:8030 -notifier http://127.0.0.1:3000/v1/paiements-en-ligne/notifications -secrets .run/paiement-secrets
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"aquaerp.fr/scripts/prestataire/terminal"
)

func main() {
	web := flag.String("http", "127.0.0.1:8030", "address that payers are sent to")
	notify := flag.String("notifier", "", "`URL` that is told of payments")
	secrets := flag.String("secrets", "", "`file` of the secrets shared with the service, separated by commas: the first signs, all verify")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx, *web, *notify, *secrets); err != nil {
		fmt.Fprintln(os.Stderr, "prestataire:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, address, notify, file string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	t := terminal.New(terminal.Config{Secrets: strings.Split(strings.TrimSpace(string(content)), ","), Notify: notify, Slow: 5 * time.Second, Wait: terminal.Backoff})
	server := &http.Server{Handler: t.Web(), ReadHeaderTimeout: 5 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	fmt.Printf("prestataire: page on http://%s, notifications to %s\n", listener.Addr(), notify)
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err = errors.Join(err, server.Shutdown(grace))
	t.Close()
	return err
}
