package terminal

// manner is how a try is told of.
type manner int

const (
	promptly manner = iota
	slowly          // after a while, when the payer is back already
	twice           // at once, and at the same time
	late            // a refusal that comes after what became of the next try
	lost            // the first time it does not arrive
)

// Moyen is a test card or telephone, and what becomes of a try with it.
type Moyen struct {
	Mode     string // CARTE or MOBILE
	Numero   string
	FR, EN   string // what it does
	Refuse   bool
	Confirme bool // asks the payer first: 3-D Secure, or the telephone
	dit      manner
}

// Moyens are all that the terminal takes. Card numbers have a valid check
// digit; telephone numbers are reserved for fiction.
var Moyens = []Moyen{
	{Mode: "CARTE", Numero: "4970 0000 0000 0016", FR: "acceptée", EN: "accepted"},
	{Mode: "CARTE", Numero: "4970 0000 0000 0024", FR: "refusée, provision insuffisante", EN: "refused, not enough money", Refuse: true},
	{Mode: "CARTE", Numero: "4970 0000 0000 0032", FR: "acceptée si la banque obtient votre accord (3-D Secure)", EN: "accepted when the bank gets your consent (3-D Secure)", Confirme: true},
	{Mode: "CARTE", Numero: "4970 0000 0000 0040", FR: "acceptée, le service ne l’apprend qu’après un moment", EN: "accepted, the service hears of it after a while", dit: slowly},
	{Mode: "CARTE", Numero: "4970 0000 0000 0057", FR: "acceptée, le service l’apprend deux fois", EN: "accepted, the service hears of it twice", dit: twice},
	{Mode: "CARTE", Numero: "4970 0000 0000 0065", FR: "refusée, le service ne l’apprend qu’après l’essai suivant", EN: "refused, the service hears of it after the next try", Refuse: true, dit: late},
	{Mode: "CARTE", Numero: "4970 0000 0000 0073", FR: "acceptée, la première notification se perd", EN: "accepted, the first notification is lost", dit: lost},
	{Mode: "MOBILE", Numero: "06 39 98 00 01", FR: "accepté si vous le confirmez sur le téléphone", EN: "accepted when you confirm it on the telephone", Confirme: true},
	{Mode: "MOBILE", Numero: "06 39 98 00 02", FR: "refusé, plafond dépassé", EN: "refused, over its limit", Refuse: true, Confirme: true},
}
