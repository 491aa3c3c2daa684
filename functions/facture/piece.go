package main

import (
	"context"
	"maps"
	"slices"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// The natures of documents.
const (
	natureFacture  = "FACTURE"  // the bill of a period
	natureSolde    = "SOLDE"    // the last bill of a contract
	natureManuelle = "MANUELLE" // lines that a person wrote
	natureAvoir    = "AVOIR"    // takes back a bill, in negative amounts
)

// piece is a single document to issue, outside any lot.
type piece struct {
	nature    string
	contratID string
	corrigeID string // of an AVOIR, the bill it takes back; of a FACTURE, the one it replaces
	entite    string // who issues it; the one of the contract's commune when empty
	motif     string

	du, au   message.Date    // of the consumption; when zero, the day of the document
	periode  [2]message.Date // what is billed by it and by no other; when zero, du to au
	delai    int             // days from its date to its due date
	estimee  bool
	anormale bool
	volume   int64 // litres
	lignes   []message.LigneFacture
	tva      []message.TVAFacture // of the lines, when nil
	cas      any                  // the tarif.Cas that was priced, if any
	origine  *origine             // what the case was made of
}

// emettrePiece issues a document in this transaction: number, entry of the
// journal, event. Its date is today, or that of the last document of its
// series when that is later: dates never go back (CGI ann. II, 242 nonies A).
func emettrePiece(ctx context.Context, tx *function.Tx, p piece) (message.Facture, error) {
	if p.tva == nil {
		p.tva = tvaDe(p.lignes)
	}
	var ht, tva int64
	for _, l := range p.lignes {
		ht += l.HTCentimes
	}
	for _, v := range p.tva {
		tva += v.MontantCentimes
	}
	if p.entite == "" {
		entite, err := entiteDe(ctx, tx, p.contratID)
		if err != nil {
			return message.Facture{}, err
		}
		p.entite = entite
	}
	date, err := dateDePiece(ctx, tx, p.entite, p.nature)
	if err != nil {
		return message.Facture{}, err
	}
	serie, base, err := reserver(ctx, tx, p.entite, p.nature, date, 1)
	if err != nil {
		return message.Facture{}, err
	}
	if p.du.IsZero() {
		p.du, p.au = date, date.AddDays(1)
	}
	if p.periode[0].IsZero() {
		p.periode = [2]message.Date{p.du, p.au}
	}
	var cas, from *string
	if p.cas != nil {
		cas = new(asJSON(p.cas))
	}
	if p.origine != nil {
		from = new(asJSON(p.origine))
	}
	id, etat := function.NewID(), "EMISE"
	if ht+tva <= 0 {
		etat = "PAYEE" // nothing is owed on it
	}
	tag, err := tx.Exec(ctx, `insert into facture (id, nature, corrige_id, entite, motif, contrat_id, du, au, periode, date_facturation, echeance, serie, rang, numero, etat,
			estimee, anormale, volume_litres, ht_centimes, tva_centimes, ttc_centimes, lignes, tva, cas, emise_a, origine,
			contrat, abonne_id, nom, email, adresse, pdl, lieu, mode_paiement, siren, siret, numero_tva)
		select $1, $2, nullif($3, '')::uuid, $4, $5, c.id, $7, $8, daterange($9, $10), $11, $12, $13, $14, $15, $16,
			$17, $18, $19, $20, $21, $22, $23::text::jsonb, $24::text::jsonb, $25::text::jsonb, $26, $27::text::jsonb,
			numero, abonne_id, nom, email, adresse, pdl, lieu, mode_paiement, siren, siret, numero_tva
		from contrat c where id = $6`,
		id, p.nature, p.corrigeID, p.entite, p.motif, p.contratID, p.du, p.au, p.periode[0], p.periode[1], date, date.AddDays(p.delai),
		serie, base+1, numero(serie, base+1), etat, p.estimee, p.anormale, p.volume, ht, tva, ht+tva, asJSON(p.lignes), asJSON(p.tva), cas, tx.Now, from)
	if err != nil {
		return message.Facture{}, err
	}
	if tag.RowsAffected() == 0 {
		return message.Facture{}, contratInconnu()
	}
	f, err := loadFacture(ctx, tx, id)
	if err != nil {
		return f, err
	}
	compte, err := compteTVA(ctx, tx, p, date, f.TTCCentimes)
	if err != nil {
		return f, err
	}
	err = ecrire(ctx, tx, ecriture{ID: id, Entite: p.entite, Date: date, Piece: f.Numero, Libelle: intitule(p.nature) + " " + f.Numero + " " + f.Nom,
		AbonneID: f.AbonneID, Mouvements: mouvements(f, compte)})
	if err != nil {
		return f, err
	}
	return f, annoncerPiece(ctx, tx, f)
}

// mouvements books a document: the abonne owes TTC, the service earned HT by
// account, the State is owed VAT, now or once it is paid.
func mouvements(f message.Facture, tva string) []mouvement {
	gains := map[string]int64{}
	for _, l := range f.Lignes {
		gains[ventes(l)] -= l.HTCentimes
	}
	out := []mouvement{{"411", f.TTCCentimes}, {tva, -f.TVACentimes}}
	for _, compte := range slices.Sorted(maps.Keys(gains)) {
		out = append(out, mouvement{compte, gains[compte]})
	}
	return out
}

// ventes is the account of what a line earns.
func ventes(l message.LigneFacture) string {
	switch {
	case l.Compte != "":
		return l.Compte
	case l.Rubrique == "distribution":
		return "70111"
	case l.Rubrique == "eaux_usees":
		return "70611"
	}
	return "70128"
}

// dateDePiece is the date that a document issued now bears.
func dateDePiece(ctx context.Context, tx *function.Tx, entite, nature string) (date message.Date, err error) {
	err = tx.QueryRow(ctx, "select greatest($3::date, max(date)) from serie where entite = $1 and nature = $2",
		entite, natureSerie(nature), tx.Today()).Scan(&date)
	return date, err
}

// annoncerPiece tells of a document.
func annoncerPiece(ctx context.Context, tx *function.Tx, f message.Facture) error {
	var email string
	if err := tx.QueryRow(ctx, "select email from facture where id = $1", f.ID).Scan(&email); err != nil {
		return err
	}
	if f.Nature == natureAvoir {
		tx.Emit(f.ID, 0, message.AvoirEmis{AvoirID: f.ID, Numero: f.Numero, FactureID: f.CorrigeID, Facture: f.CorrigeNumero, ContratID: f.ContratID,
			AbonneID: f.AbonneID, Nom: f.Nom, Email: email, TTCCentimes: f.TTCCentimes, Motif: f.Motif})
		return nil
	}
	tx.Emit(f.ID, 0, message.FacturesEmises{Factures: []message.FactureEmise{{FactureID: f.ID, Numero: f.Numero, ContratID: f.ContratID,
		AbonneID: f.AbonneID, Nom: f.Nom, Email: email, TTCCentimes: f.TTCCentimes, Echeance: f.Echeance}}})
	return nil
}

// tvaDe is the VAT of lines, by rate: rounded once per rate, half away from zero.
func tvaDe(lignes []message.LigneFacture) []message.TVAFacture {
	out := []message.TVAFacture{}
	for _, l := range lignes {
		i := slices.IndexFunc(out, func(v message.TVAFacture) bool { return v.TauxPM == l.TVAPM })
		if i < 0 {
			i = len(out)
			out = append(out, message.TVAFacture{TauxPM: l.TVAPM})
		}
		out[i].BaseCentimes += l.HTCentimes
	}
	for i := range out {
		out[i].MontantCentimes = tvaSur(out[i].BaseCentimes, out[i].TauxPM)
	}
	slices.SortFunc(out, func(a, b message.TVAFacture) int { return int(a.TauxPM - b.TauxPM) })
	return out
}

// tvaSur is base x rate to the centime, half away from zero.
func tvaSur(base, tauxPM int64) int64 {
	if base < 0 {
		return -tvaSur(-base, tauxPM)
	}
	return (base*tauxPM + 500) / 1000
}

func intitule(nature string) string {
	switch nature {
	case natureAvoir:
		return "Avoir"
	case natureSolde:
		return "Facture de solde"
	}
	return "Facture"
}

func contratInconnu() error {
	return function.NotFound("contrat_inconnu", "Ce contrat n'existe pas, ou n'a jamais été actif.", "There is no such contract, or it was never active.")
}
