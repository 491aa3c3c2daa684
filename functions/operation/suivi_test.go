package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

func jour(s string) message.Date {
	d, err := message.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// code is that of a refusal, or "".
func code(err error) string {
	var p *message.Problem
	switch {
	case err == nil:
		return ""
	case errors.As(err, &p):
		return p.Code
	}
	return err.Error()
}

// compteur is a meter of a dwelling, placed on 2024-04-01 at the index and
// read at 60 m3 every half year until 2025-10-01: 180 m3 later.
func compteur(index int64) *dossier {
	p := &pose{ID: "p", ContratID: "c", Compteur: "S1", CalibreMM: 15, Roues: 5, LitresParUnite: 1000, Du: jour("2024-04-01")}
	for i, date := range []string{"2024-04-01", "2024-10-01", "2025-04-01", "2025-10-01"} {
		p.reels = append(p.reels, point{fmt.Sprint("r", i), jour(date), (index + int64(i)*60) % p.capacite()})
	}
	return &dossier{Logements: 1, poses: []*pose{p}}
}

func TestRecevoir(t *testing.T) {
	tests := []struct {
		name    string
		depart  int64
		lecture lecture
		etat    string
		volume  int64
		index   int64
		motifs  string // or the code of the refusal
	}{
		{"as before", 1000, lecture{jour("2026-04-01"), 1240, "AGENT"}, "VALIDEE", 60_000, 1240, ""},
		{"nothing used for a month", 1000, lecture{jour("2025-10-31"), 1180, "AGENT"}, "VALIDEE", 0, 1180, ""},
		{"passes through zero", 99_790, lecture{jour("2026-04-01"), 30, "AGENT"}, "VALIDEE", 60_000, 30, ""},
		{"goes back", 1000, lecture{jour("2026-04-01"), 1175, "AGENT"}, "SUSPECTE", 99_995_000, 1175, "INDEX_RECULE"},
		{"goes back near the end of the scale", 99_700, lecture{jour("2026-04-01"), 99_870, "AGENT"}, "SUSPECTE", 99_990_000, 99_870, "INDEX_RECULE"},
		{"passes zero from too far below", 70_000, lecture{jour("2026-04-01"), 30, "AGENT"}, "SUSPECTE", 29_850_000, 30, "INDEX_RECULE"},
		{"passes zero faster than the meter can", 98_000, lecture{jour("2025-10-02"), 30, "AGENT"}, "SUSPECTE", 1_850_000, 30, "INDEX_RECULE"},
		{"more than the meter can pass", 1000, lecture{jour("2025-10-02"), 1256, "AGENT"}, "SUSPECTE", 76_000, 1256, "DEBIT_IMPOSSIBLE VOLUME_ELEVE"},
		{"as much as the meter can pass", 1000, lecture{jour("2025-10-02"), 1255, "AGENT"}, "SUSPECTE", 75_000, 1255, "VOLUME_ELEVE"},
		{"three times as much", 1000, lecture{jour("2026-04-01"), 1360, "AGENT"}, "VALIDEE", 180_000, 1360, ""},
		{"more than three times", 1000, lecture{jour("2026-04-01"), 1362, "AGENT"}, "SUSPECTE", 182_000, 1362, "VOLUME_ELEVE"},
		{"a fifth", 1000, lecture{jour("2026-04-01"), 1192, "AGENT"}, "VALIDEE", 12_000, 1192, ""},
		{"less than a fifth", 1000, lecture{jour("2026-04-01"), 1191, "AGENT"}, "SUSPECTE", 11_000, 1191, "VOLUME_FAIBLE"},
		{"four times, of very little", 1000, lecture{jour("2025-10-11"), 1192, "AGENT"}, "VALIDEE", 12_000, 1192, ""},
		{"nobody there", 1000, lecture{jour("2026-04-01"), 0, "ABSENCE"}, "ESTIMEE", 60_000, 1240, ""},
		{"nobody there, through zero", 99_790, lecture{jour("2026-04-01"), 0, "ABSENCE"}, "ESTIMEE", 60_000, 30, ""},
		{"known", 1000, lecture{jour("2025-10-01"), 1180, "AGENT"}, "", 0, 0, "doublon"},
		{"known otherwise", 1000, lecture{jour("2025-10-01"), 1181, "AGENT"}, "", 0, 0, "deja_releve"},
		{"absent where it was read", 1000, lecture{jour("2025-10-01"), 0, "ABSENCE"}, "", 0, 0, "deja_releve"},
		{"late", 1000, lecture{jour("2025-09-30"), 1180, "AGENT"}, "", 0, 0, "date_anterieure"},
		{"too large", 1000, lecture{jour("2026-04-01"), 100_000, "AGENT"}, "", 0, 0, "index_trop_grand"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := compteur(test.depart)
			v, err := d.recevoir(d.poses[0], test.lecture)
			if err != nil {
				if code(err) != test.motifs || test.etat != "" {
					t.Fatalf("refused: %v", err)
				}
				return
			}
			var motifs []string
			for _, m := range v.Motifs {
				motifs = append(motifs, m.Code)
				if m.Detail == "" || m.DetailEN == "" || m.Detail == m.DetailEN {
					t.Errorf("%s is not explained in both languages", m.Code)
				}
			}
			if got := strings.Join(motifs, " "); v.Etat != test.etat || v.VolumeLitres != test.volume || v.Index != test.index || got != test.motifs {
				t.Errorf("got %s %d l index %d %q, want %s %d l index %d %q", v.Etat, v.VolumeLitres, v.Index, got, test.etat, test.volume, test.index, test.motifs)
			}
		})
	}
}

func TestEstimationIsReversedByTheNextReading(t *testing.T) {
	d := compteur(1000)
	p := d.poses[0]
	take := func(id string, l lecture) verdict {
		t.Helper()
		v, err := d.recevoir(p, l)
		if err != nil {
			t.Fatal(err)
		}
		v.ID = id
		p.noter(v)
		return v
	}
	take("e1", lecture{jour("2026-04-01"), 0, "ABSENCE"})
	// A second missed visit: the estimate now covers both periods.
	if v := take("e2", lecture{jour("2026-10-01"), 0, "ABSENCE"}); v.Remplace != "e1" || v.VolumeLitres != 120_000 || v.Jours != 365 {
		t.Errorf("second estimate: %+v", v)
	}
	if _, err := d.recevoir(p, lecture{jour("2026-09-30"), 1290, "ABONNE"}); code(err) != "date_anterieure" {
		t.Errorf("a reading before the estimate: %v", err)
	}
	// The real index is below the estimated one, which is no step back.
	if v := take("r", lecture{jour("2026-10-01"), 1280, "AGENT"}); v.Etat != "VALIDEE" || v.Remplace != "e2" || v.VolumeLitres != 100_000 {
		t.Errorf("the reading: %+v", v)
	}
	if p.estimee != nil {
		t.Error("the estimate still stands")
	}
}

func TestEstimationWithoutHistory(t *testing.T) {
	p := &pose{ContratID: "c", CalibreMM: 20, Roues: 5, LitresParUnite: 1000, Du: jour("2026-04-01"), reels: []point{{"r", jour("2026-04-01"), 7}}}
	d := &dossier{Logements: 3, poses: []*pose{p}}
	v, err := d.recevoir(p, lecture{jour("2026-06-13"), 0, "ABSENCE"}) // 73 days, a fifth of a year
	if err != nil || v.VolumeLitres != 72_000 || v.Index != 79 {
		t.Errorf("got %+v, %v; want 3 dwellings x 120 m3 / 5", v, err)
	}
}

// The season counts: an estimate follows the same days of the year before.
func TestEstimationFollowsTheSeason(t *testing.T) {
	d := compteur(1000)
	p := d.poses[0]
	p.reels[2].Index, p.reels[3].Index = 1060+20, 1060+120 // winter 20 m3, summer 100 m3
	if v, err := d.recevoir(p, lecture{jour("2026-04-01"), 0, "ABSENCE"}); err != nil || v.VolumeLitres != 20_000 {
		t.Errorf("winter: %+v, %v", v, err)
	}
}

func TestChangement(t *testing.T) {
	d := compteur(1000)
	p := d.poses[0]
	v, contredits := p.deposer(jour("2026-01-01"), 1210)
	v.ID = "depose"
	p.noter(v)
	if v.VolumeLitres != 30_000 || v.Jours != 92 || len(contredits) != 0 {
		t.Fatalf("removal: %+v %v", v, contredits)
	}
	d.poses = append(d.poses, &pose{ID: "p2", ContratID: "c", Compteur: "S2", CalibreMM: 15, Roues: 5, LitresParUnite: 1000,
		Du: jour("2026-01-01"), reels: []point{{"pose", jour("2026-01-01"), 2}}})

	for compteur, want := range map[string]string{"S1": "hors_pose", "S2": "", "S3": "compteur_inconnu"} {
		if _, err := d.poseDe(compteur, jour("2026-01-01")); code(err) != want {
			t.Errorf("%s on the day of the change: %v", compteur, err)
		}
	}
	// A reading of the old meter that comes late shortens the closing volume.
	late, err := d.recevoir(p, lecture{jour("2025-12-01"), 1200, "ABONNE"})
	if err != nil || late.VolumeLitres != 20_000 || *late.Suivante != (correction{"depose", 10_000, 31}) {
		t.Errorf("late reading: %+v, %v", late, err)
	}
	if _, err := d.recevoir(p, lecture{jour("2025-12-01"), 1211, "ABONNE"}); code(err) != "index_depose" {
		t.Errorf("beyond the closing index: %v", err)
	}
	if _, err := d.recevoir(p, lecture{jour("2025-12-01"), 0, "ABSENCE"}); code(err) != "compteur_depose" {
		t.Errorf("an absence before the removal: %v", err)
	}
	// The history goes on across meters.
	if v, err := d.recevoir(d.poses[1], lecture{jour("2026-04-01"), 32, "AGENT"}); err != nil || v.Etat != "VALIDEE" {
		t.Errorf("first reading of the new meter: %+v, %v", v, err)
	}
	if v, err := d.recevoir(d.poses[1], lecture{jour("2026-04-01"), 302, "AGENT"}); err != nil || v.Etat != "SUSPECTE" {
		t.Errorf("ten times as much on the new meter: %+v, %v", v, err)
	}
}

func TestDecision(t *testing.T) {
	d := compteur(1000)
	p := d.poses[0]
	high := point{"s", jour("2026-04-01"), 1500}
	if v, err := p.confirmer(high); err != nil || v.VolumeLitres != 320_000 || v.Etat != "CONFIRMEE" {
		t.Errorf("a leak: %+v, %v", v, err)
	}
	if _, err := p.confirmer(point{"s", jour("2026-04-01"), 1170}); code(err) != "releve_impossible" {
		t.Errorf("a step back: %v", err)
	}
	v, ok := d.rejeter(p, high)
	if !ok || v.Etat != "ESTIMEE" || v.Index != 1240 {
		t.Errorf("rejected: %+v", v)
	}

	// Half a year later the round was accepted; the decision comes after it.
	p.noter(verdict{point: point{"r4", jour("2026-10-01"), 1600}, Etat: "VALIDEE"})
	if v, err := p.confirmer(high); err != nil || *v.Suivante != (correction{"r4", 100_000, 183}) {
		t.Errorf("confirmed late: %+v, %v", v, err)
	}
	if _, err := p.confirmer(point{"s", jour("2026-04-01"), 1700}); code(err) != "releve_contredit" {
		t.Errorf("contradicted by a later reading: %v", err)
	}
	if v, ok := d.rejeter(p, high); ok {
		t.Errorf("an estimate where a later reading is known: %+v", v)
	}
}

// eau is the model of TestVolumesTelescope: what really flowed, counted in
// units by a counter that never passes zero.
type eau struct {
	compte int64            // now
	vu     int64            // when the last accepted reading was taken
	depart int64            // when the meter in place was placed
	closed int64            // by the meters removed
	honest map[string]int64 // doubtful readings that tell the truth, and the count they show
}

// Volumes telescope whatever comes: rollovers, estimates, misread figures,
// doubts and decisions on them, and changes of meter.
func TestVolumesTelescope(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		roues := rapid.IntRange(3, 6).Draw(t, "roues")
		unite := rapid.SampledFrom([]int64{1, 100, 1000}).Draw(t, "litres par unite")
		today := jour("2024-01-01")
		d := &dossier{Logements: 1}
		var w eau
		var p *pose
		accepted := map[string]verdict{}

		place := func() {
			p = &pose{ID: function.NewID(), ContratID: "c", CalibreMM: 15, Roues: roues, LitresParUnite: unite, Du: today}
			w.depart = rapid.Int64Range(0, p.capacite()-1).Draw(t, "depart")
			w.compte, w.vu, w.honest = w.depart, w.depart, map[string]int64{}
			p.reels = []point{{"", today, w.depart}}
			d.poses = append(d.poses, p)
		}
		place()
		shown := func() int64 { return w.compte % p.capacite() }
		// Time passes and water flows: no faster than the meter allows, and no
		// half turn between accepted readings, beyond which no rule could know.
		flow := func() {
			jours := rapid.IntRange(1, 400).Draw(t, "jours")
			most, _ := debitMax(15, jours)
			today = today.AddDays(jours)
			w.compte += rapid.Int64Range(0, min(most/unite, p.capacite()/2-1-(w.compte-w.vu))).Draw(t, "unites")
		}
		receive := func(l lecture) verdict {
			v, err := d.recevoir(p, l)
			if err != nil {
				t.Fatalf("%+v is refused: %v", l, err)
			}
			v.ID = function.NewID()
			return v
		}
		apply := func(v verdict) {
			p.noter(v)
			if v.Remplace != "" {
				if accepted[v.Remplace].Etat != "ESTIMEE" {
					t.Fatal("it reverses what is no estimate")
				}
				delete(accepted, v.Remplace)
			}
			if s := v.Suivante; s != nil {
				next := accepted[s.ID]
				next.VolumeLitres, next.Jours = s.VolumeLitres, s.Jours
				accepted[s.ID] = next
			}
			if v.Etat != "SUSPECTE" {
				accepted[v.ID] = v
			}
		}
		// truth holds the volume of the newest reading against the water.
		truth := func(v verdict, compte int64) {
			if v.VolumeLitres != (compte-w.vu)*unite {
				t.Fatalf("%d l counted, %d flowed", v.VolumeLitres, (compte-w.vu)*unite)
			}
			w.vu = compte
		}
		// believe makes a wrong figure that nobody can tell from a right one the truth.
		believe := func(v verdict) {
			w.vu += v.VolumeLitres / unite
			w.compte, w.honest = w.vu, map[string]int64{}
		}

		t.Repeat(map[string]func(*rapid.T){
			"read": func(*rapid.T) {
				flow()
				v := receive(lecture{today, shown(), "AGENT"})
				apply(v)
				if v.Etat == "SUSPECTE" {
					w.honest[v.ID] = w.compte
				} else {
					truth(v, w.compte)
				}
			},
			"misread": func(t *rapid.T) {
				flow()
				v := receive(lecture{today, rapid.Int64Range(0, p.capacite()-1).Draw(t, "index"), "ABONNE"})
				apply(v)
				if v.Etat == "VALIDEE" {
					believe(v)
				}
			},
			"absence": func(*rapid.T) {
				flow()
				apply(receive(lecture{today, 0, "ABSENCE"}))
			},
			"confirm": func(t *rapid.T) {
				if len(p.suspects) == 0 {
					t.Skip("nothing to decide")
				}
				s := rapid.SampledFrom(p.suspects).Draw(t, "suspect")
				v, err := p.confirmer(s)
				compte, honest := w.honest[s.ID]
				if err != nil {
					if honest && v.Suivante == nil && s.Date.After(p.reels[len(p.reels)-1].Date) {
						t.Fatalf("an honest reading cannot be confirmed: %v", err)
					}
					return
				}
				p.oublier(s.ID)
				apply(v)
				switch {
				case v.Suivante != nil:
				case honest:
					truth(v, compte)
				default:
					believe(v)
				}
			},
			"reject": func(t *rapid.T) {
				if len(p.suspects) == 0 {
					t.Skip("nothing to decide")
				}
				s := rapid.SampledFrom(p.suspects).Draw(t, "suspect")
				p.oublier(s.ID)
				if v, ok := d.rejeter(p, s); ok {
					v.ID = function.NewID()
					apply(v)
				}
			},
			"change": func(t *rapid.T) {
				flow()
				v, contredits := p.deposer(today, shown())
				if len(contredits) > 0 {
					t.Fatalf("readings before the removal are contradicted: %v", contredits)
				}
				v.ID = function.NewID()
				apply(v)
				truth(v, w.compte)
				w.closed += w.compte - w.depart
				place()
			},
			"": func(t *rapid.T) {
				var real int64
				estimates := 0
				for _, v := range accepted {
					if v.Etat == "ESTIMEE" {
						estimates++
						continue
					}
					real += v.VolumeLitres
				}
				if want := (w.closed + w.vu - w.depart) * unite; real != want {
					t.Fatalf("readings sum to %d l, %d flowed until the last", real, want)
				}
				if estimates > 1 || estimates == 1 != (p.estimee != nil) {
					t.Fatalf("%d estimates stand", estimates)
				}
			},
		})
	})
}
