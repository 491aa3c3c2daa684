package main

import (
	"net/http"
	"slices"
	"testing"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

func (c *client) login(t *testing.T, email string) SessionOuverte {
	t.Helper()
	a := c.send(t, "POST", "/v1/sessions", `{"identifiant": "`+email+`", "mot_de_passe": "`+password+`"}`)
	s := read[SessionOuverte](t, a, http.StatusOK)
	c.token = s.AccessToken
	return s
}

func refreshCookieOf(t *testing.T, a answer) *http.Cookie {
	t.Helper()
	i := slices.IndexFunc(a.Cookies(), func(c *http.Cookie) bool { return c.Name == refreshCookie })
	if i < 0 {
		t.Fatalf("no refresh cookie: %s %s", a.Status, a.body)
	}
	return a.Cookies()[i]
}

func TestSession(t *testing.T) {
	t.Parallel()
	b := setup(t, relaxed)
	b.runAuth(t)
	c := b.anonymous(t)

	refused(t, c.send(t, "POST", "/v1/sessions", `{"identifiant": "admin@regie.example", "mot_de_passe": "un autre mot de passe"}`),
		http.StatusUnauthorized, "identifiants_refuses")
	refused(t, c.send(t, "POST", "/v1/sessions/rafraichir", ""), http.StatusUnauthorized, "session_absente")

	a := c.send(t, "POST", "/v1/sessions", `{"identifiant": "admin@regie.example", "mot_de_passe": "`+password+`"}`)
	cookie := refreshCookieOf(t, a)
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.Path != "/" || cookie.Secure || cookie.MaxAge <= 0 {
		t.Errorf("cookie %s", cookie)
	}
	if body := read[map[string]any](t, a, http.StatusOK); body["refresh_token"] != nil || body["access_token"] == "" {
		t.Errorf("a script can read the refresh token: %v", body)
	}
	secure := b.anonymous(t).send(t, "POST", "/v1/sessions", `{"identifiant": "admin@regie.example", "mot_de_passe": "`+password+`"}`, "X-Forwarded-Proto", "https")
	if !refreshCookieOf(t, secure).Secure {
		t.Error("a cookie set over https is not Secure")
	}

	c.token = "an access token that has ended"
	renewed := c.send(t, "POST", "/v1/sessions/rafraichir", "")
	c.token = read[SessionOuverte](t, renewed, http.StatusOK).AccessToken
	if refreshCookieOf(t, renewed).Value == cookie.Value {
		t.Error("the refresh token did not change")
	}
	if me := read[message.Utilisateur](t, c.get(t, "/v1/moi"), http.StatusOK); me.Identifiant != "admin@regie.example" {
		t.Errorf("I am %+v", me)
	}

	out := c.send(t, "DELETE", "/v1/sessions", "")
	if out.StatusCode != http.StatusNoContent || refreshCookieOf(t, out).MaxAge >= 0 {
		t.Errorf("logged out with %s, %s", out.Status, refreshCookieOf(t, out))
	}
	refused(t, c.send(t, "POST", "/v1/sessions/rafraichir", ""), http.StatusUnauthorized, "session_absente")
	replay := b.anonymous(t).send(t, "POST", "/v1/sessions/rafraichir", "", "Cookie", refreshCookie+"="+refreshCookieOf(t, renewed).Value)
	refused(t, replay, http.StatusUnauthorized, "session_terminee")
}

func TestUsers(t *testing.T) {
	t.Parallel()
	b := setup(t, relaxed)
	b.runAuth(t)
	admin := b.anonymous(t)
	admin.login(t, "admin@regie.example")
	made := read[message.Utilisateur](t, admin.post(t, "/v1/utilisateurs", message.CreerUtilisateur{
		Identifiant: "lea@regie.example", Nom: "Léa Martin", Role: "conseiller", MotDePasse: password,
	}), http.StatusCreated)

	lea := b.anonymous(t)
	if s := lea.login(t, "lea@regie.example"); s.Utilisateur.ID != made.ID {
		t.Errorf("logged in as %+v", s.Utilisateur)
	}
	refused(t, lea.post(t, "/v1/utilisateurs", message.CreerUtilisateur{
		Identifiant: "max@regie.example", Nom: "Max", Role: "conseiller", MotDePasse: password,
	}), http.StatusForbidden, "droit_manquant")
	p := refused(t, admin.post(t, "/v1/utilisateurs", message.CreerUtilisateur{
		Identifiant: "max@regie.example", Nom: "Max", Role: "conseiller", MotDePasse: "court",
	}), http.StatusUnprocessableEntity, "champs_invalides") // what the function refuses looks the same
	if len(p.Errors) != 1 || p.Errors[0].Field != "mot_de_passe" || p.Errors[0].Code != "trop_court" {
		t.Errorf("fields at fault: %+v", p.Errors)
	}
	list := read[message.PageUtilisateurs](t, admin.get(t, "/v1/utilisateurs?limite=1"), http.StatusOK)
	next := read[message.PageUtilisateurs](t, admin.get(t, "/v1/utilisateurs?limite=1&curseur="+list.Suivant), http.StatusOK)
	if len(list.Items) != 1 || len(next.Items) != 1 || list.Items[0].ID == next.Items[0].ID || next.Suivant != "" {
		t.Errorf("pages %+v, %+v", list, next)
	}
	refused(t, b.anonymous(t).send(t, "POST", "/v1/invitations/acceptation", `{"jeton": "x", "mot_de_passe": "`+password+`"}`),
		http.StatusUnprocessableEntity, "invitation_invalide")
}

// TestContract takes a contract through the real function, as a conseiller
// does, and holds the promises about keys and foreign objects.
func TestContract(t *testing.T) {
	t.Parallel()
	b := setup(t, relaxed)
	b.run(t, "contrat")
	staff := functiontest.Staff()
	c := b.as(t, staff)
	key := function.NewID()
	send := func(c *client, body string) answer {
		t.Helper()
		return c.send(t, "POST", "/v1/contrats", body, keyHeader, key)
	}
	made := read[message.Contrat](t, send(c, souscrire), http.StatusCreated)
	if again := read[message.Contrat](t, send(c, souscrire), http.StatusCreated); again.ID != made.ID {
		t.Error("the same key made a second contract")
	}
	other := `{"signataire": "x", "a_distance": false}`
	refused(t, c.send(t, "POST", "/v1/contrats/"+made.ID+"/signature", other, keyHeader, key), http.StatusUnprocessableEntity, "cle_reutilisee")
	colleague := staff
	colleague.ID = function.NewID()
	if a := send(b.as(t, colleague), souscrire); a.StatusCode < 400 {
		t.Errorf("another user's key: %s: the PDL has a contract already, or the answer of a colleague was read: %s", a.Status, a.body)
	}
	signed := read[message.Contrat](t, c.send(t, "POST", "/v1/contrats/"+made.ID+"/signature", other, keyHeader, function.NewID()), http.StatusOK)
	if signed.Etat == made.Etat || signed.ID != made.ID {
		t.Errorf("signed: %+v", signed)
	}
	page := read[message.PageContrats](t, c.get(t, "/v1/contrats?abonne_id="+made.Abonne.ID), http.StatusOK)
	if len(page.Items) != 1 || page.Items[0].Poses == nil {
		t.Errorf("listed %+v", page.Items)
	}
	owner, stranger := b.as(t, functiontest.Subscriber(made.Abonne.ID)), b.as(t, functiontest.Subscriber(function.NewID()))
	read[message.Contrat](t, owner.get(t, "/v1/contrats/"+made.ID), http.StatusOK)
	read[message.Fiche](t, owner.get(t, "/v1/abonnes/"+made.Abonne.ID), http.StatusOK)
	for _, path := range []string{"/v1/contrats/" + made.ID, "/v1/abonnes/" + made.Abonne.ID} {
		if a := stranger.get(t, path); a.StatusCode != http.StatusNotFound {
			t.Errorf("%s is open to a stranger: %s", path, a.Status)
		}
	}
	if a := c.get(t, "/v1/contrats/"+someID); a.StatusCode != http.StatusNotFound {
		t.Errorf("a contract that does not exist: %s", a.Status)
	}
}

// TestTakeover sends a file as a spreadsheet saves it: with a byte order mark.
func TestTakeover(t *testing.T) {
	t.Parallel()
	b := setup(t, relaxed)
	b.run(t, "contrat")
	csv := "\uFEFF" + message.ColonnesReprise + "\n" +
		"PDL-1;3 allée des Érables;45300;Guercheville;45001;A;1;OUI;OUI;OUI;PERSONNE;Martin;Léa;;;INDIVIDUEL;VIREMENT;A1;15;5;1000;2020;2024-01-01;12\n" +
		"PDL-2;4 allée des Érables;45300;Guercheville;45001;A;zéro;OUI;OUI;OUI;PERSONNE;Petit;Max;;;INDIVIDUEL;VIREMENT;A2;15;5;1000;2020;2024-01-01;12\n"
	a := b.as(t, functiontest.Staff()).send(t, "POST", "/v1/reprises", csv, "Content-Type", "text/csv; charset=utf-8", keyHeader, function.NewID())
	r := read[message.Reprise](t, a, http.StatusOK)
	if r.Lignes != 2 || r.Creees != 1 || len(r.Rejets) != 1 || r.Rejets[0].Ligne != 3 || r.Rejets[0].Champ != "logements" {
		t.Errorf("got %+v", r)
	}
}
