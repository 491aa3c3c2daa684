package main

import (
	"fmt"
	"html"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

// operationXML is a movement as a bank writes it.
type operationXML struct {
	credit                              bool
	centimes                            int64
	devise, ref, remise, lot, bout, rum string
	motif, libelle, nom, statut         string
	date                                message.Date
}

// avis is a camt.054 of the service's account.
func avis(id string, ops ...operationXML) string { return avisDe(compteService, id, ops...) }

func avisDe(compte, id string, ops ...operationXML) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"><BkToCstmrDbtCdtNtfctn><GrpHdr><MsgId>%s</MsgId><CreDtTm>2026-12-10T04:00:00</CreDtTm></GrpHdr>
<Ntfctn><Id>N</Id><Acct><Id><IBAN>%s</IBAN></Id></Acct>
`, id, compte)
	tag := func(name, value string) string {
		if value == "" {
			return ""
		}
		return "<" + name + ">" + html.EscapeString(value) + "</" + name + ">"
	}
	for _, o := range ops {
		sign, devise, statut, date := "DBIT", "EUR", "BOOK", aujourdhui()
		if o.credit {
			sign = "CRDT"
		}
		if o.devise != "" {
			devise = o.devise
		}
		if o.statut != "" {
			statut = o.statut
		}
		if !o.date.IsZero() {
			date = o.date
		}
		motif := ""
		if o.motif != "" {
			motif = "<RtrInf><Rsn>" + tag("Cd", o.motif) + "</Rsn></RtrInf>"
		}
		fmt.Fprintf(&b, `<Ntry><Amt Ccy="%s">%d.%02d</Amt><CdtDbtInd>%s</CdtDbtInd><Sts><Cd>%s</Cd></Sts><BookgDt><Dt>%s</Dt></BookgDt>%s<BkTxCd/><NtryDtls><TxDtls><Refs>%s%s%s%s</Refs><RltdPties><Dbtr>%s</Dbtr></RltdPties><RmtInf>%s</RmtInf>%s</TxDtls></NtryDtls></Ntry>
`, devise, o.centimes/100, o.centimes%100, sign, statut, date, tag("AcctSvcrRef", o.ref), tag("MsgId", o.remise), tag("PmtInfId", o.lot), tag("EndToEndId", o.bout), tag("MndtId", o.rum), tag("Nm", o.nom), tag("Ustrd", o.libelle), motif)
	}
	b.WriteString("</Ntfctn></BkToCstmrDbtCdtNtfctn></Document>")
	return b.String()
}

// statuts is a pain.002: the fate of a remise, of lots of it, of debits.
func statuts(id, remise, lines string) string {
	return fmt.Sprintf(`<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.11"><CstmrPmtStsRpt><GrpHdr><MsgId>%s</MsgId><CreDtTm>2026-12-10T04:00:00</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>%s</OrgnlMsgId><OrgnlMsgNmId>pain.008</OrgnlMsgNmId>%s</CstmrPmtStsRpt></Document>`, id, remise, lines)
}

// importer brings a file in, books its movements, each event twice, and reads what became of it.
func (b *bundle) importer(t *testing.T, xml string) message.FichierBancaire {
	t.Helper()
	f := functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.ImporterFichierBancaire{Nom: "banque.xml", Contenu: []byte(xml)})
	b.comptabiliser(t)
	return functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.FichierBancaireParID{ID: f.ID})
}

// comptabiliser hands back the events by which facture books what banks say.
func (b *bundle) comptabiliser(t *testing.T) {
	t.Helper()
	for done := 0; ; {
		out := b.Outbox(t)
		if done == len(out) {
			return
		}
		for _, s := range out[done:] {
			if s.Key == (message.OperationsATraiter{}).Type() || s.Key == (message.PrelevementsAEncaisser{}).Type() {
				for range 2 {
					if got := b.Deliver(t, s.Event); got != 204 {
						t.Fatalf("%s: status %d", s.Key, got)
					}
				}
			}
		}
		done = len(out)
	}
}

func (b *bundle) operations(t *testing.T, fichierID string) []message.OperationBancaire {
	t.Helper()
	return functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.OperationsBancaires{FichierID: fichierID, Page: message.Page{Limite: 200}}).Items
}

func TestRemiseIsCreditedAndReturned(t *testing.T) {
	t.Parallel()
	b, bills, signed := prelevables(t, 3, 3)
	staff := functiontest.Staff()
	r := b.remettre(t)
	debits := b.debits(t, r.ID)
	// Before the day the bank refuses the third: the account is closed.
	f := b.importer(t, statuts("S1", r.Reference, `<GrpSts>PART</GrpSts></OrgnlGrpInfAndSts><OrgnlPmtInfAndSts><OrgnlPmtInfId>`+r.Reference+`-1</OrgnlPmtInfId>
		<TxInfAndSts><OrgnlEndToEndId>`+debits[2].Reference+`</OrgnlEndToEndId><TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf></TxInfAndSts></OrgnlPmtInfAndSts>`))
	if f.Nature != "pain.002" || f.Operations != 2 || f.Rejets != 1 || f.Ignorees != 1 {
		t.Errorf("got %+v", f)
	}
	net := debits[0].MontantCentimes + debits[1].MontantCentimes
	f = b.importer(t, avis("A1", operationXML{credit: true, centimes: net, ref: "R1", remise: r.Reference, lot: r.Reference + "-1"}))
	if f.Encaissees != 1 || f.EnCours != 0 {
		t.Errorf("got %+v", f)
	}
	for i, want := range []string{"PAYEE", "PAYEE", "EMISE"} {
		if got := b.bill(t, debits[i].FactureID); got.Etat != want {
			t.Errorf("bill %d is %s", i, got.Etat)
		}
	}
	if got := b.on(t, "512"); got != int(net) {
		t.Errorf("512 holds %d, want %d", got, net)
	}
	b.sound(t)
	// A statement tells of the same credit under its own identifier; then the first debtor has no money.
	retour := operationXML{centimes: debits[0].MontantCentimes, ref: "R2", bout: debits[0].Reference, rum: debits[0].RUM, motif: "AM04"}
	f = b.importer(t, strings.NewReplacer("camt.054", "camt.053", "BkToCstmrDbtCdtNtfctn", "BkToCstmrStmt", "Ntfctn>", "Stmt>").Replace(
		avis("A2", operationXML{credit: true, centimes: net, ref: "R1", remise: r.Reference, lot: r.Reference + "-1"}, retour)))
	if f.Nature != "camt.053" || f.Doublons != 1 || f.Rejets != 1 {
		t.Errorf("got %+v: %+v", f, b.operations(t, f.ID))
	}
	if got := b.bill(t, debits[0].FactureID); got.Etat != "EMISE" || got.ResteCentimes != bills[0].TTCCentimes {
		t.Errorf("the returned debit's bill is %s, %d left", got.Etat, got.ResteCentimes)
	}
	b.sound(t)
	after := functiontest.MustAsk(t, b.Function, staff, message.RemiseParID{ID: r.ID})
	if after.Regles != 1 || after.Rejetes != 2 || after.RejetesCentimes != debits[0].MontantCentimes+debits[2].MontantCentimes {
		t.Errorf("got %+v", after)
	}
	told := functiontest.Emitted[message.PrelevementRejete](t, b.Function)
	if len(told) != 2 || told[0].Action != "REVOQUER" || told[0].Libelle != "Compte clos" || told[1].Action != "REPRESENTER" {
		t.Errorf("told %+v", told)
	}
	// A closed account ends the mandate; without money the debit is presented once more, with a letter.
	states := map[string]string{}
	for _, m := range signed {
		l := functiontest.MustAsk(t, b.Function, staff, message.Mandats{AbonneID: m.AbonneID})
		states[m.AbonneID] = l.Items[0].Etat
	}
	if states[debits[0].AbonneID] != "ACTIF" || states[debits[2].AbonneID] != "REVOQUE" {
		t.Errorf("mandates are %v", states)
	}
	second := b.remettre(t)
	again := b.debits(t, second.ID)
	if len(again) != 1 || again[0].FactureID != debits[0].FactureID || again[0].Reference != debits[0].Numero+"-2" || again[0].Sequence != "RCUR" || second.Annonces != 1 {
		t.Fatalf("again %+v", again)
	}
	if second.NombreEcartes != 1 || second.Ecartes[0].Code != "mandat_absent" {
		t.Errorf("left out %+v", second.Ecartes)
	}
	// The second debit comes back too: it is not presented a third time.
	f = b.importer(t, avis("A3", operationXML{centimes: again[0].MontantCentimes, ref: "R3", bout: again[0].Reference, motif: "AM04"}))
	if f.Rejets != 1 {
		t.Errorf("got %+v", f)
	}
	third := functiontest.MustAsk(t, b.Function, staff, message.PreparerRemise{Jusqua: aujourdhui().AddDays(40)})
	if third.Nombre != 0 || !slices.ContainsFunc(third.Ecartes, func(e message.PrelevementExclu) bool {
		return e.Code == "rejet_a_traiter" && e.FactureID == debits[0].FactureID
	}) {
		t.Errorf("a third time: %+v", third)
	}
	b.sound(t)
}

func TestWholeRemiseRejected(t *testing.T) {
	t.Parallel()
	b, _, _ := prelevables(t, 2, 2)
	r := b.remettre(t)
	f := b.importer(t, statuts("S1", r.Reference, `<GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Cd>FF01</Cd></Rsn></StsRsnInf></OrgnlGrpInfAndSts>`))
	if f.Rejets != 1 {
		t.Errorf("got %+v", f)
	}
	if second := b.remettre(t); second.Nombre != 2 { // the service mended its file
		t.Errorf("got %+v", second)
	}
	b.sound(t)
}

// TestTransfers: what payers write finds their bill, or waits for a person.
func TestTransfers(t *testing.T) {
	t.Parallel()
	b, bills, _ := prelevables(t, 3, 0)
	staff := functiontest.Staff()
	f := b.importer(t, avis("A1",
		operationXML{credit: true, centimes: bills[0].TTCCentimes, ref: "1", libelle: "eau facture " + strings.ToLower(bills[0].Numero) + " merci"},
		operationXML{credit: true, centimes: 1000, ref: "2", bout: bills[1].Numero},
		operationXML{credit: true, centimes: 500, ref: "3", libelle: "M. Dupont"},
		operationXML{credit: true, centimes: 500, ref: "4", libelle: bills[0].Numero + " " + bills[1].Numero},
		operationXML{credit: true, centimes: 500, ref: "5", libelle: "F2026-999999"},
		operationXML{centimes: 350, ref: "6", libelle: "Frais"},
		operationXML{credit: true, centimes: 700, ref: "7", libelle: bills[2].Numero, statut: "PDNG"},
		operationXML{credit: true, centimes: 700, ref: "8", libelle: bills[2].Numero, devise: "CHF"},
		operationXML{credit: true, centimes: 700, ref: "9", libelle: bills[2].Numero, date: aujourdhui().AddDays(2)},
	))
	want := []string{"ENCAISSEE", "ENCAISSEE", "A_AFFECTER a_affecter", "A_AFFECTER plusieurs_abonnes", "A_AFFECTER a_affecter", "IGNOREE debit", "IGNOREE en_attente", "REFUSEE autre_devise", "REFUSEE date_future"}
	ops := b.operations(t, f.ID)
	for i, o := range ops {
		if got := strings.TrimSpace(o.Etat + " " + o.Code); got != want[i] {
			t.Errorf("operation %d: %s, want %s (%s)", i, got, want[i], o.Detail)
		}
	}
	if f.Encaissees != 2 || f.AAffecter != 3 || f.Ignorees != 2 || f.Refusees != 2 || f.CreditsCentimes != bills[0].TTCCentimes+4600 {
		t.Errorf("got %+v", f)
	}
	if b.bill(t, bills[0].ID).Etat != "PAYEE" || b.bill(t, bills[1].ID).Etat != "PARTIELLE" || b.bill(t, bills[2].ID).Etat != "EMISE" {
		t.Error("the bills do not show what was paid")
	}
	waiting := functiontest.MustAsk(t, b.Function, staff, message.OperationsBancaires{Etat: "A_AFFECTER"}).Items
	if len(waiting) != 3 {
		t.Fatalf("%d wait", len(waiting))
	}
	attente := func() int {
		return b.Count(t, "select coalesce(sum(credit_centimes - debit_centimes), 0)::bigint from mouvement where compte = '471'")
	}
	if n := attente(); n != 1500 {
		t.Errorf("%d centimes wait on account 471, want 1500", n)
	}
	done := functiontest.MustAsk(t, b.Function, staff, message.AffecterOperation{OperationID: waiting[0].ID, Reference: bills[2].Numero})
	if done.Etat != "ENCAISSEE" || done.AbonneID != bills[2].AbonneID || b.bill(t, bills[2].ID).ResteCentimes != bills[2].TTCCentimes-500 {
		t.Errorf("got %+v", done)
	}
	if _, err := functiontest.Ask(t, b.Function, staff, message.AffecterOperation{OperationID: waiting[0].ID, Reference: bills[2].Numero}); functiontest.Code(err) != "operation_pas_a_affecter" {
		t.Errorf("twice: %v", err)
	}
	if n := attente(); n != 1000 {
		t.Errorf("%d centimes wait on account 471, want 1000", n)
	}
	b.sound(t)
}

// TestMoneyOfAClosedMonth books what the bank tells of late on the first open
// day of the entity that it is for, and the money of nobody on that of ours.
func TestMoneyOfAClosedMonth(t *testing.T) {
	t.Parallel()
	b, bills, _ := prelevables(t, 3, 0)
	_, err := b.DB.Exec(t.Context(), `insert into entite (code, prefixe) values ('delegue', 'D');
		insert into commune (code_insee, nom, entite) select distinct code_insee, 'Guercheville', 'delegue' from contrat;
		insert into cloture (entite, jusqua, cloturee_a, par, ecritures, debit_centimes) values
			('delegue', date_trunc('month', now()) - interval '1 day', now(), 'test', 0, 0), ('principale', date_trunc('month', now()) - interval '1 month 1 day', now(), 'test', 0, 0)`)
	if err != nil {
		t.Fatal(err)
	}
	before := aujourdhui().AddDays(-70) // two months ago or more
	f := b.importer(t, avis("A2",
		operationXML{credit: true, centimes: bills[0].TTCCentimes, ref: "1", libelle: "contrat " + bills[0].Contrat, date: before},
		operationXML{credit: true, centimes: 1234, ref: "2", libelle: "eau", date: before},
	))
	ops := b.operations(t, f.ID)
	if ops[0].Etat != "ENCAISSEE" || ops[1].Etat != "A_AFFECTER" || ops[0].Date != before {
		t.Errorf("got %+v", ops)
	}
	booked := func(want string) int {
		return b.Count(t, "select count(*) from ecriture where date = "+want)
	}
	if booked("date_trunc('month', now())") != 1 || booked("date_trunc('month', now()) - interval '1 month'") != 1 {
		t.Error("not on the first open day of each entity")
	}
	if b.Count(t, "select count(*) from paiement where recu_le = $1", before) != 1 {
		t.Error("the payment lost its day")
	}
	functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.AffecterOperation{OperationID: ops[1].ID, Reference: bills[1].Contrat})
	if _, err := functiontest.Ask(t, b.Function, functiontest.Staff(), message.EnregistrerPaiement{Mode: "CHEQUE", MontantCentimes: 1, RecuLe: before, Reference: bills[2].Contrat}); functiontest.Code(err) != "periode_close" {
		t.Errorf("a person may date a cheque anew: %v", err)
	}
	b.sound(t)
}

// TestCreditsOfNobody: money that comes back, or for a debit that was
// rejected, is on account 471 until a person says; one that the account shows
// to be taken back already is none.
func TestCreditsOfNobody(t *testing.T) {
	t.Parallel()
	b, bills, _ := prelevables(t, 3, 2)
	staff := functiontest.Staff()
	r := b.remettre(t)
	d := b.debits(t, r.ID)
	b.importer(t, statuts("S1", r.Reference, `</OrgnlGrpInfAndSts><OrgnlPmtInfAndSts><OrgnlPmtInfId>`+r.Reference+`-1</OrgnlPmtInfId>
		<TxInfAndSts><OrgnlEndToEndId>`+d[0].Reference+`</OrgnlEndToEndId><TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>AM04</Cd></Rsn></StsRsnInf></TxInfAndSts></OrgnlPmtInfAndSts>`))
	f := b.importer(t, avis("A1",
		operationXML{credit: true, centimes: 700, ref: "1", motif: "AC04"},
		operationXML{credit: true, centimes: d[0].MontantCentimes, ref: "2", bout: d[0].Reference},
		operationXML{centimes: d[1].MontantCentimes, ref: "3", bout: d[1].Reference, motif: "AM04"},
		operationXML{credit: true, centimes: d[1].MontantCentimes, ref: "4", bout: d[1].Reference},
		operationXML{credit: true, centimes: 900, ref: "5", libelle: "eau"}))
	ops := b.operations(t, f.ID)
	for i, want := range []string{"A_AFFECTER retour", "A_AFFECTER deja_rejete", "REJET AM04", "IGNOREE repris", "A_AFFECTER a_affecter"} {
		if got := ops[i].Etat + " " + ops[i].Code; got != want {
			t.Errorf("operation %d: %s, want %s", i, got, want)
		}
	}
	// The last waited before money was booked as it came.
	b.alter(t, "delete from mouvement where ecriture_id in (select id from encaissement where montant_centimes = 900); delete from ecriture where id in (select id from encaissement where montant_centimes = 900); delete from encaissement where montant_centimes = 900")
	if money := 700 + int(d[0].MontantCentimes); b.on(t, "512") != money || b.on(t, "471") != -money {
		t.Errorf("%d in the bank, %d wait", b.on(t, "512"), b.on(t, "471"))
	}
	for _, i := range []int{0, 1, 4} {
		if got := functiontest.MustAsk(t, b.Function, staff, message.AffecterOperation{OperationID: ops[i].ID, Reference: bills[2].Contrat}); got.Etat != "ENCAISSEE" {
			t.Errorf("got %+v", got)
		}
	}
	if money := 1600 + int(d[0].MontantCentimes); b.on(t, "512") != money || b.on(t, "471") != 0 {
		t.Errorf("%d in the bank, %d wait", b.on(t, "512"), b.on(t, "471"))
	}
	b.sound(t)
}

// TestNothingCountsTwice imports files, movements and rejections again in
// every way that a bank or a person may.
func TestNothingCountsTwice(t *testing.T) {
	t.Parallel()
	b, bills, _ := prelevables(t, 2, 2)
	staff := functiontest.Staff()
	r := b.remettre(t)
	d := b.debits(t, r.ID)
	one := operationXML{credit: true, centimes: d[0].MontantCentimes, ref: "R1", bout: d[0].Reference}
	virement := operationXML{credit: true, centimes: 500, libelle: bills[1].Numero} // without a reference of the bank
	first := avis("A1", one, virement, virement)
	if f := b.importer(t, first); f.Encaissees != 3 {
		t.Errorf("got %+v", f)
	}
	for code, xml := range map[string]string{"fichier_deja_importe": first, "message_deja_importe": avis("A1", one)} {
		if _, err := functiontest.Ask(t, b.Function, staff, message.ImporterFichierBancaire{Nom: "x", Contenu: []byte(xml)}); functiontest.Code(err) != code {
			t.Errorf("%v, want %s", err, code)
		}
	}
	// Two equal transfers of a day are two; a third is new, and only it.
	if f := b.importer(t, avis("A2", one, virement, virement, virement)); f.Doublons != 3 || f.Encaissees != 1 {
		t.Errorf("got %+v: %+v", f, b.operations(t, f.ID))
	}
	// The same credit under another reference of the bank: the debit itself says no.
	again := one
	again.ref = "R2"
	if f := b.importer(t, avis("A3", again)); f.Doublons != 1 {
		t.Errorf("got %+v", f)
	}
	retour := operationXML{centimes: d[0].MontantCentimes, ref: "R3", bout: d[0].Reference, motif: "MD06"}
	if f := b.importer(t, avis("A4", retour, retour)); f.Rejets != 1 || f.Doublons != 1 {
		t.Errorf("got %+v", f)
	}
	retour.ref = "R4"
	if f := b.importer(t, avis("A5", retour)); f.Doublons != 1 {
		t.Errorf("got %+v", f)
	}
	if n := b.Count(t, "select count(*) from paiement"); n != 4 {
		t.Errorf("%d payments", n)
	}
	if n := b.Count(t, "select count(*) from rejet"); n != 1 {
		t.Errorf("%d returned", n)
	}
	b.sound(t)
}

// TestWrongRejections: a bank's word is held against what was sent.
func TestWrongRejections(t *testing.T) {
	t.Parallel()
	b, _, _ := prelevables(t, 1, 1)
	r := b.remettre(t)
	d := b.debits(t, r.ID)[0]
	for i, c := range []struct {
		o    operationXML
		code string
	}{
		{operationXML{centimes: d.MontantCentimes, motif: "AM04"}, "rejet_sans_reference"},
		{operationXML{centimes: d.MontantCentimes, motif: "AM04", bout: "F2026-999999-1"}, "prelevement_inconnu"},
		{operationXML{centimes: d.MontantCentimes - 1, motif: "AM04", bout: d.Reference}, "montant_different"},
		{operationXML{centimes: d.MontantCentimes, motif: "AM04", bout: d.Reference, rum: "AUTRE"}, "autre_mandat"},
		{operationXML{credit: true, centimes: d.MontantCentimes + 1, bout: d.Reference}, "montant_different"},
		{operationXML{credit: true, centimes: d.MontantCentimes + 1, remise: r.Reference}, "montant_different"},
	} {
		f := b.importer(t, avis(fmt.Sprint("A", i), c.o))
		if ops := b.operations(t, f.ID); len(ops) != 1 || ops[0].Etat != "REFUSEE" || ops[0].Code != c.code || ops[0].Detail == "" {
			t.Errorf("%d: %+v, want %s", i, ops, c.code)
		}
	}
	if b.debits(t, r.ID)[0].Etat != "TRANSMIS" || b.Count(t, "select count(*) from paiement") != 0 {
		t.Error("something was booked")
	}
}

// TestHostileFiles are refused as a whole, with the line, and leave nothing.
func TestHostileFiles(t *testing.T) {
	t.Parallel()
	b, bills, _ := prelevables(t, 1, 1)
	r := b.remettre(t)
	good := avis("A1", operationXML{credit: true, centimes: 500, libelle: bills[0].Numero})
	for name, c := range map[string]struct{ xml, code, line string }{
		"a bomb":           {strings.Replace(good, "<Document", `<!DOCTYPE d [<!ENTITY a "a"><!ENTITY b "&a;&a;">]><Document`, 1), "doctype_interdit", "Ligne 2 :"},
		"not XML":          {"IBAN;montant\nFR14;12", "xml_invalide", "Ligne 2 :"},
		"another message":  {strings.ReplaceAll(good, "camt.054.001.08", "camt.052.001.08"), "format_inconnu", "Ligne 2 :"},
		"our own file":     {strings.ReplaceAll(good, "camt.054.001.08", "pain.008.001.02"), "format_inconnu", "Ligne 2 :"},
		"cut short":        {good[:len(good)-60], "xml_invalide", "Ligne"},
		"a long text":      {strings.Replace(good, "<Id>N</Id>", "<Id>"+strings.Repeat("x", 1<<17)+"</Id>", 1), "texte_trop_long", "Ligne 3 :"},
		"half a centime":   {strings.Replace(good, ">5.00<", ">5.005<", 1), "montant_invalide", "Ligne 4 :"},
		"another account":  {avisDe(autreCompte, "A1", operationXML{credit: true, centimes: 500}), "compte_etranger", "Ce fichier est celui d'un autre compte"},
		"another creditor": {statuts("S", "PREL-20200101-000001", `<GrpSts>RJCT</GrpSts></OrgnlGrpInfAndSts>`), "remise_inconnue", "Ce fichier parle d'une remise"},
		"no remise":        {statuts("S", "", `<GrpSts>RJCT</GrpSts></OrgnlGrpInfAndSts>`), "remise_inconnue", "Ce fichier ne dit pas"},
	} {
		_, err := functiontest.Ask(t, b.Function, functiontest.Staff(), message.ImporterFichierBancaire{Nom: "x", Contenu: []byte(c.xml)})
		p, ok := err.(*message.Problem)
		if !ok || len(p.Errors) != 1 || p.Errors[0].Code != c.code || !strings.HasPrefix(p.Detail, c.line) {
			t.Errorf("%s: %v (%+v)", name, err, p)
		}
	}
	if n := b.Count(t, "select (select count(*) from fichier_bancaire) + (select count(*) from operation_bancaire) + (select count(*) from paiement)"); n != 0 {
		t.Errorf("%d rows are left", n)
	}
	if b.debits(t, r.ID)[0].Etat != "TRANSMIS" {
		t.Error("a debit was touched")
	}
}

// TestImportIsTakenUp: of a file of many chunks some are booked, the same are
// delivered again, then the rest: each movement counts once.
func TestImportIsTakenUp(t *testing.T) {
	t.Parallel()
	b, bills, _ := prelevables(t, 1, 0)
	var ops []operationXML
	for i := range 2*parTraitement + 10 {
		ops = append(ops, operationXML{credit: true, centimes: int64(i + 1), ref: fmt.Sprint("R", i), libelle: bills[0].Numero})
	}
	f := functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.ImporterFichierBancaire{Nom: "jour.xml", Contenu: []byte(avis("A1", ops...))})
	if f.EnCours != len(ops) || f.Operations != len(ops) {
		t.Errorf("got %+v", f)
	}
	var chunks []functiontest.Sent
	for _, s := range b.Outbox(t) {
		if s.Key == (message.OperationsATraiter{}).Type() {
			chunks = append(chunks, s)
		}
	}
	if len(chunks) != 3 {
		t.Fatalf("%d chunks", len(chunks))
	}
	b.Deliver(t, chunks[1].Event)
	half := functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.FichierBancaireParID{ID: f.ID})
	if half.Encaissees != parTraitement || half.EnCours != parTraitement+10 {
		t.Errorf("got %+v", half)
	}
	copied := chunks[1].Event
	copied.SetID(function.NewID()) // a replay by hand
	b.Deliver(t, copied)
	b.comptabiliser(t)
	whole := functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.FichierBancaireParID{ID: f.ID})
	if whole.Encaissees != len(ops) || whole.EnCours != 0 || b.Count(t, "select count(*) from paiement") != len(ops) {
		t.Errorf("got %+v", whole)
	}
	b.sound(t)
}

// TestChunkLocksItsPayersInOrder: a chunk that waits for an abonne holds no
// later one, whatever the order of its movements, so two chunks cannot wait
// for each other.
func TestChunkLocksItsPayersInOrder(t *testing.T) {
	t.Parallel()
	b, bills, _ := prelevables(t, 4, 1)
	r := b.remettre(t)
	of := map[string]operationXML{ // as a debit, by the number of the bill, by that of the contract, by the amount and the name
		bills[0].AbonneID: {credit: true, centimes: bills[0].TTCCentimes, bout: b.debits(t, r.ID)[0].Reference},
		bills[1].AbonneID: {credit: true, centimes: 100, libelle: bills[1].Numero},
		bills[2].AbonneID: {credit: true, centimes: 200, libelle: bills[2].Contrat},
		bills[3].AbonneID: {credit: true, centimes: bills[3].TTCCentimes, nom: bills[3].Nom},
	}
	abonnes := slices.Sorted(maps.Keys(of))
	var ops []operationXML
	for i, id := range slices.Backward(abonnes) {
		o := of[id]
		o.ref = fmt.Sprint("R", i)
		ops = append(ops, o)
	}
	held, err := b.DB.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = held.Rollback(t.Context()) }()
	const lock = "(hashtextextended('abonne ' || $1::text, 0))"
	if _, err := held.Exec(t.Context(), "select pg_advisory_xact_lock"+lock, abonnes[0]); err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	wait.Go(func() { b.importer(t, avis("A1", ops...)) })
	for b.Count(t, "select count(*) from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())") == 0 {
		time.Sleep(10 * time.Millisecond)
	}
	for _, id := range abonnes[1:] {
		if b.Count(t, "select count(*) where pg_try_advisory_xact_lock"+lock, id) != 1 {
			t.Errorf("it holds the %v", of[id])
		}
	}
	_ = held.Rollback(t.Context())
	wait.Wait()
	if n := b.Count(t, "select count(*) from paiement"); n != len(ops) {
		t.Errorf("%d payments", n)
	}
	b.sound(t)
}

// TestAmountIsOfOneBillOnce: a bill that a movement of the chunk has paid is
// no more the one of an amount.
func TestAmountIsOfOneBillOnce(t *testing.T) {
	t.Parallel()
	b, bills, _ := prelevables(t, 2, 0)
	same := func(ref string) operationXML {
		return operationXML{credit: true, centimes: bills[0].TTCCentimes, ref: ref, nom: strings.ToUpper(bills[0].Nom)}
	}
	f := b.importer(t, avis("A1", same("1"), same("2")))
	if ops := b.operations(t, f.ID); ops[0].Etat != "ENCAISSEE" || ops[0].AbonneID != bills[0].AbonneID || ops[1].Etat != "A_AFFECTER" {
		t.Errorf("got %+v", ops)
	}
	b.sound(t)
}

func TestCodesRejet(t *testing.T) {
	t.Parallel()
	b := &bundle{Function: functiontest.Start(t, "facture", listens)}
	codes := functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.CodesRejet{}).Items
	if len(codes) < 25 || !slices.ContainsFunc(codes, func(c message.CodeRejet) bool { return c.Code == "AM04" && c.Action == "REPRESENTER" && c.Source != "" }) {
		t.Errorf("got %+v", codes)
	}
}
