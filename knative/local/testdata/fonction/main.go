// Command fonction is what the tests of the local runtime run: a server that tells what it was given, and that asks
// the test, at GATE, whenever it should wait.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if os.Getenv("FAIL_AT_START") != "" {
		fmt.Println("this program does not start")
		os.Exit(3)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(http.ResponseWriter, *http.Request) {})

	// What came in, and the environment. Events are logged, after a wait for the test.
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		answer := map[string]any{"pid": os.Getpid(), "env": os.Environ(), "args": os.Args[1:], "host": r.Host, "header": r.Header, "body": string(body)}
		if r.Header.Get("Ce-Type") != "" {
			if gate := os.Getenv("GATE"); gate != "" {
				if response, err := http.Get(gate); err == nil {
					_ = response.Body.Close()
				}
			}
			_ = json.NewEncoder(os.Stdout).Encode(answer)
		}
		_ = json.NewEncoder(w).Encode(answer)
	})

	// Waits for the test, which learns of the process.
	mux.HandleFunc("POST /gate", func(w http.ResponseWriter, r *http.Request) {
		gate := fmt.Sprintf("%s/?pid=%d", os.Getenv("GATE"), os.Getpid())
		if response, err := http.Get(gate); err == nil {
			_ = response.Body.Close()
		}
		_, _ = fmt.Fprint(w, os.Getpid())
	})

	// Calls another function by its name in the platform.
	mux.HandleFunc("/call", func(w http.ResponseWriter, r *http.Request) {
		response, err := http.Get(r.FormValue("url"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		defer func() { _ = response.Body.Close() }()
		w.WriteHeader(response.StatusCode)
		_, _ = io.Copy(w, response.Body)
	})

	// A stream whose second event waits for the test, who waits for the first.
	mux.HandleFunc("GET /stream", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = fmt.Fprint(w, "data: 1\n\n")
		_ = http.NewResponseController(w).Flush()
		if response, err := http.Get(os.Getenv("GATE")); err == nil {
			_ = response.Body.Close()
		}
		_, _ = fmt.Fprint(w, "data: 2\n\n")
	})

	address := os.Getenv("LISTEN")
	if port := os.Getenv("PORT"); port != "" {
		address = "127.0.0.1:" + port
	}
	server := &http.Server{Addr: address, Handler: mux}
	if os.Getenv("IGNORE_SIGTERM") != "" {
		signal.Ignore(syscall.SIGTERM)
	} else {
		go func() {
			ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
			defer stop()
			<-ctx.Done()
			_ = server.Shutdown(context.Background())
		}()
	}
	fmt.Println("listening", server.ListenAndServe())
	if os.Getenv("IGNORE_SIGTERM") != "" {
		select {}
	}
}
