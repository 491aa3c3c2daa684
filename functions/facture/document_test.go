package main

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
	"time"

	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

// lu is the text that a reader sees in a document.
func lu(t *testing.T, pdf []byte) string {
	t.Helper()
	text, err := exec.Command(tool(t, "pdftotext", "poppler-utils"), "-layout", written(t, "document.pdf", pdf), "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\u00a0", " ")
}

// shows holds that a document says all of some words.
func shows(t *testing.T, pdf []byte, words ...string) {
	t.Helper()
	text := lu(t, pdf)
	for _, want := range words {
		if !strings.Contains(text, want) {
			t.Errorf("the document does not show %q", want)
		}
	}
	if t.Failed() {
		t.Logf("%s", text)
	}
}

func (b *bundle) document(t *testing.T, q message.DocumentFacture) message.Document {
	t.Helper()
	return functiontest.MustAsk(t, b.Function, functiontest.Staff(), q)
}

// TestDocument asks for the bills of a real lot, twice read and with a year
// before, by the public door.
func TestDocument(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	c := contract(0)
	b.deliver(t, "contrat", c.ContratID, c)
	for i, index := range []int64{10, 75, 130, 190} {
		b.read(t, c, message.DateOf(time.Date(2025, time.April, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 6*i, 0)), index, false)
	}
	var last message.Facture
	for i := range 3 {
		du := message.DateOf(time.Date(2025, time.April, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 6*i, 0))
		au := message.DateOf(du.Time().AddDate(0, 6, 0))
		last = b.bills(t, b.issue(t, lotOf(du, au, au.AddDays(14))).ID)[0]
	}
	one := b.document(t, message.DocumentFacture{FactureID: last.ID})
	if again := b.document(t, message.DocumentFacture{FactureID: last.ID}); !bytes.Equal(one.Contenu, again.Contenu) {
		t.Error("the same bill gave two documents")
	}
	if one.Nom != "facture-"+last.Numero+".pdf" {
		t.Errorf("named %q", one.Nom)
	}
	shows(t, one.Contenu, last.Numero, "Anne Dupont0", "266,20", "Distribution de l'eau", "Collecte et traitement des eaux usées",
		"Organismes publics", "TVA 5,5 %", "TVA 10 %", "PDL-00001", "S00000", "130 le 01/04/2026", "190 le 01/10/2026", "relevé", "60 m³", "14 novembre 2026",
		"Livraison de biens et prestation de services", "0,0044 € abonnement compris, 0,0042 € hors abonnement",
		"328 litres par jour", "–8 % en un an (355 l/jour)", "la même période, un an avant", "55", "65",
		"183 jours sur 365", "1,67 €/m³", "Médiation de l'eau", "dans les deux mois", "L'eau d'une résidence principale")
	checkPDF(t, one.Contenu)
	invoice := attachment(t, one.Contenu)
	if err := schema(t, invoice); err != nil {
		t.Error(err)
	}
	if broken := rules(t, "xml", invoice); len(broken) != 0 {
		t.Errorf("the electronic invoice breaks %v", broken)
	}
	copied := b.document(t, message.DocumentFacture{FactureID: last.ID, Duplicata: true})
	shows(t, copied.Contenu, "DUPLICATA", last.Numero)
	if copied.Nom != "facture-"+last.Numero+"-duplicata.pdf" || strings.Contains(lu(t, one.Contenu), "DUPLICATA") {
		t.Errorf("named %q, or the first copy says that it is not", copied.Nom)
	}
}
