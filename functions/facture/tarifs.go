package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/functions/facture/tarif"
	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// definirGrille adds a tariff that keeps the law: ordered slabs, fixed part
// under its cap (CGCT L2224-12-4, arrete of 6 August 2007), no overlap.
func definirGrille(ctx context.Context, tx *function.Tx, c message.DefinirGrille) (message.Grille, error) {
	g := grilleTarif(c)
	controle, err := tarif.Controler(&g, c.Rurale, c.Touristique)
	if err != nil {
		return message.Grille{}, invalidTariff(err)
	}
	if !controle.Conforme {
		return message.Grille{}, function.Invalid("part_fixe_an_ue", "part_fixe_excessive",
			fmt.Sprintf("La part fixe (%s) dépasse %d %% du coût de 120 m³ (part variable : %s). Baissez-la, ou indiquez une commune rurale ou touristique.",
				message.Euros(g.PartFixeAn/10_000), capPercent(c.Rurale), message.Euros(controle.Variable120Ue/10_000)),
			fmt.Sprintf("The fixed part is more than %d %% of the cost of 120 m³. Lower it, or mark the commune as rural or tourist.", capPercent(c.Rurale)))
	}
	tranches, err := json.Marshal(c.Tranches)
	if err != nil {
		return message.Grille{}, err
	}
	id := function.NewID()
	tag, err := tx.Exec(ctx, `insert into grille (id, code, service, periode, part_fixe_an_ue, tranches, tva_pm, deliberation, rurale, touristique)
		values ($1, $2, $3, daterange($4, $5), $6, $7, $8, $9, $10, $11) on conflict do nothing`,
		id, c.Code, c.Service, c.Du, c.Au, c.PartFixeAnUE, tranches, c.TVAPM, c.Deliberation, c.Rurale, c.Touristique)
	if err != nil {
		return message.Grille{}, err
	}
	if tag.RowsAffected() == 0 {
		return message.Grille{}, function.Conflict("grilles_chevauchantes",
			"Une grille de ce service couvre déjà une partie de ces dates, ou porte ce code.",
			"A tariff of this service covers part of these dates already, or has this code.")
	}
	return message.Grille{ID: id, DefinirGrille: c, Facture120Centimes: (controle.PartFixeUe + controle.Variable120Ue + 5_000) / 10_000}, nil
}

func capPercent(rurale bool) int {
	if rurale {
		return 40
	}
	return 30
}

// invalidTariff words the codes of package tarif that a tariff can break.
func invalidTariff(err error) error {
	switch err {
	case tarif.PeriodeVide:
		return function.Invalid("au", "periode_vide", "La fin doit suivre le début.", "The end must come after the start.")
	case tarif.TranchesDesordonnees:
		return function.Invalid("tranches", "tranches_desordonnees",
			"Les bornes doivent croître, et seule la dernière tranche n'en a pas.", "Bounds must grow, and only the last slab has none.")
	}
	return err
}

// definirRedevance adds a rate of an agence de l'eau.
func definirRedevance(ctx context.Context, tx *function.Tx, c message.DefinirRedevance) (message.Redevance, error) {
	if !c.Du.Before(c.Au) {
		return message.Redevance{}, invalidTariff(tarif.PeriodeVide)
	}
	id := function.NewID()
	tag, err := tx.Exec(ctx, `insert into redevance (id, code, libelle, service, periode, taux_m3_ue, coefficient_pm, tva_pm, source)
		values ($1, $2, $3, $4, daterange($5, $6), $7, $8, $9, $10) on conflict do nothing`,
		id, c.Code, c.Libelle, c.Service, c.Du, c.Au, c.TauxM3UE, c.CoefficientPM, c.TVAPM, c.Source)
	if err != nil {
		return message.Redevance{}, err
	}
	if tag.RowsAffected() == 0 {
		return message.Redevance{}, function.Conflict("redevances_chevauchantes",
			"Cette redevance a déjà un taux sur une partie de ces dates.", "This redevance has a rate already on part of these dates.")
	}
	return message.Redevance{ID: id, DefinirRedevance: c}, nil
}

// tarifs lists every tariff by service and date.
func tarifs(ctx context.Context, tx *function.Tx, _ message.Tarifs) (message.TarifsEnVigueur, error) {
	return loadTarifs(ctx, tx)
}

func loadTarifs(ctx context.Context, tx *function.Tx) (t message.TarifsEnVigueur, err error) {
	rows, err := tx.Query(ctx, `select id, code, service, lower(periode), upper(periode), part_fixe_an_ue, tranches, tva_pm, deliberation, rurale, touristique
		from grille order by service desc, periode`)
	if err != nil {
		return t, err
	}
	t.Grilles, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (g message.Grille, err error) {
		err = row.Scan(&g.ID, &g.Code, &g.Service, &g.Du, &g.Au, &g.PartFixeAnUE, &g.Tranches, &g.TVAPM, &g.Deliberation, &g.Rurale, &g.Touristique)
		if err != nil {
			return g, err
		}
		priced := grilleTarif(g.DefinirGrille)
		controle, err := tarif.Controler(&priced, g.Rurale, g.Touristique)
		g.Facture120Centimes = (controle.PartFixeUe + controle.Variable120Ue + 5_000) / 10_000
		return g, err
	})
	if err != nil {
		return t, err
	}
	rows, err = tx.Query(ctx, `select id, code, libelle, service, lower(periode), upper(periode), taux_m3_ue, coefficient_pm, tva_pm, source
		from redevance order by service desc, code, periode`)
	if err != nil {
		return t, err
	}
	t.Redevances, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (r message.Redevance, err error) {
		err = row.Scan(&r.ID, &r.Code, &r.Libelle, &r.Service, &r.Du, &r.Au, &r.TauxM3UE, &r.CoefficientPM, &r.TVAPM, &r.Source)
		return r, err
	})
	return t, err
}

// grilleTarif is a tariff as package tarif takes it.
func grilleTarif(g message.DefinirGrille) tarif.Grille {
	out := tarif.Grille{
		Code: g.Code, Service: tarif.Service(g.Service),
		Periode:    tarif.Periode{Du: tarif.DateOf(g.Du.Time()), Au: tarif.DateOf(g.Au.Time())},
		PartFixeAn: g.PartFixeAnUE, TVAPm: g.TVAPM,
	}
	for _, t := range g.Tranches {
		out.Tranches = append(out.Tranches, tarif.Tranche{JusquaM3: t.JusquaM3, PrixM3: t.PrixM3UE})
	}
	return out
}

func redevanceTarif(r message.DefinirRedevance) tarif.Redevance {
	return tarif.Redevance{
		Code: r.Code, Service: tarif.Service(r.Service),
		Periode: tarif.Periode{Du: tarif.DateOf(r.Du.Time()), Au: tarif.DateOf(r.Au.Time())},
		TauxM3:  r.TauxM3UE, CoefficientPm: r.CoefficientPM, TVAPm: r.TVAPM,
	}
}
