// Package road walks the whole road of AquaERP and holds each step against
// what must be true after it: on one machine for the end-to-end tests, through
// the public hosts of a cluster for the cluster test.
//
// A step returns an error when it cannot go on; what it finds wrong on the way
// it tells its Judge, and goes on.
package road

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"

	"aquaerp.fr/scripts/client"
	"aquaerp.fr/scripts/commune/village"
	"aquaerp.fr/scripts/demo"
	"aquaerp.fr/scripts/mailbox/inbox"
	"aquaerp.fr/shared/message"
)

// Judge is told what is wrong; a *testing.T is one.
type Judge interface {
	Errorf(format string, args ...any)
}

// Road is a walk through a village of at least 31 households, all of whose
// troubles it meets (see package village), on an installation that holds
// nothing else.
type Road struct {
	*demo.Demo
	Nobody *client.Client // of the API, without a user
	Mails  func(ctx context.Context, about string) ([]inbox.Mail, error)
	Today  message.Date
	Judge

	Souscrit message.Contrat // the contract that Souscription opened
	Lot      message.Lot     // the lot that Facturation issued
}

// status is that of a refusal, and 0 for everything else.
func status(err error) int {
	var p *message.Problem
	if errors.As(err, &p) {
		return p.Status
	}
	return 0
}

// Login reads who the conseiller is, and sees a wrong password refused.
func (r *Road) Login(ctx context.Context) error {
	me, err := client.Get[message.Utilisateur](ctx, r.As("conseiller"), "/v1/moi")
	if err != nil {
		return err
	}
	if me.Role != "conseiller" || !strings.Contains(me.Droits["contrats"], "c") {
		r.Errorf("the conseiller is %+v", me)
	}
	if _, err := r.Nobody.Login(ctx, demo.Email("conseiller"), "not the password"); status(err) != 401 {
		r.Errorf("a wrong password: %v", err)
	}
	return nil
}

// Souscription opens a contract, has the technician open the water, and finds
// the welcome and the invitation in the mailbox.
func (r *Road) Souscription(ctx context.Context) error {
	c, err := r.Souscrire(ctx, demo.Nouvelle(r.Today))
	if err != nil {
		return err
	}
	if c.Etat != "SIGNE" {
		r.Errorf("the signed contract is %s", c.Etat)
	}
	plans, err := client.Get[message.PagePlans](ctx, r.As("conseiller"), "/v1/plans?etat=EN_COURS")
	if err != nil {
		return err
	}
	if len(plans.Items) != 1 || plans.Items[0].Definition != "souscription" || plans.Items[0].Sujet != c.ID {
		return fmt.Errorf("plans under way: %+v", plans.Items)
	}
	order, err := r.Intervention(ctx, c.Abonne.ID)
	if err != nil {
		return err
	}
	if order.Nature != "OUVERTURE" || order.ContratID != c.ID || order.Plan != plans.Items[0].ID {
		r.Errorf("the order is %+v", order)
	}
	if err := r.Ouvrir(ctx, order.ID, r.Today, 12); err != nil {
		return err
	}
	if r.Souscrit, err = client.Get[message.Contrat](ctx, r.As("conseiller"), "/v1/contrats/"+c.ID); err != nil {
		return err
	}
	if c := r.Souscrit; c.Etat != "ACTIF" || len(c.Poses) != 1 || c.Poses[0].IndexDebut != 12 {
		r.Errorf("after the opening the contract is %+v", c)
	}
	plan, err := client.Get[message.Plan](ctx, r.As("conseiller"), "/v1/plans/"+plans.Items[0].ID)
	if err != nil {
		return err
	}
	if plan.Etat != "TERMINE" {
		r.Errorf("after the opening the plan is %+v", plan)
	}
	mails, err := r.Mails(ctx, c.Abonne.Email)
	if len(mails) != 2 {
		r.Errorf("%d mails to the new abonne, want a welcome and an invitation", len(mails))
	}
	return err
}

// releve is a reading and what is suspect about it.
type releve struct{ pdl, motif string }

// Releves imports the village's contracts and its rounds, and holds every
// reading of the last round against what the village announced.
func (r *Road) Releves(ctx context.Context) error {
	if err := r.Histoire(ctx); err != nil {
		return err
	}
	var want, got []releve
	expected := map[string]int{}
	for f := range r.Village.Foyers() {
		last := f.Releves[len(f.Releves)-1]
		expected[last.Attendu]++
		if last.Attendu == "SUSPECTE" {
			want = append(want, releve{f.PDL.Reference, last.Motif})
		}
	}
	rounds, err := client.Get[message.PageTournees](ctx, r.As("superviseur"), "/v1/tournees")
	if err != nil {
		return err
	}
	if n := len(village.Tournees); len(rounds.Items) != n {
		return fmt.Errorf("%d rounds, want %d", len(rounds.Items), n)
	}
	last := rounds.Items[0]
	if last.Valides != expected["VALIDEE"] || last.Estimees != expected["ESTIMEE"] || last.Suspectes != expected["SUSPECTE"] {
		r.Errorf("last round %d/%d/%d valid/estimated/suspect, want %v", last.Valides, last.Estimees, last.Suspectes, expected)
	}
	queue, err := client.Get[message.PageSuspects](ctx, r.As("superviseur"), "/v1/releves/suspects")
	if err != nil {
		return err
	}
	var leak string
	for _, s := range queue.Items {
		got = append(got, releve{s.PDL, s.Motifs[0].Code})
		if s.PDL == "PDL-00007" {
			leak = s.ID
		}
	}
	slices.SortFunc(got, func(a, b releve) int { return strings.Compare(a.pdl, b.pdl) })
	if !slices.Equal(got, want) {
		r.Errorf("suspect readings %v, want %v", got, want)
	}
	// The leak is real: the superviseur went to see.
	confirmed, err := client.Post[message.Releve](ctx, r.As("superviseur"), "/v1/releves/"+leak+"/decision", map[string]string{"decision": "CONFIRMER"})
	if err != nil {
		return err
	}
	if confirmed.Etat != "CONFIRMEE" {
		r.Errorf("the confirmed reading is %s", confirmed.Etat)
	}
	return r.Settled(ctx)
}

// attendent are the PDLs that still wait for a decision, and get no bill.
var attendent = []string{"PDL-00011", "PDL-00017"}

// Facturation bills the period, and holds bills, documents and mails together.
func (r *Road) Facturation(ctx context.Context) (err error) {
	lot, err := r.PreparerLot(ctx)
	if err != nil {
		return err
	}
	// Whoever waits for a decision cannot be billed, and is named.
	if n := r.Village.N; lot.Contrats != n || lot.EnErreur != len(attendent) || lot.Calculees != n-len(attendent) || len(lot.Erreurs) != len(attendent) {
		return fmt.Errorf("the lot holds %+v", lot)
	}
	if r.Lot, err = r.EmettreLot(ctx, lot.ID); err != nil {
		return err
	}
	if err := r.Settled(ctx); err != nil {
		return err
	}
	v, err := client.Get[message.Verification](ctx, r.As("comptable"), "/v1/verification")
	if err != nil {
		return err
	}
	if !v.Valide || len(v.Series) == 0 || v.Series[len(v.Series)-1].ASceller != 0 {
		r.Errorf("the chain of bills says %+v", v)
	}
	bills, err := r.Factures(ctx, r.Lot.ID)
	if err != nil {
		return err
	}
	slices.SortFunc(bills, func(a, b message.Facture) int { return strings.Compare(a.Numero, b.Numero) })
	var ttc int64
	for i, f := range bills {
		if want := fmt.Sprintf("F2026-%06d", i+1); f.Numero != want || f.Etat != "EMISE" {
			r.Errorf("bill %d is %s, %s", i, f.Numero, f.Etat)
		}
		ttc += f.TTCCentimes
	}
	if len(bills) != r.Lot.Calculees || len(bills) == 0 || ttc != r.Lot.TTCCentimes {
		return fmt.Errorf("%d bills of %d centimes, the lot says %d of %d", len(bills), ttc, r.Lot.Calculees, r.Lot.TTCCentimes)
	}
	if err := r.document(ctx, r.As("comptable"), bills[0]); err != nil {
		return err
	}
	return r.envois(ctx)
}

// envois holds the mails with a bill against the households.
func (r *Road) envois(ctx context.Context) error {
	mails, err := r.Mails(ctx, "")
	if err != nil {
		return err
	}
	sent := map[string]int{}
	for _, m := range mails {
		if Document(m) != "" {
			sent[m.To[0]]++
		}
	}
	withMail := 0
	for f := range r.Village.Foyers() {
		want := 0
		if f.Abonne.Email != "" && !slices.Contains(attendent, f.PDL.Reference) {
			want, withMail = 1, withMail+1
		}
		if got := sent[f.Abonne.Email]; f.Abonne.Email != "" && got != want {
			r.Errorf("%s: %d mails with a bill to %s, want %d", f.PDL.Reference, got, f.Abonne.Email, want)
		}
	}
	if len(sent) != withMail {
		r.Errorf("bills went to %d addresses, %d have one", len(sent), withMail)
	}
	return nil
}

// Document is the name of the PDF that a mail carries, or "".
func Document(m inbox.Mail) string {
	for _, a := range m.Attachments {
		if a.Mime == "application/pdf" {
			return a.Name
		}
	}
	return ""
}

// document reads the PDF of a bill as a person would.
func (r *Road) document(ctx context.Context, who *client.Client, f message.Facture) error {
	pdf, err := who.Do(ctx, "GET", "/v1/factures/"+f.ID+"/pdf", nil, "")
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "pdftotext", "-layout", "-", "-")
	cmd.Stdin = bytes.NewReader(pdf)
	text, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("pdftotext of %d bytes: %w", len(pdf), err)
	}
	amount := fmt.Sprintf("%d,%02d", f.TTCCentimes/100, f.TTCCentimes%100)
	for _, want := range []string{f.Numero, amount, f.PDL} {
		// Thousands are set apart by some space or other.
		if !strings.Contains(spaces.ReplaceAllString(string(text), ""), spaces.ReplaceAllString(want, "")) {
			r.Errorf("the PDF of %s does not show %q:\n%s", f.Numero, want, text)
		}
	}
	return nil
}

var spaces = regexp.MustCompile(`[\s\x{a0}\x{202f}]+`)

// Paiements pays seven of ten bills and reads the books.
func (r *Road) Paiements(ctx context.Context) error {
	if err := r.Payer(ctx, r.Lot.ID); err != nil {
		return err
	}
	bills, err := r.Factures(ctx, r.Lot.ID)
	if err != nil {
		return err
	}
	var owed, paid int64
	for i, f := range bills {
		owed += f.ResteCentimes
		paid += f.TTCCentimes - f.ResteCentimes
		if want := i%10 < 7; (f.Etat == "PAYEE") != want {
			r.Errorf("%s is %s with %d centimes left", f.Numero, f.Etat, f.ResteCentimes)
		}
	}
	b, err := client.Get[message.BalanceComptes](ctx, r.As("comptable"), "/v1/balance")
	if err != nil {
		return err
	}
	if b.DebitCentimes != b.CreditCentimes || b.DebitCentimes != r.Lot.TTCCentimes+paid {
		r.Errorf("debits %d, credits %d, want both %d", b.DebitCentimes, b.CreditCentimes, r.Lot.TTCCentimes+paid)
	}
	for _, c := range b.Comptes {
		if c.Compte == "411" && c.DebitCentimes-c.CreditCentimes != owed {
			r.Errorf("account 411 says %d, bills say %d are owed", c.DebitCentimes-c.CreditCentimes, owed)
		}
	}
	return nil
}

// Portails lets two subscribers in: the invited one by the link of the mail,
// the other with bills to look at. Neither sees the other's file.
func (r *Road) Portails(ctx context.Context) error {
	alice, err := r.invited(ctx)
	if err != nil {
		return err
	}
	fiche, err := client.Get[message.Fiche](ctx, alice, "/v1/abonnes/"+r.Souscrit.Abonne.ID)
	if err != nil {
		return err
	}
	if len(fiche.Contrats) != 1 || fiche.Contrats[0].ID != r.Souscrit.ID {
		r.Errorf("Alice sees %+v", fiche.Contrats)
	}

	user, err := r.Portail(ctx, "PDL-00002")
	if err != nil {
		return err
	}
	other, err := r.Nobody.Login(ctx, demo.Email("abonne"), demo.Password)
	if err != nil {
		return err
	}
	bills, err := client.Get[message.PageFactures](ctx, other, "/v1/abonnes/"+user.AbonneID+"/factures")
	if err != nil {
		return err
	}
	if len(bills.Items) != 1 {
		return fmt.Errorf("%d bills in the portal of PDL-00002", len(bills.Items))
	}
	if err := r.document(ctx, other, bills.Items[0]); err != nil {
		return err
	}
	readings, err := client.Get[message.PageReleves](ctx, other, "/v1/abonnes/"+user.AbonneID+"/releves")
	if err != nil {
		return err
	}
	if len(readings.Items) < len(village.Tournees) {
		r.Errorf("%d readings in the portal", len(readings.Items))
	}
	for _, path := range []string{
		"/v1/abonnes/" + user.AbonneID, "/v1/abonnes/" + user.AbonneID + "/factures", "/v1/abonnes/" + user.AbonneID + "/releves",
		"/v1/abonnes/" + user.AbonneID + "/compte", "/v1/factures/" + bills.Items[0].ID, "/v1/factures/" + bills.Items[0].ID + "/pdf",
	} {
		if _, err := alice.Do(ctx, "GET", path, nil, ""); status(err) != 404 {
			r.Errorf("Alice asks for %s of another: %v", path, err)
		}
	}
	if _, err := alice.Do(ctx, "GET", "/v1/abonnes", nil, ""); status(err) != 403 {
		r.Errorf("Alice lists all abonnes: %v", err)
	}
	return nil
}

// invited accepts the invitation in the mail to the new subscriber, which works once.
func (r *Road) invited(ctx context.Context) (*client.Client, error) {
	mails, err := r.Mails(ctx, r.Souscrit.Abonne.Email)
	if err != nil {
		return nil, err
	}
	var token string
	for _, m := range mails {
		if link := invitation.FindStringSubmatch(m.Text); link != nil {
			token = link[1]
		}
	}
	if token == "" {
		return nil, fmt.Errorf("no invitation in the mails to %s", r.Souscrit.Abonne.Email)
	}
	const password = "une-source-fraiche"
	accept := message.AccepterInvitation{Jeton: token, MotDePasse: password}
	if _, err := client.Post[client.Session](ctx, r.Nobody, "/v1/invitations/acceptation", accept); err != nil {
		return nil, err
	}
	if _, err := client.Post[client.Session](ctx, r.Nobody, "/v1/invitations/acceptation", accept); status(err) != 422 {
		r.Errorf("the invitation works twice: %v", err)
	}
	return r.Nobody.Login(ctx, r.Souscrit.Abonne.Email, password)
}

var invitation = regexp.MustCompile(`https?://\S+/invitation#([A-Za-z0-9_-]+)`)
