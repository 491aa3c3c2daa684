package function

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"

	"aquaerp.fr/shared/message"
)

// Client asks functions directly, over HTTP.
type Client struct {
	http *http.Client
	url  string // with {service}
	from string // source of its events
}

func newClient(url, name string) *Client {
	return &Client{
		url:  url,
		from: "/" + name,
		http: &http.Client{Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 2 * time.Second}).DialContext,
			MaxIdleConnsPerHost:   64,
			IdleConnTimeout:       90 * time.Second,
			ResponseHeaderTimeout: 60 * time.Second,
		}},
	}
}

// Call says on whose behalf something is asked.
type Call struct {
	ID    string // idempotency key; the same key and payload get the same answer. Empty: a new one
	By    string // keeps the keys of callers apart: the user's id, or empty
	Token string // access token, empty for public requests
}

// asking a function again is safe, because a request with an id has one
// effect; it covers a function that died before it answered.
const asks = 4

// Ask sends a command or query to the function that owns it and returns its
// reply. The error is a *message.Problem: the function's refusal, or a 503
// when it could not be reached in time.
func Ask[R any](ctx context.Context, c *Client, request message.Request[R], call Call) (reply R, err error) {
	e := cloudevents.NewEvent()
	e.SetID(call.ID)
	if call.ID == "" {
		e.SetID(NewID())
	}
	e.SetSource(c.from)
	if call.By != "" {
		e.SetSource(c.from + "/" + call.By)
	}
	e.SetType(request.Type())
	e.SetTime(time.Now())
	if t := traceparent(ctx); t != "" {
		e.SetExtension(extTrace, t)
	}
	if err := e.SetData(cloudevents.ApplicationJSON, request); err != nil {
		return reply, fmt.Errorf("request %s: %w", request.Type(), err)
	}
	for attempt := 1; ; attempt++ {
		data, again, err := c.once(ctx, e, call.Token)
		switch {
		case err == nil:
			if err := json.Unmarshal(data, &reply); err != nil {
				return reply, fmt.Errorf("reply of %s: %w", request.Type(), err)
			}
			return reply, nil
		case !again || attempt == asks:
			return reply, err
		}
		wait := time.Duration(attempt*attempt)*50*time.Millisecond + rand.N(50*time.Millisecond)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return reply, err
		}
	}
}

// once asks once; again tells whether asking again may help.
func (c *Client) once(ctx context.Context, e cloudevents.Event, token string) (data []byte, again bool, err error) {
	url := strings.ReplaceAll(c.url, "{service}", message.Service(message.Owner(e.Type()))) + "/"
	req, err := cehttp.NewHTTPRequestFromEvent(ctx, url, e)
	if err != nil {
		return nil, false, fmt.Errorf("request %s: %w", e.Type(), err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, ctx.Err() == nil, problemOf(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	if err != nil {
		return nil, ctx.Err() == nil, problemOf(err)
	}
	if res.StatusCode == http.StatusOK {
		return body, false, nil
	}
	again = res.StatusCode >= http.StatusBadGateway && res.StatusCode <= http.StatusGatewayTimeout
	p := new(message.Problem)
	if !strings.HasPrefix(res.Header.Get("Content-Type"), "application/problem+json") || json.Unmarshal(body, p) != nil {
		return nil, again, problemOf(fmt.Errorf("status %d", res.StatusCode))
	}
	return nil, again, p
}
