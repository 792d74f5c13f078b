package mlflow

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/fairlead/fairlead/ml/experiment"
	"github.com/fairlead/fairlead/ml/trace"
)

type locationAnswer struct {
	Type       string `json:"type"`
	Experiment struct {
		ID string `json:"experiment_id"`
	} `json:"mlflow_experiment"`
}

type traceInfoAnswer struct {
	ID          string            `json:"trace_id"`
	Client      string            `json:"client_request_id,omitempty"`
	Location    locationAnswer    `json:"trace_location"`
	StartedAt   string            `json:"request_time"`
	Took        string            `json:"execution_duration,omitempty"`
	State       string            `json:"state"`
	Metadata    map[string]string `json:"trace_metadata,omitempty"`
	Assessments []json.RawMessage `json:"assessments,omitempty"`
	Tags        map[string]string `json:"tags,omitempty"`
	Request     string            `json:"request_preview,omitempty"`
	Response    string            `json:"response_preview,omitempty"`
}

func tagMap(tags []experiment.Tag) map[string]string {
	m := make(map[string]string, len(tags))
	for _, t := range tags {
		m[t.Key] = t.Value
	}
	return m
}

func answerTrace(info trace.Info) traceInfoAnswer {
	a := traceInfoAnswer{
		ID: info.ID, Client: info.Client, StartedAt: moment(info.StartedAt), State: string(info.State), Metadata: tagMap(info.Metadata),
		Assessments: info.Assessments, Tags: tagMap(info.Tags), Request: info.Request, Response: info.Response,
	}
	a.Location.Type = "MLFLOW_EXPERIMENT"
	a.Location.Experiment.ID = strconv.FormatInt(info.Experiment, 10)
	if info.Took != nil {
		a.Took = strconv.FormatFloat(float64(*info.Took)/1000, 'f', 3, 64) + "s"
	}
	return a
}

// moment is a time in milliseconds since 1970 as protobuf's JSON has it: with no more digits than are needed.
func moment(millis int64) string {
	at := time.UnixMilli(millis).UTC()
	if millis%1000 == 0 {
		return at.Format("2006-01-02T15:04:05Z")
	}
	return at.Format("2006-01-02T15:04:05.000Z")
}

type fullTrace struct {
	Info  traceInfoAnswer   `json:"trace_info"`
	Spans []json.RawMessage `json:"spans,omitempty"`
}

type oneTrace struct {
	Trace fullTrace `json:"trace"`
}

// sortedTags reads an object of texts as tags.
func (o *object) tagObject(name string) []experiment.Tag {
	var tags []experiment.Tag
	for key, value := range o.texted(name) {
		tags = append(tags, experiment.Tag{Key: key, Value: value})
	}
	return tags
}

func (f *Face) startTrace(ctx context.Context, in *object) (any, error) {
	if !in.has("trace") {
		return nil, invalid("Missing value for required parameter 'trace'")
	}
	o := in.object("trace").object("trace_info")
	info := trace.Info{
		ID: o.text("trace_id"), Client: o.text("client_request_id"), Request: o.text("request_preview"), Response: o.text("response_preview"),
		Metadata: o.tagObject("trace_metadata"), Tags: o.tagObject("tags"), StartedAt: time.Now().UnixMilli(), State: trace.Unspecified,
	}
	id := o.object("trace_location").object("mlflow_experiment").text("experiment_id")
	if at, err := time.Parse(time.RFC3339Nano, o.text("request_time")); err == nil { // any other time is now
		info.StartedAt = at.UnixMilli()
	}
	if text := o.text("execution_duration"); text != "" {
		took, err := time.ParseDuration(text)
		if err != nil {
			o.fail("%sexecution_duration: %q is not a number of seconds such as 0.1s", o.at, experiment.Cut(text))
		}
		millis := took.Milliseconds()
		info.Took = &millis
	}
	states := trace.States()
	if i := o.choice("state", 0, string(states[0]), string(states[1]), string(states[2]), string(states[3])); i >= 0 {
		info.State = states[i]
	}
	if err := in.err(); err != nil {
		return nil, err
	}
	if id == "" {
		return nil, experiment.Refuse(experiment.BadRequest, "trace.trace_info.trace_location: it is missing; name the experiment in mlflow_experiment.experiment_id")
	}
	number, err := experiment.ParseExperimentID(id)
	if err != nil {
		return nil, err
	}
	info.Experiment = number
	kept, err := f.Traces.Start(ctx, info)
	return oneTrace{fullTrace{Info: answerTrace(kept)}}, err
}

func (f *Face) traceInfo(ctx context.Context, in *object) (any, error) {
	info, err := f.Traces.Info(ctx, in.path("trace_id"))
	return oneTrace{fullTrace{Info: answerTrace(info)}}, err
}

func (f *Face) fullTrace(ctx context.Context, in *object) (any, error) {
	id, partial := in.needed("trace_id"), in.flag("allow_partial")
	if err := in.err(); err != nil {
		return nil, err
	}
	t, err := f.Traces.Trace(ctx, id, partial)
	return oneTrace{fullTrace{answerTrace(t.Info), t.Spans}}, err
}

func (f *Face) batchTraces(ctx context.Context, in *object) (any, error) {
	ids := in.texts("trace_ids")
	if len(ids) == 0 {
		in.fail("trace_ids: it is missing; give a list of traces")
	}
	if err := in.err(); err != nil {
		return nil, err
	}
	answer := struct {
		Traces []fullTrace `json:"traces,omitempty"`
	}{}
	for _, id := range ids {
		t, err := f.Traces.Trace(ctx, id, false)
		if experiment.CodeOf(err) == experiment.DoesNotExist {
			continue
		}
		if err != nil {
			return nil, err
		}
		answer.Traces = append(answer.Traces, fullTrace{answerTrace(t.Info), t.Spans})
	}
	return answer, nil
}

func (f *Face) batchInfos(ctx context.Context, in *object) (any, error) {
	ids := in.texts("trace_ids")
	if len(ids) == 0 {
		in.fail("trace_ids: it is missing; give a list of traces")
	}
	if err := in.err(); err != nil {
		return nil, err
	}
	infos, err := f.Traces.Infos(ctx, ids)
	answer := struct {
		Infos []traceInfoAnswer `json:"trace_infos,omitempty"`
	}{}
	for _, info := range infos {
		answer.Infos = append(answer.Infos, answerTrace(info))
	}
	return answer, err
}

func (f *Face) searchTraces(ctx context.Context, in *object) (any, error) {
	search := trace.Search{Filter: in.text("filter"), Order: in.texts("order_by"), Token: in.text("page_token"), Most: int(in.whole("max_results", 100))}
	if !in.has("locations") {
		in.fail("locations: it is missing; give a list with at least one experiment")
	}
	for _, location := range in.objects("locations") {
		search.Experiments = append(search.Experiments, location.object("mlflow_experiment").experimentID())
	}
	return foundTraces(ctx, f, in, search, answerTrace)
}

// foundTraces answers a search, each trace in the form of one version of the API.
func foundTraces[T any](ctx context.Context, f *Face, in *object, search trace.Search, form func(trace.Info) T) (any, error) {
	if err := in.err(); err != nil {
		return nil, err
	}
	var err error
	if search.Experiments, err = f.readable(ctx, search.Experiments); err != nil {
		return nil, err
	}
	list, next, err := f.Traces.Search(ctx, search)
	answer := struct {
		Traces []T    `json:"traces,omitempty"`
		Next   string `json:"next_page_token,omitempty"`
	}{Next: next}
	for _, info := range list {
		answer.Traces = append(answer.Traces, form(info))
	}
	return answer, err
}

func (f *Face) setTraceTag(ctx context.Context, in *object) (any, error) {
	tag := experiment.Tag{Key: in.needed("key"), Value: in.text("value")}
	if err := in.err(); err != nil {
		return nil, err
	}
	return nil, f.Traces.SetTag(ctx, in.path("trace_id"), tag)
}

func (f *Face) deleteTraceTag(ctx context.Context, in *object) (any, error) {
	key := in.needed("key")
	if err := in.err(); err != nil {
		return nil, err
	}
	return nil, f.Traces.DeleteTag(ctx, in.path("trace_id"), key)
}

func (f *Face) linkTraces(ctx context.Context, in *object) (any, error) {
	run, ids := in.needed("run_id"), in.texts("trace_ids")
	if err := in.err(); err != nil {
		return nil, err
	}
	return nil, f.Traces.Link(ctx, run, ids)
}

func (f *Face) deleteTraces(ctx context.Context, in *object) (any, error) {
	id, ids := in.experimentID(), in.texts("request_ids")
	before, most := in.whole("max_timestamp_millis", 0), in.whole("max_traces", 1<<31)
	timed := in.has("max_timestamp_millis")
	switch {
	case timed == (len(ids) > 0):
		in.fail("give either request_ids, or max_timestamp_millis")
	case len(ids) > 0 && in.has("max_traces"):
		in.fail("max_traces: it goes with max_timestamp_millis only")
	case most < 1:
		in.fail("max_traces: %d is not 1 or more", most)
	}
	if err := in.err(); err != nil {
		return nil, err
	}
	n, err := f.Traces.Delete(ctx, id, ids, before, int(most))
	return struct {
		Deleted int `json:"traces_deleted"`
	}{n}, err
}

// The calls of clients before 3.0.

type oldTraceAnswer struct {
	ID         string      `json:"request_id"`
	Experiment string      `json:"experiment_id"`
	At         int64       `json:"timestamp_ms"`
	Took       int64       `json:"execution_time_ms"`
	Status     string      `json:"status"`
	Metadata   []tagAnswer `json:"request_metadata,omitempty"`
	Tags       []tagAnswer `json:"tags,omitempty"`
}

type oneOldTrace struct {
	Info oldTraceAnswer `json:"trace_info"`
}

func answerOldTrace(info trace.Info) oldTraceAnswer {
	a := oldTraceAnswer{
		ID: info.ID, Experiment: strconv.FormatInt(info.Experiment, 10), At: info.StartedAt, Status: strings.TrimPrefix(string(info.State), "STATE_"),
		Metadata: tagsAnswer(info.Metadata), Tags: tagsAnswer(info.Tags),
	}
	if info.Took != nil {
		a.Took = *info.Took
	}
	return a
}

func (f *Face) beginTrace(ctx context.Context, in *object) (any, error) {
	if in.text("experiment_id") == "" && in.err() == nil {
		return nil, experiment.Refuse(experiment.BadRequest, "experiment_id: it is missing; give the number of an experiment")
	}
	id, at, metadata, tags := in.experimentID(), in.whole("timestamp_ms", 0), in.tags("request_metadata"), in.tags("tags")
	if err := in.err(); err != nil {
		return nil, err
	}
	info, err := f.Traces.Begin(ctx, id, at, metadata, tags)
	return oneOldTrace{answerOldTrace(info)}, err
}

func (f *Face) endTrace(ctx context.Context, in *object) (any, error) {
	states := []trace.State{trace.Unspecified, trace.OK, trace.Error, trace.InProgress}
	state := trace.Unspecified
	if i := in.choice("status", 0, "TRACE_STATUS_UNSPECIFIED", "OK", "ERROR", "IN_PROGRESS"); i >= 0 {
		state = states[i]
	}
	at, metadata, tags := in.whole("timestamp_ms", 0), in.tags("request_metadata"), in.tags("tags")
	if err := in.err(); err != nil {
		return nil, err
	}
	info, err := f.Traces.End(ctx, in.path("trace_id"), at, state, metadata, tags)
	return oneOldTrace{answerOldTrace(info)}, err
}

func (f *Face) oldTraceInfo(ctx context.Context, in *object) (any, error) {
	info, err := f.Traces.Info(ctx, in.path("trace_id"))
	return oneOldTrace{answerOldTrace(info)}, err
}

func (f *Face) searchOldTraces(ctx context.Context, in *object) (any, error) {
	search := trace.Search{
		Experiments: in.experimentIDs(), Filter: in.text("filter"), Order: in.texts("order_by"), Token: in.text("page_token"), Most: int(in.whole("max_results", 100)),
	}
	return foundTraces(ctx, f, in, search, answerOldTrace)
}
