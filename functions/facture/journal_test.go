package main

import (
	"strings"
	"testing"
)

// sql runs statements in one transaction, as facture's own role may.
func (b *bundle) sql(t *testing.T, statements string) error {
	t.Helper()
	_, err := b.DB.Exec(t.Context(), "begin; set local role facture; "+statements+"; commit")
	return err
}

// The database keeps the journal whatever the code does.
func TestJournalIsKeptByTheDatabase(t *testing.T) {
	t.Parallel()
	b := setup(t, 1)
	b.issue(t, lotOf(avril, octobre, emises))
	const id = "'0190a000-0000-7000-8000-00000000aaaa'"
	even := "insert into ecriture (id, date, piece, libelle) values (" + id + ", '2026-11-02', 'x', 'x'); insert into mouvement values (" + id + ", '512', 5, 0), (" + id + ", '530', 0, 5)"
	for _, c := range []struct{ name, statements, want string }{
		{"not even", strings.Replace(even, "0, 5)", "0, 4)", 1), "does not balance"},
		{"weighed before its end", strings.Replace(even, "; ", "; set constraints all immediate; ", 1), "takes no movement later"},
		{"added later, even by itself", "insert into mouvement select id, '530', 5, 0 from ecriture; insert into mouvement select id, '6541', 0, 5 from ecriture", "takes no movement later"},
		{"written as if by another transaction", "insert into ecriture (id, date, piece, libelle, xid) values (" + id + ", '2026-11-02', 'x', 'x', '1')", "permission denied"},
		{"changed", "update ecriture set libelle = 'y'", "permission denied"},
		{"deleted", "delete from mouvement", "permission denied"},
		{"in a closed month", "insert into cloture values ('principale', '2026-11-30', now(), 'x', 0, 0); " + even, "period is closed"},
		{"closed within a month", "insert into cloture values ('principale', '2026-11-29', now(), 'x', 0, 0)", "violates check"},
		{"as it should be, a movement at a time", strings.Replace(even, "), (", "); insert into mouvement values (", 1), ""},
	} {
		err := b.sql(t, c.statements)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	b.sound(t)
}
