package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// valeur is a line of a deposit slip.
type valeur struct {
	recuLe                message.Date
	nom, piece, reference string
	montant               int64
}

// colonnes of a slip: where they begin, how wide they are, what they are called.
var colonnes = []struct {
	x, w  float64
	titre string
	align string
}{
	{left, 10, "N°", "R"},
	{left + 14, 22, "Reçu le", "L"},
	{left + 38, 62, "Payeur", "L"},
	{left + 102, 28, "Pièce", "L"},
	{left + 132, 24, "Référence", "L"},
	{left + 156, 22, "Montant", "R"},
}

// documentBordereau draws the slip that goes to the bank with cheques or cash:
// whose account, how much in all, and each of them.
func (s service) documentBordereau(ctx context.Context, tx *function.Tx, q message.DocumentBordereau) (d message.Document, err error) {
	r, err := bordereauParID(ctx, tx, message.BordereauParID{ID: q.BordereauID})
	if err != nil {
		return d, err
	}
	var moyen string
	if err := tx.QueryRow(ctx, "select libelle from moyen where code = $1", r.Mode).Scan(&moyen); err != nil {
		return d, err
	}
	rows, err := tx.Query(ctx, `select recu_le, coalesce((select nom from contrat c where c.abonne_id = p.abonne_id order by numero desc limit 1), ''), piece, reference, montant_centimes
		from paiement p join bordereau_paiement b on b.paiement_id = p.id where b.bordereau_id = $1 order by recu_le, p.id`, q.BordereauID)
	if err != nil {
		return d, err
	}
	valeurs, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (v valeur, err error) {
		err = row.Scan(&v.recuLe, &v.nom, &v.piece, &v.reference, &v.montant)
		return v, err
	})
	if err != nil {
		return d, err
	}
	pdf, err := s.bordereau(r, moyen, valeurs)
	return message.Document{ID: r.ID, Nom: r.Numero + ".pdf", Mime: "application/pdf", Contenu: pdf}, err
}

func (s service) bordereau(r message.Bordereau, moyen string, valeurs []valeur) ([]byte, error) {
	const row, foot = 6.2, 30.0 // height of a line; room that the total and the signatures take
	titre := "Bordereau de remise " + r.Numero
	p := papier(titre, s.Nom, r.Date.Time())
	head := func() float64 {
		p.feuille(s)
		p.at(left, 38, 120, 8, titre, "L", true, 16, deep)
		p.at(right-60, 39, 60, 6, "Le "+enLettres(r.Date), "R", false, 9.5, grey)
		p.at(left, 48, width, 5, "Moyen de paiement : "+moyen, "L", true, 9.5, ink)
		p.at(left, 53, width, 5, joined("   ", "Compte à créditer :", prefixed("IBAN ", s.IBAN), prefixed("BIC ", s.BIC)), "L", false, 9, ink)
		p.fill(tint)
		p.Rect(left, 61, width, 7, "F")
		for _, c := range colonnes {
			p.at(c.x, 61, c.w, 7, c.titre, c.align, true, 8.4, deep)
		}
		return 69
	}
	y := head()
	for i, v := range valeurs {
		if y+row > bottom || i == len(valeurs)-1 && y+row+foot > bottom {
			p.pied(s, titre)
			y = head()
		}
		for j, text := range []string{fmt.Sprint(i + 1), v.recuLe.Francais(), v.nom, v.piece, v.reference, message.Euros(v.montant)} {
			p.at(colonnes[j].x, y, colonnes[j].w, row, text, colonnes[j].align, false, 8.6, ink)
		}
		y += row
		p.stroke(rule)
		p.SetLineWidth(0.1)
		p.Line(left, y, right, y)
	}
	p.at(left, y+3, 90, 7, fmt.Sprintf("Nombre de paiements : %d", r.Nombre), "L", true, 10.5, ink)
	p.at(right-88, y+3, 88, 7, "Total : "+message.Euros(r.MontantCentimes), "R", true, 12.5, deep)
	p.at(left, y+15, 85, 5, "Remis par (nom, date, signature)", "L", false, 8.4, grey)
	p.at(left+95, y+15, 85, 5, "Reçu par la banque (cachet)", "L", false, 8.4, grey)
	p.pied(s, titre)
	return p.archive(nil)
}
