package anomaly

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fairlead/fairlead/base/audit"
	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/base/store"
)

// DeskConfig says what a Desk needs.
type DeskConfig struct {
	// Budget is how many anomalies a team is told a week; 0 means DefaultBudget.
	Budget float64
	// Publish makes alerts durable at a time; it tries until it can, or its context ends.
	Publish func(ctx context.Context, at time.Time, alerts []signal.Alert) error
	// Adjust tells the partitions what was said of series.
	Adjust func(ids []signal.SeriesID, feedback string)
	// Keep is how long groups are kept; 0 means 90 days.
	Keep   time.Duration
	Logger *slog.Logger
}

// Desk owns the one Board: it tells people of what the partitions find, and keeps it. It is safe for concurrent use.
//
// Alerts are published before their groups are kept: after a crash in between, the stream brings the same findings again,
// and the same alert, which is known by its identity.
type Desk struct {
	db     *store.DB
	config DeskConfig

	mu     sync.Mutex
	board  *Board    // guarded by mu
	pruned time.Time // guarded by mu

	budgets atomic.Pointer[[]BudgetState] // as they were lately: whoever asks does not wait for the bus
}

// stateKey is where a Board is kept.
const stateKey = "anomaly.board"

// NewDesk returns a Desk that knows what the last one kept.
func NewDesk(ctx context.Context, db *store.DB, config DeskConfig) (*Desk, error) {
	if config.Keep == 0 {
		config.Keep = 90 * 24 * time.Hour
	}
	d := &Desk{db: db, config: config, board: NewBoard(config.Budget)}
	state, err := store.LoadState(ctx, db.Read(), stateKey)
	if errors.Is(err, store.ErrNotFound) {
		d.budgets.Store(&[]BudgetState{})
		return d, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load what is known of anomalies: %w", err)
	}
	if err := d.board.Restore(state); err != nil {
		return nil, err
	}
	d.note()
	return d, nil
}

// note keeps the budgets for those who ask. d.mu is held, or nobody else knows d yet.
func (d *Desk) note() {
	budgets := d.board.Budgets()
	d.budgets.Store(&budgets)
}

// Take takes findings that came at a time.
func (d *Desk) Take(ctx context.Context, at time.Time, findings []Finding) error {
	if len(findings) == 0 {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	changes := make([]Change, 0, len(findings))
	for i := range findings {
		changes = append(changes, d.board.Take(findings[i]))
	}
	d.note()
	return d.apply(ctx, at, changes)
}

// Advance lets time pass.
func (d *Desk) Advance(ctx context.Context, at time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	changes := d.board.Advance(at)
	d.note()
	if err := d.apply(ctx, at, changes); err != nil {
		return err
	}
	if at.Sub(d.pruned) < time.Hour {
		return nil
	}
	d.pruned = at
	return d.db.Write(ctx, func(ctx context.Context, tx store.Tx) error { return Prune(ctx, tx, at.Add(-d.config.Keep)) })
}

// apply tells and keeps what changed. d.mu is held.
func (d *Desk) apply(ctx context.Context, at time.Time, changes []Change) error {
	var groups []*Group
	reports := make(map[string]signal.Alert)
	var order []string
	for _, c := range changes {
		if c.Group == nil {
			continue
		}
		if !slices.Contains(groups, c.Group) {
			groups = append(groups, c.Group)
		}
		if c.Alert != nil {
			if _, known := reports[c.Alert.Identity]; !known {
				order = append(order, c.Alert.Identity)
			}
			reports[c.Alert.Identity] = *c.Alert // the newest says most
		}
	}
	if len(groups) == 0 {
		return nil
	}
	alerts := make([]signal.Alert, len(order))
	for i, identity := range order {
		alerts[i] = reports[identity]
	}
	if len(alerts) > 0 {
		if err := d.config.Publish(ctx, at, alerts); err != nil {
			return err
		}
	}
	state, err := d.board.State()
	if err != nil {
		return err
	}
	err = d.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if err := Save(ctx, tx, groups); err != nil {
			return err
		}
		return store.SaveState(ctx, tx, stateKey, state)
	})
	if err != nil && ctx.Err() == nil {
		// The alert is out; what is lost is history, and a restart finds the rest again.
		d.config.Logger.Error("anomalies cannot be kept", "error", err)
		return nil
	}
	return err
}

// Budgets returns the budgets of all teams, as they were at the last change or some seconds ago.
func (d *Desk) Budgets() []BudgetState { return *d.budgets.Load() }

// Judge keeps what somebody says of a group and lets its series be judged accordingly.
func (d *Desk) Judge(ctx context.Context, at time.Time, id, feedback, actor string) (Row, error) {
	row, err := Load(ctx, d.db.Read(), id)
	if err != nil {
		return Row{}, err
	}
	err = d.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if err := Feedback(ctx, tx, id, feedback, actor); err != nil {
			return err
		}
		_, err := audit.Append(ctx, tx, audit.Leaf{At: at, Actor: actor, Action: "anomaly.feedback", Object: id, Reason: feedback})
		return err
	})
	if err != nil {
		return Row{}, err
	}
	ids := make([]signal.SeriesID, len(row.Findings))
	for i := range row.Findings {
		ids[i] = row.Findings[i].ID
	}
	d.config.Adjust(ids, feedback)
	row.Feedback, row.Judge = feedback, actor
	return row, nil
}
