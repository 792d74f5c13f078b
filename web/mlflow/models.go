package mlflow

import (
	"context"
	"strconv"

	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/ml/experiment"
	"github.com/fairlead/fairlead/ml/model"
)

type versionAnswer struct {
	Name        string      `json:"name"`
	Version     string      `json:"version"`
	CreatedAt   int64       `json:"creation_timestamp"`
	UpdatedAt   int64       `json:"last_updated_timestamp"`
	Stage       string      `json:"current_stage"`
	Description string      `json:"description"`
	Source      string      `json:"source"`
	Run         string      `json:"run_id"`
	Status      string      `json:"status"`
	Tags        []tagAnswer `json:"tags,omitempty"`
	RunLink     string      `json:"run_link"`
	Aliases     []string    `json:"aliases,omitempty"`
}

func answerVersion(v model.Version) versionAnswer {
	return versionAnswer{
		Name: v.Model, Version: strconv.FormatInt(v.Number, 10), CreatedAt: v.CreatedAt, UpdatedAt: v.UpdatedAt, Stage: v.Stage, Description: v.Description,
		Source: v.Source, Run: v.Run, Status: "READY", Tags: tagsAnswer(v.Tags), RunLink: v.RunLink, Aliases: v.Aliases,
	}
}

func answerVersions(list []model.Version) []versionAnswer {
	answers := make([]versionAnswer, len(list))
	for i, v := range list {
		answers[i] = answerVersion(v)
	}
	return answers
}

type aliasAnswer struct {
	Alias   string `json:"alias"`
	Version string `json:"version"`
}

type modelAnswer struct {
	Name        string          `json:"name"`
	CreatedAt   int64           `json:"creation_timestamp"`
	UpdatedAt   int64           `json:"last_updated_timestamp"`
	Description string          `json:"description,omitempty"`
	Latest      []versionAnswer `json:"latest_versions,omitempty"`
	Tags        []tagAnswer     `json:"tags,omitempty"`
	Aliases     []aliasAnswer   `json:"aliases,omitempty"`
}

func answerModel(m model.Model) modelAnswer {
	a := modelAnswer{Name: m.Name, CreatedAt: m.CreatedAt, UpdatedAt: m.UpdatedAt, Description: m.Description, Latest: answerVersions(m.Latest), Tags: tagsAnswer(m.Tags)}
	for _, alias := range m.Aliases {
		a.Aliases = append(a.Aliases, aliasAnswer{alias.Name, strconv.FormatInt(alias.Version, 10)})
	}
	return a
}

type oneModel struct {
	Model modelAnswer `json:"registered_model"`
}

type oneVersion struct {
	Version versionAnswer `json:"model_version"`
}

func answerOneVersion(v model.Version, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return oneVersion{answerVersion(v)}, nil
}

// version returns the number of a version.
func (o *object) version() int64 {
	text := o.needed("version")
	if *o.failed != nil {
		return 0
	}
	n, err := model.ParseVersion(text)
	if err != nil {
		*o.failed = err
	}
	return n
}

func (f *Face) createModel(ctx context.Context, in *object) (any, error) {
	name, description, tags := in.needed("name"), in.text("description"), in.tags("tags")
	if err := in.err(); err != nil {
		return nil, err
	}
	m, err := f.Models.Create(ctx, name, description, tags)
	if err == nil {
		err = f.People.Own(ctx, access.From(ctx), modelThing(m.Name))
	}
	return oneModel{answerModel(m)}, err
}

func (f *Face) getModel(ctx context.Context, in *object) (any, error) {
	name := in.needed("name")
	if err := in.err(); err != nil {
		return nil, err
	}
	m, err := f.Models.Model(ctx, name)
	return oneModel{answerModel(m)}, err
}

// updateModel sets the description, and takes it away when none is given, as MLflow does.
func (f *Face) updateModel(ctx context.Context, in *object) (any, error) {
	name, description := in.needed("name"), in.text("description")
	if err := in.err(); err != nil {
		return nil, err
	}
	m, err := f.Models.Describe(ctx, name, description)
	return oneModel{answerModel(m)}, err
}

func (f *Face) renameModel(ctx context.Context, in *object) (any, error) {
	name, to := in.needed("name"), in.needed("new_name")
	if err := in.err(); err != nil {
		return nil, err
	}
	m, err := f.Models.Rename(ctx, name, to)
	if err == nil {
		err = f.People.MoveThing(ctx, modelThing(name), to)
	}
	return oneModel{answerModel(m)}, err
}

func (f *Face) deleteModel(ctx context.Context, in *object) (any, error) {
	name := in.needed("name")
	if err := in.err(); err != nil {
		return nil, err
	}
	if err := f.Models.Delete(ctx, name); err != nil {
		return nil, err
	}
	return nil, f.People.MoveThing(ctx, modelThing(name), "")
}

func (o *object) search(most int64) model.Search {
	return model.Search{Filter: o.text("filter"), Order: o.texts("order_by"), Token: o.text("page_token"), Most: int(o.whole("max_results", most))}
}

func (f *Face) searchModels(ctx context.Context, in *object) (any, error) {
	search := in.search(100)
	if err := in.err(); err != nil {
		return nil, err
	}
	var err error
	if search.Hidden, err = f.People.Hidden(ctx, access.From(ctx), kindModel); err != nil {
		return nil, err
	}
	list, next, err := f.Models.SearchModels(ctx, search)
	answer := struct {
		Models []modelAnswer `json:"registered_models,omitempty"`
		Next   string        `json:"next_page_token,omitempty"`
	}{Next: next}
	for _, m := range list {
		answer.Models = append(answer.Models, answerModel(m))
	}
	return answer, err
}

func (f *Face) setModelTag(ctx context.Context, in *object) (any, error) {
	name, tag := in.needed("name"), experiment.Tag{Key: in.needed("key"), Value: in.text("value")}
	if err := in.err(); err != nil {
		return nil, err
	}
	return nil, f.Models.SetTag(ctx, name, tag)
}

func (f *Face) deleteModelTag(ctx context.Context, in *object) (any, error) {
	name, key := in.needed("name"), in.needed("key")
	if err := in.err(); err != nil {
		return nil, err
	}
	return nil, f.Models.DeleteTag(ctx, name, key)
}

func (f *Face) setAlias(ctx context.Context, in *object) (any, error) {
	name, alias, version := in.needed("name"), in.needed("alias"), in.version()
	if err := in.err(); err != nil {
		return nil, err
	}
	return nil, f.Models.SetAlias(ctx, name, alias, version)
}

func (f *Face) deleteAlias(ctx context.Context, in *object) (any, error) {
	name, alias := in.needed("name"), in.needed("alias")
	if err := in.err(); err != nil {
		return nil, err
	}
	return nil, f.Models.DeleteAlias(ctx, name, alias)
}

func (f *Face) getByAlias(ctx context.Context, in *object) (any, error) {
	name, alias := in.needed("name"), in.needed("alias")
	if err := in.err(); err != nil {
		return nil, err
	}
	return answerOneVersion(f.Models.ByAlias(ctx, name, alias))
}

func (f *Face) latestVersions(ctx context.Context, in *object) (any, error) {
	name, stages := in.needed("name"), in.texts("stages")
	if err := in.err(); err != nil {
		return nil, err
	}
	list, err := f.Models.LatestVersions(ctx, name, stages)
	return struct {
		Versions []versionAnswer `json:"model_versions,omitempty"`
	}{answerVersions(list)}, err
}

func (f *Face) createVersion(ctx context.Context, in *object) (any, error) {
	n := model.NewVersion{
		Model: in.needed("name"), Source: in.needed("source"), Run: in.text("run_id"), RunLink: in.text("run_link"), Description: in.text("description"),
		Logged: in.text("model_id"), Tags: in.tags("tags"),
	}
	if err := in.err(); err != nil {
		return nil, err
	}
	return answerOneVersion(f.Models.CreateVersion(ctx, n))
}

func (f *Face) getVersion(ctx context.Context, in *object) (any, error) {
	name, version := in.needed("name"), in.version()
	if err := in.err(); err != nil {
		return nil, err
	}
	return answerOneVersion(f.Models.Version(ctx, name, version))
}

func (f *Face) updateVersion(ctx context.Context, in *object) (any, error) {
	name, version, description := in.needed("name"), in.version(), in.text("description")
	if err := in.err(); err != nil {
		return nil, err
	}
	return answerOneVersion(f.Models.DescribeVersion(ctx, name, version, description))
}

func (f *Face) transition(ctx context.Context, in *object) (any, error) {
	name, version, stage, archive := in.needed("name"), in.version(), in.needed("stage"), in.flag("archive_existing_versions")
	if err := in.err(); err != nil {
		return nil, err
	}
	return answerOneVersion(f.Models.Transition(ctx, name, version, stage, archive))
}

func (f *Face) deleteVersion(ctx context.Context, in *object) (any, error) {
	name, version := in.needed("name"), in.version()
	if err := in.err(); err != nil {
		return nil, err
	}
	return nil, f.Models.DeleteVersion(ctx, name, version)
}

func (f *Face) downloadURI(ctx context.Context, in *object) (any, error) {
	name, version := in.needed("name"), in.version()
	if err := in.err(); err != nil {
		return nil, err
	}
	v, err := f.Models.Version(ctx, name, version)
	return struct {
		URI string `json:"artifact_uri"`
	}{v.Location}, err
}

func (f *Face) searchVersions(ctx context.Context, in *object) (any, error) {
	search := in.search(10_000)
	if err := in.err(); err != nil {
		return nil, err
	}
	var err error
	if search.Hidden, err = f.People.Hidden(ctx, access.From(ctx), kindModel); err != nil {
		return nil, err
	}
	list, next, err := f.Models.SearchVersions(ctx, search)
	return struct {
		Versions []versionAnswer `json:"model_versions,omitempty"`
		Next     string          `json:"next_page_token,omitempty"`
	}{answerVersions(list), next}, err
}

func (f *Face) setVersionTag(ctx context.Context, in *object) (any, error) {
	name, version, tag := in.needed("name"), in.version(), experiment.Tag{Key: in.needed("key"), Value: in.text("value")}
	if err := in.err(); err != nil {
		return nil, err
	}
	return nil, f.Models.SetVersionTag(ctx, name, version, tag)
}

func (f *Face) deleteVersionTag(ctx context.Context, in *object) (any, error) {
	name, version, key := in.needed("name"), in.version(), in.needed("key")
	if err := in.err(); err != nil {
		return nil, err
	}
	return nil, f.Models.DeleteVersionTag(ctx, name, version, key)
}
