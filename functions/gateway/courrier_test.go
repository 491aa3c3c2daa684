package main

import (
	"archive/zip"
	"bytes"
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

// Letters are named by mailer and drawn by facture.
func TestLettersOfARun(t *testing.T) {
	t.Parallel()
	b := setup(t, relaxed)
	id := function.NewID()
	b.serve(t, "mailer", function.Answer("courrier:creer", func(_ context.Context, _ *function.Tx, q message.LettresDuTirage) (l message.ImprimerLettres, err error) {
		if q.TirageID != id {
			return l, function.NotFound("tirage_inconnu", "non", "no")
		}
		return message.ImprimerLettres{Titre: "Lettres", Lettres: []message.Lettre{{Nom: "Zoé", Texte: "Bonjour"}, {FactureID: id}}}, nil
	}))
	b.serve(t, "facture", function.Answer("courrier:creer", func(_ context.Context, _ *function.Tx, q message.ImprimerLettres) (d message.Document, err error) {
		return message.Document{Nom: "lettres.pdf", Mime: "application/pdf", Contenu: []byte("%PDF " + q.Lettres[0].Nom + q.Lettres[1].FactureID)}, nil
	}))
	got := b.as(t, functiontest.Staff()).get(t, "/v1/tirages/"+id+"/pdf")
	if got.StatusCode != http.StatusOK || string(got.body) != "%PDF Zoé"+id {
		t.Errorf("status %d: %s", got.StatusCode, got.body)
	}
	refused(t, b.as(t, functiontest.Staff()).get(t, "/v1/tirages/"+function.NewID()+"/pdf"), http.StatusNotFound, "tirage_inconnu")
}

// A litigation goes to who pleads it with its bills and documents, under names that lead nowhere else.
func TestLitigationAsAnArchive(t *testing.T) {
	t.Parallel()
	b := setup(t, relaxed)
	b.serve(t, "facture",
		function.Answer("relances:lire", func(context.Context, *function.Tx, message.ContentieuxParID) (f message.FicheContentieux, err error) {
			f.Dossiers = []message.DossierRelance{{FactureID: function.NewID(), Numero: "F2026-000001"}}
			f.Actes = []message.Acte{{ID: function.NewID()}, {ID: function.NewID(), DocumentNom: "../../etc/lettre: é.pdf"}}
			return f, nil
		}),
		function.Answer("relances:lire", func(context.Context, *function.Tx, message.ImprimerContentieux) (message.Document, error) {
			return message.Document{Nom: "contentieux-1.pdf", Contenu: []byte("dossier")}, nil
		}),
		function.Answer("factures:lire", func(context.Context, *function.Tx, message.DocumentFacture) (message.Document, error) {
			return message.Document{Contenu: []byte("facture")}, nil
		}),
		function.Answer("relances:lire", func(context.Context, *function.Tx, message.DocumentActe) (message.Document, error) {
			return message.Document{Contenu: []byte("lettre")}, nil
		}))
	got := b.as(t, functiontest.Staff()).get(t, "/v1/contentieux/"+function.NewID()+"/dossier")
	archive, err := zip.NewReader(bytes.NewReader(got.body), int64(len(got.body)))
	if got.StatusCode != http.StatusOK || err != nil {
		t.Fatalf("status %d, %v: %s", got.StatusCode, err, got.body)
	}
	var names []string
	for _, f := range archive.File {
		names = append(names, f.Name)
	}
	if want := []string{"contentieux-1.pdf", "factures/F2026-000001.pdf", "pieces/01-.._.._etc_lettre_ é.pdf"}; !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
}

// The provider of text messages has no token, like that of payments; a document of some megabytes is taken.
func TestProviderOfTextMessages(t *testing.T) {
	t.Parallel()
	b := setup(t, relaxed)
	b.serve(t, "mailer", function.Answer(function.Public, func(_ context.Context, _ *function.Tx, c message.NotifierSMS) (r message.SMSNotifie, err error) {
		if string(c.Corps) != `{"id":  "1"}` || c.Signature != "t=1,v1=00" {
			return r, function.Unauthorized("signature_invalide", "Altérée.", "Altered.")
		}
		return message.SMSNotifie{Etat: "DELIVERED"}, nil
	}).Ephemeral())
	b.serve(t, "facture", function.Answer("relances:creer", func(_ context.Context, _ *function.Tx, c message.AjouterActe) (f message.FicheContentieux, err error) {
		f.Motif = string(c.Document[len(c.Document)-3:])
		return f, nil
	}).Ephemeral())
	nobody := b.anonymous(t)
	if got := nobody.send(t, "POST", cheminSMS, `{"id":  "1"}`, "Content-Type", "application/json", "Signature", "t=1,v1=00"); got.StatusCode != http.StatusOK {
		t.Errorf("status %d: %s", got.StatusCode, got.body)
	}
	if got := nobody.send(t, "POST", cheminSMS, `{"id":  "2"}`, "Content-Type", "application/json", "Signature", "t=1,v1=00"); got.StatusCode != http.StatusUnauthorized {
		t.Errorf("altered: status %d", got.StatusCode)
	}
	act := map[string]any{"nature": "NOTE", "le": "2026-01-01", "detail": "x", "document_nom": "a.pdf", "document_mime": "application/pdf", "document": []byte(strings.Repeat("x", 7_000_000) + "fin")}
	if got := read[message.FicheContentieux](t, b.as(t, functiontest.Staff()).post(t, "/v1/contentieux/"+function.NewID()+"/actes", act), http.StatusCreated); got.Motif != "fin" {
		t.Errorf("got %+v", got)
	}
}
