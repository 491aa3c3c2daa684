package main

import (
	"fmt"
	"math/big"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

// encaissements makes VAT due as bills are paid, before any is issued.
func (b *bundle) encaissements(t *testing.T) {
	t.Helper()
	functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.ReglerComptabilite{Entite: "principale", Regime: "PRIVE", TVAExigibilite: "ENCAISSEMENTS",
		TVADepuis: message.NewDate(2025, time.January, 1), TVASource: "CGI art. 269, 2 c"})
}

// The share of a sum is that of its parts: within a centime each, exact
// together, whole at the end, whatever the amounts.
func TestProrata(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Int64Range(-1e12, 1e12), 1, 5).Draw(t, "values")
		d := rapid.Int64Range(1, 1e13).Draw(t, "d")
		n := rapid.Int64Range(0, d).Draw(t, "n")
		var sum, given int64
		share := func(v int64) *big.Rat { return new(big.Rat).Mul(big.NewRat(n, d), new(big.Rat).SetInt64(v)) }
		for i, got := range prorata(values, n, d) {
			sum, given = sum+values[i], given+got
			if off := share(values[i]); off.Sub(off, new(big.Rat).SetInt64(got)).Abs(off).Cmp(big.NewRat(1, 1)) > 0 {
				t.Fatalf("%d/%d of %d is not %d", n, d, values[i], got)
			}
			if n == d && got != values[i] || n == 0 && got != 0 {
				t.Fatalf("%d/%d of %d is not %d", n, d, values[i], got)
			}
		}
		if off := share(sum); off.Sub(off, new(big.Rat).SetInt64(given)).Abs(off).Cmp(big.NewRat(1, 2)) > 0 {
			t.Fatalf("%d/%d of %d is not %d", n, d, sum, given)
		}
	})
}

func TestVATWaitsForThePayment(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	b.encaissements(t)
	bills := b.ledger(t)
	staff := functiontest.Staff()
	b.balanced(t)
	q := message.DeclarationTVA{Du: message.NewDate(2025, 1, 1), Au: message.NewDate(2027, 12, 31)}
	got := functiontest.MustAsk(t, b.Function, staff, q)
	var want int64
	for _, f := range bills[:2] {
		want += f.TVACentimes // paid whole, one of them in two parts
	}
	f := bills[8] // of which 7,77 EUR are paid
	want += (2*f.TVACentimes*777 + f.TTCCentimes) / (2 * f.TTCCentimes)
	if got.TVACentimes != want || got.JournalCentimes != want || got.Exigibilite != "ENCAISSEMENTS" {
		t.Errorf("due %d, in the journal %d, want %d", got.TVACentimes, got.JournalCentimes, want)
	}
	b.vatIsTheJournal(t, q)
	if got := b.Count(t, "select sum(credit_centimes - debit_centimes) from mouvement where compte = '4458'"); int64(got) != sumTVA(bills)-want {
		t.Errorf("%d wait on 4458, want %d", got, sumTVA(bills)-want)
	}

	// The part of August 2025 is due in August 2025, that of January 2026 in January.
	for _, month := range []message.DeclarationTVA{
		{Du: message.NewDate(2025, time.August, 1), Au: message.NewDate(2025, time.August, 31)},
		{Du: message.NewDate(2026, time.January, 1), Au: message.NewDate(2026, time.January, 31)},
		{Du: message.NewDate(2026, time.May, 1), Au: message.NewDate(2026, time.May, 31)},
	} {
		if b.vatIsTheJournal(t, month); functiontest.MustAsk(t, b.Function, staff, month).TVACentimes <= 0 {
			t.Errorf("nothing is due in %s", month.Du)
		}
	}

	// A rule holds for bills to come only.
	_, err := functiontest.Ask(t, b.Function, staff, message.ReglerComptabilite{Entite: "principale", Regime: "PRIVE", TVAExigibilite: "DEBITS", TVADepuis: message.NewDate(2026, time.April, 10)})
	if functiontest.Code(err) != "factures_deja_emises" {
		t.Errorf("a rule for bills that are issued: %v", err)
	}
	set := functiontest.MustAsk(t, b.Function, staff, message.ReglerComptabilite{Entite: "principale", Regime: "PRIVE", TVAExigibilite: "DEBITS", TVADepuis: message.NewDate(2026, time.April, 11), TVASource: "option"})
	if set.TVAExigibilite != "DEBITS" || set.TVASource != "option" || set.TVADepuis != message.NewDate(2026, time.April, 11) {
		t.Errorf("set %+v", set)
	}
	late := b.manual(t, b.contrats[0].ContratID, 10_000)
	if n := b.Count(t, fmt.Sprintf("select count(*) from mouvement where ecriture_id = '%s' and compte = '44571'", late.ID)); n != 1 {
		t.Error("the VAT of a bill on debits is not due on the bill")
	}
	functiontest.MustAsk(t, b.Function, staff, message.EnregistrerPaiement{Mode: "VIREMENT", MontantCentimes: f.TTCCentimes - 777, RecuLe: message.DateOf(time.Now()), Reference: f.Numero})
	b.vatIsTheJournal(t, q)
	b.balanced(t)
}

func sumTVA(bills []message.Facture) (sum int64) {
	for _, f := range bills {
		sum += f.TVACentimes
	}
	return sum
}

// vatIsTheJournal fails the test where the report is not what account 44571 says.
func (b *bundle) vatIsTheJournal(t *testing.T, q message.DeclarationTVA) {
	t.Helper()
	got := functiontest.MustAsk(t, b.Function, functiontest.Staff(), q)
	var lines int64
	for _, l := range got.Lignes {
		lines += l.TVACentimes
	}
	if got.TVACentimes != got.JournalCentimes || lines != got.TVACentimes {
		t.Errorf("%s to %s: the report says %d, its lines %d, account 44571 %d", q.Du, q.Au, got.TVACentimes, lines, got.JournalCentimes)
	}
}

// manual issues a bill of two rates.
func (b *bundle) manual(t *testing.T, contrat string, centimes int64) message.Facture {
	t.Helper()
	return functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.EmettreManuelle{ContratID: contrat, Motif: "Travaux", Echeance: message.DateOf(time.Now()).AddDays(30), Lignes: []message.LigneManuelle{
		{Libelle: "Branchement", Quantite: 1, PrixCentimes: centimes, TVAPM: 200},
		{Libelle: "Curage", Quantite: 1, PrixCentimes: centimes/3 + 1, TVAPM: 100},
		{Libelle: "Analyse", Quantite: 1, PrixCentimes: centimes/7 + 1, TVAPM: 55},
	}})
}

// Whatever order payments, rejections, unmatchings and avoirs come in, what is
// due is what was received: the report is the journal at every step, a bill
// that is paid has all its VAT due and none waiting.
func TestAnyOrderOfPaymentsGivesTheVATOfTheBill(t *testing.T) {
	t.Parallel()
	b := setup(t, 1)
	b.encaissements(t)
	staff, contrat := functiontest.Staff(), b.contrats[0]
	today := message.DateOf(time.Now())
	all := message.DeclarationTVA{Du: message.NewDate(2025, 1, 1), Au: today.AddDays(60)}
	rapid.Check(t, func(rt *rapid.T) {
		f := b.manual(t, contrat.ContratID, rapid.Int64Range(1, 100_000).Draw(rt, "price"))
		read := func() message.Facture {
			return functiontest.MustAsk(t, b.Function, staff, message.FactureParID{ID: f.ID})
		}
		pay := func(amount int64) message.Paiement {
			return functiontest.MustAsk(t, b.Function, staff, message.EnregistrerPaiement{Mode: "VIREMENT", MontantCentimes: amount, RecuLe: today.AddDays(-rapid.IntRange(0, 40).Draw(rt, "days")), Reference: f.Numero})
		}
		var payments []string
		net := f.TVACentimes
		take := func() (id string) {
			i := rapid.IntRange(0, len(payments)-1).Draw(rt, "which")
			id = payments[i]
			payments = slices.Delete(payments, i, i+1)
			return id
		}
		for range rapid.IntRange(1, 6).Draw(rt, "steps") {
			reste := read().ResteCentimes
			switch what := rapid.SampledFrom([]string{"pay", "pay", "reject", "unmatch", "avoir"}).Draw(rt, "what"); {
			case what == "pay" && reste > 0:
				payments = append(payments, pay(rapid.Int64Range(1, reste).Draw(rt, "amount")).ID)
			case what == "reject" && len(payments) > 0:
				functiontest.MustAsk(t, b.Function, staff, message.RejeterPaiement{PaiementID: take(), Motif: "impayé"})
			case what == "unmatch" && len(payments) > 0:
				id := take()
				functiontest.MustAsk(t, b.Function, staff, message.DelettrerPaiement{PaiementID: id, FactureID: f.ID, Motif: "mauvaise facture"})
				functiontest.MustAsk(t, b.Function, staff, message.RejeterPaiement{PaiementID: id, Motif: "erreur"}) // or it would pay the next bill
			case what == "avoir" && reste > 1000:
				a := functiontest.MustAsk(t, b.Function, staff, message.EmettreAvoir{FactureID: f.ID, Motif: "geste", Lignes: []message.LigneAvoir{{Code: f.Lignes[0].Code, HTCentimes: 1}}})
				net += a.TVACentimes
			}
			b.vatIsTheJournal(t, all)
		}
		if reste := read().ResteCentimes; reste > 0 {
			pay(reste)
		}
		if got := int64(b.Count(t, "select coalesce(sum(montant_centimes), 0) from tva_exigible where facture_id = $1", f.ID)); got != net || b.Count(t, "select tva_en_attente($1)", f.ID) != 0 {
			rt.Fatalf("a paid bill has %d due of %d, %d waiting", got, net, b.Count(t, "select tva_en_attente($1)", f.ID))
		}
	})
	b.balanced(t)
}

// Money of an entity whose month is open pays a bill of one whose month is
// closed: its VAT is due on the first open day of the latter.
func TestVATOfAnotherEntityThatClosedItsMonth(t *testing.T) {
	t.Parallel()
	b := setup(t, 1)
	b.encaissements(t)
	f := b.bills(t, b.issue(t, lotOf(avril, octobre, emises)).ID)[0]
	b.exec(t, `insert into entite (code, prefixe) values ('delegue', 'D');
		insert into commune (code_insee, nom, entite) select code_insee, 'Guercheville', 'delegue' from contrat;
		insert into cloture (entite, jusqua, cloturee_a, par, ecritures, debit_centimes) values ('principale', '2026-10-31', now(), 'test', 0, 0)`)
	if !functiontest.MustAsk(t, b.Function, functiontest.Staff(),
		message.EnregistrerEncaissement{Mouvement: "1", MontantCentimes: f.TTCCentimes, Devise: "EUR", RecuLe: emises.AddDays(1), Libelle: f.Contrat}).Identifie {
		t.Error("not identified")
	}
	if n := b.Count(t, "select count(*) from paiement p join ecriture e on e.id = p.id where e.entite = 'delegue' and e.date = $1", emises.AddDays(1)); n != 1 {
		t.Error("the money is not in the month of its own entity")
	}
	if due := b.Count(t, "select sum(montant_centimes) from tva_exigible where date = '2026-11-01'"); due != int(f.TVACentimes) {
		t.Errorf("%d due on the first open day, want %d", due, f.TVACentimes)
	}
	b.vatIsTheJournal(t, message.DeclarationTVA{Du: message.NewDate(2026, time.November, 1), Au: message.NewDate(2026, time.November, 30)})
	b.balanced(t)
}

// What is written off was never received: its VAT goes off the waiting account and is no loss.
func TestVATOfAWriteOffIsNeverDue(t *testing.T) {
	t.Parallel()
	b := setup(t, 1)
	b.encaissements(t)
	f := b.manual(t, b.contrats[0].ContratID, 10_000)
	b.alter(t, "insert into dossier_relance (id, facture_id, abonne_id, etat, ouvert_le) select gen_random_uuid(), id, abonne_id, 'A_TRANSMETTRE', date_facturation from facture where id = '"+f.ID+"'")
	staff := functiontest.Staff()
	functiontest.MustAsk(t, b.Function, staff, message.EnregistrerPaiement{Mode: "VIREMENT", MontantCentimes: 5000, RecuLe: message.DateOf(time.Now()), Reference: f.Numero})
	n := functiontest.MustAsk(t, b.Function, staff, message.ProposerNonValeur{FactureID: f.ID, Motif: "introuvable"})
	functiontest.MustAsk(t, b.Function, second(), message.DeciderNonValeur{NonValeurID: n.ID, Admise: true, Deliberation: "2026-1"})
	due := b.Count(t, "select sum(montant_centimes) from tva_exigible")
	loss := b.Count(t, "select sum(debit_centimes) from mouvement where compte = '6541'")
	if b.Count(t, "select tva_centimes from non_valeur") != int(f.TVACentimes)-due || loss != int(f.TTCCentimes-5000-f.TVACentimes)+due {
		t.Errorf("due %d of %d, a loss of %d", due, f.TVACentimes, loss)
	}
	if got := b.Count(t, "select sum(credit_centimes - debit_centimes) from mouvement where compte = '4458'"); got != 0 {
		t.Errorf("%d still wait", got)
	}
	b.balanced(t)
}
