// Package function is the runtime of an AquaERP function: everything that is
// the same for all of them, written once.
//
// A function is a table of what it listens to:
//
//	func main() { function.Main("contrat", listens) }
//
//	func listens(rt *function.Runtime) []function.Listen {
//		return []function.Listen{
//			function.Answer("contrats:creer", souscrire),
//			function.On(surInterventionRealisee),
//		}
//	}
//
// The runtime guarantees:
//
//   - One transaction per message. What identifies the message (its source
//     and id), the handler's own changes, the events it emits and, for a
//     command, its reply are committed together or not at all, so a message
//     that arrives twice has one effect and one answer.
//   - Two round trips to PostgreSQL around the handler's own work: one opens
//     the transaction and claims the message, one writes what goes out and
//     commits.
//   - A delivery is answered 204 (done, or a duplicate), 503 (not now) or 422
//     (never); nothing else, because the RabbitmqSource adapter drops what is
//     answered otherwise. A panic is a 503 with its stack in the log.
//   - A direct command or query is answered by a reply event or by an RFC 9457
//     problem; it needs a token whose rights the table names.
//   - A command that came by post (with the extension `replyto`) gets its
//     reply or refusal as an event, in the same transaction. The handler does
//     not know.
//   - Nothing connects before it is needed, and SIGTERM lets what runs finish.
//
// Secrets, tokens, bank details and mails are never logged: the runtime logs
// types, ids, codes and durations.
package function
