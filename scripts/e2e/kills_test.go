package e2e

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aquaerp.fr/scripts/client"
	"aquaerp.fr/scripts/demo"
	"aquaerp.fr/scripts/road"
	"aquaerp.fr/scripts/stack"
	"aquaerp.fr/shared/localserver"
	"aquaerp.fr/shared/message"
)

// kills is how many processes die at least, besides the servers.
const kills = 60

// TestKills bills a village of 500 and takes its payments while functions,
// relay, dead letters and adapters are killed at random, PostgreSQL and
// RabbitMQ too. When peace returns, nothing is lost and nothing is there
// twice.
func TestKills(t *testing.T) {
	p := start(t, 500, 0)
	ctx := t.Context()
	if err := p.Histoire(ctx); err != nil {
		t.Fatal(err)
	}
	// Whoever works meanwhile must be patient, and no more.
	if err := p.Open(ctx, client.New(p.API, 3*time.Minute)); err != nil {
		t.Fatal(err)
	}

	war := newWar(p, rand.Uint64())
	fighting, peace := context.WithCancel(ctx)
	var fighters sync.WaitGroup
	fighters.Go(func() { war.fight(fighting, t) })
	begin := time.Now()
	lot, err := p.bill(ctx, func(done string) { t.Logf("%s after %d kills", done, war.count()) })
	for err == nil && war.count() < kills {
		time.Sleep(100 * time.Millisecond)
	}
	peace()
	fighters.Wait()
	if err != nil {
		t.Fatalf("under fire, after %s: %v", war, err)
	}
	t.Logf("%v under fire: %s", time.Since(begin).Round(time.Second), war)

	calm, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	begin = time.Now()
	// A mail whose sender died is taken up by a tick; we do not wait for the clock to strike.
	var ticking sync.WaitGroup
	ticking.Go(func() {
		for calm.Err() == nil {
			_ = p.Tick(calm, "mailer") // a tick may be lost
			select {
			case <-time.After(5 * time.Second):
			case <-calm.Done():
			}
		}
	})
	err = p.Settle(calm)
	cancel()
	ticking.Wait()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("settled %v after the last kill", time.Since(begin).Round(100*time.Millisecond))
	p.count(t, lot)
}

// contrats is how large the lot of TestKillsOfALot is: CI bills a few chunks,
// `make chaos LOT=100000` a town.
var contrats = flag.Int("contrats", 2000, "contracts of the lot of TestKillsOfALot")

// TestKillsOfALot bills many contracts at once, under the same fire, asks for
// the same period a second time meanwhile, and holds every bill of it.
func TestKillsOfALot(t *testing.T) {
	n := *contrats
	p := start(t, 2*n, 0)
	ctx := t.Context()
	if err := p.Tarifs(ctx); err != nil {
		t.Fatal(err)
	}
	conn := p.connect(t)
	if err := p.Village.CopyToFacture(ctx, conn, n); err != nil {
		t.Fatal(err)
	}
	if err := p.Open(ctx, client.New(p.API, 5*time.Minute)); err != nil {
		t.Fatal(err)
	}
	war := newWar(p, rand.Uint64())
	// Most chunks should live as long as they take, which is longer when as many as may be are under way.
	war.pause = 600 * time.Millisecond * time.Duration(1+min(n/20_000, 4))
	fighting, peace := context.WithCancel(ctx)
	var fighters sync.WaitGroup
	fighters.Go(func() { war.fight(fighting, t) })
	begin := time.Now()
	lot, err := p.PreparerLot(ctx)
	if err == nil {
		t.Logf("computed after %d kills and %v", war.count(), time.Since(begin).Round(time.Second))
		var again *message.Problem
		if _, twice := client.Post[message.Lot](ctx, p.As("comptable"), "/v1/lots", message.PreparerLot{
			Libelle: "Encore", Du: demo.Du, Au: demo.Au, DateFacturation: demo.DateFacturation, Echeance: demo.Echeance}); !errors.As(twice, &again) || again.Code != "lot_vide" && again.Code != "lot_en_cours" {
			t.Errorf("a second lot of the period: %v", twice)
		}
		lot, err = p.EmettreLot(ctx, lot.ID)
	}
	peace()
	fighters.Wait()
	if err != nil {
		t.Fatalf("under fire, after %s: %v", war, err)
	}
	t.Logf("%v under fire: %s", time.Since(begin).Round(time.Second), war)
	if err := p.Settle(ctx); err != nil {
		t.Fatal(err)
	}
	conn = p.connect(t) // the servers died
	var bills, billed, first, last int
	var ttc, owed, balance int64
	if err := conn.QueryRow(ctx, `select count(*), count(distinct contrat_id), min(rang), max(rang), sum(ttc_centimes)::bigint,
			(select sum(debit_centimes - credit_centimes)::bigint from facture.mouvement where compte = '411'),
			(select sum(debit_centimes - credit_centimes)::bigint from facture.mouvement)
		from facture.facture where numero is not null`).Scan(&bills, &billed, &first, &last, &ttc, &owed, &balance); err != nil {
		t.Fatal(err)
	}
	if bills != n || billed != n || first != 1 || last != n || balance != 0 || owed != ttc || lot.Calculees != n {
		t.Errorf("%d contracts: lot of %d, %d bills of %d contracts, numbers %d to %d, journal %d, billed %d, owed %d", n, lot.Calculees, bills, billed, first, last, balance, ttc, owed)
	}
	v := must(client.Get[message.Verification](ctx, p.As("comptable"), "/v1/verification"))(t)
	if !v.Valide || len(v.Series) != 1 || v.Series[0].Scellees != int64(n) || v.Series[0].Reservees != 0 {
		t.Errorf("the chain says %+v", v)
	}
	t.Logf("%d bills of %s, numbers without gap, journal zero, chain valid; %s", bills, message.Euros(ttc), p.letters(t))
}

// bill prices and issues the lot, and pays its bills; done is told of each.
func (p product) bill(ctx context.Context, done func(string)) (message.Lot, error) {
	lot, err := p.PreparerLot(ctx)
	if err != nil {
		return lot, fmt.Errorf("lot: %w", err)
	}
	done("computed")
	if lot, err = p.EmettreLot(ctx, lot.ID); err != nil {
		return lot, fmt.Errorf("emission: %w", err)
	}
	done("issued")
	if err = p.Payer(ctx, lot.ID); err != nil {
		return lot, fmt.Errorf("payments: %w", err)
	}
	done("paid")
	return lot, nil
}

// war kills.
type war struct {
	product
	dice  *rand.Rand
	seed  uint64
	pause time.Duration // between two shots, about

	mu    sync.Mutex
	dead  map[string]int // processes by what they were
	total int            // without servers
}

func newWar(p product, seed uint64) *war {
	return &war{product: p, dice: rand.New(rand.NewPCG(seed, 0)), seed: seed, pause: 120 * time.Millisecond, dead: map[string]int{}}
}

// servers is after how many kills which server goes, and how.
var servers = map[int]struct {
	name  string
	which func(*stack.Stack) *localserver.Server
	kill  bool
}{
	8:  {"PostgreSQL killed", func(s *stack.Stack) *localserver.Server { return s.Postgres }, true},
	20: {"RabbitMQ killed", func(s *stack.Stack) *localserver.Server { return s.RabbitMQ }, true},
	32: {"PostgreSQL restarted", func(s *stack.Stack) *localserver.Server { return s.Postgres }, false},
	42: {"RabbitMQ restarted", func(s *stack.Stack) *localserver.Server { return s.RabbitMQ }, false},
}

// front is what bills and their mails pass through.
var front = map[string]bool{
	"facture-service": true, "mailer-service": true, // functions
	"facture": true, "mailer": true, // sources
	"relay": true,
}

// fight kills one process after another until ctx ends.
func (w *war) fight(ctx context.Context, t *testing.T) {
	for ctx.Err() == nil {
		programs, err := w.Programs(ctx)
		if err != nil {
			continue // the context ended, or the runtime is busy
		}
		alive := slices.DeleteFunc(programs, func(p stack.Program) bool { return len(p.PIDs) == 0 })
		if len(alive) == 0 {
			continue
		}
		// Every other shot goes where the bills are.
		if near := slices.DeleteFunc(slices.Clone(alive), func(p stack.Program) bool { return !front[p.Name] }); len(near) > 0 && w.dice.IntN(2) == 0 {
			alive = near
		}
		victim := alive[w.dice.IntN(len(alive))]
		if killed, err := w.Kill(ctx, victim); err == nil && killed {
			w.note(victim.Kind+" "+victim.Name, true)
			w.server(ctx, t)
		}
		select {
		case <-time.After(w.pause/5 + time.Duration(w.dice.Int64N(int64(w.pause*8/5)))):
		case <-ctx.Done():
		}
	}
}

// server takes a server away when its turn has come, and brings it back.
func (w *war) server(ctx context.Context, t *testing.T) {
	s, ok := servers[w.count()]
	if !ok {
		return
	}
	server := s.which(w.Stack)
	if s.kill {
		if err := server.Kill(); err != nil {
			t.Errorf("%s: %v", s.name, err)
		}
	}
	// A peace that is made meanwhile must find it running.
	if err := server.Restart(context.WithoutCancel(ctx)); err != nil {
		t.Errorf("%s: %v", s.name, err)
	}
	w.note(s.name, false)
}

func (w *war) note(what string, process bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.dead[what]++
	if process {
		w.total++
	}
}

func (w *war) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.total
}

func (w *war) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make([]string, 0, len(w.dead))
	for _, what := range slices.Sorted(maps.Keys(w.dead)) {
		all = append(all, fmt.Sprintf("%s %d", what, w.dead[what]))
	}
	return fmt.Sprintf("%d kills with seed %d (%s)", w.total, w.seed, strings.Join(all, ", "))
}

// count holds everything against everything.
func (p product) count(t *testing.T, lot message.Lot) {
	ctx := t.Context()
	bills := must(p.Factures(ctx, lot.ID))(t)
	slices.SortFunc(bills, func(a, b message.Facture) int { return strings.Compare(a.Numero, b.Numero) })
	contrats := map[string]bool{}
	var ttc, paid int64
	payees := 0
	for i, f := range bills {
		if want := fmt.Sprintf("F2026-%06d", i+1); f.Numero != want {
			t.Errorf("bill %d has number %s", i+1, f.Numero)
		}
		if contrats[f.ContratID] {
			t.Errorf("contract %s is billed twice", f.Contrat)
		}
		contrats[f.ContratID] = true
		ttc += f.TTCCentimes
		paid += f.TTCCentimes - f.ResteCentimes
		if f.Etat == "PAYEE" {
			payees++
		}
	}
	suspects := must(client.Get[message.PageSuspects](ctx, p.As("superviseur"), "/v1/releves/suspects"))(t)
	if want := p.Village.N - suspects.Total; len(bills) != want || lot.Contrats != p.Village.N {
		t.Errorf("%d bills for %d contracts, want %d", len(bills), lot.Contrats, want)
	}

	v := must(client.Get[message.Verification](ctx, p.As("comptable"), "/v1/verification"))(t)
	if !v.Valide || len(v.Series) != 1 || v.Series[0].Scellees != int64(len(bills)) || v.Series[0].Reservees != 0 {
		t.Errorf("the chain says %+v", v)
	}

	b := must(client.Get[message.BalanceComptes](ctx, p.As("comptable"), "/v1/balance"))(t)
	if b.DebitCentimes != b.CreditCentimes || b.DebitCentimes != ttc+paid {
		t.Errorf("journal: debits %d, credits %d, want both %d", b.DebitCentimes, b.CreditCentimes, ttc+paid)
	}
	if want := (len(bills) + 9) / 10 * 7; payees > want || payees < want-7 {
		t.Errorf("%d bills are paid, about %d were", payees, want)
	}

	// A mail may come twice: SMTP has no exactly-once. Then it is the same mail.
	copies, byMail := 0, map[string]string{}
	for _, m := range p.mails(t, "") {
		piece := road.Document(m)
		if piece == "" {
			continue
		}
		first, seen := byMail[piece]
		switch {
		case !seen:
			byMail[piece] = m.MessageID
		case first == m.MessageID:
			copies++
		default:
			t.Errorf("%s went out in two different mails", piece)
		}
	}
	withMail := 0
	for f := range p.Village.Foyers() {
		if last := f.Releves[len(f.Releves)-1]; f.Abonne.Email != "" && last.Attendu != "SUSPECTE" {
			withMail++
		}
	}
	if len(byMail) != withMail {
		t.Errorf("%d bills were mailed, %d should be", len(byMail), withMail)
	}
	t.Logf("%d bills, numbers without gap, %d paid; journal %d = %d centimes; %d bills mailed, %d mails twice with the same Message-ID; %s",
		len(bills), payees, b.DebitCentimes, b.CreditCentimes, len(byMail), copies, p.letters(t))
}

// letters tells what became of the dead ones; none may wait or be given up.
func (p product) letters(t *testing.T) string {
	t.Helper()
	conn := p.connect(t)
	var parked, givenUp, sent int
	err := conn.QueryRow(t.Context(), `select (select count(*) from eventing.parking_lot),
		(select count(*) from eventing.parking_lot where state <> 'REJOUE'),
		(select count(*) from eventing.outbox)`).Scan(&parked, &givenUp, &sent)
	if err != nil {
		t.Fatal(err)
	}
	if givenUp > 0 {
		t.Errorf("%d dead letters were not replayed", givenUp)
	}
	return fmt.Sprintf("%d events, %d of them died and were replayed", sent, parked)
}
