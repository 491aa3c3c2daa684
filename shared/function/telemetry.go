package function

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/prometheus/client_golang/prometheus"
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

// telemetry measures a function. Traces and metrics go to an OTLP collector
// when OTEL_EXPORTER_OTLP_ENDPOINT is set; OTEL_METRICS_EXPORTER=prometheus
// serves metrics on /metrics instead. Without either, trace ids are still
// made and passed on, so that logs of several functions can be joined.
type telemetry struct {
	tracer   trace.Tracer
	handled  metric.Float64Histogram
	metrics  http.Handler // nil unless Prometheus is asked for
	shutdown []func(context.Context) error
}

func newTelemetry(ctx context.Context, name, revision string) (*telemetry, error) {
	t := &telemetry{}
	about := resource.NewSchemaless(attribute.String("service.name", name), attribute.String("service.version", revision))
	traces := []sdktrace.TracerProviderOption{sdktrace.WithResource(about)}
	metrics := []sdkmetric.Option{sdkmetric.WithResource(about)}
	if os.Getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" {
		spans, err := otlptracehttp.New(ctx)
		if err != nil {
			return nil, err
		}
		traces = append(traces, sdktrace.WithBatcher(spans))
		points, err := otlpmetrichttp.New(ctx)
		if err != nil {
			return nil, err
		}
		metrics = append(metrics, sdkmetric.WithReader(sdkmetric.NewPeriodicReader(points)))
	}
	if os.Getenv("OTEL_METRICS_EXPORTER") == "prometheus" {
		registry := prometheus.NewRegistry()
		reader, err := otelprometheus.New(otelprometheus.WithRegisterer(registry))
		if err != nil {
			return nil, err
		}
		metrics = append(metrics, sdkmetric.WithReader(reader))
		t.metrics = promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
	}
	tracing, measuring := sdktrace.NewTracerProvider(traces...), sdkmetric.NewMeterProvider(metrics...)
	t.shutdown = []func(context.Context) error{tracing.Shutdown, measuring.Shutdown}
	t.tracer = tracing.Tracer("aquaerp.fr/shared/function")
	var err error
	t.handled, err = measuring.Meter("aquaerp.fr/shared/function").Float64Histogram("aquaerp.message.duration",
		metric.WithUnit("s"), metric.WithDescription("Time to handle a message, by type and status"),
		metric.WithExplicitBucketBoundaries(.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60))
	return t, err
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

// Traced starts a span for each request of a plain HTTP handler, as a child of
// the one that its traceparent header names.
func (rt *Runtime) Traced(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := propagation.TraceContext{}.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
		ctx, span := rt.telemetry.tracer.Start(ctx, r.Method+" "+r.URL.Path, trace.WithSpanKind(trace.SpanKindServer))
		defer span.End()
		h.ServeHTTP(w, r.WithContext(ctx))
	})
}

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
