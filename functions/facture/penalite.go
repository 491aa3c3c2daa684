package main

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// Between professionals a late payment costs a fixed fee and interest by law
// (code de commerce L441-10, D441-5); a household pays only what the
// regulation of its service says. Both are rows with dates and sources: where
// there is no row, nothing is asked.

// enRetard is a bill on day $1: what is owed, whose rules it follows, the
// first day that was not charged, and what forbids to charge it.
const enRetard = `
	select f.numero, f.contrat_id, f.entite, greatest(f.echeance, (select max(jusqua) from penalite where facture_id = f.id)) + 1,
		coalesce(c.habitation, true), c.habitation is false and f.siren = '', aidee(f.abonne_id, $1),
		exists (select from suspension s where s.abonne_id = f.abonne_id and (s.facture_id is null or s.facture_id = f.id) and s.levee_le is null and $1 between s.du and s.jusqua),
		en_echeancier(f.id, $1), exists (select from penalite where piece_id = f.id) or exists (select from majoration where piece_id = f.id),
		exists (select from penalite where facture_id = f.id and forfait_centimes > 0),
		(select apres_jours from niveau_relance where niveau = 1 and periode @> $1::date)
	from facture f left join contrat c on c.id = f.contrat_id where f.id = $2`

// appliquerPenalites asks for what the lateness of a bill costs, by a document
// of its own, or tells what it would be.
func appliquerPenalites(ctx context.Context, tx *function.Tx, c message.AppliquerPenalites) (p message.Penalites, err error) {
	reste, dossier, _, err := dueEtDossier(ctx, tx, c.FactureID)
	if err != nil {
		return p, err
	}
	var numero, contrat, entite string
	var habitation, particulier, aide, suspendue, enPlan, accessoire, forfait bool
	var delai int
	err = tx.QueryRow(ctx, enRetard, tx.Today(), c.FactureID).
		Scan(&numero, &contrat, &entite, &p.Du, &habitation, &particulier, &aide, &suspendue, &enPlan, &accessoire, &forfait, &delai)
	if err != nil {
		return p, err
	}
	p.FactureID, p.Jusqua = c.FactureID, tx.Today().AddDays(-1)
	switch {
	case suspendue:
		return p, function.Refused("relances_suspendues", "Cette facture est contestée, ou attend une aide : elle ne porte pas de pénalité.", "This bill is contested, or waits for an aid: it bears no penalty.")
	case enPlan:
		return p, function.Refused("en_echeancier", "Cette facture est réglée par un échéancier tenu : elle ne porte pas de pénalité.", "This bill is paid by a plan that is kept: it bears no penalty.")
	case aide && habitation:
		return p, function.Refused("abonne_aide", "Ce ménage a un tarif social ou une aide récente : il ne paie pas de pénalité.", "This household has a social tariff or was helped: it pays no penalty.")
	case accessoire:
		return p, function.Refused("penalite_de_penalite", "Cette facture est déjà une pénalité ou une majoration.", "This bill is a penalty or a surcharge itself.")
	case p.Jusqua.Before(p.Du):
		return p, function.Conflict("pas_en_retard", "Cette facture n'est pas en retard, ou tous ses jours de retard sont déjà comptés.", "This bill is not late, or all its late days were charged.")
	}
	if !particulier {
		if err := compterRetard(ctx, tx, &p, reste, habitation, forfait); err != nil {
			return p, err
		}
	}
	p.TotalCentimes = p.ForfaitCentimes + p.InteretsCentimes
	if p.TotalCentimes == 0 {
		return p, function.Conflict("aucune_regle", "Aucune règle en vigueur ne demande de pénalité pour cette facture.", "No rule in force asks a penalty for this bill.")
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
			Libelle: fmt.Sprintf("Pénalités de retard sur %s, facture %s, %d jours du %s au %s", message.Euros(reste), numero, p.Jours, p.Du.Francais(), p.Jusqua.Francais())})
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

// compterRetard sums the fee, once for a bill, and the interest on what is
// owed for each late day, at the rate of the day; days on which letters were
// held up bear none. The exact sum is rounded once, half up.
func compterRetard(ctx context.Context, tx *function.Tx, p *message.Penalites, reste int64, habitation, forfait bool) error {
	if !forfait {
		var source string
		err := tx.QueryRow(ctx, "select montant_centimes, source from frais_recouvrement where code = 'RETARD' and habitation = $1 and periode @> $2::date", habitation, tx.Today()).
			Scan(&p.ForfaitCentimes, &source)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if err == nil {
			p.Sources = append(p.Sources, source)
		}
	}
	rows, err := tx.Query(ctx, `select t.taux_pdm, t.source, count(*) from generate_series($1::date, $2::date, interval '1 day') j
			join taux_retard t on t.periode @> j::date and t.habitation = $3
			where not exists (select from suspension s join facture f on f.abonne_id = s.abonne_id and f.id = $4
				where (s.facture_id is null or s.facture_id = f.id) and j::date between s.du and least(s.jusqua, s.levee_le - 1))
			group by 1, 2 order by min(j)`, p.Du, p.Jusqua, habitation, p.FactureID)
	if err != nil {
		return err
	}
	defer rows.Close()
	exact := new(big.Rat)
	for rows.Next() {
		var pdm, days int64
		var source string
		if err := rows.Scan(&pdm, &source, &days); err != nil {
			return err
		}
		part := new(big.Rat).SetFrac64(pdm*days, 10_000*365)
		exact.Add(exact, part.Mul(part, new(big.Rat).SetInt64(reste)))
		p.Jours += int(days)
		p.Sources = append(p.Sources, source)
	}
	exact.Add(exact, big.NewRat(1, 2))
	p.InteretsCentimes = new(big.Int).Quo(exact.Num(), exact.Denom()).Int64()
	return rows.Err()
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
	rows, err := tx.Query(ctx, `select * from (select 'FORFAIT', habitation, lower(periode) du, montant_centimes, source, upper(periode) from frais_recouvrement where code = 'RETARD'
		union all select 'TAUX', habitation, lower(periode), taux_pdm, source, upper(periode) from taux_retard) r order by 1, habitation, du desc`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (r message.ReglePenalite, err error) {
		err = row.Scan(&r.Code, &r.Habitation, &r.Du, &r.Valeur, &r.Source, &r.Au)
		return r, err
	})
}
