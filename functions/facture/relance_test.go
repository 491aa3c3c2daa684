package main

import (
	"cmp"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

// now is today.
func now() message.Date { return message.DateOf(time.Now()) }

// late is a bundle with bills that were issued today and are due in 30 days.
func late(t *testing.T, contrats int) (b *bundle, bills []message.Facture) {
	t.Helper()
	b = setup(t, contrats)
	bills = b.bills(t, b.issue(t, lotOf(avril, octobre, emises)).ID)
	// As if issued today, whatever day the tests run on.
	b.unguarded(t, fmt.Sprintf("update facture set date_facturation = '%s', echeance = '%s'", now(), now().AddDays(30)))
	return b, bills
}

// unguarded runs a statement with no trigger in the way.
func (b *bundle) unguarded(t *testing.T, sql string) {
	t.Helper()
	if _, err := b.DB.Exec(t.Context(), "begin; set local session_replication_role = replica; "+sql+"; commit"); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// sleep lets days pass, by moving all that happened into the past.
func (b *bundle) sleep(t *testing.T, days int) {
	t.Helper()
	b.unguarded(t, strings.ReplaceAll(`update facture set date_facturation = date_facturation - N, echeance = echeance - N;
		update dossier_relance set ouvert_le = ouvert_le - N, prochain_le = prochain_le - N;
		update relance set le = le - N, limite = limite - N, partie_le = partie_le - N;
		update suspension set du = du - N, jusqua = jusqua - N;
		update aide set du = du - N, au = au - N;
		update acte_contentieux set le = le - N`, "N", fmt.Sprint(days)))
}

// tick lets time move what is due.
func (b *bundle) tick(t *testing.T) {
	t.Helper()
	if got := b.Deliver(t, functiontest.Event("pings", "", message.Tick{})); got != 204 {
		t.Fatalf("a tick: status %d", got)
	}
}

// wake ticks, and mails the letters that this writes.
func (b *bundle) wake(t *testing.T) {
	t.Helper()
	b.tick(t)
	var waiting []string
	if err := b.DB.QueryRow(t.Context(), "select array(select distinct courrier::text from relance where partie_le is null)").Scan(&waiting); err != nil {
		t.Fatal(err)
	}
	for _, courrier := range waiting {
		b.left(t, message.EnvoiFait{Reference: courrier, Le: now()})
	}
}

// left says that a letter has left.
func (b *bundle) left(t *testing.T, e message.EnvoiFait) {
	t.Helper()
	e.EnvoiID, e.Modele = function.NewID(), cmp.Or(e.Modele, "RELANCE")
	if got := b.Deliver(t, functiontest.Event("mailer", e.EnvoiID, e)); got != 204 {
		t.Fatalf("a letter that left: status %d", got)
	}
}

func (b *bundle) file(t *testing.T, f message.Facture) message.DossierRelance {
	t.Helper()
	for _, etat := range []string{"", "CLOS", "ADMIS_EN_NON_VALEUR"} {
		for _, d := range functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.Relances{Etat: etat, AbonneID: f.AbonneID}).Items {
			if d.FactureID == f.ID {
				return d
			}
		}
	}
	return message.DossierRelance{}
}

func (b *bundle) letters(t *testing.T) []message.RelanceEmise {
	t.Helper()
	return functiontest.Emitted[message.RelanceEmise](t, b.Function)
}

// Nobody is written to before the law's day, and each letter gives its notice.
func TestLettersKeepTheDelaysOfTheLaw(t *testing.T) {
	t.Parallel()
	b, bills := late(t, 2)
	aided := bills[1]
	functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.EnregistrerAide{AbonneID: aided.AbonneID, Nature: "TARIF_SOCIAL", Du: now().AddDays(-400), Justificatif: "Décision du 3 mars"})
	sent := 0
	next := func(days, letters int) []message.RelanceEmise {
		t.Helper()
		b.sleep(t, days)
		for range 3 {
			b.wake(t)
		}
		all := b.letters(t)
		if len(all) != sent+letters {
			t.Fatalf("%d letters, want %d", len(all)-sent, letters)
		}
		defer func() { sent = len(all) }()
		return all[sent:]
	}
	next(30, 0) // the due date
	if d := b.file(t, bills[0]); d.ID != "" {
		t.Errorf("a file on the due date: %+v", d)
	}
	for _, l := range next(1, 2) {
		want := 15
		if l.AbonneID == aided.AbonneID {
			want = 30
		}
		if l.Niveau != 1 || l.Limite != now().AddDays(want) || l.ServicesSociaux || !l.Habitation || l.TotalCentimes != 26620 || l.Email == "" || len(l.Factures) != 1 {
			t.Errorf("first letter %+v, want %d days", l, want)
		}
	}
	next(15, 0) // the last day of the notice
	if l := next(1, 1)[0]; l.Niveau != 2 || l.Limite != now().AddDays(20) || !l.ServicesSociaux || l.AbonneID != bills[0].AbonneID {
		t.Errorf("second letter %+v", l)
	}
	if l := next(15, 1)[0]; l.AbonneID != aided.AbonneID || l.Niveau != 2 || l.Limite != now().AddDays(20) {
		t.Errorf("second letter to a helped household %+v", l)
	}
	next(5, 0)
	if d := b.file(t, bills[0]); d.Etat != "EN_RELANCE" || d.Niveau != 2 {
		t.Errorf("on the last day of the notice: %+v", d)
	}
	next(1, 0)
	if d := b.file(t, bills[0]); d.Etat != "A_TRANSMETTRE" || !d.ProchainLe.IsZero() {
		t.Errorf("after the last notice: %+v", d)
	}
	sums := functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.Relances{}).Sommes
	if len(sums) != 2 || sums[0].Etat != "EN_RELANCE" || sums[1].Etat != "A_TRANSMETTRE" || sums[0].ResteCentimes+sums[1].ResteCentimes != 2*26620 {
		t.Errorf("sums %+v", sums)
	}
	b.balanced(t)
}

// A bill whose due date is near is not late until 14 days after its date.
func TestFirstLetterAfterFourteenDays(t *testing.T) {
	t.Parallel()
	b, _ := late(t, 1)
	b.unguarded(t, fmt.Sprintf("update facture set echeance = '%s'", now().AddDays(1)))
	b.sleep(t, 14)
	b.wake(t)
	if n := len(b.letters(t)); n != 0 {
		t.Errorf("%d letters on the 14th day", n)
	}
	b.sleep(t, 1)
	b.wake(t)
	if n := len(b.letters(t)); n != 1 {
		t.Errorf("%d letters on the 15th day", n)
	}
}

// A letter of paper waits in the mailer for days. Nothing follows before it is
// posted, and its notice runs from then; what it names is never shortened.
func TestNothingFollowsALetterThatHasNotLeft(t *testing.T) {
	t.Parallel()
	b, bills := late(t, 1)
	f := bills[0]
	letter := func(niveau int) message.RelanceEmise {
		t.Helper()
		l := b.letters(t)
		if len(l) != niveau || l[niveau-1].Niveau != niveau {
			t.Fatalf("letters %+v, want %d", l, niveau)
		}
		return l[niveau-1]
	}
	file := func(etat string, waits bool, prochain message.Date) {
		t.Helper()
		if d := b.file(t, f); d.Etat != etat || d.AttendEnvoi != waits || d.ProchainLe != prochain {
			t.Errorf("file %+v, want %s, waits %t, next %s", d, etat, waits, prochain)
		}
	}
	b.sleep(t, 31)
	b.tick(t)
	first := letter(1)
	file("EN_RELANCE", true, now().AddDays(16))
	b.sleep(t, 40)
	b.tick(t)
	letter(1)
	for _, other := range []message.EnvoiFait{ // none of these is the letter
		{Reference: first.CourrierID, Modele: "FACTURE", Le: now()},
		{Reference: first.CourrierID, Accompagne: true, Le: now()},
		{Reference: function.NewID(), Le: now()},
		{Le: now()},
	} {
		b.left(t, other)
	}
	file("EN_RELANCE", true, now().AddDays(-24))

	// Posted two days ago, says somebody; told again, and late, of an earlier day.
	for _, days := range []int{-2, -2, -3} {
		b.left(t, message.EnvoiFait{Reference: first.CourrierID, Le: now().AddDays(days)})
		file("EN_RELANCE", false, now().AddDays(14))
	}
	codes := b.Count(t, "select count(*) from dossier_evenement where code = 'LETTRE_PARTIE' and detail = $1", "le "+now().AddDays(-2).Francais())
	if all := b.Count(t, "select count(*) from dossier_evenement where code = 'LETTRE_PARTIE'"); codes != 1 || all != 1 {
		t.Errorf("the history tells %d times that it left, %d of the right day", all, codes)
	}
	b.sleep(t, 13)
	b.tick(t)
	letter(1)
	b.sleep(t, 1)
	b.tick(t)
	second := letter(2)

	// The hand-over waits as well. A mailer that names no day means that of its event.
	b.sleep(t, 30)
	b.tick(t)
	b.left(t, message.EnvoiFait{Reference: first.CourrierID, Le: now()}) // the one before, once more
	file("EN_RELANCE", true, now().AddDays(-9))
	older := functiontest.Event("mailer", "", message.EnvoiFait{Modele: "RELANCE", Reference: second.CourrierID})
	older.SetTime(time.Now().AddDate(0, 0, -4))
	if got := b.Deliver(t, older); got != 204 {
		t.Errorf("status %d", got)
	}
	file("EN_RELANCE", false, now().AddDays(17))
	b.sleep(t, 17)
	b.tick(t)
	file("A_TRANSMETTRE", false, message.Date{})
	b.left(t, message.EnvoiFait{Reference: second.CourrierID, Le: now()}) // returned, and posted once more
	file("A_TRANSMETTRE", false, message.Date{})
}

// A letter that leaves on its day changes nothing of what was planned.
func TestALetterThatLeavesAtOnce(t *testing.T) {
	t.Parallel()
	b, bills := late(t, 1)
	b.sleep(t, 31)
	b.tick(t)
	planned := b.file(t, bills[0]).ProchainLe
	for range 2 {
		b.left(t, message.EnvoiFait{Reference: b.letters(t)[0].CourrierID, Le: now()})
	}
	if d := b.file(t, bills[0]); d.ProchainLe != planned || d.AttendEnvoi {
		t.Errorf("planned for %s: %+v", planned, d)
	}
	if n := b.Count(t, "select count(*) from dossier_evenement where code = 'LETTRE_PARTIE'"); n != 1 {
		t.Errorf("the history tells %d times that it left", n)
	}
}

// Letters that are held up, or begun anew, are not moved by one that leaves
// late: the later day holds, and another round has letters of its own.
func TestALetterThatLeavesMeanwhile(t *testing.T) {
	t.Parallel()
	b, bills := late(t, 1)
	staff, f := functiontest.Staff(), bills[0]
	b.sleep(t, 31)
	b.tick(t)
	first := b.letters(t)[0].CourrierID
	hold := func(days int) {
		t.Helper()
		functiontest.MustAsk(t, b.Function, staff, message.SuspendreRelances{AbonneID: f.AbonneID, Motif: "CONTESTATION", Jusqua: now().AddDays(days), Detail: "x"})
	}
	next := func(want message.Date) {
		t.Helper()
		if d := b.file(t, f); d.ProchainLe != want {
			t.Errorf("next %+v, want %s", d, want)
		}
	}
	hold(60)
	b.sleep(t, 10)
	b.left(t, message.EnvoiFait{Reference: first, Le: now()})
	next(now().AddDays(51))
	functiontest.MustAsk(t, b.Function, staff, message.ReprendreRelances{AbonneID: f.AbonneID})
	next(now().AddDays(16)) // of the notice that runs from the tenth day

	p := functiontest.MustAsk(t, b.Function, staff, message.EnregistrerPaiement{Mode: "CHEQUE", MontantCentimes: f.TTCCentimes, RecuLe: now(), Reference: f.Numero})
	b.tick(t)
	b.left(t, message.EnvoiFait{Reference: first, Le: now().AddDays(1)})
	if d := b.file(t, f); d.Etat != "CLOS" {
		t.Errorf("closed, and a letter left: %+v", d)
	}
	functiontest.MustAsk(t, b.Function, staff, message.RejeterPaiement{PaiementID: p.ID, Motif: "sans provision"})
	b.tick(t)
	b.sleep(t, 14)
	b.tick(t) // the first letter of another round
	b.sleep(t, 3)
	b.left(t, message.EnvoiFait{Reference: first, Le: now()})
	if d := b.file(t, f); d.Niveau != 1 || d.ProchainLe != now().AddDays(13) || !d.AttendEnvoi {
		t.Errorf("a letter of another round: %+v", d)
	}
}

// Code from before the day was kept writes letters without it: they count as
// sent, and the file goes on by itself.
func TestALetterWithoutItsDay(t *testing.T) {
	t.Parallel()
	b, _ := late(t, 1)
	b.sleep(t, 31)
	b.tick(t)
	b.unguarded(t, "update relance set partie_le = default")
	b.sleep(t, 16)
	b.tick(t)
	if n := len(b.letters(t)); n != 2 {
		t.Errorf("%d letters, want the second", n)
	}
}

// Who keeps a plan of payment is not written to, whether a first letter had
// gone out or not.
func TestAPlanThatIsKeptHoldsLetters(t *testing.T) {
	t.Parallel()
	b, bills := late(t, 3)
	plan := func(f message.Facture) {
		functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.CreerEcheancier{AbonneID: f.AbonneID, Nombre: 3, Premiere: now(), Motif: "difficultés"})
	}
	b.sleep(t, 45)
	plan(bills[0])
	b.wake(t)
	plan(bills[1])
	b.sleep(t, 16)
	b.wake(t)
	got := map[string]int{}
	for _, l := range b.letters(t) {
		got[l.AbonneID]++
	}
	if got[bills[0].AbonneID] != 0 || got[bills[1].AbonneID] != 1 || got[bills[2].AbonneID] != 2 {
		t.Errorf("letters: %v, want none, one and two", got)
	}
}

func TestAThousandTicks(t *testing.T) {
	t.Parallel()
	b, bills := late(t, 4)
	b.sleep(t, 31)
	var all sync.WaitGroup
	ticks := make(chan struct{}, 1000)
	for range cap(ticks) {
		ticks <- struct{}{}
	}
	close(ticks)
	for range 8 {
		all.Go(func() {
			for range ticks {
				b.tick(t)
			}
		})
	}
	all.Wait()
	b.tick(t)
	if n := len(b.letters(t)); n != len(bills) {
		t.Errorf("%d letters for %d bills", n, len(bills))
	}
	if n := b.Count(t, "select count(*) from dossier_evenement"); n != 2*len(bills) {
		t.Errorf("%d events, want an opening and a letter for each", n)
	}
}

// An abonne gets one letter for several bills of a level.
func TestOneLetterForSeveralBills(t *testing.T) {
	t.Parallel()
	b, _ := late(t, 2)
	b.unguarded(t, "update facture set abonne_id = (select min(abonne_id::text)::uuid from facture)")
	b.sleep(t, 31)
	b.wake(t)
	if l := b.letters(t); len(l) != 1 || len(l[0].Factures) != 2 || l[0].TotalCentimes != 2*26620 {
		t.Errorf("letters %+v", l)
	}
}

func TestFSLHoldsAndGivesANewNotice(t *testing.T) {
	t.Parallel()
	b, bills := late(t, 1)
	staff, f := functiontest.Staff(), bills[0]
	b.sleep(t, 31)
	b.wake(t)
	b.sleep(t, 16)
	b.wake(t) // second letter
	s := functiontest.MustAsk(t, b.Function, staff, message.SuspendreRelances{AbonneID: f.AbonneID, Motif: "FSL", DeposeLe: now().AddDays(-2), Detail: "Dossier 77-1"})
	if want := message.DateOf(now().AddDays(-2).Time().AddDate(0, 2, 0)); s.Jusqua != want || s.Dossiers != 1 {
		t.Errorf("holds %+v, want up to %s", s, want)
	}
	d := b.file(t, f)
	if d.Etat != "SUSPENDU" || d.Suspension != "FSL" || d.SuspenduJusqua != s.Jusqua {
		t.Errorf("file %+v", d)
	}
	b.sleep(t, s.Jusqua.DaysSince(now()))
	b.wake(t)
	if n := len(b.letters(t)); n != 2 {
		t.Errorf("%d letters while the FSL holds", n)
	}
	b.sleep(t, 1)
	b.wake(t)
	l := b.letters(t)
	if len(l) != 3 || l[2].Niveau != 2 || l[2].Limite != now().AddDays(20) {
		t.Errorf("after the FSL: %+v", l[2:])
	}
	for want, c := range map[string]message.SuspendreRelances{
		"date_future":         {AbonneID: f.AbonneID, Motif: "FSL", DeposeLe: now().AddDays(1), Detail: "x"},
		"suspension_terminee": {AbonneID: f.AbonneID, Motif: "FSL", DeposeLe: now().AddDays(-90), Detail: "x"},
		"fin_requise":         {AbonneID: f.AbonneID, Motif: "CONTESTATION", Detail: "x"},
		"facture_inconnue":    {AbonneID: function.NewID(), Motif: "CONTESTATION", Jusqua: now().AddDays(9), Detail: "x"},
	} {
		if _, err := functiontest.Ask(t, b.Function, staff, c); functiontest.Code(err) != want {
			t.Errorf("%+v: %v, want %s", c, err, want)
		}
	}
}

func TestDisputeAndItsEnd(t *testing.T) {
	t.Parallel()
	b, bills := late(t, 2)
	staff, f := functiontest.Staff(), bills[0]
	functiontest.MustAsk(t, b.Function, staff, message.SuspendreRelances{AbonneID: f.AbonneID, FactureID: f.ID, Motif: "CONTESTATION", Jusqua: now().AddDays(90), Detail: "Index contesté"})
	b.sleep(t, 31)
	b.wake(t)
	if l := b.letters(t); len(l) != 1 || l[0].AbonneID == f.AbonneID {
		t.Errorf("letters %+v", l)
	}
	functiontest.MustAsk(t, b.Function, staff, message.ReprendreRelances{AbonneID: f.AbonneID, FactureID: f.ID})
	b.wake(t)
	if n := len(b.letters(t)); n != 2 {
		t.Errorf("%d letters after the dispute", n)
	}
	if _, err := functiontest.Ask(t, b.Function, staff, message.ReprendreRelances{AbonneID: f.AbonneID}); functiontest.Code(err) != "rien_a_reprendre" {
		t.Errorf("ended twice: %v", err)
	}
	codes := []string{}
	for _, e := range functiontest.MustAsk(t, b.Function, staff, message.DossierRelanceParID{ID: b.file(t, f).ID}).Evenements {
		codes = append(codes, e.Code)
	}
	if got := strings.Join(codes, " "); got != "LETTRE_PARTIE LETTRE REPRIS OUVERT" {
		t.Errorf("history %q", got)
	}
}

// A payment ends the letters; taken back by the bank, they start again.
func TestPaymentEndsTheLetters(t *testing.T) {
	t.Parallel()
	b, bills := late(t, 1)
	staff, f := functiontest.Staff(), bills[0]
	b.sleep(t, 31)
	b.wake(t)
	p := functiontest.MustAsk(t, b.Function, staff, message.EnregistrerPaiement{Mode: "CHEQUE", MontantCentimes: f.TTCCentimes, RecuLe: now(), Reference: f.Numero})
	b.sleep(t, 20)
	b.wake(t)
	if d := b.file(t, f); d.Etat != "CLOS" || d.ResteCentimes != 0 || len(b.letters(t)) != 1 {
		t.Errorf("paid: %+v, %d letters", d, len(b.letters(t)))
	}
	functiontest.MustAsk(t, b.Function, staff, message.RejeterPaiement{PaiementID: p.ID, Motif: "sans provision"})
	b.wake(t)
	if d := b.file(t, f); d.Etat != "EN_RELANCE" || d.Niveau != 0 || d.ProchainLe != now().AddDays(14) {
		t.Errorf("taken back: %+v", d)
	}
	b.sleep(t, 14)
	b.wake(t)
	if l := b.letters(t); len(l) != 2 || l[1].Niveau != 1 {
		t.Errorf("letters %+v", l)
	}
	b.balanced(t)
}

// exhausted is a bill whose notices have all passed.
func exhausted(t *testing.T, contrats int) (*bundle, []message.Facture) {
	t.Helper()
	b, bills := late(t, contrats)
	for _, days := range []int{31, 16, 21} {
		b.sleep(t, days)
		b.wake(t)
	}
	return b, bills
}

func TestLitigation(t *testing.T) {
	t.Parallel()
	b, bills := exhausted(t, 2)
	staff, f := functiontest.Staff(), bills[0]
	fresh, _ := late(t, 1)
	if _, err := functiontest.Ask(t, fresh.Function, staff, message.OuvrirContentieux{AbonneID: fresh.contrats[0].Abonne.ID, Motif: "x"}); functiontest.Code(err) != "rien_a_transmettre" {
		t.Errorf("before the notices: %v", err)
	}
	c := functiontest.MustAsk(t, b.Function, staff, message.OuvrirContentieux{AbonneID: f.AbonneID, Motif: "Relances sans effet"})
	if c.Etat != "OUVERT" || c.Factures != 1 || c.ResteCentimes != f.TTCCentimes || len(c.Dossiers) != 1 || c.Dossiers[0].Etat != "EN_CONTENTIEUX" {
		t.Errorf("opened %+v", c)
	}
	issued := functiontest.MustAsk(t, b.Function, staff, message.FactureParID{ID: f.ID}).DateFacturation
	if want := message.DateOf(issued.Time().AddDate(4, 0, 0)); c.PrescriptionLe != want {
		t.Errorf("a regie claims until %s, want %s", c.PrescriptionLe, want)
	}
	pdf := []byte("%PDF-1.7 lettre")
	act := message.AjouterActe{ContentieuxID: c.ID, Nature: "RECONNAISSANCE", Le: now().AddDays(-3), Detail: "Lettre de l'abonné", DocumentNom: "lettre.pdf", DocumentMime: "application/pdf", Document: pdf}
	c = functiontest.MustAsk(t, b.Function, staff, act)
	if want := message.DateOf(now().AddDays(-3).Time().AddDate(4, 0, 0)); c.PrescriptionLe != want || len(c.Actes) != 1 || !c.Actes[0].Interrompt {
		t.Errorf("an acknowledgment gives until %s, want %s: %+v", c.PrescriptionLe, want, c.Actes)
	}
	if d := functiontest.MustAsk(t, b.Function, staff, message.DocumentActe{ActeID: c.Actes[0].ID}); string(d.Contenu) != string(pdf) || d.Nom != "lettre.pdf" {
		t.Errorf("document %+v", d)
	}
	functiontest.MustAsk(t, b.Function, staff, message.ReglerComptabilite{Entite: "principale", Regime: "PRIVE", TVAExigibilite: "DEBITS"})
	if got, want := functiontest.MustAsk(t, b.Function, staff, message.ContentieuxParID{ID: c.ID}).PrescriptionLe, message.DateOf(now().AddDays(-3).Time().AddDate(2, 0, 0)); got != want {
		t.Errorf("a private operator claims until %s, want %s", got, want)
	}
	hostile := act
	hostile.Document = []byte("<script>")
	if _, err := functiontest.Ask(t, b.Function, staff, hostile); functiontest.Code(err) != "document_illisible" {
		t.Errorf("a page named PDF: %v", err)
	}
	future := act
	future.Le = now().AddDays(1)
	if _, err := functiontest.Ask(t, b.Function, staff, future); functiontest.Code(err) != "date_future" {
		t.Errorf("an act of tomorrow: %v", err)
	}
	if list := functiontest.MustAsk(t, b.Function, staff, message.ContentieuxEnCours{}).Items; len(list) != 1 || list[0].ID != c.ID {
		t.Errorf("list %+v", list)
	}
	c = functiontest.MustAsk(t, b.Function, staff, message.CloreContentieux{ContentieuxID: c.ID, Issue: "Accord"})
	if c.Etat != "CLOS" || c.Dossiers[0].Etat != "A_TRANSMETTRE" {
		t.Errorf("closed %+v", c)
	}
	if _, err := functiontest.Ask(t, b.Function, staff, act); functiontest.Code(err) != "contentieux_clos" {
		t.Errorf("an act after the end: %v", err)
	}
}

func TestAnotherPersonGivesUp(t *testing.T) {
	t.Parallel()
	b, bills := exhausted(t, 1)
	staff, f := functiontest.Staff(), bills[0]
	other := functiontest.Staff()
	other.ID = function.NewID()
	functiontest.MustAsk(t, b.Function, staff, message.EnregistrerPaiement{Mode: "VIREMENT", MontantCentimes: 620, RecuLe: now(), Reference: f.Numero})
	n := functiontest.MustAsk(t, b.Function, staff, message.ProposerNonValeur{FactureID: f.ID, Motif: "Insolvable"})
	if n.Etat != "PROPOSEE" || n.MontantCentimes != f.TTCCentimes-620 {
		t.Errorf("proposed %+v", n)
	}
	decide := message.DeciderNonValeur{NonValeurID: n.ID, Admise: true, Deliberation: "2026-77"}
	refused := func(as function.Identity, request message.Request[message.NonValeur], want string) {
		t.Helper()
		if _, err := functiontest.Ask(t, b.Function, as, request); functiontest.Code(err) != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	refused(staff, decide, "deux_personnes")
	refused(other, message.DeciderNonValeur{NonValeurID: n.ID, Admise: true}, "champs_invalides")
	refused(staff, message.ProposerNonValeur{FactureID: f.ID, Motif: "encore"}, "deja_proposee")
	n = functiontest.MustAsk(t, b.Function, other, decide)
	if n.Etat != "ADMISE" || n.DecidePar != other.ID {
		t.Errorf("decided %+v", n)
	}
	refused(other, decide, "deja_decidee")
	if got := functiontest.MustAsk(t, b.Function, staff, message.FactureParID{ID: f.ID}); got.Etat != "ADMISE_EN_NON_VALEUR" {
		t.Errorf("the bill is %s", got.Etat)
	}
	if got := functiontest.MustAsk(t, b.Function, staff, message.Compte{AbonneID: f.AbonneID}).SoldeCentimes; got != 0 {
		t.Errorf("the abonne owes %d", got)
	}
	if got := b.Count(t, "select sum(debit_centimes) from mouvement where compte = '6541'"); int64(got) != f.TTCCentimes-620 {
		t.Errorf("the loss is booked as %d", got)
	}
	if d := b.file(t, f); d.Etat != "ADMIS_EN_NON_VALEUR" {
		t.Errorf("file %+v", d)
	}
	b.balanced(t)
	early, young := late(t, 1)
	if _, err := functiontest.Ask(t, early.Function, staff, message.ProposerNonValeur{FactureID: young[0].ID, Motif: "x"}); functiontest.Code(err) != "poursuites_non_epuisees" {
		t.Errorf("before the notices: %v", err)
	}
}

// The surcharge needs three months and a formal notice of fifteen days.
func TestSewerageSurcharge(t *testing.T) {
	t.Parallel()
	b, bills := exhausted(t, 1) // 68 days after the bill
	staff, f := functiontest.Staff(), bills[0]
	c := functiontest.MustAsk(t, b.Function, staff, message.OuvrirContentieux{AbonneID: f.AbonneID, Motif: "x"})
	ask := func() (message.Facture, error) {
		return functiontest.Ask(t, b.Function, staff, message.MajorerAssainissement{FactureID: f.ID})
	}
	refused := func(when string) {
		t.Helper()
		if _, err := ask(); functiontest.Code(err) != "majoration_interdite" || b.file(t, f).Majorable {
			t.Errorf("%s: %v", when, err)
		}
	}
	refused("before three months")
	b.sleep(t, 40)
	refused("without a formal notice")
	functiontest.MustAsk(t, b.Function, staff, message.AjouterActe{ContentieuxID: c.ID, Nature: "MISE_EN_DEMEURE", Le: now(), Detail: "LRAR"})
	b.sleep(t, 15)
	refused("on the 15th day of the notice")
	b.sleep(t, 1)
	if !b.file(t, f).Majorable {
		t.Error("it may be surcharged, and the file does not say so")
	}
	// Half is paid: 25 % of half of 7,52 + 111,60 of sewerage.
	functiontest.MustAsk(t, b.Function, staff, message.EnregistrerPaiement{Mode: "VIREMENT", MontantCentimes: f.TTCCentimes / 2, RecuLe: now(), Reference: f.Numero})
	piece, err := ask()
	if err != nil {
		t.Fatal(err)
	}
	if piece.TTCCentimes != 1489 || piece.TVACentimes != 0 || piece.Nature != "MANUELLE" || piece.AbonneID != f.AbonneID {
		t.Errorf("got %+v", piece)
	}
	refused("a second time")
	if got := b.Count(t, "select sum(credit_centimes) from mouvement where compte = '7711'"); got != 1489 {
		t.Errorf("booked %d", got)
	}
	b.balanced(t)
}

// A household that is helped pays no reject fee, and nobody does unless the rules say so.
func TestRejectFee(t *testing.T) {
	t.Parallel()
	b, bills := late(t, 2)
	reject := func(f message.Facture) int {
		t.Helper()
		p := functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.EnregistrerPaiement{Mode: "CHEQUE", MontantCentimes: 100, RecuLe: now(), Reference: f.Numero})
		functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.RejeterPaiement{PaiementID: p.ID, Motif: "sans provision"})
		told := functiontest.Emitted[message.PaiementRejete](t, b.Function)
		e := functiontest.Event("facture", p.ID, told[len(told)-1])
		for range 2 {
			if got := b.Deliver(t, e); got != 204 {
				t.Fatalf("status %d", got)
			}
		}
		return b.Count(t, "select coalesce(sum(ttc_centimes), 0) from facture where nature = 'MANUELLE'")
	}
	if got := reject(bills[0]); got != 0 {
		t.Errorf("a fee of %d without a rule", got)
	}
	b.unguarded(t, "insert into frais_recouvrement values ('REJET', '[2020-01-01,)', true, 760, 'délibération 2019-12')")
	functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.EnregistrerAide{AbonneID: bills[1].AbonneID, Nature: "FSL", Du: now().AddDays(-300), Justificatif: "Décision du 3 mars"})
	if got := reject(bills[1]); got != 0 {
		t.Errorf("a helped household pays %d", got)
	}
	if got := reject(bills[0]); got != 760 {
		t.Errorf("the fee is %d", got)
	}
	b.balanced(t)
}

// Nothing that facture says or asks for, from the bill to what is given up,
// is field work: it has no way to an order.
func TestArrearsOrderNoFieldWork(t *testing.T) {
	t.Parallel()
	b, bills := exhausted(t, 1)
	staff, f := functiontest.Staff(), bills[0]
	c := functiontest.MustAsk(t, b.Function, staff, message.OuvrirContentieux{AbonneID: f.AbonneID, Motif: "x"})
	for _, nature := range []string{"MISE_EN_DEMEURE", "INJONCTION", "ASSIGNATION", "SAISIE", "ACCORD", "NOTE"} {
		functiontest.MustAsk(t, b.Function, staff, message.AjouterActe{ContentieuxID: c.ID, Nature: nature, Le: now(), Detail: "x"})
	}
	b.sleep(t, 200)
	b.wake(t)
	functiontest.MustAsk(t, b.Function, staff, message.MajorerAssainissement{FactureID: f.ID})
	functiontest.MustAsk(t, b.Function, staff, message.ProposerNonValeur{FactureID: f.ID, Motif: "x"})
	sent := b.Outbox(t)
	for _, s := range sent {
		if owner := message.Owner(s.Event.Type()); owner != "facture" {
			t.Errorf("facture sent %s", s.Event.Type())
		}
	}
	if len(sent) == 0 {
		t.Error("nothing was sent: the test proves nothing")
	}
}
