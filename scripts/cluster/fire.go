package cluster

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"aquaerp.fr/scripts/demo"
)

// User is who drills work as: somebody who may do everything.
func User() (identifiant, motDePasse string) {
	return cmp.Or(os.Getenv("AQUAERP_USER"), demo.Email("administrateur")), cmp.Or(os.Getenv("AQUAERP_PASSWORD"), demo.Password)
}

// workers of a drill's Writer. With its pace it is some ten commands a second,
// some thirty events: a busy morning of a village, which leaves a small node
// the processor time that starting pods takes.
const workers = 4

// Writer starts a Writer at the public host of the API.
func (d *Drill) Writer(ctx context.Context) (*Writer, error) {
	public, err := Public()
	if err != nil {
		return nil, err
	}
	identifiant, motDePasse := User()
	w, err := StartWriter(ctx, API(), public, identifiant, motDePasse, workers)
	if err == nil {
		d.Does("%d clients post commands through %s", workers, API())
	}
	return w, err
}

// settling is how long a drill waits for quiet: what it killed last may have
// left dead letters that are replayed, and mails whose sender has a minute.
const settling = 4 * time.Minute

// Count ends a Writer, waits until nothing is under way, and fails unless every
// acknowledged command and its events took effect once.
func (d *Drill) Count(ctx context.Context, w *Writer) error {
	w.Stop()
	t := w.Tally()
	d.Saw("%s", t)
	d.Sum("%d commands acknowledged, slowest %.1f s, %d of %d answers 5xx", t.Acknowledged, t.Slowest.Seconds(), t.Errors5xx, t.Answers)
	for _, answer := range t.First5xx {
		d.Saw("5xx: %s", answer)
	}
	for _, err := range t.Never {
		d.Fail(fmt.Errorf("never acknowledged: %w", err))
	}
	took, err := Settle(ctx, settling)
	if err != nil {
		return err
	}
	letters, err := SQL(ctx, "select count(*) from eventing.parking_lot where changed_at > now() - interval '1 second' * "+fmt.Sprint(int(time.Since(d.began).Seconds())))
	if err != nil {
		return err
	}
	d.Saw("quiet %v after the last command: outbox empty, %s dead letters, all replayed", took.Round(time.Second), letters)
	if err := d.emptyQueues(ctx); err != nil {
		return err
	}
	counts, err := w.Verify(ctx, SQL)
	if err != nil {
		return err
	}
	wrong := Wrong(counts)
	for _, c := range wrong {
		d.Fail(fmt.Errorf("%s: %d, want %d", c.What, c.Got, c.Want))
	}
	d.Saw("counted in PostgreSQL: %v", counts)
	if len(t.Never)+len(wrong) == 0 {
		d.Sum("none lost, none doubled in %d counts", len(counts))
	}
	return nil
}

// emptyQueues waits until RabbitMQ has nothing left: what a function has taken
// may not be acknowledged yet, and the broker counts every five seconds.
func (d *Drill) emptyQueues(ctx context.Context) error {
	var left []Queue
	_, err := Until(ctx, time.Minute, func(ctx context.Context) (bool, error) {
		queues, err := Queues(ctx)
		left = slices.DeleteFunc(queues, func(q Queue) bool { return q.Messages == 0 && q.Consumers > 0 })
		return len(queues) > 0 && len(left) == 0, err
	})
	if err != nil {
		return fmt.Errorf("queues that are not empty, or have no consumer: %+v: %w", left, err)
	}
	d.Saw("every queue is empty and consumed")
	return nil
}
