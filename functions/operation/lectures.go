package main

import (
	"context"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// The cursor of every list is the id of the last row shown.

const selectReleve = `
	select r.id, coalesce(r.tournee_id::text, ''), r.contrat_id, c.abonne_id, c.pdl, p.compteur, r.pose_id, r.date, r.index,
		r.source, r.etat, r.volume_litres, r.jours, r.motifs, c.nom, c.adresse
	from releve r join contrat c on c.id = r.contrat_id join pose p on p.id = r.pose_id`

// ligneReleve is a row of selectReleve.
type ligneReleve struct {
	message.Releve
	nom, adresse string
}

// columns are where its columns go.
func (r *ligneReleve) columns() []any {
	return []any{&r.ID, &r.TourneeID, &r.ContratID, &r.AbonneID, &r.PDL, &r.Compteur, &r.PoseID, &r.Date, &r.Index,
		&r.Source, &r.Etat, &r.VolumeLitres, &r.Jours, &r.Motifs, &r.nom, &r.adresse}
}

func scanReleve(row pgx.CollectableRow) (r ligneReleve, err error) {
	err = row.Scan(r.columns()...)
	return r, err
}

func releveParID(ctx context.Context, tx *function.Tx, id string) (message.Releve, error) {
	rows, err := tx.Query(ctx, selectReleve+` where r.id = $1`, id)
	if err != nil {
		return message.Releve{}, err
	}
	r, err := pgx.CollectExactlyOneRow(rows, scanReleve)
	return r.Releve, err
}

// tournees lists rounds, the newest first.
func tournees(ctx context.Context, tx *function.Tx, q message.Tournees) (page message.PageTournees, err error) {
	rows, err := tx.Query(ctx, `
		select t.id, t.libelle, t.importee_a, t.lignes, t.valides, t.estimees, t.suspectes,
			(select count(*) from releve r where r.tournee_id = t.id and r.etat = 'SUSPECTE')
		from tournee t
		where $2 = '' or t.id < nullif($2, '')::uuid
		order by t.id desc limit $1`, q.Size()+1, q.Curseur)
	if err != nil {
		return page, err
	}
	page.Items, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (message.Tournee, error) {
		t := message.Tournee{Politique: "LIGNES_VALIDES_IMPORTEES", Rejets: []message.LigneRejetee{}}
		err := row.Scan(&t.ID, &t.Libelle, &t.ImporteeA, &t.Lignes, &t.Valides, &t.Estimees, &t.Suspectes, &t.EnAttente)
		return t, err
	})
	if n := q.Size(); len(page.Items) > n {
		page.Items, page.Suivant = page.Items[:n], page.Items[n-1].ID
	}
	return page, err
}

// historiqueMontre is the number of earlier readings that help to decide.
const historiqueMontre = 8

// suspects lists the queue, the oldest first, each with what came before it.
func suspects(ctx context.Context, tx *function.Tx, q message.Suspects) (page message.PageSuspects, err error) {
	rows, err := tx.Query(ctx, selectReleve+`
		where r.etat = 'SUSPECTE' and ($2 = '' or r.id > nullif($2, '')::uuid)
		order by r.id limit $1`, q.Size()+1, q.Curseur)
	if err != nil {
		return page, err
	}
	found, err := pgx.CollectRows(rows, scanReleve)
	if err != nil {
		return page, err
	}
	if n := q.Size(); len(found) > n {
		found, page.Suivant = found[:n], found[n-1].ID
	}
	ids := make([]string, len(found))
	places := make(map[string]int, len(found))
	page.Items = make([]message.ReleveSuspect, len(found))
	for i, r := range found {
		ids[i], places[r.ID] = r.ID, i
		page.Items[i] = message.ReleveSuspect{Releve: r.Releve, Nom: r.nom, Adresse: r.adresse, Historique: []message.Releve{}}
	}
	rows, err = tx.Query(ctx, `select s.id, h.* from releve s cross join lateral (`+selectReleve+`
			where r.contrat_id = s.contrat_id and r.date < s.date and r.etat in ('VALIDEE', 'CONFIRMEE', 'ESTIMEE', 'REMPLACEE')
			order by r.date desc, r.id desc limit $2) h
		where s.id = any($1) order by s.id, h.date, h.id`, ids, historiqueMontre)
	if err != nil {
		return page, err
	}
	type earlier struct {
		of string
		ligneReleve
	}
	history, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (h earlier, err error) {
		err = row.Scan(append([]any{&h.of}, h.columns()...)...)
		return h, err
	})
	if err != nil {
		return page, err
	}
	for _, h := range history {
		s := &page.Items[places[h.of]]
		s.Historique = append(s.Historique, h.Releve)
	}
	return page, tx.QueryRow(ctx, `select count(*) from releve where etat = 'SUSPECTE'`).Scan(&page.Total)
}

// releves lists the readings of an abonne or a PDL, the newest first. An
// abonne sees their own only, whatever is asked.
func releves(ctx context.Context, tx *function.Tx, q message.Releves) (page message.PageReleves, err error) {
	unknown := function.NotFound("abonne_inconnu", "Aucun relevé n'est connu sous cet identifiant.", "No reading is known under this id.")
	own := tx.Identity().AbonneID
	if q.AbonneID != "" && !tx.Identity().Owns(q.AbonneID) {
		return page, unknown
	}
	if q.AbonneID == "" && own != "" {
		var mine bool
		if err := tx.QueryRow(ctx, `select exists (select from contrat where pdl_id = $1 and abonne_id = $2)`, q.PDLID, own).Scan(&mine); err != nil {
			return page, err
		}
		if !mine {
			return page, unknown
		}
		q.AbonneID = own
	}
	rows, err := tx.Query(ctx, selectReleve+`
		where ($2 = '' or c.abonne_id = nullif($2, '')::uuid) and ($3 = '' or c.pdl_id = nullif($3, '')::uuid)
			and ($4 = '' or (r.date, r.id) < (select date, id from releve where id = nullif($4, '')::uuid))
		order by r.date desc, r.id desc limit $1`, q.Size()+1, q.AbonneID, q.PDLID, q.Curseur)
	if err != nil {
		return page, err
	}
	page.Items, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (message.Releve, error) {
		r, err := scanReleve(row)
		return r.Releve, err
	})
	if n := q.Size(); len(page.Items) > n {
		page.Items, page.Suivant = page.Items[:n], page.Items[n-1].ID
	}
	return page, err
}

// tableau counts for the dashboard; volumes are those that may be billed.
func tableau(ctx context.Context, tx *function.Tx, _ message.TableauReleves) (t message.RelevesEnChiffres, err error) {
	if err := tx.QueryRow(ctx, `select (select count(*) from pose where au is null), (select count(*) from releve where etat = 'SUSPECTE')`).
		Scan(&t.Compteurs, &t.Suspects); err != nil {
		return t, err
	}
	rows, err := tx.Query(ctx, `
		select to_char(date, 'YYYY-MM'), sum(volume_litres)::bigint from releve
		where etat in ('VALIDEE', 'CONFIRMEE', 'ESTIMEE') and source <> 'POSE' and date > $1 group by 1 order by 1`, tx.Today().AddDays(-2*annee))
	if err != nil {
		return t, err
	}
	t.Volumes, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.VolumePeriode])
	return t, err
}
