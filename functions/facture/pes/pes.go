// Package pes writes what a public service asks its comptable public to
// collect, as the DGFiP takes it: PES v2, PES Recette Aller, either a role of
// many debtors (ORMC) or single titles and their reductions.
//
// The order of the elements, their lengths and their codes are those of the
// DGFiP's schemas (Schemas_PES v4.71, namespace pes_v2/Rev0/aller). A file is
// written piece by piece, so that one of any size takes the memory of a piece.
package pes

import (
	"bytes"
	"fmt"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// Nature is what a bordereau holds.
type Nature struct {
	fichier, lettre       string // TypFic; what tells its files apart by name
	bordereau, typ, piece string // the triplet TypBord, TypPce, NatPce
}

// The natures, by the names that the domain gives them.
var Natures = map[string]Nature{
	"ROLE":       {"PESORMC", "R", "06", "15", "01"},
	"TITRES":     {"PESALR1", "T", "01", "01", "01"},
	"REDUCTIONS": {"PESALR1", "A", "02", "02", "06"},
}

// ORMC tells whether it is a role of many debtors.
func (n Nature) ORMC() bool { return n.fichier == "PESORMC" }

// Nom is the name of its file of a year and number.
func (n Nature) Nom(exercice, numero int) string {
	return fmt.Sprintf("%s%d%s%07d.xml", n.fichier, exercice, n.lettre, numero)
}

// natureORMC is what the DGFiP proposes for Nature in a role: the account is
// the one that it knows for the product.
const natureORMC = "588"

// Bordereau is a file: who sends it, and what its pieces sum to.
type Bordereau struct {
	Nature
	Fichier      string // name
	Emetteur     string
	Date         string // AAAA-MM-JJ, of the bordereau and of the notices to pay
	Poste        string
	SIRET        string
	Collectivite string
	Budget       string
	Libelle      string
	Exercice     int
	Numero       int
	Pieces       int
	HT, TVA      int64 // centimes
	Objet        string
}

// Piece is a title: one debtor, one line for each product and rate.
type Piece struct {
	Rang    int
	Objet   string
	Dette   string // digits of the bill's number
	Periode int    // one digit
	Origine *Origine
	Tiers
	Lignes []Ligne
}

// Origine is the title that a piece takes back.
type Origine struct {
	Exercice, Rang int
}

// Tiers is a debtor.
type Tiers struct {
	SIREN             string // empty for persons
	Reference         string
	Categorie, Nature string // CatTiers, NatJur
	Nom               string
	Complement        string
	Voie, Lieu        string
	CodePostal, Ville string
}

// Ligne is what a debtor owes of a product.
type Ligne struct {
	Objet, Produit, Compte string
	TauxPM, HT, TVA        int64
	Origine                int // line of the title that it takes back
}

// Debut begins a file.
func (b Bordereau) Debut() []byte {
	var w ecrivain
	w.WriteString(`<?xml version="1.0" encoding="ISO-8859-1"?>` + "\n" +
		`<n:PES_Aller xmlns:n="http://www.minefi.gouv.fr/cp/helios/pes_v2/Rev0/aller">` + "\n")
	w.dans("Enveloppe", func() {
		w.dans("Parametres", func() {
			w.v("Version", "2")
			w.v("TypFic", b.fichier)
			w.texte("NomFic", b.Fichier, 100)
		})
		w.dans("Emetteur", func() {
			w.texte("Sigle", b.Emetteur, 32)
			w.v("Adresse", "AquaERP")
		})
	})
	w.dans("EnTetePES", func() {
		w.v("DteStr", b.Date)
		w.v("IdPost", b.Poste)
		w.v("IdColl", b.SIRET)
		w.v("CodCol", b.Collectivite)
		w.v("CodBud", b.Budget)
		w.texte("LibelleColBud", b.Libelle, 38)
	})
	w.ouvrir("PES_RecetteAller")
	w.dans("EnTeteRecette", func() {
		w.v("IdVer", "2")
		w.v("InfoDematerialisee", "0")
	})
	w.ouvrir("Bordereau")
	w.dans("BlocBordereau", func() {
		w.v("Exer", fmt.Sprintf("%04d", b.Exercice))
		w.v("IdBord", fmt.Sprintf("%07d", b.Numero))
		w.v("DteBordEm", b.Date)
		w.v("TypBord", b.bordereau)
		w.v("NbrPce", fmt.Sprint(b.Pieces))
		w.v("MtBordHt", montant(b.HT))
		if b.TVA > 0 {
			w.v("MtBordTVA", montant(b.TVA))
		}
		if b.ORMC() {
			w.v("DteAsp", b.Date)
			w.texte("Objet", b.Objet, 160)
		}
	})
	return w.Bytes()
}

// Piece goes on with a title.
func (b Bordereau) Piece(p Piece) []byte {
	var w ecrivain
	w.dans("Piece", func() {
		w.dans("BlocPiece", func() {
			w.v("IdPce", fmt.Sprint(p.Rang))
			w.v("TypPce", b.typ)
			w.v("NatPce", b.piece)
			if !b.ORMC() {
				w.v("DteAsp", b.Date)
			}
			w.texte("ObjPce", p.Objet, 160)
			if b.ORMC() {
				w.v("NumDette", p.Dette)
				w.v("Per", fmt.Sprint(p.Periode))
				w.v("Cle2", cle2(b.Exercice, p.Periode, p.Dette))
			}
		})
		for i, l := range p.Lignes {
			w.dans("LigneDePiece", func() {
				w.dans("BlocLignePiece", func() {
					w.dans("InfoLignePiece", func() {
						w.v("IdLigne", fmt.Sprint(i+1))
						w.texte("ObjLignePce", l.Objet, 160)
						w.v("CodProdLoc", l.Produit)
						if b.ORMC() {
							w.v("Nature", natureORMC)
						} else {
							w.v("Nature", l.Compte)
						}
						if l.TVA > 0 && l.TauxPM > 0 {
							w.v("TxTva", fmt.Sprintf("%d.%d0", l.TauxPM/10, l.TauxPM%10))
						}
						w.v("Majo", "0")
						w.v("TvaIntraCom", "0")
						w.v("MtHT", montant(l.HT))
						if l.TVA > 0 {
							w.v("MtTVA", montant(l.TVA))
						}
					})
					if p.Origine != nil {
						w.dans("RattachPiece", func() {
							w.v("NatPceOrig", "01")
							w.v("ExerRat", fmt.Sprintf("%04d", p.Origine.Exercice))
							w.v("IdPceOrig", fmt.Sprint(p.Origine.Rang))
							w.v("IdLigneOrig", fmt.Sprint(l.Origine))
						})
					}
				})
				w.tiers(p.Tiers)
			})
		}
	})
	return w.Bytes()
}

// Fin ends a file.
func (b Bordereau) Fin() []byte { return []byte("</Bordereau></PES_RecetteAller></n:PES_Aller>\n") }

func (w *ecrivain) tiers(t Tiers) {
	w.dans("Tiers", func() {
		w.dans("InfoTiers", func() {
			if t.SIREN != "" {
				w.v("IdTiers", t.SIREN)
				w.v("NatIdTiers", "02")
			}
			w.texte("RefTiers", t.Reference, 30)
			w.v("CatTiers", t.Categorie)
			w.v("NatJur", t.Nature)
			w.v("TypTiers", "01")
			w.suite("Nom", "ComplNom", t.Nom)
		})
		w.dans("Adresse", func() {
			w.v("TypAdr", "1")
			if t.Complement != "" {
				w.texte("Adr1", t.Complement, 38)
			}
			w.suite("Adr2", "Adr3", t.Voie)
			w.v("CP", t.CodePostal)
			w.texte("Ville", t.Ville, 38)
			w.v("CodRes", "0")
		})
	})
}

// ecrivain writes elements in ISO 8859-1.
type ecrivain struct{ bytes.Buffer }

func (w *ecrivain) ouvrir(name string) { w.WriteString("<" + name + ">") }

func (w *ecrivain) dans(name string, inside func()) {
	w.ouvrir(name)
	inside()
	w.WriteString("</" + name + ">\n")
}

// v writes a value that is a code, a date or a figure.
func (w *ecrivain) v(name, value string) { w.brut(name, []byte(value)) }

// texte writes what a person typed, cut to a length.
func (w *ecrivain) texte(name, value string, most int) { w.brut(name, []byte(Texte(value, most))) }

// suite writes what a person typed over two elements of 38 letters.
func (w *ecrivain) suite(name, next, value string) {
	letters := []byte(Texte(value, 76))
	first := min(len(letters), 38)
	w.brut(name, bytes.TrimRight(letters[:first], " "))
	if rest := bytes.TrimLeft(letters[first:], " "); len(rest) > 0 {
		w.brut(next, rest)
	}
}

func (w *ecrivain) brut(name string, value []byte) {
	w.WriteString("<" + name + ` V="`)
	for _, c := range value {
		switch c {
		case '&':
			w.WriteString("&amp;")
		case '<':
			w.WriteString("&lt;")
		case '>':
			w.WriteString("&gt;")
		case '"':
			w.WriteString("&quot;")
		default:
			w.WriteByte(c)
		}
	}
	w.WriteString(`"/>`)
}

// lettres are signs that ISO 8859-1 lacks and that have an equal in it.
var lettres = strings.NewReplacer("’", "'", "‘", "'", "ʼ", "'", "“", `"`, "”", `"`, "–", "-", "—", "-", "−", "-", "…", "...", "œ", "oe", "Œ", "OE",
	"€", "EUR", "ł", "l", "Ł", "L", "\u202f", " ", "\u2009", " ")

// Texte is a text in ISO 8859-1, a byte a letter, on one line, cut to a
// length: letters with marks that the charset lacks lose them, what else it
// lacks becomes a question mark, and what is no letter goes.
func Texte(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0xad {
			return ' '
		}
		return r
	}, lettres.Replace(s))
	var out []byte
	for _, r := range norm.NFC.String(strings.Join(strings.Fields(s), " ")) {
		if r > 0xff {
			if r = []rune(norm.NFD.String(string(r)))[0]; r > 0xff {
				r = '?'
			}
		}
		out = append(out, byte(r))
	}
	return strings.TrimRight(string(out[:min(len(out), most)]), " ")
}

// montant is centimes as the DGFiP reads them: 1234.56.
func montant(centimes int64) string { return fmt.Sprintf("%d.%02d", centimes/100, centimes%100) }

// cle2 checks an article of a role: modulo 23 of the year's two digits, the
// period, 00 and the debt.
func cle2(exercice, periode int, dette string) string {
	rest := 0
	for _, d := range fmt.Sprintf("%02d%d00%s", exercice%100, periode, strings.Repeat("0", max(0, 13-len(dette)))+dette) {
		rest = (rest*10 + int(d-'0')) % 23
	}
	return "ABCDEFGHJKLMNPQRSTUVWXY"[rest : rest+1]
}
