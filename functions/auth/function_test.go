package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/functiontest"
	"aquaerp.fr/shared/message"
)

func TestMain(m *testing.M) { functiontest.Main(m) }

const (
	email    = "Camille.Roux@regie.example"
	password = "un mot de passe long"
)

type bundle struct {
	*functiontest.Function
	public jose.JSONWebKeySet
}

// setup starts auth with a key of its own.
func setup(t *testing.T) bundle {
	t.Helper()
	var out bytes.Buffer
	if err := keys(nil, nil, &out); err != nil {
		t.Fatal(err)
	}
	var pair struct{ Private, Public string }
	if err := json.Unmarshal(out.Bytes(), &pair); err != nil {
		t.Fatal(err)
	}
	s := settings{PortalURL: "https://eau.example/"}
	if err := s.Key.Decode(pair.Private); err != nil {
		t.Fatal(err)
	}
	b := bundle{Function: functiontest.Start(t, "auth", func(*function.Runtime) []function.Listen { return listens(s) })}
	if err := json.Unmarshal([]byte(pair.Public), &b.public); err != nil {
		t.Fatal(err)
	}
	return b
}

// user makes a user of a role who can log in.
func (b bundle) user(t *testing.T, role string) message.Utilisateur {
	t.Helper()
	return functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.CreerUtilisateur{
		Identifiant: email, Nom: "Camille Roux", Role: role, MotDePasse: password,
	})
}

var stranger = function.Identity{}

func (b bundle) login(t *testing.T, identifiant, password string) (message.Session, error) {
	t.Helper()
	return functiontest.Ask(t, b.Function, stranger, message.Connecter{Identifiant: identifiant, MotDePasse: password})
}

func (b bundle) refresh(t *testing.T, token string) (message.Session, error) {
	t.Helper()
	return functiontest.Ask(t, b.Function, stranger, message.Rafraichir{RefreshToken: token})
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if got := functiontest.Code(err); got != code {
		t.Errorf("got refusal %q, want %q", got, code)
	}
}

func (b bundle) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	if tag, err := b.DB.Exec(t.Context(), sql, args...); err != nil || tag.RowsAffected() == 0 {
		t.Fatalf("%s: %v, %v", sql, tag, err)
	}
}

func TestLogin(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.user(t, "conseiller")
	s, err := b.login(t, "  "+strings.ToUpper(email)+" ", password)
	if err != nil {
		t.Fatal(err)
	}
	if s.Utilisateur.ID != made.ID || s.Utilisateur.Droits["contrats"] != "lcm" || s.Utilisateur.Etat != "ACTIF" {
		t.Errorf("session of %+v", s.Utilisateur)
	}

	parsed, err := jwt.ParseSigned(s.AccessToken, []jose.SignatureAlgorithm{jose.EdDSA})
	if err != nil {
		t.Fatal(err)
	}
	var claims jwt.Claims
	var own function.TokenClaims
	if err := parsed.Claims(b.public.Keys[0].Key, &claims, &own); err != nil {
		t.Fatal(err)
	}
	if claims.Subject != made.ID || own.Role != "conseiller" || own.Droits["contrats"] != "lcm" || own.Session == "" {
		t.Errorf("claims %+v %+v", claims, own)
	}
	if !claims.Expiry.Time().Equal(s.ExpireA) || s.ExpireA.Sub(claims.IssuedAt.Time()) != accessLife {
		t.Errorf("issued %s, ends %s, said %s", claims.IssuedAt.Time(), claims.Expiry.Time(), s.ExpireA)
	}

	if n := b.Count(t, "select count(*) from jeton where hash = sha256($1::bytea)", []byte(s.RefreshToken)); n != 1 {
		t.Error("the refresh token is not kept by its hash")
	}
	if n := b.Count(t, "select count(*) from journal where action = 'CONNEXION' and acteur = $1", made.ID); n != 1 {
		t.Errorf("%d logins in the journal", n)
	}
}

func TestLoginIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.user(t, "conseiller")
	_, wrong := b.login(t, email, "un autre mot de passe")
	_, unknown := b.login(t, "personne@regie.example", password)
	wantCode(t, wrong, "identifiants_refuses")
	if fmt.Sprint(wrong) != fmt.Sprint(unknown) {
		t.Errorf("an unknown account is told from a wrong password: %v, %v", wrong, unknown)
	}
	if n := b.Count(t, "select count(*) from journal where action = 'CONNEXION_REFUSEE'"); n != 2 {
		t.Errorf("%d refused logins in the journal, want 2: a refusal must not roll them back", n)
	}
	b.exec(t, "update utilisateur set etat = 'VERROUILLE' where identifiant = lower($1)", email)
	_, err := b.login(t, email, password)
	wantCode(t, err, "compte_verrouille")
	_, err = b.login(t, email, "un autre mot de passe")
	wantCode(t, err, "identifiants_refuses") // only who knows the password learns that it is locked
}

func TestFailuresSlowTheAccountDown(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.user(t, "conseiller")
	for _, account := range []string{email, "personne@regie.example"} {
		for range freeFailures {
			_, err := b.login(t, account, "un autre mot de passe")
			wantCode(t, err, "identifiants_refuses")
		}
		_, err := b.login(t, account, password)
		wantCode(t, err, "trop_de_tentatives") // even with the right password
	}
	b.exec(t, "update tentative set bloque_jusqu = now()")
	if _, err := b.login(t, email, password); err != nil {
		t.Fatal(err)
	}
	if n := b.Count(t, "select count(*) from tentative"); n != 1 {
		t.Errorf("%d accounts are slowed down, want the unknown one only", n)
	}
}

func TestOldFailuresAreForgiven(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.user(t, "conseiller")
	_, _ = b.login(t, email, "un autre mot de passe")
	b.exec(t, "update tentative set echecs = 90, derniere_a = now() - interval '25 hours'")
	_, _ = b.login(t, email, "un autre mot de passe")
	if n := b.Count(t, "select echecs from tentative"); n != 1 {
		t.Errorf("%d failures in a row, want 1", n)
	}
}

func TestOutdatedHashIsRenewed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.user(t, "conseiller")
	b.exec(t, "update utilisateur set mot_de_passe = $1", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
	for range 2 {
		if _, err := b.login(t, email, "password"); err != nil {
			t.Fatal(err)
		}
	}
	if n := b.Count(t, "select count(*) from utilisateur where mot_de_passe like '$argon2id$v=19$m=19456,t=2,p=1$%'"); n != 1 {
		t.Error("the hash has not been renewed")
	}
}

func TestRefreshRotates(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.user(t, "conseiller")
	s, _ := b.login(t, email, password)
	seen := map[string]bool{s.RefreshToken: true}
	for range 3 {
		next, err := b.refresh(t, s.RefreshToken)
		if err != nil {
			t.Fatal(err)
		}
		if seen[next.RefreshToken] || next.Utilisateur.ID != s.Utilisateur.ID {
			t.Fatalf("refreshed to %+v", next)
		}
		seen[next.RefreshToken] = true
		s = next
	}
	_, err := b.refresh(t, newSecret())
	wantCode(t, err, "session_terminee")
}

func TestRefreshAfterALostReply(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.user(t, "conseiller")
	first, _ := b.login(t, email, password)
	lost, _ := b.refresh(t, first.RefreshToken)
	again, err := b.refresh(t, first.RefreshToken)
	if err != nil || again.RefreshToken != lost.RefreshToken {
		t.Fatalf("sent again: %v, same successor: %v", err, again.RefreshToken == lost.RefreshToken)
	}
	if _, err := b.refresh(t, again.RefreshToken); err != nil {
		t.Fatal(err)
	}
}

func TestReuseEndsTheSession(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]func(b bundle, t *testing.T, next string){
		"late": func(b bundle, t *testing.T, _ string) {
			b.exec(t, "update jeton set utilise_a = now() - interval '11 seconds' where utilise_a is not null")
		},
		"after the successor used": func(b bundle, t *testing.T, next string) { _, _ = b.refresh(t, next) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.user(t, "conseiller")
			stolen, _ := b.login(t, email, password)
			other, _ := b.login(t, email, password)
			next, _ := b.refresh(t, stolen.RefreshToken)
			before(b, t, next.RefreshToken)
			_, err := b.refresh(t, stolen.RefreshToken)
			wantCode(t, err, "session_terminee")
			_, err = b.refresh(t, next.RefreshToken)
			wantCode(t, err, "session_terminee")
			if n := b.Count(t, "select count(*) from session where motif = 'REUTILISATION'"); n != 1 {
				t.Errorf("%d sessions ended for reuse", n)
			}
			if _, err := b.refresh(t, other.RefreshToken); err != nil {
				t.Errorf("another session of the user ended too: %v", err)
			}
		})
	}
}

func TestRefreshAtOnceHasOneSuccessor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.user(t, "conseiller")
	s, _ := b.login(t, email, password)
	var all sync.WaitGroup
	tokens := make([]string, 4)
	for i := range tokens {
		all.Go(func() {
			next, err := b.refresh(t, s.RefreshToken)
			if err != nil {
				t.Error(err)
			}
			tokens[i] = next.RefreshToken
		})
	}
	all.Wait()
	for _, token := range tokens {
		if token != tokens[0] {
			t.Errorf("successors differ: %q", tokens)
		}
	}
}

func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(b bundle, t *testing.T, s message.Session){
		"unused": func(b bundle, t *testing.T, _ message.Session) { b.exec(t, "update jeton set expire_a = now()") },
		"too old": func(b bundle, t *testing.T, _ message.Session) {
			b.exec(t, "update session set cree_a = now() - interval '1 hour', expire_a = now()")
		},
		"logged out": func(b bundle, t *testing.T, s message.Session) {
			functiontest.MustAsk(t, b.Function, stranger, message.Deconnecter{RefreshToken: s.RefreshToken})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.user(t, "conseiller")
			s, _ := b.login(t, email, password)
			end(b, t, s)
			_, err := b.refresh(t, s.RefreshToken)
			wantCode(t, err, "session_terminee")
		})
	}
}

func TestLockedUserCannotRefresh(t *testing.T) {
	t.Parallel()
	b := setup(t)
	u := b.user(t, "conseiller")
	s, _ := b.login(t, email, password)
	b.exec(t, "update utilisateur set etat = 'VERROUILLE'")
	_, err := b.refresh(t, s.RefreshToken)
	wantCode(t, err, "compte_verrouille")
	_, err = functiontest.Ask(t, b.Function, function.Identity{ID: u.ID}, message.Moi{})
	wantCode(t, err, "compte_verrouille")
}

func TestLogoutOfAnUnknownTokenIsFine(t *testing.T) {
	t.Parallel()
	b := setup(t)
	functiontest.MustAsk(t, b.Function, stranger, message.Deconnecter{RefreshToken: newSecret()})
}

func TestCreateUser(t *testing.T) {
	t.Parallel()
	b := setup(t)
	abonne := function.NewID()
	valid := message.CreerUtilisateur{Identifiant: email, Nom: "Camille Roux", Role: "conseiller", MotDePasse: password}
	supervisor := function.Identity{ID: function.NewID(), Role: "superviseur", Droits: map[string]string{"utilisateurs": "lc", "interventions": "lm", "tableau": "l"}}
	for _, c := range []struct {
		name   string
		as     function.Identity
		change func(*message.CreerUtilisateur)
		code   string
	}{
		{"unknown role", functiontest.Staff(), func(c *message.CreerUtilisateur) { c.Role = "roi" }, "role_inconnu"},
		{"short password", functiontest.Staff(), func(c *message.CreerUtilisateur) { c.MotDePasse = "court" }, "champs_invalides"},
		{"no e-mail", functiontest.Staff(), func(c *message.CreerUtilisateur) { c.Identifiant = "camille" }, "champs_invalides"},
		{"abonne without file", functiontest.Staff(), func(c *message.CreerUtilisateur) { c.Role = "abonne" }, "champs_invalides"},
		{"staff with a file", functiontest.Staff(), func(c *message.CreerUtilisateur) { c.AbonneID = abonne }, "abonne_id_incoherent"},
		{"without the right", functiontest.Subscriber(abonne), func(*message.CreerUtilisateur) {}, "droit_manquant"},
		{"more rights than one's own", supervisor, func(*message.CreerUtilisateur) {}, "role_superieur"},
		{"as many rights", supervisor, func(c *message.CreerUtilisateur) { c.Role = "technicien" }, ""},
		{"taken, in capitals", functiontest.Staff(), func(c *message.CreerUtilisateur) { c.Identifiant = strings.ToUpper(email) }, "identifiant_pris"},
		{"a subscriber's", functiontest.Staff(), func(c *message.CreerUtilisateur) {
			c.Identifiant, c.Role, c.AbonneID = "abonne@example.fr", "abonne", abonne
		}, ""},
	} { // in order: a later case finds the user of an earlier one
		command := valid
		c.change(&command)
		u, err := functiontest.Ask(t, b.Function, c.as, command)
		if got := functiontest.Code(err); got != c.code {
			t.Errorf("%s: refused with %q, want %q", c.name, got, c.code)
		}
		if c.code == "" && (u.Role != command.Role || u.AbonneID != command.AbonneID) {
			t.Errorf("%s: made %+v", c.name, u)
		}
	}
	if n := b.Count(t, "select count(*) from utilisateur"); n != 2 {
		t.Errorf("%d users, want 2", n)
	}
}

func TestCreateUserTwiceWithOneKey(t *testing.T) {
	t.Parallel()
	b := setup(t)
	command := message.CreerUtilisateur{Identifiant: email, Nom: "Camille Roux", Role: "conseiller", MotDePasse: password}
	key := function.NewID()
	first, err := functiontest.AskAgain(t, b.Function, functiontest.Staff(), key, command)
	if err != nil {
		t.Fatal(err)
	}
	again, err := functiontest.AskAgain(t, b.Function, functiontest.Staff(), key, command)
	if err != nil || again.ID != first.ID {
		t.Errorf("got %v, %v", again, err)
	}
	if n := b.Count(t, "select count(*) from reply where convert_from(reply, 'utf8') like '%' || $1 || '%'", password); n != 0 {
		t.Error("a stored reply holds the password")
	}
}

func TestListUsers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i, nom := range []string{"Élise", "bruno", "Alice", "Bruno", "Chloé"} {
		functiontest.MustAsk(t, b.Function, functiontest.Staff(), message.CreerUtilisateur{
			Identifiant: fmt.Sprintf("u%d@example.fr", i), Nom: nom, Role: []string{"technicien", "conseiller"}[i%2], MotDePasse: password,
		})
	}
	list := func(as function.Identity, role string) (names []string, err error) {
		q := message.Utilisateurs{Role: role, Page: message.Page{Limite: 2}}
		for {
			page, err := functiontest.Ask(t, b.Function, as, q)
			if err != nil {
				return nil, err
			}
			for _, u := range page.Items {
				names = append(names, u.Nom)
			}
			if q.Curseur = page.Suivant; q.Curseur == "" {
				return names, nil
			}
		}
	}
	staff, planner := functiontest.Staff(), function.Identity{ID: function.NewID(), Droits: map[string]string{"interventions": "lc"}}
	for _, c := range []struct {
		name string
		as   function.Identity
		role string
		want int
		code string
	}{
		{"all, page by page", staff, "", 5, ""},
		{"of a role", staff, "conseiller", 2, ""},
		{"a planner sees technicians", planner, "", 3, ""},
		{"and nobody else", planner, "conseiller", 0, "droit_manquant"},
	} {
		names, err := list(c.as, c.role)
		if len(names) != c.want || functiontest.Code(err) != c.code {
			t.Errorf("%s: got %q, %v", c.name, names, err)
		}
		seen := map[string]bool{}
		for _, n := range names {
			if seen[n] {
				t.Errorf("%s: %s twice", c.name, n)
			}
			seen[n] = true
		}
	}
	_, err := functiontest.Ask(t, b.Function, staff, message.Utilisateurs{Page: message.Page{Curseur: "!"}})
	wantCode(t, err, "curseur_invalide")
}

// activated is the event of a new contract.
func activated() message.ContratActive {
	adresse := message.Adresse{Voie: "3 rue du Puits", CodePostal: "45300", Commune: "Guercheville"}
	return message.ContratActive{
		ContratID: function.NewID(), Numero: "C-I-01-26-000001", Version: 3, Depuis: message.NewDate(2026, 4, 1),
		Abonne: message.Abonne{ID: function.NewID(), Nature: "PERSONNE", Nom: "Martin", Prenom: "Léa", Email: "Lea.Martin@example.fr", Adresse: adresse},
		PDL:    message.PDL{ID: function.NewID(), Reference: "PDL-00042", Adresse: adresse},
		Pose:   message.Pose{ID: function.NewID(), Du: message.NewDate(2026, 4, 1)},
	}
}

func TestActiveContractInvites(t *testing.T) {
	t.Parallel()
	b := setup(t)
	event := activated()
	for _, c := range []struct {
		name   string
		change func(*message.ContratActive)
		sent   int // invitations so far
	}{
		{"taken over", func(e *message.ContratActive) { e.Reprise = true }, 0},
		{"no e-mail", func(e *message.ContratActive) { e.Abonne.Email = "" }, 0},
		{"new", func(*message.ContratActive) {}, 1},
		{"second contract", func(e *message.ContratActive) { e.ContratID = function.NewID() }, 1},
		{"address of another", func(e *message.ContratActive) { e.Abonne.ID = function.NewID() }, 1},
	} {
		e := event
		c.change(&e)
		if status := b.Deliver(t, functiontest.Event("contrat", e.ContratID, e)); status != 204 {
			t.Fatalf("%s: delivery answered %d", c.name, status)
		}
		if sent := functiontest.Emitted[message.InvitationEmise](t, b.Function); len(sent) != c.sent {
			t.Fatalf("%s: %d invitations sent, want %d", c.name, len(sent), c.sent)
		}
	}

	sent := functiontest.Emitted[message.InvitationEmise](t, b.Function)[0]
	token, found := strings.CutPrefix(sent.Lien, "https://eau.example/invitation#")
	if !found || sent.Nom != "Léa Martin" || sent.Email != "lea.martin@example.fr" || sent.AbonneID != event.Abonne.ID {
		t.Fatalf("sent %+v", sent)
	}
	if d := time.Until(sent.ExpireA); d > invitationLife || d < invitationLife-time.Hour {
		t.Errorf("ends in %s", d)
	}
	if _, err := b.login(t, sent.Email, password); functiontest.Code(err) != "identifiants_refuses" {
		t.Errorf("login before the invitation is accepted: %v", err)
	}

	accept := func(jeton string) (message.Session, error) {
		return functiontest.Ask(t, b.Function, stranger, message.AccepterInvitation{Jeton: jeton, MotDePasse: password})
	}
	_, err := accept(newSecret())
	wantCode(t, err, "invitation_invalide")
	s, err := accept(token)
	if err != nil {
		t.Fatal(err)
	}
	if s.Utilisateur.Role != "abonne" || s.Utilisateur.AbonneID != event.Abonne.ID || len(s.Utilisateur.Droits) != 1 {
		t.Errorf("session of %+v", s.Utilisateur)
	}
	_, err = accept(token)
	wantCode(t, err, "invitation_invalide") // once
	if _, err := b.login(t, sent.Email, password); err != nil {
		t.Error(err)
	}
}

func TestInvitationEnds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	e := activated()
	b.Deliver(t, functiontest.Event("contrat", e.ContratID, e))
	b.exec(t, "update invitation set expire_a = now()")
	_, token, _ := strings.Cut(functiontest.Emitted[message.InvitationEmise](t, b.Function)[0].Lien, "#")
	_, err := functiontest.Ask(t, b.Function, stranger, message.AccepterInvitation{Jeton: token, MotDePasse: password})
	wantCode(t, err, "invitation_invalide")
}

func TestMoi(t *testing.T) {
	t.Parallel()
	b := setup(t)
	u := b.user(t, "comptable")
	got := functiontest.MustAsk(t, b.Function, function.Identity{ID: u.ID}, message.Moi{})
	if got.Identifiant != strings.ToLower(email) || got.Droits["comptabilite"] != "lmve" {
		t.Errorf("got %+v", got)
	}
}

func TestFirstAdministrator(t *testing.T) {
	b := setup(t) // not parallel: the command reads the environment
	t.Setenv("DATABASE_URL", b.DB.Config().ConnString())
	run := func(mail, password string) error {
		var out bytes.Buffer
		return firstAdministrator([]string{"-email", mail}, strings.NewReader(password+"\n"), &out)
	}
	if err := run(email, "court"); err == nil {
		t.Error("a short password is taken")
	}
	for range 2 { // the second time there is nothing to do
		if err := run(email, password); err != nil {
			t.Fatal(err)
		}
	}
	if err := run("un.autre@regie.example", password); err == nil {
		t.Error("a second administrator is made")
	}
	s, err := b.login(t, email, password)
	if err != nil || s.Utilisateur.Droits["utilisateurs"] != "lcmsve" {
		t.Errorf("got %+v, %v", s.Utilisateur, err)
	}
}

// TestUsersView is the operator's drill of the seed guide.
func TestUsersView(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.user(t, "conseiller")
	if n := b.Count(t, "select count(*) from public.users where email = lower($1)", email); n != 1 {
		t.Errorf("users has %d rows", n)
	}
}

func TestJournalIsAppendOnly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.user(t, "conseiller")
	if _, err := b.DB.Exec(t.Context(), "delete from journal"); err == nil {
		t.Error("a line of the journal was deleted")
	}
}

// TestDefaultRoles holds the matrix to what the demo's roles must do.
func TestDefaultRoles(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for role, rights := range map[string]map[string]string{
		"administrateur": {"utilisateurs": "lcmsve", "tarifs": "lcmsve", "lots": "lcmsve"},
		"superviseur":    {"lots": "lcmve", "releves": "lmv", "tournees": "lcv", "processus": "lmv"},
		"conseiller":     {"abonnes": "lcm", "contrats": "lcm", "tournees": "l"},
		"technicien":     {"interventions": "lm", "contrats": ""},
		"comptable":      {"lots": "lcmve", "paiements": "lcm", "comptabilite": "lmve", "relances": "lcmve", "contrats": "l", "factures": "lcme"},
		"abonne":         {"portail": "l", "factures": ""},
	} {
		got, err := rightsOf(t.Context(), b.DB, role)
		if err != nil {
			t.Fatal(err)
		}
		for page, actions := range rights {
			if got[page] != actions {
				t.Errorf("%s on %s: %q, want %q", role, page, got[page], actions)
			}
		}
	}
}
