package message

import (
	"time"
	_ "time/tzdata" // a function's image has no zone files
)

// paris is where civil dates are read.
var paris = func() *time.Location {
	l, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		panic(err) // the zone is compiled in
	}
	return l
}()
