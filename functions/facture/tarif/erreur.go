package tarif

// Code names why a case has no price. It is the error that [Calculer] and [Controler] return, stable on the wire, and can be
// compared with ==.
type Code string

// The codes, in the order in which they win when several hold. Every object given is checked, also one the bill does not use.
const (
	// JSONInvalide: the line is not a case (see [Simuler]); from Go, a Service or a Rubrique that does not exist.
	JSONInvalide Code = "json_invalide"
	// DateInvalide: not a YYYY-MM-DD day of the calendar.
	DateInvalide Code = "date_invalide"
	// PeriodeVide: au <= du, of the period, a grille or a redevance.
	PeriodeVide Code = "periode_vide"
	// ValeurNegative: a negative number (the HT of an acompte may be), logements < 1, roues outside 1..9, litres_par_unite < 1.
	ValeurNegative Code = "valeur_negative"
	// IndexHorsCompteur: an index that the wheels of its meter cannot show.
	IndexHorsCompteur Code = "index_hors_compteur"
	// PoseHorsPeriode: a pose empty, or not inside the period.
	PoseHorsPeriode Code = "pose_hors_periode"
	// PosesChevauchantes: two meters on the same day.
	PosesChevauchantes Code = "poses_chevauchantes"
	// RelevesDesordonnes: dates not strictly increasing, or not strictly inside the pose.
	RelevesDesordonnes Code = "releves_desordonnes"
	// GrillesChevauchantes: two grilles of one service on the same day.
	GrillesChevauchantes Code = "grilles_chevauchantes"
	// GrilleManquante: a day of the period without a grille of a service of the PDL (rule 4).
	GrilleManquante Code = "grille_manquante"
	// TranchesDesordonnees: no slab, bounds not strictly increasing from above 0, a bound missing before the last or present on it.
	TranchesDesordonnees Code = "tranches_desordonnees"
	// Depassement: a billed volume or an amount of the result does not fit an int64.
	Depassement Code = "depassement"
)

// sentences say each code to a person.
var sentences = map[Code]string{
	JSONInvalide:         "not a case",
	DateInvalide:         "a date is not a day of the calendar",
	PeriodeVide:          "an interval has no day",
	ValeurNegative:       "a number is below its least value",
	IndexHorsCompteur:    "an index has more digits than its meter",
	PoseHorsPeriode:      "a pose is not inside the period",
	PosesChevauchantes:   "two poses overlap",
	RelevesDesordonnes:   "the releves of a pose are not in order inside it",
	GrillesChevauchantes: "two grilles of a service overlap",
	GrilleManquante:      "a day of the period has no grille",
	TranchesDesordonnees: "the slabs of a grille are not in order",
	Depassement:          "a result is too large",
}

// Error says the code and its sentence.
func (c Code) Error() string { return "tarif: " + string(c) + ": " + sentences[c] }
