package facturx

import (
	"strings"
	"testing"
	"time"
)

func TestDecimal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		n            int64
		digits, keep int
		want         string
	}{
		{0, 2, 2, "0.00"}, {5, 2, 2, "0.05"}, {-5, 2, 2, "-0.05"}, {26_620, 2, 2, "266.20"}, {-1, 3, 0, "-0.001"},
		{1_670_000, 6, 2, "1.67"}, {333_333, 6, 2, "0.333333"}, {60_000, 3, 0, "60"}, {55, 1, 0, "5.5"}, {200, 1, 0, "20"},
	} {
		if got := decimal(c.n, c.digits, c.keep); got != c.want {
			t.Errorf("decimal(%d, %d, %d) = %q, want %q", c.n, c.digits, c.keep, got, c.want)
		}
	}
}

// A credit note says what is given back above zero, and which invoice it takes back.
func TestAvoir(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, time.October, 15, 0, 0, 0, 0, time.UTC)
	out, err := XML(Document{
		Numero: "A2026-000001", Type: Avoir, Date: day, Corrige: &Reference{"F2026-000007", day},
		Vendeur: Partie{Nom: "Régie & fils <eau>"}, HTCentimes: -1000, TVACentimes: -55, TTCCentimes: -1055,
		Lignes: []Ligne{{Libelle: "Eau", Quantite: Quantite{-10_000, M3}, PrixUE: 1_000_000, TauxPM: 55, HTCentimes: -1000}},
		TVA:    []TVA{{TauxPM: 55, BaseCentimes: -1000, MontantCentimes: -55}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{">381<", `unitCode="MTQ">10<`, "<ram:LineTotalAmount>10.00<", "<ram:DuePayableAmount>10.55<", "F2026-000007", "Régie &amp; fils &lt;eau&gt;"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
}

// What is not a file of fpdf is refused, wherever it is cut off.
func TestArchiverRefuses(t *testing.T) {
	t.Parallel()
	good := "%PDF-1.3\n1 0 obj\n<<>>\nendobj\nxref\n0 4\n" + strings.Repeat("0000000009 00000 n \n", 4) + "trailer\nstartxref\n29\n%%EOF\n"
	if _, err := Archiver([]byte(good), Description{}, nil); err != nil {
		t.Fatalf("a file with nothing wrong: %v", err)
	}
	for name, bad := range map[string]string{
		"empty":            "",
		"another file":     strings.Replace(good, "%PDF", "%PNG", 1),
		"no table":         strings.Replace(good, "xref\n0 4", "xxxx\n0 4", 1),
		"too many objects": strings.Replace(good, "xref\n0 4", "xref\n0 9", 1),
		"behind its end":   strings.Replace(good, "startxref\n29", "startxref\n99999", 1),
		"an unread offset": strings.Replace(good, "0000000009", "00000x0009", 1),
		"objects after it": strings.ReplaceAll(good, "0000000009", "0000000900"),
		"no end":           good[:len(good)-12],
	} {
		if _, err := Archiver([]byte(bad), Description{}, nil); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
