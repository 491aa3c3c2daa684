package main

import (
	"net"
	"sync"
	"testing"
)

// Processes that start at once must not be given one port.
func TestPortsAreGivenOnce(t *testing.T) {
	t.Parallel()
	taken, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", ":"+taken)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	var mu sync.Mutex
	var all sync.WaitGroup
	given := map[string]int{taken: 1}
	for range perRange / 4 {
		all.Go(func() {
			port, err := freePort()
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			given[port]++
		})
	}
	all.Wait()
	for port, times := range given {
		if times > 1 {
			t.Errorf("port %s given %d times", port, times)
		}
	}
}
