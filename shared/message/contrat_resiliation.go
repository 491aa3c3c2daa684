package message

// Resilier ends a contract ACTIF on a day, with the index read on that day:
// it becomes RESILIE, the pose of its meter is closed, and the last bill
// follows within the 15 days of the request.
type Resilier struct {
	ContratID  string  `json:"contrat_id" validate:"required,uuid"`
	DemandeeLe Date    `json:"demandee_le" format:"date" validate:"required" doc:"Day on which the abonne asked"`
	Date       Date    `json:"date" format:"date" validate:"required" doc:"First day without contract"`
	Index      int64   `json:"index" validate:"min=0" minimum:"0" doc:"Index of the meter on that day"`
	Adresse    Adresse `json:"adresse" doc:"Where the last bill goes"`
}

func (Resilier) Type() string       { return "fr.aquaerp.contrat.resilier.v1" }
func (Resilier) Reply() (r Contrat) { return }

// ContratResilie says that a contract ended.
type ContratResilie struct {
	ContratID  string  `json:"contrat_id"`
	Numero     string  `json:"numero"`
	Version    int64   `json:"version"`
	AbonneID   string  `json:"abonne_id"`
	PDLID      string  `json:"pdl_id"`
	DemandeeLe Date    `json:"demandee_le" format:"date"`
	Date       Date    `json:"date" format:"date" doc:"First day without contract"`
	Pose       Pose    `json:"pose" doc:"Closed, with au and index_fin"`
	Adresse    Adresse `json:"adresse" doc:"Where the last bill goes"`
}

func (ContratResilie) Type() string { return "fr.aquaerp.contrat.resilie.v1" }
