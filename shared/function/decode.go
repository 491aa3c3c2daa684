package function

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"sync"

	"github.com/go-playground/validator/v10"

	"aquaerp.fr/shared/message"
)

// decodeRequest reads the payload of a request strictly: an unknown field, a
// wrong type or a second value is refused, and so is what its tags forbid.
func decodeRequest[C any](data []byte) (c C, err error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return c, malformed(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return c, malformed(errors.New("more than one value"))
	}
	return c, validate(c)
}

// decodeEvent reads the payload of an event, whose shape may have grown since
// this function was built: unknown fields are passed over.
func decodeEvent[E any](data []byte) (e E, err error) {
	if err := json.Unmarshal(data, &e); err != nil {
		return e, malformed(err)
	}
	return e, validate(e)
}

// malformed turns what encoding/json says into a refusal with the field.
func malformed(err error) error {
	p := problem(http.StatusBadRequest, "json_invalide", "Le contenu n'est pas un JSON valide.", "The content is not valid JSON.")
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrong):
		fr := fmt.Sprintf("Le champ %s attend un autre type que %s.", wrong.Field, wrong.Value)
		en := fmt.Sprintf("Field %s takes another type than %s.", wrong.Field, wrong.Value)
		p = problem(http.StatusBadRequest, "type_invalide", fr, en)
		p.Errors = []message.ProblemField{{Field: wrong.Field, Code: "type_invalide", Detail: fr, DetailEN: en}}
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		field := strings.Trim(strings.TrimPrefix(err.Error(), "json: unknown field "), `"`)
		fr, en := "Le champ "+field+" n'existe pas.", "There is no field "+field+"."
		p = problem(http.StatusBadRequest, "champ_inconnu", fr, en)
		p.Errors = []message.ProblemField{{Field: field, Code: "champ_inconnu", Detail: fr, DetailEN: en}}
	case strings.Contains(err.Error(), "is not a day YYYY-MM-DD"):
		p = problem(http.StatusBadRequest, "date_invalide", "Une date n'est pas un jour AAAA-MM-JJ du calendrier.", "A date is not a calendar day YYYY-MM-DD.")
	}
	return p
}

// validator is made once, on first use: a cold start that needs none pays nothing.
var newValidator = sync.OnceValue(func() *validator.Validate {
	v := validator.New(validator.WithRequiredStructEnabled())
	v.RegisterTagNameFunc(func(f reflect.StructField) string {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		return name
	})
	v.RegisterCustomTypeFunc(func(f reflect.Value) any {
		return f.Interface().(message.Date).String()
	}, message.Date{})
	return v
})

// validate holds a payload against its tags.
func validate(payload any) error {
	err := newValidator().Struct(payload)
	var found validator.ValidationErrors
	if !errors.As(err, &found) {
		return err
	}
	p := problem(http.StatusUnprocessableEntity, "champs_invalides",
		"Certains champs sont à corriger.", "Some fields need to be corrected.")
	for _, f := range found {
		_, path, _ := strings.Cut(f.Namespace(), ".")
		code, fr, en := explain(f)
		p.Errors = append(p.Errors, message.ProblemField{Field: path, Code: code, Detail: fr, DetailEN: en})
	}
	return p
}

// explain words a broken rule.
func explain(f validator.FieldError) (code, fr, en string) {
	text := f.Kind() == reflect.String
	switch f.Tag() {
	case "required", "required_without", "required_without_all", "required_if", "required_unless":
		return "requis", "Ce champ est obligatoire.", "This field is required."
	case "excluded_with", "excluded_if", "excluded_unless":
		return "en_trop", "Ce champ exclut un autre champ donné.", "This field excludes another one that was given."
	case "email":
		return "email_invalide", "Ce n'est pas une adresse électronique.", "This is not an e-mail address."
	case "uuid":
		return "identifiant_invalide", "Ce n'est pas un identifiant.", "This is not an id."
	case "oneof":
		return "valeur_inconnue", "Valeurs possibles : " + f.Param() + ".", "Possible values: " + f.Param() + "."
	case "len":
		return "longueur", "Exactement " + f.Param() + " caractères.", "Exactly " + f.Param() + " characters."
	case "max":
		if text {
			return "trop_long", "Au plus " + f.Param() + " caractères.", "At most " + f.Param() + " characters."
		}
		return "trop_grand", "Au plus " + f.Param() + ".", "At most " + f.Param() + "."
	case "min":
		if text {
			return "trop_court", "Au moins " + f.Param() + " caractères.", "At least " + f.Param() + " characters."
		}
		return "trop_petit", "Au moins " + f.Param() + ".", "At least " + f.Param() + "."
	case "numeric", "alphanum":
		return "format", "Chiffres ou lettres seulement.", "Digits or letters only."
	}
	return "invalide", "Valeur refusée (" + f.Tag() + ").", "Value refused (" + f.Tag() + ")."
}
