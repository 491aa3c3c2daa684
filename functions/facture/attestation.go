package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// Letters of one page about an abonne or a payment.

// feuillet is a page with a heading, some paragraphs and some facts.
type feuillet struct {
	titre    string
	nom      string
	adresse  message.Adresse
	corps    []string
	faits    [][2]string
	apres    string
	fichier  string
	objet    string // id of what it is about
	date     message.Date
	montants bool // the facts are amounts: aligned to the right
}

func (s service) lettre(l feuillet) (message.Document, error) {
	p := papier(l.titre, s.Nom, l.date.Time())
	p.feuille(s)
	p.destinataire(l.nom, l.adresse)
	p.at(112, 82, 82, 5, "Le "+enLettres(l.date), "L", false, 9.5, grey)
	p.at(left, 98, width, 9, l.titre, "L", true, 19, deep)
	p.fill(deep)
	p.Rect(left, 109, 18, 0.9, "F")
	y := 118.0
	for _, text := range l.corps {
		y = p.para(left, y, width-20, 5.6, text, false, 10.5, ink) + 3
	}
	if len(l.faits) > 0 {
		h := 8 + 6.4*float64(len(l.faits))
		p.fill(tint)
		p.RoundedRect(left, y+2, width, h, 2, "1234", "F")
		y += 6
		for _, f := range l.faits {
			p.at(left+6, y, 50, 6.4, f[0], "L", false, 9.2, grey)
			if l.montants {
				p.at(left+58, y, width-64, 6.4, f[1], "R", false, 9.8, ink)
			} else {
				p.at(left+58, y, width-64, 6.4, f[1], "L", false, 9.8, ink)
			}
			y += 6.4
		}
		y += 9
	}
	if l.apres != "" {
		y = p.para(left, y, width-20, 5.2, l.apres, false, 9.5, grey) + 3
	}
	p.at(right-80, y+12, 80, 5, "Pour "+s.Nom, "L", true, 10, ink)
	p.pied(s, l.titre)
	pdf, err := p.archive(nil)
	return message.Document{ID: l.objet, Nom: l.fichier + ".pdf", Mime: "application/pdf", Contenu: pdf}, err
}

// attestationAbonnement certifies that a contract is in force today.
func (s service) attestationAbonnement(ctx context.Context, tx *function.Tx, q message.AttestationAbonnement) (d message.Document, err error) {
	l := feuillet{titre: "Attestation d'abonnement", objet: q.ContratID, date: tx.Today()}
	var abonne, numero, pdl, lieu string
	var depuis, resilie message.Date
	err = tx.QueryRow(ctx, "select abonne_id, numero, nom, adresse, pdl, lieu, depuis, resilie_le from contrat where id = $1", q.ContratID).
		Scan(&abonne, &numero, &l.nom, &l.adresse, &pdl, &lieu, &depuis, &resilie)
	switch {
	case err != nil && !errors.Is(err, pgx.ErrNoRows):
		return d, err
	case err != nil || !tx.Identity().Owns(abonne):
		return d, contratInconnu()
	case depuis.After(l.date):
		return d, function.Refused("contrat_pas_commence", "Ce contrat ne commence que le "+depuis.Francais()+".", "This contract starts on "+depuis.String()+" only.")
	case !resilie.IsZero() && !resilie.After(l.date):
		return d, function.Refused("contrat_resilie", "Ce contrat a pris fin le "+resilie.Francais()+" : il n'y a plus d'abonnement à attester.", "This contract ended on "+resilie.String()+".")
	}
	if s, err = s.pour(ctx, tx, q.ContratID); err != nil {
		return d, err
	}
	l.corps = []string{"Nous attestons que " + l.nom + " est abonné au service de l'eau pour le point de livraison ci-dessous, et que ce contrat est en vigueur à la date de ce document."}
	l.faits = [][2]string{{"Contrat", numero}, {"Abonné depuis le", enLettres(depuis)}, {"Point de livraison", pdl}, {"Adresse desservie", lieu}}
	l.apres = "Attestation établie à la demande de l'abonné, pour servir et valoir ce que de droit."
	l.fichier = "attestation-abonnement-" + numero
	return s.lettre(l)
}

// attestationNonDette certifies that an abonne owes nothing today; otherwise
// it says what is owed.
func (s service) attestationNonDette(ctx context.Context, tx *function.Tx, q message.AttestationNonDette) (d message.Document, err error) {
	l := feuillet{titre: "Attestation de non-dette", objet: q.AbonneID, date: tx.Today()}
	if !tx.Identity().Owns(q.AbonneID) {
		return d, abonneInconnu()
	}
	var numero, contrat string
	var owed int64
	var open []string
	err = tx.QueryRow(ctx, `select c.nom, c.adresse, c.numero, c.id,
			(select coalesce(sum(montant_centimes), 0)::bigint from compte_abonne where abonne_id = $1),
			(select coalesce(array_agg(numero order by date_facturation, rang), '{}') from facture where abonne_id = $1 and etat in ('EMISE', 'PARTIELLE'))
		from contrat c where abonne_id = $1 order by depuis desc limit 1`, q.AbonneID).Scan(&l.nom, &l.adresse, &numero, &contrat, &owed, &open)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return d, abonneInconnu()
	case err != nil:
		return d, err
	case owed > 0 || len(open) > 0:
		return d, dette(owed, open)
	}
	if s, err = s.pour(ctx, tx, contrat); err != nil {
		return d, err
	}
	l.corps = []string{
		"Nous attestons que " + l.nom + " ne doit rien au service de l'eau à la date de ce document : toutes les factures émises à son nom sont payées.",
		"Cette attestation ne porte pas sur l'eau consommée depuis la dernière facture, qui n'est pas encore facturée.",
	}
	l.faits = [][2]string{{"Référence client", numero}, {"Solde du compte", message.Euros(-owed) + " en votre faveur"}}
	if owed == 0 {
		l.faits[1][1] = message.Euros(0)
	}
	l.apres = "Attestation établie à la demande de l'abonné, pour servir et valoir ce que de droit."
	l.fichier = "attestation-non-dette-" + numero
	return s.lettre(l)
}

func abonneInconnu() error {
	return function.NotFound("abonne_inconnu", "Cet abonné n'existe pas.", "There is no such subscriber.")
}

// dette words why there is no certificate: what is owed, on which bills.
func dette(owed int64, open []string) error {
	const shown = 5
	fr, en := "Il n'y a pas d'attestation tant que le compte n'est pas soldé.", "There is no certificate while something is owed."
	if owed > 0 {
		fr, en = fr+" Il reste "+message.Euros(owed)+" à payer.", en+fmt.Sprintf(" %s are left to pay.", message.Euros(owed))
	}
	if len(open) > 0 {
		list := strings.Join(open[:min(shown, len(open))], ", ")
		if len(open) > shown {
			list += "…"
		}
		fr, en = fr+" Factures ouvertes : "+list+".", en+" Open bills: "+list+"."
	}
	return function.Refused("compte_non_solde", fr, en)
}

// modes are the means of payment as one says them.
var modes = map[string]string{
	"VIREMENT": "virement", "PRELEVEMENT": "prélèvement", "CHEQUE": "chèque", "ESPECES": "espèces", "CARTE": "carte bancaire", "MOBILE": "paiement mobile", "TIP": "TIP SEPA",
}

// recuPaiement is the receipt of a payment. One that was taken back has none.
func (s service) recuPaiement(ctx context.Context, tx *function.Tx, q message.RecuPaiement) (d message.Document, err error) {
	p, err := loadPaiement(ctx, tx, q.PaiementID)
	switch {
	case err != nil:
		return d, err
	case !tx.Identity().Owns(p.AbonneID):
		return d, paiementInconnu()
	case !p.RejeteLe.IsZero():
		return d, function.Refused("paiement_rejete", "Ce paiement a été repris par la banque le "+p.RejeteLe.Francais()+" : il n'a pas de reçu.", "This payment was taken back on "+p.RejeteLe.String()+": it has no receipt.")
	}
	l := feuillet{titre: "Reçu de paiement", objet: p.ID, date: p.RecuLe, montants: true, fichier: "recu-" + p.RecuLe.String() + "-" + p.ID[len(p.ID)-6:]}
	var contrat string
	if err := tx.QueryRow(ctx, "select nom, adresse, id from contrat where abonne_id = $1 order by depuis desc limit 1", p.AbonneID).Scan(&l.nom, &l.adresse, &contrat); err != nil {
		return d, err
	}
	if s, err = s.pour(ctx, tx, contrat); err != nil {
		return d, err
	}
	mode := modes[p.Mode]
	if mode == "" {
		mode = strings.ToLower(p.Mode)
	}
	l.corps = []string{fmt.Sprintf("Nous avons reçu de %s la somme de %s le %s, par %s.", l.nom, message.Euros(p.MontantCentimes), enLettres(p.RecuLe), mode)}
	for _, m := range p.Lettrages {
		l.faits = append(l.faits, [2]string{"Facture " + m.Numero, message.Euros(m.MontantCentimes)})
	}
	if p.AvanceCentimes > 0 {
		l.faits = append(l.faits, [2]string{"Avance sur vos prochaines factures", message.Euros(p.AvanceCentimes)})
	}
	l.faits = append(l.faits, [2]string{"Total", message.Euros(p.MontantCentimes)})
	if p.Mode == "CHEQUE" {
		l.apres = "Sous réserve d'encaissement du chèque."
	}
	return s.lettre(l)
}
