package sepa

import (
	"encoding/xml"
	"fmt"
	"io"
	"time"

	"aquaerp.fr/shared/message"
)

// The versions of pain.008 that a Remise can be written in.
const (
	V02 = "pain.008.001.02"
	V08 = "pain.008.001.08"
)

// Remise is a file of direct debits, scheme CORE.
type Remise struct {
	Version   string
	ID        string // unique for ever, at most 35 characters
	CreeA     time.Time
	Creancier Creancier
	Lots      []Lot
}

// Creancier is who debits.
type Creancier struct {
	Nom, ICS, BIC string
	IBAN          IBAN
}

// Lot are the debits of one sequence and one day.
type Lot struct {
	ID           string
	Sequence     string // FRST, RCUR, FNAL, OOFF
	Date         message.Date
	Prelevements []Prelevement
}

// Prelevement is one debit.
type Prelevement struct {
	ID        string // EndToEndId: comes back with a rejection
	Centimes  int64
	RUM       string
	Signature message.Date
	Modifie   bool // the account changed since the debit before
	Nom, BIC  string
	IBAN      IBAN
	Libelle   string // on the debtor's statement
}

// Total is the number of debits and their sum.
func (l Lot) Total() (n int, centimes int64) {
	for _, p := range l.Prelevements {
		centimes += p.Centimes
	}
	return len(l.Prelevements), centimes
}

// Total is the number of debits and their sum.
func (r Remise) Total() (n int, centimes int64) {
	for _, l := range r.Lots {
		m, c := l.Total()
		n, centimes = n+m, centimes+c
	}
	return n, centimes
}

// The elements of pain.008 that the scheme uses, in the order of the schema.
type (
	document struct {
		XMLName xml.Name
		GrpHdr  struct {
			MsgID    string `xml:"MsgId"`
			CreDtTm  string
			NbOfTxs  int
			CtrlSum  montant
			InitgPty partie
		} `xml:"CstmrDrctDbtInitn>GrpHdr"`
		PmtInf []lot `xml:"CstmrDrctDbtInitn>PmtInf"`
	}
	lot struct {
		PmtInfID     string `xml:"PmtInfId"`
		PmtMtd       string
		BtchBookg    bool
		NbOfTxs      int
		CtrlSum      montant
		SvcLvl       string `xml:"PmtTpInf>SvcLvl>Cd"`
		LclInstrm    string `xml:"PmtTpInf>LclInstrm>Cd"`
		SeqTp        string `xml:"PmtTpInf>SeqTp"`
		ReqdColltnDt string
		Cdtr         partie
		CdtrAcct     string `xml:"CdtrAcct>Id>IBAN"`
		CdtrAgt      agence
		ChrgBr       string
		CdtrSchmeID  autre         `xml:"CdtrSchmeId>Id>PrvtId>Othr"`
		DrctDbtTxInf []transaction // at least one
	}
	transaction struct {
		EndToEndID string `xml:"PmtId>EndToEndId"`
		InstdAmt   struct {
			Ccy    string  `xml:"Ccy,attr"`
			Valeur montant `xml:",chardata"`
		}
		Mandat struct {
			MndtID        string `xml:"MndtId"`
			DtOfSgntr     string
			AmdmntInd     bool
			AmdmntInfDtls *struct {
				Compte string `xml:"OrgnlDbtrAcct>Id>Othr>Id"`
			}
		} `xml:"DrctDbtTx>MndtRltdInf"`
		DbtrAgt  agence
		Dbtr     partie
		DbtrAcct string `xml:"DbtrAcct>Id>IBAN"`
		Ustrd    string `xml:"RmtInf>Ustrd"`
	}
	partie struct {
		Nm string
	}
	autre struct {
		ID    string `xml:"Id"`
		Prtry string `xml:"SchmeNm>Prtry"`
	}
	// agence is a bank by its BIC, or the word for none: only the IBAN is needed since 2016.
	agence struct {
		BIC   string   `xml:"FinInstnId>BIC,omitempty"`
		BICFI string   `xml:"FinInstnId>BICFI,omitempty"`
		Othr  *autreID `xml:"FinInstnId>Othr,omitempty"`
	}
	autreID struct {
		ID string `xml:"Id"`
	}
)

type montant int64

func (m montant) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%d.%02d", m/100, m%100), nil }

// Ecrire writes the file. It refuses what a bank would: nothing to debit, an
// amount that is not positive, an identifier that is too long or used twice.
func (r Remise) Ecrire(w io.Writer) error {
	if r.Version != V02 && r.Version != V08 {
		return fmt.Errorf("pain.008: no version %q", r.Version)
	}
	var d document
	d.XMLName = xml.Name{Space: "urn:iso:std:iso:20022:tech:xsd:" + r.Version, Local: "Document"}
	n, somme := r.Total()
	d.GrpHdr.MsgID, d.GrpHdr.CreDtTm = r.ID, r.CreeA.UTC().Format("2006-01-02T15:04:05")
	d.GrpHdr.NbOfTxs, d.GrpHdr.CtrlSum = n, montant(somme)
	d.GrpHdr.InitgPty.Nm = Texte(r.Creancier.Nom, 70)
	seen := map[string]bool{}
	fresh := func(kind, id string) error {
		if id == "" || len(id) > 35 || Texte(id, 35) != id || seen[kind+id] {
			return fmt.Errorf("pain.008: identifier %q is malformed or used twice", id)
		}
		seen[kind+id] = true
		return nil
	}
	if err := fresh("message", r.ID); err != nil {
		return err
	}
	for _, l := range r.Lots {
		if err := fresh("lot", l.ID); err != nil {
			return err
		}
		n, somme := l.Total()
		if n == 0 {
			return fmt.Errorf("pain.008: %s debits nothing", l.ID)
		}
		x := lot{PmtInfID: l.ID, PmtMtd: "DD", BtchBookg: true, NbOfTxs: n, CtrlSum: montant(somme),
			SvcLvl: "SEPA", LclInstrm: "CORE", SeqTp: l.Sequence, ReqdColltnDt: l.Date.String(),
			Cdtr: partie{Texte(r.Creancier.Nom, 70)}, CdtrAcct: r.Creancier.IBAN.Clair(), CdtrAgt: r.agence(r.Creancier.BIC),
			ChrgBr: "SLEV", CdtrSchmeID: autre{r.Creancier.ICS, "SEPA"}}
		for _, p := range l.Prelevements {
			if p.Centimes <= 0 || p.Centimes > 99_999_999_999 {
				return fmt.Errorf("pain.008: %s debits %d centimes", p.ID, p.Centimes)
			}
			if err := fresh("debit", p.ID); err != nil {
				return err
			}
			if err := CheckRUM(p.RUM); err != nil {
				return fmt.Errorf("pain.008: %s: %w", p.ID, err)
			}
			var t transaction
			t.EndToEndID, t.InstdAmt.Ccy, t.InstdAmt.Valeur = p.ID, "EUR", montant(p.Centimes)
			t.Mandat.MndtID, t.Mandat.DtOfSgntr = p.RUM, p.Signature.String()
			if p.Modifie {
				t.Mandat.AmdmntInd = true
				t.Mandat.AmdmntInfDtls = &struct {
					Compte string `xml:"OrgnlDbtrAcct>Id>Othr>Id"`
				}{"SMNDA"} // same mandate, new debtor account: of the same bank or another
			}
			t.DbtrAgt, t.Dbtr, t.DbtrAcct = r.agence(p.BIC), partie{Texte(p.Nom, 70)}, p.IBAN.Clair()
			t.Ustrd = Texte(p.Libelle, 140)
			x.DrctDbtTxInf = append(x.DrctDbtTxInf, t)
		}
		d.PmtInf = append(d.PmtInf, x)
	}
	if n == 0 {
		return fmt.Errorf("pain.008: %s debits nothing", r.ID)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", " ")
	if err := e.Encode(d); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (r Remise) agence(bic string) agence {
	switch {
	case bic == "":
		return agence{Othr: &autreID{"NOTPROVIDED"}}
	case r.Version == V02:
		return agence{BIC: bic}
	}
	return agence{BICFI: bic}
}
