package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

func contratParID(ctx context.Context, tx *function.Tx, q message.ContratParID) (message.Contrat, error) {
	return lireContrat(ctx, tx, "c.id = $1", q.ID)
}

func contrats(ctx context.Context, tx *function.Tx, q message.Contrats) (page message.PageContrats, err error) {
	if own := tx.Identity().AbonneID; own != "" && q.AbonneID == "" {
		q.AbonneID = own
	}
	if !tx.Identity().Owns(q.AbonneID) {
		return page, abonneInconnu()
	}
	apres, err := curseur(q.Page)
	if err != nil {
		return page, err
	}
	page.Items, err = lireContrats(ctx, tx, `($1 = '' or c.abonne_id = nullif($1, '')::uuid) and ($2 = '' or c.etat = $2) and ($3::uuid is null or c.id < $3)
		order by c.id desc limit $4`, q.AbonneID, q.Etat, apres, q.Size()+1)
	if len(page.Items) > q.Size() {
		page.Items = page.Items[:q.Size()]
		page.Suivant = page.Items[q.Size()-1].ID
	}
	return page, err
}

// correspond finds the abonnes that a word of a search means.
const correspond = ` and a.id in (
	select id from abonne where recherche like $%[1]d
	union all select abonne_id from contrat where lower(numero) like $%[1]d
	union all select c.abonne_id from pdl p join contrat c on c.pdl_id = p.id where p.recherche like $%[1]d
	union all select c.abonne_id from compteur m join pose o on o.compteur_id = m.id join contrat c on c.pdl_id = o.pdl_id where lower(m.serie) like $%[1]d
	union all select c.abonne_id from compteur m join contrat c on c.compteur_prevu = m.id where lower(m.serie) like $%[1]d)`

// motsMax bounds a search; the words after are left aside.
const motsMax = 6

// abonnes searches: every word must be found, whole or in part.
func abonnes(ctx context.Context, tx *function.Tx, q message.Abonnes) (page message.PageAbonnes, err error) {
	apres, err := curseur(q.Page)
	if err != nil {
		return page, err
	}
	args := []any{apres, q.Size() + 1}
	var mots strings.Builder
	words := strings.Fields(replier(q.Q))
	for _, mot := range words[:min(len(words), motsMax)] {
		args = append(args, "%"+strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(mot)+"%")
		fmt.Fprintf(&mots, correspond, len(args))
	}
	rows, err := tx.Query(ctx, `with a as (
			select * from abonne a
			where ($1::uuid is null or (a.recherche, a.id) > (select recherche, id from abonne where id = $1))`+mots.String()+`
			order by a.recherche, a.id limit $2)
		select `+colonnesAbonne+`, coalesce(c.n, 0), coalesce(c.actifs, 0), coalesce(c.reference, ''), coalesce(c.voie, '')
		from a left join lateral (
			select count(*) as n, count(*) filter (where c.etat = 'ACTIF') as actifs,
				(array_agg(p.reference order by c.id))[1] as reference, (array_agg(p.voie order by c.id))[1] as voie
			from contrat c join pdl p on p.id = c.pdl_id where c.abonne_id = a.id) c on true
		order by a.recherche, a.id`, args...)
	if err != nil {
		return page, err
	}
	page.Items, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (a message.AbonneResume, err error) {
		return a, row.Scan(append(champsAbonne(&a.Abonne), &a.Contrats, &a.Actifs, &a.PDL, &a.Lieu)...)
	})
	if len(page.Items) > q.Size() {
		page.Items = page.Items[:q.Size()]
		page.Suivant = page.Items[q.Size()-1].ID
	}
	return page, err
}

const selectJournal = `select instant, code, texte, objet, par from (
		select j.instant, j.code, j.texte, j.contrat_id objet, j.par, j.id rang from journal j join contrat c on c.id = j.contrat_id where c.abonne_id = $1
		union all
		select instant, 'IDENTIFIE', texte, abonne_id, par, version from abonne_journal where abonne_id = $1) j
	order by instant desc, rang desc limit 200`

func ficheAbonne(ctx context.Context, tx *function.Tx, q message.FicheAbonne) (f message.Fiche, err error) {
	if !tx.Identity().Owns(q.ID) {
		return f, abonneInconnu()
	}
	err = tx.QueryRow(ctx, `select `+colonnesAbonne+` from abonne a where a.id = $1`, q.ID).Scan(champsAbonne(&f.Abonne)...)
	if errors.Is(err, pgx.ErrNoRows) {
		return f, abonneInconnu()
	}
	if err != nil {
		return f, err
	}
	if f.Contrats, err = lireContrats(ctx, tx, `c.abonne_id = $1 order by c.id desc`, q.ID); err != nil {
		return f, err
	}
	rows, err := tx.Query(ctx, selectJournal, q.ID)
	if err != nil {
		return f, err
	}
	staff := tx.Identity().AbonneID == ""
	f.Journal, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (e message.Evenement, err error) {
		e.Nature = "contrat"
		err = row.Scan(&e.Instant, &e.Code, &e.Texte, &e.Objet, &e.Par)
		if !staff {
			e.Par = "" // who works here is no business of the portal
		}
		return e, err
	})
	return f, err
}

func tableau(ctx context.Context, tx *function.Tx, _ message.TableauContrats) (t message.ContratsEnChiffres, err error) {
	err = tx.QueryRow(ctx, `select (select count(*) from abonne), count(*) filter (where etat = 'ACTIF'), count(*) filter (where etat = 'A_SIGNER'),
		count(*) filter (where etat in ('EN_RETRACTATION', 'SIGNE')) from contrat`).Scan(&t.Abonnes, &t.Actifs, &t.ASigner, &t.EnCours)
	return t, err
}

func abonneInconnu() error {
	return function.NotFound("abonne_inconnu", "Cet abonné n'existe pas.", "There is no such abonne.")
}
