package main

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/functiontest"
)

const (
	someID  = "0190a000-0000-7000-8000-00000000abcd"
	subject = "/v1/contrats/" + someID
)

const souscrire = `{
  "abonne": {"nature": "PERSONNE", "nom": "Martin", "adresse": {"voie": "3 rue du Puits", "code_postal": "45300", "commune": "Guercheville"}},
  "pdl": {"reference": "PDL-1", "adresse": {"voie": "3 rue du Puits", "code_postal": "45300", "commune": "Guercheville"}, "code_insee": "45001",
          "logements": 1, "habitation": true, "residence_principale": "OUI", "assainissement": true},
  "compteur": {"serie": "A1", "calibre_mm": 15, "roues": 5, "litres_par_unite": 1000, "annee": 2020},
  "nature": "INDIVIDUEL", "debut_souhaite": "2026-04-01", "mode_paiement": "VIREMENT"}`

// TestRefusedAtTheDoor sends what the gateway refuses by itself: no function
// runs behind it.
func TestRefusedAtTheDoor(t *testing.T) {
	t.Parallel()
	b := setup(t, relaxed)
	c := b.as(t, functiontest.Staff())
	edit := func(old, new string) string {
		if !strings.Contains(souscrire, old) {
			t.Fatalf("the valid body has no %s", old)
		}
		return strings.Replace(souscrire, old, new, 1)
	}
	for _, r := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		code                     string
		field, fieldCode         string // the one field at fault
	}{
		{"malformed", "POST", "/v1/contrats", edit(`"logements": 1,`, `"logements": 1,,`), nil, 400, "json_invalide", "", ""},
		{"truncated", "POST", "/v1/contrats", souscrire[:200], nil, 400, "json_invalide", "", ""},
		{"two values", "POST", "/v1/contrats", souscrire + "{}", nil, 400, "json_invalide", "", ""},
		{"empty body", "POST", "/v1/contrats", "", nil, 400, "corps_manquant", "", ""},
		{"not an object", "POST", "/v1/contrats", "[]", nil, 422, "champs_invalides", "", "type_invalide"},
		{"unknown field", "POST", "/v1/contrats", edit(`"serie"`, `"cousin": 1, "serie"`), nil, 422, "champs_invalides", "compteur.cousin", "champ_inconnu"},
		{"other case", "POST", "/v1/contrats", edit(`"logements"`, `"Logements": 1, "logements"`), nil, 422, "champs_invalides", "pdl.Logements", "champ_inconnu"},
		{"id of the path in the body", "POST", subject + "/signature", `{"signataire": "x", "a_distance": false, "contrat_id": "` + someID + `"}`, nil, 422, "champs_invalides", "contrat_id", "champ_inconnu"},
		{"missing field", "POST", "/v1/contrats", edit(`"reference": "PDL-1",`, ``), nil, 422, "champs_invalides", "pdl.reference", "requis"},
		{"null", "POST", "/v1/contrats", edit(`"VIREMENT"`, `null`), nil, 422, "champs_invalides", "mode_paiement", "type_invalide"},
		{"text for a number", "POST", "/v1/contrats", edit(`"roues": 5`, `"roues": "5"`), nil, 422, "champs_invalides", "compteur.roues", "type_invalide"},
		{"fraction", "POST", "/v1/contrats", edit(`"roues": 5`, `"roues": 5.5`), nil, 422, "champs_invalides", "compteur.roues", "type_invalide"},
		{"too many digits", "POST", "/v1/contrats", edit(`"roues": 5`, `"roues": 10`), nil, 422, "champs_invalides", "compteur.roues", "trop_grand"},
		{"too few dwellings", "POST", "/v1/contrats", edit(`"logements": 1`, `"logements": 0`), nil, 422, "champs_invalides", "pdl.logements", "trop_petit"},
		{"beyond int64", "POST", "/v1/contrats", edit(`"litres_par_unite": 1000`, `"litres_par_unite": 1e30`), nil, 422, "champs_invalides", "", "type_invalide"},
		{"too long", "POST", "/v1/contrats", edit(`"PDL-1"`, `"`+strings.Repeat("é", 41)+`"`), nil, 422, "champs_invalides", "pdl.reference", "trop_long"},
		{"not in the list", "POST", "/v1/contrats", edit(`"INDIVIDUEL"`, `"ROYAL"`), nil, 422, "champs_invalides", "nature", "valeur_inconnue"},
		{"no such day", "POST", "/v1/contrats", edit(`"2026-04-01"`, `"2026-02-30"`), nil, 422, "champs_invalides", "debut_souhaite", "date_invalide"},
		{"a time for a day", "POST", "/v1/contrats", edit(`"2026-04-01"`, `"2026-04-01T00:00:00Z"`), nil, 422, "champs_invalides", "debut_souhaite", "date_invalide"},
		{"not a postcode", "POST", "/v1/contrats", edit(`"45300"`, `"4530A"`), nil, 422, "champs_invalides", "abonne.adresse.code_postal", "format"},
		{"not JSON by its own word", "POST", "/v1/contrats", souscrire, []string{"Content-Type", "text/plain"}, 415, "type_de_contenu", "", ""},
		{"too large", "POST", "/v1/contrats", edit(`"PDL-1"`, `"`+strings.Repeat("x", 1<<20)+`"`), nil, 413, "trop_volumineux", "", ""},

		{"no key", "POST", "/v1/contrats", souscrire, []string{keyHeader, ""}, 400, "cle_idempotence_manquante", "", ""},
		{"short key", "POST", "/v1/contrats", souscrire, []string{keyHeader, "1"}, 422, "champs_invalides", keyHeader, "trop_court"},
		{"odd key", "POST", "/v1/contrats", souscrire, []string{keyHeader, "clé d'hier"}, 422, "champs_invalides", keyHeader, "format"},
		{"no key without body", "POST", subject + "/retractation", "", []string{keyHeader, ""}, 400, "cle_idempotence_manquante", "", ""},

		{"not an id", "GET", "/v1/contrats/42", "", nil, 422, "champs_invalides", "id", "identifiant_invalide"},
		{"not an id in a filter", "GET", "/v1/contrats?abonne_id=42", "", nil, 422, "champs_invalides", "abonne_id", "identifiant_invalide"},
		{"not a state", "GET", "/v1/contrats?etat=BIZARRE", "", nil, 422, "champs_invalides", "etat", "valeur_inconnue"},
		{"unknown parameter", "GET", "/v1/contrats?limit=5", "", nil, 422, "champs_invalides", "limit", "champ_inconnu"},
		{"page of none", "GET", "/v1/contrats?limite=0", "", nil, 422, "champs_invalides", "limite", "trop_petit"},
		{"page of too many", "GET", "/v1/contrats?limite=201", "", nil, 422, "champs_invalides", "limite", "trop_grand"},
		{"page of what", "GET", "/v1/contrats?limite=dix", "", nil, 422, "champs_invalides", "limite", "type_invalide"},

		{"CSV by another name", "POST", "/v1/reprises", "pdl;voie", nil, 415, "type_de_contenu", "", ""},
		{"CSV in Latin-1", "POST", "/v1/reprises", "pdl;voie\n1;all\xe9e\n", []string{"Content-Type", "text/csv"}, 422, "pas_utf8", "", ""},
		{"empty CSV", "POST", "/v1/reprises", "", []string{"Content-Type", "text/csv"}, 400, "corps_manquant", "", ""},
		{"CSV too large", "POST", "/v1/reprises", strings.Repeat("x", maxCSV+1), []string{"Content-Type", "text/csv"}, 413, "trop_volumineux", "", ""},
		{"round without name", "POST", "/v1/tournees", "pdl", []string{"Content-Type", "text/csv"}, 422, "champs_invalides", "libelle", "requis"},

		{"nowhere", "GET", "/v1/rien", "", nil, 404, "chemin_inconnu", "", ""},
		{"another method", "PUT", "/v1/contrats", "", nil, 405, "methode_refusee", "", ""},
		{"another site's page", "POST", "/v1/contrats", souscrire, []string{"Sec-Fetch-Site", "cross-site"}, 403, "autre_site", "", ""},
		{"function away", "GET", "/v1/contrats", "", nil, 503, "indisponible", "", ""},
	} {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			headers := append([]string{keyHeader, function.NewID()}, r.headers...)
			p := refused(t, c.send(t, r.method, r.path, r.body, headers...), r.status, r.code)
			switch {
			case r.fieldCode == "":
			case len(p.Errors) != 1:
				t.Errorf("%d fields at fault, want 1: %+v", len(p.Errors), p.Errors)
			case p.Errors[0].Field != r.field || p.Errors[0].Code != r.fieldCode:
				t.Errorf("got %s %s, want %s %s", p.Errors[0].Field, p.Errors[0].Code, r.field, r.fieldCode)
			}
		})
	}
}

func TestAllFieldsAtFaultAreNamed(t *testing.T) {
	t.Parallel()
	b := setup(t, relaxed)
	a := b.as(t, functiontest.Staff()).post(t, "/v1/contrats", map[string]any{"nature": "ROYAL", "compteur": map[string]any{"roues": 0}})
	p := refused(t, a, 422, "champs_invalides")
	var got []string
	for _, f := range p.Errors {
		got = append(got, f.Field+" "+f.Code)
	}
	slices.Sort(got)
	want := []string{
		"compteur.annee requis", "compteur.calibre_mm requis", "compteur.litres_par_unite requis", "compteur.roues trop_petit", "compteur.serie requis",
		"debut_souhaite requis", "mode_paiement requis", "nature valeur_inconnue",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestWhoAreYou(t *testing.T) {
	t.Parallel()
	b, other := setup(t, relaxed), setup(t, relaxed)
	forged := b.anonymous(t)
	forged.token = other.token(t, functiontest.Staff()) // signed with another key
	garbage := b.anonymous(t)
	garbage.token = "a.b.c"
	for name, c := range map[string]struct {
		*client
		code string
	}{
		"nobody": {b.anonymous(t), "jeton_manquant"}, "forged": {forged, "jeton_invalide"}, "garbage": {garbage, "jeton_invalide"},
	} {
		a := c.get(t, "/v1/contrats")
		refused(t, a, http.StatusUnauthorized, c.code)
		if a.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: no WWW-Authenticate", name)
		}
	}
}

func TestMethodsAreNamed(t *testing.T) {
	t.Parallel()
	b := setup(t, relaxed)
	a := b.as(t, functiontest.Staff()).send(t, "DELETE", "/v1/contrats", "")
	refused(t, a, http.StatusMethodNotAllowed, "methode_refusee")
	if got := a.Header.Get("Allow"); got != "GET, POST" {
		t.Errorf("Allow: %s", got)
	}
}

func TestTooManyRequests(t *testing.T) {
	t.Parallel()
	s := relaxed
	s.UserRate, s.UserBurst = 0, 2
	s.LoginRate, s.LoginBurst = 0, 1
	b := setup(t, s)
	first, second := b.as(t, function.Identity{ID: "1"}), b.as(t, function.Identity{ID: "2"})
	for range 2 {
		refused(t, first.get(t, "/v1/rien"), 404, "chemin_inconnu")
	}
	a := first.get(t, "/v1/rien")
	refused(t, a, http.StatusTooManyRequests, "trop_de_requetes")
	if a.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	refused(t, second.get(t, "/v1/rien"), 404, "chemin_inconnu") // others are not slowed down

	login := func(address string) answer {
		return b.anonymous(t).send(t, "POST", "/v1/sessions", "{}", "X-Forwarded-For", address)
	}
	refused(t, login("203.0.113.7"), 422, "champs_invalides")
	refused(t, login("203.0.113.7"), http.StatusTooManyRequests, "trop_de_requetes")
	refused(t, login("6.6.6.6, 203.0.113.7, 10.0.0.3"), http.StatusTooManyRequests, "trop_de_requetes") // what a client writes itself does not count
	refused(t, login("203.0.113.8"), 422, "champs_invalides")
}

func TestPanicIsARefusal(t *testing.T) {
	t.Parallel()
	rt, err := function.NewRuntime(t.Context(), "gateway", function.Config{LogLevel: "ERROR+1"})
	if err != nil {
		t.Fatal(err)
	}
	g := newGateway(rt, relaxed)
	w := httptest.NewRecorder()
	rt.Measured(g.mux, g.recovered(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") }))).ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "boom") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}
