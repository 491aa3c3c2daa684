package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// expediteur is who writes: `AquaERP <eau@aquaerp.example>`.
type expediteur struct{ mail.Address }

// UnmarshalText implements encoding.TextUnmarshaler.
func (e *expediteur) UnmarshalText(b []byte) error {
	a, err := mail.ParseAddress(string(b))
	if err != nil {
		return errors.New("not an address like AquaERP <eau@example.org>")
	}
	e.Address = *a
	if e.Name == "" {
		e.Name = "Service de l’eau"
	}
	return nil
}

// domaine is the part of the address after the @.
func (e expediteur) domaine() string {
	return e.Address.Address[strings.LastIndexByte(e.Address.Address, '@')+1:]
}

// serveur is a mail server, given as a URL with user and password where it
// asks for them:
//
//	smtp://host:25       encrypted when the server offers it
//	starttls://host:587  encrypted, or nothing is sent
//	smtps://host:465     encrypted from the start
type serveur struct {
	host                 string
	port                 int
	user, password       string
	fromTheStart, always bool // encryption
}

var ports = map[string]int{"smtp": 25, "starttls": 587, "smtps": 465}

// UnmarshalText implements encoding.TextUnmarshaler. Its errors say nothing
// of the text, which may hold a password.
func (s *serveur) UnmarshalText(b []byte) error {
	u, err := url.Parse(string(b))
	if err != nil || u.Hostname() == "" || ports[u.Scheme] == 0 {
		return errors.New("not a URL like smtp://host:25, starttls://user:password@host:587 or smtps://user:password@host:465")
	}
	*s = serveur{host: u.Hostname(), port: ports[u.Scheme], fromTheStart: u.Scheme == "smtps", always: u.Scheme != "smtp"}
	if p := u.Port(); p != "" {
		s.port, _ = strconv.Atoi(p) // url.Parse takes digits only
	}
	s.user = u.User.Username()
	s.password, _ = u.User.Password()
	return nil
}

// delai bounds each part of a dialogue with the server (connect, greet, send),
// so that it is over before a tick takes the message up again.
const delai = 15 * time.Second

// echec is why the server has not taken a message.
type echec struct {
	definitif bool   // it never will
	motif     string // its code, without the address
}

// envoyer gives a message to the server; nil means that the server has it.
func (s serveur) envoyer(ctx context.Context, de expediteur, c *courriel) *echec {
	client, err := s.client()
	if err != nil {
		return &echec{motif: "configuration"}
	}
	msg, err := composer(de, c)
	if err != nil {
		return &echec{definitif: true, motif: "message_invalide"}
	}
	if err := client.DialWithContext(ctx); err != nil {
		return &echec{motif: "connexion"}
	}
	defer func() { _ = client.Close() }() // a farewell that fails changes nothing
	if err := client.Send(msg); err != nil && !msg.IsDelivered() {
		return refus(err)
	}
	return nil
}

func (s serveur) client() (*gomail.Client, error) {
	options := []gomail.Option{gomail.WithPort(s.port), gomail.WithTimeout(delai), gomail.WithTLSPolicy(gomail.TLSOpportunistic), gomail.WithoutNoop()}
	if s.always {
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if s.fromTheStart {
		options = append(options, gomail.WithSSL())
	}
	if s.user != "" {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(s.user), gomail.WithPassword(s.password))
	}
	return gomail.NewClient(s.host, options...)
}

// composer makes the mail itself. Its Message-ID follows from the id, so that a
// mail sent twice is known as one.
func composer(de expediteur, c *courriel) (*gomail.Msg, error) {
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	m.FromMailAddress(&de.Address)
	m.ToMailAddress(&mail.Address{Name: c.nom, Address: c.destinataire})
	m.Subject(c.objet)
	m.SetMessageIDWithValue(fmt.Sprintf("%s@%s", c.id, de.domaine()))
	m.SetDateWithValue(c.date)
	m.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no out-of-office replies
	m.SetBodyString(gomail.TypeTextPlain, c.texte)
	m.AddAlternativeString(gomail.TypeTextHTML, c.html)
	if c.piece == nil {
		return m, nil
	}
	return m, m.AttachReader(c.pieceNom, bytes.NewReader(c.piece), gomail.WithFileContentType(gomail.ContentType(c.pieceMime)))
}

// refus reads what the server said. Only a 5xx about the recipient or the
// message is for good; one about us (the sender, the login) is a fault of our
// settings, which somebody will mend.
func refus(err error) *echec {
	var e *gomail.SendError
	if !errors.As(err, &e) || e.ErrorCode() == 0 {
		return &echec{motif: "connexion"}
	}
	motif := strings.TrimSpace(fmt.Sprint(e.ErrorCode(), " ", e.EnhancedStatusCode()))
	about := e.Reason == gomail.ErrSMTPRcptTo || e.Reason == gomail.ErrSMTPData || e.Reason == gomail.ErrSMTPDataClose
	return &echec{definitif: about && e.ErrorCode() >= 500, motif: motif}
}
