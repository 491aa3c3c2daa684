package main

import (
	"bytes"
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

func (b *bundle) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	if _, err := b.DB.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

func (b *bundle) lot(t *testing.T, id string) message.Lot {
	t.Helper()
	return functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.LotParID{ID: id})
}

func TestOneClerkMayWorkAlone(t *testing.T) {
	t.Parallel()
	b := setup(t, 1)
	staff := functiontest.Staff()
	lot := functiontest.MustAsk(t, b.Function, staff, lotOf(avril, octobre, emises))
	b.settle(t)
	functiontest.MustAsk(t, b.Function, staff, message.ReglerControle{Entite: "principale", FortesCentimes: 1, FortsLitres: 1, Source: "délibération 12"})
	if got := functiontest.MustAsk(t, b.Function, staff, message.ControlerLot{LotID: lot.ID}); got.Etat != "CONTROLE" || got.ControlePar != staff.ID {
		t.Errorf("got %+v", got)
	}
}

// A lot that is stopped while it computes leaves nothing, whatever its chunks do then.
func TestStoppedLotLeavesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t, 5)
	staff := functiontest.Staff()
	lot := functiontest.MustAsk(t, b.Function, staff, lotOf(avril, octobre, emises))
	chunks := functiontest.Emitted[message.TrancheACalculer](t, b.Function)
	if len(chunks) != 3 {
		t.Fatalf("%d chunks", len(chunks))
	}
	b.deliver(t, "facture", lot.ID, chunks[0])
	if got := functiontest.MustAsk(t, b.Function, staff, message.RejeterLot{LotID: lot.ID, Motif: "trop tôt"}); got.Etat != "REJETE" || got.Motif != "trop tôt" {
		t.Errorf("got %+v", got)
	}
	b.settle(t)
	if n := b.Count(t, "select (select count(*) from facture) + (select count(*) from lot_erreur) + (select count(*) from lot_tranche) + (select count(*) from lot_numeros)"); n != 0 {
		t.Errorf("%d rows are left", n)
	}
	if got := functiontest.Code(ask(t, b, staff, message.RelancerLot{LotID: lot.ID})); got != "lot_au_repos" {
		t.Errorf("got %q", got)
	}
	b.issue(t, lotOf(avril, octobre, emises))
	b.sound(t)
}

// Chunks whose events were lost are asked for again, by a tick or a person, and only they.
func TestLostChunksAreResumed(t *testing.T) {
	t.Parallel()
	b := setup(t, 6)
	staff := functiontest.Staff()
	lot := functiontest.MustAsk(t, b.Function, staff, lotOf(avril, octobre, emises))
	b.deliver(t, "facture", lot.ID, functiontest.Emitted[message.TrancheACalculer](t, b.Function)[1])
	b.delivered = len(b.Outbox(t)) // the others are lost
	b.deliver(t, "pings", "", message.Tick{})
	if n := len(functiontest.Emitted[message.TrancheACalculer](t, b.Function)); n != 3 {
		t.Errorf("a tick asked for chunks that may be under way: %d events", n)
	}
	b.exec(t, "update lot set relance_a = relance_a - interval '1 hour'")
	for range 3 {
		b.deliver(t, "pings", "", message.Tick{})
	}
	if n := len(functiontest.Emitted[message.TrancheACalculer](t, b.Function)); n != 5 {
		t.Errorf("%d events, want the two that are missing once more", n)
	}
	b.settle(t)
	functiontest.MustAsk(t, b.Function, second(), message.ControlerLot{LotID: lot.ID})
	functiontest.MustAsk(t, b.Function, staff, message.EmettreLot{LotID: lot.ID})
	b.delivered = len(b.Outbox(t))
	if got := b.lot(t, lot.ID); got.Etat != "EMISSION" || got.Emises != 0 {
		t.Errorf("nothing is issued yet, and the lot says %+v", got)
	}
	functiontest.MustAsk(t, b.Function, staff, message.RelancerLot{LotID: lot.ID})
	b.settle(t)
	if got := b.lot(t, lot.ID); got.Etat != "EMIS" || got.Emises != 6 || got.DernierNumero != "F2026-000006" {
		t.Errorf("got %+v", got)
	}
	b.sound(t)
}

// A bill that PostgreSQL prices otherwise stops its chunk, and the lot says so.
func TestWrongBillStopsItsChunk(t *testing.T) {
	t.Parallel()
	for name, wrong := range map[string]string{
		"a centime more":      "new.distribution_centimes = new.distribution_centimes + 1; new.ht_centimes = new.ht_centimes + 1; new.ttc_centimes = new.ttc_centimes + 1",
		"VAT rounded down":    "new.tva_centimes = new.tva_centimes - 1; new.ttc_centimes = new.ttc_centimes - 1",
		"another rubrique":    "new.distribution_centimes = new.distribution_centimes + 1; new.eaux_usees_centimes = new.eaux_usees_centimes - 1",
		"a line of its own":   `new.lignes = jsonb_set(new.lignes, '{0,ht_centimes}', '1')`,
		"a volume of its own": "new.volume_litres = new.volume_litres + 1",
		"another VAT detail":  `new.tva = jsonb_set(new.tva, '{0,base_centimes}', '1')`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, 3)
			b.exec(t, `create function faux() returns trigger language plpgsql as $$ begin if new.contrat like '%00002' then `+wrong+`; end if; return new; end $$;
				create trigger faux before insert on facture for each row execute function faux()`)
			lot := functiontest.MustAsk(t, b.Function, functiontest.Staff(), lotOf(avril, octobre, emises))
			for _, chunk := range functiontest.Emitted[message.TrancheACalculer](t, b.Function) {
				want := 204
				if strings.HasSuffix(chunk.A, "00002") {
					want = 422
				}
				if got := b.Deliver(t, functiontest.Event("facture", lot.ID, chunk)); got != want {
					t.Errorf("%+v: status %d, want %d", chunk, got, want)
				}
			}
			got := b.lot(t, lot.ID)
			if got.Etat != "PREPARE" || got.Calculees != 1 || len(got.Blocages) != 1 || !strings.Contains(got.Blocages[0].Motif, "00002") {
				t.Errorf("got %+v", got)
			}
			b.exec(t, "drop trigger faux on facture")
			b.delivered = len(b.Outbox(t))
			functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.RelancerLot{LotID: lot.ID})
			b.settle(t)
			if got := b.lot(t, lot.ID); got.Etat != "CALCULE" || got.Calculees != 3 || len(got.Blocages) != 0 {
				t.Errorf("mended: %+v", got)
			}
		})
	}
}

func TestControlReport(t *testing.T) {
	t.Parallel()
	b := setup(t, 4)
	staff := functiontest.Staff()
	juillet := message.NewDate(2026, time.July, 1)
	for i, index := range []int64{140, 130, 400} { // 10 m3, nothing, a lot; the fourth is not read
		b.read(t, b.contrats[i], juillet, index, i == 0)
	}
	for _, c := range b.contrats {
		b.read(t, c, message.NewDate(2026, time.January, 1), 100, false)
	}
	before := b.issue(t, message.PreparerLot{Libelle: "Hiver", Du: message.NewDate(2026, time.January, 1), Au: avril, DateFacturation: avril, Echeance: avril.AddDays(30)})
	b.exec(t, "delete from releve where date = '2026-10-01'") // nobody has read yet
	lot := functiontest.MustAsk(t, b.Function, staff, lotOf(avril, juillet, message.NewDate(2026, time.July, 10)))
	b.settle(t)
	functiontest.MustAsk(t, b.Function, staff, message.ReglerControle{Entite: "principale", DeuxPersonnes: true, FortesCentimes: 50_000, FortsLitres: 1_000_000, Source: "test"})
	r := functiontest.MustAsk(t, b.Function, staff, message.RapportLot{LotID: lot.ID})
	if r.Actuel.Factures != 3 || r.Actuel.EnErreur != 1 || r.Actuel.Estimees != 1 || r.Actuel.VolumeLitres != 280_000 {
		t.Errorf("this lot: %+v", r.Actuel)
	}
	if r.Precedent == nil || r.Precedent.ID != before.ID || r.Precedent.Factures != 4 || r.Disparus != 1 {
		t.Errorf("the lot before: %+v, %d are gone", r.Precedent, r.Disparus)
	}
	if len(r.Erreurs) != 1 || r.Erreurs[0].Code != "releve_manquant" || r.Erreurs[0].Contrats != 1 {
		t.Errorf("not billed: %+v", r.Erreurs)
	}
	var tva, ht int64
	for _, v := range r.TVA {
		tva, ht = tva+v.MontantCentimes, ht+v.BaseCentimes
	}
	for _, s := range r.Actuel.Rubriques {
		ht -= s.HTCentimes
	}
	if len(r.TVA) != 2 || tva != r.Actuel.TVACentimes || ht != 0 {
		t.Errorf("VAT %+v of %+v", r.TVA, r.Actuel)
	}
	signs := map[string]int{}
	for _, s := range r.Signes {
		signs[s.Signe] = s.Nombre
		if len(s.Factures) != s.Nombre {
			t.Errorf("%s: %d of %d bills", s.Signe, len(s.Factures), s.Nombre)
		}
	}
	if signs["NULLE"] != 1 || signs["FORTE"] != 1 || signs["ESTIMEE"] != 1 {
		t.Errorf("signs %v", signs)
	}
}

// However many ticks strike, a period of a programme has one lot.
func TestProgrammeMakesOneLot(t *testing.T) {
	t.Parallel()
	b := setup(t, 2)
	p := message.DefinirProgramme{Libelle: "Semestre", Mois: 6, ProchainDu: avril, DelaiJours: 10, EcheanceJours: 30, Actif: true}
	made := functiontest.MustAsk(t, b.Function, functiontest.Staff(), p)
	if made.ProchainLot != octobre.AddDays(10) {
		t.Errorf("got %+v", made)
	}
	if got := functiontest.Code(ask(t, b, functiontest.Staff(), message.DefinirProgramme{Libelle: "x", Mois: 1, ProchainDu: avril.AddDays(3), EcheanceJours: 30})); got != "premier_du_mois" {
		t.Errorf("got %q", got)
	}
	same := functiontest.Event("pings", "", message.Tick{})
	var ticking sync.WaitGroup
	for i := range 8 {
		ticking.Go(func() {
			for range 125 {
				e := same
				if i%2 == 0 {
					e = functiontest.Event("pings", "", message.Tick{})
				}
				if got := b.Deliver(t, e); got != 204 {
					t.Errorf("a tick: status %d", got)
				}
			}
		})
	}
	ticking.Wait()
	if n := b.Count(t, "select count(*) from lot"); n != 1 {
		t.Errorf("%d lots", n)
	}
	after := functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.Programmes{}).Items
	if len(after) != 1 || after[0].ProchainDu != octobre || after[0].Empechement != "" {
		t.Errorf("got %+v", after)
	}
	// Who made the programme prepared its lot, and may not approve it.
	b.settle(t)
	lot := functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.Lots{}).Items[0]
	if got := functiontest.Code(ask(t, b, functiontest.Staff(), message.ControlerLot{LotID: lot.ID})); got != "seconde_personne" {
		t.Errorf("got %q", got)
	}
}

// Lots of different communes are prepared side by side; one of all waits.
func TestExtents(t *testing.T) {
	t.Parallel()
	b := setup(t, 2)
	c := contract(5)
	c.PDL.CodeINSEE = "77224"
	b.deliver(t, "contrat", c.ContratID, c)
	b.read(t, c, avril, 1, false)
	b.read(t, c, octobre, 2, false)
	of := func(commune string) message.PreparerLot {
		l := lotOf(avril, octobre, emises)
		l.Commune = commune
		return l
	}
	for commune, want := range map[string]int{"77223": 2, "77224": 1} {
		if got := functiontest.MustAsk(t, b.Function, functiontest.Staff(), of(commune)); got.Contrats != want {
			t.Errorf("%s: %d contracts", commune, got.Contrats)
		}
	}
	if got := functiontest.Code(ask(t, b, functiontest.Staff(), of(""))); got != "lot_en_cours" {
		t.Errorf("got %q", got)
	}
}

// A number that was reserved by a transaction that failed is given to the next.
func TestNumbersComeBack(t *testing.T) {
	t.Parallel()
	b := setup(t, 3)
	staff := functiontest.Staff()
	lot := functiontest.MustAsk(t, b.Function, staff, lotOf(avril, octobre, emises))
	b.settle(t)
	functiontest.MustAsk(t, b.Function, second(), message.ControlerLot{LotID: lot.ID})
	b.exec(t, `create function panne() returns trigger language plpgsql as $$ begin raise exception 'no' using errcode = 'check_violation'; end $$;
		create trigger panne before update on lot for each row when (new.etat = 'EMISSION') execute function panne()`)
	for range 3 {
		if ask(t, b, staff, message.EmettreLot{LotID: lot.ID}) == nil {
			t.Fatal("the emission was to fail")
		}
	}
	b.exec(t, "drop trigger panne on lot")
	functiontest.MustAsk(t, b.Function, staff, message.EmettreLot{LotID: lot.ID})
	b.settle(t)
	if got := b.lot(t, lot.ID); got.PremierNumero != "F2026-000001" || got.DernierNumero != "F2026-000003" || got.Etat != "EMIS" {
		t.Errorf("got %+v", got)
	}
	b.sound(t)
}

// A bill that a superuser changed, took away or slipped in is named.
func TestAlteredBillIsNamed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ sql, raison, numero string }{
		"an amount":    {"update facture set ht_centimes = ht_centimes - 100, ttc_centimes = ttc_centimes - 100, distribution_centimes = null where rang = 3", "FACTURE_MODIFIEE", "F2026-000003"},
		"a name":       {"update facture set nom = 'Autre' where rang = 2", "FACTURE_MODIFIEE", "F2026-000002"},
		"a number":     {"update facture set numero = 'F2026-000099' where rang = 4", "FACTURE_MODIFIEE", "F2026-000004"},
		"a bill less":  {"delete from facture where rang = 2", "FACTURE_ABSENTE", "F2026-000002"},
		"a seal less":  {"delete from sceau where rang = 4", "CHAINE_ROMPUE", "F2026-000005"},
		"another seal": {"update sceau set empreinte = sha256('x') where rang = 1", "FACTURE_MODIFIEE", "F2026-000001"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, 5)
			b.issue(t, lotOf(avril, octobre, emises))
			b.sound(t)
			for _, sql := range []string{"update sceau set empreinte = empreinte", "delete from sceau"} {
				if _, err := b.DB.Exec(t.Context(), sql); err == nil {
					t.Errorf("%s: accepted", sql)
				}
			}
			b.alter(t, c.sql)
			v := functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.VerifierFactures{})
			if v.Valide || len(v.Series) != 1 || v.Series[0].Defaut == nil || v.Series[0].Defaut.Raison != c.raison || numero("F2026", v.Series[0].Defaut.Rang) != c.numero {
				t.Errorf("got %+v", v)
			}
			var out bytes.Buffer
			err := pgx.BeginFunc(t.Context(), b.DB, func(tx pgx.Tx) error { return verifierCommande(t.Context(), tx, &out) })
			if err == nil || !strings.Contains(out.String(), c.numero) {
				t.Errorf("the command says %v: %s", err, &out)
			}
		})
	}
}

// A first bill that would begin before the tariff is listed, and an index of the takeover sets it right.
func TestFirstBillBeforeTheTariff(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	c := contract(0) // read on 1 January 2024; tariffs begin in 2025
	b.deliver(t, "contrat", c.ContratID, c)
	b.read(t, c, octobre, 190, false)
	lot := functiontest.MustAsk(t, b.Function, functiontest.Staff(), lotOf(avril, octobre, emises))
	b.settle(t)
	if got := b.lot(t, lot.ID); got.EnErreur != 1 || got.Erreurs[0].Code != "reprise_avant_tarif" {
		t.Fatalf("got %+v", got)
	}
	functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.RejeterLot{LotID: lot.ID, Motif: "index de reprise"})
	b.read(t, c, message.NewDate(2026, time.January, 1), 150, false)
	if f := b.bills(t, b.issue(t, lotOf(avril, octobre, emises)).ID)[0]; f.VolumeLitres != 40_000 {
		t.Errorf("billed %d litres, want those since the takeover", f.VolumeLitres)
	}
}

// TestLotUnderFire prepares, approves and issues a lot twice at once while
// connections are cut at random moments, as a process that is killed cuts
// them, and while events come twice, in any order, and are asked for again.
// In the end each contract has one bill, and the numbers, the journal and the
// chain are whole.
func TestLotUnderFire(t *testing.T) {
	t.Parallel()
	const contrats = 40
	b := setup(t, contrats)
	seed := rand.Uint64()
	dice := rand.New(rand.NewPCG(seed, 0))
	fire, peace := context.WithCancel(t.Context())
	var killer sync.WaitGroup
	kills := 0
	killer.Go(func() {
		for fire.Err() == nil && kills < 50 { // then it may end, however slow the machine is
			var n int
			if b.DB.QueryRow(fire, `select count(pg_terminate_backend(pid)) from (select pid from pg_stat_activity
				where datname = current_database() and usename = 'facture' order by random() limit 1) p`).Scan(&n) == nil {
				kills += n
			}
			time.Sleep(time.Duration(5+dice.IntN(60)) * time.Millisecond)
		}
	})
	insist(t, b, functiontest.Staff(), "lot_en_cours", lotOf(avril, octobre, emises), lotOf(avril, octobre, emises))
	b.drain(t, seed)
	lot := b.only(t)
	insist(t, b, second(), "", message.ControlerLot{LotID: lot.ID})
	insist(t, b, functiontest.Staff(), "", message.EmettreLot{LotID: lot.ID}, message.EmettreLot{LotID: lot.ID})
	insist(t, b, functiontest.Staff(), "lot_au_repos", message.RelancerLot{LotID: lot.ID})
	b.drain(t, seed+1)
	peace()
	killer.Wait()
	t.Logf("%d connections cut, seed %d", kills, seed)
	b.drain(t, seed+2)
	if got := b.lot(t, lot.ID); got.Etat != "EMIS" || got.Emises != contrats {
		t.Errorf("got %+v", got)
	}
	if n := b.Count(t, "select count(distinct contrat_id) from facture where numero is not null"); n != contrats {
		t.Errorf("%d contracts have a bill", n)
	}
	if n := b.Count(t, "select count(*) from facture"); n != contrats {
		t.Errorf("%d bills", n)
	}
	if n := b.Count(t, "select max(rang) from facture"); n != contrats {
		t.Errorf("numbers go up to %d", n)
	}
	told := map[string]int{}
	for _, e := range functiontest.Emitted[message.FacturesEmises](t, b.Function) {
		for _, f := range e.Factures {
			told[f.Numero]++
		}
	}
	if len(told) != contrats {
		t.Errorf("%d bills were told of", len(told))
	}
	for numero, n := range told {
		if n != 1 {
			t.Errorf("%s was told of %d times", numero, n)
		}
	}
	v := functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.VerifierFactures{})
	if !v.Valide || v.Series[0].Scellees != contrats {
		t.Errorf("the chain says %+v", v)
	}
	b.sound(t)
}

// insist asks, all at once, until each has an answer that stays: done, or
// refused with the code.
func insist[R any](t *testing.T, b *bundle, as function.Identity, code string, requests ...message.Request[R]) {
	t.Helper()
	var asking sync.WaitGroup
	for _, r := range requests {
		asking.Go(func() {
			key := function.NewID()
			for range 500 {
				_, err := functiontest.AskAgain(t, b.Function, as, key, r)
				switch got := functiontest.Code(err); {
				case got == "" || got == code:
					return
				case got != "indisponible":
					t.Errorf("%T: %v", r, err)
					return
				}
			}
			t.Errorf("%T: no answer", r)
		})
	}
	asking.Wait()
}

// only is the one lot there is.
func (b *bundle) only(t *testing.T) message.Lot {
	t.Helper()
	for range 100 {
		page, err := functiontest.Ask(t, b.Function, functiontest.Staff(), message.Lots{})
		if err == nil {
			if len(page.Items) != 1 {
				t.Fatalf("%d lots", len(page.Items))
			}
			return page.Items[0]
		}
	}
	t.Fatal("no answer")
	return message.Lot{}
}

// drain delivers what facture sent to itself until nothing new comes: each
// event twice, in any order, four at a time, and again until it is taken.
func (b *bundle) drain(t *testing.T, seed uint64) {
	t.Helper()
	dice := rand.New(rand.NewPCG(seed, 1))
	for {
		out := b.Outbox(t)
		if len(out) == b.delivered {
			return
		}
		var pending []functiontest.Sent
		for _, s := range out[b.delivered:] {
			if strings.HasPrefix(s.Key, "fr.aquaerp.facture.tranche-a-") || s.Key == (message.SerieASceller{}).Type() {
				pending = append(pending, s, s)
			}
		}
		b.delivered = len(out)
		dice.Shuffle(len(pending), func(i, j int) { pending[i], pending[j] = pending[j], pending[i] })
		var delivering sync.WaitGroup
		for i := range 4 {
			delivering.Go(func() {
				for k := i; k < len(pending); k += 4 {
					status := 503
					for range 300 {
						if status = b.Deliver(t, pending[k].Event); status != 503 {
							break
						}
					}
					if status != 204 {
						t.Errorf("%s: status %d", pending[k].Key, status)
					}
				}
			})
		}
		delivering.Wait()
	}
}
