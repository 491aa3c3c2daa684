package message

// ImprimerLettres draws letters as one PDF for printing on both sides: each
// begins on a sheet of its own, its address in the window of the envelope.
type ImprimerLettres struct {
	Titre   string   `json:"titre" validate:"required,max=80"`
	Lettres []Lettre `json:"lettres" validate:"required,min=1,max=250,dive"`
}

func (ImprimerLettres) Type() string        { return "fr.aquaerp.facture.imprimer-lettres.v1" }
func (ImprimerLettres) Reply() (r Document) { return }

// Lettre is a letter: a bill or an avoir, by its id, or a text.
type Lettre struct {
	FactureID string  `json:"facture_id,omitempty" validate:"omitempty,uuid"`
	Nom       string  `json:"nom,omitempty" validate:"required_without=FactureID,max=300"`
	Adresse   Adresse `json:"adresse,omitzero" validate:"-"`
	Date      Date    `json:"date,omitzero"`
	Objet     string  `json:"objet,omitempty" validate:"max=300"`
	Texte     string  `json:"texte,omitempty" validate:"max=20000"`
	Reference string  `json:"reference,omitempty" validate:"omitempty,uuid" doc:"Of a text: the notice, the debit or the plan that it tells of; who bills it heads the letter"`
}
