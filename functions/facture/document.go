package main

import (
	"context"
	"fmt"
	"strings"

	"aquaerp.fr/functions/facture/tarif"
	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// service is who sends the bills, as printed on them.
type service struct {
	Nom       string `envconfig:"SERVICE_NOM" default:"Service de l'eau"`
	Adresse   string `envconfig:"SERVICE_ADRESSE" default:"Mairie"`
	Telephone string `envconfig:"SERVICE_TELEPHONE" default:""`
	Urgence   string `envconfig:"SERVICE_URGENCE" default:""`
	Email     string `envconfig:"SERVICE_EMAIL" default:""`
	IBAN      string `envconfig:"SERVICE_IBAN" default:""`
	BIC       string `envconfig:"SERVICE_BIC" default:""`
	SIRET     string `envconfig:"SERVICE_SIRET" default:""`
}

// imprimee is all that a printed bill shows.
type imprimee struct {
	message.Facture
	Adresse      message.Adresse
	ModePaiement string
	Anormale     bool
	Cas          tarif.Cas // for the indexes
	Series       []string  // serial number of each pose of Cas
}

// document renders the PDF of an issued bill from its rows, which never
// change: the same bill gives the same bytes.
func (s service) document(ctx context.Context, tx *function.Tx, q message.DocumentFacture) (message.Document, error) {
	f, err := loadFacture(ctx, tx, q.FactureID)
	if err != nil {
		return message.Document{}, err
	}
	if !visible(tx, f) {
		return message.Document{}, factureInconnue()
	}
	if f.Numero == "" {
		return message.Document{}, function.Conflict("facture_pas_emise",
			"Cette facture n'est pas encore émise : elle n'a ni numéro ni document.", "This bill is not issued yet: it has no number and no document.")
	}
	p := imprimee{Facture: f}
	err = tx.QueryRow(ctx, `select adresse, mode_paiement, anormale, coalesce(cas, '{}'), coalesce((select array_agg(p.serie order by c.n)
			from jsonb_array_elements(cas -> 'poses') with ordinality c (pose, n)
			cross join lateral (select serie from pose where contrat_id = facture.contrat_id and du <= (c.pose ->> 'du')::date order by du desc limit 1) p), '{}')
		from facture where id = $1`, q.FactureID).Scan(&p.Adresse, &p.ModePaiement, &p.Anormale, &p.Cas, &p.Series)
	if err != nil {
		return message.Document{}, err
	}
	pdf, err := s.pdf(p)
	if err != nil {
		return message.Document{}, fmt.Errorf("pdf of %s: %w", f.Numero, err)
	}
	return message.Document{ID: f.ID, Nom: "facture-" + f.Numero + ".pdf", Mime: "application/pdf", Contenu: pdf}, nil
}

// The words and figures of a printed bill.

// prix writes micro-euros as a unit price of at least two decimals.
func prix(ue int64) string {
	s := fmt.Sprintf("%d,%06d", ue/1_000_000, ue%1_000_000)
	for strings.HasSuffix(s, "0") && len(s)-strings.IndexByte(s, ',') > 3 {
		s = s[:len(s)-1]
	}
	return s
}

// m3 writes litres as cubic metres, with decimals only when there are any.
func m3(litres int64) string {
	s := message.Milliers(litres / 1000)
	if rest := litres % 1000; rest != 0 {
		s += fmt.Sprintf(",%03d", rest)
	}
	return s
}

// taux writes a per-mille rate as 5,5 %.
func taux(pm int64) string {
	if pm%10 == 0 {
		return fmt.Sprintf("%d %%", pm/10)
	}
	return fmt.Sprintf("%d,%d %%", pm/10, pm%10)
}
