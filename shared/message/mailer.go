package message

import "time"

// EnvoiPret asks mailer itself to send a mail that is written and stored.
type EnvoiPret struct {
	EnvoiID string `json:"envoi_id"`
}

func (EnvoiPret) Type() string { return "fr.aquaerp.mailer.envoi-pret.v1" }

// Envoi is a message to a person.
type Envoi struct {
	ID        string     `json:"id" format:"uuid"`
	Modele    string     `json:"modele" enum:"BIENVENUE,INVITATION,FACTURE,AVOIR,FUITE,RELANCE,PRELEVEMENT,ECHEANCIER,RUPTURE"`
	Canal     string     `json:"canal" enum:"EMAIL,COURRIER,SMS"`
	Etat      string     `json:"etat" enum:"ATTENTE_PIECE,QUEUED,SENDING,PRINTED,SENT,DELIVERED,FAILED" doc:"Of a letter: QUEUED waits to be printed, SENT was taken to the post. Of a text message: DELIVERED is on the telephone"`
	AbonneID  string     `json:"abonne_id,omitempty"`
	Nom       string     `json:"nom"`
	Objet     string     `json:"objet" doc:"Subject line"`
	Reference string     `json:"reference,omitempty" doc:"Id of what it is about: facture, contrat"`
	CreeA     time.Time  `json:"cree_a"`
	EnvoyeA   *time.Time `json:"envoye_a,omitempty"`
	Erreur    string     `json:"erreur,omitempty" doc:"Why it failed"`
	Segments  int        `json:"segments,omitempty" doc:"Of a text message: how many it is paid as"`
	Encodage  string     `json:"encodage,omitempty" enum:"GSM7,UCS2" doc:"Of a text message: what its characters ask for"`
}

// Envois lists what was sent, the newest first.
type Envois struct {
	AbonneID  string `json:"abonne_id,omitempty" validate:"omitempty,uuid"`
	Etat      string `json:"etat,omitempty" validate:"omitempty,oneof=ATTENTE_PIECE QUEUED SENDING PRINTED SENT DELIVERED FAILED"`
	Reference string `json:"reference,omitempty" validate:"omitempty,uuid"`
	Page
}

func (Envois) Type() string          { return "fr.aquaerp.mailer.envois.v1" }
func (Envois) Reply() (r PageEnvois) { return }

// PageEnvois is one page of sent messages.
type PageEnvois struct {
	Items   []Envoi        `json:"items"`
	Comptes map[string]int `json:"comptes" doc:"Number by state, under the same filter"`
	Suivant string         `json:"suivant,omitempty" doc:"Cursor of the next page"`
}

// EnvoiFait says that a server took a mail or a text message, or the post a letter.
type EnvoiFait struct {
	EnvoiID    string `json:"envoi_id"`
	Modele     string `json:"modele"`
	Reference  string `json:"reference,omitempty"`
	AbonneID   string `json:"abonne_id,omitempty"`
	Le         Date   `json:"le,omitzero" format:"date" doc:"Day on which it left, of a letter the one of the post; absent: the day of the event"`
	Accompagne bool   `json:"accompagne,omitempty" doc:"A text message that goes with a mail or a letter, which is told of by itself"`
}

func (EnvoiFait) Type() string { return "fr.aquaerp.mailer.envoi-fait.v1" }

// EnvoiRefuse says that a server refused a message for good.
type EnvoiRefuse struct {
	EnvoiID   string `json:"envoi_id"`
	Reference string `json:"reference,omitempty"`
	AbonneID  string `json:"abonne_id,omitempty"`
	Motif     string `json:"motif" doc:"The server's code, without the address"`
}

func (EnvoiRefuse) Type() string { return "fr.aquaerp.mailer.envoi-refuse.v1" }
