package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// parSceau is how many bills one event seals; the next event goes on.
const parSceau = 10_000

// scellerSerie seals the issued bills of a series in order of rank, up to the
// first number that is reserved and not yet given. What is sealed is not
// sealed again.
func scellerSerie(ctx context.Context, tx *function.Tx, e message.SerieASceller) error {
	// Two that seal the same series would both begin at the same place.
	if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock(hashtext('facture.sceau'), hashtext($1))", e.Serie); err != nil {
		return err
	}
	tag, err := tx.Exec(ctx, `
		with tete as (
			select coalesce(max(rang), 0) rang, coalesce((array_agg(empreinte order by rang desc))[1], sha256(convert_to($1, 'UTF8'))) empreinte
			from (select rang, empreinte from sceau where serie = $1 order by rang desc limit 1) d
		), suite as (
			select f.id, f.rang, sha256(facture_canonique(f)) contenu, row_number() over (order by f.rang) n
			from facture f where f.serie = $1 and f.rang > (select rang from tete) and f.rang <= (select rang from tete) + $2
		), chaine as (
			select id, rang, chainer(contenu) over (order by rang) empreinte
			from (select null::uuid id, rang, empreinte contenu from tete union all select id, rang, contenu from suite where rang = (select rang from tete) + n) c
		), maillons as (
			select id, rang, lag(empreinte) over (order by rang) precedent, empreinte from chaine
		)
		insert into sceau (serie, rang, facture_id, precedent, empreinte) select $1, rang, id, precedent, empreinte from maillons where id is not null`, e.Serie, parSceau)
	if err == nil && tag.RowsAffected() == parSceau {
		tx.Emit(e.Serie, 0, e)
	}
	return err
}

// verifierFactures holds every issued bill against its seal, the numbers
// against the series, and the journal against zero.
func verifierFactures(ctx context.Context, tx *function.Tx, _ message.VerifierFactures) (message.Verification, error) {
	return verifier(ctx, tx)
}

// requete is what verifier needs of a transaction.
type requete interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

func verifier(ctx context.Context, db requete) (v message.Verification, err error) {
	rows, err := db.Query(ctx, `
		with liens as (
			select s.serie, s.rang, s.empreinte, f.numero,
				case
					when f.id is null or f.serie is distinct from s.serie or f.rang is distinct from s.rang then 'FACTURE_ABSENTE'
					when s.precedent <> coalesce(lag(s.empreinte) over w, sha256(convert_to(s.serie, 'UTF8'))) or s.rang <> row_number() over w then 'CHAINE_ROMPUE'
					when s.empreinte <> sha256(s.precedent || sha256(facture_canonique(f))) then 'FACTURE_MODIFIEE'
				end defaut
			from sceau s left join facture f on f.id = s.facture_id
			window w as (partition by s.serie order by s.rang)
		)
		select se.code, coalesce(l.n, 0), coalesce(f.n, 0) - coalesce(l.n, 0), se.dernier - coalesce(f.n, 0) - coalesce(r.n, 0), coalesce(r.n, 0),
			coalesce(encode(l.tete, 'hex'), ''), coalesce(d.numero, ''), coalesce(d.rang, 0), coalesce(d.defaut, '')
		from serie se
		left join lateral (select count(*) n, (array_agg(empreinte order by rang desc))[1] tete from liens where serie = se.code) l on true
		left join lateral (select numero, rang, defaut from liens where serie = se.code and defaut is not null order by rang limit 1) d on true
		left join lateral (select count(*) n from facture where serie = se.code and rang between 1 and se.dernier) f on true
		left join lateral (select sum(n.factures)::bigint n from lot_numeros n join lot_tranche t using (lot_id, tranche) where n.serie = se.code and t.emise_a is null) r on true
		order by se.code`)
	if err != nil {
		return v, err
	}
	v.Series, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (s message.SerieVerifiee, err error) {
		var d message.Defaut
		err = row.Scan(&s.Serie, &s.Scellees, &s.ASceller, &s.Manquantes, &s.Reservees, &s.Tete, &d.Numero, &d.Rang, &d.Raison)
		if d.Raison != "" {
			s.Defaut = &d
		}
		return s, err
	})
	if err != nil {
		return v, err
	}
	err = db.QueryRow(ctx, `select (select coalesce(sum(debit_centimes - credit_centimes), 0)::bigint from mouvement),
		(select count(*) from (select from mouvement group by ecriture_id having sum(debit_centimes) <> sum(credit_centimes)) e),
		(select count(*) from facture f where numero is not null and not exists (select from ecriture where id = f.id))`).
		Scan(&v.JournalCentimes, &v.EcrituresFausses, &v.SansEcriture)
	v.Valide = v.JournalCentimes == 0 && v.EcrituresFausses == 0 && v.SansEcriture == 0
	for _, s := range v.Series {
		v.Valide = v.Valide && s.Defaut == nil && s.Manquantes == 0
	}
	return v, err
}

// verifierCommande is `facture verifier`: the chain, the numbers and every
// check of the books, as the pages show them.
func verifierCommande(ctx context.Context, tx pgx.Tx, out io.Writer) error {
	v, err := verifier(ctx, tx)
	if err != nil {
		return err
	}
	for _, s := range v.Series {
		_, _ = fmt.Fprintf(out, "%s: %d bills sealed, %d to be sealed, %d numbers missing, %d reserved; head %s\n", s.Serie, s.Scellees, s.ASceller, s.Manquantes, s.Reservees, s.Tete)
		if s.Defaut != nil {
			_, _ = fmt.Fprintf(out, "%s: first difference at %s (%s)\n", s.Serie, numero(s.Serie, s.Defaut.Rang), s.Defaut.Raison)
		}
	}
	_, _ = fmt.Fprintf(out, "journal: %d centimes, %d entries off balance, %d bills without an entry\n", v.JournalCentimes, v.EcrituresFausses, v.SansEcriture)
	books, err := controler(ctx, tx)
	if err != nil {
		return err
	}
	broken := 0
	for _, c := range books.Controles {
		if c.Anomalies != 0 {
			broken++
			_, _ = fmt.Fprintf(out, "books: %s is broken %d times, off by %d centimes (%s)\n", c.Code, c.Anomalies, c.EcartCentimes, c.LibelleEN)
		}
	}
	_, _ = fmt.Fprintf(out, "books: %d of %d checks hold\n", len(books.Controles)-broken, len(books.Controles))
	switch {
	case !v.Valide:
		return errors.New("the bills are not what was issued")
	case broken > 0:
		return errors.New("the books are not what they are made of")
	}
	return nil
}
