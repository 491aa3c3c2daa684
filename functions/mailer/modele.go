package main

import (
	"embed"
	"fmt"
	html "html/template"
	"strings"
	text "text/template"
	"time"

	"aquaerp.fr/shared/message"
)

//go:embed modeles
var modeles embed.FS

// formats are what templates know besides their data.
var formats = map[string]any{"euros": message.Euros, "jour": jour, "date": message.Date.Francais, "m3": m3, "jourDe": func(t time.Time) string { return jour(message.DateOf(t)) }}

var (
	modelesHTML = html.Must(html.New("").Funcs(formats).ParseFS(modeles, "modeles/*.html"))
	modelesText = text.Must(text.New("").Funcs(formats).ParseFS(modeles, "modeles/*.txt"))
	modelesSMS  = text.Must(text.New("").Funcs(formats).ParseFS(modeles, "modeles/sms/*.txt"))
)

// lettre is what a template is filled with.
type lettre struct {
	Service string // who writes
	Objet   string
	Nom     string // to whom
	Fait    any    // the event that it tells of
}

// ecrire fills the template of a name, as HTML and as plain text.
func ecrire(modele string, l lettre) (asHTML, asText string, err error) {
	var h, t strings.Builder
	if err := modelesHTML.ExecuteTemplate(&h, modele+".html", l); err != nil {
		return "", "", err
	}
	if err := modelesText.ExecuteTemplate(&t, modele+".txt", l); err != nil {
		return "", "", err
	}
	return h.String(), t.String(), nil
}

// ecrireSMS fills the template of a name and a language as a text message.
func ecrireSMS(modele, langue string, l lettre) (string, error) {
	var t strings.Builder
	err := modelesSMS.ExecuteTemplate(&t, modele+"."+langue+".txt", l)
	return telegraphe.Replace(strings.TrimSpace(t.String())), err
}

var mois = [...]string{"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"}

// jour writes a day the French way: 1er octobre 2026.
func jour(d message.Date) string {
	t := d.Time()
	n := fmt.Sprint(t.Day())
	if n == "1" {
		n = "1er"
	}
	return fmt.Sprintf("%s %s %d", n, mois[t.Month()-1], t.Year())
}

// m3 writes litres as cubic metres.
func m3(litres int64) string {
	if litres%1000 == 0 {
		return message.Milliers(litres/1000) + " m³"
	}
	return fmt.Sprintf("%s,%03d m³", message.Milliers(litres/1000), litres%1000)
}
