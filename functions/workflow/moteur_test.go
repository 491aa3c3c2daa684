package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"aquaerp.fr/shared/message"
)

// publiees are the definitions in migrations, with the digest of what was
// published: a version never changes.
var publiees = []struct {
	fichier, code string
	version       int
	sha256        string
}{
	{"00002_souscription_v1.sql", "souscription", 1, "9194dacaa3264766b6159c3f4a510117a1ef66dddd39ef84cff51acf3da034a0"},
	{"00020_fuite_v1.sql", "fuite", 1, "ee9066446614e53ffa132cc2696ef1f528219a81c84a8bb4174831c4c4349f0d"},
}

func contenuPublie(t testing.TB, fichier string) []byte {
	t.Helper()
	sql, err := os.ReadFile("migrations/" + fichier)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(sql), "$json$")
	if len(parts) != 3 {
		t.Fatalf("%s has no definition between $json$", fichier)
	}
	return []byte(parts[1])
}

func souscription(t testing.TB) *definition {
	t.Helper()
	def, err := lireDefinition("souscription", 1, contenuPublie(t, publiees[0].fichier))
	if err != nil {
		t.Fatal(err)
	}
	return def
}

func TestDefinitionsPubliees(t *testing.T) {
	t.Parallel()
	for _, d := range publiees {
		contenu := contenuPublie(t, d.fichier)
		if sum := sha256.Sum256(contenu); hex.EncodeToString(sum[:]) != d.sha256 {
			t.Errorf("%s v%d changed (%x): plans that run on it would change their course; publish a new version", d.code, d.version, sum)
		}
		if _, err := lireDefinition(d.code, d.version, contenu); err != nil {
			t.Error(err)
		}
	}
	files, err := filepath.Glob("migrations/*_v[0-9]*.sql")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(publiees) {
		t.Errorf("%v, and %d definitions pinned", files, len(publiees))
	}
}

func TestDefinitionRefusee(t *testing.T) {
	t.Parallel()
	const end = `{"code": "fin", "nature": "FIN", "apres": ["a"]}`
	const wait = `{"code": "a", "nature": "ATTENTE_DATE", "date": "contrat.pas_avant"}`
	for _, c := range []struct{ steps, why string }{
		{wait + "," + end, ""},
		{`{"code": "a", "nature": "ATTENTE_EVENEMENT", "evenement": "intervention.realisee"},` + end, ""},
		{``, "no steps"},
		{wait, "the last step"},
		{end, "not before it"},
		{wait + "," + wait + "," + end, "no code of its own"},
		{wait + `,{"code": "b", "nature": "ATTENTE_DATE", "date": "contrat.pas_avant"},` + end, "leads nowhere"},
		{wait + `,{"code": "b", "nature": "FIN", "apres": ["a"]},{"code": "fin", "nature": "FIN", "apres": ["b"]}`, "the last step"},
		{`{"code": "a", "nature": "ATTENTE_DATE", "date": "hier"},` + end, "no date"},
		{`{"code": "a", "nature": "ACTION", "action": "contrat.activer"},` + end, "time to answer"},
		{`{"code": "a", "nature": "ACTION", "action": "contrat.bruler", "delai_minutes": 1},` + end, "no action"},
		{`{"code": "a", "nature": "ATTENTE_EVENEMENT", "evenement": "deluge"},` + end, "no event"},
		{`{"code": "a", "nature": "ATTENTE_EVENEMENT", "evenement": "intervention.realisee", "echec": "intervention.impossible"},` + end, "starts again"},
		{`{"code": "a", "nature": "ATTENTE_DATE", "date": "contrat.pas_avant", "reprend_a": "fin"},` + end, "starts again"},
		{`{"code": "a", "nature": "MAGIE"},` + end, "no nature"},
		{`{"code": 1}`, "json"},
	} {
		_, err := lireDefinition("essai", 1, []byte(`{"etapes": [`+c.steps+`]}`))
		if c.why == "" && err != nil || c.why != "" && (err == nil || !strings.Contains(err.Error(), c.why)) {
			t.Errorf("%s: %v, want %q", c.steps, err, c.why)
		}
	}
}

// Branches run side by side; the step that names them all waits for all.
func TestBranches(t *testing.T) {
	t.Parallel()
	def, err := lireDefinition("essai", 1, []byte(`{"titre": "Essai", "etapes": [
		{"code": "a", "nature": "ATTENTE_DATE", "date": "contrat.pas_avant"},
		{"code": "b", "nature": "ATTENTE_EVENEMENT", "evenement": "intervention.realisee"},
		{"code": "c", "nature": "ACTION", "action": "intervention.creer", "delai_minutes": 1, "apres": ["a", "b"]},
		{"code": "fin", "nature": "FIN", "apres": ["c"]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	p := nouveauPlan(def, departDeContrat(message.ContratSigne{PasAvant: message.DateOf(maintenant)}), maintenant)
	if got := etats(p); got != "FAITE EN_COURS A_VENIR A_VENIR" || len(p.envois) != 0 {
		t.Fatalf("%s, %d posts", got, len(p.envois))
	}
	p.signaler(signal{interventionRealisee, "", realisee(p, "", 5)})
	if got := etats(p); got != "FAITE FAITE EN_COURS A_VENIR" || len(p.envois) != 1 {
		t.Fatalf("%s, %d posts", got, len(p.envois))
	}
}

var maintenant = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

func etats(p *plan) string {
	out := make([]string, len(p.etapes))
	for i, e := range p.etapes {
		out[i] = e.Etat
	}
	return strings.Join(out, " ")
}

func encode(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // payloads are plain structs
	}
	return raw
}

func realisee(p *plan, intervention string, index int64) json.RawMessage {
	return encode(message.InterventionRealisee{InterventionID: intervention, Plan: p.ID,
		CompteRendu: message.CompteRendu{Date: message.DateOf(p.now), Index: &index}})
}

// Whatever comes, in whatever order, as often as it likes: every attempt is
// posted once, steps are entered in order, a refusal is never a success, the
// contract is activated with what the technician of the last order reported,
// and nothing moves after the end.
func TestPlanProprietes(t *testing.T) {
	t.Parallel()
	def := souscription(t)
	rapid.Check(t, func(t *rapid.T) {
		p := nouveauPlan(def, departDeContrat(message.ContratSigne{ContratID: "c", PasAvant: message.DateOf(maintenant).AddDays(rapid.IntRange(-1, 2).Draw(t, "wait"))}), maintenant)
		posted := map[string]message.Message{}
		var attempts []string
		orders := map[string]string{} // attempt of an order to its intervention
		activated := false

		// take collects what the plan posts, as the outbox would.
		take := func() {
			for _, e := range p.envois {
				if posted[e.correlation] != nil {
					t.Fatalf("%s posted twice", e.correlation)
				}
				posted[e.correlation] = e.commande
				attempts = append(attempts, e.correlation)
				if a, ok := e.commande.(message.Activer); ok {
					if a.InterventionID != p.donnees.InterventionID || a.Index != *p.donnees.CompteRendu.Index {
						t.Fatalf("activates %+v, reported %+v", a, p.donnees)
					}
				}
			}
			p.envois, p.traces = nil, nil
		}
		take()
		someAttempt := func(t *rapid.T) string {
			if len(attempts) == 0 {
				t.Skip("nothing posted")
			}
			return rapid.SampledFrom(attempts).Draw(t, "attempt")
		}
		t.Repeat(map[string]func(*rapid.T){
			"later": func(t *rapid.T) {
				p.now = p.now.Add(time.Duration(rapid.IntRange(1, 2000).Draw(t, "minutes")) * time.Minute)
			},
			"tick": func(*rapid.T) { p.reveiller() },
			"answer": func(t *rapid.T) {
				c := someAttempt(t)
				_, step, essai, _ := lireCorrelation(c)
				current := p.etapes[def.rang(step)].Essais == essai
				var reply any = message.Contrat{Numero: "C"}
				if step == "commande" {
					orders[c] = "i" + fmt.Sprint(essai)
					reply = message.Intervention{ID: orders[c]}
				} else if current {
					activated = true
				}
				p.repondre(step, essai, encode(reply), nil)
			},
			"refuse": func(t *rapid.T) {
				_, step, essai, _ := lireCorrelation(someAttempt(t))
				before := etats(p)
				p.repondre(step, essai, nil, &message.Problem{Detail: "non"})
				if after := etats(p); after != before && p.Etat != echec {
					t.Fatalf("refused: %s became %s, plan %s", before, after, p.Etat)
				}
			},
			"done": func(t *rapid.T) {
				// Possibly before the answer that names the intervention.
				id := "i" + fmt.Sprint(rapid.IntRange(1, 3).Draw(t, "order"))
				if slices.ContainsFunc(p.signaux, func(s signal) bool { return s.cle == id }) {
					t.Skip("the table keeps one")
				}
				p.signaler(signal{interventionRealisee, id, realisee(p, id, rapid.Int64Range(0, 99).Draw(t, "index"))})
			},
			"impossible": func(t *rapid.T) {
				id := "i" + fmt.Sprint(rapid.IntRange(1, 3).Draw(t, "order"))
				if slices.ContainsFunc(p.signaux, func(s signal) bool { return s.cle == id }) {
					t.Skip("the table keeps one")
				}
				p.signaler(signal{interventionImpossible, id, encode(message.InterventionImpossible{Motif: "chien"})})
			},
			"again": func(t *rapid.T) {
				if err := p.relancer(); err != nil {
					t.Skip("not failed")
				}
			},
			"cancel": func(t *rapid.T) {
				if rapid.IntRange(0, 20).Draw(t, "chance") == 0 {
					p.annuler("fin")
				}
			},
			"": func(t *rapid.T) {
				take()
				failed, seen := 0, false
				for i, e := range p.etapes {
					if e.Etat == echec {
						failed++
					}
					if seen && e.Etat != aVenir {
						t.Fatalf("step %s is %s before the one ahead is done: %s", e.Code, e.Etat, etats(p))
					}
					seen = seen || e.Etat != faite
					if (e.Etat == faite || e.Etat == echec) != (e.SortieA != nil) || (e.Etat == aVenir) != (e.EntreeA == nil) {
						t.Fatalf("times of step %d: %+v", i, e)
					}
				}
				switch p.Etat {
				case enCours:
					if failed > 0 {
						t.Fatalf("running with a failed step: %s", etats(p))
					}
				case echec:
					if failed != 1 {
						t.Fatalf("failed, yet %s", etats(p))
					}
				case termine:
					if seen || !activated || p.TermineA == nil {
						t.Fatalf("ended: %s, activated %t", etats(p), activated)
					}
				}
			},
		})
	})
}
