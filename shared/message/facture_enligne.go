package message

// PayerEnLigne starts the payment of what is left of a bill by card or by
// telephone: the payer goes on at the address of the answer.
type PayerEnLigne struct {
	FactureID string `json:"facture_id" validate:"required,uuid"`
}

func (PayerEnLigne) Type() string               { return "fr.aquaerp.facture.payer-en-ligne.v1" }
func (PayerEnLigne) Reply() (r PaiementEnLigne) { return }

// PaiementEnLigne is an attempt to pay a bill through the payment provider.
type PaiementEnLigne struct {
	ID              string `json:"id" format:"uuid"`
	FactureID       string `json:"facture_id"`
	AbonneID        string `json:"abonne_id"`
	MontantCentimes int64  `json:"montant_centimes"`
	Etat            string `json:"etat" enum:"INITIE,ACCEPTE,REFUSE"`
	PaiementID      string `json:"paiement_id,omitempty" doc:"Once it is ACCEPTE"`
	URL             string `json:"url,omitempty" doc:"The provider's page, while it is INITIE"`
}

// PaiementEnLigneParID reads an attempt.
type PaiementEnLigneParID struct {
	ID string `json:"id" validate:"required,uuid"`
}

func (PaiementEnLigneParID) Type() string               { return "fr.aquaerp.facture.paiement-en-ligne.v1" }
func (PaiementEnLigneParID) Reply() (r PaiementEnLigne) { return }

// NotifierPaiement is what the payment provider sends: its signature proves
// who it is from, and when.
type NotifierPaiement struct {
	Signature string `json:"signature" validate:"required,max=400"`
	Corps     []byte `json:"corps" validate:"required,max=65536" doc:"The bytes that were signed"`
}

func (NotifierPaiement) Type() string               { return "fr.aquaerp.facture.notifier-paiement.v1" }
func (NotifierPaiement) Reply() (r PaiementNotifie) { return }

// PaiementNotifie tells the provider that it was heard.
type PaiementNotifie struct {
	Etat string `json:"etat" enum:"INITIE,ACCEPTE,REFUSE" doc:"Of the attempt after it"`
}
