package api

import (
	"context"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/fairlead/fairlead/ml/experiment"
)

// Run is one try.
type Run struct {
	ID         string              `json:"id"`
	Name       string              `json:"name"`
	Experiment string              `json:"experiment"`
	User       string              `json:"user"`
	Status     string              `json:"status" enum:"RUNNING,SCHEDULED,FINISHED,FAILED,KILLED"`
	StartedAt  *time.Time          `json:"startedAt,omitempty"`
	EndedAt    *time.Time          `json:"endedAt,omitempty"`
	Deleted    bool                `json:"deleted"`
	Metrics    map[string]*float64 `json:"metrics" doc:"The latest of each; null is NaN or without bound."`
	Params     map[string]string   `json:"params"`
	Tags       map[string]string   `json:"tags"`
	Datasets   []RunDataset        `json:"datasets"`
	ModelsMade []string            `json:"modelsMade" doc:"Logged models."`
	Location   string              `json:"location" doc:"Where its files are."`
}

// RunDataset is a data set that a run read.
type RunDataset struct {
	Name    string `json:"name"`
	Digest  string `json:"digest"`
	Context string `json:"context"`
}

// RunPage is a page of runs; next is the cursor of the following page, empty on the last.
type RunPage struct {
	Items []Run  `json:"items"`
	Next  string `json:"next"`
}

// MetricPoint is one value of a metric.
type MetricPoint struct {
	Step  int64     `json:"step"`
	At    time.Time `json:"at"`
	Value *float64  `json:"value" doc:"null is NaN or without bound."`
}

// MetricHistory is how a metric went.
type MetricHistory struct {
	Key    string        `json:"key"`
	Points []MetricPoint `json:"points" doc:"In the order of their steps; with many, the least and the greatest of each stretch."`
	Total  int           `json:"total" doc:"How many there are."`
}

type listRuns struct {
	Experiment int64    `query:"experiment" required:"true" minimum:"0"`
	View       string   `query:"view" enum:"active,deleted,all" default:"active"`
	Filter     string   `query:"filter" maxLength:"20000" doc:"In MLflow's grammar." example:"metrics.accuracy > 0.9 AND params.optimizer = 'adam'"`
	Order      []string `query:"order,explode" maxItems:"10" doc:"Items in MLflow's form, with commas." example:"metrics.accuracy DESC"`
	Cursor     string   `query:"cursor" maxLength:"20000" doc:"next of the page before."`
	Limit      int      `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

type runPath struct {
	ID string `path:"id" maxLength:"100"`
}

type runHistory struct {
	ID     string `path:"id" maxLength:"100"`
	Key    string `query:"key" required:"true" maxLength:"250"`
	Points int    `query:"points" minimum:"10" maximum:"10000" default:"1000" doc:"About how many at most."`
}

func (a *API) runRoutes() {
	route(a, http.MethodGet, "/runs", "listRuns", "List runs of an experiment, the newest first", a.listRuns)
	route(a, http.MethodGet, "/runs/{id}", "getRun", "Get a run", a.getRun)
	route(a, http.MethodGet, "/runs/{id}/history", "getRunHistory", "How a metric of a run went", a.getRunHistory)
}

func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

func toRun(r *experiment.Run) Run {
	v := Run{
		ID: r.ID, Name: r.Name, Experiment: strconv.FormatInt(r.Experiment, 10), User: r.User, Status: string(r.Status), StartedAt: moment(r.StartedAt), Deleted: r.Deleted,
		Metrics: map[string]*float64{}, Params: map[string]string{}, Tags: tagMap(r.Tags), Datasets: []RunDataset{}, ModelsMade: []string{}, Location: r.Location,
	}
	if r.EndedAt != nil {
		v.EndedAt = moment(*r.EndedAt)
	}
	for _, m := range r.Metrics {
		v.Metrics[m.Key] = finite(m.Value)
	}
	for _, p := range r.Params {
		v.Params[p.Key] = p.Value
	}
	for _, d := range r.Datasets {
		one := RunDataset{Name: d.Dataset.Name, Digest: d.Dataset.Digest}
		for _, tag := range d.Tags {
			if tag.Key == "mlflow.data.context" {
				one.Context = tag.Value
			}
		}
		v.Datasets = append(v.Datasets, one)
	}
	for _, m := range r.ModelsMade {
		v.ModelsMade = append(v.ModelsMade, m.Model)
	}
	return v
}

func (a *API) listRuns(ctx context.Context, in *listRuns) (*body[RunPage], error) {
	if err := a.readable(ctx, in.Experiment); err != nil {
		return nil, err
	}
	runs, next, err := a.cfg.Experiments.SearchRuns(ctx, experiment.Search{
		Experiments: []int64{in.Experiment}, Filter: in.Filter, View: viewOf(in.View), Order: in.Order, Most: in.Limit, Token: in.Cursor,
	})
	if err != nil {
		return nil, learningError(err)
	}
	page := RunPage{Items: make([]Run, len(runs)), Next: next}
	for i, r := range runs {
		page.Items[i] = toRun(r)
	}
	return answer(page), nil
}

// findRun returns a run that may be read.
func (a *API) findRun(ctx context.Context, id string) (*experiment.Run, error) {
	r, err := a.cfg.Experiments.Run(ctx, id)
	if err != nil {
		return nil, learningError(err)
	}
	return r, a.readable(ctx, r.Experiment)
}

func (a *API) getRun(ctx context.Context, in *runPath) (*body[Run], error) {
	r, err := a.findRun(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	return answer(toRun(r)), nil
}

func (a *API) getRunHistory(ctx context.Context, in *runHistory) (*body[MetricHistory], error) {
	of, err := a.cfg.Experiments.ExperimentOf(ctx, in.ID)
	if err != nil {
		return nil, learningError(err)
	}
	if err := a.readable(ctx, of); err != nil {
		return nil, err
	}
	points, err := a.cfg.Experiments.History(ctx, in.ID, in.Key)
	if err != nil {
		return nil, learningError(err)
	}
	slices.SortStableFunc(points, func(x, y experiment.Metric) int { return int(min(max(x.Step-y.Step, -1), 1)) })
	h := MetricHistory{Key: in.Key, Points: []MetricPoint{}, Total: len(points)}
	for _, p := range experiment.Sample(points, in.Points) {
		h.Points = append(h.Points, MetricPoint{Step: p.Step, At: time.UnixMilli(p.At).UTC(), Value: finite(p.Value)})
	}
	return answer(h), nil
}
