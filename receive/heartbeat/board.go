package heartbeat

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fairlead/fairlead/base/clock"
	"github.com/fairlead/fairlead/base/signal"
)

// Errors that callers act on.
var (
	// ErrNotFound says that there is no heartbeat of this name.
	ErrNotFound = errors.New("no such heartbeat")
	// ErrFull says that there are as many heartbeats as there may be.
	ErrFull = errors.New("too many heartbeats")
)

const (
	// Most is how many heartbeats there may be.
	Most = 10_000
	// tickEvery is how often Run looks for silence; aliveEvery how often it stores that the server runs.
	tickEvery  = 500 * time.Millisecond
	aliveEvery = 10 * time.Second
	// forgetAfter is how long a Watchdog may be missing before it counts as gone for good.
	forgetAfter = 7 * 24 * time.Hour
	// maxLearned bounds the interval that is learned of a Watchdog.
	maxLearned = 48 * time.Hour
)

// Rows keeps heartbeats.
type Rows interface {
	// Load returns all, and when the server was known to run last; zero for never.
	Load(ctx context.Context) (beats []Beat, alive time.Time, err error)
	// Save stores one under its integration and name; Delete removes it.
	Save(ctx context.Context, b Beat) error
	Delete(ctx context.Context, b Beat) error
	// Alive stores that the server runs.
	Alive(ctx context.Context, at time.Time) error
}

// Config says what a Board needs.
type Config struct {
	Rows Rows
	// Publish returns after the alerts are durable. Without alerts it moves the event clock.
	Publish func(ctx context.Context, at time.Time, alerts []signal.Alert) error
	Clock   clock.Clock
	// Door says whether an integration exists and whether it is only observed; nil knows all and observes none.
	Door   func(integration string) (known, observed bool)
	Logger *slog.Logger
}

// Board knows who is expected to be heard. It is safe for concurrent use.
type Board struct {
	config Config

	work sync.Mutex // held by whoever publishes and stores what has changed

	mu    sync.Mutex
	beats map[string]*Beat // by key; guarded by mu
	dirty map[string]bool  // heard by Watch and not stored yet; guarded by mu
}

// NewBoard loads what rows hold, and adds the time in which the server was stopped to what each sender had left.
func NewBoard(ctx context.Context, config Config) (*Board, error) {
	b := &Board{config: config, beats: map[string]*Beat{}, dirty: map[string]bool{}}
	beats, alive, err := config.Rows.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("load heartbeats: %w", err)
	}
	var stopped time.Duration
	if now := config.Clock.Now(); !alive.IsZero() && now.After(alive) {
		stopped = now.Sub(alive)
	}
	for _, beat := range beats {
		if !beat.DueAt.IsZero() && !beat.Missing {
			beat.DueAt = beat.DueAt.Add(stopped)
		}
		b.beats[beat.key()] = &beat
	}
	return b, nil
}

// Find returns a heartbeat.
func (b *Board) Find(integration, name string) (Beat, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	beat := b.beats[(&Beat{Integration: integration, Name: name}).key()]
	if beat == nil {
		return Beat{}, fmt.Errorf("heartbeat %s of %s: %w", name, integration, ErrNotFound)
	}
	return *beat, nil
}

// List returns the heartbeats of an integration, or all for "", by integration and name.
func (b *Board) List(integration string) []Beat {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []Beat
	for _, key := range slices.Sorted(maps.Keys(b.beats)) {
		if beat := b.beats[key]; integration == "" || beat.Integration == integration {
			list = append(list, *beat)
		}
	}
	return list
}

// Ping notes that a sender was heard at a time. interval 0 leaves what is known, else takes fallback; an unknown sender is
// expected from now on. It returns when that is durable, and the end of its alert too if one fired.
func (b *Board) Ping(ctx context.Context, at time.Time, integration, name string, interval, fallback time.Duration) (Beat, error) {
	return b.change(ctx, at, integration, name, true, func(beat *Beat) {
		beat.Interval = cmp.Or(interval, beat.Interval, fallback, DefaultInterval)
		if at.After(beat.LastAt) {
			beat.LastAt = at
		}
		if due := beat.LastAt.Add(beat.Interval); due.After(beat.DueAt) || !beat.Missing {
			beat.DueAt = due
		}
	})
}

// Define makes a heartbeat, or changes it: edit gets a copy of it. A heartbeat that was never heard is expected from now on.
func (b *Board) Define(ctx context.Context, at time.Time, integration, name string, edit func(beat *Beat)) (Beat, error) {
	return b.change(ctx, at, integration, name, true, func(beat *Beat) {
		interval, disabled := beat.Interval, beat.Disabled
		edit(beat)
		beat.Interval = cmp.Or(beat.Interval, DefaultInterval)
		if beat.DueAt.IsZero() || beat.Interval != interval || disabled && !beat.Disabled {
			beat.DueAt = at.Add(beat.Interval)
		}
	})
}

// Enable says whether the silence of a known heartbeat means something; ErrNotFound for an unknown one.
func (b *Board) Enable(ctx context.Context, at time.Time, integration, name string, enabled bool) (Beat, error) {
	return b.change(ctx, at, integration, name, false, func(beat *Beat) {
		if beat.Disabled && enabled {
			beat.DueAt = at.Add(beat.Interval)
		}
		beat.Disabled = !enabled
	})
}

// Delete forgets a heartbeat and ends its alert; ErrNotFound for an unknown one.
func (b *Board) Delete(ctx context.Context, at time.Time, integration, name string) error {
	beat, err := b.Find(integration, name)
	if err != nil {
		return err
	}
	b.work.Lock()
	defer b.work.Unlock()
	return b.drop(ctx, at, beat)
}

// change edits a heartbeat, stores it and publishes what follows.
func (b *Board) change(ctx context.Context, at time.Time, integration, name string, create bool, edit func(beat *Beat)) (Beat, error) {
	b.work.Lock()
	defer b.work.Unlock()
	key := (&Beat{Integration: integration, Name: name}).key()
	b.mu.Lock()
	old := b.beats[key]
	full := len(b.beats) >= Most
	beat := Beat{Integration: integration, Name: name}
	if old != nil {
		beat = *old
	}
	b.mu.Unlock()
	switch {
	case old == nil && !create:
		return Beat{}, fmt.Errorf("heartbeat %s of %s: %w", name, integration, ErrNotFound)
	case old == nil && full:
		return Beat{}, fmt.Errorf("there are %d heartbeats already: delete some: %w", Most, ErrFull)
	}
	edit(&beat)
	if err := b.put(ctx, at, beat); err != nil {
		return Beat{}, err
	}
	if old == nil {
		if err := b.config.Rows.Alive(ctx, at); err != nil { // it may be the first, and nobody has said so for long
			return Beat{}, fmt.Errorf("store that the server runs: %w", err)
		}
	}
	if err := b.advance(ctx, at); err != nil {
		return Beat{}, err
	}
	if err := b.config.Publish(ctx, at, nil); err != nil { // on the event clock a ping moves the time
		return Beat{}, err
	}
	if now, err := b.Find(integration, name); err == nil {
		beat = now
	}
	return beat, nil
}

// put stores a heartbeat as of a time and takes it onto the board.
func (b *Board) put(ctx context.Context, at time.Time, beat Beat) error {
	b.mu.Lock()
	if old := b.beats[beat.key()]; old == nil || old.State() != beat.State() {
		beat.Since = at
	}
	b.mu.Unlock()
	if err := b.config.Rows.Save(ctx, beat); err != nil {
		return fmt.Errorf("store heartbeat %s: %w", beat.Name, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.beats[beat.key()] = &beat
	delete(b.dirty, beat.key())
	return nil
}

// drop forgets a heartbeat.
func (b *Board) drop(ctx context.Context, at time.Time, beat Beat) error {
	if beat.Missing {
		if err := b.config.Publish(ctx, at, []signal.Alert{beat.back(at)}); err != nil {
			return err
		}
	}
	if err := b.config.Rows.Delete(ctx, beat); err != nil {
		return fmt.Errorf("delete heartbeat %s: %w", beat.Name, err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.beats, beat.key())
	delete(b.dirty, beat.key())
	return nil
}

// Advance publishes alerts for those who have been silent for too long at now, and ends for those who are back. What could
// not be published or stored is tried again with the next call.
func (b *Board) Advance(ctx context.Context, now time.Time) error {
	b.work.Lock()
	defer b.work.Unlock()
	return b.advance(ctx, now)
}

func (b *Board) advance(ctx context.Context, now time.Time) error {
	var alerts []signal.Alert
	var changed, gone []Beat
	for _, beat := range b.due(now) {
		known, observed := true, false
		if b.config.Door != nil && beat.Labels == nil {
			known, observed = b.config.Door(beat.Integration)
		}
		switch {
		case !known, beat.Labels != nil && beat.Missing && now.Sub(beat.DueAt) >= forgetAfter:
			gone = append(gone, beat)
			continue
		case beat.Missing && !beat.Expired(now):
			at := beat.LastAt
			if beat.Disabled || at.Before(beat.DueAt.Add(-beat.Interval)) {
				at = now
			}
			alerts = append(alerts, beat.back(at))
			beat.Missing = false
		case !beat.Missing:
			beat.Missing, beat.Source = true, Source
			if observed {
				beat.Source = beat.Integration // nobody is told of what an observed integration brings
			}
			alerts = append(alerts, beat.missing())
		default:
			continue
		}
		changed = append(changed, beat)
	}
	if len(alerts) > 0 {
		if err := b.config.Publish(ctx, now, alerts); err != nil {
			return fmt.Errorf("publish heartbeats: %w", err)
		}
	}
	for _, beat := range changed {
		if err := b.put(ctx, now, beat); err != nil {
			return err
		}
	}
	for _, beat := range gone {
		if err := b.drop(ctx, now, beat); err != nil {
			return err
		}
	}
	return nil
}

// due returns the heartbeats whose alert may have to begin or to end, by key.
func (b *Board) due(now time.Time) []Beat {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []Beat
	for _, beat := range b.beats {
		if beat.Missing || beat.Expired(now) {
			list = append(list, *beat)
		}
	}
	slices.SortFunc(list, func(a, b Beat) int { return strings.Compare(a.key(), b.key()) })
	return list
}

// Watch takes Watchdog alerts among those that were received at a time as heartbeats of their source. The second one tells
// how often it comes: from then on it may be silent for twice as long, and at least for DefaultInterval. It is cheap for other
// alerts, and stores nothing itself: Run does.
func (b *Board) Watch(at time.Time, alerts []signal.Alert) {
	for i := range alerts {
		a := &alerts[i]
		if a.Act != signal.Report || a.Source == Source || a.Labels.Get("alertname") != WatchdogName || !a.EndsAt.IsZero() && !a.EndsAt.After(at) {
			continue
		}
		b.heard(at, a)
	}
}

func (b *Board) heard(at time.Time, a *signal.Alert) {
	beat := &Beat{Integration: a.Source, Name: WatchdogName + " " + a.Fingerprint().String()}
	b.mu.Lock()
	defer b.mu.Unlock()
	key := beat.key()
	switch old := b.beats[key]; {
	case old != nil:
		next := *old
		beat = &next
	case len(b.beats) >= Most:
		return
	default:
		beat.Labels = a.Labels.Map()
	}
	gap := at.Sub(beat.LastAt)
	switch {
	case beat.LastAt.IsZero():
	case gap <= 0:
		return
	case beat.DueAt.IsZero(), !beat.Missing && !beat.Expired(at):
		beat.Interval = max(beat.Interval, DefaultInterval, min(2*gap, maxLearned))
	}
	state := beat.State()
	beat.LastAt = at
	if beat.Interval > 0 {
		beat.DueAt = at.Add(beat.Interval)
	}
	if beat.Since.IsZero() || beat.State() != state {
		beat.Since = at
	}
	b.beats[key] = beat
	b.dirty[key] = true
}

// Run looks for silence on the wall clock until ctx ends, and stores what Watch has heard. On the event clock time passes by
// Advance alone.
func (b *Board) Run(ctx context.Context) error {
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	var alive time.Time
	for {
		select {
		case <-ctx.Done():
			b.store(context.WithoutCancel(ctx), true)
			return nil
		case now := <-ticker.C:
			if _, wall := b.config.Clock.(clock.Wall); wall {
				if err := b.Advance(ctx, b.config.Clock.Now()); err != nil && ctx.Err() == nil {
					b.config.Logger.Warn("heartbeats cannot be looked after", "error", err)
				}
			}
			late := now.Sub(alive) >= aliveEvery
			b.store(ctx, late)
			if late {
				alive = now
			}
		}
	}
}

// store stores what Watch has heard, and with alive that the server runs.
func (b *Board) store(ctx context.Context, alive bool) {
	b.work.Lock()
	defer b.work.Unlock()
	b.mu.Lock()
	var list []Beat
	for key := range b.dirty {
		list = append(list, *b.beats[key])
	}
	clear(b.dirty)
	any := len(b.beats) > 0
	b.mu.Unlock()
	for i, beat := range list {
		if err := b.config.Rows.Save(ctx, beat); err != nil {
			b.again(list[i:], err)
			return
		}
	}
	if alive && any {
		if err := b.config.Rows.Alive(ctx, b.config.Clock.Now()); err != nil {
			b.config.Logger.Warn("that the server runs cannot be stored", "error", err)
		}
	}
}

func (b *Board) again(list []Beat, err error) {
	b.config.Logger.Warn("heartbeats cannot be stored", "error", err)
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range list {
		if b.beats[list[i].key()] != nil {
			b.dirty[list[i].key()] = true
		}
	}
}
