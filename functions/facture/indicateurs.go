package main

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// definitions are those of the annual report on price and quality.
var definitions = []message.DefinitionIndicateur{
	{Code: "P154.0", Nom: "Taux d'impayés sur les factures d'eau de l'année précédente", Unite: "%",
		Formule: "Impayé au 31 décembre N sur les factures N-1 / TTC facturé en N-1, redevances et TVA comprises, travaux exclus ; part de l'eau : au prorata des montants HT sans redevances de chaque facture",
		Source:  "Arrêté du 2 mai 2007 modifié, annexe I"},
	{Code: "P257.0", Nom: "Taux d'impayés sur les factures d'eau de l'année précédente, assainissement", Unite: "%",
		Formule: "Comme P154.0, part de l'assainissement", Source: "Arrêté du 2 mai 2007 modifié, annexe I ; code à confirmer"},
	{Code: "D102.0", Nom: "Prix TTC du service de l'eau potable au m³ pour 120 m³", Unite: "€/m³",
		Formule: "TTC de la facture de 120 m³ au 1er janvier N+1 / 120, redevances et TVA comprises", Source: "CGCT, annexe V, 2°"},
	{Code: "D204.0", Nom: "Prix TTC du service de l'assainissement au m³ pour 120 m³", Unite: "€/m³",
		Formule: "TTC de l'assainissement dans la facture de 120 m³ au 1er janvier N+1 / 120", Source: "CGCT, annexe VI"},
	{Code: "facture", Nom: "Facturé", Unite: "€", Formule: "TTC des factures et avoirs émis dans le mois, à leur date", Source: "Compte des abonnés (411)"},
	{Code: "encaisse", Nom: "Encaissé", Unite: "€", Formule: "Paiements reçus dans le mois, moins les rejets et remboursements", Source: "Compte des abonnés (411)"},
	{Code: "echu", Nom: "Impayé échu", Unite: "€", Formule: "Reste dû, à la fin du mois, sur les factures dont l'échéance est passée, sans les admissions en non-valeur", Source: "Factures et lettrages"},
}

// lettrages are what was given to bills, each on the day when it was money: of
// the payment, of its return, or of the avoir; repris is by an avoir on the
// bill itself.
const lettrages = `(select l.facture_id, l.montant_centimes, coalesce(a.corrige_id = l.facture_id, false) as repris,
		coalesce(a.date_facturation, case when l.montant_centimes < 0 then j.le end, p.recu_le) as le
	from lettrage l
	left join paiement p on p.id = l.paiement_id
	left join rejet j on j.paiement_id = l.paiement_id
	left join facture a on a.id = l.avoir_id)`

// indicateurs are the figures of a year, from bills and what was given to them.
func indicateurs(ctx context.Context, tx *function.Tx, q message.Indicateurs) (out message.IndicateursAnnee, err error) {
	out = message.IndicateursAnnee{Annee: q.Annee, Definitions: definitions}
	if out.Impayes, err = impayes(ctx, tx, q.Annee); err != nil {
		return out, err
	}
	if out.Prix, err = prix120(ctx, tx, q.Annee); err != nil {
		return out, err
	}
	out.Mois, err = parMois(ctx, tx, q.Annee)
	return out, err
}

// impayes are P154.0 and P257.0. Bills that a person wrote are works and the like: left out.
func impayes(ctx context.Context, tx *function.Tx, year int) ([]message.TauxImpayes, error) {
	rows, err := tx.Query(ctx, `
		with bill as (
			select f.ttc_centimes as ttc, f.ttc_centimes - coalesce((select sum(montant_centimes) from `+lettrages+` l where l.facture_id = f.id and l.le < make_date($1 + 1, 1, 1)), 0) as reste,
				(select coalesce(sum((l ->> 'ht_centimes')::bigint) filter (where l ->> 'rubrique' = 'distribution'), 0) from jsonb_array_elements(f.lignes) l) as eau,
				(select coalesce(sum((l ->> 'ht_centimes')::bigint) filter (where l ->> 'rubrique' = 'eaux_usees'), 0) from jsonb_array_elements(f.lignes) l) as eu
			from facture f
			where f.numero is not null and f.nature in ('FACTURE', 'SOLDE') and f.ttc_centimes > 0
				and f.date_facturation >= make_date($1 - 1, 1, 1) and f.date_facturation < make_date($1, 1, 1)
		), part as (
			select ttc, reste, case when eau + eu > 0 and eau >= 0 and eu >= 0 then eau::numeric / (eau + eu) else 1 end as eau from bill
		)
		select 'P154.0', coalesce(sum(round(ttc * eau)), 0)::bigint, coalesce(sum(round(reste * eau)), 0)::bigint from part
		union all
		select 'P257.0', coalesce(sum(ttc - round(ttc * eau)), 0)::bigint, coalesce(sum(reste - round(reste * eau)), 0)::bigint from part
		order by 1`, year)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (i message.TauxImpayes, err error) {
		err = row.Scan(&i.Code, &i.FactureCentimes, &i.ImpayeCentimes)
		if i.FactureCentimes > 0 {
			rate := quotient(i.ImpayeCentimes*10_000, i.FactureCentimes)
			i.TauxPDM = &rate
		}
		return i, err
	})
}

// prix120 are D102.0 and D204.0 of each commune, on 1 January of the next year.
func prix120(ctx context.Context, tx *function.Tx, year int) ([]message.PrixCommune, error) {
	types, err := facturesTypes(ctx, tx, message.FacturesTypes{Date: message.NewDate(year+1, time.January, 1)})
	if err != nil {
		return nil, err
	}
	var out []message.PrixCommune
	add := func(f message.FactureType, code string, ttc int64) {
		if ttc > 0 {
			out = append(out, message.PrixCommune{Code: code, CodeINSEE: f.CodeINSEE, Nom: f.Nom, FactureCentimes: ttc, PrixM3UE: quotient(ttc*10_000, 120)})
		}
	}
	for _, f := range types.Factures {
		add(f, "D102.0", f.EauTTCCentimes)
		add(f, "D204.0", f.AssainissementTTCCentimes)
	}
	return out, nil
}

// parMois are the twelve months of a year.
func parMois(ctx context.Context, tx *function.Tx, year int) ([]message.MoisFacturation, error) {
	rows, err := tx.Query(ctx, `
		with du as (
			select date_trunc('month', echeance + 1)::date as mois, sum(ttc_centimes) as centimes
			from facture where numero is not null and ttc_centimes > 0 and echeance < make_date($1 + 1, 1, 1) group by 1
			union all
			select date_trunc('month', greatest(l.le, f.echeance + 1))::date, -sum(l.montant_centimes)
			from `+lettrages+` l join facture f on f.id = l.facture_id group by 1
			union all
			select date_trunc('month', greatest(n.le, f.echeance + 1))::date, -sum(n.montant_centimes)
			from non_valeur n join facture f on f.id = n.facture_id where n.etat = 'ADMISE' group by 1
		), compte as (
			select date_trunc('month', date)::date as mois,
				coalesce(sum(montant_centimes) filter (where nature in ('FACTURE', 'SOLDE', 'MANUELLE', 'AVOIR')), 0) as facture,
				-coalesce(sum(montant_centimes) filter (where nature in ('PAIEMENT', 'REJET', 'REMBOURSEMENT')), 0) as encaisse
			from compte_abonne where date >= make_date($1, 1, 1) and date < make_date($1 + 1, 1, 1) group by 1
		)
		select to_char(m, 'YYYY-MM'), coalesce(c.facture, 0)::bigint, coalesce(c.encaisse, 0)::bigint,
			case when m <= $2 then (select coalesce(sum(centimes), 0) from du where du.mois <= m) else 0 end::bigint
		from generate_series(make_date($1, 1, 1), make_date($1, 12, 1), interval '1 month') m
		left join compte c on c.mois = m order by 1`, year, tx.Today())
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[message.MoisFacturation])
}
