package function

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/jackc/pgx/v5/pgconn"

	"aquaerp.fr/shared/message"
)

// The refusals a handler returns. Each rolls the handler's work back. Code is
// stable and for machines; fr and en say what is wrong and how to mend it.

// NotFound refuses: there is no such object, or the caller may not know of it.
func NotFound(code, fr, en string) error { return problem(http.StatusNotFound, code, fr, en) }

// Refused refuses: a rule of the domain forbids it.
func Refused(code, fr, en string) error {
	return problem(http.StatusUnprocessableEntity, code, fr, en)
}

// Conflict refuses: the object is in another state than the command needs.
func Conflict(code, fr, en string) error { return problem(http.StatusConflict, code, fr, en) }

// Forbidden refuses: the caller has no right to it.
func Forbidden(code, fr, en string) error { return problem(http.StatusForbidden, code, fr, en) }

// Unauthorized refuses: the caller is not known.
func Unauthorized(code, fr, en string) error { return problem(http.StatusUnauthorized, code, fr, en) }

// TooMany refuses: the caller has to slow down.
func TooMany(code, fr, en string) error { return problem(http.StatusTooManyRequests, code, fr, en) }

// NotYet asks to be called again: a message that this one needs has not
// arrived. A delivery is tried again until the queue's limit parks it.
func NotYet(code, fr, en string) error { return problem(http.StatusServiceUnavailable, code, fr, en) }

// Invalid refuses one field.
func Invalid(field, code, fr, en string) error {
	p := problem(http.StatusUnprocessableEntity, code, fr, en)
	p.Errors = []message.ProblemField{{Field: field, Code: code, Detail: fr, DetailEN: en}}
	return p
}

func problem(status int, code, fr, en string) *message.Problem {
	return &message.Problem{
		TypeURI: "https://aquaerp.fr/problemes/" + code, Title: http.StatusText(status),
		Status: status, Code: code, Detail: fr, DetailEN: en,
	}
}

// Keep makes a refusal that commits: what the handler did before it refused,
// such as counting a failed login, outlasts the answer. Nothing is emitted,
// and the refusal is not stored as the command's reply.
func Keep(refusal error) error { return &kept{refusal} }

type kept struct{ error }

func (k *kept) Unwrap() error { return k.error }

// errDuplicate ends the handling of a delivery that was handled before.
var errDuplicate = errors.New("duplicate")

// problemOf is the one table from errors to refusals. The problem of an error
// that the handler did not foresee says nothing about it; the log does.
func problemOf(err error) *message.Problem {
	var p *message.Problem
	if errors.As(err, &p) {
		return p
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code[:2] {
		case "23":
			return problem(http.StatusConflict, "conflit",
				"Cette opération contredit une règle de cohérence ("+pg.ConstraintName+").",
				"This operation breaks a rule of consistency ("+pg.ConstraintName+").")
		case "22":
			return problem(http.StatusUnprocessableEntity, "valeur_invalide",
				"Une valeur est hors de ce que la base accepte.", "A value is outside what the database accepts.")
		}
	}
	return problem(http.StatusServiceUnavailable, "indisponible",
		"Le service ne peut pas répondre maintenant ; réessayez dans un instant.",
		"The service cannot answer now; try again in a moment.")
}

// expected tells a refusal from a fault, which the log must explain.
func expected(err error) bool {
	var p *message.Problem
	return errors.As(err, &p)
}

// transient tells errors after which the whole transaction may be run again:
// the database went away, or chose this transaction as a victim.
func transient(err error) bool {
	if err == nil || expected(err) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code[:2] {
		case "08", "40", "57":
			return true
		}
		// A migration changed a table whose columns a prepared statement had counted; it is prepared anew.
		return pg.Code == "0A000" && pg.Routine == "RevalidateCachedQuery"
	}
	return pgconn.SafeToRetry(err) || isConnectionError(err)
}

// deliveryStatus turns the outcome of a delivery into one of the three
// answers that the adapter understands.
func deliveryStatus(err error) int {
	switch {
	case err == nil, errors.Is(err, errDuplicate):
		return http.StatusNoContent
	}
	switch p := problemOf(err); {
	case p.Status == http.StatusServiceUnavailable, p.Status == http.StatusTooManyRequests:
		return http.StatusServiceUnavailable
	default:
		return http.StatusUnprocessableEntity
	}
}

// panicked is a panic of a handler, as an error.
type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprintf("panic: %v", p.value) }
