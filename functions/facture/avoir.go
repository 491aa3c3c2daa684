package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// emettreAvoir takes back a bill or a part of it.
func emettreAvoir(ctx context.Context, tx *function.Tx, c message.EmettreAvoir) (message.Avoir, error) {
	f, deja, err := corrigible(ctx, tx, c.FactureID)
	if err != nil {
		return message.Avoir{}, err
	}
	lignes, err := reprendre(f, deja, c.Lignes)
	if err != nil {
		return message.Avoir{}, err
	}
	return avoir(ctx, tx, f, deja, lignes, c.Motif, c.Simulation)
}

// corrigible locks an issued bill that may be corrected, and reads the avoirs
// that took a part of it back already.
func corrigible(ctx context.Context, tx *function.Tx, id string) (f message.Facture, deja []message.Facture, err error) {
	if _, err := tx.Exec(ctx, "select from facture where id = $1 for update", id); err != nil {
		return f, nil, err
	}
	if f, err = loadFacture(ctx, tx, id); err != nil {
		return f, nil, err
	}
	switch {
	case f.Nature == natureAvoir:
		return f, nil, function.Refused("avoir_d_un_avoir", "Un avoir ne se reprend pas par un avoir : émettez une facture.", "An avoir is not taken back by an avoir: issue a bill.")
	case f.Numero == "":
		return f, nil, function.Conflict("facture_pas_emise", "Cette facture n'est pas émise : rejetez son lot, il n'y a rien à reprendre.", "This bill is not issued: reject its lot, there is nothing to take back.")
	case f.Etat == "ANNULEE_PAR_AVOIR":
		return f, nil, function.Conflict("deja_annulee", "La facture "+f.Numero+" est déjà annulée par un avoir.", "Bill "+f.Numero+" is taken back already.")
	case f.Etat == "ADMISE_EN_NON_VALEUR":
		return f, nil, function.Conflict("admise_en_non_valeur", "La facture "+f.Numero+" est admise en non-valeur : elle ne se reprend plus.", "Bill "+f.Numero+" was written off.")
	case f.TTCCentimes <= 0:
		return f, nil, function.Refused("facture_creditrice",
			"La facture "+f.Numero+" ne doit rien à personne ou est en faveur de l'abonné : elle se corrige par une facture manuelle.",
			"Bill "+f.Numero+" is not owed: correct it by a manual bill.")
	}
	if f.Estimee {
		var suite string
		err = tx.QueryRow(ctx, `select coalesce(min(coalesce(numero, 'en préparation')), '') from facture
			where contrat_id = $1 and id <> $2 and du < $3 and au > $3 and nature in ('FACTURE', 'SOLDE') and etat <> 'ANNULEE_PAR_AVOIR'`, f.ContratID, f.ID, f.Au).Scan(&suite)
		if err != nil {
			return f, nil, err
		}
		if suite != "" {
			return f, nil, function.Conflict("estimation_reprise",
				"L'estimation de la facture "+f.Numero+" est déjà reprise par la facture "+suite+" : c'est elle qu'il faut corriger.",
				"The estimate of bill "+f.Numero+" was reversed by bill "+suite+": correct that one.")
		}
	}
	deja, err = selectFactures(ctx, tx, "corrige_id = $1 and nature = 'AVOIR' order by emise_a, id", id)
	return f, deja, err
}

// avoir issues the lines taken back of a bill and settles it with them, or
// only says what that would do.
func avoir(ctx context.Context, tx *function.Tx, f message.Facture, deja []message.Facture, lignes []message.LigneFacture, motif string, simulation bool) (message.Avoir, error) {
	a, err := consequence(f, deja, lignes)
	if err != nil || simulation {
		return a, err
	}
	p := piece{nature: natureAvoir, contratID: f.ContratID, corrigeID: f.ID, motif: motif, du: f.Du, au: f.Au, lignes: a.Lignes, tva: a.TVA}
	if a.Total {
		p.volume = -f.VolumeLitres
		for _, d := range deja {
			p.volume -= d.VolumeLitres
		}
	}
	for _, l := range a.Lignes {
		if !a.Total && l.Rubrique == "distribution" {
			p.volume += l.Litres
		}
	}
	if err := tx.QueryRow(ctx, "select entite from facture where id = $1", f.ID).Scan(&p.entite); err != nil {
		return a, err
	}
	emis, err := emettrePiece(ctx, tx, p)
	if err != nil {
		return a, err
	}
	a.AvoirID, a.Numero = emis.ID, emis.Numero
	etat := "PARTIELLE"
	switch {
	case a.Total:
		etat = "ANNULEE_PAR_AVOIR"
	case a.ResteCentimes == 0:
		etat = "PAYEE"
	}
	b := &pgx.Batch{}
	if a.RegleCentimes > 0 {
		b.Queue("insert into lettrage (avoir_id, facture_id, montant_centimes) values ($1, $2, $3)", a.AvoirID, f.ID, a.RegleCentimes)
	}
	b.Queue("update facture set paye_centimes = paye_centimes + $2, etat = $3 where id = $1", f.ID, a.RegleCentimes, etat)
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return a, err
	}
	return a, exiger(ctx, tx, emis.DateFacturation, f.ID)
}

// reprendre are the lines of an avoir on a bill, of which some was taken back
// already: what is asked for, or all that is left.
func reprendre(f message.Facture, deja []message.Facture, demande []message.LigneAvoir) ([]message.LigneFacture, error) {
	if len(demande) == 0 {
		return toutReprendre(f, deja), nil
	}
	reste := slices.Clone(f.Lignes)
	for _, d := range deja {
		reste = append(reste, d.Lignes...)
	}
	var out []message.LigneFacture
	for i, d := range demande {
		champ := fmt.Sprintf("lignes[%d].", i)
		var l message.LigneFacture
		if d.Rubrique != "" {
			l = message.LigneFacture{Rubrique: d.Rubrique, Code: "avoir/" + d.Rubrique, Libelle: "Avoir", TVAPM: d.TVAPM, HTCentimes: -d.HTCentimes}
		} else {
			k := slices.IndexFunc(f.Lignes, func(l message.LigneFacture) bool { return l.Code == d.Code })
			if k < 0 {
				return nil, function.Invalid(champ+"code", "ligne_inconnue", "La facture n'a pas de ligne "+d.Code+".", "The bill has no line "+d.Code+".")
			}
			var left int64
			for _, r := range reste {
				if r.Code == d.Code {
					left += r.HTCentimes
				}
			}
			if d.HTCentimes > left {
				return nil, excessif(champ+"ht_centimes", left)
			}
			l = f.Lignes[k]
			if d.HTCentimes == l.HTCentimes {
				l.Litres, l.Jours, l.Quantite = -l.Litres, -l.Jours, -l.Quantite
			} else {
				l.Litres, l.Jours, l.Quantite, l.PrixUE = 0, 0, 0, 0
			}
			l.HTCentimes, l.Regle, l.Exact = -d.HTCentimes, 0, ""
		}
		var left int64
		for _, r := range reste {
			if r.Rubrique == l.Rubrique && r.TVAPM == l.TVAPM {
				left += r.HTCentimes
				if d.Rubrique != "" && l.Compte == "" {
					l.Compte = r.Compte
				}
			}
		}
		if d.HTCentimes > left {
			return nil, excessif(champ+"ht_centimes", left)
		}
		out, reste = append(out, l), append(reste, l)
	}
	return out, nil
}

func excessif(champ string, left int64) error {
	return function.Invalid(champ, "avoir_excessif",
		"Il ne reste que "+message.Euros(max(left, 0))+" HT à reprendre ici.", fmt.Sprintf("Only %d.%02d EUR without tax are left to take back here.", max(left, 0)/100, max(left, 0)%100))
}

// toutReprendre negates every line of a bill, and gives back what earlier
// avoirs took.
func toutReprendre(f message.Facture, deja []message.Facture) []message.LigneFacture {
	var out []message.LigneFacture
	negate := func(lignes []message.LigneFacture, note string) {
		for _, l := range lignes {
			l.HTCentimes, l.Litres, l.Jours, l.Quantite = -l.HTCentimes, -l.Litres, -l.Jours, -l.Quantite
			l.Libelle, l.Regle, l.Exact = l.Libelle+note, 0, ""
			out = append(out, l)
		}
	}
	negate(f.Lignes, "")
	for _, d := range deja {
		negate(d.Lignes, " (déjà repris, "+d.Numero+")")
	}
	return out
}

// consequence is what an avoir of the given lines does to a bill. Its VAT is
// such that what is left of the bill bears, rate by rate, exactly the VAT of
// what is left of its base: bill and avoirs together are, to the centime, the
// bill that ought to have been.
func consequence(f message.Facture, deja []message.Facture, lignes []message.LigneFacture) (message.Avoir, error) {
	a := message.Avoir{FactureID: f.ID, Facture: f.Numero, Lignes: lignes, TVA: tvaDe(lignes), Total: true}
	reste := slices.Clone(f.TVA)
	resteTTC := f.TTCCentimes
	for _, d := range deja {
		resteTTC += d.TTCCentimes
		for _, v := range d.TVA {
			i := slices.IndexFunc(reste, func(r message.TVAFacture) bool { return r.TauxPM == v.TauxPM })
			reste[i].BaseCentimes += v.BaseCentimes
			reste[i].MontantCentimes += v.MontantCentimes
		}
	}
	for k, v := range a.TVA {
		i := slices.IndexFunc(reste, func(r message.TVAFacture) bool { return r.TauxPM == v.TauxPM })
		apres := reste[i].BaseCentimes + v.BaseCentimes
		a.TVA[k].MontantCentimes = tvaSur(apres, v.TauxPM) - reste[i].MontantCentimes
		reste[i] = message.TVAFacture{TauxPM: v.TauxPM, BaseCentimes: apres, MontantCentimes: tvaSur(apres, v.TauxPM)}
		a.HTCentimes += v.BaseCentimes
		a.TVACentimes += a.TVA[k].MontantCentimes
	}
	a.TTCCentimes = a.HTCentimes + a.TVACentimes
	resteTTC += a.TTCCentimes
	switch {
	case a.TTCCentimes >= 0:
		return a, function.Refused("avoir_vide", "Il ne reste rien à reprendre de la facture "+f.Numero+".", "Nothing of bill "+f.Numero+" is left to take back.")
	case resteTTC < 0:
		return a, function.Refused("avoir_excessif", "L'avoir dépasserait la facture "+f.Numero+" de "+message.Euros(-resteTTC)+".", "The avoir would be more than bill "+f.Numero+".")
	}
	for _, r := range reste {
		a.Total = a.Total && r.BaseCentimes == 0
	}
	a.RegleCentimes = min(f.ResteCentimes, -a.TTCCentimes)
	a.AvanceCentimes = -a.TTCCentimes - a.RegleCentimes
	a.ResteCentimes = f.ResteCentimes - a.RegleCentimes
	return a, nil
}
