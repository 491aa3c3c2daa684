package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"

	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

// poste sets the codes that an accounting post gives, one product for each account.
func (b *bundle) poste(t *testing.T) {
	t.Helper()
	staff := functiontest.Staff()
	c := message.ReglerPES{Entite: "principale", Poste: "077012", SIRET: "73282932000074", Collectivite: "400", Budget: "00", Libelle: "Eau & assainissement"}
	for i, p := range functiontest.MustAsk(t, b.Function, staff, message.LirePES{}).Produits {
		c.Produits = append(c.Produits, message.ProduitPES{Compte: p.Compte, Code: fmt.Sprintf("P%02d", i)})
	}
	set := functiontest.MustAsk(t, b.Function, staff, c)
	if set.Poste != "077012" || len(set.Produits) < 4 || set.Produits[0].Code != "P00" {
		t.Fatalf("set %+v", set)
	}
}

// fluxPES is what a file says, read apart from what wrote it.
type fluxPES struct {
	Bordereau struct {
		Bloc struct {
			Exer, IdBord, TypBord, NbrPce, MtBordHt, MtBordTVA struct {
				V string `xml:",attr"`
			}
		} `xml:"BlocBordereau"`
		Piece []struct {
			IdPce    attrV `xml:"BlocPiece>IdPce"`
			NumDette attrV `xml:"BlocPiece>NumDette"`
			ObjPce   attrV `xml:"BlocPiece>ObjPce"`
			Ligne    []struct {
				Produit attrV `xml:"BlocLignePiece>InfoLignePiece>CodProdLoc"`
				HT      attrV `xml:"BlocLignePiece>InfoLignePiece>MtHT"`
				TVA     attrV `xml:"BlocLignePiece>InfoLignePiece>MtTVA"`
				Origine attrV `xml:"BlocLignePiece>RattachPiece>IdPceOrig"`
				Nom     attrV `xml:"Tiers>InfoTiers>Nom"`
				Cat     attrV `xml:"Tiers>InfoTiers>CatTiers"`
			} `xml:"LigneDePiece"`
		}
	} `xml:"PES_RecetteAller>Bordereau"`
}

type attrV struct {
	V string `xml:",attr"`
}

func (a attrV) centimes(t *testing.T) int64 {
	t.Helper()
	if a.V == "" {
		return 0
	}
	n, err := strconv.ParseInt(strings.Replace(a.V, ".", "", 1), 10, 64)
	if err != nil || n <= 0 || a.V[len(a.V)-3] != '.' {
		t.Errorf("amount %q", a.V)
	}
	return n
}

// fichier reads the file of a bordereau part by part, each of at most lot pieces.
func (b *bundle) fichier(t *testing.T, role message.Role, lot int) (raw []byte, parts int) {
	t.Helper()
	q := message.FichierRole{RoleID: role.ID, Suite: message.Suite{Lot: lot}}
	for {
		p := functiontest.MustAsk(t, b.Function, functiontest.Staff(), q)
		if n := bytes.Count(p.Contenu, []byte("<Piece>")); n > lot || p.Nom != role.Fichier {
			t.Errorf("a part of %s has %d pieces, want at most %d of %s", p.Nom, n, lot, role.Fichier)
		}
		raw, parts = append(raw, p.Contenu...), parts+1
		if q.Apres = p.Suivant; q.Apres == "" {
			return raw, parts
		}
	}
}

// conforme reads a file and fails the test unless its sums are those of the
// bordereau and its pieces follow each other.
func (b *bundle) conforme(t *testing.T, role message.Role, first int) (f fluxPES) {
	t.Helper()
	raw, _ := b.fichier(t, role, 5000)
	byTwo, parts := b.fichier(t, role, 2)
	if !bytes.Equal(raw, byTwo) || parts != role.Pieces/2+1 {
		t.Errorf("%d parts are not the file", parts)
	}
	d := xml.NewDecoder(bytes.NewReader(raw))
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return charmap.ISO8859_1.NewDecoder().Reader(r), nil }
	if err := d.Decode(&f); err != nil {
		t.Fatalf("%v\n%s", err, raw)
	}
	var ht, tva int64
	for i, p := range f.Bordereau.Piece {
		if p.IdPce.V != fmt.Sprint(first+i) {
			t.Errorf("piece %d has number %s", i, p.IdPce.V)
		}
		for _, l := range p.Ligne {
			ht, tva = ht+l.HT.centimes(t), tva+l.TVA.centimes(t)
			if l.Produit.V == "" || l.Nom.V == "" {
				t.Errorf("line %+v", l)
			}
		}
	}
	bloc := f.Bordereau.Bloc
	if ht != role.HTCentimes || tva != role.TVACentimes || attrV(bloc.MtBordHt).centimes(t) != ht || attrV(bloc.MtBordTVA).centimes(t) != tva ||
		bloc.NbrPce.V != fmt.Sprint(len(f.Bordereau.Piece)) || len(f.Bordereau.Piece) != role.Pieces || bloc.IdBord.V != fmt.Sprintf("%07d", role.Numero) {
		t.Errorf("bordereau %+v of %d pieces, HT %d TVA %d; %+v", bloc, len(f.Bordereau.Piece), ht, tva, role)
	}
	return f
}

func TestRole(t *testing.T) {
	t.Parallel()
	b := setup(t, 0)
	for i, nom := range []string{`"/><Nom V="x`, "L’Œuvre d’Ève & fils <réunis>", "Zoé\x01\u2028Łukasz", strings.Repeat("É", 100), "Владимир", "Durand"} {
		c := contract(i)
		c.Abonne.Nom, c.PDL.Adresse.Voie, c.Abonne.Adresse.Commune = nom, nom, "Brissy"
		b.contrats = append(b.contrats, c)
		b.deliver(t, "contrat", c.ContratID, c)
		b.read(t, c, avril, 130, false)
		b.read(t, c, octobre, 190, false)
	}
	lot := b.issue(t, lotOf(avril, octobre, emises))
	bills := b.bills(t, lot.ID)
	staff := functiontest.Staff()
	role := message.PreparerRole{Nature: "ROLE", LotID: lot.ID, Objet: "Eau, second semestre"}
	refuse := func(c message.PreparerRole, code string) {
		t.Helper()
		if _, err := functiontest.Ask(t, b.Function, staff, c); functiontest.Code(err) != code {
			t.Errorf("%+v: %v, want %s", c, err, code)
		}
	}
	refuse(role, "produit_sans_code")
	// The year of a role is that of its bills; titles have a year and no lot.
	other := role
	other.Exercice = 2025
	refuse(other, "champs_invalides")
	refuse(message.PreparerRole{Nature: "TITRES", LotID: lot.ID, Exercice: 2026, Objet: "Travaux"}, "champs_invalides")
	b.poste(t)
	before := functiontest.MustAsk(t, b.Function, staff, message.Roles{})
	if len(before.ATransmettre) != 1 || before.ATransmettre[0].Pieces != len(bills) || before.ATransmettre[0].LotID != lot.ID || before.ATransmettre[0].TTCCentimes != lot.TTCCentimes {
		t.Errorf("to transmit %+v", before.ATransmettre)
	}
	got := functiontest.MustAsk(t, b.Function, staff, role)
	if got.Numero != 1 || got.Pieces != len(bills) || got.HTCentimes+got.TVACentimes != lot.TTCCentimes || got.Exercice != 2026 || got.Fichier != "PESORMC2026R0000001.xml" {
		t.Errorf("got %+v of a lot of %d", got, lot.TTCCentimes)
	}
	f := b.conforme(t, got, 1)
	if f.Bordereau.Bloc.TypBord.V != "06" || f.Bordereau.Piece[0].NumDette.V != "2026000001" || len(f.Bordereau.Piece[0].Ligne) != 3 {
		t.Errorf("file %+v", f.Bordereau.Piece[0])
	}
	if nom := f.Bordereau.Piece[0].Ligne[0].Nom.V; !strings.Contains(nom, `"/><Nom V="x`) {
		t.Errorf("the first debtor is %q", nom)
	}
	// What was transmitted is not transmitted again.
	refuse(role, "rien_a_transmettre")
	if after := functiontest.MustAsk(t, b.Function, staff, message.Roles{}); len(after.ATransmettre) != 0 || len(after.Items) != 1 {
		t.Errorf("after it: %+v", after)
	}

	// Codes that change are for bordereaux to come.
	issued, _ := b.fichier(t, got, 5000)
	functiontest.MustAsk(t, b.Function, staff, message.ReglerPES{Entite: "principale", Poste: "077099", SIRET: "73282932000074", Collectivite: "401", Budget: "01", Libelle: "Autre",
		Produits: []message.ProduitPES{{Compte: "70111", Code: "Z"}}})
	if after, _ := b.fichier(t, got, 5000); !bytes.Equal(issued, after) {
		t.Error("a bordereau changed with the settings")
	}
	b.poste(t)

	// Single bills are titles, numbered on through the year; an avoir takes one back; that of a bill of a role is not for a file.
	year := message.DateOf(time.Now()).Year()
	titres := message.PreparerRole{Nature: "TITRES", Exercice: year, Objet: "Travaux", PremierNumero: 41}
	refuse(titres, "rien_a_transmettre")
	one := b.manual(t, b.contrats[5].ContratID, 10_000)
	b.manual(t, b.contrats[1].ContratID, 999)
	first := functiontest.MustAsk(t, b.Function, staff, titres)
	if b.conforme(t, first, 1); first.Numero != 41 || first.Pieces != 2 {
		t.Errorf("titles %+v", first)
	}
	b.manual(t, b.contrats[2].ContratID, 1)
	next := functiontest.MustAsk(t, b.Function, staff, titres)
	if b.conforme(t, next, 3); next.Numero != 42 || next.Pieces != 1 {
		t.Errorf("the next titles %+v", next)
	}
	functiontest.MustAsk(t, b.Function, staff, message.EmettreAvoir{FactureID: one.ID, Motif: "geste", Lignes: []message.LigneAvoir{{Code: one.Lignes[1].Code, HTCentimes: 100}}})
	functiontest.MustAsk(t, b.Function, staff, message.EmettreAvoir{FactureID: bills[0].ID, Motif: "fuite", Lignes: []message.LigneAvoir{{Code: functiontest.MustAsk(t, b.Function, staff, message.FactureParID{ID: bills[0].ID}).Lignes[0].Code, HTCentimes: 100}}})
	var outside, reductions int
	for _, w := range functiontest.MustAsk(t, b.Function, staff, message.Roles{}).ATransmettre {
		switch w.Nature {
		case "HORS_FICHIER":
			outside += w.Pieces
		case "REDUCTIONS":
			reductions += w.Pieces
		default:
			t.Errorf("waits: %+v", w)
		}
	}
	if outside != 1 || reductions != 1 {
		t.Errorf("%d outside files, %d reductions", outside, reductions)
	}
	back := functiontest.MustAsk(t, b.Function, staff, message.PreparerRole{Nature: "REDUCTIONS", Exercice: year, Objet: "Réductions"})
	r := b.conforme(t, back, 1)
	if l := r.Bordereau.Piece[0].Ligne; len(l) != 1 || l[0].Origine.V != "1" || l[0].HT.V != "1.00" || r.Bordereau.Bloc.TypBord.V != "02" {
		t.Errorf("reduction %+v", r.Bordereau)
	}
	// A bill that was taken back before anybody asked for it asks for nothing.
	gone := b.manual(t, b.contrats[3].ContratID, 5000)
	functiontest.MustAsk(t, b.Function, staff, message.EmettreAvoir{FactureID: gone.ID, Motif: "erreur"})
	refuse(titres, "rien_a_transmettre")

	// A role that was refused is another one whole: its articles begin at 1 again, for the same debts.
	functiontest.MustAsk(t, b.Function, staff, message.RepondreRole{RoleID: got.ID, Etat: "REFUSE", Le: message.DateOf(time.Now()), Motif: "budget inconnu"})
	resent := functiontest.MustAsk(t, b.Function, staff, role)
	if p := b.conforme(t, resent, 1).Bordereau.Piece[0]; resent.Numero != 2 || resent.Pieces != got.Pieces || !slices.Equal(resent.Reprend, []int{1}) || p.NumDette.V != "2026000001" {
		t.Errorf("resent %+v, %+v", resent, p)
	}

	functiontest.MustAsk(t, b.Function, staff, message.ReglerComptabilite{Entite: "principale", Regime: "PRIVE", TVAExigibilite: "DEBITS"})
	b.manual(t, b.contrats[3].ContratID, 5000)
	refuse(titres, "regime_prive")
	b.balanced(t)
}

// What the accountant refused keeps its number and its file, and its documents
// go on under the next; what it took in charge stands.
func TestRefusedBordereau(t *testing.T) {
	t.Parallel()
	b := setup(t, 3)
	b.poste(t)
	staff, today := functiontest.Staff(), message.DateOf(time.Now())
	prepare := func(nature string, pieces, numero int) message.Role {
		t.Helper()
		r := functiontest.MustAsk(t, b.Function, staff, message.PreparerRole{Nature: nature, Exercice: today.Year(), Objet: "Travaux"})
		if r.Numero != numero || r.Pieces != pieces || r.Reponse != nil {
			t.Fatalf("%+v, want number %d of %d", r, numero, pieces)
		}
		return r
	}
	waits := func(want string) {
		t.Helper()
		var all []string
		for _, w := range functiontest.MustAsk(t, b.Function, staff, message.Roles{}).ATransmettre {
			all = append(all, fmt.Sprintf("%s %d", w.Nature, w.Pieces))
		}
		if got := strings.Join(all, ", "); got != want {
			t.Errorf("%s wait, want %s", got, want)
		}
	}
	answer := func(c message.RepondreRole, code string) message.Role {
		t.Helper()
		r, err := functiontest.Ask(t, b.Function, staff, c)
		if functiontest.Code(err) != code {
			t.Errorf("%+v: %v, want %q", c, err, code)
		}
		return r
	}
	refusal := func(r message.Role) message.RepondreRole {
		return message.RepondreRole{RoleID: r.ID, Etat: "REFUSE", Le: today, Motif: "code produit inconnu"}
	}

	one := b.manual(t, b.contrats[0].ContratID, 10_000)
	b.manual(t, b.contrats[1].ContratID, 999)
	first := prepare("TITRES", 2, 1)
	b.manual(t, b.contrats[2].ContratID, 500)
	second := prepare("TITRES", 1, 2)
	functiontest.MustAsk(t, b.Function, staff, message.EmettreAvoir{FactureID: one.ID, Motif: "geste", Lignes: []message.LigneAvoir{{Code: one.Lignes[1].Code, HTCentimes: 100}}})
	reductions := prepare("REDUCTIONS", 1, 1)
	sent, _ := b.fichier(t, first, 5000)
	reduced, _ := b.fichier(t, reductions, 5000)

	c := refusal(first)
	answer(c, "titres_reduits")
	c.Le = today.AddDays(1)
	answer(c, "date_future")
	c.Le = today.AddDays(-1)
	answer(c, "avant_bordereau")
	c = refusal(first)
	c.Motif = ""
	answer(c, "champs_invalides")
	reader := staff
	reader.Droits = map[string]string{"comptabilite": "lcmse"}
	if _, err := functiontest.Ask(t, b.Function, reader, refusal(first)); functiontest.Code(err) != "droit_manquant" {
		t.Errorf("without the right to validate: %v", err)
	}
	waits("")

	answer(refusal(reductions), "")
	waits("REDUCTIONS 1")
	refused := answer(refusal(first), "")
	if a := refused.Reponse; refused.Numero != 1 || a == nil || a.Etat != "REFUSE" || a.Le != today || a.Motif != "code produit inconnu" || a.CreePar != staff.ID || a.CreeNom != staff.Nom {
		t.Errorf("refused %+v, %+v", refused, a)
	}
	waits("TITRES 2, HORS_FICHIER 1") // an avoir goes with the title it takes back
	answer(refusal(first), "role_refuse")

	again := prepare("TITRES", 2, 3)
	if b.conforme(t, again, 4); !slices.Equal(again.Reprend, []int{1}) {
		t.Errorf("takes up %v", again.Reprend)
	}
	back := prepare("REDUCTIONS", 1, 2)
	if l := b.conforme(t, back, 2).Bordereau.Piece[0].Ligne; l[0].Origine.V != "4" || !slices.Equal(back.Reprend, []int{1}) {
		t.Errorf("takes %+v of %v back", l, back.Reprend)
	}
	waits("")
	for r, before := range map[*message.Role][]byte{&first: sent, &reductions: reduced} {
		if after, _ := b.fichier(t, *r, 5000); !bytes.Equal(before, after) {
			t.Errorf("%s changed after it was refused", r.Fichier)
		}
	}

	// What was taken in charge is not refused any more.
	c = message.RepondreRole{RoleID: second.ID, Etat: "PRIS_EN_CHARGE", Le: today}
	if r := answer(c, ""); r.Reponse.Etat != "PRIS_EN_CHARGE" || len(r.Reprend) != 0 {
		t.Errorf("taken in charge: %+v", r)
	}
	answer(refusal(second), "role_pris_en_charge")
	if all := functiontest.MustAsk(t, b.Function, staff, message.Roles{}).Items; len(all) != 5 || all[4].Reponse == nil || all[1].Reponse != nil {
		t.Errorf("listed: %+v", all)
	}

	// The database holds it too.
	for sql, want := range map[string]string{
		"update role_article set refuse = true":                                                                      "permission denied",
		"update role_reponse set etat = 'PRIS_EN_CHARGE', motif = ''":                                                "permission denied",
		"insert into role_article select role_id, rang + 100, facture_id from role_article where not refuse limit 1": "role_article_tenu",
	} {
		if err := b.sql(t, sql); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", sql, err, want)
		}
	}
}

// The lines of a title are above zero, and sum to the document to the centime.
func TestLinesOfATitle(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lignes []message.LigneFacture
		want   int
	}{
		"by account and rate": {[]message.LigneFacture{{Rubrique: "distribution", TVAPM: 55, HTCentimes: 101}, {Rubrique: "organismes_publics", TVAPM: 55, HTCentimes: 103}, {Rubrique: "eaux_usees", TVAPM: 100, HTCentimes: 77}, {Rubrique: "distribution", TVAPM: 55, HTCentimes: 1}}, 3},
		"an estimate back":    {[]message.LigneFacture{{Rubrique: "distribution", TVAPM: 55, HTCentimes: 1000}, {Rubrique: "eaux_usees", TVAPM: 100, HTCentimes: -20}}, 1},
		"nothing of one":      {[]message.LigneFacture{{Rubrique: "distribution", TVAPM: 55, HTCentimes: 1000}, {Rubrique: "eaux_usees", TVAPM: 100, HTCentimes: 20}, {Rubrique: "eaux_usees", TVAPM: 100, HTCentimes: -20}}, 1},
		"an avoir":            {[]message.LigneFacture{{Rubrique: "distribution", TVAPM: 55, HTCentimes: -1001}, {Rubrique: "organismes_publics", TVAPM: 55, HTCentimes: -500}}, 2},
	} {
		tva := tvaDe(c.lignes)
		var ht, taxe, gotHT, gotTVA int64
		for _, l := range c.lignes {
			ht += l.HTCentimes
		}
		for _, v := range tva {
			taxe += v.MontantCentimes
		}
		got := lignesPES(c.lignes, tva)
		for _, l := range got {
			gotHT, gotTVA = gotHT+l.HT, gotTVA+l.TVA
			if l.HT == 0 || (l.HT > 0) != (ht > 0) || l.TVA != 0 && (l.TVA > 0) != (ht > 0) {
				t.Errorf("%s: line %+v", name, l)
			}
		}
		if len(got) != c.want || gotHT != ht || gotTVA != taxe {
			t.Errorf("%s: %+v, want %d lines of %d and %d", name, got, c.want, ht, taxe)
		}
	}
}
