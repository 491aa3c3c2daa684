// Package terminal is a payment provider for tests, as payer and service see a
// real one. It opens an order by a signed address, lets the payer try one
// means after another until one is accepted, and tells the service of every
// try. What it does with a try is written in the means that the payer types:
// see Moyens.
//
// All of it is in memory. The only address that it ever calls is the one that
// notifications go to.
package terminal

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"aquaerp.fr/shared/signature"
)

// Config says how a terminal behaves.
type Config struct {
	Secrets []string                        // shared with the service: the first signs, all verify
	Notify  string                          // where notifications go
	Slow    time.Duration                   // what a slow notification waits
	Wait    func(attempt int) time.Duration // before a notification is sent again, from 1
}

// Terminal is a provider with its orders.
type Terminal struct {
	Config
	client  *http.Client
	ctx     context.Context // of all that is still to be told
	stop    context.CancelFunc
	telling sync.WaitGroup

	mu     sync.Mutex
	orders []*Commande // the oldest first
}

// New is a terminal without orders.
func New(c Config) *Terminal {
	ctx, stop := context.WithCancel(context.Background())
	return &Terminal{Config: c, ctx: ctx, stop: stop, client: &http.Client{
		Timeout:       10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // only Notify is ever called
	}}
}

// Close ends what is still to be told.
func (t *Terminal) Close() {
	t.stop()
	t.Settle()
}

// Settle returns once nothing is left to be told.
func (t *Terminal) Settle() { t.telling.Wait() }

// most is how many orders are kept.
const most = 1000

// Commande is an order: a sum that a service asks of a payer.
type Commande struct {
	ID, Reference, Retour string
	Montant               int64 // centimes
	Expire                time.Time
	Abandonnee            bool
	Essais                []*Essai
	Envois                []*Envoi

	held []chan struct{} // notifications that wait until the next one was told
}

// Essai is a try to pay an order by a means.
type Essai struct {
	Transaction string
	Moyen       Moyen
	Etat        string // CONFIRMER, ACCEPTE or REFUSE
}

// Dernier is the last try; nil before the first.
func (c *Commande) Dernier() *Essai {
	if len(c.Essais) == 0 {
		return nil
	}
	return c.Essais[len(c.Essais)-1]
}

// Etat is where the payer stands.
func (c *Commande) Etat() string {
	last := c.Dernier()
	switch {
	case last != nil && last.Etat == "ACCEPTE":
		return "ACCEPTE"
	case c.Abandonnee:
		return "ABANDONNE"
	case time.Now().After(c.Expire):
		return "EXPIRE"
	case last != nil && last.Etat == "CONFIRMER":
		return "CONFIRMER"
	}
	return "OUVERTE"
}

// Why an order is not taken.
var (
	errSignature = errors.New("signature")
	errCommande  = errors.New("order")
	errExpire    = errors.New("expired")
)

// open takes an order by the address that the service sent the payer to. The
// same order comes back to where it was, with the time that it now has.
func (t *Terminal) open(query url.Values) (string, error) {
	q := url.Values{}
	for name, values := range query {
		q[name] = values
	}
	given, err := hex.DecodeString(q.Get("signature"))
	q.Del("signature")
	if err != nil || !slices.ContainsFunc(t.Secrets, func(secret string) bool { return hmac.Equal(given, signature.MAC(secret, []byte(q.Encode()))) }) {
		return "", errSignature
	}
	c := &Commande{ID: q.Get("commande"), Reference: q.Get("reference"), Retour: q.Get("retour")}
	montant, err1 := strconv.ParseInt(q.Get("montant"), 10, 64)
	expire, err2 := strconv.ParseInt(q.Get("expire"), 10, 64)
	back, err3 := url.Parse(c.Retour)
	if errors.Join(err1, err2, err3) != nil || c.ID == "" || montant <= 0 || q.Get("devise") != "EUR" || back.Host == "" || back.Scheme != "http" && back.Scheme != "https" {
		return "", errCommande
	}
	c.Montant, c.Expire = montant, time.Unix(expire, 0)
	t.mu.Lock()
	defer t.mu.Unlock()
	if known := t.order(c.ID); known != nil {
		if known.Montant != c.Montant {
			return "", errCommande
		}
		if c.Expire.After(known.Expire) {
			known.Expire = c.Expire
		}
		return c.ID, nil
	}
	if time.Now().After(c.Expire) {
		return "", errExpire
	}
	t.orders = append(t.orders, c)
	t.orders = t.orders[max(0, len(t.orders)-most):]
	return c.ID, nil
}

// order finds an order; the caller holds mu.
func (t *Terminal) order(id string) *Commande {
	if i := slices.IndexFunc(t.orders, func(c *Commande) bool { return c.ID == id }); i >= 0 {
		return t.orders[i]
	}
	return nil
}

// try is what the payer typed. False when it is no test means, or the order takes none.
func (t *Terminal) try(id, numero string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, numero)
	i := slices.IndexFunc(Moyens, func(m Moyen) bool { return strings.ReplaceAll(m.Numero, " ", "") == digits })
	c := t.order(id)
	if i < 0 || c == nil || c.Etat() != "OUVERTE" {
		return false
	}
	e := &Essai{Transaction: "tr_" + strings.ToLower(rand.Text()), Moyen: Moyens[i], Etat: "CONFIRMER"}
	c.Essais = append(c.Essais, e)
	if !e.Moyen.Confirme {
		t.decide(c, e, !e.Moyen.Refuse)
	}
	return true
}

// confirm is what the payer answered to the bank, or on the telephone.
func (t *Terminal) confirm(id string, yes bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c := t.order(id); c != nil && c.Etat() == "CONFIRMER" {
		e := c.Dernier()
		t.decide(c, e, yes && !e.Moyen.Refuse)
	}
}

// decide ends a try and tells of it; the caller holds mu.
func (t *Terminal) decide(c *Commande, e *Essai, yes bool) {
	e.Etat = "REFUSE"
	if yes {
		e.Etat = "ACCEPTE"
	}
	t.tell(c, Notification{Transaction: e.Transaction, Etat: e.Etat, Mode: e.Moyen.Mode}, e.Moyen.dit)
}

// abandon ends an order that the payer gives up, and returns the address to go back to.
func (t *Terminal) abandon(id string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.order(id)
	if c == nil {
		return ""
	}
	if etat := c.Etat(); etat == "OUVERTE" || etat == "CONFIRMER" {
		c.Abandonnee = true
		t.tell(c, Notification{Etat: "ABANDONNE"}, promptly)
	}
	return c.Retour
}
