// Command intervention is the function of field work: orders, who does them,
// and what they report.
//
// It guarantees that water is never cut where a main residence is known or
// cannot be ruled out, that a plan has one order of a nature however often it
// asks, and that a report sent twice by a telephone counts once.
package main

import "aquaerp.fr/shared/function"

func main() { function.Main("intervention", listens) }

func listens(*function.Runtime) []function.Listen {
	return []function.Listen{
		function.On(contratActive),
		function.On(contratAnnule),

		function.Answer("interventions:creer", creer).ByPost(),
		function.Answer("interventions:modifier", affecter),
		function.Answer("interventions:modifier", avancer),
		function.Answer("interventions:modifier", realiser),
		function.Answer("interventions:modifier", declarerImpossible),

		function.Answer("interventions:lire,portail:lire", lister),
		function.Answer("interventions:lire,portail:lire", lire),
	}
}
