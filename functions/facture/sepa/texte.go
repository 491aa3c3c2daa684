package sepa

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// hors are characters that lose more than an accent.
var hors = strings.NewReplacer("œ", "oe", "Œ", "OE", "æ", "ae", "Æ", "AE", "ß", "ss", "ø", "o", "Ø", "O", "ł", "l", "Ł", "L", "đ", "d", "Đ", "D",
	"&", "+", "’", "'", "‘", "'", "«", "'", "»", "'", "“", "'", "”", "'", "–", "-", "—", "-", "_", "-", "€", "EUR", "°", ".", "\u00a0", " ", "\u202f", " ")

// Texte writes a text in the characters that every bank of SEPA takes
// (EPC217-08): accents are dropped, what has no likeness becomes a point. It
// is cut at max characters, and neither begins nor ends with a slash.
func Texte(s string, max int) string {
	var b strings.Builder
	for _, r := range norm.NFD.String(hors.Replace(s)) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case r < 128 && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune(" +?/-:().,'", r)):
			b.WriteRune(r)
		case unicode.IsSpace(r) || unicode.IsControl(r):
			b.WriteByte(' ')
		default:
			b.WriteByte('.')
		}
	}
	t := strings.Join(strings.Fields(b.String()), " ")
	for strings.Contains(t, "//") {
		t = strings.ReplaceAll(t, "//", "/")
	}
	return strings.Trim(t[:min(len(t), max)], " /")
}
