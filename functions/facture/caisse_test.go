package main

import (
	"strings"
	"testing"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

// person is somebody of the staff with a name of their own.
func person(nom string) function.Identity {
	p := functiontest.Staff()
	p.ID, p.Nom = function.NewID(), nom
	return p
}

func TestCashDesk(t *testing.T) {
	t.Parallel()
	b, bills := billed(t, 1)
	anne, luc := person("Anne"), person("Luc")
	cash := message.EnregistrerPaiement{Mode: "ESPECES", MontantCentimes: 10_000, RecuLe: emises, Reference: bills[0].Numero}
	refused := func(code string, err error) {
		t.Helper()
		if got := functiontest.Code(err); got != code {
			t.Errorf("got %q, want %q", got, code)
		}
	}
	_, err := functiontest.Ask(t, b.Function, anne, cash)
	refused("caisse_fermee", err)
	s := functiontest.MustAsk(t, b.Function, anne, message.OuvrirCaisse{Caisse: "principale", FondCentimes: 5_000})
	_, err = functiontest.Ask(t, b.Function, luc, message.OuvrirCaisse{Caisse: "principale"})
	refused("caisse_ouverte", err)
	_, err = functiontest.Ask(t, b.Function, luc, message.OuvrirCaisse{Caisse: "autre"})
	refused("caisse_inconnue", err)
	_, err = functiontest.Ask(t, b.Function, luc, cash) // the desk is Anne's
	refused("caisse_fermee", err)

	paid := functiontest.MustAsk(t, b.Function, anne, cash)
	over := cash
	over.MontantCentimes = 30_001
	_, err = functiontest.Ask(t, b.Function, anne, over)
	refused("plafond_especes", err)
	mistake := functiontest.MustAsk(t, b.Function, anne, message.EnregistrerPaiement{Mode: "ESPECES", MontantCentimes: 900, RecuLe: emises, AbonneID: bills[0].AbonneID})
	functiontest.MustAsk(t, b.Function, anne, message.RejeterPaiement{PaiementID: mistake.ID, Motif: "erreur de saisie"})
	_, err = functiontest.Ask(t, b.Function, anne, message.CreerBordereau{Mode: "ESPECES"}) // not counted yet
	refused("rien_a_remettre", err)

	_, err = functiontest.Ask(t, b.Function, anne, message.FermerCaisse{SessionID: s.ID, CompteCentimes: 14_900})
	refused("ecart_sans_motif", err)
	s = functiontest.MustAsk(t, b.Function, anne, message.FermerCaisse{SessionID: s.ID, CompteCentimes: 14_900, Motif: "rendu de monnaie"})
	if s.AttenduCentimes != 15_000 || s.EcartCentimes != -100 || s.Paiements != 1 || s.FermeeA == nil {
		t.Errorf("got %+v", s)
	}
	if b.on(t, "530") != 9_900 || b.on(t, "658") != 100 {
		t.Errorf("cash %d, lost %d", b.on(t, "530"), b.on(t, "658"))
	}
	_, err = functiontest.Ask(t, b.Function, anne, message.FermerCaisse{SessionID: s.ID, CompteCentimes: 15_000})
	refused("caisse_fermee", err)
	_, err = functiontest.Ask(t, b.Function, anne, message.RejeterPaiement{PaiementID: paid.ID, Motif: "trop tard"})
	refused("caisse_fermee", err)
	r := functiontest.MustAsk(t, b.Function, anne, message.CreerBordereau{Mode: "ESPECES"})
	if r.MontantCentimes != 10_000 || b.on(t, "512") != 10_000 {
		t.Errorf("got %+v", r)
	}
	if _, err := b.DB.Exec(t.Context(), "update session_caisse set compte_centimes = 15000"); err == nil {
		t.Error("a closed session changed")
	}
	if got := functiontest.MustAsk(t, b.Function, luc, message.Caisses{}); len(got.Items) != 1 || len(got.Sessions) != 1 || got.Sessions[0].AMoi {
		t.Errorf("got %+v", got)
	}
	b.sound(t)
}

func TestBordereau(t *testing.T) {
	t.Parallel()
	b, bills := billed(t, 3)
	staff := functiontest.Staff()
	var cheques []message.Paiement
	for _, f := range bills {
		cheques = append(cheques, b.pay(t, "CHEQUE", 26_620, f.Numero))
	}
	functiontest.MustAsk(t, b.Function, staff, message.RejeterPaiement{PaiementID: cheques[2].ID, Motif: "mal rempli"})
	m := functiontest.MustAsk(t, b.Function, staff, message.MoyensDePaiement{})
	if len(m.Items) != 8 || m.Items[2].Code != "CHEQUE" || m.Items[2].ARemettre != 2 || m.Items[2].ARemettreMontant != 53_240 || len(m.Regles) < 4 {
		t.Errorf("got %+v", m)
	}
	r := functiontest.MustAsk(t, b.Function, staff, message.CreerBordereau{Mode: "CHEQUE"})
	if r.Numero != "REM-000001" || r.Nombre != 2 || r.MontantCentimes != 53_240 || len(r.Paiements) != 2 || b.on(t, "5112") != 0 || b.on(t, "512") != 53_240 {
		t.Errorf("got %+v", r)
	}
	for _, c := range []message.CreerBordereau{{Mode: "CHEQUE"}, {Mode: "CHEQUE", Paiements: []string{cheques[0].ID}}} {
		if _, err := functiontest.Ask(t, b.Function, staff, c); functiontest.Code(err) != "rien_a_remettre" {
			t.Errorf("twice: %v", err)
		}
	}
	if _, err := functiontest.Ask(t, b.Function, staff, message.CreerBordereau{Mode: "VIREMENT"}); functiontest.Code(err) != "mode_sans_remise" {
		t.Errorf("got %v", err)
	}
	slip := functiontest.MustAsk(t, b.Function, staff, message.DocumentBordereau{BordereauID: r.ID})
	shows(t, slip.Contenu, "Bordereau de remise REM-000001", "Chèque", "IBAN "+regie.IBAN, "BIC "+regie.BIC, bills[0].Nom, bills[0].Numero, "266,20 €", "Nombre de paiements : 2", "Total : 532,40 €")
	if text := lu(t, slip.Contenu); slip.Nom != "REM-000001.pdf" || strings.Count(text, "266,20") != 2 {
		t.Errorf("%s:\n%s", slip.Nom, text)
	}
	// The bank's statement confirms it: nothing is booked twice.
	line := message.EnregistrerEncaissement{Mouvement: "LIGNE-1", MontantCentimes: 53_240, Devise: "EUR", RecuLe: emises, Libelle: "REMISE CHEQUES REM-000001"}
	for range 2 {
		if got := functiontest.MustAsk(t, b.Function, staff, line); !got.Identifie || b.on(t, "512") != 53_240 {
			t.Errorf("got %+v, %d in the bank", got, b.on(t, "512"))
		}
	}
	// A cheque that bounces now leaves the bank.
	functiontest.MustAsk(t, b.Function, staff, message.RejeterPaiement{PaiementID: cheques[0].ID, Motif: "sans provision"})
	if b.on(t, "512") != 26_620 || b.on(t, "5112") != 0 {
		t.Errorf("%d in the bank, %d in cheques", b.on(t, "512"), b.on(t, "5112"))
	}
	if got := functiontest.MustAsk(t, b.Function, staff, message.Bordereaux{}); len(got.Items) != 1 || got.Items[0].CrediteeLe != emises {
		t.Errorf("got %+v", got)
	}
	b.sound(t)
}
