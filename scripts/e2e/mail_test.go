package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"testing"

	"aquaerp.fr/scripts/mailbox/inbox"
)

// mailbox reads the mails about something or to somebody; all for "".
func (p product) mailbox(ctx context.Context, about string) (all []inbox.Mail, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.Inbox+"/api/mails?q="+url.QueryEscape(about), nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	err = json.NewDecoder(res.Body).Decode(&all)
	return all, err
}

func (p product) mails(t *testing.T, about string) []inbox.Mail {
	t.Helper()
	return must(p.mailbox(t.Context(), about))(t)
}
