package message

import "time"

// PreparerTirage takes the letters of a kind that wait, in the order of the
// post, to be printed together. A letter is in one tirage at most.
type PreparerTirage struct {
	Modele string `json:"modele" validate:"required,oneof=FACTURE AVOIR FUITE RELANCE PRELEVEMENT ECHEANCIER RUPTURE" enum:"FACTURE,AVOIR,FUITE,RELANCE,PRELEVEMENT,ECHEANCIER,RUPTURE"`
}

func (PreparerTirage) Type() string           { return "fr.aquaerp.mailer.preparer-tirage.v1" }
func (PreparerTirage) Reply() (r FicheTirage) { return }

// PosterTirage records that the letters of a tirage were taken to the post.
type PosterTirage struct {
	TirageID string `json:"tirage_id" validate:"required,uuid"`
	Le       Date   `json:"le" format:"date" validate:"required"`
}

func (PosterTirage) Type() string           { return "fr.aquaerp.mailer.poster-tirage.v1" }
func (PosterTirage) Reply() (r FicheTirage) { return }

// Tirages lists what waits to be printed and what was, the newest first.
type Tirages struct {
	Page
}

func (Tirages) Type() string           { return "fr.aquaerp.mailer.tirages.v1" }
func (Tirages) Reply() (r PageTirages) { return }

// PageTirages is one page of tirages, with what waits.
type PageTirages struct {
	Attente []LettresEnAttente `json:"attente"`
	Items   []Tirage           `json:"items"`
	Suivant string             `json:"suivant,omitempty" doc:"Cursor of the next page"`
}

// LettresEnAttente counts the letters of a kind that wait to be printed.
type LettresEnAttente struct {
	Modele      string    `json:"modele" enum:"FACTURE,AVOIR,FUITE,RELANCE,PRELEVEMENT,ECHEANCIER,RUPTURE"`
	Lettres     int       `json:"lettres"`
	SansAdresse int       `json:"sans_adresse" doc:"Of these, letters written before addresses were kept: they are not printed here"`
	Depuis      time.Time `json:"depuis" doc:"Of the oldest"`
}

// Tirage is letters printed together.
type Tirage struct {
	ID       string    `json:"id" format:"uuid"`
	Modele   string    `json:"modele" enum:"FACTURE,AVOIR,FUITE,RELANCE,PRELEVEMENT,ECHEANCIER,RUPTURE"`
	Lettres  int       `json:"lettres"`
	CreeA    time.Time `json:"cree_a"`
	CreePar  string    `json:"cree_par" doc:"Id of the user"`
	CreeNom  string    `json:"cree_nom"`
	PosteLe  Date      `json:"poste_le,omitzero" format:"date" doc:"Absent: not posted yet"`
	PostePar string    `json:"poste_par,omitempty"`
	PosteNom string    `json:"poste_nom,omitempty"`
}

// TirageParID reads a tirage with its letters.
type TirageParID struct {
	ID string `json:"id" validate:"required,uuid"`
}

func (TirageParID) Type() string           { return "fr.aquaerp.mailer.tirage.v1" }
func (TirageParID) Reply() (r FicheTirage) { return }

// FicheTirage is a tirage with its letters, in the order of the post.
type FicheTirage struct {
	Tirage
	Envois []Envoi `json:"envois"`
}

// LettresDuTirage asks for what the letters of a tirage say.
type LettresDuTirage struct {
	TirageID string `json:"tirage_id" validate:"required,uuid"`
}

func (LettresDuTirage) Type() string               { return "fr.aquaerp.mailer.lettres-du-tirage.v1" }
func (LettresDuTirage) Reply() (r ImprimerLettres) { return }
