package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/functions/facture/pes"
	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// A public service does not collect by itself: its comptable public does, on
// titles and roles. What it is to collect is transmitted once, in bordereaux
// whose numbers have no gap, and whose sums are those of the journal. What is
// refused is transmitted again, under the next number: Hélios checks that the
// numbers of a year and type follow each other, and refuses one that it has
// seen (DGFiP, PES v2, annotation of IdBord).

// maxPieces is what a bordereau may hold: NbrPce has five digits. What is left
// goes into the next.
const maxPieces = 99_999

// aTransmettre are the documents of entity $1 that no bordereau holds but
// refused ones, each with the nature of the one that takes it. A bill that was
// taken back whole before it was transmitted, and its avoirs, ask for nothing.
const aTransmettre = `
	select f.*, extract(year from f.date_facturation)::int exercice,
		case when f.nature = 'AVOIR' then case when exists (select from role_article a join role_pes r on r.id = a.role_id
				where a.facture_id = f.corrige_id and not a.refuse and r.nature = 'TITRES' and r.exercice = extract(year from f.date_facturation)) then 'REDUCTIONS' else 'HORS_FICHIER' end
			when f.ttc_centimes < 0 then 'HORS_FICHIER'
			when f.lot_id is null then 'TITRES' else 'ROLE' end quoi
	from facture f left join facture o on o.id = f.corrige_id and f.nature = 'AVOIR'
	where f.entite = $1 and f.numero is not null and f.ttc_centimes <> 0 and f.etat <> 'ANNULEE_PAR_AVOIR'
		and not exists (select from role_article where facture_id = f.id and not refuse)
		and (f.lot_id is null or exists (select from lot where id = f.lot_id and lot.etat = 'EMIS'))
		and (o.id is null or o.etat <> 'ANNULEE_PAR_AVOIR' or exists (select from role_article where facture_id = o.id and not refuse))`

// preparerRole makes a bordereau of what waits for one.
func preparerRole(ctx context.Context, tx *function.Tx, c message.PreparerRole) (message.Role, error) {
	e, err := entiteComptable(ctx, tx, c.Entite)
	if err != nil {
		return message.Role{}, err
	}
	if e.Regime != "REGIE" {
		return message.Role{}, function.Refused("regime_prive",
			"Cette entité recouvre elle-même ses factures : elle n'a pas de comptable public à qui transmettre des titres.",
			"This entity collects its bills itself: it has no public accountant to send titles to.")
	}
	if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock(hashtext('facture.role'), hashtext($1))", e.Entite); err != nil {
		return message.Role{}, err
	}
	set, err := lirePES(ctx, tx, message.LirePES{Entite: e.Entite})
	if err != nil {
		return message.Role{}, err
	}
	connus := []string{} // accounts with a code
	for _, p := range set.Produits {
		if p.Code != "" {
			connus = append(connus, p.Compte)
		}
	}
	id := function.NewID()
	var sansCode []string
	var pieces int
	var ttc, journal int64
	err = tx.QueryRow(ctx, `
		with retenues as (
			select id, exercice, date_facturation, ht_centimes, tva_centimes, ttc_centimes, row_number() over (order by serie, rang) n
			from (`+aTransmettre+`) f
			where quoi = $2 and case quoi when 'ROLE' then lot_id = nullif($3, '')::uuid else exercice = $4 end
			order by serie, rang limit $5
		), sommes as (
			select count(*) pieces, min(exercice) exercice, sum(abs(ht_centimes)) ht, sum(abs(tva_centimes)) tva, sum(abs(ttc_centimes))::bigint ttc from retenues
		), suite as (
			select coalesce(max(r.numero) + 1, nullif($6, 0), 1) numero, coalesce(max(a.rang), 0) rang
			from role_pes r left join role_article a on a.role_id = r.id and r.nature <> 'ROLE'
			where r.entite = $1 and r.nature = $2 and r.exercice = (select exercice from sommes)
		), role as (
			insert into role_pes (id, entite, nature, exercice, numero, lot_id, objet, date, pieces, ht_centimes, tva_centimes, cree_a, cree_par, reglages, reprend)
			select $7, $1, $2, exercice, numero, nullif($3, '')::uuid, $8, $9, pieces, ht, tva, $10, $11, $13::text::jsonb,
				array(select distinct r.numero from role_article a join role_pes r on r.id = a.role_id where a.facture_id in (select id from retenues) order by 1) from sommes, suite where pieces > 0
		), articles as (
			insert into role_article (role_id, rang, facture_id) select $7, n + suite.rang, id from retenues, suite
		)
		select pieces::int, coalesce(ttc, 0), (select coalesce(sum(abs(debit_centimes - credit_centimes)), 0)::bigint from mouvement where compte = '411' and ecriture_id in (select id from retenues)),
			array(select distinct compte from mouvement where compte not in ('411', '44571', '4458') and compte <> all($12) and ecriture_id in (select id from retenues) order by 1)
		from sommes`,
		e.Entite, c.Nature, c.LotID, c.Exercice, maxPieces, c.PremierNumero, id, c.Objet, tx.Today(), tx.Now, tx.Identity().ID, connus, asJSON(set)).Scan(&pieces, &ttc, &journal, &sansCode)
	switch {
	case err != nil:
		return message.Role{}, err
	case pieces == 0:
		return message.Role{}, function.Conflict("rien_a_transmettre", "Tout est déjà transmis : rien n'attend ce bordereau.", "All of it was transmitted before: nothing waits for this bordereau.")
	case ttc != journal:
		return message.Role{}, fmt.Errorf("the bordereau sums to %d, the journal to %d", ttc, journal)
	case len(sansCode) > 0:
		return message.Role{}, function.Refused("produit_sans_code",
			fmt.Sprintf("Le poste comptable attend un code produit pour les comptes %v : réglez-les d'abord.", sansCode),
			fmt.Sprintf("The accounting post wants a product code for accounts %v: set them first.", sansCode))
	case set.Poste == "":
		return message.Role{}, function.Refused("poste_inconnu", "Réglez d'abord les codes que le poste comptable donne à l'entité.", "Set the codes that the accounting post gives the entity first.")
	}
	return loadRole(ctx, tx, id)
}

// repondreRole records what the comptable public answered to a bordereau. The
// database frees the documents of one that was refused.
func repondreRole(ctx context.Context, tx *function.Tx, c message.RepondreRole) (message.Role, error) {
	if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock(hashtext('facture.role'), hashtext(entite)) from role_pes where id = $1", c.RoleID); err != nil {
		return message.Role{}, err
	}
	r, err := loadRole(ctx, tx, c.RoleID)
	if err != nil {
		return r, err
	}
	var reductions string // that take titles of it back
	if err := tx.QueryRow(ctx, `select coalesce(string_agg(distinct r.exercice || '-' || r.numero, ', '), '') from role_article t
		join facture f on f.corrige_id = t.facture_id join role_article a on a.facture_id = f.id and not a.refuse join role_pes r on r.id = a.role_id
		where t.role_id = $1 and r.nature = 'REDUCTIONS'`, r.ID).Scan(&reductions); err != nil {
		return r, err
	}
	switch {
	case r.Reponse != nil && r.Reponse.Etat == "REFUSE":
		return r, function.Conflict("role_refuse", "Ce bordereau est déjà refusé, depuis le "+r.Reponse.Le.Francais()+".", "This bordereau is refused already, since "+r.Reponse.Le.String()+".")
	case r.Reponse != nil:
		return r, function.Conflict("role_pris_en_charge",
			"Le comptable a pris ce bordereau en charge le "+r.Reponse.Le.Francais()+" : ses titres se corrigent par des avoirs.",
			"The accountant took this bordereau in charge on "+r.Reponse.Le.String()+": its titles are corrected by credit notes.")
	case c.Le.Before(r.Date):
		return r, function.Invalid("le", "avant_bordereau", "Le bordereau est du "+r.Date.Francais()+" : la réponse ne peut pas le précéder.", "The bordereau is of "+r.Date.String()+": its answer cannot be before it.")
	case c.Le.After(tx.Today()):
		return r, function.Invalid("le", "date_future", "La réponse ne peut pas être datée dans le futur.", "The answer cannot be dated in the future.")
	case c.Etat == "REFUSE" && reductions != "":
		return r, function.Conflict("titres_reduits",
			"Un bordereau de réductions déjà préparé ("+reductions+") reprend des titres de celui-ci : enregistrez d'abord son refus.",
			"A bordereau of reductions made before ("+reductions+") takes titles of this one back: record its refusal first.")
	}
	if _, err := tx.Exec(ctx, "insert into role_reponse (role_id, etat, le, motif, cree_a, cree_par, cree_nom) values ($1, $2, $3, $4, $5, $6, $7)",
		r.ID, c.Etat, c.Le, c.Motif, tx.Now, tx.Identity().ID, tx.Identity().Nom); err != nil {
		return r, err
	}
	return loadRole(ctx, tx, r.ID)
}

func loadRole(ctx context.Context, tx *function.Tx, id string) (message.Role, error) {
	all, err := selectRoles(ctx, tx, "id = $1", id)
	if err == nil && len(all) == 0 {
		err = function.NotFound("role_inconnu", "Ce bordereau n'existe pas.", "There is no such bordereau.")
	}
	if err != nil {
		return message.Role{}, err
	}
	return all[0], nil
}

func selectRoles(ctx context.Context, tx *function.Tx, where string, args ...any) ([]message.Role, error) {
	rows, err := tx.Query(ctx, `select id, entite, nature, exercice, numero, coalesce(lot_id::text, ''), objet, date, pieces, ht_centimes, tva_centimes, '', cree_a, cree_par, reprend,
			(select to_jsonb(a) from role_reponse a where role_id = role_pes.id)
		from role_pes where `+where, args...)
	if err != nil {
		return nil, err
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[message.Role])
	for i, r := range all {
		all[i].Fichier = pes.Natures[r.Nature].Nom(r.Exercice, r.Numero)
	}
	return all, err
}

// roles lists bordereaux, and on the first page what waits for one.
func roles(ctx context.Context, tx *function.Tx, q message.Roles) (page message.PageRoles, err error) {
	after, err := readCursor(q.Curseur)
	if err != nil {
		return page, err
	}
	e, err := entiteComptable(ctx, tx, q.Entite)
	if err != nil {
		return page, err
	}
	page.Items, err = selectRoles(ctx, tx, "entite = $1 and ($2::timestamptz is null or (cree_a, id::text) < ($2, $3)) order by cree_a desc, id::text desc limit $4",
		e.Entite, nilIfEmpty(after.key), after.id, q.Size()+1)
	if err != nil {
		return page, err
	}
	if n := q.Size(); len(page.Items) > n {
		page.Items = page.Items[:n]
		last := page.Items[n-1]
		page.Suivant = cursor{last.CreeA.Format(instant), last.ID}.String()
	}
	if q.Curseur != "" || e.Regime != "REGIE" {
		return page, nil
	}
	rows, err := tx.Query(ctx, `select quoi, coalesce(w.lot_id::text, ''), coalesce(l.libelle, ''), exercice, pieces::int, ttc from (
			select quoi, case quoi when 'ROLE' then lot_id end lot_id, exercice, count(*) pieces, sum(ttc_centimes)::bigint ttc from (`+aTransmettre+`) f group by 1, 2, 3) w
		left join lot l on l.id = w.lot_id
		order by exercice, array_position(array['ROLE', 'TITRES', 'REDUCTIONS', 'HORS_FICHIER'], quoi), l.date_facturation, 2`, e.Entite)
	if err != nil {
		return page, err
	}
	page.ATransmettre, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.ATransmettre])
	return page, err
}

func reglerPES(ctx context.Context, tx *function.Tx, c message.ReglerPES) (message.ReglagePES, error) {
	e, err := entiteComptable(ctx, tx, c.Entite)
	if err != nil {
		return message.ReglagePES{}, err
	}
	if !message.SIRETValide(c.SIRET) {
		return message.ReglagePES{}, function.Invalid("siret", "siret_invalide", "Ce numéro SIRET n'existe pas : sa clé est fausse.", "There is no such SIRET: its check digit is wrong.")
	}
	for i, p := range c.Produits {
		if err := checkComptePES(ctx, tx, fmt.Sprintf("produits[%d].compte", i), p.Compte); err != nil {
			return message.ReglagePES{}, err
		}
	}
	b := &pgx.Batch{}
	b.Queue(`insert into pes_reglage (entite, poste, siret, collectivite, budget, libelle) values ($1, $2, $3, $4, $5, $6)
		on conflict (entite) do update set (poste, siret, collectivite, budget, libelle) = (excluded.poste, excluded.siret, excluded.collectivite, excluded.budget, excluded.libelle)`,
		e.Entite, c.Poste, c.SIRET, c.Collectivite, c.Budget, c.Libelle)
	b.Queue("delete from pes_produit where entite = $1", e.Entite)
	for _, p := range c.Produits {
		b.Queue("insert into pes_produit (entite, compte, code) values ($1, $2, $3)", e.Entite, p.Compte, p.Code)
	}
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return message.ReglagePES{}, err
	}
	return lirePES(ctx, tx, message.LirePES{Entite: e.Entite})
}

// comptesPES are the accounts that a line of a bill may be booked on.
const comptesPES = "(numero like '7%' and journal = 'VT')"

func checkComptePES(ctx context.Context, tx *function.Tx, champ, compte string) error {
	var known bool
	err := tx.QueryRow(ctx, "select exists (select from compte where numero = $1 and "+comptesPES+")", compte).Scan(&known)
	if err == nil && !known {
		return function.Invalid(champ, "compte_inconnu", "Le compte "+compte+" n'est pas un compte de produits.", "Account "+compte+" is no account of income.")
	}
	return err
}

func lirePES(ctx context.Context, tx *function.Tx, q message.LirePES) (r message.ReglagePES, err error) {
	e, err := entiteComptable(ctx, tx, q.Entite)
	if err != nil {
		return r, err
	}
	r.Entite = e.Entite
	err = tx.QueryRow(ctx, "select poste, siret, collectivite, budget, libelle from pes_reglage where entite = $1", e.Entite).
		Scan(&r.Poste, &r.SIRET, &r.Collectivite, &r.Budget, &r.Libelle)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return r, err
	}
	rows, err := tx.Query(ctx, `select numero, libelle, coalesce(code, '') from compte left join pes_produit p on p.compte = numero and p.entite = $1
		where `+comptesPES+` order by numero`, e.Entite)
	if err != nil {
		return r, err
	}
	r.Produits, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.ProduitDeCompte])
	return r, err
}

// articles are the pieces of a bordereau $1 after rank $2, with the debtor and
// the title that an avoir takes back: as it was last transmitted by then.
const articles = `
	select a.rang, f.numero, regexp_replace(substring(f.numero from '[0-9]{4}-[0-9]+$'), '[^0-9]', '', 'g'), f.nature, extract(quarter from f.date_facturation)::int, f.date_facturation,
		f.siren, case f.siren when '' then '01' else k.categorie end, case f.siren when '' then '01' else k.nature end, f.contrat, f.nom,
		coalesce(f.adresse ->> 'complement', ''), f.adresse ->> 'voie', f.adresse ->> 'code_postal', f.adresse ->> 'commune', f.lignes, f.tva,
		coalesce(o.exercice, 0), coalesce(o.rang, 0), coalesce(o.numero, ''), coalesce(o.lignes, '[]'), coalesce(o.tva, '[]')
	from role_article a join role_pes b on b.id = a.role_id join facture f on f.id = a.facture_id
	cross join lateral (select * from pes_categorie where starts_with(f.siren, prefixe) order by length(prefixe) desc limit 1) k
	left join lateral (select r.exercice, oa.rang, of.numero, of.lignes, of.tva from role_article oa join role_pes r on r.id = oa.role_id join facture of on of.id = oa.facture_id
		where oa.facture_id = f.corrige_id and f.nature = 'AVOIR' order by r.cree_a <= b.cree_a desc, r.numero desc limit 1) o on true
	where a.role_id = $1 and a.rang > $2 order by a.rang limit $3`

// fichierRole writes a part of the file of a bordereau.
func (s service) fichierRole(ctx context.Context, tx *function.Tx, q message.FichierRole) (p message.PartFichier, err error) {
	after, err := readCursor(q.Apres)
	if err != nil {
		return p, err
	}
	r, err := loadRole(ctx, tx, q.RoleID)
	if err != nil {
		return p, err
	}
	b, codes, err := s.bordereauPES(ctx, tx, r)
	if err != nil {
		return p, err
	}
	p = message.PartFichier{Nom: r.Fichier, Mime: "application/xml; charset=iso-8859-1"}
	last := 0
	if after.key == "" {
		p.Contenu = b.Debut()
	} else if last, err = strconv.Atoi(after.key); err != nil {
		return p, function.Invalid("apres", "curseur_invalide", "Ce curseur ne vient pas d'une partie précédente.", "This cursor does not come from a part before.")
	}
	rows, err := tx.Query(ctx, articles, q.RoleID, last, q.Taille())
	if err != nil {
		return p, err
	}
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		piece, err := piecePES(rows, codes)
		if err != nil {
			return p, err
		}
		last = piece.Rang
		p.Contenu = append(p.Contenu, b.Piece(piece)...)
	}
	if err := rows.Err(); err != nil {
		return p, err
	}
	if n == q.Taille() {
		p.Suivant = cursor{strconv.Itoa(last), "role"}.String()
		return p, nil
	}
	p.Contenu = append(p.Contenu, b.Fin()...)
	return p, nil
}

// bordereauPES is a bordereau with what the accounting post gave when it was
// made, and the product code of each account.
func (s service) bordereauPES(ctx context.Context, tx *function.Tx, r message.Role) (b pes.Bordereau, codes map[string]string, err error) {
	var set *message.ReglagePES
	var de identite
	if err := tx.QueryRow(ctx, "select reglages, "+enJSON("r.cree_a")+" from role_pes r join entite e on e.code = r.entite where r.id = $1", r.ID).Scan(&set, &de); err != nil {
		return b, nil, err
	}
	if set == nil { // made by a version that did not keep them
		now, err := lirePES(ctx, tx, message.LirePES{Entite: r.Entite})
		if err != nil {
			return b, nil, err
		}
		set = &now
	}
	codes = map[string]string{}
	for _, p := range set.Produits {
		codes[p.Compte] = p.Code
	}
	return pes.Bordereau{Nature: pes.Natures[r.Nature], Fichier: r.Fichier, Emetteur: s.comme(de).Nom, Date: r.Date.String(),
		Poste: set.Poste, SIRET: set.SIRET, Collectivite: set.Collectivite, Budget: set.Budget, Libelle: set.Libelle,
		Exercice: r.Exercice, Numero: r.Numero, Pieces: r.Pieces, HT: r.HTCentimes, TVA: r.TVACentimes, Objet: r.Objet}, codes, nil
}

// piecePES reads one of the articles.
func piecePES(row pgx.Row, codes map[string]string) (piece pes.Piece, err error) {
	var numero, nature, origine string
	var date message.Date
	var lignes, lignesOrigine []message.LigneFacture
	var tva, tvaOrigine []message.TVAFacture
	var o pes.Origine
	err = row.Scan(&piece.Rang, &numero, &piece.Dette, &nature, &piece.Periode, &date, &piece.SIREN, &piece.Categorie, &piece.Tiers.Nature, &piece.Reference, &piece.Nom,
		&piece.Complement, &piece.Voie, &piece.CodePostal, &piece.Ville, &lignes, &tva, &o.Exercice, &o.Rang, &origine, &lignesOrigine, &tvaOrigine)
	if err != nil {
		return piece, err
	}
	piece.Objet = fmt.Sprintf("%s %s du %s", intitule(nature), numero, date.Francais())
	if nature == natureAvoir {
		piece.Objet += " sur " + origine
		piece.Origine = &o
	}
	for _, l := range lignesPES(lignes, tva) {
		l.Produit, l.Objet = codes[l.Compte], piece.Objet
		if nature == natureAvoir {
			l.HT, l.TVA = -l.HT, -l.TVA
			// A title in one line is taken back in it.
			l.Origine = 1 + max(0, slices.IndexFunc(lignesPES(lignesOrigine, tvaOrigine), func(o pes.Ligne) bool { return o.Compte == l.Compte && o.TauxPM == l.TauxPM }))
		}
		piece.Lignes = append(piece.Lignes, l)
	}
	return piece, nil
}

// lignesPES sums the lines of a document by account and rate, with the VAT of
// each rate shared over its accounts. A line of a title is above zero; a
// document that has one on the other side, an estimate taken back, is one line
// on the account of its largest.
func lignesPES(lignes []message.LigneFacture, tva []message.TVAFacture) (out []pes.Ligne) {
	var ht, taxe int64
	for _, l := range lignes {
		i := slices.IndexFunc(out, func(o pes.Ligne) bool { return o.Compte == ventes(l) && o.TauxPM == l.TVAPM })
		if i < 0 {
			i, out = len(out), append(out, pes.Ligne{Compte: ventes(l), TauxPM: l.TVAPM})
		}
		out[i].HT += l.HTCentimes
		ht += l.HTCentimes
	}
	slices.SortFunc(out, func(a, b pes.Ligne) int {
		return cmp.Or(cmp.Compare(a.Compte, b.Compte), cmp.Compare(a.TauxPM, b.TauxPM))
	})
	for _, v := range tva {
		taxe += v.MontantCentimes
		var at []int
		var bases []int64
		for i, l := range out {
			if l.TauxPM == v.TauxPM {
				at, bases = append(at, i), append(bases, l.HT)
			}
		}
		if v.BaseCentimes == 0 {
			continue
		}
		montant, base := v.MontantCentimes, v.BaseCentimes
		if base < 0 {
			montant, base = -montant, -base
		}
		for k, part := range prorata(bases, montant, base) {
			out[at[k]].TVA = part
		}
	}
	out = slices.DeleteFunc(out, func(l pes.Ligne) bool { return l.HT == 0 && l.TVA == 0 })
	same := func(amount int64) bool { return amount == 0 || amount > 0 == (ht > 0) }
	if slices.ContainsFunc(out, func(l pes.Ligne) bool { return l.HT == 0 || !same(l.HT) || !same(l.TVA) }) {
		largest := slices.MaxFunc(out, func(a, b pes.Ligne) int { return cmp.Compare(max(a.HT, -a.HT), max(b.HT, -b.HT)) })
		return []pes.Ligne{{Compte: largest.Compte, HT: ht, TVA: taxe}}
	}
	return out
}
