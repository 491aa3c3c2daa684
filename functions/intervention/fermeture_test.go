package main

import (
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"aquaerp.fr/shared/function"
	ft "aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

// shuts says of every nature of order whether it shuts the valve. A nature
// that is not listed fails the test: who adds one has to say.
var shuts = map[string]bool{"FERMETURE": true, "OUVERTURE": false, "POSE": false, "CHANGEMENT": false, "RELEVE": false, "FUITE": false, "REPARATION": false}

// reasons are what somebody may put forward.
var reasons = []string{"", "Impayé F2026-000123", "Contentieux, ordonnance d'injonction", "Réduire le débit", "Fuite", "Demande de l'abonné", "Résiliation"}

// livesIn tells intervention of a PDL.
func livesIn(t *testing.T, f *ft.Function, contrat, pdl, reference, residence string, version int64, depuis message.Date) {
	t.Helper()
	e := message.ContratActive{ContratID: contrat, Version: version, Depuis: depuis, Abonne: message.Abonne{ID: abonneID, Adresse: adresse},
		PDL: message.PDL{ID: pdl, Reference: reference, Adresse: adresse, ResidencePrincipale: residence}, Pose: message.Pose{Du: depuis}}
	if status := f.Deliver(t, ft.Event("contrat", contrat, e)); status != http.StatusNoContent {
		t.Fatalf("status %d", status)
	}
}

// shut counts orders that shut a valve, of those not given up.
func shut(t *testing.T, f *ft.Function) int {
	t.Helper()
	return f.Count(t, "select count(*) from intervention where nature = 'FERMETURE' and etat not in ('IMPOSSIBLE', 'ANNULEE')")
}

// The proof: nothing that anybody asks for, by any door, for any reason,
// shuts the valve of a main residence or of what may be one.
func TestNothingShutsTheValveOfAMainResidence(t *testing.T) {
	natures := []string{}
	field, _ := reflect.TypeFor[message.CreerIntervention]().FieldByName("Nature")
	for nature := range strings.SplitSeq(field.Tag.Get("enum"), ",") {
		if _, said := shuts[nature]; !said {
			t.Errorf("%s: does it shut the valve?", nature)
		}
		if shuts[nature] {
			natures = append(natures, nature)
		}
	}
	f := setup(t)
	const main, unknown, shed = "0190a000-0000-7000-8003-00000000000a", "0190a000-0000-7000-8003-00000000000b", "0190a000-0000-7000-8003-00000000000c"
	livesIn(t, f, "0190a000-0000-7000-8001-00000000000a", main, "PDL-MAISON", "OUI", 3, today())
	livesIn(t, f, "0190a000-0000-7000-8001-00000000000b", unknown, "PDL-INCONNU", "INCONNU", 3, today())
	livesIn(t, f, "0190a000-0000-7000-8001-00000000000c", shed, "PDL-REMISE", "NON", 3, today())
	asked := 0
	for _, nature := range natures {
		for _, where := range [][2]string{
			{main, "PDL-MAISON"}, {unknown, "PDL-INCONNU"}, {"0190a000-0000-7000-8003-0000000000ff", "PDL-JAMAIS-VU"},
			{shed, "PDL-MAISON"}, // the shed's id with the house's reference
			{main, "PDL-REMISE"},
		} {
			for _, reason := range reasons {
				for _, contrat := range []string{"", contratID, "0190a000-0000-7000-8001-00000000000c"} {
					c := commande()
					c.Nature, c.PDLID, c.PDL, c.Consigne, c.ContratID = nature, where[0], where[1], reason, contrat
					for _, who := range []function.Identity{ft.Staff(), {ID: function.NewID(), Role: "contentieux", Droits: map[string]string{"interventions": "lcmsve"}}} {
						if _, err := ft.Ask(t, f, who, c); ft.Code(err) != "residence_principale" && ft.Code(err) != "pdl_different" {
							t.Errorf("%s asks %+v: %v", who.Role, c, err)
						}
						asked++
					}
					c.Plan = function.NewID()
					posted(t, f, c) // by workflow, whatever its definitions say
				}
			}
		}
	}
	// What is not a nature is not an order, by either door.
	for _, nature := range []string{"COUPURE", "REDUCTION", "LIMITATION", "LENTILLE", "fermeture", "FERMETURE ", " FERMETURE", "SUSPENSION", ""} {
		c := commande()
		c.Nature, c.PDLID, c.PDL, c.Plan = nature, main, "PDL-MAISON", function.NewID()
		if _, err := ft.Ask(t, f, ft.Staff(), c); ft.Code(err) == "" {
			t.Errorf("%q is taken as an order", nature)
		}
		posted(t, f, c)
	}
	// Nothing that another function tells, or a stranger pretends to, makes an order.
	for _, entry := range message.Catalogue() {
		if entry.Kind == message.Event && message.Owner(entry.Payload.Type()) != "contrat" {
			f.Deliver(t, ft.Event("facture", main, entry.Payload))
		}
	}
	if n := f.Count(t, "select count(*) from intervention"); n != 0 || asked == 0 {
		t.Errorf("%d orders after %d requests", n, asked)
	}
	// The database refuses too, should the code forget.
	for _, pdl := range []string{main, unknown, "0190a000-0000-7000-8003-0000000000ff"} {
		_, err := f.DB.Exec(t.Context(), `insert into intervention (id, numero, etat, version, nature, priorite, prevue_le, pdl_id, pdl, compteur, adresse, contact, consigne, cree_a)
			values (gen_random_uuid(), $1, 'PLANIFIEE', 1, 'FERMETURE', 'NORMALE', current_date, $2, 'PDL-MAISON', '', '{}', '', '', now())`, pdl, pdl)
		if err == nil {
			t.Errorf("the database takes an order to close %s", pdl)
		}
	}
	// Nor does it ask another table of that name.
	_, err := f.DB.Exec(t.Context(), `begin; create schema ailleurs; create table ailleurs.pdl as select id, 'NON' residence_principale, reference from pdl; set local search_path = ailleurs;
		insert into intervention.intervention (id, numero, etat, version, nature, priorite, prevue_le, pdl_id, pdl, compteur, adresse, contact, consigne, cree_a)
		values (gen_random_uuid(), 'X', 'PLANIFIEE', 1, 'FERMETURE', 'NORMALE', current_date, '`+main+`', 'PDL-MAISON', '', '{}', '', '', now()); commit`, pgx.QueryExecModeSimpleProtocol)
	if pg := new(pgconn.PgError); !errors.As(err, &pg) || pg.ConstraintName != "residence_principale" {
		t.Errorf("with a table of pdl from elsewhere: %v", err)
	}
}

// Between the order and the work somebody may move in: every step asks again.
func TestSomebodyMovesInBeforeTheValveIsShut(t *testing.T) {
	f := setup(t)
	for i, etat := range marche {
		pdl, contrat := function.NewID(), function.NewID()
		livesIn(t, f, contrat, pdl, "PDL-00001", "NON", 3, today().AddDays(-30))
		c := commande()
		c.Nature, c.PDLID, c.ContratID, c.Plan = "FERMETURE", pdl, contrat, function.NewID()
		c.Adresse = message.Adresse{Voie: "9 rue d'Ailleurs", CodePostal: "77999", Commune: "Brissy"}
		o := ft.MustAsk(t, f, ft.Staff(), c)
		if o.Adresse != adresse {
			t.Errorf("the order goes to %+v", o.Adresse)
		}
		if i > 0 {
			o = ft.MustAsk(t, f, ft.Staff(), message.AffecterIntervention{InterventionID: o.ID, Technicien: alice.ID, NomTechnicien: "Alice"})
		}
		for _, vers := range marche[2:max(i+1, 2)] {
			o = ft.MustAsk(t, f, alice, message.AvancerIntervention{InterventionID: o.ID, Vers: vers})
		}
		if o.Etat != etat {
			t.Fatalf("state %s, want %s", o.Etat, etat)
		}
		// The event may be late: what is known says so already, and the order is still open.
		if _, err := f.DB.Exec(t.Context(), "update pdl set residence_principale = 'OUI' where id = $1", pdl); err != nil {
			t.Fatal(err)
		}
		steps := []error{}
		for _, step := range []func() error{
			func() error {
				_, err := ft.Ask(t, f, ft.Staff(), message.AffecterIntervention{InterventionID: o.ID, Technicien: bob.ID, NomTechnicien: "Bob"})
				return err
			},
			func() error {
				_, err := ft.Ask(t, f, ft.Staff(), message.AvancerIntervention{InterventionID: o.ID, Vers: "SUR_PLACE"})
				return err
			},
			func() error {
				_, err := ft.Ask(t, f, ft.Staff(), message.RealiserIntervention{InterventionID: o.ID, Date: today(), Index: index(1)})
				return err
			},
		} {
			steps = append(steps, step())
		}
		for k, err := range steps {
			idle := i == 0 && k > 0 || etat == "SUR_PLACE" && k == 1 // nobody has it; it is there already
			if code := ft.Code(err); code != "residence_principale" && !idle {
				t.Errorf("%s, step %d: %v", etat, k, err)
			}
		}
		livesIn(t, f, function.NewID(), pdl, "PDL-00001", "OUI", 3, today())
		if got := ft.MustAsk(t, f, ft.Staff(), message.InterventionParID{ID: o.ID}); got.Etat != "ANNULEE" {
			t.Errorf("%s: the order is %s after somebody moved in", etat, got.Etat)
		}
		// The contract before may speak late; it is not heard.
		livesIn(t, f, contrat, pdl, "PDL-00001", "NON", 9, today().AddDays(-30))
		again := c
		again.Plan = ""
		if _, err := ft.Ask(t, f, ft.Staff(), again); ft.Code(err) != "residence_principale" {
			t.Errorf("%s: ordered again: %v", etat, err)
		}
	}
	if n := shut(t, f); n != 0 {
		t.Errorf("%d orders to close are left", n)
	}
	if told := ft.Emitted[message.InterventionImpossible](t, f); len(told) != len(marche) || told[0].Plan == "" {
		t.Errorf("plans were told %+v", told)
	}
}

// An order and the event that forbids it meet: whoever comes first, none is left.
func TestOrderAndMoveInAtTheSameTime(t *testing.T) {
	f := setup(t)
	pdl := function.NewID()
	livesIn(t, f, contratID, pdl, "PDL-00001", "NON", 3, today().AddDays(-30))
	done := make(chan struct{})
	for range 8 {
		go func() {
			c := commande()
			c.Nature, c.PDLID = "FERMETURE", pdl
			_, _ = ft.Ask(t, f, ft.Staff(), c)
			done <- struct{}{}
		}()
	}
	time.Sleep(5 * time.Millisecond)
	livesIn(t, f, function.NewID(), pdl, "PDL-00001", "OUI", 1, today())
	for range 8 {
		<-done
	}
	if n := shut(t, f); n != 0 {
		t.Errorf("%d orders to close are left", n)
	}
}
