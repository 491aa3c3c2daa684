package main

import (
	"context"
	"fmt"

	"github.com/danielgtaylor/huma/v2"

	"aquaerp.fr/shared/message"
)

// documents are the routes of what is read on paper besides a bill:
// certificates, receipts, and the bills of a lot to print or to keep.
func (g *gateway) documents() {
	pdf(g, route{"GET", "/v1/contrats/{id}/attestation", "lireAttestationAbonnement", "Certify that a contract is in force (PDF)", "contrats", 0},
		func(in *ParID) message.AttestationAbonnement { return message.AttestationAbonnement{ContratID: in.ID} })
	pdf(g, route{"GET", "/v1/abonnes/{id}/attestation-non-dette", "lireAttestationNonDette", "Certify that an abonne owes nothing (PDF); refused while something is owed", "abonnes", 0},
		func(in *ParID) message.AttestationNonDette { return message.AttestationNonDette{AbonneID: in.ID} })
	pdf(g, route{"GET", "/v1/paiements/{id}/recu", "lireRecuPaiement", "Read the receipt of a payment (PDF)", "factures", 0},
		func(in *ParID) message.RecuPaiement { return message.RecuPaiement{PaiementID: in.ID} })

	expose(g, route{"GET", "/v1/lots/{id}/cahiers", "listerCahiers", "Part the bills of an issued run for printing, in the order of the post", "lots", 0},
		func(in *DemandeCahiers) message.Cahiers { return message.Cahiers{LotID: in.ID, Poste: in.Poste} })
	pdf(g, route{"GET", "/v1/lots/{id}/cahiers/{rang}/pdf", "imprimerCahier", "Read the bills of a part as one PDF, for printing on both sides", "lots", 0},
		func(in *DemandeCahier) message.ImprimerCahier {
			return message.ImprimerCahier{LotID: in.ID, Poste: in.Poste, Rang: in.Rang}
		})
	g.zipCahier()

	expose(g, route{"GET", "/v1/depots", "listerDepots", "List documents that go through the platform of electronic invoices, the newest first", "factures", 0},
		func(in *ListeDepots) message.Depots { return message.Depots{Etat: in.Etat, Page: in.page()} })
	expose(g, route{"POST", "/v1/depots/statuts", "enregistrerStatutDepot", "Record what the platform says of a document; a repetition has no effect", "factures", 0},
		body[message.EnregistrerStatutDepot])
	expose(g, route{"POST", "/v1/depots/{id}/relance", "relancerDepot", "Send a document again that was rejected, or that waits for its next attempt", "factures", 0},
		func(in *OrdreSur) message.RelancerDepot { return message.RelancerDepot{FactureID: in.ID} })
	expose(g, route{"GET", "/v1/e-reporting", "lireEReporting", "Sum what was issued to no company, by day and rate of VAT", "comptabilite", 0},
		func(in *DemandeEReporting) message.EReporting { return message.EReporting{Du: in.Du, Au: in.Au} })
}

type (
	// ListeDepots filters documents on their way.
	ListeDepots struct {
		Etat string `query:"etat" enum:"A_DEPOSER,TRANSMISE,DEPOSEE,RECUE,APPROUVEE,REFUSEE,REJETEE,ENCAISSEE"`
		Liste
	}
	// DemandeEReporting chooses days.
	DemandeEReporting struct {
		Du message.Date `query:"du" format:"date" required:"true"`
		Au message.Date `query:"au" format:"date" required:"true" doc:"Excluded"`
	}
	// DemandeCahiers chooses the bills of a lot.
	DemandeCahiers struct {
		ParID
		Poste bool `query:"poste" doc:"Only the bills that no mail carries"`
	}
	// DemandeCahier chooses a part of them.
	DemandeCahier struct {
		DemandeCahiers
		Rang int `path:"rang" minimum:"1" maximum:"100000"`
	}
)

// zipCahier streams the bills of a part as a ZIP, some at a time: neither end
// holds more of them.
func (g *gateway) zipCahier() {
	op := route{"GET", "/v1/lots/{id}/cahiers/{rang}/zip", "archiverCahier", "Read the bills of a part as a ZIP, each as its own Factur-X file", "lots", 0}.operation()
	op.Responses = file("application/zip", "The archive; a connection that is cut short is a failure")
	op.Errors = []int{401, 403, 404, 503}
	huma.Register(g.api, op, func(ctx context.Context, in *DemandeCahier) (*huma.StreamResponse, error) {
		q := message.DocumentsCahier{LotID: in.ID, Poste: in.Poste, Rang: in.Rang}
		page, err := ask(ctx, g, q, "")
		if err != nil {
			return nil, err
		}
		return archive(fmt.Sprintf("factures-cahier-%03d.zip", in.Rang), func(put func(string, []byte) error) error {
			for {
				for _, d := range page.Items {
					if err := put(d.Nom, d.Contenu); err != nil {
						return err
					}
				}
				if q.Curseur = page.Suivant; q.Curseur == "" {
					return nil
				}
				if page, err = ask(ctx, g, q, ""); err != nil {
					return err
				}
			}
		}), nil
	})
}
