package main

import (
	"bytes"
	"context"
	"mime"
	"net/http"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"aquaerp.fr/shared/message"
)

// maxCSV is what a file may weigh; the commands say the same.
const maxCSV = 16_000_000

type (
	// Fichier is a CSV file.
	Fichier struct {
		Cle
		ContentType string `header:"Content-Type" hidden:"true"`
		RawBody     []byte `contentType:"text/csv"`
	}
	// FichierTournee is the CSV file of a reading round.
	FichierTournee struct {
		Libelle string `query:"libelle" required:"true" minLength:"1" maxLength:"80" doc:"Name of the round"`
		Fichier
	}
)

// text is the file as a text: UTF-8, a byte order mark is dropped.
func (f Fichier) text() (string, error) {
	if t, _, err := mime.ParseMediaType(f.ContentType); err != nil || t != "text/csv" {
		return "", unsupported("text/csv")
	}
	raw := bytes.TrimPrefix(f.RawBody, []byte("\uFEFF"))
	if !utf8.Valid(raw) {
		line := 1
		for rest := raw; ; {
			r, size := utf8.DecodeRune(rest)
			if r == utf8.RuneError && size <= 1 {
				break
			}
			if r == '\n' {
				line++
			}
			rest = rest[size:]
		}
		return "", notUTF8(line)
	}
	return string(raw), nil
}

func (g *gateway) reprises() {
	r := route{"POST", "/v1/reprises", "reprendreContrats", "Take over contracts in force from another system", "contrats", 0}
	huma.Register(g.api, csvOperation(r, message.ColonnesReprise+"[;"+message.ColonnesEntreprise+"]"), func(ctx context.Context, in *Fichier) (*Reply[message.Reprise], error) {
		csv, err := in.text()
		if err != nil {
			return nil, err
		}
		reply, err := ask(ctx, g, message.Reprendre{CSV: csv}, in.key())
		return &Reply[message.Reprise]{reply}, err
	})
}

func (g *gateway) tournees() {
	r := route{"POST", "/v1/tournees", "importerTournee", "Import the readings of a round", "releves", http.StatusCreated}
	huma.Register(g.api, csvOperation(r, message.ColonnesReleves), func(ctx context.Context, in *FichierTournee) (*Reply[message.Tournee], error) {
		csv, err := in.text()
		if err != nil {
			return nil, err
		}
		reply, err := ask(ctx, g, message.ImporterReleves{Libelle: in.Libelle, CSV: csv}, in.key())
		return &Reply[message.Tournee]{reply}, err
	})
}

func csvOperation(r route, columns string) huma.Operation {
	op := r.operation()
	op.MaxBodyBytes = maxCSV + 1 // huma refuses a body that reaches its limit
	op.Description = "A line each, UTF-8, separated by semicolons, with this header: `" + columns +
		"`. Valid lines are imported; the answer lists the others with line, column and reason."
	return op
}
