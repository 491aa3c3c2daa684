package main

import (
	"context"
	"mime"

	"github.com/danielgtaylor/huma/v2"

	"aquaerp.fr/shared/message"
)

// ReponsePDF is a PDF as an answer.
type ReponsePDF struct {
	ContentType  string `header:"Content-Type" hidden:"true"`
	Disposition  string `header:"Content-Disposition" doc:"inline, with the file name"`
	CacheControl string `header:"Cache-Control" hidden:"true"`
	Body         []byte
}

// DemandeDocument names a bill, and whether this is the first copy.
type DemandeDocument struct {
	ParID
	Duplicata bool `query:"duplicata" doc:"Says on the page that it is not the first copy"`
}

// document serves the PDF of an issued bill, which never changes.
func (g *gateway) document() {
	op := route{"GET", "/v1/factures/{id}/pdf", "lireDocumentFacture", "Read an issued bill as PDF", "factures", 0}.operation()
	op.Responses = map[string]*huma.Response{"200": {
		Description: "The bill",
		Content:     map[string]*huma.MediaType{"application/pdf": {Schema: &huma.Schema{Type: "string", Format: "binary"}}},
	}}
	huma.Register(g.api, op, func(ctx context.Context, in *DemandeDocument) (*ReponsePDF, error) {
		d, err := ask(ctx, g, message.DocumentFacture{FactureID: in.ID, Duplicata: in.Duplicata}, "")
		if err != nil {
			return nil, err
		}
		return &ReponsePDF{
			ContentType:  d.Mime,
			Disposition:  mime.FormatMediaType("inline", map[string]string{"filename": d.Nom}),
			CacheControl: "private, max-age=86400, immutable",
			Body:         d.Contenu,
		}, nil
	})
}
