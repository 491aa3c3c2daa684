package main

import "aquaerp.fr/shared/message"

// entites are the routes of who issues bills, and of what is settled about
// them.
func (g *gateway) entites() {
	expose(g, route{"GET", "/v1/entites", "listerEntites", "List legal entities as their documents print them; account numbers are masked", "entites", 0},
		func(*Nothing) message.FichesEntites { return message.FichesEntites{} })
	expose(g, route{"POST", "/v1/entites", "definirEntite", "Create a legal entity, or say who it is from now on; documents issued before stay", "entites", 0},
		body[message.DefinirEntite])
	expose(g, route{"POST", "/v1/entites/{code}/retrait", "retirerEntite", "Delete a legal entity that nothing rests on", "entites", 0},
		func(in *OrdreEntite) message.RetirerEntite { return message.RetirerEntite{Code: in.Code} })
	expose(g, route{"POST", "/v1/entites/communes", "attribuerCommunes", "Have a legal entity bill communes from their next bills on", "entites", 0},
		body[message.AttribuerCommunes])

	expose(g, route{"GET", "/v1/reglages", "lireReglages", "Read words on bills, checks of runs and dates of the law", "reglages", 0},
		func(*Nothing) message.Reglages { return message.Reglages{} })
	expose(g, route{"POST", "/v1/reglages/mentions", "definirMention", "Change words on bills from a day on, or add some", "reglages", 0},
		body[message.DefinirMention])
	expose(g, route{"POST", "/v1/reglages/mentions/fermeture", "fermerMention", "Take words off bills from a day on", "reglages", 0},
		body[message.FermerMention])
	expose(g, route{"GET", "/v1/reglages/journal", "listerJournalReglages", "List who changed settings, the newest first", "reglages", 0},
		func(in *Liste) message.JournalReglages { return message.JournalReglages{Page: in.page()} })
}

// OrdreEntite is a command on the entity in the path.
type OrdreEntite struct {
	Code string `path:"code" maxLength:"40"`
	Cle
}
