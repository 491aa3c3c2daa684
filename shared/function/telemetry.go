package function

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// began is when the process reached the first line of this package.
var began = time.Now()

// telemetry measures a function, as OpenTelemetry's own variables ask:
//
//	OTEL_EXPORTER_OTLP_ENDPOINT         collector of traces and metrics
//	OTEL_METRICS_EXPORTER=prometheus    metrics are served instead, on /metrics of
//	OTEL_EXPORTER_PROMETHEUS_HOST, _PORT   this address (localhost, 9464): never on the
//	                                    function's own port, which may be public
//
// Without them nothing is exported; trace ids are still made and passed on,
// so that logs of several functions can be joined.
//
// What is measured:
//
//	aquaerp.message.duration            a message, by type and status
//	http.server.request.duration        a request of a plain HTTP handler, by method, route pattern and status
//	aquaerp.start.duration              from the process's start until it listened
//
// The last is a gauge with one value, not a counter of starts: Prometheus sees
// no increase in a counter that begins at 1 and vanishes with its pod, but it
// can count series.
type telemetry struct {
	tracer    trace.Tracer
	handled   metric.Float64Histogram
	requested metric.Float64Histogram
	started   metric.Float64Gauge
	registry  *prometheus.Registry // nil unless Prometheus is asked for
	address   string               // where the registry is served
	shutdown  []func(context.Context) error
}

func newTelemetry(ctx context.Context, name, revision string) (*telemetry, error) {
	t := &telemetry{}
	about := resource.NewSchemaless(attribute.String("service.name", name), attribute.String("service.version", revision))
	traces := []sdktrace.TracerProviderOption{sdktrace.WithResource(about)}
	metrics := []sdkmetric.Option{sdkmetric.WithResource(about)}
	scraped, collected := os.Getenv("OTEL_METRICS_EXPORTER") == "prometheus", os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != ""
	if collected {
		spans, err := otlptracehttp.New(ctx)
		if err != nil {
			return nil, err
		}
		traces = append(traces, sdktrace.WithBatcher(spans))
	}
	switch {
	case scraped:
		t.registry = prometheus.NewRegistry()
		t.address = net.JoinHostPort(cmp.Or(os.Getenv("OTEL_EXPORTER_PROMETHEUS_HOST"), "localhost"), cmp.Or(os.Getenv("OTEL_EXPORTER_PROMETHEUS_PORT"), "9464"))
		reader, err := otelprometheus.New(otelprometheus.WithRegisterer(t.registry), otelprometheus.WithoutScopeInfo())
		if err != nil {
			return nil, err
		}
		metrics = append(metrics, sdkmetric.WithReader(reader))
	case collected:
		points, err := otlpmetrichttp.New(ctx)
		if err != nil {
			return nil, err
		}
		metrics = append(metrics, sdkmetric.WithReader(sdkmetric.NewPeriodicReader(points)))
	}
	tracing, measuring := sdktrace.NewTracerProvider(traces...), sdkmetric.NewMeterProvider(metrics...)
	t.shutdown = []func(context.Context) error{tracing.Shutdown, measuring.Shutdown}
	t.tracer = tracing.Tracer("aquaerp.fr/shared/function")
	meter := measuring.Meter("aquaerp.fr/shared/function")
	var failed [3]error
	t.handled, failed[0] = meter.Float64Histogram("aquaerp.message.duration", metric.WithUnit("s"),
		metric.WithDescription("Time to handle a message, by type and status"), durations)
	t.requested, failed[1] = meter.Float64Histogram("http.server.request.duration", metric.WithUnit("s"),
		metric.WithDescription("Time to answer a request, by method, route and status"), durations)
	t.started, failed[2] = meter.Float64Gauge("aquaerp.start.duration", metric.WithUnit("s"),
		metric.WithDescription("Time from the start of the process until it listened"))
	return t, errors.Join(failed[:]...)
}

// durations reach from a query that hits the cache to the longest timeout.
var durations = metric.WithExplicitBucketBoundaries(.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60)

// serve answers Prometheus for as long as the process lives. An address that
// is taken is logged and no more: requests matter more than their figures.
func (t *telemetry) serve(log *slog.Logger) {
	if t.registry == nil {
		return
	}
	server := &http.Server{Addr: t.address, Handler: t.metrics(), ReadTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second}
	log.Error("no metrics", "address", t.address, "error", server.ListenAndServe().Error())
}

// metrics is what Prometheus reads. Go's and the process's own figures are
// looked for by the first scrape, which no cold start waits for.
func (t *telemetry) metrics() http.Handler {
	mux := http.NewServeMux()
	read := promhttp.HandlerFor(t.registry, promhttp.HandlerOpts{})
	var first sync.Once
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		first.Do(func() {
			t.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
		})
		read.ServeHTTP(w, r)
	})
	return mux
}

// handle starts the span of a message, as a child of the span that its
// traceparent names; end closes it and counts the message. Types that the
// function does not know count as one: strangers do not make new series.
func (t *telemetry) handle(ctx context.Context, e cloudevents.Event, known bool) (context.Context, func(status int, took time.Duration)) {
	ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{extTrace: extension(e, extTrace)})
	ctx, span := t.tracer.Start(ctx, e.Type(), trace.WithSpanKind(trace.SpanKindConsumer))
	counted := "unknown"
	if known {
		counted = e.Type()
	}
	return ctx, func(status int, took time.Duration) {
		span.SetAttributes(attribute.Int("http.response.status_code", status))
		span.End()
		t.handled.Record(ctx, took.Seconds(), metric.WithAttributes(
			attribute.String("type", counted), attribute.Int("status", status)))
	}
}

// Measured times each request of a plain HTTP handler, and starts a span for
// it as a child of the one that its traceparent header names. Both are named
// after the pattern of routes that the request matches, never after its path,
// which anybody may invent; so is a request that h refuses before its route.
func (rt *Runtime) Measured(routes *http.ServeMux, h http.Handler) http.Handler {
	t := rt.telemetry
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, method := time.Now(), r.Method
		_, route := routes.Handler(r)
		if verb, path, found := strings.Cut(route, " "); found {
			method, route = verb, path
		}
		if !slices.Contains(methods, method) {
			method = "_OTHER" // as OpenTelemetry calls them
		}
		ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		ctx, span := t.tracer.Start(ctx, method+" "+route, trace.WithSpanKind(trace.SpanKindServer))
		answer, ended := &answer{ResponseWriter: w}, false
		defer func() {
			switch {
			case answer.status != 0:
			case ended:
				answer.status = http.StatusOK
			default: // a panic, and net/http cuts the connection
				answer.status = http.StatusInternalServerError
			}
			span.SetAttributes(attribute.Int("http.response.status_code", answer.status))
			span.End()
			t.requested.Record(ctx, time.Since(start).Seconds(), metric.WithAttributes(
				attribute.String("http.request.method", method),
				attribute.String("http.route", route),
				attribute.Int("http.response.status_code", answer.status)))
		}()
		h.ServeHTTP(answer, r.WithContext(ctx))
		ended = true
	})
}

var methods = []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions}

// answer remembers the status of a response that was given one.
type answer struct {
	http.ResponseWriter
	status int
}

func (a *answer) WriteHeader(status int) {
	if status >= http.StatusOK { // before it there may be others: 100, 103
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController flush and set deadlines.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// TraceID is what to quote of a request to find it in the logs.
func TraceID(ctx context.Context) string { return traceID(ctx) }

// close sends what was measured.
func (t *telemetry) close(ctx context.Context) {
	for _, shutdown := range t.shutdown {
		if err := shutdown(ctx); err != nil {
			slog.WarnContext(ctx, "telemetry not flushed", "error", err.Error())
		}
	}
}

// traceparent is the W3C trace context of ctx, to put on an event.
func traceparent(ctx context.Context) string {
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return carrier[extTrace]
}

func traceID(ctx context.Context) string {
	if s := trace.SpanContextFromContext(ctx); s.HasTraceID() {
		return s.TraceID().String()
	}
	return ""
}

// traced is a slog handler that adds the ids of the current span.
type traced struct{ slog.Handler }

func (h traced) Handle(ctx context.Context, r slog.Record) error {
	if s := trace.SpanContextFromContext(ctx); s.HasTraceID() {
		r.AddAttrs(slog.String("trace_id", s.TraceID().String()), slog.String("span_id", s.SpanID().String()))
	}
	return h.Handler.Handle(ctx, r)
}

func (h traced) WithAttrs(a []slog.Attr) slog.Handler { return traced{h.Handler.WithAttrs(a)} }
func (h traced) WithGroup(n string) slog.Handler      { return traced{h.Handler.WithGroup(n)} }
