package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aquaerp.fr/scripts/prestataire/terminal"
	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
	"aquaerp.fr/shared/signature"
)

const nouveau, ancien = "nouveau-secret-partage", "ancien-secret-partage"

// signed is a notification as the provider sends it.
func signed(secret string, at time.Time, n notification) message.NotifierPaiement {
	corps, _ := json.Marshal(n)
	return message.NotifierPaiement{Signature: signature.Sign(secret, corps, at), Corps: corps}
}

// online is a village with issued bills and a provider.
func online(t *testing.T, contrats int) (*bundle, []message.Facture) {
	t.Setenv("PAIEMENT_URL", "https://prestataire.example/payer")
	t.Setenv("PAIEMENT_SECRETS", nouveau+", "+ancien)
	t.Setenv("PORTAL_URL", "https://eau.example")
	return billed(t, contrats)
}

// start begins an attempt as the abonne of the bill, and is what the provider will tell of it.
func (b *bundle) start(t *testing.T, f message.Facture) (message.PaiementEnLigne, notification) {
	t.Helper()
	e := functiontest.MustAsk(t, b.Function, functiontest.Subscriber(f.AbonneID), message.PayerEnLigne{FactureID: f.ID})
	return e, notification{Commande: e.ID, Etat: "ACCEPTE", Mode: "CARTE", MontantCentimes: e.MontantCentimes, Devise: "EUR"}
}

// tell is what the provider says of a transaction.
func (b *bundle) tell(t *testing.T, n notification, id, transaction, etat string) (message.PaiementNotifie, error) {
	t.Helper()
	n.ID, n.Transaction, n.Etat = id, transaction, etat
	return functiontest.Ask(t, b.Function, function.Identity{}, signed(nouveau, time.Now(), n))
}

// told is tell where the answer is known.
func (b *bundle) told(t *testing.T, n notification, id, transaction, etat, want string) {
	t.Helper()
	if r, err := b.tell(t, n, id, transaction, etat); err != nil || r.Etat != want {
		t.Errorf("%s %s: got %q, %v, want %s", id, etat, r.Etat, err, want)
	}
}

func TestOnlinePayment(t *testing.T) {
	b, bills := online(t, 2)
	me, now := functiontest.Subscriber(bills[0].AbonneID), time.Now()
	if _, err := functiontest.Ask(t, b.Function, me, message.PayerEnLigne{FactureID: bills[1].ID}); functiontest.Code(err) != "facture_inconnue" {
		t.Errorf("another's bill: %v", err)
	}
	if !b.account(t, bills[0].AbonneID).EnLigne {
		t.Error("the account says that nothing can be paid online")
	}
	e, yes := b.start(t, bills[0])
	link, err := url.Parse(e.URL)
	if err != nil || !strings.HasPrefix(e.URL, "https://prestataire.example/payer?") || e.Etat != "INITIE" || e.Numero != bills[0].Numero {
		t.Fatalf("got %+v", e)
	}
	q := link.Query()
	given := q.Get("signature")
	q.Del("signature")
	if want := hex.EncodeToString(signature.MAC(nouveau, []byte(q.Encode()))); given != want {
		t.Errorf("the link is signed %s, want %s", given, want)
	}
	if q.Get("montant") != "26620" || q.Get("retour") != "https://eau.example/factures/"+bills[0].ID+"?paiement="+e.ID || q.Get("expire") != fmt.Sprint(e.ExpireA.Unix()) ||
		e.ExpireA.Before(now.Add(29*time.Minute)) {
		t.Errorf("the link is %s", e.URL)
	}

	yes.ID, yes.Transaction = "evt-1", "tr-1"
	tell := func(c message.NotifierPaiement) (refus string) {
		r, err := functiontest.Ask(t, b.Function, function.Identity{}, c)
		return r.Refus + functiontest.Code(err)
	}
	with := func(change func(*notification)) message.NotifierPaiement {
		n := yes
		change(&n)
		return signed(nouveau, now, n)
	}
	altered := signed(nouveau, now, yes)
	altered.Corps = []byte(strings.Replace(string(altered.Corps), "evt-1", "evt-2", 1))
	for name, c := range map[string]struct {
		n    message.NotifierPaiement
		code string
	}{
		"altered":           {altered, "signature_invalide"},
		"other secret":      {signed("un-secret-de-personne", now, yes), "signature_invalide"},
		"no secret":         {signed("", now, yes), "signature_invalide"},
		"no signature":      {message.NotifierPaiement{Signature: "t=1", Corps: altered.Corps}, "signature_invalide"},
		"old":               {signed(nouveau, now.Add(-6*time.Minute), yes), "notification_perimee"},
		"early":             {signed(nouveau, now.Add(6*time.Minute), yes), "notification_perimee"},
		"other currency":    {with(func(n *notification) { n.Devise = "USD" }), "devise"},
		"other amount":      {with(func(n *notification) { n.MontantCentimes++ }), "montant_different"},
		"no attempt":        {with(func(n *notification) { n.Commande = "y" }), "tentative_inconnue"},
		"unknown attempt":   {with(func(n *notification) { n.Commande = function.NewID() }), "tentative_inconnue"},
		"unknown state":     {with(func(n *notification) { n.Etat = "PEUT-ETRE" }), "notification_illisible"},
		"unknown means":     {with(func(n *notification) { n.Mode = "ESPECES" }), "notification_illisible"},
		"no transaction":    {with(func(n *notification) { n.Transaction = "" }), "notification_illisible"},
		"name of a control": {with(func(n *notification) { n.ID = "evt\x00" }), "notification_illisible"},
	} {
		for range 2 {
			if got := tell(c.n); got != c.code {
				t.Errorf("%s: %s, want %s", name, got, c.code)
			}
		}
	}
	if n := b.Count(t, "select (select count(*) from paiement) + (select count(*) from notification_paiement)"); n != 0 {
		t.Fatalf("%d rows were kept", n)
	}
	// What was signed is there for a person to look at, once each; what anybody may have sent is not.
	if kept := functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.ARapprocher{}).Refusees; len(kept) != 8 ||
		!slices.ContainsFunc(kept, func(n message.NotificationRefusee) bool {
			return n.Code == "montant_different" && n.Transaction == "tr-1" && n.MontantCentimes == e.MontantCentimes+1 && n.DetailEN != ""
		}) {
		t.Errorf("kept %+v", kept)
	} else {
		// Who has dealt with one says so once; it comes after those that wait, also when it is told again.
		seen := message.TraiterNotification{NotificationID: kept[0].ID, Mot: "remboursé chez le prestataire"}
		n := functiontest.MustAsk(t, b.Function, functiontest.Staff(), seen)
		if n.ID != kept[0].ID || n.TraiteeA == nil || n.TraiteePar != functiontest.Staff().Nom || n.Mot != seen.Mot {
			t.Errorf("dealt with: %+v", n)
		}
		tell(with(func(n *notification) { n.Devise = "USD" }))
		after := functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.ARapprocher{}).Refusees
		if len(after) != 8 || after[7].ID != n.ID || after[7].Mot != n.Mot || slices.ContainsFunc(after[:7], func(n message.NotificationRefusee) bool { return n.TraiteeA != nil }) {
			t.Errorf("after it: %+v", after)
		}
		unknown := seen
		unknown.NotificationID = strings.Repeat("0", 64)
		for code, c := range map[string]message.TraiterNotification{"notification_traitee": seen, "notification_inconnue": unknown, "champs_invalides": {NotificationID: kept[1].ID}} {
			if got := functiontest.Code(ask(t, b, functiontest.Staff(), c)); got != code {
				t.Errorf("%q, want %q", got, code)
			}
		}
	}

	// A first card is refused, another is accepted; both are told twice, at once, and the refusal again at the end.
	no := yes
	no.ID, no.Transaction, no.Etat = "evt-0", "tr-0", "REFUSE"
	if r, err := functiontest.Ask(t, b.Function, function.Identity{}, signed(ancien, now, no)); err != nil || r.Etat != "REFUSE" {
		t.Errorf("got %+v, %v", r, err)
	}
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			if got := tell(signed(nouveau, now, yes)); got != "" {
				t.Error(got)
			}
		})
	}
	all.Wait()
	b.told(t, yes, "evt-9", "tr-0", "REFUSE", "ACCEPTE")
	b.told(t, yes, "evt-10", "tr-1", "ACCEPTE", "ACCEPTE") // the same try under another name
	if n := b.Count(t, "select count(*) from paiement"); n != 1 || b.bill(t, bills[0].ID).Etat != "PAYEE" || b.on(t, "5115") != 26_620 {
		t.Errorf("%d payments", n)
	}
	got := functiontest.MustAsk(t, b.Function, me, message.PaiementEnLigneParID{ID: e.ID})
	if got.Etat != "ACCEPTE" || got.Paiement == nil || got.Paiement.ID != got.PaiementID || got.Paiement.Lettrages[0].FactureID != bills[0].ID || got.URL != "" {
		t.Errorf("got %+v", got)
	}
	if _, err := functiontest.Ask(t, b.Function, functiontest.Subscriber(bills[1].AbonneID), message.PaiementEnLigneParID{ID: e.ID}); functiontest.Code(err) != "tentative_inconnue" {
		t.Errorf("another's attempt: %v", err)
	}
	if _, err := functiontest.Ask(t, b.Function, me, message.PayerEnLigne{FactureID: bills[0].ID}); functiontest.Code(err) != "facture_pas_ouverte" {
		t.Errorf("a bill that is paid: %v", err)
	}
	b.exec(t, "insert into prelevement_a_faire (id, abonne_id, facture_id, montant_centimes, date, etat, cree_a) select gen_random_uuid(), abonne_id, id, ttc_centimes, echeance, 'REMIS', now() from facture where id = $1", bills[1].ID)
	if _, err := functiontest.Ask(t, b.Function, functiontest.Subscriber(bills[1].AbonneID), message.PayerEnLigne{FactureID: bills[1].ID}); functiontest.Code(err) != "prelevement_en_cours" {
		t.Errorf("a bill whose debit is at the bank: %v", err)
	}
	b.sound(t)
}

// What contradicts what was told before changes nothing, and is not swallowed.
func TestContradictingNotifications(t *testing.T) {
	b, bills := online(t, 2)
	_, a := b.start(t, bills[0])
	_, other := b.start(t, bills[1])
	b.told(t, a, "evt-1", "tr-1", "REFUSE", "REFUSE")
	b.told(t, a, "evt-2", "tr-2", "ACCEPTE", "ACCEPTE")
	for name, c := range map[string]struct {
		n                     notification
		id, transaction, etat string
	}{
		"a name again, accepted":              {a, "evt-1", "tr-1", "ACCEPTE"},
		"a name again, of another try":        {a, "evt-1", "tr-3", "REFUSE"},
		"a name again, of another order":      {other, "evt-1", "tr-1", "REFUSE"},
		"a try again, of another order":       {other, "evt-3", "tr-2", "ACCEPTE"},
		"an accepted try that is refused now": {a, "evt-4", "tr-2", "REFUSE"},
	} {
		if r, err := b.tell(t, c.n, c.id, c.transaction, c.etat); err != nil || r.Refus != "notification_contredite" {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	if n := b.Count(t, "select count(*) from paiement"); n != 1 || b.Count(t, "select count(*) from notification_paiement") != 2 {
		t.Errorf("%d payments", n)
	}
	// A refusal that was overruled is money all the same.
	b.told(t, other, "evt-5", "tr-5", "REFUSE", "REFUSE")
	b.told(t, other, "evt-6", "tr-5", "ACCEPTE", "ACCEPTE")
	if b.bill(t, bills[1].ID).Etat != "PAYEE" {
		t.Error("the money that came after a refusal was not taken")
	}
	b.sound(t)
}

// Money that the provider took is never refused for what became of the bill.
func TestOnlinePaymentOfABillThatWasPaid(t *testing.T) {
	b, bills := online(t, 1)
	f := bills[0]
	first, yes := b.start(t, f)
	again, _ := b.start(t, f)
	if again.ID != first.ID {
		t.Errorf("two clicks made the attempts %s and %s", first.ID, again.ID)
	}
	b.pay(t, "CHEQUE", 6_620, f.Numero) // meanwhile, so that another attempt asks for less
	second, rest := b.start(t, f)
	if second.ID == first.ID || second.MontantCentimes != 20_000 {
		t.Fatalf("got %+v", second)
	}
	b.told(t, rest, "evt-1", "tr-1", "ACCEPTE", "ACCEPTE")
	b.told(t, yes, "evt-2", "tr-2", "ACCEPTE", "ACCEPTE") // the first tab
	b.told(t, yes, "evt-3", "tr-3", "ACCEPTE", "ACCEPTE") // and once more with another card
	staff := functiontest.Staff()
	if got := functiontest.MustAsk(t, b.Function, staff, message.PaiementEnLigneParID{ID: first.ID}); got.Paiement.AvanceCentimes != 26_620 || len(got.Paiement.Lettrages) != 0 || got.Paiement.Piece != "tr-2" {
		t.Errorf("got %+v", got.Paiement)
	}
	waiting := functiontest.MustAsk(t, b.Function, staff, message.ARapprocher{})
	if len(waiting.Avances) != 2 || b.on(t, "5115") != 20_000+2*26_620 || b.account(t, f.AbonneID).SoldeCentimes != -2*26_620 {
		t.Errorf("advances %+v", waiting.Avances)
	}
	b.sound(t)
}

// A person saw the payment at the provider's and recorded it; the notification that was lost comes after all.
func TestOnlinePaymentRecordedByHand(t *testing.T) {
	b, bills := online(t, 1)
	f := bills[0]
	e, yes := b.start(t, f)
	byHand := functiontest.MustAsk(t, b.Function, functiontest.Staff(),
		message.EnregistrerPaiement{Mode: "CARTE", MontantCentimes: 26_620, RecuLe: emises, Reference: f.Numero, Piece: "tr-1"})
	b.told(t, yes, "evt-1", "tr-1", "ACCEPTE", "ACCEPTE")
	got := functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.PaiementEnLigneParID{ID: e.ID})
	if got.PaiementID != byHand.ID || b.Count(t, "select count(*) from paiement") != 1 {
		t.Errorf("got %+v", got)
	}
	// Taken back by the bank afterwards: what the provider repeats is no new money.
	functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.RejeterPaiement{PaiementID: byHand.ID, Motif: "contesté"})
	b.told(t, yes, "evt-2", "tr-1", "ACCEPTE", "ACCEPTE")
	if b.Count(t, "select count(*) from paiement") != 1 || b.bill(t, f.ID).ResteCentimes != 26_620 {
		t.Error("a repeated notification brought back money that was gone")
	}
	// A person mistyped the sum: the money is taken all the same, and what was never paid can be taken back.
	_, yes = b.start(t, f)
	wrong := functiontest.MustAsk(t, b.Function, functiontest.Staff(),
		message.EnregistrerPaiement{Mode: "CARTE", MontantCentimes: 26_260, RecuLe: emises, Reference: f.Numero, Piece: "tr-9"})
	b.told(t, yes, "evt-9", "tr-9", "ACCEPTE", "ACCEPTE")
	functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.RejeterPaiement{PaiementID: wrong.ID, Motif: "montant mal saisi"})
	if got := b.account(t, f.AbonneID); b.on(t, "5115") != 26_620 || got.SoldeCentimes != 0 {
		t.Errorf("%d at the provider, the account %+v", b.on(t, "5115"), got)
	}
	b.sound(t)
}

func TestOnlinePaymentThatNeverEnds(t *testing.T) {
	b, bills := online(t, 2)
	read := func(e message.PaiementEnLigne) message.PaiementEnLigne {
		return functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.PaiementEnLigneParID{ID: e.ID})
	}
	given, up := b.start(t, bills[0])
	b.told(t, up, "evt-1", "", "ABANDONNE", "ABANDONNE")
	if got := read(given); got.Etat != "ABANDONNE" || got.URL != "" {
		t.Errorf("got %+v", got)
	}
	if again, _ := b.start(t, bills[0]); again.ID == given.ID {
		t.Error("an attempt that was given up is gone on with")
	}
	late, yes := b.start(t, bills[1])
	b.exec(t, "update paiement_en_ligne set expire_a = now() - interval '1 second' where id = $1", late.ID)
	if got := read(late); got.Etat != "EXPIRE" || got.URL != "" {
		t.Errorf("got %+v", got)
	}
	if again, _ := b.start(t, bills[1]); again.ID == late.ID || again.Etat != "INITIE" {
		t.Errorf("an attempt that expired is gone on with: %+v", again)
	}
	b.told(t, yes, "evt-2", "tr-2", "ACCEPTE", "ACCEPTE")
	if got := read(late); got.Etat != "ACCEPTE" || b.bill(t, bills[1].ID).Etat != "PAYEE" {
		t.Errorf("money that was told of late: %+v", got)
	}
	b.sound(t)
}

// The provider's own program, from its page to the books: what it signs is what
// is verified here, and its worst manners change no sum.
func TestAgainstTheProvider(t *testing.T) {
	b, bills := online(t, 4)
	heard := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		corps, _ := io.ReadAll(r.Body)
		if got, err := functiontest.Ask(t, b.Function, function.Identity{}, message.NotifierPaiement{Signature: r.Header.Get("Signature"), Corps: corps}); err != nil || got.Refus != "" {
			t.Error(got.Refus, err)
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	defer heard.Close()
	provider := terminal.New(terminal.Config{Secrets: []string{ancien, nouveau}, Notify: heard.URL, Wait: func(int) time.Duration { return 0 }})
	defer provider.Close()
	page := httptest.NewServer(provider.Web())
	defer page.Close()
	pays := func(f message.Facture, numeros ...string) message.PaiementEnLigne {
		e, _ := b.start(t, f)
		res, err := http.Get(page.URL + strings.TrimPrefix(e.URL, "https://prestataire.example"))
		for _, numero := range numeros {
			if err == nil {
				res.Body.Close()
				res, err = http.PostForm(page.URL+"/commandes/"+e.ID+"/essais", url.Values{"numero": {numero}})
			}
		}
		if err != nil || res.StatusCode != 200 {
			t.Fatalf("the page of %s: %v, %v", f.Numero, res, err)
		}
		res.Body.Close()
		provider.Settle()
		return functiontest.MustAsk(t, b.Function, functiontest.Subscriber(f.AbonneID), message.PaiementEnLigneParID{ID: e.ID})
	}
	const accepted, refused, twice, late, lost = "4970 0000 0000 0016", "4970 0000 0000 0024", "4970 0000 0000 0057", "4970 0000 0000 0065", "4970 0000 0000 0073"
	if e := pays(bills[0], refused); e.Etat != "REFUSE" || b.bill(t, bills[0].ID).Etat != "EMISE" {
		t.Errorf("refused: %+v", e)
	}
	for i, numeros := range [][]string{{accepted}, {refused, twice}, {late, lost}} {
		f := bills[i+1]
		if e := pays(f, numeros...); e.Etat != "ACCEPTE" || e.Paiement.MontantCentimes != 26_620 || b.bill(t, f.ID).Etat != "PAYEE" {
			t.Errorf("%v: %+v", numeros, e)
		}
	}
	if n := b.Count(t, "select count(*) from paiement"); n != 3 || b.on(t, "5115") != 3*26_620 {
		t.Errorf("%d payments, %d on 5115", n, b.on(t, "5115"))
	}
	b.sound(t)
}

func TestNoProvider(t *testing.T) {
	t.Parallel()
	b, bills := billed(t, 1)
	if _, err := functiontest.Ask(t, b.Function, functiontest.Staff(), message.PayerEnLigne{FactureID: bills[0].ID}); functiontest.Code(err) != "paiement_en_ligne_absent" {
		t.Errorf("got %v", err)
	}
	if b.account(t, bills[0].AbonneID).EnLigne {
		t.Error("the account says that bills can be paid online")
	}
	if _, err := functiontest.Ask(t, b.Function, function.Identity{}, signed("", time.Now(), notification{ID: "1"})); functiontest.Code(err) != "signature_invalide" {
		t.Errorf("without a secret: %v", err)
	}
}
