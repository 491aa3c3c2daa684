package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// envoi is a message to be written.
type envoi struct {
	message.Envoi
	cle, destinataire string
	langue            string          // of a text message
	adresse           message.Adresse // where it goes by post, also when it fails; a bill or an avoir knows its own
	html, texte       string
}

// Waiting times.
const (
	// A message that is not sent by then is announced again by a tick: its
	// event, or the process that held it, may be gone.
	patience = time.Minute

	// After the second failure a message waits for a tick, each time twice as long.
	attenteMax = time.Hour

	// A server that takes nothing for so long is given up (RFC 5321, 4.5.4.1: four to five days).
	abandon = 4 * 24 * time.Hour
)

// contratActive welcomes a new subscriber; one taken over from another system
// knows the house.
func (m mailer) contratActive(ctx context.Context, tx *function.Tx, e message.ContratActive) error {
	if e.Reprise || e.Abonne.Email == "" {
		return nil
	}
	nom := strings.TrimSpace(e.Abonne.Prenom + " " + e.Abonne.Nom)
	return m.deposer(ctx, tx, []*envoi{{cle: e.ContratID, destinataire: e.Abonne.Email, Envoi: message.Envoi{
		Modele: "BIENVENUE", Etat: "QUEUED", AbonneID: e.Abonne.ID, Nom: nom, Reference: e.ContratID,
		Objet: "Bienvenue : votre contrat " + e.Numero + " est actif",
	}}}, e)
}

// invitationEmise sends the address where an account is opened. It works once,
// so each invitation is a fact of its own.
func (m mailer) invitationEmise(ctx context.Context, tx *function.Tx, e message.InvitationEmise) error {
	return m.deposer(ctx, tx, []*envoi{{cle: e.UtilisateurID + " " + e.ExpireA.UTC().Format(time.RFC3339Nano), destinataire: e.Email, Envoi: message.Envoi{
		Modele: "INVITATION", Etat: "QUEUED", AbonneID: e.AbonneID, Nom: e.Nom, Reference: e.UtilisateurID,
		Objet: "Ouvrez votre espace abonné",
	}}}, e)
}

// facturesEmises writes to everybody who has a bill and asks for the PDF of
// those that go by mail. The others wait as COURRIER to be printed.
func (m mailer) facturesEmises(ctx context.Context, tx *function.Tx, e message.FacturesEmises) error {
	envois, faits := make([]*envoi, len(e.Factures)), make([]any, len(e.Factures))
	for i, f := range e.Factures {
		envois[i] = &envoi{cle: f.FactureID, destinataire: f.Email, Envoi: message.Envoi{
			Modele: "FACTURE", Etat: "ATTENTE_PIECE", AbonneID: f.AbonneID, Nom: f.Nom, Reference: f.FactureID,
			Objet: "Votre facture d’eau " + f.Numero,
		}}
		faits[i] = f
	}
	return m.deposer(ctx, tx, envois, faits...)
}

// avoirEmis writes to whom a bill was taken back, with the document.
func (m mailer) avoirEmis(ctx context.Context, tx *function.Tx, e message.AvoirEmis) error {
	return m.deposer(ctx, tx, []*envoi{{cle: e.AvoirID, destinataire: e.Email, Envoi: message.Envoi{
		Modele: "AVOIR", Etat: "ATTENTE_PIECE", AbonneID: e.AbonneID, Nom: e.Nom, Reference: e.AvoirID,
		Objet: "Avoir " + e.Numero + " sur votre facture d’eau " + e.Facture,
	}}}, e)
}

// fuiteDetectee tells an abonne of an abnormal volume, and what to do about
// it (CGCT R2224-20-1 II).
func (m mailer) fuiteDetectee(ctx context.Context, tx *function.Tx, e message.FuiteDetectee) error {
	lettre := &envoi{cle: e.FuiteID, destinataire: e.Email, adresse: e.Adresse, Envoi: message.Envoi{
		Modele: "FUITE", Etat: "QUEUED", AbonneID: e.AbonneID, Nom: e.Nom, Reference: e.FuiteID,
		Objet: "Consommation d’eau anormale : une fuite est possible",
	}}
	texto, err := m.texto(ctx, tx, lettre)
	switch {
	case err != nil:
		return err
	case texto == nil:
		return m.deposer(ctx, tx, []*envoi{lettre}, e)
	}
	return m.deposer(ctx, tx, []*envoi{lettre, texto}, e, e)
}

// texto is the text message that goes with a letter, or nil: only to whoever
// agreed, and where the service sends them.
func (m mailer) texto(ctx context.Context, tx *function.Tx, lettre *envoi) (*envoi, error) {
	if !m.sms.ouverte() {
		return nil, nil
	}
	j, _, err := contact(ctx, tx, lettre.AbonneID)
	if err != nil || !j.accepte {
		return nil, err
	}
	e := *lettre
	e.Canal, e.destinataire, e.langue, e.adresse = "SMS", j.numero, j.langue, message.Adresse{}
	return &e, nil
}

// relanceEmise asks to pay. Without an address it waits as COURRIER, written:
// it is a letter that the law asks for. A level that goes by text message
// alone is written to whoever did not agree to them.
func (m mailer) relanceEmise(ctx context.Context, tx *function.Tx, e message.RelanceEmise) error {
	objet := "Rappel : factures d’eau à régler"
	if e.ServicesSociaux {
		objet = "Second rappel avant recouvrement : factures d’eau à régler"
	}
	lettre := &envoi{cle: e.CourrierID, destinataire: e.Email, adresse: e.Adresse, Envoi: message.Envoi{
		Modele: "RELANCE", Etat: "QUEUED", AbonneID: e.AbonneID, Nom: e.Nom, Reference: e.CourrierID, Objet: objet,
	}}
	if e.Canal == "" || e.Canal == "ECRIT" {
		return m.deposer(ctx, tx, []*envoi{lettre}, e)
	}
	texto, err := m.texto(ctx, tx, lettre)
	switch {
	case err != nil:
		return err
	case texto == nil:
		return m.deposer(ctx, tx, []*envoi{lettre}, e)
	case e.Canal == "SMS":
		texto.adresse = e.Adresse // it stands for the letter
		return m.deposer(ctx, tx, []*envoi{texto}, e)
	}
	return m.deposer(ctx, tx, []*envoi{lettre, texto}, e, e)
}

// prelevementsAnnonces tells of the day and the amount of debits that no bill announced.
func (m mailer) prelevementsAnnonces(ctx context.Context, tx *function.Tx, e message.PrelevementsAnnonces) error {
	envois, faits := make([]*envoi, len(e.Prelevements)), make([]any, len(e.Prelevements))
	for i, p := range e.Prelevements {
		envois[i] = &envoi{cle: p.PrelevementID, destinataire: p.Email, adresse: p.Adresse, Envoi: message.Envoi{
			Modele: "PRELEVEMENT", Etat: "QUEUED", AbonneID: p.AbonneID, Nom: p.Nom, Reference: p.PrelevementID,
			Objet: "Prélèvement de " + message.Euros(p.MontantCentimes) + " le " + jour(p.Date),
		}}
		faits[i] = struct {
			message.PrelevementAnnonce
			Creancier, ICS string
		}{p, e.Creancier, e.ICS}
	}
	return m.deposer(ctx, tx, envois, faits...)
}

// echeancierAccorde gives the days and the amounts of a plan of payment.
func (m mailer) echeancierAccorde(ctx context.Context, tx *function.Tx, e message.EcheancierAccorde) error {
	objet := "Votre échéancier de paiement"
	if e.Nature == "MENSUALISATION" {
		objet = "Vos prélèvements mensuels à partir du " + jour(e.Echeances[0].Date)
	}
	return m.deposer(ctx, tx, []*envoi{{cle: e.ID, destinataire: e.Email, adresse: e.Adresse, Envoi: message.Envoi{
		Modele: "ECHEANCIER", Etat: "QUEUED", AbonneID: e.AbonneID, Nom: e.Nom, Reference: e.ID, Objet: objet,
	}}}, e)
}

// echeancierRompu tells that a missed part ended a plan of payment.
func (m mailer) echeancierRompu(ctx context.Context, tx *function.Tx, e message.EcheancierRompu) error {
	return m.deposer(ctx, tx, []*envoi{{cle: e.EcheancierID, destinataire: e.Email, adresse: e.Adresse, Envoi: message.Envoi{
		Modele: "RUPTURE", Etat: "QUEUED", AbonneID: e.AbonneID, Nom: e.Nom, Reference: e.EcheancierID,
		Objet: "Une échéance n’a pas été payée : votre accord de paiement a pris fin",
	}}}, e)
}

// ligne is an envoi as its table takes it.
type ligne struct {
	message.Envoi
	Cle          string           `json:"cle"`
	Destinataire string           `json:"destinataire"`
	Langue       string           `json:"langue"`
	Texte        string           `json:"texte,omitempty"`
	HTML         string           `json:"html,omitempty"`
	Lettre       string           `json:"lettre,omitempty"`
	Adresse      *message.Adresse `json:"adresse,omitempty"`
	RelanceA     time.Time        `json:"relance_a"`
}

// deposer writes and stores messages, each about its fact, and sets them
// going. What cannot be addressed is given up: it must not hold up the
// others. A message that exists already stays as it is.
func (m mailer) deposer(ctx context.Context, tx *function.Tx, envois []*envoi, faits ...any) error {
	lignes := make([]ligne, len(envois))
	for i, e := range envois {
		e.ID, e.CreeA, e.Canal = function.NewID(), tx.Now, cmp.Or(e.Canal, "EMAIL")
		sansPiece := e.Etat == "QUEUED" // all is in the message; else the document is what is printed
		if e.destinataire == "" {
			e.Canal, e.Etat = "COURRIER", "QUEUED"
		}
		l, modele := lettre{m.de.Name, e.Objet, e.Nom, faits[i]}, strings.ToLower(e.Modele)
		var posted string
		var err error
		switch {
		case e.Canal == "SMS":
			e.texte, err = ecrireSMS(modele, e.langue, l)
			e.Encodage, e.Segments = longueur(e.texte)
			if err == nil && e.adresse != (message.Adresse{}) {
				_, posted, err = ecrire(modele, l)
			}
		case e.Canal == "EMAIL" || sansPiece:
			e.html, e.texte, err = ecrire(modele, l)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", e.Modele, err)
		}
		lignes[i] = ligne{Envoi: e.Envoi, Cle: e.cle, Destinataire: e.destinataire, Langue: cmp.Or(e.langue, "fr"), Texte: e.texte, HTML: e.html, Lettre: posted, RelanceA: tx.Now.Add(patience)}
		if e.adresse != (message.Adresse{}) {
			lignes[i].Adresse = &e.adresse
		}
	}
	rows, err := tx.Query(ctx, `
		insert into envoi (id, modele, cle, canal, destinataire, etat, abonne_id, nom, objet, reference, texte, html, lettre, relance_a, cree_a, langue, segments, encodage, adresse)
		select id, modele, cle, canal, destinataire, etat, abonne_id, nom, objet, reference, texte, html, lettre, relance_a, cree_a, langue, segments, encodage, adresse
		from json_populate_recordset(null::envoi, $1)
		on conflict (modele, cle, canal, destinataire) do nothing returning id`, lignes)
	if err != nil {
		return err
	}
	fresh, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, e := range envois {
		switch {
		case !slices.Contains(fresh, e.ID):
		case e.Canal == "EMAIL" && !adressable(e.destinataire, e.Nom, e.Objet):
			if err := echouer(ctx, tx, e.ID, "adresse_invalide"); err != nil {
				return err
			}
		case e.Etat == "ATTENTE_PIECE":
			tx.Post(e.Reference, e.ID, message.DocumentFacture{FactureID: e.Reference})
		case e.Canal != "COURRIER":
			tx.Emit(e.ID, 0, message.EnvoiPret{EnvoiID: e.ID})
		}
	}
	return nil
}

// adressable tells whether a message can be addressed: one mailbox, and
// nothing in a header that could start another.
func adressable(address string, headers ...string) bool {
	a, err := mail.ParseAddress(address)
	if err != nil || a.Address != address {
		return false
	}
	for _, h := range append(headers, address) {
		if strings.ContainsFunc(h, unicode.IsControl) {
			return false
		}
	}
	return true
}

// documentRecu puts the PDF of a bill into its message, which can go now.
func (m mailer) documentRecu(ctx context.Context, tx *function.Tx, p function.Posted) error {
	if p.Problem != nil {
		return echouer(ctx, tx, p.Correlation, "piece: "+p.Problem.Code)
	}
	var d message.Document
	if err := json.Unmarshal(p.Data, &d); err != nil {
		return function.Refused("document_illisible", "Le document n'est pas lisible.", "The document cannot be read.")
	}
	sum := sha256.Sum256(d.Contenu)
	tag, err := tx.Exec(ctx, `
		update envoi set etat = 'QUEUED', piece = $2, piece_nom = $3, piece_mime = $4, piece_sha256 = $5, relance_a = $6
		where id = $1 and etat = 'ATTENTE_PIECE'`, p.Correlation, d.Contenu, d.Nom, d.Mime, sum[:], tx.Now.Add(patience))
	if err == nil && tag.RowsAffected() == 1 {
		tx.Emit(p.Correlation, 0, message.EnvoiPret{EnvoiID: p.Correlation})
	}
	return err
}

// nonAboutie is the condition of a message that may still be given up.
const nonAboutie = "etat not in ('DELIVERED', 'FAILED') and (canal = 'SMS' or etat <> 'SENT')"

// echouer gives a message up, unless it is over. A letter whose address of
// the post is known is printed instead.
func echouer(ctx context.Context, tx *function.Tx, id, motif string) error {
	if _, err := tx.Exec(ctx, `
		insert into envoi (id, modele, cle, canal, destinataire, etat, abonne_id, nom, objet, reference, texte, adresse, relance_a, cree_a)
		select $2, modele, cle, 'COURRIER', '', 'QUEUED', abonne_id, nom, objet, reference, coalesce(lettre, texte), adresse, $3, $3
		from envoi where id = $1 and adresse is not null and `+nonAboutie+` for update
		on conflict (modele, cle, canal, destinataire) do nothing`, id, function.NewID(), tx.Now); err != nil {
		return err
	}
	rows, err := tx.Query(ctx, `
		update envoi set etat = 'FAILED', erreur = $2, texte = null, html = null, lettre = null, piece = null
		where id = $1 and `+nonAboutie+`
		returning id, coalesce(reference::text, ''), coalesce(abonne_id::text, ''), erreur`, id, motif)
	if err != nil {
		return err
	}
	var r message.EnvoiRefuse
	_, err = pgx.ForEachRow(rows, []any{&r.EnvoiID, &r.Reference, &r.AbonneID, &r.Motif}, func() error { return nil })
	if err == nil && r.EnvoiID != "" {
		tx.Emit(id, 0, r)
	}
	return err
}

// lotDeRelance bounds what one tick takes up.
const lotDeRelance = 500

// relancer announces again what is due: its event was lost on the way, the
// process that sent it died, or the server asked to try later.
func relancer(ctx context.Context, tx *function.Tx, _ message.Tick) error {
	rows, err := tx.Query(ctx, `
		update envoi set etat = 'QUEUED', relance_a = $2
		where id in (
			select id from envoi where etat in ('QUEUED', 'SENDING') and canal <> 'COURRIER' and relance_a <= $1
			order by relance_a limit $3 for update skip locked)
		returning id`, tx.Now, tx.Now.Add(5*patience), lotDeRelance)
	if err != nil {
		return err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	for _, id := range ids {
		tx.Emit(id, 0, message.EnvoiPret{EnvoiID: id})
	}
	return err
}
