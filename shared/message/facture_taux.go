package message

// TauxPublies lists rates of agences de l'eau as they were published.
type TauxPublies struct{}

func (TauxPublies) Type() string                { return "fr.aquaerp.facture.taux-publies.v1" }
func (TauxPublies) Reply() (r ListeTauxPublies) { return }

// ListeTauxPublies are the published rates, by basin.
type ListeTauxPublies struct {
	Bassins []TauxDeBassin `json:"bassins"`
}

// TauxDeBassin are the published rates of a basin.
type TauxDeBassin struct {
	Bassin string       `json:"bassin"`
	Taux   []TauxPublie `json:"taux"`
}

// TauxPublie is a rate, where it was read and how sure that is.
type TauxPublie struct {
	DefinirRedevance
	CoefficientDuService bool   `json:"coefficient_du_service" doc:"The rate is multiplied by a coefficient that the agence gives each service; coefficient_pm is then 0"`
	Confiance            string `json:"confiance" enum:"primary,excerpt,secondary" doc:"primary: read in the text itself; excerpt: in a part of it, or deduced; secondary: in the press or a table of others"`
	Note                 string `json:"note,omitempty"`
}

// ImporterTaux defines the published rates of a basin that end after a day.
type ImporterTaux struct {
	Bassin                      string `json:"bassin" validate:"required,max=60" maxLength:"60"`
	Depuis                      Date   `json:"depuis" format:"date" validate:"required" doc:"Rates that ended by then are left out"`
	CoefficientEauPM            int64  `json:"coefficient_eau_pm,omitempty" validate:"omitempty,min=1,max=1000" minimum:"1" maximum:"1000" doc:"Of the service, per mille, where the rates of water ask for one"`
	CoefficientAssainissementPM int64  `json:"coefficient_assainissement_pm,omitempty" validate:"omitempty,min=1,max=1000" minimum:"1" maximum:"1000" doc:"Likewise for sewerage"`
}

func (ImporterTaux) Type() string               { return "fr.aquaerp.facture.importer-taux.v1" }
func (ImporterTaux) Reply() (r TarifsEnVigueur) { return }
