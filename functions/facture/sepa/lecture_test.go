package sepa

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"aquaerp.fr/shared/message"
)

func fichier(t testing.TB, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name+".xml"))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestExamplesAreValid holds the examples that are read here to the schemas.
func TestExamplesAreValid(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"camt.053.001.08", "camt.054.001.08", "pain.002.001.11"} {
		if err := valide(t, name, fichier(t, name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestLire(t *testing.T) {
	t.Parallel()
	compte := []IBAN{"FR1420041010050500013M02606"}
	day := func(d int) message.Date { return message.NewDate(2026, 12, d) }
	const remise = "PREL-20261123-000001"
	for name, want := range map[string]Fichier{
		"camt.053.001.08": {Nature: Releve, Message: "RELEVE-20261208", Comptes: compte, Operations: []Operation{
			{Ligne: 9, Reference: "BK0001", Credit: true, Centimes: 12346, Devise: "EUR", Date: day(8), Statut: "BOOK", Remise: remise, Lot: remise + "-1"},
			{Ligne: 15, Reference: "BK0002", Credit: true, Centimes: 5000, Devise: "EUR", Date: day(8), Statut: "BOOK", Nom: "ANNE DUPONT", Libelle: "Facture F2026-000007 eau & assainissement"},
			{Ligne: 15, Reference: "TX-3", Credit: true, Centimes: 2050, Devise: "EUR", Date: day(8), Statut: "BOOK", Libelle: "RF18539007547034"},
			{Ligne: 26, Centimes: 4200, Devise: "EUR", Date: day(9), Statut: "PDNG", Libelle: "Frais de tenue de compte"},
		}},
		"camt.054.001.08": {Nature: Avis, Message: "AVIS-20261210", Comptes: compte, Operations: []Operation{
			{Ligne: 7, Reference: "BK0009", Contre: true, Centimes: 12345, Devise: "EUR", Date: day(10), Statut: "BOOK",
				Remise: remise, Lot: remise + "-1", Bout: "F2026-000002-1", RUM: "EAU-00002", Motif: "AM04", Nom: "ANNE DUPONT"},
		}},
		"pain.002.001.11": {Nature: StatutRemise, Message: "STATUT-1", Operations: []Operation{
			{Ligne: 5, Remise: remise, Statut: "PART"},
			{Ligne: 6, Remise: remise, Lot: remise + "-1", Statut: "PART"},
			{Ligne: 8, Remise: remise, Lot: remise + "-1", Bout: "F2026-000001-1", Statut: "RJCT", Motif: "AC04", Centimes: 1, Devise: "EUR", RUM: "EAU-00001"},
			{Ligne: 12, Remise: remise, Lot: remise + "-1", Bout: "F2026-000002-1", Statut: "ACCP"},
			{Ligne: 14, Remise: remise, Lot: remise + "-2", Statut: "RJCT", Motif: "DT01"},
		}},
	} {
		raw := fichier(t, name)
		got, err := Lire(bytes.NewReader(raw))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(got.Operations) != len(want.Operations) {
			t.Errorf("%s: %d operations, want %d", name, len(got.Operations), len(want.Operations))
			continue
		}
		for i := range got.Operations {
			if got.Operations[i] != want.Operations[i] {
				t.Errorf("%s, %d:\n got %+v\nwant %+v", name, i, got.Operations[i], want.Operations[i])
			}
		}
		got.Operations, want.Operations = nil, nil
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
		// On one line, as many banks send it, only the numbers of lines differ.
		if one, err := Lire(bytes.NewReader(bytes.ReplaceAll(raw, []byte("\n"), []byte(" ")))); err != nil || one.Message != want.Message {
			t.Errorf("%s on one line: %v", name, err)
		}
		// An older version says the status as a word.
		old := strings.NewReplacer(".001.08", ".001.02", "<Sts><Cd>BOOK</Cd></Sts>", "<Sts>BOOK</Sts>", "<Pty><Nm>ANNE DUPONT</Nm></Pty>", "<Nm>ANNE DUPONT</Nm>", "pain.002.001.11", "pain.002.001.03").Replace(string(raw))
		before, err := Lire(strings.NewReader(old))
		if err != nil {
			t.Errorf("%s, old: %v", name, err)
			continue
		}
		again, _ := Lire(bytes.NewReader(raw))
		for i, o := range before.Operations {
			if n := again.Operations[i]; o.Statut != n.Statut || o.Nom != n.Nom || o.Centimes != n.Centimes {
				t.Errorf("%s, old: %+v", name, o)
			}
		}
	}
}

// TestHostile is what an enemy, or a bank, may send instead.
func TestHostile(t *testing.T) {
	t.Parallel()
	releve := string(fichier(t, "camt.053.001.08"))
	change := func(old, replacement string) io.Reader {
		if !strings.Contains(releve, old) {
			t.Fatalf("%s is not in the file", old)
		}
		return strings.NewReader(strings.Replace(releve, old, replacement, 1))
	}
	head, _, _ := strings.Cut(releve, "  <Stmt>")
	for name, c := range map[string]struct {
		r     io.Reader
		code  string
		ligne int
	}{
		"nothing":            {strings.NewReader(""), "fichier_vide", 1},
		"spaces":             {strings.NewReader("\n\n  "), "fichier_vide", 3},
		"not XML":            {strings.NewReader("date;montant\n2026-01-01;12"), "xml_invalide", 2},
		"a PDF":              {strings.NewReader("%PDF-1.7\n\xff\xfe"), "xml_invalide", 2},
		"HTML":               {strings.NewReader("<html><body>502</body></html>"), "format_inconnu", 1},
		"another message":    {change("camt.053.001.08", "camt.052.001.08"), "format_inconnu", 2},
		"a version unknown":  {change("camt.053.001.08", "camt.053.001.99"), "format_inconnu", 2},
		"no namespace":       {change(` xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"`, ""), "format_inconnu", 2},
		"the wrong content":  {change("BkToCstmrStmt>", "BkToCstmrDbtCdtNtfctn>"), "format_inconnu", 3},
		"a foreign element":  {change("<Stmt>", `<Stmt xmlns="urn:other">`), "espace_de_noms", 5},
		"a billion laughs":   {change("<Document", "<!DOCTYPE d [<!ENTITY a \"lol\"><!ENTITY b \"&a;&a;&a;\">]>\n<Document"), "doctype_interdit", 2},
		"a file of the host": {change("<Document", "<!DOCTYPE d [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>\n<Document"), "doctype_interdit", 2},
		"an entity":          {change("RELEVE-20261208", "&secret;"), "xml_invalide", 4},
		"cut short":          {strings.NewReader(releve[:len(releve)/2]), "xml_invalide", 0},
		"two documents":      {strings.NewReader(releve + "<Document/>"), "espace_de_noms", 33},
		"two messages":       {change("</Document>", "<BkToCstmrStmt/></Document>"), "format_inconnu", 0},
		"text in between":    {change("<Stmt>", "<Stmt>words"), "xml_invalide", 6},
		"deep":               {strings.NewReader(head + strings.Repeat("<Stmt>", 100)), "trop_profond", 5},
		"deep in an entry":   {change("<NtryRef>1</NtryRef>", strings.Repeat("<a>", 100)), "trop_profond", 10},
		"a line of 2 GB":     {io.MultiReader(strings.NewReader(head+"<Stmt><Id>"), endless('x', 2<<30)), "texte_trop_long", 5},
		"a comment of 2 GB":  {io.MultiReader(strings.NewReader(head+"<!--"), endless('x', 2<<30)), "texte_trop_long", 5},
		"2 GB of entries":    {io.MultiReader(strings.NewReader(head+"<Stmt>"), repeated("<Id>x</Id>", 2<<30)), "fichier_trop_grand", 5},
		"many movements": {io.MultiReader(strings.NewReader(head+"<Stmt><Acct><Id><IBAN>FR1420041010050500013M02606</IBAN></Id></Acct>"),
			repeated(`<Ntry><Amt Ccy="EUR">1</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-01-01</Dt></BookgDt></Ntry>`, 2<<30)), "trop_d_operations", 5},
		"another encoding":   {change(`encoding="UTF-8"`, `encoding="UTF-16"`), "xml_invalide", 1},
		"bytes not UTF-8":    {change("ANNE", "ANN\xc9"), "xml_invalide", 21},
		"no identifier":      {change("<MsgId>RELEVE-20261208</MsgId>", ""), "message_sans_identifiant", 0},
		"a long identifier":  {change("RELEVE-20261208", strings.Repeat("R", 36)), "message_sans_identifiant", 0},
		"a wrong account":    {change("FR14200410", "FR15200410"), "compte_illisible", 7},
		"no account":         {change("<Acct><Id><IBAN>FR1420041010050500013M02606</IBAN></Id><Ccy>EUR</Ccy></Acct>", ""), "compte_illisible", 9},
		"half a centime":     {change("123.46", "123.465"), "montant_invalide", 9},
		"a negative amount":  {change("123.46", "-123.46"), "montant_invalide", 9},
		"a float":            {change("123.46", "1.2346E2"), "montant_invalide", 9},
		"a comma":            {change("123.46", "123,46"), "montant_invalide", 9},
		"an endless amount":  {change("123.46", "99999999999999.00"), "montant_invalide", 9},
		"no sign":            {change("<CdtDbtInd>CRDT</CdtDbtInd><Sts>", "<Sts>"), "sens_invalide", 9},
		"no day":             {change("<BookgDt><Dt>2026-12-08</Dt></BookgDt><ValDt><Dt>2026-12-08</Dt></ValDt>", ""), "date_invalide", 9},
		"a day that is not":  {change("<BookgDt><Dt>2026-12-08</Dt></BookgDt><ValDt><Dt>2026-12-08</Dt></ValDt>", "<BookgDt><Dt>2026-02-30</Dt></BookgDt>"), "date_invalide", 9},
		"a wrong sum":        {change(">50.00<", ">50.01<"), "somme_fausse", 15},
		"a reader that ends": {io.MultiReader(strings.NewReader(head), broken{}), "xml_invalide", 0},
	} {
		f, err := Lire(c.r)
		var refus *Refus
		if !errors.As(err, &refus) {
			t.Errorf("%s: %v is not a refusal", name, err)
			continue
		}
		if refus.Code != c.code || c.ligne > 0 && refus.Ligne != c.ligne {
			t.Errorf("%s: %v, want %s at line %d", name, refus, c.code, c.ligne)
		}
		if !reflect.DeepEqual(f, Fichier{}) {
			t.Errorf("%s: something of the file is returned", name)
		}
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("the line went down") }

// endless are n times the same byte, repeated the same text over n bytes:
// without the memory for it.
func endless(c byte, n int64) io.Reader       { return io.LimitReader(pattern([]byte{c}), n) }
func repeated(text string, n int64) io.Reader { return io.LimitReader(pattern([]byte(text)), n) }
func pattern(text []byte) io.Reader           { return &ring{text: text} }

type ring struct {
	text []byte
	at   int
}

func (r *ring) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = r.text[r.at]
		r.at = (r.at + 1) % len(r.text)
	}
	return len(p), nil
}

func TestCentimes(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]int64{"0": 0, "1": 100, "1.5": 150, "0.01": 1, "1.50000": 150, " 12.34 ": 1234, ".5": 50, "9999999999999.99": 999_999_999_999_999} {
		if got, ok := centimes(s); !ok || got != want {
			t.Errorf("%q: %d %v, want %d", s, got, ok, want)
		}
	}
	for _, s := range []string{"", ".", "1.005", "-1", "+1", "1e3", "0x10", "1 000", "1,5", "١", "12345678901234"} {
		if got, ok := centimes(s); ok {
			t.Errorf("%q is %d", s, got)
		}
	}
	for n := range int64(1000) {
		if got, ok := centimes(fmt.Sprintf("%d.%02d", n/100, n%100)); !ok || got != n {
			t.Errorf("%d: %d", n, got)
		}
	}
}

// FuzzLire finds no file that panics, is half read, or holds what cannot be booked.
func FuzzLire(f *testing.F) {
	for _, name := range []string{"camt.053.001.08", "camt.054.001.08", "pain.002.001.11", "pain.008.001.02"} {
		f.Add(fichier(f, name))
	}
	f.Add([]byte("<!DOCTYPE a><a/>"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		file, err := Lire(bytes.NewReader(raw))
		var refus *Refus
		switch {
		case err != nil && !errors.As(err, &refus):
			t.Fatalf("%v is not a refusal", err)
		case err != nil && (refus.Code == "" || refus.Ligne < 1 || !reflect.DeepEqual(file, Fichier{})):
			t.Fatalf("%+v with %+v", refus, file)
		case err == nil && file.Message == "":
			t.Fatal("a message without an identifier")
		}
		for _, o := range file.Operations {
			if o.Centimes < 0 || len(o.Bout) > 35 || file.Nature != StatutRemise && (o.Date.IsZero() || o.Compte < 0 || o.Compte >= len(file.Comptes)) {
				t.Fatalf("%+v", o)
			}
		}
	})
}
