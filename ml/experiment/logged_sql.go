package experiment

import (
	"context"
	"math"
	"strings"

	"github.com/fairlead/fairlead/base/store"
)

// CreateLoggedModel begins a logged model, which is pending.
func (s *Store) CreateLoggedModel(ctx context.Context, n NewLoggedModel) (m LoggedModel, err error) {
	if err := n.check(); err != nil {
		return m, err
	}
	if n.Name == "" {
		n.Name = RandomName()
	}
	m = LoggedModel{
		ID: "m-" + newID(), Experiment: n.Experiment, Name: n.Name, Kind: n.Kind, Run: n.Run, Status: ModelPending,
		CreatedAt: now(), Tags: n.Tags, Params: n.Params,
	}
	m.UpdatedAt = m.CreatedAt
	err = s.write(ctx, "create a logged model", func(ctx context.Context, tx store.Tx) error {
		e, err := findExperiment(ctx, tx, n.Experiment)
		if err != nil {
			return err
		}
		if e.Deleted {
			return invalid("The experiment %d must be in the 'active' state. Current state is deleted: restore it first", e.ID)
		}
		m.Location = strings.TrimSuffix(e.Location, "/") + "/models/" + m.ID + "/artifacts"
		return insertLoggedModel(ctx, tx, m)
	})
	return m, err
}

func insertLoggedModel(ctx context.Context, tx store.Tx, m LoggedModel) error {
	_, err := store.Exec(ctx, tx, "INSERT INTO logged_models (id, experiment, name, kind, run, status, location, created_at, updated_at, removed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)",
		m.ID, m.Experiment, m.Name, m.Kind, m.Run, string(m.Status), m.Location, m.CreatedAt, m.UpdatedAt)
	if err != nil {
		return err
	}
	for _, p := range m.Params {
		if _, err := store.Exec(ctx, tx, "INSERT INTO logged_model_params (model, name, value) VALUES (?, ?, ?)", m.ID, p.Key, CutTo(p.Value, maxParam)); err != nil {
			return err
		}
	}
	return setModelTags(ctx, tx, m.ID, m.Tags)
}

func setModelTags(ctx context.Context, tx store.Tx, id string, tags []Tag) error {
	for _, t := range tags {
		_, err := store.Exec(ctx, tx, "INSERT INTO logged_model_tags (model, name, value) VALUES (?, ?, ?) ON CONFLICT (model, name) DO UPDATE SET value = excluded.value", id, t.Key, t.Value)
		if err != nil {
			return err
		}
	}
	return nil
}

const loggedColumns = "m.id, m.experiment, m.name, m.kind, m.run, m.status, m.location, m.created_at, m.updated_at"

func (m *LoggedModel) into() []any {
	return []any{&m.ID, &m.Experiment, &m.Name, &m.Kind, &m.Run, &m.Status, &m.Location, &m.CreatedAt, &m.UpdatedAt}
}

// LoggedModel returns one logged model that is not deleted.
func (s *Store) LoggedModel(ctx context.Context, id string) (LoggedModel, error) {
	return findLoggedModel(ctx, s.db.Read(), id)
}

func findLoggedModel(ctx context.Context, db store.Querier, id string) (LoggedModel, error) {
	if id == "" {
		return LoggedModel{}, invalid("model_id: it is missing; give the id of a logged model")
	}
	list := make([]LoggedModel, 1)
	err := db.QueryRowContext(ctx, "SELECT "+loggedColumns+" FROM logged_models AS m WHERE m.id = ? AND m.removed_at = 0", id).Scan(list[0].into()...)
	if err != nil {
		return LoggedModel{}, missing(err, "Logged model with ID '%s' not found", Cut(id))
	}
	err = loadLoggedModels(ctx, db, list)
	return list[0], err
}

// loadLoggedModels fills in tags, params and scores.
func loadLoggedModels(ctx context.Context, db store.Querier, list []LoggedModel) error {
	if len(list) == 0 {
		return nil
	}
	place := map[string]*LoggedModel{}
	ids := make([]string, len(list))
	for i := range list {
		ids[i] = list[i].ID
		place[ids[i]] = &list[i]
	}
	for _, table := range []string{"logged_model_params", "logged_model_tags"} {
		query := "SELECT model, name, value FROM " + table + " WHERE model IN (?) ORDER BY model, name"
		err := store.Each(ctx, db, query, []any{store.List(ids)}, func(scan func(into ...any) error) error {
			var id, key, value string
			if err := scan(&id, &key, &value); err != nil {
				return err
			}
			if table == "logged_model_tags" {
				place[id].Tags = append(place[id].Tags, Tag{key, value})
			} else {
				place[id].Params = append(place[id].Params, Param{key, value})
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	rows, err := db.QueryContext(ctx, "SELECT model, name, run, dataset, digest, value, at, step FROM logged_model_metrics WHERE model IN (?) ORDER BY model, name, dataset, digest, run", store.List(ids))
	if err != nil {
		return store.Classify(err)
	}
	defer rows.Close()
	for rows.Next() {
		var c Score
		if err := rows.Scan(&c.Model, &c.Key, &c.Run, &c.Dataset, &c.Digest, &c.Value, &c.At, &c.Step); err != nil {
			return err
		}
		place[c.Model].Scores = append(place[c.Model].Scores, c)
	}
	return store.Classify(rows.Err())
}

// changeLoggedModel runs a change on a logged model that is not deleted, and returns the result.
func (s *Store) changeLoggedModel(ctx context.Context, id string, change func(ctx context.Context, tx store.Tx, m LoggedModel) error) (m LoggedModel, err error) {
	err = s.write(ctx, "change a logged model", func(ctx context.Context, tx store.Tx) error {
		m, err := findLoggedModel(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := change(ctx, tx, m); err != nil {
			return err
		}
		_, err = store.Exec(ctx, tx, "UPDATE logged_models SET updated_at = ? WHERE id = ?", now(), id)
		return err
	})
	if err != nil {
		return m, err
	}
	return s.LoggedModel(ctx, id)
}

// FinalizeLoggedModel says how a logged model ended up.
func (s *Store) FinalizeLoggedModel(ctx context.Context, id string, status ModelStatus) (LoggedModel, error) {
	return s.changeLoggedModel(ctx, id, func(ctx context.Context, tx store.Tx, _ LoggedModel) error {
		_, err := store.Exec(ctx, tx, "UPDATE logged_models SET status = ? WHERE id = ?", string(status), id)
		return err
	})
}

// SetLoggedModelTags sets tags.
func (s *Store) SetLoggedModelTags(ctx context.Context, id string, tags []Tag) (LoggedModel, error) {
	if err := checkModelTags(tags); err != nil {
		return LoggedModel{}, err
	}
	return s.changeLoggedModel(ctx, id, func(ctx context.Context, tx store.Tx, _ LoggedModel) error {
		return setModelTags(ctx, tx, id, tags)
	})
}

// SetLoggedModelTag sets one tag within another change, if the model is there: for what registers it.
func SetLoggedModelTag(ctx context.Context, tx store.Tx, id string, tag Tag) error {
	if _, err := findLoggedModel(ctx, tx, id); err != nil {
		return err
	}
	return setModelTags(ctx, tx, id, []Tag{tag})
}

// LoggedModelIn returns a logged model as a transaction sees it.
func LoggedModelIn(ctx context.Context, tx store.Tx, id string) (LoggedModel, error) {
	return findLoggedModel(ctx, tx, id)
}

// DeleteLoggedModelTag removes a tag.
func (s *Store) DeleteLoggedModelTag(ctx context.Context, id, key string) error {
	_, err := s.changeLoggedModel(ctx, id, func(ctx context.Context, tx store.Tx, _ LoggedModel) error {
		result, err := store.Exec(ctx, tx, "DELETE FROM logged_model_tags WHERE model = ? AND name = ?", id, key)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return Refuse(DoesNotExist, "No tag with key %q found for the logged model %s", Cut(key), id)
		}
		return nil
	})
	return err
}

// RefuseLoggedModelParams refuses to change the params of a logged model, which are given when it is made.
func (s *Store) RefuseLoggedModelParams(ctx context.Context, id string) error {
	if _, err := s.LoggedModel(ctx, id); err != nil {
		return err
	}
	return invalid("params: those of a logged model are given when it is made, and do not change")
}

// DeleteLoggedModel deletes a logged model; one that is deleted stays so.
func (s *Store) DeleteLoggedModel(ctx context.Context, id string) error {
	return s.write(ctx, "delete a logged model", func(ctx context.Context, tx store.Tx) error {
		var removed int64
		if err := tx.QueryRowContext(ctx, "SELECT removed_at FROM logged_models WHERE id = ?", id).Scan(&removed); err != nil {
			return missing(err, "Logged model with ID '%s' not found", Cut(id))
		}
		if removed != 0 {
			return nil
		}
		_, err := store.Exec(ctx, tx, "UPDATE logged_models SET removed_at = ? WHERE id = ?", now(), id)
		return err
	})
}

// scoreModels notes those of metrics that are scores of logged models.
func (s *Store) scoreModels(ctx context.Context, tx store.Tx, run string, metrics []Metric) error {
	for _, m := range metrics {
		if m.Model == "" {
			continue
		}
		var there int
		if err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM logged_models WHERE id = ?", m.Model).Scan(&there); err != nil {
			return err
		}
		if there == 0 {
			return Refuse(BadRequest, "metric %s: there is no logged model %q", m.Key, Cut(m.Model))
		}
		nan := 0
		if math.IsNaN(m.Value) {
			nan = 1
		}
		_, err := store.Exec(ctx, tx, `INSERT INTO logged_model_metrics (model, name, run, dataset, digest, value, nan, at, step) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (model, name, run, dataset, digest) DO UPDATE SET value = excluded.value, nan = excluded.nan, at = excluded.at, step = excluded.step
			WHERE (excluded.step, excluded.at, excluded.value) > (logged_model_metrics.step, logged_model_metrics.at, logged_model_metrics.value)`,
			m.Model, m.Key, run, m.Dataset, m.Digest, flat(m.Value), nan, m.At, m.Step)
		if err != nil {
			return err
		}
	}
	return nil
}
