package message

import "testing"

func TestSIREN(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{
		"552100554": true, "732829320": true, "356000000": true,
		"552100555": false, "73282932": false, "7328293200": false, "73282932X": false, "": false, "٧٣٢٨٢٩٣٢٠": false,
	} {
		if got := SIRENValide(s); got != want {
			t.Errorf("SIREN %q: %v", s, got)
		}
	}
	for s, want := range map[string]bool{
		"73282932000074": true, "35600000000048": true, // the head office of La Poste passes the common check
		"35600000049837": true, // a post office: its digits sum to 45
		"35600000049838": false, "73282932000075": false, "73282932100074": false, "7328293200007": false,
	} {
		if got := SIRETValide(s); got != want {
			t.Errorf("SIRET %q: %v", s, got)
		}
	}
	if got := Compact(" 732 829\u00a0320.00074 "); got != "73282932000074" {
		t.Errorf("compact: %q", got)
	}
}

func TestTVA(t *testing.T) {
	t.Parallel()
	if got := TVADe("732829320"); got != "FR44732829320" {
		t.Errorf("the identifier of 732829320 is %s", got)
	}
	for _, c := range []struct {
		tva, siren string
		want       bool
	}{
		{"FR44732829320", "732829320", true}, {"FR44732829320", "", true},
		{"FR45732829320", "732829320", false}, // wrong key
		{"FR44732829320", "552100554", false}, // somebody else's
		{"FRK7732829320", "732829320", true},  // a key with a letter
		{"BE0403170701", "", true}, {"DE12", "", true}, {"D", "", false}, {"44732829320", "", false}, {"BE 040", "", false},
	} {
		if got := TVAValide(c.tva, c.siren); got != c.want {
			t.Errorf("%q of %q: %v", c.tva, c.siren, got)
		}
	}
}
