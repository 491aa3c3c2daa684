package main

import (
	"strings"
	"testing"
	"time"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

// leak is a contract that used 60 m3 a summer, and 200 m3 this one.
func leak(t *testing.T, habitation bool) (*bundle, message.ContratActive, []message.Fuite) {
	t.Helper()
	b := setup(t, 0)
	c := contract(0)
	c.PDL.Habitation = habitation
	b.deliver(t, "contrat", c.ContratID, c)
	for _, r := range []struct {
		day   message.Date
		index int64
	}{{message.NewDate(2025, time.April, 1), 70}, {message.NewDate(2025, time.October, 1), 130}, {avril, 190}} {
		b.read(t, c, r.day, r.index, false)
	}
	reading := message.RelevesValides{Releves: []message.ReleveValide{{ReleveID: function.NewID(), ContratID: c.ContratID, PoseID: c.Pose.ID, Date: octobre, Index: 390}}}
	for range 2 {
		b.deliver(t, "operation", "", reading)
	}
	return b, c, functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.Fuites{}).Items
}

func certificate(f message.Fuite) message.AttesterFuite {
	return message.AttesterFuite{FuiteID: f.ID, RecueLe: f.InformeLe, ReparationLe: f.InformeLe.AddDays(-1), Lieu: "Jardin, 4 m après le compteur", Plombier: "Plomberie Morel", Cause: "CANALISATION"}
}

func TestLeakIsFoundWithTheReading(t *testing.T) {
	t.Parallel()
	b, c, found := leak(t, true)
	if len(found) != 1 {
		t.Fatalf("found %+v", found)
	}
	f := found[0]
	if f.VolumeLitres != 200_000 || f.MoyenneLitres != 60_000 || f.PlafondLitres != 120_000 || f.Reference != "ABONNE" || f.Du != avril || f.Au != octobre ||
		f.Etat != "OUVERTE" || f.Jusqua != f.InformeLe.AddMonths(1) {
		t.Errorf("got %+v", f)
	}
	told := functiontest.Emitted[message.FuiteDetectee](t, b.Function)
	if len(told) != 1 || told[0].FuiteID != f.ID || told[0].Email != c.Abonne.Email || told[0].PlafondLitres != 120_000 || told[0].Jusqua != f.Jusqua {
		t.Errorf("told %+v", told)
	}
	if _, _, none := leak(t, false); len(none) != 0 {
		t.Errorf("no dwelling, yet %+v", none)
	}
}

// A certificate caps the bill to the same centime, whether it comes before the lot or after.
func TestCertificateCapsTheBill(t *testing.T) {
	t.Parallel()
	staff := functiontest.Staff()
	late, c, found := leak(t, true)
	f := found[0]
	full := late.bills(t, late.issue(t, lotOf(avril, octobre, emises)).ID)[0]
	if full.VolumeLitres != 200_000 {
		t.Fatalf("billed %+v", full)
	}
	trial := certificate(f)
	trial.Simulation = true
	seen := functiontest.MustAsk(t, late.Function, staff, trial)
	got := functiontest.MustAsk(t, late.Function, staff, certificate(f))
	if got.Etat != "ATTESTEE" || got.FactureID != full.ID || got.Avoir == "" || got.AvoirCentimes >= 0 || got.AvoirCentimes != seen.AvoirCentimes || seen.Etat != "OUVERTE" {
		t.Errorf("simulated %+v, did %+v", seen, got)
	}
	// 80 m3 of water and its redevance, 140 m3 of sewerage.
	if a := late.bill(t, got.AvoirID); a.HTCentimes != -(80*167+140*186+80*34) || a.VolumeLitres != -80_000 {
		t.Errorf("avoir %+v", a)
	}
	if left := late.bill(t, full.ID); left.Etat != "PARTIELLE" || left.ResteCentimes != full.TTCCentimes+got.AvoirCentimes {
		t.Errorf("left %+v", left)
	}
	late.sound(t)

	early, e, found := leak(t, true)
	functiontest.MustAsk(t, early.Function, staff, certificate(found[0]))
	capped := early.bills(t, early.issue(t, lotOf(avril, octobre, emises)).ID)[0]
	if capped.VolumeLitres != 120_000 || early.net(t, e.ContratID) != late.net(t, c.ContratID) {
		t.Errorf("before the lot %s, after it %s: %+v", early.net(t, e.ContratID), late.net(t, c.ContratID), capped)
	}
	if told := functiontest.Emitted[message.FuiteAttestee](t, early.Function); len(told) != 1 || told[0].FuiteID != found[0].ID {
		t.Errorf("told %+v", told)
	}
	_, err := functiontest.Ask(t, early.Function, staff, certificate(found[0]))
	if code := functiontest.Code(err); code != "deja_attestee" {
		t.Errorf("again: %q", code)
	}
}

func TestCertificateIsRefused(t *testing.T) {
	t.Parallel()
	staff := functiontest.Staff()
	b, _, found := leak(t, true)
	f := found[0]
	refused := func(field, code string, change func(*message.AttesterFuite)) {
		t.Helper()
		c := certificate(f)
		change(&c)
		_, err := functiontest.Ask(t, b.Function, staff, c)
		if functiontest.Code(err) != code || fields(err) != field {
			t.Errorf("%s of %s: got %v", code, field, err)
		}
	}
	refused("cause", "cause_exclue", func(c *message.AttesterFuite) { c.Cause = "APPAREIL_MENAGER" })
	refused("recue_le", "date_future", func(c *message.AttesterFuite) { c.RecueLe = f.Jusqua })
	refused("reparation_le", "reparation_apres_attestation", func(c *message.AttesterFuite) { c.ReparationLe = c.RecueLe.AddDays(1) })
	refused("reparation_le", "reparation_anterieure", func(c *message.AttesterFuite) { c.ReparationLe = f.Du.AddDays(-1) })
	refused("lieu", "champs_invalides", func(c *message.AttesterFuite) { c.Lieu = "" })
	_, err := functiontest.Ask(t, b.Function, staff, message.ClasserFuite{FuiteID: f.ID})
	if code := functiontest.Code(err); code != "delai_en_cours" {
		t.Errorf("closed within the month: %q", code)
	}
	if _, err := b.DB.Exec(t.Context(), "update dossier_fuite set informe_le = informe_le - 40, jusqua = jusqua - 40"); err != nil {
		t.Fatal(err)
	}
	refused("recue_le", "attestation_tardive", func(*message.AttesterFuite) {})
	if got := functiontest.MustAsk(t, b.Function, staff, message.ClasserFuite{FuiteID: f.ID}); got.Etat != "CLASSEE" {
		t.Errorf("got %+v", got)
	}
	if full := b.bills(t, b.issue(t, lotOf(avril, octobre, emises)).ID)[0]; full.VolumeLitres != 200_000 {
		t.Errorf("without certificate: %+v", full)
	}
	// It came in time, and was only entered late.
	in := certificate(f)
	in.RecueLe, in.ReparationLe = f.Jusqua.AddDays(-40), f.Jusqua.AddDays(-41)
	if got := functiontest.MustAsk(t, b.Function, staff, in); got.Etat != "ATTESTEE" || got.Avoir == "" {
		t.Errorf("got %+v", got)
	}
	b.sound(t)
}

// A dwelling without a past is compared with those of its commune.
func TestLeakOfANewcomer(t *testing.T) {
	t.Parallel()
	b := setup(t, 5)
	b.issue(t, lotOf(avril, octobre, emises))
	c := contract(9)
	c.Pose.Du, c.Pose.IndexDebut = avril, 0
	b.deliver(t, "contrat", c.ContratID, c)
	b.read(t, c, octobre, 121, false)
	found := functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.Fuites{}).Items
	if len(found) != 1 || found[0].Reference != "LOGEMENTS_COMPARABLES" || found[0].MoyenneLitres != 60_000 {
		t.Fatalf("found %+v", found)
	}
	functiontest.MustAsk(t, b.Function, functiontest.Staff(), certificate(found[0]))
	if f := b.bills(t, b.issue(t, lotOf(avril, octobre, emises)).ID)[0]; f.VolumeLitres != 120_000 {
		t.Errorf("billed %+v", f)
	}
}

// The multiple that the law allows is the dated row, in detection, pricing and words alike.
func TestTheMultipleIsData(t *testing.T) {
	t.Parallel()
	b, _, found := leak(t, true)
	if _, err := b.DB.Exec(t.Context(), "update regle_service set valeur = 3 where code = 'FUITE_MULTIPLE'"); err != nil {
		t.Fatal(err)
	}
	staff := functiontest.Staff()
	functiontest.MustAsk(t, b.Function, staff, certificate(found[0]))
	capped := b.bills(t, b.issue(t, lotOf(avril, octobre, emises)).ID)[0]
	if capped.VolumeLitres != 180_000 {
		t.Errorf("capped at %d litres", capped.VolumeLitres)
	}
	told := functiontest.MustAsk(t, b.Function, staff, message.ExpliquerFacture{FactureID: capped.ID})
	if told.Fuite == nil || !strings.Contains(told.Fuite.Texte.FR, "dépassent 3 fois ce volume") {
		t.Errorf("told %+v", told.Fuite)
	}
	b.sound(t)
}
