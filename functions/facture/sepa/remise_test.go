package sepa

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"aquaerp.fr/shared/message"
)

var update = flag.Bool("update", false, "write the golden files")

// exemple has each sequence, a debtor with and without BIC, a changed account and names that a bank does not take.
func exemple(version string) Remise {
	signe := message.NewDate(2025, time.March, 3)
	p := func(n int, centimes int64) Prelevement {
		return Prelevement{ID: fmt.Sprintf("F2026-%06d-1", n), Centimes: centimes, RUM: fmt.Sprintf("EAU-%05d", n), Signature: signe,
			Nom: "Éléonore Œdipe & Fils", IBAN: must(ParseIBAN(published[n%len(published)])), Libelle: fmt.Sprintf("Facture d’eau F2026-%06d", n)}
	}
	changed := p(3, 99_999_999_999)
	changed.Modifie, changed.BIC = true, "PSSTFRPPPAR"
	return Remise{Version: version, ID: "PREL-20261123-000001", CreeA: time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC),
		Creancier: Creancier{Nom: "Régie des eaux de Brissy", ICS: "DE98ZZZ09999999999", BIC: "BNPAFRPP", IBAN: must(ParseIBAN(published[0]))},
		Lots: []Lot{
			{ID: "PREL-20261123-000001-1", Sequence: "FRST", Date: message.NewDate(2026, 12, 7), Prelevements: []Prelevement{p(1, 1), p(2, 12345)}},
			{ID: "PREL-20261123-000001-2", Sequence: "RCUR", Date: message.NewDate(2026, 12, 7), Prelevements: []Prelevement{changed}},
			{ID: "PREL-20261123-000001-3", Sequence: "FNAL", Date: message.NewDate(2026, 12, 8), Prelevements: []Prelevement{p(4, 100)}},
			{ID: "PREL-20261123-000001-4", Sequence: "OOFF", Date: message.NewDate(2026, 12, 8), Prelevements: []Prelevement{p(5, 7)}},
		}}
}

// TestRemise holds the file to the bytes committed, and those to the schema of
// ISO 20022. For pain.008.001.08 it is that of the next version, under the
// name of this one: what the scheme uses is the same in both.
func TestRemise(t *testing.T) {
	t.Parallel()
	for version, schema := range map[string]string{V02: V02, V08: "pain.008.001.09"} {
		var first, second bytes.Buffer
		if err := exemple(version).Ecrire(&first); err != nil {
			t.Fatal(err)
		}
		if err := exemple(version).Ecrire(&second); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Errorf("%s is not the same twice (%v)", version, err)
		}
		golden := filepath.Join("testdata", version+".xml")
		if *update {
			if err := os.WriteFile(golden, first.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first.Bytes(), want) {
			t.Errorf("%s differs from %s; see -update:\n%s", version, golden, first.Bytes())
		}
		if err := valide(t, schema, bytes.ReplaceAll(first.Bytes(), []byte(version), []byte(schema))); err != nil {
			t.Errorf("%s: %v", version, err)
		}
	}
}

// TestSchemaFindsFaults spoils the file in ways that the schema must find:
// else the test above proves nothing.
func TestSchemaFindsFaults(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := exemple(V02).Ecrire(&b); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]string{
		{"<PmtMtd>DD</PmtMtd>", ""}, {"<PmtMtd>DD", "<PmtMtd>TRF"}, {"<SeqTp>FRST", "<SeqTp>SECOND"}, {`Ccy="EUR"`, `Ccy="euro"`},
		{"<NbOfTxs>5", "<NbOfTxs>five"}, {"<BIC>BNPAFRPP", "<BIC>BNP"}, {"<ReqdColltnDt>2026-12-07", "<ReqdColltnDt>07/12/2026"},
		{"<MsgId>PREL", "<MsgId>" + strings.Repeat("X", 30) + "PREL"}, {"pain.008.001.02", "pain.008.001.03"},
	} {
		wrong := strings.Replace(b.String(), c[0], c[1], 1)
		if wrong == b.String() {
			t.Fatalf("%s is not in the file", c[0])
		}
		if valide(t, V02, []byte(wrong)) == nil {
			t.Errorf("%s for %s passes", c[1], c[0])
		}
	}
}

// valide checks a document with xmllint (package libxml2-utils).
func valide(t *testing.T, schema string, xml []byte) error {
	t.Helper()
	xmllint, err := exec.LookPath("xmllint")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("xmllint is not installed (package libxml2-utils)")
		}
		t.Skip("xmllint is not installed (package libxml2-utils)")
	}
	cmd := exec.CommandContext(t.Context(), xmllint, "--noout", "--nonet", "--schema", filepath.Join("testdata", "xsd", schema+".xsd"), "-")
	cmd.Stdin = bytes.NewReader(xml)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// TestSums adds what is written: the sums of the file are those of its debits.
func TestSums(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	r := exemple(V02)
	if err := r.Ecrire(&b); err != nil {
		t.Fatal(err)
	}
	var sum int64
	amounts := regexp.MustCompile(`<InstdAmt Ccy="EUR">(\d+)\.(\d\d)<`).FindAllStringSubmatch(b.String(), -1)
	for _, m := range amounts {
		var euros, cents int64
		if _, err := fmt.Sscan(m[1], &euros); err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Sscanf(m[2], "%02d", &cents); err != nil {
			t.Fatal(err)
		}
		sum += 100*euros + cents
	}
	n, total := r.Total()
	if len(amounts) != n || sum != total || total != 100_000_012_452 {
		t.Errorf("%d debits of %d, want %d of %d", len(amounts), sum, n, total)
	}
	if head := fmt.Sprintf("<NbOfTxs>%d</NbOfTxs>\n   <CtrlSum>%d.%02d</CtrlSum>\n   <InitgPty>", n, sum/100, sum%100); !strings.Contains(b.String(), head) {
		t.Errorf("the header does not say %s:\n%.600s", head, b.String())
	}
}

func TestRemiseRefuses(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*Remise){
		"version":        func(r *Remise) { r.Version = "pain.008.001.99" },
		"nothing":        func(r *Remise) { r.Lots = nil },
		"an empty lot":   func(r *Remise) { r.Lots[0].Prelevements = nil },
		"zero":           func(r *Remise) { r.Lots[0].Prelevements[0].Centimes = 0 },
		"a credit":       func(r *Remise) { r.Lots[0].Prelevements[0].Centimes = -1 },
		"too much":       func(r *Remise) { r.Lots[0].Prelevements[0].Centimes = 100_000_000_000 },
		"the same twice": func(r *Remise) { r.Lots[1].Prelevements[0].ID = r.Lots[0].Prelevements[0].ID },
		"a lot twice":    func(r *Remise) { r.Lots[1].ID = r.Lots[0].ID },
		"a long id":      func(r *Remise) { r.ID = strings.Repeat("A", 36) },
		"an accent":      func(r *Remise) { r.ID = "é" },
		"a wrong RUM":    func(r *Remise) { r.Lots[0].Prelevements[0].RUM = "a b" },
	} {
		r := exemple(V02)
		spoil(&r)
		if err := r.Ecrire(&bytes.Buffer{}); err == nil {
			t.Errorf("%s passes", name)
		}
	}
}
