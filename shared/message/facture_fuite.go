package message

// AttesterFuite records a plumber's certificate that a leak after the meter
// is repaired (CGCT R2224-20-1). In time, it caps the bill at twice the usual
// volume and takes the leak out of the sewerage: by an avoir when the bill is
// issued, else in the bill to come.
type AttesterFuite struct {
	FuiteID      string `json:"fuite_id" validate:"required,uuid"`
	RecueLe      Date   `json:"recue_le" format:"date" validate:"required" doc:"Day on which the service got it"`
	ReparationLe Date   `json:"reparation_le" format:"date" validate:"required"`
	Lieu         string `json:"lieu" validate:"required,max=200" maxLength:"200" doc:"Where the leak was, as certified"`
	Plombier     string `json:"plombier" validate:"required,max=120" maxLength:"120" doc:"The firm that repaired it"`
	Cause        string `json:"cause" validate:"required,oneof=CANALISATION APPAREIL_MENAGER SANITAIRE_OU_CHAUFFAGE" enum:"CANALISATION,APPAREIL_MENAGER,SANITAIRE_OU_CHAUFFAGE" doc:"Only a leak of a pipe caps the bill"`
	Simulation   bool   `json:"simulation,omitempty" doc:"Only say what it would do"`
}

func (AttesterFuite) Type() string     { return "fr.aquaerp.facture.attester-fuite.v1" }
func (AttesterFuite) Reply() (r Fuite) { return }

// ClasserFuite closes the file of a leak whose month passed without
// certificate: the bill stays due in full.
type ClasserFuite struct {
	FuiteID string `json:"fuite_id" validate:"required,uuid"`
}

func (ClasserFuite) Type() string     { return "fr.aquaerp.facture.classer-fuite.v1" }
func (ClasserFuite) Reply() (r Fuite) { return }

// Fuite is the file of a leak.
type Fuite struct {
	ID             string `json:"id" format:"uuid"`
	ContratID      string `json:"contrat_id"`
	Contrat        string `json:"contrat" doc:"Number of the contract"`
	AbonneID       string `json:"abonne_id"`
	Nom            string `json:"nom"`
	PDL            string `json:"pdl"`
	Lieu           string `json:"lieu"`
	Du             Date   `json:"du" format:"date" doc:"Reading before"`
	Au             Date   `json:"au" format:"date" doc:"Reading that showed it"`
	VolumeLitres   int64  `json:"volume_litres" doc:"Between the two"`
	MoyenneLitres  int64  `json:"moyenne_litres" doc:"Usual volume of such a period"`
	Reference      string `json:"reference" enum:"ABONNE,LOGEMENTS_COMPARABLES" doc:"Whose usual volume"`
	PlafondLitres  int64  `json:"plafond_litres" doc:"What is billed at most with a certificate: twice the mean"`
	InformeLe      Date   `json:"informe_le" format:"date"`
	Jusqua         Date   `json:"jusqua" format:"date" doc:"Last day for the certificate"`
	Etat           string `json:"etat" enum:"OUVERTE,ATTESTEE,CLASSEE"`
	RecueLe        Date   `json:"recue_le,omitzero" format:"date"`
	ReparationLe   Date   `json:"reparation_le,omitzero" format:"date"`
	LieuReparation string `json:"lieu_reparation,omitempty"`
	Plombier       string `json:"plombier,omitempty"`
	FactureID      string `json:"facture_id,omitempty" doc:"The bill of that volume, once issued"`
	Facture        string `json:"facture,omitempty" doc:"Its number"`
	AvoirID        string `json:"avoir_id,omitempty"`
	Avoir          string `json:"avoir,omitempty" doc:"Number of the avoir that capped it"`
	AvoirCentimes  int64  `json:"avoir_centimes,omitempty" doc:"TTC of that avoir, or of the one that a simulation would issue; below zero"`
}

// Fuites lists files, those that wait for a certificate first.
type Fuites struct {
	Etat string `json:"etat,omitempty" validate:"omitempty,oneof=OUVERTE ATTESTEE CLASSEE"`
	Page
}

func (Fuites) Type() string          { return "fr.aquaerp.facture.fuites.v1" }
func (Fuites) Reply() (r PageFuites) { return }

// PageFuites is one page of files.
type PageFuites struct {
	Items   []Fuite `json:"items"`
	Suivant string  `json:"suivant,omitempty" doc:"Cursor of the next page"`
}

// FuiteDetectee says that a reading shows more than twice the usual volume of
// a dwelling: the abonne is told, and has until a day to send a certificate.
type FuiteDetectee struct {
	FuiteID       string  `json:"fuite_id"`
	ContratID     string  `json:"contrat_id"`
	Contrat       string  `json:"contrat"`
	AbonneID      string  `json:"abonne_id"`
	Nom           string  `json:"nom"`
	Email         string  `json:"email,omitempty" doc:"Absent: the notice goes by post"`
	Adresse       Adresse `json:"adresse,omitzero" validate:"-"`
	Lieu          string  `json:"lieu"`
	Du            Date    `json:"du" format:"date"`
	Au            Date    `json:"au" format:"date"`
	VolumeLitres  int64   `json:"volume_litres"`
	MoyenneLitres int64   `json:"moyenne_litres"`
	PlafondLitres int64   `json:"plafond_litres"`
	Jusqua        Date    `json:"jusqua" format:"date"`
}

func (FuiteDetectee) Type() string { return "fr.aquaerp.facture.fuite-detectee.v1" }

// FuiteAttestee says that a certificate came in time.
type FuiteAttestee struct {
	FuiteID string `json:"fuite_id"`
}

func (FuiteAttestee) Type() string { return "fr.aquaerp.facture.fuite-attestee.v1" }
