package main

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// parAnnonce is how many issued bills one event names.
const parAnnonce = 100

// emettre issues a lot in one transaction: a contiguous block of the series,
// which stays locked to the end, a number for each bill in order of contract,
// its entry in the journal, and the events that tell of them.
func emettre(ctx context.Context, tx *function.Tx, e message.LotAEmettre) error {
	etat, err := lockLot(ctx, tx, e.LotID)
	if err != nil || etat == "EMIS" {
		return err
	}
	if etat != "EMISSION" {
		return function.Conflict("lot_pas_approuve", "L'émission de ce lot n'a pas été demandée.", "Nobody asked to issue this lot.")
	}
	parts, err := parEntite(ctx, tx, e.LotID)
	if err != nil {
		return err
	}
	var date message.Date
	if err := tx.QueryRow(ctx, "select date_facturation from lot where id = $1", e.LotID).Scan(&date); err != nil {
		return err
	}
	for _, part := range parts {
		err := chronological(ctx, tx, part.Entite, "FACTURE", date, forUpdate)
		if p := (*message.Problem)(nil); errors.As(err, &p) {
			// A bill with a later date was issued since this was asked: the lot waits for a person again.
			_, err := tx.Exec(ctx, "update lot set etat = 'CALCULE' where id = $1", e.LotID)
			return err
		}
		if err != nil {
			return err
		}
	}
	b := &pgx.Batch{}
	for _, part := range parts {
		serie, base, err := reserver(ctx, tx, part.Entite, "FACTURE", date, part.Factures)
		if err != nil {
			return err
		}
		b.Queue(`update facture f set serie = $3, rang = $4 + r.n, numero = $3 || '-' || lpad(($4 + r.n)::text, 6, '0'), emise_a = $5,
				etat = case when ttc_centimes <= 0 then 'PAYEE' else 'EMISE' end
			from (select id, row_number() over (order by contrat) n from facture where lot_id = $1 and entite = $2) r
			where f.id = r.id`, e.LotID, part.Entite, serie, base, tx.Now)
	}
	b.Queue(`insert into ecriture (id, date, piece, libelle, entite)
		select id, date_facturation, numero, 'Facture ' || numero || ' ' || nom, entite from facture where lot_id = $1`, e.LotID)
	b.Queue(journalFactures, e.LotID)
	b.Queue("update lot set etat = 'EMIS', emis_a = $2 where id = $1", e.LotID, tx.Now)
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return err
	}
	return annoncer(ctx, tx, e.LotID)
}

// part is how many bills of a lot an entity issues.
type part struct {
	Entite   string
	Factures int64
}

// parEntite are the parts of a lot, in the order in which everybody locks series.
func parEntite(ctx context.Context, tx *function.Tx, lotID string) ([]part, error) {
	rows, err := tx.Query(ctx, "select entite, count(*) from facture where lot_id = $1 group by entite order by entite", lotID)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[part])
}

// journalFactures books the bills of a lot: the abonne owes TTC, the service
// earned HT by rubrique, the State is owed VAT. A negative sum changes sides.
const journalFactures = `insert into mouvement (ecriture_id, compte, debit_centimes, credit_centimes)
	select id, compte, greatest(montant, 0), greatest(-montant, 0) from (
		select id, '411' compte, ttc_centimes montant from facture where lot_id = $1
		union all
		select id, '44571', -tva_centimes from facture where lot_id = $1
		union all
		select f.id, case l ->> 'rubrique' when 'distribution' then '70111' when 'eaux_usees' then '70611' else '70128' end,
			-sum((l ->> 'ht_centimes')::bigint)::bigint
		from facture f, jsonb_array_elements(f.lignes) l where f.lot_id = $1 group by 1, 2
	) m where montant <> 0`

// annoncer tells of every bill of an issued lot.
func annoncer(ctx context.Context, tx *function.Tx, lotID string) error {
	rows, err := tx.Query(ctx, `select id, numero, contrat_id, abonne_id, nom, email, ttc_centimes, echeance from facture where lot_id = $1 order by rang`, lotID)
	if err != nil {
		return err
	}
	bills, err := pgx.CollectRows(rows, pgx.RowToStructByPos[message.FactureEmise])
	if err != nil {
		return err
	}
	for start := 0; start < len(bills); start += parAnnonce {
		tx.Emit(lotID, 0, message.FacturesEmises{LotID: lotID, Factures: bills[start:min(start+parAnnonce, len(bills))]})
	}
	return nil
}
