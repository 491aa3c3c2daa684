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
	if err := permise(ctx, tx, &c); err != nil {
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
// nothing, and cutting the water of somebody who lives there. An order to
// close goes to the address of its PDL, whatever it said.
func permise(ctx context.Context, tx *function.Tx, c *message.CreerIntervention) error {
	if c.ContratID != "" {
		var cancelled bool
		if err := tx.QueryRow(ctx, `select exists (select from contrat_annule where id = $1)`, c.ContratID).Scan(&cancelled); err != nil {
			return err
		}
		if cancelled {
			return function.Refused("contrat_annule", "Ce contrat est annulé.", "This contract was cancelled.")
		}
	}
	if c.Nature != fermeture {
		return nil
	}
	return fermable(ctx, tx, c)
}

// fermable refuses to cut the water of a main residence, or of a dwelling
// that may be one, whatever the reason (CASF L115-3). What is known of the
// PDL stays as it is until the order is written.
func fermable(ctx context.Context, tx *function.Tx, c *message.CreerIntervention) error {
	var residence, reference string
	var adresse *message.Adresse
	err := tx.QueryRow(ctx, `select residence_principale, reference, adresse from pdl where id = $1 for share`, c.PDLID).Scan(&residence, &reference, &adresse)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return errResidence
	case err != nil:
		return err
	case residence != "NON":
		return errResidence
	case reference != c.PDL || adresse == nil:
		return function.Refused("pdl_different",
			"La référence "+c.PDL+" n'est pas celle de ce point de service : une fermeture ne part pas pour une autre adresse.",
			"The reference "+c.PDL+" is not that of this PDL: an order to close does not go to another address.")
	}
	c.Adresse = *adresse
	return nil
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
	// Somebody may have moved in since it was ordered.
	if o.Nature == fermeture && o.Etat != "IMPOSSIBLE" {
		if err := fermable(ctx, tx, &o.CreerIntervention); err != nil {
			return message.Intervention{}, err
		}
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

// contratActive keeps where the PDL is and whether it is a main residence. The
// contract that runs since the latest day has the last word. Where somebody
// may live now, no order to close stays open.
func contratActive(ctx context.Context, tx *function.Tx, e message.ContratActive) error {
	_, err := tx.Exec(ctx, `
		insert into pdl (id, contrat_id, version, residence_principale, reference, adresse, depuis) values ($1, $2, $3, $4, $5, $6, $7)
		on conflict (id) do update set (contrat_id, version, residence_principale, reference, adresse, depuis) =
			(excluded.contrat_id, excluded.version, excluded.residence_principale, excluded.reference, excluded.adresse, excluded.depuis)
		where case when pdl.contrat_id = excluded.contrat_id then pdl.version < excluded.version or pdl.depuis is null else coalesce(pdl.depuis <= excluded.depuis, true) end`,
		e.PDL.ID, e.ContratID, e.Version, e.PDL.ResidencePrincipale, e.PDL.Reference, e.PDL.Adresse, e.Depuis)
	if err != nil {
		return err
	}
	rows, err := tx.Query(ctx, `update intervention i set etat = 'ANNULEE', version = i.version + 1 from pdl
		where pdl.id = i.pdl_id and pdl.id = $1 and pdl.residence_principale <> 'NON' and i.nature = $2 and i.etat not in ('REALISEE', 'IMPOSSIBLE', 'ANNULEE')
		returning i.id, coalesce(i.plan::text, ''), i.version`, e.PDL.ID, fermeture)
	if err != nil {
		return err
	}
	told := message.InterventionImpossible{Motif: "Ce logement est, ou peut être, une résidence principale : l'eau n'y est jamais coupée."}
	var version int64
	_, err = pgx.ForEachRow(rows, []any{&told.InterventionID, &told.Plan, &version}, func() error {
		tx.Emit(told.InterventionID, version, told)
		return nil
	})
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
