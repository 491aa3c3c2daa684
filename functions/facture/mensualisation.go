package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/functions/facture/tarif"
	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// mensualiser spreads a year ahead over the debits that the rule counts.
func mensualiser(ctx context.Context, tx *function.Tx, c message.Mensualiser) (e message.Echeancier, err error) {
	if err := verrouiller(ctx, tx, c.AbonneID); err != nil {
		return e, err
	}
	var running bool
	err = tx.QueryRow(ctx, "select exists (select from echeancier where abonne_id = $1 and nature = 'MENSUALISATION' and fin_le is null)", c.AbonneID).Scan(&running)
	switch {
	case err != nil:
		return e, err
	case running:
		return e, function.Conflict("deja_mensualise", "Cet abonné est déjà mensualisé.", "This subscriber pays monthly already.")
	case c.Premiere.Before(tx.Today()) || c.Premiere.After(memeJour(tx.Today(), 12)):
		return e, function.Invalid("premiere", "date_passee", "Le premier prélèvement est dans les douze mois qui viennent.", "The first debit is within the next twelve months.")
	}
	p, known, err := anneeMensuelle(ctx, tx, c.AbonneID, c.Premiere, c.VolumeAnnuelM3)
	if err != nil {
		return e, err
	}
	if !known {
		return e, function.Refused("sans_historique", "Aucune facture d'eau ne donne le montant des mensualités : donnez un volume annuel.", "No bill of water tells the amount of the debits: give a yearly volume.")
	}
	if allowed, err := mandate(ctx, tx, c.AbonneID); err != nil || !allowed {
		return e, cmp.Or(err, mandatRequis())
	}
	if c.Simulation {
		return p.simuler(ctx, tx, nil)
	}
	id, err := insertPlan(ctx, tx, p)
	if err != nil {
		return e, err
	}
	return accorder(ctx, tx, id)
}

// anneeMensuelle is a monthly year from a day on: as many debits as the rule
// says, of what a year of water costs by the bills of each contract that goes
// on: those of the year before the end of its newest one, avoirs taken off, in
// proportion to the days that they cover. Where they tell nothing a volume
// does, by the tariffs of today. It may be unknown.
func anneeMensuelle(ctx context.Context, tx *function.Tx, abonneID string, premiere message.Date, m3 int64) (p plan, known bool, err error) {
	n, err := regleEncaissement(ctx, tx, "MENSUALITES", tx.Today())
	if err != nil {
		return p, false, err
	}
	var year int64
	err = tx.QueryRow(ctx, `with eau as (
			select f.contrat_id, f.au, max(f.au) over (partition by f.contrat_id) fin, f.au - greatest(f.du, lower(f.periode)) jours,
				f.ttc_centimes + (select coalesce(sum(a.ttc_centimes), 0) from facture a where a.corrige_id = f.id and a.nature = 'AVOIR') net
			from facture f join contrat c on c.id = f.contrat_id
			where f.abonne_id = $1 and c.resilie_le is null and f.numero is not null and f.nature in ('FACTURE', 'SOLDE') and f.etat <> 'ANNULEE_PAR_AVOIR'),
		annee as (select sum(net) net, sum(jours) jours from eau where au > fin - interval '1 year' group by contrat_id)
		select coalesce(sum(div(2 * 365 * net + jours, 2 * jours)), 0)::bigint from annee where jours > 0`, abonneID).Scan(&year)
	motif := "Mensualisation"
	if err == nil && year < n && m3 > 0 {
		motif = fmt.Sprintf("Mensualisation sur %d m³ par an", m3)
		year, err = anneeEstimee(ctx, tx, abonneID, m3)
	}
	if err != nil || year < n {
		return p, false, err
	}
	return plan{abonneID: abonneID, nature: "MENSUALISATION", montant: year, parPrelevement: true, motif: motif, echeances: parts(year, int(n), premiere)}, true, nil
}

// anneeEstimee is what a year of a volume costs at the one contract of an
// abonne that goes on, by the tariffs of today; 0 without a contract.
func anneeEstimee(ctx context.Context, tx *function.Tx, abonneID string, m3 int64) (int64, error) {
	rows, err := tx.Query(ctx, "select id::text from contrat where abonne_id = $1 and resilie_le is null", abonneID)
	if err != nil {
		return 0, err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	switch {
	case err != nil || len(ids) == 0:
		return 0, err
	case len(ids) > 1:
		return 0, function.Refused("plusieurs_contrats", "Cet abonné a plusieurs contrats : un seul volume ne dit pas ce que coûte chacun. Attendez une première facture.",
			"This subscriber has several contracts: one volume does not tell what each costs. Wait for a first bill.")
	}
	dossiers, err := loadDossiers(ctx, tx, ids)
	if err != nil {
		return 0, err
	}
	b, _, err := chargerBareme(ctx, tx)
	if err != nil {
		return 0, err
	}
	chez := dossiers[0].contrat
	r, err := b.annee(chez.place, tarif.DateOf(tx.Today().Time())).prix(1000*m3, int64(chez.logements), chez.assainissement)
	if err != nil {
		return 0, sansTarif(err)
	}
	return r.TTCCentimes, nil
}

// fini is a monthly year that a bill settles.
type fini struct {
	id, abonneID, factureID string
	premiere, facture       message.Date // its first debit; the day of the bill
	abonne                  bool         // a contract of the abonne goes on
}

// regulariser ends the monthly years that these bills settle, and begins the
// next: what the debits did not cover is due on the bills, what they exceed
// them by stays as an advance. It answers with the abonnes. A year is settled
// by the first bill of water after its last debit, or by the last bill of all.
// The caller holds the locks of the abonnes.
func regulariser(ctx context.Context, tx *function.Tx, factures []string) ([]string, error) {
	rows, err := tx.Query(ctx, `select distinct on (e.id) e.id, e.abonne_id, f.id, t.premiere, f.date_facturation, t.abonne
		from echeancier e join facture f on f.abonne_id = e.abonne_id
		cross join lateral (select min(date) premiere, max(date) derniere, exists (select from contrat where abonne_id = e.abonne_id and resilie_le is null) abonne
			from echeance where echeancier_id = e.id) t
		where f.id = any($1::uuid[]) and e.nature = 'MENSUALISATION' and e.fin_le is null and f.nature not in ('MANUELLE', 'AVOIR')
			and (f.date_facturation >= t.derniere or f.nature = 'SOLDE' and not t.abonne)
		order by e.id, f.date_facturation desc, f.id`, factures)
	if err != nil {
		return nil, err
	}
	finis, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (f fini, err error) {
		err = row.Scan(&f.id, &f.abonneID, &f.factureID, &f.premiere, &f.facture, &f.abonne)
		return f, err
	})
	if err != nil {
		return nil, err
	}
	abonnes := make([]string, len(finis))
	b := &pgx.Batch{}
	for i, f := range finis {
		abonnes[i] = f.abonneID
		b.Queue("update echeancier set fin_le = $2, fin_motif = 'Régularisation', regularise_par = $3 where id = $1", f.id, tx.Today(), f.factureID)
		b.Queue("update prelevement_a_faire set etat = 'ANNULE' where echeancier_id = $1 and etat = 'A_FAIRE'", f.id)
	}
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return nil, err
	}
	for _, f := range finis {
		if f.abonne {
			if err := reconduire(ctx, tx, f); err != nil {
				return nil, err
			}
		}
	}
	return abonnes, nil
}

// reconduire begins the monthly year after another, a year after its first
// debit or as soon as a debit may be announced, and tells the abonne. Without
// a mandate, or without a bill to go by, there is none.
func reconduire(ctx context.Context, tx *function.Tx, f fini) error {
	preavis, err := regleSEPA(ctx, tx, "prenotification_jours", tx.Today())
	if err != nil {
		return err
	}
	mois := 12
	for memeJour(f.premiere, mois).Before(tx.Today().AddDays(preavis)) {
		mois++
	}
	p, known, err := anneeMensuelle(ctx, tx, f.abonneID, memeJour(f.premiere, mois), 0)
	if err != nil || !known {
		return err
	}
	if allowed, err := mandate(ctx, tx, f.abonneID); err != nil || !allowed {
		return err
	}
	p.motif, p.suiteDe, p.depuis = "Reconduction", f.id, f.facture.AddDays(1)
	id, err := insertPlan(ctx, tx, p)
	if err != nil {
		return err
	}
	_, err = accorder(ctx, tx, id)
	return err
}
