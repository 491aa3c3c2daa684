package main

import (
	"net"
	"testing"
	"time"

	"aquaerp.fr/eventing/eventingtest"
	"aquaerp.fr/eventing/topology"
)

func TestMain(m *testing.M) { eventingtest.Main(m) }

// TestWaitsForNodes: nothing is declared before every node listens, and then
// everything is.
func TestWaitsForNodes(t *testing.T) {
	ch := eventingtest.Channel(t)
	missing := topology.Queue("auth")
	if _, err := ch.QueueDelete(missing, false, false, false); err != nil {
		t.Fatal(err)
	}
	reserved, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	node := reserved.Addr().String()
	if err := reserved.Close(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- run(t.Context(), eventingtest.AMQP(), []string{node}) }()

	late, err := net.Listen("tcp", node)
	if err != nil {
		t.Fatal(err)
	}
	defer late.Close()
	if err := late.(*net.TCPListener).SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := late.Accept(); err != nil {
		t.Fatal("it did not ask the node: ", err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if _, err := ch.QueueDeclarePassive(missing, true, false, false, false, nil); err != nil {
		t.Error(err)
	}
}
