package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/eventing/daemon"
)

const usage = `usage:
  deadletter                                        run
  deadletter list [-state S] [-queue Q] [-n 50]     what is parked, newest first
  deadletter show ID                                all of one message
  deadletter replay ID... | -queue Q | -all         publish again
  deadletter drop ID -why REASON                    give up`

// operate runs one command of a person's.
func operate(ctx context.Context, out io.Writer, url string, args []string) error {
	commands := map[string]func(context.Context, *pgx.Conn, io.Writer, []string) error{
		"list": list, "show": show, "replay": replay, "drop": drop,
	}
	command, known := commands[args[0]]
	if !known {
		return errors.New(usage)
	}
	db, hangUp, err := daemon.DialPostgres(ctx, url, "deadletter", nil)
	if err != nil {
		return err
	}
	defer hangUp()
	return command(ctx, db, out, args[1:])
}

func list(ctx context.Context, db *pgx.Conn, out io.Writer, args []string) error {
	flags := flag.NewFlagSet("list", flag.ContinueOnError)
	state := flags.String("state", "", "ATTENTE, REJOUE or ABANDONNE")
	queue := flags.String("queue", "", "the queue it died in")
	most := flags.Int("n", 50, "at most so many")
	if err := flags.Parse(args); err != nil {
		return err
	}
	rows, err := db.Query(ctx, `
		select id, state, queue, type, event_id, reason, died, parked_at, next_try
		from eventing.parking_lot
		where ($1 = '' or state = $1) and ($2 = '' or queue = $2)
		order by id desc limit $3`, *state, *queue, *most)
	if err != nil {
		return err
	}
	defer rows.Close()
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tSTATE\tQUEUE\tTYPE\tEVENT\tREASON\tDIED\tPARKED\tNEXT TRY")
	for rows.Next() {
		var (
			id                                   int64
			state, queue, kind, event, reasonFor string
			died                                 int
			parked                               time.Time
			next                                 *time.Time
		)
		if err := rows.Scan(&id, &state, &queue, &kind, &event, &reasonFor, &died, &parked, &next); err != nil {
			return err
		}
		when := "-"
		switch {
		case next != nil:
			when = next.UTC().Format(time.RFC3339)
		case state == "ATTENTE":
			when = "a person"
		}
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\n", id, state, queue, kind, event, reasonFor, died, parked.UTC().Format(time.RFC3339), when)
	}
	return errors.Join(rows.Err(), table.Flush())
}

// show prints the content too: it may hold personal data, and whoever may log
// in as deadletter may read it.
func show(ctx context.Context, db *pgx.Conn, out io.Writer, args []string) error {
	id, _, err := message(args)
	if err != nil {
		return err
	}
	rows, err := db.Query(ctx, `
		select id, state, queue, source, event_id, type, reason, died, attempts, next_try, note, parked_at, changed_at, deaths, content_type, content
		from eventing.parking_lot where id = $1`, id)
	if err != nil {
		return err
	}
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToMap)
	if errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("nothing is parked as %d", id)
	}
	if err != nil {
		return err
	}
	content, _ := row["content"].([]byte)
	row["content"] = string(content)
	if json.Valid(content) {
		row["content"] = json.RawMessage(content)
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(row)
}

func replay(ctx context.Context, db *pgx.Conn, out io.Writer, args []string) error {
	flags := flag.NewFlagSet("replay", flag.ContinueOnError)
	all := flags.Bool("all", false, "everything that waits for a person")
	queue := flags.String("queue", "", "everything that waits for a person and died in this queue")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ids := make([]int64, flags.NArg())
	for i, arg := range flags.Args() {
		var err error
		if ids[i], err = strconv.ParseInt(arg, 10, 64); err != nil {
			return fmt.Errorf("%q is not an ID", arg)
		}
	}
	if (len(ids) > 0) == (*all || *queue != "") || *all && *queue != "" {
		return errors.New(usage)
	}
	tag, err := db.Exec(ctx, `
		update eventing.parking_lot
		set state = 'ATTENTE', next_try = clock_timestamp(), attempts = 0, changed_at = clock_timestamp()
		where id = any($1)
		   or cardinality($1::bigint[]) = 0 and state = 'ATTENTE' and next_try is null and ($2 = '' or queue = $2)`, ids, *queue)
	if err != nil {
		return err
	}
	if n := tag.RowsAffected(); n < int64(len(ids)) {
		return fmt.Errorf("only %d of %d are parked; those are replayed", n, len(ids))
	}
	fmt.Fprintf(out, "%d to replay\n", tag.RowsAffected())
	return nil
}

func drop(ctx context.Context, db *pgx.Conn, out io.Writer, args []string) error {
	id, rest, err := message(args)
	if err != nil {
		return err
	}
	flags := flag.NewFlagSet("drop", flag.ContinueOnError)
	why := flags.String("why", "", "the reason, for whoever asks later")
	if err := flags.Parse(rest); err != nil {
		return err
	}
	if *why == "" || flags.NArg() > 0 {
		return errors.New(usage)
	}
	tag, err := db.Exec(ctx, `
		update eventing.parking_lot
		set state = 'ABANDONNE', next_try = null, note = $2, changed_at = clock_timestamp()
		where id = $1 and state <> 'REJOUE'`, id, *why)
	if err != nil {
		return err
	}
	if tag.RowsAffected() == 0 {
		return fmt.Errorf("nothing waits as %d", id)
	}
	fmt.Fprintf(out, "%d is dropped\n", id)
	return nil
}

// message reads an ID and returns the arguments after it.
func message(args []string) (id int64, rest []string, err error) {
	if len(args) == 0 {
		return 0, nil, errors.New(usage)
	}
	if id, err = strconv.ParseInt(args[0], 10, 64); err != nil {
		return 0, nil, fmt.Errorf("%q is not an ID", args[0])
	}
	return id, args[1:], nil
}
