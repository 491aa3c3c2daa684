package message

import "time"

// ReglerPES sets how the accounting post knows an entity. The post gives the
// codes; they replace those of before.
type ReglerPES struct {
	Entite       string       `json:"entite" validate:"required,max=40" maxLength:"40"`
	Poste        string       `json:"poste" validate:"required,min=6,max=7,alphanum" pattern:"^([0-9]{6,7}|02[AB][0-9]{3,4})$" doc:"IdPost: codique of the accounting post"`
	SIRET        string       `json:"siret" validate:"required,len=14,numeric" pattern:"^[0-9]{14}$" doc:"IdColl: SIRET of the budget"`
	Collectivite string       `json:"collectivite" validate:"required,len=3,alphanum" pattern:"^[0-9A-Za-z]{3}$" doc:"CodCol"`
	Budget       string       `json:"budget" validate:"required,len=2,alphanum" pattern:"^[0-9A-Z][0-9]$" doc:"CodBud"`
	Libelle      string       `json:"libelle" validate:"required,max=38" maxLength:"38" doc:"Name of the budget"`
	Produits     []ProduitPES `json:"produits" validate:"required,min=1,max=40,dive" doc:"Each account that is billed"`
}

func (ReglerPES) Type() string             { return "fr.aquaerp.facture.regler-pes.v1" }
func (ReglerPES) Reply() (r ReglagePES)    { return }
func (LirePES) Type() string               { return "fr.aquaerp.facture.lire-pes.v1" }
func (LirePES) Reply() (r ReglagePES)      { return }
func (PreparerRole) Type() string          { return "fr.aquaerp.facture.preparer-role.v1" }
func (PreparerRole) Reply() (r Role)       { return }
func (Roles) Type() string                 { return "fr.aquaerp.facture.roles.v1" }
func (Roles) Reply() (r PageRoles)         { return }
func (RepondreRole) Type() string          { return "fr.aquaerp.facture.repondre-role.v1" }
func (RepondreRole) Reply() (r Role)       { return }
func (FichierRole) Type() string           { return "fr.aquaerp.facture.fichier-role.v1" }
func (FichierRole) Reply() (r PartFichier) { return }

// ProduitPES is the local product code of an account.
type ProduitPES struct {
	Compte string `json:"compte" validate:"required,max=20" maxLength:"20"`
	Code   string `json:"code" validate:"required,max=4,alphanum" maxLength:"4" doc:"CodProdLoc"`
}

// LirePES reads how the accounting post knows an entity.
type LirePES struct {
	Entite string `json:"entite,omitempty" validate:"max=40" doc:"The main one when absent"`
}

// ReglagePES is how the accounting post knows an entity.
type ReglagePES struct {
	Entite       string            `json:"entite"`
	Poste        string            `json:"poste,omitempty" doc:"Absent until the codes are set"`
	SIRET        string            `json:"siret,omitempty"`
	Collectivite string            `json:"collectivite,omitempty"`
	Budget       string            `json:"budget,omitempty"`
	Libelle      string            `json:"libelle,omitempty"`
	Produits     []ProduitDeCompte `json:"produits" doc:"Each account of sales"`
}

// ProduitDeCompte is an account of sales with its product code.
type ProduitDeCompte struct {
	Compte  string `json:"compte"`
	Libelle string `json:"libelle"`
	Code    string `json:"code,omitempty"`
}

// PreparerRole makes a bordereau of what has not been transmitted: the bills
// of a lot as a role of many debtors (ORMC), single bills as titles, or avoirs
// that take titles of the year back.
type PreparerRole struct {
	Entite        string `json:"entite,omitempty" validate:"max=40" maxLength:"40" doc:"The main one when absent"`
	Nature        string `json:"nature" validate:"required,oneof=ROLE TITRES REDUCTIONS" enum:"ROLE,TITRES,REDUCTIONS"`
	LotID         string `json:"lot_id,omitempty" validate:"required_if=Nature ROLE,excluded_unless=Nature ROLE,omitempty,uuid" format:"uuid" doc:"Of a ROLE"`
	Exercice      int    `json:"exercice,omitempty" validate:"required_unless=Nature ROLE,excluded_if=Nature ROLE,omitempty,min=2000,max=2199" doc:"Year of the bills, but of a ROLE"`
	Objet         string `json:"objet" validate:"required,max=160" maxLength:"160"`
	PremierNumero int    `json:"premier_numero,omitempty" validate:"min=0,max=9999999" minimum:"0" maximum:"9999999" doc:"Number of the first bordereau of its nature in a year begun with other software; 1 when absent"`
}

// Role is a bordereau that was made.
type Role struct {
	ID          string    `json:"id" format:"uuid"`
	Entite      string    `json:"entite"`
	Nature      string    `json:"nature" enum:"ROLE,TITRES,REDUCTIONS"`
	Exercice    int       `json:"exercice"`
	Numero      int       `json:"numero" doc:"IdBord: without a gap within entity, year and nature"`
	LotID       string    `json:"lot_id,omitempty"`
	Objet       string    `json:"objet"`
	Date        Date      `json:"date" format:"date" validate:"required"`
	Pieces      int       `json:"pieces"`
	HTCentimes  int64     `json:"ht_centimes"`
	TVACentimes int64     `json:"tva_centimes"`
	Fichier     string    `json:"fichier" doc:"Name of its file"`
	CreeA       time.Time `json:"cree_a"`
	CreePar     string    `json:"cree_par" doc:"Id of the user"`

	Reprend []int        `json:"reprend,omitempty" doc:"Numbers of the refused bordereaux, of its entity, year and nature, whose documents it holds"`
	Reponse *ReponseRole `json:"reponse,omitempty" doc:"Of the comptable public; absent until it is recorded"`
}

// ReponseRole is what the comptable public answered to a bordereau.
type ReponseRole struct {
	Etat    string    `json:"etat" enum:"PRIS_EN_CHARGE,REFUSE"`
	Le      Date      `json:"le" format:"date" validate:"required"`
	Motif   string    `json:"motif,omitempty" doc:"Of a refusal"`
	CreeA   time.Time `json:"cree_a"`
	CreePar string    `json:"cree_par" doc:"Id of the user"`
	CreeNom string    `json:"cree_nom" doc:"Of the user, as they were called then"`
}

// RepondreRole records what the comptable public, or Hélios before it,
// answered to a bordereau, once and for good. What it took in charge is
// corrected by reductions. One that it refused keeps its number and its file,
// and its documents wait for another.
type RepondreRole struct {
	RoleID string `json:"role_id" validate:"required,uuid" format:"uuid"`
	Etat   string `json:"etat" validate:"required,oneof=PRIS_EN_CHARGE REFUSE" enum:"PRIS_EN_CHARGE,REFUSE"`
	Le     Date   `json:"le" format:"date" validate:"required" doc:"Day of the answer"`
	Motif  string `json:"motif,omitempty" validate:"required_if=Etat REFUSE,excluded_unless=Etat REFUSE,max=200" maxLength:"200" doc:"Of a refusal"`
}

// Roles lists bordereaux, the newest first, and what waits for one.
type Roles struct {
	Entite string `json:"entite,omitempty" validate:"max=40" doc:"The main one when absent"`
	Page
}

// PageRoles is one page of bordereaux; what waits is on the first.
type PageRoles struct {
	Items        []Role         `json:"items"`
	ATransmettre []ATransmettre `json:"a_transmettre" doc:"What no bordereau holds, but refused ones"`
	Suivant      string         `json:"suivant,omitempty" doc:"Cursor of the next page"`
}

// ATransmettre are documents that wait for a bordereau, or that no file takes.
type ATransmettre struct {
	Nature      string `json:"nature" enum:"ROLE,TITRES,REDUCTIONS,HORS_FICHIER" doc:"HORS_FICHIER: avoirs on bills of a role or of another year, and bills in favour of the abonne; the comptable public gets them on paper"`
	LotID       string `json:"lot_id,omitempty"`
	Libelle     string `json:"libelle,omitempty" doc:"Of the lot"`
	Exercice    int    `json:"exercice"`
	Pieces      int    `json:"pieces"`
	TTCCentimes int64  `json:"ttc_centimes"`
}

// FichierRole reads the file of a bordereau, a part at a time: the parts one
// after another are the file.
type FichierRole struct {
	RoleID string `json:"role_id" validate:"required,uuid" format:"uuid"`
	Suite
}

// Suite is where a part of a file begins, and how much of it there is.
type Suite struct {
	Apres string `json:"apres,omitempty" validate:"max=200" doc:"Cursor of the part before"`
	Lot   int    `json:"lot,omitempty" validate:"min=0,max=5000" doc:"Pieces or entries of a part, 2000 when absent"`
}

// Taille is how much a part holds.
func (s Suite) Taille() int {
	if s.Lot <= 0 {
		return 2000
	}
	return s.Lot
}

// PartFichier is a part of a file that is too large for one message.
type PartFichier struct {
	Nom     string `json:"nom" doc:"Of the whole file"`
	Mime    string `json:"mime"`
	Contenu []byte `json:"contenu" doc:"base64"`
	Suivant string `json:"suivant,omitempty" doc:"Cursor of the next part"`
}
