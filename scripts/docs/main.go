// Command docs writes what other systems need to speak with AquaERP, from the
// catalogue in shared/message: a JSON Schema per message and the AsyncAPI 3
// document of all of them. `make docs` runs it; its test fails when what is
// committed is not what it would write.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	out := flag.String("out", "shared/message", "folder that receives asyncapi.json and schemas/")
	flag.Parse()
	if err := write(*out); err != nil {
		fmt.Fprintln(os.Stderr, "docs:", err)
		os.Exit(1)
	}
}

func write(folder string) error {
	files, err := generate()
	if err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(folder, "schemas")); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(folder, "schemas"), 0o755); err != nil {
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
