package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/functions/facture/sepa"
	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// Mandates are kept here and not by contrat, because who debits must hold the
// account number, and nobody else needs it. It leaves this function masked,
// but for lireIBAN and the bank's file, whose readers are written down.

// regleSEPA is a delay or number in force on a day.
func regleSEPA(ctx context.Context, tx *function.Tx, code string, le message.Date) (n int, err error) {
	err = tx.QueryRow(ctx, "select valeur from regle_sepa where code = $1 and du <= $2 order by du desc limit 1", code, le).Scan(&n)
	return n, err
}

// definirCreancier says who debits for an entity. The account may change, the
// identifier too: mandates keep their reference.
func definirCreancier(ctx context.Context, tx *function.Tx, c message.DefinirCreancier) (out message.Creancier, err error) {
	iban, err := lireCompte(c.IBAN)
	if err != nil {
		return out, err
	}
	bic, err := lireBIC(c.BIC)
	if err != nil {
		return out, err
	}
	ics, err := sepa.ParseICS(c.ICS)
	if err != nil {
		return out, function.Invalid("ics", "ics_invalide", "Cet identifiant créancier SEPA est incorrect : vérifiez-le sur le courrier de la Banque de France.", "This SEPA creditor identifier is wrong.")
	}
	var known bool
	if err := tx.QueryRow(ctx, "select exists (select from entite where code = $1)", c.Entite).Scan(&known); err != nil {
		return out, err
	}
	if !known {
		return out, function.Invalid("entite", "entite_inconnue", "Cette entité n'existe pas.", "There is no such entity.")
	}
	_, err = tx.Exec(ctx, `insert into creancier (entite, nom, ics, iban, bic, format) values ($1, $2, $3, $4, $5, $6)
		on conflict (entite) do update set (nom, ics, iban, bic, format) = (excluded.nom, excluded.ics, excluded.iban, excluded.bic, excluded.format)`,
		c.Entite, c.Nom, ics, iban.Clair(), bic, c.Format)
	return message.Creancier{Entite: c.Entite, Nom: c.Nom, ICS: ics, IBANMasque: iban.Masque(), BIC: bic, Format: c.Format}, err
}

// creanciers lists who debits, and the delays in force.
func creanciers(ctx context.Context, tx *function.Tx, _ message.Creanciers) (l message.ListeCreancier, err error) {
	rows, err := tx.Query(ctx, "select entite, nom, ics, iban, bic, format from creancier order by entite")
	if err != nil {
		return l, err
	}
	l.Items, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (c message.Creancier, err error) {
		var iban string
		err = row.Scan(&c.Entite, &c.Nom, &c.ICS, &iban, &c.BIC, &c.Format)
		c.IBANMasque = sepa.IBAN(iban).Masque()
		return c, err
	})
	if err != nil {
		return l, err
	}
	rows, err = tx.Query(ctx, "select distinct on (code) code, valeur, source from regle_sepa where du <= $1 order by code, du desc", tx.Today())
	if err != nil {
		return l, err
	}
	l.Regles, err = pgx.CollectRows(rows, pgx.RowToStructByPos[message.RegleSEPA])
	return l, err
}

func lireCompte(s string) (sepa.IBAN, error) {
	iban, err := sepa.ParseIBAN(s)
	switch {
	case errors.Is(err, sepa.ErrIBANPays):
		return "", function.Invalid("iban", "iban_hors_sepa", "Ce compte est tenu hors de la zone SEPA : il ne peut pas être prélevé.", "This account is outside SEPA: it cannot be debited.")
	case errors.Is(err, sepa.ErrIBANTaille):
		return "", function.Invalid("iban", "iban_longueur", "Cet IBAN n'a pas la longueur de ceux de son pays : recopiez-le depuis le RIB.", "This IBAN does not have the length of its country.")
	case err != nil:
		return "", function.Invalid("iban", "iban_invalide", "Cet IBAN est incorrect : recopiez-le depuis le RIB.", "This IBAN is wrong: copy it from the bank's statement.")
	}
	return iban, nil
}

func lireBIC(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	bic, err := sepa.ParseBIC(s)
	if err != nil {
		return "", function.Invalid("bic", "bic_invalide", "Ce code de banque (BIC) est incorrect ; il peut être laissé vide.", "This BIC is wrong; it may be left out.")
	}
	return bic, nil
}

// signerMandat records a mandate.
func signerMandat(ctx context.Context, tx *function.Tx, c message.SignerMandat) (message.Mandat, error) {
	iban, err := lireCompte(c.IBAN)
	if err != nil {
		return message.Mandat{}, err
	}
	bic, err := lireBIC(c.BIC)
	if err != nil {
		return message.Mandat{}, err
	}
	if c.RUM != "" && sepa.CheckRUM(c.RUM) != nil {
		return message.Mandat{}, function.Invalid("rum", "rum_invalide", "La référence du mandat a au plus 35 lettres, chiffres ou signes +?/-:().,'", "A mandate reference has at most 35 letters, digits or signs +?/-:().,'")
	}
	if c.SigneLe.After(tx.Today()) {
		return message.Mandat{}, function.Invalid("signe_le", "date_future", "Un mandat ne peut pas être signé dans le futur.", "A mandate cannot be signed in the future.")
	}
	entite := c.Entite
	if entite == "" {
		entite = "principale"
	}
	mois, err := regleSEPA(ctx, tx, "caducite_mois", tx.Today())
	if err != nil {
		return message.Mandat{}, err
	}
	if c.SigneLe.Before(moisApres(tx.Today(), -mois)) {
		return message.Mandat{}, function.Invalid("signe_le", "mandat_caduc", fmt.Sprintf("Ce mandat a été signé il y a plus de %d mois sans prélèvement : il est caduc, faites-en signer un nouveau.", mois),
			fmt.Sprintf("This mandate was signed more than %d months ago: it has lapsed.", mois))
	}
	var connu, creancier, vivant, pris bool
	err = tx.QueryRow(ctx, `select exists (select from contrat where abonne_id = $1), exists (select from creancier where entite = $2),
			exists (select from mandat where abonne_id = $1 and entite = $2 and etat = 'ACTIF'), exists (select from mandat where rum = $3)`,
		c.AbonneID, entite, c.RUM).Scan(&connu, &creancier, &vivant, &pris)
	switch {
	case err != nil:
		return message.Mandat{}, err
	case !connu:
		return message.Mandat{}, function.Invalid("abonne_id", "abonne_inconnu", "Cet abonné n'a pas de contrat.", "This subscriber has no contract.")
	case !creancier:
		return message.Mandat{}, function.Conflict("creancier_absent", "Aucun identifiant créancier SEPA n'est défini pour cette entité : définissez-le d'abord.", "No SEPA creditor is defined for this entity yet.")
	case vivant:
		return message.Mandat{}, function.Conflict("mandat_vivant", "Cet abonné a déjà un mandat : modifiez son compte, ou révoquez-le d'abord.", "This subscriber has a mandate: change its account, or revoke it first.")
	case pris:
		return message.Mandat{}, function.Invalid("rum", "rum_deja_prise", "Cette référence de mandat a déjà servi : elle ne sert jamais deux fois.", "This mandate reference was used before.")
	}
	id := function.NewID()
	err = tx.QueryRow(ctx, `insert into mandat (id, abonne_id, entite, rum, titulaire, iban, bic, signe_le, unique_debit, prenotification_jours, etat, cree_a)
		values ($1, $2, $3, coalesce(nullif($4, ''), 'EAU-' || to_char($12::date, 'YYYY') || '-' || lpad(nextval('mandat_rum')::text, 8, '0')), $5, $6, $7, $8, $9, $10, 'ACTIF', $11)
		returning rum`, id, c.AbonneID, entite, c.RUM, c.Titulaire, iban.Clair(), bic, c.SigneLe, c.Unique, c.PrenotificationJours, tx.Now, tx.Today()).Scan(&c.RUM)
	if err != nil {
		return message.Mandat{}, err
	}
	if err := noterMandat(ctx, tx, id, "SIGNE", "Compte "+iban.Masque()); err != nil {
		return message.Mandat{}, err
	}
	tx.Emit(id, 0, message.MandatSigne{MandatID: id, AbonneID: c.AbonneID, RUM: c.RUM, IBANMasque: iban.Masque(), SigneLe: c.SigneLe})
	return loadMandat(ctx, tx, id)
}

// modifierMandat changes the account of a living mandate.
func modifierMandat(ctx context.Context, tx *function.Tx, c message.ModifierMandat) (message.Mandat, error) {
	iban, err := lireCompte(c.IBAN)
	if err != nil {
		return message.Mandat{}, err
	}
	bic, err := lireBIC(c.BIC)
	if err != nil {
		return message.Mandat{}, err
	}
	m, err := verrouillerMandat(ctx, tx, c.MandatID)
	if err != nil {
		return message.Mandat{}, err
	}
	if m.etat != "ACTIF" {
		return message.Mandat{}, mandatTermine()
	}
	if m.iban == iban {
		return message.Mandat{}, function.Invalid("iban", "compte_inchange", "C'est déjà le compte de ce mandat.", "This is the account of this mandate already.")
	}
	// A mandate never used has nothing to amend at the bank.
	_, err = tx.Exec(ctx, `update mandat set iban = $2, bic = $3, titulaire = coalesce(nullif($4, ''), titulaire), modifie = dernier_prelevement is not null where id = $1`,
		c.MandatID, iban.Clair(), bic, c.Titulaire)
	if err != nil {
		return message.Mandat{}, err
	}
	if err := noterMandat(ctx, tx, c.MandatID, "MODIFIE", "Compte "+m.iban.Masque()+" remplacé par "+iban.Masque()); err != nil {
		return message.Mandat{}, err
	}
	tx.Emit(c.MandatID, 0, message.MandatSigne{MandatID: c.MandatID, AbonneID: m.abonneID, RUM: m.rum, IBANMasque: iban.Masque(), SigneLe: m.signeLe, Modifie: true})
	return loadMandat(ctx, tx, c.MandatID)
}

// revoquerMandat ends a mandate on a person's word.
func revoquerMandat(ctx context.Context, tx *function.Tx, c message.RevoquerMandat) (message.Mandat, error) {
	m, err := verrouillerMandat(ctx, tx, c.MandatID)
	if err != nil {
		return message.Mandat{}, err
	}
	if m.etat != "ACTIF" {
		return message.Mandat{}, mandatTermine()
	}
	if err := terminerMandat(ctx, tx, m, "REVOQUE", c.Motif); err != nil {
		return message.Mandat{}, err
	}
	return loadMandat(ctx, tx, c.MandatID)
}

// lireIBAN shows an account number and writes down who saw it.
func lireIBAN(ctx context.Context, tx *function.Tx, c message.LireIBAN) (message.IBANClair, error) {
	m, err := verrouillerMandat(ctx, tx, c.MandatID)
	if err != nil {
		return message.IBANClair{}, err
	}
	if err := noterMandat(ctx, tx, c.MandatID, "IBAN_LU", c.Motif); err != nil {
		return message.IBANClair{}, err
	}
	tx.Emit(c.MandatID, 0, message.IBANLu{MandatID: c.MandatID, AbonneID: m.abonneID, Par: tx.Identity().ID, Motif: c.Motif})
	return message.IBANClair{MandatID: c.MandatID, IBAN: m.iban.Clair(), BIC: m.bic}, nil
}

// mandats lists those of an abonne; they may see their own.
func mandats(ctx context.Context, tx *function.Tx, q message.Mandats) (l message.ListeMandat, err error) {
	if !tx.Identity().Owns(q.AbonneID) {
		return l, function.NotFound("abonne_inconnu", "Cet abonné n'existe pas.", "There is no such subscriber.")
	}
	l.Items, err = selectMandats(ctx, tx, "m.abonne_id = $2 order by m.cree_a desc", q.AbonneID)
	if tx.Identity().AbonneID != "" {
		for i := range l.Items {
			l.Items[i].Evenements = nil // names of the staff are not the abonne's business
		}
	}
	return l, err
}

// mandat is a mandate whose row is locked.
type mandat struct {
	id, abonneID, rum, bic, etat string
	iban                         sepa.IBAN
	signeLe                      message.Date
}

func verrouillerMandat(ctx context.Context, tx *function.Tx, id string) (m mandat, err error) {
	var iban string
	err = tx.QueryRow(ctx, "select id, abonne_id, rum, bic, etat, iban, signe_le from mandat where id = $1 for update", id).
		Scan(&m.id, &m.abonneID, &m.rum, &m.bic, &m.etat, &iban, &m.signeLe)
	if errors.Is(err, pgx.ErrNoRows) {
		err = function.NotFound("mandat_inconnu", "Ce mandat n'existe pas.", "There is no such mandate.")
	}
	m.iban = sepa.IBAN(iban)
	return m, err
}

func mandatTermine() error {
	return function.Conflict("mandat_termine", "Ce mandat n'est plus en vigueur.", "This mandate is no longer in force.")
}

// terminerMandat ends a living mandate.
func terminerMandat(ctx context.Context, tx *function.Tx, m mandat, etat, motif string) error {
	if _, err := tx.Exec(ctx, "update mandat set etat = $2 where id = $1", m.id, etat); err != nil {
		return err
	}
	tx.Emit(m.id, 0, message.MandatRevoque{MandatID: m.id, AbonneID: m.abonneID, RUM: m.rum, Motif: motif})
	return noterMandat(ctx, tx, m.id, etat, motif)
}

func noterMandat(ctx context.Context, tx *function.Tx, mandatID, action, detail string) error {
	_, err := tx.Exec(ctx, "insert into mandat_evenement (mandat_id, instant, action, par, detail) values ($1, $2, $3, $4, $5)",
		mandatID, tx.Now, action, tx.Identity().ID, detail)
	return err
}

func loadMandat(ctx context.Context, tx *function.Tx, id string) (message.Mandat, error) {
	all, err := selectMandats(ctx, tx, "m.id = $2", id)
	if err != nil || len(all) == 0 {
		return message.Mandat{}, errors.Join(err, pgx.ErrNoRows)
	}
	return all[0], nil
}

// selectMandats reads mandates; where starts its arguments at $2. A mandate
// that has lapsed shows so, even before a remise passes by and writes it down.
func selectMandats(ctx context.Context, tx *function.Tx, where string, args ...any) ([]message.Mandat, error) {
	mois, err := regleSEPA(ctx, tx, "caducite_mois", tx.Today())
	if err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, `select m.id, m.abonne_id, m.entite, c.ics, m.rum, m.titulaire, m.iban, m.bic, m.signe_le, m.unique_debit, m.etat, m.dernier_prelevement,
			(coalesce(m.dernier_prelevement, m.signe_le) + make_interval(months => $1))::date,
			coalesce((select jsonb_agg(jsonb_build_object('instant', e.instant, 'action', e.action, 'par', e.par, 'detail', e.detail) order by e.id desc)
				from mandat_evenement e where e.mandat_id = m.id), '[]')
		from mandat m join creancier c using (entite) where `+where, append([]any{mois}, args...)...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (m message.Mandat, err error) {
		var iban string
		err = row.Scan(&m.ID, &m.AbonneID, &m.Entite, &m.ICS, &m.RUM, &m.Titulaire, &iban, &m.BIC, &m.SigneLe, &m.Unique, &m.Etat, &m.DernierPrelevement, &m.CaducLe, &m.Evenements)
		m.IBANMasque = sepa.IBAN(iban).Masque()
		switch {
		case m.Etat == "ACTIF" && m.CaducLe.Before(tx.Today()):
			m.Etat = "CADUC"
		case m.Etat != "ACTIF":
			m.CaducLe = message.Date{}
		}
		return m, err
	})
}

// moisApres is the day n months later; n may be negative.
func moisApres(d message.Date, n int) message.Date {
	y, m, day := d.Time().Date()
	return message.NewDate(y, m+time.Month(n), day)
}
