package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/receive/heartbeat"
	"github.com/fairlead/fairlead/web/api"
)

// Where heartbeats are stored: one row each, and the time at which the server was known to run.
const (
	heartbeatKey = "heartbeat:"
	aliveKey     = "app.alive"
)

// openHeartbeats makes the board of those who are expected to be heard.
func (a *App) openHeartbeats(ctx context.Context) (err error) {
	a.heartbeats, err = heartbeat.NewBoard(ctx, heartbeat.Config{
		Rows: heartbeatRows{a.db}, Clock: a.clock, Publish: a.ingest.send,
		Door: func(integration string) (known, observed bool) {
			door, _, _, err := a.integrations.Find(integration)
			return err == nil, err == nil && door.Observe
		},
		Logger: a.part("heartbeat"),
	})
	a.ingest.heartbeats = a.heartbeats
	return err
}

// beats shows the board to the API.
type beats struct{ board *heartbeat.Board }

// List implements api.Heartbeats.
func (b beats) List() []api.Heartbeat {
	known := b.board.List("")
	list := make([]api.Heartbeat, len(known))
	for i := range known {
		beat := &known[i]
		list[i] = api.Heartbeat{
			Name: beat.Name, Integration: beat.Integration, State: string(beat.State()), Since: given(beat.Since), LastSeenAt: given(beat.LastAt),
			DueAt: given(beat.DueAt), Severity: cmp.Or(beat.Severity, "critical"), Watchdog: beat.Labels != nil,
		}
		if beat.Interval > 0 {
			list[i].Interval = beat.Interval.String()
		}
	}
	return list
}

// given returns nil for the zero time.
func given(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}

// Pause implements api.Heartbeats.
func (b beats) Pause(ctx context.Context, at time.Time, integration, name string, paused bool) error {
	_, err := b.board.Enable(ctx, at, integration, name, !paused)
	return notFound(err)
}

// Delete implements api.Heartbeats.
func (b beats) Delete(ctx context.Context, at time.Time, integration, name string) error {
	return notFound(b.board.Delete(ctx, at, integration, name))
}

func notFound(err error) error {
	if errors.Is(err, heartbeat.ErrNotFound) {
		return fmt.Errorf("%w: %w", err, store.ErrNotFound)
	}
	return err
}

// heartbeatRows keeps heartbeats among the small values.
type heartbeatRows struct{ db *store.DB }

// Load implements heartbeat.Rows.
func (r heartbeatRows) Load(ctx context.Context) (beats []heartbeat.Beat, alive time.Time, err error) {
	values, err := store.ListState(ctx, r.db.Read(), heartbeatKey)
	if err != nil {
		return nil, time.Time{}, err
	}
	for key, value := range values {
		var beat heartbeat.Beat
		if err := json.Unmarshal(value, &beat); err != nil {
			return nil, time.Time{}, fmt.Errorf("read %s: %w", key, err)
		}
		beats = append(beats, beat)
	}
	values, err = store.ListState(ctx, r.db.Read(), aliveKey)
	if err != nil {
		return nil, time.Time{}, err
	}
	if text, kept := values[aliveKey]; kept {
		if alive, err = time.Parse(time.RFC3339Nano, string(text)); err != nil {
			return nil, time.Time{}, fmt.Errorf("read %s: %w", aliveKey, err)
		}
	}
	return beats, alive, nil
}

// Save implements heartbeat.Rows.
func (r heartbeatRows) Save(ctx context.Context, b heartbeat.Beat) error {
	value, err := json.Marshal(b)
	if err != nil {
		return fmt.Errorf("encode heartbeat %s: %w", b.Name, err)
	}
	return r.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		return store.SaveState(ctx, tx, rowOf(b), value)
	})
}

// Delete implements heartbeat.Rows.
func (r heartbeatRows) Delete(ctx context.Context, b heartbeat.Beat) error {
	return r.db.Write(ctx, func(ctx context.Context, tx store.Tx) error { return store.DeleteState(ctx, tx, rowOf(b)) })
}

// Alive implements heartbeat.Rows.
func (r heartbeatRows) Alive(ctx context.Context, at time.Time) error {
	return r.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		return store.SaveState(ctx, tx, aliveKey, []byte(at.Format(time.RFC3339Nano)))
	})
}

func rowOf(b heartbeat.Beat) string {
	return heartbeatKey + strings.ReplaceAll(b.Integration, "/", "%2F") + "/" + b.Name
}
