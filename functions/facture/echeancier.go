package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// memeJour is the same day n months later, or the last of a shorter month.
func memeJour(d message.Date, n int) message.Date {
	t := d.Time()
	last := time.Date(t.Year(), t.Month()+time.Month(n)+1, 0, 0, 0, 0, 0, time.UTC).Day()
	return message.NewDate(t.Year(), t.Month()+time.Month(n), min(t.Day(), last))
}

// parts are n equal parts of an amount, a month apart; the first ones are a
// centime more when it does not divide.
func parts(montant int64, n int, premiere message.Date) []message.Echeance {
	out := make([]message.Echeance, n)
	for i := range out {
		out[i] = message.Echeance{Date: memeJour(premiere, i), MontantCentimes: montant / int64(n)}
		if int64(i) < montant%int64(n) {
			out[i].MontantCentimes++
		}
	}
	return out
}

// creerEcheancier spreads open bills over dated parts.
func creerEcheancier(ctx context.Context, tx *function.Tx, c message.CreerEcheancier) (e message.Echeancier, err error) {
	if err := verrouiller(ctx, tx, c.AbonneID); err != nil {
		return e, err
	}
	bills, err := ouvertes(ctx, tx, c.AbonneID, "")
	if err != nil {
		return e, err
	}
	if c.Factures != nil {
		open := map[string]ouverte{}
		for _, b := range bills {
			open[b.id] = b
		}
		bills = bills[:0]
		for _, id := range c.Factures {
			b, ok := open[id]
			if !ok {
				return e, function.Invalid("factures", "facture_pas_ouverte", "Une de ces factures n'attend pas de paiement de cet abonné.", "One of these bills does not wait for a payment of this subscriber.")
			}
			delete(open, id)
			bills = append(bills, b)
		}
	}
	var total int64
	ids, restes := make([]string, len(bills)), make([]int64, len(bills))
	for i, b := range bills {
		ids[i], restes[i] = b.id, b.reste
		total += b.reste
	}
	if total == 0 {
		return e, function.Refused("rien_a_etaler", "Cet abonné n'a pas de facture à payer.", "This subscriber has no bill to pay.")
	}
	if c.Echeances == nil && !c.Premiere.IsZero() && c.Nombre > 1 && int64(c.Nombre) <= total {
		c.Echeances = parts(total, c.Nombre, c.Premiere)
	}
	mois, err := regleEncaissement(ctx, tx, "ECHEANCIER_MOIS", tx.Today())
	if err != nil {
		return e, err
	}
	if err := checkParts(c.Echeances, total, tx.Today(), memeJour(tx.Today(), int(mois))); err != nil {
		return e, err
	}
	var busy, debited bool
	err = tx.QueryRow(ctx, `select exists (select from unnest($1::uuid[]) id where en_echeancier(id, $2)),
		exists (select from prelevement_a_faire where facture_id = any($1) and etat = 'REMIS')`, ids, tx.Today()).Scan(&busy, &debited)
	switch {
	case err != nil:
		return e, err
	case busy:
		return e, function.Conflict("deja_en_echeancier", "Une de ces factures est déjà dans un échéancier en cours.", "One of these bills is in a running plan already.")
	case debited:
		return e, function.Conflict("prelevement_en_cours", "Une de ces factures est en cours de prélèvement ; attendez son issue.", "One of these bills is being debited; wait for the outcome.")
	}
	if c.ParPrelevement {
		if allowed, err := mandate(ctx, tx, c.AbonneID); err != nil || !allowed {
			return e, cmp.Or(err, mandatRequis())
		}
	}
	p := plan{abonneID: c.AbonneID, nature: "ECHEANCIER", montant: total, parPrelevement: c.ParPrelevement, motif: c.Motif, echeances: c.Echeances}
	if c.Simulation {
		return p.simuler(ctx, tx, ids)
	}
	id, err := insertPlan(ctx, tx, p)
	if err != nil {
		return e, err
	}
	b := &pgx.Batch{}
	b.Queue("insert into echeancier_facture (echeancier_id, facture_id, montant_centimes) select $1, id, reste from unnest($2::uuid[], $3::bigint[]) f (id, reste)", id, ids, restes)
	b.Queue("update prelevement_a_faire set etat = 'ANNULE' where facture_id = any($1) and etat = 'A_FAIRE'", ids)
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return e, err
	}
	return accorder(ctx, tx, id)
}

// checkParts refuses parts that are not two or more, in order of date within
// bounds, of exactly the sum.
func checkParts(all []message.Echeance, total int64, du, au message.Date) error {
	if len(all) < 2 {
		return function.Invalid("echeances", "echeances_trop_peu", "Un échéancier a au moins deux échéances.", "A plan has at least two parts.")
	}
	var sum int64
	before := du.AddDays(-1)
	for _, p := range all {
		if !p.Date.After(before) || p.Date.After(au) {
			return function.Invalid("echeances", "echeances_desordonnees",
				"Les échéances se suivent, de ce jour au "+au.Francais()+".", "The parts follow each other, from today to "+au.String()+".")
		}
		before, sum = p.Date, sum+p.MontantCentimes
	}
	if sum != total {
		return function.Invalid("echeances", "echeances_inexactes",
			fmt.Sprintf("Les échéances font %s, les factures %s.", message.Euros(sum), message.Euros(total)),
			fmt.Sprintf("The parts are %s, the bills %s.", message.Euros(sum), message.Euros(total)))
	}
	return nil
}

// plan is what insertPlan needs.
type plan struct {
	abonneID, nature string
	montant          int64
	parPrelevement   bool
	motif            string
	echeances        []message.Echeance

	suiteDe string       // monthly: the year that it renews
	depuis  message.Date // monthly: bills from then on are its own; today when zero
}

// simuler shows a plan that is not kept.
func (p plan) simuler(ctx context.Context, tx *function.Tx, factures []string) (e message.Echeancier, err error) {
	e = message.Echeancier{AbonneID: p.abonneID, Nature: p.nature, Etat: "EN_COURS", MontantCentimes: p.montant, ParPrelevement: p.parPrelevement,
		Motif: p.motif, CreeLe: tx.Today(), Echeances: p.echeances}
	etatsEcheances(e.Echeances, 0, tx.Today())
	grace, err := regleEncaissement(ctx, tx, "GRACE_ECHEANCE", tx.Today())
	if err != nil {
		return e, err
	}
	e.GraceJours = int(grace)
	return e, tx.QueryRow(ctx, "select coalesce(array_agg(numero order by numero), '{}') from facture where id = any($1::uuid[])", factures).Scan(&e.Factures)
}

// mandate tells whether an abonne allows debits.
func mandate(ctx context.Context, tx *function.Tx, abonneID string) (allowed bool, err error) {
	err = tx.QueryRow(ctx, "select exists (select from mandat where abonne_id = $1 and etat = 'ACTIF')", abonneID).Scan(&allowed)
	return allowed, err
}

func mandatRequis() error {
	return function.Refused("mandat_requis", "Cet abonné n'a pas de mandat de prélèvement en vigueur : faites-lui-en signer un d'abord.", "This subscriber has no mandate in force: have one signed first.")
}

// insertPlan keeps a plan with its parts, and proposes their debits.
func insertPlan(ctx context.Context, tx *function.Tx, p plan) (id string, err error) {
	grace, err := regleEncaissement(ctx, tx, "GRACE_ECHEANCE", tx.Today())
	if err != nil {
		return "", err
	}
	id = function.NewID()
	b := &pgx.Batch{}
	b.Queue("insert into echeancier (id, abonne_id, nature, montant_centimes, par_prelevement, grace, motif, cree_le, cree_par, suite_de, depuis) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, nullif($10, '')::uuid, $11)",
		id, p.abonneID, p.nature, p.montant, p.parPrelevement, grace, p.motif, tx.Today(), tx.Identity().ID, p.suiteDe, p.depuis)
	for i, e := range p.echeances {
		b.Queue("insert into echeance (echeancier_id, rang, date, montant_centimes) values ($1, $2, $3, $4)", id, i+1, e.Date, e.MontantCentimes)
		if p.parPrelevement {
			b.Queue("insert into prelevement_a_faire (id, abonne_id, echeancier_id, rang, montant_centimes, date, cree_a) values ($1, $2, $3, $4, $5, $6, $7)",
				function.NewID(), p.abonneID, id, i+1, e.MontantCentimes, e.Date, tx.Now)
		}
	}
	return id, tx.SendBatch(ctx, b).Close()
}

// accorder tells the abonne of a plan that was just kept.
func accorder(ctx context.Context, tx *function.Tx, id string) (message.Echeancier, error) {
	e, err := loadEcheancier(ctx, tx, id)
	if err != nil {
		return e, err
	}
	told := message.EcheancierAccorde{Echeancier: e}
	told.Nom, told.Email, told.Adresse, err = joindre(ctx, tx, e.AbonneID)
	tx.Emit(e.ID, 0, told)
	return e, err
}

// joindre tells where an abonne is written to: as their newest contract says.
func joindre(ctx context.Context, tx *function.Tx, abonneID string) (nom, email string, adresse message.Adresse, err error) {
	err = tx.QueryRow(ctx, "select nom, email, adresse from contrat where abonne_id = $1 order by depuis desc, numero desc limit 1", abonneID).Scan(&nom, &email, &adresse)
	return nom, email, adresse, ignore(err, pgx.ErrNoRows)
}

// rompus are the plans that run and of which a part was missed, on day $1:
// among those that were paid less than their parts past grace ask, which are
// few, those of which echeancier_etat says so.
const rompus = `with en_retard as materialized (
		select e.id from echeancier e join echeancier_paye p on p.echeancier_id = e.id
		where e.fin_le is null and p.paye_centimes < (select sum(t.montant_centimes) from echeance t where t.echeancier_id = e.id and t.date + e.grace < $1))
	select id from en_retard where echeancier_etat(id, $1) = 'ROMPU'`

// rompreEcheanciers finds the plans of which a part was missed for longer than
// their days of grace; each is ended apart, so that one that fails holds up no other.
func rompreEcheanciers(ctx context.Context, tx *function.Tx, _ message.Tick) error {
	rows, err := tx.Query(ctx, rompus+" limit $2", tx.Today(), parTournee)
	if err != nil {
		return err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	for _, id := range ids {
		tx.Emit(id, 0, message.EcheancierARompre{EcheancierID: id})
	}
	return err
}

// rompreEcheancier ends a plan of which a part was missed: no further part is
// debited, its bills are due as they were, and the abonne is told which part
// was missed and what is due. A payment may have come meanwhile.
func rompreEcheancier(ctx context.Context, tx *function.Tx, a message.EcheancierARompre) error {
	e, err := loadEcheancier(ctx, tx, a.EcheancierID)
	if err != nil {
		return err
	}
	if err := verrouiller(ctx, tx, e.AbonneID); err != nil {
		return err
	}
	if e, err = loadEcheancier(ctx, tx, e.ID); err != nil || e.Etat != "ROMPU" || !e.FinLe.IsZero() {
		return err
	}
	b := &pgx.Batch{}
	b.Queue("update echeancier set rompu = true, fin_le = $2, fin_motif = 'Échéance manquée' where id = $1", e.ID, tx.Today())
	b.Queue("update prelevement_a_faire set etat = 'ANNULE' where echeancier_id = $1 and etat = 'A_FAIRE'", e.ID)
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return err
	}
	told := message.EcheancierRompu{EcheancierID: e.ID, AbonneID: e.AbonneID, Nature: e.Nature, ManqueCentimes: -e.PayeCentimes}
	for _, p := range e.Echeances {
		if p.Etat == "EN_RETARD" && told.Manquee.IsZero() {
			told.Manquee = p.Date
		}
		if p.Date.Before(tx.Today()) {
			told.ManqueCentimes += p.MontantCentimes
		}
	}
	if told.Nom, told.Email, told.Adresse, err = joindre(ctx, tx, e.AbonneID); err != nil {
		return err
	}
	rows, err := tx.Query(ctx, `select id, numero, echeance, ttc_centimes - paye_centimes from facture f where abonne_id = $1 and etat in ('EMISE', 'PARTIELLE')
		and ($2 <> 'ECHEANCIER' or exists (select from echeancier_facture where echeancier_id = $3 and facture_id = f.id)) order by echeance, numero`, e.AbonneID, e.Nature, e.ID)
	if err != nil {
		return err
	}
	told.Factures, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.FactureDue])
	for _, f := range told.Factures {
		told.TotalCentimes += f.ResteCentimes
	}
	tx.Emit(e.ID, 0, told)
	return err
}

// arreterEcheancier ends a plan before its time.
func arreterEcheancier(ctx context.Context, tx *function.Tx, c message.ArreterEcheancier) (message.Echeancier, error) {
	e, err := loadEcheancier(ctx, tx, c.EcheancierID)
	if err != nil {
		return e, err
	}
	if err := verrouiller(ctx, tx, e.AbonneID); err != nil {
		return e, err
	}
	tag, err := tx.Exec(ctx, "update echeancier set fin_le = $2, fin_motif = $3 where id = $1 and fin_le is null", e.ID, tx.Today(), c.Motif)
	if err != nil {
		return e, err
	}
	if tag.RowsAffected() == 0 || e.Etat == "SOLDE" {
		return e, function.Conflict("echeancier_fini", "Cet échéancier est déjà terminé.", "This plan is over already.")
	}
	if _, err := tx.Exec(ctx, "update prelevement_a_faire set etat = 'ANNULE' where echeancier_id = $1 and etat = 'A_FAIRE'", e.ID); err != nil {
		return e, err
	}
	return loadEcheancier(ctx, tx, e.ID)
}

func selectEcheanciers(ctx context.Context, tx *function.Tx, where string, args ...any) ([]message.Echeancier, error) {
	rows, err := tx.Query(ctx, `select e.id, abonne_id, nature, echeancier_etat(e.id, $1), montant_centimes, p.paye_centimes, par_prelevement, grace, motif, cree_le, fin_le, fin_motif,
			array(select f.numero from echeancier_facture ef join facture f on f.id = ef.facture_id where ef.echeancier_id = e.id order by f.numero),
			(select jsonb_agg(jsonb_build_object('date', date, 'montant_centimes', montant_centimes) order by rang) from echeance where echeancier_id = e.id),
			coalesce((select numero from facture where id = e.regularise_par), ''), e.suite_de is not null
		from echeancier e join echeancier_paye p on p.echeancier_id = e.id where `+where, append([]any{tx.Today()}, args...)...)
	if err != nil {
		return nil, err
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[message.Echeancier])
	for i := range all {
		etatsEcheances(all[i].Echeances, all[i].PayeCentimes, tx.Today())
	}
	return all, err
}

// etatsEcheances tells what has become of parts: money pays them in order.
func etatsEcheances(all []message.Echeance, paye int64, le message.Date) {
	for i := range all {
		e := &all[i]
		switch {
		case paye >= e.MontantCentimes:
			e.Etat = "PAYEE"
		case e.Date.Before(le):
			e.Etat = "EN_RETARD"
		case paye > 0:
			e.Etat = "PARTIELLE"
		default:
			e.Etat = "A_VENIR"
		}
		paye = max(paye-e.MontantCentimes, 0)
	}
}

func loadEcheancier(ctx context.Context, tx *function.Tx, id string) (message.Echeancier, error) {
	all, err := selectEcheanciers(ctx, tx, "e.id = $2", id)
	if err == nil && len(all) == 0 {
		err = function.NotFound("echeancier_inconnu", "Cet échéancier n'existe pas.", "There is no such plan.")
	}
	return append(all, message.Echeancier{})[0], err
}

// echeanciers lists the plans of an abonne.
func echeanciers(ctx context.Context, tx *function.Tx, q message.Echeanciers) (l message.ListeEcheanciers, err error) {
	if !tx.Identity().Owns(q.AbonneID) {
		return l, function.NotFound("abonne_inconnu", "Cet abonné n'existe pas.", "There is no such subscriber.")
	}
	l.Items, err = selectEcheanciers(ctx, tx, "abonne_id = $2 order by cree_le desc, e.id desc limit 50", q.AbonneID)
	return l, err
}

// echeanciersSuivis lists the plans of all abonnes in a state.
func echeanciersSuivis(ctx context.Context, tx *function.Tx, q message.EcheanciersSuivis) (l message.ListeEcheanciersSuivis, err error) {
	const solde = "regularise_par is not null or fin_le is null and nature = 'ECHEANCIER' and p.paye_centimes >= montant_centimes"
	where := map[string]string{
		"EN_COURS": "fin_le is null and not (" + solde + ") and e.id not in (" + rompus + ")",
		"ROMPU":    "(rompu or e.id in (" + rompus + "))",
		"SOLDE":    "(" + solde + ")",
		"ANNULE":   "fin_le is not null and regularise_par is null and not rompu",
	}[q.Etat]
	order := "coalesce(e.fin_le, e.cree_le) desc, e.id desc"
	if q.Etat == "EN_COURS" { // whose next part was due first
		order = `(select min(t.date) from (select date, sum(montant_centimes) over (order by rang) du from echeance
			where echeancier_id = e.id) t where t.du > p.paye_centimes) nulls last, e.id`
	}
	all, err := selectEcheanciers(ctx, tx, where+" order by "+order+" limit 200")
	if err != nil {
		return l, err
	}
	abonnes := make([]string, len(all))
	for i, e := range all {
		abonnes[i] = e.AbonneID
	}
	rows, err := tx.Query(ctx, "select distinct on (abonne_id) abonne_id, nom from contrat where abonne_id = any($1::uuid[]) order by abonne_id, depuis desc, numero desc", abonnes)
	if err != nil {
		return l, err
	}
	noms := map[string]string{}
	var id, nom string
	if _, err := pgx.ForEachRow(rows, []any{&id, &nom}, func() error { noms[id] = nom; return nil }); err != nil {
		return l, err
	}
	l.Items = make([]message.EcheancierSuivi, len(all))
	for i, e := range all {
		l.Items[i] = message.EcheancierSuivi{Echeancier: e, Nom: noms[e.AbonneID]}
	}
	return l, nil
}

// factureDuPlan is the bill that money for a plan pays first, and whose plan it is.
func factureDuPlan(ctx context.Context, tx *function.Tx, id string) (abonneID, factureID string, err error) {
	err = tx.QueryRow(ctx, `select abonne_id, coalesce((select f.id::text from echeancier_facture ef join facture f on f.id = ef.facture_id
			where ef.echeancier_id = e.id and f.etat in ('EMISE', 'PARTIELLE') order by f.echeance, f.rang limit 1), '')
		from echeancier e where id = $1`, id).Scan(&abonneID, &factureID)
	if errors.Is(err, pgx.ErrNoRows) {
		err = function.Invalid("echeancier_id", "echeancier_inconnu", "Cet échéancier n'existe pas.", "There is no such plan.")
	}
	return abonneID, factureID, err
}
