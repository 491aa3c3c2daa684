package sepa

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"aquaerp.fr/shared/message"
)

// The natures of the files that a bank sends.
const (
	StatutRemise = "pain.002" // what became of a file of direct debits
	Releve       = "camt.053" // account statement
	Avis         = "camt.054" // notification of single movements
)

// versions are the namespaces that can be read, with the element under Document.
var versions = map[string]struct {
	nature, message string
}{
	"pain.002.001.03": {StatutRemise, "CstmrPmtStsRpt"}, "pain.002.001.10": {StatutRemise, "CstmrPmtStsRpt"}, "pain.002.001.11": {StatutRemise, "CstmrPmtStsRpt"},
	"camt.053.001.02": {Releve, "BkToCstmrStmt"}, "camt.053.001.04": {Releve, "BkToCstmrStmt"}, "camt.053.001.08": {Releve, "BkToCstmrStmt"},
	"camt.054.001.02": {Avis, "BkToCstmrDbtCdtNtfctn"}, "camt.054.001.04": {Avis, "BkToCstmrDbtCdtNtfctn"}, "camt.054.001.08": {Avis, "BkToCstmrDbtCdtNtfctn"},
}

// Limits of what is read.
const (
	MaxFichier    = 11_000_000 // bytes
	maxTexte      = 1 << 16    // bytes between two angle brackets
	maxProfondeur = 40         // elements within each other
	maxOperations = 50_000     // of one file
)

// Refus is why a whole file is refused. Nothing of it may be booked.
type Refus struct {
	Ligne int
	Code  string // stable
	Texte string // English
}

func (r *Refus) Error() string { return fmt.Sprintf("line %d: %s: %s", r.Ligne, r.Code, r.Texte) }

// Fichier is what a bank sent.
type Fichier struct {
	Nature     string
	Message    string // identifier given by the bank
	Comptes    []IBAN // of a camt: the accounts it speaks of
	Operations []Operation
}

// Operation is one movement of an account, or the fate of one debit.
type Operation struct {
	Ligne     int
	Compte    int    // index in Comptes
	Reference string // given by the bank to the movement, "" when none
	Credit    bool
	Contre    bool // takes an earlier movement back
	Centimes  int64
	Devise    string
	Date      message.Date
	Statut    string // of a camt: BOOK, PDNG, INFO; of a pain.002: RJCT, ACCP, PDNG...
	Remise    string // MsgId of the file of direct debits, when said
	Lot       string // PmtInfId, when said
	Bout      string // EndToEndId, "" when none
	RUM       string
	Motif     string // code of a rejection or return: AC04, MD01...
	Nom       string // of the other party
	Libelle   string
}

// Lire reads a file of a bank. It refuses it as a whole with a *Refus, or
// returns every movement of it, in order.
func Lire(r io.Reader) (f Fichier, err error) {
	src := &source{r: r}
	src.d = xml.NewDecoder(src)
	src.d.Entity = map[string]string{} // those of XML itself are known all the same
	l := lecteur{src: src, d: xml.NewTokenDecoder(src)}
	err = l.lire(&f)
	if r := src.refus; r != nil { // the cause of what the decoders say
		return Fichier{}, r
	}
	var refus *Refus
	if err != nil && !errors.As(err, &refus) {
		return Fichier{}, &Refus{src.ligne(), "xml_invalide", err.Error()}
	}
	if err != nil {
		return Fichier{}, err
	}
	return f, nil
}

// source counts bytes and tokens and stops where a limit is passed.
type source struct {
	r      io.Reader
	d      *xml.Decoder
	lus    int
	texte  int // bytes since the last angle bracket
	refus  *Refus
	niveau int
}

func (s *source) ligne() int {
	line, _ := s.d.InputPos()
	return line
}

func (s *source) refuse(code, texte string) error {
	if s.refus == nil {
		s.refus = &Refus{s.ligne(), code, texte}
	}
	return s.refus
}

// Read implements io.Reader.
func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p[:min(len(p), 4096)])
	if s.lus += n; s.lus > MaxFichier {
		return 0, s.refuse("fichier_trop_grand", fmt.Sprintf("more than %d bytes", MaxFichier))
	}
	for _, c := range p[:n] {
		if s.texte++; c == '<' || c == '>' {
			s.texte = 0
		}
		if s.texte > maxTexte {
			return 0, s.refuse("texte_trop_long", fmt.Sprintf("more than %d bytes without a tag", maxTexte))
		}
	}
	return n, err
}

// Token implements xml.TokenReader. Comments and instructions are dropped.
func (s *source) Token() (xml.Token, error) {
	for {
		token, err := s.d.Token()
		if err != nil {
			return token, err
		}
		switch token.(type) {
		case xml.Directive:
			return nil, s.refuse("doctype_interdit", "a document type or an entity is declared")
		case xml.StartElement:
			if s.niveau++; s.niveau > maxProfondeur {
				return nil, s.refuse("trop_profond", fmt.Sprintf("more than %d elements within each other", maxProfondeur))
			}
		case xml.EndElement:
			s.niveau--
		case xml.Comment, xml.ProcInst:
			continue
		}
		return token, nil
	}
}

type lecteur struct {
	src    *source
	d      *xml.Decoder
	espace string
}

func (l *lecteur) refuse(code, format string, args ...any) error {
	return &Refus{l.src.ligne(), code, fmt.Sprintf(format, args...)}
}

// debut is the next start element, or nil at the end of the one around it.
func (l *lecteur) debut() (*xml.StartElement, error) {
	for {
		token, err := l.d.Token()
		if err != nil {
			return nil, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if l.espace != "" && t.Name.Space != l.espace {
				return nil, l.refuse("espace_de_noms", "%s belongs to %q", t.Name.Local, t.Name.Space)
			}
			return &t, nil
		case xml.EndElement:
			return nil, nil
		case xml.CharData:
			if s := strings.TrimSpace(string(t)); s != "" {
				return nil, l.refuse("xml_invalide", "text %.20q between elements", s)
			}
		}
	}
}

func (l *lecteur) lire(f *Fichier) error {
	root, err := l.debut()
	if errors.Is(err, io.EOF) {
		return l.refuse("fichier_vide", "there is no element")
	}
	if err != nil {
		return err
	}
	name, ok := strings.CutPrefix(root.Name.Space, "urn:iso:std:iso:20022:tech:xsd:")
	version, known := versions[name]
	if !ok || !known || root.Name.Local != "Document" {
		return l.refuse("format_inconnu", "%q of %.80q is not a file that can be read", root.Name.Local, root.Name.Space)
	}
	f.Nature, l.espace = version.nature, root.Name.Space
	m, err := l.debut()
	if err != nil {
		return err
	}
	if m == nil || m.Name.Local != version.message {
		return l.refuse("format_inconnu", "%s is missing", version.message)
	}
	for {
		e, err := l.debut()
		if err != nil {
			return err
		}
		if e == nil {
			break
		}
		switch e.Name.Local {
		case "GrpHdr":
			var h struct {
				MsgID string `xml:"MsgId"`
			}
			if err := l.d.DecodeElement(&h, e); err != nil {
				return err
			}
			f.Message = strings.TrimSpace(h.MsgID)
		case "Stmt", "Ntfctn":
			err = l.compte(f)
		case "OrgnlGrpInfAndSts":
			err = l.groupe(f, e)
		case "OrgnlPmtInfAndSts":
			err = l.lot(f)
		default:
			err = l.d.Skip()
		}
		if err != nil {
			return err
		}
	}
	if f.Message == "" || len(f.Message) > 35 {
		return l.refuse("message_sans_identifiant", "GrpHdr/MsgId is missing or too long")
	}
	if e, err := l.debut(); err != nil || e != nil { // the end of Document
		return errors.Join(err, l.refuse("format_inconnu", "there is more than one message"))
	}
	if _, err := l.debut(); !errors.Is(err, io.EOF) {
		return errors.Join(err, l.refuse("xml_invalide", "something follows the document"))
	}
	return nil
}

func (l *lecteur) ajouter(f *Fichier, o Operation) error {
	if len(f.Operations) == maxOperations {
		return l.refuse("trop_d_operations", "more than %d movements", maxOperations)
	}
	f.Operations = append(f.Operations, o)
	return nil
}

// compte reads a statement or a notification: its account, then its entries.
func (l *lecteur) compte(f *Fichier) error {
	known := false
	for {
		e, err := l.debut()
		if err != nil || e == nil {
			return err
		}
		switch e.Name.Local {
		case "Acct":
			var a struct {
				IBAN string `xml:"Id>IBAN"`
			}
			if err := l.d.DecodeElement(&a, e); err != nil {
				return err
			}
			iban, err := ParseIBAN(a.IBAN)
			if err != nil {
				return l.refuse("compte_illisible", "%v", err)
			}
			f.Comptes, known = append(f.Comptes, iban), true
		case "Ntry":
			if !known {
				return l.refuse("compte_illisible", "an entry comes before its account")
			}
			if err := l.entree(f, e); err != nil {
				return err
			}
		default:
			if err := l.d.Skip(); err != nil {
				return err
			}
		}
	}
}

type (
	somme struct {
		Ccy    string `xml:"Ccy,attr"`
		Valeur string `xml:",chardata"`
	}
	entree struct {
		NtryRef     string
		Amt         somme
		CdtDbtInd   string
		RvslInd     string
		Sts         statut
		BookgDt     jour
		ValDt       jour
		AcctSvcrRef string
		NtryDtls    []struct {
			Btch *struct {
				MsgID    string `xml:"MsgId"`
				PmtInfID string `xml:"PmtInfId"`
			}
			TxDtls []detail
		}
		AddtlNtryInf string
	}
	detail struct {
		Refs struct {
			MsgID       string `xml:"MsgId"`
			AcctSvcrRef string
			PmtInfID    string `xml:"PmtInfId"`
			EndToEndID  string `xml:"EndToEndId"`
			TxID        string `xml:"TxId"`
			MndtID      string `xml:"MndtId"`
		}
		Amt        *somme
		TxAmt      *somme `xml:"AmtDtls>TxAmt>Amt"`
		CdtDbtInd  string
		Dbtr       nom          `xml:"RltdPties>Dbtr"`
		Cdtr       nom          `xml:"RltdPties>Cdtr"`
		Ustrd      []string     `xml:"RmtInf>Ustrd"`
		Ref        []string     `xml:"RmtInf>Strd>CdtrRefInf>Ref"`
		RtrInf     *motifRetour `xml:"RtrInf"`
		AddtlTxInf string
	}
	motifRetour struct {
		Cd    string `xml:"Rsn>Cd"`
		Prtry string `xml:"Rsn>Prtry"`
	}
	// statut is a word until version 04, then a code of its own element.
	statut struct {
		Texte string `xml:",chardata"`
		Cd    string
	}
	nom struct {
		Nm  string
		Pty struct{ Nm string }
	}
	jour struct {
		Dt   string
		DtTm string
	}
)

func (n nom) String() string { return strings.TrimSpace(n.Nm + n.Pty.Nm) }

func (j jour) date() (message.Date, bool) {
	s := strings.TrimSpace(j.Dt + j.DtTm)
	d, err := message.ParseDate(s[:min(len(s), 10)])
	return d, err == nil && d.Year() >= 2000 && d.Year() < 2100
}

// entree reads one entry: each of its details is a movement, or the entry itself when there is none.
func (l *lecteur) entree(f *Fichier, e *xml.StartElement) error {
	line := l.src.ligne()
	var n entree
	if err := l.d.DecodeElement(&n, e); err != nil {
		return err
	}
	refuse := func(code, format string, args ...any) error { return &Refus{line, code, fmt.Sprintf(format, args...)} }
	total, ok := centimes(n.Amt.Valeur)
	if !ok {
		return refuse("montant_invalide", "%.30q is not an amount of whole centimes", n.Amt.Valeur)
	}
	date, ok := n.BookgDt.date()
	if !ok {
		if date, ok = n.ValDt.date(); !ok {
			return refuse("date_invalide", "the entry has no day")
		}
	}
	if n.CdtDbtInd != "CRDT" && n.CdtDbtInd != "DBIT" {
		return refuse("sens_invalide", "CdtDbtInd is %.10q", n.CdtDbtInd)
	}
	base := Operation{
		Ligne: line, Compte: len(f.Comptes) - 1, Reference: mot(n.AcctSvcrRef), Credit: n.CdtDbtInd == "CRDT", Contre: strings.TrimSpace(n.RvslInd) == "true",
		Centimes: total, Devise: n.Amt.Ccy, Date: date, Statut: strings.TrimSpace(n.Sts.Texte + n.Sts.Cd), Libelle: court(n.AddtlNtryInf),
	}
	var rest int64 = total
	details := 0
	for _, group := range n.NtryDtls {
		if b := group.Btch; b != nil {
			base.Remise, base.Lot = mot(b.MsgID), mot(b.PmtInfID)
		}
		details += len(group.TxDtls)
	}
	if details == 0 {
		return l.ajouter(f, base)
	}
	for _, group := range n.NtryDtls {
		for _, d := range group.TxDtls {
			o := base
			amount := d.Amt
			if amount == nil {
				amount = d.TxAmt
			}
			switch {
			case amount != nil:
				if o.Centimes, ok = centimes(amount.Valeur); !ok {
					return refuse("montant_invalide", "%.30q is not an amount of whole centimes", amount.Valeur)
				}
				o.Devise = amount.Ccy
			case details > 1:
				return refuse("montant_invalide", "a detail has no amount")
			}
			if d.CdtDbtInd == "CRDT" || d.CdtDbtInd == "DBIT" {
				o.Credit = d.CdtDbtInd == "CRDT"
			}
			if o.Credit == base.Credit {
				rest -= o.Centimes
			} else {
				rest += o.Centimes
			}
			if s := mot(d.Refs.AcctSvcrRef); s != "" {
				o.Reference = s
			} else if details > 1 {
				o.Reference = ""
			}
			if o.Reference == "" {
				o.Reference = mot(d.Refs.TxID)
			}
			if s := mot(d.Refs.MsgID); s != "" {
				o.Remise = s
			}
			if s := mot(d.Refs.PmtInfID); s != "" {
				o.Lot = s
			}
			o.Bout, o.RUM = mot(d.Refs.EndToEndID), mot(d.Refs.MndtID)
			if r := d.RtrInf; r != nil {
				if o.Motif = mot(r.Cd + r.Prtry); o.Motif == "" {
					o.Motif = "NARR" // returned, and the bank tells why in words
				}
			}
			o.Nom = d.Dbtr.String()
			if !o.Credit && o.Motif == "" {
				o.Nom = d.Cdtr.String()
			}
			o.Nom = court(o.Nom)
			if s := court(strings.Join(append(slices.Clone(d.Ref), d.Ustrd...), " ")); s != "" {
				o.Libelle = s
			}
			if err := l.ajouter(f, o); err != nil {
				return err
			}
		}
	}
	if rest != 0 {
		return refuse("somme_fausse", "the details of the entry do not add up to it")
	}
	return nil
}

// groupe reads the fate of a whole file of direct debits: a refusal of all of it is an operation.
func (l *lecteur) groupe(f *Fichier, e *xml.StartElement) error {
	line := l.src.ligne()
	var g struct {
		OrgnlMsgID string `xml:"OrgnlMsgId"`
		GrpSts     string
		Cd         string `xml:"StsRsnInf>Rsn>Cd"`
		Prtry      string `xml:"StsRsnInf>Rsn>Prtry"`
	}
	if err := l.d.DecodeElement(&g, e); err != nil {
		return err
	}
	return l.ajouter(f, Operation{Ligne: line, Remise: mot(g.OrgnlMsgID), Statut: mot(g.GrpSts), Motif: mot(g.Cd + g.Prtry)})
}

// lot reads the fate of a lot, then of its debits.
func (l *lecteur) lot(f *Fichier) error {
	lot := Operation{Ligne: l.src.ligne()}
	if n := len(f.Operations); n > 0 {
		lot.Remise = f.Operations[0].Remise
	}
	at := -1
	for {
		e, err := l.debut()
		if err != nil || e == nil {
			return err
		}
		line := l.src.ligne()
		switch e.Name.Local {
		case "OrgnlPmtInfId", "PmtInfSts":
			var s string
			if err := l.d.DecodeElement(&s, e); err != nil {
				return err
			}
			if e.Name.Local == "OrgnlPmtInfId" {
				lot.Lot = mot(s)
				break
			}
			lot.Statut = mot(s)
			if err := l.ajouter(f, lot); err != nil {
				return err
			}
			at = len(f.Operations) - 1
		case "StsRsnInf":
			var s struct {
				Cd    string `xml:"Rsn>Cd"`
				Prtry string `xml:"Rsn>Prtry"`
			}
			if err := l.d.DecodeElement(&s, e); err != nil {
				return err
			}
			if at >= 0 {
				f.Operations[at].Motif = mot(s.Cd + s.Prtry)
			}
		case "TxInfAndSts":
			var s struct {
				OrgnlEndToEndID string `xml:"OrgnlEndToEndId"`
				TxSts           string
				Raisons         []struct {
					Cd    string `xml:"Rsn>Cd"`
					Prtry string `xml:"Rsn>Prtry"`
				} `xml:"StsRsnInf"`
				AcctSvcrRef string
				InstdAmt    somme  `xml:"OrgnlTxRef>Amt>InstdAmt"`
				MndtID      string `xml:"OrgnlTxRef>MndtRltdInf>MndtId"`             // until version 10
				DrctDbtID   string `xml:"OrgnlTxRef>MndtRltdInf>DrctDbtMndt>MndtId"` // since version 11
			}
			if err := l.d.DecodeElement(&s, e); err != nil {
				return err
			}
			o := Operation{Ligne: line, Remise: lot.Remise, Lot: lot.Lot, Bout: mot(s.OrgnlEndToEndID), Statut: mot(s.TxSts), RUM: mot(s.MndtID + s.DrctDbtID), Reference: mot(s.AcctSvcrRef), Devise: s.InstdAmt.Ccy}
			if s.InstdAmt.Valeur != "" {
				var ok bool
				if o.Centimes, ok = centimes(s.InstdAmt.Valeur); !ok {
					return &Refus{line, "montant_invalide", fmt.Sprintf("%.30q is not an amount of whole centimes", s.InstdAmt.Valeur)}
				}
			}
			for _, r := range s.Raisons {
				if o.Motif == "" {
					o.Motif = mot(r.Cd + r.Prtry)
				}
			}
			if err := l.ajouter(f, o); err != nil {
				return err
			}
		default:
			if err := l.d.Skip(); err != nil {
				return err
			}
		}
	}
}

// mot is an identifier: NOTPROVIDED is none.
func mot(s string) string {
	if s = strings.TrimSpace(s); s == "NOTPROVIDED" || len(s) > 35 {
		return ""
	}
	return s
}

// court cuts a text of a bank to what a line of a list holds.
func court(s string) string {
	runes := []rune(strings.ToValidUTF8(strings.Join(strings.Fields(s), " "), ""))
	return string(runes[:min(len(runes), 140)])
}

// centimes reads a decimal amount without losing any of it: at most two
// decimals that are not zero, no sign, no exponent.
func centimes(s string) (int64, bool) {
	whole, part, _ := strings.Cut(strings.TrimSpace(s), ".")
	part = strings.TrimRight(part, "0")
	if len(part) > 2 || len(whole) > 13 || whole+part == "" {
		return 0, false
	}
	var n int64
	for _, c := range whole + (part + "00")[:2] {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}
