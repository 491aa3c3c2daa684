package main

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/functions/facture/tarif"
	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// calculerTranche prices a chunk of a lot. A contract that cannot be priced is
// listed with its reason and does not stop the others.
func calculerTranche(ctx context.Context, tx *function.Tx, e message.LotACalculer) error {
	var lot message.Lot
	tag, err := tx.Exec(ctx, "insert into lot_tranche (lot_id, tranche) values ($1, $2) on conflict do nothing", e.LotID, e.Tranche)
	if err != nil || tag.RowsAffected() == 0 {
		return err
	}
	err = tx.QueryRow(ctx, "select du, au, date_facturation, echeance from lot where id = $1", e.LotID).
		Scan(&lot.Du, &lot.Au, &lot.DateFacturation, &lot.Echeance)
	if err != nil {
		return err
	}
	tarifs, err := loadTarifs(ctx, tx)
	if err != nil {
		return err
	}
	bassins, err := loadBassins(ctx, tx)
	if err != nil {
		return err
	}
	bareme := newBareme(tarifs, bassins)
	dossiers, err := loadDossiers(ctx, tx, e.Contrats)
	if err != nil {
		return err
	}
	var bills, failures [][]any
	for _, d := range dossiers {
		bill, err := facturer(d, bareme, tarifs, lot)
		if err != nil {
			code, fr, en := reason(err)
			failures = append(failures, []any{e.LotID, d.contrat.id, d.contrat.numero, code, fr, en})
			continue
		}
		bills = append(bills, append([]any{function.NewID(), e.LotID, d.contrat.id}, bill...))
	}
	if err := insertBills(ctx, tx, lot, bills); err != nil {
		return err
	}
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"lot_erreur"},
		[]string{"lot_id", "contrat_id", "numero", "code", "detail", "detail_en"}, pgx.CopyFromRows(failures)); err != nil {
		return err
	}
	// Last, because chunks wait for each other here.
	_, err = tx.Exec(ctx, `update lot set faites = faites + 1, etat = case when faites + 1 = tranches then 'CALCULE' else etat end where id = $1`, e.LotID)
	return err
}

// facturer prices one dossier: the columns of its bill after the contract's.
func facturer(d *dossier, b *bareme, t message.TarifsEnVigueur, lot message.Lot) ([]any, error) {
	c, estimee, err := d.cas(tarif.Periode{Du: tarif.DateOf(lot.Du.Time()), Au: tarif.DateOf(lot.Au.Time())})
	if err != nil {
		return nil, err
	}
	c.ID, c.DateFacturation = d.contrat.numero, tarif.DateOf(lot.DateFacturation.Time())
	c.Grilles, c.Redevances = b.pour(d.contrat.place, c.Periode, c.DateFacturation)
	o := d.origine(&c, t, b.bassins[d.contrat.commune])
	f, err := tarifer(&c, &o)
	if err != nil {
		return nil, err
	}
	r := f.Resultat
	return []any{c.Periode.Du.String(), c.Periode.Au.String(), estimee, r.Anormale, r.VolumeEauLitres,
		r.HTCentimes, r.TVACentimes, r.TTCCentimes, asJSON(f.lignes), asJSON(f.tva), asJSON(c), asJSON(o)}, nil
}

// asJSON is a value of ours as JSON text.
func asJSON(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain structs
	}
	return string(raw)
}

func insertBills(ctx context.Context, tx *function.Tx, lot message.Lot, bills [][]any) error {
	b := &pgx.Batch{}
	for _, bill := range bills {
		b.Queue(`insert into facture (id, lot_id, contrat_id, du, au, estimee, anormale, volume_litres, ht_centimes, tva_centimes, ttc_centimes, lignes, tva, cas, origine,
				contrat, abonne_id, nom, email, adresse, pdl, lieu, mode_paiement, periode, date_facturation, echeance, etat, entite)
			select $1, $2, c.id, $4::text::date, $5::text::date, $6, $7, $8, $9, $10, $11, $12::text::jsonb, $13::text::jsonb, $14::text::jsonb, $15::text::jsonb,
				numero, abonne_id, nom, email, adresse, pdl, lieu, mode_paiement, daterange($16, $17), $18, $19, 'CALCULEE', coalesce((select entite from commune where code_insee = c.code_insee), 'principale')
			from contrat c where id = $3`,
			append(bill, lot.Du, lot.Au, lot.DateFacturation, lot.Echeance)...)
	}
	return tx.SendBatch(ctx, b).Close()
}

// reason words why a contract could not be billed.
func reason(err error) (code, fr, en string) {
	if errors.Is(err, errSansReleve) {
		return "releve_manquant", "Aucun relevé ne clôt la période.", "No reading closes the period."
	}
	var c tarif.Code
	errors.As(err, &c)
	switch c {
	case tarif.GrilleManquante:
		return string(c), "Aucune grille ne couvre toute la période de consommation.", "No tariff covers the whole period of consumption."
	case tarif.IndexHorsCompteur:
		return string(c), "Un index dépasse ce que le compteur affiche.", "An index is more than the meter can show."
	case tarif.RelevesDesordonnes, tarif.PosesChevauchantes, tarif.PoseHorsPeriode:
		return string(c), "Les dates des relevés ou des poses se contredisent.", "Dates of readings or meters contradict each other."
	}
	return string(c), "Le calcul refuse ce dossier (" + string(c) + ").", "Pricing refuses this file (" + string(c) + ")."
}

// loadDossiers reads all that the bills of some contracts rest on.
func loadDossiers(ctx context.Context, tx *function.Tx, ids []string) ([]*dossier, error) {
	byID := map[string]*dossier{}
	var out []*dossier
	b := &pgx.Batch{}
	b.Queue("select id, numero, logements, assainissement, habitation, code_insee, profil from contrat where id = any($1::uuid[]) order by numero", ids).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			d := &dossier{}
			if err := rows.Scan(&d.contrat.id, &d.contrat.numero, &d.contrat.logements, &d.contrat.assainissement, &d.contrat.habitation,
				&d.contrat.commune, &d.contrat.profil); err != nil {
				return err
			}
			byID[d.contrat.id] = d
			out = append(out, d)
		}
		return rows.Err()
	})
	b.Queue("select contrat_id, profil, lower(periode), upper(periode) from profil_accorde where contrat_id = any($1::uuid[])", ids).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var contrat, profil string
			var du, au message.Date
			if err := rows.Scan(&contrat, &profil, &du, &au); err != nil {
				return err
			}
			c := &byID[contrat].contrat
			c.accordes = append(c.accordes, accorde{profil, periode(du, au)})
		}
		return rows.Err()
	})
	b.Queue("select contrat_id, id, serie, roues, litres_par_unite, du, au, index_debut, coalesce(index_fin, 0) from pose where contrat_id = any($1::uuid[]) order by du", ids).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var contrat string
			var p pose
			var du, au message.Date
			if err := rows.Scan(&contrat, &p.id, &p.serie, &p.roues, &p.litresParUnite, &du, &au, &p.debut, &p.fin); err != nil {
				return err
			}
			p.du = tarif.DateOf(du.Time())
			if !au.IsZero() {
				p.au = tarif.DateOf(au.Time())
			}
			byID[contrat].poses = append(byID[contrat].poses, p)
		}
		return rows.Err()
	})
	b.Queue(`select contrat_id, pose_id, date, coalesce((select index from correction_releve where releve_id = releve.id), index), estimee, id, source
		from releve where contrat_id = any($1::uuid[]) and not exists (select from remplacement where releve_id = id) order by date`, ids).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var contrat string
			var p point
			var date message.Date
			if err := rows.Scan(&contrat, &p.pose, &date, &p.index, &p.estimee, &p.releve, &p.source); err != nil {
				return err
			}
			p.date = tarif.DateOf(date.Time())
			byID[contrat].points = append(byID[contrat].points, p)
		}
		return rows.Err()
	})
	b.Queue(`select contrat_id, coalesce(numero, ''), du, au, estimee, `+lignesNettes+` from facture
		where contrat_id = any($1::uuid[]) and nature in ('FACTURE', 'SOLDE') and etat <> 'ANNULEE_PAR_AVOIR' order by au`, ids).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			var contrat string
			var f billing
			var du, au message.Date
			if err := rows.Scan(&contrat, &f.numero, &du, &au, &f.estimee, &f.lignes); err != nil {
				return err
			}
			f.du, f.au = tarif.DateOf(du.Time()), tarif.DateOf(au.Time())
			byID[contrat].anterieur = &f
		}
		return rows.Err()
	})
	return out, tx.SendBatch(ctx, b).Close()
}

// lignesNettes are the lines of a bill; of an estimate also those of its
// avoirs, since what was taken back is not to be reversed again.
const lignesNettes = `case when estimee then lignes || coalesce((select jsonb_agg(l) from facture a, jsonb_array_elements(a.lignes) l
	where a.corrige_id = facture.id and a.nature = 'AVOIR'), '[]') else lignes end`
