package main

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

// lots is a billing run that moves on each time it is read, and stays at its
// last state.
type lots struct {
	mu     sync.Mutex
	states []message.Lot
	reads  int
}

func (l *lots) read(context.Context, *function.Tx, message.LotParID) (message.Lot, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := min(l.reads, len(l.states)-1)
	l.reads++
	return l.states[i], nil
}

func (b *bundle) serveLots(t *testing.T, states ...message.Lot) *lots {
	t.Helper()
	l := &lots{states: states}
	b.serve(t, "facture", function.Answer("lots:lire", l.read))
	return l
}

const follows = "/v1/lots/" + someID + "/suivi"

// event is a parsed server-sent event.
type event struct {
	name, id string
	lot      message.Lot
}

func parse(t *testing.T, stream string) (events []event) {
	t.Helper()
	for block := range strings.SplitSeq(strings.TrimSpace(stream), "\n\n") {
		var e event
		for s := bufio.NewScanner(strings.NewReader(block)); s.Scan(); {
			name, value, _ := strings.Cut(s.Text(), ": ")
			switch name {
			case "event":
				e.name = value
			case "id":
				e.id = value
			case "data":
				if err := json.Unmarshal([]byte(value), &e.lot); err != nil {
					t.Fatalf("%s: %v", value, err)
				}
			case "retry", "":
			default:
				t.Errorf("unexpected line %q", s.Text())
			}
		}
		if e.name != "" {
			events = append(events, e)
		}
	}
	return events
}

func TestFollow(t *testing.T) {
	t.Parallel()
	b := setup(t, relaxed)
	b.serveLots(t,
		message.Lot{ID: someID, Etat: "PREPARE", Calculees: 0},
		message.Lot{ID: someID, Etat: "PREPARE", Calculees: 0}, // the same state is not sent again
		message.Lot{ID: someID, Etat: "PREPARE", Calculees: 250},
		message.Lot{ID: someID, Etat: "CALCULE", Calculees: 500})
	c := b.as(t, functiontest.Staff())
	a := c.get(t, follows)
	if a.StatusCode != http.StatusOK || a.Header.Get("Content-Type") != "text/event-stream" || !strings.HasPrefix(string(a.body), "retry: ") {
		t.Fatalf("%s %s %s", a.Status, a.Header, a.body)
	}
	events := parse(t, string(a.body))
	var progress []int
	for _, e := range events {
		if e.name != "lot" || e.id == "" {
			t.Errorf("event %+v", e)
		}
		progress = append(progress, e.lot.Calculees)
	}
	if !slices.Equal(progress, []int{0, 250, 500}) {
		t.Errorf("bills computed: %v", progress)
	}

	last := events[len(events)-1].id
	if a := c.send(t, "GET", follows, "", "Last-Event-ID", last); a.StatusCode != http.StatusNoContent {
		t.Errorf("nothing is left to follow, but got %s %s", a.Status, a.body)
	}
	if again := parse(t, string(c.send(t, "GET", follows, "", "Last-Event-ID", events[0].id).body)); len(again) != 1 || again[0].id != last {
		t.Errorf("a client that missed the last state gets %+v", again)
	}
}

func TestFollowIsRefusedAsAProblem(t *testing.T) {
	t.Parallel()
	b := setup(t, relaxed)
	b.serveLots(t, message.Lot{Etat: "EMIS"})
	refused(t, b.as(t, functiontest.Subscriber(someID)).get(t, follows), http.StatusForbidden, "droit_manquant")
}

// TestClientGone ends the stream in its middle: the gateway stops asking.
func TestClientGone(t *testing.T) {
	t.Parallel()
	b := setup(t, relaxed)
	l := b.serveLots(t, message.Lot{ID: someID, Etat: "PREPARE"}) // for ever
	ctx, leave := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, "GET", b.url+follows, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+b.token(t, functiontest.Staff()))
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	s := bufio.NewScanner(res.Body)
	for s.Scan() && !strings.HasPrefix(s.Text(), "data: ") {
		continue
	}
	leave()
	// The harness closes the gateway at the end of the test, which waits for
	// its handlers: a stream that went on would hold it until the test times out.
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.reads == 0 {
		t.Error("the lot was never read")
	}
}

// TestFollowStopsWithItsContext is the same without the network: no read after the end.
func TestFollowStopsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	w := httptest.NewRecorder()
	reads := 0
	follow(ctx, newStream(w), "", message.Lot{Etat: "PREPARE"}, func(context.Context) (message.Lot, error) {
		reads++
		cancel()
		return message.Lot{Etat: "PREPARE", Calculees: reads}, nil
	})
	if reads != 1 {
		t.Errorf("read %d times after the first, want 1", reads)
	}
}
