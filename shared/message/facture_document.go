package message

// AttestationAbonnement asks for the certificate that a contract is in force,
// as a proof of address.
type AttestationAbonnement struct {
	ContratID string `json:"contrat_id" validate:"required,uuid"`
}

func (AttestationAbonnement) Type() string        { return "fr.aquaerp.facture.attestation-abonnement.v1" }
func (AttestationAbonnement) Reply() (r Document) { return }

// AttestationNonDette asks for the certificate that an abonne owes nothing. It
// is refused while something is owed, and says what.
type AttestationNonDette struct {
	AbonneID string `json:"abonne_id" validate:"required,uuid"`
}

func (AttestationNonDette) Type() string        { return "fr.aquaerp.facture.attestation-non-dette.v1" }
func (AttestationNonDette) Reply() (r Document) { return }

// RecuPaiement asks for the receipt of a payment, with the bills that it paid.
type RecuPaiement struct {
	PaiementID string `json:"paiement_id" validate:"required,uuid"`
}

func (RecuPaiement) Type() string        { return "fr.aquaerp.facture.recu-paiement.v1" }
func (RecuPaiement) Reply() (r Document) { return }

// DocumentBordereau asks for the paper that goes to the bank with a deposit.
type DocumentBordereau struct {
	BordereauID string `json:"bordereau_id" validate:"required,uuid"`
}

func (DocumentBordereau) Type() string        { return "fr.aquaerp.facture.document-bordereau.v1" }
func (DocumentBordereau) Reply() (r Document) { return }

// Cahiers tells how the bills of an issued lot are parted for printing: into
// cahiers of at most 250 bills, in the order of the post.
type Cahiers struct {
	LotID string `json:"lot_id" validate:"required,uuid"`
	Poste bool   `json:"poste,omitempty" doc:"Only the bills that no mail carries"`
}

func (Cahiers) Type() string            { return "fr.aquaerp.facture.cahiers.v1" }
func (Cahiers) Reply() (r CahiersDeLot) { return }

// CahiersDeLot are the cahiers of a lot.
type CahiersDeLot struct {
	Factures int      `json:"factures" doc:"Bills in all of them"`
	Cahiers  []Cahier `json:"cahiers"`
}

// Cahier is a part of a lot that is printed, or downloaded, at once.
type Cahier struct {
	Rang     int    `json:"rang" doc:"From 1"`
	Factures int    `json:"factures"`
	Premier  string `json:"premier" doc:"Where its first bill goes: postal code and commune"`
	Dernier  string `json:"dernier"`
}

// ImprimerCahier asks for the bills of a cahier as one PDF, each on sheets of
// its own, for a printer that prints both sides.
type ImprimerCahier struct {
	LotID string `json:"lot_id" validate:"required,uuid"`
	Poste bool   `json:"poste,omitempty"`
	Rang  int    `json:"rang" validate:"min=1" minimum:"1"`
}

func (ImprimerCahier) Type() string        { return "fr.aquaerp.facture.imprimer-cahier.v1" }
func (ImprimerCahier) Reply() (r Document) { return }

// DocumentsCahier asks for the bills of a cahier as files of their own, some
// at a time.
type DocumentsCahier struct {
	LotID string `json:"lot_id" validate:"required,uuid"`
	Poste bool   `json:"poste,omitempty"`
	Rang  int    `json:"rang" validate:"min=1" minimum:"1"`
	Page
}

func (DocumentsCahier) Type() string             { return "fr.aquaerp.facture.documents-cahier.v1" }
func (DocumentsCahier) Reply() (r PageDocuments) { return }

// PageDocuments are some files.
type PageDocuments struct {
	Items   []Document `json:"items"`
	Suivant string     `json:"suivant,omitempty" doc:"Cursor of the next page"`
}
