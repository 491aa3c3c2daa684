package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"aquaerp.fr/scripts/client"
	"aquaerp.fr/scripts/commune/village"
	"aquaerp.fr/scripts/demo"
	"aquaerp.fr/shared/message"
)

// TestRoad walks the six steps of the road on a village of 120, then lets the
// web application walk it in a browser.
func TestRoad(t *testing.T) {
	p := start(t, 120, 0)
	var souscrit message.Contrat
	var lot message.Lot
	// Every step stands on the one before.
	for _, step := range []struct {
		name string
		walk func(*testing.T)
	}{
		{"login", func(t *testing.T) { p.login(t) }},
		{"souscription", func(t *testing.T) { souscrit = p.souscription(t) }},
		{"releves", func(t *testing.T) { p.releves(t) }},
		{"lot", func(t *testing.T) { lot = p.lot(t) }},
		{"paiements", func(t *testing.T) { p.paiements(t, lot) }},
		{"portail", func(t *testing.T) { p.portail(t, souscrit) }},
		{"navigateur", func(t *testing.T) { p.navigateur(t) }},
	} {
		if !t.Run(step.name, step.walk) {
			t.FailNow()
		}
	}
}

func (p product) login(t *testing.T) {
	me := must(client.Get[message.Utilisateur](t.Context(), p.As("conseiller"), "/v1/moi"))(t)
	if me.Role != "conseiller" || !strings.Contains(me.Droits["contrats"], "c") {
		t.Errorf("the conseiller is %+v", me)
	}
	_, err := client.New(p.API, 0).Login(t.Context(), demo.Email("conseiller"), "not the password")
	if refused := problem(t, err); refused.Status != 401 {
		t.Errorf("a wrong password: %+v", refused)
	}
}

// souscription opens a contract, has the technician open the water, and finds
// the welcome and the invitation in the mailbox.
func (p product) souscription(t *testing.T) message.Contrat {
	ctx := t.Context()
	c := must(p.Souscrire(ctx, demo.Nouvelle(today)))(t)
	if c.Etat != "SIGNE" {
		t.Errorf("the signed contract is %s", c.Etat)
	}
	plans := must(client.Get[message.PagePlans](ctx, p.As("conseiller"), "/v1/plans?etat=EN_COURS"))(t)
	if len(plans.Items) != 1 || plans.Items[0].Definition != "souscription" || plans.Items[0].Sujet != c.ID {
		t.Fatalf("plans under way: %+v", plans.Items)
	}
	order := must(p.Intervention(ctx, c.Abonne.ID))(t)
	if order.Nature != "OUVERTURE" || order.ContratID != c.ID || order.Plan != plans.Items[0].ID {
		t.Errorf("the order is %+v", order)
	}
	if err := p.Ouvrir(ctx, order.ID, today, 12); err != nil {
		t.Fatal(err)
	}
	c = must(client.Get[message.Contrat](ctx, p.As("conseiller"), "/v1/contrats/"+c.ID))(t)
	if c.Etat != "ACTIF" || len(c.Poses) != 1 || c.Poses[0].IndexDebut != 12 {
		t.Errorf("after the opening the contract is %+v", c)
	}
	plan := must(client.Get[message.Plan](ctx, p.As("conseiller"), "/v1/plans/"+plans.Items[0].ID))(t)
	if plan.Etat != "TERMINE" {
		t.Errorf("after the opening the plan is %+v", plan)
	}
	to := p.mails(t, c.Abonne.Email)
	if len(to) != 2 {
		t.Errorf("%d mails to the new abonne, want a welcome and an invitation", len(to))
	}
	return c
}

// releves imports the village's contracts and its rounds, and holds every
// reading of the last round against what the village announced.
func (p product) releves(t *testing.T) {
	ctx := t.Context()
	if err := p.Histoire(ctx); err != nil {
		t.Fatal(err)
	}
	type releve struct{ pdl, motif string }
	var want, got []releve
	expected := map[string]int{}
	for f := range p.Village.Foyers() {
		last := f.Releves[len(f.Releves)-1]
		expected[last.Attendu]++
		if last.Attendu == "SUSPECTE" {
			want = append(want, releve{f.PDL.Reference, last.Motif})
		}
	}
	rounds := must(client.Get[message.PageTournees](ctx, p.As("superviseur"), "/v1/tournees"))(t)
	if n := len(village.Tournees); len(rounds.Items) != n {
		t.Fatalf("%d rounds, want %d", len(rounds.Items), n)
	}
	last := rounds.Items[0]
	if last.Valides != expected["VALIDEE"] || last.Estimees != expected["ESTIMEE"] || last.Suspectes != expected["SUSPECTE"] {
		t.Errorf("last round %d/%d/%d valid/estimated/suspect, want %v", last.Valides, last.Estimees, last.Suspectes, expected)
	}
	queue := must(client.Get[message.PageSuspects](ctx, p.As("superviseur"), "/v1/releves/suspects"))(t)
	var leak string
	for _, r := range queue.Items {
		got = append(got, releve{r.PDL, r.Motifs[0].Code})
		if r.PDL == "PDL-00007" {
			leak = r.ID
		}
	}
	byPDL := func(a, b releve) int { return strings.Compare(a.pdl, b.pdl) }
	slices.SortFunc(got, byPDL)
	if !slices.Equal(got, want) {
		t.Errorf("suspect readings %v, want %v", got, want)
	}
	// The leak is real: the superviseur went to see.
	confirmed := must(client.Post[message.Releve](ctx, p.As("superviseur"), "/v1/releves/"+leak+"/decision", map[string]string{"decision": "CONFIRMER"}))(t)
	if confirmed.Etat != "CONFIRMEE" {
		t.Errorf("the confirmed reading is %s", confirmed.Etat)
	}
	if err := p.Settle(ctx); err != nil {
		t.Fatal(err)
	}
}

// lot bills the period, and holds bills, documents and mails together.
func (p product) lot(t *testing.T) message.Lot {
	ctx := t.Context()
	lot := must(p.PreparerLot(ctx))(t)
	// Whoever waits for a decision cannot be billed, and is named.
	if lot.Contrats != 120 || lot.EnErreur != 2 || lot.Calculees != 118 || len(lot.Erreurs) != 2 {
		t.Fatalf("the lot holds %+v", lot)
	}
	lot = must(p.EmettreLot(ctx, lot.ID))(t)
	if err := p.Settle(ctx); err != nil {
		t.Fatal(err)
	}
	bills := must(p.Factures(ctx, lot.ID))(t)
	slices.SortFunc(bills, func(a, b message.Facture) int { return strings.Compare(a.Numero, b.Numero) })
	var ttc int64
	for i, f := range bills {
		if want := fmt.Sprintf("F2026-%06d", i+1); f.Numero != want || f.Etat != "EMISE" {
			t.Errorf("bill %d is %s, %s", i, f.Numero, f.Etat)
		}
		ttc += f.TTCCentimes
	}
	if len(bills) != lot.Calculees || ttc != lot.TTCCentimes {
		t.Errorf("%d bills of %d centimes, the lot says %d of %d", len(bills), ttc, lot.Calculees, lot.TTCCentimes)
	}
	p.document(t, p.As("comptable"), bills[0])

	sent := map[string]int{}
	for _, m := range p.mails(t, "") {
		if document(m) != "" {
			sent[m.To[0]]++
		}
	}
	withMail := 0
	for f := range p.Village.Foyers() {
		billed := f.PDL.Reference != "PDL-00011" && f.PDL.Reference != "PDL-00017" // they wait for a decision
		want := 0
		if f.Abonne.Email != "" && billed {
			want, withMail = 1, withMail+1
		}
		if got := sent[f.Abonne.Email]; f.Abonne.Email != "" && got != want {
			t.Errorf("%s: %d mails with a bill to %s, want %d", f.PDL.Reference, got, f.Abonne.Email, want)
		}
	}
	if len(sent) != withMail {
		t.Errorf("bills went to %d addresses, %d have one", len(sent), withMail)
	}
	return lot
}

// document reads the PDF of a bill as a person would.
func (p product) document(t *testing.T, who *client.Client, f message.Facture) {
	t.Helper()
	pdf := must(who.Do(t.Context(), "GET", "/v1/factures/"+f.ID+"/pdf", nil, ""))(t)
	cmd := exec.CommandContext(t.Context(), "pdftotext", "-layout", "-", "-")
	cmd.Stdin = bytes.NewReader(pdf)
	text, err := cmd.Output()
	if err != nil {
		t.Fatalf("pdftotext of %d bytes: %v", len(pdf), err)
	}
	amount := fmt.Sprintf("%d,%02d", f.TTCCentimes/100, f.TTCCentimes%100)
	for _, want := range []string{f.Numero, amount, f.PDL} {
		// Thousands are set apart by some space or other.
		if !strings.Contains(spaces.ReplaceAllString(string(text), ""), spaces.ReplaceAllString(want, "")) {
			t.Errorf("the PDF of %s does not show %q:\n%s", f.Numero, want, text)
		}
	}
}

var spaces = regexp.MustCompile(`[\s\x{a0}\x{202f}]+`)

// paiements pays seven of ten bills and reads the books.
func (p product) paiements(t *testing.T, lot message.Lot) {
	ctx := t.Context()
	if err := p.Payer(ctx, lot.ID); err != nil {
		t.Fatal(err)
	}
	var owed, paid int64
	for i, f := range must(p.Factures(ctx, lot.ID))(t) {
		owed += f.ResteCentimes
		paid += f.TTCCentimes - f.ResteCentimes
		if want := i%10 < 7; (f.Etat == "PAYEE") != want {
			t.Errorf("%s is %s with %d centimes left", f.Numero, f.Etat, f.ResteCentimes)
		}
	}
	b := must(client.Get[message.BalanceComptes](ctx, p.As("comptable"), "/v1/balance"))(t)
	if b.DebitCentimes != b.CreditCentimes || b.DebitCentimes != lot.TTCCentimes+paid {
		t.Errorf("debits %d, credits %d, want both %d", b.DebitCentimes, b.CreditCentimes, lot.TTCCentimes+paid)
	}
	for _, c := range b.Comptes {
		if c.Compte == "411" && c.DebitCentimes-c.CreditCentimes != owed {
			t.Errorf("account 411 says %d, bills say %d are owed", c.DebitCentimes-c.CreditCentimes, owed)
		}
	}
}

// portail lets two subscribers in: the invited one by the link of the mail,
// the other with bills to look at. Neither sees the other's file.
func (p product) portail(t *testing.T, souscrit message.Contrat) {
	ctx := t.Context()
	var token string
	for _, m := range p.mails(t, souscrit.Abonne.Email) {
		if link := invitation.FindStringSubmatch(m.Text); link != nil {
			token = link[1]
		}
	}
	if token == "" {
		t.Fatalf("no invitation in the mails to %s", souscrit.Abonne.Email)
	}
	const password = "une-source-fraiche"
	nobody := client.New(p.API, time.Minute)
	accept := message.AccepterInvitation{Jeton: token, MotDePasse: password}
	must(client.Post[client.Session](ctx, nobody, "/v1/invitations/acceptation", accept))(t)
	if _, err := client.Post[client.Session](ctx, nobody, "/v1/invitations/acceptation", accept); problem(t, err).Status != 422 {
		t.Errorf("the invitation works twice: %v", err)
	}
	alice := must(nobody.Login(ctx, souscrit.Abonne.Email, password))(t)
	fiche := must(client.Get[message.Fiche](ctx, alice, "/v1/abonnes/"+souscrit.Abonne.ID))(t)
	if len(fiche.Contrats) != 1 || fiche.Contrats[0].ID != souscrit.ID {
		t.Errorf("Alice sees %+v", fiche.Contrats)
	}

	user := must(p.Portail(ctx, "PDL-00002"))(t)
	other := must(nobody.Login(ctx, demo.Email("abonne"), demo.Password))(t)
	bills := must(client.Get[message.PageFactures](ctx, other, "/v1/abonnes/"+user.AbonneID+"/factures"))(t)
	if len(bills.Items) != 1 {
		t.Fatalf("%d bills in the portal of PDL-00002", len(bills.Items))
	}
	p.document(t, other, bills.Items[0])
	readings := must(client.Get[message.PageReleves](ctx, other, "/v1/abonnes/"+user.AbonneID+"/releves"))(t)
	if len(readings.Items) < len(village.Tournees) {
		t.Errorf("%d readings in the portal", len(readings.Items))
	}
	for _, path := range []string{
		"/v1/abonnes/" + user.AbonneID, "/v1/abonnes/" + user.AbonneID + "/factures", "/v1/abonnes/" + user.AbonneID + "/releves",
		"/v1/abonnes/" + user.AbonneID + "/compte", "/v1/factures/" + bills.Items[0].ID, "/v1/factures/" + bills.Items[0].ID + "/pdf",
	} {
		_, err := alice.Do(ctx, "GET", path, nil, "")
		if refused := problem(t, err); refused.Status != 404 {
			t.Errorf("Alice asks for %s of another: %+v", path, refused)
		}
	}
	_, err := alice.Do(ctx, "GET", "/v1/abonnes", nil, "")
	if refused := problem(t, err); refused.Status != 403 {
		t.Errorf("Alice lists all abonnes: %+v", refused)
	}
}

var invitation = regexp.MustCompile(`http://\S+/invitation#([A-Za-z0-9_-]+)`)

// navigateur has the web application's own tests walk the product.
func (p product) navigateur(t *testing.T) {
	users := map[string]map[string]string{}
	for _, role := range append(slices.Clone(demo.Roles), "abonne") {
		users[role] = map[string]string{"identifiant": demo.Email(role), "mot_de_passe": demo.Password}
	}
	logins := must(json.Marshal(users))(t)
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npm", "run", "e2e")
	cmd.Dir = filepath.Join(root, "functions", "frontend", "web")
	cmd.Env = append(os.Environ(), "BASE_URL="+p.Web, "USERS="+string(logins))
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}
