// Command mailbox is the mail server of a demonstration: it takes every mail
// by SMTP, keeps it as a file and shows it in a web page. Nothing ever leaves
// the machine. With SMS_TOKEN it is also the provider of text messages: it
// takes them at /sms of the address that shows the box, and tells -sms-callback,
// signed with SMS_SECRET, what became of them.
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
	callback := flag.String("sms-callback", "", "`URL` that is told what became of text messages")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := run(ctx, *smtp, *web, *dir, *callback); err != nil {
		fmt.Fprintln(os.Stderr, "mailbox:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, smtpAddr, webAddr, dir, callback string) error {
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
	pages := http.NewServeMux()
	pages.Handle("/", box.Web())
	if token := os.Getenv("SMS_TOKEN"); token != "" {
		pages.Handle("POST /sms", &inbox.SMS{Box: box, Token: token, Callback: callback, Secret: os.Getenv("SMS_SECRET")})
	}
	shower := &http.Server{Handler: pages, ReadHeaderTimeout: 5 * time.Second}
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
