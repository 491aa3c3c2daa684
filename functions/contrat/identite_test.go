package main

import (
	"testing"

	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

func TestIdentiteALaSouscription(t *testing.T) {
	t.Parallel()
	f := functiontest.Start(t, "contrat", listens)
	for _, c := range []struct {
		name, nature, siren, siret, tva string
		code, field                     string
	}{
		{"a person with a number", "PERSONNE", "732829320", "", "", "particulier_sans_siren", "abonne.siren"},
		{"a wrong SIREN", "ORGANISATION", "732829321", "", "", "siren_invalide", "abonne.siren"},
		{"a wrong SIRET", "ORGANISATION", "", "73282932000075", "", "siret_invalide", "abonne.siret"},
		{"another's SIRET", "ORGANISATION", "552100554", "73282932000074", "", "siret_autre_siren", "abonne.siret"},
		{"another's VAT", "ORGANISATION", "552100554", "", "FR44732829320", "tva_invalide", "abonne.numero_tva"},
		{"a wrong key", "ORGANISATION", "", "", "FR45732829320", "tva_invalide", "abonne.numero_tva"},
	} {
		cmd := demande(t, f, 1)
		cmd.Abonne.Nature, cmd.Abonne.SIREN, cmd.Abonne.SIRET, cmd.Abonne.NumeroTVA = c.nature, c.siren, c.siret, c.tva
		_, err := functiontest.Ask(t, f, staff, cmd)
		wantField(t, err, c.code, c.field)
	}

	cmd := demande(t, f, 1)
	cmd.Abonne.Nature, cmd.Abonne.Nom, cmd.Abonne.Prenom = "ORGANISATION", "Syndic des Œillets", ""
	cmd.Abonne.SIRET, cmd.Abonne.NumeroTVA = "732 829 320 00074", "fr 44 732829320"
	c := functiontest.MustAsk(t, f, staff, cmd)
	if a := c.Abonne; a.SIREN != "732829320" || a.SIRET != "73282932000074" || a.NumeroTVA != "FR44732829320" || a.Version != 0 {
		t.Errorf("read %+v", a)
	}
	if found := functiontest.MustAsk(t, f, staff, message.Abonnes{Q: "732829320"}).Items; len(found) != 1 || found[0].SIREN != "732829320" {
		t.Errorf("searched by SIREN: %+v", found)
	}
	functiontest.MustAsk(t, f, staff, message.Signer{ContratID: c.ID, Signataire: "Le syndic"})
	functiontest.MustAsk(t, f, staff, message.Activer{ContratID: c.ID, Index: 1, Date: aujourdhui(t, f)})
	if e := functiontest.Emitted[message.ContratActive](t, f); len(e) != 1 || e[0].Abonne.SIRET != "73282932000074" {
		t.Errorf("what facture hears: %+v", e)
	}
}

func TestIdentifier(t *testing.T) {
	t.Parallel()
	f := functiontest.Start(t, "contrat", listens)
	cmd := demande(t, f, 1)
	cmd.Abonne.Nature, cmd.Abonne.Prenom = "ORGANISATION", ""
	id := functiontest.MustAsk(t, f, staff, cmd).Abonne.ID
	person := functiontest.MustAsk(t, f, staff, demande(t, f, 2)).Abonne.ID

	for range 2 { // the second says nothing new
		a := functiontest.MustAsk(t, f, staff, message.IdentifierAbonne{AbonneID: id, SIREN: "356 000 000", SIRET: "35600000049837"})
		if a.SIREN != "356000000" || a.SIRET != "35600000049837" || a.Version != 1 {
			t.Errorf("got %+v", a)
		}
	}
	a := functiontest.MustAsk(t, f, staff, message.IdentifierAbonne{AbonneID: id, SIREN: "356000000"})
	if a.SIRET != "" || a.Version != 2 {
		t.Errorf("the SIRET taken away: %+v", a)
	}
	events := functiontest.Emitted[message.AbonneIdentifie](t, f)
	if len(events) != 2 || events[0] != (message.AbonneIdentifie{AbonneID: id, Version: 1, SIREN: "356000000", SIRET: "35600000049837"}) || events[1].Version != 2 {
		t.Errorf("emitted %+v", events)
	}
	fiche := functiontest.MustAsk(t, f, staff, message.FicheAbonne{ID: id})
	if fiche.Abonne.SIREN != "356000000" || len(fiche.Journal) != 3 || fiche.Journal[0].Code != "IDENTIFIE" || fiche.Journal[0].Par == "" {
		t.Errorf("file %+v", fiche)
	}

	_, err := functiontest.Ask(t, f, staff, message.IdentifierAbonne{AbonneID: person, SIREN: "356000000"})
	wantField(t, err, "particulier_sans_siren", "siren")
	_, err = functiontest.Ask(t, f, staff, message.IdentifierAbonne{AbonneID: "0190a000-0000-7000-8000-0000000000ff", SIREN: "356000000"})
	wantCode(t, err, "abonne_inconnu")
	// The table refuses it too.
	if _, err := f.DB.Exec(t.Context(), "update abonne set siren = '356000000' where id = $1", person); err == nil {
		t.Error("a person has a SIREN")
	}
}

func TestRepriseDOrganisations(t *testing.T) {
	t.Parallel()
	f := functiontest.Start(t, "contrat", listens)
	csv := message.ColonnesReprise + ";" + message.ColonnesEntreprise + "\n" +
		ligne(1, "nature_abonne", "ORGANISATION") + ";;73282932000074;\n" +
		ligne(2, "nature_abonne", "ORGANISATION") + ";732829321;;\n" +
		ligne(3) + ";;;\n" +
		ligne(4) + ";732829320;;\n" +
		ligne(5) + "\n"
	r := functiontest.MustAsk(t, f, staff, message.Reprendre{CSV: csv})
	if r.Creees != 2 || len(r.Rejets) != 3 || r.Rejets[0].Code != "siren_invalide" || r.Rejets[0].Champ != "siren" || r.Rejets[1].Code != "particulier_sans_siren" || r.Rejets[2].Code != "colonnes" {
		t.Errorf("got %+v", r)
	}
	for _, e := range functiontest.Emitted[message.ContratActive](t, f) {
		if want := map[string]string{"PDL-1": "732829320"}[e.PDL.Reference]; e.Abonne.SIREN != want {
			t.Errorf("%s has SIREN %q, want %q", e.PDL.Reference, e.Abonne.SIREN, want)
		}
	}
}
