package tarif

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// shape says what a value must be, for a decoder that is slow and plain: a name of a type, a list of one shape, or the keys of
// an object, where "?" marks a key that may be absent.
type (
	keys map[string]any
	each struct{ of any }
)

var (
	grilleShape = keys{
		"code": "string", "service": "service", "du": "date", "au": "date", "part_fixe_an": "int64",
		"tranches": each{keys{"jusqua_m3?": "int64", "prix_m3": "int64"}}, "tva_pm": "int64",
	}
	shapes = map[string]keys{
		"facture": {
			"id": "string", "date_facturation": "date", "periode": keys{"du": "date", "au": "date"},
			"pdl": keys{"logements": "int64", "assainissement": "bool", "habitation": "bool"},
			"poses": each{keys{
				"du": "date", "au": "date", "roues": "int64", "litres_par_unite": "int64", "index_debut": "int64", "index_fin": "int64",
				"releves?": each{keys{"date": "date", "index": "int64"}},
			}},
			"grilles": each{grilleShape},
			"redevances": each{keys{
				"code": "string", "service": "service", "du": "date", "au": "date", "taux_m3": "int64", "coefficient_pm": "int64", "tva_pm": "int64",
			}},
			"fuite?":    keys{"volume_moyen_litres": "int64", "multiple?": "int64", "attestation": "bool", "informe": "bool"},
			"acomptes?": each{keys{"rubrique": "rubrique", "code": "string", "ht_centimes": "int64", "tva_pm": "int64"}},
		},
		"controle_grille": {"id": "string", "grille": grilleShape, "rurale": "bool", "touristique": "bool"},
	}
	integer = regexp.MustCompile(`^-?[0-9]+$`)
)

// strip returns v without its other keys and without dates that are no days, or false when it has not the shape.
func strip(v, shape any) (any, bool) {
	switch shape := shape.(type) {
	case keys:
		object, ok := v.(map[string]any)
		if !ok {
			return nil, false
		}
		stripped := map[string]any{}
		for key, inside := range shape {
			key, optional := strings.CutSuffix(key, "?")
			value, found := object[key]
			if !found && !optional {
				return nil, false
			}
			if !found {
				continue
			}
			if stripped[key], ok = strip(value, inside); !ok {
				return nil, false
			}
			if stripped[key] == nil {
				delete(stripped, key)
			}
		}
		return stripped, true
	case each:
		list, ok := v.([]any)
		if !ok {
			return nil, false
		}
		stripped := make([]any, len(list))
		for i := range list {
			if stripped[i], ok = strip(list[i], shape.of); !ok {
				return nil, false
			}
		}
		return stripped, true
	}
	text, isString := v.(string)
	switch shape {
	case "string":
		return v, isString
	case "bool":
		_, ok := v.(bool)
		return v, ok
	case "service":
		return v, isString && Service(text).known()
	case "rubrique":
		return v, isString && Rubrique(text).known()
	case "date":
		if _, err := ParseDate(text); isString && err != nil {
			return nil, true
		}
		return v, isString
	case "int64":
		number, ok := v.(json.Number)
		if !ok || !integer.MatchString(number.String()) {
			return nil, false
		}
		_, err := number.Int64()
		return v, err == nil
	}
	panic(fmt.Sprint("no such shape ", shape))
}

// plainAnswer answers a line by way of encoding/json.
func plainAnswer(t testing.TB, line []byte) any {
	malformed := map[string]any{"id": "", "erreur": string(JSONInvalide)}
	if !json.Valid(line) || !utf8.Valid(line) {
		return malformed
	}
	object, _ := parse(t, line).(map[string]any)
	kind, _ := object["type"].(string)
	if shapes[kind] == nil {
		return malformed
	}
	stripped, ok := strip(object, shapes[kind])
	if !ok {
		return malformed
	}
	text, err := json.Marshal(stripped)
	if err != nil {
		t.Fatal(err)
	}
	var answer any
	var asked struct {
		Cas
		Grille      Grille `json:"grille"`
		Rurale      bool   `json:"rurale"`
		Touristique bool   `json:"touristique"`
	}
	if err := json.Unmarshal(text, &asked); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if kind == "facture" {
		answer, err = Calculer(&asked.Cas)
	} else {
		var c Controle
		c, err = Controler(&asked.Grille, asked.Rurale, asked.Touristique)
		c.ID = asked.ID
		answer = c
	}
	if err != nil {
		answer = map[string]any{"id": asked.ID, "erreur": err}
	}
	if text, err = json.Marshal(answer); err != nil {
		t.Fatal(err)
	}
	return parse(t, text)
}

// half finds what may be half a surrogate pair, which encoding/json replaces and the decoder refuses.
var half = regexp.MustCompile(`(?i)\\ud[89a-f]`)

// checkAnswer compares the answer to a line with that of encoding/json.
func checkAnswer(t testing.TB, a *answerer, line []byte) {
	t.Helper()
	got := a.answer(nil, line)
	if bytes.Count(got, []byte{'\n'}) != 1 || got[len(got)-1] != '\n' || !json.Valid(got) || !utf8.Valid(got) {
		t.Fatalf("%q is answered %q, not one line of JSON", line, got)
	}
	if half.Match(line) {
		return
	}
	if want := plainAnswer(t, line); !equal(parse(t, got), want) {
		t.Fatalf("%q\n got %s\nwant %v", line, got, want)
	}
}

func equal(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && maps.EqualFunc(a, b, equal)
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, equal)
	}
	return a == b
}

// oddities change a line of the corpus: the first text into the second. The answer of encoding/json decides what is right.
var oddities = [][2]string{
	{`"logements":1`, `"logements":1.0`},
	{`"logements":1`, `"logements":1e0`},
	{`"logements":1`, `"logements":-1`},
	{`"logements":1`, `"logements":-0`},
	{`"logements":1`, `"logements":01`},
	{`"logements":1`, `"logements":+1`},
	{`"logements":1`, `"logements":1.`},
	{`"logements":1`, `"logements":.1`},
	{`"logements":1`, `"logements":1e`},
	{`"logements":1`, `"logements":-`},
	{`"logements":1`, `"logements":0x1`},
	{`"logements":1`, `"logements":NaN`},
	{`"logements":1`, `"logements":9223372036854775807`},
	{`"logements":1`, `"logements":9223372036854775808`},
	{`"logements":1`, `"logements":-9223372036854775808`},
	{`"logements":1`, `"logements":-9223372036854775809`},
	{`"logements":1`, `"logements":18446744073709551617`},
	{`"logements":1`, `"logements":99999999999999999999999999`},
	{`"logements":1`, `"logements":null`},
	{`"logements":1`, `"logements":true`},
	{`"logements":1`, `"logements":[1]`},
	{`"logements":1`, `"logements":2,"logements":1`},
	{`"logements":1`, `"logements":"x","logements":1`},
	{`"logements":1`, `"logements":1,"logements":"x"`},
	{`"logements":1`, `"Logements":1`},
	{`"logements":1`, `"logements":1,"LOGEMENTS":"x"`},
	{`"logements":1`, `"\u006cogements":1`},
	{`"logements":1`, `"logements" : 1 , "x" : {"a":[[],{},[{"b":[1,2.5e-3,"\"",null]}]]}`},
	{`"logements":1`, `"logements":1,"x":{"a":1,}`},
	{`"logements":1`, `"logements":1,"x":[1,]`},
	{`"logements":1`, `"logements":1,"x":[1 2]`},
	{`"logements":1`, `"logements":1,"x":{1:2}`},
	{`"logements":1`, `"logements":1,"x":{"a"}`},
	{`"logements":1`, `"logements":1,"x":[}`},
	{`"logements":1`, `"logements":1,"x":nul`},
	{`"logements":1`, `"logements":1,"x":truefalse`},
	{`"logements":1`, `"logements":1,"x":"` + "\t" + `"`},
	{`"logements":1`, `"logements":1,"x":"` + "\xff" + `"`},
	{`"logements":1`, `"logements":1,"x":"` + "\xed\xa0\x80" + `"`},
	{`"logements":1`, `"logements":1,"x":"\x41"`},
	{`"logements":1`, `"logements":1,"x":"\u00"`},
	{`"logements":1`, `"logements":1,"x":"\u00g0"`},
	{`"logements":1`, `"logements":1 /* one */`},
	{`"logements":1`, `'logements':1`},
	{`"logements":1,`, `,"logements":1,`},
	{`"logements":1,`, `"logements":1;`},
	{`"pdl":{`, `"pdl":[],"pdl":{`},
	{`"pdl":{`, `"pdl":{"logements":5,"assainissement":true,"habitation":true},"pdl":{`},
	{`"periode":{`, `"periode":{},"PERIODE":{},"periode":{`},
	{`"releves":[`, `"releves":null,"releves":[`},
	{`"releves":[`, `"releves":[],"Releves":[`},
	{`"releves":[`, `"releves":{},"x":[`},
	{`"releves":[`, `"releves":[0,`},
	{`"fuite":{`, `"fuite":null,"x":{`},
	{`"fuite":{`, `"fuite":{"volume_moyen_litres":1},"x":{`},
	{`"fuite":{`, `"Fuite":0,"fuite":{`},
	{`"acomptes":[`, `"acomptes":[{}],"x":[`},
	{`"acomptes":[`, `"acomptes":[null,`},
	{`"rubrique":"distribution"`, `"rubrique":"Distribution"`},
	{`"rubrique":"distribution"`, `"rubrique":"eaux\u005fusees"`},
	{`"jusqua_m3":30`, `"jusqua_m3":null`},
	{`"jusqua_m3":30`, `"jusqua_m3":"30"`},
	{`"jusqua_m3":30`, `"jusqua_m3":"30","jusqua_m3":30`},
	{`"service":"eau"`, `"service":"EAU"`},
	{`"service":"eau"`, `"service":"eau "`},
	{`"service":"eau"`, `"service":"\u0065au"`},
	{`"service":"eau"`, `"service":"gaz","service":"eau"`},
	{`"du":"2025-01-01"`, `"du":"2025\u002d01-01"`},
	{`"du":"2025-01-01"`, `"du":"2025-1-1"`},
	{`"du":"2025-01-01"`, `"du":20250101`},
	{`"du":"2025-01-01"`, `"du":""`},
	{`"type":"facture"`, `"type":"Facture"`},
	{`"type":"facture"`, `"type":"controle_grille"`},
	{`"type":"facture"`, `"type":["facture"]`},
	{`"type":"facture"`, `"type":"x","rurale":1,"grille":{"code":[{}]},"touristique":null,"type":"facture"`},
	{`"type":"facture",`, ``},
	{`"id":"simple-001"`, `"id":"é\"\\\/\b\f\n\r\t\u0000\u001f\u2028\ud83d\ude00<&>"`},
	{`"id":"simple-001"`, `"id":null`},
	{`"id":"simple-001"`, `"id":""`},
	{`"id":"simple-001"`, `"id":1`},
	{`"code":"eau-2025"`, `"code":"\u00e9 \"1\""`},
	{`{"type"`, "\ufeff" + `{"type"`},
	{`{"type"`, " \t\r\n" + `{"type"`},
	{`{"type"`, `[{"type"`},
	{`{"type"`, "\v" + `{"type"`},
	{`{"type"`, "\x00" + `{"type"`},
}

// endings are put behind a line.
var endings = []string{" \t\r\n", "x", "{}", "}", ",", "\x00", "\x00 ", "//"}

func oddLines(t testing.TB) (lines [][]byte) {
	first := corpusLines(t, "factures.jsonl")[0]
	for _, change := range oddities {
		if !bytes.Contains(first, []byte(change[0])) {
			t.Fatalf("%s is not in %s", change[0], first)
		}
		lines = append(lines, bytes.Replace(first, []byte(change[0]), []byte(change[1]), 1))
	}
	for _, ending := range endings {
		lines = append(lines, slices.Concat(first, []byte(ending)))
	}
	for _, text := range []string{"", " ", "null", "[]", "{}", `"facture"`, "1", "{", `{"`, `{"type`, `{"type"`, `{"type":`, `{"a":"\`, `{"a":"\u`, `{"a":"\ud83d\`} {
		lines = append(lines, []byte(text))
	}
	return lines
}

func TestOddLines(t *testing.T) {
	lines := slices.Concat(oddLines(t), corpusLines(t, "factures.jsonl"))
	var a answerer // what one line leaves behind is not in the next
	for _, line := range lines {
		checkAnswer(t, &a, line)
	}
	t.Logf("%d lines answered like encoding/json", len(lines))
}

// A line cut anywhere is malformed, and so is one with half a character.
func TestCutLines(t *testing.T) {
	first := corpusLines(t, "factures.jsonl")[0]
	var a answerer
	for i := range first {
		if got := string(a.answer(nil, first[:i])); got != malformedLine+"\n" {
			t.Fatalf("%s is answered %s", first[:i], got)
		}
	}
	for _, pair := range []string{`\ud83d`, `\ud83dx`, `\ud83d\n`, `\ud83d\u0041`, `\ude00\ud83d`, `\ude00`} {
		line := bytes.Replace(first, []byte(`"id":"simple-001"`), []byte(`"id":"`+pair+`"`), 1)
		if got := string(a.answer(nil, line)); got != malformedLine+"\n" {
			t.Errorf("%s is answered %s", pair, got)
		}
	}
}

// Nesting costs a byte a level, not a call.
func TestDeepLine(t *testing.T) {
	first := corpusLines(t, "factures.jsonl")[0]
	deep := strings.Repeat(`[{"a":`, 1e6) + "0" + strings.Repeat("}]", 1e6)
	line := append([]byte(`{"x":`+deep+`,`), first[1:]...)
	var a answerer
	if want, got := a.answer(nil, first), a.answer(nil, line); !bytes.Equal(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := string(a.answer(nil, line[:1e6])); got != malformedLine+"\n" {
		t.Errorf("cut: %s", got)
	}
}

// The memory of the cases before leaves no trace in the next.
func TestRandomLines(t *testing.T) {
	var reused answerer
	rapid.Check(t, func(t *rapid.T) {
		for range draws {
			c := drawCas(t)
			c.Acomptes = append(c.Acomptes, Acompte{Distribution, rapid.String().Draw(t, "code"), math.MinInt64 + 1, 55})
			text, err := json.Marshal(struct {
				Type string `json:"type"`
				*Cas
			}{"facture", c})
			if err != nil {
				t.Fatal(err)
			}
			line := bytes.ReplaceAll(text, []byte(`":null`), []byte(`":[]`)) // a nil slice
			r, err := Calculer(c)
			var want []byte
			if err == nil {
				want, err = json.Marshal(r)
			} else {
				want, err = json.Marshal(map[string]any{"id": c.ID, "erreur": err})
			}
			if err != nil {
				t.Fatal(err)
			}
			got := reused.answer(nil, line)
			if !equal(parse(t, got), parse(t, want)) {
				t.Fatalf("%s\n got %s\nwant %s", line, got, want)
			}
		}
	})
}

func FuzzAnswer(f *testing.F) {
	for _, line := range slices.Concat(corpusLines(f, "factures.jsonl"), oddLines(f)) {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line []byte) { checkAnswer(t, new(answerer), line) })
}
