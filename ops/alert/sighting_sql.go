package alert

import (
	"context"
	"fmt"
	"time"

	"github.com/fairlead/fairlead/base/signal"
	"github.com/fairlead/fairlead/base/store"
)

// Sighting is a stored alert as far as those need it who compare it with what others saw.
type Sighting struct {
	// Fingerprint is the wanted one: of its key, or of its labels.
	Fingerprint string
	ReceivedAt  time.Time
	// Incident is the number of the incident that it is in, after merges; 0 if none.
	Incident uint64
	Labels   signal.Labels
}

// Sightings visits the alerts that were first received in a time and whose fingerprint is wanted, in the order in which they
// came. An alert that its sender names by a key of its own is also found by the fingerprint of its labels: other tools know no
// key.
func Sightings(ctx context.Context, db store.Querier, from, to time.Time, wanted map[string]bool, visit func(*Sighting)) error {
	rows, err := db.QueryContext(ctx, `SELECT a.fingerprint, a.identity, a.received_at, a.labels, coalesce(i.root, 0) FROM alerts a
		LEFT JOIN incidents i ON i.number = a.incident WHERE a.received_at >= ? AND a.received_at < ? ORDER BY a.seq`, store.Millis(from), store.Millis(to))
	if err != nil {
		return fmt.Errorf("read alerts of a time: %w", store.Classify(err))
	}
	defer rows.Close()
	for rows.Next() {
		var s Sighting
		var received, root int64
		var identity, labels string
		if err := rows.Scan(&s.Fingerprint, &identity, &received, &labels, &root); err != nil {
			return fmt.Errorf("read alerts of a time: %w", err)
		}
		found := wanted[s.Fingerprint]
		if !found && identity == s.Fingerprint {
			continue
		}
		if s.Labels, err = decodeLabels(labels); err != nil {
			return fmt.Errorf("read alerts of a time: %w", err)
		}
		if !found {
			if s.Fingerprint = s.Labels.Fingerprint().String(); !wanted[s.Fingerprint] {
				continue
			}
		}
		s.ReceivedAt, s.Incident = store.Time(received), uint64(root) //nolint:gosec // numbers are positive
		visit(&s)
	}
	return rows.Err()
}
