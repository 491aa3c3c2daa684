package main

import (
	"bytes"
	"encoding/json"
	"sync"
	"syscall"
	"testing"
	"time"

	"codeberg.org/go-pdf/fpdf"
)

// helvetica describes the core font to fpdf as a font of ours, so that the
// same drawing writes the same words in it.
var helvetica = sync.OnceValue(func() (w [2][]byte) {
	for i, style := range []string{"", "B"} {
		pen := fpdf.New("P", "mm", "A4", "")
		pen.SetFont("Helvetica", style, 1000)
		var widths [256]int
		for c := range widths {
			widths[c] = pen.GetStringSymbolWidth(string([]byte{byte(c)}))
		}
		name := "Helvetica"
		if style != "" {
			name = "Helvetica-Bold"
		}
		w[i], _ = json.Marshal(map[string]any{"Tp": "Core", "Name": name, "Up": -100, "Ut": 50, "Cw": widths})
	}
	return w
})

// plain draws the words of a bill on pages of the same library in a font that
// every reader has: no font within, no QR code, no invoice, no archive.
func (s service) plain(f imprimee) ([]byte, error) {
	s.IBAN = ""
	p := &page{Fpdf: fpdf.New("P", "mm", "A4", "")}
	p.SetAutoPageBreak(false, 0)
	p.SetCellMargin(0)
	for i, style := range []string{"", "B"} {
		p.AddFontFromBytes("inter", style, helvetica()[i], nil)
	}
	s.tirer(p, f)
	var out bytes.Buffer
	err := p.Output(&out)
	return out.Bytes(), err
}

// BenchmarkPlain and BenchmarkFactureX are held against each other by the
// bench: what fonts, QR code, invoice and archive cost on top of the words.
func BenchmarkPlain(b *testing.B) {
	documents(b, func() ([]byte, error) { return regie.plain(exemple()) })
}

func BenchmarkFactureX(b *testing.B) {
	documents(b, func() ([]byte, error) { d, err := regie.fichier(exemple()); return d.Contenu, err })
}

func documents(b *testing.B, draw func() ([]byte, error)) {
	if _, err := draw(); err != nil {
		b.Fatal(err)
	}
	before := cpu()
	for b.Loop() {
		if out, err := draw(); err != nil || len(out) < 3000 {
			b.Fatal(err, len(out))
		}
	}
	b.ReportMetric(float64(b.N)/(cpu()-before).Seconds(), "cases/s")
}

// cpu is the processor time that this process has used, which other programs disturb least.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
