package main

import (
	"io/fs"
	"strings"

	"aquaerp.fr/eventing"
	"aquaerp.fr/functions"
	"aquaerp.fr/shared"
)

// tree puts file systems under names of one element each.
type tree map[string]fs.FS

// product is the part of this repository that migrate.Up reads.
var product = tree{"eventing": eventing.Migrations, "functions": functions.Migrations, "shared": shared.Reply}

// Open implements fs.FS; the root itself cannot be listed.
func (t tree) Open(name string) (fs.File, error) {
	top, rest, below := strings.Cut(name, "/")
	if !below {
		rest = "."
	}
	branch, ok := t[top]
	if !ok || !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return branch.Open(rest)
}
