package main

import (
	"strings"
	"testing"

	"aquaerp.fr/shared/message"
)

func TestE164(t *testing.T) {
	for s, want := range map[string]string{
		"06 12 34 56 78": "+33612345678", "07.12.34.56.78": "+33712345678", "+33 (0)6 12-34-56-78": "+33612345678", "0033612345678": "+33612345678",
		"+33612345678": "+33612345678", "06\u00a012\u202f34 56 78": "+33612345678",
		"0690 12 34 56": "+590690123456", "+33 690 12 34 56": "+590690123456", "0694 12 34 56": "+594694123456", "0696123456": "+596696123456", "0639 69 12 34": "+262639691234", "06 39 98 36 24": "+33639983624", "0692123456": "+262692123456", "+262 692 12 34 56": "+262692123456",
		"+32 470 12 34 56": "+32470123456", "+49 1512 3456789": "+4915123456789",
		"": "", "01 23 45 67 89": "", "+33123456789": "", "0800 123 456": "", "06 12 34 56 7": "", "06 12 34 56 789": "", "612345678": "", "+0612345678": "", "06 12 34 56 78 poste 4": "", "+1234567890123456": "", "++": "",
	} {
		if got, ok := e164(s); got != want || ok != (want != "") {
			t.Errorf("%q: %q, %v; want %q", s, got, ok, want)
		}
	}
}

func TestLongueur(t *testing.T) {
	for _, c := range []struct {
		text, encodage string
		segments       int
	}{
		{"", "GSM7", 0},
		{strings.Repeat("a", 160), "GSM7", 1},
		{strings.Repeat("a", 161), "GSM7", 2},
		{strings.Repeat("a", 306), "GSM7", 2},
		{strings.Repeat("a", 307), "GSM7", 3},
		{strings.Repeat("€", 80), "GSM7", 1},
		{strings.Repeat("€", 81), "GSM7", 2},
		// 152 places, then a sign of two that does not fit into the last one: it opens the next message.
		{strings.Repeat("a", 152) + "€" + strings.Repeat("a", 151), "GSM7", 2},
		{strings.Repeat("a", 152) + "€" + strings.Repeat("a", 152), "GSM7", 3},
		{"ê" + strings.Repeat("a", 69), "UCS2", 1},
		{"ê" + strings.Repeat("a", 70), "UCS2", 2},
		{strings.Repeat("😀", 35), "UCS2", 1},
		{strings.Repeat("😀", 36), "UCS2", 2},
		{strings.Repeat("😀", 67), "UCS2", 3}, // 33 of them in a message of 67 places
		{"à é è ù ì ò Ç ñ", "GSM7", 1},
		{"ç", "UCS2", 1},
	} {
		if encodage, segments := longueur(c.text); encodage != c.encodage || segments != c.segments {
			t.Errorf("%.20q (%d): %s, %d; want %s, %d", c.text, len([]rune(c.text)), encodage, segments, c.encodage, c.segments)
		}
	}
}

// Every text message of the house is in the alphabet of 7 bits, and one or two of its lengths.
func TestModelesSMS(t *testing.T) {
	relance := message.RelanceEmise{Limite: jourDe("2026-08-05"), TotalCentimes: 123_456_78, Factures: []message.FactureDue{{Numero: "F2026-000123"}}}
	several := relance
	several.Factures = make([]message.FactureDue, 12)
	fuite := message.FuiteDetectee{VolumeLitres: 1_200_000, MoyenneLitres: 60_500}
	for _, c := range []struct {
		modele, langue string
		fait           any
		want           string
	}{
		{"relance", "fr", relance, "Service de l'eau de Brissy : 123 456,78 € à régler avant le 05/08/2026 inclus (facture F2026-000123). Déjà payé ? Ignorez ce message. En difficulté ? Appelez-nous."},
		{"relance", "en", several, "Service de l'eau de Brissy: 123 456,78 € to pay by 05/08/2026 (12 bills). Paid already? Ignore this message. In difficulty? Call us."},
		{"fuite", "fr", fuite, "Service de l'eau de Brissy : consommation anormale, 1 200 m3 au lieu de 60,500 m3. Une fuite est possible : fermez l'arrivée d'eau et regardez si le compteur tourne. Nous vous écrivons."},
		{"fuite", "en", fuite, "Service de l'eau de Brissy: abnormal use of water, 1 200 m3 instead of 60,500 m3. There may be a leak: shut the stop valve and see whether the meter turns. A letter follows."},
	} {
		got, err := ecrireSMS(c.modele, c.langue, lettre{Service: "Service de l’eau de Brissy", Fait: c.fait})
		if err != nil || got != c.want {
			t.Errorf("%s %s: %v\n%s", c.modele, c.langue, err, got)
		}
		if encodage, n := longueur(got); encodage != "GSM7" || n < 1 || n > 2 {
			t.Errorf("%s %s: %d of %s", c.modele, c.langue, n, encodage)
		}
	}
}
