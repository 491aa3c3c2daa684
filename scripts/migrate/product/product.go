// Package product is the part of this repository that migrations are read
// from, compiled in.
package product

import (
	"io/fs"
	"strings"

	"aquaerp.fr/eventing"
	"aquaerp.fr/functions"
	"aquaerp.fr/shared"
)

// tree puts file systems under names of one element each.
type tree map[string]fs.FS

// FS is what migrate.Up and migrate.Roles read.
var FS fs.FS = tree{"eventing": eventing.Migrations, "functions": functions.Migrations, "shared": shared.Reply}

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
