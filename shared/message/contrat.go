package message

import "time"

// Abonne is the person or organisation that a contract binds.
type Abonne struct {
	ID        string  `json:"id" format:"uuid"`
	Nature    string  `json:"nature" enum:"PERSONNE,ORGANISATION"`
	Nom       string  `json:"nom" doc:"Family name, or name of the organisation"`
	Prenom    string  `json:"prenom,omitempty"`
	SIREN     string  `json:"siren,omitempty" doc:"Of an organisation: nine digits; its bills are electronic invoices"`
	SIRET     string  `json:"siret,omitempty" doc:"Of the establishment that is billed: fourteen digits, the SIREN first"`
	NumeroTVA string  `json:"numero_tva,omitempty" doc:"VAT identifier (numéro de TVA intracommunautaire)"`
	Version   int64   `json:"version,omitempty" doc:"Grows by one with each change of these numbers; absent: as it was created"`
	Email     string  `json:"email,omitempty"`
	Telephone string  `json:"telephone,omitempty"`
	Adresse   Adresse `json:"adresse" doc:"Where bills go by post"`
}

// Adresse is a postal address in France.
type Adresse struct {
	Voie       string `json:"voie" validate:"required,max=120" maxLength:"120" doc:"Number and street"`
	Complement string `json:"complement,omitempty" validate:"max=120" maxLength:"120"`
	CodePostal string `json:"code_postal" validate:"required,len=5,numeric" pattern:"^[0-9]{5}$"`
	Commune    string `json:"commune" validate:"required,max=80" maxLength:"80"`
}

// PDL is a point de service: where water is delivered.
type PDL struct {
	ID                  string  `json:"id" format:"uuid"`
	Reference           string  `json:"reference" doc:"Unique reference of the point, e.g. PDL-00042"`
	Adresse             Adresse `json:"adresse"`
	CodeINSEE           string  `json:"code_insee"`
	Secteur             string  `json:"secteur,omitempty"`
	Logements           int     `json:"logements" doc:"Dwellings served, at least 1"`
	Habitation          bool    `json:"habitation" doc:"Used as a dwelling (leak rule of article L2224-12-4 CGCT)"`
	ResidencePrincipale string  `json:"residence_principale" enum:"OUI,NON,INCONNU" doc:"A main residence is never cut (CASF L115-3); unknown counts as yes"`
	Assainissement      bool    `json:"assainissement" doc:"Connected to the sewer"`
}

// Compteur is a meter.
type Compteur struct {
	ID             string `json:"id" format:"uuid"`
	Numero         string `json:"numero" doc:"M-<zone>-<calibre>-<serial>"`
	Serie          string `json:"serie" doc:"Serial number of the maker"`
	CalibreMM      int    `json:"calibre_mm" doc:"Nominal diameter, mm"`
	Roues          int    `json:"roues" doc:"Digits of the counter, 1..9"`
	LitresParUnite int64  `json:"litres_par_unite" doc:"Litres per unit of the last digit, 1000 for a meter that shows m3"`
	Annee          int    `json:"annee" doc:"Year of manufacture"`
}

// Pose is a meter at a PDL, over [du, au).
type Pose struct {
	ID         string   `json:"id" format:"uuid"`
	Compteur   Compteur `json:"compteur"`
	Du         Date     `json:"du" format:"date" validate:"required"`
	Au         Date     `json:"au,omitzero" format:"date"`
	IndexDebut int64    `json:"index_debut" doc:"Index shown when it was placed"`
	IndexFin   *int64   `json:"index_fin,omitempty" doc:"Index shown when it was removed"`
}

// Contrat is a subscription as the back office sees it.
type Contrat struct {
	ID                  string    `json:"id" format:"uuid"`
	Numero              string    `json:"numero" doc:"C-<letter of the type>-<zone>-<yy>-<sequence>"`
	Nature              string    `json:"nature" enum:"INDIVIDUEL,COLLECTIF,RESIDENTIEL,AGRICOLE,COMMERCIAL,INDUSTRIEL"`
	Etat                string    `json:"etat" enum:"A_SIGNER,EN_RETRACTATION,SIGNE,ACTIF,ANNULE,RESILIE" doc:"EN_RETRACTATION: signed, water stays closed until the withdrawal period ends; SIGNE: signed, water may be opened"`
	Version             int64     `json:"version" doc:"Grows by one with each change"`
	DebutSouhaite       Date      `json:"debut_souhaite" format:"date" validate:"required"`
	SigneLe             Date      `json:"signe_le,omitzero" format:"date"`
	RetractationJusquAu Date      `json:"retractation_jusqu_au,omitzero" format:"date" doc:"Last day of the 14 days of withdrawal (Code de la consommation L221-18)"`
	ExecutionImmediate  bool      `json:"execution_immediate" doc:"The abonne expressly asked for water before the end of the withdrawal period"`
	ActifDepuis         Date      `json:"actif_depuis,omitzero" format:"date"`
	ResilieLe           Date      `json:"resilie_le,omitzero" format:"date" doc:"First day without contract"`
	ModePaiement        string    `json:"mode_paiement" enum:"VIREMENT,PRELEVEMENT,CHEQUE,ESPECES,CARTE"`
	Abonne              Abonne    `json:"abonne"`
	PDL                 PDL       `json:"pdl"`
	Poses               []Pose    `json:"poses" doc:"Meters at the PDL, the oldest first; empty before the opening"`
	CompteurPrevu       *Compteur `json:"compteur_prevu,omitempty" doc:"The meter to be placed or opened"`
}

// Souscrire opens a contract: the abonne and the PDL are given by id, or new.
type Souscrire struct {
	AbonneID           string          `json:"abonne_id,omitempty" validate:"omitempty,uuid" doc:"An abonne that exists; otherwise abonne"`
	Abonne             *NouvelAbonne   `json:"abonne,omitempty" validate:"required_without=AbonneID,excluded_with=AbonneID"`
	PDLID              string          `json:"pdl_id,omitempty" validate:"omitempty,uuid" doc:"A PDL that exists; otherwise pdl"`
	PDL                *NouveauPDL     `json:"pdl,omitempty" validate:"required_without=PDLID,excluded_with=PDLID"`
	Compteur           NouveauCompteur `json:"compteur" doc:"The meter at the PDL; known serial numbers are found again"`
	Nature             string          `json:"nature" validate:"required,oneof=INDIVIDUEL COLLECTIF RESIDENTIEL AGRICOLE COMMERCIAL INDUSTRIEL" enum:"INDIVIDUEL,COLLECTIF,RESIDENTIEL,AGRICOLE,COMMERCIAL,INDUSTRIEL"`
	DebutSouhaite      Date            `json:"debut_souhaite" format:"date" validate:"required" doc:"From a year ago to a year ahead"`
	ExecutionImmediate bool            `json:"execution_immediate,omitempty"`
	ModePaiement       string          `json:"mode_paiement" validate:"required,oneof=VIREMENT PRELEVEMENT CHEQUE ESPECES CARTE" enum:"VIREMENT,PRELEVEMENT,CHEQUE,ESPECES,CARTE"`
}

func (Souscrire) Type() string       { return "fr.aquaerp.contrat.souscrire.v1" }
func (Souscrire) Reply() (r Contrat) { return }

// NouvelAbonne is what is asked of a new abonne.
type NouvelAbonne struct {
	Nature    string  `json:"nature" validate:"required,oneof=PERSONNE ORGANISATION" enum:"PERSONNE,ORGANISATION"`
	Nom       string  `json:"nom" validate:"required,max=120" maxLength:"120"`
	Prenom    string  `json:"prenom,omitempty" validate:"max=120" maxLength:"120"`
	SIREN     string  `json:"siren,omitempty" validate:"max=20" maxLength:"20" doc:"Of an organisation: nine digits, spaces allowed; that of the SIRET when absent"`
	SIRET     string  `json:"siret,omitempty" validate:"max=25" maxLength:"25" doc:"Of an organisation: fourteen digits, spaces allowed"`
	NumeroTVA string  `json:"numero_tva,omitempty" validate:"max=20" maxLength:"20" doc:"VAT identifier of an organisation"`
	Email     string  `json:"email,omitempty" validate:"omitempty,email,max=254" maxLength:"254"`
	Telephone string  `json:"telephone,omitempty" validate:"max=20" maxLength:"20"`
	Adresse   Adresse `json:"adresse"`
}

// IdentifierAbonne sets the numbers of an organisation, as a whole: one that
// is left out is taken away. Bills issued before keep what they say.
type IdentifierAbonne struct {
	AbonneID  string `json:"abonne_id" validate:"required,uuid"`
	SIREN     string `json:"siren,omitempty" validate:"max=20" maxLength:"20" doc:"Nine digits, spaces allowed; that of the SIRET when absent"`
	SIRET     string `json:"siret,omitempty" validate:"max=25" maxLength:"25" doc:"Fourteen digits, spaces allowed"`
	NumeroTVA string `json:"numero_tva,omitempty" validate:"max=20" maxLength:"20" doc:"VAT identifier"`
}

func (IdentifierAbonne) Type() string      { return "fr.aquaerp.contrat.identifier-abonne.v1" }
func (IdentifierAbonne) Reply() (r Abonne) { return }

// AbonneIdentifie says which numbers an organisation has from now on.
type AbonneIdentifie struct {
	AbonneID  string `json:"abonne_id"`
	Version   int64  `json:"version" doc:"Of the abonne: an older one does not undo a newer one"`
	SIREN     string `json:"siren,omitempty"`
	SIRET     string `json:"siret,omitempty"`
	NumeroTVA string `json:"numero_tva,omitempty"`
}

func (AbonneIdentifie) Type() string { return "fr.aquaerp.contrat.abonne-identifie.v1" }

// NouveauPDL is what is asked of a new point de service.
type NouveauPDL struct {
	Reference           string  `json:"reference" validate:"required,max=40" maxLength:"40"`
	Adresse             Adresse `json:"adresse"`
	CodeINSEE           string  `json:"code_insee" validate:"required,len=5,alphanum" maxLength:"5"`
	Secteur             string  `json:"secteur,omitempty" validate:"max=40" maxLength:"40"`
	Logements           int     `json:"logements" validate:"min=1,max=5000" minimum:"1" maximum:"5000"`
	Habitation          bool    `json:"habitation"`
	ResidencePrincipale string  `json:"residence_principale" validate:"required,oneof=OUI NON INCONNU" enum:"OUI,NON,INCONNU"`
	Assainissement      bool    `json:"assainissement"`
}

// NouveauCompteur is what is asked of a meter.
type NouveauCompteur struct {
	Serie          string `json:"serie" validate:"required,max=40" maxLength:"40"`
	CalibreMM      int    `json:"calibre_mm" validate:"oneof=15 20 25 30 40 50 60 65 80 100 125 150 200" doc:"Nominal diameter, mm"`
	Roues          int    `json:"roues" validate:"min=1,max=9" minimum:"1" maximum:"9"`
	LitresParUnite int64  `json:"litres_par_unite" validate:"oneof=1 10 100 1000 10000"`
	Annee          int    `json:"annee" validate:"min=1950,max=2100"`
}

// Signer records the signature; the plan `souscription` starts from it.
type Signer struct {
	ContratID  string `json:"contrat_id" validate:"required,uuid"`
	Signataire string `json:"signataire" validate:"required,max=120" maxLength:"120" doc:"Who signed"`
	ADistance  bool   `json:"a_distance" doc:"Signed away from the office: the 14 days of withdrawal apply"`
}

func (Signer) Type() string       { return "fr.aquaerp.contrat.signer.v1" }
func (Signer) Reply() (r Contrat) { return }

// Retracter withdraws within the 14 days: the contract becomes ANNULE.
type Retracter struct {
	ContratID string `json:"contrat_id" validate:"required,uuid"`
}

func (Retracter) Type() string       { return "fr.aquaerp.contrat.retracter.v1" }
func (Retracter) Reply() (r Contrat) { return }

// Activer opens the water with the index that the technician read.
type Activer struct {
	ContratID      string `json:"contrat_id" validate:"required,uuid"`
	Index          int64  `json:"index" validate:"min=0" minimum:"0"`
	Date           Date   `json:"date" format:"date" validate:"required"`
	InterventionID string `json:"intervention_id,omitempty" validate:"omitempty,uuid"`
}

func (Activer) Type() string       { return "fr.aquaerp.contrat.activer.v1" }
func (Activer) Reply() (r Contrat) { return }

// ChangerCompteur closes the pose of the meter in place and opens one for the
// new meter; both indexes are needed.
type ChangerCompteur struct {
	ContratID   string          `json:"contrat_id" validate:"required,uuid"`
	Date        Date            `json:"date" format:"date" validate:"required"`
	IndexDepose int64           `json:"index_depose" validate:"min=0" minimum:"0" doc:"Index of the meter removed"`
	Compteur    NouveauCompteur `json:"compteur"`
	IndexPose   int64           `json:"index_pose" validate:"min=0" minimum:"0" doc:"Index of the meter placed"`
}

func (ChangerCompteur) Type() string       { return "fr.aquaerp.contrat.changer-compteur.v1" }
func (ChangerCompteur) Reply() (r Contrat) { return }

// Reprendre takes over contracts in force from another system, a line of CSV
// each; header and columns in the API's documentation. Valid lines become
// ACTIF contracts without plan or mail, the others are listed.
type Reprendre struct {
	CSV string `json:"csv" validate:"required,max=16000000"`
}

func (Reprendre) Type() string       { return "fr.aquaerp.contrat.reprendre.v1" }
func (Reprendre) Reply() (r Reprise) { return }

// Reprise counts what was taken over.
type Reprise struct {
	Lignes    int            `json:"lignes" doc:"Lines read, without header"`
	Creees    int            `json:"creees" doc:"Contracts created"`
	Politique string         `json:"politique" enum:"LIGNES_VALIDES_IMPORTEES" doc:"The valid lines were imported, the others refused"`
	Rejets    []LigneRejetee `json:"rejets"`
}

// ColonnesReprise is the header of the CSV of Reprendre, in order, separated
// by semicolons. ColonnesEntreprise may follow it.
const ColonnesReprise = "pdl;voie;code_postal;commune;code_insee;secteur;logements;habitation;residence_principale;assainissement;" +
	"nature_abonne;nom;prenom;email;telephone;nature_contrat;mode_paiement;compteur;calibre_mm;roues;litres_par_unite;annee;debut;index"

// ColonnesEntreprise are the numbers of organisations in that CSV.
const ColonnesEntreprise = "siren;siret;numero_tva"

// ContratParID reads one contract.
type ContratParID struct {
	ID string `json:"id" validate:"required,uuid"`
}

func (ContratParID) Type() string       { return "fr.aquaerp.contrat.contrat.v1" }
func (ContratParID) Reply() (r Contrat) { return }

// Contrats lists contracts, the newest first.
type Contrats struct {
	AbonneID string `json:"abonne_id,omitempty" validate:"omitempty,uuid"`
	Etat     string `json:"etat,omitempty" validate:"omitempty,oneof=A_SIGNER EN_RETRACTATION SIGNE ACTIF ANNULE RESILIE"`
	Page
}

func (Contrats) Type() string            { return "fr.aquaerp.contrat.contrats.v1" }
func (Contrats) Reply() (r PageContrats) { return }

// PageContrats is one page of contracts.
type PageContrats struct {
	Items   []Contrat `json:"items"`
	Suivant string    `json:"suivant,omitempty" doc:"Cursor of the next page"`
}

// Abonnes searches abonnes by name, e-mail, contract number, meter, PDL
// reference or street; an empty Q lists by name.
type Abonnes struct {
	Q string `json:"q,omitempty" validate:"max=80"`
	Page
}

func (Abonnes) Type() string           { return "fr.aquaerp.contrat.abonnes.v1" }
func (Abonnes) Reply() (r PageAbonnes) { return }

// PageAbonnes is one page of abonnes.
type PageAbonnes struct {
	Items   []AbonneResume `json:"items"`
	Suivant string         `json:"suivant,omitempty" doc:"Cursor of the next page"`
}

// AbonneResume is an abonne in a list.
type AbonneResume struct {
	Abonne
	Contrats int    `json:"contrats" doc:"Number of contracts"`
	Actifs   int    `json:"actifs" doc:"Number of contracts ACTIF"`
	PDL      string `json:"pdl,omitempty" doc:"Reference of the first PDL"`
	Lieu     string `json:"lieu,omitempty" doc:"Street of the first PDL"`
}

// FicheAbonne reads an abonne with contracts and meters.
type FicheAbonne struct {
	ID string `json:"id" validate:"required,uuid"`
}

func (FicheAbonne) Type() string     { return "fr.aquaerp.contrat.fiche-abonne.v1" }
func (FicheAbonne) Reply() (r Fiche) { return }

// Fiche is the file of an abonne.
type Fiche struct {
	Abonne   Abonne      `json:"abonne"`
	Contrats []Contrat   `json:"contrats"`
	Journal  []Evenement `json:"journal" doc:"What happened to the contracts, the newest first"`
}

// Evenement is a line of a timeline.
type Evenement struct {
	Instant time.Time `json:"instant"`
	Nature  string    `json:"nature" doc:"contrat, releve, facture, paiement, intervention, envoi"`
	Code    string    `json:"code" doc:"Stable code: SOUSCRIT, SIGNE, ACTIF, EMISE..."`
	Texte   string    `json:"texte" doc:"One sentence in French"`
	Objet   string    `json:"objet,omitempty" doc:"Id of the object"`
	Par     string    `json:"par,omitempty" doc:"Who did it"`
}

// TableauContrats counts contracts for the dashboard.
type TableauContrats struct{}

func (TableauContrats) Type() string                  { return "fr.aquaerp.contrat.tableau.v1" }
func (TableauContrats) Reply() (r ContratsEnChiffres) { return }

// ContratsEnChiffres are the figures of contrat.
type ContratsEnChiffres struct {
	Abonnes int `json:"abonnes"`
	Actifs  int `json:"actifs"`
	ASigner int `json:"a_signer"`
	EnCours int `json:"en_cours" doc:"Signed, not active yet"`
}

// ContratSigne starts the plan `souscription`.
type ContratSigne struct {
	ContratID     string  `json:"contrat_id"`
	Numero        string  `json:"numero"`
	AbonneID      string  `json:"abonne_id"`
	Nom           string  `json:"nom" doc:"Name of the abonne, for the technician"`
	Telephone     string  `json:"telephone,omitempty"`
	PDLID         string  `json:"pdl_id"`
	PDL           string  `json:"pdl" doc:"Reference of the PDL"`
	Adresse       Adresse `json:"adresse" doc:"Of the PDL"`
	Compteur      string  `json:"compteur" doc:"Serial number"`
	DebutSouhaite Date    `json:"debut_souhaite"`
	PasAvant      Date    `json:"pas_avant" doc:"First day on which water may be opened: after the withdrawal period, or the day of signature when the abonne asked for it"`
}

func (ContratSigne) Type() string { return "fr.aquaerp.contrat.signe.v1" }

// ContratAnnule ends what the signature started.
type ContratAnnule struct {
	ContratID string `json:"contrat_id"`
}

func (ContratAnnule) Type() string { return "fr.aquaerp.contrat.annule.v1" }

// ContratActive says that water flows under a contract, with all that other
// functions keep of it.
type ContratActive struct {
	ContratID    string `json:"contrat_id"`
	Numero       string `json:"numero"`
	Version      int64  `json:"version"`
	Nature       string `json:"nature,omitempty" doc:"Of the contract: INDIVIDUEL, COLLECTIF..."`
	ModePaiement string `json:"mode_paiement"`
	Depuis       Date   `json:"depuis"`
	Abonne       Abonne `json:"abonne"`
	PDL          PDL    `json:"pdl"`
	Pose         Pose   `json:"pose" doc:"The meter in place"`
	Reprise      bool   `json:"reprise,omitempty" doc:"Taken over from another system: no welcome"`
}

func (ContratActive) Type() string { return "fr.aquaerp.contrat.active.v1" }

// CompteurChange says that a meter gave way to another.
type CompteurChange struct {
	ContratID string `json:"contrat_id"`
	Version   int64  `json:"version"`
	PDLID     string `json:"pdl_id"`
	Deposee   Pose   `json:"deposee" doc:"Closed, with au and index_fin"`
	Posee     Pose   `json:"posee"`
}

func (CompteurChange) Type() string { return "fr.aquaerp.contrat.compteur-change.v1" }
