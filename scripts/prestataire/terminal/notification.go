package terminal

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"aquaerp.fr/shared/signature"
)

// Notification is what the service is told of a try, or that there is none.
type Notification struct {
	ID              string `json:"id"`
	Commande        string `json:"commande"`
	Transaction     string `json:"transaction,omitempty"`
	Etat            string `json:"etat"`
	Mode            string `json:"mode,omitempty"`
	MontantCentimes int64  `json:"montant_centimes"`
	Devise          string `json:"devise"`
}

// Envoi is a notification on its way.
type Envoi struct {
	Notification
	Reponses []string // what came back each time: a status, or why there is none
	Recu     bool     // it was acknowledged
}

// attempts is how often a notification is sent before the provider gives up.
const attempts = 12

// Backoff doubles from a second to two minutes: a service that sleeps, or is
// being deployed, hears of its payments within minutes of its return.
func Backoff(attempt int) time.Duration {
	return min(time.Second<<(attempt-1), 2*time.Minute)
}

// tell sends a notification in its manner, apart from the payer; the caller
// holds mu.
func (t *Terminal) tell(c *Commande, n Notification, how manner) {
	n.ID, n.Commande, n.MontantCentimes, n.Devise = "evt_"+strings.ToLower(rand.Text()), c.ID, c.Montant, "EUR"
	envoi := &Envoi{Notification: n}
	c.Envois = append(c.Envois, envoi)
	held := c.held
	c.held = nil
	next := make(chan struct{})
	if how == late {
		c.held = append(c.held, next)
	}
	expire := c.Expire
	t.telling.Go(func() {
		switch how {
		case slowly:
			t.pause(t.Slow)
		case late:
			until, cancel := context.WithDeadline(t.ctx, expire)
			defer cancel()
			select {
			case <-next:
			case <-until.Done():
			}
		case twice:
			t.telling.Go(func() { t.deliver(envoi, how) })
		}
		t.deliver(envoi, how)
		for _, waiting := range held {
			close(waiting)
		}
	})
}

// deliver sends a notification until it is acknowledged.
func (t *Terminal) deliver(e *Envoi, how manner) {
	for attempt := range attempts {
		if attempt > 0 {
			t.pause(t.Wait(attempt))
		}
		if t.ctx.Err() != nil {
			return
		}
		answer, heard := "perdue", false
		if how != lost || attempt > 0 {
			answer, heard = t.post(e.Notification)
		}
		t.mu.Lock()
		e.Reponses, e.Recu = append(e.Reponses, answer), e.Recu || heard
		t.mu.Unlock()
		if heard {
			return
		}
	}
}

// pause waits, no longer than the terminal is open.
func (t *Terminal) pause(d time.Duration) {
	select {
	case <-time.After(d):
	case <-t.ctx.Done():
	}
}

// post sends a notification once, signed with the time of now.
func (t *Terminal) post(n Notification) (answer string, heard bool) {
	body, err := json.Marshal(n)
	if err != nil {
		return err.Error(), false
	}
	req, err := http.NewRequestWithContext(t.ctx, http.MethodPost, t.Notify, bytes.NewReader(body))
	if err != nil {
		return err.Error(), false
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Signature", signature.Sign(t.Secrets[0], body, time.Now()))
	res, err := t.client.Do(req)
	if err != nil {
		return err.Error(), false
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection is used again
	return res.Status, res.StatusCode/100 == 2
}
