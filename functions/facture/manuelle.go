package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// emettreManuelle issues a bill of lines that a person wrote.
func emettreManuelle(ctx context.Context, tx *function.Tx, c message.EmettreManuelle) (message.Facture, error) {
	delai := c.Echeance.DaysSince(tx.Today())
	switch {
	case delai < 14:
		return message.Facture{}, function.Invalid("echeance", "echeance_courte", "L'échéance laisse au moins 14 jours.", "The due date leaves at least 14 days.")
	case delai > 366:
		return message.Facture{}, function.Invalid("echeance", "echeance_lointaine", "L'échéance est à un an au plus.", "The due date is at most a year ahead.")
	}
	p := piece{nature: natureManuelle, contratID: c.ContratID, motif: c.Motif, delai: delai}
	for i, l := range c.Lignes {
		ligne, err := ligneManuelle(ctx, tx, i, l)
		if err != nil {
			return message.Facture{}, err
		}
		p.lignes = append(p.lignes, ligne)
	}
	return emettrePiece(ctx, tx, p)
}

// ligneManuelle is the ith line of a bill, priced.
func ligneManuelle(ctx context.Context, tx *function.Tx, i int, l message.LigneManuelle) (message.LigneFacture, error) {
	champ := fmt.Sprintf("lignes[%d].", i)
	out := message.LigneFacture{Rubrique: l.Rubrique, Code: fmt.Sprintf("ligne/%d", i+1), Libelle: l.Libelle, TVAPM: l.TVAPM, Quantite: l.Quantite, Compte: l.Compte}
	prix := l.PrixCentimes
	if out.Rubrique == "" {
		out.Rubrique = "prestations"
	}
	if l.Prestation != "" {
		out.Code = fmt.Sprintf("prestation/%s/%d", l.Prestation, i+1)
		err := tx.QueryRow(ctx, "select libelle, prix_centimes, tva_pm, compte from prestation where code = $1 and periode @> $2::date", l.Prestation, tx.Today()).
			Scan(&out.Libelle, &prix, &out.TVAPM, &out.Compte)
		if errors.Is(err, pgx.ErrNoRows) {
			return out, function.Invalid(champ+"prestation", "prestation_inconnue",
				"Le catalogue n'a pas de prestation "+l.Prestation+" à ce jour.", "The catalogue has no service "+l.Prestation+" today.")
		}
		if err != nil {
			return out, err
		}
	}
	if out.Compte == "" && out.Rubrique == "prestations" {
		out.Compte = "7068"
	}
	if err := checkTaux(ctx, tx, champ+"tva_pm", out.TVAPM); err != nil {
		return out, err
	}
	if out.Compte != "" {
		if err := checkCompte(ctx, tx, champ+"compte", out.Compte); err != nil {
			return out, err
		}
	}
	out.PrixUE, out.HTCentimes = prix*10_000, prix*l.Quantite
	return out, nil
}

// checkTaux refuses a rate of VAT that is not in force.
func checkTaux(ctx context.Context, tx *function.Tx, champ string, pm int64) error {
	var known bool
	err := tx.QueryRow(ctx, "select exists (select from taux_tva where taux_pm = $1 and periode @> $2::date)", pm, tx.Today()).Scan(&known)
	if err == nil && !known {
		return function.Invalid(champ, "taux_tva_inconnu", "Aucun taux de TVA en vigueur n'est de "+taux(pm)+".", fmt.Sprintf("No rate of VAT in force is %d per mille.", pm))
	}
	return err
}

// comptesDeVente are the accounts that a line may be booked on.
const comptesDeVente = "numero like '70%'"

func checkCompte(ctx context.Context, tx *function.Tx, champ, compte string) error {
	var known bool
	err := tx.QueryRow(ctx, "select exists (select from compte where numero = $1 and "+comptesDeVente+")", compte).Scan(&known)
	if err == nil && !known {
		return function.Invalid(champ, "compte_inconnu", "Le compte "+compte+" n'est pas un compte de ventes.", "Account "+compte+" is no account of sales.")
	}
	return err
}

// definirPrestation sets a price of the catalogue. It ends on that day the
// price that had no end; otherwise prices do not change, they follow each other.
func definirPrestation(ctx context.Context, tx *function.Tx, c message.DefinirPrestation) (message.Prestation, error) {
	if !c.Au.IsZero() && !c.Du.Before(c.Au) {
		return message.Prestation{}, function.Invalid("au", "periode_vide", "La fin doit suivre le début.", "The end must come after the start.")
	}
	if err := checkTaux(ctx, tx, "tva_pm", c.TVAPM); err != nil {
		return message.Prestation{}, err
	}
	if err := checkCompte(ctx, tx, "compte", c.Compte); err != nil {
		return message.Prestation{}, err
	}
	_, err := tx.Exec(ctx, "update prestation set periode = daterange(lower(periode), $2) where code = $1 and upper_inf(periode) and lower(periode) < $2", c.Code, c.Du)
	if err != nil {
		return message.Prestation{}, err
	}
	id := function.NewID()
	tag, err := tx.Exec(ctx, `insert into prestation (id, code, libelle, periode, prix_centimes, tva_pm, compte, source)
		values ($1, $2, $3, daterange($4, $5), $6, $7, $8, $9) on conflict do nothing`,
		id, c.Code, c.Libelle, c.Du, c.Au, c.PrixCentimes, c.TVAPM, c.Compte, c.Source)
	if err == nil && tag.RowsAffected() == 0 {
		err = function.Conflict("prestations_chevauchantes", "Cette prestation a déjà un prix sur une partie de ces dates.", "This service has a price already on part of these dates.")
	}
	return message.Prestation{ID: id, DefinirPrestation: c}, err
}

// prestations lists the catalogue, and what else a line may be made of.
func prestations(ctx context.Context, tx *function.Tx, _ message.Prestations) (c message.CataloguePrestations, err error) {
	rows, err := tx.Query(ctx, "select id, code, libelle, lower(periode), upper(periode), prix_centimes, tva_pm, compte, source from prestation order by code, periode desc")
	if err != nil {
		return c, err
	}
	c.Prestations, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (p message.Prestation, err error) {
		err = row.Scan(&p.ID, &p.Code, &p.Libelle, &p.Du, &p.Au, &p.PrixCentimes, &p.TVAPM, &p.Compte, &p.Source)
		return p, err
	})
	if err != nil {
		return c, err
	}
	if rows, err = tx.Query(ctx, "select taux_pm, libelle, source from taux_tva where periode @> $1::date order by taux_pm", tx.Today()); err != nil {
		return c, err
	}
	if c.Taux, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.TauxTVA]); err != nil {
		return c, err
	}
	if rows, err = tx.Query(ctx, "select numero, libelle from compte where "+comptesDeVente+" order by numero"); err != nil {
		return c, err
	}
	c.Comptes, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.CompteVente])
	return c, err
}
