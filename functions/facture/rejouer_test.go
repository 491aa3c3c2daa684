package main

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

// replay runs `facture rejouer` in a transaction of the test.
func (b *bundle) replay(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := pgx.BeginTxFunc(t.Context(), b.DB, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error { return rejouer(t.Context(), tx, args, &out) })
	return out.String(), err
}

// alter changes issued bills as only a superuser can.
func (b *bundle) alter(t *testing.T, sql string, args ...any) {
	t.Helper()
	conn, err := b.DB.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	for _, off := range []string{"set session_replication_role = replica", sql, "reset session_replication_role"} {
		if off != sql {
			_, err = conn.Exec(t.Context(), off)
		} else {
			_, err = conn.Exec(t.Context(), sql, args...)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// Issued bills, on estimates and on their reversal, replay without a
// difference; one figure altered in the database is named.
func TestRejouer(t *testing.T) {
	t.Parallel()
	b := setup(t, 2)
	c := contract(7)
	b.deliver(t, "contrat", c.ContratID, c)
	juillet := message.NewDate(2026, time.July, 1)
	b.read(t, c, avril, 130, false)
	estimate := b.read(t, c, juillet, 180, true)
	b.issue(t, lotOf(avril, juillet, message.NewDate(2026, time.July, 10)))
	b.deliver(t, "operation", "", message.RelevesValides{Releves: []message.ReleveValide{
		{ReleveID: contract(8).ContratID, ContratID: c.ContratID, PoseID: c.Pose.ID, Date: octobre, Index: 160, Remplace: estimate}}})
	lot := b.issue(t, lotOf(juillet, octobre, emises))
	bills := b.bills(t, lot.ID)
	last := bills[0]

	const none = "0 differ. Not priced from a case: 0 avoirs, 0 written by a person.\n"
	issued := b.Count(t, "select count(*) from facture where numero is not null")
	if got, err := b.replay(t); err != nil || !strings.HasSuffix(got, " bills priced again, "+none) || !strings.HasPrefix(got, "4 ") || issued != 4 {
		t.Fatalf("%v\n%s of %d bills", err, got, issued)
	}
	functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.EmettreAvoir{FactureID: bills[1].ID, Motif: "geste"})
	if got, err := b.replay(t); err != nil || got != "4 bills priced again, 0 differ. Not priced from a case: 1 avoirs, 0 written by a person.\n" {
		t.Errorf("with an avoir: %v\n%s", err, got)
	}
	if got, err := b.replay(t, "-lot", lot.ID, "-de", last.Numero, "-a", last.Numero); err != nil || got != "1 bills priced again, "+none {
		t.Errorf("one bill: %v\n%s", err, got)
	}
	for _, args := range [][]string{{"-de", "F2026-999999"}, {"-lot", contract(9).ContratID}, {"-a", last.Numero}, {"-tout"}, {"F2026-000001"}} {
		if got, err := b.replay(t, args...); err == nil {
			t.Errorf("%v: %s", args, got)
		}
	}

	b.alter(t, `update facture set lignes = jsonb_set(lignes, '{1,ht_centimes}', to_jsonb((lignes -> 1 ->> 'ht_centimes')::bigint + 1)) where id = $1`, last.ID)
	got, err := b.replay(t)
	if err == nil || strings.Count(got, "\n") != 2 || !strings.HasPrefix(got, last.Numero+": lignes[1].ht_centimes: ") || !strings.Contains(got, "4 bills priced again, 1 differ.") {
		t.Errorf("a line altered: %v\n%s", err, got)
	}
	if e := functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.ExpliquerFacture{FactureID: last.ID}); e.Conforme || len(e.Troncons) != 0 {
		t.Errorf("an altered bill explains itself: %+v", e)
	}
	for _, sql := range []string{
		"update facture set tva = jsonb_set(tva, '{0,base_centimes}', '1') where id = $1",
		"update facture set lignes = lignes - 0 where id = $1",
		"update facture set tva_centimes = tva_centimes + 1, ttc_centimes = ttc_centimes + 1 where id = $1",
		"update facture set cas = jsonb_set(cas, '{poses,0,index_fin}', '161') where id = $1",
		"update facture set cas = jsonb_set(cas, '{grilles}', '[]') where id = $1",
	} {
		other := bills[2]
		var before []byte
		if err := b.DB.QueryRow(t.Context(), "select to_jsonb(f) from facture f where id = $1", other.ID).Scan(&before); err != nil {
			t.Fatal(err)
		}
		b.alter(t, sql, other.ID)
		if got, err := b.replay(t, "-de", other.Numero, "-a", other.Numero); err == nil || !strings.Contains(got, "1 differ") {
			t.Errorf("%s: %v\n%s", sql, err, got)
		}
		b.alter(t, `update facture f set (lignes, tva, cas, tva_centimes, ttc_centimes) = (select lignes, tva, cas, tva_centimes, ttc_centimes from jsonb_populate_record(f, $2)) where id = $1`, other.ID, before)
	}
}

// A bill of the time before origins were stored replays by its own words.
func TestRejouerAnOlderBill(t *testing.T) {
	t.Parallel()
	b := setup(t, 1)
	f := b.bills(t, b.issue(t, lotOf(avril, octobre, emises)).ID)[0]
	b.alter(t, `update facture set origine = null, lignes = (select jsonb_agg(l - 'regle' - 'exact' order by n) from jsonb_array_elements(lignes) with ordinality e (l, n)) where id = $1`, f.ID)
	if got, err := b.replay(t); err != nil {
		t.Errorf("%v\n%s", err, got)
	}
	if e := b.explain(t, f.ID); !e.Conforme || len(e.Lignes) != 5 || e.Lignes[4].Libelle != "Consommation d'eau potable" {
		t.Errorf("got %+v", e)
	}
	b.alter(t, `update facture set lignes = jsonb_set(lignes, '{0,jours}', '1') where id = $1`, f.ID)
	if got, err := b.replay(t); err == nil || !strings.Contains(got, "lignes[0].jours: 1 stored, 183 computed") {
		t.Errorf("%v\n%s", err, got)
	}
}

// The command reads the function's configuration, and its status tells.
func TestRejouerCommand(t *testing.T) {
	if os.Getenv("REJOUER") != "" {
		os.Args = []string{"facture", "rejouer"}
		main()
	}
	t.Parallel()
	db := functiontest.NewDatabase(t)
	b := &bundle{Function: functiontest.StartOn(t, db, "facture", listens)}
	b.tariffs(t)
	c := contract(0)
	b.deliver(t, "contrat", c.ContratID, c)
	b.read(t, c, avril, 130, false)
	b.read(t, c, octobre, 190, false)
	b.issue(t, lotOf(avril, octobre, emises))
	command := func(url string) (string, error) {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestRejouerCommand$")
		cmd.Env = append(os.Environ(), "REJOUER=1", "DATABASE_URL="+url)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := command(db.URL("facture")); err != nil || !strings.HasPrefix(out, "1 bills priced again, 0 differ.") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := command(""); err == nil || !strings.Contains(out, "DATABASE_URL") {
		t.Errorf("without a database: %v\n%s", err, out)
	}
	b.alter(t, "update facture set volume_litres = 1")
	if out, err := command(db.URL("facture")); err == nil || !strings.Contains(out, "volume_litres: 1 stored, 60000 computed") {
		t.Errorf("altered: %v\n%s", err, out)
	}
}
