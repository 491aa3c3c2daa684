package main

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"aquaerp.fr/shared/message"
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

// TestFiltersFollowTheCatalogue holds the states that a URL may name to those
// that the query takes.
func TestFiltersFollowTheCatalogue(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]any{
		{ListeContrats{}, message.Contrats{}}, {ListeFactures{}, message.Factures{}}, {ListeInterventions{}, message.Interventions{}},
		{ListePlans{}, message.Plans{}}, {ListeEnvois{}, message.Envois{}},
		{ListePrelevements{}, message.Prelevements{}}, {ListeOperations{}, message.OperationsBancaires{}},
	} {
		list, _ := reflect.TypeOf(pair[0]).FieldByName("Etat")
		query, _ := reflect.TypeOf(pair[1]).FieldByName("Etat")
		_, states, _ := strings.Cut(query.Tag.Get("validate"), "oneof=")
		if want := strings.ReplaceAll(states, " ", ","); list.Tag.Get("enum") != want || want == "" {
			t.Errorf("%T takes %q, %T %q", pair[0], list.Tag.Get("enum"), pair[1], want)
		}
	}
}
