package main

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// charger reads the files of PDLs, by reference, and locks their meters until
// the end of the transaction: whoever decides on one waits for the others.
func charger(ctx context.Context, tx *function.Tx, pdls []string) (map[string]*dossier, error) {
	rows, err := tx.Query(ctx, `
		select c.pdl, c.logements, p.id, p.contrat_id, p.compteur, p.calibre_mm, p.roues, p.litres_par_unite, p.du, p.au
		from contrat c join pose p on p.contrat_id = c.id
		where c.pdl = any($1)
		order by p.id
		for update of p`, pdls)
	if err != nil {
		return nil, err
	}
	dossiers, poses := map[string]*dossier{}, map[string]*pose{}
	var ref string
	var logements int
	var p pose
	_, err = pgx.ForEachRow(rows, []any{&ref, &logements, &p.ID, &p.ContratID, &p.Compteur, &p.CalibreMM, &p.Roues, &p.LitresParUnite, &p.Du, &p.Au}, func() error {
		d := dossiers[ref]
		if d == nil {
			d = &dossier{Logements: logements}
			dossiers[ref] = d
		}
		q := p
		d.poses = append(d.poses, &q)
		poses[p.ID] = &q
		return nil
	})
	if err != nil {
		return nil, err
	}
	ids := make([]string, 0, len(poses))
	for id := range poses {
		ids = append(ids, id)
	}
	rows, err = tx.Query(ctx, `
		select pose_id, id, date, index, etat from releve
		where pose_id = any($1) and etat in ('VALIDEE', 'CONFIRMEE', 'ESTIMEE', 'SUSPECTE')
		order by pose_id, date`, ids)
	if err != nil {
		return nil, err
	}
	var poseID, etat string
	var a point
	_, err = pgx.ForEachRow(rows, []any{&poseID, &a.ID, &a.Date, &a.Index, &etat}, func() error {
		p, b := poses[poseID], a
		switch etat {
		case "SUSPECTE":
			p.suspects = append(p.suspects, b)
		case "ESTIMEE":
			p.estimee = &b
		default:
			p.reels = append(p.reels, b)
		}
		return nil
	})
	return dossiers, err
}

// nouveau is a reading to be written.
type nouveau struct {
	verdict
	pose      *pose
	source    string
	tourneeID *string
}

var colonnesReleve = []string{"id", "tournee_id", "contrat_id", "pose_id", "date", "index", "source", "etat", "volume_litres", "jours", "motifs", "remplace"}

// ecrire writes new readings and what follows from them for the old ones.
func ecrire(ctx context.Context, tx *function.Tx, nouveaux []*nouveau) error {
	if err := renverser(ctx, tx, nouveaux); err != nil {
		return err
	}
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"releve"}, colonnesReleve, pgx.CopyFromSlice(len(nouveaux), func(i int) ([]any, error) {
		n := nouveaux[i]
		motifs := n.Motifs
		if motifs == nil {
			motifs = []message.Motif{}
		}
		return []any{n.ID, n.tourneeID, n.pose.ContratID, n.pose.ID, n.Date, n.Index, n.source, n.Etat, n.VolumeLitres, n.Jours, motifs, nilIfEmpty(n.Remplace)}, nil
	}))
	return err
}

// renverser marks the estimates that are reversed and shortens the volumes
// that got a closer predecessor. A new estimate that is already reversed is
// marked in nouveaux.
func renverser(ctx context.Context, tx *function.Tx, nouveaux []*nouveau) error {
	remplaces := make([]string, 0, len(nouveaux))
	b := &pgx.Batch{}
	for _, n := range nouveaux {
		if n.Remplace != "" {
			remplaces = append(remplaces, n.Remplace)
		}
		if s := n.Suivante; s != nil {
			b.Queue(`update releve set volume_litres = $2, jours = $3 where id = $1`, s.ID, s.VolumeLitres, s.Jours)
		}
	}
	if len(remplaces) > 0 {
		b.Queue(`update releve set etat = 'REMPLACEE' where id = any($1)`, remplaces)
	}
	slices.Sort(remplaces)
	for _, n := range nouveaux {
		if _, reversed := slices.BinarySearch(remplaces, n.ID); reversed {
			n.Etat = "REMPLACEE"
		}
	}
	return tx.SendBatch(ctx, b).Close()
}

func nilIfEmpty(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// chunk is the most readings that one event carries.
const chunk = 500

// annoncer emits the readings that may be billed. A reading that reverses an
// estimate made and reversed at once names the estimate that was told of, if any.
func annoncer(tx *function.Tx, subject, tourneeID string, nouveaux []*nouveau) {
	muets := map[string]string{} // estimates never told of, to what they reversed
	var told []message.ReleveValide
	for _, n := range nouveaux {
		switch n.Etat {
		case "REMPLACEE":
			muets[n.ID] = n.Remplace
			continue
		case "SUSPECTE":
			continue
		}
		remplace := n.Remplace
		for before, mute := muets[remplace]; mute; before, mute = muets[remplace] {
			remplace = before
		}
		told = append(told, message.ReleveValide{ReleveID: n.ID, ContratID: n.pose.ContratID, PoseID: n.pose.ID,
			Date: n.Date, Index: n.Index, Estimee: n.Etat == "ESTIMEE", Source: n.source, Remplace: remplace})
	}
	for part := range slices.Chunk(told, chunk) {
		tx.Emit(subject, 0, message.RelevesValides{TourneeID: tourneeID, Releves: part})
	}
}
