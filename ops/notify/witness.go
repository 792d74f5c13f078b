package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/fairlead/fairlead/base/store"
)

// Witnessed is a notification that the tool which people use today has sent, or an alert that it muted: what Fairlead is
// compared with while it only watches.
type Witnessed struct {
	// ID names it, so that what is told twice counts once.
	ID string `json:"id"`
	// At is when it was sent.
	At time.Time `json:"at"`
	// Integration is the one through which it was told of.
	Integration string `json:"integration"`
	// Receiver is who was told, Notifier how, Group the tool's own key of what it grouped.
	Receiver string `json:"receiver"`
	Notifier string `json:"notifier"`
	Group    string `json:"group"`
	// Reason is the tool's own, for instance repeat_interval_elapsed; "" if it does not say. Of a muted alert, what muted it.
	Reason string `json:"reason"`
	// Muted says that nobody was told: a silence or an inhibition muted the alerts.
	Muted bool `json:"muted,omitempty"`
	// Alerts are those that people were told of.
	Alerts []WitnessedAlert `json:"alerts"`
}

// WitnessedAlert is one alert of a Witnessed notification.
type WitnessedAlert struct {
	// Fingerprint is that of its labels, 16 hexadecimal digits.
	Fingerprint string `json:"fingerprint"`
	Name        string `json:"name"`
	Resolved    bool   `json:"resolved"`
}

// Firing reports whether it told of anything that fires.
func (w *Witnessed) Firing() bool {
	for i := range w.Alerts {
		if !w.Alerts[i].Resolved {
			return true
		}
	}
	return false
}

// keepWitnessed is how long what was witnessed is kept.
const keepWitnessed = 90 * 24 * time.Hour

// SaveWitnessed keeps notifications; those that are known already change nothing.
func SaveWitnessed(ctx context.Context, tx store.Tx, now time.Time, list []Witnessed) error {
	rows := make([][]any, len(list))
	for i := range list {
		body, err := json.Marshal(&list[i])
		if err != nil {
			return fmt.Errorf("encode notification: %w", err)
		}
		rows[i] = []any{list[i].ID, store.Millis(list[i].At), list[i].Integration, list[i].Receiver, string(body)}
	}
	err := store.Insert(ctx, tx, "witnessed", []string{"id", "at", "integration", "receiver", "body"}, "ON CONFLICT (id) DO NOTHING", rows)
	if err != nil {
		return fmt.Errorf("store what was witnessed: %w", err)
	}
	if _, err := tx.NewRaw("DELETE FROM witnessed WHERE at < ?", store.Millis(now.Add(-keepWitnessed))).Exec(ctx); err != nil {
		return fmt.Errorf("forget what was witnessed: %w", store.Classify(err))
	}
	return nil
}

// LoadWitnessed returns the notifications of a time, oldest first; integration "" takes those of all.
func LoadWitnessed(ctx context.Context, db store.Querier, integration string, from, to time.Time) ([]Witnessed, error) {
	var bodies []string
	err := db.NewRaw("SELECT body FROM witnessed WHERE at >= ? AND at < ? AND (? = '' OR integration = ?) ORDER BY at, id",
		store.Millis(from), store.Millis(to), integration, integration).Scan(ctx, &bodies)
	if err != nil {
		return nil, fmt.Errorf("read what was witnessed: %w", store.Classify(err))
	}
	list := make([]Witnessed, len(bodies))
	for i, body := range bodies {
		if err := json.Unmarshal([]byte(body), &list[i]); err != nil {
			return nil, fmt.Errorf("read what was witnessed: %w", err)
		}
	}
	return list, nil
}
