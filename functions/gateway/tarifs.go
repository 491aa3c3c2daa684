package main

import "aquaerp.fr/shared/message"

func (g *gateway) tarifs() {
	expose(g, route{"GET", "/v1/tarifs", "lireTarifs", "Read all tariffs and redevances, and the rules that they keep", "tarifs", 0},
		func(*Nothing) message.Tarifs { return message.Tarifs{} })
	expose(g, route{"POST", "/v1/grilles", "definirGrille", "Add a version of a tariff", "tarifs", 201},
		body[message.DefinirGrille])
	about(g, route{"POST", "/v1/grilles/{id}/correction", "corrigerGrille", "Write anew a version that no bill rests on", "tarifs", 0},
		"grille_id", func(c *message.CorrigerGrille) *string { return &c.GrilleID })
	about(g, route{"POST", "/v1/grilles/{id}/fin", "fermerGrille", "End a version on another day", "tarifs", 0},
		"grille_id", func(c *message.FermerGrille) *string { return &c.GrilleID })
	expose(g, route{"POST", "/v1/grilles/{id}/retrait", "retirerGrille", "Withdraw a version that no bill rests on", "tarifs", 0},
		func(in *OrdreSur) message.RetirerGrille { return message.RetirerGrille{GrilleID: in.ID} })
	expose(g, route{"POST", "/v1/redevances", "definirRedevance", "Add a rate of an agence de l'eau", "tarifs", 201},
		body[message.DefinirRedevance])
	expose(g, route{"GET", "/v1/communes", "listerCommunes", "List the communes with their basin and entity", "tarifs", 0},
		func(*Nothing) message.Communes { return message.Communes{} })
	expose(g, route{"POST", "/v1/communes", "definirCommune", "List a commune, or change what is known of it", "tarifs", 0},
		body[message.DefinirCommune])

	expose(g, route{"GET", "/v1/contrats/{id}/profils", "listerProfilsAccordes", "List the profiles that a contract was granted", "contrats", 0},
		func(in *ParID) message.ProfilsAccordes { return message.ProfilsAccordes{ContratID: in.ID} })
	about(g, route{"POST", "/v1/contrats/{id}/profils", "accorderProfil", "Grant a contract the social tariff over some days, on evidence", "contrats", 201},
		"contrat_id", func(c *message.AccorderProfil) *string { return &c.ContratID })
	about(g, route{"POST", "/v1/profils/{id}/fin", "fermerProfil", "End a profile granted on an earlier day", "contrats", 0},
		"profil_id", func(c *message.FermerProfil) *string { return &c.ProfilID })
}
