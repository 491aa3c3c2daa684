package function_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"aquaerp.fr/shared/function"
)

// essai is a plain HTTP function; TestMain runs it when a test starts its own
// binary again.
func essai(rt *function.Runtime) (http.Handler, error) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/choses/{id}", func(w http.ResponseWriter, r *http.Request) {
		if r.PathValue("id") == "absente" {
			http.NotFound(w, r)
		}
	})
	mux.HandleFunc("/panique", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	mux.HandleFunc("/flot", func(w http.ResponseWriter, _ *http.Request) {
		if err := http.NewResponseController(w).Flush(); err != nil {
			panic(err)
		}
	})
	return rt.Measured(mux, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "non" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		mux.ServeHTTP(w, r)
	})), nil
}

func TestMetricsHaveTheirOwnPort(t *testing.T) {
	t.Parallel()
	public, private := freePort(t), freePort(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), "AQUAERP_TEST_SERVE=1", "PORT="+public, "OTEL_METRICS_EXPORTER=prometheus", "OTEL_EXPORTER_PROMETHEUS_PORT="+private)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Signal(syscall.SIGTERM)
	ask := func(method, url string, headers ...string) (int, string) {
		for {
			req, err := http.NewRequestWithContext(ctx, method, url, nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(headers) == 2 {
				req.Header.Set(headers[0], headers[1])
			}
			res, err := http.DefaultClient.Do(req)
			switch {
			case err == nil:
				body, _ := io.ReadAll(res.Body)
				res.Body.Close()
				return res.StatusCode, string(body)
			case strings.HasSuffix(url, "/panique") && strings.Contains(err.Error(), "EOF"):
				return 0, ""
			case ctx.Err() != nil:
				t.Fatal(err)
			}
			time.Sleep(10 * time.Millisecond) // it starts
		}
	}
	get := func(url string) (int, string) { return ask("GET", url) }
	function, metrics := "http://127.0.0.1:"+public, "http://127.0.0.1:"+private+"/metrics"
	if status, body := get(function + "/metrics"); status != http.StatusNotFound {
		t.Errorf("the function's own port answers %d to /metrics: %.80s", status, body)
	}
	get(function + "/v1/choses/1")
	get(function + "/v1/choses/2")
	get(function + "/v1/choses/absente")
	ask("GET", function+"/v1/choses/3", "Authorization", "non")
	ask("POST", function+"/panique") // a client asks again by itself for what a GET was not answered
	ask("INVENTE", function+"/flot")
	if status, _ := get(function + "/flot"); status != http.StatusOK {
		t.Errorf("a handler that flushes gets %d", status)
	}
	get(metrics) // the second scrape finds what the first one added
	status, text := get(metrics)
	if status != http.StatusOK {
		t.Fatalf("/metrics on its own port: %d", status)
	}
	for _, want := range []string{
		`http_server_request_duration_seconds_count{http_request_method="GET",http_response_status_code="200",http_route="/v1/choses/{id}"} 2`,
		`http_server_request_duration_seconds_count{http_request_method="GET",http_response_status_code="404",http_route="/v1/choses/{id}"} 1`,
		`http_server_request_duration_seconds_count{http_request_method="GET",http_response_status_code="401",http_route="/v1/choses/{id}"} 1`,
		`http_server_request_duration_seconds_count{http_request_method="GET",http_response_status_code="404",http_route=""} 1`,
		`http_server_request_duration_seconds_count{http_request_method="POST",http_response_status_code="500",http_route="/panique"} 1`,
		`http_server_request_duration_seconds_count{http_request_method="_OTHER",http_response_status_code="200",http_route="/flot"} 1`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("missing: %s", want)
		}
	}
	for _, want := range []string{`(?m)^aquaerp_start_duration_seconds [0-9.e-]+$`, `(?m)^go_goroutines `, `(?m)^process_resident_memory_bytes `} {
		if !regexp.MustCompile(want).MatchString(text) {
			t.Errorf("nothing matches %s", want)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}
