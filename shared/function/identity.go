package function

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Identity is on whose behalf a message is handled.
type Identity struct {
	ID       string            // of the user, or of the function that posted
	Nom      string            // name to show
	Role     string            // name of the role
	AbonneID string            // the abonne whose file the user sees, for role abonne
	Droits   map[string]string // page to letters of actions
	System   bool              // a delivery: the platform itself
}

// Can tells whether the identity may do an action (lire, creer, modifier,
// supprimer, valider, exporter) on a page. The platform may do everything.
func (id Identity) Can(page, action string) bool {
	return id.System || action != "" && strings.Contains(id.Droits[page], action[:1])
}

// Owns tells whether the file of an abonne is open to the identity: staff see
// every file, an abonne only their own.
func (id Identity) Owns(abonneID string) bool {
	return id.AbonneID == "" || id.AbonneID == abonneID
}

// TokenClaims are the claims of an access token besides the registered ones.
type TokenClaims struct {
	Nom      string            `json:"name"`
	Role     string            `json:"role"`
	AbonneID string            `json:"abonne,omitempty"`
	Droits   map[string]string `json:"droits"`
	Session  string            `json:"sid"`
}

// What an access token says of itself.
const (
	TokenIssuer   = "aquaerp"
	TokenAudience = "aquaerp"
	TokenType     = "at+jwt"
)

// NewTokenKeys makes a key pair for access tokens: the private one as a JSON
// Web Key, for auth alone, the public one as a JSON Web Key Set, for all.
func NewTokenKeys() (private, public string, err error) {
	verifies, signs, err := ed25519.GenerateKey(nil)
	if err != nil {
		return "", "", err
	}
	key := jose.JSONWebKey{Key: signs, KeyID: NewID(), Algorithm: string(jose.EdDSA), Use: "sig"}
	secret, err := json.Marshal(key)
	if err != nil {
		return "", "", err
	}
	key.Key = verifies
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key}})
	return string(secret), string(set), err
}

// keyring verifies access tokens with public keys, and remembers the verified
// ones until they end: checking a signature costs 100 µs, a map nothing.
type keyring struct {
	keys jose.JSONWebKeySet
	mu   sync.Mutex
	seen map[[sha256.Size]byte]verified
}

type verified struct {
	id  Identity
	end time.Time
}

const rememberedTokens = 4096

func newKeyring(jwks string) (*keyring, error) {
	k := &keyring{seen: map[[sha256.Size]byte]verified{}}
	if jwks == "" {
		return k, nil
	}
	if err := json.Unmarshal([]byte(jwks), &k.keys); err != nil {
		return nil, fmt.Errorf("TOKEN_KEYS is not a JSON Web Key Set: %w", err)
	}
	return k, nil
}

func (k *keyring) verify(token string, now time.Time) (Identity, error) {
	sum := sha256.Sum256([]byte(token))
	k.mu.Lock()
	v, ok := k.seen[sum]
	k.mu.Unlock()
	if ok && now.Before(v.end) {
		return v.id, nil
	}
	id, end, err := k.check(token, now)
	if err != nil {
		return Identity{}, Unauthorized("jeton_invalide", "Votre session a expiré ; connectez-vous de nouveau.", "Your session has ended; log in again.")
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.seen) >= rememberedTokens {
		clear(k.seen)
	}
	k.seen[sum] = verified{id, end}
	return id, nil
}

func (k *keyring) check(token string, now time.Time) (Identity, time.Time, error) {
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.EdDSA})
	if err != nil {
		return Identity{}, time.Time{}, err
	}
	if typ, _ := parsed.Headers[0].ExtraHeaders[jose.HeaderType].(string); typ != TokenType {
		return Identity{}, time.Time{}, fmt.Errorf("typ %q", typ)
	}
	keys := k.keys.Key(parsed.Headers[0].KeyID)
	if len(keys) == 0 {
		return Identity{}, time.Time{}, fmt.Errorf("unknown key")
	}
	var std jwt.Claims
	var own TokenClaims
	if err := parsed.Claims(keys[0].Key, &std, &own); err != nil {
		return Identity{}, time.Time{}, err
	}
	want := jwt.Expected{Issuer: TokenIssuer, AnyAudience: jwt.Audience{TokenAudience}, Time: now}
	if err := std.ValidateWithLeeway(want, 0); err != nil {
		return Identity{}, time.Time{}, err
	}
	if std.Expiry == nil || std.Subject == "" {
		return Identity{}, time.Time{}, fmt.Errorf("no exp or sub")
	}
	id := Identity{ID: std.Subject, Nom: own.Nom, Role: own.Role, AbonneID: own.AbonneID, Droits: own.Droits}
	return id, std.Expiry.Time(), nil
}

// VerifyToken tells who a bearer token stands for; the error is a refusal.
func (rt *Runtime) VerifyToken(token string) (Identity, error) {
	return rt.keys.verify(token, time.Now())
}
