package main

import (
	"bytes"
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"

	"sigs.k8s.io/yaml"

	"aquaerp.fr/eventing/topology"
	"aquaerp.fr/scripts/cluster"
	"aquaerp.fr/scripts/migrate/product"
	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/migrate"
	"aquaerp.fr/shared/signature"
)

// Where the servers are. The short name is found by the first lookup of a pod
// of the namespace; the full one, having fewer dots than the resolver's ndots,
// only by the fourth: milliseconds of every cold start.
const (
	postgresHost = "postgres:5432"
	rabbitHost   = "rabbitmq:5672"
	// The RabbitmqSource's adapter adds port, user and password to this by itself.
	rabbitURI = "http://rabbitmq." + cluster.Namespace + ".svc.cluster.local"

	database = "aquaerp"
)

// manager is who Kubernetes is told has made them.
const manager = "aquaerp-secrets"

// values of Secrets, by name, then key.
type values map[string]map[string]string

// secret is one to be made.
type secret struct {
	name      string
	of        string // the program that it lets in, or the server that it belongs to
	component string
	values    map[string]string
}

// given is what only the operator knows; what is not "" replaces what is known.
type given struct {
	smtp     string            // URL of the mail server
	paiement string            // URL of the payment provider's page; without one there is no provider
	secrets  string            // shared with the provider, separated by commas
	sms      map[string]string // the provider of text messages, by the keys of its Secret
}

// generate returns every Secret of the product. What is known and not given keeps its value.
func generate(known values, g given) ([]secret, error) {
	roles, err := migrate.Roles(product.FS)
	if err != nil {
		return nil, err
	}
	bindings, err := topology.Read()
	if err != nil {
		return nil, err
	}
	smtp := cmp.Or(g.smtp, known["smtp"]["url"])
	if smtp == "" {
		return nil, errors.New("which server sends the mail? -smtp URL")
	}
	if u, err := url.Parse(smtp); err != nil || u.Host == "" {
		return nil, errors.New("-smtp is not a URL like smtps://user:password@host") // not the text of err: it may hold the password
	}

	var all []secret
	superuser := cmp.Or(known["postgres"]["password"], newPassword())
	all = append(all, secret{"postgres", "postgres", "database", map[string]string{
		"password": superuser, "url": postgresURL("postgres", superuser),
	}})
	passwords := map[string]string{}
	for _, role := range roles {
		name := "postgres-" + role
		if passwords[role], err = passwordOr(known[name]["url"]); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, secret{name, role, "database", map[string]string{"url": postgresURL(role, passwords[role])}})
	}
	list, err := json.Marshal(passwords)
	if err != nil {
		return nil, err
	}
	all = append(all, secret{"postgres-roles", "migrate", "database", map[string]string{"roles.json": string(list)}})

	users := brokerUsers(bindings.Functions())
	for i, u := range users {
		name := "rabbitmq-" + u.Name
		v := map[string]string{}
		if u.source {
			users[i].password = cmp.Or(known[name]["password"], newPassword())
			v["uri"], v["port"], v["username"], v["password"] = rabbitURI, "5672", u.Name, users[i].password
		} else {
			if users[i].password, err = passwordOr(known[name]["amqp"]); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			v["amqp"] = (&url.URL{Scheme: "amqp", User: url.UserPassword(u.Name, users[i].password), Host: rabbitHost, Path: vhost}).String()
		}
		all = append(all, secret{name, u.Name, "broker", v})
	}
	definitions, err := brokerDefinitions(users, known["rabbitmq-definitions"]["definitions.json"])
	if err != nil {
		return nil, fmt.Errorf("rabbitmq-definitions: %w", err)
	}
	all = append(all,
		secret{"rabbitmq-definitions", "rabbitmq", "broker", map[string]string{"definitions.json": definitions}},
		secret{"rabbitmq-cookie", "rabbitmq", "broker", map[string]string{"cookie": cmp.Or(known["rabbitmq-cookie"]["cookie"], newPassword())}})

	// Both halves or none: they belong together.
	private, public := known["token-keys"]["private"], known["token-keys"]["public"]
	if private == "" || public == "" {
		if private, public, err = function.NewTokenKeys(); err != nil {
			return nil, err
		}
	}
	all = append(all,
		secret{"token-keys", "auth", "function", map[string]string{"private": private, "public": public}},
		secret{"smtp", "mailer", "function", map[string]string{"url": smtp}})
	provider, err := paiement(known["paiement-en-ligne"], g)
	if err != nil {
		return nil, err
	}
	carrier, err := textos(known["sms"], g.sms)
	return append(append(all, provider...), carrier...), err
}

// paiement is the Secret of the payment provider; none without a provider.
func paiement(known map[string]string, g given) ([]secret, error) {
	page := cmp.Or(g.paiement, known["url"])
	if page == "" && g.secrets == "" {
		return nil, nil
	}
	if u, err := url.Parse(page); err != nil || u.Host == "" {
		return nil, errors.New("-paiement is not a URL like https://prestataire.example.fr/payer")
	}
	shared := cmp.Or(g.secrets, known["secrets"], newPassword())
	if err := new(signature.Secrets).Decode(shared); err != nil { // facture would not start
		return nil, fmt.Errorf("PAIEMENT_SECRETS: %w", err)
	}
	return []secret{{"paiement-en-ligne", "facture", "function", map[string]string{"url": page, "secrets": shared}}}, nil
}

// textos is the Secret of the provider of text messages; none without one.
// Each value given replaces the known one.
func textos(known, given map[string]string) ([]secret, error) {
	v := map[string]string{}
	maps.Copy(v, known)
	for key, value := range given {
		if value != "" {
			v[key] = value
		}
	}
	switch {
	case len(v) == 0:
		return nil, nil
	case v["url"] == "" || v["token"] == "":
		return nil, errors.New("text messages need both SMS_URL and SMS_TOKEN, as their provider gave them")
	}
	if u, err := url.Parse(v["url"]); err != nil || u.Scheme != "https" || u.Hostname() == "" || cmp.Or(u.Port(), "443") != "443" { // the network lets mailer reach no other port
		return nil, errors.New("SMS_URL is not a URL like https://sms.example.fr/messages, of port 443")
	}
	v["secrets"] = cmp.Or(v["secrets"], newPassword())                  // to be told to the provider
	if err := new(signature.Secrets).Decode(v["secrets"]); err != nil { // mailer would not start
		return nil, fmt.Errorf("SMS_SECRETS: %w", err)
	}
	return []secret{{"sms", "mailer", "function", v}}, nil
}

// newPassword needs no escaping in a URL: RabbitmqSource does none.
func newPassword() string {
	b := make([]byte, 24)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// passwordOr is the password in a URL, or a new one when there is no URL.
func passwordOr(known string) (string, error) {
	if known == "" {
		return newPassword(), nil
	}
	u, err := url.Parse(known)
	if err != nil {
		return "", errors.New("not a URL")
	}
	password, ok := u.User.Password()
	if !ok {
		return "", errors.New("a URL without password")
	}
	return password, nil
}

// postgresURL does without TLS: pod to pod, behind the NetworkPolicy that lets
// nobody else near, it would cost two round trips of every cold start.
func postgresURL(role, password string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword(role, password), Host: postgresHost, Path: database, RawQuery: "sslmode=disable"}
	return u.String()
}

// document is a Secret as Kubernetes writes it.
type document struct {
	APIVersion string            `json:"apiVersion"`
	Kind       string            `json:"kind"`
	Metadata   metadata          `json:"metadata"`
	Data       map[string][]byte `json:"data,omitempty"`
	StringData map[string]string `json:"stringData,omitempty"`
	Items      []document        `json:"items,omitempty"` // of a List
}

type metadata struct {
	Name      string            `json:"name"`
	Namespace string            `json:"namespace"`
	Labels    map[string]string `json:"labels,omitempty"`
}

// parse reads Secrets from YAML: documents, or a List of them.
func parse(text []byte) (values, error) {
	v := values{}
	for part := range bytes.SplitSeq(append([]byte("\n"), text...), []byte("\n---")) {
		var d document
		if err := yaml.Unmarshal(part, &d); err != nil {
			return nil, errors.New("not a file of Secrets") // the text of err may hold one
		}
		for _, one := range append(d.Items, d) {
			if one.Kind != "Secret" {
				continue
			}
			keys := map[string]string{}
			for key, value := range one.Data {
				keys[key] = string(value)
			}
			maps.Copy(keys, one.StringData)
			v[one.Metadata.Name] = keys
		}
	}
	return v, nil
}

// manifest is YAML of Secrets. Values are data, not stringData: fields of the
// latter are in nobody's possession, and a server-side apply would not see a
// change of theirs.
func manifest(all []secret) []byte {
	var out []byte
	for _, s := range all {
		d := document{
			APIVersion: "v1", Kind: "Secret", Data: map[string][]byte{},
			Metadata: metadata{s.name, cluster.Namespace, map[string]string{
				"app.kubernetes.io/name": s.of, "app.kubernetes.io/component": s.component,
				"app.kubernetes.io/part-of": "aquaerp", "app.kubernetes.io/managed-by": manager,
			}},
		}
		for key, value := range s.values {
			d.Data[key] = []byte(value)
		}
		text, err := yaml.Marshal(d)
		if err != nil {
			panic(err) // strings and bytes only
		}
		out = append(append(out, "---\n"...), text...)
	}
	return out
}
