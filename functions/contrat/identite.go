package main

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// identite are the numbers of an organisation. None is asked for: an
// association or a syndic may have none, and is then billed on paper.
type identite struct{ siren, siret, tva string }

// verifier reads the numbers as they were typed. The SIREN stands at the head
// of the SIRET: one of them is enough. champ precedes the names of fields.
func (n identite) verifier(champ, nature string) (identite, error) {
	n = identite{message.Compact(n.siren), message.Compact(n.siret), message.Compact(n.tva)}
	switch {
	case n != (identite{}) && nature != "ORGANISATION":
		return n, function.Invalid(champ+"siren", "particulier_sans_siren",
			"Un particulier n'a ni SIREN, ni SIRET, ni numéro de TVA.", "A person has no SIREN, SIRET or VAT identifier.")
	case n.siren != "" && !message.SIRENValide(n.siren):
		return n, function.Invalid(champ+"siren", "siren_invalide",
			"Ce SIREN n'existe pas : il a neuf chiffres, dont le dernier vérifie les autres.", "There is no such SIREN: it has nine digits, and the last one checks the others.")
	case n.siret != "" && !message.SIRETValide(n.siret):
		return n, function.Invalid(champ+"siret", "siret_invalide",
			"Ce SIRET n'existe pas : il a quatorze chiffres, dont le dernier vérifie les autres.", "There is no such SIRET: it has fourteen digits, and the last one checks the others.")
	case n.siren != "" && n.siret != "" && n.siret[:9] != n.siren:
		return n, function.Invalid(champ+"siret", "siret_autre_siren",
			"Ce SIRET est celui d'une autre entreprise : il doit commencer par le SIREN.", "This SIRET is another company's: it must begin with the SIREN.")
	case n.siret != "":
		n.siren = n.siret[:9]
	}
	if n.tva != "" && !message.TVAValide(n.tva, n.siren) {
		return n, function.Invalid(champ+"numero_tva", "tva_invalide",
			"Ce numéro de TVA n'est pas celui de cette entreprise : en France, FR, une clé de deux caractères et le SIREN.",
			"This VAT identifier is not that of the company: in France, FR, a key of two characters and the SIREN.")
	}
	return n, nil
}

// identifier sets the numbers of an abonne that exists.
func identifier(ctx context.Context, tx *function.Tx, cmd message.IdentifierAbonne) (a message.Abonne, err error) {
	err = tx.QueryRow(ctx, `select `+colonnesAbonne+` from abonne a where a.id = $1 for update`, cmd.AbonneID).Scan(champsAbonne(&a)...)
	if errors.Is(err, pgx.ErrNoRows) {
		return a, abonneInconnu()
	}
	if err != nil {
		return a, err
	}
	n, err := identite{cmd.SIREN, cmd.SIRET, cmd.NumeroTVA}.verifier("", a.Nature)
	if err != nil || n == (identite{a.SIREN, a.SIRET, a.NumeroTVA}) {
		return a, err
	}
	texte := "SIREN " + dire(n.siren) + ", SIRET " + dire(n.siret) + ", n° de TVA " + dire(n.tva) +
		" (avant : SIREN " + dire(a.SIREN) + ", SIRET " + dire(a.SIRET) + ", n° de TVA " + dire(a.NumeroTVA) + ")."
	a.SIREN, a.SIRET, a.NumeroTVA = n.siren, n.siret, n.tva
	a.Version++
	b := &pgx.Batch{}
	b.Queue("update abonne set siren = $2, siret = $3, numero_tva = $4, version = $5, recherche = $6 where id = $1",
		a.ID, a.SIREN, a.SIRET, a.NumeroTVA, a.Version, rechercheAbonne(a))
	b.Queue("insert into abonne_journal (abonne_id, version, instant, texte, par_id, par) values ($1, $2, $3, $4, $5, $6)",
		a.ID, a.Version, tx.Now, texte, tx.Identity().ID, auteur(tx.Identity()))
	tx.Emit(a.ID, a.Version, message.AbonneIdentifie{AbonneID: a.ID, Version: a.Version, SIREN: a.SIREN, SIRET: a.SIRET, NumeroTVA: a.NumeroTVA})
	return a, tx.SendBatch(ctx, b).Close()
}

// dire is a number, or the word for none.
func dire(s string) string {
	if s == "" {
		return "aucun"
	}
	return s
}
