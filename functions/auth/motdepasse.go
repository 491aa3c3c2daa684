package main

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/crypto/argon2"
)

// The cost of a password, as OWASP recommends for argon2id (Password Storage
// Cheat Sheet): 19 MiB, two passes, one lane.
const (
	argonMemory  = 19 * 1024 // KiB
	argonTime    = 2
	argonThreads = 1
	saltLength   = 16
	keyLength    = 32
)

// hasher bounds how many passwords are hashed at once, since each takes 19 MiB.
// The zero hasher is ready.
type hasher struct {
	once  sync.Once
	slots chan struct{}
}

const hashesAtOnce = 4

func (h *hasher) enter(ctx context.Context) error {
	h.once.Do(func() { h.slots = make(chan struct{}, hashesAtOnce) })
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *hasher) leave() { <-h.slots }

// hash is a new PHC string of the password.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	if err := h.enter(ctx); err != nil {
		return "", err
	}
	defer h.leave()
	salt := make([]byte, saltLength)
	_, _ = rand.Read(salt) // never fails
	return phc{argonMemory, argonTime, argonThreads, salt,
		argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonThreads, keyLength)}.String(), nil
}

// nobody is the hash of no password: an unknown account costs the same time.
var nobody = phc{argonMemory, argonTime, argonThreads, make([]byte, saltLength), make([]byte, keyLength)}.String()

// verify tells whether the password is the one that was hashed; an empty
// stored hash is nobody's.
func (h *hasher) verify(ctx context.Context, stored, password string) (bool, error) {
	if stored == "" {
		stored = nobody
	}
	p, err := parsePHC(stored)
	if err != nil {
		return false, err
	}
	if err := h.enter(ctx); err != nil {
		return false, err
	}
	defer h.leave()
	key := argon2.IDKey([]byte(password), p.salt, p.time, p.memory, p.threads, uint32(len(p.key)))
	return subtle.ConstantTimeCompare(key, p.key) == 1 && stored != nobody, nil
}

// phc is an argon2id hash with its parameters.
type phc struct {
	memory, time uint32
	threads      uint8
	salt, key    []byte
}

func (p phc) String() string {
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.memory, p.time, p.threads, b64(p.salt), b64(p.key))
}

func parsePHC(s string) (p phc, err error) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, fmt.Errorf("not an argon2id hash of version %d", argon2.Version)
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.time, &p.threads); err != nil {
		return p, fmt.Errorf("parameters of an argon2id hash: %w", err)
	}
	if p.salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil {
		return p, fmt.Errorf("salt of an argon2id hash: %w", err)
	}
	if p.key, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil {
		return p, fmt.Errorf("key of an argon2id hash: %w", err)
	}
	if p.time == 0 || p.threads == 0 || len(p.key) == 0 {
		return p, fmt.Errorf("empty parameters of an argon2id hash")
	}
	return p, nil
}

// outdated tells that a hash was made at another cost than today's.
func outdated(stored string) bool {
	p, err := parsePHC(stored)
	return err != nil || p.memory != argonMemory || p.time != argonTime || p.threads != argonThreads || len(p.key) != keyLength
}
