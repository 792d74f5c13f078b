package experiment

import (
	"context"
	"slices"

	"github.com/fairlead/fairlead/base/store"
)

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
		for _, from := range []string{"metrics WHERE id >= ? AND id < ?", "params WHERE id >= ? AND id < ?", "tags WHERE id >= ? AND id < ?", "metric_chunks WHERE metric >= ? AND metric < ?"} {
			if _, err := store.Exec(ctx, tx, "DELETE FROM "+from, begin, end); err != nil {
				return err
			}
		}
		for _, from := range []string{"metric_journal WHERE run", "inputs WHERE run", "run_models WHERE run", "runs WHERE id"} {
			if _, err := store.Exec(ctx, tx, "DELETE FROM "+from+" = ?", n); err != nil {
				return err
			}
		}
	}
	return nil
}

// PurgeRule says what is removed for good: the runs, logged models and experiments that were deleted before a time.
type PurgeRule struct {
	// Before is in milliseconds since 1970.
	Before int64
	// KeepRuns and KeepModels are SQL that selects the ids of runs, and of logged models, that stay although they were
	// deleted, because something else needs their files; "" for none.
	KeepRuns, KeepModels string
}

// runs is the condition of the runs that the rule removes.
func (r PurgeRule) runs() string {
	condition := "stage = 1 AND removed_at < ?"
	if r.KeepRuns != "" {
		condition += " AND uuid NOT IN (" + r.KeepRuns + ")"
	}
	return condition
}

// models is the condition of the logged models that the rule removes.
func (r PurgeRule) models() string {
	condition := "removed_at > 0 AND removed_at < ?"
	if r.KeepModels != "" {
		condition += " AND id NOT IN (" + r.KeepModels + ")"
	}
	return condition
}

// Purged is what a purge removed, or would remove.
type Purged struct {
	Experiments, Runs, Models int
	// Folders are those whose files belong to nothing any more, below the root of all artifacts.
	Folders []string
	// ExperimentIDs are the experiments that are gone.
	ExperimentIDs []int64
}

func (p *Purged) add(more Purged) {
	p.Experiments += more.Experiments
	p.Runs += more.Runs
	p.Models += more.Models
	p.Folders = append(p.Folders, more.Folders...)
	p.ExperimentIDs = append(p.ExperimentIDs, more.ExperimentIDs...)
}

// Within is called in the transactions that purge something, with what they purge, to remove what belongs to it elsewhere.
type Within func(ctx context.Context, tx store.Tx, part Purged) error

// purgeBatch is how many runs one transaction of a purge removes.
const purgeBatch = 200

// PreviewPurge counts what a purge would remove. Experiments whose last runs would be removed count, too.
func (s *Store) PreviewPurge(ctx context.Context, rule PurgeRule) (p Purged, err error) {
	err = s.locations(ctx, s.db.Read(), rule, 1<<31-1, &p, func(string) {}, func(string) {})
	if err != nil {
		return p, err
	}
	query := "SELECT e.id FROM experiments AS e WHERE e.stage = 1 AND e.updated_at < ? AND e.id <> 0 AND NOT EXISTS (SELECT 1 FROM runs AS r WHERE r.experiment = e.id AND r.id NOT IN (SELECT id FROM runs WHERE " + rule.runs() + "))"
	err = store.Each(ctx, s.db.Read(), query, []any{rule.Before, rule.Before}, func(scan func(into ...any) error) error {
		var id int64
		p.Experiments++
		return scan(&id)
	})
	return p, err
}

// locations lists at most most runs and logged models that a rule removes.
func (s *Store) locations(ctx context.Context, db store.Querier, rule PurgeRule, most int, p *Purged, run, model func(id string)) error {
	var at []string
	list := func(query string, n *int, each func(id string)) error {
		return store.Each(ctx, db, query, []any{rule.Before, most}, func(scan func(into ...any) error) error {
			var id, location string
			err := scan(&id, &location)
			at = append(at, location)
			*n++
			each(id)
			return err
		})
	}
	if err := list("SELECT uuid, location FROM runs WHERE "+rule.runs()+" ORDER BY id LIMIT ?", &p.Runs, run); err != nil {
		return err
	}
	if err := list("SELECT id, location FROM logged_models WHERE "+rule.models()+" ORDER BY id LIMIT ?", &p.Models, model); err != nil {
		return err
	}
	p.Folders = folders(at)
	return nil
}

// PurgeDeleted removes for good what a rule says, in many transactions: one that fails leaves the rest for the next time.
// Names of experiments are free again; numbers are never given again.
func (s *Store) PurgeDeleted(ctx context.Context, rule PurgeRule, within Within) (total Purged, err error) {
	for {
		part, err := s.purgeSome(ctx, rule, within)
		if err != nil {
			return total, err
		}
		total.add(part)
		if part.Runs+part.Models == 0 {
			break
		}
	}
	part, err := s.purgeExperiments(ctx, rule, within)
	if err == nil {
		total.add(part)
	}
	return total, err
}

func (s *Store) purgeSome(ctx context.Context, rule PurgeRule, within Within) (part Purged, err error) {
	err = s.write(ctx, "purge what was deleted", func(ctx context.Context, tx store.Tx) error {
		part = Purged{}
		var runs, models []string
		err := s.locations(ctx, tx, rule, purgeBatch, &part, func(id string) { runs = append(runs, id) }, func(id string) { models = append(models, id) })
		if err != nil || len(runs)+len(models) == 0 {
			return err
		}
		var numbers []int64
		if len(runs) > 0 {
			if err := tx.NewRaw("SELECT id FROM runs WHERE uuid IN (?)", store.List(runs)).Scan(ctx, &numbers); err != nil {
				return err
			}
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
		return within(ctx, tx, part)
	})
	s.forgetAll()
	return part, err
}

// purgeExperiments removes those deleted experiments that have no runs any more.
func (s *Store) purgeExperiments(ctx context.Context, rule PurgeRule, within Within) (part Purged, err error) {
	err = s.write(ctx, "purge experiments", func(ctx context.Context, tx store.Tx) error {
		part = Purged{}
		var at []string
		query := "SELECT e.id, e.location FROM experiments AS e WHERE e.stage = 1 AND e.updated_at < ? AND e.id <> 0 AND NOT EXISTS (SELECT 1 FROM runs AS r WHERE r.experiment = e.id) AND NOT EXISTS (SELECT 1 FROM logged_models AS m WHERE m.experiment = e.id AND (m.removed_at = 0"
		if rule.KeepModels != "" {
			query += " OR m.id IN (" + rule.KeepModels + ")"
		}
		err := store.Each(ctx, tx, query+"))", []any{rule.Before}, func(scan func(into ...any) error) error {
			var id int64
			var location string
			err := scan(&id, &location)
			part.ExperimentIDs, at = append(part.ExperimentIDs, id), append(at, location)
			return err
		})
		if err != nil || len(part.ExperimentIDs) == 0 {
			return err
		}
		for _, from := range []string{"experiment_tags WHERE experiment", "experiment_keys WHERE experiment", "datasets WHERE experiment", "experiments WHERE id"} {
			if _, err := tx.NewRaw("DELETE FROM "+from+" IN (?)", store.List(part.ExperimentIDs)).Exec(ctx); err != nil {
				return err
			}
		}
		part.Experiments, part.Folders = len(part.ExperimentIDs), folders(at)
		return within(ctx, tx, part)
	})
	s.forgetAll()
	return part, err
}

// forgetAll drops what is remembered of runs.
func (s *Store) forgetAll() {
	s.runs.clear()
	s.tables.clear()
	s.documents.clear()
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
