package replay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// clockState is the answer of the server's clock.
type clockState struct {
	Mode      string     `json:"mode"`
	Now       time.Time  `json:"now"`
	NextTimer *time.Time `json:"nextTimer"`
}

func (t *target) clock(ctx context.Context) (clockState, error) {
	answer, err := t.do(ctx, http.MethodGet, pathClock, nil, nil)
	if err != nil {
		return clockState{}, fmt.Errorf("ask for the server's clock: %w", err)
	}
	var state clockState
	if err := json.Unmarshal(answer, &state); err != nil {
		return clockState{}, fmt.Errorf("read the server's clock: %w", err)
	}
	return state, nil
}

// checkClock finds out by which clock the server lives and refuses a speed that needs the other one. A server without a
// clock endpoint, such as Alertmanager, lives by the wall clock.
func (p *player) checkClock(ctx context.Context) error {
	state, err := p.target.clock(ctx)
	var refused *statusError
	switch {
	case errors.As(err, &refused) && refused.code == http.StatusNotFound:
	case err != nil:
		return err
	default:
		p.event = state.Mode == "event"
	}
	if !p.event && p.config.Speed != RealTime {
		return fmt.Errorf("--speed %s needs a server on the event clock, %s lives by the wall clock: start it with "+
			"`fairlead serve --clock event` on an empty data folder, or replay with --speed 1", p.config.Speed, p.config.To)
	}
	return nil
}

const (
	catchUpPoll  = 20 * time.Millisecond
	catchUpLimit = 30 * time.Second
)

// drain advances the event clock to the next moment for which something waits, until nothing waits any more.
func (p *player) drain(ctx context.Context) error {
	for ; ; p.summary.Rounds++ {
		state, err := p.caughtUp(ctx)
		if err != nil {
			return err
		}
		if state.NextTimer == nil {
			return nil
		}
		if p.summary.Rounds == p.config.MaxRounds {
			p.summary.Waiting = true
			p.report.note("something still waits for %s after %d rounds: left waiting", formatTime(*state.NextTimer), p.summary.Rounds)
			return nil
		}
		// Times in JSON have milliseconds: go on by one at least, or a timer between two of them never fires.
		next := state.NextTimer.UTC()
		if !next.After(p.sent) {
			next = p.sent.Add(time.Millisecond)
		}
		if err := p.target.post(ctx, kindAlerts, emptyAlerts, next); err != nil {
			return fmt.Errorf("advance the event clock to %s: %w", formatTime(next), err)
		}
		p.sent = next
		p.report.tick(p.summary)
	}
}

// caughtUp returns the server's clock once it has reached the time of the last request: before that, the next timer
// says nothing, because the server accepts faster than it works. It gives up when the clock stands still.
func (p *player) caughtUp(ctx context.Context) (clockState, error) {
	reached := p.sent.Truncate(time.Millisecond)
	var newest time.Time
	var stood time.Duration
	for {
		state, err := p.target.clock(ctx)
		if err != nil {
			return clockState{}, err
		}
		if !state.Now.Before(reached) {
			return state, nil
		}
		if state.Now.After(newest) {
			newest, stood = state.Now, 0
		}
		if stood >= catchUpLimit {
			return clockState{}, fmt.Errorf("the server's event clock stands at %s for %s, sent was %s",
				formatTime(state.Now), catchUpLimit, formatTime(p.sent))
		}
		if err := p.wall.Sleep(ctx, catchUpPoll); err != nil {
			return clockState{}, err
		}
		stood += catchUpPoll
		p.report.tick(p.summary)
	}
}
