package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// parAnnonce is how many issued bills one event names.
const parAnnonce = 100

// emettreLot reserves the numbers of an approved lot and asks for its chunks
// to be issued.
//
// Numbers are reserved once, here, in a transaction that touches no bill; each
// chunk knows the number before its first, so chunks are issued in any order,
// at the same time, and again after a crash, and always give the same bill the
// same number. What could refuse a chunk later is refused now, because a
// number reserved must be given: dates that would go back, a month that is
// closed, bills that are not those that were counted.
func emettreLot(ctx context.Context, tx *function.Tx, c message.EmettreLot) (message.Lot, error) {
	lot, err := lockLot(ctx, tx, c.LotID)
	if err != nil {
		return message.Lot{}, err
	}
	switch lot.etat {
	case "EMISSION", "EMIS": // asked before
		return loadLot(ctx, tx, c.LotID)
	case "CONTROLE":
	case "CALCULE":
		return message.Lot{}, function.Conflict("lot_pas_approuve",
			"Une seconde personne doit d'abord approuver ce lot.", "A second person has to approve this lot first.")
	default:
		return message.Lot{}, function.Conflict("lot_pas_calcule",
			"Seul un lot approuvé peut être émis ; celui-ci est "+lot.etat+".", "Only an approved lot can be issued; this one is "+lot.etat+".")
	}
	// No month closes until this is committed; then closing sees the lot.
	if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock_shared(hashtext('facture.cloture'))"); err != nil {
		return message.Lot{}, err
	}
	parts, err := parEntite(ctx, tx, c.LotID)
	if err != nil {
		return message.Lot{}, err
	}
	for _, p := range parts {
		if p.Factures != p.Comptees {
			return message.Lot{}, function.Conflict("lot_modifie",
				"Les factures de ce lot ne sont plus celles qui ont été contrôlées : rejetez-le et préparez-le à nouveau.",
				"The bills of this lot are not those that were counted any more: reject it and prepare it again.")
		}
		if err := periodeOuverte(ctx, tx, p.Entite, lot.dateFacturation); err != nil {
			return message.Lot{}, err
		}
		serie, base, err := reserver(ctx, tx, p.Entite, "FACTURE", lot.dateFacturation, p.Factures)
		if err != nil {
			return message.Lot{}, err
		}
		if _, err := tx.Exec(ctx, `update lot_numeros n set serie = $3, base = $4 + r.before
			from (select tranche, sum(factures) over (order by tranche) - factures before from lot_numeros where lot_id = $1 and entite = $2) r
			where n.lot_id = $1 and n.entite = $2 and n.tranche = r.tranche`, c.LotID, p.Entite, serie, base); err != nil {
			return message.Lot{}, err
		}
	}
	// A chunk without a bill has nothing to issue.
	if _, err := tx.Exec(ctx, `with vides as (update lot_tranche set emise_a = $2 where lot_id = $1 and factures = 0 returning 1)
		update lot set etat = 'EMISSION', faites = (select count(*) from vides), relances = -1 where id = $1`, c.LotID, tx.Now); err != nil {
		return message.Lot{}, err
	}
	if err := relancer(ctx, tx, c.LotID, "EMISSION"); err != nil {
		return message.Lot{}, err
	}
	return loadLot(ctx, tx, c.LotID)
}

// part is how many bills of a lot an entity issues: as its chunks counted
// them, and as they are there.
type part struct {
	Entite             string
	Factures, Comptees int64
}

// parEntite are the parts of a lot, in the order in which everybody locks series.
func parEntite(ctx context.Context, tx *function.Tx, lotID string) ([]part, error) {
	rows, err := tx.Query(ctx, `select entite, coalesce(n.factures, 0)::bigint, coalesce(f.factures, 0)
		from (select entite, sum(factures) factures from lot_numeros where lot_id = $1 group by entite) n
		full join (select entite, count(*) factures from facture where lot_id = $1 and etat = 'CALCULEE' group by entite) f using (entite)
		order by entite`, lotID)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[part])
}

// emettreTranche issues a chunk of a lot, once: a number for each bill in
// order of contract, its entry in the journal, its seal and that of bills
// after it that waited for it, and the events that tell of them. The lot is
// EMIS with its last chunk.
func emettreTranche(ctx context.Context, tx *function.Tx, e message.TrancheAEmettre) error {
	var factures int
	var de, a string
	var series []string
	err := tx.QueryRow(ctx, `update lot_tranche t set emise_a = $3 from lot l
		where t.lot_id = $1 and t.tranche = $2 and t.emise_a is null and l.id = t.lot_id and l.etat = 'EMISSION'
		returning t.factures, t.de, t.a, array(select serie from lot_numeros n where n.lot_id = t.lot_id and n.tranche = t.tranche order by serie)`,
		e.LotID, e.Tranche, tx.Now).Scan(&factures, &de, &a, &series)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil // issued before
	}
	if err != nil {
		return err
	}
	rows, err := tx.Query(ctx, emettreFactures, e.LotID, e.Tranche, de, a, tx.Now)
	if err != nil {
		return err
	}
	bills, err := pgx.CollectRows(rows, pgx.RowToStructByPos[message.FactureEmise])
	if err != nil {
		return err
	}
	if len(bills) != factures {
		return fmt.Errorf("chunk %d of lot %s has %d bills to issue, and %d numbers", e.Tranche, e.LotID, len(bills), factures)
	}
	for start := 0; start < len(bills); start += parAnnonce {
		tx.Emit(e.LotID, 0, message.FacturesEmises{LotID: e.LotID, Factures: bills[start:min(start+parAnnonce, len(bills))]})
	}
	// Last, because chunks wait for each other here: to seal in order, and for their lot.
	for _, serie := range series {
		if err := scellerSerie(ctx, tx, message.SerieASceller{Serie: serie}); err != nil {
			return err
		}
	}
	_, err = tx.Exec(ctx, `update lot set faites = faites + 1, etat = case when faites + 1 = tranches then 'EMIS' else etat end,
			emis_a = case when faites + 1 = tranches then $2::timestamptz end where id = $1 and etat = 'EMISSION'`, e.LotID, tx.Now)
	return err
}

// emettreFactures numbers and books the bills of a chunk in one statement: the
// abonne owes TTC, the service earned HT by rubrique, the State is owed VAT, now
// or once it is paid. A negative sum changes sides. Which bill gets which
// number is settled first: statistics of the table know of no bill without a
// number, so the planner would have it settled again for each of a lot.
const emettreFactures = `
	with places as materialized (
		select f.id, n.serie, n.base + row_number() over (partition by f.entite order by f.contrat, f.id) rang
		from facture f join lot_numeros n on n.lot_id = f.lot_id and n.tranche = $2 and n.entite = f.entite
		where f.lot_id = $1 and f.contrat between $3 and $4
	), emises as (
		update facture f set serie = p.serie, rang = p.rang, numero = p.serie || '-' || lpad(p.rang::text, greatest(6, length(p.rang::text)), '0'), emise_a = $5,
			etat = case when ttc_centimes <= 0 then 'PAYEE' else 'EMISE' end
		from places p
		where f.id = p.id
		returning f.id, f.serie, f.rang, f.numero, f.entite, f.date_facturation, f.echeance, f.contrat_id, f.abonne_id, f.nom, f.email,
			f.ttc_centimes, f.tva_centimes, f.distribution_centimes, f.eaux_usees_centimes, f.organismes_centimes
	), entrees as (
		insert into ecriture (id, date, piece, libelle, entite) select id, date_facturation, numero, 'Facture ' || numero || ' ' || nom, entite from emises
	), mouvements as (
		insert into mouvement (ecriture_id, compte, debit_centimes, credit_centimes)
		select id, m.compte, greatest(m.centimes, 0), greatest(-m.centimes, 0) from emises
		join (select code, case exigibilite_du(code, (select date_facturation from lot where id = $1)) when 'ENCAISSEMENTS' then '4458' else '44571' end compte from entite) t on t.code = emises.entite
		cross join lateral (values ('411', ttc_centimes), (case when ttc_centimes > 0 then t.compte else '44571' end, -tva_centimes),
			('70111', -distribution_centimes), ('70611', -eaux_usees_centimes), ('70128', -organismes_centimes)) m (compte, centimes)
		where m.centimes <> 0
	)
	select id, numero, contrat_id, abonne_id, nom, email, ttc_centimes, echeance from emises order by serie, rang`
