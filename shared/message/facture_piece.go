package message

// EmettreAvoir takes back an issued bill, wholly or in part, never more than
// what is left of it. What was paid already becomes an advance of the abonne.
type EmettreAvoir struct {
	FactureID  string       `json:"facture_id" validate:"required,uuid"`
	Motif      string       `json:"motif" validate:"required,max=400" maxLength:"400"`
	Lignes     []LigneAvoir `json:"lignes,omitempty" validate:"max=100,dive" maxItems:"100" doc:"What is taken back; when absent, all that is left of the bill"`
	Simulation bool         `json:"simulation,omitempty" doc:"Only say what it would do"`
}

func (EmettreAvoir) Type() string     { return "fr.aquaerp.facture.emettre-avoir.v1" }
func (EmettreAvoir) Reply() (r Avoir) { return }

// LigneAvoir is an amount taken back: of a line by its code, or of all that a
// rubrique bears at a rate.
type LigneAvoir struct {
	Code       string `json:"code,omitempty" validate:"required_without=Rubrique,excluded_with=Rubrique,max=200" maxLength:"200" doc:"Code of a line of the bill"`
	Rubrique   string `json:"rubrique,omitempty" validate:"omitempty,oneof=distribution eaux_usees organismes_publics prestations" enum:"distribution,eaux_usees,organismes_publics,prestations"`
	TVAPM      int64  `json:"tva_pm,omitempty" validate:"min=0,max=1000" minimum:"0" maximum:"1000" doc:"Rate, with a rubrique"`
	HTCentimes int64  `json:"ht_centimes" validate:"min=1,max=100000000000" minimum:"1" doc:"Taken back, above zero"`
}

// Avoir is what an avoir does, or would do.
type Avoir struct {
	AvoirID        string         `json:"avoir_id,omitempty" doc:"Absent from a simulation"`
	Numero         string         `json:"numero,omitempty"`
	FactureID      string         `json:"facture_id"`
	Facture        string         `json:"facture" doc:"Number of the bill taken back"`
	Total          bool           `json:"total" doc:"Nothing is left of the bill: it becomes ANNULEE_PAR_AVOIR"`
	HTCentimes     int64          `json:"ht_centimes" doc:"Below zero, as the two that follow"`
	TVACentimes    int64          `json:"tva_centimes"`
	TTCCentimes    int64          `json:"ttc_centimes"`
	Lignes         []LigneFacture `json:"lignes"`
	TVA            []TVAFacture   `json:"tva"`
	RegleCentimes  int64          `json:"regle_centimes" doc:"What the avoir settles of the bill"`
	AvanceCentimes int64          `json:"avance_centimes" doc:"What was paid already: an advance of the abonne"`
	ResteCentimes  int64          `json:"reste_centimes" doc:"Still to be paid on the bill"`
}

// RectifierFacture replaces an issued bill: an avoir takes all of it back, and
// a new bill of the same period is issued from the indexes as corrected, at
// the tariffs and rates of the bill replaced.
type RectifierFacture struct {
	FactureID  string         `json:"facture_id" validate:"required,uuid"`
	Motif      string         `json:"motif" validate:"required,max=400" maxLength:"400"`
	Index      []IndexCorrige `json:"index,omitempty" validate:"max=50,dive" maxItems:"50" doc:"When absent, the bill is priced again from what is known now"`
	Simulation bool           `json:"simulation,omitempty" doc:"Only say what it would do"`
}

func (RectifierFacture) Type() string             { return "fr.aquaerp.facture.rectifier.v1" }
func (RectifierFacture) Reply() (r Rectification) { return }

// IndexCorrige is the right index of a day on which the meter was read.
type IndexCorrige struct {
	Date  Date  `json:"date" format:"date" validate:"required"`
	Index int64 `json:"index" validate:"min=0" minimum:"0"`
}

// Rectification is an avoir and the bill that comes in place of the one it
// took back.
type Rectification struct {
	Avoir   Avoir   `json:"avoir"`
	Facture Facture `json:"facture" doc:"Without id and number in a simulation"`
}

// EmettreManuelle issues a bill whose lines a person wrote: opening fees, works.
type EmettreManuelle struct {
	ContratID string          `json:"contrat_id" validate:"required,uuid"`
	Motif     string          `json:"motif" validate:"required,max=400" maxLength:"400" doc:"What the bill is for, printed on it"`
	Echeance  Date            `json:"echeance" format:"date" validate:"required" doc:"At least 14 days ahead"`
	Lignes    []LigneManuelle `json:"lignes" validate:"required,min=1,max=50,dive" minItems:"1" maxItems:"50"`
}

func (EmettreManuelle) Type() string       { return "fr.aquaerp.facture.emettre-manuelle.v1" }
func (EmettreManuelle) Reply() (r Facture) { return }

// LigneManuelle is a service of the catalogue, or a line of its own with
// label, price, rate and account.
type LigneManuelle struct {
	Prestation   string `json:"prestation,omitempty" validate:"max=60" maxLength:"60" doc:"Code of the catalogue: label, price, rate and account are its own"`
	Quantite     int64  `json:"quantite" validate:"min=1,max=100000" minimum:"1" maximum:"100000"`
	Libelle      string `json:"libelle,omitempty" validate:"required_without=Prestation,max=120" maxLength:"120"`
	Rubrique     string `json:"rubrique,omitempty" validate:"omitempty,oneof=distribution eaux_usees organismes_publics prestations" enum:"distribution,eaux_usees,organismes_publics,prestations" doc:"prestations when absent"`
	PrixCentimes int64  `json:"prix_centimes,omitempty" validate:"required_without=Prestation,min=0,max=1000000000" minimum:"0" doc:"HT of one"`
	TVAPM        int64  `json:"tva_pm,omitempty" validate:"min=0,max=1000" minimum:"0" maximum:"1000"`
	Compte       string `json:"compte,omitempty" validate:"max=20" maxLength:"20" doc:"Account of what is earned; by rubrique when absent"`
}

// DefinirPrestation sets the price of a service over [du, au).
type DefinirPrestation struct {
	Code         string `json:"code" validate:"required,max=60" maxLength:"60"`
	Libelle      string `json:"libelle" validate:"required,max=120" maxLength:"120"`
	Du           Date   `json:"du" format:"date" validate:"required"`
	Au           Date   `json:"au,omitzero" format:"date" doc:"Excluded; absent: until further notice"`
	PrixCentimes int64  `json:"prix_centimes" validate:"min=1,max=1000000000" minimum:"1" doc:"HT of one"`
	TVAPM        int64  `json:"tva_pm" validate:"min=0,max=1000" minimum:"0" maximum:"1000"`
	Compte       string `json:"compte" validate:"required,max=20" maxLength:"20"`
	Source       string `json:"source" validate:"required,max=200" maxLength:"200" doc:"The decision that set the price"`
}

func (DefinirPrestation) Type() string          { return "fr.aquaerp.facture.definir-prestation.v1" }
func (DefinirPrestation) Reply() (r Prestation) { return }

// Prestation is a service of the catalogue at its price.
type Prestation struct {
	ID string `json:"id" format:"uuid"`
	DefinirPrestation
}

// Prestations lists the catalogue with what a line may be made of.
type Prestations struct{}

func (Prestations) Type() string                    { return "fr.aquaerp.facture.prestations.v1" }
func (Prestations) Reply() (r CataloguePrestations) { return }

// CataloguePrestations is the catalogue, by code and date.
type CataloguePrestations struct {
	Prestations []Prestation  `json:"prestations"`
	Taux        []TauxTVA     `json:"taux" doc:"Rates of VAT in force"`
	Comptes     []CompteVente `json:"comptes" doc:"Accounts that a line may be booked on"`
}

// CompteVente is an account of what is earned.
type CompteVente struct {
	Compte  string `json:"compte"`
	Libelle string `json:"libelle"`
}

// TauxTVA is a rate of VAT.
type TauxTVA struct {
	TauxPM  int64  `json:"taux_pm"`
	Libelle string `json:"libelle"`
	Source  string `json:"source"`
}

// AvoirEmis says that a bill was taken back, wholly or in part.
type AvoirEmis struct {
	AvoirID     string `json:"avoir_id"`
	Numero      string `json:"numero" doc:"A<year>-<6 digits>"`
	FactureID   string `json:"facture_id" doc:"The bill taken back"`
	Facture     string `json:"facture" doc:"Its number"`
	ContratID   string `json:"contrat_id"`
	AbonneID    string `json:"abonne_id"`
	Nom         string `json:"nom"`
	Email       string `json:"email,omitempty" doc:"Absent: the document goes by post"`
	TTCCentimes int64  `json:"ttc_centimes" doc:"Below zero"`
	Motif       string `json:"motif"`
}

func (AvoirEmis) Type() string { return "fr.aquaerp.facture.avoir-emis.v1" }
