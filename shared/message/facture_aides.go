package message

// AidesDe reads how a household is helped, and what holds its letters up.
type AidesDe struct {
	AbonneID string `json:"abonne_id" validate:"required,uuid"`
}

func (AidesDe) Type() string          { return "fr.aquaerp.facture.aides.v1" }
func (AidesDe) Reply() (r ListeAides) { return }

// ListeAides is how a household is helped.
type ListeAides struct {
	Aidee       bool         `json:"aidee" doc:"Today: longer delays, no fee"`
	Aides       []Aide       `json:"aides" doc:"The newest first"`
	Suspensions []Suspension `json:"suspensions" doc:"That hold letters up today, the longest first"`
}

// CloreAide ends a social tariff on an earlier day.
type CloreAide struct {
	AideID string `json:"aide_id" validate:"required,uuid"`
	Au     Date   `json:"au" format:"date" validate:"required" doc:"Its last day"`
}

func (CloreAide) Type() string    { return "fr.aquaerp.facture.clore-aide.v1" }
func (CloreAide) Reply() (r Aide) { return }

// DocumentAide asks for the evidence of a help.
type DocumentAide struct {
	AideID string `json:"aide_id" validate:"required,uuid"`
}

func (DocumentAide) Type() string        { return "fr.aquaerp.facture.document-aide.v1" }
func (DocumentAide) Reply() (r Document) { return }

// EvenementContentieux is what was done with a bill that is in litigation.
type EvenementContentieux struct {
	Numero string `json:"numero" doc:"Of the bill"`
	EvenementRelance
}

// ImprimerContentieux asks for the litigation on paper: what is owed, what was
// done, and the list of its documents.
type ImprimerContentieux struct {
	ContentieuxID string `json:"contentieux_id" validate:"required,uuid"`
}

func (ImprimerContentieux) Type() string        { return "fr.aquaerp.facture.imprimer-contentieux.v1" }
func (ImprimerContentieux) Reply() (r Document) { return }
