package main

import "aquaerp.fr/shared/message"

// ListeRemboursements filters refunds.
type ListeRemboursements struct {
	AbonneID string `query:"abonne_id" format:"uuid"`
	Etat     string `query:"etat" enum:"DEMANDE,APPROUVE,REFUSE,PAYE"`
}

// ListeEcheanciers filters plans of payment.
type ListeEcheanciers struct {
	Etat string `query:"etat" enum:"EN_COURS,ROMPU,SOLDE,ANNULE" default:"EN_COURS"`
}

// paiements are the routes of money: what comes in, goes back, and waits.
func (g *gateway) paiements() {
	about(g, route{"POST", "/v1/paiements/{id}/rejet", "rejeterPaiement", "Take a payment back; the bills that it paid are open again", "paiements", 0},
		"paiement_id", func(c *message.RejeterPaiement) *string { return &c.PaiementID })
	about(g, route{"POST", "/v1/paiements/{id}/lettrage", "lettrerPaiement", "Match what a payment has left with a bill", "paiements", 0},
		"paiement_id", func(c *message.LettrerPaiement) *string { return &c.PaiementID })
	about(g, route{"POST", "/v1/paiements/{id}/delettrage", "delettrerPaiement", "Take a payment off a bill", "paiements", 0},
		"paiement_id", func(c *message.DelettrerPaiement) *string { return &c.PaiementID })
	about(g, route{"POST", "/v1/paiements/{id}/desaffectation", "desaffecterPaiement", "Take a payment from an abonne whose money it was not", "paiements", 0},
		"paiement_id", func(c *message.DesaffecterPaiement) *string { return &c.PaiementID })
	expose(g, route{"POST", "/v1/factures/{id}/paiement-en-ligne", "payerFactureEnLigne", "Start to pay a bill by card or telephone; go on at the url of the answer", "paiements", 201},
		func(in *OrdreSur) message.PayerEnLigne { return message.PayerEnLigne{FactureID: in.ID} })
	expose(g, route{"GET", "/v1/paiements-en-ligne/{id}", "lirePaiementEnLigne", "Read an attempt to pay online", "paiements", 0},
		func(in *ParID) message.PaiementEnLigneParID { return message.PaiementEnLigneParID{ID: in.ID} })
	signed(g, route{"POST", cheminNotifications, "notifierPaiement", "Hear the payment provider, by its signature", "paiements", 0},
		func(in *Notification) message.NotifierPaiement {
			return message.NotifierPaiement{Signature: in.Signature, Corps: in.RawBody}
		})
	expose(g, route{"GET", "/v1/moyens-de-paiement", "listerMoyensDePaiement", "List the means of payment and the rules of today", "paiements", 0},
		func(*Nothing) message.MoyensDePaiement { return message.MoyensDePaiement{} })

	expose(g, route{"GET", "/v1/caisses", "listerCaisses", "List the cash desks and their sessions", "paiements", 0},
		func(*Nothing) message.Caisses { return message.Caisses{} })
	expose(g, route{"POST", "/v1/caisses/sessions", "ouvrirCaisse", "Open a session of a cash desk", "paiements", 201},
		body[message.OuvrirCaisse])
	about(g, route{"POST", "/v1/caisses/sessions/{id}/fermeture", "fermerCaisse", "Close a session with what was counted", "paiements", 0},
		"session_id", func(c *message.FermerCaisse) *string { return &c.SessionID })

	expose(g, route{"GET", "/v1/bordereaux", "listerBordereaux", "List deposit slips, the newest first", "paiements", 0},
		func(in *Liste) message.Bordereaux { return message.Bordereaux{Page: in.page()} })
	expose(g, route{"POST", "/v1/bordereaux", "creerBordereau", "Take payments of a means to the bank", "paiements", 201},
		body[message.CreerBordereau])
	expose(g, route{"GET", "/v1/bordereaux/{id}", "lireBordereau", "Read a deposit slip with its payments", "paiements", 0},
		func(in *ParID) message.BordereauParID { return message.BordereauParID{ID: in.ID} })
	pdf(g, route{"GET", "/v1/bordereaux/{id}/pdf", "lireDocumentBordereau", "Read a deposit slip as the bank takes it (PDF)", "paiements", 0},
		func(in *ParID) message.DocumentBordereau { return message.DocumentBordereau{BordereauID: in.ID} })

	expose(g, route{"GET", "/v1/rapprochement", "lireRapprochement", "Read the money that no bill has been found for", "paiements", 0},
		func(*Nothing) message.ARapprocher { return message.ARapprocher{} })
	expose(g, route{"POST", "/v1/rapprochement/regles", "reglerLettrage", "Turn a rule of matching on or off", "paiements", 0},
		body[message.ReglerLettrage])
	expose(g, route{"POST", "/v1/rapprochement/notifications", "traiterNotification", "Say that a refused notification of the payment provider has been dealt with", "paiements", 0},
		body[message.TraiterNotification])
	expose(g, route{"POST", "/v1/encaissements", "enregistrerEncaissement", "Take a movement of the bank whose owner the rules find", "paiements", 201},
		body[message.EnregistrerEncaissement])
	about(g, route{"POST", "/v1/encaissements/{id}/affectation", "affecterAttente", "Give money that waited to its owner", "paiements", 0},
		"attente_id", func(c *message.AffecterAttente) *string { return &c.AttenteID })

	expose(g, route{"GET", "/v1/remboursements", "listerRemboursements", "List refunds, those that wait first", "paiements", 0},
		func(in *ListeRemboursements) message.Remboursements {
			return message.Remboursements{AbonneID: in.AbonneID, Etat: in.Etat}
		})
	expose(g, route{"POST", "/v1/remboursements", "demanderRemboursement", "Ask to pay back what an abonne is in credit of", "paiements", 201},
		body[message.DemanderRemboursement])
	about(g, route{"POST", "/v1/remboursements/{id}/decision", "deciderRemboursement", "Approve or refuse a refund that somebody else asked for", "paiements", 0},
		"remboursement_id", func(c *message.DeciderRemboursement) *string { return &c.RemboursementID })
	about(g, route{"POST", "/v1/remboursements/{id}/paiement", "payerRemboursement", "Record that a refund was paid", "paiements", 0},
		"remboursement_id", func(c *message.PayerRemboursement) *string { return &c.RemboursementID })

	expose(g, route{"GET", "/v1/abonnes/{id}/echeanciers", "listerEcheanciersAbonne", "List the plans of payment of an abonne", "paiements", 0},
		func(in *ParID) message.Echeanciers { return message.Echeanciers{AbonneID: in.ID} })
	expose(g, route{"GET", "/v1/echeanciers", "listerEcheanciers", "List the plans of payment of all abonnes in a state", "paiements", 0},
		func(in *ListeEcheanciers) message.EcheanciersSuivis { return message.EcheanciersSuivis{Etat: in.Etat} })
	about(g, route{"POST", "/v1/abonnes/{id}/echeanciers", "creerEcheancier", "Grant an abonne to pay open bills in parts", "paiements", 201},
		"abonne_id", func(c *message.CreerEcheancier) *string { return &c.AbonneID })
	about(g, route{"POST", "/v1/abonnes/{id}/mensualisation", "mensualiserAbonne", "Spread the bills of a year ahead over monthly debits", "paiements", 201},
		"abonne_id", func(c *message.Mensualiser) *string { return &c.AbonneID })
	about(g, route{"POST", "/v1/echeanciers/{id}/arret", "arreterEcheancier", "End a plan of payment", "paiements", 0},
		"echeancier_id", func(c *message.ArreterEcheancier) *string { return &c.EcheancierID })
}
