package main

import (
	"context"
	"time"

	"aquaerp.fr/eventing/broker"
)

// queuePeriod is how old what is known of a queue may be.
const queuePeriod = time.Second

// queue is what the broker says of the queue of a source.
type queue struct {
	Name      string `json:"name"`
	Messages  int    `json:"messages"`  // that wait, not counting those an adapter has
	Consumers int    `json:"consumers"` // 0: nobody delivers what waits
	Error     string `json:"error,omitempty"`
}

func (s *source) set(messages, consumers int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue.Messages, s.queue.Consumers, s.queue.Error = messages, consumers, ""
	if err != nil {
		s.queue.Error = err.Error()
	}
}

// watchQueues asks one broker about the queues of its sources until ctx is done, and connects again whenever it must.
func watchQueues(ctx context.Context, url string, sources []*source) {
	for ctx.Err() == nil {
		if err := askBroker(ctx, url, sources); err != nil && ctx.Err() == nil {
			for _, s := range sources {
				s.set(0, 0, err)
			}
		}
		sleep(ctx, queuePeriod)
	}
}

func askBroker(ctx context.Context, url string, sources []*source) error {
	connection, err := broker.Dial(ctx, url, "aquaerp local runtime")
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }()
	for ctx.Err() == nil {
		for _, s := range sources {
			channel, err := connection.Channel() // one for each: a queue that is missing ends it
			if err != nil {
				return err
			}
			declared, err := channel.QueueDeclarePassive(s.queue.Name, true, false, false, false, nil)
			s.set(declared.Messages, declared.Consumers, err)
			if err == nil {
				err = channel.Close()
			}
			if connection.IsClosed() {
				return err
			}
		}
		sleep(ctx, queuePeriod)
	}
	return nil
}

// sleep returns after d, or when ctx is done.
func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
