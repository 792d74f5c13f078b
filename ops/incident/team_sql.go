package incident

import (
	"context"
	"fmt"

	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ops/alert"
)

// Seen returns which of some incidents people of teams see: an alert in it, or in the one it was merged into, belongs to one
// of them, or none to any.
func Seen(ctx context.Context, db store.Querier, numbers []uint64, teams []string) (map[uint64]bool, error) {
	seen := make(map[uint64]bool, len(numbers))
	if len(numbers) == 0 {
		return seen, nil
	}
	condition, args := alert.SeenBy("i.root", teams)
	rows, err := db.QueryContext(ctx, "SELECT i.number FROM incidents i WHERE i.number IN (?) AND "+condition, append([]any{store.List(numbers)}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("look who sees incidents: %w", store.Classify(err))
	}
	defer rows.Close()
	for rows.Next() {
		var n uint64
		if err := rows.Scan(&n); err != nil {
			return nil, fmt.Errorf("look who sees incidents: %w", err)
		}
		seen[n] = true
	}
	return seen, rows.Err()
}
