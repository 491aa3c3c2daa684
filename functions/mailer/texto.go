package main

import (
	"strings"
	"unicode/utf16"
)

// What a text message is made of: a number of E.164, and characters that the
// network counts.

// e164 is a number as the world dials it, from how one writes it in France.
// It is false for what no text message reaches: a landline, or no number.
func e164(s string) (string, bool) {
	s = strings.ReplaceAll(s, "(0)", "")
	plus := strings.HasPrefix(strings.TrimSpace(s), "+")
	var b strings.Builder
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case !strings.ContainsRune(" .-/()+\u00a0\u202f", r):
			return "", false
		}
	}
	digits := b.String()
	if !plus && strings.HasPrefix(digits, "00") {
		plus, digits = true, digits[2:]
	}
	switch {
	case !plus && len(digits) == 10 && digits[0] == '0':
		digits = "33" + digits[1:]
	case !plus:
		return "", false
	}
	if national, french := strings.CutPrefix(digits, "33"); french {
		if len(national) != 9 || national[0] != '6' && national[0] != '7' {
			return "", false
		}
		digits = indicatif(national) + national
	}
	if len(digits) < 7 || len(digits) > 15 || digits[0] == '0' {
		return "", false
	}
	return "+" + digits, true
}

// indicatif is the country code of a French mobile number of nine digits:
// those of the overseas departements are dialled like others inside France,
// and by codes of their own from elsewhere (ARCEP, plan national de numerotation).
func indicatif(national string) string {
	if strings.HasPrefix(national, "63998") { // kept for fiction
		return "33"
	}
	switch national[:3] {
	case "690", "691": // Guadeloupe, Saint-Martin, Saint-Barthélemy
		return "590"
	case "694": // Guyane
		return "594"
	case "696", "697": // Martinique
		return "596"
	case "692", "693", "639": // La Réunion, Mayotte
		return "262"
	}
	return "33"
}

// The alphabet of 7 bits (3GPP TS 23.038, 6.2.1), and what takes two of its places.
const (
	gsm7     = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsm7long = "\f^{}\\[~]|€"
)

// longueur tells what the characters of a text ask for, and how many
// messages carry it: 160 places of 7 bits or 70 of 16, fewer in each of
// several, as their heads take room, and none split between two.
func longueur(s string) (encodage string, segments int) {
	encodage, single, each := "GSM7", 160, 153
	width := func(r rune) int {
		if strings.ContainsRune(gsm7long, r) {
			return 2
		}
		return 1
	}
	if strings.ContainsFunc(s, func(r rune) bool { return !strings.ContainsRune(gsm7, r) && !strings.ContainsRune(gsm7long, r) }) {
		encodage, single, each, width = "UCS2", 70, 67, utf16.RuneLen
	}
	total, room := 0, 0
	for _, r := range s {
		w := width(r)
		total += w
		if w > room {
			segments, room = segments+1, each
		}
		room -= w
	}
	if total <= single {
		segments = min(segments, 1)
	}
	return encodage, segments
}

// telegraphe writes signs of print as a telephone has them: else one
// apostrophe would make a message of 160 places one of 70.
var telegraphe = strings.NewReplacer("’", "'", "‘", "'", "“", `"`, "”", `"`, "« ", `"`, " »", `"`, "«\u00a0", `"`, "\u00a0»", `"`,
	"–", "-", "—", "-", "−", "-", "…", "...", "\u00a0", " ", "\u202f", " ", "œ", "oe", "Œ", "OE", "³", "3")
