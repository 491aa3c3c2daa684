package message

import "time"

// Reglages reads what the service has settled about its bills.
type Reglages struct{}

func (Reglages) Type() string                 { return "fr.aquaerp.facture.reglages.v1" }
func (Reglages) Reply() (r ReglagesDuService) { return }

// ReglagesDuService are the settings in force, past and to come.
type ReglagesDuService struct {
	Mentions    []Mention         `json:"mentions" doc:"In the order of the bill, then by date"`
	PremierJour Date              `json:"premier_jour,omitzero" format:"date" doc:"First day from which a mention may change: after the last bill issued; absent: any"`
	Controles   []ControleDEntite `json:"controles"`
	Obligations []Obligation      `json:"obligations" doc:"From when the law wants electronic invoices"`
	Plateforme  PlateformeReglee  `json:"plateforme"`
}

// Mention are words on bills, over dates.
type Mention struct {
	Code   string `json:"code"`
	Du     Date   `json:"du" format:"date"`
	Au     Date   `json:"au,omitzero" format:"date" doc:"Excluded; absent: until changed"`
	Place  string `json:"place" enum:"recto,verso,xml" doc:"xml: in the electronic invoice alone"`
	Titre  string `json:"titre,omitempty"`
	Texte  string `json:"texte"`
	Source string `json:"source" doc:"The law or the decision that wants it"`
}

// ControleDEntite is what an entity asks of its runs before they are issued.
type ControleDEntite struct {
	ReglerControle
	Nom    string `json:"nom"`
	Propre bool   `json:"propre" doc:"Its own; otherwise the main entity's holds"`
}

// Obligation is a date of the law.
type Obligation struct {
	Code   string `json:"code" enum:"RECEPTION,EMISSION,DECLARATION"`
	Taille string `json:"taille" enum:"GRANDE,PME"`
	Du     Date   `json:"du" format:"date"`
	Source string `json:"source"`
}

// PlateformeReglee tells whether electronic invoices can go out.
type PlateformeReglee struct {
	Raccordee bool   `json:"raccordee" doc:"An address of a platform is configured"`
	Taille    string `json:"taille" enum:"GRANDE,PME" doc:"Of the service, by which the dates of the law apply"`
}

// DefinirMention changes words on bills from a day on, or adds some on the
// back. What is on bills that were issued stays.
type DefinirMention struct {
	Code   string `json:"code" validate:"required,max=40" maxLength:"40" pattern:"^[a-z0-9_]+$"`
	Du     Date   `json:"du" format:"date" validate:"required"`
	Titre  string `json:"titre,omitempty" validate:"max=80" maxLength:"80"`
	Texte  string `json:"texte" validate:"required,max=600" maxLength:"600"`
	Source string `json:"source" validate:"required,max=200" maxLength:"200"`
}

func (DefinirMention) Type() string                 { return "fr.aquaerp.facture.definir-mention.v1" }
func (DefinirMention) Reply() (r ReglagesDuService) { return }

// FermerMention takes words off bills from a day on.
type FermerMention struct {
	Code   string `json:"code" validate:"required,max=40" maxLength:"40"`
	Au     Date   `json:"au" format:"date" validate:"required" doc:"First day without it"`
	Source string `json:"source" validate:"required,max=200" maxLength:"200" doc:"Why it may go"`
}

func (FermerMention) Type() string                 { return "fr.aquaerp.facture.fermer-mention.v1" }
func (FermerMention) Reply() (r ReglagesDuService) { return }

// JournalReglages lists who changed settings, the newest first.
type JournalReglages struct {
	Page
}

func (JournalReglages) Type() string            { return "fr.aquaerp.facture.journal-reglages.v1" }
func (JournalReglages) Reply() (r PageReglages) { return }

// PageReglages is one page of changes.
type PageReglages struct {
	Items   []ReglageChange `json:"items"`
	Suivant string          `json:"suivant,omitempty" doc:"Cursor of the next page"`
}

// ReglageChange is a setting that a person changed.
type ReglageChange struct {
	ID      string    `json:"id" format:"uuid"`
	Instant time.Time `json:"instant"`
	Par     string    `json:"par"`
	Objet   string    `json:"objet" enum:"MENTION,CONTROLE,COMMUNES"`
	Cle     string    `json:"cle" doc:"Code of the mention, or of the entity"`
	Avant   string    `json:"avant,omitempty" doc:"As it was, in French"`
	Apres   string    `json:"apres,omitempty" doc:"As it is, in French"`
}
