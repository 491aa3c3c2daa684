package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"aquaerp.fr/shared/message"
)

// The stream ends before the timeout of the gateway's Knative Service (300 s)
// cuts it in the middle of an event; the browser comes back.
const (
	streamFor    = 250 * time.Second
	streamPing   = 15 * time.Second // proxies cut connections that are silent for longer
	streamRetry  = 2 * time.Second
	pollFirst    = 500 * time.Millisecond
	pollMax      = time.Second
	writeTimeout = 10 * time.Second
)

// SuiviLot follows a lot, from the state that Last-Event-ID names.
type SuiviLot struct {
	ParID
	LastEventID string `header:"Last-Event-ID" doc:"Id of the last event seen; that state is not sent again"`
}

// suivi streams the states of a lot. The stream ends when nothing will change
// by itself: computed, issued or rejected. A client that comes back with the
// id of such a state gets 204, which tells an EventSource to stop.
func (g *gateway) suivi() {
	op := route{"GET", "/v1/lots/{id}/suivi", "suivreLot", "Follow a billing run (server-sent events)", "lots", 0}.operation()
	op.Description = "Each event is named `lot`, its data is the Lot as JSON, its id names the state. The stream ends when the lot is " +
		"CALCULE, CONTROLE, EMIS or REJETE, or after four minutes: come back with Last-Event-ID. 204 means that nothing is left to follow."
	op.Responses = map[string]*huma.Response{
		"200": {Description: "The stream", Content: map[string]*huma.MediaType{"text/event-stream": {
			Schema: &huma.Schema{Type: "string", Description: "Events `lot`"},
		}}},
		"204": {Description: "Nothing is left to follow"},
	}
	op.Errors = []int{401, 403, 404, 503}
	huma.Register(g.api, op, func(ctx context.Context, in *SuiviLot) (*huma.StreamResponse, error) {
		first, err := ask(ctx, g, message.LotParID{ID: in.ID}, "")
		if err != nil {
			return nil, err // refusals are problems, as anywhere
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			if steady(first) && stateID(first) == in.LastEventID {
				hc.SetStatus(http.StatusNoContent)
				return
			}
			_, w := humago.Unwrap(hc)
			ctx, cancel := context.WithTimeout(ctx, streamFor)
			defer cancel()
			stop := context.AfterFunc(g.rt.Draining, cancel)
			defer stop()
			follow(ctx, newStream(w), in.LastEventID, first, func(ctx context.Context) (message.Lot, error) {
				return ask(ctx, g, message.LotParID{ID: in.ID}, "")
			})
		}}, nil
	})
}

// steady tells that a lot waits for a person, or for nothing any more.
func steady(l message.Lot) bool { return l.Etat != "PREPARE" && l.Etat != "EMISSION" }

// stateID names a state of a lot.
func stateID(l message.Lot) string {
	h := fnv.New64a()
	_ = json.NewEncoder(h).Encode(l)
	return strconv.FormatUint(h.Sum64(), 36)
}

// follow sends each new state of a lot until it is steady, the time is up, or
// the client is gone. A state that cannot be read is tried again: the client
// has no use for it.
func follow(ctx context.Context, s *stream, seen string, lot message.Lot, read func(context.Context) (message.Lot, error)) {
	s.retry(streamRetry)
	wait, quiet := pollFirst, time.Now()
	for {
		switch id := stateID(lot); {
		case id != seen:
			s.event("lot", id, lot)
			seen, wait, quiet = id, pollFirst, time.Now()
		case time.Since(quiet) >= streamPing:
			s.ping()
			quiet = time.Now()
		}
		if steady(lot) || s.err != nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		wait = min(wait+pollFirst/5, pollMax)
		if next, err := read(ctx); err == nil {
			lot = next
		}
	}
}

// stream writes server-sent events. It remembers the first error: the client
// is gone.
type stream struct {
	w   io.Writer
	ctl *http.ResponseController
	buf bytes.Buffer
	err error
}

func newStream(w http.ResponseWriter) *stream {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // for proxies that would collect the stream
	return &stream{w: w, ctl: http.NewResponseController(w)}
}

func (s *stream) retry(d time.Duration) { s.send("retry: %d\n\n", d.Milliseconds()) }
func (s *stream) ping()                 { s.send(": ping\n\n") }

func (s *stream) event(name, id string, data any) {
	raw, err := json.Marshal(data)
	if err != nil {
		s.err = err
		return
	}
	s.send("event: %s\nid: %s\ndata: %s\n\n", name, id, raw)
}

func (s *stream) send(format string, args ...any) {
	if s.err != nil {
		return
	}
	s.buf.Reset()
	fmt.Fprintf(&s.buf, format, args...)
	_ = s.ctl.SetWriteDeadline(time.Now().Add(writeTimeout))
	if _, s.err = s.w.Write(s.buf.Bytes()); s.err == nil {
		s.err = s.ctl.Flush()
	}
}
