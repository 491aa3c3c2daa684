package e2e

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/scripts/cluster"
	"aquaerp.fr/scripts/demo"
)

// TestWriter tries on this machine what the drills of a cluster stand on: the
// Writer's commands survive the death of every program, and its counts see
// what is missing and what is there twice.
func TestWriter(t *testing.T) {
	p := start(t, 1, 0)
	ctx := t.Context()
	w, err := cluster.StartWriter(ctx, p.API, http.DefaultClient, demo.Email("administrateur"), demo.Password, 4)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for _, program := range must(p.Programs(ctx))(t) {
			before := w.Acknowledged()
			if _, err := p.Kill(ctx, program); err != nil {
				t.Error(err)
			}
			// Some commands between two deaths, whatever time they take.
			for w.Acknowledged() < before+5 {
				time.Sleep(20 * time.Millisecond)
			}
		}
	}
	w.Stop()
	if err := p.Settle(ctx); err != nil {
		t.Fatal(err)
	}
	tally := w.Tally()
	t.Log(tally)
	if len(tally.Never) > 0 {
		t.Errorf("never acknowledged: %v", tally.Never)
	}
	conn := p.connect(t)
	counts := must(w.Verify(ctx, queryOver(conn)))(t)
	t.Log(counts)
	if wrong := cluster.Wrong(counts); len(wrong) > 0 {
		t.Fatalf("%+v", wrong)
	}

	for what, sql := range map[string]string{
		"contracts known to facture": `delete from facture.contrat where id = (select c.id from facture.contrat c where c.pdl like 'DRILL-%' limit 1)`,
		"signatures":                 `insert into contrat.journal (contrat_id, instant, code, texte, par_id, par) select contrat_id, instant, code, texte, par_id, par from contrat.journal where code = 'SIGNE' limit 1`,
		"centimes paid by the payer": `insert into facture.paiement select gen_random_uuid(), abonne_id, mode, montant_centimes, recu_le, reference, cree_a, cree_par from facture.paiement limit 1`,
		"mails sent":                 `delete from mailer.envoi where id = (select id from mailer.envoi limit 1)`,
		"numbers of contracts":       `update contrat.serie set n = n + 1`,
	} {
		tx, err := conn.Begin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if tag, err := tx.Exec(ctx, sql); err != nil || tag.RowsAffected() == 0 {
			t.Fatalf("%s: %v, %v", what, tag, err)
		}
		wrong := cluster.Wrong(must(w.Verify(ctx, queryOver(tx)))(t))
		if !slices.ContainsFunc(wrong, func(c cluster.Count) bool { return strings.Contains(c.What, what) }) {
			t.Errorf("%s: nobody saw it among %+v", what, wrong)
		}
		if err := tx.Rollback(ctx); err != nil {
			t.Fatal(err)
		}
	}
}

// queryOver runs a query as cluster.SQL does.
func queryOver(db interface {
	Query(context.Context, string, ...any) (pgx.Rows, error)
}) func(context.Context, string) (string, error) {
	return func(ctx context.Context, sql string) (string, error) {
		rows, err := db.Query(ctx, sql)
		if err != nil {
			return "", err
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		return strings.Trim(strings.ReplaceAll(fmt.Sprint(lines), " ", "\n"), "[]"), err
	}
}
