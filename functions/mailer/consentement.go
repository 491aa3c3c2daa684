package main

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// consentir records what an abonne said about text messages. Every word is
// kept: the last one counts, the others prove what was agreed when.
func (m mailer) consentir(ctx context.Context, tx *function.Tx, c message.ConsentirSMS) (message.ContactAbonne, error) {
	if !tx.Identity().Owns(c.AbonneID) {
		return message.ContactAbonne{}, contactInconnu()
	}
	if tx.Identity().AbonneID != "" {
		c.Origine = "PORTAIL"
	}
	if c.Origine == "" {
		return message.ContactAbonne{}, function.Invalid("origine", "origine_requise", "Dites comment l'abonné l'a demandé : au guichet, au téléphone ou par écrit.", "Say how the subscriber asked for it: at the desk, by telephone or in writing.")
	}
	numero, ok := e164(c.Numero)
	if !c.Accepte {
		before, known, err := contact(ctx, tx, c.AbonneID)
		switch {
		case err != nil:
			return message.ContactAbonne{}, err
		case !known || !before.accepte:
			return m.contactDe(ctx, tx, message.ContactDe{AbonneID: c.AbonneID}) // nothing to take back
		}
		numero, c.Langue, ok = before.numero, before.langue, true
	}
	if !ok {
		return message.ContactAbonne{}, function.Invalid("numero", "numero_mobile_requis",
			"Ce n'est pas le numéro d'un téléphone mobile : écrivez-le comme 06 12 34 56 78, ou avec l'indicatif de son pays.",
			"This is not the number of a mobile telephone: write it like 06 12 34 56 78, or with the code of its country.")
	}
	if err := noterConsentement(ctx, tx, c.AbonneID, c.Accepte, numero, c.Langue, c.Origine); err != nil {
		return message.ContactAbonne{}, err
	}
	return m.contactDe(ctx, tx, message.ContactDe{AbonneID: c.AbonneID})
}

func noterConsentement(ctx context.Context, tx *function.Tx, abonneID string, accepte bool, numero, langue, origine string) error {
	_, err := tx.Exec(ctx, `insert into consentement_sms (abonne_id, accepte, numero, langue, origine, le, par)
		values ($1, $2, $3, coalesce(nullif($4, ''), 'fr'), $5, $6, $7)`, abonneID, accepte, numero, langue, origine, tx.Now, tx.Identity().ID)
	return err
}

// joignable is where text messages to an abonne go.
type joignable struct {
	numero, langue string
	accepte        bool
}

// contact is the last word of an abonne; known is false when they never said one.
func contact(ctx context.Context, tx *function.Tx, abonneID string) (j joignable, known bool, err error) {
	err = tx.QueryRow(ctx, "select numero, langue, accepte from consentement_sms where abonne_id = nullif($1, '')::uuid order by id desc limit 1", abonneID).
		Scan(&j.numero, &j.langue, &j.accepte)
	if errors.Is(err, pgx.ErrNoRows) {
		return j, false, nil
	}
	return j, err == nil, err
}

// contactDe reads what an abonne said about text messages.
func (m mailer) contactDe(ctx context.Context, tx *function.Tx, q message.ContactDe) (c message.ContactAbonne, err error) {
	if !tx.Identity().Owns(q.AbonneID) {
		return c, contactInconnu()
	}
	j, _, err := contact(ctx, tx, q.AbonneID)
	if err != nil {
		return c, err
	}
	c.Ouvert, c.Accepte, c.Numero, c.Langue = m.sms.ouverte(), j.accepte, j.numero, j.langue
	rows, err := tx.Query(ctx, "select accepte, numero, origine, le, par from consentement_sms where abonne_id = $1 order by id desc limit 50", q.AbonneID)
	if err != nil {
		return c, err
	}
	c.Historique, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.ConsentementSMS])
	return c, err
}

func contactInconnu() error {
	return function.NotFound("abonne_inconnu", "Cet abonné n'existe pas.", "There is no such subscriber.")
}

// notification is what the provider tells of a text message.
type notification struct {
	ID      string `json:"id"`      // once each
	Message string `json:"message"` // the id that it was sent with
	Etat    string `json:"etat"`    // REMIS, ECHEC, or STOP: the person answered that they want no more
	Code    string `json:"code"`    // of a failure
}

// notifierSMS hears the provider. What it tells twice counts once, and a
// message that is on the telephone stays so whatever comes late.
func (m mailer) notifierSMS(ctx context.Context, tx *function.Tx, c message.NotifierSMS) (r message.SMSNotifie, err error) {
	if err := m.sms.Secrets.Heard(c.Signature, c.Corps, tx.Now); err != nil {
		return r, err
	}
	var n notification
	if err := json.Unmarshal(c.Corps, &n); err != nil || n.ID == "" || len(n.ID) > 80 || n.Etat != "REMIS" && n.Etat != "ECHEC" && n.Etat != "STOP" {
		return r, function.Refused("notification_illisible", "Cette notification n'a pas la forme convenue.", "This notification has not the agreed shape.")
	}
	id, err := uuid.Parse(n.Message)
	if err != nil {
		return r, envoiInconnu()
	}
	var abonneID, numero string
	err = tx.QueryRow(ctx, "select etat, coalesce(abonne_id::text, ''), destinataire from envoi where id = $1 and canal = 'SMS' for update", id).
		Scan(&r.Etat, &abonneID, &numero)
	if errors.Is(err, pgx.ErrNoRows) {
		return r, envoiInconnu()
	}
	if err != nil {
		return r, err
	}
	tag, err := tx.Exec(ctx, "insert into notification_sms (id, recu_a) values ($1, $2) on conflict do nothing", n.ID, tx.Now)
	if err != nil || tag.RowsAffected() == 0 {
		return r, err
	}
	switch {
	case n.Etat == "STOP":
		return r, stop(ctx, tx, abonneID, numero)
	case r.Etat == "DELIVERED" || r.Etat == "FAILED":
		return r, nil
	case n.Etat == "ECHEC":
		r.Etat = "FAILED"
		return r, echouer(ctx, tx, id.String(), "non remis : "+code(n.Code))
	}
	// It may come before our own note that the provider took the message.
	if err := reussir(ctx, tx, id.String()); err != nil {
		return r, err
	}
	r.Etat = "DELIVERED"
	_, err = tx.Exec(ctx, "update envoi set etat = 'DELIVERED', remis_a = $2, lettre = null where id = $1", id, tx.Now)
	return r, err
}

func envoiInconnu() error {
	return function.NotFound("envoi_inconnu", "Ce message n'existe pas.", "There is no such message.")
}

// stop takes back what an abonne agreed to at a number. They may have agreed
// to another since.
func stop(ctx context.Context, tx *function.Tx, abonneID, numero string) error {
	j, _, err := contact(ctx, tx, abonneID)
	if err != nil || !j.accepte || j.numero != numero {
		return err
	}
	return noterConsentement(ctx, tx, abonneID, false, numero, j.langue, "REPONSE")
}

// code is what may be kept of a provider's code: it might hold the number.
func code(s string) string {
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '_' && r != '-' {
			return "inconnu"
		}
	}
	if s == "" || len(s) > 40 {
		return "inconnu"
	}
	return s
}
