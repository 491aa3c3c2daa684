package main

import (
	"bytes"
	"embed"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
	"rsc.io/qr"

	"aquaerp.fr/functions/facture/facturx"
)

// The pen that all documents are drawn with: a page, its font and its colours.

// The page, in millimetres.
const (
	left, right = 16.0, 194.0
	width       = right - left
	bottom      = 279.0 // where the foot of a page begins
)

// colour is a mark's red, green and blue.
type colour struct{ r, g, b int }

var (
	ink    = colour{20, 28, 36}
	grey   = colour{84, 95, 107}
	deep   = colour{11, 83, 128}   // of titles, and of what is now
	mid    = colour{86, 156, 196}  // a year ago
	light  = colour{196, 220, 234} // other times
	tint   = colour{237, 245, 250} // of surfaces
	rule   = colour{205, 217, 226}
	green  = colour{58, 125, 92}
	amber  = colour{150, 84, 10}
	amberT = colour{253, 244, 227}
	white  = colour{255, 255, 255}
)

// Inter, cut to Windows-1252 and with figures of one width, in two weights.
// A character that the page does not have is written without its accent.
//
//go:embed police/*.json police/*.z
var police embed.FS

// weight is a font as fpdf takes it.
type weight struct{ definition, file []byte }

// inter reads both weights, regular and semi-bold, once.
var inter = sync.OnceValue(func() (w [2]weight) {
	for i, name := range []string{"Regular", "SemiBold"} {
		w[i].definition, _ = police.ReadFile("police/Inter-" + name + ".json") // embedded
		w[i].file, _ = police.ReadFile("police/Inter-" + name + ".z")
	}
	return w
})

// page is a document under the pen.
type page struct {
	*fpdf.Fpdf
	titre, auteur string
	date          time.Time
	avant         int // pages before those of this bill
}

// papier is a new document of a service, as of a day, which is also what it
// says to have been written on: the same content gives the same bytes.
func papier(titre, auteur string, date time.Time) *page {
	p := &page{Fpdf: fpdf.New("P", "mm", "A4", ""), titre: titre, auteur: auteur, date: date}
	p.SetCreationDate(date)
	p.SetModificationDate(date)
	p.SetCatalogSort(true)
	p.SetMargins(left, 14, 210-right)
	p.SetAutoPageBreak(false, 0)
	p.SetCellMargin(0)
	for i, style := range []string{"", "B"} {
		p.AddFontFromBytes("inter", style, inter()[i].definition, inter()[i].file)
	}
	return p
}

// archive ends the document as PDF/A-3, with the invoice that it shows, if any.
func (p *page) archive(invoice []byte) ([]byte, error) {
	var out bytes.Buffer
	if err := p.Output(&out); err != nil {
		return nil, err
	}
	return facturx.Archiver(out.Bytes(), facturx.Description{Titre: p.titre, Auteur: p.auteur, Date: p.date}, invoice)
}

// feuille starts a page with the service's head.
func (p *page) feuille(s service) {
	p.AddPage()
	p.fill(deep)
	p.Rect(0, 0, 210, 3, "F")
	p.at(left, 11, 100, 7, s.Nom, "L", true, 14, deep)
	p.at(left, 18.4, 100, 4, s.Adresse, "L", false, 8, grey)
	p.at(left, 22.4, 100, 4, joined("   ", prefixed("Tél. ", s.Telephone), s.Email), "L", false, 8, grey)
	if s.Urgence != "" {
		p.at(left, 26.8, 100, 4, "Urgence fuite, 24 h/24 : "+s.Urgence, "L", true, 8, deep)
	}
}

// pied ends a page.
func (p *page) pied(s service, what string) {
	p.stroke(rule)
	p.SetLineWidth(0.2)
	p.Line(left, bottom+4, right, bottom+4)
	p.at(left, bottom+5, 150, 4, joined(" - ", s.Nom, prefixed("SIRET ", s.SIRET), prefixed("TVA ", s.tva()), what), "L", false, 7, grey)
	if s.Forme != "" {
		p.at(left, bottom+8.2, 150, 4, s.Forme, "L", false, 7, grey)
	}
	p.at(right-30, bottom+5, 30, 4, fmt.Sprintf("page %d", p.PageNo()-p.avant), "R", false, 7, grey)
}

func (p *page) fill(c colour)   { p.SetFillColor(c.r, c.g, c.b) }
func (p *page) stroke(c colour) { p.SetDrawColor(c.r, c.g, c.b) }

func (p *page) pen(bold bool, size float64, c colour) {
	style := ""
	if bold {
		style = "B"
	}
	p.SetFont("inter", style, size)
	p.SetTextColor(c.r, c.g, c.b)
}

// at writes one line of text in a box, aligned L, C or R. What is too long for
// the box is cut.
func (p *page) at(x, y, w, h float64, text, align string, bold bool, size float64, c colour) {
	p.pen(bold, size, c)
	s := latin(text)
	if p.GetStringWidth(s) > w {
		for len(s) > 0 && p.GetStringWidth(s+"\x85") > w {
			s = s[:len(s)-1]
		}
		s += "\x85" // …
	}
	p.SetXY(x, y)
	p.CellFormat(w, h, s, "", 0, align, false, 0, "")
}

// para writes text over lines of h from (x, y) on, and returns where it ends.
func (p *page) para(x, y, w, h float64, text string, bold bool, size float64, c colour) float64 {
	p.pen(bold, size, c)
	p.SetLeftMargin(x)
	p.SetXY(x, y)
	p.MultiCell(w, h, latin(text), "", "L", false)
	p.SetLeftMargin(left)
	return p.GetY()
}

// lines is how many lines para would write.
func (p *page) lines(w float64, text string, bold bool, size float64) int {
	p.pen(bold, size, ink)
	return len(p.SplitLines([]byte(latin(text)), w))
}

// section opens a part of the page and returns where it goes on.
func (p *page) section(x, y, w float64, text string) float64 {
	p.at(x, y, w, 6, text, "L", true, 10.5, deep)
	p.stroke(deep)
	p.SetLineWidth(0.35)
	p.Line(x, y+6.6, x+w, y+6.6)
	return y + 9
}

// encadre writes a remark in a coloured box and returns where it ends.
func (p *page) encadre(y float64, titre, text string) float64 {
	h := 9.5 + 3.9*float64(p.lines(width-10, text, false, 8.2))
	p.fill(amberT)
	p.RoundedRect(left, y, width, h, 1.5, "1234", "F")
	p.fill(amber)
	p.Rect(left, y, 1.2, h, "F")
	p.at(left+5, y+2, width-10, 4.5, titre, "L", true, 8.8, amber)
	p.para(left+5, y+6.8, width-10, 3.9, text, false, 8.2, ink)
	return y + h + 3
}

// code draws a QR code as rectangles, a row of dark modules each.
func (p *page) code(content string, x, y, size float64) {
	code, err := qr.Encode(content, qr.M)
	if err != nil {
		p.SetError(err)
		return
	}
	n := code.Size
	module := size / float64(n)
	p.fill(ink)
	for row := range n {
		for col := 0; col < n; col++ {
			run := 0
			for col+run < n && code.Black(col+run, row) {
				run++
			}
			if run > 0 {
				p.Rect(x+float64(col)*module, y+float64(row)*module, float64(run)*module, module*1.01, "F")
				col += run
			}
		}
	}
}

// latin is text in the encoding of the page.
func latin(s string) string {
	ascii := true
	for i := range len(s) {
		ascii = ascii && s[i] < 0x80
	}
	if ascii {
		return s
	}
	var out strings.Builder
	for _, r := range s {
		switch r {
		case '\u202f', '\u2009':
			r = '\u00a0'
		case '\u2212':
			r = '\u2013' // a minus as long as a figure
		}
		if b, ok := charmap.Windows1252.EncodeRune(r); ok {
			out.WriteByte(b)
			continue
		}
		plain := false
		for _, part := range norm.NFKD.String(string(r)) {
			if b, ok := charmap.Windows1252.EncodeRune(part); ok && !unicode.Is(unicode.Mn, part) {
				out.WriteByte(b)
				plain = true
			}
		}
		if !plain {
			b, known := undecomposed[r]
			if !known {
				b = '?'
			}
			out.WriteByte(b)
		}
	}
	return out.String()
}

// undecomposed are letters that Unicode does not take apart.
var undecomposed = map[rune]byte{'Ł': 'L', 'ł': 'l', 'Đ': 'D', 'đ': 'd', 'ı': 'i', 'Ħ': 'H', 'ħ': 'h', 'Ŧ': 'T', 'ŧ': 't'}

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

func joined(by string, parts ...string) string {
	var some []string
	for _, p := range parts {
		if p != "" {
			some = append(some, p)
		}
	}
	return strings.Join(some, by)
}
