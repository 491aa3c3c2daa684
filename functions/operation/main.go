// Command operation is the function that knows what meters showed: it takes
// reading rounds in, decides which readings may be billed, and keeps the
// doubtful ones for a person.
//
// It guarantees that the volumes of accepted readings telescope: over any
// time they sum to the last index less the first, counted through rollovers
// and changes of meter, and an estimate never counts beside the reading that
// reversed it.
package main

import "aquaerp.fr/shared/function"

func main() { function.Main("operation", listens) }

func listens(*function.Runtime) []function.Listen {
	return []function.Listen{
		function.On(contratActive),
		function.On(compteurChange),
		function.On(contratResilie),

		function.Answer("tournees:creer", importer),
		function.Answer("tournees:lire", tournees),
		function.Answer("releves:lire", suspects),
		function.Answer("releves:valider", decider),
		function.Answer("releves:lire,portail:lire", releves),
		function.Answer("tableau:lire", tableau),
	}
}
