package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/functions/facture/sepa"
	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// identite is who a legal entity is, as its documents print it.
type identite struct {
	Nom, Forme                string
	Adresse                   message.Adresse
	Telephone, Urgence, Email string
	SIRET, NumeroTVA          string
	IBAN, BIC                 string
	Depuis                    time.Time // zero: as the service was configured, but for a name
}

const colonnesIdentite = "nom, forme, adresse, telephone, urgence, email, siret, numero_tva, iban, bic, depuis"

func (i *identite) champs() []any {
	return []any{&i.Nom, &i.Forme, &i.Adresse, &i.Telephone, &i.Urgence, &i.Email, &i.SIRET, &i.NumeroTVA, &i.IBAN, &i.BIC, &i.Depuis}
}

// enJSON is the identity that entity e had at an instant of SQL, or its name.
func enJSON(at string) string {
	return `coalesce((select jsonb_build_object('Nom', i.nom, 'Forme', i.forme, 'Adresse', i.adresse, 'Telephone', i.telephone, 'Urgence', i.urgence, 'Email', i.email,
			'SIRET', i.siret, 'NumeroTVA', i.numero_tva, 'IBAN', i.iban, 'BIC', i.bic, 'Depuis', i.depuis)
		from identite i where i.entite = e.code and i.depuis <= ` + at + ` order by i.depuis desc limit 1), jsonb_build_object('Nom', e.nom))`
}

// comme is the service as a legal entity. One that said who it is prints
// nothing of the service but where bills are paid online, and where nothing
// else is known whom to call at night.
func (s service) comme(i identite) service {
	s.Nom = cmp.Or(i.Nom, s.Nom)
	if i.Depuis.IsZero() {
		return s
	}
	s.Forme, s.Adresse = i.Forme, joined(", ", i.Adresse.Voie, i.Adresse.Complement, i.Adresse.CodePostal+" "+i.Adresse.Commune)
	s.Telephone, s.Email, s.Urgence = i.Telephone, i.Email, cmp.Or(i.Urgence, s.Urgence)
	s.SIRET, s.TVA, s.IBAN, s.BIC = i.SIRET, i.NumeroTVA, sepa.IBAN(i.IBAN).Groupe(), i.BIC
	return s
}

// pour is the service as the entity that bills a contract, today.
func (s service) pour(ctx context.Context, tx *function.Tx, contratID string) (service, error) {
	var i identite
	err := tx.QueryRow(ctx, "select "+enJSON("$2")+` from contrat c left join commune k using (code_insee) join entite e on e.code = coalesce(k.entite, 'principale')
		where c.id = $1`, contratID, tx.Now).Scan(&i)
	return s.comme(i), err
}

// definirEntite creates an entity, or says who it is from now on.
func (s service) definirEntite(ctx context.Context, tx *function.Tx, c message.DefinirEntite) (f message.FicheEntite, err error) {
	i := identite{Nom: strings.TrimSpace(c.Nom), Forme: strings.TrimSpace(c.Forme), Adresse: c.Adresse, Telephone: strings.TrimSpace(c.Telephone),
		Urgence: strings.TrimSpace(c.Urgence), Email: c.Email, SIRET: message.Compact(c.SIRET), NumeroTVA: message.Compact(c.NumeroTVA)}
	switch {
	case i.Nom == "":
		return f, function.Invalid("nom", "requis", "Ce champ est obligatoire.", "This field is required.")
	case !message.SIRETValide(i.SIRET):
		return f, function.Invalid("siret", "siret_invalide",
			"Ce SIRET n'existe pas : il a quatorze chiffres, dont le dernier vérifie les autres.", "There is no such SIRET: it has fourteen digits, and the last one checks the others.")
	case i.NumeroTVA != "" && !message.TVAValide(i.NumeroTVA, i.SIRET[:9]):
		return f, function.Invalid("numero_tva", "tva_invalide",
			"Ce numéro de TVA n'est pas celui de cette entité : FR, une clé de deux caractères et le SIREN.", "This VAT identifier is not that of the entity: FR, a key of two characters and the SIREN.")
	}
	avant, err := s.identiteDe(ctx, tx, c.Code)
	if err != nil {
		return f, err
	}
	i.IBAN = avant.IBAN
	if c.IBAN != "" {
		iban, err := lireCompte(c.IBAN)
		if err != nil {
			return f, err
		}
		i.IBAN = iban.Clair()
	}
	if i.BIC, err = lireBIC(c.BIC); err != nil {
		return f, err
	}
	if err := nommer(ctx, tx, c, i); err != nil {
		return f, err
	}
	if _, err := tx.Exec(ctx, `insert into identite (entite, nom, forme, adresse, telephone, urgence, email, siret, numero_tva, iban, bic, depuis, par_id, par)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
		c.Code, i.Nom, i.Forme, i.Adresse, i.Telephone, i.Urgence, i.Email, i.SIRET, i.NumeroTVA, i.IBAN, i.BIC, tx.Now, tx.Identity().ID, tx.Identity().Nom); err != nil {
		return f, err
	}
	if c.ICS != "" {
		if i.IBAN == "" {
			return f, function.Invalid("iban", "iban_absent", "Pour prélever, il faut le compte que la banque crédite.", "To debit, the account that is credited is needed.")
		}
		if _, err := definirCreancier(ctx, tx, message.DefinirCreancier{Entite: c.Code, Nom: cut(i.Nom, 70), ICS: c.ICS, IBAN: i.IBAN, BIC: i.BIC, Format: cmp.Or(c.Format, "pain.008.001.02")}); err != nil {
			return f, err
		}
	}
	return s.ficheEntite(ctx, tx, c.Code)
}

// identiteDe is who an entity is so far; the main one is as the service was
// configured until somebody says otherwise.
func (s service) identiteDe(ctx context.Context, tx *function.Tx, code string) (i identite, err error) {
	rows, err := tx.Query(ctx, "select "+colonnesIdentite+" from identite where entite = $1 order by depuis desc limit 1", code)
	if err != nil {
		return i, err
	}
	i, err = pgx.CollectExactlyOneRow(rows, scanIdentite)
	if err == pgx.ErrNoRows {
		err = nil
		if code == principale {
			a := adressePostale(s.Adresse)
			i = identite{Nom: s.Nom, Adresse: message.Adresse(a), Telephone: s.Telephone, Urgence: s.Urgence, Email: s.Email,
				SIRET: message.Compact(s.SIRET), NumeroTVA: s.TVA, IBAN: message.Compact(s.IBAN), BIC: s.BIC}
		}
	}
	return i, err
}

func scanIdentite(row pgx.CollectableRow) (i identite, err error) { return i, row.Scan(i.champs()...) }

// nommer writes what others read of an entity: its name, prefix and SIREN. It
// takes the row first, so that no number is given meanwhile.
func nommer(ctx context.Context, tx *function.Tx, c message.DefinirEntite, i identite) error {
	var pris string
	err := tx.QueryRow(ctx, "select code from entite where prefixe = $1 and code <> $2", c.Prefixe, c.Code).Scan(&pris)
	if err == nil {
		return function.Conflict("prefixe_pris", "L'entité « "+pris+" » numérote déjà avec ce préfixe : les numéros se confondraient.", "Entity "+pris+" numbers with this prefix.")
	}
	if err != pgx.ErrNoRows {
		return err
	}
	if _, err := tx.Exec(ctx, "insert into entite (code, prefixe) values ($1, $2) on conflict do nothing", c.Code, c.Prefixe); err != nil {
		return err
	}
	var prefixe string
	var numerotee bool
	if err := tx.QueryRow(ctx, "select prefixe, exists (select from serie s where s.entite = e.code) from entite e where code = $1 for update", c.Code).Scan(&prefixe, &numerotee); err != nil {
		return err
	}
	if numerotee && prefixe != c.Prefixe {
		return function.Refused("prefixe_fixe", "Des factures portent déjà le préfixe « "+prefixe+" » : il ne change plus.", "Bills have the prefix already: it cannot change any more.")
	}
	_, err = tx.Exec(ctx, "update entite set nom = $2, prefixe = $3, siren = $4 where code = $1", c.Code, i.Nom, c.Prefixe, i.SIRET[:9])
	return err
}

// utilisee tells whether something rests on entity e.code.
const utilisee = `(exists (select from serie where entite = e.code) or exists (select from commune where entite = e.code) or exists (select from facture where entite = e.code)
	or exists (select from ecriture where entite = e.code) or exists (select from lot_numeros where entite = e.code) or exists (select from mandat where entite = e.code)
	or exists (select from remise where entite = e.code) or exists (select from cloture where entite = e.code))`

// retirerEntite deletes an entity made by mistake.
func (s service) retirerEntite(ctx context.Context, tx *function.Tx, c message.RetirerEntite) (l message.ListeEntites, err error) {
	var used bool
	switch err := tx.QueryRow(ctx, "select "+utilisee+" from (select code from entite where code = $1 for update) e", c.Code).Scan(&used); {
	case err == pgx.ErrNoRows:
		return l, entiteInconnue()
	case err != nil:
		return l, err
	case used || c.Code == principale:
		return l, function.Refused("entite_utilisee", "Des communes, des factures ou des écritures reposent sur cette entité : elle ne peut pas être supprimée.",
			"Communes, bills or entries rest on this entity: it cannot be deleted.")
	}
	if _, err := tx.Exec(ctx, "delete from entite where code = $1", c.Code); err != nil {
		return l, err
	}
	return s.fichesEntites(ctx, tx, message.FichesEntites{})
}

// attribuerCommunes has an entity bill communes from their next bills on.
func (s service) attribuerCommunes(ctx context.Context, tx *function.Tx, c message.AttribuerCommunes) (f message.FicheEntite, err error) {
	if err := lockTarifs(ctx, tx); err != nil {
		return f, err
	}
	if f, err = s.ficheEntite(ctx, tx, c.Entite); err != nil {
		return f, err
	}
	// A commune that only contracts name so far has no name of its own yet.
	rows, err := tx.Query(ctx, `with voulues as (select distinct code from unnest($2::text[]) code), connues as (
			select v.code, coalesce(k.nom, v.code) nom, coalesce(k.entite, 'principale') entite from voulues v left join commune k on k.code_insee = v.code
			where k.code_insee is not null or exists (select from contrat where code_insee = v.code)
		), faites as (
			insert into commune (code_insee, nom, entite) select code, nom, $1 from connues on conflict (code_insee) do update set entite = excluded.entite
		) select v.code, coalesce(c.entite, '') from voulues v left join connues c using (code) order by 1`, c.Entite, c.Communes)
	if err != nil {
		return f, err
	}
	var code, entite string
	avant := map[string][]string{}
	if _, err := pgx.ForEachRow(rows, []any{&code, &entite}, func() error {
		if entite != c.Entite {
			avant[entite] = append(avant[entite], code)
		}
		return nil
	}); err != nil {
		return f, err
	}
	if unknown := avant[""]; len(unknown) > 0 {
		return f, function.Invalid("communes", "commune_inconnue", "Aucun contrat ni aucun tarif ne nomme : "+strings.Join(unknown, ", ")+".", "No contract or tariff names: "+strings.Join(unknown, ", ")+".")
	}
	for from, codes := range avant {
		if err := consigner(ctx, tx, "COMMUNES", c.Entite, strings.Join(codes, ", ")+" : "+from, strings.Join(codes, ", ")+" : "+c.Entite); err != nil {
			return f, err
		}
	}
	return s.ficheEntite(ctx, tx, c.Entite)
}

func entiteInconnue() error {
	return function.NotFound("entite_inconnue", "Cette entité n'existe pas.", "There is no such entity.")
}

func (s service) ficheEntite(ctx context.Context, tx *function.Tx, code string) (f message.FicheEntite, err error) {
	all, err := s.fichesEntites(ctx, tx, message.FichesEntites{})
	if err != nil {
		return f, err
	}
	at := slices.IndexFunc(all.Items, func(f message.FicheEntite) bool { return f.Code == code })
	if at < 0 {
		return f, entiteInconnue()
	}
	return all.Items[at], nil
}

// fichesEntites lists entities; account numbers are masked.
func (s service) fichesEntites(ctx context.Context, tx *function.Tx, _ message.FichesEntites) (l message.ListeEntites, err error) {
	rows, err := tx.Query(ctx, `select e.code, e.nom, e.prefixe, coalesce(k.ics, ''), coalesce(k.format, ''), exists (select from serie where entite = e.code), e.code = 'principale' or `+utilisee+`,
			(select coalesce(jsonb_agg(jsonb_build_object('code_insee', c.code_insee, 'nom', c.nom, 'contrats', c.n) order by c.nom, c.code_insee), '[]')
				from (select coalesce(c.code_insee, n.code_insee) code_insee, coalesce(c.nom, n.code_insee) nom, coalesce(n.n, 0) n
					from commune c full join (select code_insee, count(*) n from contrat where code_insee <> '' group by 1) n on n.code_insee = c.code_insee
					where coalesce(c.entite, 'principale') = e.code) c)
		from entite e left join creancier k on k.entite = e.code order by e.code <> 'principale', e.nom, e.code`)
	if err != nil {
		return l, err
	}
	var noms []string
	l.Items, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (f message.FicheEntite, err error) {
		var nom string
		err = row.Scan(&f.Code, &nom, &f.Prefixe, &f.ICS, &f.Format, &f.Numerotee, &f.Utilisee, &f.Communes)
		noms = append(noms, nom)
		return f, err
	})
	for n := range l.Items {
		if err != nil {
			break
		}
		f := &l.Items[n]
		err = s.remplir(ctx, tx, f, noms[n])
	}
	return l, err
}

// remplir completes a fiche by who the entity is, and was.
func (s service) remplir(ctx context.Context, tx *function.Tx, f *message.FicheEntite, nom string) error {
	i, err := s.identiteDe(ctx, tx, f.Code)
	if err != nil {
		return err
	}
	f.Nom, f.Forme, f.Adresse, f.Telephone, f.Urgence, f.Email = cmp.Or(i.Nom, nom), i.Forme, i.Adresse, i.Telephone, i.Urgence, i.Email
	f.SIRET, f.NumeroTVA, f.BIC, f.Configuree = i.SIRET, i.NumeroTVA, i.BIC, i.Depuis.IsZero()
	if i.IBAN != "" {
		f.IBANMasque = sepa.IBAN(i.IBAN).Masque()
	}
	f.Historique = []message.IdentiteChangee{}
	rows, err := tx.Query(ctx, "select "+colonnesIdentite+", par from identite where entite = $1 order by depuis", f.Code)
	if err != nil {
		return err
	}
	var before *identite
	_, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (x struct{}, err error) {
		var now identite
		c := message.IdentiteChangee{Champs: []string{}}
		if err := row.Scan(append(now.champs(), &c.Par)...); err != nil {
			return x, err
		}
		c.Depuis = now.Depuis
		if before != nil {
			c.Champs = now.change(*before)
		}
		before = &now
		f.Historique = append(f.Historique, c)
		return x, nil
	})
	slices.Reverse(f.Historique)
	return err
}

// change names what differs from before.
func (i identite) change(before identite) []string {
	out := []string{}
	for _, c := range []struct {
		name     string
		now, was any
	}{
		{"nom", i.Nom, before.Nom}, {"forme", i.Forme, before.Forme}, {"adresse", i.Adresse, before.Adresse}, {"telephone", i.Telephone, before.Telephone},
		{"urgence", i.Urgence, before.Urgence}, {"email", i.Email, before.Email}, {"siret", i.SIRET, before.SIRET}, {"numero_tva", i.NumeroTVA, before.NumeroTVA},
		{"iban", i.IBAN, before.IBAN}, {"bic", i.BIC, before.BIC},
	} {
		if c.now != c.was {
			out = append(out, c.name)
		}
	}
	return out
}

// String keeps account numbers out of whatever is logged.
func (i identite) String() string { return fmt.Sprintf("%s (%s)", i.Nom, i.SIRET) }
