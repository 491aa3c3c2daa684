// Command mailer is the function that writes to people.
//
// It guarantees one message a fact, channel and recipient, and that none is
// lost: a message is written and stored before it is sent, and what became of
// it after. A crash between the two may send it again, with the same
// Message-ID, by which a reader knows it. Neither addresses nor contents are
// logged, and contents are dropped once the server has them.
package main

import "aquaerp.fr/shared/function"

func main() { function.Main("mailer", listens) }

func listens(rt *function.Runtime) []function.Listen {
	var c struct {
		SMTP serveur    `envconfig:"SMTP_URL" required:"true"`
		From expediteur `envconfig:"MAIL_FROM" required:"true"`
	}
	rt.Configure(&c)
	return mailer{c.SMTP, c.From}.listens()
}

// mailer writes as somebody and sends by a server.
type mailer struct {
	serveur serveur
	de      expediteur
}

func (m mailer) listens() []function.Listen {
	return []function.Listen{
		function.On(m.contratActive),
		function.On(m.invitationEmise),
		function.On(m.facturesEmises),
		function.On(m.avoirEmis),
		function.On(m.fuiteDetectee),
		function.On(m.relanceEmise),
		function.On(m.prelevementsAnnonces),
		function.On(m.echeancierAccorde),
		function.On(m.echeancierRompu),
		function.OnReply(m.documentRecu),

		function.Work(m.envoyer),
		function.On(relancer),

		function.Answer("courrier:lire,portail:lire", envois),
	}
}
