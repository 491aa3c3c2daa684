package main

import (
	"archive/zip"
	"context"
	"fmt"
	"mime"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

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
	g.archive()

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

// pdf registers a query that is answered by a document.
func pdf[M message.Request[message.Document], I any](g *gateway, r route, request func(*I) M) {
	op := r.operation()
	op.Responses = map[string]*huma.Response{"200": {
		Description: "The document",
		Content:     map[string]*huma.MediaType{"application/pdf": {Schema: &huma.Schema{Type: "string", Format: "binary"}}},
	}}
	huma.Register(g.api, op, func(ctx context.Context, in *I) (*ReponsePDF, error) {
		d, err := ask(ctx, g, request(in), "")
		if err != nil {
			return nil, err
		}
		return &ReponsePDF{
			ContentType:  d.Mime,
			Disposition:  mime.FormatMediaType("inline", map[string]string{"filename": d.Nom}),
			CacheControl: "private, no-store", // it is true today
			Body:         d.Contenu,
		}, nil
	})
}

// archiveFor is how long a part may take to be read, within the timeout of the
// gateway's Knative Service.
const archiveFor = 280 * time.Second

// archive streams the bills of a part as a ZIP, some at a time: neither end
// holds more of them. When one cannot be had the connection is cut, so that
// nobody takes half an archive for a whole one.
func (g *gateway) archive() {
	op := route{"GET", "/v1/lots/{id}/cahiers/{rang}/zip", "archiverCahier", "Read the bills of a part as a ZIP, each as its own Factur-X file", "lots", 0}.operation()
	op.Responses = map[string]*huma.Response{"200": {
		Description: "The archive; a connection that is cut short is a failure",
		Content:     map[string]*huma.MediaType{"application/zip": {Schema: &huma.Schema{Type: "string", Format: "binary"}}},
	}}
	op.Errors = []int{401, 403, 404, 503}
	huma.Register(g.api, op, func(ctx context.Context, in *DemandeCahier) (*huma.StreamResponse, error) {
		q := message.DocumentsCahier{LotID: in.ID, Poste: in.Poste, Rang: in.Rang}
		page, err := ask(ctx, g, q, "")
		if err != nil {
			return nil, err
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			_, w := humago.Unwrap(hc)
			h := w.Header()
			h.Set("Content-Type", "application/zip")
			h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": fmt.Sprintf("factures-cahier-%03d.zip", in.Rang)}))
			_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(archiveFor))
			out := zip.NewWriter(w)
			for {
				for _, d := range page.Items {
					// A PDF is compressed already.
					file, err := out.CreateHeader(&zip.FileHeader{Name: d.Nom, Method: zip.Store})
					if err == nil {
						_, err = file.Write(d.Contenu)
					}
					if err != nil {
						panic(http.ErrAbortHandler)
					}
				}
				if page.Suivant == "" {
					break
				}
				q.Curseur = page.Suivant
				if page, err = ask(ctx, g, q, ""); err != nil {
					panic(http.ErrAbortHandler)
				}
			}
			if err := out.Close(); err != nil {
				panic(http.ErrAbortHandler)
			}
		}}, nil
	})
}
