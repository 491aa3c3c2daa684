package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// queueLimit bounds the requests that wait for one service.
	queueLimit = 1000
	// patience is how long demand must exceed what the processes take before another one starts: a burst that drains
	// by itself is not worth a process.
	patience = 100 * time.Millisecond
	// softTarget is the demand per process that starts another one where containerConcurrency sets no limit
	// (Knative's container-concurrency-target-default).
	softTarget = 100
	// startTimeout is how long a process may take to become ready.
	startTimeout = 30 * time.Second
	// maxGrace bounds the time a process gets to end in; the queue-proxy of a cluster drains for as long.
	maxGrace = 30 * time.Second
)

// unavailable is why a request got no process: later it may.
type unavailable struct{ reason string }

func (u *unavailable) Error() string { return u.reason }

var (
	errOverflow = &unavailable{"too many requests are waiting"}
	errStopping = &unavailable{"the runtime is stopping"}
)

// service is one Knative Service: the processes that serve it, from none to its max-scale, and the requests that wait
// for them. It is the http.RoundTripper of its own reverse proxy: a round trip waits for room in a process, starting
// one when it must, and holds that room until the response is read.
//
// A request is sent to a second process only when the first refused the connection, so before a byte of it was sent;
// whatever else goes wrong is the caller's to repeat.
type service struct {
	program
	probe       string // path that answers 2xx or 3xx once the process is ready
	concurrency int    // requests one process takes at once; 0 for no limit
	maximum     int    // processes
	minimum     int    // processes kept when idle
	idle        time.Duration
	timeout     time.Duration // of a request, the wait for a process included
	proxy       http.Handler
	requests    atomic.Int64

	lives   sync.WaitGroup // of the instances, sleeping ones that still drain included
	closing chan struct{}  // closed with the service

	mu        sync.Mutex
	instances []*instance // starting or ready, oldest first
	waiting   []*waiter   // first come, first served
	growing   bool        // whether grow will look again
	closed    bool
	failures  int       // starts that failed since the last that did not
	notBefore time.Time // of the next start, after a failed one
	lastError string

	crashes    int
	coldStarts []time.Duration // the latest ones, from the decision to start until ready
	started    int             // all of them
}

// instance is one process of a service. The service's mutex guards it.
type instance struct {
	*process
	address   string
	transport *http.Transport
	ready     bool
	stopping  bool // told to end
	inFlight  int
	idleSince time.Time
}

// waiter is one waiting request; it is told once, of a process that it may use or of an error.
type waiter struct {
	told     chan struct{}
	instance *instance
	err      error
}

func (s *service) RoundTrip(r *http.Request) (*http.Response, error) {
	s.requests.Add(1)
	for attempt := 1; ; attempt++ {
		i, err := s.acquire(r.Context())
		if err != nil {
			return nil, err
		}
		out, target := r.WithContext(r.Context()), *r.URL
		target.Scheme, target.Host = "http", i.address
		out.URL = &target
		if r.Body != nil {
			out.Body = io.NopCloser(r.Body) // the caller closes it; a refused connection must not
		}
		response, err := i.transport.RoundTrip(out)
		if err == nil {
			response.Body = &body{ReadCloser: response.Body, release: sync.OnceFunc(func() { s.release(i) })}
			return response, nil
		}
		s.release(i)
		if attempt < 3 && errors.Is(err, syscall.ECONNREFUSED) {
			s.mu.Lock()
			s.remove(i)
			s.mu.Unlock()
			i.kill()
			continue
		}
		return nil, err
	}
}

// body gives the room back when the response has been read or given up.
type body struct {
	io.ReadCloser
	release func()
}

func (b *body) Close() error {
	defer b.release()
	return b.ReadCloser.Close()
}

// acquire waits for room in a process.
func (s *service) acquire(ctx context.Context) (*instance, error) {
	s.mu.Lock()
	switch {
	case s.closed:
		s.mu.Unlock()
		return nil, errStopping
	case len(s.waiting) >= queueLimit:
		s.mu.Unlock()
		return nil, errOverflow
	case len(s.instances) == 0 && time.Now().Before(s.notBefore):
		err := &unavailable{s.lastError}
		s.mu.Unlock()
		return nil, err
	}
	w := &waiter{told: make(chan struct{})}
	s.waiting = append(s.waiting, w)
	s.dispatch()
	s.grow()
	s.mu.Unlock()

	select {
	case <-w.told:
		return w.instance, w.err
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := slices.Index(s.waiting, w); n >= 0 {
		s.waiting = slices.Delete(s.waiting, n, n+1)
	} else if w.instance != nil { // told in the meantime
		s.put(w.instance)
	}
	return nil, context.Cause(ctx)
}

func (s *service) release(i *instance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(i)
}

func (s *service) put(i *instance) {
	i.inFlight--
	i.idleSince = time.Now()
	s.dispatch()
}

// dispatch hands room to those who wait. The oldest process with room comes first, so that the younger ones run dry
// and may sleep. The mutex is held.
func (s *service) dispatch() {
	for len(s.waiting) > 0 {
		var free *instance
		for _, i := range s.instances {
			switch {
			case !i.ready || s.concurrency > 0 && i.inFlight >= s.concurrency:
			case free == nil, s.concurrency == 0 && free.inFlight >= softTarget && i.inFlight < free.inFlight:
				free = i
			}
		}
		if free == nil {
			return
		}
		w := s.waiting[0]
		s.waiting = s.waiting[1:]
		free.inFlight++
		w.instance = free
		close(w.told)
	}
}

// grow starts the first process at once, and more of them when demand has exceeded the present ones for some time.
// The mutex is held.
func (s *service) grow() {
	wanted := s.wanted()
	if wanted > 0 && len(s.instances) == 0 {
		s.launch()
	}
	if wanted <= len(s.instances) || s.growing {
		return
	}
	s.growing = true
	time.AfterFunc(patience, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.growing = false
		for len(s.instances) < s.wanted() {
			s.launch()
		}
	})
}

// wanted is the number of processes for the present demand.
func (s *service) wanted() int {
	if s.closed {
		return 0
	}
	demand, target := len(s.waiting), s.concurrency
	for _, i := range s.instances {
		demand += i.inFlight
	}
	if target == 0 {
		target = softTarget
	}
	return min((demand+target-1)/target, s.maximum)
}

// launch adds a process. The mutex is held.
func (s *service) launch() {
	i := &instance{idleSince: time.Now()}
	s.instances = append(s.instances, i)
	s.lives.Go(func() { s.live(i) })
}

// live is the life of an instance, from its start until its process has ended.
func (s *service) live(i *instance) {
	begin := time.Now()
	child, err := s.bringUp(i)

	s.mu.Lock()
	i.process = child
	if err != nil {
		s.failed(i, err)
		s.mu.Unlock()
		return
	}
	i.ready, i.idleSince = true, time.Now()
	s.failures, s.lastError = 0, ""
	s.started++
	s.coldStarts = append(s.coldStarts, time.Since(begin))
	if len(s.coldStarts) > 100 {
		s.coldStarts = s.coldStarts[1:]
	}
	if s.closed {
		s.stop(i)
	}
	s.dispatch()
	s.mu.Unlock()

	<-child.done
	i.transport.CloseIdleConnections()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(i)
	if !i.stopping {
		s.crashes++
		s.lastError = fmt.Sprintf("process %d ended: %v", child.pid(), child.exit())
		slog.Error("a process ended by itself", "service", s.name, "pid", child.pid(), "exit", child.exit())
		s.grow()
	}
}

// bringUp starts a process and waits until it is ready.
func (s *service) bringUp(i *instance) (*process, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	i.address = net.JoinHostPort("127.0.0.1", port)
	// Shorter than the idle timeout of any server behind it: a connection that the server closes just then costs a request.
	i.transport = &http.Transport{MaxIdleConnsPerHost: softTarget, IdleConnTimeout: 5 * time.Second, DisableCompression: true}
	child, err := s.start("PORT=" + port)
	if err != nil {
		return nil, err
	}
	for begin := time.Now(); ; {
		select {
		case <-child.done:
			return nil, fmt.Errorf("process %d ended before it was ready: %w", child.pid(), child.exit())
		case <-s.closing:
			child.kill()
			<-child.done
			return nil, errStopping
		default:
		}
		if i.healthy(s.probe) {
			return child, nil
		}
		switch age := time.Since(begin); {
		case age < 250*time.Millisecond:
			time.Sleep(time.Millisecond)
		case age < startTimeout:
			time.Sleep(25 * time.Millisecond)
		default:
			child.kill()
			<-child.done
			return nil, fmt.Errorf("process %d was not ready after %v", child.pid(), startTimeout)
		}
	}
}

func (i *instance) healthy(path string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+i.address+path, nil)
	if err != nil {
		return false
	}
	response, err := i.transport.RoundTrip(request)
	if err != nil {
		return false
	}
	defer func() { _ = response.Body.Close() }()
	_, err = io.Copy(io.Discard, response.Body) // to the end, so that the first request finds the connection open
	return err == nil && response.StatusCode >= 200 && response.StatusCode < 400
}

// failed takes away an instance that did not become ready. Without another one nobody is left to serve those who wait:
// they are told why, and for a growing time so is everybody who comes. The mutex is held.
func (s *service) failed(i *instance, err error) {
	s.remove(i)
	if s.closed {
		return
	}
	s.failures++
	s.notBefore = time.Now().Add(min(100*time.Millisecond<<min(s.failures, 10), 10*time.Second))
	s.lastError = err.Error()
	slog.Error("a process did not start", "service", s.name, "err", err)
	if len(s.instances) == 0 {
		s.refuse(&unavailable{err.Error()})
	}
}

// refuse tells all who wait that there is nothing to wait for. The mutex is held.
func (s *service) refuse(err error) {
	for _, w := range s.waiting {
		w.err = err
		close(w.told)
	}
	s.waiting = nil
}

// remove takes the instance out of service. The mutex is held.
func (s *service) remove(i *instance) {
	if n := slices.Index(s.instances, i); n >= 0 {
		s.instances = slices.Delete(s.instances, n, n+1)
	}
}

// stop takes an instance out of service and has its process end. The mutex is held.
func (s *service) stop(i *instance) {
	s.remove(i)
	i.stopping = true
	go i.process.stop(s.grace())
}

// tend puts processes to sleep that had nothing to do for the idle time, and keeps the minimum up.
func (s *service) tend() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range slices.Clone(s.instances) {
		if i.ready && i.inFlight == 0 && len(s.instances) > s.minimum && time.Since(i.idleSince) >= s.idle {
			s.stop(i)
		}
	}
	for !s.closed && len(s.instances) < s.minimum && time.Now().After(s.notBefore) {
		s.launch()
	}
}

// close ends all processes, each after the requests that it has, and returns when they are gone.
func (s *service) close() {
	s.mu.Lock()
	s.closed = true
	close(s.closing)
	s.refuse(errStopping)
	for _, i := range slices.Clone(s.instances) {
		if i.ready {
			s.stop(i)
		}
	}
	s.mu.Unlock()
	s.lives.Wait()
}

// grace is what a process gets to end in: its request timeout, as in a cluster, within reason.
func (s *service) grace() time.Duration { return min(s.timeout, maxGrace) }

// kill ends one process without notice, as a crash would; it returns its id, or 0 when there is none.
func (s *service) kill() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range s.instances {
		if i.ready {
			i.process.kill()
			return i.pid()
		}
	}
	return 0
}
