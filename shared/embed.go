// Package shared holds what the program that migrates the database needs of
// the packages below it.
package shared

import "embed"

// Reply is function/reply.sql, the runtime's table in every function's schema.
//
//go:embed function/reply.sql
var Reply embed.FS
