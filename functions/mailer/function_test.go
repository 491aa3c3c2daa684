package main

import (
	"crypto/sha256"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"aquaerp.fr/scripts/mailbox/inbox"
	"aquaerp.fr/shared/function"
	ft "aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

func TestMain(m *testing.M) { ft.Main(m) }

const (
	contratID     = "0190a000-0000-7000-8001-000000000001"
	abonneID      = "0190a000-0000-7000-8002-000000000001"
	pdlID         = "0190a000-0000-7000-8003-000000000001"
	factureID     = "0190a000-0000-7000-8004-000000000001"
	utilisateurID = "0190a000-0000-7000-8005-000000000001"
)

// bundle is a mailer with a mail server of its own.
type bundle struct {
	*ft.Function
	box  *inbox.Box
	smtp net.Listener
}

func setup(t *testing.T) bundle {
	t.Helper()
	b := silent(t)
	b.open(t)
	return b
}

// silent is a mailer whose server does not answer yet.
func silent(t *testing.T) bundle {
	t.Helper()
	t.Parallel()
	box, err := inbox.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := mailer{
		serveur: serveur{host: "127.0.0.1", port: l.Addr().(*net.TCPAddr).Port},
		de:      expediteur{mail.Address{Name: "Eau de Brissy", Address: "eau@brissy.example"}},
	}
	provider := httptest.NewServer(&inbox.SMS{Box: box, Token: "jeton"})
	t.Cleanup(provider.Close)
	m.sms = passerelle{URL: adresseHTTP(provider.URL), Jeton: "jeton", Secrets: []string{"ancien", "secret"}, Emetteur: "BRISSY"}
	return bundle{ft.Start(t, "mailer", func(*function.Runtime) []function.Listen { return m.listens() }), box, l}
}

// open lets the mail server answer until the end of the test.
func (b bundle) open(t *testing.T) {
	t.Helper()
	server := b.box.SMTP()
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(b.smtp) }()
	t.Cleanup(func() { _ = server.Close(); <-done })
}

// tell delivers a fact.
func (b bundle) tell(t *testing.T, e message.Message) {
	t.Helper()
	if status := b.Deliver(t, ft.Event(message.Owner(e.Type()), "", e)); status != http.StatusNoContent {
		t.Fatalf("%s: status %d", e.Type(), status)
	}
}

// ready are the messages announced as ready, in order.
func (b bundle) ready(t *testing.T) []message.EnvoiPret {
	t.Helper()
	return ft.Emitted[message.EnvoiPret](t, b.Function)
}

// send delivers the latest announcement and returns the status.
func (b bundle) send(t *testing.T) int {
	t.Helper()
	all := b.ready(t)
	return b.Deliver(t, ft.Event("mailer", "", all[len(all)-1]))
}

// only is the one message there is.
func (b bundle) only(t *testing.T) message.Envoi {
	t.Helper()
	page := ft.MustAsk(t, b.Function, ft.Staff(), message.Envois{})
	if len(page.Items) != 1 {
		t.Fatalf("%d messages: %+v", len(page.Items), page)
	}
	return page.Items[0]
}

func TestWelcome(t *testing.T) {
	b := setup(t)
	b.tell(t, actif)
	e := b.only(t)
	if e.Etat != "QUEUED" || e.Modele != "BIENVENUE" || e.Canal != "EMAIL" || e.Nom != "Anne Martin" || e.Reference != contratID || e.AbonneID != abonneID {
		t.Errorf("written: %+v", e)
	}
	if status := b.send(t); status != http.StatusNoContent {
		t.Fatalf("status %d", status)
	}
	mails := b.box.Mails()
	if len(mails) != 1 {
		t.Fatalf("%d mails", len(mails))
	}
	m := mails[0]
	if m.Fault != "" || m.To[0] != "anne@courriel.example" || m.Subject != "Bienvenue : votre contrat C-I-77-26-00042 est actif" ||
		m.From != `"Eau de Brissy" <eau@brissy.example>` || m.MessageID != e.ID+"@brissy.example" ||
		!strings.Contains(m.Text, "Bonjour Anne Martin,") || !strings.Contains(m.HTML, "IT20A048271") || len(m.Attachments) != 0 {
		t.Errorf("mail: %+v", m)
	}
	if e = b.only(t); e.Etat != "SENT" || e.EnvoyeA == nil {
		t.Errorf("sent: %+v", e)
	}
	if told := ft.Emitted[message.EnvoiFait](t, b.Function); len(told) != 1 || told[0] != (message.EnvoiFait{EnvoiID: e.ID, Modele: "BIENVENUE", Reference: contratID, AbonneID: abonneID, Le: message.DateOf(*e.EnvoyeA)}) {
		t.Errorf("told: %+v", told)
	}
	if n := b.Count(t, "select count(*) from envoi where texte is not null or html is not null"); n != 0 {
		t.Error("the content of a mail that was sent is kept")
	}
	// The same announcement and the same fact once more.
	b.send(t)
	b.tell(t, actif)
	if len(b.box.Mails()) != 1 || len(b.ready(t)) != 1 {
		t.Errorf("%d mails, %d announced", len(b.box.Mails()), len(b.ready(t)))
	}
}

func TestNoWelcome(t *testing.T) {
	b := silent(t)
	reprise, muet := actif, actif
	reprise.Reprise, muet.Abonne.Email = true, ""
	b.tell(t, reprise)
	b.tell(t, muet)
	if n := b.Count(t, "select count(*) from envoi"); n != 0 {
		t.Errorf("%d messages", n)
	}
}

func TestInvitation(t *testing.T) {
	b := setup(t)
	b.tell(t, invitation)
	b.send(t)
	if m := b.box.Mails(); len(m) != 1 || !strings.Contains(m[0].Text, invitation.Lien) || !strings.Contains(m[0].Text, "jusqu’au 9 octobre 2026") {
		t.Errorf("mails: %+v", m)
	}
	again := invitation
	again.ExpireA = again.ExpireA.Add(time.Hour)
	b.tell(t, again) // another invitation of the same person
	b.send(t)
	if n := len(b.box.Mails()); n != 2 {
		t.Errorf("%d mails, want 2", n)
	}
	if n := b.Count(t, "select count(*) from envoi e where e::text like '%jeton-secret%'"); n != 0 {
		t.Error("the one-time link is still stored")
	}
}

// reply is the answer of facture to what mailer has posted last.
func (b bundle) reply(t *testing.T, payload message.Message, replyType string) int {
	t.Helper()
	var posted ft.Sent
	for _, sent := range b.Outbox(t) {
		if sent.Key == (message.DocumentFacture{}).Type() {
			posted = sent
		}
	}
	e := ft.Event("facture", posted.Event.Subject(), payload)
	e.SetType(replyType)
	e.SetExtension("correlationid", posted.Event.Extensions()["correlationid"])
	return b.Deliver(t, e)
}

// document makes message.Document a payload of the test.
type document struct{ message.Document }

func (document) Type() string { return message.ReplyType(message.DocumentFacture{}.Type()) }

func TestBills(t *testing.T) {
	b := setup(t)
	poste, faux := facture, facture
	poste.FactureID, poste.Email = "0190a000-0000-7000-8004-000000000002", ""
	faux.FactureID, faux.Email = "0190a000-0000-7000-8004-000000000003", "nobody at all"
	lot := message.FacturesEmises{LotID: "0190a000-0000-7000-8006-000000000001", Factures: []message.FactureEmise{facture, poste, faux}}
	b.tell(t, lot)
	b.tell(t, lot) // told twice, under two ids

	page := ft.MustAsk(t, b.Function, ft.Staff(), message.Envois{})
	states := map[string]string{}
	for _, e := range page.Items {
		states[e.Reference] = e.Canal + " " + e.Etat + " " + e.Erreur
	}
	if len(page.Items) != 3 || states[factureID] != "EMAIL ATTENTE_PIECE " || states[poste.FactureID] != "COURRIER QUEUED " || states[faux.FactureID] != "EMAIL FAILED adresse_invalide" {
		t.Errorf("written: %v", states)
	}
	if page.Comptes["ATTENTE_PIECE"] != 1 || page.Comptes["QUEUED"] != 1 || page.Comptes["FAILED"] != 1 {
		t.Errorf("counted: %v", page.Comptes)
	}
	posts := 0
	for _, sent := range b.Outbox(t) {
		if sent.Key == (message.DocumentFacture{}).Type() {
			posts++
			if ext := sent.Event.Extensions(); ext["replyto"] != "mailer" || sent.Event.Subject() != factureID {
				t.Errorf("posted: %v", sent.Event)
			}
		}
	}
	if posts != 1 || len(b.ready(t)) != 0 {
		t.Errorf("%d documents asked for, %d ready", posts, len(b.ready(t)))
	}

	pdf := []byte("%PDF-1.7 \x00\xff une facture")
	d := document{message.Document{ID: factureID, Nom: "F2026-000123.pdf", Mime: "application/pdf", Contenu: pdf}}
	for range 2 {
		if status := b.reply(t, d, d.Type()); status != http.StatusNoContent {
			t.Fatalf("status %d", status)
		}
	}
	if len(b.ready(t)) != 1 {
		t.Errorf("%d announced", len(b.ready(t)))
	}
	b.send(t)
	mails := b.box.Mails()
	if len(mails) != 1 || len(mails[0].Attachments) != 1 {
		t.Fatalf("mails: %+v", mails)
	}
	if a := mails[0].Attachments[0]; a.Name != "F2026-000123.pdf" || a.Mime != "application/pdf" || a.Size != len(pdf) || !strings.Contains(mails[0].Text, "123\u202f456,78\u00a0€") {
		t.Errorf("mail: %+v", mails[0])
	}
	sum := sha256.Sum256(pdf)
	if n := b.Count(t, "select count(*) from envoi where reference = $1 and etat = 'SENT' and piece is null and piece_sha256 = $2", factureID, sum[:]); n != 1 {
		t.Error("the proof of what was sent is not kept")
	}
}

func TestBillWithoutDocument(t *testing.T) {
	b := silent(t)
	b.tell(t, message.FacturesEmises{Factures: []message.FactureEmise{facture}})
	if status := b.reply(t, message.Problem{Status: 404, Code: "facture_inconnue"}, message.RefusalType(message.DocumentFacture{}.Type())); status != http.StatusNoContent {
		t.Fatalf("status %d", status)
	}
	if e := b.only(t); e.Etat != "FAILED" || e.Erreur != "piece: facture_inconnue" {
		t.Errorf("%+v", e)
	}
	if told := ft.Emitted[message.EnvoiRefuse](t, b.Function); len(told) != 1 || told[0].Reference != factureID {
		t.Errorf("told: %+v", told)
	}
}

func TestRefusedForGood(t *testing.T) {
	b := setup(t)
	e := actif
	e.Abonne.Email = "anne@refuse.test"
	b.tell(t, e)
	if status := b.send(t); status != http.StatusNoContent {
		t.Errorf("status %d", status)
	}
	if e := b.only(t); e.Etat != "FAILED" || e.Erreur != "550 5.1.1" {
		t.Errorf("%+v", e)
	}
	if told := ft.Emitted[message.EnvoiRefuse](t, b.Function); len(told) != 1 || told[0].Motif != "550 5.1.1" || told[0].AbonneID != abonneID {
		t.Errorf("told: %+v", told)
	}
}

func TestTryAgainLater(t *testing.T) {
	b := setup(t)
	e := actif
	e.Abonne.Email = "anne@occupe.test"
	b.tell(t, e)
	for attempt := 1; attempt <= essaisRapproches; attempt++ {
		if status := b.send(t); status != http.StatusServiceUnavailable {
			t.Errorf("attempt %d: status %d", attempt, status)
		}
	}
	if status := b.send(t); status != http.StatusNoContent {
		t.Errorf("attempt %d: status %d, want it left to a tick", essaisRapproches+1, status)
	}
	if e := b.only(t); e.Etat != "QUEUED" {
		t.Errorf("%+v", e)
	}
	b.tell(t, message.Tick{})
	if len(b.ready(t)) != 1 {
		t.Error("a tick took it up before it was due")
	}
	b.due(t)
	b.tell(t, message.Tick{})
	b.tell(t, message.Tick{})
	if len(b.ready(t)) != 2 {
		t.Errorf("announced %d times, want 2", len(b.ready(t)))
	}
	if _, err := b.DB.Exec(t.Context(), "update envoi set cree_a = cree_a - interval '5 days'"); err != nil {
		t.Fatal(err)
	}
	b.send(t)
	if e := b.only(t); e.Etat != "FAILED" || e.Erreur != "abandon : 451 4.3.2" {
		t.Errorf("after five days: %+v", e)
	}
}

// due lets the time pass that messages wait.
func (b bundle) due(t *testing.T) {
	t.Helper()
	if _, err := b.DB.Exec(t.Context(), "update envoi set relance_a = now()"); err != nil {
		t.Fatal(err)
	}
}

func TestServerAway(t *testing.T) {
	b := silent(t)
	address := b.smtp.Addr().String()
	_ = b.smtp.Close()
	b.tell(t, actif)
	if status := b.send(t); status != http.StatusServiceUnavailable {
		t.Errorf("status %d", status)
	}
	var err error
	if b.smtp, err = net.Listen("tcp", address); err != nil {
		t.Fatal(err)
	}
	b.open(t)
	if status := b.send(t); status != http.StatusNoContent || len(b.box.Mails()) != 1 {
		t.Errorf("status %d, %d mails", status, len(b.box.Mails()))
	}
}

// The process dies after the server took the mail and before that is known.
func TestCrashAfterSending(t *testing.T) {
	b := setup(t)
	b.tell(t, actif)
	exec := func(sql string) {
		t.Helper()
		if _, err := b.DB.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	exec(`create function mourir() returns trigger language plpgsql as $$ begin raise 'dead'; end $$`)
	exec(`create trigger mourir before update on envoi for each row when (new.etat = 'SENT') execute function mourir()`)
	if status := b.send(t); status != http.StatusServiceUnavailable {
		t.Errorf("status %d", status)
	}
	exec(`drop trigger mourir on envoi`)
	if status := b.send(t); status != http.StatusServiceUnavailable || len(b.box.Mails()) != 1 {
		t.Errorf("delivered again at once: status %d, %d mails", status, len(b.box.Mails()))
	}
	b.due(t)
	if status := b.send(t); status != http.StatusNoContent {
		t.Errorf("delivered again later: status %d", status)
	}
	mails := b.box.Mails()
	if len(mails) != 2 || mails[0].MessageID != mails[1].MessageID || mails[0].Text != mails[1].Text || !mails[0].Date.Equal(mails[1].Date) {
		t.Errorf("the mail and its repetition differ: %+v", mails)
	}
	if e := b.only(t); e.Etat != "SENT" {
		t.Errorf("%+v", e)
	}
}

func TestSameAnnouncementAtOnce(t *testing.T) {
	b := setup(t)
	b.tell(t, actif)
	announced := b.ready(t)[0]
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { b.Deliver(t, ft.Event("mailer", "", announced)) })
	}
	wg.Wait()
	if n := len(b.box.Mails()); n != 1 {
		t.Errorf("%d mails", n)
	}
}

// A server that cannot encrypt gets nothing when encryption is asked for.
func TestEncryptionIsNotGivenUp(t *testing.T) {
	b := setup(t)
	port := b.smtp.Addr().(*net.TCPAddr).Port
	de := expediteur{mail.Address{Address: "eau@brissy.example"}}
	c := &courriel{id: "x", destinataire: "anne@courriel.example", texte: "x", html: "x", date: time.Now()}
	for _, s := range []serveur{
		{host: "127.0.0.1", port: port, always: true},
		{host: "127.0.0.1", port: port, always: true, fromTheStart: true},
		{host: "127.0.0.1", port: port, user: "u", password: "p"},
	} {
		if failure := s.envoyer(t.Context(), de, c); failure == nil || failure.definitif {
			t.Errorf("%+v: %+v", s, failure)
		}
	}
	if len(b.box.Mails()) != 0 {
		t.Error("a mail went out in the clear")
	}
}

func TestScope(t *testing.T) {
	b := silent(t)
	other := actif
	other.ContratID, other.Abonne.ID = "0190a000-0000-7000-8001-000000000002", "0190a000-0000-7000-8002-000000000002"
	b.tell(t, actif)
	b.tell(t, other)
	me := ft.Subscriber(abonneID)
	page := ft.MustAsk(t, b.Function, me, message.Envois{})
	if len(page.Items) != 1 || page.Items[0].AbonneID != abonneID || page.Comptes["QUEUED"] != 1 {
		t.Errorf("own: %+v", page)
	}
	if page := ft.MustAsk(t, b.Function, me, message.Envois{Reference: other.ContratID}); len(page.Items) != 0 || len(page.Comptes) != 0 {
		t.Errorf("foreign reference: %+v", page)
	}
	if _, err := ft.Ask(t, b.Function, me, message.Envois{AbonneID: other.Abonne.ID}); ft.Code(err) != "abonne_inconnu" {
		t.Errorf("foreign file: %v", err)
	}
	first := ft.MustAsk(t, b.Function, ft.Staff(), message.Envois{Etat: "QUEUED", Page: message.Page{Limite: 1}})
	second := ft.MustAsk(t, b.Function, ft.Staff(), message.Envois{Etat: "QUEUED", Page: message.Page{Limite: 1, Curseur: first.Suivant}})
	if first.Suivant == "" || second.Suivant != "" || first.Items[0].AbonneID != other.Abonne.ID || second.Items[0].AbonneID != abonneID {
		t.Errorf("pages: %+v, %+v", first, second)
	}
}

// A letter that the law asks for is written also where there is no address for mail.
func TestReminders(t *testing.T) {
	b := setup(t)
	e := message.RelanceEmise{CourrierID: factureID, AbonneID: abonneID, Nom: "Anne Martin", Email: "anne@courriel.example", Niveau: 2, ServicesSociaux: true,
		Adresse: adresse, Limite: jourDe("2026-12-16"), TotalCentimes: 26620, Factures: []message.FactureDue{{Numero: "F2026-000123", Echeance: jourDe("2026-11-15"), ResteCentimes: 26620}}}
	for range 2 {
		b.tell(t, e)
	}
	if got := b.only(t); got.Modele != "RELANCE" || got.Canal != "EMAIL" || !strings.Contains(got.Objet, "Second rappel") || len(b.ready(t)) != 1 {
		t.Errorf("got %+v", got)
	}
	e.CourrierID, e.Email = contratID, ""
	b.tell(t, e)
	if n := b.Count(t, "select count(*) from envoi where canal = 'COURRIER' and etat = 'QUEUED' and texte like '%FSL%' and html like '%266,20%'"); n != 1 {
		t.Errorf("%d letters are written for the post", n)
	}
}

// A letter that the law asks for is printed when it cannot be sent otherwise.
func TestReminderThatCannotBeSent(t *testing.T) {
	b := setup(t)
	printed := func(why string, want int) {
		t.Helper()
		if n := b.Count(t, "select count(*) from envoi where canal = 'COURRIER' and etat = 'QUEUED'"); n != want {
			t.Errorf("%s: %d letters wait, want %d", why, n, want)
		}
	}
	told := func(canal string, email string) string {
		e := reminder(canal)
		e.CourrierID, e.Email = function.NewID(), email
		b.tell(t, e)
		b.send(t)
		return b.ready(t)[len(b.ready(t))-1].EnvoiID
	}
	b.tell(t, actif)
	told("ECRIT", "anne@refuse.test")
	printed("refused", 1)
	told("ECRIT", "nobody at all")
	printed("no address", 2)
	b.agrees(t, "06 12 34 54 04")
	told("SMS", "anne@courriel.example")
	printed("no such number", 3)
	b.agrees(t, "06 12 34 56 78")
	for _, canal := range []string{"SMS", "ECRIT_SMS"} { // the letter of the second has gone by mail
		id := told(canal, "anne@courriel.example")
		for range 2 {
			if _, err := b.says(t, "secret", notification{ID: canal, Message: id, Etat: "ECHEC", Code: "absent"}); err != nil {
				t.Error(err)
			}
		}
		printed(canal+" that did not arrive", 4)
	}
	if n := b.Count(t, "select count(*) from envoi where lettre is not null"); n != 0 {
		t.Errorf("%d letters are kept with messages that are over", n)
	}
	made := ft.MustAsk(t, b.Function, ft.Staff(), message.PreparerTirage{Modele: "RELANCE"})
	for _, l := range ft.MustAsk(t, b.Function, ft.Staff(), message.LettresDuTirage{TirageID: made.ID}).Lettres {
		if l.Adresse != adresse || l.Nom != "Anne Martin" || !strings.Contains(l.Texte, "F2026-000123, due le 15 novembre 2026") {
			t.Errorf("printed %+v", l)
		}
	}
}

// TestNoticeOfDebit: one letter a debit, by mail or by post.
func TestNoticeOfDebit(t *testing.T) {
	b := setup(t)
	p := message.PrelevementAnnonce{PrelevementID: "0190a000-0000-7000-8007-000000000001", AbonneID: abonneID, Nom: "Anne Martin", Email: "anne@courriel.example",
		Numero: "F2026-000123", MontantCentimes: 26_620, Date: jourDe("2026-12-07"), RUM: "EAU-2026-00000001", IBANMasque: "DE…3000"}
	poste := p
	poste.PrelevementID, poste.Email = "0190a000-0000-7000-8007-000000000002", ""
	told := message.PrelevementsAnnonces{Creancier: "Régie", ICS: "DE98ZZZ09999999999", Prelevements: []message.PrelevementAnnonce{p, poste}}
	b.tell(t, told)
	b.tell(t, told)
	b.send(t)
	mails := b.box.Mails()
	if len(mails) != 1 || !strings.Contains(mails[0].Text, "7 décembre 2026") || !strings.Contains(mails[0].Text, "266,20") || !strings.Contains(mails[0].Text, "EAU-2026-00000001") || !strings.Contains(mails[0].Text, "DE98ZZZ09999999999") {
		t.Errorf("mails: %+v", mails)
	}
	if n := b.Count(t, "select count(*) from envoi where modele = 'PRELEVEMENT'"); n != 2 {
		t.Errorf("%d letters", n)
	}
}

// TestPlansOfPayment: whoever gets a plan gets its days; whoever loses it is told, once.
func TestPlansOfPayment(t *testing.T) {
	b := setup(t)
	plan := message.EcheancierAccorde{Echeancier: message.Echeancier{ID: factureID, AbonneID: abonneID, Nature: "MENSUALISATION", MontantCentimes: 26_620, ParPrelevement: true, GraceJours: 8, CreeLe: jourDe("2026-11-23"),
		Echeances: []message.Echeance{{Date: jourDe("2026-12-18"), MontantCentimes: 13_310}, {Date: jourDe("2027-01-18"), MontantCentimes: 13_310}}}, Nom: "Anne Martin", Email: "anne@courriel.example", Adresse: adresse}
	broken := message.EcheancierRompu{EcheancierID: factureID, AbonneID: abonneID, Nature: "MENSUALISATION", Nom: "Anne Martin", Email: "anne@courriel.example", Adresse: adresse,
		Manquee: jourDe("2026-12-18"), ManqueCentimes: 13_310}
	for _, e := range []message.Message{plan, broken} {
		b.tell(t, e)
		b.tell(t, e)
		b.send(t)
	}
	mails := b.box.Mails()
	if len(mails) != 2 || !strings.Contains(mails[0].Text, "18 janvier 2027 : 133,10") || !strings.Contains(mails[1].Text, "18 décembre 2026") || strings.Contains(mails[1].Text, "Total") {
		t.Errorf("mails: %+v", mails)
	}
	plan.Email, broken.Email = "", ""
	b.tell(t, plan)
	b.tell(t, broken)
	for _, modele := range []string{"ECHEANCIER", "RUPTURE"} { // by post
		made := ft.MustAsk(t, b.Function, ft.Staff(), message.PreparerTirage{Modele: modele})
		if l := ft.MustAsk(t, b.Function, ft.Staff(), message.LettresDuTirage{TirageID: made.ID}).Lettres; len(l) != 1 || l[0].Adresse != adresse || !strings.Contains(l[0].Texte, "18 décembre 2026") {
			t.Errorf("%s: %+v", modele, l)
		}
	}
}
