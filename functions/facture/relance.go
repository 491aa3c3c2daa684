package main

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// parTournee bounds how many files of each kind one transaction takes up.
const parTournee = 500

// relancerImpayes moves the files of unpaid bills as far as the day allows: a file
// is opened, gets its next letter, or is handed to a person. No step is taken
// twice in a day, and nothing here ever orders field work: water is not a
// means of recovery (CASF L115-3).
func relancerImpayes(ctx context.Context, tx *function.Tx, _ message.Tick) error {
	var mine bool
	if err := tx.QueryRow(ctx, "select pg_try_advisory_xact_lock(hashtext('facture.relances'))").Scan(&mine); err != nil || !mine {
		return err // another tick is at it
	}
	levels, err := niveaux(ctx, tx)
	if err != nil || len(levels) == 0 {
		return err
	}
	if err := suivreFactures(ctx, tx, levels[0].ApresJours); err != nil {
		return err
	}
	opened, err := ouvrirDossiers(ctx, tx, levels[0].ApresJours)
	if err != nil {
		return err
	}
	moved, err := envoyerLettres(ctx, tx, levels)
	if err == nil && (opened == parTournee || moved == parTournee) {
		tx.Emit("", 0, message.RelancesAFaire{})
	}
	return err
}

// continuer goes on where a transaction stopped.
func continuer(ctx context.Context, tx *function.Tx, _ message.RelancesAFaire) error {
	return relancerImpayes(ctx, tx, message.Tick{})
}

// niveaux are the letters in force today, in order.
func niveaux(ctx context.Context, tx *function.Tx) ([]message.NiveauRelance, error) {
	rows, err := tx.Query(ctx, `select niveau, libelle, apres_jours, preavis_jours, preavis_aide_jours, services_sociaux, source, canal, ecrit_exige
		from niveau_relance where periode @> $1::date order by niveau`, tx.Today())
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[message.NiveauRelance])
}

// suivreFactures closes the files of bills that are owed no more, and starts
// those again whose payment was taken back.
func suivreFactures(ctx context.Context, tx *function.Tx, delai int) error {
	b := &pgx.Batch{}
	b.Queue(`with clos as (
			update dossier_relance d set etat = 'CLOS', prochain_le = null from facture f
			where f.id = d.facture_id and d.etat in ('EN_RELANCE', 'A_TRANSMETTRE', 'EN_CONTENTIEUX') and f.etat not in ('EMISE', 'PARTIELLE')
			returning d.id, f.etat)
		insert into dossier_evenement (dossier_id, le, par, code, detail) select id, $1, $2, 'CLOS', etat from clos`, tx.Now, tx.Identity().ID)
	b.Queue(`with rouvert as (
			update dossier_relance d set etat = 'EN_RELANCE', niveau = 0, tour = tour + 1, prochain_le = $3::date + $4::int, contentieux_id = null from facture f
			where f.id = d.facture_id and d.etat = 'CLOS' and f.etat in ('EMISE', 'PARTIELLE')
			returning d.id)
		insert into dossier_evenement (dossier_id, le, par, code) select id, $1, $2, 'ROUVERT' from rouvert`, tx.Now, tx.Identity().ID, tx.Today(), delai)
	return tx.SendBatch(ctx, b).Close()
}

// ouvrirDossiers opens a file for each bill that is late: more than delai days
// after its date and after its due date, not about to be debited and not paid
// by a plan that is kept.
func ouvrirDossiers(ctx context.Context, tx *function.Tx, delai int) (n int64, err error) {
	tag, err := tx.Exec(ctx, `with ouvert as (
			insert into dossier_relance (id, facture_id, abonne_id, etat, ouvert_le, prochain_le)
			select gen_random_uuid(), f.id, f.abonne_id, 'EN_RELANCE', $3, greatest($3, (
				select max(jusqua) + 1 from suspension s where s.abonne_id = f.abonne_id and (s.facture_id is null or s.facture_id = f.id) and s.levee_le is null))
			from facture f
			where f.etat in ('EMISE', 'PARTIELLE') and f.ttc_centimes > f.paye_centimes and greatest(f.date_facturation + $4::int, f.echeance) < $3::date
				and not exists (select from dossier_relance d where d.facture_id = f.id)
				and not exists (select from prelevement_a_faire p where p.facture_id = f.id and p.etat in ('A_FAIRE', 'REMIS'))
				and not en_echeancier(f.id, $3)
			order by f.echeance limit $5
			on conflict (facture_id) do nothing
			returning id)
		insert into dossier_evenement (dossier_id, le, par, code) select id, $1, $2, 'OUVERT' from ouvert`,
		tx.Now, tx.Identity().ID, tx.Today(), delai, parTournee)
	return tag.RowsAffected(), err
}

// lettreDue is a file whose day has come.
type lettreDue struct {
	id, abonneID, entite string
	niveau, tour         int
	aide                 bool
	message.FactureDue
	nom, email string
	adresse    message.Adresse
	habitation bool
}

// attendEnvoi tells of a file d whether its last letter has not left.
const attendEnvoi = `exists (select from relance r where r.dossier_id = d.id and r.tour = d.tour and r.niveau = d.niveau and r.partie_le is null)`

// envoyerLettres sends the letters that are due, one to an abonne for all
// bills of a level, and hands over files whose last notice has passed. A file
// whose letter has not left stays where it is.
func envoyerLettres(ctx context.Context, tx *function.Tx, levels []message.NiveauRelance) (n int, err error) {
	rows, err := tx.Query(ctx, `select d.id, d.abonne_id, f.entite, d.niveau, d.tour, aidee(d.abonne_id, $1), f.id, f.numero, f.echeance, f.ttc_centimes - f.paye_centimes,
			f.nom, f.email, f.adresse, coalesce((select habitation from contrat c where c.id = f.contrat_id), true)
		from dossier_relance d join facture f on f.id = d.facture_id
		where d.etat = 'EN_RELANCE' and d.prochain_le <= $1 and not `+attendEnvoi+` and not en_echeancier(f.id, $1)
		order by d.abonne_id, f.entite, d.niveau, f.echeance, f.id limit $2 for update of d`, tx.Today(), parTournee)
	if err != nil {
		return 0, err
	}
	due, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (l lettreDue, err error) {
		err = row.Scan(&l.id, &l.abonneID, &l.entite, &l.niveau, &l.tour, &l.aide, &l.FactureID, &l.Numero, &l.Echeance, &l.ResteCentimes,
			&l.nom, &l.email, &l.adresse, &l.habitation)
		return l, err
	})
	if err != nil {
		return 0, err
	}
	b := &pgx.Batch{}
	var letters []*message.RelanceEmise
	var before *lettreDue
	for i := range due {
		l := &due[i]
		if l.niveau >= len(levels) {
			b.Queue("update dossier_relance set etat = 'A_TRANSMETTRE', prochain_le = null where id = $1", l.id)
			noter(b, tx, l.id, "A_TRANSMETTRE", "")
			continue
		}
		level := levels[l.niveau]
		if before == nil || before.abonneID != l.abonneID || before.entite != l.entite || before.niveau != l.niveau {
			days := level.PreavisJours
			if l.aide {
				days = level.PreavisAideJours
			}
			letters = append(letters, &message.RelanceEmise{CourrierID: function.NewID(), AbonneID: l.abonneID, Nom: l.nom, Email: l.email, Adresse: l.adresse,
				Niveau: level.Niveau, Canal: level.Canal, Le: tx.Today(), Limite: tx.Today().AddDays(days), ServicesSociaux: level.ServicesSociaux})
		}
		before = l
		letter := letters[len(letters)-1]
		letter.Habitation = letter.Habitation || l.habitation
		letter.TotalCentimes += l.ResteCentimes
		letter.Factures = append(letter.Factures, l.FactureDue)
		next := letter.Limite.AddDays(1)
		if l.niveau+1 < len(levels) {
			next = next.AddDays(levels[l.niveau+1].ApresJours)
		}
		b.Queue("insert into relance (id, dossier_id, courrier, niveau, tour, le, limite, partie_le) values ($1, $2, $3, $4, $5, $6, $7, null)",
			function.NewID(), l.id, letter.CourrierID, level.Niveau, l.tour, letter.Le, letter.Limite)
		b.Queue("update dossier_relance set niveau = $2, prochain_le = $3 where id = $1", l.id, level.Niveau, next)
		noter(b, tx, l.id, "LETTRE", level.Libelle+", à régler avant le "+letter.Limite.Francais())
	}
	for _, letter := range letters {
		tx.Emit(letter.AbonneID, 0, *letter)
	}
	return len(due), tx.SendBatch(ctx, b).Close()
}

// apresPreavis is the day of what follows a letter r: its notice runs from the
// day on which it left, and never ends before the one that it names.
const apresPreavis = `greatest(r.limite, r.partie_le + (r.limite - r.le)) + 1
	+ coalesce((select apres_jours from niveau_relance n where n.niveau = r.niveau + 1 and n.periode @> r.le), 0)`

// lettrePartie notes on which day a letter left, the last one when it had to
// leave twice. A text message that goes with it is not the letter.
func lettrePartie(ctx context.Context, rt *function.Runtime, e message.EnvoiFait) error {
	if e.Modele != "RELANCE" || e.Accompagne {
		return nil // a bill's: there are too many to open a transaction for each
	}
	return rt.InTx(ctx, func(tx *function.Tx) error {
		if e.Le.IsZero() {
			e.Le = tx.SentOn()
		}
		_, err := tx.Exec(ctx, `with partie as (
				update relance set partie_le = $2 where courrier = nullif($1, '')::uuid and coalesce(partie_le < $2, true) returning *
			), suite as (
				update dossier_relance d set prochain_le = greatest(d.prochain_le, `+apresPreavis+`) from partie r
				where d.id = r.dossier_id and d.tour = r.tour and d.niveau = r.niveau and d.etat = 'EN_RELANCE')
			insert into dossier_evenement (dossier_id, le, par, code, detail) select dossier_id, $3, $4, 'LETTRE_PARTIE', $5 from partie`,
			e.Reference, e.Le, tx.Now, tx.Identity().ID, "le "+e.Le.Francais())
		return err
	})
}

// noter adds to the history of a file.
func noter(b *pgx.Batch, tx *function.Tx, dossierID, code, detail string) {
	b.Queue("insert into dossier_evenement (dossier_id, le, par, code, detail) values ($1, $2, $3, $4, $5)", dossierID, tx.Now, tx.Identity().ID, code, detail)
}

// suspendreRelances holds letters up. After a FSL a notice that had been given must be
// given anew (decret 2008-780, art. 3).
func suspendreRelances(ctx context.Context, tx *function.Tx, c message.SuspendreRelances) (s message.Suspension, err error) {
	s = message.Suspension{ID: function.NewID(), SuspendreRelances: c, Du: tx.Today()}
	fsl := c.Motif == "FSL"
	if fsl {
		s.Du = c.DeposeLe
		if c.Jusqua.IsZero() {
			if err := tx.QueryRow(ctx, "select ($1::date + make_interval(months => parametre_du('fsl_maintien', $1)))::date", c.DeposeLe).Scan(&s.Jusqua); err != nil {
				return s, err
			}
		}
	}
	switch {
	case s.Du.After(tx.Today()):
		return s, function.Invalid("depose_le", "date_future", "Ce dossier ne peut pas avoir été déposé dans le futur.", "This file cannot have been deposited in the future.")
	case s.Jusqua.IsZero():
		return s, function.Invalid("jusqua", "fin_requise", "Une suspension a une fin : donnez son dernier jour.", "What holds letters up has an end: give its last day.")
	case s.Jusqua.Before(tx.Today()):
		return s, function.Invalid("jusqua", "suspension_terminee", "Cette suspension serait terminée depuis le "+s.Jusqua.Francais()+".", "This would have ended on "+s.Jusqua.String()+".")
	case s.Jusqua.DaysSince(tx.Today()) > 731:
		return s, function.Invalid("jusqua", "suspension_longue", "Une suspension dure deux ans au plus ; prolongez-la ensuite.", "Two years at most; extend it then.")
	}
	var known bool
	err = tx.QueryRow(ctx, "select exists (select from facture where abonne_id = $1 and numero is not null and ($2 = '' or id = nullif($2, '')::uuid))", c.AbonneID, c.FactureID).Scan(&known)
	if err != nil {
		return s, err
	}
	if !known {
		return s, factureInconnue()
	}
	_, err = tx.Exec(ctx, `insert into suspension (id, abonne_id, facture_id, motif, detail, du, jusqua, cree_a, cree_par) values ($1, $2, nullif($3, '')::uuid, $4, $5, $6, $7, $8, $9)`,
		s.ID, c.AbonneID, c.FactureID, c.Motif, c.Detail, s.Du, s.Jusqua, tx.Now, tx.Identity().ID)
	if err != nil {
		return s, err
	}
	rows, err := tx.Query(ctx, `update dossier_relance set etat = 'EN_RELANCE', prochain_le = greatest(prochain_le, $3::date + 1),
			niveau = case when $4 then least(niveau, 1) else niveau end, tour = tour + ($4 and niveau > 1)::int
		where abonne_id = $1 and ($2 = '' or facture_id = nullif($2, '')::uuid) and etat in ('EN_RELANCE', 'A_TRANSMETTRE') returning id`, c.AbonneID, c.FactureID, s.Jusqua, fsl)
	if err != nil {
		return s, err
	}
	held, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return s, err
	}
	s.Dossiers = len(held)
	b := &pgx.Batch{}
	for _, id := range held {
		noter(b, tx, id, "SUSPENDU", c.Motif+" jusqu'au "+s.Jusqua.Francais()+" : "+c.Detail)
	}
	return s, tx.SendBatch(ctx, b).Close()
}

// reprendreRelances ends what holds letters up: the next goes when the notice of the
// last is over.
func reprendreRelances(ctx context.Context, tx *function.Tx, c message.ReprendreRelances) (page message.PageRelances, err error) {
	tag, err := tx.Exec(ctx, `update suspension set levee_le = $3 where abonne_id = $1 and ($2 = '' or facture_id = nullif($2, '')::uuid) and levee_le is null and jusqua >= $3`,
		c.AbonneID, c.FactureID, tx.Today())
	if err != nil {
		return page, err
	}
	if tag.RowsAffected() == 0 {
		return page, function.Conflict("rien_a_reprendre", "Rien ne suspend les relances de cet abonné.", "Nothing holds up the letters to this subscriber.")
	}
	_, err = tx.Exec(ctx, `with repris as (
			update dossier_relance d set prochain_le = greatest($3::date, (select max(`+apresPreavis+`) from relance r where r.dossier_id = d.id and r.tour = d.tour))
			where abonne_id = $1 and ($2 = '' or facture_id = nullif($2, '')::uuid) and etat = 'EN_RELANCE' and not exists (
				select from suspension s where s.abonne_id = d.abonne_id and (s.facture_id is null or s.facture_id = d.facture_id) and s.levee_le is null and s.jusqua >= $3)
			returning id)
		insert into dossier_evenement (dossier_id, le, par, code) select id, $4, $5, 'REPRIS' from repris`, c.AbonneID, c.FactureID, tx.Today(), tx.Now, tx.Identity().ID)
	if err != nil {
		return page, err
	}
	return relances(ctx, tx, message.Relances{AbonneID: c.AbonneID})
}

// majorable tells of a file d, its bill f and day $1 whether the sewerage part
// may be surcharged: unpaid for months, and a registered formal notice was
// given long enough ago (CGCT R2224-19-9).
const majorable = `f.etat in ('EMISE', 'PARTIELLE') and not exists (select from majoration where facture_id = f.id)
	and exists (select from jsonb_array_elements(f.lignes) l where l ->> 'rubrique' = 'eaux_usees' and (l ->> 'ht_centimes')::bigint > 0)
	and f.date_facturation + make_interval(months => parametre_du('majoration_eu_delai', $1)) < $1
	and exists (select from acte_contentieux a where a.contentieux_id = d.contentieux_id and a.nature = 'MISE_EN_DEMEURE'
		and a.le >= f.date_facturation and a.le + parametre_du('majoration_eu_mise_en_demeure', $1) < $1)`

// dossiers are files on day $1. The prescription runs from the bill for a
// regie and from its due date for a private operator, and anew from what
// interrupts it.
const dossiers = `
	select d.id, d.facture_id, f.numero, d.abonne_id, f.nom, case when d.etat = 'EN_RELANCE' and s.motif is not null then 'SUSPENDU' else d.etat end etat, d.niveau,
		f.date_facturation, f.echeance, case when f.etat in ('EMISE', 'PARTIELLE') then f.ttc_centimes - f.paye_centimes else 0 end reste, d.prochain_le,
		coalesce(s.motif, '') suspension, s.jusqua, aidee(d.abonne_id, $1) aide, coalesce(d.contentieux_id::text, '') contentieux_id,
		(greatest(case en.regime when 'PRIVE' then f.echeance else f.date_facturation end,
			(select max(a.le) from acte_contentieux a join nature_acte n on n.code = a.nature where a.contentieux_id = d.contentieux_id and n.interrompt))
			+ make_interval(months => parametre_du(case en.regime when 'PRIVE' then 'prescription_prive' else 'prescription_regie' end, $1)))::date prescription_le,
		coalesce(` + majorable + `, false) majorable, d.etat = 'EN_RELANCE' and ` + attendEnvoi + ` attend_envoi
	from dossier_relance d join facture f on f.id = d.facture_id join entite en on en.code = f.entite
	left join lateral (select motif, jusqua from suspension s where s.abonne_id = d.abonne_id and (s.facture_id is null or s.facture_id = d.facture_id)
		and s.levee_le is null and $1 between s.du and s.jusqua order by jusqua desc limit 1) s on true`

func selectDossiers(ctx context.Context, tx *function.Tx, where string, args ...any) ([]message.DossierRelance, error) {
	rows, err := tx.Query(ctx, "select * from ("+dossiers+") d where "+where, append([]any{tx.Today()}, args...)...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[message.DossierRelance])
}

// relances lists files with the sums of all that are open.
func relances(ctx context.Context, tx *function.Tx, q message.Relances) (page message.PageRelances, err error) {
	after, err := readCursor(q.Curseur)
	if err != nil {
		return page, err
	}
	page.Items, err = selectDossiers(ctx, tx, `case $2 when '' then etat not in ('CLOS', 'ADMIS_EN_NON_VALEUR') else etat = $2 end
		and ($3::int is null or niveau = $3) and ($4 = '' or abonne_id = nullif($4, '')::uuid)
		and ($5::text is null or (coalesce(prochain_le, '-infinity'), id::text) > (coalesce(nullif($5, '-'), '-infinity')::date, $6))
		order by coalesce(prochain_le, '-infinity'), id::text limit $7`,
		q.Etat, q.Niveau, q.AbonneID, nilIfEmpty(after.key), after.id, q.Size()+1)
	if err != nil {
		return page, err
	}
	if n := q.Size(); len(page.Items) > n {
		page.Items = page.Items[:n]
		last := page.Items[n-1]
		key := last.ProchainLe.String()
		if key == "" {
			key = "-"
		}
		page.Suivant = cursor{key, last.ID}.String()
	}
	rows, err := tx.Query(ctx, "select etat, niveau, count(*), sum(reste)::bigint from ("+dossiers+`) d
		where etat not in ('CLOS', 'ADMIS_EN_NON_VALEUR') group by 1, 2 order by array_position(array['EN_RELANCE', 'SUSPENDU', 'A_TRANSMETTRE', 'EN_CONTENTIEUX'], etat), 2`, tx.Today())
	if err != nil {
		return page, err
	}
	page.Sommes, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.SommeRelances])
	return page, err
}

func dossierParID(ctx context.Context, tx *function.Tx, q message.DossierRelanceParID) (f message.FicheRelance, err error) {
	all, err := selectDossiers(ctx, tx, "id = $2", q.ID)
	switch {
	case err != nil:
		return f, err
	case len(all) == 0:
		return f, function.NotFound("dossier_inconnu", "Ce dossier de relance n'existe pas.", "There is no such file.")
	}
	f.DossierRelance = all[0]
	rows, err := tx.Query(ctx, "select le, par, code, detail from dossier_evenement where dossier_id = $1 order by id desc limit 200", q.ID)
	if err != nil {
		return f, err
	}
	f.Evenements, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.EvenementRelance])
	return f, err
}

// reglerCanalRelance says how the letters of a level go from today on; what
// was in force before stays, with its dates.
func reglerCanalRelance(ctx context.Context, tx *function.Tx, c message.ReglerCanalRelance) (l message.ListeReglesRecouvrement, err error) {
	var exige bool
	var canal string
	err = tx.QueryRow(ctx, "select ecrit_exige, canal from niveau_relance where niveau = $1 and periode @> $2::date for update", c.Niveau, tx.Today()).Scan(&exige, &canal)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return l, function.NotFound("niveau_inconnu", "Ce niveau de relance n'existe pas.", "There is no such level.")
	case err != nil:
		return l, err
	case exige && c.Canal == "SMS":
		return l, function.Refused("ecrit_exige",
			"La loi veut ce courrier par écrit (décret 2008-780, art. 1) : un SMS peut l'accompagner, pas le remplacer.",
			"The law wants this letter in writing (décret 2008-780, art. 1): a text message may go with it, not in its stead.")
	case canal == c.Canal:
		return reglesRecouvrement(ctx, tx, message.ReglesRecouvrement{})
	}
	b := &pgx.Batch{}
	b.Queue(`update niveau_relance set canal = $3 where niveau = $1 and lower(periode) = $2`, c.Niveau, tx.Today(), c.Canal) // changed twice in a day
	b.Queue(`with avant as (
			update niveau_relance set periode = daterange(lower(periode), $2::date) where niveau = $1 and periode @> $2::date and lower(periode) < $2 returning *)
		insert into niveau_relance (niveau, periode, libelle, apres_jours, preavis_jours, preavis_aide_jours, services_sociaux, source, canal, ecrit_exige)
		select niveau, daterange($2::date, null), libelle, apres_jours, preavis_jours, preavis_aide_jours, services_sociaux, source, $3, ecrit_exige from avant`, c.Niveau, tx.Today(), c.Canal)
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return l, err
	}
	return reglesRecouvrement(ctx, tx, message.ReglesRecouvrement{})
}

func reglesRecouvrement(ctx context.Context, tx *function.Tx, _ message.ReglesRecouvrement) (l message.ListeReglesRecouvrement, err error) {
	if l.Niveaux, err = niveaux(ctx, tx); err != nil {
		return l, err
	}
	rows, err := tx.Query(ctx, "select code, valeur, unite, source from parametre_recouvrement where periode @> $1::date order by code", tx.Today())
	if err != nil {
		return l, err
	}
	if l.Regles, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.RegleRecouvrement]); err != nil {
		return l, err
	}
	l.Penalites, err = reglesPenalite(ctx, tx)
	return l, err
}
