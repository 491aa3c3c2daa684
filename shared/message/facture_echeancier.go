package message

// CreerEcheancier grants an abonne to pay open bills in dated parts. Its parts
// are written out, or are as many equal ones as asked for, a month apart.
type CreerEcheancier struct {
	AbonneID       string     `json:"abonne_id" validate:"required,uuid"`
	Factures       []string   `json:"factures,omitempty" validate:"max=100,dive,uuid" maxItems:"100" doc:"All open bills when absent"`
	Echeances      []Echeance `json:"echeances,omitempty" validate:"max=60,dive" maxItems:"60" doc:"2 parts at least; their sum is that of the bills"`
	Nombre         int        `json:"nombre,omitempty" validate:"required_without=Echeances,min=0,max=60" maximum:"60" doc:"Of equal parts, instead"`
	Premiere       Date       `json:"premiere,omitzero" format:"date" doc:"Day of the first equal part"`
	ParPrelevement bool       `json:"par_prelevement,omitempty" doc:"Each part is debited"`
	Motif          string     `json:"motif" validate:"required,max=200" maxLength:"200"`
	Simulation     bool       `json:"simulation,omitempty" doc:"Only say which parts it would have"`
}

func (CreerEcheancier) Type() string          { return "fr.aquaerp.facture.creer-echeancier.v1" }
func (CreerEcheancier) Reply() (r Echeancier) { return }

// Mensualiser spreads the bills of a year ahead over ten debits, each a tenth
// of a year of water by the latest bills; the first bill after them settles
// the difference. Who has none yet may say what they will use in a year.
type Mensualiser struct {
	AbonneID string `json:"abonne_id" validate:"required,uuid"`
	Premiere Date   `json:"premiere" format:"date" validate:"required" doc:"Day of the first debit"`

	VolumeAnnuelM3 int64 `json:"volume_annuel_m3,omitempty" validate:"min=0,max=999999" minimum:"0" maximum:"999999" doc:"Priced by the tariffs of today where no bill of water tells what a year costs"`

	Simulation bool `json:"simulation,omitempty" doc:"Only say which debits it would have"`
}

func (Mensualiser) Type() string          { return "fr.aquaerp.facture.mensualiser.v1" }
func (Mensualiser) Reply() (r Echeancier) { return }

// ArreterEcheancier ends a plan; its bills are due as they were.
type ArreterEcheancier struct {
	EcheancierID string `json:"echeancier_id" validate:"required,uuid"`
	Motif        string `json:"motif" validate:"required,max=200" maxLength:"200"`
}

func (ArreterEcheancier) Type() string          { return "fr.aquaerp.facture.arreter-echeancier.v1" }
func (ArreterEcheancier) Reply() (r Echeancier) { return }

// Echeanciers lists the plans of an abonne, the newest first.
type Echeanciers struct {
	AbonneID string `json:"abonne_id" validate:"required,uuid"`
}

func (Echeanciers) Type() string                { return "fr.aquaerp.facture.echeanciers.v1" }
func (Echeanciers) Reply() (r ListeEcheanciers) { return }

// ListeEcheanciers are plans, at most 50.
type ListeEcheanciers struct {
	Items []Echeancier `json:"items"`
}

// EcheanciersSuivis lists the plans of all abonnes in a state: those that run,
// the latest part first, or those that ended, the newest first.
type EcheanciersSuivis struct {
	Etat string `json:"etat" validate:"required,oneof=EN_COURS ROMPU SOLDE ANNULE"`
}

func (EcheanciersSuivis) Type() string                      { return "fr.aquaerp.facture.echeanciers-suivis.v1" }
func (EcheanciersSuivis) Reply() (r ListeEcheanciersSuivis) { return }

// ListeEcheanciersSuivis are plans with their abonnes, at most 200.
type ListeEcheanciersSuivis struct {
	Items []EcheancierSuivi `json:"items"`
}

// EcheancierSuivi is a plan with the name of its abonne.
type EcheancierSuivi struct {
	Echeancier
	Nom string `json:"nom"`
}

// Echeancier is a plan of payment. Its state is that of today: a part that is
// missed for longer than the days of grace breaks it, and ends it for good.
type Echeancier struct {
	ID              string     `json:"id,omitempty" doc:"None when it was only simulated"`
	AbonneID        string     `json:"abonne_id"`
	Nature          string     `json:"nature" enum:"ECHEANCIER,MENSUALISATION"`
	Etat            string     `json:"etat" enum:"EN_COURS,ROMPU,SOLDE,ANNULE"`
	MontantCentimes int64      `json:"montant_centimes"`
	PayeCentimes    int64      `json:"paye_centimes"`
	ParPrelevement  bool       `json:"par_prelevement"`
	GraceJours      int        `json:"grace_jours" doc:"Days that a part may be late"`
	Motif           string     `json:"motif"`
	CreeLe          Date       `json:"cree_le" format:"date" validate:"required"`
	FinLe           Date       `json:"fin_le,omitzero" format:"date"`
	FinMotif        string     `json:"fin_motif,omitempty"`
	Factures        []string   `json:"factures" doc:"Numbers of its bills"`
	Echeances       []Echeance `json:"echeances"`
	RegularisePar   string     `json:"regularise_par,omitempty" doc:"Number of the bill that settled a monthly year"`
	Reconduit       bool       `json:"reconduit,omitempty" doc:"A monthly year that renews another"`
}

// Echeance is a part of a plan.
type Echeance struct {
	Date            Date   `json:"date" format:"date" validate:"required"`
	MontantCentimes int64  `json:"montant_centimes" validate:"min=1" minimum:"1"`
	Etat            string `json:"etat,omitempty" validate:"max=20" enum:"PAYEE,PARTIELLE,A_VENIR,EN_RETARD" doc:"In answers only"`
}

// EcheancierAccorde tells an abonne the parts of a plan, or the debits of the
// monthly year that begins or is renewed.
type EcheancierAccorde struct {
	Echeancier
	Nom     string  `json:"nom"`
	Email   string  `json:"email,omitempty" doc:"Absent: it goes by post"`
	Adresse Adresse `json:"adresse"`
}

func (EcheancierAccorde) Type() string { return "fr.aquaerp.facture.echeancier-accorde.v1" }

// EcheancierARompre asks facture itself to end a plan of which a part was missed.
type EcheancierARompre struct {
	EcheancierID string `json:"echeancier_id"`
}

func (EcheancierARompre) Type() string { return "fr.aquaerp.facture.echeancier-a-rompre.v1" }

// EcheancierRompu tells an abonne that a missed part ended their plan: what is
// left of their bills is due.
type EcheancierRompu struct {
	EcheancierID   string       `json:"echeancier_id"`
	AbonneID       string       `json:"abonne_id"`
	Nature         string       `json:"nature" enum:"ECHEANCIER,MENSUALISATION"`
	Nom            string       `json:"nom"`
	Email          string       `json:"email,omitempty" doc:"Absent: it goes by post"`
	Adresse        Adresse      `json:"adresse"`
	Manquee        Date         `json:"manquee" doc:"Day of the first part that was missed"`
	ManqueCentimes int64        `json:"manque_centimes" doc:"What of the parts was missed"`
	TotalCentimes  int64        `json:"total_centimes" doc:"What is due now"`
	Factures       []FactureDue `json:"factures"`
}

func (EcheancierRompu) Type() string { return "fr.aquaerp.facture.echeancier-rompu.v1" }
