package main

import (
	"os"
	"strings"
	"testing"
)

// Each bug still finds the place where it goes; whether it is caught takes the program, and minutes.
func TestBugsFindTheirPlace(t *testing.T) {
	for _, m := range mutants {
		for _, e := range m.edits {
			raw, err := os.ReadFile("../../" + e.file)
			if err != nil || strings.Count(string(raw), e.was) != 1 {
				t.Errorf("%s: %s has %d times %q (%v)", m.name, e.file, strings.Count(string(raw), e.was), e.was, err)
			}
		}
	}
}
