package cluster

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Count is a number of rows as it should be and as it is.
type Count struct {
	What      string
	Want, Got int
}

func (c Count) String() string { return fmt.Sprintf("%s %d", c.What, c.Got) }

// Verify holds what was acknowledged against the database, once everything has
// settled: each command took effect once, and so did every event that it set
// off, in whichever function hears of it. query runs SQL and returns rows as
// SQL does.
func (w *Writer) Verify(ctx context.Context, query func(context.Context, string) (string, error)) ([]Count, error) {
	w.mu.Lock()
	counts, sql := w.acked.counts(w.run)
	w.mu.Unlock()
	out, err := query(ctx, sql)
	if err != nil {
		return nil, err
	}
	lines := strings.Fields(out)
	if len(lines) != len(counts) {
		return nil, fmt.Errorf("%d counts, want %d: %.200s", len(lines), len(counts), out)
	}
	for i, line := range lines {
		if counts[i].Got, err = strconv.Atoi(line); err != nil {
			return nil, err
		}
	}
	return counts, nil
}

// Wrong are the counts that are not as they should be.
func Wrong(counts []Count) (wrong []Count) {
	return slices.DeleteFunc(slices.Clone(counts), func(c Count) bool { return c.Got == c.Want })
}

// counts are what must hold, and a query that returns the numbers, a row each
// in the same order.
//
// Where a table's own constraint would refuse the second row of a doubled
// command, rows that have none are counted too: lines of journals, mails,
// entries of the books, numbers taken from a series.
func (a *Acknowledged) counts(run string) (counts []Count, sql string) {
	var queries []string
	add := func(what string, want int, query string) {
		counts, queries = append(counts, Count{What: what, Want: want}), append(queries, "("+query+")")
	}
	subscribed, signed, opened, paid := array(a.Subscribe), array(a.Sign), array(a.Open), array(a.Pay)
	active := len(a.Open) + len(a.Takeover)

	// Commands, in the functions that took them.
	add("subscriptions", len(a.Subscribe), "select count(*) from contrat.contrat where id = any("+subscribed+")")
	add("contracts at the PDLs of the drill", len(a.Subscribe)+len(a.Takeover), "select count(*) from ici")
	add("contracts noted as subscribed", len(a.Subscribe), "select count(*) from contrat.journal j join ici on ici.id = j.contrat_id where code = 'SOUSCRIT'")
	add("signatures", len(a.Sign), "select count(*) from contrat.journal where code = 'SIGNE' and contrat_id = any("+signed+")")
	add("signatures at the PDLs of the drill", len(a.Sign), "select count(*) from contrat.journal j join ici on ici.id = j.contrat_id where code = 'SIGNE'")
	add("contracts taken over", len(a.Takeover), "select count(*) from ici where etat = 'ACTIF' and reference = any("+array(a.Takeover)+")")
	add("payments", len(a.Pay), "select count(*) from facture.paiement where id = any("+paid+")")
	add("centimes paid by the payer", len(a.Pay), "select coalesce(sum(montant_centimes), 0) from facture.paiement where abonne_id = "+literal(a.Payer)+"::uuid")
	add("centimes booked for them", len(a.Pay), "select coalesce(sum(credit_centimes), 0) from facture.mouvement where compte = '411' and ecriture_id = any("+paid+")")
	add("reports of field work", len(a.Open), "select count(*) from intervention.intervention where etat = 'REALISEE' and contrat_id = any("+opened+")")

	// Events of theirs, in the functions that heard of them.
	add("plans", len(a.Sign), "select count(*) from workflow.plan p join ici on ici.id = p.sujet")
	add("orders of field work", len(a.Sign), "select count(*) from intervention.intervention i join ici on ici.id = i.contrat_id")
	add("orders whose answer came back", len(a.Sign), "select count(*) from workflow.etape e join workflow.plan p on p.id = e.plan_id join ici on ici.id = p.sujet where e.code = 'commande' and e.etat = 'FAITE'")
	add("plans that ended", len(a.Open), "select count(*) from workflow.plan where etat = 'TERMINE' and sujet = any("+opened+")")
	add("contracts that became active", active, "select count(*) from ici where etat = 'ACTIF'")
	add("meters in place", active, "select count(*) from contrat.pose p join ici on ici.pdl_id = p.pdl_id")
	add("contracts known to facture", active, "select count(*) from facture.contrat c join ici on ici.id = c.id")
	add("contracts known to operation", active, "select count(*) from operation.contrat c join ici on ici.id = c.id")
	add("PDLs known to intervention", active, "select count(*) from intervention.pdl p join ici on ici.pdl_id = p.id")
	add("portal accounts", len(a.Open), "select count(*) from auth.utilisateur u join ici on ici.abonne_id = u.abonne_id")
	add("invitations", len(a.Open), "select count(*) from auth.invitation i join auth.utilisateur u on u.id = i.utilisateur_id join ici on ici.abonne_id = u.abonne_id")
	add("mails sent", 2*len(a.Open), "select count(*) from mailer.envoi e join ici on ici.abonne_id = e.abonne_id where e.etat = 'SENT'")

	// The whole house.
	add("numbers of contracts without contract, or doubled", 0, "select (select coalesce(sum(n), 0) from contrat.serie) - (select count(distinct numero) from contrat.contrat)")
	add("centimes by which the books do not balance", 0, "select coalesce(sum(debit_centimes) - sum(credit_centimes), 0) from facture.mouvement")

	return counts, `with ici as (
		select c.id, c.abonne_id, c.pdl_id, c.etat, p.reference from contrat.contrat c join contrat.pdl p on p.id = c.pdl_id
		where p.reference like ` + literal("DRILL-"+run+"-%") + `)
	select n::bigint from unnest(array[` + strings.Join(queries, ",\n") + `]::numeric[]) with ordinality as counts (n, rank) order by rank`
}

// array is a literal of texts, which PostgreSQL takes for uuids where those are asked for.
func array(values []string) string {
	return literal("{" + strings.Join(values, ",") + "}")
}

// literal quotes a text for SQL. Ours are ids and references, without quotes;
// one that had some would be a text all the same.
func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
