package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// reserver takes n numbers for documents of a nature that an entity issues on
// a date: those after base, in serie. Until the transaction ends nobody else
// takes a number of that entity and kind; when it is rolled back, none was
// taken. A document dated before the last one of its kind is refused with
// date_recule (CGI annexe II, 242 nonies A: numbers follow the dates).
//
// The series is sealed once the transaction is committed (see scellerSerie).
//
// A row that is locked, and not a sequence of PostgreSQL: a sequence does not
// come back when a transaction fails, and leaves a hole.
func reserver(ctx context.Context, tx *function.Tx, entite, nature string, date message.Date, n int64) (serie string, base int64, err error) {
	kind := natureSerie(nature)
	if err := chronological(ctx, tx, entite, nature, date, forUpdate); err != nil {
		return "", 0, err
	}
	err = tx.QueryRow(ctx, `insert into serie as s (code, entite, nature, dernier, date)
		select concat_ws('-', nullif(prefixe, ''), $2 || extract(year from $3::date)), code, $2, $4, $3 from entite where code = $1
		on conflict (code) do update set dernier = s.dernier + $4, date = $3 where s.date <= $3
		returning code, dernier - $4`, entite, kind, date, n).Scan(&serie, &base)
	if errors.Is(err, pgx.ErrNoRows) {
		// The first document of a year, and another with a later date, began at once.
		return "", 0, dateRecule(date, date)
	}
	if err == nil {
		tx.Emit(serie, 0, message.SerieASceller{Serie: serie})
	}
	return serie, base, err
}

// natureSerie is the letter of the series of a nature.
func natureSerie(nature string) string {
	if nature == "AVOIR" {
		return "A"
	}
	return "F"
}

// forUpdate has chronological keep the answer true until the transaction ends.
const forUpdate = " for update"

// chronological refuses a date before that of a document already issued by
// the entity in a series of the same kind, of whatever year.
func chronological(ctx context.Context, tx *function.Tx, entite, nature string, date message.Date, lock string) error {
	rows, err := tx.Query(ctx, "select date from serie where entite = $1 and nature = $2 order by code"+lock, entite, natureSerie(nature))
	if err != nil {
		return err
	}
	dates, err := pgx.CollectRows(rows, pgx.RowTo[message.Date])
	if err != nil {
		return err
	}
	for _, last := range dates {
		if date.Before(last) {
			return dateRecule(last, date)
		}
	}
	return nil
}

func dateRecule(last, date message.Date) error {
	return function.Invalid("date_facturation", "date_recule",
		"Une pièce datée du "+last.Francais()+" est déjà émise : les dates ne reculent pas, et le "+date.Francais()+" est avant (CGI ann. II, 242 nonies A). Choisissez une autre date.",
		"A document dated "+last.String()+" was issued already: dates do not go back, and "+date.String()+" is before it. Choose another date.")
}

// numero is a number as printed.
func numero(serie string, rang int64) string { return fmt.Sprintf("%s-%06d", serie, rang) }
