package experiment

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/fairlead/fairlead/base/store"
)

// lastID returns the greatest id of a table; 0 for an empty one.
func lastID(ctx context.Context, db store.Querier, table string) (last int64, err error) {
	if err := db.NewRaw("SELECT COALESCE(MAX(id), 0) FROM "+table).Scan(ctx, &last); err != nil {
		return 0, fmt.Errorf("find the last row of %s: %w", table, store.Classify(err))
	}
	return last, nil
}

// Next returns the next number of a kind, from 1; it is never given again.
func Next(ctx context.Context, tx store.Tx, kind string) (number int64, err error) {
	err = tx.NewRaw("INSERT INTO sequences (name, value) VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = sequences.value + 1 RETURNING value", kind).Scan(ctx, &number)
	return number, err
}

// everHad reports whether an experiment was ever made.
func (s *Store) everHad(ctx context.Context) (bool, error) {
	var n int
	err := s.db.Read().NewRaw("SELECT COUNT(*) FROM sequences WHERE name = 'experiment'").Scan(ctx, &n)
	return n > 0, store.Classify(err)
}

func (s *Store) addDefault(ctx context.Context) error {
	return s.write(ctx, "make the experiment Default", func(ctx context.Context, tx store.Tx) error {
		if _, err := store.Exec(ctx, tx, "INSERT INTO sequences (name, value) VALUES ('experiment', 0)"); err != nil {
			return err
		}
		return insertExperiment(ctx, tx, Experiment{ID: Default, Name: "Default", Location: location(Default), CreatedAt: now()})
	})
}

// location is where the artifacts of an experiment are when nothing else is asked for.
func location(id int64) string { return "mlflow-artifacts:/" + strconv.FormatInt(id, 10) }

// PathOf returns where files at a location are below the root of all artifacts; "" if they are kept elsewhere.
func PathOf(location string) string {
	path, here := strings.CutPrefix(location, "mlflow-artifacts:")
	if !here {
		return ""
	}
	return strings.Trim(path, "/")
}

func insertExperiment(ctx context.Context, tx store.Tx, e Experiment) error {
	_, err := store.Exec(ctx, tx, "INSERT INTO experiments (id, name, location, stage, created_at, updated_at) VALUES (?, ?, ?, 0, ?, ?)",
		e.ID, e.Name, e.Location, e.CreatedAt, e.CreatedAt)
	if errors.Is(err, store.ErrConflict) {
		return Refuse(AlreadyExists, "Experiment(name=%s) already exists, perhaps deleted: choose another name, or restore that one", Cut(e.Name))
	}
	return err
}

// CheckExperimentName refuses what is no name of an experiment.
func CheckExperimentName(name string) error {
	if name == "" {
		return invalid("name: it is missing; give a text of 1 to %d characters", maxExperiment)
	}
	return checkLength("name", name, maxExperiment)
}

// CreateExperiment makes an experiment. An empty location means one below the root of all artifacts.
func (s *Store) CreateExperiment(ctx context.Context, name, at string, tags []Tag) (e Experiment, err error) {
	if err := CheckExperimentName(name); err != nil {
		return e, err
	}
	if strings.Contains(at, "#") {
		return e, invalid("artifact_location: %q has a fragment, which is not kept; leave out the # and what follows", Cut(at))
	}
	for i, tag := range tags {
		if err := checkExperimentTag(tag); err != nil {
			return e, err
		}
		if slices.ContainsFunc(tags[:i], func(other Tag) bool { return other.Key == tag.Key }) {
			return e, Refuse(AlreadyExists, "tags: the key %q is there twice", Cut(tag.Key))
		}
	}
	err = s.write(ctx, "create an experiment", func(ctx context.Context, tx store.Tx) error {
		id, err := Next(ctx, tx, "experiment")
		if err != nil {
			return err
		}
		e = Experiment{ID: id, Name: store.Text(name), Location: at, CreatedAt: now(), Tags: tags}
		if at == "" {
			e.Location = location(id)
		}
		if err := insertExperiment(ctx, tx, e); err != nil {
			return err
		}
		for _, tag := range tags {
			if err := setExperimentTag(ctx, tx, id, tag); err != nil {
				return err
			}
		}
		return nil
	})
	return e, err
}

const experimentColumns = "e.id, e.name, e.location, e.stage, e.created_at, e.updated_at"

func (e *Experiment) into() []any {
	return []any{&e.ID, &e.Name, &e.Location, &e.Deleted, &e.CreatedAt, &e.UpdatedAt}
}

func scanExperiment(row interface{ Scan(into ...any) error }) (e Experiment, err error) {
	err = row.Scan(e.into()...)
	return e, err
}

// Experiment returns one experiment, also a deleted one.
func (s *Store) Experiment(ctx context.Context, id int64) (Experiment, error) {
	return findExperiment(ctx, s.db.Read(), id)
}

func findExperiment(ctx context.Context, db store.Querier, id int64) (Experiment, error) {
	e, err := scanExperiment(db.QueryRowContext(ctx, "SELECT "+experimentColumns+" FROM experiments AS e WHERE e.id = ?", id))
	if err != nil {
		return e, missing(err, "No Experiment with id=%d exists", id)
	}
	list := []Experiment{e}
	err = loadExperimentTags(ctx, db, list)
	return list[0], err
}

// ExperimentNamed returns one experiment, also a deleted one.
func (s *Store) ExperimentNamed(ctx context.Context, name string) (Experiment, error) {
	if err := CheckExperimentName(name); err != nil {
		return Experiment{}, err
	}
	e, err := scanExperiment(s.db.Read().QueryRowContext(ctx, "SELECT "+experimentColumns+" FROM experiments AS e WHERE e.name = ?", name))
	if err != nil {
		return e, missing(err, "Could not find experiment with name '%s'", Cut(name))
	}
	list := []Experiment{e}
	err = loadExperimentTags(ctx, s.db.Read(), list)
	return list[0], err
}

// loadExperimentTags fills in the tags, by key.
func loadExperimentTags(ctx context.Context, db store.Querier, list []Experiment) error {
	if len(list) == 0 {
		return nil
	}
	place := map[int64]*Experiment{}
	ids := make([]int64, len(list))
	for i := range list {
		ids[i] = list[i].ID
		place[ids[i]] = &list[i]
	}
	rows, err := db.QueryContext(ctx, "SELECT experiment, name, value FROM experiment_tags WHERE experiment IN (?) ORDER BY experiment, name", store.List(ids))
	if err != nil {
		return store.Classify(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var tag Tag
		if err := rows.Scan(&id, &tag.Key, &tag.Value); err != nil {
			return err
		}
		place[id].Tags = append(place[id].Tags, tag)
	}
	return store.Classify(rows.Err())
}

// changeExperiment runs a change on an experiment that must be active.
func (s *Store) changeExperiment(ctx context.Context, id int64, change func(ctx context.Context, tx store.Tx, e Experiment) error) error {
	return s.write(ctx, "change an experiment", func(ctx context.Context, tx store.Tx) error {
		e, err := findExperiment(ctx, tx, id)
		if err != nil {
			return err
		}
		if e.Deleted {
			return invalid("The experiment %d must be in the 'active' state. Current state is deleted: restore it first", id)
		}
		if err := change(ctx, tx, e); err != nil {
			return err
		}
		_, err = store.Exec(ctx, tx, "UPDATE experiments SET updated_at = ? WHERE id = ?", now(), id)
		return err
	})
}

// RenameExperiment gives an active experiment another name.
func (s *Store) RenameExperiment(ctx context.Context, id int64, name string) error {
	if name == "" {
		return invalid("new_name: it is missing; give a text of 1 to %d characters", maxExperiment)
	}
	if err := checkLength("new_name", name, maxExperiment); err != nil {
		return err
	}
	return s.changeExperiment(ctx, id, func(ctx context.Context, tx store.Tx, e Experiment) error {
		_, err := store.Exec(ctx, tx, "UPDATE experiments SET name = ? WHERE id = ?", name, e.ID)
		if errors.Is(err, store.ErrConflict) {
			return Refuse(BadRequest, "new_name: another experiment is called %q: choose another name", Cut(name))
		}
		return err
	})
}

// DeleteExperiment marks an experiment and its runs as deleted.
func (s *Store) DeleteExperiment(ctx context.Context, id int64) error {
	return s.moveExperiment(ctx, id, true)
}

// RestoreExperiment makes a deleted experiment and its runs active.
func (s *Store) RestoreExperiment(ctx context.Context, id int64) error {
	return s.moveExperiment(ctx, id, false)
}

func (s *Store) moveExperiment(ctx context.Context, id int64, remove bool) error {
	err := s.write(ctx, "delete or restore an experiment", func(ctx context.Context, tx store.Tx) error {
		e, err := findExperiment(ctx, tx, id)
		if err != nil {
			return err
		}
		if e.Deleted == remove {
			return Refuse(DoesNotExist, "No Experiment with id=%d exists that could be %s", id, map[bool]string{true: "deleted", false: "restored"}[remove])
		}
		stage, removed := 0, int64(0)
		if remove {
			stage, removed = 1, now()
		}
		if _, err := store.Exec(ctx, tx, "UPDATE experiments SET stage = ?, updated_at = ? WHERE id = ?", stage, now(), id); err != nil {
			return err
		}
		_, err = store.Exec(ctx, tx, "UPDATE runs SET stage = ?, removed_at = ? WHERE experiment = ? AND stage <> ?", stage, removed, id, stage)
		return err
	})
	s.runs.clear()
	s.tables.drop(id)
	s.documents.clear()
	return err
}

func checkExperimentTag(tag Tag) error {
	if err := CheckKey("experiment tag", tag.Key); err != nil {
		return err
	}
	return checkLength("experiment tag "+tag.Key, tag.Value, maxExperimentTag)
}

// SetExperimentTag sets a tag of an active experiment.
func (s *Store) SetExperimentTag(ctx context.Context, id int64, tag Tag) error {
	if err := checkExperimentTag(tag); err != nil {
		return err
	}
	return s.changeExperiment(ctx, id, func(ctx context.Context, tx store.Tx, _ Experiment) error {
		return setExperimentTag(ctx, tx, id, tag)
	})
}

func setExperimentTag(ctx context.Context, tx store.Tx, id int64, tag Tag) error {
	_, err := store.Exec(ctx, tx, "INSERT INTO experiment_tags (experiment, name, value) VALUES (?, ?, ?) ON CONFLICT (experiment, name) DO UPDATE SET value = excluded.value",
		id, tag.Key, tag.Value)
	return err
}

// DeleteExperimentTag removes a tag of an active experiment.
func (s *Store) DeleteExperimentTag(ctx context.Context, id int64, key string) error {
	return s.changeExperiment(ctx, id, func(ctx context.Context, tx store.Tx, _ Experiment) error {
		result, err := store.Exec(ctx, tx, "DELETE FROM experiment_tags WHERE experiment = ? AND name = ?", id, key)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return Refuse(DoesNotExist, "No tag with key %q in the experiment %d", Cut(key), id)
		}
		return nil
	})
}

// ParseExperimentID reads the number of an experiment.
func ParseExperimentID(text string) (int64, error) {
	if text == "" {
		return 0, invalid("experiment_id: it is missing; give the number of an experiment")
	}
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || !utf8.ValidString(text) {
		return 0, invalid("experiment_id: %q is not the number of an experiment", Cut(text))
	}
	return id, nil
}
