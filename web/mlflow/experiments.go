package mlflow

import (
	"context"
	"strconv"

	"github.com/fairlead/fairlead/base/access"
	"github.com/fairlead/fairlead/ml/experiment"
)

type tagAnswer struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

func tagsAnswer(tags []experiment.Tag) []tagAnswer {
	list := make([]tagAnswer, len(tags))
	for i, t := range tags {
		list[i] = tagAnswer(t)
	}
	return list
}

// tags reads a list of keys and values.
func (o *object) tags(name string) []experiment.Tag {
	objects := o.objects(name)
	tags := make([]experiment.Tag, len(objects))
	for i, t := range objects {
		tags[i] = experiment.Tag{Key: t.text("key"), Value: t.text("value")}
	}
	return tags
}

type experimentAnswer struct {
	ID        string      `json:"experiment_id"`
	Name      string      `json:"name"`
	Location  string      `json:"artifact_location"`
	Stage     string      `json:"lifecycle_stage"`
	UpdatedAt int64       `json:"last_update_time"`
	CreatedAt int64       `json:"creation_time"`
	Tags      []tagAnswer `json:"tags,omitempty"`
}

func stage(deleted bool) string {
	if deleted {
		return "deleted"
	}
	return "active"
}

func answerExperiment(e experiment.Experiment) experimentAnswer {
	return experimentAnswer{
		ID: strconv.FormatInt(e.ID, 10), Name: e.Name, Location: e.Location, Stage: stage(e.Deleted),
		UpdatedAt: e.UpdatedAt, CreatedAt: e.CreatedAt, Tags: tagsAnswer(e.Tags),
	}
}

// experimentID returns the number in the field experiment_id.
func (o *object) experimentID() int64 {
	id, err := experiment.ParseExperimentID(o.text("experiment_id"))
	if err != nil && *o.failed == nil {
		*o.failed = err
	}
	return id
}

// experimentIDs returns the numbers in the field experiment_ids.
func (o *object) experimentIDs() []int64 {
	texts := o.texts("experiment_ids")
	ids := make([]int64, 0, len(texts))
	for _, text := range texts {
		id, err := experiment.ParseExperimentID(text)
		if err != nil && *o.failed == nil {
			*o.failed = err
		}
		ids = append(ids, id)
	}
	return ids
}

func (f *Face) createExperiment(ctx context.Context, in *object) (any, error) {
	name, location, tags := in.needed("name"), in.text("artifact_location"), in.tags("tags")
	if err := in.err(); err != nil {
		return nil, err
	}
	e, err := f.Experiments.CreateExperiment(ctx, name, location, tags)
	if err == nil {
		err = f.People.Own(ctx, access.From(ctx), experimentThing(e.ID))
	}
	return struct {
		ID string `json:"experiment_id"`
	}{strconv.FormatInt(e.ID, 10)}, err
}

type oneExperiment struct {
	Experiment experimentAnswer `json:"experiment"`
}

func (f *Face) getExperiment(ctx context.Context, in *object) (any, error) {
	id := in.experimentID()
	if err := in.err(); err != nil {
		return nil, err
	}
	e, err := f.Experiments.Experiment(ctx, id)
	return oneExperiment{answerExperiment(e)}, err
}

func (f *Face) getExperimentByName(ctx context.Context, in *object) (any, error) {
	name := in.needed("experiment_name")
	if err := in.err(); err != nil {
		return nil, err
	}
	e, err := f.Experiments.ExperimentNamed(ctx, name)
	return oneExperiment{answerExperiment(e)}, err
}

// view reads a view; active runs or experiments if it is not set.
func (o *object) view(name string) experiment.View {
	views := []experiment.View{experiment.ActiveOnly, experiment.DeletedOnly, experiment.All}
	if i := o.choice(name, 1, string(views[0]), string(views[1]), string(views[2])); i >= 0 {
		return views[i]
	}
	return experiment.ActiveOnly
}

func (f *Face) searchExperiments(ctx context.Context, in *object) (any, error) {
	search := experiment.Listing{
		Filter: in.text("filter"), View: in.view("view_type"), Order: in.texts("order_by"), Token: in.text("page_token"), Most: int(in.whole("max_results", 0)),
	}
	if err := in.err(); err != nil {
		return nil, err
	}
	var err error
	if search.Hidden, err = f.hiddenExperiments(ctx); err != nil {
		return nil, err
	}
	list, next, err := f.Experiments.SearchExperiments(ctx, search)
	answer := struct {
		Experiments []experimentAnswer `json:"experiments,omitempty"`
		Next        string             `json:"next_page_token,omitempty"`
	}{Next: next}
	for _, e := range list {
		answer.Experiments = append(answer.Experiments, answerExperiment(e))
	}
	return answer, err
}

func (f *Face) updateExperiment(ctx context.Context, in *object) (any, error) {
	id, name := in.experimentID(), in.text("new_name")
	if err := in.err(); err != nil {
		return nil, err
	}
	return nil, f.Experiments.RenameExperiment(ctx, id, name)
}

func (f *Face) deleteExperiment(ctx context.Context, in *object) (any, error) {
	id := in.experimentID()
	if err := in.err(); err != nil {
		return nil, err
	}
	return nil, f.Experiments.DeleteExperiment(ctx, id)
}

func (f *Face) restoreExperiment(ctx context.Context, in *object) (any, error) {
	id := in.experimentID()
	if err := in.err(); err != nil {
		return nil, err
	}
	return nil, f.Experiments.RestoreExperiment(ctx, id)
}

func (f *Face) setExperimentTag(ctx context.Context, in *object) (any, error) {
	id, tag := in.experimentID(), experiment.Tag{Key: in.needed("key"), Value: in.text("value")}
	if err := in.err(); err != nil {
		return nil, err
	}
	return nil, f.Experiments.SetExperimentTag(ctx, id, tag)
}

func (f *Face) deleteExperimentTag(ctx context.Context, in *object) (any, error) {
	id, key := in.experimentID(), in.needed("key")
	if err := in.err(); err != nil {
		return nil, err
	}
	return nil, f.Experiments.DeleteExperimentTag(ctx, id, key)
}

func (f *Face) searchDatasets(ctx context.Context, in *object) (any, error) {
	ids := in.experimentIDs()
	if err := in.err(); err != nil {
		return nil, err
	}
	ids, err := f.readable(ctx, ids)
	if err != nil {
		return nil, err
	}
	uses, err := f.Experiments.Datasets(ctx, ids)
	type summary struct {
		Experiment string `json:"experiment_id"`
		Name       string `json:"name"`
		Digest     string `json:"digest"`
		Context    string `json:"context,omitempty"`
	}
	answer := struct {
		Summaries []summary `json:"dataset_summaries,omitempty"`
	}{}
	for _, u := range uses {
		answer.Summaries = append(answer.Summaries, summary{strconv.FormatInt(u.Experiment, 10), u.Name, u.Digest, u.Context})
	}
	return answer, err
}

func (f *Face) serverInfo(context.Context, *object) (any, error) {
	return struct {
		Store      string `json:"store_type"`
		Workspaces bool   `json:"workspaces_enabled"`
	}{"SqlStore", false}, nil
}
