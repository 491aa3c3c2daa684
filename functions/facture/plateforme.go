package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// plateforme is the approved platform that carries electronic invoices to
// organisations. Its port is events and commands: DepotAFaire goes out,
// EnregistrerStatutDepot comes back. The adapter here speaks the Flow Service
// of AFNOR XP Z12-013, annexe A, version 1.1.0: a flow is posted and taken
// with 202, its checks come later, and are asked for.
type plateforme struct {
	URL    string `envconfig:"PLATEFORME_URL" default:""`    // up to /v1/flows; empty: nothing is deposited yet
	Jeton  string `envconfig:"PLATEFORME_JETON" default:""`  // a token that lasts, where the platform gives one
	Taille string `envconfig:"SERVICE_TAILLE" default:"PME"` // GRANDE or PME: from when the law wants it

	// Otherwise tokens are asked for (OAuth 2.0, client credentials).
	JetonURL string `envconfig:"PLATEFORME_JETON_URL" default:""`
	Client   string `envconfig:"PLATEFORME_CLIENT" default:""`
	Secret   string `envconfig:"PLATEFORME_SECRET" default:""`

	service service
	http    *http.Client
}

// connectee is p with the client that shows its token.
func (p plateforme) connectee() plateforme {
	source := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: p.Jeton})
	if p.JetonURL != "" {
		ctx := context.WithValue(context.Background(), oauth2.HTTPClient, &http.Client{Timeout: delaiPlateforme})
		source = (&clientcredentials.Config{ClientID: p.Client, ClientSecret: p.Secret, TokenURL: p.JetonURL}).TokenSource(ctx)
	}
	p.http = &http.Client{Timeout: delaiPlateforme, Transport: &oauth2.Transport{Source: source}}
	return p
}

// Waiting.
const (
	delaiPlateforme = 20 * time.Second // for an answer
	patienceDepot   = time.Minute      // doubled by every attempt, and by every question
	attenteDepot    = time.Hour        // at most
	depotsParTick   = 200
)

// collecter finds the documents that have to be deposited, those issued and
// those whose last attempt failed, and those that the platform checks still;
// and asks for each.
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
			select facture_id from depot where etat in ('A_DEPOSER', 'TRANSMISE') and relance_a <= $1 order by relance_a limit $3 for update skip locked)
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

// deposer takes one document a step on, and keeps what came of it: the
// platform is spoken to outside any transaction. One that is through is left
// alone.
func (p plateforme) deposer(ctx context.Context, rt *function.Runtime, e message.DepotAFaire) error {
	var d message.Document
	var etat, reference string
	var essais int
	var rejetees []string // references of before
	err := rt.InTx(ctx, func(tx *function.Tx) error {
		// Nobody else speaks of it meanwhile: the platform would take it twice.
		err := tx.QueryRow(ctx, `update depot set pris_jusqua = $3, essais = essais + (etat = 'A_DEPOSER')::int, questions = questions + (etat = 'TRANSMISE')::int
			where facture_id = $1 and etat in ('A_DEPOSER', 'TRANSMISE') and (pris_jusqua is null or pris_jusqua <= $2)
			returning etat, essais, coalesce(reference, ''), array(select reference from relance_depot r where r.facture_id = depot.facture_id)`,
			e.FactureID, tx.Now, tx.Now.Add(3*delaiPlateforme)).Scan(&etat, &essais, &reference, &rejetees)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil || etat == "TRANSMISE" {
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
	var a accueil
	switch {
	case err != nil || etat == "":
		return err
	case etat == "TRANSMISE":
		a = p.demander(ctx, reference)
	case essais > 1: // its answer may have been lost
		if a = p.retrouver(ctx, e.FactureID, rejetees); a.reference == "" && a.motif == "" {
			a = p.envoyer(ctx, d)
		}
	default:
		a = p.envoyer(ctx, d)
	}
	return rt.InTx(ctx, func(tx *function.Tx) error {
		switch {
		case a.refused:
			_, err = tx.Exec(ctx, "update depot set pris_jusqua = null, etat = 'REJETEE', motif = $3, le = $4 where facture_id = $1 and etat = $2", e.FactureID, etat, a.motif, tx.Now)
		case a.verifiee:
			_, err = tx.Exec(ctx, "update depot set pris_jusqua = null, etat = 'DEPOSEE', motif = '', le = $3 where facture_id = $1 and etat = $2", e.FactureID, etat, tx.Now)
		case a.reference != "":
			_, err = tx.Exec(ctx, "update depot set pris_jusqua = null, etat = 'TRANSMISE', reference = $3, motif = '', questions = 0, le = $4, relance_a = $5 where facture_id = $1 and etat = $2",
				e.FactureID, etat, a.reference, tx.Now, tx.Now.Add(patienceDepot))
		default:
			_, err = tx.Exec(ctx, `update depot set pris_jusqua = null, motif = $3, relance_a = $4::timestamptz
					+ least($5 * power(2, least(greatest(case etat when 'A_DEPOSER' then essais else questions end - 1, 0), 10)), $6) * interval '1 second'
				where facture_id = $1 and etat = $2`, e.FactureID, etat, a.motif, tx.Now, patienceDepot.Seconds(), attenteDepot.Seconds())
		}
		return err
	})
}

// accueil is what the platform says: a reference, that its checks passed, a
// refusal for good, or none of these: to be tried again.
type accueil struct {
	reference, motif  string
	verifiee, refused bool
}

// flux is what the platform tells of a flow (schemas FullFlowInfo and Flow).
type flux struct {
	ID   string `json:"flowId"`
	Recu struct {
		Etat    string `json:"status"` // Pending, Ok, Error
		Details []struct {
			Message string `json:"reasonMessage"`
			Code    string `json:"reasonCode"`
			Niveau  string `json:"level"` // Error, Warning
		} `json:"details"`
	} `json:"acknowledgement"`
}

// envoyer posts a document as a new flow. The tracking id is ours; nothing
// keeps it unique but retrouver.
func (p plateforme) envoyer(ctx context.Context, d message.Document) accueil {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	info, _ := json.Marshal(map[string]string{ // strings
		"trackingId": d.ID, "name": d.Nom, "flowSyntax": "Factur-X", "flowProfile": "CIUS", "processingRule": "B2B",
		"sha256": fmt.Sprintf("%x", sha256.Sum256(d.Contenu)),
	})
	for _, part := range []struct {
		disposition, mime string
		content           []byte
	}{
		{`form-data; name="flowInfo"`, "application/json", info},
		{mime.FormatMediaType("form-data", map[string]string{"name": "file", "filename": d.Nom}), d.Mime, d.Contenu},
	} {
		w, _ := form.CreatePart(textproto.MIMEHeader{"Content-Disposition": {part.disposition}, "Content-Type": {part.mime}}) // into memory
		_, _ = w.Write(part.content)
	}
	_ = form.Close()
	var f flux
	a := p.parler(ctx, http.MethodPost, "/v1/flows", form.FormDataContentType(), &body, &f)
	a.reference = f.ID
	if a.reference == "" && a.motif == "" {
		a.motif = "La plateforme n'a pas donné de référence."
	}
	return a
}

// retrouver finds the flow of an attempt whose answer was lost, by our
// tracking id. One that the platform refused is none, nor is one that was
// rejected before a person had the document sent again.
func (p plateforme) retrouver(ctx context.Context, id string, rejetees []string) (a accueil) {
	var found struct {
		Results []flux `json:"results"`
	}
	criteria, _ := json.Marshal(map[string]any{"limit": 100, "where": map[string]string{"trackingId": id}}) // strings
	if a = p.parler(ctx, http.MethodPost, "/v1/flows/search", "application/json", bytes.NewReader(criteria), &found); a.motif != "" {
		a.refused = false // the question, not the document
		return a
	}
	for _, f := range found.Results {
		if f.Recu.Etat != "Error" && !slices.Contains(rejetees, f.ID) {
			a.reference = f.ID
		}
	}
	return a
}

// demander asks what came of the checks of a flow.
func (p plateforme) demander(ctx context.Context, reference string) accueil {
	var f flux
	a := p.parler(ctx, http.MethodGet, "/v1/flows/"+url.PathEscape(reference)+"?docType=Metadata", "", http.NoBody, &f)
	a.refused = false
	switch f.Recu.Etat {
	case "Ok":
		a.verifiee = true
	case "Error":
		a.refused, a.motif = true, "La plateforme refuse ce document."
		for _, d := range f.Recu.Details {
			if d.Niveau == "Error" {
				a.motif = joined(" ", a.motif, cmp.Or(d.Message, d.Code))
			}
		}
		a.motif = cut(a.motif, 400)
	}
	return a
}

// parler asks the platform one thing. The motif says why there is no answer.
func (p plateforme) parler(ctx context.Context, method, path, mime string, body io.Reader, answer any) accueil {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(p.URL, "/")+path, body)
	if err != nil {
		return accueil{motif: "L'adresse de la plateforme est incorrecte."}
	}
	if mime != "" {
		req.Header.Set("Content-Type", mime)
	}
	res, err := p.http.Do(req)
	if err != nil {
		return accueil{motif: "La plateforme ne répond pas, ou ne nous reconnaît pas."}
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	switch code := res.StatusCode; {
	case err != nil:
		return accueil{motif: "La réponse de la plateforme est incomplète."}
	case code/100 == 2 && json.Unmarshal(raw, answer) == nil:
		return accueil{}
	case code == http.StatusBadRequest || code == http.StatusUnprocessableEntity || code == http.StatusRequestEntityTooLarge:
		var said struct {
			Code    string `json:"errorCode"`
			Message string `json:"errorMessage"`
		}
		_ = json.Unmarshal(raw, &said) // what is not JSON says nothing
		return accueil{refused: true, motif: cut(joined(" ", "La plateforme refuse ce document.", cmp.Or(said.Message, said.Code)), 400)}
	default:
		return accueil{motif: fmt.Sprintf("La plateforme répond %d.", code)}
	}
}

// relancerDepot has a document that did not go through sent again: now, when
// it waits for its next attempt; anew, when the platform rejected it.
func (p plateforme) relancerDepot(ctx context.Context, tx *function.Tx, c message.RelancerDepot) (d message.Depot, err error) {
	var etat, motif, reference string
	switch err := tx.QueryRow(ctx, "select etat, motif, coalesce(reference, '') from depot where facture_id = $1 for update", c.FactureID).Scan(&etat, &motif, &reference); {
	case errors.Is(err, pgx.ErrNoRows):
		return d, function.NotFound("depot_inconnu", "Cette facture ne passe pas par la plateforme.", "This bill does not go through the platform.")
	case err != nil:
		return d, err
	case etat != "A_DEPOSER" && etat != "REJETEE":
		return d, function.Conflict("depot_passe", "La plateforme a ce document : il ne s'envoie pas deux fois. S'il est refusé par le client, il se corrige par un avoir ou une rectification.",
			"The platform has this document: it is not sent twice. One that the customer refused is corrected.")
	case p.URL == "":
		return d, function.Refused("plateforme_absente", "Aucune plateforme n'est raccordée : un administrateur doit d'abord en régler l'adresse.", "No platform is connected yet.")
	}
	b := &pgx.Batch{}
	b.Queue("insert into relance_depot (facture_id, instant, motif, reference, par_id, par) values ($1, $2, $3, $4, $5, $6)",
		c.FactureID, tx.Now, motif, reference, tx.Identity().ID, tx.Identity().Nom)
	b.Queue(`update depot set etat = 'A_DEPOSER', reference = null, motif = '', relance_a = $2, le = case etat when 'REJETEE' then $3 else le end,
			essais = case etat when 'REJETEE' then 0 else essais end where facture_id = $1`,
		c.FactureID, tx.Now.Add(attenteDepot), tx.Now)
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return d, err
	}
	tx.Emit(c.FactureID, 0, message.DepotAFaire(c))
	all, err := selectDepots(ctx, tx, "d.facture_id = $1", c.FactureID)
	if err != nil {
		return d, err
	}
	return all[0], nil
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
	rows, err := tx.Query(ctx, `select d.facture_id, f.numero, f.nom, f.siren, d.etat, coalesce(d.reference, ''), d.motif, d.essais, d.le, f.entite, f.ttc_centimes,
			case when d.etat in ('A_DEPOSER', 'TRANSMISE') then d.relance_a end,
			(select coalesce(jsonb_agg(jsonb_build_object('etat', etat, 'motif', motif, 'le', le) order by le desc), '[]') from statut_depot s where s.facture_id = d.facture_id),
			coalesce((select jsonb_build_object('instant', instant, 'motif', motif, 'par', par) from relance_depot r where r.facture_id = d.facture_id order by instant desc limit 1), 'null')
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
	rows, err := tx.Query(ctx, "select etat, count(*)::int from depot group by 1 order by 1")
	if err != nil {
		return page, err
	}
	if page.Etats, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.DepotsParEtat]); err != nil {
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
