package main

import (
	"context"
	"encoding/json"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

func surContratSigne(ctx context.Context, tx *function.Tx, e message.ContratSigne) error {
	return demarrer(ctx, tx, e.Type(), departDeContrat(e))
}

func surFuiteDetectee(ctx context.Context, tx *function.Tx, e message.FuiteDetectee) error {
	return demarrer(ctx, tx, e.Type(), departDeFuite(e))
}

// demarrer starts a plan of each definition that an event starts.
func demarrer(ctx context.Context, tx *function.Tx, declencheur string, d depart) error {
	definitions, err := definitionsPour(ctx, tx, declencheur)
	if err != nil {
		return err
	}
	for _, def := range definitions {
		p := nouveauPlan(def, d, tx.Now)
		neuf, err := inserer(ctx, tx, p)
		if err != nil {
			return err
		}
		if !neuf {
			continue
		}
		if err := enregistrer(ctx, tx, p); err != nil {
			return err
		}
	}
	return nil
}

func surContratAnnule(ctx context.Context, tx *function.Tx, e message.ContratAnnule) error {
	return annuler(ctx, tx, e.Type(), e.ContratID, "Le contrat a été annulé.")
}

func surFuiteAttestee(ctx context.Context, tx *function.Tx, e message.FuiteAttestee) error {
	return annuler(ctx, tx, e.Type(), e.FuiteID, "L'attestation est arrivée à temps.")
}

// annuler cancels what another event started. An event that cancels comes
// after the one that starts, so a subject without plan is one whose start is
// still on its way.
func annuler(ctx context.Context, tx *function.Tx, annulation, sujet, motif string) error {
	plans, err := verrouiller(ctx, tx, `p.sujet = $1 and d.contenu->>'annulation' = $2`, sujet, annulation)
	if err != nil {
		return err
	}
	if len(plans) == 0 {
		return function.NotYet("plan_pas_encore", "Le processus n'a pas encore démarré.", "The process has not started yet.")
	}
	for _, p := range plans {
		p.annuler(motif)
		if err := enregistrer(ctx, tx, p); err != nil {
			return err
		}
	}
	return nil
}

func surInterventionRealisee(ctx context.Context, tx *function.Tx, e message.InterventionRealisee) error {
	return signaler(ctx, tx, e.Plan, interventionRealisee, e.InterventionID, e)
}

func surInterventionImpossible(ctx context.Context, tx *function.Tx, e message.InterventionImpossible) error {
	return signaler(ctx, tx, e.Plan, interventionImpossible, e.InterventionID, e)
}

// signaler keeps an event for a plan, and lets the step that waits for it go
// on. Work that no plan ordered concerns none.
func signaler(ctx context.Context, tx *function.Tx, planID, evenement, cle string, e message.Message) error {
	if planID == "" {
		return nil
	}
	p, err := premier(verrouiller(ctx, tx, `p.id = $1`, planID))
	if err != nil {
		return err
	}
	contenu, err := json.Marshal(e)
	if err != nil {
		return err
	}
	tag, err := tx.Exec(ctx, `insert into signal (plan_id, evenement, cle, contenu, recu_a) values ($1, $2, $3, $4, $5) on conflict do nothing`,
		planID, evenement, cle, contenu, tx.Now)
	if err != nil || tag.RowsAffected() == 0 {
		return err
	}
	p.signaler(signal{evenement, cle, contenu})
	return enregistrer(ctx, tx, p)
}

// repondu hears the answers to what actions posted.
func repondu(ctx context.Context, tx *function.Tx, r function.Posted) error {
	planID, etape, essai, ok := lireCorrelation(r.Correlation)
	if !ok || new(pgtype.UUID).Scan(planID) != nil {
		return function.Refused("correlation_inconnue", "Cette réponse ne répond à aucune étape.", "This answer answers no step.")
	}
	p, err := premier(verrouiller(ctx, tx, `p.id = $1`, planID))
	if err != nil {
		return err
	}
	p.repondre(etape, essai, r.Data, r.Problem)
	return enregistrer(ctx, tx, p)
}

// parTick bounds what one tick takes on; the next one goes on.
const parTick = 500

// regarder wakes the plans that the clock concerns. Those that somebody else
// works on wait for the next tick.
func regarder(ctx context.Context, tx *function.Tx, _ message.Tick) error {
	rows, err := tx.Query(ctx, `select p.id from plan p where p.etat = 'EN_COURS' and p.id in (
			select plan_id from etape where etat = 'EN_COURS' and jusqua <= $1
			union all select plan_id from etape where etat = 'EN_COURS' and echeance <= $2)
		order by p.id limit $3 for update skip locked`, tx.Today(), tx.Now, parTick)
	if err != nil {
		return err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(ids) == 0 {
		return err
	}
	plans, err := verrouiller(ctx, tx, `p.id = any($1)`, ids)
	if err != nil {
		return err
	}
	for _, p := range plans {
		p.reveiller()
		if err := enregistrer(ctx, tx, p); err != nil {
			return err
		}
	}
	return nil
}

func plans(ctx context.Context, tx *function.Tx, q message.Plans) (page message.PagePlans, err error) {
	apres, err := curseur(q.Page)
	if err != nil {
		return page, err
	}
	found, err := lirePlans(ctx, tx, `($1 = '' or p.etat = $1) and ($2::uuid is null or p.id < $2) order by p.id desc limit $3`, q.Etat, apres, q.Size()+1)
	if err != nil {
		return page, err
	}
	page.Items = []message.Plan{}
	for _, p := range found[:min(len(found), q.Size())] {
		page.Items = append(page.Items, p.vue())
	}
	if len(found) > q.Size() {
		page.Suivant = page.Items[q.Size()-1].ID
	}
	err = tx.QueryRow(ctx, `select count(*) filter (where etat = 'EN_COURS'), count(*) filter (where etat = 'ECHEC') from plan`).Scan(&page.EnCours, &page.Echecs)
	return page, err
}

func planParID(ctx context.Context, tx *function.Tx, q message.PlanParID) (message.Plan, error) {
	p, err := premier(lirePlans(ctx, tx, `p.id = $1`, q.ID))
	if err != nil {
		return message.Plan{}, err
	}
	v := p.vue()
	v.Journal, err = lireJournal(ctx, tx, p.ID)
	return v, err
}

func relancerPlan(ctx context.Context, tx *function.Tx, cmd message.RelancerPlan) (message.Plan, error) {
	p, err := premier(verrouiller(ctx, tx, `p.id = $1`, cmd.PlanID))
	if err != nil {
		return message.Plan{}, err
	}
	if err := p.relancer(); err != nil {
		return message.Plan{}, err
	}
	if err := enregistrer(ctx, tx, p); err != nil {
		return message.Plan{}, err
	}
	return p.vue(), nil
}
