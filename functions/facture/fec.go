package main

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// colonnesFEC are the fields of the FEC in their order (LPF A47 A-1, VII).
const colonnesFEC = "JournalCode\tJournalLib\tEcritureNum\tEcritureDate\tCompteNum\tCompteLib\tCompAuxNum\tCompAuxLib\tPieceRef\tPieceDate\t" +
	"EcritureLib\tDebit\tCredit\tEcritureLet\tDateLet\tValidDate\tMontantdevise\tIdevise"

// journaux are the journals by code.
var journaux = map[string]string{"AN": "A nouveaux", "VT": "Ventes", "BQ": "Banque", "CA": "Caisse", "OD": "Opérations diverses"}

// reportFEC are lines $3 to $4 of what the years before leave to the accounts
// of the balance sheet, with their result on account 120 or 129: entry 1 of the
// journal AN, summed when the first month of the year was closed.
const reportFEC = `
	select 'AN', 1::bigint, make_date($2, 1, 1), e.compte, coalesce(c.libelle, 'Résultat de l''exercice'), coalesce(e.abonne_id::text, ''), ` + nomFEC + `,
		'AN' || $2, 'A nouveau', greatest(e.solde_centimes, 0), greatest(-e.solde_centimes, 0), '', null::date, make_date($2, 1, 1)
	from a_nouveau e left join compte c on c.numero = e.compte
	where e.entite = $1 and e.exercice = $2 and e.rang between $3 and $4 order by e.rang`

const nomFEC = "coalesce((select nom from contrat where contrat.abonne_id = e.abonne_id order by depuis desc limit 1), '')"

// lignesFEC are the entries numbered from $3 to $4, with the letters of
// account 411.
const lignesFEC = `
	select e.journal, e.numero, e.date, m.compte, c.libelle, case when m.compte = '411' then coalesce(e.abonne_id::text, '') else '' end, case when m.compte = '411' then ` + nomFEC + ` else '' end,
		e.piece, e.libelle, m.debit_centimes, m.credit_centimes, coalesce(l.lettre, ''), l.le, e.validee_le
	from ecriture_numero n join ecriture_journal e on e.id = n.ecriture_id join mouvement m on m.ecriture_id = e.id join compte c on c.numero = m.compte
	left join lateral (select * from lettre_de(e.id) where m.compte = '411') l on true
	where n.entite = $1 and n.exercice = $2 and n.numero between $3 and $4
	order by n.numero, m.credit_centimes > 0, m.compte`

// fec writes a part of the FEC of a year, up to its last closed month: tabs,
// dates AAAAMMJJ, decimal comma, ISO 8859-15. First what the year before
// leaves, then the entries in order of their numbers; both were closed, so
// parts that are read one after another agree.
func fec(ctx context.Context, tx *function.Tx, q message.ExporterFEC) (p message.PartFichier, err error) {
	after, err := readCursor(q.Apres)
	if err != nil {
		return p, err
	}
	e, end, err := entiteFEC(ctx, tx, q)
	if err != nil {
		return p, err
	}
	var out strings.Builder
	if after.key == "" {
		out.WriteString(colonnesFEC + "\r\n")
		after = cursor{"AN", "0"}
	}
	from, err := strconv.Atoi(after.id)
	if err != nil {
		return p, function.Invalid("apres", "curseur_invalide", "Ce curseur ne vient pas d'une partie précédente.", "This cursor does not come from a part before.")
	}
	to := from + q.Taille()
	if after.key == "AN" {
		n, err := ecrireFEC(ctx, tx, &out, reportFEC, e.Entite, q.Exercice, from+1, to)
		if err != nil {
			return p, err
		}
		p.Suivant = cursor{"N", "0"}.String()
		if from+n == to {
			p.Suivant = cursor{"AN", strconv.Itoa(to)}.String()
		}
	} else {
		if _, err := ecrireFEC(ctx, tx, &out, lignesFEC, e.Entite, q.Exercice, from+1, to); err != nil {
			return p, err
		}
		var last int
		if err := tx.QueryRow(ctx, "select coalesce(max(numero), 0) from ecriture_numero where entite = $1 and exercice = $2", e.Entite, q.Exercice).Scan(&last); err != nil {
			return p, err
		}
		if to < last {
			p.Suivant = cursor{"N", strconv.Itoa(to)}.String()
		}
	}
	raw, err := encoding.ReplaceUnsupported(charmap.ISO8859_15.NewEncoder()).String(out.String())
	p.Nom, p.Mime, p.Contenu = e.SIREN+"FEC"+aaaammjj(end)+".txt", "text/plain; charset=iso-8859-15", []byte(raw)
	return p, err
}

// entiteFEC is the entity of a FEC, and its last day.
func entiteFEC(ctx context.Context, tx *function.Tx, q message.ExporterFEC) (e message.EntiteComptable, end message.Date, err error) {
	e, err = entiteComptable(ctx, tx, q.Entite)
	switch {
	case err != nil:
		return e, end, err
	case e.Regime != "PRIVE":
		return e, end, function.Refused("regime_public",
			"Une régie n'a pas de FEC : son comptable public tient les comptes. Réglez le régime de l'entité s'il est privé.",
			"A régie has no FEC: the public accountant keeps its books. Set the regime of the entity if it is private.")
	case e.SIREN == "":
		return e, end, function.Refused("siren_manquant", "Le SIREN de l'entité nomme le fichier : réglez-le d'abord.", "The SIREN of the entity names the file: set it first.")
	case e.CloseJusqua.Year() < q.Exercice:
		return e, end, function.Conflict("exercice_ouvert",
			fmt.Sprintf("Aucun mois de %d n'est clos : les écritures n'ont pas encore leur numéro définitif.", q.Exercice),
			fmt.Sprintf("No month of %d is closed: its entries have no definitive number yet.", q.Exercice))
	}
	end = message.NewDate(q.Exercice, 12, 31)
	if e.CloseJusqua.Before(end) {
		end = e.CloseJusqua
	}
	return e, end, nil
}

// fecEntier is a FEC that fits in one message.
func fecEntier(ctx context.Context, tx *function.Tx, q message.ExporterComptabilite) (d message.Document, err error) {
	of := message.ExporterFEC{Entite: q.Entite, Exercice: q.Exercice}
	d.ID = q.Quoi
	for {
		p, err := fec(ctx, tx, of)
		if err != nil {
			return d, err
		}
		d.Nom, d.Mime, d.Contenu = p.Nom, p.Mime, append(d.Contenu, p.Contenu...)
		if of.Apres = p.Suivant; of.Apres == "" {
			return d, nil
		}
		if bytes.Count(d.Contenu, []byte("\n")) > maxLignes {
			return d, tropGrand()
		}
	}
}

// ecrireFEC writes the lines that a query reads, and counts them.
func ecrireFEC(ctx context.Context, tx *function.Tx, out *strings.Builder, sql string, args ...any) (n int, err error) {
	rows, err := tx.Query(ctx, sql, args...)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for ; rows.Next(); n++ {
		var journal, compte, compteLib, abonne, nom, piece, libelle, lettre string
		var numero, debit, credit int64
		var date, validee, lettree message.Date
		if err := rows.Scan(&journal, &numero, &date, &compte, &compteLib, &abonne, &nom, &piece, &libelle, &debit, &credit, &lettre, &lettree, &validee); err != nil {
			return n, err
		}
		if piece == "" {
			piece = fmt.Sprintf("%s-%d", journal, numero)
		}
		dateLet := ""
		if lettre != "" {
			dateLet = aaaammjj(lettree)
		}
		for i, field := range []string{journal, journaux[journal], fmt.Sprint(numero), aaaammjj(date), compte, compteLib, abonne, nom, piece, aaaammjj(date),
			libelle, decimal(debit), decimal(credit), lettre, dateLet, aaaammjj(validee), "", ""} {
			if i > 0 {
				out.WriteByte('\t')
			}
			out.WriteString(champFEC(field))
		}
		out.WriteString("\r\n")
	}
	return n, rows.Err()
}

func aaaammjj(d message.Date) string { return d.Time().Format("20060102") }

// champFEC takes out of a field what would end it, and writes typographic
// signs with characters that the file has.
var champFEC = strings.NewReplacer("\t", " ", "\r", " ", "\n", " ", "|", "/", "’", "'", "‘", "'", "–", "-", "—", "-", "−", "-", "\u00a0", " ", "\u202f", " ").Replace

// decimal writes centimes as euros with a comma: -1234,56.
func decimal(centimes int64) string {
	sign := ""
	if centimes < 0 {
		sign, centimes = "-", -centimes
	}
	return fmt.Sprintf("%s%d,%02d", sign, centimes/100, centimes%100)
}
