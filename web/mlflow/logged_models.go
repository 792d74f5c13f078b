package mlflow

import (
	"context"
	"strconv"

	"github.com/fairlead/fairlead/ml/experiment"
)

type loggedInfo struct {
	ID         string      `json:"model_id"`
	Experiment string      `json:"experiment_id"`
	Name       string      `json:"name"`
	CreatedAt  int64       `json:"creation_timestamp_ms"`
	UpdatedAt  int64       `json:"last_updated_timestamp_ms"`
	Location   string      `json:"artifact_uri"`
	Status     string      `json:"status"`
	Kind       string      `json:"model_type"`
	Run        string      `json:"source_run_id"`
	Tags       []tagAnswer `json:"tags,omitempty"`
}

type loggedData struct {
	Params  []tagAnswer    `json:"params,omitempty"`
	Metrics []metricAnswer `json:"metrics,omitempty"`
}

type loggedAnswer struct {
	Info loggedInfo `json:"info"`
	Data loggedData `json:"data"`
}

func answerLogged(m experiment.LoggedModel) loggedAnswer {
	a := loggedAnswer{Info: loggedInfo{
		ID: m.ID, Experiment: strconv.FormatInt(m.Experiment, 10), Name: m.Name, CreatedAt: m.CreatedAt, UpdatedAt: m.UpdatedAt,
		Location: m.Location, Status: string(m.Status), Kind: m.Kind, Run: m.Run, Tags: tagsAnswer(m.Tags),
	}}
	for _, p := range m.Params {
		a.Data.Params = append(a.Data.Params, tagAnswer(p))
	}
	for _, s := range m.Scores {
		a.Data.Metrics = append(a.Data.Metrics, metricAnswer{
			Key: s.Key, Value: double(s.Value), At: s.At, Step: s.Step, Dataset: s.Dataset, Digest: s.Digest, Model: s.Model, Run: s.Run,
		})
	}
	return a
}

type oneLogged struct {
	Model loggedAnswer `json:"model"`
}

func (f *Face) createLoggedModel(ctx context.Context, in *object) (any, error) {
	n := experiment.NewLoggedModel{
		Experiment: in.experimentID(), Name: in.text("name"), Kind: in.text("model_type"), Run: in.text("source_run_id"), Tags: in.tags("tags"),
	}
	for _, p := range in.tags("params") {
		n.Params = append(n.Params, experiment.Param(p))
	}
	if err := in.err(); err != nil {
		return nil, err
	}
	m, err := f.Experiments.CreateLoggedModel(ctx, n)
	return oneLogged{answerLogged(m)}, err
}

func (f *Face) getLoggedModel(ctx context.Context, in *object) (any, error) {
	m, err := f.Experiments.LoggedModel(ctx, in.path("model_id"))
	return oneLogged{answerLogged(m)}, err
}

func (f *Face) finalizeLoggedModel(ctx context.Context, in *object) (any, error) {
	statuses := experiment.ModelStatuses()
	names := make([]string, len(statuses))
	for i, s := range statuses {
		names[i] = string(s)
	}
	i := in.choice("status", 0, names...)
	if i < 0 {
		in.fail("Missing value for required parameter 'status': use one of LOGGED_MODEL_READY, LOGGED_MODEL_UPLOAD_FAILED")
	}
	if err := in.err(); err != nil {
		return nil, err
	}
	m, err := f.Experiments.FinalizeLoggedModel(ctx, in.path("model_id"), statuses[i])
	return oneLogged{answerLogged(m)}, err
}

func (f *Face) deleteLoggedModel(ctx context.Context, in *object) (any, error) {
	return nil, f.Experiments.DeleteLoggedModel(ctx, in.path("model_id"))
}

func (f *Face) logLoggedModelParams(ctx context.Context, in *object) (any, error) {
	return nil, f.Experiments.RefuseLoggedModelParams(ctx, in.path("model_id"))
}

func (f *Face) setLoggedModelTags(ctx context.Context, in *object) (any, error) {
	tags := in.tags("tags")
	if err := in.err(); err != nil {
		return nil, err
	}
	_, err := f.Experiments.SetLoggedModelTags(ctx, in.path("model_id"), tags)
	return nil, err
}

func (f *Face) deleteLoggedModelTag(ctx context.Context, in *object) (any, error) {
	return nil, f.Experiments.DeleteLoggedModelTag(ctx, in.path("model_id"), in.path("tag_key"))
}

// defaultLogged is how many logged models a search returns when it is not told; maxLogged is the largest page.
const (
	defaultLogged = 100
	maxLogged     = 1000
)

func (f *Face) searchLoggedModels(ctx context.Context, in *object) (any, error) {
	search := experiment.LoggedModelSearch{
		Experiments: in.experimentIDs(), Filter: in.text("filter"), Token: in.text("page_token"), Most: int(in.whole("max_results", defaultLogged)),
	}
	if !in.has("experiment_ids") {
		in.fail("experiment_ids: it is missing; give a list of experiments")
	}
	if search.Most == 0 {
		search.Most = defaultLogged
	}
	if search.Most < 0 {
		in.fail("max_results: %d is negative", search.Most)
	}
	search.Most = min(search.Most, maxLogged)
	for _, d := range in.objects("datasets") {
		search.Datasets = append(search.Datasets, experiment.DatasetName{Name: d.text("dataset_name"), Digest: d.text("dataset_digest")})
	}
	for _, o := range in.objects("order_by") {
		search.Order = append(search.Order, experiment.ModelOrder{
			Field: o.needed("field_name"), Descending: o.has("ascending") && !o.flag("ascending"),
			Dataset: experiment.DatasetName{Name: o.text("dataset_name"), Digest: o.text("dataset_digest")},
		})
	}
	if err := in.err(); err != nil {
		return nil, err
	}
	var err error
	if search.Experiments, err = f.readable(ctx, search.Experiments); err != nil {
		return nil, err
	}
	models, next, err := f.Experiments.SearchLoggedModels(ctx, search)
	answer := struct {
		Models []loggedAnswer `json:"models,omitempty"`
		Next   string         `json:"next_page_token,omitempty"`
	}{Next: next}
	for _, m := range models {
		answer.Models = append(answer.Models, answerLogged(m))
	}
	return answer, err
}
