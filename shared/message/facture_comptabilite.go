package message

import "time"

// Days of accounting are included at both ends: a month is its first to its
// last day.

// GrandLivre lists the movements of an account, the oldest first, with the
// running balance; of account 411 those of one abonne when named.
type GrandLivre struct {
	Compte   string `json:"compte" validate:"required,max=20"`
	AbonneID string `json:"abonne_id,omitempty" validate:"omitempty,uuid"`
	Entite   string `json:"entite,omitempty" validate:"max=40"`
	Du       Date   `json:"du,omitzero" format:"date" doc:"From the first entry when absent"`
	Au       Date   `json:"au,omitzero" format:"date" doc:"To the last entry when absent"`
	Page
}

func (GrandLivre) Type() string              { return "fr.aquaerp.facture.grand-livre.v1" }
func (GrandLivre) Reply() (r PageGrandLivre) { return }

// PageGrandLivre is one page of an account.
type PageGrandLivre struct {
	Compte            string            `json:"compte"`
	Libelle           string            `json:"libelle"`
	OuvertureCentimes int64             `json:"ouverture_centimes" doc:"Balance before the first line of the page: above zero on the side of debit"`
	Items             []LigneGrandLivre `json:"items"`
	Suivant           string            `json:"suivant,omitempty" doc:"Cursor of the next page"`
}

// LigneGrandLivre is a movement of the account.
type LigneGrandLivre struct {
	EcritureID     string `json:"ecriture_id"`
	Date           Date   `json:"date" format:"date" validate:"required"`
	Journal        string `json:"journal" enum:"VT,BQ,CA,OD"`
	Numero         int64  `json:"numero,omitempty" doc:"Definitive number within the year, once the month is closed"`
	Piece          string `json:"piece"`
	Libelle        string `json:"libelle"`
	AbonneID       string `json:"abonne_id,omitempty"`
	DebitCentimes  int64  `json:"debit_centimes"`
	CreditCentimes int64  `json:"credit_centimes"`
	SoldeCentimes  int64  `json:"solde_centimes" doc:"Of the account after it"`
}

// Journal lists entries with their movements, the oldest first.
type Journal struct {
	Journal  string `json:"journal,omitempty" validate:"omitempty,oneof=VT BQ CA OD" doc:"VT sales, BQ bank, CA cash, OD sundry; all of them when absent"`
	AbonneID string `json:"abonne_id,omitempty" validate:"omitempty,uuid"`
	Entite   string `json:"entite,omitempty" validate:"max=40"`
	Du       Date   `json:"du,omitzero" format:"date"`
	Au       Date   `json:"au,omitzero" format:"date"`
	Page
}

func (Journal) Type() string             { return "fr.aquaerp.facture.journal.v1" }
func (Journal) Reply() (r PageEcritures) { return }

// PageEcritures is one page of entries.
type PageEcritures struct {
	Items   []Ecriture `json:"items"`
	Suivant string     `json:"suivant,omitempty" doc:"Cursor of the next page"`
}

// Ecriture is an entry of the journal: its movements sum to zero.
type Ecriture struct {
	ID         string      `json:"id"`
	Journal    string      `json:"journal" enum:"VT,BQ,CA,OD"`
	Numero     int64       `json:"numero,omitempty" doc:"Definitive number within the year, once the month is closed"`
	Date       Date        `json:"date" format:"date" validate:"required"`
	Piece      string      `json:"piece"`
	Libelle    string      `json:"libelle"`
	AbonneID   string      `json:"abonne_id,omitempty"`
	Mouvements []Mouvement `json:"mouvements"`
}

// Mouvement is a line of an entry.
type Mouvement struct {
	Compte         string `json:"compte"`
	Libelle        string `json:"libelle" doc:"Of the account"`
	DebitCentimes  int64  `json:"debit_centimes"`
	CreditCentimes int64  `json:"credit_centimes"`
}

// BalanceAgee lists what abonnes owe by age, the largest debt first. It is
// the account 411 of today: what is owed less what was paid in advance.
type BalanceAgee struct {
	Entite  string `json:"entite,omitempty" validate:"max=40"`
	Tranche string `json:"tranche,omitempty" validate:"omitempty,oneof=NON_ECHU J0_30 J31_60 J61_90 J90_PLUS AVANCE" doc:"Only abonnes that owe something of this age"`
	Page
}

func (BalanceAgee) Type() string               { return "fr.aquaerp.facture.balance-agee.v1" }
func (BalanceAgee) Reply() (r PageBalanceAgee) { return }

// PageBalanceAgee is one page of the aged balance; Total is of all abonnes.
type PageBalanceAgee struct {
	Items   []CompteAge `json:"items"`
	Total   CompteAge   `json:"total"`
	Nombre  int         `json:"nombre" doc:"Abonnes in the list"`
	Suivant string      `json:"suivant,omitempty" doc:"Cursor of the next page"`
}

// CompteAge is what an abonne owes, by days past the due date.
type CompteAge struct {
	AbonneID        string `json:"abonne_id,omitempty"`
	Nom             string `json:"nom,omitempty"`
	NonEchuCentimes int64  `json:"non_echu_centimes" doc:"Not due yet"`
	J30Centimes     int64  `json:"j0_30_centimes" doc:"1 to 30 days late"`
	J60Centimes     int64  `json:"j31_60_centimes"`
	J90Centimes     int64  `json:"j61_90_centimes"`
	PlusCentimes    int64  `json:"j90_plus_centimes"`
	AvanceCentimes  int64  `json:"avance_centimes" doc:"Received and not matched with a bill: at most zero"`
	SoldeCentimes   int64  `json:"solde_centimes" doc:"Balance of the abonne's account 411"`
}

// DeclarationTVA reports VAT by month and rate, as the entity owes it: each
// bill on its date (DEBITS) or as it is paid (ENCAISSEMENTS), by the rule of
// its date.
type DeclarationTVA struct {
	Entite string `json:"entite,omitempty" validate:"max=40" doc:"The main one when absent"`
	Du     Date   `json:"du" format:"date" validate:"required"`
	Au     Date   `json:"au" format:"date" validate:"required"`
}

func (DeclarationTVA) Type() string       { return "fr.aquaerp.facture.tva.v1" }
func (DeclarationTVA) Reply() (r EtatTVA) { return }

// EtatTVA is a report of VAT.
type EtatTVA struct {
	Exigibilite     string     `json:"exigibilite" enum:"DEBITS,ENCAISSEMENTS" doc:"The rule of today; bills keep that of their date"`
	Lignes          []LigneTVA `json:"lignes"`
	BaseCentimes    int64      `json:"base_centimes"`
	TVACentimes     int64      `json:"tva_centimes"`
	JournalCentimes int64      `json:"journal_centimes" doc:"Credit less debit of account 44571 over the same days: the same sum"`
}

// LigneTVA is the VAT of a rate in a month.
type LigneTVA struct {
	Mois         Date  `json:"mois" format:"date" validate:"required" doc:"Its first day"`
	TauxPM       int64 `json:"taux_pm"`
	BaseCentimes int64 `json:"base_centimes" doc:"HT"`
	TVACentimes  int64 `json:"tva_centimes"`
}

// EntitesComptables lists the entities that keep books.
type EntitesComptables struct{}

func (EntitesComptables) Type() string               { return "fr.aquaerp.facture.entites-comptables.v1" }
func (EntitesComptables) Reply() (r ListeComptables) { return }

// ListeComptables are the entities.
type ListeComptables struct {
	Items []EntiteComptable `json:"items"`
}

// EntiteComptable is how an entity keeps its books.
type EntiteComptable struct {
	Entite         string `json:"entite"`
	Nom            string `json:"nom,omitempty" doc:"Absent: as configured for the service"`
	SIREN          string `json:"siren,omitempty"`
	Regime         string `json:"regime" enum:"REGIE,PRIVE"`
	TVAExigibilite string `json:"tva_exigibilite" enum:"DEBITS,ENCAISSEMENTS" doc:"Of bills dated today"`
	TVADepuis      Date   `json:"tva_depuis,omitzero" format:"date" doc:"First day of this rule"`
	TVASource      string `json:"tva_source,omitempty" doc:"Where the rule comes from"`
	CloseJusqua    Date   `json:"close_jusqua,omitzero" format:"date" doc:"Last day that is closed; absent when none is"`
}

// ReglerComptabilite sets how an entity keeps its books.
type ReglerComptabilite struct {
	Entite         string `json:"entite" validate:"required,max=40"`
	SIREN          string `json:"siren,omitempty" validate:"omitempty,len=9,numeric" doc:"Names the FEC"`
	Regime         string `json:"regime" validate:"required,oneof=REGIE PRIVE" enum:"REGIE,PRIVE" doc:"REGIE: collected by the comptable public; PRIVE: a ledger of its own and a FEC"`
	TVAExigibilite string `json:"tva_exigibilite" validate:"required,oneof=DEBITS ENCAISSEMENTS" enum:"DEBITS,ENCAISSEMENTS" doc:"VAT is due on the bill, or as it is paid"`
	TVADepuis      Date   `json:"tva_depuis,omitzero" format:"date" doc:"First day of bills that follow the rule; today when absent"`
	TVASource      string `json:"tva_source,omitempty" validate:"max=200" doc:"Where the rule comes from: the letter of the option, the article"`
}

func (ReglerComptabilite) Type() string               { return "fr.aquaerp.facture.regler-comptabilite.v1" }
func (ReglerComptabilite) Reply() (r EntiteComptable) { return }

// ApercuCloture tells what closing would do, without doing it.
type ApercuCloture struct {
	Entite string `json:"entite,omitempty" validate:"max=40" doc:"The main one when absent"`
	Jusqua Date   `json:"jusqua" format:"date" validate:"required" doc:"Last day of a month that is over"`
}

func (ApercuCloture) Type() string       { return "fr.aquaerp.facture.apercu-cloture.v1" }
func (ApercuCloture) Reply() (r Cloture) { return }

// Cloturer closes the months up to a day for good: their entries take their
// definitive numbers, and nothing can be dated in them any more.
type Cloturer struct {
	Entite string `json:"entite,omitempty" validate:"max=40"`
	Jusqua Date   `json:"jusqua" format:"date" validate:"required"`
}

func (Cloturer) Type() string       { return "fr.aquaerp.facture.cloturer.v1" }
func (Cloturer) Reply() (r Cloture) { return }

// Clotures lists what was closed, the newest first.
type Clotures struct {
	Entite string `json:"entite,omitempty" validate:"max=40"`
}

func (Clotures) Type() string             { return "fr.aquaerp.facture.clotures.v1" }
func (Clotures) Reply() (r ListeClotures) { return }

// ListeClotures are closings.
type ListeClotures struct {
	Items []Cloture `json:"items"`
}

// Cloture is a closing, done or foreseen.
type Cloture struct {
	Entite        string     `json:"entite"`
	Depuis        Date       `json:"depuis,omitzero" format:"date" doc:"First day that it closes; absent: from the first entry"`
	Jusqua        Date       `json:"jusqua" format:"date" validate:"required"`
	Ecritures     int64      `json:"ecritures" doc:"Entries that take a number"`
	PremierNumero int64      `json:"premier_numero,omitempty" doc:"Within the year of Jusqua"`
	DernierNumero int64      `json:"dernier_numero,omitempty"`
	DebitCentimes int64      `json:"debit_centimes" doc:"Total of their debits, and of their credits"`
	LotsOuverts   int        `json:"lots_ouverts,omitempty" doc:"Billing runs dated in it that are not issued: they will need a later date"`
	ClotureeA     *time.Time `json:"cloturee_a,omitempty"`
	Par           string     `json:"par,omitempty" doc:"Id of the user"`
}

// ExporterFEC reads the FEC of a year, up to its last closed month (arrete of
// 29 July 2013, LPF A47 A-1), a part at a time: the parts one after another
// are the file.
type ExporterFEC struct {
	Entite   string `json:"entite,omitempty" validate:"max=40" doc:"The main one when absent"`
	Exercice int    `json:"exercice" validate:"required,min=2000,max=2199" doc:"Year"`
	Suite
}

func (ExporterFEC) Type() string           { return "fr.aquaerp.facture.exporter-fec.v1" }
func (ExporterFEC) Reply() (r PartFichier) { return }

// ExporterComptabilite makes a file of the books; a FEC of many entries is
// read in parts, by ExporterFEC.
type ExporterComptabilite struct {
	Quoi     string `json:"quoi" validate:"required,oneof=FEC JOURNAL BALANCE BALANCE_AGEE GRAND_LIVRE TVA ROLE" enum:"FEC,JOURNAL,BALANCE,BALANCE_AGEE,GRAND_LIVRE,TVA,ROLE" doc:"ROLE: the bills of the days as titles, for a comptable public"`
	Format   string `json:"format,omitempty" validate:"omitempty,oneof=CSV XLSX" enum:"CSV,XLSX" doc:"CSV when absent; a FEC has its own"`
	Entite   string `json:"entite,omitempty" validate:"max=40"`
	Exercice int    `json:"exercice,omitempty" validate:"required_if=Quoi FEC,omitempty,min=2000,max=2199" doc:"Year of a FEC"`
	Du       Date   `json:"du,omitzero" format:"date"`
	Au       Date   `json:"au,omitzero" format:"date"`
	Compte   string `json:"compte,omitempty" validate:"required_if=Quoi GRAND_LIVRE,max=20"`
	AbonneID string `json:"abonne_id,omitempty" validate:"omitempty,uuid"`
	Journal  string `json:"journal,omitempty" validate:"omitempty,oneof=VT BQ CA OD"`
}

func (ExporterComptabilite) Type() string        { return "fr.aquaerp.facture.exporter-comptabilite.v1" }
func (ExporterComptabilite) Reply() (r Document) { return }

// ControlerComptes holds the books against what they are made of.
type ControlerComptes struct{}

func (ControlerComptes) Type() string               { return "fr.aquaerp.facture.controler-comptes.v1" }
func (ControlerComptes) Reply() (r ControleComptes) { return }

// ControleComptes are the checks; each counts what breaks it.
type ControleComptes struct {
	Controles []Controle `json:"controles"`
}

// Controle is an invariant of the books.
type Controle struct {
	Code          string `json:"code"`
	Libelle       string `json:"libelle"`
	LibelleEN     string `json:"libelle_en"`
	Anomalies     int64  `json:"anomalies" doc:"Rows that break it; 0 is right"`
	EcartCentimes int64  `json:"ecart_centimes" doc:"Sum that is off"`
}
