// Package client speaks AquaERP's REST API as one user, for the programs that
// drive the product from outside: demonstration, end-to-end tests, chaos
// drills, benchmarks.
//
// It does what a good client of the API does: it keeps a token fresh, sends an
// Idempotency-Key with every POST, and repeats a request with the same key
// while the product says "not now" or does not answer, until its patience or
// the context ends. A refusal is returned as a *message.Problem.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"

	"aquaerp.fr/shared/message"
)

// Client is one user of one API. Its methods may be called from several goroutines.
type Client struct {
	base     string // http://host:port
	patience time.Duration
	http     *http.Client
	user     message.Connecter // without a name: nobody

	mu      sync.Mutex
	session Session
}

// Session is what a login gives.
type Session struct {
	AccessToken string              `json:"access_token"`
	ExpireA     time.Time           `json:"expire_a"`
	Utilisateur message.Utilisateur `json:"utilisateur"`
}

// New is a client without a user, of the API at base. patience is how long it
// repeats a request; with 0 it sends it once.
func New(base string, patience time.Duration) *Client {
	return &Client{base: base, patience: patience, http: http.DefaultClient}
}

// Over returns a client of the same API without a user, whose requests go
// through h: for an authority of one's own, another address, or to watch them.
func (c *Client) Over(h *http.Client) *Client {
	return &Client{base: c.base, patience: c.patience, http: h}
}

// nobody is a client of the same API without a user.
func (c *Client) nobody() *Client { return c.Over(c.http) }

// Login returns a client of the same API for a user who could log in.
func (c *Client) Login(ctx context.Context, identifiant, motDePasse string) (*Client, error) {
	u := c.nobody()
	u.user = message.Connecter{Identifiant: identifiant, MotDePasse: motDePasse}
	_, err := u.token(ctx)
	return u, err
}

// WithToken returns a client of the same API that shows a token as it is.
func (c *Client) WithToken(token string) *Client {
	u := c.nobody()
	u.session.AccessToken = token
	return u
}

// Utilisateur is who logged in.
func (c *Client) Utilisateur() message.Utilisateur {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session.Utilisateur
}

// token is an access token that lasts a while, or "" for nobody.
func (c *Client) token(ctx context.Context) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.user.Identifiant == "" || time.Until(c.session.ExpireA) > time.Minute {
		return c.session.AccessToken, nil
	}
	session, err := Post[Session](ctx, c.nobody(), "/v1/sessions", c.user)
	c.session = session
	return session.AccessToken, err
}

// CSV is a body that is sent as a CSV file.
type CSV []byte

// Get reads.
func Get[R any](ctx context.Context, c *Client, path string) (R, error) {
	return ask[R](ctx, c, http.MethodGet, path, nil, "")
}

// Post sends a body, as JSON or as a CSV file, under a new Idempotency-Key.
func Post[R any](ctx context.Context, c *Client, path string, body any) (R, error) {
	return PostOnce[R](ctx, c, path, body, uuid.NewString())
}

// PostOnce is Post under a given Idempotency-Key.
func PostOnce[R any](ctx context.Context, c *Client, path string, body any, key string) (R, error) {
	return ask[R](ctx, c, http.MethodPost, path, body, key)
}

func ask[R any](ctx context.Context, c *Client, method, path string, body any, key string) (r R, err error) {
	raw, err := c.Do(ctx, method, path, body, key)
	if err == nil && len(raw) > 0 {
		if err = json.Unmarshal(raw, &r); err != nil {
			err = fmt.Errorf("%s %s: %w", method, path, err)
		}
	}
	return r, err
}

// Do sends a request until it is answered, and returns the body of the answer.
func (c *Client) Do(ctx context.Context, method, path string, body any, key string) ([]byte, error) {
	raw, contentType, err := encode(body)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	token, err := c.token(ctx)
	if err != nil {
		return nil, err
	}
	deadline := time.Now().Add(c.patience)
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		answer, err := c.once(ctx, method, path, raw, contentType, key, token)
		if ctx.Err() != nil || !again(err) || time.Now().After(deadline) {
			return answer, err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, err
		}
	}
}

func encode(body any) (raw []byte, contentType string, err error) {
	switch b := body.(type) {
	case nil:
		return nil, "", nil
	case CSV:
		return b, "text/csv", nil
	case json.RawMessage: // as it is, valid or not
		return b, "application/json", nil
	}
	raw, err = json.Marshal(body)
	return raw, "application/json", err
}

// once sends a request once. The error is a *message.Problem when the product
// refused.
func (c *Client) once(ctx context.Context, method, path string, body []byte, contentType, key, token string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, value := range map[string]string{"Content-Type": contentType, "Idempotency-Key": key} {
		if value != "" {
			req.Header.Set(name, value)
		}
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	if res.StatusCode < 300 {
		return answer, nil
	}
	p := new(message.Problem)
	if err := json.Unmarshal(answer, p); err != nil || p.Status != res.StatusCode || p.Code == "" {
		return nil, &message.Problem{Status: res.StatusCode, Code: "sans_probleme", Detail: fmt.Sprintf("%s %s: %s: %.200s", method, path, res.Status, answer)}
	}
	return nil, p
}

// again tells whether sending a request again may help: the product said "not
// now", or nobody answered in time.
func again(err error) bool {
	if err == nil {
		return false
	}
	var p *message.Problem
	if !errors.As(err, &p) {
		return true
	}
	// The product answers 503; a proxy before it, whose peer died amid an answer, any of them.
	return p.Status == http.StatusTooManyRequests || p.Status >= 500
}
