package main

import (
	"context"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// parTranche is how many contracts one event asks to price: small enough to
// spread over instances and to be done well within a delivery's time.
const parTranche = 50

// preparerLot starts a billing run and returns at once; its chunks travel as
// events.
func preparerLot(ctx context.Context, tx *function.Tx, c message.PreparerLot) (message.Lot, error) {
	if err := checkDates(ctx, tx, c); err != nil {
		return message.Lot{}, err
	}
	rows, err := tx.Query(ctx, `select id from contrat c
		where depuis < $2 and not exists (select from facture f where f.contrat_id = c.id and f.periode && daterange($1, $2)
			and f.nature in ('FACTURE', 'SOLDE') and f.etat <> 'ANNULEE_PAR_AVOIR')
		order by numero`, c.Du, c.Au)
	if err != nil {
		return message.Lot{}, err
	}
	contrats, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return message.Lot{}, err
	}
	if len(contrats) == 0 {
		return message.Lot{}, function.Refused("lot_vide",
			"Aucun contrat n'est à facturer sur cette période : tous le sont déjà, ou aucun n'est actif.",
			"No contract is left to bill for this period.")
	}
	id := function.NewID()
	tranches := (len(contrats) + parTranche - 1) / parTranche
	tag, err := tx.Exec(ctx, `insert into lot (id, libelle, etat, du, au, date_facturation, echeance, contrats, tranches, cree_a, cree_par)
		values ($1, $2, 'PREPARE', $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing`,
		id, c.Libelle, c.Du, c.Au, c.DateFacturation, c.Echeance, len(contrats), tranches, tx.Now, tx.Identity().ID)
	if err != nil {
		return message.Lot{}, err
	}
	if tag.RowsAffected() == 0 {
		return message.Lot{}, function.Conflict("lot_en_cours",
			"Un autre lot est en cours sur cette période ; émettez-le ou rejetez-le d'abord.",
			"Another lot is under way for this period; issue or reject it first.")
	}
	for i := range tranches {
		chunk := contrats[i*parTranche : min((i+1)*parTranche, len(contrats))]
		tx.Emit(id, 0, message.LotACalculer{LotID: id, Tranche: i, Contrats: chunk})
	}
	return loadLot(ctx, tx, id)
}

// checkDates refuses a lot whose dates break a rule.
func checkDates(ctx context.Context, tx *function.Tx, c message.PreparerLot) error {
	switch {
	case !c.Du.Before(c.Au):
		return function.Invalid("au", "periode_vide", "La fin doit suivre le début.", "The end must come after the start.")
	case c.Au.DaysSince(c.Du) > 731:
		return function.Invalid("au", "periode_longue", "Une période couvre deux ans au plus.", "A period covers at most two years.")
	case c.DateFacturation.Before(c.Au):
		return function.Invalid("date_facturation", "date_facturation_avant_periode",
			"La consommation se facture après la période.", "Consumption is billed after the period.")
	case c.DateFacturation.After(tx.Today().AddDays(31)):
		return function.Invalid("date_facturation", "date_future", "Au plus un mois d'avance.", "At most one month ahead.")
	case c.Echeance.DaysSince(c.DateFacturation) < 14:
		return function.Invalid("echeance", "echeance_courte",
			"L'échéance laisse au moins 14 jours.", "The due date leaves at least 14 days.")
	}
	rows, err := tx.Query(ctx, `select distinct coalesce(co.entite, 'principale')
		from contrat c left join commune co using (code_insee) where depuis < $1`, c.Au)
	if err != nil {
		return err
	}
	entites, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, entite := range entites {
		if err := chronological(ctx, tx, entite, "FACTURE", c.DateFacturation, ""); err != nil {
			return err
		}
	}
	return nil
}

// emettreLot asks for the emission of a computed lot.
func emettreLot(ctx context.Context, tx *function.Tx, c message.EmettreLot) (message.Lot, error) {
	etat, err := lockLot(ctx, tx, c.LotID)
	if err != nil {
		return message.Lot{}, err
	}
	switch etat {
	case "EMISSION", "EMIS": // asked before
		return loadLot(ctx, tx, c.LotID)
	case "CALCULE":
	default:
		return message.Lot{}, function.Conflict("lot_pas_calcule",
			"Seul un lot calculé peut être émis ; celui-ci est "+etat+".", "Only a computed lot can be issued; this one is "+etat+".")
	}
	parts, err := parEntite(ctx, tx, c.LotID)
	if err != nil {
		return message.Lot{}, err
	}
	if len(parts) == 0 {
		return message.Lot{}, function.Refused("lot_sans_facture", "Ce lot ne contient aucune facture.", "This lot holds no bill.")
	}
	var date message.Date
	if err := tx.QueryRow(ctx, "select date_facturation from lot where id = $1", c.LotID).Scan(&date); err != nil {
		return message.Lot{}, err
	}
	for _, part := range parts {
		if err := chronological(ctx, tx, part.Entite, "FACTURE", date, ""); err != nil {
			return message.Lot{}, err
		}
	}
	if _, err := tx.Exec(ctx, "update lot set etat = 'EMISSION' where id = $1", c.LotID); err != nil {
		return message.Lot{}, err
	}
	tx.Emit(c.LotID, 0, message.LotAEmettre(c))
	return loadLot(ctx, tx, c.LotID)
}

// rejeterLot drops a computed lot: its bills had no number, so none is lost.
func rejeterLot(ctx context.Context, tx *function.Tx, c message.RejeterLot) (message.Lot, error) {
	etat, err := lockLot(ctx, tx, c.LotID)
	if err != nil {
		return message.Lot{}, err
	}
	if etat != "CALCULE" {
		return message.Lot{}, function.Conflict("lot_pas_calcule",
			"Seul un lot calculé peut être rejeté ; celui-ci est "+etat+".", "Only a computed lot can be rejected; this one is "+etat+".")
	}
	b := &pgx.Batch{}
	b.Queue("delete from facture where lot_id = $1", c.LotID)
	b.Queue("update lot set etat = 'REJETE', motif = $2 where id = $1", c.LotID, c.Motif)
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return message.Lot{}, err
	}
	return loadLot(ctx, tx, c.LotID)
}

func lockLot(ctx context.Context, tx *function.Tx, id string) (etat string, err error) {
	err = tx.QueryRow(ctx, "select etat from lot where id = $1 for update", id).Scan(&etat)
	if err == pgx.ErrNoRows {
		return "", lotInconnu()
	}
	return etat, err
}

func lotInconnu() error {
	return function.NotFound("lot_inconnu", "Ce lot n'existe pas.", "There is no such lot.")
}

func lotParID(ctx context.Context, tx *function.Tx, q message.LotParID) (message.Lot, error) {
	return loadLot(ctx, tx, q.ID)
}

func loadLot(ctx context.Context, tx *function.Tx, id string) (message.Lot, error) {
	all, err := selectLots(ctx, tx, "l.id = $1", id)
	if err != nil {
		return message.Lot{}, err
	}
	if len(all) == 0 {
		return message.Lot{}, lotInconnu()
	}
	lot := all[0]
	rows, err := tx.Query(ctx, `select contrat_id, numero, code, detail, detail_en from lot_erreur where lot_id = $1 order by numero limit 100`, id)
	if err != nil {
		return lot, err
	}
	lot.Erreurs, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.LotErreur])
	if err != nil {
		return lot, err
	}
	rows, err = tx.Query(ctx, `select l ->> 'rubrique', sum((l ->> 'ht_centimes')::bigint)::bigint
		from facture f, jsonb_array_elements(f.lignes) l where lot_id = $1 group by 1 order by 1`, id)
	if err != nil {
		return lot, err
	}
	lot.Rubriques, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.Rubrique])
	return lot, err
}

// lots lists billing runs, the newest first.
func lots(ctx context.Context, tx *function.Tx, q message.Lots) (page message.PageLots, err error) {
	after, err := readCursor(q.Curseur)
	if err != nil {
		return page, err
	}
	page.Items, err = selectLots(ctx, tx, "$1 = '' or (l.cree_a, l.id::text) < ($1::timestamptz, $2) order by l.cree_a desc, l.id::text desc limit $3",
		after.key, after.id, q.Size()+1)
	if err != nil {
		return page, err
	}
	if n := q.Size(); len(page.Items) > n {
		page.Items = page.Items[:n]
		last := page.Items[n-1]
		page.Suivant = cursor{last.CreeA.Format(instant), last.ID}.String()
	}
	return page, nil
}

// selectLots reads lots with their sums. While a lot has no numbers yet, the
// numbers that it would take stand in their place: those of the first entity
// when several issue its bills.
func selectLots(ctx context.Context, tx *function.Tx, where string, args ...any) ([]message.Lot, error) {
	rows, err := tx.Query(ctx, `select l.id, l.libelle, l.etat, l.du, l.au, l.date_facturation, l.echeance, l.contrats,
			f.n, (select count(*) from lot_erreur e where e.lot_id = l.id), f.ht, f.tva, f.ttc, f.volume,
			coalesce(n.serie, ''), coalesce(n.premier, 0), coalesce(n.dernier, 0), l.cree_a, l.emis_a
		from lot l
		cross join lateral (select count(*) n, coalesce(sum(ht_centimes), 0)::bigint ht, coalesce(sum(tva_centimes), 0)::bigint tva,
			coalesce(sum(ttc_centimes), 0)::bigint ttc, coalesce(sum(volume_litres), 0)::bigint volume
			from facture where lot_id = l.id) f
		left join lateral (select coalesce(f.serie, s.code, concat_ws('-', nullif(e.prefixe, ''), 'F' || extract(year from l.date_facturation))) serie,
				coalesce(min(rang), s.dernier + 1, 1) premier, coalesce(max(rang), coalesce(s.dernier, 0) + count(*)) dernier
			from facture f join entite e on e.code = f.entite
			left join serie s on s.entite = f.entite and s.nature = 'F' and extract(year from s.date) = extract(year from l.date_facturation)
			where lot_id = l.id group by f.serie, s.code, e.code order by e.code limit 1) n on l.etat <> 'PREPARE'
		where `+where, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (l message.Lot, err error) {
		var serie string
		var premier, dernier int64
		err = row.Scan(&l.ID, &l.Libelle, &l.Etat, &l.Du, &l.Au, &l.DateFacturation, &l.Echeance, &l.Contrats,
			&l.Calculees, &l.EnErreur, &l.HTCentimes, &l.TVACentimes, &l.TTCCentimes, &l.VolumeLitres,
			&serie, &premier, &dernier, &l.CreeA, &l.EmisA)
		if serie != "" {
			l.PremierNumero, l.DernierNumero = numero(serie, premier), numero(serie, dernier)
		}
		l.Erreurs, l.Rubriques = []message.LotErreur{}, []message.Rubrique{}
		return l, err
	})
}
