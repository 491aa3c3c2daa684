package main

import (
	"archive/zip"
	"context"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"aquaerp.fr/shared/message"
)

// ReponseFichier is a file as an answer.
type ReponseFichier struct {
	ContentType  string `header:"Content-Type" hidden:"true"`
	Disposition  string `header:"Content-Disposition" doc:"inline or attachment, with the file name"`
	CacheControl string `header:"Cache-Control" hidden:"true"`
	Body         []byte
}

// How long a file may be kept by who read it: what it says is true today, or
// an issued document, which never changes.
const (
	passing   = "private, no-store"
	immutable = "private, max-age=86400, immutable"
)

// served answers with a document: inline to look at, attachment to keep.
func served(d message.Document, disposition, cache string) *ReponseFichier {
	return &ReponseFichier{ContentType: d.Mime, Disposition: named(disposition, d.Nom), CacheControl: cache, Body: d.Contenu}
}

func named(disposition, name string) string {
	return mime.FormatMediaType(disposition, map[string]string{"filename": name})
}

// file describes an answer that is a file.
func file(mediaType, description string) map[string]*huma.Response {
	return map[string]*huma.Response{"200": {
		Description: description,
		Content:     map[string]*huma.MediaType{mediaType: {Schema: &huma.Schema{Type: "string", Format: "binary"}}},
	}}
}

// pdf registers a query that is answered by a document to look at.
func pdf[M message.Request[message.Document], I any](g *gateway, r route, request func(*I) M) {
	op := r.operation()
	op.Responses = file("application/pdf", "The document")
	huma.Register(g.api, op, func(ctx context.Context, in *I) (*ReponseFichier, error) {
		d, err := ask(ctx, g, request(in), "")
		if err != nil {
			return nil, err
		}
		return served(d, "inline", passing), nil
	})
}

// joint registers a query that is answered by a file that somebody brought.
func joint[M message.Request[message.Document]](g *gateway, r route, request func(id string) M) {
	op := r.operation()
	op.Responses = file("application/octet-stream", "The file")
	huma.Register(g.api, op, func(ctx context.Context, in *ParID) (*ReponseFichier, error) {
		d, err := ask(ctx, g, request(in.ID), "")
		if err != nil {
			return nil, err
		}
		return served(d, "attachment", passing), nil
	})
}

// fileFor is how long a file that is written as it is read may take, within
// the timeout of the gateway's Knative Service.
const fileFor = 280 * time.Second

// streamed answers with a file to keep that is written as it is read, so that
// one of any size takes the memory of a part. When writing fails the
// connection is cut, so that nobody takes half a file for a whole one.
func streamed(mediaType, name string, write func(io.Writer) error) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		_, w := humago.Unwrap(hc)
		h := w.Header()
		h.Set("Content-Type", mediaType)
		h.Set("Content-Disposition", named("attachment", name))
		h.Set("Cache-Control", passing)
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(fileFor))
		if err := write(w); err != nil {
			panic(http.ErrAbortHandler) // see net/http: the way to cut a connection
		}
	}}
}

// archive is a streamed ZIP. fill puts its files, which are compressed already.
func archive(name string, fill func(put func(name string, content []byte) error) error) *huma.StreamResponse {
	return streamed("application/zip", name, func(w io.Writer) error {
		out := zip.NewWriter(w)
		err := fill(func(name string, content []byte) error {
			entry, err := out.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
			if err == nil {
				_, err = entry.Write(content)
			}
			return err
		})
		if err != nil {
			return err
		}
		return out.Close()
	})
}

// inParts answers with a file that is read a part at a time. A refusal of the
// first part is the answer.
func inParts(part func(apres string) (message.PartFichier, error)) (*huma.StreamResponse, error) {
	p, err := part("")
	if err != nil {
		return nil, err
	}
	return streamed(p.Mime, p.Nom, func(w io.Writer) error {
		for {
			if _, err := w.Write(p.Contenu); err != nil || p.Suivant == "" {
				return err
			}
			if p, err = part(p.Suivant); err != nil {
				return err
			}
		}
	}), nil
}

// DemandeDocument names a bill, and whether this is the first copy.
type DemandeDocument struct {
	ParID
	Duplicata bool `query:"duplicata" doc:"Says on the page that it is not the first copy"`
}

// document serves the PDF of an issued bill.
func (g *gateway) document() {
	op := route{"GET", "/v1/factures/{id}/pdf", "lireDocumentFacture", "Read an issued bill as PDF", "factures", 0}.operation()
	op.Responses = file("application/pdf", "The bill")
	huma.Register(g.api, op, func(ctx context.Context, in *DemandeDocument) (*ReponseFichier, error) {
		d, err := ask(ctx, g, message.DocumentFacture{FactureID: in.ID, Duplicata: in.Duplicata}, "")
		if err != nil {
			return nil, err
		}
		return served(d, "inline", immutable), nil
	})
}
