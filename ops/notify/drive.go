package notify

import (
	"context"
	"time"
)

// notSent is the reason of what is recorded and not sent while a recording is replayed.
const notSent = "Not sent: event clock. Set notify.send_on_event_clock to send while a recording is replayed."

// Timeline is what lives on an event clock beside a Teller; app makes one of the incidents' Desk.
type Timeline interface {
	// Due returns when it has to do something next; zero when nothing waits.
	Due() time.Time
	// Advance does what waits for a time up to at.
	Advance(ctx context.Context, at time.Time) error
}

// Drive lets the event clock come to a time. What is due before it is done and decided at its own time, with what was known
// then, however far the clock jumps: so each run of a recording tells the same. Then apply does what came at that time. The
// error is that of incidents or of apply; what cannot be decided is logged, and tried again.
func (t *Teller) Drive(ctx context.Context, at time.Time, incidents Timeline, apply func() error) error {
	t.turn.Lock()
	defer t.turn.Unlock()
	if t.running == nil && t.Plan() == nil {
		t.at = later(t.at, at)
		return apply()
	}
	if err := t.name(ctx); err != nil {
		return err
	}
	for ctx.Err() == nil {
		next := sooner(incidents.Due(), t.nextOf(func(g *group) time.Time { return g.next }))
		if next.IsZero() || !next.Before(at) {
			break
		}
		next = later(next, t.at)
		if err := incidents.Advance(ctx, next); err != nil {
			return err
		}
		t.settle(ctx, next)
	}
	if err := apply(); err != nil {
		return err
	}
	t.settle(ctx, later(t.at, at))
	return nil
}

// settle decides at a time until nothing more is due then. The turn is held.
func (t *Teller) settle(ctx context.Context, at time.Time) {
	for ctx.Err() == nil {
		if err := t.step(ctx, at); err != nil {
			if ctx.Err() == nil {
				t.deps.Logger.Warn("what is to be told cannot be decided, trying again", "error", err)
			}
			return
		}
		if next := t.nextOf(func(g *group) time.Time { return g.next }); next.IsZero() || next.After(at) {
			return
		}
	}
}

// NextTimer returns when somebody is to be told next, if nothing else comes; zero when nobody is. Repeats and the ends of
// time intervals do not count: they would never end. For an event clock.
func (t *Teller) NextTimer() time.Time {
	t.turn.Lock()
	defer t.turn.Unlock()
	return t.nextOf(func(g *group) time.Time { return g.sure })
}

// nextOf returns the earliest of the groups' times, or of those at which a large incident may be read again. The turn is
// held.
func (t *Teller) nextOf(timer func(g *group) time.Time) time.Time {
	var next time.Time
	if t.running == nil {
		return next
	}
	for _, g := range t.groups {
		next = sooner(next, timer(g))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for n := range t.dirty {
		next = sooner(next, later(t.easeUntil[n], t.at))
	}
	return next
}
