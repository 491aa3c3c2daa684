package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"aquaerp.fr/functions/facture/tarif"
	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

// All published tariffs price, can be imported, and then give the bill of
// their sheet; a printed bill is at most half an euro away.
func TestPublishedExamples(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	staff := functiontest.Staff()
	list := functiontest.MustAsk(t, b.Function, staff, message.Exemples{}).Exemples
	printed := 0
	for i, e := range list {
		for _, f := range e.Publiees {
			printed++
			if gap := f.CalculeeCentimes - f.PublieeCentimes; gap < -50 || gap > 50 || gap != 0 && e.Raison == "" {
				t.Errorf("%s, %d m3: %d centimes from the printed bill, because %q", e.Code, f.M3, gap, e.Raison)
			}
		}
		insee := fmt.Sprintf("330%02d", i)
		functiontest.MustAsk(t, b.Function, staff, message.DefinirCommune{CodeINSEE: insee, Nom: e.Code, Bassin: "basin " + strconv.Itoa(i), Rurale: true})
		got := functiontest.MustAsk(t, b.Function, staff, message.ImporterExemple{Code: e.Code, Commune: insee})
		if len(got.Grilles) != len(e.Grilles) || len(got.Redevances) != len(e.Redevances) {
			t.Errorf("%s: imported %+v", e.Code, got)
		}
		// The setup has a tariff of its own for sewers from 2025 on.
		types := functiontest.MustAsk(t, b.Function, staff, message.FacturesTypes{Date: e.Grilles[0].Du})
		at := slices.IndexFunc(types.Factures, func(f message.FactureType) bool { return f.CodeINSEE == insee })
		f := types.Factures[at]
		ttc := f.TTCCentimes
		if e.Code == "smeapn-guercheville-2026" {
			// The setup's rate of everywhere yields to that of the basin.
			if f.Rubriques[2].HTCentimes != 4080+826+1132+1447 {
				t.Errorf("redevances: %+v", f.Rubriques)
			}
		}
		if ttc != e.TTCCentimes || f.EauTTCCentimes+f.AssainissementTTCCentimes != ttc || f.HTCentimes+f.TVACentimes != ttc {
			t.Errorf("%s: %+v, want %d", e.Code, f, e.TTCCentimes)
		}
	}
	if len(list) != 11 || printed != 7 {
		t.Errorf("%d examples, %d printed bills", len(list), printed)
	}
	if code, _, _ := refuses(t, b, message.ImporterExemple{Code: list[0].Code, Commune: "33000"}); code != "code_pris" {
		t.Errorf("imported twice: %q", code)
	}
	if code, _, _ := refuses(t, b, message.ImporterExemple{Code: "atlantide", Commune: "33000"}); code != "exemple_inconnu" {
		t.Errorf("unknown: %q", code)
	}
}

func TestPricesByVolume(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	eau := functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.Tarifs{}).Grilles[0]
	projet := eau2027()
	projet.Tranches = slabs(30, 500_000, 100, 1_000_000, 2_000_000)
	got := functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.PrixGrilles{IDs: []string{eau.ID}, Projet: &projet}).Courbes
	if len(got) != 2 || len(got[0].Points) != 31 {
		t.Fatalf("got %+v", got)
	}
	for m3, want := range map[int][2]int64{0: {1500, 2000}, 30: {6510, 3500}, 60: {11520, 6500}, 120: {21540, 14500}, 200: {34900, 30500}} {
		for i := range want {
			if p := got[i].Points[m3/10]; p.M3 != m3 || p.HTCentimes != want[i] || p.TTCCentimes != want[i]+(want[i]*55+500)/1000 {
				t.Errorf("%d m3: %+v, want %d", m3, p, want[i])
			}
		}
	}
	for _, c := range got {
		for i := 1; i < len(c.Points); i++ {
			if c.Points[i].TTCCentimes < c.Points[i-1].TTCCentimes {
				t.Errorf("%s: %+v costs less than %+v", c.Grille.Code, c.Points[i], c.Points[i-1])
			}
		}
	}
	projet.PartFixeAnUE = 200_000_000
	if code, _, _ := refuses(t, b, message.PrixGrilles{Projet: &projet}); code != "part_fixe_excessive" {
		t.Errorf("a draft that breaks the law: %q", code)
	}
}

func TestWhatIfOverTheBase(t *testing.T) {
	t.Parallel()
	b := setup(t, 4)
	staff := functiontest.Staff()
	// The last of them moved in the other day: no month of readings.
	d := contract(9)
	d.Pose.Du = jour("2026-10-20")
	b.deliver(t, "contrat", d.ContratID, d)
	// One has twice the dwellings and no sewer, one more readings, one a wheel that turned over.
	b.contrats[1].Version++
	b.contrats[1].PDL.Logements, b.contrats[1].PDL.Assainissement = 2, false
	b.deliver(t, "contrat", b.contrats[1].ContratID, b.contrats[1])
	b.read(t, b.contrats[2], jour("2026-07-01"), 160, true)
	b.read(t, b.contrats[3], jour("2026-10-10"), 99_990, false) // nobody reads this as a leak: it is what the meter says

	projet := eau2027()
	projet.Tranches = slabs(50, 1_000_000, 3_000_000)
	got := functiontest.MustAsk(t, b.Function, staff, message.SimulerBase{Date: jour("2026-11-23"), Projets: []message.DefinirGrille{projet}})
	if got.Contrats != 4 || got.SansHistorique != 1 || got.SansTarif != 0 {
		t.Fatalf("got %+v", got)
	}
	// 60 m3 in 183 days are 119,672 m3 in a year; of the readings of spring 2025 nothing is known.
	const usual = 119_672
	last := int64(99_990-130)*1000*365/192 + 1
	if d := got.VolumeLitres - 3*usual - last; d < -1 || d > 1 {
		t.Errorf("a year: %d litres, want %d", got.VolumeLitres, 3*usual+last)
	}
	want := func(litres, logements int64, sewer bool, g message.DefinirGrille) int64 {
		eau := grilleTarif(g)
		eu := tarif.Grille{Code: "eu", Service: tarif.Assainissement, PartFixeAn: 15_000_000, Tranches: []tarif.Tranche{{PrixM3: 1_860_000}}, TVAPm: 100}
		eau.Periode = tarif.Periode{Du: 1, Au: 366}
		eu.Periode = eau.Periode
		r, err := tarif.Calculer(&tarif.Cas{DateFacturation: 1, Periode: eau.Periode, PDL: tarif.PDL{Logements: logements, Assainissement: sewer},
			Poses: []tarif.Pose{{Periode: eau.Periode, Roues: 9, LitresParUnite: 1, IndexFin: litres}}, Grilles: []tarif.Grille{eau, eu},
			Redevances: []tarif.Redevance{{Code: "c", Service: tarif.Eau, Periode: eau.Periode, TauxM3: 340_000, CoefficientPm: 1000, TVAPm: 55}}})
		if err != nil {
			t.Fatal(err)
		}
		return r.TTCCentimes
	}
	before := message.DefinirGrille{Code: "eau", Service: "eau", Du: avril, Au: octobre, PartFixeAnUE: 15_000_000, Tranches: []message.Tranche{{PrixM3UE: 1_670_000}}, TVAPM: 55}
	litres := got.VolumeLitres - 3*usual
	for name, c := range map[string]struct {
		got  int64
		with message.DefinirGrille
	}{"before": {got.Avant.TTCCentimes, before}, "after": {got.Apres.TTCCentimes, projet}} {
		if w := 2*want(usual, 1, true, c.with) + want(usual, 2, false, c.with) + want(litres, 1, true, c.with); c.got != w {
			t.Errorf("%s: %d, want %d", name, c.got, w)
		}
	}
	for _, r := range []message.Recettes{got.Avant, got.Apres} {
		if sum := r.Rubriques[0].HTCentimes + r.Rubriques[1].HTCentimes + r.Rubriques[2].HTCentimes; sum != r.HTCentimes || r.HTCentimes+r.TVACentimes != r.TTCCentimes {
			t.Errorf("got %+v", r)
		}
	}
	// 119,672 m3 cost 214,85 before; 50 at 1 EUR and 69,672 at 3 EUR cost 279,02. Two dwellings have twice the first slab: less.
	if got.Perdants != 3 || got.Gagnants != 1 || len(got.PlusFortsEcarts) != 3 || got.PlusFortsEcarts[0].Numero != b.contrats[3].Numero {
		t.Errorf("%d lose, %d win: %+v", got.Perdants, got.Gagnants, got.PlusFortsEcarts)
	}
	n := 0
	for i, c := range got.Histogramme {
		n += c.Contrats
		if i > 0 && *c.De != *got.Histogramme[i-1].A {
			t.Errorf("classes %+v", got.Histogramme)
		}
	}
	if first, top := got.Histogramme[0], got.Histogramme[len(got.Histogramme)-1]; n != 4 || first.De != nil || top.A != nil || top.Contrats != 1 {
		t.Errorf("classes %+v", got.Histogramme)
	}
	if k := got.Communes[0]; len(got.Communes) != 1 || k.Contrats != 4 || k.AvantTTCCentimes != got.Avant.TTCCentimes ||
		k.Avant120Centimes != want(120_000, 1, true, before) || k.Apres120Centimes != want(120_000, 1, true, projet) {
		t.Errorf("communes %+v", got.Communes)
	}
	if n := b.Count(t, "select count(*) from grille"); n != 2 {
		t.Errorf("%d tariffs: a what-if stores none", n)
	}
}

// The rate of a what-if over 100 000 contracts: AQUAERP_BASE=100000 go test -run ABigBase -v
func TestWhatIfOverABigBase(t *testing.T) {
	n, err := strconv.Atoi(os.Getenv("AQUAERP_BASE"))
	if err != nil {
		n = 2_000
	}
	b := setup(t, 0)
	if _, err := b.DB.Exec(t.Context(), fmt.Sprintf(`
		insert into contrat (id, numero, version, abonne_id, nom, adresse, pdl, lieu, logements, assainissement, habitation, mode_paiement, depuis, code_insee, profil)
		select md5('c' || i)::uuid, 'C' || i, 1, md5('a' || i)::uuid, 'Nom', '{}', 'P' || i, 'x', 1, i %% 3 > 0, true, 'VIREMENT', '2020-01-01', (77000 + i %% 40)::text, 'INDIVIDUEL'
		from generate_series(1, %[1]d) i;
		insert into pose (id, contrat_id, serie, roues, litres_par_unite, du, index_debut)
		select md5('p' || i)::uuid, md5('c' || i)::uuid, 'S' || i, 5, 1000, '2020-01-01', 0 from generate_series(1, %[1]d) i;
		insert into releve (id, contrat_id, pose_id, date, index, estimee)
		select md5('r' || i || '/' || k)::uuid, md5('c' || i)::uuid, md5('p' || i)::uuid, date '2023-10-01' + k * 183, k * (20 + i %% 100), false
		from generate_series(1, %[1]d) i, generate_series(0, 6) k;
		analyze`, n)); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	got := functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.SimulerBase{Date: jour("2026-11-23"), Projets: []message.DefinirGrille{eau2027()}})
	t.Logf("%d contracts in %v", n, time.Since(start).Round(time.Millisecond))
	if got.Contrats != n || got.Gagnants != n {
		t.Errorf("%d of %d, %d win", got.Contrats, n, got.Gagnants)
	}
}

func TestIndicators(t *testing.T) {
	t.Parallel()
	b := setup(t, 3)
	staff := functiontest.Staff()
	year := [2]message.Date{jour("2024-01-01"), jour("2025-01-01")}
	for _, g := range functiontest.MustAsk(t, b.Function, staff, message.Tarifs{}).Grilles {
		g.Code, g.Du, g.Au = g.Code+"-2024", year[0], year[1]
		b.defines(t, g.DefinirGrille)
	}
	functiontest.MustAsk(t, b.Function, staff, message.DefinirRedevance{Code: "consommation", Libelle: "Consommation d'eau potable", Service: "eau",
		Du: year[0], Au: year[1], TauxM3UE: 340_000, CoefficientPM: 1000, TVAPM: 55, Source: "agence"})
	// Bills of October 2024, 266,20 each, due in November: one paid in December, one after the end of 2025, one never.
	for _, c := range b.contrats {
		b.read(t, c, jour("2024-04-01"), 40, false)
		b.read(t, c, jour("2024-10-01"), 100, false)
	}
	b.issue(t, lotOf(jour("2024-04-01"), jour("2024-10-01"), jour("2024-10-15")))
	before := functiontest.MustAsk(t, b.Function, staff, message.Indicateurs{Annee: 2024})
	if m := before.Mois[9]; m.Mois != "2024-10" || m.FactureCentimes != 3*26620 || m.EchuCentimes != 0 {
		t.Errorf("got %+v", m)
	}
	if m := before.Mois[10]; m.FactureCentimes != 0 || m.EchuCentimes != 3*26620 {
		t.Errorf("got %+v", m)
	}
	if before.Impayes[0].TauxPDM != nil {
		t.Errorf("nothing was billed in 2023: %+v", before.Impayes)
	}
	pay := func(c message.ContratActive, day string, centimes int64) {
		functiontest.MustAsk(t, b.Function, staff, message.EnregistrerPaiement{AbonneID: c.Abonne.ID, Mode: "VIREMENT", MontantCentimes: centimes, RecuLe: jour(day)})
	}
	pay(b.contrats[0], "2024-12-10", 26620)
	pay(b.contrats[1], "2025-12-31", 10000)
	pay(b.contrats[1], "2026-01-01", 16620)
	got := functiontest.MustAsk(t, b.Function, staff, message.Indicateurs{Annee: 2025})
	// Of the HT without redevances, 107,72 is water and 119,12 sewers.
	water := func(n int64) int64 { return (n*10772 + (10772+11912)/2) / (10772 + 11912) }
	unpaid := water(26620) + water(16620)
	if i := got.Impayes[0]; i.Code != "P154.0" || i.FactureCentimes != 3*water(26620) || i.ImpayeCentimes != unpaid || *i.TauxPDM != (unpaid*10_000+i.FactureCentimes/2)/i.FactureCentimes {
		t.Errorf("got %+v, want %d of %d", i, unpaid, 3*water(26620))
	}
	if i := got.Impayes[1]; i.Code != "P257.0" || i.FactureCentimes+got.Impayes[0].FactureCentimes != 3*26620 || i.ImpayeCentimes+unpaid != 26620+16620 {
		t.Errorf("got %+v", i)
	}
	if m := functiontest.MustAsk(t, b.Function, staff, message.Indicateurs{Annee: 2024}).Mois; m[11].EncaisseCentimes != 26620 || m[11].EchuCentimes != 2*26620 || m[10].EchuCentimes != 3*26620 {
		t.Errorf("got %+v", m)
	}
	for _, d := range got.Definitions {
		if d.Source == "" || d.Formule == "" {
			t.Errorf("%s has no source", d.Code)
		}
	}
	// On 1 January 2027 no tariff prices 120 m3 yet.
	if late := functiontest.MustAsk(t, b.Function, staff, message.Indicateurs{Annee: 2026}); len(late.Prix) != 0 {
		t.Errorf("got %+v", late.Prix)
	}
	prices := got.Prix
	if len(prices) != 2 || prices[0].Code != "D102.0" || prices[0].FactureCentimes != 27029 || prices[0].PrixM3UE != 2_252_417 {
		t.Errorf("got %+v", prices)
	}
}
