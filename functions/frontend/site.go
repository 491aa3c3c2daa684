package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/vearutop/statigz"
	"github.com/vearutop/statigz/brotli"
)

// placeholder is what the build writes where a nonce belongs.
const placeholder = "__CSP_NONCE__"

// policy allows this origin, and styles that carry the page's nonce: the
// component library adds <style> elements while it runs. A nonce is worth its
// page sent fresh each time; 'unsafe-inline' would let markup that slipped
// through style itself over the page. Styles that code sets on an element
// need no permission.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-%s'; font-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// site serves the built application.
type site struct {
	files *statigz.Server
	page  []string // index.html, parted where the nonce goes; nil when it is not built
}

func newSite(dist fs.FS) (*site, error) {
	// Known to the machine's own table on some machines only.
	if err := mime.AddExtensionType(".woff2", "font/woff2"); err != nil {
		return nil, err
	}
	s := &site{files: statigz.FileServer(dist.(fs.ReadDirFS), brotli.AddEncoding)}
	index, err := fs.ReadFile(dist, "index.html")
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	default:
		s.page = strings.Split(string(index), placeholder)
	}
	return s, nil
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()")
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
	case path.Ext(r.URL.Path) == "" && !strings.HasPrefix(r.URL.Path, "/assets"):
		s.servePage(w, r)
	case !s.files.Found(r):
		http.NotFound(w, r) // a file of an older build, never the page under a file's name
	case strings.HasPrefix(r.URL.Path, "/assets/"): // named after their content
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		s.files.ServeHTTP(w, r)
	default:
		h.Set("Cache-Control", "no-cache")
		s.files.ServeHTTP(w, r)
	}
}

// servePage answers every address of the application with its one page; the
// router in the page does the rest.
func (s *site) servePage(w http.ResponseWriter, r *http.Request) {
	if s.page == nil {
		http.Error(w, "The application is not built: npm ci && npm run build, in functions/frontend/web.", http.StatusServiceUnavailable)
		return
	}
	nonce := rand.Text()
	h := w.Header()
	h.Set("Content-Security-Policy", fmt.Sprintf(policy, nonce))
	h.Set("Cache-Control", "no-store") // the nonce is for this answer only
	h.Set("Content-Type", "text/html; charset=utf-8")
	page := strings.Join(s.page, nonce)
	h.Set("Content-Length", fmt.Sprint(len(page)))
	if r.Method == http.MethodGet {
		_, _ = w.Write([]byte(page))
	}
}
