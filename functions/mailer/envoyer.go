package main

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// courriel is a message as it goes to the server: a mail or a text message.
type courriel struct {
	canal, id, destinataire, nom, objet, texte, html string
	pieceNom, pieceMime                              string
	piece                                            []byte
	date                                             time.Time
	essais                                           int
}

// essaisRapproches is how often a failure asks the queue to deliver again at
// once; after that a tick takes the message up, so that a server that is away
// for an hour fills no dead-letter queue.
const essaisRapproches = 3

// envoyer sends a message that is ready: it is marked, sent outside any
// transaction, and what came of it is kept. A message that is sent is left
// alone. One that somebody else is sending is asked for again later: should
// they have died, whoever comes after their time sends it.
func (m mailer) envoyer(ctx context.Context, rt *function.Runtime, e message.EnvoiPret) error {
	var c *courriel
	if err := rt.InTx(ctx, func(tx *function.Tx) (err error) {
		c, err = prendre(ctx, tx, e.EnvoiID)
		return err
	}); err != nil || c == nil {
		return err
	}
	failure := m.remettre(ctx, c)
	if err := rt.InTx(ctx, func(tx *function.Tx) error { return conclure(ctx, tx, c, failure) }); err != nil {
		return err
	}
	if failure != nil && !failure.definitif && c.essais <= essaisRapproches {
		return function.NotYet("courriel_differe", "Le serveur ne prend pas le message : "+failure.motif, "The server does not take the message: "+failure.motif)
	}
	return nil
}

// remettre gives a message to whoever carries it; nil means that it was taken.
func (m mailer) remettre(ctx context.Context, c *courriel) *echec {
	if c.canal == "SMS" {
		return m.sms.envoyer(ctx, c)
	}
	return m.serveur.envoyer(ctx, m.de, c)
}

// prendre marks a message as being sent, or returns nil when it is not to be
// sent any more.
func prendre(ctx context.Context, tx *function.Tx, id string) (*courriel, error) {
	rows, err := tx.Query(ctx, `
		update envoi set etat = 'SENDING', essais = essais + 1, relance_a = $2
		where id = $1 and canal <> 'COURRIER' and (etat = 'QUEUED' or etat = 'SENDING' and relance_a <= $3)
		returning canal, id, destinataire, nom, objet, texte, coalesce(html, ''), coalesce(piece_nom, ''), coalesce(piece_mime, ''), piece, cree_a, essais`, id, tx.Now.Add(patience), tx.Now)
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c *courriel, err error) {
		c = new(courriel)
		err = row.Scan(&c.canal, &c.id, &c.destinataire, &c.nom, &c.objet, &c.texte, &c.html, &c.pieceNom, &c.pieceMime, &c.piece, &c.date, &c.essais)
		return c, err
	})
	switch {
	case err != nil:
		return nil, err
	case len(found) == 1 && found[0].canal == "SMS":
		return consenti(ctx, tx, found[0])
	case len(found) == 1:
		return found[0], nil
	}
	var sending bool
	if err := tx.QueryRow(ctx, "select exists (select from envoi where id = $1 and etat = 'SENDING')", id).Scan(&sending); err != nil || !sending {
		return nil, err
	}
	return nil, function.NotYet("envoi_en_cours", "Ce message est en cours d'envoi.", "This message is being sent.")
}

// consenti gives a text message up, returning nil, when whoever wanted it
// wants none any more, or elsewhere.
func consenti(ctx context.Context, tx *function.Tx, c *courriel) (*courriel, error) {
	var still bool
	err := tx.QueryRow(ctx, `select coalesce((select s.accepte and s.numero = e.destinataire from consentement_sms s where s.abonne_id = e.abonne_id order by s.id desc limit 1), false)
		from envoi e where e.id = $1`, c.id).Scan(&still)
	if err != nil || still {
		return c, err
	}
	return nil, echouer(ctx, tx, c.id, "consentement_retire")
}

// conclure keeps what came of a message.
func conclure(ctx context.Context, tx *function.Tx, c *courriel, failure *echec) error {
	switch {
	case failure == nil:
		return reussir(ctx, tx, c.id)
	case failure.definitif:
		return echouer(ctx, tx, c.id, failure.motif)
	case tx.Now.Sub(c.date) > abandon:
		return echouer(ctx, tx, c.id, "abandon : "+failure.motif)
	}
	wait := min(patience<<min(c.essais-1, 10), attenteMax)
	_, err := tx.Exec(ctx, `update envoi set etat = 'QUEUED', relance_a = $2 where id = $1 and etat = 'SENDING'`, c.id, tx.Now.Add(wait))
	return err
}

// reussir records that the server has the message, which we need no more.
// A text message may be on the telephone by then, or refused by it.
func reussir(ctx context.Context, tx *function.Tx, id string) error {
	rows, err := tx.Query(ctx, `
		update envoi set etat = 'SENT', envoye_a = $2, erreur = '', texte = null, html = null, piece = null
		where id = $1 and etat not in ('SENT', 'DELIVERED', 'FAILED')
		returning id, modele, coalesce(reference::text, ''), coalesce(abonne_id::text, ''),
			canal = 'SMS' and exists (select from envoi l where l.modele = envoi.modele and l.cle = envoi.cle and l.canal <> 'SMS')`, id, tx.Now)
	if err != nil {
		return err
	}
	fait := message.EnvoiFait{Le: tx.Today()}
	_, err = pgx.ForEachRow(rows, []any{&fait.EnvoiID, &fait.Modele, &fait.Reference, &fait.AbonneID, &fait.Accompagne}, func() error {
		return nil
	})
	if err == nil && fait.EnvoiID != "" {
		tx.Emit(id, 0, fait)
	}
	return err
}
