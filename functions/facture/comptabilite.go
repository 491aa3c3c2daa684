package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// principale is the entity of a service that has one only.
const principale = "principale"

// balance sums the journal by account: what was there before the first day,
// the movements of the days, and what is there at the end.
func balance(ctx context.Context, tx *function.Tx, q message.Balance) (b message.BalanceComptes, err error) {
	rows, err := tx.Query(ctx, `
		select c.numero, c.libelle, coalesce(s.ouverture, 0)::bigint, coalesce(s.debit, 0)::bigint, coalesce(s.credit, 0)::bigint,
			coalesce(s.ouverture + s.debit - s.credit, 0)::bigint
		from compte c left join (
			select m.compte,
				coalesce(sum(m.debit_centimes - m.credit_centimes) filter (where e.date < $1), 0) ouverture,
				coalesce(sum(m.debit_centimes) filter (where $1::date is null or e.date >= $1), 0) debit,
				coalesce(sum(m.credit_centimes) filter (where $1::date is null or e.date >= $1), 0) credit
			from mouvement m join ecriture e on e.id = m.ecriture_id
			where ($2::date is null or e.date <= $2) and ($3 = '' or e.entite = $3)
			group by 1) s on s.compte = c.numero
		order by 1`, q.Du, q.Au, q.Entite)
	if err != nil {
		return b, err
	}
	b.Comptes, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.SoldeCompte])
	for _, c := range b.Comptes {
		b.DebitCentimes += c.DebitCentimes
		b.CreditCentimes += c.CreditCentimes
	}
	return b, err
}

// lignesDeCompte are the movements of account $1 within [$2, $3] of entity
// $4, of abonne $5 when there is one, with the side of the debit above zero.
const lignesDeCompte = `
	select e.id, e.date, e.journal, coalesce(e.numero, 0) numero, e.piece, e.libelle, coalesce(e.abonne_id::text, '') abonne_id,
		m.debit_centimes, m.credit_centimes
	from mouvement m join ecriture_journal e on e.id = m.ecriture_id
	where m.compte = $1 and ($2::date is null or e.date >= $2) and ($3::date is null or e.date <= $3)
		and ($4 = '' or e.entite = $4) and ($5 = '' or e.abonne_id = nullif($5, '')::uuid)`

// grandLivre lists the movements of an account with its running balance.
func grandLivre(ctx context.Context, tx *function.Tx, q message.GrandLivre) (page message.PageGrandLivre, err error) {
	after, err := readCursor(q.Curseur)
	if err != nil {
		return page, err
	}
	page.Compte = q.Compte
	err = tx.QueryRow(ctx, "select libelle from compte where numero = $1", q.Compte).Scan(&page.Libelle)
	if errors.Is(err, pgx.ErrNoRows) {
		return page, function.NotFound("compte_inconnu", "Ce compte n'existe pas.", "There is no such account.")
	}
	if err != nil {
		return page, err
	}
	err = tx.QueryRow(ctx, `select coalesce(sum(debit_centimes - credit_centimes), 0)::bigint from (`+lignesDeCompte+`) l
		where date < $6 or $7 <> '' and (date, id::text) <= ($7::text::date, $8)`,
		q.Compte, nil, q.Au, q.Entite, q.AbonneID, q.Du, nilIfEmpty(after.key), after.id).Scan(&page.OuvertureCentimes)
	if err != nil {
		return page, err
	}
	rows, err := tx.Query(ctx, lignesDeCompte+` and ($6::text is null or (e.date, e.id::text) > ($6::text::date, $7))
		order by e.date, e.id::text limit $8`,
		q.Compte, q.Du, q.Au, q.Entite, q.AbonneID, nilIfEmpty(after.key), after.id, q.Size()+1)
	if err != nil {
		return page, err
	}
	solde := page.OuvertureCentimes
	page.Items, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (l message.LigneGrandLivre, err error) {
		err = row.Scan(&l.EcritureID, &l.Date, &l.Journal, &l.Numero, &l.Piece, &l.Libelle, &l.AbonneID, &l.DebitCentimes, &l.CreditCentimes)
		solde += l.DebitCentimes - l.CreditCentimes
		l.SoldeCentimes = solde
		return l, err
	})
	if n := q.Size(); err == nil && len(page.Items) > n {
		page.Items = page.Items[:n]
		last := page.Items[n-1]
		page.Suivant = cursor{last.Date.String(), last.EcritureID}.String()
	}
	return page, err
}

func nilIfEmpty(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// journal lists entries with their movements.
func journal(ctx context.Context, tx *function.Tx, q message.Journal) (page message.PageEcritures, err error) {
	after, err := readCursor(q.Curseur)
	if err != nil {
		return page, err
	}
	rows, err := tx.Query(ctx, `
		select e.id, e.journal, coalesce(e.numero, 0), e.date, e.piece, e.libelle, coalesce(e.abonne_id::text, ''),
			(select jsonb_agg(jsonb_build_object('compte', m.compte, 'libelle', c.libelle,
				'debit_centimes', m.debit_centimes, 'credit_centimes', m.credit_centimes) order by m.credit_centimes > 0, m.compte)
			 from mouvement m join compte c on c.numero = m.compte where m.ecriture_id = e.id)
		from ecriture_journal e
		where exists (select from mouvement m where m.ecriture_id = e.id)
			and ($1 = '' or e.journal = $1) and ($2 = '' or e.abonne_id = nullif($2, '')::uuid) and ($3 = '' or e.entite = $3)
			and ($4::date is null or e.date >= $4) and ($5::date is null or e.date <= $5)
			and ($6::text is null or (e.date, e.id::text) > ($6::text::date, $7))
		order by e.date, e.id::text limit $8`,
		q.Journal, q.AbonneID, q.Entite, q.Du, q.Au, nilIfEmpty(after.key), after.id, q.Size()+1)
	if err != nil {
		return page, err
	}
	page.Items, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.Ecriture])
	if n := q.Size(); err == nil && len(page.Items) > n {
		page.Items = page.Items[:n]
		last := page.Items[n-1]
		page.Suivant = cursor{last.Date.String(), last.ID}.String()
	}
	return page, err
}

// comptesAges are the abonnes whose account 411 is not at rest, in entity $2
// or in all: what they owe on day $1 by age of the debt, and the balance of
// their account. What the bills do not explain was received in advance.
const comptesAges = `
	with du as (
		select abonne_id, max(nom) nom,
			coalesce(sum(reste) filter (where retard <= 0), 0)::bigint non_echu,
			coalesce(sum(reste) filter (where retard between 1 and 30), 0)::bigint j30,
			coalesce(sum(reste) filter (where retard between 31 and 60), 0)::bigint j60,
			coalesce(sum(reste) filter (where retard between 61 and 90), 0)::bigint j90,
			coalesce(sum(reste) filter (where retard > 90), 0)::bigint plus
		from (select abonne_id, nom, ttc_centimes - paye_centimes reste, $1::date - echeance retard
			from facture where etat in ('EMISE', 'PARTIELLE') and ($2 = '' or entite = $2)) f
		group by 1
	), compte_411 as (
		select coalesce(e.abonne_id, f.abonne_id, p.abonne_id) abonne_id, sum(m.debit_centimes - m.credit_centimes)::bigint solde
		from mouvement m join ecriture e on e.id = m.ecriture_id left join facture f on f.id = e.id left join paiement p on p.id = e.id
		where m.compte = '411' and ($2 = '' or e.entite = $2)
		group by 1
	), age as (
		select coalesce(abonne_id::text, '') abonne_id, coalesce(du.nom, (select nom from contrat c where c.abonne_id = compte_411.abonne_id limit 1), '') nom,
			coalesce(non_echu, 0) non_echu, coalesce(j30, 0) j30, coalesce(j60, 0) j60, coalesce(j90, 0) j90, coalesce(plus, 0) plus,
			coalesce(solde, 0) - coalesce(non_echu + j30 + j60 + j90 + plus, 0) avance, coalesce(solde, 0) solde
		from du full join compte_411 using (abonne_id)
	)
	select * from age where (non_echu, j30, j60, j90, plus, solde) <> (0, 0, 0, 0, 0, 0)
		and case $3 when '' then true when 'NON_ECHU' then non_echu <> 0 when 'J0_30' then j30 <> 0 when 'J31_60' then j60 <> 0
			when 'J61_90' then j90 <> 0 when 'J90_PLUS' then plus <> 0 else avance <> 0 end`

// balanceAgee lists what abonnes owe by age.
func balanceAgee(ctx context.Context, tx *function.Tx, q message.BalanceAgee) (page message.PageBalanceAgee, err error) {
	after, err := readCursor(q.Curseur)
	if err != nil {
		return page, err
	}
	t := &page.Total
	err = tx.QueryRow(ctx, `select count(*), coalesce(sum(non_echu), 0)::bigint, coalesce(sum(j30), 0)::bigint, coalesce(sum(j60), 0)::bigint, coalesce(sum(j90), 0)::bigint,
			coalesce(sum(plus), 0)::bigint, coalesce(sum(avance), 0)::bigint, coalesce(sum(solde), 0)::bigint from (`+comptesAges+`) a`,
		tx.Today(), q.Entite, q.Tranche).
		Scan(&page.Nombre, &t.NonEchuCentimes, &t.J30Centimes, &t.J60Centimes, &t.J90Centimes, &t.PlusCentimes, &t.AvanceCentimes, &t.SoldeCentimes)
	if err != nil {
		return page, err
	}
	rows, err := tx.Query(ctx, "select * from ("+comptesAges+`) a where $4::text is null or (solde, abonne_id) < ($4::text::bigint, $5)
		order by solde desc, abonne_id desc limit $6`,
		tx.Today(), q.Entite, q.Tranche, nilIfEmpty(after.key), after.id, q.Size()+1)
	if err != nil {
		return page, err
	}
	page.Items, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.CompteAge])
	if n := q.Size(); err == nil && len(page.Items) > n {
		page.Items = page.Items[:n]
		last := page.Items[n-1]
		page.Suivant = cursor{fmt.Sprint(last.SoldeCentimes), last.AbonneID}.String()
	}
	return page, err
}

// declarationTVA reports VAT as the entity owes it.
func declarationTVA(ctx context.Context, tx *function.Tx, q message.DeclarationTVA) (e message.EtatTVA, err error) {
	if q.Au.Before(q.Du) {
		return e, periodeVide()
	}
	entite, err := entiteComptable(ctx, tx, q.Entite)
	if err != nil {
		return e, err
	}
	e.Exigibilite = entite.TVAExigibilite
	rows, err := tx.Query(ctx, tvaDue, q.Du, q.Au, entite.Entite)
	if err != nil {
		return e, err
	}
	if e.Lignes, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.LigneTVA]); err != nil {
		return e, err
	}
	for _, l := range e.Lignes {
		e.BaseCentimes += l.BaseCentimes
		e.TVACentimes += l.TVACentimes
	}
	err = tx.QueryRow(ctx, `select coalesce(sum(credit_centimes - debit_centimes), 0)::bigint from mouvement m join ecriture e on e.id = m.ecriture_id
		where compte = '44571' and date between $1 and $2 and entite = $3`, q.Du, q.Au, entite.Entite).Scan(&e.JournalCentimes)
	return e, err
}

// tvaDue are the bases and amounts of VAT by month and rate, from the rows
// that account 44571 was booked from: a document whole on its date, or what
// money made due of it on the day it came or was taken back.
const tvaDue = `
	select date_trunc('month', date)::date, taux, sum(base)::bigint, sum(montant)::bigint from (
		select f.date_facturation date, (t ->> 'taux_pm')::bigint taux, (t ->> 'base_centimes')::bigint base, (t ->> 'montant_centimes')::bigint montant
		from facture f, jsonb_array_elements(f.tva) t
		where f.numero is not null and f.date_facturation between $1 and $2 and f.entite = $3
			and not exists (select from mouvement where ecriture_id = f.id and compte = '4458')
		union all
		select date, taux_pm, base_centimes, montant_centimes from tva_exigible where date between $1 and $2 and entite = $3
	) due group by 1, 2 order by 1, 2`

func periodeVide() error {
	return function.Invalid("au", "periode_vide", "Le dernier jour précède le premier.", "The last day is before the first.")
}

// entiteComptable is how an entity, or the main one, keeps its books.
func entiteComptable(ctx context.Context, tx *function.Tx, code string) (e message.EntiteComptable, err error) {
	if code == "" {
		code = principale
	}
	all, err := selectEntites(ctx, tx, code)
	if err == nil && len(all) == 0 {
		return e, function.NotFound("entite_inconnue", "Cette entité n'existe pas.", "There is no such entity.")
	}
	if err != nil {
		return e, err
	}
	return all[0], nil
}

func selectEntites(ctx context.Context, tx *function.Tx, code string) ([]message.EntiteComptable, error) {
	rows, err := tx.Query(ctx, `select code, nom, siren, regime, coalesce(regle, 'DEBITS'), depuis, coalesce(source, ''), (select max(jusqua) from cloture where entite = code)
		from entite left join lateral (select * from exigibilite_tva where entite = code and depuis <= $2 order by depuis desc limit 1) x on true where $1 = '' or code = $1 order by code <> 'principale', code`, code, tx.Today())
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[message.EntiteComptable])
}

func entitesComptables(ctx context.Context, tx *function.Tx, _ message.EntitesComptables) (l message.ListeComptables, err error) {
	l.Items, err = selectEntites(ctx, tx, "")
	return l, err
}

func reglerComptabilite(ctx context.Context, tx *function.Tx, c message.ReglerComptabilite) (message.EntiteComptable, error) {
	if c.SIREN != "" && !message.SIRENValide(c.SIREN) {
		return message.EntiteComptable{}, function.Invalid("siren", "siren_invalide", "Ce numéro SIREN n'existe pas : sa clé est fausse.", "There is no such SIREN: its check digit is wrong.")
	}
	var siret string
	err := tx.QueryRow(ctx, "select siret from identite where entite = $1 order by depuis desc limit 1", c.Entite).Scan(&siret)
	switch {
	case err != nil && !errors.Is(err, pgx.ErrNoRows):
		return message.EntiteComptable{}, err
	case err == nil && c.SIREN != siret[:9]:
		return message.EntiteComptable{}, function.Invalid("siren", "siren_autre_siret", "Ce SIREN n'est pas celui du SIRET de l'entité : changez-les ensemble, à la page des entités.", "This SIREN is not that of the entity's SIRET: change them together.")
	}
	if _, err := tx.Exec(ctx, "update entite set siren = $2, regime = $3 where code = $1", c.Entite, c.SIREN, c.Regime); err != nil {
		return message.EntiteComptable{}, err
	}
	if err := reglerTVA(ctx, tx, c); err != nil {
		return message.EntiteComptable{}, err
	}
	return entiteComptable(ctx, tx, c.Entite)
}

// controles are the invariants of the books: each counts the rows that break
// it and sums what is off.
var controles = []struct{ code, libelle, libelleEN, sql string }{
	{"ecritures_equilibrees", "Chaque écriture est équilibrée.", "Every entry sums to zero.",
		"select count(*), coalesce(sum(abs(ecart)), 0)::bigint from (select sum(debit_centimes - credit_centimes) ecart from mouvement group by ecriture_id) e where ecart <> 0"},
	{"factures_journalisees", "Chaque facture émise est au journal pour son montant.", "Every issued bill is in the journal for its amount.",
		`select count(*), coalesce(sum(abs(ttc_centimes - coalesce(au_journal, 0))), 0)::bigint from facture f
			left join (select ecriture_id, sum(debit_centimes - credit_centimes) au_journal from mouvement where compte = '411' group by 1) j on j.ecriture_id = f.id
			where f.numero is not null and f.ttc_centimes <> coalesce(au_journal, 0)`},
	{"tva_journalisee", "Les comptes 44571 et 4458 portent la TVA des factures.", "Accounts 44571 and 4458 carry the VAT of the bills.",
		`select (f.tva - n.tva <> j.tva)::int, abs(f.tva - n.tva - j.tva) from
			(select coalesce(sum(tva_centimes), 0)::bigint tva from facture where numero is not null) f,
			(select coalesce(sum(tva_centimes), 0)::bigint tva from non_valeur where etat = 'ADMISE') n,
			(select coalesce(sum(credit_centimes - debit_centimes), 0)::bigint tva from mouvement where compte in ('44571', '4458')) j`},
	{"tva_exigible", "Le compte 44571 porte la TVA des factures aux débits et celle que les encaissements ont rendue exigible.",
		"Account 44571 carries the VAT of bills on debits and that which payments made due.",
		`select (f.tva + x.tva <> j.tva)::int, abs(f.tva + x.tva - j.tva) from
			(select coalesce(sum(tva_centimes), 0)::bigint tva from facture f where numero is not null and not exists (select from mouvement where ecriture_id = f.id and compte = '4458')) f,
			(select coalesce(sum(montant_centimes), 0)::bigint tva from tva_exigible) x,
			(select coalesce(sum(credit_centimes - debit_centimes), 0)::bigint tva from mouvement where compte = '44571') j`},
	{"tva_soldee", "Une facture payée n'a plus de TVA en attente, une facture dont rien n'est payé n'en a pas d'exigible.",
		"A bill that is paid has no VAT waiting; one of which nothing is paid has none due.",
		`select count(*), coalesce(sum(abs(ecart)), 0)::bigint from (
			select case when f.etat in ('PAYEE', 'ANNULEE_PAR_AVOIR') then tva_en_attente(f.id)
				else (select coalesce(sum(montant_centimes), 0)::bigint from tva_exigible where facture_id = f.id) end ecart
			from facture f join mouvement m on m.ecriture_id = f.id and m.compte = '4458'
			where f.nature <> 'AVOIR' and (f.etat in ('PAYEE', 'ANNULEE_PAR_AVOIR') or f.etat = 'EMISE' and f.paye_centimes = 0)) e where ecart <> 0`},
	{"compte_411", "Le compte 411 est ce que doivent les abonnés.", "Account 411 is what abonnes owe.",
		`select (d.du <> j.solde)::int, abs(d.du - j.solde) from
			(select coalesce(sum(montant_centimes), 0)::bigint du from compte_abonne) d,
			(select coalesce(sum(debit_centimes - credit_centimes), 0)::bigint solde from mouvement where compte = '411') j`},
	{"paye_par_lettrage", "Ce qui est payé d'une facture est ce qui y est lettré.", "What is paid of a bill is what is matched with it.",
		`select count(*), coalesce(sum(abs(paye_centimes - coalesce(part, 0))), 0)::bigint from facture f
			left join (select facture_id, sum(montant_centimes) part from lettrage group by 1) l on l.facture_id = f.id where paye_centimes <> coalesce(part, 0)`},
	{"lettrage_borne", "Un paiement ne règle pas plus que son montant.", "A payment settles no more than its amount.",
		`select count(*), coalesce(sum(part - montant_centimes), 0)::bigint from paiement p
			join (select paiement_id, sum(montant_centimes) part from lettrage group by 1) l on l.paiement_id = p.id
			left join rejet r on r.paiement_id = p.id where part > case when r.paiement_id is null then montant_centimes else 0 end`},
	{"numeros_continus", "Les écritures closes sont numérotées sans trou et dans l'ordre des dates.", "Closed entries are numbered without a gap and in order of date.",
		`select count(*), 0 from (select n.numero - lag(n.numero) over w saut, e.date < lag(e.date) over w recule
			from ecriture_numero n join ecriture e on e.id = n.ecriture_id window w as (partition by n.entite, n.exercice order by n.numero)) s where saut <> 1 or recule`},
}

func controlerComptes(ctx context.Context, tx *function.Tx, _ message.ControlerComptes) (message.ControleComptes, error) {
	return controler(ctx, tx)
}

// controler holds the books against each of their invariants.
func controler(ctx context.Context, db requete) (r message.ControleComptes, err error) {
	for _, c := range controles {
		k := message.Controle{Code: c.code, Libelle: c.libelle, LibelleEN: c.libelleEN}
		if err := db.QueryRow(ctx, c.sql).Scan(&k.Anomalies, &k.EcartCentimes); err != nil {
			return r, fmt.Errorf("%s: %w", c.code, err)
		}
		r.Controles = append(r.Controles, k)
	}
	return r, nil
}
