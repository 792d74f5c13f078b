package alert

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/fairlead/fairlead/base/audit"
	"github.com/fairlead/fairlead/base/store"
)

// WindowRows keeps maintenance windows in a database, with one audit leaf per change. It is safe for concurrent use.
type WindowRows struct{ db *store.DB }

// NewWindowRows returns a store over db, whose schema holds the table maintenance.
func NewWindowRows(db *store.DB) *WindowRows { return &WindowRows{db: db} }

// windowTable is what the audit log attests of maintenance windows.
var windowTable = audit.Table{Name: "maintenance", What: "maintenance window", Actions: []string{"maintenance."}, Columns: []string{"id", "body"}}

// WindowCheck compares the stored maintenance windows with the audit log, in one run of audit.Verify.
func WindowCheck() audit.Check { return windowTable.Check() }

// SaveWindow implements WindowStore.
func (r *WindowRows) SaveWindow(ctx context.Context, change WindowChange) error {
	body, err := json.Marshal(change.Window)
	if err != nil {
		return fmt.Errorf("encode maintenance window: %w", err)
	}
	return r.write(ctx, change, `INSERT INTO maintenance (id, body) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body`, change.Window.ID, string(body))
}

// DeleteWindow implements WindowStore.
func (r *WindowRows) DeleteWindow(ctx context.Context, change WindowChange) error {
	return r.write(ctx, change, "DELETE FROM maintenance WHERE id = ?", change.Window.ID)
}

func (r *WindowRows) write(ctx context.Context, change WindowChange, statement string, args ...any) error {
	return r.db.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewRaw(statement, args...).Exec(ctx); err != nil {
			return fmt.Errorf("store maintenance window %s: %w", change.Window.ID, err)
		}
		row, err := windowTable.Row(ctx, tx, change.Window.ID)
		if err != nil {
			return err
		}
		_, err = audit.Append(ctx, tx, audit.Leaf{
			At: change.At, Actor: change.Actor, Action: change.Action, Object: change.Window.ID, Reason: change.Window.Comment, Row: row,
		})
		return err
	})
}

// LoadWindows implements WindowStore.
func (r *WindowRows) LoadWindows(ctx context.Context) ([]*Window, error) {
	var bodies []string
	if err := r.db.Read().NewRaw("SELECT body FROM maintenance ORDER BY id").Scan(ctx, &bodies); err != nil {
		return nil, fmt.Errorf("read maintenance windows: %w", store.Classify(err))
	}
	var list []*Window
	for _, body := range bodies {
		w := &Window{}
		if err := json.Unmarshal([]byte(body), w); err != nil {
			return nil, fmt.Errorf("read maintenance window: %w", err)
		}
		list = append(list, w)
	}
	return list, nil
}
