package message

import "time"

// DefinirCreancier says who debits for a legal entity.
type DefinirCreancier struct {
	Entite string `json:"entite" validate:"required,max=40" maxLength:"40" doc:"Code of the legal entity"`
	Nom    string `json:"nom" validate:"required,max=70" maxLength:"70" doc:"As the bank knows it"`
	ICS    string `json:"ics" validate:"required,max=35" maxLength:"35" doc:"SEPA creditor identifier"`
	IBAN   string `json:"iban" validate:"required,max=42" maxLength:"42" doc:"Account that is credited"`
	BIC    string `json:"bic,omitempty" validate:"max=11" maxLength:"11"`
	Format string `json:"format" validate:"required,oneof=pain.008.001.02 pain.008.001.08" enum:"pain.008.001.02,pain.008.001.08" doc:"Version of the file that the bank takes"`
}

func (DefinirCreancier) Type() string         { return "fr.aquaerp.facture.definir-creancier.v1" }
func (DefinirCreancier) Reply() (r Creancier) { return }

// Creancier is who debits for a legal entity. Its IBAN is masked.
type Creancier struct {
	Entite     string `json:"entite"`
	Nom        string `json:"nom"`
	ICS        string `json:"ics"`
	IBANMasque string `json:"iban_masque"`
	BIC        string `json:"bic,omitempty"`
	Format     string `json:"format"`
}

// Creanciers lists who debits.
type Creanciers struct{}

func (Creanciers) Type() string              { return "fr.aquaerp.facture.creanciers.v1" }
func (Creanciers) Reply() (r ListeCreancier) { return }

// ListeCreancier are those who debit, and the delays in force.
type ListeCreancier struct {
	Items  []Creancier `json:"items"`
	Regles []RegleSEPA `json:"regles" doc:"Delays in force today"`
}

// RegleSEPA is a delay or a number with its source.
type RegleSEPA struct {
	Code   string `json:"code" enum:"prenotification_jours,prenotification_tolerance_jours,caducite_mois,presentations_max,delai_banque_jours"`
	Valeur int    `json:"valeur"`
	Source string `json:"source"`
}

// SignerMandat records the mandate by which an abonne lets the service debit
// their account. A living mandate for the same entity must be revoked first.
type SignerMandat struct {
	AbonneID             string `json:"abonne_id" validate:"required,uuid" format:"uuid"`
	Entite               string `json:"entite,omitempty" validate:"max=40" maxLength:"40" doc:"The main one when absent"`
	RUM                  string `json:"rum,omitempty" validate:"max=35" maxLength:"35" doc:"Mandate reference; given by the service when absent"`
	Titulaire            string `json:"titulaire" validate:"required,max=70" maxLength:"70" doc:"Holder of the account"`
	IBAN                 string `json:"iban" validate:"required,max=42" maxLength:"42"`
	BIC                  string `json:"bic,omitempty" validate:"max=11" maxLength:"11"`
	SigneLe              Date   `json:"signe_le" format:"date" validate:"required"`
	Unique               bool   `json:"unique,omitempty" doc:"For one debit only"`
	PrenotificationJours *int   `json:"prenotification_jours,omitempty" validate:"omitempty,min=1,max=60" minimum:"1" maximum:"60" doc:"Days of notice agreed with the abonne; the rule's when absent"`
}

func (SignerMandat) Type() string      { return "fr.aquaerp.facture.signer-mandat.v1" }
func (SignerMandat) Reply() (r Mandat) { return }

// ModifierMandat records that the account of a mandate changed; the next
// debit says so to the bank.
type ModifierMandat struct {
	MandatID  string `json:"mandat_id" validate:"required,uuid"`
	Titulaire string `json:"titulaire,omitempty" validate:"max=70" maxLength:"70"`
	IBAN      string `json:"iban" validate:"required,max=42" maxLength:"42"`
	BIC       string `json:"bic,omitempty" validate:"max=11" maxLength:"11"`
}

func (ModifierMandat) Type() string      { return "fr.aquaerp.facture.modifier-mandat.v1" }
func (ModifierMandat) Reply() (r Mandat) { return }

// RevoquerMandat ends a mandate: nothing is debited by it any more.
type RevoquerMandat struct {
	MandatID string `json:"mandat_id" validate:"required,uuid"`
	Motif    string `json:"motif" validate:"required,max=200" maxLength:"200"`
}

func (RevoquerMandat) Type() string      { return "fr.aquaerp.facture.revoquer-mandat.v1" }
func (RevoquerMandat) Reply() (r Mandat) { return }

// LireIBAN shows the whole account number of a mandate. Who read it, when and
// why is kept.
type LireIBAN struct {
	MandatID string `json:"mandat_id" validate:"required,uuid"`
	Motif    string `json:"motif" validate:"required,max=200" maxLength:"200"`
}

func (LireIBAN) Type() string         { return "fr.aquaerp.facture.lire-iban.v1" }
func (LireIBAN) Reply() (r IBANClair) { return }

// IBANClair is the whole account number of a mandate.
type IBANClair struct {
	MandatID string `json:"mandat_id"`
	IBAN     string `json:"iban"`
	BIC      string `json:"bic,omitempty"`
}

// Mandat is a mandate. Its IBAN is masked.
type Mandat struct {
	ID                 string            `json:"id" format:"uuid"`
	AbonneID           string            `json:"abonne_id"`
	Entite             string            `json:"entite"`
	ICS                string            `json:"ics,omitempty"`
	RUM                string            `json:"rum"`
	Titulaire          string            `json:"titulaire"`
	IBANMasque         string            `json:"iban_masque" doc:"Country and last four characters"`
	BIC                string            `json:"bic,omitempty"`
	SigneLe            Date              `json:"signe_le" format:"date"`
	Unique             bool              `json:"unique"`
	Etat               string            `json:"etat" enum:"ACTIF,REVOQUE,CADUC,EPUISE" doc:"CADUC after 36 months without a debit; EPUISE when its only or last debit was sent"`
	DernierPrelevement Date              `json:"dernier_prelevement,omitzero" format:"date"`
	CaducLe            Date              `json:"caduc_le,omitzero" format:"date" doc:"Lapses on this day without another debit"`
	Evenements         []EvenementMandat `json:"evenements" doc:"The newest first, readings of the IBAN included"`
}

// EvenementMandat is a line of a mandate's history.
type EvenementMandat struct {
	Instant time.Time `json:"instant"`
	Action  string    `json:"action" enum:"SIGNE,MODIFIE,REVOQUE,CADUC,EPUISE,IBAN_LU,FICHIER_LU"`
	Par     string    `json:"par,omitempty"`
	Detail  string    `json:"detail,omitempty"`
}

// Mandats lists the mandates of an abonne, the newest first.
type Mandats struct {
	AbonneID string `json:"abonne_id" validate:"required,uuid"`
}

func (Mandats) Type() string           { return "fr.aquaerp.facture.mandats.v1" }
func (Mandats) Reply() (r ListeMandat) { return }

// ListeMandat are the mandates of an abonne.
type ListeMandat struct {
	Items []Mandat `json:"items"`
}

// MandatSigne says that an abonne lets the service debit their account, or
// that the account changed.
type MandatSigne struct {
	MandatID   string `json:"mandat_id"`
	AbonneID   string `json:"abonne_id"`
	RUM        string `json:"rum"`
	IBANMasque string `json:"iban_masque"`
	SigneLe    Date   `json:"signe_le"`
	Modifie    bool   `json:"modifie,omitempty"`
}

func (MandatSigne) Type() string { return "fr.aquaerp.facture.mandat-signe.v1" }

// MandatRevoque says that a mandate ended.
type MandatRevoque struct {
	MandatID string `json:"mandat_id"`
	AbonneID string `json:"abonne_id"`
	RUM      string `json:"rum"`
	Motif    string `json:"motif"`
}

func (MandatRevoque) Type() string { return "fr.aquaerp.facture.mandat-revoque.v1" }

// IBANLu says that a person read whole account numbers.
type IBANLu struct {
	MandatID string `json:"mandat_id,omitempty"`
	RemiseID string `json:"remise_id,omitempty" doc:"The file of a remise, which holds many"`
	AbonneID string `json:"abonne_id,omitempty"`
	Par      string `json:"par"`
	Motif    string `json:"motif"`
}

func (IBANLu) Type() string { return "fr.aquaerp.facture.iban-lu.v1" }

// PreparerRemise chooses what can be debited by a day: open bills of those
// who pay by debit and have a living mandate, and parts of plans. Nothing is
// sent; the answer shows what would be, and what is left out and why.
type PreparerRemise struct {
	Entite string `json:"entite,omitempty" validate:"max=40" maxLength:"40" doc:"The main one when absent"`
	Jusqua Date   `json:"jusqua" format:"date" validate:"required" doc:"Last day of debit"`
}

func (PreparerRemise) Type() string      { return "fr.aquaerp.facture.preparer-remise.v1" }
func (PreparerRemise) Reply() (r Remise) { return }

// ValiderRemise writes the bank's file, once and for ever.
type ValiderRemise struct {
	RemiseID string `json:"remise_id" validate:"required,uuid"`
}

func (ValiderRemise) Type() string      { return "fr.aquaerp.facture.valider-remise.v1" }
func (ValiderRemise) Reply() (r Remise) { return }

// AbandonnerRemise drops a remise that was not validated.
type AbandonnerRemise struct {
	RemiseID string `json:"remise_id" validate:"required,uuid"`
}

func (AbandonnerRemise) Type() string      { return "fr.aquaerp.facture.abandonner-remise.v1" }
func (AbandonnerRemise) Reply() (r Remise) { return }

// LireFichierRemise gives the bank's file of a validated remise: the same
// bytes every time. It holds account numbers: who read it is kept.
type LireFichierRemise struct {
	RemiseID string `json:"remise_id" validate:"required,uuid"`
}

func (LireFichierRemise) Type() string        { return "fr.aquaerp.facture.lire-fichier-remise.v1" }
func (LireFichierRemise) Reply() (r Document) { return }

// Remise is a file of direct debits.
type Remise struct {
	ID              string             `json:"id" format:"uuid"`
	Reference       string             `json:"reference" doc:"Identifier of the message"`
	Entite          string             `json:"entite"`
	Etat            string             `json:"etat" enum:"PREPAREE,VALIDEE,ABANDONNEE"`
	Jusqua          Date               `json:"jusqua" format:"date"`
	Format          string             `json:"format"`
	Nombre          int                `json:"nombre" doc:"Debits"`
	MontantCentimes int64              `json:"montant_centimes"`
	EnLettres       string             `json:"en_lettres" doc:"The amount in words"`
	ReglesCentimes  int64              `json:"regles_centimes" doc:"Credited by the bank"`
	RejetesCentimes int64              `json:"rejetes_centimes" doc:"Rejected or returned by the bank"`
	Regles          int                `json:"regles"`
	Rejetes         int                `json:"rejetes"`
	Annonces        int                `json:"annonces" doc:"Debits told to the abonne by a letter of their own, because the bill does not"`
	SHA256          string             `json:"sha256,omitempty" doc:"Of the file"`
	CreeA           time.Time          `json:"cree_a"`
	CreePar         string             `json:"cree_par"`
	ValideeA        *time.Time         `json:"validee_a,omitempty"`
	ValideePar      string             `json:"validee_par,omitempty"`
	Lots            []LotRemise        `json:"lots" doc:"On a single remise only"`
	Ecartes         []PrelevementExclu `json:"ecartes" doc:"On a single remise only; at most 200"`
	NombreEcartes   int                `json:"nombre_ecartes"`
	EcartesCentimes int64              `json:"ecartes_centimes"`
}

// LotRemise are the debits of one sequence and one day.
type LotRemise struct {
	Sequence        string `json:"sequence" enum:"FRST,RCUR,FNAL,OOFF"`
	Date            Date   `json:"date" format:"date"`
	Nombre          int    `json:"nombre"`
	MontantCentimes int64  `json:"montant_centimes"`
}

// PrelevementExclu is what could not be debited, and why.
type PrelevementExclu struct {
	AbonneID        string `json:"abonne_id"`
	Nom             string `json:"nom"`
	FactureID       string `json:"facture_id,omitempty"`
	Numero          string `json:"numero"`
	MontantCentimes int64  `json:"montant_centimes"`
	Code            string `json:"code" enum:"mandat_absent,mandat_caduc,prenotification_trop_courte,rejet_a_traiter"`
}

// Remises lists remises, the newest first.
type Remises struct {
	Page
}

func (Remises) Type() string           { return "fr.aquaerp.facture.remises.v1" }
func (Remises) Reply() (r PageRemises) { return }

// PageRemises is one page of remises.
type PageRemises struct {
	Items   []Remise `json:"items"`
	Suivant string   `json:"suivant,omitempty" doc:"Cursor of the next page"`
}

// RemiseParID reads one remise with its control.
type RemiseParID struct {
	ID string `json:"id" validate:"required,uuid"`
}

func (RemiseParID) Type() string      { return "fr.aquaerp.facture.remise.v1" }
func (RemiseParID) Reply() (r Remise) { return }

// Prelevements lists the debits of a remise.
type Prelevements struct {
	RemiseID string `json:"remise_id" validate:"required,uuid"`
	Etat     string `json:"etat,omitempty" validate:"omitempty,oneof=PREPARE TRANSMIS REGLE REJETE ABANDONNE"`
	Page
}

func (Prelevements) Type() string                { return "fr.aquaerp.facture.prelevements.v1" }
func (Prelevements) Reply() (r PagePrelevements) { return }

// PagePrelevements is one page of debits.
type PagePrelevements struct {
	Items   []Prelevement `json:"items"`
	Suivant string        `json:"suivant,omitempty" doc:"Cursor of the next page"`
}

// Prelevement is one debit.
type Prelevement struct {
	ID              string `json:"id" format:"uuid"`
	Reference       string `json:"reference" doc:"EndToEndId: comes back with a rejection"`
	AbonneID        string `json:"abonne_id"`
	Nom             string `json:"nom"`
	FactureID       string `json:"facture_id,omitempty"`
	Numero          string `json:"numero" doc:"Of the bill, or of the part of a plan"`
	RUM             string `json:"rum"`
	IBANMasque      string `json:"iban_masque"`
	Sequence        string `json:"sequence"`
	Date            Date   `json:"date" format:"date"`
	MontantCentimes int64  `json:"montant_centimes"`
	Etat            string `json:"etat" enum:"PREPARE,TRANSMIS,REGLE,REJETE,ABANDONNE"`
	CodeRejet       string `json:"code_rejet,omitempty"`
	LibelleRejet    string `json:"libelle_rejet,omitempty"`
}

// CodesRejet lists the codes by which banks reject or return debits.
type CodesRejet struct{}

func (CodesRejet) Type() string              { return "fr.aquaerp.facture.codes-rejet.v1" }
func (CodesRejet) Reply() (r ListeCodeRejet) { return }

// ListeCodeRejet are the codes.
type ListeCodeRejet struct {
	Items []CodeRejet `json:"items"`
}

// CodeRejet is a code, what it says and what is done.
type CodeRejet struct {
	Code    string `json:"code"`
	Libelle string `json:"libelle" doc:"In French"`
	Action  string `json:"action" enum:"REPRESENTER,REVOQUER,RELANCER,CORRIGER" doc:"Debit again; the mandate ends; dun; the service mends its file, then debits again"`
	Source  string `json:"source"`
}

// ImporterFichierBancaire reads a file of the bank: pain.002, camt.053 or
// camt.054. It is refused as a whole, or each of its movements is kept with
// what became of it; they are booked in chunks that travel as events.
type ImporterFichierBancaire struct {
	Nom     string `json:"nom" validate:"required,max=200" maxLength:"200" doc:"File name"`
	Contenu []byte `json:"contenu" validate:"required,max=11000000" doc:"base64"`
}

func (ImporterFichierBancaire) Type() string {
	return "fr.aquaerp.facture.importer-fichier-bancaire.v1"
}
func (ImporterFichierBancaire) Reply() (r FichierBancaire) { return }

// FichierBancaire is a file of the bank and what became of it.
type FichierBancaire struct {
	ID              string    `json:"id" format:"uuid"`
	Nom             string    `json:"nom"`
	Nature          string    `json:"nature" enum:"pain.002,camt.053,camt.054"`
	Message         string    `json:"message" doc:"Identifier given by the bank"`
	ImporteA        time.Time `json:"importe_a"`
	ImportePar      string    `json:"importe_par"`
	Operations      int       `json:"operations"`
	Encaissees      int       `json:"encaissees" doc:"Became payments"`
	Rejets          int       `json:"rejets" doc:"Debits rejected or returned"`
	AAffecter       int       `json:"a_affecter" doc:"Credits that wait for a person"`
	Ignorees        int       `json:"ignorees" doc:"Nothing to do with the bills"`
	Doublons        int       `json:"doublons" doc:"Known already"`
	Refusees        int       `json:"refusees"`
	EnCours         int       `json:"en_cours" doc:"Not treated yet"`
	CreditsCentimes int64     `json:"credits_centimes"`
	DebitsCentimes  int64     `json:"debits_centimes"`
}

// FichiersBancaires lists the files of the bank, the newest first.
type FichiersBancaires struct {
	Page
}

func (FichiersBancaires) Type() string            { return "fr.aquaerp.facture.fichiers-bancaires.v1" }
func (FichiersBancaires) Reply() (r PageFichiers) { return }

// PageFichiers is one page of files.
type PageFichiers struct {
	Items   []FichierBancaire `json:"items"`
	Suivant string            `json:"suivant,omitempty" doc:"Cursor of the next page"`
}

// FichierBancaireParID reads one file.
type FichierBancaireParID struct {
	ID string `json:"id" validate:"required,uuid"`
}

func (FichierBancaireParID) Type() string               { return "fr.aquaerp.facture.fichier-bancaire.v1" }
func (FichierBancaireParID) Reply() (r FichierBancaire) { return }

// OperationsBancaires lists movements: of one file, in its order, or of all
// files those in a state.
type OperationsBancaires struct {
	FichierID string `json:"fichier_id,omitempty" validate:"required_without=Etat,omitempty,uuid"`
	Etat      string `json:"etat,omitempty" validate:"omitempty,oneof=A_TRAITER ENCAISSEE REJET A_AFFECTER IGNOREE DOUBLON REFUSEE"`
	Page
}

func (OperationsBancaires) Type() string              { return "fr.aquaerp.facture.operations-bancaires.v1" }
func (OperationsBancaires) Reply() (r PageOperations) { return }

// PageOperations is one page of movements.
type PageOperations struct {
	Items   []OperationBancaire `json:"items"`
	Suivant string              `json:"suivant,omitempty" doc:"Cursor of the next page"`
}

// OperationBancaire is a movement of a file and what became of it.
type OperationBancaire struct {
	ID              string `json:"id" format:"uuid"`
	FichierID       string `json:"fichier_id"`
	Ligne           int    `json:"ligne" doc:"In the file"`
	Date            Date   `json:"date,omitzero" format:"date"`
	Credit          bool   `json:"credit"`
	MontantCentimes int64  `json:"montant_centimes"`
	Nom             string `json:"nom,omitempty"`
	Libelle         string `json:"libelle,omitempty"`
	Reference       string `json:"reference,omitempty" doc:"EndToEndId, lot or remise"`
	Etat            string `json:"etat" enum:"A_TRAITER,ENCAISSEE,REJET,A_AFFECTER,IGNOREE,DOUBLON,REFUSEE"`
	Code            string `json:"code,omitempty" doc:"Why, or the code of a rejection"`
	Detail          string `json:"detail,omitempty" doc:"The reason in French"`
	AbonneID        string `json:"abonne_id,omitempty"`
	PaiementID      string `json:"paiement_id,omitempty"`
}

// AffecterOperation gives a credit that waits to an abonne.
type AffecterOperation struct {
	OperationID string `json:"operation_id" validate:"required,uuid"`
	Reference   string `json:"reference,omitempty" validate:"required_without=AbonneID,max=80" maxLength:"80" doc:"Number of the bill or of the contract"`
	AbonneID    string `json:"abonne_id,omitempty" validate:"omitempty,uuid" format:"uuid"`
}

func (AffecterOperation) Type() string                 { return "fr.aquaerp.facture.affecter-operation.v1" }
func (AffecterOperation) Reply() (r OperationBancaire) { return }

// OperationsATraiter asks facture itself to book movements of a file.
type OperationsATraiter struct {
	FichierID string `json:"fichier_id"`
	Du        int    `json:"du" doc:"First rank in the file"`
	Au        int    `json:"au" doc:"Last rank"`
}

func (OperationsATraiter) Type() string { return "fr.aquaerp.facture.operations-a-traiter.v1" }

// PrelevementsAEncaisser asks facture itself to record the payments of debits
// that the bank credited together.
type PrelevementsAEncaisser struct {
	RemiseID     string   `json:"remise_id"`
	RecuLe       Date     `json:"recu_le"`
	Prelevements []string `json:"prelevements"`
}

func (PrelevementsAEncaisser) Type() string { return "fr.aquaerp.facture.prelevements-a-encaisser.v1" }

// PrelevementsAnnonces tells of debits to come that no bill announced, at
// most 100 an event: mailer writes to each.
type PrelevementsAnnonces struct {
	RemiseID     string               `json:"remise_id"`
	Creancier    string               `json:"creancier"`
	ICS          string               `json:"ics"`
	Prelevements []PrelevementAnnonce `json:"prelevements"`
}

func (PrelevementsAnnonces) Type() string { return "fr.aquaerp.facture.prelevements-annonces.v1" }

// PrelevementAnnonce is one of them.
type PrelevementAnnonce struct {
	PrelevementID   string  `json:"prelevement_id"`
	AbonneID        string  `json:"abonne_id"`
	Nom             string  `json:"nom"`
	Email           string  `json:"email,omitempty" doc:"Absent: by post"`
	Adresse         Adresse `json:"adresse,omitzero" validate:"-"`
	Numero          string  `json:"numero"`
	MontantCentimes int64   `json:"montant_centimes"`
	Date            Date    `json:"date"`
	RUM             string  `json:"rum"`
	IBANMasque      string  `json:"iban_masque"`
}

// RemiseValidee says that the bank's file of a remise was written.
type RemiseValidee struct {
	RemiseID        string `json:"remise_id"`
	Reference       string `json:"reference"`
	Nombre          int    `json:"nombre"`
	MontantCentimes int64  `json:"montant_centimes"`
}

func (RemiseValidee) Type() string { return "fr.aquaerp.facture.remise-validee.v1" }

// PrelevementRejete says that the bank refused or returned a debit.
type PrelevementRejete struct {
	PrelevementID   string `json:"prelevement_id"`
	AbonneID        string `json:"abonne_id"`
	FactureID       string `json:"facture_id,omitempty"`
	Numero          string `json:"numero"`
	MontantCentimes int64  `json:"montant_centimes"`
	Code            string `json:"code"`
	Libelle         string `json:"libelle"`
	Action          string `json:"action" enum:"REPRESENTER,REVOQUER,RELANCER,CORRIGER"`
}

func (PrelevementRejete) Type() string { return "fr.aquaerp.facture.prelevement-rejete.v1" }
