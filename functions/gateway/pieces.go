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
	expose(g, route{"GET", "/v1/prestations", "listerPrestations", "Read the catalogue of services, with the rates and accounts that a line may bear", "tarifs", 0},
		func(*Nothing) message.Prestations { return message.Prestations{} })
	expose(g, route{"POST", "/v1/prestations", "definirPrestation", "Set the price of a service", "tarifs", 201},
		body[message.DefinirPrestation])
}
