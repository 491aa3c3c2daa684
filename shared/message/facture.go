package message

// DefinirGrille adds a version of a tariff: of a service over [du, au), for a
// commune and a profile or, where these are empty, for all; the one that says
// more wins. It is refused when it overlaps a version of the same chain or
// leaves days without one, when its slabs are out of order, when its fixed
// part breaks the cap (arrete of 6 August 2007), or its VAT is not a rate of
// the service.
type DefinirGrille struct {
	Code         string    `json:"code" validate:"required,max=60" maxLength:"60"`
	Service      string    `json:"service" validate:"required,oneof=eau assainissement" enum:"eau,assainissement"`
	Du           Date      `json:"du" format:"date" validate:"required"`
	Au           Date      `json:"au" format:"date" validate:"required"`
	PartFixeAnUE int64     `json:"part_fixe_an_ue" validate:"min=0" minimum:"0" doc:"Fixed part per dwelling and year, micro-euros"`
	Tranches     []Tranche `json:"tranches" validate:"required,min=1,max=20,dive"`
	TVAPM        int64     `json:"tva_pm" validate:"min=0,max=1000" minimum:"0" maximum:"1000" doc:"VAT, per mille: 55 for 5.5 %"`
	Deliberation string    `json:"deliberation" validate:"required,max=200" maxLength:"200" doc:"Reference of the decision that set it"`
	Rurale       bool      `json:"rurale,omitempty" doc:"Rural commune: cap of 40 % instead of 30 %"`
	Touristique  bool      `json:"touristique,omitempty" doc:"Tourist commune: no cap"`
	Commune      string    `json:"commune,omitempty" validate:"omitempty,len=5" maxLength:"5" doc:"Code INSEE of a commune that is listed, which then says whether it is rural or tourist; absent: all"`
	Profil       string    `json:"profil,omitempty" validate:"omitempty,oneof=INDIVIDUEL COLLECTIF RESIDENTIEL AGRICOLE COMMERCIAL INDUSTRIEL SOCIAL" enum:"INDIVIDUEL,COLLECTIF,RESIDENTIEL,AGRICOLE,COMMERCIAL,INDUSTRIEL,SOCIAL" doc:"Nature of the contracts that it is for, or SOCIAL for those who were granted it; absent: all"`
	Degressivite string    `json:"degressivite,omitempty" validate:"max=400" maxLength:"400" doc:"How the service meets the condition of CGCT L2224-12-4 III; required when a slab is cheaper than the one before"`
}

func (DefinirGrille) Type() string      { return "fr.aquaerp.facture.definir-grille.v1" }
func (DefinirGrille) Reply() (r Grille) { return }

// Tranche is a slab of a tariff.
type Tranche struct {
	JusquaM3 *int64 `json:"jusqua_m3,omitempty" validate:"omitempty,min=1" minimum:"1" doc:"Upper bound in m3 a year and dwelling; absent on the last"`
	PrixM3UE int64  `json:"prix_m3_ue" validate:"min=0" minimum:"0" doc:"Micro-euros per m3"`
}

// Grille is a tariff in force over its dates.
type Grille struct {
	ID string `json:"id" format:"uuid"`
	DefinirGrille
	Facture120Centimes int64 `json:"facture_120_ht_centimes" doc:"HT of 120 m3 in a year for one dwelling"`
	FactureeJusquAu    Date  `json:"facturee_jusqu_au,omitzero" format:"date" doc:"Last day of consumption that a bill prices by it; it can change until there is one"`
}

// DefinirRedevance adds a rate of an agence de l'eau over [du, au), chosen by
// the date of billing.
type DefinirRedevance struct {
	Code          string `json:"code" validate:"required,max=60" maxLength:"60"`
	Libelle       string `json:"libelle" validate:"required,max=120" maxLength:"120"`
	Service       string `json:"service" validate:"required,oneof=eau assainissement" enum:"eau,assainissement"`
	Du            Date   `json:"du" format:"date" validate:"required"`
	Au            Date   `json:"au" format:"date" validate:"required"`
	TauxM3UE      int64  `json:"taux_m3_ue" validate:"min=0" minimum:"0" doc:"Micro-euros per m3"`
	CoefficientPM int64  `json:"coefficient_pm" validate:"min=0,max=1000" minimum:"0" maximum:"1000" doc:"Per mille"`
	TVAPM         int64  `json:"tva_pm" validate:"min=0,max=1000" minimum:"0" maximum:"1000"`
	Source        string `json:"source" validate:"required,max=200" maxLength:"200" doc:"Where the rate was read"`
	Bassin        string `json:"bassin,omitempty" validate:"max=60" maxLength:"60" doc:"Where it holds; absent: everywhere that its basin has no rate of its own"`
}

func (DefinirRedevance) Type() string         { return "fr.aquaerp.facture.definir-redevance.v1" }
func (DefinirRedevance) Reply() (r Redevance) { return }

// Redevance is a rate in force over its dates.
type Redevance struct {
	ID string `json:"id" format:"uuid"`
	DefinirRedevance
}

// Tarifs lists all tariffs and redevances, by service, commune, profile and date.
type Tarifs struct{}

func (Tarifs) Type() string               { return "fr.aquaerp.facture.tarifs.v1" }
func (Tarifs) Reply() (r TarifsEnVigueur) { return }

// TarifsEnVigueur are the tariffs and redevances.
type TarifsEnVigueur struct {
	Grilles    []Grille     `json:"grilles"`
	Redevances []Redevance  `json:"redevances"`
	Regles     []RegleTarif `json:"regles" doc:"What the law asks of them"`
}

// LotErreur is a contract that could not be billed.
type LotErreur struct {
	ContratID string `json:"contrat_id"`
	Numero    string `json:"numero" doc:"Number of the contract"`
	Code      string `json:"code" doc:"grille_manquante, releve_manquant..."`
	Detail    string `json:"detail"`
	DetailEN  string `json:"detail_en"`
}

// Rubrique is a part of a bill (arrete of 10 July 1996).
type Rubrique struct {
	Code       string `json:"code" enum:"distribution,eaux_usees,organismes_publics,prestations"`
	HTCentimes int64  `json:"ht_centimes"`
}

// LotParID reads one lot.
type LotParID struct {
	ID string `json:"id" validate:"required,uuid"`
}

func (LotParID) Type() string   { return "fr.aquaerp.facture.lot.v1" }
func (LotParID) Reply() (r Lot) { return }

// Lots lists lots, the newest first.
type Lots struct {
	Page
}

func (Lots) Type() string        { return "fr.aquaerp.facture.lots.v1" }
func (Lots) Reply() (r PageLots) { return }

// PageLots is one page of lots.
type PageLots struct {
	Items   []Lot  `json:"items"`
	Suivant string `json:"suivant,omitempty" doc:"Cursor of the next page"`
}

// Facture is a bill.
type Facture struct {
	ID              string         `json:"id" format:"uuid"`
	Numero          string         `json:"numero,omitempty" doc:"F<year>-<6 digits>, from emission on"`
	Etat            string         `json:"etat" enum:"CALCULEE,EMISE,PARTIELLE,PAYEE,ANNULEE_PAR_AVOIR,ADMISE_EN_NON_VALEUR"`
	LotID           string         `json:"lot_id" doc:"Empty for a document issued on its own"`
	ContratID       string         `json:"contrat_id"`
	Contrat         string         `json:"contrat" doc:"Number of the contract"`
	AbonneID        string         `json:"abonne_id"`
	Nom             string         `json:"nom" doc:"Name of the abonne"`
	PDL             string         `json:"pdl" doc:"Reference of the PDL"`
	Lieu            string         `json:"lieu" doc:"Address of the PDL"`
	Du              Date           `json:"du" format:"date" validate:"required"`
	Au              Date           `json:"au" format:"date" validate:"required"`
	DateFacturation Date           `json:"date_facturation" format:"date" validate:"required"`
	Echeance        Date           `json:"echeance" format:"date" validate:"required"`
	VolumeLitres    int64          `json:"volume_litres"`
	Estimee         bool           `json:"estimee" doc:"Rests on an estimated index"`
	HTCentimes      int64          `json:"ht_centimes"`
	TVACentimes     int64          `json:"tva_centimes"`
	TTCCentimes     int64          `json:"ttc_centimes"`
	ResteCentimes   int64          `json:"reste_centimes" doc:"Still to be paid"`
	Lignes          []LigneFacture `json:"lignes,omitempty" doc:"On a single bill only"`
	TVA             []TVAFacture   `json:"tva,omitempty" doc:"On a single bill only"`
	Nature          string         `json:"nature,omitempty" enum:"FACTURE,SOLDE,MANUELLE,AVOIR" doc:"SOLDE is the last bill of a contract; an AVOIR has negative amounts"`
	CorrigeID       string         `json:"corrige_id,omitempty" doc:"The bill that this one takes back or replaces"`
	CorrigeNumero   string         `json:"corrige_numero,omitempty"`
	Motif           string         `json:"motif,omitempty" doc:"Why it was issued, when not by a lot"`
	Corrections     []Correction   `json:"corrections,omitempty" doc:"What corrects this bill: avoirs, the bill that replaces it"`
}

// Correction is a document that corrects a bill.
type Correction struct {
	FactureID   string `json:"facture_id"`
	Numero      string `json:"numero"`
	Nature      string `json:"nature" enum:"FACTURE,SOLDE,MANUELLE,AVOIR"`
	TTCCentimes int64  `json:"ttc_centimes"`
	Motif       string `json:"motif,omitempty"`
}

// LigneFacture is a line of a bill.
type LigneFacture struct {
	Rubrique   string `json:"rubrique" enum:"distribution,eaux_usees,organismes_publics,prestations" doc:"prestations stands outside the three rubriques of a bill of water"`
	Code       string `json:"code" doc:"<grille>/fixe, <grille>/tranche-<k>, redevance/<code>, acompte/<code>, prestation/<code>, ligne/<n>, avoir/<rubrique>"`
	Libelle    string `json:"libelle" doc:"In French, as printed"`
	Litres     int64  `json:"litres"`
	Jours      int    `json:"jours"`
	PrixUE     int64  `json:"prix_ue" doc:"Unit price in micro-euros: per m3, or per dwelling and year for a fixed part"`
	HTCentimes int64  `json:"ht_centimes"`
	TVAPM      int64  `json:"tva_pm"`
	Quantite   int64  `json:"quantite,omitempty" doc:"Of a line written by a person; its unit price is of one"`
	Compte     string `json:"compte,omitempty" doc:"Account that a line written by a person is booked on; others follow their rubrique"`
	Regle      int    `json:"regle,omitempty" doc:"Rule that priced it: 5 fixed part, 6 slab, 7 redevance, 9 acompte; absent on a line that a person wrote"`
	Exact      string `json:"exact,omitempty" doc:"HT in centimes before rounding, as numerator/denominator"`
}

// TVAFacture is the VAT of one rate.
type TVAFacture struct {
	TauxPM          int64 `json:"taux_pm"`
	BaseCentimes    int64 `json:"base_centimes"`
	MontantCentimes int64 `json:"montant_centimes"`
}

// FactureParID reads one bill with its lines.
type FactureParID struct {
	ID string `json:"id" validate:"required,uuid"`
}

func (FactureParID) Type() string       { return "fr.aquaerp.facture.facture.v1" }
func (FactureParID) Reply() (r Facture) { return }

// Factures lists the bills of an abonne, a contract or a lot, the newest
// first; never all of them.
type Factures struct {
	AbonneID  string `json:"abonne_id,omitempty" validate:"required_without_all=ContratID LotID,omitempty,uuid"`
	ContratID string `json:"contrat_id,omitempty" validate:"omitempty,uuid"`
	LotID     string `json:"lot_id,omitempty" validate:"omitempty,uuid"`
	Etat      string `json:"etat,omitempty" validate:"omitempty,oneof=CALCULEE EMISE PARTIELLE PAYEE ANNULEE_PAR_AVOIR ADMISE_EN_NON_VALEUR"`
	Page
}

func (Factures) Type() string            { return "fr.aquaerp.facture.factures.v1" }
func (Factures) Reply() (r PageFactures) { return }

// PageFactures is one page of bills.
type PageFactures struct {
	Items   []Facture `json:"items"`
	Suivant string    `json:"suivant,omitempty" doc:"Cursor of the next page"`
}

// DocumentFacture asks for the PDF of an issued bill or avoir, which is also an
// electronic invoice (Factur-X, EN 16931).
type DocumentFacture struct {
	FactureID string `json:"facture_id" validate:"required,uuid"`
	Duplicata bool   `json:"duplicata,omitempty" doc:"Says that it is not the first copy"`
}

func (DocumentFacture) Type() string        { return "fr.aquaerp.facture.document.v1" }
func (DocumentFacture) Reply() (r Document) { return }

// Document is a file.
type Document struct {
	ID      string `json:"id" doc:"Of what it shows: the facture"`
	Nom     string `json:"nom" doc:"File name"`
	Mime    string `json:"mime"`
	Contenu []byte `json:"contenu" doc:"base64"`
}

// EnregistrerPaiement records money received. It is matched (lettrage) with
// the bill whose number is its reference, then with the oldest open bills of
// the abonne; what is left stays as an advance, for the next bill.
type EnregistrerPaiement struct {
	Mode            string `json:"mode" validate:"required,oneof=VIREMENT PRELEVEMENT CHEQUE ESPECES CARTE MOBILE TIP MANDAT_CASH" enum:"VIREMENT,PRELEVEMENT,CHEQUE,ESPECES,CARTE,MOBILE,TIP,MANDAT_CASH"`
	MontantCentimes int64  `json:"montant_centimes" validate:"min=1,max=100000000000" minimum:"1"`
	RecuLe          Date   `json:"recu_le" format:"date" validate:"required"`
	Reference       string `json:"reference,omitempty" validate:"required_without_all=AbonneID EcheancierID,max=80" maxLength:"80" doc:"Number of the bill, or of the contract"`
	AbonneID        string `json:"abonne_id,omitempty" validate:"omitempty,uuid" doc:"When there is no reference"`
	Piece           string `json:"piece,omitempty" validate:"max=80" maxLength:"80" doc:"What identifies the payment outside: number of the cheque, of the transfer; not twice for one abonne"`
	EcheancierID    string `json:"echeancier_id,omitempty" validate:"omitempty,uuid" doc:"Plan of payment that it is for; says whose it is when there is no reference"`
}

func (EnregistrerPaiement) Type() string        { return "fr.aquaerp.facture.enregistrer-paiement.v1" }
func (EnregistrerPaiement) Reply() (r Paiement) { return }

// Paiement is money received and what it paid.
type Paiement struct {
	ID              string     `json:"id" format:"uuid"`
	AbonneID        string     `json:"abonne_id"`
	Mode            string     `json:"mode"`
	MontantCentimes int64      `json:"montant_centimes"`
	RecuLe          Date       `json:"recu_le" format:"date" validate:"required"`
	Reference       string     `json:"reference,omitempty"`
	Lettrages       []Lettrage `json:"lettrages"`
	AvanceCentimes  int64      `json:"avance_centimes" doc:"Neither matched with a bill nor set aside for a refund"`
	Piece           string     `json:"piece,omitempty"`
	RejeteLe        Date       `json:"rejete_le,omitzero" format:"date" doc:"Day on which it was taken back: a returned debit, a cheque without funds"`
	RejetMotif      string     `json:"rejet_motif,omitempty"`

	RembourseCentimes int64 `json:"rembourse_centimes,omitempty" doc:"Set aside for a refund, or paid back"`
}

// Lettrage matches a part of a payment with a bill.
type Lettrage struct {
	FactureID       string `json:"facture_id"`
	Numero          string `json:"numero"`
	MontantCentimes int64  `json:"montant_centimes"`
	Etat            string `json:"etat" doc:"Of the bill after it" enum:"EMISE,PARTIELLE,PAYEE,ANNULEE_PAR_AVOIR,ADMISE_EN_NON_VALEUR"`
}

// Compte reads what an abonne owes: bills less payments.
type Compte struct {
	AbonneID string `json:"abonne_id" validate:"required,uuid"`
}

func (Compte) Type() string            { return "fr.aquaerp.facture.compte.v1" }
func (Compte) Reply() (r CompteAbonne) { return }

// CompteAbonne is the account of an abonne.
type CompteAbonne struct {
	AbonneID      string     `json:"abonne_id"`
	SoldeCentimes int64      `json:"solde_centimes" doc:"Above zero: owed by the abonne"`
	EchuCentimes  int64      `json:"echu_centimes" doc:"The part past its due date"`
	EnLigne       bool       `json:"en_ligne" doc:"Bills can be paid online"`
	Paiements     []Paiement `json:"paiements" doc:"The newest first, at most 50"`

	Mouvements []MouvementCompte `json:"mouvements" doc:"Line by line, the newest first, at most 100"`
}

// MouvementCompte is a line of the account of an abonne.
type MouvementCompte struct {
	Date            Date   `json:"date" format:"date" validate:"required"`
	Nature          string `json:"nature" enum:"FACTURE,SOLDE,MANUELLE,AVOIR,PAIEMENT,REJET,REMBOURSEMENT,NON_VALEUR"`
	ObjetID         string `json:"objet_id" doc:"Of the bill, payment or refund"`
	Piece           string `json:"piece,omitempty" doc:"Number or reference"`
	MontantCentimes int64  `json:"montant_centimes" doc:"Above zero: owed"`
	SoldeCentimes   int64  `json:"solde_centimes" doc:"Of the account after it"`
}

// Balance reads the sums of the journal by account over days, both included.
type Balance struct {
	Du     Date   `json:"du,omitzero" format:"date" doc:"From the first entry when absent"`
	Au     Date   `json:"au,omitzero" format:"date" doc:"To the last entry when absent"`
	Entite string `json:"entite,omitempty" validate:"max=40" doc:"All entities when absent"`
}

func (Balance) Type() string              { return "fr.aquaerp.facture.balance.v1" }
func (Balance) Reply() (r BalanceComptes) { return }

// BalanceComptes is a trial balance; the journal is double entry, so both
// totals are equal.
type BalanceComptes struct {
	Comptes        []SoldeCompte `json:"comptes"`
	DebitCentimes  int64         `json:"debit_centimes"`
	CreditCentimes int64         `json:"credit_centimes"`
}

// SoldeCompte are the sums of one account.
type SoldeCompte struct {
	Compte            string `json:"compte" doc:"Number of the chart of accounts"`
	Libelle           string `json:"libelle"`
	OuvertureCentimes int64  `json:"ouverture_centimes" doc:"Balance before the first day: above zero on the side of debit"`
	DebitCentimes     int64  `json:"debit_centimes"`
	CreditCentimes    int64  `json:"credit_centimes"`
	SoldeCentimes     int64  `json:"solde_centimes" doc:"Balance at the end of the last day"`
}

// TableauFactures counts bills for the dashboard.
type TableauFactures struct{}

func (TableauFactures) Type() string                  { return "fr.aquaerp.facture.tableau.v1" }
func (TableauFactures) Reply() (r FacturesEnChiffres) { return }

// FacturesEnChiffres are the figures of facture.
type FacturesEnChiffres struct {
	FactureCentimes  int64 `json:"facture_centimes" doc:"TTC issued"`
	EncaisseCentimes int64 `json:"encaisse_centimes" doc:"Money received"`
	ResteCentimes    int64 `json:"reste_centimes" doc:"Owed"`
	EchuCentimes     int64 `json:"echu_centimes" doc:"Owed and past due"`
	Factures         int   `json:"factures" doc:"Bills issued"`
	Impayees         int   `json:"impayees" doc:"Bills past due"`
	Lots             int   `json:"lots_a_approuver" doc:"Lots CALCULE"`
}

// FacturesEmises carries bills that were issued, at most 100 an event.
type FacturesEmises struct {
	LotID    string         `json:"lot_id" doc:"Empty for a bill issued on its own"`
	Factures []FactureEmise `json:"factures"`
}

func (FacturesEmises) Type() string { return "fr.aquaerp.facture.emises.v1" }

// FactureEmise is one of them.
type FactureEmise struct {
	FactureID   string `json:"facture_id"`
	Numero      string `json:"numero"`
	ContratID   string `json:"contrat_id"`
	AbonneID    string `json:"abonne_id"`
	Nom         string `json:"nom"`
	Email       string `json:"email,omitempty" doc:"Absent: the bill goes by post"`
	TTCCentimes int64  `json:"ttc_centimes"`
	Echeance    Date   `json:"echeance"`
}

// FacturePayee says that a bill is paid in full.
type FacturePayee struct {
	FactureID  string `json:"facture_id"`
	Numero     string `json:"numero"`
	AbonneID   string `json:"abonne_id"`
	PaiementID string `json:"paiement_id"`
}

func (FacturePayee) Type() string { return "fr.aquaerp.facture.payee.v1" }
