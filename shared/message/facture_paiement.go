package message

// RejeterPaiement takes a payment back: a cheque without funds, money that was
// recorded by mistake. The bills that it paid are open again.
type RejeterPaiement struct {
	PaiementID string `json:"paiement_id" validate:"required,uuid"`
	Motif      string `json:"motif" validate:"required,max=200" maxLength:"200"`
}

func (RejeterPaiement) Type() string        { return "fr.aquaerp.facture.rejeter-paiement.v1" }
func (RejeterPaiement) Reply() (r Paiement) { return }

// PaiementRejete says that a payment was taken back.
type PaiementRejete struct {
	PaiementID      string `json:"paiement_id"`
	AbonneID        string `json:"abonne_id"`
	Mode            string `json:"mode"`
	MontantCentimes int64  `json:"montant_centimes"`
	Reference       string `json:"reference,omitempty"`
	Motif           string `json:"motif"`
}

func (PaiementRejete) Type() string { return "fr.aquaerp.facture.paiement-rejete.v1" }

// FactureRouverte says that a bill that was paid in full is so no more.
type FactureRouverte struct {
	FactureID     string `json:"facture_id"`
	Numero        string `json:"numero"`
	AbonneID      string `json:"abonne_id"`
	ResteCentimes int64  `json:"reste_centimes"`
	Motif         string `json:"motif"`
}

func (FactureRouverte) Type() string { return "fr.aquaerp.facture.rouverte.v1" }
