// Package sim is a system to practise on: a web shop of 16 services whose Prometheus sends alerts over the public
// protocol, as the one of a real team would.
//
// Load flows from the shoppers down the call graph, latency and errors flow back up. Rules like those of a real team
// watch the result, hold their condition for a while and send alerts, again every minute, until they are over. Warnings
// that stand for days, alerts that flap and blips that clear within seconds go on all the time. In between a release of
// one service goes wrong: which service and how depends on the seed, and so do the noise and the size of the shop, which
// is chosen such that between 250 and 350 distinct alerts follow. No label on the alerts tells which of them belong
// together; what really happened is told by Story and, for recordings, by Truth.
//
// The shop lives in its own time, which passes Config.Speed times faster than the wall clock: with the default speed the
// rules' minutes become six seconds, and the whole outage happens within the first minute. Times in the alerts are those
// of the wall clock.
//
// Everything is a function of the seed. The package imports nothing of Fairlead.
package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"sync/atomic"
	"time"
)

// Config says what kind of shop it is and where its alerts go.
type Config struct {
	// URL is the base URL of the server that gets the alerts, such as http://127.0.0.1:8460. Stream does not need it.
	URL string
	// Seed chooses everything: the broken service, the fault, the noise. Any number will do.
	Seed int64
	// Speed is how many seconds of the shop pass in one second of the wall clock; 0 means 10.
	Speed float64
	// Duration is how long the shop runs, by the wall clock. 0 means until the context ends for Run, and a minute for
	// Stream and Story.
	Duration time.Duration
	// Rollback is how long after the bad deploy it is taken back, by the wall clock. 0 means never; see also Shop.Rollback.
	Rollback time.Duration
	// Start is the moment at which a recording begins; zero means a fixed Monday morning. Run starts when it is called.
	Start time.Time
	// Token is sent as a bearer token; empty sends none.
	Token string
	// Tell is called for each event of the story as it happens, from the goroutine of Run; nil calls nobody.
	Tell func(Event)
	// Logger takes what goes wrong while sending; nil logs nothing.
	Logger *slog.Logger
	// Client sends the alerts; nil means one with a time limit of ten seconds.
	Client *http.Client
}

// Shop is a practice shop. Its methods may be called at the same time from different goroutines.
type Shop struct {
	config Config
	plan   plan
	back   atomic.Bool // Rollback was called
	sent   atomic.Int64
	posts  atomic.Int64
}

// New plans the shop of a seed. It takes some 20 ms: the outage is rehearsed until its size is right.
func New(config Config) *Shop {
	if config.Speed <= 0 {
		config.Speed = 10
	}
	if config.Start.IsZero() {
		config.Start = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if config.Client == nil {
		config.Client = &http.Client{Timeout: 10 * time.Second}
	}
	return &Shop{config: config, plan: newPlan(config.Seed)}
}

// Rollback takes the bad release back at the next step of a running shop. Before the bad deploy it has no effect.
func (s *Shop) Rollback() { s.back.Store(true) }

// Sent returns how many alerts, repeats included, and how many requests the server has accepted so far.
func (s *Shop) Sent() (alerts, requests int64) { return s.sent.Load(), s.posts.Load() }

// Run lets the shop live and sends its alerts until the context ends or Config.Duration has passed, which is no error. A
// server that cannot be reached or is busy is asked again later, as Prometheus does; what it refuses is logged.
func (s *Shop) Run(ctx context.Context) error {
	if s.config.URL == "" {
		return errors.New("run practice shop: no URL to send alerts to")
	}
	s.back.Store(false)
	start := time.Now().UTC()
	l := s.live(start)
	sender := newSender(s.config)
	for {
		moment := l.wall(l.world.now + tick)
		if s.config.Duration > 0 && moment.Sub(start) > s.config.Duration {
			return nil
		}
		if err := waitUntil(ctx, moment); err != nil {
			return nil // being told to stop is how a shop ends
		}
		if s.back.Load() && math.IsInf(l.world.rollback, 1) && l.world.now > l.world.fault.at {
			l.world.rollback = l.world.now + tick
		}
		for _, batch := range l.step() {
			body, err := batch.body()
			if err != nil {
				return fmt.Errorf("write alerts of the practice shop: %w", err)
			}
			if err := sender.post(ctx, body); err != nil {
				if ctx.Err() != nil {
					return nil
				}
				s.config.Logger.Warn("alerts of the practice shop were not accepted", "alerts", len(batch.alerts), "err", err)
				continue // not marked as sent: the next evaluation offers them again
			}
			batch.sent()
			s.sent.Add(int64(len(batch.alerts)))
			s.posts.Add(1)
		}
		if s.config.Tell != nil {
			for _, event := range l.news() {
				s.config.Tell(event)
			}
		}
	}
}

func waitUntil(ctx context.Context, moment time.Time) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	wait := time.Until(moment)
	if wait <= 0 {
		return nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Stream writes what the server would have been sent, one line {"at": ..., "alerts": [...]} a request, without waiting for
// anything, and returns what it meant. The same Config gives the same bytes on the same kind of processor.
func (s *Shop) Stream(w io.Writer) (*Truth, error) {
	l := s.live(s.config.Start)
	truth := newTruth(s.plan)
	for _, batches := range l.all(s.length()) {
		for _, batch := range batches {
			if err := batch.writeLine(w); err != nil {
				return nil, fmt.Errorf("write stream of the practice shop: %w", err)
			}
			truth.add(batch)
			batch.sent()
		}
	}
	return truth, nil
}

// Story returns what really happens in the first minute, or in Config.Duration when that is set, in order of time. What
// Rollback does is not part of it.
func (s *Shop) Story() []Event {
	l := s.live(s.config.Start)
	var story []Event
	for range l.all(s.length()) {
		story = append(story, l.news()...)
	}
	return story
}

func (s *Shop) length() time.Duration {
	if s.config.Duration > 0 {
		return s.config.Duration
	}
	return time.Minute
}
