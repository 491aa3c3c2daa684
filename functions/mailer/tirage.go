package main

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// parTirage bounds a tirage: what one PDF and one pair of hands take.
const parTirage = 250

// imprimable tells of a letter that waits whether it can be printed: a bill
// or an avoir is drawn from what facture knows, another needs its address.
const imprimable = "canal = 'COURRIER' and etat = 'QUEUED' and (adresse is not null or texte is null)"

// preparerTirage takes letters of a kind to be printed together. Two people
// who do so at once get different letters.
func preparerTirage(ctx context.Context, tx *function.Tx, c message.PreparerTirage) (message.FicheTirage, error) {
	rows, err := tx.Query(ctx, `select id from envoi where modele = $1 and `+imprimable+` order by id limit $2 for update skip locked`, c.Modele, parTirage)
	if err != nil {
		return message.FicheTirage{}, err
	}
	letters, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return message.FicheTirage{}, err
	}
	if len(letters) == 0 {
		return message.FicheTirage{}, function.Conflict("rien_a_imprimer", "Aucune lettre de cette sorte n'attend d'être imprimée.", "No letter of this kind waits to be printed.")
	}
	id := function.NewID()
	b := &pgx.Batch{}
	b.Queue("insert into tirage (id, modele, lettres, cree_a, cree_par, cree_nom) values ($1, $2, $3, $4, $5, $6)",
		id, c.Modele, len(letters), tx.Now, tx.Identity().ID, tx.Identity().Nom)
	b.Queue(`update envoi e set etat = 'PRINTED', tirage_id = $1, rang = r.rang
		from (select id, row_number() over (order by adresse ->> 'code_postal', adresse ->> 'commune', adresse ->> 'voie', nom, id) rang from envoi where id = any($2)) r
		where e.id = r.id`, id, letters)
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return message.FicheTirage{}, err
	}
	return loadTirage(ctx, tx, id)
}

// posterTirage records that the letters of a tirage are on their way, once.
func posterTirage(ctx context.Context, tx *function.Tx, c message.PosterTirage) (message.FicheTirage, error) {
	var cree, poste message.Date
	err := tx.QueryRow(ctx, "select (cree_a at time zone 'Europe/Paris')::date, poste_le from tirage where id = $1 for update", c.TirageID).Scan(&cree, &poste)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return message.FicheTirage{}, tirageInconnu()
	case err != nil:
		return message.FicheTirage{}, err
	case !poste.IsZero():
		return message.FicheTirage{}, function.Conflict("deja_poste", "Ces lettres ont été postées le "+poste.Francais()+".", "These letters were posted on "+poste.String()+".")
	case c.Le.After(tx.Today()):
		return message.FicheTirage{}, function.Invalid("le", "date_future", "Ce jour est dans le futur.", "This day is in the future.")
	case c.Le.Before(cree):
		return message.FicheTirage{}, function.Invalid("le", "avant_le_tirage", "Ces lettres ont été imprimées le "+cree.Francais()+" : elles n'ont pas été postées avant.", "These letters were printed on "+cree.String()+": they were not posted before.")
	}
	if _, err := tx.Exec(ctx, "update tirage set poste_le = $2, poste_par = $3, poste_nom = $4 where id = $1", c.TirageID, c.Le, tx.Identity().ID, tx.Identity().Nom); err != nil {
		return message.FicheTirage{}, err
	}
	rows, err := tx.Query(ctx, `update envoi set etat = 'SENT', envoye_a = $2 where tirage_id = $1
		returning id, modele, coalesce(reference::text, ''), coalesce(abonne_id::text, ''), $3::date, false`, c.TirageID, tx.Now, c.Le)
	if err != nil {
		return message.FicheTirage{}, err
	}
	faits, err := pgx.CollectRows(rows, pgx.RowToStructByPos[message.EnvoiFait])
	if err != nil {
		return message.FicheTirage{}, err
	}
	for _, fait := range faits {
		tx.Emit(fait.EnvoiID, 0, fait)
	}
	return loadTirage(ctx, tx, c.TirageID)
}

func tirageInconnu() error {
	return function.NotFound("tirage_inconnu", "Ce tirage n'existe pas.", "There is no such run of letters.")
}

const colonnesTirage = "select id, modele, lettres, cree_a, cree_par, cree_nom, poste_le, coalesce(poste_par, ''), coalesce(poste_nom, '') from tirage "

// tirages lists what waits and what was printed, the newest first.
func tirages(ctx context.Context, tx *function.Tx, q message.Tirages) (page message.PageTirages, err error) {
	rows, err := tx.Query(ctx, `select modele, count(*)::int, count(*) filter (where not (`+imprimable+`))::int, min(cree_a)
		from envoi where canal = 'COURRIER' and etat = 'QUEUED' group by modele order by modele`)
	if err != nil {
		return page, err
	}
	if page.Attente, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.LettresEnAttente]); err != nil {
		return page, err
	}
	rows, err = tx.Query(ctx, colonnesTirage+"where $1 = '' or id < nullif($1, '')::uuid order by id desc limit $2", q.Curseur, q.Size()+1)
	if err != nil {
		return page, err
	}
	page.Items, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.Tirage])
	if n := q.Size(); err == nil && len(page.Items) > n {
		page.Items, page.Suivant = page.Items[:n], page.Items[n-1].ID
	}
	return page, err
}

func tirageParID(ctx context.Context, tx *function.Tx, q message.TirageParID) (message.FicheTirage, error) {
	return loadTirage(ctx, tx, q.ID)
}

func loadTirage(ctx context.Context, tx *function.Tx, id string) (f message.FicheTirage, err error) {
	rows, err := tx.Query(ctx, colonnesTirage+"where id = $1", id)
	if err != nil {
		return f, err
	}
	f.Tirage, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[message.Tirage])
	if errors.Is(err, pgx.ErrNoRows) {
		return f, tirageInconnu()
	}
	if err != nil {
		return f, err
	}
	rows, err = tx.Query(ctx, colonnesEnvoi+"from envoi where tirage_id = $1 order by rang", id)
	if err != nil {
		return f, err
	}
	f.Envois, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.Envoi])
	return f, err
}

// lettresDuTirage is what the letters of a tirage say, as often as they are
// printed. What facture draws itself is named only.
func lettresDuTirage(ctx context.Context, tx *function.Tx, q message.LettresDuTirage) (l message.ImprimerLettres, err error) {
	rows, err := tx.Query(ctx, `select case when texte is null then reference::text else '' end, nom, coalesce(adresse, '{}'), (cree_a at time zone 'Europe/Paris')::date, objet, coalesce(texte, ''), coalesce(reference::text, '')
		from envoi where tirage_id = $1 order by rang`, q.TirageID)
	if err != nil {
		return l, err
	}
	l.Lettres, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.Lettre])
	if err == nil && len(l.Lettres) == 0 {
		err = tirageInconnu()
	}
	l.Titre = "Lettres " + q.TirageID[len(q.TirageID)-6:]
	return l, err
}
