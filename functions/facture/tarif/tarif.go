// Package tarif prices a water bill, to the centime.
//
// It is a pure function from a case ([Cas]: what was read, on which tariff) to a bill ([Resultat]: lines, VAT, totals). The
// same case always gives the same centimes: no clock, no I/O, no float, and no result that is silently wrong. Products are
// exact beyond 64 bits; an amount or a billed volume that an int64 cannot hold is refused as [Depassement].
//
// Rules are cited by their number, here, on the lines of a bill and by the page that explains it:
//
//  1. Volume between two index points a then b of a meter: (b - a) x litres of a unit; when b < a the meter passed through
//     zero, and 10^wheels is added.
//  2. Points of a pose: its first day, each releve, its last day. Two successive points bound a troncon with its volume. Days
//     without a pose carry no consumption.
//  3. A troncon that a change of grille cuts is shared by days: each part gets floor(v x its days / days); the litres left go
//     one each to the largest remainders, the earliest first when equal.
//  4. A grille of a service counts with D, the days of the period inside it, and V, the parts inside it. Grilles cover the
//     whole period, those of assainissement too when the PDL is connected; else there is nothing of that service.
//  5. Fixed part: yearly amount x dwellings x D / 365, also in a leap year; no line when that is 0.
//  6. Slabs: the upper bound of a slab is floor(its yearly m3 x 1000 x dwellings x D / 365) litres. The part of V between two
//     bounds costs litres x price / 1000; no line when it is empty.
//  7. Redevances: those in force on the day of billing. Billed volume of their service x rate x coefficient / 1000; no line
//     when that is 0.
//  8. Fuite (CGCT L2224-12-4 III bis, "Warsmann"), dwellings only: abnormal when the volume passes a multiple, which the case
//     names, of the mean of the same periods of earlier years. Capped, when a plumber certified the repair or the service did
//     not tell in time, at that multiple for eau and at the mean for assainissement, shared over the grilles by V as in rule 3.
//  9. Acomptes, billed before on an estimate, come back with the opposite sign.
//  10. Each line is rounded once to the centime, from the exact fraction, half away from zero.
//  11. VAT, for each rate: the sum of its lines x the rate, rounded likewise.
//  12. TTC = sum of the lines + sum of VAT.
//
// Units are in the names: litres, m3, centimes, ue (micro-euros, 10 000 to the centime), pm (per mille). Every interval is
// half-open: [du, au).
//
// [Calculer] prices one case, [Expliquer] tells in the same pass how each centime came about, [Controler] checks a grille
// against the legal cap of its fixed part, and [Simuler] prices and checks for a stream of JSON lines.
package tarif

import "cmp"

// Service is what a grille or a redevance charges for.
type Service string

// The two services of a PDL. Eau is always there, Assainissement when the PDL is connected to the sewer.
const (
	Eau            Service = "eau"
	Assainissement Service = "assainissement"
)

// Rubrique is the part of the printed bill a line stands in (arrete of 10 July 1996).
type Rubrique string

// The three rubriques: lines of eau, lines of assainissement, redevances of both.
const (
	Distribution      Rubrique = "distribution"
	EauxUsees         Rubrique = "eaux_usees"
	OrganismesPublics Rubrique = "organismes_publics"
)

// Cas is one bill to price. Poses and Grilles may come in any order; Redevances and Acomptes keep theirs on the bill.
type Cas struct {
	ID              string      `json:"id"`               // echoed in the result
	DateFacturation Date        `json:"date_facturation"` // picks the redevances (rule 7)
	Periode         Periode     `json:"periode"`          // of consumption; picks the grilles (rule 4)
	PDL             PDL         `json:"pdl"`
	Poses           []Pose      `json:"poses"`
	Grilles         []Grille    `json:"grilles"`
	Redevances      []Redevance `json:"redevances"`
	Fuite           *Fuite      `json:"fuite,omitempty"` // nil: rule 8 does not apply
	Acomptes        []Acompte   `json:"acomptes,omitempty"`
}

// Periode is the half-open interval of civil days [Du, Au).
type Periode struct {
	Du Date `json:"du"`
	Au Date `json:"au"`
}

// days returns how many days p and q share.
func (p Periode) days(q Periode) int64 {
	return max(0, int64(min(p.Au, q.Au))-int64(max(p.Du, q.Du)))
}

// PDL is the point of delivery billed.
type PDL struct {
	Logements      int64 `json:"logements"`      // dwellings, at least 1: multiplies fixed parts and slab bounds
	Assainissement bool  `json:"assainissement"` // connected to the sewer
	Habitation     bool  `json:"habitation"`     // a dwelling: rule 8 protects no one else
}

// Pose is the time one meter stood at the PDL, inside the period of the case.
type Pose struct {
	Periode
	Roues          int64    `json:"roues"`             // digits of the meter, 1 to 9: it rolls over at 10^Roues
	LitresParUnite int64    `json:"litres_par_unite"`  // litres in one unit of index, at least 1
	IndexDebut     int64    `json:"index_debut"`       // index on Du
	IndexFin       int64    `json:"index_fin"`         // index on Au
	Releves        []Releve `json:"releves,omitempty"` // ascending
}

// Releve is an index read while the meter stood, strictly between the ends of its pose.
type Releve struct {
	Date  Date  `json:"date"`
	Index int64 `json:"index"`
}

// Grille is a tariff of one service. Two grilles of a service never overlap.
type Grille struct {
	Code    string  `json:"code"` // starts the code of its lines
	Service Service `json:"service"`
	Periode
	PartFixeAn int64     `json:"part_fixe_an"` // ue per dwelling and year of 365 days
	Tranches   []Tranche `json:"tranches"`     // ascending, the last one unbounded
	TVAPm      int64     `json:"tva_pm"`
}

// Tranche is a slab: a price up to a yearly volume per dwelling.
type Tranche struct {
	JusquaM3 *int64 `json:"jusqua_m3,omitempty"` // m3 per dwelling and year; nil on the last slab, and only there
	PrixM3   int64  `json:"prix_m3"`             // ue per m3
}

// Redevance is a duty collected for a water agency, on the volume billed of its service.
type Redevance struct {
	Code    string  `json:"code"`
	Service Service `json:"service"`
	Periode
	TauxM3        int64 `json:"taux_m3"` // ue per m3
	CoefficientPm int64 `json:"coefficient_pm"`
	TVAPm         int64 `json:"tva_pm"`
}

// Fuite is what is known of the subscriber's usual volume and of a leak (rule 8).
type Fuite struct {
	VolumeMoyenLitres int64 `json:"volume_moyen_litres"` // mean of the equivalent periods of the three previous years
	Multiple          int64 `json:"multiple,omitempty"`  // of the mean that the law allows, at least 1; absent: 2, as in cases written before it was named
	Attestation       bool  `json:"attestation"`         // a plumber certified the repair in time
	Informe           bool  `json:"informe"`             // the service told the subscriber in time
}

// Acompte is a line billed before on an estimate, taken back now (rule 9).
type Acompte struct {
	Rubrique   Rubrique `json:"rubrique"`
	Code       string   `json:"code"`
	HTCentimes int64    `json:"ht_centimes"` // as billed then; comes back with the opposite sign
	TVAPm      int64    `json:"tva_pm"`
}

// Resultat is a priced bill.
type Resultat struct {
	ID                         string  `json:"id"`
	VolumeEauLitres            int64   `json:"volume_eau_litres"`            // billed: after rule 8
	VolumeAssainissementLitres int64   `json:"volume_assainissement_litres"` // billed: after rule 8; 0 when not connected
	Anormale                   bool    `json:"anormale"`                     // rule 8 applies and the volume passes the multiple of the mean, capped or not
	Lignes                     []Ligne `json:"lignes"`                       // never nil
	TVA                        []TVA   `json:"tva"`                          // a rate each, ascending; never nil
	HTCentimes                 int64   `json:"ht_centimes"`
	TVACentimes                int64   `json:"tva_centimes"`
	TTCCentimes                int64   `json:"ttc_centimes"` // rule 12
}

// Ligne is a line of the bill, rounded once (rule 10).
type Ligne struct {
	Rubrique   Rubrique `json:"rubrique"`
	Code       string   `json:"code"`   // <grille>/fixe, <grille>/tranche-<k>, redevance/<code> or acompte/<code>
	Litres     int64    `json:"litres"` // of a slab or a redevance, else 0
	Jours      int64    `json:"jours"`  // of a fixed part, else 0
	HTCentimes int64    `json:"ht_centimes"`
	TVAPm      int64    `json:"tva_pm"`
}

// TVA is the VAT of one rate (rule 11).
type TVA struct {
	TauxPm          int64 `json:"taux_pm"`
	BaseCentimes    int64 `json:"base_centimes"` // sum of the HT of the lines at this rate
	MontantCentimes int64 `json:"montant_centimes"`
}

// byDu orders grilles by their first day.
func byDu(a, b *Grille) int { return cmp.Compare(a.Du, b.Du) }
