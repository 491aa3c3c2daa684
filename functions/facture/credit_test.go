package main

import (
	"sync"
	"testing"

	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

// emitted hands the events of emission back, as the queue does.
func (b *bundle) emitted(t *testing.T) {
	t.Helper()
	for _, s := range b.Outbox(t) {
		if s.Key == (message.FacturesEmises{}).Type() {
			if got := b.Deliver(t, s.Event); got != 204 {
				t.Fatalf("%s: status %d", s.Key, got)
			}
		}
	}
}

func TestAdvancePaysTheNextBill(t *testing.T) {
	t.Parallel()
	b := setup(t, 2)
	staff := functiontest.Staff()
	for i, amount := range []int64{10_000, 30_000} {
		p := functiontest.MustAsk(t, b.Function, staff, message.EnregistrerPaiement{Mode: "VIREMENT", MontantCentimes: amount, RecuLe: emises, Reference: b.contrats[i].Numero})
		if p.AvanceCentimes != amount {
			t.Errorf("got %+v", p)
		}
	}
	bills := b.bills(t, b.issue(t, lotOf(avril, octobre, emises)).ID)
	b.emitted(t)
	for _, f := range bills {
		want := map[string]int64{b.contrats[0].ContratID: 16_620, b.contrats[1].ContratID: 0}[f.ContratID]
		if got := b.bill(t, f.ID); got.ResteCentimes != want {
			t.Errorf("%s lacks %d, want %d", f.Contrat, got.ResteCentimes, want)
		}
	}
	b.sound(t)
}

func TestMatchingByHand(t *testing.T) {
	t.Parallel()
	b, bills := billed(t, 2)
	staff := functiontest.Staff()
	p := b.pay(t, "VIREMENT", 20_000, bills[0].Numero)
	p = functiontest.MustAsk(t, b.Function, staff, message.DelettrerPaiement{PaiementID: p.ID, FactureID: bills[0].ID, Motif: "pour une autre"})
	if p.AvanceCentimes != 20_000 || b.bill(t, bills[0].ID).Etat != "EMISE" {
		t.Errorf("got %+v", p)
	}
	work := functiontest.MustAsk(t, b.Function, staff, message.ARapprocher{})
	if len(work.Avances) != 1 || work.Avances[0].ResteCentimes != 20_000 || len(work.Avances[0].Factures) != 1 || work.Avances[0].Factures[0].ResteCentimes != 26_620 {
		t.Errorf("got %+v", work.Avances)
	}
	for name, c := range map[string]struct {
		request message.LettrerPaiement
		code    string
	}{
		"too much":       {message.LettrerPaiement{PaiementID: p.ID, FactureID: bills[0].ID, MontantCentimes: 20_001}, "montant_excessif"},
		"another's bill": {message.LettrerPaiement{PaiementID: p.ID, FactureID: bills[1].ID}, "facture_d_un_autre"},
	} {
		_, err := functiontest.Ask(t, b.Function, staff, c.request)
		if got := functiontest.Code(err); got != c.code {
			t.Errorf("%s: %q, want %q", name, got, c.code)
		}
	}
	p = functiontest.MustAsk(t, b.Function, staff, message.LettrerPaiement{PaiementID: p.ID, FactureID: bills[0].ID, MontantCentimes: 5_000})
	p = functiontest.MustAsk(t, b.Function, staff, message.LettrerPaiement{PaiementID: p.ID, FactureID: bills[0].ID})
	if p.AvanceCentimes != 0 || len(p.Lettrages) != 1 || p.Lettrages[0].MontantCentimes != 20_000 {
		t.Errorf("got %+v", p)
	}
	b.sound(t)
}

func TestRefund(t *testing.T) {
	t.Parallel()
	b, bills := billed(t, 1)
	f, anne, luc := bills[0], person("Anne"), person("Luc")
	ask := func(amount int64) (message.Remboursement, error) {
		return functiontest.Ask(t, b.Function, anne, message.DemanderRemboursement{AbonneID: f.AbonneID, MontantCentimes: amount, Motif: "trop versé"})
	}
	if _, err := ask(1); functiontest.Code(err) != "credit_insuffisant" {
		t.Errorf("without credit: %v", err)
	}
	p := b.pay(t, "VIREMENT", 30_000, f.Numero) // 33,80 too much
	if _, err := ask(3_381); functiontest.Code(err) != "credit_insuffisant" {
		t.Errorf("more than the credit: %v", err)
	}
	// Many ask at once: the credit is given once.
	var all sync.WaitGroup
	var mu sync.Mutex
	var granted []message.Remboursement
	for range 5 {
		all.Go(func() {
			if r, err := ask(3_000); err == nil {
				mu.Lock()
				granted = append(granted, r)
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if len(granted) != 1 {
		t.Fatalf("%d were granted", len(granted))
	}
	r := granted[0]
	if r.DemandeNom != anne.Nom {
		t.Errorf("asked by %q", r.DemandeNom)
	}
	// What is set aside is no advance that a bill could take.
	set := functiontest.MustAsk(t, b.Function, anne, message.Compte{AbonneID: f.AbonneID}).Paiements[0]
	if set.AvanceCentimes != 380 || set.RembourseCentimes != 3_000 {
		t.Errorf("got %+v", set)
	}
	decide := message.DeciderRemboursement{RemboursementID: r.ID, Approuve: true}
	if _, err := functiontest.Ask(t, b.Function, anne, decide); functiontest.Code(err) != "meme_personne" {
		t.Errorf("approved by who asked: %v", err)
	}
	pay := message.PayerRemboursement{RemboursementID: r.ID, PayeLe: emises, Piece: "VIR-7"}
	if _, err := functiontest.Ask(t, b.Function, luc, pay); functiontest.Code(err) != "remboursement_pas_APPROUVE" {
		t.Errorf("paid before it was approved: %v", err)
	}
	functiontest.MustAsk(t, b.Function, luc, decide)
	if got := functiontest.MustAsk(t, b.Function, luc, pay); got.Etat != "PAYE" || b.on(t, "512") != 27_000 {
		t.Errorf("got %+v, %d in the bank", got, b.on(t, "512"))
	}
	if got := b.account(t, f.AbonneID).SoldeCentimes; got != -380 {
		t.Errorf("the balance is %d", got)
	}
	refused, err := ask(380)
	if err != nil {
		t.Fatal(err)
	}
	functiontest.MustAsk(t, b.Function, luc, message.DeciderRemboursement{RemboursementID: refused.ID, Motif: "trop peu"})
	if _, err := ask(380); err != nil { // its credit is free again
		t.Error(err)
	}
	b.sound(t)

	// The payment behind it all bounces: what was asked for falls, what was paid is owed.
	functiontest.MustAsk(t, b.Function, luc, message.RejeterPaiement{PaiementID: p.ID, Motif: "rappel"})
	if got := b.account(t, f.AbonneID).SoldeCentimes; got != 26_620+3_000 {
		t.Errorf("the balance is %d", got)
	}
	if got := functiontest.MustAsk(t, b.Function, luc, message.Remboursements{AbonneID: f.AbonneID, Etat: "REFUSE"}); len(got.Items) != 2 {
		t.Errorf("got %+v", got)
	}
	b.sound(t)
}
