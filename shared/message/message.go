// Package message is the one language of AquaERP: every payload that crosses
// a function's boundary, a file per owner.
//
// Three kinds of message exist. A command asks for a change and is answered
// by a reply or refused; a query reads and is answered; an event is a fact in
// the past tense and is never answered. The Go type of a payload names its
// CloudEvents type, so a handler cannot be bound to the wrong message, and a
// request names the type of its reply.
//
// Shapes only grow: a field may be added, never renamed, retyped or removed.
// Golden wire files pin them; anything else is a v2.
//
// Units, everywhere: volumes in whole litres (`_litres`), money in whole
// centimes (`_centimes`), rates in micro-euros (`_ue`), per-mille rates
// (`_pm`), an index in the units shown by the meter, civil dates of
// Europe/Paris (Date), instants in UTC (time.Time).
package message

import "strings"

// Message is a payload that names its CloudEvents type.
type Message interface {
	Type() string
}

// Request is a command or a query; R is the payload of its reply.
type Request[R any] interface {
	Message
	// Reply names the reply's payload; its value has no meaning.
	Reply() R
}

// ReplyType is the type of the answer to the request of the given type:
// `….souscrire.v1` is answered by `….souscrire.reponse.v1`.
func ReplyType(request string) string { return infix(request, "reponse") }

// RefusalType is the type of a refusal that travels as an event, because the
// request came by post.
func RefusalType(request string) string { return infix(request, "refus") }

func infix(t, word string) string {
	i := strings.LastIndexByte(t, '.')
	return t[:i] + "." + word + t[i:]
}

// Owner is the function that a message type belongs to: the third label of
// `fr.aquaerp.<function>.<name>.v1`, or empty.
func Owner(t string) string {
	rest, ok := strings.CutPrefix(t, "fr.aquaerp.")
	if !ok {
		return ""
	}
	owner, _, _ := strings.Cut(rest, ".")
	return owner
}

// Service is the name of the Knative Service of a function.
func Service(function string) string {
	switch function {
	case "gateway":
		return "api-gateway"
	case "frontend":
		return "frontend"
	}
	return function + "-service"
}

// Tick is what a PingSource sends: "look for work that is due". It carries no
// promise of arriving once, or at all.
type Tick struct {
	// Quoi names what should be looked for; empty means everything.
	Quoi string `json:"quoi,omitempty"`
}

// Type is fixed by Knative's PingSource.
func (Tick) Type() string { return "dev.knative.sources.ping" }

// Page asks for one page of a list.
type Page struct {
	Limite  int    `json:"limite,omitempty" validate:"min=0,max=200" doc:"Rows per page, 50 when absent" maximum:"200"`
	Curseur string `json:"curseur,omitempty" validate:"max=200" doc:"Cursor of the previous answer's field suivant"`
}

// Size is the number of rows asked for.
func (p Page) Size() int {
	if p.Limite <= 0 {
		return 50
	}
	return p.Limite
}

// LigneRejetee is a line of an imported file that was refused; the other
// lines were imported.
type LigneRejetee struct {
	Ligne    int    `json:"ligne" doc:"Line number in the file, the header is 1"`
	Champ    string `json:"champ,omitempty" doc:"Column at fault"`
	Code     string `json:"code" doc:"Stable code"`
	Detail   string `json:"detail" doc:"What is wrong and how to mend it, in French"`
	DetailEN string `json:"detail_en" doc:"The same in English"`
}
