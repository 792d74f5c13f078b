package incident

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ops/alert"
)

// Filter selects stored incidents. Zero fields select everything; merged ones are never listed.
type Filter struct {
	States     []State
	Severities []signal.Severity
	// Owners are who owns it; "" stands for nobody.
	Owners []string
	// Text is looked for in the title.
	Text string
	// Teams selects what people of these teams see; nil what everybody together sees, an empty list what belongs to no team.
	Teams []string
	// Since leaves out incidents that were last seen before.
	Since time.Time
	// Cursor is what List returned as next.
	Cursor string
	Limit  int
}

// List returns stored incidents, last seen first; next is "" at the end. The error wraps ErrInvalid for a foreign cursor.
func List(ctx context.Context, db store.Querier, f Filter) (incidents []*Incident, next string, err error) {
	where, args := []string{"merged_into = 0"}, []any{}
	add := func(condition string, values ...any) {
		where = append(where, condition)
		args = append(args, values...)
	}
	if len(f.States) > 0 {
		add("state IN (?)", store.List(f.States))
	}
	if len(f.Severities) > 0 {
		numbers := make([]int, len(f.Severities))
		for i, s := range f.Severities {
			numbers[i] = int(s)
		}
		add("severity IN (?)", store.List(numbers))
	}
	if len(f.Owners) > 0 {
		add("owner IN (?)", store.List(f.Owners))
	}
	if f.Text != "" {
		add("title "+store.Like(db)+" ? ESCAPE '!'", "%"+strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(f.Text)+"%")
	}
	if f.Teams != nil {
		condition, values := alert.SeenBy("incidents.number", f.Teams)
		add(condition, values...)
	}
	if !f.Since.IsZero() {
		add("last_seen_at >= ?", store.Millis(f.Since))
	}
	if f.Cursor != "" {
		seen, number, found := strings.Cut(f.Cursor, "-")
		at, err1 := strconv.ParseInt(seen, 10, 64)
		n, err2 := strconv.ParseInt(number, 10, 64)
		if !found || err1 != nil || err2 != nil {
			return nil, "", fmt.Errorf("cursor %q: use the value of next from the page before: %w", f.Cursor, ErrInvalid)
		}
		add("(last_seen_at < ? OR (last_seen_at = ? AND number < ?))", at, at, n)
	}
	incidents, err = load(ctx, db, strings.Join(where, " AND ")+" ORDER BY last_seen_at DESC, number DESC LIMIT ?", append(args, f.Limit+1)...)
	if err != nil || len(incidents) <= f.Limit {
		return incidents, "", err
	}
	incidents = incidents[:f.Limit]
	last := incidents[f.Limit-1]
	return incidents, fmt.Sprintf("%d-%d", store.Millis(last.LastSeenAt), last.Number), nil
}

// Find returns one stored incident; store.ErrNotFound when there is none.
func Find(ctx context.Context, db store.Querier, number uint64) (*Incident, error) {
	incidents, err := load(ctx, db, "number = ?", int64(number)) //nolint:gosec // numbers far below 2^63
	if err != nil {
		return nil, err
	}
	if len(incidents) == 0 {
		return nil, fmt.Errorf("incident %s: %w", ID(number), store.ErrNotFound)
	}
	return incidents[0], nil
}

// FindAll returns the stored incidents with these numbers, in no particular order; unknown ones are left out.
func FindAll(ctx context.Context, db store.Querier, numbers []uint64) ([]*Incident, error) {
	return load(ctx, db, "number IN (?)", store.List(numbers))
}

// Window says which steps Timeline returns; the zero value all of them.
type Window struct {
	// Before takes only steps with a smaller number; 0 takes the newest too.
	Before uint64
	// Kinds takes only these.
	Kinds []StepKind
	// Limit bounds how many; the newest are taken. 0 sets no bound.
	Limit int
}

// Timeline returns steps of an incident and of those merged into it, oldest first.
func Timeline(ctx context.Context, db store.Querier, number uint64, w Window) ([]*Step, error) {
	where, args := "incident IN (SELECT number FROM incidents WHERE root = ? OR number = ?)", []any{int64(number), int64(number)} //nolint:gosec // as above
	if w.Before != 0 {
		where, args = where+" AND number < ?", append(args, int64(w.Before)) //nolint:gosec // as above
	}
	if len(w.Kinds) > 0 {
		where, args = where+" AND kind IN (?)", append(args, store.List(w.Kinds))
	}
	where += " ORDER BY number DESC"
	if w.Limit > 0 {
		where, args = where+" LIMIT ?", append(args, w.Limit)
	}
	return steps(ctx, db, where, args...)
}

// FindStep returns one stored step; store.ErrNotFound when there is none.
func FindStep(ctx context.Context, db store.Querier, number uint64) (*Step, error) {
	found, err := steps(ctx, db, "number = ?", int64(number)) //nolint:gosec // as above
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("step S%d: %w", number, store.ErrNotFound)
	}
	return found[0], nil
}

func steps(ctx context.Context, db store.Querier, where string, args ...any) ([]*Step, error) {
	rows, err := db.QueryContext(ctx, "SELECT body, undone_at, undone_by FROM steps WHERE "+where, args...)
	if err != nil {
		return nil, fmt.Errorf("load steps: %w", err)
	}
	defer rows.Close()
	var out []*Step
	for rows.Next() {
		var body string
		var undoneAt int64
		s := &Step{}
		if err := rows.Scan(&body, &undoneAt, &s.UndoneBy); err != nil {
			return nil, fmt.Errorf("read step: %w", err)
		}
		if err := json.Unmarshal([]byte(body), s); err != nil {
			return nil, fmt.Errorf("read step: %w", err)
		}
		s.UndoneAt = store.Time(undoneAt)
		out = append(out, s)
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out, rows.Err()
}

// Counts sums up all incidents and the alerts in them.
type Counts struct {
	States map[State]int
	// Told and HeldBack count alerts that nothing mutes, in incidents that were shown and that were not.
	Told, HeldBack                int
	Silenced, Inhibited, Flapping int
}

// Count sums up all stored incidents that people of teams see, nil being everybody; merged ones count as part of those they
// were merged into.
func Count(ctx context.Context, db store.Querier, teams []string) (Counts, error) {
	counts := Counts{States: map[State]int{}}
	where, args := "merged_into = 0", []any(nil)
	if teams != nil {
		condition, values := alert.SeenBy("incidents.number", teams)
		where, args = where+" AND "+condition, values
	}
	rows, err := db.QueryContext(ctx, `SELECT state, count(*), sum(alerts), sum(silenced), sum(inhibited), sum(flapping)
		FROM incidents WHERE `+where+` GROUP BY state`, args...)
	if err != nil {
		return counts, fmt.Errorf("count incidents: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var state State
		var n, alerts, silenced, inhibited, flapping int
		if err := rows.Scan(&state, &n, &alerts, &silenced, &inhibited, &flapping); err != nil {
			return counts, fmt.Errorf("count incidents: %w", err)
		}
		counts.States[state] = n
		counts.Silenced += silenced
		counts.Inhibited += inhibited
		counts.Flapping += flapping
		plain := max(0, alerts-silenced-inhibited-flapping)
		if state == Forming || state == Suppressed {
			counts.HeldBack += plain
		} else {
			counts.Told += plain
		}
	}
	return counts, rows.Err()
}
