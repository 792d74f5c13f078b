package experiment

import (
	"context"

	"github.com/fairlead/fairlead/base/store"
)

// journalLimit is from how many bytes on the journal of a run is packed by key.
const journalLimit = 64 << 10

// addJournal adds to the journal of a run, and packs it when it is long.
func (s *Store) addJournal(ctx context.Context, tx store.Tx, id string, ref reference, entries []byte) (grown int64, packed bool, err error) {
	_, err = store.Exec(ctx, tx, "INSERT INTO metric_journal (id, run, points) VALUES (?, ?, ?)", s.journals.Add(1), ref.number, entries)
	if err != nil {
		return 0, false, err
	}
	length := int64(len(entries))
	known := ref.journal
	if now, ok := s.runs.get(id); ok {
		known = now.journal
	}
	if known < 0 {
		err := tx.NewRaw("SELECT COALESCE(SUM(LENGTH(points)), 0) FROM metric_journal WHERE run = ?", ref.number).Scan(ctx, &length)
		if err != nil {
			return 0, false, err
		}
		known = 0
		packed = true
	}
	if known+length < journalLimit {
		return length, packed, nil
	}
	return 0, true, s.pack(ctx, tx, ref.number)
}

// pack moves the journal of a run into chunks by key.
func (s *Store) pack(ctx context.Context, tx store.Tx, run int64) error {
	var order []int64
	points := map[int64][]point{}
	err := eachBlob(ctx, tx, "SELECT points FROM metric_journal WHERE run = ? ORDER BY id", run, func(data []byte) error {
		return readJournal(data, func(key int64, p point) {
			if _, ok := points[key]; !ok {
				order = append(order, key)
			}
			points[key] = append(points[key], p)
		})
	})
	if err != nil {
		return err
	}
	rows := make([][]any, len(order))
	for i, key := range order {
		rows[i] = []any{s.chunks.Add(1), rowID(run, key), appendChunk(nil, points[key])}
	}
	if err := store.Insert(ctx, tx, "metric_chunks", []string{"id", "metric", "points"}, "", rows); err != nil {
		return err
	}
	_, err = store.Exec(ctx, tx, "DELETE FROM metric_journal WHERE run = ?", run)
	return err
}

// eachBlob calls each with the one column of every row.
func eachBlob(ctx context.Context, db store.Querier, query string, arg int64, each func(data []byte) error) error {
	rows, err := db.QueryContext(ctx, query, arg)
	if err != nil {
		return store.Classify(err)
	}
	defer rows.Close()
	for rows.Next() {
		var data []byte
		if err := rows.Scan(&data); err != nil {
			return err
		}
		if err := each(data); err != nil {
			return err
		}
	}
	return store.Classify(rows.Err())
}

// points returns the whole history of a metric of a run. The journal is read first: what is packed meanwhile is then read
// twice, and not missed.
func (s *Store) points(ctx context.Context, run, key int64) (points []point, err error) {
	err = eachBlob(ctx, s.db.Read(), "SELECT points FROM metric_journal WHERE run = ? ORDER BY id", run, func(data []byte) error {
		return readJournal(data, func(k int64, p point) {
			if k == key {
				points = append(points, p)
			}
		})
	})
	if err != nil {
		return nil, err
	}
	err = eachBlob(ctx, s.db.Read(), "SELECT points FROM metric_chunks WHERE metric = ? ORDER BY id", rowID(run, key), func(data []byte) (err error) {
		points, err = readChunk(data, points)
		return err
	})
	return sortPoints(points), err
}

// History returns all points of a metric, by time, step and value. A run or key that does not exist has none.
func (s *Store) History(ctx context.Context, id, key string) ([]Metric, error) {
	if id == "" {
		return nil, invalid("run_id: it is missing; give the id of a run")
	}
	if key == "" {
		return nil, invalid("metric_key: it is missing; give the key of a metric")
	}
	ref, err := s.reference(ctx, id)
	if CodeOf(err) == DoesNotExist {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	number, err := s.key(ctx, key)
	if err != nil || number < 0 {
		return nil, err
	}
	points, err := s.points(ctx, ref.number, number)
	if err != nil {
		return nil, err
	}
	metrics := make([]Metric, len(points))
	for i, p := range points {
		metrics[i] = Metric{Key: key, Value: p.value, At: p.at, Step: p.step}
	}
	return metrics, nil
}
