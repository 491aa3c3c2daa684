package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// regleEncaissement is a figure that the law or the service sets, as it is on a day.
func regleEncaissement(ctx context.Context, tx *function.Tx, code string, le message.Date) (valeur int64, err error) {
	err = tx.QueryRow(ctx, "select valeur from regle_encaissement where code = $1 and periode @> $2::date", code, le).Scan(&valeur)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, function.Refused("regle_absente", "Aucune règle « "+code+" » n'est fixée au "+le.Francais()+".", "No rule "+code+" is set on "+le.String()+".")
	}
	return valeur, err
}

// moyens reads the means of payment and the rules of today.
func moyens(ctx context.Context, tx *function.Tx, _ message.MoyensDePaiement) (m message.Moyens, err error) {
	rows, err := tx.Query(ctx, `select code, libelle, compte, coalesce(banque, ''), count(p.id), coalesce(sum(p.montant_centimes), 0)::bigint
		from moyen left join (`+aRemettre+`) p on p.mode = code group by 1, 2, 3, 4, rang order by rang`)
	if err != nil {
		return m, err
	}
	if m.Items, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.Moyen]); err != nil {
		return m, err
	}
	rows, err = tx.Query(ctx, `select code, valeur, unite, lower(periode), source, a_verifier from regle_encaissement where periode @> $1::date order by code`, tx.Today())
	if err != nil {
		return m, err
	}
	m.Regles, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.RegleEncaissement])
	return m, err
}

// auGuichet is the open session of the caller, locked so that it is not
// closed meanwhile; "" without one. Cash needs it, and is bounded by law.
func auGuichet(ctx context.Context, tx *function.Tx, mode string, montant int64, le message.Date) (session string, err error) {
	err = tx.QueryRow(ctx, "select id from session_caisse where caissier = $1 and fermee_a is null for update", tx.Identity().ID).Scan(&session)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) || mode != "ESPECES" {
		return session, ignore(err, pgx.ErrNoRows)
	}
	if session == "" {
		return "", function.Conflict("caisse_fermee", "Ouvrez d'abord une session de caisse : les espèces n'entrent que par elle.", "Open a session of the cash desk first: cash comes in by it only.")
	}
	plafond, err := regleEncaissement(ctx, tx, "PLAFOND_ESPECES", le)
	if err == nil && montant > plafond {
		err = function.Invalid("montant_centimes", "plafond_especes", "Un paiement en espèces ne dépasse pas "+message.Euros(plafond)+".", "A payment in cash is at most "+message.Euros(plafond)+".")
	}
	return session, err
}

func ignore(err, expected error) error {
	if errors.Is(err, expected) {
		return nil
	}
	return err
}

// ouvrirCaisse opens a session: one for each desk, one for each cashier.
func ouvrirCaisse(ctx context.Context, tx *function.Tx, c message.OuvrirCaisse) (s message.SessionCaisse, err error) {
	who := tx.Identity()
	id := function.NewID()
	tag, err := tx.Exec(ctx, `insert into session_caisse (id, caisse, caissier, nom, ouverte_a, fond_centimes)
		select $1, code, $3, $4, $5, $6 from caisse where code = $2 on conflict do nothing`, id, c.Caisse, who.ID, who.Nom, tx.Now, c.FondCentimes)
	if err != nil {
		return s, err
	}
	if tag.RowsAffected() == 0 {
		var known bool
		if err := tx.QueryRow(ctx, "select exists (select from caisse where code = $1)", c.Caisse).Scan(&known); err != nil {
			return s, err
		}
		if !known {
			return s, function.Invalid("caisse", "caisse_inconnue", "Cette caisse n'existe pas.", "There is no such cash desk.")
		}
		return s, function.Conflict("caisse_ouverte", "Cette caisse, ou une autre à votre nom, est déjà ouverte.", "This cash desk, or another one of yours, is open already.")
	}
	return loadSession(ctx, tx, id)
}

// fermerCaisse closes a session with what was counted and books the
// difference with what was expected.
func fermerCaisse(ctx context.Context, tx *function.Tx, c message.FermerCaisse) (s message.SessionCaisse, err error) {
	if _, err := tx.Exec(ctx, "select from session_caisse where id = $1 for update", c.SessionID); err != nil {
		return s, err
	}
	if s, err = loadSession(ctx, tx, c.SessionID); err != nil {
		return s, err
	}
	switch {
	case s.FermeeA != nil:
		return s, function.Conflict("caisse_fermee", "Cette session est déjà fermée.", "This session is closed already.")
	case !s.AMoi && !tx.Identity().Can("paiements", "valider"):
		return s, function.Forbidden("caisse_d_un_autre", "Cette session est celle de "+s.Nom+".", "This session is "+s.Nom+"'s.")
	case c.CompteCentimes != s.AttenduCentimes && c.Motif == "":
		return s, function.Invalid("motif", "ecart_sans_motif",
			fmt.Sprintf("Il devrait y avoir %s : recomptez, ou dites d'où vient l'écart.", message.Euros(s.AttenduCentimes)),
			fmt.Sprintf("There should be %s: count again, or say why.", message.Euros(s.AttenduCentimes)))
	}
	var compte, perte, gain string
	err = tx.QueryRow(ctx, `update session_caisse s set fermee_a = $2, attendu_centimes = $3, compte_centimes = $4, motif = $5
		from caisse c where s.id = $1 and c.code = s.caisse returning c.compte, c.ecart_perte, c.ecart_gain`,
		c.SessionID, tx.Now, s.AttenduCentimes, c.CompteCentimes, c.Motif).Scan(&compte, &perte, &gain)
	if err != nil {
		return s, err
	}
	if ecart := c.CompteCentimes - s.AttenduCentimes; ecart != 0 {
		autre := perte
		if ecart > 0 {
			autre = gain
		}
		err = ecrire(ctx, tx, ecriture{ID: c.SessionID, Date: tx.Today(), Piece: s.Caisse, Libelle: "Écart de caisse : " + c.Motif,
			Mouvements: []mouvement{{compte, ecart}, {autre, -ecart}}})
		if err != nil {
			return s, err
		}
	}
	return loadSession(ctx, tx, c.SessionID)
}

const sessionColumns = `select s.id, caisse, caissier, nom, ouverte_a, fond_centimes,
		coalesce(sum(p.montant_centimes) filter (where p.mode = 'ESPECES' and r is null), 0)::bigint, count(p.id) filter (where r is null),
		fermee_a, attendu_centimes, coalesce(compte_centimes, 0), s.motif
	from session_caisse s left join paiement p on p.session_id = s.id left join rejet r on r.paiement_id = p.id `

func selectSessions(ctx context.Context, tx *function.Tx, rest string, args ...any) ([]message.SessionCaisse, error) {
	rows, err := tx.Query(ctx, sessionColumns+rest, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (s message.SessionCaisse, err error) {
		var attendu *int64
		err = row.Scan(&s.ID, &s.Caisse, &s.Caissier, &s.Nom, &s.OuverteA, &s.FondCentimes, &s.RecuCentimes, &s.Paiements, &s.FermeeA, &attendu, &s.CompteCentimes, &s.Motif)
		s.AttenduCentimes = s.FondCentimes + s.RecuCentimes
		if attendu != nil {
			s.AttenduCentimes, s.EcartCentimes = *attendu, s.CompteCentimes-*attendu
		}
		s.AMoi = s.Caissier == tx.Identity().ID
		return s, err
	})
}

func loadSession(ctx context.Context, tx *function.Tx, id string) (message.SessionCaisse, error) {
	all, err := selectSessions(ctx, tx, "where s.id = $1 group by s.id", id)
	if err != nil || len(all) == 1 {
		return append(all, message.SessionCaisse{})[0], err
	}
	return message.SessionCaisse{}, function.NotFound("session_inconnue", "Cette session de caisse n'existe pas.", "There is no such session of a cash desk.")
}

// caisses reads the cash desks and their sessions.
func caisses(ctx context.Context, tx *function.Tx, _ message.Caisses) (l message.ListeCaisses, err error) {
	rows, err := tx.Query(ctx, "select code, libelle from caisse order by code")
	if err != nil {
		return l, err
	}
	if l.Items, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.Caisse]); err != nil {
		return l, err
	}
	l.Sessions, err = selectSessions(ctx, tx, "group by s.id order by fermee_a is not null, ouverte_a desc limit 50")
	return l, err
}

// aRemettre are the payments that wait to be taken to the bank: the means has
// an account before the bank's, nobody took them yet, they were not taken
// back, and cash is counted.
const aRemettre = `select p.id, p.mode, p.montant_centimes, p.recu_le from paiement p join moyen m on m.code = p.mode
	where m.banque is not null and p.encaissement_id is null
	and not exists (select from bordereau_paiement where paiement_id = p.id) and not exists (select from rejet where paiement_id = p.id and not en_attente)
	and (p.mode <> 'ESPECES' or exists (select from session_caisse s where s.id = p.session_id and s.fermee_a is not null))`

// creerBordereau takes payments of a means to the bank.
func creerBordereau(ctx context.Context, tx *function.Tx, c message.CreerBordereau) (r message.Bordereau, err error) {
	// One at a time for each means, so that two never take the same payment.
	var compte, banque, libelle string
	err = tx.QueryRow(ctx, `select compte, banque, libelle, pg_advisory_xact_lock(hashtextextended('remise ' || code, 0))::text
		from moyen where code = $1 and banque is not null`, c.Mode).Scan(&compte, &banque, &libelle, nil)
	if errors.Is(err, pgx.ErrNoRows) {
		return r, function.Invalid("mode", "mode_sans_remise", "Ce moyen de paiement ne se remet pas en banque.", "This means of payment is not taken to the bank.")
	}
	if err != nil {
		return r, err
	}
	rows, err := tx.Query(ctx, "select id, montant_centimes from ("+aRemettre+") p where mode = $1 and ($2::uuid[] is null or id = any($2)) order by recu_le, id limit 500", c.Mode, c.Paiements)
	if err != nil {
		return r, err
	}
	var ids []string
	var id string
	var montant, total int64
	if _, err := pgx.ForEachRow(rows, []any{&id, &montant}, func() error { ids = append(ids, id); total += montant; return nil }); err != nil {
		return r, err
	}
	if len(ids) == 0 || c.Paiements != nil && len(ids) != len(c.Paiements) {
		return r, function.Conflict("rien_a_remettre", "Aucun paiement à remettre, ou l'un d'eux l'est déjà.", "No payment waits for it, or one of them was taken already.")
	}
	r.ID = function.NewID()
	var rang int64
	err = tx.QueryRow(ctx, "insert into bordereau (id, mode, date, montant_centimes, cree_a, cree_par) values ($1, $2, $3, $4, $5, $6) returning rang",
		r.ID, c.Mode, tx.Today(), total, tx.Now, tx.Identity().ID).Scan(&rang)
	if err != nil {
		return r, err
	}
	if _, err := tx.Exec(ctx, "insert into bordereau_paiement (bordereau_id, paiement_id) select $1, unnest($2::uuid[])", r.ID, ids); err != nil {
		return r, err
	}
	err = ecrire(ctx, tx, ecriture{ID: r.ID, Date: tx.Today(), Piece: numeroBordereau(rang), Libelle: fmt.Sprintf("Bordereau en banque, %s, %d paiements", libelle, len(ids)),
		Mouvements: []mouvement{{banque, total}, {compte, -total}}})
	if err != nil {
		return r, err
	}
	return bordereauParID(ctx, tx, message.BordereauParID{ID: r.ID})
}

// numeroBordereau is what stands on the slip, and on the bank's statement.
func numeroBordereau(rang int64) string { return fmt.Sprintf("REM-%06d", rang) }

const bordereauColumns = `select r.id, 'REM-' || lpad(rang::text, 6, '0'), mode, date, montant_centimes,
	(select count(*) from bordereau_paiement where bordereau_id = r.id), c.le, null from bordereau r left join bordereau_credite c on c.bordereau_id = r.id `

func bordereauParID(ctx context.Context, tx *function.Tx, q message.BordereauParID) (r message.Bordereau, err error) {
	rows, err := tx.Query(ctx, bordereauColumns+"where r.id = $1", q.ID)
	if err != nil {
		return r, err
	}
	r, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[message.Bordereau])
	if errors.Is(err, pgx.ErrNoRows) {
		return r, function.NotFound("bordereau_inconnu", "Ce bordereau n'existe pas.", "There is no such deposit slip.")
	}
	if err != nil {
		return r, err
	}
	rows, err = tx.Query(ctx, paiementColumns+"join bordereau_paiement rp on rp.paiement_id = p.id where rp.bordereau_id = $1 order by p.recu_le, p.id", q.ID)
	if err != nil {
		return r, err
	}
	r.Paiements, err = pgx.CollectRows(rows, scanPaiement)
	return r, err
}

// bordereaux lists deposit slips, the newest first.
func bordereaux(ctx context.Context, tx *function.Tx, q message.Bordereaux) (page message.PageBordereaux, err error) {
	after, err := readCursor(q.Curseur)
	if err != nil {
		return page, err
	}
	rows, err := tx.Query(ctx, bordereauColumns+"where $1 = '' or r.id < nullif($1, '')::uuid order by r.id desc limit $2", after.id, q.Size()+1)
	if err != nil {
		return page, err
	}
	page.Items, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.Bordereau])
	if n := q.Size(); len(page.Items) > n {
		page.Items = page.Items[:n]
		page.Suivant = cursor{"", page.Items[n-1].ID}.String()
	}
	return page, err
}
