package message

// ExpliquerFacture asks how each centime of a bill came about.
type ExpliquerFacture struct {
	FactureID string `json:"facture_id" validate:"required,uuid"`
}

func (ExpliquerFacture) Type() string                  { return "fr.aquaerp.facture.explication.v1" }
func (ExpliquerFacture) Reply() (r ExplicationFacture) { return }

// ExplicationFacture is a bill explained from what is stored with it, never
// from tariffs or readings as they are today.
type ExplicationFacture struct {
	FactureID string `json:"facture_id"`
	Numero    string `json:"numero,omitempty"`
	Nature    string `json:"nature" enum:"FACTURE,SOLDE,MANUELLE,AVOIR"`
	Conforme  bool   `json:"conforme" doc:"Pricing what is stored again gives this bill to the byte; false: only its lines are told"`
	Explication
}

// Phrase is a text for a person, in both languages.
type Phrase struct {
	FR string `json:"fr"`
	EN string `json:"en"`
}

// Explication is a priced bill with the way to each of its amounts. Rules are
// numbered 1 to 12, as in package tarif.
type Explication struct {
	Resume      []Phrase          `json:"resume" doc:"The whole bill in a few sentences"`
	Troncons    []TronconExplique `json:"troncons" doc:"What flowed between two readings (rules 1 and 2)"`
	Volumes     []VolumeExplique  `json:"volumes" doc:"What each tariff bills (rules 3, 4 and 8)"`
	Fuite       *FuiteExpliquee   `json:"fuite,omitempty" doc:"When the usual volume is known (rule 8)"`
	Lignes      []LigneExpliquee  `json:"lignes" doc:"The lines of the bill, in order"`
	Rubriques   []Rubrique        `json:"rubriques" doc:"Their sums, in the order of the bill"`
	TVA         []TVAExpliquee    `json:"tva" doc:"VAT by rate (rule 11)"`
	HTCentimes  int64             `json:"ht_centimes"`
	TVACentimes int64             `json:"tva_centimes"`
	TTCCentimes int64             `json:"ttc_centimes"`
	Total       Phrase            `json:"total" doc:"The sum (rule 12)"`
}

// TronconExplique is what one meter counted between two readings.
type TronconExplique struct {
	Compteur    string   `json:"compteur" doc:"Serial number"`
	Du          Date     `json:"du" format:"date" validate:"required"`
	Au          Date     `json:"au" format:"date" validate:"required"`
	IndexDebut  int64    `json:"index_debut"`
	IndexFin    int64    `json:"index_fin"`
	SourceDebut string   `json:"source_debut" enum:"AGENT,ABONNE,TELERELEVE,ESTIMATION,POSE,DEPOSE,RELEVE" doc:"RELEVE: read, nobody told by whom"`
	SourceFin   string   `json:"source_fin" enum:"AGENT,ABONNE,TELERELEVE,ESTIMATION,POSE,DEPOSE,RELEVE"`
	ReleveDebut string   `json:"releve_debut,omitempty" doc:"Id of the reading; absent when the index was noted as the meter came or went"`
	ReleveFin   string   `json:"releve_fin,omitempty"`
	Litres      int64    `json:"litres"`
	Texte       Phrase   `json:"texte"`
	Partages    []Phrase `json:"partages" doc:"How a change of tariff shares it by days (rule 3), one for each service that changed"`
}

// VolumeExplique is what one tariff of a service bills.
type VolumeExplique struct {
	Service       string `json:"service" enum:"eau,assainissement"`
	Grille        string `json:"grille" doc:"Code of the tariff"`
	GrilleID      string `json:"grille_id,omitempty"`
	Deliberation  string `json:"deliberation,omitempty"`
	Du            Date   `json:"du" format:"date" validate:"required" doc:"First day of the bill inside it"`
	Au            Date   `json:"au" format:"date" validate:"required"`
	Jours         int    `json:"jours"`
	MesureLitres  int64  `json:"mesure_litres"`
	FactureLitres int64  `json:"facture_litres" doc:"Less than measured when a leak caps it"`
}

// FuiteExpliquee is the volume held against the usual one (CGCT L2224-12-4 III bis).
type FuiteExpliquee struct {
	MesureLitres int64     `json:"mesure_litres"`
	MoyenLitres  int64     `json:"moyen_litres" doc:"Mean of the equivalent periods of the three previous years"`
	Anormale     bool      `json:"anormale" doc:"More than twice the mean"`
	Plafonnee    bool      `json:"plafonnee"`
	Annees       []Volumes `json:"annees" doc:"What the mean is of"`
	Texte        Phrase    `json:"texte"`
}

// Volumes is what flowed over some days.
type Volumes struct {
	Du     Date  `json:"du" format:"date" validate:"required"`
	Au     Date  `json:"au" format:"date" validate:"required"`
	Litres int64 `json:"litres"`
}

// LigneExpliquee is a line with where it comes from.
type LigneExpliquee struct {
	LigneFacture
	Du       Date   `json:"du,omitzero" format:"date" doc:"Days of consumption that it covers; absent on a redevance or an acompte"`
	Au       Date   `json:"au,omitzero" format:"date"`
	DeLitres int64  `json:"de_litres,omitempty" doc:"Of a slab: what lies below it"`
	ALitres  *int64 `json:"a_litres,omitempty" doc:"Of a slab: its bound for these days and dwellings; absent on the last"`
	Origine  string `json:"origine,omitempty" doc:"Deliberation, source of the rate, or number of the bill taken back"`
	Texte    Phrase `json:"texte" doc:"What it is"`
	Calcul   Phrase `json:"calcul" doc:"How its amount is computed"`
}

// TVAExpliquee is the VAT of one rate.
type TVAExpliquee struct {
	TVAFacture
	Exact  string `json:"exact,omitempty" doc:"Amount in centimes before rounding, as numerator/denominator"`
	Calcul Phrase `json:"calcul"`
}

// SimulerFacture prices a bill that does not exist and stores nothing: for a
// contract, or for a place that is described. Tariffs of coming days must be
// known.
type SimulerFacture struct {
	ContratID      string `json:"contrat_id,omitempty" validate:"omitempty,uuid" doc:"Takes the commune, the profile and the PDL from a contract"`
	CodeINSEE      string `json:"code_insee,omitempty" validate:"omitempty,len=5" doc:"Without a contract: the commune, if its tariffs are its own"`
	Profil         string `json:"profil,omitempty" validate:"max=40" maxLength:"40" doc:"Without a contract: its nature, INDIVIDUEL..."`
	Assainissement bool   `json:"assainissement,omitempty" doc:"Without a contract: connected to the sewer"`
	Logements      int    `json:"logements,omitempty" validate:"min=0,max=100000" minimum:"0" maximum:"100000" doc:"Dwellings; those of the contract when absent, else 1"`
	VolumeLitres   int64  `json:"volume_litres" validate:"min=0,max=999999999" minimum:"0" maximum:"999999999"`
	Du             Date   `json:"du" format:"date" validate:"required" doc:"First day of consumption"`
	Au             Date   `json:"au" format:"date" validate:"required" doc:"Day after the last"`
	Facturation    Date   `json:"date_facturation,omitzero" format:"date" doc:"Picks the redevances; today when absent"`
}

func (SimulerFacture) Type() string                 { return "fr.aquaerp.facture.simuler.v1" }
func (SimulerFacture) Reply() (r SimulationFacture) { return }

// SimulationFacture is a bill that nobody has to pay, explained.
type SimulationFacture struct {
	Logements       int   `json:"logements"`
	Jours           int   `json:"jours"`
	VolumeLitres    int64 `json:"volume_litres"`
	DateFacturation Date  `json:"date_facturation" format:"date" validate:"required"`
	MensuelCentimes int64 `json:"mensuel_centimes" doc:"TTC of a mean month: a twelfth of a year of 365 days"`
	M3Centimes      int64 `json:"m3_centimes" doc:"TTC of one m3, subscription included; 0 without a volume"`
	Reference       int64 `json:"reference_120_centimes" doc:"TTC of 120 m3 in 365 days for one dwelling, by the tariffs of the first day"`
	ReferenceM3     int64 `json:"reference_m3_centimes" doc:"The same for one m3"`
	Explication
}
