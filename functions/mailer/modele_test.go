package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aquaerp.fr/shared/message"
)

var update = flag.Bool("update", false, "write the mails of testdata anew")

var (
	adresse = message.Adresse{Voie: "1 rue du Lavoir", CodePostal: "77999", Commune: "Brissy"}

	actif = message.ContratActive{ContratID: contratID, Numero: "C-I-77-26-00042", Version: 3, Depuis: jourDe("2026-10-01"),
		Abonne: message.Abonne{ID: abonneID, Nom: "Martin", Prenom: "Anne", Email: "anne@courriel.example", Adresse: adresse},
		PDL:    message.PDL{ID: pdlID, Reference: "PDL-00042", Adresse: adresse},
		Pose:   message.Pose{Du: jourDe("2026-10-01"), IndexDebut: 1042, Compteur: message.Compteur{Serie: "IT20A048271"}}}

	invitation = message.InvitationEmise{UtilisateurID: utilisateurID, AbonneID: abonneID, Nom: "Anne Martin", Email: "anne@courriel.example",
		Lien: "https://eau.example/invitation#jeton-secret", ExpireA: time.Date(2026, 10, 8, 22, 30, 0, 0, time.UTC)} // the 9th in Paris

	facture = message.FactureEmise{FactureID: factureID, Numero: "F2026-000123", ContratID: contratID, AbonneID: abonneID, Nom: "Anne Martin",
		Email: "anne@courriel.example", TTCCentimes: 123_456_78, Echeance: jourDe("2026-11-15")}
)

func jourDe(s string) message.Date {
	d, err := message.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

// The mails as people get them; `go test -update` writes them anew.
func TestModeles(t *testing.T) {
	relance := message.RelanceEmise{CourrierID: factureID, AbonneID: abonneID, Nom: "Anne Martin", Email: "anne@courriel.example", Niveau: 1,
		Le: jourDe("2026-12-01"), Limite: jourDe("2026-12-16"), Habitation: true, TotalCentimes: 30120, Factures: []message.FactureDue{
			{FactureID: factureID, Numero: "F2026-000123", Echeance: jourDe("2026-11-15"), ResteCentimes: 26620},
			{FactureID: factureID, Numero: "F2026-000007", Echeance: jourDe("2026-05-15"), ResteCentimes: 3500}}}
	second := relance
	second.Niveau, second.ServicesSociaux, second.Habitation = 2, true, false
	plan := message.EcheancierAccorde{Echeancier: message.Echeancier{ID: factureID, AbonneID: abonneID, Nature: "ECHEANCIER", MontantCentimes: 26_620, GraceJours: 8,
		Factures: []string{"F2026-000123", "F2026-000124"}, Echeances: []message.Echeance{{Date: jourDe("2026-12-01"), MontantCentimes: 13_310}, {Date: jourDe("2027-01-01"), MontantCentimes: 13_310}}},
		Nom: "Anne Martin", Email: "anne@courriel.example"}
	year := plan
	year.Nature, year.ParPrelevement, year.Reconduit, year.Factures = "MENSUALISATION", true, true, nil
	credit := facture
	credit.TTCCentimes = -1200
	for name, l := range map[string]lettre{
		"bienvenue":      {"Eau de Brissy", "Bienvenue", "Anne Martin", actif},
		"invitation":     {"Eau de Brissy", "Ouvrez votre espace", "Anne Martin", invitation},
		"facture":        {"Eau de Brissy", "Votre facture", "Anne Martin", facture},
		"facture-credit": {"Eau de Brissy", "Votre facture", "Anne Martin", credit},
		"avoir":          {"Eau de Brissy", "Avoir", "Anne Martin", message.AvoirEmis{Numero: "A2026-000003", Facture: "F2026-000012", TTCCentimes: -4210, Motif: "Fuite <attestée>"}},
		"prelevement": {"Eau de Brissy", "Prélèvement", "Anne Martin", struct {
			message.PrelevementAnnonce
			Creancier, ICS string
		}{message.PrelevementAnnonce{Numero: "F2026-000123", MontantCentimes: 26_620, Date: jourDe("2026-12-07"), RUM: "EAU-2026-00000001", IBANMasque: "DE…3000"}, "Régie des <eaux>", "DE98ZZZ09999999999"}},
		"fuite": {"Eau de Brissy", "Consommation anormale", "Anne Martin", message.FuiteDetectee{Lieu: "2 rue de l'Église, 77116 Guercheville", Du: message.NewDate(2026, 4, 1), Au: message.NewDate(2026, 10, 1),
			VolumeLitres: 200_000, MoyenneLitres: 60_500, PlafondLitres: 121_000, Jusqua: message.NewDate(2026, 11, 5)}},
		"echeancier-plan":  {"Eau de Brissy", "Échéancier", "Anne Martin", plan},
		"echeancier-annee": {"Eau de Brissy", "Mensualisation", "Anne Martin", year},
		"rupture": {"Eau de Brissy", "Échéance", "Anne Martin", message.EcheancierRompu{Nature: "ECHEANCIER", Manquee: jourDe("2026-12-01"), ManqueCentimes: 13_310, TotalCentimes: 30_120,
			Factures: relance.Factures}},
		"relance-1": {"Eau de Brissy", "Rappel", "Anne Martin", relance},
		"relance-2": {"Eau de Brissy", "Second rappel", "Anne Martin", second},
	} {
		modele, _, _ := strings.Cut(name, "-")
		html, text, err := ecrire(modele, l)
		if err != nil {
			t.Fatal(err)
		}
		for ext, got := range map[string]string{".html": html, ".txt": text} {
			file := filepath.Join("testdata", name+ext)
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s is not what testdata holds:\n%s", file, got)
			}
		}
	}
}

func TestNothingIsTakenForMarkup(t *testing.T) {
	hostile := invitation
	hostile.Lien = "javascript:alert(1)"
	html, _, err := ecrire("invitation", lettre{"Eau", "x", "<script>alert(1)</script>", hostile})
	if err != nil || strings.Contains(html, "<script") || strings.Contains(html, `href="javascript:`) {
		t.Errorf("%v in\n%s", err, html)
	}
}

func TestFormats(t *testing.T) {
	for date, want := range map[string]string{"2026-10-01": "1er octobre 2026", "2026-02-28": "28 février 2026"} {
		if got := jour(jourDe(date)); got != want {
			t.Errorf("%s: %s", date, got)
		}
	}
}

func TestConfiguration(t *testing.T) {
	for url, want := range map[string]serveur{
		"smtp://localhost":                      {host: "localhost", port: 25},
		"smtp://127.0.0.1:2525":                 {host: "127.0.0.1", port: 2525},
		"starttls://u%40x:p%2Fw@smtp.example":   {host: "smtp.example", port: 587, user: "u@x", password: "p/w", always: true},
		"smtps://user:secret@smtp.example:4465": {host: "smtp.example", port: 4465, user: "user", password: "secret", always: true, fromTheStart: true},
	} {
		var got serveur
		if err := got.UnmarshalText([]byte(url)); err != nil || got != want {
			t.Errorf("%s: %+v, %v", url, got, err)
		}
	}
	for _, url := range []string{"", "localhost:25", "http://localhost", "smtp://", "smtps://user:secret@host:port"} {
		if err := new(serveur).UnmarshalText([]byte(url)); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", url, err)
		}
	}
	var de expediteur
	if err := de.UnmarshalText([]byte("Eau de Brissy <eau@brissy.example>")); err != nil || de.Name != "Eau de Brissy" || de.domaine() != "brissy.example" {
		t.Errorf("%+v, %v", de, err)
	}
	if err := de.UnmarshalText([]byte("brissy")); err == nil {
		t.Error("an address without @ is taken")
	}
}

func TestAdressable(t *testing.T) {
	for address, want := range map[string]bool{
		"anne@courriel.example": true, "anne+eau@courriel.example": true, "": false, "anne": false, "Anne <anne@courriel.example>": false,
		"a@x.example, b@x.example": false, "a@x.example\r\nBcc: b@x.example": false, " a@x.example": false,
	} {
		if adressable(address, "Anne Martin") != want {
			t.Errorf("%q: want %v", address, want)
		}
	}
	if adressable("anne@courriel.example", "Anne\r\nBcc: b@x.example") {
		t.Error("a name may start a header")
	}
}
