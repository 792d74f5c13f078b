package mlflow

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/fairlead/fairlead/ml/experiment"
)

type infoAnswer struct {
	UUID       string `json:"run_uuid"`
	Experiment string `json:"experiment_id"`
	Name       string `json:"run_name"`
	User       string `json:"user_id"`
	Status     string `json:"status"`
	StartedAt  int64  `json:"start_time"`
	EndedAt    *int64 `json:"end_time,omitempty"`
	Location   string `json:"artifact_uri"`
	Stage      string `json:"lifecycle_stage"`
	ID         string `json:"run_id"`
}

type metricAnswer struct {
	Key     string `json:"key"`
	Value   double `json:"value"`
	At      int64  `json:"timestamp"`
	Step    int64  `json:"step"`
	Dataset string `json:"dataset_name,omitempty"`
	Digest  string `json:"dataset_digest,omitempty"`
	Model   string `json:"model_id,omitempty"`
	Run     string `json:"run_id,omitempty"`
}

type dataAnswer struct {
	Metrics []metricAnswer `json:"metrics,omitempty"`
	Params  []tagAnswer    `json:"params,omitempty"`
	Tags    []tagAnswer    `json:"tags,omitempty"`
}

type datasetAnswer struct {
	Name       string `json:"name"`
	Digest     string `json:"digest"`
	SourceType string `json:"source_type"`
	Source     string `json:"source"`
	Schema     string `json:"schema,omitempty"`
	Profile    string `json:"profile,omitempty"`
}

type inputAnswer struct {
	Tags    []tagAnswer   `json:"tags,omitempty"`
	Dataset datasetAnswer `json:"dataset"`
}

type modelInputAnswer struct {
	Model string `json:"model_id"`
}

type modelOutputAnswer struct {
	Model string `json:"model_id"`
	Step  int64  `json:"step"`
}

type inputsAnswer struct {
	Datasets []inputAnswer      `json:"dataset_inputs,omitempty"`
	Models   []modelInputAnswer `json:"model_inputs,omitempty"`
}

type outputsAnswer struct {
	Models []modelOutputAnswer `json:"model_outputs,omitempty"`
}

type runAnswer struct {
	Info    infoAnswer     `json:"info"`
	Data    dataAnswer     `json:"data"`
	Inputs  inputsAnswer   `json:"inputs"`
	Outputs *outputsAnswer `json:"outputs,omitempty"`
}

func answerInfo(run *experiment.Run) infoAnswer {
	return infoAnswer{
		UUID: run.ID, Experiment: strconv.FormatInt(run.Experiment, 10), Name: run.Name, User: run.User, Status: string(run.Status),
		StartedAt: run.StartedAt, EndedAt: run.EndedAt, Location: run.Location, Stage: stage(run.Deleted), ID: run.ID,
	}
}

func answerRun(run *experiment.Run) runAnswer {
	a := runAnswer{Info: answerInfo(run), Data: dataAnswer{Tags: tagsAnswer(run.Tags)}}
	for _, m := range run.Metrics {
		a.Data.Metrics = append(a.Data.Metrics, metricAnswer{Key: m.Key, Value: double(m.Value), At: m.At, Step: m.Step})
	}
	for _, p := range run.Params {
		a.Data.Params = append(a.Data.Params, tagAnswer(p))
	}
	for _, in := range run.Datasets {
		a.Inputs.Datasets = append(a.Inputs.Datasets, inputAnswer{Tags: tagsAnswer(in.Tags), Dataset: datasetAnswer(in.Dataset)})
	}
	for _, m := range run.ModelsRead {
		a.Inputs.Models = append(a.Inputs.Models, modelInputAnswer{m})
	}
	a.Outputs = &outputsAnswer{}
	for _, m := range run.ModelsMade {
		a.Outputs.Models = append(a.Outputs.Models, modelOutputAnswer(m))
	}
	return a
}

// runID returns the id of a run, which may stand in run_uuid.
func (o *object) runID() string {
	if id := o.text("run_id"); id != "" {
		return id
	}
	id := o.text("run_uuid")
	if id == "" {
		o.fail("Missing value for required parameter 'run_id': give the id of a run")
	}
	return id
}

type oneRun struct {
	Run runAnswer `json:"run"`
}

func (f *Face) createRun(ctx context.Context, in *object) (any, error) {
	n := experiment.NewRun{User: in.text("user_id"), Name: in.text("run_name"), StartedAt: in.whole("start_time", 0), Tags: in.tags("tags")}
	if in.text("experiment_id") == "" && in.err() == nil {
		return nil, experiment.Refuse(experiment.BadRequest, "experiment_id: it is missing; give the number of an experiment")
	}
	n.Experiment = in.experimentID()
	if err := in.err(); err != nil {
		return nil, err
	}
	run, err := f.Experiments.CreateRun(ctx, n)
	if err != nil {
		return nil, err
	}
	answer := answerRun(&run)
	answer.Outputs = nil
	return oneRun{answer}, nil
}

func (f *Face) getRun(ctx context.Context, in *object) (any, error) {
	id := in.runID()
	if err := in.err(); err != nil {
		return nil, err
	}
	run, err := f.Experiments.Run(ctx, id)
	if err != nil {
		return nil, err
	}
	return oneRun{answerRun(run)}, nil
}

func (f *Face) updateRun(ctx context.Context, in *object) (any, error) {
	id := in.runID()
	change := experiment.Change{Name: in.text("run_name")}
	statuses := experiment.Statuses()
	names := make([]string, len(statuses))
	for i, s := range statuses {
		names[i] = string(s)
	}
	if i := in.choice("status", 1, names...); i >= 0 {
		change.Status = statuses[i]
	}
	if in.has("end_time") {
		end := in.whole("end_time", 0)
		change.EndedAt = &end
	}
	if err := in.err(); err != nil {
		return nil, err
	}
	run, err := f.Experiments.UpdateRun(ctx, id, change)
	if err != nil {
		return nil, err
	}
	return struct {
		Info infoAnswer `json:"run_info"`
	}{answerInfo(run)}, nil
}

func (f *Face) deleteRun(ctx context.Context, in *object) (any, error) {
	id := in.needed("run_id")
	if err := in.err(); err != nil {
		return nil, err
	}
	return nil, f.Experiments.DeleteRun(ctx, id)
}

func (f *Face) restoreRun(ctx context.Context, in *object) (any, error) {
	id := in.needed("run_id")
	if err := in.err(); err != nil {
		return nil, err
	}
	return nil, f.Experiments.RestoreRun(ctx, id)
}

// defaultRuns is how many runs a search returns when it is not told.
const defaultRuns = 1000

func (f *Face) searchRuns(ctx context.Context, in *object) (any, error) {
	search := experiment.Search{
		Experiments: in.experimentIDs(), Filter: in.text("filter"), View: in.view("run_view_type"), Order: in.texts("order_by"),
		Most: int(in.whole("max_results", defaultRuns)), Token: in.text("page_token"),
	}
	if err := in.err(); err != nil {
		return nil, err
	}
	var err error
	if search.Experiments, err = f.readable(ctx, search.Experiments); err != nil {
		return nil, err
	}
	runs, next, err := f.Experiments.SearchEncoded(ctx, search, encodeRun)
	if err != nil {
		return nil, err
	}
	return encodeRuns(runs, next)
}

// encodeRun writes a run as it stands in the answer to a search.
func encodeRun(run *experiment.Run) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(answerRun(run))
	return bytes.TrimRight(b.Bytes(), "\n"), err
}

// encodeRuns writes the answer to a search into memory that is used again.
func encodeRuns(runs []json.RawMessage, next string) (answer, error) {
	a := newAnswer()
	b := *a.bytes
	b = append(b, '{')
	if len(runs) > 0 {
		b = append(b, `"runs":[`...)
		for i, run := range runs {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, run...)
		}
		b = append(b, ']')
	}
	if next != "" {
		token, err := json.Marshal(next)
		if err != nil {
			return a, err
		}
		if len(runs) > 0 {
			b = append(b, ',')
		}
		b = append(b, `"next_page_token":`...)
		b = append(b, token...)
	}
	b = append(b, '}')
	*a.bytes = b
	return a, nil
}

func (f *Face) setTag(ctx context.Context, in *object) (any, error) {
	id, tag := in.runID(), experiment.Tag{Key: in.needed("key"), Value: in.text("value")}
	if err := in.err(); err != nil {
		return nil, err
	}
	return nil, f.Experiments.Log(ctx, id, experiment.Batch{Tags: []experiment.Tag{tag}})
}

func (f *Face) deleteTag(ctx context.Context, in *object) (any, error) {
	id, key := in.needed("run_id"), in.needed("key")
	if err := in.err(); err != nil {
		return nil, err
	}
	return nil, f.Experiments.DeleteTag(ctx, id, key)
}

func (f *Face) logParam(ctx context.Context, in *object) (any, error) {
	id, param := in.runID(), experiment.Param{Key: in.needed("key"), Value: in.text("value")}
	if err := in.err(); err != nil {
		return nil, err
	}
	return nil, f.Experiments.Log(ctx, id, experiment.Batch{Params: []experiment.Param{param}})
}

func (o *object) metric() experiment.Metric {
	m := experiment.Metric{
		Key: o.needed("key"), At: o.whole("timestamp", 0), Step: o.whole("step", 0),
		Model: o.text("model_id"), Dataset: o.text("dataset_name"), Digest: o.text("dataset_digest"),
	}
	var set bool
	if m.Value, set = o.number("value"); !set {
		o.fail("Missing value for required parameter '%svalue': give a number", o.at)
	}
	if !o.has("timestamp") {
		o.fail("Missing value for required parameter '%stimestamp': give milliseconds since 1970", o.at)
	}
	return m
}

func (f *Face) logMetric(ctx context.Context, in *object) (any, error) {
	id, metric := in.runID(), in.metric()
	if err := in.err(); err != nil {
		return nil, err
	}
	return nil, f.Experiments.Log(ctx, id, experiment.Batch{Metrics: []experiment.Metric{metric}})
}

func (f *Face) logBatch(ctx context.Context, in *object) (any, error) {
	id := in.runID()
	tags := slices.DeleteFunc(in.tags("tags"), func(t experiment.Tag) bool { return t.Key == "mlflow.runName" && t.Value == "" }) // no name
	batch := experiment.Batch{Tags: tags}
	for _, m := range in.objects("metrics") {
		batch.Metrics = append(batch.Metrics, m.metric())
	}
	for _, p := range in.tags("params") {
		batch.Params = append(batch.Params, experiment.Param(p))
	}
	if err := in.err(); err != nil {
		return nil, err
	}
	return nil, f.Experiments.Log(ctx, id, batch)
}

func (f *Face) logModel(ctx context.Context, in *object) (any, error) {
	id, model := in.runID(), in.needed("model_json")
	if err := in.err(); err != nil {
		return nil, err
	}
	return nil, f.Experiments.LogModel(ctx, id, model)
}

func (f *Face) logInputs(ctx context.Context, in *object) (any, error) {
	id := in.runID()
	var inputs []experiment.Input
	for _, item := range in.objects("datasets") {
		d := item.object("dataset")
		inputs = append(inputs, experiment.Input{
			Tags: item.tags("tags"),
			Dataset: experiment.Dataset{
				Name: d.text("name"), Digest: d.text("digest"), SourceType: d.text("source_type"), Source: d.text("source"), Schema: d.text("schema"), Profile: d.text("profile"),
			},
		})
	}
	var models []string
	for _, item := range in.objects("models") {
		models = append(models, item.needed("model_id"))
	}
	if err := in.err(); err != nil {
		return nil, err
	}
	return nil, f.Experiments.LogInputs(ctx, id, inputs, models)
}

func (f *Face) logOutputs(ctx context.Context, in *object) (any, error) {
	id := in.runID()
	var models []experiment.ModelMade
	for _, item := range in.objects("models") {
		models = append(models, experiment.ModelMade{Model: item.needed("model_id"), Step: item.whole("step", 0)})
	}
	if err := in.err(); err != nil {
		return nil, err
	}
	return nil, f.Experiments.LogOutputs(ctx, id, models)
}
