// Package signature signs what two programs tell each other over HTTP with a
// secret that both hold: `t=<unix seconds>,v1=<hex>`, the HMAC-SHA256 of the
// seconds, a dot and the body. The time is part of what is signed, so that an
// old message cannot be sent again.
package signature

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"

	"aquaerp.fr/shared/function"
)

// Why a signature does not hold.
var (
	ErrWrong = errors.New("signature: wrong")
	ErrStale = errors.New("signature: too old, or from the future")
)

// Secrets are what both programs hold, separated by commas: several while one
// is renewed. One that is empty, by a comma too many, or short could be
// guessed, and is refused.
type Secrets []string

// Decode implements envconfig.Decoder. Its errors repeat nothing of the text.
func (s *Secrets) Decode(text string) error {
	for one := range strings.SplitSeq(text, ",") {
		if one = strings.TrimSpace(one); len(one) < 16 {
			return errors.New("a secret has less than 16 characters")
		}
		*s = append(*s, one)
	}
	return nil
}

// Sign returns the signature of a body at a time.
func Sign(secret string, body []byte, at time.Time) string {
	stamp := strconv.FormatInt(at.Unix(), 10)
	return "t=" + stamp + ",v1=" + hex.EncodeToString(MAC(secret, stamped(stamp, body)))
}

// window is how old, or how early, what a provider signed may be.
const window = 5 * time.Minute

// Heard refuses what a provider tells unless it was signed with one of the
// secrets, within five minutes.
func (s Secrets) Heard(signature string, body []byte, now time.Time) error {
	switch err := Verify(signature, body, s, now, window); {
	case errors.Is(err, ErrStale):
		return function.Unauthorized("notification_perimee", "Cette notification n'a pas été signée dans les cinq minutes.", "This notification was not signed within five minutes.")
	case err != nil:
		return function.Unauthorized("signature_invalide", "La signature de cette notification n'est pas la bonne.", "The signature of this notification is wrong.")
	}
	return nil
}

// Verify holds a signature against the secrets, any of which may have made
// it, and against the clock. Without a secret none holds.
func Verify(signature string, body []byte, secrets Secrets, now time.Time, window time.Duration) error {
	var stamp string
	var given [][]byte
	for part := range strings.SplitSeq(signature, ",") {
		switch name, value, _ := strings.Cut(strings.TrimSpace(part), "="); name {
		case "t":
			stamp = value
		case "v1":
			if mac, err := hex.DecodeString(value); err == nil {
				given = append(given, mac)
			}
		}
	}
	valid := false
	for _, secret := range secrets {
		want := MAC(secret, stamped(stamp, body))
		for _, mac := range given {
			valid = hmac.Equal(mac, want) && secret != "" || valid
		}
	}
	if !valid {
		return ErrWrong
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if age := now.Sub(time.Unix(seconds, 0)); err != nil || age > window || age < -window {
		return ErrStale
	}
	return nil
}

func stamped(stamp string, body []byte) []byte { return append([]byte(stamp+"."), body...) }

// MAC is the HMAC-SHA256 of a text.
func MAC(secret string, text []byte) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = mac.Write(text) // never fails
	return mac.Sum(nil)
}
