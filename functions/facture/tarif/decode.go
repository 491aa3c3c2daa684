package tarif

// decoder reads the cases of a stream, one after the other into the same memory. Its rules, beyond the types and keys shown in
// the structs: names are compared exactly; other keys are ignored, but must be JSON; of a key given twice the last one
// counts; null is not a value of any type, nor the same as an absent key.
type decoder struct {
	scanner
	cas         Cas
	grille      Grille
	rurale      bool
	touristique bool
}

// kind is what a line asks for.
type kind int

const (
	malformed kind = iota
	bill
	control
)

// Fields of a line, as bits. Those of the other kind are other keys, so a field may hold anything until the kind is known.
const (
	fieldType = 1 << iota
	fieldID
	fieldDate
	fieldPeriode
	fieldPDL
	fieldPoses
	fieldGrilles
	fieldRedevances
	fieldFuite
	fieldAcomptes
	fieldGrille
	fieldRurale
	fieldTouristique

	billFields    = fieldType | fieldID | fieldDate | fieldPeriode | fieldPDL | fieldPoses | fieldGrilles | fieldRedevances
	billOptions   = fieldFuite | fieldAcomptes
	controlFields = fieldType | fieldID | fieldGrille | fieldRurale | fieldTouristique
)

// fields notes the keys of an object as it is read: those whose last value is of the type shown, and those where it is not.
// A key is a bit; in the objects below, the required ones are the lowest.
type fields struct{ good, bad uint }

func (f *fields) note(field uint, ok bool) {
	if ok {
		f.good, f.bad = f.good|field, f.bad&^field
	} else {
		f.good, f.bad = f.good&^field, f.bad|field
	}
}

// are tells whether all the required fields are there, and no optional one is wrong.
func (f fields) are(required, optional uint) bool {
	return f.good&required == required && f.bad&optional == 0
}

// decode reads a line into d.cas, or into d.grille with d.rurale and d.touristique; the id is in d.cas for both.
func (d *decoder) decode(line []byte) kind {
	d.reset(line)
	c := &d.cas
	c.Fuite, c.Acomptes = nil, c.Acomptes[:0]
	var f fields
	var k kind
	if !d.object() {
		return malformed
	}
	for n := 0; d.key(&n); {
		switch string(d.name) {
		case "type":
			f.note(fieldType, d.kind(&k))
		case "id":
			f.note(fieldID, d.text(&c.ID))
		case "date_facturation":
			f.note(fieldDate, d.date(&c.DateFacturation))
		case "periode":
			f.note(fieldPeriode, d.periode(&c.Periode))
		case "pdl":
			f.note(fieldPDL, d.pdl(&c.PDL))
		case "poses":
			f.note(fieldPoses, list(d, &c.Poses, (*decoder).pose))
		case "grilles":
			f.note(fieldGrilles, list(d, &c.Grilles, (*decoder).tariff))
		case "redevances":
			f.note(fieldRedevances, list(d, &c.Redevances, (*decoder).redevance))
		case "fuite":
			c.Fuite = new(Fuite)
			f.note(fieldFuite, d.fuite(c.Fuite))
		case "acomptes":
			f.note(fieldAcomptes, list(d, &c.Acomptes, (*decoder).acompte))
		case "grille":
			f.note(fieldGrille, d.tariff(&d.grille))
		case "rurale":
			f.note(fieldRurale, d.bool(&d.rurale))
		case "touristique":
			f.note(fieldTouristique, d.bool(&d.touristique))
		default:
			d.skip()
		}
	}
	switch {
	case d.end() && k == bill && f.are(billFields, billOptions),
		d.end() && k == control && f.are(controlFields, 0):
		return k
	}
	return malformed
}

// list reads an array into the memory of *dst, each element by read.
func list[T any](d *decoder, dst *[]T, read func(*decoder, *T) bool) bool {
	if !d.array() {
		return false
	}
	s, ok := (*dst)[:0], true
	for n := 0; d.element(&n); {
		if len(s) < cap(s) {
			s = s[:len(s)+1] // an old element: its own slices serve again
		} else {
			s = append(s, *new(T))
		}
		if !read(d, &s[len(s)-1]) {
			s, ok = s[:len(s)-1], false
		}
	}
	*dst = s
	return ok
}

func (d *decoder) kind(dst *kind) bool {
	text, _ := d.string()
	switch string(text) {
	case "facture":
		*dst = bill
	case "controle_grille":
		*dst = control
	default:
		return false
	}
	return true
}

func (d *decoder) text(dst *string) bool {
	text, ok := d.string()
	*dst = string(text)
	return ok
}

// date takes any string; one that is no day becomes the zero Date, for [Calculer] to refuse.
func (d *decoder) date(dst *Date) bool {
	text, ok := d.string()
	*dst = parseDate(text)
	return ok
}

func (d *decoder) service(dst *Service) bool {
	text, _ := d.string()
	switch string(text) {
	case string(Eau):
		*dst = Eau
	case string(Assainissement):
		*dst = Assainissement
	default:
		return false
	}
	return true
}

func (d *decoder) rubrique(dst *Rubrique) bool {
	text, _ := d.string()
	switch string(text) {
	case string(Distribution):
		*dst = Distribution
	case string(EauxUsees):
		*dst = EauxUsees
	case string(OrganismesPublics):
		*dst = OrganismesPublics
	default:
		return false
	}
	return true
}

func (d *decoder) periode(p *Periode) bool {
	if !d.object() {
		return false
	}
	var f fields
	for n := 0; d.key(&n); {
		switch string(d.name) {
		case "du":
			f.note(1, d.date(&p.Du))
		case "au":
			f.note(2, d.date(&p.Au))
		default:
			d.skip()
		}
	}
	return f.are(3, 0)
}

func (d *decoder) pdl(p *PDL) bool {
	if !d.object() {
		return false
	}
	var f fields
	for n := 0; d.key(&n); {
		switch string(d.name) {
		case "logements":
			f.note(1, d.int64(&p.Logements))
		case "assainissement":
			f.note(2, d.bool(&p.Assainissement))
		case "habitation":
			f.note(4, d.bool(&p.Habitation))
		default:
			d.skip()
		}
	}
	return f.are(7, 0)
}

func (d *decoder) pose(p *Pose) bool {
	if !d.object() {
		return false
	}
	p.Releves = p.Releves[:0]
	var f fields
	for n := 0; d.key(&n); {
		switch string(d.name) {
		case "du":
			f.note(1, d.date(&p.Du))
		case "au":
			f.note(2, d.date(&p.Au))
		case "roues":
			f.note(4, d.int64(&p.Roues))
		case "litres_par_unite":
			f.note(8, d.int64(&p.LitresParUnite))
		case "index_debut":
			f.note(16, d.int64(&p.IndexDebut))
		case "index_fin":
			f.note(32, d.int64(&p.IndexFin))
		case "releves":
			f.note(64, list(d, &p.Releves, (*decoder).releve))
		default:
			d.skip()
		}
	}
	return f.are(63, 64)
}

func (d *decoder) releve(r *Releve) bool {
	if !d.object() {
		return false
	}
	var f fields
	for n := 0; d.key(&n); {
		switch string(d.name) {
		case "date":
			f.note(1, d.date(&r.Date))
		case "index":
			f.note(2, d.int64(&r.Index))
		default:
			d.skip()
		}
	}
	return f.are(3, 0)
}

func (d *decoder) tariff(g *Grille) bool {
	if !d.object() {
		return false
	}
	var f fields
	for n := 0; d.key(&n); {
		switch string(d.name) {
		case "code":
			f.note(1, d.text(&g.Code))
		case "service":
			f.note(2, d.service(&g.Service))
		case "du":
			f.note(4, d.date(&g.Du))
		case "au":
			f.note(8, d.date(&g.Au))
		case "part_fixe_an":
			f.note(16, d.int64(&g.PartFixeAn))
		case "tranches":
			f.note(32, list(d, &g.Tranches, (*decoder).tranche))
		case "tva_pm":
			f.note(64, d.int64(&g.TVAPm))
		default:
			d.skip()
		}
	}
	return f.are(127, 0)
}

func (d *decoder) tranche(t *Tranche) bool {
	if !d.object() {
		return false
	}
	t.JusquaM3 = nil
	var f fields
	for n := 0; d.key(&n); {
		switch string(d.name) {
		case "jusqua_m3":
			t.JusquaM3 = new(int64)
			f.note(2, d.int64(t.JusquaM3))
		case "prix_m3":
			f.note(1, d.int64(&t.PrixM3))
		default:
			d.skip()
		}
	}
	return f.are(1, 2)
}

func (d *decoder) redevance(r *Redevance) bool {
	if !d.object() {
		return false
	}
	var f fields
	for n := 0; d.key(&n); {
		switch string(d.name) {
		case "code":
			f.note(1, d.text(&r.Code))
		case "service":
			f.note(2, d.service(&r.Service))
		case "du":
			f.note(4, d.date(&r.Du))
		case "au":
			f.note(8, d.date(&r.Au))
		case "taux_m3":
			f.note(16, d.int64(&r.TauxM3))
		case "coefficient_pm":
			f.note(32, d.int64(&r.CoefficientPm))
		case "tva_pm":
			f.note(64, d.int64(&r.TVAPm))
		default:
			d.skip()
		}
	}
	return f.are(127, 0)
}

func (d *decoder) fuite(u *Fuite) bool {
	if !d.object() {
		return false
	}
	var f fields
	for n := 0; d.key(&n); {
		switch string(d.name) {
		case "volume_moyen_litres":
			f.note(1, d.int64(&u.VolumeMoyenLitres))
		case "attestation":
			f.note(2, d.bool(&u.Attestation))
		case "informe":
			f.note(4, d.bool(&u.Informe))
		case "multiple":
			f.note(8, d.int64(&u.Multiple))
		default:
			d.skip()
		}
	}
	return f.are(7, 8)
}

func (d *decoder) acompte(a *Acompte) bool {
	if !d.object() {
		return false
	}
	var f fields
	for n := 0; d.key(&n); {
		switch string(d.name) {
		case "rubrique":
			f.note(1, d.rubrique(&a.Rubrique))
		case "code":
			f.note(2, d.text(&a.Code))
		case "ht_centimes":
			f.note(4, d.int64(&a.HTCentimes))
		case "tva_pm":
			f.note(8, d.int64(&a.TVAPm))
		default:
			d.skip()
		}
	}
	return f.are(15, 0)
}
