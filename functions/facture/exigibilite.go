package main

import (
	"cmp"
	"context"
	"math/big"
	"slices"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// VAT is due on the bill (option for debits) or as it is paid (CGI art. 269,
// 2). In the second case it waits on account 4458 from the bill on, and what
// is due of it is at any time a function of three figures: the VAT of the bill
// and its avoirs, their sum, and the money received for it. Whatever happens
// to the bill, the journal is brought to that figure, so that the order of
// payments, rejections and avoirs leaves no trace, and a bill that is paid has
// all its VAT due, to the centime.
const (
	tvaExigible  = "44571"
	tvaEnAttente = "4458"
)

// compteTVA is the account on which the VAT of a document is booked. An avoir
// follows its bill; a document that nobody pays has nothing to wait for.
func compteTVA(ctx context.Context, tx *function.Tx, p piece, date message.Date, ttc int64) (compte string, err error) {
	err = tx.QueryRow(ctx, `select case
			when $3 <> '' then coalesce((select compte from mouvement where ecriture_id = nullif($3, '')::uuid and compte = '4458'), '44571')
			when $4 > 0 and exigibilite_du($1, $2) = 'ENCAISSEMENTS' then '4458' else '44571' end`,
		p.entite, date, corrigeParAvoir(p), ttc).Scan(&compte)
	return compte, err
}

// corrigeParAvoir is the bill that an avoir takes back.
func corrigeParAvoir(p piece) string {
	if p.nature == natureAvoir {
		return p.corrigeID
	}
	return ""
}

// enAttente are the bills $1 whose VAT waits for their payment: the day on
// which it is due (of the payment $2, which may be another entity's, or the
// first that is open), what they and their avoirs ask, the money received for
// them (an avoir of the bill itself is none), their VAT, and what is due of it
// already.
const enAttente = `
	select f.id, f.numero, f.entite, f.abonne_id, greatest(f.date_facturation, $2::date, (select max(jusqua) + 1 from cloture where entite = f.entite)),
		f.ttc_centimes + coalesce((select sum(a.ttc_centimes) from facture a where a.corrige_id = f.id and a.nature = 'AVOIR'), 0)::bigint,
		coalesce((select sum(l.montant_centimes) from lettrage l left join facture a on a.id = l.avoir_id
			where l.facture_id = f.id and a.corrige_id is distinct from f.id), 0)::bigint,
		(select jsonb_agg(t) from facture d, jsonb_array_elements(d.tva) t where d.id = f.id or d.corrige_id = f.id and d.nature = 'AVOIR'),
		coalesce((select jsonb_agg(jsonb_build_object('taux_pm', taux_pm, 'base_centimes', base, 'montant_centimes', montant))
			from (select taux_pm, sum(base_centimes) base, sum(montant_centimes) montant from tva_exigible where facture_id = f.id group by 1) e), '[]')
	from facture f
	where f.id = any($1::uuid[]) and f.nature <> 'AVOIR' and exists (select from mouvement where ecriture_id = f.id and compte = '4458')
	order by f.id`

// exiger brings the VAT that is due of bills to what the money received for
// them makes due, on a day.
func exiger(ctx context.Context, tx *function.Tx, le message.Date, factures ...string) error {
	rows, err := tx.Query(ctx, enAttente, factures, le)
	if err != nil {
		return err
	}
	type attente struct {
		ID, Numero, Entite, AbonneID string
		Le                           message.Date
		Demande, Recu                int64
		TVA, Exigee                  []message.TVAFacture
	}
	bills, err := pgx.CollectRows(rows, pgx.RowToStructByPos[attente])
	if err != nil {
		return err
	}
	for _, f := range bills {
		for i := range f.Exigee {
			f.Exigee[i].BaseCentimes, f.Exigee[i].MontantCentimes = -f.Exigee[i].BaseCentimes, -f.Exigee[i].MontantCentimes
		}
		due := parTaux(append(exigible(parTaux(f.TVA), f.Recu, f.Demande), f.Exigee...))
		var montant int64
		for _, d := range due {
			montant += d.MontantCentimes
		}
		e := ecriture{Entite: f.Entite, Date: f.Le, Piece: f.Numero, Libelle: "TVA exigible " + f.Numero, AbonneID: f.AbonneID,
			Mouvements: []mouvement{{tvaEnAttente, montant}, {tvaExigible, -montant}}}
		if montant != 0 {
			e.ID = function.NewID()
			if err := ecrire(ctx, tx, e); err != nil {
				return err
			}
		}
		b := &pgx.Batch{}
		for _, d := range due {
			if d.BaseCentimes != 0 || d.MontantCentimes != 0 {
				b.Queue(`insert into tva_exigible (facture_id, ecriture_id, entite, date, taux_pm, base_centimes, montant_centimes) values ($1, nullif($2, '')::uuid, $3, $4, $5, $6, $7)`,
					f.ID, e.ID, f.Entite, f.Le, d.TauxPM, d.BaseCentimes, d.MontantCentimes)
			}
		}
		if err := tx.SendBatch(ctx, b).Close(); err != nil {
			return err
		}
	}
	return nil
}

// parTaux sums VAT by rate.
func parTaux(all []message.TVAFacture) (out []message.TVAFacture) {
	for _, v := range all {
		i := slices.IndexFunc(out, func(o message.TVAFacture) bool { return o.TauxPM == v.TauxPM })
		if i < 0 {
			i, out = len(out), append(out, message.TVAFacture{TauxPM: v.TauxPM})
		}
		out[i].BaseCentimes += v.BaseCentimes
		out[i].MontantCentimes += v.MontantCentimes
	}
	slices.SortFunc(out, func(a, b message.TVAFacture) int { return cmp.Compare(a.TauxPM, b.TauxPM) })
	return out
}

// exigible is the part of VAT that is due once so much of what was asked has
// been received.
func exigible(tva []message.TVAFacture, recu, demande int64) []message.TVAFacture {
	due := slices.Clone(tva)
	bases, montants := make([]int64, len(tva)), make([]int64, len(tva))
	for i, v := range tva {
		bases[i], montants[i] = v.BaseCentimes, v.MontantCentimes
	}
	recu = min(recu, demande)
	if recu <= 0 {
		recu, demande = 0, 1
	}
	bases, montants = prorata(bases, recu, demande), prorata(montants, recu, demande)
	for i := range due {
		due[i].BaseCentimes, due[i].MontantCentimes = bases[i], montants[i]
	}
	return due
}

// prorata is n/d of each value, in whole centimes that sum to n/d of the sum:
// what rounding leaves goes to the largest remainders.
func prorata(values []int64, n, d int64) []int64 {
	out, rest := make([]int64, len(values)), make([]int64, len(values))
	var sum, given int64
	for i, v := range values {
		out[i], rest[i] = partDe(v, n, 0, d)
		sum += v
		given += out[i]
	}
	whole, _ := partDe(sum, 2*n, d, 2*d) // to the nearest, half up
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rest[b], rest[a]) })
	for _, i := range order[:whole-given] {
		out[i]++
	}
	return out
}

// partDe is (v*n + plus) / d, rounded down, and what is left. The product may
// pass 64 bits, the quotient is an amount.
func partDe(v, n, plus, d int64) (q, r int64) {
	product := new(big.Int).Mul(big.NewInt(v), big.NewInt(n))
	whole, left := new(big.Int).DivMod(product.Add(product, big.NewInt(plus)), big.NewInt(d), new(big.Int))
	return whole.Int64(), left.Int64()
}

// reglerTVA sets when VAT of bills is due from a day on. A bill that is issued
// keeps its rule, so the day comes after the last one.
func reglerTVA(ctx context.Context, tx *function.Tx, c message.ReglerComptabilite) error {
	if c.TVADepuis.IsZero() {
		c.TVADepuis = tx.Today()
	}
	var rule string
	var last message.Date
	err := tx.QueryRow(ctx, "select exigibilite_du($1, $2), (select max(date_facturation) from facture where entite = $1 and numero is not null)", c.Entite, c.TVADepuis).
		Scan(&rule, &last)
	if err != nil || rule == c.TVAExigibilite {
		return err
	}
	if !c.TVADepuis.After(last) {
		return function.Conflict("factures_deja_emises",
			"Des factures sont émises jusqu'au "+last.Francais()+" : elles gardent leur règle, la nouvelle commence après.",
			"Bills are issued up to "+last.String()+": they keep their rule, the new one begins after.")
	}
	_, err = tx.Exec(ctx, `insert into exigibilite_tva (entite, depuis, regle, source) values ($1, $2, $3, $4)
		on conflict (entite, depuis) do update set regle = excluded.regle, source = excluded.source`, c.Entite, c.TVADepuis, c.TVAExigibilite, c.TVASource)
	return err
}
