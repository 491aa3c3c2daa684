package main

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"aquaerp.fr/shared/message"
)

// The queries of the books, as parameters of a URL.
type (
	// Jours are the days that a query is about, both included.
	Jours struct {
		Entite string       `query:"entite" maxLength:"40" doc:"All entities when absent"`
		Du     message.Date `query:"du" format:"date" doc:"First day; from the first entry when absent"`
		Au     message.Date `query:"au" format:"date" doc:"Last day; to the last entry when absent"`
	}
	// ListeGrandLivre is an account.
	ListeGrandLivre struct {
		Compte   string `path:"compte" maxLength:"20" doc:"Number of the account"`
		AbonneID string `query:"abonne_id" format:"uuid"`
		Jours
		Liste
	}
	// ListeJournal filters entries.
	ListeJournal struct {
		Journal  string `query:"journal" enum:"VT,BQ,CA,OD" doc:"VT sales, BQ bank, CA cash, OD sundry"`
		AbonneID string `query:"abonne_id" format:"uuid"`
		Jours
		Liste
	}
	// ListeBalanceAgee filters abonnes by the age of what they owe.
	ListeBalanceAgee struct {
		Entite  string `query:"entite" maxLength:"40"`
		Tranche string `query:"tranche" enum:"NON_ECHU,J0_30,J31_60,J61_90,J90_PLUS,AVANCE"`
		Liste
	}
	// PeriodeTVA are the days of a report of VAT.
	PeriodeTVA struct {
		Entite string       `query:"entite" maxLength:"40" doc:"The main one when absent"`
		Du     message.Date `query:"du" format:"date" required:"true"`
		Au     message.Date `query:"au" format:"date" required:"true"`
	}
	// Fin is the day up to which books close.
	Fin struct {
		Entite string       `query:"entite" maxLength:"40" doc:"The main one when absent"`
		Jusqua message.Date `query:"jusqua" format:"date" required:"true" doc:"Last day of a month that is over"`
	}
	// DemandeExport says what a file of the books holds.
	DemandeExport struct {
		Quoi     string `path:"quoi" enum:"FEC,JOURNAL,BALANCE,BALANCE_AGEE,GRAND_LIVRE,TVA,ROLE"`
		Format   string `query:"format" enum:"CSV,XLSX" doc:"CSV when absent; a FEC has its own"`
		Exercice int    `query:"exercice" minimum:"2000" maximum:"2199" doc:"Year of a FEC"`
		Compte   string `query:"compte" maxLength:"20" doc:"Account of a GRAND_LIVRE"`
		AbonneID string `query:"abonne_id" format:"uuid"`
		Journal  string `query:"journal" enum:"VT,BQ,CA,OD"`
		Jours
	}
	// DeLEntite names an entity.
	DeLEntite struct {
		Entite string `query:"entite" maxLength:"40" doc:"All of them when absent"`
	}
	// DeLaPrincipale names an entity, or the main one.
	DeLaPrincipale struct {
		Entite string `query:"entite" maxLength:"40" doc:"The main one when absent"`
	}
	// ListeRoles is the bordereaux of an entity.
	ListeRoles struct {
		DeLaPrincipale
		Liste
	}
)

// comptabilite serves the books.
func (g *gateway) comptabilite() {
	expose(g, route{"GET", "/v1/balance", "lireBalance", "Read the trial balance of the journal over days", "comptabilite", 0},
		func(in *Jours) message.Balance { return message.Balance{Entite: in.Entite, Du: in.Du, Au: in.Au} })
	expose(g, route{"GET", "/v1/comptabilite/comptes/{compte}", "lireGrandLivre", "List the movements of an account with its running balance", "comptabilite", 0},
		func(in *ListeGrandLivre) message.GrandLivre {
			return message.GrandLivre{Compte: in.Compte, AbonneID: in.AbonneID, Entite: in.Entite, Du: in.Du, Au: in.Au, Page: in.page()}
		})
	expose(g, route{"GET", "/v1/comptabilite/ecritures", "listerEcritures", "List entries of the journal, the oldest first", "comptabilite", 0},
		func(in *ListeJournal) message.Journal {
			return message.Journal{Journal: in.Journal, AbonneID: in.AbonneID, Entite: in.Entite, Du: in.Du, Au: in.Au, Page: in.page()}
		})
	expose(g, route{"GET", "/v1/comptabilite/balance-agee", "lireBalanceAgee", "List what abonnes owe by age, the largest debt first", "comptabilite", 0},
		func(in *ListeBalanceAgee) message.BalanceAgee {
			return message.BalanceAgee{Entite: in.Entite, Tranche: in.Tranche, Page: in.page()}
		})
	expose(g, route{"GET", "/v1/comptabilite/tva", "lireTVA", "Report VAT by month and rate, on what was billed or on what was received", "comptabilite", 0},
		func(in *PeriodeTVA) message.DeclarationTVA {
			return message.DeclarationTVA{Entite: in.Entite, Du: in.Du, Au: in.Au}
		})
	expose(g, route{"GET", "/v1/comptabilite/entites", "listerEntitesComptables", "List the entities that keep books", "comptabilite", 0},
		func(*Nothing) message.EntitesComptables { return message.EntitesComptables{} })
	expose(g, route{"POST", "/v1/comptabilite/entites", "reglerComptabilite", "Set how an entity keeps its books", "comptabilite", 0},
		body[message.ReglerComptabilite])
	expose(g, route{"GET", "/v1/comptabilite/clotures", "listerClotures", "List what was closed, the newest first", "comptabilite", 0},
		func(in *DeLEntite) message.Clotures { return message.Clotures{Entite: in.Entite} })
	expose(g, route{"GET", "/v1/comptabilite/clotures/apercu", "apercevoirCloture", "Tell what closing would do", "comptabilite", 0},
		func(in *Fin) message.ApercuCloture {
			return message.ApercuCloture{Entite: in.Entite, Jusqua: in.Jusqua}
		})
	expose(g, route{"POST", "/v1/comptabilite/clotures", "cloturerPeriode", "Close months for good", "comptabilite", 201},
		body[message.Cloturer])
	expose(g, route{"GET", "/v1/comptabilite/controles", "controlerComptes", "Hold the books against what they are made of", "comptabilite", 0},
		func(*Nothing) message.ControlerComptes { return message.ControlerComptes{} })

	expose(g, route{"POST", "/v1/comptabilite/pes", "reglerPES", "Set how the accounting post of a public service knows an entity", "comptabilite", 0},
		body[message.ReglerPES])
	expose(g, route{"GET", "/v1/comptabilite/pes", "lirePES", "Read how the accounting post knows an entity", "comptabilite", 0},
		func(in *DeLaPrincipale) message.LirePES { return message.LirePES{Entite: in.Entite} })
	expose(g, route{"GET", "/v1/comptabilite/roles", "listerRoles", "List bordereaux of titles and roles, and what waits for one", "comptabilite", 0},
		func(in *ListeRoles) message.Roles { return message.Roles{Entite: in.Entite, Page: in.page()} })
	expose(g, route{"POST", "/v1/comptabilite/roles", "preparerRole", "Make a bordereau of what has not been transmitted", "comptabilite", 201},
		body[message.PreparerRole])
	about(g, route{"POST", "/v1/comptabilite/roles/{id}/reponse", "repondreRole", "Record that the comptable public took a bordereau in charge, or refused it", "comptabilite", 0},
		"role_id", func(c *message.RepondreRole) *string { return &c.RoleID })
	role := route{"GET", "/v1/comptabilite/roles/{id}/fichier", "lireFichierRole", "Read the file of a bordereau, PES v2 for the comptable public", "comptabilite", 0}.operation()
	role.Responses = file("application/octet-stream", "The file; a connection that is cut short is a failure")
	huma.Register(g.api, role, func(ctx context.Context, in *ParID) (*huma.StreamResponse, error) {
		return inParts(func(apres string) (message.PartFichier, error) {
			return ask(ctx, g, message.FichierRole{RoleID: in.ID, Suite: message.Suite{Apres: apres}}, "")
		})
	})

	op := route{"GET", "/v1/comptabilite/exports/{quoi}", "exporterComptabilite", "Make a file of the books: CSV, XLSX or FEC", "comptabilite", 0}.operation()
	op.Responses = role.Responses
	huma.Register(g.api, op, func(ctx context.Context, in *DemandeExport) (*huma.StreamResponse, error) {
		return inParts(func(apres string) (message.PartFichier, error) {
			if in.Quoi == "FEC" {
				return ask(ctx, g, message.ExporterFEC{Entite: in.Entite, Exercice: in.Exercice, Suite: message.Suite{Apres: apres}}, "")
			}
			d, err := ask(ctx, g, message.ExporterComptabilite{
				Quoi: in.Quoi, Format: in.Format, Entite: in.Entite, Du: in.Du, Au: in.Au, Compte: in.Compte, AbonneID: in.AbonneID, Journal: in.Journal,
			}, "")
			return message.PartFichier{Nom: d.Nom, Mime: d.Mime, Contenu: d.Contenu}, err
		})
	})
}
