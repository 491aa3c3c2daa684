package function

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/cloudevents/sdk-go/v2/binding"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"

	"aquaerp.fr/shared/message"
)

// maxBody bounds what a function reads of a message.
const maxBody = 16 << 20

// receive is the one door of a function: a CloudEvent by POST, in binary or
// structured mode. A plain handler, never the SDK's receiver, which strands
// requests when another is cancelled (sdk-go issues 1332 and 1224).
func (rt *Runtime) receive(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	ctx, cancel := context.WithTimeout(r.Context(), rt.config.RequestTimeout)
	defer cancel()
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	e, err := cloudevents.NewEventFromHTTPRequest(r)
	if err == nil {
		err = e.Validate()
	}
	if err != nil {
		status, code := http.StatusBadRequest, "cloudevent_invalide"
		if errors.As(err, new(*http.MaxBytesError)) {
			status, code = http.StatusRequestEntityTooLarge, "trop_volumineux"
		}
		writeProblem(ctx, w, problem(status, code, "Ce n'est pas un CloudEvent que la fonction peut lire.", "This is not a CloudEvent that the function can read."))
		return
	}
	l, known := rt.table.byType[e.Type()]
	ctx, end := rt.telemetry.handle(ctx, *e, known || isReply(e.Type()))
	if extension(*e, extReplyTo) != "" || isReply(e.Type()) || known && !l.request {
		err = rt.deliver(ctx, *e)
		rt.report(ctx, *e, err)
		status := deliveryStatus(err)
		end(status, time.Since(start))
		w.WriteHeader(status)
		return
	}
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	reply, err := rt.answer(ctx, *e, token)
	rt.report(ctx, *e, err)
	if err != nil {
		p := problemOf(err)
		end(p.Status, time.Since(start))
		writeProblem(ctx, w, p)
		return
	}
	end(http.StatusOK, time.Since(start))
	out := cloudevents.NewEvent()
	out.SetID(NewID())
	out.SetSource("/functions/" + rt.Name)
	out.SetType(message.ReplyType(e.Type()))
	out.SetTime(time.Now())
	out.SetExtension(extCausation, e.ID())
	_ = out.SetData(cloudevents.ApplicationJSON, reply)
	if err := cehttp.WriteResponseWriter(ctx, binding.ToMessage(&out), http.StatusOK, w); err != nil {
		rt.Log.WarnContext(ctx, "reply not written", "type", out.Type(), "error", err.Error())
	}
}

// WriteProblem answers with a refusal as application/problem+json.
func WriteProblem(ctx context.Context, w http.ResponseWriter, err error) {
	writeProblem(ctx, w, problemOf(err))
}

func writeProblem(ctx context.Context, w http.ResponseWriter, p *message.Problem) {
	q := *p
	q.TraceID = traceID(ctx)
	w.Header().Set("Content-Type", "application/problem+json")
	if q.Status == http.StatusServiceUnavailable || q.Status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	w.WriteHeader(q.Status)
	_ = json.NewEncoder(w).Encode(q)
}

// health answers 200 with what the function knows without asking anybody:
// it is ready as soon as it listens, whatever the state of its dependencies.
func (rt *Runtime) health(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{
		"name": rt.Name, "revision": rt.config.Revision, "database": rt.databaseState(),
	})
}
