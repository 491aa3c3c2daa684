package tarif

// The caps on the fixed part, per mille of a bill of 120 m3 (arrete of 6 August 2007, L2224-12-4 CGCT).
const (
	capPm       = 300
	capRuralePm = 400

	referenceLitres = 120 * litresParM3
)

// Controle is how the fixed part of a grille weighs in a bill of 120 m3, for one dwelling and a year of 365 days.
type Controle struct {
	ID            string `json:"id"`
	PartFixeUe    int64  `json:"part_fixe_ue"`
	Variable120Ue int64  `json:"variable_120_ue"` // the slabs applied to 120 m3, floor
	Conforme      bool   `json:"conforme"`        // fixed part within the cap, or no cap for a commune touristique
}

// Controler checks a grille against the cap on its fixed part: 30 % of the bill of 120 m3, 40 % in a commune rurale, none in
// a commune touristique. The error is a [Code] that Calculer would give for the same grille, or [Depassement]; then the
// result is zero. ID is left empty.
func Controler(g *Grille, rurale, touristique bool) (Controle, error) {
	c, code := controler(g, rurale, touristique)
	if code != "" {
		return Controle{}, code
	}
	return c, nil
}

func controler(g *Grille, rurale, touristique bool) (Controle, Code) {
	if code := checkGrille(g); code != "" {
		return Controle{}, code
	}
	var cost uint128 // litres x ue per m3
	var below int64
	for k := range g.Tranches {
		upTo := g.Tranches[k].upTo(referenceLitres, 1, joursParAn)
		cost = cost.add(u128(upTo - below).mul(g.Tranches[k].PrixM3))
		below = upTo
	}
	floor, ok := cost.div(litresParM3)
	variable := int64(floor)
	if !ok || variable < 0 {
		return Controle{}, Depassement
	}
	limit := int64(capPm)
	if rurale {
		limit = capRuralePm
	}
	c := Controle{PartFixeUe: g.PartFixeAn, Variable120Ue: variable}
	c.Conforme = touristique || c.Within(limit)
	return c, ""
}

// Within tells whether the fixed part is at most capPm per mille of the bill of 120 m3.
func (c Controle) Within(capPm int64) bool {
	fixed := u128(c.PartFixeUe)
	return fixed.mul(1000).cmp(fixed.add(u128(c.Variable120Ue)).mul(capPm)) <= 0
}
