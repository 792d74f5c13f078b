package experiment

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/base/store"
)

// maxShared bounds how many texts of a column are looked for among those before.
const maxShared = 10_000

// attributeNames are the attributes that have columns, in the order of their places.
var attributeNames = []string{"run_name", "status", "user_id", "artifact_uri", "end_time"}

// tableOf is the table of each kind of column.
var tableOf = map[byte]string{'m': "metrics", 'p': "params", 't': "tags"}

// ready brings a table up to date for a search that needs columns. It returns with the table locked for reading.
func (s *Store) ready(ctx context.Context, t *table, needed []columnKey) error {
	t.mu.RLock()
	fresh := t.loaded && !s.tables.stale(t.experiment)
	for _, key := range needed {
		fresh = fresh && (t.huge || t.columns[key] != nil)
	}
	if fresh {
		return nil
	}
	t.mu.RUnlock()
	t.mu.Lock()
	err := s.refresh(ctx, t, needed)
	size := t.bytes()
	t.mu.Unlock()
	if err != nil {
		s.tables.drop(t.experiment)
		return fmt.Errorf("read the runs of experiment %d: %w", t.experiment, store.Classify(err))
	}
	s.tables.sized(t, size)
	t.mu.RLock()
	return nil
}

// refresh reads what a table lacks. t.mu must be held.
func (s *Store) refresh(ctx context.Context, t *table, needed []columnKey) error {
	marked := s.tables.take(t.experiment)
	if t.huge {
		return nil
	}
	if len(marked) > rereadMost {
		t.loaded, t.rows = false, nil
		clear(t.place)
		clear(t.columns)
	}
	err := s.readRows(ctx, t, marked)
	if err == nil && !t.huge {
		err = s.readMarked(ctx, t, marked)
	}
	for _, key := range needed {
		if err != nil || t.huge || t.columns[key] != nil {
			continue
		}
		c := &column{}
		c.grow(len(t.rows), key.kind, attributeOf(key))
		if err = s.readColumn(ctx, t, c, key, nil); err == nil {
			t.columns[key] = c
		}
	}
	if err != nil {
		s.tables.put(t.experiment, marked)
	}
	return err
}

func attributeOf(key columnKey) attribute {
	if key.kind != 'a' {
		return attribute{}
	}
	return runAttributes[attributeNames[key.key]]
}

// readRows reads the rows of a table: all at first, later those that are marked.
func (s *Store) readRows(ctx context.Context, t *table, marked map[int64]struct{}) error {
	where, args := "experiment = ?", []any{t.experiment}
	if t.loaded {
		if len(marked) == 0 {
			return nil
		}
		where, args = "id IN (?)", []any{store.List(slices.Collect(maps.Keys(marked)))}
	} else {
		var n int
		if err := s.db.Read().NewRaw("SELECT COUNT(*) FROM runs WHERE experiment = ?", t.experiment).Scan(ctx, &n); err != nil {
			return err
		}
		if t.loaded = true; n > maxTableRows {
			t.huge = true
			return nil
		}
		t.rows = make([]tableRow, 0, n+n/8)
	}
	rows, err := s.db.Read().QueryContext(ctx, "SELECT id, uuid, started_at, stage FROM runs WHERE "+where+" ORDER BY id", args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	seen := map[int64]struct{}{}
	for rows.Next() {
		var r tableRow
		if err := rows.Scan(&r.number, &r.id, &r.started, &r.deleted); err != nil {
			return err
		}
		if i, known := t.place[r.number]; known {
			t.rows[i] = r
		} else {
			t.place[r.number] = int32(len(t.rows)) //nolint:gosec // at most maxTableRows and what came since
			t.rows = append(t.rows, r)
		}
		if len(marked) > 0 {
			seen[r.number] = struct{}{}
		}
	}
	for number := range marked {
		if i, known := t.place[number]; known {
			if _, there := seen[number]; !there {
				t.rows[i].gone = true
			}
		}
	}
	return rows.Err()
}

// readMarked reads the columns of marked runs again.
func (s *Store) readMarked(ctx context.Context, t *table, marked map[int64]struct{}) error {
	for key, c := range t.columns {
		c.grow(len(t.rows), key.kind, attributeOf(key))
		if len(marked) == 0 {
			continue
		}
		numbers := slices.Sorted(maps.Keys(marked))
		for _, number := range numbers {
			if i, known := t.place[number]; known {
				c.state[i] = absent
			}
		}
		if err := s.readColumn(ctx, t, c, key, numbers); err != nil {
			return err
		}
	}
	return nil
}

// readColumn reads a column of the runs with these numbers; nil means all.
func (s *Store) readColumn(ctx context.Context, t *table, c *column, key columnKey, numbers []int64) error {
	for {
		some := numbers[:min(loadBatch, len(numbers))]
		numbers = numbers[len(some):]
		if err := s.readPart(ctx, t, c, key, some); err != nil || len(numbers) == 0 {
			return err
		}
	}
}

func (s *Store) readPart(ctx context.Context, t *table, c *column, key columnKey, numbers []int64) error {
	where, args := "r.experiment = ?", []any{t.experiment}
	if numbers != nil {
		where, args = "r.id IN (?)", []any{store.List(numbers)}
	}
	var query string
	switch key.kind {
	case 'a':
		query = "SELECT r.id, " + runAttributes[attributeNames[key.key]].column + " FROM runs AS r WHERE " + where
	case 'm':
		query = fmt.Sprintf("SELECT r.id, x.value, x.nan FROM runs AS r JOIN metrics AS x ON x.id = r.id * 16777216 + %d WHERE %s", key.key, where)
	default:
		query = fmt.Sprintf("SELECT r.id, x.value FROM runs AS r JOIN %s AS x ON x.id = r.id * 16777216 + %d WHERE %s", tableOf[key.kind], key.key, where)
	}
	rows, err := s.db.Read().QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	a := attributeOf(key)
	var number int64
	known := map[string]string{} // many runs share a text
	for rows.Next() {
		var value float64
		var nan uint8
		var text string
		var whole sql.NullInt64
		switch {
		case key.kind == 'm':
			err = rows.Scan(&number, &value, &nan)
		case a.number:
			err = rows.Scan(&number, &whole)
		default:
			err = rows.Scan(&number, &text)
		}
		if err != nil {
			return err
		}
		i, there := t.place[number]
		if !there {
			continue // it came after the rows were read, and is marked
		}
		switch {
		case key.kind == 'm':
			c.numbers[i], c.state[i] = value, nan
		case a.number:
			c.whole[i] = whole.Int64
			if whole.Valid {
				c.state[i] = present
			}
		default:
			if same, ok := known[text]; ok {
				text = same
			} else if len(known) < maxShared {
				known[text] = text
			}
			c.texts[i], c.state[i] = text, present
		}
	}
	return rows.Err()
}

// inDatasets returns the runs of an experiment that read a data set of which all conditions hold.
func (s *Store) inDatasets(ctx context.Context, experiment int64, conditions []string, args []any) (map[int64]struct{}, error) {
	rows, err := s.db.Read().QueryContext(ctx, "SELECT DISTINCT i.run FROM datasets AS d JOIN inputs AS i ON i.dataset = d.id WHERE d.experiment = ? AND "+strings.Join(conditions, " AND "), append([]any{experiment}, args...)...)
	if err != nil {
		return nil, store.Classify(err)
	}
	defer rows.Close()
	runs := map[int64]struct{}{}
	for rows.Next() {
		var run int64
		if err := rows.Scan(&run); err != nil {
			return nil, err
		}
		runs[run] = struct{}{}
	}
	return runs, store.Classify(rows.Err())
}
