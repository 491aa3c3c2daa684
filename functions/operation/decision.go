package main

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// decider settles a suspect reading. A decision taken before is answered
// again, its opposite refused.
func decider(ctx context.Context, tx *function.Tx, c message.Decider) (message.Releve, error) {
	var ref, poseID string
	err := tx.QueryRow(ctx, `select c.pdl, r.pose_id from releve r join contrat c on c.id = r.contrat_id where r.id = $1`, c.ReleveID).Scan(&ref, &poseID)
	if errors.Is(err, pgx.ErrNoRows) {
		return message.Releve{}, function.NotFound("releve_inconnu", "Ce relevé n'existe pas.", "There is no such reading.")
	}
	if err != nil {
		return message.Releve{}, err
	}
	dossiers, err := charger(ctx, tx, []string{ref})
	if err != nil {
		return message.Releve{}, err
	}
	d := dossiers[ref]
	p := d.pose(poseID)
	r, err := releveParID(ctx, tx, c.ReleveID) // after the lock
	if err != nil {
		return r, err
	}
	want := map[string]string{"CONFIRMER": "CONFIRMEE", "REJETER": "REJETEE"}[c.Decision]
	switch r.Etat {
	case want:
		return r, nil
	case "SUSPECTE":
	default:
		return r, function.Conflict("pas_suspect", "Ce relevé n'attend pas de décision (état "+r.Etat+").", "This reading does not wait for a decision (state "+r.Etat+").")
	}
	p.oublier(r.ID)
	if c.Decision == "CONFIRMER" {
		err = confirmer(ctx, tx, p, r)
	} else {
		err = rejeter(ctx, tx, d, p, r, c.Motif)
	}
	if err != nil {
		return r, err
	}
	return releveParID(ctx, tx, r.ID)
}

func confirmer(ctx context.Context, tx *function.Tx, p *pose, r message.Releve) error {
	v, err := p.confirmer(point{r.ID, r.Date, r.Index})
	if err != nil {
		return err
	}
	n := []*nouveau{{verdict: v, pose: p}}
	if err := renverser(ctx, tx, n); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `update releve set etat = 'CONFIRMEE', volume_litres = $2, jours = $3, remplace = $4, decide_par = $5, decide_a = $6 where id = $1`,
		r.ID, v.VolumeLitres, v.Jours, nilIfEmpty(v.Remplace), tx.Identity().ID, tx.Now); err != nil {
		return err
	}
	annoncer(tx, r.ContratID, r.TourneeID, n)
	return nil
}

func rejeter(ctx context.Context, tx *function.Tx, d *dossier, p *pose, r message.Releve, motif string) error {
	if _, err := tx.Exec(ctx, `update releve set etat = 'REJETEE', decision = $2, decide_par = $3, decide_a = $4 where id = $1`,
		r.ID, motif, tx.Identity().ID, tx.Now); err != nil {
		return err
	}
	v, ok := d.rejeter(p, point{r.ID, r.Date, r.Index})
	if !ok {
		return nil
	}
	v.ID = function.NewID()
	n := []*nouveau{{verdict: v, pose: p, source: "ESTIMATION", tourneeID: nilIfEmpty(r.TourneeID)}}
	if err := ecrire(ctx, tx, n); err != nil {
		return err
	}
	annoncer(tx, r.ContratID, r.TourneeID, n)
	return nil
}
