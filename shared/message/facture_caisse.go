package message

import "time"

// MoyensDePaiement reads the means of payment, and the rules that hold today.
type MoyensDePaiement struct{}

func (MoyensDePaiement) Type() string      { return "fr.aquaerp.facture.moyens.v1" }
func (MoyensDePaiement) Reply() (r Moyens) { return }

// Moyens are the means of payment.
type Moyens struct {
	Items  []Moyen             `json:"items"`
	Regles []RegleEncaissement `json:"regles" doc:"In force today"`
}

// Moyen is a means of payment.
type Moyen struct {
	Code             string `json:"code"`
	Libelle          string `json:"libelle"`
	Compte           string `json:"compte" doc:"Account of the journal that its money arrives on"`
	Banque           string `json:"banque,omitempty" doc:"Account that a remise takes it to"`
	ARemettre        int    `json:"a_remettre" doc:"Payments that wait for a remise"`
	ARemettreMontant int64  `json:"a_remettre_centimes"`
}

// RegleEncaissement is a figure that the law or the service sets.
type RegleEncaissement struct {
	Code      string `json:"code"`
	Valeur    int64  `json:"valeur"`
	Unite     string `json:"unite"`
	Depuis    Date   `json:"depuis" format:"date" validate:"required"`
	Source    string `json:"source"`
	AVerifier bool   `json:"a_verifier" doc:"Read in a secondary source, or left to the service"`
}

// Caisses reads the cash desks with their open sessions, and past sessions.
type Caisses struct{}

func (Caisses) Type() string            { return "fr.aquaerp.facture.caisses.v1" }
func (Caisses) Reply() (r ListeCaisses) { return }

// ListeCaisses are the cash desks.
type ListeCaisses struct {
	Items    []Caisse        `json:"items"`
	Sessions []SessionCaisse `json:"sessions" doc:"The newest first, at most 50"`
}

// Caisse is a cash desk.
type Caisse struct {
	Code    string `json:"code"`
	Libelle string `json:"libelle"`
}

// SessionCaisse is a cash desk from its opening to its closing.
type SessionCaisse struct {
	ID              string     `json:"id" format:"uuid"`
	Caisse          string     `json:"caisse"`
	Caissier        string     `json:"caissier" doc:"Id of the user"`
	Nom             string     `json:"nom" doc:"Of the cashier"`
	OuverteA        time.Time  `json:"ouverte_a"`
	FondCentimes    int64      `json:"fond_centimes" doc:"Float"`
	RecuCentimes    int64      `json:"recu_centimes" doc:"Received in cash"`
	Paiements       int        `json:"paiements" doc:"Of all means"`
	AttenduCentimes int64      `json:"attendu_centimes" doc:"Float and cash received"`
	FermeeA         *time.Time `json:"fermee_a,omitempty"`
	CompteCentimes  int64      `json:"compte_centimes" doc:"As counted at closing"`
	EcartCentimes   int64      `json:"ecart_centimes" doc:"Counted less expected; booked at closing"`
	Motif           string     `json:"motif,omitempty" doc:"Why there is a difference"`
	AMoi            bool       `json:"a_moi" doc:"The caller is its cashier"`
}

// OuvrirCaisse opens a session of a cash desk with its float, for the caller.
type OuvrirCaisse struct {
	Caisse       string `json:"caisse" validate:"required,max=40" maxLength:"40"`
	FondCentimes int64  `json:"fond_centimes" validate:"min=0,max=100000000" minimum:"0"`
}

func (OuvrirCaisse) Type() string             { return "fr.aquaerp.facture.ouvrir-caisse.v1" }
func (OuvrirCaisse) Reply() (r SessionCaisse) { return }

// FermerCaisse closes a session with what was counted; a difference is booked
// and needs a reason.
type FermerCaisse struct {
	SessionID      string `json:"session_id" validate:"required,uuid"`
	CompteCentimes int64  `json:"compte_centimes" validate:"min=0,max=10000000000" minimum:"0"`
	Motif          string `json:"motif,omitempty" validate:"max=200" maxLength:"200"`
}

func (FermerCaisse) Type() string             { return "fr.aquaerp.facture.fermer-caisse.v1" }
func (FermerCaisse) Reply() (r SessionCaisse) { return }

// CreerBordereau takes payments of a means to the bank together: all that wait,
// or those that are named. Cash is taken from closed sessions.
type CreerBordereau struct {
	Mode      string   `json:"mode" validate:"required,max=20" maxLength:"20"`
	Paiements []string `json:"paiements,omitempty" validate:"max=500,dive,uuid" maxItems:"500" doc:"All that wait when absent"`
}

func (CreerBordereau) Type() string         { return "fr.aquaerp.facture.creer-bordereau.v1" }
func (CreerBordereau) Reply() (r Bordereau) { return }

// Bordereau is a deposit slip (bordereau de remise).
type Bordereau struct {
	ID              string     `json:"id" format:"uuid"`
	Numero          string     `json:"numero"`
	Mode            string     `json:"mode"`
	Date            Date       `json:"date" format:"date" validate:"required"`
	MontantCentimes int64      `json:"montant_centimes"`
	Nombre          int        `json:"nombre" doc:"Payments on it"`
	CrediteeLe      Date       `json:"creditee_le,omitzero" format:"date" doc:"Day on which the bank confirmed it"`
	Paiements       []Paiement `json:"paiements,omitempty" doc:"On a single remise only"`
}

// Bordereaux lists remises, the newest first.
type Bordereaux struct {
	Page
}

func (Bordereaux) Type() string              { return "fr.aquaerp.facture.bordereaux.v1" }
func (Bordereaux) Reply() (r PageBordereaux) { return }

// PageBordereaux is one page of remises.
type PageBordereaux struct {
	Items   []Bordereau `json:"items"`
	Suivant string      `json:"suivant,omitempty" doc:"Cursor of the next page"`
}

// BordereauParID reads one remise with its payments.
type BordereauParID struct {
	ID string `json:"id" validate:"required,uuid"`
}

func (BordereauParID) Type() string         { return "fr.aquaerp.facture.bordereau.v1" }
func (BordereauParID) Reply() (r Bordereau) { return }
