package alert

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/base/store"
)

// ID names the alert with a number.
func ID(number uint64) string { return "A" + strconv.FormatUint(number, 10) }

// Loose visits stored alerts that are in no incident, have ended and were last received before a time, with numbers above
// after, in order, at most limit. It returns the last number that it looked at, and how many it looked at.
func Loose(ctx context.Context, db store.Querier, before time.Time, after int64, limit int, visit func(number int64, labels signal.Labels)) (last int64, seen int, err error) {
	rows, err := db.QueryContext(ctx, "SELECT seq, labels FROM alerts WHERE incident = 0 AND seq > ? AND state = 'resolved' AND last_received_at < ? ORDER BY seq LIMIT ?",
		after, store.Millis(before), limit)
	if err != nil {
		return after, 0, fmt.Errorf("list loose alerts: %w", store.Classify(err))
	}
	defer rows.Close()
	last = after
	for rows.Next() {
		var text string
		if err := rows.Scan(&last, &text); err != nil {
			return last, seen, fmt.Errorf("list loose alerts: %w", err)
		}
		labels, err := decodeLabels(text)
		if err != nil {
			return last, seen, err
		}
		seen++
		visit(last, labels)
	}
	return last, seen, rows.Err()
}
