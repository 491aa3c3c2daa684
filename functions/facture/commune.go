package main

import (
	"cmp"
	"context"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// definirCommune lists a commune or changes what is known of it.
func definirCommune(ctx context.Context, tx *function.Tx, c message.DefinirCommune) (out message.Commune, err error) {
	if err := lockTarifs(ctx, tx); err != nil {
		return out, err
	}
	c.Entite = cmp.Or(c.Entite, "principale")
	var known bool
	if err := tx.QueryRow(ctx, "select exists (select from entite where code = $1)", c.Entite).Scan(&known); err != nil {
		return out, err
	}
	if !known {
		return out, function.Invalid("entite", "entite_inconnue", "L'entité « "+c.Entite+" » n'existe pas.", "There is no entity "+c.Entite+".")
	}
	out = message.Commune{DefinirCommune: c, Connue: true}
	err = tx.QueryRow(ctx, `with saved as (
			insert into commune (code_insee, nom, entite, bassin, rurale, touristique) values ($1, $2, $3, $4, $5, $6)
			on conflict (code_insee) do update set (nom, entite, bassin, rurale, touristique) =
				(excluded.nom, excluded.entite, excluded.bassin, excluded.rurale, excluded.touristique))
		select count(*) from contrat where code_insee = $1`,
		c.CodeINSEE, c.Nom, c.Entite, c.Bassin, c.Rurale, c.Touristique).Scan(&out.Contrats)
	return out, err
}

// communes lists those that are listed and those that contracts name.
func communes(ctx context.Context, tx *function.Tx, _ message.Communes) (l message.ListeCommunes, err error) {
	rows, err := tx.Query(ctx, `select coalesce(c.code_insee, k.code_insee), coalesce(nom, ''), coalesce(entite, 'principale'), coalesce(bassin, ''),
			coalesce(rurale, false), coalesce(touristique, false), c.code_insee is not null, coalesce(k.n, 0)
		from commune c full join (select code_insee, count(*) n from contrat where code_insee <> '' group by 1) k on k.code_insee = c.code_insee
		order by c.nom nulls last, 1`)
	if err != nil {
		return l, err
	}
	l.Communes, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (c message.Commune, err error) {
		err = row.Scan(&c.CodeINSEE, &c.Nom, &c.Entite, &c.Bassin, &c.Rurale, &c.Touristique, &c.Connue, &c.Contrats)
		return c, err
	})
	if err != nil {
		return l, err
	}
	rows, err = tx.Query(ctx, "select code, nom, prefixe from entite order by code")
	if err != nil {
		return l, err
	}
	l.Entites, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.Entite])
	return l, err
}

// accorderProfil has a contract billed by another profile over some days.
func accorderProfil(ctx context.Context, tx *function.Tx, c message.AccorderProfil) (p message.ProfilAccorde, err error) {
	if !c.Du.Before(c.Au) {
		return p, function.Invalid("au", "periode_vide", "La fin doit suivre le début.", "The end must come after the start.")
	}
	p = message.ProfilAccorde{ID: function.NewID(), AccorderProfil: c, AccordeA: tx.Now, AccordePar: tx.Identity().ID}
	var known bool
	if err := tx.QueryRow(ctx, "select exists (select from contrat where id = $1)", c.ContratID).Scan(&known); err != nil {
		return p, err
	}
	if !known {
		return p, function.NotFound("contrat_inconnu", "Ce contrat n'existe pas.", "There is no such contract.")
	}
	tag, err := tx.Exec(ctx, `insert into profil_accorde (id, contrat_id, profil, periode, justificatif, accorde_a, accorde_par)
		values ($1, $2, $3, daterange($4, $5), $6, $7, $8) on conflict do nothing`, p.ID, c.ContratID, c.Profil, c.Du, c.Au, c.Justificatif, p.AccordeA, p.AccordePar)
	if err == nil && tag.RowsAffected() == 0 {
		err = function.Conflict("profils_chevauchants", "Un tarif est déjà accordé à ce contrat sur une partie de ces dates.",
			"A profile is granted to this contract already on part of these dates.")
	}
	return p, err
}

// fermerProfil ends a profile granted on an earlier day.
func fermerProfil(ctx context.Context, tx *function.Tx, c message.FermerProfil) (message.ProfilAccorde, error) {
	all, err := selectProfils(ctx, tx, "id = $1 for update", c.ProfilID)
	if err != nil {
		return message.ProfilAccorde{}, err
	}
	if len(all) == 0 {
		return message.ProfilAccorde{}, function.NotFound("profil_inconnu", "Ce tarif accordé n'existe pas.", "There is no such profile granted.")
	}
	p := all[0]
	if !p.Du.Before(c.Au) || c.Au.After(p.Au) {
		return p, function.Invalid("au", "date_hors_periode",
			"La fin doit être après le "+p.Du.Francais()+", au plus tard le "+p.Au.Francais()+".", "The end must be after "+p.Du.String()+" and not after "+p.Au.String()+".")
	}
	p.Au = c.Au
	_, err = tx.Exec(ctx, "update profil_accorde set periode = daterange(lower(periode), $2) where id = $1", p.ID, p.Au)
	return p, err
}

func profilsAccordes(ctx context.Context, tx *function.Tx, q message.ProfilsAccordes) (l message.ListeProfilsAccordes, err error) {
	l.Profils, err = selectProfils(ctx, tx, "contrat_id = $1 order by periode desc", q.ContratID)
	return l, err
}

func selectProfils(ctx context.Context, tx *function.Tx, where string, id string) ([]message.ProfilAccorde, error) {
	rows, err := tx.Query(ctx, "select id, contrat_id, profil, lower(periode), upper(periode), justificatif, accorde_a, accorde_par from profil_accorde where "+where, id)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (p message.ProfilAccorde, err error) {
		err = row.Scan(&p.ID, &p.ContratID, &p.Profil, &p.Du, &p.Au, &p.Justificatif, &p.AccordeA, &p.AccordePar)
		return p, err
	})
}
