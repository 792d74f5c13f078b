package experiment

import (
	"cmp"
	"context"
	"encoding/json"
	"math"
	"slices"

	"github.com/fairlead/fairlead/base/store"
)

// loadBatch is of how many runs one statement reads what was logged.
const loadBatch = 500

// load fills in what was logged to runs.
func (s *Store) load(ctx context.Context, db store.Querier, runs []*Run) error {
	for len(runs) > 0 {
		some := runs[:min(loadBatch, len(runs))]
		runs = runs[len(some):]
		if err := s.loadSome(ctx, db, some); err != nil {
			return err
		}
	}
	return nil
}

// held is a row of metrics, params or tags of a run whose key is not known by name yet.
type held struct {
	run  *Run
	key  int64
	text string
	Metric
}

func (s *Store) loadSome(ctx context.Context, db store.Querier, runs []*Run) error {
	numbers := make([]int64, len(runs))
	place := make(map[int64]*Run, len(runs))
	for i, run := range runs {
		numbers[i] = run.number
		place[run.number] = run
	}
	metrics, err := s.rowsOf(ctx, db, "metrics", "x.id, x.value, x.nan, x.at, x.step", numbers, place)
	if err != nil {
		return err
	}
	params, err := s.rowsOf(ctx, db, "params", "x.id, x.value", numbers, place)
	if err != nil {
		return err
	}
	tags, err := s.rowsOf(ctx, db, "tags", "x.id, x.value", numbers, place)
	if err != nil {
		return err
	}
	names := map[int64]string{}
	for _, list := range [][]held{metrics, params, tags} {
		for i := range list {
			names[list[i].key] = ""
		}
	}
	if err := s.lookup(ctx, db, names); err != nil {
		return err
	}
	for _, m := range metrics {
		m.Key = names[m.key]
		m.run.Metrics = append(m.run.Metrics, m.Metric)
	}
	for _, p := range params {
		p.run.Params = append(p.run.Params, Param{Key: names[p.key], Value: p.text})
	}
	for _, t := range tags {
		t.run.Tags = append(t.run.Tags, Tag{Key: names[t.key], Value: t.text})
	}
	if err := s.loadInputs(ctx, db, numbers, place); err != nil {
		return err
	}
	return s.loadModels(ctx, db, numbers, place)
}

// rowsOf reads what runs have in one of the tables whose ids begin with the run.
func (s *Store) rowsOf(ctx context.Context, db store.Querier, table, columns string, numbers []int64, place map[int64]*Run) (list []held, err error) {
	rows, err := db.QueryContext(ctx, "SELECT "+columns+" FROM runs AS r JOIN "+table+" AS x ON x.id >= r.id * 16777216 AND x.id < (r.id + 1) * 16777216 WHERE r.id IN (?)", store.List(numbers))
	if err != nil {
		return nil, store.Classify(err)
	}
	defer rows.Close()
	for rows.Next() {
		var h held
		var id, nan int64
		if table == "metrics" {
			err = rows.Scan(&id, &h.Value, &nan, &h.At, &h.Step)
		} else {
			err = rows.Scan(&id, &h.text)
		}
		if err != nil {
			return nil, err
		}
		if nan != 0 {
			h.Value = math.NaN()
		}
		h.run, h.key = place[id>>keyBits], id&maxKeys
		list = append(list, h)
	}
	return list, store.Classify(rows.Err())
}

func (s *Store) loadInputs(ctx context.Context, db store.Querier, numbers []int64, place map[int64]*Run) error {
	rows, err := db.QueryContext(ctx, `SELECT i.run, i.tags, d.name, d.digest, d.source_type, d.source, d.schema, d.profile
		FROM inputs AS i JOIN datasets AS d ON d.id = i.dataset WHERE i.run IN (?) ORDER BY i.run, d.id`, store.List(numbers))
	if err != nil {
		return store.Classify(err)
	}
	defer rows.Close()
	for rows.Next() {
		var run int64
		var tags string
		var in Input
		d := &in.Dataset
		if err := rows.Scan(&run, &tags, &d.Name, &d.Digest, &d.SourceType, &d.Source, &d.Schema, &d.Profile); err != nil {
			return err
		}
		if in.Tags, err = readTags(tags); err != nil {
			return err
		}
		place[run].Datasets = append(place[run].Datasets, in)
	}
	return store.Classify(rows.Err())
}

// readTags reads tags that are stored as a JSON object, by key.
func readTags(text string) ([]Tag, error) {
	var object map[string]string
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		return nil, err
	}
	tags := make([]Tag, 0, len(object))
	for key, value := range object {
		tags = append(tags, Tag{Key: key, Value: value})
	}
	slices.SortFunc(tags, func(a, b Tag) int { return cmp.Compare(a.Key, b.Key) })
	return tags, nil
}

func (s *Store) loadModels(ctx context.Context, db store.Querier, numbers []int64, place map[int64]*Run) error {
	rows, err := db.QueryContext(ctx, "SELECT run, direction, model, step FROM run_models WHERE run IN (?) ORDER BY run, direction, model", store.List(numbers))
	if err != nil {
		return store.Classify(err)
	}
	defer rows.Close()
	for rows.Next() {
		var run, direction int64
		var made ModelMade
		if err := rows.Scan(&run, &direction, &made.Model, &made.Step); err != nil {
			return err
		}
		if direction == modelRead {
			place[run].ModelsRead = append(place[run].ModelsRead, made.Model)
		} else {
			place[run].ModelsMade = append(place[run].ModelsMade, made)
		}
	}
	return store.Classify(rows.Err())
}
