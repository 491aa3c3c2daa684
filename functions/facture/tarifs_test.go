package main

import (
	"strings"
	"testing"

	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

func jour(s string) message.Date {
	d, err := message.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// eau2027 follows the version of setup without a hole.
func eau2027() message.DefinirGrille {
	return message.DefinirGrille{Code: "eau-2027", Service: "eau", Du: jour("2027-01-01"), Au: jour("2028-01-01"), PartFixeAnUE: 20_000_000,
		Tranches: []message.Tranche{{PrixM3UE: 1_000_000}}, TVAPM: 55, Deliberation: "2026-12"}
}

func slabs(pairs ...int64) (out []message.Tranche) {
	for i := 0; i+1 < len(pairs); i += 2 {
		out = append(out, message.Tranche{JusquaM3: &pairs[i], PrixM3UE: pairs[i+1]})
	}
	return append(out, message.Tranche{PrixM3UE: pairs[len(pairs)-1]})
}

func (b *bundle) defines(t *testing.T, g message.DefinirGrille) message.Grille {
	t.Helper()
	return functiontest.MustAsk(t, b.Function, functiontest.Staff(), g)
}

// refuses asks and returns the code of the refusal, the fields it names and its sentence.
func refuses[R any](t *testing.T, b *bundle, request message.Request[R]) (code, fields, detail string) {
	t.Helper()
	_, err := functiontest.Ask(t, b.Function, functiontest.Staff(), request)
	if err == nil {
		t.Errorf("%+v: accepted", request)
		return "", "", ""
	}
	p, ok := err.(*message.Problem)
	if !ok {
		t.Fatal(err)
	}
	for _, f := range p.Errors {
		fields += f.Field
	}
	return p.Code, fields, p.Detail
}

func TestTariffsThatBreakTheLaw(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	last := int64(30)
	for name, c := range map[string]struct {
		change             func(*message.DefinirGrille)
		code, field, names string
	}{
		"fixed part":     {func(g *message.DefinirGrille) { g.PartFixeAnUE = 60_000_000 }, "part_fixe_excessive", "part_fixe_an_ue", "30 %"},
		"rural":          {func(g *message.DefinirGrille) { g.PartFixeAnUE = 90_000_000; g.Rurale = true }, "part_fixe_excessive", "part_fixe_an_ue", "40 %"},
		"empty":          {func(g *message.DefinirGrille) { g.Au = g.Du }, "periode_vide", "au", ""},
		"overlap":        {func(g *message.DefinirGrille) { g.Du = jour("2026-06-01") }, "grilles_chevauchantes", "du", "« eau » (du 01/01/2025 au 31/12/2026)"},
		"overlap before": {func(g *message.DefinirGrille) { g.Du, g.Au = jour("2024-01-01"), jour("2025-01-02") }, "grilles_chevauchantes", "au", "« eau »"},
		"hole after":     {func(g *message.DefinirGrille) { g.Du = jour("2027-01-02") }, "trou", "du", "Du 01/01/2027 au 01/01/2027"},
		"hole before":    {func(g *message.DefinirGrille) { g.Du, g.Au = jour("2023-01-01"), jour("2024-01-01") }, "trou", "au", "« eau »"},
		"same code":      {func(g *message.DefinirGrille) { g.Code = "eau" }, "code_pris", "code", "eau"},
		"last bound":     {func(g *message.DefinirGrille) { g.Tranches = []message.Tranche{{JusquaM3: &last, PrixM3UE: 1}} }, "tranches_desordonnees", "tranches", ""},
		"bounds":         {func(g *message.DefinirGrille) { g.Tranches = slabs(30, 1, 30, 2, 3) }, "tranches_desordonnees", "tranches", ""},
		"degressive":     {func(g *message.DefinirGrille) { g.Tranches = slabs(30, 1_000_000, 60, 1_200_000, 1_100_000) }, "tranches_degressives", "tranches[2].prix_m3_ue", "L2224-12-4"},
		"negative":       {func(g *message.DefinirGrille) { g.PartFixeAnUE = -1 }, "champs_invalides", "part_fixe_an_ue", ""},
		"negative price": {func(g *message.DefinirGrille) { g.Tranches = []message.Tranche{{PrixM3UE: -1}} }, "champs_invalides", "tranches[0].prix_m3_ue", ""},
		"no slab":        {func(g *message.DefinirGrille) { g.Tranches = nil }, "champs_invalides", "tranches", ""},
		"other service":  {func(g *message.DefinirGrille) { g.Service = "gaz" }, "champs_invalides", "service", ""},
		"VAT":            {func(g *message.DefinirGrille) { g.TVAPM = 200 }, "tva_inconnue", "tva_pm", "5,5 %, 0 %"},
		"VAT of sewers":  {func(g *message.DefinirGrille) { g.TVAPM = 100 }, "tva_inconnue", "tva_pm", "5,5 %"},
		"commune":        {func(g *message.DefinirGrille) { g.Commune = "77223" }, "commune_inconnue", "commune", "77223"},
		"profile":        {func(g *message.DefinirGrille) { g.Profil = "AMI" }, "champs_invalides", "profil", ""},
	} {
		g := eau2027()
		c.change(&g)
		code, field, detail := refuses(t, b, g)
		if code != c.code || field != c.field || !strings.Contains(detail, c.names) {
			t.Errorf("%s: %q at %q: %s; want %q at %q with %q", name, code, field, detail, c.code, c.field, c.names)
		}
	}
	if got := functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.Tarifs{}); len(got.Grilles) != 2 || len(got.Redevances) != 1 || len(got.Regles) != 9 {
		t.Errorf("got %+v", got)
	}
}

// What was law when a version began is not the law of another year.
func TestDatedRules(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	g := eau2027()
	g.Du, g.Au, g.Profil = jour("2008-01-01"), jour("2009-01-01"), "AGRICOLE"
	g.PartFixeAnUE = 60_000_000 // a third of the cost of 120 m3
	g.Tranches = slabs(60, 1_000_000, 999_999)
	b.defines(t, g)

	g.Code, g.Du, g.Au = "b", jour("2009-01-01"), jour("2010-06-01")
	if code, _, detail := refuses(t, b, g); code != "tranches_degressives" {
		t.Errorf("slabs of 2010: %q %s", code, detail)
	}
	g.Degressivite = "82 % des prélèvements hors ZRE, délibération 2009-4"
	if code, _, _ := refuses(t, b, g); code != "part_fixe_excessive" {
		t.Errorf("fixed part of 2010: %q", code)
	}
	g.PartFixeAnUE = 50_000_000
	b.defines(t, g)
}

func TestVersionsOfATariff(t *testing.T) {
	t.Parallel()
	b := setup(t, 1)
	b.issue(t, lotOf(avril, octobre, emises))
	staff := functiontest.Staff()
	next := b.defines(t, eau2027())

	list := functiontest.MustAsk(t, b.Function, staff, message.Tarifs{}).Grilles
	used := list[0]
	if used.Code != "eau" || used.FactureeJusquAu != octobre || list[1].ID != next.ID || !list[1].FactureeJusquAu.IsZero() {
		t.Fatalf("got %+v", list)
	}
	// What bills rest on stays, for the function and for the database.
	change := message.CorrigerGrille{GrilleID: used.ID, DefinirGrille: used.DefinirGrille}
	change.PartFixeAnUE++
	if code, _, _ := refuses(t, b, change); code != "grille_facturee" {
		t.Errorf("correct: %q", code)
	}
	if code, _, _ := refuses(t, b, message.RetirerGrille{GrilleID: used.ID}); code != "grille_facturee" {
		t.Errorf("withdraw: %q", code)
	}
	if code, field, _ := refuses(t, b, message.FermerGrille{GrilleID: used.ID, Au: jour("2026-09-30")}); code != "grille_facturee" || field != "au" {
		t.Errorf("end before the last bill: %q at %q", code, field)
	}
	for _, sql := range []string{
		"update grille set part_fixe_an_ue = 1 where code = 'eau'",
		"update grille set periode = daterange('2025-01-01', '2026-09-30') where code = 'eau'",
		"delete from grille where code = 'eau'",
	} {
		if _, err := b.DB.Exec(t.Context(), sql); err == nil {
			t.Errorf("%s: accepted", sql)
		}
	}
	// Its end may come nearer, but not with a hole before the next version.
	if code, _, detail := refuses(t, b, message.FermerGrille{GrilleID: used.ID, Au: octobre}); code != "trou" || !strings.Contains(detail, "eau-2027") {
		t.Errorf("end with a hole: %q %s", code, detail)
	}
	// What no bill rests on can still be corrected and withdrawn.
	correct := message.CorrigerGrille{GrilleID: next.ID, DefinirGrille: next.DefinirGrille}
	correct.Tranches = slabs(100, 1_000_000, 1_500_000)
	if got := functiontest.MustAsk(t, b.Function, staff, correct); got.Facture120Centimes != 2000+10000+3000 {
		t.Errorf("corrected: %+v", got)
	}
	functiontest.MustAsk(t, b.Function, staff, message.RetirerGrille{GrilleID: next.ID})
	if got := functiontest.MustAsk(t, b.Function, staff, message.FermerGrille{GrilleID: used.ID, Au: octobre}); got.Au != octobre {
		t.Errorf("ended: %+v", got)
	}
	g := eau2027()
	g.Du = octobre
	b.defines(t, g)
	if code, _, _ := refuses(t, b, message.RetirerGrille{GrilleID: next.ID}); code != "grille_inconnue" {
		t.Errorf("withdrawn twice: %q", code)
	}
}

func TestAVersionBetweenTwoStays(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	middle := b.defines(t, eau2027())
	g := eau2027()
	g.Code, g.Du, g.Au = "eau-2028", g.Au, jour("2029-01-01")
	b.defines(t, g)
	if code, _, detail := refuses(t, b, message.RetirerGrille{GrilleID: middle.ID}); code != "trou" || !strings.Contains(detail, "« eau » et « eau-2028 »") {
		t.Errorf("%q %s", code, detail)
	}
}

func TestTariffsWaitForALot(t *testing.T) {
	t.Parallel()
	b := setup(t, 1)
	functiontest.MustAsk(t, b.Function, functiontest.Staff(), lotOf(avril, octobre, emises))
	if code, _, detail := refuses(t, b, eau2027()); code != "lot_en_cours" || !strings.Contains(detail, "Semestre") {
		t.Errorf("%q %s", code, detail)
	}
	b.settle(t)
	b.defines(t, eau2027())
}

// The tariff that says more wins on each day: commune and profile, commune,
// profile granted, profile, all.
func TestTheTariffThatSaysMoreWins(t *testing.T) {
	t.Parallel()
	b := setup(t, 2)
	staff := functiontest.Staff()
	functiontest.MustAsk(t, b.Function, staff, message.DefinirCommune{CodeINSEE: "77223", Nom: "Guercheville", Bassin: "Seine-Normandie", Rurale: true})
	functiontest.MustAsk(t, b.Function, staff, message.DefinirRedevance{Code: "consommation", Libelle: "Consommation", Service: "eau",
		Du: jour("2026-01-01"), Au: jour("2027-01-01"), TauxM3UE: 500_000, CoefficientPM: 1000, TVAPM: 55, Source: "agence", Bassin: "Seine-Normandie"})
	of := func(code, commune, profil string, du, au message.Date, prix int64) {
		b.defines(t, message.DefinirGrille{Code: code, Service: "eau", Commune: commune, Profil: profil, Du: du, Au: au, TVAPM: 55,
			Tranches: []message.Tranche{{PrixM3UE: prix}}, Deliberation: "d"})
	}
	of("ind", "", "INDIVIDUEL", jour("2026-01-01"), jour("2027-01-01"), 1_000_000)
	of("soc", "", "SOCIAL", jour("2026-01-01"), jour("2027-01-01"), 100_000)
	of("com", "77223", "", jour("2026-08-01"), jour("2027-01-01"), 2_000_000)
	of("agr", "", "AGRICOLE", jour("2026-01-01"), jour("2027-01-01"), 3_000_000)
	for i := range b.contrats {
		b.contrats[i].Version++
		b.contrats[i].Nature = "INDIVIDUEL"
		b.deliver(t, "contrat", b.contrats[i].ContratID, b.contrats[i])
	}
	helped := functiontest.MustAsk(t, b.Function, staff, message.AccorderProfil{ContratID: b.contrats[0].ContratID, Profil: "SOCIAL",
		Du: jour("2026-06-01"), Au: jour("2027-06-01"), Justificatif: "attestation C2S du 12/05/2026"})

	lot := b.issue(t, lotOf(avril, octobre, emises))
	want := map[string]map[string]int64{
		b.contrats[0].ContratID: {"ind/tranche-1": 61, "soc/tranche-1": 61, "com/tranche-1": 61},
		b.contrats[1].ContratID: {"ind/tranche-1": 122, "com/tranche-1": 61},
	}
	for _, f := range b.bills(t, lot.ID) {
		f = functiontest.MustAsk(t, b.Function, staff, message.FactureParID{ID: f.ID})
		seen := 0
		for _, l := range f.Lignes {
			if l.Rubrique == "distribution" {
				seen++
				// 60 m3 over the 183 days of 1 April to 1 October, by days.
				if share := want[f.ContratID][l.Code] * 60_000 / 183; l.Litres < share || l.Litres > share+1 {
					t.Errorf("%s: %s has %d litres, want about %d", f.Contrat, l.Code, l.Litres, share)
				}
			}
			if l.Code == "redevance/consommation" && l.HTCentimes != 3000 {
				t.Errorf("the rate of the basin gives %d", l.HTCentimes)
			}
		}
		if seen != len(want[f.ContratID]) {
			t.Errorf("%s: %+v", f.Contrat, f.Lignes)
		}
	}

	if code, _, _ := refuses(t, b, message.AccorderProfil{ContratID: helped.ContratID, Profil: "SOCIAL", Du: jour("2027-05-01"), Au: jour("2028-05-01"), Justificatif: "x"}); code != "profils_chevauchants" {
		t.Errorf("granted twice: %q", code)
	}
	if code, _, _ := refuses(t, b, message.FermerProfil{ProfilID: helped.ID, Au: jour("2027-06-02")}); code != "date_hors_periode" {
		t.Errorf("ended later: %q", code)
	}
	functiontest.MustAsk(t, b.Function, staff, message.FermerProfil{ProfilID: helped.ID, Au: jour("2026-12-01")})
	if got := functiontest.MustAsk(t, b.Function, staff, message.ProfilsAccordes{ContratID: helped.ContratID}).Profils; len(got) != 1 || got[0].Au != jour("2026-12-01") || got[0].AccordePar == "" {
		t.Errorf("got %+v", got)
	}
}

func TestCommunes(t *testing.T) {
	t.Parallel()
	b := setup(t, 2)
	staff := functiontest.Staff()
	got := functiontest.MustAsk(t, b.Function, staff, message.Communes{})
	if len(got.Communes) != 1 || got.Communes[0].Connue || got.Communes[0].Contrats != 2 || len(got.Entites) != 1 {
		t.Fatalf("got %+v", got)
	}
	if code, field, _ := refuses(t, b, message.DefinirCommune{CodeINSEE: "77223", Nom: "Guercheville", Entite: "autre"}); code != "entite_inconnue" || field != "entite" {
		t.Errorf("%q at %q", code, field)
	}
	functiontest.MustAsk(t, b.Function, staff, message.DefinirCommune{CodeINSEE: "77223", Nom: "Guercheville", Rurale: true})
	functiontest.MustAsk(t, b.Function, staff, message.DefinirCommune{CodeINSEE: "77223", Nom: "Guercheville", Bassin: "Seine-Normandie", Touristique: true})
	got = functiontest.MustAsk(t, b.Function, staff, message.Communes{})
	if c := got.Communes[0]; !c.Connue || c.Bassin != "Seine-Normandie" || c.Rurale || !c.Touristique || c.Contrats != 2 || c.Entite != "principale" {
		t.Errorf("got %+v", c)
	}
	// A tourist commune has no cap, whatever the version says.
	g := eau2027()
	g.Commune, g.PartFixeAnUE = "77223", 200_000_000
	if d := b.defines(t, g); !d.Touristique {
		t.Errorf("got %+v", d)
	}
}
