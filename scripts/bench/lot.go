package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"aquaerp.fr/scripts/client"
	"aquaerp.fr/scripts/commune/village"
	"aquaerp.fr/scripts/demo"
	"aquaerp.fr/shared/message"
)

// The sizes of billing runs, in contracts.
const (
	small = 500
	large = 2000
)

// lot measures billing runs: POST /v1/lots until CALCULE, then its emission
// until EMIS, so pricing, numbers, journal and the events that tell of them.
// COPY writes the very same bills, and nothing else, into a table with the
// same columns, constraints and indexes. No abonne has an e-mail address:
// documents and mails are another matter.
func lot(ctx context.Context, b *bench) error {
	l := &lots{bench: b}
	if err := l.prepare(ctx); err != nil {
		return err
	}
	measured, err := rounds(ctx, b.pairs, l.product(small), l.copied(small), l.product(large), l.copied(large))
	if err != nil {
		return err
	}
	perBill := func(seconds [][]float64, n int) []float64 {
		return each(seconds, func(v []float64) float64 { return v[0] * 1000 / float64(n) })
	}
	first, marginal := perBill(measured[0], small), make([]float64, b.pairs)
	for i := range marginal {
		marginal[i] = (measured[2][i][0] - measured[0][i][0]) * 1000 / (large - small)
	}
	for _, f := range []Figure{
		{Name: fmt.Sprintf("a bill, of %d", small), As: ratio, Product: first, Bare: perBill(measured[1], small),
			Definition: "time of a billing run by bill, from the request to the issued bills, through gateway, outbox, RabbitMQ and adapter / COPY of the same bills, by bill"},
		{Name: fmt.Sprintf("a bill, of %d", large), As: ratio, Product: perBill(measured[2], large), Bare: perBill(measured[3], large),
			Definition: "the same of a larger run"},
		{Name: fmt.Sprintf("a bill more, beyond %d", small), As: ratio, Target: atMost(1.3), Product: marginal, Bare: first,
			Definition: fmt.Sprintf("time of a bill beyond the first %d / time of a bill of a run of %d: above 1, cost grows with size", small, small)},
	} {
		f.Unit = "ms"
		if err := b.report.add(f); err != nil {
			return err
		}
	}
	b.report.note("every run had all bills, numbers without a gap, and a journal that sums to zero")
	return nil
}

type lots struct {
	*bench
	rows map[int][]byte // bills as COPY takes them, by size of the run
	ttc  map[int]int64  // their sum, the same in every run
}

// prepare gives facture its tariffs, by the API, and a village as the events
// of contrat and operation would leave it: of those whose meter nobody
// changed and whose readings are all plain, so that each contract has a bill.
func (l *lots) prepare(ctx context.Context) error {
	l.rows, l.ttc = map[int][]byte{}, map[int]int64{}
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
	var contrats, poses, releves [][]any
	for f := range (village.Village{Seed: 1, N: 2 * large}).Foyers() {
		if !plain(f) {
			continue
		}
		if len(contrats) == large {
			break
		}
		contrat, pose := uuid.NewString(), uuid.NewString()
		contrats = append(contrats, []any{contrat, fmt.Sprintf("C-%06d", len(contrats)+1), 1, uuid.NewString(), f.Abonne.Nom, f.Abonne.Adresse,
			f.PDL.Reference, f.PDL.Adresse.Voie, f.PDL.Logements, f.PDL.Assainissement, f.PDL.Habitation, f.ModePaiement, f.Debut.Time()})
		poses = append(poses, []any{pose, contrat, f.Compteur.Serie, f.Compteur.Roues, f.Compteur.LitresParUnite, f.Debut.Time(), f.Index})
		for _, r := range f.Releves {
			releves = append(releves, []any{uuid.NewString(), contrat, pose, r.Date.Time(), r.Index, false})
		}
	}
	if len(contrats) < large {
		return fmt.Errorf("the village has %d plain households", len(contrats))
	}
	for _, t := range []struct {
		name    string
		columns []string
		rows    [][]any
	}{
		{"contrat", []string{"id", "numero", "version", "abonne_id", "nom", "adresse", "pdl", "lieu", "logements", "assainissement", "habitation", "mode_paiement", "depuis"}, contrats},
		{"pose", []string{"id", "contrat_id", "serie", "roues", "litres_par_unite", "du", "index_debut"}, poses},
		{"releve", []string{"id", "contrat_id", "pose_id", "date", "index", "estimee"}, releves},
	} {
		if _, err := l.db.CopyFrom(ctx, pgx.Identifier{"facture", t.name}, t.columns, pgx.CopyFromRows(t.rows)); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	_, err = l.db.Exec(ctx, "update facture.controle_lot set deux_personnes = false; create schema bench; create table bench.facture (like facture.facture including all); analyze")
	return err
}

func plain(f village.Foyer) bool {
	for _, r := range f.Releves {
		if r.Attendu != "VALIDEE" {
			return false
		}
	}
	return f.Changement == nil
}

// begin leaves n contracts to bill and nothing billed, on a product at rest.
func (l *lots) begin(ctx context.Context, n int) error {
	if err := l.bench.product.Settle(ctx); err != nil {
		return err
	}
	_, err := l.db.Exec(ctx, fmt.Sprintf(`
		truncate facture.lot, facture.serie, facture.ecriture cascade;
		update facture.contrat set depuis = case when numero <= 'C-%06d' then date '2024-04-01' else '9999-01-01' end;
		analyze facture.contrat`, n), pgx.QueryExecModeSimpleProtocol)
	return err
}

func (l *lots) product(n int) arm {
	return func(ctx context.Context) ([]float64, error) {
		if err := l.begin(ctx, n); err != nil {
			return nil, err
		}
		begin := time.Now()
		lot, err := client.Post[message.Lot](ctx, l.admin, "/v1/lots", message.PreparerLot{
			Libelle: "Banc d'essai", Du: demo.Du, Au: demo.Au, DateFacturation: demo.DateFacturation, Echeance: demo.Echeance})
		if err != nil {
			return nil, err
		}
		if err := l.until(ctx, lot.ID, "CALCULE"); err != nil {
			return nil, err
		}
		if _, err := client.Post[message.Lot](ctx, l.admin, "/v1/lots/"+lot.ID+"/controle", nil); err != nil {
			return nil, err
		}
		if _, err := client.Post[message.Lot](ctx, l.admin, "/v1/lots/"+lot.ID+"/emission", nil); err != nil {
			return nil, err
		}
		if err := l.until(ctx, lot.ID, "EMIS"); err != nil {
			return nil, err
		}
		took := time.Since(begin)
		return []float64{took.Seconds()}, l.check(ctx, lot.ID, n)
	}
}

// until looks at a lot's row, which costs the product next to nothing.
func (l *lots) until(ctx context.Context, id, want string) error {
	var etat string
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if err := l.db.QueryRow(ctx, "select etat from facture.lot where id = $1", id).Scan(&etat); err != nil {
			return err
		}
		if etat == want {
			return nil
		}
	}
	return fmt.Errorf("the lot is %s after two minutes", etat)
}

// check holds that n bills were issued once, with numbers without a gap and a
// journal that balances, for the same sum as ever; it keeps their rows.
func (l *lots) check(ctx context.Context, id string, n int) error {
	var bills, contrats, first, last int
	var ttc, owed, balance int64
	err := l.db.QueryRow(ctx, `select count(*), count(distinct contrat_id), min(rang), max(rang), sum(ttc_centimes)::bigint,
			(select sum(debit_centimes - credit_centimes)::bigint from facture.mouvement where compte = '411'),
			(select sum(debit_centimes - credit_centimes)::bigint from facture.mouvement)
		from facture.facture where lot_id = $1 and numero is not null`, id).Scan(&bills, &contrats, &first, &last, &ttc, &owed, &balance)
	switch {
	case err != nil:
		return err
	case bills != n || contrats != n || first != 1 || last != n || balance != 0 || owed != ttc:
		return fmt.Errorf("%d contracts: %d bills of %d, numbers %d to %d, journal %d, billed %d, owed %d", n, bills, contrats, first, last, balance, ttc, owed)
	case l.rows[n] == nil:
		l.ttc[n] = ttc
		l.rows[n], err = l.export(ctx, "facture.facture")
		return err
	case l.ttc[n] != ttc:
		return fmt.Errorf("%d centimes billed, %d before", ttc, l.ttc[n])
	}
	return nil
}

func (l *lots) export(ctx context.Context, table string) ([]byte, error) {
	conn, err := l.db.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Release()
	var rows bytes.Buffer
	_, err = conn.Conn().PgConn().CopyTo(ctx, &rows, "copy (select * from "+table+" order by rang) to stdout")
	return rows.Bytes(), err
}

// copied writes the rows of a run of n bills by COPY.
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
		if _, err := conn.Exec(ctx, "truncate bench.facture"); err != nil {
			return nil, err
		}
		begin := time.Now()
		tag, err := conn.Conn().PgConn().CopyFrom(ctx, bytes.NewReader(l.rows[n]), "copy bench.facture from stdin")
		if err != nil {
			return nil, err
		}
		took := time.Since(begin)
		if tag.RowsAffected() != int64(n) {
			return nil, fmt.Errorf("COPY wrote %d of %d bills", tag.RowsAffected(), n)
		}
		return []float64{took.Seconds()}, nil
	}
}
