package sepa

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"encoding/json"

	"aquaerp.fr/shared/message"
)

// Published examples: the IBAN Registry (SWIFT), one a country.
var published = []string{
	"FR14 2004 1010 0505 0001 3M02 606", "DE89 3704 0044 0532 0130 00", "BE68 5390 0754 7034", "GB29 NWBK 6016 1331 9268 19",
	"CH93 0076 2011 6238 5295 7", "ES91 2100 0418 4502 0005 1332", "IT60 X054 2811 1010 0000 0123 456", "NL91 ABNA 0417 1643 00",
	"LU28 0019 4006 4475 0000", "MC58 1122 2000 0101 2345 6789 030", "MT84 MALT 0110 0001 2345 MTLC AST0 01S", "NO93 8601 1117 947",
	"PT50 0002 0123 1234 5678 9015 4", "SM86 U032 2509 8000 0000 0270 100",
}

func TestIBAN(t *testing.T) {
	t.Parallel()
	for _, s := range published {
		i, err := ParseIBAN(s)
		if err != nil || i.Clair() != strings.ReplaceAll(s, " ", "") {
			t.Errorf("%s: %v", s, err)
		}
	}
	for s, want := range map[string]error{
		"":                                  ErrIBANForme,
		"FR14":                              ErrIBANForme,
		"FR14 2004 1010 0505 0001 3M02 60!": ErrIBANForme,
		"FR14 2004 1010 0505 0001 3M02 60é": ErrIBANForme,
		"1414 2004 1010 0505 0001 3M02 606": ErrIBANForme,
		"US64 SVBK US6S 3300 9586 79":       ErrIBANPays,
		"FR14 2004 1010 0505 0001 3M02 60":  ErrIBANTaille,
		"FR15 2004 1010 0505 0001 3M02 606": ErrIBANCle,
		"FR14 2004 1010 0505 0001 3M02 660": ErrIBANCle,
	} {
		if _, err := ParseIBAN(s); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", s, err, want)
		}
	}
}

// TestIBANProperties makes accounts of every country and spoils them: one
// character changed, or two different neighbours exchanged, is always found.
func TestIBANProperties(t *testing.T) {
	t.Parallel()
	const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	r := rand.New(rand.NewPCG(1, 2))
	for country, n := range longueurs {
		for range 200 {
			bban := make([]byte, n-4)
			for i := range bban {
				bban[i] = alphabet[r.IntN(len(alphabet))]
			}
			s := fmt.Sprintf("%s%02d%s", country, 98-mod97(string(bban)+country+"00"), bban)
			if _, err := ParseIBAN(s); err != nil {
				t.Fatalf("%s: %v", s, err)
			}
			if spaced := strings.ToLower(s[:4] + " " + s[4:]); must(ParseIBAN(spaced)) != IBAN(s) {
				t.Fatalf("%s is not %s", spaced, s)
			}
			at := 4 + r.IntN(n-4)
			wrong := []byte(s)
			for wrong[at] == s[at] {
				wrong[at] = alphabet[r.IntN(10)+10*(r.IntN(2))]
			}
			// A letter weighs two digits: only one of the same width is certain to be found.
			if chiffre(wrong[at]) == chiffre(s[at]) {
				if _, err := ParseIBAN(string(wrong)); err == nil {
					t.Fatalf("%s passes for %s", wrong, s)
				}
			}
			if at+1 < n && s[at] != s[at+1] && chiffre(s[at]) && chiffre(s[at+1]) {
				swapped := []byte(s)
				swapped[at], swapped[at+1] = s[at+1], s[at]
				if _, err := ParseIBAN(string(swapped)); err == nil {
					t.Fatalf("%s passes for %s", swapped, s)
				}
			}
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestIBANIsMasked prints, logs and marshals an account in every way one may
// do it without thinking.
func TestIBANIsMasked(t *testing.T) {
	t.Parallel()
	i := must(ParseIBAN(published[0]))
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("mandate", "iban", i, "all", struct{ I IBAN }{i})
	raw := must(json.Marshal(map[string]any{"iban": i, "list": []IBAN{i}}))
	shown := fmt.Sprintf("%v %s %q %x %d %#v %+v %v", i, i, i, i, i, i, struct{ I IBAN }{i}, []IBAN{i}) + fmt.Sprint(i) + i.String() + log.String() + string(raw)
	if strings.Contains(shown, "2004") || strings.Contains(shown, fmt.Sprintf("%x", "2004")) {
		t.Error(shown)
	}
	if got := fmt.Sprint(i); got != "FR…2606" {
		t.Error(got)
	}
}

func TestICS(t *testing.T) {
	t.Parallel()
	// Examples of the Deutsche Bundesbank and of De Nederlandsche Bank; the third has another line of business.
	for _, s := range []string{"DE98ZZZ09999999999", "NL08ZZZ502057730000", "DE98 ABC 0999 9999 999"} {
		if _, err := ParseICS(s); err != nil {
			t.Errorf("%s: %v", s, err)
		}
	}
	for _, s := range []string{"", "DE98ZZZ", "DE97ZZZ09999999999", "DE98ZZZ09999999998", "98DEZZZ09999999999"} {
		if _, err := ParseICS(s); err == nil {
			t.Errorf("%q passes", s)
		}
	}
}

func TestRUMAndBIC(t *testing.T) {
	t.Parallel()
	for s, ok := range map[string]bool{
		"C-I-77223-26-00001": true, "M+1?/(2):3.4,5'": true, strings.Repeat("A", 35): true,
		"": false, strings.Repeat("A", 36): false, "A B": false, "É1": false, "/A": false, "A/": false, "A//B": false, "A\n": false, "A_B": false,
	} {
		if (CheckRUM(s) == nil) != ok {
			t.Errorf("%q: %v", s, CheckRUM(s))
		}
	}
	for s, ok := range map[string]bool{"BNPAFRPP": true, "PSSTFRPPPAR": true, "bnpa frpp": true, "": false, "BNPAFRP": false, "BNPAFRPPPA": false, "BNP1FRPP": false} {
		if _, err := ParseBIC(s); (err == nil) != ok {
			t.Errorf("%q: %v", s, err)
		}
	}
}

func TestTexte(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"Facture d’eau n° F2026-000483": "Facture d'eau n. F2026-000483",
		"Éléonore Œdipe & Cie":          "Eleonore OEdipe + Cie",
		"  Zoë\tMüller\n":               "Zoe Muller",
		"//a//b/":                       "a/b",
		"日本 <script>":                   ".. .script.",
		"e\u0301t\u00e9":                "ete",
	} {
		if got := Texte(s, 70); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
	if got := Texte(strings.Repeat("é", 200), 70); got != strings.Repeat("e", 70) {
		t.Error(got)
	}
}

func FuzzTexte(f *testing.F) {
	f.Add("Éléonore / Œdipe // \xff\x00", 35)
	f.Fuzz(func(t *testing.T, s string, n int) {
		n = min(max(n, 0), 140)
		got := Texte(s, n)
		if len(got) > n || Texte(got, n) != got || strings.Contains(got, "//") {
			t.Errorf("%q becomes %q", s, got)
		}
		for i := range len(got) {
			if c := got[i]; !lettre(c) && !chiffre(c) && !('a' <= c && c <= 'z') && !strings.ContainsRune(" +?/-:().,'", rune(c)) {
				t.Errorf("%q keeps %q", s, c)
			}
		}
	})
}

func FuzzParseIBAN(f *testing.F) {
	for _, s := range published {
		f.Add(s)
	}
	f.Add("FR\x00\xff")
	f.Fuzz(func(t *testing.T, s string) {
		i, err := ParseIBAN(s)
		if err != nil {
			return
		}
		if again, err := ParseIBAN(i.Clair()); err != nil || again != i {
			t.Errorf("%q: %v", s, err)
		}
		if len(i) != longueurs[string(i[:2])] || strings.Contains(i.Masque(), string(i[4:len(i)-4])) {
			t.Errorf("%q is shown as %s", s, i.Masque())
		}
	})
}

func TestTarget(t *testing.T) {
	t.Parallel()
	var closed []string
	for d := message.NewDate(2026, 1, 1); d.Year() == 2026; d = d.AddDays(1) {
		if w := d.Time().Weekday(); !Ouvre(d) && w != time.Saturday && w != time.Sunday {
			closed = append(closed, d.String())
		}
	}
	// As the European Central Bank publishes for 2026 (26 December is a Saturday).
	if want := []string{"2026-01-01", "2026-04-03", "2026-04-06", "2026-05-01", "2026-12-25"}; !slices.Equal(closed, want) {
		t.Errorf("closed %v, want %v", closed, want)
	}
	for _, c := range [][2]string{{"2026-12-24", "2026-12-24"}, {"2026-12-25", "2026-12-28"}, {"2026-04-03", "2026-04-07"}, {"2025-04-18", "2025-04-22"}, {"2027-01-01", "2027-01-04"}} {
		if got := Suivant(must(message.ParseDate(c[0]))); got.String() != c[1] {
			t.Errorf("%s: %s, want %s", c[0], got, c[1])
		}
	}
	if got := Apres(message.NewDate(2026, 12, 24), 2); got.String() != "2026-12-29" {
		t.Error(got)
	}
}

func TestEnLettres(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{
		0: "zéro euro", 1: "zéro euro et un centime", 100: "un euro", 221: "deux euros et vingt et un centimes", 8000: "quatre-vingts euros",
		8100: "quatre-vingt-un euros", 7100: "soixante et onze euros", 9175: "quatre-vingt-onze euros et soixante-quinze centimes",
		20_000: "deux cents euros", 20_100: "deux cent un euros", 8_000_000: "quatre-vingt mille euros", 100_000: "mille euros",
		123_456_789: "un million deux cent trente-quatre mille cinq cent soixante-sept euros et quatre-vingt-neuf centimes",
		200_000_000: "deux millions d'euros", 100_000_000_000: "un milliard d'euros", 30_000_000: "trois cent mille euros",
	} {
		if got := EnLettres(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
