// Command mailbox is the mail server of a demonstration: it takes every mail
// by SMTP, keeps it as a file and shows it in a web page. Nothing ever leaves
// the machine.
//
//	mailbox -smtp 127.0.0.1:2525 -http 127.0.0.1:8025 -dir .run/mails
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
	"syscall"
	"time"

	"aquaerp.fr/scripts/mailbox/inbox"
)

func main() {
	smtp := flag.String("smtp", "127.0.0.1:2525", "address that takes mail")
	web := flag.String("http", "127.0.0.1:8025", "address that shows it")
	dir := flag.String("dir", "mails", "directory that keeps it")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx, *smtp, *web, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "mailbox:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, smtpAddr, webAddr, dir string) error {
	box, err := inbox.Open(dir)
	if err != nil {
		return err
	}
	smtpListener, err := net.Listen("tcp", smtpAddr)
	if err != nil {
		return err
	}
	webListener, err := net.Listen("tcp", webAddr)
	if err != nil {
		return err
	}
	taker := box.SMTP()
	shower := &http.Server{Handler: box.Web(), ReadHeaderTimeout: 5 * time.Second}
	failed := make(chan error, 2)
	go func() { failed <- taker.Serve(smtpListener) }()
	go func() { failed <- shower.Serve(webListener) }()
	fmt.Printf("mailbox: SMTP on %s, inbox on http://%s\n", smtpListener.Addr(), webListener.Addr())
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return errors.Join(err, taker.Shutdown(grace), shower.Shutdown(grace))
}
