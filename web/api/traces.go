package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/fairlead/fairlead/ml/experiment"
	"github.com/fairlead/fairlead/ml/trace"
)

// Trace is what an application with a language model did for one request.
type Trace struct {
	ID         string            `json:"id"`
	Name       string            `json:"name" doc:"Its own, or that of its root span; empty if neither was sent."`
	Experiment string            `json:"experiment"`
	State      string            `json:"state" enum:"STATE_UNSPECIFIED,OK,ERROR,IN_PROGRESS"`
	StartedAt  time.Time         `json:"startedAt"`
	Took       *int64            `json:"took,omitempty" doc:"In milliseconds; absent until it is known."`
	Request    string            `json:"request" doc:"The begin of what was asked."`
	Response   string            `json:"response" doc:"The begin of what was answered."`
	Run        string            `json:"run" doc:"The run that made it, or empty."`
	Session    string            `json:"session"`
	User       string            `json:"user"`
	Tokens     *int64            `json:"tokens,omitempty" doc:"How many all its calls of models took."`
	Tags       map[string]string `json:"tags"`
	Metadata   map[string]string `json:"metadata"`
	Judgements []TraceJudgement  `json:"judgements" doc:"What people, judges and code said of it."`
}

// TraceJudgement is what somebody said of a trace or of one of its spans.
type TraceJudgement struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	Kind      string `json:"kind" enum:"feedback,expectation"`
	Span      string `json:"span" doc:"The span it is about; empty for all of the trace."`
	Value     any    `json:"value"`
	Rationale string `json:"rationale"`
	Source    string `json:"source" example:"HUMAN anna"`
	At        string `json:"at"`
}

// TracePage is a page of traces; next is the cursor of the following page, empty on the last.
type TracePage struct {
	Items []Trace `json:"items"`
	Next  string  `json:"next"`
}

// TraceSpan is one step of a trace.
type TraceSpan struct {
	ID         string           `json:"id"`
	Parent     string           `json:"parent" doc:"Empty for a root."`
	Name       string           `json:"name"`
	Kind       string           `json:"kind" example:"CHAT_MODEL"`
	Status     string           `json:"status" enum:"OK,ERROR,UNSET"`
	Message    string           `json:"message"`
	Start      float64          `json:"start" doc:"In milliseconds after the first span began."`
	Took       *float64         `json:"took,omitempty" doc:"In milliseconds; absent if its end was not told."`
	Inputs     any              `json:"inputs,omitempty"`
	Outputs    any              `json:"outputs,omitempty"`
	Attributes map[string]any   `json:"attributes"`
	Events     []TraceSpanEvent `json:"events"`
}

// TraceSpanEvent is something that happened during a span.
type TraceSpanEvent struct {
	Name       string         `json:"name"`
	At         float64        `json:"at" doc:"In milliseconds after the first span began."`
	Attributes map[string]any `json:"attributes"`
}

// TraceTree is a trace with its spans, in the order of their begin.
type TraceTree struct {
	Trace   Trace       `json:"trace"`
	Spans   []TraceSpan `json:"spans"`
	Problem string      `json:"problem" doc:"Why there are no spans, if there are none that can be shown."`
}

type listTraces struct {
	Experiment int64    `query:"experiment" required:"true" minimum:"0"`
	Filter     string   `query:"filter" maxLength:"20000" doc:"In MLflow's grammar." example:"status = 'ERROR' AND span.name = 'retrieve'"`
	Order      []string `query:"order,explode" maxItems:"10" doc:"Items in MLflow's form." example:"execution_time DESC"`
	Cursor     string   `query:"cursor" maxLength:"20000" doc:"next of the page before."`
	Limit      int      `query:"limit" minimum:"1" maximum:"500" default:"100"`
}

type tracePath struct {
	ID string `path:"id" maxLength:"250"`
}

func (a *API) traceRoutes() {
	route(a, http.MethodGet, "/traces", "listTraces", "List traces of an experiment, the newest first", a.listTraces)
	route(a, http.MethodGet, "/traces/{id}", "getTrace", "Get a trace with its spans", a.getTrace)
}

func toTrace(i *trace.Info) Trace {
	v := Trace{
		ID: i.ID, Experiment: strconv.FormatInt(i.Experiment, 10), State: string(i.State), StartedAt: time.UnixMilli(i.StartedAt).UTC(), Took: i.Took, Request: i.Request, Response: i.Response,
		Tags: tagMap(i.Tags), Metadata: tagMap(i.Metadata), Judgements: []TraceJudgement{},
	}
	v.Name, v.Run = v.Tags["mlflow.traceName"], v.Metadata["mlflow.sourceRun"]
	if v.Name == "" {
		v.Name = i.Root
	}
	v.Session, v.User = said(v.Metadata["mlflow.trace.session"]), said(v.Metadata["mlflow.trace.user"])
	var usage struct {
		Total *int64 `json:"total_tokens"`
	}
	if json.Unmarshal([]byte(v.Metadata["mlflow.trace.tokenUsage"]), &usage) == nil { // what a client wrote otherwise is not counted
		v.Tokens = usage.Total
	}
	for _, body := range i.Assessments {
		if judgement, ok := toJudgement(body); ok {
			v.Judgements = append(v.Judgements, judgement)
		}
	}
	return v
}

// said returns what a text says that may be written as JSON, as names are in metadata that came with spans.
func said(text string) string {
	var inner string
	if json.Unmarshal([]byte(text), &inner) == nil {
		return inner
	}
	return text
}

func toJudgement(body []byte) (TraceJudgement, bool) {
	var a trace.Assessment
	if json.Unmarshal(body, &a) != nil {
		return TraceJudgement{}, false
	}
	j := TraceJudgement{ID: a.ID, Name: a.Name, Kind: "feedback", Span: a.Span, Rationale: a.Rationale, At: a.CreatedAt}
	opinion := a.Feedback
	if opinion == nil {
		j.Kind, opinion = "expectation", a.Expectation
	}
	var value struct {
		Value any `json:"value"`
	}
	var source struct {
		Kind string `json:"source_type"`
		ID   string `json:"source_id"`
	}
	if json.Unmarshal(opinion, &value) == nil {
		j.Value = value.Value
	}
	if json.Unmarshal(a.Source, &source) == nil && source.Kind != "" {
		j.Source = source.Kind + " " + source.ID
	}
	return j, true
}

func (a *API) listTraces(ctx context.Context, in *listTraces) (*body[TracePage], error) {
	if err := a.readable(ctx, in.Experiment); err != nil {
		return nil, err
	}
	list, next, err := a.cfg.Traces.Search(ctx, trace.Search{Experiments: []int64{in.Experiment}, Filter: in.Filter, Order: in.Order, Most: in.Limit, Token: in.Cursor})
	if err != nil {
		return nil, learningError(err)
	}
	page := TracePage{Items: make([]Trace, len(list)), Next: next}
	for i := range list {
		page.Items[i] = toTrace(&list[i])
	}
	return answer(page), nil
}

func (a *API) getTrace(ctx context.Context, in *tracePath) (*body[TraceTree], error) {
	info, err := a.cfg.Traces.Info(ctx, in.ID)
	if err != nil {
		return nil, learningError(err)
	}
	if err := a.readable(ctx, info.Experiment); err != nil {
		return nil, err
	}
	tree := TraceTree{Trace: toTrace(&info), Spans: []TraceSpan{}}
	spans, err := a.cfg.Traces.Spans(ctx, a.cfg.Files, in.ID)
	switch refusal, ok := errors.AsType[*experiment.Error](err); {
	case ok:
		tree.Problem = refusal.Message
	case errors.Is(err, trace.ErrTooLarge):
		tree.Problem = err.Error()
	case err != nil:
		return nil, err
	case len(spans) == 0:
		tree.Problem = "Its client has sent no spans yet."
	}
	for i := range spans {
		tree.Spans = append(tree.Spans, toSpan(&spans[i], spans[0].StartedAt))
	}
	return answer(tree), nil
}

func toSpan(s *trace.Span, begin int64) TraceSpan {
	after := func(at int64) float64 { return float64(at-begin) / float64(time.Millisecond) }
	v := TraceSpan{
		ID: s.ID, Parent: s.Parent, Name: s.Name, Kind: s.Kind, Status: s.Status, Message: s.Message, Start: after(s.StartedAt),
		Inputs: s.Inputs, Outputs: s.Outputs, Attributes: s.Attributes, Events: []TraceSpanEvent{},
	}
	if s.EndedAt > 0 {
		took := float64(s.EndedAt-s.StartedAt) / float64(time.Millisecond)
		v.Took = &took
	}
	for _, e := range s.Events {
		v.Events = append(v.Events, TraceSpanEvent{Name: e.Name, At: after(e.At), Attributes: e.Attributes})
	}
	return v
}
