package main

import (
	"context"

	"aquaerp.fr/shared/function"
	"aquaerp.fr/shared/message"
)

// alHeure handles a tick by each kind of work that time brings. Whatever it
// calls finds nothing left to do the second time: a tick may be lost, late or
// come a thousand times.
func alHeure(works ...func(context.Context, *function.Tx, message.Tick) error) func(context.Context, *function.Tx, message.Tick) error {
	return func(ctx context.Context, tx *function.Tx, t message.Tick) error {
		for _, work := range works {
			if err := work(ctx, tx, t); err != nil {
				return err
			}
		}
		return nil
	}
}
