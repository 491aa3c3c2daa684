package message

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write golden files for new messages and new fields")

var typeName = regexp.MustCompile(`^fr\.aquaerp\.[a-z]+\.[a-z]+(-[a-z]+)*\.v[0-9]+$`)

func TestCatalogue(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, e := range Catalogue() {
		name := e.Payload.Type()
		if seen[name] {
			t.Errorf("%s is in the catalogue twice", name)
		}
		seen[name] = true
		if _, tick := e.Payload.(Tick); !tick && !typeName.MatchString(name) {
			t.Errorf("%s is not fr.aquaerp.<function>.<name>.v<n>", name)
		}
		if (e.Kind == Event) != (e.Reply == nil) {
			t.Errorf("%s: an event has no reply, a request has one", name)
		}
	}
}

// TestWire pins the shapes on the wire. A golden file holds every field that
// a message ever had: it must still be there, with the same JSON type, and a
// payload written then must still be read now.
func TestWire(t *testing.T) {
	t.Parallel()
	for _, e := range Catalogue() {
		pin(t, e.Payload.Type(), e.Payload)
		if e.Reply != nil {
			pin(t, ReplyType(e.Payload.Type()), e.Reply)
		}
	}
	pin(t, Problem{}.Type(), Problem{})
}

func pin(t *testing.T, name string, zero any) {
	t.Helper()
	now := sample(t, zero)
	file := filepath.Join("testdata", "wire", name+".json")
	golden, err := os.ReadFile(file)
	if *update && (errors.Is(err, fs.ErrNotExist) || lost("", parse(t, golden), parse(t, now)) == nil) {
		if err := os.WriteFile(file, now, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if err != nil {
		t.Errorf("%s has no golden file: go test ./shared/message -update", name)
		return
	}
	for _, l := range lost("", parse(t, golden), parse(t, now)) {
		t.Errorf("%s: %s: shapes only grow; this needs a v2", name, l)
	}
	for _, l := range lost("", parse(t, now), parse(t, golden)) {
		t.Errorf("%s: new in the code, absent from the golden file: %s: go test ./shared/message -update", name, l)
	}
	d := json.NewDecoder(bytes.NewReader(golden))
	d.DisallowUnknownFields()
	if err := d.Decode(reflect.New(reflect.TypeOf(zero)).Interface()); err != nil {
		t.Errorf("%s: what was written then is not read now: %v", name, err)
	}
}

// lost lists what was in a value and is not, or has another type, in another.
func lost(path string, was, is any) (out []string) {
	switch was := was.(type) {
	case map[string]any:
		is, ok := is.(map[string]any)
		if !ok {
			return []string{path + " was an object"}
		}
		for k, v := range was {
			if _, ok := is[k]; !ok {
				out = append(out, path+"/"+k+" is gone")
				continue
			}
			out = append(out, lost(path+"/"+k, v, is[k])...)
		}
	case []any:
		is, ok := is.([]any)
		if !ok {
			return []string{path + " was a list"}
		}
		if len(was) > 0 && len(is) > 0 {
			return lost(path+"/0", was[0], is[0])
		}
	default:
		if fmt.Sprintf("%T", was) != fmt.Sprintf("%T", is) {
			return []string{fmt.Sprintf("%s was a %T and is a %T", path, was, is)}
		}
	}
	return out
}

func parse(t *testing.T, raw []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// sample is a payload with every field filled, as JSON.
func sample(t *testing.T, zero any) []byte {
	t.Helper()
	v := reflect.New(reflect.TypeOf(zero)).Elem()
	fill(v)
	raw, err := json.MarshalIndent(v.Interface(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(raw, '\n')
}

func fill(v reflect.Value) {
	switch v.Interface().(type) {
	case Date:
		v.Set(reflect.ValueOf(NewDate(2026, time.November, 23)))
		return
	case time.Time:
		v.Set(reflect.ValueOf(time.Date(2026, time.November, 23, 8, 30, 0, 0, time.UTC)))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString("texte")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(42)
	case reflect.Uint8:
		v.SetUint(42)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Map:
		elem := reflect.New(v.Type().Elem()).Elem()
		fill(elem)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("cle"), elem)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	default:
		panic("a message holds a " + v.Kind().String())
	}
}

func TestDate(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"2026-02-29", "2026-13-01", "26-01-01", "2026-1-1", "2026-01-01T00:00:00Z", " 2026-01-01"} {
		if d, err := ParseDate(bad); err == nil {
			t.Errorf("%q was read as %s", bad, d)
		}
	}
	// 23:30 UTC on 31 December is the next year in Paris.
	if got := DateOf(time.Date(2026, time.December, 31, 23, 30, 0, 0, time.UTC)); got != NewDate(2027, time.January, 1) {
		t.Errorf("got %s", got)
	}
	if got := NewDate(2027, time.January, 1).DaysSince(NewDate(2026, time.January, 1)); got != 365 {
		t.Errorf("2026 has %d days", got)
	}
	var none struct {
		D Date `json:"d,omitzero"`
	}
	if raw, _ := json.Marshal(none); string(raw) != "{}" {
		t.Errorf("no day travels as %s", raw)
	}
}

func TestEuros(t *testing.T) {
	t.Parallel()
	for centimes, want := range map[int64]string{
		0: "0,00 €", 5: "0,05 €", 99_999: "999,99 €", 123_456: "1\u202f234,56 €", 12_345_678_900: "123\u202f456\u202f789,00 €", -1250: "−12,50 €",
	} {
		if got := Euros(centimes); got != strings.ReplaceAll(want, " €", "\u00a0€") {
			t.Errorf("%d: %s, want %s", centimes, got, want)
		}
	}
}
