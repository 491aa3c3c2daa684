package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

func health(t *testing.T, d *Daemon) (status int, loops map[string]string) {
	t.Helper()
	w := httptest.NewRecorder()
	d.health(w, httptest.NewRequest(http.MethodGet, "/health", nil))
	var body struct {
		Name  string
		Loops map[string]string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatal(err)
	}
	if body.Name != "essai" {
		t.Errorf("name %q", body.Name)
	}
	return w.Code, body.Loops
}

// TestKeep: a loop that fails begins again, and the daemon is healthy while
// all loops are up.
func TestKeep(t *testing.T) {
	d := New("essai", Config{LogLevel: slog.LevelError})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var loops sync.WaitGroup
	runs := 0
	isUp, fail := make(chan struct{}), make(chan struct{})
	loops.Go(func() {
		d.Keep(ctx, "fragile", func(ctx context.Context, does func(string)) error {
			if runs++; runs == 1 {
				return errors.New("not yet")
			}
			does("works")
			isUp <- struct{}{}
			select {
			case <-fail:
				return errors.New("lost")
			case <-ctx.Done():
				return nil
			}
		})
	})
	steadyUp := make(chan struct{})
	loops.Go(func() {
		d.Keep(ctx, "steady", func(ctx context.Context, does func(string)) error {
			does("works")
			close(steadyUp)
			<-ctx.Done()
			return nil
		})
	})
	<-steadyUp
	<-isUp
	if status, loops := health(t, d); status != http.StatusOK || loops["fragile"] != "works" || loops["steady"] != "works" {
		t.Errorf("both up: %d %v", status, loops)
	}
	fail <- struct{}{}
	<-isUp // again
	cancel()
	loops.Wait()
	if status, loops := health(t, d); status != http.StatusServiceUnavailable || loops["fragile"] != down || loops["steady"] != down {
		t.Errorf("both down: %d %v", status, loops)
	}
	if runs != 3 {
		t.Errorf("%d runs, want 3", runs)
	}
}
