package inbox

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/smtp"
	"strings"
	"sync"
	"testing"
)

const multipartMail = "From: =?utf-8?q?Eau_de_B=C3=A9ville?= <eau@beville.example>\r\n" +
	"To: Anne <anne@courriel.example>\r\n" +
	"Subject: =?utf-8?q?Votre_facture_d=E2=80=99eau?=\r\n" +
	"Message-ID: <1@beville.example>\r\n" +
	"Date: Thu, 01 Oct 2026 10:00:00 +0200\r\n" +
	"Content-Type: multipart/mixed; boundary=A\r\n\r\n" +
	"--A\r\nContent-Type: multipart/alternative; boundary=B\r\n\r\n" +
	"--B\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n12=E2=82=AC =\r\nTTC\r\n" +
	"--B\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nPGI+MTIg4oKsPC9iPg==\r\n" +
	"--B--\r\n" +
	"--A\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"F1.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjc=\r\n" +
	"--A--\r\n"

// open serves a box by SMTP and returns its address.
func open(t *testing.T, dir string) (*Box, string) {
	t.Helper()
	b, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := b.SMTP()
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close(); <-done })
	return b, l.Addr().String()
}

func send(addr, to, raw string) error {
	return smtp.SendMail(addr, nil, "eau@beville.example", []string{to}, []byte(raw))
}

func get(t *testing.T, server *httptest.Server, path string) (*http.Response, string) {
	t.Helper()
	res, err := http.Get(server.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

func TestFromSMTPToTheScreen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b, addr := open(t, dir)
	if err := send(addr, "anne@courriel.example", multipartMail); err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(b.Web())
	defer web.Close()

	var mails []Mail
	_, body := get(t, web, "/api/mails?q=ANNE@")
	if err := json.Unmarshal([]byte(body), &mails); err != nil || len(mails) != 1 {
		t.Fatalf("%v in %s", err, body)
	}
	m := mails[0]
	if m.From != "Eau de Béville <eau@beville.example>" || m.To[0] != "anne@courriel.example" || m.Subject != "Votre facture d’eau" ||
		m.MessageID != "1@beville.example" || m.Date.Unix() != 1790841600 || m.Text != "12€ TTC" || m.Fault != "" {
		t.Errorf("%+v", m)
	}
	if len(m.Attachments) != 1 || m.Attachments[0].Name != "F1.pdf" || m.Attachments[0].Mime != "application/pdf" || m.Attachments[0].Size != 8 {
		t.Errorf("%+v", m.Attachments)
	}
	if _, body := get(t, web, "/api/mails?q=personne"); strings.TrimSpace(body) != "[]" {
		t.Errorf("found %s", body)
	}
	if res, body := get(t, web, "/mails/"+m.ID+"/html"); body != "<b>12 €</b>" || !strings.HasPrefix(res.Header.Get("Content-Security-Policy"), "sandbox; default-src 'none'") {
		t.Errorf("%q with %v", body, res.Header)
	}
	if res, body := get(t, web, "/mails/"+m.ID+"/pieces/0"); body != "%PDF-1.7" || res.Header.Get("Content-Disposition") != "attachment; filename=F1.pdf" {
		t.Errorf("%q with %v", body, res.Header)
	}
	if _, body := get(t, web, "/mails/"+m.ID); !strings.Contains(body, "Votre facture d’eau</h2>") || !strings.Contains(body, "F1.pdf · 8 o") {
		t.Errorf("page: %s", body)
	}
	for _, missing := range []string{"/mails/2", "/mails/2/html", "/mails/" + m.ID + "/pieces/1", "/mails/" + m.ID + "/pieces/-1", "/mails/..%2finbox_test/source"} {
		if res, _ := get(t, web, missing); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: status %d", missing, res.StatusCode)
		}
	}

	again, err := Open(dir)
	if err != nil || len(again.Mails()) != 1 || again.Mails()[0].Subject != m.Subject {
		t.Errorf("opened again: %+v, %v", again, err)
	}
}

func TestNeverTaken(t *testing.T) {
	t.Parallel()
	b, addr := open(t, t.TempDir())
	for to, code := range map[string]string{"anne@refuse.test": "550", "anne@occupe.test": "451"} {
		if err := send(addr, to, multipartMail); err == nil || !strings.HasPrefix(err.Error(), code) {
			t.Errorf("%s: %v", to, err)
		}
	}
	if n := len(b.Mails()); n != 0 {
		t.Errorf("%d mails", n)
	}
}

// Whatever comes in is kept and shown; nothing of it breaks the page.
func TestBrokenMail(t *testing.T) {
	t.Parallel()
	b, addr := open(t, t.TempDir())
	web := httptest.NewServer(b.Web())
	defer web.Close()
	for _, raw := range []string{
		"no header at all\r\n",
		"Subject: <script>alert(1)</script>\r\n\r\nx\r\n",
		"Content-Type: multipart/mixed; boundary=A\r\n\r\n--A\r\nContent-Type: text/plain\r\n\r\nhalf",
		"Content-Transfer-Encoding: base64\r\n\r\n!!!\r\n",
	} {
		if err := send(addr, "x@courriel.example", raw); err != nil {
			t.Fatal(err)
		}
	}
	mails := b.Mails()
	if len(mails) != 4 || mails[0].Fault == "" || mails[2].Fault == "" || mails[3].Fault == "" {
		t.Errorf("%+v", mails)
	}
	for _, m := range mails {
		if _, body := get(t, web, "/mails/"+m.ID); strings.Contains(body, "<script>alert") {
			t.Errorf("%s is taken for markup", m.Subject)
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	const n = 50
	dir := t.TempDir()
	b, addr := open(t, dir)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if err := send(addr, fmt.Sprintf("u%d@courriel.example", i), multipartMail); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, m := range b.Mails() {
		seen[m.To[0]] = true
	}
	again, err := Open(dir)
	if len(seen) != n || err != nil || len(again.Mails()) != n {
		t.Errorf("%d recipients, %v", len(seen), err)
	}
}
