package message

import "time"

// ConsentirSMS records that an abonne wants text messages at a number, or
// wants none any more.
type ConsentirSMS struct {
	AbonneID string `json:"abonne_id" validate:"required,uuid"`
	Accepte  bool   `json:"accepte"`
	Numero   string `json:"numero,omitempty" validate:"required_if=Accepte true,max=30" maxLength:"30" doc:"As one writes it in France, or with its country: 06 12 34 56 78, +32 470 12 34 56"`
	Langue   string `json:"langue,omitempty" validate:"omitempty,oneof=fr en" enum:"fr,en" doc:"fr when absent"`
	Origine  string `json:"origine,omitempty" validate:"omitempty,oneof=GUICHET APPEL ECRIT" enum:"GUICHET,APPEL,ECRIT" doc:"How they said so; at the portal they say it themselves"`
}

func (ConsentirSMS) Type() string             { return "fr.aquaerp.mailer.consentir-sms.v1" }
func (ConsentirSMS) Reply() (r ContactAbonne) { return }

// ContactDe reads how an abonne may be written to at once.
type ContactDe struct {
	AbonneID string `json:"abonne_id" validate:"required,uuid"`
}

func (ContactDe) Type() string             { return "fr.aquaerp.mailer.contact.v1" }
func (ContactDe) Reply() (r ContactAbonne) { return }

// ContactAbonne is what an abonne said about text messages.
type ContactAbonne struct {
	Ouvert     bool              `json:"ouvert" doc:"This service sends text messages"`
	Accepte    bool              `json:"accepte"`
	Numero     string            `json:"numero,omitempty" doc:"E.164"`
	Langue     string            `json:"langue,omitempty" enum:"fr,en"`
	Historique []ConsentementSMS `json:"historique" doc:"The newest first"`
}

// ConsentementSMS is what was said on a day.
type ConsentementSMS struct {
	Accepte bool      `json:"accepte"`
	Numero  string    `json:"numero"`
	Origine string    `json:"origine" enum:"GUICHET,APPEL,ECRIT,PORTAIL,REPONSE"`
	Le      time.Time `json:"le"`
	Par     string    `json:"par" doc:"Id of the user"`
}

// NotifierSMS is what the provider of text messages sends: its signature
// proves who it is from, and when.
type NotifierSMS struct {
	Signature string `json:"signature" validate:"required,max=400"`
	Corps     []byte `json:"corps" validate:"required,max=65536" doc:"The bytes that were signed"`
}

func (NotifierSMS) Type() string          { return "fr.aquaerp.mailer.notifier-sms.v1" }
func (NotifierSMS) Reply() (r SMSNotifie) { return }

// SMSNotifie tells the provider that it was heard.
type SMSNotifie struct {
	Etat string `json:"etat" enum:"QUEUED,SENDING,SENT,DELIVERED,FAILED" doc:"Of the message after it"`
}
