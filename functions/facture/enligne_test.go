package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

// signed is a notification as the provider sends it.
func signed(secret string, at time.Time, n notification) message.NotifierPaiement {
	corps, _ := json.Marshal(n)
	sum := signer(secret, append(fmt.Appendf(nil, "%d.", at.Unix()), corps...))
	return message.NotifierPaiement{Signature: fmt.Sprintf("t=%d,v1=%s", at.Unix(), hex.EncodeToString(sum)), Corps: corps}
}

func TestOnlinePayment(t *testing.T) {
	t.Setenv("PAIEMENT_URL", "https://prestataire.example/payer")
	t.Setenv("PAIEMENT_SECRETS", "nouveau,ancien")
	t.Setenv("PAIEMENT_RETOUR", "https://eau.example/espace")
	b := setup(t, 2)
	bills := b.bills(t, b.issue(t, lotOf(avril, octobre, emises)).ID)
	me, now := functiontest.Subscriber(bills[0].AbonneID), time.Now()
	if _, err := functiontest.Ask(t, b.Function, me, message.PayerEnLigne{FactureID: bills[1].ID}); functiontest.Code(err) != "facture_inconnue" {
		t.Errorf("another's bill: %v", err)
	}
	e := functiontest.MustAsk(t, b.Function, me, message.PayerEnLigne{FactureID: bills[0].ID})
	link, err := url.Parse(e.URL)
	if err != nil || !strings.HasPrefix(e.URL, "https://prestataire.example/payer?") || link.Query().Get("montant") != "26620" || e.Etat != "INITIE" {
		t.Fatalf("got %+v", e)
	}
	q := link.Query()
	given := q.Get("signature")
	q.Del("signature")
	if want := hex.EncodeToString(signer("nouveau", []byte(q.Encode()))); given != want {
		t.Errorf("the link is signed %s, want %s", given, want)
	}

	yes := notification{ID: "evt-1", Commande: e.ID, Etat: "ACCEPTE", Mode: "CARTE", MontantCentimes: 26_620, Devise: "EUR", Autorisation: "A42"}
	tell := func(c message.NotifierPaiement) (message.PaiementNotifie, error) {
		return functiontest.Ask(t, b.Function, function.Identity{}, c)
	}
	altered := signed("nouveau", now, yes)
	altered.Corps = []byte(strings.Replace(string(altered.Corps), "evt-1", "evt-2", 1))
	for name, c := range map[string]struct {
		n    message.NotifierPaiement
		code string
	}{
		"altered":         {altered, "signature_invalide"},
		"other secret":    {signed("autre", now, yes), "signature_invalide"},
		"no signature":    {message.NotifierPaiement{Signature: "t=1", Corps: altered.Corps}, "signature_invalide"},
		"old":             {signed("nouveau", now.Add(-6*time.Minute), yes), "notification_perimee"},
		"early":           {signed("nouveau", now.Add(6*time.Minute), yes), "notification_perimee"},
		"other currency":  {signed("nouveau", now, notification{ID: "x", Commande: e.ID, Etat: "ACCEPTE", Mode: "CARTE", MontantCentimes: 26_620, Devise: "USD"}), "devise"},
		"other amount":    {signed("nouveau", now, notification{ID: "x", Commande: e.ID, Etat: "ACCEPTE", Mode: "CARTE", MontantCentimes: 26_621, Devise: "EUR"}), "montant_different"},
		"unknown attempt": {signed("nouveau", now, notification{ID: "x", Commande: "y", Etat: "ACCEPTE", Mode: "CARTE", MontantCentimes: 1, Devise: "EUR"}), "tentative_inconnue"},
		"unknown state":   {signed("nouveau", now, notification{ID: "x", Commande: e.ID, Etat: "PEUT-ETRE", Mode: "CARTE", MontantCentimes: 26_620, Devise: "EUR"}), "notification_illisible"},
	} {
		if _, err := tell(c.n); functiontest.Code(err) != c.code {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
	if n := b.Count(t, "select (select count(*) from paiement) + (select count(*) from notification_paiement)"); n != 0 {
		t.Fatalf("%d rows were kept", n)
	}

	// A first card is refused, another is accepted; both are told twice, at once, and the refusal again at the end.
	no := yes
	no.ID, no.Etat = "evt-0", "REFUSE"
	if r, err := tell(signed("ancien", now, no)); err != nil || r.Etat != "REFUSE" {
		t.Errorf("got %+v, %v", r, err)
	}
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			if _, err := tell(signed("nouveau", now, yes)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	late := no
	late.ID = "evt-9"
	if r, err := tell(signed("nouveau", now, late)); err != nil || r.Etat != "ACCEPTE" {
		t.Errorf("a refusal that came late: %+v, %v", r, err)
	}
	if n := b.Count(t, "select count(*) from paiement"); n != 1 || b.bill(t, bills[0].ID).Etat != "PAYEE" || b.on(t, "5115") != 26_620 {
		t.Errorf("%d payments", n)
	}
	got := functiontest.MustAsk(t, b.Function, me, message.PaiementEnLigneParID{ID: e.ID})
	if got.Etat != "ACCEPTE" || got.PaiementID == "" || got.URL != "" {
		t.Errorf("got %+v", got)
	}
	if _, err := functiontest.Ask(t, b.Function, me, message.PayerEnLigne{FactureID: bills[0].ID}); functiontest.Code(err) != "facture_pas_ouverte" {
		t.Errorf("a bill that is paid: %v", err)
	}
	b.sound(t)
}

func TestNoProvider(t *testing.T) {
	t.Parallel()
	b, bills := billed(t, 1)
	if _, err := functiontest.Ask(t, b.Function, functiontest.Staff(), message.PayerEnLigne{FactureID: bills[0].ID}); functiontest.Code(err) != "paiement_en_ligne_absent" {
		t.Errorf("got %v", err)
	}
	if _, err := functiontest.Ask(t, b.Function, function.Identity{}, signed("", time.Now(), notification{ID: "1"})); functiontest.Code(err) != "signature_invalide" {
		t.Errorf("without a secret: %v", err)
	}
}
