// Package functions holds the migrations of all functions, for the program
// that applies them. The functions themselves are the commands below it.
package functions

import "embed"

// Migrations are <function>/migrations/*.sql.
//
//go:embed */migrations/*.sql
var Migrations embed.FS
