package experiment

import (
	"context"

	"github.com/fairlead/fairlead/base/store"
)

// Activity is what goes on in an experiment.
type Activity struct {
	// Runs counts those that are not deleted; Running those of them that say so.
	Runs, Running int
	// LastAt is when the newest of them began, in milliseconds since 1970; 0 without any.
	LastAt int64
}

// Activities returns what goes on in experiments.
func (s *Store) Activities(ctx context.Context, ids []int64) (map[int64]Activity, error) {
	found := make(map[int64]Activity, len(ids))
	if len(ids) == 0 {
		return found, nil
	}
	const query = "SELECT experiment, COUNT(*), SUM(CASE WHEN status = 'RUNNING' THEN 1 ELSE 0 END), MAX(started_at) FROM runs WHERE experiment IN (?) AND stage = 0 GROUP BY experiment"
	err := store.Each(ctx, s.db.Read(), query, []any{store.List(ids)}, func(scan func(into ...any) error) error {
		var id int64
		var a Activity
		err := scan(&id, &a.Runs, &a.Running, &a.LastAt)
		found[id] = a
		return err
	})
	return found, err
}

// Keys are the keys that runs of an experiment have, each list sorted.
type Keys struct{ Metrics, Params, Tags []string }

// Keys returns which keys the runs of an experiment have, or had.
func (s *Store) Keys(ctx context.Context, experiment int64) (k Keys, err error) {
	err = store.Each(ctx, s.db.Read(), "SELECT kind, name FROM experiment_keys WHERE experiment = ? ORDER BY kind, name", []any{experiment}, func(scan func(into ...any) error) error {
		var kind, name string
		err := scan(&kind, &name)
		switch kind {
		case "m":
			k.Metrics = append(k.Metrics, name)
		case "p":
			k.Params = append(k.Params, name)
		default:
			k.Tags = append(k.Tags, name)
		}
		return err
	})
	return k, err
}
