package inbox

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"strings"
	"time"
)

// Mail is a mail as a person reads it.
type Mail struct {
	ID          string       `json:"id"`
	From        string       `json:"from"`
	To          []string     `json:"to"` // as in the envelope
	Subject     string       `json:"subject"`
	Date        time.Time    `json:"date"`
	MessageID   string       `json:"message_id"`
	Text        string       `json:"text"`
	HTML        string       `json:"-"`
	Attachments []Attachment `json:"attachments"`
	Fault       string       `json:"fault,omitempty"` // why it could not be read to its end
}

// Attachment is a file in a mail.
type Attachment struct {
	Name    string `json:"name"`
	Mime    string `json:"mime"`
	Size    int    `json:"size"`
	content []byte
}

// read takes a mail apart. What cannot be read is said in Fault: a broken
// mail is shown as far as it goes. The content of attachments is left out.
func read(id string, raw []byte) Mail {
	m := take(raw)
	m.ID = id
	for i := range m.Attachments {
		m.Attachments[i].content = nil
	}
	return m
}

func take(raw []byte) (m Mail) {
	m.To, m.Attachments = []string{}, []Attachment{}
	parsed, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		m.Fault = err.Error()
		return m
	}
	h := parsed.Header
	m.From, m.Subject = decodeHeader(h.Get("From")), decodeHeader(h.Get("Subject"))
	m.To = append(m.To, h["Delivered-To"]...)
	m.MessageID = strings.Trim(h.Get("Message-Id"), "<>")
	m.Date, _ = h.Date() // zero when it has none
	if err := m.part(textproto.MIMEHeader(h), parsed.Body); err != nil {
		m.Fault = err.Error()
	}
	return m
}

// part reads a part and those inside it.
func (m *Mail) part(h textproto.MIMEHeader, body io.Reader) error {
	kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		kind = "text/plain"
	}
	if strings.HasPrefix(kind, "multipart/") {
		for r := multipart.NewReader(body, params["boundary"]); ; {
			p, err := r.NextRawPart()
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
			if err := m.part(p.Header, p); err != nil {
				return err
			}
		}
	}
	switch strings.ToLower(h.Get("Content-Transfer-Encoding")) {
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	}
	content, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	disposition, how, _ := mime.ParseMediaType(h.Get("Content-Disposition"))
	switch {
	case disposition == "attachment":
		m.Attachments = append(m.Attachments, Attachment{Name: decodeHeader(how["filename"]), Mime: kind, Size: len(content), content: content})
	case kind == "text/plain" && m.Text == "":
		m.Text = string(content)
	case kind == "text/html" && m.HTML == "":
		m.HTML = string(content)
	}
	return nil
}

func decodeHeader(s string) string {
	if d, err := new(mime.WordDecoder).DecodeHeader(s); err == nil {
		return d
	}
	return s
}
