package main

import (
	"fmt"
	"net/http/httptest"
	"testing"
)

func TestLimiterForgetsButIsBounded(t *testing.T) {
	t.Parallel()
	l := newLimiter(0, 1)
	if !l.allow("a") || l.allow("a") {
		t.Error("a burst of one allows one")
	}
	for i := range generation - 1 {
		l.allow(fmt.Sprint(i))
	}
	l.allow("one more") // begins a generation
	if l.allow("a") {
		t.Error("a caller of the last generation is forgotten")
	}
	for i := range 3 * generation {
		l.allow(fmt.Sprint("flood", i))
		if held := len(l.now) + len(l.old); held > 2*generation {
			t.Fatalf("holds %d callers", held)
		}
	}
}

func TestAddress(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ forwarded, remote, want string }{
		{"", "192.0.2.1:1234", "192.0.2.1"},
		{"203.0.113.7", "10.0.0.2:1", "203.0.113.7"},
		{"6.6.6.6, 203.0.113.7, 10.1.2.3", "10.0.0.2:1", "203.0.113.7"}, // the first was written by the client
		{"2001:db8:1:2:3:4:5:6", "10.0.0.2:1", "2001:db8:1:2::/64"},
		{"::ffff:203.0.113.7", "10.0.0.2:1", "203.0.113.7"},
		{"garbage, ", "10.0.0.2:1", "10.0.0.2"},
		{"127.0.0.1", "[::1]:1", "::1"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.remote
		r.Header.Set("X-Forwarded-For", c.forwarded)
		if got := address(r); got != c.want {
			t.Errorf("%q from %s: got %s, want %s", c.forwarded, c.remote, got, c.want)
		}
	}
}
