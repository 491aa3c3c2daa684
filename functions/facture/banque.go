package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"aquaerp.fr/functions/facture/sepa"
	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// parTraitement is how many movements one event books.
const parTraitement = 100

// refus are the sentences for a file that cannot be read at all.
var refus = map[string]string{
	"fichier_vide":             "Ce fichier est vide.",
	"fichier_trop_grand":       "Ce fichier est trop grand : demandez à la banque des fichiers d'un jour.",
	"texte_trop_long":          "Ce fichier contient un texte démesuré.",
	"trop_profond":             "Ce fichier emboîte trop d'éléments.",
	"trop_d_operations":        "Ce fichier contient trop d'opérations : demandez à la banque des fichiers d'un jour.",
	"doctype_interdit":         "Ce fichier déclare un type de document ou une entité : il ne vient pas d'une banque.",
	"xml_invalide":             "Ce fichier n'est pas du XML bien formé.",
	"espace_de_noms":           "Ce fichier mêle des éléments d'un autre format.",
	"format_inconnu":           "Ce fichier n'est ni un pain.002, ni un camt.053, ni un camt.054 d'une version connue.",
	"message_sans_identifiant": "Ce fichier n'a pas d'identifiant de message.",
	"compte_illisible":         "Ce fichier ne dit pas de quel compte il parle.",
	"montant_invalide":         "Un montant n'est pas un nombre entier de centimes.",
	"sens_invalide":            "Une opération n'est ni au crédit ni au débit.",
	"date_invalide":            "Une opération n'a pas de date.",
	"somme_fausse":             "Le détail d'une écriture n'en fait pas la somme.",
}

// importerFichierBancaire reads a file of the bank and keeps each movement.
// They are booked later, in chunks: an import that is cut short is taken up
// where it stopped, and a file never counts twice.
func importerFichierBancaire(ctx context.Context, tx *function.Tx, c message.ImporterFichierBancaire) (message.FichierBancaire, error) {
	file, err := sepa.Lire(bytes.NewReader(c.Contenu))
	var r *sepa.Refus
	if errors.As(err, &r) {
		return message.FichierBancaire{}, function.Invalid("contenu", r.Code, fmt.Sprintf("Ligne %d : %s Rien n'a été enregistré.", r.Ligne, refus[r.Code]),
			fmt.Sprintf("Line %d: %s. Nothing was recorded.", r.Ligne, r.Texte))
	}
	if err != nil {
		return message.FichierBancaire{}, err
	}
	emetteur, nous, err := destinataire(ctx, tx, file)
	if err != nil {
		return message.FichierBancaire{}, err
	}
	id, sum := function.NewID(), sha256.Sum256(c.Contenu)
	_, err = tx.Exec(ctx, `insert into fichier_bancaire (id, nom, nature, message, emetteur, sha256, importe_a, importe_par) values ($1, $2, $3, $4, $5, $6, $7, $8)`,
		id, c.Nom, file.Nature, file.Message, emetteur, hex.EncodeToString(sum[:]), tx.Now, tx.Identity().ID)
	var pg *pgconn.PgError
	if errors.As(err, &pg) && (pg.ConstraintName == "fichier_deja_importe" || pg.ConstraintName == "message_deja_importe") {
		return message.FichierBancaire{}, function.Conflict(pg.ConstraintName, "Ce fichier ("+file.Message+") a déjà été importé : rien n'a été enregistré une seconde fois.",
			"This file ("+file.Message+") was imported before: nothing was recorded again.")
	}
	if err != nil {
		return message.FichierBancaire{}, err
	}
	cles := clesDe(file)
	rows, err := tx.Query(ctx, "select cle from operation_bancaire where cle = any($1)", cles)
	if err != nil {
		return message.FichierBancaire{}, err
	}
	known := map[string]bool{}
	if _, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (x struct{}, err error) {
		var cle string
		err = row.Scan(&cle)
		known[cle] = true
		return x, err
	}); err != nil {
		return message.FichierBancaire{}, err
	}
	var out [][]any
	for i, o := range file.Operations {
		etat, code, detail := "A_TRAITER", "", ""
		cle := any(cles[i])
		switch {
		case known[cles[i]]:
			etat, code, detail, cle = "DOUBLON", "deja_connue", "Cette opération figurait déjà dans un fichier importé.", nil
		case file.Nature != sepa.StatutRemise && !nous[o.Compte]:
			etat, code, detail = "REFUSEE", "compte_inconnu", "Cette opération est sur un compte qui n'est pas celui du service."
		case o.Devise != "EUR" && file.Nature != sepa.StatutRemise, o.Devise != "EUR" && o.Devise != "":
			etat, code, detail = "REFUSEE", "autre_devise", "Cette opération n'est pas en euros mais en "+o.Devise+"."
		}
		known[cles[i]] = true
		var date any
		if !o.Date.IsZero() {
			date = o.Date
		}
		out = append(out, []any{function.NewID(), id, i, o.Ligne, cle, date, o.Credit, o.Contre, o.Centimes, o.Devise, o.Statut, o.Remise, o.Lot, o.Bout, o.RUM, o.Motif, o.Nom, o.Libelle, etat, code, detail})
	}
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"operation_bancaire"}, []string{"id", "fichier_id", "rang", "ligne", "cle", "date", "credit", "contre", "montant_centimes", "devise",
		"statut", "remise", "lot", "bout", "rum", "motif", "nom", "libelle", "etat", "code", "detail"}, pgx.CopyFromRows(out)); err != nil {
		return message.FichierBancaire{}, err
	}
	for du := 0; du < len(out); du += parTraitement {
		tx.Emit(id, 0, message.OperationsATraiter{FichierID: id, Du: du, Au: min(du+parTraitement, len(out)) - 1})
	}
	return loadFichier(ctx, tx, id)
}

// destinataire refuses a file that speaks of somebody else: none of its
// accounts is ours, or the remise it tells of is not.
func destinataire(ctx context.Context, tx *function.Tx, f sepa.Fichier) (emetteur string, nous []bool, err error) {
	if f.Nature == sepa.StatutRemise {
		for _, o := range f.Operations {
			emetteur = o.Remise
			if o.Remise == "" || o.Remise != f.Operations[0].Remise {
				return "", nil, function.Invalid("contenu", "remise_inconnue", "Ce fichier ne dit pas de quelle remise il parle.", "This file does not say of which remise it tells.")
			}
		}
		var known bool
		err := tx.QueryRow(ctx, "select exists (select from remise where etat = 'VALIDEE' and "+sqlReference+" = $1)", emetteur).Scan(&known)
		if err == nil && !known {
			err = function.Invalid("contenu", "remise_inconnue", "Ce fichier parle d'une remise ("+emetteur+") que ce service n'a pas faite.", "This file tells of a remise ("+emetteur+") that is not ours.")
		}
		return emetteur, nil, err
	}
	nous = make([]bool, len(f.Comptes))
	ours := 0
	for i, c := range f.Comptes {
		if err := tx.QueryRow(ctx, "select exists (select from creancier where iban = $1)", c.Clair()).Scan(&nous[i]); err != nil {
			return "", nil, err
		}
		if nous[i] {
			ours++
			emetteur = c.Masque()
		}
	}
	if ours == 0 {
		return "", nil, function.Invalid("contenu", "compte_etranger", "Ce fichier est celui d'un autre compte que ceux du service : rien n'a été enregistré.", "This file is about no account of this service: nothing was recorded.")
	}
	return emetteur, nous, nil
}

// sqlReference is referenceRemise in SQL.
const sqlReference = `'PREL-' || to_char(remise.cree_a at time zone 'UTC', 'YYYYMMDD') || '-' || lpad(remise.numero::text, 6, '0')`

// clesDe names each movement by what it is, whatever file tells of it: a
// notification and the statement that follows tell of the same. Without a
// reference of the bank equal movements are told apart by their order.
func clesDe(f sepa.Fichier) []string {
	cles := make([]string, len(f.Operations))
	seen := map[string]int{}
	for i, o := range f.Operations {
		what := []string{o.Date.String(), fmt.Sprint(o.Centimes, o.Credit, o.Contre), o.Devise, o.Statut, o.Reference, o.Remise, o.Lot, o.Bout, o.Motif}
		if f.Nature == sepa.StatutRemise {
			what = append(what, "pain.002")
		} else {
			what = append(what, f.Comptes[o.Compte].Clair())
			if o.Reference == "" {
				what = append(what, o.Nom, o.Libelle)
			}
		}
		k := strings.Join(what, "\x00")
		if o.Reference == "" && f.Nature != sepa.StatutRemise {
			seen[k]++
			k += fmt.Sprint("\x00", seen[k])
		}
		h := sha256.Sum256([]byte(k)) // what is kept holds no account number
		cles[i] = hex.EncodeToString(h[:])
	}
	return cles
}

func fichierParID(ctx context.Context, tx *function.Tx, q message.FichierBancaireParID) (message.FichierBancaire, error) {
	return loadFichier(ctx, tx, q.ID)
}

func loadFichier(ctx context.Context, tx *function.Tx, id string) (message.FichierBancaire, error) {
	all, err := selectFichiers(ctx, tx, "f.id = $1", id)
	if err != nil {
		return message.FichierBancaire{}, err
	}
	if len(all) == 0 {
		return message.FichierBancaire{}, function.NotFound("fichier_inconnu", "Ce fichier n'existe pas.", "There is no such file.")
	}
	return all[0], nil
}

func fichiersBancaires(ctx context.Context, tx *function.Tx, q message.FichiersBancaires) (page message.PageFichiers, err error) {
	after, err := readCursor(q.Curseur)
	if err != nil {
		return page, err
	}
	page.Items, err = selectFichiers(ctx, tx, "($1 = '' or (f.importe_a, f.id) < (nullif($1, '')::timestamptz, nullif($2, '')::uuid)) order by f.importe_a desc, f.id desc limit $3", after.key, after.id, q.Size()+1)
	if n := q.Size(); len(page.Items) > n {
		page.Items = page.Items[:n]
		page.Suivant = cursor{page.Items[n-1].ImporteA.Format(instant), page.Items[n-1].ID}.String()
	}
	return page, err
}

func selectFichiers(ctx context.Context, tx *function.Tx, where string, args ...any) ([]message.FichierBancaire, error) {
	rows, err := tx.Query(ctx, `select f.id, f.nom, f.nature, f.message, f.importe_a, f.importe_par, o.* from fichier_bancaire f cross join lateral (
			select count(*)::int, count(*) filter (where etat = 'ENCAISSEE')::int, count(*) filter (where etat = 'REJET')::int, count(*) filter (where etat = 'A_AFFECTER')::int,
				count(*) filter (where etat = 'IGNOREE')::int, count(*) filter (where etat = 'DOUBLON')::int, count(*) filter (where etat = 'REFUSEE')::int, count(*) filter (where etat = 'A_TRAITER')::int,
				coalesce(sum(montant_centimes) filter (where credit), 0)::bigint, coalesce(sum(montant_centimes) filter (where not credit and f.nature <> 'pain.002'), 0)::bigint
			from operation_bancaire where fichier_id = f.id) o where `+where, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[message.FichierBancaire])
}

// operationsBancaires lists movements of a file in its order, or those of all
// files that are in a state.
func operationsBancaires(ctx context.Context, tx *function.Tx, q message.OperationsBancaires) (page message.PageOperations, err error) {
	after, err := readCursor(q.Curseur)
	if err != nil {
		return page, err
	}
	page.Items, err = selectOperations(ctx, tx, `($1 = '' or fichier_id = nullif($1, '')::uuid) and ($2 = '' or etat = $2)
		and ($3 = '' or id > nullif($3, '')::uuid) order by id limit $4`, q.FichierID, q.Etat, after.id, q.Size()+1)
	if n := q.Size(); len(page.Items) > n {
		page.Items = page.Items[:n]
		page.Suivant = cursor{"", page.Items[n-1].ID}.String()
	}
	return page, err
}

func selectOperations(ctx context.Context, tx *function.Tx, where string, args ...any) ([]message.OperationBancaire, error) {
	rows, err := tx.Query(ctx, `select id, fichier_id, ligne, date, credit, montant_centimes, nom, libelle, coalesce(nullif(bout, ''), nullif(lot, ''), remise), etat, code, detail,
			coalesce(abonne_id::text, ''), coalesce(paiement_id::text, '') from operation_bancaire where `+where, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[message.OperationBancaire])
}
