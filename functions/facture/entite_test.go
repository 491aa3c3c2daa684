package main

import (
	"bytes"
	"strings"
	"testing"

	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

// syndicat is a second legal entity that says all of itself.
var syndicat = message.DefinirEntite{
	Code: "syndicat", Nom: "Syndicat des eaux du Plateau", Prefixe: "SP", Forme: "Syndicat mixte fermé",
	Adresse:   message.Adresse{Voie: "3 place du Marché", CodePostal: "77116", Commune: "Ury"},
	Telephone: "01 99 00 77 77", Email: "eau@plateau.exemple", SIRET: "732 829 320 00074", NumeroTVA: "FR44732829320",
	IBAN: "FR14 2004 1010 0505 0001 3M02 606", BIC: "PSSTFRPPPAR", ICS: "FR72ZZZ123456",
}

func TestEntites(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	staff := functiontest.Staff()
	for i, insee := range []string{"77223", "77477"} {
		c := contract(i)
		c.PDL.CodeINSEE = insee
		b.contrats = append(b.contrats, c)
		b.deliver(t, "contrat", c.ContratID, c)
		b.read(t, c, avril, 130, false)
		b.read(t, c, octobre, 190, false)
	}
	main := functiontest.MustAsk(t, b.Function, staff, message.FichesEntites{}).Items
	if len(main) != 1 || !main[0].Configuree || main[0].Nom != regie.Nom || len(main[0].Communes) != 2 || strings.Contains(main[0].IBANMasque, "3000") {
		t.Fatalf("as the service was configured: %+v", main)
	}

	for _, c := range []struct {
		code   string
		change func(*message.DefinirEntite)
	}{
		{"siret_invalide", func(e *message.DefinirEntite) { e.SIRET = "73282932000075" }},
		{"tva_invalide", func(e *message.DefinirEntite) { e.NumeroTVA = "FR86552100554" }},
		{"iban_invalide", func(e *message.DefinirEntite) { e.IBAN = "FR14 2004 1010 0505 0001 3M02 607" }},
		{"bic_invalide", func(e *message.DefinirEntite) { e.BIC = "X" }},
		{"ics_invalide", func(e *message.DefinirEntite) { e.ICS = "FR72ZZZ123457" }},
		{"prefixe_pris", func(e *message.DefinirEntite) { e.Prefixe = "" }},
		{"iban_absent", func(e *message.DefinirEntite) { e.IBAN = "" }},
	} {
		wrong := syndicat
		c.change(&wrong)
		if got := functiontest.Code(ask(t, b, staff, wrong)); got != c.code {
			t.Errorf("refused with %q, want %q", got, c.code)
		}
	}
	if n := b.Count(t, "select count(*) from entite"); n != 1 {
		t.Fatalf("%d entities after refusals", n)
	}

	e := functiontest.MustAsk(t, b.Function, staff, syndicat)
	if e.Configuree || e.Numerotee || e.Utilisee || e.IBANMasque != "FR…2606" || e.ICS != "FR72ZZZ123456" || len(e.Historique) != 1 || len(e.Communes) != 0 {
		t.Errorf("created: %+v", e)
	}
	if got := functiontest.Code(ask(t, b, staff, message.AttribuerCommunes{Entite: "syndicat", Communes: []string{"77477", "99999"}})); got != "commune_inconnue" {
		t.Errorf("a commune that nothing names: %q", got)
	}
	e = functiontest.MustAsk(t, b.Function, staff, message.AttribuerCommunes{Entite: "syndicat", Communes: []string{"77477"}})
	if len(e.Communes) != 1 || e.Communes[0].CodeINSEE != "77477" || e.Communes[0].Contrats != 1 || !e.Utilisee {
		t.Errorf("its communes: %+v", e)
	}
	if j := functiontest.MustAsk(t, b.Function, staff, message.JournalReglages{}).Items; len(j) != 1 || j[0].Objet != "COMMUNES" || j[0].Par == "" {
		t.Errorf("journal: %+v", j)
	}

	// Each commune is billed by its own entity, whose papers say all of it and nothing of the other.
	bills := map[string]message.Facture{}
	for _, f := range b.bills(t, b.issue(t, lotOf(avril, octobre, emises)).ID) {
		bills[f.Nom] = f
	}
	regular, other := bills["Anne Dupont0"], bills["Anne Dupont1"]
	if !strings.HasPrefix(other.Numero, "SP-F2026-") || strings.HasPrefix(regular.Numero, "SP") {
		t.Errorf("numbers %s and %s", regular.Numero, other.Numero)
	}
	first := b.document(t, message.DocumentFacture{FactureID: other.ID}).Contenu
	shows(t, first, syndicat.Nom, syndicat.Forme, "3 place du Marché", "FR14 2004 1010 0505 0001 3M02 606", "73282932000074", "FR44732829320", "01 99 00 77 77")
	hides(t, first, regie.Nom, regie.IBAN, regie.Telephone, regie.SIRET)
	own := b.document(t, message.DocumentFacture{FactureID: regular.ID}).Contenu
	shows(t, own, regie.Nom, regie.IBAN)
	hides(t, own, syndicat.Nom, "3M02")
	if broken := rules(t, "pdf", first); len(broken) != 0 {
		t.Errorf("its invoice breaks %v", broken)
	}
	attestation, err := functiontest.Ask(t, b.Function, staff, message.AttestationAbonnement{ContratID: b.contrats[1].ContratID})
	if err != nil {
		t.Fatal(err)
	}
	shows(t, attestation.Contenu, syndicat.Nom, syndicat.Forme)
	hides(t, attestation.Contenu, regie.Nom)

	// Bills were numbered: the prefix stays, in the table too, and so does the entity.
	moved := syndicat
	moved.Prefixe = "PL"
	if got := functiontest.Code(ask(t, b, staff, moved)); got != "prefixe_fixe" {
		t.Errorf("another prefix: %q", got)
	}
	if _, err := b.DB.Exec(t.Context(), "update entite set prefixe = 'PL' where code = 'syndicat'"); err == nil {
		t.Error("the table lets a prefix change after numbers")
	}
	for _, code := range []string{"syndicat", "principale"} {
		if got := functiontest.Code(ask(t, b, staff, message.RetirerEntite{Code: code})); got != "entite_utilisee" {
			t.Errorf("deleting %s: %q", code, got)
		}
	}

	// A new account and address are for documents to come: those issued are the same bytes. No IBAN sent is the one known.
	later := syndicat
	later.Adresse.Voie, later.IBAN = "9 avenue Neuve", ""
	if e = functiontest.MustAsk(t, b.Function, staff, later); e.IBANMasque != "FR…2606" || len(e.Historique) != 2 || strings.Join(e.Historique[0].Champs, " ") != "adresse" {
		t.Errorf("moved: %+v", e)
	}
	if again := b.document(t, message.DocumentFacture{FactureID: other.ID}).Contenu; !bytes.Equal(again, first) {
		t.Error("an issued bill changed with its entity")
	}
	attestation = functiontest.MustAsk(t, b.Function, staff, message.AttestationAbonnement{ContratID: b.contrats[1].ContratID})
	shows(t, attestation.Contenu, "9 avenue Neuve")

	// The debits of the entity are its own.
	if all := functiontest.MustAsk(t, b.Function, staff, message.Creanciers{}).Items; len(all) != 1 || all[0].Entite != "syndicat" || all[0].Nom != syndicat.Nom || all[0].IBANMasque != "FR…2606" {
		t.Errorf("who debits: %+v", all)
	}
	setting := message.ReglerComptabilite{Entite: "syndicat", SIREN: "552100554", Regime: "REGIE", TVAExigibilite: "DEBITS"}
	if got := functiontest.Code(ask(t, b, staff, setting)); got != "siren_autre_siret" {
		t.Errorf("the books of another company: %q", got)
	}

	// One made by mistake goes, with its rules and codes.
	unused := syndicat
	unused.Code, unused.Prefixe = "erreur", "ER"
	functiontest.MustAsk(t, b.Function, staff, unused)
	functiontest.MustAsk(t, b.Function, staff, message.ReglerComptabilite{Entite: "erreur", SIREN: "732829320", Regime: "REGIE", TVAExigibilite: "ENCAISSEMENTS", TVASource: "essai"})
	functiontest.MustAsk(t, b.Function, staff, message.ReglerPES{Entite: "erreur", Poste: "077012", SIRET: "73282932000074", Collectivite: "400", Budget: "00", Libelle: "Eau",
		Produits: []message.ProduitPES{{Compte: "70111", Code: "P1"}}})
	if left := functiontest.MustAsk(t, b.Function, staff, message.RetirerEntite{Code: "erreur"}).Items; len(left) != 2 {
		t.Errorf("left: %+v", left)
	}
	// No account number in anything that travels.
	for _, sent := range b.Outbox(t) {
		if data := string(sent.Event.Data()); strings.Contains(data, "FR1420041010") || strings.Contains(data, "3M02") {
			t.Errorf("%s holds an account number", sent.Key)
		}
	}
}

func TestReglages(t *testing.T) {
	t.Parallel()
	b := setup(t, 1)
	staff := functiontest.Staff()
	issued := b.bills(t, b.issue(t, lotOf(avril, octobre, emises)).ID)[0]
	before := b.document(t, message.DocumentFacture{FactureID: issued.ID}).Contenu

	r := functiontest.MustAsk(t, b.Function, staff, message.Reglages{})
	if r.PremierJour != emises.AddDays(1) || len(r.Mentions) == 0 || len(r.Controles) != 1 || !r.Controles[0].DeuxPersonnes || len(r.Obligations) == 0 || !r.Plateforme.Raccordee {
		t.Errorf("got %+v", r)
	}
	change := message.DefinirMention{Code: "mediation", Du: emises, Texte: "Une autre médiation.", Source: "convention de 2026"}
	if got := functiontest.Code(ask(t, b, staff, change)); got != "facture_deja_emise" {
		t.Errorf("on a day with bills: %q", got)
	}
	fresh := message.DefinirMention{Code: "gestes", Du: r.PremierJour, Texte: "Fermez le robinet.", Source: "conseil du 3 octobre"}
	if got := functiontest.Code(ask(t, b, staff, fresh)); got != "requis" {
		t.Errorf("new words without a title: %q", got)
	}
	fresh.Titre = "Petits gestes"
	functiontest.MustAsk(t, b.Function, staff, fresh)
	change.Du = r.PremierJour.AddDays(10)
	functiontest.MustAsk(t, b.Function, staff, change)
	change.Texte = "Encore une autre médiation." // it was not there yet
	r = functiontest.MustAsk(t, b.Function, staff, change)
	var versions []message.Mention
	for _, m := range r.Mentions {
		if m.Code == "mediation" {
			versions = append(versions, m)
		}
	}
	if len(versions) != 2 || versions[0].Au != change.Du || versions[1].Texte != change.Texte || versions[1].Titre != versions[0].Titre || !versions[1].Au.IsZero() {
		t.Errorf("versions %+v", versions)
	}
	if again := b.document(t, message.DocumentFacture{FactureID: issued.ID}).Contenu; !bytes.Equal(again, before) {
		t.Error("an issued bill changed with the words")
	}
	manual := functiontest.MustAsk(t, b.Function, staff, message.FermerMention{Code: "gestes", Au: r.PremierJour.AddDays(30), Source: "conseil"})
	if got := functiontest.Code(ask(t, b, staff, message.FermerMention{Code: "gestes", Au: r.PremierJour.AddDays(40), Source: "conseil"})); got != "mention_inconnue" {
		t.Errorf("taken off twice: %q, %+v", got, manual.Mentions)
	}

	alone := message.ReglerControle{Entite: "principale", DeuxPersonnes: false, FortesCentimes: 50_000, FortsLitres: 200_000, Source: "une seule secrétaire"}
	functiontest.MustAsk(t, b.Function, staff, alone)
	functiontest.MustAsk(t, b.Function, staff, alone) // nothing new
	j := functiontest.MustAsk(t, b.Function, staff, message.JournalReglages{}).Items
	if len(j) != 5 || j[0].Objet != "CONTROLE" || !strings.Contains(j[0].Avant, "seconde personne") || !strings.Contains(j[0].Apres, "une seule secrétaire") || j[0].Par != staff.Nom || j[4].Cle != "gestes" {
		t.Errorf("journal %+v", j)
	}
	page := functiontest.MustAsk(t, b.Function, staff, message.JournalReglages{Page: message.Page{Limite: 3}})
	if next := functiontest.MustAsk(t, b.Function, staff, message.JournalReglages{Page: message.Page{Limite: 3, Curseur: page.Suivant}}); len(page.Items) != 3 || len(next.Items) != 2 || next.Items[1].ID != j[4].ID {
		t.Errorf("pages %+v %+v", page, next)
	}

	who := functiontest.Staff()
	who.Droits = map[string]string{"utilisateurs": "lcms"}
	if got := functiontest.Code(ask(t, b, who, alone)); got != "droit_manquant" {
		t.Errorf("without the right: %q", got)
	}
}
