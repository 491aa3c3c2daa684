package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// Settings that a person changes. Each change is kept with who made it, and
// none touches a bill that was issued.

// consigner keeps a change of a setting.
func consigner(ctx context.Context, tx *function.Tx, objet, cle, avant, apres string) error {
	if avant == apres {
		return nil
	}
	_, err := tx.Exec(ctx, "insert into reglage_journal (id, instant, par_id, par, objet, cle, avant, apres) values ($1, $2, $3, $4, $5, $6, $7, $8)",
		function.NewID(), tx.Now, tx.Identity().ID, tx.Identity().Nom, objet, cle, avant, apres)
	return err
}

func (p plateforme) reglages(ctx context.Context, tx *function.Tx, _ message.Reglages) (message.ReglagesDuService, error) {
	r, err := reglages(ctx, tx)
	r.Plateforme = message.PlateformeReglee{Raccordee: p.URL != "", Taille: p.Taille}
	return r, err
}

func reglages(ctx context.Context, tx *function.Tx) (r message.ReglagesDuService, err error) {
	b := &pgx.Batch{}
	collect(b, &r.Mentions, pgx.RowToStructByPos[message.Mention],
		"select code, lower(periode), upper(periode), place, titre, texte, source from mention order by ordre, code, periode")
	collect(b, &r.Controles, func(row pgx.CollectableRow) (c message.ControleDEntite, err error) {
		return c, row.Scan(&c.Entite, &c.Nom, &c.Propre, &c.DeuxPersonnes, &c.FortesCentimes, &c.FortsLitres, &c.Source)
	}, `select e.code, coalesce(nullif(e.nom, ''), e.code), c.entite = e.code, c.deux_personnes, c.forte_centimes, c.fort_litres, c.source
		from entite e cross join lateral (select * from controle_lot where entite in (e.code, 'principale') order by entite <> e.code limit 1) c
		order by e.code <> 'principale', e.nom, e.code`)
	collect(b, &r.Obligations, pgx.RowToStructByPos[message.Obligation], "select code, taille, du, source from obligation order by du, code, taille")
	b.Queue("select max(date_facturation) + 1 from facture where numero is not null").QueryRow(func(row pgx.Row) error { return row.Scan(&r.PremierJour) })
	return r, tx.SendBatch(ctx, b).Close()
}

// enRegle refuses a day on which bills were issued already: what they print
// would change.
func enRegle(r message.ReglagesDuService, champ string, le message.Date) error {
	if le.Before(r.PremierJour) {
		return function.Invalid(champ, "facture_deja_emise",
			"Des factures sont déjà émises jusqu'au "+r.PremierJour.AddDays(-1).Francais()+" : ce qu'elles portent ne change plus. Choisissez un jour à partir du "+r.PremierJour.Francais()+".",
			"Bills are issued up to "+r.PremierJour.AddDays(-1).String()+": choose a day from "+r.PremierJour.String()+" on.")
	}
	return nil
}

// definirMention changes words on bills from a day on, or adds some. Words
// that were to come on that day are replaced, those of later days stay.
func definirMention(ctx context.Context, tx *function.Tx, c message.DefinirMention) (r message.ReglagesDuService, err error) {
	if r, err = verrouillerMentions(ctx, tx); err != nil {
		return r, err
	}
	if err := enRegle(r, "du", c.Du); err != nil {
		return r, err
	}
	var place, avant, titre string
	ordre := 0
	for _, m := range r.Mentions { // by date
		if m.Code != c.Code {
			continue
		}
		if place == "" || !m.Du.After(c.Du) {
			place, avant, titre = m.Place, m.Texte, m.Titre
		}
	}
	switch {
	case place == "" && c.Titre == "":
		return r, function.Invalid("titre", "requis", "Une mention nouvelle a besoin d'un titre.", "New words need a title.")
	case place == "":
		place, titre = "verso", c.Titre
	case c.Titre != "":
		titre = c.Titre
	}
	if err := tx.QueryRow(ctx, "select coalesce(min(ordre) filter (where code = $1), max(ordre) + 10, 10) from mention", c.Code).Scan(&ordre); err != nil {
		return r, err
	}
	tag, err := tx.Exec(ctx, "update mention set (titre, texte, source) = ($3, $4, $5) where code = $1 and lower(periode) = $2", c.Code, c.Du, titre, c.Texte, c.Source)
	if err == nil && tag.RowsAffected() == 0 {
		b := &pgx.Batch{}
		b.Queue("update mention set periode = daterange(lower(periode), $2) where code = $1 and periode @> $2::date", c.Code, c.Du)
		b.Queue(`insert into mention (code, periode, ordre, place, titre, texte, source)
			values ($1, daterange($2, (select min(lower(periode)) from mention where code = $1 and lower(periode) > $2)), $3, $4, $5, $6, $7)`,
			c.Code, c.Du, ordre, place, titre, c.Texte, c.Source)
		err = tx.SendBatch(ctx, b).Close()
	}
	if err != nil {
		return r, err
	}
	if err := consigner(ctx, tx, "MENTION", c.Code, avant, "À partir du "+c.Du.Francais()+" : "+c.Texte+" ("+c.Source+")"); err != nil {
		return r, err
	}
	return reglages(ctx, tx)
}

// fermerMention takes words off bills from a day on.
func fermerMention(ctx context.Context, tx *function.Tx, c message.FermerMention) (r message.ReglagesDuService, err error) {
	if r, err = verrouillerMentions(ctx, tx); err != nil {
		return r, err
	}
	if err := enRegle(r, "au", c.Au); err != nil {
		return r, err
	}
	for _, m := range r.Mentions {
		if m.Code == c.Code && m.Du.Before(c.Au) && (m.Au.IsZero() || c.Au.Before(m.Au)) {
			if _, err := tx.Exec(ctx, "update mention set periode = daterange(lower(periode), $3) where code = $1 and lower(periode) = $2", m.Code, m.Du, c.Au); err != nil {
				return r, err
			}
			if err := consigner(ctx, tx, "MENTION", c.Code, m.Texte, "Retirée à partir du "+c.Au.Francais()+" ("+c.Source+")"); err != nil {
				return r, err
			}
			return reglages(ctx, tx)
		}
	}
	return r, function.NotFound("mention_inconnue", "Cette mention n'est pas sur les factures à cette date.", "These words are not on bills on that day.")
}

// verrouillerMentions has changes wait for one another, and reads what is there.
func verrouillerMentions(ctx context.Context, tx *function.Tx) (r message.ReglagesDuService, err error) {
	if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock(hashtext('facture.mention'))"); err != nil {
		return r, err
	}
	return reglages(ctx, tx)
}

// reglerControle sets what an entity asks of its lots.
func reglerControle(ctx context.Context, tx *function.Tx, c message.ReglerControle) (message.ReglerControle, error) {
	var avant message.ReglerControle
	err := tx.QueryRow(ctx, `select c.deux_personnes, c.forte_centimes, c.fort_litres, c.source
		from (select code from entite where code = $1 for update) e cross join lateral (select * from controle_lot where entite in (e.code, 'principale') order by entite <> e.code limit 1) c`, c.Entite).
		Scan(&avant.DeuxPersonnes, &avant.FortesCentimes, &avant.FortsLitres, &avant.Source)
	if err == pgx.ErrNoRows {
		return c, function.Invalid("entite", "entite_inconnue", "Cette entité n'existe pas.", "There is no such entity.")
	}
	if err != nil {
		return c, err
	}
	_, err = tx.Exec(ctx, `insert into controle_lot (entite, deux_personnes, forte_centimes, fort_litres, source) values ($1, $2, $3, $4, $5)
		on conflict (entite) do update set (deux_personnes, forte_centimes, fort_litres, source) = (excluded.deux_personnes, excluded.forte_centimes, excluded.fort_litres, excluded.source)`,
		c.Entite, c.DeuxPersonnes, c.FortesCentimes, c.FortsLitres, c.Source)
	if err != nil {
		return c, err
	}
	return c, consigner(ctx, tx, "CONTROLE", c.Entite, enMots(avant), enMots(c))
}

// enMots says what is asked of lots.
func enMots(c message.ReglerControle) string {
	qui := "une seconde personne approuve"
	if !c.DeuxPersonnes {
		qui = "qui prépare peut approuver"
	}
	return fmt.Sprintf("%s ; facture forte à partir de %s ou de %s m³ (%s)", qui, message.Euros(c.FortesCentimes), m3(c.FortsLitres), c.Source)
}

// journalReglages lists who changed settings, the newest first.
func journalReglages(ctx context.Context, tx *function.Tx, q message.JournalReglages) (page message.PageReglages, err error) {
	after, err := readCursor(q.Curseur)
	if err != nil {
		return page, err
	}
	rows, err := tx.Query(ctx, `select id, instant, par, objet, cle, avant, apres from reglage_journal
		where $1 = '' or (instant, id) < (nullif($1, '')::timestamptz, nullif($2, '')::uuid) order by instant desc, id desc limit $3`, after.key, after.id, q.Size()+1)
	if err != nil {
		return page, err
	}
	page.Items, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.ReglageChange])
	if n := q.Size(); err == nil && len(page.Items) > n {
		page.Items = page.Items[:n]
		page.Suivant = cursor{page.Items[n-1].Instant.UTC().Format(instant), page.Items[n-1].ID}.String()
	}
	return page, err
}
