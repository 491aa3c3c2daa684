package function_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

func TestMain(m *testing.M) {
	if os.Getenv("AQUAERP_TEST_SERVE") != "" { // the test binary as a function, see telemetry_test.go
		function.Serve("essai", essai)
	}
	functiontest.Main(m)
}

// bundle is a function named contrat whose handlers write to a table `effet`.
type bundle struct {
	*functiontest.Function
	calls atomic.Int64
}

const (
	contratID = "0190a000-0000-7000-8000-0000000000aa"
	pdlID     = "0190a000-0000-7000-8000-0000000000bb"
)

func setup(t *testing.T) *bundle {
	t.Helper()
	return setupOn(t, functiontest.NewDatabase(t))
}

func setupOn(t *testing.T, db functiontest.Database) *bundle {
	t.Helper()
	b := &bundle{}
	b.Function = functiontest.StartOn(t, db, "contrat", b.listens)
	if _, err := b.DB.Exec(t.Context(), "create table effet (id text); create unique index un_double on effet (id) where id = 'double'; grant all on effet to contrat"); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *bundle) listens(*function.Runtime) []function.Listen {
	return []function.Listen{
		function.Answer("contrats:modifier", b.signer),
		function.Answer("contrats:modifier", b.activer).ByPost(),
		function.Answer("contrats:lire", b.lire),
		function.On(b.realisee),
		function.OnReply(b.repondu),
	}
}

func (b *bundle) signer(ctx context.Context, tx *function.Tx, c message.Signer) (message.Contrat, error) {
	b.calls.Add(1)
	if _, err := tx.Exec(ctx, "insert into effet values ($1)", c.ContratID); err != nil {
		return message.Contrat{}, err
	}
	tx.Emit(c.ContratID, 2, message.ContratAnnule{ContratID: c.ContratID})
	if c.Signataire == "garde" {
		return message.Contrat{}, function.Keep(function.Unauthorized("refuse", "Refusé.", "Refused."))
	}
	if c.Signataire == "refus" {
		return message.Contrat{}, function.Conflict("deja_signe", "Déjà signé.", "Already signed.")
	}
	return message.Contrat{ID: c.ContratID, Version: 2}, nil
}

func (b *bundle) activer(ctx context.Context, tx *function.Tx, c message.Activer) (message.Contrat, error) {
	b.calls.Add(1)
	if _, err := tx.Exec(ctx, "insert into effet values ($1)", c.ContratID); err != nil {
		return message.Contrat{}, err
	}
	if c.Index == 14 { // what the database refuses is told by post too
		_, err := tx.Exec(ctx, "insert into effet values ('double'), ('double')")
		return message.Contrat{}, err
	}
	if c.Index == 13 {
		return message.Contrat{}, function.Refused("index_incoherent", "Index incohérent.", "The index makes no sense.")
	}
	return message.Contrat{ID: c.ContratID}, nil
}

func (b *bundle) lire(ctx context.Context, tx *function.Tx, q message.ContratParID) (message.Contrat, error) {
	_, err := tx.Exec(ctx, "insert into effet values ($1)", q.ID) // a query may not
	return message.Contrat{}, err
}

func (b *bundle) realisee(ctx context.Context, tx *function.Tx, e message.InterventionRealisee) error {
	b.calls.Add(1)
	if _, err := tx.Exec(ctx, "insert into effet values ($1)", e.PDLID); err != nil {
		return err
	}
	tx.Post("sujet", e.InterventionID, message.InterventionParID{ID: e.InterventionID})
	switch e.Nature {
	case "tout":
		rows, err := tx.Query(ctx, "select * from effet")
		if err != nil {
			return err
		}
		rows.Close()
		return rows.Err()
	case "panique":
		panic("boum")
	case "refus":
		return function.Refused("jamais", "Jamais.", "Never.")
	case "plus tard":
		return function.NotYet("trop_tot", "Trop tôt.", "Too early.")
	case "faute":
		return errors.New("a fault")
	case "partie refus":
		return b.partie(ctx, tx, e, function.Refused("jamais", "Jamais.", "Never."))
	case "partie plus tard":
		return b.partie(ctx, tx, e, function.NotYet("trop_tot", "Trop tôt.", "Too early."))
	}
	return nil
}

// partie tries a part that ends in an error, which it tells when it is none of a part.
func (b *bundle) partie(ctx context.Context, tx *function.Tx, e message.InterventionRealisee, end error) error {
	refusal, err := tx.Try(ctx, func() error {
		tx.Emit(e.PDLID, 0, e)
		if _, err := tx.Exec(ctx, "insert into effet values ('double')"); err != nil {
			return err
		}
		return end
	})
	if err == nil && refusal != end {
		return fmt.Errorf("the refusal is %v", refusal)
	}
	return err
}

func (b *bundle) repondu(ctx context.Context, tx *function.Tx, p function.Posted) error {
	code := "ok"
	if p.Problem != nil {
		code = p.Problem.Code
	}
	_, err := tx.Exec(ctx, "insert into effet values ($1)", p.Request+" "+p.Subject+" "+p.Correlation+" "+code)
	return err
}

func signer(who string) message.Signer {
	return message.Signer{ContratID: contratID, Signataire: who}
}

func TestCommandOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	key := function.NewID()
	for range 3 {
		got, err := functiontest.AskAgain(t, b.Function, functiontest.Staff(), key, signer("Anne"))
		if err != nil || got.Version != 2 {
			t.Fatalf("got %+v, %v", got, err)
		}
	}
	if n := b.calls.Load(); n != 1 {
		t.Errorf("handled %d times", n)
	}
	if n := b.Count(t, "select count(*) from effet"); n != 1 {
		t.Errorf("%d effects", n)
	}
	if n := len(b.Outbox(t)); n != 1 {
		t.Errorf("%d events", n)
	}
	_, err := functiontest.AskAgain(t, b.Function, functiontest.Staff(), key, signer("Bruno"))
	if got := functiontest.Code(err); got != "cle_reutilisee" {
		t.Errorf("another payload under the same key: %s", got)
	}
}

// TestMigrationBetween: a statement that was prepared before a migration does
// not fail the event after it.
func TestMigrationBetween(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, migration := range []string{"", "alter table effet add column exercice text", "alter table effet drop column exercice"} {
		if _, err := b.DB.Exec(t.Context(), migration); err != nil {
			t.Fatal(err)
		}
		e := functiontest.Event("intervention", "x", message.InterventionRealisee{
			InterventionID: contratID, PDLID: pdlID, Nature: "tout", CompteRendu: message.CompteRendu{Date: message.NewDate(2026, 10, 1)},
		})
		if status := b.Deliver(t, e); status != 204 {
			t.Errorf("after %q: status %d", migration, status)
		}
	}
}

func TestCommandAtTheSameTime(t *testing.T) {
	t.Parallel()
	b := setup(t)
	key := function.NewID()
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := functiontest.AskAgain(t, b.Function, functiontest.Staff(), key, signer("Anne")); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := b.Count(t, "select count(*) from effet"); n != 1 {
		t.Errorf("%d effects", n)
	}
}

func TestRefusalLeavesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := functiontest.Ask(t, b.Function, functiontest.Staff(), signer("refus"))
	if got := functiontest.Code(err); got != "deja_signe" {
		t.Fatalf("got %s", got)
	}
	for _, table := range []string{"effet", "reply", "eventing.outbox"} {
		if n := b.Count(t, "select count(*) from "+table); n != 0 {
			t.Errorf("%d rows in %s", n, table)
		}
	}
}

func TestRefusalThatKeeps(t *testing.T) {
	t.Parallel()
	b := setup(t)
	key := function.NewID()
	for range 2 {
		_, err := functiontest.AskAgain(t, b.Function, functiontest.Staff(), key, signer("garde"))
		if got := functiontest.Code(err); got != "refuse" {
			t.Fatalf("got %s", got)
		}
	}
	if n := b.Count(t, "select count(*) from effet"); n != 2 {
		t.Errorf("%d effects of 2 refusals", n)
	}
	if n := b.Count(t, "select count(*) from eventing.outbox"); n != 0 {
		t.Errorf("%d events", n)
	}
}

func TestQueryCannotWrite(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if _, err := functiontest.Ask(t, b.Function, functiontest.Staff(), message.ContratParID{ID: contratID}); err == nil {
		t.Error("a query wrote")
	}
	if n := b.Count(t, "select count(*) from effet"); n != 0 {
		t.Errorf("%d effects", n)
	}
}

func TestWhoMayAsk(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, c := range []struct {
		name string
		as   function.Identity
		code string
	}{
		{"staff", functiontest.Staff(), ""},
		{"a subscriber", functiontest.Subscriber(contratID), "droit_manquant"},
		{"reader", function.Identity{ID: pdlID, Droits: map[string]string{"contrats": "l"}}, "droit_manquant"},
	} {
		_, err := functiontest.Ask(t, b.Function, c.as, signer("Anne"))
		if got := functiontest.Code(err); got != c.code {
			t.Errorf("%s: got %q, want %q", c.name, got, c.code)
		}
	}
	for _, token := range []string{"", "x.y.z", functiontest.Token(t, functiontest.Staff()) + "x"} {
		_, err := function.Ask(t.Context(), b.Client, signer("Anne"), function.Call{Token: token})
		var p *message.Problem
		if !errors.As(err, &p) || p.Status != http.StatusUnauthorized {
			t.Errorf("token %q: %v", token, err)
		}
	}
}

func TestDelivery(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		nature  string
		status  int
		effects int
	}{
		{"pose", http.StatusNoContent, 1},
		{"refus", http.StatusUnprocessableEntity, 0},
		{"plus tard", http.StatusServiceUnavailable, 0},
		{"faute", http.StatusServiceUnavailable, 0},
		{"panique", http.StatusServiceUnavailable, 0},
		{"partie refus", http.StatusNoContent, 1},
		{"partie plus tard", http.StatusServiceUnavailable, 0},
	} {
		t.Run(c.nature, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			e := functiontest.Event("intervention", "x", message.InterventionRealisee{
				InterventionID: contratID, PDLID: pdlID, Nature: c.nature, CompteRendu: message.CompteRendu{Date: message.NewDate(2026, 10, 1)},
			})
			for range 2 {
				if got := b.Deliver(t, e); got != c.status {
					t.Errorf("status %d, want %d", got, c.status)
				}
			}
			for _, table := range []string{"effet", "eventing.inbox", "eventing.outbox"} {
				if n := b.Count(t, "select count(*) from "+table); n != c.effects {
					t.Errorf("%d rows in %s, want %d", n, table, c.effects)
				}
			}
		})
	}
}

func TestDeliveryOfGarbage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, c := range []struct {
		raw    string
		status int
	}{
		{`{`, http.StatusBadRequest},
		{`{"specversion":"1.0","id":"1","source":"/x"}`, http.StatusBadRequest},
		{`{"specversion":"1.0","id":"1","source":"/x","type":"fr.aquaerp.autre.chose.v1","replyto":"x"}`, http.StatusUnprocessableEntity},
		{`{"specversion":"1.0","id":"1","source":"/x","type":"fr.aquaerp.intervention.realisee.v1","data":{"pdl_id":7}}`, http.StatusUnprocessableEntity},
		{`{"specversion":"1.0","id":"1","source":"/x","type":"fr.aquaerp.contrat.signer.v1","replyto":"workflow","data":{}}`, http.StatusUnprocessableEntity},
	} {
		if got := b.Post(t, []byte(c.raw)); got != c.status {
			t.Errorf("%s: status %d, want %d", c.raw, got, c.status)
		}
	}
}

func TestCommandByPost(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		index   int64
		reply   string
		effects int
	}{
		{"done", 7, message.ReplyType(message.Activer{}.Type()), 1},
		{"refused", 13, message.RefusalType(message.Activer{}.Type()), 0},
		{"refused by the database", 14, message.RefusalType(message.Activer{}.Type()), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			e := functiontest.Event("workflow", contratID, message.Activer{ContratID: contratID, Index: c.index, Date: message.NewDate(2026, 10, 1)})
			e.SetExtension("replyto", "workflow")
			e.SetExtension("correlationid", "plan-1")
			for range 2 {
				if got := b.Deliver(t, e); got != http.StatusNoContent {
					t.Fatalf("status %d", got)
				}
			}
			if n := b.Count(t, "select count(*) from effet"); n != c.effects {
				t.Errorf("%d effects, want %d", n, c.effects)
			}
			out := b.Outbox(t)
			if len(out) != 1 || out[0].Key != "reponse.workflow" || out[0].Event.Type() != c.reply ||
				out[0].Event.Extensions()["correlationid"] != "plan-1" || out[0].Event.Subject() != contratID {
				t.Errorf("got %+v", out)
			}
		})
	}
}

func TestAnswersToWhatWasPosted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	request := message.InterventionParID{}.Type()
	for _, c := range []struct {
		payload message.Message
		reply   string
		want    string
	}{
		{message.InterventionParID{ID: pdlID}, message.ReplyType(request), request + " s corr ok"},
		{message.Problem{Code: "inconnue"}, message.RefusalType(request), request + " s corr inconnue"},
	} {
		e := functiontest.Event("intervention", "s", c.payload)
		e.SetType(c.reply)
		e.SetExtension("correlationid", "corr")
		if got := b.Deliver(t, e); got != http.StatusNoContent {
			t.Fatalf("status %d", got)
		}
		if n := b.Count(t, "select count(*) from effet where id = $1", c.want); n != 1 {
			t.Errorf("%q was not handled", c.want)
		}
	}
}

func TestMalformedCommands(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, c := range []struct {
		data, code, field string
	}{
		{`{`, "cloudevent_invalide", ""},
		{`{"contrat_id":"x","signataire":"A","a_distance":false,"plus":1}`, "champ_inconnu", "plus"},
		{`{"contrat_id":"x","signataire":7}`, "type_invalide", "signataire"},
		{`{"contrat_id":"x","signataire":"A"}`, "champs_invalides", "contrat_id"},
		{`{"contrat_id":"` + contratID + `"}`, "champs_invalides", "signataire"},
	} {
		body := `{"specversion":"1.0","id":"1","source":"/x","type":"fr.aquaerp.contrat.signer.v1","data":` + c.data + `}`
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.URL, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/cloudevents+json")
		req.Header.Set("Authorization", "Bearer "+functiontest.Token(t, functiontest.Staff()))
		p := problemOf(t, req)
		if p.Code != c.code || c.field != "" && (len(p.Errors) != 1 || p.Errors[0].Field != c.field) {
			t.Errorf("%s: got %+v", c.data, p)
		}
		if p.Detail == "" || p.DetailEN == "" || p.Status < 400 {
			t.Errorf("%s: %+v does not explain", c.data, p)
		}
	}
}

// TestRoundTrips counts the conversations with PostgreSQL: one before the
// handler, one after, whatever goes out.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	db := functiontest.NewDatabase(t)
	proxy := newCounter(t, db.Address())
	b := setupOn(t, db)
	slow := functiontest.StartOn(t, db.Via(proxy.address), "contrat", b.listens)
	ask := func(f *functiontest.Function) int64 {
		before := proxy.trips.Load()
		functiontest.MustAsk(t, f, functiontest.Staff(), signer("Anne"))
		return proxy.trips.Load() - before
	}
	ask(slow) // connects and prepares
	ask(slow)
	if got := ask(slow); got != 3 {
		t.Errorf("%d round trips for a command whose handler makes 1: want 2 around it", got)
	}
}

// counter is a TCP proxy that counts how often the client speaks after the server did.
type counter struct {
	address string
	trips   atomic.Int64
}

func newCounter(t *testing.T, target string) *counter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	c := &counter{address: l.Addr().String()}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", target)
			if err != nil {
				client.Close()
				continue
			}
			var answered atomic.Bool
			answered.Store(true)
			pump := func(to, from net.Conn, before func()) {
				defer to.Close()
				buf := make([]byte, 64<<10)
				for {
					n, err := from.Read(buf)
					if n > 0 {
						before()
						if _, err := to.Write(buf[:n]); err != nil {
							return
						}
					}
					if err != nil {
						return
					}
				}
			}
			go pump(server, client, func() {
				if answered.Swap(false) {
					c.trips.Add(1)
				}
			})
			go pump(client, server, func() { answered.Store(true) })
		}
	}()
	return c
}

func problemOf(t *testing.T, req *http.Request) *message.Problem {
	t.Helper()
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return decodeProblem(t, raw)
}

func decodeProblem(t *testing.T, raw []byte) *message.Problem {
	t.Helper()
	p := new(message.Problem)
	if err := json.Unmarshal(raw, p); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return p
}
