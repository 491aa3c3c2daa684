package message

import "time"

// ImporterReleves imports the readings of a round, a line of CSV each:
// `pdl;compteur;date;index;source`, where source is AGENT, ABONNE,
// TELERELEVE or ABSENCE (no index: nobody was there, the volume is estimated).
// Valid lines are imported, the others are listed; readings that look wrong
// are kept as SUSPECTE and wait for a decision.
type ImporterReleves struct {
	Libelle string `json:"libelle" validate:"required,max=80" maxLength:"80" doc:"Name of the round"`
	CSV     string `json:"csv" validate:"required,max=16000000"`
}

func (ImporterReleves) Type() string       { return "fr.aquaerp.operation.importer-releves.v1" }
func (ImporterReleves) Reply() (r Tournee) { return }

// ColonnesReleves is the header of the CSV of ImporterReleves.
const ColonnesReleves = "pdl;compteur;date;index;source"

// Tournee is a reading round as imported.
type Tournee struct {
	ID        string         `json:"id" format:"uuid"`
	Libelle   string         `json:"libelle"`
	ImporteeA time.Time      `json:"importee_a"`
	Lignes    int            `json:"lignes" doc:"Lines read, without header"`
	Valides   int            `json:"valides"`
	Estimees  int            `json:"estimees"`
	Suspectes int            `json:"suspectes"`
	EnAttente int            `json:"en_attente" doc:"Suspect readings still without decision"`
	Politique string         `json:"politique" enum:"LIGNES_VALIDES_IMPORTEES" doc:"The valid lines were imported, the others refused"`
	Rejets    []LigneRejetee `json:"rejets"`
}

// Tournees lists rounds, the newest first, without their refused lines.
type Tournees struct {
	Page
}

func (Tournees) Type() string            { return "fr.aquaerp.operation.tournees.v1" }
func (Tournees) Reply() (r PageTournees) { return }

// PageTournees is one page of rounds.
type PageTournees struct {
	Items   []Tournee `json:"items"`
	Suivant string    `json:"suivant,omitempty" doc:"Cursor of the next page"`
}

// Releve is a reading.
type Releve struct {
	ID           string  `json:"id" format:"uuid"`
	TourneeID    string  `json:"tournee_id,omitempty"`
	ContratID    string  `json:"contrat_id"`
	AbonneID     string  `json:"abonne_id"`
	PDL          string  `json:"pdl" doc:"Reference of the PDL"`
	Compteur     string  `json:"compteur" doc:"Serial number"`
	PoseID       string  `json:"pose_id"`
	Date         Date    `json:"date" format:"date" validate:"required"`
	Index        int64   `json:"index"`
	Source       string  `json:"source" enum:"AGENT,ABONNE,TELERELEVE,ESTIMATION,POSE,DEPOSE"`
	Etat         string  `json:"etat" enum:"VALIDEE,SUSPECTE,CONFIRMEE,REJETEE,ESTIMEE,REMPLACEE"`
	VolumeLitres int64   `json:"volume_litres" doc:"Since the reading before; after a rollover, counted through zero"`
	Jours        int     `json:"jours" doc:"Days since the reading before"`
	Motifs       []Motif `json:"motifs,omitempty" doc:"Why it is suspect"`
}

// Motif is a reason to doubt a reading.
type Motif struct {
	Code     string `json:"code" enum:"INDEX_RECULE,VOLUME_ELEVE,VOLUME_FAIBLE,DEBIT_IMPOSSIBLE"`
	Detail   string `json:"detail" doc:"In French, with the figures"`
	DetailEN string `json:"detail_en"`
}

// Suspects lists the readings that wait for a decision, the oldest first.
type Suspects struct {
	Page
}

func (Suspects) Type() string            { return "fr.aquaerp.operation.suspects.v1" }
func (Suspects) Reply() (r PageSuspects) { return }

// PageSuspects is one page of the queue.
type PageSuspects struct {
	Items   []ReleveSuspect `json:"items"`
	Total   int             `json:"total" doc:"Length of the queue"`
	Suivant string          `json:"suivant,omitempty" doc:"Cursor of the next page"`
}

// ReleveSuspect is a suspect reading with what helps to decide.
type ReleveSuspect struct {
	Releve
	Nom        string   `json:"nom" doc:"Name of the abonne"`
	Adresse    string   `json:"adresse" doc:"Of the PDL"`
	Historique []Releve `json:"historique" doc:"Readings of the PDL before it, the oldest first"`
}

// Decider settles a suspect reading: CONFIRMER takes it as read, REJETER
// drops it and estimates the volume.
type Decider struct {
	ReleveID string `json:"releve_id" validate:"required,uuid"`
	Decision string `json:"decision" validate:"required,oneof=CONFIRMER REJETER" enum:"CONFIRMER,REJETER"`
	Motif    string `json:"motif,omitempty" validate:"required_if=Decision REJETER,max=400" maxLength:"400" doc:"Required to reject"`
}

func (Decider) Type() string      { return "fr.aquaerp.operation.decider.v1" }
func (Decider) Reply() (r Releve) { return }

// Releves lists the readings of an abonne or a PDL, the newest first.
type Releves struct {
	AbonneID string `json:"abonne_id,omitempty" validate:"required_without=PDLID,omitempty,uuid"`
	PDLID    string `json:"pdl_id,omitempty" validate:"omitempty,uuid"`
	Page
}

func (Releves) Type() string           { return "fr.aquaerp.operation.releves.v1" }
func (Releves) Reply() (r PageReleves) { return }

// PageReleves is one page of readings.
type PageReleves struct {
	Items   []Releve `json:"items"`
	Suivant string   `json:"suivant,omitempty" doc:"Cursor of the next page"`
}

// TableauReleves counts readings for the dashboard.
type TableauReleves struct{}

func (TableauReleves) Type() string                 { return "fr.aquaerp.operation.tableau.v1" }
func (TableauReleves) Reply() (r RelevesEnChiffres) { return }

// RelevesEnChiffres are the figures of operation.
type RelevesEnChiffres struct {
	Compteurs int             `json:"compteurs" doc:"Meters in place"`
	Suspects  int             `json:"suspects" doc:"Readings without decision"`
	Volumes   []VolumePeriode `json:"volumes" doc:"Validated volume by month of reading, the oldest first, two years"`
}

// VolumePeriode is a volume of a month.
type VolumePeriode struct {
	Mois         string `json:"mois" doc:"YYYY-MM"`
	VolumeLitres int64  `json:"volume_litres"`
}

// RelevesValides carries readings that may be billed, at most 500 an event:
// VALIDEE, CONFIRMEE or ESTIMEE.
type RelevesValides struct {
	TourneeID string         `json:"tournee_id,omitempty"`
	Releves   []ReleveValide `json:"releves"`
}

func (RelevesValides) Type() string { return "fr.aquaerp.operation.releves-valides.v1" }

// ReleveValide is one of them.
type ReleveValide struct {
	ReleveID  string `json:"releve_id"`
	ContratID string `json:"contrat_id"`
	PoseID    string `json:"pose_id"`
	Date      Date   `json:"date"`
	Index     int64  `json:"index"`
	Estimee   bool   `json:"estimee,omitempty"`
	Source    string `json:"source,omitempty" doc:"How the index was obtained, as of a Releve"`
	Remplace  string `json:"remplace,omitempty" doc:"Id of the estimate that this reading reverses"`
}
