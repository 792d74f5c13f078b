package model

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ml/experiment"
)

// SQL that selects the ids of the runs, and of the logged models, whose files versions need.
const (
	NeededRuns   = "SELECT run FROM model_versions WHERE run <> ''"
	NeededModels = "SELECT logged FROM model_versions WHERE logged <> ''"
)

func now() int64 { return time.Now().UnixMilli() }

func absent(name string) error {
	return experiment.Refuse(experiment.DoesNotExist, "Registered Model with name=%s not found", experiment.Cut(name))
}

const modelColumns = "m.id, m.name, m.description, m.created_at, m.updated_at"

func (m *Model) into() []any {
	return []any{&m.id, &m.Name, &m.Description, &m.CreatedAt, &m.UpdatedAt}
}

// Model returns one registered model.
func (r *Registry) Model(ctx context.Context, name string) (Model, error) {
	if err := CheckName(name); err != nil {
		return Model{}, err
	}
	m, err := find(ctx, r.db.Read(), name)
	if err != nil {
		return m, err
	}
	list := []Model{m}
	err = load(ctx, r.db.Read(), list)
	return list[0], err
}

// find returns a registered model without what belongs to it.
func find(ctx context.Context, db store.Querier, name string) (m Model, err error) {
	err = store.Classify(db.QueryRowContext(ctx, "SELECT "+modelColumns+" FROM registered_models AS m WHERE m.name = ?", name).Scan(m.into()...))
	if errors.Is(err, store.ErrNotFound) {
		err = absent(name)
	}
	return m, err
}

// load fills in tags, aliases and latest versions.
func load(ctx context.Context, db store.Querier, list []Model) error {
	if len(list) == 0 {
		return nil
	}
	ids := make([]int64, len(list))
	place := map[int64]*Model{}
	for i := range list {
		ids[i] = list[i].id
		place[ids[i]] = &list[i]
	}
	err := store.Each(ctx, db, "SELECT model, name, value FROM registered_model_tags WHERE model IN (?) ORDER BY model, name", []any{store.List(ids)}, func(scan func(into ...any) error) error {
		var id int64
		var tag experiment.Tag
		if err := scan(&id, &tag.Key, &tag.Value); err != nil {
			return err
		}
		place[id].Tags = append(place[id].Tags, tag)
		return nil
	})
	if err != nil {
		return err
	}
	err = store.Each(ctx, db, "SELECT model, name, version FROM registered_model_aliases WHERE model IN (?) ORDER BY model, name", []any{store.List(ids)}, func(scan func(into ...any) error) error {
		var id int64
		var alias Alias
		if err := scan(&id, &alias.Name, &alias.Version); err != nil {
			return err
		}
		place[id].Aliases = append(place[id].Aliases, alias)
		return nil
	})
	if err != nil {
		return err
	}
	latest, err := versionsWhere(ctx, db, `(v.model, v.version) IN (SELECT model, MAX(version) FROM model_versions WHERE model IN (?) GROUP BY model, stage) ORDER BY v.model, v.version`, store.List(ids))
	for _, v := range latest {
		place[v.model].Latest = append(place[v.model].Latest, v)
	}
	return err
}

// Create registers a model.
func (r *Registry) Create(ctx context.Context, name, description string, tags []experiment.Tag) (m Model, err error) {
	if err := CheckName(name); err != nil {
		return m, err
	}
	for _, tag := range tags {
		if err := checkTag(tag); err != nil {
			return m, err
		}
	}
	err = r.write(ctx, func(ctx context.Context, tx store.Tx, note func(string, string, map[string]any)) error {
		id, err := experiment.Next(ctx, tx, "registered model")
		if err != nil {
			return err
		}
		at := now()
		_, err = store.Exec(ctx, tx, "INSERT INTO registered_models (id, name, description, newest, created_at, updated_at) VALUES (?, ?, ?, 0, ?, ?)", id, name, description, at, at)
		if errors.Is(err, store.ErrConflict) {
			return experiment.Refuse(experiment.AlreadyExists, "Registered Model (name=%s) already exists: choose another name; prompts and models share their names", experiment.Cut(name))
		}
		if err != nil {
			return err
		}
		for _, tag := range tags {
			if err := setTag(ctx, tx, id, tag); err != nil {
				return err
			}
		}
		if isPrompt(tags) {
			note("PROMPT", "CREATED", map[string]any{"name": name, "tags": tagMap(tags), "description": description})
		} else {
			note("REGISTERED_MODEL", "CREATED", map[string]any{"name": name, "tags": tagMap(tags), "description": description})
		}
		return nil
	})
	if err != nil {
		return m, err
	}
	return r.Model(ctx, name)
}

func isPrompt(tags []experiment.Tag) bool {
	return slices.ContainsFunc(tags, func(tag experiment.Tag) bool { return tag.Key == TagPrompt && tag.Value == "true" })
}

func tagMap(tags []experiment.Tag) map[string]string {
	m := map[string]string{}
	for _, tag := range tags {
		m[tag.Key] = tag.Value
	}
	return m
}

// promptIn reports whether a registered model is a prompt.
func promptIn(ctx context.Context, tx store.Tx, id int64) (bool, error) {
	var n int
	err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM registered_model_tags WHERE model = ? AND name = ? AND value = 'true'", id, TagPrompt).Scan(&n)
	return n > 0, err
}

func setTag(ctx context.Context, tx store.Tx, id int64, tag experiment.Tag) error {
	_, err := store.Exec(ctx, tx, "INSERT INTO registered_model_tags (model, name, value) VALUES (?, ?, ?) ON CONFLICT (model, name) DO UPDATE SET value = excluded.value", id, tag.Key, tag.Value)
	return err
}

// change runs a change on a registered model.
func (r *Registry) change(ctx context.Context, name string, change func(ctx context.Context, tx store.Tx, m Model, note func(string, string, map[string]any)) error) error {
	if err := CheckName(name); err != nil {
		return err
	}
	return r.write(ctx, func(ctx context.Context, tx store.Tx, note func(string, string, map[string]any)) error {
		m, err := find(ctx, tx, name)
		if err != nil {
			return err
		}
		return change(ctx, tx, m, note)
	})
}

func touch(ctx context.Context, tx store.Tx, id int64) error {
	_, err := store.Exec(ctx, tx, "UPDATE registered_models SET updated_at = ? WHERE id = ?", now(), id)
	return err
}

// Describe sets the description.
func (r *Registry) Describe(ctx context.Context, name, description string) (Model, error) {
	err := r.change(ctx, name, func(ctx context.Context, tx store.Tx, m Model, _ func(string, string, map[string]any)) error {
		_, err := store.Exec(ctx, tx, "UPDATE registered_models SET description = ?, updated_at = ? WHERE id = ?", description, now(), m.id)
		return err
	})
	if err != nil {
		return Model{}, err
	}
	return r.Model(ctx, name)
}

// Rename gives a registered model another name; all that belongs to it moves along.
func (r *Registry) Rename(ctx context.Context, name, to string) (Model, error) {
	if to == "" {
		return Model{}, invalid("new_name: it is missing; give a text that is not blank")
	}
	if err := CheckName(to); err != nil {
		return Model{}, err
	}
	err := r.change(ctx, name, func(ctx context.Context, tx store.Tx, m Model, _ func(string, string, map[string]any)) error {
		_, err := store.Exec(ctx, tx, "UPDATE registered_models SET name = ?, updated_at = ? WHERE id = ?", to, now(), m.id)
		if errors.Is(err, store.ErrConflict) {
			return experiment.Refuse(experiment.AlreadyExists, "Registered Model (name=%s) already exists: choose another name", experiment.Cut(to))
		}
		return err
	})
	if err != nil {
		return Model{}, err
	}
	return r.Model(ctx, to)
}

// Delete removes a registered model with all its versions.
func (r *Registry) Delete(ctx context.Context, name string) error {
	return r.change(ctx, name, func(ctx context.Context, tx store.Tx, m Model, _ func(string, string, map[string]any)) error {
		for _, statement := range []string{
			"DELETE FROM model_version_tags WHERE model = ?", "DELETE FROM model_versions WHERE model = ?", "DELETE FROM registered_model_aliases WHERE model = ?",
			"DELETE FROM registered_model_tags WHERE model = ?", "DELETE FROM registered_models WHERE id = ?",
		} {
			if _, err := store.Exec(ctx, tx, statement, m.id); err != nil {
				return err
			}
		}
		return nil
	})
}

// SetTag sets a tag of a registered model.
func (r *Registry) SetTag(ctx context.Context, name string, tag experiment.Tag) error {
	if err := checkTag(tag); err != nil {
		return err
	}
	return r.change(ctx, name, func(ctx context.Context, tx store.Tx, m Model, note func(string, string, map[string]any)) error {
		if err := setTag(ctx, tx, m.id, tag); err != nil {
			return err
		}
		return notePrompt(ctx, tx, m, note, "PROMPT_TAG", "", "SET", map[string]any{"name": m.Name, "key": tag.Key, "value": tag.Value})
	})
}

// notePrompt notes a change under one name for prompts and another for models; an empty name notes nothing.
func notePrompt(ctx context.Context, tx store.Tx, m Model, note func(string, string, map[string]any), prompt, other, action string, data map[string]any) error {
	is, err := promptIn(ctx, tx, m.id)
	switch {
	case err != nil:
		return err
	case is && prompt != "":
		note(prompt, action, data)
	case !is && other != "":
		note(other, action, data)
	}
	return nil
}

// DeleteTag removes a tag of a registered model; one that is not there is fine.
func (r *Registry) DeleteTag(ctx context.Context, name, key string) error {
	return r.change(ctx, name, func(ctx context.Context, tx store.Tx, m Model, note func(string, string, map[string]any)) error {
		if _, err := store.Exec(ctx, tx, "DELETE FROM registered_model_tags WHERE model = ? AND name = ?", m.id, key); err != nil {
			return err
		}
		return notePrompt(ctx, tx, m, note, "PROMPT_TAG", "", "DELETED", map[string]any{"name": m.Name, "key": key})
	})
}

// SetAlias points an alias to a version, wherever it pointed before.
func (r *Registry) SetAlias(ctx context.Context, name, alias string, version int64) error {
	if err := CheckAlias(alias); err != nil {
		return err
	}
	return r.change(ctx, name, func(ctx context.Context, tx store.Tx, m Model, note func(string, string, map[string]any)) error {
		if _, err := findVersion(ctx, tx, m, version); err != nil {
			return err
		}
		_, err := store.Exec(ctx, tx, "INSERT INTO registered_model_aliases (model, name, version) VALUES (?, ?, ?) ON CONFLICT (model, name) DO UPDATE SET version = excluded.version", m.id, alias, version)
		if err != nil {
			return err
		}
		return notePrompt(ctx, tx, m, note, "PROMPT_ALIAS", "MODEL_VERSION_ALIAS", "CREATED", map[string]any{"name": m.Name, "alias": alias, "version": text(version)})
	})
}

// DeleteAlias removes an alias; one that is not there is fine.
func (r *Registry) DeleteAlias(ctx context.Context, name, alias string) error {
	if alias == "" {
		return invalid("alias: it is missing; give a text of 1 to %d characters", maxAlias)
	}
	return r.change(ctx, name, func(ctx context.Context, tx store.Tx, m Model, note func(string, string, map[string]any)) error {
		result, err := store.Exec(ctx, tx, "DELETE FROM registered_model_aliases WHERE model = ? AND name = ?", m.id, alias)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return err
		}
		return notePrompt(ctx, tx, m, note, "PROMPT_ALIAS", "MODEL_VERSION_ALIAS", "DELETED", map[string]any{"name": m.Name, "alias": alias})
	})
}
