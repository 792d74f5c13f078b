package alert

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/fairlead/fairlead/base/store"
)

// QuarterHour is how long a Received lasts: every offset of a time zone is a multiple of it.
const QuarterHour = 15 * time.Minute

// Received counts the alerts of one team that came in a quarter of an hour.
type Received struct {
	// At is when the quarter of an hour began.
	At time.Time
	// Team is the value of the label TeamLabel; "" when alerts have none.
	Team string
	// Alerts is how many came; Untold how many of them nobody was told of: they were silenced, inhibited or flapping, or
	// their incident never left forming.
	Alerts, Untold int
}

// CountReceived counts the alerts that first came between from and to, as people of teams see them; nil is everybody. They
// are ordered by time.
func CountReceived(ctx context.Context, db store.Querier, from, to time.Time, teams []string) ([]Received, error) {
	where, args := "a.received_at >= ? AND a.received_at < ?", []any{store.Millis(from), store.Millis(to)}
	if teams != nil {
		condition, values := seenAlert(teams)
		where, args = where+" AND "+condition, append(args, values...)
	}
	team, width := teamOf(db), QuarterHour.Milliseconds()
	rows, err := db.QueryContext(ctx, fmt.Sprintf(`SELECT a.received_at / %d, %s, count(*), sum(CASE WHEN %s THEN 0 ELSE 1 END)
		FROM alerts a LEFT JOIN incidents h ON h.number = a.incident LEFT JOIN incidents r ON r.number = h.root
		WHERE %s GROUP BY 1, 2 ORDER BY 1, 2`, width, team, told, where), args...)
	if err != nil {
		return nil, fmt.Errorf("count the alerts of a time: %w", store.Classify(err))
	}
	defer rows.Close()
	var counts []Received
	for rows.Next() {
		var c Received
		var quarter int64
		if err := rows.Scan(&quarter, &c.Team, &c.Alerts, &c.Untold); err != nil {
			return nil, fmt.Errorf("count the alerts of a time: %w", err)
		}
		c.At = store.Time(quarter * width)
		counts = append(counts, c)
	}
	return counts, rows.Err()
}

// Part counts the alerts of one team in an incident and in those merged into it.
type Part struct {
	Incident uint64
	Team     string
	Alerts   int
}

// CountParts counts by team the alerts of some incidents that others may have been merged into.
func CountParts(ctx context.Context, db store.Querier, numbers []uint64) ([]Part, error) {
	var parts []Part
	for some := range slices.Chunk(numbers, 1000) {
		rows, err := db.QueryContext(ctx, fmt.Sprintf(`SELECT h.root, %s, count(*) FROM incidents h JOIN alerts a ON a.incident = h.number
			WHERE h.root IN (?) GROUP BY 1, 2 ORDER BY 1, 2`, teamOf(db)), store.List(some))
		if err != nil {
			return nil, fmt.Errorf("count the alerts of incidents: %w", store.Classify(err))
		}
		if parts, err = appendParts(parts, rows); err != nil {
			return nil, fmt.Errorf("count the alerts of incidents: %w", err)
		}
	}
	return parts, nil
}

func appendParts(parts []Part, rows *sql.Rows) ([]Part, error) {
	defer rows.Close()
	for rows.Next() {
		var p Part
		if err := rows.Scan(&p.Incident, &p.Team, &p.Alerts); err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	return parts, rows.Err()
}

// teamOf is SQL for the team of an alert; ” when it has none.
func teamOf(db store.Querier) string {
	return "coalesce(" + store.Member(db, "a.labels", TeamLabel) + ", '')"
}
