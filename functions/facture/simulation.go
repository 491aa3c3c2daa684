package main

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/functions/facture/tarif"
	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// simulerFacture prices a volume for a contract or a place that is described,
// by the pass that prices bills, and stores nothing. An abonne asks for a
// contract of their own.
func simulerFacture(ctx context.Context, tx *function.Tx, q message.SimulerFacture) (s message.SimulationFacture, err error) {
	switch days := q.Au.DaysSince(q.Du); {
	case days <= 0:
		return s, function.Invalid("au", "periode_vide", "La fin doit suivre le début.", "The end must come after the start.")
	case days > 731:
		return s, function.Invalid("au", "periode_longue", "Une période couvre deux ans au plus.", "A period covers at most two years.")
	}
	chez, err := loadLieu(ctx, tx, q)
	if err != nil {
		return s, err
	}
	t, err := loadTarifs(ctx, tx)
	if err != nil {
		return s, err
	}
	bassins, err := loadBassins(ctx, tx)
	if err != nil {
		return s, err
	}
	b := newBareme(t, bassins)
	if q.Facturation.IsZero() {
		q.Facturation = tx.Today()
	}
	c := quantite(chez, periode(q.Du, q.Au), q.VolumeLitres)
	c.DateFacturation = tarif.DateOf(q.Facturation.Time())
	c.Grilles, c.Redevances = b.pour(chez.place, c.Periode, c.DateFacturation)
	o := origine{Poses: []origineDePose{{Points: []origineDePoint{{Source: "ESTIMATION"}, {Source: "ESTIMATION"}}}}}
	o.tarifs(&c, t, bassins[chez.commune])
	f, err := tarifer(&c, &o)
	if err != nil {
		return s, sansTarif(err)
	}
	reference, err := tarif.Calculer(cent20(chez, &c, b))
	if err != nil {
		return s, sansTarif(err)
	}
	s = message.SimulationFacture{
		Logements: chez.logements, Jours: q.Au.DaysSince(q.Du), VolumeLitres: q.VolumeLitres, DateFacturation: q.Facturation,
		Reference: reference.TTCCentimes, ReferenceM3: quotient(reference.TTCCentimes, 120),
		Explication: explication(&c, &o, f),
	}
	s.MensuelCentimes = quotient(s.TTCCentimes*365, int64(s.Jours)*12)
	if q.VolumeLitres > 0 {
		s.M3Centimes = quotient(s.TTCCentimes*1000, q.VolumeLitres)
	}
	s.Troncons[0].Texte = phrase(func(l langue) string {
		return l.pick("Volume simulé : ", "Volume simulated: ") + l.m3(q.VolumeLitres) + "."
	})
	s.Resume[0] = phrase(func(l langue) string {
		return l.pick("Simulation : rien n'est enregistré, et personne n'a à la payer.", "A simulation: nothing is stored, and nobody has to pay it.")
	})
	return s, nil
}

// loadLieu is where a simulated bill would go.
func loadLieu(ctx context.Context, tx *function.Tx, q message.SimulerFacture) (chez contrat, err error) {
	chez = contrat{logements: 1, assainissement: q.Assainissement, habitation: true, place: place{commune: q.CodeINSEE, profil: q.Profil}}
	if who := tx.Identity(); q.ContratID == "" && who.AbonneID != "" {
		return chez, function.Invalid("contrat_id", "contrat_requis", "Choisissez l'un de vos contrats.", "Choose one of your contracts.")
	}
	if q.ContratID != "" {
		dossiers, err := loadDossiers(ctx, tx, []string{q.ContratID})
		if err != nil {
			return chez, err
		}
		var abonne string
		err = tx.QueryRow(ctx, "select abonne_id from contrat where id = $1", q.ContratID).Scan(&abonne)
		if errors.Is(err, pgx.ErrNoRows) || err == nil && !tx.Identity().Owns(abonne) {
			return chez, contratInconnu()
		}
		if err != nil {
			return chez, err
		}
		chez = dossiers[0].contrat
	}
	if q.Logements > 0 {
		chez.logements = q.Logements
	}
	return chez, nil
}

// quantite is the case of a volume over a period, without tariffs.
func quantite(chez contrat, p tarif.Periode, litres int64) tarif.Cas {
	return tarif.Cas{
		Periode: p, PDL: tarif.PDL{Logements: int64(chez.logements), Assainissement: chez.assainissement, Habitation: chez.habitation},
		Poses: []tarif.Pose{{Periode: p, Roues: 9, LitresParUnite: 1, IndexFin: litres}},
	}
}

// cent20 is the case that services are compared by: 120 m3 in 365 days, one
// dwelling, all by the tariffs of the first day of another case.
func cent20(chez contrat, like *tarif.Cas, b *bareme) *tarif.Cas {
	chez.logements = 1
	year := tarif.Periode{Du: like.Periode.Du, Au: like.Periode.Du + 365}
	c := quantite(chez, year, 120_000)
	c.DateFacturation = like.DateFacturation
	c.Grilles, c.Redevances = b.pour(chez.place, tarif.Periode{Du: year.Du, Au: year.Du + 1}, c.DateFacturation)
	for i := range c.Grilles {
		c.Grilles[i].Periode = year
	}
	return &c
}

// quotient rounds half away from zero; y is above zero.
func quotient(x, y int64) int64 {
	if x < 0 {
		return -quotient(-x, y)
	}
	return (x + y/2) / y
}

// sansTarif words why a simulation has no price.
func sansTarif(err error) error {
	if errors.Is(err, tarif.GrilleManquante) {
		return function.Refused("grille_manquante",
			"Aucune grille ne couvre toute cette période : rapprochez les dates, ou définissez les tarifs.", "No tariff covers the whole period: choose other dates, or define the tariffs.")
	}
	_, fr, en := reason(err)
	return function.Refused("simulation_impossible", fr, en)
}
