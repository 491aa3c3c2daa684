package message

import "time"

// DefinirEntite creates a legal entity that issues bills, or says who it is
// from now on. Documents issued before keep what they print.
type DefinirEntite struct {
	Code      string  `json:"code" validate:"required,max=40" maxLength:"40" pattern:"^[a-z0-9][a-z0-9-]*$" doc:"Never changes: lower case, digits and hyphens"`
	Nom       string  `json:"nom" validate:"required,max=100" maxLength:"100"`
	Prefixe   string  `json:"prefixe,omitempty" validate:"max=6" maxLength:"6" pattern:"^[A-Z0-9]*$" doc:"Before the year in its numbers; fixed by the first of them"`
	Forme     string  `json:"forme,omitempty" validate:"max=120" maxLength:"120" doc:"Legal form, as it has to stand on bills: régie dotée de l'autonomie financière, SA au capital de 40 000 €..."`
	Adresse   Adresse `json:"adresse"`
	Telephone string  `json:"telephone,omitempty" validate:"max=20" maxLength:"20"`
	Urgence   string  `json:"urgence,omitempty" validate:"max=20" maxLength:"20" doc:"Telephone at night; the service's when absent"`
	Email     string  `json:"email,omitempty" validate:"omitempty,email,max=254" maxLength:"254"`
	SIRET     string  `json:"siret" validate:"required,max=25" maxLength:"25" doc:"Fourteen digits, spaces allowed"`
	NumeroTVA string  `json:"numero_tva,omitempty" validate:"max=20" maxLength:"20" doc:"VAT identifier; that of the SIREN when absent"`
	IBAN      string  `json:"iban,omitempty" validate:"max=42" maxLength:"42" doc:"Account that bills are paid to; absent: as before"`
	BIC       string  `json:"bic,omitempty" validate:"max=11" maxLength:"11"`
	ICS       string  `json:"ics,omitempty" validate:"max=35" maxLength:"35" doc:"SEPA creditor identifier: it debits, to the same account"`
	Format    string  `json:"format,omitempty" validate:"omitempty,oneof=pain.008.001.02 pain.008.001.08" enum:"pain.008.001.02,pain.008.001.08" doc:"File of debits that its bank takes; pain.008.001.02 when absent"`
}

func (DefinirEntite) Type() string           { return "fr.aquaerp.facture.definir-entite.v1" }
func (DefinirEntite) Reply() (r FicheEntite) { return }

// RetirerEntite deletes an entity that nothing rests on.
type RetirerEntite struct {
	Code string `json:"code" validate:"required,max=40" maxLength:"40"`
}

func (RetirerEntite) Type() string            { return "fr.aquaerp.facture.retirer-entite.v1" }
func (RetirerEntite) Reply() (r ListeEntites) { return }

// AttribuerCommunes says which communes an entity bills from its next bills
// on, besides those that it bills already.
type AttribuerCommunes struct {
	Entite   string   `json:"entite" validate:"required,max=40" maxLength:"40"`
	Communes []string `json:"communes" validate:"required,min=1,max=2000,dive,len=5" doc:"Codes INSEE"`
}

func (AttribuerCommunes) Type() string           { return "fr.aquaerp.facture.attribuer-communes.v1" }
func (AttribuerCommunes) Reply() (r FicheEntite) { return }

// FichesEntites lists legal entities, the main one first.
type FichesEntites struct{}

func (FichesEntites) Type() string            { return "fr.aquaerp.facture.fiches-entites.v1" }
func (FichesEntites) Reply() (r ListeEntites) { return }

// ListeEntites are legal entities.
type ListeEntites struct {
	Items []FicheEntite `json:"items"`
}

// FicheEntite is a legal entity as its documents print it. Its IBAN is masked.
type FicheEntite struct {
	Code       string            `json:"code"`
	Nom        string            `json:"nom"`
	Prefixe    string            `json:"prefixe"`
	Forme      string            `json:"forme,omitempty"`
	Adresse    Adresse           `json:"adresse"`
	Telephone  string            `json:"telephone,omitempty"`
	Urgence    string            `json:"urgence,omitempty"`
	Email      string            `json:"email,omitempty"`
	SIRET      string            `json:"siret,omitempty"`
	NumeroTVA  string            `json:"numero_tva,omitempty"`
	IBANMasque string            `json:"iban_masque,omitempty"`
	BIC        string            `json:"bic,omitempty"`
	ICS        string            `json:"ics,omitempty"`
	Format     string            `json:"format,omitempty"`
	Configuree bool              `json:"configuree" doc:"Nobody said who it is yet: it is as the service was configured"`
	Numerotee  bool              `json:"numerotee" doc:"It has numbers: its prefix is fixed"`
	Utilisee   bool              `json:"utilisee" doc:"Something rests on it: it cannot be deleted"`
	Communes   []CommuneFacturee `json:"communes" doc:"That it bills"`
	Historique []IdentiteChangee `json:"historique" doc:"The newest first"`
}

// CommuneFacturee is a commune that an entity bills.
type CommuneFacturee struct {
	CodeINSEE string `json:"code_insee"`
	Nom       string `json:"nom"`
	Contrats  int    `json:"contrats"`
}

// IdentiteChangee is a change of who an entity is.
type IdentiteChangee struct {
	Depuis time.Time `json:"depuis"`
	Par    string    `json:"par"`
	Champs []string  `json:"champs" doc:"What changed: nom, adresse, iban... Empty: it was created"`
}
