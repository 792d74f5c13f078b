package notify

import (
	"context"
	"fmt"

	"github.com/fairlead/fairlead/base/store"
)

// Forget removes, within tx, what was told of incidents and alerts that are purged, by their numbers. Deliveries that are
// still to be sent stay.
func Forget(ctx context.Context, tx store.Tx, incidents, alerts []int64) error {
	remove := func(query string, numbers []int64) error {
		if len(numbers) == 0 {
			return nil
		}
		if _, err := tx.NewRaw(query, store.List(numbers)).Exec(ctx); err != nil {
			return fmt.Errorf("purge deliveries: %w", store.Classify(err))
		}
		return nil
	}
	if err := remove("DELETE FROM delivery_alerts WHERE alert IN (?)", alerts); err != nil {
		return err
	}
	if err := remove("DELETE FROM deliveries WHERE incident IN (?) AND state <> 'pending'", incidents); err != nil {
		return err
	}
	return remove("DELETE FROM notify_log WHERE incident IN (?)", incidents)
}
