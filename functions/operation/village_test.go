package main

import (
	"fmt"
	"testing"

	"aquaerp.fr/scripts/commune/village"
	"aquaerp.fr/shared/message"
)

// A village whose troubles are known: each reading gets the state that it
// should, no doubt too many and none too few.
func TestVillage(t *testing.T) {
	for seed := range uint64(3) {
		seen := map[string]int{}
		for f := range (village.Village{Seed: seed + 1, N: 1000}).Foyers() {
			d := habiter(f.PDL.Logements, f.Compteur, f.Debut, f.Index)
			changed := f.Changement == nil
			for _, r := range f.Releves {
				if c := f.Changement; !changed && !r.Date.Before(c.Commande.Date) {
					changer(d, c)
					changed = true
				}
				p, err := d.poseDe(r.Compteur, r.Date)
				if err != nil {
					t.Fatalf("%s on %s: %v", f.PDL.Reference, r.Date, err)
				}
				v, err := d.recevoir(p, lecture{r.Date, r.Index, r.Source})
				if err != nil {
					t.Fatalf("%s on %s: %v", f.PDL.Reference, r.Date, err)
				}
				p.noter(v)
				motif := ""
				for _, m := range v.Motifs {
					motif += m.Code
				}
				if v.Etat != r.Attendu || motif != r.Motif {
					t.Errorf("seed %d, %s on %s: %s %s, want %s %s (%d l in %d days)", seed+1, f.PDL.Reference, r.Date, v.Etat, motif, r.Attendu, r.Motif, v.VolumeLitres, v.Jours)
				}
				seen[fmt.Sprint(v.Etat, motif)]++
			}
		}
		for _, want := range []string{"VALIDEE", "ESTIMEE", "SUSPECTEINDEX_RECULE", "SUSPECTEVOLUME_ELEVE"} {
			if seen[want] == 0 {
				t.Errorf("seed %d has no %s", seed+1, want)
			}
		}
	}
}

// habiter places the first meter of a household.
func habiter(logements int, c message.NouveauCompteur, du message.Date, index int64) *dossier {
	d := &dossier{Logements: logements}
	placer(d, c, du, index)
	return d
}

func placer(d *dossier, c message.NouveauCompteur, du message.Date, index int64) {
	d.poses = append(d.poses, &pose{ContratID: "c", Compteur: c.Serie, CalibreMM: c.CalibreMM, Roues: c.Roues, LitresParUnite: c.LitresParUnite,
		Du: du, reels: []point{{Date: du, Index: index}}})
}

func changer(d *dossier, c *village.Changement) {
	p := d.poses[len(d.poses)-1]
	v, _ := p.deposer(c.Commande.Date, c.Commande.IndexDepose)
	p.noter(v)
	placer(d, c.Commande.Compteur, c.Commande.Date, c.Commande.IndexPose)
}
