package main

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// definitionsPour reads the newest version of each definition that an event starts.
func definitionsPour(ctx context.Context, tx *function.Tx, declencheur string) ([]*definition, error) {
	rows, err := tx.Query(ctx, `select code, version, contenu from (
			select distinct on (code) * from definition order by code, version desc) d
		where contenu->>'declencheur' = $1 order by code`, declencheur)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (*definition, error) {
		var code string
		var version int
		var contenu []byte
		if err := row.Scan(&code, &version, &contenu); err != nil {
			return nil, err
		}
		return lireDefinition(code, version, contenu)
	})
}

// The conditions follow; d is the definition that the plan started with.
const selectPlans = `select p.id, p.definition, p.version, p.titre, p.sujet, coalesce(p.abonne_id::text, ''), p.etat, p.cree_a, p.termine_a, p.donnees, d.contenu
	from plan p join definition d on d.code = p.definition and d.version = p.version where `

const selectEtapes = `select plan_id, code, etat, entree_a, sortie_a, jusqua, echeance, essais, detail from etape where plan_id = any($1) order by plan_id, rang`

// lirePlans reads the plans that the conditions find, with their steps.
func lirePlans(ctx context.Context, tx *function.Tx, where string, args ...any) ([]*plan, error) {
	rows, err := tx.Query(ctx, selectPlans+where, args...)
	if err != nil {
		return nil, err
	}
	plans, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (*plan, error) {
		p := &plan{now: tx.Now}
		var contenu []byte
		if err := row.Scan(&p.ID, &p.Definition, &p.Plan.Version, &p.Titre, &p.Sujet, &p.AbonneID, &p.Etat, &p.CreeA, &p.TermineA, &p.donnees, &contenu); err != nil {
			return nil, err
		}
		var err error
		p.def, err = lireDefinition(p.Definition, p.Plan.Version, contenu)
		return p, err
	})
	if err != nil || len(plans) == 0 {
		return nil, err
	}
	ids, parID := make([]string, len(plans)), map[string]*plan{}
	for i, p := range plans {
		ids[i], parID[p.ID] = p.ID, p
	}
	if rows, err = tx.Query(ctx, selectEtapes, ids); err != nil {
		return nil, err
	}
	var planID string
	var e etape
	var echeance pgtype.Timestamptz
	_, err = pgx.ForEachRow(rows, []any{&planID, &e.Code, &e.Etat, &e.EntreeA, &e.SortieA, &e.Jusqua, &echeance, &e.Essais, &e.Detail}, func() error {
		p, e := parID[planID], e
		t := &p.def.Etapes[len(p.etapes)]
		e.Titre, e.Nature, e.echeance = t.Titre, t.Nature, echeance.Time
		p.etapes = append(p.etapes, e)
		return nil
	})
	return plans, err
}

// verrouiller reads the plans that the conditions find, one after the other
// for all who ask, with the events that came for them.
func verrouiller(ctx context.Context, tx *function.Tx, where string, args ...any) ([]*plan, error) {
	plans, err := lirePlans(ctx, tx, where+" order by p.id for update of p", args...)
	if err != nil || len(plans) == 0 {
		return nil, err
	}
	for _, p := range plans {
		rows, err := tx.Query(ctx, `select evenement, cle, contenu from signal where plan_id = $1 order by recu_a, evenement`, p.ID)
		if err != nil {
			return nil, err
		}
		p.signaux, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (s signal, err error) {
			return s, row.Scan(&s.evenement, &s.cle, &s.contenu)
		})
		if err != nil {
			return nil, err
		}
	}
	return plans, nil
}

// inserer stores a new plan, unless its subject has one of this definition.
func inserer(ctx context.Context, tx *function.Tx, p *plan) (neuf bool, err error) {
	tag, err := tx.Exec(ctx, `insert into plan (id, definition, version, titre, sujet, abonne_id, etat, donnees, cree_a)
		values ($1, $2, $3, $4, $5, nullif($6, '')::uuid, 'EN_COURS', '{}', $7) on conflict (definition, sujet) do nothing`,
		p.ID, p.Definition, p.Plan.Version, p.Titre, p.Sujet, p.AbonneID, p.CreeA)
	if err != nil || tag.RowsAffected() == 0 {
		return false, err
	}
	b := &pgx.Batch{}
	for i, e := range p.etapes {
		b.Queue(`insert into etape (plan_id, rang, code, etat, essais, detail) values ($1, $2, $3, 'A_VENIR', 0, '')`, p.ID, i, e.Code)
	}
	return true, tx.SendBatch(ctx, b).Close()
}

const updateEtape = `update etape set etat = $3, entree_a = $4, sortie_a = $5, jusqua = $6, echeance = $7, essais = $8, detail = $9
	where plan_id = $1 and code = $2`

// enregistrer writes what became of a plan, and sends what it decided to send.
func enregistrer(ctx context.Context, tx *function.Tx, p *plan) error {
	if len(p.traces) == 0 {
		return nil // nothing happens without a trace
	}
	donnees, err := json.Marshal(p.donnees)
	if err != nil {
		return err
	}
	b := &pgx.Batch{}
	b.Queue(`update plan set etat = $2, donnees = $3, termine_a = $4 where id = $1`, p.ID, p.Etat, donnees, p.TermineA)
	touched := map[string]bool{}
	for _, t := range p.traces {
		b.Queue(`insert into trace (plan_id, instant, etape, code, texte, par_id, par) values ($1, $2, $3, $4, $5, $6, $7)`,
			p.ID, p.now, t.etape, t.code, t.texte, tx.Identity().ID, tx.Identity().Nom)
		touched[t.etape] = true
	}
	relance := slices.ContainsFunc(p.traces, func(t trace) bool { return t.code == "RELANCE" }) // which also clears steps without a trace
	for _, e := range p.etapes {
		if touched[e.Code] || relance {
			b.Queue(updateEtape, p.ID, e.Code, e.Etat, e.EntreeA, e.SortieA, e.Jusqua, pgtype.Timestamptz{Time: e.echeance, Valid: !e.echeance.IsZero()}, e.Essais, e.Detail)
		}
	}
	for _, envoi := range p.envois {
		tx.Post(p.Sujet, envoi.correlation, envoi.commande)
	}
	if p.Etat == termine {
		tx.Emit(p.ID, 0, message.PlanTermine{PlanID: p.ID, Definition: p.Definition, Sujet: p.Sujet})
	}
	return tx.SendBatch(ctx, b).Close()
}

// vue is a plan as others see it.
func (p *plan) vue() message.Plan {
	v := p.Plan
	v.Etapes = make([]message.Etape, len(p.etapes))
	for i, e := range p.etapes {
		v.Etapes[i] = e.Etape
	}
	return v
}

const selectTraces = `select instant, code, texte, etape, par from trace where plan_id = $1 order by id desc limit 200`

func lireJournal(ctx context.Context, tx *function.Tx, planID string) ([]message.Evenement, error) {
	rows, err := tx.Query(ctx, selectTraces, planID)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (e message.Evenement, err error) {
		e.Nature = "processus"
		return e, row.Scan(&e.Instant, &e.Code, &e.Texte, &e.Objet, &e.Par)
	})
}

// premier is the one plan of a slice, or a refusal.
func premier(plans []*plan, err error) (*plan, error) {
	if err == nil && len(plans) == 0 {
		err = function.NotFound("plan_inconnu", "Ce processus n'existe pas.", "There is no such process.")
	}
	if err != nil {
		return nil, err
	}
	return plans[0], nil
}

// curseur checks the cursor of a page: the id of the last row of the page
// before, or empty.
func curseur(p message.Page) (*string, error) {
	if p.Curseur == "" {
		return nil, nil
	}
	if err := new(pgtype.UUID).Scan(p.Curseur); err != nil {
		return nil, function.Invalid("curseur", "curseur_invalide", "Ce curseur ne vient pas d'une page précédente.", "This cursor does not come from a page before.")
	}
	return &p.Curseur, nil
}
