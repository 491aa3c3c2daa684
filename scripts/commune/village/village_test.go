package village

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"aquaerp.fr/shared/message"
)

// Whoever changes the village changes what demonstration, tests and
// benchmarks see; the hash makes it a decision.
func TestSameSeedSameBytes(t *testing.T) {
	t.Parallel()
	const want = "c4646e58b2e1b7a6591998a86eb05c22a5398398d67366ad9d62a1f22e8f7df9"
	if got := hash(t, Village{Seed: 1, N: 500}); got != want {
		t.Errorf("village 1 of 500 has hash %s, want %s", got, want)
	}
	if hash(t, Village{Seed: 2, N: 500}) == want {
		t.Error("another seed gives the same village")
	}
}

func hash(t *testing.T, v Village) string {
	t.Helper()
	h := sha256.New()
	writers := []func(io.Writer) error{v.WriteReprise, v.WriteChangements, v.WriteAttendus, WriteTarifs}
	for k := range Tournees {
		writers = append(writers, func(w io.Writer) error { return v.WriteReleves(w, k) })
	}
	for _, write := range writers {
		if err := write(h); err != nil {
			t.Fatal(err)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

func TestSizeOnlyCuts(t *testing.T) {
	t.Parallel()
	small, large := slices.Collect(Village{3, 40}.Foyers()), slices.Collect(Village{3, 700}.Foyers())
	if !reflect.DeepEqual(small, large[:40]) {
		t.Error("the first 40 of 700 households are not the 40 of a village of 40")
	}
}

// What every household must satisfy for the real functions to take it.
func TestHouseholds(t *testing.T) {
	t.Parallel()
	pdl, series, courriels := map[string]bool{}, map[string]bool{}, map[string]bool{}
	once := func(kind string, seen map[string]bool, key string) {
		if seen[key] {
			t.Errorf("%s %s twice", kind, key)
		}
		seen[key] = true
	}
	avecCourriel, raccordes := 0, 0
	const n = 20_000
	for f := range (Village{Seed: 1, N: n}).Foyers() {
		once("PDL", pdl, f.PDL.Reference)
		once("meter", series, f.Compteur.Serie)
		if c := f.Changement; c != nil {
			once("meter", series, c.Commande.Compteur.Serie)
		}
		if e := f.Abonne.Email; e != "" {
			once("e-mail", courriels, e)
			avecCourriel++
			if strings.ContainsFunc(e, func(r rune) bool { return r > 126 || r <= ' ' }) {
				t.Errorf("e-mail %q is not plain ASCII", e)
			}
		}
		if f.PDL.Assainissement {
			raccordes++
		}
		if !f.Debut.Before(Tournees[0]) {
			t.Errorf("%s starts on %s, after the first round", f.PDL.Reference, f.Debut)
		}
		checkVolumes(t, f)
	}
	for name, share := range map[string]int{"e-mail": avecCourriel * 100 / n, "sewer": raccordes * 100 / n} {
		if share < 80 || share > 92 {
			t.Errorf("%d %% have %s", share, name)
		}
	}
}

// checkVolumes follows the meter of a household from reading to reading: the
// index fits the counter, and the volume is above zero and far from a
// rollover that nobody asked for, except where trouble is announced.
func checkVolumes(t *testing.T, f Foyer) {
	t.Helper()
	compteur, index := f.Compteur, f.Index
	volume := func(c message.NouveauCompteur, a, b int64) int64 {
		if b < a {
			b += puissance10(c.Roues)
		}
		return (b - a) * c.LitresParUnite
	}
	for _, r := range f.Releves {
		litres := int64(0)
		if r.Compteur != compteur.Serie {
			c := f.Changement
			if c == nil || c.Depose != compteur.Serie || c.Commande.Compteur.Serie != r.Compteur {
				t.Fatalf("%s: meter %s read, %s in place", f.PDL.Reference, r.Compteur, compteur.Serie)
			}
			litres = volume(compteur, index, c.Commande.IndexDepose)
			compteur, index = c.Commande.Compteur, c.Commande.IndexPose
		}
		if r.Index < 0 || r.Index >= puissance10(compteur.Roues) {
			t.Errorf("%s: index %d on %d digits", f.PDL.Reference, r.Index, compteur.Roues)
		}
		if r.Source == "ABSENCE" || r.Motif == "INDEX_RECULE" {
			continue
		}
		litres += volume(compteur, index, r.Index)
		index = r.Index
		if most := int64(f.PDL.Logements) * 3_000_000; litres < 0 || r.Attendu == "VALIDEE" && litres > most {
			t.Errorf("%s: %d litres up to %s", f.PDL.Reference, litres, r.Date)
		}
	}
}

func TestTroubleIsWhereItIsAnnounced(t *testing.T) {
	t.Parallel()
	etats, motifs, zero, changements, derniers := map[string]int{}, map[string]int{}, 0, 0, 0
	for f := range (Village{Seed: 1, N: 1000}).Foyers() {
		before := f.Index
		for _, r := range f.Releves {
			etats[r.Attendu]++
			motifs[r.Motif]++
			if r.Compteur == f.Compteur.Serie && r.Attendu == "VALIDEE" && r.Index < before {
				zero++
			}
			before = r.Index
		}
		if c := f.Changement; c != nil {
			changements++
			if !c.Commande.Date.Before(Tournees[3]) {
				derniers++
			}
		}
	}
	if got := []int{motifs["INDEX_RECULE"], motifs["VOLUME_ELEVE"], etats["SUSPECTE"], changements}; !slices.Equal(got, []int{6, 6, 12, 20}) {
		t.Errorf("backwards, high, suspect, changes = %v", got)
	}
	if zero < 8 || derniers < 5 || derniers > 15 || etats["ESTIMEE"] < 60 {
		t.Errorf("%d passages through zero, %d changes in the last period, %d estimates", zero, derniers, etats["ESTIMEE"])
	}
}

// The tariff is the published one: the same figures as in the pricing corpus.
func TestTarifsArePublished(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../../functions/facture/exemples/smeapn-guercheville-2026.json")
	if err != nil {
		t.Fatal(err)
	}
	var publie struct {
		Grilles []struct {
			Code     string
			PartFixe int64 `json:"part_fixe_an"`
			TVA      int64 `json:"tva_pm"`
			Tranches []struct {
				Prix int64 `json:"prix_m3"`
			}
		}
		Redevances []struct {
			Code string
			Taux int64 `json:"taux_m3"`
			TVA  int64 `json:"tva_pm"`
		}
	}
	if err := json.Unmarshal(raw, &publie); err != nil {
		t.Fatal(err)
	}
	notre, err := LireTarifs()
	if err != nil {
		t.Fatal(err)
	}
	var want, got []any
	for _, g := range publie.Grilles {
		want = append(want, g.Code, g.PartFixe, g.TVA, g.Tranches[0].Prix)
	}
	for _, r := range publie.Redevances {
		want = append(want, r.Code, r.Taux, r.TVA)
	}
	for _, g := range notre.Grilles {
		got = append(got, g.Code, g.PartFixeAnUE, g.TVAPM, g.Tranches[0].PrixM3UE)
	}
	for _, r := range notre.Redevances {
		got = append(got, r.Code, r.TauxM3UE, r.TVAPM)
	}
	if !slices.Equal(got, want) {
		t.Errorf("tariff\n%v, published\n%v", got, want)
	}
}

func TestFilesHaveTheHeadersOfTheCommands(t *testing.T) {
	t.Parallel()
	var reprise, releves bytes.Buffer
	v := Village{Seed: 1, N: 3}
	if err := v.WriteReprise(&reprise); err != nil {
		t.Fatal(err)
	}
	if err := v.WriteReleves(&releves, 0); err != nil {
		t.Fatal(err)
	}
	for _, file := range []struct{ content, header string }{
		{reprise.String(), message.ColonnesReprise}, {releves.String(), message.ColonnesReleves},
	} {
		lines := strings.Split(strings.TrimSpace(file.content), "\n")
		if lines[0] != file.header || len(lines) != 4 {
			t.Errorf("%d lines under %q", len(lines), lines[0])
		}
		for _, line := range lines {
			if strings.Count(line, ";") != strings.Count(file.header, ";") {
				t.Errorf("columns of %q", line)
			}
		}
	}
}
