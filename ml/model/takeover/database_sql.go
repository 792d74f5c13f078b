package takeover

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/fairlead/fairlead/ml/experiment"
	"github.com/fairlead/fairlead/ml/model"
)

// Database is MLflow's database in SQLite, which is only read.
type Database struct {
	db *sql.DB
	// artifacts is the folder of the server's artifacts; "" if there is none.
	artifacts string
	folder    string
}

// OpenDatabase opens a file of MLflow's, with the folder that its server keeps artifacts in; "" means mlartifacts or mlruns
// beside the file.
func OpenDatabase(ctx context.Context, file, artifacts string) (*Database, error) {
	if _, err := os.Stat(file); err != nil {
		return nil, err
	}
	absolute, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	dsn := url.URL{Scheme: "file", Path: filepath.ToSlash(absolute), OmitHost: true, RawQuery: url.Values{"mode": {"ro"}}.Encode()}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, err
	}
	d := &Database{db: db, artifacts: artifacts, folder: filepath.Dir(absolute)}
	if artifacts == "" {
		for _, name := range []string{"mlartifacts", "mlruns"} {
			if info, err := os.Stat(filepath.Join(d.folder, name)); err == nil && info.IsDir() {
				d.artifacts = filepath.Join(d.folder, name)
				break
			}
		}
	}
	var n int
	if err := db.QueryRowContext(ctx, "SELECT COUNT(*) FROM experiments").Scan(&n); err != nil {
		return nil, errors.Join(fmt.Errorf("%s is no database of MLflow: %w", file, err), db.Close())
	}
	return d, nil
}

// Close ends reading.
func (d *Database) Close() error { return d.db.Close() }

// each calls each for every row of a query.
func (d *Database) each(ctx context.Context, query string, args []any, each func(scan func(into ...any) error) error) (err error) {
	rows, err := d.db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// tags reads keys and values.
func (d *Database) tags(ctx context.Context, query string, args ...any) (list []experiment.Tag, err error) {
	err = d.each(ctx, query, args, func(scan func(into ...any) error) error {
		var key, value sql.NullString
		err := scan(&key, &value)
		list = append(list, experiment.Tag{Key: key.String, Value: value.String})
		return err
	})
	return list, err
}

// Experiments lists the experiments.
func (d *Database) Experiments(ctx context.Context) (list []Experiment, err error) {
	err = d.each(ctx, "SELECT experiment_id, name, lifecycle_stage FROM experiments ORDER BY experiment_id", nil, func(scan func(into ...any) error) error {
		var e Experiment
		var stage sql.NullString
		err := scan(&e.ID, &e.Name, &stage)
		e.Deleted = stage.String == "deleted"
		list = append(list, e)
		return err
	})
	traced := false
	if err == nil {
		traced, err = d.has(ctx, "trace_info")
	}
	for i := range list {
		e := &list[i]
		if err == nil && traced {
			e.Traces, err = d.texts(ctx, "SELECT request_id FROM trace_info WHERE experiment_id = ? ORDER BY timestamp_ms", e.ID)
		}
		if err == nil {
			e.Tags, err = d.tags(ctx, "SELECT key, value FROM experiment_tags WHERE experiment_id = ?", e.ID)
		}
		if err == nil {
			e.Runs, err = d.texts(ctx, "SELECT run_uuid FROM runs WHERE experiment_id = ? ORDER BY start_time", e.ID)
		}
	}
	return list, err
}

// Run reads one run.
func (d *Database) Run(ctx context.Context, _ Experiment, id string) (run Run, err error) {
	var name, user, stage, state, location sql.NullString
	var started, ended sql.NullInt64
	err = d.db.QueryRowContext(ctx, "SELECT name, user_id, lifecycle_stage, status, start_time, end_time, artifact_uri FROM runs WHERE run_uuid = ?", id).
		Scan(&name, &user, &stage, &state, &started, &ended, &location)
	if err != nil {
		return run, err
	}
	run.Run = experiment.Run{ID: id, Name: name.String, User: user.String, Status: status(state.String), StartedAt: started.Int64, Deleted: stage.String == "deleted"}
	if ended.Valid {
		run.EndedAt = &ended.Int64
	}
	params, err := d.tags(ctx, "SELECT key, value FROM params WHERE run_uuid = ?", id)
	if err != nil {
		return run, err
	}
	for _, p := range params {
		run.Params = append(run.Params, experiment.Param(p))
	}
	if run.Tags, err = d.tags(ctx, "SELECT key, value FROM tags WHERE run_uuid = ?", id); err != nil {
		return run, err
	}
	nameRun(&run.Run)
	err = d.each(ctx, "SELECT key, value, timestamp, step, is_nan FROM metrics WHERE run_uuid = ? ORDER BY key, timestamp, step", []any{id}, func(scan func(into ...any) error) error {
		var key string
		var m experiment.Metric
		var nan bool
		if err := scan(&key, &m.Value, &m.At, &m.Step, &nan); err != nil {
			return err
		}
		if nan {
			m.Value = math.NaN()
		}
		if n := len(run.Histories); n == 0 || run.Histories[n-1].Key != key {
			run.Histories = append(run.Histories, experiment.History{Key: key})
		}
		h := &run.Histories[len(run.Histories)-1]
		h.Points = append(h.Points, m)
		return nil
	})
	if err != nil {
		return run, err
	}
	if run.Datasets, err = d.inputs(ctx, id); err != nil {
		return run, err
	}
	run.Folder = d.place(location.String)
	return run, d.modelLinks(ctx, &run.Run)
}

// place returns the folder of a location; "" if it is not on this machine.
func (d *Database) place(location string) string {
	path := ""
	switch {
	case strings.HasPrefix(location, "mlflow-artifacts:") && d.artifacts != "":
		path = filepath.Join(d.artifacts, filepath.FromSlash(strings.TrimLeft(strings.TrimPrefix(location, "mlflow-artifacts:"), "/")))
	case strings.HasPrefix(location, "file:"):
		path = strings.TrimPrefix(strings.TrimPrefix(location, "file:"), "//")
	case location != "" && !strings.Contains(location, ":"):
		if path = location; !filepath.IsAbs(path) {
			path = filepath.Join(d.folder, path)
		}
	}
	if path == "" {
		return ""
	}
	if info, err := os.Stat(filepath.Dir(filepath.Dir(path))); err != nil || !info.IsDir() {
		return "" // not even the experiment has a folder
	}
	return path
}

// inputs reads the data sets that a run read.
func (d *Database) inputs(ctx context.Context, id string) (list []experiment.Input, err error) {
	var uuids []string
	err = d.each(ctx, `SELECT i.input_uuid, s.name, s.digest, s.dataset_source_type, s.dataset_source, s.dataset_schema, s.dataset_profile
		FROM inputs AS i JOIN datasets AS s ON s.dataset_uuid = i.source_id WHERE i.destination_id = ? AND i.source_type = 'DATASET'`, []any{id}, func(scan func(into ...any) error) error {
		var in experiment.Input
		var uuid string
		var schema, profile sql.NullString
		s := &in.Dataset
		err := scan(&uuid, &s.Name, &s.Digest, &s.SourceType, &s.Source, &schema, &profile)
		s.Schema, s.Profile = schema.String, profile.String
		list, uuids = append(list, in), append(uuids, uuid)
		return err
	})
	for i := range list {
		if err == nil {
			list[i].Tags, err = d.tags(ctx, "SELECT name, value FROM input_tags WHERE input_uuid = ?", uuids[i])
		}
	}
	return list, err
}

// Models lists the registered models.
func (d *Database) Models(ctx context.Context) (list []Model, err error) {
	err = d.each(ctx, "SELECT name, creation_time, last_updated_time, description FROM registered_models ORDER BY name", nil, func(scan func(into ...any) error) error {
		var m Model
		var created, updated sql.NullInt64
		var description sql.NullString
		err := scan(&m.Name, &created, &updated, &description)
		m.CreatedAt, m.UpdatedAt, m.Description = created.Int64, updated.Int64, description.String
		list = append(list, m)
		return err
	})
	for i := range list {
		if err == nil {
			err = d.model(ctx, &list[i])
		}
	}
	return list, err
}

func (d *Database) model(ctx context.Context, m *Model) (err error) {
	if m.Tags, err = d.tags(ctx, "SELECT key, value FROM registered_model_tags WHERE name = ?", m.Name); err != nil {
		return err
	}
	aliases, err := d.tags(ctx, "SELECT alias, version FROM registered_model_aliases WHERE name = ?", m.Name)
	if err != nil {
		return err
	}
	for _, alias := range aliases {
		if n, err := strconv.ParseInt(alias.Value, 10, 64); err == nil { // anything else points nowhere
			m.Aliases = append(m.Aliases, model.Alias{Name: alias.Key, Version: n})
		}
	}
	err = d.each(ctx, "SELECT version, creation_time, last_updated_time, description, current_stage, source, run_id, run_link FROM model_versions WHERE name = ? ORDER BY version", []any{m.Name}, func(scan func(into ...any) error) error {
		var v model.Version
		var created, updated sql.NullInt64
		var description, stage, source, run, link sql.NullString
		err := scan(&v.Number, &created, &updated, &description, &stage, &source, &run, &link)
		v.CreatedAt, v.UpdatedAt, v.Description, v.Stage = created.Int64, updated.Int64, description.String, stage.String
		v.Source, v.Run, v.RunLink = source.String, run.String, link.String
		if v.Stage != "Deleted_Internal" { // a deleted version keeps its row there
			m.Versions = append(m.Versions, v)
		}
		return err
	})
	for i := range m.Versions {
		if err == nil {
			m.Versions[i].Tags, err = d.tags(ctx, "SELECT key, value FROM model_version_tags WHERE name = ? AND version = ?", m.Name, m.Versions[i].Number)
		}
	}
	return err
}
