package main

import (
	"context"
	"mime"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// maxXML is what a file of the bank may weigh; the command says the same.
const maxXML = 11_000_000

type (
	// ListePrelevements filters the debits of the remise in the path.
	ListePrelevements struct {
		ParID
		Etat string `query:"etat" enum:"PREPARE,TRANSMIS,REGLE,REJETE,ABANDONNE"`
		Liste
	}
	// ListeOperations filters movements.
	ListeOperations struct {
		FichierID string `query:"fichier_id" format:"uuid" doc:"Of this file, in its order"`
		Etat      string `query:"etat" enum:"A_TRAITER,ENCAISSEE,REJET,A_AFFECTER,IGNOREE,DOUBLON,REFUSEE"`
		Liste
	}
	// FichierXML is a file of the bank.
	FichierXML struct {
		Cle
		Nom         string `query:"nom" required:"true" minLength:"1" maxLength:"200" doc:"File name"`
		ContentType string `header:"Content-Type" hidden:"true"`
		RawBody     []byte `contentType:"application/xml"`
	}
	// ReponseXML is a file for the bank as an answer.
	ReponseXML struct {
		ContentType string `header:"Content-Type" hidden:"true"`
		Disposition string `header:"Content-Disposition" doc:"attachment, with the file name"`
		Body        []byte
	}
)

// prelevements are the routes of direct debits and of the bank's files.
func (g *gateway) prelevements() {
	expose(g, route{"GET", "/v1/creanciers", "listerCreanciers", "List who debits for each entity, and the delays in force", "prelevements", 0},
		func(*Nothing) message.Creanciers { return message.Creanciers{} })
	expose(g, route{"POST", "/v1/creanciers", "definirCreancier", "Say who debits for an entity: identifier, account, version of the file", "prelevements", 0},
		body[message.DefinirCreancier])

	expose(g, route{"GET", "/v1/abonnes/{id}/mandats", "listerMandatsAbonne", "List the mandates of an abonne, their accounts masked", "prelevements", 0},
		func(in *ParID) message.Mandats { return message.Mandats{AbonneID: in.ID} })
	expose(g, route{"POST", "/v1/mandats", "signerMandat", "Record a mandate", "prelevements", 201}, body[message.SignerMandat])
	about(g, route{"POST", "/v1/mandats/{id}/modification", "modifierMandat", "Change the account of a mandate", "prelevements", 0},
		"mandat_id", func(c *message.ModifierMandat) *string { return &c.MandatID })
	about(g, route{"POST", "/v1/mandats/{id}/revocation", "revoquerMandat", "End a mandate", "prelevements", 0},
		"mandat_id", func(c *message.RevoquerMandat) *string { return &c.MandatID })
	about(g, route{"POST", "/v1/mandats/{id}/iban", "lireIBAN", "Read the whole account number of a mandate; who does is written down", "prelevements", 0},
		"mandat_id", func(c *message.LireIBAN) *string { return &c.MandatID })

	expose(g, route{"GET", "/v1/remises", "listerRemises", "List files of direct debits, the newest first", "prelevements", 0},
		func(in *Liste) message.Remises { return message.Remises{Page: in.page()} })
	expose(g, route{"POST", "/v1/remises", "preparerRemise", "Choose what can be debited by a day; nothing is sent", "prelevements", 201},
		body[message.PreparerRemise])
	expose(g, route{"GET", "/v1/remises/{id}", "lireRemise", "Read a remise with its control: lots, sums, and what is left out", "prelevements", 0},
		func(in *ParID) message.RemiseParID { return message.RemiseParID{ID: in.ID} })
	expose(g, route{"POST", "/v1/remises/{id}/validation", "validerRemise", "Write the bank's file, once", "prelevements", 0},
		func(in *OrdreSur) message.ValiderRemise { return message.ValiderRemise{RemiseID: in.ID} })
	expose(g, route{"POST", "/v1/remises/{id}/abandon", "abandonnerRemise", "Drop a remise that was not validated", "prelevements", 0},
		func(in *OrdreSur) message.AbandonnerRemise { return message.AbandonnerRemise{RemiseID: in.ID} })
	expose(g, route{"GET", "/v1/remises/{id}/prelevements", "listerPrelevementsRemise", "List the debits of a remise", "prelevements", 0},
		func(in *ListePrelevements) message.Prelevements {
			return message.Prelevements{RemiseID: in.ID, Etat: in.Etat, Page: in.page()}
		})
	g.fichierRemise()
	expose(g, route{"GET", "/v1/codes-rejet", "listerCodesRejet", "List the codes by which banks reject debits, and what is done", "prelevements", 0},
		func(*Nothing) message.CodesRejet { return message.CodesRejet{} })

	g.fichierBancaire()
	expose(g, route{"GET", "/v1/banque/fichiers", "listerFichiersBancaires", "List the files of the bank, the newest first", "prelevements", 0},
		func(in *Liste) message.FichiersBancaires { return message.FichiersBancaires{Page: in.page()} })
	expose(g, route{"GET", "/v1/banque/fichiers/{id}", "lireFichierBancaire", "Read what became of a file of the bank", "prelevements", 0},
		func(in *ParID) message.FichierBancaireParID { return message.FichierBancaireParID{ID: in.ID} })
	expose(g, route{"GET", "/v1/banque/operations", "listerOperationsBancaires", "List movements of a file, or all that are in a state", "prelevements", 0},
		func(in *ListeOperations) message.OperationsBancaires {
			return message.OperationsBancaires{FichierID: in.FichierID, Etat: in.Etat, Page: in.page()}
		})
	about(g, route{"POST", "/v1/banque/operations/{id}/affectation", "affecterOperation", "Give a credit that waits to an abonne", "prelevements", 0},
		"operation_id", func(c *message.AffecterOperation) *string { return &c.OperationID })
}

// fichierRemise serves the bank's file of a remise: the same bytes every time.
func (g *gateway) fichierRemise() {
	op := route{"GET", "/v1/remises/{id}/fichier", "lireFichierRemise", "Download the bank's file of a validated remise; who does is written down", "prelevements", 0}.operation()
	op.Responses = map[string]*huma.Response{"200": {
		Description: "The file, pain.008",
		Content:     map[string]*huma.MediaType{"application/xml": {Schema: &huma.Schema{Type: "string", Format: "binary"}}},
	}}
	huma.Register(g.api, op, func(ctx context.Context, in *ParID) (*ReponseXML, error) {
		d, err := ask(ctx, g, message.LireFichierRemise{RemiseID: in.ID}, function.NewID())
		if err != nil {
			return nil, err
		}
		return &ReponseXML{ContentType: d.Mime, Disposition: mime.FormatMediaType("attachment", map[string]string{"filename": d.Nom}), Body: d.Contenu}, nil
	})
}

// fichierBancaire takes a file of the bank as it is.
func (g *gateway) fichierBancaire() {
	op := route{"POST", "/v1/banque/fichiers", "importerFichierBancaire", "Import a file of the bank", "prelevements", http.StatusCreated}.operation()
	op.MaxBodyBytes = maxXML + 1 // huma refuses a body that reaches its limit
	op.Description = "`pain.002` (001.03, 001.10, 001.11), `camt.053` or `camt.054` (001.02, 001.04, 001.08), UTF-8. A file that is not one of these, is about another account or was " +
		"imported before is refused as a whole, with the line. Each movement of the others is kept with what became of it; they are booked in the background: read the file again until `en_cours` is 0."
	huma.Register(g.api, op, func(ctx context.Context, in *FichierXML) (*Reply[message.FichierBancaire], error) {
		if t, _, err := mime.ParseMediaType(in.ContentType); err != nil || t != "application/xml" && t != "text/xml" {
			return nil, unsupported("application/xml")
		}
		reply, err := ask(ctx, g, message.ImporterFichierBancaire{Nom: in.Nom, Contenu: in.RawBody}, in.key())
		return &Reply[message.FichierBancaire]{reply}, err
	})
}
