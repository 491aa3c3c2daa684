package message

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
