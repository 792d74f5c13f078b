package integration

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/fairlead/fairlead/base/audit"
	"github.com/fairlead/fairlead/base/store"
)

// SQL keeps integrations in a database whose schema holds the tables integrations and captures.
type SQL struct{ db *store.DB }

// NewSQL returns Rows over db.
func NewSQL(db *store.DB) *SQL { return &SQL{db: db} }

// Load implements Rows.
func (s *SQL) Load(ctx context.Context) ([]*Integration, map[string][]Capture, error) {
	var bodies []string
	if err := s.db.Read().NewRaw("SELECT body FROM integrations ORDER BY name").Scan(ctx, &bodies); err != nil {
		return nil, nil, fmt.Errorf("read integrations: %w", store.Classify(err))
	}
	var list []*Integration
	for _, body := range bodies {
		i := &Integration{}
		if err := json.Unmarshal([]byte(body), i); err != nil {
			return nil, nil, fmt.Errorf("read integration: %w", err)
		}
		list = append(list, i)
	}
	var rows []struct{ Integration, Body string }
	if err := s.db.Read().NewRaw("SELECT integration, body FROM captures ORDER BY integration, n").Scan(ctx, &rows); err != nil {
		return nil, nil, fmt.Errorf("read captures: %w", store.Classify(err))
	}
	captures := map[string][]Capture{}
	for _, row := range rows {
		var c Capture
		if err := json.Unmarshal([]byte(row.Body), &c); err != nil {
			return nil, nil, fmt.Errorf("read capture of %s: %w", row.Integration, err)
		}
		captures[row.Integration] = append(captures[row.Integration], c)
	}
	return list, captures, nil
}

// Save implements Rows.
func (s *SQL) Save(ctx context.Context, change Change) error {
	i := change.Integration
	body, err := json.Marshal(i)
	if err != nil {
		return fmt.Errorf("encode integration %s: %w", i.Name, err)
	}
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := tx.NewRaw(`INSERT INTO integrations (name, kind, version, body) VALUES (?, ?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET version = excluded.version, body = excluded.body`, i.Name, i.Kind, i.Version, string(body)).Exec(ctx)
		if err != nil {
			return fmt.Errorf("store integration %s: %w", i.Name, err)
		}
		return attest(ctx, tx, change)
	})
}

// Delete implements Rows.
func (s *SQL) Delete(ctx context.Context, change Change) error {
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		for _, statement := range []string{"DELETE FROM integrations WHERE name = ?", "DELETE FROM captures WHERE integration = ?"} {
			if _, err := tx.NewRaw(statement, change.Integration.Name).Exec(ctx); err != nil {
				return fmt.Errorf("delete integration %s: %w", change.Integration.Name, err)
			}
		}
		if change.Also != nil {
			if err := change.Also(ctx, tx); err != nil {
				return err
			}
		}
		return attest(ctx, tx, change)
	})
}

// table is what the audit log attests of integrations.
var table = audit.Table{Name: "integrations", What: "integration", Actions: []string{"integration."}, Columns: []string{"name", "kind", "version", "body"}}

// Check compares the stored integrations with the audit log, in one run of audit.Verify.
func Check() audit.Check { return table.Check() }

func attest(ctx context.Context, tx store.Tx, change Change) error {
	row, err := table.Row(ctx, tx, change.Integration.Name)
	if err != nil {
		return err
	}
	_, err = audit.Append(ctx, tx, audit.Leaf{
		At: change.At, Actor: change.Actor, Action: change.Action, Object: change.Integration.Name, Reason: change.Reason, Row: row,
	})
	return err
}

// SaveCaptures implements Rows.
func (s *SQL) SaveCaptures(ctx context.Context, captures map[string][]Capture) error {
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		for name, list := range captures {
			if _, err := tx.NewRaw("DELETE FROM captures WHERE integration = ?", name).Exec(ctx); err != nil {
				return fmt.Errorf("store captures of %s: %w", name, err)
			}
			rows := make([][]any, len(list))
			for n := range list {
				body, err := json.Marshal(&list[n])
				if err != nil {
					return fmt.Errorf("encode capture of %s: %w", name, err)
				}
				rows[n] = []any{name, n, string(body)}
			}
			if err := store.Insert(ctx, tx, "captures", []string{"integration", "n", "body"}, "", rows); err != nil {
				return fmt.Errorf("store captures of %s: %w", name, err)
			}
		}
		return nil
	})
}
