package experiment

import (
	"context"
	"math"

	"github.com/fairlead/fairlead/base/store"
)

// Log adds to an active run.
func (s *Store) Log(ctx context.Context, id string, b Batch) error {
	if err := b.check(); err != nil {
		return err
	}
	ref, err := s.writable(ctx, id)
	if err != nil {
		return err
	}
	keys := s.keys.batch()
	var grown int64
	var packed bool
	err = s.write(ctx, "log to a run", func(ctx context.Context, tx store.Tx) error {
		if err := s.addParams(ctx, tx, keys, ref, b.Params); err != nil {
			return err
		}
		if err := s.addTags(ctx, tx, keys, ref, b.Tags); err != nil {
			return err
		}
		grown, packed, err = s.addMetrics(ctx, tx, keys, id, ref, b.Metrics)
		return err
	})
	if err != nil {
		return err
	}
	keys.committed()
	s.runs.grown(id, grown, packed)
	s.changed(ref.experiment, ref.number)
	return nil
}

// addParams stores params. One that is there with the same value is fine.
func (s *Store) addParams(ctx context.Context, tx store.Tx, keys *keyBatch, ref reference, params []Param) error {
	if len(params) == 0 {
		return nil
	}
	ids := make([]int64, len(params))
	for i, p := range params {
		key, err := keys.number(ctx, tx, p.Key)
		if err != nil {
			return err
		}
		if err := keys.use(ctx, tx, ref.experiment, "p", p.Key); err != nil {
			return err
		}
		ids[i] = rowID(ref.number, key)
	}
	kept, err := texts(ctx, tx, "params", ids)
	if err != nil {
		return err
	}
	rows := make([][]any, 0, len(params))
	for i, p := range params {
		value, there := kept[ids[i]]
		switch {
		case !there:
			rows = append(rows, []any{ids[i], p.Value})
		case value != store.Text(p.Value):
			return invalid("param %s: it is %q already, and params do not change; %q was refused. Log it under another key, or to another run", p.Key, Cut(value), Cut(p.Value))
		}
	}
	return store.Insert(ctx, tx, "params", []string{"id", "value"}, "", rows)
}

// texts returns the values of those rows that exist.
func texts(ctx context.Context, db store.Querier, table string, ids []int64) (map[int64]string, error) {
	rows, err := db.QueryContext(ctx, "SELECT id, value FROM "+table+" WHERE id IN (?)", store.List(ids))
	if err != nil {
		return nil, store.Classify(err)
	}
	defer rows.Close()
	values := map[int64]string{}
	for rows.Next() {
		var id int64
		var value string
		if err := rows.Scan(&id, &value); err != nil {
			return nil, err
		}
		values[id] = value
	}
	return values, store.Classify(rows.Err())
}

// addTags sets tags; the one that names the run renames it.
func (s *Store) addTags(ctx context.Context, tx store.Tx, keys *keyBatch, ref reference, tags []Tag) error {
	if len(tags) == 0 {
		return nil
	}
	if err := s.setTags(ctx, tx, keys, ref.number, ref.experiment, tags); err != nil {
		return err
	}
	for _, tag := range tags {
		if tag.Key != tagRunName || tag.Value == "" {
			continue
		}
		if _, err := store.Exec(ctx, tx, "UPDATE runs SET name = ? WHERE id = ?", tag.Value, ref.number); err != nil {
			return err
		}
	}
	return nil
}

// addMetrics stores points. It returns by how much the journal has grown or, when it was packed, how long it is.
func (s *Store) addMetrics(ctx context.Context, tx store.Tx, keys *keyBatch, id string, ref reference, metrics []Metric) (grown int64, packed bool, err error) {
	if len(metrics) == 0 {
		return 0, false, nil
	}
	var journal []byte
	latest := make(map[int64]Metric, len(metrics))
	order := make([]int64, 0, len(metrics))
	for _, m := range metrics {
		key, err := keys.number(ctx, tx, m.Key)
		if err != nil {
			return 0, false, err
		}
		journal = appendEntry(journal, key, point{m.Value, m.At, m.Step})
		before, twice := latest[key]
		if !twice {
			order = append(order, key)
			if err := keys.use(ctx, tx, ref.experiment, "m", m.Key); err != nil {
				return 0, false, err
			}
		}
		if !twice || later(m, before) {
			latest[key] = m
		}
	}
	rows := make([][]any, len(order))
	for i, key := range order {
		m := latest[key]
		nan := 0
		if math.IsNaN(m.Value) {
			nan = 1
		}
		rows[i] = []any{rowID(ref.number, key), flat(m.Value), nan, m.At, m.Step}
	}
	err = store.Insert(ctx, tx, "metrics", []string{"id", "value", "nan", "at", "step"},
		"ON CONFLICT (id) DO UPDATE SET value = excluded.value, nan = excluded.nan, at = excluded.at, step = excluded.step WHERE (excluded.step, excluded.at, excluded.value) > (metrics.step, metrics.at, metrics.value)", rows)
	if err != nil {
		return 0, false, err
	}
	if err := s.scoreModels(ctx, tx, id, metrics); err != nil {
		return 0, false, err
	}
	return s.addJournal(ctx, tx, id, ref, journal)
}
