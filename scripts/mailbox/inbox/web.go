package inbox

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"html/template"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

//go:embed inbox.html
var pageText string

var page = template.Must(template.New("inbox").Funcs(template.FuncMap{"taille": size}).Parse(pageText))

// shown is how many mails the page lists.
const shown = 200

// view is what the page shows.
type view struct {
	Q      string
	Mails  []Mail // the newest first, at most shown
	Total  int    // that Q finds
	All    int
	Chosen *Mail
}

// Web shows the mails:
//
//	GET /?q=                     the list
//	GET /mails/{id}?q=           one mail beside it
//	GET /mails/{id}/html         its HTML part, which may run nothing and load nothing
//	GET /mails/{id}/pieces/{n}   an attachment, n from 0
//	GET /mails/{id}/source       as it came in
//	GET /api/mails?q=            all of them as JSON, the oldest first
//	GET /api/compte              how many there are
func (b *Box) Web() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", b.list)
	mux.HandleFunc("GET /mails/{id}", b.list)
	mux.HandleFunc("GET /mails/{id}/html", b.html)
	mux.HandleFunc("GET /mails/{id}/pieces/{n}", b.attachment)
	mux.HandleFunc("GET /mails/{id}/source", b.source)
	mux.HandleFunc("GET /api/mails", func(w http.ResponseWriter, r *http.Request) { writeJSON(w, find(b.Mails(), r.FormValue("q"))) })
	mux.HandleFunc("GET /api/compte", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, map[string]int{"mails": len(b.Mails())})
	})
	return mux
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

// find keeps the mails whose recipients, subject or Message-ID hold q.
func find(mails []Mail, q string) []Mail {
	q = strings.ToLower(strings.TrimSpace(q))
	found := []Mail{}
	for _, m := range mails {
		if strings.Contains(strings.ToLower(strings.Join(slices.Concat(m.To, []string{m.Subject, m.MessageID}), "\n")), q) {
			found = append(found, m)
		}
	}
	return found
}

func (b *Box) list(w http.ResponseWriter, r *http.Request) {
	all := b.Mails()
	v := view{Q: r.FormValue("q"), All: len(all)}
	v.Mails = find(all, v.Q)
	v.Total = len(v.Mails)
	slices.Reverse(v.Mails)
	v.Mails = v.Mails[:min(shown, len(v.Mails))]
	if id := r.PathValue("id"); id != "" {
		m, ok := b.mail(id)
		if !ok {
			http.NotFound(w, r)
			return
		}
		v.Chosen = &m
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; frame-src 'self'; form-action 'self'")
	_ = page.Execute(w, v)
}

func (b *Box) mail(id string) (Mail, bool) {
	mails := b.Mails()
	i, ok := slices.BinarySearchFunc(mails, id, func(m Mail, id string) int { return strings.Compare(m.ID, id) })
	if !ok {
		return Mail{}, false
	}
	return mails[i], true
}

func (b *Box) html(w http.ResponseWriter, r *http.Request) {
	m, ok := b.mail(r.PathValue("id"))
	if !ok || m.HTML == "" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:")
	_, _ = w.Write([]byte(m.HTML))
}

func (b *Box) attachment(w http.ResponseWriter, r *http.Request) {
	raw, err := b.Raw(r.PathValue("id"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	m := take(raw)
	n, err := strconv.Atoi(r.PathValue("n"))
	if err != nil || n < 0 || n >= len(m.Attachments) {
		http.NotFound(w, r)
		return
	}
	a := m.Attachments[n]
	w.Header().Set("Content-Type", a.Mime)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": a.Name}))
	_, _ = w.Write(a.content)
}

func (b *Box) source(w http.ResponseWriter, r *http.Request) {
	raw, err := b.Raw(r.PathValue("id"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(raw)
}

// size writes a number of bytes for people.
func size(n int) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d o", n)
	case n < 1_000_000:
		return fmt.Sprintf("%d ko", (n+500)/1000)
	}
	return fmt.Sprintf("%d,%d Mo", n/1_000_000, n/100_000%10)
}
