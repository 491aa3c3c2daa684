package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// commands are what an operator runs; none of them serves.
var commands = map[string]func(args []string, in io.Reader, out io.Writer) error{
	"cles":                   keys,
	"premier-administrateur": firstAdministrator,
}

func runCommand(name string, args []string) int {
	if err := commands[name](args, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "auth %s: %v\n", name, err)
		return 1
	}
	return 0
}

// keys prints a new key pair as {"private": JWK, "public": JWKS}: the values
// of the Secret token-keys, each as a JSON text.
func keys(_ []string, _ io.Reader, out io.Writer) error {
	private, public, err := function.NewTokenKeys()
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(map[string]string{"private": private, "public": public})
}

// firstAdministrator makes the user who makes the others. It is refused when
// there is an administrator already, unless it is this one.
func firstAdministrator(args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("premier-administrateur", flag.ContinueOnError)
	email := flags.String("email", "", "e-mail address")
	nom := flags.String("nom", "Administrateur", "name")
	if err := flags.Parse(args); err != nil {
		return err
	}
	password, err := bufio.NewReader(in).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	password = strings.TrimRight(password, "\r\n")
	switch {
	case !strings.Contains(*email, "@"):
		return errors.New("-email is missing")
	case len(password) < 12:
		return errors.New("the password, a line on standard input, needs at least 12 characters")
	}
	url := os.Getenv("DATABASE_URL")
	if url == "" {
		return errors.New("DATABASE_URL is not set")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := pgx.ParseConfig(url)
	if err != nil {
		return errors.New("DATABASE_URL is not a PostgreSQL URL")
	}
	c.RuntimeParams["search_path"] = "auth"
	conn, err := pgx.ConnectConfig(ctx, c)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	var others []string
	rows, err := conn.Query(ctx, "select identifiant from utilisateur where role in ('administrateur', 'super_administrateur')")
	if err != nil {
		return err
	}
	if others, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		return err
	}
	for _, other := range others {
		if other == normal(*email) {
			fmt.Fprintln(out, other, "is an administrator already")
			return nil
		}
	}
	if len(others) > 0 {
		return errors.New("there is an administrator already; they create the others")
	}
	var h hasher
	hash, err := h.hash(ctx, password)
	if err != nil {
		return err
	}
	u := message.Utilisateur{ID: function.NewID(), Identifiant: normal(*email), Nom: *nom, Role: "administrateur", Etat: "ACTIF"}
	added, err := insertUser(ctx, conn, u, hash)
	if err == nil && !added {
		err = errors.New("this address has an account already")
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(out, u.Identifiant, "is an administrator")
	return nil
}
