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

// ARapprocher reads the money that no bill has been found for: what waits on
// account 471 for its owner, and the advances of abonnes.
type ARapprocher struct{}

func (ARapprocher) Type() string             { return "fr.aquaerp.facture.a-rapprocher.v1" }
func (ARapprocher) Reply() (r Rapprochement) { return }

// Rapprochement is the money to be matched, the oldest first, at most 200 of each.
type Rapprochement struct {
	Attentes []Attente             `json:"attentes"`
	Avances  []Avance              `json:"avances"`
	Regles   []RegleLettrage       `json:"regles"`
	Refusees []NotificationRefusee `json:"refusees" doc:"What the payment provider told and that was not taken: what nobody has dealt with first, then the newest"`
}

// Attente is money that reached the bank and whose owner is not known.
type Attente struct {
	ID              string        `json:"id" format:"uuid"`
	Mode            string        `json:"mode"`
	MontantCentimes int64         `json:"montant_centimes"`
	ResteCentimes   int64         `json:"reste_centimes" doc:"Not yet given to an abonne"`
	RecuLe          Date          `json:"recu_le" format:"date" validate:"required"`
	Libelle         string        `json:"libelle" doc:"What the payer wrote"`
	Nom             string        `json:"nom" doc:"Of the payer, as the bank says it"`
	Propositions    []Proposition `json:"propositions" doc:"Open bills that it may be for, at most 5"`
}

// Proposition is an open bill that money may be for.
type Proposition struct {
	FactureID     string `json:"facture_id"`
	Numero        string `json:"numero"`
	AbonneID      string `json:"abonne_id"`
	Nom           string `json:"nom"`
	ResteCentimes int64  `json:"reste_centimes"`
	Raison        string `json:"raison" enum:"MONTANT_NOM,MONTANT,NOM"`
}

// Avance is money of an abonne that no bill has taken.
type Avance struct {
	PaiementID    string        `json:"paiement_id,omitempty" doc:"The payment, or"`
	AvoirID       string        `json:"avoir_id,omitempty" doc:"the avoir that it comes from"`
	AbonneID      string        `json:"abonne_id"`
	Nom           string        `json:"nom"`
	Date          Date          `json:"date" format:"date" validate:"required"`
	ResteCentimes int64         `json:"reste_centimes"`
	Factures      []Proposition `json:"factures" doc:"Open bills of the abonne"`
}

// RegleLettrage is a rule that finds the owner of money.
type RegleLettrage struct {
	Code    string `json:"code" enum:"FACTURE,CONTRAT,PAYEUR,MONTANT_NOM,MONTANT" doc:"PAYEUR is not used any more"`
	Libelle string `json:"libelle"`
	Active  bool   `json:"active"`
}

// ReglerLettrage turns a rule on or off.
type ReglerLettrage struct {
	Code   string `json:"code" validate:"required,oneof=FACTURE CONTRAT PAYEUR MONTANT_NOM MONTANT" enum:"FACTURE,CONTRAT,PAYEUR,MONTANT_NOM,MONTANT"`
	Active bool   `json:"active"`
}

func (ReglerLettrage) Type() string             { return "fr.aquaerp.facture.regler-lettrage.v1" }
func (ReglerLettrage) Reply() (r RegleLettrage) { return }

// AffecterAttente gives money that waited to its owner.
type AffecterAttente struct {
	AttenteID       string `json:"attente_id" validate:"required,uuid"`
	AbonneID        string `json:"abonne_id,omitempty" validate:"required_without=Reference,omitempty,uuid"`
	Reference       string `json:"reference,omitempty" validate:"max=80" maxLength:"80" doc:"Number of the bill, or of the contract"`
	MontantCentimes int64  `json:"montant_centimes,omitempty" validate:"min=0" minimum:"0" doc:"A part of it; all when absent"`
}

func (AffecterAttente) Type() string        { return "fr.aquaerp.facture.affecter-attente.v1" }
func (AffecterAttente) Reply() (r Paiement) { return }

// DesaffecterPaiement takes a payment from an abonne whose money it was not;
// it waits for its owner on account 471.
type DesaffecterPaiement struct {
	PaiementID string `json:"paiement_id" validate:"required,uuid"`
	Motif      string `json:"motif" validate:"required,max=200" maxLength:"200"`
}

func (DesaffecterPaiement) Type() string        { return "fr.aquaerp.facture.desaffecter-paiement.v1" }
func (DesaffecterPaiement) Reply() (r Paiement) { return }

// LettrerPaiement matches what a payment has left with a bill of its abonne.
type LettrerPaiement struct {
	PaiementID      string `json:"paiement_id" validate:"required,uuid"`
	FactureID       string `json:"facture_id" validate:"required,uuid"`
	MontantCentimes int64  `json:"montant_centimes,omitempty" validate:"min=0" minimum:"0" doc:"As much as both allow when absent"`
	Motif           string `json:"motif,omitempty" validate:"max=200" maxLength:"200"`
}

func (LettrerPaiement) Type() string        { return "fr.aquaerp.facture.lettrer-paiement.v1" }
func (LettrerPaiement) Reply() (r Paiement) { return }

// DelettrerPaiement takes a payment off a bill; it is an advance again.
type DelettrerPaiement struct {
	PaiementID string `json:"paiement_id" validate:"required,uuid"`
	FactureID  string `json:"facture_id" validate:"required,uuid"`
	Motif      string `json:"motif" validate:"required,max=200" maxLength:"200"`
}

func (DelettrerPaiement) Type() string        { return "fr.aquaerp.facture.delettrer-paiement.v1" }
func (DelettrerPaiement) Reply() (r Paiement) { return }

// DemanderRemboursement asks to pay back what an abonne is in credit of. The
// credit is set aside at once.
type DemanderRemboursement struct {
	AbonneID        string `json:"abonne_id" validate:"required,uuid"`
	MontantCentimes int64  `json:"montant_centimes" validate:"min=1,max=100000000000" minimum:"1"`
	Motif           string `json:"motif" validate:"required,max=200" maxLength:"200"`
}

func (DemanderRemboursement) Type() string             { return "fr.aquaerp.facture.demander-remboursement.v1" }
func (DemanderRemboursement) Reply() (r Remboursement) { return }

// DeciderRemboursement approves or refuses a refund; never the person who asked.
type DeciderRemboursement struct {
	RemboursementID string `json:"remboursement_id" validate:"required,uuid"`
	Approuve        bool   `json:"approuve"`
	Motif           string `json:"motif,omitempty" validate:"required_if=Approuve false,max=200" maxLength:"200" doc:"Of a refusal"`
}

func (DeciderRemboursement) Type() string             { return "fr.aquaerp.facture.decider-remboursement.v1" }
func (DeciderRemboursement) Reply() (r Remboursement) { return }

// PayerRemboursement records that an approved refund was paid from the bank.
type PayerRemboursement struct {
	RemboursementID string `json:"remboursement_id" validate:"required,uuid"`
	PayeLe          Date   `json:"paye_le" format:"date" validate:"required"`
	Piece           string `json:"piece,omitempty" validate:"max=80" maxLength:"80" doc:"Reference of the transfer"`
}

func (PayerRemboursement) Type() string             { return "fr.aquaerp.facture.payer-remboursement.v1" }
func (PayerRemboursement) Reply() (r Remboursement) { return }

// Remboursement is credit that is paid back.
type Remboursement struct {
	ID              string `json:"id" format:"uuid"`
	AbonneID        string `json:"abonne_id"`
	Nom             string `json:"nom"`
	MontantCentimes int64  `json:"montant_centimes"`
	Motif           string `json:"motif"`
	Etat            string `json:"etat" enum:"DEMANDE,APPROUVE,REFUSE,PAYE"`
	DemandePar      string `json:"demande_par" doc:"Id of the user"`
	DemandeNom      string `json:"demande_nom,omitempty" doc:"Of the user, as they were called then"`
	DemandeLe       Date   `json:"demande_le" format:"date" validate:"required"`
	DecidePar       string `json:"decide_par,omitempty" doc:"Id of another user"`
	DecideNom       string `json:"decide_nom,omitempty"`
	Refus           string `json:"refus,omitempty"`
	PayeLe          Date   `json:"paye_le,omitzero" format:"date"`
	Piece           string `json:"piece,omitempty"`
}

// Remboursements lists refunds, those that wait first, then the newest.
type Remboursements struct {
	AbonneID string `json:"abonne_id,omitempty" validate:"omitempty,uuid"`
	Etat     string `json:"etat,omitempty" validate:"omitempty,oneof=DEMANDE APPROUVE REFUSE PAYE"`
}

func (Remboursements) Type() string                   { return "fr.aquaerp.facture.remboursements.v1" }
func (Remboursements) Reply() (r ListeRemboursements) { return }

// ListeRemboursements are refunds, at most 200.
type ListeRemboursements struct {
	Items []Remboursement `json:"items"`
}

// EnregistrerEncaissement takes a movement of the bank as its statement shows
// it. The rules find whose money it is; what they cannot place waits.
type EnregistrerEncaissement struct {
	Mouvement       string `json:"mouvement" validate:"required,max=80" maxLength:"80" doc:"The bank's own id of it; taken once"`
	Mode            string `json:"mode,omitempty" validate:"omitempty,oneof=VIREMENT TIP MANDAT_CASH" enum:"VIREMENT,TIP,MANDAT_CASH"`
	MontantCentimes int64  `json:"montant_centimes" validate:"min=1,max=100000000000" minimum:"1"`
	Devise          string `json:"devise" validate:"required,len=3" minLength:"3" maxLength:"3"`
	RecuLe          Date   `json:"recu_le" format:"date" validate:"required"`
	Libelle         string `json:"libelle" validate:"max=300" maxLength:"300"`
	Nom             string `json:"nom" validate:"max=140" maxLength:"140" doc:"Of the payer"`
}

func (EnregistrerEncaissement) Type() string {
	return "fr.aquaerp.facture.enregistrer-encaissement.v1"
}
func (EnregistrerEncaissement) Reply() (r Encaissement) { return }

// Encaissement tells what became of money that reached the bank.
type Encaissement struct {
	Identifie bool `json:"identifie" doc:"Its owner was found, or it was known already; else it waits"`
}
