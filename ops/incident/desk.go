package incident

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/base/store"
)

// ErrUnavailable says that a change could not be stored in time, for instance because the disk is full. It is kept in
// memory and stored as soon as that is possible.
var ErrUnavailable = errors.New("cannot be stored now")

// Desk owns an Engine: it restores it, applies batches and people's steps one after the other, and stores what changed
// before it answers. It is safe for concurrent use.
type Desk struct {
	db     *store.DB
	cfg    DeskConfig
	logger *slog.Logger

	turn chan struct{} // held by whoever works with the fields below

	engine    *Engine
	position  store.Position
	memoryDue time.Time

	mu    sync.RWMutex
	stats Stats // guarded by mu
}

// Stats are counters of an Engine, as of the last commit.
type Stats struct {
	// Now is the engine's time; Due when it has to do something next, zero when nothing waits.
	Now, Due time.Time
	// Since is when the engine was restored; zero before.
	Since time.Time
	// Position is the sequence up to which the stream was applied.
	Position uint64
	// Received counts reports since the start; Known and Firing alerts in memory.
	Received      uint64
	Known, Firing int
	// Alerts counts all alerts ever stored.
	Alerts uint64
	// Err says why storing fails at the moment; nil when it does not.
	Err error
}

// DeskConfig is what OpenDesk is built from.
type DeskConfig struct {
	Engine Config
	// Consumer names the position in the stream.
	Consumer string
	Topology Topology
	Silences Silences
	// Inhibitor makes an empty one with the rules in force; nil inhibits nothing.
	Inhibitor func() Inhibitor
	// Committed is told, after each commit, which incidents changed and which steps are new. It must not block.
	Committed func(numbers []uint64, steps []*Step)
}

// memoryEvery is how often the engine's memory is stored. What it learned since is lost in a crash, no alert is.
const memoryEvery = 30 * time.Second

// OpenDesk takes over the position in the stream and restores an Engine from db.
func OpenDesk(ctx context.Context, db *store.DB, cfg DeskConfig, logger *slog.Logger) (*Desk, error) {
	d, err := StartDesk(ctx, db, cfg, logger)
	if err != nil {
		return nil, err
	}
	return d, d.Restore(ctx)
}

// StartDesk takes over the position in the stream. Whoever wants the Desk waits until Restore has returned; call it once.
// So a server accepts alerts while many old ones are still being restored.
func StartDesk(ctx context.Context, db *store.DB, cfg DeskConfig, logger *slog.Logger) (*Desk, error) {
	if cfg.Committed == nil {
		cfg.Committed = func([]uint64, []*Step) {}
	}
	d := &Desk{db: db, cfg: cfg, logger: logger, turn: make(chan struct{}, 1)}
	err := db.Write(ctx, func(ctx context.Context, tx store.Tx) (err error) {
		d.position, err = store.TakeOver(ctx, tx, cfg.Consumer)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("take over %s: %w", cfg.Consumer, err)
	}
	d.turn <- struct{}{} // given by Restore
	d.stats.Position = d.position.Sequence
	return d, nil
}

// Restore makes the engine what the database says and lets others work with it.
func (d *Desk) Restore(ctx context.Context) error {
	defer d.give()
	return d.restore(ctx)
}

// Restored reports whether Restore has returned well.
func (d *Desk) Restored() bool { return !d.Stats().Since.IsZero() }

// restore makes the engine what the database says. The turn is held, or nobody else knows the Desk yet.
func (d *Desk) restore(ctx context.Context) error {
	var inhibitor Inhibitor
	if d.cfg.Inhibitor != nil {
		inhibitor = d.cfg.Inhibitor()
	}
	d.engine = NewEngine(d.cfg.Engine, d.cfg.Topology, d.cfg.Silences, inhibitor)
	forget := 2 * max(d.cfg.Engine.Grouping.Forget, d.cfg.Engine.Alert.Remember)
	memory, incidents, alerts, err := Load(ctx, d.db.Read(), func(now time.Time) time.Time { return now.Add(-forget) })
	if err != nil {
		return fmt.Errorf("restore incidents: %w", err)
	}
	if err := d.engine.Restore(memory, incidents, alerts); err != nil {
		return fmt.Errorf("restore incidents: %w", err)
	}
	d.mu.Lock()
	d.stats.Since = time.Now()
	d.mu.Unlock()
	d.measure()
	d.logger.Info("incidents restored", "incidents", len(incidents), "alerts", len(alerts), "position", d.position.Sequence)
	return nil
}

// SetInhibitor replaces the rules of inhibition; the firing alerts are looked at again at once.
func (d *Desk) SetInhibitor(ctx context.Context, now time.Time, inhibitor func() Inhibitor) error {
	return d.Do(ctx, now, nil, nil, func(e *Engine) error {
		d.cfg.Inhibitor = inhibitor
		e.SetInhibitor(inhibitor())
		return nil
	})
}

// Position returns the sequence up to which the stream was applied.
func (d *Desk) Position() uint64 { return d.Stats().Position }

// Stats returns the counters as of the last commit.
func (d *Desk) Stats() Stats {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.stats
}

// Apply takes batches that came from the stream, the last with the given sequence, and returns after their effects and the
// position were stored. While storing fails it tries again until ctx ends. An error that wraps ErrPoison says that the
// batches made the engine panic: nothing of them was applied; the engine was restored and goes on.
func (d *Desk) Apply(ctx context.Context, batches []signal.AlertBatch, sequence uint64, also func(ctx context.Context, tx store.Tx) error) error {
	if err := d.take(ctx); err != nil {
		return err
	}
	defer d.give()
	err := d.try(func() error {
		if len(batches) > 0 {
			// Before the first batch only: what is stored must not hold a part of what the position does not cover.
			if err := d.catchUp(ctx, batches[0].At); err != nil {
				return err
			}
		}
		for i := range batches {
			d.engine.Apply(batches[i].At, batches[i].Alerts)
		}
		return nil
	})
	if errors.Is(err, ErrPoison) {
		return errors.Join(err, d.restore(ctx))
	}
	if err != nil {
		return err
	}
	return d.commit(ctx, sequence, also)
}

// ErrPoison says that a batch made the engine panic.
var ErrPoison = errors.New("the incident engine panicked")

// try lets the engine work, and turns its panic into an error.
func (d *Desk) try(work func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			d.logger.Error("alerts made the incident engine panic; please report this", "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
			err = fmt.Errorf("%w: %v", ErrPoison, cause)
		}
	}()
	return work()
}

// advanceEvents bounds the alerts of one transaction when many end at once.
const advanceEvents = 4096

// catchUp does what waited for a time up to now, in several transactions when it is much. The turn is held.
func (d *Desk) catchUp(ctx context.Context, now time.Time) error {
	for d.engine.AdvanceSome(now, advanceEvents) {
		if err := d.commit(ctx, d.position.Sequence, nil); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return fmt.Errorf("let the time pass for the incidents: %w: %w", ErrUnavailable, context.Cause(ctx))
		}
	}
	return nil
}

// Advance does what waited for a time up to now. When it is much, others get their turn in between.
func (d *Desk) Advance(ctx context.Context, now time.Time) error {
	if due := d.Stats().Due; due.IsZero() || due.After(now) {
		return nil
	}
	for more := true; more; {
		if err := d.take(ctx); err != nil {
			return err
		}
		more = d.engine.AdvanceSome(now, advanceEvents)
		err := d.commit(ctx, d.position.Sequence, nil)
		d.give()
		if err != nil {
			return err
		}
	}
	return nil
}

// Do lets a person's hand work on the engine at a time, with the named incidents and alerts brought into memory first, and
// returns after the change was stored. The error of work is returned as it is; then nothing has changed.
func (d *Desk) Do(ctx context.Context, now time.Time, incidents []uint64, alerts []string, work func(e *Engine) error) error {
	if err := d.take(ctx); err != nil {
		return err
	}
	defer d.give()
	if err := d.adopt(ctx, incidents, alerts); err != nil {
		return err
	}
	if err := d.catchUp(ctx, now); err != nil {
		return err
	}
	failed := work(d.engine)
	if err := d.commit(ctx, d.position.Sequence, nil); err != nil {
		return err
	}
	return failed
}

// Undo takes a stored step back (see Engine.Undo). It returns the step and the one that records the undoing.
func (d *Desk) Undo(ctx context.Context, now time.Time, number uint64, actor string) (undone, record *Step, err error) {
	undone, err = FindStep(ctx, d.db.Read(), number)
	if err != nil {
		return nil, nil, err
	}
	incidents, alerts := undone.Needs()
	err = d.Do(ctx, now, incidents, alerts, func(e *Engine) error {
		// Read again within the turn: somebody else may have undone it meanwhile.
		if undone, err = FindStep(ctx, d.db.Read(), number); err != nil {
			return err
		}
		record, err = e.Undo(undone, actor)
		return err
	})
	return undone, record, err
}

// NextTimer returns the earliest time at which something that people see waits; zero when nothing does.
func (d *Desk) NextTimer(ctx context.Context) (time.Time, error) {
	if err := d.take(ctx); err != nil {
		return time.Time{}, err
	}
	defer d.give()
	return d.engine.NextTimer(), nil
}

// adopt brings what a person works on back into memory. The turn is held.
func (d *Desk) adopt(ctx context.Context, numbers []uint64, alerts []string) error {
	var missing []uint64
	for _, n := range numbers {
		if !d.engine.Has(n) {
			missing = append(missing, n)
		}
	}
	var gone []string
	for _, id := range alerts {
		if !d.engine.HasAlert(id) {
			gone = append(gone, id)
		}
	}
	if len(missing) == 0 && len(gone) == 0 {
		return nil
	}
	found, stored, err := LoadSome(ctx, d.db.Read(), missing, gone, false)
	if err != nil {
		return fmt.Errorf("bring back old incidents: %w", err)
	}
	d.engine.Adopt(found, stored)
	return nil
}

// commit stores what the engine changed. The turn is held.
func (d *Desk) commit(ctx context.Context, sequence uint64, also func(ctx context.Context, tx store.Tx) error) error {
	changes := d.engine.TakeChanges()
	withMemory := !d.engine.Now().Before(d.memoryDue)
	position := store.Position{Sequence: sequence, Epoch: d.position.Epoch}
	if changes.Empty() && also == nil && sequence == d.position.Sequence {
		d.measure()
		return nil
	}
	write := func(ctx context.Context, tx store.Tx) error {
		if err := Save(ctx, tx, changes); err != nil {
			return err
		}
		if also != nil {
			if err := also(ctx, tx); err != nil {
				return err
			}
		}
		if withMemory {
			if err := SaveMemory(ctx, tx, d.engine.Memory()); err != nil {
				return err
			}
		}
		return store.SavePosition(ctx, tx, d.cfg.Consumer, position)
	}
	if err := d.persist(ctx, write); err != nil {
		d.engine.putBack(changes)
		return err
	}
	changes.Alerts.Stored()
	d.position = position
	if withMemory {
		d.memoryDue = d.engine.Now().Add(memoryEvery)
	}
	d.measure()
	numbers := make([]uint64, len(changes.Incidents))
	for i, inc := range changes.Incidents {
		numbers[i] = inc.Root
	}
	d.cfg.Committed(numbers, changes.Steps)
	return nil
}

// persist writes until it succeeds or ctx ends: the engine in memory is ahead of the disk. What was not written is written
// with the next commit.
func (d *Desk) persist(ctx context.Context, write func(ctx context.Context, tx store.Tx) error) error {
	for pause := 50 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		err := d.db.Write(context.WithoutCancel(ctx), write)
		if err == nil {
			d.fail(nil)
			return nil
		}
		if errors.Is(err, store.ErrFenced) {
			return fmt.Errorf("store incidents: %w", err)
		}
		d.fail(err)
		d.logger.Warn("incidents cannot be stored, trying again", "error", err)
		select {
		case <-ctx.Done():
			return fmt.Errorf("store incidents: %w: %w", ErrUnavailable, err)
		case <-time.After(pause):
		}
	}
}

func (d *Desk) fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stats.Err = err
}

// measure takes the counters. The turn is held, or nobody else knows the Desk yet.
func (d *Desk) measure() {
	e := d.engine
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stats = Stats{
		Now: e.Now(), Due: e.nextTimer(), Position: d.position.Sequence, Received: e.received,
		Known: e.tracker.Len(), Firing: e.tracker.Firing(), Alerts: e.tracker.Next() - 1, Err: d.stats.Err, Since: d.stats.Since,
	}
}

// Close stores the engine's memory. Call it when nothing else uses the Desk any more.
func (d *Desk) Close(ctx context.Context) error {
	if err := d.take(ctx); err != nil {
		return err
	}
	defer d.give()
	return d.db.Write(ctx, func(ctx context.Context, tx store.Tx) error { return SaveMemory(ctx, tx, d.engine.Memory()) })
}

func (d *Desk) take(ctx context.Context) error {
	select {
	case d.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the incidents: %w: %w", ErrUnavailable, context.Cause(ctx))
	}
}

func (d *Desk) give() { <-d.turn }
