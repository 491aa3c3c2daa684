package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/robfig/cron/v3"
	sources "knative.dev/eventing/pkg/apis/sources/v1"
)

// ping is a PingSource: it sends its event to its sink at the times of its schedule.
//
// The event is the one that eventing v0.50.0 sends (pkg/adapter/mtping/runner.go), with what follows from it: the type
// is always dev.knative.sources.ping, since nothing in the resource can set another one (ceOverrides add extensions
// only), the id is new each time, and an event that was refused six times is lost.
type ping struct {
	name, spec string
	schedule   cron.Schedule
	sink       string
	header     http.Header
	data       []byte
	client     *http.Client

	mu         sync.Mutex
	next       time.Time
	lastStatus string
	sent       int
}

func newPing(s *sources.PingSource, client *http.Client) (*ping, error) {
	sink, err := sinkURL(&s.Spec.Sink, s.Namespace)
	if err != nil {
		return nil, err
	}
	spec := s.Spec.Schedule
	if s.Spec.Timezone != "" {
		spec = "CRON_TZ=" + s.Spec.Timezone + " " + spec
	}
	schedule, err := cron.NewParser(cron.SecondOptional | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor).Parse(spec)
	if err != nil {
		return nil, err
	}
	p := &ping{name: s.Name, spec: spec, schedule: schedule, sink: sink, header: http.Header{}, data: []byte(s.Spec.Data), client: client}
	if s.Spec.DataBase64 != "" {
		if p.data, err = base64.StdEncoding.DecodeString(s.Spec.DataBase64); err != nil {
			return nil, err
		}
	}
	p.header.Set("Ce-Specversion", "1.0")
	p.header.Set("Ce-Type", sources.PingSourceEventType)
	p.header.Set("Ce-Source", sources.PingSourceSource(s.Namespace, s.Name))
	if s.Spec.ContentType != "" {
		p.header.Set("Content-Type", s.Spec.ContentType)
	}
	if overrides := s.Spec.CloudEventOverrides; overrides != nil {
		for name, value := range overrides.Extensions {
			p.header.Set("Ce-"+name, value)
		}
	}
	return p, nil
}

// run sends events until ctx is done, and returns when those under way are sent or lost.
func (p *ping) run(ctx context.Context) {
	var sending sync.WaitGroup
	defer sending.Wait()
	for {
		next := p.schedule.Next(time.Now())
		p.mu.Lock()
		p.next = next
		p.mu.Unlock()
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(next)):
			sending.Go(func() { p.tick(ctx) })
		}
	}
}

// tick sends one event, with up to five retries that begin after 50 ms and double.
func (p *ping) tick(ctx context.Context) {
	id, status, err := uuid.NewString(), "", error(nil)
	header := p.header.Clone()
	header.Set("Ce-Id", id)
	header.Set("Ce-Time", time.Now().UTC().Format(time.RFC3339Nano))
	for attempt, delay := 0, 50*time.Millisecond; attempt < 6; attempt, delay = attempt+1, 2*delay {
		var again bool
		if status, again, err = p.send(ctx, header); err == nil && !again {
			break
		}
		select {
		case <-ctx.Done():
		case <-time.After(delay):
		}
	}
	if err != nil {
		status = err.Error()
	}
	p.mu.Lock()
	p.sent++
	p.lastStatus = status
	p.mu.Unlock()
	slog.Info("ping", "name", p.name, "id", id, "status", status)
}

func (p *ping) send(ctx context.Context, header http.Header) (status string, again bool, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, p.sink, bytes.NewReader(p.data))
	if err != nil {
		return "", false, err
	}
	request.Header = header.Clone()
	response, err := p.client.Do(request)
	if err != nil {
		return "", true, fmt.Errorf("ping %s: %w", p.name, err)
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.Copy(io.Discard, response.Body) // the answer has no meaning, the connection has
	switch response.StatusCode {              // those that the SDK's sender repeats
	case 404, 413, 425, 429, 502, 503, 504:
		again = true
	}
	return response.Status, again, nil
}
