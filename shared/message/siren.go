package message

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// Compact is an identifier as people write it, spaces and dots taken out.
func Compact(s string) string {
	return strings.ToUpper(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '.' || r == '-' {
			return -1
		}
		return r
	}, s))
}

// laPoste has more establishments than its SIREN leaves SIRET to: the digits
// of one of them sum to a multiple of five (INSEE, "Système national
// d'identification et du répertoire des entreprises").
const laPoste = "356000000"

// SIRENValide tells whether nine digits can be the number of a company: the
// last one checks the others.
func SIRENValide(s string) bool { return len(s) == 9 && chiffres(s) && luhn(s) }

// SIRETValide tells whether fourteen digits can be the number of an
// establishment: a SIREN, and a check over all of them.
func SIRETValide(s string) bool {
	switch {
	case len(s) != 14 || !chiffres(s) || !SIRENValide(s[:9]):
		return false
	case luhn(s):
		return true
	case s[:9] != laPoste:
		return false
	}
	sum := 0
	for i := range len(s) {
		sum += int(s[i] - '0')
	}
	return sum%5 == 0
}

// TVADe is the VAT identifier of a French company: a key of two digits,
// 12 + 3 x SIREN modulo 97, modulo 97, and the SIREN.
func TVADe(siren string) string {
	n, err := strconv.ParseInt(siren, 10, 64)
	if err != nil || len(siren) != 9 {
		return ""
	}
	return fmt.Sprintf("FR%02d%s", (12+3*(n%97))%97, siren)
}

// TVAValide tells whether s can be a VAT identifier, and that of the company
// when it is a French one. Keys with letters have no rule that is published.
func TVAValide(s, siren string) bool {
	if len(s) < 4 || len(s) > 14 || !lettre(s[0]) || !lettre(s[1]) {
		return false
	}
	for i := 2; i < len(s); i++ {
		if !lettre(s[i]) && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	if s[:2] != "FR" {
		return true
	}
	if len(s) != 13 || !SIRENValide(s[4:]) || siren != "" && s[4:] != siren {
		return false
	}
	return !chiffres(s[2:4]) || s == TVADe(s[4:])
}

func lettre(c byte) bool { return c >= 'A' && c <= 'Z' }

func chiffres(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// luhn tells whether the last digit checks the others (ISO/IEC 7812-1).
func luhn(digits string) bool {
	sum := 0
	for i := range len(digits) {
		n := int(digits[i] - '0')
		if (len(digits)-i)%2 == 0 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum%10 == 0
}
