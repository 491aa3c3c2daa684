package main

import (
	"slices"
	"testing"

	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

func TestNumbersThatAPayerWrites(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"FACTURE F2026-000001 MERCI":        {"F2026-000001"},
		"SEM-F2026-000001/F2026-1234567":    {"SEM-F2026-000001", "F2026-1234567"},
		"F2026-00001 F20260-000001":         nil, // cut short, or another's
		"REF2026-000001":                    nil,
		"AVOIR A2026-000001 NO F2026-00000": nil,
	} {
		if got := numeroCite.FindAllString(text, -1); !slices.Equal(got, want) {
			t.Errorf("%s: got %q", text, got)
		}
	}
}

func TestWhoseMoneyItIs(t *testing.T) {
	t.Parallel()
	b, bills := billed(t, 3)
	staff := functiontest.Staff()
	take := func(id, libelle, nom string, amount int64) bool {
		t.Helper()
		return functiontest.MustAsk(t, b.Function, staff, message.EnregistrerEncaissement{Mouvement: id, MontantCentimes: amount, Devise: "EUR", RecuLe: emises, Libelle: libelle, Nom: nom}).Identifie
	}
	if !take("1", "votre facture "+bills[0].Numero+" merci", "X", 10_000) || b.bill(t, bills[0].ID).ResteCentimes != 16_620 {
		t.Error("by the number of the bill")
	}
	if !take("1", "votre facture "+bills[0].Numero+" merci", "X", 10_000) || b.bill(t, bills[0].ID).ResteCentimes != 16_620 {
		t.Error("the same movement counted twice")
	}
	if !take("2", bills[1].Contrat, "X", 10_000) || b.bill(t, bills[1].ID).ResteCentimes != 16_620 {
		t.Error("by the number of the contract")
	}
	for range 2 {
		if take("3", bills[0].Numero+" et "+bills[1].Numero, "X", 33_240) {
			t.Error("a movement that names two subscribers was given to one")
		}
	}
	if take("4", "EAU", "M OU MME DURAND", 26_620) {
		t.Error("the amount alone was enough")
	}
	if b.on(t, "471") != -59_860 || b.on(t, "512") != 79_860 {
		t.Errorf("%d wait, %d in the bank", b.on(t, "471"), b.on(t, "512"))
	}
	if !take("5", "EAU", "MME DUPÔNT0 ANNE", 26_620) || b.bill(t, bills[0].ID).Etat == "PAYEE" {
		t.Error("by the amount and the name")
	}
	if b.Count(t, "select count(*) from facture where etat = 'PAYEE'") != 1 {
		t.Error("not one bill is paid")
	}
	work := functiontest.MustAsk(t, b.Function, staff, message.ARapprocher{})
	if len(work.Attentes) != 2 || len(work.Regles) != 4 {
		t.Fatalf("got %+v", work)
	}
	// One transfer for two subscribers is given in two parts, no more than it is.
	two := work.Attentes[0]
	half := message.AffecterAttente{AttenteID: two.ID, Reference: bills[0].Numero, MontantCentimes: 16_620}
	wrong := functiontest.MustAsk(t, b.Function, staff, half)
	half.Reference, half.MontantCentimes = bills[1].Numero, 16_621
	if _, err := functiontest.Ask(t, b.Function, staff, half); functiontest.Code(err) != "montant_excessif" {
		t.Errorf("got %v", err)
	}
	half.MontantCentimes = 0
	functiontest.MustAsk(t, b.Function, staff, half)
	if _, err := functiontest.Ask(t, b.Function, staff, half); functiontest.Code(err) != "attente_inconnue" {
		t.Errorf("got %v", err)
	}
	if b.Count(t, "select count(*) from facture where etat = 'PAYEE'") != 3 || b.on(t, "471") != -26_620 {
		t.Errorf("%d wait", b.on(t, "471"))
	}
	b.sound(t)
	// A part went to the wrong one: it waits again, for its own movement.
	functiontest.MustAsk(t, b.Function, staff, message.DesaffecterPaiement{PaiementID: wrong.ID, Motif: "homonyme"})
	work = functiontest.MustAsk(t, b.Function, staff, message.ARapprocher{})
	if len(work.Attentes) != 2 || work.Attentes[0].ResteCentimes != 16_620 || b.on(t, "471") != -43_240 || b.on(t, "512") != 106_480 {
		t.Errorf("got %+v, %d wait", work.Attentes, b.on(t, "471"))
	}
	// So does a cheque that was typed in for the wrong one, which still goes to the bank.
	cheque := b.pay(t, "CHEQUE", 100, bills[0].Numero)
	functiontest.MustAsk(t, b.Function, staff, message.DesaffecterPaiement{PaiementID: cheque.ID, Motif: "homonyme"})
	if r := functiontest.MustAsk(t, b.Function, staff, message.CreerBordereau{Mode: "CHEQUE"}); r.MontantCentimes != 100 {
		t.Errorf("got %+v", r)
	}
	work = functiontest.MustAsk(t, b.Function, staff, message.ARapprocher{})
	functiontest.MustAsk(t, b.Function, staff, message.AffecterAttente{AttenteID: work.Attentes[len(work.Attentes)-1].ID, Reference: bills[1].Contrat})
	if _, err := functiontest.Ask(t, b.Function, staff, message.CreerBordereau{Mode: "CHEQUE"}); functiontest.Code(err) != "rien_a_remettre" {
		t.Errorf("the cheque went to the bank twice: %v", err)
	}
	b.sound(t)
}

func TestMovementsRefused(t *testing.T) {
	t.Parallel()
	b, bills := billed(t, 1)
	good := message.EnregistrerEncaissement{Mouvement: "1", MontantCentimes: 100, Devise: "EUR", RecuLe: emises, Libelle: bills[0].Numero}
	for code, change := range map[string]func(*message.EnregistrerEncaissement){
		"devise":           func(c *message.EnregistrerEncaissement) { c.Devise = "CHF" },
		"date_future":      func(c *message.EnregistrerEncaissement) { c.RecuLe = message.NewDate(2199, 1, 1) },
		"champs_invalides": func(c *message.EnregistrerEncaissement) { c.MontantCentimes = -100 },
	} {
		c := good
		change(&c)
		if _, err := functiontest.Ask(t, b.Function, functiontest.Staff(), c); functiontest.Code(err) != code {
			t.Errorf("got %v, want %s", err, code)
		}
	}
	if n := b.Count(t, "select (select count(*) from encaissement) + (select count(*) from paiement)"); n != 0 {
		t.Errorf("%d rows were kept", n)
	}
}
