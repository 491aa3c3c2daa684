// Command build compiles every program of AquaERP into one folder, the web
// application first.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"aquaerp.fr/scripts/stack"
)

func main() {
	out := flag.String("o", "bin", "folder of the programs")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := build(ctx, *out); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		stop()
		os.Exit(1)
	}
}

func build(ctx context.Context, out string) error {
	bin, err := filepath.Abs(out)
	if err != nil {
		return err
	}
	if err := stack.BuildWeb(ctx, "."); err != nil {
		return err
	}
	return stack.Build(ctx, ".", bin)
}
