// Command mailer is the function that writes to people.
//
// It guarantees one message a fact, channel and recipient, and that none is
// lost: a message is written and stored before it is sent, and what became of
// it after. A crash between the two may send it again, with the same
// Message-ID or Idempotency-Key, by which it is known. Neither addresses nor
// numbers nor contents are logged, and contents are dropped once the server
// has them; letters stay, to be printed again. What cannot be sent is printed,
// where the address is known. Nobody gets a text message who did not agree to
// them.
package main

import "aquaerp.fr/shared/function"

func main() { function.Main("mailer", listens) }

func listens(rt *function.Runtime) []function.Listen {
	var c struct {
		SMTP serveur    `envconfig:"SMTP_URL" required:"true"`
		From expediteur `envconfig:"MAIL_FROM" required:"true"`
	}
	rt.Configure(&c)
	var sms passerelle
	rt.Configure(&sms)
	return mailer{c.SMTP, c.From, sms}.listens()
}

// mailer writes as somebody and sends by a server, or by a provider of text messages.
type mailer struct {
	serveur serveur
	de      expediteur
	sms     passerelle
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
		function.Answer("abonnes:modifier,portail:lire", m.consentir),
		function.Answer("abonnes:lire,portail:lire", m.contactDe),
		function.Answer(function.Public, m.notifierSMS).Ephemeral(),

		function.Answer("courrier:creer", preparerTirage),
		function.Answer("courrier:modifier", posterTirage),
		function.Answer("courrier:lire", tirages),
		function.Answer("courrier:lire", tirageParID),
		function.Answer("courrier:creer", lettresDuTirage),
	}
}
