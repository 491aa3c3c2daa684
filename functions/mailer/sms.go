package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"aquaerp.fr/shared/signature"
)

// passerelle is the port to whoever carries text messages: it takes one as
// JSON over HTTPS from the bearer of a token, knows by the Idempotency-Key
// the one that it has already, and tells later, signed, what became of it
// (see notifierSMS). Without an address there are no text messages.
type passerelle struct {
	URL      adresseHTTP       `envconfig:"SMS_URL"`
	Jeton    string            `envconfig:"SMS_TOKEN"`
	Secrets  signature.Secrets `envconfig:"SMS_SECRETS"` // of what it tells
	Emetteur string            `envconfig:"SMS_SENDER"`  // at most 11 letters and digits, as operators take them
}

// adresseHTTP is an address of HTTP.
type adresseHTTP string

// UnmarshalText implements encoding.TextUnmarshaler. Its errors say nothing
// of the text, which may hold a password.
func (a *adresseHTTP) UnmarshalText(b []byte) error {
	u, err := url.Parse(string(b))
	if len(b) > 0 && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
		return errors.New("not a URL like https://host/path")
	}
	*a = adresseHTTP(b)
	return nil
}

// ouverte tells whether there are text messages.
func (p passerelle) ouverte() bool { return p.URL != "" }

// texto is a text message on the wire.
type texto struct {
	ID   string `json:"id"` // in what is told of it later
	From string `json:"from,omitempty"`
	To   string `json:"to"` // E.164
	Text string `json:"text"`
}

// porteur follows no redirection: the token is for one address.
var porteur = &http.Client{Timeout: delai, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// envoyer gives a text message to the provider; nil means that it was taken.
func (p passerelle) envoyer(ctx context.Context, c *courriel) *echec {
	body, err := json.Marshal(texto{c.id, p.Emetteur, c.destinataire, c.texte})
	if err != nil {
		return &echec{definitif: true, motif: "message_invalide"}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, string(p.URL), bytes.NewReader(body))
	if err != nil {
		return &echec{motif: "configuration"}
	}
	req.Header.Set("Authorization", "Bearer "+p.Jeton)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", c.id)
	res, err := porteur.Do(req)
	if err != nil {
		return &echec{motif: "connexion"} // not the text of err, which names the address
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.CopyN(io.Discard, res.Body, 64<<10) // so that the connection serves again
	return p.refus(res.StatusCode)
}

// refus reads a status. Only what is about the number or the text is for
// good; the rest is a fault of our settings, or passes.
func (p passerelle) refus(status int) *echec {
	motif := fmt.Sprint("HTTP ", status)
	switch {
	case status/100 == 2:
		return nil
	case status == http.StatusBadRequest, status == http.StatusGone, status == http.StatusUnprocessableEntity:
		return &echec{definitif: true, motif: motif}
	}
	return &echec{motif: motif}
}
