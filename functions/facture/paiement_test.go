package main

import (
	"sync"
	"testing"

	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

// billed is a village whose contracts have one issued bill each, of 266,20 EUR.
func billed(t *testing.T, contrats int) (*bundle, []message.Facture) {
	t.Helper()
	b := setup(t, contrats)
	return b, b.bills(t, b.issue(t, lotOf(avril, octobre, emises)).ID)
}

func (b *bundle) pay(t *testing.T, mode string, montant int64, reference string) message.Paiement {
	t.Helper()
	return functiontest.MustAsk(t, b.Function, functiontest.Staff(),
		message.EnregistrerPaiement{Mode: mode, MontantCentimes: montant, RecuLe: emises, Reference: reference})
}

func (b *bundle) account(t *testing.T, abonneID string) message.CompteAbonne {
	t.Helper()
	return functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.Compte{AbonneID: abonneID})
}

func (b *bundle) bill(t *testing.T, id string) message.Facture {
	t.Helper()
	return functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.FactureParID{ID: id})
}

// on is the balance of an account of the journal, debit above zero.
func (b *bundle) on(t *testing.T, compte string) int {
	t.Helper()
	return b.Count(t, "select coalesce(sum(debit_centimes - credit_centimes), 0) from mouvement where compte = $1", compte)
}

func TestReturnedPaymentOpensItsBill(t *testing.T) {
	t.Parallel()
	b, bills := billed(t, 1)
	f, staff := bills[0], functiontest.Staff()
	kept := b.pay(t, "VIREMENT", 6_620, f.Numero)
	cheque := b.pay(t, "CHEQUE", 20_500, f.Numero) // 5,00 too much
	if b.bill(t, f.ID).Etat != "PAYEE" || cheque.AvanceCentimes != 500 || b.on(t, "5112") != 20_500 {
		t.Fatalf("got %+v", cheque)
	}
	for range 2 { // a bank may say it twice
		p := functiontest.MustAsk(t, b.Function, staff, message.RejeterPaiement{PaiementID: cheque.ID, Motif: "sans provision"})
		if p.RejeteLe.IsZero() || p.RejetMotif != "sans provision" || len(p.Lettrages) != 0 || p.AvanceCentimes != 0 {
			t.Errorf("got %+v", p)
		}
	}
	if f := b.bill(t, f.ID); f.Etat != "PARTIELLE" || f.ResteCentimes != 20_000 {
		t.Errorf("the bill is %s, %d are left", f.Etat, f.ResteCentimes)
	}
	account := b.account(t, f.AbonneID)
	if account.SoldeCentimes != 20_000 || len(account.Mouvements) != 4 || account.Mouvements[0].SoldeCentimes != 20_000 {
		t.Errorf("got %+v", account)
	}
	if got := b.on(t, "5112"); got != 0 {
		t.Errorf("%d in cheques", got)
	}
	if told := functiontest.Emitted[message.PaiementRejete](t, b.Function); len(told) != 1 || told[0].MontantCentimes != 20_500 {
		t.Errorf("told %+v", told)
	}
	if told := functiontest.Emitted[message.FactureRouverte](t, b.Function); len(told) != 1 || told[0].ResteCentimes != 20_000 {
		t.Errorf("told %+v", told)
	}
	if b.pay(t, "CHEQUE", 20_000, f.Numero); b.bill(t, f.ID).Etat != "PAYEE" {
		t.Error("the bill cannot be paid again")
	}
	if got := b.account(t, f.AbonneID).Paiements; len(got) != 3 || got[2].ID != kept.ID && got[1].ID != kept.ID && got[0].ID != kept.ID {
		t.Errorf("got %+v", got)
	}
	b.sound(t)
}

// Money of many at once never pays a bill twice over.
func TestPaymentsAtTheSameTime(t *testing.T) {
	t.Parallel()
	b, bills := billed(t, 1)
	f := bills[0]
	var all sync.WaitGroup
	for i := range 12 {
		all.Go(func() {
			request := message.EnregistrerPaiement{Mode: "VIREMENT", MontantCentimes: 5_000, RecuLe: emises, Reference: f.Numero}
			if i%2 == 0 {
				request.Reference, request.AbonneID = "", f.AbonneID
			}
			if _, err := functiontest.Ask(t, b.Function, functiontest.Staff(), request); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if f := b.bill(t, f.ID); f.Etat != "PAYEE" || f.ResteCentimes != 0 {
		t.Errorf("got %+v", f)
	}
	if n := b.Count(t, "select sum(montant_centimes) from lettrage"); n != 26_620 {
		t.Errorf("%d were matched with a bill of 26 620", n)
	}
	if got := b.account(t, f.AbonneID).SoldeCentimes; got != 26_620-60_000 {
		t.Errorf("the balance is %d", got)
	}
	b.sound(t)
}

func TestMoneyPaysTheBillNamedThenTheOldest(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	c := contract(0)
	b.deliver(t, "contrat", c.ContratID, c)
	juillet := avril.AddDays(91)
	b.read(t, c, avril, 130, false)
	b.read(t, c, juillet, 160, false)
	b.read(t, c, octobre, 190, false)
	old := b.bills(t, b.issue(t, lotOf(avril, juillet, emises.AddDays(-60))).ID)[0]
	recent := b.bills(t, b.issue(t, lotOf(juillet, octobre, emises)).ID)[0]
	p := b.pay(t, "TIP", recent.TTCCentimes+1_000, recent.Numero)
	if len(p.Lettrages) != 2 || p.Lettrages[0].Numero != recent.Numero || p.Lettrages[1].Numero != old.Numero || p.Lettrages[1].MontantCentimes != 1_000 {
		t.Errorf("got %+v", p.Lettrages)
	}
	p = b.pay(t, "MANDAT_CASH", old.TTCCentimes, c.Numero) // by the number of the contract
	if len(p.Lettrages) != 1 || p.AvanceCentimes != 1_000 {
		t.Errorf("got %+v", p)
	}
	b.sound(t)
}

func TestPaymentsRefused(t *testing.T) {
	t.Parallel()
	b, bills := billed(t, 2)
	staff := functiontest.Staff()
	cheque := message.EnregistrerPaiement{Mode: "CHEQUE", MontantCentimes: 1_000, RecuLe: emises, Reference: bills[0].Numero, Piece: "0001234"}
	first := functiontest.MustAsk(t, b.Function, staff, cheque)
	for name, c := range map[string]struct {
		change func(*message.EnregistrerPaiement)
		code   string
	}{
		"the same cheque again": {func(*message.EnregistrerPaiement) {}, "paiement_deja_saisi"},
		"tomorrow":              {func(c *message.EnregistrerPaiement) { c.RecuLe = message.NewDate(2199, 1, 1) }, "date_future"},
		"too much":              {func(c *message.EnregistrerPaiement) { c.MontantCentimes = 100_000_000_001 }, "champs_invalides"},
		"another's bill":        {func(c *message.EnregistrerPaiement) { c.AbonneID = bills[1].AbonneID }, "facture_d_un_autre"},
	} {
		request := cheque
		c.change(&request)
		_, err := functiontest.Ask(t, b.Function, staff, request)
		if got := functiontest.Code(err); got != c.code {
			t.Errorf("%s: %q, want %q", name, got, c.code)
		}
	}
	if n := b.Count(t, "select count(*) from paiement"); n != 1 {
		t.Errorf("%d payments were recorded", n)
	}
	functiontest.MustAsk(t, b.Function, staff, message.RejeterPaiement{PaiementID: first.ID, Motif: "sans provision"})
	functiontest.MustAsk(t, b.Function, staff, cheque) // presented again
	b.sound(t)
}

// The database refuses what the code would not do.
func TestMatchingIsExact(t *testing.T) {
	t.Parallel()
	b, bills := billed(t, 1)
	p := b.pay(t, "VIREMENT", 5_000, bills[0].Numero)
	if n := b.Count(t, `select count(*) from information_schema.role_table_grants
		where grantee = 'facture' and table_name in ('paiement', 'lettrage', 'rejet') and privilege_type in ('UPDATE', 'DELETE')`); n != 0 {
		t.Error("facture may change what was recorded")
	}
	for name, sql := range map[string]string{
		"more than the payment": "update facture set paye_centimes = 5001; insert into lettrage (paiement_id, facture_id, montant_centimes) select '" + p.ID + "', id, 1 from facture",
		"not shown on the bill": "insert into lettrage (paiement_id, facture_id, montant_centimes) select '" + p.ID + "', id, -1 from facture",
		"of a returned payment": "insert into rejet select id, recu_le, 'x', now(), '' from paiement; insert into lettrage (paiement_id, facture_id, montant_centimes) select '" + p.ID + "', id, -1 from facture; update facture set paye_centimes = 4999",
		"less than nothing":     "update facture set paye_centimes = -1; insert into lettrage (paiement_id, facture_id, montant_centimes) select '" + p.ID + "', id, -5001 from facture",
		"more than the bill is": "insert into lettrage (paiement_id, facture_id, montant_centimes) select '" + p.ID + "', id, 26620 from facture; update facture set paye_centimes = 31620",
	} {
		if _, err := b.DB.Exec(t.Context(), "begin; "+sql+"; commit"); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
