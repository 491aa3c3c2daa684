package e2e

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"

	"aquaerp.fr/scripts/mailbox/inbox"
)

// mails are those in the mailbox about something or to somebody; all for "".
func (p product) mails(t *testing.T, about string) (all []inbox.Mail) {
	t.Helper()
	res, err := http.Get(p.Inbox + "/api/mails?q=" + url.QueryEscape(about))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&all); err != nil {
		t.Fatal(err)
	}
	return all
}

// document is the name of the PDF that a mail carries, or "".
func document(m inbox.Mail) string {
	for _, a := range m.Attachments {
		if a.Mime == "application/pdf" {
			return a.Name
		}
	}
	return ""
}
