package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// Between professionals a late payment costs a fixed fee and interest by law
// (code de commerce L441-10, D441-5); a household pays only what the
// regulation of its service says. Both are rows with dates and sources: where
// there is no row, nothing is asked.

// enRetard is a bill on day $1: whose rules it follows, the first day that was
// not charged, and what forbids to charge it. One that was paid late bears the
// days until then.
const enRetard = `
	select f.etat in ('ANNULEE_PAR_AVOIR', 'ADMISE_EN_NON_VALEUR'), f.numero, f.contrat_id, f.entite, greatest(f.echeance, (select max(jusqua) from penalite where facture_id = f.id)) + 1,
		coalesce(c.habitation, true), c.habitation is false and f.siren = '', aidee(f.abonne_id, $1),
		exists (select from suspension s where s.abonne_id = f.abonne_id and (s.facture_id is null or s.facture_id = f.id) and s.levee_le is null and $1 between s.du and s.jusqua),
		en_echeancier(f.id, $1) or exists (select from echeancier_facture where facture_id = f.id and echeancier_etat(echeancier_id, $1) = 'SOLDE'),
		exists (select from penalite where piece_id = f.id) or exists (select from majoration where piece_id = f.id),
		exists (select from penalite where facture_id = f.id and forfait_centimes > 0),
		(select apres_jours from niveau_relance where niveau = 1 and periode @> $1::date)
	from facture f left join contrat c on c.id = f.contrat_id where f.id = $2`

// appliquerPenalites asks for what the lateness of a bill costs, by a document
// of its own, or tells what it would be.
func appliquerPenalites(ctx context.Context, tx *function.Tx, c message.AppliquerPenalites) (p message.Penalites, err error) {
	_, dossier, _, err := resteEtDossier(ctx, tx, c.FactureID)
	if err != nil {
		return p, err
	}
	var numero, contrat, entite string
	var close, habitation, particulier, aide, suspendue, enPlan, accessoire, forfait bool
	var delai int
	err = tx.QueryRow(ctx, enRetard, tx.Today(), c.FactureID).
		Scan(&close, &numero, &contrat, &entite, &p.Du, &habitation, &particulier, &aide, &suspendue, &enPlan, &accessoire, &forfait, &delai)
	if err != nil {
		return p, err
	}
	p.FactureID, p.Jusqua = c.FactureID, tx.Today().AddDays(-1)
	sansRegle := function.Conflict("aucune_regle", "Aucune règle en vigueur ne demande de pénalité pour cette facture.", "No rule in force asks a penalty for this bill.")
	switch {
	case close:
		return p, rienDu()
	case suspendue:
		return p, function.Refused("relances_suspendues", "Cette facture est contestée, ou attend une aide : elle ne porte pas de pénalité.", "This bill is contested, or waits for an aid: it bears no penalty.")
	case enPlan:
		return p, function.Refused("en_echeancier", "Cette facture est réglée par un échéancier tenu : elle ne porte pas de pénalité.", "This bill is paid by a plan that is kept: it bears no penalty.")
	case aide && habitation:
		return p, function.Refused("abonne_aide", "Ce ménage a un tarif social ou une aide récente : il ne paie pas de pénalité.", "This household has a social tariff or was helped: it pays no penalty.")
	case accessoire:
		return p, function.Refused("penalite_de_penalite", "Cette facture est déjà une pénalité ou une majoration.", "This bill is a penalty or a surcharge itself.")
	case particulier:
		return p, sansRegle
	}
	if err := compterRetard(ctx, tx, &p, habitation); err != nil {
		return p, err
	}
	if !forfait {
		if err := compterForfait(ctx, tx, &p, habitation); err != nil {
			return p, err
		}
	}
	p.TotalCentimes = p.ForfaitCentimes + p.InteretsCentimes
	if p.TotalCentimes == 0 {
		return p, sansRegle
	}
	if c.Simulation {
		return p, nil
	}
	var lignes []message.LigneFacture
	if p.ForfaitCentimes > 0 {
		lignes = append(lignes, message.LigneFacture{Rubrique: "distribution", Code: "penalite/forfait", Compte: "7711", HTCentimes: p.ForfaitCentimes, Libelle: "Indemnité forfaitaire de recouvrement, facture " + numero})
	}
	if p.InteretsCentimes > 0 {
		lignes = append(lignes, message.LigneFacture{Rubrique: "distribution", Code: "penalite/interets", Compte: "7711", HTCentimes: p.InteretsCentimes,
			Libelle: fmt.Sprintf("Pénalités de retard, facture %s, %d jours du %s au %s", numero, p.Jours, p.Du.Francais(), p.Jusqua.Francais())})
	}
	f, err := emettrePiece(ctx, tx, piece{nature: natureManuelle, contratID: contrat, entite: entite, delai: delai, motif: "Retard de paiement de la facture " + numero, lignes: lignes})
	if err != nil {
		return p, err
	}
	p.PieceID, p.Numero = f.ID, f.Numero
	b := &pgx.Batch{}
	b.Queue("insert into penalite (piece_id, facture_id, du, jusqua, forfait_centimes, interets_centimes) values ($1, $2, $3, $4, $5, $6)",
		f.ID, c.FactureID, p.Du, p.Jusqua, p.ForfaitCentimes, p.InteretsCentimes)
	if dossier != "" {
		noter(b, tx, dossier, "PENALISE", f.Numero+" : "+message.Euros(f.TTCCentimes))
	}
	return p, tx.SendBatch(ctx, b).Close()
}

// compterForfait adds the fee, which a bill bears once.
func compterForfait(ctx context.Context, tx *function.Tx, p *message.Penalites, habitation bool) error {
	var source string
	err := tx.QueryRow(ctx, "select montant_centimes, source from frais_recouvrement where code = 'RETARD' and habitation = $1 and periode @> $2::date", habitation, tx.Today()).
		Scan(&p.ForfaitCentimes, &source)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	p.Sources = append(p.Sources, source)
	return err
}

// compterRetard sums the interest on what was owed on each late day, at the
// rate of the day; what an avoir took back never was, and days on which
// letters were held up bear none. The exact sum is rounded once, half up.
// Days are charged once: while the rate of one is to come, none is.
func compterRetard(ctx context.Context, tx *function.Tx, p *message.Penalites, habitation bool) error {
	rows, err := tx.Query(ctx, `
		with jour as (
			select j::date le, f.ttc_centimes
					+ coalesce((select sum(a.ttc_centimes) from facture a where a.corrige_id = f.id and a.nature = 'AVOIR' and a.numero is not null), 0)
					- coalesce((select sum(l.montant_centimes) from `+lettrages+` l where l.facture_id = f.id and not l.repris and l.le <= j::date), 0) reste,
				exists (select from suspension s where s.abonne_id = f.abonne_id and (s.facture_id is null or s.facture_id = f.id)
					and j::date between s.du and least(s.jusqua, s.levee_le - 1)) suspendu
			from facture f, generate_series($1::date, $2::date, interval '1 day') j where f.id = $4
		)
		select coalesce(t.source, ''), count(*)::int, coalesce(sum(t.taux_pdm * reste), 0)::bigint, max(le),
			min(le) filter (where t.source is null and not suspendu and le > (select max(lower(periode)) from taux_retard where habitation = $3))
		from jour left join taux_retard t on t.periode @> le and t.habitation = $3 and not suspendu
		where reste > 0 group by t.source, t.taux_pdm order by min(le)`, p.Du, p.Jusqua, habitation, p.FactureID)
	if err != nil {
		return err
	}
	var source string
	var days int
	var part, sum int64
	var last, latest, missing, unset message.Date
	_, err = pgx.ForEachRow(rows, []any{&source, &days, &part, &last, &missing}, func() error {
		if source != "" {
			p.Jours, p.Sources, sum = p.Jours+days, append(p.Sources, source), sum+part
		}
		if latest.Before(last) {
			latest = last
		}
		if !missing.IsZero() {
			unset = missing
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case latest.IsZero():
		return function.Conflict("pas_en_retard", "Cette facture n'est pas en retard, ou tous ses jours de retard sont déjà comptés.", "This bill is not late, or all its late days were charged.")
	case !unset.IsZero():
		return function.Refused("taux_absent", "Le taux de retard du "+unset.Francais()+" n'est pas réglé : réglez-le d'abord, un jour ne se compte qu'une fois.",
			"The rate of late payment of "+unset.String()+" is not set: set it first, a day is charged once.")
	}
	p.Jusqua, p.InteretsCentimes = latest, quotient(sum, 10_000*365)
	return nil
}

// definirPenalite sets a fee or a rate from a day on; the rule of before ends
// there.
func definirPenalite(ctx context.Context, tx *function.Tx, c message.DefinirPenalite) (message.ReglePenalite, error) {
	r := message.ReglePenalite{DefinirPenalite: c}
	table, insert := "frais_recouvrement", "insert into frais_recouvrement (code, periode, habitation, montant_centimes, source) values ('RETARD', daterange($1, null), $2, $3, $4)"
	where := "code = 'RETARD' and "
	if c.Code == "TAUX" {
		table, where, insert = "taux_retard", "", "insert into taux_retard (periode, habitation, taux_pdm, source) values (daterange($1, null), $2, $3, $4)"
		if c.Valeur > 3000 {
			return r, function.Invalid("valeur", "taux_excessif", "Un taux de retard est de 30 % par an au plus.", "A rate of late payment is 30 % a year at most.")
		}
	}
	var later bool
	if err := tx.QueryRow(ctx, "select exists (select from "+table+" where "+where+"habitation = $1 and lower(periode) >= $2)", c.Habitation, c.Du).Scan(&later); err != nil {
		return r, err
	}
	if later {
		return r, function.Conflict("regle_posterieure", "Une règle commence déjà ce jour-là ou après : la nouvelle commence plus tard.", "A rule begins on that day or after: the new one begins later.")
	}
	if _, err := tx.Exec(ctx, "update "+table+" set periode = daterange(lower(periode), $2) where "+where+"habitation = $1 and periode @> $2::date", c.Habitation, c.Du); err != nil {
		return r, err
	}
	_, err := tx.Exec(ctx, insert, c.Du, c.Habitation, c.Valeur, c.Source)
	return r, err
}

// reglesPenalite are the fees and rates, the latest first.
func reglesPenalite(ctx context.Context, tx *function.Tx) ([]message.ReglePenalite, error) {
	rows, err := tx.Query(ctx, `select * from (select 'FORFAIT', habitation, lower(periode) du, montant_centimes, source, upper(periode), false from frais_recouvrement where code = 'RETARD'
		union all select 'TAUX', habitation, lower(periode), taux_pdm, source, upper(periode), a_verifier from taux_retard) r order by 1, habitation, du desc`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (r message.ReglePenalite, err error) {
		err = row.Scan(&r.Code, &r.Habitation, &r.Du, &r.Valeur, &r.Source, &r.Au, &r.AVerifier)
		return r, err
	})
}
