package model

import (
	"context"

	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ml/experiment"
)

// Import stores a registered model that was made elsewhere, with versions under the numbers that they had. What is there
// already stays as it is.
func (r *Registry) Import(ctx context.Context, m Model, versions []Version) error {
	if err := CheckName(m.Name); err != nil {
		return err
	}
	return r.db.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		present, err := find(ctx, tx, m.Name)
		if experiment.CodeOf(err) == experiment.DoesNotExist {
			if present.id, err = experiment.Next(ctx, tx, "registered model"); err != nil {
				return err
			}
			_, err = store.Exec(ctx, tx, "INSERT INTO registered_models (id, name, description, newest, created_at, updated_at) VALUES (?, ?, ?, 0, ?, ?)", present.id, m.Name, m.Description, m.CreatedAt, m.UpdatedAt)
		}
		if err != nil {
			return err
		}
		for _, tag := range m.Tags {
			if _, err := store.Exec(ctx, tx, "INSERT INTO registered_model_tags (model, name, value) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", present.id, tag.Key, tag.Value); err != nil {
				return err
			}
		}
		for _, v := range versions {
			if err := importVersion(ctx, tx, present.id, v); err != nil {
				return err
			}
		}
		for _, alias := range m.Aliases {
			if _, err := store.Exec(ctx, tx, "INSERT INTO registered_model_aliases (model, name, version) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", present.id, alias.Name, alias.Version); err != nil {
				return err
			}
		}
		return nil
	})
}

func importVersion(ctx context.Context, tx store.Tx, id int64, v Version) error {
	stage, err := CheckStage(v.Stage)
	if err != nil {
		stage = StageNone
	}
	_, err = store.Exec(ctx, tx, "INSERT INTO model_versions (model, version, stage, description, source, location, run, run_link, logged, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
		id, v.Number, stage, v.Description, v.Source, v.Location, v.Run, v.RunLink, v.Logged, v.CreatedAt, v.UpdatedAt)
	if err != nil {
		return err
	}
	for _, tag := range v.Tags {
		if _, err := store.Exec(ctx, tx, "INSERT INTO model_version_tags (model, version, name, value) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", id, v.Number, tag.Key, tag.Value); err != nil {
			return err
		}
	}
	_, err = store.Exec(ctx, tx, "UPDATE registered_models SET newest = CASE WHEN newest < ? THEN ? ELSE newest END WHERE id = ?", v.Number, v.Number, id)
	return err
}
