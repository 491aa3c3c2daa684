package main

import (
	"strings"
	"testing"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

// A household is helped from the day of its evidence on, and a social tariff can be renewed and ended.
func TestHelpedHousehold(t *testing.T) {
	t.Parallel()
	b, bills := late(t, 2)
	staff, abonne := functiontest.Staff(), bills[0].AbonneID
	of := func() message.ListeAides {
		t.Helper()
		return functiontest.MustAsk(t, b.Function, staff, message.AidesDe{AbonneID: abonne})
	}
	if l := of(); l.Aidee || len(l.Aides) != 0 || len(l.Suspensions) != 0 {
		t.Errorf("before: %+v", l)
	}
	jpeg := []byte("\xff\xd8\xff la notification")
	social := message.EnregistrerAide{AbonneID: abonne, Nature: "TARIF_SOCIAL", Du: now().AddDays(-10), Au: now().AddDays(20), Justificatif: "Attestation CAF du 3 mars",
		DocumentNom: "caf.jpg", DocumentMime: "image/jpeg", Document: jpeg}
	a := functiontest.MustAsk(t, b.Function, staff, social)
	if !a.EnCours || a.EffetJusqua != social.Au || a.DocumentNom != "caf.jpg" || !of().Aidee {
		t.Errorf("granted %+v", a)
	}
	if d := functiontest.MustAsk(t, b.Function, staff, message.DocumentAide{AideID: a.ID}); string(d.Contenu) != string(jpeg) || d.Mime != "image/jpeg" {
		t.Errorf("evidence %+v", d)
	}
	change := func(f func(*message.EnregistrerAide)) message.EnregistrerAide { c := social; f(&c); return c }
	for code, c := range map[string]message.EnregistrerAide{
		"aide_en_cours":      change(func(c *message.EnregistrerAide) { c.Du, c.Au = now().AddDays(20), message.Date{} }),
		"periode_vide":       change(func(c *message.EnregistrerAide) { c.Au = c.Du.AddDays(-1) }),
		"document_illisible": change(func(c *message.EnregistrerAide) { c.DocumentMime = "application/pdf" }),
		"champs_invalides":   change(func(c *message.EnregistrerAide) { c.Justificatif = "" }),
	} {
		if _, err := functiontest.Ask(t, b.Function, staff, c); functiontest.Code(err) != code {
			t.Errorf("%s: %v", code, err)
		}
	}
	if _, err := b.DB.Exec(t.Context(), "insert into aide (id, abonne_id, nature, du, au, cree_a, cree_par) select gen_random_uuid(), abonne_id, nature, du + 5, null, now(), '' from aide"); err == nil {
		t.Error("the table lets a household have two social tariffs on a day")
	}
	next := functiontest.MustAsk(t, b.Function, staff, change(func(c *message.EnregistrerAide) {
		c.Du, c.Au, c.Document = social.Au.AddDays(1), message.Date{}, nil
		c.DocumentNom, c.DocumentMime = "", ""
	}))
	if next.EnCours || !next.EffetJusqua.IsZero() {
		t.Errorf("renewed %+v", next)
	}
	fund := functiontest.MustAsk(t, b.Function, staff, message.EnregistrerAide{AbonneID: abonne, Nature: "FSL", Du: now().AddDays(-30), Justificatif: "Décision 77-123"})
	for code, c := range map[string]message.CloreAide{
		"fin_plus_tardive": {AideID: a.ID, Au: social.Au},
		"periode_vide":     {AideID: a.ID, Au: social.Du.AddDays(-1)},
		"aide_ponctuelle":  {AideID: fund.ID, Au: now()},
		"aide_inconnue":    {AideID: function.NewID(), Au: now()},
	} {
		if _, err := functiontest.Ask(t, b.Function, staff, c); functiontest.Code(err) != code {
			t.Errorf("%s: %v", code, err)
		}
	}
	if got := functiontest.MustAsk(t, b.Function, staff, message.CloreAide{AideID: a.ID, Au: now().AddDays(-1)}); got.EnCours || got.Au != now().AddDays(-1) {
		t.Errorf("ended %+v", got)
	}
	l := of()
	if len(l.Aides) != 3 || l.Aides[0].ID != next.ID || !l.Aidee { // the fund's help counts for months
		t.Errorf("got %+v", l)
	}
	functiontest.MustAsk(t, b.Function, staff, message.SuspendreRelances{AbonneID: abonne, Motif: "FSL", DeposeLe: now().AddDays(-2), Detail: "Dossier 77-1"})
	if l = of(); len(l.Suspensions) != 1 || l.Suspensions[0].Motif != "FSL" || l.Suspensions[0].DeposeLe != now().AddDays(-2) || l.Suspensions[0].Jusqua.Before(now()) {
		t.Errorf("held %+v", l.Suspensions)
	}
	// The social tariff on the bills of a contract is help as well.
	other := bills[1]
	functiontest.MustAsk(t, b.Function, staff, message.AccorderProfil{ContratID: other.ContratID, Profil: "SOCIAL", Du: now(), Au: now().AddDays(30), Justificatif: "CAF"})
	if l := functiontest.MustAsk(t, b.Function, staff, message.AidesDe{AbonneID: other.AbonneID}); !l.Aidee {
		t.Errorf("a social tariff is no help: %+v", l)
	}
}

// How a level goes is data with dates; what the law wants in writing stays so.
func TestChannelOfALevel(t *testing.T) {
	t.Parallel()
	b, _ := late(t, 1)
	staff := functiontest.Staff()
	if _, err := functiontest.Ask(t, b.Function, staff, message.ReglerCanalRelance{Niveau: 1, Canal: "SMS"}); functiontest.Code(err) != "ecrit_exige" {
		t.Errorf("no letter: %v", err)
	}
	if _, err := functiontest.Ask(t, b.Function, staff, message.ReglerCanalRelance{Niveau: 9, Canal: "SMS"}); functiontest.Code(err) != "niveau_inconnu" {
		t.Errorf("no level: %v", err)
	}
	for _, canal := range []string{"ECRIT_SMS", "ECRIT_SMS", "ECRIT", "ECRIT_SMS"} { // changed twice in a day
		l := functiontest.MustAsk(t, b.Function, staff, message.ReglerCanalRelance{Niveau: 1, Canal: canal})
		if len(l.Niveaux) != 2 || l.Niveaux[0].Canal != canal || l.Niveaux[1].Canal != "ECRIT" || !l.Niveaux[0].EcritExige || l.Niveaux[0].PreavisJours != 15 {
			t.Errorf("%s: %+v", canal, l.Niveaux)
		}
	}
	if n := b.Count(t, "select count(*) from niveau_relance where niveau = 1 and canal = 'ECRIT' and upper(periode) = $1", now()); n != 1 {
		t.Errorf("what was in force before is gone")
	}
	b.sleep(t, 31)
	b.wake(t)
	if l := b.letters(t); len(l) != 1 || l[0].Canal != "ECRIT_SMS" {
		t.Errorf("letters %+v", l)
	}
	if _, err := b.DB.Exec(t.Context(), "update niveau_relance set canal = 'SMS'"); err == nil {
		t.Error("the table lets a letter of the law go by text message alone")
	}
}

// Letters are drawn on sheets of their own, with the address in the window; a long one goes on over pages.
func TestPrintedLetters(t *testing.T) {
	t.Parallel()
	b, bills := late(t, 2)
	long := strings.Repeat("Une phrase qui se répète jusqu’à remplir plus d’une page de cette lettre.\n", 60) + "Fin de la lettre."
	adresse := message.Adresse{Voie: "12 rue du Lavoir", Complement: "Bâtiment B", CodePostal: "77999", Commune: "Brissy-sur-Loing"}
	q := message.ImprimerLettres{Titre: "Lettres 12AB", Lettres: []message.Lettre{
		{Nom: "Zoé Durand", Adresse: adresse, Date: avril, Objet: "Rappel : factures d’eau à régler", Texte: "Bonjour Zoé Durand,\n\nTotal : 266,20\u00a0€"},
		{FactureID: bills[1].ID},
		{Nom: "Long Martin", Adresse: adresse, Date: avril, Objet: "Longue lettre", Texte: long},
	}}
	d := functiontest.MustAsk(t, b.Function, functiontest.Staff(), q)
	checkPDF(t, d.Contenu)
	if d.Nom != "lettres-12ab.pdf" {
		t.Errorf("named %s", d.Nom)
	}
	pages := strings.Split(lu(t, d.Contenu), "\f")
	if len(pages)-1 != 6 { // two for each: one and a blank back, a bill, two full ones
		t.Fatalf("%d pages", len(pages)-1)
	}
	for i, want := range map[int]string{0: "Bâtiment B", 2: bills[1].Numero, 4: "Long Martin", 5: "Fin de la lettre."} {
		if !strings.Contains(pages[i], want) {
			t.Errorf("page %d does not show %q:\n%s", i+1, want, pages[i])
		}
	}
	if strings.TrimSpace(pages[1]) != "" {
		t.Errorf("the back of a letter of one page is not blank:\n%s", pages[1])
	}
	if again := functiontest.MustAsk(t, b.Function, functiontest.Staff(), q); string(again.Contenu) != string(d.Contenu) {
		t.Error("printed again, it is another file")
	}
	q.Lettres[1].FactureID = function.NewID()
	if _, err := functiontest.Ask(t, b.Function, functiontest.Staff(), q); functiontest.Code(err) != "facture_inconnue" {
		t.Errorf("a bill that is none: %v", err)
	}
}

// The file of a litigation shows what is owed, all that was done, and the numbers of its documents.
func TestLitigationOnPaper(t *testing.T) {
	t.Parallel()
	b, bills := exhausted(t, 1)
	staff, f := functiontest.Staff(), bills[0]
	c := functiontest.MustAsk(t, b.Function, staff, message.OuvrirContentieux{AbonneID: f.AbonneID, Motif: "Relances sans effet"})
	act := message.AjouterActe{ContentieuxID: c.ID, Nature: "MISE_EN_DEMEURE", Le: now(), Detail: "Recommandé 1A 123", DocumentNom: "recommande.pdf", DocumentMime: "application/pdf", Document: []byte("%PDF-1.7 x")}
	functiontest.MustAsk(t, b.Function, staff, act)
	act.Document, act.DocumentNom, act.DocumentMime, act.Nature, act.Detail = nil, "", "", "NOTE", strings.Repeat("Un appel resté sans réponse. ", 40)
	var full message.FicheContentieux
	for range 12 {
		full = functiontest.MustAsk(t, b.Function, staff, act)
	}
	codes := []string{}
	for _, e := range full.Evenements {
		codes = append(codes, e.Code)
		if e.Numero != f.Numero {
			t.Errorf("event %+v", e)
		}
	}
	if got := strings.Join(codes, " "); got != "OUVERT LETTRE LETTRE_PARTIE LETTRE LETTRE_PARTIE A_TRANSMETTRE CONTENTIEUX" {
		t.Errorf("history %q", got)
	}
	d := functiontest.MustAsk(t, b.Function, staff, message.ImprimerContentieux{ContentieuxID: c.ID})
	checkPDF(t, d.Contenu)
	shows(t, d.Contenu, "Dossier de contentieux", f.Nom, f.Numero, "266,20 €", "Relances sans effet", "Second courrier", "Lettre partie", "Mise en demeure recommandée", "pièce n° 1, recommande.pdf")
	if text := lu(t, d.Contenu); strings.Contains(text, "Issue") || strings.Count(text, "Un appel") < 12 || strings.Count(text, "\f") < 2 {
		t.Errorf("something is missing:\n%s", text)
	}
}

// Letters and litigation come from the entity that bills, not from the service as it was configured.
func TestPapersOfAnotherEntity(t *testing.T) {
	t.Parallel()
	b, bills := exhausted(t, 1)
	staff := functiontest.Staff()
	functiontest.MustAsk(t, b.Function, staff, syndicat)
	b.unguarded(t, "update facture set entite = 'syndicat'")
	q := message.ImprimerLettres{Titre: "Lettres", Lettres: []message.Lettre{{Nom: "Zoé", Date: avril, Objet: "Rappel", Texte: "Bonjour", Reference: b.letters(t)[0].CourrierID}}}
	c := functiontest.MustAsk(t, b.Function, staff, message.OuvrirContentieux{AbonneID: bills[0].AbonneID, Motif: "Relances sans effet"})
	for _, d := range []message.Document{functiontest.MustAsk(t, b.Function, staff, q), functiontest.MustAsk(t, b.Function, staff, message.ImprimerContentieux{ContentieuxID: c.ID})} {
		shows(t, d.Contenu, syndicat.Nom)
		hides(t, d.Contenu, regie.Nom)
	}
	// What tells of nobody's bill is the service's.
	q.Lettres[0].Reference = function.NewID()
	shows(t, functiontest.MustAsk(t, b.Function, staff, q).Contenu, regie.Nom)
}
