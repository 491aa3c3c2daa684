package main

import (
	"cmp"
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/functions/facture/tarif"
	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// bareme holds every tariff and levy, and answers which of them price a place.
type bareme struct {
	grilles    []grilleDe
	redevances []redevanceDe
	bassins    map[string]string // of the communes that are listed
}

type grilleDe struct {
	commune, profil string
	tarif.Grille
}

type redevanceDe struct {
	bassin string
	tarif.Redevance
}

// place is what decides which tariffs hold for a contract.
type place struct {
	commune, profil string
	accordes        []accorde
}

// accorde is a profile that stands before the contract's own on some days.
type accorde struct {
	profil string
	tarif.Periode
}

func newBareme(t message.TarifsEnVigueur, bassins map[string]string) *bareme {
	b := &bareme{bassins: bassins}
	for _, g := range t.Grilles {
		b.grilles = append(b.grilles, grilleDe{g.Commune, g.Profil, grilleTarif(g.DefinirGrille)})
	}
	for _, r := range t.Redevances {
		b.redevances = append(b.redevances, redevanceDe{r.Bassin, redevanceTarif(r.DefinirRedevance)})
	}
	return b
}

func loadBassins(ctx context.Context, tx *function.Tx) (map[string]string, error) {
	rows, err := tx.Query(ctx, "select code_insee, bassin from commune")
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	var commune, bassin string
	_, err = pgx.ForEachRow(rows, []any{&commune, &bassin}, func() error { out[commune] = bassin; return nil })
	return out, err
}

// pour returns what prices the days of p at a place when it is billed on a
// day: on each day, of the tariffs of a service, the one that says most.
func (b *bareme) pour(l place, p tarif.Periode, facturation tarif.Date) ([]tarif.Grille, []tarif.Redevance) {
	return append(b.service(tarif.Eau, l, p), b.service(tarif.Assainissement, l, p)...), b.levies(b.bassins[l.commune], facturation)
}

// claim is a tariff over the days on which it may hold. A commune says more
// than a profile, a profile granted more than the contract's own.
type claim struct {
	grille *tarif.Grille
	tarif.Periode
	rank int
}

func (b *bareme) service(s tarif.Service, l place, p tarif.Periode) []tarif.Grille {
	var claims []claim
	for i := range b.grilles {
		g := &b.grilles[i]
		if g.Service != s || g.commune != "" && g.commune != l.commune {
			continue
		}
		rank := 0
		if g.commune != "" {
			rank = 3
		}
		switch g.profil {
		case "":
			claims = append(claims, claim{&g.Grille, g.Periode, rank})
		case l.profil:
			claims = append(claims, claim{&g.Grille, g.Periode, rank + 1})
		}
		for _, a := range l.accordes {
			if g.profil == a.profil {
				claims = append(claims, claim{&g.Grille, both(g.Periode, a.Periode), rank + 2})
			}
		}
	}
	slices.SortStableFunc(claims, func(a, b claim) int { return cmp.Compare(b.rank, a.rank) })
	var out []tarif.Grille
	var taken []tarif.Periode
	for _, c := range claims {
		for _, part := range without(c.Periode, taken) {
			if inside := both(part, p); inside.Du < inside.Au {
				g := *c.grille
				g.Periode = part
				out = append(out, g)
			}
		}
		taken = append(taken, c.Periode)
	}
	slices.SortStableFunc(out, func(a, b tarif.Grille) int { return cmp.Compare(a.Du, b.Du) })
	return out
}

// levies are those in force on a day: of each, that of the basin, else that of everywhere.
func (b *bareme) levies(bassin string, day tarif.Date) (out []tarif.Redevance) {
	for _, own := range []bool{true, false} {
		for _, r := range b.redevances {
			if day < r.Du || day >= r.Au || own != (r.bassin != "") || own && r.bassin != bassin {
				continue
			}
			if !slices.ContainsFunc(out, func(o tarif.Redevance) bool { return o.Code == r.Code && o.Service == r.Service }) {
				out = append(out, r.Redevance)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b tarif.Redevance) int {
		return cmp.Or(cmp.Compare(b.Service, a.Service), cmp.Compare(a.Code, b.Code))
	})
	return out
}

func both(p, q tarif.Periode) tarif.Periode {
	return tarif.Periode{Du: max(p.Du, q.Du), Au: min(p.Au, q.Au)}
}

// without returns the parts of p that no interval takes.
func without(p tarif.Periode, taken []tarif.Periode) []tarif.Periode {
	parts := []tarif.Periode{p}
	for _, t := range taken {
		var left []tarif.Periode
		for _, q := range parts {
			if t.Au <= t.Du || t.Au <= q.Du || q.Au <= t.Du {
				left = append(left, q)
				continue
			}
			if q.Du < t.Du {
				left = append(left, tarif.Periode{Du: q.Du, Au: t.Du})
			}
			if t.Au < q.Au {
				left = append(left, tarif.Periode{Du: t.Au, Au: q.Au})
			}
		}
		parts = left
	}
	return parts
}
