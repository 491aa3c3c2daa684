package main

import (
	"strings"
	"testing"
	"time"
)

func TestPassword(t *testing.T) {
	t.Parallel()
	var h hasher
	stored, err := h.hash(t.Context(), "une phrase de passe")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(stored, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("stored as %s", stored)
	}
	if again, _ := h.hash(t.Context(), "une phrase de passe"); again == stored {
		t.Error("the same password has the same hash: no salt")
	}
	for _, c := range []struct {
		name, stored, password string
		want                   bool
	}{
		{"right", stored, "une phrase de passe", true},
		{"wrong", stored, "une phrase de passe ", false},
		{"empty", stored, "", false},
		{"nobody's", "", "une phrase de passe", false},
		{"nobody's, empty", "", "", false},
		// A test vector of the reference implementation (phc-winner-argon2, src/test.c).
		{"other parameters", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "password", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := h.verify(t.Context(), c.stored, c.password)
			if err != nil || got != c.want {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

func TestMalformedHashIsAnError(t *testing.T) {
	t.Parallel()
	var h hasher
	for _, stored := range []string{"secret", "$2a$10$abc", "$argon2id$v=18$m=1,t=1,p=1$YWJj$YWJj", "$argon2id$v=19$m=8,t=0,p=1$YWJj$YWJj", "$argon2id$v=19$m=8,t=1,p=1$YWJj$"} {
		if ok, err := h.verify(t.Context(), stored, "x"); ok || err == nil {
			t.Errorf("%s: got %v, %v", stored, ok, err)
		}
	}
}

func TestOutdated(t *testing.T) {
	t.Parallel()
	for stored, want := range map[string]bool{
		nobody: false,
		"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc": true,
	} {
		if got := outdated(stored); got != want {
			t.Errorf("%s: got %v", stored, got)
		}
	}
}

func TestPause(t *testing.T) {
	t.Parallel()
	for failures, want := range map[int]time.Duration{
		1: 0, 4: 0, 5: time.Second, 6: 2 * time.Second, 10: 32 * time.Second, 14: 512 * time.Second, 15: maxWait, 1000: maxWait,
	} {
		if got := pause(failures); got != want {
			t.Errorf("%d failures: wait %s, want %s", failures, got, want)
		}
	}
}
