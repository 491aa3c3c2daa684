package main

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"aquaerp.fr/shared/message"
)

// courrier serves what is written to people besides mail: text messages, to
// whoever agreed, and letters that are printed together.
func (g *gateway) courrier() {
	expose(g, route{"GET", "/v1/abonnes/{id}/contact", "lireContactAbonne", "Read whether an abonne wants text messages, and what they said before", "abonnes", 0},
		func(in *ParID) message.ContactDe { return message.ContactDe{AbonneID: in.ID} })
	about(g, route{"POST", "/v1/abonnes/{id}/sms", "consentirSMS", "Record that an abonne wants text messages at a number, or none any more", "abonnes", 0},
		"abonne_id", func(c *message.ConsentirSMS) *string { return &c.AbonneID })
	signed(g, route{"POST", cheminSMS, "notifierSMS", "Hear the provider of text messages, by its signature: REMIS, ECHEC or STOP of a message", "envois", 0},
		func(in *Notification) message.NotifierSMS {
			return message.NotifierSMS{Signature: in.Signature, Corps: in.RawBody}
		})

	expose(g, route{"GET", "/v1/tirages", "listerTirages", "List what waits to be printed, and what was, the newest first", "envois", 0},
		func(in *Liste) message.Tirages { return message.Tirages{Page: in.page()} })
	expose(g, route{"POST", "/v1/tirages", "preparerTirage", "Take the letters of a kind that wait, to be printed together", "envois", 201},
		body[message.PreparerTirage])
	expose(g, route{"GET", "/v1/tirages/{id}", "lireTirage", "Read letters printed together", "envois", 0},
		func(in *ParID) message.TirageParID { return message.TirageParID{ID: in.ID} })
	about(g, route{"POST", "/v1/tirages/{id}/depot", "posterTirage", "Record that letters were taken to the post", "envois", 0},
		"tirage_id", func(c *message.PosterTirage) *string { return &c.TirageID })
	g.tirage()
}

// tirage serves letters as one PDF: mailer says what they are, facture draws them.
func (g *gateway) tirage() {
	op := route{"GET", "/v1/tirages/{id}/pdf", "imprimerTirage", "Read letters as one PDF, for printing on both sides, as often as it takes", "envois", 0}.operation()
	op.Responses = file("application/pdf", "The letters")
	huma.Register(g.api, op, func(ctx context.Context, in *ParID) (*ReponseFichier, error) {
		letters, err := ask(ctx, g, message.LettresDuTirage{TirageID: in.ID}, "")
		if err != nil {
			return nil, err
		}
		d, err := ask(ctx, g, letters, "")
		if err != nil {
			return nil, err
		}
		return served(d, "inline", passing), nil
	})
}
