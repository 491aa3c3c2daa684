package main

import (
	"context"
	"errors"
	"strconv"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/functions/facture/tarif"
	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// contratResilie takes a contract out of the lots to come and issues its last
// bill. What keeps that bill from being issued is noted, for a person to mend.
func contratResilie(ctx context.Context, tx *function.Tx, e message.ContratResilie) error {
	var version int64
	var posee bool // a meter changed just before may not be known yet
	err := tx.QueryRow(ctx, "select version, exists (select from pose where id = $2) from contrat where id = $1 for update", e.ContratID, e.Pose.ID).Scan(&version, &posee)
	switch {
	case errors.Is(err, pgx.ErrNoRows), err == nil && !posee:
		return function.NotYet("contrat_inconnu", "Le contrat n'est pas encore connu.", "The contract is not known yet.")
	case err != nil:
		return err
	case version >= e.Version:
		return nil
	}
	if _, err := tx.Exec(ctx, "update contrat set version = $2, resilie_le = $3, adresse = $4::text::jsonb where id = $1", e.ContratID, e.Version, e.Date, asJSON(e.Adresse)); err != nil {
		return err
	}
	if err := keepPose(ctx, tx, e.ContratID, e.Pose); err != nil {
		return err
	}
	jours, err := regle(ctx, tx, "SOLDE_JOURS")
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `insert into resiliation (contrat_id, demandee_le, date, limite, etat, code, recue_a) values ($1, $2, $3, $4, 'EN_ATTENTE', 'a_solder', $5)`,
		e.ContratID, e.DemandeeLe, e.Date, e.DemandeeLe.AddDays(int(jours)), tx.Now)
	if err != nil {
		return err
	}
	return solderContrat(ctx, tx, e.ContratID)
}

// solder tries the last bill of a contract again.
func solder(ctx context.Context, tx *function.Tx, c message.Solder) (r message.Resiliation, err error) {
	var etat string
	err = tx.QueryRow(ctx, "select etat from resiliation where contrat_id = $1 for update", c.ContratID).Scan(&etat)
	if errors.Is(err, pgx.ErrNoRows) {
		return r, function.Conflict("pas_resilie", "Ce contrat n'est pas résilié.", "This contract has not ended.")
	}
	if err == nil && etat == "EN_ATTENTE" {
		err = solderContrat(ctx, tx, c.ContratID)
	}
	if err != nil {
		return r, err
	}
	all, err := selectResiliations(ctx, tx, "r.contrat_id = $1", c.ContratID)
	if err != nil {
		return r, err
	}
	return all[0], nil
}

// reprendreSoldes sets the last bills going again that waited for a lot which
// has ended since: once each, and apart, so that one that fails holds up no other.
func reprendreSoldes(ctx context.Context, tx *function.Tx, _ message.Tick) error {
	rows, err := tx.Query(ctx, `update resiliation r set code = 'a_solder', detail = '', detail_en = ''
		where etat = 'EN_ATTENTE' and code = 'lot_en_cours' and not exists (select from facture f where f.contrat_id = r.contrat_id and f.etat = 'CALCULEE')
		returning contrat_id`)
	if err != nil {
		return err
	}
	contrats, err := pgx.CollectRows(rows, pgx.RowTo[string])
	for _, id := range contrats {
		tx.Emit(id, 0, message.ContratASolder{ContratID: id})
	}
	return err
}

func reprendreSolde(ctx context.Context, tx *function.Tx, e message.ContratASolder) error {
	_, err := solder(ctx, tx, message.Solder(e))
	return err
}

// solderContrat issues the last bill of a contract, or notes why it cannot be.
func solderContrat(ctx context.Context, tx *function.Tx, contratID string) error {
	const update = "update resiliation set (etat, facture_id, code, detail, detail_en) = ($2, nullif($3, '')::uuid, $4, $5, $6) where contrat_id = $1"
	p, err := dernierePiece(ctx, tx, contratID)
	var refus *message.Problem
	switch {
	case errors.As(err, &refus):
		_, err = tx.Exec(ctx, update, contratID, "EN_ATTENTE", "", refus.Code, refus.Detail, refus.DetailEN)
		return err
	case err != nil:
		return err
	case p == nil:
		_, err = tx.Exec(ctx, update, contratID, "SANS_OBJET", "", "", "", "")
		return err
	}
	f, err := emettrePiece(ctx, tx, *p)
	if err == nil {
		_, err = tx.Exec(ctx, update, contratID, "SOLDEE", f.ID, "", "", "")
	}
	return err
}

// dernierePiece prices all that a contract which ended has not been billed
// for: nil when there is nothing. It writes nothing.
func dernierePiece(ctx context.Context, tx *function.Tx, contratID string) (*piece, error) {
	d, err := loadDossier(ctx, tx, contratID)
	if err != nil {
		return nil, err
	}
	var depuis, fin, facturee message.Date
	var enLot bool
	err = tx.QueryRow(ctx, `select depuis, resilie_le, f.facturee, f.en_lot from contrat, lateral (
			select max(upper(periode)) facturee, coalesce(bool_or(etat = 'CALCULEE'), false) en_lot from facture
			where contrat_id = contrat.id and nature in ('FACTURE', 'SOLDE') and etat <> 'ANNULEE_PAR_AVOIR') f
		where id = $1`, contratID).Scan(&depuis, &fin, &facturee, &enLot)
	if err != nil {
		return nil, err
	}
	end := tarif.DateOf(fin.Time())
	before := d.anterieur
	switch {
	case enLot:
		return nil, function.Conflict("lot_en_cours", "Une facture de ce contrat est en préparation dans un lot : émettez ce lot ou rejetez-le, et la facture de solde partira d'elle-même.", "A bill of this contract is being prepared in a lot: issue or reject the lot, and the last bill follows by itself.")
	case before != nil && before.au > end:
		return nil, function.Conflict("facture_posterieure",
			"La facture "+before.numero+" va au-delà de la résiliation, au "+dateDe(before.au).Francais()+" : reprenez-la par un avoir d'abord.",
			"Bill "+before.numero+" goes beyond the end of the contract, to "+before.au.String()+": take it back by an avoir first.")
	case before != nil && before.au == end && !before.estimee:
		return nil, nil
	}
	if before != nil && before.estimee && before.au == end {
		before.au-- // the estimate of that day gives way to the index read
	}
	cas, _, err := d.jusqua(tarif.DateOf(depuis.Time())-tolerance-1, end) // from the opening of the water, when nothing was billed
	if err != nil {
		return nil, refusDeCalcul(err)
	}
	entite, err := entiteDe(ctx, tx, contratID)
	if err != nil {
		return nil, err
	}
	date, err := dateDePiece(ctx, tx, entite, natureSolde)
	if err != nil {
		return nil, err
	}
	t, err := loadTarifs(ctx, tx)
	if err != nil {
		return nil, err
	}
	bassins, err := loadBassins(ctx, tx)
	if err != nil {
		return nil, err
	}
	b := newBareme(t, bassins)
	cas.ID, cas.DateFacturation = d.contrat.numero, tarif.DateOf(date.Time())
	cas.Grilles, cas.Redevances = b.pour(d.contrat.place, cas.Periode, cas.DateFacturation)
	p, err := chiffrer(cas, d.origine(&cas, t, b.bassins[d.contrat.commune]))
	if err != nil {
		return nil, err
	}
	delai, err := regle(ctx, tx, "SOLDE_ECHEANCE_JOURS")
	if err != nil {
		return nil, err
	}
	p.nature, p.contratID, p.entite, p.delai, p.motif = natureSolde, contratID, entite, int(delai), "Résiliation au "+fin.Francais()
	p.periode = [2]message.Date{p.du, fin}
	if facturee.After(p.du) {
		p.periode[0] = facturee // estimates before are reversed, their period stays theirs
	}
	if p.periode[0].After(fin) {
		p.periode[0] = fin
	}
	return &p, nil
}

// entiteDe is the entity that issues the bills of a contract.
func entiteDe(ctx context.Context, tx *function.Tx, contratID string) (entite string, err error) {
	err = tx.QueryRow(ctx, `select coalesce((select entite from commune where code_insee = contrat.code_insee), 'principale') from contrat where id = $1`, contratID).Scan(&entite)
	if errors.Is(err, pgx.ErrNoRows) {
		err = contratInconnu()
	}
	return entite, err
}

// regle is a figure of the law, as in force today.
func regle(ctx context.Context, tx *function.Tx, code string) (valeur int64, err error) {
	err = tx.QueryRow(ctx, "select valeur from regle_service where code = $1 and periode @> $2::date", code, tx.Today()).Scan(&valeur)
	return valeur, err
}

// resiliations lists contracts that ended: what waits first, by what is due
// first, then the others, the newest first.
func resiliations(ctx context.Context, tx *function.Tx, q message.Resiliations) (page message.PageResiliations, err error) {
	after, err := readCursor(q.Curseur)
	if err != nil {
		return page, err
	}
	skip, _ := strconv.Atoi(after.key)
	page.Items, err = selectResiliations(ctx, tx, "($1 = '' or r.etat = $1) order by r.etat <> 'EN_ATTENTE', case when r.etat = 'EN_ATTENTE' then r.limite end, r.recue_a desc, r.contrat_id offset $2 limit $3",
		q.Etat, skip, q.Size()+1)
	if err == nil && len(page.Items) > q.Size() {
		page.Items = page.Items[:q.Size()]
		page.Suivant = cursor{strconv.Itoa(skip + q.Size()), ""}.String()
	}
	return page, err
}

func selectResiliations(ctx context.Context, tx *function.Tx, where string, args ...any) ([]message.Resiliation, error) {
	rows, err := tx.Query(ctx, `select c.id, c.numero, c.abonne_id, c.nom, c.pdl, c.lieu, r.demandee_le, r.date, r.limite, r.etat,
			coalesce(f.id::text, ''), coalesce(f.numero, ''), coalesce(f.ttc_centimes, 0), r.code, r.detail, r.detail_en
		from resiliation r join contrat c on c.id = r.contrat_id left join facture f on f.id = r.facture_id where `+where, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[message.Resiliation])
}
