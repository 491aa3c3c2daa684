package main

import (
	"context"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// apercuCloture tells what closing would do.
func apercuCloture(ctx context.Context, tx *function.Tx, q message.ApercuCloture) (c message.Cloture, err error) {
	entite, err := entiteComptable(ctx, tx, q.Entite)
	if err != nil {
		return c, err
	}
	c = message.Cloture{Entite: entite.Entite, Jusqua: q.Jusqua}
	switch next := q.Jusqua.AddDays(1); {
	case next.Time().Day() != 1:
		return c, function.Invalid("jusqua", "fin_de_mois", "Une clôture se fait à la fin d'un mois.", "Books are closed at the end of a month.")
	case !q.Jusqua.Before(tx.Today()):
		return c, function.Invalid("jusqua", "mois_en_cours", "Ce mois n'est pas terminé.", "This month is not over.")
	case !entite.CloseJusqua.IsZero() && !q.Jusqua.After(entite.CloseJusqua):
		return c, function.Conflict("deja_close", "Les comptes sont déjà clos jusqu'au "+entite.CloseJusqua.Francais()+".", "The books are closed up to "+entite.CloseJusqua.String()+" already.")
	case !entite.CloseJusqua.IsZero():
		c.Depuis = entite.CloseJusqua.AddDays(1)
	}
	err = tx.QueryRow(ctx, `
		select count(distinct e.id), coalesce(sum(m.debit_centimes), 0)::bigint,
			coalesce((select max(numero) from ecriture_numero where entite = $1 and exercice = extract(year from $2::date)),
				(select count(*) from (select from ecriture where entite = $1 and date < date_trunc('year', $2::date) limit 1) avant)) + 1,
			count(distinct e.id) filter (where e.date >= date_trunc('year', $2::date)),
			(select count(*) from lot where etat not in ('EMIS', 'REJETE') and date_facturation <= $2)
		from ecriture e join mouvement m on m.ecriture_id = e.id
		where e.entite = $1 and e.date <= $2 and ($3::date is null or e.date >= $3)`, c.Entite, c.Jusqua, c.Depuis).
		Scan(&c.Ecritures, &c.DebitCentimes, &c.PremierNumero, &c.DernierNumero, &c.LotsOuverts)
	if c.DernierNumero == 0 {
		c.PremierNumero = 0
	} else {
		c.DernierNumero += c.PremierNumero - 1
	}
	return c, err
}

// cloturer closes months for good. Number 1 of a year is kept for what the
// year before leaves to it, when there was one.
func cloturer(ctx context.Context, tx *function.Tx, q message.Cloturer) (c message.Cloture, err error) {
	// Entries that are being written come first; the next see that the month is closed.
	if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock(hashtext('facture.cloture'))"); err != nil {
		return c, err
	}
	if c, err = apercuCloture(ctx, tx, message.ApercuCloture(q)); err != nil {
		return c, err
	}
	c.ClotureeA, c.Par = &tx.Now, tx.Identity().ID
	b := &pgx.Batch{}
	b.Queue(`
		with closes as (
			select e.id, e.date, extract(year from e.date)::int exercice from ecriture e
			where e.entite = $1 and e.date <= $2 and ($3::date is null or e.date >= $3) and exists (select from mouvement m where m.ecriture_id = e.id)
		), annees as materialized (
			select exercice, coalesce((select max(numero) from ecriture_numero n where n.entite = $1 and n.exercice = a.exercice),
				(select count(*) from (select from ecriture where entite = $1 and date < make_date(a.exercice, 1, 1) limit 1) avant)) base
			from (select distinct exercice from closes) a
		)
		insert into ecriture_numero (ecriture_id, entite, exercice, numero, validee_le)
		select id, $1, exercice, base + row_number() over (partition by exercice order by date, id), $4
		from closes join annees using (exercice)`, c.Entite, c.Jusqua, c.Depuis, tx.Today())
	b.Queue("insert into cloture (entite, jusqua, cloturee_a, par, ecritures, debit_centimes) values ($1, $2, $3, $4, $5, $6)",
		c.Entite, c.Jusqua, tx.Now, c.Par, c.Ecritures, c.DebitCentimes)
	return c, tx.SendBatch(ctx, b).Close()
}

// clotures lists what was closed.
func clotures(ctx context.Context, tx *function.Tx, q message.Clotures) (l message.ListeClotures, err error) {
	rows, err := tx.Query(ctx, `
		select entite, (lag(jusqua) over (partition by entite order by jusqua) + 1), jusqua, ecritures,
			coalesce(n.premier, 0), coalesce(n.dernier, 0), debit_centimes, 0, cloturee_a, par
		from cloture c left join lateral (
			select min(numero) premier, max(numero) dernier from ecriture_numero n join ecriture e on e.id = n.ecriture_id
			where n.entite = c.entite and n.exercice = extract(year from c.jusqua) and e.date <= c.jusqua
				and e.date > coalesce((select max(jusqua) from cloture o where o.entite = c.entite and o.jusqua < c.jusqua), '-infinity')) n on true
		where $1 = '' or entite = $1 order by jusqua desc, entite limit 60`, q.Entite)
	if err != nil {
		return l, err
	}
	l.Items, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.Cloture])
	return l, err
}
