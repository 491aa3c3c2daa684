package message

import "time"

// Connecter opens a session: the first step of everything. It is public, and
// slowed down after failures. Its reply is never stored.
type Connecter struct {
	Identifiant string `json:"identifiant" validate:"required,max=254" doc:"E-mail address"`
	MotDePasse  string `json:"mot_de_passe" validate:"required,max=200" doc:"Password"`
}

func (Connecter) Type() string       { return "fr.aquaerp.auth.connecter.v1" }
func (Connecter) Reply() (r Session) { return }

// Rafraichir exchanges a refresh token, which is used up, for a new session.
// A refresh token seen twice revokes its whole family.
type Rafraichir struct {
	RefreshToken string `json:"refresh_token" validate:"required,max=200"`
}

func (Rafraichir) Type() string       { return "fr.aquaerp.auth.rafraichir.v1" }
func (Rafraichir) Reply() (r Session) { return }

// Deconnecter revokes the session of a refresh token; unknown tokens are fine.
type Deconnecter struct {
	RefreshToken string `json:"refresh_token" validate:"required,max=200"`
}

func (Deconnecter) Type() string    { return "fr.aquaerp.auth.deconnecter.v1" }
func (Deconnecter) Reply() (r Fait) { return }

// Session is a pair of tokens and who they stand for.
type Session struct {
	AccessToken  string      `json:"access_token" doc:"JWT (EdDSA), sent as Authorization: Bearer"`
	ExpireA      time.Time   `json:"expire_a" doc:"Instant at which the access token ends"`
	RefreshToken string      `json:"refresh_token" doc:"Opaque, used once"`
	Utilisateur  Utilisateur `json:"utilisateur"`
}

// Utilisateur is a person who can log in.
type Utilisateur struct {
	ID          string            `json:"id" format:"uuid"`
	Identifiant string            `json:"identifiant" doc:"E-mail address"`
	Nom         string            `json:"nom"`
	Role        string            `json:"role" doc:"administrateur, superviseur, conseiller, technicien, comptable, abonne..."`
	AbonneID    string            `json:"abonne_id,omitempty" doc:"The abonne whose file this user sees, for role abonne"`
	Etat        string            `json:"etat" enum:"INVITE,ACTIF,VERROUILLE"`
	Droits      map[string]string `json:"droits" doc:"Page to allowed actions, a letter each: l lire, c creer, m modifier, s supprimer, v valider, e exporter"`
}

// Moi reads the user of the token.
type Moi struct{}

func (Moi) Type() string           { return "fr.aquaerp.auth.moi.v1" }
func (Moi) Reply() (r Utilisateur) { return }

// CreerUtilisateur makes a user with a first password.
type CreerUtilisateur struct {
	Identifiant string `json:"identifiant" validate:"required,email,max=254"`
	Nom         string `json:"nom" validate:"required,max=120"`
	Role        string `json:"role" validate:"required,max=40"`
	MotDePasse  string `json:"mot_de_passe" validate:"required,min=12,max=200" doc:"At least 12 characters"`
	AbonneID    string `json:"abonne_id,omitempty" validate:"required_if=Role abonne,omitempty,uuid" doc:"The abonne whose file the user sees; required for role abonne"`
}

func (CreerUtilisateur) Type() string           { return "fr.aquaerp.auth.creer-utilisateur.v1" }
func (CreerUtilisateur) Reply() (r Utilisateur) { return }

// Utilisateurs lists the users of a role, by name.
type Utilisateurs struct {
	Role string `json:"role,omitempty" validate:"max=40"`
	Page
}

func (Utilisateurs) Type() string                { return "fr.aquaerp.auth.utilisateurs.v1" }
func (Utilisateurs) Reply() (r PageUtilisateurs) { return }

// PageUtilisateurs is one page of users.
type PageUtilisateurs struct {
	Items   []Utilisateur `json:"items"`
	Suivant string        `json:"suivant,omitempty" doc:"Cursor of the next page"`
}

// AccepterInvitation sets the password of an invited user. Public; the token
// works once and for seven days.
type AccepterInvitation struct {
	Jeton      string `json:"jeton" validate:"required,max=200" doc:"From the invitation mail"`
	MotDePasse string `json:"mot_de_passe" validate:"required,min=12,max=200" doc:"At least 12 characters"`
}

func (AccepterInvitation) Type() string       { return "fr.aquaerp.auth.accepter-invitation.v1" }
func (AccepterInvitation) Reply() (r Session) { return }

// InvitationEmise says that a person may open their account; the mailer turns
// it into a mail.
type InvitationEmise struct {
	UtilisateurID string    `json:"utilisateur_id"`
	AbonneID      string    `json:"abonne_id,omitempty"`
	Nom           string    `json:"nom"`
	Email         string    `json:"email"`
	Lien          string    `json:"lien" doc:"Address of the page that sets the password; holds the one-time token"`
	ExpireA       time.Time `json:"expire_a"`
}

func (InvitationEmise) Type() string { return "fr.aquaerp.auth.invitation-emise.v1" }

// Fait is the reply of a command that has nothing more to say.
type Fait struct{}
