package main

import (
	"errors"
	"net"
	"os"
	"strconv"
	"sync/atomic"
)

// Ports of processes lie below those that systems hand out for outgoing connections and to whoever asks for any port.
// Each runtime tries its own few in turn.
const (
	firstPort = 15_000
	ranges    = 64
	perRange  = 256
)

var triedPorts atomic.Uint32

// freePort is a port that nobody listens to now, and that will not soon be given again. Were it given twice, to two
// processes that start at the same time here or under another runtime, then the one that lost it would pass for ready
// because the other answers, and messages would be taken by the wrong function.
func freePort() (string, error) {
	for range perRange {
		port := strconv.Itoa(firstPort + os.Getpid()%ranges*perRange + int(triedPorts.Add(1)%perRange))
		listener, err := net.Listen("tcp", ":"+port)
		if err != nil {
			continue
		}
		return port, listener.Close()
	}
	return "", errors.New("all ports for processes are taken")
}
