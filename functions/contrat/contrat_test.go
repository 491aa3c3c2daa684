package main

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"aquaerp.fr/shared/message"
)

// Whatever is asked of a contract, in whatever order: a refusal changes
// nothing, a change raises the version by one, no state is left that is over,
// and the poses follow one another without gap or overlap.
func TestVieDUnContrat(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		today := message.NewDate(2026, 1, 5)
		c := message.Contrat{Etat: aSigner, Version: 1, ExecutionImmediate: rapid.Bool().Draw(t, "immediate"),
			CompteurPrevu: &message.Compteur{Serie: "A", Roues: 3}}
		index := rapid.Int64Range(0, 1_100)
		day := func() message.Date { return today.AddDays(rapid.IntRange(-20, 1).Draw(t, "day")) }

		ask := func(do func() error) {
			before := c
			before.Poses = append([]message.Pose(nil), c.Poses...)
			if err := do(); err != nil {
				before.Poses, c.Poses = append([]message.Pose{}, before.Poses...), append([]message.Pose{}, c.Poses...)
				if !reflect.DeepEqual(before, c) {
					t.Fatalf("refused with %v, yet %+v became %+v", err, before, c)
				}
			} else if c.Version != before.Version+1 {
				t.Fatalf("version %d became %d", before.Version, c.Version)
			}
			if before.Etat == annule && c.Etat != annule || before.Etat == actif && c.Etat != actif {
				t.Fatalf("%s became %s", before.Etat, c.Etat)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"later": func(t *rapid.T) { today = today.AddDays(rapid.IntRange(1, 30).Draw(t, "days")) },
			"sign": func(t *rapid.T) {
				ask(func() error {
					_, err := signerContrat(&c, message.Signer{ADistance: rapid.Bool().Draw(t, "distance")}, today)
					return err
				})
			},
			"withdraw": func(t *rapid.T) {
				ask(func() error { _, err := retracterContrat(&c, today); return err })
			},
			"open": func(t *rapid.T) {
				if c.Etat == actif {
					t.Skip("opened before")
				}
				ask(func() error {
					_, err := activerContrat(&c, message.Activer{Index: index.Draw(t, "index"), Date: day()}, today)
					return err
				})
			},
			"swap": func(t *rapid.T) {
				ask(func() error {
					_, _, err := changerPose(&c, message.ChangerCompteur{Date: day(), IndexDepose: index.Draw(t, "out"), IndexPose: index.Draw(t, "in")},
						message.Compteur{Serie: "B", Roues: 3}, today)
					return err
				})
			},
			"": func(t *rapid.T) {
				if (c.Etat == actif) != (len(c.Poses) > 0) {
					t.Fatalf("%s with %d poses", c.Etat, len(c.Poses))
				}
				for i, p := range c.Poses {
					if p.Du.After(today) || p.Du.Before(c.SigneLe) || p.IndexDebut >= 1000 {
						t.Fatalf("pose %+v", p)
					}
					if i == 0 {
						continue
					}
					if last := c.Poses[i-1]; last.Au != p.Du || !last.Du.Before(last.Au) || *last.IndexFin >= 1000 {
						t.Fatalf("pose %+v then %+v", last, p)
					}
				}
				if c.Etat == actif && !c.ExecutionImmediate && !c.RetractationJusquAu.IsZero() && !c.ActifDepuis.After(c.RetractationJusquAu) {
					t.Fatalf("opened on %s within the withdrawal period until %s", c.ActifDepuis, c.RetractationJusquAu)
				}
			},
		})
	})
}

func TestReplier(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Lefèvre": "lefevre", "ÇA": "ca", "Œillets": "oeillets", "  deux   mots ": "deux mots", "L’Étang": "l'etang", "e\u0301te\u0301": "ete",
	} {
		if got := replier(in); got != want {
			t.Errorf("replier(%q) = %q, want %q", in, got, want)
		}
	}
}
