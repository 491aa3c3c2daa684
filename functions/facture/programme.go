package main

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// definirProgramme adds a calendar of lots, or changes one.
func definirProgramme(ctx context.Context, tx *function.Tx, c message.DefinirProgramme) (message.Programme, error) {
	if c.ProchainDu.Time().Day() != 1 {
		return message.Programme{}, function.Invalid("prochain_du", "premier_du_mois", "Une période commence le premier du mois.", "A period begins on the first of a month.")
	}
	id := c.ID
	if id == "" {
		id = function.NewID()
	}
	who := tx.Identity()
	tag, err := tx.Exec(ctx, `insert into programme_lot as p (id, libelle, mois, commune, profil, secteur, prochain_du, delai_jours, echeance_jours, actif, cree_par, cree_nom, cree_a)
		select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13 where $14 = '' or exists (select from programme_lot where id = $1)
		on conflict (id) do update set (libelle, mois, commune, profil, secteur, prochain_du, delai_jours, echeance_jours, actif, cree_par, cree_nom, empechement, empechement_en) =
			(excluded.libelle, excluded.mois, excluded.commune, excluded.profil, excluded.secteur, excluded.prochain_du, excluded.delai_jours,
			 excluded.echeance_jours, excluded.actif, excluded.cree_par, excluded.cree_nom, '', '')`,
		id, c.Libelle, c.Mois, c.Commune, c.Profil, c.Secteur, c.ProchainDu, c.DelaiJours, c.EcheanceJours, c.Actif, who.ID, who.Nom, tx.Now, c.ID)
	if err != nil {
		return message.Programme{}, err
	}
	if tag.RowsAffected() == 0 {
		return message.Programme{}, function.NotFound("programme_inconnu", "Ce programme n'existe pas.", "There is no such programme.")
	}
	all, err := selectProgrammes(ctx, tx, "id = $1", id)
	if err != nil {
		return message.Programme{}, err
	}
	return all[0].Programme, nil
}

// programmes lists the calendars of lots.
func programmes(ctx context.Context, tx *function.Tx, _ message.Programmes) (out message.ListeProgrammes, err error) {
	all, err := selectProgrammes(ctx, tx, "true order by libelle, id")
	out.Items = make([]message.Programme, len(all))
	for i, p := range all {
		out.Items[i] = p.Programme
	}
	return out, err
}

type programme struct {
	message.Programme
	creePar, creeNom string
}

func selectProgrammes(ctx context.Context, tx *function.Tx, where string, args ...any) ([]programme, error) {
	rows, err := tx.Query(ctx, `select id, libelle, mois, prochain_du, delai_jours, echeance_jours, actif, commune, profil, secteur,
			(prochain_du + make_interval(months => mois))::date + delai_jours, vu_a, empechement, empechement_en, cree_par, cree_nom
		from programme_lot where `+where, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (p programme, err error) {
		err = row.Scan(&p.ID, &p.Libelle, &p.Mois, &p.ProchainDu, &p.DelaiJours, &p.EcheanceJours, &p.Actif, &p.Commune, &p.Profil, &p.Secteur,
			&p.ProchainLot, &p.VuA, &p.Empechement, &p.EmpechementEN, &p.creePar, &p.creeNom)
		return p, err
	})
}

// Ticks ask again for chunks that have not moved for a while: longer than a
// delivery with all its attempts takes. A chunk that is refused every time is
// left to a person in the end.
const (
	relanceApres = 10 * time.Minute
	relancesMax  = 6
)

// regarder does what time brings: lots that a programme wants, chunks whose
// events were lost, bills that are not sealed yet. However often it is asked,
// each is done once.
func (r lotReglages) regarder(ctx context.Context, tx *function.Tx, _ message.Tick) error {
	// One that another tick looks at is left to it.
	due, err := selectProgrammes(ctx, tx, `actif and (prochain_du + make_interval(months => mois))::date + delai_jours <= $1
		order by id limit 20 for update skip locked`, tx.Today())
	if err != nil {
		return err
	}
	for _, p := range due {
		if err := r.lancerProgramme(ctx, tx, p); err != nil {
			return err
		}
	}
	rows, err := tx.Query(ctx, `select id::text, etat from lot where etat in ('PREPARE', 'EMISSION') and relance_a < $1 and relances < $2
		order by id limit 20 for update skip locked`, tx.Now.Add(-relanceApres), relancesMax)
	if err != nil {
		return err
	}
	type arrete struct{ ID, Etat string }
	stalled, err := pgx.CollectRows(rows, pgx.RowToStructByPos[arrete])
	if err != nil {
		return err
	}
	for _, l := range stalled {
		if err := relancer(ctx, tx, l.ID, l.Etat); err != nil {
			return err
		}
	}
	rows, err = tx.Query(ctx, `select s.code from serie s where exists (select from facture f where f.serie = s.code
		and f.rang = (select coalesce(max(rang), 0) + 1 from sceau where serie = s.code))`)
	if err != nil {
		return err
	}
	open, err := pgx.CollectRows(rows, pgx.RowTo[string])
	for _, serie := range open {
		tx.Emit(serie, 0, message.SerieASceller{Serie: serie})
	}
	return err
}

// lancerProgramme prepares the lot of the period that is over, in the name of
// whoever made the programme. A refusal is noted; when there is nobody left to
// bill, the period is passed over, else the next tick tries again.
func (r lotReglages) lancerProgramme(ctx context.Context, tx *function.Tx, p programme) error {
	au := message.DateOf(p.ProchainDu.Time().AddDate(0, p.Mois, 0))
	c := message.PreparerLot{Libelle: p.Libelle + " " + p.ProchainDu.Francais(), Du: p.ProchainDu, Au: au,
		DateFacturation: tx.Today(), Echeance: tx.Today().AddDays(p.EcheanceJours), Etendue: p.Etendue}
	err := checkDates(ctx, tx, c)
	if err == nil {
		_, err = r.ouvrirLot(ctx, tx, c, p.creePar, p.creeNom, &p.ID)
	}
	var refusal *message.Problem
	if err != nil && !errors.As(err, &refusal) {
		return err
	}
	var fr, en string
	next := au
	if refusal != nil {
		fr, en = refusal.Detail, refusal.DetailEN
		if refusal.Code != "lot_vide" {
			next = p.ProchainDu
		}
	}
	_, err = tx.Exec(ctx, "update programme_lot set prochain_du = $2, vu_a = $3, empechement = $4, empechement_en = $5 where id = $1", p.ID, next, tx.Now, fr, en)
	return err
}
