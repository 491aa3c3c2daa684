package message

import "time"

// DepotAFaire asks facture itself to deposit an issued document of an
// organisation on the platform of electronic invoices (plateforme agreee).
type DepotAFaire struct {
	FactureID string `json:"facture_id"`
}

func (DepotAFaire) Type() string { return "fr.aquaerp.facture.depot-a-faire.v1" }

// EnregistrerStatutDepot records what the platform says of a document. A
// status that is known already has no effect.
type EnregistrerStatutDepot struct {
	StatutID  string    `json:"statut_id" validate:"required,max=80" maxLength:"80" doc:"The platform's own name of this status, by which a repetition is known"`
	Reference string    `json:"reference" validate:"required,max=80" maxLength:"80" doc:"The platform's name of the document"`
	Etat      string    `json:"etat" validate:"required,oneof=RECUE APPROUVEE REFUSEE REJETEE ENCAISSEE" enum:"RECUE,APPROUVEE,REFUSEE,REJETEE,ENCAISSEE"`
	Motif     string    `json:"motif,omitempty" validate:"max=400" maxLength:"400"`
	Le        time.Time `json:"le" validate:"required" doc:"When it came to be; an older one does not undo a newer one"`
}

func (EnregistrerStatutDepot) Type() string     { return "fr.aquaerp.facture.enregistrer-statut-depot.v1" }
func (EnregistrerStatutDepot) Reply() (r Depot) { return }

// Depot is a document on its way to the customer through the platform.
type Depot struct {
	FactureID string    `json:"facture_id" format:"uuid"`
	Numero    string    `json:"numero"`
	Nom       string    `json:"nom"`
	SIREN     string    `json:"siren"`
	Etat      string    `json:"etat" enum:"A_DEPOSER,TRANSMISE,DEPOSEE,RECUE,APPROUVEE,REFUSEE,REJETEE,ENCAISSEE" doc:"TRANSMISE: the platform has it and checks it; DEPOSEE: its checks passed"`
	Reference string    `json:"reference,omitempty" doc:"The platform's name of it"`
	Motif     string    `json:"motif,omitempty" doc:"Why it was rejected or refused, or is not deposited yet"`
	Essais    int       `json:"essais" doc:"Attempts to deposit it"`
	Le        time.Time `json:"le" doc:"Of its state"`

	Entite      string          `json:"entite,omitempty" doc:"Legal entity that issued it"`
	TTCCentimes int64           `json:"ttc_centimes"`
	ProchainA   *time.Time      `json:"prochain_a,omitempty" doc:"When the platform is spoken to next"`
	Statuts     []StatutDepot   `json:"statuts" doc:"What the platform said, the newest first"`
	Relance     *RelanceDuDepot `json:"relance,omitempty" doc:"Who had it sent again last"`
}

// StatutDepot is what the platform said of a document.
type StatutDepot struct {
	Etat  string    `json:"etat"`
	Motif string    `json:"motif,omitempty"`
	Le    time.Time `json:"le"`
}

// RelanceDuDepot is a document sent again by a person.
type RelanceDuDepot struct {
	Instant time.Time `json:"instant"`
	Motif   string    `json:"motif,omitempty" doc:"Why it had not gone through"`
	Par     string    `json:"par"`
}

// RelancerDepot has a document that was rejected, or that waits for its next
// attempt, sent again.
type RelancerDepot struct {
	FactureID string `json:"facture_id" validate:"required,uuid"`
}

func (RelancerDepot) Type() string     { return "fr.aquaerp.facture.relancer-depot.v1" }
func (RelancerDepot) Reply() (r Depot) { return }

// Depots lists what goes through the platform, the newest first.
type Depots struct {
	Etat string `json:"etat,omitempty" validate:"omitempty,oneof=A_DEPOSER TRANSMISE DEPOSEE RECUE APPROUVEE REFUSEE REJETEE ENCAISSEE"`
	Page
}

func (Depots) Type() string          { return "fr.aquaerp.facture.depots.v1" }
func (Depots) Reply() (r PageDepots) { return }

// PageDepots is one page of them.
type PageDepots struct {
	Items   []Depot         `json:"items"`
	Suivant string          `json:"suivant,omitempty" doc:"Cursor of the next page"`
	Etats   []DepotsParEtat `json:"etats" doc:"How many there are of each state, whatever was asked for"`
}

// DepotsParEtat counts documents in a state.
type DepotsParEtat struct {
	Etat   string `json:"etat"`
	Nombre int    `json:"nombre"`
}

// EReporting sums what was issued to people who are no companies, as it is
// declared: by day and rate of VAT.
type EReporting struct {
	Du Date `json:"du" format:"date" validate:"required"`
	Au Date `json:"au" format:"date" validate:"required" doc:"Excluded; at most a year"`
}

func (EReporting) Type() string               { return "fr.aquaerp.facture.e-reporting.v1" }
func (EReporting) Reply() (r JoursEReporting) { return }

// JoursEReporting are the days on which something was issued.
type JoursEReporting struct {
	Obligatoire Date             `json:"obligatoire,omitzero" format:"date" doc:"From when the service has to declare; absent while no date is known"`
	Source      string           `json:"source,omitempty" doc:"Where that date was read"`
	Jours       []JourEReporting `json:"jours"`
}

// JourEReporting are the documents of a day at a rate, avoirs taken off.
type JourEReporting struct {
	Jour            Date  `json:"jour" format:"date" validate:"required"`
	TauxPM          int64 `json:"taux_pm"`
	Documents       int   `json:"documents"`
	BaseCentimes    int64 `json:"base_centimes"`
	MontantCentimes int64 `json:"montant_centimes" doc:"VAT"`
}
