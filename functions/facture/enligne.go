package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/url"
	"regexp"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
	"aquaerp.fr/shared/signature"
)

// prestataire is the port to a payment provider. Both ways are signed with a
// shared secret: the address that the payer is sent to, so that nobody
// changes the sum on the way, and what the provider tells, so that nobody
// else tells it. Nothing is asked over the network.
type prestataire struct {
	URL     string            `envconfig:"PAIEMENT_URL"`     // the provider's page; "" without a provider
	Secrets signature.Secrets `envconfig:"PAIEMENT_SECRETS"` // the first signs, all verify
	Portail string            `envconfig:"PORTAL_URL"`       // whose page of the bill the payer comes back to
}

// ouvert tells whether there is a provider.
func (p prestataire) ouvert() bool { return p.URL != "" && len(p.Secrets) > 0 }

// compte is the account of an abonne, with whether its bills can be paid online.
func (p prestataire) compte(ctx context.Context, tx *function.Tx, q message.Compte) (message.CompteAbonne, error) {
	c, err := compte(ctx, tx, q)
	c.EnLigne = p.ouvert()
	return c, err
}

// notification is what the provider tells of an attempt. The payer may try
// several cards for one attempt: each try is a transaction.
type notification struct {
	ID              string `json:"id"`          // of what is told, the same when it is told again
	Commande        string `json:"commande"`    // id of the attempt
	Transaction     string `json:"transaction"` // of the try; none when it is ABANDONNE
	Etat            string `json:"etat"`        // ACCEPTE, REFUSE or ABANDONNE
	Mode            string `json:"mode"`        // CARTE or MOBILE; none when it is ABANDONNE
	MontantCentimes int64  `json:"montant_centimes"`
	Devise          string `json:"devise"`
}

// nomme is what the provider may name things by.
var nomme = regexp.MustCompile(`^[!-~]{1,80}$`)

func (n notification) lisible() bool {
	switch n.Etat {
	case "ABANDONNE":
		return nomme.MatchString(n.ID)
	case "ACCEPTE", "REFUSE":
		return nomme.MatchString(n.ID) && nomme.MatchString(n.Transaction) && (n.Mode == "CARTE" || n.Mode == "MOBILE")
	}
	return false
}

// lien is the provider's page for an attempt, which may be opened until it expires.
func (p prestataire) lien(e message.PaiementEnLigne) string {
	q := url.Values{
		"commande": {e.ID}, "montant": {strconv.FormatInt(e.MontantCentimes, 10)}, "devise": {"EUR"}, "reference": {e.Numero},
		"expire": {strconv.FormatInt(e.ExpireA.Unix(), 10)}, "retour": {p.Portail + "/factures/" + e.FactureID + "?paiement=" + e.ID},
	}
	q.Set("signature", hex.EncodeToString(signature.MAC(p.Secrets[0], []byte(q.Encode()))))
	return p.URL + "?" + q.Encode()
}

// payerEnLigne starts an attempt, or goes on with one that nothing has come of
// yet: who asks twice gets one order at the provider, which takes it once.
func (p prestataire) payerEnLigne(ctx context.Context, tx *function.Tx, c message.PayerEnLigne) (message.PaiementEnLigne, error) {
	f, err := loadFacture(ctx, tx, c.FactureID)
	if err != nil {
		return message.PaiementEnLigne{}, err
	}
	if err := verrouiller(ctx, tx, f.AbonneID); err != nil {
		return message.PaiementEnLigne{}, err
	}
	if f, err = loadFacture(ctx, tx, f.ID); err != nil {
		return message.PaiementEnLigne{}, err
	}
	var debited bool
	if err := tx.QueryRow(ctx, "select exists (select from prelevement_a_faire where facture_id = $1 and etat = 'REMIS')", f.ID).Scan(&debited); err != nil {
		return message.PaiementEnLigne{}, err
	}
	switch {
	case !visible(tx, f):
		return message.PaiementEnLigne{}, factureInconnue()
	case !p.ouvert():
		return message.PaiementEnLigne{}, function.Refused("paiement_en_ligne_absent", "Le paiement en ligne n'est pas ouvert pour ce service.", "This service takes no payment online.")
	case f.Etat != "EMISE" && f.Etat != "PARTIELLE" || f.ResteCentimes <= 0:
		return message.PaiementEnLigne{}, function.Conflict("facture_pas_ouverte", "Cette facture n'attend pas de paiement.", "This bill does not wait for a payment.")
	case debited:
		return message.PaiementEnLigne{}, function.Conflict("prelevement_en_cours", "Cette facture est en cours de prélèvement ; attendez son issue.", "This bill is being debited; wait for the outcome.")
	}
	minutes, err := regleEncaissement(ctx, tx, "DELAI_PAIEMENT_EN_LIGNE", tx.Today())
	if err != nil {
		return message.PaiementEnLigne{}, err
	}
	expire := tx.Now.Add(time.Duration(minutes) * time.Minute)
	var id string
	err = tx.QueryRow(ctx, `update paiement_en_ligne set expire_a = $4 where id = (select id from paiement_en_ligne
			where facture_id = $1 and montant_centimes = $2 and etat = 'INITIE' and expire_a > $3 order by cree_a desc limit 1) returning id`,
		f.ID, f.ResteCentimes, tx.Now, expire).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		id = function.NewID()
		_, err = tx.Exec(ctx, "insert into paiement_en_ligne (id, facture_id, abonne_id, montant_centimes, etat, cree_a, expire_a) values ($1, $2, $3, $4, 'INITIE', $5, $6)",
			id, f.ID, f.AbonneID, f.ResteCentimes, tx.Now, expire)
	}
	if err != nil {
		return message.PaiementEnLigne{}, err
	}
	return p.paiementEnLigne(ctx, tx, message.PaiementEnLigneParID{ID: id})
}

// paiementEnLigne reads an attempt. One that nothing was told of in time has
// expired, which is no more than that: money that is told of late is taken.
func (p prestataire) paiementEnLigne(ctx context.Context, tx *function.Tx, q message.PaiementEnLigneParID) (e message.PaiementEnLigne, err error) {
	err = tx.QueryRow(ctx, `select e.id, facture_id, f.numero, e.abonne_id, montant_centimes, coalesce(paiement_id::text, ''), coalesce(expire_a, cree_a),
			case when e.etat = 'INITIE' and expire_a <= $2 then 'EXPIRE' else e.etat end
		from paiement_en_ligne e join facture f on f.id = facture_id where e.id = $1`, q.ID, tx.Now).
		Scan(&e.ID, &e.FactureID, &e.Numero, &e.AbonneID, &e.MontantCentimes, &e.PaiementID, &e.ExpireA, &e.Etat)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && !tx.Identity().Owns(e.AbonneID) {
		return message.PaiementEnLigne{}, tentativeInconnue()
	}
	if err != nil {
		return e, err
	}
	if e.PaiementID != "" {
		paid, err := loadPaiement(ctx, tx, e.PaiementID)
		if err != nil {
			return e, err
		}
		e.Paiement = &paid
	}
	if e.Etat == "INITIE" && p.ouvert() {
		e.URL = p.lien(e)
	}
	return e, nil
}

func tentativeInconnue() error {
	return function.NotFound("tentative_inconnue", "Cette tentative de paiement n'existe pas.", "There is no such attempt to pay.")
}

// notifierPaiement hears the provider, and keeps what it refuses of what was
// signed, so that somebody looks: to tell it again would change nothing.
func (p prestataire) notifierPaiement(ctx context.Context, tx *function.Tx, c message.NotifierPaiement) (r message.PaiementNotifie, err error) {
	if err := p.Secrets.Heard(c.Signature, c.Corps, tx.Now); err != nil {
		return r, err
	}
	refus, err := tx.Try(ctx, func() (err error) {
		r, err = entendre(ctx, tx, c.Corps)
		return err
	})
	if err != nil || refus == nil {
		return r, err
	}
	_, err = tx.Exec(ctx, "insert into notification_refusee (empreinte, corps, code, detail, detail_en, recu_a) values (sha256($1), $1, $2, $3, $4, $5) on conflict do nothing",
		c.Corps, refus.Code, refus.Detail, refus.DetailEN, tx.Now)
	return message.PaiementNotifie{Refus: refus.Code}, err
}

// entendre takes what the provider tells, again until it gets an answer, in
// whatever order. A notification and a transaction count once; what
// contradicts them is refused. Money that was accepted is taken whatever has
// become of the attempt and of the bill: what the bill does not need pays
// others, or is an advance.
func entendre(ctx context.Context, tx *function.Tx, corps []byte) (r message.PaiementNotifie, err error) {
	var n notification
	if err := json.Unmarshal(corps, &n); err != nil || !n.lisible() {
		return r, function.Refused("notification_illisible", "Cette notification n'a pas la forme convenue.", "This notification has not the agreed shape.")
	}
	id, err := uuid.Parse(n.Commande)
	if err != nil {
		return r, tentativeInconnue()
	}
	var abonne, facture, numero string
	var montant int64
	err = tx.QueryRow(ctx, "select e.abonne_id, facture_id, f.numero, montant_centimes from paiement_en_ligne e join facture f on f.id = facture_id where e.id = $1", id).
		Scan(&abonne, &facture, &numero, &montant)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return r, tentativeInconnue()
	case err != nil:
		return r, err
	case n.Devise != "EUR":
		return r, function.Refused("devise", "Ce paiement n'est pas en euros.", "This payment is not in euros.")
	case n.MontantCentimes != montant:
		return r, function.Refused("montant_different", "Ce n'est pas le montant qui a été demandé.", "This is not the amount that was asked for.")
	}
	if err := verrouiller(ctx, tx, abonne); err != nil {
		return r, err
	}
	var told, counted, contradicts bool
	err = tx.QueryRow(ctx, `select (select etat from paiement_en_ligne where id = $2), coalesce(bool_or(id = $1), false), coalesce(bool_or(paiement_id is not null), false),
			coalesce(bool_or(tentative <> $2 or id = $1 and (etat, coalesce(transaction, '')) <> ($3, $4) or etat = 'ACCEPTE' and $3 <> 'ACCEPTE'), false)
		from notification_paiement where id = $1 or transaction = nullif($4, '')`, n.ID, id, n.Etat, n.Transaction).Scan(&r.Etat, &told, &counted, &contradicts)
	switch {
	case err != nil:
		return r, err
	case contradicts:
		return r, function.Conflict("notification_contredite", "Une autre notification dit le contraire de celle-ci.", "Another notification says the opposite of this one.")
	case told:
		return r, nil
	}
	var paid string
	if n.Etat == "ACCEPTE" && !counted {
		if paid, err = encaisserEnLigne(ctx, tx, recette{abonneID: abonne, factureID: facture, mode: n.Mode, montant: montant, recuLe: tx.Today(), reference: numero, piece: n.Transaction, enLigne: true}); err != nil {
			return r, err
		}
	}
	if _, err = tx.Exec(ctx, "insert into notification_paiement (id, tentative, etat, recu_a, transaction, paiement_id) values ($1, $2, $3, $4, nullif($5, ''), nullif($6, '')::uuid)",
		n.ID, id, n.Etat, tx.Now, n.Transaction, paid); err != nil || r.Etat == "ACCEPTE" {
		return r, err
	}
	r.Etat = n.Etat
	_, err = tx.Exec(ctx, "update paiement_en_ligne set etat = $2, paiement_id = nullif($3, '')::uuid where id = $1", id, r.Etat, paid)
	return r, err
}

// encaisserEnLigne takes money that the provider holds, unless a person who
// saw it there has recorded it by the transaction's name. One who recorded
// another sum by that name was wrong, and takes it back.
func encaisserEnLigne(ctx context.Context, tx *function.Tx, r recette) (id string, err error) {
	err = tx.QueryRow(ctx, `select id from paiement p where abonne_id = $1 and mode = $2 and piece = $3 and montant_centimes = $4
		and not exists (select from rejet where paiement_id = p.id)`, r.abonneID, r.mode, r.piece, r.montant).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		var paid message.Paiement
		paid, err = encaisser(ctx, tx, r)
		id = paid.ID
	}
	return id, err
}

// notificationsRefusees reads what was refused of what the provider signed,
// what nobody has dealt with first.
func notificationsRefusees(ctx context.Context, tx *function.Tx, where string, args ...any) ([]message.NotificationRefusee, error) {
	rows, err := tx.Query(ctx, `select encode(empreinte, 'hex'), recu_a, code, detail, detail_en, corps, t.traitee_a, coalesce(t.nom, ''), coalesce(t.mot, '')
		from notification_refusee left join notification_traitee t using (empreinte) where `+where+" order by t.empreinte is not null, recu_a desc limit 200", args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (r message.NotificationRefusee, err error) {
		var corps []byte
		var n notification
		err = row.Scan(&r.ID, &r.RecuA, &r.Code, &r.Detail, &r.DetailEN, &corps, &r.TraiteeA, &r.TraiteePar, &r.Mot)
		_ = json.Unmarshal(corps, &n) // one that cannot be read shows as much of it as can
		r.Transaction, r.Etat, r.MontantCentimes = n.Transaction, n.Etat, n.MontantCentimes
		return r, err
	})
}

// traiterNotification notes who has dealt with what was refused, once.
func traiterNotification(ctx context.Context, tx *function.Tx, c message.TraiterNotification) (n message.NotificationRefusee, err error) {
	tag, err := tx.Exec(ctx, `insert into notification_traitee (empreinte, mot, par, nom, traitee_a)
		select empreinte, $2, $3, $4, $5 from notification_refusee where empreinte = decode($1, 'hex') on conflict do nothing`,
		c.NotificationID, c.Mot, tx.Identity().ID, tx.Identity().Nom, tx.Now)
	if err != nil {
		return n, err
	}
	found, err := notificationsRefusees(ctx, tx, "empreinte = decode($1, 'hex')", c.NotificationID)
	switch {
	case err != nil:
		return n, err
	case len(found) == 0:
		return n, function.NotFound("notification_inconnue", "Aucune notification refusée n'a cet identifiant.", "No refused notification has this id.")
	case tag.RowsAffected() == 0:
		return n, function.Conflict("notification_traitee", "Cette notification a déjà été traitée par "+found[0].TraiteePar+".", "This notification has been dealt with by "+found[0].TraiteePar+".")
	}
	return found[0], nil
}
