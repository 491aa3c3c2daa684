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
