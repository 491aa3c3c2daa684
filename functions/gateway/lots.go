package main

import "aquaerp.fr/shared/message"

// lots are the routes of billing runs.
func (g *gateway) lots() {
	expose(g, route{"GET", "/v1/lots", "listerLots", "List billing runs, the newest first", "lots", 0},
		func(in *Liste) message.Lots { return message.Lots{Page: in.page()} })
	expose(g, route{"POST", "/v1/lots", "preparerLot", "Start a billing run; follow it for its progress", "lots", 201},
		body[message.PreparerLot])
	expose(g, route{"GET", "/v1/lots/{id}", "lireLot", "Read a billing run", "lots", 0},
		func(in *ParID) message.LotParID { return message.LotParID{ID: in.ID} })
	expose(g, route{"POST", "/v1/lots/{id}/controle", "controlerLot", "Approve a computed run; somebody else than who prepared it", "lots", 0},
		func(in *OrdreSur) message.ControlerLot { return message.ControlerLot{LotID: in.ID} })
	expose(g, route{"POST", "/v1/lots/{id}/relance", "relancerLot", "Ask again for what a run still waits for", "lots", 0},
		func(in *OrdreSur) message.RelancerLot { return message.RelancerLot{LotID: in.ID} })
	expose(g, route{"POST", "/v1/lots/{id}/emission", "emettreLot", "Issue the bills of an approved run", "lots", 0},
		func(in *OrdreSur) message.EmettreLot { return message.EmettreLot{LotID: in.ID} })
	about(g, route{"POST", "/v1/lots/{id}/rejet", "rejeterLot", "Stop or drop a run that was not issued; no number is used", "lots", 0},
		"lot_id", func(c *message.RejeterLot) *string { return &c.LotID })
	expose(g, route{"GET", "/v1/lots/{id}/factures", "listerFacturesLot", "List the bills of a run", "lots", 0},
		func(in *ListeFactures) message.Factures {
			return message.Factures{LotID: in.ID, Etat: in.Etat, Page: in.page()}
		})
	expose(g, route{"GET", "/v1/lots/{id}/rapport", "lireRapportLot", "Read the control report of a run: what to look at before it is approved", "lots", 0},
		func(in *ParID) message.RapportLot { return message.RapportLot{LotID: in.ID} })
	expose(g, route{"GET", "/v1/programmes-lots", "listerProgrammesLots", "List the calendars that prepare runs", "lots", 0},
		func(*Nothing) message.Programmes { return message.Programmes{} })
	expose(g, route{"POST", "/v1/programmes-lots", "definirProgrammeLot", "Add a calendar of runs, or change one", "lots", 0},
		body[message.DefinirProgramme])
	expose(g, route{"POST", "/v1/controle-lots", "reglerControleLots", "Set what an entity asks of its runs before they are issued", "lots", 0},
		body[message.ReglerControle])
	expose(g, route{"GET", "/v1/verification", "verifierFactures", "Hold every issued bill against the hash chain, the numbers against their series, and the journal against zero", "factures", 0},
		func(*Nothing) message.VerifierFactures { return message.VerifierFactures{} })
}
