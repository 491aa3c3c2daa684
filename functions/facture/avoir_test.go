package main

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

// owes is what the abonne of a bill owes.
func (b *bundle) owes(t *testing.T, f message.Facture) int64 {
	t.Helper()
	return functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.Compte{AbonneID: f.AbonneID}).SoldeCentimes
}

// replace delivers a real reading that reverses an estimate.
func (b *bundle) replace(t *testing.T, c message.ContratActive, day message.Date, index int64, estimate string) {
	t.Helper()
	b.deliver(t, "operation", "", message.RelevesValides{Releves: []message.ReleveValide{
		{ReleveID: function.NewID(), ContratID: c.ContratID, PoseID: c.Pose.ID, Date: day, Index: index, Remplace: estimate}}})
}

// fields are those that a refusal names.
func fields(err error) string {
	var out []string
	if p, ok := err.(*message.Problem); ok {
		for _, f := range p.Errors {
			out = append(out, f.Field)
		}
	}
	return strings.Join(out, " ")
}

// net is what bills and avoirs of a contract come to, by rate: base and VAT.
func (b *bundle) net(t *testing.T, contratID string) string {
	t.Helper()
	var out string
	err := b.DB.QueryRow(t.Context(), `select string_agg(taux || ':' || base || '+' || montant, ' ' order by taux) from (
		select (v ->> 'taux_pm')::int taux, sum((v ->> 'base_centimes')::bigint) base, sum((v ->> 'montant_centimes')::bigint) montant
		from facture, jsonb_array_elements(tva) v where contrat_id = $1 and numero is not null group by 1) s where base <> 0 or montant <> 0`, contratID).Scan(&out)
	if err != nil {
		return ""
	}
	return out
}

func TestWholeAvoir(t *testing.T) {
	t.Parallel()
	b := setup(t, 1)
	staff := functiontest.Staff()
	f := b.bills(t, b.issue(t, lotOf(avril, octobre, emises)).ID)[0]
	before := b.Count(t, "select count(*) from facture")
	simulated := functiontest.MustAsk(t, b.Function, staff, message.EmettreAvoir{FactureID: f.ID, Motif: "Compteur d'un voisin", Simulation: true})
	if simulated.TTCCentimes != -26620 || !simulated.Total || simulated.Numero != "" || b.Count(t, "select count(*) from facture") != before {
		t.Fatalf("simulated %+v", simulated)
	}
	a := functiontest.MustAsk(t, b.Function, staff, message.EmettreAvoir{FactureID: f.ID, Motif: "Compteur d'un voisin"})
	if !strings.HasSuffix(a.Numero, "-000001") || a.Numero[0] != 'A' || a.RegleCentimes != 26620 || a.AvanceCentimes != 0 || a.ResteCentimes != 0 {
		t.Errorf("got %+v", a)
	}
	got := b.bill(t, f.ID)
	if got.Etat != "ANNULEE_PAR_AVOIR" || got.ResteCentimes != 0 || len(got.Corrections) != 1 || got.Corrections[0].Numero != a.Numero {
		t.Errorf("got %+v", got)
	}
	if told := functiontest.Emitted[message.AvoirEmis](t, b.Function); len(told) != 1 || told[0].Facture != f.Numero || told[0].TTCCentimes != -26620 || told[0].Email == "" {
		t.Errorf("told %+v", told)
	}
	if b.owes(t, f) != 0 || b.net(t, f.ContratID) != "" {
		t.Errorf("owes %d, net %q", b.owes(t, f), b.net(t, f.ContratID))
	}
	b.sound(t)
	_, err := functiontest.Ask(t, b.Function, staff, message.EmettreAvoir{FactureID: f.ID, Motif: "encore"})
	if code := functiontest.Code(err); code != "deja_annulee" {
		t.Errorf("again: %q", code)
	}
	_, err = functiontest.Ask(t, b.Function, staff, message.EmettreAvoir{FactureID: a.AvoirID, Motif: "encore"})
	if code := functiontest.Code(err); code != "avoir_d_un_avoir" {
		t.Errorf("of an avoir: %q", code)
	}
	// The period may be billed again.
	if again := b.bills(t, b.issue(t, lotOf(avril, octobre, emises.AddDays(1))).ID); len(again) != 1 || again[0].TTCCentimes != 26620 {
		t.Errorf("billed again %+v", again)
	}
}

func TestAvoirOnPaidBillIsAnAdvance(t *testing.T) {
	t.Parallel()
	b := setup(t, 1)
	staff := functiontest.Staff()
	f := b.bills(t, b.issue(t, lotOf(avril, octobre, emises)).ID)[0]
	functiontest.MustAsk(t, b.Function, staff, message.EnregistrerPaiement{Mode: "VIREMENT", MontantCentimes: 20_000, RecuLe: emises, Reference: f.Numero})
	part := functiontest.MustAsk(t, b.Function, staff, message.EmettreAvoir{FactureID: f.ID, Motif: "Geste", Lignes: []message.LigneAvoir{
		{Code: "eau/tranche-1", HTCentimes: 10_020}}})
	// 100,20 of water and its VAT: 127,64 x 5,5 % was 7,05 (7,045), 27,92 left bears 1,54 (1,5356).
	if part.TTCCentimes != -10_020-(705-154) || part.RegleCentimes != 6620 || part.AvanceCentimes != 10_571-6620 || part.ResteCentimes != 0 || part.Total {
		t.Errorf("got %+v", part)
	}
	if got := b.bill(t, f.ID); got.Etat != "PAYEE" {
		t.Errorf("got %+v", got)
	}
	rest := functiontest.MustAsk(t, b.Function, staff, message.EmettreAvoir{FactureID: f.ID, Motif: "Annulation"})
	if !rest.Total || rest.AvanceCentimes != 26620-10_571 || b.net(t, f.ContratID) != "" || b.owes(t, f) != -20_000 {
		t.Errorf("got %+v, net %q, owes %d", rest, b.net(t, f.ContratID), b.owes(t, f))
	}
	b.sound(t)
}

func TestAvoirRefusals(t *testing.T) {
	t.Parallel()
	b := setup(t, 1)
	f := b.bills(t, b.issue(t, lotOf(avril, octobre, emises)).ID)[0]
	for _, c := range []struct {
		code, field string
		avoir       message.EmettreAvoir
	}{
		{"champs_invalides", "motif", message.EmettreAvoir{FactureID: f.ID}},
		{"facture_inconnue", "", message.EmettreAvoir{FactureID: f.ContratID, Motif: "x"}},
		{"ligne_inconnue", "lignes[0].code", message.EmettreAvoir{FactureID: f.ID, Motif: "x", Lignes: []message.LigneAvoir{{Code: "gaz/fixe", HTCentimes: 1}}}},
		{"avoir_excessif", "lignes[0].ht_centimes", message.EmettreAvoir{FactureID: f.ID, Motif: "x", Lignes: []message.LigneAvoir{{Code: "eau/tranche-1", HTCentimes: 10_021}}}},
		{"avoir_excessif", "lignes[1].ht_centimes", message.EmettreAvoir{FactureID: f.ID, Motif: "x", Lignes: []message.LigneAvoir{
			{Code: "eau/tranche-1", HTCentimes: 10_020}, {Rubrique: "distribution", TVAPM: 55, HTCentimes: 753}}}},
		{"avoir_excessif", "lignes[0].ht_centimes", message.EmettreAvoir{FactureID: f.ID, Motif: "x", Lignes: []message.LigneAvoir{{Rubrique: "distribution", TVAPM: 200, HTCentimes: 1}}}},
		{"champs_invalides", "lignes[0].ht_centimes", message.EmettreAvoir{FactureID: f.ID, Motif: "x", Lignes: []message.LigneAvoir{{Code: "eau/tranche-1", HTCentimes: -5}}}},
	} {
		_, err := functiontest.Ask(t, b.Function, functiontest.Staff(), c.avoir)
		if got := functiontest.Code(err); got != c.code || !strings.Contains(fields(err), c.field) {
			t.Errorf("%+v: %q of %q, want %q of %q", c.avoir, got, fields(err), c.code, c.field)
		}
	}
	if n := b.Count(t, "select count(*) from facture where nature = 'AVOIR'") + b.Count(t, "select count(*) from serie where nature = 'A'"); n != 0 {
		t.Errorf("%d rows of avoirs were left", n)
	}
	b.sound(t)
}

// TestAvoirsNeverPassTheBill takes random parts of a bill back until nothing
// is left: what remains bears the exact VAT of its base at every step.
func TestAvoirsNeverPassTheBill(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var f message.Facture
		for i := range rapid.IntRange(1, 6).Draw(t, "lines") {
			f.Lignes = append(f.Lignes, message.LigneFacture{Code: string(rune('a' + i)),
				Rubrique:   rapid.SampledFrom([]string{"distribution", "eaux_usees"}).Draw(t, "rubrique"),
				TVAPM:      rapid.SampledFrom([]int64{0, 55, 100}).Draw(t, "rate"),
				HTCentimes: rapid.Int64Range(1, 50_000).Draw(t, "ht")})
		}
		f.TVA = tvaDe(f.Lignes)
		for _, v := range f.TVA {
			f.TTCCentimes += v.BaseCentimes + v.MontantCentimes
		}
		f.ResteCentimes = rapid.Int64Range(0, f.TTCCentimes).Draw(t, "unpaid")
		var deja []message.Facture
		total := false
		for range 20 {
			var demande []message.LigneAvoir
			if rapid.IntRange(0, 4).Draw(t, "part") > 0 {
				l := f.Lignes[rapid.IntRange(0, len(f.Lignes)-1).Draw(t, "line")]
				demande = []message.LigneAvoir{{Code: l.Code, HTCentimes: rapid.Int64Range(1, l.HTCentimes).Draw(t, "amount")}}
			}
			lignes, err := reprendre(f, deja, demande)
			if err != nil {
				continue
			}
			a, err := consequence(f, deja, lignes)
			if err != nil {
				continue
			}
			if a.RegleCentimes+a.AvanceCentimes != -a.TTCCentimes || a.ResteCentimes < 0 || total {
				t.Fatalf("after all was taken %v: %+v", total, a)
			}
			f.ResteCentimes = a.ResteCentimes
			deja = append(deja, message.Facture{Numero: "A", Lignes: lignes, TVA: a.TVA, TTCCentimes: a.TTCCentimes})
			var all []message.LigneFacture
			var vat, ttc int64
			all = append(all, f.Lignes...)
			for _, d := range append([]message.Facture{f}, deja...) {
				ttc += d.TTCCentimes
				for _, v := range d.TVA {
					vat += v.MontantCentimes
				}
			}
			for _, d := range deja {
				all = append(all, d.Lignes...)
			}
			var want, base int64
			for _, v := range tvaDe(all) {
				want += v.MontantCentimes
				base += v.BaseCentimes
			}
			if vat != want || ttc != base+want || ttc < 0 {
				t.Fatalf("left: VAT %d, want %d; TTC %d, want %d", vat, want, ttc, base+want)
			}
			total = a.Total
			if total != (ttc == 0) {
				t.Fatalf("total %v with %d left", total, ttc)
			}
		}
	})
}

func TestManualBill(t *testing.T) {
	t.Parallel()
	b := setup(t, 1)
	staff := functiontest.Staff()
	c := b.contrats[0]
	functiontest.MustAsk(t, b.Function, staff, message.DefinirPrestation{Code: "OUVERTURE", Libelle: "Ouverture d'un branchement", Du: message.NewDate(2020, 1, 1),
		PrixCentimes: 5000, TVAPM: 55, Compte: "7068", Source: "délibération 2019-42"})
	p := functiontest.MustAsk(t, b.Function, staff, message.DefinirPrestation{Code: "OUVERTURE", Libelle: "Ouverture d'un branchement", Du: message.NewDate(2024, 1, 1),
		PrixCentimes: 6500, TVAPM: 55, Compte: "7068", Source: "délibération 2023-51"})
	if list := functiontest.MustAsk(t, b.Function, staff, message.Prestations{}); len(list.Prestations) != 2 || list.Prestations[0].ID != p.ID || list.Prestations[1].Au != p.Du || len(list.Taux) < 4 {
		t.Errorf("catalogue %+v", list)
	}
	due := message.DateOf(time.Now()).AddDays(30)
	order := message.EmettreManuelle{ContratID: c.ContratID, Motif: "Remise en service", Echeance: due, Lignes: []message.LigneManuelle{
		{Prestation: "OUVERTURE", Quantite: 2}, {Libelle: "Regard", Quantite: 1, PrixCentimes: 12_345, TVAPM: 200, Compte: "704"}}}
	f := functiontest.MustAsk(t, b.Function, staff, order)
	// 130,00 at 5,5 % and 123,45 at 20 %.
	if f.Nature != "MANUELLE" || f.Etat != "EMISE" || f.HTCentimes != 25_345 || f.TVACentimes != 715+2469 || f.Echeance != due || f.LotID != "" || f.Lignes[0].PrixUE != 65_000_000 {
		t.Errorf("got %+v", f)
	}
	if n := b.Count(t, "select sum(credit_centimes) from mouvement where compte = '704'"); n != 12_345 {
		t.Errorf("704 earned %d", n)
	}
	if told := functiontest.Emitted[message.FacturesEmises](t, b.Function); len(told) != 1 || told[0].Factures[0].FactureID != f.ID {
		t.Errorf("told %+v", told)
	}
	if d := functiontest.MustAsk(t, b.Function, staff, message.DocumentFacture{FactureID: f.ID}); len(d.Contenu) == 0 {
		t.Error("no document")
	}
	// It does not stand in the way of the bill of the period.
	if n := len(b.bills(t, b.issue(t, lotOf(avril, octobre, message.DateOf(time.Now()))).ID)); n != 1 {
		t.Errorf("%d bills of the period", n)
	}
	a := functiontest.MustAsk(t, b.Function, staff, message.EmettreAvoir{FactureID: f.ID, Motif: "Travaux non faits", Lignes: []message.LigneAvoir{{Code: f.Lignes[1].Code, HTCentimes: 12_345}}})
	if a.TTCCentimes != -14_814 || b.Count(t, "select sum(credit_centimes - debit_centimes) from mouvement where compte = '704'") != 0 {
		t.Errorf("got %+v", a)
	}
	b.sound(t)
	line := func(l message.LigneManuelle) message.EmettreManuelle {
		return message.EmettreManuelle{ContratID: c.ContratID, Motif: "x", Echeance: due, Lignes: []message.LigneManuelle{l}}
	}
	for code, m := range map[string]message.EmettreManuelle{
		"taux_tva_inconnu":    line(message.LigneManuelle{Libelle: "x", Quantite: 1, PrixCentimes: 1, TVAPM: 196}),
		"compte_inconnu":      line(message.LigneManuelle{Libelle: "x", Quantite: 1, PrixCentimes: 1, Compte: "411"}),
		"prestation_inconnue": line(message.LigneManuelle{Prestation: "GAZ", Quantite: 1}),
		"champs_invalides":    line(message.LigneManuelle{Libelle: "x", Quantite: -1, PrixCentimes: 1}),
		"echeance_courte":     {ContratID: c.ContratID, Motif: "x", Echeance: due.AddDays(-20), Lignes: order.Lignes},
		"contrat_inconnu":     {ContratID: p.ID, Motif: "x", Echeance: due, Lignes: order.Lignes},
	} {
		if _, err := functiontest.Ask(t, b.Function, staff, m); functiontest.Code(err) != code {
			t.Errorf("%q: got %v", code, err)
		}
	}
}

func TestRectification(t *testing.T) {
	t.Parallel()
	b := setup(t, 1)
	staff := functiontest.Staff()
	f := b.bills(t, b.issue(t, lotOf(avril, octobre, emises)).ID)[0]
	functiontest.MustAsk(t, b.Function, staff, message.EnregistrerPaiement{Mode: "VIREMENT", MontantCentimes: 26620, RecuLe: emises, Reference: f.Numero})
	right := message.RectifierFacture{FactureID: f.ID, Motif: "Index mal lu", Index: []message.IndexCorrige{{Date: octobre, Index: 160}}}
	trial := right
	trial.Simulation = true
	seen := functiontest.MustAsk(t, b.Function, staff, trial)
	r := functiontest.MustAsk(t, b.Function, staff, right)
	if seen.Facture.TTCCentimes != r.Facture.TTCCentimes || seen.Avoir.TTCCentimes != r.Avoir.TTCCentimes || seen.Facture.Numero != "" {
		t.Errorf("simulated %+v, did %+v", seen, r)
	}
	n := r.Facture
	if n.VolumeLitres != 30_000 || n.CorrigeID != f.ID || n.Du != f.Du || n.Au != f.Au || n.Etat != "PAYEE" || r.Avoir.TTCCentimes != -26620 {
		t.Errorf("got %+v", r)
	}
	if got := b.owes(t, f); got != n.TTCCentimes-26620 || r.Avoir.AvanceCentimes != -got {
		t.Errorf("owes %d, advance %d", got, r.Avoir.AvanceCentimes)
	}
	b.sound(t)
	// The next bill starts from the right index.
	fin := message.NewDate(2026, time.November, 15)
	b.read(t, b.contrats[0], fin, 170, false)
	next := b.bills(t, b.issue(t, lotOf(octobre, fin, message.DateOf(time.Now()))).ID)[0]
	if next.VolumeLitres != 10_000 {
		t.Errorf("next bill of %d litres", next.VolumeLitres)
	}
	again := message.RectifierFacture{FactureID: n.ID, Motif: "Encore", Index: []message.IndexCorrige{{Date: octobre, Index: 165}}}
	if _, err := functiontest.Ask(t, b.Function, staff, again); functiontest.Code(err) != "facture_suivante" {
		t.Errorf("volume would be billed twice: %v", err)
	}
	later := again
	later.FactureID = next.ID
	if got := functiontest.MustAsk(t, b.Function, staff, later); got.Facture.VolumeLitres != 5000 {
		t.Errorf("got %+v", got.Facture)
	}
	last := functiontest.MustAsk(t, b.Function, staff, again)
	if last.Facture.VolumeLitres != 35_000 {
		t.Errorf("got %+v", last.Facture)
	}
	b.sound(t)
	for code, c := range map[string]message.RectifierFacture{
		"releve_inconnu": {FactureID: last.Facture.ID, Motif: "x", Index: []message.IndexCorrige{{Date: octobre.AddDays(3), Index: 1}}},
		"deja_annulee":   {FactureID: f.ID, Motif: "x"},
	} {
		if _, err := functiontest.Ask(t, b.Function, staff, c); functiontest.Code(err) != code {
			t.Errorf("%q: got %v", code, err)
		}
	}
}

// An estimate whose bill was partly taken back is reversed for what was left of it.
func TestAvoirOnEstimate(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	staff := functiontest.Staff()
	c := contract(0)
	juillet := message.NewDate(2026, time.July, 1)
	b.deliver(t, "contrat", c.ContratID, c)
	b.read(t, c, avril, 130, false)
	estimate := b.read(t, c, juillet, 180, true)
	first := b.bills(t, b.issue(t, lotOf(avril, juillet, message.NewDate(2026, time.July, 10))).ID)[0]
	functiontest.MustAsk(t, b.Function, staff, message.EmettreAvoir{FactureID: first.ID, Motif: "Trop estimé", Lignes: []message.LigneAvoir{{Code: "eau/tranche-1", HTCentimes: 3000}}})
	b.replace(t, c, octobre, 160, estimate)
	b.issue(t, lotOf(juillet, octobre, emises))
	whole := setup(t, 0)
	whole.deliver(t, "contrat", c.ContratID, c)
	whole.read(t, c, avril, 130, false)
	whole.read(t, c, octobre, 160, false)
	whole.issue(t, lotOf(avril, octobre, emises))
	const ht = "select sum(ht_centimes) from facture where numero is not null"
	if got, want := b.Count(t, ht), whole.Count(t, ht); got != want {
		t.Errorf("billed %d HT in all, want %d", got, want)
	}
	_, err := functiontest.Ask(t, b.Function, staff, message.EmettreAvoir{FactureID: first.ID, Motif: "Annuler"})
	if got := functiontest.Code(err); got != "estimation_reprise" {
		t.Errorf("an estimate reversed already: %q", got)
	}
	b.sound(t)
}
