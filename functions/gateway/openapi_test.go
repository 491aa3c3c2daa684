package main

import (
	"bytes"
	"testing"
)

func TestOpenAPIIsCurrent(t *testing.T) {
	t.Parallel()
	served, err := openapi()
	if err != nil {
		t.Fatal(err)
	}
	committed, err := docFiles.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(served, committed) {
		t.Error("openapi.json is not what the gateway serves: go run ./functions/gateway openapi > functions/gateway/openapi.json")
	}
}
