package inbox

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"sync"
	"time"

	"aquaerp.fr/shared/signature"
)

// SMS is a provider of text messages for demonstrations and tests. It takes
// one by POST from the bearer of Token, keeps it in the box as a mail to the
// number, and tells Callback, signed with Secret, that the telephone has it.
// The same Idempotency-Key is kept once. Numbers that end in 404 exist
// nowhere (422), those in 503 are asked to be tried later, and those in 410
// are taken, but their telephone never answers.
type SMS struct {
	Box      *Box
	Token    string
	Callback string // where to tell; "" tells nobody
	Secret   string

	mu    sync.Mutex
	taken map[string]bool
	under sync.WaitGroup
}

// text is a text message on the wire.
type text struct {
	ID   string `json:"id"`
	From string `json:"from"`
	To   string `json:"to"`
	Text string `json:"text"`
}

// ServeHTTP takes a text message.
func (s *SMS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); !ok || subtle.ConstantTimeCompare([]byte(given), []byte(s.Token)) != 1 {
		http.Error(w, "unknown token", http.StatusUnauthorized)
		return
	}
	var m text
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10)).Decode(&m); err != nil || m.ID == "" || m.Text == "" || !strings.HasPrefix(m.To, "+") {
		http.Error(w, "not a text message", http.StatusBadRequest)
		return
	}
	switch {
	case strings.HasSuffix(m.To, "404"):
		http.Error(w, "no such number", http.StatusUnprocessableEntity)
		return
	case strings.HasSuffix(m.To, "503"):
		http.Error(w, "try again later", http.StatusServiceUnavailable)
		return
	}
	key := r.Header.Get("Idempotency-Key")
	s.mu.Lock()
	known := s.taken[key] && key != ""
	if s.taken == nil {
		s.taken = map[string]bool{}
	}
	s.taken[key] = true
	s.mu.Unlock()
	if !known {
		var raw bytes.Buffer
		fmt.Fprintf(&raw, "From: %s\r\nTo: %s\r\nSubject: %s\r\nMessage-ID: <%s@sms>\r\nDate: %s\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n%s\r\n",
			mime.QEncoding.Encode("utf-8", m.From), m.To, mime.QEncoding.Encode("utf-8", "SMS : "+m.To), m.ID, time.Now().Format(time.RFC1123Z), m.Text)
		if err := s.Box.put("sms", []string{m.To}, &raw); err != nil {
			http.Error(w, "not kept", http.StatusInternalServerError)
			return
		}
		if s.Callback != "" {
			state := "REMIS"
			if strings.HasSuffix(m.To, "410") {
				state = "ECHEC"
			}
			s.under.Go(func() { s.tell(m.ID, state) })
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_ = json.NewEncoder(w).Encode(map[string]string{"id": m.ID})
}

// Wait returns when everything was told.
func (s *SMS) Wait() { s.under.Wait() }

// tell tells what became of a message, again and again until somebody hears:
// whoever sent it may have noted it by then or not.
func (s *SMS) tell(id, state string) {
	body, _ := json.Marshal(map[string]string{"id": id + "-" + state, "message": id, "etat": state, "code": "absent"}) // strings only
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for wait := 100 * time.Millisecond; ; wait *= 2 {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.Callback, bytes.NewReader(body))
		if err != nil {
			return
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Signature", signature.Sign(s.Secret, body, time.Now()))
		if res, err := http.DefaultClient.Do(req); err == nil {
			_ = res.Body.Close()
			if res.StatusCode/100 == 2 {
				return
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}
