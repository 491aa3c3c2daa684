package main

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"aquaerp.fr/functions/facture/sepa"
	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

// Accounts published as examples by SWIFT and by the Deutsche Bundesbank.
const (
	compteService = "FR1420041010050500013M02606"
	compteAbonne  = "DE89370400440532013000"
	autreCompte   = "BE68539007547034"
	ics           = "DE98ZZZ09999999999"
)

// prelevables is a village that pays by debit: each contract has a bill that
// is due in ten days, and the first mandates of them are signed.
func prelevables(t *testing.T, contrats, mandats int) (*bundle, []message.Facture, []message.Mandat) {
	t.Helper()
	b := setup(t, contrats)
	for _, c := range b.contrats {
		c.Version, c.ModePaiement = c.Version+1, "PRELEVEMENT"
		b.deliver(t, "contrat", c.ContratID, c)
	}
	staff := functiontest.Staff()
	functiontest.MustAsk(t, b.Function, staff, message.DefinirCreancier{Entite: "principale", Nom: "Régie des eaux", ICS: ics, IBAN: compteService, BIC: "PSSTFRPP", Format: "pain.008.001.02"})
	bills := b.bills(t, b.issue(t, lotOf(avril, octobre, aujourdhui().AddDays(-20))).ID)
	var signed []message.Mandat
	for _, f := range bills[:mandats] {
		signed = append(signed, functiontest.MustAsk(t, b.Function, staff, message.SignerMandat{AbonneID: f.AbonneID, Titulaire: f.Nom, IBAN: compteAbonne, SigneLe: aujourdhui()}))
	}
	return b, bills, signed
}

func aujourdhui() message.Date { return message.DateOf(time.Now()) }

func (b *bundle) remettre(t *testing.T) message.Remise {
	t.Helper()
	staff := functiontest.Staff()
	r := functiontest.MustAsk(t, b.Function, staff, message.PreparerRemise{Jusqua: aujourdhui().AddDays(40)})
	return functiontest.MustAsk(t, b.Function, staff, message.ValiderRemise{RemiseID: r.ID})
}

func (b *bundle) debits(t *testing.T, remiseID string) []message.Prelevement {
	t.Helper()
	return functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.Prelevements{RemiseID: remiseID, Page: message.Page{Limite: 200}}).Items
}

func TestMandat(t *testing.T) {
	t.Parallel()
	b, bills, signed := prelevables(t, 2, 1)
	staff, m := functiontest.Staff(), signed[0]
	if m.Etat != "ACTIF" || m.IBANMasque != "DE…3000" || m.ICS != ics || !strings.HasPrefix(m.RUM, "EAU-") || len(m.Evenements) != 1 || m.CaducLe != moisApres(aujourdhui(), 36) {
		t.Errorf("got %+v", m)
	}
	ok := message.SignerMandat{AbonneID: bills[1].AbonneID, Titulaire: "Anne", IBAN: compteAbonne, SigneLe: aujourdhui()}
	for code, spoil := range map[string]func(*message.SignerMandat){
		"iban_invalide":    func(c *message.SignerMandat) { c.IBAN = "DE89370400440532013001" },
		"iban_longueur":    func(c *message.SignerMandat) { c.IBAN = "DE8937040044053201300" },
		"iban_hors_sepa":   func(c *message.SignerMandat) { c.IBAN = "US64SVBKUS6S3300958679" },
		"bic_invalide":     func(c *message.SignerMandat) { c.BIC = "XX" },
		"rum_invalide":     func(c *message.SignerMandat) { c.RUM = "É 1" },
		"rum_deja_prise":   func(c *message.SignerMandat) { c.RUM = m.RUM },
		"date_future":      func(c *message.SignerMandat) { c.SigneLe = aujourdhui().AddDays(1) },
		"mandat_caduc":     func(c *message.SignerMandat) { c.SigneLe = moisApres(aujourdhui(), -37) },
		"mandat_vivant":    func(c *message.SignerMandat) { c.AbonneID = bills[0].AbonneID },
		"abonne_inconnu":   func(c *message.SignerMandat) { c.AbonneID = function.NewID() },
		"creancier_absent": func(c *message.SignerMandat) { c.Entite = "autre" },
	} {
		c := ok
		spoil(&c)
		if _, err := functiontest.Ask(t, b.Function, staff, c); functiontest.Code(err) != code {
			t.Errorf("%v, want %s", err, code)
		}
	}
	m = functiontest.MustAsk(t, b.Function, staff, message.ModifierMandat{MandatID: m.ID, IBAN: autreCompte})
	if m.IBANMasque != "BE…7034" {
		t.Errorf("got %+v", m)
	}
	m = functiontest.MustAsk(t, b.Function, staff, message.RevoquerMandat{MandatID: m.ID, Motif: "demande de l'abonné"})
	if _, err := functiontest.Ask(t, b.Function, staff, message.RevoquerMandat{MandatID: m.ID, Motif: "encore"}); m.Etat != "REVOQUE" || functiontest.Code(err) != "mandat_termine" {
		t.Errorf("got %+v, %v", m, err)
	}
	if n := len(functiontest.Emitted[message.MandatSigne](t, b.Function)); n != 2 {
		t.Errorf("told of %d signatures", n)
	}
	if told := functiontest.Emitted[message.MandatRevoque](t, b.Function); len(told) != 1 || told[0].RUM != m.RUM {
		t.Errorf("told %+v", told)
	}
	// An abonne sees their own, masked, and not who read it.
	own := functiontest.MustAsk(t, b.Function, functiontest.Subscriber(bills[0].AbonneID), message.Mandats{AbonneID: bills[0].AbonneID})
	if len(own.Items) != 1 || len(own.Items[0].Evenements) != 0 {
		t.Errorf("got %+v", own)
	}
	if _, err := functiontest.Ask(t, b.Function, functiontest.Subscriber(bills[0].AbonneID), message.Mandats{AbonneID: bills[1].AbonneID}); functiontest.Code(err) != "abonne_inconnu" {
		t.Errorf("another's: %v", err)
	}
}

// TestIBANStaysInside looks for account numbers in every table: they are in
// the mandate, the creditor and the bank's file, and whoever read one is written down.
func TestIBANStaysInside(t *testing.T) {
	t.Parallel()
	b, _, signed := prelevables(t, 1, 1)
	staff := functiontest.Staff()
	r := b.remettre(t)
	b.debits(t, r.ID)
	clear := functiontest.MustAsk(t, b.Function, staff, message.LireIBAN{MandatID: signed[0].ID, Motif: "appel de l'abonné"})
	functiontest.MustAsk(t, b.Function, staff, message.LireFichierRemise{RemiseID: r.ID})
	b.importer(t, avis("A1", operationXML{credit: true, centimes: 100, libelle: "x"}))
	if clear.IBAN != compteAbonne {
		t.Errorf("got %+v", clear)
	}
	if n := b.Count(t, "select count(*) from mandat_evenement where (action, detail, par) = ('IBAN_LU', 'appel de l''abonné', $1) or action = 'FICHIER_LU' and remise_id = $2", staff.ID, r.ID); n != 2 {
		t.Errorf("%d readings are written down", n)
	}
	if told := functiontest.Emitted[message.IBANLu](t, b.Function); len(told) != 2 {
		t.Errorf("told of %d readings", len(told))
	}
	rows, err := b.DB.Query(t.Context(), `select schemaname || '.' || tablename from pg_tables where schemaname in ('facture', 'eventing')`)
	if err != nil {
		t.Fatal(err)
	}
	var tables []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		tables = append(tables, name)
	}
	if len(tables) < 20 {
		t.Fatalf("looked at %v", tables)
	}
	for _, name := range tables {
		found := b.Count(t, "select count(*) from "+name+" x where x::text like any (array['%"+compteAbonne+"%', '%"+compteService+"%'])")
		if holds := name == "facture.mandat" || name == "facture.creancier"; (found > 0) != holds {
			t.Errorf("%s: %d rows show an account", name, found)
		}
	}
	for _, right := range []string{"l", "lcmv"} {
		some := function.Identity{ID: staff.ID, Droits: map[string]string{"prelevements": right}}
		if _, err := functiontest.Ask(t, b.Function, some, message.LireIBAN{MandatID: signed[0].ID, Motif: "curiosité"}); err == nil {
			t.Errorf("%s may read an account", right)
		}
	}
}

func TestRemiseIsWrittenOnce(t *testing.T) {
	t.Parallel()
	b, bills, signed := prelevables(t, 3, 2)
	staff := functiontest.Staff()
	r := functiontest.MustAsk(t, b.Function, staff, message.PreparerRemise{Jusqua: aujourdhui().AddDays(40)})
	sum := bills[0].ResteCentimes + bills[1].ResteCentimes
	prevue := sepa.Suivant(bills[0].Echeance)
	if r.Etat != "PREPAREE" || r.Nombre != 2 || r.MontantCentimes != sum || r.EnLettres != sepa.EnLettres(sum) || r.Annonces != 0 ||
		len(r.Lots) != 1 || r.Lots[0] != (message.LotRemise{Sequence: "FRST", Date: prevue, Nombre: 2, MontantCentimes: sum}) {
		t.Errorf("got %+v", r)
	}
	if len(r.Ecartes) != 1 || r.Ecartes[0].Code != "mandat_absent" || r.Ecartes[0].Numero != bills[2].Numero || r.EcartesCentimes != bills[2].ResteCentimes {
		t.Errorf("left out %+v", r.Ecartes)
	}
	if _, err := functiontest.Ask(t, b.Function, staff, message.LireFichierRemise{RemiseID: r.ID}); functiontest.Code(err) != "remise_pas_validee" {
		t.Errorf("the file before it is written: %v", err)
	}
	if _, err := functiontest.Ask(t, b.Function, staff, message.PreparerRemise{Jusqua: aujourdhui().AddDays(40)}); functiontest.Code(err) != "remise_en_preparation" {
		t.Errorf("two at once: %v", err)
	}
	// Two people press the button at the same time.
	var wait sync.WaitGroup
	codes := make([]string, 2)
	for i := range codes {
		wait.Go(func() {
			_, err := functiontest.Ask(t, b.Function, staff, message.ValiderRemise{RemiseID: r.ID})
			codes[i] = functiontest.Code(err)
		})
	}
	wait.Wait()
	if got := codes[0] + codes[1]; got != "remise_deja_validee" {
		t.Errorf("validated with %q", codes)
	}
	first := functiontest.MustAsk(t, b.Function, staff, message.LireFichierRemise{RemiseID: r.ID})
	second := functiontest.MustAsk(t, b.Function, staff, message.LireFichierRemise{RemiseID: r.ID})
	if !bytes.Equal(first.Contenu, second.Contenu) || first.Nom != r.Reference+".xml" {
		t.Errorf("%s differs from %s", first.Nom, second.Nom)
	}
	for _, m := range signed {
		if !bytes.Contains(first.Contenu, []byte("<MndtId>"+m.RUM+"<")) {
			t.Errorf("%s is not in the file", m.RUM)
		}
	}
	if want := fmt.Sprintf("<CtrlSum>%d.%02d</CtrlSum>", sum/100, sum%100); bytes.Count(first.Contenu, []byte(want)) != 2 {
		t.Errorf("%s is not in the file:\n%s", want, first.Contenu)
	}
	// Nothing is left to debit, and the database itself refuses a second debit and another file.
	again, err := functiontest.Ask(t, b.Function, staff, message.PreparerRemise{Jusqua: aujourdhui().AddDays(60)})
	if err != nil || again.Nombre != 0 || len(again.Ecartes) != 1 {
		t.Errorf("again: %+v, %v", again, err)
	}
	if _, err := functiontest.Ask(t, b.Function, staff, message.ValiderRemise{RemiseID: again.ID}); functiontest.Code(err) != "rien_a_prelever" {
		t.Errorf("a file of nothing: %v", err)
	}
	functiontest.MustAsk(t, b.Function, staff, message.AbandonnerRemise{RemiseID: again.ID})
	for _, sql := range []string{
		"insert into remise_ligne select gen_random_uuid(), remise_id, prelevement_id, mandat_id, bout || 'x', abonne_id, nom, email, facture_id, numero, sequence, date, montant_centimes, annonce, 'PREPARE' from remise_ligne",
		"update remise set fichier = 'x' where etat = 'VALIDEE'", "delete from remise where etat = 'VALIDEE'",
	} {
		if _, err := b.DB.Exec(t.Context(), sql); err == nil {
			t.Errorf("%s passes", sql)
		}
	}
	if told := functiontest.Emitted[message.RemiseValidee](t, b.Function); len(told) != 1 || told[0].MontantCentimes != sum {
		t.Errorf("told %+v", told)
	}
}

func TestAbandonedRemiseLetsGo(t *testing.T) {
	t.Parallel()
	b, _, _ := prelevables(t, 1, 1)
	staff := functiontest.Staff()
	r := functiontest.MustAsk(t, b.Function, staff, message.PreparerRemise{Jusqua: aujourdhui().AddDays(40)})
	functiontest.MustAsk(t, b.Function, staff, message.AbandonnerRemise{RemiseID: r.ID})
	if _, err := functiontest.Ask(t, b.Function, staff, message.ValiderRemise{RemiseID: r.ID}); functiontest.Code(err) != "remise_pas_validee" {
		t.Errorf("validated: %v", err)
	}
	if again := b.remettre(t); again.Nombre != 1 || b.debits(t, again.ID)[0].Reference == b.debits(t, r.ID)[0].Reference {
		t.Errorf("got %+v", again)
	}
}

// TestWhatChangedIsNotDebited: between the choice and the file a bill is paid, or a mandate ends.
func TestWhatChangedIsNotDebited(t *testing.T) {
	t.Parallel()
	b, bills, signed := prelevables(t, 2, 2)
	staff := functiontest.Staff()
	r := functiontest.MustAsk(t, b.Function, staff, message.PreparerRemise{Jusqua: aujourdhui().AddDays(40)})
	functiontest.MustAsk(t, b.Function, staff, message.EnregistrerPaiement{Mode: "CHEQUE", MontantCentimes: 100, RecuLe: aujourdhui(), Reference: bills[0].Numero})
	functiontest.MustAsk(t, b.Function, staff, message.RevoquerMandat{MandatID: signed[1].ID, Motif: "demande"})
	_, err := functiontest.Ask(t, b.Function, staff, message.ValiderRemise{RemiseID: r.ID})
	if functiontest.Code(err) != "remise_changee" || !strings.HasPrefix(err.Error(), "") || !strings.Contains(fmt.Sprint(err.(*message.Problem).Detail), "2 prélèvement") {
		t.Errorf("got %v", err)
	}
	if n := b.Count(t, "select count(*) from remise where etat = 'VALIDEE'"); n != 0 {
		t.Error("a file was written")
	}
}

// TestDays is the choice of the day and of the notice, as a table.
func TestDays(t *testing.T) {
	t.Parallel()
	day := func(s string) message.Date {
		d, err := message.ParseDate(s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	r := regles{aujourdhui: day("2026-11-23"), jusqua: day("2026-12-31"), preavis: 14, tolerance: 5, essais: 2, delai: 2}
	base := candidat{mandatID: "m", echeance: day("2026-12-05"), annonceLe: day("2026-11-05"), caducLe: day("2029-11-01"), preavis: 14}
	for name, c := range map[string]struct {
		change              func(*candidat, *regles)
		date, sequence, out string
		annonce             bool
	}{
		"the bill announced it; the 5th is a Saturday": {func(*candidat, *regles) {}, "2026-12-07", "FRST", "", false},
		"used before":              {func(c *candidat, _ *regles) { c.utilise = true }, "2026-12-07", "RCUR", "", false},
		"for one debit":            {func(c *candidat, _ *regles) { c.unique = true }, "2026-12-07", "OOFF", "", false},
		"the last bill":            {func(c *candidat, _ *regles) { c.nature, c.utilise = natureSolde, true }, "2026-12-07", "FNAL", "", false},
		"due soon, the bank waits": {func(c *candidat, _ *regles) { c.echeance = day("2026-11-24") }, "2026-11-25", "FRST", "", false},
		"due long ago":             {func(c *candidat, _ *regles) { c.echeance = day("2026-11-01") }, "2026-12-07", "FRST", "", true},
		"never announced":          {func(c *candidat, _ *regles) { c.annonceLe = message.Date{} }, "2026-12-07", "FRST", "", true},
		"announced yesterday":      {func(c *candidat, _ *regles) { c.annonceLe, c.echeance = day("2026-11-22"), day("2026-11-30") }, "2026-12-07", "FRST", "", true},
		"shorter notice agreed": {func(c *candidat, _ *regles) {
			c.annonceLe, c.preavis = message.Date{}, 5
			c.echeance = day("2026-11-24")
		}, "2026-11-30", "FRST", "", true},
		"longer notice agreed":     {func(c *candidat, _ *regles) { c.annonceLe, c.preavis = message.Date{}, 30 }, "2026-12-23", "FRST", "", true},
		"presented again":          {func(c *candidat, _ *regles) { c.rejets, c.action, c.dernierMandat = 1, "REPRESENTER", "m" }, "2026-12-07", "FRST", "", true},
		"rejected twice":           {func(c *candidat, _ *regles) { c.rejets, c.action, c.dernierMandat = 2, "REPRESENTER", "m" }, "", "", "rejet_a_traiter", false},
		"refunded":                 {func(c *candidat, _ *regles) { c.rejets, c.action, c.dernierMandat = 1, "RELANCER", "m" }, "", "", "rejet_a_traiter", false},
		"refunded, a new mandate":  {func(c *candidat, _ *regles) { c.rejets, c.action, c.dernierMandat = 1, "REVOQUER", "old" }, "2026-12-07", "FRST", "", true},
		"no mandate":               {func(c *candidat, _ *regles) { c.mandatID = "" }, "", "", "mandat_absent", false},
		"lapsed":                   {func(c *candidat, _ *regles) { c.caducLe = day("2026-12-06") }, "", "", "mandat_caduc", false},
		"lapses that day":          {func(c *candidat, _ *regles) { c.caducLe = day("2026-12-07") }, "2026-12-07", "FRST", "", false},
		"no time for a notice":     {func(c *candidat, r *regles) { c.annonceLe, r.jusqua = message.Date{}, day("2026-12-06") }, "", "", "prenotification_trop_courte", false},
		"later than asked for":     {func(c *candidat, r *regles) { r.jusqua = day("2026-12-05") }, "", "", "", false},
		"Christmas is no bank day": {func(c *candidat, _ *regles) { c.echeance = day("2026-12-25") }, "2026-12-28", "FRST", "", false},
	} {
		one, rules := base, r
		c.change(&one, &rules)
		l, out := rules.choisir(one)
		if l.date.String() != c.date || l.sequence != c.sequence || out != c.out || l.annonce != c.annonce {
			t.Errorf("%s: %s %s %q %v", name, l.date, l.sequence, out, l.annonce)
		}
	}
}

// TestNoticeIsSent: a bill issued to be paid by transfer announced no debit.
func TestNoticeIsSent(t *testing.T) {
	t.Parallel()
	b, bills := billed(t, 1)
	staff := functiontest.Staff()
	c := b.contrats[0]
	c.Version, c.ModePaiement = c.Version+1, "PRELEVEMENT"
	b.deliver(t, "contrat", c.ContratID, c)
	functiontest.MustAsk(t, b.Function, staff, message.DefinirCreancier{Entite: "principale", Nom: "Régie", ICS: ics, IBAN: compteService, Format: "pain.008.001.08"})
	m := functiontest.MustAsk(t, b.Function, staff, message.SignerMandat{AbonneID: bills[0].AbonneID, Titulaire: "Anne", IBAN: compteAbonne, SigneLe: aujourdhui()})
	soon := functiontest.MustAsk(t, b.Function, staff, message.PreparerRemise{Jusqua: aujourdhui().AddDays(10)})
	if soon.Nombre != 0 || len(soon.Ecartes) != 1 || soon.Ecartes[0].Code != "prenotification_trop_courte" {
		t.Errorf("got %+v", soon)
	}
	functiontest.MustAsk(t, b.Function, staff, message.AbandonnerRemise{RemiseID: soon.ID})
	r := b.remettre(t)
	told := functiontest.Emitted[message.PrelevementsAnnonces](t, b.Function)
	if r.Annonces != 1 || len(told) != 1 || len(told[0].Prelevements) != 1 {
		t.Fatalf("got %+v, told %+v", r, told)
	}
	a := told[0].Prelevements[0]
	if a.Date.DaysSince(aujourdhui()) < 14 || a.MontantCentimes != bills[0].ResteCentimes || a.RUM != m.RUM || a.IBANMasque != "DE…3000" || a.Email != "anne@exemple.fr" || told[0].ICS != ics {
		t.Errorf("told %+v", told[0])
	}
}

// TestHeldBillsAreNotDebited: who contests a bill, or waits for an aid, is left in peace.
func TestHeldBillsAreNotDebited(t *testing.T) {
	t.Parallel()
	b, bills, _ := prelevables(t, 3, 3)
	early := functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.PreparerRemise{Jusqua: aujourdhui().AddDays(40)})
	for i, motif := range []string{"FSL", "CONTESTATION"} {
		var facture any
		if motif == "CONTESTATION" {
			facture = bills[i].ID
		}
		if _, err := b.DB.Exec(t.Context(), `insert into suspension (id, abonne_id, facture_id, motif, detail, du, jusqua, cree_a, cree_par)
			values (gen_random_uuid(), $1, $2, $3, '', current_date - 1, current_date + 30, now(), '')`, bills[i].AbonneID, facture, motif); err != nil {
			t.Fatal(err)
		}
	}
	_, err := functiontest.Ask(t, b.Function, functiontest.Staff(), message.ValiderRemise{RemiseID: early.ID})
	if functiontest.Code(err) != "remise_changee" || !strings.HasPrefix(err.(*message.Problem).Detail, "2 ") {
		t.Errorf("chosen before: %v", err)
	}
	functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.AbandonnerRemise{RemiseID: early.ID})
	r := functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.PreparerRemise{Jusqua: aujourdhui().AddDays(40)})
	if r.Nombre != 1 || b.debits(t, r.ID)[0].FactureID != bills[2].ID {
		t.Errorf("got %+v", r)
	}
}
