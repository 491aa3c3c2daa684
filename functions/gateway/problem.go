package main

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// Problem is message.Problem as an error that huma can send.
type Problem message.Problem

func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus is the HTTP status of the refusal.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is that of RFC 9457.
func (p *Problem) ContentType(string) string { return "application/problem+json" }

func refusal(status int, code, fr, en string, fields ...message.ProblemField) *Problem {
	return &Problem{
		TypeURI: "https://aquaerp.fr/problemes/" + code, Title: http.StatusText(status),
		Status: status, Code: code, Detail: fr, DetailEN: en, Errors: fields,
	}
}

// answered renders the error of function.Ask.
func answered(err error) error {
	p := new(message.Problem)
	if !errors.As(err, &p) {
		return unavailable
	}
	refused := Problem(*p)
	if p.Status == http.StatusServiceUnavailable || p.Status == http.StatusTooManyRequests {
		return huma.ErrorWithHeaders(&refused, http.Header{"Retry-After": {"1"}})
	}
	return &refused
}

var unavailable = refusal(http.StatusServiceUnavailable, "indisponible",
	"Le service ne peut pas répondre maintenant ; réessayez dans un instant.",
	"The service cannot answer now; try again in a moment.")

// useProblems makes every refusal that huma writes a Problem. huma keeps the
// maker of its errors in a global, which is set once.
var useProblems = sync.OnceFunc(func() {
	huma.ValidateStrictCasing = true // `Nom` is not `nom`
	huma.DefaultArrayNullable = false
	huma.NewError = func(status int, text string, errs ...error) huma.StatusError {
		return problemOf(status, text, errs)
	}
})

// quotable gives a refusal the trace of its request.
func quotable(ctx huma.Context, _ string, v any) (any, error) {
	p, ok := v.(*Problem)
	if !ok {
		return v, nil
	}
	q := *p // refusals are shared
	q.TraceID = function.TraceID(ctx.Context())
	return &q, nil
}

// problemOf words a refusal of huma's own: its text is English and without
// codes, and it may repeat what was sent, so nothing of it is passed on but
// bounds and names.
func problemOf(status int, text string, errs []error) *Problem {
	switch status {
	case http.StatusRequestEntityTooLarge:
		return tooLarge
	case http.StatusRequestTimeout:
		return refusal(status, "lecture_trop_lente", "La requête met trop de temps à arriver.", "The request takes too long to arrive.")
	case http.StatusUnsupportedMediaType:
		return unsupported("application/json")
	case http.StatusInternalServerError:
		if text == "cannot read request body" {
			return refusal(http.StatusBadRequest, "corps_illisible", "Le corps de la requête n'a pas pu être lu.", "The body of the request could not be read.")
		}
		return unavailable
	}
	if len(errs) == 0 { // the one other refusal without details
		return refusal(http.StatusBadRequest, "corps_manquant", "Cette requête attend un corps.", "This request needs a body.")
	}
	fields := make([]message.ProblemField, 0, len(errs))
	for _, err := range errs {
		var d huma.ErrorDetailer
		if errors.As(err, &d) {
			fields = append(fields, fieldOf(d.ErrorDetail()))
		}
	}
	for _, f := range fields {
		switch {
		case f.Field == keyHeader && f.Code == "requis":
			return keyMissing
		case f.Code == "json_invalide":
			return refusal(http.StatusBadRequest, f.Code, f.Detail, f.DetailEN)
		}
	}
	return refusal(http.StatusUnprocessableEntity, "champs_invalides",
		"Certains champs sont à corriger.", "Some fields need to be corrected.", fields...)
}

const keyHeader = "Idempotency-Key"

var (
	keyMissing = refusal(http.StatusBadRequest, "cle_idempotence_manquante",
		"Ajoutez l'en-tête Idempotency-Key : une valeur neuve par opération (un UUID), la même pour la renvoyer.",
		"Add the header Idempotency-Key: a new value for each operation (a UUID), the same to send it again.")
	tooLarge = refusal(http.StatusRequestEntityTooLarge, "trop_volumineux",
		"Le corps de la requête est trop volumineux.", "The body of the request is too large.")
)

func notUTF8(line int) *Problem {
	return refusal(http.StatusUnprocessableEntity, "pas_utf8",
		fmt.Sprintf("La ligne %d n'est pas en UTF-8 ; enregistrez le fichier en UTF-8.", line),
		fmt.Sprintf("Line %d is not UTF-8; save the file as UTF-8.", line))
}

// status of a refusal that ask returned.
func status(err error) int {
	p := new(Problem)
	if errors.As(err, &p) {
		return p.Status
	}
	return http.StatusInternalServerError
}

func unsupported(want string) *Problem {
	return refusal(http.StatusUnsupportedMediaType, "type_de_contenu",
		"Cette requête attend un corps "+want+".", "This request needs a body of "+want+".")
}

// fieldOf words one validation error of huma. The location `body.pdl.logements`
// becomes the path as sent, `pdl.logements`.
func fieldOf(d *huma.ErrorDetail) message.ProblemField {
	_, path, nested := strings.Cut(d.Location, ".")
	if !nested {
		path = ""
	}
	for _, r := range wordings {
		rest, ok := strings.CutPrefix(d.Message, r.prefix)
		if !ok {
			continue
		}
		if r.member { // the location is that of the object, the text names the field
			name, _, _ := strings.Cut(rest, " ")
			path = strings.TrimPrefix(path+"."+name, ".")
		}
		fr, en := r.fr, r.en
		if strings.Contains(fr, "%s") {
			fr, en = fmt.Sprintf(fr, strings.Trim(rest, `"`)), fmt.Sprintf(en, strings.Trim(rest, `"`))
		}
		return message.ProblemField{Field: path, Code: r.code, Detail: fr, DetailEN: en}
	}
	return message.ProblemField{Field: path, Code: "invalide", Detail: "Valeur refusée.", DetailEN: "Value refused."}
}

// wordings maps what huma (package validation), and unmarshal in api.go, say
// to codes and sentences: the first prefix that fits counts, %s is what follows it.
var wordings = []struct {
	prefix, code, fr, en string
	member               bool
}{
	{prefix: malformedAt, code: "json_invalide", fr: "Le JSON est mal formé (ligne:colonne %s).", en: "The JSON is malformed (line:column %s)."},
	{prefix: "unreadable value", code: "type_invalide", fr: "La valeur n'est pas du type attendu.", en: "The value is not of the type expected."},
	{prefix: "unexpected property", code: "champ_inconnu", fr: "Ce champ n'existe pas.", en: "There is no such field."},
	{prefix: "unknown query parameter", code: "champ_inconnu", fr: "Ce paramètre n'existe pas.", en: "There is no such parameter."},
	{prefix: "expected required property ", code: "requis", fr: "Ce champ est obligatoire.", en: "This field is required.", member: true},
	{prefix: "required ", code: "requis", fr: "Ce paramètre est obligatoire.", en: "This parameter is required."},
	{prefix: "expected string to be RFC 3339 date-time", code: "instant_invalide", fr: "Ce n'est pas un instant AAAA-MM-JJThh:mm:ssZ.", en: "This is not an instant YYYY-MM-DDThh:mm:ssZ."},
	{prefix: "expected string to be RFC 3339 date", code: "date_invalide", fr: "Ce n'est pas un jour AAAA-MM-JJ du calendrier.", en: "This is not a calendar day YYYY-MM-DD."},
	{prefix: "expected string to be RFC 4122 uuid", code: "identifiant_invalide", fr: "Ce n'est pas un identifiant.", en: "This is not an id."},
	{prefix: "expected string to be base64", code: "format", fr: "Ce n'est pas du base64.", en: "This is not base64."},
	{prefix: "expected string to match pattern ", code: "format", fr: "La valeur doit avoir la forme %s.", en: "The value must match %s."},
	{prefix: "expected value to be one of ", code: "valeur_inconnue", fr: "Valeurs possibles : %s.", en: "Possible values: %s."},
	{prefix: "expected number >= ", code: "trop_petit", fr: "Au moins %s.", en: "At least %s."},
	{prefix: "expected number <= ", code: "trop_grand", fr: "Au plus %s.", en: "At most %s."},
	{prefix: "expected length >= ", code: "trop_court", fr: "Au moins %s caractères.", en: "At least %s characters."},
	{prefix: "expected length <= ", code: "trop_long", fr: "Au plus %s caractères.", en: "At most %s characters."},
	{prefix: "expected boolean", code: "type_invalide", fr: "Ce champ attend un booléen.", en: "This field takes a boolean."},
	{prefix: "expected integer", code: "type_invalide", fr: "Ce champ attend un nombre entier.", en: "This field takes an integer."},
	{prefix: "invalid integer", code: "type_invalide", fr: "Ce paramètre attend un nombre entier.", en: "This parameter takes an integer."},
	{prefix: "expected number", code: "type_invalide", fr: "Ce champ attend un nombre.", en: "This field takes a number."},
	{prefix: "expected string", code: "type_invalide", fr: "Ce champ attend un texte.", en: "This field takes a text."},
	{prefix: "expected array", code: "type_invalide", fr: "Ce champ attend une liste.", en: "This field takes a list."},
	{prefix: "expected object", code: "type_invalide", fr: "Ce champ attend un objet.", en: "This field takes an object."},
}
