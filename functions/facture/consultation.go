package main

import (
	"context"
	"encoding/base64"
	"strings"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// cursor marks where a page ends: the sort key of its last row and its id.
type cursor struct{ key, id string }

// instant is how an instant stands in a cursor.
const instant = "2006-01-02T15:04:05.999999Z07:00"

func (c cursor) String() string {
	return base64.RawURLEncoding.EncodeToString([]byte(c.key + "\n" + c.id))
}

func readCursor(s string) (cursor, error) {
	raw, err := base64.RawURLEncoding.DecodeString(s)
	key, id, ok := strings.Cut(string(raw), "\n")
	if s != "" && (err != nil || !ok) {
		return cursor{}, function.Invalid("curseur", "curseur_invalide", "Ce curseur ne vient pas d'une page précédente.", "This cursor does not come from a previous page.")
	}
	return cursor{key, id}, nil
}

func factureInconnue() error {
	return function.NotFound("facture_inconnue", "Cette facture n'existe pas.", "There is no such bill.")
}

// factureParID reads one bill with its lines. An abonne sees their own, once issued.
func factureParID(ctx context.Context, tx *function.Tx, q message.FactureParID) (message.Facture, error) {
	f, err := loadFacture(ctx, tx, q.ID)
	if err == nil && !visible(tx, f) {
		return message.Facture{}, factureInconnue()
	}
	return f, err
}

func visible(tx *function.Tx, f message.Facture) bool {
	who := tx.Identity()
	return who.Owns(f.AbonneID) && (who.AbonneID == "" || f.Numero != "")
}

func loadFacture(ctx context.Context, tx *function.Tx, id string) (message.Facture, error) {
	all, err := selectFactures(ctx, tx, "id = $1", id)
	if err != nil {
		return message.Facture{}, err
	}
	if len(all) == 0 {
		return message.Facture{}, factureInconnue()
	}
	return all[0], nil
}

// factures lists the bills of an abonne, a contract or a lot, the newest
// first, without their lines.
func factures(ctx context.Context, tx *function.Tx, q message.Factures) (page message.PageFactures, err error) {
	who := tx.Identity()
	if who.AbonneID != "" && who.AbonneID != q.AbonneID {
		return page, factureInconnue()
	}
	after, err := readCursor(q.Curseur)
	if err != nil {
		return page, err
	}
	page.Items, err = selectFactures(ctx, tx, `($1 = '' or abonne_id = nullif($1, '')::uuid) and ($2 = '' or contrat_id = nullif($2, '')::uuid) and ($3 = '' or lot_id = nullif($3, '')::uuid)
		and ($4 = '' or etat = $4) and (numero is not null or not $5)
		and ($6 = '' or (date_facturation, coalesce(rang, 0), id::text) < (split_part($6, ' ', 1)::date, split_part($6, ' ', 2)::bigint, $7))
		order by date_facturation desc, coalesce(rang, 0) desc, id::text desc limit $8`,
		q.AbonneID, q.ContratID, q.LotID, q.Etat, who.AbonneID != "", after.key, after.id, q.Size()+1)
	if err != nil {
		return page, err
	}
	if n := q.Size(); len(page.Items) > n {
		page.Items = page.Items[:n]
		last := page.Items[n-1]
		rang := "0"
		if last.Numero != "" {
			rang = last.Numero[strings.LastIndexByte(last.Numero, '-')+1:]
		}
		page.Suivant = cursor{last.DateFacturation.String() + " " + rang, last.ID}.String()
	}
	for i := range page.Items {
		page.Items[i].Lignes, page.Items[i].TVA = nil, nil
	}
	return page, nil
}

func selectFactures(ctx context.Context, tx *function.Tx, where string, args ...any) ([]message.Facture, error) {
	rows, err := tx.Query(ctx, `select id, coalesce(numero, ''), etat, coalesce(lot_id::text, ''), contrat_id, contrat, abonne_id, nom, pdl, lieu, du, au, date_facturation, echeance,
			volume_litres, estimee, ht_centimes, tva_centimes, ttc_centimes, greatest(ttc_centimes, 0) - paye_centimes, lignes, tva,
			nature, coalesce(corrige_id::text, ''), coalesce((select numero from facture c where c.id = facture.corrige_id), ''), motif,
			coalesce((select jsonb_agg(jsonb_build_object('facture_id', a.id, 'numero', a.numero, 'nature', a.nature, 'ttc_centimes', a.ttc_centimes, 'motif', a.motif) order by a.emise_a, a.id)
				from facture a where a.corrige_id = facture.id and a.numero is not null), '[]')
		from facture where `+where, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[message.Facture])
}

// tableau counts bills for the dashboard.
func tableau(ctx context.Context, tx *function.Tx, _ message.TableauFactures) (c message.FacturesEnChiffres, err error) {
	err = tx.QueryRow(ctx, `select coalesce(sum(ttc_centimes), 0)::bigint,
			(select coalesce(sum(montant_centimes), 0)::bigint from paiement where not exists (select from rejet where paiement_id = id)),
			coalesce(sum(greatest(ttc_centimes, 0) - paye_centimes), 0)::bigint,
			coalesce(sum(greatest(ttc_centimes, 0) - paye_centimes) filter (where echeance < $1), 0)::bigint,
			count(*), count(*) filter (where echeance < $1 and etat in ('EMISE', 'PARTIELLE')),
			(select count(*) from lot where etat in ('CALCULE', 'CONTROLE'))
		from facture where numero is not null`, tx.Today()).
		Scan(&c.FactureCentimes, &c.EncaisseCentimes, &c.ResteCentimes, &c.EchuCentimes, &c.Factures, &c.Impayees, &c.Lots)
	return c, err
}
