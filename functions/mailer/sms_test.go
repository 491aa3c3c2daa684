package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"aquaerp.fr/scripts/mailbox/inbox"
	"aquaerp.fr/shared/function"
	ft "aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
	"aquaerp.fr/shared/signature"
)

// agrees has the abonne want text messages at a number.
func (b bundle) agrees(t *testing.T, numero string) message.ContactAbonne {
	t.Helper()
	return ft.MustAsk(t, b.Function, ft.Staff(), message.ConsentirSMS{AbonneID: abonneID, Accepte: true, Numero: numero, Origine: "APPEL"})
}

// reminder is a letter of a level that goes by a channel.
func reminder(canal string) message.RelanceEmise {
	return message.RelanceEmise{CourrierID: factureID, AbonneID: abonneID, Nom: "Anne Martin", Email: "anne@courriel.example", Niveau: 1, Canal: canal,
		Adresse: adresse, Limite: jourDe("2026-12-16"), TotalCentimes: 26620, Factures: []message.FactureDue{{Numero: "F2026-000123", Echeance: jourDe("2026-11-15"), ResteCentimes: 26620}}}
}

// sms are the text messages, the oldest first.
func (b bundle) sms(t *testing.T) (all []message.Envoi) {
	t.Helper()
	for _, e := range ft.MustAsk(t, b.Function, ft.Staff(), message.Envois{}).Items {
		if e.Canal == "SMS" {
			all = append([]message.Envoi{e}, all...)
		}
	}
	return all
}

// says is what the provider tells, signed with a secret.
func (b bundle) says(t *testing.T, secret string, n notification) (message.SMSNotifie, error) {
	t.Helper()
	body, err := json.Marshal(n)
	if err != nil {
		t.Fatal(err)
	}
	return ft.Ask(t, b.Function, function.Identity{}, message.NotifierSMS{Signature: signature.Sign(secret, body, time.Now()), Corps: body})
}

// A level may go also by text message, or by it alone: only to whoever agreed.
func TestChannelsOfALevel(t *testing.T) {
	for canal, want := range map[string][2]int{"": {1, 0}, "ECRIT": {1, 0}, "ECRIT_SMS": {1, 1}, "SMS": {0, 1}} { // mails, text messages
		t.Run(canal, func(t *testing.T) { channel(t, canal, want) })
	}
}

func channel(t *testing.T, canal string, want [2]int) {
	b := setup(t)
	b.agrees(t, "06 12 34 56 78")
	b.tell(t, reminder(canal))
	b.tell(t, reminder(canal))
	for _, e := range b.ready(t) {
		b.Deliver(t, ft.Event("mailer", "", e))
	}
	var got [2]int
	for _, m := range b.box.Mails() {
		if strings.HasPrefix(m.To[0], "+") {
			got[1]++
			if m.To[0] != "+33612345678" || m.From != "BRISSY" || strings.TrimSpace(m.Text) != "Eau de Brissy : 266,20 € à régler avant le 16/12/2026 inclus (facture F2026-000123). Déjà payé ? Ignorez ce message. En difficulté ? Appelez-nous." {
				t.Errorf("%q: %+v", canal, m)
			}
		} else {
			got[0]++
		}
	}
	if got != want {
		t.Errorf("%q: %v mails and text messages, want %v", canal, got, want)
	}
	// Of the reminder itself it is told once, whatever goes with it.
	letters := 0
	for _, e := range ft.Emitted[message.EnvoiFait](t, b.Function) {
		if e.Reference != factureID || e.Le.IsZero() {
			t.Errorf("%q: told %+v", canal, e)
		}
		if !e.Accompagne {
			letters++
		}
	}
	if letters != 1 {
		t.Errorf("%q: told %d times that it left", canal, letters)
	}
	if sent := b.sms(t); want[1] == 1 && (len(sent) != 1 || sent[0].Etat != "SENT" || sent[0].Segments != 1 || sent[0].Encodage != "GSM7") {
		t.Errorf("%q: %+v", canal, sent)
	}
	if n := b.Count(t, "select count(*) from envoi where texte is not null"); n != 0 {
		t.Errorf("%q: %d contents are kept", canal, n)
	}
}

// Whoever said nothing, or no more, is written to.
func TestNoTextMessageWithoutConsent(t *testing.T) {
	b := setup(t)
	b.tell(t, reminder("SMS"))
	if got := b.only(t); got.Canal != "EMAIL" {
		t.Errorf("got %+v", got)
	}
	b.agrees(t, "06 12 34 56 78")
	refused := ft.MustAsk(t, b.Function, ft.Subscriber(abonneID), message.ConsentirSMS{AbonneID: abonneID, Accepte: false})
	if refused.Accepte || !refused.Ouvert || len(refused.Historique) != 2 || refused.Historique[0].Origine != "PORTAIL" || !refused.Historique[1].Accepte || refused.Historique[1].Origine != "APPEL" {
		t.Errorf("got %+v", refused)
	}
	again := reminder("SMS")
	again.CourrierID = contratID
	b.tell(t, again)
	if n := len(b.sms(t)); n != 0 {
		t.Errorf("%d text messages", n)
	}
	// Taken back between the letter and its sending.
	b.agrees(t, "06 12 34 56 78")
	again.CourrierID = pdlID
	b.tell(t, again)
	ft.MustAsk(t, b.Function, ft.Staff(), message.ConsentirSMS{AbonneID: abonneID, Accepte: false, Origine: "APPEL"})
	if status := b.send(t); status != http.StatusNoContent {
		t.Errorf("status %d", status)
	}
	if got := b.sms(t); len(got) != 1 || got[0].Etat != "FAILED" || got[0].Erreur != "consentement_retire" || len(b.box.Mails()) != 0 {
		t.Errorf("got %+v, %d in the box", got, len(b.box.Mails()))
	}
}

func TestConsentIsRefused(t *testing.T) {
	b := silent(t)
	for code, c := range map[string]message.ConsentirSMS{
		"numero_mobile_requis": {AbonneID: abonneID, Accepte: true, Numero: "01 23 45 67 89", Origine: "APPEL"},
		"origine_requise":      {AbonneID: abonneID, Accepte: true, Numero: "06 12 34 56 78"},
		"champs_invalides":     {AbonneID: abonneID, Accepte: true, Origine: "APPEL"},
	} {
		if _, err := ft.Ask(t, b.Function, ft.Staff(), c); ft.Code(err) != code {
			t.Errorf("%s: %v", code, err)
		}
	}
	other := message.ConsentirSMS{AbonneID: utilisateurID, Accepte: true, Numero: "06 12 34 56 78"}
	if _, err := ft.Ask(t, b.Function, ft.Subscriber(abonneID), other); ft.Code(err) != "abonne_inconnu" {
		t.Errorf("for somebody else: %v", err)
	}
	if _, err := ft.Ask(t, b.Function, ft.Subscriber(abonneID), message.ContactDe{AbonneID: utilisateurID}); ft.Code(err) != "abonne_inconnu" {
		t.Errorf("of somebody else: %v", err)
	}
}

// What the provider refuses about the number is for good; the rest is tried again.
func TestProviderRefuses(t *testing.T) {
	b := setup(t)
	b.agrees(t, "06 12 34 54 04")
	b.tell(t, reminder("SMS"))
	if status := b.send(t); status != http.StatusNoContent {
		t.Errorf("status %d", status)
	}
	if got := b.sms(t)[0]; got.Etat != "FAILED" || got.Erreur != "HTTP 422" {
		t.Errorf("got %+v", got)
	}
	b.agrees(t, "06 12 34 55 03")
	later := reminder("SMS")
	later.CourrierID = contratID
	b.tell(t, later)
	for attempt := 1; attempt <= essaisRapproches; attempt++ {
		if status := b.send(t); status != http.StatusServiceUnavailable {
			t.Errorf("attempt %d: status %d", attempt, status)
		}
	}
	if status := b.send(t); status != http.StatusNoContent || b.sms(t)[1].Etat != "QUEUED" {
		t.Errorf("status %d, %+v", status, b.sms(t)[1])
	}
	b.due(t)
	n := len(b.ready(t))
	b.tell(t, message.Tick{})
	if len(b.ready(t)) != n+1 {
		t.Error("no tick takes it up again")
	}
	if _, err := b.DB.Exec(t.Context(), "update envoi set cree_a = cree_a - interval '5 days'"); err != nil {
		t.Fatal(err)
	}
	b.send(t)
	if got := b.sms(t)[1]; got.Etat != "FAILED" || got.Erreur != "abandon : HTTP 503" {
		t.Errorf("after five days: %+v", got)
	}
}

func TestStatusesOfAProvider(t *testing.T) {
	for status, want := range map[int]string{200: "", 202: "", 400: "for good", 410: "for good", 422: "for good", 301: "later", 401: "later", 403: "later", 404: "later", 408: "later", 429: "later", 500: "later", 503: "later"} {
		provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		}))
		got := ""
		if failure := (passerelle{URL: adresseHTTP(provider.URL)}).envoyer(t.Context(), &courriel{id: "x", destinataire: "+33612345678", texte: "x"}); failure != nil {
			if got = "later"; failure.definitif {
				got = "for good"
			}
			if strings.Contains(failure.motif, "336") {
				t.Errorf("%d: the number is told: %s", status, failure.motif)
			}
		}
		if got != want {
			t.Errorf("%d: %q, want %q", status, got, want)
		}
		provider.Close()
	}
}

// The provider tells what became of a message, in any order and as often as it likes.
func TestDelivery(t *testing.T) {
	b := setup(t)
	b.agrees(t, "06 12 34 56 78")
	b.tell(t, reminder("SMS"))
	id := b.sms(t)[0].ID
	// Heard before our own note that the provider has it.
	if r, err := b.says(t, "secret", notification{ID: "1", Message: id, Etat: "REMIS"}); err != nil || r.Etat != "DELIVERED" {
		t.Errorf("%+v, %v", r, err)
	}
	b.send(t)
	for _, n := range []notification{{ID: "1", Message: id, Etat: "REMIS"}, {ID: "2", Message: id, Etat: "ECHEC", Code: "absent"}} {
		if r, err := b.says(t, "ancien", n); err != nil || r.Etat != "DELIVERED" {
			t.Errorf("%+v: %+v, %v", n, r, err)
		}
	}
	if told := ft.Emitted[message.EnvoiFait](t, b.Function); len(told) != 1 || told[0].EnvoiID != id {
		t.Errorf("told %+v", told)
	}
	lost := reminder("SMS")
	lost.CourrierID = contratID
	b.tell(t, lost)
	b.send(t)
	id = b.sms(t)[1].ID
	for code, want := range map[string]string{"absent": "non remis : absent", "+33612345678": "non remis : absent"} {
		if r, err := b.says(t, "secret", notification{ID: "3", Message: id, Etat: "ECHEC", Code: "absent"}); err != nil || r.Etat != "FAILED" || b.sms(t)[1].Erreur != want {
			t.Errorf("%s: %+v, %v, %+v", code, r, err, b.sms(t)[1])
		}
	}
	if told := ft.Emitted[message.EnvoiRefuse](t, b.Function); len(told) != 1 || told[0].Motif != "non remis : absent" {
		t.Errorf("told %+v", told)
	}
	// They answered STOP.
	if _, err := b.says(t, "secret", notification{ID: "4", Message: id, Etat: "STOP"}); err != nil {
		t.Error(err)
	}
	if c := ft.MustAsk(t, b.Function, ft.Staff(), message.ContactDe{AbonneID: abonneID}); c.Accepte || c.Historique[0].Origine != "REPONSE" {
		t.Errorf("got %+v", c)
	}
	// STOP is about the number that said it, and counts once.
	b.agrees(t, "06 87 65 43 21")
	b.tell(t, message.FuiteDetectee{FuiteID: pdlID, AbonneID: abonneID, Nom: "Anne Martin"})
	now := strings.ToUpper(b.sms(t)[2].ID) // a UUID, however it is written
	for i, s := range []struct {
		of      string
		accepte bool
		words   int
	}{{id, true, 3}, {now, false, 4}, {now, false, 4}} {
		if _, err := b.says(t, "secret", notification{ID: fmt.Sprint("stop ", i), Message: s.of, Etat: "STOP"}); err != nil {
			t.Error(err)
		}
		if c := ft.MustAsk(t, b.Function, ft.Staff(), message.ContactDe{AbonneID: abonneID}); c.Accepte != s.accepte || c.Numero != "+33687654321" || len(c.Historique) != s.words {
			t.Errorf("STOP %d: %+v", i, c)
		}
	}
	for want, try := range map[string]func() error{
		"signature_invalide": func() error {
			_, err := b.says(t, "faux", notification{ID: "5", Message: id, Etat: "REMIS"})
			return err
		},
		"notification_illisible": func() error {
			_, err := b.says(t, "secret", notification{ID: "6", Message: id, Etat: "LU"})
			return err
		},
		"envoi_inconnu": func() error {
			_, err := b.says(t, "secret", notification{ID: "7", Message: "x", Etat: "REMIS"})
			return err
		},
		"notification_perimee": func() error {
			body := []byte("{}")
			_, err := ft.Ask(t, b.Function, function.Identity{}, message.NotifierSMS{Signature: signature.Sign("secret", body, time.Now().Add(-time.Hour)), Corps: body})
			return err
		},
	} {
		if err := try(); ft.Code(err) != want {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// The provider calls back, signed, and knows a message that it has by its key.
func TestProviderCallsBack(t *testing.T) {
	t.Parallel()
	box, err := inbox.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	heard := make(chan notification, 1)
	hear := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		_, _ = body.ReadFrom(r.Body)
		if err := signature.Verify(r.Header.Get("Signature"), body.Bytes(), []string{"secret"}, time.Now(), time.Minute); err != nil {
			t.Error(err)
		}
		var n notification
		_ = json.Unmarshal(body.Bytes(), &n)
		heard <- n
	}))
	defer hear.Close()
	provider := &inbox.SMS{Box: box, Token: "jeton", Callback: hear.URL, Secret: "secret"}
	server := httptest.NewServer(provider)
	defer server.Close()
	p := passerelle{URL: adresseHTTP(server.URL), Jeton: "jeton", Emetteur: "BRISSY"}
	f := ft.Start(t, "mailer", func(*function.Runtime) []function.Listen { return mailer{sms: p}.listens() })
	b := bundle{Function: f, box: box}
	b.agrees(t, "06 12 34 56 78")
	b.tell(t, reminder("SMS"))
	b.send(t)
	if _, err := b.DB.Exec(t.Context(), "update envoi set etat = 'QUEUED', envoye_a = null, texte = 'x'"); err != nil { // as if we had died before noting it
		t.Fatal(err)
	}
	b.send(t)
	if n := <-heard; n.Etat != "REMIS" || n.Message != b.sms(t)[0].ID || len(box.Mails()) != 1 {
		t.Errorf("heard %+v, %d in the box", n, len(box.Mails()))
	}
	provider.Wait()
}
