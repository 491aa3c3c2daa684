package message

import "time"

// Relances lists the files of unpaid bills, the next due first, with sums by
// state and level.
type Relances struct {
	Etat     string `json:"etat,omitempty" validate:"omitempty,oneof=EN_RELANCE SUSPENDU A_TRANSMETTRE EN_CONTENTIEUX CLOS ADMIS_EN_NON_VALEUR" doc:"All that are open when absent"`
	Niveau   *int   `json:"niveau,omitempty" validate:"omitempty,min=0,max=9" doc:"Letters sent"`
	AbonneID string `json:"abonne_id,omitempty" validate:"omitempty,uuid"`
	Page
}

func (Relances) Type() string            { return "fr.aquaerp.facture.relances.v1" }
func (Relances) Reply() (r PageRelances) { return }

// PageRelances is one page of files.
type PageRelances struct {
	Items   []DossierRelance `json:"items"`
	Sommes  []SommeRelances  `json:"sommes" doc:"Of all open files, by state and level"`
	Suivant string           `json:"suivant,omitempty" doc:"Cursor of the next page"`
}

// SommeRelances sums the files of a state and level.
type SommeRelances struct {
	Etat          string `json:"etat" enum:"EN_RELANCE,SUSPENDU,A_TRANSMETTRE,EN_CONTENTIEUX"`
	Niveau        int    `json:"niveau"`
	Dossiers      int    `json:"dossiers"`
	ResteCentimes int64  `json:"reste_centimes"`
}

// DossierRelance is the file of an unpaid bill.
type DossierRelance struct {
	ID              string `json:"id"`
	FactureID       string `json:"facture_id"`
	Numero          string `json:"numero"`
	AbonneID        string `json:"abonne_id"`
	Nom             string `json:"nom"`
	Etat            string `json:"etat" enum:"EN_RELANCE,SUSPENDU,A_TRANSMETTRE,EN_CONTENTIEUX,CLOS,ADMIS_EN_NON_VALEUR" doc:"A_TRANSMETTRE: every notice has passed, a person decides"`
	Niveau          int    `json:"niveau" doc:"Letters sent; 0 before the first"`
	DateFacturation Date   `json:"date_facturation" format:"date" validate:"required"`
	Echeance        Date   `json:"echeance" format:"date" validate:"required"`
	ResteCentimes   int64  `json:"reste_centimes"`
	ProchainLe      Date   `json:"prochain_le,omitzero" format:"date" doc:"Day on which the next letter goes, or the last notice ends; later while attend_envoi"`
	Suspension      string `json:"suspension,omitempty" enum:"FSL,ECHEANCIER,CONTESTATION,AUTRE"`
	SuspenduJusqua  Date   `json:"suspendu_jusqua,omitzero" format:"date"`
	Aide            bool   `json:"aide" doc:"Social tariff, or helped in the last months: longer delays, no fee"`
	ContentieuxID   string `json:"contentieux_id,omitempty"`
	PrescriptionLe  Date   `json:"prescription_le" format:"date" validate:"required" doc:"Day from which the debt cannot be claimed in court, interruptions included"`
	Majorable       bool   `json:"majorable" doc:"Its sewerage part may be surcharged now"`
	AttendEnvoi     bool   `json:"attend_envoi" doc:"Its last letter has not left yet: nothing follows before it has, and its notice runs from then"`
}

// DossierRelanceParID reads one file with its history.
type DossierRelanceParID struct {
	ID string `json:"id" validate:"required,uuid"`
}

func (DossierRelanceParID) Type() string            { return "fr.aquaerp.facture.dossier-relance.v1" }
func (DossierRelanceParID) Reply() (r FicheRelance) { return }

// FicheRelance is a file with its history.
type FicheRelance struct {
	DossierRelance
	Evenements []EvenementRelance `json:"evenements" doc:"The newest first"`
}

// EvenementRelance is what was done with a file.
type EvenementRelance struct {
	Le     time.Time `json:"le"`
	Par    string    `json:"par" doc:"Id of the user; the function itself when time did it"`
	Code   string    `json:"code" enum:"OUVERT,LETTRE,LETTRE_PARTIE,A_TRANSMETTRE,SUSPENDU,REPRIS,CONTENTIEUX,CONTENTIEUX_CLOS,MAJORE,PENALISE,NON_VALEUR_PROPOSEE,NON_VALEUR_REFUSEE,NON_VALEUR_ADMISE,CLOS,ROUVERT"`
	Detail string    `json:"detail,omitempty"`
}

// SuspendreRelances holds the letters to an abonne up, for all bills or one.
// A FSL holds as long as the law says from the day the file was deposited;
// after it a new notice must be given.
type SuspendreRelances struct {
	AbonneID  string `json:"abonne_id" validate:"required,uuid"`
	FactureID string `json:"facture_id,omitempty" validate:"omitempty,uuid" doc:"All bills when absent"`
	Motif     string `json:"motif" validate:"required,oneof=FSL ECHEANCIER CONTESTATION AUTRE" enum:"FSL,ECHEANCIER,CONTESTATION,AUTRE"`
	DeposeLe  Date   `json:"depose_le,omitzero" format:"date" validate:"required_if=Motif FSL" doc:"Of a FSL: the day its file was deposited"`
	Jusqua    Date   `json:"jusqua,omitzero" format:"date" doc:"Last day; of a FSL, the law's when absent"`
	Detail    string `json:"detail" validate:"required,max=400" maxLength:"400"`
}

func (SuspendreRelances) Type() string          { return "fr.aquaerp.facture.suspendre-relances.v1" }
func (SuspendreRelances) Reply() (r Suspension) { return }

// Suspension holds letters up.
type Suspension struct {
	ID string `json:"id" format:"uuid"`
	SuspendreRelances
	Du       Date `json:"du" format:"date" validate:"required"`
	LeveeLe  Date `json:"levee_le,omitzero" format:"date"`
	Dossiers int  `json:"dossiers" doc:"Files that it holds"`
}

// ReprendreRelances ends what holds the letters to an abonne up.
type ReprendreRelances struct {
	AbonneID  string `json:"abonne_id" validate:"required,uuid"`
	FactureID string `json:"facture_id,omitempty" validate:"omitempty,uuid" doc:"Only what holds this bill; all when absent"`
}

func (ReprendreRelances) Type() string            { return "fr.aquaerp.facture.reprendre-relances.v1" }
func (ReprendreRelances) Reply() (r PageRelances) { return }

// EnregistrerAide records help that a household got: longer delays and no
// reject fee follow from it.
type EnregistrerAide struct {
	AbonneID string `json:"abonne_id" validate:"required,uuid"`
	Nature   string `json:"nature" validate:"required,oneof=FSL CCAS TARIF_SOCIAL" enum:"FSL,CCAS,TARIF_SOCIAL"`
	Du       Date   `json:"du" format:"date" validate:"required"`
	Au       Date   `json:"au,omitzero" format:"date" doc:"Last day of a social tariff; absent while it lasts"`

	Justificatif string `json:"justificatif" validate:"required,max=200" maxLength:"200" doc:"What proves it: a decision and its date"`
	DocumentNom  string `json:"document_nom,omitempty" validate:"required_with=Document,max=120" maxLength:"120"`
	DocumentMime string `json:"document_mime,omitempty" validate:"required_with=Document,omitempty,oneof=application/pdf image/jpeg image/png"`
	Document     []byte `json:"document,omitempty" validate:"max=8000000" doc:"base64"`
}

func (EnregistrerAide) Type() string    { return "fr.aquaerp.facture.enregistrer-aide.v1" }
func (EnregistrerAide) Reply() (r Aide) { return }

// Aide is help that a household got.
type Aide struct {
	ID           string `json:"id" format:"uuid"`
	AbonneID     string `json:"abonne_id"`
	Nature       string `json:"nature" enum:"FSL,CCAS,TARIF_SOCIAL"`
	Du           Date   `json:"du" format:"date" validate:"required"`
	Au           Date   `json:"au,omitzero" format:"date" doc:"Last day of a social tariff; absent while it lasts"`
	Justificatif string `json:"justificatif"`
	DocumentNom  string `json:"document_nom,omitempty" doc:"Absent: no document is kept"`
	EffetJusqua  Date   `json:"effet_jusqua,omitzero" format:"date" doc:"Last day on which it lengthens delays; absent while it lasts"`
	EnCours      bool   `json:"en_cours" doc:"It has its effect today"`
}

// OuvrirContentieux starts litigation with an abonne for all bills whose
// notices have passed, or adds them to the one that is open.
type OuvrirContentieux struct {
	AbonneID string `json:"abonne_id" validate:"required,uuid"`
	Motif    string `json:"motif" validate:"required,max=400" maxLength:"400"`
}

func (OuvrirContentieux) Type() string                { return "fr.aquaerp.facture.ouvrir-contentieux.v1" }
func (OuvrirContentieux) Reply() (r FicheContentieux) { return }

// Contentieux is the litigation with an abonne.
type Contentieux struct {
	ID             string `json:"id" format:"uuid"`
	AbonneID       string `json:"abonne_id"`
	Nom            string `json:"nom"`
	Etat           string `json:"etat" enum:"OUVERT,CLOS"`
	Motif          string `json:"motif"`
	OuvertLe       Date   `json:"ouvert_le" format:"date" validate:"required"`
	ClosLe         Date   `json:"clos_le,omitzero" format:"date"`
	Issue          string `json:"issue,omitempty"`
	Factures       int    `json:"factures"`
	ResteCentimes  int64  `json:"reste_centimes"`
	PrescriptionLe Date   `json:"prescription_le,omitzero" format:"date" doc:"The first of its bills' that is still owed"`
}

// ContentieuxEnCours lists litigation, the nearest prescription first.
type ContentieuxEnCours struct {
	Etat string `json:"etat,omitempty" validate:"omitempty,oneof=OUVERT CLOS" doc:"OUVERT when absent"`
	Page
}

func (ContentieuxEnCours) Type() string               { return "fr.aquaerp.facture.liste-contentieux.v1" }
func (ContentieuxEnCours) Reply() (r PageContentieux) { return }

// PageContentieux is one page of litigation.
type PageContentieux struct {
	Items   []Contentieux `json:"items"`
	Suivant string        `json:"suivant,omitempty" doc:"Cursor of the next page"`
}

// ContentieuxParID reads one litigation.
type ContentieuxParID struct {
	ID string `json:"id" validate:"required,uuid"`
}

func (ContentieuxParID) Type() string                { return "fr.aquaerp.facture.contentieux.v1" }
func (ContentieuxParID) Reply() (r FicheContentieux) { return }

// FicheContentieux is litigation with its bills and what was done.
type FicheContentieux struct {
	Contentieux
	Dossiers   []DossierRelance       `json:"dossiers"`
	Actes      []Acte                 `json:"actes" doc:"The oldest first"`
	Evenements []EvenementContentieux `json:"evenements" doc:"What was done with its bills, letters included; the oldest first"`
	NonValeurs []NonValeur            `json:"non_valeurs"`
}

// AjouterActe records what was done in a litigation, with its document.
type AjouterActe struct {
	ContentieuxID string `json:"contentieux_id" validate:"required,uuid"`
	Nature        string `json:"nature" validate:"required,oneof=MISE_EN_DEMEURE RECONNAISSANCE INJONCTION ASSIGNATION SAISIE ACCORD NOTE" enum:"MISE_EN_DEMEURE,RECONNAISSANCE,INJONCTION,ASSIGNATION,SAISIE,ACCORD,NOTE"`
	Le            Date   `json:"le" format:"date" validate:"required"`
	Detail        string `json:"detail" validate:"required,max=2000" maxLength:"2000"`
	DocumentNom   string `json:"document_nom,omitempty" validate:"required_with=Document,max=120" maxLength:"120"`
	DocumentMime  string `json:"document_mime,omitempty" validate:"required_with=Document,omitempty,oneof=application/pdf image/jpeg image/png"`
	Document      []byte `json:"document,omitempty" validate:"max=8000000" doc:"base64"`
}

func (AjouterActe) Type() string                { return "fr.aquaerp.facture.ajouter-acte.v1" }
func (AjouterActe) Reply() (r FicheContentieux) { return }

// Acte is what was done in a litigation.
type Acte struct {
	ID          string `json:"id" format:"uuid"`
	Nature      string `json:"nature"`
	Libelle     string `json:"libelle"`
	Le          Date   `json:"le" format:"date" validate:"required"`
	Detail      string `json:"detail"`
	Interrompt  bool   `json:"interrompt" doc:"Interrupts the prescription"`
	DocumentNom string `json:"document_nom,omitempty"`
	Par         string `json:"par" doc:"Id of the user"`
}

// DocumentActe asks for the document of an act.
type DocumentActe struct {
	ActeID string `json:"acte_id" validate:"required,uuid"`
}

func (DocumentActe) Type() string        { return "fr.aquaerp.facture.document-acte.v1" }
func (DocumentActe) Reply() (r Document) { return }

// CloreContentieux ends litigation; bills that are still owed go back to where
// they came from.
type CloreContentieux struct {
	ContentieuxID string `json:"contentieux_id" validate:"required,uuid"`
	Issue         string `json:"issue" validate:"required,max=400" maxLength:"400"`
}

func (CloreContentieux) Type() string                { return "fr.aquaerp.facture.clore-contentieux.v1" }
func (CloreContentieux) Reply() (r FicheContentieux) { return }

// ProposerNonValeur asks to give up what is owed of a bill.
type ProposerNonValeur struct {
	FactureID string `json:"facture_id" validate:"required,uuid"`
	Motif     string `json:"motif" validate:"required,max=400" maxLength:"400"`
}

func (ProposerNonValeur) Type() string         { return "fr.aquaerp.facture.proposer-non-valeur.v1" }
func (ProposerNonValeur) Reply() (r NonValeur) { return }

// DeciderNonValeur gives up what another person proposed, or refuses to.
type DeciderNonValeur struct {
	NonValeurID  string `json:"non_valeur_id" validate:"required,uuid"`
	Admise       bool   `json:"admise"`
	Deliberation string `json:"deliberation,omitempty" validate:"required_if=Admise true,max=200" maxLength:"200" doc:"Reference of the decision"`
}

func (DeciderNonValeur) Type() string         { return "fr.aquaerp.facture.decider-non-valeur.v1" }
func (DeciderNonValeur) Reply() (r NonValeur) { return }

// NonValeur is what the service gives up, or is asked to.
type NonValeur struct {
	ID              string `json:"id" format:"uuid"`
	FactureID       string `json:"facture_id"`
	Numero          string `json:"numero"`
	AbonneID        string `json:"abonne_id"`
	Nom             string `json:"nom"`
	Etat            string `json:"etat" enum:"PROPOSEE,ADMISE,REFUSEE"`
	MontantCentimes int64  `json:"montant_centimes"`
	Motif           string `json:"motif"`
	Deliberation    string `json:"deliberation,omitempty"`
	ProposePar      string `json:"propose_par"`
	DecidePar       string `json:"decide_par,omitempty"`
}

// NonValeurs lists what is given up, or proposed to be, the newest first.
type NonValeurs struct {
	Etat string `json:"etat,omitempty" validate:"omitempty,oneof=PROPOSEE ADMISE REFUSEE"`
	Page
}

func (NonValeurs) Type() string              { return "fr.aquaerp.facture.non-valeurs.v1" }
func (NonValeurs) Reply() (r PageNonValeurs) { return }

// PageNonValeurs is one page of them.
type PageNonValeurs struct {
	Items   []NonValeur `json:"items"`
	Suivant string      `json:"suivant,omitempty" doc:"Cursor of the next page"`
}

// MajorerAssainissement surcharges the sewerage part of a bill that was not
// paid in time after a registered formal notice (CGCT R2224-19-9).
type MajorerAssainissement struct {
	FactureID string `json:"facture_id" validate:"required,uuid"`
}

func (MajorerAssainissement) Type() string       { return "fr.aquaerp.facture.majorer-assainissement.v1" }
func (MajorerAssainissement) Reply() (r Facture) { return }

// RegleRecouvrement is a figure of the law with its source.
type RegleRecouvrement struct {
	Code   string `json:"code"`
	Valeur int64  `json:"valeur"`
	Unite  string `json:"unite"`
	Source string `json:"source"`
}

// ReglesRecouvrement lists the figures in force.
type ReglesRecouvrement struct{}

func (ReglesRecouvrement) Type() string                       { return "fr.aquaerp.facture.regles-recouvrement.v1" }
func (ReglesRecouvrement) Reply() (r ListeReglesRecouvrement) { return }

// ListeReglesRecouvrement are the levels and the figures in force.
type ListeReglesRecouvrement struct {
	Niveaux   []NiveauRelance     `json:"niveaux"`
	Regles    []RegleRecouvrement `json:"regles"`
	Penalites []ReglePenalite     `json:"penalites" doc:"What lateness costs, the latest first"`
}

// AppliquerPenalites asks for what the lateness of a bill costs, by a document
// of its own: a fixed fee once, and interest for each late day once.
type AppliquerPenalites struct {
	FactureID  string `json:"facture_id" validate:"required,uuid" format:"uuid"`
	Simulation bool   `json:"simulation,omitempty" doc:"Only tells what it would be"`
}

func (AppliquerPenalites) Type() string         { return "fr.aquaerp.facture.appliquer-penalites.v1" }
func (AppliquerPenalites) Reply() (r Penalites) { return }

// Penalites is what lateness costs.
type Penalites struct {
	FactureID        string   `json:"facture_id" format:"uuid" doc:"The late bill"`
	Du               Date     `json:"du" format:"date" validate:"required" doc:"First day that is charged"`
	Jusqua           Date     `json:"jusqua" format:"date" validate:"required" doc:"Last day"`
	Jours            int      `json:"jours" doc:"Of these, days that bear interest"`
	ForfaitCentimes  int64    `json:"forfait_centimes"`
	InteretsCentimes int64    `json:"interets_centimes"`
	TotalCentimes    int64    `json:"total_centimes"`
	Sources          []string `json:"sources"`
	PieceID          string   `json:"piece_id,omitempty" doc:"The document that asks for it"`
	Numero           string   `json:"numero,omitempty"`
}

// DefinirPenalite sets a fee or a rate from a day on.
type DefinirPenalite struct {
	Code       string `json:"code" validate:"required,oneof=FORFAIT TAUX" enum:"FORFAIT,TAUX"`
	Habitation bool   `json:"habitation" doc:"For dwellings, where the service's regulation says so; else for professionals"`
	Du         Date   `json:"du" format:"date" validate:"required"`
	Valeur     int64  `json:"valeur" validate:"required,min=1,max=100000" minimum:"1" maximum:"100000" doc:"Centimes of a FORFAIT; ten thousandths a year of a TAUX"`
	Source     string `json:"source" validate:"required,max=200" maxLength:"200"`
}

func (DefinirPenalite) Type() string             { return "fr.aquaerp.facture.definir-penalite.v1" }
func (DefinirPenalite) Reply() (r ReglePenalite) { return }

// ReglePenalite is a fee or a rate over dates.
type ReglePenalite struct {
	DefinirPenalite
	Au        Date `json:"au,omitzero" format:"date" doc:"First day on which it is over"`
	AVerifier bool `json:"a_verifier" doc:"Read in a secondary source: for the service to check"`
}

// NiveauRelance is a letter of the law.
type NiveauRelance struct {
	Niveau           int    `json:"niveau"`
	Libelle          string `json:"libelle"`
	ApresJours       int    `json:"apres_jours"`
	PreavisJours     int    `json:"preavis_jours"`
	PreavisAideJours int    `json:"preavis_aide_jours"`
	ServicesSociaux  bool   `json:"services_sociaux"`
	Source           string `json:"source"`
	Canal            string `json:"canal" enum:"ECRIT,ECRIT_SMS,SMS" doc:"ECRIT_SMS: also by text message to whoever agreed; SMS: to them by nothing else"`
	EcritExige       bool   `json:"ecrit_exige" doc:"The law wants it in writing"`
}

// ReglerCanalRelance says how the letters of a level go from today on.
type ReglerCanalRelance struct {
	Niveau int    `json:"niveau" validate:"min=1,max=9" minimum:"1" maximum:"9"`
	Canal  string `json:"canal" validate:"required,oneof=ECRIT ECRIT_SMS SMS" enum:"ECRIT,ECRIT_SMS,SMS"`
}

func (ReglerCanalRelance) Type() string                       { return "fr.aquaerp.facture.regler-canal-relance.v1" }
func (ReglerCanalRelance) Reply() (r ListeReglesRecouvrement) { return }

// RelanceEmise asks an abonne to pay bills: one letter for those of a level.
type RelanceEmise struct {
	CourrierID      string       `json:"courrier_id"`
	AbonneID        string       `json:"abonne_id"`
	Nom             string       `json:"nom"`
	Email           string       `json:"email,omitempty" doc:"Absent: it goes by post"`
	Adresse         Adresse      `json:"adresse"`
	Niveau          int          `json:"niveau"`
	Canal           string       `json:"canal,omitempty" enum:"ECRIT,ECRIT_SMS,SMS" doc:"ECRIT when absent: by mail or post. ECRIT_SMS: also by text message, SMS: instead, to whoever agreed"`
	Le              Date         `json:"le"`
	Limite          Date         `json:"limite" doc:"Last day of the notice"`
	ServicesSociaux bool         `json:"services_sociaux,omitempty" doc:"The letter names them"`
	Habitation      bool         `json:"habitation,omitempty" doc:"The letter says that water is not cut"`
	TotalCentimes   int64        `json:"total_centimes"`
	Factures        []FactureDue `json:"factures"`
}

func (RelanceEmise) Type() string { return "fr.aquaerp.facture.relance-emise.v1" }

// FactureDue is a bill that a letter asks for.
type FactureDue struct {
	FactureID     string `json:"facture_id"`
	Numero        string `json:"numero"`
	Echeance      Date   `json:"echeance"`
	ResteCentimes int64  `json:"reste_centimes"`
}

// RelancesAFaire asks facture itself to go on with letters that are due.
type RelancesAFaire struct{}

func (RelancesAFaire) Type() string { return "fr.aquaerp.facture.relances-a-faire.v1" }
