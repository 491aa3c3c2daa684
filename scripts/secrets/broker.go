package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"regexp"

	"aquaerp.fr/eventing/topology"
)

// vhost is RabbitMQ's room for the product.
const vhost = "aquaerp"

// brokerUser is a user of RabbitMQ and what it may do; the three are regular
// expressions over names of exchanges and queues.
type brokerUser struct {
	Name                   string
	tags                   []string
	configure, write, read string
	source                 bool // a RabbitmqSource logs in as it
	password               string
}

// brokerUsers are those of the functions' sources, of eventing's programs, and
// of the person at RabbitMQ's own pages.
func brokerUsers(functions []string) []brokerUser {
	exactly := func(name string) string { return "^" + regexp.QuoteMeta(name) + "$" }
	const nothing, ours = "^$", `^aquaerp\.`
	// To publish to the default exchange, which reaches every queue by its name.
	const anyQueue = `^amq\.default$`
	var users []brokerUser
	for _, f := range functions {
		users = append(users, brokerUser{Name: f, configure: nothing, write: nothing, read: exactly(topology.Queue(f)), source: true})
	}
	return append(users,
		brokerUser{Name: "relay", configure: nothing, write: exactly(topology.Events), read: nothing},
		brokerUser{Name: "deadletter", configure: nothing, write: anyQueue, read: exactly(topology.DeadQueue)},
		// To bind is to write to a queue and to read an exchange; to name a dead-letter exchange is to write to it.
		brokerUser{Name: "declare", configure: ours, write: ours, read: ours},
		brokerUser{Name: "operator", tags: []string{"administrator"}, configure: ".*", write: ".*", read: ".*"},
	)
}

// definitions are what RabbitMQ loads before it serves. An object that lacks a
// field stops its import half way, and it serves all the same.
type definitions struct {
	Vhosts      []definedVhost      `json:"vhosts"`
	Users       []definedUser       `json:"users"`
	Permissions []definedPermission `json:"permissions"`
}

type definedVhost struct {
	Name string `json:"name"`
}

type definedUser struct {
	Name      string   `json:"name"`
	Hash      []byte   `json:"password_hash"` // salt, then its sum
	Algorithm string   `json:"hashing_algorithm"`
	Tags      []string `json:"tags"`
}

type definedPermission struct {
	User      string `json:"user"`
	Vhost     string `json:"vhost"`
	Configure string `json:"configure"`
	Write     string `json:"write"`
	Read      string `json:"read"`
}

// brokerDefinitions is the JSON for users. A user whose password the known
// definitions have keeps its hash there, so that nothing new gives the same text.
func brokerDefinitions(users []brokerUser, known string) (string, error) {
	var before definitions
	if known != "" {
		if err := json.Unmarshal([]byte(known), &before); err != nil {
			return "", errors.New("not JSON")
		}
	}
	d := definitions{Vhosts: []definedVhost{{vhost}}}
	for _, u := range users {
		salt := make([]byte, saltSize)
		_, _ = rand.Read(salt) // never fails
		for _, b := range before.Users {
			if b.Name == u.Name && len(b.Hash) > saltSize && bytes.Equal(b.Hash, brokerHash(b.Hash[:saltSize], u.password)) {
				salt = b.Hash[:saltSize]
			}
		}
		d.Users = append(d.Users, definedUser{u.Name, brokerHash(salt, u.password), "rabbit_password_hashing_sha256", append([]string{}, u.tags...)})
		d.Permissions = append(d.Permissions, definedPermission{u.Name, vhost, u.configure, u.write, u.read})
	}
	text, err := json.Marshal(d)
	return string(text), err
}

const saltSize = 4

// brokerHash is rabbit_password_hashing_sha256: RabbitMQ's documentation,
// "Passwords", section "Computing password hash".
func brokerHash(salt []byte, password string) []byte {
	sum := sha256.Sum256(append(bytes.Clone(salt), password...))
	return append(bytes.Clone(salt), sum[:]...)
}
