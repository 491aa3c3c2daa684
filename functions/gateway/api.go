package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// gateway holds what the routes share.
type gateway struct {
	rt        *function.Runtime
	mux       *http.ServeMux
	api       huma.API
	users     *limiter
	addresses *limiter
	logins    *limiter
}

func newGateway(rt *function.Runtime, s settings) *gateway {
	useProblems()
	schemas := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	schemas.RegisterTypeAlias(reflect.TypeFor[message.Date](), reflect.TypeFor[day]())
	g := &gateway{
		rt: rt, mux: http.NewServeMux(),
		users: newLimiter(s.UserRate, s.UserBurst), addresses: newLimiter(s.AddressRate, s.AddressBurst), logins: newLimiter(s.LoginRate, s.LoginBurst),
	}
	format := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: unmarshal}
	g.api = humago.New(g.mux, huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title:   "AquaERP",
				Version: "1",
				Description: "Water utility: contracts, meters, readings, bills, payments, field work. Money is in whole centimes, " +
					"volumes in whole litres, days are civil dates of Europe/Paris, instants are UTC. A refusal is an RFC 9457 problem with a " +
					"stable code. Lists are read page by page: pass `suivant` of an answer as `curseur`.",
			},
			Servers: []*huma.Server{{URL: "/", Description: "The gateway"}, {URL: "/api", Description: "The gateway behind the web application"}},
			Tags:    tags,
			Components: &huma.Components{
				Schemas: schemas,
				SecuritySchemes: map[string]*huma.SecurityScheme{
					"jeton": {Type: "http", Scheme: "bearer", BearerFormat: "JWT", Description: "The access_token of POST /v1/sessions"},
				},
			},
			Security: []map[string][]string{{"jeton": {}}},
		},
		Formats:                      map[string]huma.Format{"application/json": format, "json": format}, // json is what follows the + of problem+json
		Transformers:                 []huma.Transformer{quotable},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
	})
	g.routes()
	return g
}

// openapi is the OpenAPI document of the routes, indented, with keys in a
// fixed order.
func openapi() ([]byte, error) {
	raw, err := json.Marshal(newGateway(nil, settings{}).api.OpenAPI())
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, raw, "", "  "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// day is the schema of message.Date, which cannot describe itself: the
// catalogue imports the standard library only.
type day struct{}

// Schema implements huma.SchemaProvider.
func (day) Schema(huma.Registry) *huma.Schema { return &huma.Schema{Type: "string", Format: "date"} }

const malformedAt = "malformed at "

// unmarshal is json.Unmarshal with errors that fieldOf can word: where the
// JSON breaks, rather than on which byte the parser stumbled.
func unmarshal(data []byte, v any) error {
	err := json.Unmarshal(data, v)
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &syntax):
		before := data[:min(int(syntax.Offset), len(data))]
		line := bytes.Count(before, []byte("\n")) + 1
		column := len(before) - (bytes.LastIndexByte(before, '\n') + 1)
		return fmt.Errorf("%s%d:%d", malformedAt, line, column)
	}
	return errors.New("unreadable value")
}

// route is a line of the table.
type route struct {
	method, path string
	id           string // operationId, camelCase
	summary      string
	tag          string
	status       int // 200 unless set
}

// bodyTimeout bounds how long a body may take to arrive. It is longer than any
// answer: net/http cancels the request when the deadline passes while the
// handler still works.
const bodyTimeout = 2 * time.Minute

func (r route) operation() huma.Operation {
	return huma.Operation{
		OperationID: r.id, Method: r.method, Path: r.path, Summary: r.summary, Tags: []string{r.tag},
		DefaultStatus: r.status, BodyReadTimeout: bodyTimeout, MaxBodyBytes: maxBodies[r.id],
	}
}

// maxBodies bounds the bodies that carry a document of 8 MB as base64; others
// have the bound of the library, 1 MB.
var maxBodies = map[string]int64{"ajouterActe": 12 << 20, "enregistrerAide": 12 << 20}

// Reply is the answer of a route with a JSON body.
type Reply[R any] struct {
	Body R
}

// Nothing is the input of a route without parameters.
type Nothing struct{}

// ParID names the object by its id in the path.
type ParID struct {
	ID string `path:"id" format:"uuid"`
}

// Cle makes a POST safe to send again.
type Cle struct {
	Key string `header:"Idempotency-Key" required:"true" minLength:"8" maxLength:"64" pattern:"^[A-Za-z0-9._-]+$" doc:"A new value for each operation (a UUID); the same value and body, sent again, get the same answer and have one effect"`
}

func (c Cle) key() string { return c.Key }

// Liste asks for one page.
type Liste struct {
	Limite  int    `query:"limite" minimum:"1" maximum:"200" doc:"Rows per page, 50 when absent"`
	Curseur string `query:"curseur" maxLength:"200" doc:"Field suivant of the answer before"`
}

func (l Liste) page() message.Page { return message.Page{Limite: l.Limite, Curseur: l.Curseur} }

// Commande is a POST whose body is the command.
type Commande[M any] struct {
	Cle
	Body M
}

// CommandeSur is a POST about the object in the path.
type CommandeSur[M any] struct {
	ParID
	Cle
	Body M
}

// OrdreSur is a POST that says all it has to say by its path.
type OrdreSur struct {
	ParID
	Cle
}

// expose registers a route that is one command or query: request makes it of
// the input, and its reply is the body of the answer.
func expose[I any, M message.Request[R], R any](g *gateway, r route, request func(*I) M) {
	register(g, r.operation(), request)
}

func register[I any, M message.Request[R], R any](g *gateway, op huma.Operation, request func(*I) M) {
	huma.Register(g.api, op, func(ctx context.Context, in *I) (*Reply[R], error) {
		reply, err := ask(ctx, g, request(in), keyOf(in))
		if err != nil {
			return nil, err
		}
		return &Reply[R]{reply}, nil
	})
}

// Where providers tell what became of payments and of text messages.
const (
	cheminNotifications = "/v1/paiements-en-ligne/notifications"
	cheminSMS           = "/v1/sms/notifications"
)

// Notification is signed over its bytes, which are passed on as they came.
type Notification struct {
	Signature string `header:"Signature" required:"true" maxLength:"400" doc:"t=<unix seconds>,v1=<hex HMAC-SHA256 of t, a dot and the body>"`
	RawBody   []byte `contentType:"application/json"`
}

// signed registers a route of a provider, whose signature stands for a token.
func signed[M message.Request[R], R any](g *gateway, r route, request func(*Notification) M) {
	op := r.operation()
	op.Security = []map[string][]string{}
	op.MaxBodyBytes, op.SkipValidateBody = 64<<10, true // the function judges the bytes
	register(g, op, request)
}

func keyOf(in any) string {
	if k, ok := in.(interface{ key() string }); ok {
		return k.key()
	}
	return ""
}

// ask asks a function on behalf of the caller. Lists of the reply are never
// null, as the document promises.
func ask[R any](ctx context.Context, g *gateway, request message.Request[R], key string) (R, error) {
	c := callerOf(ctx)
	reply, err := function.Ask(ctx, g.rt.Client, request, function.Call{ID: key, By: c.identity.ID, Token: c.token})
	if err != nil {
		return reply, answered(err)
	}
	fill(reflect.ValueOf(&reply).Elem())
	return reply, nil
}

// fill makes the nil slices and maps of v empty.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			fill(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() {
				fill(f)
			}
		}
	case reflect.Slice:
		if v.IsNil() {
			v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		}
		for i := range v.Len() {
			fill(v.Index(i))
		}
	case reflect.Map:
		if v.IsNil() {
			v.Set(reflect.MakeMap(v.Type()))
		}
	}
}

// about registers a command on the object in the path: id is the field of the
// command that the path fills, and that its body therefore does not have.
func about[M message.Request[R], R any](g *gateway, r route, field string, id func(*M) *string) {
	expose(g, r, func(in *CommandeSur[M]) M { *id(&in.Body) = in.ID; return in.Body })
	s := g.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[M](), false, "")
	delete(s.Properties, field)
	s.Required = slices.DeleteFunc(s.Required, func(name string) bool { return name == field })
	s.PrecomputeMessages()
}

// notFound answers paths that nothing serves, and methods that a path does not.
func (g *gateway) notFound(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
		other := r.Clone(r.Context())
		other.Method = method
		if _, pattern := g.mux.Handler(other); pattern != "/" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) > 0 {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		write(w, r, refusal(http.StatusMethodNotAllowed, "methode_refusee",
			"Ce chemin n'accepte que "+strings.Join(allowed, ", ")+".", "This path takes "+strings.Join(allowed, ", ")+" only."))
		return
	}
	write(w, r, refusal(http.StatusNotFound, "chemin_inconnu", "Il n'y a rien à cette adresse ; voyez /docs.", "There is nothing at this address; see /docs."))
}

// write sends a refusal outside of huma.
func write(w http.ResponseWriter, r *http.Request, p *Problem) {
	q := message.Problem(*p)
	function.WriteProblem(r.Context(), w, &q)
}
