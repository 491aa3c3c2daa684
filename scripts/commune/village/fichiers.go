package village

import (
	"bufio"
	_ "embed"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"aquaerp.fr/shared/message"
)

// WriteReprise writes the contracts in force, as the command Reprendre reads them.
func (v Village) WriteReprise(w io.Writer) error {
	return table(w, message.ColonnesReprise, func(line func(...any)) {
		for f := range v.Foyers() {
			a, p, c := f.Abonne, f.PDL, f.Compteur
			line(p.Reference, p.Adresse.Voie, p.Adresse.CodePostal, p.Adresse.Commune, p.CodeINSEE, p.Secteur, p.Logements,
				ouiNon(p.Habitation), p.ResidencePrincipale, ouiNon(p.Assainissement),
				a.Nature, a.Nom, a.Prenom, a.Email, a.Telephone, f.Nature, f.ModePaiement,
				c.Serie, c.CalibreMM, c.Roues, c.LitresParUnite, c.Annee, f.Debut, f.Index)
		}
	})
}

// WriteReleves writes round k of Tournees, as the command ImporterReleves reads it.
func (v Village) WriteReleves(w io.Writer, k int) error {
	return table(w, message.ColonnesReleves, func(line func(...any)) {
		for f := range v.Foyers() {
			r := f.Releves[k]
			index := strconv.FormatInt(r.Index, 10)
			if r.Source == "ABSENCE" {
				index = ""
			}
			line(f.PDL.Reference, r.Compteur, r.Date, index, r.Source)
		}
	})
}

// WriteAttendus writes which readings should not be simply valid.
func (v Village) WriteAttendus(w io.Writer) error {
	return table(w, "pdl;compteur;date;etat;motif", func(line func(...any)) {
		for f := range v.Foyers() {
			for _, r := range f.Releves {
				if r.Attendu != "VALIDEE" {
					line(f.PDL.Reference, r.Compteur, r.Date, r.Attendu, r.Motif)
				}
			}
		}
	})
}

// WriteChangements writes the changes of meter, one JSON object a line.
func (v Village) WriteChangements(w io.Writer) error {
	b := bufio.NewWriter(w)
	e := json.NewEncoder(b)
	for c := range v.Changements(Reprise, Tournees[len(Tournees)-1]) {
		if err := e.Encode(c); err != nil {
			return fmt.Errorf("changements: %w", err)
		}
	}
	return b.Flush()
}

// Tarifs are the tariffs of the village, as commands.
type Tarifs struct {
	Source     string                     `json:"source"`
	Grilles    []message.DefinirGrille    `json:"grilles"`
	Redevances []message.DefinirRedevance `json:"redevances"`
}

//go:embed tarifs.json
var tarifs []byte

// LireTarifs returns the tariff published by SMEAPN for Guercheville
// (Seine-et-Marne) for 2026, figure for figure.
func LireTarifs() (t Tarifs, err error) {
	err = json.Unmarshal(tarifs, &t)
	return t, err
}

// WriteTarifs writes them.
func WriteTarifs(w io.Writer) error {
	_, err := w.Write(tarifs)
	return err
}

// table writes a CSV with semicolons.
func table(w io.Writer, columns string, rows func(line func(...any))) error {
	out := csv.NewWriter(w)
	out.Comma = ';'
	_ = out.Write(strings.Split(columns, ";")) // Error tells
	var cells []string
	rows(func(values ...any) {
		cells = cells[:0]
		for _, v := range values {
			cells = append(cells, fmt.Sprint(v))
		}
		_ = out.Write(cells)
	})
	out.Flush()
	return out.Error()
}

func ouiNon(b bool) string {
	if b {
		return "OUI"
	}
	return "NON"
}
