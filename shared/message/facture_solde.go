package message

// Solder issues the last bill of a contract that ended, when that could not
// be done as it ended.
type Solder struct {
	ContratID string `json:"contrat_id" validate:"required,uuid"`
}

func (Solder) Type() string           { return "fr.aquaerp.facture.solder.v1" }
func (Solder) Reply() (r Resiliation) { return }

// ContratASolder asks facture itself for the last bill of a contract: the lot
// that it waited for has ended.
type ContratASolder struct {
	ContratID string `json:"contrat_id"`
}

func (ContratASolder) Type() string { return "fr.aquaerp.facture.contrat-a-solder.v1" }

// Resiliation is a contract that ended and what became of its last bill.
type Resiliation struct {
	ContratID   string `json:"contrat_id" format:"uuid"`
	Contrat     string `json:"contrat" doc:"Number of the contract"`
	AbonneID    string `json:"abonne_id"`
	Nom         string `json:"nom"`
	PDL         string `json:"pdl"`
	Lieu        string `json:"lieu"`
	DemandeeLe  Date   `json:"demandee_le" format:"date"`
	Date        Date   `json:"date" format:"date" doc:"First day without contract"`
	Limite      Date   `json:"limite" format:"date" doc:"The last bill is due by then"`
	Etat        string `json:"etat" enum:"EN_ATTENTE,SOLDEE,SANS_OBJET" doc:"EN_ATTENTE: the last bill could not be issued yet; SANS_OBJET: all was billed already"`
	FactureID   string `json:"facture_id,omitempty"`
	Facture     string `json:"facture,omitempty" doc:"Number of the last bill"`
	TTCCentimes int64  `json:"ttc_centimes" doc:"Of the last bill; below zero in favour of the abonne"`
	Code        string `json:"code,omitempty" doc:"Why it waits"`
	Detail      string `json:"detail,omitempty"`
	DetailEN    string `json:"detail_en,omitempty"`
}

// Resiliations lists contracts that ended, those that wait first.
type Resiliations struct {
	Etat string `json:"etat,omitempty" validate:"omitempty,oneof=EN_ATTENTE SOLDEE SANS_OBJET"`
	Page
}

func (Resiliations) Type() string                { return "fr.aquaerp.facture.resiliations.v1" }
func (Resiliations) Reply() (r PageResiliations) { return }

// PageResiliations is one page of them.
type PageResiliations struct {
	Items   []Resiliation `json:"items"`
	Suivant string        `json:"suivant,omitempty" doc:"Cursor of the next page"`
}
