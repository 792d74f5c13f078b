// Package clock tells the time: the wall's, or the event time of a recording that is being replayed.
//
// All time logic takes a Clock instead of calling time.Now, so that a recorded outage runs through the real server at any
// speed. Both clocks never go backwards and are safe for concurrent use.
package clock

import (
	"sync"
	"time"
)

// Clock tells the current time in UTC.
type Clock interface {
	Now() time.Time
}

// Wall is the clock on the wall. The zero value is ready for use.
type Wall struct{}

// Now returns the wall time in UTC, rounded down to the millisecond, the precision that is stored.
func (Wall) Now() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }

// Event is a clock that stands still until somebody advances it. The zero value stands at the zero time.
type Event struct {
	mu  sync.Mutex
	now time.Time // guarded by mu
}

// Now returns the newest time that Advance was given; the zero time before the first.
func (e *Event) Now() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.now
}

// Advance moves the clock to t and returns the clock's time, which is later than t when the clock was already past it.
func (e *Event) Advance(t time.Time) time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	if t.After(e.now) {
		e.now = t.UTC()
	}
	return e.now
}
