package main

import "aquaerp.fr/shared/message"

// pieces are the routes of documents issued one at a time: avoirs, bills
// corrected, bills of works and services.
func (g *gateway) pieces() {
	about(g, route{"POST", "/v1/factures/{id}/avoir", "emettreAvoir", "Take back a bill, wholly or in part; with `simulation`, say what that would do", "factures", 201},
		"facture_id", func(c *message.EmettreAvoir) *string { return &c.FactureID })
	about(g, route{"POST", "/v1/factures/{id}/rectification", "rectifierFacture", "Take back a bill and issue it again from corrected indexes; with `simulation`, say what that would do", "factures", 201},
		"facture_id", func(c *message.RectifierFacture) *string { return &c.FactureID })
	expose(g, route{"POST", "/v1/factures", "emettreFactureManuelle", "Issue a bill whose lines a person wrote", "factures", 201},
		body[message.EmettreManuelle])
	about(g, route{"POST", "/v1/contrats/{id}/resiliation", "resilierContrat", "End a contract; its last bill follows", "contrats", 0},
		"contrat_id", func(c *message.Resilier) *string { return &c.ContratID })
	expose(g, route{"GET", "/v1/resiliations", "listerResiliations", "List contracts that ended with their last bill, those that wait for it first", "factures", 0},
		func(in *ListeResiliations) message.Resiliations {
			return message.Resiliations{Etat: in.Etat, Page: in.page()}
		})
	expose(g, route{"POST", "/v1/contrats/{id}/solde", "solderContrat", "Try the last bill of a contract that ended again", "contrats", 0},
		func(in *OrdreSur) message.Solder { return message.Solder{ContratID: in.ID} })
	expose(g, route{"GET", "/v1/fuites", "listerFuites", "List leaks after the meter, those that wait for a certificate first", "factures", 0},
		func(in *ListeFuites) message.Fuites { return message.Fuites{Etat: in.Etat, Page: in.page()} })
	about(g, route{"POST", "/v1/fuites/{id}/attestation", "attesterFuite", "Record the plumber's certificate of a leak; with `simulation`, say what that would do", "factures", 0},
		"fuite_id", func(c *message.AttesterFuite) *string { return &c.FuiteID })
	expose(g, route{"GET", "/v1/prestations", "listerPrestations", "Read the catalogue of services, with the rates and accounts that a line may bear", "tarifs", 0},
		func(*Nothing) message.Prestations { return message.Prestations{} })
	expose(g, route{"POST", "/v1/prestations", "definirPrestation", "Set the price of a service", "tarifs", 201},
		body[message.DefinirPrestation])
}

// ListeResiliations filters contracts that ended.
type ListeResiliations struct {
	Etat string `query:"etat" enum:"EN_ATTENTE,SOLDEE,SANS_OBJET"`
	Liste
}

// ListeFuites filters leaks.
type ListeFuites struct {
	Etat string `query:"etat" enum:"OUVERTE,ATTESTEE,CLASSEE"`
	Liste
}
