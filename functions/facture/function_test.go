package main

import (
	"fmt"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

func TestMain(m *testing.M) {
	_ = os.Setenv("LOT_PAR_TRANCHE", "2") // so that a few contracts make several chunks
	for name, value := range map[string]string{
		"NOM": regie.Nom, "ADRESSE": regie.Adresse, "TELEPHONE": regie.Telephone, "URGENCE": regie.Urgence, "EMAIL": regie.Email,
		"IBAN": regie.IBAN, "BIC": regie.BIC, "SIRET": regie.SIRET, "PAIEMENT_URL": regie.Paiement,
	} {
		_ = os.Setenv("SERVICE_"+name, value)
	}
	platform := httptest.NewServer(laPlateforme)
	for name, value := range map[string]string{
		"PLATEFORME_URL": platform.URL + "/flow-service", "PLATEFORME_JETON_URL": platform.URL + "/token", "PLATEFORME_CLIENT": "regie", "PLATEFORME_SECRET": "secret",
		"SERVICE_TAILLE": "GRANDE",
	} {
		_ = os.Setenv(name, value)
	}
	functiontest.Main(m)
}

// second is another person with the same rights, who approves.
func second() function.Identity {
	id := functiontest.Staff()
	id.ID, id.Nom = "0190a000-0000-7000-8000-000000000009", "Seconde"
	return id
}

// bundle is facture with tariffs and a village of contracts read twice.
type bundle struct {
	*functiontest.Function
	delivered int // events of its own that were handed back to it
	contrats  []message.ContratActive
}

var (
	avril   = message.NewDate(2026, time.April, 1)
	octobre = message.NewDate(2026, time.October, 1)
	emises  = message.NewDate(2026, time.October, 15)
)

func setup(t *testing.T, contrats int) *bundle {
	t.Helper()
	b := &bundle{Function: functiontest.Start(t, "facture", listens)}
	b.tariffs(t)
	for i := range contrats {
		c := contract(i)
		b.contrats = append(b.contrats, c)
		b.deliver(t, "contrat", c.ContratID, c)
		b.read(t, c, avril, 130, false)
		b.read(t, c, octobre, 190, false)
	}
	return b
}

func (b *bundle) tariffs(t *testing.T) {
	t.Helper()
	du, au := message.NewDate(2025, time.January, 1), message.NewDate(2027, time.January, 1)
	staff := functiontest.Staff()
	functiontest.MustAsk(t, b.Function, staff, message.DefinirGrille{Code: "eau", Service: "eau", Du: du, Au: au, PartFixeAnUE: 15_000_000,
		Tranches: []message.Tranche{{PrixM3UE: 1_670_000}}, TVAPM: 55, Deliberation: "2025-12"})
	functiontest.MustAsk(t, b.Function, staff, message.DefinirGrille{Code: "eu", Service: "assainissement", Du: du, Au: au, PartFixeAnUE: 15_000_000,
		Tranches: []message.Tranche{{PrixM3UE: 1_860_000}}, TVAPM: 100, Deliberation: "2025-12"})
	functiontest.MustAsk(t, b.Function, staff, message.DefinirRedevance{Code: "consommation", Libelle: "Consommation d'eau potable", Service: "eau",
		Du: du, Au: au, TauxM3UE: 340_000, CoefficientPM: 1000, TVAPM: 55, Source: "agence"})
}

func contract(i int) message.ContratActive {
	address := message.Adresse{Voie: fmt.Sprintf("%d rue des Lilas", i+1), CodePostal: "77116", Commune: "Guercheville"}
	return message.ContratActive{
		ContratID: function.NewID(), Numero: fmt.Sprintf("C-I-77223-26-%05d", i+1), Version: 3, ModePaiement: "VIREMENT", Depuis: message.NewDate(2024, 1, 1),
		Abonne: message.Abonne{ID: function.NewID(), Nature: "PERSONNE", Nom: fmt.Sprintf("Dupont%d", i), Prenom: "Anne", Email: "anne@exemple.fr", Adresse: address},
		PDL: message.PDL{ID: function.NewID(), Reference: fmt.Sprintf("PDL-%05d", i+1), Adresse: address, CodeINSEE: "77223", Logements: 1,
			Habitation: true, ResidencePrincipale: "OUI", Assainissement: true},
		Pose: message.Pose{ID: function.NewID(), Du: message.NewDate(2024, 1, 1), IndexDebut: 10,
			Compteur: message.Compteur{ID: function.NewID(), Serie: fmt.Sprintf("S%05d", i), CalibreMM: 15, Roues: 5, LitresParUnite: 1000, Annee: 2019}},
	}
}

func (b *bundle) deliver(t *testing.T, from, subject string, e message.Message) {
	t.Helper()
	if got := b.Deliver(t, functiontest.Event(from, subject, e)); got != 204 {
		t.Fatalf("%s: status %d", e.Type(), got)
	}
}

func (b *bundle) read(t *testing.T, c message.ContratActive, day message.Date, index int64, estimee bool) (id string) {
	t.Helper()
	id = function.NewID()
	b.deliver(t, "operation", "", message.RelevesValides{Releves: []message.ReleveValide{
		{ReleveID: id, ContratID: c.ContratID, PoseID: c.Pose.ID, Date: day, Index: index, Estimee: estimee}}})
	return id
}

// settle hands back the events that facture sent to itself, each twice, as a
// broker may.
func (b *bundle) settle(t *testing.T) {
	t.Helper()
	for {
		out := b.Outbox(t)
		if len(out) == b.delivered {
			return
		}
		for _, s := range out[b.delivered:] {
			if strings.HasPrefix(s.Key, "fr.aquaerp.facture.tranche-a-") || s.Key == (message.SerieASceller{}).Type() {
				for range 2 {
					if got := b.Deliver(t, s.Event); got != 204 {
						t.Fatalf("%s: status %d", s.Key, got)
					}
				}
			}
		}
		b.delivered = len(out)
	}
}

func lotOf(du, au, facturation message.Date) message.PreparerLot {
	return message.PreparerLot{Libelle: "Semestre", Du: du, Au: au, DateFacturation: facturation, Echeance: facturation.AddDays(30)}
}

// ask is only whether something is refused.
func ask[R any](t *testing.T, b *bundle, as function.Identity, request message.Request[R]) error {
	_, err := functiontest.Ask(t, b.Function, as, request)
	return err
}

// issue prepares, computes and issues a lot.
func (b *bundle) issue(t *testing.T, c message.PreparerLot) message.Lot {
	t.Helper()
	lot := functiontest.MustAsk(t, b.Function, functiontest.Staff(), c)
	b.settle(t)
	functiontest.MustAsk(t, b.Function, second(), message.ControlerLot{LotID: lot.ID})
	functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.EmettreLot{LotID: lot.ID})
	b.settle(t)
	return functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.LotParID{ID: lot.ID})
}

func (b *bundle) bills(t *testing.T, lotID string) []message.Facture {
	t.Helper()
	return functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.Factures{LotID: lotID, Page: message.Page{Limite: 200}}).Items
}

func (b *bundle) sound(t *testing.T) {
	t.Helper()
	if out, err := b.replay(t); err != nil {
		t.Errorf("issued bills priced again: %v\n%s", err, out)
	}
	if n := b.Count(t, "select count(*) from (select serie, max(rang) - count(*) gap from facture where rang is not null group by 1) s where gap <> 0"); n != 0 {
		t.Error("numbers have a gap")
	}
	if n := b.Count(t, "select coalesce(sum(debit_centimes - credit_centimes), 0) from mouvement"); n != 0 {
		t.Errorf("the journal is off by %d", n)
	}
	if v := functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.VerifierFactures{}); !v.Valide {
		t.Errorf("the chain says %+v", v)
	}
	owed := b.Count(t, "select coalesce(sum(montant_centimes), 0) from compte_abonne")
	if n := b.Count(t, "select coalesce(sum(debit_centimes - credit_centimes), 0) from mouvement where compte = '411'"); n != owed {
		t.Errorf("account 411 says %d, the bills %d", n, owed)
	}
}

func TestLot(t *testing.T) {
	t.Parallel()
	b := setup(t, 3)
	prepared := functiontest.MustAsk(t, b.Function, functiontest.Staff(), lotOf(avril, octobre, emises))
	if prepared.Etat != "PREPARE" || prepared.Contrats != 3 {
		t.Fatalf("got %+v", prepared)
	}
	b.settle(t)
	computed := functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.LotParID{ID: prepared.ID})
	// 60 m3 over 183 days: 7,52 + 100,20 water; 7,52 + 111,60 sewerage; 20,40 redevance; VAT 7,05 + 11,91.
	if computed.Etat != "CALCULE" || computed.Calculees != 3 || computed.TTCCentimes != 3*26620 || computed.VolumeLitres != 180_000 {
		t.Fatalf("got %+v", computed)
	}
	if computed.PremierNumero != "F2026-000001" || computed.DernierNumero != "F2026-000003" {
		t.Errorf("would take %s to %s", computed.PremierNumero, computed.DernierNumero)
	}
	for _, refused := range []struct {
		code string
		ask  error
	}{
		{"lot_pas_approuve", ask(t, b, functiontest.Staff(), message.EmettreLot{LotID: prepared.ID})},
		{"seconde_personne", ask(t, b, functiontest.Staff(), message.ControlerLot{LotID: prepared.ID})},
	} {
		if got := functiontest.Code(refused.ask); got != refused.code {
			t.Errorf("%q, want %q", got, refused.code)
		}
	}
	functiontest.MustAsk(t, b.Function, second(), message.ControlerLot{LotID: prepared.ID})
	functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.EmettreLot{LotID: prepared.ID})
	b.settle(t)
	bills := b.bills(t, prepared.ID)
	for i, f := range bills {
		if want := fmt.Sprintf("F2026-%06d", 3-i); f.Numero != want || f.Etat != "EMISE" || f.ResteCentimes != 26620 {
			t.Errorf("got %+v, want number %s", f, want)
		}
	}
	told := functiontest.Emitted[message.FacturesEmises](t, b.Function)
	if len(told) != 2 || len(told[0].Factures) != 2 || len(told[1].Factures) != 1 || told[0].Factures[0].Email == "" {
		t.Errorf("told %+v", told)
	}
	b.sound(t)
	_, err := functiontest.Ask(t, b.Function, functiontest.Staff(), lotOf(avril, octobre, emises))
	if got := functiontest.Code(err); got != "lot_vide" {
		t.Errorf("the same period again: %q", got)
	}
}

func TestIssuedBillsNeverChange(t *testing.T) {
	t.Parallel()
	b := setup(t, 1)
	b.issue(t, lotOf(avril, octobre, emises))
	for _, sql := range []string{
		"update facture set ttc_centimes = ttc_centimes + 1, ht_centimes = ht_centimes + 1",
		"update facture set lignes = '[]'",
		"update facture set numero = 'F2026-000009'",
		"delete from facture",
	} {
		if _, err := b.DB.Exec(t.Context(), sql); err == nil {
			t.Errorf("%s: accepted", sql)
		}
	}
	for _, sql := range []string{
		"insert into ecriture values (gen_random_uuid(), now(), 'x', 'x'); insert into mouvement select id, '411', 5, 0 from ecriture where piece = 'x'",
	} {
		if _, err := b.DB.Exec(t.Context(), "begin; "+sql+"; commit"); err == nil {
			t.Errorf("%s: accepted", sql)
		}
	}
}

func TestLotsAtTheSameTime(t *testing.T) {
	t.Parallel()
	b := setup(t, 2)
	var all sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for range 8 {
		all.Go(func() {
			if _, err := functiontest.Ask(t, b.Function, functiontest.Staff(), lotOf(avril, octobre, emises)); err == nil {
				mu.Lock()
				done++
				mu.Unlock()
			} else if got := functiontest.Code(err); got != "lot_en_cours" {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if done != 1 {
		t.Errorf("%d lots were prepared", done)
	}
}

func TestRejectedLotUsesNoNumber(t *testing.T) {
	t.Parallel()
	b := setup(t, 2)
	lot := functiontest.MustAsk(t, b.Function, functiontest.Staff(), lotOf(avril, octobre, emises))
	b.settle(t)
	functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.RejeterLot{LotID: lot.ID, Motif: "essai"})
	issued := b.issue(t, lotOf(avril, octobre, emises))
	if issued.PremierNumero != "F2026-000001" || issued.DernierNumero != "F2026-000002" {
		t.Errorf("got %s to %s", issued.PremierNumero, issued.DernierNumero)
	}
	b.sound(t)
}

// A lot that another with a later date overtook is refused, and stays free to be rejected.
func TestOvertakenLot(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	c := contract(0)
	b.deliver(t, "contrat", c.ContratID, c)
	juillet := message.NewDate(2026, time.July, 1)
	b.read(t, c, avril, 130, false)
	b.read(t, c, juillet, 160, false)
	b.read(t, c, octobre, 190, false)
	staff := functiontest.Staff()
	early := functiontest.MustAsk(t, b.Function, staff, lotOf(avril, juillet, emises))
	b.settle(t)
	b.issue(t, lotOf(juillet, octobre, emises.AddDays(1)))
	functiontest.MustAsk(t, b.Function, second(), message.ControlerLot{LotID: early.ID})
	if got := functiontest.Code(ask(t, b, staff, message.EmettreLot{LotID: early.ID})); got != "date_recule" {
		t.Errorf("got %q", got)
	}
	if got := functiontest.MustAsk(t, b.Function, staff, message.RejeterLot{LotID: early.ID, Motif: "date"}); got.Etat != "REJETE" {
		t.Errorf("got %+v", got)
	}
	b.sound(t)
}

func TestWhatCannotBeBilledIsListed(t *testing.T) {
	t.Parallel()
	b := setup(t, 1)
	unread := contract(7)
	b.deliver(t, "contrat", unread.ContratID, unread)
	lot := functiontest.MustAsk(t, b.Function, functiontest.Staff(), lotOf(avril, octobre, emises))
	b.settle(t)
	lot = functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.LotParID{ID: lot.ID})
	if lot.Calculees != 1 || lot.EnErreur != 1 || len(lot.Erreurs) != 1 || lot.Erreurs[0].Code != "releve_manquant" {
		t.Errorf("got %+v", lot)
	}
}

func TestEstimateIsReversed(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	c := contract(0)
	b.deliver(t, "contrat", c.ContratID, c)
	juillet := message.NewDate(2026, time.July, 1)
	b.read(t, c, avril, 130, false)
	estimate := b.read(t, c, juillet, 180, true)
	first := b.bills(t, b.issue(t, lotOf(avril, juillet, message.NewDate(2026, time.July, 10))).ID)[0]
	if !first.Estimee || first.VolumeLitres != 50_000 {
		t.Fatalf("got %+v", first)
	}
	b.deliver(t, "operation", "", message.RelevesValides{Releves: []message.ReleveValide{
		{ReleveID: function.NewID(), ContratID: c.ContratID, PoseID: c.Pose.ID, Date: octobre, Index: 160, Remplace: estimate}}})
	second := b.bills(t, b.issue(t, lotOf(juillet, octobre, emises)).ID)[0]
	if second.Estimee || second.VolumeLitres != 30_000 || second.Du != avril {
		t.Errorf("got %+v", second)
	}
	// Both bills together cost what one bill of the 30 m3 really used costs.
	whole := setup(t, 0)
	whole.deliver(t, "contrat", c.ContratID, c)
	whole.read(t, c, avril, 130, false)
	whole.read(t, c, octobre, 160, false)
	once := whole.bills(t, whole.issue(t, lotOf(avril, octobre, emises)).ID)[0]
	if first.HTCentimes+second.HTCentimes != once.HTCentimes {
		t.Errorf("%d + %d HT on estimates, %d without", first.HTCentimes, second.HTCentimes, once.HTCentimes)
	}
	b.sound(t)
}

func TestReversalBeforeItsEstimate(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	c := contract(0)
	b.deliver(t, "contrat", c.ContratID, c)
	b.read(t, c, avril, 130, false)
	estimate := message.ReleveValide{ReleveID: function.NewID(), ContratID: c.ContratID, PoseID: c.Pose.ID, Date: message.NewDate(2026, time.July, 1), Index: 180, Estimee: true}
	for _, r := range []message.ReleveValide{
		{ReleveID: function.NewID(), ContratID: c.ContratID, PoseID: c.Pose.ID, Date: octobre, Index: 160, Remplace: estimate.ReleveID},
		estimate,
	} {
		b.deliver(t, "operation", "", message.RelevesValides{Releves: []message.ReleveValide{r}})
	}
	if f := b.bills(t, b.issue(t, lotOf(avril, octobre, emises)).ID)[0]; f.VolumeLitres != 30_000 {
		t.Errorf("billed %d litres, want 30 000", f.VolumeLitres)
	}
}

func TestMeterChangeWithinThePeriod(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	c := contract(0)
	b.deliver(t, "contrat", c.ContratID, c)
	b.read(t, c, avril, 99_990, false)
	closed, opened := c.Pose, c.Pose
	juin, fin := message.NewDate(2026, time.June, 10), int64(12) // through zero: 22 m3
	closed.Au, closed.IndexFin = juin, &fin
	opened.ID, opened.Du, opened.IndexDebut = function.NewID(), juin, 0
	opened.Compteur.Serie = "NEUF"
	change := message.CompteurChange{ContratID: c.ContratID, Version: 4, PDLID: c.PDL.ID, Deposee: closed, Posee: opened}
	for range 2 {
		b.deliver(t, "contrat", c.ContratID, change)
	}
	b.read(t, c, octobre, 14, false) // of a meter that was gone by then
	c.Pose = opened
	b.read(t, c, octobre, 30, false)
	f := b.bills(t, b.issue(t, lotOf(avril, octobre, emises)).ID)[0]
	if f.VolumeLitres != 52_000 {
		t.Errorf("billed %d litres, want 22 000 + 30 000", f.VolumeLitres)
	}
	early := contract(1)
	if got := b.Deliver(t, functiontest.Event("contrat", early.ContratID, message.CompteurChange{ContratID: early.ContratID, Version: 4, Deposee: closed, Posee: opened})); got != 503 {
		t.Errorf("a change before its contract: status %d", got)
	}
}

func TestPayments(t *testing.T) {
	t.Parallel()
	b := setup(t, 1)
	staff := functiontest.Staff()
	f := b.bills(t, b.issue(t, lotOf(avril, octobre, emises)).ID)[0]
	pay := func(amount int64, reference, abonne string) message.Paiement {
		t.Helper()
		return functiontest.MustAsk(t, b.Function, staff, message.EnregistrerPaiement{Mode: "VIREMENT", MontantCentimes: amount, RecuLe: emises, Reference: reference, AbonneID: abonne})
	}
	if p := pay(10_000, f.Numero, ""); p.Lettrages[0].Etat != "PARTIELLE" || p.AvanceCentimes != 0 {
		t.Errorf("got %+v", p)
	}
	if p := pay(20_000, "", f.AbonneID); p.Lettrages[0].Etat != "PAYEE" || p.Lettrages[0].MontantCentimes != 16620 || p.AvanceCentimes != 3380 {
		t.Errorf("got %+v", p)
	}
	account := functiontest.MustAsk(t, b.Function, staff, message.Compte{AbonneID: f.AbonneID})
	if account.SoldeCentimes != -3380 || len(account.Paiements) != 2 {
		t.Errorf("got %+v", account)
	}
	if paid := functiontest.Emitted[message.FacturePayee](t, b.Function); len(paid) != 1 || paid[0].Numero != f.Numero {
		t.Errorf("told %+v", paid)
	}
	sums := functiontest.MustAsk(t, b.Function, staff, message.Balance{})
	if sums.DebitCentimes != sums.CreditCentimes || sums.DebitCentimes != 26620+30_000 {
		t.Errorf("got %+v", sums)
	}
	b.sound(t)
	for _, c := range []struct {
		code string
		pay  message.EnregistrerPaiement
	}{
		{"facture_inconnue", message.EnregistrerPaiement{Mode: "CARTE", MontantCentimes: 1, RecuLe: emises, Reference: "F2026-999999"}},
		{"date_future", message.EnregistrerPaiement{Mode: "CARTE", MontantCentimes: 1, RecuLe: message.NewDate(2199, 1, 1), Reference: f.Numero}},
		{"champs_invalides", message.EnregistrerPaiement{Mode: "CARTE", MontantCentimes: 0, RecuLe: emises, Reference: f.Numero}},
		{"champs_invalides", message.EnregistrerPaiement{Mode: "TROC", MontantCentimes: 1, RecuLe: emises, Reference: f.Numero}},
		{"champs_invalides", message.EnregistrerPaiement{Mode: "CARTE", MontantCentimes: 1, RecuLe: emises}},
		{"abonne_inconnu", message.EnregistrerPaiement{Mode: "CARTE", MontantCentimes: 1, RecuLe: emises, AbonneID: function.NewID()}},
	} {
		_, err := functiontest.Ask(t, b.Function, staff, c.pay)
		if got := functiontest.Code(err); got != c.code {
			t.Errorf("%+v: %q, want %q", c.pay, got, c.code)
		}
	}
}

func TestSubscriberSeesOwnBillsOnly(t *testing.T) {
	t.Parallel()
	b := setup(t, 2)
	bills := b.bills(t, b.issue(t, lotOf(avril, octobre, emises)).ID)
	me, other := functiontest.Subscriber(bills[0].AbonneID), bills[1]
	if got := functiontest.MustAsk(t, b.Function, me, message.Factures{AbonneID: me.AbonneID}); len(got.Items) != 1 {
		t.Errorf("sees %d bills", len(got.Items))
	}
	functiontest.MustAsk(t, b.Function, me, message.DocumentFacture{FactureID: bills[0].ID})
	for _, request := range []func() error{
		func() error {
			_, err := functiontest.Ask(t, b.Function, me, message.FactureParID{ID: other.ID})
			return err
		},
		func() error {
			_, err := functiontest.Ask(t, b.Function, me, message.DocumentFacture{FactureID: other.ID})
			return err
		},
		func() error {
			_, err := functiontest.Ask(t, b.Function, me, message.Factures{AbonneID: other.AbonneID})
			return err
		},
		func() error {
			_, err := functiontest.Ask(t, b.Function, me, message.Factures{LotID: other.LotID})
			return err
		},
		func() error {
			_, err := functiontest.Ask(t, b.Function, me, message.Compte{AbonneID: other.AbonneID})
			return err
		},
	} {
		if err := request(); err == nil || !strings.HasSuffix(functiontest.Code(err), "inconnue") && !strings.HasSuffix(functiontest.Code(err), "inconnu") {
			t.Errorf("got %v", err)
		}
	}
}

func TestLotDates(t *testing.T) {
	t.Parallel()
	b := setup(t, 1)
	b.issue(t, lotOf(avril, octobre, emises))
	janvier := message.NewDate(2026, time.January, 1)
	for _, c := range []struct {
		lot  message.PreparerLot
		code string
	}{
		{lotOf(octobre, avril, emises), "periode_vide"},
		{lotOf(janvier, avril, message.NewDate(2026, time.May, 1)), "date_recule"},
		{lotOf(avril, octobre, message.NewDate(2026, time.September, 1)), "date_facturation_avant_periode"},
		{lotOf(avril, octobre, message.NewDate(2199, time.January, 1)), "date_future"},
		{message.PreparerLot{Libelle: "x", Du: avril, Au: octobre, DateFacturation: emises, Echeance: emises.AddDays(13)}, "echeance_courte"},
	} {
		_, err := functiontest.Ask(t, b.Function, functiontest.Staff(), c.lot)
		if got := functiontest.Code(err); got != c.code {
			t.Errorf("%+v: %q, want %q", c.lot, got, c.code)
		}
	}
}
