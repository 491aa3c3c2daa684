package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
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
		jsonb_build_object('du', f.du, 'au', f.au, 'anormale', f.anormale, 'volume_litres', f.volume_litres,
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
	again := chiffres{c.Periode.Du, c.Periode.Au, r.Anormale, r.VolumeEauLitres, r.HTCentimes, r.TVACentimes, r.TTCCentimes, t.lignes, t.tva}
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

// rejouer is `facture rejouer`: it prices issued bills again from what is
// stored with them and names every difference, to the byte, of lines, VAT and
// totals. Bills are read one after the other: memory does not grow with them.
func rejouer(ctx context.Context, tx pgx.Tx, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("rejouer", flag.ContinueOnError)
	flags.SetOutput(out)
	lot := flags.String("lot", "", "only the bills of the lot with this id")
	de := flags.String("de", "", "from this number on, in its series")
	a := flags.String("a", "", "up to this number")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 || *a != "" && *de == "" {
		return errors.New("rejouer [-lot ID] [-de NUMERO [-a NUMERO]]: of all issued bills when nothing is given")
	}
	for _, numero := range []string{*de, *a} {
		var known bool
		if err := tx.QueryRow(ctx, "select $1 = '' or exists (select from facture where numero = $1)", numero).Scan(&known); err != nil {
			return err
		}
		if !known {
			return fmt.Errorf("no bill has the number %s", numero)
		}
	}
	rows, err := tx.Query(ctx, selectStockees+`where f.numero is not null and ($1 = '' or f.lot_id = nullif($1, '')::uuid)
		and ($2 = '' or (f.serie, f.rang) >= (select serie, rang from facture where numero = $2) and f.serie = (select serie from facture where numero = $2))
		and ($3 = '' or f.rang <= (select rang from facture where numero = $3 and serie = f.serie))
		order by f.serie, f.rang`, *lot, *de, *a)
	if err != nil {
		return err
	}
	defer rows.Close()
	var priced, differ, written, avoirs int
	for rows.Next() {
		s, err := scanStockee(rows)
		if err != nil {
			return err
		}
		switch {
		case s.cas != nil:
		case s.nature == natureAvoir:
			avoirs++
			continue
		default:
			written++
			continue
		}
		priced++
		_, ecarts, err := s.rejouer()
		if err != nil {
			ecarts = []string{err.Error()}
		}
		for _, e := range ecarts {
			if _, err := fmt.Fprintf(out, "%s: %s\n", s.numero, e); err != nil {
				return err
			}
		}
		differ += min(len(ecarts), 1)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(out, "%d bills priced again, %d differ. Not priced from a case: %d avoirs, %d written by a person.\n", priced, differ, avoirs, written); err != nil {
		return err
	}
	switch {
	case differ > 0:
		return fmt.Errorf("%d bills differ from what is stored with them", differ)
	case priced+written+avoirs == 0 && *lot+*de != "":
		return errors.New("no issued bill was asked for")
	}
	return nil
}
