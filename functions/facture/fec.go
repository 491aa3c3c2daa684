package main

import (
	"context"
	"fmt"
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

// lignesFEC are the lines of a year: what the year before leaves to accounts
// of the balance sheet, its result on account 120 or 129, then the entries in
// order of their numbers.
const lignesFEC = `
	with anterieur as (
		select m.compte, case when m.compte = '411' then coalesce(e.abonne_id, f.abonne_id, p.abonne_id) end abonne_id, sum(m.debit_centimes - m.credit_centimes)::bigint solde
		from mouvement m join ecriture e on e.id = m.ecriture_id left join facture f on f.id = e.id left join paiement p on p.id = e.id
		where e.entite = $1 and e.date < make_date($2, 1, 1) group by 1, 2
	), reprise as (
		select compte, (select libelle from compte c where c.numero = compte) libelle, abonne_id, solde from anterieur where compte < '6' and solde <> 0
		union all
		select case when sum(solde) > 0 then '129' else '120' end, 'Résultat de l''exercice', null, sum(solde)::bigint from anterieur where compte >= '6' having sum(solde) <> 0
	), lignes as (
		select 'AN' journal, 1::bigint numero, make_date($2, 1, 1) date, compte, libelle compte_libelle, abonne_id, 'AN' || $2 piece, 'A nouveau' libelle,
			greatest(solde, 0) debit, greatest(-solde, 0) credit, make_date($2, 1, 1) validee_le
		from reprise
		union all
		select e.journal, e.numero, e.date, m.compte, c.libelle, case when m.compte = '411' then e.abonne_id end, e.piece, e.libelle, m.debit_centimes, m.credit_centimes, e.validee_le
		from ecriture_journal e join mouvement m on m.ecriture_id = e.id join compte c on c.numero = m.compte
		where e.entite = $1 and e.exercice = $2
	)
	select journal, numero, date, compte, compte_libelle, coalesce(abonne_id::text, ''), coalesce((select nom from contrat where contrat.abonne_id = lignes.abonne_id order by depuis desc limit 1), ''),
		piece, libelle, debit, credit, validee_le
	from lignes order by numero, credit > 0, compte, abonne_id`

// fec writes the FEC of a year, up to its last closed month: tabs, dates
// AAAAMMJJ, decimal comma, ISO 8859-15.
func fec(ctx context.Context, tx *function.Tx, q message.ExporterComptabilite) (d message.Document, err error) {
	e, err := entiteComptable(ctx, tx, q.Entite)
	switch {
	case err != nil:
		return d, err
	case e.Regime != "PRIVE":
		return d, function.Refused("regime_public",
			"Une régie n'a pas de FEC : son comptable public tient les comptes. Réglez le régime de l'entité s'il est privé.",
			"A régie has no FEC: the public accountant keeps its books. Set the regime of the entity if it is private.")
	case e.SIREN == "":
		return d, function.Refused("siren_manquant", "Le SIREN de l'entité nomme le fichier : réglez-le d'abord.", "The SIREN of the entity names the file: set it first.")
	case e.CloseJusqua.Year() < q.Exercice:
		return d, function.Conflict("exercice_ouvert",
			fmt.Sprintf("Aucun mois de %d n'est clos : les écritures n'ont pas encore leur numéro définitif.", q.Exercice),
			fmt.Sprintf("No month of %d is closed: its entries have no definitive number yet.", q.Exercice))
	}
	end := message.NewDate(q.Exercice, 12, 31)
	if e.CloseJusqua.Before(end) {
		end = e.CloseJusqua
	}
	rows, err := tx.Query(ctx, lignesFEC, e.Entite, q.Exercice)
	if err != nil {
		return d, err
	}
	defer rows.Close()
	var out strings.Builder
	out.WriteString(colonnesFEC + "\r\n")
	for n := 0; rows.Next(); n++ {
		var journal, compte, compteLib, abonne, nom, piece, libelle string
		var numero, debit, credit int64
		var date, validee message.Date
		if err := rows.Scan(&journal, &numero, &date, &compte, &compteLib, &abonne, &nom, &piece, &libelle, &debit, &credit, &validee); err != nil {
			return d, err
		}
		if n == maxLignes {
			return d, tropGrand()
		}
		if piece == "" {
			piece = fmt.Sprintf("%s-%d", journal, numero)
		}
		for i, field := range []string{journal, journaux[journal], fmt.Sprint(numero), aaaammjj(date), compte, compteLib, abonne, nom, piece, aaaammjj(date),
			libelle, decimal(debit), decimal(credit), "", "", aaaammjj(validee), "", ""} {
			if i > 0 {
				out.WriteByte('\t')
			}
			out.WriteString(champFEC(field))
		}
		out.WriteString("\r\n")
	}
	if err := rows.Err(); err != nil {
		return d, err
	}
	raw, err := encoding.ReplaceUnsupported(charmap.ISO8859_15.NewEncoder()).String(out.String())
	return message.Document{ID: e.Entite, Nom: e.SIREN + "FEC" + aaaammjj(end) + ".txt", Mime: "text/plain; charset=iso-8859-15", Contenu: []byte(raw)}, err
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
