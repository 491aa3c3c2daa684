package village

import (
	"context"
	"fmt"
	"iter"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Copier writes rows by COPY: a connection to PostgreSQL, or a pool.
type Copier interface {
	CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, src pgx.CopyFromSource) (int64, error)
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// CopyToFacture writes n contracts, their meters and their readings into the
// tables of facture as the events of contrat and operation would leave them,
// for who bills more contracts than the API takes over in an hour. They are
// those whose meter nobody changed and whose readings are all plain, so that
// each has a bill, without an address of mail. Their numbers are Numero of
// 1 to n. A Village twice as large as n has enough of them.
func (v Village) CopyToFacture(ctx context.Context, db Copier, n int) error {
	for _, t := range []struct {
		name    string
		columns []string
		rows    func(numero, contrat, pose string, f Foyer) [][]any
	}{
		{"contrat", []string{"id", "numero", "version", "abonne_id", "nom", "adresse", "pdl", "lieu", "logements", "assainissement", "habitation", "mode_paiement", "depuis"},
			func(numero, contrat, _ string, f Foyer) [][]any {
				return [][]any{{contrat, numero, 1, idOf("abonne", f), f.Abonne.Nom, f.Abonne.Adresse, f.PDL.Reference, f.PDL.Adresse.Voie,
					f.PDL.Logements, f.PDL.Assainissement, f.PDL.Habitation, f.ModePaiement, f.Debut.Time()}}
			}},
		{"pose", []string{"id", "contrat_id", "serie", "roues", "litres_par_unite", "du", "index_debut"},
			func(_, contrat, pose string, f Foyer) [][]any {
				return [][]any{{pose, contrat, f.Compteur.Serie, f.Compteur.Roues, f.Compteur.LitresParUnite, f.Debut.Time(), f.Index}}
			}},
		{"releve", []string{"id", "contrat_id", "pose_id", "date", "index", "estimee"},
			func(_, contrat, pose string, f Foyer) (rows [][]any) {
				for _, r := range f.Releves {
					rows = append(rows, []any{idOf(r.Date.String(), f), contrat, pose, r.Date.Time(), r.Index, false})
				}
				return rows
			}},
	} {
		next, stop := iter.Pull(func(yield func([]any) bool) {
			i := 0
			for f := range v.Foyers() {
				if i == n {
					return
				}
				if !f.plain() {
					continue
				}
				i++
				for _, row := range t.rows(Numero(i), idOf("contrat", f), idOf("pose", f), f) {
					if !yield(row) {
						return
					}
				}
			}
		})
		wrote, err := db.CopyFrom(ctx, pgx.Identifier{"facture", t.name}, t.columns, pgx.CopyFromFunc(func() ([]any, error) {
			row, _ := next()
			return row, nil
		}))
		stop()
		if err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
		if wrote < int64(n) {
			return fmt.Errorf("a village of %d has %d plain households", v.N, wrote)
		}
	}
	return nil
}

// Numero is the number of the contract that CopyToFacture writes as its i-th.
func Numero(i int) string { return fmt.Sprintf("C-%07d", i) }

// idOf is the same for the same household, always.
func idOf(what string, f Foyer) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte(what+" "+f.PDL.Reference)).String()
}

func (f Foyer) plain() bool {
	for _, r := range f.Releves {
		if r.Attendu != "VALIDEE" {
			return false
		}
	}
	return f.Changement == nil
}
