package product_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"aquaerp.fr/scripts/migrate/product"
	"aquaerp.fr/shared/migrate"
)

// What is compiled in is all that the repository holds.
func TestProductIsWhole(t *testing.T) {
	t.Parallel()
	const root = "../../.."
	var want []string
	for _, pattern := range []string{"functions/*/migrations/*.sql", "eventing/migrations/*.sql", "shared/function/reply.sql"} {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		want = append(want, files...)
	}
	for _, file := range want {
		name, err := filepath.Rel(root, file)
		if err != nil {
			t.Fatal(err)
		}
		disk, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		compiled, err := fs.ReadFile(product.FS, filepath.ToSlash(name))
		if err != nil || string(compiled) != string(disk) {
			t.Errorf("%s: compiled in differs from disk: %v", name, err)
		}
	}
	roles, err := migrate.Roles(product.FS)
	if err != nil || len(roles) < 3 {
		t.Errorf("roles %v, %v", roles, err)
	}
	for _, name := range []string{"nowhere", "functions/../shared", "."} {
		if _, err := product.FS.Open(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
