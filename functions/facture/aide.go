package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// signatures are how files of a type begin.
var signatures = map[string][]byte{"application/pdf": []byte("%PDF-"), "image/jpeg": {0xff, 0xd8, 0xff}, "image/png": []byte("\x89PNG\r\n\x1a\n")}

// pieceJointe holds a file against the type that it says, and sums it; both
// are nil when there is none.
func pieceJointe(contenu []byte, mime string) (document, sum []byte, err error) {
	if len(contenu) == 0 {
		return nil, nil, nil
	}
	if !bytes.HasPrefix(contenu, signatures[mime]) {
		return nil, nil, function.Invalid("document", "document_illisible", "Ce fichier n'est pas du type annoncé ("+mime+").", "This file is not of the type that it says ("+mime+").")
	}
	hash := sha256.Sum256(contenu)
	return contenu, hash[:], nil
}

// enregistrerAide records help that a household got, with what proves it.
func enregistrerAide(ctx context.Context, tx *function.Tx, c message.EnregistrerAide) (a message.Aide, err error) {
	if !c.Au.IsZero() && c.Au.Before(c.Du) {
		return a, periodeVide()
	}
	document, sum, err := pieceJointe(c.Document, c.DocumentMime)
	if err != nil {
		return a, err
	}
	id := function.NewID()
	_, err = tx.Exec(ctx, `insert into aide (id, abonne_id, nature, du, au, justificatif, document_nom, document_mime, document, sha256, cree_a, cree_par)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		id, c.AbonneID, c.Nature, c.Du, c.Au, c.Justificatif, c.DocumentNom, c.DocumentMime, document, sum, tx.Now, tx.Identity().ID)
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.ConstraintName == "aide_en_cours" {
		return a, function.Conflict("aide_en_cours",
			"Ce foyer a déjà un tarif social sur une partie de ces jours : terminez-le, ou renouvelez-le à sa suite.",
			"This household has a social tariff on some of these days already: end it, or renew it after its last day.")
	}
	if err != nil {
		return a, err
	}
	return uneAide(ctx, tx, id)
}

// cloreAide ends a social tariff on an earlier day. What a fund or a commune
// gave was given on its day, and has its effect for as long as the law says.
func cloreAide(ctx context.Context, tx *function.Tx, c message.CloreAide) (a message.Aide, err error) {
	if _, err := tx.Exec(ctx, "select from aide where id = $1 for update", c.AideID); err != nil {
		return a, err
	}
	if a, err = uneAide(ctx, tx, c.AideID); err != nil {
		return a, err
	}
	switch {
	case a.Nature != "TARIF_SOCIAL":
		return a, function.Refused("aide_ponctuelle", "Cette aide a été donnée une fois : elle n'a pas de fin à avancer.", "This help was given once: it has no end to bring forward.")
	case c.Au.Before(a.Du):
		return a, periodeVide()
	case !a.Au.IsZero() && !c.Au.Before(a.Au):
		return a, function.Invalid("au", "fin_plus_tardive", "Elle prend déjà fin le "+a.Au.Francais()+" ; pour plus tard, renouvelez-la.", "It ends on "+a.Au.String()+" already; renew it for later.")
	}
	if _, err := tx.Exec(ctx, "update aide set au = $2, close_par = $3, close_a = $4 where id = $1", c.AideID, c.Au, tx.Identity().ID, tx.Now); err != nil {
		return a, err
	}
	return uneAide(ctx, tx, c.AideID)
}

// colonnesAide are those of message.Aide; $1 is today.
const colonnesAide = `select id, abonne_id, nature, du, au, justificatif, document_nom,
	case nature when 'TARIF_SOCIAL' then au else (du + make_interval(months => parametre_du('aide_recente', $1)))::date end effet,
	du <= $1 and case nature when 'TARIF_SOCIAL' then coalesce(au >= $1, true) else du + make_interval(months => parametre_du('aide_recente', $1)) >= $1 end
	from aide where `

func selectAides(ctx context.Context, tx *function.Tx, where string, args ...any) ([]message.Aide, error) {
	rows, err := tx.Query(ctx, colonnesAide+where, append([]any{tx.Today()}, args...)...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (a message.Aide, err error) {
		return a, row.Scan(&a.ID, &a.AbonneID, &a.Nature, &a.Du, &a.Au, &a.Justificatif, &a.DocumentNom, &a.EffetJusqua, &a.EnCours)
	})
}

func uneAide(ctx context.Context, tx *function.Tx, id string) (message.Aide, error) {
	all, err := selectAides(ctx, tx, "id = $2", id)
	if err == nil && len(all) == 0 {
		err = function.NotFound("aide_inconnue", "Cette aide n'existe pas.", "There is no such help.")
	}
	if err != nil {
		return message.Aide{}, err
	}
	return all[0], nil
}

// aidesDe reads how a household is helped today and was before.
func aidesDe(ctx context.Context, tx *function.Tx, q message.AidesDe) (l message.ListeAides, err error) {
	if err := tx.QueryRow(ctx, "select aidee($1, $2)", q.AbonneID, tx.Today()).Scan(&l.Aidee); err != nil {
		return l, err
	}
	if l.Aides, err = selectAides(ctx, tx, "abonne_id = $2 order by du desc, id desc limit 100", q.AbonneID); err != nil {
		return l, err
	}
	rows, err := tx.Query(ctx, `select id, abonne_id, coalesce(facture_id::text, ''), motif, detail, du, jusqua,
			(select count(*)::int from dossier_relance d where d.abonne_id = s.abonne_id and (s.facture_id is null or d.facture_id = s.facture_id) and d.etat in ('EN_RELANCE', 'A_TRANSMETTRE'))
		from suspension s where abonne_id = $1 and levee_le is null and $2 between du and jusqua order by jusqua desc`, q.AbonneID, tx.Today())
	if err != nil {
		return l, err
	}
	l.Suspensions, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (s message.Suspension, err error) {
		err = row.Scan(&s.ID, &s.AbonneID, &s.FactureID, &s.Motif, &s.Detail, &s.Du, &s.Jusqua, &s.Dossiers)
		if s.Motif == "FSL" {
			s.DeposeLe = s.Du
		}
		return s, err
	})
	return l, err
}

// documentAide reads the evidence of a help.
func documentAide(ctx context.Context, tx *function.Tx, q message.DocumentAide) (d message.Document, err error) {
	d.ID = q.AideID
	err = tx.QueryRow(ctx, "select document_nom, document_mime, document from aide where id = $1 and document is not null", q.AideID).Scan(&d.Nom, &d.Mime, &d.Contenu)
	if errors.Is(err, pgx.ErrNoRows) {
		err = function.NotFound("document_inconnu", "Cette aide n'a pas de document.", "There is no document of this.")
	}
	return d, err
}
