package main

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// A lot is PREPARE while its chunks are priced, CALCULE when it waits for a
// second person, CONTROLE when it may be issued, EMISSION while its chunks are
// issued, EMIS when the last one is; or REJETE at any time before EMISSION,
// and then nothing of it is left.

// lotReglages are settings of the machine that bills, not of the service.
type lotReglages struct {
	// ParTranche is how many contracts one event asks to price: many, so that
	// a chunk costs little beside its bills, and few enough to spread over
	// instances and to be done well within a delivery's time.
	ParTranche int `envconfig:"LOT_PAR_TRANCHE" default:"400"`
}

// aFacturer are the contracts c of an extent with no bill for a period yet;
// parameters: du, au, commune, profil, secteur. Its offset has each contract
// looked up by its key: a join would be planned by statistics that know of
// none of the bills that the run itself has written, and read them all for
// each chunk.
const aFacturer = `depuis < $2 and resilie_le is null and ($3 = '' or code_insee = $3) and ($4 = '' or profil = $4) and ($5 = '' or secteur = $5)
	and not exists (select from facture f where f.contrat_id = c.id and f.periode && daterange($1, $2)
		and f.nature in ('FACTURE', 'SOLDE') and f.etat <> 'ANNULEE_PAR_AVOIR' offset 0)`

// etendue are the parameters of aFacturer.
func etendue(c message.PreparerLot) []any { return []any{c.Du, c.Au, c.Commune, c.Profil, c.Secteur} }

// preparerLot starts a billing run and returns at once; its chunks travel as
// events.
func (r lotReglages) preparerLot(ctx context.Context, tx *function.Tx, c message.PreparerLot) (message.Lot, error) {
	if err := checkDates(ctx, tx, c); err != nil {
		return message.Lot{}, err
	}
	id, err := r.ouvrirLot(ctx, tx, c, tx.Identity().ID, tx.Identity().Nom, nil)
	if err != nil {
		return message.Lot{}, err
	}
	return loadLot(ctx, tx, id)
}

// ouvrirLot cuts the contracts to bill into chunks, by their numbers.
func (r lotReglages) ouvrirLot(ctx context.Context, tx *function.Tx, c message.PreparerLot, par, nom string, programme *string) (id string, err error) {
	rows, err := tx.Query(ctx, `select min(numero), max(numero), count(*)
		from (select numero, (row_number() over (order by numero, id) - 1) / $6 as tranche from contrat c where `+aFacturer+`) c
		group by tranche order by tranche`, append(etendue(c), r.ParTranche)...)
	if err != nil {
		return "", err
	}
	type tranche struct {
		De, A    string
		Contrats int
	}
	tranches, err := pgx.CollectRows(rows, pgx.RowToStructByPos[tranche])
	if err != nil {
		return "", err
	}
	if len(tranches) == 0 {
		return "", function.Refused("lot_vide",
			"Aucun contrat n'est à facturer sur cette période : tous le sont déjà, ou aucun n'est actif.",
			"No contract is left to bill for this period.")
	}
	id, contrats := function.NewID(), 0
	for _, t := range tranches {
		contrats += t.Contrats
	}
	tag, err := tx.Exec(ctx, `insert into lot (id, libelle, etat, du, au, date_facturation, echeance, commune, profil, secteur, contrats, tranches, cree_a, relance_a, cree_par, cree_nom, programme_id)
		values ($1, $2, 'PREPARE', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, $13, $14, $15) on conflict do nothing`,
		id, c.Libelle, c.Du, c.Au, c.DateFacturation, c.Echeance, c.Commune, c.Profil, c.Secteur, contrats, len(tranches), tx.Now, par, nom, programme)
	if err != nil {
		return "", err
	}
	if tag.RowsAffected() == 0 {
		return "", function.Conflict("lot_en_cours",
			"Un autre lot est en cours sur cette période et ces contrats : sur la page Lots, émettez-le ou rejetez-le, puis préparez celui-ci.",
			"Another lot is under way for this period and these contracts: on the page of lots, issue or reject it, then prepare this one.")
	}
	_, err = tx.CopyFrom(ctx, pgx.Identifier{"lot_tranche"}, []string{"lot_id", "tranche", "de", "a", "contrats"},
		pgx.CopyFromSlice(len(tranches), func(i int) ([]any, error) {
			return []any{id, int32(i), tranches[i].De, tranches[i].A, int32(tranches[i].Contrats)}, nil
		}))
	for i, t := range tranches {
		tx.Emit(id, 0, message.TrancheACalculer{LotID: id, Tranche: i, De: t.De, A: t.A})
	}
	return id, err
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
		from contrat c left join commune co using (code_insee) where depuis < $1 and ($2 = '' or code_insee = $2)`, c.Au, c.Commune)
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

// controlerLot approves a computed lot, by somebody else than who prepared it.
func controlerLot(ctx context.Context, tx *function.Tx, c message.ControlerLot) (message.Lot, error) {
	lot, err := lockLot(ctx, tx, c.LotID)
	switch {
	case err != nil:
		return message.Lot{}, err
	case lot.etat == "CONTROLE": // asked before
		return loadLot(ctx, tx, c.LotID)
	case lot.etat != "CALCULE":
		return message.Lot{}, function.Conflict("lot_pas_calcule",
			"Seul un lot calculé peut être approuvé ; celui-ci est "+lot.etat+".", "Only a computed lot can be approved; this one is "+lot.etat+".")
	}
	var factures int
	var seul bool // every entity of the lot works alone
	err = tx.QueryRow(ctx, `select coalesce(sum(n.factures), 0)::bigint, coalesce(bool_and(not c.deux_personnes), false)
		from lot_numeros n cross join lateral (select * from controle_lot where entite in (n.entite, 'principale') order by entite <> n.entite limit 1) c
		where lot_id = $1`, c.LotID).Scan(&factures, &seul)
	switch who := tx.Identity(); {
	case err != nil:
		return message.Lot{}, err
	case factures == 0:
		return message.Lot{}, function.Refused("lot_sans_facture", "Ce lot ne contient aucune facture.", "This lot holds no bill.")
	case who.ID == lot.creePar && !seul:
		return message.Lot{}, function.Refused("seconde_personne",
			"Vous avez préparé ce lot : une autre personne doit l'approuver. Si le service n'en a qu'une, un administrateur peut lever cette règle.",
			"You prepared this lot: somebody else has to approve it. Where there is nobody else, an administrator can lift this rule.")
	default:
		if _, err := tx.Exec(ctx, "update lot set etat = 'CONTROLE', controle_a = $2, controle_par = $3, controle_nom = $4 where id = $1",
			c.LotID, tx.Now, who.ID, who.Nom); err != nil {
			return message.Lot{}, err
		}
	}
	return loadLot(ctx, tx, c.LotID)
}

// rejeterLot drops a lot that nobody asked to issue: its bills had no number,
// so none is lost. A chunk that is being priced meanwhile finds the lot
// REJETE at its end, and leaves nothing either.
func rejeterLot(ctx context.Context, tx *function.Tx, c message.RejeterLot) (message.Lot, error) {
	lot, err := lockLot(ctx, tx, c.LotID)
	if err != nil {
		return message.Lot{}, err
	}
	switch lot.etat {
	case "PREPARE", "CALCULE", "CONTROLE":
	default:
		return message.Lot{}, function.Conflict("lot_emis",
			"Ce lot est "+lot.etat+" : il ne peut plus être rejeté.", "This lot is "+lot.etat+": it cannot be rejected any more.")
	}
	b := &pgx.Batch{}
	b.Queue("delete from facture where lot_id = $1", c.LotID)
	b.Queue("delete from lot_erreur where lot_id = $1", c.LotID)
	b.Queue("delete from lot_numeros where lot_id = $1", c.LotID)
	b.Queue("delete from lot_tranche where lot_id = $1", c.LotID)
	b.Queue("update lot set etat = 'REJETE', motif = $2 where id = $1", c.LotID, c.Motif)
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return message.Lot{}, err
	}
	return loadLot(ctx, tx, c.LotID)
}

// relancerLot asks again for the chunks that are missing.
func relancerLot(ctx context.Context, tx *function.Tx, c message.RelancerLot) (message.Lot, error) {
	lot, err := lockLot(ctx, tx, c.LotID)
	if err != nil {
		return message.Lot{}, err
	}
	if lot.etat != "PREPARE" && lot.etat != "EMISSION" {
		return message.Lot{}, function.Conflict("lot_au_repos", "Ce lot n'attend aucun calcul.", "This lot waits for nothing.")
	}
	if err := relancer(ctx, tx, c.LotID, lot.etat); err != nil {
		return message.Lot{}, err
	}
	return loadLot(ctx, tx, c.LotID)
}

// relancer emits the events of missing chunks again. A chunk that is under
// way or was done meanwhile takes no notice.
func relancer(ctx context.Context, tx *function.Tx, lotID, etat string) error {
	rows, err := tx.Query(ctx, `select tranche, de, a from lot_tranche
		where lot_id = $1 and case $2 when 'PREPARE' then calculee_a is null else emise_a is null end order by tranche`, lotID, etat)
	if err != nil {
		return err
	}
	missing, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (t message.TrancheACalculer, err error) {
		t.LotID = lotID
		err = row.Scan(&t.Tranche, &t.De, &t.A)
		return t, err
	})
	for _, t := range missing {
		if etat == "PREPARE" {
			tx.Emit(lotID, 0, t)
		} else {
			tx.Emit(lotID, 0, message.TrancheAEmettre{LotID: lotID, Tranche: t.Tranche})
		}
	}
	if err == nil {
		_, err = tx.Exec(ctx, "update lot set relance_a = $2, relances = relances + 1 where id = $1", lotID, tx.Now)
	}
	return err
}

// lotVerrouille is what commands on a lot decide upon.
type lotVerrouille struct {
	etat, creePar   string
	dateFacturation message.Date
}

func lockLot(ctx context.Context, tx *function.Tx, id string) (l lotVerrouille, err error) {
	err = tx.QueryRow(ctx, "select etat, cree_par, date_facturation from lot where id = $1 for update", id).Scan(&l.etat, &l.creePar, &l.dateFacturation)
	if errors.Is(err, pgx.ErrNoRows) {
		return l, lotInconnu()
	}
	return l, err
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
	if lot.Erreurs, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.LotErreur]); err != nil {
		return lot, err
	}
	rows, err = tx.Query(ctx, `select de, a, motif from lot_tranche where lot_id = $1 and motif <> '' order by tranche limit 20`, id)
	if err != nil {
		return lot, err
	}
	lot.Blocages, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.Blocage])
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

// selectLots reads lots with their sums, which are those of their chunks: a
// lot of a million bills is read as fast as a small one. While a lot has no
// numbers yet, those that it would take stand in their place.
func selectLots(ctx context.Context, tx *function.Tx, where string, args ...any) ([]message.Lot, error) {
	rows, err := tx.Query(ctx, `select l.id, l.libelle, l.etat, l.du, l.au, l.date_facturation, l.echeance, l.commune, l.profil, l.secteur,
			coalesce(nullif(t.contrats, 0), l.contrats), t.factures, t.emises, t.erreurs, t.ht, t.tva, t.ttc, t.volume, t.distribution, t.eaux_usees, t.organismes,
			coalesce(n.serie, ''), coalesce(n.premier, 0), coalesce(n.dernier, 0),
			l.cree_a, l.cree_par, l.cree_nom, l.controle_a, l.controle_par, l.controle_nom, l.emis_a, l.motif
		from lot l
		cross join lateral (select coalesce(sum(contrats), 0)::bigint contrats, coalesce(sum(factures), 0)::bigint factures, coalesce(sum(erreurs), 0)::bigint erreurs,
			coalesce(sum(factures) filter (where emise_a is not null), 0)::bigint emises,
			coalesce(sum(ht_centimes), 0)::bigint ht, coalesce(sum(tva_centimes), 0)::bigint tva, coalesce(sum(ttc_centimes), 0)::bigint ttc,
			coalesce(sum(volume_litres), 0)::bigint volume, coalesce(sum(distribution_centimes), 0)::bigint distribution,
			coalesce(sum(eaux_usees_centimes), 0)::bigint eaux_usees, coalesce(sum(organismes_centimes), 0)::bigint organismes
			from lot_tranche where lot_id = l.id) t
		left join lateral (select coalesce(max(n.serie), max(s.code), concat_ws('-', nullif(max(e.prefixe), ''), 'F' || extract(year from l.date_facturation))) serie,
				coalesce(min(n.base), max(s.dernier), 0) + 1 premier, coalesce(min(n.base), max(s.dernier), 0) + sum(n.factures)::bigint dernier
			from lot_numeros n join entite e on e.code = n.entite
			left join serie s on s.entite = n.entite and s.nature = 'F' and extract(year from s.date) = extract(year from l.date_facturation)
			where n.lot_id = l.id group by n.entite order by n.entite limit 1) n on l.etat <> 'PREPARE'
		where `+where, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (l message.Lot, err error) {
		var serie string
		var premier, dernier, distribution, eauxUsees, organismes int64
		err = row.Scan(&l.ID, &l.Libelle, &l.Etat, &l.Du, &l.Au, &l.DateFacturation, &l.Echeance, &l.Commune, &l.Profil, &l.Secteur,
			&l.Contrats, &l.Calculees, &l.Emises, &l.EnErreur, &l.HTCentimes, &l.TVACentimes, &l.TTCCentimes, &l.VolumeLitres, &distribution, &eauxUsees, &organismes,
			&serie, &premier, &dernier,
			&l.CreeA, &l.CreePar, &l.CreeParNom, &l.ControleA, &l.ControlePar, &l.ControleNom, &l.EmisA, &l.Motif)
		if serie != "" {
			l.PremierNumero, l.DernierNumero = numero(serie, premier), numero(serie, dernier)
		}
		l.Erreurs, l.Blocages, l.Rubriques = []message.LotErreur{}, []message.Blocage{}, []message.Rubrique{}
		if l.Calculees > 0 {
			l.Rubriques = []message.Rubrique{{Code: "distribution", HTCentimes: distribution}, {Code: "eaux_usees", HTCentimes: eauxUsees}, {Code: "organismes_publics", HTCentimes: organismes}}
		}
		return l, err
	})
}
