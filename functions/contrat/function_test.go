package main

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

func TestMain(m *testing.M) { functiontest.Main(m) }

var staff = functiontest.Staff()

// demande is a subscription that holds; n keeps its PDL and meter apart.
func demande(t testing.TB, f *functiontest.Function, n int) message.Souscrire {
	return message.Souscrire{
		Abonne: &message.NouvelAbonne{Nature: "PERSONNE", Nom: "Lefèvre", Prenom: "Zoé", Email: fmt.Sprintf("zoe%d@exemple.fr", n), Telephone: "0612345678",
			Adresse: message.Adresse{Voie: fmt.Sprintf("%d rue des Œillets", n), CodePostal: "28310", Commune: "Guercheville"}},
		PDL: &message.NouveauPDL{Reference: fmt.Sprintf("PDL-%05d", n), Adresse: message.Adresse{Voie: fmt.Sprintf("%d rue des Œillets", n), CodePostal: "28310", Commune: "Guercheville"},
			CodeINSEE: "28162", Logements: 1, Habitation: true, ResidencePrincipale: "OUI", Assainissement: true},
		Compteur: compteurNeuf(fmt.Sprintf("SN%05d", n)), Nature: "INDIVIDUEL", DebutSouhaite: aujourdhui(t, f), ModePaiement: "VIREMENT",
	}
}

func compteurNeuf(serie string) message.NouveauCompteur {
	return message.NouveauCompteur{Serie: serie, CalibreMM: 15, Roues: 5, LitresParUnite: 1000, Annee: 2020}
}

// aujourdhui is the day of the database's clock, which the function goes by.
func aujourdhui(t testing.TB, f *functiontest.Function) (d message.Date) {
	t.Helper()
	if err := f.DB.QueryRow(t.Context(), "select (now() at time zone 'Europe/Paris')::date").Scan(&d); err != nil {
		t.Fatal(err)
	}
	return d
}

// contratActif is a contract opened today at the index.
func contratActif(t *testing.T, f *functiontest.Function, n int, index int64) message.Contrat {
	t.Helper()
	c := functiontest.MustAsk(t, f, staff, demande(t, f, n))
	functiontest.MustAsk(t, f, staff, message.Signer{ContratID: c.ID, Signataire: "Zoé Lefèvre"})
	return functiontest.MustAsk(t, f, staff, message.Activer{ContratID: c.ID, Index: index, Date: aujourdhui(t, f)})
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if got := functiontest.Code(err); got != code {
		t.Errorf("refused with %q, want %q (%v)", got, code, err)
	}
}

func wantField(t *testing.T, err error, code, field string) {
	t.Helper()
	wantCode(t, err, code)
	var p *message.Problem
	if !errors.As(err, &p) || len(p.Errors) != 1 || p.Errors[0].Field != field {
		t.Errorf("refused %v, want field %s", p, field)
	}
}

func TestSouscriptionJusquaOuverture(t *testing.T) {
	t.Parallel()
	f := functiontest.Start(t, "contrat", listens)
	today := aujourdhui(t, f)

	c := functiontest.MustAsk(t, f, staff, demande(t, f, 1))
	if c.Etat != "A_SIGNER" || c.Version != 1 || c.CompteurPrevu == nil || len(c.Poses) != 0 {
		t.Fatalf("souscrire: %+v", c)
	}
	yy := fmt.Sprintf("%02d", today.Year()%100)
	if want := "C-I-28162-" + yy + "-00001"; c.Numero != want {
		t.Errorf("numero %s, want %s", c.Numero, want)
	}
	if c.CompteurPrevu.Numero != "M-28162-15-SN00001" {
		t.Errorf("meter number %s", c.CompteurPrevu.Numero)
	}

	s := functiontest.MustAsk(t, f, staff, message.Signer{ContratID: c.ID, Signataire: "Zoé Lefèvre"})
	if s.Etat != "SIGNE" || s.SigneLe != today || !s.RetractationJusquAu.IsZero() {
		t.Fatalf("signer: %+v", s)
	}
	signed := functiontest.Emitted[message.ContratSigne](t, f)
	if len(signed) != 1 || signed[0].PasAvant != today || signed[0].Nom != "Zoé Lefèvre" || signed[0].PDL != "PDL-00001" || signed[0].Compteur != "SN00001" {
		t.Fatalf("ContratSigne: %+v", signed)
	}

	a := functiontest.MustAsk(t, f, staff, message.Activer{ContratID: c.ID, Index: 1234, Date: today})
	if a.Etat != "ACTIF" || a.Version != 3 || a.CompteurPrevu != nil || len(a.Poses) != 1 || a.Poses[0].IndexDebut != 1234 {
		t.Fatalf("activer: %+v", a)
	}
	active := functiontest.Emitted[message.ContratActive](t, f)
	if len(active) != 1 || active[0].Depuis != today || active[0].Pose.Compteur.Serie != "SN00001" || active[0].Abonne.Email != "zoe1@exemple.fr" || active[0].Reprise {
		t.Fatalf("ContratActive: %+v", active)
	}

	// Asked again by another message, the same opening changes nothing; another index is refused.
	if again := functiontest.MustAsk(t, f, staff, message.Activer{ContratID: c.ID, Index: 1234, Date: today}); again.Version != 3 {
		t.Errorf("activated twice: version %d", again.Version)
	}
	_, err := functiontest.Ask(t, f, staff, message.Activer{ContratID: c.ID, Index: 1235, Date: today})
	wantCode(t, err, "deja_actif")
	if n := len(functiontest.Emitted[message.ContratActive](t, f)); n != 1 {
		t.Errorf("ContratActive emitted %d times", n)
	}

	read := functiontest.MustAsk(t, f, staff, message.ContratParID{ID: c.ID})
	if read.Etat != "ACTIF" || len(read.Poses) != 1 || read.Poses[0].ID != a.Poses[0].ID || read.Poses[0].Du != today {
		t.Errorf("read back: %+v", read)
	}
	if n := f.Count(t, "select count(*) from journal where contrat_id = $1 and par = 'Agent'", c.ID); n != 3 {
		t.Errorf("%d lines in the journal, want 3", n)
	}
}

func TestMemeDemandeDeuxFois(t *testing.T) {
	t.Parallel()
	f := functiontest.Start(t, "contrat", listens)
	cmd, key := demande(t, f, 1), function.NewID()
	one, err := functiontest.AskAgain(t, f, staff, key, cmd)
	if err != nil {
		t.Fatal(err)
	}
	two, err := functiontest.AskAgain(t, f, staff, key, cmd)
	if err != nil || two.ID != one.ID || two.Numero != one.Numero {
		t.Errorf("second answer %s (%v), want %s", two.ID, err, one.ID)
	}
	if n := f.Count(t, "select count(*) from contrat"); n != 1 {
		t.Errorf("%d contracts", n)
	}
}

// enMemeTemps runs do three times at once: each comes as far as the row that the
// query locks before any goes on.
func enMemeTemps(t *testing.T, f *functiontest.Function, do func(i int), lock string, args ...any) {
	t.Helper()
	tx, err := f.DB.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec(t.Context(), lock, args...); err != nil {
		t.Fatal(err)
	}
	const n = 3 // the function has four connections
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { do(i) })
	}
	for start := time.Now(); f.Count(t, "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'") < n; {
		if time.Since(start) > time.Minute {
			t.Fatal("nobody waits for the row")
		}
		time.Sleep(5 * time.Millisecond)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
}

// The same opening told several times at once is one opening.
func TestActiverEnMemeTemps(t *testing.T) {
	t.Parallel()
	f := functiontest.Start(t, "contrat", listens)
	c := functiontest.MustAsk(t, f, staff, demande(t, f, 1))
	functiontest.MustAsk(t, f, staff, message.Signer{ContratID: c.ID, Signataire: "Zoé"})
	cmd := message.Activer{ContratID: c.ID, Index: 9, Date: aujourdhui(t, f)}
	enMemeTemps(t, f, func(int) {
		if got, err := functiontest.Ask(t, f, staff, cmd); err != nil || got.Version != 3 {
			t.Errorf("version %d, %v", got.Version, err)
		}
	}, "select from contrat where id = $1 for update", c.ID)
	if n := len(functiontest.Emitted[message.ContratActive](t, f)); n != 1 {
		t.Errorf("%d ContratActive", n)
	}
}

func TestActiverParCourrier(t *testing.T) {
	t.Parallel()
	f := functiontest.Start(t, "contrat", listens)
	c := functiontest.MustAsk(t, f, staff, demande(t, f, 1))
	cmd := message.Activer{ContratID: c.ID, Index: 7, Date: aujourdhui(t, f)}
	post := func(correlation string) {
		e := functiontest.Event("workflow", c.ID, cmd)
		e.SetExtension("replyto", "workflow")
		e.SetExtension("correlationid", correlation)
		for range 2 { // a duplicate has no second answer
			if status := f.Deliver(t, e); status != 204 {
				t.Fatalf("delivery answered %d", status)
			}
		}
	}
	post("trop-tot")
	functiontest.MustAsk(t, f, staff, message.Signer{ContratID: c.ID, Signataire: "Zoé"})
	post("bon")
	var replies []string
	for _, s := range f.Outbox(t) {
		if s.Key == "reponse.workflow" {
			replies = append(replies, s.Event.Type()+" "+s.Event.Extensions()["correlationid"].(string))
		}
	}
	want := []string{"fr.aquaerp.contrat.activer.refus.v1 trop-tot", "fr.aquaerp.contrat.activer.reponse.v1 bon"}
	if fmt.Sprint(replies) != fmt.Sprint(want) {
		t.Errorf("replies %q, want %q", replies, want)
	}
	if got := functiontest.MustAsk(t, f, staff, message.ContratParID{ID: c.ID}); got.Etat != "ACTIF" {
		t.Errorf("etat %s", got.Etat)
	}
}

func TestRetractation(t *testing.T) {
	t.Parallel()
	f := functiontest.Start(t, "contrat", listens)
	today := aujourdhui(t, f)

	c := functiontest.MustAsk(t, f, staff, demande(t, f, 1))
	s := functiontest.MustAsk(t, f, staff, message.Signer{ContratID: c.ID, Signataire: "Zoé", ADistance: true})
	if s.Etat != "EN_RETRACTATION" || s.RetractationJusquAu != finRetractation(today) {
		t.Fatalf("signed at a distance: %s until %s", s.Etat, s.RetractationJusquAu)
	}
	if e := functiontest.Emitted[message.ContratSigne](t, f); e[0].PasAvant != s.RetractationJusquAu.AddDays(1) {
		t.Errorf("pas avant %s", e[0].PasAvant)
	}
	_, err := functiontest.Ask(t, f, staff, message.Activer{ContratID: c.ID, Index: 1, Date: today})
	wantField(t, err, "delai_de_retractation", "date")
	r := functiontest.MustAsk(t, f, staff, message.Retracter{ContratID: c.ID})
	if r.Etat != "ANNULE" || len(functiontest.Emitted[message.ContratAnnule](t, f)) != 1 {
		t.Errorf("retracter: %s", r.Etat)
	}
	_, err = functiontest.Ask(t, f, staff, message.Retracter{ContratID: c.ID})
	wantCode(t, err, "deja_annule")

	// The PDL and the meter are free again.
	again := demande(t, f, 1)
	again.PDL, again.PDLID = nil, c.PDL.ID
	again.Abonne, again.AbonneID = nil, c.Abonne.ID
	again.ExecutionImmediate = true
	c2 := functiontest.MustAsk(t, f, staff, again)
	if c2.CompteurPrevu.ID != c.CompteurPrevu.ID || c2.Numero == c.Numero {
		t.Errorf("meter %s, want %s again; number %s", c2.CompteurPrevu.ID, c.CompteurPrevu.ID, c2.Numero)
	}

	// Asked for at once, water opens before the end of the period, and the abonne may still withdraw until then.
	s2 := functiontest.MustAsk(t, f, staff, message.Signer{ContratID: c2.ID, Signataire: "Zoé", ADistance: true})
	if e := functiontest.Emitted[message.ContratSigne](t, f); s2.Etat != "SIGNE" || e[1].PasAvant != today {
		t.Errorf("at once: %s, pas avant %s", s2.Etat, e[1].PasAvant)
	}
	exec(t, f, "update contrat set signe_le = signe_le - 40, retractation_jusqu_au = $2 where id = $1", c2.ID, today.AddDays(-1))
	_, err = functiontest.Ask(t, f, staff, message.Retracter{ContratID: c2.ID})
	wantCode(t, err, "delai_de_retractation_passe")

	// Signed at the office there is no such period; before the signature nothing has started.
	c3 := functiontest.MustAsk(t, f, staff, demande(t, f, 3))
	functiontest.MustAsk(t, f, staff, message.Signer{ContratID: c3.ID, Signataire: "Zoé"})
	_, err = functiontest.Ask(t, f, staff, message.Retracter{ContratID: c3.ID})
	wantCode(t, err, "pas_de_retractation")
	c4 := functiontest.MustAsk(t, f, staff, demande(t, f, 4))
	functiontest.MustAsk(t, f, staff, message.Retracter{ContratID: c4.ID})
	if n := len(functiontest.Emitted[message.ContratAnnule](t, f)); n != 1 {
		t.Errorf("%d ContratAnnule, want that of the signed contract only", n)
	}
	_, err = functiontest.Ask(t, f, staff, message.Signer{ContratID: c4.ID, Signataire: "Zoé"})
	wantCode(t, err, "deja_signe")
}

func exec(t *testing.T, f *functiontest.Function, sql string, args ...any) {
	t.Helper()
	if _, err := f.DB.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

func TestSouscrireRefuse(t *testing.T) {
	t.Parallel()
	f := functiontest.Start(t, "contrat", listens)
	today := aujourdhui(t, f)
	c := functiontest.MustAsk(t, f, staff, demande(t, f, 1))
	inconnu := function.NewID()
	for _, tc := range []struct {
		name, code, field string
		change            func(*message.Souscrire)
	}{
		{"start in two years", "hors_limites", "debut_souhaite", func(s *message.Souscrire) { s.DebutSouhaite = today.AddDays(366) }},
		{"start two years ago", "hors_limites", "debut_souhaite", func(s *message.Souscrire) { s.DebutSouhaite = today.AddDays(-366) }},
		{"foreign abonne", "abonne_inconnu", "abonne_id", func(s *message.Souscrire) { s.Abonne, s.AbonneID = nil, inconnu }},
		{"foreign PDL", "pdl_inconnu", "pdl_id", func(s *message.Souscrire) { s.PDL, s.PDLID = nil, inconnu }},
		{"PDL under contract", "pdl_sous_contrat", "", func(s *message.Souscrire) { s.PDL, s.PDLID = nil, c.PDL.ID }},
		{"PDL reference taken", "pdl_existant", "", func(s *message.Souscrire) { s.PDL.Reference = "PDL-00001" }},
		{"INSEE code", "code_insee_invalide", "pdl.code_insee", func(s *message.Souscrire) { s.PDL.CodeINSEE = "ABCDE" }},
		{"blank name", "requis", "abonne.nom", func(s *message.Souscrire) { s.Abonne.Nom = "  " }},
		{"meter foreseen elsewhere", "compteur_prevu_ailleurs", "", func(s *message.Souscrire) { s.Compteur.Serie = "SN00001" }},
		{"meter of other kind", "compteur_different", "compteur.serie", func(s *message.Souscrire) { s.Compteur.Serie, s.Compteur.Roues = "SN00001", 6 }},
		{"meter of the future", "annee_future", "compteur.annee", func(s *message.Souscrire) { s.Compteur.Annee = 2100 }},
		{"NUL in a name", "valeur_invalide", "", func(s *message.Souscrire) { s.Abonne.Nom = "a\x00b" }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cmd := demande(t, f, 2)
			tc.change(&cmd)
			_, err := functiontest.Ask(t, f, staff, cmd)
			if tc.field != "" {
				wantField(t, err, tc.code, tc.field)
			} else {
				wantCode(t, err, tc.code)
			}
		})
	}
	if n := f.Count(t, "select (select count(*) from abonne) + (select count(*) from pdl) + (select count(*) from compteur) + (select n from serie)"); n != 4 {
		t.Errorf("refusals left something behind: %d, want 4", n)
	}
}

func TestUnContratParPDL(t *testing.T) {
	t.Parallel()
	f := functiontest.Start(t, "contrat", listens)
	c := functiontest.MustAsk(t, f, staff, demande(t, f, 1))
	functiontest.MustAsk(t, f, staff, message.Retracter{ContratID: c.ID})
	codes := make([]string, 3)
	enMemeTemps(t, f, func(i int) {
		cmd := demande(t, f, 100+i)
		cmd.PDL, cmd.PDLID = nil, c.PDL.ID
		_, err := functiontest.Ask(t, f, staff, cmd)
		codes[i] = functiontest.Code(err)
	}, "select from pdl where id = $1 for update", c.PDL.ID)
	var done int
	for _, code := range codes {
		switch code {
		case "":
			done++
		case "pdl_sous_contrat":
		default:
			t.Errorf("refused with %q", code)
		}
	}
	if done != 1 {
		t.Errorf("%d of %d concurrent subscriptions of a PDL went through", done, len(codes))
	}
	// The table refuses too, whatever the code.
	_, err := f.DB.Exec(t.Context(), `insert into contrat (id, numero, nature, etat, version, abonne_id, pdl_id, debut_souhaite, execution_immediate, mode_paiement, actif_depuis)
		select gen_random_uuid(), 'X', 'INDIVIDUEL', 'ACTIF', 1, abonne_id, pdl_id, debut_souhaite, false, 'CARTE', debut_souhaite from contrat where id = $1`, c.ID)
	if err == nil || !strings.Contains(err.Error(), "un_contrat_par_pdl") {
		t.Errorf("a second contract by hand: %v", err)
	}
}

func TestChangerCompteur(t *testing.T) {
	t.Parallel()
	f := functiontest.Start(t, "contrat", listens)
	today := aujourdhui(t, f)
	c := contratActif(t, f, 1, 99_800)
	autre := contratActif(t, f, 2, 0)
	exec(t, f, "update pose set du = du - 100")
	exec(t, f, "update contrat set actif_depuis = actif_depuis - 100, signe_le = signe_le - 100")

	ok := message.ChangerCompteur{ContratID: c.ID, Date: today.AddDays(-1), IndexDepose: 120, Compteur: compteurNeuf("NEUF1"), IndexPose: 3}
	for _, tc := range []struct {
		name, code, field string
		change            func(*message.ChangerCompteur)
	}{
		{"tomorrow", "date_future", "date", func(m *message.ChangerCompteur) { m.Date = today.AddDays(1) }},
		{"on the day of the pose", "avant_pose", "date", func(m *message.ChangerCompteur) { m.Date = today.AddDays(-100) }},
		{"index beyond the dial", "hors_cadran", "index_depose", func(m *message.ChangerCompteur) { m.IndexDepose = 100_000 }},
		{"index goes backwards", "index_recule", "index_depose", func(m *message.ChangerCompteur) { m.IndexDepose = 90_000 }},
		{"new index beyond the dial", "hors_cadran", "index_pose", func(m *message.ChangerCompteur) { m.IndexPose = 100_000 }},
		{"the same meter", "compteur_pose_ailleurs", "", func(m *message.ChangerCompteur) { m.Compteur.Serie = "SN00001" }},
		{"a meter in place elsewhere", "compteur_pose_ailleurs", "", func(m *message.ChangerCompteur) { m.Compteur.Serie = "SN00002" }},
		{"a foreign contract", "contrat_inconnu", "", func(m *message.ChangerCompteur) { m.ContratID = function.NewID() }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cmd := ok
			tc.change(&cmd)
			_, err := functiontest.Ask(t, f, staff, cmd)
			if tc.field != "" {
				wantField(t, err, tc.code, tc.field)
			} else {
				wantCode(t, err, tc.code)
			}
		})
	}

	// 99 800 to 120 passes through zero and is plausible.
	got := functiontest.MustAsk(t, f, staff, ok)
	if len(got.Poses) != 2 || *got.Poses[0].IndexFin != 120 || got.Poses[0].Au != ok.Date || got.Poses[1].Compteur.Serie != "NEUF1" || got.Version != c.Version+1 {
		t.Fatalf("changer: %+v", got)
	}
	e := functiontest.Emitted[message.CompteurChange](t, f)
	if len(e) != 1 || e[0].Deposee.ID != got.Poses[0].ID || e[0].Posee.IndexDebut != 3 || e[0].PDLID != c.PDL.ID || e[0].Version != got.Version {
		t.Fatalf("CompteurChange: %+v", e)
	}
	if read := functiontest.MustAsk(t, f, staff, message.ContratParID{ID: c.ID}); len(read.Poses) != 2 || read.Poses[1].ID != e[0].Posee.ID {
		t.Errorf("read back: %+v", read.Poses)
	}

	// The meter removed stands elsewhere from the day after, not over the days it stood here.
	back := message.ChangerCompteur{ContratID: autre.ID, Date: today.AddDays(-2), IndexDepose: 1, Compteur: compteurNeuf("SN00001"), IndexPose: 120}
	_, err := functiontest.Ask(t, f, staff, back)
	wantCode(t, err, "pose_en_conflit")
	back.Date = today
	functiontest.MustAsk(t, f, staff, back)

	// The tables refuse overlaps too.
	for constraint, sql := range map[string]string{
		"un_compteur_par_pdl": "update pose set au = null, index_fin = null where id = $1",
		"un_pdl_par_compteur": "update pose set au = au + 2 where id = $1",
	} {
		if _, err := f.DB.Exec(t.Context(), sql, got.Poses[0].ID); err == nil {
			t.Errorf("%s: the table took an overlap", constraint)
		}
	}
}

func TestRechercheEtFiche(t *testing.T) {
	t.Parallel()
	f := functiontest.Start(t, "contrat", listens)
	c := contratActif(t, f, 1, 10)
	two := demande(t, f, 2)
	two.Abonne.Nom, two.Abonne.Prenom = "100%_Net", ""
	d := functiontest.MustAsk(t, f, staff, two)

	for q, want := range map[string]string{
		"lefevre":      c.Abonne.ID, // without its accent
		"LEFÈVRE":      c.Abonne.ID,
		"zoé lefevre":  c.Abonne.ID, // words in any order
		"zoe1@exemple": c.Abonne.ID,
		c.Numero:       c.Abonne.ID,
		"pdl-00001":    c.Abonne.ID,
		"zoe1 oeillet": c.Abonne.ID,
		"sn00001":      c.Abonne.ID, // in place
		"sn00002":      d.Abonne.ID, // foreseen
		"100%_":        d.Abonne.ID, // wildcards are letters
		"introuvable":  "",
		"1%0":          "",
	} {
		page := functiontest.MustAsk(t, f, staff, message.Abonnes{Q: q})
		switch {
		case want == "" && len(page.Items) == 0:
		case len(page.Items) == 0 || page.Items[0].ID != want:
			t.Errorf("%q found %+v, want %s", q, page.Items, want)
		}
	}
	page := functiontest.MustAsk(t, f, staff, message.Abonnes{Q: "lefevre"})
	if a := page.Items[0]; a.Contrats != 1 || a.Actifs != 1 || a.PDL != "PDL-00001" || a.Lieu != "1 rue des Œillets" {
		t.Errorf("resume %+v", a)
	}

	// Cursors walk through all, once, in the order of names.
	var names []string
	q := message.Abonnes{Page: message.Page{Limite: 1}}
	for {
		page := functiontest.MustAsk(t, f, staff, q)
		for _, a := range page.Items {
			names = append(names, a.Nom)
		}
		if q.Curseur = page.Suivant; q.Curseur == "" {
			break
		}
	}
	if fmt.Sprint(names) != "[100%_Net Lefèvre]" {
		t.Errorf("pages %q", names)
	}
	_, err := functiontest.Ask(t, f, staff, message.Abonnes{Page: message.Page{Curseur: "x"}})
	wantField(t, err, "curseur_invalide", "curseur")

	fiche := functiontest.MustAsk(t, f, staff, message.FicheAbonne{ID: c.Abonne.ID})
	if len(fiche.Contrats) != 1 || len(fiche.Journal) != 3 || fiche.Journal[0].Code != "ACTIF" || fiche.Journal[0].Par != "Agent" || fiche.Journal[0].Objet != c.ID {
		t.Errorf("fiche %+v", fiche)
	}
	list := functiontest.MustAsk(t, f, staff, message.Contrats{Page: message.Page{Limite: 1}})
	if len(list.Items) != 1 || list.Items[0].ID != d.ID || list.Suivant == "" {
		t.Errorf("contrats %+v", list)
	}
	list = functiontest.MustAsk(t, f, staff, message.Contrats{Page: message.Page{Limite: 1, Curseur: list.Suivant}})
	if len(list.Items) != 1 || list.Items[0].ID != c.ID || list.Suivant != "" {
		t.Errorf("contrats, page 2: %+v", list)
	}
	if got := functiontest.MustAsk(t, f, staff, message.Contrats{Etat: "A_SIGNER"}); len(got.Items) != 1 || got.Items[0].ID != d.ID {
		t.Errorf("contrats A_SIGNER: %+v", got)
	}
	if got := functiontest.MustAsk(t, f, staff, message.TableauContrats{}); got != (message.ContratsEnChiffres{Abonnes: 2, Actifs: 1, ASigner: 1}) {
		t.Errorf("tableau %+v", got)
	}
}

// TestPortee: a subscriber reads their own file and learns nothing of others,
// not even that they exist.
func TestPortee(t *testing.T) {
	t.Parallel()
	f := functiontest.Start(t, "contrat", listens)
	mine, other := contratActif(t, f, 1, 0), contratActif(t, f, 2, 0)
	me := functiontest.Subscriber(mine.Abonne.ID)
	// A meter of the time before the contract is not theirs to see.
	exec(t, f, "insert into pose select gen_random_uuid(), pdl_id, compteur_id, du - 100, du, 0, 5 from pose where pdl_id = $1", mine.PDL.ID)

	if got := functiontest.MustAsk(t, f, me, message.ContratParID{ID: mine.ID}); got.ID != mine.ID || len(got.Poses) != 1 || got.Poses[0].ID != mine.Poses[0].ID {
		t.Errorf("own contract: %+v", got)
	}
	if got := functiontest.MustAsk(t, f, me, message.Contrats{}); len(got.Items) != 1 || got.Items[0].ID != mine.ID {
		t.Errorf("own contracts: %+v", got.Items)
	}
	fiche := functiontest.MustAsk(t, f, me, message.FicheAbonne{ID: mine.Abonne.ID})
	if len(fiche.Journal) != 3 || fiche.Journal[0].Par != "" {
		t.Errorf("own file: %+v", fiche.Journal)
	}
	_, err := functiontest.Ask(t, f, me, message.ContratParID{ID: other.ID})
	wantCode(t, err, "contrat_inconnu")
	_, err = functiontest.Ask(t, f, me, message.Contrats{AbonneID: other.Abonne.ID})
	wantCode(t, err, "abonne_inconnu")
	_, err = functiontest.Ask(t, f, me, message.FicheAbonne{ID: other.Abonne.ID})
	wantCode(t, err, "abonne_inconnu")
	_, err = functiontest.Ask(t, f, me, message.Abonnes{})
	wantCode(t, err, "droit_manquant")
	_, err = functiontest.Ask(t, f, me, message.Retracter{ContratID: mine.ID})
	wantCode(t, err, "droit_manquant")
	_, err = functiontest.Ask(t, f, staff, message.FicheAbonne{ID: function.NewID()})
	wantCode(t, err, "abonne_inconnu")
}
