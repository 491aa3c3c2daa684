package main

import (
	"context"
	"fmt"
	"strings"
	"unicode"

	"github.com/danielgtaylor/huma/v2"

	"aquaerp.fr/shared/message"
)

// The queries of arrears, as parameters of a URL.
type (
	// ListeRelances filters the files of unpaid bills.
	ListeRelances struct {
		Etat     string `query:"etat" enum:"EN_RELANCE,SUSPENDU,A_TRANSMETTRE,EN_CONTENTIEUX,CLOS,ADMIS_EN_NON_VALEUR" doc:"All that are open when absent"`
		Niveau   string `query:"niveau" enum:"0,1,2,3,4,5,6,7,8,9" doc:"Letters sent"`
		AbonneID string `query:"abonne_id" format:"uuid"`
		Liste
	}
	// ListeContentieux filters litigation.
	ListeContentieux struct {
		Etat string `query:"etat" enum:"OUVERT,CLOS" doc:"OUVERT when absent"`
		Liste
	}
	// ListeNonValeurs filters what is given up.
	ListeNonValeurs struct {
		Etat string `query:"etat" enum:"PROPOSEE,ADMISE,REFUSEE"`
		Liste
	}
)

// relances serves arrears and litigation.
func (g *gateway) relances() {
	expose(g, route{"GET", "/v1/relances", "listerRelances", "List the files of unpaid bills, the next due first, with sums by level", "relances", 0},
		func(in *ListeRelances) message.Relances {
			q := message.Relances{Etat: in.Etat, AbonneID: in.AbonneID, Page: in.page()}
			if in.Niveau != "" {
				niveau := int(in.Niveau[0] - '0')
				q.Niveau = &niveau
			}
			return q
		})
	expose(g, route{"GET", "/v1/relances/regles", "lireReglesRecouvrement", "List the letters and delays of the law that are in force", "relances", 0},
		func(*Nothing) message.ReglesRecouvrement { return message.ReglesRecouvrement{} })
	expose(g, route{"POST", "/v1/relances/regles/canal", "reglerCanalRelance", "Say how the letters of a level go from today on: in writing, also by text message", "relances", 0},
		body[message.ReglerCanalRelance])
	expose(g, route{"GET", "/v1/relances/{id}", "lireDossierRelance", "Read the file of an unpaid bill with its history", "relances", 0},
		func(in *ParID) message.DossierRelanceParID { return message.DossierRelanceParID{ID: in.ID} })
	about(g, route{"POST", "/v1/abonnes/{id}/suspension-relances", "suspendreRelances", "Hold letters up: FSL, instalments, dispute", "relances", 201},
		"abonne_id", func(c *message.SuspendreRelances) *string { return &c.AbonneID })
	about(g, route{"POST", "/v1/abonnes/{id}/reprise-relances", "reprendreRelances", "End what holds letters up", "relances", 0},
		"abonne_id", func(c *message.ReprendreRelances) *string { return &c.AbonneID })
	about(g, route{"POST", "/v1/abonnes/{id}/aides", "enregistrerAide", "Record help that a household got", "relances", 201},
		"abonne_id", func(c *message.EnregistrerAide) *string { return &c.AbonneID })
	expose(g, route{"GET", "/v1/abonnes/{id}/aides", "listerAides", "Read how a household is helped, and what holds its letters up", "relances", 0},
		func(in *ParID) message.AidesDe { return message.AidesDe{AbonneID: in.ID} })
	about(g, route{"POST", "/v1/aides/{id}/fin", "cloreAide", "End a social tariff on an earlier day", "relances", 0},
		"aide_id", func(c *message.CloreAide) *string { return &c.AideID })
	expose(g, route{"POST", "/v1/factures/{id}/majoration", "majorerAssainissement", "Surcharge the sewerage part of an unpaid bill", "relances", 201},
		func(in *OrdreSur) message.MajorerAssainissement {
			return message.MajorerAssainissement{FactureID: in.ID}
		})
	about(g, route{"POST", "/v1/factures/{id}/penalites", "appliquerPenalites", "Ask for what the lateness of a bill costs, or tell what it would be", "relances", 201},
		"facture_id", func(c *message.AppliquerPenalites) *string { return &c.FactureID })
	expose(g, route{"POST", "/v1/relances/penalites", "definirPenalite", "Set the fee or the rate of late payment from a day on", "relances", 201},
		body[message.DefinirPenalite])

	expose(g, route{"GET", "/v1/contentieux", "listerContentieux", "List litigation, the nearest prescription first", "relances", 0},
		func(in *ListeContentieux) message.ContentieuxEnCours {
			return message.ContentieuxEnCours{Etat: in.Etat, Page: in.page()}
		})
	expose(g, route{"POST", "/v1/contentieux", "ouvrirContentieux", "Start litigation for the bills of an abonne whose notices have passed", "relances", 201},
		body[message.OuvrirContentieux])
	expose(g, route{"GET", "/v1/contentieux/{id}", "lireContentieux", "Read a litigation: bills, acts, documents", "relances", 0},
		func(in *ParID) message.ContentieuxParID { return message.ContentieuxParID{ID: in.ID} })
	about(g, route{"POST", "/v1/contentieux/{id}/actes", "ajouterActe", "Record an act, with its document", "relances", 201},
		"contentieux_id", func(c *message.AjouterActe) *string { return &c.ContentieuxID })
	about(g, route{"POST", "/v1/contentieux/{id}/cloture", "cloreContentieux", "End a litigation", "relances", 0},
		"contentieux_id", func(c *message.CloreContentieux) *string { return &c.ContentieuxID })
	about(g, route{"POST", "/v1/factures/{id}/non-valeur", "proposerNonValeur", "Propose to give up what is owed of a bill", "relances", 201},
		"facture_id", func(c *message.ProposerNonValeur) *string { return &c.FactureID })
	expose(g, route{"GET", "/v1/non-valeurs", "listerNonValeurs", "List what is given up, or proposed to be", "relances", 0},
		func(in *ListeNonValeurs) message.NonValeurs {
			return message.NonValeurs{Etat: in.Etat, Page: in.page()}
		})
	about(g, route{"POST", "/v1/non-valeurs/{id}/decision", "deciderNonValeur", "Give a bill up, or refuse to; never the person who proposed it", "relances", 0},
		"non_valeur_id", func(c *message.DeciderNonValeur) *string { return &c.NonValeurID })

	joint(g, route{"GET", "/v1/actes/{id}/document", "lireDocumentActe", "Read the document of an act", "relances", 0},
		func(id string) message.DocumentActe { return message.DocumentActe{ActeID: id} })
	joint(g, route{"GET", "/v1/aides/{id}/document", "lireDocumentAide", "Read the evidence of a help", "relances", 0},
		func(id string) message.DocumentAide { return message.DocumentAide{AideID: id} })
	g.dossierContentieux()
}

// dossierContentieux streams a litigation as a ZIP for who pleads it: the
// file on paper, the bills that are claimed, and the documents of its acts by
// the numbers that the file gives them.
func (g *gateway) dossierContentieux() {
	op := route{"GET", "/v1/contentieux/{id}/dossier", "archiverContentieux", "Read a litigation as a ZIP: the file on paper, its bills and documents", "relances", 0}.operation()
	op.Responses = file("application/zip", "The archive; a connection that is cut short is a failure")
	op.Errors = []int{401, 403, 404, 503}
	huma.Register(g.api, op, func(ctx context.Context, in *ParID) (*huma.StreamResponse, error) {
		c, err := ask(ctx, g, message.ContentieuxParID{ID: in.ID}, "")
		if err != nil {
			return nil, err
		}
		paper, err := ask(ctx, g, message.ImprimerContentieux{ContentieuxID: in.ID}, "")
		if err != nil {
			return nil, err
		}
		return archive(strings.TrimSuffix(paper.Nom, ".pdf")+".zip", func(put func(string, []byte) error) error {
			if err := put(paper.Nom, paper.Contenu); err != nil {
				return err
			}
			for _, f := range c.Dossiers {
				d, err := ask(ctx, g, message.DocumentFacture{FactureID: f.FactureID}, "")
				if err != nil {
					return err
				}
				if err := put("factures/"+f.Numero+".pdf", d.Contenu); err != nil {
					return err
				}
			}
			piece := 0
			for _, a := range c.Actes {
				if a.DocumentNom == "" {
					continue
				}
				piece++
				d, err := ask(ctx, g, message.DocumentActe{ActeID: a.ID}, "")
				if err != nil {
					return err
				}
				if err := put(fmt.Sprintf("pieces/%02d-%s", piece, nomDeFichier(a.DocumentNom)), d.Contenu); err != nil {
					return err
				}
			}
			return nil
		}), nil
	})
}

// nomDeFichier is a name that leads nowhere else when an archive is opened.
func nomDeFichier(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, s)
}
