package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"aquaerp.fr/functions/facture/sepa"
	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// maxEcartes is how many of those left out a control screen lists.
const maxEcartes = 200

// candidat is a bill, or a part of a plan, that may be debited.
type candidat struct {
	prelevementID, factureID     string // the first is empty for a bill that waits in no list yet
	numero, bout                 string
	abonneID, nom, email, nature string
	centimes                     int64
	echeance                     message.Date
	annonceLe                    message.Date // when the abonne was told the day and the amount; none: not yet
	rejets                       int
	action, dernierMandat        string // of the last rejection
	mandatID                     string
	unique, utilise              bool
	caducLe                      message.Date
	preavis                      int
}

// regles are the delays in force on the day of a remise.
type regles struct {
	aujourdhui, jusqua                message.Date
	preavis, tolerance, essais, delai int
}

// ligne is what a candidat becomes.
type ligne struct {
	candidat
	id, sequence string
	date         message.Date
	annonce      bool
}

// candidats are, for an entity ($1): open bills of those who pay by debit
// and on which no debit waits, and what waits to be debited, by $2. A plan
// itself tells the days and amounts of its parts; a bill does when it was
// issued to be debited. Bills that a plan pays, that are contested or that
// wait for an aid are not debited ($5 is today).
const candidats = `with du as (
		select null::uuid prelevement_id, f.id facture_id, null::uuid echeancier_id, null::int rang, f.numero, f.abonne_id, f.nom, f.email, f.nature,
			f.ttc_centimes - f.paye_centimes centimes, f.echeance, case when f.mode_paiement = 'PRELEVEMENT' then f.date_facturation end annonce_le
		from facture f left join contrat k on k.id = f.contrat_id
		where f.etat in ('EMISE', 'PARTIELLE') and f.entite = $1 and f.echeance <= $2 and f.ttc_centimes > f.paye_centimes
			and coalesce(k.mode_paiement, f.mode_paiement) = 'PRELEVEMENT'
			and not exists (select from prelevement_a_faire p where p.facture_id = f.id and p.etat in ('A_FAIRE', 'REMIS')) and not en_echeancier(f.id, $5)
		union all
		select p.id, p.facture_id, p.echeancier_id, p.rang, coalesce(f.numero, 'PLAN-' || right(p.echeancier_id::text, 12) || '-' || p.rang), p.abonne_id,
			coalesce(f.nom, k.nom, ''), coalesce(f.email, k.email, ''), coalesce(f.nature, ''),
			case when f.id is null then p.montant_centimes else least(p.montant_centimes, f.ttc_centimes - f.paye_centimes) end, p.date,
			(p.cree_a at time zone 'Europe/Paris')::date
		from prelevement_a_faire p left join facture f on f.id = p.facture_id
			left join lateral (select nom, email, code_insee from contrat where abonne_id = p.abonne_id order by depuis desc limit 1) k on true
			left join commune c on c.code_insee = k.code_insee
		where p.etat = 'A_FAIRE' and p.date <= $2 and coalesce(f.entite, c.entite, 'principale') = $1
			and not exists (select from remise_ligne l where l.prelevement_id = p.id and l.etat <> 'ABANDONNE')
	)
	select coalesce(du.prelevement_id::text, ''), coalesce(du.facture_id::text, ''), du.numero, du.numero || '-' || (1 + x.essais), du.abonne_id, du.nom, du.email, du.nature,
		du.centimes, du.echeance, du.annonce_le, x.rejets, coalesce(x.action, ''), coalesce(x.mandat_id::text, ''),
		coalesce(m.id::text, ''), coalesce(m.unique_debit, false), m.dernier_prelevement is not null,
		(coalesce(m.dernier_prelevement, m.signe_le) + make_interval(months => $3))::date, coalesce(m.prenotification_jours, $4)
	from du
	left join mandat m on m.abonne_id = du.abonne_id and m.entite = $1 and m.etat = 'ACTIF'
	cross join lateral (select count(*)::int essais, count(*) filter (where l.etat = 'REJETE')::int rejets,
			(array_agg(coalesce(r.action, 'RELANCER') order by l.rejete_le desc, l.id desc) filter (where l.etat = 'REJETE'))[1] action,
			(array_agg(l.mandat_id order by l.rejete_le desc, l.id desc) filter (where l.etat = 'REJETE'))[1] mandat_id
		from remise_ligne l left join code_rejet r on r.code = l.code_rejet where l.numero = du.numero) x
	where du.centimes > 0 and not exists (select from suspension s where s.abonne_id = du.abonne_id and coalesce(s.facture_id, du.facture_id) is not distinct from du.facture_id
		and s.motif in ('FSL', 'CONTESTATION') and s.levee_le is null and $5 between s.du and s.jusqua)
	order by du.abonne_id, du.echeance, du.numero`

// choisir decides what a candidat becomes: a line, or the reason why not, or
// neither when its day comes after the last one asked for.
func (r regles) choisir(c candidat) (l ligne, ecarte string) {
	switch {
	case c.mandatID == "":
		return l, "mandat_absent"
	case c.rejets > 0 && c.dernierMandat == c.mandatID && (c.action != "REPRESENTER" && c.action != "CORRIGER" || c.rejets >= r.essais):
		return l, "rejet_a_traiter"
	}
	l = ligne{candidat: c, id: function.NewID()}
	prevue := sepa.Suivant(c.echeance)
	l.date = later(prevue, sepa.Apres(r.aujourdhui, r.delai))
	// What was announced holds for the day announced, and a little after; a debit presented again is announced again.
	if c.annonceLe.IsZero() || c.rejets > 0 || l.date.DaysSince(c.annonceLe) < c.preavis || l.date.DaysSince(prevue) > r.tolerance {
		l.annonce = true
		l.date = later(l.date, sepa.Suivant(r.aujourdhui.AddDays(c.preavis)))
	}
	switch {
	case l.date.After(c.caducLe):
		return ligne{}, "mandat_caduc"
	case l.date.After(r.jusqua) && l.annonce:
		return ligne{}, "prenotification_trop_courte"
	case l.date.After(r.jusqua):
		return ligne{}, ""
	}
	switch {
	case c.unique:
		l.sequence = "OOFF"
	case c.nature == natureSolde:
		l.sequence = "FNAL"
	case c.utilise:
		l.sequence = "RCUR"
	default:
		l.sequence = "FRST"
	}
	return l, ""
}

func later(a, b message.Date) message.Date {
	if a.Before(b) {
		return b
	}
	return a
}

// preparerRemise chooses what would be debited, and keeps it until a person
// validates or drops it.
func preparerRemise(ctx context.Context, tx *function.Tx, c message.PreparerRemise) (message.Remise, error) {
	entite := cmp.Or(c.Entite, "principale")
	r := regles{aujourdhui: tx.Today(), jusqua: c.Jusqua}
	var mois int
	for code, n := range map[string]*int{"prenotification_jours": &r.preavis, "prenotification_tolerance_jours": &r.tolerance,
		"presentations_max": &r.essais, "delai_banque_jours": &r.delai, "caducite_mois": &mois} {
		var err error
		if *n, err = regleSEPA(ctx, tx, code, r.aujourdhui); err != nil {
			return message.Remise{}, err
		}
	}
	if premier := sepa.Apres(r.aujourdhui, r.delai); c.Jusqua.Before(premier) {
		return message.Remise{}, function.Invalid("jusqua", "delai_banque", "La banque a besoin de temps : le premier jour de prélèvement possible est le "+premier.Francais()+".",
			"The bank needs time: the first day possible is "+premier.String()+".")
	}
	if c.Jusqua.DaysSince(r.aujourdhui) > 366 {
		return message.Remise{}, function.Invalid("jusqua", "date_lointaine", "Ce jour est à plus d'un an.", "This day is more than a year away.")
	}
	var format string
	switch err := tx.QueryRow(ctx, "select format from creancier where entite = $1", entite).Scan(&format); {
	case errors.Is(err, pgx.ErrNoRows):
		return message.Remise{}, function.Conflict("creancier_absent", "Aucun identifiant créancier SEPA n'est défini pour cette entité : définissez-le d'abord.", "No SEPA creditor is defined for this entity yet.")
	case err != nil:
		return message.Remise{}, err
	}
	rows, err := tx.Query(ctx, candidats, entite, c.Jusqua, mois, r.preavis, r.aujourdhui)
	if err != nil {
		return message.Remise{}, err
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c candidat, err error) {
		err = row.Scan(&c.prelevementID, &c.factureID, &c.numero, &c.bout, &c.abonneID, &c.nom, &c.email, &c.nature, &c.centimes, &c.echeance, &c.annonceLe,
			&c.rejets, &c.action, &c.dernierMandat, &c.mandatID, &c.unique, &c.utilise, &c.caducLe, &c.preavis)
		return c, err
	})
	if err != nil {
		return message.Remise{}, err
	}
	var lignes []ligne
	ecartes := []message.PrelevementExclu{}
	var nEcartes int
	var sommeEcartes int64
	premiere := map[string]bool{} // mandates whose first debit is in this remise
	for _, c := range all {
		l, pourquoi := r.choisir(c)
		if pourquoi == "" && l.sequence == "OOFF" && premiere[c.mandatID] {
			pourquoi = "mandat_absent" // it was for one debit
		}
		switch {
		case pourquoi != "":
			nEcartes++
			sommeEcartes += c.centimes
			if len(ecartes) < maxEcartes {
				ecartes = append(ecartes, message.PrelevementExclu{AbonneID: c.abonneID, Nom: c.nom, FactureID: c.factureID, Numero: c.numero, MontantCentimes: c.centimes, Code: pourquoi})
			}
		case l.id != "":
			if l.sequence == "FRST" && premiere[c.mandatID] {
				l.sequence = "RCUR"
			}
			premiere[c.mandatID] = true
			lignes = append(lignes, l)
		}
	}
	if len(lignes) == 0 && nEcartes == 0 {
		return message.Remise{}, function.Conflict("rien_a_prelever", "Rien n'est à prélever d'ici ce jour.", "There is nothing to debit by this day.")
	}
	id := function.NewID()
	_, err = tx.Exec(ctx, `insert into remise (id, entite, etat, jusqua, format, ecartes, ecartes_nombre, ecartes_centimes, cree_a, cree_par) values ($1, $2, 'PREPAREE', $3, $4, $5, $6, $7, $8, $9)`,
		id, entite, c.Jusqua, format, ecartes, nEcartes, sommeEcartes, tx.Now, tx.Identity().ID)
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.ConstraintName == "remise_preparee" {
		return message.Remise{}, function.Conflict("remise_en_preparation", "Une remise de cette entité attend déjà : validez-la ou abandonnez-la d'abord.", "A remise of this entity waits already: validate or drop it first.")
	}
	if err != nil {
		return message.Remise{}, err
	}
	if err := ecrireLignes(ctx, tx, id, lignes); err != nil {
		return message.Remise{}, err
	}
	return loadRemise(ctx, tx, id)
}

func ecrireLignes(ctx context.Context, tx *function.Tx, remiseID string, lignes []ligne) error {
	var attente, debits [][]any
	for i := range lignes {
		l := &lignes[i]
		if l.prelevementID == "" {
			l.prelevementID = function.NewID()
			attente = append(attente, []any{l.prelevementID, l.abonneID, l.factureID, l.centimes, l.date, tx.Now})
		}
		debits = append(debits, []any{l.id, remiseID, l.prelevementID, l.mandatID, l.bout, l.abonneID, l.nom, l.email, null(l.factureID), l.numero, l.sequence, l.date, l.centimes, l.annonce, "PREPARE"})
	}
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"prelevement_a_faire"}, []string{"id", "abonne_id", "facture_id", "montant_centimes", "date", "cree_a"}, pgx.CopyFromRows(attente)); err != nil {
		return err
	}
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"remise_ligne"}, []string{"id", "remise_id", "prelevement_id", "mandat_id", "bout", "abonne_id", "nom", "email", "facture_id",
		"numero", "sequence", "date", "montant_centimes", "annonce", "etat"}, pgx.CopyFromRows(debits))
	return err
}

// null is SQL null for an empty id.
func null(id string) any {
	if id == "" {
		return nil
	}
	return id
}

func verrouillerRemise(ctx context.Context, tx *function.Tx, id, etat string) error {
	var now string
	err := tx.QueryRow(ctx, "select etat from remise where id = $1 for update", id).Scan(&now)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return function.NotFound("remise_inconnue", "Cette remise n'existe pas.", "There is no such remise.")
	case err != nil:
		return err
	case now != etat && now == "VALIDEE":
		return function.Conflict("remise_deja_validee", "Cette remise est déjà validée : son fichier existe, il ne s'écrit pas deux fois.", "This remise is validated: its file exists and is not written twice.")
	case now != etat:
		return function.Conflict("remise_pas_validee", "Cette remise n'est pas dans l'état attendu ("+now+").", "This remise is in another state ("+now+").")
	}
	return nil
}

// validerRemise writes the file. What was chosen must still hold: the bill is
// owed as it was and not held, the mandate lives, the days are far enough.
func validerRemise(ctx context.Context, tx *function.Tx, c message.ValiderRemise) (message.Remise, error) {
	if err := verrouillerRemise(ctx, tx, c.RemiseID, "PREPAREE"); err != nil {
		return message.Remise{}, err
	}
	r := sepa.Remise{CreeA: tx.Now}
	var numero int64
	var creeA time.Time
	var iban string
	err := tx.QueryRow(ctx, "select r.numero, r.cree_a, r.format, k.nom, k.ics, k.iban, k.bic from remise r join creancier k using (entite) where r.id = $1", c.RemiseID).
		Scan(&numero, &creeA, &r.Version, &r.Creancier.Nom, &r.Creancier.ICS, &iban, &r.Creancier.BIC)
	if err != nil {
		return message.Remise{}, err
	}
	r.ID, r.Creancier.IBAN = referenceRemise(creeA, numero), sepa.IBAN(iban)
	delai, err := regleSEPA(ctx, tx, "delai_banque_jours", tx.Today())
	if err != nil {
		return message.Remise{}, err
	}
	preavis, err := regleSEPA(ctx, tx, "prenotification_jours", tx.Today())
	if err != nil {
		return message.Remise{}, err
	}
	// The debits and mandates wait for nobody else until this is done; who pays a bill lowers its debit.
	rows, err := tx.Query(ctx, `select l.id, l.bout, l.abonne_id, l.nom, l.email, l.numero, l.sequence, l.date, l.montant_centimes, l.annonce,
			m.rum, m.signe_le, m.titulaire, m.iban, m.bic, m.modifie, m.etat = 'ACTIF', coalesce(m.prenotification_jours, $2), coalesce((select adresse from contrat c where c.abonne_id = l.abonne_id order by depuis desc limit 1), '{}'),
			p.etat = 'A_FAIRE' and p.montant_centimes >= l.montant_centimes and not exists (select from suspension s where s.abonne_id = l.abonne_id
				and coalesce(s.facture_id, l.facture_id) is not distinct from l.facture_id and s.motif in ('FSL', 'CONTESTATION') and s.levee_le is null and $3 between s.du and s.jusqua) and (f.id is null or f.etat in ('EMISE', 'PARTIELLE') and f.ttc_centimes - f.paye_centimes >= l.montant_centimes)
		from remise_ligne l join mandat m on m.id = l.mandat_id join prelevement_a_faire p on p.id = l.prelevement_id left join facture f on f.id = l.facture_id
		where l.remise_id = $1 order by l.date, l.sequence, l.bout for update of l, m, p`, c.RemiseID, preavis, tx.Today())
	if err != nil {
		return message.Remise{}, err
	}
	annonces := []message.PrelevementAnnonce{}
	var change, perime int
	premier := sepa.Apres(tx.Today(), delai)
	_, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (x struct{}, err error) {
		var p sepa.Prelevement
		var a message.PrelevementAnnonce
		var sequence, titulaire, iban string
		var annonce, vivant, du bool
		var jours int
		if err := row.Scan(&a.PrelevementID, &p.ID, &a.AbonneID, &a.Nom, &a.Email, &a.Numero, &sequence, &a.Date, &p.Centimes, &annonce,
			&p.RUM, &p.Signature, &titulaire, &iban, &p.BIC, &p.Modifie, &vivant, &jours, &a.Adresse, &du); err != nil {
			return x, err
		}
		switch {
		case !vivant || !du:
			change++
		case a.Date.Before(premier), annonce && a.Date.DaysSince(tx.Today()) < jours:
			perime++
		}
		p.IBAN, p.Nom, p.Libelle = sepa.IBAN(iban), titulaire, "Facture "+a.Numero
		if n := len(r.Lots); n == 0 || r.Lots[n-1].Date != a.Date || r.Lots[n-1].Sequence != sequence {
			r.Lots = append(r.Lots, sepa.Lot{ID: fmt.Sprintf("%s-%d", r.ID, n+1), Sequence: sequence, Date: a.Date})
		}
		last := &r.Lots[len(r.Lots)-1]
		last.Prelevements = append(last.Prelevements, p)
		if annonce {
			a.MontantCentimes, a.RUM, a.IBANMasque = p.Centimes, p.RUM, p.IBAN.Masque()
			annonces = append(annonces, a)
		}
		return x, nil
	})
	switch {
	case err != nil:
		return message.Remise{}, err
	case len(r.Lots) == 0:
		return message.Remise{}, function.Conflict("rien_a_prelever", "Cette remise ne contient aucun prélèvement.", "There is nothing to debit in this remise.")
	case change > 0:
		return message.Remise{}, function.Conflict("remise_changee", fmt.Sprintf("%d prélèvement(s) ne sont plus dus tels quels, ou leur mandat a pris fin : abandonnez cette remise et préparez-la de nouveau.", change),
			fmt.Sprintf("%d debits are no longer owed as they were, or their mandate ended: drop this remise and prepare it again.", change))
	case perime > 0:
		return message.Remise{}, function.Conflict("remise_perimee", fmt.Sprintf("%d prélèvement(s) sont maintenant trop proches pour la banque ou pour la prénotification : abandonnez cette remise et préparez-la de nouveau.", perime),
			fmt.Sprintf("%d debits are too near by now: drop this remise and prepare it again.", perime))
	}
	var file bytes.Buffer
	if err := r.Ecrire(&file); err != nil {
		return message.Remise{}, err
	}
	sum := sha256.Sum256(file.Bytes())
	b := &pgx.Batch{}
	b.Queue("update remise set etat = 'VALIDEE', validee_a = $2, validee_par = $3, fichier = $4, sha256 = $5 where id = $1",
		c.RemiseID, tx.Now, tx.Identity().ID, file.Bytes(), hex.EncodeToString(sum[:]))
	b.Queue("update prelevement_a_faire p set etat = 'REMIS' from remise_ligne l where l.prelevement_id = p.id and l.remise_id = $1", c.RemiseID)
	b.Queue("update remise_ligne set etat = 'TRANSMIS' where remise_id = $1", c.RemiseID)
	b.Queue(`update mandat m set modifie = false, dernier_prelevement = greatest(m.dernier_prelevement, l.date), etat = case when m.unique_debit then 'EPUISE' else m.etat end
		from (select mandat_id, max(date) date from remise_ligne where remise_id = $1 group by 1) l where m.id = l.mandat_id`, c.RemiseID)
	b.Queue(`insert into mandat_evenement (mandat_id, instant, action, par, detail)
		select m.id, $2, 'EPUISE', $3, l.bout from remise_ligne l join mandat m on m.id = l.mandat_id where l.remise_id = $1 and m.unique_debit`, c.RemiseID, tx.Now, tx.Identity().ID)
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return message.Remise{}, err
	}
	n, centimes := r.Total()
	tx.Emit(c.RemiseID, 0, message.RemiseValidee{RemiseID: c.RemiseID, Reference: r.ID, Nombre: n, MontantCentimes: centimes})
	for some := range slices.Chunk(annonces, parAnnonce) {
		tx.Emit(c.RemiseID, 0, message.PrelevementsAnnonces{RemiseID: c.RemiseID, Creancier: r.Creancier.Nom, ICS: r.Creancier.ICS, Prelevements: some})
	}
	return loadRemise(ctx, tx, c.RemiseID)
}

// referenceRemise is the MsgId of a remise.
func referenceRemise(creeA time.Time, numero int64) string {
	return fmt.Sprintf("PREL-%s-%06d", creeA.UTC().Format("20060102"), numero)
}

// abandonnerRemise lets go of what a remise kept; a bill may be in the next one.
func abandonnerRemise(ctx context.Context, tx *function.Tx, c message.AbandonnerRemise) (message.Remise, error) {
	if err := verrouillerRemise(ctx, tx, c.RemiseID, "PREPAREE"); err != nil {
		return message.Remise{}, err
	}
	b := &pgx.Batch{}
	b.Queue("update remise set etat = 'ABANDONNEE' where id = $1", c.RemiseID)
	b.Queue("update remise_ligne set etat = 'ABANDONNE' where remise_id = $1", c.RemiseID)
	b.Queue(`update prelevement_a_faire p set etat = 'ANNULE' from remise_ligne l
		where l.prelevement_id = p.id and l.remise_id = $1 and p.facture_id is not null and p.etat = 'A_FAIRE'`, c.RemiseID)
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return message.Remise{}, err
	}
	return loadRemise(ctx, tx, c.RemiseID)
}

// lireFichierRemise gives the file, the same bytes every time, and writes
// down who took it: it holds account numbers.
func lireFichierRemise(ctx context.Context, tx *function.Tx, c message.LireFichierRemise) (message.Document, error) {
	var creeA time.Time
	var numero int64
	d := message.Document{ID: c.RemiseID, Mime: "application/xml"}
	err := tx.QueryRow(ctx, "select cree_a, numero, coalesce(fichier, '') from remise where id = $1", c.RemiseID).Scan(&creeA, &numero, &d.Contenu)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return d, function.NotFound("remise_inconnue", "Cette remise n'existe pas.", "There is no such remise.")
	case err != nil:
		return d, err
	case len(d.Contenu) == 0:
		return d, function.Conflict("remise_pas_validee", "Cette remise n'est pas validée : elle n'a pas de fichier.", "This remise is not validated: it has no file.")
	}
	d.Nom = referenceRemise(creeA, numero) + ".xml"
	if _, err := tx.Exec(ctx, "insert into mandat_evenement (remise_id, instant, action, par) values ($1, $2, 'FICHIER_LU', $3)", c.RemiseID, tx.Now, tx.Identity().ID); err != nil {
		return d, err
	}
	tx.Emit(c.RemiseID, 0, message.IBANLu{RemiseID: c.RemiseID, Par: tx.Identity().ID, Motif: "fichier de la remise"})
	return d, nil
}

func loadRemise(ctx context.Context, tx *function.Tx, id string) (message.Remise, error) {
	all, err := selectRemises(ctx, tx, "r.id = $1", id)
	if err != nil {
		return message.Remise{}, err
	}
	if len(all) == 0 {
		return message.Remise{}, function.NotFound("remise_inconnue", "Cette remise n'existe pas.", "There is no such remise.")
	}
	r := all[0]
	rows, err := tx.Query(ctx, "select sequence, date, count(*), sum(montant_centimes)::bigint from remise_ligne where remise_id = $1 group by 1, 2 order by 2, 1", id)
	if err != nil {
		return r, err
	}
	r.Lots, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.LotRemise])
	return r, err
}

func remiseParID(ctx context.Context, tx *function.Tx, q message.RemiseParID) (message.Remise, error) {
	return loadRemise(ctx, tx, q.ID)
}

// remises lists them, the newest first, without lots and those left out.
func remises(ctx context.Context, tx *function.Tx, q message.Remises) (page message.PageRemises, err error) {
	after, err := readCursor(q.Curseur)
	if err != nil {
		return page, err
	}
	page.Items, err = selectRemises(ctx, tx, "($1 = '' or (r.cree_a, r.id) < (nullif($1, '')::timestamptz, nullif($2, '')::uuid)) order by r.cree_a desc, r.id desc limit $3", after.key, after.id, q.Size()+1)
	if n := q.Size(); len(page.Items) > n {
		page.Items = page.Items[:n]
		page.Suivant = cursor{page.Items[n-1].CreeA.Format(instant), page.Items[n-1].ID}.String()
	}
	for i := range page.Items {
		page.Items[i].Ecartes = nil
	}
	return page, err
}

func selectRemises(ctx context.Context, tx *function.Tx, where string, args ...any) ([]message.Remise, error) {
	rows, err := tx.Query(ctx, `select r.id, r.numero, r.entite, r.etat, r.jusqua, r.format, r.ecartes, r.ecartes_nombre, r.ecartes_centimes, r.cree_a, r.cree_par, r.validee_a, r.validee_par, r.sha256,
			l.n, l.somme, l.annonces, l.regles, l.regles_somme, l.rejetes, l.rejetes_somme
		from remise r cross join lateral (select count(*)::int n, coalesce(sum(montant_centimes), 0)::bigint somme, count(*) filter (where annonce)::int annonces,
			count(*) filter (where etat = 'REGLE')::int regles, coalesce(sum(montant_centimes) filter (where etat = 'REGLE'), 0)::bigint regles_somme,
			count(*) filter (where etat = 'REJETE')::int rejetes, coalesce(sum(montant_centimes) filter (where etat = 'REJETE'), 0)::bigint rejetes_somme
			from remise_ligne where remise_id = r.id) l where `+where, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (r message.Remise, err error) {
		var numero int64
		err = row.Scan(&r.ID, &numero, &r.Entite, &r.Etat, &r.Jusqua, &r.Format, &r.Ecartes, &r.NombreEcartes, &r.EcartesCentimes, &r.CreeA, &r.CreePar, &r.ValideeA, &r.ValideePar, &r.SHA256,
			&r.Nombre, &r.MontantCentimes, &r.Annonces, &r.Regles, &r.ReglesCentimes, &r.Rejetes, &r.RejetesCentimes)
		r.Reference, r.EnLettres = referenceRemise(r.CreeA, numero), sepa.EnLettres(r.MontantCentimes)
		return r, err
	})
}

// prelevements lists the debits of a remise.
func prelevements(ctx context.Context, tx *function.Tx, q message.Prelevements) (page message.PagePrelevements, err error) {
	after, err := readCursor(q.Curseur)
	if err != nil {
		return page, err
	}
	rows, err := tx.Query(ctx, `select l.id, l.bout, l.abonne_id, l.nom, coalesce(l.facture_id::text, ''), l.numero, m.rum, m.iban, l.sequence, l.date, l.montant_centimes, l.etat, l.code_rejet, coalesce(r.libelle, '')
		from remise_ligne l join mandat m on m.id = l.mandat_id left join code_rejet r on r.code = l.code_rejet
		where l.remise_id = $1 and ($2 = '' or l.etat = $2) and ($3 = '' or l.id > nullif($3, '')::uuid) order by l.id limit $4`, q.RemiseID, q.Etat, after.id, q.Size()+1)
	if err != nil {
		return page, err
	}
	page.Items, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (p message.Prelevement, err error) {
		var iban string
		err = row.Scan(&p.ID, &p.Reference, &p.AbonneID, &p.Nom, &p.FactureID, &p.Numero, &p.RUM, &iban, &p.Sequence, &p.Date, &p.MontantCentimes, &p.Etat, &p.CodeRejet, &p.LibelleRejet)
		p.IBANMasque = sepa.IBAN(iban).Masque()
		return p, err
	})
	if n := q.Size(); len(page.Items) > n {
		page.Items = page.Items[:n]
		page.Suivant = cursor{"", page.Items[n-1].ID}.String()
	}
	return page, err
}

// codesRejet lists the codes by which banks reject or return debits.
func codesRejet(ctx context.Context, tx *function.Tx, _ message.CodesRejet) (l message.ListeCodeRejet, err error) {
	rows, err := tx.Query(ctx, "select code, libelle, action, source from code_rejet order by code")
	if err != nil {
		return l, err
	}
	l.Items, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.CodeRejet])
	return l, err
}
