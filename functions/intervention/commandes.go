package main

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// creer orders field work. A plan that asks again gets the order it has,
// unless that one came to nothing.
func creer(ctx context.Context, tx *function.Tx, c message.CreerIntervention) (message.Intervention, error) {
	if days := c.PrevueLe.DaysSince(tx.Today()); days > horizon || days < -horizon {
		return message.Intervention{}, function.Invalid("prevue_le", "date_hors_limites", "La date prévue est à plus d'un an d'aujourd'hui.", "The planned day is more than a year from today.")
	}
	if c.Plan != "" {
		o, err := duPlan(ctx, tx, c)
		if !errors.Is(err, errInconnue) {
			return reponse(o, err)
		}
	}
	if err := permise(ctx, tx, c); err != nil {
		return message.Intervention{}, err
	}
	if c.Priorite == "" {
		c.Priorite = "NORMALE"
	}
	o := &ordre{message.Intervention{ID: function.NewID(), Etat: "PLANIFIEE", Version: 1, CreerIntervention: c, CreeA: tx.Now}}
	var err error
	if o.Numero, err = numeroter(ctx, tx); err != nil {
		return message.Intervention{}, err
	}
	fresh, err := inserer(ctx, tx, o)
	if err == nil && !fresh { // ordered meanwhile by the same plan; the number goes back with this transaction
		return message.Intervention{}, function.NotYet("commande_en_cours", "La même intervention est en train d'être créée.", "The same order is being made.")
	}
	return reponse(o, err)
}

// duPlan finds the order that a plan has.
func duPlan(ctx context.Context, tx *function.Tx, c message.CreerIntervention) (*ordre, error) {
	return un(ctx, tx, "plan = $1 and nature = $2 and etat not in ('IMPOSSIBLE', 'ANNULEE')", c.Plan, c.Nature)
}

// permise refuses what must not be ordered: work for a contract that came to
// nothing, and cutting the water of somebody who lives there.
func permise(ctx context.Context, tx *function.Tx, c message.CreerIntervention) error {
	if c.ContratID != "" {
		var cancelled bool
		if err := tx.QueryRow(ctx, `select exists (select from contrat_annule where id = $1)`, c.ContratID).Scan(&cancelled); err != nil {
			return err
		}
		if cancelled {
			return function.Refused("contrat_annule", "Ce contrat est annulé.", "This contract was cancelled.")
		}
	}
	if c.Nature != "FERMETURE" {
		return nil
	}
	residence := "INCONNU"
	err := tx.QueryRow(ctx, `select residence_principale from pdl where id = $1`, c.PDLID).Scan(&residence)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	return fermable(residence)
}

// changer takes a step in the life of an order and, when it changed
// something, writes it and tells.
func changer(ctx context.Context, tx *function.Tx, id string, step func(*ordre) (bool, error), tell func(*ordre) message.Message) (message.Intervention, error) {
	o, err := verrouiller(ctx, tx, id)
	if err != nil {
		return message.Intervention{}, err
	}
	changed, err := step(o)
	if err != nil || !changed {
		return reponse(o, err)
	}
	if err := enregistrer(ctx, tx, o); err != nil {
		return message.Intervention{}, err
	}
	if tell != nil {
		tx.Emit(o.ID, o.Version, tell(o))
	}
	return o.Intervention, nil
}

func reponse(o *ordre, err error) (message.Intervention, error) {
	if err != nil {
		return message.Intervention{}, err
	}
	return o.Intervention, nil
}

func affecter(ctx context.Context, tx *function.Tx, c message.AffecterIntervention) (message.Intervention, error) {
	return changer(ctx, tx, c.InterventionID, func(o *ordre) (bool, error) { return o.affecter(tx.Identity(), c) }, nil)
}

func avancer(ctx context.Context, tx *function.Tx, c message.AvancerIntervention) (message.Intervention, error) {
	return changer(ctx, tx, c.InterventionID, func(o *ordre) (bool, error) { return o.avancer(c.Vers) }, nil)
}

func realiser(ctx context.Context, tx *function.Tx, c message.RealiserIntervention) (message.Intervention, error) {
	report := message.CompteRendu{Date: c.Date, Index: c.Index, Observations: c.Observations, Signataire: c.Signataire}
	return changer(ctx, tx, c.InterventionID, func(o *ordre) (bool, error) {
		changed, err := o.realiser(report, tx.Today())
		if changed {
			o.RealiseeA = &tx.Now
		}
		return changed, err
	}, func(o *ordre) message.Message {
		return message.InterventionRealisee{InterventionID: o.ID, Nature: o.Nature, ContratID: o.ContratID, PDLID: o.PDLID, Plan: o.Plan, CompteRendu: *o.Compte}
	})
}

func declarerImpossible(ctx context.Context, tx *function.Tx, c message.DeclarerImpossible) (message.Intervention, error) {
	return changer(ctx, tx, c.InterventionID, func(o *ordre) (bool, error) { return o.renoncer(c.Motif) }, func(o *ordre) message.Message {
		return message.InterventionImpossible{InterventionID: o.ID, Plan: o.Plan, Motif: o.Motif}
	})
}

// contratActive keeps whether the PDL is a main residence. The newest
// contract of a PDL has the last word.
func contratActive(ctx context.Context, tx *function.Tx, e message.ContratActive) error {
	_, err := tx.Exec(ctx, `
		insert into pdl (id, contrat_id, version, residence_principale) values ($1, $2, $3, $4)
		on conflict (id) do update set contrat_id = excluded.contrat_id, version = excluded.version, residence_principale = excluded.residence_principale
		where pdl.contrat_id <> excluded.contrat_id or pdl.version < excluded.version`,
		e.PDL.ID, e.ContratID, e.Version, e.PDL.ResidencePrincipale)
	return err
}

// contratAnnule cancels what is still open for a contract that came to nothing.
func contratAnnule(ctx context.Context, tx *function.Tx, e message.ContratAnnule) error {
	if _, err := tx.Exec(ctx, `insert into contrat_annule values ($1) on conflict do nothing`, e.ContratID); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `update intervention set etat = 'ANNULEE', version = version + 1
		where contrat_id = $1 and etat not in ('REALISEE', 'IMPOSSIBLE', 'ANNULEE')`, e.ContratID)
	return err
}
