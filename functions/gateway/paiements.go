package main

import "aquaerp.fr/shared/message"

// paiements are the routes of money: what comes in, goes back, and waits.
func (g *gateway) paiements() {
	about(g, route{"POST", "/v1/paiements/{id}/rejet", "rejeterPaiement", "Take a payment back; the bills that it paid are open again", "factures", 0},
		"paiement_id", func(c *message.RejeterPaiement) *string { return &c.PaiementID })
}
