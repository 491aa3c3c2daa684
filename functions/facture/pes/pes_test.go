package pes

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/text/encoding/charmap"
)

// element is what the DGFiP's schemas (Schemas_PES v4.71: Class_Enveloppe,
// Class_EntetePES, PES_RecetteAller, Class_BordereauRecetteAller,
// Class_TitreAller, Class_LigneTitreAller, Class_InfoTiersRecette,
// Class_Adresse) say of an element: its children in their order, or the form
// of its V. The schemas bear no licence to be given on, so what they say is
// written again here, apart from the writer.
type element struct {
	name     string
	least    int
	most     int // 0: any number
	value    string
	children []element
}

func one(name, value string) element        { return element{name, 1, 1, value, nil} }
func opt(name, value string) element        { return element{name, 0, 1, value, nil} }
func in(name string, c ...element) element  { return element{name, 1, 1, "", c} }
func may(name string, c ...element) element { return element{name, 0, 1, "", c} }
func all(name string, c ...element) element { return element{name, 1, 0, "", c} }

const (
	jour  = `\d{4}-\d{2}-\d{2}`
	euros = `\d{1,12}\.\d{2}`
)

func num(n int) string   { return fmt.Sprintf(`[0-9]{1,%d}`, n) }
func txt(n int) string   { return fmt.Sprintf(`.{1,%d}`, n) }
func alnum(n int) string { return fmt.Sprintf(`[0-9a-zA-Z]{1,%d}`, n) }

var aller = in("PES_Aller",
	in("Enveloppe",
		in("Parametres", one("Version", `[0-9]{1,2}`), one("TypFic", `PESORMC|PESALR1`), one("NomFic", txt(100))),
		may("Emetteur", opt("Sigle", txt(32)), opt("Adresse", txt(38)))),
	in("EnTetePES", one("DteStr", jour), one("IdPost", txt(7)), opt("LibellePoste", txt(38)), one("IdColl", `[0-9]{14}`), opt("FinJur", alnum(20)),
		one("CodCol", `[0-9a-zA-Z]{3}`), opt("CodBud", `[0-9A-Z][0-9]`), opt("LibelleColBud", txt(38))),
	in("PES_RecetteAller",
		in("EnTeteRecette", one("IdVer", `2`), opt("InfoDematerialisee", `[01]`)),
		all("Bordereau",
			in("BlocBordereau", one("Exer", `[0-9]{4}`), one("IdBord", `[0-9]{7}`), one("DteBordEm", jour), one("TypBord", `01|02|03|06`), one("NbrPce", `[1-9][0-9]{0,4}`),
				opt("MtCumulAnnuel", euros), one("MtBordHt", euros), opt("MtBordTVA", euros), opt("DteAsp", jour), opt("Objet", txt(160))),
			all("Piece",
				in("BlocPiece", opt("CodServ", txt(10)), opt("Affect", txt(10)), one("IdPce", `[1-9][0-9]{0,7}`), one("TypPce", `0[1-79]|1[0-245]`), one("NatPce", `0[1-9]|1[018]`),
					opt("IdRol", num(7)), opt("DteAsp", jour), opt("Edition", `0[1-6]`), opt("ObjPce", txt(160)), opt("DebFact", jour), opt("FinFact", jour),
					opt("NumDette", num(15)), opt("Per", `[0-9]`), opt("Cle1", `[0-9]`), opt("Cle2", `[A-Y]`)),
				all("LigneDePiece",
					in("BlocLignePiece",
						in("InfoLignePiece", one("IdLigne", `[1-9][0-9]{0,5}`), opt("ObjLignePce", txt(160)), one("CodProdLoc", alnum(4)), one("Nature", num(12)), opt("Fonction", num(10)),
							opt("Operation", alnum(10)), opt("TxTva", `\d{1,2}\.\d{2}`), one("Majo", `[01]`), opt("DteMajo", jour), opt("TxMajo", `.*`), opt("CpteTiers", num(12)),
							one("TvaIntraCom", `[01]`), one("MtHT", euros), opt("MtTVA", euros)),
						may("RattachPiece", one("NatPceOrig", `0[1235]`), one("ExerRat", `[0-9]{4}`), one("IdPceOrig", num(13)), opt("IdLigneOrig", num(6)))),
					may("Tiers",
						in("InfoTiers", opt("IdTiers", `.{9,15}`), opt("DteNaissance", jour), opt("NatIdTiers", `0[1-9]`), opt("DteIdTiers", jour), opt("RefTiers", txt(30)),
							one("CatTiers", `01|2[0-9]|50|6[0-5]|7[0-4]`), one("NatJur", `0[0-9]|1[01]`), one("TypTiers", `0[1-7]`), opt("Civilite", txt(10)),
							one("Nom", txt(38)), opt("ComplNom", txt(38)), opt("Prenom", txt(38))),
						in("Adresse", one("TypAdr", `[0-2]`), opt("Adr1", txt(38)), opt("Adr2", txt(38)), opt("Adr3", txt(38)), one("CP", `[0-9]{5}`), one("Ville", txt(38)),
							one("CodRes", `[01]`), opt("CodPays", num(3)))))))))

// node is what was read.
type node struct {
	XMLName xml.Name
	V       *string    `xml:"V,attr"`
	Attrs   []xml.Attr `xml:",any,attr"`
	Nodes   []node     `xml:",any"`
	Text    string     `xml:",chardata"`
}

func lire(raw []byte) (root node, err error) {
	d := xml.NewDecoder(bytes.NewReader(raw))
	d.CharsetReader = func(name string, r io.Reader) (io.Reader, error) {
		if name != "ISO-8859-1" {
			return nil, fmt.Errorf("charset %s", name)
		}
		return charmap.ISO8859_1.NewDecoder().Reader(r), nil
	}
	return root, d.Decode(&root)
}

// conforme tells where a node is not what the schemas ask.
func conforme(n node, e element, path string) error {
	path += "/" + e.name
	if n.XMLName.Local != e.name || strings.TrimSpace(n.Text) != "" {
		return fmt.Errorf("%s: %s %q", path, n.XMLName.Local, n.Text)
	}
	if e.children == nil {
		if n.V == nil || len(n.Nodes) > 0 || !regexp.MustCompile(`^(?:`+e.value+`)$`).MatchString(*n.V) {
			return fmt.Errorf("%s is not %s: %+v", path, e.value, n)
		}
		return nil
	}
	rest := n.Nodes
	for _, c := range e.children {
		found := 0
		for len(rest) > 0 && rest[0].XMLName.Local == c.name && (c.most == 0 || found < c.most) {
			if err := conforme(rest[0], c, path); err != nil {
				return err
			}
			rest, found = rest[1:], found+1
		}
		if found < c.least {
			return fmt.Errorf("%s has no %s", path, c.name)
		}
	}
	if len(rest) > 0 {
		return fmt.Errorf("%s: %s is out of order", path, rest[0].XMLName.Local)
	}
	return nil
}

// Conforme fails the test where a file is not what the schemas ask, and holds it against xmllint's idea of XML when that is there.
func conformeFichier(t *testing.T, raw []byte) node {
	t.Helper()
	root, err := lire(raw)
	if err != nil {
		t.Fatal(err)
	}
	if root.XMLName.Space != "http://www.minefi.gouv.fr/cp/helios/pes_v2/Rev0/aller" {
		t.Errorf("namespace %s", root.XMLName.Space)
	}
	if err := conforme(root, aller, ""); err != nil {
		t.Error(err)
	}
	if lint, err := exec.LookPath("xmllint"); err == nil {
		cmd := exec.Command(lint, "--noout", "--nonet", "-")
		cmd.Stdin = bytes.NewReader(raw)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("xmllint: %s", out)
		}
	}
	return root
}

func exemple(nature string, pieces ...Piece) (Bordereau, []byte) {
	b := Bordereau{Nature: Natures[nature], Fichier: "ROLE.xml", Emetteur: "Régie d’eau", Date: "2026-10-15", Poste: "077012", SIRET: "21770001400012", Collectivite: "400", Budget: "00",
		Libelle: "Eau & assainissement", Exercice: 2026, Numero: 7, Pieces: len(pieces), Objet: "Facturation <2026>"}
	for _, p := range pieces {
		for _, l := range p.Lignes {
			b.HT, b.TVA = b.HT+l.HT, b.TVA+l.TVA
		}
	}
	out := b.Debut()
	for _, p := range pieces {
		out = append(out, b.Piece(p)...)
	}
	return b, append(out, b.Fin()...)
}

func piece(nom string) Piece {
	return Piece{Rang: 1, Objet: "Facture F2026-000017", Dette: "2026000017", Periode: 4,
		Tiers:  Tiers{Reference: "C-I-77223-26-00001", Categorie: "01", Nature: "01", Nom: nom, Voie: "1 rue des Lilas", CodePostal: "77116", Ville: "Guercheville"},
		Lignes: []Ligne{{"Eau", "EAU", "70111", 55, 12_345, 679, 2}, {"Organismes", "ORG", "70128", 0, 5, 0, 1}}}
}

func TestStructure(t *testing.T) {
	t.Parallel()
	societe := piece("Établissements L’Œuvre du Château d’Eau de la Vallée de l’Yerres et de ses affluents réunis")
	societe.SIREN, societe.Categorie, societe.Nature, societe.Complement = "552100554", "60", "03", "Bâtiment <B>"
	retrait := piece("Zoé")
	retrait.Origine = &Origine{2026, 4}
	for nature, p := range map[string]Piece{"ROLE": piece("Zoé"), "TITRES": societe, "REDUCTIONS": retrait} {
		_, raw := exemple(nature, p, p)
		root := conformeFichier(t, raw)
		if got := root.Nodes[2].Nodes[1].Nodes[0]; *got.Nodes[5].V != "247.00" || *got.Nodes[6].V != "13.58" || *got.Nodes[4].V != "2" || *got.Nodes[1].V != "0000007" {
			t.Errorf("%s: bordereau %+v", nature, got)
		}
	}
}

// The test of the structure sees what is wrong.
func TestStructureRefuses(t *testing.T) {
	t.Parallel()
	_, raw := exemple("ROLE", piece("Zoé"))
	for _, c := range [][2]string{
		{`<CodProdLoc V="EAU"/>`, ``}, {`<Majo V="0"/><TvaIntraCom V="0"/>`, `<TvaIntraCom V="0"/><Majo V="0"/>`}, {`V="123.45"`, `V="123,45"`},
		{`<IdPost V="077012"/>`, `<IdPost V="07701234"/>`}, {`<CP V="77116"/>`, `<CP V=""/>`}, {`<TypBord V="06"/>`, `<TypBord V="04"/>`}, {`<CodRes V="0"/>`, `<CodRes V="0"/><Autre V="1"/>`},
	} {
		spoilt := strings.Replace(string(raw), c[0], c[1], 1)
		if spoilt == string(raw) {
			t.Fatalf("%s is not there", c[0])
		}
		if root, err := lire([]byte(spoilt)); err == nil && conforme(root, aller, "") == nil {
			t.Errorf("%s in place of %s is accepted", c[1], c[0])
		}
	}
}

// What people are called, and what they may type, never breaks a file.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		`"/><Nom V="Autre`:                  `"/><Nom V="Autre`,
		"A\x00\x0b\tB\r\nC\u0085D\u00adE":   "A B C D E",
		"Œuvre d’Ève — 10 € … ‘x’":          "OEuvre d'Ève - 10 EUR ... 'x'",
		"Łukasz Dvořák Nguyễn Çelik ÿ Ÿ":    "Lukasz Dvorák Nguyen Çelik ÿ Y",
		"Владимир 株式会社 🚰":                   "???????? ???? ?",
		"]]>&amp;<!ENTITY x SYSTEM 'file'>": "]]>&amp;<!ENTITY x SYSTEM 'file'>",
		"e\u0301te\u0301":                   "été",
	} {
		p := piece(typed)
		p.Ville, p.Voie, p.Objet = typed, typed, typed
		_, raw := exemple("ROLE", p)
		root := conformeFichier(t, raw)
		info := root.Nodes[2].Nodes[1].Nodes[1].Nodes[1].Nodes[1].Nodes[0]
		for _, n := range info.Nodes {
			if n.XMLName.Local == "Nom" && *n.V != want {
				t.Errorf("%q became %q, want %q", typed, *n.V, want)
			}
		}
		if !bytes.HasPrefix(raw, []byte(`<?xml version="1.0" encoding="ISO-8859-1"?>`)) {
			t.Error("no encoding is declared")
		}
	}
	long := strings.Repeat("É", 200)
	if got := Texte(long, 38); len(got) != 38 || got[0] != 0xc9 {
		t.Errorf("cut to %d bytes", len(got))
	}
}

// The key of an article, by the long division of the DGFiP's text: the remainder of 26 4 00 0002026000017 by 23.
func TestCle2(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		exercice, periode int
		dette             string
		rest              int
	}{{2026, 4, "2026000017", int(264000002026000017 % 23)}, {2026, 1, "1", int(261000000000000001 % 23)}, {2030, 4, "9999999999999", int(304009999999999999 % 23)}} {
		if got, want := cle2(c.exercice, c.periode, c.dette), "ABCDEFGHJKLMNPQRSTUVWXY"[c.rest:c.rest+1]; got != want {
			t.Errorf("%+v: %s, want %s", c, got, want)
		}
	}
}
