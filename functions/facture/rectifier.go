package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/functions/facture/tarif"
	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// rectifier takes a bill back whole and issues another of the same period.
// The new bill is priced with the tariffs of the old one and with the rates of
// its date: what was misread is corrected, and nothing else.
func rectifier(ctx context.Context, tx *function.Tx, c message.RectifierFacture) (r message.Rectification, err error) {
	f, deja, err := corrigible(ctx, tx, c.FactureID)
	if err != nil {
		return r, err
	}
	if f.Nature == natureManuelle {
		return r, function.Refused("sans_releve", "Une facture manuelle ne repose sur aucun relevé : reprenez-la par un avoir.", "A manual bill rests on no reading: take it back by an avoir.")
	}
	d, ancien, err := dossierDe(ctx, tx, f)
	if err != nil {
		return r, err
	}
	if err := corrigerIndex(ctx, tx, d, f, c); err != nil {
		return r, err
	}
	cas, estimee, err := d.jusqua(tarif.DateOf(ancien.periode[0].Time()), tarif.DateOf(f.Au.Time()))
	if err != nil {
		return r, refusDeCalcul(err)
	}
	if cas.Periode != ancien.cas.Periode {
		return r, function.Conflict("periode_changee",
			"Ce que l'on sait aujourd'hui du contrat donne une autre période, du "+cas.Periode.Du.String()+" au "+cas.Periode.Au.String()+".",
			"What is known of the contract today gives another period, "+cas.Periode.Du.String()+" to "+cas.Periode.Au.String()+".")
	}
	if err := raccord(ctx, tx, f, cas); err != nil {
		return r, err
	}
	cas.ID, cas.DateFacturation, cas.Grilles, cas.Redevances = ancien.cas.ID, ancien.cas.DateFacturation, ancien.cas.Grilles, ancien.cas.Redevances
	o := d.origine(&tarif.Cas{Periode: cas.Periode, Poses: cas.Poses, Acomptes: cas.Acomptes, Fuite: cas.Fuite}, message.TarifsEnVigueur{}, "")
	o.Grilles, o.Redevances = ancien.origine.Grilles, ancien.origine.Redevances
	p, err := chiffrer(cas, o)
	if err != nil {
		return r, err
	}
	p.nature, p.contratID, p.corrigeID, p.motif, p.entite, p.periode = f.Nature, f.ContratID, f.ID, c.Motif, ancien.entite, ancien.periode
	p.estimee, p.delai = estimee, f.Echeance.DaysSince(f.DateFacturation)

	if r.Avoir, err = avoir(ctx, tx, f, deja, toutReprendre(f, deja), c.Motif, c.Simulation); err != nil {
		return r, err
	}
	if c.Simulation {
		r.Facture = p.apercu(f)
		return r, nil
	}
	if r.Facture, err = emettrePiece(ctx, tx, p); err != nil {
		return r, err
	}
	if part := min(r.Avoir.AvanceCentimes, r.Facture.TTCCentimes); part > 0 {
		// What the abonne had paid on the old bill pays the new one.
		etat := "PARTIELLE"
		if part == r.Facture.TTCCentimes {
			etat = "PAYEE"
		}
		b := &pgx.Batch{}
		b.Queue("insert into lettrage (avoir_id, facture_id, montant_centimes) values ($1, $2, $3)", r.Avoir.AvoirID, r.Facture.ID, part)
		b.Queue("update facture set paye_centimes = $2, etat = $3 where id = $1", r.Facture.ID, part, etat)
		if err := tx.SendBatch(ctx, b).Close(); err != nil {
			return r, err
		}
		if err := exiger(ctx, tx, r.Facture.DateFacturation, r.Facture.ID); err != nil {
			return r, err
		}
		r.Avoir.AvanceCentimes -= part
	}
	r.Facture, err = loadFacture(ctx, tx, r.Facture.ID)
	return r, err
}

// ancienne is what a bill was priced from.
type ancienne struct {
	cas     tarif.Cas
	origine origine
	periode [2]message.Date
	entite  string
}

// dossierDe reads what the bill f would be priced from today: the readings as
// known now, and the bill that came before it.
func dossierDe(ctx context.Context, tx *function.Tx, f message.Facture) (*dossier, ancienne, error) {
	var a ancienne
	err := tx.QueryRow(ctx, "select cas, origine, case when isempty(periode) then au else lower(periode) end, coalesce(upper(periode), au), entite from facture where id = $1", f.ID).
		Scan(&a.cas, &a.origine, &a.periode[0], &a.periode[1], &a.entite)
	if err != nil {
		return nil, a, err
	}
	d, err := loadDossier(ctx, tx, f.ContratID)
	if err != nil {
		return nil, a, err
	}
	var before billing
	var du, au message.Date
	err = tx.QueryRow(ctx, "select coalesce(numero, ''), du, au, estimee, "+lignesNettes+` from facture where contrat_id = $1 and id <> $2 and au < $3
		and nature in ('FACTURE', 'SOLDE') and etat <> 'ANNULEE_PAR_AVOIR' order by au desc limit 1`, f.ContratID, f.ID, f.Au).
		Scan(&before.numero, &du, &au, &before.estimee, &before.lignes)
	before.du, before.au = tarif.DateOf(du.Time()), tarif.DateOf(au.Time())
	d.anterieur = &before
	if errors.Is(err, pgx.ErrNoRows) {
		d.anterieur, err = nil, nil
	}
	return d, a, err
}

// loadDossier reads what the bills of one contract rest on.
func loadDossier(ctx context.Context, tx *function.Tx, contratID string) (*dossier, error) {
	all, err := loadDossiers(ctx, tx, []string{contratID})
	if err == nil && len(all) == 0 {
		err = contratInconnu()
	}
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// corrigerIndex puts the right indexes into a dossier, and keeps them for the
// bills to come.
func corrigerIndex(ctx context.Context, tx *function.Tx, d *dossier, f message.Facture, c message.RectifierFacture) error {
	for i, k := range c.Index {
		champ := fmt.Sprintf("index[%d].", i)
		var releve, pose string
		var roues int
		err := tx.QueryRow(ctx, `select r.id, r.pose_id, p.roues from releve r join pose p on p.id = r.pose_id
			where r.contrat_id = $1 and r.date = $2 and r.date between $3 and $4 and not exists (select from remplacement where releve_id = r.id) order by p.du desc limit 1`,
			f.ContratID, k.Date, f.Du, f.Au).Scan(&releve, &pose, &roues)
		if errors.Is(err, pgx.ErrNoRows) {
			return function.Invalid(champ+"date", "releve_inconnu",
				"Aucun relevé de cette facture n'est du "+k.Date.Francais()+" (un index de pose ou de dépose se corrige au contrat).",
				"No reading of this bill is of "+k.Date.String()+".")
		}
		if err != nil {
			return err
		}
		if k.Index >= pow10(int64(roues)) {
			return function.Invalid(champ+"index", "index_hors_compteur", fmt.Sprintf("Un compteur à %d roues n'affiche pas cet index.", roues), fmt.Sprintf("A meter of %d digits cannot show this index.", roues))
		}
		for j := range d.points {
			if d.points[j].pose == pose && d.points[j].date == tarif.DateOf(k.Date.Time()) {
				d.points[j].index = k.Index
			}
		}
		if c.Simulation {
			continue
		}
		if _, err := tx.Exec(ctx, `insert into correction_releve (releve_id, index, facture_id, par, corrige_a) values ($1, $2, $3, $4, $5)
			on conflict (releve_id) do update set (index, facture_id, par, corrige_a) = (excluded.index, excluded.facture_id, excluded.par, excluded.corrige_a)`,
			releve, k.Index, f.ID, tx.Identity().ID, tx.Now); err != nil {
			return err
		}
	}
	return nil
}

// raccord refuses a new bill that would not end on the index from which the
// bill after it starts: volume would be billed twice, or never.
func raccord(ctx context.Context, tx *function.Tx, f message.Facture, cas tarif.Cas) error {
	var numero string
	var suivant tarif.Cas
	err := tx.QueryRow(ctx, `select coalesce(numero, 'en préparation'), cas from facture where contrat_id = $1 and id <> $2 and du = $3
		and nature in ('FACTURE', 'SOLDE') and etat <> 'ANNULEE_PAR_AVOIR' limit 1`, f.ContratID, f.ID, f.Au).Scan(&numero, &suivant)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	fin, debut := cas.Poses[len(cas.Poses)-1], slices.MinFunc(suivant.Poses, func(a, b tarif.Pose) int { return int(a.Du - b.Du) })
	if fin.Au != debut.Du || fin.IndexFin == debut.IndexDebut {
		return nil // another meter stands there, or the indexes meet
	}
	return function.Conflict("facture_suivante",
		fmt.Sprintf("La facture suivante, %s, part de l'index %d et celle-ci finirait à %d : rectifiez d'abord la suivante.", numero, debut.IndexDebut, fin.IndexFin),
		fmt.Sprintf("The next bill, %s, starts from index %d and this one would end on %d: correct the next one first.", numero, debut.IndexDebut, fin.IndexFin))
}

// chiffrer prices a case as a document to issue.
func chiffrer(cas tarif.Cas, o origine) (p piece, err error) {
	f, err := tarifer(&cas, &o)
	if err != nil {
		return p, refusDeCalcul(err)
	}
	return piece{anormale: f.Resultat.Anormale, volume: f.Resultat.VolumeEauLitres, lignes: f.lignes, tva: f.tva, cas: cas, origine: &o,
		du: dateDe(cas.Periode.Du), au: dateDe(cas.Periode.Au)}, nil
}

// dateDe is a day of package tarif as a day of messages.
func dateDe(d tarif.Date) message.Date {
	day, _ := message.ParseDate(d.String())
	return day
}

// refusDeCalcul words a case that cannot be priced.
func refusDeCalcul(err error) error {
	var code tarif.Code
	if !errors.Is(err, errSansReleve) && !errors.As(err, &code) {
		return err
	}
	c, fr, en := reason(err)
	return function.Refused(c, fr, en)
}

// apercu is the document as it would be issued in place of f.
func (p piece) apercu(f message.Facture) message.Facture {
	f.ID, f.Numero, f.Etat, f.LotID = "", "", "", ""
	f.VolumeLitres, f.Estimee, f.Motif, f.Lignes, f.TVA = p.volume, p.estimee, p.motif, p.lignes, p.tva
	f.HTCentimes, f.TVACentimes = 0, 0
	for _, v := range f.TVA {
		f.HTCentimes += v.BaseCentimes
		f.TVACentimes += v.MontantCentimes
	}
	f.TTCCentimes = f.HTCentimes + f.TVACentimes
	f.ResteCentimes, f.Corrections = max(f.TTCCentimes, 0), nil
	return f
}
