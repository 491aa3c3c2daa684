package stack

import (
	"fmt"
	"net"
)

// Ports are those of 127.0.0.1 that a stack listens to.
type Ports struct {
	Web, API, Inbox, Payment, Admin, Postgres, RabbitMQ int

	smtp int // always a free one: only the mailer speaks to it
}

// fill gives free ports to those that are 0, and checks that the others are.
func (p *Ports) fill() error {
	var held []net.Listener // until all are found, so that none is found twice
	defer func() {
		for _, l := range held {
			l.Close()
		}
	}()
	for _, port := range []struct {
		name  string
		value *int
	}{
		{"web", &p.Web}, {"api", &p.API}, {"inbox", &p.Inbox}, {"payment", &p.Payment}, {"admin", &p.Admin},
		{"postgres", &p.Postgres}, {"rabbitmq", &p.RabbitMQ}, {"smtp", &p.smtp},
	} {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port.value))
		if err != nil {
			return &TakenError{port.name, *port.value}
		}
		held = append(held, l)
		*port.value = l.Addr().(*net.TCPAddr).Port
	}
	return nil
}

// TakenError says that somebody else listens to a port.
type TakenError struct {
	Name string
	Port int
}

func (e *TakenError) Error() string {
	return fmt.Sprintf("port %d (%s) is taken by another program", e.Port, e.Name)
}
