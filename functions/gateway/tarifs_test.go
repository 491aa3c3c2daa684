package main

import (
	"strings"
	"testing"

	"aquaerp.fr/shared/message"
)

func TestIndicatorsAsCSV(t *testing.T) {
	t.Parallel()
	rate := int64(153)
	got := string(tableIndicateurs(message.IndicateursAnnee{
		Annee:       2025,
		Impayes:     []message.TauxImpayes{{Code: "P154.0", TauxPDM: &rate}, {Code: "P257.0"}},
		Prix:        []message.PrixCommune{{Code: "D102.0", CodeINSEE: "77223", Nom: `=HYPERLINK("http://x")`, PrixM3UE: 2_252_417}},
		Mois:        []message.MoisFacturation{{Mois: "2025-01", FactureCentimes: -5, EncaisseCentimes: 123456, EchuCentimes: 0}},
		Definitions: []message.DefinitionIndicateur{{Code: "P154.0", Nom: "Taux d'impayés", Unite: "%", Source: "arrêté"}},
	}))
	want := "\uFEFFcode;nom;annee;mois;code_insee;commune;valeur;unite;source\r\n" +
		"P154.0;Taux d'impayés;2025;;;;1,53;%;arrêté\r\n" +
		"D102.0;;2025;;77223;\"'=HYPERLINK(\"\"http://x\"\")\";2,252417;;\r\n" +
		"facture;;2025;2025-01;;;-0,05;;\r\nencaisse;;2025;2025-01;;;1234,56;;\r\nechu;;2025;2025-01;;;0,00;;\r\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", strings.ReplaceAll(got, "\r", ""), strings.ReplaceAll(want, "\r", ""))
	}
}
