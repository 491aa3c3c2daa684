package main

import "aquaerp.fr/shared/message"

// Demande is a POST whose body is a query: it changes nothing, and may be
// sent again as one likes.
type Demande[M any] struct {
	Body M
}

// explications serves why a bill is what it is, and what one would be.
func (g *gateway) explications() {
	expose(g, route{"GET", "/v1/factures/{id}/explication", "expliquerFacture", "Read how each centime of a bill came about", "factures", 0},
		func(in *ParID) message.ExpliquerFacture { return message.ExpliquerFacture{FactureID: in.ID} })
	expose(g, route{"POST", "/v1/simulations/facture", "simulerFacture", "Price a bill that does not exist, explained; nothing is stored", "factures", 0},
		func(in *Demande[message.SimulerFacture]) message.SimulerFacture { return in.Body })
}
