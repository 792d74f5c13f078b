package trace

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ml/artifact"
	"github.com/fairlead/fairlead/ml/experiment"
)

const columns = "t.id, t.experiment, t.started_at, t.took, t.state, t.client, t.request, t.response"

// scan reads a row of columns, and what stands behind them.
func (i *Info) scan(row interface{ Scan(into ...any) error }, more ...any) error {
	var took sql.NullInt64
	if err := row.Scan(append([]any{&i.ID, &i.Experiment, &i.StartedAt, &took, &i.State, &i.Client, &i.Request, &i.Response}, more...)...); err != nil {
		return err
	}
	if took.Valid {
		i.Took = &took.Int64
	}
	return nil
}

func absent(id string) error {
	return experiment.Refuse(experiment.DoesNotExist, "Trace with ID '%s' not found.", experiment.Cut(id))
}

// find returns a trace without what belongs to it.
func find(ctx context.Context, db store.Querier, id string) (info Info, err error) {
	err = store.Classify(info.scan(db.QueryRowContext(ctx, "SELECT "+columns+" FROM traces AS t WHERE t.id = ?", id)))
	if errors.Is(err, store.ErrNotFound) {
		err = absent(id)
	}
	return info, err
}

// Info returns one trace without its spans.
func (s *Store) Info(ctx context.Context, id string) (Info, error) {
	return s.full(ctx, s.db.Read(), id)
}

func (s *Store) full(ctx context.Context, db store.Querier, id string) (Info, error) {
	info, err := find(ctx, db, id)
	if err != nil {
		return info, err
	}
	list := []Info{info}
	err = load(ctx, db, list)
	return list[0], err
}

// load fills in tags, metadata, assessments and the name of the root.
func load(ctx context.Context, db store.Querier, list []Info) error {
	if len(list) == 0 {
		return nil
	}
	place := map[string]*Info{}
	ids := make([]string, len(list))
	for i := range list {
		ids[i] = list[i].ID
		place[ids[i]] = &list[i]
	}
	for _, table := range []string{"trace_tags", "trace_metadata"} {
		query := "SELECT trace, name, value FROM " + table + " WHERE trace IN (?) ORDER BY trace, n, name"
		err := store.Each(ctx, db, query, []any{store.List(ids)}, func(scan func(into ...any) error) error {
			var id string
			var tag experiment.Tag
			if err := scan(&id, &tag.Key, &tag.Value); err != nil {
				return err
			}
			if table == "trace_tags" {
				place[id].Tags = append(place[id].Tags, tag)
			} else {
				place[id].Metadata = append(place[id].Metadata, tag)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	const roots = "SELECT trace, name FROM trace_spans WHERE trace IN (?) AND parent = '' ORDER BY started_at DESC, id DESC" // the first comes last, and stays
	err := store.Each(ctx, db, roots, []any{store.List(ids)}, func(scan func(into ...any) error) error {
		var id, name string
		if err := scan(&id, &name); err != nil {
			return err
		}
		place[id].Root = name
		return nil
	})
	if err != nil {
		return err
	}
	rows, err := db.QueryContext(ctx, "SELECT trace, body FROM assessments WHERE trace IN (?) ORDER BY trace, n", store.List(ids))
	if err != nil {
		return store.Classify(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, body string
		if err := rows.Scan(&id, &body); err != nil {
			return err
		}
		place[id].Assessments = append(place[id].Assessments, json.RawMessage(body))
	}
	return store.Classify(rows.Err())
}

// locate returns where the files of a trace are.
func (s *Store) locate(ctx context.Context, experimentID int64, id string) (string, error) {
	e, err := s.experiments.Experiment(ctx, experimentID)
	if err != nil {
		return "", err
	}
	if e.Deleted {
		return "", invalid("The experiment %d must be in the 'active' state. Current state is deleted: restore it first", e.ID)
	}
	return strings.TrimSuffix(e.Location, "/") + "/traces/" + id + "/artifacts", nil
}

func set(ctx context.Context, tx store.Tx, table, id string, tags []experiment.Tag) error {
	for _, tag := range tags {
		_, err := store.Exec(ctx, tx, "INSERT INTO "+table+" (trace, name, value, n) VALUES (?, ?, ?, (SELECT COUNT(*) FROM "+table+" WHERE trace = ?)) ON CONFLICT (trace, name) DO UPDATE SET value = excluded.value",
			id, experiment.CutTo(tag.Key, maxTagKey), experiment.CutTo(tag.Value, maxTagValue), id)
		if err != nil {
			return err
		}
	}
	return nil
}

// Start stores what a client says of a trace. One that is there already is updated: what it says replaces, tags and
// metadata are added.
func (s *Store) Start(ctx context.Context, info Info) (Info, error) {
	if info.ID == "" {
		return info, invalid("trace_id: it is missing; give the id of the trace")
	}
	location, err := s.locate(ctx, info.Experiment, info.ID)
	if err != nil {
		return info, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		var took any
		if info.Took != nil {
			took = *info.Took
		}
		_, err := store.Exec(ctx, tx, `INSERT INTO traces (id, experiment, started_at, took, state, client, request, response, told) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1)
			ON CONFLICT (id) DO UPDATE SET experiment = excluded.experiment, started_at = excluded.started_at, took = excluded.took, state = excluded.state, client = excluded.client,
			request = excluded.request, response = excluded.response, told = 1`,
			info.ID, info.Experiment, info.StartedAt, took, string(info.State), info.Client, experiment.CutTo(info.Request, maxPreview), experiment.CutTo(info.Response, maxPreview))
		if err != nil {
			return err
		}
		if err := set(ctx, tx, "trace_tags", info.ID, append(info.Tags, experiment.Tag{Key: tagLocation, Value: location})); err != nil {
			return err
		}
		return set(ctx, tx, "trace_metadata", info.ID, append(info.Metadata, experiment.Tag{Key: metaFinalized, Value: "true"}))
	})
	if err != nil {
		return info, err
	}
	return s.Info(ctx, info.ID)
}

// Begin stores the begin of a trace of a client before 3.0 and gives it an id.
func (s *Store) Begin(ctx context.Context, experimentID, at int64, metadata, tags []experiment.Tag) (Info, error) {
	info := Info{ID: newID(""), Experiment: experimentID, StartedAt: at, State: InProgress}
	location, err := s.locate(ctx, experimentID, info.ID)
	if err != nil {
		return info, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := store.Exec(ctx, tx, "INSERT INTO traces (id, experiment, started_at, took, state, client, request, response, told) VALUES (?, ?, ?, NULL, ?, '', '', '', 1)",
			info.ID, info.Experiment, info.StartedAt, string(info.State))
		if err != nil {
			return err
		}
		if err := set(ctx, tx, "trace_tags", info.ID, append(tags, experiment.Tag{Key: tagLocation, Value: location})); err != nil {
			return err
		}
		return set(ctx, tx, "trace_metadata", info.ID, metadata)
	})
	if err != nil {
		return info, err
	}
	return s.Info(ctx, info.ID)
}

// End stores the end of a trace of a client before 3.0; at is when, in milliseconds since 1970.
func (s *Store) End(ctx context.Context, id string, at int64, state State, metadata, tags []experiment.Tag) (Info, error) {
	err := s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		info, err := find(ctx, tx, id)
		if err != nil {
			return err
		}
		if _, err := store.Exec(ctx, tx, "UPDATE traces SET took = ?, state = ? WHERE id = ?", at-info.StartedAt, string(state), id); err != nil {
			return err
		}
		if err := set(ctx, tx, "trace_tags", id, tags); err != nil {
			return err
		}
		return set(ctx, tx, "trace_metadata", id, metadata)
	})
	if err != nil {
		return Info{}, err
	}
	return s.Info(ctx, id)
}

// SetTag sets a tag.
func (s *Store) SetTag(ctx context.Context, id string, tag experiment.Tag) error {
	if err := experiment.CheckKey("tag", tag.Key); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if _, err := find(ctx, tx, id); err != nil {
			if experiment.CodeOf(err) == experiment.DoesNotExist {
				return badRequest("%v", err)
			}
			return err
		}
		return set(ctx, tx, "trace_tags", id, []experiment.Tag{tag})
	})
}

// DeleteTag removes a tag.
func (s *Store) DeleteTag(ctx context.Context, id, key string) error {
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		result, err := store.Exec(ctx, tx, "DELETE FROM trace_tags WHERE trace = ? AND name = ?", id, key)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return experiment.Refuse(experiment.DoesNotExist, "No tag with key %q in the trace %s", experiment.Cut(key), experiment.Cut(id))
		}
		return nil
	})
}

// Link notes that traces belong to a run. Neither need be known yet.
func (s *Store) Link(ctx context.Context, run string, ids []string) error {
	return s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		for _, id := range ids {
			if _, err := store.Exec(ctx, tx, "INSERT INTO trace_runs (trace, run) VALUES (?, ?) ON CONFLICT DO NOTHING", id, run); err != nil {
				return err
			}
		}
		return nil
	})
}

// Delete removes traces of an experiment: those with ids, or, without ids, at most most of those that began at or before a
// time, the oldest first. It returns how many there were.
func (s *Store) Delete(ctx context.Context, experimentID int64, ids []string, before int64, most int) (deleted int, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		var found []string
		query := tx.NewRaw("SELECT id FROM traces WHERE experiment = ? AND id IN (?)", experimentID, store.List(ids))
		if len(ids) == 0 {
			query = tx.NewRaw("SELECT id FROM traces WHERE experiment = ? AND started_at <= ? ORDER BY started_at, id LIMIT ?", experimentID, before, most)
		}
		if err := query.Scan(ctx, &found); err != nil {
			return err
		}
		deleted = len(found)
		return remove(ctx, tx, found)
	})
	return deleted, err
}

// DeleteBefore removes all traces that began before a time, in milliseconds since 1970, a part in each transaction, and
// returns how many there were.
func (s *Store) DeleteBefore(ctx context.Context, before int64) (deleted int, err error) {
	const part = 500
	for {
		var found []string
		err := s.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			found = nil
			if err := tx.NewRaw("SELECT id FROM traces WHERE started_at < ? LIMIT ?", before, part).Scan(ctx, &found); err != nil {
				return err
			}
			return remove(ctx, tx, found)
		})
		if err != nil || len(found) == 0 {
			return deleted, err
		}
		deleted += len(found)
	}
}

// PurgeExperiments removes all traces, scorers and evaluation sets of experiments that are gone, within their transaction.
func PurgeExperiments(ctx context.Context, tx store.Tx, experiments []int64) error {
	if len(experiments) == 0 {
		return nil
	}
	var ids []string
	if err := tx.NewRaw("SELECT id FROM traces WHERE experiment IN (?)", store.List(experiments)).Scan(ctx, &ids); err != nil {
		return err
	}
	if err := remove(ctx, tx, ids); err != nil {
		return err
	}
	for _, from := range []string{"scorers", "evaluation_set_experiments"} {
		if _, err := tx.NewRaw("DELETE FROM "+from+" WHERE experiment IN (?)", store.List(experiments)).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

// remove removes traces with all that belongs to them, also the files that their clients have put beside them.
func remove(ctx context.Context, tx store.Tx, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	var locations []string
	if err := tx.NewRaw("SELECT value FROM trace_tags WHERE name = ? AND trace IN (?)", tagLocation, store.List(ids)).Scan(ctx, &locations); err != nil {
		return err
	}
	for _, location := range locations {
		folder := experiment.PathOf(location)
		if parts := strings.Split(folder, "/"); len(parts) < 3 || parts[len(parts)-3] != "traces" || !slices.Contains(ids, parts[len(parts)-2]) {
			continue // a client has changed the tag
		}
		if err := artifact.Remove(ctx, tx, strings.TrimSuffix(folder, "/artifacts")); err != nil {
			return err
		}
	}
	for _, from := range []string{"trace_tags WHERE trace", "trace_metadata WHERE trace", "trace_runs WHERE trace", "trace_spans WHERE trace", "assessments WHERE trace", "traces WHERE id"} {
		if _, err := tx.NewRaw("DELETE FROM "+from+" IN (?)", store.List(ids)).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Trace returns one trace with its spans. Of one whose spans were never sent, it refuses the spans, unless partial.
func (s *Store) Trace(ctx context.Context, id string, partial bool) (Trace, error) {
	info, err := s.Info(ctx, id)
	if err != nil {
		return Trace{}, err
	}
	t := Trace{Info: info}
	var bodies []string
	if err := s.db.Read().NewRaw("SELECT body FROM trace_spans WHERE trace = ? ORDER BY started_at, id", id).Scan(ctx, &bodies); err != nil {
		return t, store.Classify(err)
	}
	if len(bodies) == 0 && !partial {
		return t, experiment.Refuse(experiment.DoesNotExist, "The spans of the trace %s were not sent", experiment.Cut(id))
	}
	for _, body := range bodies {
		t.Spans = append(t.Spans, json.RawMessage(body))
	}
	return t, nil
}

// Infos returns those of traces that are known, in the order of ids.
func (s *Store) Infos(ctx context.Context, ids []string) ([]Info, error) {
	var list []Info
	for _, id := range ids {
		info, err := s.Info(ctx, id)
		if experiment.CodeOf(err) == experiment.DoesNotExist {
			continue
		}
		if err != nil {
			return nil, err
		}
		list = append(list, info)
	}
	return list, nil
}
