package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/fairlead/fairlead/base/audit"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ops/alert"
	"github.com/fairlead/fairlead/web/api"
)

// maskedText is a column in which a person may be named, beside what packages that keep rows in memory clear themselves.
type maskedText struct {
	table, key, column string
	bytes              bool // the column holds bytes, in which SQL does not look for a text
}

// maskedTexts are payloads and messages as they were sent.
var maskedTexts = []maskedText{
	{"deliveries", "number", "body", false},
	{"deliveries", "number", "reason", false},
	{"dead_letters", "number", "reason", false},
	{"dead_letters", "number", "payload", true},
}

// maskSlice bounds how many rows one transaction changes.
const maskSlice = 200

// erase forgets a person: the name, in whatever is stored, becomes a pseudonym that nobody can resolve. It may be repeated
// after a failure: what the audit log knows of the person goes last.
func (a *App) erase(ctx context.Context, name, actor, reason string) (api.Erasure, error) {
	out := api.Erasure{Name: name}
	if _, err := a.people.User(ctx, name); err == nil {
		return out, fmt.Errorf("%q can still log in: delete the user first: %w", name, store.ErrConflict)
	} else if !errors.Is(err, store.ErrNotFound) {
		return out, err
	}
	id, err := audit.Pseudonym(ctx, a.db.Read(), name)
	if err != nil {
		return out, err
	}
	now := a.clock.Now()
	mask := func(text string) string { return audit.Mask(text, name, id) }
	if err := a.silences.Erase(ctx, alert.SilenceChange{At: now, Actor: actor}, mask); err != nil {
		return out, err
	}
	if err := a.integrations.Erase(ctx, actor, mask); err != nil {
		return out, err
	}
	for _, text := range maskedTexts {
		n, err := a.mask(ctx, text, name, mask)
		if err != nil {
			return out, err
		}
		out.Texts += n
	}
	erased, err := a.desk.Erase(ctx, now, name, audit.Leaf{Actor: actor, Reason: reason}, func(ctx context.Context, tx store.Tx, _ string) error {
		if err := a.people.Erase(ctx, tx, now, actor, mask); err != nil {
			return err
		}
		if err := a.approvals.Erase(ctx, tx, now, actor, mask); err != nil {
			return err
		}
		if _, err := tx.NewRaw("DELETE FROM saved_views WHERE owner = ?", name).Exec(ctx); err != nil {
			return fmt.Errorf("delete views: %w", err)
		}
		tokens, err := audit.TokensOf(ctx, tx, name)
		if err != nil {
			return err
		}
		for _, token := range tokens {
			if _, err := audit.Erase(ctx, tx, token, audit.Leaf{At: now, Actor: actor, Reason: reason}); err != nil {
				return err
			}
		}
		return nil
	})
	out.Pseudonym, out.Steps, out.Records = erased.Pseudonym, erased.Steps, erased.Alerts
	return out, err
}

// mask replaces a person's name in one column, and returns in how many rows.
func (a *App) mask(ctx context.Context, in maskedText, name string, mask func(string) string) (int, error) {
	query, args := "SELECT "+in.key+", "+in.column+" FROM "+in.table, []any{}
	if !in.bytes {
		query, args = query+" WHERE "+in.column+" LIKE ? ESCAPE '!'", []any{store.Contains(name)}
	}
	rows, err := a.db.Read().QueryContext(ctx, query, args...)
	if err != nil {
		return 0, fmt.Errorf("look for a person in %s: %w", in.table, store.Classify(err))
	}
	var changed [][2]any
	for rows.Next() {
		var key int64
		var text string
		if err := rows.Scan(&key, &text); err != nil {
			return 0, errors.Join(fmt.Errorf("look for a person in %s: %w", in.table, err), rows.Close())
		}
		switch masked := mask(text); {
		case masked == text:
		case in.bytes:
			changed = append(changed, [2]any{[]byte(masked), key})
		default:
			changed = append(changed, [2]any{masked, key})
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return 0, fmt.Errorf("look for a person in %s: %w", in.table, err)
	}
	for from := 0; from < len(changed); from += maskSlice {
		err := a.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			for _, pair := range changed[from:min(from+maskSlice, len(changed))] {
				if _, err := store.Exec(ctx, tx, "UPDATE "+in.table+" SET "+in.column+" = ? WHERE "+in.key+" = ?", pair[0], pair[1]); err != nil {
					return fmt.Errorf("clear a person in %s: %w", in.table, err)
				}
			}
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	return len(changed), nil
}
