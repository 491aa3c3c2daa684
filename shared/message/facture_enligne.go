package message

import "time"

// PayerEnLigne starts the payment of what is left of a bill by card or by
// telephone: the payer goes on at the address of the answer.
type PayerEnLigne struct {
	FactureID string `json:"facture_id" validate:"required,uuid"`
}

func (PayerEnLigne) Type() string               { return "fr.aquaerp.facture.payer-en-ligne.v1" }
func (PayerEnLigne) Reply() (r PaiementEnLigne) { return }

// PaiementEnLigne is an attempt to pay a bill through the payment provider.
type PaiementEnLigne struct {
	ID              string    `json:"id" format:"uuid"`
	FactureID       string    `json:"facture_id"`
	Numero          string    `json:"numero" doc:"Of the bill"`
	AbonneID        string    `json:"abonne_id"`
	MontantCentimes int64     `json:"montant_centimes"`
	Etat            string    `json:"etat" enum:"INITIE,ACCEPTE,REFUSE,ABANDONNE,EXPIRE" doc:"As far as the provider has told"`
	ExpireA         time.Time `json:"expire_a" doc:"The provider's page may be opened until then"`
	PaiementID      string    `json:"paiement_id,omitempty" doc:"Once it is ACCEPTE"`
	Paiement        *Paiement `json:"paiement,omitempty" doc:"Once it is ACCEPTE: the bills that the money paid, and what of it is an advance"`
	URL             string    `json:"url,omitempty" doc:"The provider's page, while it is INITIE"`
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

// PaiementNotifie tells the provider that it was heard, whether or not it was
// taken: what was not waits for a person.
type PaiementNotifie struct {
	Etat  string `json:"etat,omitempty" enum:"ACCEPTE,REFUSE,ABANDONNE" doc:"Of the attempt after it, when it was taken"`
	Refus string `json:"refus,omitempty" doc:"Why it was not: the code of a problem"`
}

// NotificationRefusee is what the provider signed and that was not taken.
type NotificationRefusee struct {
	ID              string    `json:"id" doc:"SHA-256 of its bytes"`
	RecuA           time.Time `json:"recu_a" doc:"The first time"`
	Code            string    `json:"code"`
	Detail          string    `json:"detail" doc:"Why, in French"`
	DetailEN        string    `json:"detail_en" doc:"Why, in English"`
	Transaction     string    `json:"transaction,omitempty" doc:"By the provider's own name"`
	Etat            string    `json:"etat,omitempty" doc:"As the provider says it"`
	MontantCentimes int64     `json:"montant_centimes,omitempty"`

	TraiteeA   *time.Time `json:"traitee_a,omitempty" doc:"Once somebody has dealt with it"`
	TraiteePar string     `json:"traitee_par,omitempty" doc:"Their name"`
	Mot        string     `json:"mot,omitempty" doc:"What they found, or did"`
}

// TraiterNotification says that what was refused of the provider has been
// dealt with. It changes no money.
type TraiterNotification struct {
	NotificationID string `json:"notification_id" validate:"required,len=64,hexadecimal" minLength:"64" maxLength:"64"`
	Mot            string `json:"mot" validate:"required,max=200" maxLength:"200" doc:"What was found, or done"`
}

func (TraiterNotification) Type() string                   { return "fr.aquaerp.facture.traiter-notification.v1" }
func (TraiterNotification) Reply() (r NotificationRefusee) { return }
