package sim

import "time"

// Event is one thing that really happened in the shop: what a person on call would love to know.
type Event struct {
	// After is how long after the start it happened, by the wall clock.
	After time.Duration
	// Kind is deploy, fault, rollback, transient, flap or warning. The bad deploy is a deploy like any other; the fault
	// that follows it tells them apart.
	Kind string
	// Service and Instance say where; empty when the event belongs to none.
	Service, Instance string
	// Text is one plain sentence or name.
	Text string

	at float64 // shop seconds
}
