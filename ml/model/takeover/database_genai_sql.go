package takeover

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/fairlead/fairlead/ml/experiment"
	"github.com/fairlead/fairlead/ml/trace"
)

// has reports whether the database has a table: those of versions before 3 have fewer.
func (d *Database) has(ctx context.Context, table string) (bool, error) {
	var n int
	err := d.db.QueryRowContext(ctx, "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = ?", table).Scan(&n)
	return n > 0, err
}

// texts reads a column.
func (d *Database) texts(ctx context.Context, query string, args ...any) (list []string, err error) {
	err = d.each(ctx, query, args, func(scan func(into ...any) error) error {
		var text string
		err := scan(&text)
		list = append(list, text)
		return err
	})
	return list, err
}

// modelLinks reads which logged models a run read and made.
func (d *Database) modelLinks(ctx context.Context, run *experiment.Run) error {
	if has, err := d.has(ctx, "logged_models"); err != nil || !has {
		return err
	}
	const query = "SELECT destination_type, destination_id, step FROM inputs WHERE source_id = ? AND destination_type IN ('MODEL_INPUT', 'MODEL_OUTPUT') ORDER BY step, destination_id"
	return d.each(ctx, query, []any{run.ID}, func(scan func(into ...any) error) error {
		var kind string
		var made experiment.ModelMade
		err := scan(&kind, &made.Model, &made.Step)
		if kind == "MODEL_INPUT" {
			run.ModelsRead = append(run.ModelsRead, made.Model)
		} else {
			run.ModelsMade = append(run.ModelsMade, made)
		}
		return err
	})
}

// LoggedModels lists the logged models of an experiment.
func (d *Database) LoggedModels(ctx context.Context, e Experiment) (list []LoggedModel, err error) {
	if has, err := d.has(ctx, "logged_models"); err != nil || !has {
		return nil, err
	}
	const query = "SELECT model_id, name, artifact_location, creation_timestamp_ms, last_updated_timestamp_ms, status, lifecycle_stage, model_type, source_run_id FROM logged_models WHERE experiment_id = ? ORDER BY creation_timestamp_ms, model_id"
	err = d.each(ctx, query, []any{e.ID}, func(scan func(into ...any) error) error {
		var m LoggedModel
		var location string
		var status int
		var stage, kind, run sql.NullString
		err := scan(&m.ID, &m.Name, &location, &m.CreatedAt, &m.UpdatedAt, &status, &stage, &kind, &run)
		m.Status, m.Kind, m.Run, m.Deleted, m.Folder = modelStatus(status), kind.String, run.String, stage.String == "deleted", d.place(location)
		list = append(list, m)
		return err
	})
	for i := range list {
		if err == nil {
			err = d.loggedModel(ctx, &list[i])
		}
	}
	return list, err
}

// modelStatus reads a status that is stored as a number.
func modelStatus(n int) experiment.ModelStatus {
	if known := experiment.ModelStatuses(); n > 0 && n < len(known) {
		return known[n]
	}
	return experiment.ModelUnspecified
}

func (d *Database) loggedModel(ctx context.Context, m *LoggedModel) (err error) {
	if m.Tags, err = d.tags(ctx, "SELECT tag_key, tag_value FROM logged_model_tags WHERE model_id = ?", m.ID); err != nil {
		return err
	}
	params, err := d.tags(ctx, "SELECT param_key, param_value FROM logged_model_params WHERE model_id = ?", m.ID)
	if err != nil {
		return err
	}
	for _, p := range params {
		m.Params = append(m.Params, experiment.Param(p))
	}
	const query = "SELECT metric_name, metric_value, metric_timestamp_ms, metric_step, run_id, dataset_name, dataset_digest FROM logged_model_metrics WHERE model_id = ?"
	return d.each(ctx, query, []any{m.ID}, func(scan func(into ...any) error) error {
		var s experiment.Score
		var value sql.NullFloat64
		var dataset, digest sql.NullString
		err := scan(&s.Key, &value, &s.At, &s.Step, &s.Run, &dataset, &digest)
		s.Value, s.Dataset, s.Digest = value.Float64, dataset.String, digest.String
		m.Scores = append(m.Scores, s)
		return err
	})
}

// Trace reads one trace.
func (d *Database) Trace(ctx context.Context, _ Experiment, id string) (t Trace, err error) {
	t.ID = id
	var took sql.NullInt64
	var state string
	err = d.db.QueryRowContext(ctx, "SELECT timestamp_ms, execution_time_ms, status FROM trace_info WHERE request_id = ?", id).Scan(&t.StartedAt, &took, &state)
	if err != nil {
		return t, err
	}
	t.State = trace.State(state)
	if took.Valid {
		t.Took = &took.Int64
	}
	if t.Tags, err = d.tags(ctx, "SELECT key, value FROM trace_tags WHERE request_id = ?", id); err != nil {
		return t, err
	}
	if t.Metadata, err = d.tags(ctx, "SELECT key, value FROM trace_request_metadata WHERE request_id = ?", id); err != nil {
		return t, err
	}
	for _, tag := range t.Tags {
		if tag.Key == "mlflow.artifactLocation" {
			t.Folder = d.place(tag.Value)
		}
	}
	for _, read := range []struct {
		table string
		of    func(context.Context, *Trace) error
	}{{"assessments", d.assessments}, {"spans", d.spans}, {"entity_associations", d.traceRuns}} {
		has, err := d.has(ctx, read.table)
		if err == nil && has {
			err = read.of(ctx, &t)
		}
		if err != nil {
			return t, err
		}
	}
	return t, nil
}

func (d *Database) traceRuns(ctx context.Context, t *Trace) (err error) {
	t.Runs, err = d.texts(ctx, "SELECT destination_id FROM entity_associations WHERE source_type = 'trace' AND source_id = ? AND destination_type = 'run'", t.ID)
	return err
}

func (d *Database) spans(ctx context.Context, t *Trace) error {
	bodies, err := d.texts(ctx, "SELECT content FROM spans WHERE trace_id = ? ORDER BY start_time_unix_nano, span_id", t.ID)
	for _, body := range bodies {
		t.Spans = append(t.Spans, json.RawMessage(body))
	}
	return err
}

// assessments reads what was said of a trace, and its previews, which came with the same version.
func (d *Database) assessments(ctx context.Context, t *Trace) error {
	var client, request, response sql.NullString
	if err := d.db.QueryRowContext(ctx, "SELECT client_request_id, request_preview, response_preview FROM trace_info WHERE request_id = ?", t.ID).Scan(&client, &request, &response); err != nil {
		return err
	}
	t.Client, t.Request, t.Response = client.String, request.String, response.String
	const query = `SELECT assessment_id, name, assessment_type, value, error, created_timestamp, last_updated_timestamp, source_type, source_id, span_id, rationale, overrides, valid, assessment_metadata
		FROM assessments WHERE trace_id = ? ORDER BY created_timestamp, assessment_id`
	return d.each(ctx, query, []any{t.ID}, func(scan func(into ...any) error) error {
		var a trace.Assessment
		var kind, value, sourceType string
		var problem, sourceID, span, rationale, overrides, metadata sql.NullString
		var created, updated int64
		if err := scan(&a.ID, &a.Name, &kind, &value, &problem, &created, &updated, &sourceType, &sourceID, &span, &rationale, &overrides, &a.Valid, &metadata); err != nil {
			return err
		}
		said := map[string]json.RawMessage{"value": json.RawMessage(value)}
		if problem.Valid {
			said["error"] = json.RawMessage(problem.String)
		}
		body, err := json.Marshal(said)
		if err != nil {
			return err // what is stored there is no JSON
		}
		if kind == "expectation" {
			a.Expectation = body
		} else {
			a.Feedback = body
		}
		if a.Source, err = json.Marshal(map[string]string{"source_type": sourceType, "source_id": sourceID.String}); err != nil {
			return err
		}
		if metadata.Valid {
			if err := json.Unmarshal([]byte(metadata.String), &a.Metadata); err != nil {
				a.Metadata = map[string]string{"metadata": metadata.String} // it holds more than texts
			}
		}
		moment := func(millis int64) string { return trace.Moment(time.UnixMilli(millis)) }
		a.CreatedAt, a.UpdatedAt, a.Span, a.Rationale, a.Overrides = moment(created), moment(updated), span.String, rationale.String, overrides.String
		t.Said = append(t.Said, a)
		return nil
	})
}
