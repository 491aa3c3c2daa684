package main

import (
	"net/http"
	"sync"
	"testing"

	"aquaerp.fr/shared/function"
	ft "aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

// letters leaves letters of two kinds waiting, and one from before addresses were kept.
func letters(t *testing.T, n int) bundle {
	t.Helper()
	b := silent(t)
	for i := range n {
		e := reminder("ECRIT")
		e.CourrierID, e.Email = function.NewID(), ""
		e.Adresse.CodePostal = []string{"77200", "77100"}[i%2]
		b.tell(t, e)
	}
	bill := facture
	bill.Email = ""
	b.tell(t, message.FacturesEmises{Factures: []message.FactureEmise{bill}})
	old := message.FuiteDetectee{FuiteID: function.NewID(), AbonneID: abonneID, Nom: "Anne Martin", Lieu: "2 rue du Lavoir", Jusqua: jourDe("2026-12-01"), Du: jourDe("2026-04-01"), Au: jourDe("2026-10-01")}
	b.tell(t, old)
	return b
}

// A letter is printed in one run, is printed again as often as it takes, and is posted once.
func TestLettersArePrintedOnce(t *testing.T) {
	b := letters(t, 3)
	staff := ft.Staff()
	before := ft.MustAsk(t, b.Function, staff, message.Tirages{})
	want := []message.LettresEnAttente{{Modele: "FACTURE", Lettres: 1}, {Modele: "FUITE", Lettres: 1, SansAdresse: 1}, {Modele: "RELANCE", Lettres: 3}}
	for i, w := range before.Attente {
		if w.Depuis.IsZero() || i >= len(want) || w.Modele != want[i].Modele || w.Lettres != want[i].Lettres || w.SansAdresse != want[i].SansAdresse {
			t.Errorf("waits: %+v", w)
		}
	}
	if len(before.Attente) != 3 || len(before.Items) != 0 {
		t.Fatalf("before: %+v", before)
	}

	made := ft.MustAsk(t, b.Function, staff, message.PreparerTirage{Modele: "RELANCE"})
	if made.Lettres != 3 || len(made.Envois) != 3 || made.Envois[0].Etat != "PRINTED" || made.CreePar != staff.ID || !made.PosteLe.IsZero() {
		t.Fatalf("made %+v", made)
	}
	for range 2 {
		drawn := ft.MustAsk(t, b.Function, staff, message.LettresDuTirage{TirageID: made.ID})
		if len(drawn.Lettres) != 3 || drawn.Lettres[0].Adresse.CodePostal != "77100" || drawn.Lettres[2].Adresse.CodePostal != "77200" || drawn.Lettres[0].FactureID != "" || drawn.Lettres[0].Texte == "" || drawn.Lettres[0].Reference == "" {
			t.Errorf("drawn %+v", drawn)
		}
	}
	for _, modele := range []string{"RELANCE", "FUITE", "AVOIR"} { // none is left, or it has no address
		if _, err := ft.Ask(t, b.Function, staff, message.PreparerTirage{Modele: modele}); ft.Code(err) != "rien_a_imprimer" {
			t.Errorf("%s: %v", modele, err)
		}
	}
	bills := ft.MustAsk(t, b.Function, staff, message.PreparerTirage{Modele: "FACTURE"})
	if drawn := ft.MustAsk(t, b.Function, staff, message.LettresDuTirage{TirageID: bills.ID}); len(drawn.Lettres) != 1 || drawn.Lettres[0].FactureID != factureID {
		t.Errorf("drawn %+v", drawn)
	}

	// Printed the day before yesterday, posted the day after.
	if _, err := b.DB.Exec(t.Context(), "update tirage set cree_a = cree_a - interval '48 hours' where id = $1", made.ID); err != nil {
		t.Fatal(err)
	}
	today := message.DateOf(made.CreeA)
	day := today.AddDays(-1)
	for code, c := range map[string]message.PosterTirage{
		"date_future":     {TirageID: made.ID, Le: today.AddDays(1)},
		"avant_le_tirage": {TirageID: made.ID, Le: today.AddDays(-3)},
		"tirage_inconnu":  {TirageID: contratID, Le: day},
	} {
		if _, err := ft.Ask(t, b.Function, staff, c); ft.Code(err) != code {
			t.Errorf("%s: %v", code, err)
		}
	}
	posted := ft.MustAsk(t, b.Function, staff, message.PosterTirage{TirageID: made.ID, Le: day})
	if posted.PosteLe != day || posted.PostePar != staff.ID || posted.Envois[0].Etat != "SENT" || posted.Envois[0].EnvoyeA == nil {
		t.Errorf("posted %+v", posted)
	}
	if _, err := ft.Ask(t, b.Function, staff, message.PosterTirage{TirageID: made.ID, Le: day}); ft.Code(err) != "deja_poste" {
		t.Errorf("posted twice: %v", err)
	}
	told := ft.Emitted[message.EnvoiFait](t, b.Function)
	for _, e := range told {
		if e.Modele != "RELANCE" || e.Reference == "" || e.Le != day || e.Accompagne {
			t.Errorf("told %+v", e)
		}
	}
	if len(told) != 3 {
		t.Errorf("told of %d", len(told))
	}
	for nom, want := range map[string]int{"envois": 3, "courriels": 0} { // no mail server took them
		if n := b.Count(t, "select valeur::int from indicateur where nom = $1 and etat = 'SENT'", nom); n != want {
			t.Errorf("%s: %d are sent, want %d", nom, n, want)
		}
	}
	// Lost on the way: printed again all the same.
	if drawn := ft.MustAsk(t, b.Function, staff, message.LettresDuTirage{TirageID: made.ID}); len(drawn.Lettres) != 3 || drawn.Lettres[1].Texte == "" {
		t.Errorf("drawn again %+v", drawn)
	}
	after := ft.MustAsk(t, b.Function, staff, message.Tirages{Page: message.Page{Limite: 1}})
	rest := ft.MustAsk(t, b.Function, staff, message.Tirages{Page: message.Page{Limite: 1, Curseur: after.Suivant}})
	if len(after.Attente) != 1 || after.Items[0].ID != bills.ID || rest.Items[0].ID != made.ID || rest.Suivant != "" {
		t.Errorf("after: %+v, then %+v", after, rest)
	}
}

// People who print at once get different letters.
func TestPrintedAtOnce(t *testing.T) {
	b := letters(t, 40)
	var wg sync.WaitGroup
	var mu sync.Mutex
	total := 0
	for range 8 {
		wg.Go(func() {
			made, err := ft.Ask(t, b.Function, ft.Staff(), message.PreparerTirage{Modele: "RELANCE"})
			if err != nil && ft.Code(err) != "rien_a_imprimer" {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			total += made.Lettres
		})
	}
	wg.Wait()
	if n := b.Count(t, "select count(*) from envoi where tirage_id is not null"); total != 40 || n != 40 {
		t.Errorf("%d letters in runs, %d in the table", total, n)
	}
}

// A letter that nobody posted is not told of, and stays out of the mail server's way.
func TestLettersAreNotMailed(t *testing.T) {
	b := letters(t, 2)
	b.due(t)
	b.tell(t, message.Tick{})
	if n := len(b.ready(t)); n != 0 {
		t.Errorf("%d announced", n)
	}
	var id string
	if err := b.DB.QueryRow(t.Context(), "select id from envoi where canal = 'COURRIER' limit 1").Scan(&id); err != nil {
		t.Fatal(err)
	}
	if status := b.Deliver(t, ft.Event("mailer", "", message.EnvoiPret{EnvoiID: id})); status != http.StatusNoContent || len(b.box.Mails()) != 0 {
		t.Errorf("status %d, %d mails", status, len(b.box.Mails()))
	}
}
