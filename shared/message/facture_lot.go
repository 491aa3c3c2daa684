package message

import "time"

// PreparerLot starts a billing run: every contract of its extent with
// consumption in [du, au) that has no bill for it yet is priced, in chunks
// that travel as events. The answer comes at once; follow the lot for its
// progress.
type PreparerLot struct {
	Libelle         string `json:"libelle" validate:"required,max=80" maxLength:"80"`
	Du              Date   `json:"du" format:"date" validate:"required" doc:"Start of the period billed"`
	Au              Date   `json:"au" format:"date" validate:"required" doc:"End of the period billed, excluded"`
	DateFacturation Date   `json:"date_facturation" format:"date" validate:"required" doc:"Date on the bills; never before that of the last bill issued"`
	Echeance        Date   `json:"echeance" format:"date" validate:"required" doc:"Due date, at least 14 days after the date of billing"`
	Etendue
}

func (PreparerLot) Type() string   { return "fr.aquaerp.facture.preparer-lot.v1" }
func (PreparerLot) Reply() (r Lot) { return }

// Etendue is the part of the service that a lot bills; what is absent does
// not limit it.
type Etendue struct {
	Commune string `json:"commune,omitempty" validate:"omitempty,len=5,alphanum" maxLength:"5" doc:"INSEE code"`
	Profil  string `json:"profil,omitempty" validate:"max=40" maxLength:"40" doc:"Nature of the contracts: INDIVIDUEL, COLLECTIF..."`
	Secteur string `json:"secteur,omitempty" validate:"max=80" maxLength:"80" doc:"Reading round"`
}

// Lot is a billing run.
type Lot struct {
	ID              string `json:"id" format:"uuid"`
	Libelle         string `json:"libelle"`
	Etat            string `json:"etat" enum:"PREPARE,CALCULE,CONTROLE,EMISSION,EMIS,REJETE" doc:"PREPARE while it computes, CALCULE when it waits for a second person, CONTROLE when it can be issued, EMISSION while numbers are given"`
	Du              Date   `json:"du" format:"date" validate:"required"`
	Au              Date   `json:"au" format:"date" validate:"required"`
	DateFacturation Date   `json:"date_facturation" format:"date" validate:"required"`
	Echeance        Date   `json:"echeance" format:"date" validate:"required"`
	Etendue
	Contrats      int         `json:"contrats" doc:"Contracts to bill"`
	Calculees     int         `json:"calculees" doc:"Bills computed"`
	Emises        int         `json:"emises" doc:"Bills issued"`
	EnErreur      int         `json:"en_erreur" doc:"Contracts that could not be billed"`
	HTCentimes    int64       `json:"ht_centimes"`
	TVACentimes   int64       `json:"tva_centimes"`
	TTCCentimes   int64       `json:"ttc_centimes"`
	VolumeLitres  int64       `json:"volume_litres"`
	PremierNumero string      `json:"premier_numero,omitempty" doc:"First number taken, or that would be taken; of the first entity when several issue"`
	DernierNumero string      `json:"dernier_numero,omitempty"`
	CreeA         time.Time   `json:"cree_a"`
	CreePar       string      `json:"cree_par" doc:"User who prepared it, and may not approve it"`
	CreeParNom    string      `json:"cree_par_nom,omitempty"`
	ControleA     *time.Time  `json:"controle_a,omitempty"`
	ControlePar   string      `json:"controle_par,omitempty" doc:"User who approved it"`
	ControleNom   string      `json:"controle_par_nom,omitempty"`
	EmisA         *time.Time  `json:"emis_a,omitempty"`
	Motif         string      `json:"motif,omitempty" doc:"Why it was rejected"`
	Blocages      []Blocage   `json:"blocages" doc:"Chunks that were refused, at most 20 of them; the lot waits for them"`
	Erreurs       []LotErreur `json:"erreurs" doc:"At most 100 of them"`
	Rubriques     []Rubrique  `json:"rubriques" doc:"Totals by rubrique"`
}

// Blocage is a chunk of a lot that was refused as a whole.
type Blocage struct {
	De    string `json:"de" doc:"Number of its first contract"`
	A     string `json:"a" doc:"Number of its last contract"`
	Motif string `json:"motif"`
}

// ControlerLot approves a lot CALCULE: whoever does has read its report. It
// is refused to the person who prepared the lot, unless the entity works
// alone.
type ControlerLot struct {
	LotID string `json:"lot_id" validate:"required,uuid"`
}

func (ControlerLot) Type() string   { return "fr.aquaerp.facture.controler-lot.v1" }
func (ControlerLot) Reply() (r Lot) { return }

// EmettreLot issues the bills of a lot CONTROLE: their numbers are reserved
// at once, and given in chunks that travel as events.
type EmettreLot struct {
	LotID string `json:"lot_id" validate:"required,uuid"`
}

func (EmettreLot) Type() string   { return "fr.aquaerp.facture.emettre-lot.v1" }
func (EmettreLot) Reply() (r Lot) { return }

// RejeterLot drops a lot that was not asked to be issued, also one that is
// still computed; its bills are deleted, no number was used.
type RejeterLot struct {
	LotID string `json:"lot_id" validate:"required,uuid"`
	Motif string `json:"motif" validate:"required,max=400" maxLength:"400"`
}

func (RejeterLot) Type() string   { return "fr.aquaerp.facture.rejeter-lot.v1" }
func (RejeterLot) Reply() (r Lot) { return }

// RelancerLot asks again for the chunks of a lot that are missing, because
// their events were lost or refused. What is done is not done again.
type RelancerLot struct {
	LotID string `json:"lot_id" validate:"required,uuid"`
}

func (RelancerLot) Type() string   { return "fr.aquaerp.facture.relancer-lot.v1" }
func (RelancerLot) Reply() (r Lot) { return }

// TrancheACalculer asks facture itself to price a chunk of a lot: the
// contracts whose numbers lie from de to a.
type TrancheACalculer struct {
	LotID   string `json:"lot_id"`
	Tranche int    `json:"tranche"`
	De      string `json:"de"`
	A       string `json:"a"`
}

func (TrancheACalculer) Type() string { return "fr.aquaerp.facture.tranche-a-calculer.v1" }

// TrancheAEmettre asks facture itself to issue a chunk of a lot, whose
// numbers are reserved.
type TrancheAEmettre struct {
	LotID   string `json:"lot_id"`
	Tranche int    `json:"tranche"`
}

func (TrancheAEmettre) Type() string { return "fr.aquaerp.facture.tranche-a-emettre.v1" }

// SerieASceller asks facture itself to seal the bills of a series that were
// issued since its last seal.
type SerieASceller struct {
	Serie string `json:"serie"`
}

func (SerieASceller) Type() string { return "fr.aquaerp.facture.serie-a-sceller.v1" }

// VerifierFactures holds every issued bill against its seal in the hash
// chain, the numbers against their series, and the journal against zero.
type VerifierFactures struct{}

func (VerifierFactures) Type() string            { return "fr.aquaerp.facture.verifier-factures.v1" }
func (VerifierFactures) Reply() (r Verification) { return }

// Verification is what was found.
type Verification struct {
	Valide           bool            `json:"valide"`
	Series           []SerieVerifiee `json:"series"`
	JournalCentimes  int64           `json:"journal_centimes" doc:"Debits less credits of the whole journal: 0"`
	EcrituresFausses int64           `json:"ecritures_fausses" doc:"Entries that do not balance: 0"`
	SansEcriture     int64           `json:"sans_ecriture" doc:"Issued bills without an entry: 0"`
}

// SerieVerifiee is a series of numbers.
type SerieVerifiee struct {
	Serie      string  `json:"serie"`
	Scellees   int64   `json:"scellees" doc:"Bills sealed"`
	ASceller   int64   `json:"a_sceller" doc:"Bills issued since the last seal"`
	Manquantes int64   `json:"manquantes" doc:"Numbers taken by no bill: 0"`
	Reservees  int64   `json:"reservees" doc:"Numbers of a lot that is being issued"`
	Tete       string  `json:"tete" doc:"Last seal: noted elsewhere, it proves all bills up to there"`
	Defaut     *Defaut `json:"defaut,omitempty" doc:"The first bill that differs"`
}

// Defaut is a bill that is not what was issued.
type Defaut struct {
	Numero string `json:"numero,omitempty"`
	Rang   int64  `json:"rang"`
	Raison string `json:"raison" enum:"FACTURE_ABSENTE,CHAINE_ROMPUE,FACTURE_MODIFIEE"`
}

// RapportLot reads what a second person looks at before a lot is approved.
type RapportLot struct {
	LotID string `json:"lot_id" validate:"required,uuid"`
}

func (RapportLot) Type() string            { return "fr.aquaerp.facture.rapport-lot.v1" }
func (RapportLot) Reply() (r RapportDeLot) { return }

// RapportDeLot is the control report of a lot.
type RapportDeLot struct {
	TVA            []TVAFacture   `json:"tva" doc:"By rate"`
	Actuel         SommesDeLot    `json:"actuel"`
	Precedent      *LotPrecedent  `json:"precedent,omitempty" doc:"The lot of the same extent issued before"`
	Erreurs        []CauseErreur  `json:"erreurs" doc:"Contracts not billed, by cause"`
	DejaFacturees  int            `json:"deja_facturees" doc:"Contracts of the extent that another bill of the period covers"`
	Disparus       int            `json:"disparus" doc:"Contracts that the previous lot billed and this one does not"`
	FortesCentimes int64          `json:"fortes_centimes" doc:"A bill is huge from this TTC on"`
	FortsLitres    int64          `json:"forts_litres" doc:"or from this volume on"`
	Source         string         `json:"source" doc:"Who set these thresholds"`
	Signes         []SigneFacture `json:"signes" doc:"Bills to look at, by sign"`
}

// SommesDeLot are the sums of a lot.
type SommesDeLot struct {
	Factures     int64      `json:"factures"`
	VolumeLitres int64      `json:"volume_litres"`
	HTCentimes   int64      `json:"ht_centimes"`
	TVACentimes  int64      `json:"tva_centimes"`
	TTCCentimes  int64      `json:"ttc_centimes"`
	EnErreur     int64      `json:"en_erreur"`
	Estimees     int64      `json:"estimees"`
	Rubriques    []Rubrique `json:"rubriques"`
}

// LotPrecedent is the lot that another is compared with.
type LotPrecedent struct {
	ID      string `json:"id" format:"uuid"`
	Libelle string `json:"libelle"`
	Du      Date   `json:"du" format:"date" validate:"required"`
	Au      Date   `json:"au" format:"date" validate:"required"`
	SommesDeLot
}

// CauseErreur counts contracts that could not be billed.
type CauseErreur struct {
	Code     string `json:"code"`
	Detail   string `json:"detail"`
	DetailEN string `json:"detail_en"`
	Contrats int    `json:"contrats"`
}

// SigneFacture are bills with something to look at.
type SigneFacture struct {
	Signe    string            `json:"signe" enum:"NULLE,NEGATIVE,FORTE,ANORMALE,ESTIMEE"`
	Nombre   int               `json:"nombre"`
	Factures []FactureSignalee `json:"factures" doc:"The largest, at most 20"`
}

// FactureSignalee is one of them.
type FactureSignalee struct {
	ID           string `json:"id" format:"uuid"`
	Contrat      string `json:"contrat"`
	Nom          string `json:"nom"`
	VolumeLitres int64  `json:"volume_litres"`
	TTCCentimes  int64  `json:"ttc_centimes"`
}

// ReglerControle sets what an entity asks of its lots before they are issued.
type ReglerControle struct {
	Entite         string `json:"entite" validate:"required,max=40" maxLength:"40"`
	DeuxPersonnes  bool   `json:"deux_personnes" doc:"false where one clerk is all there is: who prepares may approve"`
	FortesCentimes int64  `json:"fortes_centimes" validate:"min=1" minimum:"1"`
	FortsLitres    int64  `json:"forts_litres" validate:"min=1" minimum:"1"`
	Source         string `json:"source" validate:"required,max=200" maxLength:"200" doc:"Who decided it"`
}

func (ReglerControle) Type() string              { return "fr.aquaerp.facture.regler-controle.v1" }
func (ReglerControle) Reply() (r ReglerControle) { return }

// DefinirProgramme has lots prepared by the calendar: one when each period is
// over.
type DefinirProgramme struct {
	ID            string `json:"id,omitempty" validate:"omitempty,uuid" doc:"Of the programme to change; absent for a new one"`
	Libelle       string `json:"libelle" validate:"required,max=60" maxLength:"60" doc:"Its lots add the period"`
	Mois          int    `json:"mois" validate:"oneof=1 2 3 4 6 12" enum:"1,2,3,4,6,12" doc:"Months of a period: 1 monthly, 2 bimonthly..."`
	ProchainDu    Date   `json:"prochain_du" format:"date" validate:"required" doc:"First day of the next period to bill, the 1st of a month"`
	DelaiJours    int    `json:"delai_jours" validate:"min=0,max=90" minimum:"0" maximum:"90" doc:"Days from the end of the period to the lot, for readings to arrive"`
	EcheanceJours int    `json:"echeance_jours" validate:"min=14,max=120" minimum:"14" maximum:"120" doc:"Days from the date of billing to the due date"`
	Actif         bool   `json:"actif"`
	Etendue
}

func (DefinirProgramme) Type() string         { return "fr.aquaerp.facture.definir-programme.v1" }
func (DefinirProgramme) Reply() (r Programme) { return }

// Programme is a calendar of lots.
type Programme struct {
	DefinirProgramme
	ProchainLot   Date       `json:"prochain_lot" format:"date" validate:"required" doc:"Day on which the next lot is prepared"`
	VuA           *time.Time `json:"vu_a,omitempty" doc:"When it was last its turn"`
	Empechement   string     `json:"empechement,omitempty" doc:"Why nothing was prepared then"`
	EmpechementEN string     `json:"empechement_en,omitempty"`
}

// Programmes lists them.
type Programmes struct{}

func (Programmes) Type() string               { return "fr.aquaerp.facture.programmes.v1" }
func (Programmes) Reply() (r ListeProgrammes) { return }

// ListeProgrammes are all programmes, by label.
type ListeProgrammes struct {
	Items []Programme `json:"items"`
}
