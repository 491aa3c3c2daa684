package main

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/functions/facture/facturx"
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
	TVA       string `envconfig:"SERVICE_TVA" default:""`          // VAT identifier; empty: that of the SIREN
	Paiement  string `envconfig:"SERVICE_PAIEMENT_URL" default:""` // where bills are paid online

	Forme string `ignored:"true"` // legal form, of an entity that said who it is
}

// de is the service as the legal entity that issued a bill was then.
func (s service) de(f imprimee) service { return s.comme(f.Emetteur) }

// siren is the nine digits that name the company.
func (s service) siren() string {
	digits := message.Compact(s.SIRET)
	return digits[:min(9, len(digits))]
}

// siret is the fourteen digits of the establishment, when all are there.
func (s service) siret() string {
	if digits := message.Compact(s.SIRET); message.SIRETValide(digits) {
		return digits
	}
	return ""
}

// tva is the VAT identifier.
func (s service) tva() string { return cmp.Or(s.TVA, message.TVADe(s.siren())) }

// imprimee is all that a printed bill shows.
type imprimee struct {
	message.Facture
	Adresse      message.Adresse
	Email        string
	SIREN        string // of an organisation, as are the two that follow
	SIRET        string
	NumeroTVA    string
	ModePaiement string
	Anormale     bool
	Emetteur     identite   // who issued it
	Cas          *tarif.Cas // for the indexes; nil when it was not priced from readings
	Series       []string   // serial number of each pose of Cas
	Avant        []conso    // billed before, by date
	Corrige      *corrige
	Mentions     []mention
	Duplicata    bool
}

// corrige is the bill that a document takes back or replaces.
type corrige struct {
	Numero string
	Date   message.Date
	Total  bool // taken back to the last centime
}

// mention is what the law or the service wants said on a bill, from a day to another.
type mention struct {
	Code, Place, Titre, Texte string
	du, au                    message.Date
}

// mention is the text of a code, empty when there is none on the day of the bill.
func (f imprimee) mention(code string) mention {
	for _, m := range f.Mentions {
		if m.Code == code {
			return m
		}
	}
	return mention{}
}

// document renders an issued bill or avoir as PDF from rows that never change:
// the same bill gives the same bytes.
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
	all, err := imprimer(ctx, tx, []message.Facture{f})
	if err != nil {
		return message.Document{}, err
	}
	all[0].Duplicata = q.Duplicata
	return s.fichier(all[0])
}

// fichier is a bill as a Factur-X file; as a plain PDF/A-3 where the service
// has not said which company it is, without which there is no electronic invoice.
func (s service) fichier(f imprimee) (d message.Document, err error) {
	var invoice []byte
	if s.de(f).siren() != "" {
		if invoice, err = facturx.XML(s.invoice(f)); err != nil {
			return d, err
		}
	}
	pdf, err := s.facture(f).archive(invoice)
	if err != nil {
		return d, fmt.Errorf("pdf of %s: %w", f.Numero, err)
	}
	nom := "facture-"
	if f.Nature == natureAvoir {
		nom = "avoir-"
	}
	nom += f.Numero
	if f.Duplicata {
		nom += "-duplicata"
	}
	return message.Document{ID: f.ID, Nom: nom + ".pdf", Mime: "application/pdf", Contenu: pdf}, nil
}

// imprimer reads what bills show besides their lines, in their order.
func imprimer(ctx context.Context, tx *function.Tx, factures []message.Facture) ([]imprimee, error) {
	mentions, err := loadMentions(ctx, tx)
	if err != nil {
		return nil, err
	}
	out, at, ids := make([]imprimee, len(factures)), map[string]*imprimee{}, make([]string, len(factures))
	for i, f := range factures {
		out[i].Facture, ids[i], at[f.ID] = f, f.ID, &out[i]
		for _, m := range mentions {
			if !m.du.After(f.DateFacturation) && (m.au.IsZero() || f.DateFacturation.Before(m.au)) {
				out[i].Mentions = append(out[i].Mentions, m)
			}
		}
	}
	rows, err := tx.Query(ctx, `select f.id, f.adresse, f.email, f.siren, f.siret, f.numero_tva, f.mode_paiement, f.anormale, `+enJSON("coalesce(f.emise_a, now())")+`, f.cas,
			coalesce((select array_agg(p.serie order by c.n)
				from jsonb_array_elements(f.cas -> 'poses') with ordinality c (pose, n)
				cross join lateral (select serie from pose where contrat_id = f.contrat_id and du <= (c.pose ->> 'du')::date order by du desc limit 1) p), '{}'),
			coalesce(o.numero, ''), o.date_facturation, coalesce(o.ttc_centimes = -f.ttc_centimes, false), h.avant
		from facture f join entite e on e.code = f.entite left join facture o on o.id = f.corrige_id
		-- What was billed before this bill and not taken back by then: the same for ever.
		cross join lateral (select coalesce(jsonb_agg(jsonb_build_object('Du', b.du, 'Au', b.au, 'Litres', b.volume_litres, 'Estimee', b.estimee)
				order by b.date_facturation, b.rang), '[]') avant
			from (select * from facture b where b.contrat_id = f.contrat_id and b.id <> f.id and b.nature in ('FACTURE', 'SOLDE') and b.cas is not null
					and (b.date_facturation, b.emise_a, b.rang) < (f.date_facturation, f.emise_a, f.rang)
					and not exists (select from facture a where a.corrige_id = b.id and a.nature = 'AVOIR' and a.ttc_centimes = -b.ttc_centimes and a.emise_a <= f.emise_a)
				order by b.date_facturation desc, b.rang desc limit $2) b) h
		where f.id = any($1::uuid[])`, ids, 2*barres)
	if err != nil {
		return nil, err
	}
	var id string
	var c corrige
	var f imprimee
	_, err = pgx.ForEachRow(rows, []any{&id, &f.Adresse, &f.Email, &f.SIREN, &f.SIRET, &f.NumeroTVA, &f.ModePaiement, &f.Anormale, &f.Emetteur, &f.Cas,
		&f.Series, &c.Numero, &c.Date, &c.Total, &f.Avant}, func() error {
		f.Facture, f.Mentions = at[id].Facture, at[id].Mentions
		if c.Numero != "" {
			f.Corrige = &corrige{c.Numero, c.Date, c.Total}
		}
		*at[id] = f
		f = imprimee{}
		return nil
	})
	return out, err
}

func loadMentions(ctx context.Context, tx *function.Tx) ([]mention, error) {
	rows, err := tx.Query(ctx, "select code, place, titre, texte, lower(periode), upper(periode) from mention order by ordre, code")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (m mention, err error) {
		return m, row.Scan(&m.Code, &m.Place, &m.Titre, &m.Texte, &m.du, &m.au)
	})
}

// invoice is a bill as an electronic invoice: the same lines and amounts.
func (s service) invoice(f imprimee) facturx.Document {
	s = s.de(f)
	d := facturx.Document{
		Numero: f.Numero, Type: facturx.Facture, Date: f.DateFacturation.Time(), Processus: facturx.Mixte, Contrat: f.Contrat,
		Vendeur:    facturx.Partie{Nom: s.Nom, SIREN: s.siren(), SIRET: s.siret(), TVA: s.tva(), Adresse: adressePostale(s.Adresse), Email: s.Email, Telephone: s.Telephone},
		Acheteur:   facturx.Partie{Nom: f.Nom, SIREN: f.SIREN, SIRET: f.SIRET, TVA: f.NumeroTVA, Email: f.Email, Adresse: facturx.Adresse(f.Adresse)},
		HTCentimes: f.HTCentimes, TVACentimes: f.TVACentimes, TTCCentimes: f.TTCCentimes,
		Paiement: facturx.Paiement{Moyen: facturx.Virement, IBAN: s.IBAN, BIC: s.BIC, Echeance: f.Echeance.Time(), Conditions: "Payable avant le " + f.Echeance.Francais()},
	}
	switch goods, services := f.porte(string(tarif.Distribution)), f.porte(string(tarif.EauxUsees)); {
	case goods && !services:
		d.Processus = facturx.Biens
	case services && !goods:
		d.Processus = facturx.Services
	}
	if s.IBAN == "" {
		d.Paiement.Moyen = ""
	}
	switch {
	case f.Nature == natureAvoir:
		d.Type = facturx.Avoir
		d.Paiement = facturx.Paiement{Conditions: "Porté au crédit du compte de l'abonné"}
	case f.Corrige != nil:
		d.Type = facturx.Rectificatif
	}
	if f.ModePaiement == "PRELEVEMENT" && f.Nature != natureAvoir {
		d.Paiement.Moyen = facturx.Prelevement
	}
	if f.Corrige != nil {
		d.Corrige = &facturx.Reference{Numero: f.Corrige.Numero, Date: f.Corrige.Date.Time()}
	}
	if f.Lieu != "" {
		lieu := adressePostale(f.Lieu)
		d.Livraison = &lieu
	}
	if f.duree() != "" {
		d.Du, d.Au = f.Du.Time(), f.Au.AddDays(-1).Time()
	}
	if f.SIREN != "" {
		for _, n := range []struct{ code, sujet string }{{"penalites", facturx.NotePenalites}, {"frais", facturx.NoteFrais}, {"escompte", facturx.NoteEscompte}} {
			if m := f.mention(n.code); m.Texte != "" {
				d.Notes = append(d.Notes, facturx.Note{Sujet: n.sujet, Texte: m.Texte})
			}
		}
	}
	for _, l := range f.Lignes {
		d.Lignes = append(d.Lignes, f.ligne(l))
	}
	for _, t := range f.TVA {
		d.TVA = append(d.TVA, facturx.TVA{TauxPM: t.TauxPM, BaseCentimes: t.BaseCentimes, MontantCentimes: t.MontantCentimes, Exoneration: f.mention("exoneration").Texte})
	}
	return d
}

// ligne is a line with the quantity and price that give its amount to the
// centime, or, for one that rests on another computation, once its amount.
func (f imprimee) ligne(l message.LigneFacture) facturx.Ligne {
	out := facturx.Ligne{Libelle: l.Libelle, TauxPM: l.TVAPM, HTCentimes: l.HTCentimes, PrixUE: l.PrixUE}
	days := int64(l.Jours)
	if f.Cas != nil {
		days *= f.Cas.PDL.Logements
	}
	switch {
	case l.Litres != 0 && fits(l.Litres, l.PrixUE, 1000, l.HTCentimes):
		out.Quantite = facturx.Quantite{Milliemes: l.Litres, Unite: facturx.M3}
	case l.Litres != 0 && fits(-l.Litres, l.PrixUE, 1000, l.HTCentimes):
		out.Quantite = facturx.Quantite{Milliemes: -l.Litres, Unite: facturx.M3}
	case days != 0 && fits(days, l.PrixUE, 365, l.HTCentimes):
		out.Quantite, out.Base = facturx.Quantite{Milliemes: 1000 * days, Unite: facturx.Jour}, 365
	case days != 0 && fits(-days, l.PrixUE, 365, l.HTCentimes):
		out.Quantite, out.Base = facturx.Quantite{Milliemes: -1000 * days, Unite: facturx.Jour}, 365
	default:
		out.Quantite = facturx.Quantite{Milliemes: 1000 * sign(l.HTCentimes), Unite: facturx.Piece}
		out.PrixUE = 10_000 * sign(l.HTCentimes) * l.HTCentimes
	}
	return out
}

// fits tells whether a quantity at micro-euros for each base of it is an
// amount in centimes, rounded half away from zero.
func fits(quantity, ue, base, centimes int64) bool {
	product, unit := quantity*ue, base*10_000
	return (2*product+sign(product)*unit)/(2*unit) == centimes
}

var codePostal = regexp.MustCompile(`^(.*?),? *(\d{5}) +(.+)$`)

// adressePostale takes an address of one line apart.
func adressePostale(line string) facturx.Adresse {
	if m := codePostal.FindStringSubmatch(line); m != nil {
		return facturx.Adresse{Voie: m[1], CodePostal: m[2], Commune: m[3]}
	}
	return facturx.Adresse{Voie: line}
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
	if litres < 0 {
		return "−" + m3(-litres)
	}
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
