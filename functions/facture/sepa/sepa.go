// Package sepa knows the formats of the Single Euro Payments Area that a
// creditor needs: the account number (IBAN), the creditor identifier (ICS),
// the mandate reference (RUM), the calendar of the settlement system TARGET,
// the file of direct debits that goes to the bank (ISO 20022 pain.008) and the
// files that come back (pain.002, camt.053, camt.054).
//
// It is pure: no database, no clock. Amounts are whole centimes. The same
// Remise is written as the same bytes. What is read comes from outside and is
// believed in nothing: documents are streamed under limits of size, depth and
// length of a text, document types and entities are refused, and every refusal
// says the line.
package sepa

import (
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
)

// IBAN is an account number without spaces. Printed, logged or marshalled it
// shows its last four characters only; Clair is the one way to all of it.
type IBAN string

// The refusals of an IBAN, a BIC, an ICS or a RUM.
var (
	ErrIBANForme  = errors.New("an IBAN is a country, two digits and letters or digits")
	ErrIBANPays   = errors.New("the country of this IBAN is outside SEPA")
	ErrIBANTaille = errors.New("this IBAN does not have the length of its country")
	ErrIBANCle    = errors.New("the check digits of this IBAN are wrong")
	ErrBIC        = errors.New("a BIC has 8 or 11 characters: bank, country, place, branch")
	ErrICS        = errors.New("this creditor identifier is malformed, or its check digits are wrong")
	ErrRUM        = errors.New("a mandate reference has 1 to 35 of the letters, digits and signs +?/-:().,' and no slash at its ends or twice in a row")
)

// longueurs are the countries of SEPA and the length of their IBANs (SWIFT,
// IBAN Registry; European Payments Council, EPC409-09, list of SEPA countries).
var longueurs = map[string]int{
	"AD": 24, "AL": 28, "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24, "FI": 18,
	"FR": 27, "GB": 22, "GI": 23, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IS": 26, "IT": 27, "LI": 21, "LT": 20, "LU": 20, "LV": 21,
	"MC": 27, "MD": 24, "ME": 22, "MK": 19, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24, "RS": 22, "SE": 24, "SI": 19,
	"SK": 24, "SM": 27, "VA": 22,
}

// ParseIBAN reads an account number; spaces and lower case are forgiven.
func ParseIBAN(s string) (IBAN, error) {
	s = compact(s)
	if len(s) < 5 || !lettre(s[0]) || !lettre(s[1]) || !chiffre(s[2]) || !chiffre(s[3]) {
		return "", ErrIBANForme
	}
	for i := range len(s) {
		if !lettre(s[i]) && !chiffre(s[i]) {
			return "", ErrIBANForme
		}
	}
	switch n, ok := longueurs[s[:2]]; {
	case !ok:
		return "", ErrIBANPays
	case len(s) != n:
		return "", ErrIBANTaille
	case mod97(s[4:]+s[:4]) != 1 || s[2:4] < "02" || s[2:4] > "98":
		return "", ErrIBANCle
	}
	return IBAN(s), nil
}

// Groupe is the whole number as it is printed: in groups of four.
func (i IBAN) Groupe() string {
	var b strings.Builder
	for n, r := range string(i) {
		if n > 0 && n%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Clair is the whole number.
func (i IBAN) Clair() string { return string(i) }

// Masque is the country and the last four characters, for a screen or a letter.
func (i IBAN) Masque() string {
	if len(i) < 8 {
		return ""
	}
	return string(i[:2]) + "…" + string(i[len(i)-4:])
}

// String, Format, GoString, LogValue and MarshalText mask the number.
func (i IBAN) String() string               { return i.Masque() }
func (i IBAN) GoString() string             { return i.Masque() }
func (i IBAN) Format(f fmt.State, _ rune)   { _, _ = f.Write([]byte(i.Masque())) }
func (i IBAN) LogValue() slog.Value         { return slog.StringValue(i.Masque()) }
func (i IBAN) MarshalText() ([]byte, error) { return []byte(i.Masque()), nil }

var formeBIC = regexp.MustCompile(`^[A-Z]{6}[A-Z2-9][A-NP-Z0-9]([A-Z0-9]{3})?$`)

// ParseBIC reads the code of a bank (ISO 9362).
func ParseBIC(s string) (string, error) {
	if s = compact(s); !formeBIC.MatchString(s) {
		return "", ErrBIC
	}
	return s, nil
}

var formeICS = regexp.MustCompile(`^[A-Z]{2}[0-9]{2}[A-Z0-9]{3}[A-Z0-9]{1,28}$`)

// ParseICS reads a creditor identifier: its check digits cover the country and
// the national number, not the three characters of the line of business
// (European Payments Council, EPC262-08).
func ParseICS(s string) (string, error) {
	s = compact(s)
	if !formeICS.MatchString(s) || mod97(s[7:]+s[:4]) != 1 {
		return "", ErrICS
	}
	return s, nil
}

var formeRUM = regexp.MustCompile(`^[A-Za-z0-9+?/\-:().,']{1,35}$`)

// CheckRUM refuses what banks refuse as a mandate reference (EPC217-08).
func CheckRUM(s string) error {
	if !formeRUM.MatchString(s) || strings.HasPrefix(s, "/") || strings.HasSuffix(s, "/") || strings.Contains(s, "//") {
		return ErrRUM
	}
	return nil
}

func compact(s string) string {
	return strings.ToUpper(strings.Map(func(r rune) rune {
		if r == ' ' || r == '\u00a0' || r == '\u202f' {
			return -1
		}
		return r
	}, s))
}

func lettre(c byte) bool  { return 'A' <= c && c <= 'Z' }
func chiffre(c byte) bool { return '0' <= c && c <= '9' }

// mod97 is the remainder of ISO 7064 MOD 97-10, a letter counting for 10 to 35.
func mod97(s string) int {
	n := 0
	for i := range len(s) {
		if lettre(s[i]) {
			n = (n*100 + int(s[i]-'A') + 10) % 97
		} else {
			n = (n*10 + int(s[i]-'0')) % 97
		}
	}
	return n
}
