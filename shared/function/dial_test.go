package function

import (
	"context"
	"errors"
	"net"
	"syscall"
	"testing"
	"time"
)

func TestPatientDial(t *testing.T) {
	t.Parallel()
	refused := &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	other := errors.New("no such host")
	mine, yours := net.Pipe()
	defer mine.Close()
	defer yours.Close()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for name, c := range map[string]struct {
		ctx    context.Context
		while  time.Duration
		errors []error // one a dial; after them it connects
		want   error
		dials  int
	}{
		"at once":              {t.Context(), time.Hour, nil, nil, 1},
		"the third time":       {t.Context(), time.Hour, []error{refused, refused}, nil, 3},
		"patience is over":     {t.Context(), -1, []error{refused, refused}, syscall.ECONNREFUSED, 1},
		"the caller has left":  {ended, time.Hour, []error{refused, refused}, syscall.ECONNREFUSED, 1},
		"waiting does no good": {t.Context(), time.Hour, []error{refused, other}, other, 2},
	} {
		dials := 0
		conn, err := patient(func(context.Context, string, string) (net.Conn, error) {
			if dials++; dials <= len(c.errors) {
				return nil, c.errors[dials-1]
			}
			return mine, nil
		}, c.while)(c.ctx, "tcp", "postgres:5432")
		if !errors.Is(err, c.want) || (conn != nil) != (c.want == nil) || dials != c.dials {
			t.Errorf("%s: %v after %d dials, want %v after %d", name, err, dials, c.want, c.dials)
		}
	}
}
