package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"aquaerp.fr/scripts/migrate/product"
	"aquaerp.fr/shared/migrate"
)

var mail = given{smtp: "smtps://eau:secret@courriel.example"}

// made is what a first run gives.
func made(t *testing.T, known values, g given) values {
	t.Helper()
	all, err := generate(known, g)
	if err != nil {
		t.Fatal(err)
	}
	v, err := parse(manifest(all))
	if err != nil {
		t.Fatal(err)
	}
	if len(v) != len(all) {
		t.Fatalf("%d Secrets became %d as YAML", len(all), len(v))
	}
	return v
}

func TestSecondRunChangesNothing(t *testing.T) {
	t.Parallel()
	first := made(t, nil, mail)
	if second := made(t, first, given{}); !reflect.DeepEqual(first, second) {
		for name := range second {
			if !maps.Equal(first[name], second[name]) {
				t.Errorf("%s changed", name)
			}
		}
	}
}

// TestReplacing: a deleted Secret comes back with another password, and what
// is derived from it follows; nothing else moves.
func TestReplacing(t *testing.T) {
	t.Parallel()
	first := made(t, nil, mail)
	for gone, derived := range map[string]string{"postgres-facture": "postgres-roles", "rabbitmq-facture": "rabbitmq-definitions"} {
		known := maps.Clone(first)
		delete(known, gone)
		second := made(t, known, given{})
		for name := range first {
			changed, want := !maps.Equal(first[name], second[name]), name == gone || name == derived
			if changed != want {
				t.Errorf("without %s: %s changed: %v", gone, name, changed)
			}
		}
	}
}

// TestRoles: the password in a role's URL is the one that migrate gives it.
func TestRoles(t *testing.T) {
	t.Parallel()
	all := made(t, nil, mail)
	want, err := migrate.Roles(product.FS)
	if err != nil {
		t.Fatal(err)
	}
	var passwords map[string]string
	if err := json.Unmarshal([]byte(all["postgres-roles"]["roles.json"]), &passwords); err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(passwords)); !slices.Equal(got, want) {
		t.Errorf("roles %v, want %v", got, want)
	}
	seen := map[string]bool{}
	for role, password := range passwords {
		u, err := url.Parse(all["postgres-"+role]["url"])
		if err != nil {
			t.Fatal(err)
		}
		if in, _ := u.User.Password(); in != password || u.User.Username() != role || u.Path != "/aquaerp" {
			t.Errorf("%s: the URL is another's", role)
		}
		seen[password] = true
	}
	if len(seen) != len(want) {
		t.Errorf("%d passwords for %d roles", len(seen), len(want))
	}
	for name, keys := range all {
		for key, value := range keys {
			if key == "password" && !regexp.MustCompile(`^[A-Za-z0-9_-]{32}$`).MatchString(value) {
				t.Errorf("%s: a password that a URL would have to escape, or too short", name)
			}
		}
	}
}

func TestMailServer(t *testing.T) {
	t.Parallel()
	if _, err := generate(nil, given{}); err == nil {
		t.Error("Secrets without a mail server")
	}
	for _, wrong := range []string{"courriel.example", "smtps://eau:se%cret@courriel.example"} {
		if _, err := generate(nil, given{smtp: wrong}); err == nil || strings.Contains(err.Error(), wrong) {
			t.Errorf("%q: %v, want a refusal that does not repeat it", wrong, err)
		}
	}
	first := made(t, nil, mail)
	if got := made(t, first, given{smtp: "smtp://autre.example"})["smtp"]["url"]; got != "smtp://autre.example" {
		t.Errorf("the mail server is %q", got)
	}
}

// A service without a payment provider has no Secret for one; the secrets
// shared with one are kept until others are given.
func TestPaymentProvider(t *testing.T) {
	t.Parallel()
	const name, page = "paiement-en-ligne", "https://prestataire.example/payer"
	none := made(t, nil, mail)
	if none[name] != nil {
		t.Fatalf("nobody asked for %v", none[name])
	}
	first := made(t, none, given{paiement: page})
	if first[name]["url"] != page || len(first[name]["secrets"]) < 16 {
		t.Fatalf("got %v", first[name])
	}
	if kept := made(t, first, given{}); !maps.Equal(kept[name], first[name]) {
		t.Error("a second run changed the provider")
	}
	both := first[name]["secrets"] + ",un-autre-secret-partage"
	if got := made(t, first, given{secrets: both})[name]; got["secrets"] != both || got["url"] != page {
		t.Errorf("got %v", got)
	}
	for _, wrong := range []given{{paiement: "prestataire"}, {paiement: page, secrets: "court"}, {paiement: page, secrets: both + ","}, {secrets: both}} {
		wrong.smtp = mail.smtp
		if _, err := generate(nil, wrong); err == nil || wrong.secrets != "" && strings.Contains(err.Error(), wrong.secrets) {
			t.Errorf("%+v: %v, want a refusal that does not repeat it", wrong, err)
		}
	}
}

// What kubectl get --output yaml gives is read like what this program writes.
func TestParseList(t *testing.T) {
	t.Parallel()
	v, err := parse([]byte(`apiVersion: v1
kind: List
items:
  - {apiVersion: v1, kind: Secret, metadata: {name: a, uid: x}, type: Opaque, data: {k: dg==}}
  - {apiVersion: v1, kind: Secret, metadata: {name: empty}}
`))
	if want := (values{"a": {"k": "v"}, "empty": {}}); err != nil || !reflect.DeepEqual(v, want) {
		t.Errorf("%v, %v; want %v", v, err, want)
	}
	if _, err := parse([]byte("password: [")); err == nil {
		t.Error("what is not YAML was read")
	}
}

// TestExample: the file for those who make their Secrets by other means has
// the names, keys and labels that this program makes.
func TestExample(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../knative/secrets.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	example, err := parse(text)
	if err != nil {
		t.Fatal(err)
	}
	all := made(t, nil, given{smtp: mail.smtp, paiement: "https://prestataire.example/payer", sms: map[string]string{"url": "https://sms.example/v1", "token": "t", "sender": "EAU"}})
	for name := range all {
		if got, want := slices.Sorted(maps.Keys(example[name])), slices.Sorted(maps.Keys(all[name])); !slices.Equal(got, want) {
			t.Errorf("%s: keys %v, want %v", name, got, want)
		}
	}
	for name := range example {
		if name == "plateforme" { // made by hand of what the platform gives, as the operators' book says
			continue
		}
		if all[name] == nil {
			t.Errorf("%s: nobody makes it", name)
		}
	}
	if bytes.Contains(text, []byte("\ndata:")) {
		t.Error("the example holds base64, which nobody can read")
	}
}

// A provider of text messages is named by whoever has one; what is known of it stays.
func TestTextMessages(t *testing.T) {
	if made(t, nil, mail)["sms"] != nil {
		t.Error("a Secret sms without a provider")
	}
	g := mail
	g.sms = map[string]string{"url": "https://sms.example/v1", "token": "t", "sender": ""}
	first := made(t, nil, g)
	if first["sms"]["url"] != "https://sms.example/v1" || first["sms"]["secrets"] == "" {
		t.Fatalf("%v", first["sms"])
	}
	if again := made(t, first, given{}); !maps.Equal(again["sms"], first["sms"]) {
		t.Errorf("made again: %v", again["sms"])
	}
	const one = "un-secret-partage"
	for _, wrong := range []map[string]string{
		{"url": "https://sms.example/v1"}, // and no token
		{"token": "jeton", "url": "http://sms.example/v1"},
		{"token": "jeton", "url": "sms.example"},
		{"token": "jeton", "url": "https://sms.example:8443/v1"}, // mailer reaches port 443
		{"token": "jeton", "url": "https://sms.example/v1", "secrets": "court"},
		{"token": "jeton", "url": "https://sms.example/v1", "secrets": one + ","},
	} {
		g.sms = wrong
		if _, err := generate(nil, g); err == nil || strings.Contains(err.Error(), one) || strings.Contains(err.Error(), "jeton") {
			t.Errorf("%v: %v, want a refusal that repeats no secret", wrong, err)
		}
	}
}
