// Command workflow runs the processes that cross several functions. A process
// is a definition, data in the table of that name: a graph of steps (act,
// wait for a day, wait for an event, end). A plan is one running of it.
//
// It guarantees:
//
//   - A plan stays on the version of the definition that it started with.
//   - A step is entered when all the steps before it are done, and left once,
//     whatever comes twice, late, early or at the same time: everything that
//     touches a plan locks its row, an event that comes before the step that
//     waits for it is kept, and an answer names the attempt that it answers.
//   - An action that is refused, or not answered in its time, is a failed step
//     of a failed plan, which a person starts again; never a success.
//   - Waiting costs nothing: a timer is a date in a row, and a tick only says
//     "look". A tick that comes twice or not at all does no harm.
//   - Every change leaves a trace: when, which step, what, who.
//
// The engine (moteur.go) is pure: it takes what happened and the time, and
// says what to post. What definitions may name (actions, dates, events) is
// typed Go, in vocabulaire.go.
package main

import "aquaerp.fr/shared/function"

func main() { function.Main("workflow", listens) }

func listens(*function.Runtime) []function.Listen {
	return []function.Listen{
		function.On(surContratSigne),
		function.On(surContratAnnule),
		function.On(surFuiteDetectee),
		function.On(surFuiteAttestee),
		function.On(surInterventionRealisee),
		function.On(surInterventionImpossible),
		function.OnReply(repondu),
		function.On(regarder),

		function.Answer("processus:lire", plans),
		function.Answer("processus:lire", planParID),
		function.Answer("processus:modifier", relancerPlan),
	}
}
