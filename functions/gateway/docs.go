package main

import (
	"embed"
	"net/http"
)

// docFiles are the documentation page: it renders openapi.json in the browser
// and loads nothing from elsewhere.
//
//go:embed openapi.json docs
var docFiles embed.FS

const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func (g *gateway) docs() {
	for path, file := range map[string]string{
		"/openapi.json": "openapi.json",
		"/docs":         "docs/docs.html",
		"/docs.js":      "docs/docs.js",
		"/docs.css":     "docs/docs.css",
	} {
		g.mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Security-Policy", docsPolicy)
			w.Header().Set("Cache-Control", "no-cache")
			http.ServeFileFS(w, r, docFiles, file)
		})
	}
}
