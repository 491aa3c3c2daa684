package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"

	"aquaerp.fr/scripts/client"
	"aquaerp.fr/scripts/commune/village"
	"aquaerp.fr/scripts/demo"
	"aquaerp.fr/shared/message"
)

// inconnu is nobody's id.
const inconnu = "01900000-0000-7000-8000-000000000000"

// TestBadInput sends what goes wrong every day, and what should never be sent:
// each is refused by a problem with a stable code and a sentence in both
// languages, and nothing of it is kept.
func TestBadInput(t *testing.T) {
	p := start(t, 20, 0)
	ctx := t.Context()
	if err := p.Histoire(ctx); err != nil {
		t.Fatal(err)
	}
	before := p.rows(t)

	valid := string(must(json.Marshal(demo.Nouvelle(today)))(t))
	edit := func(old, new string) json.RawMessage {
		if !strings.Contains(valid, old) {
			t.Fatalf("the valid body has no %s", old)
		}
		return json.RawMessage(strings.Replace(valid, old, new, 1))
	}
	lot := func(du, au, facturation, echeance string) json.RawMessage {
		return json.RawMessage(fmt.Sprintf(`{"libelle":"x","du":%q,"au":%q,"date_facturation":%q,"echeance":%q}`, du, au, facturation, echeance))
	}
	forger := client.New(p.API, 0).WithToken("not.a.token")
	for _, c := range []struct {
		name   string
		who    *client.Client
		method string
		path   string
		body   any
		status int
		code   string
		field  string // the one at fault, when it is a field
	}{
		{"nobody", client.New(p.API, 0), "GET", "/v1/contrats", nil, 401, "jeton_manquant", ""},
		{"a forged token", forger, "GET", "/v1/contrats", nil, 401, "jeton_invalide", ""},
		{"a role without the right", p.As("technicien"), "GET", "/v1/abonnes", nil, 403, "droit_manquant", ""},
		{"an unknown path", p.As("conseiller"), "GET", "/v1/nulle-part", nil, 404, "chemin_inconnu", ""},
		{"an unknown contract", p.As("conseiller"), "GET", "/v1/contrats/" + inconnu, nil, 404, "contrat_inconnu", ""},
		{"an unknown bill", p.As("comptable"), "GET", "/v1/factures/" + inconnu, nil, 404, "facture_inconnue", ""},
		{"an id that is none", p.As("conseiller"), "GET", "/v1/contrats/42", nil, 422, "champs_invalides", "id"},
		{"a cursor of another list", p.As("conseiller"), "GET", "/v1/contrats?curseur=abc", nil, 422, "curseur_invalide", "curseur"},

		{"malformed JSON", p.As("conseiller"), "POST", "/v1/contrats", json.RawMessage(valid[:100]), 400, "json_invalide", ""},
		{"an unknown field", p.As("conseiller"), "POST", "/v1/contrats", edit(`"serie"`, `"cousin":1,"serie"`), 422, "champs_invalides", "compteur.cousin"},
		{"a text for a number", p.As("conseiller"), "POST", "/v1/contrats", edit(`"roues":5`, `"roues":"5"`), 422, "champs_invalides", "compteur.roues"},
		{"ten wheels", p.As("conseiller"), "POST", "/v1/contrats", edit(`"roues":5`, `"roues":10`), 422, "champs_invalides", "compteur.roues"},
		{"a day that does not exist", p.As("conseiller"), "POST", "/v1/contrats", edit(today.String(), "2026-02-30"), 422, "champs_invalides", "debut_souhaite"},
		{"a day far ahead", p.As("conseiller"), "POST", "/v1/contrats", edit(today.String(), "2099-01-01"), 422, "hors_limites", "debut_souhaite"},
		{"an abonne that does not exist", p.As("conseiller"), "POST", "/v1/contrats", json.RawMessage(sansAbonne(valid)), 422, "abonne_inconnu", "abonne_id"},

		{"a lot that ends before it starts", p.As("comptable"), "POST", "/v1/lots", lot("2026-10-01", "2026-04-01", "2026-10-15", "2026-11-15"), 422, "periode_vide", "au"},
		{"a lot due too soon", p.As("comptable"), "POST", "/v1/lots", lot("2026-04-01", "2026-10-01", "2026-10-15", "2026-10-16"), 422, "echeance_courte", "echeance"},
		{"a payment of nothing", p.As("comptable"), "POST", "/v1/paiements", json.RawMessage(`{"mode":"CARTE","montant_centimes":0,"recu_le":"2026-10-20","reference":"F"}`), 422, "champs_invalides", "montant_centimes"},
		{"a payment of no bill", p.As("comptable"), "POST", "/v1/paiements", json.RawMessage(`{"mode":"CARTE","montant_centimes":1,"recu_le":"2026-10-20","reference":"F2020-000001"}`), 422, "facture_inconnue", "reference"},

		{"a file without its header", p.As("superviseur"), "POST", "/v1/tournees?libelle=x", client.CSV("a;b;c\n1;2;3\n"), 422, "entete_invalide", "csv"},
		{"a file that is not UTF-8", p.As("superviseur"), "POST", "/v1/tournees?libelle=x", client.CSV(message.ColonnesReleves + "\nPDL-\xe9;x;2026-11-01;1;AGENT\n"), 422, "pas_utf8", ""},
		{"a round without a name", p.As("superviseur"), "POST", "/v1/tournees", client.CSV(message.ColonnesReleves + "\n"), 422, "champs_invalides", "libelle"},
		{"JSON where a file belongs", p.As("superviseur"), "POST", "/v1/tournees?libelle=x", json.RawMessage(`{}`), 415, "type_de_contenu", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			key := ""
			if c.method == "POST" {
				key = uuid.NewString()
			}
			_, err := c.who.Do(ctx, c.method, c.path, c.body, key)
			got := problem(t, err)
			if got.Status != c.status || got.Code != c.code || got.Detail == "" || got.DetailEN == "" || got.TraceID == "" {
				t.Errorf("%+v", got)
			}
			if c.field != "" && (len(got.Errors) == 0 || got.Errors[0].Field != c.field) {
				t.Errorf("fields %+v, want %s", got.Errors, c.field)
			}
		})
	}

	t.Run("without a key", func(t *testing.T) {
		_, err := p.As("conseiller").Do(ctx, "POST", "/v1/contrats", json.RawMessage(valid), "")
		if got := problem(t, err); got.Status != 400 || got.Code != "cle_idempotence_manquante" {
			t.Errorf("%+v", got)
		}
	})
	if after := p.rows(t); after != before {
		t.Errorf("rows before and after all that: %v, %v", before, after)
	}

	t.Run("a round with bad lines", func(t *testing.T) {
		f := p.foyer(t, 0)
		csv := strings.Join([]string{message.ColonnesReleves,
			"PDL-PERDU;X;2026-10-20;10;AGENT",
			f.PDL.Reference + ";AUTRE;2026-10-20;10;AGENT",
			f.PDL.Reference + ";" + f.Compteur.Serie + ";2026-02-30;10;AGENT",
			f.PDL.Reference + ";" + f.Compteur.Serie + ";2026-10-20;-4;AGENT",
			f.PDL.Reference + ";" + f.Compteur.Serie + fmt.Sprintf(";2026-10-20;%d;AGENT", f.Releves[4].Index+3), ""}, "\n")
		round := must(client.Post[message.Tournee](ctx, p.As("superviseur"), "/v1/tournees?libelle=mauvaise", client.CSV(csv)))(t)
		if round.Lignes != 5 || round.Valides != 1 || len(round.Rejets) != 4 || round.Politique != "LIGNES_VALIDES_IMPORTEES" {
			t.Errorf("%+v", round)
		}
		for i, r := range round.Rejets {
			if r.Ligne != i+2 || r.Code == "" || r.Detail == "" || r.DetailEN == "" {
				t.Errorf("refused line %+v", r)
			}
		}
	})

	t.Run("the same request twice", func(t *testing.T) {
		key := uuid.NewString()
		who := p.As("conseiller")
		first := must(client.PostOnce[message.Contrat](ctx, who, "/v1/contrats", json.RawMessage(valid), key))(t)
		again := must(client.PostOnce[message.Contrat](ctx, who, "/v1/contrats", json.RawMessage(valid), key))(t)
		if first.ID == "" || again.ID != first.ID {
			t.Errorf("contracts %s and %s", first.ID, again.ID)
		}
		_, err := client.PostOnce[message.Contrat](ctx, who, "/v1/contrats", edit("Lemoine", "Autre"), key)
		if got := problem(t, err); got.Status != 422 || got.Code != "cle_reutilisee" {
			t.Errorf("another request under the same key: %+v", got)
		}
		_, err = client.Post[message.Contrat](ctx, who, "/v1/contrats", json.RawMessage(valid))
		if got := problem(t, err); got.Status != 409 && got.Status != 422 {
			t.Errorf("a second contract at the same PDL: %+v", got)
		}
	})
}

// sansAbonne asks for a contract of an abonne who does not exist.
func sansAbonne(valid string) string {
	var body map[string]any
	_ = json.Unmarshal([]byte(valid), &body) // it is
	delete(body, "abonne")
	body["abonne_id"] = inconnu
	raw, _ := json.Marshal(body)
	return string(raw)
}

// rows counts what the functions and the outbox hold.
func (p product) rows(t *testing.T) (n [4]int) {
	t.Helper()
	err := p.connect(t).QueryRow(t.Context(), `select (select count(*) from contrat.contrat), (select count(*) from operation.releve),
		(select count(*) from facture.lot), (select count(*) from eventing.outbox)`).Scan(&n[0], &n[1], &n[2], &n[3])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// foyer is household i.
func (p product) foyer(t *testing.T, i int) village.Foyer {
	t.Helper()
	for f := range p.Village.Foyers() {
		if i--; i < 0 {
			return f
		}
	}
	t.Fatal("no such household")
	return village.Foyer{}
}
