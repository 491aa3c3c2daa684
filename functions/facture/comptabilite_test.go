package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

// ledger is a bundle with bills of 2025 and 2026 and payments of some of them.
func ledger(t *testing.T) (b *bundle, bills []message.Facture) {
	t.Helper()
	b = setup(t, 0)
	return b, b.ledger(t)
}

func (b *bundle) ledger(t *testing.T) (bills []message.Facture) {
	t.Helper()
	juillet := message.NewDate(2025, time.July, 1)
	decembre := message.NewDate(2025, time.December, 1)
	for i := range 3 {
		c := contract(i)
		c.Abonne.Nom = []string{"=HYPERLINK(\"x\")", "L’Hôte\t|d’Œuvre", "Zoé"}[i]
		b.contrats = append(b.contrats, c)
		b.deliver(t, "contrat", c.ContratID, c)
		for day, index := range map[message.Date]int64{message.NewDate(2025, 1, 1): 100, juillet: 130, decembre: 150, avril: 190} {
			b.read(t, c, day, index, false)
		}
	}
	first := b.issue(t, lotOf(message.NewDate(2025, 1, 1), juillet, message.NewDate(2025, time.July, 15)))
	second := b.issue(t, lotOf(juillet, decembre, message.NewDate(2025, time.December, 10)))
	third := b.issue(t, lotOf(decembre, avril, message.NewDate(2026, time.April, 10)))
	for _, lot := range []message.Lot{first, second, third} {
		bills = append(bills, b.bills(t, lot.ID)...)
	}
	functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.OuvrirCaisse{Caisse: "principale"})
	for _, p := range []struct {
		bill   int
		mode   string
		amount int64
		on     message.Date
	}{
		{0, "VIREMENT", bills[0].TTCCentimes, message.NewDate(2025, time.August, 1)},
		{1, "ESPECES", 1234, message.NewDate(2025, time.August, 2)},
		{1, "VIREMENT", bills[1].TTCCentimes - 1234, message.NewDate(2026, time.January, 5)},
		{8, "CHEQUE", 777, message.NewDate(2026, time.May, 5)},
	} {
		functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.EnregistrerPaiement{Mode: p.mode, MontantCentimes: p.amount, RecuLe: p.on, Reference: bills[p.bill].Numero})
	}
	return bills
}

func TestBalanceOverDays(t *testing.T) {
	t.Parallel()
	b, bills := ledger(t)
	staff := functiontest.Staff()
	year := functiontest.MustAsk(t, b.Function, staff, message.Balance{Du: message.NewDate(2026, 1, 1), Au: message.NewDate(2026, 12, 31)})
	before := functiontest.MustAsk(t, b.Function, staff, message.Balance{Au: message.NewDate(2025, 12, 31)})
	all := functiontest.MustAsk(t, b.Function, staff, message.Balance{})
	if year.DebitCentimes != year.CreditCentimes || before.DebitCentimes+year.DebitCentimes != all.DebitCentimes || year.DebitCentimes == 0 {
		t.Errorf("2026 %+v, before %+v, all %+v", year, before, all)
	}
	for i, c := range year.Comptes {
		if c.OuvertureCentimes != before.Comptes[i].SoldeCentimes || c.SoldeCentimes != all.Comptes[i].SoldeCentimes ||
			c.SoldeCentimes != c.OuvertureCentimes+c.DebitCentimes-c.CreditCentimes {
			t.Errorf("account %s: %+v, before %+v", c.Compte, c, before.Comptes[i])
		}
	}
	// Line by line, page by page, an account ends where its balance says.
	q := message.GrandLivre{Compte: "411", Page: message.Page{Limite: 2}}
	var last int64
	lines := 0
	for {
		page := functiontest.MustAsk(t, b.Function, staff, q)
		if page.OuvertureCentimes != last {
			t.Errorf("a page opens with %d, the one before ended with %d", page.OuvertureCentimes, last)
		}
		for _, l := range page.Items {
			last = l.SoldeCentimes
			lines++
		}
		if q.Curseur = page.Suivant; q.Curseur == "" {
			break
		}
	}
	var owed int64
	for _, f := range bills {
		owed += f.TTCCentimes
	}
	owed -= bills[0].TTCCentimes + bills[1].TTCCentimes + 777
	if last != owed || lines != 13 {
		t.Errorf("account 411 ends with %d after %d lines, owed %d", last, lines, owed)
	}
	cash := functiontest.MustAsk(t, b.Function, staff, message.Journal{Journal: "CA"})
	if len(cash.Items) != 1 || len(cash.Items[0].Mouvements) != 2 || cash.Items[0].Mouvements[0].Compte != "530" || cash.Items[0].AbonneID != bills[1].AbonneID {
		t.Errorf("cash: %+v", cash.Items)
	}
	for journal, want := range map[string]int{"VT": 9, "BQ": 3, "OD": 0} {
		if got := functiontest.MustAsk(t, b.Function, staff, message.Journal{Journal: journal}); len(got.Items) != want {
			t.Errorf("%s: %d entries, want %d", journal, len(got.Items), want)
		}
	}
	if _, err := functiontest.Ask(t, b.Function, staff, message.GrandLivre{Compte: "999"}); functiontest.Code(err) != "compte_inconnu" {
		t.Errorf("an unknown account: %v", err)
	}
}

func TestAgedBalanceIsAccount411(t *testing.T) {
	t.Parallel()
	b, bills := ledger(t)
	staff := functiontest.Staff()
	today := message.DateOf(time.Now())
	// One bill of each age, and money that no bill asked for.
	ages := []int{-1, 30, 31, 60, 61, 90, 91, 0, 1}
	if _, err := b.DB.Exec(t.Context(), "alter table facture disable trigger facture_figee"); err != nil {
		t.Fatal(err)
	}
	for i, f := range bills {
		if _, err := b.DB.Exec(t.Context(), "update facture set echeance = $2 where id = $1", f.ID, today.AddDays(-ages[i])); err != nil {
			t.Fatal(err)
		}
	}
	functiontest.MustAsk(t, b.Function, staff, message.EnregistrerPaiement{Mode: "CARTE", MontantCentimes: 1_000_000, RecuLe: today, AbonneID: bills[0].AbonneID})
	page := functiontest.MustAsk(t, b.Function, staff, message.BalanceAgee{})
	reste := func(i int) int64 {
		return functiontest.MustAsk(t, b.Function, staff, message.FactureParID{ID: bills[i].ID}).ResteCentimes
	}
	want := message.CompteAge{NonEchuCentimes: reste(0) + reste(7), J30Centimes: reste(1) + reste(8), J60Centimes: reste(2) + reste(3), J90Centimes: reste(4) + reste(5), PlusCentimes: reste(6)}
	want.SoldeCentimes = int64(b.Count(t, "select sum(debit_centimes - credit_centimes) from mouvement where compte = '411'"))
	want.AvanceCentimes = want.SoldeCentimes - want.NonEchuCentimes - want.J30Centimes - want.J60Centimes - want.J90Centimes - want.PlusCentimes
	if page.Total != want || page.Nombre != 3 || want.AvanceCentimes >= 0 {
		t.Errorf("total %+v of %d, want %+v", page.Total, page.Nombre, want)
	}
	var sum message.CompteAge
	for _, c := range page.Items {
		account := functiontest.MustAsk(t, b.Function, staff, message.Compte{AbonneID: c.AbonneID})
		if account.SoldeCentimes != c.SoldeCentimes || c.Nom == "" {
			t.Errorf("%+v, but the account says %d", c, account.SoldeCentimes)
		}
		sum.SoldeCentimes += c.SoldeCentimes
	}
	if sum.SoldeCentimes != page.Total.SoldeCentimes {
		t.Errorf("the abonnes owe %d, the total says %d", sum.SoldeCentimes, page.Total.SoldeCentimes)
	}
	if got := functiontest.MustAsk(t, b.Function, staff, message.BalanceAgee{Tranche: "AVANCE"}); got.Nombre != 1 || got.Items[0].AbonneID != bills[0].AbonneID {
		t.Errorf("paid in advance: %+v", got)
	}
}

func TestVATIsThatOfTheBills(t *testing.T) {
	t.Parallel()
	b, _ := ledger(t)
	staff := functiontest.Staff()
	q := message.DeclarationTVA{Du: message.NewDate(2025, 1, 1), Au: message.NewDate(2026, 12, 31)}
	debits := functiontest.MustAsk(t, b.Function, staff, q)
	if debits.Exigibilite != "DEBITS" || debits.TVACentimes != debits.JournalCentimes || debits.TVACentimes == 0 || len(debits.Lignes) != 6 {
		t.Errorf("on debits: %+v", debits)
	}
	if _, err := functiontest.Ask(t, b.Function, staff, message.DeclarationTVA{Du: q.Au, Au: q.Du}); functiontest.Code(err) != "periode_vide" {
		t.Errorf("backwards: %v", err)
	}
}

func TestClosing(t *testing.T) {
	t.Parallel()
	b, bills := ledger(t)
	staff := functiontest.Staff()
	ends := func(y int, m time.Month) message.Date { return message.NewDate(y, m+1, 0) }
	seen := functiontest.MustAsk(t, b.Function, staff, message.ApercuCloture{Jusqua: ends(2025, time.December)})
	if seen.Ecritures != 8 || seen.PremierNumero != 1 || seen.DernierNumero != 8 || seen.DebitCentimes == 0 || seen.ClotureeA != nil {
		t.Errorf("would close %+v", seen)
	}
	if b.Count(t, "select count(*) from cloture") != 0 {
		t.Error("looking closes")
	}
	done := functiontest.MustAsk(t, b.Function, staff, message.Cloturer{Jusqua: ends(2025, time.December)})
	next := functiontest.MustAsk(t, b.Function, staff, message.Cloturer{Jusqua: ends(2026, time.June)})
	if done.Ecritures != seen.Ecritures || done.DebitCentimes != seen.DebitCentimes || next.PremierNumero != 2 || next.DernierNumero != 6 || next.Depuis != message.NewDate(2026, 1, 1) {
		t.Errorf("closed %+v, then %+v", done, next)
	}
	list := functiontest.MustAsk(t, b.Function, staff, message.Clotures{})
	if len(list.Items) != 2 || list.Items[0].Jusqua != ends(2026, time.June) || list.Items[0].DernierNumero != 6 || list.Items[1].DernierNumero != 8 {
		t.Errorf("list %+v", list)
	}
	pay := func(on message.Date) error {
		_, err := functiontest.Ask(t, b.Function, staff, message.EnregistrerPaiement{Mode: "CARTE", MontantCentimes: 1, RecuLe: on, Reference: bills[8].Numero})
		return err
	}
	if err := pay(ends(2026, time.June)); functiontest.Code(err) == "" {
		t.Error("a payment in a closed month is taken")
	}
	if err := pay(ends(2026, time.June).AddDays(1)); err != nil {
		t.Errorf("a payment in an open month: %v", err)
	}
	for _, c := range []struct {
		jusqua message.Date
		code   string
	}{
		{ends(2026, time.June), "deja_close"}, {ends(2026, time.March), "deja_close"},
		{message.NewDate(2026, time.July, 30), "fin_de_mois"}, {ends(2199, time.July), "mois_en_cours"},
	} {
		if _, err := functiontest.Ask(t, b.Function, staff, message.Cloturer{Jusqua: c.jusqua}); functiontest.Code(err) != c.code {
			t.Errorf("%s: %v, want %s", c.jusqua, err, c.code)
		}
	}
	b.balanced(t)
}

// balanced fails the test for each invariant of the books that is broken.
func (b *bundle) balanced(t *testing.T) {
	t.Helper()
	for _, c := range functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.ControlerComptes{}).Controles {
		if c.Anomalies != 0 || c.EcartCentimes != 0 {
			t.Errorf("%s: %d rows, off by %d", c.Code, c.Anomalies, c.EcartCentimes)
		}
	}
}

// Each check of the books finds what it is there for.
func TestChecksFindWhatIsWrong(t *testing.T) {
	t.Parallel()
	b, _ := ledger(t)
	functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.Cloturer{Jusqua: message.NewDate(2025, time.December, 31)})
	b.balanced(t)
	var out bytes.Buffer
	if err := pgx.BeginFunc(t.Context(), b.DB, func(tx pgx.Tx) error { return verifierCommande(t.Context(), tx, &out) }); err != nil || !strings.Contains(out.String(), fmt.Sprintf("books: %[1]d of %[1]d checks hold", len(controles))) {
		t.Fatalf("the command on sound books: %v\n%s", err, &out)
	}
	for _, c := range []struct{ code, break_ string }{
		{"ecritures_equilibrees", "update mouvement set debit_centimes = debit_centimes + 1 where compte = '530'"},
		{"factures_journalisees", "update mouvement set debit_centimes = debit_centimes + 1 where ecriture_id = (select min(id::text)::uuid from facture) and compte = '411'"},
		{"tva_journalisee", "update mouvement set credit_centimes = credit_centimes + 1 where ecriture_id = (select min(id::text)::uuid from facture) and compte = '44571'"},
		{"tva_exigible", "update mouvement set credit_centimes = credit_centimes + 1 where ecriture_id = (select min(id::text)::uuid from facture) and compte = '44571'"},
		{"compte_411", "update paiement set montant_centimes = montant_centimes + 1 where mode = 'CHEQUE'"},
		{"paye_par_lettrage", "update facture set paye_centimes = paye_centimes + 1 where etat = 'PARTIELLE'"},
		{"lettrage_borne", "update lettrage set montant_centimes = montant_centimes + 1000000 where paiement_id = (select id from paiement where mode = 'CHEQUE')"},
		{"numeros_continus", "delete from ecriture_numero where numero = 4"},
	} {
		conn, err := b.DB.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, sql := range []string{"set local session_replication_role = replica", c.break_} {
			if tag, err := conn.Exec(t.Context(), sql); err != nil || sql == c.break_ && tag.RowsAffected() != 1 {
				t.Fatalf("%s: %v, %s", c.code, err, tag)
			}
		}
		var out bytes.Buffer
		if err := verifierCommande(t.Context(), conn, &out); err == nil || !strings.Contains(out.String(), "books: "+c.code+" is broken") {
			t.Errorf("%s does not find %s: %v\n%s", c.code, c.break_, err, &out)
		}
		if err := conn.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// fecOf reads a FEC as the tax office's tool does, written from the text of
// LPF A47 A-1 alone, and fails the test for what breaks it. It returns the
// balance of each account, and adds up what is under each letter.
func fecOf(t *testing.T, d message.PartFichier, siren, close string, letters map[string]int64) map[string]int64 {
	t.Helper()
	if want := siren + "FEC" + close + ".txt"; d.Nom != want {
		t.Errorf("the file is named %s, want %s", d.Nom, want)
	}
	for i, c := range d.Contenu {
		if c >= 0x80 && c < 0xa0 || c == 0x1a {
			t.Errorf("byte %d is %#x: not ISO 8859-15", i, c)
		}
	}
	lines := strings.Split(strings.TrimSuffix(string(d.Contenu), "\r\n"), "\r\n")
	names := strings.Split("JournalCode JournalLib EcritureNum EcritureDate CompteNum CompteLib CompAuxNum CompAuxLib PieceRef PieceDate EcritureLib Debit Credit EcritureLet DateLet ValidDate Montantdevise Idevise", " ")
	if got := strings.Split(lines[0], "\t"); strings.Join(got, " ") != strings.Join(names, " ") {
		t.Fatalf("fields %q", got)
	}
	mandatory := map[string]bool{}
	for _, n := range []string{"JournalCode", "JournalLib", "EcritureNum", "EcritureDate", "CompteNum", "CompteLib", "PieceRef", "PieceDate", "EcritureLib", "Debit", "Credit", "ValidDate"} {
		mandatory[n] = true
	}
	accounts, sum := map[string]int64{}, int64(0)
	number, lastDate := 0, ""
	for i, line := range lines[1:] {
		fields := strings.Split(line, "\t")
		if len(fields) != 18 {
			t.Fatalf("line %d has %d fields", i+2, len(fields))
		}
		row := map[string]string{}
		for k, v := range fields {
			row[names[k]] = v
			if v == "" && mandatory[names[k]] {
				t.Errorf("line %d: no %s", i+2, names[k])
			}
			if strings.HasSuffix(names[k], "Date") {
				if _, err := time.Parse("20060102", v); err != nil {
					t.Errorf("line %d: %s is %q", i+2, names[k], v)
				}
			}
		}
		n, err := strconv.Atoi(row["EcritureNum"])
		if err != nil || n != number && n != number+1 {
			t.Errorf("line %d: number %s after %d", i+2, row["EcritureNum"], number)
		}
		if n != number && sum != 0 {
			t.Errorf("entry %d is off by %d", number, sum)
		}
		if row["EcritureDate"] < lastDate || row["EcritureDate"][:4] != close[:4] || row["EcritureDate"] > close {
			t.Errorf("line %d: date %s after %s", i+2, row["EcritureDate"], lastDate)
		}
		number, lastDate = n, row["EcritureDate"]
		if _, err := strconv.Atoi(row["CompteNum"][:3]); err != nil {
			t.Errorf("line %d: account %s", i+2, row["CompteNum"])
		}
		var side [2]int64
		for k, name := range []string{"Debit", "Credit"} {
			whole, cents, ok := strings.Cut(row[name], ",")
			v, err := strconv.ParseInt(whole+cents, 10, 64)
			if !ok || len(cents) != 2 || err != nil || v < 0 {
				t.Errorf("line %d: %s is %q", i+2, name, row[name])
			}
			side[k] = v
		}
		if side[0] != 0 && side[1] != 0 || side == [2]int64{} {
			t.Errorf("line %d: debit %d and credit %d", i+2, side[0], side[1])
		}
		if (row["CompAuxNum"] == "") != (row["CompAuxLib"] == "") || (row["CompteNum"] == "411") != (row["CompAuxNum"] != "") {
			t.Errorf("line %d: account %s of %q %q", i+2, row["CompteNum"], row["CompAuxNum"], row["CompAuxLib"])
		}
		if let, date := row["EcritureLet"], row["DateLet"]; (let == "") != (date == "") || let != "" && (date < row["EcritureDate"] || row["CompteNum"] != "411" || row["JournalCode"] == "AN") {
			t.Errorf("line %d: letter %q of %q on account %s", i+2, let, date, row["CompteNum"])
		} else if let != "" {
			if _, err := time.Parse("20060102", date); err != nil {
				t.Errorf("line %d: DateLet is %q", i+2, date)
			}
			letters[let] += side[0] - side[1]
		}
		sum += side[0] - side[1]
		accounts[row["CompteNum"]] += side[0] - side[1]
	}
	if sum != 0 {
		t.Errorf("the last entry is off by %d", sum)
	}
	return accounts
}

func TestFEC(t *testing.T) {
	t.Parallel()
	b, bills := ledger(t)
	staff := functiontest.Staff()
	back := functiontest.MustAsk(t, b.Function, staff, message.EnregistrerPaiement{Mode: "VIREMENT", MontantCentimes: 1000, RecuLe: message.NewDate(2026, time.February, 1), Reference: bills[2].Numero})
	functiontest.MustAsk(t, b.Function, staff, message.RejeterPaiement{PaiementID: back.ID, Motif: "sans provision"})
	// parts reads the file so many entries at a time.
	parts := func(year, lot int) (all message.PartFichier, err error) {
		q := message.ExporterFEC{Exercice: year, Suite: message.Suite{Lot: lot}}
		for {
			p, err := functiontest.Ask(t, b.Function, staff, q)
			if err != nil {
				return p, err
			}
			if n := bytes.Count(p.Contenu, []byte("\r\n")); n > 6*lot+1 {
				t.Errorf("a part of %d entries has %d lines", lot, n)
			}
			all.Nom, all.Contenu = p.Nom, append(all.Contenu, p.Contenu...)
			if q.Apres = p.Suivant; q.Apres == "" {
				return all, nil
			}
		}
	}
	fec := func(year int) (message.PartFichier, error) { return parts(year, 1000) }
	refused := func(want string) {
		t.Helper()
		if _, err := fec(2025); functiontest.Code(err) != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	refused("regime_public")
	setting := message.ReglerComptabilite{Entite: "principale", Regime: "PRIVE", TVAExigibilite: "DEBITS"}
	functiontest.MustAsk(t, b.Function, staff, setting)
	refused("siren_manquant")
	setting.SIREN = "732829321"
	if _, err := functiontest.Ask(t, b.Function, staff, setting); functiontest.Code(err) != "siren_invalide" {
		t.Errorf("a wrong SIREN: %v", err)
	}
	setting.SIREN = "732829320"
	functiontest.MustAsk(t, b.Function, staff, setting)
	refused("exercice_ouvert")
	functiontest.MustAsk(t, b.Function, staff, message.Cloturer{Jusqua: message.NewDate(2026, time.June, 30)})
	first, err := fec(2025)
	if err != nil {
		t.Fatal(err)
	}
	second, err := fec(2026)
	if err != nil {
		t.Fatal(err)
	}
	letters := map[string]int64{}
	year, next := fecOf(t, first, setting.SIREN, "20251231", letters), fecOf(t, second, setting.SIREN, "20260630", letters)
	// Two bills are paid, one of them over two years; what took the payment back is not in a closed month yet.
	settled := 0
	for let, sum := range letters {
		switch sum {
		case 0:
			settled++
		case -1000:
		default:
			t.Errorf("letter %s sums to %d", let, sum)
		}
	}
	if settled != 2 || len(letters) != 3 {
		t.Errorf("letters %v", letters)
	}
	for _, lot := range []int{1, 2, 3} {
		if again, err := parts(2026, lot); err != nil || !bytes.Equal(again.Contenu, second.Contenu) {
			t.Errorf("%d entries at a time make another file: %v", lot, err)
		}
	}
	// Accounts of the balance sheet are taken over into the next year; the others start from nothing, and what they came to is the result.
	at := map[string]map[string]int64{}
	for day, d := range map[string]message.Date{"2025": message.NewDate(2025, 12, 31), "2026": message.NewDate(2026, 6, 30)} {
		at[day] = map[string]int64{}
		for _, c := range functiontest.MustAsk(t, b.Function, staff, message.Balance{Au: d}).Comptes {
			at[day][c.Compte] = c.SoldeCentimes
		}
	}
	var result int64
	for compte, solde := range at["2025"] {
		if year[compte] != solde {
			t.Errorf("2025: account %s is %d, the balance says %d", compte, year[compte], solde)
		}
		want := at["2026"][compte]
		if compte >= "6" {
			want -= solde
			result += solde
		}
		if next[compte] != want {
			t.Errorf("2026: account %s is %d, want %d", compte, next[compte], want)
		}
	}
	if next["120"] != result || result >= 0 {
		t.Errorf("the result of 2025 is %d, taken over as %d", result, next["120"])
	}
	if again := functiontest.MustAsk(t, b.Function, staff, message.ExporterComptabilite{Quoi: "FEC", Exercice: 2025}); !bytes.Equal(first.Contenu, again.Contenu) || again.Nom != first.Nom {
		t.Error("the same year gives two files")
	}
	// What a year leaves was summed when the next began to close, once: not when it is read, nor when more of that one closes.
	functiontest.MustAsk(t, b.Function, staff, message.Cloturer{Jusqua: message.NewDate(2026, time.July, 31)})
	b.unguarded(t, "delete from mouvement where ecriture_id in (select id from ecriture where date < '2026-01-01')")
	again, err := fec(2026)
	opening := second.Contenu[:bytes.Index(second.Contenu, []byte("\r\nBQ\t"))]
	if err != nil || bytes.Count(opening, []byte("\tA nouveau\t")) < 5 || !bytes.HasPrefix(again.Contenu, opening) {
		t.Errorf("%v: %q opens the year, then %q", err, opening, again.Contenu)
	}
	if err := b.sql(t, "insert into a_nouveau values ('principale', 2026, 99, '512', null, 1)"); err == nil {
		t.Error("the function writes what a closing leaves")
	}
}

// A part of a FEC costs what it holds, whatever the service issued besides:
// of 20,000 bills and their payments it comes within the time of a statement.
func TestFECOfManyBills(t *testing.T) {
	t.Parallel()
	const bills = 20_000
	b := setup(t, 0)
	staff := functiontest.Staff()
	functiontest.MustAsk(t, b.Function, staff, message.ReglerComptabilite{Entite: "principale", Regime: "PRIVE", TVAExigibilite: "DEBITS", SIREN: "732829320"})
	b.alter(t, `with n as (select i, lpad(to_hex(i), 12, '0') k from generate_series(1, $1::int) i),
		e as (select i, ('00000000-0000-7000-8000-' || k)::uuid id, '2025-01-10'::date le, '411' debit, '70111' credit from n
			union all select $1 + i, ('00000000-0000-7000-8001-' || k)::uuid, '2025-02-10', '512', '411' from n),
		f as (insert into ecriture (id, date, piece, libelle, abonne_id) select id, le, 'P' || i, '', ('00000000-0000-7000-8002-' || right(id::text, 12))::uuid from e),
		g as (insert into ecriture_numero select id, 'principale', 2025, i, le from e),
		h as (insert into mouvement (ecriture_id, compte, debit_centimes, credit_centimes) select id, debit, 100, 0 from e union all select id, credit, 0, 100 from e),
		c as (insert into cloture values ('principale', '2025-12-31', now(), '', 2 * $1, 200 * $1))
		insert into lettrage (paiement_id, facture_id, montant_centimes, cree_a) select ('00000000-0000-7000-8001-' || k)::uuid, ('00000000-0000-7000-8000-' || k)::uuid, 100, '2025-02-10' from n`, bills)
	p := functiontest.MustAsk(t, b.Function, staff, message.ExporterFEC{Exercice: 2025, Suite: message.Suite{Apres: cursor{"N", "19000"}.String()}})
	if lettered := bytes.Count(p.Contenu, []byte("\t20250210\t")); lettered < 2000 || !bytes.Contains(p.Contenu, []byte("\t2025-019001\t20250210\t20250110\t")) {
		t.Errorf("%d lines are lettered", lettered)
	}
}

func TestExportsCarryNoFormula(t *testing.T) {
	t.Parallel()
	b, bills := ledger(t)
	staff := functiontest.Staff()
	for _, q := range []message.ExporterComptabilite{
		{Quoi: "BALANCE"}, {Quoi: "ROLE"}, {Quoi: "JOURNAL"}, {Quoi: "GRAND_LIVRE", Compte: "411"}, {Quoi: "BALANCE_AGEE"}, {Quoi: "TVA", Du: message.NewDate(2025, 1, 1), Au: message.NewDate(2026, 12, 31)},
	} {
		q.Format = "CSV"
		csv := functiontest.MustAsk(t, b.Function, staff, q)
		lines := strings.Split(strings.TrimPrefix(string(csv.Contenu), "\uFEFF"), "\r\n")
		if len(lines) < 3 {
			t.Errorf("%s: %q", q.Quoi, csv.Contenu)
		}
		for _, line := range lines {
			for _, cell := range strings.Split(line, ";") {
				cell = strings.TrimPrefix(cell, `"`)
				_, err := strconv.ParseFloat(strings.Replace(cell, ",", ".", 1), 64)
				if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t") && err != nil {
					t.Errorf("%s: cell %q", q.Quoi, cell)
				}
			}
		}
		q.Format = "XLSX"
		book := functiontest.MustAsk(t, b.Function, staff, q)
		sheet := zipped(t, book.Contenu, "xl/worksheets/sheet1.xml")
		if strings.Contains(sheet, "<f") || strings.Count(sheet, "<row ") != len(lines)-1 {
			t.Errorf("%s: %d rows for %d lines, formula: %v", q.Quoi, strings.Count(sheet, "<row "), len(lines)-1, strings.Contains(sheet, "<f"))
		}
	}
	csv := functiontest.MustAsk(t, b.Function, staff, message.ExporterComptabilite{Quoi: "BALANCE_AGEE"})
	if want := "'Anne"; strings.Contains(string(csv.Contenu), want) || !strings.Contains(string(csv.Contenu), `"Anne =HYPERLINK(""x"")"`) {
		t.Errorf("what begins with a letter is left as it is:\n%s", csv.Contenu)
	}
	for text, want := range map[string]string{"=1+1": "'=1+1", "+33": "'+33", "-a": "'-a", "@x": "'@x", "\tx": "'\tx", "＝1": "'＝1", "a=1": "a=1", "": ""} {
		if got := inerte(text); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
	if _, err := functiontest.Ask(t, b.Function, functiontest.Subscriber(bills[0].AbonneID), message.ExporterComptabilite{Quoi: "BALANCE"}); functiontest.Code(err) != "droit_manquant" {
		t.Errorf("a subscriber: %v", err)
	}
}

// zipped reads a file of a ZIP.
func zipped(t *testing.T, archive []byte, name string) string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	f, err := z.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// Many write while one closes: an entry is either numbered, or dated after.
func TestClosingWhileOthersPay(t *testing.T) {
	t.Parallel()
	b, bills := ledger(t)
	staff := functiontest.Staff()
	end := message.NewDate(2026, time.June, 30)
	done := make(chan string)
	for i := range 12 {
		go func() {
			_, err := functiontest.Ask(t, b.Function, staff, message.EnregistrerPaiement{Mode: "CARTE", MontantCentimes: 1, RecuLe: end, Reference: bills[3+i%6].Numero})
			done <- functiontest.Code(err)
		}()
		if i == 5 {
			go func() {
				_, err := functiontest.Ask(t, b.Function, staff, message.Cloturer{Jusqua: end})
				done <- "closed " + fmt.Sprint(err)
			}()
		}
	}
	taken := 0
	for range 13 {
		switch got := <-done; got {
		case "":
			taken++
		case "periode_close", "conflit", "closed <nil>":
		default:
			t.Error(got)
		}
	}
	if n := b.Count(t, "select count(*) from ecriture e where date <= $1 and not exists (select from ecriture_numero n where n.ecriture_id = e.id)", end); n != 0 {
		t.Errorf("%d entries of the closed months have no number", n)
	}
	if n := b.Count(t, "select count(*) from paiement where montant_centimes = 1"); n != taken {
		t.Errorf("%d payments were taken, %d are there", taken, n)
	}
	b.balanced(t)
}
