package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"aquaerp.fr/shared/function"
	ft "aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

func TestMain(m *testing.M) { ft.Main(m) }

// lieu is a contract in force, as contrat tells of it.
type lieu struct{ message.ContratActive }

// contrat makes the n-th contract: a DN15 meter of five digits, placed on
// 2024-04-01 at index 1000.
func contrat(n int) lieu {
	id := func(kind int) string { return fmt.Sprintf("0190a000-0000-7000-80%02d-%012d", kind, n) }
	adresse := message.Adresse{Voie: fmt.Sprint(n, " rue du Lavoir"), CodePostal: "77999", Commune: "Brissy"}
	return lieu{message.ContratActive{
		ContratID: id(1), Numero: fmt.Sprintf("C-I-77-24-%05d", n), Version: 3, Depuis: jour("2024-04-01"),
		Abonne: message.Abonne{ID: id(2), Nature: "PERSONNE", Nom: "Martin", Prenom: "Anne", Adresse: adresse},
		PDL:    message.PDL{ID: id(3), Reference: fmt.Sprintf("PDL-%05d", n), Logements: 1, ResidencePrincipale: "OUI", Adresse: adresse},
		Pose: message.Pose{ID: id(4), Du: jour("2024-04-01"), IndexDebut: 1000, Compteur: message.Compteur{
			ID: id(5), Serie: fmt.Sprint("S", n), CalibreMM: 15, Roues: 5, LitresParUnite: 1000, Annee: 2020}},
	}}
}

// change is the change of meter of a contract on a day.
func (l lieu) change(date string, fin int64) message.CompteurChange {
	old, posee := l.Pose, l.Pose
	old.Au, old.IndexFin = jour(date), &fin
	posee.ID = strings.Replace(old.ID, "-8004-", "-8006-", 1)
	posee.Compteur.Serie += "N"
	posee.Du, posee.IndexDebut = jour(date), 0
	return message.CompteurChange{ContratID: l.ContratID, Version: l.Version + 1, PDLID: l.PDL.ID, Deposee: old, Posee: posee}
}

// setup serves operation with n contracts in force.
func setup(t *testing.T, n int) *ft.Function {
	t.Helper()
	t.Parallel()
	f := ft.Start(t, "operation", listens)
	for i := range n {
		deliver(t, f, contrat(i+1).ContratID, contrat(i+1).ContratActive)
	}
	return f
}

func deliver(t *testing.T, f *ft.Function, subject string, e message.Message) {
	t.Helper()
	if status := f.Deliver(t, ft.Event("contrat", subject, e)); status != http.StatusNoContent {
		t.Fatalf("%s: status %d", e.Type(), status)
	}
}

// importe imports lines and returns the round.
func importe(t *testing.T, f *ft.Function, lines ...string) message.Tournee {
	t.Helper()
	return ft.MustAsk(t, f, ft.Staff(), message.ImporterReleves{Libelle: "Test", CSV: message.ColonnesReleves + "\n" + strings.Join(lines, "\n")})
}

// told are the readings told to facture, in order.
func told(t *testing.T, f *ft.Function) (out []message.ReleveValide) {
	t.Helper()
	for _, e := range ft.Emitted[message.RelevesValides](t, f) {
		out = append(out, e.Releves...)
	}
	return out
}

func TestImport(t *testing.T) {
	f := setup(t, 3)
	tournee := importe(t, f,
		"PDL-00001;S1;2024-10-01;1060;AGENT",
		"PDL-00002;S2;2024-10-01;990;AGENT",
		"PDL-00003;S3;2024-10-01;;ABSENCE",
		"",
		"PDL-00004;S4;2024-10-01;10;AGENT",
		"PDL-00001;S2;2024-10-01;10;AGENT",
		"PDL-00001;S1;2024-03-31;10;AGENT",
		"PDL-00001;S1;2999-10-01;10;AGENT",
		"PDL-00001;S1;2024-02-30;10;AGENT",
		"PDL-00001;S1;2025-04-01;-1;AGENT",
		"PDL-00001;S1;2025-04-01;12,5;AGENT",
		"PDL-00001;S1;2025-04-01;;AGENT",
		"PDL-00001;S1;2025-04-01;100000;AGENT",
		"PDL-00001;S1;2025-04-01;1100;VOISIN",
		"PDL-00001;S1;2025-04-01;1100;ABSENCE",
		"PDL-00001;S1;2025-04-01;1100",
		`PDL-00001;"S1;2025-04-01;1100;AGENT`,
		"PDL-00001;S1;2024-10-01;1060;AGENT",
		"PDL-00001;S1;2024-10-01;1061;AGENT",
	)
	if tournee.Lignes != 18 || tournee.Valides != 1 || tournee.Suspectes != 1 || tournee.EnAttente != 1 || tournee.Estimees != 1 {
		t.Errorf("counts: %+v", tournee)
	}
	var got []string
	for _, r := range tournee.Rejets {
		got = append(got, fmt.Sprintf("%d %s %s", r.Ligne, r.Champ, r.Code))
		if r.Detail == "" || r.DetailEN == "" {
			t.Errorf("line %d is refused without words", r.Ligne)
		}
	}
	want := []string{"6 pdl pdl_inconnu", "7 compteur compteur_inconnu", "8 date hors_pose", "9 date date_future", "10 date date_invalide",
		"11 index index_invalide", "12 index index_invalide", "13 index index_invalide", "14 index index_trop_grand", "15 source source_inconnue",
		"16 index index_en_trop", "17  colonnes", "18  colonnes", "19 date doublon", "20 date deja_releve"}
	if !slices.Equal(got, want) {
		t.Errorf("refused:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	facts := told(t, f)
	if len(facts) != 2 || facts[0].Index != 1060 || facts[0].Estimee || facts[0].PoseID != contrat(1).Pose.ID || facts[0].ContratID != contrat(1).ContratID ||
		!facts[1].Estimee || facts[1].Index != 1060 || facts[1].Date != jour("2024-10-01") {
		t.Errorf("told: %+v", facts)
	}
	page := ft.MustAsk(t, f, ft.Staff(), message.Tournees{})
	if len(page.Items) != 1 || page.Items[0].ID != tournee.ID || page.Items[0].EnAttente != 1 || len(page.Items[0].Rejets) != 0 {
		t.Errorf("listed: %+v", page)
	}
}

func TestImportOfAFileThatIsNone(t *testing.T) {
	f := setup(t, 0)
	for csv, want := range map[string]string{
		"pdl;compteur;index;date;source\nA;B;1;2024-10-01;AGENT": "entete_invalide",
		message.ColonnesReleves + "\n\n":                         "fichier_vide",
		"\ufeff" + message.ColonnesReleves:                       "fichier_vide",
	} {
		if _, err := ft.Ask(t, f, ft.Staff(), message.ImporterReleves{Libelle: "x", CSV: csv}); ft.Code(err) != want {
			t.Errorf("%q: %v, want %s", csv, err, want)
		}
	}
	if n := f.Count(t, "select count(*) from tournee"); n != 0 {
		t.Errorf("%d rounds were kept", n)
	}
}

// Lines of a meter may come in any order; what a later line of the same file
// reverses is not told.
func TestImportOfSeveralDays(t *testing.T) {
	f := setup(t, 1)
	tournee := importe(t, f,
		"PDL-00001;S1;2026-04-01;1230;AGENT",
		"PDL-00001;S1;2024-10-01;1060;AGENT",
		"PDL-00001;S1;2025-10-01;;ABSENCE",
		"PDL-00001;S1;2025-04-01;;ABSENCE")
	if tournee.Valides != 2 || tournee.Estimees != 2 || len(tournee.Rejets) != 0 {
		t.Fatalf("%+v", tournee)
	}
	facts := told(t, f)
	if len(facts) != 2 || facts[0].Index != 1060 || facts[1].Index != 1230 || facts[1].Remplace != "" {
		t.Errorf("told: %+v", facts)
	}
	if n := f.Count(t, "select count(*) from releve where etat = 'REMPLACEE'"); n != 2 {
		t.Errorf("%d estimates are reversed, want 2", n)
	}
	if n := f.Count(t, "select sum(volume_litres) from releve where etat = 'VALIDEE'"); n != 230_000 {
		t.Errorf("accepted readings sum to %d l", n)
	}
}

func TestEstimateIsReversedAcrossRounds(t *testing.T) {
	f := setup(t, 1)
	importe(t, f, "PDL-00001;S1;2024-10-01;1060;AGENT")
	importe(t, f, "PDL-00001;S1;2025-04-01;;ABSENCE")
	importe(t, f, "PDL-00001;S1;2025-10-01;1065;AGENT") // far below the estimate, so a doubt: 5 m3 in a year
	facts := told(t, f)
	if len(facts) != 2 || !facts[1].Estimee {
		t.Fatalf("told: %+v", facts)
	}
	suspect := ft.MustAsk(t, f, ft.Staff(), message.Suspects{}).Items[0]
	if len(suspect.Motifs) != 1 || suspect.Motifs[0].Code != "VOLUME_FAIBLE" || suspect.Nom != "Anne Martin" || len(suspect.Historique) != 3 {
		t.Errorf("in the queue: %+v", suspect)
	}
	r := ft.MustAsk(t, f, ft.Staff(), message.Decider{ReleveID: suspect.ID, Decision: "CONFIRMER"})
	facts = told(t, f)
	if r.Etat != "CONFIRMEE" || len(facts) != 3 || facts[2].Remplace != facts[1].ReleveID || facts[2].Index != 1065 || facts[2].Estimee {
		t.Errorf("confirmed %+v, told %+v", r, facts)
	}
	again := ft.MustAsk(t, f, ft.Staff(), message.Decider{ReleveID: suspect.ID, Decision: "CONFIRMER"})
	if again.Etat != "CONFIRMEE" || len(told(t, f)) != 3 {
		t.Error("a decision taken twice has two effects")
	}
	if _, err := ft.Ask(t, f, ft.Staff(), message.Decider{ReleveID: suspect.ID, Decision: "REJETER", Motif: "non"}); ft.Code(err) != "pas_suspect" {
		t.Errorf("the opposite decision: %v", err)
	}
}

func TestReject(t *testing.T) {
	f := setup(t, 1)
	importe(t, f, "PDL-00001;S1;2024-10-01;1060;AGENT", "PDL-00001;S1;2025-04-01;1050;AGENT")
	suspect := ft.MustAsk(t, f, ft.Staff(), message.Suspects{}).Items[0]
	if _, err := ft.Ask(t, f, ft.Staff(), message.Decider{ReleveID: suspect.ID, Decision: "CONFIRMER"}); ft.Code(err) != "releve_impossible" {
		t.Errorf("a step back confirmed: %v", err)
	}
	if _, err := ft.Ask(t, f, ft.Staff(), message.Decider{ReleveID: suspect.ID, Decision: "REJETER"}); ft.Code(err) != "champs_invalides" {
		t.Errorf("rejected without a reason: %v", err)
	}
	r := ft.MustAsk(t, f, ft.Staff(), message.Decider{ReleveID: suspect.ID, Decision: "REJETER", Motif: "Mal lu"})
	facts := told(t, f)
	if r.Etat != "REJETEE" || len(facts) != 2 || !facts[1].Estimee || facts[1].Date != suspect.Date || facts[1].Index != 1060+59 {
		t.Errorf("rejected %+v, told %+v", r, facts)
	}
	if q := ft.MustAsk(t, f, ft.Staff(), message.Suspects{}); q.Total != 0 || len(q.Items) != 0 {
		t.Errorf("the queue: %+v", q)
	}
	// The reading was wrong, not the day: the right figure may follow.
	if t2 := importe(t, f, "PDL-00001;S1;2025-04-01;1110;ABONNE"); t2.Valides != 1 {
		t.Errorf("corrected reading: %+v", t2)
	}
	if facts = told(t, f); facts[2].Remplace != facts[1].ReleveID {
		t.Errorf("it does not reverse the estimate: %+v", facts)
	}
}

func TestMeterChange(t *testing.T) {
	f := setup(t, 1)
	l := contrat(1)
	importe(t, f, "PDL-00001;S1;2024-10-01;1060;AGENT", "PDL-00001;S1;2025-04-01;;ABSENCE")
	deliver(t, f, l.ContratID, l.change("2025-06-01", 1130))
	facts := told(t, f)
	if len(facts) != 3 || facts[2].Index != 1130 || facts[2].Remplace != facts[1].ReleveID || facts[2].Date != jour("2025-06-01") {
		t.Errorf("the closing index reverses the estimate: %+v", facts)
	}
	tournee := importe(t, f, "PDL-00001;S1;2025-10-01;1160;AGENT", "PDL-00001;S1N;2025-10-01;40;AGENT")
	if tournee.Valides != 1 || len(tournee.Rejets) != 1 || tournee.Rejets[0].Code != "hors_pose" {
		t.Errorf("after the change: %+v", tournee)
	}
	page := ft.MustAsk(t, f, ft.Staff(), message.Releves{PDLID: l.PDL.ID})
	var got []string
	for _, r := range page.Items {
		got = append(got, fmt.Sprintf("%s %s %s %d %d l %d j", r.Date, r.Source, r.Etat, r.Index, r.VolumeLitres, r.Jours))
	}
	want := []string{
		"2025-10-01 AGENT VALIDEE 40 40000 l 122 j",
		"2025-06-01 POSE VALIDEE 0 0 l 0 j",
		"2025-06-01 DEPOSE VALIDEE 1130 70000 l 243 j",
		"2025-04-01 ESTIMATION REMPLACEE 1119 59000 l 182 j",
		"2024-10-01 AGENT VALIDEE 1060 60000 l 183 j",
		"2024-04-01 POSE VALIDEE 1000 0 l 0 j",
	}
	if !slices.Equal(got, want) {
		t.Errorf("readings:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if tab := ft.MustAsk(t, f, ft.Staff(), message.TableauReleves{}); tab.Compteurs != 1 || tab.Suspects != 0 {
		t.Errorf("dashboard: %+v", tab)
	}
}

func TestEventsOutOfOrder(t *testing.T) {
	f := setup(t, 0)
	l := contrat(1)
	change := ft.Event("contrat", l.ContratID, l.change("2025-06-01", 1130))
	if status := f.Deliver(t, change); status != http.StatusServiceUnavailable {
		t.Errorf("a change before the contract: status %d, want 503", status)
	}
	deliver(t, f, l.ContratID, l.ContratActive)
	for range 2 { // the second is a duplicate
		if status := f.Deliver(t, change); status != http.StatusNoContent {
			t.Errorf("a change after the contract: status %d", status)
		}
	}
	deliver(t, f, l.ContratID, l.change("2025-06-01", 1130)) // told again under another id
	l.Abonne.Nom = "Ancien"
	deliver(t, f, l.ContratID, l.ContratActive) // an old version
	if n := f.Count(t, "select count(*) from pose"); n != 2 {
		t.Errorf("%d poses, want 2", n)
	}
	if n := f.Count(t, "select count(*) from contrat where nom = 'Anne Martin' and version = 4"); n != 1 {
		t.Error("an old version was taken")
	}
}

func TestScope(t *testing.T) {
	f := setup(t, 2)
	importe(t, f, "PDL-00001;S1;2024-10-01;1060;AGENT", "PDL-00002;S2;2024-10-01;1070;AGENT")
	mine, other := contrat(1), contrat(2)
	me := ft.Subscriber(mine.Abonne.ID)
	if page := ft.MustAsk(t, f, me, message.Releves{AbonneID: mine.Abonne.ID}); len(page.Items) != 2 {
		t.Errorf("own readings: %+v", page)
	}
	if page := ft.MustAsk(t, f, me, message.Releves{PDLID: mine.PDL.ID}); len(page.Items) != 2 {
		t.Errorf("readings of the own PDL: %+v", page)
	}
	for _, foreign := range []message.Releves{{AbonneID: other.Abonne.ID}, {PDLID: other.PDL.ID}} {
		if _, err := ft.Ask(t, f, me, foreign); ft.Code(err) != "abonne_inconnu" {
			t.Errorf("%+v: %v", foreign, err)
		}
	}
	if page := ft.MustAsk(t, f, me, message.Releves{AbonneID: mine.Abonne.ID, PDLID: other.PDL.ID}); len(page.Items) != 0 {
		t.Errorf("a foreign PDL under the own name: %+v", page)
	}
	for _, request := range []message.Request[message.Tournee]{message.ImporterReleves{Libelle: "x", CSV: "x"}} {
		if _, err := ft.Ask(t, f, me, request); ft.Code(err) != "droit_manquant" {
			t.Errorf("%s: %v", request.Type(), err)
		}
	}
}

func TestPages(t *testing.T) {
	f := setup(t, 5)
	lines := make([]string, 5)
	for i := range lines {
		lines[i] = fmt.Sprintf("PDL-%05d;S%d;2024-10-01;900;AGENT", i+1, i+1)
	}
	importe(t, f, lines...)
	var seen []string
	q := message.Suspects{Page: message.Page{Limite: 2}}
	for pages := 1; ; pages++ {
		page := ft.MustAsk(t, f, ft.Staff(), q)
		for _, s := range page.Items {
			seen = append(seen, s.PDL)
		}
		if page.Total != 5 {
			t.Errorf("total %d", page.Total)
		}
		if q.Curseur = page.Suivant; q.Curseur == "" {
			if pages != 3 {
				t.Errorf("%d pages", pages)
			}
			break
		}
	}
	if !slices.Equal(seen, []string{"PDL-00001", "PDL-00002", "PDL-00003", "PDL-00004", "PDL-00005"}) {
		t.Errorf("seen %v", seen)
	}
	q.Curseur = "nonsense"
	if _, err := ft.Ask(t, f, ft.Staff(), q); ft.Code(err) != "valeur_invalide" {
		t.Errorf("a cursor that is none: %v", err)
	}
}

// Two imports of the same readings at once: each reading counts once.
func TestConcurrentImports(t *testing.T) {
	const n = 20
	f := setup(t, n)
	lines := make([]string, n)
	for i := range lines {
		lines[i] = fmt.Sprintf("PDL-%05d;S%d;2024-10-01;1060;AGENT", i+1, i+1)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var valides, rejets int
	for range 4 {
		wg.Go(func() {
			r, err := ft.Ask(t, f, ft.Staff(), message.ImporterReleves{Libelle: "x", CSV: message.ColonnesReleves + "\n" + strings.Join(lines, "\n")})
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			valides, rejets = valides+r.Valides, rejets+len(r.Rejets)
		})
	}
	wg.Wait()
	if valides != n || rejets != 3*n || len(told(t, f)) != n {
		t.Errorf("%d valid, %d refused, %d told", valides, rejets, len(told(t, f)))
	}
}

// A round of a town: one event for 500 readings, none lost.
func TestLargeRound(t *testing.T) {
	const n = 10_000
	f := setup(t, 0)
	if _, err := f.DB.Exec(t.Context(), `
		insert into contrat select gen_random_uuid(), 3, gen_random_uuid(), 'N', gen_random_uuid(), 'PDL-' || i, 'A', 1 from generate_series(1, $1) i`, n); err != nil {
		t.Fatal(err)
	}
	if _, err := f.DB.Exec(t.Context(), `
		with p as (insert into pose select gen_random_uuid(), id, 'S', 15, 5, 1000, '2020-01-01' from contrat returning *)
		insert into releve select gen_random_uuid(), null, p.contrat_id, p.id, '2020-01-01'::date + 180 * k, 60 * k, case k when 0 then 'POSE' else 'AGENT' end, 'VALIDEE',
			case k when 0 then 0 else 60000 end, case k when 0 then 0 else 180 end, '[]'
		from p, generate_series(0, 8) k`); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString(message.ColonnesReleves + "\r\n")
	for i := range n {
		fmt.Fprintf(&b, "PDL-%d;S;2025-01-01;560;TELERELEVE\r\n", i+1)
	}
	tournee := ft.MustAsk(t, f, ft.Staff(), message.ImporterReleves{Libelle: "Grande", CSV: b.String()})
	if tournee.Valides != n {
		raw, _ := json.Marshal(tournee.Rejets[:min(3, len(tournee.Rejets))])
		t.Fatalf("%d valid, %d doubtful, refused %s", tournee.Valides, tournee.Suspectes, raw)
	}
	if events := ft.Emitted[message.RelevesValides](t, f); len(events) != n/chunk || len(told(t, f)) != n {
		t.Errorf("%d events, %d readings", len(events), len(told(t, f)))
	}
}

// A redelivered command and a command sent again have one effect.
func TestSameImportTwice(t *testing.T) {
	f := setup(t, 1)
	key := function.NewID()
	c := message.ImporterReleves{Libelle: "x", CSV: message.ColonnesReleves + "\nPDL-00001;S1;2024-10-01;1060;AGENT"}
	first, err := ft.AskAgain(t, f, ft.Staff(), key, c)
	if err != nil {
		t.Fatal(err)
	}
	second, err := ft.AskAgain(t, f, ft.Staff(), key, c)
	if err != nil || second.ID != first.ID || second.Valides != 1 || len(told(t, f)) != 1 {
		t.Errorf("again: %+v, %v", second, err)
	}
}

// A contract that ended takes no reading any more, and its estimate is reversed by the index of the last day.
func TestContractEnds(t *testing.T) {
	f := setup(t, 1)
	l := contrat(1)
	importe(t, f, "PDL-00001;S1;2024-10-01;1060;AGENT", "PDL-00001;S1;2025-04-01;;ABSENCE")
	e := l.change("2025-06-01", 1130)
	ended := message.ContratResilie{ContratID: e.ContratID, Version: e.Version, PDLID: e.PDLID, DemandeeLe: e.Deposee.Au, Date: e.Deposee.Au, Pose: e.Deposee,
		Adresse: message.Adresse{Voie: "3 quai du Port", CodePostal: "17000", Commune: "La Rochelle"}}
	for range 2 {
		deliver(t, f, l.ContratID, ended)
	}
	if facts := told(t, f); len(facts) != 3 || facts[2].Index != 1130 || facts[2].Remplace != facts[1].ReleveID {
		t.Errorf("told %+v", facts)
	}
	if tournee := importe(t, f, "PDL-00001;S1;2025-10-01;1160;AGENT"); tournee.Valides != 0 || len(tournee.Rejets) != 1 || tournee.Rejets[0].Code != "hors_pose" {
		t.Errorf("after the end: %+v", tournee)
	}
	if tab := ft.MustAsk(t, f, ft.Staff(), message.TableauReleves{}); tab.Compteurs != 0 {
		t.Errorf("dashboard: %+v", tab)
	}
}
