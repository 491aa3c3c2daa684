// Command contrat keeps who takes water where, and through which meter:
// abonnes, points de service (PDL), meters, their poses and the contracts.
//
// It guarantees:
//
//   - A PDL has one living contract, hence one active contract a day.
//   - The poses of a PDL are disjoint, and so are those of a meter.
//   - Water is not opened before the end of the withdrawal period unless the
//     abonne expressly asked for it.
//   - Contract numbers are never reused; each change of a contract raises its
//     version by one and leaves a line in its journal.
//
// The decisions (contrat.go, delai.go, reprise.go) are pure; handlers lock, decide, save
// and emit.
package main

import "aquaerp.fr/shared/function"

func main() { function.Main("contrat", listens) }

func listens(*function.Runtime) []function.Listen {
	return []function.Listen{
		function.Answer("contrats:creer", souscrire),
		function.Answer("contrats:modifier", signer),
		function.Answer("contrats:modifier", retracter),
		function.Answer("contrats:modifier", activer).ByPost(),
		function.Answer("contrats:modifier", changerCompteur),
		function.Answer("contrats:creer", reprendre),
		function.Answer("contrats:modifier", resilier),
		function.Answer("abonnes:modifier", identifier),

		function.Answer("contrats:lire,portail:lire", contratParID),
		function.Answer("contrats:lire,portail:lire", contrats),
		function.Answer("abonnes:lire", abonnes),
		function.Answer("abonnes:lire,portail:lire", ficheAbonne),
		function.Answer("tableau:lire", tableau),
	}
}
