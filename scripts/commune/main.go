// Command commune writes a made-up village for AquaERP, the input of the
// demonstration and of the tests, into a directory:
//
//	reprise.csv          contracts in force, for POST /v1/reprises
//	releves-<date>.csv   a reading round each, for POST /v1/tournees
//	changements.jsonl    changes of meter
//	tarifs.json          tariffs and redevances, with their source
//	attendus.csv         which readings are expected to be estimated or suspect
//
// The same -n and -seed give the same bytes.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"aquaerp.fr/scripts/commune/village"
)

func main() {
	n := flag.Int("n", 500, "households, 1 to 100000")
	seed := flag.Uint64("seed", 1, "which village")
	out := flag.String("out", "commune", "directory to write to")
	flag.Parse()
	if err := run(village.Village{Seed: *seed, N: *n}, *out); err != nil {
		fmt.Fprintln(os.Stderr, "commune:", err)
		os.Exit(1)
	}
}

func run(v village.Village, dir string) error {
	if v.N < 1 || v.N > 100_000 {
		return fmt.Errorf("-n %d: 1 to 100000 households", v.N)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	files := map[string]func(io.Writer) error{
		"reprise.csv":       v.WriteReprise,
		"changements.jsonl": v.WriteChangements,
		"attendus.csv":      v.WriteAttendus,
		"tarifs.json":       village.WriteTarifs,
	}
	for k, jour := range village.Tournees {
		files["releves-"+jour.String()+".csv"] = func(w io.Writer) error { return v.WriteReleves(w, k) }
	}
	for name, write := range files {
		if err := create(filepath.Join(dir, name), write); err != nil {
			return err
		}
	}
	return nil
}

func create(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		f.Close()
		return fmt.Errorf("%s: %w", path, err)
	}
	return f.Close()
}
