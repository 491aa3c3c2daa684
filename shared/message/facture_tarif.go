package message

import "time"

// RegleTarif is a legal figure that tariffs keep.
type RegleTarif struct {
	Code   string `json:"code" enum:"PART_FIXE,PART_FIXE_RURALE,TVA_EAU,TVA_ASSAINISSEMENT,DEGRESSIF"`
	Valeur int64  `json:"valeur_pm" doc:"Per mille"`
	Du     Date   `json:"du,omitzero" format:"date" doc:"Absent: since ever"`
	Au     Date   `json:"au,omitzero" format:"date" doc:"Absent: still in force"`
	Source string `json:"source"`
}

// CorrigerGrille writes a version anew, as long as no bill rests on it.
type CorrigerGrille struct {
	GrilleID string `json:"grille_id" validate:"required,uuid"`
	DefinirGrille
}

func (CorrigerGrille) Type() string      { return "fr.aquaerp.facture.corriger-grille.v1" }
func (CorrigerGrille) Reply() (r Grille) { return }

// FermerGrille ends a version on another day, because of a later decision. No
// day that a bill has priced by it is left out.
type FermerGrille struct {
	GrilleID string `json:"grille_id" validate:"required,uuid"`
	Au       Date   `json:"au" format:"date" validate:"required" doc:"First day on which it does not hold any more"`
}

func (FermerGrille) Type() string      { return "fr.aquaerp.facture.fermer-grille.v1" }
func (FermerGrille) Reply() (r Grille) { return }

// RetirerGrille withdraws a version that no bill rests on.
type RetirerGrille struct {
	GrilleID string `json:"grille_id" validate:"required,uuid"`
}

func (RetirerGrille) Type() string      { return "fr.aquaerp.facture.retirer-grille.v1" }
func (RetirerGrille) Reply() (r Grille) { return }

// DefinirCommune lists a commune or changes what is known of it. Bills already
// computed keep what was true then.
type DefinirCommune struct {
	CodeINSEE   string `json:"code_insee" validate:"required,len=5" maxLength:"5" pattern:"^[0-9AB]{5}$"`
	Nom         string `json:"nom" validate:"required,max=80" maxLength:"80"`
	Entite      string `json:"entite,omitempty" validate:"max=40" maxLength:"40" doc:"Who issues its bills; absent: principale"`
	Bassin      string `json:"bassin,omitempty" validate:"max=60" maxLength:"60" doc:"Basin of its agence de l'eau, as on the redevances"`
	Rurale      bool   `json:"rurale,omitempty" doc:"Rural commune (CGCT D3334-8-1)"`
	Touristique bool   `json:"touristique,omitempty" doc:"Tourist commune (code du tourisme L133-11)"`
}

func (DefinirCommune) Type() string       { return "fr.aquaerp.facture.definir-commune.v1" }
func (DefinirCommune) Reply() (r Commune) { return }

// Commune is a commune that is listed, or that contracts name.
type Commune struct {
	DefinirCommune
	Connue   bool `json:"connue" doc:"Listed; otherwise contracts name it, and the main entity bills it without a basin"`
	Contrats int  `json:"contrats"`
}

// Communes lists the communes that are listed or that contracts name.
type Communes struct{}

func (Communes) Type() string             { return "fr.aquaerp.facture.communes.v1" }
func (Communes) Reply() (r ListeCommunes) { return }

// ListeCommunes are communes, by name.
type ListeCommunes struct {
	Communes []Commune `json:"communes"`
	Entites  []Entite  `json:"entites"`
}

// Entite is a legal entity that issues bills.
type Entite struct {
	Code    string `json:"code"`
	Nom     string `json:"nom"`
	Prefixe string `json:"prefixe" doc:"Before the year in its numbers"`
}

// AccorderProfil has a contract billed by another profile over some days, on
// evidence: SOCIAL is the tariff of households helped with their water bill
// (CGCT L2224-12-1-1).
type AccorderProfil struct {
	ContratID    string `json:"contrat_id" validate:"required,uuid"`
	Profil       string `json:"profil" validate:"required,oneof=SOCIAL" enum:"SOCIAL"`
	Du           Date   `json:"du" format:"date" validate:"required"`
	Au           Date   `json:"au" format:"date" validate:"required"`
	Justificatif string `json:"justificatif" validate:"required,max=200" maxLength:"200" doc:"What was seen, of what date"`
}

func (AccorderProfil) Type() string             { return "fr.aquaerp.facture.accorder-profil.v1" }
func (AccorderProfil) Reply() (r ProfilAccorde) { return }

// FermerProfil ends a profile granted, on an earlier day.
type FermerProfil struct {
	ProfilID string `json:"profil_id" validate:"required,uuid"`
	Au       Date   `json:"au" format:"date" validate:"required"`
}

func (FermerProfil) Type() string             { return "fr.aquaerp.facture.fermer-profil.v1" }
func (FermerProfil) Reply() (r ProfilAccorde) { return }

// ProfilAccorde is a profile that a contract was granted.
type ProfilAccorde struct {
	ID string `json:"id" format:"uuid"`
	AccorderProfil
	AccordeA   time.Time `json:"accorde_a"`
	AccordePar string    `json:"accorde_par" doc:"Id of the user"`
}

// ProfilsAccordes lists the profiles that a contract was granted, the newest first.
type ProfilsAccordes struct {
	ContratID string `json:"contrat_id" validate:"required,uuid"`
}

func (ProfilsAccordes) Type() string                    { return "fr.aquaerp.facture.profils-accordes.v1" }
func (ProfilsAccordes) Reply() (r ListeProfilsAccordes) { return }

// ListeProfilsAccordes are profiles granted.
type ListeProfilsAccordes struct {
	Profils []ProfilAccorde `json:"profils"`
}
