package message

import "time"

// Plan is a running process.
type Plan struct {
	ID         string     `json:"id" format:"uuid"`
	Definition string     `json:"definition" doc:"Code of the definition: souscription"`
	Version    int        `json:"version" doc:"Version of the definition that it started with and keeps"`
	Titre      string     `json:"titre"`
	Sujet      string     `json:"sujet" doc:"Id of what it is about: the contrat"`
	AbonneID   string     `json:"abonne_id,omitempty"`
	Etat       string     `json:"etat" enum:"EN_COURS,TERMINE,ECHEC,ANNULE"`
	CreeA      time.Time  `json:"cree_a"`
	TermineA   *time.Time `json:"termine_a,omitempty"`
	Etapes     []Etape    `json:"etapes" doc:"All steps of the version, in order"`

	// Journal is in the answer for one plan only.
	Journal []Evenement `json:"journal,omitempty" doc:"What happened, the newest first; objet is the code of the step"`
}

// Etape is a step of a plan.
type Etape struct {
	Code    string     `json:"code"`
	Titre   string     `json:"titre"`
	Nature  string     `json:"nature" enum:"ACTION,ATTENTE_DATE,ATTENTE_EVENEMENT,FIN"`
	Etat    string     `json:"etat" enum:"A_VENIR,EN_COURS,FAITE,ECHEC"`
	EntreeA *time.Time `json:"entree_a,omitempty"`
	SortieA *time.Time `json:"sortie_a,omitempty"`
	Jusqua  Date       `json:"jusqua,omitzero" format:"date" doc:"The day that an ATTENTE_DATE waits for"`
	Essais  int        `json:"essais,omitempty" doc:"Attempts of an ACTION"`
	Detail  string     `json:"detail,omitempty" doc:"Refusal of the last attempt, or what came of it"`
}

// Plans lists plans, the newest first.
type Plans struct {
	Etat string `json:"etat,omitempty" validate:"omitempty,oneof=EN_COURS TERMINE ECHEC ANNULE"`
	Page
}

func (Plans) Type() string         { return "fr.aquaerp.workflow.plans.v1" }
func (Plans) Reply() (r PagePlans) { return }

// PagePlans is one page of plans.
type PagePlans struct {
	Items   []Plan `json:"items"`
	EnCours int    `json:"en_cours" doc:"Plans running"`
	Echecs  int    `json:"echecs" doc:"Plans that need a person"`
	Suivant string `json:"suivant,omitempty" doc:"Cursor of the next page"`
}

// PlanParID reads one plan.
type PlanParID struct {
	ID string `json:"id" validate:"required,uuid"`
}

func (PlanParID) Type() string    { return "fr.aquaerp.workflow.plan.v1" }
func (PlanParID) Reply() (r Plan) { return }

// RelancerPlan tries the failed step of a plan ECHEC again.
type RelancerPlan struct {
	PlanID string `json:"plan_id" validate:"required,uuid"`
}

func (RelancerPlan) Type() string    { return "fr.aquaerp.workflow.relancer.v1" }
func (RelancerPlan) Reply() (r Plan) { return }

// PlanTermine says that a plan came to its end.
type PlanTermine struct {
	PlanID     string `json:"plan_id"`
	Definition string `json:"definition"`
	Sujet      string `json:"sujet"`
}

func (PlanTermine) Type() string { return "fr.aquaerp.workflow.termine.v1" }
