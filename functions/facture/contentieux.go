package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// ouvrirContentieux takes the bills of an abonne whose notices have all
// passed to litigation.
func ouvrirContentieux(ctx context.Context, tx *function.Tx, c message.OuvrirContentieux) (f message.FicheContentieux, err error) {
	if err := verrouiller(ctx, tx, c.AbonneID); err != nil {
		return f, err
	}
	rows, err := tx.Query(ctx, `select d.id from dossier_relance d join facture f on f.id = d.facture_id
		where d.abonne_id = $1 and d.etat = 'A_TRANSMETTRE' and f.etat in ('EMISE', 'PARTIELLE') for update of d`, c.AbonneID)
	if err != nil {
		return f, err
	}
	files, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return f, err
	}
	if len(files) == 0 {
		return f, function.Conflict("rien_a_transmettre",
			"Aucune facture de cet abonné n'a épuisé ses relances : les courriers et leurs délais passent d'abord.",
			"No bill of this subscriber has had all its notices: letters and their delays come first.")
	}
	var id string
	err = tx.QueryRow(ctx, `insert into contentieux (id, abonne_id, nom, etat, motif, ouvert_le, cree_par)
		select $1, $2, (select nom from facture where abonne_id = $2 order by date_facturation desc limit 1), 'OUVERT', $3, $4, $5
		on conflict (abonne_id) where etat = 'OUVERT' do update set motif = contentieux.motif returning id`,
		function.NewID(), c.AbonneID, c.Motif, tx.Today(), tx.Identity().ID).Scan(&id)
	if err != nil {
		return f, err
	}
	b := &pgx.Batch{}
	b.Queue("update dossier_relance set etat = 'EN_CONTENTIEUX', contentieux_id = $2 where id = any($1)", files, id)
	for _, file := range files {
		noter(b, tx, file, "CONTENTIEUX", c.Motif)
	}
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return f, err
	}
	return loadContentieux(ctx, tx, id)
}

const contentieuxColumns = `select c.id, c.abonne_id, c.nom, c.etat, c.motif, c.ouvert_le, c.clos_le, c.issue, d.n, d.reste, d.prescription
	from contentieux c cross join lateral (
		select count(*) n, coalesce(sum(reste), 0)::bigint reste, min(prescription_le) filter (where reste > 0) prescription from (` + dossiers + `) d where contentieux_id = c.id::text) d `

func scanContentieux(row pgx.CollectableRow) (c message.Contentieux, err error) {
	err = row.Scan(&c.ID, &c.AbonneID, &c.Nom, &c.Etat, &c.Motif, &c.OuvertLe, &c.ClosLe, &c.Issue, &c.Factures, &c.ResteCentimes, &c.PrescriptionLe)
	return c, err
}

// listeContentieux lists litigation, the nearest prescription first.
func listeContentieux(ctx context.Context, tx *function.Tx, q message.ContentieuxEnCours) (page message.PageContentieux, err error) {
	after, err := readCursor(q.Curseur)
	if err != nil {
		return page, err
	}
	if q.Etat == "" {
		q.Etat = "OUVERT"
	}
	rows, err := tx.Query(ctx, contentieuxColumns+`where c.etat = $2 and ($3::text is null or (coalesce(d.prescription, 'infinity'), c.id::text) > (coalesce(nullif($3, '-'), 'infinity')::date, $4))
		order by coalesce(d.prescription, 'infinity'), c.id::text limit $5`, tx.Today(), q.Etat, nilIfEmpty(after.key), after.id, q.Size()+1)
	if err != nil {
		return page, err
	}
	page.Items, err = pgx.CollectRows(rows, scanContentieux)
	if n := q.Size(); err == nil && len(page.Items) > n {
		page.Items = page.Items[:n]
		last := page.Items[n-1]
		key := last.PrescriptionLe.String()
		if key == "" {
			key = "-"
		}
		page.Suivant = cursor{key, last.ID}.String()
	}
	return page, err
}

func contentieuxParID(ctx context.Context, tx *function.Tx, q message.ContentieuxParID) (message.FicheContentieux, error) {
	return loadContentieux(ctx, tx, q.ID)
}

func contentieuxInconnu() error {
	return function.NotFound("contentieux_inconnu", "Ce contentieux n'existe pas.", "There is no such litigation.")
}

func loadContentieux(ctx context.Context, tx *function.Tx, id string) (f message.FicheContentieux, err error) {
	rows, err := tx.Query(ctx, contentieuxColumns+"where c.id = $2", tx.Today(), id)
	if err != nil {
		return f, err
	}
	f.Contentieux, err = pgx.CollectExactlyOneRow(rows, scanContentieux)
	if errors.Is(err, pgx.ErrNoRows) {
		return f, contentieuxInconnu()
	}
	if err != nil {
		return f, err
	}
	if f.Dossiers, err = selectDossiers(ctx, tx, "contentieux_id = $2 order by date_facturation, numero", id); err != nil {
		return f, err
	}
	rows, err = tx.Query(ctx, `select a.id, a.nature, n.libelle, a.le, a.detail, n.interrompt, a.document_nom, a.cree_par
		from acte_contentieux a join nature_acte n on n.code = a.nature where contentieux_id = $1 order by a.le, a.id`, id)
	if err != nil {
		return f, err
	}
	if f.Actes, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.Acte]); err != nil {
		return f, err
	}
	rows, err = tx.Query(ctx, `select f.numero, e.le, e.par, e.code, e.detail from dossier_evenement e
			join dossier_relance d on d.id = e.dossier_id join facture f on f.id = d.facture_id
		where d.contentieux_id = $1 order by e.id`, id)
	if err != nil {
		return f, err
	}
	f.Evenements, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (e message.EvenementContentieux, err error) {
		return e, row.Scan(&e.Numero, &e.Le, &e.Par, &e.Code, &e.Detail)
	})
	if err != nil {
		return f, err
	}
	f.NonValeurs, err = selectNonValeurs(ctx, tx, "n.facture_id in (select facture_id from dossier_relance where contentieux_id = $1) order by n.id desc", id)
	return f, err
}

// lockContentieux reads the state of a litigation that will change.
func lockContentieux(ctx context.Context, tx *function.Tx, id string) error {
	var etat string
	err := tx.QueryRow(ctx, "select etat from contentieux where id = $1 for update", id).Scan(&etat)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return contentieuxInconnu()
	case err == nil && etat != "OUVERT":
		return function.Conflict("contentieux_clos", "Ce contentieux est clos.", "This litigation is closed.")
	}
	return err
}

// ajouterActe records what was done in a litigation.
func ajouterActe(ctx context.Context, tx *function.Tx, c message.AjouterActe) (f message.FicheContentieux, err error) {
	if c.Le.After(tx.Today()) {
		return f, function.Invalid("le", "date_future", "Cet acte ne peut pas être daté du futur.", "This cannot be dated in the future.")
	}
	document, sum, err := pieceJointe(c.Document, c.DocumentMime)
	if err != nil {
		return f, err
	}
	if err := lockContentieux(ctx, tx, c.ContentieuxID); err != nil {
		return f, err
	}
	_, err = tx.Exec(ctx, `insert into acte_contentieux (id, contentieux_id, nature, le, detail, document_nom, document_mime, document, sha256, cree_a, cree_par)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		function.NewID(), c.ContentieuxID, c.Nature, c.Le, c.Detail, c.DocumentNom, c.DocumentMime, document, sum, tx.Now, tx.Identity().ID)
	if err != nil {
		return f, err
	}
	return loadContentieux(ctx, tx, c.ContentieuxID)
}

func documentActe(ctx context.Context, tx *function.Tx, q message.DocumentActe) (d message.Document, err error) {
	d.ID = q.ActeID
	err = tx.QueryRow(ctx, "select document_nom, document_mime, document from acte_contentieux where id = $1 and document is not null", q.ActeID).Scan(&d.Nom, &d.Mime, &d.Contenu)
	if errors.Is(err, pgx.ErrNoRows) {
		err = function.NotFound("document_inconnu", "Cet acte n'a pas de document.", "There is no document of this.")
	}
	return d, err
}

// cloreContentieux ends litigation; what is still owed waits for a person again.
func cloreContentieux(ctx context.Context, tx *function.Tx, c message.CloreContentieux) (f message.FicheContentieux, err error) {
	if err := lockContentieux(ctx, tx, c.ContentieuxID); err != nil {
		return f, err
	}
	b := &pgx.Batch{}
	b.Queue("update contentieux set etat = 'CLOS', clos_le = $2, issue = $3 where id = $1", c.ContentieuxID, tx.Today(), c.Issue)
	b.Queue(`with rendu as (update dossier_relance set etat = 'A_TRANSMETTRE' where contentieux_id = $1 and etat = 'EN_CONTENTIEUX' returning id)
		insert into dossier_evenement (dossier_id, le, par, code, detail) select id, $2, $3, 'CONTENTIEUX_CLOS', $4 from rendu`, c.ContentieuxID, tx.Now, tx.Identity().ID, c.Issue)
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return f, err
	}
	return loadContentieux(ctx, tx, c.ContentieuxID)
}

func selectNonValeurs(ctx context.Context, tx *function.Tx, where string, args ...any) ([]message.NonValeur, error) {
	rows, err := tx.Query(ctx, `select n.id, n.facture_id, f.numero, n.abonne_id, f.nom, n.etat, n.montant_centimes, n.motif, n.deliberation, n.propose_par, coalesce(n.decide_par, '')
		from non_valeur n join facture f on f.id = n.facture_id where `+where, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[message.NonValeur])
}

func nonValeurs(ctx context.Context, tx *function.Tx, q message.NonValeurs) (page message.PageNonValeurs, err error) {
	after, err := readCursor(q.Curseur)
	if err != nil {
		return page, err
	}
	page.Items, err = selectNonValeurs(ctx, tx, "($1 = '' or n.etat = $1) and ($2 = '' or n.id::text < $2) order by n.id::text desc limit $3", q.Etat, after.id, q.Size()+1)
	if n := q.Size(); err == nil && len(page.Items) > n {
		page.Items = page.Items[:n]
		page.Suivant = cursor{"", page.Items[n-1].ID}.String()
	}
	return page, err
}

// dueEtDossier locks what is owed of a bill, above zero, and its file.
func dueEtDossier(ctx context.Context, tx *function.Tx, factureID string) (reste int64, dossier, etat string, err error) {
	if reste, dossier, etat, err = resteEtDossier(ctx, tx, factureID); err == nil && reste <= 0 {
		err = rienDu()
	}
	return reste, dossier, etat, err
}

func rienDu() error {
	return function.Conflict("rien_du", "Cette facture n'est plus due.", "Nothing is owed of this bill.")
}

// resteEtDossier locks what is owed of a bill, if anything, and its file.
func resteEtDossier(ctx context.Context, tx *function.Tx, factureID string) (reste int64, dossier, etat string, err error) {
	var abonne string
	err = tx.QueryRow(ctx, "select abonne_id from facture where id = $1 and numero is not null", factureID).Scan(&abonne)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, "", "", factureInconnue()
	}
	if err != nil {
		return 0, "", "", err
	}
	if err := verrouiller(ctx, tx, abonne); err != nil {
		return 0, "", "", err
	}
	err = tx.QueryRow(ctx, `select case when f.etat in ('EMISE', 'PARTIELLE') then f.ttc_centimes - f.paye_centimes else 0 end, coalesce(d.id::text, ''), coalesce(d.etat, '')
		from facture f left join dossier_relance d on d.facture_id = f.id where f.id = $1`, factureID).Scan(&reste, &dossier, &etat)
	return reste, dossier, etat, err
}

// proposerNonValeur asks to give a bill up, once every means has been tried.
func proposerNonValeur(ctx context.Context, tx *function.Tx, c message.ProposerNonValeur) (n message.NonValeur, err error) {
	reste, dossier, etat, err := dueEtDossier(ctx, tx, c.FactureID)
	if err != nil {
		return n, err
	}
	if etat != "A_TRANSMETTRE" && etat != "EN_CONTENTIEUX" {
		return n, function.Refused("poursuites_non_epuisees",
			"Une facture ne s'admet en non-valeur qu'après ses relances.", "A bill is given up only after all its notices.")
	}
	id := function.NewID()
	tag, err := tx.Exec(ctx, `insert into non_valeur (id, facture_id, abonne_id, montant_centimes, motif, etat, propose_par, propose_a)
		select $1, id, abonne_id, $3, $4, 'PROPOSEE', $5, $6 from facture where id = $2 on conflict (facture_id) where etat <> 'REFUSEE' do nothing`,
		id, c.FactureID, reste, c.Motif, tx.Identity().ID, tx.Now)
	if err != nil {
		return n, err
	}
	if tag.RowsAffected() == 0 {
		return n, function.Conflict("deja_proposee", "L'admission en non-valeur de cette facture est déjà proposée.", "Giving this bill up is proposed already.")
	}
	return laNonValeur(ctx, tx, id, dossier, "NON_VALEUR_PROPOSEE", c.Motif)
}

// deciderNonValeur gives a bill up, or refuses to, on another person's
// proposal: the bill has its last state, and the loss is booked.
func deciderNonValeur(ctx context.Context, tx *function.Tx, c message.DeciderNonValeur) (n message.NonValeur, err error) {
	var etat, factureID, proposePar string
	err = tx.QueryRow(ctx, "select etat, facture_id, propose_par from non_valeur where id = $1 for update", c.NonValeurID).Scan(&etat, &factureID, &proposePar)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return n, function.NotFound("non_valeur_inconnue", "Cette proposition n'existe pas.", "There is no such proposal.")
	case err != nil:
		return n, err
	case etat != "PROPOSEE":
		return n, function.Conflict("deja_decidee", "Cette proposition est déjà décidée.", "This was decided already.")
	case proposePar == tx.Identity().ID:
		return n, function.Forbidden("deux_personnes", "La personne qui propose une non-valeur ne la décide pas.", "Who proposes to give a bill up does not decide it.")
	}
	if !c.Admise {
		var dossier string
		err := tx.QueryRow(ctx, "update non_valeur set etat = 'REFUSEE', decide_par = $2, decide_a = $3 where id = $1 returning (select id from dossier_relance d where d.facture_id = non_valeur.facture_id)",
			c.NonValeurID, tx.Identity().ID, tx.Now).Scan(&dossier)
		if err != nil {
			return n, err
		}
		return laNonValeur(ctx, tx, c.NonValeurID, dossier, "NON_VALEUR_REFUSEE", "")
	}
	reste, dossier, _, err := dueEtDossier(ctx, tx, factureID)
	if err != nil {
		return n, err
	}
	var numero, abonne, entite string
	b := &pgx.Batch{}
	b.Queue("update non_valeur set etat = 'ADMISE', montant_centimes = $2, deliberation = $3, le = $4, decide_par = $5, decide_a = $6 where id = $1",
		c.NonValeurID, reste, c.Deliberation, tx.Today(), tx.Identity().ID, tx.Now)
	b.Queue("update facture set etat = 'ADMISE_EN_NON_VALEUR' where id = $1 returning numero, abonne_id, entite", factureID).
		QueryRow(func(row pgx.Row) error { return row.Scan(&numero, &abonne, &entite) })
	b.Queue("update dossier_relance set etat = 'ADMIS_EN_NON_VALEUR', prochain_le = null where id = $1", dossier)
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return n, err
	}
	// VAT that waited for this money will never be due: only what was earned is lost.
	var tva int64
	if err := tx.QueryRow(ctx, "update non_valeur set tva_centimes = tva_en_attente(facture_id) where id = $1 returning tva_centimes", c.NonValeurID).Scan(&tva); err != nil {
		return n, err
	}
	err = ecrire(ctx, tx, ecriture{ID: c.NonValeurID, Entite: entite, Date: tx.Today(), Piece: numero, AbonneID: abonne,
		Libelle: "Non-valeur " + numero + " : " + c.Deliberation, Mouvements: []mouvement{{"6541", reste - tva}, {tvaEnAttente, tva}, {"411", -reste}}})
	if err != nil {
		return n, err
	}
	return laNonValeur(ctx, tx, c.NonValeurID, dossier, "NON_VALEUR_ADMISE", c.Deliberation)
}

// laNonValeur notes what happened to a proposal and reads it.
func laNonValeur(ctx context.Context, tx *function.Tx, id, dossier, code, detail string) (n message.NonValeur, err error) {
	b := &pgx.Batch{}
	noter(b, tx, dossier, code, detail)
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return n, err
	}
	all, err := selectNonValeurs(ctx, tx, "n.id = $1", id)
	if err != nil || len(all) == 0 {
		return n, err
	}
	return all[0], nil
}

// majorerAssainissement asks for the surcharge of the sewerage part that is
// still owed of a bill, by a document of its own (CGCT R2224-19-9).
func majorerAssainissement(ctx context.Context, tx *function.Tx, c message.MajorerAssainissement) (f message.Facture, err error) {
	reste, dossier, _, err := dueEtDossier(ctx, tx, c.FactureID)
	if err != nil {
		return f, err
	}
	var allowed bool
	var numero, contrat, entite string
	var ttc, assainissement, pm int64
	var delai int
	err = tx.QueryRow(ctx, `select coalesce(`+majorable+`, false), f.numero, f.contrat_id, f.entite, f.ttc_centimes,
			(select coalesce(sum((l ->> 'ht_centimes')::bigint), 0)::bigint from jsonb_array_elements(f.lignes) l where l ->> 'rubrique' = 'eaux_usees'),
			parametre_du('majoration_eu', $1), (select apres_jours from niveau_relance where niveau = 1 and periode @> $1::date)
		from facture f left join dossier_relance d on d.facture_id = f.id where f.id = $2`, tx.Today(), c.FactureID).
		Scan(&allowed, &numero, &contrat, &entite, &ttc, &assainissement, &pm, &delai)
	if err != nil {
		return f, err
	}
	if !allowed {
		return f, function.Refused("majoration_interdite",
			"La majoration demande une part d'assainissement impayée depuis trois mois et une mise en demeure recommandée restée quinze jours sans effet (CGCT R2224-19-9).",
			"The surcharge asks for a sewerage part unpaid for three months and a registered formal notice without effect for fifteen days (CGCT R2224-19-9).")
	}
	due := divise(assainissement*reste, ttc)
	f, err = emettrePiece(ctx, tx, piece{nature: natureManuelle, contratID: contrat, entite: entite, delai: delai,
		motif: "Majoration de la redevance d'assainissement de la facture " + numero + " (CGCT R2224-19-9)",
		lignes: []message.LigneFacture{{Rubrique: "eaux_usees", Code: "majoration/" + numero, Compte: "7711", HTCentimes: divise(due*pm, 1000),
			Libelle: fmt.Sprintf("Majoration de %s sur %s d'assainissement impayé", taux(pm), message.Euros(due))}}})
	if err != nil {
		return f, err
	}
	b := &pgx.Batch{}
	b.Queue("insert into majoration (facture_id, piece_id, le) values ($1, $2, $3)", c.FactureID, f.ID, tx.Today())
	noter(b, tx, dossier, "MAJORE", f.Numero+" : "+message.Euros(f.TTCCentimes))
	return f, tx.SendBatch(ctx, b).Close()
}

// divise is a quotient of positive numbers to the nearest, half up.
func divise(a, b int64) int64 { return (2*a + b) / (2 * b) }

// fraisDeRejet asks for what a returned payment costs, when the rules of the
// service have a fee: never from a household that has a social tariff or was
// helped (CGCT L2224-12-2-1).
func fraisDeRejet(ctx context.Context, tx *function.Tx, e message.PaiementRejete) error {
	var contrat, source string
	var montant int64
	var delai int
	err := tx.QueryRow(ctx, `select c.id, r.montant_centimes, r.source, n.apres_jours
		from contrat c join frais_recouvrement r on r.habitation = c.habitation and r.code = 'REJET' and r.periode @> $2::date
		join niveau_relance n on n.niveau = 1 and n.periode @> $2::date
		where c.abonne_id = $1 and not aidee(c.abonne_id, $2) order by c.depuis desc limit 1`, e.AbonneID, tx.Today()).Scan(&contrat, &montant, &source, &delai)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = emettrePiece(ctx, tx, piece{nature: natureManuelle, contratID: contrat, delai: delai, motif: "Frais de rejet de paiement (" + source + ")",
		lignes: []message.LigneFacture{{Rubrique: "distribution", Code: "frais/rejet", Compte: "7711", HTCentimes: montant, Libelle: "Frais de rejet de paiement"}}})
	return err
}
