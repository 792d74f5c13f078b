package incident

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/fairlead/fairlead/base/audit"
	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ops/alert"
)

// PurgeAction is the action of the audit leaves that name what was purged: the ids of alerts and steps, one a line.
const PurgeAction = "alert.purge"

// Purge removes what is over for good: incidents that have ended with their alerts and steps, and alerts that never came
// into an incident.
type Purge struct {
	// Before removes only what ended before it. It must lie further back than what the engine remembers.
	Before time.Time
	// Matchers remove only incidents of which all alerts match; none match everything.
	Matchers alert.Matchers
}

// Purged is what one slice of a Purge has removed.
type Purged struct {
	// Incidents and Alerts are their numbers.
	Incidents, Alerts []int64
	Steps             int
	// Cursor is where the next slice begins; Finished says that there is none.
	Cursor   string
	Finished bool
}

const (
	// purgeRows bounds the alerts and steps of a slice, so that the writer is free again after some milliseconds.
	purgeRows = 1000
	// purgeLook bounds the incidents that a slice looks at.
	purgeLook = 200
)

// PurgeSlice removes some within tx, with an audit leaf, and returns how to go on. cursor is "" at first.
func PurgeSlice(ctx context.Context, tx store.Tx, p Purge, cursor, actor, object string, at time.Time) (Purged, error) {
	var out Purged
	var steps []int64
	loose := strings.HasPrefix(cursor, looseCursor)
	after, err := strconv.ParseInt(cmp.Or(strings.TrimPrefix(cursor, looseCursor), "0"), 10, 64)
	if err != nil {
		return out, fmt.Errorf("purge: cursor %q: %w", cursor, err)
	}
	if loose {
		after, err = p.removeLoose(ctx, tx, after, &out)
		out.Cursor = looseCursor + strconv.FormatInt(after, 10)
	} else {
		steps, err = p.removeSome(ctx, tx, after, &out)
	}
	if err != nil || len(out.Alerts) == 0 && len(steps) == 0 {
		return out, err
	}
	out.Steps = len(steps)
	_, err = audit.Append(ctx, tx, audit.Leaf{At: at, Actor: actor, Action: PurgeAction, Object: object, Data: purgedIDs(out.Alerts, steps)})
	return out, err
}

// looseCursor begins the cursor of those slices that remove alerts without incident.
const looseCursor = "loose "

// removeSome removes incidents with numbers above after, until the slice is full.
func (p Purge) removeSome(ctx context.Context, tx store.Tx, after int64, out *Purged) (steps []int64, err error) {
	numbers, err := p.candidates(ctx, tx, after)
	if err != nil {
		return nil, err
	}
	if len(numbers) == 0 {
		out.Cursor = looseCursor
		return nil, nil
	}
	for _, number := range numbers {
		left := purgeRows - len(out.Alerts) - len(steps)
		if left <= 0 {
			break
		}
		whole, err := p.remove(ctx, tx, number, out, &steps, left)
		if err != nil {
			return nil, err
		}
		if !whole {
			break
		}
		after = number
	}
	out.Cursor = strconv.FormatInt(after, 10)
	return steps, nil
}

const purgeWhere = "merged_into = 0 AND state IN ('resolved', 'suppressed') AND ended_at > 0 AND ended_at < ? AND last_seen_at < ?"

// candidates returns the numbers of the next incidents that have ended, in order.
func (p Purge) candidates(ctx context.Context, db store.Querier, after int64) ([]int64, error) {
	return numbersOf(ctx, db, "SELECT number FROM incidents WHERE "+purgeWhere+" AND number > ? ORDER BY number LIMIT ?",
		store.Millis(p.Before), store.Millis(p.Before), after, purgeLook)
}

func numbersOf(ctx context.Context, db store.Querier, query string, args ...any) ([]int64, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("look for what to purge: %w", store.Classify(err))
	}
	defer rows.Close()
	var numbers []int64
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, fmt.Errorf("look for what to purge: %w", err)
		}
		numbers = append(numbers, n)
	}
	return numbers, rows.Err()
}

// matches reports whether all alerts of an incident match.
func (p Purge) matches(ctx context.Context, db store.Querier, number int64) (bool, error) {
	if len(p.Matchers) == 0 {
		return true, nil
	}
	for before := uint64(0); ; {
		rows, err := alert.List(ctx, db, alert.Filter{Incident: uint64(number), Before: before, Limit: purgeRows}) //nolint:gosec // never negative
		if err != nil {
			return false, err
		}
		for _, row := range rows {
			if !p.Matchers.Matches(row.Labels) {
				return false, nil
			}
			before = row.Seq
		}
		if len(rows) < purgeRows {
			return true, nil
		}
	}
}

// remove removes up to left alerts and steps of an incident and of those merged into it, and the incident when nothing is left
// of it; whole says that it is gone, or that it stays because it does not match.
func (p Purge) remove(ctx context.Context, tx store.Tx, number int64, out *Purged, steps *[]int64, left int) (whole bool, err error) {
	matches, err := p.matches(ctx, tx, number)
	if err != nil || !matches {
		return true, err
	}
	const family = "(SELECT number FROM incidents WHERE root = ?)"
	alerts, err := numbersOf(ctx, tx, "SELECT seq FROM alerts WHERE incident IN "+family+" ORDER BY seq LIMIT ?", number, left)
	if err != nil {
		return false, err
	}
	if err := deleteNumbers(ctx, tx, "alerts", "seq", alerts); err != nil {
		return false, err
	}
	out.Alerts = append(out.Alerts, alerts...)
	if left -= len(alerts); left <= 0 {
		return false, nil
	}
	gone, err := numbersOf(ctx, tx, "SELECT number FROM steps WHERE incident IN "+family+" ORDER BY number LIMIT ?", number, left)
	if err != nil {
		return false, err
	}
	if err := deleteNumbers(ctx, tx, "steps", "number", gone); err != nil {
		return false, err
	}
	*steps = append(*steps, gone...)
	if len(gone) == left {
		return false, nil
	}
	members, err := numbersOf(ctx, tx, "SELECT number FROM incidents WHERE root = ?", number)
	if err != nil {
		return false, err
	}
	out.Incidents = append(out.Incidents, members...)
	return true, deleteNumbers(ctx, tx, "incidents", "number", members)
}

// removeLoose removes alerts that have ended and are in no incident, with numbers above after, and returns the last one it
// looked at.
func (p Purge) removeLoose(ctx context.Context, tx store.Tx, after int64, out *Purged) (last int64, err error) {
	last, seen, err := alert.Loose(ctx, tx, p.Before, after, purgeRows, func(number int64, labels signal.Labels) {
		if p.Matchers.Matches(labels) {
			out.Alerts = append(out.Alerts, number)
		}
	})
	if err != nil {
		return after, err
	}
	out.Finished = seen < purgeRows
	return last, deleteNumbers(ctx, tx, "alerts", "seq", out.Alerts)
}

func deleteNumbers(ctx context.Context, tx store.Tx, table, column string, numbers []int64) error {
	if len(numbers) == 0 {
		return nil
	}
	if _, err := tx.NewRaw("DELETE FROM "+table+" WHERE "+column+" IN (?)", store.List(numbers)).Exec(ctx); err != nil {
		return fmt.Errorf("purge %s: %w", table, store.Classify(err))
	}
	return nil
}

// purgedIDs names alerts and steps as the leaves before have named them.
func purgedIDs(alerts, steps []int64) []byte {
	var text bytes.Buffer
	for _, n := range alerts {
		text.WriteString(alert.ID(uint64(n)) + "\n") //nolint:gosec // never negative
	}
	for _, n := range steps {
		text.WriteString((&Step{Number: uint64(n)}).ID() + "\n") //nolint:gosec // never negative
	}
	return text.Bytes()
}

// PurgeCount is what a Purge would remove.
type PurgeCount struct {
	Incidents, Alerts int
	// Oldest and Newest are when the first and the last of these incidents ended.
	Oldest, Newest time.Time
}

// CountPurge counts what p would remove, of incidents and the alerts in them.
func CountPurge(ctx context.Context, db store.Querier, p Purge) (PurgeCount, error) {
	var c PurgeCount
	for after := int64(0); ; {
		numbers, err := p.candidates(ctx, db, after)
		if err != nil || len(numbers) == 0 {
			return c, err
		}
		after = numbers[len(numbers)-1]
		matching := numbers[:0:0]
		for _, number := range numbers {
			matches, err := p.matches(ctx, db, number)
			if err != nil {
				return c, err
			}
			if matches {
				matching = append(matching, number)
			}
		}
		if len(matching) == 0 {
			continue
		}
		var incidents, alerts int
		var oldest, newest int64
		err = db.NewRaw("SELECT count(*), coalesce(sum(alerts), 0), min(ended_at), max(ended_at) FROM incidents WHERE number IN (?)", store.List(matching)).
			Scan(ctx, &incidents, &alerts, &oldest, &newest)
		if err != nil {
			return c, fmt.Errorf("count what to purge: %w", store.Classify(err))
		}
		c.Incidents += incidents
		c.Alerts += alerts
		if first := store.Time(oldest); c.Oldest.IsZero() || first.Before(c.Oldest) {
			c.Oldest = first
		}
		if last := store.Time(newest); last.After(c.Newest) {
			c.Newest = last
		}
	}
}
