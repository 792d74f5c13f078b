package experiment

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/fairlead/fairlead/base/store"
)

// reference finds a run to write to; deleted or not.
func (s *Store) reference(ctx context.Context, id string) (reference, error) {
	if ref, ok := s.runs.get(id); ok {
		return ref, nil
	}
	ref := reference{journal: -1}
	err := s.db.Read().QueryRowContext(ctx, "SELECT id, experiment, location, stage FROM runs WHERE uuid = ?", id).
		Scan(&ref.number, &ref.experiment, &ref.location, &ref.deleted)
	if err != nil {
		return ref, missing(err, "Run with id=%s not found", Cut(id))
	}
	s.runs.put(id, ref)
	return ref, nil
}

// ExperimentOf returns the experiment of a run.
func (s *Store) ExperimentOf(ctx context.Context, run string) (int64, error) {
	ref, err := s.reference(ctx, run)
	return ref.experiment, err
}

// writable is reference for a run that must be active.
func (s *Store) writable(ctx context.Context, id string) (reference, error) {
	if id == "" {
		return reference{}, invalid("run_id: it is missing; give the id of a run")
	}
	ref, err := s.reference(ctx, id)
	if err == nil && ref.deleted {
		return ref, invalid("The run %s must be in the 'active' state. Current state is deleted: restore it first", id)
	}
	return ref, err
}

// CreateRun begins a run.
func (s *Store) CreateRun(ctx context.Context, n NewRun) (Run, error) {
	tags := slices.Clone(n.Tags)
	named := -1
	for i := range tags {
		if slices.ContainsFunc(tags[:i], func(other Tag) bool { return other.Key == tags[i].Key }) {
			return Run{}, Refuse(BadRequest, "tags: the key %q is there twice", Cut(tags[i].Key))
		}
		if tags[i].Key == tagRunName {
			named = i
		}
	}
	switch {
	case named >= 0 && n.Name != "" && tags[named].Value != n.Name:
		return Run{}, invalid("run_name: it is %q, but the tag %s says %q: give one of them", Cut(n.Name), tagRunName, Cut(tags[named].Value))
	case named >= 0 && n.Name == "":
		n.Name = tags[named].Value
	}
	if n.Name == "" {
		n.Name = RandomName()
	}
	if named >= 0 {
		tags[named].Value = n.Name
	} else {
		tags = append(tags, Tag{Key: tagRunName, Value: n.Name})
	}
	run := Run{ID: newID(), Experiment: n.Experiment, Name: n.Name, User: n.User, Status: Running, StartedAt: n.StartedAt, Tags: tags}
	batch := s.keys.batch()
	err := s.write(ctx, "create a run", func(ctx context.Context, tx store.Tx) error {
		e, err := findExperiment(ctx, tx, n.Experiment)
		if err != nil {
			return err
		}
		if e.Deleted {
			return invalid("The experiment %d must be in the 'active' state. Current state is deleted: restore it first", e.ID)
		}
		run.Location = strings.TrimSuffix(e.Location, "/") + "/" + run.ID + "/artifacts"
		return s.insertRun(ctx, tx, batch, &run)
	})
	if err != nil {
		return Run{}, err
	}
	batch.committed()
	s.runs.put(run.ID, reference{number: run.number, experiment: run.Experiment, location: run.Location})
	s.changed(run.Experiment, run.number)
	return run, nil
}

// insertRun stores a run with its tags, giving it a number.
func (s *Store) insertRun(ctx context.Context, tx store.Tx, batch *keyBatch, run *Run) (err error) {
	if run.number, err = Next(ctx, tx, "run"); err != nil {
		return err
	}
	var ended any
	if run.EndedAt != nil {
		ended = *run.EndedAt
	}
	stage, removed := 0, int64(0)
	if run.Deleted {
		stage, removed = 1, now()
	}
	_, err = store.Exec(ctx, tx, "INSERT INTO runs (id, uuid, experiment, name, owner, status, started_at, ended_at, location, stage, removed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		run.number, run.ID, run.Experiment, run.Name, run.User, string(run.Status), run.StartedAt, ended, run.Location, stage, removed)
	if err != nil {
		return err
	}
	return s.setTags(ctx, tx, batch, run.number, run.Experiment, run.Tags)
}

// setTags sets tags of a run, cut to what they may hold; of a key that is there twice, the last wins.
func (s *Store) setTags(ctx context.Context, tx store.Tx, batch *keyBatch, run, experiment int64, tags []Tag) error {
	place := map[string]int{}
	rows := make([][]any, 0, len(tags))
	for _, tag := range tags {
		if i, twice := place[tag.Key]; twice {
			rows[i][1] = CutTo(tag.Value, maxTag)
			continue
		}
		key, err := batch.number(ctx, tx, tag.Key)
		if err != nil {
			return err
		}
		if err := batch.use(ctx, tx, experiment, "t", tag.Key); err != nil {
			return err
		}
		place[tag.Key] = len(rows)
		rows = append(rows, []any{rowID(run, key), CutTo(tag.Value, maxTag)})
	}
	return store.Insert(ctx, tx, "tags", []string{"id", "value"}, "ON CONFLICT (id) DO UPDATE SET value = excluded.value", rows)
}

// Run returns one run with everything, also a deleted one.
func (s *Store) Run(ctx context.Context, id string) (*Run, error) {
	if id == "" {
		return nil, invalid("run_id: it is missing; give the id of a run")
	}
	run, err := scanRun(s.db.Read().QueryRowContext(ctx, "SELECT "+runColumns+" FROM runs AS r WHERE r.uuid = ?", id))
	if err != nil {
		return nil, missing(err, "Run with id=%s not found", Cut(id))
	}
	return run, s.load(ctx, s.db.Read(), []*Run{run})
}

const runColumns = "r.id, r.uuid, r.experiment, r.name, r.owner, r.status, r.started_at, r.ended_at, r.location, r.stage"

func scanRun(row interface{ Scan(into ...any) error }) (*Run, error) {
	var run Run
	var ended sql.NullInt64
	err := row.Scan(&run.number, &run.ID, &run.Experiment, &run.Name, &run.User, &run.Status, &run.StartedAt, &ended, &run.Location, &run.Deleted)
	if ended.Valid {
		run.EndedAt = &ended.Int64
	}
	return &run, err
}

// Change is what an update changes of a run; what is nil or empty stays.
type Change struct {
	Status  Status
	EndedAt *int64
	Name    string
}

// UpdateRun changes an active run and returns it, without what was logged.
func (s *Store) UpdateRun(ctx context.Context, id string, change Change) (run *Run, err error) {
	ref, err := s.writable(ctx, id)
	if err != nil {
		return nil, err
	}
	batch := s.keys.batch()
	err = s.write(ctx, "update a run", func(ctx context.Context, tx store.Tx) error {
		if run, err = scanRun(tx.QueryRowContext(ctx, "SELECT "+runColumns+" FROM runs AS r WHERE r.id = ?", ref.number)); err != nil {
			return missing(err, "Run with id=%s not found", Cut(id))
		}
		if change.Status != "" {
			run.Status = change.Status
		}
		if change.EndedAt != nil {
			run.EndedAt = change.EndedAt
		}
		if change.Name != "" {
			run.Name = change.Name
			if err := s.setTags(ctx, tx, batch, run.number, run.Experiment, []Tag{{Key: tagRunName, Value: run.Name}}); err != nil {
				return err
			}
		}
		var ended any
		if run.EndedAt != nil {
			ended = *run.EndedAt
		}
		_, err := store.Exec(ctx, tx, "UPDATE runs SET status = ?, ended_at = ?, name = ? WHERE id = ?", string(run.Status), ended, run.Name, run.number)
		return err
	})
	if err != nil {
		return nil, err
	}
	batch.committed()
	s.changed(ref.experiment, ref.number)
	return run, nil
}

// DeleteRun marks a run as deleted; one that is stays so.
func (s *Store) DeleteRun(ctx context.Context, id string) error { return s.moveRun(ctx, id, 1, now()) }

// RestoreRun makes a run active; one that is stays so.
func (s *Store) RestoreRun(ctx context.Context, id string) error { return s.moveRun(ctx, id, 0, 0) }

func (s *Store) moveRun(ctx context.Context, id string, stage int, at int64) error {
	if id == "" {
		return invalid("run_id: it is missing; give the id of a run")
	}
	ref, err := s.reference(ctx, id)
	if err != nil {
		return err
	}
	err = s.write(ctx, "delete or restore a run", func(ctx context.Context, tx store.Tx) error {
		_, err := store.Exec(ctx, tx, "UPDATE runs SET stage = ?, removed_at = ? WHERE id = ? AND stage <> ?", stage, at, ref.number, stage)
		return err
	})
	s.runs.forget(id)
	s.changed(ref.experiment, ref.number)
	return err
}

// DeleteTag removes a tag of an active run.
func (s *Store) DeleteTag(ctx context.Context, id, key string) error {
	ref, err := s.writable(ctx, id)
	if err != nil {
		return err
	}
	number, err := s.key(ctx, key)
	if err != nil {
		return err
	}
	err = s.write(ctx, "delete a tag", func(ctx context.Context, tx store.Tx) error {
		result, err := store.Exec(ctx, tx, "DELETE FROM tags WHERE id = ?", rowID(ref.number, number))
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 || number < 0 {
			return Refuse(DoesNotExist, "No tag with name: %s in run with id %s", Cut(key), id)
		}
		return nil
	})
	s.changed(ref.experiment, ref.number)
	return err
}

// LogModel notes a model that a client before 3.0 has put among the artifacts of a run, in a tag that lists them.
func (s *Store) LogModel(ctx context.Context, id, description string) error {
	entry, err := modelEntry(description)
	if err != nil {
		return err
	}
	ref, err := s.writable(ctx, id)
	if err != nil {
		return err
	}
	batch := s.keys.batch()
	err = s.write(ctx, "log a model", func(ctx context.Context, tx store.Tx) error {
		key, err := batch.number(ctx, tx, tagLogHistory)
		if err != nil {
			return err
		}
		var kept string
		err = store.Classify(tx.QueryRowContext(ctx, "SELECT value FROM tags WHERE id = ?", rowID(ref.number, key)).Scan(&kept))
		text := "[" + entry + "]"
		switch before, list := strings.CutSuffix(kept, "]"); {
		case errors.Is(err, store.ErrNotFound):
		case err != nil:
			return err
		case !list:
			return invalid("the tag %s of the run is not a JSON list, so nothing can be added: delete it", tagLogHistory)
		case before != "[":
			text = before + ", " + entry + "]"
		}
		return s.setTags(ctx, tx, batch, ref.number, ref.experiment, []Tag{{Key: tagLogHistory, Value: text}})
	})
	if err == nil {
		batch.committed()
		s.changed(ref.experiment, ref.number)
	}
	return err
}

// modelEntry returns what is noted of a model: the fields that MLflow keeps, in its order and its way of writing JSON.
func modelEntry(description string) (string, error) {
	var model map[string]json.RawMessage
	if err := json.Unmarshal([]byte(description), &model); err != nil {
		return "", invalid("model_json: it is not a JSON object: %v", err)
	}
	for _, field := range []string{"artifact_path", "flavors", "utc_time_created", "run_id"} {
		if _, ok := model[field]; !ok {
			return "", invalid("model_json: the field %s is missing", field)
		}
	}
	var text strings.Builder
	for i, field := range []string{"run_id", "artifact_path", "utc_time_created", "model_uuid", "flavors"} {
		if i > 0 {
			text.WriteString(", ")
		}
		value := model[field]
		if value == nil {
			value = json.RawMessage("null")
		}
		text.WriteString(`"` + field + `": ` + spaced(value))
	}
	return "{" + text.String() + "}", nil
}

// spaced writes JSON with a space behind each comma and colon, as Python does.
func spaced(value json.RawMessage) string {
	var compact bytes.Buffer
	if err := json.Compact(&compact, value); err != nil {
		return string(value) // it was read as JSON before
	}
	var text strings.Builder
	quoted, escaped := false, false
	for _, c := range compact.Bytes() {
		text.WriteByte(c)
		switch {
		case escaped:
			escaped = false
		case quoted && c == '\\':
			escaped = true
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ',' || c == ':'):
			text.WriteByte(' ')
		}
	}
	return text.String()
}
