package main

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// How long things last.
const (
	accessLife     = 15 * time.Minute
	refreshLife    = 48 * time.Hour      // of a refresh token that nobody uses
	sessionLife    = 14 * 24 * time.Hour // however busy it is
	invitationLife = 7 * 24 * time.Hour
	lostReply      = 10 * time.Second // how long a used refresh token gives the same successor
)

// signingKey is the private key of access tokens, as a JSON Web Key.
type signingKey struct {
	signer jose.Signer
	secret []byte // derives refresh tokens
}

// Decode reads a JSON Web Key; it implements envconfig.Decoder.
func (k *signingKey) Decode(s string) error {
	var w jose.JSONWebKey
	if err := json.Unmarshal([]byte(s), &w); err != nil {
		return errors.New("not a JSON Web Key") // the text of err may hold the key
	}
	private, ok := w.Key.(ed25519.PrivateKey)
	if !ok || w.KeyID == "" {
		return errors.New("not a private Ed25519 key with a kid")
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: w}, (&jose.SignerOptions{}).WithType(function.TokenType))
	if err != nil {
		return fmt.Errorf("signing key: %w", err)
	}
	secret, err := hkdf.Key(sha256.New, private.Seed(), nil, "aquaerp refresh tokens", sha256.Size)
	if err != nil {
		return fmt.Errorf("signing key: %w", err)
	}
	*k = signingKey{signer, secret}
	return nil
}

// access signs an access token for a user's session.
func (k signingKey) access(u message.Utilisateur, session string, now time.Time) (token string, end time.Time, err error) {
	end = now.Add(accessLife)
	token, err = jwt.Signed(k.signer).Claims(jwt.Claims{
		Subject: u.ID, Issuer: function.TokenIssuer, Audience: jwt.Audience{function.TokenAudience},
		IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(end),
	}).Claims(function.TokenClaims{
		Nom: u.Nom, Role: u.Role, AbonneID: u.AbonneID, Droits: u.Droits, Session: session,
	}).Serialize()
	return token, end.UTC().Truncate(time.Second), err
}

// successor is the refresh token that replaces another. It follows from it, so
// that a client whose reply was lost gets the same one again, although only
// hashes are kept; without the key nobody can tell it.
func (k signingKey) successor(token string) string {
	mac := hmac.New(sha256.New, k.secret)
	mac.Write([]byte(token))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// newSecret is an unguessable token of 256 bits.
func newSecret() string {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails
	return base64.RawURLEncoding.EncodeToString(raw)
}

// hashOf is what is kept of a token, or of an account that failed to log in.
func hashOf(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}
