package main

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"aquaerp.fr/functions/facture/tarif"
	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// calculerTranche prices a chunk of a lot, once. A contract that cannot be
// priced is listed with its reason and does not stop the others; a chunk whose
// bills the database finds wrong is refused as a whole, and the lot waits.
func calculerTranche(ctx context.Context, tx *function.Tx, e message.TrancheACalculer) error {
	// The lot first, as whoever rejects it does: else each would wait for what the other holds.
	if _, err := tx.Exec(ctx, "select from lot where id = $1 for key share", e.LotID); err != nil {
		return err
	}
	refusal, err := tx.Try(ctx, func() error { return calculer(ctx, tx, e) })
	if err != nil || refusal == nil {
		return err
	}
	if _, err := tx.Exec(ctx, "update lot_tranche set motif = $3 where lot_id = $1 and tranche = $2", e.LotID, e.Tranche, refusal.Detail); err != nil {
		return err
	}
	return function.Keep(refusal)
}

func calculer(ctx context.Context, tx *function.Tx, e message.TrancheACalculer) error {
	var lot message.Lot
	err := tx.QueryRow(ctx, `update lot_tranche t set calculee_a = $3, motif = '' from lot l
		where t.lot_id = $1 and t.tranche = $2 and t.calculee_a is null and l.id = t.lot_id and l.etat = 'PREPARE'
		returning l.du, l.au, l.date_facturation, l.echeance, l.commune, l.profil, l.secteur`, e.LotID, e.Tranche, tx.Now).
		Scan(&lot.Du, &lot.Au, &lot.DateFacturation, &lot.Echeance, &lot.Commune, &lot.Profil, &lot.Secteur)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil // computed before, or the lot was rejected
	}
	if err != nil {
		return err
	}
	tarifs, err := loadTarifs(ctx, tx)
	if err != nil {
		return err
	}
	bassins, err := loadBassins(ctx, tx)
	if err != nil {
		return err
	}
	bareme := newBareme(tarifs, bassins)
	rows, err := tx.Query(ctx, "select id::text from contrat c where numero between $6 and $7 and "+aFacturer,
		lot.Du, lot.Au, lot.Commune, lot.Profil, lot.Secteur, e.De, e.A)
	if err != nil {
		return err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	dossiers, err := loadDossiers(ctx, tx, ids)
	if err != nil {
		return err
	}
	bills := make([]facturee, 0, len(dossiers))
	var failures [][]any
	for _, d := range dossiers {
		bill, err := facturer(d, bareme, tarifs, lot)
		if err != nil {
			code, fr, en := reason(err)
			failures = append(failures, []any{e.LotID, d.contrat.id, d.contrat.numero, code, fr, en})
			continue
		}
		bills = append(bills, bill)
	}
	if err := copyBills(ctx, tx, e.LotID, lot, bills); err != nil {
		return err
	}
	if err := controlerCalcul(ctx, tx, e, len(bills)); err != nil {
		return err
	}
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"lot_erreur"},
		[]string{"lot_id", "contrat_id", "numero", "code", "detail", "detail_en"}, pgx.CopyFromRows(failures)); err != nil {
		return err
	}
	return trancheCalculee(ctx, tx, e, len(dossiers), bills)
}

// trancheCalculee notes what a chunk came to. The lot comes last, because
// chunks wait for each other there.
func trancheCalculee(ctx context.Context, tx *function.Tx, e message.TrancheACalculer, contrats int, bills []facturee) error {
	var estimees, anormales int
	var volume, ht, tva, ttc int64
	var rubriques [3]int64
	taux := []message.TVAFacture{}
	parEntite := map[string]int{}
	for _, b := range bills {
		parEntite[b.entite]++
		if b.estimee {
			estimees++
		}
		if b.Resultat.Anormale {
			anormales++
		}
		volume += b.Resultat.VolumeEauLitres
		ht, tva, ttc = ht+b.Resultat.HTCentimes, tva+b.Resultat.TVACentimes, ttc+b.Resultat.TTCCentimes
		for i, r := range b.rubriques {
			rubriques[i] += r
		}
		taux = addTaux(taux, b.tva)
	}
	b := &pgx.Batch{}
	b.Queue(`update lot_tranche set contrats = $3, factures = $4, erreurs = $5, estimees = $6, anormales = $7, volume_litres = $8, ht_centimes = $9, tva_centimes = $10,
			ttc_centimes = $11, distribution_centimes = $12, eaux_usees_centimes = $13, organismes_centimes = $14, taux = $15 where lot_id = $1 and tranche = $2`,
		e.LotID, e.Tranche, contrats, len(bills), contrats-len(bills), estimees, anormales, volume, ht, tva, ttc, rubriques[0], rubriques[1], rubriques[2], asJSON(taux))
	for entite, n := range parEntite {
		b.Queue("insert into lot_numeros (lot_id, tranche, entite, factures) values ($1, $2, $3, $4)", e.LotID, e.Tranche, entite, n)
	}
	var done bool
	b.Queue(`update lot set faites = faites + 1, etat = case when faites + 1 = tranches then 'CALCULE' else etat end where id = $1 and etat = 'PREPARE'`, e.LotID).
		Exec(func(tag pgconn.CommandTag) error { done = tag.RowsAffected() == 1; return nil })
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return err
	}
	if !done {
		return function.NotYet("lot_rejete", "Le lot a été rejeté pendant le calcul.", "The lot was rejected meanwhile.") // nothing of the chunk stays
	}
	return nil
}

// addTaux adds the VAT of a bill to sums by rate.
func addTaux(sums, tva []message.TVAFacture) []message.TVAFacture {
	for _, v := range tva {
		i := slices.IndexFunc(sums, func(s message.TVAFacture) bool { return s.TauxPM == v.TauxPM })
		if i < 0 {
			sums = append(sums, v)
			continue
		}
		sums[i].BaseCentimes += v.BaseCentimes
		sums[i].MontantCentimes += v.MontantCentimes
	}
	return sums
}

// facturee is the priced bill of a contract.
type facturee struct {
	contrat
	tarifee
	cas       tarif.Cas
	origine   origine
	estimee   bool
	rubriques [3]int64 // HT of distribution, eaux usees, organismes publics
}

// facturer prices one dossier.
func facturer(d *dossier, b *bareme, t message.TarifsEnVigueur, lot message.Lot) (f facturee, err error) {
	f.contrat = d.contrat
	f.cas, f.estimee, err = d.cas(tarif.Periode{Du: tarif.DateOf(lot.Du.Time()), Au: tarif.DateOf(lot.Au.Time())})
	if err != nil {
		return f, err
	}
	c := &f.cas
	c.ID, c.DateFacturation = d.contrat.numero, tarif.DateOf(lot.DateFacturation.Time())
	c.Grilles, c.Redevances = b.pour(d.contrat.place, c.Periode, c.DateFacturation)
	f.origine = d.origine(c, t, b.bassins[d.contrat.commune])
	f.tarifee, err = tarifer(c, &f.origine)
	if err == tarif.GrilleManquante && d.anterieur == nil &&
		slices.ContainsFunc(c.Grilles, func(g tarif.Grille) bool { return g.Service == tarif.Eau }) &&
		!slices.ContainsFunc(c.Grilles, func(g tarif.Grille) bool { return g.Service == tarif.Eau && g.Du <= c.Periode.Du }) {
		err = errAvantTarif
	}
	if err != nil {
		return f, err
	}
	for _, l := range f.Resultat.Lignes {
		switch l.Rubrique {
		case tarif.Distribution:
			f.rubriques[0] += l.HTCentimes
		case tarif.EauxUsees:
			f.rubriques[1] += l.HTCentimes
		default:
			f.rubriques[2] += l.HTCentimes
		}
	}
	return f, nil
}

// asJSON is a value of ours as JSON text.
func asJSON(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain structs
	}
	return string(raw)
}

// copyBills writes the bills of a chunk by COPY.
func copyBills(ctx context.Context, tx *function.Tx, lotID string, lot message.Lot, bills []facturee) error {
	periode := pgtype.Range[message.Date]{Lower: lot.Du, Upper: lot.Au, LowerType: pgtype.Inclusive, UpperType: pgtype.Exclusive, Valid: true}
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"facture"}, []string{"id", "lot_id", "contrat_id", "contrat", "abonne_id", "nom", "email", "adresse", "pdl", "lieu", "mode_paiement", "siren", "siret", "numero_tva",
		"entite", "periode", "du", "au", "date_facturation", "echeance", "etat", "estimee", "anormale", "volume_litres", "ht_centimes", "tva_centimes", "ttc_centimes",
		"distribution_centimes", "eaux_usees_centimes", "organismes_centimes", "lignes", "tva", "cas", "origine"},
		pgx.CopyFromSlice(len(bills), func(i int) ([]any, error) {
			b, r := &bills[i], &bills[i].Resultat
			return []any{function.NewID(), lotID, b.id, b.numero, b.abonneID, b.nom, b.email, b.adresse, b.pdl, b.lieu, b.modePaiement, b.siren, b.siret, b.numeroTVA,
				b.entite, periode, civil(b.cas.Periode.Du), civil(b.cas.Periode.Au), lot.DateFacturation, lot.Echeance, "CALCULEE", b.estimee, r.Anormale, r.VolumeEauLitres,
				r.HTCentimes, r.TVACentimes, r.TTCCentimes, b.rubriques[0], b.rubriques[1], b.rubriques[2], []byte(asJSON(b.lignes)), []byte(asJSON(b.tva)), []byte(asJSON(b.cas)), []byte(asJSON(b.origine))}, nil
		}))
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.ConstraintName == "facture_unique" {
		// Somebody billed one of the contracts while this was priced: the next attempt passes over it.
		return function.NotYet("facture_concurrente", "Un contrat de la tranche vient d'être facturé.", "A contract of the chunk was billed meanwhile.")
	}
	return err
}

// civil is a day of package tarif as PostgreSQL takes it.
func civil(d tarif.Date) time.Time { return time.Date(1, time.January, int(d), 0, 0, 0, 0, time.UTC) }

// controlerCalcul has the database price every bill of a chunk again, and
// refuses the chunk when one differs.
//
// Package tarif is the only program that prices; running a second one in SQL
// over a run, and the first as an oracle over a sample, would leave most bills
// with one opinion. Here every bill has two: Go, in integers of 64 and 128
// bits, and PostgreSQL, in numerics, from the line up: each line from its
// quantity and price, rounded half away from zero, VAT once a rate, the sums
// of rubriques, HT, TVA and TTC, and the volume. What they share is the
// choice of readings and tariffs, which the case stored with the bill shows.
func controlerCalcul(ctx context.Context, tx *function.Tx, e message.TrancheACalculer, want int) error {
	var checked int
	var faux *string
	err := tx.QueryRow(ctx, `
		select count(*), min(f.contrat) filter (where not coalesce(
			c.lignes_justes and c.litres = f.volume_litres
			and c.distribution = f.distribution_centimes and c.eaux_usees = f.eaux_usees_centimes and c.organismes = f.organismes_centimes
			and c.ht = f.ht_centimes and c.tva = f.tva_centimes and c.ht + c.tva = f.ttc_centimes and c.detail = f.tva, f.lignes = '[]' and f.ttc_centimes = 0))
		from facture f
		cross join lateral (
			select bool_and(justes) lignes_justes, coalesce(sum(litres), 0) litres, sum(ht) ht, sum(tva) tva,
				sum(distribution) distribution, sum(eaux_usees) eaux_usees, sum(organismes) organismes,
				jsonb_agg(jsonb_build_object('taux_pm', tva_pm, 'base_centimes', ht, 'montant_centimes', tva) order by tva_pm) detail
			from (
				select tva_pm, sum(ht_centimes) ht, round(sum(ht_centimes) * tva_pm / 1000) tva,
					coalesce(sum(ht_centimes) filter (where rubrique = 'distribution'), 0) distribution,
					coalesce(sum(ht_centimes) filter (where rubrique = 'eaux_usees'), 0) eaux_usees,
					coalesce(sum(ht_centimes) filter (where rubrique = 'organismes_publics'), 0) organismes,
					sum(litres) filter (where rubrique = 'distribution') litres,
					bool_and(coalesce(case
						when starts_with(code, 'acompte/') then exists (select from jsonb_to_recordset(f.cas -> 'acomptes') as a (code text, ht_centimes bigint)
							where l.code = 'acompte/' || a.code and l.ht_centimes = -a.ht_centimes)
						when starts_with(code, 'redevance/') then exists (select from jsonb_to_recordset(f.cas -> 'redevances') as r (code text, taux_m3 bigint, coefficient_pm bigint)
							where l.code = 'redevance/' || r.code and l.ht_centimes = round(litres::numeric * taux_m3 * coefficient_pm / 10000000000))
						when jours > 0 then ht_centimes = round(prix_ue::numeric * jours * (f.cas #>> '{pdl,logements}')::bigint / 3650000)
						else ht_centimes = round(litres::numeric * prix_ue / 10000000) end, false)) justes
				from jsonb_to_recordset(f.lignes) as l (rubrique text, code text, litres bigint, jours bigint, prix_ue bigint, ht_centimes bigint, tva_pm bigint)
				group by tva_pm) t) c
		where f.lot_id = $1 and f.contrat between $2 and $3`, e.LotID, e.De, e.A).Scan(&checked, &faux)
	switch {
	case err != nil:
		return err
	case faux != nil:
		return function.Refused("controle_calcul",
			"La base ne retrouve pas les montants de la facture du contrat "+*faux+" : la tranche est refusée.",
			"The database does not find the amounts of the bill of contract "+*faux+": the chunk is refused.")
	case checked != want:
		return function.Refused("controle_calcul",
			"La base ne retrouve pas toutes les factures de la tranche.", "The database does not find all bills of the chunk.")
	}
	return nil
}

// errAvantTarif stops a first bill whose consumption begins before any tariff,
// as when a service is taken over. It could start at the first day of the
// tariff, at an index reckoned by days; it does not, because what flowed
// before may have been billed by whoever had the service then or may be owed,
// and an index that nobody read would decide it. A person knows, and either
// enters the index of that day or adds the tariff.
var errAvantTarif = errors.New("consumption begins before the first tariff")

// reason words why a contract could not be billed, and what to do about it.
func reason(err error) (code, fr, en string) {
	if errors.Is(err, errSansReleve) {
		return "releve_manquant", "Aucun relevé ne clôt la période : saisissez ou estimez un index.", "No reading closes the period: enter or estimate an index."
	}
	if errors.Is(err, errAvantTarif) {
		return "reprise_avant_tarif",
			"Première facture : le dernier index connu avant la période est plus ancien que la première grille. Saisissez l'index du jour de la reprise, ou ajoutez la grille d'alors.",
			"First bill: the last index known before the period is older than the first tariff. Enter the index of the day of takeover, or add the tariff of that time."
	}
	var c tarif.Code
	errors.As(err, &c)
	switch c {
	case tarif.GrilleManquante:
		return string(c), "Aucune grille ne couvre toute la période de consommation.", "No tariff covers the whole period of consumption."
	case tarif.IndexHorsCompteur:
		return string(c), "Un index dépasse ce que le compteur affiche.", "An index is more than the meter can show."
	case tarif.RelevesDesordonnes, tarif.PosesChevauchantes, tarif.PoseHorsPeriode:
		return string(c), "Les dates des relevés ou des poses se contredisent.", "Dates of readings or meters contradict each other."
	}
	return string(c), "Le calcul refuse ce dossier (" + string(c) + ").", "Pricing refuses this file (" + string(c) + ")."
}

// loadDossiers reads all that the bills of some contracts rest on.
func loadDossiers(ctx context.Context, tx *function.Tx, ids []string) ([]*dossier, error) {
	byID := make(map[string]*dossier, len(ids))
	out := make([]*dossier, 0, len(ids))
	b := &pgx.Batch{}
	b.Queue(`select c.id, numero, logements, assainissement, habitation, abonne_id, c.nom, email, adresse, pdl, lieu, mode_paiement, siren, siret, numero_tva, coalesce(co.entite, 'principale'), code_insee, profil,
			coalesce((select valeur from regle_service where code = 'FUITE_ANNEES' and periode @> $2::date), 0),
			coalesce((select valeur from regle_service where code = 'FUITE_MULTIPLE' and periode @> $2::date), 0)
		from contrat c left join commune co using (code_insee) where c.id = any($1::uuid[]) order by numero`, ids, tx.Today()).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			d := &dossier{}
			c := &d.contrat
			if err := rows.Scan(&c.id, &c.numero, &c.logements, &c.assainissement, &c.habitation,
				&c.abonneID, &c.nom, &c.email, &c.adresse, &c.pdl, &c.lieu, &c.modePaiement, &c.siren, &c.siret, &c.numeroTVA, &c.entite, &c.commune, &c.profil, &d.annees, &d.multiple); err != nil {
				return err
			}
			byID[c.id] = d
			out = append(out, d)
		}
		return rows.Err()
	})
	b.Queue("select contrat_id, profil, lower(periode), upper(periode) from profil_accorde where contrat_id = any($1::uuid[])", ids).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var contrat, profil string
			var du, au message.Date
			if err := rows.Scan(&contrat, &profil, &du, &au); err != nil {
				return err
			}
			c := &byID[contrat].contrat
			c.accordes = append(c.accordes, accorde{profil, periode(du, au)})
		}
		return rows.Err()
	})
	b.Queue("select contrat_id, id, serie, roues, litres_par_unite, du, au, index_debut, coalesce(index_fin, 0) from pose where contrat_id = any($1::uuid[]) order by du", ids).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var contrat string
			var p pose
			var du, au message.Date
			if err := rows.Scan(&contrat, &p.id, &p.serie, &p.roues, &p.litresParUnite, &du, &au, &p.debut, &p.fin); err != nil {
				return err
			}
			p.du = tarif.DateOf(du.Time())
			if !au.IsZero() {
				p.au = tarif.DateOf(au.Time())
			}
			byID[contrat].poses = append(byID[contrat].poses, p)
		}
		return rows.Err()
	})
	b.Queue(`select r.contrat_id, r.pose_id, r.date, coalesce(k.index, r.index), r.estimee, r.id, r.source
		from releve r left join correction_releve k on k.releve_id = r.id
		where r.contrat_id = any($1::uuid[]) and not (r.estimee and exists (select from remplacement where releve_id = r.id))`, ids).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var contrat string
			var p point
			var date message.Date
			if err := rows.Scan(&contrat, &p.pose, &date, &p.index, &p.estimee, &p.releve, &p.source); err != nil {
				return err
			}
			p.date = tarif.DateOf(date.Time())
			byID[contrat].points = append(byID[contrat].points, p)
		}
		return rows.Err()
	})
	b.Queue("select contrat_id, du, au, moyenne_litres, etat = 'ATTESTEE' from dossier_fuite where contrat_id = any($1::uuid[])", ids).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var contrat string
			var f fuite
			var du, au message.Date
			if err := rows.Scan(&contrat, &du, &au, &f.moyenne, &f.attestee); err != nil {
				return err
			}
			f.Periode = periode(du, au)
			byID[contrat].fuites = append(byID[contrat].fuites, f)
		}
		return rows.Err()
	})
	// The last bill alone, however many there were; its lines only when they are to be taken back.
	b.Queue(`select c.id, f.numero, f.du, f.au, f.estimee, f.lignes from unnest($1::uuid[]) as c (id)
		cross join lateral (select coalesce(numero, '') numero, du, au, estimee, case when estimee then `+lignesNettes+` else '[]' end lignes from facture
			where contrat_id = c.id and nature in ('FACTURE', 'SOLDE') and etat <> 'ANNULEE_PAR_AVOIR' order by du desc, au desc limit 1) f`, ids).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var contrat string
			var f billing
			var du, au message.Date
			if err := rows.Scan(&contrat, &f.numero, &du, &au, &f.estimee, &f.lignes); err != nil {
				return err
			}
			f.du, f.au = tarif.DateOf(du.Time()), tarif.DateOf(au.Time())
			byID[contrat].anterieur = &f
		}
		return rows.Err()
	})
	return out, tx.SendBatch(ctx, b).Close()
}

// lignesNettes are the lines of a bill; of an estimate also those of its
// avoirs, since what was taken back is not to be reversed again.
const lignesNettes = `case when estimee then lignes || coalesce((select jsonb_agg(l) from facture a, jsonb_array_elements(a.lignes) l
	where a.corrige_id = facture.id and a.nature = 'AVOIR'), '[]') else lignes end`
