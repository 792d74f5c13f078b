package model

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/fairlead/fairlead/base/store"
	"github.com/fairlead/fairlead/ml/experiment"
)

func text(version int64) string { return strconv.FormatInt(version, 10) }

const versionColumns = "v.model, m.name, v.version, v.created_at, v.updated_at, v.stage, v.description, v.source, v.location, v.run, v.run_link, v.logged"

func (v *Version) into() []any {
	return []any{&v.model, &v.Model, &v.Number, &v.CreatedAt, &v.UpdatedAt, &v.Stage, &v.Description, &v.Source, &v.Location, &v.Run, &v.RunLink, &v.Logged}
}

// versionsWhere returns the versions that a condition holds of, with their tags and aliases.
func versionsWhere(ctx context.Context, db store.Querier, where string, args ...any) ([]Version, error) {
	rows, err := db.QueryContext(ctx, "SELECT "+versionColumns+" FROM model_versions AS v JOIN registered_models AS m ON m.id = v.model WHERE "+where, args...)
	if err != nil {
		return nil, store.Classify(err)
	}
	defer rows.Close()
	var list []Version
	for rows.Next() {
		var v Version
		if err := rows.Scan(v.into()...); err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	if err := rows.Err(); err != nil {
		return nil, store.Classify(err)
	}
	return list, loadVersions(ctx, db, list)
}

// versionKey tells versions apart.
type versionKey struct{ model, number int64 }

// loadVersions fills in tags and aliases.
func loadVersions(ctx context.Context, db store.Querier, list []Version) error {
	place := make(map[versionKey]*Version, len(list))
	var models []int64
	for i := range list {
		place[versionKey{list[i].model, list[i].Number}] = &list[i]
		models = append(models, list[i].model)
	}
	slices.Sort(models)
	models = slices.Compact(models)
	for _, table := range []string{"model_version_tags", "registered_model_aliases"} {
		const most = 500
		for rest := models; len(rest) > 0; {
			some := rest[:min(most, len(rest))]
			rest = rest[len(some):]
			value := "value"
			if table == "registered_model_aliases" {
				value = "''"
			}
			query := "SELECT model, version, name, " + value + " FROM " + table + " WHERE model IN (?) ORDER BY model, version, name"
			err := store.Each(ctx, db, query, []any{store.List(some)}, func(scan func(into ...any) error) error {
				var key versionKey
				var tag experiment.Tag
				if err := scan(&key.model, &key.number, &tag.Key, &tag.Value); err != nil {
					return err
				}
				v, wanted := place[key]
				switch {
				case !wanted:
				case table == "model_version_tags":
					v.Tags = append(v.Tags, tag)
				default:
					v.Aliases = append(v.Aliases, tag.Key)
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// findVersion returns a version of a registered model.
func findVersion(ctx context.Context, db store.Querier, m Model, number int64) (Version, error) {
	list, err := versionsWhere(ctx, db, "v.model = ? AND v.version = ?", m.id, number)
	if err != nil {
		return Version{}, err
	}
	if len(list) == 0 {
		return Version{}, experiment.Refuse(experiment.DoesNotExist, "Model Version (name=%s, version=%d) not found", experiment.Cut(m.Name), number)
	}
	return list[0], nil
}

// Version returns one version.
func (r *Registry) Version(ctx context.Context, name string, number int64) (Version, error) {
	if err := CheckName(name); err != nil {
		return Version{}, err
	}
	return findVersion(ctx, r.db.Read(), Model{Name: name, id: r.idOf(ctx, name)}, number)
}

// idOf returns the number of a registered model; 0, which none has, if it does not exist.
func (r *Registry) idOf(ctx context.Context, name string) int64 {
	m, err := find(ctx, r.db.Read(), name)
	if err != nil {
		return 0
	}
	return m.id
}

// ByAlias returns the version that an alias points to; "latest" is the one that was changed last, as in MLflow.
func (r *Registry) ByAlias(ctx context.Context, name, alias string) (Version, error) {
	m, err := r.Model(ctx, name)
	if err != nil {
		return Version{}, err
	}
	return byAlias(ctx, r.db.Read(), m, alias)
}

func byAlias(ctx context.Context, db store.Querier, m Model, alias string) (Version, error) {
	var number int64
	var err error
	if strings.EqualFold(alias, "latest") {
		newest, err := versionsWhere(ctx, db, "v.model = ? ORDER BY v.updated_at DESC, v.version DESC LIMIT 1", m.id)
		if err != nil || len(newest) == 0 {
			return Version{}, errors.Join(err, experiment.Refuse(experiment.DoesNotExist, "The registered model %s has no version", experiment.Cut(m.Name)))
		}
		return newest[0], nil
	}
	if err := CheckAlias(alias); err != nil {
		return Version{}, err
	}
	err = store.Classify(db.QueryRowContext(ctx, "SELECT version FROM registered_model_aliases WHERE model = ? AND name = ?", m.id, alias).Scan(&number))
	if errors.Is(err, store.ErrNotFound) {
		return Version{}, invalid("Registered model alias %s not found.", alias)
	}
	if err != nil {
		return Version{}, err
	}
	return findVersion(ctx, db, m, number)
}

var loggedURI = regexp.MustCompile(`^models:/(m-[0-9a-f]{32})$`)

// resolve finds the files of a source that names something here.
func resolve(ctx context.Context, tx store.Tx, n *NewVersion) (location string, err error) {
	if isPrompt(n.Tags) { // it has no files
		return n.Source, nil
	}
	if _, err := checkSource(n.Source); err != nil {
		return "", err
	}
	rest, named := strings.CutPrefix(n.Source, "models:")
	if !named {
		return n.Source, nil
	}
	if match := loggedURI.FindStringSubmatch(n.Source); match != nil {
		n.Logged = match[1]
	}
	if n.Logged != "" {
		m, err := experiment.LoggedModelIn(ctx, tx, n.Logged)
		if err != nil {
			return "", err
		}
		if n.Run == "" {
			n.Run = m.Run
		}
		return m.Location, nil
	}
	rest = strings.Trim(rest, "/")
	if name, alias, found := strings.Cut(rest, "@"); found {
		m, err := find(ctx, tx, name)
		if err != nil {
			return "", err
		}
		v, err := byAlias(ctx, tx, m, alias)
		return v.Location, err
	}
	name, number, found := strings.Cut(rest, "/")
	version, err := ParseVersion(number)
	if !found || err != nil {
		return "", invalid("source: %q names no version; write models:/name/version or models:/name@alias", experiment.Cut(n.Source))
	}
	m, err := find(ctx, tx, name)
	if err != nil {
		return "", err
	}
	v, err := findVersion(ctx, tx, m, version)
	return v.Location, err
}

// CreateVersion adds a version, with the next number.
func (r *Registry) CreateVersion(ctx context.Context, n NewVersion) (v Version, err error) {
	for _, tag := range n.Tags {
		if err := checkTag(tag); err != nil {
			return v, err
		}
	}
	err = r.change(ctx, n.Model, func(ctx context.Context, tx store.Tx, m Model, note func(string, string, map[string]any)) error {
		location, err := resolve(ctx, tx, &n)
		if err != nil {
			return err
		}
		var number int64
		if err := tx.NewRaw("UPDATE registered_models SET newest = newest + 1, updated_at = ? WHERE id = ? RETURNING newest", now(), m.id).Scan(ctx, &number); err != nil {
			return err
		}
		at := now()
		_, err = store.Exec(ctx, tx, "INSERT INTO model_versions (model, version, stage, description, source, location, run, run_link, logged, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			m.id, number, StageNone, n.Description, n.Source, location, n.Run, n.RunLink, n.Logged, at, at)
		if err != nil {
			return err
		}
		for _, tag := range n.Tags {
			if err := setVersionTag(ctx, tx, m.id, number, tag); err != nil {
				return err
			}
		}
		if n.Logged != "" {
			if err := markLogged(ctx, tx, n.Logged, m.Name, number); err != nil {
				return err
			}
		}
		if v, err = findVersion(ctx, tx, m, number); err != nil {
			return err
		}
		data := map[string]any{"name": m.Name, "version": text(number), "tags": tagMap(n.Tags), "description": n.Description}
		if isPrompt(n.Tags) {
			note("PROMPT_VERSION", "CREATED", data)
		} else {
			data["source"], data["run_id"] = n.Source, n.Run
			note("MODEL_VERSION", "CREATED", data)
		}
		return nil
	})
	return v, err
}

// markLogged notes on a logged model that it was registered.
func markLogged(ctx context.Context, tx store.Tx, id, name string, number int64) error {
	const tag = "mlflow.modelVersions"
	m, err := experiment.LoggedModelIn(ctx, tx, id)
	if err != nil {
		return err
	}
	entry, err := json.Marshal(name)
	if err != nil {
		return err
	}
	list := `{"name": ` + string(entry) + `, "version": ` + text(number) + `}`
	for _, t := range m.Tags {
		if before, ok := strings.CutSuffix(t.Value, "]"); ok && t.Key == tag && len(before) > 1 {
			list = before[1:] + ", " + list
		}
	}
	return experiment.SetLoggedModelTag(ctx, tx, id, experiment.Tag{Key: tag, Value: "[" + list + "]"})
}

func setVersionTag(ctx context.Context, tx store.Tx, model, number int64, tag experiment.Tag) error {
	_, err := store.Exec(ctx, tx, "INSERT INTO model_version_tags (model, version, name, value) VALUES (?, ?, ?, ?) ON CONFLICT (model, version, name) DO UPDATE SET value = excluded.value", model, number, tag.Key, tag.Value)
	return err
}

// changeVersion runs a change on a version.
func (r *Registry) changeVersion(ctx context.Context, name string, number int64, change func(ctx context.Context, tx store.Tx, m Model, v Version, note func(string, string, map[string]any)) error) error {
	if err := CheckName(name); err != nil {
		return err
	}
	return r.write(ctx, func(ctx context.Context, tx store.Tx, note func(string, string, map[string]any)) error {
		m, err := find(ctx, tx, name)
		if experiment.CodeOf(err) == experiment.DoesNotExist {
			return experiment.Refuse(experiment.DoesNotExist, "Model Version (name=%s, version=%d) not found", experiment.Cut(name), number)
		}
		if err != nil {
			return err
		}
		v, err := findVersion(ctx, tx, m, number)
		if err != nil {
			return err
		}
		return change(ctx, tx, m, v, note)
	})
}

// DescribeVersion sets the description.
func (r *Registry) DescribeVersion(ctx context.Context, name string, number int64, description string) (Version, error) {
	err := r.changeVersion(ctx, name, number, func(ctx context.Context, tx store.Tx, m Model, _ Version, _ func(string, string, map[string]any)) error {
		_, err := store.Exec(ctx, tx, "UPDATE model_versions SET description = ?, updated_at = ? WHERE model = ? AND version = ?", description, now(), m.id, number)
		return err
	})
	if err != nil {
		return Version{}, err
	}
	return r.Version(ctx, name, number)
}

// Transition moves a version to a stage. Archive moves the others of that stage to Archived.
func (r *Registry) Transition(ctx context.Context, name string, number int64, stage string, archive bool) (Version, error) {
	stage, err := CheckStage(stage)
	if err != nil {
		return Version{}, err
	}
	if archive && (stage == StageNone || stage == StageArchived) {
		return Version{}, invalid("archive_existing_versions: it can be true only with Staging or Production, not with %s", stage)
	}
	err = r.changeVersion(ctx, name, number, func(ctx context.Context, tx store.Tx, m Model, _ Version, _ func(string, string, map[string]any)) error {
		if archive {
			_, err := store.Exec(ctx, tx, "UPDATE model_versions SET stage = ?, updated_at = ? WHERE model = ? AND stage = ? AND version <> ?", StageArchived, now(), m.id, stage, number)
			if err != nil {
				return err
			}
		}
		if _, err := store.Exec(ctx, tx, "UPDATE model_versions SET stage = ?, updated_at = ? WHERE model = ? AND version = ?", stage, now(), m.id, number); err != nil {
			return err
		}
		return touch(ctx, tx, m.id)
	})
	if err != nil {
		return Version{}, err
	}
	return r.Version(ctx, name, number)
}

// DeleteVersion removes a version with its tags. Aliases that point to it stay, as MLflow has it, and lead nowhere until they
// are moved or deleted.
func (r *Registry) DeleteVersion(ctx context.Context, name string, number int64) error {
	return r.changeVersion(ctx, name, number, func(ctx context.Context, tx store.Tx, m Model, _ Version, _ func(string, string, map[string]any)) error {
		for _, statement := range []string{
			"DELETE FROM model_version_tags WHERE model = ? AND version = ?", "DELETE FROM model_versions WHERE model = ? AND version = ?",
		} {
			if _, err := store.Exec(ctx, tx, statement, m.id, number); err != nil {
				return err
			}
		}
		return touch(ctx, tx, m.id)
	})
}

// SetVersionTag sets a tag of a version.
func (r *Registry) SetVersionTag(ctx context.Context, name string, number int64, tag experiment.Tag) error {
	if err := checkTag(tag); err != nil {
		return err
	}
	return r.changeVersion(ctx, name, number, func(ctx context.Context, tx store.Tx, m Model, _ Version, note func(string, string, map[string]any)) error {
		if err := setVersionTag(ctx, tx, m.id, number, tag); err != nil {
			return err
		}
		return notePrompt(ctx, tx, m, note, "PROMPT_VERSION_TAG", "MODEL_VERSION_TAG", "SET", map[string]any{"name": m.Name, "version": text(number), "key": tag.Key, "value": tag.Value})
	})
}

// DeleteVersionTag removes a tag of a version; one that is not there is fine.
func (r *Registry) DeleteVersionTag(ctx context.Context, name string, number int64, key string) error {
	return r.changeVersion(ctx, name, number, func(ctx context.Context, tx store.Tx, m Model, _ Version, note func(string, string, map[string]any)) error {
		if _, err := store.Exec(ctx, tx, "DELETE FROM model_version_tags WHERE model = ? AND version = ? AND name = ?", m.id, number, key); err != nil {
			return err
		}
		return notePrompt(ctx, tx, m, note, "PROMPT_VERSION_TAG", "MODEL_VERSION_TAG", "DELETED", map[string]any{"name": m.Name, "version": text(number), "key": key})
	})
}

// LatestVersions returns the highest version of each of stages; of all, without any.
func (r *Registry) LatestVersions(ctx context.Context, name string, stages []string) ([]Version, error) {
	m, err := r.Model(ctx, name)
	if err != nil {
		return nil, err
	}
	if len(stages) == 0 {
		return m.Latest, nil
	}
	var wanted []string
	for _, stage := range stages {
		known, err := CheckStage(stage)
		if err != nil {
			return nil, err
		}
		wanted = append(wanted, known)
	}
	return slices.DeleteFunc(m.Latest, func(v Version) bool { return !slices.Contains(wanted, v.Stage) }), nil
}
