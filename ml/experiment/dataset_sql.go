package experiment

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/fairlead/fairlead/base/store"
)

// The directions of run_models.
const (
	modelRead = 0
	modelMade = 1
)

func (in *Input) check() error {
	d := &in.Dataset
	if d.Name == "" || d.Digest == "" {
		return invalid("datasets: name and digest of a data set are needed")
	}
	if d.SourceType == "" || d.Source == "" {
		return invalid("datasets: source_type and source of the data set %q are needed", Cut(d.Name))
	}
	for _, f := range []struct {
		what, text string
		most       int
	}{
		{"datasets: name", d.Name, maxDatasetName},
		{"datasets: digest", d.Digest, maxDigest},
		{"datasets: source", d.Source, maxSource},
		{"datasets: schema", d.Schema, maxSchema},
		{"datasets: profile", d.Profile, maxProfile},
	} {
		if err := checkLength(f.what, f.text, f.most); err != nil {
			return err
		}
	}
	for _, tag := range in.Tags {
		if tag.Key == "" {
			return invalid("datasets: a tag of %q has no key", Cut(d.Name))
		}
		if err := checkLength("datasets: key of a tag", tag.Key, maxInputTag); err != nil {
			return err
		}
		if err := checkLength("datasets: value of the tag "+Cut(tag.Key), tag.Value, maxInputTagValue); err != nil {
			return err
		}
	}
	return nil
}

// LogInputs notes which data sets and logged models an active run read. What is noted already stays as it is.
func (s *Store) LogInputs(ctx context.Context, id string, inputs []Input, models []string) error {
	for i := range inputs {
		if err := inputs[i].check(); err != nil {
			return err
		}
	}
	ref, err := s.writable(ctx, id)
	if err != nil {
		return err
	}
	defer s.changed(ref.experiment, ref.number)
	return s.write(ctx, "log inputs", func(ctx context.Context, tx store.Tx) error {
		for _, in := range inputs {
			if err := s.addInput(ctx, tx, ref, in); err != nil {
				return err
			}
		}
		for _, model := range models {
			_, err := store.Exec(ctx, tx, "INSERT INTO run_models (run, direction, model, step) VALUES (?, ?, ?, 0) ON CONFLICT DO NOTHING", ref.number, modelRead, model)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Store) addInput(ctx context.Context, tx store.Tx, ref reference, in Input) error {
	d := in.Dataset
	_, err := store.Exec(ctx, tx, "INSERT INTO datasets (id, experiment, name, digest, source_type, source, schema, profile) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (experiment, name, digest) DO NOTHING",
		s.datasets.Add(1), ref.experiment, d.Name, d.Digest, d.SourceType, d.Source, d.Schema, d.Profile)
	if err != nil {
		return err
	}
	var dataset int64
	err = tx.QueryRowContext(ctx, "SELECT id FROM datasets WHERE experiment = ? AND name = ? AND digest = ?", ref.experiment, d.Name, d.Digest).Scan(&dataset)
	if err != nil {
		return err
	}
	tags := make(map[string]string, len(in.Tags))
	for _, tag := range in.Tags {
		tags[tag.Key] = tag.Value
	}
	text, err := json.Marshal(tags)
	if err != nil {
		return err
	}
	var role any
	if value, ok := tags[tagContext]; ok {
		role = value
	}
	_, err = store.Exec(ctx, tx, "INSERT INTO inputs (run, dataset, tags, context) VALUES (?, ?, ?, ?) ON CONFLICT (run, dataset) DO NOTHING", ref.number, dataset, string(text), role)
	return err
}

// LogOutputs notes which logged models an active run made.
func (s *Store) LogOutputs(ctx context.Context, id string, models []ModelMade) error {
	if len(models) == 0 {
		return invalid("models: it is missing; give a list with at least one model_id")
	}
	ref, err := s.writable(ctx, id)
	if err != nil {
		return err
	}
	defer s.changed(ref.experiment, ref.number)
	return s.write(ctx, "log outputs", func(ctx context.Context, tx store.Tx) error {
		for _, m := range models {
			_, err := store.Exec(ctx, tx, "INSERT INTO run_models (run, direction, model, step) VALUES (?, ?, ?, ?)", ref.number, modelMade, m.Model, m.Step)
			if errors.Is(err, store.ErrConflict) {
				return Refuse(BadRequest, "models: the run made %s already", Cut(m.Model))
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// DatasetUse is a data set of an experiment in one of its roles, such as "training".
type DatasetUse struct {
	Experiment            int64
	Name, Digest, Context string
}

// Datasets returns which data sets the active runs of experiments read, at most 1000.
func (s *Store) Datasets(ctx context.Context, experiments []int64) ([]DatasetUse, error) {
	if len(experiments) == 0 {
		return nil, invalid("experiment_ids: it is missing; give a list with at least one experiment")
	}
	rows, err := s.db.Read().QueryContext(ctx, `SELECT DISTINCT d.experiment, d.name, d.digest, COALESCE(i.context, '') FROM datasets AS d
		JOIN inputs AS i ON i.dataset = d.id JOIN runs AS r ON r.id = i.run
		WHERE d.experiment IN (?) AND r.stage = 0 ORDER BY 1, 2, 3, 4 LIMIT 1000`, store.List(experiments))
	if err != nil {
		return nil, store.Classify(err)
	}
	defer rows.Close()
	var uses []DatasetUse
	for rows.Next() {
		var u DatasetUse
		if err := rows.Scan(&u.Experiment, &u.Name, &u.Digest, &u.Context); err != nil {
			return nil, err
		}
		uses = append(uses, u)
	}
	return uses, store.Classify(rows.Err())
}
