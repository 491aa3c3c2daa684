package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/functions/facture/tarif"
	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// stockee is a bill as it stands in its row: what it was priced from, and
// what came out.
type stockee struct {
	id, numero, nature, motif, corrige string
	cas                                *tarif.Cas // nil on what a person wrote
	origine                            *origine   // nil also on bills older than the column
	chiffres                           []byte     // as chiffres, in JSON
}

// chiffres are what a case gives.
type chiffres struct {
	Du           tarif.Date             `json:"du"`
	Au           tarif.Date             `json:"au"`
	Facturation  tarif.Date             `json:"date_facturation"`
	Anormale     bool                   `json:"anormale"`
	VolumeLitres int64                  `json:"volume_litres"`
	HTCentimes   int64                  `json:"ht_centimes"`
	TVACentimes  int64                  `json:"tva_centimes"`
	TTCCentimes  int64                  `json:"ttc_centimes"`
	Lignes       []message.LigneFacture `json:"lignes"`
	TVA          []message.TVAFacture   `json:"tva"`
}

// selectStockees reads bills to be priced again.
const selectStockees = `select f.id, coalesce(f.numero, ''), f.nature, f.motif, coalesce(c.numero, ''), f.cas, f.origine,
		jsonb_build_object('du', f.du, 'au', f.au, 'date_facturation', f.date_facturation, 'anormale', f.anormale, 'volume_litres', f.volume_litres,
			'ht_centimes', f.ht_centimes, 'tva_centimes', f.tva_centimes, 'ttc_centimes', f.ttc_centimes, 'lignes', f.lignes, 'tva', f.tva)
	from facture f left join facture c on c.id = f.corrige_id `

func scanStockee(row pgx.CollectableRow) (s stockee, err error) {
	err = row.Scan(&s.id, &s.numero, &s.nature, &s.motif, &s.corrige, &s.cas, &s.origine, &s.chiffres)
	return s, err
}

func loadStockee(ctx context.Context, tx *function.Tx, id string) (stockee, error) {
	rows, err := tx.Query(ctx, selectStockees+"where f.id = $1", id)
	if err != nil {
		return stockee{}, err
	}
	return pgx.CollectExactlyOneRow(rows, scanStockee)
}

// sansCas says why nothing was priced.
func (s stockee) sansCas() message.Phrase {
	return phrase(func(l langue) string {
		text := l.pick("Les lignes de cette facture ont été rédigées par le service.", "The lines of this bill were written by the service.")
		if s.nature == natureAvoir {
			text = fmt.Sprintf(l.pick("Cet avoir reprend tout ou partie de la facture %s : ses montants vous sont crédités.", "This credit note takes back all or part of bill %s: its amounts are credited to you."), s.corrige)
		}
		if s.motif != "" {
			text += l.pick(" Motif : ", " Reason: ") + s.motif
		}
		return text
	})
}

// sources is the origin of the bill; of an older one, what its lines tell of it.
func (s stockee) sources() *origine {
	if s.origine != nil {
		return s.origine
	}
	o := &origine{Grilles: make([]origineDeGrille, len(s.cas.Grilles)), Acomptes: make([]origineDAcompte, len(s.cas.Acomptes))}
	for _, p := range s.cas.Poses {
		o.Poses = append(o.Poses, origineDePose{Points: slices.Repeat([]origineDePoint{{Source: "RELEVE"}}, len(p.Releves)+2)})
	}
	lines := s.lignes()
	for _, r := range s.cas.Redevances {
		o.Redevances = append(o.Redevances, origineDeRedevance{Libelle: lines["redevance/"+r.Code].Libelle})
	}
	for i, a := range s.cas.Acomptes {
		l := lines["acompte/"+a.Code]
		o.Acomptes[i] = origineDAcompte{Libelle: strings.TrimPrefix(l.Libelle, reprise), PrixUE: l.PrixUE}
	}
	return o
}

// lignes are the stored lines by code.
func (s stockee) lignes() map[string]message.LigneFacture {
	var c chiffres
	lines := map[string]message.LigneFacture{}
	if json.Unmarshal(s.chiffres, &c) == nil {
		for _, l := range c.Lignes {
			lines[l.Code] = l
		}
	}
	return lines
}

// rejouer prices the stored case again, and names what differs from the bill.
func (s stockee) rejouer() (t tarifee, ecarts []string, err error) {
	t, err = tarifer(s.cas, s.sources())
	if err != nil {
		return t, nil, err
	}
	r, c := t.Resultat, s.cas
	again := chiffres{c.Periode.Du, c.Periode.Au, c.DateFacturation, r.Anormale, r.VolumeEauLitres, r.HTCentimes, r.TVACentimes, r.TTCCentimes, t.lignes, t.tva}
	if s.origine == nil { // its lines say neither rule nor exact amount
		again.Lignes = slices.Clone(again.Lignes)
		for i := range again.Lignes {
			again.Lignes[i].Regle, again.Lignes[i].Exact = 0, ""
		}
	}
	return t, differences("", parsed(s.chiffres), parsed([]byte(asJSON(again)))), nil
}

// parsed is JSON with its numbers as written.
func parsed(raw []byte) (v any) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		panic(err) // from a jsonb column or from us
	}
	return v
}

// differences names each place where two JSON values differ.
func differences(path string, stored, again any) (list []string) {
	switch a := stored.(type) {
	case map[string]any:
		b, ok := again.(map[string]any)
		if !ok {
			break
		}
		keys := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
		slices.Sort(keys)
		for _, key := range slices.Compact(keys) {
			list = append(list, differences(strings.TrimPrefix(path+"."+key, "."), a[key], b[key])...)
		}
		return list
	case []any:
		b, ok := again.([]any)
		if !ok || len(a) != len(b) {
			break
		}
		for i := range a {
			list = append(list, differences(fmt.Sprintf("%s[%d]", path, i), a[i], b[i])...)
		}
		return list
	}
	if reflect.DeepEqual(stored, again) {
		return nil
	}
	return []string{fmt.Sprintf("%s: %s stored, %s computed", path, shown(stored), shown(again))}
}

func shown(v any) string {
	if v == nil {
		return "nothing"
	}
	return asJSON(v)
}

// errEcarts tells that some issued bill is not what its stored inputs give.
var errEcarts = errors.New("bills differ from what their stored inputs give")
