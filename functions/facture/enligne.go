package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// prestataire is the port to a payment provider. Both ways are signed with a
// shared secret: the address that the payer is sent to, so that nobody
// changes the sum on the way, and what the provider tells, so that nobody
// else tells it. Nothing is asked over the network.
type prestataire struct {
	URL     string   `envconfig:"PAIEMENT_URL"`     // the provider's page; "" without a provider
	Secrets []string `envconfig:"PAIEMENT_SECRETS"` // the first signs, all verify, so that it can be renewed
	Retour  string   `envconfig:"PAIEMENT_RETOUR"`  // page that the payer comes back to
}

// fenetre is how old, or how early, what the provider signed may be.
const fenetre = 5 * time.Minute

// notification is what the provider tells of an attempt.
type notification struct {
	ID              string `json:"id"`       // once each
	Commande        string `json:"commande"` // id of the attempt
	Etat            string `json:"etat"`     // ACCEPTE or REFUSE
	Mode            string `json:"mode"`     // CARTE or MOBILE
	MontantCentimes int64  `json:"montant_centimes"`
	Devise          string `json:"devise"`
	Autorisation    string `json:"autorisation"`
}

func signer(secret string, text []byte) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = mac.Write(text)
	return mac.Sum(nil)
}

// lien is the provider's page for an attempt.
func (p prestataire) lien(id, numero string, montant int64) string {
	q := url.Values{"commande": {id}, "montant": {strconv.FormatInt(montant, 10)}, "devise": {"EUR"}, "reference": {numero}, "retour": {p.Retour + "?paiement=" + id}}
	q.Set("signature", hex.EncodeToString(signer(p.Secrets[0], []byte(q.Encode()))))
	return p.URL + "?" + q.Encode()
}

// verifier holds a signature `t=<unix seconds>,v1=<hex>` of "<t>.<body>"
// against the secrets and the clock.
func (p prestataire) verifier(signature string, corps []byte, now time.Time) error {
	var stamp string
	var given [][]byte
	for part := range strings.SplitSeq(signature, ",") {
		switch name, value, _ := strings.Cut(strings.TrimSpace(part), "="); name {
		case "t":
			stamp = value
		case "v1":
			if sum, err := hex.DecodeString(value); err == nil {
				given = append(given, sum)
			}
		}
	}
	valid := false
	for _, secret := range p.Secrets {
		want := signer(secret, append([]byte(stamp+"."), corps...))
		for _, sum := range given {
			valid = hmac.Equal(sum, want) || valid
		}
	}
	if !valid {
		return function.Unauthorized("signature_invalide", "La signature de cette notification n'est pas la bonne.", "The signature of this notification is wrong.")
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if age := now.Sub(time.Unix(seconds, 0)); err != nil || age > fenetre || age < -fenetre {
		return function.Unauthorized("notification_perimee", "Cette notification a été signée il y a plus de cinq minutes.", "This notification was signed more than five minutes ago.")
	}
	return nil
}

// payerEnLigne starts an attempt.
func (p prestataire) payerEnLigne(ctx context.Context, tx *function.Tx, c message.PayerEnLigne) (message.PaiementEnLigne, error) {
	f, err := loadFacture(ctx, tx, c.FactureID)
	if err != nil {
		return message.PaiementEnLigne{}, err
	}
	switch {
	case !visible(tx, f):
		return message.PaiementEnLigne{}, factureInconnue()
	case p.URL == "" || len(p.Secrets) == 0:
		return message.PaiementEnLigne{}, function.Refused("paiement_en_ligne_absent", "Le paiement en ligne n'est pas ouvert pour ce service.", "This service takes no payment online.")
	case f.Etat != "EMISE" && f.Etat != "PARTIELLE" || f.ResteCentimes <= 0:
		return message.PaiementEnLigne{}, function.Conflict("facture_pas_ouverte", "Cette facture n'attend pas de paiement.", "This bill does not wait for a payment.")
	}
	id := function.NewID()
	if _, err := tx.Exec(ctx, "insert into paiement_en_ligne (id, facture_id, abonne_id, montant_centimes, etat, cree_a) values ($1, $2, $3, $4, 'INITIE', $5)",
		id, f.ID, f.AbonneID, f.ResteCentimes, tx.Now); err != nil {
		return message.PaiementEnLigne{}, err
	}
	return p.paiementEnLigne(ctx, tx, message.PaiementEnLigneParID{ID: id})
}

// paiementEnLigne reads an attempt.
func (p prestataire) paiementEnLigne(ctx context.Context, tx *function.Tx, q message.PaiementEnLigneParID) (e message.PaiementEnLigne, err error) {
	var numero string
	err = tx.QueryRow(ctx, `select e.id, facture_id, e.abonne_id, montant_centimes, e.etat, coalesce(paiement_id::text, ''), f.numero
		from paiement_en_ligne e join facture f on f.id = facture_id where e.id = $1`, q.ID).
		Scan(&e.ID, &e.FactureID, &e.AbonneID, &e.MontantCentimes, &e.Etat, &e.PaiementID, &numero)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && !tx.Identity().Owns(e.AbonneID) {
		return message.PaiementEnLigne{}, tentativeInconnue()
	}
	if err == nil && e.Etat == "INITIE" && p.URL != "" && len(p.Secrets) > 0 {
		e.URL = p.lien(e.ID, numero, e.MontantCentimes)
	}
	return e, err
}

func tentativeInconnue() error {
	return function.NotFound("tentative_inconnue", "Cette tentative de paiement n'existe pas.", "There is no such attempt to pay.")
}

// notifierPaiement hears the provider. What it tells twice counts once, and
// an attempt that was accepted stays so whatever comes late: the money is there.
func (p prestataire) notifierPaiement(ctx context.Context, tx *function.Tx, c message.NotifierPaiement) (r message.PaiementNotifie, err error) {
	if err := p.verifier(c.Signature, c.Corps, tx.Now); err != nil {
		return r, err
	}
	var n notification
	if err := json.Unmarshal(c.Corps, &n); err != nil || n.ID == "" || len(n.ID) > 80 || len(n.Autorisation) > 80 ||
		n.Etat != "ACCEPTE" && n.Etat != "REFUSE" || n.Mode != "CARTE" && n.Mode != "MOBILE" {
		return r, function.Refused("notification_illisible", "Cette notification n'a pas la forme convenue.", "This notification has not the agreed shape.")
	}
	var abonne, facture, numero string
	var montant int64
	err = tx.QueryRow(ctx, `select e.abonne_id, facture_id, f.numero, montant_centimes, e.etat from paiement_en_ligne e join facture f on f.id = facture_id
		where e.id::text = $1 for update of e`, n.Commande).Scan(&abonne, &facture, &numero, &montant, &r.Etat)
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
	tag, err := tx.Exec(ctx, "insert into notification_paiement (id, tentative, etat, recu_a) values ($1, $2, $3, $4) on conflict do nothing", n.ID, n.Commande, n.Etat, tx.Now)
	if err != nil || tag.RowsAffected() == 0 || r.Etat == "ACCEPTE" {
		return r, err
	}
	r.Etat = n.Etat
	if n.Etat == "REFUSE" {
		_, err := tx.Exec(ctx, "update paiement_en_ligne set etat = 'REFUSE' where id = $1", n.Commande)
		return r, err
	}
	paid, err := encaisser(ctx, tx, recette{abonneID: abonne, factureID: facture, mode: n.Mode, montant: montant, recuLe: tx.Today(), reference: numero, piece: n.Autorisation})
	if err != nil {
		return r, err
	}
	_, err = tx.Exec(ctx, "update paiement_en_ligne set etat = 'ACCEPTE', paiement_id = $2 where id = $1", n.Commande, paid.ID)
	return r, err
}
