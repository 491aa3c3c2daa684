package main

import (
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// BenchmarkColdStart compares the first answer of a process that is started by hand with that of one that the activator
// starts for the request. Both are the same trivial HTTP server.
func BenchmarkColdStart(b *testing.B) {
	b.Run("bare", func(b *testing.B) {
		for b.Loop() {
			port, err := freePort()
			if err != nil {
				b.Fatal(err)
			}
			p := program{path: filepath.Join(bin, "fonction"), output: os.Stderr}
			child, err := p.start("PORT=" + port)
			if err != nil {
				b.Fatal(err)
			}
			for {
				response, err := http.Get("http://127.0.0.1:" + port + "/health")
				if err == nil {
					_ = response.Body.Close()
					break
				}
				time.Sleep(200 * time.Microsecond)
			}
			b.StopTimer()
			child.kill()
			<-child.done
			b.StartTimer()
		}
	})
	b.Run("activator", func(b *testing.B) {
		slog.SetDefault(slog.New(slog.DiscardHandler))
		w := start(b, 0, manifest("contrat-service"))
		for b.Loop() {
			if status, content := w.ask("http://contrat-service/health", nil); status != http.StatusOK {
				b.Fatalf("%d %s", status, content)
			}
			b.StopTimer()
			w.services[0].kill()
			w.until("its end", func() bool { return len(w.state().Instances) == 0 })
			b.StartTimer()
		}
	})
}

// BenchmarkRequest is what the activator adds to a request to a process that is awake.
func BenchmarkRequest(b *testing.B) {
	w := start(b, 0, manifest("contrat-service"))
	w.ask("http://contrat-service/health", nil)
	w.services[0].mu.Lock()
	direct := "http://" + w.services[0].instances[0].address
	w.services[0].mu.Unlock()
	proxied := w.client()
	proxied.Transport.(*http.Transport).DisableKeepAlives = false
	for name, target := range map[string]struct {
		*http.Client
		url string
	}{"direct": {http.DefaultClient, direct}, "activator": {proxied, "http://contrat-service"}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				response, err := target.Get(target.url + "/health")
				if err != nil {
					b.Fatal(err)
				}
				_ = response.Body.Close()
			}
		})
	}
}
