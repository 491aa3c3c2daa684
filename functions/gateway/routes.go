package main

import (
	"github.com/danielgtaylor/huma/v2"

	"aquaerp.fr/shared/message"
)

var tags = []*huma.Tag{
	{Name: "sessions", Description: "Who is calling, and the users"},
	{Name: "tableau", Description: "Figures of the whole service"},
	{Name: "abonnes", Description: "Subscribers and all that is about them"},
	{Name: "contrats", Description: "Subscriptions, from the request to the running water"},
	{Name: "releves", Description: "Meter readings: rounds, and the queue of suspect ones"},
	{Name: "tarifs", Description: "Tariffs of the service and rates of the agence de l'eau"},
	{Name: "indicateurs", Description: "Figures of the annual report: unpaid bills, price of 120 m3, months"},
	{Name: "lots", Description: "Billing runs"},
	{Name: "factures", Description: "Bills and payments"},
	{Name: "relances", Description: "Arrears: letters, litigation, what is given up"},
	{Name: "comptabilite", Description: "The books: balance, journal, VAT, closing, files for accountants"},
	{Name: "prelevements", Description: "Direct debits: mandates, files for the bank and files from it"},
	{Name: "entites", Description: "Legal entities that issue bills, and the communes that they bill"},
	{Name: "reglages", Description: "Settings of bills: words, checks, who changed them"},
	{Name: "interventions", Description: "Field work"},
	{Name: "plans", Description: "Running processes"},
	{Name: "envois", Description: "What was written to people: mail, text messages, letters"},
}

// routes is the table of what the gateway serves. Routes that are more than
// one command or query register themselves.
func (g *gateway) routes() {
	g.sessions()
	expose(g, route{"GET", "/v1/moi", "lireMoi", "Read the user of the token", "sessions", 0},
		func(*Nothing) message.Moi { return message.Moi{} })
	expose(g, route{"GET", "/v1/utilisateurs", "listerUtilisateurs", "List users by name", "sessions", 0},
		func(in *ListeUtilisateurs) message.Utilisateurs {
			return message.Utilisateurs{Role: in.Role, Page: in.page()}
		})
	expose(g, route{"POST", "/v1/utilisateurs", "creerUtilisateur", "Create a user with a first password", "sessions", 201},
		body[message.CreerUtilisateur])

	g.tableau()

	expose(g, route{"GET", "/v1/abonnes", "listerAbonnes", "Search abonnes by name, e-mail, contract, meter, PDL or street", "abonnes", 0},
		func(in *Recherche) message.Abonnes { return message.Abonnes{Q: in.Q, Page: in.page()} })
	expose(g, route{"GET", "/v1/abonnes/{id}", "lireAbonne", "Read the file of an abonne: contracts, meters, journal", "abonnes", 0},
		func(in *ParID) message.FicheAbonne { return message.FicheAbonne{ID: in.ID} })
	about(g, route{"POST", "/v1/abonnes/{id}/identite", "identifierAbonne", "Set SIREN, SIRET and VAT identifier of an organisation", "abonnes", 0},
		"abonne_id", func(c *message.IdentifierAbonne) *string { return &c.AbonneID })
	expose(g, route{"GET", "/v1/abonnes/{id}/releves", "listerRelevesAbonne", "List the readings of an abonne, the newest first", "abonnes", 0},
		func(in *ListeDe) message.Releves { return message.Releves{AbonneID: in.ID, Page: in.page()} })
	expose(g, route{"GET", "/v1/abonnes/{id}/factures", "listerFacturesAbonne", "List the bills of an abonne, the newest first", "abonnes", 0},
		func(in *ListeFactures) message.Factures {
			return message.Factures{AbonneID: in.ID, Etat: in.Etat, Page: in.page()}
		})
	expose(g, route{"GET", "/v1/abonnes/{id}/compte", "lireCompteAbonne", "Read what an abonne owes, and their payments", "abonnes", 0},
		func(in *ParID) message.Compte { return message.Compte{AbonneID: in.ID} })
	expose(g, route{"GET", "/v1/abonnes/{id}/interventions", "listerInterventionsAbonne", "List the field work at an abonne's", "abonnes", 0},
		func(in *ListeDe) message.Interventions {
			return message.Interventions{AbonneID: in.ID, Page: in.page()}
		})
	expose(g, route{"GET", "/v1/abonnes/{id}/envois", "listerEnvoisAbonne", "List the mail sent to an abonne, the newest first", "abonnes", 0},
		func(in *ListeDe) message.Envois { return message.Envois{AbonneID: in.ID, Page: in.page()} })
	g.chronologie()

	expose(g, route{"GET", "/v1/contrats", "listerContrats", "List contracts, the newest first", "contrats", 0},
		func(in *ListeContrats) message.Contrats {
			return message.Contrats{AbonneID: in.AbonneID, Etat: in.Etat, Page: in.page()}
		})
	expose(g, route{"POST", "/v1/contrats", "souscrireContrat", "Open a contract, for an abonne and a PDL that exist or are new", "contrats", 201},
		body[message.Souscrire])
	expose(g, route{"GET", "/v1/contrats/{id}", "lireContrat", "Read a contract", "contrats", 0},
		func(in *ParID) message.ContratParID { return message.ContratParID{ID: in.ID} })
	about(g, route{"POST", "/v1/contrats/{id}/signature", "signerContrat", "Record the signature; the plan `souscription` starts", "contrats", 0},
		"contrat_id", func(c *message.Signer) *string { return &c.ContratID })
	expose(g, route{"POST", "/v1/contrats/{id}/retractation", "retracterContrat", "Withdraw within the 14 days", "contrats", 0},
		func(in *OrdreSur) message.Retracter { return message.Retracter{ContratID: in.ID} })
	about(g, route{"POST", "/v1/contrats/{id}/changement-compteur", "changerCompteur", "Replace the meter; both indexes are needed", "contrats", 0},
		"contrat_id", func(c *message.ChangerCompteur) *string { return &c.ContratID })
	g.reprises()

	g.tournees()
	expose(g, route{"GET", "/v1/tournees", "listerTournees", "List reading rounds, the newest first", "releves", 0},
		func(in *Liste) message.Tournees { return message.Tournees{Page: in.page()} })
	expose(g, route{"GET", "/v1/releves/suspects", "listerRelevesSuspects", "List the readings that wait for a decision, the oldest first", "releves", 0},
		func(in *Liste) message.Suspects { return message.Suspects{Page: in.page()} })
	about(g, route{"POST", "/v1/releves/{id}/decision", "deciderReleve", "Confirm or reject a suspect reading", "releves", 0},
		"releve_id", func(c *message.Decider) *string { return &c.ReleveID })

	g.tarifs()

	g.lots()
	g.suivi()

	expose(g, route{"GET", "/v1/factures/{id}", "lireFacture", "Read a bill with its lines", "factures", 0},
		func(in *ParID) message.FactureParID { return message.FactureParID{ID: in.ID} })
	g.document()
	g.documents()
	g.entites()
	g.explications()
	g.pieces()
	expose(g, route{"POST", "/v1/paiements", "enregistrerPaiement", "Record money received; it is matched with bills", "factures", 201},
		body[message.EnregistrerPaiement])
	g.paiements()
	g.relances()
	g.courrier()
	g.comptabilite()

	g.prelevements()

	expose(g, route{"GET", "/v1/interventions", "listerInterventions", "List field work by day; a technician sees their own and unassigned ones", "interventions", 0},
		func(in *ListeInterventions) message.Interventions {
			return message.Interventions{Etat: in.Etat, AbonneID: in.AbonneID, Technicien: in.Technicien, Page: in.page()}
		})
	expose(g, route{"POST", "/v1/interventions", "creerIntervention", "Order field work", "interventions", 201},
		body[message.CreerIntervention])
	expose(g, route{"GET", "/v1/interventions/{id}", "lireIntervention", "Read an order", "interventions", 0},
		func(in *ParID) message.InterventionParID { return message.InterventionParID{ID: in.ID} })
	about(g, route{"POST", "/v1/interventions/{id}/affectation", "affecterIntervention", "Give an order to a technician", "interventions", 0},
		"intervention_id", func(c *message.AffecterIntervention) *string { return &c.InterventionID })
	about(g, route{"POST", "/v1/interventions/{id}/avancement", "avancerIntervention", "Move an order one step on", "interventions", 0},
		"intervention_id", func(c *message.AvancerIntervention) *string { return &c.InterventionID })
	about(g, route{"POST", "/v1/interventions/{id}/compte-rendu", "realiserIntervention", "Report an order done", "interventions", 0},
		"intervention_id", func(c *message.RealiserIntervention) *string { return &c.InterventionID })
	about(g, route{"POST", "/v1/interventions/{id}/impossibilite", "declarerInterventionImpossible", "Report an order impossible", "interventions", 0},
		"intervention_id", func(c *message.DeclarerImpossible) *string { return &c.InterventionID })

	expose(g, route{"GET", "/v1/plans", "listerPlans", "List running and past processes, the newest first", "plans", 0},
		func(in *ListePlans) message.Plans { return message.Plans{Etat: in.Etat, Page: in.page()} })
	expose(g, route{"GET", "/v1/plans/{id}", "lirePlan", "Read a process with its steps", "plans", 0},
		func(in *ParID) message.PlanParID { return message.PlanParID{ID: in.ID} })
	expose(g, route{"POST", "/v1/plans/{id}/relance", "relancerPlan", "Try the failed step of a process again", "plans", 0},
		func(in *OrdreSur) message.RelancerPlan { return message.RelancerPlan{PlanID: in.ID} })

	expose(g, route{"GET", "/v1/envois", "listerEnvois", "List mail, the newest first", "envois", 0},
		func(in *ListeEnvois) message.Envois {
			return message.Envois{AbonneID: in.AbonneID, Etat: in.Etat, Reference: in.Reference, Page: in.page()}
		})
}

// body is the request of a route whose body is the command itself.
func body[M any](in *Commande[M]) M { return in.Body }

// The queries of lists, as parameters of a URL.
type (
	// ListeDe is a list about the object in the path.
	ListeDe struct {
		ParID
		Liste
	}
	// Recherche is a list with a search text.
	Recherche struct {
		Q string `query:"q" maxLength:"80" doc:"Name, e-mail, number of a contract, meter, PDL or street; all of them when absent"`
		Liste
	}
	// ListeUtilisateurs filters users.
	ListeUtilisateurs struct {
		Role string `query:"role" maxLength:"40"`
		Liste
	}
	// ListeContrats filters contracts.
	ListeContrats struct {
		AbonneID string `query:"abonne_id" format:"uuid"`
		Etat     string `query:"etat" enum:"A_SIGNER,EN_RETRACTATION,SIGNE,ACTIF,ANNULE,RESILIE"`
		Liste
	}
	// ListeFactures filters the bills of the object in the path.
	ListeFactures struct {
		ParID
		Etat string `query:"etat" enum:"CALCULEE,EMISE,PARTIELLE,PAYEE,ANNULEE_PAR_AVOIR,ADMISE_EN_NON_VALEUR"`
		Liste
	}
	// ListeInterventions filters orders.
	ListeInterventions struct {
		Etat       string `query:"etat" enum:"OUVERTES,PLANIFIEE,AFFECTEE,ACCEPTEE,EN_ROUTE,SUR_PLACE,REALISEE,IMPOSSIBLE,ANNULEE" doc:"A state, or OUVERTES for all that is not over"`
		AbonneID   string `query:"abonne_id" format:"uuid"`
		Technicien string `query:"technicien" format:"uuid" doc:"Id of the user"`
		Liste
	}
	// ListePlans filters processes.
	ListePlans struct {
		Etat string `query:"etat" enum:"EN_COURS,TERMINE,ECHEC,ANNULE"`
		Liste
	}
	// ListeEnvois filters mail.
	ListeEnvois struct {
		AbonneID  string `query:"abonne_id" format:"uuid"`
		Etat      string `query:"etat" enum:"ATTENTE_PIECE,QUEUED,SENDING,PRINTED,SENT,DELIVERED,FAILED"`
		Reference string `query:"reference" format:"uuid" doc:"Id of what it is about"`
		Liste
	}
)
