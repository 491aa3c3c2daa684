package main

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// sommes are the sums of the chunks t of a lot, as message.SommesDeLot.
const sommes = `coalesce(sum(t.factures), 0)::bigint, coalesce(sum(t.volume_litres), 0)::bigint, coalesce(sum(t.ht_centimes), 0)::bigint,
	coalesce(sum(t.tva_centimes), 0)::bigint, coalesce(sum(t.ttc_centimes), 0)::bigint, coalesce(sum(t.erreurs), 0)::bigint, coalesce(sum(t.estimees), 0)::bigint,
	jsonb_build_array(jsonb_build_object('code', 'distribution', 'ht_centimes', coalesce(sum(t.distribution_centimes), 0)),
		jsonb_build_object('code', 'eaux_usees', 'ht_centimes', coalesce(sum(t.eaux_usees_centimes), 0)),
		jsonb_build_object('code', 'organismes_publics', 'ht_centimes', coalesce(sum(t.organismes_centimes), 0)))`

func scanSommes(s *message.SommesDeLot) []any {
	return []any{&s.Factures, &s.VolumeLitres, &s.HTCentimes, &s.TVACentimes, &s.TTCCentimes, &s.EnErreur, &s.Estimees, &s.Rubriques}
}

// rapportLot is what a second person looks at before a lot is approved.
func rapportLot(ctx context.Context, tx *function.Tx, q message.RapportLot) (r message.RapportDeLot, err error) {
	lot, err := loadLot(ctx, tx, q.LotID)
	if err != nil {
		return r, err
	}
	b := &pgx.Batch{}
	b.Queue("select "+sommes+" from lot_tranche t where lot_id = $1", q.LotID).QueryRow(func(row pgx.Row) error { return row.Scan(scanSommes(&r.Actuel)...) })
	collect(b, &r.TVA, pgx.RowToStructByPos[message.TVAFacture], `select taux_pm, sum(base_centimes)::bigint, sum(montant_centimes)::bigint
		from lot_tranche, jsonb_to_recordset(taux) as x (taux_pm bigint, base_centimes bigint, montant_centimes bigint) where lot_id = $1 group by 1 order by 1`, q.LotID)
	collect(b, &r.Erreurs, pgx.RowToStructByPos[message.CauseErreur],
		"select code, min(detail), min(detail_en), count(*) from lot_erreur where lot_id = $1 group by code order by count(*) desc, code", q.LotID)
	b.Queue(`select count(*) from contrat c where depuis < $2 and ($3 = '' or code_insee = $3) and ($4 = '' or profil = $4) and ($5 = '' or secteur = $5)
		and exists (select from facture f where f.contrat_id = c.id and f.periode && daterange($1, $2) and f.lot_id is distinct from $6
			and f.nature in ('FACTURE', 'SOLDE') and f.etat <> 'ANNULEE_PAR_AVOIR')`, lot.Du, lot.Au, lot.Commune, lot.Profil, lot.Secteur, q.LotID).
		QueryRow(func(row pgx.Row) error { return row.Scan(&r.DejaFacturees) })
	b.Queue(`select forte_centimes, fort_litres, source from controle_lot
		where entite in ('principale', (select min(entite) from lot_numeros where lot_id = $1)) order by entite = 'principale' limit 1`, q.LotID).
		QueryRow(func(row pgx.Row) error { return row.Scan(&r.FortesCentimes, &r.FortsLitres, &r.Source) })
	b.Queue(`select l.id, l.libelle, l.du, l.au, `+sommes+` from lot l join lot_tranche t on t.lot_id = l.id
		where l.id <> $1 and l.etat = 'EMIS' and (l.commune, l.profil, l.secteur) = ($2, $3, $4) and l.du < $5 group by l.id order by l.du desc, l.cree_a desc limit 1`,
		q.LotID, lot.Commune, lot.Profil, lot.Secteur, lot.Du).QueryRow(func(row pgx.Row) error {
		var p message.LotPrecedent
		err := row.Scan(append([]any{&p.ID, &p.Libelle, &p.Du, &p.Au}, scanSommes(&p.SommesDeLot)...)...)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		r.Precedent = &p
		return err
	})
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return r, err
	}
	if r.Precedent != nil {
		err = tx.QueryRow(ctx, `select count(*) from facture f where lot_id = $1
			and not exists (select from facture n where n.lot_id = $2 and n.contrat = f.contrat)`, r.Precedent.ID, q.LotID).Scan(&r.Disparus)
		if err != nil {
			return r, err
		}
	}
	r.Signes, err = signes(ctx, tx, q.LotID, r.FortesCentimes, r.FortsLitres)
	return r, err
}

// collect queues a query whose rows go to a slice, which is never nil.
func collect[T any](b *pgx.Batch, into *[]T, scan pgx.RowToFunc[T], sql string, args ...any) {
	b.Queue(sql, args...).Query(func(rows pgx.Rows) (err error) {
		*into, err = pgx.CollectRows(rows, scan)
		return err
	})
}

// signes are the bills of a lot that somebody should look at.
func signes(ctx context.Context, tx *function.Tx, lotID string, fortes, forts int64) ([]message.SigneFacture, error) {
	rows, err := tx.Query(ctx, `
		with vues as (
			select s.signe, f.id, f.contrat, f.nom, f.volume_litres, f.ttc_centimes,
				count(*) over (partition by s.signe) nombre, row_number() over (partition by s.signe order by abs(f.ttc_centimes) desc, f.contrat) rang
			from facture f cross join lateral (values ('NULLE', ttc_centimes = 0 or volume_litres = 0), ('NEGATIVE', ttc_centimes < 0),
				('FORTE', ttc_centimes >= $2 or volume_litres >= $3), ('ANORMALE', anormale), ('ESTIMEE', estimee)) s (signe, vu)
			where f.lot_id = $1 and s.vu and f.nature = 'FACTURE'
		)
		select signe, max(nombre), jsonb_agg(jsonb_build_object('id', id, 'contrat', contrat, 'nom', nom, 'volume_litres', volume_litres, 'ttc_centimes', ttc_centimes) order by rang)
		from vues where rang <= 20 group by signe order by array_position(array['NEGATIVE', 'FORTE', 'ANORMALE', 'NULLE', 'ESTIMEE'], signe)`, lotID, fortes, forts)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[message.SigneFacture])
}
