package main

import (
	"testing"

	"pgregory.net/rapid"

	"aquaerp.fr/functions/facture/tarif"
	"aquaerp.fr/shared/message"
)

// TestBilledVolumesTelescope bills a contract period after period over meters
// that roll over and are changed, readings late or missing, and estimates too
// high or too low: in the end exactly what flowed was billed.
func TestBilledVolumesTelescope(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := &dossier{contrat: contrat{logements: 1, habitation: true}}
		start, _ := tarif.ParseDate("2024-01-01")
		index := rapid.Int64Range(0, 99_999).Draw(t, "first index")
		d.poses = []pose{{id: "0", roues: 5, litresParUnite: 1000, du: start, debut: index}}
		var flowed, billed int64 // m3
		pending := int64(0)      // billed on an estimate, to be reversed
		advance := func(m3 int64) { index, flowed = (index+m3)%100_000, flowed+m3 }
		for p := range tarif.Date(rapid.IntRange(1, 8).Draw(t, "periods")) {
			periode := tarif.Periode{Du: start + p*180, Au: start + (p+1)*180}
			if rapid.IntRange(0, 3).Draw(t, "change") == 0 {
				advance(rapid.Int64Range(0, 200).Draw(t, "before the change"))
				day := periode.Du + tarif.Date(rapid.IntRange(60, 120).Draw(t, "day of change"))
				last := &d.poses[len(d.poses)-1]
				last.au, last.fin = day, index
				index = rapid.Int64Range(0, 99_999).Draw(t, "new index")
				d.poses = append(d.poses, pose{id: string(rune('1' + p)), roues: 5, litresParUnite: 1000, du: day, debut: index})
				d.points = dropEstimates(d.points)
			}
			advance(rapid.Int64Range(0, 300).Draw(t, "volume"))
			day := periode.Au + tarif.Date(rapid.IntRange(-15, 15).Draw(t, "day of round"))
			here := d.poses[len(d.poses)-1].id
			switch rapid.IntRange(0, 3).Draw(t, "visit") {
			case 0: // nobody, and no estimate: billed with the next period
			case 1:
				d.points = append(dropEstimates(d.points), point{pose: here, date: day, index: (index + rapid.Int64Range(0, 50).Draw(t, "error")) % 100_000, estimee: true})
			default:
				d.points = append(dropEstimates(d.points), point{pose: here, date: day, index: index})
			}
			c, estimee, err := d.cas(periode)
			if err == errSansReleve {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			c.Grilles = []tarif.Grille{{Code: "g", Service: tarif.Eau, Periode: c.Periode, Tranches: []tarif.Tranche{{PrixM3: 1_000_000}}}}
			c.DateFacturation, c.Fuite = c.Periode.Au, nil
			o := d.origine(&c, message.TarifsEnVigueur{Grilles: []message.Grille{{DefinirGrille: message.DefinirGrille{Code: "g"}}}}, "")
			f, err := tarifer(&c, &o)
			if err != nil {
				t.Fatalf("%v: %+v", err, c)
			}
			r := f.Resultat
			billed += r.VolumeEauLitres/1000 - pending
			pending = 0
			if estimee {
				pending = r.VolumeEauLitres / 1000
			}
			d.anterieur = &billing{du: c.Periode.Du, au: c.Periode.Au, estimee: estimee, lignes: f.lignes}
		}
		// A last round reads the meter for good.
		end := start + 9*180
		d.points = append(dropEstimates(d.points), point{pose: d.poses[len(d.poses)-1].id, date: end, index: index})
		c, _, err := d.cas(tarif.Periode{Du: end - 180, Au: end})
		if err != nil {
			t.Fatal(err)
		}
		billed += d.volume(d.known(), c.Periode.Du, c.Periode.Au)/1000 - pending
		if flowed != billed {
			t.Errorf("%d m3 flowed but %d were billed", flowed, billed)
		}
	})
}

// dropEstimates is what operation does when a real index arrives.
func dropEstimates(points []point) (out []point) {
	for _, p := range points {
		if !p.estimee {
			out = append(out, p)
		}
	}
	return out
}
