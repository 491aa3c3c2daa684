package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// plateforme is the approved platform that carries electronic invoices to
// organisations. Its port is events and commands: DepotAFaire goes out,
// EnregistrerStatutDepot comes back. The adapter here speaks HTTP in the
// manner of AFNOR XP Z12-013: a flow with its tracking id, which the platform
// takes once.
type plateforme struct {
	URL    string `envconfig:"PLATEFORME_URL" default:""` // empty: nothing is deposited yet
	Jeton  string `envconfig:"PLATEFORME_JETON" default:""`
	Taille string `envconfig:"SERVICE_TAILLE" default:"PME"` // GRANDE or PME: from when the law wants it

	service service
	client  *http.Client
}

// Waiting.
const (
	delaiPlateforme = 20 * time.Second // for an answer
	patienceDepot   = time.Minute      // doubled by every attempt
	attenteDepot    = time.Hour        // at most
	depotsParTick   = 200
)

// collecter finds the documents that have to be deposited, those issued and
// those whose last attempt failed, and asks for each.
func (p plateforme) collecter(ctx context.Context, tx *function.Tx, _ message.Tick) error {
	if p.URL == "" {
		return nil
	}
	_, err := tx.Exec(ctx, `insert into depot (facture_id, etat, relance_a, le)
		select f.id, 'A_DEPOSER', $2, $2 from facture f join obligation o on o.code = 'EMISSION' and o.taille = $1
		where f.siren <> '' and f.numero is not null and f.date_facturation >= o.du and not exists (select from depot where facture_id = f.id)
		limit $3 on conflict do nothing`, p.Taille, tx.Now, depotsParTick)
	if err != nil {
		return err
	}
	rows, err := tx.Query(ctx, `update depot set relance_a = $2 where facture_id in (
			select facture_id from depot where etat = 'A_DEPOSER' and relance_a <= $1 order by relance_a limit $3 for update skip locked)
		returning facture_id`, tx.Now, tx.Now.Add(attenteDepot), depotsParTick)
	if err != nil {
		return err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	for _, id := range ids {
		tx.Emit(id, 0, message.DepotAFaire{FactureID: id})
	}
	return err
}

// deposer hands one document to the platform, outside any transaction, and
// keeps what came of it. One that is deposited already is left alone; one
// that the platform has from an attempt whose answer was lost is known by its
// tracking id.
func (p plateforme) deposer(ctx context.Context, rt *function.Runtime, e message.DepotAFaire) error {
	var d message.Document
	err := rt.InTx(ctx, func(tx *function.Tx) error {
		tag, err := tx.Exec(ctx, "update depot set essais = essais + 1 where facture_id = $1 and etat = 'A_DEPOSER'", e.FactureID)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		f, err := loadFacture(ctx, tx, e.FactureID)
		if err != nil {
			return err
		}
		all, err := imprimer(ctx, tx, []message.Facture{f})
		if err != nil {
			return err
		}
		d, err = p.service.fichier(all[0])
		return err
	})
	if err != nil || d.Contenu == nil {
		return err
	}
	a := p.envoyer(ctx, d)
	return rt.InTx(ctx, func(tx *function.Tx) error {
		switch {
		case a.reference != "":
			_, err = tx.Exec(ctx, "update depot set etat = 'DEPOSEE', reference = $2, motif = '', le = $3 where facture_id = $1 and etat = 'A_DEPOSER'", e.FactureID, a.reference, tx.Now)
		case a.refused:
			_, err = tx.Exec(ctx, "update depot set etat = 'REJETEE', motif = $2, le = $3 where facture_id = $1 and etat = 'A_DEPOSER'", e.FactureID, a.motif, tx.Now)
		default:
			_, err = tx.Exec(ctx, `update depot set motif = $2, relance_a = $3::timestamptz + least($4 * power(2, least(essais - 1, 10)), $5) * interval '1 second'
				where facture_id = $1 and etat = 'A_DEPOSER'`, e.FactureID, a.motif, tx.Now, patienceDepot.Seconds(), attenteDepot.Seconds())
		}
		return err
	})
}

// accueil is the platform's answer: a reference, a refusal for good, or
// neither: to be tried again.
type accueil struct {
	reference, motif string
	refused          bool
}

func (p plateforme) envoyer(ctx context.Context, d message.Document) accueil {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	info, _ := json.Marshal(map[string]string{ // strings
		"trackingId": d.ID, "name": d.Nom, "flowSyntax": "Factur-X", "processingRule": "B2B", "sha256": fmt.Sprintf("%x", sha256.Sum256(d.Contenu)),
	})
	_ = form.WriteField("flowInfo", string(info)) // into memory
	file, _ := form.CreateFormFile("file", d.Nom)
	_, _ = file.Write(d.Contenu)
	_ = form.Close()
	ctx, cancel := context.WithTimeout(ctx, delaiPlateforme)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(p.URL, "/")+"/v1/flows", &body)
	if err != nil {
		return accueil{motif: "adresse de la plateforme"}
	}
	req.Header.Set("Content-Type", form.FormDataContentType())
	req.Header.Set("Authorization", "Bearer "+p.Jeton)
	res, err := p.client.Do(req)
	if err != nil {
		return accueil{motif: "La plateforme ne répond pas."}
	}
	defer res.Body.Close()
	var said struct {
		FlowID string `json:"flowId"`
		Error  string `json:"errorMessage"`
	}
	_ = json.NewDecoder(io.LimitReader(res.Body, 1<<16)).Decode(&said) // what is not JSON says nothing
	switch code := res.StatusCode; {
	case said.FlowID != "" && (code/100 == 2 || code == http.StatusConflict):
		return accueil{reference: said.FlowID}
	case code == http.StatusBadRequest || code == http.StatusUnprocessableEntity || code == http.StatusRequestEntityTooLarge:
		return accueil{refused: true, motif: cut(joined(" ", "La plateforme refuse ce document.", said.Error), 400)}
	default:
		return accueil{motif: fmt.Sprintf("La plateforme répond %d.", code)}
	}
}

// enregistrerStatut keeps a status of the platform, once; an older one does
// not undo a newer one.
func enregistrerStatut(ctx context.Context, tx *function.Tx, c message.EnregistrerStatutDepot) (d message.Depot, err error) {
	var id string
	err = tx.QueryRow(ctx, "select facture_id from depot where reference = $1 for update", c.Reference).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return d, function.NotFound("depot_inconnu", "Aucun document n'a cette référence sur la plateforme.", "No document has this reference on the platform.")
	}
	if err != nil {
		return d, err
	}
	tag, err := tx.Exec(ctx, "insert into statut_depot (id, facture_id, etat, motif, le, recu_a) values ($1, $2, $3, $4, $5, $6) on conflict do nothing", c.StatutID, id, c.Etat, c.Motif, c.Le, tx.Now)
	if err == nil && tag.RowsAffected() == 1 {
		_, err = tx.Exec(ctx, `update depot set etat = s.etat, motif = s.motif, le = s.recu_a
			from (select etat, motif, recu_a from statut_depot where facture_id = $1 order by le desc, recu_a desc limit 1) s where facture_id = $1`, id)
	}
	if err != nil {
		return d, err
	}
	all, err := selectDepots(ctx, tx, "d.facture_id = $1", id)
	if err != nil {
		return d, err
	}
	return all[0], nil
}

func selectDepots(ctx context.Context, tx *function.Tx, where string, args ...any) ([]message.Depot, error) {
	rows, err := tx.Query(ctx, `select d.facture_id, f.numero, f.nom, f.siren, d.etat, coalesce(d.reference, ''), d.motif, d.essais, d.le
		from depot d join facture f on f.id = d.facture_id where `+where, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[message.Depot])
}

// depots lists what goes through the platform, the newest first.
func depots(ctx context.Context, tx *function.Tx, q message.Depots) (page message.PageDepots, err error) {
	after, err := readCursor(q.Curseur)
	if err != nil {
		return page, err
	}
	page.Items, err = selectDepots(ctx, tx, `($1 = '' or d.etat = $1) and ($2 = '' or (d.le, d.facture_id::text) < ($2::timestamptz, $3))
		order by d.le desc, d.facture_id::text desc limit $4`, q.Etat, after.key, after.id, q.Size()+1)
	if err == nil && len(page.Items) > q.Size() {
		page.Items = page.Items[:q.Size()]
		last := page.Items[q.Size()-1]
		page.Suivant = cursor{last.Le.UTC().Format(instant), last.FactureID}.String()
	}
	return page, err
}

// eReporting sums by day and rate what was issued to no company.
func (p plateforme) eReporting(ctx context.Context, tx *function.Tx, q message.EReporting) (r message.JoursEReporting, err error) {
	if days := q.Au.DaysSince(q.Du); days <= 0 || days > 366 {
		return r, function.Invalid("au", "periode_invalide", "La fin doit suivre le début, d'un an au plus.", "The end must come after the start, by a year at most.")
	}
	err = tx.QueryRow(ctx, "select du, source from obligation where code = 'DECLARATION' and taille = $1", p.Taille).Scan(&r.Obligatoire, &r.Source)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return r, err
	}
	rows, err := tx.Query(ctx, `select date_facturation, (t ->> 'taux_pm')::bigint, count(*)::int, sum((t ->> 'base_centimes')::bigint)::bigint, sum((t ->> 'montant_centimes')::bigint)::bigint
		from facture, jsonb_array_elements(tva) t where numero is not null and siren = '' and date_facturation >= $1 and date_facturation < $2 group by 1, 2 order by 1, 2`, q.Du, q.Au)
	if err != nil {
		return r, err
	}
	r.Jours, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.JourEReporting])
	return r, err
}
