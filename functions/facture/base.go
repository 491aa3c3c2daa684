package main

import (
	"cmp"
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/functions/facture/tarif"
	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

const (
	an              = 365     // days of a year of a tariff
	typeLitres      = 120_000 // of the bill that services publish
	courbeMax, pasM = 300, 10 // m3 that a curve goes up to, and by
)

// prixGrilles prices volumes by versions of a tariff, and by a draft.
func prixGrilles(ctx context.Context, tx *function.Tx, q message.PrixGrilles) (out message.CourbesPrix, err error) {
	for _, id := range q.IDs {
		all, err := selectGrilles(ctx, tx, "where id = $1", id)
		if err != nil {
			return out, err
		}
		if len(all) == 0 {
			return out, function.NotFound("grille_inconnue", "Cette grille n'existe pas.", "There is no such tariff.")
		}
		c, err := courbe(all[0])
		if err != nil {
			return out, err
		}
		out.Courbes = append(out.Courbes, c)
	}
	if q.Projet != nil {
		controle, err := checkGrille(ctx, tx, q.Projet)
		if err != nil {
			return out, err
		}
		c, err := courbe(message.Grille{DefinirGrille: *q.Projet, Facture120Centimes: cost120(controle)})
		if err != nil {
			return out, err
		}
		out.Courbes = append(out.Courbes, c)
	}
	return out, nil
}

func courbe(g message.Grille) (message.CourbePrix, error) {
	c := message.CourbePrix{Grille: g}
	// The arithmetic of a service is that of the other: as water, it needs no second one.
	one := grilleTarif(g.DefinirGrille)
	one.Service = tarif.Eau
	for m3 := 0; m3 <= courbeMax; m3 += pasM {
		r, err := annee{grilles: annual([]tarif.Grille{one})}.prix(int64(m3)*1000, 1, false)
		if err != nil {
			return c, err
		}
		c.Points = append(c.Points, message.PointPrix{M3: m3, HTCentimes: r.HTCentimes, TTCCentimes: r.TTCCentimes})
	}
	return c, nil
}

// annee prices a year of 365 days by the tariffs and levies of one day.
type annee struct {
	grilles    []tarif.Grille
	redevances []tarif.Redevance
}

// premier is where a year that stands for any year begins.
const premier tarif.Date = 1

// annual has each tariff hold for that year.
func annual(grilles []tarif.Grille) []tarif.Grille {
	out := slices.Clone(grilles)
	for i := range out {
		out[i].Periode = tarif.Periode{Du: premier, Au: premier + an}
	}
	return out
}

// annee is what prices a year at a place, by the tariffs of a day.
func (b *bareme) annee(l place, day tarif.Date) annee {
	grilles, redevances := b.pour(l, tarif.Periode{Du: day, Au: day + 1}, day)
	a := annee{annual(grilles), slices.Clone(redevances)}
	for i := range a.redevances {
		a.redevances[i].Periode = tarif.Periode{Du: premier, Au: premier + an}
	}
	return a
}

func (a annee) prix(litres, logements int64, assainissement bool) (tarif.Resultat, error) {
	year := tarif.Periode{Du: premier, Au: premier + an}
	// An index has nine wheels: above a million m3, the m3 is the unit.
	unit := int64(1)
	if litres > 999_999_999 {
		unit = 1000
	}
	return tarif.Calculer(&tarif.Cas{
		DateFacturation: premier, Periode: year,
		PDL:     tarif.PDL{Logements: logements, Assainissement: assainissement},
		Poses:   []tarif.Pose{{Periode: year, Roues: 9, LitresParUnite: unit, IndexFin: litres / unit}},
		Grilles: a.grilles, Redevances: a.redevances,
	})
}

// chargerBareme reads every tariff, and the communes.
func chargerBareme(ctx context.Context, tx *function.Tx) (*bareme, message.TarifsEnVigueur, error) {
	t, err := loadTarifs(ctx, tx)
	if err != nil {
		return nil, t, err
	}
	bassins, err := loadBassins(ctx, tx)
	return newBareme(t, bassins), t, err
}

// facturesTypes prices 120 m3 in each commune, and where none is named.
func facturesTypes(ctx context.Context, tx *function.Tx, q message.FacturesTypes) (message.ListeFacturesTypes, error) {
	out := message.ListeFacturesTypes{Date: q.Date}
	b, _, err := chargerBareme(ctx, tx)
	if err != nil {
		return out, err
	}
	known, err := communes(ctx, tx, message.Communes{})
	if err != nil {
		return out, err
	}
	places := known.Communes
	if len(places) == 0 {
		places = []message.Commune{{}}
	}
	for _, c := range places {
		out.Factures = append(out.Factures, b.factureType(c, tarif.DateOf(q.Date.Time())))
	}
	return out, nil
}

func (b *bareme) factureType(c message.Commune, day tarif.Date) message.FactureType {
	f := message.FactureType{CodeINSEE: c.CodeINSEE, Nom: c.Nom}
	a := b.annee(place{commune: c.CodeINSEE}, day)
	r, err := a.prix(typeLitres, 1, false)
	if err != nil {
		f.Manque = string(tarif.GrilleManquante)
		return f
	}
	f.EauTTCCentimes = r.TTCCentimes
	if whole, err := a.prix(typeLitres, 1, true); err == nil {
		r = whole
		f.AssainissementTTCCentimes = r.TTCCentimes - f.EauTTCCentimes
	}
	total := newRecettes()
	total.add(&r)
	sums := total.message()
	f.Rubriques, f.HTCentimes, f.TVACentimes, f.TTCCentimes = sums.Rubriques, sums.HTCentimes, sums.TVACentimes, sums.TTCCentimes
	return f
}

// recettes adds up bills.
type recettes struct {
	rubriques    map[tarif.Rubrique]int64
	ht, tva, ttc int64
}

func newRecettes() *recettes { return &recettes{rubriques: map[tarif.Rubrique]int64{}} }

func (s *recettes) add(r *tarif.Resultat) {
	for i := range r.Lignes {
		s.rubriques[r.Lignes[i].Rubrique] += r.Lignes[i].HTCentimes
	}
	s.ht += r.HTCentimes
	s.tva += r.TVACentimes
	s.ttc += r.TTCCentimes
}

func (s *recettes) message() message.Recettes {
	out := message.Recettes{HTCentimes: s.ht, TVACentimes: s.tva, TTCCentimes: s.ttc}
	for _, r := range []tarif.Rubrique{tarif.Distribution, tarif.EauxUsees, tarif.OrganismesPublics} {
		out.Rubriques = append(out.Rubriques, message.Rubrique{Code: string(r), HTCentimes: s.rubriques[r]})
	}
	return out
}

// consommations streams what each contract takes in a year: the index read
// last less those of the thirteen months before, for 365 days. A contract
// without a month of readings has none.
const consommations = `
	with point as (
		select contrat_id, pose_id, date, index from releve r
		where date > $1::date - 800 and not exists (select from remplacement where releve_id = r.id)
		union all select contrat_id, id, du, index_debut from pose where du > $1::date - 800
		union all select contrat_id, id, au, index_fin from pose where au > $1::date - 800
	), troncon as (
		select p.contrat_id, p.date, lag(p.date) over w as du, max(p.date) over (partition by p.contrat_id) as fin,
			(p.index - lag(p.index) over w + s.taille) % s.taille * s.litres_par_unite as litres
		from point p
		join (select id, litres_par_unite, (10 ^ roues)::bigint as taille from pose) s on s.id = p.pose_id
		where p.date <= $1
		window w as (partition by p.pose_id order by p.date, p.index)
	), annee as (
		select contrat_id, sum(litres)::bigint as litres, sum(date - du) as jours
		from troncon where du > fin - 395 and date > du group by 1 having sum(date - du) >= 30
	)
	select c.numero, c.code_insee, c.profil, coalesce(a.profil, ''), c.logements, c.assainissement, coalesce(round(v.litres * 365.0 / v.jours), -1)::bigint
	from contrat c
	left join annee v on v.contrat_id = c.id
	left join profil_accorde a on a.contrat_id = c.id and a.periode @> $1::date`

// simulerBase prices a year of every contract before and after the drafts.
func simulerBase(ctx context.Context, tx *function.Tx, q message.SimulerBase) (message.BaseSimulee, error) {
	for i := range q.Projets {
		if _, err := checkGrille(ctx, tx, &q.Projets[i]); err != nil {
			return message.BaseSimulee{}, err
		}
	}
	avant, _, err := chargerBareme(ctx, tx)
	if err != nil {
		return message.BaseSimulee{}, err
	}
	known, err := communes(ctx, tx, message.Communes{})
	if err != nil {
		return message.BaseSimulee{}, err
	}
	day := tarif.DateOf(q.Date.Time())
	s := newEcarts(avant, avant.avec(q.Projets, day), day, known.Communes)
	rows, err := tx.Query(ctx, consommations, q.Date)
	if err != nil {
		return message.BaseSimulee{}, err
	}
	var c anneeDe
	if _, err := pgx.ForEachRow(rows, []any{&c.numero, &c.commune, &c.profil, &c.accorde, &c.logements, &c.assainissement, &c.litres}, func() error {
		s.add(&c)
		return nil
	}); err != nil {
		return message.BaseSimulee{}, err
	}
	return s.message(), nil
}

// avec is the bareme with drafts, on a day, in place of the versions of their chain.
func (b *bareme) avec(projets []message.DefinirGrille, day tarif.Date) *bareme {
	out := &bareme{redevances: b.redevances, bassins: b.bassins, grilles: slices.Clone(b.grilles)}
	for _, p := range projets {
		out.grilles = slices.DeleteFunc(out.grilles, func(g grilleDe) bool {
			return string(g.Service) == p.Service && g.commune == p.Commune && g.profil == p.Profil
		})
	}
	for _, p := range projets {
		g := grilleDe{p.Commune, p.Profil, grilleTarif(p)}
		g.Periode = tarif.Periode{Du: day, Au: day + 1}
		out.grilles = append(out.grilles, g)
	}
	return out
}

// anneeDe is a contract and its year; litres is below zero when unknown.
type anneeDe struct {
	numero, commune, profil, accorde string
	logements, litres                int64
	assainissement                   bool
}

// ecarts compares two baremes over contracts.
type ecarts struct {
	avant, apres *bareme
	day          tarif.Date
	communes     map[string]*message.EcartCommune
	annees       map[[3]string]*[2]annee
	sum          [2]*recettes
	out          message.BaseSimulee
}

// bornes of the classes of what changes in a year, centimes: more is paid above zero.
var bornes = []int64{-20_000, -10_000, -5_000, -2_000, -500, 0, 1, 501, 2_001, 5_001, 10_001, 20_001}

func newEcarts(avant, apres *bareme, day tarif.Date, known []message.Commune) *ecarts {
	s := &ecarts{avant: avant, apres: apres, day: day, communes: map[string]*message.EcartCommune{}, annees: map[[3]string]*[2]annee{}}
	s.sum = [2]*recettes{newRecettes(), newRecettes()}
	for _, c := range known {
		s.communes[c.CodeINSEE] = &message.EcartCommune{CodeINSEE: c.CodeINSEE, Nom: c.Nom}
	}
	for i := range len(bornes) + 1 {
		var class message.ClasseEcart
		if i > 0 {
			class.De = &bornes[i-1]
		}
		if i < len(bornes) {
			class.A = &bornes[i]
		}
		s.out.Histogramme = append(s.out.Histogramme, class)
	}
	return s
}

// years are what price a contract before and after.
func (s *ecarts) years(c *anneeDe) *[2]annee {
	key := [3]string{c.commune, c.profil, c.accorde}
	y := s.annees[key]
	if y == nil {
		l := place{commune: c.commune, profil: c.profil}
		if c.accorde != "" {
			l.accordes = []accorde{{c.accorde, tarif.Periode{Du: s.day, Au: s.day + 1}}}
		}
		y = &[2]annee{s.avant.annee(l, s.day), s.apres.annee(l, s.day)}
		s.annees[key] = y
	}
	return y
}

func (s *ecarts) add(c *anneeDe) {
	if c.litres < 0 {
		s.out.SansHistorique++
		return
	}
	years := s.years(c)
	var bills [2]tarif.Resultat
	for i, y := range years {
		var err error
		if bills[i], err = y.prix(c.litres, c.logements, c.assainissement); err != nil {
			s.out.SansTarif++
			return
		}
	}
	s.out.Contrats++
	s.out.VolumeLitres += c.litres
	for i := range bills {
		s.sum[i].add(&bills[i])
	}
	before, after := bills[0].TTCCentimes, bills[1].TTCCentimes
	switch {
	case after < before:
		s.out.Gagnants++
	case after > before:
		s.out.Perdants++
	}
	class, exact := slices.BinarySearch(bornes, after-before)
	if exact {
		class++
	}
	s.out.Histogramme[class].Contrats++
	k := s.communes[c.commune]
	if k == nil {
		k = &message.EcartCommune{CodeINSEE: c.commune}
		s.communes[c.commune] = k
	}
	k.Contrats++
	k.AvantTTCCentimes += before
	k.ApresTTCCentimes += after
	s.worst(message.EcartContrat{Numero: c.numero, VolumeLitres: c.litres, AvantTTCCentimes: before, ApresTTCCentimes: after})
}

// plusForts is how many contracts are named.
const plusForts = 10

// worst keeps the contracts that would pay most more, the most first.
func (s *ecarts) worst(e message.EcartContrat) {
	more := func(e message.EcartContrat) int64 { return e.ApresTTCCentimes - e.AvantTTCCentimes }
	top := s.out.PlusFortsEcarts
	if more(e) <= 0 || len(top) == plusForts && more(top[plusForts-1]) >= more(e) {
		return
	}
	at, _ := slices.BinarySearchFunc(top, e, func(a, b message.EcartContrat) int {
		return cmp.Or(cmp.Compare(more(b), more(a)), cmp.Compare(a.Numero, b.Numero))
	})
	top = slices.Insert(top, at, e)
	s.out.PlusFortsEcarts = top[:min(len(top), plusForts)]
}

func (s *ecarts) message() message.BaseSimulee {
	s.out.Avant, s.out.Apres = s.sum[0].message(), s.sum[1].message()
	for _, k := range s.communes {
		c := message.Commune{DefinirCommune: message.DefinirCommune{CodeINSEE: k.CodeINSEE}}
		k.Avant120Centimes = s.avant.factureType(c, s.day).TTCCentimes
		k.Apres120Centimes = s.apres.factureType(c, s.day).TTCCentimes
		s.out.Communes = append(s.out.Communes, *k)
	}
	slices.SortFunc(s.out.Communes, func(a, b message.EcartCommune) int {
		return cmp.Or(cmp.Compare(b.Contrats, a.Contrats), cmp.Compare(a.CodeINSEE, b.CodeINSEE))
	})
	return s.out
}
