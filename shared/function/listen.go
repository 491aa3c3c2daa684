package function

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"aquaerp.fr/shared/message"
)

// Right names who may send a request: one or more "page:action" separated by
// commas, of which one is enough, or Public or Connected.
type Right string

const (
	// Public requests need no token.
	Public Right = "public"
	// Connected requests need a valid token, whatever its rights.
	Connected Right = "connected"
)

// Listen is a line of a function's table: a message type and its handler.
type Listen struct {
	messageType string
	right       Right
	request     bool // command or query
	post        bool // a request that may also come from RabbitMQ
	ephemeral   bool // the reply is not stored
	replies     bool // replies to what this function posted

	// inTx handles a message inside its transaction and returns the reply's payload.
	inTx func(ctx context.Context, tx *Tx, data []byte) (any, error)
	// work handles a delivery without a transaction around it.
	work func(ctx context.Context, rt *Runtime, data []byte) error
}

// Answer binds a command or query to its handler.
func Answer[C message.Request[R], R any](right Right, handle func(context.Context, *Tx, C) (R, error)) Listen {
	var zero C
	return Listen{messageType: zero.Type(), right: right, request: true,
		inTx: func(ctx context.Context, tx *Tx, data []byte) (any, error) {
			c, err := decodeRequest[C](data)
			if err != nil {
				return nil, err
			}
			return handle(ctx, tx, c)
		}}
}

// On binds an event to its handler.
func On[E message.Message](handle func(context.Context, *Tx, E) error) Listen {
	var zero E
	return Listen{messageType: zero.Type(),
		inTx: func(ctx context.Context, tx *Tx, data []byte) (any, error) {
			e, err := decodeEvent[E](data)
			if err != nil {
				return nil, err
			}
			return nil, handle(ctx, tx, e)
		}}
}

// Work binds an event to a handler that runs outside a transaction, because
// it talks to the outside world. It opens its own with Runtime.InTx, and must
// bear being called again for the same event.
func Work[E message.Message](handle func(context.Context, *Runtime, E) error) Listen {
	var zero E
	return Listen{messageType: zero.Type(),
		work: func(ctx context.Context, rt *Runtime, data []byte) error {
			e, err := decodeEvent[E](data)
			if err != nil {
				return err
			}
			return handle(ctx, rt, e)
		}}
}

// Posted is the answer to a command or query that this function posted.
type Posted struct {
	Request     string           // type of the request
	Subject     string           // as posted
	Correlation string           // as posted
	Data        json.RawMessage  // payload of the reply
	Problem     *message.Problem // the refusal, instead of Data
}

// OnReply binds the answers to all requests that the function posts.
func OnReply(handle func(context.Context, *Tx, Posted) error) Listen {
	return Listen{replies: true,
		inTx: func(ctx context.Context, tx *Tx, data []byte) (any, error) {
			p := Posted{Request: requestType(tx.in.Type()), Subject: tx.in.Subject(), Correlation: extension(tx.in, extCorrelation), Data: data}
			if isRefusal(tx.in.Type()) {
				p.Data, p.Problem = nil, new(message.Problem)
				if err := json.Unmarshal(data, p.Problem); err != nil {
					return nil, malformed(err)
				}
			}
			return nil, handle(ctx, tx, p)
		}}
}

// ByPost lets a request come from RabbitMQ too.
func (l Listen) ByPost() Listen { l.post = true; return l }

// Ephemeral keeps a reply out of the database: it holds secrets, or repeating
// the command is harmless.
func (l Listen) Ephemeral() Listen { l.ephemeral = true; return l }

func isRefusal(t string) bool { return strings.HasSuffix(t, ".refus.v1") }
func isReply(t string) bool   { return strings.HasSuffix(t, ".reponse.v1") || isRefusal(t) }

func requestType(t string) string {
	return strings.NewReplacer(".reponse.v1", ".v1", ".refus.v1", ".v1").Replace(t)
}

// table finds the handler of a message.
type table struct {
	byType  map[string]*Listen
	queries map[string]bool
	replies *Listen
}

// newTable checks what a function listens to: each message once, requests
// only of its own.
func newTable(function string, listens []Listen) (*table, error) {
	t := &table{byType: map[string]*Listen{}, queries: map[string]bool{}}
	for _, e := range message.Catalogue() {
		if e.Kind == message.Query {
			t.queries[e.Payload.Type()] = true
		}
	}
	for i := range listens {
		l := &listens[i]
		switch {
		case l.replies && t.replies != nil:
			return nil, fmt.Errorf("%s listens to replies twice", function)
		case l.replies:
			t.replies = l
			continue
		case t.byType[l.messageType] != nil:
			return nil, fmt.Errorf("%s listens to %s twice", function, l.messageType)
		case l.request && message.Owner(l.messageType) != function:
			return nil, fmt.Errorf("%s answers %s, which belongs to %s", function, l.messageType, message.Owner(l.messageType))
		case l.request && !validRight(l.right):
			return nil, fmt.Errorf("%s: %q is not a right", l.messageType, l.right)
		}
		t.byType[l.messageType] = l
	}
	return t, nil
}

func validRight(r Right) bool {
	if r == Public || r == Connected {
		return true
	}
	for one := range strings.SplitSeq(string(r), ",") {
		page, action, ok := strings.Cut(one, ":")
		if !ok || page == "" || !slices.Contains([]string{"lire", "creer", "modifier", "supprimer", "valider", "exporter"}, action) {
			return false
		}
	}
	return true
}

func (r Right) allows(id Identity) bool {
	if r == Public || r == Connected {
		return true
	}
	for one := range strings.SplitSeq(string(r), ",") {
		if page, action, _ := strings.Cut(one, ":"); id.Can(page, action) {
			return true
		}
	}
	return false
}

// Listens is what a function listens to, as `<function> listens` prints it;
// the bindings of its queue follow from it.
type Listens struct {
	Function string   `json:"function"`
	Events   []string `json:"events"`   // delivered from RabbitMQ or a PingSource
	Requests []string `json:"commands"` // answered directly
	Post     []string `json:"post"`     // requests that also come from RabbitMQ
	Replies  bool     `json:"replies"`  // hears the answers to what it posts
}

func (t *table) listens(function string) Listens {
	out := Listens{Function: function, Events: []string{}, Requests: []string{}, Post: []string{}, Replies: t.replies != nil}
	for name, l := range t.byType {
		switch {
		case !l.request:
			out.Events = append(out.Events, name)
		case l.post:
			out.Post = append(out.Post, name)
			fallthrough
		default:
			out.Requests = append(out.Requests, name)
		}
	}
	slices.Sort(out.Events)
	slices.Sort(out.Requests)
	slices.Sort(out.Post)
	return out
}
