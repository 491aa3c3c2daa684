package tarif

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"testing"
)

// publie is what the sheets of ../exemples say beside their case: price schedules that French services published, with the
// bill of 120 m3 worked out by hand.
type publie struct {
	TTC    int64 `json:"facture_120_calculee_ttc_centimes"`
	Detail struct {
		Lignes map[string]int64 `json:"lignes_ht_centimes"`
		TVA    []TVA            `json:"tva"`
		HT     int64            `json:"ht_centimes"`
	} `json:"facture_120_calculee_detail"`
	Autres  map[string]factureAutre `json:"autres_factures_publiees"` // by m3
	Methode *struct {
		Grilles    []Grille                `json:"grilles"`
		Redevances []Redevance             `json:"redevances"`
		Factures   map[string]factureAutre `json:"factures"`
	} `json:"methode_du_publicateur"`
	Controles []struct {
		Code       string `json:"code"`
		PartFixePm int64  `json:"part_fixe_pm_du_cout_120"`
		Conforme30 bool   `json:"conforme_30_pct"`
		Conforme40 bool   `json:"conforme_40_pct"`
	} `json:"controle_part_fixe"`
}

type factureAutre struct {
	TTC int64 `json:"calculee_ttc_centimes"`
}

func TestPublishedTariffs(t *testing.T) {
	sheets, err := filepath.Glob("../exemples/*.json")
	if err != nil || len(sheets) == 0 {
		t.Fatalf("no sheet: %v", err)
	}
	for _, sheet := range sheets {
		t.Run(filepath.Base(sheet), func(t *testing.T) {
			text, err := os.ReadFile(sheet)
			if err != nil {
				t.Fatal(err)
			}
			var want publie
			if err := json.Unmarshal(text, &want); err != nil {
				t.Fatal(err)
			}
			var d decoder
			if d.decode(text) != bill {
				t.Fatal("the sheet is not a case")
			}
			got, err := Calculer(&d.cas)
			if err != nil {
				t.Fatal(err)
			}
			lignes := map[string]int64{}
			for _, l := range got.Lignes {
				lignes[l.Code] = l.HTCentimes
			}
			if got.TTCCentimes != want.TTC || got.HTCentimes != want.Detail.HT || len(lignes) != len(got.Lignes) ||
				!reflect.DeepEqual(lignes, want.Detail.Lignes) || !reflect.DeepEqual(got.TVA, want.Detail.TVA) {
				t.Errorf("got %+v\nwant %d, %+v", got, want.TTC, want.Detail)
			}

			checkBills(t, d.cas, want.Autres)
			if m := want.Methode; m != nil {
				c := d.cas
				c.Grilles, c.Redevances = m.Grilles, m.Redevances
				checkBills(t, c, m.Factures)
			}
			if len(want.Controles) != len(d.cas.Grilles) {
				t.Errorf("%d grilles, %d controls", len(d.cas.Grilles), len(want.Controles))
			}
			for i, w := range want.Controles {
				urbaine, err1 := Controler(&d.cas.Grilles[i], false, false)
				rurale, err2 := Controler(&d.cas.Grilles[i], true, false)
				if err1 != nil || err2 != nil {
					t.Fatal(err1, err2)
				}
				cost := urbaine.PartFixeUe + urbaine.Variable120Ue
				pm := (urbaine.PartFixeUe*1000 + cost/2) / cost
				if pm != w.PartFixePm || urbaine.Conforme != w.Conforme30 || rurale.Conforme != w.Conforme40 {
					t.Errorf("%s: %+v (%d pm), rurale %t; want %+v", w.Code, urbaine, pm, rurale.Conforme, w)
				}
			}
		})
	}
	t.Logf("%d published tariffs", len(sheets))
}

// checkBills compares the bills of other volumes, given by m3.
func checkBills(t *testing.T, c Cas, want map[string]factureAutre) {
	for m3, w := range want {
		index, err := strconv.ParseInt(m3, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		pose := c.Poses[0]
		pose.IndexFin = pose.IndexDebut + index
		c.Poses = []Pose{pose}
		if got, err := Calculer(&c); err != nil || got.TTCCentimes != w.TTC {
			t.Errorf("%s m3: %d centimes, %v; want %d", m3, got.TTCCentimes, err, w.TTC)
		}
	}
}
