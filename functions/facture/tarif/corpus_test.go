package tarif

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

// corpusLines returns the lines of a file of the corpus.
func corpusLines(t testing.TB, name string) [][]byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
}

// parse reads JSON with its numbers as written, for a comparison that is strict.
func parse(t rapid.TB, text []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
	return v
}

func TestCorpus(t *testing.T) {
	cases, want := corpusLines(t, "factures.jsonl"), corpusLines(t, "attendus.jsonl")
	if len(cases) != len(want) {
		t.Fatalf("%d cases, %d results", len(cases), len(want))
	}
	var out bytes.Buffer
	if err := Simuler(t.Context(), bytes.NewReader(bytes.Join(cases, []byte("\n"))), &out); err != nil {
		t.Fatal(err)
	}
	matched := 0
	answers := bufio.NewScanner(&out)
	for i := range cases {
		if !answers.Scan() {
			t.Fatalf("no answer to line %d", i+1)
		}
		if reflect.DeepEqual(parse(t, answers.Bytes()), parse(t, want[i])) {
			matched++
			continue
		}
		t.Errorf("line %d %s\n got %s\nwant %s", i+1, cases[i], answers.Bytes(), want[i])
	}
	if answers.Scan() {
		t.Errorf("one answer too many: %s", answers.Bytes())
	}
	t.Logf("%d/%d cases of the corpus match", matched, len(cases))
}
