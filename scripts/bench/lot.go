package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/scripts/client"
	"aquaerp.fr/scripts/commune/village"
	"aquaerp.fr/scripts/demo"
	"aquaerp.fr/shared/message"
)

// The sizes of billing runs, in contracts: as a fraction of -lot.
func (b *bench) sizes() (small, large int) { return max(b.contrats/4, 1), b.contrats }

// historique is how many months of earlier bills and readings each contract
// has where history is measured.
const historique = 36

// lot measures billing runs: POST /v1/lots until CALCULE, approval, then
// emission until EMIS and the last seal, so pricing, the check of every bill in
// SQL, numbers, journal, hash chain and the events that tell of them. COPY
// writes the very same rows, and nothing else, into tables with the same
// constraints and indexes: bills alone, and all rows that a run leaves. No
// abonne has an e-mail address: documents and mails are another matter.
func lot(ctx context.Context, b *bench) error {
	l := newLots(b)
	l.rows, l.count = map[int][][]byte{}, map[int]int64{}
	if err := l.prepare(ctx); err != nil {
		return err
	}
	small, large := b.sizes()
	measured, err := rounds(ctx, b.pairs, l.product(small), l.copied(small), l.product(large), l.copied(large), l.product(1))
	if err != nil {
		return err
	}
	if err := l.past(ctx, small); err != nil {
		return err
	}
	before, err := rounds(ctx, b.pairs, l.product(small))
	if err != nil {
		return err
	}
	// Of a run: 0 its seconds, 1 those of the request that reserves numbers. Of COPY: 0 bills, 1 all rows.
	column := func(seconds [][]float64, k int, scale float64) []float64 {
		return each(seconds, func(v []float64) float64 { return v[k] * scale })
	}
	ms := func(n int) float64 { return 1000 / float64(n) }
	one := func(v float64) []float64 {
		return each(measured[0], func([]float64) float64 { return v })
	}
	marginal, unnumbered := make([]float64, b.pairs), make([]float64, b.pairs)
	for i := range marginal {
		marginal[i] = (measured[2][i][0] - measured[0][i][0]) * ms(large-small)
		unnumbered[i] = (measured[2][i][0] - measured[2][i][1]) * ms(large)
	}
	rows := float64(l.count[large]) / float64(large)
	for _, f := range []Figure{
		{Name: fmt.Sprintf("a bill, of %d", small), As: ratio, Unit: "ms", Product: column(measured[0], 0, ms(small)), Bare: column(measured[1], 0, ms(small)),
			Definition: "time of a billing run by bill, from the request to the last seal, through gateway, outbox, RabbitMQ and adapter / COPY of the same bills, by bill"},
		{Name: fmt.Sprintf("a bill, of %d", large), As: ratio, Unit: "ms", Product: column(measured[2], 0, ms(large)), Bare: column(measured[3], 0, ms(large)),
			Definition: "the same of a larger run"},
		{Name: fmt.Sprintf("a row, of %d", large), As: ratio, Unit: "ms", Target: atMost(2), Product: column(measured[2], 0, ms(large)/rows), Bare: column(measured[3], 1, ms(large)/rows),
			Definition: "the same by row that a run leaves: bills, entries, movements, seals / COPY of all of them; 2 is half of the rows/s"},
		{Name: fmt.Sprintf("a bill more, beyond %d", small), As: ratio, Unit: "ms", Target: atMost(1.3), Product: marginal, Bare: column(measured[0], 0, ms(small)),
			Definition: fmt.Sprintf("time of a bill beyond the first %d / time of a bill of a run of %d: above 1, cost grows with size", small, small)},
		{Name: fmt.Sprintf("a bill with %d before it", historique), As: ratio, Unit: "ms", Target: atMost(1.15), Product: column(before[0], 0, ms(small)), Bare: column(measured[0], 0, ms(small)),
			Definition: "time of a bill of contracts with as many earlier bills and readings / of contracts without bills and with five readings"},
		{Name: "numbered", As: ratio, Unit: "ms", Target: atMost(1 / 0.95), Product: column(measured[2], 0, ms(large)), Bare: unnumbered,
			Definition: "time of a bill / the same without the request that reserves the numbers of the run"},
		{Name: "a run of one bill", As: difference, Unit: "s", Target: atMost(0.3), Product: column(measured[4], 0, 1), Bare: one(0),
			Definition: "what a run costs whatever its size"},
	} {
		if err := b.report.add(f); err != nil {
			return err
		}
	}
	b.report.note("every run had all bills, numbers without a gap, a journal that sums to zero, and every bill in the chain")
	return nil
}

// growth measures what a bill more costs in ever larger billing runs: of -lot
// contracts, of a tenth and of a hundredth of them. No rows are kept for COPY:
// a million bills fill gigabytes. The smallest run goes first once more, to be
// warm; the others are long enough.
func growth(ctx context.Context, b *bench) error {
	l := newLots(b)
	if err := l.prepare(ctx); err != nil {
		return err
	}
	sizes := []int{max(b.contrats/100, 1), b.contrats / 10, b.contrats}
	if _, err := l.product(sizes[0])(ctx); err != nil {
		return err
	}
	var marginal [2][]float64 // ms
	for range b.pairs {
		var seconds []float64
		for _, n := range sizes {
			run, err := l.product(n)(ctx)
			if err != nil {
				return err
			}
			seconds = append(seconds, run[0])
			b.report.note("a run of %d bills took %.1f s", n, run[0])
		}
		for i := range marginal {
			marginal[i] = append(marginal[i], (seconds[i+1]-seconds[i])*1000/float64(sizes[i+1]-sizes[i]))
		}
	}
	return b.report.add(Figure{Name: fmt.Sprintf("a bill more, beyond %d", sizes[1]), As: ratio, Unit: "ms", Target: atMost(1.3), Product: marginal[1], Bare: marginal[0],
		Definition: fmt.Sprintf("time of a bill between the first %d and %d of a run / of a bill between the first %d and %d", sizes[1], sizes[2], sizes[0], sizes[1])})
}

type lots struct {
	*bench
	rows  map[int][][]byte // rows of each of laisse as COPY takes them, by size of the run; nil: not kept
	count map[int]int64    // how many
	ttc   map[int]int64    // the sum of the bills, the same in every run

	history  bool         // contracts have earlier bills
	echeance message.Date // not over before the bench is: to ask for what is late is another matter
}

func newLots(b *bench) *lots {
	return &lots{bench: b, ttc: map[int]int64{}, echeance: message.DateOf(time.Now()).AddDays(31)}
}

// laisse are the tables that a run writes, in the order in which they refer to
// each other.
var laisse = []string{"facture", "ecriture", "mouvement", "sceau"}

// prepare gives facture its tariffs, by the API, and a village as the events
// of contrat and operation would leave it: of those whose meter nobody
// changed and whose readings are all plain, so that each contract has a bill.
func (l *lots) prepare(ctx context.Context) error {
	_, large := l.sizes()
	t, err := village.LireTarifs()
	if err != nil {
		return err
	}
	for _, g := range t.Grilles {
		if _, err := client.Post[message.Grille](ctx, l.admin, "/v1/grilles", g); err != nil {
			return err
		}
	}
	for _, r := range t.Redevances {
		if _, err := client.Post[message.Redevance](ctx, l.admin, "/v1/redevances", r); err != nil {
			return err
		}
	}
	if err := (village.Village{Seed: 1, N: 2 * large}).CopyToFacture(ctx, l.db, large); err != nil {
		return err
	}
	_, err = l.db.Exec(ctx, "update facture.controle_lot set deux_personnes = false; create schema bench; analyze")
	for _, table := range laisse {
		if err == nil {
			_, err = l.db.Exec(ctx, fmt.Sprintf("create table bench.%[1]s (like facture.%[1]s including all)", table))
		}
	}
	if err == nil { // what LIKE leaves out, where a row pays for it
		_, err = l.db.Exec(ctx, `create table bench.lot (id uuid primary key);
			create table bench.serie (code text primary key);
			alter table bench.facture add foreign key (lot_id) references bench.lot, add foreign key (serie) references bench.serie, add foreign key (entite) references facture.entite;
			alter table bench.ecriture add foreign key (entite) references facture.entite;
			alter table bench.mouvement add foreign key (ecriture_id) references bench.ecriture, add foreign key (compte) references facture.compte;
			alter table bench.sceau add foreign key (serie) references bench.serie, add foreign key (facture_id) references bench.facture`)
	}
	return err
}

// begin leaves n contracts to bill and nothing billed, on a product at rest.
func (l *lots) begin(ctx context.Context, n int) error {
	if err := l.bench.product.Settle(ctx); err != nil {
		return err
	}
	statements := []string{
		"truncate facture.lot, facture.serie, facture.ecriture cascade",
		"update facture.contrat set depuis = case when numero <= '" + village.Numero(n) + "' then date '2024-04-01' else '9999-01-01' end",
		"analyze facture.contrat",
	}
	if l.history {
		statements = append(statements,
			"insert into facture.serie (code, dernier, date) values ('H', 0, '2000-01-01')",
			"insert into facture.facture select * from bench.passe",
			"vacuum (analyze) facture.facture")
	}
	return l.do(ctx, append(statements, "checkpoint")...)
}

// do executes what prepares a run. A checkpoint at its end has it on the disk,
// where writing it would fall on what is measured next.
func (l *lots) do(ctx context.Context, statements ...string) error {
	for _, statement := range statements {
		if _, err := l.db.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// past has every run of n contracts from now on find earlier bills and
// readings of theirs: monthly ones, the last where the run begins, stored
// month after month as life brings them.
func (l *lots) past(ctx context.Context, n int) error {
	if _, err := l.product(n)(ctx); err != nil {
		return err
	}
	l.history = true
	return l.do(ctx,
		fmt.Sprintf(`create table bench.passe as select (jsonb_populate_record(f, jsonb_build_object('id', gen_random_uuid(), 'lot_id', null,
			'serie', 'H', 'rang', f.rang * %[1]d + k, 'numero', 'H-' || f.rang * %[1]d + k, 'du', (f.du - make_interval(months => k + 1))::date, 'au', (f.du - make_interval(months => k))::date,
			'periode', daterange((lower(f.periode) - make_interval(months => k + 1))::date, (lower(f.periode) - make_interval(months => k))::date)))).*
			from facture.facture f, generate_series(0, %[1]d - 1) k where f.numero is not null order by k desc, f.rang`, historique),
		fmt.Sprintf("update facture.pose set du = du - make_interval(months => %d)", historique),
		"delete from facture.releve r using facture.facture f where r.contrat_id = f.contrat_id and r.date < f.du",
		fmt.Sprintf(`insert into facture.releve (id, contrat_id, pose_id, date, index, estimee)
			select gen_random_uuid(), r.contrat_id, r.pose_id, r.date - make_interval(months => k), p.index_debut + (r.index - p.index_debut) * (%[1]d - k) / %[1]d, false
			from facture.releve r join facture.pose p on p.id = r.pose_id join facture.facture f on f.contrat_id = r.contrat_id and f.du = r.date, generate_series(1, %[1]d - 1) k
			order by k desc, f.rang`, historique),
		"vacuum (analyze) facture.releve, facture.pose")
}

func (l *lots) product(n int) arm {
	return func(ctx context.Context) ([]float64, error) {
		if err := l.begin(ctx, n); err != nil {
			return nil, err
		}
		begin := time.Now()
		lot, err := client.Post[message.Lot](ctx, l.admin, "/v1/lots", message.PreparerLot{
			Libelle: "Banc d'essai", Du: demo.Du, Au: demo.Au, DateFacturation: demo.DateFacturation, Echeance: l.echeance})
		if err != nil {
			return nil, err
		}
		if err := l.until(ctx, lot.ID, "CALCULE"); err != nil {
			return nil, err
		}
		if _, err := client.Post[message.Lot](ctx, l.admin, "/v1/lots/"+lot.ID+"/controle", nil); err != nil {
			return nil, err
		}
		asked := time.Now()
		if _, err := client.Post[message.Lot](ctx, l.admin, "/v1/lots/"+lot.ID+"/emission", nil); err != nil {
			return nil, err
		}
		reserved := time.Since(asked)
		if err := l.until(ctx, lot.ID, "EMIS"); err != nil {
			return nil, err
		}
		if err := l.sealed(ctx, n); err != nil {
			return nil, err
		}
		return []float64{time.Since(begin).Seconds(), reserved.Seconds()}, l.check(ctx, lot.ID, n)
	}
}

// until looks at a lot's row, as often as tells the time to a hundredth: each
// look takes the product some of it.
func (l *lots) until(ctx context.Context, id, want string) error {
	var etat string
	for begin := time.Now(); time.Since(begin) < patience; pause(begin) {
		if err := l.db.QueryRow(ctx, "select etat from facture.lot where id = $1", id).Scan(&etat); err != nil {
			return err
		}
		if etat == want {
			return nil
		}
	}
	return fmt.Errorf("the lot is %s after %v", etat, patience)
}

// patience is how long a run of any size may take.
const patience = 30 * time.Minute

func pause(begin time.Time) {
	time.Sleep(min(max(time.Since(begin)/100, 5*time.Millisecond), time.Second))
}

// sealed waits until n bills are in the chain.
func (l *lots) sealed(ctx context.Context, n int) error {
	var last int
	for begin := time.Now(); time.Since(begin) < patience; pause(begin) {
		if err := l.db.QueryRow(ctx, "select coalesce(max(rang), 0) from facture.sceau").Scan(&last); err != nil || last == n {
			return err
		}
	}
	return fmt.Errorf("%d of %d bills are sealed after %v", last, n, patience)
}

// check holds that n bills were issued once, with numbers without a gap and a
// journal that balances, for the same sum as ever.
func (l *lots) check(ctx context.Context, id string, n int) error {
	var bills, contrats, first, last int
	var ttc, owed, balance int64
	err := l.db.QueryRow(ctx, `select count(*), count(distinct contrat_id), min(rang), max(rang), sum(ttc_centimes)::bigint,
			(select sum(debit_centimes - credit_centimes)::bigint from facture.mouvement where compte = '411'),
			(select sum(debit_centimes - credit_centimes)::bigint from facture.mouvement)
		from facture.facture where lot_id = $1 and numero is not null`, id).Scan(&bills, &contrats, &first, &last, &ttc, &owed, &balance)
	if err != nil {
		return err
	}
	if bills != n || contrats != n || first != 1 || last != n || balance != 0 || owed != ttc {
		return fmt.Errorf("%d contracts: %d bills of %d, numbers %d to %d, journal %d, billed %d, owed %d", n, bills, contrats, first, last, balance, ttc, owed)
	}
	if before, ok := l.ttc[n]; ok && before != ttc {
		return fmt.Errorf("%d centimes billed, %d before", ttc, before)
	}
	l.ttc[n] = ttc
	if l.rows != nil && l.rows[n] == nil {
		return l.keep(ctx, n)
	}
	return nil
}

// keep takes the rows of the run of n bills that has just ended.
func (l *lots) keep(ctx context.Context, n int) error {
	if _, err := l.db.Exec(ctx, "insert into bench.lot select id from facture.lot; insert into bench.serie select code from facture.serie on conflict do nothing", pgx.QueryExecModeSimpleProtocol); err != nil {
		return err
	}
	for _, table := range laisse {
		rows, count, err := l.export(ctx, table)
		if err != nil {
			return err
		}
		l.rows[n], l.count[n] = append(l.rows[n], rows), l.count[n]+count
	}
	return nil
}

func (l *lots) export(ctx context.Context, table string) (rows []byte, n int64, err error) {
	conn, err := l.db.Acquire(ctx)
	if err != nil {
		return nil, 0, err
	}
	defer conn.Release()
	var out bytes.Buffer
	tag, err := conn.Conn().PgConn().CopyTo(ctx, &out, "copy facture."+table+" to stdout")
	return out.Bytes(), tag.RowsAffected(), err
}

// copied writes the rows of a run of n bills by COPY: the seconds of the bills
// alone, and of all.
func (l *lots) copied(n int) arm {
	return func(ctx context.Context) ([]float64, error) {
		if l.rows[n] == nil {
			return nil, errors.New("no bills to copy yet")
		}
		if err := l.bench.product.Settle(ctx); err != nil {
			return nil, err
		}
		conn, err := l.db.Acquire(ctx)
		if err != nil {
			return nil, err
		}
		defer conn.Release()
		if err := l.do(ctx, "truncate bench.facture, bench.ecriture, bench.mouvement, bench.sceau", "checkpoint"); err != nil {
			return nil, err
		}
		var took []float64
		var wrote int64
		begin := time.Now()
		for i, table := range laisse {
			tag, err := conn.Conn().PgConn().CopyFrom(ctx, bytes.NewReader(l.rows[n][i]), "copy bench."+table+" from stdin")
			if err != nil {
				return nil, err
			}
			wrote += tag.RowsAffected()
			took = append(took, time.Since(begin).Seconds())
		}
		if wrote != l.count[n] {
			return nil, fmt.Errorf("COPY wrote %d of %d rows", wrote, l.count[n])
		}
		return []float64{took[0], took[len(took)-1]}, nil
	}
}
