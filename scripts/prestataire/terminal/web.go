package terminal

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

//go:embed page.html
var pageText string

// pages are the page in French and in English.
var pages = map[string]*template.Template{"fr": parse("fr"), "en": parse("en")}

func parse(langue string) *template.Template {
	return template.Must(template.New("page").Funcs(template.FuncMap{
		"langue": func() string { return langue },
		"dit": func(fr, en string) string {
			if langue == "en" {
				return en
			}
			return fr
		},
		"euros": func(centimes int64) string {
			if langue == "en" {
				return fmt.Sprintf("€%d.%02d", centimes/100, centimes%100)
			}
			return fmt.Sprintf("%d,%02d €", centimes/100, centimes%100)
		},
	}).Parse(pageText))
}

// view is what the page shows: an order, or all of them, or why there is none.
type view struct {
	Commande  *Commande
	Etat      string
	Inconnu   bool // what was typed is no test means
	Moyens    []Moyen
	Commandes []*Commande
	Refus     string
}

// Web is what payers see:
//
//	GET  /payer?…                        opens an order by a signed address
//	GET  /commandes/{id}                 the order: what to pay, how, and what became of it
//	POST /commandes/{id}/essais          a try: numero
//	POST /commandes/{id}/confirmation    what the payer answers to the bank: accord
//	POST /commandes/{id}/abandon         gives up, and goes back
//	GET  /                               for who tests: all orders, and how the service answered
func (t *Terminal) Web() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /payer", func(w http.ResponseWriter, r *http.Request) {
		id, err := t.open(r.URL.Query())
		switch {
		case errors.Is(err, errSignature):
			t.show(w, r, http.StatusForbidden, view{Refus: "SIGNATURE"})
		case errors.Is(err, errExpire):
			t.show(w, r, http.StatusGone, view{Refus: "EXPIRE"})
		case err != nil:
			t.show(w, r, http.StatusBadRequest, view{Refus: "COMMANDE"})
		default:
			http.Redirect(w, r, "/commandes/"+url.PathEscape(id), http.StatusSeeOther)
		}
	})
	mux.HandleFunc("GET /commandes/{id}", func(w http.ResponseWriter, r *http.Request) {
		t.showOrder(w, r, http.StatusOK, false)
	})
	mux.HandleFunc("POST /commandes/{id}/essais", func(w http.ResponseWriter, r *http.Request) {
		if !t.try(r.PathValue("id"), r.PostFormValue("numero")) {
			t.showOrder(w, r, http.StatusUnprocessableEntity, true)
			return
		}
		http.Redirect(w, r, "/commandes/"+url.PathEscape(r.PathValue("id")), http.StatusSeeOther)
	})
	mux.HandleFunc("POST /commandes/{id}/confirmation", func(w http.ResponseWriter, r *http.Request) {
		t.confirm(r.PathValue("id"), r.PostFormValue("accord") == "oui")
		http.Redirect(w, r, "/commandes/"+url.PathEscape(r.PathValue("id")), http.StatusSeeOther)
	})
	mux.HandleFunc("POST /commandes/{id}/abandon", func(w http.ResponseWriter, r *http.Request) {
		back := t.abandon(r.PathValue("id"))
		if back == "" {
			t.show(w, r, http.StatusNotFound, view{Refus: "COMMANDE"})
			return
		}
		http.Redirect(w, r, back, http.StatusSeeOther)
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		t.mu.Lock()
		all := slices.Clone(t.orders)
		t.mu.Unlock()
		slices.Reverse(all)
		t.show(w, r, http.StatusOK, view{Commandes: all})
	})
	return mux
}

func (t *Terminal) showOrder(w http.ResponseWriter, r *http.Request, status int, unknown bool) {
	t.mu.Lock()
	c := t.order(r.PathValue("id"))
	t.mu.Unlock()
	if c == nil {
		t.show(w, r, http.StatusNotFound, view{Refus: "COMMANDE"})
		return
	}
	t.show(w, r, status, view{Commande: c, Inconnu: unknown})
}

// show writes the page in the language of the browser.
func (t *Terminal) show(w http.ResponseWriter, r *http.Request, status int, v view) {
	page := pages["fr"]
	if strings.HasPrefix(r.Header.Get("Accept-Language"), "en") {
		page = pages["en"]
	}
	v.Moyens = Moyens
	back := ""
	var out bytes.Buffer
	t.mu.Lock() // deliveries write to what is shown
	if v.Commande != nil {
		v.Etat = v.Commande.Etat()
		if u, err := url.Parse(v.Commande.Retour); err == nil {
			back = " " + u.Scheme + "://" + u.Host
		}
	}
	err := page.Execute(&out, v)
	t.mu.Unlock()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	// A form's answer may lead back to the service.
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"+back)
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes())
}
