package main

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

// ligne is a line of CSV that holds, with some columns changed.
func ligne(n int, changes ...string) string {
	champs := strings.Split(fmt.Sprintf("PDL-%[1]d;%[1]d rue du Puits;28310;Guercheville;28162;Nord;1;OUI;INCONNU;NON;"+
		"PERSONNE;Martin;Paul;paul%[1]d@exemple.fr;0102030405;INDIVIDUEL;CHEQUE;SN-%[1]d;15;5;1000;2015;2020-03-01;42", n), ";")
	for i := 0; i < len(changes); i += 2 {
		for j, c := range colonnes {
			if c == changes[i] {
				champs[j] = changes[i+1]
			}
		}
	}
	return strings.Join(champs, ";")
}

func fichier(lignes ...string) string {
	return message.ColonnesReprise + "\n" + strings.Join(lignes, "\n") + "\n"
}

func TestLireReprise(t *testing.T) {
	t.Parallel()
	today := jour(t, "2026-07-01")
	for _, c := range []struct{ name, ligne, champ, code string }{
		{"holds", ligne(1), "", ""},
		{"lower case", ligne(1, "habitation", "oui", "nature_contrat", "agricole"), "", ""},
		{"quoted separator", ligne(1, "voie", `"12; rue ""du"" Puits"`), "", ""},
		{"no e-mail", ligne(1, "email", ""), "", ""},
		{"today", ligne(1, "debut", "2026-07-01"), "", ""},
		{"missing column", "PDL-1;rue", "", "colonnes"},
		{"blank street", ligne(1, "voie", "   "), "voie", "requis"},
		{"long name", ligne(1, "nom", strings.Repeat("é", 121)), "nom", "trop_long"},
		{"post code", ligne(1, "code_postal", "2831O"), "code_postal", "format"},
		{"INSEE code", ligne(1, "code_insee", "281"), "code_insee", "format"},
		{"dwellings", ligne(1, "logements", "0"), "logements", "nombre_invalide"},
		{"dwellings in words", ligne(1, "logements", "un"), "logements", "nombre_invalide"},
		{"unknown answer", ligne(1, "assainissement", "peut-être"), "assainissement", "valeur_inconnue"},
		{"unknown nature", ligne(1, "nature_contrat", "ROYAL"), "nature_contrat", "valeur_inconnue"},
		{"e-mail", ligne(1, "email", "paul@"), "email", "email_invalide"},
		{"e-mail with a name", ligne(1, "email", "Paul <paul@exemple.fr>"), "email", "email_invalide"},
		{"diameter", ligne(1, "calibre_mm", "17"), "calibre_mm", "valeur_inconnue"},
		{"year of the future", ligne(1, "annee", "2027"), "annee", "nombre_invalide"},
		{"no such day", ligne(1, "debut", "2025-02-29"), "debut", "date_invalide"},
		{"French day", ligne(1, "debut", "01/03/2020"), "debut", "date_invalide"},
		{"tomorrow", ligne(1, "debut", "2026-07-02"), "debut", "date_invalide"},
		{"index beyond the dial", ligne(1, "index", "100000"), "index", "nombre_invalide"},
		{"negative index", ligne(1, "index", "-1"), "index", "nombre_invalide"},
		{"huge index", ligne(1, "index", "99999999999999999999"), "index", "nombre_invalide"},
		{"not UTF-8", ligne(1, "nom", "Lef\ufffdvre"), "nom", "encodage"},
		{"NUL", ligne(1, "nom", "Le\x00fevre"), "nom", "encodage"},
		{"stray quote", ligne(1, "nom", `Le"fevre`), "", "guillemets"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			// The lines around it are read whatever becomes of it.
			valides, rejets, err := lireReprise(fichier(ligne(8), c.ligne, ligne(9)), today)
			if err != nil {
				t.Fatal(err)
			}
			if c.code == "" {
				if len(valides) != 3 || len(rejets) != 0 {
					t.Errorf("refused: %+v", rejets)
				}
				return
			}
			if len(valides) != 2 || len(rejets) != 1 || rejets[0].Ligne != 3 || rejets[0].Champ != c.champ || rejets[0].Code != c.code {
				t.Errorf("%d lines taken, refused %+v; want line 3, %s, %s", len(valides), rejets, c.champ, c.code)
			}
		})
	}
}

func TestLireRepriseFichier(t *testing.T) {
	t.Parallel()
	today := jour(t, "2026-07-01")
	for _, c := range []struct{ name, csv, code string }{
		{"byte order mark", "\ufeff" + fichier(ligne(1)), ""},
		{"CRLF", strings.ReplaceAll(fichier(ligne(1)), "\n", "\r\n"), ""},
		{"header alone", fichier(), ""},
		{"no header", ligne(1), "entete_invalide"},
		{"commas", strings.ReplaceAll(fichier(ligne(1)), ";", ","), "entete_invalide"},
		{"empty lines only", "\n\n", "entete_invalide"},
		{"too long", fichier(strings.Repeat("x\n", lignesMax+1)), "trop_de_lignes"},
	} {
		_, rejets, err := lireReprise(c.csv, today)
		if got := functiontest.Code(err); got != c.code || err == nil && len(rejets) > 0 {
			t.Errorf("%s: %q, %+v; want %q", c.name, got, rejets, c.code)
		}
	}
	valides, rejets, err := lireReprise(fichier(ligne(1), ligne(2, "pdl", "PDL-1"), ligne(3, "compteur", "SN-1"), ligne(4, "index", "x"), ligne(4)), today)
	if err != nil || len(valides) != 2 || len(rejets) != 3 || rejets[0].Code != "doublon_fichier" || rejets[1].Champ != "compteur" || rejets[2].Champ != "index" {
		t.Errorf("duplicates: %d taken, %+v, %v", len(valides), rejets, err)
	}
}

// Every line is either taken or refused with its number, whatever the bytes.
func TestLireRepriseProprietes(t *testing.T) {
	t.Parallel()
	today := jour(t, "2026-07-01")
	rapid.Check(t, func(t *rapid.T) {
		lignes := rapid.SliceOfN(rapid.OneOf(
			rapid.StringMatching(`[a-z;"\r ]{1,40}`),
			rapid.Map(rapid.IntRange(1, 9), func(n int) string { return ligne(n) }),
		), 0, 20).Draw(t, "lignes")
		valides, rejets, err := lireReprise(fichier(lignes...), today)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[int]bool{}
		references := map[string]bool{}
		for _, v := range valides {
			if seen[v.ligne] || references[v.contrat.PDL.Reference] {
				t.Fatalf("line %d or PDL %s taken twice", v.ligne, v.contrat.PDL.Reference)
			}
			seen[v.ligne], references[v.contrat.PDL.Reference] = true, true
		}
		for _, r := range rejets {
			if seen[r.Ligne] || r.Ligne < 2 || r.Detail == "" || r.DetailEN == "" {
				t.Fatalf("refusal %+v", r)
			}
			seen[r.Ligne] = true
		}
	})
}

func TestReprendre(t *testing.T) {
	t.Parallel()
	f := functiontest.Start(t, "contrat", listens)
	cmd := message.Reprendre{CSV: fichier(ligne(1), ligne(2, "index", "x"), ligne(3, "nature_contrat", "COLLECTIF"), ligne(4), ligne(5, "pdl", "PDL-1"))}
	r := functiontest.MustAsk(t, f, staff, cmd)
	if r.Lignes != 5 || r.Creees != 3 || len(r.Rejets) != 2 || r.Rejets[0].Ligne != 3 || r.Rejets[1].Ligne != 6 || r.Politique != "LIGNES_VALIDES_IMPORTEES" {
		t.Fatalf("reprise %+v", r)
	}
	events := functiontest.Emitted[message.ContratActive](t, f)
	if len(events) != 3 {
		t.Fatalf("%d events", len(events))
	}
	for i, e := range events {
		if !e.Reprise || e.Depuis.String() != "2020-03-01" || e.Pose.IndexDebut != 42 || e.Version != 1 {
			t.Errorf("event %d: %+v", i, e)
		}
	}
	if suffix := events[2].Numero[len(events[2].Numero)-6:]; suffix != "-00002" || !strings.HasPrefix(events[1].Numero, "C-C-28162-") {
		t.Errorf("numbers %s %s %s", events[0].Numero, events[1].Numero, events[2].Numero)
	}
	c := functiontest.MustAsk(t, f, staff, message.ContratParID{ID: events[0].ContratID})
	if c.Etat != "ACTIF" || len(c.Poses) != 1 || c.Poses[0].ID != events[0].Pose.ID || c.Abonne.Nom != "Martin" || !c.PDL.Habitation || c.PDL.Assainissement {
		t.Errorf("contract %+v", c)
	}

	// The same file by another message: every line is refused, nothing doubles.
	again := functiontest.MustAsk(t, f, staff, cmd)
	if again.Lignes != 5 || again.Creees != 0 || len(again.Rejets) != 5 || again.Rejets[0].Code != "pdl_existant" {
		t.Errorf("again %+v", again)
	}
	known := functiontest.MustAsk(t, f, staff, message.Reprendre{CSV: fichier(ligne(7, "compteur", "SN-4"))})
	if known.Creees != 0 || known.Rejets[0].Code != "compteur_existant" {
		t.Errorf("known meter %+v", known)
	}
	if n := f.Count(t, "select count(*) from contrat"); n != 3 {
		t.Errorf("%d contracts", n)
	}
	// Another file and a subscription go on with the series.
	functiontest.MustAsk(t, f, staff, message.Reprendre{CSV: fichier(ligne(8), ligne(9))})
	s := demande(t, f, 1)
	s.PDL.Reference = "PDL-A"
	if c := functiontest.MustAsk(t, f, staff, s); !strings.HasSuffix(c.Numero, "-00005") {
		t.Errorf("number %s", c.Numero)
	}
	_, err := functiontest.Ask(t, f, staff, message.Reprendre{CSV: "a;b"})
	wantField(t, err, "entete_invalide", "csv")
}

func TestReprendreUneVille(t *testing.T) {
	t.Parallel()
	f := functiontest.Start(t, "contrat", listens)
	lignes := make([]string, 10_000)
	for i := range lignes {
		lignes[i] = ligne(i + 1)
	}
	if r := functiontest.MustAsk(t, f, staff, message.Reprendre{CSV: fichier(lignes...)}); r.Creees != len(lignes) {
		t.Fatalf("%d of %d created, first refusal %+v", r.Creees, len(lignes), r.Rejets[0])
	}
	if n := f.Count(t, "select count(*) from eventing.outbox"); n != len(lignes) {
		t.Errorf("%d events", n)
	}
	if page := functiontest.MustAsk(t, f, staff, message.Abonnes{Q: "pdl-9999"}); len(page.Items) != 1 {
		t.Errorf("search found %d", len(page.Items))
	}
}
