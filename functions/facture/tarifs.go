package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/functions/facture/tarif"
	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// definirGrille adds a version of a tariff that keeps the law.
func definirGrille(ctx context.Context, tx *function.Tx, c message.DefinirGrille) (message.Grille, error) {
	if err := lockTarifs(ctx, tx); err != nil {
		return message.Grille{}, err
	}
	return saveGrille(ctx, tx, function.NewID(), c)
}

// corrigerGrille writes a version anew, as long as no bill rests on it.
func corrigerGrille(ctx context.Context, tx *function.Tx, c message.CorrigerGrille) (message.Grille, error) {
	if _, err := unusedGrille(ctx, tx, c.GrilleID); err != nil {
		return message.Grille{}, err
	}
	return saveGrille(ctx, tx, c.GrilleID, c.DefinirGrille)
}

// fermerGrille ends a version on another day.
func fermerGrille(ctx context.Context, tx *function.Tx, c message.FermerGrille) (message.Grille, error) {
	g, err := lockGrille(ctx, tx, c.GrilleID)
	if err != nil {
		return g, err
	}
	if c.Au.Before(g.FactureeJusquAu) {
		return g, function.Invalid("au", "grille_facturee",
			fmt.Sprintf("Des factures reposent sur « %s » jusqu'au %s : elle ne peut pas finir avant.", g.Code, g.FactureeJusquAu.Francais()),
			fmt.Sprintf("Bills rest on %q up to %s: it cannot end before.", g.Code, g.FactureeJusquAu))
	}
	g.Au = c.Au
	return saveGrille(ctx, tx, g.ID, g.DefinirGrille)
}

// retirerGrille withdraws a version that no bill rests on.
func retirerGrille(ctx context.Context, tx *function.Tx, c message.RetirerGrille) (message.Grille, error) {
	g, err := unusedGrille(ctx, tx, c.GrilleID)
	if err != nil {
		return g, err
	}
	before, after, err := neighbours(ctx, tx, g.ID, g.DefinirGrille)
	if err != nil {
		return g, err
	}
	if before != nil && after != nil {
		return g, function.Refused("trou",
			fmt.Sprintf("« %s » est entre « %s » et « %s » : sans elle, des jours n'auraient plus de tarif. Corrigez-la, ou fermez l'une des deux autres.", g.Code, before.code, after.code),
			fmt.Sprintf("%q stands between %q and %q: without it, days would have no tariff. Correct it, or end one of the others.", g.Code, before.code, after.code))
	}
	_, err = tx.Exec(ctx, "delete from grille where id = $1", g.ID)
	return g, err
}

// lockTarifs lets one change of tariffs happen at a time, and none while a lot
// computes: its chunks all price by the same tariffs.
func lockTarifs(ctx context.Context, tx *function.Tx) error {
	if _, err := tx.Exec(ctx, "lock table lot in share mode; lock table grille in share row exclusive mode"); err != nil {
		return err
	}
	var libelle string
	switch err := tx.QueryRow(ctx, "select libelle from lot where etat = 'PREPARE' limit 1").Scan(&libelle); {
	case errors.Is(err, pgx.ErrNoRows):
		return nil
	case err != nil:
		return err
	}
	return function.Conflict("lot_en_cours",
		"Le lot « "+libelle+" » est en cours de calcul, et toutes ses factures suivent les mêmes tarifs : attendez qu'il ait fini, ou rejetez-le, puis recommencez.",
		"Lot "+libelle+" is computing, all its bills by the same tariffs: wait until it is done, or reject it, then try again.")
}

// lockGrille reads a version that is to change.
func lockGrille(ctx context.Context, tx *function.Tx, id string) (message.Grille, error) {
	if err := lockTarifs(ctx, tx); err != nil {
		return message.Grille{}, err
	}
	all, err := selectGrilles(ctx, tx, "where id = $1", id)
	if err == nil && len(all) == 0 {
		err = function.NotFound("grille_inconnue", "Cette grille n'existe pas.", "There is no such tariff.")
	}
	if err != nil {
		return message.Grille{}, err
	}
	return all[0], nil
}

func unusedGrille(ctx context.Context, tx *function.Tx, id string) (message.Grille, error) {
	g, err := lockGrille(ctx, tx, id)
	if err == nil && !g.FactureeJusquAu.IsZero() {
		err = function.Conflict("grille_facturee",
			fmt.Sprintf("Des factures reposent sur « %s » jusqu'au %s : elle ne change plus. Fermez-la, puis définissez la version suivante.", g.Code, g.FactureeJusquAu.Francais()),
			fmt.Sprintf("Bills rest on %q up to %s: it cannot change any more. End it, then define the next version.", g.Code, g.FactureeJusquAu))
	}
	return g, err
}

// saveGrille writes a version under an id, new or known, once it keeps every rule.
func saveGrille(ctx context.Context, tx *function.Tx, id string, c message.DefinirGrille) (message.Grille, error) {
	controle, err := checkGrille(ctx, tx, &c)
	if err != nil {
		return message.Grille{}, err
	}
	if err := checkChain(ctx, tx, id, c); err != nil {
		return message.Grille{}, err
	}
	tranches, err := json.Marshal(c.Tranches)
	if err != nil {
		return message.Grille{}, err
	}
	_, err = tx.Exec(ctx, `insert into grille (id, code, service, periode, part_fixe_an_ue, tranches, tva_pm, deliberation, rurale, touristique, commune, profil, degressivite)
		values ($1, $2, $3, daterange($4, $5), $6, $7, $8, $9, $10, $11, $12, $13, $14)
		on conflict (id) do update set
			(code, service, periode, part_fixe_an_ue, tranches, tva_pm, deliberation, rurale, touristique, commune, profil, degressivite) =
			(excluded.code, excluded.service, excluded.periode, excluded.part_fixe_an_ue, excluded.tranches, excluded.tva_pm, excluded.deliberation,
			 excluded.rurale, excluded.touristique, excluded.commune, excluded.profil, excluded.degressivite)`,
		id, c.Code, c.Service, c.Du, c.Au, c.PartFixeAnUE, tranches, c.TVAPM, c.Deliberation, c.Rurale, c.Touristique, c.Commune, c.Profil, c.Degressivite)
	return message.Grille{ID: id, DefinirGrille: c, Facture120Centimes: cost120(controle)}, err
}

func cost120(c tarif.Controle) int64 { return (c.PartFixeUe + c.Variable120Ue + 5_000) / 10_000 }

// checkGrille refuses a version that breaks a rule by itself. A commune says
// in place of the version whether it is rural or tourist.
func checkGrille(ctx context.Context, tx *function.Tx, c *message.DefinirGrille) (tarif.Controle, error) {
	if c.Commune != "" {
		switch err := tx.QueryRow(ctx, "select rurale, touristique from commune where code_insee = $1", c.Commune).Scan(&c.Rurale, &c.Touristique); {
		case errors.Is(err, pgx.ErrNoRows):
			return tarif.Controle{}, function.Invalid("commune", "commune_inconnue",
				"La commune "+c.Commune+" n'est pas dans la liste : ajoutez-la d'abord.", "Commune "+c.Commune+" is not listed: add it first.")
		case err != nil:
			return tarif.Controle{}, err
		}
	}
	g := grilleTarif(*c)
	controle, err := tarif.Controler(&g, c.Rurale, c.Touristique)
	if err != nil {
		return controle, invalidTariff(err)
	}
	regles, err := loadRegles(ctx, tx)
	if err != nil {
		return controle, err
	}
	if err := checkSlabs(c, regles); err != nil {
		return controle, err
	}
	if err := checkVAT(c, regles); err != nil {
		return controle, err
	}
	return controle, checkFixedPart(c, controle, regles)
}

// checkSlabs refuses slabs that get cheaper, unless it is said how the service may (CGCT L2224-12-4 III).
func checkSlabs(c *message.DefinirGrille, regles []message.RegleTarif) error {
	for k := 1; k < len(c.Tranches); k++ {
		if c.Tranches[k].PrixM3UE >= c.Tranches[k-1].PrixM3UE || c.Degressivite != "" {
			continue
		}
		for _, r := range regles {
			if r.Code == "DEGRESSIF" && meets(r, c.Du, c.Au) {
				return function.Invalid(fmt.Sprintf("tranches[%d].prix_m3_ue", k), "tranches_degressives",
					fmt.Sprintf("La tranche %d coûte moins que la tranche %d. Un tarif dégressif n'est permis que si la condition de la loi est remplie (%s) : dites comment dans « degressivite ».", k+1, k, r.Source),
					fmt.Sprintf("Slab %d is cheaper than slab %d. A degressive tariff is allowed only on the condition of the law (%s): say in degressivite how it is met.", k+1, k, r.Source))
			}
		}
	}
	return nil
}

// checkVAT refuses a rate that the service does not have on every day of the version.
func checkVAT(c *message.DefinirGrille, regles []message.RegleTarif) error {
	var allowed []string
	for _, r := range regles {
		if r.Code != "TVA_"+strings.ToUpper(c.Service) || !meets(r, c.Du, c.Au) {
			continue
		}
		if r.Valeur == c.TVAPM && !c.Du.Before(r.Du) && (r.Au.IsZero() || !c.Au.After(r.Au)) {
			return nil
		}
		allowed = append(allowed, pourcent(r.Valeur))
	}
	return function.Invalid("tva_pm", "tva_inconnue",
		fmt.Sprintf("Une TVA de %s n'existe pas pour ce service du %s au %s. Taux possibles : %s.", pourcent(c.TVAPM), c.Du.Francais(), c.Au.AddDays(-1).Francais(), strings.Join(allowed, ", ")),
		fmt.Sprintf("There is no VAT of %s for this service from %s on. Rates: %s.", pourcent(c.TVAPM), c.Du, strings.Join(allowed, ", ")))
}

// checkFixedPart holds the fixed part under the lowest cap of the days of the
// version (arrete of 6 August 2007); a tourist commune has none.
func checkFixedPart(c *message.DefinirGrille, controle tarif.Controle, regles []message.RegleTarif) error {
	code := "PART_FIXE"
	if c.Rurale {
		code = "PART_FIXE_RURALE"
	}
	for _, r := range regles {
		if c.Touristique || r.Code != code || !meets(r, c.Du, c.Au) || controle.Within(r.Valeur) {
			continue
		}
		return function.Invalid("part_fixe_an_ue", "part_fixe_excessive",
			fmt.Sprintf("La part fixe (%s) dépasse %s du coût de 120 m³ (part variable : %s). Baissez-la, ou indiquez une commune rurale ou touristique. %s.",
				message.Euros(controle.PartFixeUe/10_000), pourcent(r.Valeur), message.Euros(controle.Variable120Ue/10_000), r.Source),
			fmt.Sprintf("The fixed part is more than %s of the cost of 120 m³. Lower it, or mark the commune as rural or tourist. %s.", pourcent(r.Valeur), r.Source))
	}
	return nil
}

// meets tells whether a rule is in force on some day of [du, au).
func meets(r message.RegleTarif, du, au message.Date) bool {
	return r.Du.Before(au) && (r.Au.IsZero() || du.Before(r.Au))
}

func pourcent(pm int64) string {
	if pm%10 == 0 {
		return fmt.Sprintf("%d %%", pm/10)
	}
	return fmt.Sprintf("%d,%d %%", pm/10, pm%10)
}

// version is another version of a chain.
type version struct {
	code   string
	du, au message.Date
}

func (v *version) String() string {
	return fmt.Sprintf("« %s » (du %s au %s)", v.code, v.du.Francais(), v.au.AddDays(-1).Francais())
}

func (v *version) english() string { return fmt.Sprintf("%q ([%s, %s))", v.code, v.du, v.au) }

// neighbours are the versions of the same service, commune and profile around
// one: the last that starts before it, and the first that does not.
func neighbours(ctx context.Context, tx *function.Tx, id string, c message.DefinirGrille) (before, after *version, err error) {
	rows, err := tx.Query(ctx, `select code, lower(periode), upper(periode) from grille
		where service = $1 and commune = $2 and profil = $3 and id <> $4 order by periode`, c.Service, c.Commune, c.Profil, id)
	if err != nil {
		return nil, nil, err
	}
	var v version
	_, err = pgx.ForEachRow(rows, []any{&v.code, &v.du, &v.au}, func() error {
		seen := v
		if v.du.Before(c.Du) {
			before = &seen
		} else if after == nil {
			after = &seen
		}
		return nil
	})
	return before, after, err
}

// checkChain refuses a version that shares days with a neighbour or leaves
// days between them without a tariff.
func checkChain(ctx context.Context, tx *function.Tx, id string, c message.DefinirGrille) error {
	var known bool
	if err := tx.QueryRow(ctx, "select exists (select from grille where code = $1 and id <> $2)", c.Code, id).Scan(&known); err != nil {
		return err
	}
	if known {
		return function.Invalid("code", "code_pris", "Une autre grille porte le code « "+c.Code+" ».", "Another tariff has the code "+c.Code+".")
	}
	before, after, err := neighbours(ctx, tx, id, c)
	if err != nil {
		return err
	}
	overlap := func(field string, v *version) error {
		return function.Invalid(field, "grilles_chevauchantes",
			"La version "+v.String()+" couvre déjà une partie de ces jours.", "Version "+v.english()+" covers part of these days already.")
	}
	hole := func(field string, v *version, from, to message.Date) error {
		return function.Invalid(field, "trou",
			fmt.Sprintf("Du %s au %s, aucun tarif ne s'appliquerait : la version voisine est %s.", from.Francais(), to.AddDays(-1).Francais(), v),
			fmt.Sprintf("No tariff would hold from %s to %s: the neighbouring version is %s.", from, to, v.english()))
	}
	switch {
	case before != nil && c.Du.Before(before.au):
		return overlap("du", before)
	case after != nil && after.du.Before(c.Au):
		return overlap("au", after)
	case before != nil && before.au.Before(c.Du):
		return hole("du", before, before.au, c.Du)
	case after != nil && c.Au.Before(after.du):
		return hole("au", after, c.Au, after.du)
	}
	return nil
}

// invalidTariff words the codes of package tarif that a tariff can break.
func invalidTariff(err error) error {
	switch err {
	case tarif.PeriodeVide:
		return function.Invalid("au", "periode_vide", "La fin doit suivre le début.", "The end must come after the start.")
	case tarif.TranchesDesordonnees:
		return function.Invalid("tranches", "tranches_desordonnees",
			"Les bornes doivent croître, et seule la dernière tranche n'en a pas.", "Bounds must grow, and only the last slab has none.")
	case tarif.Depassement:
		return function.Invalid("tranches", "depassement", "Le coût de 120 m³ est trop grand.", "The cost of 120 m³ is too large.")
	}
	return err
}

// definirRedevance adds a rate of an agence de l'eau.
func definirRedevance(ctx context.Context, tx *function.Tx, c message.DefinirRedevance) (message.Redevance, error) {
	if err := lockTarifs(ctx, tx); err != nil {
		return message.Redevance{}, err
	}
	if !c.Du.Before(c.Au) {
		return message.Redevance{}, invalidTariff(tarif.PeriodeVide)
	}
	regles, err := loadRegles(ctx, tx)
	if err != nil {
		return message.Redevance{}, err
	}
	if err := checkVAT(&message.DefinirGrille{Service: c.Service, Du: c.Du, Au: c.Au, TVAPM: c.TVAPM}, regles); err != nil {
		return message.Redevance{}, err
	}
	id := function.NewID()
	tag, err := tx.Exec(ctx, `insert into redevance (id, code, libelle, service, periode, taux_m3_ue, coefficient_pm, tva_pm, source, bassin)
		values ($1, $2, $3, $4, daterange($5, $6), $7, $8, $9, $10, $11) on conflict do nothing`,
		id, c.Code, c.Libelle, c.Service, c.Du, c.Au, c.TauxM3UE, c.CoefficientPM, c.TVAPM, c.Source, c.Bassin)
	if err != nil {
		return message.Redevance{}, err
	}
	if tag.RowsAffected() == 0 {
		return message.Redevance{}, function.Conflict("redevances_chevauchantes",
			"Cette redevance a déjà un taux sur une partie de ces dates dans ce bassin.", "This redevance has a rate in this basin already on part of these dates.")
	}
	return message.Redevance{ID: id, DefinirRedevance: c}, nil
}

// tarifs lists every tariff by service, commune, profile and date.
func tarifs(ctx context.Context, tx *function.Tx, _ message.Tarifs) (t message.TarifsEnVigueur, err error) {
	if t, err = loadTarifs(ctx, tx); err != nil {
		return t, err
	}
	if t.Grilles, err = selectGrilles(ctx, tx, "order by service desc, commune, profil, periode"); err != nil {
		return t, err
	}
	t.Regles, err = loadRegles(ctx, tx)
	return t, err
}

// loadTarifs reads what bills are priced by.
func loadTarifs(ctx context.Context, tx *function.Tx) (t message.TarifsEnVigueur, err error) {
	if t.Grilles, err = readGrilles(ctx, tx, "null::date", "order by service desc, commune, profil, periode"); err != nil {
		return t, err
	}
	rows, err := tx.Query(ctx, `select id, code, libelle, service, lower(periode), upper(periode), taux_m3_ue, coefficient_pm, tva_pm, source, bassin
		from redevance order by service desc, code, bassin, periode`)
	if err != nil {
		return t, err
	}
	t.Redevances, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (r message.Redevance, err error) {
		err = row.Scan(&r.ID, &r.Code, &r.Libelle, &r.Service, &r.Du, &r.Au, &r.TauxM3UE, &r.CoefficientPM, &r.TVAPM, &r.Source, &r.Bassin)
		return r, err
	})
	return t, err
}

// selectGrilles reads versions with the last day that each has billed.
func selectGrilles(ctx context.Context, tx *function.Tx, which string, args ...any) ([]message.Grille, error) {
	return readGrilles(ctx, tx, "facturee_jusqu_au(code, periode)", which, args...)
}

func readGrilles(ctx context.Context, tx *function.Tx, jusque, which string, args ...any) ([]message.Grille, error) {
	rows, err := tx.Query(ctx, `select id, code, service, lower(periode), upper(periode), part_fixe_an_ue, tranches, tva_pm, deliberation, rurale, touristique,
			commune, profil, degressivite, `+jusque+` from grille `+which, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (g message.Grille, err error) {
		err = row.Scan(&g.ID, &g.Code, &g.Service, &g.Du, &g.Au, &g.PartFixeAnUE, &g.Tranches, &g.TVAPM, &g.Deliberation, &g.Rurale, &g.Touristique,
			&g.Commune, &g.Profil, &g.Degressivite, &g.FactureeJusquAu)
		if err != nil {
			return g, err
		}
		priced := grilleTarif(g.DefinirGrille)
		controle, err := tarif.Controler(&priced, g.Rurale, g.Touristique)
		g.Facture120Centimes = cost120(controle)
		return g, err
	})
}

func loadRegles(ctx context.Context, tx *function.Tx) ([]message.RegleTarif, error) {
	rows, err := tx.Query(ctx, "select code, valeur, lower(periode), upper(periode), source from regle_tarif order by code, periode, valeur desc")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[message.RegleTarif])
}

// grilleTarif is a tariff as package tarif takes it.
func grilleTarif(g message.DefinirGrille) tarif.Grille {
	out := tarif.Grille{
		Code: g.Code, Service: tarif.Service(g.Service), Periode: periode(g.Du, g.Au),
		PartFixeAn: g.PartFixeAnUE, TVAPm: g.TVAPM,
	}
	for _, t := range g.Tranches {
		out.Tranches = append(out.Tranches, tarif.Tranche{JusquaM3: t.JusquaM3, PrixM3: t.PrixM3UE})
	}
	return out
}

func redevanceTarif(r message.DefinirRedevance) tarif.Redevance {
	return tarif.Redevance{
		Code: r.Code, Service: tarif.Service(r.Service), Periode: periode(r.Du, r.Au),
		TauxM3: r.TauxM3UE, CoefficientPm: r.CoefficientPM, TVAPm: r.TVAPM,
	}
}

func periode(du, au message.Date) tarif.Periode {
	return tarif.Periode{Du: tarif.DateOf(du.Time()), Au: tarif.DateOf(au.Time())}
}
