package main

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

// TestBankFiles: bytes go in and come out as they are.
func TestBankFiles(t *testing.T) {
	t.Parallel()
	b := setup(t, relaxed)
	const xml = "<?xml version=\"1.0\"?>\r\n<Document>é</Document>"
	b.serve(t, "facture",
		function.Answer("paiements:creer", func(_ context.Context, _ *function.Tx, c message.ImporterFichierBancaire) (message.FichierBancaire, error) {
			return message.FichierBancaire{ID: someID, Nom: c.Nom, Message: string(c.Contenu)}, nil
		}).Ephemeral(),
		function.Answer("prelevements:exporter", func(_ context.Context, _ *function.Tx, c message.LireFichierRemise) (message.Document, error) {
			return message.Document{ID: c.RemiseID, Nom: "PREL-1.xml", Mime: "application/xml", Contenu: []byte(xml)}, nil
		}).Ephemeral())
	staff := b.as(t, functiontest.Staff())
	for _, kind := range []string{"application/xml", "text/xml; charset=utf-8"} {
		a := staff.send(t, "POST", "/v1/banque/fichiers?nom=jour.xml", xml, "Content-Type", kind, keyHeader, function.NewID())
		if got := read[message.FichierBancaire](t, a, http.StatusCreated); got.Message != xml || got.Nom != "jour.xml" {
			t.Errorf("%s: got %+v", kind, got)
		}
	}
	refused(t, staff.send(t, "POST", "/v1/banque/fichiers?nom=jour.xml", xml, "Content-Type", "text/csv", keyHeader, function.NewID()), http.StatusUnsupportedMediaType, "type_de_contenu")
	refused(t, staff.send(t, "POST", "/v1/banque/fichiers?nom=jour.xml", strings.Repeat("x", maxXML+1), "Content-Type", "application/xml", keyHeader, function.NewID()), http.StatusRequestEntityTooLarge, "trop_volumineux")
	a := staff.get(t, "/v1/remises/"+someID+"/fichier")
	if a.StatusCode != http.StatusOK || string(a.body) != xml {
		t.Fatalf("%s %s", a.Status, a.body)
	}
	for name, want := range map[string]string{"Content-Type": "application/xml", "Content-Disposition": "attachment; filename=PREL-1.xml", "Cache-Control": "no-store"} {
		if got := a.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
