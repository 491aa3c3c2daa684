package main

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"testing"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

// documentsCahier gives bills two at a time, up to a number of pages, and then
// fails when it has to.
func documentsCahier(pages int, fails bool) function.Listen {
	return function.Answer("factures:exporter", func(_ context.Context, _ *function.Tx, q message.DocumentsCahier) (p message.PageDocuments, err error) {
		n, _ := strconv.Atoi(q.Curseur)
		if fails && n == pages-1 {
			return p, function.NotFound("cahier_inconnu", "non", "no")
		}
		for i := range 2 {
			p.Items = append(p.Items, message.Document{Nom: fmt.Sprintf("facture-%d.pdf", 2*n+i), Contenu: bytes.Repeat([]byte{byte(n)}, 100_000)})
		}
		if n+1 < pages {
			p.Suivant = strconv.Itoa(n + 1)
		}
		return p, nil
	})
}

func TestArchive(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		fails bool
	}{{"whole", false}, {"cut", true}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, relaxed)
			b.serve(t, "facture", documentsCahier(3, c.fails))
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.url+"/v1/lots/"+function.NewID()+"/cahiers/1/zip", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Authorization", "Bearer "+b.token(t, functiontest.Staff()))
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			if c.fails {
				if err == nil {
					t.Errorf("half an archive of %d bytes came as a whole", len(body))
				}
				return
			}
			archive, bad := zip.NewReader(bytes.NewReader(body), int64(len(body)))
			if err != nil || bad != nil || len(archive.File) != 6 || archive.File[5].Name != "facture-5.pdf" {
				t.Fatalf("%v, %v: %d bytes", err, bad, len(body))
			}
			file, err := archive.File[5].Open()
			if err != nil {
				t.Fatal(err)
			}
			if content, err := io.ReadAll(file); err != nil || len(content) != 100_000 || content[0] != 2 {
				t.Errorf("%d bytes, %v", len(content), err)
			}
		})
	}
}
