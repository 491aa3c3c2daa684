package main

import (
	"bytes"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"aquaerp.fr/shared/function"
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

// hides holds that a document says none of some words.
func hides(t *testing.T, pdf []byte, words ...string) {
	t.Helper()
	said := lu(t, pdf)
	for _, w := range words {
		if strings.Contains(said, w) {
			t.Errorf("the document shows %q", w)
		}
	}
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

func TestAttestations(t *testing.T) {
	t.Parallel()
	b := setup(t, 2)
	staff := functiontest.Staff()
	c := b.contrats[0]
	me, other := functiontest.Subscriber(c.Abonne.ID), functiontest.Subscriber(b.contrats[1].Abonne.ID)
	d := functiontest.MustAsk(t, b.Function, me, message.AttestationAbonnement{ContratID: c.ContratID})
	shows(t, d.Contenu, "Attestation d'abonnement", "Anne Dupont0", c.Numero, "1er janvier 2024", "PDL-00001")
	checkPDF(t, d.Contenu)
	shows(t, functiontest.MustAsk(t, b.Function, me, message.AttestationNonDette{AbonneID: me.AbonneID}).Contenu, "ne doit rien", c.Numero, "0,00 €")

	f := b.bills(t, b.issue(t, lotOf(avril, octobre, emises)).ID)
	mine := f[0]
	if mine.AbonneID != me.AbonneID {
		mine = f[1]
	}
	_, err := functiontest.Ask(t, b.Function, staff, message.AttestationNonDette{AbonneID: me.AbonneID})
	if p := problem(err); p.Code != "compte_non_solde" || !strings.Contains(p.Detail, "266,20") || !strings.Contains(p.Detail, mine.Numero) {
		t.Errorf("got %+v", p)
	}
	paid := functiontest.MustAsk(t, b.Function, staff, message.EnregistrerPaiement{Mode: "CHEQUE", MontantCentimes: 30_000, RecuLe: emises, Reference: mine.Numero})
	recu := functiontest.MustAsk(t, b.Function, me, message.RecuPaiement{PaiementID: paid.ID})
	shows(t, recu.Contenu, "Reçu de paiement", "300,00 €", "15 octobre 2026", "chèque", "Facture "+mine.Numero, "266,20 €", "33,80 €", "Sous réserve d'encaissement")
	shows(t, functiontest.MustAsk(t, b.Function, me, message.AttestationNonDette{AbonneID: me.AbonneID}).Contenu, "33,80 € en votre faveur")

	for name, err := range map[string]error{
		"another's contract": refusal(functiontest.Ask(t, b.Function, other, message.AttestationAbonnement{ContratID: c.ContratID})),
		"another's account":  refusal(functiontest.Ask(t, b.Function, other, message.AttestationNonDette{AbonneID: me.AbonneID})),
		"another's receipt":  refusal(functiontest.Ask(t, b.Function, other, message.RecuPaiement{PaiementID: paid.ID})),
	} {
		if problem(err).Status != 404 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := b.DB.Exec(t.Context(), "update contrat set resilie_le = '2026-10-01' where id = $1", c.ContratID); err != nil {
		t.Fatal(err)
	}
	if _, err := functiontest.Ask(t, b.Function, me, message.AttestationAbonnement{ContratID: c.ContratID}); functiontest.Code(err) != "contrat_resilie" {
		t.Errorf("a contract that ended: %v", err)
	}
}

func refusal(_ message.Document, err error) error { return err }

func problem(err error) message.Problem {
	var p *message.Problem
	if errors.As(err, &p) {
		return *p
	}
	return message.Problem{}
}

// TestAvoirOnPaper issues an avoir and a bill of works by the public door, and reads them.
func TestAvoirOnPaper(t *testing.T) {
	t.Parallel()
	b := setup(t, 1)
	staff := functiontest.Staff()
	f := b.bills(t, b.issue(t, lotOf(avril, octobre, emises)).ID)[0]
	functiontest.MustAsk(t, b.Function, staff, message.EmettreAvoir{FactureID: f.ID, Motif: "index mal relevé"})
	var id string
	if err := b.DB.QueryRow(t.Context(), "select id from facture where nature = 'AVOIR'").Scan(&id); err != nil {
		t.Fatal(err)
	}
	d := b.document(t, message.DocumentFacture{FactureID: id})
	shows(t, d.Contenu, "Avoir", "Cet avoir annule la facture "+f.Numero, "index mal relevé", "–266,20 €", "Rien à payer", "En votre faveur")
	invoice := attachment(t, d.Contenu)
	if !bytes.Contains(invoice, []byte("<ram:TypeCode>381<")) || !bytes.Contains(invoice, []byte(f.Numero)) {
		t.Errorf("the electronic credit note does not name what it takes back:\n%s", invoice)
	}
	if err := schema(t, invoice); err != nil {
		t.Error(err)
	}
	if broken := rules(t, "xml", invoice); len(broken) != 0 {
		t.Errorf("breaks %v", broken)
	}
}

// TestCahiers prints a lot in parts: every bill once, in the order of the post.
func TestCahiers(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	const n = 30
	for i := range n {
		c := contract(i)
		c.Abonne.Adresse.CodePostal = []string{"77116", "01000", "45200"}[i%3]
		if i%2 == 0 {
			c.Abonne.Email = ""
		}
		b.deliver(t, "contrat", c.ContratID, c)
		b.read(t, c, avril, 130, false)
		b.read(t, c, octobre, 190, false)
	}
	staff := functiontest.Staff()
	prepared := functiontest.MustAsk(t, b.Function, staff, lotOf(avril, octobre, emises))
	if got := functiontest.MustAsk(t, b.Function, staff, message.Cahiers{LotID: prepared.ID}); got.Factures != 0 {
		t.Errorf("a lot that is not issued: %+v", got)
	}
	functiontest.MustAsk(t, b.Function, staff, message.RejeterLot{LotID: prepared.ID, Motif: "essai"})
	b.settle(t)
	lot := b.issue(t, lotOf(avril, octobre, emises))
	whole := functiontest.MustAsk(t, b.Function, staff, message.Cahiers{LotID: lot.ID})
	if whole.Factures != n || len(whole.Cahiers) != 1 || whole.Cahiers[0].Premier != "01000 Guercheville" || whole.Cahiers[0].Dernier != "77116 Guercheville" {
		t.Fatalf("got %+v", whole)
	}
	if post := functiontest.MustAsk(t, b.Function, staff, message.Cahiers{LotID: lot.ID, Poste: true}); post.Factures != n/2 {
		t.Errorf("by post: %+v", post)
	}
	printed := functiontest.MustAsk(t, b.Function, staff, message.ImprimerCahier{LotID: lot.ID, Rang: 1})
	checkPDF(t, printed.Contenu)
	text := lu(t, printed.Contenu)
	if pages := strings.Count(text, "\f"); pages != 2*n {
		t.Errorf("%d pages, want %d: two for each bill", pages, 2*n)
	}
	if first, last := strings.Index(text, "01000 Guercheville"), strings.LastIndex(text, "77116 Guercheville"); first < 0 || first > last {
		t.Error("not in the order of the post")
	}
	seen, cursor := map[string]bool{}, ""
	for range 3 {
		page := functiontest.MustAsk(t, b.Function, staff, message.DocumentsCahier{LotID: lot.ID, Rang: 1, Page: message.Page{Curseur: cursor}})
		for _, d := range page.Items {
			seen[d.Nom] = true
		}
		if cursor = page.Suivant; cursor == "" {
			break
		}
	}
	if len(seen) != n || cursor != "" {
		t.Errorf("%d files, want %d", len(seen), n)
	}
	if _, err := functiontest.Ask(t, b.Function, staff, message.ImprimerCahier{LotID: lot.ID, Rang: 2}); functiontest.Code(err) != "cahier_inconnu" {
		t.Errorf("a part too many: %v", err)
	}
	me := functiontest.Subscriber(function.NewID())
	if _, err := functiontest.Ask(t, b.Function, me, message.ImprimerCahier{LotID: lot.ID, Rang: 1}); problem(err).Status != 403 {
		t.Errorf("a subscriber prints a lot: %v", err)
	}
}
