// Gateway is the one HTTP door of AquaERP: REST and JSON in front, CloudEvents
// behind.
//
// It owns no data. Each route is a line of a table (routes.go) that turns an
// HTTP request into one command or query of shared/message, asks the function
// that owns it on behalf of the caller, and renders the reply or the refusal.
// What a caller may do is decided by that function; the gateway only refuses
// what can be refused without it: a malformed body, a missing token, too many
// requests.
//
// It guarantees:
//
//   - Every refusal, its own included, is an RFC 9457 problem with a stable
//     code and a sentence in French and in English.
//   - A POST carries an Idempotency-Key; the same key and body, sent again by
//     the same caller, have one effect and one answer.
//   - The OpenAPI document (openapi.json) says what is served: both come from
//     the same table, and a test holds the committed file to it.
//
// `gateway openapi` prints the document.
package main

import (
	"fmt"
	"net/http"
	"os"

	"aquaerp.fr/shared/function"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "openapi" {
		document, err := openapi()
		if err != nil {
			fmt.Fprintln(os.Stderr, "gateway:", err)
			os.Exit(1)
		}
		_, _ = os.Stdout.Write(document)
		return
	}
	function.Serve("gateway", func(rt *function.Runtime) (http.Handler, error) {
		var s settings
		rt.Configure(&s)
		return newGateway(rt, s).handler(), nil
	})
}

// settings of the gateway, from its environment.
type settings struct {
	// Requests a second, and the burst above them, of one user.
	UserRate  float64 `envconfig:"RATE_USER" default:"100"`
	UserBurst int     `envconfig:"BURST_USER" default:"200"`
	// Of one address, for requests without a token.
	AddressRate  float64 `envconfig:"RATE_ADDRESS" default:"20"`
	AddressBurst int     `envconfig:"BURST_ADDRESS" default:"60"`
	// Of one address, for attempts to log in; auth slows down each account besides.
	LoginRate  float64 `envconfig:"RATE_LOGIN" default:"1"`
	LoginBurst int     `envconfig:"BURST_LOGIN" default:"60"`
}
