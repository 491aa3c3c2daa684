// Package eventing holds the migrations of the schema that events pass
// through, for the program that applies them.
package eventing

import "embed"

// Migrations are migrations/*.sql.
//
//go:embed migrations/*.sql
var Migrations embed.FS
