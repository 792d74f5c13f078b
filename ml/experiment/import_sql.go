package experiment

import (
	"context"
	"fmt"
	"slices"

	"github.com/fairlead/fairlead/base/store"
)

// History is all points of one metric of a run that is imported.
type History struct {
	Key    string
	Points []Metric
}

// importBatch is how many points of a run one transaction stores at most.
const importBatch = 20_000

// HasRun reports whether a run exists, deleted or not.
func (s *Store) HasRun(ctx context.Context, id string) (bool, error) {
	_, err := s.reference(ctx, id)
	if CodeOf(err) == DoesNotExist {
		return false, nil
	}
	return err == nil, err
}

// ImportRun stores a run that was made elsewhere, under the id that it had, with all its points. The run is seen when all of
// it is stored: until then it is marked as deleted. Whoever imports removes a run that was left so (PurgeRun) and begins anew.
func (s *Store) ImportRun(ctx context.Context, run Run, histories []History) error {
	deleted := run.Deleted
	if run.Location == "" {
		run.Location = location(run.Experiment) + "/" + run.ID + "/artifacts"
	}
	run.Deleted = true
	batch := s.keys.batch()
	err := s.write(ctx, "import a run", func(ctx context.Context, tx store.Tx) error {
		if err := s.insertRun(ctx, tx, batch, &run); err != nil {
			return err
		}
		ref := reference{number: run.number, experiment: run.Experiment}
		return s.addParams(ctx, tx, batch, ref, run.Params)
	})
	if err != nil {
		return err
	}
	batch.committed()
	s.runs.forget(run.ID)
	ref := reference{number: run.number, experiment: run.Experiment, location: run.Location}
	for _, h := range histories {
		for points := h.Points; len(points) > 0; {
			some := points[:min(importBatch, len(points))]
			points = points[len(some):]
			if err := s.importPoints(ctx, run.ID, ref, h.Key, some); err != nil {
				return fmt.Errorf("metric %s: %w", h.Key, err)
			}
		}
	}
	for _, in := range run.Datasets {
		err := s.write(ctx, "import inputs", func(ctx context.Context, tx store.Tx) error { return s.addInput(ctx, tx, ref, in) })
		if err != nil {
			return err
		}
	}
	if !deleted {
		return s.RestoreRun(ctx, run.ID)
	}
	return nil
}

// importPoints stores points of one metric.
func (s *Store) importPoints(ctx context.Context, id string, ref reference, key string, points []Metric) error {
	batch := s.keys.batch()
	latest := points[0]
	packed := make([]point, len(points))
	for i, p := range points {
		p.Value = bounded(p.Value)
		packed[i] = point{p.Value, p.At, p.Step}
		if later(p, latest) {
			latest = p
		}
	}
	latest.Key, latest.Value = key, bounded(latest.Value)
	err := s.write(ctx, "import metrics", func(ctx context.Context, tx store.Tx) error {
		if _, _, err := s.addMetrics(ctx, tx, batch, id, ref, []Metric{latest}); err != nil {
			return err
		}
		number, err := batch.number(ctx, tx, key)
		if err != nil {
			return err
		}
		// The latest stands in the journal as well; who reads leaves out what is there twice.
		return store.Insert(ctx, tx, "metric_chunks", []string{"id", "metric", "points"}, "", [][]any{{s.chunks.Add(1), rowID(ref.number, number), appendChunk(nil, packed)}})
	})
	if err == nil {
		batch.committed()
		s.changed(ref.experiment, ref.number)
	}
	return err
}

// ImportExperiment returns the experiment of a name, which it makes if there is none.
func (s *Store) ImportExperiment(ctx context.Context, name string, tags []Tag) (Experiment, error) {
	e, err := s.ExperimentNamed(ctx, name)
	if CodeOf(err) != DoesNotExist {
		return e, err
	}
	return s.CreateExperiment(ctx, name, "", tags)
}

// PurgeRun removes a run for good, with all that was logged to it. Its files are the caller's business.
func (s *Store) PurgeRun(ctx context.Context, id string) error {
	ref, err := s.reference(ctx, id)
	if err != nil {
		return err
	}
	err = s.write(ctx, "purge a run", func(ctx context.Context, tx store.Tx) error { return purgeRuns(ctx, tx, []int64{ref.number}) })
	s.runs.forget(id)
	s.changed(ref.experiment, ref.number)
	return err
}

// purgeRuns removes runs within a transaction.
func purgeRuns(ctx context.Context, tx store.Tx, numbers []int64) error {
	for _, n := range numbers {
		begin, end := rowID(n, 0), rowID(n+1, 0)
		for _, statement := range []string{
			"DELETE FROM metrics WHERE id >= ? AND id < ?", "DELETE FROM params WHERE id >= ? AND id < ?", "DELETE FROM tags WHERE id >= ? AND id < ?", "DELETE FROM metric_chunks WHERE metric >= ? AND metric < ?",
		} {
			if _, err := store.Exec(ctx, tx, statement, begin, end); err != nil {
				return err
			}
		}
		for _, statement := range []string{"DELETE FROM metric_journal WHERE run = ?", "DELETE FROM inputs WHERE run = ?", "DELETE FROM run_models WHERE run = ?", "DELETE FROM runs WHERE id = ?"} {
			if _, err := store.Exec(ctx, tx, statement, n); err != nil {
				return err
			}
		}
	}
	return nil
}

// Purged is what a purge removed.
type Purged struct {
	Experiments, Runs, Models int
	// Folders are those whose files belong to nothing any more, below the root of all artifacts.
	Folders []string
}

// purgeBatch is how many runs one transaction of a purge removes.
const purgeBatch = 200

// PurgeDeleted removes for good the experiments, runs and logged models that were deleted before a time, in milliseconds since
// 1970. Within is called in the transactions that remove something, with the folders whose files go along. Names of
// experiments are free again; numbers are never given again.
func (s *Store) PurgeDeleted(ctx context.Context, before int64, within func(ctx context.Context, tx store.Tx, folders []string) error) (total Purged, err error) {
	for {
		part, err := s.purgeSome(ctx, before, within)
		total.Runs += part.Runs
		total.Models += part.Models
		total.Folders = append(total.Folders, part.Folders...)
		if err != nil {
			return total, err
		}
		if part.Runs+part.Models == 0 {
			break
		}
	}
	total.Experiments, err = s.purgeExperiments(ctx, before, within)
	return total, err
}

func (s *Store) purgeSome(ctx context.Context, before int64, within func(ctx context.Context, tx store.Tx, folders []string) error) (part Purged, err error) {
	var numbers []int64
	err = s.write(ctx, "purge what was deleted", func(ctx context.Context, tx store.Tx) error {
		part, numbers = Purged{}, nil
		var locations []string
		each := func(scan func(into ...any) error) error {
			var n int64
			var at string
			err := scan(&n, &at)
			numbers, locations = append(numbers, n), append(locations, at)
			return err
		}
		if err := store.Each(ctx, tx, "SELECT id, location FROM runs WHERE stage = 1 AND removed_at < ? ORDER BY id LIMIT ?", []any{before, purgeBatch}, each); err != nil {
			return err
		}
		var models []string
		err := store.Each(ctx, tx, "SELECT id, location FROM logged_models WHERE removed_at > 0 AND removed_at < ? ORDER BY id LIMIT ?", []any{before, purgeBatch}, func(scan func(into ...any) error) error {
			var id, at string
			err := scan(&id, &at)
			models, locations = append(models, id), append(locations, at)
			return err
		})
		if err != nil {
			return err
		}
		if err := purgeRuns(ctx, tx, numbers); err != nil {
			return err
		}
		for _, id := range models {
			for _, from := range []string{"logged_model_params WHERE model", "logged_model_tags WHERE model", "logged_model_metrics WHERE model", "logged_models WHERE id"} {
				if _, err := store.Exec(ctx, tx, "DELETE FROM "+from+" = ?", id); err != nil {
					return err
				}
			}
		}
		part.Runs, part.Models, part.Folders = len(numbers), len(models), folders(locations)
		if len(numbers)+len(models) == 0 {
			return nil
		}
		return within(ctx, tx, part.Folders)
	})
	s.runs.clear()
	for _, n := range numbers {
		s.documents.forget(n)
	}
	s.tables.clear()
	return part, err
}

func (s *Store) purgeExperiments(ctx context.Context, before int64, within func(ctx context.Context, tx store.Tx, folders []string) error) (n int, err error) {
	err = s.write(ctx, "purge experiments", func(ctx context.Context, tx store.Tx) error {
		var ids []int64
		var locations []string
		err := store.Each(ctx, tx, "SELECT e.id, e.location FROM experiments AS e WHERE e.stage = 1 AND e.updated_at < ? AND e.id <> 0 AND NOT EXISTS (SELECT 1 FROM runs AS r WHERE r.experiment = e.id)",
			[]any{before}, func(scan func(into ...any) error) error {
				var id int64
				var at string
				err := scan(&id, &at)
				ids, locations = append(ids, id), append(locations, at)
				return err
			})
		if err != nil || len(ids) == 0 {
			return err
		}
		for _, from := range []string{"experiment_tags WHERE experiment", "experiment_keys WHERE experiment", "datasets WHERE experiment", "experiments WHERE id"} {
			if _, err := tx.NewRaw("DELETE FROM "+from+" IN (?)", store.List(ids)).Exec(ctx); err != nil {
				return err
			}
		}
		n = len(ids)
		return within(ctx, tx, folders(locations))
	})
	s.tables.clear()
	return n, err
}

// folders returns those of locations that are kept here, as paths below the root of all artifacts.
func folders(locations []string) []string {
	var list []string
	for _, at := range locations {
		if path := PathOf(at); path != "" {
			list = append(list, path)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}
