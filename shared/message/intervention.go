package message

import "time"

// CreerIntervention orders field work. It also comes by post, from workflow.
type CreerIntervention struct {
	Nature    string  `json:"nature" validate:"required,oneof=OUVERTURE FERMETURE POSE CHANGEMENT RELEVE FUITE REPARATION" enum:"OUVERTURE,FERMETURE,POSE,CHANGEMENT,RELEVE,FUITE,REPARATION"`
	Priorite  string  `json:"priorite,omitempty" validate:"omitempty,oneof=URGENTE NORMALE BASSE" enum:"URGENTE,NORMALE,BASSE"`
	PrevueLe  Date    `json:"prevue_le" format:"date" validate:"required"`
	ContratID string  `json:"contrat_id,omitempty" validate:"omitempty,uuid"`
	AbonneID  string  `json:"abonne_id,omitempty" validate:"omitempty,uuid"`
	PDLID     string  `json:"pdl_id" validate:"required,uuid"`
	PDL       string  `json:"pdl" validate:"required,max=40" doc:"Reference of the PDL"`
	Compteur  string  `json:"compteur,omitempty" validate:"max=40" doc:"Serial number of the meter"`
	Adresse   Adresse `json:"adresse"`
	Contact   string  `json:"contact,omitempty" validate:"max=160" doc:"Name and telephone on the spot"`
	Consigne  string  `json:"consigne,omitempty" validate:"max=400"`
	Plan      string  `json:"plan,omitempty" validate:"omitempty,uuid" doc:"The running plan that ordered it"`
}

func (CreerIntervention) Type() string            { return "fr.aquaerp.intervention.creer.v1" }
func (CreerIntervention) Reply() (r Intervention) { return }

// Intervention is an order of field work.
type Intervention struct {
	ID            string `json:"id" format:"uuid"`
	Numero        string `json:"numero" doc:"I-<yy>-<sequence>"`
	Etat          string `json:"etat" enum:"PLANIFIEE,AFFECTEE,ACCEPTEE,EN_ROUTE,SUR_PLACE,REALISEE,IMPOSSIBLE,ANNULEE"`
	Version       int64  `json:"version"`
	Technicien    string `json:"technicien,omitempty" doc:"Id of the user"`
	NomTechnicien string `json:"nom_technicien,omitempty"`
	CreerIntervention
	CreeA     time.Time    `json:"cree_a"`
	RealiseeA *time.Time   `json:"realisee_a,omitempty"`
	Compte    *CompteRendu `json:"compte_rendu,omitempty"`
	Motif     string       `json:"motif,omitempty" doc:"Why it was impossible"`
}

// CompteRendu is what the technician reports.
type CompteRendu struct {
	Date         Date   `json:"date" format:"date" validate:"required"`
	Index        *int64 `json:"index,omitempty" doc:"Index of the meter; required for OUVERTURE, FERMETURE, POSE, CHANGEMENT and RELEVE"`
	Observations string `json:"observations,omitempty"`
	Signataire   string `json:"signataire,omitempty"`
}

// AffecterIntervention gives an order to a technician; a technician may take
// an order that nobody has.
type AffecterIntervention struct {
	InterventionID string `json:"intervention_id" validate:"required,uuid"`
	Technicien     string `json:"technicien" validate:"required,uuid" doc:"Id of the user"`
	NomTechnicien  string `json:"nom_technicien" validate:"required,max=120"`
}

func (AffecterIntervention) Type() string            { return "fr.aquaerp.intervention.affecter.v1" }
func (AffecterIntervention) Reply() (r Intervention) { return }

// AvancerIntervention moves an order one step on.
type AvancerIntervention struct {
	InterventionID string `json:"intervention_id" validate:"required,uuid"`
	Vers           string `json:"vers" validate:"required,oneof=ACCEPTEE EN_ROUTE SUR_PLACE" enum:"ACCEPTEE,EN_ROUTE,SUR_PLACE"`
}

func (AvancerIntervention) Type() string            { return "fr.aquaerp.intervention.avancer.v1" }
func (AvancerIntervention) Reply() (r Intervention) { return }

// RealiserIntervention reports an order done. Sent twice it counts once.
type RealiserIntervention struct {
	InterventionID string `json:"intervention_id" validate:"required,uuid"`
	Date           Date   `json:"date" format:"date" validate:"required" doc:"Not in the future, not before the order"`
	Index          *int64 `json:"index,omitempty" validate:"omitempty,min=0" minimum:"0"`
	Observations   string `json:"observations,omitempty" validate:"max=2000" maxLength:"2000"`
	Signataire     string `json:"signataire,omitempty" validate:"max=120" maxLength:"120"`
}

func (RealiserIntervention) Type() string            { return "fr.aquaerp.intervention.realiser.v1" }
func (RealiserIntervention) Reply() (r Intervention) { return }

// DeclarerImpossible reports that an order could not be done.
type DeclarerImpossible struct {
	InterventionID string `json:"intervention_id" validate:"required,uuid"`
	Motif          string `json:"motif" validate:"required,max=400" maxLength:"400"`
}

func (DeclarerImpossible) Type() string            { return "fr.aquaerp.intervention.impossible.v1" }
func (DeclarerImpossible) Reply() (r Intervention) { return }

// Interventions lists orders by day and number; a technician sees their own
// and those that nobody has.
type Interventions struct {
	Etat       string `json:"etat,omitempty" validate:"omitempty,oneof=OUVERTES PLANIFIEE AFFECTEE ACCEPTEE EN_ROUTE SUR_PLACE REALISEE IMPOSSIBLE ANNULEE" doc:"A state, or OUVERTES for all that is not over"`
	AbonneID   string `json:"abonne_id,omitempty" validate:"omitempty,uuid"`
	Technicien string `json:"technicien,omitempty" validate:"omitempty,uuid"`
	Page
}

func (Interventions) Type() string                 { return "fr.aquaerp.intervention.liste.v1" }
func (Interventions) Reply() (r PageInterventions) { return }

// PageInterventions is one page of orders.
type PageInterventions struct {
	Items   []Intervention `json:"items"`
	Total   int            `json:"total"`
	Suivant string         `json:"suivant,omitempty" doc:"Cursor of the next page"`
}

// InterventionParID reads one order.
type InterventionParID struct {
	ID string `json:"id" validate:"required,uuid"`
}

func (InterventionParID) Type() string            { return "fr.aquaerp.intervention.intervention.v1" }
func (InterventionParID) Reply() (r Intervention) { return }

// InterventionRealisee says that field work is done.
type InterventionRealisee struct {
	InterventionID string      `json:"intervention_id"`
	Nature         string      `json:"nature"`
	ContratID      string      `json:"contrat_id,omitempty"`
	PDLID          string      `json:"pdl_id"`
	Plan           string      `json:"plan,omitempty"`
	CompteRendu    CompteRendu `json:"compte_rendu"`
}

func (InterventionRealisee) Type() string { return "fr.aquaerp.intervention.realisee.v1" }

// InterventionImpossible says that field work could not be done.
type InterventionImpossible struct {
	InterventionID string `json:"intervention_id"`
	Plan           string `json:"plan,omitempty"`
	Motif          string `json:"motif"`
}

func (InterventionImpossible) Type() string { return "fr.aquaerp.intervention.impossible-constatee.v1" }
