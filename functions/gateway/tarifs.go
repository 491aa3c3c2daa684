package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"aquaerp.fr/shared/message"
)

type (
	// LeJour asks about a day.
	LeJour struct {
		Date string `query:"date" required:"true" format:"date"`
	}
	// Annee asks about a year.
	Annee struct {
		Annee int `path:"annee" minimum:"2000" maximum:"2200"`
	}
	// ReponseCSV is a table as a file.
	ReponseCSV struct {
		ContentType string `header:"Content-Type" hidden:"true"`
		Disposition string `header:"Content-Disposition" doc:"attachment, with the file name"`
		Body        []byte
	}
)

func (g *gateway) tarifs() {
	expose(g, route{"GET", "/v1/tarifs", "lireTarifs", "Read all tariffs and redevances, and the rules that they keep", "tarifs", 0},
		func(*Nothing) message.Tarifs { return message.Tarifs{} })
	expose(g, route{"POST", "/v1/grilles", "definirGrille", "Add a version of a tariff", "tarifs", 201},
		body[message.DefinirGrille])
	about(g, route{"POST", "/v1/grilles/{id}/correction", "corrigerGrille", "Write anew a version that no bill rests on", "tarifs", 0},
		"grille_id", func(c *message.CorrigerGrille) *string { return &c.GrilleID })
	about(g, route{"POST", "/v1/grilles/{id}/fin", "fermerGrille", "End a version on another day", "tarifs", 0},
		"grille_id", func(c *message.FermerGrille) *string { return &c.GrilleID })
	expose(g, route{"POST", "/v1/grilles/{id}/retrait", "retirerGrille", "Withdraw a version that no bill rests on", "tarifs", 0},
		func(in *OrdreSur) message.RetirerGrille { return message.RetirerGrille{GrilleID: in.ID} })
	expose(g, route{"POST", "/v1/redevances", "definirRedevance", "Add a rate of an agence de l'eau", "tarifs", 201},
		body[message.DefinirRedevance])
	expose(g, route{"GET", "/v1/redevances/publiees", "listerTauxPublies", "List rates of agences de l'eau as they were published, by basin", "tarifs", 0},
		func(*Nothing) message.TauxPublies { return message.TauxPublies{} })
	expose(g, route{"POST", "/v1/redevances/importation", "importerTaux", "Define the published rates of a basin, with the coefficients of the service", "tarifs", 0},
		body[message.ImporterTaux])
	expose(g, route{"GET", "/v1/communes", "listerCommunes", "List the communes with their basin and entity", "tarifs", 0},
		func(*Nothing) message.Communes { return message.Communes{} })
	expose(g, route{"POST", "/v1/communes", "definirCommune", "List a commune, or change what is known of it", "tarifs", 0},
		body[message.DefinirCommune])

	expose(g, route{"GET", "/v1/contrats/{id}/profils", "listerProfilsAccordes", "List the profiles that a contract was granted", "contrats", 0},
		func(in *ParID) message.ProfilsAccordes { return message.ProfilsAccordes{ContratID: in.ID} })
	about(g, route{"POST", "/v1/contrats/{id}/profils", "accorderProfil", "Grant a contract the social tariff over some days, on evidence", "contrats", 201},
		"contrat_id", func(c *message.AccorderProfil) *string { return &c.ContratID })
	about(g, route{"POST", "/v1/profils/{id}/fin", "fermerProfil", "End a profile granted on an earlier day", "contrats", 0},
		"profil_id", func(c *message.FermerProfil) *string { return &c.ProfilID })

	expose(g, route{"GET", "/v1/tarifs/factures-types", "lireFacturesTypes", "Price 120 m3 in each commune by the tariffs of a day", "tarifs", 0},
		func(in *LeJour) message.FacturesTypes {
			day, _ := message.ParseDate(in.Date) // its format was checked
			return message.FacturesTypes{Date: day}
		})
	expose(g, route{"GET", "/v1/exemples-tarifs", "listerExemplesTarifs", "List tariffs that French services have published, each with its bill of 120 m3", "tarifs", 0},
		func(*Nothing) message.Exemples { return message.Exemples{} })
	expose(g, route{"POST", "/v1/exemples-tarifs/importation", "importerExempleTarif", "Define a published tariff for a commune", "tarifs", 201},
		body[message.ImporterExemple])
	expose(g, route{"POST", "/v1/simulations/prix", "simulerPrix", "Price volumes by versions of a tariff and by a draft", "tarifs", 0},
		func(in *Demande[message.PrixGrilles]) message.PrixGrilles { return in.Body })
	expose(g, route{"POST", "/v1/simulations/base", "simulerBase", "Say what drafts of tariffs would change for every contract", "tarifs", 0},
		func(in *Demande[message.SimulerBase]) message.SimulerBase { return in.Body })

	expose(g, route{"GET", "/v1/indicateurs/{annee}", "lireIndicateurs", "Read the indicators of a year: unpaid rate, price of 120 m3, months", "indicateurs", 0},
		func(in *Annee) message.Indicateurs { return message.Indicateurs{Annee: in.Annee} })
	op := route{"GET", "/v1/indicateurs/{annee}/csv", "exporterIndicateurs", "Read the indicators of a year as CSV", "indicateurs", 0}.operation()
	op.Description = "UTF-8 with a byte order mark, separated by semicolons, decimal comma. A cell that a spreadsheet would take for a formula begins with an apostrophe."
	op.Responses = map[string]*huma.Response{"200": {
		Description: "The table",
		Content:     map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: "string"}}},
	}}
	huma.Register(g.api, op, func(ctx context.Context, in *Annee) (*ReponseCSV, error) {
		i, err := ask(ctx, g, message.Indicateurs{Annee: in.Annee}, "")
		if err != nil {
			return nil, err
		}
		return &ReponseCSV{
			ContentType: "text/csv; charset=utf-8",
			Disposition: fmt.Sprintf(`attachment; filename="indicateurs-%d.csv"`, in.Annee),
			Body:        tableIndicateurs(i),
		}, nil
	})
}

// tableIndicateurs is a line per figure.
func tableIndicateurs(i message.IndicateursAnnee) []byte {
	rows := [][]string{{"code", "nom", "annee", "mois", "code_insee", "commune", "valeur", "unite", "source"}}
	words := map[string]message.DefinitionIndicateur{}
	for _, d := range i.Definitions {
		words[d.Code] = d
	}
	add := func(code, month, insee, commune, value string) {
		d := words[code]
		rows = append(rows, []string{code, d.Nom, fmt.Sprint(i.Annee), month, insee, commune, value, d.Unite, d.Source})
	}
	for _, t := range i.Impayes {
		if t.TauxPDM != nil {
			add(t.Code, "", "", "", decimal(*t.TauxPDM, 2))
		}
	}
	for _, p := range i.Prix {
		add(p.Code, "", p.CodeINSEE, p.Nom, decimal(p.PrixM3UE, 6))
	}
	for _, m := range i.Mois {
		add("facture", m.Mois, "", "", decimal(m.FactureCentimes, 2))
		add("encaisse", m.Mois, "", "", decimal(m.EncaisseCentimes, 2))
		add("echu", m.Mois, "", "", decimal(m.EchuCentimes, 2))
	}
	out := bytes.NewBufferString("\uFEFF")
	w := csv.NewWriter(out)
	w.Comma, w.UseCRLF = ';', true
	for _, row := range rows {
		for k, cell := range row {
			if k != 6 { // a value is a number of ours
				row[k] = harmless(cell)
			}
		}
		_ = w.Write(row) // into memory
	}
	w.Flush()
	return out.Bytes()
}

// harmless is a cell that no spreadsheet takes for a formula.
func harmless(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

// decimal writes an integer of which the last digits are decimals, with a comma.
func decimal(n int64, digits int) string {
	sign := ""
	if n < 0 {
		sign, n = "-", -n
	}
	text := fmt.Sprintf("%0*d", digits+1, n)
	return sign + text[:len(text)-digits] + "," + text[len(text)-digits:]
}
