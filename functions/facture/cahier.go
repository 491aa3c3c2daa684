package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// A lot is printed in cahiers: parts of a size that a message carries and that
// a run holds in memory, whatever the size of the lot.
const (
	parCahier = 250 // about 4 MB as one PDF
	parEnvoi  = 25  // about 2 MB as files
	parPoste  = "coalesce(nullif(adresse ->> 'code_postal', ''), '99999'), adresse ->> 'commune', adresse ->> 'voie', contrat, id"
	duCahier  = "lot_id = $1 and numero is not null and (not $2 or email = '')"
	enSuite   = "select id, adresse ->> 'code_postal' || ' ' || (adresse ->> 'commune') lieu, row_number() over (order by " + parPoste + ") - 1 rang from facture where " + duCahier
)

// cahiers parts the issued bills of a lot in the order of the post.
func cahiers(ctx context.Context, tx *function.Tx, q message.Cahiers) (c message.CahiersDeLot, err error) {
	rows, err := tx.Query(ctx, `select (rang / $3)::int + 1, count(*)::int, (array_agg(lieu order by rang))[1], (array_agg(lieu order by rang desc))[1]
		from (`+enSuite+`) s group by 1 order by 1`, q.LotID, q.Poste, parCahier)
	if err != nil {
		return c, err
	}
	c.Cahiers, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.Cahier])
	for _, cahier := range c.Cahiers {
		c.Factures += cahier.Factures
	}
	return c, err
}

// tranche reads some bills of a cahier, in its order, from one on.
func tranche(ctx context.Context, tx *function.Tx, lotID string, poste bool, rang, from, n int) ([]imprimee, error) {
	n = min(n, parCahier-from)
	bills, err := selectFactures(ctx, tx, duCahier+" order by "+parPoste+" offset $3 limit $4", lotID, poste, (rang-1)*parCahier+from, n)
	if err != nil {
		return nil, err
	}
	return imprimer(ctx, tx, bills)
}

func cahierInconnu() error {
	return function.NotFound("cahier_inconnu", "Ce lot n'a pas ce cahier : il n'est pas émis, ou il a moins de factures.", "This lot has no such part: it is not issued, or has fewer bills.")
}

// imprimerCahier draws the bills of a cahier one after the other.
func (s service) imprimerCahier(ctx context.Context, tx *function.Tx, q message.ImprimerCahier) (d message.Document, err error) {
	bills, err := tranche(ctx, tx, q.LotID, q.Poste, q.Rang, 0, parCahier)
	if err != nil {
		return d, err
	}
	if len(bills) == 0 {
		return d, cahierInconnu()
	}
	nom := fmt.Sprintf("cahier-%03d", q.Rang)
	p := papier(nom, s.Nom, bills[0].DateFacturation.Time())
	for _, f := range bills {
		s.de(f).tirer(p, f)
	}
	pdf, err := p.archive(nil)
	return message.Document{ID: q.LotID, Nom: nom + ".pdf", Mime: "application/pdf", Contenu: pdf}, err
}

// documentsCahier draws some bills of a cahier as files of their own.
func (s service) documentsCahier(ctx context.Context, tx *function.Tx, q message.DocumentsCahier) (page message.PageDocuments, err error) {
	after, err := readCursor(q.Curseur)
	if err != nil {
		return page, err
	}
	from, _ := strconv.Atoi(after.key) // the first page has none
	if from < 0 || from >= parCahier {
		return page, cahierInconnu()
	}
	bills, err := tranche(ctx, tx, q.LotID, q.Poste, q.Rang, from, parEnvoi)
	if err != nil {
		return page, err
	}
	if len(bills) == 0 && from == 0 {
		return page, cahierInconnu()
	}
	for _, f := range bills {
		d, err := s.fichier(f)
		if err != nil {
			return page, err
		}
		page.Items = append(page.Items, d)
	}
	if from += len(bills); len(bills) == parEnvoi && from < parCahier {
		page.Suivant = cursor{key: strconv.Itoa(from)}.String()
	}
	return page, nil
}
