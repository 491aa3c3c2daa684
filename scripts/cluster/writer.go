package cluster

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"aquaerp.fr/scripts/client"
	"aquaerp.fr/scripts/commune/village"
	"aquaerp.fr/shared/message"
)

// Writer posts commands through the public API, from several workers at once,
// while a drill breaks things: it subscribes and signs, has the water opened,
// takes contracts over and records payments, so that every function, every
// queue and the books have something to lose.
//
// It is a good client and no more: each command has an Idempotency-Key, and is
// repeated under it, while the product says "not now" or does not answer,
// until it is acknowledged. What was acknowledged is remembered, to be held
// against the database afterwards.
//
// Its rows stay in the product. They are told by the references of their PDLs,
// DRILL-<run>-<n>; their people have addresses that RFC 2606 keeps for examples.
type Writer struct {
	run   string
	api   *client.Client
	watch *watch
	stop  atomic.Bool
	posts sync.WaitGroup
	next  atomic.Int64

	mu      sync.Mutex
	acked   Acknowledged
	waits   []time.Duration // of each acknowledged command, from its first try
	ends    []time.Time     // when each was acknowledged
	unopen  []message.Contrat
	refused []error
}

// Acknowledged is what the product said it has done.
type Acknowledged struct {
	Payer     string   // the abonne of the payments
	Subscribe []string // ids of contracts
	Sign      []string // those of them that were signed
	Open      []string // those whose field work was reported
	Takeover  []string // references of PDLs
	Pay       []string // ids of payments of one centime each
}

func (a *Acknowledged) total() int {
	return len(a.Subscribe) + len(a.Sign) + 2*len(a.Open) + len(a.Takeover) + len(a.Pay)
}

// patience is how long a command may take to be acknowledged: longer than the
// worst outage of a drill.
const patience = 4 * time.Minute

// attempt is how long one try may take. A pod that dies with a request leaves
// it without an answer; a command takes a second or two from a cold start.
const attempt = 20 * time.Second

// pace is how long a worker rests between two commands, as people do: what a
// drill looks for is loss, and each command is several events to be delivered
// before the drill can count.
const pace = 250 * time.Millisecond

// StartWriter starts so many workers, as a user who may do everything. The
// first contract it takes over is the one that pays.
func StartWriter(ctx context.Context, base string, over *http.Client, identifiant, motDePasse string, workers int) (*Writer, error) {
	w := &Writer{run: fmt.Sprintf("%x", time.Now().UnixMilli()), watch: newWatch(over.Transport)}
	var err error
	w.api, err = client.New(base, patience).Over(&http.Client{Transport: w.watch, Timeout: attempt}).Login(ctx, identifiant, motDePasse)
	if err != nil {
		return nil, fmt.Errorf("writer: login: %w", err)
	}
	if err := w.open(ctx); err != nil {
		return nil, fmt.Errorf("writer: %w", err)
	}
	w.watch.reset()
	w.waits, w.ends = nil, nil // what came before was no part of the drill
	for range workers {
		w.posts.Go(func() { w.work(ctx) })
	}
	w.posts.Go(func() { w.openWater(ctx) })
	return w, nil
}

// open takes the payer's contract over, and waits until facture knows it.
func (w *Writer) open(ctx context.Context) error {
	pdl := w.pdl()
	if err := w.takeover(ctx, pdl); err != nil {
		return err
	}
	found, err := client.Get[message.PageAbonnes](ctx, w.api, "/v1/abonnes?q="+pdl)
	if err != nil {
		return err
	}
	if len(found.Items) != 1 {
		return fmt.Errorf("%d abonnes at %s", len(found.Items), pdl)
	}
	w.acked.Payer = found.Items[0].ID
	_, err = Until(ctx, patience, func(ctx context.Context) (bool, error) { return true, w.pay(ctx) })
	return err
}

// Stop posts nothing new and returns once everything begun is acknowledged.
func (w *Writer) Stop() {
	w.stop.Store(true)
	w.posts.Wait()
}

// Acknowledged is how many commands were so far.
func (w *Writer) Acknowledged() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.acked.total()
}

// Accounts is how many users its subscriptions have made.
func (w *Writer) Accounts() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.acked.Open)
}

// work posts one command after another, of each kind in turn.
func (w *Writer) work(ctx context.Context) {
	for n := 0; !w.stop.Load() && ctx.Err() == nil; n++ {
		var err error
		switch n % 4 {
		case 0:
			err = w.subscribe(ctx)
		case 1:
			err = w.takeover(ctx, w.pdl())
		default:
			err = w.pay(ctx)
		}
		w.note(err)
		pause(ctx, pace)
	}
}

// note keeps a command that was never acknowledged: with this patience it is a failure.
func (w *Writer) note(err error) {
	if err != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.refused = append(w.refused, err)
	}
}

func (w *Writer) pdl() string { return fmt.Sprintf("DRILL-%s-%d", w.run, w.next.Add(1)) }

// post sends a command and remembers what ack makes of its answer.
func post[R any](ctx context.Context, w *Writer, path string, body any, ack func(R)) error {
	began := time.Now()
	answer, err := client.Post[R](ctx, w.api, path, body)
	if err != nil {
		return fmt.Errorf("POST %s: %w", path, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waits, w.ends = append(w.waits, time.Since(began)), append(w.ends, time.Now())
	if ack != nil {
		ack(answer)
	}
	return nil
}

var ici = message.Adresse{Voie: "1 rue de l'Exercice", CodePostal: "77999", Commune: village.Commune}

func today() message.Date { return message.DateOf(time.Now()) }

// subscribe opens a contract and has it signed: the plan orders field work.
func (w *Writer) subscribe(ctx context.Context) error {
	pdl := w.pdl()
	s := message.Souscrire{
		Abonne: &message.NouvelAbonne{Nature: "PERSONNE", Nom: "Exercice", Prenom: pdl, Email: strings.ToLower(pdl) + "@courriel.example", Adresse: ici},
		PDL: &message.NouveauPDL{Reference: pdl, Adresse: ici, CodeINSEE: "77999", Secteur: "Exercice", Logements: 1,
			Habitation: true, ResidencePrincipale: "OUI", Assainissement: true},
		Compteur: message.NouveauCompteur{Serie: pdl, CalibreMM: 15, Roues: 5, LitresParUnite: 1000, Annee: today().Year()},
		Nature:   "INDIVIDUEL", DebutSouhaite: today(), ExecutionImmediate: true, ModePaiement: "VIREMENT",
	}
	var c message.Contrat
	if err := post(ctx, w, "/v1/contrats", s, func(answer message.Contrat) {
		c = answer
		w.acked.Subscribe = append(w.acked.Subscribe, c.ID)
	}); err != nil {
		return err
	}
	return post(ctx, w, "/v1/contrats/"+c.ID+"/signature", map[string]any{"signataire": pdl, "a_distance": false}, func(answer message.Contrat) {
		w.acked.Sign = append(w.acked.Sign, c.ID)
		w.unopen = append(w.unopen, answer)
	})
}

// openWater is the technician: it does the orders that the plans have made by
// now, and leaves the rest for who comes after the drill.
func (w *Writer) openWater(ctx context.Context) {
	for !w.stop.Load() && ctx.Err() == nil {
		w.mu.Lock()
		var c *message.Contrat
		if len(w.unopen) > 0 {
			c, w.unopen = &w.unopen[0], w.unopen[1:]
		}
		w.mu.Unlock()
		if c == nil {
			pause(ctx, 200*time.Millisecond)
			continue
		}
		done, err := w.fieldWork(ctx, c)
		w.note(err)
		if !done && err == nil {
			w.mu.Lock()
			w.unopen = append(w.unopen, *c)
			w.mu.Unlock()
			pause(ctx, 200*time.Millisecond)
		}
	}
}

func (w *Writer) fieldWork(ctx context.Context, c *message.Contrat) (done bool, err error) {
	page, err := client.Get[message.PageInterventions](ctx, w.api, "/v1/interventions?etat=OUVERTES&abonne_id="+c.Abonne.ID)
	if err != nil || len(page.Items) == 0 {
		return false, err
	}
	path, me := "/v1/interventions/"+page.Items[0].ID, w.api.Utilisateur()
	err = post[message.Intervention](ctx, w, path+"/affectation", map[string]any{"technicien": me.ID, "nom_technicien": me.Nom}, nil)
	if err != nil {
		return false, err
	}
	report := map[string]any{"date": today(), "index": 7, "observations": "Exercice."}
	return true, post(ctx, w, path+"/compte-rendu", report, func(message.Intervention) { w.acked.Open = append(w.acked.Open, c.ID) })
}

// takeover has a contract taken over by a file of one line; five functions hear of it.
func (w *Writer) takeover(ctx context.Context, pdl string) error {
	line := strings.Join([]string{pdl, ici.Voie, ici.CodePostal, ici.Commune, "77999", "Exercice", "1", "OUI", "OUI", "OUI",
		"PERSONNE", "Exercice", pdl, "", "", "INDIVIDUEL", "VIREMENT", pdl, "15", "5", "1000", "2020", "2024-04-01", "0"}, ";")
	return post(ctx, w, "/v1/reprises", client.CSV(message.ColonnesReprise+"\n"+line+"\n"), func(r message.Reprise) {
		if r.Creees != 1 {
			w.refused = append(w.refused, fmt.Errorf("POST /v1/reprises of %s: %+v", pdl, r))
			return
		}
		w.acked.Takeover = append(w.acked.Takeover, pdl)
	})
}

// pay records a centime, an advance of somebody who owes nothing.
func (w *Writer) pay(ctx context.Context) error {
	p := message.EnregistrerPaiement{Mode: "VIREMENT", MontantCentimes: 1, RecuLe: today(), AbonneID: w.acked.Payer}
	return post(ctx, w, "/v1/paiements", p, func(p message.Paiement) { w.acked.Pay = append(w.acked.Pay, p.ID) })
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// Tally is what a Writer saw.
type Tally struct {
	Acknowledged int
	Never        []error       // commands that were not, though repeated
	Median       time.Duration // from the first try of a command to its acknowledgement
	P99          time.Duration
	Slowest      time.Duration
	Silence      time.Duration // the longest without an acknowledgement
	Answers      int           // single ones, to commands and to queries
	Errors5xx    int           // among them
	First5xx     []string      // what the first of those said
	NoAnswer     int           // tries that the network ended
}

// Tally of everything so far.
func (w *Writer) Tally() Tally {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := Tally{Acknowledged: w.acked.total(), Never: slices.Clone(w.refused)}
	t.Answers, t.Errors5xx, t.NoAnswer = w.watch.counts()
	t.First5xx = w.watch.firstErrors()
	if sorted := slices.Sorted(slices.Values(w.waits)); len(sorted) > 0 {
		t.Median, t.P99, t.Slowest = sorted[len(sorted)/2], sorted[len(sorted)*99/100], sorted[len(sorted)-1]
	}
	for i := 1; i < len(w.ends); i++ {
		t.Silence = max(t.Silence, w.ends[i].Sub(w.ends[i-1]))
	}
	return t
}

func (t Tally) String() string {
	ms := func(d time.Duration) time.Duration { return d.Round(time.Millisecond) }
	return fmt.Sprintf("%d commands acknowledged, median %v, 99 of 100 within %v, slowest %v, longest silence %v; %d single answers, of them %d 5xx; %d tries without an answer",
		t.Acknowledged, ms(t.Median), ms(t.P99), ms(t.Slowest), ms(t.Silence), t.Answers, t.Errors5xx, t.NoAnswer)
}

// watch counts the answers that pass through a transport.
type watch struct {
	through                  http.RoundTripper
	answers, errors, nothing atomic.Int64

	mu    sync.Mutex
	first []string // of the answers that were 5xx
}

// shown is how many 5xx a drill shows.
const shown = 3

func newWatch(through http.RoundTripper) *watch {
	if through == nil {
		through = http.DefaultTransport
	}
	return &watch{through: through}
}

func (c *watch) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := c.through.RoundTrip(r)
	switch {
	case err != nil:
		c.nothing.Add(1)
	case res.StatusCode >= 500:
		c.errors.Add(1)
		c.answers.Add(1)
		c.keep(r, res)
	default:
		c.answers.Add(1)
	}
	return res, err
}

// keep remembers the first errors, with the beginning of what they say: who
// answered is what one wants to know.
func (c *watch) keep(r *http.Request, res *http.Response) {
	body, err := io.ReadAll(res.Body)
	res.Body.Close()
	res.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body), broken{err}))
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.first) < shown {
		c.first = append(c.first, fmt.Sprintf("%s %s %s: %s: %.200s", time.Now().Format(time.TimeOnly), r.Method, r.URL.Path, res.Status, body))
	}
}

// broken ends a body as the one that was read did.
type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, cmp.Or(b.err, io.EOF) }

func (c *watch) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.first = nil
	c.answers.Store(0)
	c.errors.Store(0)
	c.nothing.Store(0)
}

func (c *watch) firstErrors() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.first)
}

func (c *watch) counts() (answers, errors, nothing int) {
	return int(c.answers.Load()), int(c.errors.Load()), int(c.nothing.Load())
}
