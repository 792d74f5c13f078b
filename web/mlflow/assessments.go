package mlflow

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/fairlead/fairlead/ml/experiment"
	"github.com/fairlead/fairlead/ml/trace"
)

type oneAssessment struct {
	Assessment trace.Assessment `json:"assessment"`
}

// raw returns a message within as JSON; nil if it is not set.
func (o *object) raw(name string) json.RawMessage {
	value := o.fields[name]
	if value == nil {
		return nil
	}
	if _, ok := value.(map[string]any); !ok {
		o.fail("%s%s: want an object; %s was given", o.at, name, show(value))
		return nil
	}
	data, err := json.Marshal(value)
	if err != nil {
		o.fail("%s%s: %v", o.at, name, err)
	}
	return data
}

func (o *object) assessment() trace.Assessment {
	return trace.Assessment{
		Name: o.text("assessment_name"), Span: o.text("span_id"), Source: o.raw("source"), CreatedAt: o.text("create_time"), UpdatedAt: o.text("last_update_time"),
		Feedback: o.raw("feedback"), Expectation: o.raw("expectation"), Rationale: o.text("rationale"), Metadata: o.texted("metadata"), Overrides: o.text("overrides"),
	}
}

func (f *Face) createAssessment(ctx context.Context, in *object) (any, error) {
	a := in.object("assessment").assessment()
	a.Trace = in.path("trace_id")
	if err := in.err(); err != nil {
		return nil, err
	}
	a, err := f.Traces.Assess(ctx, a)
	return oneAssessment{a}, err
}

func (f *Face) getAssessment(ctx context.Context, in *object) (any, error) {
	a, err := f.Traces.Assessment(ctx, in.path("trace_id"), in.path("assessment_id"))
	return oneAssessment{a}, err
}

func (f *Face) updateAssessment(ctx context.Context, in *object) (any, error) {
	mask := strings.Split(in.text("update_mask"), ",")
	sent := in.object("assessment").assessment()
	if err := in.err(); err != nil {
		return nil, err
	}
	wanted := func(names ...string) bool {
		return slices.ContainsFunc(mask, func(part string) bool { return slices.Contains(names, strings.TrimSpace(part)) })
	}
	a, err := f.Traces.UpdateAssessment(ctx, in.path("trace_id"), in.path("assessment_id"), func(a *trace.Assessment) error {
		if wanted("assessment_name", "assessmentName") && sent.Name != "" {
			a.Name = sent.Name
		}
		if wanted("feedback") && sent.Feedback != nil && a.Feedback != nil {
			a.Feedback = sent.Feedback
		}
		if wanted("expectation") && sent.Expectation != nil && a.Expectation != nil {
			a.Expectation = sent.Expectation
		}
		if wanted("rationale") {
			a.Rationale = sent.Rationale
		}
		if wanted("metadata") {
			a.Metadata = sent.Metadata
		}
		return nil
	})
	return oneAssessment{a}, err
}

func (f *Face) deleteAssessment(ctx context.Context, in *object) (any, error) {
	return nil, f.Traces.DeleteAssessment(ctx, in.path("trace_id"), in.path("assessment_id"))
}

type scorerAnswer struct {
	Experiment string `json:"experiment_id"`
	Name       string `json:"scorer_name"`
	Version    int64  `json:"scorer_version"`
	Body       string `json:"serialized_scorer"`
	CreatedAt  int64  `json:"creation_time"`
	ID         string `json:"scorer_id"`
}

func answerScorer(c trace.Scorer) scorerAnswer {
	return scorerAnswer{strconv.FormatInt(c.Experiment, 10), c.Name, c.Version, c.Body, c.CreatedAt, c.ID}
}

func (f *Face) registerScorer(ctx context.Context, in *object) (any, error) {
	id, name, body := in.experimentID(), in.needed("name"), in.needed("serialized_scorer")
	if err := in.err(); err != nil {
		return nil, err
	}
	c, err := f.Traces.RegisterScorer(ctx, id, name, body)
	return struct {
		Version    int64  `json:"version"`
		ID         string `json:"scorer_id"`
		Experiment string `json:"experiment_id"`
		Name       string `json:"name"`
		Body       string `json:"serialized_scorer"`
		CreatedAt  int64  `json:"creation_time"`
	}{c.Version, c.ID, strconv.FormatInt(c.Experiment, 10), c.Name, c.Body, c.CreatedAt}, err
}

type scorersAnswer struct {
	Scorers []scorerAnswer `json:"scorers,omitempty"`
}

func (f *Face) scorers(ctx context.Context, id int64, name string) (any, error) {
	list, err := f.Traces.Scorers(ctx, id, name)
	var answer scorersAnswer
	for _, c := range list {
		answer.Scorers = append(answer.Scorers, answerScorer(c))
	}
	return answer, err
}

func (f *Face) listScorers(ctx context.Context, in *object) (any, error) {
	id := in.experimentID()
	if err := in.err(); err != nil {
		return nil, err
	}
	return f.scorers(ctx, id, "")
}

func (f *Face) scorerVersions(ctx context.Context, in *object) (any, error) {
	id, name := in.experimentID(), in.needed("name")
	if err := in.err(); err != nil {
		return nil, err
	}
	return f.scorers(ctx, id, name)
}

func (f *Face) getScorer(ctx context.Context, in *object) (any, error) {
	id, name, version := in.experimentID(), in.needed("name"), in.whole("version", 0)
	if err := in.err(); err != nil {
		return nil, err
	}
	c, err := f.Traces.Scorer(ctx, id, name, version)
	return struct {
		Scorer scorerAnswer `json:"scorer"`
	}{answerScorer(c)}, err
}

func (f *Face) deleteScorer(ctx context.Context, in *object) (any, error) {
	id, name, version := in.experimentID(), in.needed("name"), in.whole("version", 0)
	if err := in.err(); err != nil {
		return nil, err
	}
	return nil, f.Traces.DeleteScorer(ctx, id, name, version)
}

// scorerConfigs says that no scorer runs here by itself.
func (f *Face) scorerConfigs(context.Context, *object) (any, error) {
	return struct {
		Configs []string `json:"configs"`
	}{[]string{}}, nil
}

type evaluationAnswer struct {
	ID          string   `json:"dataset_id"`
	Name        string   `json:"name"`
	Tags        string   `json:"tags,omitempty"`
	Kind        string   `json:"source_type,omitempty"`
	Source      string   `json:"source,omitempty"`
	Schema      string   `json:"schema,omitempty"`
	Profile     string   `json:"profile,omitempty"`
	Digest      string   `json:"digest"`
	CreatedAt   int64    `json:"created_time"`
	UpdatedAt   int64    `json:"last_update_time"`
	CreatedBy   string   `json:"created_by,omitempty"`
	UpdatedBy   string   `json:"last_updated_by,omitempty"`
	Experiments []string `json:"experiment_ids,omitempty"`
}

type oneEvaluation struct {
	Dataset evaluationAnswer `json:"dataset"`
}

// answerEvaluation answers with an evaluation set; its experiments have a call of their own, but when it is made or moved.
func answerEvaluation(e trace.EvaluationSet, experiments bool) evaluationAnswer {
	a := evaluationAnswer{
		ID: e.ID, Name: e.Name, Tags: e.Tags, Kind: e.Kind, Source: e.Source, Schema: e.Schema, Profile: e.Profile, Digest: e.Digest,
		CreatedAt: e.CreatedAt, UpdatedAt: e.UpdatedAt, CreatedBy: e.CreatedBy, UpdatedBy: e.UpdatedBy,
	}
	if experiments {
		for _, id := range e.Experiments {
			a.Experiments = append(a.Experiments, strconv.FormatInt(id, 10))
		}
	}
	return a
}

func (f *Face) createEvaluation(ctx context.Context, in *object) (any, error) {
	e := trace.EvaluationSet{
		Name: in.needed("name"), Tags: in.text("tags"), Kind: in.text("source_type"), Source: in.text("source"), CreatedBy: in.text("created_by"), Experiments: in.experimentIDs(),
	}
	if err := in.err(); err != nil {
		return nil, err
	}
	e, err := f.Traces.CreateEvaluationSet(ctx, e)
	return oneEvaluation{answerEvaluation(e, true)}, err
}

func (f *Face) getEvaluation(ctx context.Context, in *object) (any, error) {
	e, err := f.Traces.EvaluationSet(ctx, in.path("dataset_id"))
	return oneEvaluation{answerEvaluation(e, false)}, err
}

func (f *Face) deleteEvaluation(ctx context.Context, in *object) (any, error) {
	return nil, f.Traces.DeleteEvaluationSet(ctx, in.path("dataset_id"))
}

func (f *Face) searchEvaluations(ctx context.Context, in *object) (any, error) {
	search := trace.Search{
		Experiments: in.experimentIDs(), Filter: in.text("filter_string"), Order: in.texts("order_by"), Token: in.text("page_token"), Most: int(in.whole("max_results", 1000)),
	}
	if err := in.err(); err != nil {
		return nil, err
	}
	list, next, err := f.Traces.SearchEvaluationSets(ctx, search)
	answer := struct {
		Datasets []evaluationAnswer `json:"datasets,omitempty"`
		Next     string             `json:"next_page_token,omitempty"`
	}{Next: next}
	for _, e := range list {
		answer.Datasets = append(answer.Datasets, answerEvaluation(e, false))
	}
	return answer, err
}

func (f *Face) evaluationExperiments(ctx context.Context, in *object) (any, error) {
	e, err := f.Traces.EvaluationSet(ctx, in.path("dataset_id"))
	return struct {
		IDs []string `json:"experiment_ids,omitempty"`
	}{answerEvaluation(e, true).Experiments}, err
}

func (f *Face) moveEvaluation(add bool) handler {
	return func(ctx context.Context, in *object) (any, error) {
		ids := in.experimentIDs()
		if err := in.err(); err != nil {
			return nil, err
		}
		e, err := f.Traces.MoveEvaluationSet(ctx, in.path("dataset_id"), ids, add)
		return oneEvaluation{answerEvaluation(e, true)}, err
	}
}

func (f *Face) setEvaluationTags(ctx context.Context, in *object) (any, error) {
	tags := in.needed("tags")
	if err := in.err(); err != nil {
		return nil, err
	}
	e, err := f.Traces.SetEvaluationTags(ctx, in.path("dataset_id"), tags)
	return oneEvaluation{answerEvaluation(e, false)}, err
}

func (f *Face) deleteEvaluationTag(ctx context.Context, in *object) (any, error) {
	key, err := json.Marshal(map[string]any{in.path("key"): nil})
	if err != nil {
		return nil, err
	}
	_, err = f.Traces.SetEvaluationTags(ctx, in.path("dataset_id"), string(key))
	return nil, err
}

func (f *Face) upsertRecords(ctx context.Context, in *object) (any, error) {
	records, by := in.needed("records"), in.text("updated_by")
	if err := in.err(); err != nil {
		return nil, err
	}
	inserted, updated, err := f.Traces.UpsertRecords(ctx, in.path("dataset_id"), records, by)
	return struct {
		Inserted int `json:"inserted_count"`
		Updated  int `json:"updated_count"`
	}{inserted, updated}, err
}

func (f *Face) evaluationRecords(ctx context.Context, in *object) (any, error) {
	most, token := int(in.whole("max_results", 1000)), in.text("page_token")
	begin := 0
	if token != "" {
		var err error
		if begin, err = strconv.Atoi(token); err != nil || begin < 0 {
			in.fail("page_token: %q is not one that this call gave", experiment.Cut(token))
		}
	}
	if most < 1 {
		in.fail("max_results: %d is not 1 or more", most)
	}
	if err := in.err(); err != nil {
		return nil, err
	}
	bodies, next, err := f.Traces.Records(ctx, in.path("dataset_id"), begin, min(most, 50_000))
	answer := struct {
		Records string `json:"records"`
		Next    string `json:"next_page_token,omitempty"`
	}{Records: "[" + strings.Join(bodies, ", ") + "]"}
	if next > 0 {
		answer.Next = strconv.Itoa(next)
	}
	return answer, err
}

func (f *Face) deleteRecords(ctx context.Context, in *object) (any, error) {
	ids := in.texts("dataset_record_ids")
	if err := in.err(); err != nil {
		return nil, err
	}
	n, err := f.Traces.DeleteRecords(ctx, in.path("dataset_id"), ids)
	return struct {
		Deleted int64 `json:"deleted_count"`
	}{n}, err
}
