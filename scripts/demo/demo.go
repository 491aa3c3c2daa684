// Package demo walks a village down the whole road of AquaERP, from outside:
// everything it does goes through the REST API, as the person whose work it
// is. `make run` shows what it leaves behind; the end-to-end tests and the
// chaos drill walk the same steps and look closer.
//
// Every step may be repeated: it sends the same requests under the same
// Idempotency-Keys, so a walk that was interrupted goes on where it stopped.
package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"aquaerp.fr/scripts/client"
	"aquaerp.fr/scripts/commune/village"
	"aquaerp.fr/shared/message"
)

// Password is everybody's: the data are made up, and the stack listens to
// this machine only.
const Password = "eau-claire-2026"

// Email is the login of the person with a role.
func Email(role string) string { return role + "@aquaerp.example" }

// Roles are those with a login, administrateur first; abonne gets theirs by Portail.
var Roles = []string{"administrateur", "superviseur", "conseiller", "technicien", "comptable"}

// noms are the people of the water service.
var noms = map[string]string{
	"superviseur": "Solène Superviseur", "conseiller": "Camille Conseil", "technicien": "Théo Technicien", "comptable": "Chloé Comptable",
}

// The period that the demonstration bills, and the dates of its bills.
var (
	Du              = village.Tournees[3]
	Au              = village.Tournees[4]
	DateFacturation = message.NewDate(2026, 10, 15)
	Echeance        = message.NewDate(2026, 11, 16)
)

// Demo is a walk.
type Demo struct {
	Village village.Village
	// Settled returns once nothing is under way between the functions.
	Settled func(context.Context) error

	qui map[string]*client.Client // by role
}

// As is the client of the person with a role.
func (d *Demo) As(role string) *client.Client { return d.qui[role] }

// Open logs the administrator in at the API and gives everybody else a login.
func (d *Demo) Open(ctx context.Context, api *client.Client) (err error) {
	d.qui = map[string]*client.Client{}
	for _, role := range Roles {
		if role != "administrateur" {
			u := message.CreerUtilisateur{Identifiant: Email(role), Nom: noms[role], Role: role, MotDePasse: Password}
			if _, err := post[message.Utilisateur](ctx, d.qui["administrateur"], "/v1/utilisateurs", u, role); err != nil {
				return fmt.Errorf("user %s: %w", role, err)
			}
		}
		if d.qui[role], err = api.Login(ctx, Email(role), Password); err != nil {
			return fmt.Errorf("login %s: %w", role, err)
		}
	}
	return nil
}

// object is the body of a command about what the path names.
type object = map[string]any

// post sends a step under its own key, always the same.
func post[R any](ctx context.Context, c *client.Client, path string, body any, step ...any) (R, error) {
	key := uuid.NewSHA1(uuid.NameSpaceURL, fmt.Append(nil, "demo ", path, " ", step))
	return client.PostOnce[R](ctx, c, path, body, key.String())
}

// Tarifs defines the tariffs.
func (d *Demo) Tarifs(ctx context.Context) error {
	t, err := village.LireTarifs()
	if err != nil {
		return err
	}
	for _, g := range t.Grilles {
		if _, err := post[message.Grille](ctx, d.qui["comptable"], "/v1/grilles", g, g.Code); err != nil {
			return fmt.Errorf("grille %s: %w", g.Code, err)
		}
	}
	for _, r := range t.Redevances {
		if _, err := post[message.Redevance](ctx, d.qui["comptable"], "/v1/redevances", r, r.Code); err != nil {
			return fmt.Errorf("redevance %s: %w", r.Code, err)
		}
	}
	return nil
}

// parFichier is how many lines one file may have.
const parFichier = 10_000

// Reprise takes over the contracts in force.
func (d *Demo) Reprise(ctx context.Context) (total message.Reprise, err error) {
	err = parts(d.Village.WriteReprise, func(n int, csv client.CSV) error {
		r, err := post[message.Reprise](ctx, d.qui["conseiller"], "/v1/reprises", csv, n)
		total.Lignes, total.Creees, total.Rejets = total.Lignes+r.Lignes, total.Creees+r.Creees, append(total.Rejets, r.Rejets...)
		return err
	})
	if err == nil {
		err = d.Settled(ctx)
	}
	return total, err
}

// Tournee changes the meters that were changed before round k, then imports
// it: one round for each file of at most parFichier lines.
func (d *Demo) Tournee(ctx context.Context, k int) (all []message.Tournee, err error) {
	if k > 0 {
		for c := range d.Village.Changements(village.Tournees[k-1], village.Tournees[k]) {
			if err := d.changer(ctx, c); err != nil {
				return nil, fmt.Errorf("meter of %s: %w", c.PDL, err)
			}
		}
		if err := d.Settled(ctx); err != nil {
			return nil, err
		}
	}
	jour := village.Tournees[k]
	err = parts(func(w io.Writer) error { return d.Village.WriteReleves(w, k) }, func(n int, csv client.CSV) error {
		libelle := jour.Time().Format("Tournée du 02/01/2006")
		if n > 0 {
			libelle += fmt.Sprintf(" (%d)", n+1)
		}
		t, err := post[message.Tournee](ctx, d.qui["superviseur"], "/v1/tournees?libelle="+url.QueryEscape(libelle), csv, k, n)
		all = append(all, t)
		return err
	})
	if err == nil {
		err = d.Settled(ctx)
	}
	return all, err
}

// Contrat finds the contract of a PDL by its reference.
func (d *Demo) Contrat(ctx context.Context, pdl string) (message.Contrat, error) {
	found, err := client.Get[message.PageAbonnes](ctx, d.qui["conseiller"], "/v1/abonnes?q="+url.QueryEscape(pdl))
	if err != nil {
		return message.Contrat{}, err
	}
	for _, a := range found.Items {
		fiche, err := client.Get[message.Fiche](ctx, d.qui["conseiller"], "/v1/abonnes/"+a.ID)
		if err != nil {
			return message.Contrat{}, err
		}
		for _, c := range fiche.Contrats {
			if c.PDL.Reference == pdl {
				return c, nil
			}
		}
	}
	return message.Contrat{}, fmt.Errorf("no contract at %s", pdl)
}

func (d *Demo) changer(ctx context.Context, c village.Changement) error {
	contrat, err := d.Contrat(ctx, c.PDL)
	if err != nil {
		return err
	}
	_, err = post[message.Contrat](ctx, d.qui["conseiller"], "/v1/contrats/"+contrat.ID+"/changement-compteur", c.Commande)
	return err
}

// Decider rejects the suspect readings of the rounds before the last, whose
// period is over; those of the last wait for whoever looks at them.
func (d *Demo) Decider(ctx context.Context) error {
	for curseur := ""; ; {
		page, err := client.Get[message.PageSuspects](ctx, d.qui["superviseur"], "/v1/releves/suspects?limite=200&curseur="+url.QueryEscape(curseur))
		if err != nil {
			return err
		}
		for _, r := range page.Items {
			if !r.Date.Before(Au) {
				continue
			}
			decision := object{"decision": "REJETER", "motif": "Index mal lu : le compteur n'a pas pu reculer."}
			if _, err := post[message.Releve](ctx, d.qui["superviseur"], "/v1/releves/"+r.ID+"/decision", decision); err != nil {
				return err
			}
		}
		if curseur = page.Suivant; curseur == "" {
			return d.Settled(ctx)
		}
	}
}

// Histoire is everything up to the last round: tariffs, contracts, readings.
func (d *Demo) Histoire(ctx context.Context) error {
	if err := d.Tarifs(ctx); err != nil {
		return err
	}
	reprise, err := d.Reprise(ctx)
	if err != nil {
		return err
	}
	if reprise.Creees != d.Village.N {
		return fmt.Errorf("%d of %d contracts were taken over; first refusals: %+v", reprise.Creees, d.Village.N, reprise.Rejets[:min(3, len(reprise.Rejets))])
	}
	for k := range village.Tournees {
		rounds, err := d.Tournee(ctx, k)
		if err != nil {
			return err
		}
		for _, t := range rounds {
			if len(t.Rejets) > 0 {
				return fmt.Errorf("%s: %d lines refused, first %+v", t.Libelle, len(t.Rejets), t.Rejets[0])
			}
		}
		if err := d.Decider(ctx); err != nil {
			return err
		}
	}
	return nil
}

// PreparerLot prices the bills of the period.
func (d *Demo) PreparerLot(ctx context.Context) (message.Lot, error) {
	lot, err := post[message.Lot](ctx, d.qui["comptable"], "/v1/lots", message.PreparerLot{
		Libelle: "Printemps-été 2026", Du: Du, Au: Au, DateFacturation: DateFacturation, Echeance: Echeance,
	})
	if err != nil {
		return lot, err
	}
	return d.attendre(ctx, lot.ID, "CALCULE", "CONTROLE", "EMISSION", "EMIS") // beyond CALCULE: by a walk before this one
}

// EmettreLot has a second person approve them, and issues them.
func (d *Demo) EmettreLot(ctx context.Context, id string) (message.Lot, error) {
	if lot, err := d.attendre(ctx, id, "CALCULE", "CONTROLE", "EMISSION", "EMIS"); err != nil || lot.Etat == "EMIS" {
		return lot, err // EMIS: by a walk before this one
	}
	if _, err := post[message.Lot](ctx, d.qui["superviseur"], "/v1/lots/"+id+"/controle", nil); err != nil {
		return message.Lot{}, err
	}
	if _, err := post[message.Lot](ctx, d.qui["comptable"], "/v1/lots/"+id+"/emission", nil); err != nil {
		return message.Lot{}, err
	}
	return d.attendre(ctx, id, "EMIS")
}

// attendre follows a lot until it is in one of the states.
func (d *Demo) attendre(ctx context.Context, id string, etats ...string) (message.Lot, error) {
	for {
		lot, err := client.Get[message.Lot](ctx, d.qui["comptable"], "/v1/lots/"+id)
		if err != nil {
			return lot, err
		}
		for _, etat := range etats {
			if lot.Etat == etat {
				return lot, nil
			}
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return lot, fmt.Errorf("lot %s is %s with %d of %d bills: %w", id, lot.Etat, lot.Calculees, lot.Contrats, ctx.Err())
		}
	}
}

// Factures are the bills of a lot.
func (d *Demo) Factures(ctx context.Context, lotID string) (all []message.Facture, err error) {
	for curseur := ""; ; {
		page, err := client.Get[message.PageFactures](ctx, d.qui["comptable"], "/v1/lots/"+lotID+"/factures?limite=200&curseur="+url.QueryEscape(curseur))
		if err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if curseur = page.Suivant; curseur == "" {
			return all, nil
		}
	}
}

// Payer pays seven of ten bills of a lot in full.
func (d *Demo) Payer(ctx context.Context, lotID string) error {
	bills, err := d.Factures(ctx, lotID)
	if err != nil {
		return err
	}
	g, all := errgroup.WithContext(ctx)
	g.SetLimit(4)
	modes := []string{"VIREMENT", "PRELEVEMENT", "CARTE", "CHEQUE"}
	for i, f := range bills {
		if i%10 >= 7 || f.TTCCentimes <= 0 {
			continue
		}
		g.Go(func() error {
			_, err := post[message.Paiement](all, d.qui["comptable"], "/v1/paiements", message.EnregistrerPaiement{
				Mode: modes[i%len(modes)], MontantCentimes: f.TTCCentimes, RecuLe: DateFacturation.AddDays(3 + i%20), Reference: f.Numero,
			}, f.Numero)
			return err
		})
	}
	return g.Wait()
}

// Nouvelle is the subscription that the demonstration opens.
func Nouvelle(today message.Date) message.Souscrire {
	adresse := message.Adresse{Voie: "4 quai du Loing", CodePostal: "77999", Commune: village.Commune}
	return message.Souscrire{
		Abonne: &message.NouvelAbonne{Nature: "PERSONNE", Nom: "Lemoine", Prenom: "Alice", Email: "alice.lemoine@courriel.example",
			Telephone: "06 39 98 00 01", Adresse: adresse},
		PDL: &message.NouveauPDL{Reference: "PDL-NEUF-1", Adresse: adresse, CodeINSEE: "77999", Secteur: "Bourg", Logements: 1,
			Habitation: true, ResidencePrincipale: "OUI", Assainissement: true},
		Compteur: message.NouveauCompteur{Serie: "D26A990001", CalibreMM: 15, Roues: 5, LitresParUnite: 1000, Annee: 2026},
		Nature:   "INDIVIDUEL", DebutSouhaite: today, ExecutionImmediate: true, ModePaiement: "PRELEVEMENT",
	}
}

// Souscrire opens a subscription and has it signed; the plan orders the opening.
func (d *Demo) Souscrire(ctx context.Context, s message.Souscrire) (message.Contrat, error) {
	c, err := post[message.Contrat](ctx, d.qui["conseiller"], "/v1/contrats", s, s.PDL.Reference)
	if err != nil {
		return c, err
	}
	c, err = post[message.Contrat](ctx, d.qui["conseiller"], "/v1/contrats/"+c.ID+"/signature", object{"signataire": s.Abonne.Prenom + " " + s.Abonne.Nom, "a_distance": false})
	if err != nil {
		return c, err
	}
	return c, d.Settled(ctx)
}

// Intervention is the order of field work at an abonne's that is not over.
func (d *Demo) Intervention(ctx context.Context, abonneID string) (message.Intervention, error) {
	page, err := client.Get[message.PageInterventions](ctx, d.qui["conseiller"], "/v1/interventions?etat=OUVERTES&abonne_id="+abonneID)
	switch {
	case err != nil:
		return message.Intervention{}, err
	case len(page.Items) == 0:
		return message.Intervention{}, errors.New("no order of field work")
	}
	return page.Items[0], nil
}

// Ouvrir has the technician do the opening with the index read there.
func (d *Demo) Ouvrir(ctx context.Context, id string, today message.Date, index int64) error {
	technicien := d.qui["technicien"].Utilisateur()
	path := "/v1/interventions/" + id
	give := object{"technicien": technicien.ID, "nom_technicien": technicien.Nom}
	if _, err := post[message.Intervention](ctx, d.qui["conseiller"], path+"/affectation", give); err != nil {
		return err
	}
	for _, vers := range []string{"ACCEPTEE", "EN_ROUTE", "SUR_PLACE"} {
		if _, err := post[message.Intervention](ctx, d.qui["technicien"], path+"/avancement", object{"vers": vers}, vers); err != nil {
			return err
		}
	}
	done := object{"date": today, "index": index, "observations": "Ouverture faite, pas de fuite au compteur.", "signataire": "Alice Lemoine"}
	if _, err := post[message.Intervention](ctx, d.qui["technicien"], path+"/compte-rendu", done); err != nil {
		return err
	}
	return d.Settled(ctx)
}

// Portail gives the abonne of a PDL a login to their own file.
func (d *Demo) Portail(ctx context.Context, pdl string) (message.Utilisateur, error) {
	c, err := d.Contrat(ctx, pdl)
	if err != nil {
		return message.Utilisateur{}, err
	}
	u := message.CreerUtilisateur{
		Identifiant: Email("abonne"), Nom: c.Abonne.Prenom + " " + c.Abonne.Nom, Role: "abonne", MotDePasse: Password, AbonneID: c.Abonne.ID,
	}
	return post[message.Utilisateur](ctx, d.qui["administrateur"], "/v1/utilisateurs", u, "abonne")
}

// parts cuts a CSV file into files of at most parFichier lines, each with the header.
func parts(write func(io.Writer) error, each func(n int, csv client.CSV) error) error {
	var whole bytes.Buffer
	if err := write(&whole); err != nil {
		return err
	}
	header, rest, _ := bytes.Cut(whole.Bytes(), []byte("\n"))
	for n := 0; len(rest) > 0; n++ {
		end := 0
		for range parFichier {
			next := bytes.IndexByte(rest[end:], '\n')
			if next < 0 {
				break
			}
			end += next + 1
		}
		if err := each(n, bytes.Join([][]byte{header, rest[:end]}, []byte("\n"))); err != nil {
			return err
		}
		rest = rest[end:]
	}
	return nil
}
