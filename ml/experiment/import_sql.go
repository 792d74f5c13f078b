package experiment

import (
	"context"
	"fmt"

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
	if err := s.importModelLinks(ctx, ref, &run); err != nil {
		return err
	}
	if !deleted {
		return s.RestoreRun(ctx, run.ID)
	}
	return nil
}

// importModelLinks stores which logged models a run read and made.
func (s *Store) importModelLinks(ctx context.Context, ref reference, run *Run) error {
	rows := make([][]any, 0, len(run.ModelsRead)+len(run.ModelsMade))
	for _, read := range run.ModelsRead {
		rows = append(rows, []any{ref.number, modelRead, read, 0})
	}
	for _, made := range run.ModelsMade {
		rows = append(rows, []any{ref.number, modelMade, made.Model, made.Step})
	}
	if len(rows) == 0 {
		return nil
	}
	return s.write(ctx, "import logged models of a run", func(ctx context.Context, tx store.Tx) error {
		return store.Insert(ctx, tx, "run_models", []string{"run", "direction", "model", "step"}, "ON CONFLICT DO NOTHING", rows)
	})
}

// ImportLoggedModel stores a logged model that was made elsewhere, under the id that it had, with its scores, and reports
// whether it did: one that is there already, also a deleted one, stays as it is.
func (s *Store) ImportLoggedModel(ctx context.Context, m LoggedModel) (imported bool, err error) {
	if m.Location == "" {
		m.Location = location(m.Experiment) + "/models/" + m.ID + "/artifacts"
	}
	err = s.write(ctx, "import a logged model", func(ctx context.Context, tx store.Tx) error {
		var there int
		if err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM logged_models WHERE id = ?", m.ID).Scan(&there); err != nil || there > 0 {
			return err
		}
		if err := insertLoggedModel(ctx, tx, m); err != nil {
			return err
		}
		imported = true
		for _, score := range m.Scores {
			score.Model = m.ID
			if err := s.scoreModels(ctx, tx, score.Run, []Metric{score.Metric}); err != nil {
				return err
			}
		}
		return nil
	})
	return imported && err == nil, err
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
