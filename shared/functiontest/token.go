package functiontest

import (
	"crypto/ed25519"
	"encoding/json"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"aquaerp.fr/shared/function"
)

const keyID = "test"

// signer is the key of this test binary; its public half is what the
// functions under test verify with.
var signer, publicKeys = func() (ed25519.PrivateKey, string) {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		panic(err)
	}
	raw, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: public, KeyID: keyID, Algorithm: string(jose.EdDSA), Use: "sig"}}})
	if err != nil {
		panic(err)
	}
	return private, string(raw)
}()

// Token is an access token that auth would give to the identity.
func Token(t *testing.T, id function.Identity) string {
	t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: jose.JSONWebKey{Key: signer, KeyID: keyID}},
		(&jose.SignerOptions{}).WithType(function.TokenType))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	token, err := jwt.Signed(s).Claims(jwt.Claims{
		Subject: id.ID, Issuer: function.TokenIssuer, Audience: jwt.Audience{function.TokenAudience},
		IssuedAt: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(10 * time.Minute)),
	}).Claims(function.TokenClaims{Nom: id.Nom, Role: id.Role, AbonneID: id.AbonneID, Droits: id.Droits, Session: "test"}).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// Staff may do everything on every page.
func Staff() function.Identity {
	all := map[string]string{}
	for _, page := range []string{"tableau", "abonnes", "contrats", "tournees", "releves", "tarifs", "lots", "factures",
		"paiements", "comptabilite", "relances", "prelevements", "interventions", "processus", "courrier", "utilisateurs", "entites", "reglages"} {
		all[page] = "lcmsve"
	}
	return function.Identity{ID: "0190a000-0000-7000-8000-000000000001", Nom: "Agent", Role: "administrateur", Droits: all}
}

// Subscriber sees one file, by the portal.
func Subscriber(abonneID string) function.Identity {
	return function.Identity{ID: "0190a000-0000-7000-8000-000000000002", Nom: "Abonne", Role: "abonne", AbonneID: abonneID,
		Droits: map[string]string{"portail": "l"}}
}

// Technician has the rights of the field.
func Technician(id string) function.Identity {
	return function.Identity{ID: id, Nom: "Technicien", Role: "technicien", Droits: map[string]string{"interventions": "lm", "tableau": "l"}}
}
