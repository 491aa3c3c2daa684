// Auth knows who is who: users, their roles and rights, sessions, invitations.
//
// It hands out access tokens (JWT signed with Ed25519, fifteen minutes) that
// every function verifies by itself, and refresh tokens that are used once.
// It guarantees:
//
//   - Passwords are kept as argon2id hashes, tokens as SHA-256 hashes; neither
//     ever reaches a log or an error.
//   - A login does not tell an unknown account from a wrong password, by its
//     answer or by its time.
//   - Failures in a row slow an account down, known or not.
//   - A refresh token that comes back after it was replaced ends its session,
//     unless only the reply was lost.
//
// Besides the function, the binary has two commands for operators:
//
//	auth cles                                        a new key pair for the Secret token-keys
//	auth premier-administrateur -email E -nom N      the first user; the password comes from standard input
package main

import (
	"os"

	"aquaerp.fr/shared/function"
)

func main() {
	if len(os.Args) > 1 && commands[os.Args[1]] != nil {
		os.Exit(runCommand(os.Args[1], os.Args[2:]))
	}
	function.Main("auth", func(rt *function.Runtime) []function.Listen {
		var s settings
		rt.Configure(&s)
		return listens(s)
	})
}

// settings of auth, from its environment.
type settings struct {
	Key       signingKey `envconfig:"TOKEN_PRIVATE_KEY" required:"true"` // JSON Web Key
	PortalURL string     `envconfig:"PORTAL_URL" required:"true"`        // links in invitations lead there
}

func listens(s settings) []function.Listen {
	a := &auth{settings: s}
	return []function.Listen{
		function.Answer(function.Public, a.connecter).Ephemeral(),
		function.Answer(function.Public, a.rafraichir).Ephemeral(),
		function.Answer(function.Public, a.deconnecter).Ephemeral(),
		function.Answer(function.Public, a.accepter).Ephemeral(),
		function.Answer(function.Connected, a.moi),
		function.Answer("utilisateurs:lire,interventions:creer", a.lister),
		function.Answer("utilisateurs:creer", a.creer),
		function.On(a.inviter),
	}
}

// auth holds what the handlers share.
type auth struct {
	settings
	hashing hasher
}
