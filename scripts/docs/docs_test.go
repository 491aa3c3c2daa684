package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"aquaerp.fr/shared/message"
)

const committed = "../../shared/message"

func TestCommittedDocumentsAreCurrent(t *testing.T) {
	t.Parallel()
	files, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(committed, name))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not current: make docs", name)
		}
	}
	old, err := filepath.Glob(filepath.Join(committed, "schemas", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(old) != len(files)-1 {
		t.Errorf("%d schemas are committed, %d messages exist: make docs", len(old), len(files)-1)
	}
}

// TestSchemasTakeTheWire holds every schema against the golden payload of its
// message: what is sent is what is documented.
func TestSchemasTakeTheWire(t *testing.T) {
	t.Parallel()
	files, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for name, raw := range files {
		if !strings.HasPrefix(name, "schemas/") {
			continue
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		c := jsonschema.NewCompiler()
		if err := c.AddResource(name, doc); err != nil {
			t.Fatal(err)
		}
		schema, err := c.Compile(name)
		if err != nil {
			t.Errorf("%s is not a JSON Schema: %v", name, err)
			continue
		}
		golden, err := os.Open(filepath.Join(committed, "testdata", "wire", filepath.Base(name)))
		if err != nil {
			t.Error(err)
			continue
		}
		payload, err := jsonschema.UnmarshalJSON(golden)
		golden.Close()
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(payload); err != nil && !onlyValues(err) {
			t.Errorf("%s refuses what is on the wire: %v", name, err)
		}
		checked++
	}
	if want := len(message.Catalogue()); checked < want {
		t.Errorf("%d schemas checked, at least %d expected", checked, want)
	}
}

// onlyValues tells whether a refusal is about values alone, not about a
// missing or unknown property or a wrong type: golden payloads hold
// placeholder text, so a broken enum, pattern or length says nothing.
func onlyValues(err error) bool {
	raw, _ := json.Marshal(err.(*jsonschema.ValidationError).BasicOutput())
	for _, shape := range []string{"additional propert", "missing propert", "/type", "/required", "/additionalProperties"} {
		if strings.Contains(string(raw), shape) {
			return false
		}
	}
	return true
}
