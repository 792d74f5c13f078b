package alert

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/fairlead/fairlead/base/audit"
	"github.com/fairlead/fairlead/base/store"
)

// SilenceRows keeps silences in a database, with one audit leaf per change. It is safe for concurrent use.
type SilenceRows struct {
	db *store.DB
}

// NewSilenceRows returns a store over db, whose schema holds the table silences.
func NewSilenceRows(db *store.DB) *SilenceRows { return &SilenceRows{db: db} }

const upsertSilence = `INSERT INTO silences (id, matchers, starts_at, ends_at, updated_at, created_by, comment, annotations)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?)
	ON CONFLICT (id) DO UPDATE SET matchers = excluded.matchers, starts_at = excluded.starts_at, ends_at = excluded.ends_at,
	updated_at = excluded.updated_at, created_by = excluded.created_by, comment = excluded.comment, annotations = excluded.annotations`

// silenceTable is what the audit log attests of silences. Those that ended long ago go without a leaf.
var silenceTable = audit.Table{
	Name: "silences", What: "silence", Actions: []string{"silence."}, Fades: true,
	Columns: []string{"id", "matchers", "starts_at", "ends_at", "updated_at", "created_by", "comment", "annotations"},
}

// SilenceCheck compares the stored silences with the audit log, in one run of audit.Verify.
func SilenceCheck() audit.Check { return silenceTable.Check() }

// SaveSilence stores change and its audit leaves in one transaction.
func (r *SilenceRows) SaveSilence(ctx context.Context, change SilenceChange) error {
	return r.db.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		var leaves []audit.Leaf
		save := func(s *Silence, action string) error {
			if err := saveSilence(ctx, tx, s); err != nil {
				return err
			}
			row, err := silenceTable.Row(ctx, tx, s.ID)
			leaves = append(leaves, audit.Leaf{At: change.At, Actor: change.Actor, Action: action, Object: s.ID, Reason: s.Comment, Row: row})
			return err
		}
		if change.Replaced != nil {
			if err := save(change.Replaced, "silence.replace"); err != nil {
				return err
			}
		}
		if err := save(&change.Silence, change.Action); err != nil {
			return err
		}
		_, err := audit.AppendAll(ctx, tx, leaves)
		return err
	})
}

func saveSilence(ctx context.Context, tx bun.Tx, s *Silence) error {
	matchers, err := json.Marshal(storeMatchers(s.Matchers))
	if err != nil {
		return fmt.Errorf("encode matchers: %w", err)
	}
	annotations := ""
	if len(s.Annotations) > 0 {
		text, err := json.Marshal(s.Annotations)
		if err != nil {
			return fmt.Errorf("encode annotations: %w", err)
		}
		annotations = string(text)
	}
	_, err = tx.ExecContext(ctx, upsertSilence, s.ID, string(matchers), s.StartsAt.UnixMilli(), s.EndsAt.UnixMilli(),
		s.UpdatedAt.UnixMilli(), s.CreatedBy, s.Comment, annotations)
	if err != nil {
		return fmt.Errorf("save silence %s: %w", s.ID, err)
	}
	return nil
}

// DeleteSilences removes the silences that ended before the given time. That leaves no leaf: nobody decided it.
func (r *SilenceRows) DeleteSilences(ctx context.Context, endedBefore time.Time) error {
	return r.db.Write(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM silences WHERE ends_at < ?", endedBefore.UnixMilli())
		return err
	})
}

// LoadSilences returns all silences.
func (r *SilenceRows) LoadSilences(ctx context.Context) ([]Silence, error) {
	rows, err := r.db.Read().QueryContext(ctx, "SELECT id, matchers, starts_at, ends_at, updated_at, created_by, comment, annotations FROM silences ORDER BY id")
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var silences []Silence
	for rows.Next() {
		var s Silence
		var matchers, annotations string
		var starts, ends, updated int64
		if err := rows.Scan(&s.ID, &matchers, &starts, &ends, &updated, &s.CreatedBy, &s.Comment, &annotations); err != nil {
			return nil, fmt.Errorf("read silence: %w", err)
		}
		if s.Matchers, err = loadMatchers(matchers); err != nil {
			return nil, fmt.Errorf("read silence %s: %w", s.ID, err)
		}
		if annotations != "" {
			if err := json.Unmarshal([]byte(annotations), &s.Annotations); err != nil {
				return nil, fmt.Errorf("read annotations of silence %s: %w", s.ID, err)
			}
		}
		s.StartsAt, s.EndsAt, s.UpdatedAt = time.UnixMilli(starts).UTC(), time.UnixMilli(ends).UTC(), time.UnixMilli(updated).UTC()
		silences = append(silences, s)
	}
	return silences, rows.Err()
}

// storedMatcher is a matcher as the table and the audit log keep it.
type storedMatcher struct {
	Type  string `json:"type"`
	Name  string `json:"name"`
	Value string `json:"value"`
}

func storeMatchers(matchers Matchers) []storedMatcher {
	stored := make([]storedMatcher, len(matchers))
	for i := range matchers {
		stored[i] = storedMatcher{Type: matchers[i].Type.String(), Name: matchers[i].Name, Value: matchers[i].Value}
	}
	return stored
}

func loadMatchers(text string) (Matchers, error) {
	var stored []storedMatcher
	if err := json.Unmarshal([]byte(text), &stored); err != nil {
		return nil, fmt.Errorf("decode matchers: %w", err)
	}
	matchers := make(Matchers, len(stored))
	for i, m := range stored {
		kind := MatchNotRegexp + 1 // refused by NewMatcher
		for sign := range matchSigns {
			if matchSigns[sign] == m.Type {
				kind = MatchType(sign) //nolint:gosec // four signs
			}
		}
		var err error
		if matchers[i], err = NewMatcher(kind, m.Name, m.Value); err != nil {
			return nil, err
		}
	}
	return matchers, nil
}

// MutedNow returns how many firing alerts each silence mutes now, by its id.
func MutedNow(ctx context.Context, db store.Querier) (map[string]int, error) {
	rows, err := db.QueryContext(ctx, "SELECT silenced_by, count(*) FROM alerts WHERE state = 'firing' AND silenced_by <> '' GROUP BY silenced_by")
	if err != nil {
		return nil, fmt.Errorf("count what silences mute: %w", store.Classify(err))
	}
	defer rows.Close()
	muted := map[string]int{}
	for rows.Next() {
		var ids string
		var n int
		if err := rows.Scan(&ids, &n); err != nil {
			return nil, fmt.Errorf("count what silences mute: %w", err)
		}
		for id := range strings.SplitSeq(ids, ",") {
			muted[id] += n
		}
	}
	return muted, rows.Err()
}
