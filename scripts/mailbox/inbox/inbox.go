// Package inbox is a mail server for demonstrations and tests: it takes mail
// by SMTP, keeps each as a file, and shows them on a web page and as JSON.
//
// A mail is acknowledged after its file is complete, so a mail that a client
// was told of is there. The same mail sent twice is kept twice: a test wants
// to see it. Recipients of two domains reserved for tests (RFC 6761) are
// never taken: `refuse.test` is unknown for good (550), `occupe.test` asks to
// try again (451).
package inbox

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// maxMail bounds a mail: a bill with its PDF takes a hundredth of it.
const maxMail = 25 << 20

// Box is an inbox on a directory.
type Box struct {
	dir string

	mu    sync.Mutex
	next  int
	mails []Mail // the oldest first
}

// Open reads the mails that the directory holds, and makes it when it is missing.
func Open(dir string) (*Box, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	names, err := filepath.Glob(filepath.Join(dir, "*"+suffix))
	if err != nil {
		return nil, err
	}
	b := &Box{dir: dir}
	for _, name := range names { // sorted, so by arrival
		raw, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		id := strings.TrimSuffix(filepath.Base(name), suffix)
		if _, err := fmt.Sscanf(id, "%d", &b.next); err != nil {
			return nil, fmt.Errorf("%s is not a mail of this inbox", name)
		}
		b.mails = append(b.mails, read(id, raw))
	}
	return b, nil
}

const suffix = ".eml"

// Mails lists the mails that came in, the oldest first.
func (b *Box) Mails() []Mail {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.mails[:len(b.mails):len(b.mails)]
}

// Raw is a mail as it came in.
func (b *Box) Raw(id string) ([]byte, error) {
	if !filepath.IsLocal(id) || strings.ContainsAny(id, `/\`) {
		return nil, fs.ErrNotExist
	}
	return os.ReadFile(filepath.Join(b.dir, id+suffix))
}

// put keeps a mail. Like any server it notes on top how the mail came.
func (b *Box) put(from string, to []string, body io.Reader) error {
	var raw bytes.Buffer
	fmt.Fprintf(&raw, "Return-Path: <%s>\r\n", from)
	for _, r := range to {
		fmt.Fprintf(&raw, "Delivered-To: %s\r\n", r)
	}
	if _, err := raw.ReadFrom(body); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	id := fmt.Sprintf("%08d", b.next+1)
	name := filepath.Join(b.dir, id)
	if err := os.WriteFile(name+".tmp", raw.Bytes(), 0o600); err != nil {
		return err
	}
	if err := os.Rename(name+".tmp", name+suffix); err != nil {
		return err
	}
	b.next++
	b.mails = append(b.mails, read(id, raw.Bytes()))
	return nil
}

// SMTP is the server that takes mail into the box.
func (b *Box) SMTP() *smtp.Server {
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{box: b}, nil }))
	s.Domain = "localhost"
	s.MaxMessageBytes = maxMail
	s.ReadTimeout, s.WriteTimeout = time.Minute, time.Minute
	return s
}

// session is a dialogue with a client.
type session struct {
	box  *Box
	from string
	to   []string
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	switch _, domain, _ := strings.Cut(to, "@"); domain {
	case "refuse.test":
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "No such user here"}
	case "occupe.test":
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 2}, Message: "Try again later"}
	}
	s.to = append(s.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error { return s.box.put(s.from, s.to, r) }
func (s *session) Reset()                 { s.from, s.to = "", nil }
func (s *session) Logout() error          { return nil }
