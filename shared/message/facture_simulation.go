package message

// PrixGrilles prices volumes by versions of a tariff, and by one that nobody
// has defined yet: one dwelling, a year of 365 days, no redevance.
type PrixGrilles struct {
	IDs    []string       `json:"ids,omitempty" validate:"max=6,dive,uuid" maxItems:"6"`
	Projet *DefinirGrille `json:"projet,omitempty" doc:"A version to come; it is refused when it breaks the law"`
}

func (PrixGrilles) Type() string           { return "fr.aquaerp.facture.prix-grilles.v1" }
func (PrixGrilles) Reply() (r CourbesPrix) { return }

// CourbesPrix are prices by volume, in the order of the question.
type CourbesPrix struct {
	Courbes []CourbePrix `json:"courbes"`
}

// CourbePrix is what a version asks for volumes from 0 to 300 m3 a year.
type CourbePrix struct {
	Grille Grille      `json:"grille"`
	Points []PointPrix `json:"points"`
}

// PointPrix is the price of a volume.
type PointPrix struct {
	M3          int   `json:"m3"`
	HTCentimes  int64 `json:"ht_centimes"`
	TTCCentimes int64 `json:"ttc_centimes"`
}

// FacturesTypes asks for the bill of 120 m3 of each commune, by the tariffs in force on a day.
type FacturesTypes struct {
	Date Date `json:"date" format:"date" validate:"required"`
}

func (FacturesTypes) Type() string                  { return "fr.aquaerp.facture.factures-types.v1" }
func (FacturesTypes) Reply() (r ListeFacturesTypes) { return }

// ListeFacturesTypes are the bills of 120 m3, by commune.
type ListeFacturesTypes struct {
	Date     Date          `json:"date" format:"date"`
	Factures []FactureType `json:"factures"`
}

// FactureType is the bill of a dwelling that takes 120 m3 in a year.
type FactureType struct {
	CodeINSEE                 string     `json:"code_insee" doc:"Empty: where no commune is named"`
	Nom                       string     `json:"nom"`
	Rubriques                 []Rubrique `json:"rubriques"`
	HTCentimes                int64      `json:"ht_centimes"`
	TVACentimes               int64      `json:"tva_centimes"`
	TTCCentimes               int64      `json:"ttc_centimes"`
	EauTTCCentimes            int64      `json:"eau_ttc_centimes" doc:"Of a dwelling without a sewer"`
	AssainissementTTCCentimes int64      `json:"assainissement_ttc_centimes" doc:"What the sewer adds; 0 when there is no tariff of it"`
	Manque                    string     `json:"manque,omitempty" doc:"Why there is no price: grille_manquante"`
}

// SimulerBase asks what versions to come would change for every contract: a
// year of its consumption is priced by the tariffs in force on a day, then
// with the drafts in place of those of their service, commune and profile.
type SimulerBase struct {
	Date    Date            `json:"date" format:"date" validate:"required" doc:"Whose tariffs and redevances are compared with the drafts"`
	Projets []DefinirGrille `json:"projets" validate:"required,min=1,max=20,dive" minItems:"1" maxItems:"20"`
}

func (SimulerBase) Type() string           { return "fr.aquaerp.facture.simuler-base.v1" }
func (SimulerBase) Reply() (r BaseSimulee) { return }

// BaseSimulee is what drafts would change.
type BaseSimulee struct {
	Contrats        int            `json:"contrats" doc:"Priced both ways"`
	SansHistorique  int            `json:"sans_historique" doc:"Left out: no consumption is known over a month or more of the last two years"`
	SansTarif       int            `json:"sans_tarif" doc:"Left out: a service of theirs has no tariff"`
	VolumeLitres    int64          `json:"volume_litres" doc:"Of a year"`
	Avant           Recettes       `json:"avant"`
	Apres           Recettes       `json:"apres"`
	Gagnants        int            `json:"gagnants" doc:"Contracts that would pay less"`
	Perdants        int            `json:"perdants" doc:"Contracts that would pay more"`
	Histogramme     []ClasseEcart  `json:"histogramme" doc:"Contracts by what changes in a year"`
	Communes        []EcartCommune `json:"communes"`
	PlusFortsEcarts []EcartContrat `json:"plus_forts_ecarts" doc:"The ten contracts that would pay most more"`
}

// Recettes is what the bills of a year bring.
type Recettes struct {
	Rubriques   []Rubrique `json:"rubriques"`
	HTCentimes  int64      `json:"ht_centimes"`
	TVACentimes int64      `json:"tva_centimes"`
	TTCCentimes int64      `json:"ttc_centimes"`
}

// ClasseEcart counts contracts whose bill changes by [de, a) centimes a year.
type ClasseEcart struct {
	De       *int64 `json:"de_centimes,omitempty" doc:"Absent on the first"`
	A        *int64 `json:"a_centimes,omitempty" doc:"Absent on the last"`
	Contrats int    `json:"contrats"`
}

// EcartCommune is what changes in a commune.
type EcartCommune struct {
	CodeINSEE        string `json:"code_insee"`
	Nom              string `json:"nom"`
	Contrats         int    `json:"contrats"`
	AvantTTCCentimes int64  `json:"avant_ttc_centimes"`
	ApresTTCCentimes int64  `json:"apres_ttc_centimes"`
	Avant120Centimes int64  `json:"avant_120_centimes" doc:"Bill of 120 m3 TTC, with the sewer where it has a tariff; 0: no tariff"`
	Apres120Centimes int64  `json:"apres_120_centimes"`
}

// EcartContrat is what changes for a contract.
type EcartContrat struct {
	Numero           string `json:"numero"`
	VolumeLitres     int64  `json:"volume_litres" doc:"Of a year"`
	AvantTTCCentimes int64  `json:"avant_ttc_centimes"`
	ApresTTCCentimes int64  `json:"apres_ttc_centimes"`
}

// Exemples lists tariffs that French services have published.
type Exemples struct{}

func (Exemples) Type() string             { return "fr.aquaerp.facture.exemples.v1" }
func (Exemples) Reply() (r ListeExemples) { return }

// ListeExemples are published tariffs, by service and year.
type ListeExemples struct {
	Exemples []Exemple `json:"exemples"`
}

// Exemple is a published tariff, and its bill of 120 m3 as computed here.
type Exemple struct {
	Code        string             `json:"code"`
	Service     string             `json:"service"`
	Bassin      string             `json:"bassin"`
	Annee       int                `json:"annee,omitempty" doc:"Absent: the page has no date"`
	Titre       string             `json:"titre"`
	Editeur     string             `json:"editeur"`
	Adresse     string             `json:"adresse" doc:"Where it was read"`
	PublieLe    string             `json:"publie_le" doc:"As it says itself"`
	Grilles     []DefinirGrille    `json:"grilles"`
	Redevances  []DefinirRedevance `json:"redevances"`
	TTCCentimes int64              `json:"ttc_centimes" doc:"Of 120 m3, computed here"`
	Publiees    []FacturePubliee   `json:"factures_publiees" doc:"Bills that the service printed; often none"`
	Raison      string             `json:"raison_de_l_ecart,omitempty" doc:"In French"`
}

// FacturePubliee is a bill as its service printed it.
type FacturePubliee struct {
	M3               int   `json:"m3"`
	PublieeCentimes  int64 `json:"publiee_ttc_centimes"`
	CalculeeCentimes int64 `json:"calculee_ttc_centimes" doc:"Computed here"`
}

// ImporterExemple defines the tariffs and redevances of an example for a
// commune that is listed, its redevances in the basin of that commune.
type ImporterExemple struct {
	Code    string `json:"code" validate:"required,max=60" maxLength:"60"`
	Commune string `json:"commune" validate:"required,len=5" maxLength:"5"`
}

func (ImporterExemple) Type() string               { return "fr.aquaerp.facture.importer-exemple.v1" }
func (ImporterExemple) Reply() (r TarifsEnVigueur) { return }

// Indicateurs asks for the figures of the annual report (SISPEA) of a year.
type Indicateurs struct {
	Annee int `json:"annee" validate:"min=2000,max=2200"`
}

func (Indicateurs) Type() string                { return "fr.aquaerp.facture.indicateurs.v1" }
func (Indicateurs) Reply() (r IndicateursAnnee) { return }

// IndicateursAnnee are the figures of a year.
type IndicateursAnnee struct {
	Annee       int                    `json:"annee"`
	Impayes     []TauxImpayes          `json:"impayes"`
	Prix        []PrixCommune          `json:"prix"`
	Mois        []MoisFacturation      `json:"mois" doc:"January to December"`
	Definitions []DefinitionIndicateur `json:"definitions"`
}

// TauxImpayes is P154.0 (water) or P257.0 (sewerage): what is unpaid on 31 December of the bills of the year before.
type TauxImpayes struct {
	Code            string `json:"code" enum:"P154.0,P257.0"`
	FactureCentimes int64  `json:"facture_centimes" doc:"TTC billed the year before"`
	ImpayeCentimes  int64  `json:"impaye_centimes" doc:"Of which unpaid on 31 December of the year"`
	TauxPDM         *int64 `json:"taux_pdm,omitempty" doc:"Per ten thousand: 153 is 1.53 %; absent when nothing was billed"`
}

// PrixCommune is D102.0 (water) or D204.0 (sewerage) of a commune: the bill of 120 m3 on 1 January of the next year.
type PrixCommune struct {
	Code            string `json:"code" enum:"D102.0,D204.0"`
	CodeINSEE       string `json:"code_insee"`
	Nom             string `json:"nom"`
	FactureCentimes int64  `json:"facture_120_centimes"`
	PrixM3UE        int64  `json:"prix_m3_ue" doc:"A 120th of it, micro-euros"`
}

// MoisFacturation is a month in the journal.
type MoisFacturation struct {
	Mois             string `json:"mois" doc:"YYYY-MM"`
	FactureCentimes  int64  `json:"facture_centimes" doc:"TTC of bills and avoirs"`
	EncaisseCentimes int64  `json:"encaisse_centimes" doc:"Money received less money given back"`
	EchuCentimes     int64  `json:"echu_centimes" doc:"Past due and unpaid at the end of the month"`
}

// DefinitionIndicateur says what an indicator is, in French, and where that is written.
type DefinitionIndicateur struct {
	Code    string `json:"code"`
	Nom     string `json:"nom"`
	Formule string `json:"formule"`
	Unite   string `json:"unite"`
	Source  string `json:"source"`
}
