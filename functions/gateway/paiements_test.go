package main

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// The payment provider has no token: its bytes and its signature go through
// as they came, and facture judges them.
func TestProviderIsHeardWithoutToken(t *testing.T) {
	t.Parallel()
	b := setup(t, relaxed)
	const sent, signature = "{ \"id\": \"é\",\n\t\"montant_centimes\":  1.0 }", "t=1,v1=00"
	b.serve(t, "facture", function.Answer(function.Public, func(_ context.Context, _ *function.Tx, c message.NotifierPaiement) (r message.PaiementNotifie, err error) {
		if string(c.Corps) != sent || c.Signature != signature {
			return r, function.Unauthorized("signature_invalide", "Altérée.", "Altered.")
		}
		return message.PaiementNotifie{Etat: "ACCEPTE"}, nil
	}).Ephemeral())
	for _, c := range []struct {
		signature, body string
		status          int
	}{
		{signature, sent, 200},
		{signature, sent + " ", 401},
		{"", sent, 422},
		{signature, strings.Repeat(" ", 65<<10), 413},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.url+cheminNotifications, strings.NewReader(c.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		if c.signature != "" {
			req.Header.Set("Signature", c.signature)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != c.status {
			t.Errorf("%d bytes signed %q: status %d, want %d", len(c.body), c.signature, res.StatusCode, c.status)
		}
	}
}
