package main

import (
	"context"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// ecriture is an entry of the journal that is to be written.
type ecriture struct {
	ID         string // of what it books (a payment, a write-off), so that it is booked once; a new one when empty
	Entite     string // 'principale' when empty
	Date       message.Date
	Piece      string
	Libelle    string
	AbonneID   string // whose account 411 moves
	Mouvements []mouvement
}

// mouvement is a line of an entry: a debit above zero, a credit below.
type mouvement struct {
	Compte   string
	Centimes int64
}

// ecrire writes an entry with its movements, of which those of zero are left
// out. The database refuses one that does not sum to zero.
func ecrire(ctx context.Context, tx *function.Tx, e ecriture) error {
	if e.Entite == "" {
		e.Entite = "principale"
	}
	if e.ID == "" {
		e.ID = function.NewID()
	}
	if err := periodeOuverte(ctx, tx, e.Entite, e.Date); err != nil {
		return err
	}
	b := &pgx.Batch{}
	b.Queue("insert into ecriture (id, date, piece, libelle, entite, abonne_id) values ($1, $2, $3, $4, $5, nullif($6, '')::uuid)",
		e.ID, e.Date, e.Piece, e.Libelle, e.Entite, e.AbonneID)
	for _, m := range e.Mouvements {
		if m.Centimes != 0 {
			b.Queue("insert into mouvement (ecriture_id, compte, debit_centimes, credit_centimes) values ($1, $2, $3, $4)",
				e.ID, m.Compte, max(m.Centimes, 0), max(-m.Centimes, 0))
		}
	}
	return tx.SendBatch(ctx, b).Close()
}

// jourOuvert is the day on which money that a bank told of is booked: its own,
// or the first of the open months when its own is closed by now. The money is
// there, so nobody can be asked for another date.
func jourOuvert(ctx context.Context, tx *function.Tx, entite string, recuLe message.Date) (le message.Date, err error) {
	err = tx.QueryRow(ctx, "select greatest($2::date, max(jusqua) + 1) from cloture where entite = $1", entite, recuLe).Scan(&le)
	return le, err
}

// periodeOuverte refuses a date in a month that is closed. The database does
// so too; this one says why.
func periodeOuverte(ctx context.Context, tx *function.Tx, entite string, date message.Date) error {
	var jusqua message.Date
	if err := tx.QueryRow(ctx, "select max(jusqua) from cloture where entite = $1", entite).Scan(&jusqua); err != nil {
		return err
	}
	if date.After(jusqua) {
		return nil
	}
	return function.Refused("periode_close",
		"Les comptes sont clos jusqu'au "+jusqua.Francais()+" : rien ne s'écrit plus à la date du "+date.Francais()+". Datez l'opération d'après.",
		"The books are closed up to "+jusqua.String()+": nothing can be dated "+date.String()+" any more. Use a later date.")
}
