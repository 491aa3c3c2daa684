package main

import (
	"sync"

	"golang.org/x/time/rate"
)

// limiter slows callers down, each by its own bucket. It remembers at most
// two generations of callers, so that no flood of new names fills the memory;
// a caller forgotten that way starts with a full bucket.
type limiter struct {
	rate  rate.Limit
	burst int

	mu       sync.Mutex
	now, old map[string]*rate.Limiter
}

const generation = 10_000

func newLimiter(perSecond float64, burst int) *limiter {
	return &limiter{rate: rate.Limit(perSecond), burst: burst, now: map[string]*rate.Limiter{}}
}

func (l *limiter) allow(caller string) bool {
	l.mu.Lock()
	b, known := l.now[caller]
	if !known {
		if b = l.old[caller]; b == nil {
			b = rate.NewLimiter(l.rate, l.burst)
		}
		if len(l.now) >= generation {
			l.now, l.old = map[string]*rate.Limiter{}, l.now
		}
		l.now[caller] = b
	}
	l.mu.Unlock()
	return b.Allow()
}
